package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// Series holds values at a fixed step. NaN is no value.
type Series struct {
	// Start is the instant of the first value, Step the time between two.
	Start  time.Time     `json:"start"`
	Step   time.Duration `json:"step"`
	Values []float64     `json:"values"`
}

// At is the instant of value i, which may lie beyond the last.
func (s *Series) At(i int) time.Time { return s.Start.Add(time.Duration(i) * s.Step) }

// maxMagnitude bounds values, so that sums of squares stay finite.
const maxMagnitude = 1e150

// Validate reports a step that is not positive and every value that cannot be used.
func (s *Series) Validate() error {
	if s.Step <= 0 {
		return &OptionError{Option: "Step", Value: s.Step, Want: "a positive duration"}
	}
	for i, v := range s.Values {
		if math.Abs(v) > maxMagnitude {
			return &ValueError{Index: i, At: s.At(i), Value: v}
		}
	}
	return nil
}

// Point is a measured value.
type Point struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

// Regular makes a series of points that are a fixed step apart, or whole steps
// where some are missing: the step is the shortest distance of two points in a row.
// Points may come in any order. It answers [ErrIrregular] for two points of one
// instant, for a distance that is no whole number of steps, and where less than
// half of the steps have a point; [Resample] accepts all of these.
func Regular(points []Point) (Series, error) {
	if len(points) < 2 {
		return Series{}, ErrTooShort
	}
	points = inOrder(points)
	step := time.Duration(math.MaxInt64)
	for i, p := range points[1:] {
		step = min(step, p.At.Sub(points[i].At))
	}
	start, end := points[0].At, points[len(points)-1].At
	if step <= 0 {
		return Series{}, fmt.Errorf("%w: two points of one instant", ErrIrregular)
	}
	n := int64(end.Sub(start)/step) + 1
	if n > 2*int64(len(points)) {
		return Series{}, fmt.Errorf("%w: %d points on %d steps of %s", ErrIrregular, len(points), n, step)
	}
	s := Series{Start: start, Step: step, Values: make([]float64, n)}
	for i := range s.Values {
		s.Values[i] = math.NaN()
	}
	for _, p := range points {
		away := p.At.Sub(start)
		if away%step != 0 {
			return Series{}, fmt.Errorf("%w: %s is not a whole number of steps of %s behind %s", ErrIrregular, p.At.Format(time.RFC3339Nano), step, start.Format(time.RFC3339Nano))
		}
		s.Values[away/step] = p.Value
	}
	return s, s.Validate()
}

// Aggregate is what becomes of the points of one step.
type Aggregate uint8

// The zero value is the mean.
const (
	// Mean is for rates and utilisation.
	Mean Aggregate = iota
	// Max is for peaks, as capacity has to hold them.
	Max
	// Last is for stocks, such as bytes on a disk.
	Last
)

var aggregateNames = []string{"mean", "max", "last"}

// String returns "mean", "max" or "last".
func (a Aggregate) String() string { return enum.String(aggregateNames, "Aggregate", uint8(a)) }

// MarshalText implements [encoding.TextMarshaler].
func (a Aggregate) MarshalText() ([]byte, error) {
	return enum.Text(aggregateNames, "forecast", "aggregate", uint8(a))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (a *Aggregate) UnmarshalText(text []byte) error {
	n, err := enum.Parse(aggregateNames, "forecast", "aggregate", text)
	*a = Aggregate(n)
	return err
}

// maxSteps bounds a resampled series: two years of minutes.
const maxSteps = 1 << 20

// Resample puts points in any order into steps, each from its instant (inclusive) to
// the next (exclusive); instants are whole numbers of steps since the zero time. NaN
// values are left out, steps without a value are NaN. It refuses more than 2^20 steps.
func Resample(points []Point, step time.Duration, by Aggregate) (Series, error) {
	if step <= 0 {
		return Series{}, &OptionError{Option: "step", Value: step, Want: "a positive duration"}
	}
	if len(points) == 0 {
		return Series{}, ErrTooShort
	}
	points = inOrder(points)
	start := points[0].At.Truncate(step)
	n := int64(points[len(points)-1].At.Sub(start)/step) + 1
	if n > maxSteps {
		return Series{}, &OptionError{Option: "step", Value: step, Want: fmt.Sprintf("at most %d steps from the first point to the last, not %d", maxSteps, n)}
	}
	s := Series{Start: start, Step: step, Values: make([]float64, n)}
	counts := make([]float64, n)
	for i, p := range points {
		if math.IsNaN(p.Value) {
			continue
		}
		if math.Abs(p.Value) > maxMagnitude {
			return Series{}, &ValueError{Index: i, At: p.At, Value: p.Value}
		}
		k := p.At.Sub(start) / step
		switch {
		case by == Mean:
			s.Values[k] += p.Value
		case by == Last || counts[k] == 0:
			s.Values[k] = p.Value
		default:
			s.Values[k] = max(s.Values[k], p.Value)
		}
		counts[k]++
	}
	for k, c := range counts {
		switch {
		case c == 0:
			s.Values[k] = math.NaN()
		case by == Mean:
			s.Values[k] /= c
		}
	}
	return s, nil
}

// inOrder returns the points by instant; those of one instant keep their order.
func inOrder(points []Point) []Point {
	if slices.IsSortedFunc(points, func(a, b Point) int { return a.At.Compare(b.At) }) {
		return points
	}
	points = slices.Clone(points)
	slices.SortStableFunc(points, func(a, b Point) int { return a.At.Compare(b.At) })
	return points
}
