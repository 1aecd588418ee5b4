package stream

import (
	"math"
	"time"
	"unsafe"

	"github.com/evenkeelops/evenkeel/anomaly/sketch"
)

const (
	// signals is how many a bank has.
	signals = 7
	// shortLength and longLength are how many samples the two windows hold.
	shortLength, longLength = 10, 50
	// bins is how many parts a day has, half an hour each.
	bins = 48
	// dayEnough is how many days a time of the day is the plain mean of, before the mean moves by
	// that part of every new value.
	dayEnough = 10
	// enough is how many values a signal must have seen before it says anything.
	enough = 200
	// tailFrom is where the fitted tail of a signal begins.
	tailFrom = 0.98
	// mostEvidence bounds what one signal can say: a probability of 1e-50.
	mostEvidence = 50
	// blocks is how many parts the time has over which the best evidence is remembered.
	blocks = 16
	// freshMargin is by how much evidence has to exceed that of the recent past.
	freshMargin = 1
	// stepSamples is how many distances the usual one is the median of.
	stepSamples = 15
)

// BankOptions are the choices of [NewBank]. The zero value is the default. Windows are
// durations; their defaults are multiples of the step.
type BankOptions struct {
	// Step is the usual time between samples. Defaults to the median of the first fifteen
	// distances.
	Step time.Duration
	// Window is the half-life of the rolling median. Defaults to 200 steps: the weight of a
	// window of 288, a day of five-minute steps.
	Window time.Duration
	// Memory is the half-life of what a signal knows of itself. Defaults to 4000 steps, the
	// weight of 6000 values.
	Memory time.Duration
	// Recent is the time over which evidence must be the best by a power of ten to be fresh.
	// Defaults to 150 steps.
	Recent time.Duration
	// Threshold is the evidence, in powers of ten, at which the score is 1. The two signals of
	// which it is the sum often say the same, so independent noise exceeds 5 with one sample in
	// a thousand or so, and 8 with one in ten thousand. Defaults to 5.
	Threshold float64
	// Zone is where days begin, for the time of day. Defaults to UTC.
	Zone *time.Location
}

// Bank is several simple detectors together: where the level is, how it changed, means and
// spreads of two windows, and what is usual at the time of the day. Each signal turns into
// the probability of its deviation among its own past ones; the evidence is that of the two
// strongest together, as a power of ten. A sample is anomalous if the evidence reaches the
// threshold and exceeds the best of the recent past by a power of ten, so that an episode
// is told when it begins and when it becomes worse. Score alone says whether it lasts.
//
// The two windows are the last 10 and 50 samples; after a gap of 50 steps they begin anew.
// The median, what a signal knows of itself and the recent past are bounded in time.
//
// An update takes constant time and no memory from the heap; a bank takes less than 8 KB.
// It is not safe for concurrent use. Make it with [NewBank].
type Bank struct {
	// o are the durations as the caller gave them: what is 0 follows from the step.
	o                      bankTimes
	window, memory, recent int64 // ns; 0 until the step is known
	threshold              float64
	location               *time.Location

	clock
	stepper

	median  float64
	values  *sketch.Sketch
	faded   int64 // up to when weights have faded
	pending uint8 // samples since the tails were fitted

	prev      float64
	hasPrev   bool
	ring      [longLength]float64
	ringNext  uint8
	ringCount uint8

	anchor      float64
	short, long window

	dayMean  [bins]float64
	dayCount [bins]uint8

	tails [signals]tail

	best      [blocks]float64
	bestBlock int64
}

// tail is the distribution of one signal.
type tail struct {
	past *sketch.Sketch
	// n is the weight, edge where the fitted tail begins, scale its mean excess, base the
	// evidence at the edge, half the median.
	n, edge, scale, base, half float64
}

// The tails need few clusters: probabilities above a tenth count for little, and beyond the
// 98th percentile the fitted tail takes over.
var (
	tailOptions   = sketch.Options{Compression: 28, Buffer: refreshEvery, Upper: true}
	medianOptions = sketch.Options{Compression: 28, Buffer: medianEvery}
)

