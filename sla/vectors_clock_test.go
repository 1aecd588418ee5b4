package sla_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

type clockCalendars map[string]*calendar.Calendar

// vectorCalendars compiles the schedules that the cases name.
func vectorCalendars(t *testing.T, f *testutil.File) clockCalendars {
	t.Helper()
	var raw map[string]struct {
		TZ          string                 `json:"tz"`
		Week        map[string][][2]string `json:"week"`
		Holidays    []string               `json:"holidays"`
		Special     map[string][][2]string `json:"special"`
		HolidayMode calendar.HolidayRule   `json:"holiday_mode"`
	}
	f.Fixture("calendars", &raw)
	isoDays := map[string]time.Weekday{
		"1": time.Monday, "2": time.Tuesday, "3": time.Wednesday, "4": time.Thursday, "5": time.Friday, "6": time.Saturday, "7": time.Sunday,
	}
	spans := func(pairs [][2]string) (out []calendar.Span) {
		for _, p := range pairs {
			out = append(out, calendar.Span{From: p[0], To: p[1]})
		}
		return out
	}
	out := clockCalendars{}
	for name, c := range raw {
		h := calendar.Hours{
			Zone: c.TZ, Week: calendar.Week{}, Holidays: c.Holidays, Special: map[string][]calendar.Span{}, HolidayRule: c.HolidayMode,
		}
		for day, pairs := range c.Week {
			h.Week[isoDays[day]] = spans(pairs)
		}
		for date, pairs := range c.Special {
			h.Special[date] = spans(pairs)
		}
		cal, err := calendar.New(h)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = cal
	}
	return out
}

type clockCase struct {
	Calendar string
	Input    struct {
		Start, End time.Time
		DurationS  int64 `json:"duration_s"`
		Pauses     [][2]time.Time
		Mode       calendar.NextDayMode
	}
	Expect struct {
		Deadline      *time.Time
		BreachAt      *time.Time `json:"breach_at"`
		DeadlineLocal string     `json:"deadline_local"`
		OpenOfDay     time.Time  `json:"open_of_day"`
		WorkingS      int64      `json:"working_s"`
		WallS         int64      `json:"wall_s"`
	}
}

func (cals clockCalendars) decode(c testutil.Case) (in clockCase, cal *calendar.Calendar, pauses []calendar.Interval, err error) {
	if err = c.Decode(&in); err != nil {
		return in, nil, nil, err
	}
	if cal = cals[in.Calendar]; cal == nil {
		return in, nil, nil, fmt.Errorf("no calendar %q", in.Calendar)
	}
	var raw []calendar.Interval
	for _, p := range in.Input.Pauses {
		raw = append(raw, calendar.Interval{Start: p[0], End: p[1]})
	}
	pauses, err = calendar.Normalize(raw)
	return in, cal, pauses, err
}

func (cals clockCalendars) deadline(c testutil.Case) error {
	in, cal, pauses, err := cals.decode(c)
	if err != nil {
		return err
	}
	target := time.Duration(in.Input.DurationS) * time.Second
	due, err := cal.Due(in.Input.Start, target, pauses)
	if in.Expect.Deadline == nil {
		if !errors.Is(err, calendar.ErrUnreachable) {
			return errors.Join(fmt.Errorf("Due = %v, want ErrUnreachable", due), err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	breach, err := cal.BreachAt(in.Input.Start, target, pauses)
	if err != nil {
		return err
	}
	local := due.In(cal.Location()).Format(time.RFC3339)
	if !due.Equal(*in.Expect.Deadline) || !breach.Equal(*in.Expect.BreachAt) || local != in.Expect.DeadlineLocal {
		return fmt.Errorf("due %v (%s), breach at %v, want %v (%s), %v", due, local, breach, in.Expect.Deadline, in.Expect.DeadlineLocal, in.Expect.BreachAt)
	}
	return nil
}

func (cals clockCalendars) elapsed(c testutil.Case) error {
	in, cal, pauses, err := cals.decode(c)
	if err != nil {
		return err
	}
	got, wall := cal.Elapsed(in.Input.Start, in.Input.End, pauses), calendar.Interval{Start: in.Input.Start, End: in.Input.End}.Duration()
	if got != time.Duration(in.Expect.WorkingS)*time.Second || wall != time.Duration(in.Expect.WallS)*time.Second {
		return fmt.Errorf("elapsed %v of %v, want %ds of %ds", got, wall, in.Expect.WorkingS, in.Expect.WallS)
	}
	return nil
}

func (cals clockCalendars) nextBusinessDay(c testutil.Case) error {
	in, cal, _, err := cals.decode(c)
	if err != nil {
		return err
	}
	next, err := cal.NextBusinessDay(in.Input.Start, calendar.NextDayRule{Mode: in.Input.Mode})
	if err != nil {
		return err
	}
	if !next.Due.Equal(*in.Expect.Deadline) || !next.Opens.Equal(in.Expect.OpenOfDay) {
		return fmt.Errorf("NextBusinessDay = %+v, want due %v, opens %v", next, in.Expect.Deadline, in.Expect.OpenOfDay)
	}
	return nil
}
