package threshold_test

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

func watch(tb testing.TB, text string, o threshold.Options) *threshold.Watch {
	tb.Helper()
	c, err := threshold.ParseCondition(text)
	if err != nil {
		tb.Fatal(err)
	}
	w, err := threshold.Compile(c, o)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

func TestCheck(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		text, unit string
		value, ref float64
		want       threshold.Outcome
	}{
		{"> 80%", "", 80, nan, threshold.Good},
		{"> 80%", "", 80.00000000000001, nan, threshold.Breach},
		{">= 80%", "", 80, nan, threshold.Breach},
		{"> 29%", "ratio", 0.29, nan, threshold.Good}, // 100*0.29 is 28.999999999999996 in floats
		{">= 29%", "ratio", 0.29, nan, threshold.Breach},
		{"> 0.3 ratio", "%", 30, nan, threshold.Good},
		{"> 500ms", "s", 0.5, nan, threshold.Good},
		{"> 500ms", "s", 0.501, nan, threshold.Breach},
		{"< 2 hours", "s", 7199, nan, threshold.Breach},
		{"> 1GiB", "B", 1 << 30, nan, threshold.Good},
		{"> 5 messages", "messages", 6, nan, threshold.Breach},
		{"> 5", "", inf, nan, threshold.Breach},
		{"> 5", "", -inf, nan, threshold.Good},
		{"< 1", "", 5e-324, nan, threshold.Breach},
		{"== 0", "s", 5e-324, nan, threshold.Good},
		{"> 5", "", nan, nan, threshold.WithoutData},
		{"> 80% of pool", "", 80, 100, threshold.Good},
		{"> 80% of pool", "", 81, 100, threshold.Breach},
		{"> 30% of pool", "", 0.3, 1, threshold.Good},
		{"> 80% of pool", "", 80, 0, threshold.WithoutReference},
		{"> 80% of pool", "", 80, nan, threshold.WithoutReference},
		{"> 80% of pool", "", 80, inf, threshold.WithoutReference},
		{"> 80% of pool", "", nan, nan, threshold.WithoutData},
		{"> 20% deviation from b", "", 79, 100, threshold.Breach},
		{"> 20% deviation from b", "", 121, 100, threshold.Breach},
		{"> 20% deviation from b", "", 120, 100, threshold.Good},
		{"> 20% deviation from b", "", -79, -100, threshold.Breach},
		{"> 20% deviation from b", "", inf, 100, threshold.Breach},
		{"> 15% drop from b", "", 84, 100, threshold.Breach},
		{"> 15% drop from b", "", 116, 100, threshold.Good},
		{"> 15% drop from b", "", -116, -100, threshold.Breach},
		{"> 15% drop from b", "", inf, 100, threshold.Good},
		{"> 15% rise from b", "", 116, 100, threshold.Breach},
		{"> 15% rise from b", "", 84, 100, threshold.Good},
		{"> 150% deviation from b", "", 1e308, -1e308, threshold.Breach}, // x-R overflows a float
		{"< 250% deviation from b", "", 1e308, -1e308, threshold.Breach},
	} {
		if got := watch(t, c.text, threshold.Options{Unit: c.unit}).Check(c.value, c.ref); got != c.want {
			t.Errorf("%q [%s] Check(%v, %v) = %v, want %v", c.text, c.unit, c.value, c.ref, got, c.want)
		}
	}
}