const (
	// refreshEvery is after how many samples tails are fitted, medianEvery after how many
	// the median is moved.
	refreshEvery = 16
	medianEvery  = 8
)

// NewBank returns a bank that has seen nothing. o may be nil. The error is an
// [*OptionError].
func NewBank(o *BankOptions) (*Bank, error) {
	if o == nil {
		o = &BankOptions{}
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"Step", o.Step}, {"Window", o.Window}, {"Memory", o.Memory}, {"Recent", o.Recent}} {
		if d.value < 0 {
			return nil, &OptionError{Option: d.name, Value: d.value, Want: "at least 0"}
		}
	}
	if o.Threshold != 0 && !(o.Threshold > 0 && o.Threshold <= 2*mostEvidence) {
		return nil, &OptionError{Option: "Threshold", Value: o.Threshold, Want: "more than 0, at most 100"}
	}
	b := &Bank{
		o:         bankTimes{step: int64(o.Step), window: int64(o.Window), memory: int64(o.Memory), recent: int64(o.Recent)},
		threshold: o.Threshold, location: o.Zone,
	}
	if b.threshold == 0 {
		b.threshold = 5
	}
	if b.location == nil {
		b.location = time.UTC
	}
	b.values, _ = sketch.New(&medianOptions)
	for i := range b.tails {
		b.tails[i].past, _ = sketch.New(&tailOptions)
	}
	b.setStep(b.o.step)
	return b, nil
}

// bankTimes are durations of the options, in nanoseconds, 0 for the default.
type bankTimes struct{ step, window, memory, recent int64 }

// setStep sets the step, 0 for unknown, and derives what is left to it from it.
func (b *Bank) setStep(step int64) {
	b.step = step
	for _, d := range []struct {
		of    *int64
		given int64
		times int64
	}{{&b.window, b.o.window, 200}, {&b.memory, b.o.memory, 4000}, {&b.recent, b.o.recent, 150}} {
		if *d.of = d.given; *d.of == 0 {
			*d.of = step * d.times
			if *d.of/d.times != step {
				*d.of = math.MaxInt64
			}
		}
	}
}

// Step returns the usual time between samples, 0 until it is known.
func (b *Bank) Step() time.Duration { return time.Duration(b.step) }

// Update judges a sample and learns from it. Its instant is at; NaN and infinities are
// missing values.
func (b *Bank) Update(at time.Time, x float64) Verdict {
	now := nanos(at)
	elapsed, state := b.take(now, x)
	if state != 0 {
		return b.verdict(at, x, state)
	}
	if b.learn(elapsed) {
		b.setStep(b.step)
	}
	if b.step > 0 && elapsed/longLength > b.step {
		b.Pause() // a window that begins before so long a gap says nothing
	}
	var found [signals]Finding
	b.observe(at, x, &found)
	v := b.judge(at, now, x, &found)
	b.remember(now, x)
	return v
}

// Pause says that the next sample does not continue the ones before, as after maintenance
// whose samples were not given to Update. What is usual is kept.
func (b *Bank) Pause() { b.hasPrev, b.ringCount, b.ringNext = false, 0, 0 }

// Size is the number of bytes that the bank takes, without the zone.
func (b *Bank) Size() int {
	size := int(unsafe.Sizeof(*b)) + b.values.Size()
	for i := range b.tails {
		size += b.tails[i].past.Size()
	}
	return size
}

// AppendBinary appends the state: magic, version, kind, numbers, CRC-32C. The options are
// not in it. It never fails.
func (b *Bank) AppendBinary(data []byte) ([]byte, error) { return encode(data, kindBank, b.fields) }

// MarshalBinary returns the state as [Bank.AppendBinary] does.
func (b *Bank) MarshalBinary() ([]byte, error) { return b.AppendBinary(nil) }

