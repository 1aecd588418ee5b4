package forecast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

const (
	// leastValues is how many values an exhaustion is forecast from.
	leastValues = 8
	// dropDeviations is the size of a clean-up in robust standard deviations of steps.
	dropDeviations = 5
	// leastTeeth is the number of drops that make a saw-tooth.
	leastTeeth = 4
	// mostBlocks bounds the values that pairs are made of.
	mostBlocks = 64
)

// growth is a series on its way to a limit, turned so that it rises. Times are days
// since the first value, dates days since the last.
type growth struct {
	falling  bool
	t, y     []float64 // the values that are there
	index    []int     // their steps in the series
	step     time.Duration
	start    time.Time
	now      time.Time // of the last value
	limits   []until
	cleanUps []time.Time
	sawTooth bool
	notes    []string

	parts  []int     // the segment of each value
	wave   []float64 // the season by step modulo its length; nil for none
	blocks []block
	slope  float64 // per day
	level  float64 // of the line at the last value
}

// until is a limit and the date up to which it counts.
type until struct{ value, days float64 }

// block is the middle of some neighbouring values of one segment.
type block struct {
	t, y float64
	part int
}

func newGrowth(s *Series, limit float64, o *ETAOptions) *growth {
	g := &growth{falling: o.Falling, step: s.Step, start: s.Start}
	sign := 1.0
	if o.Falling {
		sign = -1
	}
	before, sum, restarts := 0.0, 0.0, 0
	for i, v := range s.Values {
		if math.IsNaN(v) {
			continue
		}
		if o.Counter {
			switch {
			case len(g.y) == 0:
				sum = v
			case v < before:
				sum += v
				restarts++
			default:
				sum += v - before
			}
			before, v = v, sum
		}
		g.index = append(g.index, i)
		g.t = append(g.t, float64(i)*s.Step.Hours()/24)
		g.y = append(g.y, sign*v)
	}
	if restarts > 0 {
		g.notes = append(g.notes, fmt.Sprintf("the counter began again %d times; its growth was added up", restarts))
	}
	if len(g.y) == 0 {
		return g
	}
	g.now = s.At(g.index[len(g.index)-1])
	g.limits = []until{{sign * limit, math.Inf(1)}}
	for _, l := range o.Later {
		days := l.From.Sub(g.now).Hours() / 24
		if days <= 0 {
			g.limits = g.limits[:0]
		} else {
			g.limits[len(g.limits)-1].days = days
		}
		g.limits = append(g.limits, until{sign * l.Value, math.Inf(1)})
	}
	return g
}

// segment finds the clean-ups, takes the season out, and makes the blocks.
func (g *growth) segment() {
	n := len(g.y)
	steps := make([]float64, n-1)
	for i := range steps {
		steps[i] = g.y[i+1] - g.y[i]
	}
	sorted := slices.Sorted(slices.Values(steps))
	usual := stats.Quantile(sorted, 0.5)
	sd := stats.MADToSigma * stats.MAD(sorted)
	if sd == 0 {
		// Most steps are equal, as of values in whole percent: the least difference that
		// there is counts for a deviation.
		sd = stats.Resolution(sorted)
	}
	var drops []int // the value behind each
	g.parts = make([]int, n)
	for i, d := range steps {
		g.parts[i+1] = g.parts[i]
		if d < 0 && d < usual-dropDeviations*sd && g.shift(i+1, usual) < (d-usual)/3 {
			// A clean-up that goes on for several steps is one.
			if k := len(drops); k > 0 && drops[k-1] == i {
				drops[k-1] = i + 1
			} else {
				drops = append(drops, i+1)
			}
			g.parts[i+1]++
		}
	}
	for _, i := range drops {
		g.cleanUps = append(g.cleanUps, g.start.Add(time.Duration(g.index[i])*g.step))
	}
	if g.teeth(drops) {
		return
	}
	if len(drops) > 0 {
		g.notes = append(g.notes, fmt.Sprintf("clean-ups: %d; growth is measured between them", len(drops)))
	}
	// The same without drops shows the season.
	joined := make([]float64, g.index[n-1]-g.index[0]+1)
	for i := range joined {
		joined[i] = math.NaN()
	}
	shift := 0.0
	for i, v := range g.y {
		if i > 0 && g.parts[i] != g.parts[i-1] {
			shift += g.y[i-1] + usual - v
		}
		joined[g.index[i]-g.index[0]] = v + shift
	}
	joined = bridged(joined)
	if found, err := seasons(joined, g.step); err == nil {
		if d, err := Decompose(joined, cycleOf(found).Period, Additive); err == nil {
			period := cycleOf(found).Period
			g.wave = make([]float64, period)
			for j := range period {
				g.wave[(g.index[0]+j)%period] = d.Season[j]
			}
		}
	}
	size := (n + mostBlocks - 1) / mostBlocks
	for from := 0; from < n; {
		to := from + 1
		for to < n && to-from < size && g.parts[to] == g.parts[from] {
			to++
		}
		b := block{t: stats.Mean(g.t[from:to]), part: g.parts[from]}
		values := make([]float64, to-from)
		for i := range values {
			values[i] = g.flat(from + i)
		}
		b.y = stats.Median(values)
		g.blocks = append(g.blocks, b)
		from = to
	}
}

