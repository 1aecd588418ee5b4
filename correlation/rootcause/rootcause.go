// Package rootcause ranks the entities that may be behind a number of alerts,
// and says why.
//
// Every signal, such as platform.db_slow, is one point of evidence. It is shared
// by all entities that show it, so what is rare weighs more (rarity). The share
// of an entity goes to the root among those that it depends on and that show
// the same signal, by [correlation.Graph.Roots] (topology). A whole, such as a
// service, also gets the shares of its parts if nearly all of them show the
// signal (lift):
//
//	score(x) = sum over signals s of
//	      1/n(s)                  if x shows s and no dependency of x explains it
//	    + d(s, x)/n(s)            d: entities whose s is explained by x
//	    + k(s, x)/n(s)            k: parts of x that show s, if at least the quorum
//
// n(s) counts the entities that show s. A [Ranker] does it:
//
//	ranker, err := rootcause.New(graph, rootcause.Options{})
//	for _, cause := range ranker.Rank(symptoms) {
//		fmt.Println(cause.Entity, cause.Score, cause.Reasons)
//	}
//
// There are no weights to be tuned: every signal counts 1, and a part counts
// for its whole as it counts for itself. The one constant is the quorum, see
// [DefaultQuorum]. What the ranking does not see: how strong an alert is, and
// which alert came first, except to break ties and between dependencies. A rare
// signal that has nothing to do with the fault ranks its entity high.
package rootcause

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// DefaultQuorum is the share of its parts that have to show a signal before a
// whole is taken to show it. A quarter may be missing because that is what a
// Deployment of Kubernetes lets be away in operation (maxUnavailable):
// https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-unavailable
const DefaultQuorum = 0.75

// Options of a Ranker. The zero value is ready to use.
type Options struct {
	// Quorum is the share of parts, above 0 and at most 1, that have to show a
	// signal before their whole gets their points; they have to be two at least.
	// Defaults to DefaultQuorum.
	Quorum float64 `json:"quorum,omitempty"`
}

// Symptom is a signal on an entity.
type Symptom struct {
	Entity string    `json:"entity"`
	Signal string    `json:"signal"` // the name of an alert or a metric
	Since  time.Time `json:"since,omitzero"`
}

// Symptoms makes symptoms of the active alerts that have the entity label
// ([correlation.Graph.EntityLabel]). Composites are left out: rules made them.
func Symptoms(entityLabel string, alerts []correlation.Alert) []Symptom {
	var list []Symptom
	for _, a := range alerts {
		if entity := a.Labels.Get(entityLabel); a.Active && entity != "" && !strings.HasPrefix(a.Name, "composite.") {
			list = append(list, Symptom{Entity: entity, Signal: a.Name, Since: a.Since})
		}
	}
	return list
}

// Cause is one entity with its score and how it came about.
type Cause struct {
	Entity string  `json:"entity"`
	Score  float64 `json:"score"` // Rarity + Topology + Lift, to nine decimals
	// The parts of the score: what it shows itself, what it explains for those
	// that depend on it, what its parts show.
	Rarity   float64   `json:"rarity"`
	Topology float64   `json:"topology"`
	Lift     float64   `json:"lift"`
	Since    time.Time `json:"since,omitzero"` // first of the symptoms that count for it
	Reasons  []Reason  `json:"reasons"`        // the most points first, then by signal and kind
}

// Kind says why a signal counts for an entity. The zero value means "not set".
type Kind uint8

// The kinds of reasons.
const (
	Shows     Kind = iota + 1 // the entity shows the signal
	Explains                  // entities that depend on it show the signal as it does
	Parts                     // nearly all parts of it show the signal
	Explained                 // it shows the signal, but something that it depends on does too
)

var kindTexts = [...]string{Shows: "shows", Explains: "explains", Parts: "parts", Explained: "explained"}

