package iforest

import "math/bits"

// sampler draws the features and the rows of each tree, and the seed of its
// splitter. Two generators implement it; see [Draws].
type sampler interface {
	// tree prepares tree number t and returns the seed of its splitter.
	tree(t int) uint32
	// pick appends k of 0..n-1 to dst in drawn order, without repetition.
	pick(dst []uint32, n, k int) []uint32
	// repeat appends k independent draws of 0..n-1 to dst.
	repeat(dst []uint32, n, k int) []uint32
}

// legacySampler repeats the draws of scikit-learn 1.2.1 on numpy's RandomState.
type legacySampler struct {
	seeds []uint32 // of all trees, shared
	g     twister
	order []uint32 // scratch of pick
	draws []uint32 // scratch of pick
	seen  bitset   // scratch of pick
}

// legacySeeds are the seeds of all trees, which come from one generator; nil where no
// tree wants one.
func legacySeeds(o *Options, trees int) []uint32 {
	if o.Draws != LegacyDraws {
		return nil
	}
	var g twister
	g.seed(o.Seed)
	seeds := make([]uint32, trees)
	for t := range seeds {
		seeds[t] = g.bounded(maxSeed)
	}
	return seeds
}

// maxSeed is numpy's randint(iinfo(int32).max) bound, inclusive.
const maxSeed = 1<<31 - 2

// tree begins tree t and returns the seed of its cuts.
func (s *legacySampler) tree(t int) uint32 {
	// The estimator's own random_state seeds a generator whose first draw seeds
	// the splitter; the bagging step starts again from the tree's seed.
	s.g.seed(s.seeds[t])
	estimator := s.g.bounded(maxSeed)
	s.g.seed(estimator)
	splitter := s.g.bounded(maxSeed)
	s.g.seed(s.seeds[t])
	return splitter
}

// pick follows sklearn.utils.random.sample_without_replacement, which chooses
// among three algorithms by the ratio k/n.
func (s *legacySampler) pick(dst []uint32, n, k int) []uint32 {
	ratio := float64(k) / float64(n)
	switch {
	case k == n:
		return appendRange(dst, n)
	case ratio > 0.01 && ratio < 0.99:
		s.order = appendRange(s.order[:0], n)
		if cap(s.draws) < n {
			s.draws = make([]uint32, n)
		}
		s.draws = s.draws[:n]
		s.g.descending(s.draws)
		order, draws := s.order, s.draws[:len(s.order)]
		for i := n - 1; i > 0; i-- {
			j := draws[i]
			order[i], order[j] = order[j], order[i]
		}
		return append(dst, order[:k]...)
	case ratio < 0.2:
		s.seen.reset(n)
		for range k {
			j := s.g.bounded(uint32(n - 1))
			for !s.seen.add(j) {
				j = s.g.bounded(uint32(n - 1))
			}
			dst = append(dst, j)
		}
		return dst
	default:
		start := len(dst)
		dst = appendRange(dst, k)
		reservoir := dst[start:]
		for i := k; i < n; i++ {
			if j := s.g.bounded(uint32(i)); int(j) < k {
				reservoir[j] = uint32(i)
			}
		}
		return dst
	}
}

// repeat adds k draws of 0 to n-1 with replacement.
func (s *legacySampler) repeat(dst []uint32, n, k int) []uint32 {
	for range k {
		dst = append(dst, s.g.bounded(uint32(n-1)))
	}
	return dst
}

// fastSampler draws from splitmix64 (Steele, Lea, Flood, OOPSLA 2014), one
// stream per tree, and touches only the rows it takes.
type fastSampler struct {
	base  uint64
	state uint64
	order []uint32
	seen  bitset
}

const golden = 0x9e3779b97f4a7c15

func newFastSampler(seed uint32) *fastSampler {
	return &fastSampler{base: mix64(uint64(seed) + golden)}
}

func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// tree begins tree t and returns the seed of its cuts.
func (s *fastSampler) tree(t int) uint32 {
	s.state = mix64(s.base + uint64(t)*golden)
	return uint32(s.word() >> 32)
}

// word is the next number of the generator.
func (s *fastSampler) word() uint64 {
	s.state += golden
	return mix64(s.state)
}

// below draws from [0, n) without bias (Lemire, "Fast Random Integer Generation
// in an Interval", ACM TOMACS 29(1), 2019).
func (s *fastSampler) below(n uint32) uint32 {
	p := (s.word() >> 32) * uint64(n)
	if uint32(p) < n {
		for floor := -n % n; uint32(p) < floor; {
			p = (s.word() >> 32) * uint64(n)
		}
	}
	return uint32(p >> 32)
}

// pick adds k different draws of 0 to n-1.
func (s *fastSampler) pick(dst []uint32, n, k int) []uint32 {
	switch {
	case k == n:
		return appendRange(dst, n)
	case 2*k <= n: // fewer than one repeat in two draws
		s.seen.reset(n)
		for range k {
			j := s.below(uint32(n))
			for !s.seen.add(j) {
				j = s.below(uint32(n))
			}
			dst = append(dst, j)
		}
		return dst
	default:
		s.order = appendRange(s.order[:0], n)
		for i := range k {
			j := i + int(s.below(uint32(n-i)))
			s.order[i], s.order[j] = s.order[j], s.order[i]
		}
		return append(dst, s.order[:k]...)
	}
}

// repeat adds k draws of 0 to n-1 with replacement.
func (s *fastSampler) repeat(dst []uint32, n, k int) []uint32 {
	for range k {
		dst = append(dst, s.below(uint32(n)))
	}
	return dst
}

func appendRange(dst []uint32, n int) []uint32 {
	for i := range n {
		dst = append(dst, uint32(i))
	}
	return dst
}

// bitset is a set of small integers.
type bitset []uint64

// reset empties the set and makes room for 0..n-1.
func (b *bitset) reset(n int) {
	words := (n + 63) / 64
	if cap(*b) < words {
		*b = make(bitset, words)
		return
	}
	*b = (*b)[:words]
	clear(*b)
}

// add puts i in and reports whether it was new.
func (b bitset) add(i uint32) bool {
	word, bit := i/64, uint64(1)<<(i%64)
	if b[word]&bit != 0 {
		return false
	}
	b[word] |= bit
	return true
}

// has reports whether i is in.
func (b bitset) has(i uint32) bool { return b[i/64]>>(i%64)&1 != 0 }

// ascending appends the members to dst in increasing order.
func (b bitset) ascending(dst []uint32) []uint32 {
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			dst = append(dst, uint32(64*w+bits.TrailingZeros64(word)))
		}
	}
	return dst
}
