package main

import (
	"errors"
	"fmt"
	"time"

	peerinhibit "github.com/prometheus/alertmanager/inhibit"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// intakes are the sizes and sides of what is taken in.
func intakes(yield func(name string, rules, alerts int, make func(rules int) (intake, error))) {
	for _, c := range []struct{ rules, alerts int }{{1, 20_000}, {10, 20_000}, {100, 20_000}, {1000, 5000}, {10_000, 2000}} {
		yield(fmt.Sprintf("correlation/ingest_inhibit_%d_rules", c.rules), c.rules, c.alerts, inhibitIntake)
		yield(fmt.Sprintf("correlation/ingest_engine_%d_rules", c.rules), c.rules, c.alerts, engineIntake)
	}
}

// intake prepares to take alerts at an instant.
type intake func(alerts []map[string]string, at time.Time) func()

// ingests are alerts that come one by one, each a source of one of m rules, and the same once more. Both sides are ready
// before; ours takes maps.
func (b *bench) ingests() (err error) {
	intakes(func(name string, rules, count int, make func(rules int) (intake, error)) {
		alerts := sourcesOf(count, rules)
		var last *peerinhibit.Inhibitor
		for _, again := range []bool{false, true} {
			pair := measure.Pair{Name: name, Peer: peer + " inhibit", Bar: 1, Ops: count, Fresh: true}
			if again {
				pair.Name += "_refresh"
			}
			pair.Setup = func() (func(), func(), error) {
				if last != nil {
					last.Stop()
				}
				take, err := make(rules)
				if err != nil {
					return nil, nil, err
				}
				f := newFeed(nil)
				if last, err = theirs(rulesOf(rules), f); err != nil {
					return nil, nil, err
				}
				list := sent(peerAlerts(alerts, start.Add(time.Hour)))
				feed := func() { f.send(list) }
				if !again {
					return take(alerts, start), feed, nil
				}
				take(alerts, start)()
				feed()
				return take(alerts, start.Add(time.Second)), feed, nil
			}
			err = errors.Join(err, b.pairs(pair))
		}
		if last != nil {
			last.Stop()
		}
	})
	return err
}

// ingestGoals are the same beside fixed figures, each in a process of its own: a collection of garbage that falls into a
// measurement looks at all that the process holds, and beside the peer that is the peer's alerts too.
func ingestGoals() (list []scenario) {
	intakes(func(name string, rules, count int, make func(rules int) (intake, error)) {
		fresh, again := name+"_goal", name+"_refresh_goal"
		list = append(list, scenario{[]string{fresh, again}, func(b *bench) error {
			alerts := sourcesOf(count, rules)
			return b.pairs(
				measure.Pair{Name: fresh, Peer: "goal", Bar: 1, Goal: 4 * time.Microsecond, Ops: count, Fresh: true, Setup: func() (func(), func(), error) {
					take, err := make(rules)
					return take(alerts, start), nil, err
				}},
				measure.Pair{Name: again, Peer: "goal", Bar: 1, Goal: 500 * time.Nanosecond, Ops: count, Fresh: true, Setup: func() (func(), func(), error) {
					take, err := make(rules)
					take(alerts, start)()
					return take(alerts, start.Add(time.Second)), nil, err
				}},
			)
		}})
	})
	return list
}

// ingestGrowth are alerts that an engine of ten rules takes in, which holds them all at the
// end.
func ingestGrowth(n int) (func(), error) {
	events := eventsOf(sourcesOf(n, 10), start)
	rules := engineRulesOf(10)
	return func() {
		e := must(correlation.New(rules, correlation.Options{}))
		var told []correlation.Transition // handed on, and used again
		for i := range events {
			told = must(e.Append(told[:0], start, events[i]))
		}
		if held := e.Stats().Alerts; held != n {
			panic(fmt.Sprintf("%d alerts held, want %d", held, n))
		}
	}, nil
}

func inhibitIntake(rules int) (intake, error) {
	in, err := inhibit.New(rulesOf(rules))
	return func(alerts []map[string]string, at time.Time) func() {
		return func() {
			for _, labels := range alerts {
				check(in.Apply(at, inhibit.Alert{Labels: labels, Ends: at.Add(time.Hour)}))
			}
			if in.Active() != len(alerts) {
				panic(fmt.Sprintf("%d alerts held, want %d", in.Active(), len(alerts)))
			}
		}
	}, err
}

func engineIntake(rules int) (intake, error) {
	e, err := correlation.New(engineRulesOf(rules), correlation.Options{})
	return func(alerts []map[string]string, at time.Time) func() {
		events := eventsOf(alerts, at)
		return func() {
			var told []correlation.Transition // handed on, and used again
			for i := range events {
				told = must(e.Append(told[:0], at, events[i]))
			}
			if n := e.Stats().Alerts; n != len(events) {
				panic(fmt.Sprintf("%d alerts held, want %d", n, len(events)))
			}
		}
	}, err
}
