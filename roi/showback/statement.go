package showback

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// Statement shows a cost centre what it cost: the fact, without markup, to decide by.
type Statement struct {
	// Centre is "" for what no centre bears.
	Centre string       `json:"centre"`
	Month  Month        `json:"month,omitzero"`
	Total  money.Amount `json:"total"`
	// Lines of the allocation that end at the centre; they add up to Total. Sources
	// are the costs behind them, in the order of the items.
	Lines   []Line `json:"lines"`
	Sources []Cost `json:"sources,omitempty"`
	// Trend are the totals of the months before, then that of this one. A month
	// without the centre has an amount that is not set.
	Trend []MonthTotal `json:"trend,omitempty"`
	// Change is Total less that of the month before; not set if that is not known.
	Change money.Amount `json:"change"`
	// Budget of the centre, and Total less the budget: above zero is too much. Not set
	// without a budget.
	Budget     money.Amount `json:"budget"`
	OverBudget money.Amount `json:"over_budget"`
	// Units of the centre and what one of them cost, rounded half up; not set
	// without units.
	Units    int64        `json:"units,omitempty"`
	UnitCost money.Amount `json:"unit_cost"`
	// Waste is the part of the cost that was paid for nothing, rounded half up, and
	// WasteShare its share of the total. Not set and nil if no waste was given, and
	// nil if the total is not above zero.
	Waste      money.Amount   `json:"waste"`
	WasteShare *money.Percent `json:"waste_share"`
}

// MonthTotal is the total of a month, and what a unit cost then.
type MonthTotal struct {
	Month    Month        `json:"month"`
	Amount   money.Amount `json:"amount"`
	UnitCost money.Amount `json:"unit_cost"`
}

// Past is the allocation of an earlier month.
type Past struct {
	Month      Month
	Allocation *Allocation
	// Units of that month by cost centre. Defaults to no unit cost.
	Units map[string]int64
}

// Facts are what [Showback] knows besides the allocation. The zero value is that it
// knows nothing, and the figures that need it are not set.
type Facts struct {
	// Month of the allocation. Defaults to not set.
	Month Month
	// Costs that were allocated, shown as sources. Defaults to none.
	Costs []Cost
	// History are earlier months, ascending. Defaults to no trend.
	History []Past
	// Units by cost centre, for the unit cost: orders, users, requests. Defaults to no
	// unit cost.
	Units map[string]int64
	// Budget by cost centre for the month. Defaults to none.
	Budget map[string]money.Amount
	// Waste by item: how much of its cost in this month was for nothing, from 0 to all
	// of it, such as that of licences nobody uses. It is spread as the item is. Defaults
	// to no figure of waste.
	Waste map[string]money.Amount
}

// Showback returns a statement for every cost centre by id, and last one for what is
// not allocated if there is any such line. Their totals add up to that of the
// allocation. Problems of the facts come joined, as [*FieldError] values. facts may be
// nil.
func Showback(a *Allocation, facts *Facts) ([]Statement, error) {
	if facts == nil {
		facts = &Facts{}
	}
	perItem, err := totalsPerItem(a)
	if err != nil {
		return nil, err
	}
	if err := facts.check(a, perItem); err != nil {
		return nil, err
	}
	lines := map[string][]Line{}
	for i := range a.Lines {
		if l := &a.Lines[i]; !l.Shared {
			lines[l.To] = append(lines[l.To], *l)
		}
	}
	statements := make([]Statement, 0, len(lines))
	for _, c := range a.Centres {
		statements = append(statements, Statement{Centre: c.Centre, Total: c.Amount})
	}
	if len(lines[""]) > 0 {
		statements = append(statements, Statement{Total: a.Unallocated})
	}
	history := make([]map[string]money.Amount, len(facts.History))
	for i, p := range facts.History {
		history[i] = map[string]money.Amount{"": p.Allocation.Unallocated}
		for _, c := range p.Allocation.Centres {
			history[i][c.Centre] = c.Amount
		}
	}
	for i := range statements {
		s := &statements[i]
		s.Month, s.Lines = facts.Month, lines[s.Centre]
		s.sources(facts.Costs)
		if err := cmp.Or(s.perUnit(facts.Units), s.trend(facts, history), s.budget(facts.Budget), s.waste(facts.Waste, perItem)); err != nil {
			return nil, err
		}
	}
	return statements, nil
}

// totalsPerItem returns what each item cost all targets together.
func totalsPerItem(a *Allocation) (map[string]money.Amount, error) {
	totals := map[string]money.Amount{}
	for i := range a.Lines {
		if l := &a.Lines[i]; !l.Shared {
			sum, err := plus(totals[l.Item], l.Amount)
			if err != nil {
				return nil, fmt.Errorf("item %q: %w", l.Item, err)
			}
			totals[l.Item] = sum
		}
	}
	return totals, nil
}

