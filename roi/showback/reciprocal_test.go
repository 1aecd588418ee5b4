package showback_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/roi/showback"
)

var reciprocal = &showback.Options{Reciprocal: true}

// byUsage returns a key of a pool for the metric of its name, and its usage.
func byUsage(pool string, units map[string]int64) (showback.Key, []showback.Usage) {
	var usage []showback.Usage
	for centre, n := range units {
		usage = append(usage, showback.Usage{Metric: pool, Centre: centre, Units: n})
	}
	return showback.Key{Pool: pool, Method: showback.ByUsage, Metric: pool}, usage
}

func TestReciprocal(t *testing.T) {
	for _, tt := range []struct {
		name  string
		pools map[string]map[string]int64
		want  []string // a line each
	}{
		// What the pool uses itself is borne by the others as they use it.
		{"own use", map[string]map[string]int64{"p": {"p": 10, "a": 30, "b": 60}}, []string{
			"p -> a: 100.00 EUR x 1/3 (reciprocal) = 33.33 EUR",
			"p -> b: 100.00 EUR x 2/3 (reciprocal) = 66.67 EUR",
		}},
		// Of p half stays and half goes to q, which returns half: p bears 1/(1 − 1/4) = 4/3
		// of its cost, and a gets half of that.
		{"two", map[string]map[string]int64{"p": {"q": 1, "a": 1}, "q": {"p": 1, "b": 1}}, []string{
			"p -> a: 100.00 EUR x 2/3 (reciprocal) = 66.67 EUR",
			"p -> b: 100.00 EUR x 1/3 (reciprocal) = 33.33 EUR",
			"q -> a: 100.00 EUR x 1/3 (reciprocal) = 33.33 EUR",
			"q -> b: 100.00 EUR x 2/3 (reciprocal) = 66.67 EUR",
		}},
		// p, q and r pass all to the next but for a quarter of r: all of it ends there.
		{"three round", map[string]map[string]int64{"p": {"q": 1}, "q": {"r": 1}, "r": {"p": 3, "a": 1}}, []string{
			"p -> a: 100.00 EUR x 1/1 (reciprocal) = 100.00 EUR",
			"q -> a: 100.00 EUR x 1/1 (reciprocal) = 100.00 EUR",
			"r -> a: 100.00 EUR x 1/1 (reciprocal) = 100.00 EUR",
		}},
		// Units of nobody stay unallocated, and a pool after the circle passes its part on.
		{"a way out", map[string]map[string]int64{"p": {"q": 2, "z": 1, "": 1}, "q": {"p": 1}, "z": {"a": 1}}, []string{
			"p -> z: 100.00 EUR x 1/2 (reciprocal) = 50.00 EUR",
			"p -> : 100.00 EUR x 1/2 (reciprocal) = 50.00 EUR",
			"q -> z: 100.00 EUR x 1/2 (reciprocal) = 50.00 EUR",
			"q -> : 100.00 EUR x 1/2 (reciprocal) = 50.00 EUR",
			"z -> a: 50.00 EUR x 1/1 (usage of z) = 50.00 EUR",
			"z -> a: 50.00 EUR x 1/1 (usage of z) = 50.00 EUR",
			"z -> a: 100.00 EUR x 1/1 (usage of z) = 100.00 EUR",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var keys []showback.Key
			var usage []showback.Usage
			var costs []showback.Cost
			for _, pool := range []string{"p", "q", "r", "z"} {
				if units := tt.pools[pool]; units != nil {
					key, rows := byUsage(pool, units)
					keys, usage = append(keys, key), append(usage, rows...)
					costs = append(costs, showback.Cost{Item: "of " + pool, Pool: pool, Amount: eur(10_000)})
				}
			}
			a, err := showback.Allocate(costs, usage, keys, reciprocal)
			if err != nil {
				t.Fatal(err)
			}
			checkSums(t, costs, a)
			var lines []string
			for _, l := range a.Lines {
				lines = append(lines, fmt.Sprintf("%s -> %s: %s", l.Pool, l.To, l.Formula()))
			}
			if got, want := strings.Join(lines, "\n"), strings.Join(tt.want, "\n"); got != want {
				t.Errorf("lines\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Thirty pools serve each other as it comes, and one of them a single centre: everything
// ends there, to the last cent, though the numbers of the equations have 1,500 bits.
func TestReciprocalOfManyPools(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 1))
	var keys []showback.Key
	var usage []showback.Usage
	var costs []showback.Cost
	for i := range 30 {
		units := map[string]int64{}
		for j := range 30 {
			units[fmt.Sprint("p", j)] = 1 + rng.Int64N(1e15)
		}
		if i == 29 {
			units["a"] = 1
		}
		key, rows := byUsage(fmt.Sprint("p", i), units)
		keys, usage = append(keys, key), append(usage, rows...)
		costs = append(costs, showback.Cost{Item: "rent", Pool: key.Pool, Amount: eur(1 + rng.Int64N(1e9))})
	}
	a, err := showback.Allocate(costs, usage, keys, reciprocal)
	if err != nil {
		t.Fatal(err)
	}
	checkSums(t, costs, a)
	for _, l := range a.Lines {
		if l.To != "a" || l.Part != 1 || l.Whole != 1 {
			t.Errorf("%s -> %s: %s, want all to a", l.Pool, l.To, l.Formula())
		}
	}
}

func TestReciprocalErrors(t *testing.T) {
	p, ofP := byUsage("p", map[string]int64{"q": 1})
	q, ofQ := byUsage("q", map[string]int64{"r": 1})
	r, ofR := byUsage("r", map[string]int64{"q": 5})
	usage := append(append(ofP, ofQ...), ofR...)
	_, err := showback.Allocate(nil, usage, []showback.Key{p, q, r}, reciprocal)
	if cycle, ok := errors.AsType[*showback.CycleError](err); !ok || cycle.Error() != "cycle: q -> r -> q" {
		t.Errorf("a circle that nothing leaves: %v, want the way round", err)
	}

	usage = append(usage, showback.Usage{Metric: "r", Centre: "p", Units: 1}, showback.Usage{Metric: "r", Centre: "early", Units: 1})
	early, ofEarly := byUsage("early", map[string]int64{"a": 1})
	_, err = showback.Allocate(nil, append(usage, ofEarly...), []showback.Key{early, p, q, r}, reciprocal)
	wantField(t, "a circle after the pool that it gives to", err, "keys[1]")

	_, err = showback.Allocate(nil, nil, []showback.Key{{Pool: "p", Method: showback.Reciprocal}}, reciprocal)
	wantField(t, "a key of the method of lines", err, "keys[0].method")

	many := []showback.Usage{{Metric: "p", Centre: "p", Units: math.MaxInt64}, {Metric: "p", Centre: "a", Units: math.MaxInt64}, {Metric: "p", Centre: "b", Units: 2}}
	_, err = showback.Allocate(nil, many, []showback.Key{p}, reciprocal)
	wantField(t, "more units than fit", err, "keys[0]")
}

// Cost that is passed round until nothing of it is left in the pools ends where the
// equations say, however large the numbers are.
func TestReciprocalIsPassingRound(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 1))
	exact, cut := 0, 0
	for range 300 {
		pools := []string{"p0", "p1", "p2", "p3", "p4"}[:1+rng.IntN(5)]
		targets := append([]string{"a", "b", "c", ""}, pools...)
		limit := int64(1) << (2 + rng.IntN(50))
		var keys []showback.Key
		var usage []showback.Usage
		var costs []showback.Cost
		shares := map[string]map[string]float64{}
		for _, pool := range pools {
			units, sum := map[string]int64{}, int64(0)
			for _, to := range targets {
				if rng.IntN(3) > 0 {
					units[to] = rng.Int64N(limit)
				}
			}
			units["a"]++
			for _, n := range units {
				sum += n
			}
			shares[pool] = map[string]float64{}
			for to, n := range units {
				shares[pool][to] = float64(n) / float64(sum)
			}
			key, rows := byUsage(pool, units)
			keys, usage = append(keys, key), append(usage, rows...)
			costs = append(costs, showback.Cost{Item: pool, Pool: pool, Amount: eur(1 + rng.Int64N(1e9))})
		}
		a, err := showback.Allocate(costs, usage, keys, reciprocal)
		if _, ok := errors.AsType[*showback.FieldError](err); ok {
			continue // some pools form a circle after another that gets from them
		}
		if err != nil {
			t.Fatal(err)
		}
		checkSums(t, costs, a)
		for _, l := range a.Lines {
			if l.Method != showback.Reciprocal {
				continue
			}
			if l.Whole == 1e18 {
				cut++
			} else {
				exact++
			}
		}
		for _, c := range costs {
			want := map[string]float64{}
			inPools := map[string]float64{c.Pool: float64(c.Amount.Minor())}
			for range 20_000 {
				next, left := map[string]float64{}, 0.0
				for pool, amount := range inPools {
					for to, share := range shares[pool] {
						if shares[to] == nil {
							want[to] += amount * share
						} else {
							next[to] += amount * share
							left += amount * share
						}
					}
				}
				if inPools = next; left < 1e-6 {
					break
				}
			}
			for _, l := range a.Lines {
				if l.Item == c.Item && !l.Shared {
					want[l.To] -= float64(l.Amount.Minor())
				}
			}
			// A line is at most a cent off, and there is one for each pool passed.
			for to, off := range want {
				if math.Abs(off) > float64(len(pools)) {
					t.Errorf("cost of %s to %q is off by %.3f cents in %v", c.Item, to, off, shares)
				}
			}
		}
	}
	if exact < 100 || cut < 100 {
		t.Errorf("%d exact lines, %d in units of 10^-18, want many of both", exact, cut)
	}
}
