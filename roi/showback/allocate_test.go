package showback_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// The figures that an accountant would check first.
func TestAllocateWorked(t *testing.T) {
	weights := func(w ...int64) []showback.Target {
		var targets []showback.Target
		for i, n := range w {
			targets = append(targets, showback.Target{ID: fmt.Sprintf("c%d", i), Weight: n})
		}
		return targets
	}
	for _, c := range []struct {
		cost string
		to   []showback.Target
		want string
	}{
		{"100.00 EUR", weights(1, 1, 1), "33.34 33.33 33.33"},
		{"1000.00 EUR", weights(7, 11, 13), "225.81 354.84 419.35"},
		{"-100.00 EUR", weights(1, 1, 1), "-33.34 -33.33 -33.33"},
		{"0.01 EUR", weights(1, 1, 1), "0.01 0.00 0.00"},
		{"0.00 EUR", weights(1, 2), "0.00 0.00"},
		{"100 JPY", weights(1, 1, 1), "34 33 33"},
		{"92233720368547758.07 EUR", weights(1, 1), "46116860184273879.04 46116860184273879.03"},
		{"-92233720368547758.08 EUR", weights(math.MaxInt64), "-92233720368547758.08"},
	} {
		slices.Reverse(c.to) // ties go by id, not by place
		a, err := showback.Allocate([]showback.Cost{{Item: "x", Pool: "p", Amount: amount(c.cost)}}, nil, []showback.Key{{Pool: "p", Method: showback.Weight, Targets: c.to}}, nil)
		if err != nil {
			t.Errorf("%s: %v", c.cost, err)
			continue
		}
		var got []money.Amount
		for _, l := range a.Lines {
			got = append(got, l.Amount)
		}
		if textOf(got...) != c.want || a.Unallocated.Sign() != 0 || a.Total != amount(c.cost) {
			t.Errorf("%s over %v = %s, unallocated %v, total %v, want %s", c.cost, c.to, textOf(got...), a.Unallocated, a.Total, c.want)
		}
	}
}

