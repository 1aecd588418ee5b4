package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// goals are figures per operation to reach without a peer. A new one is a line
// here and a function below that prepares it. The sets of intervals are one
// operation: 60 and 10 million intervals a second.
var goals = []measure.Pair{
	goal("sla/union_sorted_1m", time.Second/60, 1, union(setOf(intervals))),
	goal("sla/union_unsorted_1m", time.Second/10, 1, union(shuffled(intervals))),
	goal("sla/calendar_year_cold", 100*time.Microsecond, coldYears, yearsCold),
	goal("sla/due_warm", 120*time.Nanosecond, len(starts), dueWarm),
	goal("sla/percent", 10*time.Nanosecond, amounts, percent),
	goal("sla/band_lookup", 30*time.Nanosecond, lookups, bandLookup),
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
