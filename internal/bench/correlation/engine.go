package main

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// engine are compiled rules and the alarms of six days of a network.
func (b *bench) engine() error {
	if err := b.pairs(
		measure.Pair{
			Name: "correlation/compile_10000_rules", Peer: "goal", Bar: 1, Ops: 10_000, Goal: 20 * time.Microsecond,
			Setup: func() (func(), func(), error) { return compile(10_000), nil, nil },
		},
		measure.Pair{
			Name: "correlation/compile_growth", Peer: "ours, 10 times 1,000 rules", Bar: 0.5, Ops: 10_000,
			Setup: func() (func(), func(), error) {
				small := compile(1000)
				return compile(10_000), func() {
					for range 10 {
						small()
					}
				}, nil
			},
		},
	); err != nil {
		return err
	}
	const name = "correlation/alarm_replay"
	if !b.wants(name) {
		return nil
	}
	rules, o, events, err := alarms()
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "bench: without the alarms:", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return b.pairs(measure.Pair{
		Name: name, Peer: "goal", Bar: 1, Ops: len(events), Goal: time.Microsecond,
		Setup: func() (func(), func(), error) { return replay(rules, o, events), nil, nil },
	})
}

// growth takes more alerts in.
func (b *bench) growth() error {
	return b.pairs(measure.Growth("correlation/ingest", "alerts", 1000, ingestGrowth)...)
}

func compile(rules int) func() {
	list := make([]correlation.Rule, rules)
	for k := range list {
		list[k] = correlation.Rule{
			Name:  fmt.Sprintf("r%d", k),
			Logic: fmt.Sprintf(`IF infrastructure.a%d AND platform.b%d THEN suppress application.* WHERE pool="p%d" CREATE composite_alert: "x"`, k, k, k),
		}
	}
	return func() { must(correlation.New(list, correlation.Options{})) }
}

// alarms are the rows of a published set and its causal graph as rules: an alarm hides those that it causes on the same device
// and next to it. A row lasts five minutes at least, and a later one cannot shorten it.
func alarms() ([]correlation.Rule, correlation.Options, []correlation.Event, error) {
	topology := &correlation.Topology{EntityLabel: "device"}
	var rules []correlation.Rule
	var events []correlation.Event
	until := map[[2]string]int{}
	last, ties := -1, 0
	err := errors.Join(
		table("dag.csv", func(r []string) error {
			rules = append(rules, correlation.Rule{
				Name: r[0] + "-" + r[1], Logic: fmt.Sprintf("IF alarm.a%s AS s THEN suppress alarm.a%s WHERE near(s, 1)", r[0], r[1]),
			})
			return nil
		}),
		table("topology.csv", func(r []string) error {
			topology.Edges = append(topology.Edges, correlation.Edge{Dependent: r[0], Dependency: r[1]})
			return nil
		}),
		table("alarms.csv.gz", func(r []string) error {
			start, err := strconv.Atoi(r[2])
			if err != nil {
				return err
			}
			end, err := strconv.Atoi(r[3])
			if err != nil {
				return err
			}
			if start == last {
				ties++ // rows of one second arrive one after the other
			} else {
				last, ties = start, 1
			}
			id := [2]string{r[0], r[1]}
			until[id] = max(until[id], end, start+300)
			events = append(events, correlation.Event{
				Alert: "alarm.a" + r[0], Labels: map[string]string{"device": r[1]}, Status: correlation.Firing,
				Time: time.Unix(int64(start), int64(ties)).UTC(), Ends: time.Unix(int64(until[id])+1, 0), // until is inclusive, Ends is not
			})
			return nil
		}),
	)
	return rules, correlation.Options{Topology: topology}, events, err
}