func TestAllocateKeys(t *testing.T) {
	usage := []showback.Usage{
		{Metric: "gb", Centre: "b", Units: 150},
		{Metric: "cpu", Centre: "a", Units: 1},
		{Metric: "gb", Centre: "a", Units: 50},
		{Metric: "gb", Centre: "", Units: 100},
		{Metric: "gb", Centre: "a", Units: 0},
		{Metric: "disk", Centre: "a", Units: 0},
	}
	for _, c := range []struct {
		name string
		key  showback.Key
		o    *showback.Options
		want string // centres, then unallocated
	}{
		{"equal", showback.Key{Method: showback.Equal, Targets: []showback.Target{{ID: "b"}, {ID: "a"}}}, nil, "a=150.00 b=150.00 rest=0.00"},
		{"equal to all", showback.Key{Method: showback.Equal}, &showback.Options{Centres: []string{"c", "a", "b"}}, "a=100.00 b=100.00 c=100.00 rest=0.00"},
		{"percent", showback.Key{Method: showback.Percent, Targets: []showback.Target{{ID: "a", Percent: percent(t, "33.3%")}, {ID: "b", Percent: percent(t, "50%")}}}, nil, "a=99.90 b=150.00 rest=50.10"},
		{"usage of nobody", showback.Key{Method: showback.ByUsage, Metric: "gb"}, nil, "a=50.00 b=150.00 rest=100.00"},
		{"usage of a name that does not exist", showback.Key{Method: showback.ByUsage, Metric: "gb"}, &showback.Options{Centres: []string{"a"}}, "a=50.00 rest=250.00"},
		// a: 50 × 3 = 150; b: 100 × 3 + 50 × 1 = 350; nobody: 300; together 800
		{"tiered", showback.Key{Method: showback.TieredUsage, Metric: "gb", Bands: []showback.Band{{UpTo: 100, Weight: 3}, {Weight: 1}}}, nil, "a=56.25 b=131.25 rest=112.50"},
		{"fallback", showback.Key{Method: showback.ByUsage, Metric: "disk", Fallback: &showback.Key{Method: showback.Weight, Targets: []showback.Target{{ID: "a", Weight: 2}, {ID: "b", Weight: 1}}}}, nil, "a=200.00 b=100.00 rest=0.00"},
	} {
		c.key.Pool = "p"
		a, err := showback.Allocate([]showback.Cost{{Item: "x", Pool: "p", Amount: amount("300 EUR")}}, usage, []showback.Key{c.key}, c.o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := totals(a); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if c.name == "fallback" != a.Lines[0].Fallback {
			t.Errorf("%s: line %+v, want the fallback named if it divided", c.name, a.Lines[0])
		}
	}
}

// totals writes what the centres bear.
func totals(a *showback.Allocation) string {
	var b strings.Builder
	for _, c := range a.Centres {
		fmt.Fprintf(&b, "%s=%s ", c.Centre, c.Amount.Decimal())
	}
	return b.String() + "rest=" + a.Unallocated.Decimal()
}

// Network first, then the database with what it got of the network:
// 100.00 × 40 % = 40.00; 200.00 over 1:3 = 50.00, 150.00; 40.00 over 1:3 = 10.00, 30.00;
// the rest of the network is 60.00 for a.
func TestStepDown(t *testing.T) {
	costs := []showback.Cost{
		{Item: "db licence", Pool: "database", Amount: amount("200 EUR")},
		{Item: "switches", Pool: "network", Amount: amount("100 EUR")},
		{Item: "party", Pool: "fun", Amount: amount("9.99 EUR")},
	}
	usage := []showback.Usage{{Metric: "queries", Centre: "a", Units: 1}, {Metric: "queries", Centre: "b", Units: 3}, {Metric: "noise", Centre: "b", Units: 3}}
	keys := []showback.Key{
		{Pool: "network", Method: showback.Percent, Targets: []showback.Target{{ID: "database", Percent: money.WholePercent(40)}, {ID: "a", Percent: money.WholePercent(60)}}},
		{Pool: "database", Method: showback.ByUsage, Metric: "queries"},
	}
	a, err := showback.Allocate(costs, usage, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := totals(a), "a=120.00 b=180.00 rest=9.99"; got != want {
		t.Errorf("totals %s, want %s", got, want)
	}
	var formulas []string
	for _, l := range a.Lines {
		formulas = append(formulas, fmt.Sprintf("%s: %s -> %s: %s", l.Item, l.Pool, l.To, l.Formula()))
	}
	want := []string{
		"switches: network -> a: 100.00 EUR x 60% (percent) = 60.00 EUR",
		"switches: network -> database: 100.00 EUR x 40% (percent) = 40.00 EUR",
		"db licence: database -> a: 200.00 EUR x 1/4 (usage of queries) = 50.00 EUR",
		"db licence: database -> b: 200.00 EUR x 3/4 (usage of queries) = 150.00 EUR",
		"switches: database -> a: 40.00 EUR x 1/4 (usage of queries) = 10.00 EUR",
		"switches: database -> b: 40.00 EUR x 3/4 (usage of queries) = 30.00 EUR",
		`party: fun -> : 9.99 EUR: no key for pool "fun"`,
	}
	if !slices.Equal(formulas, want) {
		t.Errorf("lines\n%s\nwant\n%s", strings.Join(formulas, "\n"), strings.Join(want, "\n"))
	}
	if !slices.Equal(a.IgnoredMetrics, []string{"noise"}) {
		t.Errorf("ignored metrics %q, want noise", a.IgnoredMetrics)
	}
	text, err := json.Marshal(a.Lines[2])
	if err != nil || string(text) != `{"item":"db licence","pool":"database","to":"a","method":"usage","metric":"queries","part":1,"whole":4,"cost":{"amount":"200.00","currency":"EUR"},"amount":{"amount":"50.00","currency":"EUR"},"formula":"200.00 EUR x 1/4 (usage of queries) = 50.00 EUR"}` {
		t.Errorf("JSON of a line: %s, %v", text, err)
	}

	slices.Reverse(keys)
	_, err = showback.Allocate(costs, usage, keys, nil)
	wantField(t, "a pool after those it gives to", err, "keys[1]")

	usage = append(usage, showback.Usage{Metric: "queries", Centre: "network", Units: 1})
	for _, want := range []string{"cycle: database -> network -> database", "cycle: network -> database -> network"} {
		_, err = showback.Allocate(costs, usage, keys, nil)
		if _, ok := errors.AsType[*showback.CycleError](err); !ok || err.Error() != want {
			t.Errorf("pools that serve each other: %v, want %s", err, want)
		}
		slices.Reverse(keys)
	}
	own := []showback.Key{{Pool: "p", Method: showback.Equal, Targets: []showback.Target{{ID: "p"}, {ID: "a"}}}}
	if _, err = showback.Allocate(nil, nil, own, nil); err == nil || err.Error() != "cycle: p -> p" {
		t.Errorf("a pool that uses itself: %v, want cycle: p -> p", err)
	}
}

func TestAllocateErrors(t *testing.T) {
	cost := []showback.Cost{{Item: "x", Pool: "p", Amount: amount("1 EUR")}}
	equal := showback.Key{Pool: "p", Method: showback.Equal, Targets: []showback.Target{{ID: "a"}}}
	hundred := money.WholePercent(100)
	for _, c := range []struct {
		path string
		keys []showback.Key
	}{
		{"keys[0].pool", []showback.Key{{Method: showback.Equal}}},
		{"keys[1].pool", []showback.Key{equal, equal}},
		{"keys[0].method", []showback.Key{{Pool: "p", Method: "fair"}}},
		{"keys[0].metric", []showback.Key{{Pool: "p", Method: showback.ByUsage}}},
		{"keys[0].targets", []showback.Key{{Pool: "p", Method: showback.ByUsage, Metric: "m", Targets: []showback.Target{{ID: "a"}}}}},
		{"keys[0].bands", []showback.Key{{Pool: "p", Method: showback.TieredUsage, Metric: "m"}}},
		{"keys[0].bands[0].up_to", []showback.Key{{Pool: "p", Method: showback.TieredUsage, Metric: "m", Bands: []showback.Band{{UpTo: 5, Weight: 1}}}}},
		{"keys[0].bands[0].weight", []showback.Key{{Pool: "p", Method: showback.TieredUsage, Metric: "m", Bands: []showback.Band{{Weight: -1}}}}},
		{"keys[0].targets[0].id", []showback.Key{{Pool: "p", Method: showback.Equal, Targets: []showback.Target{{}}}}},
		{"keys[0].targets[1].id", []showback.Key{{Pool: "p", Method: showback.Equal, Targets: []showback.Target{{ID: "a"}, {ID: "a"}}}}},
		{"keys[0].targets[0].weight", []showback.Key{{Pool: "p", Method: showback.Weight, Targets: []showback.Target{{ID: "a", Weight: -1}}}}},
		{"keys[0].targets[0].percent", []showback.Key{{Pool: "p", Method: showback.Percent, Targets: []showback.Target{{ID: "a", Percent: -1}}}}},
		{"keys[0].targets", []showback.Key{{Pool: "p", Method: showback.Percent, Targets: []showback.Target{{ID: "a", Percent: hundred}, {ID: "b", Percent: 1}}}}},
		{"keys[0].fallback", []showback.Key{{Pool: "p", Method: showback.ByUsage, Metric: "m", Fallback: &equal}}},
	} {
		_, err := showback.Allocate(cost, nil, c.keys, nil)
		wantField(t, "Allocate", err, c.path)
	}
	_, err := showback.Allocate(cost, nil, []showback.Key{equal}, &showback.Options{Centres: []string{"b", "b"}})
	wantField(t, "Allocate to a centre that does not exist", err, "keys[0].targets[0].id")
	wantField(t, "Allocate with a centre twice", err, "centres[1]")

	byUsage := []showback.Key{{Pool: "p", Method: showback.ByUsage, Metric: "m"}}
	_, err = showback.Allocate(cost, []showback.Usage{{Metric: "m", Centre: "a", Units: 1}, {Metric: "other", Centre: "a", Units: -1}}, byUsage, nil)
	wantField(t, "negative usage", err, "usage[1].units")
	if !errors.Is(err, showback.ErrNegativeUsage) {
		t.Errorf("negative usage: %v, want %v", err, showback.ErrNegativeUsage)
	}
	_, err = showback.Allocate(cost, []showback.Usage{{Metric: "m", Centre: "a"}}, byUsage, nil)
	wantField(t, "zero usage", err, "keys[0]")
	if !errors.Is(err, showback.ErrNoUsage) {
		t.Errorf("zero usage: %v, want %v", err, showback.ErrNoUsage)
	}
	if a, err := showback.Allocate(nil, nil, byUsage, nil); err != nil || a.Total.IsSet() {
		t.Errorf("no cost and no usage: %+v, %v, want a total that is not set", a, err)
	}
	huge := showback.Usage{Metric: "m", Centre: "a", Units: math.MaxInt64}
	if _, err = showback.Allocate(cost, []showback.Usage{huge, huge, huge}, byUsage, nil); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("too much usage: %v, want %v", err, money.ErrOverflow)
	}
	two := []showback.Cost{cost[0], {Item: "y", Pool: "p", Amount: amount("1 USD")}}
	if _, err = showback.Allocate(two, nil, []showback.Key{equal}, nil); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("two currencies: %v, want %v", err, money.ErrCurrency)
	}
	if _, err = showback.Allocate([]showback.Cost{{Item: "x", Pool: "p"}}, nil, []showback.Key{equal}, nil); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("no amount: %v, want %v", err, money.ErrCurrency)
	}
}

