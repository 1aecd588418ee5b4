package sla_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// clockDay is a Tuesday; hm returns a time of it in UTC, hours from 24 run on.
var clockDay = time.Date(2026, 4, 7, 0, 0, 0, 0, time.UTC)

func hm(hours, minutes int) time.Time {
	return clockDay.Add(time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute)
}

func between(fromH, fromM, toH int) calendar.Interval {
	return calendar.Interval{Start: hm(fromH, fromM), End: hm(toH, 0)}
}

// within promises hours for P1, P2 and so on, around the clock.
func within(hours ...time.Duration) []sla.Target {
	var out []sla.Target
	for i, h := range hours {
		out = append(out, sla.Target{Severity: incident.Severities[i], Within: h, CreditPercent: 10_000_000}) // 1 %
	}
	return out
}

// agree compiles a contract in UTC with a calendar "desk", Monday to Friday 09:00
// to 17:00 with an hour for lunch.
func agree(tb testing.TB, terms ...sla.Term) *sla.Agreement {
	tb.Helper()
	c := a0(tb)
	day := []calendar.Span{{From: "09:00", To: "12:00"}, {From: "13:00", To: "17:00"}}
	week := calendar.Week{}
	for d := time.Monday; d <= time.Friday; d++ {
		week[d] = day
	}
	c.Zone, c.Terms = "UTC", terms
	c.Calendars = map[string]calendar.Hours{"desk": {Zone: "UTC", Week: week}}
	a, err := sla.Compile(c)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func resolution(c sla.Clock) sla.Term { return sla.Term{ID: "resolution", Resolution: &c} }
func response(c sla.Clock) sla.Term   { return sla.Term{ID: "response", Response: &c} }
func update(c sla.Clock) sla.Term     { return sla.Term{ID: "update", Update: &c} }

func one(tb testing.TB, a *sla.Agreement, in sla.Incident, at time.Time) sla.ClockState {
	tb.Helper()
	states, err := a.Clocks(in, at)
	if err != nil || len(states) != 1 {
		tb.Fatalf("Clocks at %s = %v, %v, want one", at, states, err)
	}
	return states[0]
}

// The target of the highest severity counts from the start, with the pauses of
// the whole time.
func TestSeverityRaised(t *testing.T) {
	a := agree(t, resolution(sla.Clock{Targets: within(2*time.Hour, 4*time.Hour, 8*time.Hour), Pausable: true}))
	in := sla.Incident{
		ID: "INC", Severity: incident.P3, Opened: hm(10, 0), Pauses: []calendar.Interval{between(10, 30, 11)},
		Severities: []sla.SeverityChange{{At: hm(13, 0), Severity: incident.P4}, {At: hm(12, 0), Severity: incident.P1}}, // any order
	}
	for _, c := range []struct {
		at       time.Time
		severity incident.Severity
		outcome  sla.Outcome
		due      time.Time
	}{
		{hm(11, 59), incident.P3, sla.Pending, hm(18, 30)}, // 10:00 + 8 h + half an hour of waiting
		{hm(12, 0), incident.P1, sla.Pending, hm(12, 30)},
		{hm(12, 31), incident.P1, sla.Missed, hm(12, 30)},
		{hm(13, 1), incident.P1, sla.Missed, hm(12, 30)}, // lowering takes nothing back
	} {
		got := one(t, a, in, c.at)
		if got.Severity != c.severity || got.Outcome != c.outcome || !got.Due.Equal(c.due) || !got.Start.Equal(in.Opened) {
			t.Errorf("at %s: %+v, want %s %s, due %s", c.at, got, c.severity, c.outcome, c.due)
		}
	}
	in.Resolved = hm(11, 45) // the change comes after it
	if got := one(t, a, in, hm(20, 0)); got.Severity != incident.P3 || got.Outcome != sla.Met {
		t.Errorf("raised after the resolution: %+v, want a met P3", got)
	}
}

// A miss comes to be at the change if the new target has passed by then, and
// stays where it was if the old one had been missed before.
func TestSeverityRaisedInAStatement(t *testing.T) {
	a := agree(t, resolution(sla.Clock{Targets: within(2*time.Hour, 4*time.Hour, 8*time.Hour)}))
	p := month(t, a, "2026-04")
	for _, c := range []struct {
		name    string
		raised  time.Time
		at      time.Time
		tallies [3]sla.Tally
	}{
		{"before either target", hm(11, 0), hm(12, 0), [3]sla.Tally{{Missed: 1}}},
		{"after the new target", hm(15, 0), hm(15, 0), [3]sla.Tally{{Missed: 1}}},
		{"after the old target", hm(19, 0), hm(18, 0), [3]sla.Tally{{Missed: 1}}},
		{"in the next period", p.End.Add(time.Hour), hm(18, 0), [3]sla.Tally{2: {Missed: 1}}},
	} {
		in := sla.Incident{ID: "INC", Severity: incident.P3, Opened: hm(10, 0), Severities: []sla.SeverityChange{{At: c.raised, Severity: incident.P1}}}
		s := evaluate(t, a, p, sla.Evidence{Observed: p.Interval, Incidents: []sla.Incident{in}})
		if len(s.Breaches) != 1 || !s.Breaches[0].At.Equal(c.at) {
			t.Errorf("%s: breaches = %+v, want one at %s", c.name, s.Breaches, c.at)
		}
		for i, want := range c.tallies {
			if got := s.Clocks[i]; got.Missed != want.Missed || got.Met+got.Pending != 0 {
				t.Errorf("%s: tally %+v, want %+v", c.name, got, want)
			}
		}
	}
	// Raised in May past the target of April: the miss is one of May, and of May alone.
	in := sla.Incident{ID: "INC", Severity: incident.P3, Opened: p.End.Add(-3 * time.Hour), Severities: []sla.SeverityChange{{At: p.End.Add(time.Hour), Severity: incident.P1}}}
	e := sla.Evidence{Observed: calendar.Interval{Start: p.Start, End: p.End.AddDate(0, 2, 0)}, Incidents: []sla.Incident{in}}
	if s := evaluate(t, a, p, e); len(s.Breaches) != 0 || s.Clocks[2].Pending != 1 {
		t.Errorf("April: %+v %+v, want a pending P3", s.Breaches, s.Clocks)
	}
	if s := evaluate(t, a, month(t, a, "2026-05"), e); len(s.Breaches) != 1 || !s.Breaches[0].At.Equal(p.End.Add(time.Hour)) || s.Clocks[0].Missed != 1 {
		t.Errorf("May: %+v %+v, want a P1 missed at the change", s.Breaches, s.Clocks)
	}
}

// Calendars go with the target: around the clock for P1, at the desk for others.
func TestSeverityOnAnotherCalendar(t *testing.T) {
	targets := within(20*time.Hour, 0)
	targets[1] = sla.Target{Severity: incident.P2, Within: 20 * time.Hour, Calendar: "desk"}
	a := agree(t, resolution(sla.Clock{Targets: targets}))
	in := sla.Incident{ID: "INC", Severity: incident.P2, Opened: hm(16, 0), Severities: []sla.SeverityChange{{At: hm(33, 30), Severity: incident.P1}}}
	if got := one(t, a, in, hm(33, 0)); got.Elapsed != time.Hour { // 16 to 17 at the desk, Wednesday opens at 09:00
		t.Errorf("before: %+v, want an hour used", got)
	}
	if got := one(t, a, in, hm(33, 30)); got.Elapsed != 17*time.Hour+30*time.Minute || !got.Due.Equal(hm(36, 0)) {
		t.Errorf("after: %+v, want 17h30m used, due Wednesday 12:00", got)
	}
}

func TestRestartOnSeverity(t *testing.T) {
	a := agree(t, resolution(sla.Clock{Targets: within(2*time.Hour, 4*time.Hour, 8*time.Hour), Pausable: true, RestartOnSeverity: true}))
	in := sla.Incident{ID: "INC", Severity: incident.P2, Opened: hm(10, 0), Pauses: []calendar.Interval{between(14, 0, 16)}, Severities: []sla.SeverityChange{
		{At: hm(11, 0), Severity: incident.P2}, // no change
		{At: hm(15, 0), Severity: incident.P1},
		{At: hm(16, 30), Severity: incident.P3},
	}}
	for _, c := range []struct {
		at       time.Time
		number   int
		severity incident.Severity
		due      time.Time
		elapsed  time.Duration
	}{
		{hm(14, 0), 1, incident.P2, hm(14, 0), 4 * time.Hour},
		{hm(15, 30), 2, incident.P1, hm(17, 30), 0}, // waits, as if the wait ended now
		{hm(16, 20), 2, incident.P1, hm(18, 0), 20 * time.Minute},
		{hm(17, 0), 3, incident.P3, hm(24, 30), 30 * time.Minute},
	} {
		got := one(t, a, in, c.at)
		if got.Number != c.number || got.Severity != c.severity || !got.Due.Equal(c.due) || got.Elapsed != c.elapsed {
			t.Errorf("at %s: %+v, want run %d, %s, due %s, %v used", c.at, got, c.number, c.severity, c.due, c.elapsed)
		}
	}
	// Neither of the runs that ended was missed; a later start of the first one is no matter.
	p := month(t, a, "2026-04")
	s := evaluate(t, a, p, sla.Evidence{Observed: p.Interval, Incidents: []sla.Incident{in}})
	if len(s.Breaches) != 1 || s.Breaches[0].Ref != "INC#3" || s.Breaches[0].Severity != incident.P3 || !s.Breaches[0].At.Equal(hm(24, 30)) {
		t.Errorf("breaches = %+v, want the third run, missed at 00:30", s.Breaches)
	}
}

// A change while the ticket stands resolved starts a new run at the reopening.
func TestRestartWhileResolved(t *testing.T) {
	a := agree(t, resolution(sla.Clock{Targets: within(2*time.Hour, 4*time.Hour), RestartOnSeverity: true}))
	in := sla.Incident{
		ID: "INC", Severity: incident.P2, Opened: hm(10, 0), Closed: []calendar.Interval{between(11, 0, 12)},
		Severities: []sla.SeverityChange{{At: hm(11, 30), Severity: incident.P1}}, Resolved: hm(13, 0),
	}
	if got := one(t, a, in, hm(11, 45)); got.Number != 1 || got.Severity != incident.P2 || got.Outcome != sla.Met {
		t.Errorf("resolved: %+v, want a met P2", got)
	}
	if got := one(t, a, in, hm(12, 30)); got.Number != 2 || got.Severity != incident.P1 || !got.Due.Equal(hm(14, 0)) {
		t.Errorf("reopened: %+v, want a P1 due 14:00", got)
	}
	p := month(t, a, "2026-04")
	s := evaluate(t, a, p, sla.Evidence{Observed: p.Interval, Incidents: []sla.Incident{in}})
	if s.Clocks[0].Met != 1 || s.Clocks[1].Met != 1 {
		t.Errorf("tallies = %+v, want both runs met", s.Clocks)
	}
}

// Promised by the next business day, missed, and raised after that.
func TestSeverityRaisedFromNextBusinessDay(t *testing.T) {
	targets := append(within(2*time.Hour), sla.Target{Severity: incident.P2, NextDay: &calendar.NextDayRule{}, Calendar: "desk"})
	a := agree(t, resolution(sla.Clock{Targets: targets}))
	p := month(t, a, "2026-04")
	for raised, at := range map[time.Time]time.Time{hm(50, 0): hm(41, 0), hm(40, 0): hm(40, 0)} { // Wednesday 17:00 is hour 41
		in := sla.Incident{ID: "INC", Severity: incident.P2, Opened: hm(10, 0), Severities: []sla.SeverityChange{{At: raised, Severity: incident.P1}}}
		s := evaluate(t, a, p, sla.Evidence{Observed: p.Interval, Incidents: []sla.Incident{in}})
		if len(s.Breaches) != 1 || !s.Breaches[0].At.Equal(at) || s.Breaches[0].Severity != incident.P1 {
			t.Errorf("raised at %s: breaches = %+v, want one at %s", raised, s.Breaches, at)
		}
	}
}

func TestReopenedAndReset(t *testing.T) {
	a := agree(t,
		response(sla.Clock{Targets: within(time.Hour)}),
		resolution(sla.Clock{Targets: within(2 * time.Hour)}),
	)
	in := sla.Incident{
		ID: "INC", Severity: incident.P1, Opened: hm(10, 0), Responded: hm(10, 30), Closed: []calendar.Interval{between(11, 0, 15)}, Resolved: hm(15, 59),
	}
	p := month(t, a, "2026-04")
	for _, c := range []struct {
		name    string
		reset   time.Time
		at      time.Time
		outcome sla.Outcome
		elapsed time.Duration
		due     time.Time
		stopped time.Time
	}{
		{"resolved first", time.Time{}, hm(12, 0), sla.Met, time.Hour, hm(12, 0), hm(11, 0)},
		{"goes on", time.Time{}, hm(15, 30), sla.Pending, 90 * time.Minute, hm(16, 0), time.Time{}},
		{"resolved again", time.Time{}, hm(20, 0), sla.Met, 119 * time.Minute, hm(16, 0), hm(15, 59)},
		{"begun anew", hm(10, 45), hm(15, 30), sla.Pending, 45 * time.Minute, hm(16, 45), time.Time{}},
		{"begun anew after the reopening", hm(15, 15), hm(20, 0), sla.Met, 44 * time.Minute, hm(17, 15), hm(15, 59)},
	} {
		if !c.reset.IsZero() {
			in.Resets = []time.Time{c.reset}
		}
		states, err := a.Clocks(in, c.at)
		if err != nil || len(states) != 2 {
			t.Fatal(states, err)
		}
		if r := states[0]; r.Outcome != sla.Met || r.Elapsed != 30*time.Minute {
			t.Errorf("%s: response %+v, want it to stay given", c.name, r)
		}
		r := states[1]
		if r.Outcome != c.outcome || r.Elapsed != c.elapsed || !r.Due.Equal(c.due) || !r.Stopped.Equal(c.stopped) {
			t.Errorf("%s: %+v, want %s, %v used, due %s, stopped %s", c.name, r, c.outcome, c.elapsed, c.due, c.stopped)
		}
	}
	// Within a month it counts once.
	s := evaluate(t, a, p, sla.Evidence{Observed: p.Interval, Incidents: []sla.Incident{in}})
	if got := s.Clocks[1]; got.Met != 1 || got.Missed+got.Pending != 0 {
		t.Errorf("tally = %+v, want one met", got)
	}
	// A run that was missed before it was reset stays missed, and the next one is
	// another.
	in.Resets, in.Closed, in.Resolved = []time.Time{hm(13, 0)}, nil, hm(14, 0)
	s = evaluate(t, a, p, sla.Evidence{Observed: p.Interval, Incidents: []sla.Incident{in}})
	if got := s.Clocks[1]; got.Met != 1 || got.Missed != 1 || len(s.Breaches) != 1 || s.Breaches[0].Ref != "INC" || !s.Breaches[0].At.Equal(hm(12, 0)) {
		t.Errorf("tally = %+v, breaches %+v, want one met and one missed at 12:00", got, s.Breaches)
	}
}

func TestCancelled(t *testing.T) {
	a := agree(t, resolution(sla.Clock{Targets: within(2 * time.Hour)}))
	p := month(t, a, "2026-04")
	for _, c := range []struct {
		at     time.Time
		want   sla.Outcome
		missed int
	}{
		{hm(11, 0), sla.Cancelled, 0},
		{hm(13, 0), sla.Missed, 1},
	} {
		in := sla.Incident{ID: "INC", Severity: incident.P1, Opened: hm(10, 0), Cancelled: c.at}
		if got := one(t, a, in, hm(20, 0)); got.Outcome != c.want || !got.Stopped.Equal(c.at) || !got.NextTransition.IsZero() {
			t.Errorf("cancelled at %s: %+v, want %s", c.at, got, c.want)
		}
		s := evaluate(t, a, p, sla.Evidence{Observed: p.Interval, Incidents: []sla.Incident{in}})
		if got := s.Clocks[0]; got.Missed != c.missed || got.Met+got.Pending != 0 {
			t.Errorf("cancelled at %s: tally %+v, want %d missed", c.at, got, c.missed)
		}
	}
}

func TestUpdateClock(t *testing.T) {
	a := agree(t, update(sla.Clock{Targets: within(time.Hour)}))
	in := sla.Incident{
		ID: "INC", Severity: incident.P1, Opened: hm(10, 0), Responded: hm(10, 10),
		Updates: []time.Time{hm(12, 0), hm(11, 0), hm(13, 30), hm(13, 30), hm(21, 0)}, // any order, one twice, one after the end
		Closed:  []calendar.Interval{between(14, 0, 18)}, Resolved: hm(19, 30),
	}
	for _, c := range []struct {
		at      time.Time
		number  int
		outcome sla.Outcome
		due     time.Time
	}{
		{hm(10, 5), 1, sla.Pending, hm(11, 0)},
		{hm(10, 10), 2, sla.Pending, hm(11, 10)}, // the answer is an update
		{hm(11, 30), 3, sla.Pending, hm(12, 0)},
		{hm(13, 20), 4, sla.Missed, hm(13, 0)},
		{hm(13, 40), 5, sla.Pending, hm(14, 30)},
		{hm(15, 0), 5, sla.Met, hm(14, 30)}, // resolved
		{hm(18, 10), 6, sla.Pending, hm(19, 0)},
		{hm(30, 0), 6, sla.Missed, hm(19, 0)},
	} {
		got := one(t, a, in, c.at)
		if got.Number != c.number || got.Outcome != c.outcome || !got.Due.Equal(c.due) || !got.BreachAt.Equal(c.due) {
			t.Errorf("at %s: %+v, want update %d %s, due %s", c.at, got, c.number, c.outcome, c.due)
		}
	}
	p := month(t, a, "2026-04")
	s := evaluate(t, a, p, sla.Evidence{Observed: p.Interval, Incidents: []sla.Incident{in}})
	var refs []string
	for _, b := range s.Breaches {
		refs = append(refs, b.Ref)
		if b.Clause != sla.ClauseUpdate || b.Actual != 90*time.Minute || b.Credit.String() != "250.00 EUR" { // 1 % of 25 000
			t.Errorf("breach = %+v", b)
		}
	}
	if got := s.Clocks[0]; !slices.Equal(refs, []string{"INC#4", "INC#6"}) || got.Met != 4 || got.Missed != 2 || s.Gross.String() != "500.00 EUR" {
		t.Errorf("late updates = %v, tally %+v, gross %s, want INC#4 and INC#6 of six, 500.00 EUR", refs, got, s.Gross)
	}
}

// Opened a day before April, missed a day into it, answered in April or in May.
func TestCountIn(t *testing.T) {
	for _, c := range []struct {
		in     sla.CountIn
		missed [3]int // March, April, May
		met    [3]int
	}{
		{sla.CountAtBreach, [3]int{0, 1, 0}, [3]int{0, 1, 0}},
		{sla.CountAtCreation, [3]int{1, 0, 0}, [3]int{1, 0, 0}},
		{sla.CountAtResponse, [3]int{0, 0, 1}, [3]int{0, 1, 0}},
	} {
		a := agree(t, response(sla.Clock{Targets: within(48 * time.Hour), CountIn: c.in}))
		april := month(t, a, "2026-04")
		opened := april.Start.Add(-24 * time.Hour)
		e := sla.Evidence{Observed: calendar.Interval{Start: opened, End: april.End.AddDate(0, 2, 0)}, Incidents: []sla.Incident{
			{ID: "late", Severity: incident.P1, Opened: opened, Responded: april.End.Add(time.Hour)},
			{ID: "met", Severity: incident.P1, Opened: opened, Responded: april.Start.Add(time.Hour)},
		}}
		for i, text := range []string{"2026-03", "2026-04", "2026-05"} {
			s := evaluate(t, a, month(t, a, text), e)
			got := s.Clocks[0]
			if got.Missed != c.missed[i] || got.Met != c.met[i] || len(s.Breaches) != c.missed[i] {
				t.Errorf("%s in %s: %+v, want %d missed, %d met", c.in, text, got, c.missed[i], c.met[i])
			}
			for _, b := range s.Breaches {
				if !b.At.Equal(opened.Add(48 * time.Hour)) {
					t.Errorf("%s in %s: missed at %s", c.in, text, b.At)
				}
			}
		}
		// Never answered: known as a miss except where the answer decides.
		e.Incidents = []sla.Incident{{ID: "open", Severity: incident.P1, Opened: opened}}
		s := evaluate(t, a, april, e)
		want := map[sla.CountIn]int{sla.CountAtBreach: 1}[c.in]
		pending := map[sla.CountIn]int{sla.CountAtResponse: 1}[c.in]
		if got := s.Clocks[0]; got.Missed != want || got.Pending != pending {
			t.Errorf("%s, never answered: %+v, want %d missed, %d pending", c.in, got, want, pending)
		}
	}
}

func TestThresholds(t *testing.T) {
	targets := within(4 * time.Hour)
	targets[0].Calendar = "desk"
	a := agree(t, resolution(sla.Clock{Targets: targets, Pausable: true}))
	in := sla.Incident{ID: "INC", Severity: incident.P1, Opened: hm(11, 0), Pauses: []calendar.Interval{between(14, 0, 15)}}
	// 11-12 and 13-14 at the desk are half of it, 15-16 three quarters, 15:00 +
	// 1 h 36 min nine tenths; all of it at 17:00, just as the desk closes.
	all := []time.Time{hm(14, 0), hm(16, 0), hm(16, 36), hm(17, 0)}
	for _, c := range []struct {
		at, next time.Time
		percent  int
	}{
		{hm(11, 30), hm(12, 0), 12}, // lunch
		{hm(12, 0), hm(13, 0), 25},
		{hm(15, 30), hm(16, 0), 62},
		{hm(16, 0), hm(16, 36), 75},
		{hm(16, 40), hm(17, 0), 91},
		{hm(17, 0), hm(33, 0), 100}, // opens, and the target is exceeded from there
	} {
		got := one(t, a, in, c.at)
		if !got.NextTransition.Equal(c.next) || got.PercentUsed() != c.percent {
			t.Errorf("at %s: next %s, %d %%, want %s, %d %%", c.at, got.NextTransition, got.PercentUsed(), c.next, c.percent)
		}
		if c.at.Before(hm(14, 0)) {
			continue // the wait is not known yet
		}
		for i, want := range all {
			if th := got.Thresholds[i]; th.Percent != []int{50, 75, 90, 100}[i] || !th.At.Equal(want) {
				t.Errorf("at %s: threshold %+v, want %s", c.at, th, want)
			}
		}
	}
	if got := one(t, a, in, hm(14, 30)); !got.NextTransition.IsZero() || got.Outcome != sla.Paused || !got.Thresholds[1].At.Equal(hm(15, 30)) {
		t.Errorf("waiting: %+v, want no transition, 75 %% as if the wait ended now", got)
	}
	in.Resolved = hm(16, 10)
	if got := one(t, a, in, hm(20, 0)); !got.NextTransition.IsZero() || !got.Thresholds[1].At.Equal(hm(16, 0)) || !got.Thresholds[2].At.IsZero() {
		t.Errorf("resolved: %+v, want 90 %% never reached", got)
	}
}

func TestThresholdsOfAContract(t *testing.T) {
	clock := sla.Clock{Targets: within(100 * time.Second), Thresholds: []int{33, 150}}
	clock.Targets[0].Within = 100
	a := agree(t, resolution(clock))
	in := sla.Incident{ID: "INC", Severity: incident.P1, Opened: hm(0, 0)}
	if got := one(t, a, in, hm(0, 0)); len(got.Thresholds) != 2 || !got.Thresholds[0].At.Equal(hm(0, 0).Add(33)) || !got.Thresholds[1].At.Equal(hm(0, 0).Add(150)) {
		t.Errorf("thresholds = %+v, want 33 and 150 ns", got.Thresholds)
	}
	// A third of 101 ns is used up with the 34th.
	clock.Targets[0].Within = 101
	if got := one(t, agree(t, resolution(clock)), in, hm(0, 0)); !got.Thresholds[0].At.Equal(hm(0, 0).Add(34)) {
		t.Errorf("thresholds = %+v, want 34 ns", got.Thresholds)
	}
	for _, bad := range [][]int{{0}, {1001}, {50, 50}} {
		c := a0(t)
		c.Terms = []sla.Term{resolution(sla.Clock{Targets: within(time.Hour), Thresholds: bad, CountIn: 9})}
		err := c.Validate()
		if _, ok := errors.AsType[*sla.ContractError](err); !ok {
			t.Errorf("thresholds %v: %v, want a ContractError", bad, err)
		}
		var paths []string
		for _, i := range c.Issues() {
			paths = append(paths, i.Path)
		}
		if at := "terms[0].resolution.thresholds[" + string(rune('0'+len(bad)-1)) + "]"; !slices.Contains(paths, at) || !slices.Contains(paths, "terms[0].resolution.count_in") {
			t.Errorf("thresholds %v: issues %v, want %s and count_in", bad, paths, at)
		}
	}
}

func TestIncidentProblems(t *testing.T) {
	a := agree(t, resolution(sla.Clock{Targets: within(time.Hour)}))
	ok := sla.Incident{ID: "INC", Severity: incident.P1, Opened: hm(10, 0)}
	for name, change := range map[string]func(*sla.Incident){
		"update before":          func(in *sla.Incident) { in.Updates = []time.Time{hm(9, 0)} },
		"reset before":           func(in *sla.Incident) { in.Resets = []time.Time{hm(9, 0)} },
		"cancelled before":       func(in *sla.Incident) { in.Cancelled = hm(9, 0) },
		"change before":          func(in *sla.Incident) { in.Severities = []sla.SeverityChange{{At: hm(9, 0), Severity: incident.P1}} },
		"change to nothing":      func(in *sla.Incident) { in.Severities = []sla.SeverityChange{{At: hm(11, 0)}} },
		"closed before":          func(in *sla.Incident) { in.Closed = []calendar.Interval{between(9, 0, 11)} },
		"closed without end":     func(in *sla.Incident) { in.Closed = []calendar.Interval{{Start: hm(11, 0)}} },
		"resolved before reopen": func(in *sla.Incident) { in.Closed, in.Resolved = []calendar.Interval{between(11, 0, 13)}, hm(12, 0) },
	} {
		in := ok
		change(&in)
		var e *sla.EvidenceError
		if _, err := a.Clocks(in, hm(20, 0)); !errors.As(err, &e) || e.Ref != "INC" {
			t.Errorf("%s: %v, want an EvidenceError", name, err)
		}
	}
}

// Random incidents under random contracts keep the laws of clocks.
func TestClockLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 2000 {
		clock := sla.Clock{Pausable: r.IntN(4) > 0, Strict: r.IntN(2) == 0, RestartOnSeverity: r.IntN(3) == 0}
		clock.Targets = within(2*time.Hour, 4*time.Hour, 8*time.Hour, 16*time.Hour)
		name := []string{"", "desk"}[r.IntN(2)]
		for i := range clock.Targets {
			clock.Targets[i].Calendar = name
		}
		a := agree(t, []sla.Term{resolution(clock), response(clock), update(clock)}[r.IntN(3)])
		history := randomHistory(r, hm(0, 0), r.IntN(6))
		in := replay(t, history...).Incident()
		at := hm(0, 0).Add(time.Duration(r.Int64N(int64(history[len(history)-1].At.Sub(hm(0, 0)) + 24*time.Hour))))
		got := one(t, a, in, at)
		if got.Elapsed+got.Remaining != got.Target {
			t.Fatalf("elapsed %v + remaining %v is not the target %v", got.Elapsed, got.Remaining, got.Target)
		}
		missed := got.Elapsed > got.Target || clock.Strict && got.Elapsed == got.Target
		if (got.Outcome == sla.Missed) != missed {
			t.Fatalf("%+v does not fit a missed of %t", got, missed)
		}
		for i, th := range got.Thresholds {
			reached := !th.At.IsZero() && !th.At.After(at)
			if reached != (got.PercentUsed() >= th.Percent) && got.Outcome != sla.Paused {
				t.Fatalf("threshold %+v at %s does not fit %d %% of %+v", th, at, got.PercentUsed(), got)
			}
			if i > 0 && !th.At.IsZero() && th.At.Before(got.Thresholds[i-1].At) {
				t.Fatalf("thresholds out of order: %+v", got.Thresholds)
			}
		}
		if !got.NextTransition.IsZero() && !got.NextTransition.After(at) {
			t.Fatalf("next transition %s is not after %s", got.NextTransition, at)
		}

		// Two touching pauses are one.
		split := in
		split.Pauses = nil
		for _, p := range in.Pauses {
			end := p.End
			if end.IsZero() {
				end = p.Start.Add(5 * time.Hour)
			}
			mid := p.Start.Add(end.Sub(p.Start) / 3)
			split.Pauses = append(split.Pauses, calendar.Interval{Start: mid, End: p.End}, calendar.Interval{Start: p.Start, End: mid})
		}
		if again := one(t, a, split, at); !reflect.DeepEqual(again, got) {
			t.Fatalf("splitting pauses changes the clock:\n%+v\n%+v", got, again)
		}

		// Targets get tighter with the severity, so raising it makes nothing due
		// later as long as the start stays.
		if !clock.RestartOnSeverity {
			raised := in
			raised.Severities = append(slices.Clone(in.Severities), sla.SeverityChange{At: in.Opened, Severity: incident.Severities[r.IntN(4)]})
			if worse := one(t, a, raised, at); worse.Due.After(got.Due) || worse.BreachAt.After(got.BreachAt) || worse.Elapsed != got.Elapsed {
				t.Fatalf("a higher severity makes it due later:\n%+v\n%+v", got, worse)
			}
		}
	}
}

