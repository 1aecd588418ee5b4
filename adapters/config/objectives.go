package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

type objectivesFile struct {
	Version  int             `yaml:"version,required"`
	Timezone *Zone           `yaml:"timezone"`
	SLOs     []objectiveFile `yaml:"slos,required"`
}

type objectiveFile struct {
	ID        string      `yaml:"id,required"`
	Service   string      `yaml:"service,required"`
	Owner     string      `yaml:"owner"`
	Runbook   string      `yaml:"runbook"`
	Objective Percent     `yaml:"objective_percent,required"`
	Window    string      `yaml:"window,required"`
	Timezone  *Zone       `yaml:"timezone"`
	SLI       *sliFile    `yaml:"sli"`
	Alerts    *alertsFile `yaml:"alerts"`
	Coverage  Percent     `yaml:"min_coverage_percent"`
	Risk      *riskFile   `yaml:"at_risk"`

	BudgetPolicy *budgetPolicyFile `yaml:"budget_policy"`
	Prometheus   *prometheusFile   `yaml:"prometheus"`
}

type sliFile struct {
	Kind   string        `yaml:"kind,required"`
	Slice  time.Duration `yaml:"slice"`
	Good   Percent       `yaml:"good_percent"`
	NoData string        `yaml:"no_data"`
}

// Objective is an entry of a file of objectives.
type Objective struct {
	slo.Objective

	// Rules is the objective with how Prometheus counts its events, ready for
	// [promrules.Generate]; nil where the file does not say.
	Rules *promrules.SLO
	// Scrape is the interval at which Prometheus reads its counters, 0 where the
	// file does not say.
	Scrape time.Duration
}

// ParseObjectives reads a file of service level objectives, in the order of the file.
// Objectives without alerts get [slo.DefaultPolicy].
//
// A file of OpenSLO objects is known by its apiVersion and read by [openslo.Parse].
// What that decides where OpenSLO leaves something open is a warning with its code,
// and so is what keeps Prometheus from counting the events: then Rules is nil.
// Objectives with the budgeting method RatioTimeslices are an error, as package slo
// follows no mean of slices.
func ParseObjectives(name string, data []byte) ([]Objective, *Document, error) {
	if isOpenSLO(data) {
		return openSLO(name, data)
	}
	var file objectivesFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	var objectives []Objective
	ids := map[string]bool{}
	for i, entry := range file.SLOs {
		path := fmt.Sprintf("slos[%d]", i)
		d.unique(ids, path+".id", entry.ID)
		o := entry.objective(d, path, file.Timezone)
		if d.Err() == nil {
			for _, e := range split(o.Validate()) {
				d.Fail(path, "out_of_range", "%v", e)
			}
		}
		read := Objective{Objective: o}
		if entry.Prometheus != nil {
			read.Rules, read.Scrape = entry.Prometheus.rules(d, path+".prometheus", o), entry.Prometheus.Scrape
		}
		objectives = append(objectives, read)
	}
	return objectives, d, d.Err()
}

// unique reports an id that was used before.
func (d *Document) unique(seen map[string]bool, path, id string) {
	if id != "" && seen[id] {
		d.Fail(path, "duplicate_id", "id %q stands twice", id)
	}
	seen[id] = true
}

func (f objectiveFile) objective(d *Document, path string, zone *Zone) slo.Objective {
	o := slo.Objective{ID: f.ID, Service: f.Service, Owner: f.Owner, Runbook: f.Runbook}
	if f.Objective != "" {
		target, err := slo.ParsePercent(string(f.Objective))
		if err != nil {
			d.Fail(path+".objective_percent", "out_of_range", "objective %q, want more than 0 and at most 100", f.Objective)
		}
		o.Target = target
	}
	if f.Timezone != nil {
		zone = f.Timezone
	}
	location := time.UTC
	if zone != nil && zone.Location != nil {
		location = zone.Location
	}
	if f.Window != "" {
		window, err := slo.ParseWindow(f.Window, location)
		if err != nil {
			d.windowError(path+".window", f.Window, err)
			return o
		}
		o.Windows = []slo.Window{window}
		o.Policy = f.policy(d, path, window)
	}
	o.Risk = f.Risk.risk(d, path+".at_risk")
	o.BudgetPolicy = f.BudgetPolicy.policy(d, path+".budget_policy")
	if f.SLI != nil {
		o.Slices = f.SLI.slicing(d, path+".sli")
	}
	return o
}

// calendarWindows are the words for windows that are no length.
var calendarWindows = []string{"calendar_day", "calendar_week", "calendar_month", "calendar_quarter", "calendar_year"}

// windowError reports a window, which is a word or a length.
func (d *Document) windowError(path, text string, err error) {
	if strings.ContainsAny(text[:1], "0123456789.-+") {
		d.report(path, "bad_duration", nearDuration(text), err.Error())
		return
	}
	d.report(path, "bad_enum", spelling.Nearest(text, calendarWindows), err.Error())
}

func (f *sliFile) slicing(d *Document, path string) *slo.Slicing {
	switch f.Kind {
	case "": // reported as missing
		return nil
	case "events":
		for _, key := range []string{"slice", "good_percent", "no_data"} {
			if d.has(diagnostic.Join(path, key)) {
				d.Fail(diagnostic.Join(path, key), "out_of_range", "%s has no effect on single events, want kind time_slices", key)
			}
		}
		return nil
	case "time_slices":
	default:
		d.report(path+".kind", "bad_enum", spelling.Nearest(f.Kind, []string{"events", "time_slices"}), fmt.Sprintf("kind %q, want events or time_slices", f.Kind))
		return nil
	}
	s := slo.Slicing{Length: f.Slice, NoData: slo.ExcludeNoData}
	if f.NoData != "" {
		if err := s.NoData.UnmarshalText([]byte(f.NoData)); err != nil {
			d.Fail(path+".no_data", "bad_enum", "%v", err)
		}
	}
	for _, key := range []string{"slice", "good_percent"} {
		d.missing(diagnostic.Join(path, key))
	}
	if f.Good != "" {
		target, err := slo.ParsePercent(string(f.Good))
		if err != nil {
			d.Fail(path+".good_percent", "out_of_range", "%v", err)
		}
		s.Target = target
	}
	if d.failed(path) {
		return nil
	}
	if err := s.Validate(); err != nil {
		d.Fail(path, "out_of_range", "%v", err)
	}
	return &s
}
