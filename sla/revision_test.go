package sla_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// corrected is the worked sample in which INC-121, of 24 hours, turns out to have
// been resolved after 10, and 1000 euros are claimed for lost data.
func corrected(tb testing.TB, e sla.Evidence) sla.Evidence {
	tb.Helper()
	e.Incidents = slices.Clone(e.Incidents)
	in := &e.Incidents[slices.IndexFunc(e.Incidents, func(in sla.Incident) bool { return in.ID == "INC-121" })]
	in.Resolved = in.Opened.Add(10 * time.Hour)
	e.Losses = []sla.Loss{{Ref: "LOSS-1", At: in.Opened, Claimed: money.Must(money.Parse("1000.00 EUR"))}}
	return e
}

// Of 22000.00 the two resolutions are 10000.00; one of them goes.
func TestRevise(t *testing.T) {
	a, e := acme(t)
	p := month(t, a, "2026-10")
	issued := evaluate(t, a, p, e)
	first, err := sla.Original(issued)
	noError(t, err)
	equalText(t, "first", []any{first.Number, first.Of.IsZero(), first.Difference, first.Liability.IsSet()}, "[1 true 22000.00 EUR false]")
	equalText(t, "clauses of the first", first.Clauses, "[{availability  {0.00 EUR 10000.00 EUR 10000.00 EUR}} {response  {0.00 EUR 500.00 EUR 500.00 EUR}} "+
		"{resolution  {0.00 EUR 10000.00 EUR 10000.00 EUR}} {monitoring  {0.00 EUR 1500.00 EUR 1500.00 EUR}}]")

	second, err := sla.Revise(first, evaluate(t, a, p, corrected(t, e)), "INC-121 was resolved in time")
	noError(t, err)
	equalText(t, "second", []any{second.Number, second.Difference, second.Liability, second.Statement.Payable}, "[2 -5000.00 EUR 1000.00 EUR 17000.00 EUR]")
	equalText(t, "terms", second.Terms, "[{resolution resolution {10000.00 EUR 5000.00 EUR -5000.00 EUR}}]")
	equalText(t, "clauses", second.Clauses, "[{resolution  {10000.00 EUR 5000.00 EUR -5000.00 EUR}}]")
	of, err := first.Digest()
	noError(t, err)
	equalText(t, "of", second.Of, of)
	if !reflect.DeepEqual(first.Statement, issued) {
		t.Error("the issued statement was changed")
	}

	third, err := sla.Revise(second, issued, "it was not")
	noError(t, err)
	equalText(t, "third", []any{third.Number, third.Difference, third.Liability}, "[3 5000.00 EUR -1000.00 EUR]")

	data, err := json.Marshal(second)
	noError(t, err)
	var back sla.Revision
	noError(t, json.Unmarshal(data, &back))
	again, err := back.Digest()
	noError(t, err)
	want, err := second.Digest()
	noError(t, err)
	equalText(t, "digest after JSON", again, want)
	noError(t, back.Statement.Verify(a.Contract(), corrected(t, e)))
}

func TestReviseErrors(t *testing.T) {
	a, e := acme(t)
	s := evaluate(t, a, month(t, a, "2026-10"), e)
	first, err := sla.Original(s)
	noError(t, err)
	next := evaluate(t, a, month(t, a, "2026-10"), corrected(t, e))
	other := next
	other.Contract = "globex-2026"
	dollars := next
	dollars.Payable = money.Must(money.Parse("1.00 USD"))
	for _, c := range []struct {
		name     string
		previous sla.Revision
		next     sla.Statement
		reason   string
		want     error
	}{
		{"another contract", first, other, "x", sla.ErrOtherContract},
		{"another month", first, evaluate(t, a, month(t, a, "2026-09"), e), "x", sla.ErrOtherPeriod},
		{"the same statement", first, throughJSON(t, s), "x", sla.ErrUnchanged},
		{"another currency", first, dollars, "x", money.ErrCurrency},
		{"no reason", first, next, "", nil},
		{"nothing before", sla.Revision{}, next, "x", nil},
	} {
		if _, err := sla.Revise(c.previous, c.next, c.reason); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: Revise = %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := sla.Original(sla.Statement{}); err != nil {
		t.Errorf("Original of an empty statement = %v", err)
	}
}

// What all revisions credit and take back adds up to what is payable at last, and
// the clauses of each to its difference.
func TestRevisionLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	for range 60 {
		c := variedContract(r, "x")
		c.From = time.Time{}
		a, err := sla.Compile(c)
		noError(t, err)
		p := a.PeriodAt(time.Date(2026, time.Month(1+r.IntN(12)), 15, 0, 0, 0, 0, time.UTC))
		last, err := sla.Original(evaluate(t, a, p, variedEvidence(r, p)))
		noError(t, err)
		total := last.Difference
		for range 4 {
			if last, err = sla.Revise(last, evaluate(t, a, p, variedEvidence(r, p)), "better evidence"); err != nil {
				t.Fatal(err)
			}
			total = money.Must(total.Add(last.Difference))
			clauses := total.Zero()
			for _, d := range last.Clauses {
				clauses = money.Must(clauses.Add(d.Difference))
			}
			equalText(t, "clauses", clauses, last.Difference)
		}
		equalText(t, "all differences", total, last.Statement.Payable)
	}
}

