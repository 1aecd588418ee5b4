package main

import (
	"cmp"
	"embed"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/internal/table"
)

// The embedded sample: four alerts within half a minute, of which one rule makes one.
//
//go:embed testdata/sample
var sample embed.FS

// inputs are the rules and what happened.
type inputs struct {
	program.Inputs
	*options

	rules   config.RuleSet
	other   config.RuleSet // of -against
	engine  correlation.Options
	now     time.Time
	zone    *time.Location
	earlier []byte // state to go on from; nil: none
	tests   []replay.Scenario
}

// load reads all files.
func (o *options) load(env *program.Env) (*inputs, error) {
	in := &inputs{Inputs: program.NewInputs(sample, env.Config == ""), options: o, now: env.Now, zone: env.Zone}
	var err error
	if in.rules, err = read(in, "config", cmp.Or(env.Config, "rules.yaml"), config.ParseRules); err != nil {
		return nil, program.Exit(program.Usage, err)
	}
	in.engine = correlation.Options{Settle: in.rules.Settle, StrictSilence: in.rules.StrictSilence}
	topology := correlation.Topology{EntityLabel: in.rules.EntityLabel}
	if o.topology != "" {
		var file correlation.Topology
		if file, err = read(in, "topology", o.topology, config.ParseTopology); err != nil {
			return nil, program.Exit(program.Usage, err)
		}
		file.EntityLabel = cmp.Or(file.EntityLabel, topology.EntityLabel)
		topology = file
	}
	in.engine.Topology = &topology
	if o.test != "" {
		in.tests, err = read(in, "test", o.test, config.ParseScenarios)
		return in, program.Exit(program.Usage, err)
	}
	if o.against != "" {
		if in.other, err = read(in, "against", o.against, config.ParseRules); err != nil {
			return nil, program.Exit(program.Usage, err)
		}
	}
	if o.state != "" {
		in.earlier, err = os.ReadFile(o.state) // our own, and as large as what it says
		if errors.Is(err, fs.ErrNotExist) {
			in.earlier, err = nil, nil
		}
	}
	return in, program.Exit(program.Input, err)
}

// read reads one of the YAML files.
func read[T any](in *inputs, flag, name string, reader func(name string, data []byte) (T, *config.Document, error)) (T, error) {
	shown, data, err := in.Read(flag, name)
	if err != nil {
		var none T
		return none, err
	}
	v, document, err := reader(shown, data)
	in.Note(document)
	return v, err
}

// events reads the one log that there is.
func (in *inputs) events(begin func() (evidence.Take, error)) (err error) {
	var r evidence.Result
	open, name := in.opened(cmp.Or(in.webhooks, in.checks, in.metrics, in.alerts, "alerts.jsonl"))
	switch {
	case in.webhooks != "":
		r, err = evidence.Webhooks(open, name, begin)
	case in.checks != "":
		r, err = evidence.CheckAlerts(open, name, begin)
	case in.metrics != "":
		r, err = in.measure(open, name, begin)
	default:
		r, err = evidence.Alerts(open, name, begin)
	}
	in.Sources = append(in.Sources, r.Sources...)
	in.Notices = append(in.Notices, r.Notices...)
	return err
}

// opened says how the log is opened, - for stdin, and what it is called.
func (in *inputs) opened(name string) (open func(name string) (io.ReadCloser, error), shown string) {
	if name != "-" || in.Sample {
		return in.Open, name
	}
	return func(string) (io.ReadCloser, error) { return os.Stdin, nil }, "stdin"
}

// reading is a value of one metric in few bytes.
type reading struct {
	second          int64 // of Unix time
	nanosecond      uint32
	service, metric uint32
	value           float64
}

// measure lets the thresholds watch a table of metrics. A row is a measurement of
// each metric of which it has a value.
func (in *inputs) measure(open func(name string) (io.ReadCloser, error), name string, begin func() (evidence.Take, error)) (evidence.Result, error) {
	layers := map[string]*correlation.Layer{}
	var metrics []string
	of := map[string][]string{} // layers by metric
	for _, t := range in.rules.Thresholds {
		l := layers[t.Layer]
		if l == nil {
			l = &correlation.Layer{Name: t.Layer}
			layers[t.Layer] = l
		}
		var signals []string
		for _, alert := range t.Alerts {
			signals = append(signals, alert[len(t.Layer)+1:])
		}
		l.Thresholds = append(l.Thresholds, correlation.LayerThreshold{Metric: t.Metric, Condition: t.Condition.String(), Signals: signals})
		if !slices.Contains(metrics, t.Metric) {
			metrics = append(metrics, t.Metric)
		}
		of[t.Metric] = append(of[t.Metric], t.Layer)
	}
	if len(metrics) == 0 {
		return evidence.Result{}, errors.New("-metrics: the rules have no thresholds")
	}
	var list []correlation.Layer
	for _, name := range slices.Sorted(maps.Keys(layers)) {
		list = append(list, *layers[name])
	}
	monitor, err := correlation.NewMonitor(list, correlation.MonitorOptions{})
	if err != nil {
		return evidence.Result{}, err
	}
	var all []reading
	var services evidence.Numbers
	r, err := evidence.Table(open, name, []string{"time", "service"}, metrics, func(t *table.Table) {
		at, service := t.RequiredTime("time"), services.Of(t.Required("service"))
		for n, metric := range metrics {
			if value, ok := t.Number(metric); ok {
				all = append(all, reading{at.Unix(), uint32(at.Nanosecond()), service, uint32(n), value})
			}
		}
	})
	if err != nil {
		return r, err
	}
	take, err := begin()
	if err != nil {
		return r, err
	}
	slices.SortStableFunc(all, func(a, b reading) int {
		return cmp.Or(cmp.Compare(a.second, b.second), cmp.Compare(a.nanosecond, b.nanosecond))
	})
	for _, x := range all {
		metric, at := metrics[x.metric], time.Unix(x.second, int64(x.nanosecond)).UTC()
		for _, layer := range of[metric] {
			m := correlation.Measurement{Layer: layer, Metric: metric, Labels: map[string]string{"service": services.Texts[x.service]}, Time: at, Value: x.value}
			events, err := monitor.Observe(m)
			if err != nil {
				return r, err
			}
			for _, e := range append(monitor.Step(at), events...) {
				if err := take(evidence.Arrived(at, e)); err != nil {
					return r, err
				}
			}
		}
	}
	return r, nil
}
