package anomaly

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/evenkeelops/evenkeel/anomaly/internal/frame"
	"github.com/evenkeelops/evenkeel/anomaly/sketch"
)

// Collector learns baselines from readings one at a time, in memory that does not grow with
// their number, and merges with others: every node at the edge keeps one, sends it as bytes,
// and the baselines of all come from the merged one. Counts, means and deviations are
// those of all readings; quantiles are those of a [sketch.Sketch], right to about a
// thousandth of the rank. Make one with [NewCollector]; it is not safe for concurrent use.
type Collector struct {
	names   []string
	columns []collected
}

// collected is what is known of one feature.
type collected struct {
	n, missing int
	mean, m2   float64 // m2 is the sum of squared distances from the mean
	sketch     *sketch.Sketch
}

// NewCollector returns an empty collector of features. Names that are empty or repeated are
// an [*OptionError] or a [*SchemaError].
func NewCollector(names ...string) (*Collector, error) {
	schema := make(Schema, len(names))
	for j, name := range names {
		schema[j].Name = name
	}
	if err := schema.Validate(); err != nil {
		return nil, err
	}
	c := &Collector{names: slices.Clone(names), columns: make([]collected, len(names))}
	for j := range c.columns {
		c.columns[j].sketch = new(sketch.Sketch)
	}
	return c, nil
}

// Add takes a reading in the order of the names; NaN is a missing value. A row of another
// length is a [*RowError], an infinity or a value above 1e150 a [*ValueError], after which
// nothing is added.
func (c *Collector) Add(row []float64) error {
	if len(row) != len(c.names) {
		return &RowError{Row: -1, Value: len(row), Want: len(c.names)}
	}
	for j, v := range row {
		if math.Abs(v) > maxMagnitude {
			return &ValueError{Feature: c.names[j], Row: -1, Value: v}
		}
	}
	for j, v := range row {
		k := &c.columns[j]
		if math.IsNaN(v) {
			k.missing++
			continue
		}
		k.n++
		away := v - k.mean
		k.mean += away / float64(k.n)
		k.m2 += away * (v - k.mean)
		k.sketch.Add(v)
	}
	return nil
}

// Merge adds what another collector has learnt, which stays as it is. Features are matched by
// name; other names than those of c are a [*SchemaError], after which nothing is added.
// Deviations add up as in Chan, Golub and LeVeque (The American Statistician 37(3), 1983).
func (c *Collector) Merge(other *Collector) error {
	var problem SchemaError
	for _, name := range c.names {
		if !slices.Contains(other.names, name) {
			problem.Missing = append(problem.Missing, name)
		}
	}
	for _, name := range other.names {
		if !slices.Contains(c.names, name) {
			problem.Unknown = append(problem.Unknown, name)
		}
	}
	if err := problem.orNil(); err != nil {
		return err
	}
	for j, name := range c.names {
		a, b := &c.columns[j], other.columns[slices.Index(other.names, name)]
		a.missing += b.missing
		if b.n == 0 {
			continue
		}
		na, nb := float64(a.n), float64(b.n)
		away := b.mean - a.mean
		a.n += b.n
		a.mean += away * (nb / float64(a.n))
		a.m2 += b.m2 + away*away*na*(nb/float64(a.n))
		a.sketch.Merge(b.sketch)
	}
	return nil
}

// Baselines returns what was learnt so far, in the order of the names and without seasons. A
// feature without any value has N 0 and NaN for every number.
func (c *Collector) Baselines() Baselines {
	out := make(Baselines, len(c.names))
	for j, name := range c.names {
		k := &c.columns[j]
		b := Baseline{
			Feature: name, N: k.n, Missing: k.missing, Mean: k.mean,
			Q25: k.sketch.Quantile(0.25), Median: k.sketch.Quantile(0.5), Q75: k.sketch.Quantile(0.75), Q95: k.sketch.Quantile(0.95),
			MAD: k.sketch.MAD(), Constant: k.n > 0 && k.sketch.Min() == k.sketch.Max(),
		}
		switch k.n {
		case 0:
			b.Mean, b.SD = math.NaN(), math.NaN()
		case 1:
		default:
			b.SD = math.Sqrt(k.m2 / float64(k.n-1))
		}
		out[j] = b
	}
	return out
}

