package sketch

import (
	"fmt"
	"math"
	"slices"
	"unsafe"
)

const (
	// defaultCompression keeps rank errors of a hundred thousand values below a thousandth, also
	// after merges.
	defaultCompression = 300
	minCompression     = 10
	maxCompression     = 2000
	maxBuffer          = 1 << 14
	// onStack is how many clusters are merged without memory from the heap.
	onStack = 384
)

// Options are the choices of [New]. The zero value is the default.
type Options struct {
	// Compression bounds the number of clusters, from 10 to 2000; the error falls with
	// its square, the memory grows with it. Defaults to 300.
	Compression int
	// Buffer is how many values are collected before they are merged, from 1 to 16384.
	// More are faster and take 8 bytes each. Defaults to twice the compression.
	Buffer int
	// Upper makes clusters small towards the greatest values alone, for distributions of which
	// only high values are asked about. Forty clusters then tell the share above a value to
	// within a quarter of itself down to half a percent; low quantiles are coarse.
	Upper bool
}

// OptionError reports an option outside its range.
type OptionError struct {
	// Option names the field, Value is what it held, Want what is accepted.
	Option string
	Value  any
	Want   string
}

// Error says what was found and what is wanted.
func (e *OptionError) Error() string {
	return fmt.Sprintf("sketch: option %s is %v, want %s", e.Option, e.Value, e.Want)
}

// Sketch is the distribution of the values added so far. The zero value is empty,
// has the default options and is ready for use.
type Sketch struct {
	// clusters are in order of their means, which never fall.
	clusters []cluster
	// buffer holds values not merged yet, in the order of their arrival.
	buffer []float64
	// min and max are those of clusters; both mean nothing while there are none.
	min, max float64
	// shape is what follows from the options.
	shape shape
}

// cluster stands for values around mean.
type cluster struct {
	mean float64
	// upTo is the weight of this cluster and of all before.
	upTo float64
}

// shape is the size of a sketch and the scale function that goes with it.
type shape struct {
	compression, buffer int32
	// sin and cos are those of the arc that a cluster may span. With upper, cos is the part of
	// what is above that a cluster leaves.
	sin, cos float64
	upper    bool
}

// New returns an empty sketch. o may be nil. The error is an [*OptionError].
func New(o *Options) (*Sketch, error) {
	if o == nil {
		o = &Options{}
	}
	switch {
	case o.Compression != 0 && (o.Compression < minCompression || o.Compression > maxCompression):
		return nil, &OptionError{Option: "Compression", Value: o.Compression, Want: "10 to 2000"}
	case o.Buffer < 0 || o.Buffer > maxBuffer:
		return nil, &OptionError{Option: "Buffer", Value: o.Buffer, Want: "1 to 16384"}
	}
	return &Sketch{shape: newShape(o.Compression, o.Buffer, o.Upper)}, nil
}

// upperEnd is the share at the top within which clusters of an upper sketch shrink no more.
const upperEnd = 1e-3

// newShape computes what merging needs; 0 stands for a default.
func newShape(compression, buffer int, upper bool) shape {
	if compression == 0 {
		compression = defaultCompression
	}
	if buffer == 0 {
		buffer = 2 * compression
	}
	s := shape{compression: int32(compression), buffer: int32(buffer), upper: upper}
	if !upper {
		s.sin, s.cos = math.Sincos(2 * math.Pi / float64(compression))
		return s
	}
	// Each of two neighbours together is more than one step, so compression / 2 steps have to
	// do: ln(1/upperEnd) / -ln(1-d) of them down to upperEnd and 1/d from there.
	lo, hi := 0.0, 1.0
	for range 60 {
		if d := (lo + hi) / 2; math.Log(upperEnd)/math.Log1p(-d)+1/d > float64(compression)/2 {
			lo = d
		} else {
			hi = d
		}
	}
	s.cos = 1 - hi
	return s
}

