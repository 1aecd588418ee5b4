package slo_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

func TestDowntimeOverlapsAndExclusionsWithMarks(t *testing.T) {
	d := slo.Downtime{
		Window:     stretch(0, 36_000),
		Down:       stretches([][2]int64{{1000, 1300}, {1200, 1400}, {35_900, 40_000}}), // 500 s in the window
		Exclusions: []slo.Exclusion{{Interval: stretch(1300, 2300), Reason: "release"}}, // 100 s of them
		Marks:      []slo.Mark{{Interval: stretch(1000, 2300), Weight: slo.NewRatio(3, 1), Reason: "payroll"}},
	}
	s, err := slo.EvaluateDowntime(slo.MustPercent("99"), d)
	if err != nil {
		t.Fatal(err)
	}
	if s.Bad != uint64(secs(400)) || s.Total != uint64(secs(35_000)) || s.Measure != slo.Nanoseconds {
		t.Errorf("%d of %d %s down, want 400 s of 35000 s", s.Bad, s.Total, s.Measure)
	}
	// The mark keeps 300 s, all of them down: 3·300 + 100 of 35000 + 2·300.
	if w := s.Weighted; w.Bad.String() != "1000/1" || w.Total.String() != "35600/1" || w.State != slo.Exhausted {
		t.Errorf("weighted %s of %s, %s, want 1000 of 35600, exhausted", w.Bad, w.Total, w.State)
	}
	// Halfway through the window only what has happened counts.
	d.At = d.Window.Start.Add(secs(18_000))
	s, err = slo.EvaluateDowntime(slo.MustPercent("99"), d)
	if err != nil || s.Bad != uint64(secs(300)) || s.Total != uint64(secs(17_000)) || s.Coverage.String() != "1/1" {
		t.Errorf("halfway: %d of %d, coverage %s, %v, want 300 s of 17000 s, 1", s.Bad, s.Total, s.Coverage, err)
	}
}

