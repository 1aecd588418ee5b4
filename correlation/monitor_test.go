package correlation_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

func printEvents(events []correlation.Event) []string {
	var list []string
	for _, ev := range events {
		list = append(list, fmt.Sprintf("%v %s %s%s", toSec(ev.Time), ev.Status, ev.Alert, correlation.LabelsOf(ev.Labels)))
	}
	return list
}

func TestLayers(t *testing.T) {
	n := 0
	signals := map[string]bool{}
	for _, l := range correlation.Layers() {
		for _, th := range l.Thresholds {
			n++
			for _, s := range th.Signals {
				signals[l.Name+"."+s] = true
			}
		}
	}
	if _, err := correlation.NewMonitor(correlation.Layers(), correlation.MonitorOptions{}); err != nil {
		t.Fatal(err)
	}
	if n != 13 {
		t.Errorf("%d thresholds, want 13", n)
	}
	for _, s := range []string{"infrastructure.cpu_high", "infrastructure.memory_high", "infrastructure.network_issues", "application.slow_response", "application.high_latency"} {
		if !signals[s] {
			t.Errorf("no threshold raises %s", s)
		}
	}
}

func TestMonitor(t *testing.T) {
	o := correlation.MonitorOptions{
		Units: map[string]string{"response_time_p95": "s"},
		Reference: func(m correlation.Measurement, name string) (float64, bool) {
			return 200, m.Metric == "db_connections" && name == "max pool"
		},
	}
	m, err := correlation.NewMonitor(correlation.Layers(), o)
	if err != nil {
		t.Fatal(err)
	}
	observe := func(layer, metric string, at, value float64) []string {
		t.Helper()
		events, err := m.Observe(correlation.Measurement{Tenant: "acme", Layer: layer, Metric: metric, Labels: map[string]string{"host": "h"}, Time: sec(at), Value: value})
		if err != nil {
			t.Fatal(err)
		}
		data, err := m.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if m, err = correlation.RestoreMonitor(correlation.Layers(), o, data); err != nil {
			t.Fatal(err)
		}
		if again, err := m.Snapshot(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("restored monitor has snapshot %s, %v, want %s", again, err, data)
		}
		return printEvents(events)
	}
	want(t, "pending", observe("application", "response_time_p95", 0, 0.6))
	want(t, "firing", observe("application", "response_time_p95", 180, 0.6), "180 firing application.slow_response{host=h}", "180 firing application.high_latency{host=h}")
	want(t, "still", observe("application", "response_time_p95", 300, 0.6))
	want(t, "good", observe("application", "response_time_p95", 360, 0.5), "360 resolved application.slow_response{host=h}", "360 resolved application.high_latency{host=h}")
	want(t, "of a reference", observe("platform", "db_connections", 0, 161), "0 firing platform.db_connections{host=h}")
	want(t, "without a reference", observe("business", "active_users", 0, 1))
	want(t, "no threshold", observe("platform", "unheard_of", 0, 1))
	want(t, "no data", observe("platform", "db_connections", 10, math.NaN()), "10 resolved platform.db_connections{host=h}")
	want(t, "again", observe("platform", "db_connections", 20, 200), "20 firing platform.db_connections{host=h}")
	want(t, "after a gap", observe("platform", "db_connections", 400, 200), "320 resolved platform.db_connections{host=h}", "400 firing platform.db_connections{host=h}")
	want(t, "kept", printEvents(m.Step(sec(700))))
	want(t, "stopped", printEvents(m.Step(sec(701))), "700 resolved platform.db_connections{host=h}")
	want(t, "once", printEvents(m.Step(sec(900))))

	if _, err := m.Observe(correlation.Measurement{Layer: "platform", Metric: "db_connections"}); err == nil {
		t.Error("Observe without a time = nil error, want one")
	}
	observe("platform", "queue_depth", 50, 1)
	if _, err := m.Observe(correlation.Measurement{Tenant: "acme", Layer: "platform", Metric: "queue_depth", Labels: map[string]string{"host": "h"}, Time: sec(49)}); err == nil {
		t.Error("Observe of an earlier sample = nil error, want one")
	}
}

