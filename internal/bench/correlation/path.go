package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"slices"
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
	"github.com/evenkeelops/evenkeel/correlation/group"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/correlation/route"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

const (
	pathAlerts = 20_000
	pathRules  = 100
	pathGroups = pathRules * 97
	// pathBatch is how many alerts come at once on both sides: as many as Prometheus puts into one request at most, if it is not
	// told otherwise. A server hands a request on as it is, to Put of the peer's provider or to Apply.
	pathBatch = 256
)

var groupBy = []string{"alertname", "cluster", "namespace"}

// path is all that happens to an alert before somebody is told: it is stored, held against 100 rules, and put into one of 9,700
// groups. Ours is the engine, or the mode for the peer's rules, each with package group behind it. Every round of a side is a
// process of its own, in turn: a collection of garbage looks at all that a process holds, which here would be the alerts of
// both sides.
func (b *bench) path() error {
	for _, own := range []string{"engine", "inhibit"} {
		r := measure.Result{Name: "correlation/path_" + own, Peer: peer + " provider, inhibitor and dispatcher", Bar: 10}
		if !b.wants(r.Name) {
			continue
		}
		var ours, theirs, ratios, allocs []float64
		for range pathRounds {
			o, err := roundOf(own)
			if err != nil {
				return fmt.Errorf("%s: %w", r.Name, err)
			}
			t, err := roundOf("peer")
			if err != nil {
				return fmt.Errorf("%s: %w", r.Name, err)
			}
			ours, theirs, ratios, allocs = append(ours, o.NS), append(theirs, t.NS), append(ratios, t.NS/o.NS), append(allocs, o.Allocs)
		}
		r.OursNS, r.PeerNS, r.Ratio, r.OursAllocs = median(ours), median(theirs), median(ratios), median(allocs)
		r.Judge(false)
		if err := b.out.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

const pathRounds = 7

// sides of the path, by the name that a process gets for one.
var sides = map[string]func([]map[string]string) (run, stop func(), err error){"engine": pathEngine, "inhibit": pathInhibit, "peer": pathTheirs}

// round is what a side took for an alert.
type round struct {
	NS     float64 `json:"ns"`
	Allocs float64 `json:"allocs"`
}

// pathEnv holds the side that a process is for.
const pathEnv = "EVENKEEL_BENCH_PATH"

// roundOf runs a side once in a process of its own.
func roundOf(side string) (r round, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(context.Background(), self)
	cmd.Env, cmd.Stderr = append(os.Environ(), pathEnv+"="+side), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(out, &r)
}

// pathAlone is the process of a side.
func (b *bench) pathAlone(side string) error {
	make, ok := sides[side]
	if !ok {
		return fmt.Errorf("%s=%s: no such side", pathEnv, side)
	}
	var took time.Duration
	var allocs uint64
	for range 2 { // the first pays for memory that the system hands out page by page
		run, stop, err := make(many(pathAlerts, func(i int) map[string]string {
			return with(labelsOf(fmt.Sprintf("Src%d", i%pathRules), "critical", i), "cluster", fmt.Sprintf("c%d", i%97))
		}))
		if err != nil {
			return err
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := measure.ProcessorTime()
		run()
		took = measure.ProcessorTime() - start
		runtime.ReadMemStats(&after)
		allocs = after.Mallocs - before.Mallocs
		stop()
	}
	return b.out.Encode(round{float64(took) / pathAlerts, float64(allocs) / pathAlerts})
}

// grouper makes the groups of the peer's route.
func grouper() *group.Grouper {
	return must(group.New(must(route.New(route.Node{Receiver: "all", GroupBy: groupBy})), group.Options{}))
}

// pathEngine groups what the engine says people are to be told.
func pathEngine(alerts []map[string]string) (run, stop func(), err error) {
	e, err := correlation.New(engineRulesOf(pathRules), correlation.Options{})
	g, events := grouper(), eventsOf(alerts, start)
	return func() {
		var told []correlation.Transition
		for batch := range slices.Chunk(events, pathBatch) {
			told = must(e.Refill(told, start, batch...))
			must(g.Apply(start, told...))
		}
		grouped(g)
	}, func() {}, err
}

// pathInhibit groups all alerts, as the peer's dispatcher does. A map is read once, for both packages. Whether one is muted both
// sides ask when they tell of a group; here once, of the last alert.
func pathInhibit(alerts []map[string]string) (run, stop func(), err error) {
	in, err := inhibit.New(rulesOf(pathRules))
	g, ends, target := grouper(), start.Add(time.Hour), targetOf(alerts)
	return func() {
		held, told := make([]inhibit.Alert, pathBatch), make([]correlation.Transition, pathBatch)
		for batch := range slices.Chunk(alerts, pathBatch) {
			for i, labels := range batch {
				list := correlation.AppendLabels(told[i].Alert.Labels[:0], labels)
				held[i] = inhibit.Alert{List: list, Ends: ends}
				told[i] = correlation.Transition{At: start, Kind: correlation.Notify, Alert: correlation.Alert{
					Name: list.Get(correlation.NameLabel), Labels: list, Active: true,
				}}
			}
			check(in.Apply(start, held[:len(batch)]...))
			must(g.Apply(start, told[:len(batch)]...))
		}
		if _, muted := in.Mutes(target); !muted {
			panic("what the last alert mutes is not muted")
		}
		grouped(g)
	}, func() {}, err
}

// targetOf is an alert that the last one mutes.
func targetOf(alerts []map[string]string) map[string]string {
	last := alerts[len(alerts)-1]
	return with(labelsOf(fmt.Sprintf("Dst%d", (len(alerts)-1)%pathRules), "warning", 0), "cluster", last["cluster"], "namespace", last["namespace"])
}

// grouped checks that all alerts are in groups, of which there are as many as the peer makes.
func grouped(g *group.Grouper) {
	if n := g.Stats(); n.Alerts != pathAlerts || n.Groups != pathGroups {
		panic(fmt.Sprintf("%d alerts in %d groups, want %d in %d", n.Alerts, n.Groups, pathAlerts, pathGroups))
	}
}

// pathTheirs is done when the dispatcher has put all alerts into groups and the inhibitor has met the last one.
func pathTheirs(alerts []map[string]string) (run, stop func(), err error) {
	ctx := context.Background()
	store, err := mem.NewAlerts(ctx, time.Hour, 0, nil, silent, eventrecorder.NopRecorder(), prometheus.NewRegistry(), nil)
	if err != nil {
		return nil, nil, err
	}
	ih, err := theirs(rulesOf(pathRules), store)
	if err != nil {
		return nil, nil, err
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
	target := labelSet(targetOf(alerts))
	return func() {
			for batch := range slices.Chunk(list, pathBatch) {
				check(store.Put(ctx, batch...))
			}
			for !ih.Mutes(ctx, target) {
				time.Sleep(time.Millisecond)
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