// UnmarshalBinary restores a state into a bank that was made with the same options, whatever
// that one has seen; it then goes on byte for byte like the one whose state it was. Other
// options are not noticed: the bank goes on by its own, with what is known from before. That
// is what a threshold or a half-life that was corrected wants; the times of the day of
// another zone take some days to be learnt anew. The error is a [*FormatError] and leaves
// the bank as it was.
func (b *Bank) UnmarshalBinary(data []byte) error {
	restored := *b
	if err := decode(data, kindBank, restored.fields); err != nil {
		return err
	}
	*b = restored
	return nil
}

// fields lists the state.
func (b *Bank) fields(c *coder) {
	b.clock.fields(c)
	b.stepper.fields(c, b.o.step)
	if c.reading {
		b.setStep(b.step)
	}
	c.float(&b.median)
	c.sketch(&b.values)
	c.int64(&b.faded)
	c.byte(&b.pending, refreshEvery-1)
	c.float(&b.prev)
	c.flag(&b.hasPrev)
	c.floats(b.ring[:])
	for _, v := range b.ring {
		c.require(math.Abs(v) <= maxValue, "at most 1e150", "a sample of %v", v)
	}
	c.byte(&b.ringNext, longLength-1)
	c.byte(&b.ringCount, longLength)
	c.float(&b.anchor)
	c.require(math.Abs(b.anchor) <= maxValue, "at most 1e150", "an anchor of %v", b.anchor)
	for _, v := range []*float64{&b.short.sum, &b.short.squares, &b.long.sum, &b.long.squares} {
		sum := *v
		if !c.reading {
			sum = max(-maxSquares, min(sum, maxSquares)) // only a state that was made up grows beyond that
		}
		c.float(&sum)
		c.require(math.Abs(sum) <= maxSquares, "at most 1e303", "a sum of %v", sum)
		*v = sum
	}
	c.floats(b.dayMean[:])
	for i := range b.dayCount {
		c.byte(&b.dayCount[i], dayEnough)
	}
	for i := range b.tails {
		t := &b.tails[i]
		c.sketch(&t.past)
		for _, v := range []*float64{&t.n, &t.edge, &t.scale, &t.base, &t.half} {
			c.float(v)
		}
		c.require(t.n >= 0 && t.n <= most && t.base >= 0 && t.base <= mostEvidence && (t.n == 0 || t.scale > 0),
			"sizes and evidence of at least 0", "a tail of weight %v, evidence %v, scale %v", t.n, t.base, t.scale)
	}
	c.floats(b.best[:])
	for _, e := range b.best {
		c.require(e >= 0 && e <= 2*mostEvidence, "0 to 100", "evidence of %v", e)
	}
	c.int64(&b.bestBlock)
}

// observe computes the signals of a sample; those that there are none of yet stay 0. What
// is observed of a spread is the variance at first.
func (b *Bank) observe(at time.Time, x float64, found *[signals]Finding) {
	if b.values.Weight() == 0 {
		b.median = x
	}
	found[Level-1] = Finding{Signal: Level, Observed: x, Expected: b.median}
	if b.hasPrev {
		found[Change-1] = Finding{Signal: Change, Observed: x, Expected: b.prev}
	}
	b.prev, b.hasPrev = x, true

	b.slide(x)
	if b.ringCount >= shortLength {
		mean, variance := b.short.moments(b.anchor, shortLength)
		found[ShortMean-1] = Finding{Signal: ShortMean, Observed: mean, Expected: b.median}
		found[ShortSpread-1] = Finding{Signal: ShortSpread, Observed: variance}
	}
	if b.ringCount == longLength {
		mean, variance := b.long.moments(b.anchor, longLength)
		found[LongMean-1] = Finding{Signal: LongMean, Observed: mean, Expected: b.median}
		found[LongSpread-1] = Finding{Signal: LongSpread, Observed: variance}
	}

	bin := b.bin(at)
	n := b.dayCount[bin]
	if n > 0 {
		found[TimeOfDay-1] = Finding{Signal: TimeOfDay, Observed: x, Expected: b.dayMean[bin]}
	}
	weight := 1.0 / dayEnough
	if n < dayEnough {
		weight = 1 / float64(n+1)
		b.dayCount[bin]++
	}
	b.dayMean[bin] += (x - b.dayMean[bin]) * weight
}

