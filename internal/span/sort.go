package span

import "math/bits"

// Sort orders spans by start, then by end, in place and without allocating. A
// list that is in order already costs one pass over it.
//
// Short lists are sorted by insertion, long ones by the most significant bits
// in which their starts differ, as McIlroy, Bostic and McIlroy describe it
// (Engineering Radix Sort, Computing Systems 6, 1993: "American flag sort").
func Sort(spans []Span) {
	for i := 1; i < len(spans); i++ {
		if less(spans[i], spans[i-1]) {
			radix(spans, byStart)
			return
		}
	}
}

func less(a, b Span) bool {
	return a.Start < b.Start || a.Start == b.Start && a.End < b.End
}

// insertionMax is the longest list for which insertion is faster.
const insertionMax = 32

func insertion(spans []Span) {
	for i := 1; i < len(spans); i++ {
		s, j := spans[i], i
		for ; j > 0 && less(s, spans[j-1]); j-- {
			spans[j] = spans[j-1]
		}
		spans[j] = s
	}
}

// key is the bound by which radix sorts.
type key bool

const (
	byStart key = false
	byEnd   key = true
)

// of returns the bound as an unsigned number of the same order.
func (k key) of(s Span) uint64 {
	bound := s.Start
	if k == byEnd {
		bound = s.End
	}
	return uint64(bound) ^ 1<<63
}

// radix distributes spans over buckets by the eight highest bits in which their
// keys can differ, and sorts every bucket. A bucket is at most a 128th of the
// range of keys, so the depth is bounded whatever the input; spans that share
// their start are sorted by their end.
func radix(spans []Span, k key) {
	if len(spans) <= insertionMax {
		insertion(spans)
		return
	}
	lowest, highest := k.of(spans[0]), k.of(spans[0])
	for _, s := range spans[1:] {
		lowest, highest = min(lowest, k.of(s)), max(highest, k.of(s))
	}
	if lowest == highest {
		if k == byStart {
			radix(spans, byEnd)
		}
		return
	}
	shift := max(0, bits.Len64(highest-lowest)-8)
	digit := func(s Span) uint8 { return uint8((k.of(s) - lowest) >> shift) }

	var next, end [256]int
	for _, s := range spans {
		end[digit(s)]++
	}
	sum := 0
	for d, n := range end {
		next[d] = sum
		sum += n
		end[d] = sum
	}
	for d := range next {
		for next[d] < end[d] {
			s := spans[next[d]]
			for to := digit(s); int(to) != d; to = digit(s) {
				s, spans[next[to]] = spans[next[to]], s
				next[to]++
			}
			spans[next[d]] = s
			next[d]++
		}
	}
	from := 0
	for _, to := range end {
		if to-from > 1 {
			radix(spans[from:to], k)
		}
		from = to
	}
}
