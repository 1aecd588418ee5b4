package ical

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/evenkeelops/evenkeel/internal/times"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// rule is an RRULE that has been checked.
type rule struct {
	prop  property
	opts  rrule.ROption
	count int
	until *moment
}

// ruleForm is what an RRULE should look like.
const ruleForm = "a rule like FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"

// rule reads and checks an RRULE of RFC 5545, 3.3.10. What the library would read
// in its own way, or not survive, is refused here.
func (p *parser) rule(prop property, start moment) (*rule, *FeedError) {
	r := &rule{prop: prop}
	var kept, seen []string
	for part := range strings.SplitSeq(strings.ToUpper(prop.value), ";") {
		name, value, ok := strings.Cut(part, "=")
		if !ok || value == "" {
			return nil, prop.fault(ruleForm)
		}
		if slices.Contains(seen, name) {
			return nil, prop.fault(name + " once")
		}
		seen = append(seen, name)
		switch name {
		case "COUNT", "INTERVAL":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > MaxDates {
				return nil, prop.fault(name + " from 1 to " + strconv.Itoa(MaxDates))
			}
			if name == "COUNT" {
				r.count = n
				continue
			}
		case "UNTIL":
			at, err := p.moment(property{line: prop.line, name: "RRULE;UNTIL"}, value)
			if err != nil {
				return nil, err
			}
			if !strings.HasSuffix(value, "Z") { // on the clock of the event
				at.zone = start.zone
			}
			r.until = &at
			continue
		case "FREQ":
			if !slices.Contains([]string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}, value) {
				return nil, prop.fault("FREQ of YEARLY, MONTHLY, WEEKLY or DAILY")
			}
		case "WKST":
			if len(value) != 2 {
				return nil, prop.fault("WKST like MO")
			}
		case "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY", "BYSETPOS":
		default:
			return nil, prop.fault("no " + name + ", which is not supported")
		}
		kept = append(kept, part)
	}
	if r.count > 0 && r.until != nil {
		return nil, prop.fault("either COUNT or UNTIL")
	}
	opts, err := rrule.StrToROption(strings.Join(kept, ";"))
	if err != nil {
		return nil, &FeedError{Line: prop.line, Property: prop.name, Value: prop.value, Want: ruleForm, Err: err}
	}
	r.opts = *opts
	r.opts.Dtstart = midnight(start.wall)
	if want := r.fault(start); want != "" {
		return nil, prop.fault(want)
	}
	if _, err := rrule.NewRRule(r.opts); err != nil {
		return nil, &FeedError{Line: prop.line, Property: prop.name, Value: prop.value, Want: ruleForm, Err: err}
	}
	return r, nil
}

// fault says what is wanted where parts of the rule do not go together.
func (r *rule) fault(start moment) string {
	o := &r.opts
	inMonths := o.Freq == rrule.MONTHLY || o.Freq == rrule.YEARLY && len(o.Bymonth) > 0
	for _, day := range o.Byweekday {
		switch n := day.N(); {
		case n != 0 && (o.Freq == rrule.WEEKLY || o.Freq == rrule.DAILY || len(o.Byweekno) > 0):
			return "BYDAY without numbers in rules by week or day"
		case inMonths && (n > 5 || n < -5):
			return "at most five of a weekday in a month"
		}
	}
	for _, days := range [][]int{o.Bymonthday, o.Byyearday, o.Byweekno, o.Bysetpos} {
		if slices.Contains(days, 0) {
			return "days, weeks and positions from 1 or from -1"
		}
	}
	switch {
	case len(o.Byweekno) > 0 && o.Freq != rrule.YEARLY:
		return "BYWEEKNO in yearly rules only"
	case len(o.Byyearday) > 0 && o.Freq != rrule.YEARLY:
		return "BYYEARDAY in yearly rules only"
	case len(o.Bymonthday) > 0 && o.Freq == rrule.WEEKLY:
		return "no BYMONTHDAY in weekly rules"
	}
	if numbered := func(day rrule.Weekday) bool { return day.N() != 0 }; slices.ContainsFunc(o.Byweekday, numbered) {
		// The library would want a day to be one of those with a number and one of those without.
		most := 53
		if inMonths {
			most = 5
		}
		var days []rrule.Weekday
		for _, day := range o.Byweekday {
			if numbered(day) {
				days = append(days, day)
				continue
			}
			for n := range most {
				days = append(days, day.Nth(n+1))
			}
		}
		o.Byweekday = days
	}
	if byWeek := o.Freq == rrule.WEEKLY || len(o.Byweekno) > 0; byWeek && len(o.Byweekday)+len(o.Bymonthday)+len(o.Byyearday) == 0 {
		o.Byweekday = []rrule.Weekday{weekdays[start.wall.Weekday()]} // the library would take all seven days of BYWEEKNO
	}
	return ""
}

