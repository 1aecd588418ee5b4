package correlation

import (
	"errors"
	"slices"
	"time"
)

// Options of an Engine. The zero value is ready to use.
type Options struct {
	// Settle delays the first notification of an alert until this long after
	// its onset, so that a cause that arrives in time prevents it. Defaults to 0.
	Settle time.Duration `json:"settle_ns,omitempty"`
	// CompositeSettle does the same for composites, from their opening. Defaults
	// to 0.
	CompositeSettle time.Duration `json:"composite_settle_ns,omitempty"`
	// Retention is how long an ended alert is remembered, so that a late event
	// cannot revive it. Defaults to 1 hour.
	Retention time.Duration `json:"retention_ns,omitempty"`
	// ResolveTimeout ends an alert this long after the arrival of its last event
	// if that has no Ends. Defaults to 0, never.
	ResolveTimeout time.Duration `json:"resolve_timeout_ns,omitempty"`
	// MaxFuture refuses events whose Time is later than their arrival by more.
	// Defaults to 0, no limit.
	MaxFuture time.Duration `json:"max_future_ns,omitempty"`
	// Reorder holds every event back until this long after its Time and applies
	// them in the order of their times; one that arrives later still is reported
	// as Late and not applied. Defaults to 0: events are applied on arrival.
	Reorder time.Duration `json:"reorder_ns,omitempty"`
	// StrictSilence lets an alert that is silenced, as [Engine.Silence] says, stand for
	// nobody: what only such alerts stand for is told. Defaults to false: a silenced
	// alert is visible, for somebody has decided about it and what it explains.
	StrictSilence bool `json:"strict_silence,omitempty"`
	// WholeLife lets composites list all alerts that have been evidence or
	// suppressed since they opened, not those of the moment. That costs memory for
	// each, so it is for replays.
	WholeLife bool `json:"whole_life,omitempty"`
	// IgnoreLabels names labels that do not count for the identity of an alert, such as pod
	// or replica: alerts that differ in nothing else are one, of which the last event wins,
	// so the end of one is the end of all. Their values are moved to the annotations of the
	// event, unless it has one of that name, and so the latest is shown; an event with such
	// a label sets the annotations as one does that has some. Everything else is as if the
	// source had never sent these labels as labels: counters, limits and keys do not know
	// them, silences do not match them, and rules that ask for one are refused. A snapshot
	// of alerts that have one is not restored. Defaults to none: all labels count.
	IgnoreLabels []string `json:"ignore_labels,omitempty"`
	// Topology answers depends_on and near. It is not changed. Defaults to none.
	Topology *Topology `json:"topology,omitempty"`
	// MaxAlerts limits the remembered alerts of one tenant; events for further
	// ones are refused. Defaults to 1,000,000.
	MaxAlerts int `json:"max_alerts,omitempty"`
	// MaxLabels limits the labels of one alert. Defaults to 64.
	MaxLabels int `json:"max_labels,omitempty"`
	// MaxLabelBytes limits their names and values together, and also the name of an
	// alert and that of a tenant. Defaults to 16,384.
	MaxLabelBytes int `json:"max_label_bytes,omitempty"`
	// MaxAnnotationBytes limits the names and values of the annotations of an event
	// together. Defaults to 65,536.
	MaxAnnotationBytes int `json:"max_annotation_bytes,omitempty"`
}

// withDefaults fills in the defaults. All problems are reported together.
func (o Options) withDefaults() (Options, error) {
	var problems []error
	duration := func(name string, d time.Duration) {
		if d < 0 {
			problems = append(problems, &OptionError{name, d, "0 or more"})
		}
	}
	duration("Settle", o.Settle)
	duration("CompositeSettle", o.CompositeSettle)
	duration("Retention", o.Retention)
	duration("ResolveTimeout", o.ResolveTimeout)
	duration("MaxFuture", o.MaxFuture)
	duration("Reorder", o.Reorder)
	limit := func(name string, n *int, def int) {
		if *n < 0 {
			problems = append(problems, &OptionError{name, *n, "0 or more"})
		}
		if *n == 0 {
			*n = def
		}
	}
	limit("MaxAlerts", &o.MaxAlerts, 1_000_000)
	limit("MaxLabels", &o.MaxLabels, 64)
	limit("MaxLabelBytes", &o.MaxLabelBytes, 16_384)
	limit("MaxAnnotationBytes", &o.MaxAnnotationBytes, 65_536)
	if o.Retention == 0 {
		o.Retention = time.Hour
	}
	if slices.Contains(o.IgnoreLabels, "") {
		problems = append(problems, &OptionError{"IgnoreLabels", "", "names of labels"})
	}
	o.IgnoreLabels = slices.Clone(o.IgnoreLabels)
	return o, errors.Join(problems...)
}
