package showback

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/internal/key"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Entity is a legal entity and the terms on which it is charged.
type Entity struct {
	ID      string   `json:"id"`
	Centres []string `json:"centres"` // each in one entity at most
	// Markup on the factual cost. Defaults to nothing.
	Markup money.Percent `json:"markup,omitempty"`
	// Tax on each net line. Defaults to nothing.
	Tax money.Percent `json:"tax,omitempty"`
	// Minimum is the least net sum of an invoice; a line of its own makes up the
	// difference. Defaults to none.
	Minimum money.Amount `json:"minimum,omitzero"`
	// Rounding of each line. Defaults to half up.
	Rounding money.Rounding `json:"rounding,omitempty"`
	// RoundTo is the number of minor units that a net line is a multiple of: 5 for
	// five cents. It does not apply to the minimum and the tax. Defaults to 1.
	RoundTo int64 `json:"round_to,omitempty"`
	// RateCard has what is charged at an agreed price instead of cost and markup.
	// Defaults to nothing.
	RateCard []AgreedPrice `json:"rate_card,omitempty"`
}

// AgreedPrice replaces the cost of an item by a price for usage.
type AgreedPrice struct {
	Item   string       `json:"item"`
	Metric string       `json:"metric"`
	Price  money.Amount `json:"price"` // for Per units, 0 or more
	// Per is the number of units that the price is for. Defaults to 1.
	Per int64 `json:"per,omitempty"`
}

// InvoiceLine charges a cost centre for an item.
type InvoiceLine struct {
	// Centre and Item; both are "" for what makes up the minimum.
	Centre string `json:"centre"`
	Item   string `json:"item"`
	// Cost is the fact, Markup what the net amount is above it, its rounding included;
	// it may be negative where a price is agreed.
	Cost    money.Amount `json:"cost"`
	Markup  money.Amount `json:"markup"`
	Net     money.Amount `json:"net"`
	Tax     money.Amount `json:"tax"`
	Total   money.Amount `json:"total"`
	Formula string       `json:"formula"`
}

// Charges are the outcome of [Chargeback].
type Charges struct {
	// Invoices by id of the entity: drafts, revision 0.
	Invoices []Invoice `json:"invoices"`
	// Uncharged are the centres of no entity by id, and what is unallocated under "".
	Uncharged []CentreTotal `json:"uncharged,omitempty"`
}

// Chargeback charges legal entities for what their centres cost. A net amount is the cost
// with the markup, or units of usage at the agreed price, rounded once a line; the tax is
// rounded once a line too. So the lines add up to the totals of the invoice. An item with
// an agreed price has a line where there are units or cost, with a net amount or a cost of
// zero for what is missing. An entity without lines gets an invoice if it has a minimum.
//
// All problems of the entities come joined, as [*FieldError] values; [ErrNegativeUsage],
// [money.ErrOverflow] and [money.ErrCurrency] tell some of them apart. usage is needed for
// rate cards only.
func Chargeback(a *Allocation, month Month, entities []Entity, usage []Usage) (*Charges, error) {
	owner, err := checkEntities(entities, month, a.Total.Currency())
	if err != nil {
		return nil, err
	}
	consumed, err := consumption(entities, usage)
	if err != nil {
		return nil, err
	}
	costs := map[string]map[string]money.Amount{} // by centre and item
	for i := range a.Lines {
		l := &a.Lines[i]
		if l.Shared || l.To == "" {
			continue
		}
		if costs[l.To] == nil {
			costs[l.To] = map[string]money.Amount{}
		}
		if costs[l.To][l.Item], err = plus(costs[l.To][l.Item], l.Amount); err != nil {
			return nil, err
		}
	}
	charges := &Charges{}
	for _, c := range a.Centres {
		if _, charged := owner[c.Centre]; !charged {
			charges.Uncharged = append(charges.Uncharged, c)
		}
	}
	if a.Unallocated.Sign() != 0 {
		charges.Uncharged = append(charges.Uncharged, CentreTotal{Amount: a.Unallocated})
	}
	for i := range entities {
		e := &entities[i]
		inv, err := e.invoice(month, costs, consumed)
		if err != nil {
			return nil, fmt.Errorf("entity %q: %w", e.ID, err)
		}
		if len(inv.Lines) > 0 {
			charges.Invoices = append(charges.Invoices, inv)
		}
	}
	slices.SortFunc(charges.Invoices, func(x, y Invoice) int { return cmp.Compare(x.Entity, y.Entity) })
	return charges, nil
}

