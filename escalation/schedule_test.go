package escalation_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func sameAnswer(a, b escalation.OnCall) bool {
	return a.User == b.User && a.Source == b.Source && a.StandsFor == b.StandsFor && slices.Equal(a.Also, b.Also)
}

// Shifts, Gaps, Overlaps, NextChange and ShiftAt say at every instant what WhoAt
// says, around transitions of many zones.
func TestAnswersAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	dates := []string{"2026-03-08", "2026-03-29", "2026-04-05", "2026-04-24", "2026-09-06", "2026-10-25", "2026-11-01", "2011-12-30", "2028-12-31"}
	instants := 0
	for n := range 150 {
		around := at(dates[n%len(dates)] + "T12:00:00Z")
		plan := fixture.Plan(r, around)
		s, err := escalation.NewSchedule(plan)
		if err != nil {
			t.Fatal(err)
		}
		from, to := around.Add(-5*24*time.Hour), around.Add(5*24*time.Hour)
		shifts, gaps, overlaps := s.Shifts(from, to), s.Gaps(from, to), s.Overlaps(from, to)
		checkContiguous(t, shifts, from, to)
		for i, shift := range shifts {
			probes := []time.Time{shift.Start, shift.End.Add(-1), shift.Start.Add(shift.End.Sub(shift.Start) / 2)}
			for p := shift.Start; p.Before(shift.End); p = p.Add(13 * time.Minute) {
				probes = append(probes, p)
			}
			instants += len(probes)
			for _, p := range probes {
				if got := s.WhoAt(p); !sameAnswer(got, shift.OnCall) {
					t.Fatalf("plan %+v\nWhoAt(%s) = %+v, want that of shift %+v", plan, p, got, shift)
				}
			}
			last := i == len(shifts)-1
			next, ok := s.NextChange(shift.Start)
			if !last && (!ok || !next.Equal(shift.End)) || ok && !next.After(shift.Start) {
				t.Fatalf("plan %+v\nNextChange(%s) = %s, want %s", plan, shift.Start, next, shift.End)
			}
			if i > 0 && !last {
				if got := s.ShiftAt(probes[2]); !got.Start.Equal(shift.Start) || !got.End.Equal(shift.End) || !sameAnswer(got.OnCall, shift.OnCall) {
					t.Fatalf("ShiftAt(%s) = %+v, want %+v", probes[2], got, shift)
				}
			}
			if got := contains(gaps, probes[2]); got != (shift.User == "") {
				t.Fatalf("gap at %s = %t, want %t", probes[2], got, shift.User == "")
			}
		}
		for _, o := range overlaps {
			if len(o.Also) == 0 || len(s.WhoAt(o.Start).Also) == 0 {
				t.Fatalf("overlap %+v without a second person", o)
			}
		}
		for _, o := range overlaps {
			if seen := append([]string{o.User}, o.Also...); len(slices.Compact(slices.Sorted(slices.Values(seen)))) != len(seen) {
				t.Fatalf("%v has somebody twice", seen)
			}
		}
		for i, line := range s.Lineup(around) {
			if first := s.WhoAt(around); line.User == "" || i == 0 && first.User != "" && line.User != first.User {
				t.Fatalf("Lineup(%s)[%d] = %+v, want %+v first and nobody nameless", around, i, line, first)
			}
		}
	}
	t.Logf("%d instants", instants)
}

func checkContiguous(t *testing.T, shifts []escalation.Shift, from, to time.Time) {
	t.Helper()
	for i, shift := range shifts {
		start := from
		if i > 0 {
			start = shifts[i-1].End
			if sameAnswer(shift.OnCall, shifts[i-1].OnCall) {
				t.Fatalf("neighbours %+v and %+v are the same", shifts[i-1], shift)
			}
		}
		if !shift.Start.Equal(start) || !shift.Start.Before(shift.End) {
			t.Fatalf("shift %+v starts elsewhere than %s", shift, start)
		}
	}
	if last := shifts[len(shifts)-1]; !last.End.Equal(to) {
		t.Fatalf("last shift %+v ends elsewhere than %s", last, to)
	}
}

func contains(set []calendar.Interval, at time.Time) bool {
	return slices.ContainsFunc(set, func(i calendar.Interval) bool { return i.Contains(at) })
}

// Splitting a stretch of time gives the same shifts.
func TestShiftsCanBeSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	from, to := at("2026-03-25T00:00:00Z"), at("2026-04-02T00:00:00Z")
	for range 50 {
		s, err := escalation.NewSchedule(fixture.Plan(r, at("2026-03-29T00:00:00Z")))
		if err != nil {
			t.Fatal(err)
		}
		middle := from.Add(time.Duration(r.Int64N(int64(to.Sub(from)))))
		whole, parts := s.Shifts(from, to), s.Shifts(from, middle)
		for i, shift := range s.Shifts(middle, to) {
			if last := &parts[len(parts)-1]; i == 0 && sameAnswer(last.OnCall, shift.OnCall) {
				last.End = shift.End
				continue
			}
			parts = append(parts, shift)
		}
		if fmt.Sprint(whole) != fmt.Sprint(parts) {
			t.Fatalf("split at %s:\n%v\nwant:\n%v", middle, parts, whole)
		}
	}
}