// check finds facts that do not fit the allocation.
func (f *Facts) check(a *Allocation, perItem map[string]money.Amount) error {
	var bad problems
	for i, p := range f.History {
		if !p.Month.valid() || i > 0 && p.Month.Compare(f.History[i-1].Month) <= 0 || f.Month.IsSet() && p.Month.Compare(f.Month) >= 0 {
			bad.add(fmt.Sprintf("history[%d].month", i), p.Month, "months in ascending order before that of the allocation", nil)
		}
		if p.Allocation == nil || p.Allocation.Total.IsSet() && p.Allocation.Total.Currency() != a.Total.Currency() {
			bad.add(fmt.Sprintf("history[%d].allocation", i), p.Month, "an allocation in the currency of this one", money.ErrCurrency)
		}
	}
	checkUnits("units", f.Units, &bad)
	for i, p := range f.History {
		checkUnits(fmt.Sprintf("history[%d].units", i), p.Units, &bad)
	}
	for _, centre := range slices.Sorted(maps.Keys(f.Budget)) {
		if b := f.Budget[centre]; a.Total.IsSet() && b.Currency() != a.Total.Currency() {
			bad.add(fmt.Sprintf("budget[%q]", centre), b, "an amount in the currency of the allocation", money.ErrCurrency)
		}
	}
	for _, item := range slices.Sorted(maps.Keys(f.Waste)) {
		waste, cost := f.Waste[item], perItem[item]
		above, err := waste.Compare(cost)
		if err != nil || waste.Sign() < 0 || above > 0 {
			bad.add(fmt.Sprintf("waste[%q]", item), waste, fmt.Sprintf("an amount from 0 to what the item costs, %q", cost), err)
		}
	}
	return bad.join()
}

// checkUnits finds negative units.
func checkUnits(path string, units map[string]int64, bad *problems) {
	for _, centre := range slices.Sorted(maps.Keys(units)) {
		if units[centre] < 0 {
			bad.add(fmt.Sprintf("%s[%q]", path, centre), units[centre], "0 or more", ErrNegativeUsage)
		}
	}
}

// sources picks the costs behind the lines.
func (s *Statement) sources(costs []Cost) {
	items := make(map[string]bool, len(s.Lines))
	for i := range s.Lines {
		items[s.Lines[i].Item] = true
	}
	for i := range costs {
		if items[costs[i].Item] {
			s.Sources = append(s.Sources, costs[i])
		}
	}
	slices.SortStableFunc(s.Sources, func(a, b Cost) int { return cmp.Compare(a.Item, b.Item) })
}

// trend lines up the months, and subtracts the one before if it is known.
func (s *Statement) trend(f *Facts, history []map[string]money.Amount) error {
	if len(history) == 0 {
		return nil
	}
	for i, totals := range history {
		p := &f.History[i]
		unit, err := unitCost(totals[s.Centre], p.Units[s.Centre])
		if err != nil {
			return err
		}
		s.Trend = append(s.Trend, MonthTotal{p.Month, totals[s.Centre], unit})
	}
	s.Trend = append(s.Trend, MonthTotal{f.Month, s.Total, s.UnitCost})
	last := s.Trend[len(history)-1]
	if !last.Amount.IsSet() || f.Month.IsSet() && f.Month.since(last.Month) != 1 {
		return nil
	}
	var err error
	s.Change, err = s.Total.Sub(last.Amount)
	return err
}

// perUnit fills in units and what one costs.
func (s *Statement) perUnit(units map[string]int64) error {
	s.Units = units[s.Centre]
	var err error
	s.UnitCost, err = unitCost(s.Total, s.Units)
	return err
}

// unitCost is not set if there is no total or no unit.
func unitCost(total money.Amount, units int64) (money.Amount, error) {
	if !total.IsSet() || units == 0 {
		return money.Amount{}, nil
	}
	return total.Share(1, units, money.HalfUp)
}

// budget fills in the budget and how far the total is above it.
func (s *Statement) budget(budgets map[string]money.Amount) error {
	var known bool
	if s.Budget, known = budgets[s.Centre]; !known {
		return nil
	}
	var err error
	s.OverBudget, err = s.Total.Sub(s.Budget)
	return err
}

// waste spreads the waste of each item as its cost is, and rounds the sum once.
func (s *Statement) waste(waste, perItem map[string]money.Amount) error {
	if waste == nil || !s.Total.IsSet() {
		return nil
	}
	sum := new(big.Rat)
	for i := range s.Lines {
		l := &s.Lines[i]
		if w := waste[l.Item]; w.Sign() > 0 { // at most the cost, which is thus above zero
			part := big.NewRat(l.Amount.Minor(), perItem[l.Item].Minor())
			sum.Add(sum, part.Mul(part, new(big.Rat).SetInt64(w.Minor())))
		}
	}
	minor, ok := half(sum)
	if !ok {
		return fmt.Errorf("waste of %q: %w", s.Centre, money.ErrOverflow)
	}
	var err error
	if s.Waste, err = money.New(minor, s.Total.Currency()); err != nil || s.Total.Sign() <= 0 || sum.Sign() < 0 {
		return err
	}
	share := sum.Quo(sum, new(big.Rat).SetInt64(s.Total.Minor()))
	hundred, ok := half(share.Mul(share, new(big.Rat).SetInt64(int64(money.WholePercent(100)))))
	if ok {
		p := money.Percent(hundred)
		s.WasteShare = &p
	}
	return nil
}

// half rounds half away from zero to a whole number; ok is false if it needs more than 64 bits.
func half(r *big.Rat) (n int64, ok bool) {
	twice := new(big.Int).Lsh(r.Num(), 1)
	twice.Add(twice, new(big.Int).Mul(r.Denom(), big.NewInt(int64(r.Sign()))))
	twice.Quo(twice, new(big.Int).Lsh(r.Denom(), 1))
	return twice.Int64(), twice.IsInt64()
}
