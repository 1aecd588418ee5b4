package showback

import (
	"encoding/json"
	"fmt"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// Method is how a key divides.
type Method string

// The methods of keys.
const (
	Equal       Method = "equal"        // the same for each target
	Percent     Method = "percent"      // fixed percentages; what is left to 100 stays unallocated
	Weight      Method = "weight"       // in proportion to fixed weights
	ByUsage     Method = "usage"        // in proportion to the units of a metric
	TieredUsage Method = "tiered_usage" // in proportion to units that weigh by band
	// Reciprocal is the method of lines of pools that serve each other, see
	// [Options]; no key has it.
	Reciprocal Method = "reciprocal"
)

// Key says how the cost of a pool is divided.
type Key struct {
	Pool   string `json:"pool,omitempty"`
	Method Method `json:"method"`
	// Targets of Equal, Percent and Weight: cost centres, or pools that are
	// declared later. Defaults, for Equal, to Options.Centres.
	Targets []Target `json:"targets,omitempty"`
	// Metric of ByUsage and TieredUsage.
	Metric string `json:"metric,omitempty"`
	// Bands of TieredUsage, for the units of one target.
	Bands []Band `json:"bands,omitempty"`
	// Fallback divides if there is nothing to divide by. Its pool is that of the
	// key, and it has no fallback itself. Defaults to an error, [ErrNoUsage].
	Fallback *Key `json:"fallback,omitempty"`
}

// Target gets a part of a pool.
type Target struct {
	ID      string        `json:"id"`
	Weight  int64         `json:"weight,omitempty"`  // of Weight, 0 or more
	Percent money.Percent `json:"percent,omitempty"` // of Percent
}

// Band weighs units: those above the band before, up to and with UpTo.
type Band struct {
	UpTo   int64 `json:"up_to,omitempty"` // ascending; 0 for no end, in the last band only
	Weight int64 `json:"weight"`          // of one unit, 0 or more
}

// Usage is a row of consumption. Units are whole: scale what is not, such as hours to
// seconds.
type Usage struct {
	Metric string `json:"metric"`
	// Centre is the cost centre or pool that used it. Units of nobody, "", count,
	// and their part of the cost stays unallocated.
	Centre string `json:"centre"`
	Units  int64  `json:"units"`
}

// Options of [Allocate]. The zero value is the default.
type Options struct {
	// Centres that exist. Usage of any other name than these and the pools stays
	// unallocated, and a key that names one is an error. Defaults to every name that
	// occurs.
	Centres []string
	// Reciprocal lets pools pass cost to each other and to themselves. What they do
	// so is solved as simultaneous equations: each of these pools divides what it
	// costs, in lines of the method [Reciprocal], among all that is outside of the
	// circle in the shares in which it would arrive there in the end. The shares are
	// exact where their whole fits 64 bits, else in units of 10^-18. The time grows
	// fast with the pools in a circle: forty that all serve each other take about half
	// a second, twice as many some twenty-five times as long. Defaults to an error, a
	// [*CycleError].
	Reciprocal bool
}

// Line is a part of the cost of an item that goes to a target.
type Line struct {
	Item string `json:"item"`
	Pool string `json:"pool"`
	// To is a cost centre, or a pool if Shared; "" if unallocated.
	To string `json:"to"`
	// Shared says that the target is a pool, which passes the part on in lines of
	// its own.
	Shared bool `json:"shared,omitempty"`
	// Method and Metric of the key that divided; no method if the pool has no key.
	Method   Method `json:"method,omitempty"`
	Metric   string `json:"metric,omitempty"`
	Fallback bool   `json:"fallback,omitempty"` // the fallback of the key divided
	// Part of Whole is the share of the target: weights, percentages in units of
	// 10^-7, or units.
	Part  uint64 `json:"part"`
	Whole uint64 `json:"whole"`
	// Cost is what the item costs in the pool; Amount is the part of the target.
	Cost   money.Amount `json:"cost"`
	Amount money.Amount `json:"amount"`
}

// Formula says how the amount comes about: "100.00 EUR x 1/3 (equal) = 33.34 EUR".
func (l Line) Formula() string {
	if l.Method == "" {
		return fmt.Sprintf("%v: no key for pool %q", l.Amount, l.Pool)
	}
	how := string(l.Method)
	if l.Metric != "" {
		how += " of " + l.Metric
	}
	if l.Fallback {
		how += ", fallback"
	}
	share := fmt.Sprintf("%d/%d", l.Part, l.Whole)
	if l.Method == Percent && l.Whole == uint64(money.WholePercent(100)) {
		share = money.Percent(l.Part).String()
	}
	return fmt.Sprintf("%v x %s (%s) = %v", l.Cost, share, how, l.Amount)
}

// MarshalJSON writes the fields and the formula.
func (l Line) MarshalJSON() ([]byte, error) {
	type plain Line
	return json.Marshal(struct {
		plain
		Formula string `json:"formula"`
	}{plain(l), l.Formula()})
}

// CentreTotal is what a cost centre bears.
type CentreTotal struct {
	Centre string       `json:"centre"`
	Amount money.Amount `json:"amount"`
}

// Allocation is the outcome of [Allocate].
type Allocation struct {
	// Lines by key in declared order, then item, then target; unallocated parts are
	// last. Pools without a key come at the end.
	Lines []Line `json:"lines"`
	// Centres with at least one line, by id.
	Centres []CentreTotal `json:"centres"`
	// Unallocated is what no cost centre bears. With the totals of the centres it
	// adds up to Total exactly. Both are not set if there is no cost.
	Unallocated money.Amount `json:"unallocated"`
	Total       money.Amount `json:"total"`
	// IgnoredMetrics have usage and no key, by name.
	IgnoredMetrics []string `json:"ignored_metrics,omitempty"`
}

// Allocate divides costs by keys. Keys are worked off in declared order (step-down,
// so shared services come first): a pool that gets a part of another passes it on
// with its own cost. Pools that pass cost to each other are a [*CycleError], and so
// is a pool that uses itself, unless Options.Reciprocal is set and not all of their cost
// goes round for ever; one that otherwise passes cost to a pool declared before it is
// a [*FieldError].
//
// Each item is divided by itself. The parts are cut towards zero, and the minor units
// left over go one each to the largest remainders, ties to the smaller id, unallocated
// last (the method of Hamilton):
//
//	100.00 over 1:1:1 = 33.34, 33.33, 33.33
//
// So the parts of an item add up to it, and the lines of a centre to its total. Costs
// with the same item and pool are added up first. The order of costs, usage and targets
// does not matter. All amounts must have one currency.
//
// Errors are [*FieldError] values, joined where they are about keys; [ErrNegativeUsage]
// and [ErrNoUsage] tell two of them apart, [money.ErrOverflow] is what no longer fits.
// The cost is linear in the rows of usage, about a map access each. Nothing is retained.
func Allocate(costs []Cost, usage []Usage, keys []Key, o *Options) (*Allocation, error) {
	if o == nil {
		o = &Options{}
	}
	d, err := newDivider(keys, o)
	if err != nil {
		return nil, err
	}
	if err := d.count(usage); err != nil {
		return nil, err
	}
	d.rank()
	for i := range keys {
		d.bases[i] = d.base(i)
	}
	if o.Reciprocal {
		if err := d.reciprocate(); err != nil {
			return nil, err
		}
	}
	if err := d.checkOrder(); err != nil {
		return nil, err
	}
	return d.divide(costs)
}
