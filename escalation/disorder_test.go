package escalation_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
	"github.com/evenkeelops/evenkeel/incident"
)

// deliver applies events in the order of their arrival; those of an incident that
// is not known yet are kept and applied again after each other event, as the error
// advises.
func deliver(t *testing.T, e *escalation.Engine, events []escalation.Event) {
	t.Helper()
	var kept []escalation.Event
	for _, ev := range events {
		if _, err := e.Apply(ev); errors.Is(err, escalation.ErrUnknownIncident) {
			kept = append(kept, ev)
			continue
		} else if err != nil && !errors.Is(err, escalation.ErrStale) {
			t.Fatalf("Apply(%s at %s): %v", ev.Kind, ev.At, err)
		}
		kept = slices.DeleteFunc(kept, func(old escalation.Event) bool {
			_, err := e.Apply(old)
			return !errors.Is(err, escalation.ErrUnknownIncident)
		})
	}
}

// permutations calls yield with every order of a list.
func permutations[T any](list []T, from int, yield func([]T)) {
	if from == len(list) {
		yield(list)
		return
	}
	for i := from; i < len(list); i++ {
		list[from], list[i] = list[i], list[from]
		permutations(list, from+1, yield)
		list[from], list[i] = list[i], list[from]
	}
}

// Whatever the order in which the events of an incident arrive, and twice at that:
// it is over when it was resolved, was taken on by the first who did so, and pages
// nobody any more.
func TestEventsInEveryOrder(t *testing.T) {
	by := func(ev escalation.Event, who string) escalation.Event {
		ev.By = who
		return ev
	}
	events := []escalation.Event{
		opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z"),
		by(event(escalation.Acknowledged, "A", "2026-10-05T14:05:00Z"), "marcus"),
		by(event(escalation.Acknowledged, "A", "2026-10-05T14:07:00Z"), "nina"),
		by(event(escalation.Resolved, "A", "2026-10-05T14:10:00Z"), "marcus"),
	}
	events = append(events, events[1], events[3])
	orders := 0
	permutations(events, 0, func(order []escalation.Event) {
		orders++
		e := newEngine(t, team())
		deliver(t, e, order)
		view, _ := e.Incident("A")
		got := fmt.Sprint(view.Closed.Format("15:04 "), view.Acknowledged.Format("15:04 "), view.AcknowledgedBy, " ", view.Round, len(e.Timers()))
		if want := "14:10 14:05 marcus 1 0"; got != want {
			t.Fatalf("%v: %s, want %s", order, got, want)
		}
		if late := e.Step(at("2026-10-06T14:00:00Z")); len(late) > 0 {
			t.Fatalf("%v: %v after the end", order, late)
		}
	})
	if orders != 720 {
		t.Errorf("%d orders, want 6!", orders)
	}
}

// standing is what an engine says of incident A but for what depends on when it came
// to know it: the order of the log and whom the first page went to.
func standing(t *testing.T, e *escalation.Engine) string {
	t.Helper()
	view, ok := e.Incident("A")
	if !ok {
		t.Fatal("incident A is unknown")
	}
	view.Log, view.Routing = nil, escalation.Routing{}
	if view.AcknowledgedBy == "" {
		view.Holder = "" // whom the first page went to
	}
	var timers []string
	for _, timer := range e.Timers() {
		timers = append(timers, fmt.Sprint(timer.Kind, timer.Level, timer.Due))
	}
	return fmt.Sprintf("%+v\n%v", view, timers)
}