// What other trackers were found to get wrong about clocks.
func TestDefectsOfOthers(t *testing.T) {
	desk := within(2*time.Hour, 4*time.Hour, 8*time.Hour)
	for i := range desk {
		desk[i].Calendar = "desk"
	}
	pausable := agree(t, resolution(sla.Clock{Targets: within(2*time.Hour, 4*time.Hour, 8*time.Hour), Pausable: true}))
	atDesk := agree(t, resolution(sla.Clock{Targets: desk, Pausable: true}))

	t.Run("created waiting or resolved", func(t *testing.T) { // Nine-Minds/alga-psa#3091
		for kind, want := range map[sla.TicketEventKind]sla.Outcome{sla.TicketPaused: sla.Paused, sla.TicketResolved: sla.Met} {
			ticket := replay(t, event(sla.TicketOpened, hm(10, 0), incident.P1), event(kind, hm(10, 0), 0))
			for _, at := range []time.Time{hm(10, 0), hm(15, 0)} {
				if got := one(t, pausable, ticket.Incident(), at); got.Elapsed != 0 || got.Outcome != want || !got.NextTransition.IsZero() {
					t.Errorf("%s at %s: %+v, want no time used", kind, at, got)
				}
			}
		}
	})
	t.Run("waiting time lost with the change of the target", func(t *testing.T) { // glpi-project/glpi#15605, #6902
		ticket := replay(t, event(sla.TicketOpened, hm(10, 0), incident.P3), event(sla.TicketPaused, hm(10, 30), 0),
			event(sla.TicketSeverity, hm(13, 0), incident.P1), event(sla.TicketResumed, hm(14, 0), 0))
		if got := one(t, pausable, ticket.Incident(), hm(13, 30)); got.Outcome != sla.Paused || got.Elapsed != 30*time.Minute {
			t.Errorf("waiting: %+v, want half an hour used", got)
		}
		if got := one(t, pausable, ticket.Incident(), hm(14, 0)); got.Outcome != sla.Pending || !got.Due.Equal(hm(15, 30)) {
			t.Errorf("resumed: %+v, want due 15:30", got)
		}
	})
	t.Run("due time kept over a wait", func(t *testing.T) { // frappe/helpdesk#1554, #1675
		ticket := replay(t, event(sla.TicketOpened, hm(10, 0), incident.P2), event(sla.TicketPaused, hm(11, 0), 0), event(sla.TicketResumed, hm(13, 0), 0))
		for at, due := range map[time.Time]time.Time{hm(10, 30): hm(14, 0), hm(12, 0): hm(15, 0), hm(13, 30): hm(16, 0)} {
			if got := one(t, pausable, ticket.Incident(), at); !got.Due.Equal(due) {
				t.Errorf("at %s: due %s, want %s", at, got.Due, due)
			}
		}
		// A wait of one night costs the desk no working time.
		night := replay(t, event(sla.TicketOpened, hm(16, 0), incident.P2), event(sla.TicketPaused, hm(17, 0), 0), event(sla.TicketResumed, hm(33, 0), 0))
		if got := one(t, atDesk, night.Incident(), hm(33, 0)); got.Elapsed != time.Hour || !got.Due.Equal(hm(36, 0)) { // 16-17 and 9-12
			t.Errorf("over night: %+v, want one hour used, due Wednesday 12:00", got)
		}
	})
	t.Run("lunch counted", func(t *testing.T) { // frappe/helpdesk#2212
		in := sla.Incident{ID: "INC", Severity: incident.P1, Opened: hm(12, 10)}
		if got := one(t, atDesk, in, hm(12, 50)); got.Elapsed != 0 || !got.NextTransition.Equal(hm(13, 0)) || !got.Due.Equal(hm(15, 0)) {
			t.Errorf("at lunch: %+v, want nothing used, due 15:00", got)
		}
	})
	t.Run("late although answered", func(t *testing.T) { // zammad/zammad#3140
		a := agree(t, update(sla.Clock{Targets: within(time.Hour), Pausable: true}))
		ticket := replay(t, event(sla.TicketOpened, hm(10, 0), incident.P1), event(sla.TicketUpdated, hm(10, 30), 0), event(sla.TicketPaused, hm(10, 30), 0))
		if got := one(t, a, ticket.Incident(), hm(20, 0)); got.Outcome != sla.Paused || got.Elapsed != 0 || got.Number != 2 {
			t.Errorf("answered and waiting: %+v, want nothing used", got)
		}
	})
	t.Run("update overrules response", func(t *testing.T) { // zammad/zammad#5177
		a := agree(t, response(sla.Clock{Targets: within(2 * time.Hour)}), update(sla.Clock{Targets: within(30 * time.Minute)}))
		states, err := a.Clocks(sla.Incident{ID: "INC", Severity: incident.P1, Opened: hm(10, 0)}, hm(10, 45))
		if err != nil || len(states) != 2 || !states[0].Due.Equal(hm(12, 0)) || states[0].Outcome != sla.Pending || states[1].Outcome != sla.Missed {
			t.Errorf("Clocks = %+v, %v, want a response due 12:00 beside a late update", states, err)
		}
	})
}
