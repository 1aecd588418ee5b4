package continuity

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// KeyDate is a date on which services have to run: a payroll run, the close of a
// period, a sale.
type KeyDate struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	Rule Rule   `json:"rule"`

	// Zone is the IANA name of the zone in which the dates are.
	Zone string `json:"zone"`
	// BusinessDays are the dates of the schedule on which something opens, less its
	// holidays. Its zone defaults to that of the key date and may be no other.
	// Defaults to Monday to Friday.
	BusinessDays *calendar.Hours `json:"business_days,omitempty"`
	// Span is the time of day, into the next date if it ends at or before it begins,
	// as in a schedule. Defaults to the whole date, from midnight to midnight.
	Span *calendar.Span `json:"span,omitempty"`

	// Services are those that have to run. Empty means all of the catalogue.
	Services []string `json:"services,omitempty"`
	// Freeze forbids changes and maintenance of the services.
	Freeze bool `json:"freeze,omitempty"`
	// Cover is how many people who know a technology domain have to be on duty at
	// every instant.
	Cover map[string]int `json:"extra_cover,omitempty"`
	// Runbook is the id of the procedure.
	Runbook string `json:"runbook,omitempty"`
	// RehearsedAt is when it was last rehearsed; a later rehearsal of the runbook
	// counts as well.
	RehearsedAt time.Time `json:"rehearsed_at,omitzero"`
}

// Rule says which dates. Exactly one of Day, Last and Dates is set.
type Rule struct {
	// Day is the day of every month, 1 to 31; a month without it has its last day
	// instead.
	Day int `json:"day,omitempty"`
	// Last is how many of the last business days of every month, 1 to 20; what lies
	// between them is not meant.
	Last int `json:"last_business_days,omitempty"`
	// Dates are single dates like "2026-11-27".
	Dates []string `json:"dates,omitempty"`
	// Roll moves a date that is no business day. Defaults to leaving it. It is
	// refused beside Last.
	Roll Roll `json:"roll,omitempty"`
}

// Roll is a business day convention (ISDA 2006 Definitions, section 4.12). A date
// without a business day within 31 days stays where it is.
type Roll string

// The conventions.
const (
	NoRoll            Roll = ""
	Preceding         Roll = "preceding"          // the last business day before
	Following         Roll = "following"          // the first one after
	ModifiedFollowing Roll = "modified_following" // the same, unless that is in the next month: then the one before
)

const (
	mostLast = 20 // a month always has days besides
	maxRoll  = 31
)

// Occurrence is one key date as a stretch of time. Dates that touch, as the last
// days of a month do, are one.
type Occurrence struct {
	KeyDate  string            `json:"key_date"` // its id
	Days     []Day             `json:"days"`
	Interval calendar.Interval `json:"interval"` // half-open, in UTC
}

// Day is a date of the zone.
type Day struct {
	Date    string `json:"date"`
	Nominal string `json:"nominal,omitempty"` // the date of the rule, if it was moved
}

// Expand returns the occurrences that overlap the horizon, whole and in order. The
// years are 1678 to 2261; whatever lies outside has no key dates. A date that the
// zone skips has none either. A time of day that occurs twice begins with the first
// and ends with the last occurrence, so that no hour is left open when a clock is
// put back; midnights are where dates meet and are the first.
//
// The errors are [*RecordError], joined, and those of an invalid horizon. The cost
// is some microseconds a month; the zone data and the schedule are read anew, so use
// [Register.KeyDates] for many calls.
func (k KeyDate) Expand(horizon calendar.Interval) ([]Occurrence, error) {
	p := newProblems()
	c := compileDate(k, p)
	if err := p.err(); err != nil {
		return nil, err
	}
	if err := horizon.Validate(); err != nil {
		return nil, err
	}
	return c.expand(horizon), nil
}

// plannedDate is a key date, compiled.
type plannedDate struct {
	KeyDate
	business *calendar.Calendar
	from, to time.Duration // after midnight; to is after from
	dates    []time.Time   // those of the rule, as wall times
}

