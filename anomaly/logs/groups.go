package logs

import (
	"slices"
	"strings"
	"time"
)

// groups is the index of preset Default. Templates without a gap lie under their
// number of tokens and their first word, those with one under their first or
// their last word.
type groups struct {
	m      *Miner
	leaves map[leafKey]*leaf
	// heads and tails hold the templates with a gap, by first and by last word.
	heads, tails map[string]*leaf
	// firsts and lasts hold all templates by first and by last word, to find
	// families.
	firsts, lasts map[string]*leaf
	defined       int   // templates of the caller
	looks         int64 // for families so far, to meet each template once
}

// leafKey is where the lines go whose template has no gap: by first word, and by
// number of tokens, place of the word and form in one number, which is hashed faster.
// Lines without a word have none and the place -1.
type leafKey struct {
	word  string
	shape uint64
}

func shape(tokens, head int, form form) uint64 {
	return uint64(tokens)<<33 | uint64(head+1)<<2 | uint64(form)
}

// leaf is a list of clusters by id.
type leaf struct{ clusters []*cluster }

func newGroups(m *Miner) *groups {
	return &groups{
		m: m, leaves: map[leafKey]*leaf{}, heads: map[string]*leaf{}, tails: map[string]*leaf{},
		firsts: map[string]*leaf{}, lasts: map[string]*leaf{},
	}
}

// learn takes the line into the template that fits it, else the most similar one,
// else a new one.
func (g *groups) learn(at time.Time, line string) Result {
	m := g.m
	m.scan.line(m.cut(line), m.options.MaxTokens)
	if c := g.fit(); c != nil {
		m.count(at, c)
		m.observe(c)
		return Result{ID: c.id}
	}
	var r Result
	c := g.similar()
	if c != nil {
		g.remove(c)
		for i := range c.elements {
			c.elements[i] = c.elements[i].with(m.scan.tokens[i].element())
		}
		g.insert(c)
		m.changed(at, c)
		m.count(at, c)
		m.observe(c)
		r.Update = Changed
	} else {
		elements := make([]Element, len(m.scan.tokens))
		for i := range elements {
			elements[i] = m.scan.tokens[i].element()
			elements[i].Text = strings.Clone(elements[i].Text)
		}
		c, r.Evicted = m.add(at, elements)
		c.form, c.head = m.scan.form, m.scan.first
		if full := g.leaves[c.leafKey()]; full != nil && len(full.clusters) >= m.options.MaxPerKey {
			r.Evicted = m.evictIdle(full, r.Evicted)
		}
		g.insert(c)
		m.observe(c)
		r.Update = Created
	}
	for {
		survivor, merged := g.family(at, c, &r)
		if survivor == nil {
			break
		}
		c = survivor
		r.Update = Merged
		r.Merged = append(r.Merged, merged...)
	}
	slices.Sort(r.Merged)
	r.ID = c.id
	return r
}

// element is the place of a template that stands for the token.
func (t *token) element() Element {
	e := Element{Kind: t.kind, Glued: t.glued}
	if t.kind.constant() {
		e.Text = t.text
	}
	return e
}

// with is the place that stands for what both stand for.
func (e Element) with(o Element) Element {
	switch {
	case e.Kind == o.Kind && e.Text == o.Text:
		return e
	case e.Kind.varies() && o.Kind.varies():
		return Element{Kind: Mixed, Glued: e.Glued}
	}
	return Element{Kind: Any, Glued: e.Glued}
}

// covers reports whether the place stands for the token.
func (e *Element) covers(t *token) bool {
	if e.Kind == t.kind {
		return e.Kind > Code || e.Text == t.text
	}
	return e.Kind == Any && !t.kind.firm() || e.Kind == Mixed && t.kind.varies()
}

// fits reports whether the template stands for the tokens.
func (c *cluster) fits(tokens []token) bool {
	if c.maxGap > 0 {
		return c.fitsGap(tokens)
	}
	if len(c.elements) != len(tokens) {
		return false
	}
	elements := c.elements[:len(tokens)]
	for i := range tokens {
		if !elements[i].covers(&tokens[i]) {
			return false
		}
	}
	return true
}

