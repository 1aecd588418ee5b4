package showback

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// Kind is what an item is.
type Kind string

// The kinds of items. They are for reports; only OneOff and Dependent change what
// an item costs or where it goes.
const (
	Purchase        Kind = "purchase"
	Licence         Kind = "licence"
	SupportContract Kind = "support_contract"
	Infrastructure  Kind = "infrastructure"
	Labour          Kind = "labour"
	Vendor          Kind = "vendor"
	// Dependent is what another item forces to buy, such as bandwidth, protection
	// against floods or a firewall for a service on the internet. It follows its
	// parent wherever that goes.
	Dependent Kind = "dependent"
	// OneOff is paid once and spread over months.
	OneOff Kind = "one_off"
)

var kinds = []Kind{Purchase, Licence, SupportContract, Infrastructure, Labour, Vendor, Dependent, OneOff}

// Item is something that costs money.
type Item struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Pool names the key by which the cost is spread. Defaults to that of the
	// parent; without either the cost stays unallocated.
	Pool string `json:"pool,omitempty"`
	// Parent is the item on whose account this one is needed: required for
	// Dependent, not allowed for others.
	Parent string `json:"parent,omitempty"`
	// Price is the list price of a unit for Months, in any currency. It may be
	// negative, as a credit note is.
	Price money.Amount `json:"price"`
	// Quantity is the number of units. Defaults to 1.
	Quantity int64 `json:"quantity,omitempty"`
	// Months that a price covers: 1 for a monthly fee, 12 for a yearly one; for
	// what is paid once the months over which it is written off. Defaults to 1.
	Months int `json:"months,omitempty"`
	// Once says that the price is paid once and not again after Months. It is
	// implied by OneOff.
	Once bool `json:"once,omitempty"`
	// Residual is what remains of a price paid once and is not written off.
	// Defaults to nothing.
	Residual money.Amount `json:"residual,omitzero"`
	// From is the first month. Defaults to that of the parent, or to always; it is
	// needed for more than one month and for what is paid once.
	From Month `json:"from,omitzero"`
	// Until is the month that is not paid any more. Defaults to that of the parent,
	// or to never.
	Until Month `json:"until,omitzero"`
	// Discounts by volume. Defaults to none.
	Discounts []Discount `json:"discounts,omitempty"`
	// Graduated gives each unit the discount of its own step; otherwise all units
	// get the discount of the step that the quantity reaches.
	Graduated bool `json:"graduated,omitempty"`
	// Margin is what a broker who bundles volume adds to the discounted price.
	// Defaults to nothing.
	Margin money.Percent `json:"margin,omitempty"`
}

// Discount is a step of volume: from this unit on, so many percent less.
type Discount struct {
	From    int64         `json:"from"` // 1 or more, ascending
	Percent money.Percent `json:"percent"`
}

// Cost is what an item costs in a month.
type Cost struct {
	Item string `json:"item"`
	// Root is the item at the top of the parents, the item itself without parent.
	Root   string       `json:"root,omitempty"`
	Kind   Kind         `json:"kind,omitempty"`
	Pool   string       `json:"pool"`
	Amount money.Amount `json:"amount"`
	// Source is the amount before conversion, not set if there was none.
	Source  money.Amount `json:"source,omitzero"`
	Formula string       `json:"formula,omitempty"`
}

// Costs returns what each item costs in a month, in the order of the items, without
// those that cost nothing then. A price for several months is spread evenly; the cents
// that do not divide go to the first months, so that the months add up. A discount and
// a margin are rounded half up, each once for the whole quantity, as they stand on
// an invoice. Amounts in another currency than base are converted at the rate of the
// month.
//
// All problems come joined: [*FieldError] and, for parents, [*CycleError]. rates may
// be nil if all prices are in base.
func Costs(items []Item, month Month, base money.Currency, rates *Rates) ([]Cost, error) {
	parents, err := resolve(items)
	var bad problems
	if err != nil {
		bad = append(bad, err)
	}
	if !month.valid() {
		bad.add("month", month, `a month like "2026-03"`, nil)
	}
	if !base.Known() {
		bad.add("base", base, "an ISO 4217 code", nil)
	}
	if len(bad) > 0 {
		return nil, bad.join()
	}
	var costs []Cost
	for i := range items {
		item, root := parents.effective(i)
		nth, active := item.nth(month)
		if !active {
			continue
		}
		c := Cost{Item: item.ID, Root: root, Kind: item.Kind, Pool: item.Pool}
		if err := c.price(&item, nth, month, base, rates); err != nil {
			bad.add(fmt.Sprintf("items[%d].price", i), item.Price, "an amount that can be reckoned in "+string(base), err)
			continue
		}
		costs = append(costs, c)
	}
	return costs, bad.join()
}

