package slo

import "math"

// ring keeps the events of the samples that a window still needs, each as one
// word where the sample came at the usual distance and its counts are small, so
// that a cache line holds eight samples. The first word of a sample is
//
//	dated | large | 30 bits of bad | 32 bits of total
//
// If it is dated the instant follows in a word of its own; otherwise the sample
// is as far from the one before it as that from its predecessor. If it is large
// bad and total follow, in a word each. Words are numbered from 0; the number
// finds the place without a division.
type ring struct {
	words []uint64 // length is a power of two
	tail  uint64   // number of the word after the newest sample
	at    int64    // instant of the newest sample, nanoseconds since 1970
	step  int64    // its distance from the one before; wraps, and back
}

const (
	dated     = 1 << 63
	large     = 1 << 62
	badBits   = 30
	totalBits = 32
	end       = dated // behind the newest sample
	mostWords = 5     // of a sample, and the end
)

// newRing makes room for so many samples. It begins after an instant.
func newRing(samples int, at int64) ring {
	size := 64
	for size < samples+mostWords {
		size *= 2
	}
	return ring{words: make([]uint64, size), at: at}
}

func (r *ring) word(n uint64) uint64 { return r.words[n&uint64(len(r.words)-1)] }

// push adds events at an instant later than the newest. Words before number
// oldest may be overwritten; when none is, the ring doubles.
func (r *ring) push(at int64, events sums, oldest uint64) {
	if r.tail-oldest+mostWords >= uint64(len(r.words)) {
		r.grow(oldest)
	}
	isDated := at != r.at+r.step
	r.at, r.step = at, at-r.at
	word := events.bad<<totalBits | events.total
	isLarge := events.bad>>badBits != 0 || events.total>>totalBits != 0
	switch {
	case isDated && isLarge:
		r.append(dated|large, uint64(at), events.bad, events.total)
	case isDated:
		r.append(dated|word, uint64(at))
	case isLarge:
		r.append(large, events.bad, events.total)
	default:
		r.append(word)
	}
}

// append writes the words of a sample. An end behind them stops those who look
// ahead.
func (r *ring) append(words ...uint64) {
	for _, w := range words {
		r.words[r.tail&uint64(len(r.words)-1)] = w
		r.tail++
	}
	r.words[r.tail&uint64(len(r.words)-1)] = end
}

func (r *ring) grow(oldest uint64) {
	larger := ring{words: make([]uint64, 2*len(r.words)), tail: oldest}
	for larger.tail < r.tail {
		larger.append(r.word(larger.tail))
	}
	r.words = larger.words
}

// slot is a window ending at the instant of evaluation, kept current: it stands
// before the first sample in the window and knows the events of all before. It
// fills one cache line: with many trackers in turn, the lines touched are what a
// sample costs.
type slot struct {
	length int64
	left   sums   // of the samples that have left; wraps, as only differences count
	pos    uint64 // number of the first word of the first sample
	word   uint64 // that word, end while it is unread
	due    int64  // when the first sample leaves, unread while there is none
	step   int64  // its distance from the sample before
	before int64  // instant of the sample before, kept while the next is unread
}

// unread is when a sample leaves that is not there yet: before all others, so
// that whoever waits for it looks again.
const unread = math.MinInt64

// newSlot stands before everything that a ring will hold that begins after an
// instant.
func newSlot(length, at int64) slot {
	return slot{length: length, word: end, due: unread, before: at}
}

// slide lets everything leave that is too old for windows that end at now. A
// window that nothing leaves does not touch the words.
func (r *ring) slide(slots []slot, now int64) {
	behind := false
	words := r.words
	for i := range slots {
		s := &slots[i]
		if s.due > now {
			continue
		}
		// What pass does, for the usual case of one plain word after another. The
		// word that is read now is needed when the next sample leaves, so that
		// nothing waits for memory. There is no call in this loop, which would keep
		// everything out of the registers.
		next := s.pos + 1
		word := words[next&uint64(len(words)-1)]
		if s.word|word >= large {
			behind = true
			continue
		}
		s.left.bad += s.word >> totalBits
		s.left.total += s.word & (1<<totalBits - 1)
		s.pos, s.word, s.due = next, word, s.due+s.step
		if s.due <= now {
			behind = true
		}
	}
	if behind {
		for i := range slots {
			slots[i].slide(r, now)
		}
	}
}

// slide lets everything leave that is too old at now.
func (s *slot) slide(r *ring, now int64) {
	for s.due <= now && s.next(r) && s.due <= now {
		left := s.pass(r)
		s.left.add(left)
	}
}

// since returns the events that had left a window shorter than the slot, which
// begins after an instant.
func (r *ring) since(start int64, longer slot) (left sums) {
	longer.slide(r, start+longer.length)
	return longer.left
}

// first returns the instant of the first sample, and last that of the one before.
func (s *slot) first() int64 { return s.due - s.length }

func (s *slot) last() int64 {
	if s.due == unread {
		return s.before
	}
	return s.first() - s.step
}

// next reports whether there is a sample to pass.
func (s *slot) next(r *ring) bool {
	if s.due == unread {
		s.look(r, s.before)
	}
	return s.due != unread
}

// pass returns the events of the first sample and goes on behind it.
func (s *slot) pass(r *ring) sums {
	n := s.pos + 1
	if s.word&dated != 0 {
		n++
	}
	events := sums{s.word >> totalBits & (1<<badBits - 1), s.word & (1<<totalBits - 1)}
	if s.word&large != 0 {
		events = sums{r.word(n), r.word(n + 1)}
		n += 2
	}
	s.pos = n
	s.look(r, s.first())
	return events
}

// look reads the sample at pos, which comes after one at the instant before.
func (s *slot) look(r *ring, before int64) {
	if s.pos == r.tail {
		s.before, s.due, s.word = before, unread, end
		return
	}
	s.word = r.word(s.pos)
	if s.word&dated != 0 {
		s.step = int64(r.word(s.pos+1)) - before
	}
	s.due = before + s.step + s.length
}