// table reads a file of the set, without its head.
func table(name string, row func([]string) error) error {
	f, err := os.Open(testutil.Shared("data", "correlation", "alarms-24v-439n", name))
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	if filepath.Ext(name) == ".gz" {
		z, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		r = csv.NewReader(z)
	}
	rows, err := r.ReadAll()
	if err != nil {
		return err
	}
	for _, r := range rows[1:] {
		if err := row(r); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// replay applies the rows one by one. The counts come with the data.
func replay(rules []correlation.Rule, o correlation.Options, events []correlation.Event) func() {
	return func() {
		e := must(correlation.New(rules, o))
		told := 0
		var list []correlation.Transition // one for all, as what replays a log has it
		for i := range events {
			list = must(e.Append(list[:0], events[i].Time, events[i]))
			for n := range list {
				if t := &list[n]; t.Kind == correlation.Notify && t.At.Equal(events[i].Time) && t.Alert.Name == events[i].Alert && t.Alert.Labels.Get("device") == events[i].Labels["device"] {
					told++
				}
			}
		}
		if told != 18_057 || e.Stats().Refreshes != 34_441 {
			panic(fmt.Sprintf("%d rows told and %d again, want 18057 and 34441", told, e.Stats().Refreshes))
		}
	}
}

// size is a line of memory.
type size struct {
	Name    string  `json:"name"`
	Ours    float64 `json:"ours_bytes"`
	Peer    string  `json:"peer"`
	Goal    float64 `json:"peer_bytes"`
	Ratio   float64 `json:"ratio"`
	Bar     float64 `json:"bar"`
	Verdict string  `json:"verdict"`
}

func (b *bench) size(name string, ours, goal float64) error {
	if !b.wants(name) {
		return nil
	}
	s := size{Name: name, Ours: math.Round(ours), Peer: "goal", Goal: goal, Ratio: math.Round(goal/ours*1000) / 1000, Bar: 1, Verdict: "met"}
	if ours > goal {
		s.Verdict = "missed"
	}
	return b.out.Encode(s)
}

// memory is the heap that one of 100,000 active alerts takes, each of which is a source of every rule. The texts are the
// caller's and let go.
func (b *bench) memory(name string, rules int, goal float64) error {
	list := make([]correlation.Rule, rules)
	for k := range list {
		list[k] = correlation.Rule{Name: fmt.Sprintf("r%d", k), By: []string{"cluster"}, Logic: fmt.Sprintf(`IF node.down WHERE job="node" THEN suppress node.slow%d`, k)}
	}
	const alerts = 100_000
	before := heap()
	e := must(correlation.New(list, correlation.Options{}))
	for i := range alerts {
		must(e.Apply(start, downOf("", i)))
	}
	bytes := float64(heap() - before)
	runtime.KeepAlive(e)
	return b.size(name, bytes/alerts, goal)
}

// downOf says that node i is down. The cluster has 250 of them.
func downOf(tenant string, i int) correlation.Event {
	return correlation.Event{
		Tenant: tenant, Alert: "node.down", Labels: with(labelsOf("down", "critical", i), "cluster", fmt.Sprintf("c%d", i/250)),
		Status: correlation.Firing, Time: start,
	}
}

const (
	million = 1_000_000
	tenants = 5000
)

// crowd is a million active alerts of 5,000 tenants under 1,000 rules, of which one matches.
func crowd() (*correlation.Engine, []correlation.Rule) {
	rules := make([]correlation.Rule, 1000)
	for k := range rules {
		source := "node.down"
		if k > 0 {
			source = fmt.Sprintf("node.other%d", k)
		}
		rules[k] = correlation.Rule{Name: fmt.Sprintf("r%d", k), By: []string{"cluster"}, Logic: fmt.Sprintf(`IF %s WHERE job="node" THEN suppress node.slow%d`, source, k)}
	}
	e := must(correlation.New(rules, correlation.Options{}))
	for i := range million {
		must(e.Apply(start, crowdEvent(i)))
	}
	return e, rules
}

func crowdEvent(i int) correlation.Event { return downOf(fmt.Sprintf("t%d", i%tenants), i) }

// million is the heap of the crowd, and what Apply takes for the ninety-ninth of a hundred events: nine of ten come again, the
// others end an alert or start it again.
func (b *bench) million() error {
	before := heap()
	e, _ := crowd()
	if err := b.size("correlation/million_memory", float64(heap()-before), 600e6); err != nil {
		return err
	}
	const name, events = "correlation/million_apply_p99", 100_000
	if !b.wants(name) {
		return nil
	}
	list := make([]correlation.Event, events)
	for k := range list {
		list[k] = crowdEvent(k / 2 * 2 * 7919 % million)
		list[k].Time = start.Add(time.Duration(k+1) * time.Millisecond)
		if k%20 == 10 {
			list[k].Status = correlation.Resolved
		}
	}
	took := make([]float64, events)
	for k := range list {
		before := measure.ProcessorTime()
		must(e.Apply(list[k].Time, list[k]))
		took[k] = float64(measure.ProcessorTime() - before)
	}
	slices.Sort(took)
	r := measure.Result{Name: name, OursNS: took[events*99/100]}
	return b.out.Encode(r.Against(name, 20*time.Microsecond))
}

// restore reads a million alerts back.
func (b *bench) restore() error {
	e, rules := crowd()
	data, err := e.Snapshot()
	if err != nil {
		return err
	}
	return b.pairs(measure.Pair{
		Name: "correlation/million_restore", Peer: "goal", Bar: 1, Goal: 3 * time.Second, Fresh: true,
		Setup: func() (func(), func(), error) {
			return func() { must(correlation.Restore(rules, correlation.Options{}, data)) }, nil, nil
		},
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
