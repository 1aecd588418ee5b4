package report

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Accounts is a month of showback and chargeback as a document: who bears what, how each
// amount comes about, and the drafts of invoices. Amounts are exact to the minor unit.
type Accounts struct {
	Title   string // Defaults to "Cost of services" and the month.
	Closing *showback.Closing
	At      time.Time      // the instant for which the document speaks
	Zone    *time.Location // of the times shown. Defaults to UTC.
	Sources []Source

	// Explained lets the document end with the formula of every item and part.
	Explained bool
}

// nobody is the centre of what is not allocated.
const nobody = "unallocated"

// Document returns the accounts.
func (a Accounts) Document() Document {
	c := a.Closing
	d := Document{Title: cmp.Or(a.Title, "Cost of services, "+c.Month.String()), Generated: a.At, Zone: a.Zone, Sources: a.Sources}
	d.Sections = []Section{
		{"centres", "Who bears what", a.centres()},
		{"costs", "What it is for", []Block{a.costs()}},
	}
	if c.Charges != nil {
		d.Sections = append(d.Sections, Section{"invoices", "Invoices", a.invoices()})
	}
	if a.Explained {
		d.Sections = append(d.Sections, Section{"explain", "How the amounts came about", []Block{a.items(), a.Lines()}})
	}
	return d
}

// centres lists what cost centres bear, with a bar for each.
func (a Accounts) centres() []Block {
	c := a.Closing
	total, rest := c.Allocation.Total, c.Allocation.Unallocated
	tiles := Tiles{{Label: "total", Value: moneyOr(total, "nothing")}}
	if rest.Sign() != 0 {
		tiles = append(tiles, Tile{Label: nobody, Value: rest.String(), Note: "no key says who bears it", State: Warning})
	}
	bars := Bars{ID: "centres-chart", Title: "Cost by centre", Unit: string(total.Currency()), Per: "Centre"}
	t := Table{Columns: []Column{
		{Title: "Centre"},
		{Title: "Cost", Numeric: true},
		{Title: "Budget", Numeric: true},
		{Title: "over it", Numeric: true},
		{Title: "Units", Numeric: true},
		{Title: "per unit", Numeric: true},
		{Title: "Waste", Numeric: true},
	}}
	for _, s := range c.Statements {
		units, over := "", Cell{Text: moneyOr(s.OverBudget, "")}
		if s.Units != 0 {
			units = strconv.FormatInt(s.Units, 10)
		}
		if s.OverBudget.Sign() > 0 {
			over.State = Bad
		}
		row := Cells(cmp.Or(s.Centre, nobody), moneyOr(s.Total, ""), moneyOr(s.Budget, ""), "", units, moneyOr(s.UnitCost, ""), moneyOr(s.Waste, ""))
		row[3] = over
		t.Rows = append(t.Rows, row)
		if value, err := strconv.ParseFloat(s.Total.Decimal(), 64); err == nil && value >= 0 && len(bars.Bars) < MaxBars {
			bars.Bars = append(bars.Bars, Bar{Label: cmp.Or(s.Centre, nobody), Value: value, Text: s.Total.Decimal(), State: over.State})
		}
	}
	bars.Summary = fmt.Sprintf("%s in %s, borne by %d cost centres.", moneyOr(total, "Nothing"), c.Month, len(c.Allocation.Centres))
	blocks := []Block{tiles}
	if len(bars.Bars) > 0 {
		blocks = append(blocks, bars)
	}
	return append(blocks, t)
}

// costs lists the items.
func (a Accounts) costs() Table {
	t := Table{Columns: []Column{{Title: "Item"}, {Title: "Kind"}, {Title: "Pool"}, {Title: "Cost", Numeric: true}}}
	for _, c := range a.Closing.Costs {
		t.Rows = append(t.Rows, Cells(c.Item, string(c.Kind), c.Pool, c.Amount.String()))
	}
	return t
}