// books are a random case that has an answer.
type books struct {
	costs []showback.Cost
	usage []showback.Usage
	keys  []showback.Key
}

// draw makes pools that pass cost on to later ones, by every method.
func draw(r *rand.Rand) books {
	var b books
	pools, centres := 1+r.IntN(4), 1+r.IntN(9)
	for p := range pools {
		key := showback.Key{Pool: fmt.Sprintf("pool%d", p)}
		var targets []showback.Target
		for q := p + 1; q < pools; q++ {
			targets = append(targets, showback.Target{ID: fmt.Sprintf("pool%d", q)})
		}
		for c := range centres {
			targets = append(targets, showback.Target{ID: fmt.Sprintf("centre%d", c)})
		}
		switch r.IntN(5) {
		case 0:
			key.Method, key.Targets = showback.Equal, targets
		case 1:
			key.Method, key.Targets = showback.Weight, targets
			for i := range targets {
				targets[i].Weight = 1 + r.Int64N(100)
			}
		case 2:
			key.Method, key.Targets = showback.Percent, targets
			for i := range targets {
				targets[i].Percent = money.Percent(r.Int64N(int64(money.WholePercent(100)) / int64(len(targets))))
			}
		default:
			key.Method, key.Metric = showback.ByUsage, fmt.Sprintf("metric%d", p)
			if r.IntN(2) == 0 {
				key.Method, key.Bands = showback.TieredUsage, []showback.Band{{UpTo: 500, Weight: 1 + r.Int64N(9)}, {UpTo: 1000, Weight: r.Int64N(9)}, {Weight: r.Int64N(9)}}
			}
			b.usage = append(b.usage, showback.Usage{Metric: key.Metric, Centre: "", Units: r.Int64N(100)}, showback.Usage{Metric: key.Metric, Centre: "centre0", Units: 1})
			for range 30 {
				b.usage = append(b.usage, showback.Usage{Metric: key.Metric, Centre: targets[r.IntN(len(targets))].ID, Units: r.Int64N(1000)})
			}
		}
		b.keys = append(b.keys, key)
	}
	for i := range 1 + r.IntN(8) {
		b.costs = append(b.costs, showback.Cost{Item: fmt.Sprintf("item%d", i), Pool: fmt.Sprintf("pool%d", r.IntN(pools+1)), Amount: eur(r.Int64N(2_000_000) - 500_000)})
	}
	return b
}

