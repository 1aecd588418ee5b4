package calendar

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/span"
	"github.com/evenkeelops/evenkeel/internal/times"
)

// Interval is the half-open stretch of time [Start, End). Start equal to End is
// empty and allowed; End before Start is not (see [Interval.Validate]). The
// zero Interval is empty.
type Interval struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// ErrInverted is wrapped by an [IntervalError] whose End lies before its Start.
var ErrInverted = errors.New("end before start")

// ErrTooLong is wrapped by an [IntervalError] whose length does not fit a
// time.Duration (about 292 years).
var ErrTooLong = errors.New("longer than 292 years")

// IntervalError reports an interval that cannot be used.
type IntervalError struct {
	Index    int      // position in the list, or -1 for a single interval
	Interval Interval // the offending interval
	Err      error    // ErrInverted or ErrTooLong
}

// Error names the position and both bounds.
func (e *IntervalError) Error() string {
	at := ""
	if e.Index >= 0 {
		at = fmt.Sprintf(" %d", e.Index)
	}
	return fmt.Sprintf("interval%s %s: %v", at, e.Interval, e.Err)
}

// Unwrap returns the cause, ErrInverted or ErrTooLong.
func (e *IntervalError) Unwrap() error { return e.Err }

// Validate returns an [*IntervalError] when End lies before Start or the length
// does not fit a time.Duration, and nil otherwise.
func (i Interval) Validate() error {
	if err := i.fault(); err != nil {
		return &IntervalError{Index: -1, Interval: i, Err: err}
	}
	return nil
}

func (i Interval) fault() error {
	switch {
	case i.End.Before(i.Start):
		return ErrInverted
	case i.End.Sub(i.Start) == math.MaxInt64:
		return ErrTooLong
	}
	return nil
}

// Duration returns the elapsed time from Start to End, to the nanosecond.
func (i Interval) Duration() time.Duration { return i.End.Sub(i.Start) }

// IsEmpty reports whether no instant lies in i.
func (i Interval) IsEmpty() bool { return !i.Start.Before(i.End) }

// Contains reports whether Start <= at < End.
func (i Interval) Contains(at time.Time) bool { return !at.Before(i.Start) && at.Before(i.End) }

// Overlaps reports whether some instant lies in both i and o. Intervals that
// only touch do not overlap.
func (i Interval) Overlaps(o Interval) bool {
	return !i.IsEmpty() && !o.IsEmpty() && i.Start.Before(o.End) && o.Start.Before(i.End)
}

// Equal reports whether both bounds are the same instants, whatever their
// locations.
func (i Interval) Equal(o Interval) bool { return i.Start.Equal(o.Start) && i.End.Equal(o.End) }

// Clip returns the part of i inside bounds; ok is false when there is none.
func (i Interval) Clip(bounds Interval) (clipped Interval, ok bool) {
	if !i.Overlaps(bounds) {
		return Interval{}, false
	}
	return Interval{Start: times.Later(i.Start, bounds.Start), End: times.Earlier(i.End, bounds.End)}, true
}

// String returns "[start, end)" in RFC 3339.
func (i Interval) String() string {
	return "[" + i.Start.Format(time.RFC3339Nano) + ", " + i.End.Format(time.RFC3339Nano) + ")"
}

// Normalize returns the union of the intervals as a set: sorted by start, in
// UTC, disjoint, not touching, without empty members. Overlapping and touching
// intervals are merged, empty ones dropped. The first invalid interval is
// returned as an [*IntervalError] with its index. The argument is not changed,
// and monotonic clock readings in it do not matter. A list in order costs two
// passes over it and the memory of the result.
//
// All other functions on slices take and return such sets.
func Normalize(intervals []Interval) ([]Interval, error) {
	members, inOrder, ok := survey(intervals)
	switch {
	case !ok:
		return normalizeAny(intervals)
	case !inOrder:
		return normalizeSpans(intervals), nil
	}
	set, _ := appendInOrder(make([]Interval, 0, members), intervals) // they are
	return set, nil
}

// AppendNormalize appends to dst the set that [Normalize] returns; what dst holds
// already stays as it is. With room in dst a list in order costs one pass over it
// and no memory; the two must not share any. After an error dst is returned as it was.
func AppendNormalize(dst, intervals []Interval) ([]Interval, error) {
	if set, ok := appendInOrder(dst, intervals); ok {
		return set, nil
	}
	set, err := Normalize(intervals)
	return append(dst, set...), err
}

// appendInOrder appends the union of intervals as long as they are valid, in order
// and within the range of int64 nanoseconds; ok is false where they are not.
func appendInOrder(dst, intervals []Interval) (set []Interval, ok bool) {
	lastStart, lastEnd := int64(math.MinInt64), int64(math.MinInt64)
	for n := range intervals {
		i := &intervals[n]
		start, known := nanos(i.Start)
		end, knownToo := nanos(i.End)
		switch {
		case !known || !knownToo || end < start || end-start < 0:
			return nil, false
		case start == end:
			continue
		case start < lastStart:
			return nil, false
		case start > lastEnd:
			dst, lastEnd = append(dst, Interval{Start: i.Start.UTC(), End: i.End.UTC()}), end
		case end > lastEnd:
			dst[len(dst)-1].End, lastEnd = i.End.UTC(), end
		}
		lastStart = start
	}
	return dst, true
}

