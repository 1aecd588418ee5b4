package main

import (
	"fmt"
	"slices"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/sla"
)

// growths are larger inputs beside as many small ones.
var growths = slices.Concat(
	measure.Growth("sla/union_sorted", "intervals", 10_000, func(n int) (func(), error) { return union(setOf(n))() }),
	measure.Growth("sla/union_unsorted", "intervals", 10_000, func(n int) (func(), error) { return union(shuffled(n))() }),
	measure.Growth("sla/replay_waits", "waits", 30, func(n int) (func(), error) { return replay(1, n)() }),
	measure.Growth("sla/evaluate_outages", "outages", 100, func(n int) (func(), error) { return evaluate(n, 0, nil) }),
	measure.Growth("sla/evaluate_windows", "outages and windows", 100, func(n int) (func(), error) { return evaluate(n, n, nil) }),
	measure.Growth("sla/evaluate_affected", "outages", 100, func(n int) (func(), error) { return evaluate(n, 0, sla.AffectedRatio{}) }),
	measure.Growth("sla/batch", "customers", 1000, func(n int) (func(), error) { return batch(n)() }),
)

// evaluate makes the whole statement of the reference contract, with another
// measure of the availability if one is given.
func evaluate(outages, windows int, m sla.Measure) (func(), error) {
	c, _, p, err := reference(sla.Enterprise, 100_000)
	if err != nil {
		return nil, err
	}
	c.Terms[0].Availability.Measure = m
	a, err := sla.Compile(c)
	if err != nil {
		return nil, err
	}
	e := evidence(p, outages, windows)
	s, err := a.Evaluate(p, e)
	if err != nil {
		return nil, err
	}
	if got, want := len(s.Availability[0].Downtime), outages; got != want {
		return nil, fmt.Errorf("%d stretches of downtime, want %d", got, want)
	}
	if got := len(s.Availability[0].Exclusions); got != windows {
		return nil, fmt.Errorf("%d windows excluded, want %d", got, windows)
	}
	return func() { must(a.Evaluate(p, e)) }, nil
}
