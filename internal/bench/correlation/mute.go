package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// shape is a state of an inhibitor and what it is asked.
type shape struct {
	name            string
	rules           []inhibit.Rule
	alerts, queries []map[string]string
	ends            time.Duration // of the alerts, from now
	muted           int           // of the queries
}

// shapes are twelve: six plain ones and six storms.
func shapes() []func() shape {
	var out []func() shape
	const queries = 1024
	for _, n := range []int{100, 10_000, 100_000} {
		out = append(out, func() shape { // every second query has a source
			return shape{
				name: fmt.Sprintf("plain_%d_sources", n), rules: rulesOf(1), alerts: sourcesOf(n, 1), ends: time.Hour, muted: queries / 2,
				queries: many(queries, func(i int) map[string]string { return labelsOf("Dst0", "warning", i*2*n/queries) }),
			}
		})
	}
	for _, m := range []int{100, 1000, 10_000} {
		out = append(out, func() shape { // no rule has such targets
			return shape{
				name: fmt.Sprintf("plain_%d_rules", m), rules: rulesOf(m), alerts: sourcesOf(1000, m), ends: time.Hour,
				queries: many(queries, func(i int) map[string]string { return labelsOf("Other", "warning", i) }),
			}
		})
	}
	for _, n := range []int{1000, 10_000, 100_000} {
		out = append(out, func() shape { // a bucket of sources that are over
			return shape{
				name: fmt.Sprintf("storm_%d_ended", n), rules: rulesOf(1), ends: -time.Second,
				alerts: many(n, func(i int) map[string]string {
					return with(labelsOf("Src0", "critical", i), "cluster", "c", "namespace", "n")
				}),
				queries: []map[string]string{with(labelsOf("Dst0", "warning", 0), "cluster", "c", "namespace", "n")},
			}
		})
	}
	for _, n := range []int{1000, 10_000, 100_000} {
		out = append(out, func() shape { // they are sources and targets at once, so none mutes another
			rules, alerts := twoSided(n)
			return shape{name: fmt.Sprintf("storm_%d_two_sided", n), rules: rules, alerts: alerts, queries: alerts[:1], ends: time.Hour}
		})
	}
	return out
}

// pair asks both, from a map and from the peer's form of one. All answers have to be the same.
func (s *shape) pair() measure.Pair {
	return measure.Pair{
		Name: "correlation/mute_" + s.name, Peer: peer + " inhibit", Bar: 2.5, Ops: len(s.queries), NoAllocs: true,
		Setup: func() (func(), func(), error) {
			in, err := hold(s.rules, s.alerts, start.Add(s.ends))
			if err != nil {
				return nil, nil, err
			}
			ih, err := theirs(s.rules, newFeed(peerAlerts(s.alerts, start.Add(s.ends))))
			if err != nil {
				return nil, nil, err
			}
			sets, muted := labelSets(s.queries), 0
			for i, q := range s.queries {
				_, is := in.Mutes(q)
				if want := ih.Mutes(context.Background(), sets[i]); is != want {
					return nil, nil, fmt.Errorf("query %d: muted %t, the peer says %t", i, is, want)
				}
				if is {
					muted++
				}
			}
			if muted != s.muted {
				return nil, nil, fmt.Errorf("%d of %d queries muted, want %d", muted, len(s.queries), s.muted)
			}
			return func() {
					for _, q := range s.queries {
						in.Mutes(q)
					}
				}, func() {
					for _, q := range sets {
						ih.Mutes(context.Background(), q)
					}
				}, nil
		},
	}
}

// mutes prints the twelve and the geometric means of all, of the plain ones and of the storms.
func (b *bench) mutes() error {
	means := []*mean{{name: "all", bar: 200}, {name: "plain", bar: 10}, {name: "storm", bar: 200}}
	for _, make := range shapes() {
		s := make()
		p := s.pair()
		parts := []*mean{}
		for _, m := range means {
			if b.wants("correlation/mute_"+m.name) && (m.name == "all" || strings.HasPrefix(s.name, m.name)) {
				parts = append(parts, m)
			}
		}
		if !b.wants(p.Name) && len(parts) == 0 {
			continue
		}
		r, err := p.Measure()
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		for _, m := range parts {
			m.add(r)
		}
		if !b.wants(p.Name) {
			continue
		}
		if err := b.out.Encode(r); err != nil {
			return err
		}
	}
	var problems []error
	for _, m := range means {
		if m.n > 0 {
			problems = append(problems, b.out.Encode(m.result()))
		}
	}
	return errors.Join(problems...)
}

// mean is the geometric one of lines.
type mean struct {
	name               string
	bar                float64
	n                  float64
	ours, peer, ratios float64 // sums of logarithms
	allocs             float64 // most
}

func (m *mean) add(r measure.Result) {
	m.n++
	m.ours += math.Log(r.OursNS)
	m.peer += math.Log(r.PeerNS)
	m.ratios += math.Log(r.Ratio)
	m.allocs = max(m.allocs, r.OursAllocs)
}

func (m *mean) result() measure.Result {
	r := measure.Result{
		Name: "correlation/mute_" + m.name, Peer: peer + " inhibit, geometric mean", Bar: m.bar, OursAllocs: m.allocs,
		OursNS: math.Exp(m.ours / m.n), PeerNS: math.Exp(m.peer / m.n), Ratio: math.Exp(m.ratios / m.n),
	}
	r.Judge(true)
	return r
}