// Parts add up to the whole: of each division, of each item, and of all.
func TestLawSums(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 500 {
		b := draw(r)
		a, err := showback.Allocate(b.costs, b.usage, b.keys, nil)
		if err != nil {
			t.Fatalf("case %d: %v", i, err)
		}
		checkSums(t, b.costs, a)
	}
}

// checkSums adds up by other means than the package.
func checkSums(t *testing.T, costs []showback.Cost, a *showback.Allocation) {
	t.Helper()
	items, divided, wholes, centres := map[string]int64{}, map[[2]string]int64{}, map[[2]string]int64{}, map[string]int64{}
	total := int64(0)
	for _, c := range costs {
		items[c.Item] += c.Amount.Minor()
		total += c.Amount.Minor()
	}
	for _, l := range a.Lines {
		at := [2]string{l.Pool, l.Item}
		divided[at] += l.Amount.Minor()
		wholes[at] = l.Cost.Minor()
		if !l.Shared {
			items[l.Item] -= l.Amount.Minor()
			centres[l.To] += l.Amount.Minor()
		}
		// No part is a whole minor unit off its exact share.
		exact := new(big.Rat).Mul(new(big.Rat).SetInt64(l.Cost.Minor()), new(big.Rat).SetFrac(new(big.Int).SetUint64(l.Part), new(big.Int).SetUint64(l.Whole)))
		if off := exact.Sub(exact, new(big.Rat).SetInt64(l.Amount.Minor())); off.Abs(off).Cmp(big.NewRat(1, 1)) >= 0 {
			t.Errorf("%s is off by %v", l.Formula(), off)
		}
	}
	for at, cents := range divided {
		if cents != wholes[at] {
			t.Errorf("item %q in pool %q: parts add up to %d, want %d", at[1], at[0], cents, wholes[at])
		}
	}
	for item, cents := range items {
		if cents != 0 {
			t.Errorf("item %q: %d cents are lost", item, cents)
		}
	}
	for _, c := range a.Centres {
		if centres[c.Centre] != c.Amount.Minor() {
			t.Errorf("centre %q bears %v, its lines %d", c.Centre, c.Amount, centres[c.Centre])
		}
		total -= c.Amount.Minor()
	}
	if total -= a.Unallocated.Minor(); total != 0 {
		t.Errorf("%d cents between the costs and what is borne", total)
	}
}

