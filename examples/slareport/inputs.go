package main

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/month"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/sla"
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

	contract month.Contract
	period   sla.Period
	evidence sla.Evidence
	now      time.Time
	trend    int
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
	if err := in.read(env); err != nil {
		return nil, program.Exit(program.Usage, err)
	}
	if err := in.settle(o.period); err != nil {
		return nil, program.Exit(program.Usage, err)
	}
	read, err := evidence.Read(in.Open, files, in.contract.Frame(in.period, in.trend, in.now))
	if err != nil {
		return nil, program.Exit(program.Input, err)
	}
	in.evidence = read.Evidence
	in.Sources, in.Notices = append(in.Sources, read.Sources...), append(in.Notices, read.Notices...)
	return in, nil
}

func (in *inputs) read(env *program.Env) error {
	name, data, err := in.Read("config", cmp.Or(env.Config, "contract.yaml"))
	if err != nil {
		return err
	}
	agreed, document, err := config.ParseContract(name, data)
	if err != nil {
		return err
	}
	in.Note(document)
	in.contract.Agreed = agreed
	return nil
}

// settle chooses the period and compiles the contract for it.
func (in *inputs) settle(flags periodFlags) error {
	contract := in.contract.Agreed.Contract
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
	in.contract.Agreement, err = sla.Compile(contract)
	return err
}

// report draws up the report.
func (in *inputs) report() (*result, error) {
	options := sla.ReportOptions{At: in.now, Trend: in.trend}
	if in.trend == 0 {
		options.Trend = -1
	}
	r, err := in.contract.Report(in.period, in.evidence, options)
	switch {
	case errors.Is(err, sla.ErrNotInForce), errors.Is(err, sla.ErrPeriod):
		return nil, program.Exit(program.Usage, err)
	case err != nil:
		return nil, program.Exit(program.Input, err)
	}
	return newResult(in, r), nil
}
