package anomaly

import (
	"math"
	"slices"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

const (
	// maxKnots bounds the memory of a column: of longer ones evenly spaced order
	// statistics are kept, which moves a probability by at most 1/8190.
	maxKnots = 4096
	// maxShape is the heaviest tail allowed, one whose variance is just infinite.
	maxShape = 0.5
	// endingShape is the shortest tail allowed, and only towards a physical limit;
	// elsewhere tails go on.
	endingShape = -0.5
	// beyondSeen bounds the probability in a tail that ends: a value farther out
	// than any of n is at best that much rarer than one in n.
	beyondSeen = 0.1
	// minLogP keeps probabilities within a float64.
	minLogP = -700
	// minShaped is how many excesses it takes to estimate a shape at all.
	minShaped = 30
)

// column is the distribution of one feature, or of a score, as the history shows
// it: order statistics inside, fitted tails outside.
type column struct {
	knots     []float64 // sorted
	n         int       // values seen, at least len(knots)
	median    float64
	spread    float64 // scaled MAD or its floor; positive
	high, low tail
}

// tail holds beyond edge; it is measured outwards.
type tail struct {
	edge    float64
	logBase float64 // ln of the probability of being beyond edge
	excess  stats.GPD
	least   float64 // ln of the smallest probability
}

// logP is ln of the probability of a value that far beyond the edge.
func (t *tail) logP(beyond float64) float64 {
	return max(t.logBase+t.excess.LogSurvival(beyond), t.least)
}

// newColumn fits the distribution of sorted values, at least one, which it may
// retain. f states the limits; it may be nil.
func newColumn(sorted []float64, f *Feature) column {
	if f == nil {
		f = &Feature{}
	}
	n := len(sorted)
	c := column{knots: sorted, n: n, median: stats.Quantile(sorted, 0.5)}
	c.spread = spreadOf(sorted)
	c.high = c.fitTail(sorted, 1, f.Max != nil)
	mirrored := make([]float64, n)
	for i, v := range sorted {
		mirrored[n-1-i] = -v
	}
	c.low = c.fitTail(mirrored, -1, f.Min != nil)
	if n > maxKnots {
		c.knots = make([]float64, maxKnots)
		for i := range c.knots {
			c.knots[i] = sorted[int(math.Round(float64(i)*float64(n-1)/(maxKnots-1)))]
		}
	}
	return c
}

// spreadOf is the scaled median deviation or, if more than half of the values are
// equal, the least one.
func spreadOf(sorted []float64) float64 {
	if s := stats.MADToSigma * stats.MAD(sorted); s > 0 {
		return s
	}
	return leastSpread(sorted)
}

// leastSpread is a floor: a step of the values, a thousandth of the median, or 1.
func leastSpread(sorted []float64) float64 {
	if s := max(stats.Resolution(sorted), 1e-3*math.Abs(stats.Quantile(sorted, 0.5))); s > 0 {
		return s
	}
	return 1
}

// fitTail fits the upper end of sorted values; sign says how to turn the edge
// back, limited whether values cannot go on for ever.
func (c *column) fitTail(sorted []float64, sign float64, limited bool) tail {
	n := len(sorted)
	// The tail starts at the 95th percentile, in long histories at up to the
	// 98th; in very short ones it holds four values nevertheless.
	size := max(n/50, min(50, n/20), min(4, n/2))
	edge := sorted[n-1-size]
	var excesses []float64
	for _, v := range sorted[n-size:] {
		if v > edge {
			excesses = append(excesses, v-edge)
		}
	}
	t := tail{edge: sign * edge, logBase: math.Log(float64(len(excesses)+1) / float64(n+1))}
	t.least = minLogP
	shortest := 0.0
	if limited {
		t.least, shortest = math.Log(beyondSeen/float64(n+1)), endingShape
	}
	switch {
	case len(excesses) == 0:
		t.excess = stats.GPD{Scale: c.spread}
	case len(excesses) < minShaped:
		t.excess = stats.GPD{Scale: stats.Sum(excesses) / float64(len(excesses))}
	default:
		t.excess = stats.FitGPDWithin(excesses, shortest, maxShape)
	}
	if sorted[n/4] == sorted[n-1-n/4] {
		// A flat line with a few spikes: do not read precision into equal spikes.
		t.excess.Scale = max(t.excess.Scale, c.spread)
	}
	return t
}

// logP returns ln of the probability of a value at least as far to the side,
// (count+1)/(n+1) up to the edge and the fitted tail beyond. Both is whichever
// side is less probable, without a correction for having looked twice.
func (c *column) logP(side Side, x float64) float64 {
	switch side {
	case High:
		i, _ := slices.BinarySearch(c.knots, x)
		return c.outside(len(c.knots)-i, x-c.high.edge, &c.high)
	case Low:
		return c.outside(c.countAtMost(x), c.low.edge-x, &c.low)
	default:
		return min(c.logP(High, x), c.logP(Low, x))
	}
}

// logPLeftOut is logP of a value of the history itself, judged as if it were not
// in it; tails are fitted without it. Inside the edges this is count/n, so that
// a fresh value equal to it is never found the odder one.
func (c *column) logPLeftOut(side Side, x float64, tails *column) float64 {
	if side == Both {
		return min(c.logPLeftOut(High, x, tails), c.logPLeftOut(Low, x, tails))
	}
	knots := c.countAtMost(x)
	if side == High {
		i, _ := slices.BinarySearch(c.knots, x)
		knots = len(c.knots) - i
	}
	if side == High && x > c.high.edge || side == Low && x < c.low.edge {
		return tails.logP(side, x)
	}
	return math.Log(float64(knots) / float64(len(c.knots)))
}

// outside is logP of a value with that many knots at least as far out. Beyond
// the edge it stays above the share of values seen there: a tail has no room for
// a limit at which many values pile up.
func (c *column) outside(knots int, beyond float64, t *tail) float64 {
	count := float64(knots) * (float64(c.n) / float64(len(c.knots)))
	if beyond <= 0 {
		return math.Log((count + 1) / float64(c.n+1))
	}
	return max(t.logP(beyond), math.Log(count/float64(c.n+1)))
}

// countAtMost is the number of knots that are x or less, by binary search.
func (c *column) countAtMost(x float64) int {
	i, _ := slices.BinarySearchFunc(c.knots, x, func(knot, x float64) int {
		if knot <= x {
			return -1
		}
		return 1
	})
	return i
}

// percentile is the share below x, equals counting half.
func (c *column) percentile(x float64) float64 {
	below, _ := slices.BinarySearch(c.knots, x)
	return float64(below+c.countAtMost(x)) / float64(2*len(c.knots))
}

// robustZ is the distance from the median in spreads.
func (c *column) robustZ(x float64) float64 { return saturate((x - c.median) / c.spread) }