// fitsGap reports whether the tokens fit a template that has a gap.
func (c *cluster) fitsGap(tokens []token) bool {
	n := len(tokens) - (len(c.elements) - 1)
	if n < c.minGap || n > c.maxGap {
		return false
	}
	i := 0
	for ; c.elements[i].Kind != Gap; i++ {
		if !c.elements[i].covers(&tokens[i]) {
			return false
		}
	}
	for j := range n {
		if tokens[i+j].kind.firm() {
			return false
		}
	}
	for i++; i < len(c.elements); i++ {
		if !c.elements[i].covers(&tokens[i+n-1]) {
			return false
		}
	}
	return true
}

// fit finds the template with the most constants that stands for the line; of
// equals the oldest. Those without a gap come first.
func (g *groups) fit() *cluster {
	s := &g.m.scan
	key := leafKey{shape: shape(len(s.tokens), s.first, s.form)}
	if s.first >= 0 {
		key.word = s.tokens[s.first].text
	}
	var best *cluster
	if l := g.leaves[key]; l != nil {
		if best = l.fit(s); best != nil && (g.defined == 0 || best.defined) {
			return best
		}
	}
	if len(g.heads) > 0 && s.first >= 0 {
		if l := g.heads[key.word]; l != nil {
			best = closer(best, l.fit(s))
		}
	}
	if len(g.tails) > 0 && s.last >= 0 {
		if l := g.tails[s.tokens[s.last].text]; l != nil {
			best = closer(best, l.fit(s))
		}
	}
	return best
}

// closer is the cluster with more constants, or the older one. Without a gap beats
// with one.
func closer(a, b *cluster) *cluster {
	switch {
	case b == nil, a != nil && a.maxGap == 0 && !b.defined:
		return a
	case a == nil || b.fixed > a.fixed || b.fixed == a.fixed && b.id < a.id:
		return b
	}
	return a
}

// fit is the cluster with the most constants that the line fits, nil without one.
func (l *leaf) fit(s *scanner) (best *cluster) {
	fixed := -1
	for _, c := range l.clusters {
		if c.fixed > fixed && c.form == s.form && c.fits(s.tokens) {
			best, fixed = c, c.fixed
		}
	}
	return best
}

// similar finds the most similar template of the same length and first word that
// reaches the threshold; of equals the oldest.
func (g *groups) similar() *cluster {
	s := &g.m.scan
	key := leafKey{shape: shape(len(s.tokens), s.first, s.form)}
	if s.first >= 0 {
		key.word = s.tokens[s.first].text
	}
	l := g.leaves[key]
	if l == nil {
		return nil
	}
	var best *cluster
	most := g.m.options.Similarity
	for _, c := range l.clusters {
		if c.defined {
			continue
		}
		if like := c.similarity(s.tokens, most); like >= most && (best == nil || like > most) {
			best, most = c, like
		}
	}
	return best
}

// similarity is the share of equal constants in the places where the template or
// the line has one. It is -1 if a level or a key would have to give way, and may be
// if it is below least.
func (c *cluster) similarity(tokens []token, least float64) float64 {
	same, all := 0, 0
	room := int((1 - least) * float64(len(tokens)) * (1 + 1e-9)) // for places that differ
	for i := range c.elements {
		e, t := &c.elements[i], &tokens[i]
		switch {
		case e.Kind == t.kind && e.Text == t.text && e.Kind < Code:
			same++
			all++
		case e.Kind.firm() || t.kind.firm():
			return -1
		case t.kind.varies() && (e.Kind.varies() || e.Kind == Any):
		default:
			if all++; all-same > room {
				return -1
			}
		}
	}
	if all == 0 {
		return 1
	}
	return float64(same) / float64(all)
}

// add keeps clusters in the order of their ids.
func (l *leaf) add(c *cluster) {
	i, _ := slices.BinarySearchFunc(l.clusters, c, byID)
	l.clusters = slices.Insert(l.clusters, i, c)
}

