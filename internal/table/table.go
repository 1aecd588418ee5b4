// Package table is a hash table of records that hold their own links, for sets of very many
// records that are looked up by a hash of several fields.
//
// A record costs eight bytes in the table and sixteen in itself, and growing leaves no garbage:
// where the table of the language makes its parts anew, this one gets one more list at each
// record (linear hashing; Litwin, "Linear hashing: a new tool for file and table addressing",
// VLDB 1980), so no insertion moves more than the records of one list either.
package table

import (
	"iter"
	"math/bits"
)

// Link is what a record holds of its table. Records embed it.
type Link[T any] struct {
	next *T
	hash uint64
}

// link returns the link itself, for records that embed it.
func (l *Link[T]) link() *Link[T] { return l }

// Record is a pointer to a struct that embeds a Link.
type Record[T any] interface {
	*T
	link() *Link[T]
}

// Table holds records by hash. The zero value is ready to use. It is not safe for concurrent
// use.
type Table[T any, P Record[T]] struct {
	parts [][]*T // lists of records; part 0 has first of them, each other as many as all before it
	lists uint64 // in use
	count int    // of the records
}

// first is the number of lists that are there from the first record on.
const first = 8

// at returns the list of a number.
func (t *Table[T, P]) at(n uint64) **T {
	if n < first {
		return &t.parts[0][n]
	}
	part := bits.Len64(n) - bits.Len64(first-1)
	return &t.parts[part][n-1<<(bits.Len64(n)-1)]
}

// list returns the list of a hash. A table of 2^k+m lists is one of 2^k of which the first m
// are split by the next bit of the hash.
func (t *Table[T, P]) list(hash uint64) **T {
	all := uint64(1)<<(bits.Len64(t.lists)-1) - 1
	n := hash & all
	if split := hash & (2*all + 1); split < t.lists {
		n = split
	}
	return t.at(n)
}

// Len returns the number of records.
func (t *Table[T, P]) Len() int { return t.count }

// First returns the latest record with a hash, nil if there is none.
func (t *Table[T, P]) First(hash uint64) P {
	if t.count == 0 {
		return nil
	}
	return same[T, P](*t.list(hash), hash)
}

// Next returns the next record with the hash of one, nil if it is the last.
func (t *Table[T, P]) Next(x P) P {
	l := x.link()
	return same[T, P](l.next, l.hash)
}

// same returns the first record of a list, from one on, with a hash.
func same[T any, P Record[T]](x P, hash uint64) P {
	for x != nil && x.link().hash != hash {
		x = x.link().next
	}
	return x
}

// Insert puts a record in that stands in no table.
func (t *Table[T, P]) Insert(hash uint64, x P) {
	if t.lists == 0 {
		t.parts, t.lists = append(t.parts, make([]*T, first)), first
	}
	if t.count++; uint64(t.count) > t.lists {
		t.split()
	}
	x.link().hash = hash
	t.push(t.list(hash), x)
}

// push puts a record before those of a list.
func (t *Table[T, P]) push(list **T, x P) { x.link().next, *list = *list, x }

// split adds a list, which takes what belongs there from the one that it was one with.
func (t *Table[T, P]) split() {
	n := t.lists
	half := uint64(1) << (bits.Len64(n) - 1)
	if n == half { // a power of two
		t.parts = append(t.parts, make([]*T, half))
	}
	t.lists++
	from := t.at(n - half)
	x := P(*from)
	*from = nil
	var before, after P // the last of each list: the order stays
	for x != nil {
		l := x.link()
		next := P(l.next)
		l.next = nil
		last, list := &before, from
		if l.hash&half != 0 {
			last, list = &after, t.at(n)
		}
		if *last == nil {
			*list = x
		} else {
			(*last).link().next = x
		}
		*last, x = x, next
	}
}

// Remove takes a record out that stands in the table. The table does not get smaller.
func (t *Table[T, P]) Remove(x P) {
	t.count--
	list := t.list(x.link().hash)
	for P(*list) != x {
		list = &P(*list).link().next
	}
	*list, x.link().next = x.link().next, nil
}

// All yields all records, in an order that depends on the hashes. The one that was yielded
// last may be removed, none inserted. It looks at as many lists as there ever were records.
func (t *Table[T, P]) All() iter.Seq[P] {
	return func(yield func(P) bool) {
		for n := range t.lists {
			for x := P(*t.at(n)); x != nil; {
				next := P(x.link().next)
				if !yield(x) {
					return
				}
				x = next
			}
		}
	}
}
