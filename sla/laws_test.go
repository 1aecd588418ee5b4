package sla_test

import (
	"fmt"
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

// oneOf draws a value, maybe draws true in one of n cases.
func oneOf[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }
func maybe(r *rand.Rand, n int) bool           { return r.IntN(n) == 0 }

func anyPercent(r *rand.Rand, from, to int64) money.Percent {
	return money.Percent(from*10_000_000 + r.Int64N((to-from)*10_000_000+1))
}

func anyAmount(r *rand.Rand, most int64) money.Amount {
	return money.Must(money.New(1+r.Int64N(most), "EUR"))
}

// anyBands returns contiguous bands from the target or a little below down to 0,
// by percentage or by days.
func anyBands(r *rand.Rand, target money.Percent) sla.Bands {
	edge := target
	if maybe(r, 3) {
		edge -= anyPercent(r, 0, 1)
	}
	b := sla.Bands{ExtendTop: maybe(r, 3)}
	days, credit := maybe(r, 4), money.Percent(0)
	for n := r.IntN(4); n >= 0; n-- {
		band := sla.Band{Below: edge, From: edge / 100 * money.Percent(90+r.IntN(10))}
		if n == 0 {
			band.From = 0
		}
		if days {
			band.Days = len(b.Bands) + 1 + r.IntN(2)*3
			if len(b.Bands) > 0 {
				band.Days = max(band.Days, b.Bands[len(b.Bands)-1].Days)
			}
		} else {
			credit += anyPercent(r, 0, 30)
			band.Credit = credit
		}
		b.Bands, edge = append(b.Bands, band), band.From
	}
	return b
}

func anyMeasure(r *rand.Rand) sla.Measure {
	return oneOf[sla.Measure](r,
		nil, sla.Uptime{},
		sla.Uptime{MinOutage: time.Duration(r.Int64N(int64(4 * time.Hour))), AtLeast: maybe(r, 2)},
		sla.Uptime{Unit: oneOf(r, time.Minute, time.Hour), Partial: oneOf(r, sla.PartialUp, sla.PartialDown)},
		sla.Uptime{Overlap: sla.OverlapSum, FromReport: maybe(r, 2)},
		sla.Uptime{Overlap: sla.OverlapSum, Unit: time.Minute, Partial: sla.PartialDown},
		sla.Uptime{FromReport: true, MinOutage: time.Hour},
		sla.BadSlots{Slot: time.Hour, ErrorRate: anyPercent(r, 0, 100), AtLeast: maybe(r, 2), MinRun: r.IntN(3), MinRequests: r.Uint64N(20)},
		sla.MeanErrorRate{Slot: oneOf(r, time.Hour, 7*time.Hour), Empty: oneOf(r, sla.EmptyGood, sla.EmptyDropped)},
		sla.Events{SlowCredit: anyPercent(r, 0, 100)},
		sla.AffectedRatio{},
	)
}

func anyRemedy(r *rand.Rand, target money.Percent) sla.Remedy {
	limit := anyPercent(r, 0, 50)
	return oneOf[sla.Remedy](r,
		nil, anyBands(r, target), anyBands(r, target), anyBands(r, target),
		sla.LostTime{Times: 1 + r.Int64N(20)}, sla.LostTime{Times: 1 + r.Int64N(20), BeyondTarget: true}, sla.LostTime{Times: 1 + r.Int64N(20), OutageCapPercent: &limit},
		sla.PerInterval{Percent: anyPercent(r, 0, 5), Interval: oneOf(r, time.Minute, time.Hour, 5*time.Hour), Started: maybe(r, 2), Deductible: time.Duration(r.IntN(2)) * time.Hour},
		sla.PerInterval{Percent: anyPercent(r, 0, 5), Interval: time.Hour, OutageCapPercent: &limit},
		sla.PerOutage{Percent: anyPercent(r, 0, 5) + 1}, sla.PerOutage{Amount: anyAmount(r, 50_000)},
		sla.UsageShare{}, sla.UnknownRemedy{},
	)
}

func anyAvailability(r *rand.Rand) *sla.Availability {
	target := anyPercent(r, 90, 100)
	a := &sla.Availability{
		Target: target, Strict: maybe(r, 3), Measure: anyMeasure(r), Remedy: anyRemedy(r, target),
		Aggregate: sla.Aggregate(r.IntN(4)), ExcludeMode: sla.ExcludeMode(r.IntN(2)), Unknown: sla.Unknown(r.IntN(3)),
		ServiceHours: oneOf(r, "", "", "long days"),
	}
	for i := range r.IntN(4) {
		s := sla.Service{ID: string(rune('a' + i))}
		if a.Aggregate == sla.Weighted {
			s.Weight = 1 + r.Int64N(5)
		}
		if maybe(r, 4) && a.Aggregate != sla.Weighted && a.Aggregate != sla.Mean {
			own := anyPercent(r, 90, 100)
			s.Target = &own
		}
		a.Services = append(a.Services, s)
	}
	if maybe(r, 2) {
		a.Exclude = []sla.Cause{sla.CauseMaintenance, sla.CauseCustomer}
		a.MinNotice, a.NoticeLocal = time.Duration(r.IntN(100))*time.Hour, maybe(r, 2)
		if maybe(r, 3) {
			a.MaintenancePerYear = time.Duration(1+r.IntN(10)) * time.Hour
		}
	}
	return a
}

// anyContract draws over measures, remedies, aggregates, stacks, caps and
// roundings until the contract is sound.
func anyContract(tb testing.TB, r *rand.Rand) sla.Contract {
	tb.Helper()
	for {
		c := sla.Contract{
			ID: "any", Zone: "UTC", Fee: anyAmount(r, 10_000_000), Stack: sla.Stack(r.IntN(3)), Rounding: money.Rounding(r.IntN(4)), RoundOnce: maybe(r, 3),
			Calendars: map[string]calendar.Hours{"long days": {Zone: "UTC", Week: calendar.EveryDay("06:00", "22:00")}},
			Terms:     []sla.Term{{ID: "first", Availability: anyAvailability(r)}},
		}
		if maybe(r, 3) {
			c.Terms = append(c.Terms, sla.Term{ID: "second", Availability: anyAvailability(r)})
		}
		if maybe(r, 2) {
			clock := &sla.Clock{Strict: maybe(r, 2), MeanToo: maybe(r, 3)}
			for _, s := range incident.Severities {
				target := sla.Target{Severity: s, Within: time.Duration(1+r.IntN(180)) * time.Minute}
				if maybe(r, 2) {
					target.Credit = anyAmount(r, 100_000)
				} else {
					target.CreditPercent = anyPercent(r, 0, 10)
				}
				clock.Targets = append(clock.Targets, target)
			}
			c.Terms = append(c.Terms, sla.Term{ID: "response", Response: clock})
		}
		if maybe(r, 2) {
			c.Terms = append(c.Terms, sla.Term{ID: "monitoring", Monitoring: &sla.Monitoring{PercentPerHour: anyPercent(r, 0, 3), Count: sla.HourCount(r.IntN(4))}})
		}
		for i := range c.Terms {
			t := &c.Terms[i]
			if maybe(r, 4) {
				limit := anyPercent(r, 0, 60)
				t.CapPercent = &limit
			}
			if maybe(r, 4) {
				t.MoreThan = anyAmount(r, 100_000)
			}
			if maybe(r, 4) {
				t.FeeBase = "compute"
			}
		}
		percent := func() *money.Percent {
			if !maybe(r, 4) {
				return nil
			}
			p := anyPercent(r, 0, 120)
			return &p
		}
		c.CapPercent, c.CapYearPercent, c.CapInvoicePercent = percent(), percent(), percent()
		if maybe(r, 5) {
			c.CapDays = 1 + r.IntN(40)
		}
		if c.Validate() == nil {
			return c
		}
	}
}

// anyEvidence has stretches of whole seconds over all services, some of them
// beyond the period, and never so many gaps that a service has no data.
func anyEvidence(r *rand.Rand, p sla.Period) sla.Evidence {
	e := randomEvidence(r, p)
	e.Outages = nil
	services := []string{"", "*", "a", "b", "c", "d"}
	second := func(most time.Duration) time.Duration {
		return time.Duration(r.Int64N(int64(most/time.Second))) * time.Second
	}
	at := func() time.Time { return p.Start.Add(second(p.Duration()*6/5) - p.Duration()/10) }
	for i := range r.IntN(12) {
		o := sla.Outage{Ref: fmt.Sprintf("o%02d", i), Service: oneOf(r, services...), Start: at(), Cause: oneOf(r, "", "", sla.CauseProvider, sla.CauseCustomer, sla.CauseForceMajeure), Degraded: maybe(r, 8)}
		if !maybe(r, 8) {
			o.End = o.Start.Add(second(oneOf(r, time.Hour, 30*time.Hour)))
		}
		if maybe(r, 3) {
			o.Reported = o.Start.Add(second(2 * time.Hour))
		}
		if maybe(r, 3) {
			share := anyPercent(r, 0, 100)
			o.Affected = &share
		}
		e.Outages = append(e.Outages, o)
	}
	for i := range e.Maintenance {
		e.Maintenance[i].Ref, e.Maintenance[i].Service = fmt.Sprintf("m%02d", i), oneOf(r, services...)
	}
	for i := range e.Gaps {
		e.Gaps[i].Service = oneOf(r, services...)
	}
	for range r.IntN(40) {
		n := r.Uint64N(100)
		q := sla.Requests{Service: oneOf(r, services...), Start: at(), Total: n}
		if n > 0 {
			q.Failed = r.Uint64N(n)
			q.Slow = r.Uint64N(n - q.Failed + 1)
		}
		e.Requests = append(e.Requests, q)
	}
	if maybe(r, 2) {
		e.Fees = map[string]money.Amount{"compute": anyAmount(r, 1_000_000)}
	}
	e.Invoice = anyAmount(r, 10_000_000)
	for range r.IntN(3) {
		e.Issued = append(e.Issued, sla.IssuedCredit{At: p.End.AddDate(0, -r.IntN(15), 0), Amount: anyAmount(r, 1_000_000)})
	}
	return e
}

// laws runs a law over contracts and evidence of whole periods.
func laws(t *testing.T, seed uint64, n int, law func(t *testing.T, r *rand.Rand, a *sla.Agreement, p sla.Period, e sla.Evidence)) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		c := anyContract(t, r)
		a, err := sla.Compile(c)
		if err != nil {
			t.Fatal(err)
		}
		p := a.PeriodAt(time.Date(2026, time.Month(1+r.IntN(12)), 15, 0, 0, 0, 0, time.UTC))
		e := anyEvidence(r, p)
		e.Observed = calendar.Interval{Start: p.Start.AddDate(0, -1, 0), End: p.End.AddDate(0, 1, 0)}
		law(t, r, a, p, e)
		if t.Failed() {
			t.Fatalf("case %d: contract %+v\navailability %+v\nevidence %+v", i, c, c.Terms[0].Availability, e)
		}
	}
}