var weekdays = [...]rrule.Weekday{rrule.SU, rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA}

// periods is how many days, weeks, months or years of a rule fit in a number of
// years, those of a year as twelve because the library looks at each of its days.
func (r *rule) periods(years int) int {
	n := map[rrule.Frequency]int{rrule.DAILY: 366, rrule.WEEKLY: 53, rrule.MONTHLY: 12, rrule.YEARLY: 12}[r.opts.Freq]
	return years*n/max(r.opts.Interval, 1) + 1
}

// cycle is after how many years the Gregorian calendar repeats itself, weekdays
// included: 146097 days, which are 20871 weeks.
const cycle = 400

// starts calls yield with the wall times at which the event begins, in order,
// those before last (a date), and returns how many periods the rule walked.
//
// A rule that matches nothing any more makes the library search up to the year
// 9999; everything is therefore moved as near to it as whole cycles allow.
func (e *event) starts(last time.Time, yield func(time.Time) bool) (periods int) {
	if !e.start.wall.Before(last) {
		return 0
	}
	if e.rule == nil {
		yield(e.start.wall)
		return 0
	}
	shift := (rrule.MAXYEAR - last.Year()) / cycle * cycle
	opts := e.rule.opts
	opts.Dtstart = midnight(e.start.wall).AddDate(shift, 0, 0)
	if opts.Freq == rrule.WEEKLY { // BYSETPOS counts from the first day of the week, not from the start
		day := (int(opts.Dtstart.Weekday()) + 6) % 7 // from Monday, as the library has it
		opts.Dtstart = opts.Dtstart.AddDate(0, 0, -((day - opts.Wkst.Day() + 7) % 7))
	}
	opts.Until = last.AddDate(shift, 0, 0)
	walk, err := rrule.NewRRule(opts)
	if err != nil {
		return 0 // checked when it was read
	}
	clock := e.start.wall.Sub(midnight(e.start.wall))
	periods = e.rule.periods(last.Year() - e.start.wall.Year() + 1)
	matches := false
	if !yield(e.start.wall) { // an occurrence whether it matches or not
		return periods
	}
	found, next := 1, walk.Iterator()
	for date, ok := next(); ok; date, ok = next() {
		wall := date.AddDate(-shift, 0, 0).Add(clock)
		if matches = true; !wall.After(e.start.wall) {
			continue
		}
		if e.rule.count > 0 && found >= e.rule.count || e.rule.ended(wall, e.start) || !wall.Before(last) {
			break
		}
		if found++; !yield(wall) {
			break
		}
	}
	if !matches {
		periods += e.rule.periods(cycle)
	}
	return periods
}

// ended reports whether the rule ends before an occurrence. UNTIL itself is the
// last one; a date stands for all of it.
func (r *rule) ended(wall time.Time, start moment) bool {
	if r.until == nil {
		return false
	}
	if start.date || r.until.date {
		return midnight(wall).After(midnight(r.until.wall))
	}
	return moment{wall: wall, zone: start.zone}.instant().After(r.until.instant())
}

