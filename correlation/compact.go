package correlation

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"iter"
	"math/bits"
	"strings"
)

// names are the names of the labels of an alert, which alerts of one kind share.
type names struct {
	list []string // sorted
	key  string
	refs int // labels that use it
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

// value returns the value of the name at place k.
func (l *labels) value(k int) string {
	at, before, size := 0, 0, 0
	for n := range l.names.list {
		length, width := uvarint(l.text[at:])
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
			_, width := uvarint(values)
			values = values[width:]
		}
		for _, name := range l.names.list {
			length, width := uvarint(lengths)
			if !yield(name, values[:length]) {
				return
			}
			lengths, values = lengths[width:], values[length:]
		}
	}
}

// list returns the labels for a reader.
func (l *labels) list() Labels {
	if l.names == nil {
		return nil
	}
	out := make(Labels, 0, len(l.names.list))
	for name, value := range l.all() {
		out = append(out, Label{name, value})
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

func uvarint(s string) (n, width int) {
	for shift := 0; ; shift += 7 {
		b := s[width]
		width++
		n |= int(b&0x7f) << shift
		if b < 0x80 {
			return n, width
		}
	}
}

// atlas shares names of alerts and sets of names of labels, as long as somebody
// uses them.
type atlas struct {
	alerts map[string]*alertName
	labels map[string]*names
	buf    []byte // scratch
}

func newAtlas() *atlas {
	return &atlas{alerts: map[string]*alertName{}, labels: map[string]*names{}}
}

// alertName is the name of alerts, layer.short.
type alertName struct {
	full, layer, short string
	refs               int
}

// name returns the shared name and counts a use of it.
func (t *atlas) name(full string) *alertName {
	n := t.alerts[full]
	if n == nil {
		full = strings.Clone(full)
		n = &alertName{full: full}
		n.layer, n.short, _ = strings.Cut(full, ".")
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
		t.buf = appendPart(t.buf, x.Name)
	}
	shared := t.labels[string(t.buf)]
	if shared == nil {
		shared = &names{key: string(t.buf), list: make([]string, len(l))}
		rest := shared.key // of which the names are parts
		for k := range l {
			length, width := uvarint(rest)
			shared.list[k], rest = rest[width:][:length], rest[width+length:]
		}
		t.labels[shared.key] = shared
	}
	shared.refs++
	t.buf = t.buf[:0]
	for _, x := range l {
		t.buf = binary.AppendUvarint(t.buf, uint64(len(x.Value)))
	}
	for _, x := range l {
		t.buf = append(t.buf, x.Value...)
	}
	return labels{shared, string(t.buf)}
}

// drop ends the use of the names of an alert.
func (t *atlas) drop(a *alert) {
	if a.name.refs--; a.name.refs == 0 {
		delete(t.alerts, a.name.full)
	}
	if n := a.labels.names; n != nil {
		if n.refs--; n.refs == 0 {
			delete(t.labels, n.key)
		}
	}
}

var seed = maphash.MakeSeed()

// identity hashes the name and the labels of an alert, in any order, and counts the
// labels that are not empty. Nothing that is reported depends on the hash.
func identity(name string, m map[string]string) (hash uint64, n int) {
	hash = maphash.String(seed, name)
	for name, value := range m {
		if value != "" {
			hash += hashLabel(name, value)
			n++
		}
	}
	return hash, n
}

func hashLabel(name, value string) uint64 {
	hi, lo := bits.Mul64(maphash.String(seed, name)|1, maphash.String(seed, value)^0x9e3779b97f4a7c15)
	return hi ^ lo
}

// hash is [identity] of an alert.
func (a *alert) hash() uint64 {
	h := maphash.String(seed, a.name.full)
	for name, value := range a.labels.all() {
		h += hashLabel(name, value)
	}
	return h
}

// text is the printed form, as of [Alert.String].
func (a *alert) text() string { return a.name.full + a.labels.list().String() }

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
