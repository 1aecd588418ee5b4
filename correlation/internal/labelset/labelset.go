// Package labelset keeps the labels of many alerts in little memory: the names once for all
// alerts that have the same, the values of an alert in one text.
//
//	var shapes labelset.Shapes
//	var asked labelset.Asked // scratch
//	shapes.Ask(&asked, labels)
//	if !set.Is(&asked) {
//		set = shapes.Keep(&asked)
//	}
//	shapes.Drop(set)
//
// An Asked costs no allocation once it has been used, a Set that of its text.
package labelset

import (
	"hash/maphash"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
)

// Shapes are the names of the labels of sets that are kept, each list of them once. The
// zero value is ready to use. It is not safe for concurrent use.
type Shapes struct {
	all  map[string]*shape // by their names
	last *shape            // that was asked for; alerts of one kind come together
}

// shape is the names of the labels of sets, in order.
type shape struct {
	names string // each with its length
	count int    // of them
	hash  uint64
	refs  int // sets that have it
}

// Set is a list of labels that is kept. Two sets of the same Shapes are equal with == if
// their labels are, in the same order. The zero value is no set.
type Set struct {
	shape *shape
	text  string // the values in the order of the names, each with its length
}

// Asked is a list of labels that is looked for. It holds until the next Ask with it, or
// Drop of its Shapes.
type Asked struct {
	shape *shape // nil: no set has these names
	names []byte // as of the shape, unless there is one
	text  []byte // as of Set
	count int    // of the labels
}

// seed of the hashes. No answer depends on them.
var seed = maphash.MakeSeed()

// Ask looks for labels.
func (s *Shapes) Ask(x *Asked, labels correlation.Labels) {
	x.text, x.count = x.text[:0], len(labels)
	for n := range labels {
		x.text = prefixed.Append(x.text, labels[n].Value)
	}
	if s.last == nil || !s.last.are(labels) {
		x.names = x.names[:0]
		for n := range labels {
			x.names = prefixed.Append(x.names, labels[n].Name)
		}
		s.last = s.all[string(x.names)]
	}
	x.shape = s.last
}

// are reports whether labels have these names.
func (s *shape) are(labels correlation.Labels) bool {
	if len(labels) != s.count {
		return false
	}
	rest := s.names
	for n := range labels {
		size, width := prefixed.Len(rest)
		if name := labels[n].Name; len(name) != size || rest[width:][:size] != name {
			return false
		}
		rest = rest[width+size:]
	}
	return true
}

// Keep returns the set of the labels that were asked for.
func (s *Shapes) Keep(x *Asked) Set {
	if x.shape == nil {
		if s.all == nil {
			s.all = map[string]*shape{}
		}
		x.shape = &shape{names: string(x.names), count: x.count, hash: maphash.Bytes(seed, x.names)}
		s.all[x.shape.names], s.last = x.shape, x.shape
	}
	x.shape.refs++
	return Set{x.shape, string(x.text)}
}

// Drop says that a set is not kept any more.
func (s *Shapes) Drop(set Set) {
	if set.shape.refs--; set.shape.refs == 0 {
		delete(s.all, set.shape.names)
		s.last = nil
	}
}

// Known reports whether some set has the same names.
func (x *Asked) Known() bool { return x.shape != nil }

// Set returns the set that the labels are, for a look into a map; it must not be kept.
func (x *Asked) Set() Set { return Set{x.shape, string(x.text)} }

// Hash is that of the set that the labels are; 0 if no set has the same names.
func (x *Asked) Hash() uint64 {
	if x.shape == nil {
		return 0
	}
	return x.shape.hash ^ maphash.Bytes(seed, x.text)
}

// Hash depends on all names and values. It differs from one process to the next.
func (set Set) Hash() uint64 { return set.shape.hash ^ maphash.String(seed, set.text) }

// Is reports whether a set is what was asked for.
func (set *Set) Is(x *Asked) bool { return set.shape == x.shape && set.text == string(x.text) }

// Get returns the value of a label, empty if it is missing.
func (set Set) Get(name string) string {
	value := ""
	set.each(func(n, v string) bool {
		if n == name {
			value = v
		}
		return n != name
	})
	return value
}

// Labels returns the labels as they were asked for; nil if there are none.
func (set Set) Labels() correlation.Labels {
	if set.shape.count == 0 {
		return nil
	}
	list := make(correlation.Labels, 0, set.shape.count)
	set.each(func(name, value string) bool {
		list = append(list, correlation.Label{Name: name, Value: value})
		return true
	})
	return list
}

// each calls yield with names and values, until it returns false.
func (set Set) each(yield func(name, value string) bool) {
	names, text := set.shape.names, set.text
	for names != "" {
		var name, value string
		name, names = prefixed.Cut(names)
		value, text = prefixed.Cut(text)
		if !yield(name, value) {
			return
		}
	}
}
