package inhibit

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strings"
)

// shape is the names of the labels of alerts, which those of one kind share.
type shape struct {
	names string // each with its length
	hash  uint64
	refs  int // alerts that have it
}

// identity is all labels of an alert: their names, and the values in one text.
type identity struct {
	shape *shape
	text  string // the values in the order of the names, each with its length
}

// label is one of an alert, with a value.
type label struct{ name, value string }

// asked is an alert that is looked for: its names, and its values as identity.text.
type asked struct {
	names, text []byte
	list        []label
}

// take reads labels, the empty ones left out.
func (x *asked) take(labels map[string]string) {
	list := x.list[:0]
	for name, value := range labels {
		if value != "" {
			list = append(list, label{name, value})
		}
	}
	if len(list) > 16 {
		slices.SortFunc(list, func(a, b label) int { return strings.Compare(a.name, b.name) })
	} else {
		for n := 1; n < len(list); n++ { // few, and a call for each comparison is what costs
			l, at := list[n], n
			for ; at > 0 && l.name < list[at-1].name; at-- {
				list[at] = list[at-1]
			}
			list[at] = l
		}
	}
	x.names, x.text = x.names[:0], x.text[:0]
	for _, l := range list {
		x.names = appendPart(x.names, l.name)
		x.text = appendPart(x.text, l.value)
	}
	x.list = list
}

// get returns the value of a label, empty if it is missing.
func (x *asked) get(name string) string {
	for n := range x.list { // it is short: faster than a map
		if l := &x.list[n]; l.name == name {
			return l.value
		}
	}
	return ""
}

// seed of the hashes. No answer depends on them.
var seed = maphash.MakeSeed()

// hash is that of the identity in question, of which the shape is known.
func (x *asked) hash(s *shape) uint64 { return s.hash ^ maphash.Bytes(seed, x.text) }

// shape returns the shape of the alert in question, nil if no alert has it.
func (in *Inhibitor) shape(x *asked) *shape {
	if s := in.last; s != nil && s.names == string(x.names) { // alerts of one kind come together
		return s
	}
	s := in.shapes[string(x.names)]
	in.last = s
	return s
}

// find returns an alert that is held, nil if it is not.
func (in *Inhibitor) find(x *asked) *alert {
	s := in.shape(x)
	if s == nil {
		return nil
	}
	a := in.alerts[x.hash(s)]
	for a != nil && (a.shape != s || a.text != string(x.text)) {
		a = a.next
	}
	return a
}

// insert holds an alert and takes its identity from what was asked for.
func (in *Inhibitor) insert(a *alert, x *asked) {
	s := in.shape(x)
	if s == nil {
		s = &shape{names: string(x.names), hash: maphash.Bytes(seed, x.names)}
		in.shapes[s.names] = s
	}
	s.refs++
	a.identity = identity{s, string(x.text)}
	hash := x.hash(s)
	a.next = in.alerts[hash]
	in.alerts[hash] = a
	in.active++
}

// drop holds an alert no longer.
func (in *Inhibitor) drop(a *alert) {
	in.active--
	hash := a.shape.hash ^ maphash.String(seed, a.text)
	switch first := in.alerts[hash]; {
	case first != a:
		for first.next != a {
			first = first.next
		}
		first.next = a.next
	case a.next == nil:
		delete(in.alerts, hash)
	default:
		in.alerts[hash] = a.next
	}
	if a.shape.refs--; a.shape.refs == 0 {
		delete(in.shapes, a.shape.names)
		in.last = nil
	}
}

// appendPart appends a text with its length.
func appendPart(b []byte, s string) []byte {
	if len(s) < 0x80 {
		b = append(b, byte(len(s)))
	} else {
		b = binary.AppendUvarint(b, uint64(len(s)))
	}
	return append(b, s...)
}
