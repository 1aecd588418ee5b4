package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

const (
	stormRounds = 3
	// asks is how many of a large storm the peer is asked; the time of all is that of the first as many, in proportion.
	asks = 1000
)

// storms are alerts in one bucket of a two-sided rule: all come, and each is asked for once. Growth stands in a process of its
// own, see stormGrowth.
func (b *bench) storms() error {
	for _, c := range []struct {
		alerts int
		bar    float64
		goal   time.Duration
	}{{alerts: 1000, bar: 2.5}, {alerts: 2000, bar: 2.5}, {alerts: 4000, bar: 2.5}, {alerts: 8000, bar: 300, goal: 60 * time.Millisecond}} {
		r := measure.Result{Name: fmt.Sprintf("correlation/storm_%d", c.alerts), Peer: peer + " inhibit", Bar: c.bar}
		goal := r.Name + "_goal"
		if !b.wants(r.Name) && (c.goal == 0 || !b.wants(goal)) {
			continue
		}
		if c.alerts > 4000 {
			r.Peer += fmt.Sprintf(", from %d asks", asks)
		}
		rules, alerts := twoSided(c.alerts)
		var own, other []float64
		for range stormRounds {
			took, err := stormTheirs(rules, alerts)
			if err != nil {
				return fmt.Errorf("%s: %w", r.Name, err)
			}
			other = append(other, float64(took))
			before := measure.ProcessorTime()
			storm(rules, alerts)
			own = append(own, float64(measure.ProcessorTime()-before))
		}
		r.OursNS, r.PeerNS = median(own), median(other)
		r.Ratio = r.PeerNS / r.OursNS
		r.Judge(false)
		if b.wants(r.Name) {
			if err := b.out.Encode(r); err != nil {
				return err
			}
		}
		if c.goal > 0 && b.wants(goal) {
			if err := b.out.Encode(r.Against(goal, c.goal)); err != nil {
				return err
			}
		}
	}
	return nil
}

// storm takes all alerts in and asks for each.
func storm(rules []inhibit.Rule, alerts []map[string]string) {
	in := must(hold(rules, alerts, start.Add(time.Hour)))
	for _, labels := range alerts {
		if _, muted := in.Mutes(labels); muted {
			panic("muted by an alert that is source and target")
		}
	}
}

// stormTheirs is the processor time of the same in the peer.
func stormTheirs(rules []inhibit.Rule, alerts []map[string]string) (time.Duration, error) {
	first, sets := peerAlerts(alerts, start.Add(time.Hour)), labelSets(alerts)
	if len(sets) > 4000 {
		sets = sets[:asks]
	}
	before := measure.ProcessorTime()
	ih, err := theirs(rules, newFeed(first))
	if err != nil {
		return 0, err
	}
	defer ih.Stop()
	in := measure.ProcessorTime()
	for _, set := range sets {
		if ih.Mutes(context.Background(), set) {
			return 0, fmt.Errorf("the peer mutes %s by an alert that is source and target", set)
		}
	}
	asked := measure.ProcessorTime() - in
	return in - before + asked*time.Duration(len(alerts))/time.Duration(len(sets)), nil
}

// stormGrowth is one storm of 8,000 alerts beside eight of 1,000: twelve times the time of one is allowed.
func (b *bench) stormGrowth() error {
	return b.pairs(measure.Pair{
		Name: "correlation/storm_growth", Peer: "ours, 8 storms of 1,000", Bar: 8.0 / 12,
		Setup: func() (func(), func(), error) {
			rules, large := twoSided(8000)
			_, small := twoSided(1000)
			return func() { storm(rules, large) }, func() {
				for range 8 {
					storm(rules, small)
				}
			}, nil
		},
	})
}

func median(x []float64) float64 {
	return slices.Sorted(slices.Values(x))[len(x)/2]
}
