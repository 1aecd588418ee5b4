package anomaly

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
	"github.com/evenkeelops/evenkeel/anomaly/internal/frame"
	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

const (
	binaryMagic   = "EKAD"
	binaryVersion = 1
)

// AppendBinary adds the detector in the binary form of version 1, which [ParseDetector]
// reads: a frame of magic "EKAD" (4 bytes), version (2), zero (2), length (8), payload and
// CRC-32C of all before (4), around
//
//	JSON        4 bytes of length, then the document of [Detector.MarshalJSON]
//	knots       per distribution 4 bytes, how many, and 8 bytes each: those of the
//	            features in order and in Default of the forest and the statistic
//	forest      the form of [iforest.Forest.AppendBinary]
//
// in little-endian order. Equal detectors give equal bytes, and a detector that was read
// judges the same to the last bit. A [Season.Exception] is not stored.
func (d *Detector) AppendBinary(b []byte) ([]byte, error) {
	doc, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("anomaly: %w", err)
	}
	le := binary.LittleEndian
	p := le.AppendUint32(make([]byte, 0, len(doc)+d.Size()), uint32(len(doc)))
	p = append(p, doc...)
	for _, c := range d.distributions() {
		p = le.AppendUint32(p, uint32(len(c.knots)))
		for _, v := range c.knots {
			p = le.AppendUint64(p, math.Float64bits(v))
		}
	}
	if p, err = d.Forest().AppendBinary(p); err != nil {
		return nil, err
	}
	return frame.Append(b, binaryMagic, binaryVersion, p), nil
}

// MarshalBinary implements [encoding.BinaryMarshaler]; see [Detector.AppendBinary].
func (d *Detector) MarshalBinary() ([]byte, error) { return d.AppendBinary(nil) }

// distributions in the order in which they are stored.
func (d *Detector) distributions() []*column {
	var out []*column
	for i := range d.columns {
		out = append(out, &d.columns[i])
	}
	if d.calibrated != nil {
		out = append(out, &d.calibrated.oddness, &d.calibrated.statistic)
	}
	return out
}

// detectorJSON is what a detector says of itself.
type detectorJSON struct {
	Service   string     `json:"service"`
	Preset    Preset     `json:"preset"`
	TrainedAt time.Time  `json:"trained_at,omitzero"`
	Strict    bool       `json:"strict,omitempty"`
	Schema    Schema     `json:"schema"`
	Baselines Baselines  `json:"baselines"`
	Advice    []Advice   `json:"advice"`
	LogAlpha  float64    `json:"log_alpha,omitempty"`
	Threshold float64    `json:"threshold"`
	Combine   Combine    `json:"combine,omitzero"`
	Feedback  []Feedback `json:"feedback,omitempty"`
	Drift     *Drift     `json:"drift,omitempty"`
	Scaling   []Scaling  `json:"scaling,omitempty"`
	// Distributions of the features, of the forest and of the statistic, without the knots.
	Distributions []columnJSON `json:"distributions"`
	Forest        struct {
		Trees      int     `json:"trees"`
		MaxSamples int     `json:"max_samples"`
		Offset     float64 `json:"offset"`
	} `json:"forest"`
}

type columnJSON struct {
	N      int      `json:"n"`
	Median float64  `json:"median"`
	Spread float64  `json:"spread"`
	High   tailJSON `json:"high"`
	Low    tailJSON `json:"low"`
}

type tailJSON struct {
	Edge    float64 `json:"edge"`
	LogBase float64 `json:"log_base"`
	Shape   float64 `json:"shape"`
	Scale   float64 `json:"scale"`
	Least   float64 `json:"least"`
}

// document is the tail as JSON has it.
func (t *tail) document() tailJSON {
	return tailJSON{t.edge, t.logBase, t.excess.Shape, t.excess.Scale, t.least}
}

// tail is the way back from [tail.document].
func (t tailJSON) tail() tail {
	return tail{edge: t.Edge, logBase: t.LogBase, excess: stats.GPD{Shape: t.Shape, Scale: t.Scale}, least: t.Least}
}

