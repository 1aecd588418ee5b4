package anomaly_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
	"github.com/evenkeelops/evenkeel/correlation"
)

func TestSignals(t *testing.T) {
	d := healthy(t, nil)
	extra := map[string]string{"region": "eu", "service": "wrong"}
	v := evaluate(t, d, reading(45, 60, 150, 0.3, 0))
	list := v.Signals(extra)
	if len(list) != 11 || extra["service"] != "wrong" {
		t.Fatalf("%d signals, want the whole and two for each of five features; labels %v", len(list), extra)
	}
	whole := list[0]
	if want := map[string]string{"region": "eu", "service": "user_api", "preset": "default"}; !reflect.DeepEqual(whole.Labels, want) || whole.Name != anomaly.SignalScore || whole.Value != v.Score || !whole.Firing || !whole.Time.Equal(noon) {
		t.Errorf("whole = %+v, want labels %v", whole, want)
	}
	firing := 0
	for _, s := range list[1:] {
		if s.Firing {
			firing++
			if s.Labels["feature"] != "throughput_rps" || s.Labels["direction"] != "low" || s.Value < 1 {
				t.Errorf("%+v fires", s)
			}
		}
		if s.Annotations == nil && s.Value != 0 {
			t.Errorf("the other direction has %v", s.Value)
		}
	}
	if firing != 1 {
		t.Errorf("%d features fire, want 1", firing)
	}
	empty := evaluate(t, d, nil)
	data, err := json.Marshal(empty.Signals(nil))
	var back []anomaly.Signal
	if err != nil || json.Unmarshal(data, &back) != nil || len(back) != 1 || !math.IsNaN(back[0].Value) || back[0].Firing {
		t.Errorf("no data = %s, %v, back %+v", data, err, back)
	}
	recipe := evaluate(t, healthy(t, &anomaly.Options{Preset: anomaly.Compat}), reading(95, 90, 500, 5, 200))
	if list := recipe.Signals(nil); len(list) != 1 || !list[0].Firing || list[0].Value <= 1 {
		t.Errorf("compat = %+v", list)
	}
}

// Signals become measurements field by field; a monitor turns them into events that fire and
// end, and an engine takes those.
func TestSignalsFeedCorrelation(t *testing.T) {
	d := healthy(t, nil)
	layers := []correlation.Layer{{Name: "application", Thresholds: []correlation.LayerThreshold{
		{Metric: anomaly.SignalScore, Condition: ">= 1"},
		{Metric: anomaly.SignalFeature, Condition: ">= 1"},
	}}}
	monitor, err := correlation.NewMonitor(layers, correlation.MonitorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := correlation.New(nil, correlation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for i, rps := range []float64{1000, 0, 0, 1000, math.NaN()} {
		at := noon.Add(time.Duration(i) * 30 * time.Second)
		v, err := d.Evaluate(at, reading(45, 60, 150, 0.3, rps))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range v.Signals(nil) {
			events, err := monitor.Observe(correlation.Measurement{
				Tenant: "acme", Layer: "application", Metric: s.Name, Labels: s.Labels, Time: s.Time, Value: s.Value,
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := engine.Apply(at, events...); err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				told = append(told, fmt.Sprintf("%d %s %s %s%s", i, e.Status, e.Alert, e.Labels["feature"], e.Labels["direction"]))
			}
		}
	}
	want := []string{
		"1 firing application.anomaly_score ", "1 firing application.anomaly_feature_score throughput_rpslow",
		"3 resolved application.anomaly_score ", "3 resolved application.anomaly_feature_score throughput_rpslow",
	}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("events %q\nwant %q", told, want)
	}

	// Or an event at once, without a monitor.
	v := evaluate(t, d, reading(45, 60, 150, 0.3, 0))
	for _, s := range v.Signals(nil) {
		status := correlation.Resolved
		if s.Firing {
			status = correlation.Firing
		}
		e := correlation.Event{
			Tenant: "acme", Alert: "application." + s.Name, Labels: s.Labels, Status: status, Time: s.Time, Annotations: s.Annotations,
		}
		if err := e.Validate(correlation.Options{}); err != nil {
			t.Errorf("event of %+v: %v", s, err)
		}
	}
}

// What is usual by name and instant is what "30% drop from" needs.
func TestExpectedIsAReference(t *testing.T) {
	d := goldenDetector(t)
	for name, expected := range map[string]func(string, time.Time) (float64, bool){"detector": d.Expected, "baselines": d.Baselines().Expected} {
		monitor, err := correlation.NewMonitor([]correlation.Layer{{Name: "business", Thresholds: []correlation.LayerThreshold{
			{Metric: "throughput_rps", Condition: "> 30% drop from normal"},
		}}}, correlation.MonitorOptions{
			Reference: func(m correlation.Measurement, _ string) (float64, bool) { return expected(m.Metric, m.Time) },
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			at   time.Time
			rps  float64
			want int // events
		}{
			{time.Date(2026, 5, 5, 9, 0, 0, 0, time.UTC), 500, 1},  // 11:00 in Amsterdam, usual 1000
			{time.Date(2026, 5, 5, 9, 1, 0, 0, time.UTC), 1000, 1}, // resolved
			{time.Date(2026, 5, 5, 22, 0, 0, 0, time.UTC), 95, 0},  // usual 100
		} {
			events, err := monitor.Observe(correlation.Measurement{Layer: "business", Metric: "throughput_rps", Time: c.at, Value: c.rps})
			if err != nil || len(events) != c.want {
				t.Errorf("%s: %v at %v: events %v, %v, want %d", name, c.rps, c.at, events, err, c.want)
			}
		}
	}
}