// exceptions are moments at which a series has no occurrence of its own.
type exceptions struct {
	dates    map[time.Time]bool // by date, those with a time too
	all      map[time.Time]bool // by date, those without a time
	instants map[int64]bool
}

func newExceptions() *exceptions {
	return &exceptions{map[time.Time]bool{}, map[time.Time]bool{}, map[int64]bool{}}
}

func (x *exceptions) add(m moment) {
	date := midnight(m.wall)
	x.dates[date] = true
	if m.date {
		x.all[date] = true
	} else {
		x.instants[m.instant().Unix()] = true
	}
}

func (x *exceptions) has(m moment) bool {
	date := midnight(m.wall)
	if m.date {
		return x.dates[date]
	}
	return x.all[date] || x.instants[m.instant().Unix()]
}

// expander turns events into the occurrences of a window.
type expander struct {
	window   window
	take     func(e *event, start moment, l length) bool // an occurrence; false to stop
	skipped  []Skipped
	problems problems

	days map[time.Time][]Cause // that occurrences cover, see cover

	dates, periods int // spent of the limits
}

// walk takes every occurrence up to the end of the window.
func (x *expander) walk(events []*event, options Options) error {
	events = x.current(events)
	replaced := map[string]*exceptions{} // by UID
	for _, e := range events {
		if e.recurrence != nil {
			if replaced[e.uid] == nil {
				replaced[e.uid] = newExceptions()
			}
			replaced[e.uid].add(*e.recurrence)
		}
	}
	for _, e := range events {
		switch {
		case e.cancelled:
			x.skipped = append(x.skipped, e.skip(time.Time{}, "cancelled"))
			continue
		case options.BusyOnly && e.transparent:
			x.skipped = append(x.skipped, e.skip(time.Time{}, "transparent"))
			continue
		}
		var others *exceptions
		if e.recurrence == nil && e.uid != "" {
			others = replaced[e.uid]
		}
		if !x.series(e, others) {
			break
		}
	}
	return x.problems.joined()
}

// feed returns the dates that the events cover.
func (x *expander) feed(events []*event, options Options) (Feed, error) {
	x.take = x.occurrence
	if err := x.walk(events, options); err != nil {
		return Feed{}, err
	}
	feed := Feed{Days: []Day{}, Skipped: x.skips()}
	for _, date := range slices.SortedFunc(maps.Keys(x.days), time.Time.Compare) {
		causes := x.days[date]
		slices.SortStableFunc(causes, func(a, b Cause) int { return cmp.Compare(a.Line, b.Line) })
		feed.Days = append(feed.Days, Day{Date: date.Format(time.DateOnly), Causes: causes})
	}
	return feed, nil
}

// skips returns the events that were left out, by line and date.
func (x *expander) skips() []Skipped {
	skipped := append([]Skipped{}, x.skipped...)
	slices.SortStableFunc(skipped, func(a, b Skipped) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Date, b.Date))
	})
	return skipped
}

// current leaves out the events that another one with the same UID and
// RECURRENCE-ID supersedes.
func (x *expander) current(events []*event) []*event {
	type key struct{ uid, recurrence string }
	newest := map[key]*event{}
	keyOf := func(e *event) key {
		k := key{uid: e.uid}
		if e.recurrence != nil {
			k.recurrence = e.recurrence.instant().Format(time.RFC3339)
		}
		return k
	}
	for _, e := range events {
		if e.uid == "" {
			continue
		}
		old := newest[keyOf(e)]
		if old == nil || cmp.Or(cmp.Compare(e.sequence, old.sequence), cmp.Compare(e.stamp, old.stamp)) >= 0 {
			newest[keyOf(e)] = e
		}
	}
	var kept []*event
	for _, e := range events {
		if by := newest[keyOf(e)]; e.uid != "" && by != e {
			x.skipped = append(x.skipped, e.skip(time.Time{}, "superseded by line "+strconv.Itoa(by.line)))
			continue
		}
		kept = append(kept, e)
	}
	return kept
}

