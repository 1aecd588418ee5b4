package correlation

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
	"github.com/evenkeelops/evenkeel/internal/sealed"
	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// Monitor turns measurements into events by the thresholds of layers. Make one
// with [NewMonitor]. It is not safe for concurrent use.
type Monitor struct {
	opts    MonitorOptions
	watches map[string]*watch // by layer and metric
	series  map[string]*series
}

// MonitorOptions of a Monitor. The zero value is ready to use.
type MonitorOptions struct {
	// Reference resolves the name of a reference in a condition, in lower case,
	// such as "max pool" or "baseline", in the unit of the metric. Without one,
	// or where it answers false, such a condition does not fire. Defaults to none.
	Reference func(m Measurement, name string) (float64, bool) `json:"-"`
	// Units gives the unit that a metric is measured in, where it is not that of
	// its condition: "s" for a limit in ms, "ratio" for one in %. Defaults to
	// none.
	Units map[string]string `json:"units,omitempty"`
	// KeepFiring keeps an alert firing until this long after its first good
	// sample. Defaults to 0.
	KeepFiring time.Duration `json:"keep_firing_ns,omitempty"`
	// Staleness is the longest gap between samples that keeps an alert; negative
	// means any. Defaults to 5 minutes.
	Staleness time.Duration `json:"staleness_ns,omitempty"`
}

// Measurement is one sample of one series. Tenant, Layer, Metric and Labels
// together name the series.
type Measurement struct {
	Tenant string            `json:"tenant,omitempty"`
	Layer  string            `json:"layer"`
	Metric string            `json:"metric"`
	Labels map[string]string `json:"labels,omitempty"`
	Time   time.Time         `json:"time"`
	Value  float64           `json:"value"` // NaN: no data
}

type watch struct {
	*threshold.Watch
	alerts []string // layer.signal
}

type series struct {
	Tenant   string             `json:"tenant,omitempty"`
	Layer    string             `json:"layer"`
	Metric   string             `json:"metric"`
	Labels   Labels             `json:"labels"`
	Progress threshold.Progress `json:"progress"`
}

