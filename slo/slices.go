package slo

import (
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
)

// NoDataPolicy says what a time slice without events is. The zero value is
// ExcludeNoData.
type NoDataPolicy uint8

// The policies.
const (
	ExcludeNoData NoDataPolicy = iota // it does not count
	GoodNoData                        // it counts as good
	BadNoData                         // it counts as bad
)

var noDataNames = [...]string{"exclude", "good", "bad"}

// String returns "exclude", "good" or "bad".
func (p NoDataPolicy) String() string {
	if int(p) < len(noDataNames) {
		return noDataNames[p]
	}
	return fmt.Sprintf("NoDataPolicy(%d)", uint8(p))
}

// MarshalText writes the name.
func (p NoDataPolicy) MarshalText() ([]byte, error) {
	return marshalName("no-data policy", noDataNames[:], uint8(p))
}

// UnmarshalText reads a name as String writes it; empty text is ExcludeNoData.
func (p *NoDataPolicy) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = ExcludeNoData
		return nil
	}
	return unmarshalName("no-data policy", noDataNames[:], text, (*uint8)(p))
}

// Slicing turns events into time slices: a slice is good iff good/total of its
// events is at least Target. (OpenSLO calls it the Timeslices budgeting method.)
type Slicing struct {
	// Length of a slice. Slices end at whole multiples of it since 1970 UTC.
	Length time.Duration `json:"length_ns"`
	Target Target        `json:"target_percent"`
	// NoData is what a slice without events is; one that an exclusion touches, by
	// however little, does not count then.
	NoData NoDataPolicy `json:"no_data"`
}

// Validate reports a missing target and a length that is not positive.
func (s Slicing) Validate() error {
	var errs []error
	// A gap is filled slice by slice where the policy counts slices without
	// events, so very short ones would take for ever.
	if s.Length < time.Second || s.Length > maxWindow {
		errs = append(errs, fmt.Errorf("slice length %v: want 1s up to 3660 days", s.Length))
	}
	if !s.Target.IsSet() {
		errs = append(errs, errors.New("slice target not set"))
	}
	if int(s.NoData) >= len(noDataNames) {
		errs = append(errs, fmt.Errorf("no-data policy %d: want exclude, good or bad", s.NoData))
	}
	return errors.Join(errs...)
}

// Allowance is how much of a window may be bad slices.
type Allowance struct {
	Slices  uint64 `json:"slices"`  // whole slices in the window
	Allowed Ratio  `json:"allowed"` // bad ones among them
	Seconds Ratio  `json:"allowed_s"`
}

// Allowance returns how many slices of a window a target allows to be bad.
func (s Slicing) Allowance(target Target, window time.Duration) (Allowance, error) {
	if s.Length <= 0 || window < 0 || !target.IsSet() {
		return Allowance{}, errors.New("allowance: want a target, a slice length and a window")
	}
	n := uint64(window / s.Length)
	allowed := target.Budget().times(whole(n))
	return Allowance{Slices: n, Allowed: allowed, Seconds: allowed.times(seconds(s.Length))}, nil
}

// SliceCounts are slices by what they were.
type SliceCounts struct {
	Good   uint64 `json:"good"`
	Bad    uint64 `json:"bad"`
	NoData uint64 `json:"no_data"` // also counted in Good or Bad, as the policy says
}

// Count judges slices by their events.
func (s Slicing) Count(slices []Counts) (SliceCounts, error) {
	var n SliceCounts
	if !s.Target.IsSet() {
		return n, errors.New("slice target not set")
	}
	for i, c := range slices {
		if err := c.Validate(); err != nil {
			return SliceCounts{}, fmt.Errorf("slices[%d]: %w", i, err)
		}
		switch {
		case c.Total > 0 && s.Target.met(c), c.Total == 0 && s.NoData == GoodNoData:
			n.Good++
		case c.Total > 0, s.NoData == BadNoData:
			n.Bad++
		}
		if c.Total == 0 {
			n.NoData++
		}
	}
	return n, nil
}

// Counts returns good slices out of those that count.
func (n SliceCounts) Counts() Counts { return Counts{Good: n.Good, Total: n.Good + n.Bad} }

// RatioSlices is the mean of slice ratios, in which a quiet slice weighs as much
// as a busy one. (OpenSLO calls it the RatioTimeslices budgeting method.)
type RatioSlices struct {
	SLI Ratio `json:"sli"` // mean of good/total over the slices with data
	// Occurrences is the ratio of the sums over the same slices, for
	// comparison: half the requests failing for one quiet minute is nothing
	// there and half a bad slice here.
	Occurrences Ratio  `json:"occurrences_sli"`
	Slices      uint64 `json:"slices"` // with data
	NoData      uint64 `json:"no_data"`
}

// MeanOfSlices computes ratio time slices; slices without events do not count.
// The ratios are absent when none remains.
func MeanOfSlices(slices []Counts) (RatioSlices, error) {
	all, err := sum(slices)
	if err != nil {
		return RatioSlices{}, err
	}
	var r RatioSlices
	mean := NewRatio(0, 1)
	for _, c := range slices {
		if c.Total == 0 {
			r.NoData++
			continue
		}
		r.Slices++
		mean = mean.plus(fraction(c.Good, c.Total))
	}
	if r.Slices > 0 {
		r.SLI = mean.over(whole(r.Slices))
		r.Occurrences = fraction(all.Good, all.Total)
	}
	return r, nil
}

// isGood judges a slice that has events.
func (s *Slicing) isGood(events sums) bool {
	return fixed.CompareProducts(events.total-events.bad, s.Target.ratio.Den, s.Target.ratio.Num, events.total) >= 0
}