// MarshalJSON writes all of the detector but for the knots of its distributions and the nodes
// of its forest. It is for reading; [Detector.AppendBinary] is the form to load.
func (d *Detector) MarshalJSON() ([]byte, error) {
	doc := detectorJSON{
		Service: d.service, Preset: d.preset, TrainedAt: d.trainedAt, Strict: d.strict, Schema: d.schema,
		Baselines: d.baselines, Advice: d.advice, Threshold: d.threshold, Feedback: d.feedback, Drift: d.drift,
	}
	for _, c := range d.distributions() {
		doc.Distributions = append(doc.Distributions, columnJSON{c.n, c.median, c.spread, c.high.document(), c.low.document()})
	}
	if d.calibrated != nil {
		doc.LogAlpha, doc.Combine = d.calibrated.logAlpha, d.calibrated.way
	} else {
		doc.Scaling = d.compat.scaling
	}
	f := d.Forest()
	doc.Forest.Trees, doc.Forest.MaxSamples, doc.Forest.Offset = f.Trees(), f.MaxSamples(), f.Offset()
	return json.Marshal(doc)
}

// ParseDetector reads what [Detector.AppendBinary] wrote. It checks everything that judging
// relies on and takes memory in proportion to data. Errors are of type [*FormatError].
func ParseDetector(data []byte) (*Detector, error) {
	version, r, err := open(data, binaryMagic, binaryVersion)
	if err != nil {
		return nil, err
	}
	d, problem := r.detector()
	if problem != nil {
		return nil, &FormatError{Offset: r.at, Version: version, Problem: problem.Error(), Err: problem}
	}
	return d, nil
}

// open checks the frame.
func open(data []byte, magic string, newest uint16) (version int, r *binaryReader, err error) {
	v, payload, err := frame.Open(data, magic, newest)
	if err != nil {
		e, ok := errors.AsType[*frame.Error](err)
		if !ok {
			return 0, nil, &FormatError{Problem: err.Error()}
		}
		return 0, nil, &FormatError{Offset: e.Offset, Version: e.Version, Problem: e.Problem}
	}
	const head = 16 // bytes before the payload
	return int(v), &binaryReader{data: data[:head+len(payload)], at: head}, nil
}

// binaryReader walks through a payload; at says where it is for errors.
type binaryReader struct {
	data []byte // from the start of the frame to the end of the payload
	at   int
}

// count takes 4 bytes, the number of things of a size that follow.
func (r *binaryReader) count(size int) (int, error) {
	if len(r.data)-r.at < 4 {
		return 0, errors.New("ends early")
	}
	n := int64(binary.LittleEndian.Uint32(r.data[r.at:]))
	if n > int64((len(r.data)-r.at-4)/size) {
		return 0, fmt.Errorf("%d things of %d bytes follow, but there are %d bytes", n, size, len(r.data)-r.at-4)
	}
	r.at += 4
	return int(n), nil
}

// detector takes a whole detector, checked.
func (r *binaryReader) detector() (*Detector, error) {
	n, err := r.count(1)
	if err != nil {
		return nil, err
	}
	var doc detectorJSON
	if err := json.Unmarshal(r.data[r.at:r.at+n], &doc); err != nil {
		return nil, err
	}
	if err := doc.check(); err != nil {
		return nil, err
	}
	r.at += n
	d := &Detector{
		service: doc.Service, preset: doc.Preset, trainedAt: doc.TrainedAt, strict: doc.Strict, schema: doc.Schema,
		baselines: doc.Baselines, advice: doc.Advice, threshold: doc.Threshold, feedback: doc.Feedback, drift: doc.Drift,
		index: make(map[string]int, len(doc.Schema)),
	}
	for j, f := range d.schema {
		d.index[f.Name] = j
	}
	columns := make([]column, len(doc.Distributions))
	for i := range columns {
		if columns[i], err = r.column(&doc.Distributions[i]); err != nil {
			return nil, fmt.Errorf("distribution %d: %w", i, err)
		}
	}
	forest, err := iforest.ParseForest(r.data[r.at:])
	switch {
	case err != nil:
		return nil, err
	case forest.Features() != len(d.schema):
		return nil, fmt.Errorf("the forest has %d columns, want %d", forest.Features(), len(d.schema))
	case d.preset == Compat && !(forest.Offset() < 0):
		return nil, fmt.Errorf("the forest has the offset %v, want one below 0", forest.Offset())
	}
	d.columns = columns[:len(d.schema):len(d.schema)]
	if d.preset == Compat {
		d.compat = &compatModel{scaling: doc.Scaling, forest: forest}
		return d, nil
	}
	d.calibrated = &calibrated{forest: forest, logAlpha: doc.LogAlpha, way: doc.Combine}
	d.calibrated.oddness, d.calibrated.statistic = columns[len(d.schema)], columns[len(d.schema)+1]
	d.calibrated.watch(d.schema, d.columns)
	return d, nil
}

