package showback

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// Tier is an offer: a fee with units included, and prices for those above.
type Tier struct {
	Name string       `json:"name"`
	Fee  money.Amount `json:"fee"`
	// Included units cost no more than the fee.
	Included int64 `json:"included,omitempty"`
	// Bands of prices for the units above Included. Without any, and above the last
	// one if it ends, the tier is not sold.
	Bands []PriceBand `json:"bands,omitempty"`
}

// PriceBand prices units above those of the band before.
type PriceBand struct {
	// UpTo is the last workload of the band, the included units counted too; ascending
	// and 0 for no end, in the last band only.
	UpTo  int64        `json:"up_to,omitempty"`
	Price money.Amount `json:"price"` // for Per units, 0 or more
	// Per is the number of units that the price is for. Defaults to 1.
	Per int64 `json:"per,omitempty"`
}

// TierCost is what a workload costs in a tier.
type TierCost struct {
	Tier string `json:"tier"`
	// Cost is rounded once, half up; not set if the tier is not sold for the workload.
	Cost    money.Amount `json:"cost"`
	Formula string       `json:"formula"`
}

// Range are workloads for which a tier is the cheapest, both ends included.
type Range struct {
	From int64  `json:"from"`
	To   int64  `json:"to"`
	Tier string `json:"tier"` // "" if none is sold
}

// TierComparison says which tier pays.
type TierComparison struct {
	Workload int64 `json:"workload"`
	// Costs in the order of the tiers.
	Costs []TierCost `json:"costs"`
	// Cheapest tier for the workload, "" if none is sold.
	Cheapest string `json:"cheapest"`
	// Ranges from 0 to the end asked for. Each begins with the first workload for
	// which its tier is strictly cheaper than the one before: the break-even.
	Ranges []Range `json:"ranges"`
}

// CompareTiers returns what a workload costs in each tier, and which one is the cheapest
// for every workload from 0 to end, which must not be less than the workload. Tiers are compared by exact cost, before rounding;
// of equal ones the cheapest stays who was it for one unit less, then the earlier wins.
// Problems come joined, as [*FieldError] values. The cost is the number of tiers times
// the number of bands and changes, not the length of the range.
func CompareTiers(tiers []Tier, workload, end int64) (*TierComparison, error) {
	if err := checkTiers(tiers, workload, end); err != nil {
		return nil, err
	}
	c := &TierComparison{Workload: workload}
	for i := range tiers {
		cost, err := tiers[i].cost(workload)
		if err != nil {
			return nil, err
		}
		c.Costs = append(c.Costs, cost)
	}
	c.Ranges = ranges(tiers, end)
	for _, r := range c.Ranges {
		if r.From <= workload {
			c.Cheapest = r.Tier
		}
	}
	return c, nil
}

// checkTiers finds what is wrong with tiers and workloads.
func checkTiers(tiers []Tier, workload, end int64) error {
	var bad problems
	if len(tiers) == 0 {
		bad.add("tiers", 0, "at least one", nil)
	}
	if workload < 0 {
		bad.add("workload", workload, "0 or more", nil)
	}
	if end < workload || end == math.MaxInt64 {
		bad.add("end", end, "the workload or more, below the largest int64", nil)
	}
	names := map[string]bool{}
	for i := range tiers {
		t := &tiers[i]
		path := fmt.Sprintf("tiers[%d]", i)
		if t.Name == "" || names[t.Name] {
			bad.add(path+".name", t.Name, "a name that no other tier has", nil)
		}
		names[t.Name] = true
		if !t.Fee.IsSet() || t.Fee.Currency() != tiers[0].Fee.Currency() || t.Fee.Sign() < 0 {
			bad.add(path+".fee", t.Fee, "0 or more, in one currency", money.ErrCurrency)
		}
		if t.Included < 0 {
			bad.add(path+".included", t.Included, "0 or more", nil)
		}
		last := t.Included
		for j, b := range t.Bands {
			path := fmt.Sprintf("%s.bands[%d]", path, j)
			if open := b.UpTo == 0 && j == len(t.Bands)-1; !open && b.UpTo <= last {
				bad.add(path+".up_to", b.UpTo, fmt.Sprintf("more than %d", last), nil)
			}
			last = b.UpTo
			if !b.Price.IsSet() || b.Price.Currency() != t.Fee.Currency() || b.Price.Sign() < 0 {
				bad.add(path+".price", b.Price, "0 or more, in the currency of the fee", money.ErrCurrency)
			}
			if b.Per < 0 {
				bad.add(path+".per", b.Per, "1 or more", nil)
			}
		}
	}
	return bad.join()
}

