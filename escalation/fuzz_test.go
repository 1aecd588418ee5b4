package escalation_test

import (
	"encoding/json"
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// A roster that is accepted answers every question, survives a round trip
// through JSON, and gives the same answers afterwards.
func FuzzParseRoster(f *testing.F) {
	f.Add([]byte(`{"last_resort":{"id":"x"},"engineers":[{"id":"a","level":"senior","timezone":"UTC","primary_skills":["db"],"availability_hours":[22,6]}]}`))
	f.Add([]byte(`{"last_resort":{"id":"x"},"engineers":[{"id":"a","level":"junior","location":"c"}],"centres":[{"id":"c","timezone":"Europe/Amsterdam","coverage":[{"from":"06:00","to":"18:00"}],"manager":"a"}]}`))
	f.Add([]byte(`{"last_resort":{"id":"x"},"engineers":[],"schedules":{"s":{"layers":[{"name":"l","rotation":{"tz":"Asia/Singapore","start_local":"2026-01-31T02:30","unit":"months","length":1,"users":["x"]},"windows":[{"days":["Mon"],"from":"22:00","to":"06:00","except_dates":["2026-03-02"]}]}],"overrides":[{"id":"o","from":"2026-03-01T00:00:00Z","to":"2026-03-02T00:00:00Z","user":"x","kind":"add"}]}},"on_call":"s"}`))
	sample, err := json.Marshal(team())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Fuzz(func(t *testing.T, data []byte) {
		roster, err := escalation.ParseRoster(data)
		if err != nil {
			return
		}
		router := newRouter(t, roster)
		text, err := json.Marshal(roster)
		if err != nil {
			t.Fatalf("Marshal of an accepted roster: %v", err)
		}
		again, err := escalation.ParseRoster(text)
		if err != nil {
			t.Fatalf("ParseRoster(%s): %v", text, err)
		}
		now := at("2026-03-29T01:30:00Z")
		q := escalation.Request{At: now, Severity: incident.P1, Domain: "db"}
		r1, err1 := router.Candidates(q)
		r2, err2 := newRouter(t, again).Candidates(q)
		if err1 != nil || err2 != nil || r1.String() != r2.String() || len(r1.Candidates)+len(r1.Refused) != len(roster.Engineers) {
			t.Fatalf("Candidates = %s (%v), %s (%v), want the same, and everybody in it", r1, err1, r2, err2)
		}
		for _, name := range router.Schedules() {
			s := router.Schedule(name)
			shifts := s.Shifts(now, now.AddDate(0, 0, 2))
			for _, shift := range shifts {
				if got := s.WhoAt(shift.Start); !sameAnswer(got, shift.OnCall) {
					t.Fatalf("WhoAt(%s) = %+v, want %+v", shift.Start, got, shift)
				}
			}
		}
	})
}

// Overrides that are accepted leave the answers whole.
func FuzzOverrides(f *testing.F) {
	f.Add([]byte(`[{"id":"o1","from":"2026-03-31T10:00:00Z","to":"2026-03-31T14:00:00Z","user":"zoe"},{"id":"o2","from":"2026-03-31T12:00:00Z","to":"2026-03-31T13:00:00Z","kind":"remove","replaces":"ann"}]`))
	f.Add([]byte(`[{"id":"o","from":"0001-01-01T00:00:00Z","to":"9999-12-31T23:59:59.999999999Z","kind":"add","user":"u"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var list []escalation.Override
		if json.Unmarshal(data, &list) != nil {
			return
		}
		s, err := escalation.NewSchedule(escalation.Plan{
			Layers: []escalation.Layer{{Name: "l", Rotation: escalation.Rotation{
				Zone: "America/Chicago", Start: "2026-03-05T02:30", Unit: escalation.Days, Length: 1, Users: []string{"ann", "bob"},
			}}},
			Overrides: list,
		})
		if err != nil {
			return
		}
		from, to := at("2026-03-07T00:00:00Z"), at("2026-04-02T00:00:00Z")
		shifts := s.Shifts(from, to)
		checkContiguous(t, shifts, from, to)
		for _, shift := range shifts {
			for _, p := range []escalation.OnCall{s.WhoAt(shift.Start), s.WhoAt(shift.End.Add(-1))} {
				if !sameAnswer(p, shift.OnCall) {
					t.Fatalf("WhoAt in %+v = %+v", shift, p)
				}
			}
		}
	})
}

// A snapshot that is accepted can be stepped through to its end.
func FuzzRestore(f *testing.F) {
	e := newEngine(f, team())
	if _, err := e.Apply(opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z")); err != nil {
		f.Fatal(err)
	}
	data, err := e.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	config := escalation.Config{Tenant: "acme", Router: newRouter(f, team())}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := escalation.Restore(config, data)
		if err != nil {
			return
		}
		for range 100 {
			due, ok := e.NextWake()
			if !ok {
				break
			}
			e.Step(due)
		}
		for _, id := range e.Incidents() {
			resolve := event(escalation.Resolved, id, "2030-01-01T00:00:00Z")
			if _, err := e.Apply(resolve); err == nil {
				if view, _ := e.Incident(id); view.Closed.IsZero() {
					t.Fatalf("incident %q is open after it was resolved", id)
				}
			}
		}
	})
}
