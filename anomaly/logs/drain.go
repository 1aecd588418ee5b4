package logs

import (
	"slices"
	"strings"
	"time"
)

// tree is the search tree of preset Drain. Below the root stands a node for each
// number of tokens, below that one for each of the first tokens of lines.
type tree struct {
	options *Options
	lengths map[int]*node
	order   []int // lengths as they came
	tokens  []string
}

// node has children by token, or ids of clusters.
type node struct {
	children map[string]*node
	order    []string // keys of children as they came
	ids      []ID
}

func newTree(o *Options) *tree { return &tree{options: o, lengths: map[int]*node{}} }

// child returns the child under the key, which it makes if need be.
func (n *node) child(key string) *node {
	if c := n.children[key]; c != nil {
		return c
	}
	if n.children == nil {
		n.children = map[string]*node{}
	}
	c := &node{}
	key = strings.Clone(key)
	n.children[key] = c
	n.order = append(n.order, key)
	return c
}

// learnDrain is Learn of preset Drain.
func (m *Miner) learnDrain(at time.Time, line string) Result {
	t := m.drain
	t.split(m.cut(line))
	if c := t.search(m, m.options.Similarity, false); c != nil {
		r := Result{ID: c.id}
		for i := range c.elements {
			if e := &c.elements[i]; e.Kind == Word && e.Text != t.tokens[i] {
				*e = Element{Kind: Any}
				r.Update = Changed
			}
		}
		if r.Update == Changed {
			m.changed(at, c)
		}
		m.count(at, c)
		return r
	}
	elements := make([]Element, len(t.tokens))
	for i, token := range t.tokens {
		if elements[i] = (Element{Kind: Any}); token != wildcard {
			elements[i] = Element{Kind: Word, Text: strings.Clone(token)}
		}
	}
	c, evicted := m.add(at, elements)
	t.insert(m, c)
	return Result{ID: c.id, Update: Created, Evicted: evicted}
}

// match finds the cluster that fits a line with all its wildcards.
func (t *tree) match(m *Miner, line string, how Search) *cluster {
	t.split(m.cut(line))
	if how != Always {
		if c := t.search(m, 1, true); c != nil || how == Never {
			return c
		}
	}
	top := t.lengths[len(t.tokens)]
	if top == nil {
		return nil
	}
	return t.best(m, top.all(nil), 1, true)
}

// all appends the ids below n, parents before children, children as they came.
func (n *node) all(ids []ID) []ID {
	ids = append(ids, n.ids...)
	for _, key := range n.order {
		ids = n.children[key].all(ids)
	}
	return ids
}

// split fills tokens. White space and digits are those of Python's str.
func (t *tree) split(line string) {
	t.tokens = t.tokens[:0]
	if len(t.options.Delimiters) > 0 {
		line = strings.TrimFunc(line, isSpace)
		for _, d := range t.options.Delimiters {
			line = strings.ReplaceAll(line, d, " ")
		}
	}
	start := -1
	for i := 0; i < len(line); {
		c, width := line[i], 1
		space := class[c]&blank != 0
		if c >= 0x80 {
			var r rune
			r, width = decode(line[i:])
			space = isSpace(r)
		}
		switch {
		case space && start >= 0:
			t.tokens = append(t.tokens, line[start:i])
			start = -1
		case !space && start < 0:
			start = i
		}
		i += width
	}
	if start >= 0 {
		t.tokens = append(t.tokens, line[start:])
	}
}

// search goes down the path of the tokens: the exact child, else the wildcard.
func (t *tree) search(m *Miner, similarity float64, wildcards bool) *cluster {
	n := t.lengths[len(t.tokens)]
	if n == nil {
		return nil
	}
	if len(t.tokens) == 0 {
		return m.clusters[n.ids[0]]
	}
	for _, token := range t.path() {
		next := n.children[token]
		if next == nil {
			next = n.children[wildcard]
		}
		if next == nil {
			return nil
		}
		n = next
	}
	return t.best(m, n.ids, similarity, wildcards)
}

// path is the part of the tokens that the tree branches on, never the last.
func (t *tree) path() []string {
	return t.tokens[:max(0, min(t.options.Depth-3, len(t.tokens)-1))]
}

// best is the most similar cluster that reaches the similarity, of equals that
// with more wildcards, then the first.
func (t *tree) best(m *Miner, ids []ID, similarity float64, wildcards bool) *cluster {
	var best *cluster
	most, open := -1, -1
	for _, id := range ids {
		c := m.clusters[id]
		if c == nil {
			continue // evicted
		}
		same, free := 0, 0
		for i := range c.elements {
			switch e := &c.elements[i]; {
			case e.Kind == Any:
				free++
			case e.Text == t.tokens[i]:
				same++
			}
		}
		if wildcards {
			same += free
		}
		if same > most || same == most && free > open {
			best, most, open = c, same, free
		}
	}
	if len(t.tokens) > 0 && float64(most)/float64(len(t.tokens)) < similarity {
		return nil
	}
	return best
}

// insert puts a new cluster where its tokens lead.
func (t *tree) insert(m *Miner, c *cluster) {
	length := len(t.tokens)
	n := t.lengths[length]
	if n == nil {
		n = &node{}
		t.lengths[length] = n
		t.order = append(t.order, length)
	}
	for _, token := range t.path() {
		n = t.down(n, token)
	}
	if length == 0 {
		n.ids = n.ids[:0] // at most one cluster is empty
	}
	n.ids = slices.DeleteFunc(n.ids, func(id ID) bool { return m.clusters[id] == nil })
	n.ids = append(n.ids, c.id)
}

// down returns the child for a token of a new path.
func (t *tree) down(n *node, token string) *node {
	if c := n.children[token]; c != nil {
		return c
	}
	room := t.options.MaxChildren - len(n.children)
	if n.children[wildcard] == nil {
		room-- // kept for the wildcard
	}
	if room > 0 && (t.options.KeepNumeric || !hasDigit(token)) {
		return n.child(token)
	}
	return n.child(wildcard)
}
