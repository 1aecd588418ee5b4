package anomaly_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// The order of the rows and of the columns of a history is no information: what is known of
// each feature stays the same. Only the draws of the forest, and the fold of a row, differ.
func TestOrderOfHistory(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 41))
	rows := drawHealthy(r, 1000)
	shuffled := slices.Clone(rows)
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	order := []int{3, 1, 4, 0, 2}
	turned := anomaly.History{}
	for _, j := range order {
		turned.Names = append(turned.Names, seedNames[j])
	}
	for _, row := range rows {
		var other []float64
		for _, j := range order {
			other = append(other, row[j])
		}
		turned.Rows = append(turned.Rows, other)
	}
	fit := func(h anomaly.History, o *anomaly.Options) *anomaly.Detector {
		d, err := anomaly.Fit("user_api", h, o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := fit(anomaly.History{Names: seedNames, Rows: rows}, nil)
	for name, other := range map[string]*anomaly.Detector{
		"rows": fit(anomaly.History{Names: seedNames, Rows: shuffled}, nil), "columns": fit(turned, nil),
	} {
		for _, row := range append(drawHealthy(r, 100), []float64{95, 90, 500, 5, 200}, []float64{45, 60, 150, 0.3, 0}) {
			a, b := evaluate(t, d, reading(row...)), evaluate(t, other, reading(row...))
			for _, c := range a.Contributions {
				k := b.Contributions[slices.IndexFunc(b.Contributions, func(k anomaly.Contribution) bool { return k.Feature == c.Feature })]
				if c.Expected != k.Expected || c.RobustZ != k.RobustZ || c.Percentile != k.Percentile || math.Abs(c.TailP-k.TailP) > 1e-9*c.TailP || math.Abs(c.Z-k.Z) > 1e-9 {
					t.Fatalf("%s in another order: %+v, was %+v", name, k, c)
				}
			}
			if far := math.Abs(a.Score-1) > 0.25; far && a.State != b.State {
				t.Errorf("%s in another order: %v of score %v was %v of score %v", name, b.State, b.Score, a.State, a.Score)
			}
		}
	}
}

// By every way of combining, the p-values of clean readings are uniform: of two samples of one
// distribution, that of the 1000 rows learnt from and that of 2000 fresh ones.
func TestPValuesAreUniform(t *testing.T) {
	for way := anomaly.CombineMinP; way <= anomaly.CombineCauchy; way++ {
		r := rand.New(rand.NewPCG(42, uint64(way)))
		d, err := anomaly.Fit("user_api", anomaly.History{Names: seedNames, Rows: drawHealthy(r, 1000)}, &anomaly.Options{Combine: way})
		if err != nil {
			t.Fatal(err)
		}
		const n = 2000
		p, line := make([]float64, n), make([]float64, 1000)
		alarms := 0
		for i, row := range drawHealthy(r, n) {
			v := evaluate(t, d, reading(row...))
			p[i] = v.P
			if v.State == anomaly.Anomaly {
				alarms++
			}
		}
		for i := range line {
			line[i] = (float64(i) + 0.5) / 1000
		}
		slices.Sort(p)
		distance, chance := stats.KS(p, line)
		t.Logf("%v: %.4f from uniform (p %.3f), %.4f alarms", way, distance, chance, float64(alarms)/n)
		if chance < 0.001 {
			t.Errorf("%v: p-values are %.4f from uniform", way, distance)
		}
		if alarms > 40 {
			t.Errorf("%v: %d alarms of %d clean readings at alpha 0.01", way, alarms, n)
		}
	}
}

func TestScoreIsThatOfTheVerdict(t *testing.T) {
	nan := math.NaN()
	for _, o := range []*anomaly.Options{
		nil, {Schema: limitedSchema(seedNames)}, {Combine: anomaly.CombineStouffer}, {Preset: anomaly.Compat}, {Strict: true},
	} {
		d := healthy(t, o)
		rows := drawHealthy(rand.New(rand.NewPCG(43, 43)), 100)
		rows = append(rows, []float64{nan, 60, 150, 0.3, 1000}, []float64{45, 120, 150, 0.3, 0}, []float64{nan, nan, nan, nan, nan}, []float64{1, 2, math.Inf(1), 4, 5})
		for _, row := range rows {
			v, errA := d.Evaluate(noon, reading(row...))
			got, errB := d.Score(noon, row)
			switch {
			case (errA == nil) != (errB == nil) || errA != nil && errA.Error() != errB.Error():
				t.Errorf("Score(%v) = %v, the verdict %v", row, errB, errA)
			case errA == nil && len(v.Contributions) == 0 && !math.IsNaN(got):
				t.Errorf("Score of nothing = %v, want NaN", got)
			case errA == nil && len(v.Contributions) > 0 && got != v.Score:
				t.Errorf("Score(%v) = %v, want %v", row, got, v.Score)
			}
		}
		if _, err := d.Score(noon, []float64{1}); !errors.As(err, new(*anomaly.RowError)) {
			t.Errorf("one value: %v, want a RowError", err)
		}
	}
}

func TestScoreDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: the race detector allocates")
	}
	ams := amsterdam(t)
	seasonal := goldenDetector(t)
	for name, c := range map[string]struct {
		d   *anomaly.Detector
		row []float64
	}{
		"default": {healthy(t, nil), []float64{45, 60, 150, 0.3, 1000}},
		"fisher":  {healthy(t, &anomaly.Options{Combine: anomaly.CombineFisher}), []float64{45, 60, 150, 0.3, 1000}},
		"compat":  {healthy(t, &anomaly.Options{Preset: anomaly.Compat}), []float64{45, 60, 150, 0.3, 1000}},
		"season":  {seasonal, []float64{45, 1000, 3}},
	} {
		at := time.Date(2026, 5, 5, 12, 0, 0, 0, ams)
		if n := testing.AllocsPerRun(200, func() {
			if _, err := c.d.Score(at, c.row); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a row, want 0", name, n)
		}
	}
}

