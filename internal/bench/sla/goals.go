package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/internal/span"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// goals are figures per operation to reach without a peer. A new one is a line
// here and a function that prepares it. The sets of intervals are one operation:
// 60 and 10 million intervals a second. The statements are for two processors,
// and what is measured here is the time of one.
var goals = []measure.Pair{
	goal("sla/union_sorted_1m", time.Second/60, 1, union(setOf(intervals))),
	noAllocs(goal("sla/union_sorted_1m_reused", time.Second/60, 1, unionReused(setOf(intervals)))),
	goal("sla/union_unsorted_1m", time.Second/10, 1, union(shuffled(intervals))),
	noAllocs(goal("sla/union_spans_sorted_1m", time.Second/60, 1, unionSpans(setOf(intervals)))),
	noAllocs(goal("sla/union_spans_unsorted_1m", time.Second/10, 1, unionSpans(shuffled(intervals)))),
	goal("sla/calendar_year_cold", 100*time.Microsecond, coldYears, yearsCold),
	noAllocs(goal("sla/due_warm", 120*time.Nanosecond, len(starts), dueWarm)),
	noAllocs(goal("sla/percent", 10*time.Nanosecond, amounts, percent)),
	noAllocs(goal("sla/band_lookup", 30*time.Nanosecond, lookups, bandLookup)),
	noAllocs(goal("sla/reference_credits", 500*time.Nanosecond, 1, referenceCredits)),
	goal("sla/replay", time.Second/5_000_000, tickets*events(waits), replay(tickets, waits)),
	goal("sla/batch_1k", 4*time.Millisecond, 1, batch(1000)),
	goal("sla/batch_10k", 40*time.Millisecond, 1, batch(10_000)),
	goal("sla/batch_100k", 400*time.Millisecond, 1, batch(100_000)),
	goal("sla/statement_html", 300*time.Microsecond, 1, statementHTML(false)),
	goal("sla/statement_html_from_report", 300*time.Microsecond, 1, statementHTML(true)),
}

func noAllocs(p measure.Pair) measure.Pair {
	p.NoAllocs = true
	return p
}

func goal(name string, figure time.Duration, ops int, setup func() (func(), error)) measure.Pair {
	return measure.Pair{
		Name: name, Peer: "goal", Bar: 1, Ops: ops, Goal: figure,
		Setup: func() (func(), func(), error) {
			ours, err := setup()
			return ours, nil, err
		},
	}
}

const intervals = 1_000_000

// union joins as many intervals as the list holds; a third of them touch or
// overlap the one before.
func union(list func() []calendar.Interval) func() (func(), error) {
	return func() (func(), error) {
		list := list()
		set, err := calendar.Normalize(list)
		if err != nil {
			return nil, err
		}
		if want := len(list) - len(list)/3; len(set) != want {
			return nil, fmt.Errorf("union of %d intervals has %d members, want %d", len(list), len(set), want)
		}
		return func() { must(calendar.Normalize(list)) }, nil
	}
}

// unionReused joins the intervals into the memory of the call before.
func unionReused(list func() []calendar.Interval) func() (func(), error) {
	return func() (func(), error) {
		list := list()
		var set []calendar.Interval
		run := func() { set = must(calendar.AppendNormalize(set[:0], list)) }
		if run(); len(set) != len(list)-len(list)/3 {
			return nil, fmt.Errorf("union of %d intervals has %d members", len(list), len(set))
		}
		return run, nil
	}
}

// unionSpans joins the same intervals as plain integers and in place, which is what
// computes over many customers. The copy of the list is part of the figure.
func unionSpans(list func() []calendar.Interval) func() (func(), error) {
	return func() (func(), error) {
		var spans []span.Span
		for _, i := range list() {
			spans = append(spans, span.Span{Start: i.Start.UnixNano(), End: i.End.UnixNano()})
		}
		work := make([]span.Span, len(spans))
		run := func() int {
			copy(work, spans)
			span.Sort(work)
			return len(span.Merge(work))
		}
		if got, want := run(), len(spans)-len(spans)/3; got != want {
			return nil, fmt.Errorf("union of %d spans has %d members, want %d", len(spans), got, want)
		}
		return func() { run() }, nil
	}
}