// String returns the kind in lower case.
func (k Kind) String() string {
	if k == 0 || int(k) >= len(kindTexts) {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return kindTexts[k]
}

// MarshalText returns [Kind.String]; the zero value is an error.
func (k Kind) MarshalText() ([]byte, error) {
	if k == 0 || int(k) >= len(kindTexts) {
		return nil, fmt.Errorf("kind %d, want one of %q", uint8(k), kindTexts[1:])
	}
	return []byte(kindTexts[k]), nil
}

// UnmarshalText reads the texts of [Kind.String].
func (k *Kind) UnmarshalText(b []byte) error {
	n := slices.Index(kindTexts[1:], string(b))
	if n < 0 {
		return fmt.Errorf("kind %q, want one of %q", b, kindTexts[1:])
	}
	*k = Kind(n + 1)
	return nil
}

// Reason is one signal that counts for an entity.
type Reason struct {
	Kind   Kind    `json:"kind"`
	Signal string  `json:"signal"`
	Seen   int     `json:"seen"`            // entities that show the signal
	Count  int     `json:"count,omitempty"` // Parts: those that show it; Explains: dependents
	Of     int     `json:"of,omitempty"`    // Parts: how many there are
	By     string  `json:"by,omitempty"`    // Explained: the entity that explains it
	Points float64 `json:"points"`          // 0 for Explained
}

// String returns the reason for people.
func (r Reason) String() string {
	switch r.Kind {
	case Explains:
		return fmt.Sprintf("%s on %d that depend on it (+%.2f)", r.Signal, r.Count, r.Points)
	case Parts:
		return fmt.Sprintf("%s on %d of its %d parts (+%.2f)", r.Signal, r.Count, r.Of, r.Points)
	case Explained:
		return fmt.Sprintf("%s is explained by %s", r.Signal, r.By)
	case Shows:
	}
	if r.Seen == 1 {
		return fmt.Sprintf("%s nowhere else (+%.2f)", r.Signal, r.Points)
	}
	return fmt.Sprintf("%s here and on %d more (+%.2f)", r.Signal, r.Seen-1, r.Points)
}

// Ranker ranks causes by a topology. It does not change and is safe for
// concurrent use. Make one with [New].
type Ranker struct {
	graph  *correlation.Graph
	wholes []whole
	partOf map[string][]int // part -> indexes of wholes
}

// whole is an entity with parts.
type whole struct {
	name  string
	parts int
	need  int // parts that have to show a signal
}

// New prepares a ranker for the dependencies and parts of a graph. The error is a
// [*correlation.OptionError].
func New(g *correlation.Graph, o Options) (*Ranker, error) {
	if o.Quorum == 0 {
		o.Quorum = DefaultQuorum
	}
	if !(o.Quorum > 0 && o.Quorum <= 1) { // NaN too
		return nil, &correlation.OptionError{Option: "Quorum", Value: o.Quorum, Want: "above 0 and at most 1"}
	}
	r := &Ranker{graph: g, partOf: map[string][]int{}}
	parts := g.Parts()
	for n, name := range slices.Sorted(maps.Keys(parts)) {
		count := len(parts[name])
		// The product of a share such as 0.6 may lie a hair above a whole number.
		need := max(2, int(math.Ceil(o.Quorum*float64(count)-1e-9)))
		r.wholes = append(r.wholes, whole{name: name, parts: count, need: need})
		for _, part := range parts[name] {
			r.partOf[part] = append(r.partOf[part], n)
		}
	}
	return r, nil
}

// Rank returns all entities that show something or whose parts do, by score,
// then by the first symptom, then by name. A symptom that is given twice counts
// once, with its first time; symptoms without entity or signal are left out. The
// order of the symptoms does not matter. It takes time of the symptoms, and for
// every signal on entities that depend on others that of the graph.
func (r *Ranker) Rank(symptoms []Symptom) []Cause {
	t := tally{ranker: r, ids: make(map[string]int, len(symptoms)), list: make([]entity, 0, len(symptoms))}
	t.reasons = make([]attributed, 0, len(symptoms)+len(r.wholes))
	parts := make([]sum, len(r.wholes))
	var touched []int
	for _, shown := range t.bySignal(symptoms) {
		signal, point := shown[0].signal, 1/float64(len(shown))
		root := r.roots(&t, shown)
		for _, s := range shown {
			if by, explained := root[s.id]; explained {
				t.add(s.id, Reason{Kind: Explained, Signal: signal, Seen: len(shown), By: t.list[by].name}, s.since)
			} else {
				t.add(s.id, Reason{Kind: Shows, Signal: signal, Seen: len(shown), Points: point}, s.since)
			}
			for _, w := range t.list[s.id].wholes {
				if parts[w].count == 0 {
					touched = append(touched, w)
				}
				parts[w].add(s.since)
			}
		}
		if len(root) > 0 {
			explains := map[int]int{}
			for _, by := range root {
				explains[by]++
			}
			for _, s := range shown {
				if k := explains[s.id]; k > 0 {
					t.add(s.id, Reason{Kind: Explains, Signal: signal, Seen: len(shown), Count: k, Points: float64(k) * point}, s.since)
				}
			}
		}
		for _, w := range touched {
			if k := parts[w].count; k >= r.wholes[w].need {
				id := t.id(r.wholes[w].name)
				t.add(id, Reason{Kind: Parts, Signal: signal, Seen: len(shown), Count: k, Of: r.wholes[w].parts, Points: float64(k) * point}, parts[w].since)
			}
			parts[w] = sum{}
		}
		touched = touched[:0]
	}
	return t.causes()
}

// roots returns, for each entity whose signal is explained, by which other.
func (r *Ranker) roots(t *tally, shown []symptom) map[int]int {
	linked := 0
	for _, s := range shown {
		if t.list[s.id].linked {
			linked++
		}
	}
	if linked < 2 {
		return nil
	}
	alerting := make(map[string]time.Time, linked)
	for _, s := range shown {
		if t.list[s.id].linked {
			alerting[t.list[s.id].name] = s.since
		}
	}
	root := map[int]int{}
	for _, g := range r.graph.Roots(alerting, 0) {
		for _, m := range g.Members {
			if m != g.Root {
				root[t.ids[m]] = t.ids[g.Root]
			}
		}
	}
	return root
}

// symptom is a Symptom with the number of its entity.
type symptom struct {
	id     int
	signal string
	since  time.Time
}

// sum counts symptoms and keeps the first time.
type sum struct {
	count int
	since time.Time
}

// add counts a symptom.
func (c *sum) add(since time.Time) {
	if c.count == 0 || since.Before(c.since) {
		c.since = since
	}
	c.count++
}

// tally collects the reasons of all entities.
type tally struct {
	ranker  *Ranker
	ids     map[string]int // entity -> index in list
	list    []entity
	reasons []attributed
}

// entity is what is known of one entity.
type entity struct {
	name    string
	wholes  []int // that it is a part of
	linked  bool  // stands in the graph
	reasons int
	since   time.Time
}

// attributed is a reason with its entity.
type attributed struct {
	Reason
	id int
}

// id returns the number of an entity.
func (t *tally) id(name string) int {
	id, ok := t.ids[name]
	if !ok {
		id = len(t.list)
		t.ids[name] = id
		t.list = append(t.list, entity{name: name, wholes: t.ranker.partOf[name], linked: t.ranker.graph.Has(name)})
	}
	return id
}

// bySignal returns the symptoms in lists by signal, in the order of signals,
// each entity once in each list with its first time.
func (t *tally) bySignal(symptoms []Symptom) [][]symptom {
	numbers := map[string]int{}
	var lists [][]symptom
	for _, s := range symptoms {
		if s.Entity == "" || s.Signal == "" {
			continue
		}
		n, ok := numbers[s.Signal]
		if !ok {
			n = len(lists)
			numbers[s.Signal] = n
			lists = append(lists, nil)
		}
		lists[n] = append(lists[n], symptom{id: t.id(s.Entity), signal: s.Signal, since: s.Since})
	}
	place := make([]int, len(t.list)) // of an entity in the list, if it is there
	for n, list := range lists {
		kept := list[:0]
		for _, s := range list {
			if at := place[s.id]; at < len(kept) && kept[at].id == s.id {
				if s.since.Before(kept[at].since) {
					kept[at].since = s.since
				}
				continue
			}
			place[s.id] = len(kept)
			kept = append(kept, s)
		}
		lists[n] = kept
	}
	slices.SortFunc(lists, func(a, b []symptom) int { return strings.Compare(a[0].signal, b[0].signal) })
	return lists
}

// add records a reason for an entity.
func (t *tally) add(id int, reason Reason, since time.Time) {
	e := &t.list[id]
	if e.reasons == 0 || since.Before(e.since) {
		e.since = since
	}
	e.reasons++
	t.reasons = append(t.reasons, attributed{reason, id})
}

// causes returns the entities in the order of their scores.
func (t *tally) causes() []Cause {
	causes := make([]Cause, len(t.list))
	all := make([]Reason, 0, len(t.reasons)) // of all entities, cut to pieces
	for n, e := range t.list {
		start := len(all)
		all = all[:start+e.reasons]
		causes[n] = Cause{Entity: e.name, Since: e.since, Reasons: all[start:start:len(all)]}
	}
	for _, x := range t.reasons {
		c := &causes[x.id]
		switch x.Kind {
		case Shows:
			c.Rarity += x.Points
		case Explains:
			c.Topology += x.Points
		case Parts:
			c.Lift += x.Points
		case Explained:
		}
		c.Reasons = append(c.Reasons, x.Reason)
	}
	for n := range causes {
		c := &causes[n]
		// Nine decimals, so that three thirds are as much as one.
		c.Score = math.Round((c.Rarity+c.Topology+c.Lift)*1e9) / 1e9
		slices.SortFunc(c.Reasons, func(a, b Reason) int {
			return cmp.Or(cmp.Compare(b.Points, a.Points), strings.Compare(a.Signal, b.Signal), cmp.Compare(a.Kind, b.Kind))
		})
	}
	slices.SortFunc(causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), a.Since.Compare(b.Since), strings.Compare(a.Entity, b.Entity))
	})
	return causes
}