// Lines add up to terms, terms to the gross amount, the waterfall to what is
// payable, which is not above any cap.
func TestAmountsAddUp(t *testing.T) {
	capped, paid := 0, 0
	laws(t, 1, 500, func(t *testing.T, r *rand.Rand, a *sla.Agreement, p sla.Period, e sla.Evidence) {
		t.Helper()
		if maybe(r, 3) { // and in the middle of a period
			e.Observed.End = p.Start.Add(time.Duration(r.Int64N(int64(p.Duration()))))
		}
		s := evaluate(t, a, p, e)
		lines, credits := map[string]int64{}, int64(0)
		for _, l := range s.Lines {
			lines[l.Term] += l.Amount.Minor()
			if l.Amount.Sign() < 0 {
				t.Errorf("line of %s", l.Amount)
			}
		}
		gross := int64(0)
		for _, c := range s.Terms {
			gross += c.Credit.Minor()
			if c.Lines.Minor() != lines[c.Term] || c.Credit.Minor() > c.Lines.Minor() {
				t.Errorf("term %s: lines of %d, %+v", c.Term, lines[c.Term], c)
			}
			delete(lines, c.Term)
		}
		for _, b := range s.Breaches {
			credits += b.Credit.Minor()
		}
		var due, payable, all int64
		for _, w := range s.Waterfall {
			due += w.Gross.Minor()
			payable += w.Payable.Minor()
			if w.Payable.Sign() < 0 || w.Payable.Minor() > w.Gross.Minor() {
				t.Errorf("waterfall %+v", w)
			}
		}
		for _, c := range s.Terms {
			all += c.Lines.Minor()
		}
		if len(lines) > 0 || gross != s.Gross.Minor() || due != gross || payable != s.Payable.Minor() || credits != all {
			t.Errorf("terms %+v, breaches of %d, waterfall %+v, gross %s, payable %s do not add up", s.Terms, credits, s.Waterfall, s.Gross, s.Payable)
		}
		c := a.Contract()
		has := c.CapPercent != nil || c.CapYearPercent != nil || c.CapInvoicePercent != nil || c.CapDays > 0
		if s.Cap.IsSet() != has || has && s.Payable.Minor() > s.Cap.Minor() || s.Payable.Minor() > s.Gross.Minor() {
			t.Errorf("payable %s of %s under a cap of %q", s.Payable, s.Gross, s.Cap)
		}
		if s.State == sla.StateCapped {
			capped++
		}
		if s.Payable.Sign() > 0 {
			paid++
		}
	})
	if capped < 50 || paid < 150 {
		t.Errorf("%d paid and %d capped statements are no test", paid, capped)
	}
}

