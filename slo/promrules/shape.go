package promrules

import (
	"maps"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/slo"
)

// shape is what objectives have in common whose rules differ in some texts alone,
// and those rules with holes in the place of the texts.
type shape struct {
	slo                 *SLO // one that has it
	labels, annotations []string
	fixed               []around // of each text

	// The rules are the body and the tail. Holes near each other are one span, which
	// is put together once and written often.
	body  []part
	spans [][]part
	tail  string
}

// part is a value or a span and what stands before it.
type part struct {
	before string
	what   int
}

const (
	// hole begins what stands for a value, its number follows. What the rules say by
	// themselves has no back quote.
	hole      = '`'
	firstHole = '0'
	lastHole  = '['
	holeSize  = 2
	// near is how far apart the holes of a span are at most: in labels of one rule.
	near = 24
	// eventTexts is how many texts say what is counted.
	eventTexts = 6
)

// newShape returns the shape of an objective, nil if there cannot be another one
// with that shape.
func newShape(s *SLO, alert string) *shape {
	isOwn := func(text string) bool { return strings.IndexByte(text, hole) < 0 }
	if !isOwn(alert) || slices.ContainsFunc(s.Policy.Rules, func(r slo.Rule) bool { return !isOwn(r.Name) || !isOwn(string(r.Severity)) }) {
		return nil
	}
	h := &shape{slo: s, labels: slices.Collect(maps.Keys(s.Labels)), annotations: slices.Collect(maps.Keys(s.Annotations)), fixed: make([]around, 0, 16)}
	texts, _ := h.texts(s, make([]string, 0, 16))
	holes := 0
	for i, text := range texts {
		fixed := around{text}
		if i >= len(texts)-eventTexts {
			fixed = aroundValues(text)
		} else if text != "" && valueLen(text, inText) == len(text) {
			fixed = around{"", ""}
		}
		holes += len(fixed) - 1
		if !isOwn(fixed[0]) || holes > lastHole-firstHole+1 {
			return nil
		}
		h.fixed = append(h.fixed, fixed)
	}
	return h
}

// isLike reports whether an objective differs in texts alone. Numbers are compared
// as they are kept: of equal ones some may seem to differ.
func (h *shape) isLike(s *SLO) bool {
	a, b := h.slo, s
	return a.Target == b.Target && same(a.Windows, b.Windows) && (a.Slices == b.Slices || a.Slices != nil && b.Slices != nil && *a.Slices == *b.Slices) &&
		same(a.Policy.Rules, b.Policy.Rules) && a.Policy.MinCoverage == b.Policy.MinCoverage &&
		same(a.BudgetPolicy.Actions, b.BudgetPolicy.Actions) && a.BudgetPolicy.Unused == b.BudgetPolicy.Unused &&
		same(a.Events.By, b.Events.By) && a.Events.Latency.isLike(b.Events.Latency)
}

func (l *Latency) isLike(m *Latency) bool {
	return l == nil && m == nil || l != nil && m != nil && l.Limit == m.Limit && l.Native == m.Native
}

// same is [slices.Equal], faster for what is the same list.
func same[T comparable](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b))
}

// texts appends the texts in which objectives of a shape may differ, those of the
// events last; ok is false for other names of labels.
func (h *shape) texts(s *SLO, dst []string) (_ []string, ok bool) {
	if len(s.Labels) != len(h.labels) || len(s.Annotations) != len(h.annotations) {
		return dst, false
	}
	dst = append(dst, s.ID, s.Service, s.Owner, s.Runbook)
	for _, name := range h.labels {
		value, ok := s.Labels[name]
		if !ok {
			return dst, false
		}
		dst = append(dst, value)
	}
	for _, name := range h.annotations {
		value, ok := s.Annotations[name]
		if !ok {
			return dst, false
		}
		dst = append(dst, value)
	}
	e, histogram := &s.Events, ""
	if e.Latency != nil {
		histogram = e.Latency.Histogram
	}
	return append(dst, e.Bad, e.Good, e.Total, e.Up, e.ErrorRatio, histogram), true
}

// with returns the objective of a shape with other texts.
func (h *shape) with(texts []string) SLO {
	next := func() (text string) {
		text, texts = texts[0], texts[1:]
		return text
	}
	named := func(names []string) map[string]string {
		m := make(map[string]string, len(names))
		for _, name := range names {
			m[name] = next()
		}
		return m
	}
	s := *h.slo
	s.ID, s.Service, s.Owner, s.Runbook = next(), next(), next(), next()
	s.Labels, s.Annotations = named(h.labels), named(h.annotations)
	e := &s.Events
	e.Bad, e.Good, e.Total, e.Up, e.ErrorRatio = next(), next(), next(), next(), next()
	if e.Latency != nil {
		latency := *e.Latency
		latency.Histogram = next()
		e.Latency = &latency
	}
	return s
}

