package prometheus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// Sample is a raw sample of a counter, or of a gauge that is never negative, as
// it was scraped.
type Sample struct {
	Series int    // its series, numbered from 0 in the order of appearance
	Labels Labels // of the series, shared by its samples
	slo.Reading
}

// Samples yields the raw samples that a selector without a range finds at
// instants t with from ≤ t < until, both cut to milliseconds. The samples of a
// series come in the order of time; a range above [Config].MaxRange is asked for
// in parts, and then the series take turns by part. Values are read from their
// text: whole numbers up to 2^64−1 are exact, NaN is a gap. Prometheus leaves out
// the markers of stale series.
//
// Samples come while the answer arrives, so memory does not grow with the range.
// The first error ends the sequence: [*adapters.Error], [*RangeError], or an [*adapters.Error]
// around a [*slo.ParseError] for a value that no counter has. A connection lost
// after the first sample of a part is not repeated. An error in a later part is
// within a [*PartialError]: all samples before its instant came, and the rest can be
// asked for from there; those of the broken part then come again.
func (c *Client) Samples(ctx context.Context, selector string, from, until time.Time) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		start, end := from.UnixMilli(), until.UnixMilli()
		if start > end {
			yield(Sample{}, &RangeError{From: from, Until: until, Want: "an end that is not before the start"})
			return
		}
		r := reader{yield: yield, index: map[string]int{}, first: start}
		for start < end {
			next := min(end, start+c.config.MaxRange.Milliseconds())
			if !r.part(ctx, c, selector, start, next) {
				return
			}
			start = next
		}
	}
}

// errStop means that the consumer wants no more.
var errStop = errors.New("no more wanted")

// reader passes samples on, part by part.
type reader struct {
	yield func(Sample, error) bool
	index map[string]int // of series by their labels
	parts []int          // by series, the last part that had it
	count int            // of parts
	first int64          // instant of the first
	now   Sample
	begun bool // the part has given samples
}

// part asks for the instants from ≤ t < until and reports whether to go on.
// Ranges are closed in Prometheus 2 and open at the left since 3: a range that
// begins one millisecond early holds all of them in both.
func (r *reader) part(ctx context.Context, c *Client, selector string, from, until int64) bool {
	form := url.Values{
		"query": {selector + "[" + strconv.FormatInt(until-from, 10) + "ms]"},
		"time":  {seconds(until - 1)},
	}
	r.begun = false
	r.count++
	e, err := c.ask(ctx, "query", form, func() sink {
		return sink{
			kind: func(t ResultType) error {
				if t != Matrix {
					return fmt.Errorf("%w: raw samples, not a %s: a selector without range or offset", errUnwanted, t)
				}
				return nil
			},
			open: r.open,
			reading: func(milli int64, text []byte) error {
				if milli < from || milli >= until {
					return nil
				}
				return r.sample(milli, text)
			},
			hist: func(Histogram) error {
				return fmt.Errorf("%w: numbers, not native histograms", errUnwanted)
			},
		}
	}, &r.begun)
	switch {
	case errors.Is(err, errStop):
		return false
	case err != nil:
		r.yield(Sample{}, partial(r.first, from, err))
		return false
	}
	if c.config.OnWarning != nil {
		for _, w := range union(e.warnings, e.infos) {
			c.config.OnWarning(w)
		}
	}
	return true
}

func (r *reader) open(labels Labels) error {
	key := labels.key()
	i, known := r.index[key]
	if !known {
		i = len(r.index)
		r.index[key] = i
		r.parts = append(r.parts, 0)
	}
	if r.parts[i] == r.count && r.begun {
		return fmt.Errorf("%w: %s once, not twice", errUnwanted, labels)
	}
	r.parts[i] = r.count
	r.now = Sample{Series: i, Labels: labels}
	return nil
}

func (r *reader) sample(milli int64, text []byte) error {
	at := time.UnixMilli(milli).UTC()
	if n, ok := plainWhole(text); ok {
		r.now.Value = slo.NewValue(n)
	} else {
		v, err := slo.ParseValue(string(text))
		if err != nil {
			return &valueError{labels: r.now.Labels, at: at, err: err}
		}
		r.now.Value = v
	}
	r.now.At = at
	r.begun = true
	if !r.yield(r.now, nil) {
		return errStop
	}
	return nil
}

// plainWhole reads up to 19 digits, as nearly all counters are written.
func plainWhole(text []byte) (n uint64, ok bool) {
	if len(text) == 0 || len(text) > 19 {
		return 0, false
	}
	for _, c := range text {
		if c -= '0'; c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return n, true
}

// valueError is a value that cannot be a reading.
type valueError struct {
	labels Labels
	at     time.Time
	err    error
}

// Error names the value and what is wrong with it.
func (e *valueError) Error() string {
	return fmt.Sprintf("%s at %s: %v", e.labels, e.at.Format(time.RFC3339Nano), e.err)
}

// Unwrap returns the cause.
func (e *valueError) Unwrap() error { return e.err }
