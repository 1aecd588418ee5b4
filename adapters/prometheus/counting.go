package prometheus

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// Counting says which raw series count what, and turns their samples into the counts
// that a tracker or a backtest of package slo takes. Two of Bad, Good and Total are
// set; one series may be counted by both.
//
// A sample counts what its series has more than at the sample before, all of it after
// a reset, and nothing as the first one, see [slo.Counter]. After a gap the next
// number counts from the last one before it, at its own instant.
type Counting struct {
	Bad, Good, Total func(Labels) bool

	// Born reports whether a series that is first seen at an instant is known to have
	// begun at 0 not long before, so that its first value counts: from a created
	// timestamp, or since it appeared while its target was scraped already. Defaults
	// to never.
	Born func(l Labels, first time.Time) bool

	// Every gathers what was scraped in (t - Every, t] at t, which is a whole multiple
	// of Every since 1970; a step without any number is [slo.Sample].Missing. Targets
	// that are scraped at different instants need it. Defaults to 0: the instants are
	// those of the samples, and none is missing.
	Every time.Duration

	needGood string // what a good series has, where one must exist
}

// LatencyCounting counts the observations of a classic histogram, given the samples of
// its _bucket series: good ones took at most limit, in the unit of the bounds. The
// limit must be the bound of a bucket, however that is written ("1" or "1.0"); a
// histogram without that bucket is a [*CountError].
func LatencyCounting(limit slo.Ratio) Counting {
	return Counting{
		Good: func(l Labels) bool {
			bound, err := boundOf(l["le"])
			return err == nil && bound.Compare(limit) == 0
		},
		Total:    func(l Labels) bool { return l["le"] == "+Inf" },
		needGood: `a bucket le="` + limit.Decimal() + `"`,
	}
}

// CountError is a series that cannot be counted.
type CountError struct {
	Labels Labels    // nil where it is about several
	At     time.Time // zero where it is about all samples
	Want   string
	Err    error // the reason, such as a [*slo.SampleError]; may be nil
}

// Error names the series, the instant and what was wanted.
func (e *CountError) Error() string {
	text := "count"
	if e.Labels != nil {
		text += " " + e.Labels.String()
	}
	if !e.At.IsZero() {
		text += " at " + e.At.UTC().Format(time.RFC3339Nano)
	}
	if e.Want != "" {
		text += ": want " + e.Want
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the reason.
func (e *CountError) Unwrap() error { return e.Err }

// counted is a series while it is counted.
type counted struct {
	counter          slo.Counter
	begun            bool
	bad, good, total bool
}

// tally is what was counted at one instant.
type tally struct {
	bad, good, total uint64
	numbers          bool // not only gaps
}

// Samples counts what [Client.Samples] yields, for all series together, in the order
// of time. It holds a count per instant, not the samples. An error of the sequence
// is returned as it is; fractions, more bad or good events than all at an instant, and
// what [slo.Counter] refuses are a [*CountError]. Series that count nothing are
// ignored.
func (c Counting) Samples(samples iter.Seq2[Sample, error]) ([]slo.Sample, error) {
	set := 0
	for _, of := range [...]func(Labels) bool{c.Bad, c.Good, c.Total} {
		if of != nil {
			set++
		}
	}
	if set != 2 || c.Every < 0 {
		return nil, &CountError{Want: "two of Bad, Good and Total, and no step below 0"}
	}
	series := map[int]*counted{}
	at := map[int64]*tally{}
	goodSeen := false
	for s, err := range samples {
		if err != nil {
			return nil, err
		}
		x := series[s.Series]
		if x == nil {
			is := func(of func(Labels) bool) bool { return of != nil && of(s.Labels) }
			x = &counted{bad: is(c.Bad), good: is(c.Good), total: is(c.Total)}
			goodSeen = goodSeen || x.good
			series[s.Series] = x
		}
		if !x.bad && !x.good && !x.total {
			continue
		}
		if err := c.take(x, s, at); err != nil {
			return nil, err
		}
	}
	if c.needGood != "" && !goodSeen && len(at) > 0 {
		return nil, &CountError{Want: c.needGood}
	}
	return c.gather(at)
}

func (c Counting) take(x *counted, s Sample, at map[int64]*tally) error {
	if !x.begun && !s.Value.IsGap() {
		x.begun = true
		x.counter.Born = c.Born != nil && c.Born(s.Labels, s.At)
	}
	v, err := x.counter.Observe(s.At, s.Value)
	if err != nil {
		return &CountError{Labels: s.Labels, At: s.At, Err: err}
	}
	n, exact := v.Uint64()
	if !exact {
		return &CountError{Labels: s.Labels, At: s.At, Want: "whole events, not " + v.String()}
	}
	instant := s.At.UnixNano()
	if step := int64(c.Every); step > 0 {
		if rest := instant % step; rest > 0 {
			instant += step - rest
		} else if rest < 0 {
			instant -= rest
		}
	}
	t := at[instant]
	if t == nil {
		t = &tally{}
		at[instant] = t
	}
	t.numbers = t.numbers || !s.Value.IsGap()
	fits := true
	add := func(counts bool, sum *uint64) {
		if counts {
			*sum += n
			fits = fits && *sum >= n
		}
	}
	add(x.bad, &t.bad)
	add(x.good, &t.good)
	add(x.total, &t.total)
	if !fits {
		return &CountError{Labels: s.Labels, At: s.At, Err: slo.ErrOverflow}
	}
	return nil
}

// gather makes samples of the tallies, and fills the steps between them.
func (c Counting) gather(at map[int64]*tally) ([]slo.Sample, error) {
	instants := make([]int64, 0, len(at))
	for instant := range at {
		instants = append(instants, instant)
	}
	slices.Sort(instants)
	samples := make([]slo.Sample, 0, len(instants))
	for i, instant := range instants {
		if step := int64(c.Every); step > 0 && i > 0 {
			for missing := instants[i-1] + step; missing < instant; missing += step {
				samples = append(samples, slo.Sample{At: time.Unix(0, missing).UTC(), Missing: true})
			}
		}
		t, when := at[instant], time.Unix(0, instant).UTC()
		if !t.numbers {
			if c.Every > 0 {
				samples = append(samples, slo.Sample{At: when, Missing: true})
			}
			continue
		}
		counts, err := c.counts(t)
		if err != nil {
			return nil, &CountError{At: when, Err: err}
		}
		samples = append(samples, slo.Sample{At: when, Counts: counts})
	}
	return samples, nil
}

func (c Counting) counts(t *tally) (slo.Counts, error) {
	switch {
	case c.Total == nil:
		if t.good+t.bad < t.good {
			return slo.Counts{}, slo.ErrOverflow
		}
		return slo.Counts{Good: t.good, Total: t.good + t.bad}, nil
	case max(t.bad, t.good) > t.total:
		return slo.Counts{}, fmt.Errorf("%d bad and %d good of %d events: %w", t.bad, t.good, t.total, errMoreThanAll)
	case c.Good == nil:
		return slo.Counts{Good: t.total - t.bad, Total: t.total}, nil
	}
	return slo.Counts{Good: t.good, Total: t.total}, nil
}

var errMoreThanAll = errors.New("more than all; series scraped at different instants need Every")
