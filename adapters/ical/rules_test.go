package ical_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// recurrence is a rule for the slow second implementation: a date occurs when the
// period that holds it is one of every interval, counted from the start, and every
// part says yes.
type recurrence struct {
	freq                        string
	interval, count             int
	until                       time.Time
	months, monthDays, yearDays []int
	days                        []weekdayPart
	positions                   []int
	weekStart                   time.Weekday
}

type weekdayPart struct {
	n   int // 0 is every one
	day time.Weekday
}

var codes = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

func (r recurrence) String() string {
	text := "FREQ=" + r.freq
	ints := func(name string, list []int) {
		if len(list) > 0 {
			text += ";" + name + "=" + strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ","), "[]")
		}
	}
	if r.interval > 1 {
		ints("INTERVAL", []int{r.interval})
	}
	if r.count > 0 {
		ints("COUNT", []int{r.count})
	}
	if !r.until.IsZero() {
		text += ";UNTIL=" + r.until.Format("20060102")
	}
	ints("BYMONTH", r.months)
	ints("BYMONTHDAY", r.monthDays)
	ints("BYYEARDAY", r.yearDays)
	ints("BYSETPOS", r.positions)
	var days []string
	for _, d := range r.days {
		if d.n != 0 {
			days = append(days, strconv.Itoa(d.n)+codes[d.day])
		} else {
			days = append(days, codes[d.day])
		}
	}
	if len(days) > 0 {
		text += ";BYDAY=" + strings.Join(days, ",")
	}
	return text + ";WKST=" + codes[r.weekStart]
}

// period numbers the day, week, month or year of a date.
func (r recurrence) period(date time.Time) int {
	day := int(date.Unix() / 86400)
	switch r.freq {
	case "DAILY":
		return day
	case "WEEKLY": // 1 January 1970 was a Thursday
		return (day + 7000 + int(time.Thursday) - int(r.weekStart)) / 7
	case "MONTHLY":
		return date.Year()*12 + int(date.Month())
	default:
		return date.Year()
	}
}

func (r recurrence) matches(date, start time.Time) bool {
	year, month, day := date.Date()
	yearLength, monthLength := 337, time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	yearLength += time.Date(year, 3, 0, 0, 0, 0, 0, time.UTC).Day()
	if len(r.months) > 0 && !slices.Contains(r.months, int(month)) {
		return false
	}
	if len(r.monthDays) > 0 && !slices.Contains(r.monthDays, day) && !slices.Contains(r.monthDays, day-monthLength-1) {
		return false
	}
	if len(r.yearDays) > 0 && !slices.Contains(r.yearDays, date.YearDay()) && !slices.Contains(r.yearDays, date.YearDay()-yearLength-1) {
		return false
	}
	at, of := date.YearDay(), yearLength // of what BYDAY counts in
	if r.freq == "MONTHLY" || len(r.months) > 0 {
		at, of = day, monthLength
	}
	if len(r.days) > 0 && !slices.ContainsFunc(r.days, func(d weekdayPart) bool {
		return d.day == date.Weekday() && (d.n == 0 || d.n == (at+6)/7 || d.n == -(of-at+7)/7)
	}) {
		return false
	}
	if len(r.monthDays)+len(r.yearDays)+len(r.days) > 0 {
		return true
	}
	switch r.freq { // what the rule does not say, the start does
	case "WEEKLY":
		return date.Weekday() == start.Weekday()
	case "MONTHLY":
		return day == start.Day()
	case "YEARLY":
		return day == start.Day() && (len(r.months) > 0 || month == start.Month())
	default:
		return true
	}
}

// dates lists the occurrences in [from, until).
func (r recurrence) dates(start, from, until time.Time) []string {
	var all []time.Time
	for date := start.AddDate(-1, 0, 0); date.Before(until.AddDate(1, 0, 0)); {
		var set []time.Time
		first := r.period(date)
		for ; r.period(date) == first; date = date.AddDate(0, 0, 1) {
			if r.matches(date, start) && (first-r.period(start))%max(r.interval, 1) == 0 {
				set = append(set, date)
			}
		}
		if len(r.positions) > 0 {
			picked := []time.Time{}
			for i := range set {
				if slices.Contains(r.positions, i+1) || slices.Contains(r.positions, i-len(set)) {
					picked = append(picked, set[i])
				}
			}
			set = picked
		}
		all = append(all, set...)
	}
	occurrences := []time.Time{start}
	for _, date := range all {
		if date.After(start) {
			occurrences = append(occurrences, date)
		}
	}
	var texts []string
	for i, date := range occurrences {
		ended := r.count > 0 && i >= r.count || !r.until.IsZero() && date.After(r.until) && i > 0
		if !ended && !date.Before(from) && date.Before(until) {
			texts = append(texts, date.Format(time.DateOnly))
		}
	}
	return texts
}

// Random rules give the dates that the slow implementation finds day by day.
func TestRulesAgainstSearch(t *testing.T) {
	random := rand.New(rand.NewPCG(5545, 1))
	pick := func(n, low, high int, negative bool) []int {
		var list []int
		for range 1 + random.IntN(n) {
			v := low + random.IntN(high-low+1)
			if negative && random.IntN(3) == 0 {
				v = -v
			}
			list = append(list, v)
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	found := 0
	for i := range 1500 {
		r := recurrence{freq: []string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}[random.IntN(4)], weekStart: time.Weekday(random.IntN(7))}
		maybe := func(n int) bool { return random.IntN(n) == 0 }
		if maybe(2) {
			r.interval = 1 + random.IntN(5)
		}
		if maybe(2) {
			r.months = pick(4, 1, 12, false)
		}
		if maybe(3) && r.freq != "WEEKLY" {
			r.monthDays = pick(4, 1, 31, true)
		}
		if maybe(5) && r.freq == "YEARLY" {
			r.yearDays = pick(20, 1, 366, true)
		}
		if maybe(2) {
			for _, day := range pick(3, 0, 6, false) {
				part := weekdayPart{day: time.Weekday(day)}
				if r.freq == "MONTHLY" || r.freq == "YEARLY" && maybe(2) {
					part.n = pick(1, 1, 5, true)[0]
				}
				r.days = append(r.days, part)
			}
		}
		if maybe(4) && r.freq != "DAILY" {
			r.positions = pick(2, 1, 4, true)
		}
		start := time.Date(2019, 1, 1+random.IntN(2500), 0, 0, 0, 0, time.UTC)
		switch random.IntN(3) {
		case 0:
			r.count = 1 + random.IntN(30)
		case 1:
			r.until = start.AddDate(0, 0, random.IntN(2000))
		}
		text := r.String()
		want := r.dates(start, year(2024), year(2027))
		got := read(t, feed(event("DTSTART;VALUE=DATE:"+start.Format("20060102"), "RRULE:"+text)), 2024, 2027).Dates()
		if !slices.Equal(got, want) {
			t.Fatalf("rule %d: %s from %s\ngot  %v\nwant %v", i, text, start.Format(time.DateOnly), got, want)
		}
		found += len(want)
	}
	if found < 25_000 {
		t.Fatalf("only %d dates were compared", found)
	}
}