// Options returns the options, defaults filled in.
func (s *Sketch) Options() Options {
	shape := s.shape
	if shape.compression == 0 {
		shape = newShape(0, 0, false)
	}
	return Options{Compression: int(shape.compression), Buffer: int(shape.buffer), Upper: shape.upper}
}

// Add adds a value. It reports whether it did: NaN and infinities are left out.
// It costs a few dozen nanoseconds on average; one call in as many as the buffer
// holds merges it.
func (s *Sketch) Add(v float64) bool {
	if v-v != 0 { // not finite
		return false
	}
	if len(s.buffer) >= int(s.shape.buffer) {
		s.merge()
	}
	if len(s.buffer) == cap(s.buffer) {
		s.buffer = grow(s.buffer, int(s.shape.buffer))
	}
	s.buffer = append(s.buffer, v)
	return true
}

// Weight is the number of values, or what decay left of it.
func (s *Sketch) Weight() float64 { return s.merged() + float64(len(s.buffer)) }

// merged is the weight in the clusters.
func (s *Sketch) merged() float64 {
	if len(s.clusters) == 0 {
		return 0
	}
	return s.clusters[len(s.clusters)-1].upTo
}

// Min returns the smallest value, NaN if there is none.
func (s *Sketch) Min() float64 { return s.Quantile(0) }

// Max returns the greatest value, NaN if there is none.
func (s *Sketch) Max() float64 { return s.Quantile(1) }

// Reset forgets all values and keeps options and memory.
func (s *Sketch) Reset() { s.clusters, s.buffer = s.clusters[:0], s.buffer[:0] }

// Clone returns an independent copy.
func (s *Sketch) Clone() *Sketch {
	c := *s
	c.clusters, c.buffer = slices.Clone(s.clusters), slices.Clone(s.buffer)
	return &c
}

// Merge adds what other holds and leaves other as it is. Each of both may have
// options of its own; those of s stay.
func (s *Sketch) Merge(other *Sketch) {
	if len(other.clusters) > 0 {
		s.merge()
		both := make([]cluster, 0, len(s.clusters)+len(other.clusters))
		lo, hi := other.min, other.max
		if len(s.clusters) > 0 {
			lo, hi = min(lo, s.min), max(hi, s.max)
		}
		a, b := s.clusters, other.clusters
		var atA, atB float64 // weights taken so far
		for len(a) > 0 || len(b) > 0 {
			if len(b) == 0 || len(a) > 0 && a[0].mean <= b[0].mean {
				atA = a[0].upTo
				both, a = append(both, cluster{a[0].mean, atA + atB}), a[1:]
			} else {
				atB = b[0].upTo
				both, b = append(both, cluster{b[0].mean, atA + atB}), b[1:]
			}
		}
		s.compress(both, nil)
		s.min, s.max = lo, hi
	}
	for _, v := range slices.Clone(other.buffer) { // other may be s
		s.Add(v)
	}
}

// Decay multiplies the weight of everything by a factor of more than 0 and at most 1;
// at or below 0, or if NaN, it forgets everything. The extremes fade towards the rest,
// so that a spike is not the maximum for ever.
func (s *Sketch) Decay(factor float64) {
	s.merge()
	if factor >= 1 || len(s.clusters) == 0 {
		return
	}
	if !(s.merged()*factor > minWeight) {
		s.Reset()
		return
	}
	for i := range s.clusters {
		s.clusters[i].upTo *= factor
	}
	first, last := s.clusters[0].mean, s.clusters[len(s.clusters)-1].mean
	s.min = min(first, first*(1-factor)+s.min*factor)
	s.max = max(last, last*(1-factor)+s.max*factor)
}

// minWeight is what is left when nothing is: a billionth of one value.
const minWeight = 1e-9

// Size is the number of bytes that the sketch takes now. With the same options it
// is bounded, whatever is added.
func (s *Sketch) Size() int {
	return int(unsafe.Sizeof(*s)) + cap(s.clusters)*int(unsafe.Sizeof(cluster{})) + cap(s.buffer)*8
}

