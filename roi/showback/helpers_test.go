package showback_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// amount reads "100.00 EUR"; the empty text is not set.
func amount(text string) money.Amount {
	if text == "" {
		return money.Amount{}
	}
	return money.Must(money.Parse(text))
}

// eur returns an amount of cents.
func eur(cents int64) money.Amount { return money.Must(money.New(cents, "EUR")) }

// month reads "2026-03".
func month(tb testing.TB, text string) showback.Month {
	tb.Helper()
	m, err := showback.ParseMonth(text)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// instant reads a date as its midnight in UTC.
func instant(tb testing.TB, text string) time.Time {
	tb.Helper()
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		tb.Fatal(err)
	}
	return at
}

// percent reads "12.5%".
func percent(tb testing.TB, text string) money.Percent {
	tb.Helper()
	p, err := money.ParsePercent(text)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// wantField fails unless the error is, or joins, a FieldError with the path.
func wantField(t *testing.T, what string, err error, path string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want one about %q", what, path)
		return
	}
	for _, e := range flatten(err) {
		if f, ok := errors.AsType[*showback.FieldError](e); ok && f.Path == path {
			if !strings.Contains(f.Error(), f.Want) || f.Want == "" {
				t.Errorf("%s: %q does not say what is wanted", what, f)
			}
			return
		}
	}
	t.Errorf("%s: %v, want an error about %q", what, err, path)
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, flatten(e)...)
		}
		return all
	}
	return []error{err}
}

// textOf joins amounts for a comparison.
func textOf(amounts ...money.Amount) string {
	texts := make([]string, len(amounts))
	for i, a := range amounts {
		texts[i] = a.Decimal()
		if !a.IsSet() {
			texts[i] = "-"
		}
	}
	return strings.Join(texts, " ")
}