// check verifies the document apart from its distributions.
func (doc *detectorJSON) check() error {
	want := len(doc.Schema) + 2
	if doc.Preset == Compat {
		want = len(doc.Schema)
	}
	if err := doc.Schema.Validate(); err != nil {
		return err
	}
	switch {
	case len(doc.Schema) == 0:
		return errors.New("schema is empty")
	case len(doc.Baselines) != len(doc.Schema):
		return fmt.Errorf("%d baselines, want %d", len(doc.Baselines), len(doc.Schema))
	case len(doc.Distributions) != want:
		return fmt.Errorf("%d distributions, want %d", len(doc.Distributions), want)
	case doc.Preset == Compat && len(doc.Scaling) != len(doc.Schema):
		return fmt.Errorf("%d scalings, want %d", len(doc.Scaling), len(doc.Schema))
	case doc.Preset == Default && !(doc.LogAlpha < 0):
		return fmt.Errorf("log_alpha is %v, want a number below 0", doc.LogAlpha)
	case !(doc.Threshold > 0):
		return fmt.Errorf("threshold is %v, want a positive number", doc.Threshold)
	}
	for j := range doc.Baselines {
		b := &doc.Baselines[j]
		if b.Feature != doc.Schema[j].Name {
			return fmt.Errorf("baseline %d is of %q, want %q", j, b.Feature, doc.Schema[j].Name)
		}
		if !finite(b.Mean) || !(b.SD >= 0) || !finite(b.Q25) || !finite(b.Median) || !finite(b.Q75) || !finite(b.Q95) {
			return fmt.Errorf("baseline of %q has no mean, deviation or quantile", b.Feature)
		}
	}
	for j, s := range doc.Scaling {
		if s.Scale == 0 {
			return fmt.Errorf("scaling %d has the scale 0", j)
		}
	}
	return nil
}

// column takes the knots of a distribution, finite and in increasing order.
func (r *binaryReader) column(doc *columnJSON) (column, error) {
	n, err := r.count(8)
	switch {
	case err != nil:
		return column{}, err
	case n < 1 || n > maxKnots || doc.N < n:
		return column{}, fmt.Errorf("%d knots of %d values, want 1 to %d and no more than values", n, doc.N, maxKnots)
	case !(doc.Spread > 0) || !finite(doc.Median):
		return column{}, fmt.Errorf("median %v and spread %v, want finite ones, the latter positive", doc.Median, doc.Spread)
	}
	for _, t := range []tailJSON{doc.High, doc.Low} {
		if !(t.Scale > 0) || !(t.LogBase <= 0) || !(t.Least <= 0) || t.Shape < -1 || t.Shape > 1 {
			return column{}, fmt.Errorf("tail %+v, want a positive scale, a shape within 1, probabilities of at most 1", t)
		}
	}
	c := column{n: doc.N, median: doc.Median, spread: doc.Spread, high: doc.High.tail(), low: doc.Low.tail(), knots: make([]float64, n)}
	for i := range c.knots {
		c.knots[i] = math.Float64frombits(binary.LittleEndian.Uint64(r.data[r.at:]))
		if !finite(c.knots[i]) || i > 0 && c.knots[i] < c.knots[i-1] {
			return column{}, fmt.Errorf("knot %d is %v, want finite numbers in increasing order", i, c.knots[i])
		}
		r.at += 8
	}
	return c, nil
}

// Size returns the approximate number of bytes that the detector occupies.
func (d *Detector) Size() int {
	size := 1024 + d.Forest().Size()
	for _, c := range d.distributions() {
		size += 8*cap(c.knots) + 256
	}
	for i := range d.baselines {
		size += 512
		if s := d.baselines[i].Season; s != nil {
			size += 24 * len(s.Bins)
		}
	}
	return size + 128*len(d.feedback)
}

// WithException returns a detector whose seasons ask the function for dates that resemble
// another weekday, as [Season.Exception]: a detector that was read from bytes has lost it.
func (d *Detector) WithException(like func(date time.Time) (time.Weekday, bool)) *Detector {
	out := *d
	out.baselines = slices.Clone(d.baselines)
	for i := range out.baselines {
		if s := out.baselines[i].Season; s != nil {
			changed := *s
			changed.exception = like
			out.baselines[i].Season = &changed
		}
	}
	return &out
}
