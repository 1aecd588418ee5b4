package sketch_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/sketch"
)

// series are the kinds of numbers that sketches meet, some hard for other methods.
func series(n int) map[string][]float64 {
	r := rand.New(rand.NewPCG(3, 4))
	s := map[string][]float64{}
	for i := range n {
		s["normal"] = append(s["normal"], r.NormFloat64())
		s["lognormal"] = append(s["lognormal"], math.Exp(2*r.NormFloat64()))
		s["rising"] = append(s["rising"], float64(i))
		s["falling"] = append(s["falling"], -float64(i))
		s["sine"] = append(s["sine"], math.Sin(float64(i)*2*math.Pi/2880))
		s["few values"] = append(s["few values"], math.Floor(5*r.Float64()))
		s["mostly 0"] = append(s["mostly 0"], max(0, r.NormFloat64()-1))
		s["two humps"] = append(s["two humps"], r.NormFloat64()+float64(i%2)*1e6)
	}
	return s
}

var shares = []float64{0.0001, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999}

// rankError is how far a quantile's rank among the sorted values is from q; a value that
// occurs often has a range of ranks.
func rankError(sorted []float64, q, v float64) float64 {
	n := float64(len(sorted))
	lo := float64(sort.SearchFloat64s(sorted, v)) / n
	hi := float64(sort.SearchFloat64s(sorted, math.Nextafter(v, math.Inf(1)))) / n
	return max(lo-q, q-hi, 0)
}

func build(values []float64, o *sketch.Options) *sketch.Sketch {
	s, err := sketch.New(o)
	if err != nil {
		panic(err)
	}
	for _, v := range values {
		s.Add(v)
	}
	return s
}

// 0.001 is the bound that the package comment promises.
func TestRankError(t *testing.T) {
	for name, values := range series(100_000) {
		sorted := slices.Sorted(slices.Values(values))
		s := build(values, nil)
		worst := 0.0
		for _, q := range shares {
			worst = max(worst, rankError(sorted, q, s.Quantile(q)))
			v := sorted[int(q*float64(len(sorted)))]
			below := sort.SearchFloat64s(sorted, v)
			upTo := sort.SearchFloat64s(sorted, math.Nextafter(v, math.Inf(1)))
			if got, want := s.Rank(v), float64(below+upTo)/2/float64(len(sorted)); math.Abs(got-want) > rankBound(name) {
				t.Errorf("%s: Rank(%v) = %v, want %v", name, v, got, want)
			}
		}
		t.Logf("%s: worst rank error %.5f, %d bytes", name, worst, s.Size())
		if worst > 0.001 {
			t.Errorf("%s: rank error %v, want at most 0.001", name, worst)
		}
		if s.Min() != sorted[0] || s.Max() != sorted[len(sorted)-1] || s.Weight() != float64(len(values)) {
			t.Errorf("%s: %v to %v with weight %v, want %v to %v with %d", name, s.Min(), s.Max(), s.Weight(), sorted[0], sorted[len(sorted)-1], len(values))
		}
	}
}

// rankBound is what Rank promises: one and a half clusters next to gaps and heaps of equal values.
func rankBound(name string) float64 {
	switch name {
	case "few values", "mostly 0", "two humps":
		return 1.5 * math.Pi / 300
	}
	return 0.001
}

// Small sketches are exact: with n values the quantile (i-1/2)/n is the i-th, the
// fifth definition of Hyndman and Fan.
func TestSmall(t *testing.T) {
	s := build([]float64{4, 1, 3, 2}, nil)
	for q, want := range map[float64]float64{-1: 1, 0: 1, 0.125: 1, 0.25: 1.5, 0.375: 2, 0.5: 2.5, 0.875: 4, 1: 4, 2: 4} {
		if got := s.Quantile(q); got != want {
			t.Errorf("Quantile(%v) of 1 to 4 = %v, want %v", q, got, want)
		}
	}
	for x, want := range map[float64]float64{0: 0, 1: 0.125, 1.5: 0.25, 2: 0.375, 4: 0.875, 5: 1} {
		if got := s.Rank(x); got != want {
			t.Errorf("Rank(%v) among 1 to 4 = %v, want %v", x, got, want)
		}
	}
	// Values above 2.5 are 3 and 4, on average 1 beyond.
	if edge, mean := s.Excess(0.5); edge != 2.5 || mean != 1 {
		t.Errorf("Excess(0.5) = %v, %v, want 2.5, 1", edge, mean)
	}
	s = build([]float64{1, 1, 2, 2, 4, 6, 9}, nil) // distances from 2: 0 0 1 1 2 4 7
	if got := s.MAD(); math.Abs(got-1) > 0.1 {
		t.Errorf("MAD = %v, want about 1", got)
	}
	if got := build([]float64{7, 7, 7, 8}, nil).MAD(); got != 0 {
		t.Errorf("MAD of a flat line = %v, want 0", got)
	}
}

