package showback_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// march are 300.00 of licences over 1:2 and 60.00 for a alone, 5.00 for nobody.
func march(tb testing.TB) ([]showback.Cost, *showback.Allocation) {
	tb.Helper()
	costs := []showback.Cost{
		{Item: "licences", Pool: "crm", Amount: amount("300 EUR"), Formula: "10 x 30.00 EUR = 300.00 EUR"},
		{Item: "backup", Pool: "a only", Amount: amount("60 EUR")},
		{Item: "coffee", Pool: "kitchen", Amount: amount("5 EUR")},
	}
	keys := []showback.Key{
		{Pool: "crm", Method: showback.Weight, Targets: []showback.Target{{ID: "a", Weight: 1}, {ID: "b", Weight: 2}}},
		{Pool: "a only", Method: showback.Equal, Targets: []showback.Target{{ID: "a"}}},
	}
	a, err := showback.Allocate(costs, nil, keys, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return costs, a
}

func TestShowback(t *testing.T) {
	costs, a := march(t)
	february := &showback.Allocation{Centres: []showback.CentreTotal{{Centre: "a", Amount: amount("150 EUR")}}, Total: amount("150 EUR"), Unallocated: amount("0 EUR")}
	january := &showback.Allocation{Centres: []showback.CentreTotal{{Centre: "a", Amount: amount("140 EUR")}, {Centre: "b", Amount: amount("10 EUR")}}, Total: amount("150 EUR"), Unallocated: amount("0 EUR")}
	statements, err := showback.Showback(a, &showback.Facts{
		Month: month(t, "2026-03"), Costs: costs,
		History: []showback.Past{{Month: month(t, "2026-01"), Allocation: january}, {Month: month(t, "2026-02"), Allocation: february, Units: map[string]int64{"a": 1200, "b": 7}}},
		Units:   map[string]int64{"a": 3000, "b": 0},
		Budget:  map[string]money.Amount{"a": amount("155.50 EUR"), "b": amount("250 EUR")},
		Waste:   map[string]money.Amount{"licences": amount("100 EUR")},
	})
	if err != nil || len(statements) != 3 {
		t.Fatalf("Showback = %+v, %v, want three statements", statements, err)
	}
	for i, want := range []struct {
		centre, total, change, over, units, waste, share, trend, sources string
	}{
		// 150.00 / 1200 = 0.125, 160.00 / 3000 = 0.0533; 100.00 × 100/300 = 33.33; 33.333… / 160.00 = 20.8333333 %
		{"a", "160.00", "10.00", "4.50", "- 0.13 0.05", "33.33", "20.8333333%", "140.00 150.00 160.00", "backup licences"},
		{"b", "200.00", "-", "-50.00", "- - -", "66.67", "33.3333333%", "10.00 - 200.00", "licences"},
		{"", "5.00", "5.00", "-", "- - -", "0.00", "0%", "0.00 0.00 5.00", "coffee"},
	} {
		s := statements[i]
		var trend, units []money.Amount
		for _, m := range s.Trend {
			trend, units = append(trend, m.Amount), append(units, m.UnitCost)
		}
		var sources []string
		for _, c := range s.Sources {
			sources = append(sources, c.Item)
		}
		if s.Centre != want.centre || textOf(s.Total) != want.total || textOf(s.Change) != want.change || textOf(s.OverBudget) != want.over || textOf(units...) != want.units || s.UnitCost != units[2] ||
			textOf(s.Waste) != want.waste || s.WasteShare == nil || s.WasteShare.String() != want.share || textOf(trend...) != want.trend || strings.Join(sources, " ") != want.sources {
			t.Errorf("statement %q: total %v, change %v, over budget %v, units %s, waste %v, share %v, trend %s, sources %q, want %+v", s.Centre, s.Total, s.Change, s.OverBudget, textOf(units...), s.Waste, s.WasteShare, textOf(trend...), sources, want)
		}
	}
}

// What is not known is null and not zero.
func TestShowbackNoData(t *testing.T) {
	_, a := march(t)
	statements, err := showback.Showback(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(statements[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"change":null`, `"unit_cost":null`, `"budget":null`, `"over_budget":null`, `"waste":null`, `"waste_share":null`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("statement %s, want %s in it", text, want)
		}
	}
	// Two months before is not the month before.
	statements, err = showback.Showback(a, &showback.Facts{Month: month(t, "2026-03"), History: []showback.Past{{Month: month(t, "2026-01"), Allocation: a}}})
	if err != nil || statements[0].Change.IsSet() {
		t.Errorf("change since January: %v, %v, want none", statements[0].Change, err)
	}
	empty, err := showback.Allocate(nil, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if statements, err = showback.Showback(empty, nil); err != nil || len(statements) != 0 {
		t.Errorf("Showback of nothing = %v, %v, want nothing", statements, err)
	}
}

func TestShowbackErrors(t *testing.T) {
	_, a := march(t)
	for path, f := range map[string]showback.Facts{
		"history[0].month":      {Month: month(t, "2026-03"), History: []showback.Past{{Month: month(t, "2026-03"), Allocation: a}}},
		"history[0].allocation": {History: []showback.Past{{Month: month(t, "2026-01")}}},
		`history[0].units["a"]`: {History: []showback.Past{{Month: month(t, "2026-01"), Allocation: a, Units: map[string]int64{"a": -1}}}},
		`budget["a"]`:           {Budget: map[string]money.Amount{"a": amount("1 USD")}},
		`units["a"]`:            {Units: map[string]int64{"a": -1}},
		`waste["licences"]`:     {Waste: map[string]money.Amount{"licences": amount("300.01 EUR")}},
		`waste["backup"]`:       {Waste: map[string]money.Amount{"backup": amount("1 USD")}},
		`waste["ghost"]`:        {Waste: map[string]money.Amount{"ghost": amount("1 EUR")}},
	} {
		_, err := showback.Showback(a, &f)
		wantField(t, "Showback", err, path)
	}
	_, err := showback.Showback(a, &showback.Facts{Units: map[string]int64{"a": -1}})
	if !errors.Is(err, showback.ErrNegativeUsage) {
		t.Errorf("negative units: %v, want %v", err, showback.ErrNegativeUsage)
	}
}

// Statements add up to the costs.
func TestLawStatements(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 100 {
		b := draw(r)
		a, err := showback.Allocate(b.costs, b.usage, b.keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		statements, err := showback.Showback(a, &showback.Facts{Costs: b.costs})
		if err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		for _, s := range statements {
			sum += s.Total.Minor()
			for _, l := range s.Lines {
				sum -= l.Amount.Minor()
			}
			if sum != 0 {
				t.Fatalf("statement %q: total %v, lines off by %d", s.Centre, s.Total, sum)
			}
			sum = 0
		}
		for _, s := range statements {
			sum += s.Total.Minor()
		}
		if sum != a.Total.Minor() {
			t.Fatalf("statements add up to %d, want %v", sum, a.Total)
		}
	}
}