func TestKeys(t *testing.T) {
	a, e := acme(t)
	p := month(t, a, "2026-10")
	s := evaluate(t, a, p, e)
	contract, evidence := s.Inputs.Contract.String()[7:19], s.Inputs.Evidence.String()
	rest := "/2026-09-30T22:00:00Z/2026-10-31T23:00:00Z/" + evidence
	equalText(t, "all terms", s.Key(""), "acme-2026@"+contract+"/"+rest)
	equalText(t, "a term", s.Key("availability"), "acme-2026@"+contract+"/availability"+rest)
	equalText(t, "a line", s.Lines[2].Key(s), "acme-2026@"+contract+"/resolution/INC-110"+rest)
	equalText(t, "after JSON", throughJSON(t, s).Key("availability"), s.Key("availability"))

	first, err := sla.Original(s)
	noError(t, err)
	equalText(t, "the first revision", first.Key("x"), s.Key("x"))
	second, err := sla.Revise(first, evaluate(t, a, p, corrected(t, e)), "x")
	noError(t, err)
	equalText(t, "the second revision", second.Key("x"), second.Statement.Key("x")+"#2")

	strange := s
	strange.Contract, strange.Inputs.Contract = "a/b@c d", sla.Digest{}
	equalText(t, "strange ids", strange.Key("x#2/y"), "a%2Fb%40c+d/x%232%2Fy"+rest)
	line := sla.Line{Term: "t", Ref: "api"}
	line.Stretch.Start = time.Date(2026, 10, 4, 7, 0, 0, 0, time.FixedZone("", 7200))
	equalText(t, "a line of one outage", line.Key(s), "acme-2026@"+contract+"/t/api@2026-10-04T05:00:00Z"+rest)
}

// No two lines share a key, and no two statements do.
func TestKeysAreUnique(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	seen := map[string]bool{}
	for range 100 {
		c := variedContract(r, "x")
		c.From = time.Time{}
		c.Terms[0].Availability.Remedy = sla.PerInterval{Percent: money.WholePercent(1), Interval: time.Minute}
		c.Terms[0].Availability.Services, c.Terms[0].Availability.Aggregate = []sla.Service{{ID: "a"}, {ID: "b"}}, sla.PerService
		a, err := sla.Compile(c)
		noError(t, err)
		p := a.PeriodAt(time.Date(2026, 10, 15, 0, 0, 0, 0, time.UTC))
		s := evaluate(t, a, p, variedEvidence(r, p))
		keys := []string{s.Key("")}
		for _, term := range s.Terms {
			keys = append(keys, s.Key(term.Term))
		}
		for _, l := range s.Lines {
			keys = append(keys, l.Key(s))
		}
		for _, k := range keys {
			if seen[k] {
				t.Fatalf("key %q twice", k)
			}
			seen[k] = true
		}
	}
}

// Eight of 745 hours down are 98.9 %: 10 % of the fee in either tier, 7500.00 of
// 75000.00 and 1500.00 of 15000.00.
func TestWhatIf(t *testing.T) {
	down := time.Date(2026, 10, 14, 2, 0, 0, 0, time.UTC)
	enterprise, essential := reference(t, sla.Enterprise), reference(t, sla.Essential)
	p := month(t, enterprise, "2026-10")
	e := sla.Evidence{Observed: p.Interval, Outages: []sla.Outage{{Start: down, End: down.Add(8 * time.Hour)}}}
	base := evaluate(t, enterprise, p, e)
	other := evaluate(t, essential, p, e)
	got, err := sla.WhatIf(base, other)
	noError(t, err)
	equalText(t, "fee", got.Fee, "{75000.00 EUR 15000.00 EUR -60000.00 EUR}")
	equalText(t, "gross", got.Gross, "{7500.00 EUR 1500.00 EUR -6000.00 EUR}")
	equalText(t, "payable", got.Payable, "{7500.00 EUR 1500.00 EUR -6000.00 EUR}")
	equalText(t, "cost", got.Cost, "{67500.00 EUR 13500.00 EUR -54000.00 EUR}")
	equalText(t, "terms", got.Terms, "[{availability availability {7500.00 EUR 1500.00 EUR -6000.00 EUR}}]")
	equalText(t, "clauses", got.Clauses, "[{availability  {7500.00 EUR 1500.00 EUR -6000.00 EUR}}]")

	data, err := json.Marshal(got)
	noError(t, err)
	var back sla.Alternative
	noError(t, json.Unmarshal(data, &back))
	equalText(t, "after JSON", back, got)

	// A term of another name is one that came to nothing.
	renamed := other
	renamed.Terms = slices.Clone(other.Terms)
	renamed.Terms[0].Term = "uptime"
	got, err = sla.WhatIf(base, renamed)
	noError(t, err)
	equalText(t, "terms", got.Terms, "[{availability availability {7500.00 EUR 0.00 EUR -7500.00 EUR}} {availability uptime {0.00 EUR 1500.00 EUR 1500.00 EUR}}]")

	if _, err := sla.WhatIf(base, evaluate(t, essential, p, sla.Evidence{Observed: p.Interval})); !errors.Is(err, sla.ErrOtherEvidence) {
		t.Errorf("WhatIf with other evidence = %v", err)
	}
	if _, err := sla.WhatIf(base, evaluate(t, essential, month(t, essential, "2026-09"), e)); !errors.Is(err, sla.ErrOtherPeriod) {
		t.Errorf("WhatIf of another month = %v", err)
	}
	dollars := other
	dollars.Fee = money.Must(money.Parse("1.00 USD"))
	if _, err := sla.WhatIf(base, dollars); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("WhatIf in another currency = %v", err)
	}
}