func TestEmpty(t *testing.T) {
	var s sketch.Sketch
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if s.Add(v) {
			t.Errorf("Add(%v) = true, want it left out", v)
		}
	}
	edge, mean := s.Excess(0.9)
	for i, got := range []float64{s.Quantile(0.5), s.Rank(0), s.Min(), s.Max(), s.MAD(), edge, mean} {
		if !math.IsNaN(got) {
			t.Errorf("answer %d of an empty sketch = %v, want NaN", i, got)
		}
	}
	s.Merge(&sketch.Sketch{})
	s.Decay(0.5)
	if s.Weight() != 0 {
		t.Errorf("weight of nothing = %v", s.Weight())
	}
}

func TestMAD(t *testing.T) {
	values := series(20_000)["normal"]
	// 0.6745 is the upper quartile of the standard normal distribution.
	if got := build(values, nil).MAD(); math.Abs(got-0.6745) > 0.02 {
		t.Errorf("MAD of a standard normal = %v, want 0.6745", got)
	}
}

// Merged parts answer like the whole, in whatever way the values were dealt out.
func TestMergeLaw(t *testing.T) {
	for name, values := range series(60_000) {
		sorted := slices.Sorted(slices.Values(values))
		for _, deal := range []func(i int) int{
			func(i int) int { return i % 7 },
			func(i int) int { return i * 7 / len(values) },
		} {
			parts := make([][]float64, 7)
			for i, v := range values {
				parts[deal(i)] = append(parts[deal(i)], v)
			}
			var merged sketch.Sketch
			for _, p := range parts {
				part := build(p, nil)
				before, _ := part.MarshalBinary()
				merged.Merge(part)
				if after, _ := part.MarshalBinary(); !bytes.Equal(before, after) {
					t.Fatalf("%s: Merge changed its argument", name)
				}
			}
			for _, q := range shares {
				if e := rankError(sorted, q, merged.Quantile(q)); e > 0.001 {
					t.Errorf("%s: rank error of Quantile(%v) after a merge = %v, want at most 0.001", name, q, e)
				}
			}
			if merged.Weight() != float64(len(values)) || merged.Min() != sorted[0] || merged.Max() != sorted[len(sorted)-1] {
				t.Errorf("%s: merged weight %v, %v to %v", name, merged.Weight(), merged.Min(), merged.Max())
			}
		}
	}
	s := build([]float64{1, 2}, nil)
	s.Merge(s)
	if s.Weight() != 4 || s.Quantile(0.5) != 1.5 {
		t.Errorf("a sketch merged with itself weighs %v with median %v, want 4 and 1.5", s.Weight(), s.Quantile(0.5))
	}
}

// Quantiles and ranks are monotone, within the extremes and inverse to each other.
func TestOrderLaws(t *testing.T) {
	for name, values := range series(5000) {
		for _, c := range []int{10, 50, 200, 2000} {
			checkOrder(t, name, build(values, &sketch.Options{Compression: c, Buffer: 33}))
		}
	}
}

func checkOrder(t *testing.T, name string, s *sketch.Sketch) {
	t.Helper()
	lo, hi := s.Min(), s.Max()
	last, lastRank := lo, 0.0
	for i := range 501 {
		q := float64(i) / 500
		v := s.Quantile(q)
		if !(v >= last && v <= hi) {
			t.Fatalf("%s: Quantile(%v) = %v after %v, want it to rise to at most %v", name, q, v, last, hi)
		}
		rank := s.Rank(v)
		if !(rank >= lastRank && rank <= 1) {
			t.Fatalf("%s: Rank(%v) = %v after %v, want it to rise to at most 1", name, v, rank, lastRank)
		}
		if back := s.Quantile(rank); math.Abs(back-v) > 1e-9*max(1, math.Abs(v)) && i > 0 && i < 500 {
			t.Fatalf("%s: Quantile(Rank(%v)) = %v", name, v, back)
		}
		last, lastRank = v, rank
	}
}

func TestHugeValues(t *testing.T) {
	var values []float64
	for i := range 3000 {
		values = append(values, math.MaxFloat64*float64(i%3-1))
	}
	checkOrder(t, "the greatest and the least floats", build(values, nil))
}