// price fills in the amount and the formula of the nth month of an item.
func (c *Cost) price(item *Item, nth int, month Month, base money.Currency, rates *Rates) error {
	whole, formula, err := item.whole()
	if err != nil {
		return err
	}
	if item.Residual.IsSet() {
		if whole, err = whole.Sub(item.Residual); err != nil {
			return err
		}
		if whole.Sign() < 0 {
			return fmt.Errorf("residual %v is more than that", item.Residual)
		}
		formula += fmt.Sprintf(" - residual %v = %v", item.Residual, whole)
	}
	c.Amount = whole
	if item.Months > 1 {
		if c.Amount, err = spread(whole, item.Months, nth); err != nil {
			return err
		}
		formula += fmt.Sprintf("; month %d of %d: %v", nth+1, item.Months, c.Amount)
	}
	source := c.Amount
	var text string
	if c.Amount, text, err = rates.convert(source, base, month); err != nil {
		return err
	}
	if text != "" {
		c.Source = source
		formula += fmt.Sprintf("; x %s (%s to %s, %s) = %v", text, source.Currency(), base, month, c.Amount)
	}
	c.Formula = formula
	return nil
}

// whole returns the price of all units with discount and margin.
func (it *Item) whole() (money.Amount, string, error) {
	sum, err := it.Price.Share(it.Quantity, 1, money.HalfUp)
	if err != nil {
		return sum, "", err
	}
	formula := it.Price.String()
	if it.Quantity != 1 {
		formula = fmt.Sprintf("%d x %v = %v", it.Quantity, it.Price, sum)
	}
	if share := it.discounted(); share.Sign() > 0 {
		discount, err := it.Price.ShareRat(share, money.HalfUp)
		if err != nil {
			return sum, "", err
		}
		if sum, err = sum.Sub(discount); err != nil {
			return sum, "", err
		}
		formula += fmt.Sprintf(" - volume discount %v = %v", discount, sum)
	}
	if it.Margin > 0 {
		margin, err := sum.Percent(it.Margin, money.HalfUp)
		if err != nil {
			return sum, "", err
		}
		if sum, err = sum.Add(margin); err != nil {
			return sum, "", err
		}
		formula += fmt.Sprintf(" + margin %v: %v = %v", it.Margin, margin, sum)
	}
	return sum, formula, nil
}

// discounted returns how many prices of a unit the discount is worth.
func (it *Item) discounted() *big.Rat {
	units := new(big.Int)
	for i, d := range it.Discounts {
		if d.From > it.Quantity {
			break
		}
		if !it.Graduated {
			units.Mul(big.NewInt(it.Quantity), big.NewInt(int64(d.Percent)))
			continue
		}
		end := it.Quantity
		if i+1 < len(it.Discounts) {
			end = min(end, it.Discounts[i+1].From-1)
		}
		units.Add(units, new(big.Int).Mul(big.NewInt(end-d.From+1), big.NewInt(int64(d.Percent))))
	}
	return new(big.Rat).SetFrac(units, big.NewInt(int64(money.WholePercent(100))))
}

// nth returns which month of its cycle a month is, from 0, and whether the item costs
// anything then.
func (it *Item) nth(month Month) (int, bool) {
	if !it.From.IsSet() {
		return 0, !it.Until.IsSet() || month.Compare(it.Until) < 0
	}
	n := month.since(it.From)
	switch {
	case n < 0, it.Until.IsSet() && month.Compare(it.Until) >= 0, it.Once && n >= it.Months:
		return 0, false
	}
	return n % it.Months, true
}

// spread returns the nth of even parts of a whole, the first ones a minor unit larger
// where it does not divide.
func spread(whole money.Amount, parts, nth int) (money.Amount, error) {
	minor, rest := whole.Minor()/int64(parts), whole.Minor()%int64(parts)
	switch {
	case int64(nth) < rest:
		minor++
	case int64(nth) < -rest:
		minor--
	}
	return money.New(minor, whole.Currency())
}

// family is a checked list of items with its parents by index, -1 for none.
type family struct {
	items   []Item
	parents []int
}

