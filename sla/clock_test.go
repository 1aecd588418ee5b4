package sla_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func clocks(tb testing.TB, a *sla.Agreement, in sla.Incident, at string) []sla.ClockState {
	tb.Helper()
	states, err := a.Clocks(in, instant(tb, at))
	if err != nil {
		tb.Fatal(err)
	}
	return states
}

func TestClocks(t *testing.T) {
	a := reference(t, sla.Enterprise)
	in := sla.Incident{ID: "INC", Severity: incident.P1, Opened: instant(t, "2026-04-07T10:00:00Z"), Responded: instant(t, "2026-04-07T10:02:00Z")}
	waiting := in
	waiting.Pauses = []calendar.Interval{{Start: instant(t, "2026-04-07T10:30:00Z")}}
	waited := in
	waited.Pauses = []calendar.Interval{{Start: instant(t, "2026-04-07T10:30:00Z"), End: instant(t, "2026-04-07T11:30:00Z")}}
	resolved := waited
	resolved.Resolved = instant(t, "2026-04-07T12:59:59Z")
	for _, c := range []struct {
		name       string
		in         sla.Incident
		at         string
		response   sla.Outcome
		resolution sla.Outcome
		due        string
		elapsed    time.Duration
		percent    int
	}{
		{"not answered yet", in, "2026-04-07T10:01:00Z", sla.Pending, sla.Pending, "2026-04-07T12:00:00Z", time.Minute, 0},
		{"answered at the target", in, "2026-04-07T11:00:00Z", sla.Met, sla.Pending, "2026-04-07T12:00:00Z", time.Hour, 50},
		{"two hours are too late", in, "2026-04-07T12:00:00Z", sla.Met, sla.Missed, "2026-04-07T12:00:00Z", 2 * time.Hour, 100},
		{"waiting", waiting, "2026-04-07T11:00:00Z", sla.Met, sla.Paused, "2026-04-07T12:30:00Z", 30 * time.Minute, 25},
		{"waited an hour", waited, "2026-04-07T12:30:00Z", sla.Met, sla.Pending, "2026-04-07T13:00:00Z", 90 * time.Minute, 75},
		{"resolved a second before", resolved, "2026-04-08T00:00:00Z", sla.Met, sla.Met, "2026-04-07T13:00:00Z", 2*time.Hour - time.Second, 99},
	} {
		states := clocks(t, a, c.in, c.at)
		if len(states) != 2 {
			t.Fatalf("%s: %d clocks, want 2", c.name, len(states))
		}
		r := states[1]
		if states[0].Outcome != c.response || r.Outcome != c.resolution || r.Elapsed != c.elapsed || r.PercentUsed() != c.percent || !r.Due.Equal(instant(t, c.due)) {
			t.Errorf("%s: response %s, resolution %+v (%d %%), want %s, %s, due %s, %v, %d %%", c.name, states[0].Outcome, r, r.PercentUsed(), c.response, c.resolution, c.due, c.elapsed, c.percent)
		}
		if !r.BreachAt.Equal(r.Due) || r.Remaining != 2*time.Hour-r.Elapsed {
			t.Errorf("%s: breach at %v, remaining %v do not fit", c.name, r.BreachAt, r.Remaining)
		}
	}
}

// Low severity of the essential tier is due at the close of the next business
// day; the contract's zone decides which day that is.
func TestNextBusinessDayClock(t *testing.T) {
	a := reference(t, sla.Essential)
	in := sla.Incident{ID: "INC", Severity: incident.P4, Opened: instant(t, "2026-04-09T22:30:00Z")} // Friday 00:30 in Amsterdam
	for _, c := range []struct {
		at   string
		want sla.Outcome
	}{
		{"2026-04-13T16:00:00Z", sla.Pending}, // Monday 18:00
		{"2026-04-13T16:00:01Z", sla.Missed},
	} {
		got := clocks(t, a, in, c.at)[0]
		if got.Outcome != c.want || !got.Due.Equal(instant(t, "2026-04-13T16:00:00Z")) || got.PercentUsed() != 0 {
			t.Errorf("at %s: %+v, want %s", c.at, got, c.want)
		}
	}
	p := a.PeriodAt(in.Opened)
	s := evaluate(t, a, p, sla.Evidence{Observed: p.Interval, Incidents: []sla.Incident{in}})
	if len(s.Breaches) != 2 || s.Breaches[0].Clause != sla.ClauseResponse || s.Breaches[0].Credit.Sign() != 0 || s.State != sla.StateDue {
		t.Errorf("breaches = %+v, state %s, want a late response without and a late resolution with a credit", s.Breaches, s.State)
	}
}