// What cannot be compared is told apart from what is good.
func TestStandings(t *testing.T) {
	layers := []correlation.Layer{{Name: "l", Thresholds: []correlation.LayerThreshold{{Metric: "m", Condition: "> 80% of pool for 1 minute"}, {Metric: "n", Condition: "> 5"}}}}
	m, err := correlation.NewMonitor(layers, correlation.MonitorOptions{Reference: func(x correlation.Measurement, _ string) (float64, bool) { return 100, x.Tenant != "anew" }})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []correlation.Measurement{
		{Tenant: "anew", Metric: "m", Value: 90},
		{Tenant: "a", Metric: "m", Value: 90},
		{Tenant: "b", Metric: "m", Value: math.NaN()},
		{Tenant: "b", Metric: "n", Value: 5},
		{Tenant: "c", Metric: "n", Value: 6},
	} {
		x.Layer, x.Time = "l", sec(7)
		if _, err := m.Observe(x); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, s := range m.Standings() {
		got = append(got, fmt.Sprint(s.Tenant, " ", s.Metric, " ", s.State, " ", s.Since.Equal(sec(7)), " ", toSec(s.Last)))
	}
	want(t, "Standings", got, "a m pending true 7", "anew m no_reference false 7", "b m no_data false 7", "b n inactive false 7", "c n firing true 7")
	bomb := correlation.Measurement{Layer: "l", Metric: "m", Time: sec(8), Labels: map[string]string{"x": strings.Repeat("x", 1<<20)}}
	if _, err := m.Observe(bomb); err == nil || len(err.Error()) > 200 || len(m.Standings()) != 5 {
		t.Errorf("Observe with a label of a megabyte = %.300v, want a short error", err)
	}
}

// An alert that would go up and down with its metric has a second limit.
func TestMonitorClear(t *testing.T) {
	layers := []correlation.Layer{{Name: "l", Thresholds: []correlation.LayerThreshold{{Metric: "m", Condition: "> 80%", Clear: "< 70%"}}}}
	m, err := correlation.NewMonitor(layers, correlation.MonitorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for n, value := range []float64{75, 81, 79, 70, 69, 75} {
		events, err := m.Observe(correlation.Measurement{Layer: "l", Metric: "m", Time: sec(float64(n)), Value: value})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, printEvents(events)...)
	}
	want(t, "between the limits", got, "1 firing l.m", "4 resolved l.m")
}

func TestMonitorErrors(t *testing.T) {
	for name, l := range map[string]correlation.LayerThreshold{
		"condition": {Metric: "m", Condition: ">> 5"},
		"unit":      {Metric: "ms", Condition: "> 80%"},
		"signal":    {Metric: "m", Condition: "> 5", Signals: []string{"a b"}},
		"clear":     {Metric: "m", Condition: "> 5", Clear: "< "},
	} {
		_, err := correlation.NewMonitor([]correlation.Layer{{Name: "l", Thresholds: []correlation.LayerThreshold{l}}}, correlation.MonitorOptions{Units: map[string]string{"ms": "ms"}})
		if err == nil {
			t.Errorf("NewMonitor with a bad %s = nil error, want one", name)
		}
	}
	twice := []correlation.LayerThreshold{{Metric: "m", Condition: "> 5"}, {Metric: "m", Condition: "> 6"}}
	if _, err := correlation.NewMonitor([]correlation.Layer{{Name: "l", Thresholds: twice}}, correlation.MonitorOptions{}); err == nil {
		t.Error("NewMonitor with one metric twice = nil error, want one")
	}
	if _, err := correlation.RestoreMonitor(nil, correlation.MonitorOptions{}, []byte("x")); err == nil {
		t.Error("RestoreMonitor of rubbish = nil error, want one")
	}
	m, err := correlation.NewMonitor(nil, correlation.MonitorOptions{KeepFiring: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if events := m.Step(sec(1)); events != nil {
		t.Errorf("Step of an empty monitor = %v", events)
	}
}

// Whatever happens to a snapshot, it is refused with ErrSnapshot or is the same state still.
func TestDamagedMonitor(t *testing.T) {
	m, err := correlation.NewMonitor(correlation.Layers(), correlation.MonitorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for n, value := range []float64{0.6, 0.7, 0.4} {
		_, err := m.Observe(correlation.Measurement{Tenant: "acme", Layer: "application", Metric: "response_time_p95", Labels: map[string]string{"host": "<h>"}, Time: sec(float64(180 * n)), Value: value})
		if err != nil {
			t.Fatal(err)
		}
	}
	good, err := m.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range testutil.Damaged(good) {
		again, err := correlation.RestoreMonitor(correlation.Layers(), correlation.MonitorOptions{}, bad)
		if err != nil {
			if !errors.Is(err, correlation.ErrSnapshot) {
				t.Fatalf("%s: %v, want ErrSnapshot", what, err)
			}
			continue
		}
		if data, _ := again.Snapshot(); !bytes.Equal(data, good) {
			t.Fatalf("%s: read as another state\n%s\nwant\n%s", what, data, good)
		}
	}
}
