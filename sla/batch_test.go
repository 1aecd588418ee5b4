package sla_test

import (
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func ratePlan(tb testing.TB, a *sla.Agreement, p sla.Period, e sla.Evidence) *sla.RatePlan {
	tb.Helper()
	plan, err := a.RatePlan(p, e)
	if err != nil {
		tb.Fatal(err)
	}
	return plan
}

// randomRated is a contract that a rate plan takes, and the evidence that its
// customers share.
func randomRated(t *testing.T, r *rand.Rand) (*sla.Agreement, sla.Period, sla.Evidence) {
	t.Helper()
	where := []string{"Europe/Amsterdam", "America/New_York"}[r.IntN(2)]
	c := sla.Preset("rated", sla.Tiers[r.IntN(3)], where, money.Must(money.Parse("33333.33 EUR")))
	c.Tier = 0
	if r.IntN(3) == 0 {
		limit := percent("20")
		c.CapPercent = &limit
	}
	c.Calendars = map[string]calendar.Hours{"office": {Zone: where, Week: calendar.MondayToFriday("09:00", "17:30")}}
	first := c.Terms[0].Availability
	first.Exclude = []sla.Cause{sla.CauseMaintenance}
	second := *first
	second.Target, second.Remedy = percent("97.5"), sla.LostTime{Times: 3}
	for _, a := range []*sla.Availability{first, &second} {
		a.Strict, a.ExcludeMode, a.MinNotice = r.IntN(2) == 0, sla.ExcludeMode(r.IntN(2)), time.Duration(r.IntN(2))*48*time.Hour
		if r.IntN(2) == 0 {
			a.ServiceHours = "office"
		}
		a.Measure = []sla.Measure{nil, sla.Uptime{MinOutage: time.Hour, AtLeast: r.IntN(2) == 0}, sla.Uptime{Unit: time.Minute, Partial: sla.Partial(r.IntN(3))}}[r.IntN(3)]
	}
	lost := r.IntN(2) == 0
	if lost {
		c.Terms = append(c.Terms, sla.Term{ID: "second", Availability: &second})
	}
	if r.IntN(3) == 0 {
		first.Services = []sla.Service{{ID: "api"}}
	}
	p := sla.Billing{}.At(time.Date(2026, time.Month(1+r.IntN(12)), 15, 0, 0, 0, 0, time.UTC), zone(t, where))
	switch r.IntN(6) {
	case 0:
		c.From = p.Start.AddDate(0, 0, 9)
	case 1:
		c.Until = p.Start.AddDate(0, 0, 20)
	}
	e := sla.Evidence{Observed: p.Interval}
	switch r.IntN(8) {
	case 0:
		if !lost { // which a plan takes for a whole period only
			e.Observed.End = p.End.AddDate(0, 0, -4)
		}
	case 1:
		if !lost {
			e.Observed = calendar.Interval{}
		}
	case 2:
		e.Observed.Start = p.Start.AddDate(0, 0, 3)
	case 3:
		e.Gaps = []sla.Gap{{Service: "api", Start: p.Start.AddDate(0, 0, -1), End: p.End.AddDate(0, 0, 1), Before: true}}
	}
	for range r.IntN(4) {
		start := p.Start.Add(time.Duration(r.Int64N(int64(p.Duration()))))
		e.Maintenance = append(e.Maintenance, sla.Maintenance{Start: start, End: start.Add(time.Duration(r.IntN(40)) * time.Hour), Announced: start.AddDate(0, 0, -r.IntN(4))})
	}
	a, err := sla.Compile(c)
	noError(t, err)
	return a, p, e
}

// Every customer of a batch gets what the evaluation of his outages says, whatever
// the order of the rows and however the customers are split.
func TestBatchAgainstEvaluate(t *testing.T) {
	const customers, kinds = 500, 60
	r := rand.New(rand.NewPCG(51, 52))
	type kind struct {
		agreement *sla.Agreement
		period    sla.Period
		evidence  sla.Evidence
		plan      *sla.RatePlan
	}
	var all []kind
	for range kinds {
		a, p, e := randomRated(t, r)
		all = append(all, kind{a, p, e, ratePlan(t, a, p, e)})
	}
	plans, evidence := make([]*sla.RatePlan, customers), make([]sla.Evidence, customers)
	var rows []sla.Downtime
	for c := range customers {
		k := all[c%kinds]
		plans[c], evidence[c] = k.plan, k.evidence
		for range r.IntN(12) * (1 + r.IntN(2)*r.IntN(9)) {
			start := k.period.Start.Add(time.Duration(r.Int64N(int64(k.period.Duration())*11/10)) - 24*time.Hour)
			length := time.Duration(r.Int64N(int64([]time.Duration{time.Minute, 2 * time.Hour, 9 * time.Hour}[r.IntN(3)])))
			row := sla.Downtime{Customer: uint32(c), Start: start.UnixNano(), End: start.Add(length).UnixNano()}
			outage := sla.Outage{Start: start, End: start.Add(length)}
			if r.IntN(40) == 0 {
				row.End, outage.End = math.MaxInt64, time.Time{}
			}
			rows, evidence[c].Outages = append(rows, row), append(evidence[c].Outages, outage)
		}
	}
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	batch := sla.NewBatch(plans, rows)
	same(t, "customers", batch.Customers(), customers)

	got := make([]sla.CustomerCredits, customers)
	var group sync.WaitGroup
	for _, bounds := range [][2]uint32{{0, 123}, {123, 400}, {400, 9999}} {
		group.Go(func() {
			for c, err := range batch.Credits(bounds[0], bounds[1]) {
				if err != nil {
					t.Error(err)
				}
				got[c.Customer] = c
			}
		})
	}
	group.Wait()
	states := map[sla.State]int{}
	for c, credits := range got {
		s := evaluate(t, all[c%kinds].agreement, all[c%kinds].period, evidence[c])
		m := s.Availability[0]
		same(t, "customer", credits.Customer, uint32(c))
		if m.Outcome == sla.NoData {
			same(t, "promised without data", credits.Promised, 0)
		} else {
			same(t, "promised", credits.Promised, m.Promised)
		}
		same(t, "down", credits.Down, m.Down)
		same(t, "gross", credits.Gross, s.Gross)
		same(t, "payable", credits.Payable, s.Payable)
		same(t, "state", credits.State, s.State)
		for _, w := range s.Waterfall {
			at := slices.Index(sla.Clauses[:], w.Clause)
			same(t, "due", credits.Due[at], w.Gross)
			same(t, "paid", credits.Paid[at], w.Payable)
		}
		states[s.State]++
	}
	for _, s := range []sla.State{sla.StateNone, sla.StateNoData, sla.StateBreachNoBand, sla.StateDue, sla.StateCapped} {
		if states[s] < 10 {
			t.Errorf("%d customers are %q, too few to say anything", states[s], s)
		}
	}
}

// Every row is counted once, and those that do not count can be found.
func TestBatchFaults(t *testing.T) {
	a := reference(t, sla.Enterprise)
	p := month(t, a, "2026-04")
	plan := ratePlan(t, a, p, sla.Evidence{Observed: p.Interval})
	from, to := p.Start.UnixNano(), p.End.UnixNano()
	rows := []sla.Downtime{
		{0, from - 10, from + 5},
		{0, from - 10, from},
		{0, to, to + 1},
		{2, from + 9, from + 9},
		{2, from + 9, from + 8},
		{1, from, to},
		{3, from, to},
		{math.MaxUint32, from, to},
		{2, math.MinInt64, math.MaxInt64},
	}
	batch := sla.NewBatch([]*sla.RatePlan{plan, nil, plan}, rows)
	same(t, "faults", maps.Collect(batch.Faults(rows)), map[int]sla.RowFault{
		1: sla.RowOutside, 2: sla.RowOutside, 3: sla.RowEmpty, 4: sla.RowInverted, 5: sla.RowUnknownCustomer, 6: sla.RowUnknownCustomer, 7: sla.RowUnknownCustomer,
	})
	for fault, want := range []int{2, 3, 1, 1, 2, 0} {
		same(t, sla.RowFault(fault).String(), batch.Count(sla.RowFault(fault)), want)
	}
	var down []time.Duration
	for c, err := range batch.Credits(0, batch.Customers()) {
		noError(t, err)
		down = append(down, c.Down)
	}
	same(t, "down", down, []time.Duration{5, p.Duration()})
}

// The figures of other terms come from the caller: with a late P1 answer (EUR 500)
// and 90 minutes without monitoring (1.5 % of 75000) the customer gets 1625.00 more.
func TestBatchFigures(t *testing.T) {
	a := reference(t, sla.Enterprise)
	p := month(t, a, "2026-04")
	plan := ratePlan(t, a, p, sla.Evidence{Observed: p.Interval})
	batch := sla.NewBatch([]*sla.RatePlan{plan, plan}, nil)
	batch.Figures = func(customer uint32, figures []sla.Figures) {
		if customer == 1 {
			figures[1].Late[0] = 1                    // response
			figures[3].Unmonitored = 90 * time.Minute // monitoring
		}
	}
	var got []string
	for c, err := range batch.Credits(0, 2) {
		noError(t, err)
		got = append(got, string(c.State)+" "+c.Payable.String())
	}
	same(t, "credits", got, []string{"none 0.00 EUR", "due 1625.00 EUR"})

	batch.Figures = func(_ uint32, figures []sla.Figures) { figures[1].Late[0] = -1 }
	for _, err := range batch.Credits(0, 1) {
		if err == nil {
			t.Error("a negative number of late incidents is accepted")
		}
	}
}

func TestRatePlanNotCondensed(t *testing.T) {
	for name, change := range map[string]func(*sla.Contract, *sla.Evidence){
		"measure": func(c *sla.Contract, _ *sla.Evidence) { c.Terms[0].Availability.Measure = sla.AffectedRatio{} },
		"sum": func(c *sla.Contract, _ *sla.Evidence) {
			c.Terms[0].Availability.Measure = sla.Uptime{Overlap: sla.OverlapSum}
		},
		"whole outages": func(c *sla.Contract, _ *sla.Evidence) {
			c.Terms[0].Availability.Measure = sla.Uptime{WholeOutages: true}
		},
		"reports": func(c *sla.Contract, _ *sla.Evidence) { c.Terms[0].Availability.Measure = sla.Uptime{FromReport: true} },
		"effects": func(c *sla.Contract, _ *sla.Evidence) { c.Terms[0].Availability.Measure = sla.Uptime{FromEffect: true} },
		"services": func(c *sla.Contract, _ *sla.Evidence) {
			c.Terms[0].Availability.Services = []sla.Service{{ID: "api"}, {ID: "web"}}
		},
		"target": func(c *sla.Contract, _ *sla.Evidence) {
			target := percent("98")
			c.Terms[0].Availability.Services = []sla.Service{{ID: "api", Target: &target}}
		},
		"unknown time": func(c *sla.Contract, e *sla.Evidence) {
			c.Terms[0].Availability.Unknown = sla.UnknownDown
			e.Observed.Start = day.Start.Add(time.Hour)
		},
		"lost time so far": func(c *sla.Contract, e *sla.Evidence) {
			c.Terms[0].Availability.Remedy = sla.LostTime{Times: 1}
			e.Observed.End = day.Start.Add(time.Hour)
		},
		"remedy": func(c *sla.Contract, _ *sla.Evidence) {
			c.Terms[0].Availability.Remedy = sla.PerOutage{Percent: percent("1")}
		},
		"no availability": func(c *sla.Contract, _ *sla.Evidence) {
			c.Terms = []sla.Term{response(sla.Clock{Targets: []sla.Target{{Severity: incident.P1, Within: time.Hour}}})}
		},
	} {
		c := uptime(percent("99"), "1000.00", sla.ReferenceBands())
		e := sla.Evidence{Observed: day.Interval}
		change(&c, &e)
		a, err := sla.Compile(c)
		noError(t, err)
		if _, err := a.RatePlan(day, e); !errors.Is(err, sla.ErrNotCondensed) {
			t.Errorf("%s: error %v, want %v", name, err, sla.ErrNotCondensed)
		}
	}
	a := reference(t, sla.Enterprise)
	if _, err := a.RatePlan(sla.Period{}, sla.Evidence{}); !errors.Is(err, sla.ErrPeriod) {
		t.Errorf("error %v, want %v", err, sla.ErrPeriod)
	}
}

// A customer costs no allocation, however many there are.
func TestBatchAllocations(t *testing.T) {
	a := reference(t, sla.Enterprise)
	p := month(t, a, "2026-04")
	plan := ratePlan(t, a, p, sla.Evidence{Observed: p.Interval})
	batch := sla.NewBatch(slices.Repeat([]*sla.RatePlan{plan}, 2000), batchRows(p, 2000))
	for _, customers := range []uint32{200, 2000} {
		if n := testing.AllocsPerRun(5, func() {
			for _, err := range batch.Credits(0, customers) {
				if err != nil {
					t.Error(err)
				}
			}
		}); n > 30 { // buffers that grow to the largest customer
			t.Errorf("%v allocations for %d customers, want a few for all", n, customers)
		}
	}
}
