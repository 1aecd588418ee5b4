package calendar

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// Calendar is a compiled schedule of working time. It never changes and is safe
// for concurrent use. Each calendar year is expanded into instants when it is
// first asked for, and kept. Make one with [New]: the zero value has no years.
type Calendar struct {
	hours

	years atomic.Pointer[map[int]*year] // replaced, never changed
	mu    sync.Mutex                    // held while years is replaced
}

// New compiles a schedule. All problems are joined in the error, each of type
// [*HoursError]. A schedule that never opens is accepted; targets are then
// [ErrUnreachable].
func New(h Hours) (*Calendar, error) {
	parsed, err := compile(h)
	if err != nil {
		return nil, err
	}
	return newCalendar(parsed), nil
}

func newCalendar(h hours) *Calendar {
	c := &Calendar{hours: h}
	c.years.Store(&map[int]*year{})
	return c
}

// Always returns the calendar that is open around the clock, in UTC. It is the
// same one each time.
func Always() *Calendar {
	always.once.Do(func() {
		h := hours{loc: time.UTC}
		for i := range h.week {
			h.week[i] = []opening{{from: 0, to: 24 * time.Hour}}
		}
		always.calendar = newCalendar(h)
	})
	return always.calendar
}

// always is not a sync.OnceValue: made when the program starts, that would link all
// that a calendar can do into every importer.
var always struct {
	once     sync.Once
	calendar *Calendar
}

// Location returns the zone of the calendar.
func (c *Calendar) Location() *time.Location { return c.loc }

// IsOpen reports whether t is working time.
func (c *Calendar) IsOpen(t time.Time) bool {
	at, ok := nanos(t)
	if !ok {
		return false
	}
	y := c.year(yearOf(at))
	i := y.find(at)
	return i < len(y.segments) && y.segments[i].start <= at
}

// NextOpen returns t if it is working time, else the next opening. The error is
// [ErrUnreachable] when there is none within ten years.
func (c *Calendar) NextOpen(t time.Time) (time.Time, error) {
	at, ok := c.nextOpen(clamp(t))
	if !ok {
		return time.Time{}, ErrUnreachable
	}
	return instant(at), nil
}

// NextTransition returns the first instant after t at which the calendar opens
// (opens is true) or closes. Spans that touch are one. The error is
// [ErrUnreachable] when nothing changes within ten years.
func (c *Calendar) NextTransition(t time.Time) (at time.Time, opens bool, err error) {
	next, ok := c.nextOpen(clamp(t))
	switch {
	case !ok:
		return time.Time{}, false, ErrUnreachable
	case instant(next).After(t):
		return instant(next), true, nil
	}
	limit := yearOf(next) + horizon
	for y := yearOf(next); y <= limit; {
		i := c.year(y).find(next)
		if i == len(c.year(y).segments) || c.year(y).segments[i].start > next {
			return instant(next), false, nil
		}
		if next = c.year(y).segments[i].end; next >= rangeEnd {
			break
		}
		y = yearOf(next)
	}
	return time.Time{}, false, ErrUnreachable
}

// Expand returns the working time in [from, until) as a set of intervals in UTC.
func (c *Calendar) Expand(from, until time.Time) []Interval {
	lo, hi := clamp(from), clamp(until)
	var out []Interval
	for y := yearOf(lo); lo < hi && y <= yearOf(hi-1); y++ {
		segments := c.year(y).segments
		for _, s := range segments[c.year(y).find(lo):] {
			if s.start >= hi {
				break
			}
			out = append(out, Interval{Start: instant(max(s.start, lo)), End: instant(min(s.end, hi))})
		}
	}
	return merge(out)
}

func (c *Calendar) nextOpen(at int64) (int64, bool) {
	for y, limit := yearOf(at), yearOf(at)+horizon; y <= min(limit, lastYear); y++ {
		segments := c.year(y).segments
		if i := c.year(y).find(at); i < len(segments) {
			return max(at, segments[i].start), true
		}
	}
	return 0, false
}

// A calendar reaches as far as int64 nanoseconds do, in whole years. A search
// ends after horizon years without working time.
const (
	firstYear  = 1678
	lastYear   = 2261
	horizon    = 10
	rangeStart = -9_214_560_000 * int64(time.Second) // 1 January 1678
	rangeEnd   = 9_214_646_400 * int64(time.Second)  // 1 January 2262
)

// nanos returns t in nanoseconds since 1970; ok is false, and the number
// meaningless, outside the range.
func nanos(t time.Time) (at int64, ok bool) {
	const first, length = rangeStart / 1_000_000_000, uint64(rangeEnd/1_000_000_000 - rangeStart/1_000_000_000)
	seconds := t.Unix()
	return seconds*1_000_000_000 + int64(t.Nanosecond()), uint64(seconds-first) < length
}

// clamp returns t in nanoseconds since 1970, moved to the nearer end where it
// lies outside the range.
func clamp(t time.Time) int64 {
	at, ok := nanos(t)
	switch {
	case ok:
		return at
	case t.Unix() < 0:
		return rangeStart
	}
	return rangeEnd
}

func instant(at int64) time.Time { return time.Unix(0, at).UTC() }

// year is the working time of one UTC year: segments are sorted, disjoint and
// do not touch, except over the turn of the year.
type year struct {
	segments []segment
	total    int64
	offsets  []stretch
}

type segment struct {
	start, end int64 // nanoseconds since 1970
	before     int64 // working time of the year before start
}

