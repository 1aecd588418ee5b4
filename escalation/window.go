package escalation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// Window is a stretch of the wall clock that recurs on some weekdays, in the
// zone of what it belongs to: a layer, an engineer or a centre.
//
// It is half-open and begins on its days; where To is at or before From it ends
// on the following date, so "22:00" to "06:00" on Friday ends on Saturday, and
// "09:00" to "09:00" is 24 hours long. Its start is the first and its end the
// last occurrence of an ambiguous reading, so that a clock put back never opens
// a gap; a reading that the zone skips stands for the instant of the transition,
// so that a window wholly inside the skipped hour is not there on that date.
type Window struct {
	// Days are the local weekdays on which the window begins. Defaults to all.
	Days DaySet `json:"days,omitzero"`

	// From and To are "HH:MM" or "HH:MM:SS"; To may be "24:00".
	From string `json:"from"`
	To   string `json:"to"`

	// Except are local dates like "2026-04-27" on which it does not begin.
	Except []string `json:"except_dates,omitempty"`
}

// DaySet is a set of weekdays. The zero value stands for all seven.
type DaySet uint8

// Single days, and the sets in common use.
const (
	Sunday DaySet = 1 << iota
	Monday
	Tuesday
	Wednesday
	Thursday
	Friday
	Saturday

	Weekdays = Monday | Tuesday | Wednesday | Thursday | Friday
	Weekend  = Saturday | Sunday
	EveryDay = Weekdays | Weekend
)

// weekOrder is the order of output, as ISO 8601 counts the days.
var weekOrder = [...]time.Weekday{
	time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday,
}

// Has reports whether the set holds the weekday.
func (d DaySet) Has(day time.Weekday) bool { return d == 0 || d&(1<<day) != 0 }

// ParseDaySet reads weekdays, written in full or as three letters in any case. An
// empty list is the zero set.
func ParseDaySet(names []string) (DaySet, error) {
	var d DaySet
	for i, name := range names {
		at := slices.IndexFunc(weekOrder[:], func(day time.Weekday) bool {
			full := day.String()
			return strings.EqualFold(name, full) || strings.EqualFold(name, full[:3])
		})
		if at < 0 {
			return 0, &ConfigError{Path: fmt.Sprintf("days[%d]", i), Value: name, Want: "Mon to Sun"}
		}
		d |= 1 << weekOrder[at]
	}
	return d, nil
}

func (d DaySet) names() []string {
	names := make([]string, 0, len(weekOrder))
	for _, day := range weekOrder {
		if d&(1<<day) != 0 {
			names = append(names, day.String()[:3])
		}
	}
	return names
}

// String returns the days as "Mon,Tue", and "every day" for all of them.
func (d DaySet) String() string {
	if d == 0 || d == EveryDay {
		return "every day"
	}
	return strings.Join(d.names(), ",")
}

// MarshalJSON writes an array of three-letter names, Monday first.
func (d DaySet) MarshalJSON() ([]byte, error) { return json.Marshal(d.names()) }

// UnmarshalJSON reads an array as [ParseDaySet] does.
func (d *DaySet) UnmarshalJSON(data []byte) error {
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		return err
	}
	days, err := ParseDaySet(names)
	if err != nil {
		return err
	}
	*d = days
	return nil
}

// String returns the window as people write it.
func (w Window) String() string {
	text := w.From + "-" + w.To
	if w.Days != 0 && w.Days != EveryDay {
		text = w.Days.String() + " " + text
	}
	return text
}

// Validate returns all problems as joined [*ConfigError]s.
func (w Window) Validate() error {
	p := newProblems()
	compileWindow(w, p)
	return p.err()
}

// hours are windows after parsing, in one zone.
type hours struct {
	zone    *zone
	windows []window
}

// window counts from and to in seconds since 00:00 of the date on which it
// begins; to lies after from, by 24 hours at most.
type window struct {
	days     DaySet
	from, to int64
	except   []int64 // sorted dates
}

