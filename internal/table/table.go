// Package table is a hash table of records, for sets of very many records that are looked up
// by a hash of several fields, which are in the records alone.
//
//	var t table.Table[alert]
//	t.Insert(hash, a)
//	a := t.Find(hash, func(a *alert) bool { return a.name == name })
//
// A record costs 15 to 30 bytes in the table and nothing in itself, and whoever looks for one
// that is not there looks at none: half of each hash stands in the table. It consists of
// segments that are split one by one (extendible hashing; Fagin, Nievergelt, Pippenger and
// Strong, "Extendible hashing: a fast access method for dynamic files", ACM TODS 4/3, 1979), so
// no insertion moves more than the records of one, and growing leaves hardly any garbage.
package table

import "iter"

// Table holds records by hash. The zero value is ready to use. It is not safe for concurrent
// use.
type Table[T any] struct {
	directory []*segment[T] // by the first depth bits of a tag; some stand there several times in a row
	depth     uint
	count     int         // of the records
	spare     *segment[T] // empty, for the next split; nil before the first
}

// segment holds the records whose tags begin with the same depth bits: each in the first place
// that is free, counted from the one that the last bits of its tag say (linear probing).
type segment[T any] struct {
	tags    []tag // 0 where no record is
	records []*T
	depth   uint
	count   int // of the records
}

// tag is what stands of a hash in the table.
type tag uint32

const (
	tagBits  = 32
	smallest = 8    // places of a segment
	largest  = 1024 // of one that can be split
	deepest  = 22   // bits of a tag that choose a segment: the others choose a place
)

// tagOf spreads a hash over the bits of a tag, whatever bits of it differ.
func tagOf(hash uint64) tag {
	const odd = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio (Knuth, TAOCP 3, 6.4)
	return max(tag(hash*odd>>tagBits), 1)
}

// segment returns the one for a tag.
func (t *Table[T]) segment(x tag) *segment[T] { return t.directory[x>>(tagBits-t.depth)] }

// Len returns the number of records.
func (t *Table[T]) Len() int { return t.count }

// Find returns a record with a hash of which is says that it is the one, nil if there is none.
// It is asked about few others.
func (t *Table[T]) Find(hash uint64, is func(*T) bool) *T {
	if t.count == 0 {
		return nil
	}
	x := tagOf(hash)
	s := t.segment(x)
	last := tag(len(s.tags) - 1)
	for n := x & last; s.tags[n] != 0; n = (n + 1) & last {
		if s.tags[n] == x {
			if r := s.records[n]; is(r) {
				return r
			}
		}
	}
	return nil
}

// Insert puts in a record that does not stand in the table.
func (t *Table[T]) Insert(hash uint64, r *T) {
	if t.directory == nil {
		t.directory = []*segment[T]{newSegment[T](smallest, 0)}
	}
	x := tagOf(hash)
	s := t.segment(x)
	for s.full() {
		t.grow(s, x)
		s = t.segment(x)
	}
	s.put(x, r)
	t.count++
}

// Remove takes out a record that stands in the table with that hash. The table does not get
// smaller.
func (t *Table[T]) Remove(hash uint64, r *T) {
	x := tagOf(hash)
	s := t.segment(x)
	last := tag(len(s.tags) - 1)
	hole := x & last
	for s.records[hole] != r {
		hole = (hole + 1) & last
	}
	// What stands behind it up to the next free place moves up if that brings it no further
	// than to where it is looked for first.
	for n := (hole + 1) & last; s.tags[n] != 0; n = (n + 1) & last {
		if want := s.tags[n]; (n-want)&last >= (n-hole)&last {
			s.tags[hole], s.records[hole] = want, s.records[n]
			hole = n
		}
	}
	s.tags[hole], s.records[hole] = 0, nil
	s.count--
	t.count--
}

// All yields all records, in an order that depends on the hashes. Those that were yielded may
// be removed, none inserted. It looks at as much as the table ever held.
func (t *Table[T]) All() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		var list []*T // of a segment: a removal moves the records in it
		for n := 0; n < len(t.directory); {
			s := t.directory[n]
			n += 1 << (t.depth - s.depth)
			list = list[:0]
			for _, r := range s.records {
				if r != nil {
					list = append(list, r)
				}
			}
			for _, r := range list {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// newSegment makes an empty one.
func newSegment[T any](size int, depth uint) *segment[T] {
	return &segment[T]{tags: make([]tag, size), records: make([]*T, size), depth: depth}
}

// full reports whether there is no room for a record: three of sixteen places stay free, so
// that a search ends soon, within the tags of one line of the processor's cache for most.
func (s *segment[T]) full() bool { return 16*(s.count+1) > 13*len(s.tags) }

// put puts a record into a segment that has room.
func (s *segment[T]) put(x tag, r *T) {
	last := tag(len(s.tags) - 1)
	n := x & last
	for s.tags[n] != 0 {
		n = (n + 1) & last
	}
	s.tags[n], s.records[n] = x, r
	s.count++
}

// grow makes room in the segment of a tag. One that cannot be split gets twice as large, as
// does one of which all records would stay together.
func (t *Table[T]) grow(s *segment[T], x tag) {
	tags, records := s.tags, s.records
	next := tag(1) << (tagBits - 1) >> s.depth // the bit that splits it
	ones := 0
	for _, y := range tags {
		if y&next != 0 {
			ones++
		}
	}
	if len(tags) != largest || s.depth == deepest || ones == 0 || ones == s.count {
		s.tags, s.records, s.count = make([]tag, 2*len(tags)), make([]*T, 2*len(tags)), 0
		for n, y := range tags {
			if y != 0 {
				s.put(y, records[n])
			}
		}
		return
	}
	if s.depth == t.depth {
		twice := make([]*segment[T], 2*len(t.directory))
		for n, s := range t.directory {
			twice[2*n], twice[2*n+1] = s, s
		}
		t.directory = twice
		t.depth++
	}
	s.depth++
	zero, one := t.spare, newSegment[T](largest, s.depth)
	if zero == nil {
		zero = newSegment[T](largest, 0)
	}
	for n, y := range tags {
		switch {
		case y == 0:
		case y&next == 0:
			zero.put(y, records[n])
		default:
			one.put(y, records[n])
		}
	}
	s.tags, s.records, s.count = zero.tags, zero.records, zero.count
	clear(tags)
	clear(records)
	zero.tags, zero.records, zero.count = tags, records, 0
	t.spare = zero
	half := 1 << (t.depth - s.depth) // places of each in the directory
	first := int(x>>(tagBits-t.depth)) &^ (2*half - 1)
	for n := range half {
		t.directory[first+half+n] = one
	}
}
