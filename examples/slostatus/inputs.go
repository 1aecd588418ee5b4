package main

import (
	"cmp"
	"embed"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/budgets"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// The embedded sample: half a day of a service that was made up for it.
//
//go:embed testdata/sample
var sample embed.FS

// sampleNow is the end of the sample, in the middle of its second burst.
var sampleNow = time.Date(2026, 9, 17, 22, 0, 0, 0, time.UTC)

// inputs are the objectives and where the measurements are.
type inputs struct {
	program.Inputs

	objectives []config.Objective // by id
	now, at    time.Time
	zone       *time.Location
}

// load reads the objectives and settles the instant.
func (o *options) load(env *program.Env) (*inputs, error) {
	in := &inputs{Inputs: program.NewInputs(sample, env.Config == ""), zone: env.Zone}
	in.now = in.Now(env, sampleNow)
	if in.Sample {
		o.sli, o.maintenance = "sli.csv", "maintenance.csv"
	}
	in.at = in.now
	if o.at != "" {
		at, err := time.Parse(time.RFC3339, o.at)
		if err != nil {
			return nil, program.Exit(program.Usage, err)
		}
		in.at = at.UTC()
	}
	if year := in.at.Year(); year < 1800 || year > 2150 {
		return nil, program.Exit(program.Usage, fmt.Errorf("%s: want a time between the years 1800 and 2150", in.at.Format(time.RFC3339)))
	}
	return in, program.Exit(program.Usage, in.read(env))
}

func (in *inputs) read(env *program.Env) error {
	name, data, err := in.Read("config", cmp.Or(env.Config, "slo.yaml"))
	if err != nil {
		return err
	}
	return in.parse(name, data)
}

// parse reads the objectives, be they OpenSLO or of our own form.
func (in *inputs) parse(name string, data []byte) error {
	objectives, document, err := config.ParseObjectives(name, data)
	if err != nil {
		return err
	}
	in.Note(document)
	slices.SortStableFunc(objectives, func(a, b config.Objective) int { return cmp.Compare(a.ID, b.ID) })
	in.objectives = objectives
	return nil
}

const gcPercent = 20

// measure reads the measurements up to the instant and judges the objectives.
func (in *inputs) measure(o *options, history bool) (*result, error) {
	// Nearly all memory is the history of the trackers, a few large pieces without
	// pointers: looking for garbage often costs little and keeps it small. It is a
	// setting of the whole process, so only a program that does nothing else has it.
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	read, err := budgets.Measure(budgets.Question{
		Open: in.Open, Objectives: in.objectives, At: in.at, Zone: in.zone, SLI: o.sli, Maintenance: o.maintenance, History: history,
	})
	if err != nil {
		return nil, program.Exit(program.Input, err)
	}
	in.Sources, in.Notices = append(in.Sources, read.Sources...), append(in.Notices, read.Notices...)
	r := &result{in: in, report: read.Report}
	r.report.Series = o.series
	for _, s := range in.Sources {
		r.report.Sources = append(r.report.Sources, report.Source{Name: s.Name, SHA256: s.SHA256})
	}
	return r, nil
}
