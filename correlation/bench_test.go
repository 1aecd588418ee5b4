package correlation_test

import (
	"fmt"
	"maps"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// storm is what n machines send within a minute of a failing network: per
// machine one cause and two consequences, interleaved.
func storm(n int) []correlation.Event {
	events := make([]correlation.Event, 0, 3*n)
	for i := range n {
		labels := node(i)
		for k, name := range []string{"infrastructure.node_down", "platform.db_slow", "application.slow_response"} {
			events = append(events, correlation.Event{
				Alert: name, Labels: labels, Status: correlation.Firing,
				Time: start.Add(time.Duration(3*i+k) * time.Minute / time.Duration(3*n)),
			})
		}
	}
	return events
}

var stormRules = map[string][]correlation.Rule{
	// One instance for all.
	"wide": {{Name: "wide", Logic: `IF infrastructure.node_down THEN suppress platform.* AND application.* CREATE composite_alert: "x"`}},
	// One instance per machine.
	"by": {{Name: "by", By: []string{"host"}, Logic: `IF infrastructure.node_down THEN suppress platform.* AND application.* CREATE composite_alert: "x"`}},
	// A chain without composites: all but the first link hangs on the one before.
	"chain": {
		{Name: "a", By: []string{"host"}, Logic: `IF infrastructure.node_down THEN suppress platform.*`},
		{Name: "b", By: []string{"host"}, Logic: `IF platform.db_slow THEN suppress application.*`},
	},
	// Alerts that are cause and consequence at once: one is let go.
	"mutual": {{Name: "mutual", Logic: `IF *.* WHERE env="prod" THEN suppress *.* WHERE job="node"`}},
	"within": {{Name: "within", Within: 2 * time.Minute, Logic: `IF COUNT(infrastructure.node_down) >= 3 THEN suppress platform.* CREATE composite_alert: "x"`}},
	"join":   {{Name: "join", Logic: `IF infrastructure.node_down AS d THEN suppress platform.* WHERE host=d.host CREATE composite_alert: "x"`}},
}

// Time per event must stay about the same from 1x to 100x.
func BenchmarkStorm(b *testing.B) {
	for _, name := range []string{"wide", "by", "chain", "mutual", "within", "join"} {
		for _, n := range []int{100, 1000, 10_000} {
			b.Run(fmt.Sprintf("%s/alerts=%d", name, 3*n), func(b *testing.B) {
				events := storm(n)
				b.ReportAllocs()
				cpu := cpuTime()
				for b.Loop() {
					e, err := correlation.New(stormRules[name], correlation.Options{})
					if err != nil {
						b.Fatal(err)
					}
					for k := range events {
						if _, err := e.Apply(events[k].Time, events[k]); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N*len(events)), "cpu-ns/event")
			})
		}
	}
}

// One composite over all alerts, half of them its evidence and half hidden by it: it opens,
// is listed, lingers and closes. Time per alert must grow little from 1x to 100x.
func BenchmarkComposite(b *testing.B) {
	rules := []correlation.Rule{{
		Name: "wide", Linger: time.Minute,
		Logic: `IF infrastructure.node_down AS d THEN suppress platform.* CREATE composite_alert: "{{d.rack}} is down"`,
	}}
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("alerts=%d", n), func(b *testing.B) {
			var begin, end []correlation.Event
			for i := range n {
				ev := correlation.Event{Alert: "infrastructure.node_down", Labels: node(i / 2), Status: correlation.Firing, Time: start}
				if i%2 == 1 {
					ev.Alert = "platform.db_slow"
				}
				begin = append(begin, ev)
				ev.Status, ev.Time = correlation.Resolved, start.Add(time.Minute)
				end = append(end, ev)
			}
			b.ReportAllocs()
			cpu := cpuTime()
			for b.Loop() {
				e, err := correlation.New(rules, correlation.Options{})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := e.Apply(start, begin...); err != nil {
					b.Fatal(err)
				}
				if list := e.Composites(); len(list) != 1 || len(list[0].Evidence) != n/2 || len(list[0].Suppressed) != n/2 {
					b.Fatalf("%d composites, want one with half of the alerts on each side", len(list))
				}
				if _, err := e.Apply(start.Add(time.Minute), end...); err != nil {
					b.Fatal(err)
				}
				if _, err := e.Step(start.Add(3 * time.Minute)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N*n), "cpu-ns/alert")
		})
	}
}

