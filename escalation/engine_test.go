package escalation_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// team is a small organisation: a principal and a senior in Amsterdam, a senior
// in Austin, a junior in Singapore who is not in the pool.
func team() escalation.Roster {
	hours := func(from, to string) escalation.Availability { return escalation.Availability{{From: from, To: to}} }
	return escalation.Roster{
		LastResort: escalation.Contact{ID: "duty-manager", Name: "Duty manager"},
		Engineers: []escalation.Engineer{
			{ID: "sarah", Level: escalation.Principal, Zone: "Europe/Amsterdam", Primary: []string{"kubernetes", "cloud_aws"}, Secondary: []string{"networking"}, Availability: hours("08:00", "18:00"), InPool: true},
			{ID: "marcus", Level: escalation.Senior, Zone: "America/Chicago", Primary: []string{"databases", "messaging"}, Secondary: []string{"application"}, Availability: hours("07:00", "19:00"), InPool: true},
			{ID: "nina", Level: escalation.Senior, Zone: "Europe/Amsterdam", Primary: []string{"databases"}, Secondary: []string{"kubernetes"}, Availability: hours("08:00", "18:00"), InPool: true},
			{ID: "omar", Level: escalation.Junior, Zone: "Asia/Singapore", Primary: []string{"networking"}, Secondary: []string{"application"}, Availability: hours("08:00", "18:00")},
		},
		Absences: []escalation.Absence{{Engineer: "nina", Start: at("2026-10-07T00:00:00Z"), End: at("2026-10-08T00:00:00Z")}},
	}
}

func newEngine(tb testing.TB, roster escalation.Roster) *escalation.Engine {
	tb.Helper()
	engine, err := escalation.NewEngine(escalation.Config{Tenant: "acme", Router: newRouter(tb, roster)})
	if err != nil {
		tb.Fatal(err)
	}
	return engine
}

func opened(id string, s incident.Severity, domain, when string) escalation.Event {
	return escalation.Event{Kind: escalation.Opened, Incident: id, Severity: s, Domain: domain, At: at(when)}
}

func event(kind escalation.EventKind, id, when string) escalation.Event {
	return escalation.Event{Kind: kind, Incident: id, At: at(when)}
}

