package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

const (
	pathAlerts = 20_000
	pathRules  = 100
	pathGroups = pathRules * 97
)

var groupBy = []string{"alertname", "cluster", "namespace"}

// path is all that happens to an alert before somebody is told: it is stored, held against 100 rules, and put into one of 9,700
// groups. Ours is the engine, or the mode for the peer's rules.
func (b *bench) path() error {
	stop := func() {}
	defer func() { stop() }()
	for _, side := range []struct {
		name string
		make func([]map[string]string) (func(), error)
	}{{"engine", pathEngine}, {"inhibit", pathInhibit}} {
		if err := b.pairs(measure.Pair{
			Name: "correlation/path_" + side.name, Peer: peer + " provider, inhibitor and dispatcher", Bar: 10, Ops: pathAlerts, Fresh: true,
			Setup: func() (func(), func(), error) {
				alerts := many(pathAlerts, func(i int) map[string]string {
					return with(labelsOf(fmt.Sprintf("Src%d", i%pathRules), "critical", i), "cluster", fmt.Sprintf("c%d", i%97))
				})
				own, err := side.make(alerts)
				if err != nil {
					return nil, nil, err
				}
				stop()
				var other func()
				other, stop, err = pathTheirs(alerts)
				return own, other, err
			},
		}); err != nil {
			return err
		}
	}
	return nil
}

// pathEngine groups what the engine says people are to be told.
func pathEngine(alerts []map[string]string) (func(), error) {
	e, err := correlation.New(engineRulesOf(pathRules), correlation.Options{})
	events := eventsOf(alerts, start)
	return func() {
		g := grouping[correlation.Alert]{}
		for i := range events {
			for _, t := range must(e.Apply(start, events[i])) {
				if t.Kind == correlation.Notify {
					g.add(t.Alert.Labels.Get, t.Alert)
				}
			}
		}
		g.check(len(alerts))
	}, err
}

// pathInhibit groups what is not muted when it comes.
func pathInhibit(alerts []map[string]string) (func(), error) {
	in, err := inhibit.New(rulesOf(pathRules))
	return func() {
		g := grouping[map[string]string]{}
		for _, labels := range alerts {
			check(in.Apply(start, inhibit.Alert{Labels: labels, Ends: start.Add(time.Hour)}))
			if _, muted := in.Mutes(labels); !muted {
				g.add(func(name string) string { return labels[name] }, labels)
			}
		}
		g.check(len(alerts))
	}, err
}

// grouping is the plainest there is: lists by the values of the labels.
type grouping[T any] struct {
	groups map[string][]T
	key    []byte
}

func (g *grouping[T]) add(get func(string) string, x T) {
	if g.groups == nil {
		g.groups = map[string][]T{}
	}
	g.key = g.key[:0]
	for _, name := range groupBy {
		v := get(name)
		g.key = append(binary.AppendUvarint(g.key, uint64(len(v))), v...)
	}
	g.groups[string(g.key)] = append(g.groups[string(g.key)], x)
}

func (g *grouping[T]) check(alerts int) {
	n := 0
	for _, list := range g.groups {
		n += len(list)
	}
	if n != alerts || len(g.groups) != pathGroups {
		panic(fmt.Sprintf("%d alerts in %d groups, want %d in %d", n, len(g.groups), alerts, pathGroups))
	}
}

// pathTheirs is done when the dispatcher has put all alerts into groups and the inhibitor has met the last one.
func pathTheirs(alerts []map[string]string) (run, stop func(), err error) {
	ctx := context.Background()
	store, err := mem.NewAlerts(ctx, time.Hour, 0, nil, silent, eventrecorder.NopRecorder(), prometheus.NewRegistry(), nil)
	if err != nil {
		return nil, func() {}, err
	}
	ih, err := theirs(rulesOf(pathRules), store)
	if err != nil {
		return nil, store.Close, err
	}
	route := &dispatch.Route{RouteOpts: dispatch.RouteOpts{
		Receiver: "all", GroupBy: map[model.LabelName]struct{}{}, GroupWait: 30 * time.Second, GroupInterval: 5 * time.Minute, RepeatInterval: 4 * time.Hour,
	}}
	for _, name := range groupBy {
		route.RouteOpts.GroupBy[model.LabelName(name)] = struct{}{}
	}
	nothing := notify.StageFunc(func(ctx context.Context, _ *slog.Logger, _ ...*alert.Alert) (context.Context, []*alert.Alert, error) {
		return ctx, nil, nil
	})
	counted := counters{prometheus.NewRegistry()}
	d := dispatch.NewDispatcher(store, route, nothing, marker.NewGroupMarker(), nil, time.Hour, nil, silent, eventrecorder.NopRecorder(),
		dispatch.NewDispatcherMetrics(false, counted, nil), nil)
	go d.Run(time.Now())
	d.WaitForLoading()
	list := make([]*alert.Alert, len(alerts))
	for i, labels := range alerts {
		list[i] = &alert.Alert{Alert: model.Alert{Labels: labelSet(labels), StartsAt: time.Now(), EndsAt: time.Now().Add(time.Hour)}, UpdatedAt: time.Now()}
	}
	last := alerts[len(alerts)-1]
	target := labelSet(with(labelsOf(fmt.Sprintf("Dst%d", (len(alerts)-1)%pathRules), "warning", 0), "cluster", last["cluster"], "namespace", last["namespace"]))
	return func() {
			for _, a := range list {
				check(store.Put(ctx, a))
			}
			for !ih.Mutes(ctx, target) {
				runtime.Gosched()
			}
			for {
				alerts, groups := counted.read()
				if alerts == pathAlerts {
					if groups != pathGroups {
						panic(fmt.Sprintf("%v groups of the peer, want %d", groups, pathGroups))
					}
					return
				}
				time.Sleep(time.Millisecond)
			}
		}, func() {
			ih.Stop()
			d.Stop()
			store.Close()
		}, nil
}

// counters hold the figures of a dispatcher but that of the alerts by state, which looks at all of them when it is read.
type counters struct{ *prometheus.Registry }

// MustRegister registers what is a single figure.
func (c counters) MustRegister(list ...prometheus.Collector) {
	for _, x := range list {
		if _, ok := x.(prometheus.Metric); ok {
			c.Registry.MustRegister(x)
		}
	}
}

// read returns how many alerts have been put into groups, and how many groups there are.
func (c counters) read() (alerts uint64, groups float64) {
	for _, family := range must(c.Gather()) {
		switch m := family.GetMetric()[0]; family.GetName() {
		case "alertmanager_dispatcher_alert_processing_duration_seconds":
			alerts = m.GetSummary().GetSampleCount()
		case "alertmanager_dispatcher_aggregation_groups":
			groups = m.GetGauge().GetValue()
		}
	}
	return alerts, groups
}
