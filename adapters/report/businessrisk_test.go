package report_test

import (
	"math"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

// Two years of 1000 saved against 600 in fees and 100 at the start are worth 700; a setup
// from 0 to 1600 makes that 800 to -800, in two columns of which the first is a loss.
func TestBusinessCaseForecast(t *testing.T) {
	m := businessModel()
	drawn := map[string]risk.Distribution{"managed.setup_costs": {Kind: risk.Uniform, Max: 1600}, "impact.revenue_per_hour": {Kind: risk.Constant, Value: 5}}
	f, err := risk.Simulate(t.Context(), m, drawn, 10_000, &risk.Options{Bins: 2})
	if err != nil {
		t.Fatal(err)
	}
	res, err := roi.Evaluate(m)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := risk.Compare(m, []risk.Alternative{{Name: "stay", Internal: true}, {Name: "go"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := report.BusinessCase{Result: res, Forecast: f, Distributions: drawn, Comparison: rows}
	doc := b.Document()
	if err := doc.Validate(); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, s := range doc.Sections {
		for _, block := range s.Blocks {
			switch c := block.(type) {
			case report.Bars:
				found[c.ID] = true
				if len(c.Bars) != 2 || math.Abs(c.Bars[0].Value-5000) > 250 || c.Bars[0].Value+c.Bars[1].Value != 10_000 {
					t.Errorf("histogram %+v, want half of 10 000 in each column", c.Bars)
				}
			case report.Steps:
				found[c.ID] = true
				if c.ID == "drivers" && (len(c.Steps) != 1 || c.Steps[0].To > -0.999) {
					t.Errorf("drivers %+v, want the setup alone, at -1", c.Steps)
				}
			}
		}
	}
	for _, id := range []string{"histogram", "drivers", "bridge-chart", "cash-flow-chart"} {
		if !found[id] {
			t.Errorf("no chart %s", id)
		}
	}
	var text strings.Builder
	if err := doc.Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"managed.setup_costs      uniform       min 0, max 1600", "impact.revenue_per_hour  constant      value 5", "██████████████████████████████████████",
		"700.00             0.00  53.8 %  3.0 months  yes",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	var csv strings.Builder
	if err := b.Table().CSV(&csv, report.CSVOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"monte_carlo,loss,,", "histogram,", "spearman,managed.setup_costs,,-", "alternative,base: go,,700,EUR"} {
		if !strings.Contains(csv.String(), want) {
			t.Errorf("no %q in\n%s", want, csv.String())
		}
	}
}

// More columns than a chart takes are drawn together: 1000 as 334 bars of three, the last
// of one.
func TestBusinessCaseManyColumns(t *testing.T) {
	res, err := roi.Evaluate(businessModel())
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]risk.Distribution{"managed.setup_costs": {Kind: risk.Uniform, Max: 1600}}
	f, err := risk.Simulate(t.Context(), businessModel(), drawn, 5000, &risk.Options{Bins: 1000})
	if err != nil {
		t.Fatal(err)
	}
	doc := report.BusinessCase{Result: res, Forecast: f, Distributions: drawn}.Document()
	if err := doc.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, s := range doc.Sections {
		for _, block := range s.Blocks {
			if c, ok := block.(report.Bars); ok && c.ID == "histogram" {
				sum := 0.0
				for _, b := range c.Bars {
					sum += b.Value
				}
				if len(c.Bars) != 334 || sum != 5000 {
					t.Errorf("%d bars of %v scenarios, want 334 of 5000", len(c.Bars), sum)
				}
			}
		}
	}
}

// Where nothing has a value the document says what is to blame.
func TestBusinessCaseRefused(t *testing.T) {
	res, err := roi.Evaluate(businessModel())
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]risk.Distribution{"managed.setup_costs": {Kind: risk.Constant, Value: -1}}
	f, err := risk.Simulate(t.Context(), businessModel(), drawn, 10, nil)
	if f == nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := (report.BusinessCase{Result: res, Forecast: f, Distributions: drawn}).Document().Text(&text); err != nil {
		t.Fatal(err)
	}
	if want := "managed.setup_costs           10"; !strings.Contains(text.String(), want) {
		t.Errorf("no %q in\n%s", want, text.String())
	}
}