// timeline prints the log of an incident, one "time event level target" a line.
func timeline(t *testing.T, e *escalation.Engine, id string) string {
	t.Helper()
	view, ok := e.Incident(id)
	if !ok {
		t.Fatalf("Incident(%q): unknown", id)
	}
	var lines []string
	for _, entry := range view.Log {
		line := entry.At.Format("15:04:05") + " " + string(entry.Event)
		if entry.Level > 0 {
			line += fmt.Sprintf(" L%d", entry.Level)
		}
		if len(entry.To) > 0 {
			line += " " + strings.Join(entry.To, ",")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func diff(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

// The incidents, candidates and instants are those of the sample of the on-call
// program in its written interface; the people paged follow from the ladder.
func TestMorning(t *testing.T) {
	e := newEngine(t, team())
	_, err := e.Replay([]escalation.Event{
		opened("INC-1", incident.P2, "networking", "2026-10-05T02:00:00Z"),
		event(escalation.Resolved, "INC-1", "2026-10-05T03:59:59Z"),
		opened("INC-2", incident.P1, "kubernetes", "2026-10-05T03:00:00Z"),
		event(escalation.Acknowledged, "INC-2", "2026-10-05T03:05:00Z"),
		event(escalation.Resolved, "INC-2", "2026-10-05T04:00:00Z"),
		opened("INC-3", incident.P1, "networking", "2026-10-05T06:30:00Z"),
		event(escalation.Acknowledged, "INC-3", "2026-10-05T06:45:00Z"),
		opened("INC-9", incident.P2, "databases", "2026-10-07T09:00:00Z"),
	}, at("2026-10-05T07:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "INC-1", timeline(t, e, "INC-1"), "02:00:00 assigned omar\n02:30:00 escalate L1 duty-manager\n03:59:59 resolved")
	diff(t, "INC-2", timeline(t, e, "INC-2"), "03:00:00 assigned sarah\n03:05:00 acknowledged\n03:30:00 escalate L2 duty-manager\n04:00:00 resolved")
	diff(t, "INC-3", timeline(t, e, "INC-3"), "06:30:00 assigned omar\n06:45:00 acknowledged\n07:00:00 escalate L2 sarah")
	if got := e.Incidents(); !slices.Equal(got, []string{"INC-1", "INC-2", "INC-3"}) {
		t.Errorf("Incidents() = %v, want only those opened until the end", got)
	}
	for _, c := range []struct{ id, candidates, reason, next string }{
		{"INC-1", "omar 1 primary junior", "", ""},
		{"INC-2", "sarah 1 primary principal; nina 2 secondary senior", "on_call_pool", ""},
		{"INC-3", "omar 1 primary junior; sarah 2 secondary principal", "", "2026-10-05T07:30:00Z"},
	} {
		view, _ := e.Incident(c.id)
		if got := candidates(view.Routing); got != c.candidates || string(view.Routing.Reason) != c.reason {
			t.Errorf("%s: candidates %s (%s), want %s (%s)", c.id, got, view.Routing.Reason, c.candidates, c.reason)
		}
		next := ""
		if !view.Next.IsZero() {
			next = view.Next.Format(time.RFC3339)
		}
		if next != c.next {
			t.Errorf("%s: next = %q, want %q", c.id, next, c.next)
		}
	}
}

func candidates(r escalation.Routing) string {
	var out []string
	for _, c := range r.Candidates {
		out = append(out, fmt.Sprintf("%s %d %s %s", c.Engineer, c.Rank, c.Skill, c.Level))
	}
	return strings.Join(out, "; ")
}

func TestNobodyIsAvailable(t *testing.T) {
	e := newEngine(t, team())
	actions, err := e.Apply(opened("W-1", incident.P2, "kubernetes", "2026-11-02T06:59:59Z"))
	if err != nil {
		t.Fatal(err)
	}
	view, _ := e.Incident("W-1")
	r := view.Routing
	if r.Status != escalation.EscalationRequired || r.Action != escalation.WakeOnCallManager || r.Reason != escalation.NoAvailableEngineer || r.Assigned != "" {
		t.Errorf("routing = %s, want escalation_required", r)
	}
	if actions[0].Kind != escalation.Page || actions[0].Target != "duty-manager" {
		t.Errorf("first action = %+v, want a page for the duty manager", actions[0])
	}
	// One second later Sarah's day begins, so the first level finds her.
	e.Step(at("2026-11-02T07:29:59Z"))
	diff(t, "W-1", timeline(t, e, "W-1"), "06:59:59 escalation_required duty-manager\n07:29:59 escalate L1 sarah")
}

// The clock of Amsterdam is put back at 01:00Z; levels count elapsed minutes.
func TestLevelsAcrossTheRepeatedHour(t *testing.T) {
	e := newEngine(t, team())
	actions, err := e.Replay([]escalation.Event{opened("D-1", incident.P2, "networking", "2026-10-25T00:40:00Z")}, at("2026-10-26T00:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range actions {
		if a.Kind == escalation.Page && a.Level > 0 {
			got = append(got, a.At.Format("15:04"))
		}
	}
	if want := []string{"01:10", "02:40", "04:40"}; !slices.Equal(got, want) {
		t.Errorf("levels at %v, want %v", got, want)
	}
}

func pages(actions []escalation.Action) []string {
	var out []string
	for _, a := range actions {
		if a.Kind == escalation.Page {
			out = append(out, fmt.Sprintf("L%d %s", a.Level, a.Target))
		}
	}
	return out
}

func keys(actions []escalation.Action, kind escalation.ActionKind) []string {
	var out []string
	for _, a := range actions {
		if a.Kind == kind {
			out = append(out, a.Key)
		}
	}
	return out
}

func mustApply(t *testing.T, e *escalation.Engine, ev escalation.Event) []escalation.Action {
	t.Helper()
	actions, err := e.Apply(ev)
	if err != nil {
		t.Fatalf("Apply(%s of %s): %v", ev.Kind, ev.Incident, err)
	}
	return actions
}

func check[T any](t *testing.T, what string, got, want []T) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func TestTimersFollowTheState(t *testing.T) {
	e := newEngine(t, team())
	got := mustApply(t, e, opened("A/1", incident.P1, "databases", "2026-10-05T14:00:00Z"))
	check(t, "pages", pages(got), []string{"L0 marcus"})
	check(t, "page keys", keys(got, escalation.Page), []string{"acme/A%2F1/2026-10-05T14:00:00Z/1/assign/marcus"})
	check(t, "timers", keys(got, escalation.SetTimer), []string{"acme/A%2F1/2026-10-05T14:00:00Z/1/L1", "acme/A%2F1/2026-10-05T14:00:00Z/1/L2", "acme/A%2F1/2026-10-05T14:00:00Z/1/L3"})

	ack := event(escalation.Acknowledged, "A/1", "2026-10-05T14:10:00Z")
	ack.By = "marcus"
	got = mustApply(t, e, ack)
	check(t, "cancelled by ack", keys(got, escalation.CancelTimer), []string{"acme/A%2F1/2026-10-05T14:00:00Z/1/L1"})
	check(t, "repeated ack", mustApply(t, e, ack), nil)

	up := event(escalation.Unacknowledged, "A/1", "2026-10-05T14:20:00Z")
	got = mustApply(t, e, up)
	check(t, "armed again", keys(got, escalation.SetTimer), []string{"acme/A%2F1/2026-10-05T14:00:00Z/1/L1.2"})
	if due, _ := e.NextWake(); !due.Equal(up.At) {
		t.Errorf("NextWake() = %s, want at once, %s", due, up.At)
	}
	check(t, "L1", pages(e.Step(up.At)), []string{"L1 nina"})
	check(t, "again", e.Step(up.At), nil)

	got = mustApply(t, e, event(escalation.Resolved, "A/1", "2026-10-05T14:25:00Z"))
	check(t, "cancelled by resolve", keys(got, escalation.CancelTimer), []string{"acme/A%2F1/2026-10-05T14:00:00Z/1/L2", "acme/A%2F1/2026-10-05T14:00:00Z/1/L3"})
	check(t, "told", keys(got, escalation.Notice), []string{"acme/A%2F1/2026-10-05T14:00:00Z/1/resolve/marcus", "acme/A%2F1/2026-10-05T14:00:00Z/1/resolve/nina"})
	check(t, "timers", e.Timers(), nil)

	got = mustApply(t, e, event(escalation.Reopened, "A/1", "2026-10-05T15:00:00Z"))
	check(t, "second round", keys(got, escalation.SetTimer), []string{"acme/A%2F1/2026-10-05T14:00:00Z/2/L1", "acme/A%2F1/2026-10-05T14:00:00Z/2/L2", "acme/A%2F1/2026-10-05T14:00:00Z/2/L3"})
	if due, _ := e.NextWake(); !due.Equal(at("2026-10-05T15:15:00Z")) {
		t.Errorf("NextWake() = %s, want 15 min after the reopening", due)
	}
	merge := event(escalation.Merged, "A/1", "2026-10-05T15:05:00Z")
	merge.Into = "A/2"
	mustApply(t, e, merge)
	check(t, "timers after merging", e.Timers(), nil)
	if n := e.Prune(at("2026-10-05T15:05:01Z")); n != 1 {
		t.Errorf("Prune() = %d, want 1", n)
	}
}

// An id comes again after the first incident of that name was forgotten: no key is
// the same. The same incident decided again, after a restore, has the same keys.
func TestKeysOfAnIDThatComesAgain(t *testing.T) {
	e := newEngine(t, team())
	life := func(e *escalation.Engine, from time.Time) []string {
		var all []escalation.Action
		for _, ev := range []escalation.Event{
			{Kind: escalation.Opened, Severity: incident.P1, Domain: "databases", At: from},
			{Kind: escalation.Resolved, At: from.Add(20 * time.Minute)},
		} {
			ev.Incident = "A"
			all = append(all, e.Step(ev.At.Add(-1))...)
			all = append(all, mustApply(t, e, ev)...)
		}
		return slices.Concat(keys(all, escalation.Page), keys(all, escalation.Notice), keys(all, escalation.SetTimer))
	}
	first := life(e, at("2026-10-05T14:00:00Z"))
	check(t, "again", life(newEngine(t, team()), at("2026-10-05T14:00:00Z")), first)
	if n := e.Prune(at("2026-10-06T00:00:00Z")); n != 1 {
		t.Fatalf("Prune() = %d, want 1", n)
	}
	second := life(e, at("2026-10-06T14:00:00Z"))
	for _, key := range second {
		if slices.Contains(first, key) {
			t.Errorf("key %s is used twice", key)
		}
	}
	if len(first) != len(second) || len(first) < 6 {
		t.Errorf("keys %v and %v, want as many in both lives", first, second)
	}
}

// An acknowledgement at the very instant is in time, in whichever order it and
// the step arrive.
func TestAcknowledgedAtTheDueInstant(t *testing.T) {
	e := newEngine(t, team())
	mustApply(t, e, opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z"))
	mustApply(t, e, event(escalation.Acknowledged, "A", "2026-10-05T14:15:00Z"))
	check(t, "step after ack", e.Step(at("2026-10-05T14:15:00Z")), nil)

	e = newEngine(t, team())
	mustApply(t, e, opened("B", incident.P1, "databases", "2026-10-05T14:00:00Z"))
	check(t, "step before ack", pages(e.Step(at("2026-10-05T14:15:00Z"))), []string{"L1 nina"})
	mustApply(t, e, event(escalation.Acknowledged, "B", "2026-10-05T14:15:00Z"))
	view, _ := e.Incident("B")
	last := view.Log[len(view.Log)-1]
	if len(last.Why) != 1 || !strings.HasPrefix(last.Why[0], "in time for level 1") {
		t.Errorf("log of the late news = %+v, want it in time for level 1", last)
	}
}

func TestSeverityChange(t *testing.T) {
	e := newEngine(t, team())
	mustApply(t, e, opened("A", incident.P3, "databases", "2026-10-05T14:00:00Z"))
	raise := event(escalation.SeverityChanged, "A", "2026-10-05T14:40:00Z")
	raise.Severity = incident.P1
	got := mustApply(t, e, raise)
	check(t, "old timers", keys(got, escalation.CancelTimer), []string{"acme/A/2026-10-05T14:00:00Z/1/L1", "acme/A/2026-10-05T14:00:00Z/1/L2", "acme/A/2026-10-05T14:00:00Z/1/L3"})
	check(t, "new timers", keys(got, escalation.SetTimer), []string{"acme/A/2026-10-05T14:00:00Z/1/L1.2", "acme/A/2026-10-05T14:00:00Z/1/L2.2", "acme/A/2026-10-05T14:00:00Z/1/L3.2"})

	// 15 and 30 minutes are over: one page, for level 2.
	got = e.Step(raise.At)
	check(t, "collapsed", pages(got), []string{"L2 duty-manager"})
	check(t, "timer of the lower level", keys(got, escalation.CancelTimer), []string{"acme/A/2026-10-05T14:00:00Z/1/L1.2"})

	lower := event(escalation.SeverityChanged, "A", "2026-10-05T14:50:00Z")
	lower.Severity = incident.P2
	got = mustApply(t, e, lower)
	check(t, "what has fired stays", keys(got, escalation.SetTimer), []string{"acme/A/2026-10-05T14:00:00Z/1/L3.3"})
	if due, _ := e.NextWake(); !due.Equal(at("2026-10-05T18:00:00Z")) {
		t.Errorf("NextWake() = %s, want 240 min after the opening", due)
	}
	view, _ := e.Incident("A")
	var states []string
	for _, l := range view.Levels {
		states = append(states, string(l.State))
	}
	check(t, "levels", states, []string{"collapsed", "fired", "pending"})
}

func TestDowntimeCollapses(t *testing.T) {
	e := newEngine(t, team())
	mustApply(t, e, opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z"))
	check(t, "a day late", pages(e.Step(at("2026-10-06T14:00:00Z"))), []string{"L3 duty-manager"})
	check(t, "clock set back", e.Step(at("2026-10-05T14:30:00Z")), nil)
}

func TestLadder(t *testing.T) {
	roster := team()
	hours := escalation.Availability{{From: "00:00", To: "24:00"}}
	for _, e := range []escalation.Engineer{
		{ID: "j", Level: escalation.Junior},
		{ID: "s1", Level: escalation.Senior},
		{ID: "s2", Level: escalation.Senior},
		{ID: "p1", Level: escalation.Principal},
		{ID: "m1", Level: escalation.Management},
		{ID: "m2", Level: escalation.Management},
	} {
		e.Zone, e.Availability, e.Primary = "UTC", hours, []string{"mainframe"}
		roster.Register(e)
	}
	remove := func(ids ...string) escalation.Roster {
		r := roster
		r.Engineers = slices.DeleteFunc(slices.Clone(r.Engineers), func(e escalation.Engineer) bool { return slices.Contains(ids, e.ID) })
		return r
	}
	for _, c := range []struct {
		name   string
		roster escalation.Roster
		want   []string
	}{
		{"principal first, so never down to a senior", roster, []string{"L0 p1", "L1 m1", "L2 m2", "L3 duty-manager"}},
		{"juniors and seniors", remove("p1"), []string{"L0 s1", "L1 s2", "L2 m1", "L3 m2"}},
		{"a junior alone", remove("p1", "s1", "s2"), []string{"L0 j", "L1 m1", "L2 m2", "L3 duty-manager"}},
		{"no management", remove("p1", "m1", "m2"), []string{"L0 s1", "L1 s2", "L2 duty-manager", "L3 duty-manager"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEngine(t, c.roster)
			got, err := e.Replay([]escalation.Event{opened("A", incident.P1, "mainframe", "2026-10-05T14:00:00Z")}, at("2026-10-06T00:00:00Z"))
			if err != nil {
				t.Fatal(err)
			}
			check(t, "pages", pages(got), c.want)
			view, _ := e.Incident("A")
			for _, entry := range view.Log {
				if len(entry.Why) == 0 {
					t.Errorf("%s to %s without why", entry.Event, entry.To)
				}
			}
		})
	}
}

func TestRefusedEvents(t *testing.T) {
	e := newEngine(t, team())
	mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-05T14:00:00Z"))
	mustApply(t, e, event(escalation.Resolved, "A", "2026-10-05T14:10:00Z"))
	severity := event(escalation.SeverityChanged, "A", "2026-10-05T14:20:00Z")
	severity.Severity = incident.P1
	for _, c := range []struct {
		event escalation.Event
		want  error
	}{
		{event(escalation.Acknowledged, "B", "2026-10-05T14:00:00Z"), escalation.ErrUnknownIncident},
		{escalation.Event{}, escalation.ErrIncomplete},
		{opened("D", incident.P2, "", "2026-10-05T14:00:00Z"), escalation.ErrIncomplete},
		{event(escalation.Merged, "A", "2026-10-05T14:00:00Z"), escalation.ErrIncomplete},
		{severity, escalation.ErrNotPossible},
		{opened("A", incident.P2, "databases", "2026-10-05T15:00:00Z"), escalation.ErrNotPossible},
	} {
		actions, err := e.Apply(c.event)
		var problem *escalation.EventError
		if !errors.Is(err, c.want) || !errors.As(err, &problem) || actions != nil {
			t.Errorf("Apply(%s of %q) = %v, %v, want %v", c.event.Kind, c.event.Incident, actions, err, c.want)
		}
	}
	unset := opened("C", 0, "databases", "2026-10-05T14:00:00Z")
	if _, err := e.Apply(unset); err == nil || !strings.Contains(err.Error(), "P1 to P4") {
		t.Errorf("Apply(opened without severity) = %v, want an error that names the severities", err)
	}
	// What the order of instants gives no effect is on record, once, and changes
	// nothing.
	before, _ := e.Incident("A")
	for _, c := range []struct {
		event escalation.Event
		why   string
	}{
		{event(escalation.Acknowledged, "A", "2026-10-05T15:00:00Z"), "no effect: it was over"},
		{event(escalation.Reopened, "A", "2026-10-05T14:05:00Z"), "no effect: it was open"},
		{event(escalation.Unacknowledged, "A", "2026-10-05T14:06:00Z"), "no effect: nobody had taken it on"},
	} {
		for range 2 {
			check(t, "actions of "+c.event.Kind.String(), mustApply(t, e, c.event), nil)
		}
		after, _ := e.Incident("A")
		check(t, "log of "+c.event.Kind.String(), after.Log[len(before.Log):], []escalation.Entry{
			{At: c.event.At, Event: escalation.EntryEvent(c.event.Kind.String()), Why: []string{c.why}},
		})
		after.Log, before.Log = nil, after.Log
		same := before
		same.Log = nil
		check(t, "state after "+c.event.Kind.String(), []escalation.View{after}, []escalation.View{same})
	}
	// News of an acknowledgement before the end is kept.
	mustApply(t, e, event(escalation.Acknowledged, "A", "2026-10-05T14:08:00Z"))
	if view, _ := e.Incident("A"); !view.Acknowledged.Equal(at("2026-10-05T14:08:00Z")) {
		t.Errorf("Acknowledged = %s, want 14:08", view.Acknowledged)
	}
	// A repeated opening changes nothing.
	check(t, "repeated opening", mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-05T14:00:00Z")), nil)
}
