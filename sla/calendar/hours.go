package calendar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Hours describes a schedule as data; [New] checks and compiles it.
type Hours struct {
	// Zone is an IANA name such as "Europe/Amsterdam". It is required; "Local"
	// is refused because it means something else on every machine.
	Zone string `json:"zone"`

	// Week holds the spans that open on each weekday of the zone. A weekday
	// that is absent is closed.
	Week Week `json:"week,omitempty"`

	// Holidays are local dates like "2026-12-25" on which nothing is open.
	Holidays []string `json:"holidays,omitempty"`

	// Special replaces the spans that open on single local dates, and cancels a
	// holiday on the same date. An empty list opens nothing; a night that opened
	// on the date before runs on.
	Special map[string][]Span `json:"special,omitempty"`

	// HolidayRule says what a holiday takes from a span over midnight.
	// Defaults to LocalDate.
	HolidayRule HolidayRule `json:"holiday_rule,omitzero"`
}

// Span is one stretch of opening hours on the wall clock, "HH:MM" or
// "HH:MM:SS". "24:00" is the end of the date. To at or before From is on the
// next date, so "22:00" to "06:00" is a night and "08:00" to "08:00" a full day.
// Spans of one date may overlap; they are then merged.
type Span struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Week maps weekdays to the spans that open on them. In JSON its keys are
// "monday" to "sunday"; three letters and any case are read as well.
type Week map[time.Weekday][]Span

// MondayToFriday returns a week with one span on each working day.
func MondayToFriday(from, to string) Week {
	return daily(from, to, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday)
}

// EveryDay returns a week with one span on all seven days.
func EveryDay(from, to string) Week {
	return daily(from, to, weekdays[:]...)
}

func daily(from, to string, days ...time.Weekday) Week {
	w := make(Week, len(days))
	for _, day := range days {
		w[day] = []Span{{From: from, To: to}}
	}
	return w
}

// weekdays is the order of output, as ISO 8601 counts them.
var weekdays = [...]time.Weekday{
	time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday,
}