// checkEntities also returns which entity a centre belongs to.
func checkEntities(entities []Entity, month Month, currency money.Currency) (map[string]string, error) {
	var bad problems
	if !month.valid() {
		bad.add("month", month, `a month like "2026-03"`, nil)
	}
	owner, ids := map[string]string{}, map[string]bool{}
	for i := range entities {
		e := &entities[i]
		path := fmt.Sprintf("entities[%d]", i)
		if e.ID == "" || ids[e.ID] {
			bad.add(path+".id", e.ID, "an id that no other entity has", nil)
		}
		ids[e.ID] = true
		for j, c := range e.Centres {
			if other, twice := owner[c]; twice || c == "" {
				bad.add(fmt.Sprintf("%s.centres[%d]", path, j), c, fmt.Sprintf("a centre that is not charged to %q already", other), nil)
			}
			owner[c] = e.ID
		}
		if e.Markup < 0 || e.Tax < 0 {
			bad.add(path+".markup and tax", fmt.Sprintf("%v, %v", e.Markup, e.Tax), "0% or more", nil)
		}
		if e.Minimum.IsSet() && (e.Minimum.Sign() < 0 || currency != "" && e.Minimum.Currency() != currency) {
			bad.add(path+".minimum", e.Minimum, "0 or more in the currency of the allocation", nil)
		}
		if e.RoundTo < 0 {
			bad.add(path+".round_to", e.RoundTo, "1 or more", nil)
		}
		if e.Rounding > money.Up {
			bad.add(path+".rounding", e.Rounding, "half_up, half_even, down or up", nil)
		}
		items := map[string]bool{}
		for j, p := range e.RateCard {
			path := fmt.Sprintf("%s.rate_card[%d]", path, j)
			if p.Item == "" || p.Metric == "" || items[p.Item] {
				bad.add(path, p.Item, "an item and a metric, one price an item", nil)
			}
			items[p.Item] = true
			if !p.Price.IsSet() || p.Price.Sign() < 0 || currency != "" && p.Price.Currency() != currency {
				bad.add(path+".price", p.Price, "0 or more in the currency of the allocation", money.ErrCurrency)
			}
			if p.Per < 0 {
				bad.add(path+".per", p.Per, "1 or more", nil)
			}
		}
	}
	return owner, bad.join()
}

// consumption adds up the usage that rate cards ask for, by metric and centre.
func consumption(entities []Entity, usage []Usage) (map[[2]string]int64, error) {
	asked := map[string]bool{}
	for i := range entities {
		for _, p := range entities[i].RateCard {
			asked[p.Metric] = true
		}
	}
	sums := map[[2]string]int64{}
	for i := range usage {
		row := &usage[i]
		if row.Units < 0 {
			return nil, &FieldError{Path: fmt.Sprintf("usage[%d].units", i), Value: strconv.FormatInt(row.Units, 10), Want: "0 or more", Err: ErrNegativeUsage}
		}
		if !asked[row.Metric] {
			continue
		}
		at := [2]string{row.Metric, row.Centre}
		if sums[at] += row.Units; sums[at] < 0 {
			return nil, &FieldError{Path: fmt.Sprintf("usage[%d].units", i), Value: strconv.FormatInt(row.Units, 10), Want: "a sum that fits 63 bits", Err: money.ErrOverflow}
		}
	}
	return sums, nil
}

// invoice charges one entity.
func (e *Entity) invoice(month Month, costs map[string]map[string]money.Amount, consumed map[[2]string]int64) (Invoice, error) {
	inv := Invoice{Entity: e.ID, Month: month, Key: invoiceKey(e.ID, month, 0), State: Draft}
	for _, centre := range slices.Sorted(slices.Values(e.Centres)) {
		items := slices.Collect(maps.Keys(costs[centre]))
		for _, p := range e.RateCard {
			if _, known := costs[centre][p.Item]; !known && consumed[[2]string{p.Metric, centre}] > 0 {
				items = append(items, p.Item)
			}
		}
		slices.Sort(items)
		for _, item := range items {
			line := InvoiceLine{Centre: centre, Item: item, Cost: costs[centre][item]}
			var err error
			if at := slices.IndexFunc(e.RateCard, func(p AgreedPrice) bool { return p.Item == item }); at >= 0 {
				p := e.RateCard[at]
				line.Cost = cmp.Or(line.Cost, p.Price.Zero())
				err = e.agreed(&line, p, consumed[[2]string{p.Metric, centre}])
			} else {
				err = e.marked(&line)
			}
			if err == nil {
				err = e.finish(&line)
			}
			if err != nil {
				return inv, fmt.Errorf("centre %q, item %q: %w", centre, item, err)
			}
			inv.Lines = append(inv.Lines, line)
		}
	}
	if e.Minimum.IsSet() {
		if err := e.minimum(&inv); err != nil {
			return inv, err
		}
	}
	var err error
	inv.Net, inv.Tax, inv.Total, err = sums(inv.Lines)
	inv.Due = inv.Total
	return inv, err
}