// The order of the evidence does not matter.
func TestOrderOfEvidence(t *testing.T) {
	laws(t, 2, 300, func(t *testing.T, r *rand.Rand, a *sla.Agreement, p sla.Period, e sla.Evidence) {
		t.Helper()
		shuffled := e
		shuffled.Outages, shuffled.Maintenance, shuffled.Gaps = inAnyOrder(r, e.Outages), inAnyOrder(r, e.Maintenance), inAnyOrder(r, e.Gaps)
		shuffled.Requests, shuffled.Incidents, shuffled.Issued = inAnyOrder(r, e.Requests), inAnyOrder(r, e.Incidents), inAnyOrder(r, e.Issued)
		if one, other := evaluate(t, a, p, e), evaluate(t, a, p, shuffled); !reflect.DeepEqual(one, other) {
			t.Errorf("the order of the evidence matters:\n%+v\n%+v", one, other)
		}
	})
}

// Cutting an outage in touching pieces changes nothing but the counts of pieces.
// The exception is a sum of reports in whole units: each piece is then a report
// with a part of a unit of its own.
func TestSplittingOutages(t *testing.T) {
	tested := 0
	laws(t, 3, 500, func(t *testing.T, r *rand.Rand, a *sla.Agreement, p sla.Period, e sla.Evidence) {
		t.Helper()
		for _, term := range a.Contract().Terms {
			if term.Availability == nil {
				continue
			}
			if u, ok := term.Availability.Measure.(sla.Uptime); ok && u.Overlap == sla.OverlapSum && u.Partial != sla.PartialExact {
				return
			}
		}
		tested++
		split := e
		split.Outages = nil
		for _, o := range e.Outages {
			end := o.End
			if end.IsZero() {
				end = p.End
			}
			for range r.IntN(3) {
				if length := end.Sub(o.Start); length > 1 {
					piece := o
					piece.End = o.Start.Add(1 + time.Duration(r.Int64N(int64(length-1))))
					split.Outages, o.Start = append(split.Outages, piece), piece.End
				}
			}
			split.Outages = append(split.Outages, o)
		}
		one, other := withoutPieces(evaluate(t, a, p, e)), withoutPieces(evaluate(t, a, p, split))
		if !reflect.DeepEqual(one, other) {
			t.Errorf("splitting outages matters:\n%+v\n%+v", one, other)
		}
	})
	if tested < 300 {
		t.Errorf("%d contracts are no test", tested)
	}
}

