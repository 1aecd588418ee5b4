package logs

import (
	"slices"
	"time"
)

// A family is a set of templates that are equal but for one gap: the same words
// before it and after it, at least familySize different contents between. It
// becomes one template, with a wildcard for the gap, also if the contents are of
// different length.
const (
	// familySize is how many different contents make a family.
	familySize = 4
	// widestGap is how many tokens a content has at most.
	widestGap = 4
	// sharedWords is how many words the templates have in common at least.
	sharedWords = 2
	// relatives is how many templates with the same first or last word are looked at,
	// the youngest.
	relatives = 256
)

// split is a way to cut templates: the tokens before and after the gap.
type split struct{ before, after int }

// relative is a template that may be of the family of another.
type relative struct {
	*cluster
	split // what it has in common with the other
}

// family looks for the family of a cluster that is new or has changed. It returns the
// one that the family became, and the ids of the others, or nil.
func (g *groups) family(at time.Time, c *cluster, r *Result) (*cluster, []ID) {
	var kin []relative
	g.looks++
	look := g.looks
	add := func(l *leaf) {
		if l == nil {
			return
		}
		for _, d := range l.clusters[max(0, len(l.clusters)-relatives):] {
			if d == c || d.form != c.form || d.defined || d.met == look {
				continue
			}
			d.met = look
			if s := common(c, d); s.before+s.after > 0 {
				kin = append(kin, relative{d, s})
			}
		}
	}
	if c.head >= 0 {
		add(g.firsts[c.elements[c.head].Text])
	}
	if last := lastWord(c.elements); last >= 0 {
		add(g.lasts[c.elements[last].Text])
	}
	if len(kin) < familySize-1 {
		return nil, nil
	}
	for _, s := range splits(c, kin) {
		if words(c.elements[:s.before])+words(c.elements[len(c.elements)-s.after:]) < sharedWords {
			continue
		}
		members := []*cluster{c}
		for _, k := range kin {
			if k.before >= s.before && k.after >= s.after && s.cuts(k.cluster) {
				members = append(members, k.cluster)
			}
		}
		if u := union(members, s); u != nil {
			for _, k := range kin {
				if !slices.Contains(members, k.cluster) && u.includes(k.cluster) {
					members = append(members, k.cluster)
				}
			}
			return g.merge(at, u, members, r)
		}
	}
	return nil, nil
}

// common is how many places two templates share from the left and from the right.
func common(c, d *cluster) (s split) {
	a, b := c.elements, d.elements
	n := min(len(a), len(b))
	for s.before < n && alike(&a[s.before], &b[s.before]) {
		s.before++
	}
	for s.after < n-s.before && alike(&a[len(a)-1-s.after], &b[len(b)-1-s.after]) {
		s.after++
	}
	return s
}

// alike reports whether two places may become one without a gap.
func alike(a, b *Element) bool {
	switch {
	case a.Kind == Gap || b.Kind == Gap:
		return false
	case a.Kind == b.Kind && a.Text == b.Text, a.Kind.varies() && b.Kind.varies():
		return true
	case a.Kind == Any:
		return !b.Kind.firm()
	case b.Kind == Any:
		return !a.Kind.firm()
	}
	return false
}

// splits are the cuts of c that a relative suggests, the narrowest gap first.
func splits(c *cluster, kin []relative) []split {
	var all []split
	for _, k := range kin {
		if !slices.Contains(all, k.split) && k.cuts(c) && k.cuts(k.cluster) {
			all = append(all, k.split)
		}
	}
	slices.SortFunc(all, func(a, b split) int {
		if d := b.before + b.after - a.before - a.after; d != 0 {
			return d
		}
		return b.before - a.before
	})
	return all
}

// cuts reports whether the template has a content of the right size in the gap.
func (s split) cuts(c *cluster) bool {
	n := len(c.elements) - s.before - s.after
	return n >= 0 && n <= widestGap && !slices.ContainsFunc(s.content(c), func(e Element) bool { return e.Kind.firm() })
}

// content is what lies in the gap.
func (s split) content(c *cluster) []Element { return c.elements[s.before : len(c.elements)-s.after] }

