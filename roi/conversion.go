package roi

import (
	"errors"
	"slices"
	"strconv"
	"time"
)

// Conversion is an amount of a [Model] that is stated in another currency. The rate is
// the user's: nothing is looked up, and an amount without a rate and its date is refused.
type Conversion struct {
	// Path of the amount in the model file, such as "managed.monthly_service_fee" or
	// "annual_salaries.manager", or the last part of it.
	Path     string  `json:"path"`
	Amount   float64 `json:"amount"`   // in Currency
	Currency string  `json:"currency"` // ISO 4217, another than the model's
	// Rate is what one unit of Currency costs in the model's currency, above 0.
	Rate float64 `json:"rate"`
	Date string  `json:"date"` // of the rate, such as "2026-03-31"
}

// value is the amount in the model's currency.
func (c *Conversion) value() float64 { return c.Amount * c.Rate }

// explain says how the amount comes about: "48000 USD x 0.92 EUR (2026-03-31) = 44160 EUR".
func (c *Conversion) explain(to string) string {
	return exact(c.Amount) + " " + c.Currency + " x " + exact(c.Rate) + " " + to + " (" + c.Date + ") = " + number(c.value()) + " " + to
}

// Converted returns a copy of the model that has the amounts of Conversions, times
// their rates. A model of a file with conversions is converted before anything else is
// asked of it; to do so again changes nothing.
//
// The error is a [*FieldError] for each conversion that cannot be made, and for each
// whose amount the model states as well; all joined.
func (m Model) Converted() (Model, error) {
	in := m.resolve()
	var bad []error
	for i := range m.Conversions {
		c := &m.Conversions[i]
		f, problems := in.conversion(i)
		if len(problems) > 0 {
			bad = append(bad, problems...)
			continue
		}
		if v, _ := f.get(&m); v != 0 && v != c.value() {
			bad = append(bad, &FieldError{Path: f.path, Value: exact(v), Want: "no amount beside that of conversions[" + strconv.Itoa(i) + "]"})
			continue
		}
		f.set(&m, c.value())
	}
	if err := errors.Join(bad...); err != nil {
		return Model{}, err
	}
	return m, nil
}

// conversion finds the field of a conversion, and what is wrong with it.
func (in *inputs) conversion(i int) (f field, problems []error) {
	c, at := &in.Conversions[i], "conversions["+strconv.Itoa(i)+"]."
	bad := func(name, value, want string) {
		problems = append(problems, &FieldError{Path: at + name, Value: value, Want: want})
	}
	f, known := in.field(c.Path)
	switch {
	case !known || !f.amount:
		bad("path", c.Path, "the name of an amount of money")
	case slices.ContainsFunc(in.Conversions[:i], func(o Conversion) bool { g, _ := in.field(o.Path); return g.path == f.path }):
		bad("path", c.Path, "each amount once")
	}
	switch {
	case in.Currency == "":
		bad("currency", c.Currency, "a currency of the model to convert to")
	case !isCurrency(c.Currency) || c.Currency == in.Currency:
		bad("currency", c.Currency, "three capital letters (ISO 4217), not "+in.Currency)
	}
	if err := positive.check(at+"rate", c.Rate); err != nil {
		problems = append(problems, err)
	}
	if _, err := time.Parse(time.DateOnly, c.Date); err != nil {
		bad("date", c.Date, `the date of the rate like "2026-03-31"`)
	}
	if f.amount {
		if err := f.limit.check(at+"amount", c.Amount); err != nil {
			problems = append(problems, err)
		} else if !isFinite(c.value()) {
			bad("rate", exact(c.Rate), "one that keeps the amount in the range of float64")
		}
	}
	return f, problems
}
