package main

import (
	"fmt"
	"slices"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/sla"
)

// growths pair an input of ten and a hundred times the size with as many of the
// small one. The cost of an item may rise to two and a half times: a sort takes
// twice as many steps for it, and more of the data lies outside of the caches. What
// grows with the square costs ten and a hundred times as much.
var growths = slices.Concat(
	growth("sla/union_sorted", 10_000, 1, func(n int) (func(), error) { return union(setOf(n))() }),
	growth("sla/union_unsorted", 10_000, 1, func(n int) (func(), error) { return union(shuffled(n))() }),
	growth("sla/replay_waits", 30, 4, func(n int) (func(), error) { return replay(1, n)() }),
	growth("sla/evaluate_outages", 100, 1, func(n int) (func(), error) { return evaluate(n, 0, nil) }),
	growth("sla/evaluate_windows", 100, 1, func(n int) (func(), error) { return evaluate(n, n, nil) }),
	growth("sla/evaluate_affected", 100, 1, func(n int) (func(), error) { return evaluate(n, 0, sla.AffectedRatio{}) }),
)

// growth measures 10 and 100 times n items; an item is so many operations.
func growth(name string, n, ops int, setup func(n int) (func(), error)) []measure.Pair {
	var out []measure.Pair
	for _, times := range []int{10, 100} {
		out = append(out, measure.Pair{
			Name: fmt.Sprintf("%s_%dx", name, times), Peer: fmt.Sprintf("itself, %d x %d", times, n), Bar: 0.4, Ops: times * n * ops,
			Setup: func() (func(), func(), error) {
				small, err := setup(n)
				if err != nil {
					return nil, nil, err
				}
				large, err := setup(times * n)
				return large, func() {
					for range times {
						small()
					}
				}, err
			},
		})
	}
	return out
}

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