// withoutPieces takes away what counts or lists the pieces of the evidence.
func withoutPieces(s sla.Statement) sla.Statement {
	s.Inputs.Evidence = sla.Digest{}
	q := &s.Quality
	q.Empty, q.Outside, q.Unassigned, q.Shared = 0, 0, 0, 0
	s.Findings = slices.Clone(s.Findings)
	for i := range s.Findings {
		if f := &s.Findings[i]; f.Code == sla.FindingUnassigned || f.Code == sla.FindingShared {
			f.Text = ""
		}
	}
	s.Availability = slices.Clone(s.Availability)
	for i := range s.Availability {
		m := &s.Availability[i]
		m.Exclusions, m.Rejected = total(m.Exclusions), total(m.Rejected)
	}
	return s
}

// total adds up what windows took: where they overlap it is put down to the first,
// which cutting them may change.
func total(list []sla.Exclusion) []sla.Exclusion {
	var sum sla.Exclusion
	for _, x := range list {
		sum.Down += x.Down
	}
	return []sla.Exclusion{sum}
}

// monotone reports whether more downtime of the provider can never lower what a
// term pays. Where it can, the contract says so in the way that the returns name.
func monotone(a *sla.Availability) bool {
	several := len(a.Services) > 1 && a.Aggregate == sla.Worst
	own := slices.ContainsFunc(a.Services, func(s sla.Service) bool { return s.Target != nil })
	if u, ok := a.Measure.(sla.Uptime); ok && u.Partial == sla.PartialUp {
		return false // two stretches that grow together round up once instead of twice
	}
	switch r := a.Remedy.(type) {
	case sla.PerOutage:
		return false // two outages that grow together are one
	case sla.LostTime:
		if r.OutageCapPercent != nil {
			return false // and have one bound instead of two
		}
		return !several || !r.BeyondTarget || !own // a service with a lower target may become the worst, with less beyond it
	case sla.PerInterval:
		if r.Started || r.OutageCapPercent != nil {
			return false // and begin one interval less
		}
		return !several // another service may become the worst, with fewer intervals
	case sla.UsageShare:
		return !several // or with less usage
	default:
		return true
	}
}