// marked charges the cost with the markup.
func (e *Entity) marked(line *InvoiceLine) error {
	hundred := int64(money.WholePercent(100))
	factor := new(big.Rat).SetFrac(new(big.Int).Add(big.NewInt(hundred), big.NewInt(int64(e.Markup))), big.NewInt(hundred))
	var err error
	line.Net, err = e.round(line.Cost, factor)
	line.Formula = fmt.Sprintf("%v + %v = %v", line.Cost, e.Markup, line.Net) + e.steps(line.Net)
	return err
}

// agreed charges units at the price of the rate card.
func (e *Entity) agreed(line *InvoiceLine, p AgreedPrice, units int64) error {
	per := cmp.Or(p.Per, 1)
	var err error
	line.Net, err = e.round(p.Price, big.NewRat(units, per))
	line.Formula = fmt.Sprintf("%d %s x %v per %d (rate card) = %v", units, p.Metric, p.Price, per, line.Net) + e.steps(line.Net)
	return err
}

// round returns a·factor in multiples of RoundTo.
func (e *Entity) round(a money.Amount, factor *big.Rat) (money.Amount, error) {
	to := cmp.Or(e.RoundTo, 1)
	steps, err := a.ShareRat(factor.Quo(factor, new(big.Rat).SetInt64(to)), e.Rounding)
	if err != nil {
		return steps, err
	}
	return steps.Share(to, 1, e.Rounding)
}

// steps says how a net amount was rounded, unless it is the default.
func (e *Entity) steps(net money.Amount) string {
	if e.RoundTo <= 1 && e.Rounding == money.HalfUp {
		return ""
	}
	to, err := money.New(max(e.RoundTo, 1), net.Currency())
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (%v to steps of %v)", e.Rounding, to)
}

// finish adds markup, tax and total to a net line.
func (e *Entity) finish(line *InvoiceLine) error {
	var err error
	if line.Markup, err = line.Net.Sub(line.Cost); err != nil {
		return err
	}
	if line.Tax, err = line.Net.Percent(e.Tax, e.Rounding); err != nil {
		return err
	}
	if e.Tax > 0 {
		line.Formula += fmt.Sprintf("; tax %v: %v", e.Tax, line.Tax)
	}
	line.Total, err = line.Net.Add(line.Tax)
	return err
}

// minimum adds the line that makes up the minimum.
func (e *Entity) minimum(inv *Invoice) error {
	net := e.Minimum.Zero()
	for i := range inv.Lines {
		var err error
		if net, err = net.Add(inv.Lines[i].Net); err != nil {
			return err
		}
	}
	missing, err := e.Minimum.Sub(net)
	if err != nil || missing.Sign() <= 0 {
		return err
	}
	line := InvoiceLine{Cost: net.Zero(), Net: missing, Formula: fmt.Sprintf("minimum %v - %v = %v", e.Minimum, net, missing)}
	if err := e.finish(&line); err != nil {
		return err
	}
	inv.Lines = append(inv.Lines, line)
	return nil
}

// sums adds up the net amounts, taxes and totals of lines.
func sums(lines []InvoiceLine) (net, tax, total money.Amount, err error) {
	for i := range lines {
		l := &lines[i]
		for _, s := range []struct {
			sum    *money.Amount
			amount money.Amount
		}{{&net, l.Net}, {&tax, l.Tax}, {&total, l.Total}} {
			if *s.sum, err = plus(*s.sum, s.amount); err != nil {
				return net, tax, total, err
			}
		}
	}
	return net, tax, total, nil
}

// invoiceKey is what makes posting the same revision twice a single posting.
func invoiceKey(entity string, month Month, revision int) string {
	return key.Join("chargeback", entity, month.String(), strconv.Itoa(revision))
}
