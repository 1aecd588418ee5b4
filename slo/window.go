package slo

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Unit is a calendar unit. The zero value means "not set".
type Unit uint8

// The calendar units. Months, quarters and years have the lengths of the
// calendar, days and weeks those of the zone's clock: a day may have 23 hours.
const (
	Day Unit = iota + 1
	Week
	Month
	Quarter
	Year
)

var unitNames = [...]string{"", "day", "week", "month", "quarter", "year"}

// String returns "day", "week", "month", "quarter", "year" or "unset".
func (u Unit) String() string {
	switch {
	case u == 0:
		return "unset"
	case int(u) < len(unitNames):
		return unitNames[u]
	}
	return fmt.Sprintf("Unit(%d)", uint8(u))
}

// MarshalText writes the name, and nothing for the zero value.
func (u Unit) MarshalText() ([]byte, error) { return marshalName("unit", unitNames[:], uint8(u)) }

// UnmarshalText reads a name as String writes it; empty text is the zero value.
func (u *Unit) UnmarshalText(text []byte) error {
	return unmarshalName("unit", unitNames[:], text, (*uint8)(u))
}

// IsValid reports whether u is one of the units.
func (u Unit) IsValid() bool { return u >= Day && u <= Year }

// span returns the unit as months, or as days when it has no fixed number of
// months.
func (u Unit) span() (months, days int) {
	switch u {
	case Day:
		return 0, 1
	case Week:
		return 0, 7
	case Month:
		return 1, 0
	case Quarter:
		return 3, 0
	case Year:
		return 12, 0
	}
	return 0, 0
}

// nominal returns the length that a unit counts with; u must be valid.
func (u Unit) nominal() time.Duration {
	months, days := u.span()
	if u == Year {
		return 365 * 24 * time.Hour
	}
	return time.Duration(30*months+days) * 24 * time.Hour
}

// Window is the stretch of time over which an objective is judged: rolling,
// ending at the instant of evaluation, or a period of a calendar. Make one with
// [Rolling], [Calendar], [Anchored] or [ParseWindow]; the zero Window is not
// valid. A Window is immutable.
type Window struct {
	length time.Duration // of a rolling window

	unit   Unit
	count  int
	anchor time.Time // wall time: the start of period 0
	fixed  bool      // anchored by the caller, not by the calendar
	zone   *time.Location
}

// maxWindow bounds rolling windows and those of alert rules.
const maxWindow = 3660 * 24 * time.Hour

// Rolling returns the window of a length, at most ten years, that ends at the
// instant of evaluation.
func Rolling(length time.Duration) Window { return Window{length: length} }

// Calendar returns the window of the calendar's own units in a zone: ISO weeks
// from Monday, months, quarters and years. A nil zone is UTC.
func Calendar(unit Unit, zone *time.Location) Window {
	anchor := time.Unix(0, 0).UTC() // 1 January 1970, a Thursday
	if unit == Week {
		anchor = anchor.AddDate(0, 0, 4)
	}
	return Window{unit: unit, count: 1, anchor: anchor, zone: zone}
}

// Anchored returns the window of periods of count units counted from an anchor,
// given as wall time: the UTC fields of anchor are the reading of a clock in the
// zone. The k-th boundary is anchor + k·count·unit, counted from the original
// day and moved to the last day of a month that lacks it, so periods from
// 31 January start on 28 February and 31 March. A nil zone is UTC.
func Anchored(anchor time.Time, count int, unit Unit, zone *time.Location) Window {
	return Window{unit: unit, count: count, anchor: anchor.UTC(), fixed: true, zone: zone}
}