// learn makes the rules of the shape; it is false if there are none. Behind spare
// there may be room for them.
func (h *shape) learn(o Options, spare []byte) bool {
	texts := make([]string, len(h.fixed))
	number := byte(firstHole)
	for i, fixed := range h.fixed {
		texts[i] = fixed[0]
		for _, after := range fixed[1:] {
			texts[i] += string([]byte{hole, number}) + after
			number++
		}
	}
	file, err := Generate([]SLO{h.with(texts)}, o)
	if err != nil {
		return false
	}
	rules := string(file.appendGroups(spare, "")[len(spare):])
	h.body = make([]part, 0, strings.Count(rules, string(hole)))
	known := make([]string, 0, 32)
	for {
		from := strings.IndexByte(rules, hole)
		if from < 0 {
			h.tail = rules
			return true
		}
		to := spanEnd(rules, from)
		span := slices.Index(known, rules[from:to])
		if span < 0 {
			span = len(known)
			known = append(known, rules[from:to])
			h.spans = append(h.spans, cutSpan(rules[from:to]))
		}
		h.body = append(h.body, part{rules[:from], span})
		rules = rules[to:]
	}
}

// spanEnd returns the end of the span that begins with a hole.
func spanEnd(text string, from int) int {
	for to := from + holeSize; ; {
		next := strings.IndexByte(text[to:min(to+near+1, len(text))], hole)
		if next < 0 {
			return to
		}
		to += next + holeSize
	}
}

func cutSpan(text string) []part {
	parts := make([]part, 0, strings.Count(text, string(hole)))
	for text != "" {
		at := strings.IndexByte(text, hole)
		parts = append(parts, part{text[:at], int(text[at+1] - firstHole)})
		text = text[at+holeSize:]
	}
	return parts
}

// around is what stands around the holes of a text: before the first, between them
// and behind the last.
type around []string

// aroundValues makes holes of values in ="value". Whatever stands there, a sound
// selector remains sound and an expression is written as it is.
func aroundValues(text string) (fixed around) {
	if strings.ContainsAny(text, "'`\\") {
		return around{text} // quotes may not be what they seem
	}
	from := 0 // of what comes behind the last hole
	for at := 0; ; {
		before, rest, _ := strings.Cut(text[at:], `"`)
		value, _, ok := strings.Cut(rest, `"`)
		if !ok {
			return append(fixed, text[from:])
		}
		at += len(before) + 1
		if strings.HasSuffix(before, "=") && value != "" && valueLen(value, inEvents) == len(value) {
			fixed = append(fixed, text[from:at])
			from = at + len(value)
		}
		at += len(value) + 1
	}
}

// values appends what stands in the holes of a text; ok is false if something else
// stands around them, or in them what cannot.
func (fixed around) values(text string, dst []string) (_ []string, ok bool) {
	if !strings.HasPrefix(text, fixed[0]) {
		return dst, false
	}
	text = text[len(fixed[0]):]
	where := inText
	if fixed[0] != "" { // as in the texts of events
		where = inEvents
	}
	for _, after := range fixed[1:] {
		n := valueLen(text, where)
		if n == 0 || !strings.HasPrefix(text[n:], after) {
			return dst, false
		}
		dst = append(dst, text[:n])
		text = text[n+len(after):]
	}
	return dst, text == ""
}

// valueLen returns how much of a text can stand in a hole: it is written alike
// wherever it is written, and nothing else depends on it.
func valueLen(text string, in place) int {
	n := 0
	for n < len(text) && fits[text[n]] >= in {
		n++
	}
	if n == 0 || text[0] == ' ' || text[n-1] == ' ' {
		return 0
	}
	return n
}

// place is where a hole is.
type place uint8

const (
	inText   place = 1 + iota
	inEvents       // where # begins a comment and $ a window
)

// fits says of each byte in which places it can stand.
var fits = func() (f [256]place) {
	for c := range f {
		switch {
		case !plain[c] || c == '{':
		case c == '#' || c == '$':
			f[c] = inText
		default:
			f[c] = inEvents
		}
	}
	return f
}()
