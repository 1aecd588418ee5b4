package sla_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// randomEvidence spreads events over and around a period.
func randomEvidence(r *rand.Rand, p sla.Period) sla.Evidence {
	span := int64(p.Duration())
	at := func() time.Time { return p.Start.Add(time.Duration(r.Int64N(span*6/5) - span/10)) }
	upTo := func(most time.Duration) time.Duration { return time.Duration(r.Int64N(int64(most))) }
	e := sla.Evidence{Observed: calendar.Interval{Start: p.Start.Add(-upTo(48 * time.Hour)), End: p.End.Add(upTo(48 * time.Hour))}}
	for range r.IntN(6) {
		start := at()
		e.Outages = append(e.Outages, sla.Outage{Ref: "o", Start: start, End: start.Add(upTo(30 * time.Hour))})
	}
	for range r.IntN(3) {
		start := at()
		e.Maintenance = append(e.Maintenance, sla.Maintenance{Ref: "m", Start: start, End: start.Add(upTo(10 * time.Hour)), Announced: start.Add(-upTo(150 * time.Hour))})
	}
	for range r.IntN(3) {
		start := at()
		e.Gaps = append(e.Gaps, sla.Gap{Start: start, End: start.Add(upTo(5 * time.Hour))})
	}
	for i := range r.IntN(8) {
		in := sla.Incident{ID: string(rune('a' + i)), Severity: incident.Severities[r.IntN(4)], Opened: at()}
		if r.IntN(4) > 0 {
			in.Responded = in.Opened.Add(upTo(3 * time.Hour))
			in.Resolved = in.Responded.Add(upTo(80 * time.Hour))
		}
		e.Incidents = append(e.Incidents, in)
	}
	return e
}

func reference(tb testing.TB, tier sla.Tier) *sla.Agreement {
	tb.Helper()
	a, err := sla.Compile(sla.Preset("ref", tier, "Europe/Amsterdam", tier.Offer().FeeFrom))
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func TestStatementLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 400 {
		a := reference(t, sla.Tiers[r.IntN(3)])
		p := a.PeriodAt(time.Date(2026, time.Month(1+r.IntN(12)), 15, 0, 0, 0, 0, time.UTC))
		e := randomEvidence(r, p)
		s := evaluate(t, a, p, e)

		// The sums hold, and the cap does.
		gross, payable := s.Fee.Zero(), s.Fee.Zero()
		for _, l := range s.Lines {
			gross = money.Must(gross.Add(l.Amount))
		}
		for _, w := range s.Waterfall {
			payable = money.Must(payable.Add(w.Payable))
		}
		if gross != s.Gross || payable != s.Payable || s.Payable.Minor() > s.Cap.Minor() {
			t.Fatalf("lines %s, gross %s, waterfall %s, payable %s, cap %s do not fit", gross, s.Gross, payable, s.Payable, s.Cap)
		}

		// The order of the evidence does not matter.
		shuffled := e
		shuffled.Outages, shuffled.Incidents, shuffled.Gaps = slices.Clone(e.Outages), slices.Clone(e.Incidents), slices.Clone(e.Gaps)
		slices.Reverse(shuffled.Outages)
		slices.Reverse(shuffled.Incidents)
		slices.Reverse(shuffled.Gaps)
		if again := evaluate(t, a, p, shuffled); !reflect.DeepEqual(s, again) {
			t.Fatalf("statement depends on the order of the evidence:\n%+v\n%+v", s, again)
		}

		// Splitting outages changes nothing, more downtime never lowers a credit.
		split := e
		split.Outages = nil
		for _, o := range e.Outages {
			mid := o.Start.Add(o.End.Sub(o.Start) / 3)
			split.Outages = append(split.Outages, sla.Outage{Ref: o.Ref, Start: o.Start, End: mid}, sla.Outage{Ref: o.Ref, Start: mid, End: o.End})
		}
		again := evaluate(t, a, p, split)
		again.Quality.Outside, again.Quality.Empty = s.Quality.Outside, s.Quality.Empty // which count pieces
		again.Inputs.Evidence = s.Inputs.Evidence                                       // other evidence, the same figures
		if !reflect.DeepEqual(s, again) {
			t.Fatalf("splitting an outage changes the statement:\n%+v\n%+v", s, again)
		}
		more := e
		more.Outages = append(slices.Clone(e.Outages), sla.Outage{Start: p.Start, End: p.Start.Add(time.Duration(r.Int64N(int64(p.Duration()))))})
		if worse := evaluate(t, a, p, more); worse.Gross.Minor() < s.Gross.Minor() || worse.Availability[0].Value.Compare(s.Availability[0].Value) > 0 {
			t.Fatalf("more downtime lowers the credit from %s to %s", s.Gross, worse.Gross)
		}
	}
}

// Every clock belongs to one month: evaluated month by month, each incident is
// met or missed once.
func TestClocksBelongToOnePeriod(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	a := reference(t, sla.Enterprise)
	for range 100 {
		p := a.PeriodAt(time.Date(2026, time.Month(3+r.IntN(8)), 15, 0, 0, 0, 0, time.UTC))
		e := randomEvidence(r, p)
		e.Observed = calendar.Interval{Start: p.Start.AddDate(0, -3, 0), End: p.End.AddDate(0, 3, 0)}
		ended := 0
		for n := -2; n <= 2; n++ {
			for _, c := range evaluate(t, a, sla.Billing{}.Following(p.Start, n, a.Location()), e).Clocks {
				ended += c.Met + c.Missed
			}
		}
		if ended != 2*len(e.Incidents) {
			t.Fatalf("%d clocks of %d incidents ended over five months, want each of both once", ended, len(e.Incidents))
		}
	}
}

func TestStatementJSON(t *testing.T) {
	a, e := acme(t)
	s := evaluate(t, a, month(t, a, "2026-10"), e)
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back sla.Statement
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(back); err != nil || string(again) != string(data) {
		t.Errorf("statement changes on the way through JSON: %v\n%s\n%s", err, data, again)
	}
	for _, want := range []string{`"payable":{"amount":"22000.00","currency":"EUR"}`, `"value":"4421/4470"`, `"label":"2026-10","start":"2026-09-30T22:00:00Z"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("JSON lacks %s:\n%s", want, data)
		}
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add(uint64(1), int64(3600), int64(7200), int64(60))
	f.Add(uint64(2), int64(-1), int64(1)<<62, int64(0))
	a := reference(f, sla.Essential)
	p := a.PeriodAt(time.Date(2026, 10, 15, 0, 0, 0, 0, time.UTC))
	f.Fuzz(func(t *testing.T, seed uint64, start, end, opened int64) {
		e := randomEvidence(rand.New(rand.NewPCG(seed, 1)), p)
		e.Outages = append(e.Outages, sla.Outage{Start: p.Start.Add(time.Duration(start)), End: p.Start.Add(time.Duration(end))})
		e.Incidents = append(e.Incidents, sla.Incident{ID: "x", Severity: incident.P4, Opened: p.Start.Add(time.Duration(opened))})
		s, err := a.Evaluate(p, e)
		if err == nil && (s.Payable.Minor() > s.Cap.Minor() || s.Payable.Sign() < 0) {
			t.Fatalf("payable %s under a cap of %s", s.Payable, s.Cap)
		}
	})
}