// find returns the index of the first segment that ends after at.
func (y *year) find(at int64) int {
	lo, hi := 0, len(y.segments)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); y.segments[mid].end > at {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// worked returns the working time of the year before at.
func (y *year) worked(at int64) int64 {
	i := y.find(at)
	if i == len(y.segments) {
		return y.total
	}
	return y.segments[i].before + max(0, at-y.segments[i].start)
}

// reach returns the first instant at which the year has had that much working
// time, which must be more than 0 and at most the total.
func (y *year) reach(work int64) int64 {
	lo, hi := 0, len(y.segments)-1
	for lo < hi {
		if mid := int(uint(lo+hi+1) >> 1); y.segments[mid].before < work {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return y.segments[lo].start + work - y.segments[lo].before
}

// year returns the expansion of a UTC year, computing it once.
func (c *Calendar) year(n int) *year {
	if y := (*c.years.Load())[n]; y != nil {
		return y
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known := *c.years.Load()
	if y := known[n]; y != nil {
		return y
	}
	y := c.expand(n)
	grown := maps.Clone(known)
	grown[n] = y
	c.years.Store(&grown)
	return y
}

// expand collects the spans of every local date that can reach into the UTC
// year: offsets stay below a day and spans below two.
func (c *Calendar) expand(n int) *year {
	lo, hi := firstDay(n), firstDay(n+1)
	var raw []segment
	y := &year{offsets: stretches(c.loc, lo-margin, hi+margin)}
	for d := lo - 3; d <= hi+1; d++ {
		raw = c.appendDay(raw, y, d)
	}
	slices.SortFunc(raw, func(a, b segment) int { return cmp.Compare(a.start, b.start) })
	y.segments = raw[:0]
	for _, s := range raw {
		s.start, s.end = max(s.start, lo.start()), min(s.end, hi.start())
		if s.start >= s.end {
			continue
		}
		if last := len(y.segments) - 1; last >= 0 && y.segments[last].end >= s.start {
			y.segments[last].end = max(y.segments[last].end, s.end)
			continue
		}
		y.segments = append(y.segments, s)
	}
	for i, s := range y.segments {
		y.segments[i].before = y.total
		y.total += s.end - s.start
	}
	return y
}

// appendDay adds the working time of the spans that open on a local date, in the
// order of the schedule. A holiday by local date cuts them at midnight.
func (c *Calendar) appendDay(out []segment, y *year, d day) []segment {
	spans, special := c.special[d]
	if cancelled := c.rule == ShiftStart && c.holidays[d]; !special && !cancelled {
		spans = c.week[d.weekday()]
	}
	for _, s := range spans {
		start, end := c.resolve(y, d, s.from), c.resolve(y, d, s.to)
		if c.closed(d) {
			start = max(start, c.resolve(y, d+1, 0))
		}
		if c.closed(d + 1) {
			end = min(end, c.resolve(y, d+1, 0))
		}
		if start < end {
			out = append(out, segment{start: start, end: end})
		}
	}
	return out
}

// closed reports whether the whole local date is closed by a holiday.
func (c *Calendar) closed(d day) bool {
	_, special := c.special[d]
	return c.rule == LocalDate && c.holidays[d] && !special
}

// resolve returns the instant at which the zone shows a time of day on a date
// in or near the year. Where the offset is known to stay the same as far around
// the reading as wallclock.Resolve looks, a subtraction gives the same answer.
func (c *Calendar) resolve(y *year, d day, clock time.Duration) int64 {
	reading := d.start() + int64(clock)
	for _, s := range y.offsets {
		if s.start <= reading-reach && reading+reach <= s.end {
			return reading - s.offset
		}
	}
	return wallclock.Resolve(instant(reading), c.loc, wallclock.First).UnixNano()
}

// stretch is a time of constant offset from UTC, both ends included.
type stretch struct{ start, end, offset int64 }

// reach is that of wallclock.Resolve. Expansion looks margin days beyond a year.
const (
	reach  = int64(26 * time.Hour)
	margin = 6
)

// stretches looks at the offset once a day between two dates and lists the
// stretches in which it stays the same; no zone changes its clock twice in a
// day. Time.ZoneBounds would be shorter but cannot be trusted, see package
// wallclock.
func stretches(loc *time.Location, from, to day) []stretch {
	var out []stretch
	for d := from; d <= to; d++ {
		_, seconds := instant(d.start()).In(loc).Zone()
		offset := int64(seconds) * int64(time.Second)
		if last := len(out) - 1; last >= 0 && out[last].offset == offset {
			out[last].end = d.start()
		} else {
			out = append(out, stretch{start: d.start(), end: d.start(), offset: offset})
		}
	}
	return out
}

// day is a civil date, counted from 1970-01-01.
type day int64

const dayLength = int64(24 * time.Hour)

// start returns the reading 00:00 of the date as if it were UTC.
func (d day) start() int64 { return int64(d) * dayLength }

func (d day) weekday() time.Weekday {
	return time.Weekday(((int64(d)+int64(time.Thursday))%7 + 7) % 7)
}

// dayOf returns the date that the UTC fields of wall show.
func dayOf(wall time.Time) day {
	seconds := wall.Unix()
	d := seconds / 86400
	if seconds%86400 < 0 {
		d--
	}
	return day(d)
}

// firstDay returns 1 January of a Gregorian year.
func firstDay(n int) day {
	n--
	return day(365*n + n/4 - n/100 + n/400 - 719162)
}

func yearOf(at int64) int { return instant(at).Year() }
