package logs

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// TemplateError reports a text that cannot be a template.
type TemplateError struct {
	Text    string
	Problem string
}

// Error says what was found and what is wanted.
func (e *TemplateError) Error() string {
	return fmt.Sprintf("logs: template %q: %s", e.Text, e.Problem)
}

// Define adds a template of the caller's, for lines that are grouped too finely or too
// coarsely. It is written as [Template.Text] shows them: words and signs as in the
// line, values as masks (<num> <ip> <mac> <uuid> <time> <hex> <path> <host> <list>
// <str>), <code> for a word with a digit, <*> for any token, and <gap>, once, for one
// to four tokens. It never changes, is never evicted, and answers before templates
// that were found. Those whose lines all fit it become its aliases.
//
// The error is a [*TemplateError]: for lines of JSON and logfmt, for preset Drain, and
// for a text without a constant word outside of which no <*> or <gap> comes first, or
// last.
func (m *Miner) Define(at time.Time, text string) (Result, error) {
	bad := func(problem string) (Result, error) { return Result{}, &TemplateError{Text: text, Problem: problem} }
	if m.drain != nil {
		return bad("preset Drain has no templates of the caller's")
	}
	m.scan.line(text, m.options.MaxTokens)
	if m.scan.form != textForm {
		return bad("is JSON or logfmt, want text")
	}
	c := &cluster{id: m.next + 1, defined: true, revision: m.revision + 1, since: at, head: -1}
	for i := range m.scan.tokens {
		t := &m.scan.tokens[i]
		e := t.element()
		e.Text = strings.Clone(e.Text)
		switch kind := slices.Index(placeholders[:], t.text); {
		case t.text == wildcard:
			e = Element{Kind: Any, Glued: t.glued}
		case t.text == placeholders[Code]:
			e = Element{Kind: Mixed, Glued: t.glued}
		case t.text == "<gap>":
			if c.maxGap > 0 {
				return bad("has more than one <gap>")
			}
			e = Element{Kind: Gap, Glued: t.glued}
			c.minGap, c.maxGap = 1, widestGap
		case kind >= int(Number):
			e = Element{Kind: Kind(kind), Glued: t.glued}
		}
		c.elements = append(c.elements, e)
	}
	c.head = slices.IndexFunc(c.elements, Element.isWord)
	if !c.headed() {
		c.head = -1
		if last := lastWord(c.elements); last < 0 || !closed(c.elements[last:]) {
			return bad("want a constant word before every <*> and <gap>, or after")
		}
	}
	m.next++
	m.revision++
	r := Result{ID: c.id, Update: Created}
	for _, id := range m.ids() {
		d := m.clusters[id]
		if d.defined || d.form != textForm || !c.includes(d) {
			continue
		}
		m.groups.remove(d)
		c.absorb(d)
		m.forget(d)
		m.clusters[c.id] = c
		m.alias(d, c)
		r.Update, r.Merged = Merged, append(r.Merged, id)
	}
	m.clusters[c.id] = c
	m.lru.front(c)
	m.groups.insert(c)
	m.groups.defined++
	m.measure(c)
	return r, nil
}

// absorb adds the lines of d.
func (c *cluster) absorb(d *cluster) {
	if c.count == 0 {
		c.first, c.last = d.first, d.last
	}
	c.count += d.count
	c.used = max(c.used, d.used)
	if d.first.Before(c.first) {
		c.first = d.first
	}
	if d.last.After(c.last) {
		c.last = d.last
	}
}
