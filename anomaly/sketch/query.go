package sketch

import (
	"math"
	"sort"
)

// Quantile returns the value below which the share q of the weight lies, q from 0
// to 1; values outside are taken for 0 and 1. It is NaN if the sketch is empty or q is
// NaN. It never falls as q rises and lies between the smallest and the greatest value.
//
// The middle of each cluster is at its mean and between them the line is straight.
// As long as every value has a cluster of its own this is the fifth definition of
// Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996.
func (s *Sketch) Quantile(q float64) float64 {
	s.merge()
	n := len(s.clusters)
	if n == 0 || math.IsNaN(q) {
		return math.NaN()
	}
	at := q * s.merged()
	switch {
	case q <= 0:
		return s.min
	case q >= 1:
		return s.max
	}
	// The first cluster whose middle is at or beyond.
	i := sort.Search(n, func(i int) bool { return s.middle(i) >= at })
	left, right := s.point(i-1), s.point(i)
	if right.upTo <= left.upTo {
		return right.mean
	}
	share := (at - left.upTo) / (right.upTo - left.upTo)
	// In this form rounding cannot make it fall; the halves are for the widest of widths.
	v := left.mean + (right.mean-left.mean)*share
	if v-v != 0 {
		v = 2 * (left.mean/2 + (right.mean/2-left.mean/2)*share)
	}
	return min(max(v, left.mean), right.mean)
}

// Rank returns the share of the weight below x, values equal to x counting half. It
// is NaN if the sketch is empty or x is NaN, and never falls as x rises. Next to a gap
// or a value that occurs very often it is off by up to one and a half clusters of
// pi / compression each.
func (s *Sketch) Rank(x float64) float64 {
	below, upTo := s.ranks(x)
	return (below + upTo) / 2
}

// RankMerged is [Sketch.Rank] among the values that are merged already. It does not see the
// last ones, a buffer full at most, and is what a stream asks with every value: it changes
// nothing and costs no merge. Any other question merges.
func (s *Sketch) RankMerged(x float64) float64 {
	below, upTo := s.ranksMerged(x)
	return (below + upTo) / 2
}

// ranks returns the shares below x and up to it. They differ where values equal x.
func (s *Sketch) ranks(x float64) (below, upTo float64) {
	s.merge()
	return s.ranksMerged(x)
}

// ranksMerged is ranks without what is in the buffer.
func (s *Sketch) ranksMerged(x float64) (below, upTo float64) {
	n := len(s.clusters)
	switch {
	case n == 0 || math.IsNaN(x):
		return math.NaN(), math.NaN()
	case x < s.min:
		return 0, 0
	case x > s.max:
		return 1, 1
	}
	i := s.search(x)
	if i < n && s.clusters[i].mean == x {
		last := i
		for last+1 < n && s.clusters[last+1].mean == x {
			last++
		}
		return s.before(i) / s.merged(), s.clusters[last].upTo / s.merged()
	}
	left, right := s.point(i-1), s.point(i)
	share := 0.5 // x lies where a single point is
	if width := right.mean - left.mean; width > 0 {
		share = (x - left.mean) / width
		if math.IsInf(width, 1) {
			share = (x/2 - left.mean/2) / (right.mean/2 - left.mean/2)
		}
	}
	at := min(1, (left.upTo+(right.upTo-left.upTo)*share)/s.merged())
	return at, at
}

// Excess returns the quantile q and how far beyond it, on average, the values above
// lie: what an exponential tail is fitted by. Both are NaN if the sketch is empty.
func (s *Sketch) Excess(q float64) (edge, mean float64) {
	edge = s.Quantile(q)
	if math.IsNaN(edge) {
		return edge, edge
	}
	var sum, weight float64
	for i := s.search(edge); i < len(s.clusters); i++ {
		c := s.clusters[i]
		if c.mean > edge {
			w := c.upTo - s.before(i)
			sum += (c.mean - edge) * w
			weight += w
		}
	}
	if weight == 0 {
		return edge, 0
	}
	return edge, sum / weight
}

// MAD returns the median of the distances from the median, unscaled; NaN if the sketch
// is empty. It costs some fifty ranks.
func (s *Sketch) MAD() float64 {
	median := s.Quantile(0.5)
	if math.IsNaN(median) {
		return median
	}
	// The share within a distance never falls as the distance grows.
	lo, hi := 0.0, max(s.max-median, median-s.min)
	within := func(d float64) bool {
		_, upTo := s.ranks(median + d)
		below, _ := s.ranks(median - d)
		return upTo-below >= 0.5
	}
	if within(lo) || hi == 0 || math.IsInf(hi, 1) {
		return lo
	}
	for range 50 {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			break
		}
		if within(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// search returns the first cluster whose mean is at least x.
func (s *Sketch) search(x float64) int {
	lo, hi := 0, len(s.clusters)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); s.clusters[mid].mean < x {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// before is the weight before a cluster.
func (s *Sketch) before(i int) float64 {
	if i == 0 {
		return 0
	}
	return s.clusters[i-1].upTo
}

// middle is the weight up to the middle of a cluster.
func (s *Sketch) middle(i int) float64 { return (s.before(i) + s.clusters[i].upTo) / 2 }

// point is a mean and the weight up to it; -1 and the number of clusters stand for
// the extremes.
func (s *Sketch) point(i int) cluster {
	switch {
	case i < 0:
		return cluster{s.min, 0}
	case i >= len(s.clusters):
		return cluster{s.max, s.merged()}
	}
	return cluster{s.clusters[i].mean, s.middle(i)}
}
