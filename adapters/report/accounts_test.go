package report_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// closing spreads 1000.00 over 7:11:13, and 10.00 over nobody.
func closing(entities ...showback.Entity) *showback.Closing {
	eur := func(text string) money.Amount { return money.Must(money.Parse(text + " EUR")) }
	c, err := showback.Close(&showback.Book{
		Month: showback.Month{Year: 2026, Month: time.March}, Currency: "EUR",
		Items: []showback.Item{
			{ID: "crm", Kind: showback.Licence, Pool: "crm", Price: eur("1000")},
			{ID: "attic", Kind: showback.Infrastructure, Pool: "attic", Price: eur("10")},
		},
		Keys:   []showback.Key{{Pool: "crm", Method: showback.Weight, Targets: []showback.Target{{ID: "a", Weight: 7}, {ID: "b", Weight: 11}, {ID: "c", Weight: 13}}}},
		Budget: map[string]money.Amount{"a": eur("225")}, Units: map[string]int64{"b": 100}, Entities: entities,
	})
	if err != nil {
		panic(err) // the arguments are constants
	}
	return c
}

func ExampleAccounts() {
	a := report.Accounts{Closing: closing(showback.Entity{ID: "b-gmbh", Centres: []string{"b"}, Markup: money.WholePercent(10), Tax: money.WholePercent(20)})}
	for _, t := range []report.Table{a.Lines(), a.Ledger()} {
		if err := t.CSV(os.Stdout, report.CSVOptions{}); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// month,item,pool,to,shared,amount,currency,formula
	// 2026-03,crm,crm,a,false,225.81,EUR,1000.00 EUR x 7/31 (weight) = 225.81 EUR
	// 2026-03,crm,crm,b,false,354.84,EUR,1000.00 EUR x 11/31 (weight) = 354.84 EUR
	// 2026-03,crm,crm,c,false,419.35,EUR,1000.00 EUR x 13/31 (weight) = 419.35 EUR
	// 2026-03,attic,attic,unallocated,false,10.00,EUR,"10.00 EUR: no key for pool ""attic"""
	// key,line,entity,month,centre,item,net,tax,total,currency
	// chargeback/b-gmbh/2026-03/0,1,b-gmbh,2026-03,b,crm,390.32,78.06,468.38,EUR
}

func TestAccountsDocument(t *testing.T) {
	for _, c := range []struct {
		accounts report.Accounts
		want     []string
		not      string
	}{
		{
			report.Accounts{Closing: closing()},
			[]string{"Cost of services, 2026-03", "1010.00 EUR in 2026-03, borne by 3 cost centres.", "0.81 EUR", "3.55 EUR", "unallocated"},
			"Invoices",
		},
		{
			report.Accounts{Closing: closing(showback.Entity{ID: "b-gmbh", Centres: []string{"b"}, Minimum: money.Must(money.Parse("400 EUR"))}), Explained: true},
			[]string{"b-gmbh, draft", "minimum", "400.00 EUR", "Charged to nobody", "1000.00 EUR x 7/31 (weight)"},
			"Ledger",
		},
		{report.Accounts{Closing: nothing(t)}, []string{"total  nothing"}, "Invoices"},
	} {
		doc := c.accounts.Document()
		if err := doc.Validate(); err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := doc.Text(&text); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(text.String(), want) {
				t.Errorf("no %q in\n%s", want, text.String())
			}
		}
		if strings.Contains(text.String(), c.not) {
			t.Errorf("%q in\n%s", c.not, text.String())
		}
	}
}

// nothing is a month in which nothing costs anything.
func nothing(t *testing.T) *showback.Closing {
	t.Helper()
	c, err := showback.Close(&showback.Book{Month: showback.Month{Year: 2026, Month: time.March}, Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
