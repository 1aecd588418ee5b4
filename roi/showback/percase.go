package showback

import (
	"fmt"
	"math/big"
	"time"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// Group is a number of incidents or tickets that weigh the same, such as those of one
// severity.
type Group struct {
	Name  string `json:"name"`
	Count int64  `json:"count"` // 0 or more
	// Weight of one of them against the others, above 0. Defaults to 1.
	Weight int64 `json:"weight,omitempty"`
}

// CaseCost is what an incident or a ticket costs on average.
type CaseCost struct {
	Cost  money.Amount `json:"cost"`
	Count int64        `json:"count"`
	// PerCase is Cost by Count, rounded half up; not set if nothing happened, as there
	// is then no average.
	PerCase money.Amount `json:"per_case"`
	// Groups with what one of them costs by weight.
	Groups  []GroupCost `json:"groups,omitempty"`
	Formula string      `json:"formula"`
}

// GroupCost is the cost of a group.
type GroupCost struct {
	Group
	// PerCase is what one costs, rounded half up; not set if there is none. Share is
	// what all of them cost; the shares add up to the cost exactly.
	PerCase money.Amount `json:"per_case"`
	Share   money.Amount `json:"share"`
}

// FullCost divides the cost of operations by incidents, or that of a service desk by
// tickets:
//
//	per case     = cost / Σ count
//	per group    = cost × weight / Σ (count × weight)
//
// It tells what incidents cost on average, not what is saved by one incident less: that
// is [MarginalCost]. Shares are rounded by largest remainder, ties to the earlier group.
// Problems of the groups come joined, as [*FieldError] values.
func FullCost(cost money.Amount, groups []Group) (CaseCost, error) {
	var bad problems
	if !cost.IsSet() {
		bad.add("cost", cost, "an amount", money.ErrCurrency)
	}
	c := CaseCost{Cost: cost}
	weights := make([]int64, len(groups))
	whole := new(big.Int)
	for i, g := range groups {
		path := fmt.Sprintf("groups[%d]", i)
		if g.Count < 0 {
			bad.add(path+".count", g.Count, "0 or more", nil)
		}
		if g.Weight < 0 {
			bad.add(path+".weight", g.Weight, "above 0", nil)
		}
		if g.Weight == 0 {
			g.Weight = 1
		}
		if c.Count += g.Count; c.Count < 0 {
			bad.add(path+".count", g.Count, "a sum that fits 63 bits", money.ErrOverflow)
		}
		weight := new(big.Int).Mul(big.NewInt(g.Count), big.NewInt(g.Weight))
		if whole.Add(whole, weight); !whole.IsInt64() {
			bad.add(path+".weight", g.Weight, "counts by weight whose sum fits 63 bits", money.ErrOverflow)
		}
		weights[i] = weight.Int64()
		c.Groups = append(c.Groups, GroupCost{Group: g})
	}
	if err := bad.join(); err != nil {
		return CaseCost{}, err
	}
	if c.Count == 0 {
		c.Formula = fmt.Sprintf("%v / 0: n/a", cost)
		return c, nil
	}
	var err error
	if c.PerCase, err = cost.Share(1, c.Count, money.HalfUp); err != nil {
		return CaseCost{}, err
	}
	c.Formula = fmt.Sprintf("%v / %d = %v", cost, c.Count, c.PerCase)
	shares, err := cost.Allocate(weights...)
	if err != nil {
		return CaseCost{}, err
	}
	for i := range c.Groups {
		g := &c.Groups[i]
		g.Share = shares[i]
		if g.Count > 0 {
			if g.PerCase, err = cost.Share(g.Weight, whole.Int64(), money.HalfUp); err != nil {
				return CaseCost{}, err
			}
		}
	}
	return c, nil
}

// Effort is what one incident took.
type Effort struct {
	// Time of all people together, at Rate an hour.
	Time time.Duration `json:"time_ns"`
	Rate money.Amount  `json:"rate"`
	// Vendor and Credits are what a supplier charged and what customers got back.
	// Default to nothing.
	Vendor  money.Amount `json:"vendor,omitzero"`
	Credits money.Amount `json:"credits,omitzero"`
}

// MarginalCost is what would have been saved without the incident,
//
//	time × rate + vendor + credits
//
// with the time rounded half up to the minor unit. The error is a [*FieldError] for a
// negative time, or one of [money.ErrCurrency] and [money.ErrOverflow].
func MarginalCost(e Effort) (money.Amount, error) {
	if e.Time < 0 {
		return money.Amount{}, &FieldError{Path: "time", Value: e.Time.String(), Want: "0 or more"}
	}
	sum, err := e.Rate.Share(int64(e.Time), int64(time.Hour), money.HalfUp)
	if err != nil {
		return money.Amount{}, err
	}
	for _, more := range []money.Amount{e.Vendor, e.Credits} {
		if !more.IsSet() {
			continue
		}
		if sum, err = sum.Add(more); err != nil {
			return money.Amount{}, err
		}
	}
	return sum, nil
}