// merge moves the buffer into the clusters.
func (s *Sketch) merge() {
	if s.shape.compression == 0 { // the zero value
		s.shape = newShape(0, 0, false)
	}
	n := len(s.buffer)
	if n == 0 {
		return
	}
	slices.Sort(s.buffer)
	if len(s.clusters) == 0 {
		s.min, s.max = s.buffer[0], s.buffer[n-1]
	} else {
		s.min, s.max = min(s.min, s.buffer[0]), max(s.max, s.buffer[n-1])
	}
	if len(s.clusters) <= onStack/8 {
		s.mergeFew()
	} else {
		var stack [onStack]cluster
		s.compress(append(stack[:0], s.clusters...), s.buffer)
	}
	s.buffer = s.buffer[:0]
}

// mergeFew is for sketches so small that clearing room for many would cost more than
// the merge.
func (s *Sketch) mergeFew() {
	var stack [onStack / 8]cluster
	s.compress(append(stack[:0], s.clusters...), s.buffer)
}

// compress makes new clusters of old ones and of sorted values that weigh 1 each. A
// cluster may span 2 pi / compression of k1(q) = asin(2q-1), which needs no arc sine:
// with a = k1(q), sin(a+d) = sin(a) cos(d) + cos(a) sin(d) and cos(a) = 2 sqrt(q(1-q)).
func (s *Sketch) compress(old []cluster, values []float64) {
	total := float64(len(values))
	if len(old) > 0 {
		total += old[len(old)-1].upTo
	}
	out := s.clusters[:0]
	var (
		done   float64 // weight before the cluster being made
		taken  float64 // weight up to here
		before float64 // weight of the old clusters taken
		sum    float64 // of the distances from the first mean, weighed
		limit  float64 // of taken
		lo, hi float64 // first and last mean
		i, j   int
	)
	for i < len(old) || j < len(values) {
		var mean, weight float64
		if j == len(values) || i < len(old) && old[i].mean <= values[j] {
			mean, weight = old[i].mean, old[i].upTo-before
			before = old[i].upTo
			i++
		} else {
			mean, weight = values[j], 1
			j++
		}
		if taken+weight > limit || taken == done {
			if taken > done {
				if len(out) == cap(out) {
					out = grow(out, int(s.shape.compression)+2)
				}
				out = append(out, cluster{centre(lo, hi, sum, taken-done), taken})
			}
			done, sum, lo = taken, 0, mean
			limit = total * s.shape.reach(done/total)
		}
		taken += weight
		sum += (mean - lo) * weight
		hi = mean
	}
	if taken > done {
		if len(out) == cap(out) {
			out = grow(out, int(s.shape.compression)+2)
		}
		out = append(out, cluster{centre(lo, hi, sum, taken-done), taken})
	}
	s.clusters = out
}

// grow doubles the room of a slice, up to a bound that it will not exceed.
func grow[T any](s []T, bound int) []T {
	grown := make([]T, len(s), min(bound, max(8, 2*cap(s))))
	copy(grown, s)
	return grown
}

// reach is the rank at which a cluster that starts at rank q ends at the latest.
func (s *shape) reach(q float64) float64 {
	if s.upper {
		return q + max(1-q, upperEnd)*(1-s.cos)
	}
	sinA, cosA := 2*q-1, 2*math.Sqrt(max(0, q*(1-q)))
	if sinA >= s.cos { // less than the arc is left
		return 1
	}
	return (1 + sinA*s.cos + cosA*s.sin) / 2
}

// centre is the mean of a cluster, kept between its ends whatever rounding and
// overflow do.
func centre(lo, hi, sum, weight float64) float64 {
	mean := lo + sum/weight
	if mean-mean != 0 {
		return lo/2 + hi/2
	}
	return min(max(mean, lo), hi)
}