// setOf returns n intervals in order, a minute apart. Of three the first is a
// minute long and so touches the second; the others are shorter.
func setOf(n int) func() []calendar.Interval {
	return func() []calendar.Interval {
		first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		list := make([]calendar.Interval, n)
		for i := range list {
			start := first.Add(time.Duration(i) * time.Minute)
			length := 20 * time.Second
			if i%3 == 0 {
				length = time.Minute
			}
			list[i] = calendar.Interval{Start: start, End: start.Add(length)}
		}
		return list
	}
}

func shuffled(n int) func() []calendar.Interval {
	return func() []calendar.Interval {
		list := setOf(n)()
		r := rand.New(rand.NewPCG(1, uint64(n)))
		r.Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list
	}
}

const coldYears = 100

// yearsCold expands years of a new calendar, each by the first question about it.
func yearsCold() (func(), error) {
	if _, err := calendar.New(office); err != nil {
		return nil, err
	}
	return func() {
		c := must(calendar.New(office))
		for n := range coldYears {
			c.IsOpen(time.Date(1980+n, 6, 1, 0, 0, 0, 0, time.UTC))
		}
	}, nil
}

func dueWarm() (func(), error) {
	c, err := calendar.New(office)
	if err != nil {
		return nil, err
	}
	return func() { dueAll(c, 40*time.Hour) }, nil
}

func percent() (func(), error) {
	fees := fees()
	return func() { takeAll(fees) }, nil
}

const lookups = 1000

// bandLookup finds the reference band of availabilities from 90 to 100 percent,
// of which the highest tenth is in none.
func bandLookup() (func(), error) {
	bands := sla.ReferenceBands()
	values := make([]sla.Fraction, lookups)
	for i := range values {
		var err error
		if values[i], err = sla.NewFraction(uint64(9*lookups+i), 10*lookups); err != nil {
			return nil, err
		}
	}
	var credits money.Percent // keeps the compiler from leaving out the work
	lookUp := func() {
		credits = 0
		for _, value := range values {
			if i := slices.IndexFunc(bands, func(b sla.Band) bool { return b.Holds(value) }); i >= 0 {
				credits += bands[i].Credit
			}
		}
	}
	// Half of the values are below 95 %, three tenths below 98 and one below 99.
	lookUp()
	if want := lookups / 10 * (5*money.WholePercent(50) + 3*money.WholePercent(25) + money.WholePercent(10)); credits != want {
		return nil, fmt.Errorf("credits of %s, want %s", credits, want)
	}
	return lookUp, nil
}

// batch judges a month of that many customers with ten outages each, unsorted, in
// one goroutine.
func batch(customers int) func() (func(), error) {
	return func() (func(), error) {
		a, err := sla.Compile(sla.Preset("batch", sla.Enterprise, "UTC", sla.Enterprise.Offer().FeeFrom))
		if err != nil {
			return nil, err
		}
		p := a.PeriodAt(time.Date(2026, 4, 15, 0, 0, 0, 0, time.UTC))
		plan, err := a.RatePlan(p, sla.Evidence{Observed: p.Interval})
		if err != nil {
			return nil, err
		}
		plans := slices.Repeat([]*sla.RatePlan{plan}, customers)
		r := rand.New(rand.NewPCG(1, uint64(customers)))
		rows := make([]sla.Downtime, 10*customers)
		for i := range rows {
			// A minute each, in ten stretches of three days: none overlaps another.
			start := p.Start.Add(time.Duration(i%10)*72*time.Hour + time.Duration(r.Int64N(int64(71*time.Hour))))
			rows[i] = sla.Downtime{Customer: uint32(i / 10), Start: start.UnixNano(), End: start.Add(time.Minute).UnixNano()}
		}
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		down := time.Duration(0)
		judge := func() {
			b := sla.NewBatch(plans, rows)
			down = 0
			for c, err := range b.Credits(0, b.Customers()) {
				down += must(c, err).Down
			}
		}
		if judge(); down != time.Duration(len(rows))*time.Minute {
			return nil, fmt.Errorf("%s down, want %d minutes", down, len(rows))
		}
		return judge, nil
	}
}
