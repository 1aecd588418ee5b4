package correlation

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
)

// names are the names of the labels of an alert, which alerts of one kind share.
type names struct {
	list []string // sorted
	key  string
	size int    // bytes of them all
	hash uint64 // of the key
	refs int    // labels that use it
}

// labels are [Labels] in compact form: shared names, and the values in one text,
// after the length of each as a varint.
type labels struct {
	names *names
	text  string
}

// Get returns the value of a label, empty if it is missing.
func (l *labels) Get(name string) string {
	if l.names == nil {
		return ""
	}
	for k, n := range l.names.list {
		if n == name {
			return l.value(k)
		}
	}
	return ""
}

// column is a label that rules ask all alerts for. Most have the same names as the last one,
// so where it stands among them is remembered.
type column struct {
	name  string
	names *names // of the labels that were asked last; may be out of use
	at    int    // in names, -1: they do not have it
}

// of is [labels.Get].
func (c *column) of(l *labels) string {
	if l.names == nil {
		return ""
	}
	if c.names != l.names {
		c.names, c.at = l.names, slices.Index(l.names.list, c.name)
	}
	if c.at < 0 {
		return ""
	}
	return l.value(c.at)
}

// value returns the value of the name at place k.
func (l *labels) value(k int) string {
	before, high := 0, byte(0)
	lengths := l.text[:len(l.names.list)] // if none of them is of several bytes
	for n := range lengths {
		b := lengths[n]
		high |= b
		if n < k {
			before += int(b)
		}
	}
	if high < 0x80 {
		return l.text[len(lengths)+before:][:lengths[k]]
	}
	return l.long(k)
}

// long is value for lengths of any size.
func (l *labels) long(k int) string {
	at, before, size := 0, 0, 0
	for n := range l.names.list {
		length, width := prefixed.Len(l.text[at:])
		at += width
		switch {
		case n < k:
			before += length
		case n == k:
			size = length
		}
	}
	return l.text[at+before:][:size]
}

// all yields names and values in order.
func (l *labels) all() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		if l.names == nil {
			return
		}
		lengths, values := l.text, l.text
		for range l.names.list {
			_, width := prefixed.Len(values)
			values = values[width:]
		}
		for _, name := range l.names.list {
			length, width := prefixed.Len(lengths)
			if !yield(name, values[:length]) {
				return
			}
			lengths, values = lengths[width:], values[length:]
		}
	}
}

// list returns the labels for a reader.
func (l *labels) list() Labels { return l.listIn(nil) }

// listIn is list into the room of a list, if that is long enough.
func (l *labels) listIn(room Labels) Labels {
	if l.names == nil {
		return nil
	}
	out := room[:0]
	if cap(out) < len(l.names.list) {
		out = make(Labels, 0, len(l.names.list))
	}
	out = out[:len(l.names.list)]
	lengths, values := l.text, l.text
	for range out {
		_, width := prefixed.Len(values)
		values = values[width:]
	}
	for n, name := range l.names.list { // as all does, without a call for each
		length, width := prefixed.Len(lengths)
		out[n] = Label{name, values[:length]}
		lengths, values = lengths[width:], values[length:]
	}
	return out
}

// are reports whether the labels are those of an event, of which n are not empty.
func (l *labels) are(m map[string]string, n int) bool {
	if l.names == nil {
		return n == 0
	}
	if len(l.names.list) != n {
		return false
	}
	for name, value := range l.all() {
		if m[name] != value {
			return false
		}
	}
	return true
}

// atlas shares names of alerts and sets of names of labels, as long as somebody
// uses them.
type atlas struct {
	index  *index
	alerts map[string]*alertName
	labels map[string]*names
	asked  identity // scratch
	buf    []byte   // scratch
}

func newAtlas(ix *index) *atlas {
	return &atlas{index: ix, alerts: map[string]*alertName{}, labels: map[string]*names{}}
}

// alertName is the name of alerts, layer.short.
type alertName struct {
	full, layer, short string
	hash               uint64
	last               *names    // of the labels of the alert that was asked for last; may be out of use
	shelves            [3]*shelf // with the selectors that it can match; nil: none
	refs               int
}

// name returns the shared name and counts a use of it.
func (t *atlas) name(full string) *alertName {
	n := t.alerts[full]
	if n == nil {
		full = strings.Clone(full)
		n = &alertName{full: full, hash: maphash.String(seed, full)}
		n.layer, n.short, _ = strings.Cut(full, ".")
		n.shelves = t.index.shelves(n)
		t.alerts[full] = n
	}
	n.refs++
	return n
}

// compact returns the compact form of labels and counts a use of their names.
func (t *atlas) compact(l Labels) labels {
	if len(l) == 0 {
		return labels{}
	}
	t.buf = t.buf[:0]
	for _, x := range l {
		t.buf = prefixed.Append(t.buf, x.Name)
	}
	shared := t.labels[string(t.buf)]
	if shared == nil {
		shared = t.share(string(t.buf), len(l))
	}
	shared.refs++
	t.buf = appendValues(t.buf[:0], l)
	return labels{shared, string(t.buf)}
}

// share makes the names of a key, which has n of them, known.
func (t *atlas) share(key string, n int) *names {
	x := &names{key: key, list: make([]string, n), hash: maphash.String(seed, key)}
	rest := key // of which the names are parts
	for k := range x.list {
		x.list[k], rest = prefixed.Cut(rest)
		x.size += len(x.list[k])
	}
	t.labels[key] = x
	return x
}

// appendValues appends labels.text.
func appendValues(b []byte, l Labels) []byte {
	for n := range l {
		if size := len(l[n].Value); size < 0x80 {
			b = append(b, byte(size))
		} else {
			b = binary.AppendUvarint(b, uint64(size))
		}
	}
	for n := range l {
		b = append(b, l[n].Value...)
	}
	return b
}

