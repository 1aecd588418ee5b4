package showback_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func TestFullCost(t *testing.T) {
	for _, c := range []struct {
		cost   string
		groups []showback.Group
		want   string // per case, then per case and share of each group
	}{
		// An operations team of its own, and a managed service: 120 incidents a year.
		{"2325000 EUR", []showback.Group{{Count: 120}}, "19375.00 19375.00 2325000.00"},
		{"576666.67 EUR", []showback.Group{{Count: 120}}, "4805.56 4805.56 576666.67"},
		// 10 × 5 + 50 × 1 = 100 shares: 5.00 each by weight 5, 1.00 by weight 1
		{"100 EUR", []showback.Group{{Name: "P1", Count: 10, Weight: 5}, {Name: "P3", Count: 50}}, "1.67 5.00 50.00 1.00 50.00"},
		{"100 EUR", []showback.Group{{Name: "P1", Count: 0, Weight: 5}, {Name: "P3", Count: 3}}, "33.33 - 0.00 33.33 100.00"},
		{"100 EUR", []showback.Group{{Count: 0}}, "- - -"},
		{"100 EUR", nil, "-"},
	} {
		got, err := showback.FullCost(amount(c.cost), c.groups)
		amounts := []money.Amount{got.PerCase}
		for _, g := range got.Groups {
			amounts = append(amounts, g.PerCase, g.Share)
		}
		if err != nil || textOf(amounts...) != c.want {
			t.Errorf("FullCost(%s, %v) = %s, %v, want %s", c.cost, c.groups, textOf(amounts...), err, c.want)
		}
	}
	none, err := showback.FullCost(amount("5 EUR"), nil)
	text, jsonErr := json.Marshal(none)
	if err != nil || jsonErr != nil || !strings.Contains(string(text), `"per_case":null,"formula":"5.00 EUR / 0: n/a"`) {
		t.Errorf("no incident: %s, %v, %v, want null and n/a", text, err, jsonErr)
	}
	for path, g := range map[string]showback.Group{"groups[0].count": {Count: -1}, "groups[0].weight": {Count: math.MaxInt64, Weight: 2}} {
		_, err := showback.FullCost(amount("5 EUR"), []showback.Group{g})
		wantField(t, "FullCost", err, path)
	}
	_, err = showback.FullCost(money.Amount{}, nil)
	wantField(t, "FullCost of no amount", err, "cost")
}

func TestMarginalCost(t *testing.T) {
	// 250 min at 96.00 an hour = 400.00, and 1500.00 and 33.33
	got, err := showback.MarginalCost(showback.Effort{Time: 250 * time.Minute, Rate: amount("96 EUR"), Vendor: amount("1500 EUR"), Credits: amount("33.33 EUR")})
	if err != nil || got.String() != "1933.33 EUR" {
		t.Errorf("MarginalCost = %v, %v, want 1933.33 EUR", got, err)
	}
	// 1 s at 100.00 an hour = 2.78 cents
	if got, err = showback.MarginalCost(showback.Effort{Time: time.Second, Rate: amount("100 EUR")}); err != nil || got.String() != "0.03 EUR" {
		t.Errorf("MarginalCost of a second = %v, %v, want 0.03 EUR", got, err)
	}
	_, err = showback.MarginalCost(showback.Effort{Time: -1, Rate: amount("1 EUR")})
	wantField(t, "MarginalCost", err, "time")
	if _, err = showback.MarginalCost(showback.Effort{Rate: amount("1 EUR"), Vendor: amount("1 USD")}); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("MarginalCost of two currencies: %v, want %v", err, money.ErrCurrency)
	}
}