// effective returns an item with its defaults, and the root of its parents.
func (f *family) effective(i int) (Item, string) {
	item := f.items[i]
	item.Quantity, item.Months = cmp.Or(item.Quantity, 1), cmp.Or(item.Months, 1)
	item.Once = item.Once || item.Kind == OneOff
	root := item.ID
	for p := f.parents[i]; p >= 0; p = f.parents[p] {
		parent := f.items[p]
		root, item.Pool = parent.ID, parent.Pool
		item.From, item.Until = cmp.Or(item.From, parent.From), cmp.Or(item.Until, parent.Until)
	}
	return item, root
}

// resolve checks items and finds their parents.
func resolve(items []Item) (*family, error) {
	f := &family{items: items, parents: make([]int, len(items))}
	var bad problems
	byID := make(map[string]int, len(items))
	for i := range items {
		if first, twice := byID[items[i].ID]; twice {
			bad.add(fmt.Sprintf("items[%d].id", i), items[i].ID, fmt.Sprintf("an id that items[%d] does not have", first), nil)
			continue
		}
		byID[items[i].ID] = i
	}
	for i := range items {
		f.parents[i] = -1
		item := &items[i]
		if p, found := byID[item.Parent]; item.Parent != "" && found {
			f.parents[i] = p
		} else if item.Parent != "" {
			bad.add(fmt.Sprintf("items[%d].parent", i), item.Parent, "the id of an item", nil)
		}
	}
	if err := f.cycle(); err != nil {
		return nil, append(bad, err).join()
	}
	for i := range items {
		items[i].check(fmt.Sprintf("items[%d]", i), &bad)
		effective, _ := f.effective(i)
		if !effective.From.IsSet() && (effective.Months > 1 || effective.Once) {
			bad.add(fmt.Sprintf("items[%d].from", i), "", "the first month, as the price is spread or paid once", nil)
		}
	}
	return f, bad.join()
}

// cycle returns the first way from an item back to it.
func (f *family) cycle() error {
	for i := range f.items {
		path := []string{f.items[i].ID}
		for p := f.parents[i]; p >= 0 && len(path) <= len(f.items); p = f.parents[p] {
			path = append(path, f.items[p].ID)
			if p == i {
				return &CycleError{Path: path}
			}
		}
	}
	return nil
}

// check finds what is wrong with an item by itself.
func (it *Item) check(path string, bad *problems) {
	if it.ID == "" {
		bad.add(path+".id", it.ID, "an id", nil)
	}
	if !slices.Contains(kinds, it.Kind) {
		bad.add(path+".kind", it.Kind, kindNames(), nil)
	}
	if (it.Kind == Dependent) != (it.Parent != "") {
		bad.add(path+".parent", it.Parent, "a parent if and only if the kind is dependent", nil)
	}
	if it.Parent != "" && it.Pool != "" {
		bad.add(path+".pool", it.Pool, "no pool, as the item follows its parent", nil)
	}
	if !it.Price.IsSet() {
		bad.add(path+".price", it.Price, "an amount", money.ErrCurrency)
	}
	if it.Quantity < 0 {
		bad.add(path+".quantity", it.Quantity, "0 or more", nil)
	}
	if it.Months < 0 || it.Months > maxMonths {
		bad.add(path+".months", it.Months, fmt.Sprintf("1 to %d", maxMonths), nil)
	}
	once := it.Once || it.Kind == OneOff
	if it.Residual.IsSet() && (!once || it.Residual.Currency() != it.Price.Currency() || it.Residual.Sign() < 0) {
		bad.add(path+".residual", it.Residual, "an amount of 0 or more in the currency of the price, of an item that is paid once", nil)
	}
	for _, m := range []struct {
		name  string
		month Month
	}{{".from", it.From}, {".until", it.Until}} {
		if m.month.IsSet() && !m.month.valid() {
			bad.add(path+m.name, m.month, `a month like "2026-03"`, nil)
		}
	}
	if it.From.IsSet() && it.Until.IsSet() && it.Until.Compare(it.From) <= 0 {
		bad.add(path+".until", it.Until, "a month after "+it.From.String(), nil)
	}
	last := int64(0)
	for i, d := range it.Discounts {
		if d.From <= last {
			bad.add(fmt.Sprintf("%s.discounts[%d].from", path, i), d.From, fmt.Sprintf("more than %d", last), nil)
		}
		if d.Percent < 0 || d.Percent > money.WholePercent(100) {
			bad.add(fmt.Sprintf("%s.discounts[%d].percent", path, i), d.Percent, "0% to 100%", nil)
		}
		last = d.From
	}
	if it.Margin < 0 {
		bad.add(path+".margin", it.Margin, "0% or more", nil)
	}
}

// maxMonths is a century: what is spread over more is a mistake of units.
const maxMonths = 1200

// kindNames lists the kinds for an error.
func kindNames() string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}