// shift is how far the middle of the values from i on is above that of the values before
// it, five on each side, less the usual growth from the one to the other. A reading or two
// that are out of line, and the way back from them, leave nothing of it and are no clean-up;
// of a clean-up there is at least a third, whatever the hour of the day does.
func (g *growth) shift(i int, usual float64) float64 {
	const around = 5
	before, behind := g.y[max(i-around, 0):i], g.y[i:min(i+around, len(g.y))]
	return stats.Median(behind) - stats.Median(before) - float64(usual*float64(len(before)+len(behind))/2)
}

// flat is value i less its season.
func (g *growth) flat(i int) float64 {
	if g.wave == nil {
		return g.y[i]
	}
	return g.y[i] - g.wave[g.index[i]%len(g.wave)]
}

// teeth makes blocks of the peaks if the drops are those of a saw-tooth: at least four,
// sizes within a factor of two of their median, distances within a half; and if the next
// drop is not overdue, for whoever stopped cleaning up has a disk that fills.
func (g *growth) teeth(drops []int) bool {
	if len(drops) < leastTeeth {
		return false
	}
	alike := func(x []float64, low, high float64) bool {
		m := stats.Median(x)
		return !slices.ContainsFunc(x, func(v float64) bool { return v < low*m || v > high*m })
	}
	var sizes, distances []float64
	var peaks []block
	from := 0
	for k, d := range drops {
		top := from
		for i := from; i < d; i++ {
			if g.y[i] > g.y[top] {
				top = i
			}
		}
		peaks = append(peaks, block{t: g.t[top], y: g.y[top]})
		sizes = append(sizes, g.y[top]-g.y[d])
		if k > 0 {
			distances = append(distances, g.t[d]-g.t[drops[k-1]])
		}
		from = d
	}
	if !alike(sizes, 0.5, 2) || !alike(distances, 0.5, 1.5) {
		return false
	}
	if age := g.t[len(g.t)-1] - g.t[from]; age > 1.5*stats.Median(distances) {
		g.notes = append(g.notes, fmt.Sprintf("the saw-tooth has ended: no drop for %.1f days", age))
		return false
	}
	g.sawTooth, g.blocks = true, peaks
	g.notes = append(g.notes, fmt.Sprintf("a saw-tooth of %d drops; growth is measured from peak to peak", len(drops)))
	return true
}

// draw fits the line, and draws histories like this one. It returns the slopes and the
// dates of the limit, both in increasing order.
func (g *growth) draw(seed uint64, draws int) (slopes, dates []float64) {
	n := len(g.blocks)
	g.slope = pairSlope(g.blocks)
	last := g.blocks[n-1].part
	// Each segment has a height of its own.
	heights := make([]float64, last+1)
	for part := range heights {
		heights[part] = height(g.blocks, part, g.slope)
	}
	rest := make([]float64, n)
	for i, b := range g.blocks {
		rest[i] = b.y - float64(g.slope*b.t) - heights[b.part]
	}
	w := wanderingOf(g.blocks, rest)
	end, span := g.t[len(g.t)-1], g.t[len(g.t)-1]-g.t[0]
	g.level = heights[last] + float64(g.slope*end)
	// Residuals of few values are too small, and those of neighbours that go together
	// say less than their number.
	wider := math.Sqrt(float64(n) / float64(max(n-2-last, 1)))
	if w.perDay == 0 {
		wider *= math.Sqrt(dependence(rest))
	}
	r := rand.New(rand.NewPCG(seed, 0x657461))
	drawn := slices.Clone(g.blocks)
	for k := range draws {
		for i, b := range g.blocks {
			drawn[i].y = heights[b.part] + float64(g.slope*b.t) + float64(wider*rest[r.IntN(n)])
		}
		slope := pairSlope(drawn)
		level := height(drawn, last, slope) + float64(slope*end)
		if w.perDay > 0 {
			// A walk of variance q a day moves the slope of a line over T days with variance
			// 6/5 q/T, and goes on until the limit.
			slope += r.NormFloat64() * math.Sqrt(1.2*w.perDay/span)
			level = g.level + w.now + float64(r.NormFloat64()*math.Sqrt(w.nowVariance))
			if d := g.date(level, slope, k%2 == 0); d < century {
				level += r.NormFloat64() * math.Sqrt(w.perDay*d)
			}
		}
		slopes = append(slopes, slope)
		dates = append(dates, g.date(level, slope, k%2 == 0))
	}
	slices.Sort(slopes)
	slices.Sort(dates)
	return slopes, dates
}