// The law of late events: whatever the order in which the events of an incident
// arrive, and whichever of them happened first, it stands as if they had arrived in
// the order of their instants, then and at every instant after.
func TestArrivalDoesNotMatter(t *testing.T) {
	config := escalation.Config{Router: newRouter(t, team()), Matrix: ackTimeoutMatrix()}
	run := func(order []escalation.Event) string {
		e := engineOf(t, config)
		deliver(t, e, order)
		now := standing(t, e)
		e.Step(at("2026-10-05T16:00:00Z"))
		return now + "\nand later\n" + standing(t, e)
	}
	history := func(kinds []escalation.EventKind) []escalation.Event {
		events := []escalation.Event{opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z")}
		for i, kind := range kinds {
			ev := event(kind, "A", "2026-10-05T14:00:00Z")
			ev.At = ev.At.Add(time.Duration(7*(i+1)) * time.Minute)
			ev.By = []string{"nina", "marcus", "sarah"}[i%3]
			events = append(events, ev)
		}
		return events
	}
	same := func(want string, order []escalation.Event) {
		if got := run(order); got != want {
			t.Fatalf("arrived as %v:\n%s\nwant\n%s", order, got, want)
		}
	}
	all := []escalation.EventKind{escalation.Acknowledged, escalation.Unacknowledged, escalation.Resolved, escalation.Reopened}
	permutations(slices.Clone(all), 0, func(kinds []escalation.EventKind) {
		events := history(kinds)
		want := run(events)
		permutations(events, 0, func(order []escalation.Event) { same(want, order) })
	})
	// Longer histories, with several of a kind.
	r := rand.New(rand.NewPCG(5, 1))
	for range 1000 {
		kinds := make([]escalation.EventKind, 8)
		for i := range kinds {
			kinds[i] = all[r.IntN(len(all))]
		}
		events := history(kinds)
		want := run(events)
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		same(want, events)
	}
}

// ackTimeoutMatrix has a level for each stop, and acknowledgements that lapse.
func ackTimeoutMatrix() escalation.Matrix {
	m := escalation.DefaultMatrix()
	for s, p := range m {
		p.AckTimeout = 45
		m[s] = p
	}
	return m
}

// The engine runs while the events come in disorder. What was sent meanwhile stays
// sent, and is in the log; how the incident stands is as if they had come in order.
func TestArrivalWhileItRuns(t *testing.T) {
	events := []escalation.Event{
		opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z"),
		event(escalation.Acknowledged, "A", "2026-10-05T14:07:00Z"),
		event(escalation.Unacknowledged, "A", "2026-10-05T14:14:00Z"),
		event(escalation.Resolved, "A", "2026-10-05T14:21:00Z"),
		event(escalation.Reopened, "A", "2026-10-05T14:28:00Z"),
	}
	permutations(events[1:], 0, func(late []escalation.Event) {
		e := newEngine(t, team())
		mustApply(t, e, events[0])
		for i, ev := range late {
			e.Step(at("2026-10-05T14:30:00Z").Add(time.Duration(i) * time.Minute))
			mustApply(t, e, ev)
		}
		view, _ := e.Incident("A")
		if view.Round != 2 || view.Anchor != at("2026-10-05T14:28:00Z") || !view.Acknowledged.IsZero() || !view.Closed.IsZero() {
			t.Fatalf("%v: round %d from %s, acknowledged %s, closed %s", late, view.Round, view.Anchor, view.Acknowledged, view.Closed)
		}
		if view.Next != at("2026-10-05T14:43:00Z") {
			t.Fatalf("%v: next level %s, want 14:43, 15 min after the reopening", late, view.Next)
		}
	})
}

// The un-acknowledgement is known before the acknowledgement that it takes back:
// level 1, which that would have stopped, is due at the later of the two instants.
func TestUnacknowledgedBeforeAcknowledged(t *testing.T) {
	e := newEngine(t, team())
	mustApply(t, e, opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z"))
	mustApply(t, e, event(escalation.Unacknowledged, "A", "2026-10-05T14:20:00Z"))
	ack := event(escalation.Acknowledged, "A", "2026-10-05T14:10:00Z")
	ack.By = "marcus"
	mustApply(t, e, ack)
	view, _ := e.Incident("A")
	if !view.Acknowledged.IsZero() || view.Levels[0].State != escalation.LevelPending || view.Levels[0].Due != at("2026-10-05T14:20:00Z") {
		t.Errorf("acknowledged %s, level 1 %s at %s, want pending at 14:20", view.Acknowledged, view.Levels[0].State, view.Levels[0].Due)
	}
	check(t, "level 1", pages(e.Step(at("2026-10-05T14:20:00Z"))), []string{"L1 nina"})
}

// The same signal again and again, each time of another instant, is no end of memory.
func TestRepetitionsAreForgotten(t *testing.T) {
	e := newEngine(t, team())
	mustApply(t, e, opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z"))
	size := 0
	for i := range 1000 {
		ev := event(escalation.Resolved, "A", "2026-10-05T14:10:00Z")
		ev.At = ev.At.Add(time.Duration(i) * time.Second)
		mustApply(t, e, ev)
		data, err := e.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if i == 100 {
			size = len(data)
		}
		if i > 100 && len(data) != size {
			t.Fatalf("%d bytes after %d resolutions, %d after 100", len(data), i, size)
		}
	}
	if view, _ := e.Incident("A"); view.Closed != at("2026-10-05T14:10:00Z") {
		t.Errorf("closed %s, want when it was first resolved", view.Closed)
	}
}

// An acknowledgement that turns out to be the earlier one is the one that counts:
// it lapses 45 minutes after it, and its author has the incident.
func TestEarlierAcknowledgementArrivesLate(t *testing.T) {
	e := engineOf(t, escalation.Config{Matrix: nightMatrix()})
	mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-05T21:00:00Z"))
	for _, ack := range []struct{ by, when string }{{"sarah", "2026-10-05T21:09:00Z"}, {"nina", "2026-10-05T21:05:00Z"}} {
		ev := event(escalation.Acknowledged, "A", ack.when)
		ev.By = ack.by
		mustApply(t, e, ev)
	}
	if next, _ := e.NextWake(); next != at("2026-10-05T21:20:00Z") { // level 3, which resolving stops
		t.Fatalf("next %s, want 21:20", next)
	}
	e.Step(at("2026-10-05T21:20:00Z"))
	if next, _ := e.NextWake(); next != at("2026-10-05T21:50:00Z") {
		t.Errorf("lapses %s, want 21:50", next)
	}
}

// Any event of the first round that comes again in the second changes nothing.
func TestRepeatedAfterReopening(t *testing.T) {
	events := []escalation.Event{
		opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z"),
		event(escalation.Acknowledged, "A", "2026-10-05T14:05:00Z"),
		event(escalation.Resolved, "A", "2026-10-05T14:10:00Z"),
		event(escalation.Reopened, "A", "2026-10-05T14:20:00Z"),
	}
	run := func(events []escalation.Event) string {
		e := newEngine(t, team())
		deliver(t, e, events)
		data, err := e.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if next, _ := e.NextWake(); next != at("2026-10-05T14:35:00Z") {
			t.Errorf("next level %s, want 14:35, 15 min after the reopening", next)
		}
		return string(data)
	}
	want := run(events)
	for i, again := range events {
		for place := i + 1; place <= len(events); place++ {
			if got := run(slices.Insert(slices.Clone(events), place, again)); got != want {
				t.Errorf("%s again before event %d:\n%s\nwant\n%s", again.Kind, place, got, want)
			}
		}
	}
}

// A clock that jumps back fires nothing again; one that jumps ahead by a day fires
// once.
func TestClockJumps(t *testing.T) {
	e := newEngine(t, team())
	mustApply(t, e, opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z"))
	for _, c := range []struct {
		now  string
		want []string
	}{
		{"2026-10-05T14:14:59Z", nil},
		{"2026-10-05T14:15:00Z", []string{"L1 nina"}},
		{"2026-10-05T14:15:00Z", nil},
		{"2026-10-05T13:15:00Z", nil}, // an hour back
		{"2026-10-04T14:15:00Z", nil}, // a day back
		{"2026-10-05T14:15:05Z", nil}, // another node, 5 s ahead
		{"2026-10-06T14:15:00Z", []string{"L3 duty-manager"}},
		{"2026-10-05T14:30:00Z", nil},
	} {
		check(t, "at "+c.now, pages(e.Step(at(c.now))), c.want)
	}
	if _, ok := e.NextWake(); ok {
		t.Error("a level is left")
	}
}

// All seniors and principals are away: level 1 goes up to the management at once
// and says so, the further levels have nobody else.
func TestWholeLevelIsAbsent(t *testing.T) {
	r := team()
	r.Engineers = append(r.Engineers, escalation.Engineer{ID: "boss", Level: escalation.Management, Zone: "Europe/Amsterdam"})
	for _, id := range []string{"sarah", "marcus", "nina"} {
		r.Absences = append(r.Absences, escalation.Absence{Engineer: id, Start: at("2026-10-05T00:00:00Z"), End: at("2026-10-06T00:00:00Z")})
	}
	e := newEngine(t, r)
	first := mustApply(t, e, opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z"))
	check(t, "first", pages(first), []string{"L0 duty-manager"})
	level := e.Step(at("2026-10-05T14:15:00Z"))
	check(t, "level 1", pages(level), []string{"L1 boss"})
	if why := fmt.Sprint(level[0].Why); !slices.Contains(level[0].Why, "no senior or above with databases to be had, so up to the management") {
		t.Errorf("level 1: %s", why)
	}
	check(t, "level 2", pages(e.Step(at("2026-10-05T14:30:00Z"))), []string{"L2 duty-manager"})
	check(t, "level 3", pages(e.Step(at("2026-10-05T15:00:00Z"))), []string{"L3 duty-manager"})
}

// What was acknowledged or put off while a maintenance or another incident held its
// first page back is not paged afterwards; what was given up again is.
func TestTakenOnBeforeTheFirstPage(t *testing.T) {
	open := func(e *escalation.Engine, id string) {
		ev := opened(id, incident.P2, "databases", "2026-10-05T09:00:00Z")
		ev.Service = "shop"
		mustApply(t, e, ev)
	}
	take := event(escalation.Acknowledged, "B", "2026-10-05T09:05:00Z")
	putOff := event(escalation.Snoozed, "B", "2026-10-05T09:05:00Z")
	putOff.Until = at("2026-10-05T12:00:00Z")
	for name, c := range map[string]struct {
		events []escalation.Event
		want   []string
	}{
		"left alone": {nil, []string{"09:10 nina"}},
		"taken":      {[]escalation.Event{take}, nil},
		"put off":    {[]escalation.Event{putOff}, nil},
		"given up":   {[]escalation.Event{take, event(escalation.Unacknowledged, "B", "2026-10-05T09:06:00Z")}, []string{"09:10 nina"}},
	} {
		quiet := engineOf(t, escalation.Config{Maintenance: []escalation.Maintenance{{Interval: fixture.Span("2026-10-05T08:00:00Z", "2026-10-05T09:10:00Z")}}})
		open(quiet, "B")
		bundled := engineOf(t, escalation.Config{Bundle: time.Hour})
		open(bundled, "A")
		open(bundled, "B")
		for _, ev := range c.events {
			mustApply(t, quiet, ev)
			mustApply(t, bundled, ev)
		}
		check(t, name+", after a maintenance", told(quiet.Step(at("2026-10-05T09:10:00Z"))), c.want)
		end := event(escalation.Resolved, "A", "2026-10-05T09:10:00Z")
		end.By = "nina"
		check(t, name+", after its leader", told(mustApply(t, bundled, end)), c.want)
	}
}

// A leader that is lowered below what is bundled under it does not silence it.
func TestLoweredLeader(t *testing.T) {
	e := engineOf(t, escalation.Config{Bundle: time.Hour})
	for i, s := range []incident.Severity{incident.P1, incident.P3, incident.P1, incident.P2} {
		ev := opened(fmt.Sprintf("I%d", i), s, "databases", "2026-10-05T09:00:00Z")
		ev.Service = "shop"
		mustApply(t, e, ev)
	}
	lower := event(escalation.SeverityChanged, "I0", "2026-10-05T09:10:00Z")
	lower.Severity = incident.P3
	check(t, "lowered", told(mustApply(t, e, lower)), []string{"09:10 (nina)", "09:10 nina"})
	var under []string
	for _, id := range e.Incidents() {
		view, _ := e.Incident(id)
		under = append(under, view.ID+"<"+view.Bundled)
	}
	// I1 is no more severe than I0 and stays; I2 leads from now on, I3 goes under it.
	check(t, "bundles", under, []string{"I0<", "I1<I0", "I2<", "I3<I2"})
}

// The end of a leader that becomes known late does not bring the levels of what was
// opened since forward.
func TestLeaderEndedBeforeItsBundle(t *testing.T) {
	e := engineOf(t, escalation.Config{Bundle: time.Hour})
	for id, when := range map[string]string{"A": "2026-10-05T09:00:00Z"} {
		ev := opened(id, incident.P2, "databases", when)
		ev.Service = "shop"
		mustApply(t, e, ev)
	}
	ev := opened("B", incident.P2, "databases", "2026-10-05T09:20:00Z")
	ev.Service = "shop"
	mustApply(t, e, ev)
	check(t, "late", told(mustApply(t, e, event(escalation.Resolved, "A", "2026-10-05T09:10:00Z"))), []string{"09:10 (nina)", "09:20 nina"})
	if next, _ := e.NextWake(); next != at("2026-10-05T09:50:00Z") {
		t.Errorf("level 1 of B at %s, want 30 min after its opening", next)
	}
}

// Reopened into its old bundle an incident is there once, and paged once.
func TestReopenedIntoItsBundle(t *testing.T) {
	e := engineOf(t, escalation.Config{Bundle: time.Hour})
	for _, id := range []string{"A", "B"} {
		ev := opened(id, incident.P2, "databases", "2026-10-05T09:00:00Z")
		ev.Service = "shop"
		mustApply(t, e, ev)
	}
	mustApply(t, e, event(escalation.Resolved, "B", "2026-10-05T09:05:00Z"))
	mustApply(t, e, event(escalation.Reopened, "B", "2026-10-05T09:06:00Z"))
	check(t, "after the leader", told(mustApply(t, e, event(escalation.Resolved, "A", "2026-10-05T09:10:00Z"))), []string{"09:10 (nina)", "09:10 nina"})
}

// The contract asks for one acknowledgement in time. That it is given up later is no
// breach.
func TestResponseIsOwedOnce(t *testing.T) {
	e := engineOf(t, escalation.Config{})
	ev := opened("A", incident.P1, "kubernetes", "2026-10-05T09:00:00Z")
	ev.RespondBy = at("2026-10-05T09:10:00Z")
	mustApply(t, e, ev)
	mustApply(t, e, event(escalation.Acknowledged, "A", "2026-10-05T09:04:00Z"))
	mustApply(t, e, event(escalation.Unacknowledged, "A", "2026-10-05T09:06:00Z"))
	for _, timer := range e.Timers() {
		if timer.Kind != escalation.LevelDue {
			t.Errorf("timer %+v, want levels only", timer)
		}
	}
}

// After an outage the highest level that is overdue pages. If it waits for its hours,
// the one below it does.
func TestOverdueLevelThatWaits(t *testing.T) {
	later := step(20, escalation.Resolved, escalation.Target{Engineer: "omar"})
	later.Only, later.Wait = &escalation.OnlyIn{Zone: "UTC", Windows: []escalation.Window{{From: "15:00", To: "16:00"}}}, true
	e := engineOf(t, escalation.Config{Matrix: same(escalation.Policy{Steps: []escalation.Step{
		step(5, escalation.Resolved, escalation.Target{Engineer: "nina"}), step(10, escalation.Resolved, escalation.Target{Engineer: "marcus"}), later,
	}})})
	mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-05T09:00:00Z"))
	check(t, "after the outage", told(e.Step(at("2026-10-05T10:00:00Z"))), []string{"10:00 marcus"})
	check(t, "later", stepsTo(e, "2026-10-06T00:00:00Z"), []string{"15:00 omar"})
}