func TestMoreDowntimeNeverLowersCredit(t *testing.T) {
	tested, raised := 0, 0
	laws(t, 4, 600, func(t *testing.T, r *rand.Rand, a *sla.Agreement, p sla.Period, e sla.Evidence) {
		t.Helper()
		c := a.Contract()
		slack := int64(0)
		for _, term := range c.Terms {
			if term.Availability != nil && !monotone(term.Availability) {
				return
			}
			if c.RoundOnce {
				slack++ // the unit left over may go to another term, whose cap or minimum takes it away
			}
		}
		tested++
		more := e
		start := p.Start.Add(time.Duration(r.Int64N(int64(p.Duration()))))
		more.Outages = append(slices.Clone(e.Outages), sla.Outage{
			Ref: "more", Service: oneOf(r, "", "a", "b"), Start: start, End: start.Add(time.Duration(r.Int64N(int64(100 * time.Hour)))),
		})
		before, after := evaluate(t, a, p, e), evaluate(t, a, p, more)
		if after.Gross.Minor()+slack < before.Gross.Minor() || after.Payable.Minor()+slack < before.Payable.Minor() {
			t.Errorf("an outage %+v lowers the credit from %s of %s to %s of %s", more.Outages[len(e.Outages)], before.Payable, before.Gross, after.Payable, after.Gross)
		}
		if after.Gross.Minor() > before.Gross.Minor() {
			raised++
		}
	})
	if tested < 250 || raised < 50 {
		t.Errorf("%d contracts with %d credits raised are no test", tested, raised)
	}
}