// height is that of a segment's line at time 0: the line through the medians of its
// times and values.
func height(blocks []block, part int, slope float64) float64 {
	var t, y []float64
	for _, b := range blocks {
		if b.part == part {
			t, y = append(t, b.t), append(y, b.y)
		}
	}
	return stats.Median(y) - float64(slope*stats.Median(t))
}

// wandering is what a line leaves when its height walks at random besides being measured
// with noise (the local level model: Harvey, Forecasting, Structural Time Series Models
// and the Kalman Filter, 1989, section 2.3). The zero value does not walk.
type wandering struct {
	perDay           float64 // variance of the walk in a day
	now, nowVariance float64 // where the walk is
}

// leastWalk is how much more the residuals must differ over several blocks than over one,
// in mean squares, to be a walk: noise has 1, and with 64 blocks seldom 1.6.
const leastWalk = 1.6

func wanderingOf(blocks []block, rest []float64) wandering {
	n := len(rest)
	if n < 2*leastValues {
		return wandering{}
	}
	far := n / leastValues
	squares := func(lag int) float64 {
		total, count := 0.0, 0.0
		for i := lag; i < n; i++ {
			if blocks[i].part == blocks[i-lag].part {
				d := rest[i] - rest[i-lag]
				total += d * d
				count++
			}
		}
		if count < leastValues {
			return 0
		}
		return total / count
	}
	near, distant := squares(1), squares(far)
	if near == 0 || distant < leastWalk*near {
		return wandering{}
	}
	walk := (distant - near) / float64(far-1) // variance in a block
	noise := max(near-walk, 0) / 2
	gain := 1.0
	if noise > 0 {
		s := walk / noise
		gain = (math.Sqrt(s*s+4*s) - s) / 2
	}
	var w wandering
	part := -1
	for i, v := range rest {
		if blocks[i].part != part {
			part, w.now = blocks[i].part, v
		}
		w.now += float64(gain * (v - w.now))
	}
	w.perDay = walk / ((blocks[n-1].t - blocks[0].t) / float64(n-1))
	w.nowVariance = gain * noise
	return w
}

// date is when line, and season if peaks count, first reach a limit; +Inf if not within
// a century.
func (g *growth) date(level, slope float64, peaks bool) float64 {
	if slope <= 0 {
		return math.Inf(1)
	}
	from := 0.0
	for _, l := range g.limits {
		var d float64
		if peaks && g.wave != nil {
			d = g.touch(level, slope, l.value, from)
		} else {
			d = max(from, (l.value-level)/slope)
		}
		if d < l.days {
			if d > century {
				break
			}
			return d
		}
		from = l.days
	}
	return math.Inf(1)
}

// touch is the first date, from a date on, at which line and season are at a limit.
func (g *growth) touch(level, slope, limit, from float64) float64 {
	d := max(from, (limit-level-slices.Max(g.wave))/slope)
	if d > century {
		return d
	}
	// Within a cycle of when the highest point of the season can reach it.
	step := g.step.Hours() / 24
	last, first := g.index[len(g.index)-1], int(math.Ceil(d/step))
	for k := first; k <= first+len(g.wave); k++ {
		at := float64(k) * step
		if level+float64(slope*at)+g.wave[(last+k)%len(g.wave)] >= limit {
			return max(at, from)
		}
	}
	return d
}

// pairSlope is the median slope of all pairs of one segment, 0 if there are none.
func pairSlope(blocks []block) float64 {
	slopes := make([]float64, 0, len(blocks)*(len(blocks)-1)/2)
	for i, a := range blocks {
		for _, b := range blocks[:i] {
			if a.part == b.part && a.t > b.t {
				slopes = append(slopes, (a.y-b.y)/(a.t-b.t))
			}
		}
	}
	if len(slopes) == 0 {
		return 0
	}
	return stats.Median(slopes)
}

// dependence is the factor (1+r)/(1-r) by which the variance of a mean grows when
// neighbours correlate by r (Bayley and Hammersley, Supplement to the JRSS 8(2), 1946),
// r held in 0 to 0.8.
func dependence(rest []float64) float64 {
	if len(rest) < leastValues {
		return 1
	}
	r := min(max(Autocorrelation(rest, 1)[1], 0), 0.8)
	if math.IsNaN(r) {
		return 1
	}
	return (1 + r) / (1 - r)
}
