package sla_test

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// The hours that a month of 30 days leaves: 1, 0.5 and 0.1 % of 720 h.
func TestOfferDowntime(t *testing.T) {
	const month = 30 * 24 * time.Hour
	for tier, want := range map[sla.Tier]time.Duration{
		sla.Essential:    7*time.Hour + 12*time.Minute,
		sla.Professional: 3*time.Hour + 36*time.Minute,
		sla.Enterprise:   43*time.Minute + 12*time.Second,
		0:                0,
	} {
		if got := tier.Offer().Downtime(month); got != want {
			t.Errorf("%s: %s down in 30 days, want %s", tier, got, want)
		}
	}
	if got := sla.Enterprise.Offer().Downtime(999); got != 0 {
		t.Errorf("of 999 ns %d may be lost, want 0: what is allowed is cut off", got)
	}
	if got := sla.Enterprise.Offer().Downtime(-month); got != 0 {
		t.Errorf("of a negative period %s may be lost, want 0", got)
	}
}

// Both ends of a range belong to it; between the ranges is no tier.
func TestTierFor(t *testing.T) {
	for fee, want := range map[string]sla.Tier{
		"14999.99 EUR": 0, "15000.00 EUR": sla.Essential, "20000.00 EUR": sla.Essential, "25000.00 EUR": sla.Essential,
		"25000.01 EUR": 0, "30000.00 EUR": 0, "34999.99 EUR": 0,
		"35000.00 EUR": sla.Professional, "45000.00 EUR": sla.Professional, "50000.00 EUR": sla.Professional,
		"50000.01 EUR": 0, "60000.00 EUR": 0, "74999.99 EUR": 0,
		"75000.00 EUR": sla.Enterprise, "150000.00 EUR": sla.Enterprise, "150000.01 EUR": 0,
		"20000.00 USD": 0,
	} {
		if got := sla.TierFor(money.Must(money.Parse(fee))); got != want {
			t.Errorf("TierFor(%s) = %s, want %s", fee, got, want)
		}
	}
	if got := sla.TierFor(money.Amount{}); got != 0 {
		t.Errorf("TierFor of no fee = %s, want none", got)
	}
}