// The exceptions of monotone are real: each of these contracts pays less after
// more downtime. The period is a day, the fee 1000.00.
func TestMoreDowntimeMayPayLess(t *testing.T) {
	ten := money.WholePercent(10)
	for _, c := range []struct {
		name          string
		change        func(*sla.Availability)
		outages       []sla.Outage
		more          sla.Outage
		before, after string
	}{
		{
			"two outages become one", func(a *sla.Availability) { a.Remedy = sla.PerOutage{Amount: eur("50.00")} },
			[]sla.Outage{outage("", 1, 2), outage("", 3, 4)},
			outage("", 2, 3), "100.00", "50.00",
		},
		{
			"one bound instead of two", func(a *sla.Availability) { a.Remedy = sla.LostTime{Times: 10, OutageCapPercent: &ten} },
			[]sla.Outage{outage("", 1, 2), outage("", 3, 4)},
			outage("", 2, 3), "200.00", "100.00", // 10/24 of the fee each, bounded
		},
		{
			"one interval begun instead of two", func(a *sla.Availability) {
				a.Remedy = sla.PerInterval{Percent: ten, Interval: 5 * time.Hour, Started: true}
			},
			[]sla.Outage{outage("", 1, 2), outage("", 3, 4)},
			outage("", 2, 3), "200.00", "100.00",
		},
		{
			// 2 × 1 h rounded up from half an hour each; then one of 1.25 h is 2 h, of 1 h is 1 h
			"one part of a unit instead of two", func(a *sla.Availability) {
				a.Measure, a.Remedy = sla.Uptime{Unit: time.Hour, Partial: sla.PartialUp}, sla.LostTime{Times: 6}
			},
			[]sla.Outage{outage("", 1, 1.25), outage("", 1.5, 2)},
			outage("", 1.25, 1.5), "500.00", "250.00",
		},
		{
			"another service is the worst", func(a *sla.Availability) {
				a.Services = []sla.Service{{ID: "a", Target: percentage("99")}, {ID: "b", Target: percentage("90")}}
				a.Remedy = sla.LostTime{Times: 1, BeyondTarget: true}
			},
			// a: 2 h down, 99 − 91.666… = 7.333… %; b: 3 h down, 90 − 87.5 = 2.5 %
			[]sla.Outage{outage("a", 1, 3)},
			outage("b", 1, 4), "73.33", "25.00",
		},
		{
			"another service is the worst, in pieces", func(a *sla.Availability) {
				a.Services = []sla.Service{{ID: "a"}, {ID: "b"}}
				a.Remedy = sla.PerInterval{Percent: ten, Interval: 2 * time.Hour}
			},
			// a: one full interval; b: down for longer, in pieces of less than one
			[]sla.Outage{outage("a", 1, 3), outage("b", 1, 2.5)},
			outage("b", 3, 4), "100.00", "0.00",
		},
	} {
		contract := uptime(percent("99"), "1000.00", nil)
		c.change(contract.Terms[0].Availability)
		a, err := sla.Compile(contract)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if monotone(contract.Terms[0].Availability) {
			t.Errorf("%s: counts as monotone", c.name)
		}
		before := evaluate(t, a, day, sla.Evidence{Observed: day.Interval, Outages: c.outages})
		after := evaluate(t, a, day, sla.Evidence{Observed: day.Interval, Outages: append(c.outages, c.more)})
		if before.Payable.Decimal() != c.before || after.Payable.Decimal() != c.after {
			t.Errorf("%s: %s, then %s, want %s, then %s", c.name, before.Payable, after.Payable, c.before, c.after)
		}
	}
}