// exact returns the cost of a workload in minor units, and nil if it is not sold.
func (t *Tier) exact(workload int64) *big.Rat {
	sum := new(big.Rat).SetInt64(t.Fee.Minor())
	last := t.Included
	for _, b := range t.Bands {
		if workload <= last {
			return sum
		}
		end := workload
		if b.UpTo != 0 {
			end = min(end, b.UpTo)
		}
		price := big.NewRat(b.Price.Minor(), cmp.Or(b.Per, 1))
		sum.Add(sum, price.Mul(price, new(big.Rat).SetInt64(end-last)))
		last = end
	}
	if workload > last {
		return nil
	}
	return sum
}

// cost returns the rounded cost of a workload with its formula.
func (t *Tier) cost(workload int64) (TierCost, error) {
	c := TierCost{Tier: t.Name}
	exact := t.exact(workload)
	if exact == nil {
		c.Formula = fmt.Sprintf("not sold for %d units", workload)
		return c, nil
	}
	minor, ok := half(exact)
	if !ok {
		return c, errors.Join(fmt.Errorf("tier %q: %d units", t.Name, workload), money.ErrOverflow)
	}
	var err error
	if c.Cost, err = money.New(minor, t.Fee.Currency()); err != nil {
		return c, err
	}
	c.Formula = fmt.Sprintf("%v for %d units", t.Fee, t.Included)
	last := t.Included
	for _, b := range t.Bands {
		if workload <= last {
			break
		}
		end := workload
		if b.UpTo != 0 {
			end = min(end, b.UpTo)
		}
		c.Formula += fmt.Sprintf(" + %d x %v per %d", end-last, b.Price, cmp.Or(b.Per, 1))
		last = end
	}
	c.Formula += fmt.Sprintf(" = %v", c.Cost)
	return c, nil
}

// best returns the cheapest tier for a workload: the incumbent unless another is strictly
// cheaper, then the earliest; -1 if none is sold.
func best(tiers []Tier, workload int64, incumbent int) int {
	var least *big.Rat
	if incumbent >= 0 {
		least = tiers[incumbent].exact(workload)
	}
	at := incumbent
	if least == nil {
		at = -1
	}
	for i := range tiers {
		if cost := tiers[i].exact(workload); cost != nil && (least == nil || cost.Cmp(least) < 0) {
			at, least = i, cost
		}
	}
	return at
}

// ranges walks from change to change. Between two bends of any tier all costs are straight
// lines, so the next change there is where the first line crosses that of the cheapest.
func ranges(tiers []Tier, end int64) []Range {
	bends := []int64{end + 1}
	for i := range tiers {
		bends = append(bends, tiers[i].Included+1)
		for _, b := range tiers[i].Bands {
			bends = append(bends, b.UpTo+1)
		}
	}
	bends = slices.DeleteFunc(bends, func(b int64) bool { return b <= 0 || b > end+1 })
	slices.Sort(bends)
	bends = slices.Compact(bends)

	var out []Range
	holder := -1
	from := int64(0) // first workload of the stretch
	for _, next := range bends {
		for from < next {
			holder = best(tiers, from, holder)
			change := next
			if holder >= 0 {
				change = crossing(tiers, holder, from, next)
			}
			name := ""
			if holder >= 0 {
				name = tiers[holder].Name
			}
			if n := len(out); n > 0 && out[n-1].Tier == name {
				out[n-1].To = change - 1
			} else {
				out = append(out, Range{from, change - 1, name})
			}
			from = change
		}
	}
	return out
}

// crossing returns the first workload in (from, next) at which another tier is strictly
// cheaper than the holder, or next. All costs are linear on [from, next).
func crossing(tiers []Tier, holder int, from, next int64) int64 {
	if next-from < 2 {
		return next
	}
	start, slope := line(&tiers[holder], from)
	first := next
	for i := range tiers {
		if i == holder || tiers[i].exact(from) == nil {
			continue
		}
		otherStart, otherSlope := line(&tiers[i], from)
		gap, gain := otherStart.Sub(otherStart, start), otherSlope.Sub(slope, otherSlope)
		if gain.Sign() <= 0 {
			continue
		}
		steps := gap.Quo(gap, gain) // the other is strictly cheaper after more steps than this
		whole := new(big.Int).Quo(steps.Num(), steps.Denom())
		if whole.IsInt64() && whole.Int64() < first-from-1 {
			first = from + whole.Int64() + 1
		}
	}
	return first
}

// line returns the cost at a workload and what the next unit costs there.
func line(t *Tier, from int64) (start, slope *big.Rat) {
	start = t.exact(from)
	return start, new(big.Rat).Sub(t.exact(from+1), start)
}
