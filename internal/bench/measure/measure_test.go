package measure

import (
	"errors"
	"testing"
	"time"
)

// work takes time in proportion to n.
func work(n int) func() {
	x := uint64(1)
	return func() {
		for range n {
			x = x*6364136223846793005 + 1442695040888963407
		}
		if x == 0 {
			panic("the compiler may not drop the loop")
		}
	}
}

func TestMeasure(t *testing.T) {
	p := Pair{
		Name: "measure/pair", Peer: "itself", Bar: 3, Ops: 10,
		Setup: func() (func(), func(), error) { return work(10_000), work(40_000), nil },
	}
	r, err := p.Measure()
	if err != nil {
		t.Fatal(err)
	}
	if r.Name != p.Name || r.Peer != p.Peer || r.Bar != 3 || r.Ratio < 2.5 || r.Ratio > 6 || r.OursAllocs != 0 {
		t.Errorf("fourfold work has %+v, want a ratio of about 4", r)
	}
	if r.OursNS < 100 || r.OursNS > 100_000 {
		t.Errorf("1000 steps take %v ns, want about 1000", r.OursNS)
	}
}

var kept []byte // makes it escape

func TestMeasureGoal(t *testing.T) {
	p := Pair{
		Name: "measure/goal", Peer: "goal", Bar: 0.7, Goal: time.Hour, NoAllocs: true,
		Setup: func() (func(), func(), error) { return work(1000), nil, nil },
	}
	if r, err := p.Measure(); err != nil || r.PeerNS != 3.6e12 || r.Ratio < 1e6 || r.Verdict != "met" {
		t.Errorf("Measure = %+v, %v, want the goal of an hour met easily", r, err)
	}
	p.Goal = time.Nanosecond
	if r, err := p.Measure(); err != nil || r.Verdict != "missed" {
		t.Errorf("Measure = %+v, %v, want a goal of a nanosecond missed", r, err)
	}
	p.Goal, p.Ops = time.Hour, 10
	p.Setup = func() (func(), func(), error) {
		return func() {
			for range 30 {
				kept = make([]byte, 64)
			}
		}, nil, nil
	}
	if r, err := p.Measure(); err != nil || r.OursAllocs != 3 || r.Verdict != "missed" {
		t.Errorf("Measure = %+v, %v, want it missed for 3 allocations", r, err)
	}
	bad := errors.New("peer answers nonsense")
	p.Setup = func() (func(), func(), error) { return nil, nil, bad }
	if _, err := p.Measure(); !errors.Is(err, bad) {
		t.Errorf("Measure = %v, want the error of the set-up", err)
	}
}

// Every round works on its own set-up, and what a call spoils costs the next one
// nothing.
func TestMeasureFresh(t *testing.T) {
	setups := 0
	p := Pair{
		Name: "measure/fresh", Peer: "itself", Bar: 3, Ops: 10, Fresh: true,
		Setup: func() (func(), func(), error) {
			setups++
			once := func(n int) func() {
				n *= 1000
				return func() {
					work(n)()
					n *= 100
				}
			}
			return once(1000), once(4000), nil
		},
	}
	r, err := p.Measure()
	if err != nil {
		t.Fatal(err)
	}
	if setups != freshRounds+1 || r.Ratio < 2.5 || r.Ratio > 6 {
		t.Errorf("%d set-ups and %+v, want %d and a ratio of about 4", setups, r, freshRounds+1)
	}
}

func TestAgainst(t *testing.T) {
	r := Result{Name: "a", OursNS: 500, Peer: "b", PeerNS: 5000, Ratio: 10, Bar: 20, Verdict: "missed"}
	want := Result{Name: "c", OursNS: 500, Peer: "goal", PeerNS: 1000, Ratio: 2, Bar: 1, Verdict: "met"}
	if got := r.Against("c", time.Microsecond); got != want {
		t.Errorf("Against = %+v, want %+v", got, want)
	}
	if got := r.Against("c", 400*time.Nanosecond); got.Ratio != 0.8 || got.Verdict != "missed" {
		t.Errorf("Against 400 ns = %+v, want 0.8 and missed", got)
	}
}

func TestRound4(t *testing.T) {
	for x, want := range map[float64]float64{0: 0, 848.41: 848.4, 3665998: 3666000, 0.123456: 0.1235} {
		if got := round4(x); got != want {
			t.Errorf("round4(%v) = %v, want %v", x, got, want)
		}
	}
}

// Work that grows with its input has a ratio of 1, work that grows with its square one of
// 1/10.
func TestGrowth(t *testing.T) {
	for _, c := range []struct {
		name       string
		steps      func(n int) int
		from, upTo float64
	}{
		{"linear", func(n int) int { return 100 * n }, 0.5, 2},
		{"square", func(n int) int { return n * n }, 0.05, 0.2},
	} {
		pairs := Growth("measure/"+c.name, "steps", 100, func(n int) (func(), error) { return work(c.steps(n)), nil })
		if len(pairs) != 2 || pairs[0].Name != "measure/"+c.name+"_10x" || pairs[1].Name != "measure/"+c.name+"_100x" {
			t.Fatalf("Growth = %+v, want pairs of 10 and 100 times the size", pairs)
		}
		r, err := pairs[0].Measure()
		if err != nil || r.Ratio < c.from || r.Ratio > c.upTo {
			t.Errorf("%s: Measure = %+v, %v, want a ratio of %v to %v", c.name, r, err, c.from, c.upTo)
		}
	}
}