// ParseWindow reads "calendar_day", "calendar_week", "calendar_month",
// "calendar_quarter" or "calendar_year", in the zone, or the length of a rolling
// window such as "30d", "4w" or "12h". Months and years as a length are refused:
// they have none. The error is a [*ParseError].
func ParseWindow(text string, zone *time.Location) (Window, error) {
	if name, ok := strings.CutPrefix(text, "calendar_"); ok {
		var unit Unit
		if unit.UnmarshalText([]byte(name)) == nil && unit.IsValid() {
			return Calendar(unit, zone), nil
		}
	} else if length, err := threshold.ParseDuration(text); err == nil && length > 0 && length <= maxWindow {
		return Rolling(length), nil
	}
	return Window{}, &ParseError{What: "window", Text: text, Want: `a length such as "30d" (up to 3660 days) or "calendar_week", "calendar_month", "calendar_quarter", "calendar_year"`}
}

// Validate returns an error for the zero Window, a rolling length outside
// (0, 3660 days], an unknown unit or a count below 1 or beyond 3660 days.
func (w Window) Validate() error {
	switch {
	case w.unit == 0 && w.count == 0 && (w.length <= 0 || w.length > maxWindow):
		return fmt.Errorf("window length %v: want more than 0 and up to 3660 days", w.length)
	case w.IsRolling():
		return nil
	case !w.unit.IsValid():
		return errors.New("window unit not set: want day, week, month, quarter or year")
	case w.count < 1 || w.count > int(maxWindow/w.unit.nominal()):
		return fmt.Errorf("window of %d %ss: want 1 or more and up to 3660 days", w.count, w.unit)
	}
	return nil
}

// IsRolling reports whether w ends at the instant of evaluation.
func (w Window) IsRolling() bool { return w.length != 0 }

// Kind returns "rolling", "calendar_month" and so on, or "anchored".
func (w Window) Kind() string {
	switch {
	case w.IsRolling():
		return "rolling"
	case w.fixed:
		return "anchored"
	}
	return "calendar_" + w.unit.String()
}

// Cycle returns what [Anchored] makes a window with the same periods from; for
// those of [Calendar] the anchor is in January 1970. It is of no use for a rolling
// window.
func (w Window) Cycle() (anchor time.Time, count int, unit Unit, zone *time.Location) {
	return w.anchor, w.count, w.unit, w.location()
}

// Nominal returns the length that an alert policy assumes for w: the length of a
// rolling window, else days and weeks of 24 h days, months of 30, quarters of 90
// and years of 365 days. It is 0 for the zero Window.
func (w Window) Nominal() time.Duration {
	if w.IsRolling() {
		return w.length
	}
	return time.Duration(w.count) * w.unit.nominal()
}

// Period is one stretch of a window.
type Period struct {
	calendar.Interval
	// Index numbers the periods of a calendar window; 0 starts at the anchor, or
	// in January 1970. It is 0 for a rolling window.
	Index int `json:"index"`
}

// Period returns the stretch of w for an instant: [at - length, at) of a rolling
// window, else the calendar period with Start <= at < End. Bounds are in UTC and
// lengths are elapsed time. A bound whose wall time does not exist is the instant
// of the transition, an ambiguous one the earlier instant. An invalid window
// gives the zero Period.
func (w Window) Period(at time.Time) Period {
	if w.Validate() != nil {
		return Period{}
	}
	at = at.UTC()
	if w.IsRolling() {
		return Period{Interval: calendar.Interval{Start: at.Add(-w.length), End: at}}
	}
	k := w.guess(at)
	start, end := w.boundary(k), w.boundary(k+1)
	for at.Before(start) {
		k--
		start, end = w.boundary(k), start
	}
	for !at.Before(end) {
		k++
		start, end = end, w.boundary(k+1)
	}
	return Period{Interval: calendar.Interval{Start: start, End: end}, Index: k}
}

func (w Window) location() *time.Location {
	if w.zone == nil {
		return time.UTC
	}
	return w.zone
}

// boundary returns the start of period k.
func (w Window) boundary(k int) time.Time {
	months, days := w.unit.span()
	wall := wallclock.AddMonths(w.anchor, k*w.count*months).AddDate(0, 0, k*w.count*days)
	return wallclock.Resolve(wall, w.location(), wallclock.First)
}