// Ten thousand columns are slow, no more.
func TestManyColumns(t *testing.T) {
	const wide = 10_000
	r := rand.New(rand.NewPCG(44, 44))
	h := anomaly.History{}
	for j := range wide {
		h.Names = append(h.Names, fmt.Sprint("metric_", j))
	}
	for range 20 {
		row := make([]float64, wide)
		for j := range row {
			row[j] = r.NormFloat64()
		}
		h.Rows = append(h.Rows, row)
	}
	for _, preset := range []anomaly.Preset{anomaly.Default, anomaly.Compat} {
		d, err := anomaly.Fit("wide", h, &anomaly.Options{Preset: preset, Trees: 5})
		if err != nil {
			t.Fatal(err)
		}
		in := map[string]float64{}
		for j, name := range h.Names {
			in[name] = h.Rows[0][j]
		}
		if v, err := d.Evaluate(noon, in); err != nil || len(v.Contributions) != wide || preset == anomaly.Default && v.State != anomaly.Normal {
			t.Errorf("%v: %v, %v", preset, v.State, err)
		}
		in["metric_77"] = 1e9
		if v, err := d.Evaluate(noon, in); err != nil || preset == anomaly.Default && (v.State != anomaly.Anomaly || v.Contributions[0].Feature != "metric_77") {
			t.Errorf("%v: one of ten thousand far out is %v, %v", preset, v.State, err)
		}
	}
}

// Tables that hold next to nothing.
func TestPoorTables(t *testing.T) {
	one := anomaly.History{Names: []string{"a", "b"}, Rows: [][]float64{{1, 2}}}
	d, err := anomaly.Fit("x", one, &anomaly.Options{Preset: anomaly.Compat})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []map[string]float64{{"a": 1, "b": 2}, {"a": 1e6, "b": -1e6}} {
		if v := evaluate(t, d, in); v.State != anomaly.Normal || v.Compat.ScoreSamples != -0.5 {
			t.Errorf("one row in compat: %v is %v with %v, want normal with -0.5", in, v.State, v.Compat.ScoreSamples)
		}
	}
	if _, err := anomaly.Fit("x", one, nil); !errors.Is(err, anomaly.ErrTooFewRows) {
		t.Errorf("one row: %v, want ErrTooFewRows", err)
	}
	flat := anomaly.History{Names: []string{"a", "b"}}
	for range 8 {
		flat.Rows = append(flat.Rows, []float64{0, -3})
	}
	if d, err = anomaly.Fit("x", flat, nil); err != nil {
		t.Fatal(err)
	}
	if v := evaluate(t, d, map[string]float64{"a": 0, "b": -3}); v.State != anomaly.Normal {
		t.Errorf("a constant table as ever is %v with score %v", v.State, v.Score)
	}
	if v := evaluate(t, d, map[string]float64{"a": 0, "b": -2.9}); v.State != anomaly.Normal && v.State != anomaly.Anomaly || v.Contributions[0].Feature != "b" {
		t.Errorf("a change of a constant: %+v", v)
	}
}
