package showback_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// All expectations are worked out by hand, as the formulas beside them show.
func TestCosts(t *testing.T) {
	steps := []showback.Discount{{From: 10, Percent: money.WholePercent(10)}, {From: 100, Percent: money.WholePercent(25)}}
	from := month(t, "2026-01")
	for _, c := range []struct {
		name  string
		item  showback.Item
		month string
		want  string // "" for no cost
	}{
		{"monthly", showback.Item{Kind: showback.Vendor, Price: amount("45000 EUR")}, "2026-03", "45000.00 EUR"},
		{"quantity", showback.Item{Kind: showback.Labour, Price: amount("7083.33 EUR"), Quantity: 6}, "2026-03", "42499.98 EUR"},
		// 100.00 / 12 = 8 cents a month too little for four of them: 4 × 8.34 + 8 × 8.33 = 100.00
		{"yearly, first months carry the cents", showback.Item{Kind: showback.SupportContract, Price: amount("100 EUR"), Months: 12, From: from}, "2026-04", "8.34 EUR"},
		{"yearly, later months", showback.Item{Kind: showback.SupportContract, Price: amount("100 EUR"), Months: 12, From: from}, "2026-05", "8.33 EUR"},
		{"yearly, next year begins anew", showback.Item{Kind: showback.SupportContract, Price: amount("100 EUR"), Months: 12, From: from}, "2027-01", "8.34 EUR"},
		{"credit note", showback.Item{Kind: showback.Vendor, Price: amount("-100 EUR"), Months: 3, From: from}, "2026-01", "-33.34 EUR"},
		{"before the first month", showback.Item{Kind: showback.Vendor, Price: amount("5 EUR"), From: month(t, "2026-04")}, "2026-03", ""},
		{"until is not paid", showback.Item{Kind: showback.Vendor, Price: amount("5 EUR"), Until: month(t, "2026-03")}, "2026-03", ""},
		{"last month", showback.Item{Kind: showback.Vendor, Price: amount("5 EUR"), Until: month(t, "2026-04")}, "2026-03", "5.00 EUR"},
		// (36000 − 3600) / 36 = 900
		{"write-off", showback.Item{Kind: showback.OneOff, Price: amount("36000 EUR"), Months: 36, Residual: amount("3600 EUR"), From: from}, "2028-12", "900.00 EUR"},
		{"written off", showback.Item{Kind: showback.OneOff, Price: amount("36000 EUR"), Months: 36, From: from}, "2029-01", ""},
		{"purchase at once", showback.Item{Kind: showback.Purchase, Once: true, Price: amount("36000 EUR"), From: from}, "2026-02", ""},
		// 9 × 20 = 180
		{"below the first step", showback.Item{Kind: showback.Licence, Price: amount("20 EUR"), Quantity: 9, Discounts: steps}, "2026-03", "180.00 EUR"},
		// 10 × 20 − 10 % = 180
		{"first step", showback.Item{Kind: showback.Licence, Price: amount("20 EUR"), Quantity: 10, Discounts: steps}, "2026-03", "180.00 EUR"},
		// 150 × 20 − 25 % = 2250
		{"second step, all units", showback.Item{Kind: showback.Licence, Price: amount("20 EUR"), Quantity: 150, Discounts: steps}, "2026-03", "2250.00 EUR"},
		// 9 × 20 + 90 × 18 + 51 × 15 = 180 + 1620 + 765 = 2565
		{"graduated", showback.Item{Kind: showback.Licence, Price: amount("20 EUR"), Quantity: 150, Discounts: steps, Graduated: true}, "2026-03", "2565.00 EUR"},
		// 2250 + 3 % = 2317.50
		{"broker", showback.Item{Kind: showback.Licence, Price: amount("20 EUR"), Quantity: 150, Discounts: steps, Margin: money.WholePercent(3)}, "2026-03", "2317.50 EUR"},
		// 1000.00 × 0.9215 = 921.50
		{"dollars", showback.Item{Kind: showback.Vendor, Price: amount("1000 USD")}, "2026-03", "921.50 EUR"},
		// 1200 / 12 = 100.00 × 0.93 = 93.00: the rate of the month counts
		{"dollars by the year", showback.Item{Kind: showback.Vendor, Price: amount("1200 USD"), Months: 12, From: from}, "2026-04", "93.00 EUR"},
		// 10001 × 0.00615 = 61.50615; yen have no decimals
		{"yen", showback.Item{Kind: showback.Vendor, Price: amount("10001 JPY")}, "2026-03", "61.51 EUR"},
		// 1.001 × 3.005 = 3.008005; dinars have three
		{"dinars", showback.Item{Kind: showback.Vendor, Price: amount("1.001 KWD")}, "2026-03", "3.01 EUR"},
	} {
		c.item.ID = "x"
		costs, err := showback.Costs([]showback.Item{c.item}, month(t, c.month), "EUR", rates(t))
		got := ""
		if len(costs) == 1 {
			got = costs[0].Amount.String()
		}
		if err != nil || got != c.want {
			t.Errorf("%s: Costs = %q, %v, want %q (%+v)", c.name, got, err, c.want, costs)
		}
	}
}