func TestOverrideKinds(t *testing.T) {
	o := func(id string, kind escalation.OverrideKind, user, replaces string, from, to int) escalation.Override {
		day := at("2026-05-04T00:00:00Z")
		hour := func(n int) time.Time { return day.Add(time.Duration(n) * time.Hour) }
		return escalation.Override{ID: id, Kind: kind, User: user, Replaces: replaces, Start: hour(from), End: hour(to)}
	}
	s, err := escalation.NewSchedule(escalation.Plan{
		Layers: []escalation.Layer{
			{Name: "main", Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-05-01T00:00", Unit: escalation.Days, Length: 1, Users: []string{"ann"}}},
			{Name: "backup", Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-05-01T00:00", Unit: escalation.Days, Length: 1, Users: []string{"bob"}}},
		},
		Overrides: []escalation.Override{
			o("r", escalation.Replace, "cem", "", 1, 3),
			o("late", escalation.Replace, "dee", "", 2, 4),
			o("other", escalation.Replace, "eli", "bob", 1, 4), // bob is never the layers' person
			o("plus", escalation.Add, "fay", "", 3, 6),
			o("self", escalation.Add, "ann", "", 5, 6),
			o("gone", escalation.Remove, "", "", 7, 9),
			o("help", escalation.Add, "fay", "", 8, 9),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, shift := range s.Shifts(at("2026-05-04T00:00:00Z"), at("2026-05-04T10:00:00Z")) {
		got = append(got, fmt.Sprintf("%s %q %s %v", shift.Start.Format("15"), shift.User, shift.Source, shift.Also))
	}
	want := []string{
		`00 "ann" layer:main []`,
		`01 "cem" override:r []`,
		`02 "dee" override:late []`,
		`03 "dee" override:late [fay]`,
		`04 "ann" layer:main [fay]`,
		`06 "ann" layer:main []`,
		`07 "" override:gone []`,
		`08 "fay" override:help []`,
		`09 "ann" layer:main []`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("shifts:\n%q\nwant:\n%q", got, want)
	}
	for _, c := range []struct {
		hour string
		want string
	}{
		{"00", "ann by layer:main; bob by layer:backup"},
		{"03", "dee by override:late; fay by override:plus; bob by layer:backup"},
		{"07", "bob by layer:backup"},
	} {
		if got := lineup(s, "2026-05-04T"+c.hour+":30:00Z"); got != c.want {
			t.Errorf("Lineup at %s:30 = %s, want %s", c.hour, got, c.want)
		}
	}
}

func lineup(s *escalation.Schedule, instant string) string {
	var line []string
	for _, o := range s.Lineup(at(instant)) {
		line = append(line, o.Why())
	}
	return strings.Join(line, "; ")
}

// The shares are those of the written interface of the on-call program.
func TestGapsOfANight(t *testing.T) {
	s, err := escalation.NewSchedule(escalation.Plan{Layers: []escalation.Layer{{
		Name:     "night",
		Rotation: escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-03-23T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann", "bob"}},
		Windows:  []escalation.Window{{Days: escalation.Weekdays, From: "22:00", To: "06:00"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{"2026-03-27T00:00:00Z", "2026-03-30T00:00:00Z", "[[2026-03-27T05:00:00Z, 2026-03-27T21:00:00Z) [2026-03-28T05:00:00Z, 2026-03-30T00:00:00Z)]"},
		{"2026-10-23T00:00:00Z", "2026-10-27T12:00:00Z", "[[2026-10-23T04:00:00Z, 2026-10-23T20:00:00Z) [2026-10-24T04:00:00Z, 2026-10-26T21:00:00Z) [2026-10-27T05:00:00Z, 2026-10-27T12:00:00Z)]"},
		{"2026-03-22T00:00:00Z", "2026-03-24T12:00:00Z", "[[2026-03-22T00:00:00Z, 2026-03-23T21:00:00Z) [2026-03-24T05:00:00Z, 2026-03-24T12:00:00Z)]"},
	} {
		if got := fmt.Sprint(s.Gaps(at(c.from), at(c.to))); got != c.want {
			t.Errorf("Gaps(%s, %s) = %s, want %s", c.from, c.to, got, c.want)
		}
	}
	// Before the start of the rotation the layer is named, though nobody is there.
	if got := s.WhoAt(at("2026-01-01T00:00:00Z")); got.User != "" || got.Source != "layer:night" {
		t.Errorf("WhoAt before the start = %+v, want nobody from layer:night", got)
	}
}

func TestUnchangingSchedule(t *testing.T) {
	s, err := escalation.NewSchedule(escalation.Plan{Layers: []escalation.Layer{
		{Name: "always", Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-01-01T00:00", Unit: escalation.ElapsedHours, Length: 1, Users: []string{"ann", "ann"}}},
		{Name: "below", Rotation: escalation.Rotation{Zone: "UTC", Start: "2025-01-01T00:00", Unit: escalation.Days, Length: 1, Users: []string{"bob", "cem"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if next, ok := s.NextChange(at("2026-05-04T00:00:00Z")); ok {
		t.Errorf("NextChange = %s, want none", next)
	}
	got := s.ShiftAt(at("2026-05-04T00:00:00Z"))
	if !got.Start.Equal(at("2026-01-01T00:00:00Z")) || !got.End.IsZero() || got.User != "ann" {
		t.Errorf("ShiftAt = %+v, want ann since the start without end", got)
	}
	if shifts := s.Shifts(at("2026-05-04T00:00:00Z"), at("2026-05-04T00:00:00Z")); shifts != nil {
		t.Errorf("Shifts of nothing = %v, want none", shifts)
	}
}