// An upper sketch of a few clusters knows the shares above high values as well.
func TestUpper(t *testing.T) {
	for name, values := range series(20_000) {
		if rankBound(name) > 0.001 {
			continue
		}
		sorted := slices.Sorted(slices.Values(values))
		s := build(values, &sketch.Options{Compression: 40, Buffer: 24, Upper: true})
		for _, q := range []float64{0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995} {
			v := sorted[int(q*float64(len(sorted)))]
			want := 1 - q
			if got := 1 - s.Rank(v); math.Abs(math.Log10(got/want)) > 0.1 {
				t.Errorf("%s: share above the quantile %v = %v, want %v", name, q, got, want)
			}
			if merged := s.RankMerged(v); merged != s.Rank(v) {
				t.Errorf("%s: RankMerged = %v after a merge, want %v", name, merged, s.Rank(v))
			}
		}
		checkOrder(t, name, s)
		if got, want := s.Size(), 128+42*16+24*8; got > want {
			t.Errorf("%s: %d bytes, want at most %d", name, got, want)
		}
	}
}

// The memory of a sketch ends at its clusters and its buffer.
func TestBoundedSize(t *testing.T) {
	for name, values := range series(50_000) {
		s := build(values, &sketch.Options{Compression: 40, Buffer: 64})
		if got, want := s.Size(), 128+42*16+64*8; got > want {
			t.Errorf("%s: %d bytes, want at most %d", name, got, want)
		}
	}
}

func TestDecay(t *testing.T) {
	s := build([]float64{1, 2, 3, 100}, nil)
	s.Decay(0.5)
	if s.Weight() != 2 || s.Quantile(0.375) != 2 {
		t.Errorf("half of four values: weight %v, Quantile(0.375) = %v, want 2 and 2", s.Weight(), s.Quantile(0.375))
	}
	for range 50 { // a thousand half-lives of a spike among new values
		s.Decay(math.Exp2(-20))
		for i := range 100 {
			s.Add(float64(i))
		}
	}
	if s.Max() > 99.1 {
		t.Errorf("maximum long after a spike of 100 = %v, want about 99", s.Max())
	}
	s.Decay(0)
	if s.Weight() != 0 {
		t.Errorf("weight after everything has decayed = %v", s.Weight())
	}
}

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// With one value a minute and a half-life of an hour, a level that ended n hours ago
// has the share 2^-n.
func TestDecaying(t *testing.T) {
	d, err := sketch.NewDecaying(time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := start
	for i := range 6000 {
		v := 10.0
		if i >= 6000-120 {
			v = 20
		}
		d.Add(at, v)
		at = at.Add(time.Minute)
	}
	if got := d.Sketch().Rank(15); math.Abs(got-0.25) > 0.01 {
		t.Errorf("share of what ended two half-lives ago = %v, want 0.25", got)
	}
	// The weight of a value a minute for ever: 1/(1-2^(-1/60)) = 87.06.
	if got := d.Sketch().Weight(); math.Abs(got-87.06) > 1.5 {
		t.Errorf("weight = %v, want 87.06", got)
	}
	if got := d.AsOf(at.Add(59 * time.Minute)).Weight(); math.Abs(got-87.06/2) > 0.8 {
		t.Errorf("weight an hour later = %v, want half of 87.06", got)
	}
	other, err := sketch.NewDecaying(time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	other.Merge(d)
	other.Merge(d)
	if got, want := other.Sketch().Weight(), 2*d.AsOf(at.Add(-time.Minute)).Weight(); math.Abs(got-want) > 0.02*want {
		t.Errorf("weight of two = %v, want %v", got, want)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []sketch.Options{{Compression: 9}, {Compression: 2001}, {Buffer: -1}, {Buffer: 1<<14 + 1}} {
		var e *sketch.OptionError
		if _, err := sketch.New(&o); !errors.As(err, &e) {
			t.Errorf("New(%+v) = %v, want an OptionError", o, err)
		}
	}
	want := sketch.Options{Compression: 300, Buffer: 600}
	if got := new(sketch.Sketch).Options(); got != want {
		t.Errorf("options of the zero value = %+v, want %+v", got, want)
	}
	var e *sketch.OptionError
	if _, err := sketch.NewDecaying(0, nil); !errors.As(err, &e) || e.Option != "HalfLife" {
		t.Errorf("NewDecaying(0) = %v, want an OptionError of HalfLife", err)
	}
}
