package showback_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Licences bought through a broker, paid by the year.
func ExampleCosts() {
	items := []showback.Item{{
		ID: "editor", Kind: showback.Licence, Pool: "staff", Price: money.Must(money.Parse("120 USD")), Quantity: 150, Months: 12,
		From:      showback.Month{Year: 2026, Month: time.January},
		Discounts: []showback.Discount{{From: 100, Percent: money.WholePercent(10)}},
		Margin:    money.WholePercent(5),
	}}
	march := showback.Month{Year: 2026, Month: time.March}
	rates, err := showback.NewRates([]showback.Rate{{From: "USD", To: "EUR", Month: march, Rate: "0.9215"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	costs, err := showback.Costs(items, march, "EUR", rates)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(costs[0].Amount)
	fmt.Println(costs[0].Formula)
	// Output:
	// 1306.23 EUR
	// 150 x 120.00 USD = 18000.00 USD - volume discount 1800.00 USD = 16200.00 USD + margin 5%: 810.00 USD = 17010.00 USD; month 3 of 12: 1417.50 USD; x 0.9215 (USD to EUR, 2026-03) = 1306.23 EUR
}

// The network serves the database, and the database two teams.
func ExampleAllocate() {
	costs := []showback.Cost{
		{Item: "switches", Pool: "network", Amount: money.Must(money.Parse("100.00 EUR"))},
		{Item: "engine", Pool: "database", Amount: money.Must(money.Parse("1000.00 EUR"))},
	}
	usage := []showback.Usage{
		{Metric: "queries", Centre: "billing", Units: 7},
		{Metric: "queries", Centre: "search", Units: 24},
	}
	keys := []showback.Key{
		{Pool: "network", Method: showback.Percent, Targets: []showback.Target{{ID: "database", Percent: money.WholePercent(30)}, {ID: "search", Percent: money.WholePercent(60)}}},
		{Pool: "database", Method: showback.ByUsage, Metric: "queries"},
	}
	a, err := showback.Allocate(costs, usage, keys, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range a.Lines {
		fmt.Printf("%-8s -> %-8s %s\n", l.Item, l.To, l.Formula())
	}
	fmt.Println(a.Centres, "unallocated", a.Unallocated, "of", a.Total)
	// Output:
	// switches -> database 100.00 EUR x 30% (percent) = 30.00 EUR
	// switches -> search   100.00 EUR x 60% (percent) = 60.00 EUR
	// switches ->          100.00 EUR x 10% (percent) = 10.00 EUR
	// engine   -> billing  1000.00 EUR x 7/31 (usage of queries) = 225.81 EUR
	// engine   -> search   1000.00 EUR x 24/31 (usage of queries) = 774.19 EUR
	// switches -> billing  30.00 EUR x 7/31 (usage of queries) = 6.77 EUR
	// switches -> search   30.00 EUR x 24/31 (usage of queries) = 23.23 EUR
	// [{billing 232.58 EUR} {search 857.42 EUR}] unallocated 10.00 EUR of 1100.00 EUR
}

// The people who run the machines pay the wages office, which uses the machines.
func ExampleAllocate_reciprocal() {
	costs := []showback.Cost{
		{Item: "machines", Pool: "it", Amount: money.Must(money.Parse("100.00 EUR"))},
		{Item: "office", Pool: "hr", Amount: money.Must(money.Parse("60.00 EUR"))},
	}
	share := func(id string, percent int64) showback.Target {
		return showback.Target{ID: id, Percent: money.WholePercent(percent)}
	}
	keys := []showback.Key{
		{Pool: "it", Method: showback.Percent, Targets: []showback.Target{share("hr", 20), share("billing", 50), share("search", 30)}},
		{Pool: "hr", Method: showback.Percent, Targets: []showback.Target{share("it", 10), share("billing", 30), share("search", 60)}},
	}
	_, err := showback.Allocate(costs, nil, keys, nil)
	fmt.Println(err)
	a, err := showback.Allocate(costs, nil, keys, &showback.Options{Reciprocal: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range a.Lines {
		fmt.Printf("%-8s -> %-7s %s\n", l.Item, l.To, l.Formula())
	}
	fmt.Println(a.Centres, "of", a.Total)
	// Output:
	// cycle: it -> hr -> it
	// machines -> billing 100.00 EUR x 4/7 (reciprocal) = 57.14 EUR
	// machines -> search  100.00 EUR x 3/7 (reciprocal) = 42.86 EUR
	// office   -> billing 60.00 EUR x 5/14 (reciprocal) = 21.43 EUR
	// office   -> search  60.00 EUR x 9/14 (reciprocal) = 38.57 EUR
	// [{billing 78.57 EUR} {search 81.43 EUR}] of 160.00 EUR
}

// A month from its book to the statements, at once.
func ExampleClose() {
	c, err := showback.Close(&showback.Book{
		Month: showback.Month{Year: 2026, Month: time.March}, Currency: "EUR",
		Items: []showback.Item{
			{ID: "shop", Kind: showback.Purchase, Pool: "shop", Price: money.Must(money.Parse("90 EUR"))},
			{ID: "shield", Kind: showback.Dependent, Parent: "shop", Price: money.Must(money.Parse("10 EUR"))},
		},
		Keys: []showback.Key{{Pool: "shop", Method: showback.Equal, Targets: []showback.Target{{ID: "a"}, {ID: "b"}, {ID: "c"}}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range c.Statements {
		fmt.Println(s.Centre, s.Total)
	}
	// Output:
	// a 33.34 EUR
	// b 33.33 EUR
	// c 33.33 EUR
}

// allocated are 300.00 EUR over two teams.
func allocated() *showback.Allocation {
	a, err := showback.Allocate(
		[]showback.Cost{{Item: "crm", Pool: "crm", Amount: money.Must(money.Parse("300 EUR"))}}, nil,
		[]showback.Key{{Pool: "crm", Method: showback.Weight, Targets: []showback.Target{{ID: "sales", Weight: 2}, {ID: "support", Weight: 1}}}}, nil)
	if err != nil {
		panic(err) // the arguments are constants
	}
	return a
}

// What a team's services cost it, for each order, and how much of it was for nothing.
func ExampleShowback() {
	statements, err := showback.Showback(allocated(), &showback.Facts{
		Month: showback.Month{Year: 2026, Month: time.March},
		Units: map[string]int64{"sales": 1600},
		Waste: map[string]money.Amount{"crm": money.Must(money.Parse("45 EUR"))},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range statements {
		fmt.Printf("%s %v: %v, waste %v (%v), per unit %q\n", s.Centre, s.Month, s.Total, s.Waste, s.WasteShare, s.UnitCost)
	}
	// Output:
	// sales 2026-03: 200.00 EUR, waste 30.00 EUR (15%), per unit "0.13 EUR"
	// support 2026-03: 100.00 EUR, waste 15.00 EUR (15%), per unit ""
}

// An invoice to another legal entity, posted and then put right.
func ExampleChargeback() {
	entity := showback.Entity{ID: "sales-gmbh", Centres: []string{"sales"}, Markup: money.WholePercent(5), Tax: money.WholePercent(19)}
	march, now := showback.Month{Year: 2026, Month: time.March}, time.Date(2026, time.April, 2, 9, 0, 0, 0, time.UTC)
	charge := func() showback.Invoice {
		charges, err := showback.Chargeback(allocated(), march, []showback.Entity{entity}, nil)
		if err != nil {
			panic(err) // the arguments are constants
		}
		return charges.Invoices[0]
	}
	inv, err := charge().Approve("ada", now)
	if err == nil {
		inv, err = inv.Post("bob", now)
	}
	fmt.Println(inv.Key, inv.State, inv.Net, inv.Tax, inv.Total, err)

	entity.Markup = money.WholePercent(4)
	revision, err := inv.Revise(charge())
	fmt.Println(revision.Key, revision.State, "due", revision.Due, err)
	for _, l := range revision.Differences {
		fmt.Println(l.Centre, l.Item, l.Net, l.Tax, l.Formula)
	}
	_, err = inv.Revise(inv)
	fmt.Println(err)
	// Output:
	// chargeback/sales-gmbh/2026-03/0 posted 210.00 EUR 39.90 EUR 249.90 EUR <nil>
	// chargeback/sales-gmbh/2026-03/1 draft due -2.38 EUR <nil>
	// sales crm -2.00 EUR -0.38 EUR 247.52 EUR - 249.90 EUR = -2.38 EUR
	// invoice "chargeback/sales-gmbh/2026-03/0" is posted: want draft
}

// Two licences too many, and a date that comes near.
func ExampleLicences() {
	at := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	findings, err := showback.Licences(
		[]showback.Entitlement{{Product: "database", Metric: showback.Core, Quantity: 16, ListPrice: money.Must(money.Parse("1200 EUR")), EndOfSupport: at.AddDate(0, 0, 90)}},
		[]showback.Use{{Product: "database", Metric: showback.Core, Units: 18}},
		at, &showback.LicenceOptions{AuditSurcharge: money.WholePercent(22)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range findings {
		fmt.Println(f.Product, f.Kind, f.Text)
	}
	// Output:
	// database overuse 18 used - 16 allowed = 2 too many, x 1200.00 EUR = 2400.00 EUR, with 22% surcharge 2928.00 EUR
	// database end_of_support end of support on 2026-05-30, in 90 days
}

// What an incident costs on average, by severity, and what this one cost more.
func ExampleFullCost() {
	full, err := showback.FullCost(money.Must(money.Parse("2325000 EUR")), []showback.Group{{Name: "P1", Count: 20, Weight: 5}, {Name: "P3", Count: 100}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(full.Formula)
	for _, g := range full.Groups {
		fmt.Println(g.Name, g.PerCase)
	}
	marginal, err := showback.MarginalCost(showback.Effort{Time: 250 * time.Minute, Rate: money.Must(money.Parse("96 EUR"))})
	fmt.Println("this one", marginal, err)
	// Output:
	// 2325000.00 EUR / 120 = 19375.00 EUR
	// P1 58125.00 EUR
	// P3 11625.00 EUR
	// this one 400.00 EUR <nil>
}

// Which tier pays for 60 incidents a year, and from when on.
func ExampleCompareTiers() {
	eur := func(text string) money.Amount { return money.Must(money.Parse(text + " EUR")) }
	c, err := showback.CompareTiers([]showback.Tier{
		{Name: "essential", Fee: eur("20000"), Included: 20, Bands: []showback.PriceBand{{Price: eur("700")}}},
		{Name: "professional", Fee: eur("45000"), Included: 100, Bands: []showback.PriceBand{{Price: eur("400")}}},
	}, 60, 200)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, cost := range c.Costs {
		fmt.Println(cost.Tier, cost.Cost)
	}
	fmt.Println(c.Cheapest, c.Ranges)
	// Output:
	// essential 48000.00 EUR
	// professional 45000.00 EUR
	// professional [{0 55 essential} {56 200 professional}]
}