// A clock in working hours, started by detection.
func TestWorkingHoursClock(t *testing.T) {
	c := a0(t)
	c.Terms = []sla.Term{{ID: "response", Response: &sla.Clock{Start: sla.FromDetected, Targets: []sla.Target{
		{Severity: incident.P2, Within: 2 * time.Hour, Calendar: sla.OfficeHours},
	}}}}
	a, err := sla.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	in := sla.Incident{ID: "INC", Severity: incident.P2, Detected: instant(t, "2026-04-10T15:00:00Z"), Opened: instant(t, "2026-04-10T15:30:00Z")} // Friday 17:00
	got := clocks(t, a, in, "2026-04-12T12:00:00Z")[0]
	if got.Elapsed != time.Hour || got.Outcome != sla.Pending || !got.Due.Equal(instant(t, "2026-04-13T08:00:00Z")) {
		t.Errorf("clock = %+v, want one hour used, due Monday 10:00", got)
	}
	in.Detected = time.Time{}
	if got := clocks(t, a, in, "2026-04-12T12:00:00Z")[0]; got.Elapsed != 30*time.Minute {
		t.Errorf("clock without detection = %+v, want half an hour used", got)
	}
	var e *sla.EvidenceError
	if _, err := a.Clocks(sla.Incident{ID: "x"}, in.Opened); !errors.As(err, &e) {
		t.Errorf("Clocks of an incident without severity = %v, want an EvidenceError", err)
	}
	if states, err := a.Clocks(sla.Incident{ID: "x", Severity: incident.P1, Opened: in.Opened}, in.Opened); err != nil || len(states) != 0 {
		t.Errorf("Clocks of a severity without target = %v, %v, want none", states, err)
	}
}

func TestUnreachableClock(t *testing.T) {
	c := a0(t)
	c.Calendars = map[string]calendar.Hours{"closed": {Zone: "UTC", Special: map[string][]calendar.Span{"1990-01-02": {{From: "08:00", To: "09:00"}}}}}
	c.Terms = []sla.Term{{ID: "r", Response: &sla.Clock{Targets: []sla.Target{{Severity: incident.P1, Within: time.Hour, Calendar: "closed"}}}}}
	a, err := sla.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Clocks(sla.Incident{ID: "x", Severity: incident.P1, Opened: vectorStart}, vectorStart); !errors.Is(err, calendar.ErrUnreachable) {
		t.Errorf("Clocks = %v, want ErrUnreachable", err)
	}
}

// a0 is an essential contract that a test may change.
func a0(tb testing.TB) sla.Contract {
	tb.Helper()
	return sla.Preset("x", sla.Essential, "Europe/Amsterdam", sla.Essential.Offer().FeeTo)
}

func TestEvidenceFromIncident(t *testing.T) {
	start := instant(t, "2026-04-07T10:00:00Z")
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	s := incident.State{
		ID: "INC", Severity: incident.P1, Services: []string{"api", "web"},
		Times:        incident.Times{Detected: at(1), Created: at(2), Acknowledged: at(3)},
		Impact:       []calendar.Interval{{Start: at(0), End: at(20)}, {Start: at(30)}},
		Waits:        []calendar.Interval{{Start: at(5), End: at(6)}},
		WaitingSince: at(40), WaitingFor: incident.AwaitCustomer,
	}
	in := sla.IncidentOf(s)
	if in.ID != "INC" || in.Service != "api" || !in.Opened.Equal(at(2)) || !in.Responded.Equal(at(3)) || len(in.Pauses) != 2 || !in.Pauses[1].End.IsZero() {
		t.Errorf("IncidentOf = %+v", in)
	}
	s.WaitingFor = incident.AwaitVendor
	if in := sla.IncidentOf(s); len(in.Pauses) != 1 {
		t.Errorf("Pauses = %v while a vendor has to answer, want the wait for the customer only", in.Pauses)
	}
	outages := sla.OutagesOf(s)
	if len(outages) != 4 || outages[3].Service != "web" || !outages[3].End.IsZero() || outages[3].Ref != "INC" {
		t.Errorf("OutagesOf = %+v", outages)
	}
}

func TestPercentUsedAtTheEnds(t *testing.T) {
	for _, c := range []struct {
		elapsed, target time.Duration
		want            int
	}{
		{time.Hour, 0, 0},
		{0, time.Hour, 0},
		{math.MaxInt64, time.Nanosecond, math.MaxInt},
		{math.MaxInt64, 90, math.MaxInt},
		{math.MaxInt64, math.MaxInt64, 100},
	} {
		s := sla.ClockState{Elapsed: c.elapsed, Target: c.target}
		if got := s.PercentUsed(); got != c.want {
			t.Errorf("PercentUsed of %v in %v = %d, want %d", c.elapsed, c.target, got, c.want)
		}
	}
}
