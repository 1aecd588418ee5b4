package sla_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func noError(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// same ends the test unless got is want.
func same[T any](tb testing.TB, what string, got, want T) {
	tb.Helper()
	if !reflect.DeepEqual(got, want) {
		tb.Fatalf("%s = %+v, want %+v", what, got, want)
	}
}

func equalText(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s = %s, want %s", what, g, w)
	}
}

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	noError(tb, err)
	return loc
}

func instant(tb testing.TB, text string) time.Time {
	tb.Helper()
	at, err := time.Parse(time.RFC3339, text)
	noError(tb, err)
	return at
}

func month(tb testing.TB, a *sla.Agreement, text string) sla.Period {
	tb.Helper()
	p, err := sla.ParseMonth(text, a.Location())
	noError(tb, err)
	return p
}

func hoursOf(from, to float64) (start, end time.Time) {
	at := func(h float64) time.Time { return day.Start.Add(time.Duration(h * float64(time.Hour))) }
	return at(from), at(to)
}

func eur(text string) money.Amount { return money.Must(money.Parse(text + " EUR")) }

// euro is a whole number of euros.
func euro(n int64) money.Amount { return money.Must(money.New(n*100, "EUR")) }

func percent(text string) money.Percent {
	p, err := money.ParsePercent(text)
	if err != nil {
		panic(err)
	}
	return p
}

// percentage is for fields that may be nil.
func percentage(text string) *money.Percent {
	p := percent(text)
	return &p
}

// uptime is a contract with nothing but an availability term.
func uptime(target money.Percent, fee string, bands []sla.Band) sla.Contract {
	return sla.Contract{
		ID: "case", Zone: "UTC", Fee: money.Must(amount(fee, "EUR")),
		Terms: []sla.Term{{ID: "uptime", Availability: &sla.Availability{Target: target, Remedy: sla.Bands{Bands: bands}, Exclude: []sla.Cause{sla.CauseMaintenance}}}},
	}
}

func outage(service string, from, to float64) sla.Outage {
	start, end := hoursOf(from, to)
	return sla.Outage{Ref: fmt.Sprintf("%s-%v", service, from), Service: service, Start: start, End: end}
}

func maintenance(ref string, from, to float64) sla.Maintenance {
	start, end := hoursOf(from, to)
	return sla.Maintenance{Ref: ref, Start: start, End: end}
}

func measured(t *testing.T, change func(*sla.Availability, *sla.Evidence)) sla.Measured {
	t.Helper()
	c := uptime(percent("99"), "1000.00", nil)
	e := sla.Evidence{Observed: day.Interval}
	change(c.Terms[0].Availability, &e)
	s, err := sla.Evaluate(c, day, e)
	noError(t, err)
	return s.Availability[0]
}

func statement(tb testing.TB, c sla.Contract, e sla.Evidence) sla.Statement {
	tb.Helper()
	if e.Observed.IsEmpty() {
		e.Observed = day.Interval
	}
	s, err := sla.Evaluate(c, day, e)
	noError(tb, err)
	return s
}

func evaluate(tb testing.TB, a *sla.Agreement, p sla.Period, e sla.Evidence) sla.Statement {
	tb.Helper()
	s, err := a.Evaluate(p, e)
	noError(tb, err)
	return s
}

func digest(tb testing.TB, of interface{ Digest() (sla.Digest, error) }) sla.Digest {
	tb.Helper()
	d, err := of.Digest()
	noError(tb, err)
	return d
}

func hasFinding(s sla.Statement, code string) bool {
	return slices.ContainsFunc(s.Findings, func(f sla.Finding) bool { return f.Code == code })
}

// amountsOf lists the lines, then gross and payable.
func amountsOf(s sla.Statement) string {
	var parts []string
	for _, l := range s.Lines {
		parts = append(parts, l.Amount.Decimal())
	}
	return fmt.Sprintf("%s: %s of %s", strings.Join(parts, " + "), s.Payable.Decimal(), s.Gross.Decimal())
}

func shuffle[T any](r *rand.Rand, list []T) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func inAnyOrder[T any](r *rand.Rand, list []T) []T {
	out := slices.Clone(list)
	shuffle(r, out)
	return out
}