// guess returns the period of an instant, give or take one.
func (w Window) guess(at time.Time) int {
	wall := wallclock.At(at, w.location())
	months, days := w.unit.span()
	if months == 0 {
		const day = 24 * 60 * 60
		return floorDiv(int(floorDiv(wall.Unix()-w.anchor.Unix(), day)), w.count*days)
	}
	apart := 12*(wall.Year()-w.anchor.Year()) + int(wall.Month()) - int(w.anchor.Month())
	return floorDiv(apart, w.count*months)
}

// floorDiv divides towards minus infinity; b must be positive.
func floorDiv[T int | int64](a, b T) T {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// String returns "rolling 30d", "calendar_month Europe/Amsterdam" or "every 3
// months from 2022-01-01T12:00:00 America/New_York".
func (w Window) String() string {
	switch {
	case w.Validate() != nil:
		return "invalid window"
	case w.IsRolling():
		return "rolling " + threshold.FormatDuration(w.length)
	case w.fixed:
		return fmt.Sprintf("every %d %ss from %s %s", w.count, w.unit, w.anchor.Format(wallFormat), w.location())
	}
	return w.Kind() + " " + w.location().String()
}

// MarshalText writes what String returns, and nothing for the zero Window. Any
// other window that is not valid, or whose zone is that of the host, is an error,
// as nobody could read it back.
func (w Window) MarshalText() ([]byte, error) {
	if w == (Window{}) {
		return nil, nil
	}
	if err := w.Validate(); err != nil {
		return nil, err
	}
	if zone := w.location(); zone == time.Local || zone.String() == "" {
		return nil, fmt.Errorf("window in zone %q: want one of the time zone database", zone)
	}
	return []byte(w.String()), nil
}

// wallFormat is the anchor of a window as text.
const wallFormat = "2006-01-02T15:04:05.999999999"

// UnmarshalText reads what MarshalText writes; empty text is the zero Window. The
// zone is looked up in the time zone database by [time.LoadLocation]. Without a
// zone it is UTC, and the word rolling may be left out, so that it reads what
// [ParseWindow] reads. The error is a [*ParseError].
func (w *Window) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*w = Window{}
		return nil
	}
	refuse := &ParseError{What: "window", Text: string(text), Want: `"rolling 30d", "calendar_month Europe/Amsterdam" or "every 3 months from 2022-01-01T12:00:00 America/New_York"`}
	parts := strings.Split(string(text), " ")
	var parsed Window
	var err error
	zone := "UTC"
	switch {
	case len(parts) == 2 && parts[0] == "rolling":
		parsed, err = ParseWindow(parts[1], nil)
		if err == nil && !parsed.IsRolling() {
			return refuse
		}
	case len(parts) == 1:
		parsed, err = ParseWindow(parts[0], nil)
	case len(parts) == 2:
		zone = parts[1]
		parsed, err = ParseWindow(parts[0], nil)
		if err == nil && parsed.IsRolling() {
			return refuse
		}
	case (len(parts) == 5 || len(parts) == 6) && parts[0] == "every" && parts[3] == "from":
		parsed, err = parseAnchored(parts[1], parts[2], parts[4])
		if len(parts) == 6 {
			zone = parts[5]
		}
	default:
		return refuse
	}
	if err != nil {
		return refuse
	}
	if zone != "UTC" && !parsed.IsRolling() {
		if parsed.zone, err = time.LoadLocation(zone); err != nil || zone == "Local" || zone == "" {
			refuse.Want = "a zone of the time zone database, like \"Europe/Amsterdam\""
			return refuse
		}
	}
	*w = parsed
	return nil
}

func parseAnchored(count, units, anchor string) (Window, error) {
	n, err := strconv.Atoi(count)
	if err != nil {
		return Window{}, err
	}
	var unit Unit
	if err := unit.UnmarshalText([]byte(strings.TrimSuffix(units, "s"))); err != nil {
		return Window{}, err
	}
	at, err := time.Parse(wallFormat, anchor)
	if err != nil {
		return Window{}, err
	}
	w := Anchored(at, n, unit, nil)
	return w, w.Validate()
}