// Beside a slow model: usage added up by brute force, and parts by fractions of any size.
func TestAllocateModel(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	for i := range 100 {
		b := draw(r)
		a, err := showback.Allocate(b.costs, b.usage, b.keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		lines := a.Lines
		pools := map[string]map[string]int64{}
		pour := func(pool, item string, cents int64) {
			if pools[pool] == nil {
				pools[pool] = map[string]int64{}
			}
			pools[pool][item] += cents
		}
		for _, c := range b.costs {
			pour(c.Pool, c.Item, c.Amount.Minor())
		}
		for _, k := range b.keys {
			weights := weigh(k, b.usage)
			for _, item := range slices.Sorted(maps.Keys(pools[k.Pool])) {
				for _, part := range apportion(pools[k.Pool][item], weights) {
					if len(lines) == 0 || lines[0].Pool != k.Pool || lines[0].Item != item || lines[0].To != part.to || lines[0].Amount.Minor() != part.cents {
						t.Fatalf("case %d: pool %q, item %q: line %+v, want %+v", i, k.Pool, item, lines[:min(1, len(lines))], part)
					}
					pour(part.to, item, part.cents)
					lines = lines[1:]
				}
			}
		}
		for _, l := range lines {
			if l.Method != "" || l.To != "" || l.Amount.Minor() != pools[l.Pool][l.Item] {
				t.Fatalf("case %d: line %+v is left, want what has no key", i, l)
			}
		}
	}
}

type modelPart struct {
	to     string
	weight *big.Rat
	cents  int64
}

// weigh returns who bears a pool and how much of it, without order.
func weigh(k showback.Key, usage []showback.Usage) []modelPart {
	sums := map[string]*big.Rat{}
	add := func(to string, n int64) {
		if sums[to] == nil {
			sums[to] = new(big.Rat)
		}
		sums[to].Add(sums[to], big.NewRat(n, 1))
	}
	rest := int64(money.WholePercent(100))
	for _, t := range k.Targets {
		switch k.Method {
		case showback.Equal:
			add(t.ID, 1)
		case showback.Percent:
			add(t.ID, int64(t.Percent))
			rest -= int64(t.Percent)
		default:
			add(t.ID, t.Weight)
		}
	}
	if k.Method == showback.Percent {
		add("", rest)
	}
	units := map[string]int64{}
	for _, u := range usage {
		if u.Metric == k.Metric && k.Metric != "" {
			units[u.Centre] += u.Units
		}
	}
	for to, n := range units {
		if k.Method == showback.ByUsage {
			add(to, n)
			continue
		}
		for unit := int64(1); unit <= n; unit++ { // one by one
			band := slices.IndexFunc(k.Bands, func(b showback.Band) bool { return b.UpTo == 0 || unit <= b.UpTo })
			add(to, k.Bands[band].Weight)
		}
	}
	var parts []modelPart
	for to, sum := range sums {
		if sum.Sign() > 0 {
			parts = append(parts, modelPart{to: to, weight: sum})
		}
	}
	return parts
}

// apportion gives each its part cut towards zero, and what is left to the largest
// remainder, cent by cent.
func apportion(cents int64, parts []modelPart) []modelPart {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(x, y modelPart) int {
		if x.to == "" || y.to == "" {
			return strings.Compare(y.to, x.to) // nobody is last
		}
		return strings.Compare(x.to, y.to)
	})
	whole := new(big.Rat)
	for _, p := range parts {
		whole.Add(whole, p.weight)
	}
	sign, left := int64(1), cents
	if cents < 0 {
		sign, left = -1, -cents
	}
	size := left
	remainders := make([]*big.Rat, len(parts))
	for i := range parts {
		exact := new(big.Rat).Quo(new(big.Rat).Mul(parts[i].weight, big.NewRat(size, 1)), whole)
		floor := new(big.Int).Quo(exact.Num(), exact.Denom())
		parts[i].cents = floor.Int64()
		left -= floor.Int64()
		remainders[i] = exact.Sub(exact, new(big.Rat).SetInt(floor))
	}
	for ; left > 0; left-- {
		most := 0
		for i := range remainders {
			if remainders[i].Cmp(remainders[most]) > 0 {
				most = i
			}
		}
		parts[most].cents++
		remainders[most] = big.NewRat(-1, 1)
	}
	for i := range parts {
		parts[i].cents *= sign
	}
	return parts
}