// figuresOf condenses a statement of a whole period.
func figuresOf(t *testing.T, c sla.Contract, s sla.Statement, e sla.Evidence) (out []sla.Figures) {
	t.Helper()
	for _, term := range c.Terms {
		var f sla.Figures
		switch term.Clause() {
		case sla.ClauseAvailability:
			var worst *sla.Measured // of those that missed, else of all
			for i, m := range s.Availability {
				if m.Term != term.ID || !m.Value.IsSet() {
					continue
				}
				if worst == nil || worst.Outcome != sla.Missed && m.Outcome == sla.Missed || worst.Outcome == m.Outcome && m.Value.Compare(worst.Value) < 0 {
					worst = &s.Availability[i]
				}
			}
			if worst != nil {
				f.Promised, f.Down = worst.Promised, worst.Down
			}
		case sla.ClauseMonitoring:
			var gaps []calendar.Interval
			for _, g := range e.Gaps {
				gaps = append(gaps, calendar.Interval{Start: g.Start, End: g.End})
			}
			set, err := calendar.Normalize(gaps)
			if err != nil {
				t.Fatal(err)
			}
			hours := func(d time.Duration) time.Duration { return (d + time.Hour - 1) / time.Hour * time.Hour }
			set = calendar.Clip(set, s.Period.Interval)
			switch term.Monitoring.Count {
			case sla.ProRata:
				f.Unmonitored = calendar.Total(set)
			case sla.FullHours:
				f.Unmonitored = calendar.Total(set) / time.Hour * time.Hour
			case sla.StartedHours:
				f.Unmonitored = hours(calendar.Total(set))
			case sla.StartedPerOutage:
				for _, g := range set {
					f.Unmonitored += hours(g.Duration())
				}
			}
		default:
			for _, tally := range s.Clocks {
				if tally.Term == term.ID {
					f.Late[tally.Severity-incident.P1] = tally.Missed
				}
			}
		}
		out = append(out, f)
	}
	return out
}

// Where a contract can be condensed, the pricer gives the amounts of Evaluate.
func TestPricerIsEvaluate(t *testing.T) {
	priced, refused := 0, 0
	laws(t, 5, 800, func(t *testing.T, r *rand.Rand, a *sla.Agreement, p sla.Period, e sla.Evidence) {
		t.Helper()
		if c := a.Contract(); !maybe(r, 4) { // most contracts would be refused
			c.RoundOnce = false
			for i := range c.Terms {
				if term := &c.Terms[i]; term.Availability != nil {
					plain := *term.Availability
					plain.Measure, plain.Services, plain.Aggregate, plain.Remedy = oneOf[sla.Measure](r, nil, sla.Uptime{Unit: time.Minute, Partial: sla.PartialUp}), nil, sla.Worst, anyBands(r, plain.Target)
					if maybe(r, 4) {
						plain.Remedy = sla.LostTime{Times: 1 + r.Int64N(20), BeyondTarget: maybe(r, 2)}
					}
					if maybe(r, 2) {
						plain.Services = []sla.Service{{ID: "a", Target: percentage("97.5")}}
					}
					term.Availability = &plain
				} else if term.Response != nil {
					term.Response.MeanToo = false
				}
			}
			simple, err := sla.Compile(c)
			if err != nil {
				t.Error(err)
				return
			}
			a = simple
		}
		s := evaluate(t, a, p, e)
		pricer, err := a.Pricer(p, e)
		if err != nil {
			if !strings.Contains(err.Error(), sla.ErrNotCondensed.Error()) {
				t.Errorf("Pricer: %v", err)
			}
			refused++
			return
		}
		figures := figuresOf(t, a.Contract(), s, e)
		if pricer.Terms() != len(figures) {
			t.Errorf("Terms = %d, want %d", pricer.Terms(), len(figures))
		}
		got, err := pricer.Price(figures)
		if err != nil {
			t.Error(err)
			return
		}
		var due, paid [len(sla.Clauses)]money.Amount
		for i := range sla.Clauses {
			due[i], paid[i] = s.Fee.Zero(), s.Fee.Zero()
		}
		for _, w := range s.Waterfall {
			at := slices.Index(sla.Clauses[:], w.Clause)
			due[at], paid[at] = w.Gross, w.Payable
		}
		if got.Gross != s.Gross || got.Payable != s.Payable || got.Due != due || got.Paid != paid {
			t.Errorf("Price(%+v) = %+v, want gross %s, payable %s of %v, paid %v", figures, got, s.Gross, s.Payable, due, paid)
		}
		if s.Gross.Sign() > 0 {
			priced++
		}
	})
	if priced < 100 || refused < 100 {
		t.Errorf("%d credits priced and %d contracts refused are no test", priced, refused)
	}
}