func TestDowntimeRefuses(t *testing.T) {
	window := stretch(0, 100)
	inverted := calendar.Interval{Start: window.End, End: window.Start}
	for name, d := range map[string]slo.Downtime{
		"inverted window":    {Window: inverted},
		"inverted downtime":  {Window: window, Down: []calendar.Interval{inverted}},
		"inverted exclusion": {Window: window, Exclusions: []slo.Exclusion{{Interval: inverted}}},
		"inverted mark":      {Window: window, Marks: []slo.Mark{{Interval: inverted, Weight: slo.NewRatio(1, 1)}}},
		"no weight":          {Window: window, Marks: []slo.Mark{{Interval: window}}},
		"negative weight":    {Window: window, Marks: []slo.Mark{{Interval: window, Weight: slo.NewRatio(-1, 1)}}},
		"at after window":    {Window: window, At: window.End.Add(time.Second)},
	} {
		if _, err := slo.EvaluateDowntime(slo.MustPercent("99"), d); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The losses of the parts add up to the loss of the whole.
func TestCompositeAttribution(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	methods := []slo.Method{slo.Occurrences, slo.Timeslices, slo.RatioTimeslices, slo.WeightedAverage, slo.SerialAvailability, slo.ParallelAvailability}
	for range 500 {
		parts := make([]slo.Part, 1+r.IntN(5))
		for i := range parts {
			parts[i] = slo.Part{SLI: slo.NewRatio(r.Int64N(101), 100), Burn: slo.NewRatio(r.Int64N(50), 7), Weight: slo.NewRatio(1+r.Int64N(9), 4)}
			for n := range uint64(40) {
				if r.IntN(4) == 0 {
					parts[i].BadSlices = append(parts[i].BadSlices, n)
				}
			}
		}
		method := methods[r.IntN(len(methods))]
		got, err := slo.Composite(method, parts, 40)
		if err != nil {
			t.Fatal(err)
		}
		sum := new(big.Rat)
		for _, l := range got.Losses {
			sum.Add(sum, l.Loss.Rat())
		}
		want := got.BurnSum
		if method != slo.Occurrences {
			want = minus(slo.NewRatio(1, 1), got.SLI)
		}
		if sum.Cmp(want.Rat()) != 0 {
			t.Fatalf("%s of %+v: losses add up to %s, want %s", method, parts, sum, want)
		}
	}
}

func TestCompositeTimeslices(t *testing.T) {
	got, err := slo.Composite(slo.Timeslices, []slo.Part{
		{Name: "cart", BadSlices: []uint64{1, 2, 2}}, {Name: "pay", BadSlices: []uint64{2, 3}}, {Name: "mail"},
	}, 10)
	if err != nil || got.SLI.String() != "7/10" {
		t.Fatalf("Composite = %+v, %v, want 7/10", got, err)
	}
	for i, want := range []string{"3/20", "3/20", "0/1"} { // slice 2 is shared
		if l := got.Losses[i]; l.Loss.String() != want {
			t.Errorf("loss of %s = %s, want %s", l.Part, l.Loss, want)
		}
	}
}

func TestCompositeRefuses(t *testing.T) {
	one := slo.NewRatio(1, 1)
	for name, f := range map[string]func() (slo.CompositeResult, error){
		"no parts":       func() (slo.CompositeResult, error) { return slo.Composite(slo.SerialAvailability, nil, 0) },
		"no method":      func() (slo.CompositeResult, error) { return slo.Composite(0, []slo.Part{{SLI: one}}, 0) },
		"unknown method": func() (slo.CompositeResult, error) { return slo.Composite(99, []slo.Part{{SLI: one}}, 0) },
		"no sli":         func() (slo.CompositeResult, error) { return slo.Composite(slo.SerialAvailability, []slo.Part{{}}, 0) },
		"sli above 1": func() (slo.CompositeResult, error) {
			return slo.Composite(slo.SerialAvailability, []slo.Part{{SLI: slo.NewRatio(2, 1)}}, 0)
		},
		"no burn": func() (slo.CompositeResult, error) { return slo.Composite(slo.Occurrences, []slo.Part{{}}, 0) },
		"no weight": func() (slo.CompositeResult, error) {
			return slo.Composite(slo.WeightedAverage, []slo.Part{{SLI: one, Weight: slo.NewRatio(0, 1)}}, 0)
		},
		"negative weight": func() (slo.CompositeResult, error) {
			return slo.Composite(slo.WeightedAverage, []slo.Part{{SLI: one, Weight: slo.NewRatio(-1, 1)}}, 0)
		},
		"no slices": func() (slo.CompositeResult, error) { return slo.Composite(slo.Timeslices, []slo.Part{{}}, 0) },
		"slice too far": func() (slo.CompositeResult, error) {
			return slo.Composite(slo.Timeslices, []slo.Part{{BadSlices: []uint64{5}}}, 5)
		},
	} {
		if got, err := f(); err == nil {
			t.Errorf("%s: %+v, want an error", name, got)
		}
	}
}

func TestLatencySpelling(t *testing.T) {
	for _, le := range []string{"1", "1.0", "1e0", "1.00"} {
		got, err := slo.LatencySLI([]slo.Bucket{{"5e-05", 1}, {le, 7}, {"+Inf", 10}}, slo.NewRatio(1, 1))
		if err != nil || got.Good.String() != "7/1" || got.Interpolated {
			t.Errorf("bound %q: %+v, %v, want 7 exactly", le, got, err)
		}
	}
	got, err := slo.LatencySLI([]slo.Bucket{{"+Inf", 0}}, slo.NewRatio(1, 1))
	if err != nil || got.SLI.IsSet() || !got.LowerBound {
		t.Errorf("empty histogram: %+v, %v, want an absent SLI", got, err)
	}
}

func TestLatencyRefuses(t *testing.T) {
	one := slo.NewRatio(1, 1)
	for _, tt := range []struct {
		name    string
		buckets []slo.Bucket
		limit   slo.Ratio
		want    string
	}{
		{"no buckets", nil, one, "without buckets"},
		{"no infinity", []slo.Bucket{{"1", 1}}, one, `want "+Inf" as the last`},
		{"falling bounds", []slo.Bucket{{"2", 1}, {"1", 1}, {"+Inf", 1}}, one, "buckets[1]"},
		{"equal bounds", []slo.Bucket{{"1", 1}, {"1.0", 1}, {"+Inf", 1}}, one, "buckets[1]"},
		{"falling counts", []slo.Bucket{{"1", 2}, {"+Inf", 1}}, one, "count 1 below the 2"},
		{"bound 0", []slo.Bucket{{"0", 1}, {"+Inf", 1}}, one, "buckets[0]"},
		{"text bound", []slo.Bucket{{"fast", 1}, {"+Inf", 1}}, one, `parse bucket bound "fast"`},
		{"hex bound", []slo.Bucket{{"0x1p-2", 1}, {"+Inf", 1}}, one, `parse bucket bound "0x1p-2"`},
		{"huge exponent", []slo.Bucket{{"1e999999999", 1}, {"+Inf", 1}}, one, "parse bucket bound"},
		{"no limit", []slo.Bucket{{"+Inf", 1}}, slo.Ratio{}, "latency threshold absent"},
	} {
		if _, err := slo.LatencySLI(tt.buckets, tt.limit); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// exactTail sums the binomial tail in rational numbers.
func exactTail(n, bad, num, den int64) *big.Rat {
	tail, c := new(big.Int), new(big.Int)
	for k := bad; k <= n; k++ {
		term := c.Binomial(n, k)
		term.Mul(term, new(big.Int).Exp(big.NewInt(num), big.NewInt(k), nil))
		term.Mul(term, new(big.Int).Exp(big.NewInt(den-num), big.NewInt(n-k), nil))
		tail.Add(tail, term)
	}
	return new(big.Rat).SetFrac(tail, new(big.Int).Exp(big.NewInt(den), big.NewInt(n), nil))
}

func TestBinomialTailAgainstFractions(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for range 300 {
		n := 1 + r.Int64N(400)
		bad, den := r.Int64N(n+2), 2+r.Int64N(5000)
		num := 1 + r.Int64N(den-1)
		want, _ := exactTail(n, bad, num, den).Float64()
		if got := slo.BinomialTail(uint64(n), uint64(bad), slo.NewRatio(num, den)); math.Abs(got-want) > 1e-12 {
			t.Errorf("BinomialTail(%d, %d, %d/%d) = %.17g, want %.17g", n, bad, num, den, got, want)
		}
	}
	for _, p := range []slo.Ratio{{}, slo.NewRatio(-1, 2), slo.NewRatio(3, 2), slo.Inf(1)} {
		if got := slo.BinomialTail(3, 1, p); !math.IsNaN(got) {
			t.Errorf("BinomialTail(3, 1, %s) = %v, want NaN", p, got)
		}
	}
	if slo.BinomialTail(3, 1, slo.NewRatio(0, 1)) != 0 || slo.BinomialTail(3, 1, slo.NewRatio(1, 1)) != 1 || slo.BinomialTail(3, 0, slo.NewRatio(0, 1)) != 1 {
		t.Error("BinomialTail at p = 0 or 1 is wrong")
	}
}

// The gate decides as the rational tail does, also when both are equal.
func TestGateAgainstFractions(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	target := slo.MustPercent("99")
	for i := range 300 {
		n := 1 + r.Int64N(120)
		bad := n/20 + 1 + r.Int64N(n-n/20) // above the threshold of 5 %
		tail := exactTail(n, bad, 5, 100)
		alpha := big.NewRat(1+r.Int64N(99), 100)
		if i%3 == 0 && tail.Num().IsInt64() && tail.Denom().IsInt64() {
			alpha = tail // equal is not below
		}
		rule := slo.Rule{Name: "r", Long: time.Hour, Factor: slo.NewRatio(5, 1), Alpha: slo.NewRatio(alpha.Num().Int64(), alpha.Denom().Int64())}
		if rule.Alpha.Compare(slo.NewRatio(1, 1)) >= 0 {
			continue
		}
		got, err := slo.Policy{Rules: []slo.Rule{rule}}.Decide(target, func(time.Duration) slo.Counts {
			return slo.Counts{Good: uint64(n - bad), Total: uint64(n)}
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := tail.Cmp(alpha) < 0; got[0].Holds != want {
			t.Errorf("%d of %d, alpha %s: holds %t (%s), want %t as the tail is %s", bad, n, alpha, got[0].Holds, got[0].Cause, want, tail.FloatString(6))
		}
	}
}

func TestExhaustingIncidentEdges(t *testing.T) {
	target, day := slo.MustPercent("95"), 24*time.Hour
	for _, tt := range []struct {
		base, incident slo.Ratio
		want           string
	}{
		{slo.NewRatio(0, 1), slo.NewRatio(1, 1), "4320/1"},
		{slo.NewRatio(5, 100), slo.NewRatio(1, 1), "0/1"},
		{slo.NewRatio(0, 1), slo.NewRatio(5, 100), "86400/1"},
		{slo.NewRatio(0, 1), slo.NewRatio(4, 100), "+Inf"},
		{slo.NewRatio(0, 1), slo.Ratio{}, "absent"},
	} {
		if got := slo.ExhaustingIncident(target, day, tt.base, tt.incident).String(); got != tt.want {
			t.Errorf("ExhaustingIncident(95, 1d, %s, %s) = %s, want %s", tt.base, tt.incident, got, tt.want)
		}
	}
}
