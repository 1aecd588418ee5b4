package evidence

import (
	"cmp"
	"encoding/binary"
	"iter"
	"slices"
	"time"
)

// runs puts rows into the order of their time, and of their lines at the same
// time, in about a third of the memory that the rows would take: sorted runs, each
// as the differences from row to row, which are merged while they are read back.
type runs struct {
	run     []counted // not sorted yet
	sorted  []*cursor
	scratch []byte
}

// runLength is how many rows are sorted at a time, and blockLength how many are
// forgotten at a time when they have been read.
const (
	runLength   = 1 << 16
	blockLength = 1 << 12
)

func (r *runs) add(c counted) {
	if r.run = append(r.run, c); len(r.run) == runLength {
		r.close()
	}
}

// close sorts and packs the run that is open.
func (r *runs) close() {
	slices.SortFunc(r.run, byTime)
	packed := &cursor{unit: unit(r.run)}
	last, b := counted{}, r.scratch[:0]
	for i, c := range r.run {
		c.at /= packed.unit
		b = binary.AppendUvarint(b, uint64(c.at-last.at)) // wraps around, there and back
		b = binary.AppendVarint(b, int64(c.line)-int64(last.line))
		b = binary.AppendUvarint(b, uint64(c.service))
		b = binary.AppendUvarint(b, c.total-c.good)
		b = binary.AppendUvarint(b, c.total)
		last = c
		if (i+1)%blockLength == 0 || i+1 == len(r.run) {
			packed.blocks, b = append(packed.blocks, slices.Clone(b)), b[:0]
		}
	}
	r.run, r.scratch, r.sorted = r.run[:0], b, append(r.sorted, packed)
}

// unit is the largest of second, millisecond and microsecond of which all times are
// multiples, else a nanosecond.
func unit(rows []counted) int64 {
	u := int64(time.Second)
	for _, c := range rows {
		for c.at%u != 0 {
			u /= 1000
		}
	}
	return u
}

func byTime(a, b counted) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.line, b.line)) }

// all yields the rows in order, once. No row can be added any more.
func (r *runs) all() iter.Seq[counted] {
	r.close()
	r.run, r.scratch = nil, nil
	return func(yield func(counted) bool) {
		heap := slices.DeleteFunc(r.sorted, func(c *cursor) bool { return !c.next() }) // the earliest row first
		slices.SortFunc(heap, func(a, b *cursor) int { return byTime(a.row, b.row) })
		for len(heap) > 0 {
			if !yield(heap[0].row) {
				return
			}
			if !heap[0].next() {
				heap[0] = heap[len(heap)-1]
				heap = heap[:len(heap)-1]
			}
			sink(heap)
		}
	}
}

// sink restores the order of a heap of which only the first may be out of place.
func sink(heap []*cursor) {
	for i := 0; ; {
		child := 2*i + 1
		if child+1 < len(heap) && byTime(heap[child+1].row, heap[child].row) < 0 {
			child++
		}
		if child >= len(heap) || byTime(heap[i].row, heap[child].row) <= 0 {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}

// cursor reads a run back, once.
type cursor struct {
	unit   int64
	at     int64 // of the row, in units
	row    counted
	blocks [][]byte
}

// next goes to the next row; false at the end.
func (c *cursor) next() bool {
	if len(c.blocks) == 0 {
		return false
	}
	rest := c.blocks[0]
	number := func() uint64 {
		n, size := binary.Uvarint(rest)
		rest = rest[size:]
		return n
	}
	c.at += int64(number())
	line, size := binary.Varint(rest)
	rest = rest[size:]
	c.row.at = c.at * c.unit
	c.row.line = uint32(int64(c.row.line) + line)
	c.row.service = uint32(number())
	bad := number()
	c.row.total = number()
	c.row.good = c.row.total - bad
	if c.blocks[0] = rest; len(rest) == 0 {
		c.blocks[0] = nil // forgotten
		c.blocks = c.blocks[1:]
	}
	return true
}
