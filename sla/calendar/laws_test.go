package calendar_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// anyHours returns a schedule with up to three spans a day, of any length and at
// any time, also where the zone skips or repeats readings.
func anyHours(r *rand.Rand, zone string, year int) calendar.Hours {
	clock := func() string {
		minutes := r.IntN(24*60 + 1)
		return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
	}
	spans := func() []calendar.Span {
		out := make([]calendar.Span, r.IntN(4))
		for i := range out {
			out[i] = calendar.Span{From: clock(), To: clock()}
		}
		return out
	}
	date := func() string {
		return time.Date(year, 1, 1+r.IntN(400), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	h := calendar.Hours{Zone: zone, Week: calendar.Week{}, HolidayRule: calendar.HolidayRule(r.IntN(2)), Special: map[string][]calendar.Span{}}
	for day := range 7 {
		h.Week[time.Weekday(day)] = spans()
	}
	h.Week[time.Wednesday] = append(h.Week[time.Wednesday], calendar.Span{From: "10:00", To: "16:00"}) // never without working time
	for range r.IntN(12) {
		h.Holidays = append(h.Holidays, date())
		h.Special[date()] = spans()
	}
	return h
}

func anyPauses(t *testing.T, r *rand.Rand, start time.Time) []calendar.Interval {
	t.Helper()
	raw := make([]calendar.Interval, r.IntN(5))
	for i := range raw {
		from := start.Add(time.Duration(r.Int64N(int64(240*time.Hour))) - 24*time.Hour)
		raw[i] = calendar.Interval{Start: from, End: from.Add(time.Duration(r.Int64N(int64(72 * time.Hour))))}
	}
	return set(t, raw...)
}

// Due is the first and BreachAt the last instant at which Elapsed is the target,
// in any zone, over skipped dates, changes of zone and year ends.
func TestDeadlineIsTheInverseOfElapsed(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, c := range []struct {
		zone string
		year int
	}{
		{"Europe/Amsterdam", 2026},
		{"Europe/Dublin", 2027},
		{"America/New_York", 2028},
		{"America/St_Johns", 2006},
		{"America/Havana", 2026},
		{"Asia/Kolkata", 2026},
		{"Asia/Kathmandu", 1986},
		{"Asia/Gaza", 2024},
		{"Africa/Cairo", 2026},
		{"Africa/Casablanca", 2026},
		{"Australia/Lord_Howe", 2026},
		{"Pacific/Apia", 2011},
		{"Pacific/Kwajalein", 1993},
		{"Pacific/Chatham", 2026},
		{"Antarctica/Troll", 2026},
		{"Pacific/Kiritimati", 1994},
		{"Europe/London", 2099},
		{"UTC", 2026},
	} {
		for range 8 {
			h := anyHours(r, c.zone, c.year)
			cal := compile(t, h)
			for range 25 {
				start := time.Date(c.year, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.Int64N(int64(366 * 24 * time.Hour))))
				target, pauses := time.Duration(r.Int64N(int64(100*time.Hour))), anyPauses(t, r, start)
				due, errDue := cal.Due(start, target, pauses)
				breach, errBreach := cal.BreachAt(start, target, pauses)
				if err := errors.Join(errDue, errBreach); err != nil {
					t.Fatal(err)
				}
				elapsed := func(to time.Time) time.Duration { return cal.Elapsed(start, to, pauses) }
				if elapsed(due) != target || elapsed(breach) != target || target > 0 && elapsed(due.Add(-1)) >= target || elapsed(breach.Add(1)) <= target {
					t.Fatalf("start %v, target %v, pauses %v: due %v, breach %v do not bound the target in %+v", start, target, pauses, due, breach, h)
				}
				if left := cal.Remaining(start, target, due, pauses); left != 0 {
					t.Fatalf("Remaining at %v = %v, want 0", due, left)
				}
				if !cal.IsOpen(breach) {
					t.Fatalf("breach at %v, outside hours, in %+v", breach, h)
				}
			}
		}
	}
}

// In a zone of constant offset everything is as in UTC, only earlier or later.
func TestShiftOfZoneAndInput(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	modes := []calendar.NextDayRule{
		{}, {Mode: calendar.AfterOpening}, {Mode: calendar.AtOpening}, {Mode: calendar.AfterCutOff, CutOff: "16:00"},
	}
	for range 60 {
		h := anyHours(r, "UTC", 2026)
		west := r.IntN(27) - 14 // Etc/GMT+5 is five hours west of Greenwich
		shift := time.Duration(west) * time.Hour
		base := compile(t, h)
		h.Zone = fmt.Sprintf("Etc/GMT%+d", west)
		shifted := compile(t, h)
		for range 20 {
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.Int64N(int64(370 * 24 * time.Hour))))
			target, pauses := time.Duration(r.Int64N(int64(100*time.Hour))), anyPauses(t, r, start)
			var later []calendar.Interval
			for _, p := range pauses {
				later = append(later, calendar.Interval{Start: p.Start.Add(shift), End: p.End.Add(shift)})
			}
			due, err := base.Due(start, target, pauses)
			got, errShifted := shifted.Due(start.Add(shift), target, later)
			if err != nil || errShifted != nil || !got.Equal(due.Add(shift)) {
				t.Fatalf("%s: Due = %v, %v, want %v", h.Zone, got, errors.Join(err, errShifted), due.Add(shift))
			}
			end := start.Add(time.Duration(r.Int64N(int64(2000 * time.Hour))))
			if got, want := shifted.Elapsed(start.Add(shift), end.Add(shift), later), base.Elapsed(start, end, pauses); got != want {
				t.Fatalf("%s: Elapsed = %v, want %v", h.Zone, got, want)
			}
			change, opens, err := base.NextTransition(start)
			gotChange, gotOpens, errShifted := shifted.NextTransition(start.Add(shift))
			if (err == nil) != (errShifted == nil) || err == nil && (!gotChange.Equal(change.Add(shift)) || gotOpens != opens) {
				t.Fatalf("%s: NextTransition = %v, %v, %v, want %v, %v, %v", h.Zone, gotChange, gotOpens, errShifted, change.Add(shift), opens, err)
			}
			for _, rule := range modes {
				day, err := base.NextBusinessDay(start, rule)
				gotDay, errShifted := shifted.NextBusinessDay(start.Add(shift), rule)
				if err != nil || errShifted != nil || !gotDay.Due.Equal(day.Due.Add(shift)) {
					t.Fatalf("%s: NextBusinessDay(%v) = %v, %v, want %v", h.Zone, rule.Mode, gotDay.Due, errors.Join(err, errShifted), day.Due.Add(shift))
				}
			}
		}
	}
}

