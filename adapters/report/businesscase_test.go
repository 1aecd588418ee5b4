package report_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/roi"
)

func businessModel() roi.Model {
	years, rate := 2, 0.0
	return roi.Model{
		Currency: "EUR", Years: &years, DiscountRate: &rate, Staffing: map[string]float64{"a": 1},
		Internal: roi.Internal{AnnualSalaries: map[string]float64{"a": 1000}, OverheadMultiplier: 1},
		Managed:  roi.Managed{MonthlyServiceFee: 50, SetupCosts: 100, ContractLengthMonths: 24},
		Impact:   roi.Impact{CurrentAvailabilityPercent: 99, TargetAvailabilityPercent: 99},
	}
}

func ExampleBusinessCase() {
	res, err := roi.Evaluate(businessModel())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range (report.BusinessCase{Result: res}).Document().Sections[4].Blocks {
		if c, ok := b.(report.Steps); ok {
			fmt.Println(c.Summary)
		}
	}
	table := report.BusinessCase{Result: res}.Table()
	table.Rows = table.Rows[9:12]
	if err := table.CSV(os.Stdout, report.CSVOptions{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// +700.00 over 2 years, which pays back after 3.0 months.
	// result,figure,period,value,unit
	// sound,npv,,700,EUR
	// sound,pv_benefits,,2000,EUR
	// sound,pv_costs,,1300,EUR
}

// A time is said in the unit that one would use. A year has 365 days: 0.0099 of it are
// 3.6 days, a tenth 36.5, a 8760th is an hour.
func TestPaybackUnits(t *testing.T) {
	res, err := roi.Evaluate(businessModel())
	if err != nil {
		t.Fatal(err)
	}
	for years, want := range map[float64]string{
		0: "0 days", 1.0 / 8760: "1.0 hours", 0.0099: "3.6 days", 0.1: "36.5 days", 0.25: "3.0 months", 1.5: "18.0 months", 2: "2.0 years", 12.34: "12.3 years",
	} {
		res.Sound.PaybackYears = &years
		var tiles report.Tiles
		for _, section := range (report.BusinessCase{Result: res}).Document().Sections {
			for _, block := range section.Blocks {
				if found, ok := block.(report.Tiles); ok && tiles == nil {
					tiles = found
				}
			}
		}
		if len(tiles) == 0 {
			t.Fatal("the document has no tiles")
		}
		if got := tiles[len(tiles)-1]; got.Label != "payback, sound" || got.Value != want {
			t.Errorf("%v years: %v, want %q", years, got, want)
		}
	}
}

// A model that asks for one result gets a document without the other, and flows by the
// month are drawn by the year: −100, then 12 × 400/12.
func TestBusinessCaseParts(t *testing.T) {
	for method, absent := range map[roi.Method]string{roi.MethodAsPublished: "Cash flows", roi.MethodSound: "From the published result"} {
		m := businessModel()
		m.Method, m.Timing.Period = method, roi.Monthly
		res, err := roi.Evaluate(m)
		if err != nil {
			t.Fatal(err)
		}
		doc := report.BusinessCase{Result: res, Explained: true}.Document()
		var text strings.Builder
		if err := doc.Text(&text); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text.String(), absent) {
			t.Errorf("%v: the document has %q", method, absent)
		}
		for _, s := range doc.Sections {
			for _, b := range s.Blocks {
				if c, ok := b.(report.Steps); ok && c.ID == "cash-flow-chart" {
					if len(c.Steps) != 3 || c.Steps[1].Text != "+400.00" || c.Steps[2].Text != "+400.00" {
						t.Errorf("steps %v, want the start and two years of 400", c.Steps)
					}
				}
			}
		}
	}
}