// Refreshes are most of the traffic in real life.
func BenchmarkRefresh(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("alerts=%d", n), func(b *testing.B) {
			e, err := correlation.New(stormRules["by"], correlation.Options{})
			if err != nil {
				b.Fatal(err)
			}
			events := storm(n / 3)
			at := start.Add(time.Hour)
			if _, err := e.Apply(at, events...); err != nil {
				b.Fatal(err)
			}
			k := 0
			b.ReportAllocs()
			for b.Loop() {
				at = at.Add(time.Microsecond)
				ev := events[k%len(events)]
				ev.Time = at
				if _, err := e.Apply(at, ev); err != nil {
					b.Fatal(err)
				}
				k++
			}
		})
	}
}

// Ingest must not depend on the number of rules that do not concern an alert.
func BenchmarkIngest(b *testing.B) {
	for _, m := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("rules=%d", m), func(b *testing.B) {
			var rules []correlation.Rule
			for k := range m {
				rules = append(rules, correlation.Rule{
					Name: fmt.Sprintf("r%d", k), By: []string{"cluster"},
					Logic: fmt.Sprintf(`IF infrastructure.node_down WHERE pool="p%d" THEN suppress platform.* WHERE pool="p%d"`, k, k),
				})
			}
			events := storm(1000)
			for k := range events {
				labels := map[string]string{"pool": fmt.Sprintf("p%d", k%m)}
				maps.Copy(labels, events[k].Labels)
				events[k].Labels = labels
			}
			made, err := correlation.New(rules, correlation.Options{})
			if err != nil {
				b.Fatal(err)
			}
			at, round := start, 0
			b.ReportAllocs()
			cpu := cpuTime()
			for b.Loop() {
				round++
				for k := range events {
					ev := events[k]
					ev.Tenant = strconv.Itoa(round % 4)
					at = at.Add(time.Microsecond)
					ev.Time = at
					ev.Status = correlation.Status(1 + (round/4)%2)
					if _, err := made.Apply(at, ev); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N*len(events)), "cpu-ns/event")
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for _, m := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("rules=%d", m), func(b *testing.B) {
			var rules []correlation.Rule
			for k := range m {
				rules = append(rules, correlation.Rule{
					Name:  fmt.Sprintf("r%d", k),
					Logic: fmt.Sprintf(`IF infrastructure.a%d AND platform.b%d THEN suppress application.* WHERE pool="p%d" CREATE composite_alert: "x"`, k, k, k),
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := correlation.New(rules, correlation.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*m), "ns/rule")
		})
	}
}

func BenchmarkSnapshot(b *testing.B) {
	e, err := correlation.New(stormRules["by"], correlation.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := e.Apply(start.Add(time.Hour), storm(10_000)...); err != nil {
		b.Fatal(err)
	}
	data := snapshot(b, e)
	b.Run("take", func(b *testing.B) {
		for b.Loop() {
			snapshot(b, e)
		}
	})
	b.Run("restore", func(b *testing.B) {
		for b.Loop() {
			if _, err := correlation.Restore(stormRules["by"], correlation.Options{}, data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportMetric(float64(len(data))/30_000, "bytes/alert")
}

// Memory of active alerts with eight labels, of which the engine keeps no text of the
// caller's: the rules match all of them, with an instance for 250 alerts, or for each.
func BenchmarkMemory(b *testing.B) {
	for _, shape := range []struct {
		rules, alerts, tenants int
		by                     string
	}{{1, 100_000, 1, "cluster"}, {10, 100_000, 1, "cluster"}, {1, 100_000, 1, "host"}, {1000, 1_000_000, 5000, "cluster"}} {
		b.Run(fmt.Sprintf("alerts=%d/tenants=%d/rules=%d/by=%s", shape.alerts, shape.tenants, shape.rules, shape.by), func(b *testing.B) {
			var rules []correlation.Rule
			for k := range shape.rules {
				source := "infrastructure.node_down"
				if k >= 10 { // the others match nothing
					source = fmt.Sprintf("platform.other%d", k)
				}
				rules = append(rules, correlation.Rule{
					Name: fmt.Sprintf("r%d", k), By: []string{shape.by},
					Logic: fmt.Sprintf(`IF %s WHERE env="prod" THEN suppress application.slow%d`, source, k),
				})
			}
			if shape.rules > 10 {
				rules = append(rules[:1:1], rules[10:]...)
			}
			for b.Loop() {
				before := heap()
				e, err := correlation.New(rules, correlation.Options{})
				if err != nil {
					b.Fatal(err)
				}
				for i := range shape.alerts {
					at := start.Add(time.Duration(i) * time.Microsecond)
					ev := correlation.Event{Tenant: fmt.Sprintf("t%d", i%shape.tenants), Alert: "infrastructure.node_down", Labels: node(i), Status: correlation.Firing, Time: at}
					if _, err := e.Apply(at, ev); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(heap()-before)/float64(shape.alerts), "heap-B/alert")
				runtime.KeepAlive(e)
			}
		})
	}
}

// node is the labels of one machine.
func node(i int) map[string]string {
	return map[string]string{
		"host": fmt.Sprintf("h%d", i), "service": fmt.Sprintf("s%d", i%97), "region": fmt.Sprintf("r%d", i%7), "cluster": fmt.Sprintf("c%d", i/250),
		"instance": fmt.Sprintf("10.0.%d.%d:9100", i/250, i%250), "job": "node", "team": fmt.Sprintf("t%d", i%31), "env": "prod",
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A million alerts of 5,000 tenants come back after a restart.
func BenchmarkRestore(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("alerts=%d", n), func(b *testing.B) {
			e, err := correlation.New(stormRules["wide"], correlation.Options{})
			if err != nil {
				b.Fatal(err)
			}
			for i := range n {
				at := start.Add(time.Duration(i) * time.Microsecond)
				ev := correlation.Event{Tenant: fmt.Sprintf("t%d", i%(n/200)), Alert: "infrastructure.node_down", Labels: node(i), Status: correlation.Firing, Time: at}
				if _, err := e.Apply(at, ev); err != nil {
					b.Fatal(err)
				}
			}
			data := snapshot(b, e)
			cpu := cpuTime()
			for b.Loop() {
				if _, err := correlation.Restore(stormRules["wide"], correlation.Options{}, data); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N*n), "cpu-ns/alert")
			b.ReportMetric(float64(len(data))/float64(n), "bytes/alert")
		})
	}
}

// Storms in which the causes are silenced, so that rules hide nothing or let another go.
func BenchmarkStrictSilence(b *testing.B) {
	for _, name := range []string{"bare", "wide", "chain", "mutual"} {
		rules := stormRules[name]
		if name == "bare" {
			rules = []correlation.Rule{{Name: "bare", Logic: `IF infrastructure.node_down THEN suppress platform.* AND application.*`}}
		}
		for _, n := range []int{100, 1000, 10_000} {
			b.Run(fmt.Sprintf("%s/alerts=%d", name, 3*n), func(b *testing.B) {
				events := storm(n)
				cpu := cpuTime()
				b.ReportAllocs()
				for b.Loop() {
					e, err := correlation.New(rules, correlation.Options{StrictSilence: true})
					if err != nil {
						b.Fatal(err)
					}
					if _, err := e.Silence(start, quiet("infrastructure.node_down", "composite.wide")...); err != nil {
						b.Fatal(err)
					}
					for k := range events {
						if _, err := e.Apply(events[k].Time, events[k]); err != nil {
							b.Fatal(err)
						}
					}
					if _, err := e.Silence(start.Add(time.Hour)); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N*len(events)), "cpu-ns/event")
			})
		}
	}
}
