package openslo

import (
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/slo"
)

// startLayout is how a calendar window says its start, in the zone beside it.
const startLayout = "2006-01-02 15:04:05"

// windowFields and the other lists of fields are those of OpenSLO v1.
var windowFields = []string{"duration", "isRolling", "calendar"}

// window reads spec.timeWindow, which has exactly one item.
func (r *reader) window(spec fields) (slo.Window, bool) {
	v, ok := r.need(spec, "timeWindow", "a list of one rolling or calendar window")
	if !ok {
		return slo.Window{}, false
	}
	items := r.items(v)
	if len(items) != 1 {
		if v.n.Kind == yaml.SequenceNode {
			r.fail(v, "one_window", "", "found %d windows, want exactly one", len(items))
		}
		return slo.Window{}, false
	}
	f := r.fields(items[0], windowFields...)
	length, ok := r.need(f, "duration", `a duration like "30d"`)
	if !ok {
		return slo.Window{}, false
	}
	d, ok := r.duration(length)
	calendar, isCalendar := r.get(f, "calendar")
	rolling, set := r.flag(f, "isRolling")
	rolling = rolling || !set && !isCalendar
	if isCalendar {
		if rolling {
			at, _ := r.get(f, "isRolling")
			r.fail(at, "two_kinds", "", "isRolling is true and a calendar is given, want one of them")
		}
		return r.calendarWindow(length, d, calendar, ok)
	}
	switch {
	case !ok:
		return slo.Window{}, false
	case !rolling:
		r.fail(f.at, "missing_field", "", "isRolling is false, so a calendar with startTime and timeZone is wanted")
		return slo.Window{}, false
	case !set:
		r.warn(f.at, "rolling_assumed", "neither isRolling nor a calendar: read as a rolling window")
	}
	fixed, ok := d.Length()
	if !ok {
		r.fail(length, "calendar_unit", strconv.Itoa(int(time.Duration(d.Count)*d.size()/(24*time.Hour)))+"d",
			"a rolling window of %s has no length: want days or weeks, or a calendar window", d)
		return slo.Window{}, false
	}
	if d.Unit == 'm' {
		r.warn(length, "minute_window", "%q is %d minutes; a month is %q and needs a calendar", length.n.Value, d.Count, "1M")
	}
	return slo.Rolling(fixed), true
}

func (r *reader) calendarWindow(length value, d Duration, v value, ok bool) (slo.Window, bool) {
	f := r.fields(v, "startTime", "timeZone")
	zone, zoneOK := r.zone(f)
	start, startOK := r.start(f)
	if !ok || !zoneOK || !startOK {
		return slo.Window{}, false
	}
	unit, calendar := d.Calendar()
	switch {
	case calendar:
	case d.Unit == 'd':
		unit = slo.Day
	case d.Unit == 'w':
		unit = slo.Week
	default:
		suggestion := ""
		if d.Unit == 'm' {
			suggestion = strconv.Itoa(d.Count) + "M"
		}
		r.fail(length, "minute_window", suggestion, "%q counts in minutes or hours, want days, weeks, months (M), quarters (Q) or years (Y) for a calendar window", d)
		return slo.Window{}, false
	}
	if d.Count == 1 && natural(start, unit) {
		return slo.Calendar(unit, zone), true
	}
	return slo.Anchored(start, d.Count, unit, zone), true
}

// natural reports whether periods from a start are those of the calendar.
func natural(start time.Time, unit slo.Unit) bool {
	if start != start.Truncate(24*time.Hour) {
		return false
	}
	switch unit {
	case slo.Week:
		return start.Weekday() == time.Monday
	case slo.Month:
		return start.Day() == 1
	case slo.Quarter:
		return start.Day() == 1 && (start.Month()-1)%3 == 0
	case slo.Year:
		return start.YearDay() == 1
	case slo.Day:
	}
	return true
}

func (r *reader) zone(f fields) (*time.Location, bool) {
	const want = `an IANA time zone like "Europe/Amsterdam"`
	v, ok := r.need(f, "timeZone", want)
	if !ok {
		return nil, false
	}
	name, ok := r.scalar(v, want)
	if !ok {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || strings.EqualFold(name, "Local") {
		suggestion := ""
		if fixed := strings.ReplaceAll(name, " ", "_"); fixed != name {
			if _, err := time.LoadLocation(fixed); err == nil {
				suggestion = fixed
			}
		}
		r.fail(v, "bad_zone", suggestion, "found %q, want %s", name, want)
		return nil, false
	}
	if !strings.Contains(name, "/") && name != "UTC" {
		r.warn(v, "zone_abbreviation", "%q is an abbreviation that may not follow the clock of any place; want %s", name, want)
	}
	return zone, true
}

// start reads wall time without a zone; the result has it as fields in UTC.
func (r *reader) start(f fields) (time.Time, bool) {
	const want = `a date and time without a zone, like "2026-01-01 00:00:00"`
	v, ok := r.need(f, "startTime", want)
	if !ok {
		return time.Time{}, false
	}
	text, ok := r.scalar(v, want)
	if !ok {
		return time.Time{}, false
	}
	start, err := time.Parse(startLayout, text)
	if err != nil || start.Nanosecond() != 0 {
		suggestion := ""
		for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04", time.DateOnly} {
			if almost, err := time.Parse(layout, text); err == nil {
				suggestion = almost.Format(startLayout)
				break
			}
		}
		r.fail(v, "bad_time", suggestion, "found %q, want %s; the zone stands in timeZone", text, want)
		return time.Time{}, false
	}
	return start, true
}