func rates(tb testing.TB) *showback.Rates {
	tb.Helper()
	march, april := month(tb, "2026-03"), month(tb, "2026-04")
	r, err := showback.NewRates([]showback.Rate{
		{From: "USD", To: "EUR", Month: march, Rate: "0.9215"},
		{From: "USD", To: "EUR", Month: april, Rate: "0.93"},
		{From: "JPY", To: "EUR", Month: march, Rate: "0.00615"},
		{From: "KWD", To: "EUR", Month: march, Rate: "3.005"},
		{From: "EUR", To: "JPY", Month: march, Rate: "162.6"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestConvert(t *testing.T) {
	r, march := rates(t), month(t, "2026-03")
	// 61.51 × 162.6 = 10001.526
	if got, err := r.Convert(amount("61.51 EUR"), "JPY", march); err != nil || got.String() != "10002 JPY" {
		t.Errorf("Convert(61.51 EUR) = %v, %v, want 10002 JPY", got, err)
	}
	if got, err := r.Convert(amount("-1.00 USD"), "EUR", march); err != nil || got.String() != "-0.92 EUR" {
		t.Errorf("Convert(-1.00 USD) = %v, %v, want -0.92 EUR", got, err)
	}
	if _, err := r.Convert(amount("1 EUR"), "USD", march); !errors.Is(err, showback.ErrNoRate) {
		t.Errorf("Convert by an inverse rate: %v, want %v", err, showback.ErrNoRate)
	}
	if _, err := (*showback.Rates)(nil).Convert(amount("1 EUR"), "USD", march); !errors.Is(err, showback.ErrNoRate) {
		t.Errorf("Convert without rates: %v, want %v", err, showback.ErrNoRate)
	}
	if _, err := r.Convert(money.Amount{}, "EUR", march); err == nil {
		t.Error("Convert of no amount: no error")
	}
	for path, bad := range map[string]showback.Rate{
		"rates[0].from":  {From: "euro", To: "USD", Month: march, Rate: "1"},
		"rates[0].to":    {From: "EUR", To: "EUR", Month: march, Rate: "1"},
		"rates[0].month": {From: "EUR", To: "USD", Rate: "1"},
		"rates[0].rate":  {From: "EUR", To: "USD", Month: march, Rate: "0"},
	} {
		_, err := showback.NewRates([]showback.Rate{bad})
		wantField(t, "NewRates", err, path)
	}
	one := showback.Rate{From: "EUR", To: "USD", Month: march, Rate: "1"}
	_, err := showback.NewRates([]showback.Rate{one, one})
	wantField(t, "NewRates twice", err, "rates[1]")
}

// A dependent item follows its parent: pool, first and last month.
func TestDependent(t *testing.T) {
	items := []showback.Item{
		{ID: "firewall", Kind: showback.Dependent, Parent: "bandwidth", Price: amount("30 EUR")},
		{ID: "crm", Kind: showback.Vendor, Pool: "sales", Price: amount("500 EUR"), From: month(t, "2026-03"), Until: month(t, "2026-05")},
		{ID: "bandwidth", Kind: showback.Dependent, Parent: "crm", Price: amount("120 EUR"), Months: 12},
	}
	costs, err := showback.Costs(items, month(t, "2026-04"), "EUR", nil)
	if err != nil || len(costs) != 3 {
		t.Fatalf("Costs = %v, %v, want three", costs, err)
	}
	for i, want := range []string{"30.00", "500.00", "10.00"} {
		if c := costs[i]; c.Root != "crm" || c.Pool != "sales" || c.Amount.Decimal() != want {
			t.Errorf("cost of %q: root %q, pool %q, %v, want crm, sales, %s", c.Item, c.Root, c.Pool, c.Amount, want)
		}
	}
	if costs, err = showback.Costs(items, month(t, "2026-05"), "EUR", nil); err != nil || len(costs) != 0 {
		t.Errorf("Costs after the parent's end = %v, %v, want none", costs, err)
	}
	items[1] = showback.Item{ID: "crm", Kind: showback.Dependent, Parent: "firewall", Price: amount("1 EUR")}
	_, err = showback.Costs(items, month(t, "2026-04"), "EUR", nil)
	cycle, ok := errors.AsType[*showback.CycleError](err)
	if !ok || !slices.Equal(cycle.Path, []string{"firewall", "bandwidth", "crm", "firewall"}) {
		t.Errorf("Costs of a cycle: %v, want firewall -> bandwidth -> crm -> firewall", err)
	}
}

func TestCostsErrors(t *testing.T) {
	good := func() showback.Item {
		return showback.Item{ID: "x", Kind: showback.Vendor, Price: amount("1 EUR"), From: month(t, "2026-01")}
	}
	for path, spoil := range map[string]func(*showback.Item){
		"items[0].id":                   func(i *showback.Item) { i.ID = "" },
		"items[0].kind":                 func(i *showback.Item) { i.Kind = "gift" },
		"items[0].parent":               func(i *showback.Item) { i.Parent = "y" },
		"items[0].price":                func(i *showback.Item) { i.Price = money.Amount{} },
		"items[0].quantity":             func(i *showback.Item) { i.Quantity = -1 },
		"items[0].months":               func(i *showback.Item) { i.Months = 1201 },
		"items[0].residual":             func(i *showback.Item) { i.Residual = amount("1 EUR") },
		"items[0].from":                 func(i *showback.Item) { i.Months, i.From = 12, showback.Month{} },
		"items[0].until":                func(i *showback.Item) { i.Until = i.From },
		"items[0].margin":               func(i *showback.Item) { i.Margin = -1 },
		"items[0].discounts[0].from":    func(i *showback.Item) { i.Discounts = []showback.Discount{{}} },
		"items[0].discounts[0].percent": func(i *showback.Item) { i.Discounts = []showback.Discount{{From: 1, Percent: money.WholePercent(101)}} },
	} {
		item := good()
		spoil(&item)
		_, err := showback.Costs([]showback.Item{item}, month(t, "2026-03"), "EUR", nil)
		wantField(t, "Costs", err, path)
	}
	item := good()
	item.Kind, item.Parent, item.Pool = showback.Dependent, "y", "p"
	y := good()
	y.ID = "y"
	_, err := showback.Costs([]showback.Item{item, y}, month(t, "2026-03"), "EUR", nil)
	wantField(t, "Costs of a dependent with a pool", err, "items[0].pool")
	_, err = showback.Costs([]showback.Item{y, y}, month(t, "2026-03"), "EUR", nil)
	wantField(t, "Costs of the same id", err, "items[1].id")
	_, err = showback.Costs(nil, showback.Month{}, "euro", nil)
	wantField(t, "Costs of no month", err, "month")
	wantField(t, "Costs in no currency", err, "base")
	y.Price = amount("1 USD")
	_, err = showback.Costs([]showback.Item{y}, month(t, "2026-03"), "EUR", nil)
	wantField(t, "Costs without a rate", err, "items[0].price")
	if !errors.Is(err, showback.ErrNoRate) {
		t.Errorf("Costs without a rate: %v, want %v", err, showback.ErrNoRate)
	}
	rest := showback.Item{ID: "z", Kind: showback.OneOff, Price: amount("1 EUR"), From: y.From, Residual: amount("1.01 EUR")}
	_, err = showback.Costs([]showback.Item{rest}, rest.From, "EUR", nil)
	wantField(t, "Costs with a residual above the price", err, "items[0].price")
	y.Price, y.Quantity = amount("92233720368547758.07 EUR"), 2
	if _, err = showback.Costs([]showback.Item{y}, month(t, "2026-03"), "EUR", nil); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("Costs too large: %v, want %v", err, money.ErrOverflow)
	}
}

func TestMonthText(t *testing.T) {
	for text, want := range map[string]string{`"2026-03"`: "2026-03", `""`: "", `"2026-13"`: "error", `3`: "error"} {
		var m showback.Month
		err := json.Unmarshal([]byte(text), &m)
		if got := m.String(); (err != nil) != (want == "error") || err == nil && got != want {
			t.Errorf("month of %s = %q, %v, want %q", text, got, err, want)
		}
	}
}

// The months of a price add up to it, whatever it is and however many there are.
func TestSpreadAddsUp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		months, cents := 1+r.IntN(60), r.Int64N(2_000_000)-1_000_000
		item := showback.Item{ID: "x", Kind: showback.OneOff, Price: eur(cents), Months: months, From: month(t, "2026-01")}
		sum, last := int64(0), int64(0)
		m := item.From
		for n := range months + 1 {
			costs, err := showback.Costs([]showback.Item{item}, m, "EUR", nil)
			if err != nil || n < months && len(costs) != 1 || n == months && len(costs) != 0 {
				t.Fatalf("month %d of %d: %v, %v", n, months, costs, err)
			}
			if n < months {
				part := costs[0].Amount.Minor()
				if n > 0 && (max(part, -part) > max(last, -last) || max(last-part, part-last) > 1) {
					t.Fatalf("%d cents over %d months: month %d has %d after %d", cents, months, n, part, last)
				}
				sum, last = sum+part, part
			}
			if m.Month++; m.Month > 12 {
				m = showback.Month{Year: m.Year + 1, Month: 1}
			}
		}
		if sum != cents {
			t.Fatalf("%d cents over %d months add up to %d", cents, months, sum)
		}
	}
}

// FuzzCosts: items from anywhere give an error or costs in the currency asked for.
func FuzzCosts(f *testing.F) {
	f.Add([]byte(`[{"id":"a","kind":"licence","pool":"p","price":{"amount":"12.50","currency":"EUR"},"quantity":150,"months":12,"from":"2026-01","discounts":[{"from":10,"percent":"10%"},{"from":100,"percent":"25%"}],"graduated":true,"margin":"3%"}]`))
	f.Add([]byte(`[{"id":"a","kind":"one_off","price":{"amount":"100","currency":"USD"},"months":36,"from":"2026-01","residual":{"amount":"1","currency":"USD"}},{"id":"b","kind":"dependent","parent":"a","price":{"amount":"-1","currency":"EUR"}}]`))
	f.Add([]byte(`[{"id":"a","kind":"dependent","parent":"b"},{"id":"b","kind":"dependent","parent":"a"}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var items []showback.Item
		if json.Unmarshal(text, &items) != nil {
			return
		}
		costs, err := showback.Costs(items, month(t, "2026-03"), "EUR", rates(t))
		if err != nil {
			return
		}
		for _, c := range costs {
			if c.Amount.Currency() != "EUR" || c.Formula == "" || c.Root == "" {
				t.Errorf("Costs(%s) = %+v", text, c)
			}
		}
	})
}

func FuzzParseMonth(f *testing.F) {
	for _, text := range []string{"2026-03", "2026-13", "0000-01", "9999-12", "", "2026-3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := showback.ParseMonth(text)
		if err == nil && m.String() != text {
			t.Errorf("ParseMonth(%q) prints %q", text, m)
		}
		if (err == nil) != m.IsSet() {
			t.Errorf("ParseMonth(%q) = %v, %v", text, m, err)
		}
	})
}