const (
	collectorMagic   = "EKAC"
	collectorVersion = 1
)

// AppendBinary adds the collector in the binary form of version 1, which [ParseCollector]
// reads: a frame as of [Detector.AppendBinary] with the magic "EKAC" around how many names
// there are (4 bytes), and for each its length (4) and text, values (8), missing ones (8), mean
// (8), sum of squares (8), length (4) and bytes of the sketch.
func (c *Collector) AppendBinary(b []byte) ([]byte, error) {
	le := binary.LittleEndian
	p := le.AppendUint32(nil, uint32(len(c.names)))
	for j, name := range c.names {
		k := &c.columns[j]
		p = le.AppendUint32(p, uint32(len(name)))
		p = append(p, name...)
		p = le.AppendUint64(p, uint64(k.n))
		p = le.AppendUint64(p, uint64(k.missing))
		p = le.AppendUint64(p, math.Float64bits(k.mean))
		p = le.AppendUint64(p, math.Float64bits(k.m2))
		data, err := k.sketch.MarshalBinary()
		if err != nil {
			return nil, err
		}
		p = le.AppendUint32(p, uint32(len(data)))
		p = append(p, data...)
	}
	return frame.Append(b, collectorMagic, collectorVersion, p), nil
}

// MarshalBinary implements [encoding.BinaryMarshaler]; see [Collector.AppendBinary].
func (c *Collector) MarshalBinary() ([]byte, error) { return c.AppendBinary(nil) }

// ParseCollector reads what [Collector.AppendBinary] wrote. Errors are of type
// [*FormatError].
func ParseCollector(data []byte) (*Collector, error) {
	version, r, err := open(data, collectorMagic, collectorVersion)
	if err != nil {
		return nil, err
	}
	c, problem := r.collector()
	if problem != nil {
		return nil, &FormatError{Offset: r.at, Version: version, Problem: problem.Error(), Err: problem}
	}
	return c, nil
}

// collector takes a whole collector, checked.
func (r *binaryReader) collector() (*Collector, error) {
	const least = 4 + 4*8 + 4 // bytes of a feature
	n, err := r.count(least)
	if err != nil {
		return nil, err
	}
	names, columns := make([]string, n), make([]collected, n)
	for j := range names {
		size, err := r.count(1)
		if err != nil {
			return nil, err
		}
		names[j] = string(r.data[r.at : r.at+size])
		r.at += size
		if len(r.data)-r.at < 4*8 {
			return nil, errors.New("ends early")
		}
		var x [4]uint64
		for i := range x {
			x[i] = binary.LittleEndian.Uint64(r.data[r.at:])
			r.at += 8
		}
		k := collected{n: int(x[0]), missing: int(x[1]), mean: math.Float64frombits(x[2]), m2: math.Float64frombits(x[3])}
		if k.n < 0 || k.missing < 0 || !finite(k.mean) || !(k.m2 >= 0) || math.IsInf(k.m2, 1) {
			return nil, fmt.Errorf("feature %q has %d values of mean %v and squares %v, want finite ones", names[j], k.n, k.mean, k.m2)
		}
		if size, err = r.count(1); err != nil {
			return nil, err
		}
		k.sketch = new(sketch.Sketch)
		if err := k.sketch.UnmarshalBinary(r.data[r.at : r.at+size]); err != nil {
			return nil, err
		}
		if (k.n == 0) != (k.sketch.Weight() == 0) {
			return nil, fmt.Errorf("feature %q has %d values and a sketch of %v", names[j], k.n, k.sketch.Weight())
		}
		r.at += size
		columns[j] = k
	}
	if r.at != len(r.data) {
		return nil, fmt.Errorf("%d bytes after the last feature, want none", len(r.data)-r.at)
	}
	c, err := NewCollector(names...)
	if err != nil {
		return nil, err
	}
	c.columns = columns
	return c, nil
}
