// Package budgets judges the objectives of a file by the measurements of another: the
// state of every error budget at an instant.
package budgets

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// Question is what is judged by what.
type Question struct {
	Open func(name string) (io.ReadCloser, error)

	Objectives []config.Objective // in the order of the report
	At         time.Time          // measurements after it do not count
	Zone       *time.Location     // of the times shown. Defaults to UTC.

	SLI         string // file of good and total events
	Maintenance string // file of windows that are left out. Defaults to none.

	History bool // keep earlier states of every budget too
}

// Result is the report, without its sources, and what was read for it.
type Result struct {
	Report  report.BudgetReport
	Sources []program.Source
	Notices []program.Notice
}

// Measure reads the measurements up to the instant and judges the objectives.
func Measure(q Question) (Result, error) {
	var r Result
	services := q.services()
	exclusions, err := r.exclusions(q, services)
	if err != nil {
		return Result{}, err
	}
	names := q.names(services)
	var all []*watched
	start := func() (evidence.Observer, error) {
		all = nil
		byName := make([][]*watched, len(names))
		for _, o := range q.Objectives {
			t, err := slo.NewTracker(o.Objective, &slo.TrackerOptions{Exclusions: exclusions[o.Service]})
			if err != nil {
				return nil, err
			}
			w := &watched{objective: o, tracker: t, history: report.BudgetHistory{From: o.Windows[0].Period(q.At).Start}}
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
				if q.History {
					if err := w.history.Add(w.tracker); err != nil {
						return err
					}
				}
			}
			return nil
		}, nil
	}
	read, err := evidence.Indicators(q.Open, q.SLI, names, q.At, start)
	if err != nil {
		return Result{}, err
	}
	r.Sources, r.Notices = append(r.Sources, read.Sources...), append(r.Notices, read.Notices...)
	r.shared(all)
	r.Report = report.BudgetReport{At: q.At, Zone: q.Zone}
	for _, w := range all {
		if err := w.tracker.Advance(q.At); err != nil {
			return Result{}, err
		}
		b, err := report.BudgetOf(w.objective.Objective, w.tracker)
		if err != nil {
			return Result{}, err
		}
		b.History = w.history.Points()
		r.Report.Budgets = append(r.Report.Budgets, b)
	}
	return r, nil
}

// services are those of the objectives, each once.
func (q Question) services() []string {
	var services []string
	for _, o := range q.Objectives {
		if !slices.Contains(services, o.Service) {
			services = append(services, o.Service)
		}
	}
	return services
}

// names are those that rows may have: the services, and the ids of objectives
// that no service has.
func (q Question) names(services []string) []string {
	names := slices.Clone(services)
	for _, o := range q.Objectives {
		if !slices.Contains(names, o.ID) {
			names = append(names, o.ID)
		}
	}
	return names
}

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

// shared notes objectives that were given the same rows, although Prometheus
// counts different events for them.
func (r *Result) shared(all []*watched) {
	for i, w := range all {
		for _, v := range all[:i] {
			if w.rows == "" || w.rows != v.rows || w.objective.Rules == nil || v.objective.Rules == nil ||
				reflect.DeepEqual(w.objective.Rules.Events, v.objective.Rules.Events) {
				continue
			}
			r.Notices = append(r.Notices, program.Notice{
				Code: "shared_rows", Ref: &w.objective.ID,
				Message: fmt.Sprintf("objectives %s and %s count different events, but both have the rows of %s; rows of one alone stand under its id", v.objective.ID, w.objective.ID, w.rows),
			})
			break
		}
	}
}

// exclusions reads the planned maintenance of every service. Work that was
// cancelled takes nothing out, and neither does an emergency: users felt it.
func (r *Result) exclusions(q Question, services []string) (map[string][]slo.Exclusion, error) {
	exclusions := map[string][]slo.Exclusion{}
	if q.Maintenance == "" {
		return exclusions, nil
	}
	read, err := evidence.Read(q.Open, evidence.Files{Maintenance: q.Maintenance}, evidence.Frame{Services: services, Window: calendar.Interval{Start: q.At, End: q.At}})
	if err != nil {
		return nil, err
	}
	r.Sources, r.Notices = append(r.Sources, read.Sources...), append(r.Notices, read.Notices...)
	for _, m := range read.Evidence.Maintenance {
		if m.Cancelled {
			continue
		}
		if m.Emergency {
			ref := m.Ref
			r.Notices = append(r.Notices, program.Notice{Code: "emergency_not_excluded", Message: "emergency maintenance " + m.Ref + " is not left out: it was not planned", Ref: &ref})
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
