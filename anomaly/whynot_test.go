package anomaly_test

import (
	"math"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly"
)

func TestWhyNot(t *testing.T) {
	d := healthy(t, &anomaly.Options{Schema: limitedSchema(seedNames)})
	kinds := func(v anomaly.Verdict) map[string]anomaly.QuietKind {
		m := map[string]anomaly.QuietKind{}
		for _, r := range v.WhyNot() {
			if r.Text == "" {
				t.Errorf("%+v says nothing", r)
			}
			m[r.Feature] = r.Because
		}
		return m
	}
	v := evaluate(t, d, map[string]float64{"cpu_utilization": 80, "memory_usage": 120, "response_time_ms": 20, "error_rate": 0.35})
	if v.State != anomaly.Invalid {
		t.Fatalf("state = %v", v.State)
	}
	got := kinds(v)
	for feature, want := range map[string]anomaly.QuietKind{
		"": anomaly.QuietTogether, "cpu_utilization": anomaly.QuietShort, "memory_usage": anomaly.QuietInvalid,
		"response_time_ms": anomaly.QuietSide, "error_rate": anomaly.QuietUsual, "throughput_rps": anomaly.QuietMissing,
	} {
		if got[feature] != want {
			t.Errorf("%q is quiet because of %v, want %v", feature, got[feature], want)
		}
	}
	if math.Abs(v.BoundaryP-0.01) > 1e-15 {
		t.Errorf("BoundaryP = %v, want alpha 0.01", v.BoundaryP)
	}
	// What fires by itself is not listed, and neither is the whole.
	got = kinds(evaluate(t, d, reading(45, 60, 150, 0.35, 0)))
	if _, ok := got[""]; ok || got["throughput_rps"] != 0 || got["error_rate"] != anomaly.QuietUsual {
		t.Errorf("throughput 0: %v", got)
	}
	if got := evaluate(t, d, nil); len(got.WhyNot()) != 5 {
		t.Errorf("no data: %v, want five missing features", got.WhyNot())
	}
	recipe := evaluate(t, healthy(t, &anomaly.Options{Preset: anomaly.Compat}), reading(48, 58, 145, 0.3, 1050))
	if c := recipe.WhyNot(); len(c) != 6 || c[0].Because != anomaly.QuietTogether {
		t.Errorf("compat: %v", c)
	}
	var k anomaly.QuietKind
	if err := k.UnmarshalText([]byte("side")); err != nil || k != anomaly.QuietSide {
		t.Errorf("side = %v, %v", k, err)
	}
}

// At a limit a feature suffices for an alarm, a hair inside it does not, by every way of
// combining; and the season moves the limits.
func TestLimits(t *testing.T) {
	for way := anomaly.CombineMinP; way <= anomaly.CombineCauchy; way++ {
		d := healthy(t, &anomaly.Options{Combine: way, Schema: limitedSchema(seedNames)})
		for j, f := range d.Schema() {
			low, high := d.Limits(f.Name, noon)
			if watched := f.Harm != anomaly.High; watched != !math.IsInf(low, 0) && f.Min == nil {
				t.Errorf("%v: low limit of %s is %v, harm %v", way, f.Name, low, f.Harm)
			}
			for _, side := range []struct{ limit, inwards float64 }{{low, math.Inf(1)}, {high, math.Inf(-1)}} {
				if math.IsInf(side.limit, 0) || f.Max != nil && (side.limit > *f.Max || side.limit < *f.Min) {
					continue
				}
				score := func(x float64) float64 {
					row := []float64{45, 60, 150, 0.35, 1000}
					row[j] = x
					v := evaluate(t, d, reading(row...))
					i := slices.IndexFunc(v.Contributions, func(c anomaly.Contribution) bool { return c.Feature == f.Name })
					return v.Contributions[i].Score
				}
				if at, inside := score(side.limit), score(math.Nextafter(side.limit, side.inwards)); at < 1 || inside >= 1 {
					t.Errorf("%v: %s scores %v at its limit %v and %v inside", way, f.Name, at, side.limit, inside)
				}
			}
		}
	}
	d := goldenDetector(t)
	night, day := noon.Add(14*3600e9), noon
	lowNight, highNight := d.Limits("throughput_rps", night)
	lowDay, highDay := d.Limits("throughput_rps", day)
	if !(lowNight < 100 && 100 < highNight && highNight < lowDay && lowDay < 1000 && 1000 < highDay) {
		t.Errorf("limits by night %v to %v, by day %v to %v", lowNight, highNight, lowDay, highDay)
	}
	if low, high := d.Limits("disk", noon); !math.IsInf(low, -1) || !math.IsInf(high, 1) {
		t.Errorf("limits of nothing = %v, %v", low, high)
	}
	if low, high := d.Limits("replicas", noon); low >= 3 || high <= 3 || high > 3.01 {
		t.Errorf("limits of a constant = %v, %v, want the next values", low, high)
	}
}