// bin is the half hour of the day.
func (b *Bank) bin(at time.Time) int {
	if b.location == time.UTC {
		second := at.Unix() % 86400
		if second < 0 {
			second += 86400
		}
		return int(second / 1800)
	}
	h, m, _ := at.In(b.location).Clock()
	return h*2 + m/30
}

// window holds the sums of the distances of its samples from an anchor, and of their
// squares. The anchor is moved to the mean every fifty samples, or the deviation would drown
// in a large mean.
type window struct{ sum, squares float64 }

// replace takes a sample in and, if there is one, the oldest out.
func (w *window) replace(in, out float64, full bool) {
	w.sum += in
	w.squares += in * in
	if full {
		w.sum -= out
		w.squares -= out * out
	}
}

// moments are the mean and the variance of n samples.
func (w *window) moments(anchor, n float64) (mean, variance float64) {
	mean = w.sum / n
	return anchor + mean, max(0, w.squares/n-mean*mean)
}

// slide moves both windows on by a sample.
func (b *Bank) slide(x float64) {
	next := int(b.ringNext)
	if b.ringCount == 0 {
		b.anchor, b.short, b.long = x, window{}, window{}
	}
	d := x - b.anchor
	b.short.replace(d, b.ring[(next+longLength-shortLength)%longLength]-b.anchor, b.ringCount >= shortLength)
	b.long.replace(d, b.ring[next]-b.anchor, b.ringCount == longLength)
	b.ring[next] = x
	if b.ringCount < longLength {
		b.ringCount++
	}
	if b.ringNext++; b.ringNext < longLength {
		return
	}
	b.ringNext = 0
	b.anchor = max(-maxValue, min(b.anchor+b.long.sum/longLength, maxValue))
	b.short, b.long = window{}, window{}
	for i, v := range b.ring {
		b.long.replace(v-b.anchor, 0, false)
		if i >= longLength-shortLength {
			b.short.replace(v-b.anchor, 0, false)
		}
	}
}

// deviation is the number that a signal is judged by.
func (b *Bank) deviation(f *Finding) float64 {
	switch f.Signal {
	case ShortSpread, LongSpread:
		// The floor keeps windows without any change from being infinitely far from others.
		floor := 1e-6*math.Abs(b.median) + 1e-12
		return 0.5 * math.Log(f.Observed+floor*floor)
	default:
		return math.Abs(f.Observed - f.Expected)
	}
}

// judge turns signals into evidence, and lets each signal learn.
func (b *Bank) judge(at time.Time, now int64, x float64, found *[signals]Finding) Verdict {
	v := b.verdict(at, x, Warming)
	// The strongest three, by their evidence where it is in a tail, and where it is not by the
	// negative probability, for three logarithms cost less than seven.
	var strength, evidence [3]float64
	var which [3]int
	judged := 0
	for i := range found {
		f := &found[i]
		if f.Signal == 0 {
			continue
		}
		t := &b.tails[i]
		d := b.deviation(f)
		if d-d != 0 { // only after a state that nobody wrote
			continue
		}
		if t.n >= enough {
			e := t.strength(d)
			if math.IsNaN(e) {
				continue // likewise
			}
			for j := range strength {
				if j >= judged || e > strength[j] {
					copy(strength[j+1:], strength[j:])
					copy(which[j+1:], which[j:])
					strength[j], which[j] = e, i
					break
				}
			}
			judged++
		}
		t.past.Add(d)
	}
	if judged < 2 {
		return v
	}
	for j := range min(judged, len(which)) {
		t := &b.tails[which[j]]
		f := found[which[j]]
		if evidence[j] = strength[j]; evidence[j] > 0 {
			f.P = math.Exp(-math.Ln10 * evidence[j])
		} else {
			f.P = -strength[j]
			evidence[j] = min(t.base, -math.Log10(f.P))
		}
		if f.Signal == ShortSpread || f.Signal == LongSpread {
			f.Observed, f.Expected = math.Sqrt(f.Observed), math.Exp(t.half)
		}
		v.Findings[j] = f
	}
	sum := evidence[0] + evidence[1]
	v.Score = sum / b.threshold
	v.P = min(1, float64(judged)*v.Findings[0].P)
	v.State = Normal
	if v.Fresh = b.fresh(now, sum); v.Fresh && v.Score >= 1 {
		v.State = Anomalous
	}
	return v
}