// Cutting a stretch in two, and cutting a pause in two, changes nothing.
func TestElapsedIsAdditive(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for range 40 {
		cal := compile(t, anyHours(r, "America/Santiago", 2026))
		for range 25 {
			from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.Int64N(int64(300 * 24 * time.Hour))))
			to := from.Add(time.Duration(r.Int64N(int64(90 * 24 * time.Hour))))
			middle := from.Add(time.Duration(r.Int64N(int64(to.Sub(from)) + 1)))
			pauses := anyPauses(t, r, from)
			whole := cal.Elapsed(from, to, pauses)
			if got := cal.Elapsed(from, middle, pauses) + cal.Elapsed(middle, to, pauses); got != whole {
				t.Fatalf("%v, %v, %v: parts have %v, want %v", from, middle, to, got, whole)
			}
			if got := calendar.Total(calendar.Subtract(cal.Expand(from, to), pauses)); got != whole {
				t.Fatalf("%v, %v: the expansion has %v, want %v", from, to, got, whole)
			}
		}
	}
}

// A calendar that opens for an hour in 2026, 2035 and 2047: nine years are
// searched through, twelve are not.
func TestSearchIsBounded(t *testing.T) {
	hour := []calendar.Span{{From: "09:00", To: "10:00"}}
	cal := compile(t, calendar.Hours{Zone: "UTC", Special: map[string][]calendar.Span{"2026-04-07": hour, "2035-04-07": hour, "2047-04-07": hour}})
	before, between, after := at(t, "2026-01-01T00:00:00Z"), at(t, "2026-05-01T00:00:00Z"), at(t, "2035-05-01T00:00:00Z")
	for _, c := range []struct {
		name  string
		start time.Time
		work  time.Duration
		want  string
	}{
		{"this year", before, time.Hour, "2026-04-07T10:00:00Z"},
		{"over nine years", before, 90 * time.Minute, "2035-04-07T09:30:00Z"},
		{"after nine years", between, time.Hour, "2035-04-07T10:00:00Z"},
		{"over twelve years", between, 90 * time.Minute, ""},
		{"after twelve years", after, time.Minute, ""},
	} {
		due, err := cal.Due(c.start, c.work, nil)
		if c.want == "" {
			if !errors.Is(err, calendar.ErrUnreachable) || !due.IsZero() {
				t.Errorf("%s: Due = %v, %v, want ErrUnreachable", c.name, due, err)
			}
		} else if err != nil || !due.Equal(at(t, c.want)) {
			t.Errorf("%s: Due = %v, %v, want %s", c.name, due, err, c.want)
		}
	}
	if breach, err := cal.BreachAt(before, time.Hour, nil); err != nil || !breach.Equal(at(t, "2035-04-07T09:00:00Z")) {
		t.Errorf("BreachAt = %v, %v, want the opening of 2035", breach, err)
	}
	day, err := cal.NextBusinessDay(between, calendar.NextDayRule{})
	if err != nil || !day.Due.Equal(at(t, "2035-04-07T10:00:00Z")) {
		t.Errorf("NextBusinessDay = %v, %v, want the hour of 2035", day.Due, err)
	}
	for name, call := range map[string]func() error{
		"NextOpen":        func() error { _, err := cal.NextOpen(after); return err },
		"NextTransition":  func() error { _, _, err := cal.NextTransition(after); return err },
		"NextBusinessDay": func() error { _, err := cal.NextBusinessDay(after, calendar.NextDayRule{}); return err },
	} {
		if err := call(); !errors.Is(err, calendar.ErrUnreachable) {
			t.Errorf("%s after the hour of 2035: %v, want ErrUnreachable", name, err)
		}
	}
}

