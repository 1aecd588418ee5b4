package showback

import (
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Book is all that is known of a month: what costs money, how it is spread and who is
// charged. It is data, and its JSON form that of a file of accounts.
type Book struct {
	Month    Month          `json:"month"`
	Currency money.Currency `json:"currency"` // of the accounts
	// Rates convert prices in other currencies. Defaults to none.
	Rates []Rate `json:"rates,omitempty"`
	Items []Item `json:"items"`
	Keys  []Key  `json:"keys,omitempty"`
	// Centres that exist and pools that serve each other, see [Options].
	Centres    []string `json:"centres,omitempty"`
	Reciprocal bool     `json:"reciprocal,omitempty"`
	Usage      []Usage  `json:"usage,omitempty"`
	// Units, Budget and Waste are those of [Facts].
	Units  map[string]int64        `json:"units,omitempty"`
	Budget map[string]money.Amount `json:"budget,omitempty"`
	Waste  map[string]money.Amount `json:"waste,omitempty"`
	// Entities are charged. Defaults to none: showback alone.
	Entities []Entity `json:"entities,omitempty"`
}

// Closing is what a [Book] comes to.
type Closing struct {
	Month      Month       `json:"month"`
	Costs      []Cost      `json:"costs"`
	Allocation *Allocation `json:"allocation"`
	Statements []Statement `json:"statements"`
	// Charges are drafts; nil where nobody is charged.
	Charges *Charges `json:"charges,omitempty"`
}

// Close goes through all steps of a month: [Costs], [Allocate], [Showback] and, where
// there are entities, [Chargeback]. The order in which the book lists costs and usage
// does not matter for amounts.
//
// Errors are those of the step that has the first of them, with paths in the book; later
// steps are then not looked at.
func Close(b *Book) (*Closing, error) {
	rates, err := NewRates(b.Rates)
	if err != nil {
		return nil, err
	}
	c := &Closing{Month: b.Month}
	if c.Costs, err = Costs(b.Items, b.Month, b.Currency, rates); err != nil {
		return nil, err
	}
	if c.Allocation, err = Allocate(c.Costs, b.Usage, b.Keys, &Options{Centres: b.Centres, Reciprocal: b.Reciprocal}); err != nil {
		return nil, err
	}
	facts := Facts{Month: b.Month, Costs: c.Costs, Units: b.Units, Budget: b.Budget, Waste: b.Waste}
	if c.Statements, err = Showback(c.Allocation, &facts); err != nil {
		return nil, err
	}
	if len(b.Entities) > 0 {
		if c.Charges, err = Chargeback(c.Allocation, b.Month, b.Entities, b.Usage); err != nil {
			return nil, err
		}
	}
	return c, nil
}