// drop ends the use of the names of an alert.
func (t *atlas) drop(a *alert) {
	if a.name.refs--; a.name.refs == 0 {
		delete(t.alerts, a.name.full)
	}
	n := a.labels.names
	if n == nil {
		return
	}
	if n.refs--; n.refs == 0 {
		delete(t.labels, n.key)
	}
}

var seed = maphash.MakeSeed()

// identity is the name and the labels that an alert was asked for by. Nothing that is
// reported depends on its hash.
type identity struct {
	count int        // of the labels that are not empty
	name  *alertName // nil: no alert has this name
	names *names     // nil: there are no labels, or no alert has these
	known bool       // some alerts have this name, and some have labels of these names
	text  []byte     // as labels.text, if there are no labels or names
	hash  uint64     // if known
	list  Labels     // scratch; the labels, if there are some and no names
}

// identify takes a name and labels apart. The answer holds until the next call.
func (t *atlas) identify(name string, m map[string]string) *identity {
	x := &t.asked
	x.name, x.known = t.alerts[name], false
	if x.name == nil || x.name.last == nil || x.name.last.refs == 0 || !x.like(x.name.last, m) {
		x.list = AppendLabels(x.list[:0], m)
		x.names, x.count = nil, len(x.list)
		if x.count > 0 {
			t.buf = t.buf[:0]
			for n := range x.list {
				t.buf = prefixed.Append(t.buf, x.list[n].Name)
			}
			x.names = t.labels[string(t.buf)]
			if x.names == nil {
				return x
			}
		}
		x.text = appendValues(x.text[:0], x.list)
	}
	if x.name != nil {
		x.name.last, x.known = x.names, true
		x.hash = hashOf(x.name, x.names, maphash.Bytes(seed, x.text))
	}
	return x
}

// like reads labels that have these names and no others, and reports whether they do. To
// ask a map for each of its keys takes less than to go through it.
func (x *identity) like(s *names, m map[string]string) bool {
	if len(m) != len(s.list) {
		return false
	}
	x.names, x.count = s, len(s.list)
	text := slices.Grow(x.text[:0], len(s.list))[:len(s.list)] // as appendValues, at once
	for n, name := range s.list {
		value := m[name]
		if value == "" || len(value) >= 0x80 {
			return value != "" && x.long(s, m)
		}
		text[n] = byte(len(value))
		text = append(text, value...)
	}
	x.text = text
	return true
}

// long is like for values of any length.
func (x *identity) long(s *names, m map[string]string) bool {
	x.list = x.list[:0]
	for _, name := range s.list {
		value := m[name]
		if value == "" {
			return false
		}
		x.list = append(x.list, Label{name, value})
	}
	x.text = appendValues(x.text[:0], x.list)
	return true
}

// compact returns the compact form of the labels and counts a use of their names.
func (x *identity) compact(t *atlas) labels {
	switch {
	case x.count == 0:
		return labels{}
	case x.names == nil:
		return t.compact(x.list)
	}
	x.names.refs++
	return labels{x.names, string(x.text)}
}

// hashOf is the hash of an alert, of which that of the text of its labels is known.
func hashOf(name *alertName, n *names, text uint64) uint64 {
	h := name.hash ^ bits.RotateLeft64(text, 21)
	if n != nil {
		h += n.hash * 0x9e3779b97f4a7c15
	}
	return h
}

// hash is that of an alert.
func (a *alert) hash() uint64 {
	return hashOf(a.name, a.labels.names, maphash.String(seed, a.labels.text))
}

// text is the printed form, as of [Alert.String].
func (a *alert) text() string {
	n := 0
	if a.labels.names != nil {
		n = len(a.labels.names.list)
	}
	return printed(a.name.full, n, a.labels.all())
}

// printed is a name followed by n labels, as [Labels.String] has them.
func printed(name string, n int, labels iter.Seq2[string, string]) string {
	if n == 0 {
		return name
	}
	size := len(name) + 2*n + 1
	for label, value := range labels {
		size += len(label) + len(value)
	}
	b := append(make([]byte, 0, size), name...)
	sep := byte('{')
	for label, value := range labels {
		b = append(append(append(append(b, sep), label...), '='), value...)
		sep = ','
	}
	return string(append(b, '}'))
}

// part returns one of the texts of which the printed form is made, in order from 0.
func (a *alert) part(k int) (string, bool) {
	n := 0
	if a.labels.names != nil {
		n = len(a.labels.names.list)
	}
	label := (k - 1) / 4
	switch {
	case k == 0:
		return a.name.full, true
	case label < n:
	case k == 4*n+1 && n > 0:
		return "}", true
	default:
		return "", false
	}
	switch (k - 1) % 4 {
	case 0:
		if label == 0 {
			return "{", true
		}
		return ",", true
	case 1:
		return a.labels.names.list[label], true
	case 2:
		return "=", true
	default:
		return a.labels.value(label), true
	}
}

// compareText compares the printed forms of two alerts without making them.
func compareText(a, b *alert) int {
	x, more := a.part(0)
	y, other := b.part(0)
	for k, m := 0, 0; ; {
		n := min(len(x), len(y))
		if c := strings.Compare(x[:n], y[:n]); c != 0 {
			return c
		}
		x, y = x[n:], y[n:]
		for x == "" && more {
			k++
			x, more = a.part(k)
		}
		for y == "" && other {
			m++
			y, other = b.part(m)
		}
		if !more || !other {
			return cmp.Compare(len(x), len(y)) // one of them has ended
		}
	}
}