// The order of costs, usage and targets changes nothing.
func TestLawOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 200 {
		b := draw(r)
		want, err := showback.Allocate(b.costs, b.usage, b.keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Shuffle(len(b.costs), func(i, j int) { b.costs[i], b.costs[j] = b.costs[j], b.costs[i] })
		r.Shuffle(len(b.usage), func(i, j int) { b.usage[i], b.usage[j] = b.usage[j], b.usage[i] })
		for _, k := range b.keys {
			r.Shuffle(len(k.Targets), func(i, j int) { k.Targets[i], k.Targets[j] = k.Targets[j], k.Targets[i] })
		}
		got, err := showback.Allocate(b.costs, b.usage, b.keys, nil)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("case %d: %+v, %v after shuffling, want %+v", i, got, err, want)
		}
	}
}

// Usage and weights count in proportion only: all of them times seven divide alike. All
// costs with the other sign give all amounts with the other sign.
func TestLawScaling(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for i := range 200 {
		b := draw(r)
		want, err := showback.Allocate(b.costs, b.usage, b.keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		for j := range b.usage {
			b.usage[j].Units *= 7
		}
		for _, k := range b.keys {
			for j := range k.Targets {
				k.Targets[j].Weight *= 7
			}
			for j := range k.Bands {
				k.Bands[j].UpTo *= 7
			}
		}
		for j := range b.costs {
			b.costs[j].Amount = eur(-b.costs[j].Amount.Minor())
		}
		got, err := showback.Allocate(b.costs, b.usage, b.keys, nil)
		if err != nil || len(got.Lines) != len(want.Lines) {
			t.Fatalf("case %d: %+v, %v, want as many lines as %+v", i, got, err, want)
		}
		for j, l := range got.Lines {
			if w := want.Lines[j]; l.To != w.To || l.Amount.Minor() != -w.Amount.Minor() {
				t.Fatalf("case %d: %s, want the opposite of %s", i, l.Formula(), w.Formula())
			}
		}
	}
}

// FuzzAllocate: whatever the numbers, there is an error or everything adds up.
func FuzzAllocate(f *testing.F) {
	f.Add(int64(10000), int64(-1), int64(1), int64(1), int64(1), uint8(0))
	f.Add(int64(100000), int64(0), int64(7), int64(11), int64(13), uint8(1))
	f.Add(int64(math.MinInt64), int64(1), int64(math.MaxInt64), int64(math.MaxInt64), int64(0), uint8(2))
	f.Add(int64(-10000), int64(50), int64(500_000_000), int64(1), int64(2), uint8(3))
	f.Fuzz(func(t *testing.T, first, second, x, y, z int64, method uint8) {
		costs := []showback.Cost{{Item: "i", Pool: "p", Amount: eur(first)}, {Item: "j", Pool: "q", Amount: eur(second)}}
		usage := []showback.Usage{{Metric: "m", Centre: "a", Units: x}, {Metric: "m", Centre: "b", Units: y}, {Metric: "m", Units: z}}
		p := showback.Key{Pool: "p", Method: []showback.Method{showback.ByUsage, showback.TieredUsage, showback.Weight, showback.Percent, "other"}[method%5]}
		switch p.Method {
		case showback.ByUsage:
			p.Metric = "m"
		case showback.TieredUsage:
			p.Metric, p.Bands = "m", []showback.Band{{UpTo: z, Weight: x}, {Weight: y}}
		default:
			for i, n := range []int64{x, y, z} {
				target := showback.Target{ID: []string{"a", "q", "b"}[i], Weight: n}
				if p.Method == showback.Percent {
					target.Weight, target.Percent = 0, money.Percent(n)
				}
				p.Targets = append(p.Targets, target)
			}
		}
		q := showback.Key{Pool: "q", Method: showback.ByUsage, Metric: "m", Fallback: &showback.Key{Method: showback.Equal, Targets: []showback.Target{{ID: "c"}}}}
		a, err := showback.Allocate(costs, usage, []showback.Key{p, q}, nil)
		if err == nil {
			checkSums(t, costs, a)
		}
		usage = append(usage, showback.Usage{Metric: "m", Centre: "p", Units: y}, showback.Usage{Metric: "m", Centre: "q", Units: x})
		if a, err := showback.Allocate(costs, usage, []showback.Key{p, q}, reciprocal); err == nil {
			checkSums(t, costs, a)
		}
	})
}
