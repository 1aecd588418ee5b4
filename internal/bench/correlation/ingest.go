package main

import (
	"fmt"
	"time"

	peerinhibit "github.com/prometheus/alertmanager/inhibit"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// ingests are alerts that come one by one, each a source of one of m rules, and the same once more. Both sides are ready
// before; ours takes maps.
func (b *bench) ingests() error {
	for _, c := range []struct{ rules, alerts int }{{1, 20_000}, {10, 20_000}, {100, 20_000}, {1000, 5000}, {10_000, 2000}} {
		for _, side := range []struct {
			name string
			make func(rules int) (func(alerts []map[string]string, at time.Time) func(), error)
		}{{"inhibit", inhibitIntake}, {"engine", engineIntake}} {
			alerts := sourcesOf(c.alerts, c.rules)
			var last *peerinhibit.Inhibitor
			both := func() (take func(at time.Time) func(), feed func(), err error) {
				if last != nil {
					last.Stop()
				}
				f := newFeed(nil)
				if last, err = theirs(rulesOf(c.rules), f); err != nil {
					return nil, nil, err
				}
				intake, err := side.make(c.rules)
				list := sent(peerAlerts(alerts, start.Add(time.Hour)))
				return func(at time.Time) func() { return intake(alerts, at) }, func() { f.send(list) }, err
			}
			name := fmt.Sprintf("correlation/ingest_%s_%d_rules", side.name, c.rules)
			if err := b.beside(&measure.Pair{
				Name: name, Peer: peer + " inhibit", Bar: 1, Ops: c.alerts, Fresh: true,
				Setup: func() (func(), func(), error) {
					take, feed, err := both()
					if err != nil {
						return nil, nil, err
					}
					return take(start), feed, nil
				},
			}, 4*time.Microsecond); err != nil {
				return err
			}
			if err := b.beside(&measure.Pair{
				Name: name + "_refresh", Peer: peer + " inhibit", Bar: 1, Ops: c.alerts, Fresh: true,
				Setup: func() (func(), func(), error) {
					take, feed, err := both()
					if err != nil {
						return nil, nil, err
					}
					take(start)()
					feed()
					return take(start.Add(time.Second)), feed, nil
				},
			}, 500*time.Nanosecond); err != nil {
				return err
			}
			if last != nil {
				last.Stop()
			}
		}
	}
	return nil
}

func inhibitIntake(rules int) (func([]map[string]string, time.Time) func(), error) {
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

func engineIntake(rules int) (func([]map[string]string, time.Time) func(), error) {
	e, err := correlation.New(engineRulesOf(rules), correlation.Options{})
	return func(alerts []map[string]string, at time.Time) func() {
		events := eventsOf(alerts, at)
		return func() {
			for i := range events {
				must(e.Apply(at, events[i]))
			}
			if n := e.Stats().Alerts; n != len(events) {
				panic(fmt.Sprintf("%d alerts held, want %d", n, len(events)))
			}
		}
	}, err
}