// survey counts the members that the set will have if the intervals are in
// order. ok is false when one of them is invalid or outside the range of int64
// nanoseconds.
func survey(intervals []Interval) (members int, inOrder, ok bool) {
	lastStart, lastEnd := int64(math.MinInt64), int64(math.MinInt64)
	inOrder = true
	for n := range intervals {
		i := &intervals[n]
		start, known := nanos(i.Start)
		end, knownToo := nanos(i.End)
		length := end - start // negative also when it overflows
		if !known || !knownToo || length < 0 || length == math.MaxInt64 {
			return 0, false, false
		}
		if length == 0 {
			continue
		}
		if start < lastStart {
			inOrder = false
		}
		if start > lastEnd {
			members++
		}
		lastStart, lastEnd = start, max(lastEnd, end)
	}
	return members, inOrder, true
}

// normalizeSpans sorts by integers; survey must have accepted the intervals.
func normalizeSpans(intervals []Interval) []Interval {
	spans := make([]span.Span, len(intervals))
	for n := range intervals {
		spans[n].Start, _ = nanos(intervals[n].Start)
		spans[n].End, _ = nanos(intervals[n].End)
	}
	span.Sort(spans)
	spans = span.Merge(spans)
	set := make([]Interval, len(spans))
	for n, s := range spans {
		set[n] = Interval{Start: instant(s.Start), End: instant(s.End)}
	}
	return set
}

// normalizeAny takes instants of any year, and finds the first invalid
// interval.
func normalizeAny(intervals []Interval) ([]Interval, error) {
	set := make([]Interval, 0, len(intervals))
	for n, i := range intervals {
		utc := Interval{Start: i.Start.UTC(), End: i.End.UTC()}
		if err := utc.fault(); err != nil {
			return nil, &IntervalError{Index: n, Interval: i, Err: err}
		}
		if !utc.IsEmpty() {
			set = append(set, utc)
		}
	}
	slices.SortFunc(set, byStart)
	return merge(set), nil
}

func byStart(a, b Interval) int {
	return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End))
}

// merge joins overlapping and touching members of a sorted slice in place.
func merge(sorted []Interval) []Interval {
	out := sorted[:0]
	for _, i := range sorted {
		last := len(out) - 1
		switch {
		case last < 0 || out[last].End.Before(i.Start):
			out = append(out, i)
		case out[last].End.Before(i.End):
			out[last].End = i.End
		}
	}
	return out
}

// Union returns the instants that lie in a or b. Both must be sets as
// [Normalize] returns them; so is the result.
func Union(a, b []Interval) []Interval {
	out := make([]Interval, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if b[0].Start.Before(a[0].Start) {
			a, b = b, a
		}
		out, a = append(out, a[0]), a[1:]
	}
	out = append(append(out, a...), b...)
	return merge(out)
}

// Intersect returns the instants that lie in a and b. Both must be sets as
// [Normalize] returns them; so is the result.
func Intersect(a, b []Interval) []Interval {
	var out []Interval
	for len(a) > 0 && len(b) > 0 {
		if both, ok := a[0].Clip(b[0]); ok {
			out = append(out, both)
		}
		if a[0].End.Before(b[0].End) {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

// Subtract returns the instants that lie in a but not in b. Both must be sets
// as [Normalize] returns them; so is the result. The gaps of a set within
// bounds are Subtract([]Interval{bounds}, set).
func Subtract(a, b []Interval) []Interval {
	var out []Interval
	for _, i := range a {
		for len(b) > 0 && !b[0].End.After(i.Start) {
			b = b[1:]
		}
		start := i.Start
		for _, hole := range b {
			if !hole.Start.Before(i.End) {
				break
			}
			if start.Before(hole.Start) {
				out = append(out, Interval{Start: start, End: hole.Start})
			}
			start = times.Later(start, hole.End)
		}
		if start.Before(i.End) {
			out = append(out, Interval{Start: start, End: i.End})
		}
	}
	return out
}

// Clip returns the part of a set inside bounds.
func Clip(set []Interval, bounds Interval) []Interval {
	var out []Interval
	first, _ := slices.BinarySearchFunc(set, bounds.Start, func(i Interval, t time.Time) int {
		if i.End.After(t) {
			return 1
		}
		return -1
	})
	for _, i := range set[first:] {
		inside, ok := i.Clip(bounds)
		if !ok {
			break
		}
		out = append(out, inside)
	}
	return out
}

// Total returns the summed length of a set. A sum beyond the longest
// time.Duration stays at that value.
func Total(set []Interval) time.Duration {
	var sum time.Duration
	for _, i := range set {
		d := i.Duration()
		if sum > math.MaxInt64-d {
			return math.MaxInt64
		}
		sum += d
	}
	return sum
}