// remove reports whether nothing is left.
func (l *leaf) remove(c *cluster) bool {
	if i, ok := slices.BinarySearchFunc(l.clusters, c, byID); ok {
		l.clusters = slices.Delete(l.clusters, i, i+1)
	}
	return len(l.clusters) == 0
}

// evictIdle evicts a cluster of the leaf, unless all are defined.
func (m *Miner) evictIdle(l *leaf, evicted []ID) []ID {
	if c := l.idle(); !c.defined {
		evicted = append(evicted, m.evict(c))
	}
	return evicted
}

// idle is the cluster that was not used for longest; a defined one comes last.
func (l *leaf) idle() *cluster {
	return slices.MinFunc(l.clusters, func(a, b *cluster) int {
		if a.defined != b.defined {
			return map[bool]int{false: -1, true: 1}[a.defined]
		}
		if a.used != b.used {
			return cmp(a.used, b.used)
		}
		return byID(a, b)
	})
}

func byID(a, b *cluster) int { return cmp(int64(a.id), int64(b.id)) }

func cmp(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func put[K comparable](index map[K]*leaf, key K, c *cluster) {
	l := index[key]
	if l == nil {
		l = &leaf{}
		index[key] = l
	}
	l.add(c)
}

func drop[K comparable](index map[K]*leaf, key K, c *cluster) {
	if l := index[key]; l != nil && l.remove(c) {
		delete(index, key)
	}
}

// isWord reports whether a place is a constant word and no sign.
func (e Element) isWord() bool { return e.Kind == Word && is(e.Text[0], letter|hexLetter) }

// lastWord returns the place of the last word, -1 without.
func lastWord(elements []Element) int {
	for i, e := range slices.Backward(elements) {
		if e.isWord() {
			return i
		}
	}
	return -1
}

// closed reports whether no word of a line can lie within the elements unless they
// name it.
func closed(elements []Element) bool {
	return !slices.ContainsFunc(elements, func(e Element) bool { return e.Kind == Any || e.Kind == Gap })
}

// headed reports whether all lines of the template have its first word as theirs.
func (c *cluster) headed() bool { return c.head >= 0 && closed(c.elements[:c.head]) }

// leafKey is where a cluster without a gap is found.
func (c *cluster) leafKey() leafKey {
	key := leafKey{shape: shape(len(c.elements), c.head, c.form)}
	if c.head >= 0 {
		key.word = c.elements[c.head].Text
	}
	return key
}

// definedFirst is more than the constants of any line.
const definedFirst = 1 << 30

// leafy reports whether a cluster lies under its length: without a gap, unless only
// the last word is sure.
func (c *cluster) leafy() bool { return c.maxGap == 0 && (c.head >= 0 || !c.defined) }

// insert puts a cluster into the index.
func (g *groups) insert(c *cluster) {
	c.fixed = 0
	if c.defined {
		c.fixed = definedFirst
	}
	for _, e := range c.elements {
		if e.Kind.constant() {
			c.fixed++
		}
	}
	last := lastWord(c.elements)
	switch {
	case c.leafy():
		put(g.leaves, c.leafKey(), c)
	case c.headed():
		put(g.heads, c.elements[c.head].Text, c)
	default:
		put(g.tails, c.elements[last].Text, c)
	}
	if c.head >= 0 {
		put(g.firsts, c.elements[c.head].Text, c)
	}
	if last >= 0 {
		put(g.lasts, c.elements[last].Text, c)
	}
}

// remove takes a cluster out of the index, from where insert put it.
func (g *groups) remove(c *cluster) {
	last := lastWord(c.elements)
	switch {
	case c.leafy():
		drop(g.leaves, c.leafKey(), c)
	case c.headed():
		drop(g.heads, c.elements[c.head].Text, c)
	default:
		drop(g.tails, c.elements[last].Text, c)
	}
	if c.head >= 0 {
		drop(g.firsts, c.elements[c.head].Text, c)
	}
	if last >= 0 {
		drop(g.lasts, c.elements[last].Text, c)
	}
}
