package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/config"
)

func accounts(tb testing.TB) string {
	tb.Helper()
	data, err := os.ReadFile("testdata/accounts.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

// By hand: 1000 + 31 of the database over 7:24, with 30 of the network; 60 of the network
// to search and 10 to nobody; 100 × 10 USD less 10 %, with 5 %, at 0.9 are 850.50, over 2:1.
func TestAccounts(t *testing.T) {
	book, closing, _, err := config.ParseAccounts("a.yaml", []byte(accounts(t)))
	if err != nil {
		t.Fatal(err)
	}
	if len(book.Items) != 4 || book.Rates[0].Rate != "0.9" || book.Keys[0].Targets[1].ID != "search" {
		t.Errorf("book %+v", book)
	}
	got := map[string]string{}
	for _, s := range closing.Statements {
		got[s.Centre] = s.Total.String()
	}
	// billing: 225.81 + 7.00 + 6.77 + 567.00; search: 774.19 + 24.00 + 23.23 + 60.00 + 283.50
	if want := map[string]string{"billing": "806.58 EUR", "search": "1164.92 EUR", "": "10.00 EUR"}; len(got) != 3 || got["billing"] != want["billing"] || got["search"] != want["search"] || got[""] != want[""] {
		t.Errorf("statements %v, want %v", got, want)
	}
	if inv := closing.Charges.Invoices; len(inv) != 1 || inv[0].Entity != "search-gmbh" || len(closing.Charges.Uncharged) != 2 {
		t.Errorf("charges %+v", closing.Charges)
	}
}

func TestAccountErrors(t *testing.T) {
	for _, c := range []struct{ old, text, want string }{
		{"month: 2026-03\ncurrency", "month: 2026-13\ncurrency", `a.yaml:3:8: month:`},
		{"month: 2026-03\ncurrency", "currency", `month: missing`},
		{"currency: EUR", "currency: euro", `a.yaml:4:11: currency: "euro", want an ISO 4217 code`},
		{"1000.00 EUR}", "1000.001 EUR}", `items[0].price:`},
		{"kind: infrastructure", "kind: box", `a.yaml:9:26: items[1].kind: "box", want`},
		{"method: usage", "method: luck", `keys[1].method: "luck", want equal, percent`},
		{"units: 24}", "units: -1}", `a.yaml:18:46: usage[1].units: "-1", want 0 or more: negative usage`},
		{"parent: engine", "parent: motor", `a.yaml:11:43: items[3].parent: "motor", want the id of an item`},
		{"percent: 60%", "percent: 80%", `keys[0].targets: "110%", want at most 100% together`},
		{`rate: "0.9"`, `rate: "0"`, `a.yaml:6:48: rates[0].rate: "0", want a decimal number above 0`},
		{"from: USD", "from: GBP", `items[2].price: "10.00 USD", want an amount that can be reckoned in EUR`},
		{"budget: {search: 1000.00 EUR}", "budget: {search: 1000.00 USD}", `a.yaml:20:18: budget.search: "1000.00 USD"`},
		{"waste: {editor", "waste: {engin", `waste.engin`},
		{"id: search-gmbh", "id: ''", `entities[0].id: "", want an id that no other entity has`},
		{"markup: 5%", "mark_up: 5%", `unknown key "mark_up"`},
	} {
		text := strings.Replace(accounts(t), c.old, c.text, 1)
		if text == accounts(t) {
			t.Fatalf("%q is not in the file", c.old)
		}
		_, closing, _, err := config.ParseAccounts("a.yaml", []byte(text))
		if err == nil || closing != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
}
