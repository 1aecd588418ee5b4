package config

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/incident"
)

type scenariosFile struct {
	Version   int            `yaml:"version"`
	Scenarios []scenarioFile `yaml:"scenarios,required"`
}

type scenarioFile struct {
	Name   string            `yaml:"name,required"`
	Start  time.Time         `yaml:"start"`
	Events []eventFile       `yaml:"events,required"`
	Expect []expectationFile `yaml:"expect,required"`
}

type eventFile struct {
	At       time.Duration     `yaml:"at"` // after the start
	Arrival  *time.Duration    `yaml:"arrival"`
	Ends     *time.Duration    `yaml:"ends"`
	Tenant   string            `yaml:"tenant"`
	Alert    string            `yaml:"alert,required"`
	Status   string            `yaml:"status"`
	Labels   map[string]string `yaml:"labels"`
	Severity incident.Severity `yaml:"severity"`
}

type expectationFile struct {
	At         time.Duration        `yaml:"at"`
	Visible    *[]string            `yaml:"visible"`
	Suppressed *map[string][]string `yaml:"suppressed"`
	Composites *[]string            `yaml:"composites"`
	Told       *[]string            `yaml:"told"`
	Untold     []string             `yaml:"untold"`
}

// scenarioStart is where a scenario begins that says nothing else.
var scenarioStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// ParseScenarios reads a file of scenarios for [replay.Test]. Instants are durations after
// the start of the scenario; an event arrives when it happens, unless it says
// otherwise, and fires. An expectation that leaves out a list does not look at it; an
// empty one means none.
func ParseScenarios(name string, data []byte) ([]replay.Scenario, *Document, error) {
	var file scenariosFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	names := map[string]bool{}
	var list []replay.Scenario
	for i, f := range file.Scenarios {
		path := fmt.Sprintf("scenarios[%d]", i)
		d.unique(names, path+".name", f.Name)
		s := replay.Scenario{Name: f.Name, Start: f.Start}
		if s.Start.IsZero() {
			s.Start = scenarioStart
		}
		for k, e := range f.Events {
			s.Events = append(s.Events, e.arrival(d, fmt.Sprintf("%s.events[%d]", path, k), s.Start))
		}
		for _, x := range f.Expect {
			s.Expect = append(s.Expect, x.expectation(s.Start))
		}
		list = append(list, s)
	}
	return list, d, d.Err()
}

func (f eventFile) arrival(d *Document, path string, start time.Time) replay.Arrival {
	at := start.Add(f.At)
	a := replay.Arrival{At: at, Event: correlation.Event{
		Tenant: f.Tenant, Alert: f.Alert, Labels: f.Labels, Time: at, Severity: f.Severity, Status: correlation.Firing,
	}}
	if f.Status != "" {
		if err := a.Status.UnmarshalText([]byte(f.Status)); err != nil {
			d.Fail(path+".status", "bad_enum", "%v", err)
		}
	}
	if f.Arrival != nil {
		a.At = start.Add(*f.Arrival)
	}
	if f.Ends != nil {
		a.Ends = start.Add(*f.Ends)
	}
	if bad := (*correlation.EventError)(nil); errors.As(a.Validate(correlation.Options{}), &bad) && f.Alert != "" {
		key := map[string]string{"Time": "at"}
		at := path + "." + cmp.Or(key[bad.Field], strings.ToLower(bad.Field))
		if !d.failed(at) {
			d.Fail(at, "out_of_range", "%q, want %s", bad.Value, bad.Want)
		}
	}
	return a
}

func (f expectationFile) expectation(start time.Time) replay.Expectation {
	x := replay.Expectation{At: start.Add(f.At), Untold: f.Untold}
	for _, set := range []struct {
		from *[]string
		to   *[]string
	}{{f.Visible, &x.Visible}, {f.Composites, &x.Composites}, {f.Told, &x.Told}} {
		if set.from != nil {
			*set.to = append([]string{}, *set.from...)
		}
	}
	if f.Suppressed != nil {
		x.Suppressed = map[string][]string{}
		for alert, rules := range *f.Suppressed {
			if len(rules) == 0 {
				rules = nil
			}
			x.Suppressed[alert] = rules
		}
	}
	return x
}