// unlooked is the probability that is given for a deviation below the median, which is not
// worth looking up: it is between a half and 1.
const unlooked = 0.75

// maxSquares is more than samples up to maxValue can make of the sums of a window.
const maxSquares = 1e303

// strength is the evidence of a deviation beyond the edge, the negative decimal logarithm of
// its probability, and the negative probability of one before it.
func (t *tail) strength(d float64) float64 {
	if d <= t.half {
		return -unlooked
	}
	if d > t.edge {
		return min(mostEvidence, t.base+(d-t.edge)/(t.scale*math.Ln10))
	}
	return -((1-t.past.RankMerged(d))*t.n + 1) / (t.n + 1)
}

// fresh reports whether the evidence exceeds the best of the recent past by the margin,
// and remembers it.
func (b *Bank) fresh(now int64, sum float64) bool {
	block := now / max(1, b.recent/(blocks-1))
	if gone := block - b.bestBlock; gone < 0 || gone >= blocks {
		b.best = [blocks]float64{}
	} else {
		for i := range gone {
			b.best[uint64(b.bestBlock+1+i)%blocks] = 0
		}
	}
	b.bestBlock = block
	most := 0.0
	for _, e := range b.best {
		most = max(most, e)
	}
	at := &b.best[uint64(block)%blocks]
	*at = max(*at, sum)
	return sum > most+freshMargin
}

// remember lets the median and, every few samples, the tails learn.
func (b *Bank) remember(now int64, x float64) {
	b.values.Add(x)
	b.pending++
	young := b.values.Weight() < 64
	if young || b.pending%medianEvery == 0 {
		b.median = b.values.Quantile(0.5)
	}
	if b.pending < refreshEvery {
		return
	}
	b.pending = 0
	elapsed := now - b.faded
	if b.faded == 0 || b.step == 0 {
		elapsed = 0
	}
	b.faded = now
	b.values.Decay(fade(elapsed, b.window))
	keep := fade(elapsed, b.memory)
	for i := range b.tails {
		b.tails[i].fit(keep, b.floor(Signal(i+1)))
	}
}

// fade is the weight that is left after a time. A gap halves weights at most: what was
// usual before is a better guess than nothing.
func fade(elapsed, halfLife int64) float64 {
	if elapsed <= 0 || halfLife <= 0 {
		return 1
	}
	return max(0.5, math.Exp2(-float64(elapsed)/float64(halfLife)))
}

// floor is the least scale of a tail: on a line that is flat but for a few equal spikes
// nothing else keeps a hair's breadth from being infinitely odd.
func (b *Bank) floor(s Signal) float64 {
	if s == ShortSpread || s == LongSpread {
		return 0.01
	}
	return 1e-4*math.Abs(b.median) + 1e-12
}

// fit makes the tail from the values so far, after they have faded.
func (t *tail) fit(keep, floor float64) {
	t.past.Decay(keep)
	t.n = min(most, t.past.Weight())
	if t.n == 0 {
		return
	}
	edge, excess := t.past.Excess(tailFrom)
	t.edge, t.scale = edge, min(max(excess, floor), math.MaxFloat64)
	t.base = -math.Log10(((1-tailFrom)*t.n + 1) / (t.n + 1))
	t.half = t.past.Quantile(0.5)
}
