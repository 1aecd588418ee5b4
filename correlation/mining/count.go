package mining

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// miner holds the counts of one call of Mine.
type miner struct {
	options Options
	graph   *correlation.Graph
	names   []string // of alerts, sorted
	places  []*place // by tenant and entity
	causes  []int    // onsets by alert
	pairs   map[pairKey]*pair
	span    int64 // ns from the first to the last onset
	result  Result
}

type placeKey struct {
	tenant, entity string
}

// place is one entity of one tenant.
type place struct {
	near   []*place // itself too
	tracks []*track
}

// track is one alert as seen from one place.
type track struct {
	kind   int   // index in miner.names
	fired  int64 // last firing at this place
	last   int64 // latest onset near
	open   int64 // end of the windows so far
	opened int64 // ns in which a window was open
	onsets int   // at this place
}

// never is before all times of events.
const never = math.MinInt64

// track finds or makes the track of an alert. Places see few alerts.
func (p *place) track(kind int) *track {
	for _, t := range p.tracks {
		if t.kind == kind {
			return t
		}
	}
	t := &track{kind: kind, fired: never, last: never, open: never}
	p.tracks = append(p.tracks, t)
	return t
}

// onset is the begin of an alert after a quiet time.
type onset struct {
	at    int64
	kind  int
	place *place
}

type pairKey struct {
	cause, effect int
}

type pair struct {
	support            int
	lag                time.Duration // sum
	expected, variance float64
}

// onsets sorts the events and keeps those that begin something.
func (m *miner) onsets(events []correlation.Event) ([]onset, error) {
	type firing struct {
		at          int64
		place, kind int
	}
	var list []firing
	kinds, places := map[string]int{}, map[placeKey]int{}
	for i := range events {
		ev := &events[i]
		if err := ev.Validate(correlation.Options{}); err != nil {
			if e, ok := errors.AsType[*correlation.EventError](err); ok {
				e.Index = i
			}
			return nil, err
		}
		if ev.Status != correlation.Firing {
			continue
		}
		m.result.Events++
		entity := ev.Labels[m.graph.EntityLabel()]
		if entity == "" {
			m.result.Skipped++
			continue
		}
		list = append(list, firing{ev.Time.UnixNano(), number(places, placeKey{ev.Tenant, entity}), number(kinds, ev.Alert)})
	}
	names, kindOrder := inOrder(kinds, strings.Compare)
	m.names = names
	keys, placeOrder := inOrder(places, func(a, b placeKey) int {
		return cmp.Or(strings.Compare(a.tenant, b.tenant), strings.Compare(a.entity, b.entity))
	})
	for i := range list {
		list[i].kind, list[i].place = kindOrder[list[i].kind], placeOrder[list[i].place]
	}
	slices.SortFunc(list, func(a, b firing) int {
		return cmp.Or(cmp.Compare(a.at, b.at), a.place-b.place, a.kind-b.kind)
	})
	for range keys {
		m.places = append(m.places, &place{})
	}
	for n, key := range keys {
		for _, name := range m.graph.Near(key.entity, m.options.Hops) {
			if other, ok := places[placeKey{key.tenant, name}]; ok {
				m.places[n].near = append(m.places[n].near, m.places[other])
			}
		}
	}
	m.causes = make([]int, len(m.names))
	var onsets []onset
	for _, f := range list {
		t := m.places[f.place].track(f.kind)
		before := t.fired
		t.fired = f.at
		if before != never && f.at-before <= int64(m.options.Quiet) {
			continue
		}
		onsets = append(onsets, onset{f.at, f.kind, m.places[f.place]})
		m.causes[f.kind]++
	}
	return onsets, nil
}

// number returns the number of a key in the order of first sight.
func number[K comparable](numbers map[K]int, key K) int {
	n, ok := numbers[key]
	if !ok {
		n = len(numbers)
		numbers[key] = n
	}
	return n
}

// inOrder sorts the keys and numbers them anew. It returns them, and the new
// numbers by the old ones.
func inOrder[K comparable](numbers map[K]int, compare func(a, b K) int) (keys []K, order []int) {
	keys = slices.SortedFunc(maps.Keys(numbers), compare)
	order = make([]int, len(keys))
	for n, key := range keys {
		order[numbers[key]] = n
		numbers[key] = n
	}
	return keys, order
}

// count goes through the onsets, which are in the order of time. Those of one
// instant may all be causes of each other.
func (m *miner) count(onsets []onset) {
	m.pairs = map[pairKey]*pair{}
	m.result.Onsets = len(onsets)
	if len(onsets) == 0 {
		return
	}
	first, last := onsets[0].at, onsets[len(onsets)-1].at
	m.result.First, m.result.Last = time.Unix(0, first).UTC(), time.Unix(0, last).UTC()
	m.span = last - first
	window := int64(m.options.Window)
	for from := 0; from < len(onsets); {
		to, at := from, onsets[from].at
		for ; to < len(onsets) && onsets[to].at == at; to++ {
			for _, p := range onsets[to].place.near {
				t := p.track(onsets[to].kind)
				t.opened += max(0, min(at+window, last)-max(at, t.open))
				t.last, t.open = at, at+window
			}
		}
		for _, o := range onsets[from:to] {
			for _, t := range o.place.tracks {
				switch {
				case t.kind == o.kind:
					t.onsets++
				case t.last != never && at-t.last <= window:
					key := pairKey{t.kind, o.kind}
					x := m.pairs[key]
					if x == nil {
						x = &pair{}
						m.pairs[key] = x
					}
					x.support++
					x.lag += time.Duration(at - t.last)
				}
			}
		}
		from = to
	}
	if m.span == 0 {
		return
	}
	for _, p := range m.places {
		for _, e := range p.tracks {
			if e.onsets == 0 {
				continue
			}
			for _, c := range p.tracks {
				if x := m.pairs[pairKey{c.kind, e.kind}]; x != nil && c != e {
					share := float64(c.opened) / float64(m.span)
					x.expected += float64(e.onsets) * share
					x.variance += float64(e.onsets) * share * (1 - share)
				}
			}
		}
	}
}

// proposals returns the pairs that reach the least values, in order.
func (m *miner) proposals() []Proposal {
	list := make([]Proposal, 0, len(m.pairs))
	for key, x := range m.pairs {
		p := Proposal{
			Cause: m.names[key.cause], Effect: m.names[key.effect], Hops: m.options.Hops,
			Causes: m.causes[key.cause], Effects: m.causes[key.effect], Support: x.support,
			Confidence: float64(x.support) / float64(m.causes[key.effect]), Expected: x.expected, Lag: x.lag / time.Duration(x.support),
		}
		if x.expected > 0 {
			p.Lift = float64(x.support) / x.expected
		}
		if x.variance > 0 {
			p.Z = (float64(x.support) - x.expected) / math.Sqrt(x.variance)
		}
		o := m.options
		if p.Support >= o.MinSupport && p.Confidence >= o.MinConfidence && p.Lift >= o.MinLift && (o.MinZ == 0 || p.Z >= o.MinZ) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Proposal) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(b.Z, a.Z), strings.Compare(a.Cause, b.Cause), strings.Compare(a.Effect, b.Effect))
	})
	return list
}
