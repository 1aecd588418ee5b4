package roi_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/roi"
)

// inDollars is the article's case with the fee of 45 000 EUR as 50 000 USD at 0.9.
func inDollars() roi.Model {
	m := article()
	m.Currency = "EUR"
	m.Managed.MonthlyServiceFee = 0
	m.Conversions = []roi.Conversion{{Path: "monthly_service_fee", Amount: 50_000, Currency: "USD", Rate: 0.9, Date: "2026-03-31"}}
	return m
}

func TestConverted(t *testing.T) {
	stated := inDollars()
	if _, err := roi.Evaluate(stated); err == nil {
		t.Error("a model that is not converted is valued")
	}
	m, err := stated.Converted()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := m.Converted(); err != nil || again.Managed != m.Managed {
		t.Errorf("converted again: %+v, %v, want no change", again.Managed, err)
	}
	if stated.Managed.MonthlyServiceFee != 0 {
		t.Error("the model itself is changed")
	}
	got, err := roi.Evaluate(m)
	if err != nil {
		t.Fatal(err)
	}
	// The sound result of the article, from the table of results.
	if math.Abs(got.Sound.NPV-12_964_339.79) > 0.005 {
		t.Errorf("NPV %v, want 12964339.79", got.Sound.NPV)
	}
	at := slices.IndexFunc(got.Assumptions, func(a roi.Assumption) bool { return a.Path == "managed.monthly_service_fee" })
	if want := "50000 USD x 0.9 EUR (2026-03-31) = 45000 EUR"; at < 0 || got.Assumptions[at].Value != want {
		t.Errorf("assumptions %v, want %q", got.Assumptions, want)
	}

	cheaper, err := m.With(map[string]float64{"monthly_service_fee": 40_000})
	if err != nil || len(cheaper.Conversions) != 0 || len(m.Conversions) != 1 {
		t.Errorf("with another fee: %v, %v, want no conversion of it", cheaper.Conversions, err)
	}
	other, err := m.With(map[string]float64{"setup_costs": 40_000})
	if err != nil || len(other.Conversions) != 1 {
		t.Errorf("with another setup: %v, %v, want the conversion of the fee", other.Conversions, err)
	}

	salary := article()
	salary.Currency = "EUR"
	salary.Internal.AnnualSalaries = map[string]float64{"operations_specialist": 85_000, "team_lead": 140_000, "manager": 160_000}
	salary.Conversions = []roi.Conversion{{Path: "annual_salaries.senior_engineer", Amount: 100_000, Currency: "CHF", Rate: 1.2, Date: "2026-03-31"}}
	if m, err = salary.Converted(); err != nil || m.Internal.AnnualSalaries["senior_engineer"] != 120_000 || len(salary.Internal.AnnualSalaries) != 3 {
		t.Errorf("a salary: %v, %v, want 120000 in the copy alone", m.Internal.AnnualSalaries, err)
	}
}

func TestConvertedRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, path string // of the error
		change     func(*roi.Model, *roi.Conversion)
	}{
		{"no rate", "conversions[0].rate", func(_ *roi.Model, c *roi.Conversion) { c.Rate = 0 }},
		{"rate that is no number", "conversions[0].rate", func(_ *roi.Model, c *roi.Conversion) { c.Rate = math.NaN() }},
		{"rate that overflows", "conversions[0].rate", func(_ *roi.Model, c *roi.Conversion) { c.Rate = math.MaxFloat64 }},
		{"no date", "conversions[0].date", func(_ *roi.Model, c *roi.Conversion) { c.Date = "" }},
		{"no day", "conversions[0].date", func(_ *roi.Model, c *roi.Conversion) { c.Date = "2026-02-29" }},
		{"negative fee", "conversions[0].amount", func(_ *roi.Model, c *roi.Conversion) { c.Amount = -1 }},
		{"no money", "conversions[0].path", func(_ *roi.Model, c *roi.Conversion) { c.Path = "current_mttr_hours" }},
		{"no input", "conversions[0].path", func(_ *roi.Model, c *roi.Conversion) { c.Path = "fee" }},
		{"the horizon", "conversions[0].path", func(_ *roi.Model, c *roi.Conversion) { c.Path = "years" }},
		{"the same currency", "conversions[0].currency", func(_ *roi.Model, c *roi.Conversion) { c.Currency = "EUR" }},
		{"no code", "conversions[0].currency", func(_ *roi.Model, c *roi.Conversion) { c.Currency = "dollar" }},
		{"no currency of the model", "conversions[0].currency", func(m *roi.Model, _ *roi.Conversion) { m.Currency = "" }},
		{"twice", "conversions[1].path", func(m *roi.Model, c *roi.Conversion) {
			m.Managed.MonthlyServiceFee = 45_000 // as converted
			again := *c
			again.Path = "managed.monthly_service_fee"
			m.Conversions = append(m.Conversions, again)
		}},
		{"stated too", "managed.monthly_service_fee", func(m *roi.Model, _ *roi.Conversion) { m.Managed.MonthlyServiceFee = 44_000 }},
	} {
		m := inDollars()
		tt.change(&m, &m.Conversions[0])
		for name, check := range map[string]func() error{
			"Converted": func() error { _, err := m.Converted(); return err },
			"Validate":  m.Validate,
		} {
			err := check()
			if _, ok := errors.AsType[*roi.FieldError](err); !ok || !strings.HasPrefix(err.Error(), tt.path+": ") {
				t.Errorf("%s: %s says %v, want an error of %s", tt.name, name, err, tt.path)
			}
		}
	}
}
