package escalation_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/sealed"
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
	f.Add([]byte(fullRoster))
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
			for _, when := range farInstants {
				s.WhoAt(when)
				s.Lineup(when)
				if next, ok := s.NextChange(when); ok && !next.After(when) {
					t.Fatalf("NextChange(%s) = %s", when, next)
				}
				if shift := s.ShiftAt(when); !shift.Start.IsZero() && shift.Start.After(when) {
					t.Fatalf("ShiftAt(%s) = %+v", when, shift)
				}
			}
		}
		first, err := router.Assign(q)
		if err != nil || first.Assigned != r1.Assigned || first.Reason != r1.Reason {
			t.Fatalf("Assign = %s (%v), the first of %s", first, err, r1)
		}
		if len(roster.Schedules) < 3 {
			if _, err := router.Unreached(escalation.DefaultMatrix(), "db", now, now.Add(6*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// fullRoster has every field.
const fullRoster = `{"timezone":"Europe/Amsterdam","last_resort":{"id":"x","name":"X"},"technology_domains":["db","net"],
"engineers":[{"id":"a","level":"senior","location":"c","primary_skills":["db"],"availability_hours":[22,6],"on_call_rotation":true,"max_open_incidents":1,"fte_percent":50},
{"id":"b","level":"management","location":"d","timezone":"Asia/Kathmandu","secondary_skills":["db","net"]}],
"absences":[{"engineer":"a","from":"2026-03-29T00:00:00Z","to":"2026-03-30T00:00:00Z","reason":"r"}],
"teams":{"t":["a","b"]},
"centres":[{"id":"c","timezone":"Europe/Amsterdam","coverage":[{"from":"06:00","to":"18:00"}],"manager":"b","regions":["eu"]},{"id":"d","timezone":"Asia/Kathmandu","coverage":[{"from":"18:00","to":"06:00"}]}],
"latency_ms":{"us":{"c":80,"d":200}},
"ranking":{"junior_first":["P3"]},
"schedules":{"s":{"together":true,"when_absent":"next_in_rotation","absences":[{"engineer":"b","from":"2026-03-29T06:00:00Z","to":"2026-03-31T00:00:00Z"}],"layers":[
{"name":"l","rotation":{"tz":"America/Chicago","start_local":"2026-01-31T02:30","unit":"wall_hours","length":5,"users":["a","b"],"changes":[{"from":"2026-03-01T00:00:00Z","users":["b"],"restart":true}],"keep_turn":true},"windows":[{"days":["Mon","Sun"],"from":"22:00","to":"06:00","except_dates":["2026-03-29"]}],"holidays":["2026-03-30"],"active_turns_only":true},
{"name":"m","rotation":{"tz":"UTC","start_local":"2024-02-29T00:00","unit":"months","length":12,"users":["a"],"month_end":"skip"}},
{"name":"n","rotation":{"tz":"Australia/Lord_Howe","start_local":"9999-12-31T23:59","unit":"weeks","length":100000,"users":["a","x"],"extend_backwards":true}}],
"replacements":[{"id":"r","from":"2026-03-29T00:00:00Z","to":"2026-03-29T12:00:00Z","fallback":"x"}],
"overrides":[{"id":"o","from":"2026-03-29T00:00:00Z","to":"2026-03-30T00:00:00Z","user":"x","replaces":"a"},
{"id":"c","from":"2026-03-29T00:00:00Z","to":"2026-03-30T00:00:00Z","kind":"cover","user":"x","replaces":"b","needs_approval":true,"requested_by":"b","approval":{"by":"m","at":"2026-03-28T00:00:00Z","note":"n"}}]}},
"on_call":"s"}`

// farInstants are the ends of the years that JSON can hold, and of time.
var farInstants = []time.Time{
	at("0001-01-01T00:00:00Z"), at("1883-11-18T18:00:00Z"), at("2049-12-31T23:59:59Z"), at("9999-12-31T23:59:59Z"),
	time.Unix(math.MinInt64, 0), time.Unix(math.MaxInt64-62135596801, 0), time.Unix(math.MaxInt64, 0),
}

// Overrides that are accepted leave the answers whole.
func FuzzOverrides(f *testing.F) {
	f.Add([]byte(`[{"id":"o1","from":"2026-03-31T10:00:00Z","to":"2026-03-31T14:00:00Z","user":"zoe"},{"id":"o2","from":"2026-03-31T12:00:00Z","to":"2026-03-31T13:00:00Z","kind":"remove","replaces":"ann"}]`))
	f.Add([]byte(`[{"id":"c","from":"2026-03-08T06:00:00Z","to":"2026-03-09T14:00:00Z","kind":"cover","user":"zoe","replaces":"bob","needs_approval":true,"requested_by":"bob","approval":{"by":"lead","at":"2026-03-08T07:30:00Z"}},{"id":"p","from":"2026-03-08T06:00:00Z","to":"2026-03-09T14:00:00Z","kind":"add","user":"eli","needs_approval":true,"requested_by":"eli"}]`))
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
	add := func(data []byte) {
		state, err := sealed.Open(data, 4)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(state))
	}
	add(data)
	config := everything(f)
	for seed := range uint64(4) {
		e, err := escalation.NewEngine(config)
		if err != nil {
			f.Fatal(err)
		}
		for _, ev := range randomEvents(rand.New(rand.NewPCG(seed, 5)), 12) {
			e.Apply(ev) //nolint:errcheck // some are refused
			if due, ok := e.NextWake(); ok {
				e.Step(due)
			}
		}
		if data, err = e.Snapshot(); err != nil {
			f.Fatal(err)
		}
		add(data)
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		data, err := sealed.Seal(4, json.RawMessage(state))
		if err != nil {
			return
		}
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