// All goroutines meet the same years for the first time; every answer is that of
// a calendar used by one.
func TestConcurrentFirstUse(t *testing.T) {
	alone, shared := office(t), office(t)
	const years = 30
	want := make([]time.Duration, years)
	for y := range want {
		want[y] = alone.Elapsed(time.Date(2010+y, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2010+y, 12, 31, 0, 0, 0, 0, time.UTC), nil)
	}
	start := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			<-start
			for y := range want {
				from := time.Date(2010+y, 1, 1, 0, 0, 0, 0, time.UTC)
				if got := shared.Elapsed(from, time.Date(2010+y, 12, 31, 0, 0, 0, 0, time.UTC), nil); got != want[y] {
					t.Errorf("%d: Elapsed = %v, want %v", 2010+y, got, want[y])
				}
				if due, err := shared.Due(from, want[y], nil); err != nil || due.Year() > 2010+y {
					t.Errorf("%d: Due = %v, %v, want it within the year", 2010+y, due, err)
				}
			}
		})
	}
	close(start)
	wg.Wait()
}

// Compiled hours are a copy: changing the argument afterwards changes nothing.
func TestCalendarIsImmutable(t *testing.T) {
	h := calendar.Hours{
		Zone: "UTC", Week: calendar.EveryDay("09:00", "18:00"), Holidays: []string{"2026-04-08"},
		Special: map[string][]calendar.Span{"2026-04-09": {{From: "10:00", To: "11:00"}}},
	}
	cal := compile(t, h)
	h.Week[time.Tuesday][0].From, h.Holidays[0], h.Special["2026-04-09"][0].To = "00:00", "2026-04-07", "23:00"
	delete(h.Week, time.Friday)
	if got := cal.Elapsed(at(t, "2026-04-07T00:00:00Z"), at(t, "2026-04-11T00:00:00Z"), nil); got != 19*time.Hour {
		t.Errorf("Elapsed = %v, want 9h, nothing, 1h and 9h", got)
	}
}