// union is the template of a family, or nil if the members are none.
func union(members []*cluster, s split) *cluster {
	if len(members) < familySize {
		return nil
	}
	first := members[0]
	u := &cluster{form: first.form, head: first.head}
	before := slices.Clone(first.elements[:s.before])
	after := slices.Clone(first.elements[len(first.elements)-s.after:])
	all, single := 0, true
	minGap := widestGap
	var contents, lefts, rights []string
	for _, c := range members {
		if c.head != first.head {
			u.head = -1
		}
		for i := range before {
			before[i] = before[i].with(c.elements[i])
		}
		for i := range after {
			after[i] = after[i].with(c.elements[len(c.elements)-s.after+i])
		}
		all += words(c.elements)
		content := s.content(c)
		left, right := "", ""
		if len(content) > 0 {
			left, right = content[0].String(), content[len(content)-1].String()
		}
		text := left
		if len(content) > 1 {
			text = render(content)
		}
		contents, lefts, rights = note(contents, text), note(lefts, left), note(rights, right)
		n := len(content)
		if c.maxGap > 0 { // the gap is within, since nothing is alike a gap
			n += c.minGap - 1
		}
		minGap = min(minGap, n)
		single = single && n == 1 && c.maxGap == 0
	}
	shared := words(before) + words(after)
	if min(len(contents), len(lefts), len(rights)) < familySize || shared < sharedWords || 2*shared*len(members) < all {
		return nil
	}
	if u.head >= s.before || u.head >= 0 && !before[u.head].isWord() {
		u.head = -1
	}
	wild := Element{Kind: Any}
	if content := s.content(first); len(content) > 0 {
		wild.Glued = content[0].Glued
	}
	u.elements = slices.Concat(before, []Element{wild}, after)
	if !single || !u.headed() {
		u.elements[s.before].Kind = Gap
		u.minGap, u.maxGap = minGap, widestGap
		if single {
			u.maxGap = 1
		}
	}
	if !u.headed() {
		u.head = -1
		if last := lastWord(u.elements); last < 0 || !closed(u.elements[last:]) {
			return nil // no word of it is sure to be found in a line
		}
	}
	return u
}

func words(elements []Element) (n int) {
	for _, e := range elements {
		if e.isWord() {
			n++
		}
	}
	return n
}

// note adds a text that is not in the list, as long as that matters.
func note(list []string, s string) []string {
	if len(list) >= familySize || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// includes reports whether all lines of d fit c.
func (c *cluster) includes(d *cluster) bool {
	within := func(e, o *Element) bool {
		if e.Kind == o.Kind {
			return e.Text == o.Text
		}
		return e.Kind == Any && !o.Kind.firm() && o.Kind != Gap || e.Kind == Mixed && o.Kind.varies()
	}
	gap := slices.IndexFunc(c.elements, func(e Element) bool { return e.Kind == Gap })
	if gap < 0 {
		if len(c.elements) != len(d.elements) || c.head >= 0 && c.head != d.head {
			return false
		}
		for i := range c.elements {
			if !within(&c.elements[i], &d.elements[i]) {
				return false
			}
		}
		return true
	}
	after := len(c.elements) - gap - 1
	content := len(d.elements) - gap - after
	if content < 0 {
		return false
	}
	least, most := content, content
	if d.maxGap > 0 {
		least, most = content-1+d.minGap, content-1+d.maxGap
	}
	if least < c.minGap || most > c.maxGap {
		return false
	}
	for i := range gap {
		if d.elements[i].Kind == Gap || !within(&c.elements[i], &d.elements[i]) {
			return false
		}
	}
	for i := range content {
		if d.elements[gap+i].Kind.firm() {
			return false
		}
	}
	for i := range after {
		o := &d.elements[gap+content+i]
		if o.Kind == Gap || !within(&c.elements[gap+1+i], o) {
			return false
		}
	}
	return true
}

// merge makes the members one cluster of the form of u, under the lowest id.
func (g *groups) merge(at time.Time, u *cluster, members []*cluster, r *Result) (*cluster, []ID) {
	m := g.m
	slices.SortFunc(members, byID)
	c := members[0]
	var merged []ID
	for _, d := range members {
		g.remove(d)
	}
	c.elements, c.minGap, c.maxGap, c.head, c.places = u.elements, u.minGap, u.maxGap, u.head, nil
	for _, d := range members[1:] {
		c.absorb(d)
		merged = append(merged, d.id)
		m.forget(d)
		m.alias(d, c)
	}
	index := g.leaves[c.leafKey()]
	switch {
	case c.maxGap > 0 && c.head >= 0:
		index = g.heads[c.elements[c.head].Text]
	case c.maxGap > 0:
		index = g.tails[c.elements[lastWord(c.elements)].Text]
	}
	if index != nil && len(index.clusters) >= m.options.MaxPerKey {
		r.Evicted = m.evictIdle(index, r.Evicted)
	}
	g.insert(c)
	m.changed(at, c)
	m.lru.touch(c)
	return c, merged
}