// The float short cut never disagrees with exact fractions.
func TestCheckExact(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	texts := []string{"> 30% of r", "> 20% deviation from r", "> 15% drop from r", "> 10% rise from r"}
	for range 20_000 {
		i := rnd.IntN(len(texts))
		r := float64(rnd.IntN(2000)-1000) / 100
		x := r * float64(rnd.IntN(200)) / 100
		if rnd.IntN(3) == 0 {
			x = math.Nextafter(x, math.Inf(rnd.IntN(2)*2-1))
		}
		if r == 0 {
			continue
		}
		bx, _ := new(big.Rat).SetString(strconv.FormatFloat(x, 'g', -1, 64))
		br, _ := new(big.Rat).SetString(strconv.FormatFloat(r, 'g', -1, 64))
		abs := new(big.Rat).Abs(br)
		var fig *big.Rat
		var limit int64
		switch i {
		case 0:
			fig, limit = new(big.Rat).Quo(bx, br), 30
		case 1:
			d := new(big.Rat).Sub(bx, br)
			fig, limit = d.Quo(d.Abs(d), abs), 20
		case 2:
			d := new(big.Rat).Sub(br, bx)
			fig, limit = d.Quo(d, abs), 15
		case 3:
			d := new(big.Rat).Sub(bx, br)
			fig, limit = d.Quo(d, abs), 10
		}
		want := threshold.Good
		if fig.Mul(fig, big.NewRat(100, 1)).Cmp(big.NewRat(limit, 1)) > 0 {
			want = threshold.Breach
		}
		if got := watch(t, texts[i], threshold.Options{}).Check(x, r); got != want {
			t.Fatalf("%q Check(%v, %v) = %v, want %v", texts[i], x, r, got, want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	parse := func(text string) threshold.Condition {
		c, err := threshold.ParseCondition(text)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, c := range []struct {
		text string
		o    threshold.Options
	}{
		{"> 80%", threshold.Options{Unit: "ms"}},
		{"> 5 messages", threshold.Options{Unit: "s"}},
		{"> 500ms", threshold.Options{Unit: "requests"}},
		{"> 80%", threshold.Options{KeepFiring: -1}},
		{"> 80%", threshold.Options{Clear: parse("< 70ms"), Unit: "%"}},
		{"> 80% of pool", threshold.Options{Clear: parse("< 70% of tank")}},
	} {
		if _, err := threshold.Compile(parse(c.text), c.o); err == nil {
			t.Errorf("Compile(%q, %+v) = nil error, want one", c.text, c.o)
		}
	}
	if _, err := threshold.Compile(threshold.Condition{}, threshold.Options{}); err == nil {
		t.Error("Compile of the zero Condition = nil error, want one")
	}
}

// step is a sample at a second with the state expected after it.
type step struct {
	at    int
	value float64
	want  threshold.State
	stale int // second at which the former state was given up, 0: none
}

func TestObserve(t *testing.T) {
	const (
		off, pending, firing, noData = threshold.Inactive, threshold.Pending, threshold.Firing, threshold.NoData
	)
	nan := math.NaN()
	for _, c := range []struct {
		name, text string
		o          threshold.Options
		steps      []step
	}{
		{"for is inclusive", "> 80% for 2m", threshold.Options{}, []step{{10, 81, pending, 0}, {129, 90, pending, 0}, {130, 81, firing, 0}, {140, 80, off, 0}}},
		{"a good sample restarts", "> 80% for 1m", threshold.Options{}, []step{{1, 81, pending, 0}, {31, 80, off, 0}, {61, 81, pending, 0}, {121, 81, firing, 0}}},
		{"no data resets", "> 80% for 1m", threshold.Options{}, []step{{1, 81, pending, 0}, {31, nan, noData, 0}, {61, 81, pending, 0}}},
		{"gap equal to staleness", "> 80% for 5m", threshold.Options{}, []step{{1, 81, pending, 0}, {301, 81, firing, 0}, {601, 81, firing, 0}}},
		{"gap above staleness", "> 80% for 5m", threshold.Options{}, []step{{1, 81, pending, 0}, {302, 81, pending, 301}, {602, 81, firing, 0}, {903, 81, pending, 902}}},
		{"own staleness", "> 80%", threshold.Options{Staleness: time.Minute}, []step{{1, 81, firing, 0}, {62, 81, firing, 61}}},
		{"no staleness", "> 80% for 1h", threshold.Options{Staleness: -1}, []step{{1, 81, pending, 0}, {3601, 81, firing, 0}}},
		{"keep firing", "> 80%", threshold.Options{KeepFiring: time.Minute}, []step{{1, 81, firing, 0}, {31, 1, firing, 0}, {90, 1, firing, 0}, {91, 1, off, 0}}},
		{"keep firing starts again", "> 80%", threshold.Options{KeepFiring: time.Minute}, []step{{1, 81, firing, 0}, {31, 1, firing, 0}, {61, 81, firing, 0}, {91, 1, firing, 0}, {150, 1, firing, 0}, {151, 1, off, 0}}},
		{"keep firing not for pending", "> 80% for 1m", threshold.Options{KeepFiring: time.Minute}, []step{{1, 81, pending, 0}, {31, 1, off, 0}}},
		{"hysteresis", "> 80%", threshold.Options{Clear: threshold.Condition{Op: threshold.Less, Value: dec("70")}}, []step{{1, 75, off, 0}, {31, 81, firing, 0}, {61, 75, firing, 0}, {91, 70, firing, 0}, {121, 69, off, 0}, {151, 75, off, 0}}},
		{"missing reference", "> 80% of pool", threshold.Options{}, []step{{1, 81, threshold.NoReference, 0}}},
	} {
		w := watch(t, c.text, c.o)
		var p threshold.Progress
		for _, s := range c.steps {
			b, err := json.Marshal(p) // the state survives storage at every step
			if err != nil {
				t.Fatal(err)
			}
			var stored threshold.Progress
			if err := json.Unmarshal(b, &stored); err != nil {
				t.Fatal(err)
			}
			if p, err = w.Observe(stored, threshold.Sample{At: time.Unix(int64(s.at), 0).UTC(), Value: s.value, Reference: nan}); err != nil {
				t.Fatal(err)
			}
			stale := 0
			if !p.Stale.IsZero() {
				stale = int(p.Stale.Unix())
			}
			if p.State != s.want || stale != s.stale {
				t.Errorf("%s: at %d state %v (stale %d), want %v (stale %d)", c.name, s.at, p.State, stale, s.want, s.stale)
			}
		}
	}
}

func TestObserveOrder(t *testing.T) {
	w := watch(t, "> 80%", threshold.Options{})
	p, err := w.Observe(threshold.Progress{}, threshold.Sample{At: time.Unix(100, 0), Value: 81})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.Observe(p, threshold.Sample{At: time.Unix(99, 0), Value: 1}); err == nil || got != p {
		t.Errorf("Observe(earlier) = %+v, %v, want an error and no change", got, err)
	}
	if got := w.At(p, time.Unix(400, 0)); got.State != threshold.Firing {
		t.Errorf("At(+300 s) = %v, want firing", got.State)
	}
	got := w.At(p, time.Unix(401, 0))
	if got.State != threshold.NoData || got.Was != threshold.Firing || !got.Stale.Equal(time.Unix(400, 0)) {
		t.Errorf("At(+301 s) = %+v, want no data, stale since +300 s", got)
	}
}

func BenchmarkObserve(b *testing.B) {
	w := watch(b, "> 80% for 5 minutes", threshold.Options{Unit: "ratio"})
	var p threshold.Progress
	at := time.Unix(0, 0)
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(15 * time.Second)
		p, _ = w.Observe(p, threshold.Sample{At: at, Value: 0.91, Reference: threshold.Missing})
	}
}
