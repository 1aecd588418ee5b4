package correlation_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

func TestFrequency(t *testing.T) {
	f, err := correlation.NewFrequency(10*time.Second, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   float64
		add  bool
		want bool
		n    int
	}{
		{0, true, false, 1},
		{5, true, false, 2},
		{3, true, true, 3}, // late, still inside
		{10, false, true, 2},
		{13, false, false, 1},
		{1, true, false, 1}, // late and outside
		{14, true, false, 2},
		{14, true, true, 3},
	} {
		if c.add {
			f.Add(sec(c.at))
		}
		at := sec(max(c.at, 5))
		if c.at == 1 {
			at = sec(13)
		}
		if got, n := f.Active(at), f.Count(at); got != c.want || n != c.n {
			t.Errorf("at %v: active %v with %d, want %v with %d", c.at, got, n, c.want, c.n)
		}
	}
	for _, bad := range [][3]int{{0, 2, 1}, {1, 1, 1}, {1, 2, -1}} {
		if _, err := correlation.NewFrequency(time.Duration(bad[0]), bad[1], bad[2]); err == nil {
			t.Errorf("NewFrequency(%v) = nil error, want one", bad)
		}
		if _, err := correlation.NewFlapping(time.Duration(bad[0]), bad[1], bad[2]); err == nil {
			t.Errorf("NewFlapping(%v) = nil error, want one", bad)
		}
	}
}

func TestFlappingIgnoresRepeats(t *testing.T) {
	f, err := correlation.NewFlapping(time.Minute, 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	for n, c := range []struct {
		s    correlation.Status
		want bool
	}{
		{correlation.Resolved, false}, {correlation.Firing, false}, {correlation.Firing, false}, {correlation.Resolved, true}, {correlation.Resolved, true},
	} {
		if got := f.Observe(sec(float64(n)), c.s); got != c.want {
			t.Errorf("observation %d: %v, want %v", n, got, c.want)
		}
	}
	if f.Active(sec(63)) {
		t.Error("still flapping a minute after the last change")
	}
}

func TestFlapPercent(t *testing.T) {
	one := func(x int) []int { // a single change before sample x of 21
		h := make([]int, 21)
		for n := x; n < 21; n++ {
			h[n] = 1
		}
		return h
	}
	for x := 1; x <= 20; x++ {
		// The published formulas, in floats.
		nagios := 100 * (0.75 + float64(x-1)*0.5/19) / 20
		icinga := 100 * (0.8 + 0.02*float64(x-1)) / 20
		if got := correlation.Nagios.Percent(one(x)); math.Abs(got-nagios) > 1e-9 {
			t.Errorf("Nagios change %d = %v, want %v", x, got, nagios)
		}
		if got := correlation.Icinga.Percent(one(x)); math.Abs(got-icinga) > 1e-9 {
			t.Errorf("Icinga change %d = %v, want %v", x, got, icinga)
		}
	}
	if got, want := correlation.Nagios.Percent([]int{0, 1}), 6.25; got != want {
		t.Errorf("a short history = %v, want the newest weight %v", got, want)
	}
	if got := correlation.Nagios.Percent(nil); got != 0 {
		t.Errorf("no history = %v, want 0", got)
	}
}

func TestStateFlapping(t *testing.T) {
	for _, scheme := range []correlation.FlapScheme{correlation.Nagios, correlation.Icinga} {
		f, err := correlation.NewStateFlapping(scheme)
		if err != nil {
			t.Fatal(err)
		}
		var history []int
		on := false
		for n := range 200 {
			state := 0
			if n < 60 {
				state = n % 2 * (n / 7 % 2)
			}
			history = append(history, state)
			last := slices.Clone(history[max(0, len(history)-21):])
			p := scheme.Percent(last)
			switch scheme {
			case correlation.Nagios:
				on = p >= 30 || on && p >= 20
			case correlation.Icinga:
				on = p > 30 || on && p > 25
			}
			if got := f.Observe(state); got != on {
				t.Fatalf("scheme %d sample %d: %v at %v percent, want %v", scheme, n, got, p, on)
			}
		}
		if on {
			t.Errorf("scheme %d still flaps at the end", scheme)
		}
	}
	if _, err := correlation.NewStateFlapping(9); err == nil {
		t.Error("NewStateFlapping(9) = nil error, want one")
	}
}

// The sixth change in a row is the one that counts, in both schemes: the k newest
// weights are 5*(1.25 k - 0.5/19*k(k-1)/2) percent of Nagios, 29.93 for five and
// 35.53 for six, and 5*(1.18 k - 0.01*k(k-1)) of Icinga, 28.5 and 33.9. After j
// equal states every change is j places older. Nagios has 20.07 percent at j = 15,
// where the first change has left the 21 states, and 15.79 at 16; Icinga has 25.5
// at j = 14 and 21 at 15.
func TestStateFlappingByHand(t *testing.T) {
	for _, c := range []struct {
		scheme correlation.FlapScheme
		calm   int // equal states after which it ends
	}{{correlation.Nagios, 16}, {correlation.Icinga, 15}} {
		f, err := correlation.NewStateFlapping(c.scheme)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 7 + 30 {
			changes, equal := min(n, 6), max(0, n-6)
			want := changes == 6 && equal < c.calm
			if got := f.Observe(changes % 2); got != want {
				t.Errorf("scheme %d after %d changes and %d equal states: %v, want %v", c.scheme, changes, equal, got, want)
			}
		}
	}
}