// series covers the dates of all occurrences of an event. It reports whether the
// limits allow to go on.
func (x *expander) series(e *event, others *exceptions) bool {
	if e.length == (length{}) {
		x.skipped = append(x.skipped, e.skip(time.Time{}, "it has no length"))
	}
	if e.rule != nil && x.periods+e.rule.periods(x.window.last.Year()-e.start.wall.Year()+1) > MaxPeriods {
		x.problems.add(e.rule.prop.fault("rules that walk through at most " + strconv.Itoa(MaxPeriods) + " periods in all"))
		return false
	}
	removed := newExceptions()
	for _, m := range e.removed {
		removed.add(m)
	}
	seen := map[int64]bool{}
	one := func(start moment, l length) bool {
		at := start.instant().Unix()
		if start.date {
			at = start.wall.Unix() // two dates begin together where the clock skips one
		}
		if seen[at] || removed.has(start) || others != nil && others.has(start) {
			return true
		}
		seen[at] = true
		return x.take(e, start, l)
	}
	fits := true
	x.periods += e.starts(x.window.last.Add(2*oneDay), func(wall time.Time) bool { // zones are less than two days apart
		start := e.start
		start.wall = wall
		fits = one(start, e.length)
		return fits
	})
	for _, more := range e.added {
		l := e.length
		if more.length != nil {
			l = *more.length
		}
		fits = fits && one(more.start, l)
	}
	return fits
}

// occurrence covers the dates of one occurrence.
func (x *expander) occurrence(e *event, start moment, l length) bool {
	w := x.window
	if start.date {
		first, last := start.wall, start.wall.Add(time.Duration(l.days)*oneDay)
		for date := times.Later(first, w.first); date.Before(last) && date.Before(w.last); date = date.Add(oneDay) {
			if !x.cover(e, date, nil) {
				return false
			}
		}
		return true
	}
	from, until := times.Later(start.instant(), w.from), l.after(start)
	if until.After(w.until) {
		until = w.until
	}
	for date := midnight(wallclock.At(from, w.loc)); from.Before(until); date = date.Add(oneDay) {
		begins, ends := w.start(date), w.start(date.Add(oneDay))
		to := ends
		if until.Before(ends) {
			to = until
		}
		if !from.Before(to) {
			continue // the clock skips the whole date
		}
		closed, ok := x.part(date, begins, ends, from, to)
		if !ok {
			x.skipped = append(x.skipped, e.skip(date, "the clock is put back over its start or end"))
		} else if !x.cover(e, date, closed) {
			return false
		}
		from = to
	}
	return true
}

// part returns what [from, to) is of a date on the wall clock, nil for all of it.
// Where the first showing of a reading is another instant, hours of the wall clock
// cannot say it.
func (x *expander) part(date, begins, ends, from, to time.Time) (*calendar.Span, bool) {
	if from.Equal(begins) && to.Equal(ends) {
		return nil, true
	}
	closed := &calendar.Span{From: "00:00", To: "24:00"}
	for _, bound := range []struct {
		at, edge time.Time
		text     *string
	}{{from, begins, &closed.From}, {to, ends, &closed.To}} {
		if bound.at.Equal(bound.edge) {
			continue
		}
		wall := wallclock.At(bound.at, x.window.loc)
		if !x.window.start(wall).Equal(bound.at) {
			return nil, false
		}
		*bound.text = clock(wall.Sub(date))
	}
	return closed, closed.From < closed.To
}

// spend counts a date against the limit.
func (x *expander) spend(e *event) bool {
	if x.dates++; x.dates > MaxDates {
		x.problems.add(&FeedError{Line: e.line, Property: "VEVENT", Value: e.summary, Want: "events that cover at most " + strconv.Itoa(MaxDates) + " dates in all"})
		return false
	}
	return true
}

func (x *expander) cover(e *event, date time.Time, closed *calendar.Span) bool {
	if !x.spend(e) {
		return false
	}
	x.days[date] = append(x.days[date], Cause{Summary: e.summary, UID: e.uid, Line: e.line, Closed: closed})
	return true
}