// MarshalJSON writes the days that have spans, Monday first. A key that is no
// weekday is an error.
func (w Week) MarshalJSON() ([]byte, error) {
	for _, day := range slices.Sorted(maps.Keys(w)) {
		if day < time.Sunday || day > time.Saturday {
			return nil, &HoursError{Path: "week", Value: day.String(), Want: "a weekday"}
		}
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for _, day := range weekdays {
		if len(w[day]) == 0 {
			continue
		}
		spans, err := json.Marshal(w[day])
		if err != nil {
			return nil, err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", strings.ToLower(day.String()), spans)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads an object of weekdays. A name that is no weekday, a
// weekday named in two ways, or a span with another key than from and to is an
// error.
func (w *Week) UnmarshalJSON(data []byte) error {
	var named map[string][]Span
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&named); err != nil {
		return err
	}
	week := make(Week, len(named))
	for _, name := range slices.Sorted(maps.Keys(named)) {
		day, ok := parseWeekday(name)
		if !ok {
			return fmt.Errorf("weekday %q: want monday to sunday", name)
		}
		if _, twice := week[day]; twice {
			return fmt.Errorf("weekday %q: named twice", name)
		}
		week[day] = named[name]
	}
	*w = week
	return nil
}

func parseWeekday(name string) (time.Weekday, bool) {
	for _, day := range weekdays {
		if full := day.String(); strings.EqualFold(name, full) || strings.EqualFold(name, full[:3]) {
			return day, true
		}
	}
	return 0, false
}

// HolidayRule says what a holiday takes from a span that runs over midnight.
type HolidayRule uint8

// The two readings of "closed on 25 December".
const (
	// LocalDate closes the whole local date from midnight to midnight: the
	// night of the 24th ends at 24:00, that of the 25th opens at 24:00.
	LocalDate HolidayRule = iota
	// ShiftStart cancels the spans that would open on the date: the night of
	// the 24th runs into the morning of the 25th.
	ShiftStart
)

var holidayRules = [...]string{LocalDate: "local_date", ShiftStart: "shift_start"}

// String returns "local_date" or "shift_start".
func (r HolidayRule) String() string {
	if int(r) < len(holidayRules) {
		return holidayRules[r]
	}
	return fmt.Sprintf("HolidayRule(%d)", uint8(r))
}

// MarshalText writes the name of the rule.
func (r HolidayRule) MarshalText() ([]byte, error) {
	if int(r) >= len(holidayRules) {
		return nil, &HoursError{Path: "holiday_rule", Value: r.String(), Want: "local_date or shift_start"}
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads "local_date" or "shift_start".
func (r *HolidayRule) UnmarshalText(text []byte) error {
	at := slices.Index(holidayRules[:], string(text))
	if at < 0 {
		return &HoursError{Path: "holiday_rule", Value: string(text), Want: "local_date or shift_start"}
	}
	*r = HolidayRule(at)
	return nil
}

// HoursError reports one value of [Hours] that cannot be used.
type HoursError struct {
	Path  string // such as "week.monday[0].from"
	Value string
	Want  string
	Err   error // the cause, where there is one beneath
}

// Error names path, value and what was expected.
func (e *HoursError) Error() string {
	text := fmt.Sprintf("calendar: %s %q: want %s", e.Path, e.Value, e.Want)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause beneath, or nil.
func (e *HoursError) Unwrap() error { return e.Err }

// hours is [Hours] after parsing.
type hours struct {
	loc      *time.Location
	week     [7][]opening
	holidays map[day]bool
	special  map[day][]opening
	rule     HolidayRule
}

// opening is a span counted from 00:00 of the date on which it opens; to is after from.
type opening struct{ from, to time.Duration }

// compile parses all of h and joins the problems.
func compile(h Hours) (hours, error) {
	var problems []error
	keep := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	out := hours{holidays: map[day]bool{}, special: map[day][]opening{}, rule: h.HolidayRule}
	var err error
	out.loc, err = loadZone(h.Zone)
	keep(err)
	for _, weekday := range weekdays {
		out.week[weekday], err = parseSpans("week."+strings.ToLower(weekday.String()), h.Week[weekday])
		keep(err)
	}
	for _, weekday := range slices.Sorted(maps.Keys(h.Week)) {
		if weekday < time.Sunday || weekday > time.Saturday {
			keep(&HoursError{Path: "week", Value: weekday.String(), Want: "a weekday"})
		}
	}
	for i, text := range h.Holidays {
		date, err := parseDate(fmt.Sprintf("holidays[%d]", i), text)
		keep(err)
		out.holidays[date] = true
	}
	for _, text := range slices.Sorted(maps.Keys(h.Special)) {
		date, err := parseDate("special", text)
		keep(err)
		out.special[date], err = parseSpans("special."+text, h.Special[text])
		keep(err)
	}
	if h.HolidayRule > ShiftStart {
		keep(&HoursError{Path: "holiday_rule", Value: h.HolidayRule.String(), Want: "local_date or shift_start"})
	}
	return out, errors.Join(problems...)
}

func loadZone(name string) (*time.Location, error) {
	const want = `an IANA zone name like "Europe/Amsterdam"`
	if name == "" || name == "Local" {
		return nil, &HoursError{Path: "zone", Value: name, Want: want}
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, &HoursError{Path: "zone", Value: name, Want: want, Err: err}
	}
	return loc, nil
}

func parseSpans(path string, texts []Span) ([]opening, error) {
	var spans []opening
	var problems []error
	for i, text := range texts {
		from, errFrom := parseClock(fmt.Sprintf("%s[%d].from", path, i), text.From)
		to, errTo := parseClock(fmt.Sprintf("%s[%d].to", path, i), text.To)
		if err := errors.Join(errFrom, errTo); err != nil {
			problems = append(problems, err)
			continue
		}
		if to <= from {
			to += 24 * time.Hour
		}
		spans = append(spans, opening{from: from, to: to})
	}
	return spans, errors.Join(problems...)
}

// parseClock reads "HH:MM" or "HH:MM:SS" up to "24:00".
func parseClock(path, text string) (time.Duration, error) {
	refused := &HoursError{Path: path, Value: text, Want: `a time of day like "09:00", at most "24:00"`}
	if len(text) != len("15:04") && len(text) != len("15:04:05") {
		return 0, refused
	}
	var parts [3]int
	for i := 0; i < len(text); i += 3 {
		tens, ones := text[i]-'0', text[i+1]-'0'
		if tens > 9 || ones > 9 || (i > 0 && text[i-1] != ':') {
			return 0, refused
		}
		parts[i/3] = int(tens)*10 + int(ones)
	}
	clock := time.Duration(parts[0])*time.Hour + time.Duration(parts[1])*time.Minute + time.Duration(parts[2])*time.Second
	if parts[1] > 59 || parts[2] > 59 || clock > 24*time.Hour {
		return 0, refused
	}
	return clock, nil
}

func parseDate(path, text string) (day, error) {
	date, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, &HoursError{Path: path, Value: text, Want: `a date like "2026-12-25"`}
	}
	return dayOf(date), nil
}