// NewMonitor compiles the thresholds. All problems are reported together.
func NewMonitor(layers []Layer, options MonitorOptions) (*Monitor, error) {
	m := &Monitor{opts: options, watches: map[string]*watch{}, series: map[string]*series{}}
	var problems []error
	for _, l := range layers {
		for _, t := range l.Thresholds {
			w, err := m.compile(l, t)
			if err != nil {
				problems = append(problems, fmt.Errorf("threshold %s.%s: %w", l.Name, t.Metric, err))
				continue
			}
			m.watches[l.Name+"."+t.Metric] = w
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return m, nil
}

// compile checks the threshold of a layer.
func (m *Monitor) compile(l Layer, t LayerThreshold) (*watch, error) {
	c, err := threshold.ParseCondition(t.Condition)
	if err != nil {
		return nil, err
	}
	if m.watches[l.Name+"."+t.Metric] != nil {
		return nil, errors.New("stands twice")
	}
	o := threshold.Options{Unit: m.opts.Units[t.Metric], KeepFiring: m.opts.KeepFiring, Staleness: m.opts.Staleness}
	if t.Clear != "" {
		if o.Clear, err = threshold.ParseCondition(t.Clear); err != nil {
			return nil, err
		}
	}
	w, err := threshold.Compile(c, o)
	if err != nil {
		return nil, err
	}
	signals := t.Signals
	if len(signals) == 0 {
		signals = []string{t.Metric}
	}
	out := &watch{Watch: w}
	for _, s := range signals {
		name := l.Name + "." + s
		ev := Event{Alert: name, Status: Firing, Time: time.Unix(0, 0)}
		if err := ev.checkName(); err != nil {
			return nil, fmt.Errorf("signal %q: want %s", name, err.Want)
		}
		out.alerts = append(out.alerts, name)
	}
	return out, nil
}

// Observe takes a measurement and returns the events that it causes: one per
// signal when its alert begins to fire or is over. An alert of a series that
// stopped is resolved with the time at which it became stale. Samples of one
// series must come in the order of time; metrics without a threshold are
// ignored. Labels that an engine with default [Options] would refuse are an error.
func (m *Monitor) Observe(x Measurement) ([]Event, error) {
	w := m.watches[x.Layer+"."+x.Metric]
	if w == nil {
		return nil, nil
	}
	if !instant.InRange(x.Time) {
		return nil, fmt.Errorf("measurement of %s.%s: time is %s, want one in the years 1897 to 2188", x.Layer, x.Metric, x.Time)
	}
	l := LabelsOf(x.Labels)
	key := seriesKey(x.Tenant, x.Layer+"."+x.Metric, l)
	s := m.series[key]
	if s == nil {
		o, _ := Options{}.withDefaults() // the defaults are right
		ev := Event{Tenant: x.Tenant, Alert: w.alerts[0], Labels: x.Labels}
		if err := ev.checkIdentity(&o); err != nil {
			return nil, fmt.Errorf("measurement of %s.%s: %s is %q, want %s", x.Layer, x.Metric, err.Field, err.Value, err.Want)
		}
		s = &series{Tenant: x.Tenant, Layer: x.Layer, Metric: x.Metric, Labels: l}
	}
	sample := threshold.Sample{At: x.Time.UTC(), Value: x.Value, Reference: math.NaN()}
	if ref := w.Condition().Ref; ref != "" && m.opts.Reference != nil {
		if v, ok := m.opts.Reference(x, ref); ok {
			sample.Reference = v
		}
	}
	was := s.Progress.State
	p, err := w.Observe(s.Progress, sample)
	if err != nil {
		return nil, fmt.Errorf("measurement of %s.%s%s: %w", x.Layer, x.Metric, l, err)
	}
	s.Progress = p
	m.series[key] = s
	var events []Event
	if p.Was == threshold.Firing {
		events = m.events(events, w, s, Resolved, p.Stale)
		was = threshold.Inactive
	}
	switch {
	case p.State == threshold.Firing && was != threshold.Firing:
		events = m.events(events, w, s, Firing, x.Time)
	case p.State != threshold.Firing && was == threshold.Firing:
		events = m.events(events, w, s, Resolved, x.Time)
	}
	return events, nil
}

// Step returns the events for the series whose samples stopped: their alerts
// are over at the time at which they became stale, as seen at the instant at.
// Such series are forgotten.
func (m *Monitor) Step(at time.Time) []Event {
	var events []Event
	for _, key := range sortedNames(m.series) {
		s := m.series[key]
		w := m.watches[s.Layer+"."+s.Metric]
		if !w.Stale(s.Progress, at) {
			continue
		}
		if p := w.At(s.Progress, at); p.Was == threshold.Firing {
			events = m.events(events, w, s, Resolved, p.Stale)
		}
		delete(m.series, key)
	}
	return events
}

// events appends an event of each alert of a threshold.
func (m *Monitor) events(list []Event, w *watch, s *series, status Status, at time.Time) []Event {
	for _, alert := range w.alerts {
		list = append(list, Event{Tenant: s.Tenant, Alert: alert, Labels: s.Labels.Map(), Status: status, Time: at})
	}
	return list
}

func seriesKey(tenant, name string, l Labels) string {
	return string(appendKey(prefixed.Append(nil, tenant), name, l))
}

// Standing is where a series stands after its last sample.
type Standing struct {
	Tenant string `json:"tenant,omitempty"`
	Layer  string `json:"layer"`
	Metric string `json:"metric"`
	Labels Labels `json:"labels"`
	// State is inactive, pending or firing; or why the last sample could not be compared:
	// no_data or no_reference.
	State string    `json:"state"`
	Since time.Time `json:"since,omitzero"` // of the first breaching sample; zero unless pending or firing
	Last  time.Time `json:"last"`           // of the last sample
}

// Standings returns where all series stand, sorted by tenant, layer, metric and printed labels. What
// cannot be compared does not fire, so who watches the watcher asks here.
func (m *Monitor) Standings() []Standing {
	list := make([]Standing, 0, len(m.series))
	for _, key := range sortedNames(m.series) {
		s := m.series[key]
		p := s.Progress
		list = append(list, Standing{s.Tenant, s.Layer, s.Metric, s.Labels, p.State.String(), p.Onset, p.Last})
	}
	slices.SortStableFunc(list, func(a, b Standing) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Layer, b.Layer), strings.Compare(a.Metric, b.Metric),
			strings.Compare(a.Labels.String(), b.Labels.String()))
	})
	return list
}

// monitorVersion is raised when the form of a snapshot changes.
const monitorVersion = 1

// Snapshot returns the state of all series as JSON, with a checksum; equal states
// give equal bytes.
func (m *Monitor) Snapshot() ([]byte, error) {
	list := make([]*series, 0, len(m.series))
	for _, key := range sortedNames(m.series) {
		list = append(list, m.series[key])
	}
	return sealed.Seal(monitorVersion, list)
}

// RestoreMonitor makes a monitor from a snapshot, the layers and the options.
// Series of metrics that have no threshold any more are left out. An error about data wraps
// [ErrSnapshot].
func RestoreMonitor(layers []Layer, options MonitorOptions, data []byte) (*Monitor, error) {
	m, err := NewMonitor(layers, options)
	if err != nil {
		return nil, err
	}
	var list []*series
	if err := unseal(data, monitorVersion, &list); err != nil {
		return nil, fmt.Errorf("%w of a monitor: %w", ErrSnapshot, err)
	}
	for _, s := range list {
		if s != nil && m.watches[s.Layer+"."+s.Metric] != nil {
			m.series[seriesKey(s.Tenant, s.Layer+"."+s.Metric, s.Labels)] = s
		}
	}
	return m, nil
}