func TestWarmAnswersDoNotAllocate(t *testing.T) {
	cal := office(t)
	start := at(t, "2026-04-07T17:30:00+02:00")
	pauses := set(t, calendar.Interval{Start: start, End: start.Add(time.Hour)}, calendar.Interval{Start: start.Add(20 * time.Hour), End: start.Add(30 * time.Hour)})
	if n := testing.AllocsPerRun(100, func() {
		due, err := cal.Due(start, 400*time.Hour, pauses)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cal.BreachAt(start, 400*time.Hour, pauses); err != nil {
			t.Fatal(err)
		}
		cal.Elapsed(start, due, pauses)
		cal.IsOpen(due)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzDue(f *testing.F) {
	f.Add(int64(1), uint8(0), int64(0), int64(time.Hour), int64(0), int64(time.Hour))
	f.Add(int64(2), uint8(3), int64(13e17), int64(400*time.Hour), int64(-5), int64(90*24*time.Hour))
	f.Add(int64(3), uint8(1), int64(-9e18), int64(1), int64(1), int64(1))
	zones := []string{"Pacific/Apia", "Australia/Lord_Howe", "Africa/Cairo", "Europe/Amsterdam", "America/New_York"}
	f.Fuzz(func(t *testing.T, seed int64, zone uint8, start, target, pause, length int64) {
		cal := compile(t, anyHours(rand.New(rand.NewPCG(uint64(seed), 1)), zones[int(zone)%len(zones)], 2026))
		from := time.Unix(0, start)
		target %= int64(2000 * time.Hour) // 584 years of calendar take too long for a fuzz test
		paused := calendar.Interval{Start: from.Add(time.Duration(pause))}
		paused.End = paused.Start.Add(time.Duration(length))
		pauses, err := calendar.Normalize([]calendar.Interval{paused})
		if err != nil {
			return // it ends before it begins
		}
		due, errDue := cal.Due(from, time.Duration(target), pauses)
		breach, errBreach := cal.BreachAt(from, time.Duration(target), pauses)
		if errDue == nil && target > 0 && cal.Elapsed(from, due, pauses) != time.Duration(target) {
			t.Fatalf("Due = %v, where %v is elapsed, want %v", due, cal.Elapsed(from, due, pauses), time.Duration(target))
		}
		if errBreach == nil && (breach.Before(due) || cal.Elapsed(from, breach, pauses) != time.Duration(target)) {
			t.Fatalf("BreachAt = %v, where %v is elapsed, want %v", breach, cal.Elapsed(from, breach, pauses), time.Duration(target))
		}
	})
}

// What is read from JSON and written again is the same schedule.
func FuzzHoursJSON(f *testing.F) {
	f.Add([]byte(`{"zone":"UTC","week":{"mon":[{"from":"22:00","to":"06:00"}]},"holidays":["2026-12-25"],"special":{"2026-12-26":[]},"holiday_rule":"shift_start"}`))
	f.Add([]byte(`{"week":{"monday":null,"someday":[]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var h, back calendar.Hours
		if json.Unmarshal(data, &h) != nil {
			return
		}
		cal, err := calendar.New(h)
		if err != nil {
			return
		}
		text, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := calendar.New(back)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		if a, b := cal.Expand(from, from.AddDate(1, 0, 0)), again.Expand(from, from.AddDate(1, 0, 0)); !reflect.DeepEqual(a, b) {
			t.Fatalf("%s expands to %v, want %v", text, b, a)
		}
	})
}
