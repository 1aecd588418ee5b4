package showback_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// offers: small 100.00 with 10 units and 12.00 for each more, large 500.00 with 100 units,
// then 2.50 for each of up to 1000 and not sold beyond; free for 3 units only.
func offers() []showback.Tier {
	return []showback.Tier{
		{Name: "small", Fee: amount("100 EUR"), Included: 10, Bands: []showback.PriceBand{{Price: amount("12 EUR")}}},
		{Name: "large", Fee: amount("500 EUR"), Included: 100, Bands: []showback.PriceBand{{UpTo: 1000, Price: amount("250 EUR"), Per: 100}}},
		{Name: "free", Fee: amount("0 EUR"), Included: 3},
	}
}

func TestCompareTiers(t *testing.T) {
	// 100 + 12 × (n − 10) > 500 from n = 44 on: 100 + 12 × 33 = 496, 100 + 12 × 34 = 508
	want := []showback.Range{{From: 0, To: 3, Tier: "free"}, {From: 4, To: 43, Tier: "small"}, {From: 44, To: 1000, Tier: "large"}, {From: 1001, To: 2000, Tier: "small"}}
	for _, c := range []struct {
		workload int64
		cheapest string
		costs    string
	}{
		{0, "free", "100.00 500.00 0.00"},
		{3, "free", "100.00 500.00 0.00"},
		{4, "small", "100.00 500.00 -"},
		{43, "small", "496.00 500.00 -"},
		{44, "large", "508.00 500.00 -"},
		{101, "large", "1192.00 502.50 -"},
		{1000, "large", "11980.00 2750.00 -"},
		{1001, "small", "11992.00 - -"},
	} {
		got, err := showback.CompareTiers(offers(), c.workload, 2000)
		if err != nil {
			t.Fatal(err)
		}
		var costs []money.Amount
		for _, tier := range got.Costs {
			costs = append(costs, tier.Cost)
		}
		if got.Cheapest != c.cheapest || textOf(costs...) != c.costs || !slices.Equal(got.Ranges, want) {
			t.Errorf("%d units: %q, %s, %v, want %q, %s, %v", c.workload, got.Cheapest, textOf(costs...), got.Ranges, c.cheapest, c.costs, want)
		}
	}
	got, err := showback.CompareTiers(offers(), 150, 150)
	if err != nil || got.Costs[1].Formula != "500.00 EUR for 100 units + 50 x 250.00 EUR per 100 = 625.00 EUR" || got.Costs[2].Formula != "not sold for 150 units" {
		t.Errorf("formulas %+v, %v", got.Costs, err)
	}
	got, err = showback.CompareTiers(offers()[2:], 9, math.MaxInt64-1)
	if want := []showback.Range{{From: 0, To: 3, Tier: "free"}, {From: 4, To: math.MaxInt64 - 1}}; err != nil || got.Cheapest != "" || !slices.Equal(got.Ranges, want) {
		t.Errorf("not sold: %+v, %v, want %v", got, err, want)
	}
}

// Beside a walk over every workload that keeps the cheapest until another is cheaper.
func TestLawTiers(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	const end = 120
	for i := range 300 {
		var tiers []showback.Tier
		table := make([][]int64, 1+r.IntN(5)) // cents × 60 by workload, -1 where not sold
		for j := range table {
			tier := showback.Tier{Name: fmt.Sprintf("t%d", j), Fee: eur(r.Int64N(50)), Included: r.Int64N(30)}
			table[j] = make([]int64, end+1)
			last, sum := tier.Included, 60*tier.Fee.Minor()
			for u := range table[j] {
				table[j][u] = sum
			}
			open := false
			for range r.IntN(4) {
				band := showback.PriceBand{UpTo: last + 1 + r.Int64N(40), Price: eur(r.Int64N(6)), Per: 1 + r.Int64N(5)}
				to := band.UpTo
				if open = r.IntN(5) == 0; open {
					band.UpTo, to = 0, end
				}
				tier.Bands = append(tier.Bands, band)
				for u := last + 1; u <= to; u++ {
					sum += 60 / band.Per * band.Price.Minor()
					if u <= end {
						table[j][u] = sum
					}
				}
				if last = to; open {
					break
				}
			}
			for u := last + 1; u <= end && !open; u++ {
				table[j][u] = -1
			}
			tiers = append(tiers, tier)
		}
		var want []showback.Range
		holder := -1
		for u := range int64(end + 1) {
			if holder >= 0 && table[holder][u] < 0 {
				holder = -1
			}
			for j := range table {
				if c := table[j][u]; c >= 0 && (holder < 0 || c < table[holder][u]) {
					holder = j
				}
			}
			name := ""
			if holder >= 0 {
				name = tiers[holder].Name
			}
			if n := len(want); n > 0 && want[n-1].Tier == name {
				want[n-1].To = u
			} else {
				want = append(want, showback.Range{From: u, To: u, Tier: name})
			}
		}
		workload := r.Int64N(end + 1)
		got, err := showback.CompareTiers(tiers, workload, end)
		if err != nil || !slices.Equal(got.Ranges, want) {
			t.Fatalf("case %d, %+v: %v, %v, want %v", i, tiers, got, err, want)
		}
		for j, c := range got.Costs {
			exact := table[j][workload]
			if c.Cost.IsSet() != (exact >= 0) || exact >= 0 && c.Cost.Minor() != (2*exact+60)/120 {
				t.Fatalf("case %d: %d units of %+v cost %v, want %d/60 cents", i, workload, tiers[j], c.Cost, exact)
			}
		}
	}
}

func TestCompareTiersErrors(t *testing.T) {
	price := amount("1 EUR")
	for path, tier := range map[string]showback.Tier{
		"tiers[0].name":           {Fee: price},
		"tiers[0].fee":            {Name: "x"},
		"tiers[0].included":       {Name: "x", Fee: price, Included: -1},
		"tiers[0].bands[0].up_to": {Name: "x", Fee: price, Included: 5, Bands: []showback.PriceBand{{UpTo: 5, Price: price}}},
		"tiers[0].bands[0].price": {Name: "x", Fee: price, Bands: []showback.PriceBand{{Price: amount("1 USD")}}},
		"tiers[0].bands[0].per":   {Name: "x", Fee: price, Bands: []showback.PriceBand{{Price: price, Per: -1}}},
	} {
		_, err := showback.CompareTiers([]showback.Tier{tier}, 1, 1)
		wantField(t, "CompareTiers", err, path)
	}
	_, err := showback.CompareTiers(nil, -1, -2)
	for _, path := range []string{"tiers", "workload", "end"} {
		wantField(t, "CompareTiers of nothing", err, path)
	}
	costly := []showback.Tier{{Name: "x", Fee: price, Bands: []showback.PriceBand{{Price: price}}}}
	if _, err = showback.CompareTiers(costly, math.MaxInt64-1, math.MaxInt64-1); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("CompareTiers of too much: %v, want %v", err, money.ErrOverflow)
	}
}
