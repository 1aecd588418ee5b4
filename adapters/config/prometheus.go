package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

// prometheusFile says how Prometheus counts the events of an objective.
type prometheusFile struct {
	Bad         string            `yaml:"bad"`
	Good        string            `yaml:"good"`
	Total       string            `yaml:"total"`
	Latency     *latencyFile      `yaml:"latency"`
	Up          string            `yaml:"up"`
	ErrorRatio  string            `yaml:"error_ratio"`
	By          []string          `yaml:"by"`
	Scrape      time.Duration     `yaml:"scrape"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

type latencyFile struct {
	Histogram string        `yaml:"histogram,required"`
	Limit     time.Duration `yaml:"limit,required"`
	Native    bool          `yaml:"native"`
}

// rules returns the objective as package promrules takes it. What keeps its events
// from being counted is an error here; what only keeps its rules from being
// written, such as a target of 100 %, is a warning, as all other figures of the
// objective can be had.
func (f *prometheusFile) rules(d *Document, path string, o slo.Objective) *promrules.SLO {
	s := &promrules.SLO{
		Objective: o, Labels: f.Labels, Annotations: f.Annotations,
		Events: promrules.Events{Bad: f.Bad, Good: f.Good, Total: f.Total, Up: f.Up, ErrorRatio: f.ErrorRatio, By: f.By},
	}
	if f.Latency != nil {
		s.Events.Latency = &promrules.Latency{
			Histogram: f.Latency.Histogram, Limit: slo.NewRatio(int64(f.Latency.Limit), int64(time.Second)), Native: f.Latency.Native,
		}
	}
	if f.Scrape < 0 || f.Scrape%time.Millisecond != 0 {
		d.Fail(diagnostic.Join(path, "scrape"), "out_of_range", "scrape interval %v, want whole milliseconds", f.Scrape)
	}
	if d.Err() != nil {
		return s // an objective that is wrong would be reported twice
	}
	for _, err := range split(s.Validate()) {
		events, rule := (*promrules.EventsError)(nil), (*promrules.RuleError)(nil)
		switch {
		case errors.As(err, &events) && events.Text != "":
			d.Fail(diagnostic.Join(path, events.Field), "bad_selector", "%q at byte %d, want %s", events.Text, events.Offset, events.Want)
		case errors.As(err, &events) && events.Field != "":
			d.Fail(diagnostic.Join(path, events.Field), "out_of_range", "want %s", events.Want)
		case errors.As(err, &events):
			d.Fail(path, "out_of_range", "want %s", events.Want)
		case errors.As(err, &rule):
			text := "no rules can be written: want " + rule.Want
			if rule.Rule != "" {
				text = fmt.Sprintf("no rules can be written: rule %s: want %s", rule.Rule, rule.Want)
			}
			d.Warn(path, "no_rules", "%s", text)
		default:
			d.Fail(path, "out_of_range", "%v", err)
		}
	}
	return s
}
