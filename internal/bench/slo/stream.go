package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/slo"
)

// days of history; the ranges of the first three are shorter than their window,
// which is to the engine's advantage.
const days, perDay = 6, 2880

const (
	lastQueries = 100 // instants at which a server evaluates the rules
	prometheus  = "prometheus/promql v0.310.0"
)

// streams are one step of one objective: our tracker keeps seven burn rates, the
// budget of 30 days and four decisions; the engine computes the seven ratios, in
// one query each over the whole range as a backtest would, or at every instant as a
// server does.
var streams = []measure.Pair{
	{Name: "slo/stream_range_queries", Peer: prometheus, Bar: 500, Ops: days * perDay, Setup: func() (func(), func(), error) {
		e, err := counters(days * perDay)
		if err != nil {
			return nil, nil, err
		}
		return follow(days * perDay), func() {
			for _, w := range windows {
				must(e.overRange(ratio(w, false), 0, days*perDay-1))
			}
		}, nil
	}},
	{Name: "slo/stream_instant_queries", Peer: prometheus, Bar: 20_000, Ops: lastQueries, Setup: func() (func(), func(), error) {
		e, err := counters(4 * perDay)
		if err != nil {
			return nil, nil, err
		}
		return follow(lastQueries), func() {
			for _, w := range windows {
				for i := range lastQueries {
					must(e.atStep(ratio(w, false), 4*perDay-lastQueries+i))
				}
			}
		}, nil
	}},
}

// follow observes so many samples more with every call, after a month.
func follow(samples int) func() {
	t := must(slo.NewTracker(objective(), &slo.TrackerOptions{Interval: step}))
	i := 0
	observe := func(n int) {
		for range n {
			if err := t.Observe(at(i), events(i)); err != nil {
				panic(err)
			}
			i++
		}
	}
	observe(30*perDay + 1000)
	return func() { observe(samples) }
}

// goals are one sample of one objective, and of a thousand in turn, and a month at
// once.
var goals = []measure.Pair{
	{Name: "slo/observe", Peer: "goal", Bar: 1, Goal: 100 * time.Nanosecond, Ops: 1000, NoAllocs: true, Setup: func() (func(), func(), error) {
		return follow(1000), nil, nil
	}},
	{Name: "slo/observe_1000_objectives", Peer: "goal", Bar: 1, Goal: 300 * time.Nanosecond, Ops: 1000, NoAllocs: true, Setup: func() (func(), func(), error) {
		// The period is a calendar month, so that three days are kept.
		return inTurn(1000, slo.Calendar(slo.Month, nil), false)
	}},
	{Name: "slo/observe_compact", Peer: "goal", Bar: 1, Goal: 70 * time.Nanosecond, Ops: 1000, NoAllocs: true, Setup: func() (func(), func(), error) {
		observe, _, err := inTurn(1, slo.Rolling(30*24*time.Hour), true)
		return repeat(1000, observe), nil, err
	}},
	{Name: "slo/observe_compact_1000_objectives", Peer: "goal", Bar: 1, Goal: 200 * time.Nanosecond, Ops: 1000, NoAllocs: true, Setup: func() (func(), func(), error) {
		return inTurn(1000, slo.Rolling(30*24*time.Hour), true)
	}},
	{Name: "slo/backtest_30d", Peer: "goal", Bar: 1, Goal: 10 * time.Millisecond, Setup: backtest},
}

func repeat(n int, f func()) func() {
	return func() {
		for range n {
			f()
		}
	}
}

// inTurn gives a sample to so many trackers in turn, after three days of them.
func inTurn(objectives int, window slo.Window, compact bool) (observe, _ func(), _ error) {
	o := objective()
	o.Windows = []slo.Window{window}
	trackers := make([]*slo.Tracker, objectives)
	i := 3*perDay + 10
	for n := range trackers {
		t, err := slo.NewTracker(o, &slo.TrackerOptions{Interval: step, Compact: compact})
		if err != nil {
			return nil, nil, err
		}
		for j := range i {
			if err := t.Observe(at(j), events(j)); err != nil {
				return nil, nil, fmt.Errorf("step %d: %w", j, err)
			}
		}
		trackers[n] = t
	}
	return func() {
		for _, t := range trackers {
			if err := t.Observe(at(i), events(i)); err != nil {
				panic(err)
			}
		}
		i++
	}, nil, nil
}

// growths are longer histories: the samples of days judged one by one, and at once.
var growths = slices.Concat(
	measure.Growth("slo/observe", "samples", perDay, observed),
	measure.Growth("slo/backtest", "samples", perDay, backtested),
)

// observed gives n samples to a tracker and asks for what is left of the budget.
func observed(n int) (func(), error) {
	return func() {
		t := must(slo.NewTracker(objective(), &slo.TrackerOptions{Interval: step}))
		for i := range n {
			if err := t.Observe(at(i), events(i)); err != nil {
				panic(err)
			}
		}
		must(t.Status())
	}, nil
}

// backtest runs the default policy over 30 days.
func backtest() (func(), func(), error) {
	run, err := backtested(30 * perDay)
	return run, nil, err
}

func backtested(n int) (func(), error) {
	samples := make([]slo.Sample, n)
	for i := range samples {
		samples[i] = slo.Sample{At: at(i), Counts: events(i)}
	}
	options := slo.BacktestOptions{TrackerOptions: slo.TrackerOptions{Interval: step}}
	return func() {
		if h := must(slo.Backtest(objective(), slices.Values(samples), &options)); len(h.Alerts) == 0 {
			panic("no alert of the burst")
		}
	}, nil
}
