package iforest

import "math/bits"

// twister is the 32-bit Mersenne twister (Matsumoto, Nishimura, "Mersenne
// Twister", ACM TOMACS 8(1), 1998) with the seeding of 2002, the generator
// behind numpy.random.RandomState.
type twister struct {
	state [624]uint32
	next  int
}

// seed restarts the generator.
func (g *twister) seed(s uint32) {
	g.state[0] = s
	for i := 1; i < len(g.state); i++ {
		s = 1812433253*(s^s>>30) + uint32(i)
		g.state[i] = s
	}
	g.next = len(g.state)
}

// refill makes the next 624 words of the state.
func (g *twister) refill() {
	const (
		n, m   = 624, 397
		matrix = 0x9908b0df
	)
	mix := func(hi, lo uint32) uint32 {
		y := hi&0x80000000 | lo&0x7fffffff
		return y>>1 ^ -(lo&1)&matrix
	}
	s := &g.state
	for i := range n - m {
		s[i] = s[i+m] ^ mix(s[i], s[i+1])
	}
	for i := n - m; i < n-1; i++ {
		s[i] = s[i+m-n] ^ mix(s[i], s[i+1])
	}
	s[n-1] = s[m-1] ^ mix(s[n-1], s[0])
	g.next = 0
}

// word draws 32 bits.
func (g *twister) word() uint32 {
	if g.next >= len(g.state) {
		g.refill()
	}
	y := temper(g.state[g.next])
	g.next++
	return y
}

func temper(y uint32) uint32 {
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// bounded draws from [0, r] by masked rejection, numpy's legacy rule; r = 0
// consumes nothing.
func (g *twister) bounded(r uint32) uint32 {
	if r == 0 {
		return 0
	}
	mask := uint32(1)<<bits.Len32(r) - 1
	for {
		if v := g.word() & mask; v <= r {
			return v
		}
	}
}

// descending fills to[i] with bounded(i) for i = len(to)-1 down to 1, the draws
// of a Fisher-Yates shuffle. The loop has no data-dependent branch: a rejected
// word is overwritten by the next one.
func (g *twister) descending(to []uint32) {
	i := len(to) - 1
	for i > 0 {
		mask := uint32(1)<<bits.Len32(uint32(i)) - 1
		low := int(mask >> 1) // below or at it the next smaller mask applies
		for i > low {
			if g.next >= len(g.state) {
				g.refill()
			}
			words := g.state[g.next:]
			k := 0
			for k < len(words) && i > low {
				v := temper(words[k]) & mask
				k++
				to[i] = v
				// 1 if v <= i, else 0: the sign bit of v-i-1.
				i -= int(uint64(int64(v)-int64(i)-1) >> 63)
			}
			g.next += k
		}
	}
}
