package pricing_test

import (
	"math"
	"testing"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func must[T any](tb testing.TB, v T, err error) T {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func euros(tb testing.TB, text string) money.Amount {
	tb.Helper()
	a, err := money.Parse(text + " EUR")
	return must(tb, a, err)
}

func compile(tb testing.TB, c sla.Contract) *sla.Agreement {
	tb.Helper()
	a, err := sla.Compile(c)
	return must(tb, a, err)
}

func preset(tb testing.TB, tier sla.Tier, fee string) *sla.Agreement {
	tb.Helper()
	return compile(tb, sla.Preset(tier.String(), tier, "Europe/Amsterdam", euros(tb, fee)))
}

func near(tb testing.TB, what string, got, want, within float64) {
	tb.Helper()
	if !(math.Abs(got-want) <= within) {
		tb.Errorf("%s = %v, want %v ± %v", what, got, want, within)
	}
}
