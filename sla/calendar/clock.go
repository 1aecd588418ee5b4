package calendar

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// ErrUnreachable means that the calendar has not enough working time: none at
// all for ten years in a row, or none before the end of its range.
var ErrUnreachable = errors.New("calendar: no working time in reach")

// Elapsed returns the working time in [from, until) without the pauses. It is 0
// when to is not after from, and stays at the longest time.Duration beyond 292
// years. Pauses may come in any order and overlap; parts outside [from, until) do not
// matter, so a pause that has not ended yet may end at to.
func (c *Calendar) Elapsed(from, until time.Time, pauses []Interval) time.Duration {
	lo, hi := clamp(from), clamp(until)
	sum := c.elapsed(lo, hi)
	for _, p := range asSet(pauses) {
		sum -= c.elapsed(max(lo, clamp(p.Start)), min(hi, clamp(p.End)))
	}
	return time.Duration(max(sum, 0))
}

func (c *Calendar) elapsed(lo, hi int64) int64 {
	if lo >= hi {
		return 0
	}
	first, last := yearOf(lo), min(yearOf(hi), lastYear)
	sum := -c.year(first).worked(lo)
	for n := first; n < last; n++ {
		sum = saturate(sum, c.year(n).total)
	}
	return saturate(sum, c.year(last).worked(hi))
}

// saturate adds two amounts of which the second is not negative.
func saturate(sum, more int64) int64 {
	if sum > math.MaxInt64-more {
		return math.MaxInt64
	}
	return sum + more
}

// asSet returns the union of pauses, which are one already as a rule. What ends
// before it begins is none.
func asSet(pauses []Interval) []Interval {
	for i, p := range pauses {
		if p.IsEmpty() || p.End.Before(p.Start) || i > 0 && p.Start.Before(pauses[i-1].End) {
			valid := slices.DeleteFunc(slices.Clone(pauses), func(p Interval) bool { return !p.Start.Before(p.End) })
			set, _ := Normalize(valid) // all are valid
			return set
		}
	}
	return pauses
}

// Remaining returns the target less the elapsed working time at the given
// instant; it is negative after a breach.
func (c *Calendar) Remaining(start time.Time, target time.Duration, at time.Time, pauses []Interval) time.Duration {
	return target - c.Elapsed(start, at, pauses)
}

// Due returns the earliest instant at which the working time since start,
// without the pauses, has reached the target: closing time, not the next
// opening, when the last of it goes just then. A target of 0 is
// due at start, also outside hours. Pauses are as in [Calendar.Elapsed].
//
// The error is [ErrUnreachable] when the calendar never has that much working
// time, and another for a negative target.
func (c *Calendar) Due(start time.Time, target time.Duration, pauses []Interval) (time.Time, error) {
	if target == 0 {
		return start.UTC(), nil
	}
	at, err := c.due(start, target, pauses)
	if err != nil {
		return time.Time{}, err
	}
	return instant(at), nil
}

// BreachAt returns the latest instant at which the working time since start,
// without the pauses, still equals the target: a moment later it is exceeded.
// It is later than [Calendar.Due] when the calendar closes or a pause begins
// just as the target is used up.
//
// The error is [ErrUnreachable] also when the target can be reached but never
// be exceeded.
func (c *Calendar) BreachAt(start time.Time, target time.Duration, pauses []Interval) (time.Time, error) {
	at, err := c.due(start, target, pauses)
	if err != nil {
		return time.Time{}, err
	}
	at, ok := c.nextOpen(at)
	for _, p := range asSet(pauses) {
		if ok && clamp(p.Start) <= at && at < clamp(p.End) {
			at, ok = c.nextOpen(clamp(p.End))
		}
	}
	if !ok {
		return time.Time{}, ErrUnreachable
	}
	return instant(at), nil
}

func (c *Calendar) due(start time.Time, target time.Duration, pauses []Interval) (int64, error) {
	if target < 0 {
		return 0, fmt.Errorf("calendar: target %s: want 0 or more", target)
	}
	at, left := clamp(start), int64(target)
	if left == 0 {
		return at, nil
	}
	for _, p := range asSet(pauses) {
		begin, end := clamp(p.Start), clamp(p.End)
		if end <= at {
			continue
		}
		worked := c.elapsed(at, begin)
		if left <= worked {
			break
		}
		left -= worked
		at = end
	}
	return c.reach(at, left)
}

// reach returns the first instant with work working time since at; work is
// more than 0.
func (c *Calendar) reach(at, work int64) (int64, error) {
	first := yearOf(at)
	for n, idle := first, 0; n <= lastYear && idle <= horizon; n++ {
		y := c.year(n)
		done := int64(0)
		if n == first {
			done = y.worked(at)
		}
		if work <= y.total-done {
			return y.reach(done + work), nil
		}
		work -= y.total - done
		if idle++; y.total > done {
			idle = 0
		}
	}
	return 0, ErrUnreachable
}