// compileDate reads a key date; p collects what is wrong with its dates.
func compileDate(k KeyDate, p problems) *plannedDate {
	c := &plannedDate{KeyDate: k, to: 24 * time.Hour}
	c.compileBusiness(p)
	c.compileRule(p.at("rule"))
	if k.Span != nil {
		c.from, c.to = clock("from", k.Span.From, p.at("span")), clock("to", k.Span.To, p.at("span"))
		if c.to <= c.from {
			c.to += 24 * time.Hour
		}
	}
	return c
}

func (c *plannedDate) compileBusiness(p problems) {
	hours := calendar.Hours{Zone: c.Zone, Week: calendar.MondayToFriday("00:00", "24:00")}
	if c.BusinessDays != nil {
		hours = *c.BusinessDays
		if hours.Zone == "" {
			hours.Zone = c.Zone
		}
		if hours.Zone != c.Zone {
			p.add("business_days.zone", hours.Zone, fmt.Sprintf("%q, as the key date has", c.Zone))
		}
	}
	var err error
	if c.business, err = calendar.New(hours); err != nil {
		p.add("business_days", hours.Zone, err.Error())
	}
}

func (c *plannedDate) compileRule(p problems) {
	set := 0
	for _, there := range []bool{c.Rule.Day != 0, c.Rule.Last != 0, len(c.Rule.Dates) > 0} {
		if there {
			set++
		}
	}
	if set != 1 {
		p.add("day", strconv.Itoa(c.Rule.Day), "exactly one of day, last_business_days and dates")
	}
	if c.Rule.Day < 0 || c.Rule.Day > 31 {
		p.add("day", strconv.Itoa(c.Rule.Day), "1 to 31")
	}
	if c.Rule.Last < 0 || c.Rule.Last > mostLast {
		p.add("last_business_days", strconv.Itoa(c.Rule.Last), fmt.Sprintf("1 to %d", mostLast))
	}
	for i, text := range c.Rule.Dates {
		date, err := time.Parse(time.DateOnly, text)
		if err != nil {
			p.add(fmt.Sprintf("dates[%d]", i), text, `a date like "2026-11-27"`)
		}
		c.dates = append(c.dates, date)
	}
	switch c.Rule.Roll {
	case NoRoll:
	case Preceding, Following, ModifiedFollowing:
		if c.Rule.Last != 0 {
			p.add("roll", string(c.Rule.Roll), "none: the last business days are business days")
		}
	default:
		p.add("roll", string(c.Rule.Roll), "preceding, following or modified_following")
	}
}

// clock reads a time of day.
func clock(key, text string, p problems) time.Duration {
	if text == "24:00" || text == "24:00:00" {
		return 24 * time.Hour
	}
	for _, layout := range []string{"15:04", time.TimeOnly} {
		if t, err := time.Parse(layout, text); err == nil && len(text) == len(layout) {
			return t.Sub(wallclock.Midnight(t))
		}
	}
	p.add(key, text, `a time of day like "09:00", at most "24:00"`)
	return 0
}

// The years in which schedules are open, as in package calendar.
var (
	firstDate = time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC)
	afterLast = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

// expand returns the occurrences that overlap the horizon.
func (c *plannedDate) expand(horizon calendar.Interval) (out []Occurrence) {
	horizon, ok := horizon.Clip(calendar.Interval{Start: firstDate, End: afterLast})
	if !ok {
		return nil
	}
	// A date is moved by maxRoll days at most and lasts less than two, and the few that
	// touch and so are one are days apart. Whatever reaches into the horizon therefore
	// comes of its months and of two more on either side.
	loc := c.business.Location()
	months := calendar.Interval{Start: wallclock.At(horizon.Start, loc), End: wallclock.At(horizon.End, loc)}
	nominal := c.days(wallclock.AddMonths(months.Start, -2), wallclock.AddMonths(months.End, 2))
	for _, date := range slices.SortedFunc(maps.Keys(nominal), time.Time.Compare) {
		day, interval := Day{Date: date.Format(time.DateOnly)}, c.interval(date)
		if interval.IsEmpty() {
			continue
		}
		if from := nominal[date]; !from.Equal(date) {
			day.Nominal = from.Format(time.DateOnly)
		}
		if n := len(out) - 1; n >= 0 && !interval.Start.After(out[n].Interval.End) {
			out[n].Days, out[n].Interval.End = append(out[n].Days, day), interval.End
			continue
		}
		out = append(out, Occurrence{KeyDate: c.ID, Days: []Day{day}, Interval: interval})
	}
	return slices.DeleteFunc(out, func(o Occurrence) bool { return !o.Interval.Overlaps(horizon) })
}

