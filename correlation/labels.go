package correlation

import (
	"encoding/json"
	"iter"
	"slices"
	"strings"
)

// Label is one name with its value.
type Label struct {
	Name, Value string
}

// Labels is a list of labels sorted by name, without empty values: a missing
// label equals an empty one. Lists handed out by the engine are shared and
// must not be changed.
type Labels []Label

// LabelsOf returns the labels of m in order, without the empty ones.
func LabelsOf(m map[string]string) Labels {
	if len(m) == 0 {
		return nil
	}
	return AppendLabels(make(Labels, 0, len(m)), m)
}

// AppendLabels is [LabelsOf] that appends the labels of m, in order among themselves, to a
// list and returns the longer one, for a caller who uses the room of a list again.
func AppendLabels(l Labels, m map[string]string) Labels {
	before := len(l)
	for name, value := range m {
		if value != "" {
			l = append(l, Label{name, value})
		}
	}
	l[before:].sort()
	return l
}

// sort orders the labels by name.
func (l Labels) sort() {
	if len(l) > 16 {
		slices.SortFunc(l, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
		return
	}
	for n := 1; n < len(l); n++ { // few, and a call for each comparison is what costs
		x, at := l[n], n
		for ; at > 0 && precedes(x.Name, l[at-1].Name); at-- {
			l[at] = l[at-1]
		}
		l[at] = x
	}
}

// precedes reports a < b. Most names differ in their first byte.
func precedes(a, b string) bool {
	if a != "" && b != "" && a[0] != b[0] {
		return a[0] < b[0]
	}
	return a < b
}

// Get returns the value of a label, empty if it is missing.
func (l Labels) Get(name string) string {
	for _, x := range l { // lists are short: faster than a binary search
		if x.Name == name {
			return x.Value
		}
	}
	return ""
}

// Map returns the labels as a new map, nil if there are none.
func (l Labels) Map() map[string]string {
	if len(l) == 0 {
		return nil
	}
	m := make(map[string]string, len(l))
	for _, x := range l {
		m[x.Name] = x.Value
	}
	return m
}

// String returns {name=value,...}, or nothing for no labels. It is for people:
// a value may hold a comma.
func (l Labels) String() string { return printed("", len(l), l.all()) }

// all yields names and values in order.
func (l Labels) all() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, x := range l {
			if !yield(x.Name, x.Value) {
				return
			}
		}
	}
}

// MarshalJSON writes an object with the names in order.
func (l Labels) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 32*len(l)+2)
	b = append(b, '{')
	for n, x := range l {
		if n > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, x.Name)
		b = append(b, ':')
		b = appendJSON(b, x.Value)
	}
	return append(b, '}'), nil
}

// appendObject appends m as encoding/json has it, in a fraction of the time.
func appendObject(b []byte, m map[string]string) []byte {
	var room [16]string
	names := room[:0]
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for n, name := range names {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(appendJSON(b, name), ':')
		b = appendJSON(b, m[name])
	}
	return append(b, '}')
}

// appendJSON appends s as a JSON string.
func appendJSON(b []byte, s string) []byte {
	for n := range len(s) {
		if c := s[n]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // strings always marshal
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// UnmarshalJSON reads an object of strings.
func (l *Labels) UnmarshalJSON(b []byte) error {
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	*l = LabelsOf(m)
	return nil
}
