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
	// +700.00 over 2 years, which pays back after 0.2500 years.
	// result,figure,period,value,unit
	// sound,npv,,700,EUR
	// sound,pv_benefits,,2000,EUR
	// sound,pv_costs,,1300,EUR
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