// In a zone of fixed offset all is as in UTC, only earlier; and a stretch of
// whole weeks later all is as before. What depends on the calendar year, on the
// length of months or on the hour of UTC is left out.
func TestShiftOfZoneAndPeriod(t *testing.T) {
	laws(t, 6, 300, func(t *testing.T, r *rand.Rand, a *sla.Agreement, p sla.Period, e sla.Evidence) {
		t.Helper()
		want := withoutInstants(evaluate(t, a, p, e))

		hours := 1 + r.IntN(12)
		c := a.Contract()
		c.Zone = fmt.Sprintf("Etc/GMT-%d", hours) // which is east of Greenwich
		c.Calendars = map[string]calendar.Hours{"long days": c.Calendars["long days"]}
		long := c.Calendars["long days"]
		long.Zone = c.Zone
		c.Calendars["long days"] = long
		east, err := sla.Compile(c)
		if err != nil {
			t.Error(err)
			return
		}
		earlier := -time.Duration(hours) * time.Hour
		moved := east.PeriodAt(p.Start.Add(earlier))
		if !moved.Start.Equal(p.Start.Add(earlier)) || moved.Label != p.Label {
			t.Errorf("period %+v, want that of %+v, %s earlier", moved, p, earlier)
		}
		if got := withoutInstants(evaluate(t, east, moved, shifted(e, earlier))); !reflect.DeepEqual(got, want) {
			t.Errorf("in %s:\n%+v\nwant\n%+v", c.Zone, got, want)
		}

		c = a.Contract()
		c.CapYearPercent, c.Period = nil, sla.Billing{Days: 28, First: p.Start}
		for i, term := range c.Terms {
			if term.Availability != nil {
				without := *term.Availability
				without.MaintenancePerYear = 0
				c.Terms[i].Availability = &without
			}
		}
		weeks, err := sla.Compile(c)
		if err != nil {
			t.Error(err)
			return
		}
		p = weeks.PeriodAt(p.Start)
		later := time.Duration(1+r.IntN(100)) * 7 * 24 * time.Hour
		moved = sla.Period{Label: p.Label, Interval: calendar.Interval{Start: p.Start.Add(later), End: p.End.Add(later)}}
		if one, other := withoutInstants(evaluate(t, weeks, p, e)), withoutInstants(evaluate(t, weeks, moved, shifted(e, later))); !reflect.DeepEqual(one, other) {
			t.Errorf("%s later:\n%+v\nwant\n%+v", later, other, one)
		}
	})
}

// shifted returns evidence in which every instant lies d later.
func shifted(e sla.Evidence, d time.Duration) sla.Evidence {
	var move func(v reflect.Value) reflect.Value
	move = func(v reflect.Value) reflect.Value {
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		if at, ok := reflect.TypeAssert[time.Time](v); ok {
			if !at.IsZero() {
				out.Set(reflect.ValueOf(at.Add(d)))
			}
			return out
		}
		switch {
		case v.Kind() == reflect.Slice && !v.IsNil():
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(move(v.Index(i)))
			}
		case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[money.Amount]() && v.Type() != reflect.TypeFor[incident.Target]():
			for i := range v.NumField() {
				out.Field(i).Set(move(v.Field(i)))
			}
		}
		return out
	}
	return move(reflect.ValueOf(e)).Interface().(sla.Evidence) //nolint:forcetypeassert // as it went in
}

// withoutInstants takes away what names an instant, and keeps every amount, value
// and length.
func withoutInstants(s sla.Statement) sla.Statement {
	s.Inputs, s.Period, s.Through, s.ClaimBefore = sla.Inputs{}, sla.Period{}, time.Time{}, time.Time{}
	s.Availability, s.Breaches, s.Lines = slices.Clone(s.Availability), slices.Clone(s.Breaches), slices.Clone(s.Lines)
	for i := range s.Availability {
		s.Availability[i].Downtime = nil
	}
	for i := range s.Breaches {
		s.Breaches[i].At = time.Time{}
	}
	for i := range s.Lines {
		s.Lines[i].Stretch = calendar.Interval{}
		if s.Lines[i].Clause == sla.ClauseMonitoring {
			s.Lines[i].Evidence = nil // the gaps
		}
	}
	return s
}