// days returns the dates of the months from that of first to that of last, each
// with the date of the rule.
func (c *plannedDate) days(first, last time.Time) map[time.Time]time.Time {
	out := map[time.Time]time.Time{}
	add := func(nominal time.Time) {
		date := c.roll(nominal)
		if known, there := out[date]; !there || nominal.Equal(date) || !known.Equal(date) && nominal.Before(known) {
			out[date] = nominal
		}
	}
	for _, date := range c.dates {
		add(date)
	}
	if len(c.dates) > 0 {
		return out
	}
	for month := firstOfMonth(first); !month.After(last); month = month.AddDate(0, 1, 0) {
		end := month.AddDate(0, 1, -1)
		if c.Rule.Day > 0 {
			add(month.AddDate(0, 0, min(c.Rule.Day, end.Day())-1))
		}
		for date, left := end, c.Rule.Last; left > 0 && !date.Before(month); date = date.AddDate(0, 0, -1) {
			if c.business.IsBusinessDay(date) {
				add(date)
				left--
			}
		}
	}
	return out
}

func firstOfMonth(wall time.Time) time.Time {
	return time.Date(wall.Year(), wall.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// roll moves a date that is no business day.
func (c *plannedDate) roll(date time.Time) time.Time {
	switch c.Rule.Roll {
	case Preceding:
		date, _ = c.nearest(date, -1)
	case Following:
		date, _ = c.nearest(date, 1)
	case ModifiedFollowing:
		following, ok := c.nearest(date, 1)
		if ok && following.Month() == date.Month() {
			return following
		}
		if before, ok := c.nearest(date, -1); ok {
			return before
		}
		return following
	case NoRoll:
	}
	return date
}

// nearest returns the first business day from a date on, in steps of a day; the date
// itself and false if there is none in reach.
func (c *plannedDate) nearest(date time.Time, step int) (time.Time, bool) {
	for n := range maxRoll + 1 {
		if d := date.AddDate(0, 0, n*step); c.business.IsBusinessDay(d) {
			return d, true
		}
	}
	return date, false
}

// interval returns the stretch of a date.
func (c *plannedDate) interval(date time.Time) calendar.Interval {
	end := wallclock.Last
	if c.to%(24*time.Hour) == 0 {
		end = wallclock.First
	}
	loc := c.business.Location()
	return calendar.Interval{
		Start: wallclock.Resolve(date.Add(c.from), loc, wallclock.First),
		End:   wallclock.Resolve(date.Add(c.to), loc, end),
	}
}

// name returns what people call the key date.
func (c *plannedDate) name() string {
	if c.Name != "" {
		return c.Name
	}
	return c.ID
}

// text writes the dates for a sentence.
func (o Occurrence) text() string {
	days := make([]string, len(o.Days))
	for i, d := range o.Days {
		days[i] = d.Date
	}
	return strings.Join(days, ", ")
}

func (k KeyDate) check(services map[string]bool, p problems) *plannedDate {
	if len(k.Services) > 0 {
		checkServices(k.Services, services, p)
	}
	for _, domain := range slices.Sorted(maps.Keys(k.Cover)) {
		if n := k.Cover[domain]; n < 1 || domain == "" {
			p.add("extra_cover."+domain, strconv.Itoa(n), "a domain, and 1 or more people")
		}
	}
	return compileDate(k, p)
}
