package main

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// The embedded sample: a month of a contract that was made up for it.
//
//go:embed testdata/sample
var sample embed.FS

// sampleNow is the present of the sample, some hours after its month.
var sampleNow = time.Date(2026, 10, 1, 6, 0, 0, 0, time.UTC)

// inputs are the contract and the evidence of a run.
type inputs struct {
	program.Inputs

	agreed    config.Agreed
	agreement *sla.Agreement
	period    sla.Period
	evidence  sla.Evidence
	now       time.Time
	trend     int
}

// load reads the contract, settles the period and reads the evidence for it.
func (o *options) load(env *program.Env) (*inputs, error) {
	in := &inputs{Inputs: program.NewInputs(sample, env.Config == ""), trend: o.trend}
	in.now = in.Now(env, sampleNow)
	files := evidence.Files{
		Outages: o.outages, Checks: o.checks, Incidents: o.incidents, Maintenance: o.maintenance, Changes: o.changes, Restores: o.restores, MaxGap: o.maxGap,
	}
	if in.Sample {
		files = evidence.Files{Outages: "outages.csv", Incidents: "incidents.csv", Maintenance: "maintenance.csv", Changes: "changes.csv", Restores: "restores.csv"}
	}
	if err := in.contract(env); err != nil {
		return nil, program.Exit(program.Usage, err)
	}
	if err := in.settle(o.period); err != nil {
		return nil, program.Exit(program.Usage, err)
	}
	read, err := evidence.Read(in.Open, files, in.frame())
	if err != nil {
		return nil, program.Exit(program.Input, err)
	}
	in.evidence = read.Evidence
	in.Sources, in.Notices = append(in.Sources, read.Sources...), append(in.Notices, read.Notices...)
	return in, nil
}

func (in *inputs) contract(env *program.Env) error {
	name, data, err := in.Read("config", cmp.Or(env.Config, "contract.yaml"))
	if err != nil {
		return err
	}
	agreed, document, err := config.Contract(name, data)
	if err != nil {
		return err
	}
	in.Note(document)
	in.agreed = agreed
	return nil
}

// settle chooses the period and compiles the contract for it.
func (in *inputs) settle(flags periodFlags) error {
	contract := in.agreed.Contract
	zone, err := time.LoadLocation(contract.Zone)
	if err != nil {
		return err
	}
	period, billing, err := flags.choose(zone, in.now)
	if err != nil {
		return err
	}
	if !period.Start.Before(in.now) {
		return fmt.Errorf("the period %s begins at %s, which is not before now, %s", period.Label, period.Start.UTC().Format(time.RFC3339), in.now.Format(time.RFC3339))
	}
	if !billing {
		if contract.Fee, err = feeOf(contract.Fee, period, zone, contract.Rounding); err != nil {
			return err
		}
		in.Notices = append(in.Notices, program.Notice{Code: "no_billing_period", Message: fmt.Sprintf(
			"%s is no month of the contract: targets and credits are applied to it as a whole, and to the fee of its time, %s; what is due for its months is in their reports", period.Label, contract.Fee)})
	}
	in.period = period
	in.agreement, err = sla.Compile(contract)
	return err
}

// frame is the time in which outages matter: from the first month of the trend, or
// the period if that begins earlier, up to now.
func (in *inputs) frame() evidence.Frame {
	start := in.period.Start
	if in.trend > 0 {
		if first := (sla.Billing{}).Following(in.period.End.Add(-1), 1-in.trend, in.agreement.Location()).Start; first.Before(start) {
			start = first
		}
	}
	f := evidence.Frame{
		Window: calendar.Interval{Start: start.UTC(), End: in.now}, From: in.agreed.EvidenceFrom, Currency: in.agreed.Fee.Currency(),
	}
	for _, t := range in.agreement.Contract().Terms {
		if t.Availability == nil {
			continue
		}
		for _, s := range t.Availability.Services {
			f.Services = append(f.Services, s.ID)
		}
	}
	return f
}

// report draws up the report.
func (in *inputs) report() (*result, error) {
	options := sla.ReportOptions{Now: in.now, Trend: in.trend}
	if in.trend == 0 {
		options.Trend = -1
	}
	r, err := in.agreement.Report(in.period, in.evidence, options)
	switch {
	case errors.Is(err, sla.ErrNotInForce), errors.Is(err, sla.ErrPeriod):
		return nil, program.Exit(program.Usage, err)
	case err != nil:
		return nil, program.Exit(program.Input, err)
	}
	return newResult(in, r), nil
}
