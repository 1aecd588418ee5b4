package risk_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

// What may half a nine, and what may the next one cost a month?
func ExampleNines() {
	nines, err := risk.Nines(article(), 99, 99.5, 99.9)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range nines {
		fmt.Printf("%.1f %%: %.2f h, NPV %.0f, worth %.0f a month\n", n.AvailabilityPercent, n.OutageHours, n.NPV, n.FeeWorth)
	}
	// Output:
	// 99.0 %: 87.60 h, NPV 4498576, worth 0 a month
	// 99.5 %: 43.80 h, NPV 12964340, worth 273750 a month
	// 99.9 %: 8.76 h, NPV 19736951, worth 219000 a month
}

// The fee that is worth it leaves the present value as it was, also with growth and taxes.
func TestNinesWithGrowth(t *testing.T) {
	m := article()
	m.Managed.MonthlyServiceFee, m.RevenueGrowth, m.TaxRate, m.FeeIndexation = 300_000, 0.1, 0.25, 0.02
	nines, err := risk.Nines(m, 99.5, 99.2)
	if err != nil {
		t.Fatal(err)
	}
	m.Impact.TargetAvailabilityPercent = 99.2
	m.Managed.MonthlyServiceFee += nines[1].FeeWorth
	v, err := roi.Sound(m)
	if err != nil {
		t.Fatal(err)
	}
	if nines[1].Change >= 0 || math.Abs(v.NPV-nines[0].NPV) > 1e-3 {
		t.Errorf("NPV %v with the fee that is worth it, want %v", v.NPV, nines[0].NPV)
	}
}

// A fee is worth what it replaces however small it is beside the rest: 0.4 % of 8760 hours
// at 3e20 are 1.0512e22 a year, and a twelfth of that a month.
func TestNinesOfLargeAmounts(t *testing.T) {
	m := article()
	m.Impact.RevenuePerHour = 1e20
	nines, err := risk.Nines(m, 99.5, 99.9)
	if err != nil {
		t.Fatal(err)
	}
	if want := 1.0512e22 / 12; math.Abs(nines[1].FeeWorth-want) > 1e-9*want {
		t.Errorf("worth %v a month, want %v", nines[1].FeeWorth, want)
	}
}

func TestNinesErrors(t *testing.T) {
	if _, err := risk.Nines(article()); !errors.As(err, new(*risk.InputError)) {
		t.Errorf("no availability: %v", err)
	}
	for _, bad := range []float64{-1, 100.1, math.NaN()} {
		if _, err := risk.Nines(article(), bad); !errors.As(err, new(*roi.FieldError)) {
			t.Errorf("%v: %v, want a FieldError", bad, err)
		}
	}
}