// items lists the formulas of the costs.
func (a Accounts) items() Table {
	t := Table{Caption: "Items", Columns: Columns("Item", "Formula")}
	for _, c := range a.Closing.Costs {
		t.Rows = append(t.Rows, Cells(c.Item, c.Formula))
	}
	return t
}

func (a Accounts) invoices() []Block {
	var blocks []Block
	for _, inv := range a.Closing.Charges.Invoices {
		t := Table{Caption: inv.Entity + ", " + string(inv.State), Columns: []Column{
			{Title: "Centre"},
			{Title: "Item"},
			{Title: "Cost", Numeric: true},
			{Title: "Markup", Numeric: true},
			{Title: "Net", Numeric: true},
			{Title: "Tax", Numeric: true},
			{Title: "Total", Numeric: true},
		}}
		for _, l := range inv.Lines {
			t.Rows = append(t.Rows, Cells(l.Centre, cmp.Or(l.Item, "minimum"), moneyOr(l.Cost, ""), moneyOr(l.Markup, ""), moneyOr(l.Net, ""), moneyOr(l.Tax, ""), moneyOr(l.Total, "")))
		}
		t.Rows = append(t.Rows, Cells("total", "", "", "", moneyOr(inv.Net, ""), moneyOr(inv.Tax, ""), moneyOr(inv.Total, "")))
		blocks = append(blocks, t)
	}
	rest := Table{Caption: "Charged to nobody", Columns: []Column{{Title: "Centre"}, {Title: "Cost", Numeric: true}}}
	for _, u := range a.Closing.Charges.Uncharged {
		rest.Rows = append(rest.Rows, Cells(cmp.Or(u.Centre, nobody), u.Amount.String()))
	}
	if len(rest.Rows) > 0 {
		blocks = append(blocks, rest)
	}
	return blocks
}

// Lines returns the parts of the allocation for spreadsheets, a row each, in their order:
// item, pool, to whom, the amount as a decimal number, its currency and the formula. Those
// that are not shared add up to the total.
func (a Accounts) Lines() Table {
	t := Table{Caption: "Parts", Columns: []Column{{Title: "month"}, {Title: "item"}, {Title: "pool"}, {Title: "to"}, {Title: "shared"}, {Title: "amount", Numeric: true}, {Title: "currency"}, {Title: "formula"}}}
	for _, l := range a.Closing.Allocation.Lines {
		t.Rows = append(t.Rows, Cells(a.Closing.Month.String(), l.Item, l.Pool, cmp.Or(l.To, nobody), strconv.FormatBool(l.Shared), l.Amount.Decimal(), string(l.Amount.Currency()), l.Formula()))
	}
	return t
}

// Ledger returns what the invoices book, a row for each posting. A ledger that takes each
// pair of key and line once books nothing twice.
func (a Accounts) Ledger() Table {
	t := Table{Caption: "Ledger", Columns: []Column{
		{Title: "key"},
		{Title: "line", Numeric: true},
		{Title: "entity"},
		{Title: "month"},
		{Title: "centre"},
		{Title: "item"},
		{Title: "net", Numeric: true},
		{Title: "tax", Numeric: true},
		{Title: "total", Numeric: true},
		{Title: "currency"},
	}}
	if a.Closing.Charges == nil {
		return t
	}
	for _, inv := range a.Closing.Charges.Invoices {
		for i, l := range inv.Postings() {
			t.Rows = append(t.Rows, Cells(inv.Key, strconv.Itoa(i+1), inv.Entity, inv.Month.String(), l.Centre, l.Item,
				l.Net.Decimal(), l.Tax.Decimal(), l.Total.Decimal(), string(l.Total.Currency())))
		}
	}
	return t
}

// moneyOr writes an amount, or a word where it is not set.
func moneyOr(a money.Amount, otherwise string) string {
	if !a.IsSet() {
		return otherwise
	}
	return a.String()
}
