package escalation_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // a machine without zone files gives the same answers

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func TestVectors(t *testing.T) {
	t.Run("oncall", onCallVectors)
	t.Run("oncall_random", randomVectors)
	t.Run("business_hours", businessHourVectors)
}

// instant reads RFC 3339 with or without seconds; null is the zero time.
type instant struct{ time.Time }

func (i *instant) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil || text == "" {
		return err
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.Parse("2006-01-02T15:04Z07:00", text)
	}
	i.Time = at
	return err
}

func miss(call string, got, want any) error {
	return fmt.Errorf("%s = %v, want %v", call, got, want)
}

// text makes the null of the files and the empty text of the API comparable.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func onCallVectors(t *testing.T) {
	f := testutil.OpenVectors(t, "escalation", "oncall.json")
	rotations := map[string]escalation.Rotation{}
	f.Fixture("rotations", &rotations)
	schedules := vectorSchedules(t, f)
	centres := vectorCentres(t, f)

	f.Run(t, testutil.Kinds{
		"rotation": func(c testutil.Case) error {
			var in struct {
				Rotation   string
				At         instant
				Expect     *string
				ShiftStart instant `json:"shift_start"`
				ShiftEnd   instant `json:"shift_end"`
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			turns, err := rotations[in.Rotation].Compile()
			if err != nil {
				return err
			}
			turn, _ := turns.At(in.At.Time)
			if turn.User != text(in.Expect) || !turn.Start.Equal(in.ShiftStart.Time) || !turn.End.Equal(in.ShiftEnd.Time) {
				return miss("turn", turn, fmt.Sprint(text(in.Expect), in.ShiftStart, in.ShiftEnd))
			}
			return nil
		},
		"schedule": func(c testutil.Case) error {
			var in struct {
				Schedule       string
				At             instant
				Expect, Source *string
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			got := schedules[in.Schedule].WhoAt(in.At.Time)
			if got.User != text(in.Expect) || got.Source != text(in.Source) {
				return miss("WhoAt", got, text(in.Expect)+" "+text(in.Source))
			}
			return nil
		},
		"centres": func(c testutil.Case) error {
			var in struct {
				At     instant
				Expect []string
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			if got := centres.ActiveAt(in.At.Time); !slices.Equal(got, in.Expect) {
				return miss("ActiveAt", got, in.Expect)
			}
			return nil
		},
		"coverage_day": func(c testutil.Case) error { return coverageDay(c, centres) },
		"handoff":      func(c testutil.Case) error { return handoff(c, centres) },
		"ownership":    func(c testutil.Case) error { return ownership(c, centres) },
		"gaps": func(c testutil.Case) error {
			var in struct {
				From, To instant
				Count    int
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			if got := centres.Gaps(in.From.Time, in.To.Time); len(got) != in.Count {
				return miss("len(Gaps)", len(got), in.Count)
			}
			return nil
		},
		"sketch_availability": sketchAvailability,
	})
}

func vectorSchedules(t *testing.T, f *testutil.File) map[string]*escalation.Schedule {
	t.Helper()
	var plans map[string]struct {
		Layers    []escalation.Layer
		Overrides []struct {
			ID       string
			From, To instant
			User     string
			Replaces string
		}
	}
	f.Fixture("schedules", &plans)
	out := map[string]*escalation.Schedule{}
	for name, data := range plans {
		plan := escalation.Plan{Layers: data.Layers}
		for _, o := range data.Overrides {
			plan.Overrides = append(plan.Overrides, escalation.Override{
				ID: o.ID, Start: o.From.Time, End: o.To.Time, User: o.User, Replaces: o.Replaces,
			})
		}
		schedule, err := escalation.NewSchedule(plan)
		if err != nil {
			t.Fatalf("NewSchedule(%s): %v", name, err)
		}
		out[name] = schedule
	}
	return out
}

func vectorCentres(t *testing.T, f *testutil.File) *escalation.Centres {
	t.Helper()
	var data map[string]struct {
		TZ, From, To, Handoff string
		HandoffTo             string `json:"handoff_to"`
	}
	f.Fixture("centres", &data)
	var list []escalation.Centre
	for _, id := range []string{"amsterdam", "austin", "singapore"} {
		list = append(list, escalation.Centre{
			ID: id, Zone: data[id].TZ,
			Coverage: []escalation.Window{{From: data[id].From, To: data[id].To}},
			Handoff:  escalation.HandoffRule{To: data[id].HandoffTo, At: data[id].Handoff, Minutes: 30},
		})
	}
	centres, err := escalation.NewCentres(list)
	if err != nil {
		t.Fatal(err)
	}
	return centres
}

func utcDay(text string) (from, to time.Time, err error) {
	from, err = time.Parse(time.DateOnly, text)
	return from, from.Add(24 * time.Hour), err
}

func coverageDay(c testutil.Case, centres *escalation.Centres) error {
	var in struct {
		Date    string `json:"utc_date"`
		Windows map[string][2]instant
		Hours   map[string]float64 `json:"hours_by_active_set"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	from, to, err := utcDay(in.Date)
	if err != nil {
		return err
	}
	got := map[string]float64{}
	for _, span := range centres.Coverage(from, to) {
		set := slices.Sorted(slices.Values(span.Open))
		got[strings.Join(set, "+")] += span.Duration().Hours()
	}
	if fmt.Sprint(got) != fmt.Sprint(in.Hours) {
		return miss("hours by active set", got, in.Hours)
	}
	for id, window := range in.Windows {
		start, end := window[0].Time, window[1].Time
		edges := []bool{
			centres.IsOpen(id, start.Add(-time.Second)), centres.IsOpen(id, start),
			centres.IsOpen(id, end.Add(-time.Second)), centres.IsOpen(id, end),
		}
		if !slices.Equal(edges, []bool{false, true, true, false}) {
			return miss(id+" open around its window", edges, "false true true false")
		}
	}
	return nil
}

func handoff(c testutil.Case, centres *escalation.Centres) error {
	var in struct {
		From, To  string
		LocalDate string `json:"local_date"`
		At, Ends  instant
		Now       bool `json:"receiver_on_shift"`
		AtEnd     bool `json:"receiver_on_shift_at_end"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	from, to, err := utcDay(in.LocalDate)
	if err != nil {
		return err
	}
	for _, h := range centres.Handoffs(from, to.Add(12*time.Hour)) {
		if h.From != in.From {
			continue
		}
		if h.To != in.To || !h.Start.Equal(in.At.Time) || !h.End.Equal(in.Ends.Time) || h.ReceiverOpen != in.Now || h.ReceiverOpenAtEnd != in.AtEnd {
			return miss("handoff", h, in)
		}
		return nil
	}
	return fmt.Errorf("no handoff from %s on %s", in.From, in.LocalDate)
}

func ownership(c testutil.Case, centres *escalation.Centres) error {
	var in struct {
		Date    string             `json:"utc_date"`
		Hours   map[string]float64 `json:"owner_hours"`
		Outside map[string]int     `json:"minutes_owner_outside_its_window"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	from, to, err := utcDay(in.Date)
	if err != nil {
		return err
	}
	hours := map[string]float64{}
	for _, span := range centres.Ownership(from, to) {
		hours[span.Owner] += span.Duration().Hours()
	}
	if fmt.Sprint(hours) != fmt.Sprint(in.Hours) {
		return miss("owner hours", hours, in.Hours)
	}
	outside := map[string]int{}
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		if owner := centres.Owner(at); !centres.IsOpen(owner, at) {
			outside[owner]++
		}
	}
	if in.Outside != nil && fmt.Sprint(outside) != fmt.Sprint(in.Outside) {
		return miss("minutes outside", outside, in.Outside)
	}
	return nil
}

// sketchAvailability compares the hours of an engineer with a sketch that takes
// the hour of a server in UTC and counts the end hour as available.
func sketchAvailability(c testutil.Case) error {
	var in struct {
		Zone        string `json:"tz"`
		Hours       [2]int
		Date        string `json:"utc_date"`
		Available   int    `json:"wrongly_available_minutes"`
		Unavailable int    `json:"wrongly_unavailable_minutes"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	router, err := escalation.NewRouter(escalation.Roster{
		LastResort: escalation.Contact{ID: "manager"},
		Engineers: []escalation.Engineer{{
			ID: "x", Level: escalation.Senior, Zone: in.Zone, Primary: []string{"databases"},
			Availability: escalation.Availability{{From: fmt.Sprintf("%02d:00", in.Hours[0]), To: fmt.Sprintf("%02d:00", in.Hours[1])}},
		}},
	})
	if err != nil {
		return err
	}
	from, to, err := utcDay(in.Date)
	if err != nil {
		return err
	}
	available, unavailable := 0, 0
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		sketch := at.Hour() >= in.Hours[0] && at.Hour() <= in.Hours[1]
		ours := router.Available("x", at)
		switch {
		case sketch && !ours:
			available++
		case ours && !sketch:
			unavailable++
		}
	}
	if available != in.Available || unavailable != in.Unavailable {
		return miss("minutes wrongly available, unavailable", fmt.Sprint(available, unavailable), fmt.Sprint(in.Available, in.Unavailable))
	}
	return nil
}

func randomVectors(t *testing.T) {
	f := testutil.OpenVectors(t, "escalation", "oncall_random.json")
	check := func(c testutil.Case) error {
		var row struct {
			id, zone, start string
			unit            escalation.Unit
			length, users   int
			at              instant
			expect          *string
			index           *int64
			from, to        instant
		}
		columns := []any{
			&row.id, &row.zone, &row.start, &row.unit, &row.length, &row.users, &row.at, &row.expect, &row.index, &row.from, &row.to,
		}
		var raw []json.RawMessage
		if err := c.Decode(&raw); err != nil {
			return err
		}
		if len(raw) != len(columns) {
			return miss("columns", len(raw), len(columns))
		}
		for i, column := range raw {
			if err := json.Unmarshal(column, columns[i]); err != nil {
				return err
			}
		}
		rotation := escalation.Rotation{Zone: row.zone, Start: row.start, Unit: row.unit, Length: row.length}
		for i := range row.users {
			rotation.Users = append(rotation.Users, fmt.Sprintf("u%d", i))
		}
		turns, err := rotation.Compile()
		if err != nil {
			return err
		}
		turn, ok := turns.At(row.at.Time)
		if ok != (row.index != nil) {
			return miss("started", ok, row.index != nil)
		}
		if !ok {
			return nil
		}
		if turn.User != text(row.expect) || turn.Index != *row.index || !turn.Start.Equal(row.from.Time) || !turn.End.Equal(row.to.Time) {
			return miss("turn", turn, fmt.Sprint(text(row.expect), *row.index, row.from, row.to))
		}
		return nil
	}
	f.Run(t, testutil.Kinds{
		"days": check, "weeks": check, "months": check, "wall_hours": check, "elapsed_hours": check,
	})
}

func businessHourVectors(t *testing.T) {
	f := testutil.OpenVectors(t, "escalation", "business_hours.json")
	calendars := vectorCalendars(t, f)
	type input struct {
		Calendar     string
		At, From, To instant
		Seconds      int64
		NextOpen     instant `json:"next_open"`
		ExpectOpen   instant `json:"expect_open"`
		ExpectElapse int64   `json:"expect_seconds"`
		Expect       json.RawMessage
	}
	decode := func(c testutil.Case, expect any) (in input, err error) {
		if err := c.Decode(&in); err != nil {
			return in, err
		}
		if expect != nil {
			err = json.Unmarshal(in.Expect, expect)
		}
		return in, err
	}
	f.Run(t, testutil.Kinds{
		"is_open": func(c testutil.Case) error {
			var want bool
			in, err := decode(c, &want)
			if err != nil {
				return err
			}
			if got := calendars[in.Calendar].IsOpen(in.At.Time); got != want {
				return miss("IsOpen", got, want)
			}
			next, err := calendars[in.Calendar].NextOpen(in.At.Time)
			if err != nil || !next.Equal(in.NextOpen.Time) {
				return miss("NextOpen", fmt.Sprint(next, err), in.NextOpen)
			}
			return nil
		},
		"elapsed": func(c testutil.Case) error {
			in, err := decode(c, nil)
			if err != nil {
				return err
			}
			if got := calendars[in.Calendar].Elapsed(in.From.Time, in.To.Time, nil); got != time.Duration(in.ExpectElapse)*time.Second {
				return miss("Elapsed", got, in.ExpectElapse)
			}
			return nil
		},
		"add": func(c testutil.Case) error {
			var want instant
			in, err := decode(c, &want)
			if err != nil {
				return err
			}
			due, err := calendars[in.Calendar].Due(in.From.Time, time.Duration(in.Seconds)*time.Second, nil)
			if err != nil || !due.Equal(want.Time) {
				return miss("Due", fmt.Sprint(due, err), want)
			}
			return nil
		},
		"next_business_day_close": func(c testutil.Case) error {
			var want instant
			in, err := decode(c, &want)
			if err != nil {
				return err
			}
			day, err := calendars[in.Calendar].NextBusinessDay(in.From.Time, calendar.NextDayRule{})
			if err != nil || !day.Due.Equal(want.Time) || !day.Opens.Equal(in.ExpectOpen.Time) {
				return miss("NextBusinessDay", fmt.Sprint(day, err), fmt.Sprint(want, in.ExpectOpen))
			}
			return nil
		},
		"sketch_notify": sketchNotify,
	})
}

func vectorCalendars(t *testing.T, f *testutil.File) map[string]*calendar.Calendar {
	t.Helper()
	var data map[string]struct {
		TZ, From, To string
		Days         []string
		Holidays     []string
		SpecialDays  map[string][][2]string `json:"special_days"`
	}
	f.Fixture("calendars", &data)
	out := map[string]*calendar.Calendar{}
	for name, d := range data {
		days, err := escalation.ParseDaySet(d.Days)
		if err != nil {
			t.Fatal(err)
		}
		hours := calendar.Hours{
			Zone: d.TZ, Week: calendar.Week{}, Holidays: d.Holidays,
			Special: map[string][]calendar.Span{}, HolidayRule: calendar.ShiftStart,
		}
		for day := time.Sunday; day <= time.Saturday; day++ {
			if days.Has(day) {
				hours.Week[day] = []calendar.Span{{From: d.From, To: d.To}}
			}
		}
		for date, spans := range d.SpecialDays {
			for _, span := range spans {
				hours.Special[date] = append(hours.Special[date], calendar.Span{From: span[0], To: span[1]})
			}
		}
		if out[name], err = calendar.New(hours); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return out
}

// sketchNotify compares working hours in the zone of a stakeholder with a
// sketch that takes Monday to Friday 9 to 18 by a server in UTC.
func sketchNotify(c testutil.Case) error {
	var in struct {
		Zone       string `json:"stakeholder_tz"`
		Date       string `json:"utc_date"`
		Notified   int    `json:"wrongly_notified_minutes"`
		Suppressed int    `json:"wrongly_suppressed_minutes"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	ours, err := calendar.New(calendar.Hours{Zone: in.Zone, Week: calendar.MondayToFriday("09:00", "18:00")})
	if err != nil {
		return err
	}
	from, to, err := utcDay(in.Date)
	if err != nil {
		return err
	}
	notified, suppressed := 0, 0
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		working := at.Weekday() != time.Saturday && at.Weekday() != time.Sunday
		sketch := working && at.Hour() >= 9 && at.Hour() < 18
		switch open := ours.IsOpen(at); {
		case sketch && !open:
			notified++
		case open && !sketch:
			suppressed++
		}
	}
	if notified != in.Notified || suppressed != in.Suppressed {
		return miss("minutes wrongly notified, suppressed", fmt.Sprint(notified, suppressed), fmt.Sprint(in.Notified, in.Suppressed))
	}
	return nil
}