func compileWindows(list []Window, z *zone, p problems) *hours {
	h := &hours{zone: z, windows: make([]window, len(list))}
	for i, w := range list {
		h.windows[i] = compileWindow(w, p.at("[%d]", i))
	}
	return h
}

// sharedHours keeps one value for all who work the same windows in the same zone,
// so that a search looks it up once.
type sharedHours map[string]*hours

func (known sharedHours) compile(list []Window, z *zone, p problems) *hours {
	h := compileWindows(list, z, p)
	if z == nil {
		return h
	}
	key := fmt.Sprint(z.loc, list)
	if same := known[key]; same != nil {
		return same
	}
	known[key] = h
	return h
}

func compileWindow(w Window, p problems) window {
	out := window{days: w.Days}
	if w.Days > EveryDay {
		p.at("days").add(strconv.Itoa(int(w.Days)), "a set of weekdays")
	}
	var ok bool
	if out.from, ok = parseClock(w.From); !ok || out.from == secondsPerDay {
		p.at("from").add(w.From, `a time of day like "09:00"`)
	}
	if out.to, ok = parseClock(w.To); !ok {
		p.at("to").add(w.To, `a time of day like "18:00", or "24:00"`)
	}
	if out.to <= out.from {
		out.to += secondsPerDay
	}
	for i, text := range w.Except {
		out.except = append(out.except, parseDate(text, p.at("except_dates[%d]", i)))
	}
	slices.Sort(out.except)
	return out
}

// parseClock reads "HH:MM" and "HH:MM:SS" up to "24:00" as seconds.
func parseClock(text string) (second int64, ok bool) {
	if text == "24:00" || text == "24:00:00" {
		return secondsPerDay, true
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if len(text) != len(layout) {
			continue
		}
		if at, err := time.Parse(layout, text); err == nil {
			_, second = date(at.Unix())
			return second, true
		}
	}
	return 0, false
}

func (w *window) begins(day int64) bool {
	if !w.days.Has(weekday(day)) {
		return false
	}
	_, excepted := slices.BinarySearch(w.except, day)
	return !excepted
}

// interval returns the window that begins on a date, which lies in or near the
// stretch s.
func (w *window) interval(day int64, z *zone, s stretch) (start, end int64) {
	midnight := day * secondsPerDay
	return z.resolveIn(s, midnight+w.from, wallclock.First), z.resolveIn(s, midnight+w.to, wallclock.Last)
}

// open reports whether the instant lies in a window.
func (h *hours) open(t int64) bool {
	s := h.zone.at(t)
	day, second := date(t + s.offset)
	if s.holds(t, 2*secondsPerDay+reach) {
		for i := range h.windows {
			w := &h.windows[i]
			if second >= w.from && second < w.to && w.begins(day) || second+secondsPerDay < w.to && w.begins(day-1) {
				return true
			}
		}
		return false
	}
	for i := range h.windows {
		w := &h.windows[i]
		for d := day - 2; d <= day+1; d++ {
			if !w.begins(d) {
				continue
			}
			if start, end := w.interval(d, h.zone, s); start <= t && t < end {
				return true
			}
		}
	}
	return false
}

// state reports whether the instant lies in a window, and returns the first
// start or end of a window after it.
func (h *hours) state(t int64) (open bool, next int64) {
	s := h.zone.at(t)
	today, _ := date(t + s.offset)
	next = forever
	for i := range h.windows {
		w := &h.windows[i]
		for day, last := today-2, today+int64(7*len(w.except)+14); day <= last; day++ {
			if !w.begins(day) {
				continue
			}
			start, end := w.interval(day, h.zone, s)
			if start > t {
				next = min(next, start)
				break
			}
			if end > t {
				open, next = true, min(next, end)
			}
		}
	}
	return open, next
}

func (h *hours) next(t int64) int64 {
	_, next := h.state(t)
	return next
}
