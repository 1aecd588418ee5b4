package anomaly_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
)

func TestDrift(t *testing.T) {
	d := healthy(t, &anomaly.Options{TrainedAt: noon})
	r := rand.New(rand.NewPCG(21, 21))
	recent := func(n int, change func(row []float64)) *anomaly.Drift {
		t.Helper()
		rows := drawHealthy(r, n)
		for _, row := range rows {
			change(row)
		}
		x, err := d.Drift(anomaly.History{Names: seedNames, Rows: rows, Times: every(noon, time.Minute, n)})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	level := func(x *anomaly.Drift, feature int) anomaly.Shift { return x.Features[feature] }

	x := recent(2000, func(row []float64) { row[0] += 15 })
	// A normal distribution moved by one deviation: KS 2 Phi(1/2) - 1 = 0.383, and the sum of both
	// Kullback-Leibler divergences is 1, of which ten bins keep most.
	cpu := level(x, 0)
	if cpu.Feature != "cpu_utilization" || cpu.Level != anomaly.Act || math.Abs(cpu.KS-0.383) > 0.05 || math.Abs(cpu.PSI-0.95) > 0.2 || cpu.P > 1e-9 {
		t.Errorf("one deviation up: %+v", cpu)
	}
	// Every value moved by 15; the higher of two is the recent one with Phi(1/sqrt 2) = 0.76.
	if math.Abs(cpu.Moved-15) > 2 || math.Abs(cpu.Above-0.76) > 0.04 {
		t.Errorf("one deviation up: moved by %v, above with %v, want 15 and 0.76", cpu.Moved, cpu.Above)
	}
	for j := 1; j < 5; j++ {
		if got := level(x, j); got.Level != anomaly.Stable {
			t.Errorf("an unchanged feature: %+v", got)
		}
	}
	if x.Level != anomaly.Act || x.N != 2000 || !x.First.Equal(noon) || !x.Last.Equal(noon.Add(1999*time.Minute)) || x.Score == nil {
		t.Errorf("drift = %+v", x)
	}
	// 0.4 deviations are 0.16.
	if got := level(recent(3000, func(row []float64) { row[4] -= 80 }), 4); got.Level != anomaly.Warn {
		t.Errorf("0.4 deviations down: %+v, want a warning", got)
	}
	if got := level(recent(2000, func(row []float64) { row[2] = 150 + 2*(row[2]-150) }), 2); got.Level != anomaly.Act {
		t.Errorf("twice the spread: %+v, want to act", got)
	}
	// Nothing but luck, even where the index of a few readings is large.
	large := 0
	for _, n := range []int{30, 100, 100, 100, 1000, 1000} {
		x := recent(n, func([]float64) {})
		for _, s := range append(x.Features, *x.Score) {
			if s.PSI > 0.1 {
				large++
			}
		}
		if x.Level != anomaly.Stable {
			t.Errorf("%d clean readings: %+v", n, x)
		}
	}
	if large == 0 {
		t.Error("no index above 0.1 by luck: the significance is not tested here")
	}

	with := d.WithDrift(x)
	v := evaluate(t, with, reading(45, 60, 150, 0.3, 1000))
	if v.Drift != x || v.ModelAge != 0 || evaluate(t, d, nil).Drift != nil {
		t.Errorf("verdict carries %+v", v.Drift)
	}
	data, err := json.Marshal(v)
	var back anomaly.Verdict
	if err != nil || json.Unmarshal(data, &back) != nil || !reflect.DeepEqual(back.Drift, x) {
		t.Errorf("drift differs after JSON: %v, %s", err, data)
	}
}

func TestDriftOfSomeFeatures(t *testing.T) {
	rows := drawHealthy(rand.New(rand.NewPCG(22, 22)), 100)
	some := make([][]float64, len(rows))
	for i, row := range rows {
		some[i] = []float64{row[4], math.NaN(), row[0]}
	}
	h := anomaly.History{Names: []string{"throughput_rps", "error_rate", "cpu_utilization"}, Rows: some}
	for _, o := range []*anomaly.Options{nil, {Preset: anomaly.Compat}} {
		d := healthy(t, o)
		if d.Preset() == anomaly.Compat {
			if _, err := d.Drift(h); !errors.As(err, new(*anomaly.SchemaError)) {
				t.Errorf("compat: %v, want a SchemaError", err)
			}
			x, err := d.Drift(anomaly.History{Names: seedNames, Rows: rows})
			if err != nil || len(x.Features) != 5 || x.Score != nil {
				t.Errorf("compat: %+v, %v", x, err)
			}
			continue
		}
		x, err := d.Drift(h)
		if err != nil || len(x.Features) != 2 || x.Features[0].Feature != "cpu_utilization" || x.Score == nil || !x.First.IsZero() {
			t.Errorf("drift of two features = %+v, %v", x, err)
		}
		for name, bad := range map[string]anomaly.History{
			"few":     {Names: h.Names, Rows: some[:29]},
			"ragged":  {Names: h.Names, Rows: [][]float64{{1}}},
			"unknown": {Names: []string{"disk"}, Rows: some},
			"times":   {Names: h.Names, Rows: some, Times: every(noon, 1, 3)},
		} {
			if x, err := d.Drift(bad); err == nil {
				t.Errorf("%s: %+v, want an error", name, x)
			}
		}
	}
	seasonal := goldenDetector(t)
	long := make([][]float64, 50)
	for i := range long {
		long[i] = []float64{100}
	}
	if _, err := seasonal.Drift(anomaly.History{Names: []string{"throughput_rps"}, Rows: long}); !errors.As(err, new(*anomaly.OptionError)) {
		t.Errorf("a season without instants: %v, want an OptionError", err)
	}
}
