package escalation

import (
	"slices"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// turnCount says how many turns have been used up before turn k. Usually it is k;
// some options leave turns out. It is found without walking: by a pattern that
// repeats every week or so, and a sorted list of exceptions.
type turnCount struct {
	// pattern[i] is how many of the first i turns of a period count; nil: all.
	pattern []int64

	// idle are turns from 0 on that do not count although the pattern says so.
	idle []int64
}

// before returns how many turns count before turn k.
func (c *turnCount) before(k int64) int64 {
	n := k
	if period := int64(len(c.pattern)) - 1; period > 0 {
		q := floorDiv(k, period)
		n = q*c.pattern[period] + c.pattern[k-q*period]
	}
	if len(c.idle) > 0 {
		i, _ := slices.BinarySearch(c.idle, k)
		n -= int64(i)
	}
	return n
}

// vanished returns the turns that fall wholly into readings which the zone skips,
// as far as the table of transitions goes.
func (t *Turns) vanished() []int64 {
	var idle []int64
	if t.unit == Months || t.unit == ElapsedHours {
		return nil
	}
	for i := 1; i < len(t.zone.table); i++ {
		s := t.zone.table[i]
		gap, end := s.from+t.zone.table[i-1].offset, s.from+s.offset // readings
		for k := max(0, -floorDiv(t.start-gap, t.length)); t.reading(k+1) <= end; k++ {
			if t.reading(k) >= gap {
				idle = append(idle, k)
			}
		}
	}
	return idle
}

// lastMonthYear is the year until which handoffs on days that not every month has are
// left out.
const lastMonthYear = 2400

// shortMonths returns the turns that would begin on a day that the month does not
// have.
func (t *Turns) shortMonths() []int64 {
	start := utc(t.start)
	if t.unit != Months || start.Day() <= 28 {
		return nil
	}
	var idle []int64
	for k := int64(0); ; k++ {
		at := wallclock.AddMonths(start, int(k*t.length))
		if at.Year() > lastMonthYear {
			return idle
		}
		if at.Day() != start.Day() {
			idle = append(idle, k)
		}
	}
}

// onlyActive makes turns count that overlap a window of the hours, by the wall
// clock. The period is that after which turns and weekdays meet again: at most
// seven turns of days and 168 of hours.
func (t *Turns) onlyActive(h *hours) {
	const week = 7 * secondsPerDay
	period := week / gcd(week, t.length)
	t.count.pattern = make([]int64, period+1)
	t.count.idle = slices.DeleteFunc(t.count.idle, func(k int64) bool { return !h.overlaps(t.reading(k), t.reading(k+1), false) })
	active := func(k int64, except bool) bool { return h.overlaps(t.reading(k), t.reading(k+1), except) }
	for k := range period {
		t.count.pattern[k+1] = t.count.pattern[k]
		if active(k, false) {
			t.count.pattern[k+1]++
		}
	}
	var touched []int64 // turns that meet an exception date
	for i := range h.windows {
		w := &h.windows[i]
		for _, day := range w.except {
			from, to := day*secondsPerDay+w.from, day*secondsPerDay+w.to
			for k := max(0, floorDiv(from-t.start, t.length)); t.reading(k) < to; k++ {
				touched = append(touched, k)
			}
		}
	}
	for _, k := range sortedOnce(touched) { // a long turn meets many and is asked once
		if active(k, false) && !active(k, true) {
			t.count.idle = append(t.count.idle, k)
		}
	}
	t.count.idle = sortedOnce(t.count.idle)
}

func sortedOnce(list []int64) []int64 {
	slices.Sort(list)
	return slices.Compact(list)
}

// overlaps reports whether a window lies in the readings [from, to), at least in
// part. Exception dates count only if asked for.
func (h *hours) overlaps(from, to int64, except bool) bool {
	first, _ := date(from)
	last, _ := date(to - 1)
	for i := range h.windows {
		w := &h.windows[i]
		for day := first - 1; day <= last && day <= first+7+int64(len(w.except)); day++ {
			begins := w.days.Has(weekday(day))
			if except {
				begins = w.begins(day)
			}
			if midnight := day * secondsPerDay; begins && midnight+w.from < to && midnight+w.to > from {
				return true
			}
		}
	}
	return false
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
