package continuity_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// payroll is on the 25th, or on the business day before.
func payroll() continuity.KeyDate {
	return continuity.KeyDate{
		ID: "payroll", Name: "Payroll run", Rule: continuity.Rule{Day: 25, Roll: continuity.Preceding}, Zone: "Europe/Amsterdam",
		BusinessDays: &calendar.Hours{Week: calendar.MondayToFriday("09:00", "18:00"), Holidays: []string{"2026-12-25", "2027-03-26"}},
		Services:     []string{"db"}, Freeze: true, Cover: map[string]int{"databases": 2}, Runbook: "pay",
	}
}

func between(tb testing.TB, from, to string) calendar.Interval {
	tb.Helper()
	parse := func(text string) time.Time {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			tb.Fatal(err)
		}
		return t
	}
	return calendar.Interval{Start: parse(from), End: parse(to)}
}

func year(y int) calendar.Interval {
	return calendar.Interval{Start: time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(y+1, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func expand(tb testing.TB, k continuity.KeyDate, horizon calendar.Interval) []continuity.Occurrence {
	tb.Helper()
	out, err := k.Expand(horizon)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// Dates are those of a wall calendar for 2026: 25 October is a Sunday, 31 October a
// Saturday, 25 December a Friday and a holiday.
func TestRules(t *testing.T) {
	holidays := &calendar.Hours{Week: calendar.MondayToFriday("09:00", "18:00"), Holidays: []string{"2026-12-25"}}
	for _, c := range []struct {
		name string
		rule continuity.Rule
		from string
		to   string
		want string // dates, with < and the nominal one where it was moved; | parts occurrences
	}{
		{"no roll", continuity.Rule{Day: 25}, "2026-10-01", "2026-11-01", "2026-10-25"},
		{"preceding", continuity.Rule{Day: 25, Roll: continuity.Preceding}, "2026-10-01", "2026-11-01", "2026-10-23<2026-10-25"},
		{"following", continuity.Rule{Day: 25, Roll: continuity.Following}, "2026-10-01", "2026-11-01", "2026-10-26<2026-10-25"},
		{"modified following", continuity.Rule{Day: 25, Roll: continuity.ModifiedFollowing}, "2026-10-01", "2026-11-01", "2026-10-26<2026-10-25"},
		{"modified following at the end", continuity.Rule{Day: 31, Roll: continuity.ModifiedFollowing}, "2026-10-01", "2026-11-01", "2026-10-30<2026-10-31"},
		{"following into the next month", continuity.Rule{Day: 31, Roll: continuity.Following}, "2026-11-01", "2026-12-01", "2026-11-02<2026-10-31 | 2026-11-30"},
		{"on a holiday, preceding", continuity.Rule{Day: 25, Roll: continuity.Preceding}, "2026-12-01", "2027-01-01", "2026-12-24<2026-12-25"},
		{"on a holiday, following", continuity.Rule{Day: 25, Roll: continuity.Following}, "2026-12-01", "2027-01-01", "2026-12-28<2026-12-25"},
		{"short months", continuity.Rule{Day: 30}, "2027-02-01", "2027-04-01", "2027-02-28 | 2027-03-30"},
		{"a leap day", continuity.Rule{Day: 31}, "2028-02-01", "2028-03-01", "2028-02-29"},
		{"turn of the year", continuity.Rule{Day: 1, Roll: continuity.Preceding}, "2027-12-01", "2028-01-02", "2027-12-01 | 2027-12-31<2028-01-01"},
		{"last three, in one week", continuity.Rule{Last: 3}, "2026-10-01", "2026-11-01", "2026-10-28 2026-10-29 2026-10-30"},
		{"last three, over a weekend", continuity.Rule{Last: 3}, "2026-11-01", "2026-12-01", "2026-11-26 2026-11-27 | 2026-11-30"},
		{"last five, over a holiday", continuity.Rule{Last: 5}, "2026-12-01", "2027-01-01", "2026-12-24 | 2026-12-28 2026-12-29 2026-12-30 2026-12-31"},
		{"dates in any order, one twice", continuity.Rule{Dates: []string{"2026-11-30", "2026-11-27", "2026-11-30"}}, "2026-11-01", "2026-12-01", "2026-11-27 | 2026-11-30"},
		{"dates that are moved to one", continuity.Rule{Dates: []string{"2026-11-29", "2026-11-28"}, Roll: continuity.Following}, "2026-11-01", "2026-12-01", "2026-11-30<2026-11-28"},
		{"the same in order", continuity.Rule{Dates: []string{"2026-11-28", "2026-11-29"}, Roll: continuity.Following}, "2026-11-01", "2026-12-01", "2026-11-30<2026-11-28"},
		{"dates that are moved to another", continuity.Rule{Dates: []string{"2026-11-30", "2026-11-28"}, Roll: continuity.Following}, "2026-11-01", "2026-12-01", "2026-11-30"},
		{"nothing in the horizon", continuity.Rule{Day: 25}, "2026-10-01", "2026-10-25", ""},
	} {
		k := continuity.KeyDate{ID: "k", Rule: c.rule, Zone: "UTC", BusinessDays: holidays}
		var got []string
		for _, o := range expand(t, k, between(t, c.from+"T00:00:00Z", c.to+"T00:00:00Z")) {
			var days []string
			for _, d := range o.Days {
				if d.Nominal != "" {
					d.Date += "<" + d.Nominal
				}
				days = append(days, d.Date)
			}
			got = append(got, strings.Join(days, " "))
		}
		if all := strings.Join(got, " | "); all != c.want {
			t.Errorf("%s: %s, want %s", c.name, all, c.want)
		}
	}
}

func TestIntervals(t *testing.T) {
	for _, c := range []struct {
		name, zone, date string
		span             *calendar.Span
		want             calendar.Interval
	}{
		{"whole date", "Europe/Amsterdam", "2026-10-26", nil, between(t, "2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z")},
		{"23 hours", "Europe/Amsterdam", "2026-03-29", nil, between(t, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")},
		{"25 hours", "Europe/Amsterdam", "2026-10-25", nil, between(t, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")},
		{"leap day", "UTC", "2028-02-29", nil, between(t, "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z")},
		{"last of a year", "Asia/Singapore", "2026-12-31", nil, between(t, "2026-12-30T16:00:00Z", "2026-12-31T16:00:00Z")},
		{"a night", "Europe/Amsterdam", "2026-10-24", &calendar.Span{From: "18:00", To: "06:00"}, between(t, "2026-10-24T16:00:00Z", "2026-10-25T05:00:00Z")},
		{"to a time that comes twice", "Europe/Amsterdam", "2026-10-25", &calendar.Span{From: "01:00", To: "02:30"}, between(t, "2026-10-24T23:00:00Z", "2026-10-25T01:30:00Z")},
		{"from a time that comes twice", "Europe/Amsterdam", "2026-10-25", &calendar.Span{From: "02:30", To: "04:00"}, between(t, "2026-10-25T00:30:00Z", "2026-10-25T03:00:00Z")},
		{"from a time that is skipped", "Europe/Amsterdam", "2026-03-29", &calendar.Span{From: "02:30:00", To: "24:00"}, between(t, "2026-03-29T01:00:00Z", "2026-03-29T22:00:00Z")},
		// Havana puts the clock back from 01:00 to 00:00: both hours are of the date.
		{"midnight that comes twice", "America/Havana", "2026-11-01", nil, between(t, "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z")},
		{"the date before it", "America/Havana", "2026-10-31", nil, between(t, "2026-10-31T04:00:00Z", "2026-11-01T04:00:00Z")},
		// Cairo skips from 00:00 to 01:00 on the last Friday of April.
		{"midnight that is skipped", "Africa/Cairo", "2026-04-24", nil, between(t, "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z")},
	} {
		k := continuity.KeyDate{ID: "k", Rule: continuity.Rule{Dates: []string{c.date}}, Zone: c.zone, Span: c.span}
		got := expand(t, k, calendar.Interval{Start: c.want.Start.Add(-day), End: c.want.End.Add(day)})
		if len(got) != 1 || !got[0].Interval.Equal(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	// Apia went from the 29th to the 31st of December 2011.
	skipped := continuity.KeyDate{ID: "k", Rule: continuity.Rule{Dates: []string{"2011-12-30"}}, Zone: "Pacific/Apia"}
	if got := expand(t, skipped, year(2011)); len(got) != 0 {
		t.Errorf("a date that the zone skips: %v", got)
	}
	skipped.Rule.Roll = continuity.Following
	if got := expand(t, skipped, year(2012)); len(got) != 1 || got[0].Days[0] != (continuity.Day{Date: "2012-01-02", Nominal: "2011-12-30"}) {
		t.Errorf("a date that the zone skips, rolled: %v, want Monday the 2nd", got)
	}
}

func TestKeyDateRefused(t *testing.T) {
	for path, change := range map[string]func(*continuity.KeyDate){
		"rule.day":                func(k *continuity.KeyDate) { k.Rule = continuity.Rule{} },
		"rule.day, too late":      func(k *continuity.KeyDate) { k.Rule = continuity.Rule{Day: 32} },
		"rule.last_business_days": func(k *continuity.KeyDate) { k.Rule = continuity.Rule{Last: 21} },
		"rule.dates[1]":           func(k *continuity.KeyDate) { k.Rule = continuity.Rule{Dates: []string{"2026-11-27", "27.11.2026"}} },
		"rule.roll":               func(k *continuity.KeyDate) { k.Rule.Roll = "nearest" },
		"business_days":           func(k *continuity.KeyDate) { k.Zone = "Mars" },
		"business_days.zone":      func(k *continuity.KeyDate) { k.BusinessDays.Zone = "UTC" },
		"span.from":               func(k *continuity.KeyDate) { k.Span = &calendar.Span{From: "9:00", To: "18:00"} },
		"span.to":                 func(k *continuity.KeyDate) { k.Span = &calendar.Span{From: "09:00", To: "24:01"} },
	} {
		k := payroll()
		change(&k)
		_, err := k.Expand(year(2026))
		if e, ok := errors.AsType[*continuity.RecordError](err); !ok || e.Path != before(path) {
			t.Errorf("%s: Expand = %v, want a RecordError there", path, err)
		}
	}
	roll := payroll()
	roll.Rule = continuity.Rule{Last: 2, Roll: continuity.Following}
	if _, err := roll.Expand(year(2026)); err == nil {
		t.Error("a roll of the last business days: no error")
	}
	backwards := calendar.Interval{Start: noon, End: noon.Add(-1)}
	if _, err := payroll().Expand(backwards); !errors.Is(err, calendar.ErrInverted) {
		t.Errorf("a horizon backwards: %v, want ErrInverted", err)
	}
	for name, horizon := range map[string]calendar.Interval{
		"empty": {Start: noon, End: noon}, "before all calendars": year(1600), "after them": year(3000),
	} {
		if got := expand(t, payroll(), horizon); len(got) != 0 {
			t.Errorf("%s: %v, want nothing", name, got)
		}
	}
}

// No business day within 31 days: the date stays where it is.
func TestRollWithoutBusinessDay(t *testing.T) {
	never := &calendar.Hours{}
	for _, roll := range []continuity.Roll{continuity.Preceding, continuity.Following, continuity.ModifiedFollowing} {
		k := continuity.KeyDate{ID: "k", Zone: "UTC", BusinessDays: never, Rule: continuity.Rule{Dates: []string{"2026-10-01"}, Roll: roll}}
		if got := expand(t, k, year(2026)); len(got) != 1 || got[0].Days[0] != (continuity.Day{Date: "2026-10-01"}) {
			t.Errorf("%s: %v, want the date itself", roll, got)
		}
	}
	k := continuity.KeyDate{ID: "k", Zone: "UTC", BusinessDays: never, Rule: continuity.Rule{Last: 1}}
	if got := expand(t, k, year(2026)); len(got) != 0 {
		t.Errorf("the last business day of a calendar without: %v", got)
	}
}

// oracle finds the dates of a rule by looking at every date of a month, and says of
// an instant whether a clock on the wall shows one of them.
type oracle struct {
	loc      *time.Location
	holidays map[string]bool
	dates    map[string]bool
}

func (o *oracle) business(d time.Time) bool {
	return d.Weekday() != time.Saturday && d.Weekday() != time.Sunday && !o.holidays[d.Format(time.DateOnly)]
}

// fill adds the dates of the rule for all months from one year to another.
func (o *oracle) fill(rule continuity.Rule, first, last int) {
	for y := first; y <= last; y++ {
		for m := time.January; m <= time.December; m++ {
			var month, business []time.Time
			for d := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC); d.Month() == m; d = d.Add(day) {
				month = append(month, d)
				if o.business(d) {
					business = append(business, d)
				}
			}
			if rule.Last > 0 {
				for _, d := range business[max(0, len(business)-rule.Last):] {
					o.dates[d.Format(time.DateOnly)] = true
				}
				continue
			}
			nominal := month[len(month)-1]
			if rule.Day <= len(month) {
				nominal = month[rule.Day-1]
			}
			before, after := nominal, nominal
			for !o.business(before) {
				before = before.Add(-day)
			}
			for !o.business(after) {
				after = after.Add(day)
			}
			date := nominal
			switch {
			case rule.Roll == continuity.Preceding, rule.Roll == continuity.ModifiedFollowing && after.Month() != m:
				date = before
			case rule.Roll != continuity.NoRoll:
				date = after
			}
			o.dates[date.Format(time.DateOnly)] = true
		}
	}
}

// TestOracle expands ten years in five zones, of which one changes its clock by half
// an hour and three at midnight, and asks a clock on the wall every half hour.
func TestOracle(t *testing.T) {
	const first, last = 2026, 2035
	horizon := calendar.Interval{Start: year(first).Start, End: year(last).End}
	var holidays []string
	for y := first - 1; y <= last+1; y++ {
		for _, date := range []string{"01-01", "01-02", "03-31", "04-01", "10-31", "12-25", "12-28", "12-31"} {
			holidays = append(holidays, fmt.Sprintf("%d-%s", y, date))
		}
	}
	rules := []continuity.Rule{
		{Day: 1, Roll: continuity.Preceding},
		{Day: 25},
		{Day: 29, Roll: continuity.Following},
		{Day: 31, Roll: continuity.ModifiedFollowing},
		{Day: 31, Roll: continuity.Following},
		{Last: 3},
		{Last: 20},
	}
	for _, zone := range []string{"Europe/Amsterdam", "America/Havana", "Africa/Cairo", "Australia/Lord_Howe", "America/Santiago"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		var wall []string // what the clock shows every half hour
		for at := horizon.Start; at.Before(horizon.End); at = at.Add(30 * time.Minute) {
			wall = append(wall, string(at.In(loc).AppendFormat(nil, time.DateOnly)))
		}
		for _, rule := range rules {
			o := &oracle{loc: loc, holidays: map[string]bool{}, dates: map[string]bool{}}
			for _, d := range holidays {
				o.holidays[d] = true
			}
			o.fill(rule, first-1, last+1)
			k := continuity.KeyDate{ID: "k", Rule: rule, Zone: zone, BusinessDays: &calendar.Hours{Week: calendar.MondayToFriday("09:00", "17:00"), Holidays: holidays}}
			all := expand(t, k, horizon)
			seen := map[string]bool{}
			i := 0
			for n, date := range wall {
				at := horizon.Start.Add(time.Duration(n) * 30 * time.Minute)
				for i < len(all) && !at.Before(all[i].Interval.End) {
					i++
				}
				in := i < len(all) && all[i].Interval.Contains(at)
				if in != o.dates[date] {
					t.Fatalf("%s, %+v: at %v, on %s, in a key date = %v, want %v", zone, rule, at, date, in, !in)
				}
				if in {
					seen[date] = true
				}
			}
			if len(seen) < 12*(last-first+1)-2 {
				t.Errorf("%s, %+v: only %d dates", zone, rule, len(seen))
			}
			for _, occurrence := range all {
				for _, d := range occurrence.Days {
					if !o.dates[d.Date] {
						t.Errorf("%s, %+v: %s is no date of the rule", zone, rule, d.Date)
					}
				}
			}
		}
	}
}

// anyKeyDate returns a key date of any rule, with business days that are sometimes
// rare.
func anyKeyDate(r *rand.Rand) continuity.KeyDate {
	k := continuity.KeyDate{ID: "k", Zone: []string{"Europe/Amsterdam", "America/Havana", "Africa/Cairo", "Pacific/Apia"}[r.IntN(4)]}
	rolls := []continuity.Roll{continuity.NoRoll, continuity.Preceding, continuity.Following, continuity.ModifiedFollowing}
	switch r.IntN(3) {
	case 0:
		k.Rule = continuity.Rule{Day: 1 + r.IntN(31), Roll: rolls[r.IntN(4)]}
	case 1:
		k.Rule = continuity.Rule{Last: 1 + r.IntN(20)}
	case 2:
		k.Rule.Roll = rolls[r.IntN(4)]
		for range 1 + r.IntN(9) {
			k.Rule.Dates = append(k.Rule.Dates, time.Date(2026, 1, 1+r.IntN(120), 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
		}
	}
	if r.IntN(2) == 0 {
		k.Span = &calendar.Span{From: fmt.Sprintf("%02d:30", r.IntN(24)), To: fmt.Sprintf("%02d:00", r.IntN(25))}
	}
	hours := calendar.Hours{Week: calendar.EveryDay("09:00", "17:00")}
	for range r.IntN(150) {
		hours.Holidays = append(hours.Holidays, time.Date(2026, 1, 1+r.IntN(120), 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	}
	k.BusinessDays = &hours
	return k
}

// The occurrences of a horizon are those of its parts, and are a set.
func TestExpandSplits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		k := anyKeyDate(r)
		start := time.Date(2026, 1, 1+r.IntN(100), r.IntN(24), 0, 0, 0, time.UTC)
		middle := start.Add(time.Duration(r.IntN(40*24)) * time.Hour)
		end := middle.Add(time.Duration(r.IntN(40*24)) * time.Hour)
		whole := expand(t, k, calendar.Interval{Start: start, End: end})
		parts := slices.Concat(expand(t, k, calendar.Interval{Start: start, End: middle}), expand(t, k, calendar.Interval{Start: middle, End: end}))
		parts = slices.CompactFunc(parts, func(a, b continuity.Occurrence) bool { return reflect.DeepEqual(a, b) })
		if len(whole)+len(parts) > 0 && !reflect.DeepEqual(whole, parts) {
			t.Fatalf("%+v, %v, %v, %v: whole %v, parts %v", k, start, middle, end, whole, parts)
		}
		for i, o := range whole {
			if o.Interval.IsEmpty() || i > 0 && !whole[i-1].Interval.End.Before(o.Interval.Start) {
				t.Fatalf("%+v: %v is no set", k, whole)
			}
		}
	}
}

// FuzzKeyDate: whatever is written is refused with a RecordError or expands to a set
// inside a year, and nothing panics.
func FuzzKeyDate(f *testing.F) {
	f.Add(25, 0, "", "preceding", "Europe/Amsterdam", "18:00", "06:00")
	f.Add(0, 3, "", "", "Africa/Cairo", "", "")
	f.Add(0, 0, "2026-11-27,2026-11-30", "modified_following", "Pacific/Apia", "00:00", "24:00")
	f.Fuzz(func(t *testing.T, dayOfMonth, last int, dates, roll, zone, from, to string) {
		k := continuity.KeyDate{ID: "k", Rule: continuity.Rule{Day: dayOfMonth, Last: last, Roll: continuity.Roll(roll)}, Zone: zone}
		if dates != "" {
			k.Rule.Dates = strings.Split(dates, ",")
		}
		if from != "" || to != "" {
			k.Span = &calendar.Span{From: from, To: to}
		}
		all, err := k.Expand(year(2026))
		if err != nil {
			if _, ok := errors.AsType[*continuity.RecordError](err); !ok {
				t.Fatalf("Expand = %v, want a RecordError", err)
			}
			return
		}
		for i, o := range all {
			if !o.Interval.Overlaps(year(2026)) || len(o.Days) == 0 || i > 0 && !all[i-1].Interval.End.Before(o.Interval.Start) {
				t.Fatalf("%+v: %v", k, all)
			}
		}
	})
}
