package correlation

import (
	"slices"
	"strings"
)

// index finds the selectors that an alert can match without looking at all of
// them: by name or layer, then by the value of one label.
type index struct {
	exact map[string]*shelf // full name
	layer map[string]*shelf // layer without *, name with
	rest  *shelf            // layer with *
}

// shelf holds the selectors of one name or layer, split by one equality
// predicate where they have one.
type shelf struct {
	by    []labelled
	plain []reference
}

// labelled are the selectors that want a value of one label, by that value.
type labelled struct {
	label  column
	values map[string]*[]reference
	first  string // of the values, for most the only one
	its    *[]reference
}

// having returns where the selectors are that want a value, nil if none does.
func (l *labelled) having(value string) *[]reference {
	if value == l.first { // cheaper than the map
		return l.its
	}
	if len(l.values) == 1 {
		return nil
	}
	return l.values[value]
}

// reference points to one selector of a rule.
type reference struct {
	p      *program
	number uint8
	target bool
	// sure: where it stands says all that it asks for.
	sure bool
}

// matcher returns the selector that is meant.
func (r reference) matcher() *matcher {
	if r.target {
		return &r.p.targets[r.number].matcher
	}
	return &r.p.conds[r.number].matcher
}

func newIndex(programs []*program) *index {
	ix := &index{exact: map[string]*shelf{}, layer: map[string]*shelf{}, rest: &shelf{}}
	for _, p := range programs {
		if p.Disabled {
			continue
		}
		for i := range p.conds {
			ix.add(reference{p: p, number: uint8(i)})
		}
		for i := range p.targets {
			ix.add(reference{p: p, number: uint8(i), target: true})
		}
	}
	return ix
}

// add puts a selector onto its shelf.
func (ix *index) add(r reference) {
	m := r.matcher()
	r.sure = !strings.Contains(m.layer+m.name, "*") && (len(m.preds) == 0 || len(m.preds) == 1 && m.preds[0].places())
	switch {
	case strings.Contains(m.layer, "*"):
		ix.rest.add(r)
	case strings.Contains(m.name, "*"):
		shelfOf(ix.layer, m.layer).add(r)
	default:
		shelfOf(ix.exact, m.layer+"."+m.name).add(r)
	}
}

func shelfOf(m map[string]*shelf, key string) *shelf {
	s := m[key]
	if s == nil {
		s = &shelf{}
		m[key] = s
	}
	return s
}

// places reports whether selectors with the predicate stand below its label.
func (q *labelPredicate) places() bool { return q.op == Equals && q.label != dependsOn }

// add puts a selector below the first label that it asks for with =, if there is one.
func (s *shelf) add(r reference) {
	for _, q := range r.matcher().preds {
		if !q.places() {
			continue
		}
		at := slices.IndexFunc(s.by, func(l labelled) bool { return l.label.name == q.label })
		if at < 0 {
			at = len(s.by)
			s.by = append(s.by, labelled{label: column{name: q.label}, values: map[string]*[]reference{}, first: q.value, its: &[]reference{}})
			s.by[at].values[q.value] = s.by[at].its
		}
		list := s.by[at].having(q.value)
		if list == nil {
			list = &[]reference{}
			s.by[at].values[q.value] = list
		}
		*list = append(*list, r)
		return
	}
	s.plain = append(s.plain, r)
}

// shelves returns those with the selectors that alerts of a name can match.
func (ix *index) shelves(name *alertName) [3]*shelf {
	return [...]*shelf{ix.exact[name.full], ix.layer[name.layer], ix.rest}
}

// candidates calls yield for every selector that alerts with the name and the labels may
// match.
func (n *alertName) candidates(l *labels, yield func(reference)) {
	for _, s := range n.shelves {
		if s == nil {
			continue
		}
		for _, r := range s.plain {
			yield(r)
		}
		for n := range s.by {
			if list := s.by[n].having(s.by[n].label.of(l)); list != nil {
				for _, r := range *list {
					yield(r)
				}
			}
		}
	}
}
