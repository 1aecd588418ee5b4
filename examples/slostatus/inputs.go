package main

import (
	"cmp"
	"embed"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
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
	objectives, document, err := config.Objectives(name, data)
	if err != nil {
		return err
	}
	in.Note(document)
	slices.SortStableFunc(objectives, func(a, b config.Objective) int { return cmp.Compare(a.ID, b.ID) })
	in.objectives = objectives
	return nil
}

// services are those of the objectives, each once.
func (in *inputs) services() []string {
	var services []string
	for _, o := range in.objectives {
		if !slices.Contains(services, o.Service) {
			services = append(services, o.Service)
		}
	}
	return services
}

// names are those that rows may have: the services, and the ids of objectives
// that no service has.
func (in *inputs) names(services []string) []string {
	names := slices.Clone(services)
	for _, o := range in.objectives {
		if !slices.Contains(names, o.ID) {
			names = append(names, o.ID)
		}
	}
	return names
}

const gcPercent = 20

// watched is an objective while its samples are read.
type watched struct {
	objective config.Objective
	tracker   *slo.Tracker
	history   report.BudgetHistory
	rows      string // whose rows it counts: those of its service, or its own
	torn      bool   // it has both
}

// observe counts a row of a service, or of an objective by its id.
func (w *watched) observe(name string, at time.Time, c slo.Counts) error {
	switch {
	case w.rows == "":
		w.rows = name
	case w.torn: // it was said
		return nil
	case w.rows != name:
		w.torn = true
		return fmt.Errorf("objective %s has rows under %q and under %q, want one of the two", w.objective.ID, w.rows, name)
	}
	return w.tracker.Observe(at, c)
}

// measure reads the measurements up to the instant and judges the objectives.
func (in *inputs) measure(o *options, history bool) (*result, error) {
	// Nearly all memory is the history of the trackers, a few large pieces without
	// pointers: looking for garbage often costs little and keeps it small.
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	services := in.services()
	exclusions, err := in.exclusions(o.maintenance, services)
	if err != nil {
		return nil, program.Exit(program.Input, err)
	}
	names := in.names(services)
	var all []*watched
	start := func() (evidence.Observer, error) {
		all = nil
		byName := make([][]*watched, len(names))
		for _, o := range in.objectives {
			t, err := slo.NewTracker(o.Objective, &slo.TrackerOptions{Exclusions: exclusions[o.Service]})
			if err != nil {
				return nil, err
			}
			w := &watched{objective: o, tracker: t, history: report.BudgetHistory{From: o.Windows[0].Period(in.at).Start}}
			all = append(all, w)
			for i, name := range names {
				if i < len(services) && name == o.Service || i >= len(services) && name == o.ID {
					byName[i] = append(byName[i], w)
				}
			}
		}
		return func(name int, at time.Time, c slo.Counts) error {
			for _, w := range byName[name] {
				if err := w.observe(names[name], at, c); err != nil {
					return err
				}
				if history {
					if err := w.history.Add(w.tracker); err != nil {
						return err
					}
				}
			}
			return nil
		}, nil
	}
	read, err := evidence.Indicators(in.Open, o.sli, names, in.at, start)
	if err != nil {
		return nil, program.Exit(program.Input, err)
	}
	in.Sources, in.Notices = append(in.Sources, read.Sources...), append(in.Notices, read.Notices...)
	in.shared(all)
	r := &result{in: in, report: report.BudgetReport{At: in.at, Zone: in.zone, Series: o.series}}
	for _, w := range all {
		if err := w.tracker.Advance(in.at); err != nil {
			return nil, program.Exit(program.Input, err)
		}
		b, err := report.BudgetOf(w.objective.Objective, w.tracker)
		if err != nil {
			return nil, program.Exit(program.Input, err)
		}
		b.History = w.history.Points()
		r.report.Budgets = append(r.report.Budgets, b)
	}
	for _, s := range in.Sources {
		r.report.Sources = append(r.report.Sources, report.Source{Name: s.Name, SHA256: s.SHA256})
	}
	return r, nil
}

// shared notes objectives that were given the same rows, although Prometheus
// counts different events for them.
func (in *inputs) shared(all []*watched) {
	for i, w := range all {
		for _, v := range all[:i] {
			if w.rows == "" || w.rows != v.rows || w.objective.Rules == nil || v.objective.Rules == nil ||
				reflect.DeepEqual(w.objective.Rules.Events, v.objective.Rules.Events) {
				continue
			}
			in.Notices = append(in.Notices, program.Notice{
				Code: "shared_rows", Ref: &w.objective.ID,
				Message: fmt.Sprintf("objectives %s and %s count different events, but both have the rows of %s; rows of one alone stand under its id", v.objective.ID, w.objective.ID, w.rows),
			})
			break
		}
	}
}

// exclusions reads the planned maintenance of every service. Work that was
// cancelled takes nothing out, and neither does an emergency: users felt it.
func (in *inputs) exclusions(name string, services []string) (map[string][]slo.Exclusion, error) {
	exclusions := map[string][]slo.Exclusion{}
	if name == "" {
		return exclusions, nil
	}
	read, err := evidence.Read(in.Open, evidence.Files{Maintenance: name}, evidence.Frame{Services: services, Window: calendar.Interval{Start: in.at, End: in.at}})
	if err != nil {
		return nil, err
	}
	in.Sources, in.Notices = append(in.Sources, read.Sources...), append(in.Notices, read.Notices...)
	for _, m := range read.Evidence.Maintenance {
		if m.Cancelled {
			continue
		}
		if m.Emergency {
			ref := m.Ref
			in.Notices = append(in.Notices, program.Notice{Code: "emergency_not_excluded", Message: "emergency maintenance " + m.Ref + " is not left out: it was not planned", Ref: &ref})
			continue
		}
		if !m.End.After(m.Start) {
			continue // no time at all
		}
		x := slo.Exclusion{Interval: calendar.Interval{Start: m.Start, End: m.End}, Reason: "maintenance " + m.Ref}
		for _, s := range services {
			if m.Service == s || m.Service == "*" {
				exclusions[s] = append(exclusions[s], x)
			}
		}
	}
	return exclusions, nil
}
