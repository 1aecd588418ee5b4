package escalation_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// staffed is the small organisation with a night schedule, 22:00 to 06:00 on
// weekdays in Amsterdam, of Sarah and Nina in weekly turns, and two teams.
func staffed() escalation.Roster {
	r := team()
	r.Schedules = map[string]escalation.Plan{"night": {Layers: []escalation.Layer{{
		Name:     "night",
		Rotation: escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-10-05T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"sarah", "nina"}},
		Windows:  []escalation.Window{{Days: escalation.Weekdays, From: "22:00", To: "06:00"}},
	}}}}
	r.Teams = map[string][]string{"db": {"marcus", "nina"}, "net": {"omar"}}
	return r
}

func step(minutes int, stop escalation.EventKind, targets ...escalation.Target) escalation.Step {
	return escalation.Step{Minutes: minutes, StopOn: stop, Targets: targets}
}

// same is a matrix of one policy.
func same(p escalation.Policy) escalation.Matrix {
	return escalation.Matrix{incident.P1: p, incident.P2: p, incident.P3: p, incident.P4: p}
}

func nightMatrix() escalation.Matrix {
	return same(escalation.Policy{
		Steps: []escalation.Step{
			step(0, escalation.Acknowledged, escalation.Target{Schedule: "night"}),
			step(10, escalation.Acknowledged, escalation.Target{Team: "db"}, escalation.Target{Webhook: "siren"}),
			step(20, escalation.Resolved, escalation.Target{Level: escalation.Management}),
		},
		Repeat: 1, Every: 60, AckTimeout: 45,
	})
}

// everything is a configuration with all options set.
func everything(tb testing.TB) escalation.Config {
	tb.Helper()
	turns := step(5, escalation.Acknowledged, escalation.Target{Engineer: "omar"}, escalation.Target{Schedule: "night"}, escalation.Target{Team: "db"})
	turns.RoundRobin = true
	only := step(25, escalation.Acknowledged, escalation.Target{Engineer: "marcus"})
	only.Only, only.Wait = &escalation.OnlyIn{Zone: "America/Chicago", Windows: []escalation.Window{{From: "09:00", To: "17:00"}}}, true
	return escalation.Config{
		Tenant: "acme", Router: newRouter(tb, staffed()),
		Matrix:       same(escalation.Policy{Steps: []escalation.Step{turns, only, step(40, escalation.Resolved, escalation.Target{Level: escalation.Senior})}, AckTimeout: 30, Repage: 20}),
		Policies:     map[string]escalation.Matrix{"night": nightMatrix()},
		TightenFirst: true,
		Maintenance: []escalation.Maintenance{
			{Interval: calendar.Interval{Start: at("2026-10-05T03:00:00Z"), End: at("2026-10-05T05:00:00Z")}, Services: []string{"shop"}, Reason: "upgrade"},
			{Interval: calendar.Interval{Start: at("2026-10-05T05:00:00Z"), End: at("2026-10-05T05:30:00Z")}},
		},
		Bundle: 2 * time.Hour, PageLimit: escalation.PageLimit{Pages: 2, Per: time.Hour},
	}
}

func engineOf(t *testing.T, c escalation.Config) *escalation.Engine {
	t.Helper()
	c.Tenant = "acme"
	if c.Router == nil {
		c.Router = newRouter(t, staffed())
	}
	e, err := escalation.NewEngine(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// stepsTo runs an engine to an instant and returns "time target" of each page and
// notice.
func stepsTo(e *escalation.Engine, until string) []string {
	var out []string
	for {
		due, ok := e.NextWake()
		if !ok || due.After(at(until)) {
			return out
		}
		out = append(out, told(e.Step(due))...)
	}
}

func told(actions []escalation.Action) []string {
	var out []string
	for _, a := range actions {
		if a.Kind == escalation.Page {
			out = append(out, a.At.Format("15:04 ")+a.Target)
		}
		if a.Kind == escalation.Notice {
			out = append(out, a.At.Format("15:04 ")+"("+a.Target+")")
		}
	}
	return out
}

// 5 October 2026 is a Monday; Amsterdam is at UTC+2.
func TestPolicySteps(t *testing.T) {
	e := engineOf(t, escalation.Config{Matrix: nightMatrix()})
	// 23:00 in Amsterdam: Sarah has the night. Marcus and Nina are the team,
	// and nobody is management, so the third step ends at the last resort.
	first := told(mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-05T21:00:00Z")))
	check(t, "first page", first, []string{"21:00 sarah"})
	check(t, "levels", stepsTo(e, "2026-10-05T23:59:00Z"), []string{
		"21:10 marcus", "21:10 nina", "21:10 webhook:siren",
		"21:20 duty-manager",
		"22:00 sarah", // the second pass
		"22:10 marcus", "22:10 nina", "22:10 webhook:siren",
		"22:20 duty-manager",
	})
	if view, _ := e.Incident("A"); view.Routing.Assigned != "sarah" || !view.Next.IsZero() || len(view.Levels) != 6 {
		t.Errorf("assigned %q, next %v, %d levels, want sarah, none, 6", view.Routing.Assigned, view.Next, len(view.Levels))
	}
}

// By day nobody has the night: its step is passed over at once.
func TestEmptyStep(t *testing.T) {
	e := engineOf(t, escalation.Config{Matrix: nightMatrix()})
	first := told(mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-05T09:00:00Z")))
	check(t, "first page", first, []string{"09:00 marcus", "09:00 nina", "09:00 webhook:siren"})
	check(t, "then", stepsTo(e, "2026-10-05T09:59:00Z"), []string{"09:20 duty-manager"})
	view, _ := e.Incident("A")
	why := strings.Join(view.Log[0].Why, "; ")
	if view.Levels[0].State != "empty" || !strings.Contains(why, "schedule night: nobody") || !strings.Contains(why, "so level 2 at once") {
		t.Errorf("level 1 is %s, why %q", view.Levels[0].State, why)
	}
}

// A policy in which nobody is to be had ends at the last resort, never at nobody.
func TestNoStepHasAnybody(t *testing.T) {
	e := engineOf(t, escalation.Config{Matrix: same(escalation.Policy{Steps: []escalation.Step{
		step(0, escalation.Acknowledged, escalation.Target{Schedule: "night"}),
		step(5, escalation.Resolved, escalation.Target{Engineer: "nina"}), // absent on the 7th
	}})})
	got := mustApply(t, e, opened("A", incident.P3, "databases", "2026-10-07T09:00:00Z"))
	check(t, "paged", told(got), []string{"09:00 duty-manager"})
	if why := strings.Join(got[0].Why, "; "); !strings.Contains(why, "nina is absent") || !strings.Contains(why, "last resort") {
		t.Errorf("why = %q", why)
	}
	check(t, "later", stepsTo(e, "2026-10-09T00:00:00Z"), nil)
}

// A step that waits fires when somebody comes on call: at 22:00 in Amsterdam.
func TestWaitingStep(t *testing.T) {
	hold := step(10, escalation.Acknowledged, escalation.Target{Schedule: "night"})
	hold.Wait = true
	e := engineOf(t, escalation.Config{Matrix: same(escalation.Policy{Steps: []escalation.Step{hold}})})
	mustApply(t, e, opened("A", incident.P4, "databases", "2026-10-05T17:00:00Z"))
	check(t, "paged", stepsTo(e, "2026-10-06T12:00:00Z"), []string{"20:00 sarah"})
}

// The wait of a level is told once, however often there is still nobody: at 06:00, 07:00
// and 08:00 the hours of the step begin or end. When the incident was taken and given
// up again it is another wait; a severity with other steps waits for nothing.
func TestWaitIsToldOnce(t *testing.T) {
	hold := step(10, escalation.Acknowledged, escalation.Target{Schedule: "night"})
	hold.Wait, hold.Only = true, &escalation.OnlyIn{Zone: "UTC", Windows: []escalation.Window{{From: "06:00", To: "07:00"}, {From: "08:00", To: "24:00"}}}
	m := same(escalation.Policy{Steps: []escalation.Step{hold}})
	m[incident.P1] = escalation.Policy{Steps: []escalation.Step{step(10, escalation.Acknowledged, escalation.Target{Engineer: "omar"})}}
	waits := func(e *escalation.Engine) (out []string) {
		view, _ := e.Incident("A")
		for _, entry := range view.Log {
			if entry.Event == escalation.EntryWaiting {
				out = append(out, entry.At.Format("15:04"))
			}
		}
		return out
	}
	e := engineOf(t, escalation.Config{Matrix: m})
	mustApply(t, e, opened("A", incident.P4, "databases", "2026-10-05T05:00:00Z"))
	wakes := 0
	for {
		due, ok := e.NextWake()
		if !ok || due.After(at("2026-10-05T18:00:00Z")) {
			break
		}
		wakes++
		e.Step(due)
	}
	if wakes < 3 {
		t.Errorf("looked at %d times, want the edges of the day", wakes)
	}
	check(t, "told", waits(e), []string{"05:10"})
	mustApply(t, e, event(escalation.Acknowledged, "A", "2026-10-05T18:30:00Z"))
	mustApply(t, e, event(escalation.Unacknowledged, "A", "2026-10-05T18:40:00Z"))
	e.Step(at("2026-10-05T18:40:00Z"))
	check(t, "told after it was given up", waits(e), []string{"05:10", "18:40"})
	raise := event(escalation.SeverityChanged, "A", "2026-10-05T18:50:00Z")
	raise.Severity = incident.P1
	mustApply(t, e, raise)
	check(t, "raised", told(e.Step(raise.At)), []string{"18:50 omar"})

	e = engineOf(t, escalation.Config{Matrix: m})
	mustApply(t, e, opened("A", incident.P4, "databases", "2026-10-05T17:00:00Z"))
	check(t, "paged", stepsTo(e, "2026-10-06T12:00:00Z"), []string{"20:00 sarah"})
	check(t, "told", waits(e), []string{"17:10"})
}

// Omar has it: he is paged again after each 30 minutes, not while it is put off, and
// no more when it was given up or is over. Steps that resolving stops go on beside.
func TestRepage(t *testing.T) {
	p := escalation.Policy{Steps: []escalation.Step{step(100, escalation.Resolved, escalation.Target{Engineer: "marcus"})}, Repage: 30}
	e := engineOf(t, escalation.Config{Matrix: same(p)})
	mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-05T09:00:00Z")) // to Nina
	ack := event(escalation.Acknowledged, "A", "2026-10-05T09:10:00Z")
	ack.By = "omar"
	mustApply(t, e, ack)
	check(t, "paged", stepsTo(e, "2026-10-05T10:45:00Z"), []string{"09:40 omar", "10:10 omar", "10:40 omar", "10:40 marcus"})
	snooze := event(escalation.Snoozed, "A", "2026-10-05T10:50:00Z")
	snooze.Until = at("2026-10-05T12:00:00Z")
	mustApply(t, e, snooze)
	check(t, "paged after the snooze, which gives it up", stepsTo(e, "2026-10-05T13:00:00Z"), nil)
	again := event(escalation.Acknowledged, "A", "2026-10-05T13:00:00Z")
	again.By = "somebody else"
	mustApply(t, e, again)
	check(t, "by somebody unknown, so all who were paged", stepsTo(e, "2026-10-05T13:30:00Z"), []string{"13:30 nina", "13:30 omar", "13:30 marcus"})
	mustApply(t, e, event(escalation.Resolved, "A", "2026-10-05T13:40:00Z"))
	check(t, "paged after the end", stepsTo(e, "2026-10-06T00:00:00Z"), nil)
}

// An acknowledgement lapses: the steps that it stopped page again, others than before.
func TestAckTimeoutPagesAgain(t *testing.T) {
	e := engineOf(t, escalation.Config{Matrix: ackTimeoutMatrix()})
	mustApply(t, e, opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z"))
	mustApply(t, e, event(escalation.Acknowledged, "A", "2026-10-05T14:05:00Z"))
	var first string
	for _, page := range stepsTo(e, "2026-10-05T14:55:00Z") {
		if strings.HasPrefix(page, "14:50") { // 45 minutes later; level 1 was due at 14:15
			first = page
		}
	}
	if first != "14:50 nina" {
		t.Errorf("paged %q when the acknowledgement lapsed, want nina", first)
	}
}

func TestOnlyInHours(t *testing.T) {
	office := step(10, escalation.Acknowledged, escalation.Target{Engineer: "omar"})
	office.Only = &escalation.OnlyIn{Zone: "Asia/Singapore", Windows: []escalation.Window{{Days: escalation.Weekdays, From: "09:00", To: "18:00"}}}
	for _, c := range []struct {
		wait bool
		want []string
	}{
		// 08:30 in Singapore: the office opens at 01:00Z.
		{false, []string{"00:40 sarah", "01:30 (none)"}},
		{true, []string{"01:00 omar", "01:30 sarah"}},
	} {
		office.Wait = c.wait
		e := engineOf(t, escalation.Config{Matrix: same(escalation.Policy{Steps: []escalation.Step{office, step(60, escalation.Acknowledged, escalation.Target{Engineer: "sarah"})}})})
		mustApply(t, e, opened("A", incident.P4, "databases", "2026-10-06T00:30:00Z"))
		want := slices.DeleteFunc(slices.Clone(c.want), func(s string) bool { return strings.HasSuffix(s, "(none)") })
		check(t, fmt.Sprintf("wait %v", c.wait), stepsTo(e, "2026-10-06T03:00:00Z"), want)
	}
}

func TestRoundRobin(t *testing.T) {
	turns := step(0, escalation.Acknowledged, escalation.Target{Engineer: "sarah"}, escalation.Target{Engineer: "nina"}, escalation.Target{Engineer: "omar"})
	turns.RoundRobin = true
	config := escalation.Config{Tenant: "acme", Router: newRouter(t, staffed()), Matrix: same(escalation.Policy{Steps: []escalation.Step{turns}})}
	e := engineOf(t, config)
	var got []string
	for i, when := range []string{"2026-10-06T09:00:00Z", "2026-10-06T10:00:00Z", "2026-10-06T11:00:00Z", "2026-10-06T12:00:00Z", "2026-10-07T09:00:00Z", "2026-10-07T10:00:00Z"} {
		got = append(got, told(mustApply(t, e, opened(strconv.Itoa(i), incident.P2, "databases", when)))...)
		data, err := e.Snapshot() // the turn survives
		if err != nil {
			t.Fatal(err)
		}
		if e, err = escalation.Restore(config, data); err != nil {
			t.Fatal(err)
		}
	}
	// On the 7th Nina is absent and her turn goes to the next.
	check(t, "turns", got, []string{"09:00 sarah", "10:00 nina", "11:00 omar", "12:00 sarah", "09:00 omar", "10:00 sarah"})
}

// Where policies are live the turns are those of the present one, for incidents that
// began under another as well.
func TestRoundRobinOfALivePolicy(t *testing.T) {
	turns := func(minutes int) escalation.Step {
		s := step(minutes, escalation.Acknowledged, escalation.Target{Engineer: "sarah"}, escalation.Target{Engineer: "nina"}, escalation.Target{Engineer: "omar"})
		s.RoundRobin = true
		return s
	}
	c := escalation.Config{Tenant: "acme", Router: newRouter(t, staffed()), Matrix: same(escalation.Policy{Steps: []escalation.Step{turns(10)}}), Live: true}
	e := engineOf(t, c)
	mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-06T09:00:00Z"))
	data, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	c.Matrix = same(escalation.Policy{Steps: []escalation.Step{turns(20)}})
	if e, err = escalation.Restore(c, data); err != nil {
		t.Fatal(err)
	}
	mustApply(t, e, opened("B", incident.P2, "databases", "2026-10-06T09:01:00Z"))
	check(t, "turns", stepsTo(e, "2026-10-06T09:21:00Z"), []string{"09:20 sarah", "09:21 nina"})
}

// "Least recently paged" counts the last page, not that of an event which is late.
func TestLastPageWithALateEvent(t *testing.T) {
	e := engineOf(t, escalation.Config{})
	mustApply(t, e, opened("A", incident.P1, "kubernetes", "2026-10-05T09:00:00Z"))
	mustApply(t, e, opened("B", incident.P1, "kubernetes", "2026-10-05T08:00:00Z"))
	if view, _ := e.Incident("B"); view.Routing.Assigned != "sarah" {
		t.Fatalf("B went to %s, want sarah as A", view.Routing.Assigned)
	}
	if got := e.Shared().Loads["sarah"].Paged; !got.Equal(at("2026-10-05T09:00:00Z")) {
		t.Errorf("last paged at %v, want 09:00", got)
	}
}

func TestAckTimeout(t *testing.T) {
	e := engineOf(t, escalation.Config{Matrix: nightMatrix()})
	mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-05T21:00:00Z"))
	mustApply(t, e, event(escalation.Acknowledged, "A", "2026-10-05T21:05:00Z"))
	// The third step needs an end, not an acknowledgement. The acknowledgement
	// lapses at 21:50, and the two steps that it had stopped are due then.
	check(t, "paged", stepsTo(e, "2026-10-05T21:55:00Z"), []string{"21:20 duty-manager", "21:50 marcus", "21:50 nina", "21:50 webhook:siren"})
	view, _ := e.Incident("A")
	if !view.Acknowledged.IsZero() || !slices.ContainsFunc(view.Log, func(l escalation.Entry) bool { return l.Event == "ack_lapses" }) {
		t.Errorf("acknowledged %v, log %v", view.Acknowledged, view.Log)
	}
	// A resolved incident has no timers left.
	mustApply(t, e, event(escalation.Resolved, "A", "2026-10-05T21:56:00Z"))
	if timers := e.Timers(); len(timers) > 0 {
		t.Errorf("Timers() = %v, want none", timers)
	}
}

func TestSnooze(t *testing.T) {
	e := engineOf(t, escalation.Config{})
	mustApply(t, e, opened("A", incident.P1, "kubernetes", "2026-10-05T09:00:00Z")) // to Sarah
	mustApply(t, e, event(escalation.Acknowledged, "A", "2026-10-05T09:05:00Z"))
	snooze := event(escalation.Snoozed, "A", "2026-10-05T09:10:00Z")
	snooze.Until = at("2026-10-05T12:00:00Z")
	mustApply(t, e, snooze)
	if view, _ := e.Incident("A"); !view.SnoozedUntil.Equal(snooze.Until) || !view.Next.Equal(snooze.Until) {
		t.Errorf("snoozed until %v, next %v, want noon for both", view.SnoozedUntil, view.Next)
	}
	// At noon it is as if nobody had taken it: the three levels are due together.
	check(t, "paged", stepsTo(e, "2026-10-05T13:00:00Z"), []string{"12:00 duty-manager"})
	mustApply(t, e, event(escalation.Resolved, "A", "2026-10-05T14:00:00Z"))
	for _, bad := range []escalation.Event{{}, {Until: at("2026-10-05T13:00:00Z")}} {
		bad.Kind, bad.Incident, bad.At = escalation.Snoozed, "A", at("2026-10-05T15:00:00Z")
		if _, err := e.Apply(bad); err == nil {
			t.Errorf("Apply(%+v) = nil, want an error", bad)
		}
	}
}

// The snooze of TestSnooze comes twice, the second time after its end, and an older
// one after it. Both times Sarah has taken the incident on since.
func TestSnoozeComesLate(t *testing.T) {
	snooze := event(escalation.Snoozed, "A", "2026-10-05T09:10:00Z")
	snooze.Until = at("2026-10-05T12:00:00Z")
	older := event(escalation.Snoozed, "A", "2026-10-05T09:06:00Z")
	older.Until = at("2026-10-05T12:02:00Z")
	e := engineOf(t, escalation.Config{})
	mustApply(t, e, opened("A", incident.P1, "kubernetes", "2026-10-05T09:00:00Z"))
	mustApply(t, e, snooze)
	if _, err := e.Apply(older); !errors.Is(err, escalation.ErrStale) {
		t.Errorf("an older snooze: %v, want ErrStale", err)
	}
	// Noon was not looked at before this is known.
	mustApply(t, e, event(escalation.Acknowledged, "A", "2026-10-05T12:01:00Z"))
	e.Step(at("2026-10-05T12:03:00Z"))
	check(t, "actions of the repetition", keys(mustApply(t, e, snooze), escalation.SetTimer), nil)
	e.Step(at("2026-10-05T12:04:00Z"))
	if view, _ := e.Incident("A"); !view.Acknowledged.Equal(at("2026-10-05T12:01:00Z")) {
		t.Errorf("acknowledged at %v, want 12:01", view.Acknowledged)
	}
}

// The end of a snooze ends what was taken on before it, also where somebody took it on
// again before either was known.
func TestAcknowledgedAroundTheEndOfASnooze(t *testing.T) {
	snooze := event(escalation.Snoozed, "A", "2026-10-05T09:20:00Z")
	snooze.Until = at("2026-10-05T09:30:00Z")
	before, after := event(escalation.Acknowledged, "A", "2026-10-05T09:10:00Z"), event(escalation.Acknowledged, "A", "2026-10-05T09:40:00Z")
	for name, order := range map[string][2]escalation.Event{"in order": {before, after}, "late": {after, before}} {
		e := engineOf(t, escalation.Config{})
		mustApply(t, e, opened("A", incident.P1, "kubernetes", "2026-10-05T09:00:00Z"))
		mustApply(t, e, snooze)
		mustApply(t, e, order[0])
		e.Step(at("2026-10-05T09:45:00Z"))
		mustApply(t, e, order[1])
		if view, _ := e.Incident("A"); !view.Acknowledged.Equal(after.At) {
			t.Errorf("%s: acknowledged at %v, want %v", name, view.Acknowledged, after.At)
		}
	}
}

// A round that begins in a maintenance counts its levels from the end of it, and
// takes what happened before.
func TestReopenedInMaintenance(t *testing.T) {
	e := engineOf(t, escalation.Config{Maintenance: []escalation.Maintenance{
		{Interval: calendar.Interval{Start: at("2026-10-05T10:00:00Z"), End: at("2026-10-05T11:00:00Z")}},
	}})
	mustApply(t, e, opened("A", incident.P1, "kubernetes", "2026-10-05T08:00:00Z"))
	mustApply(t, e, event(escalation.Resolved, "A", "2026-10-05T09:00:00Z"))
	mustApply(t, e, event(escalation.Reopened, "A", "2026-10-05T10:10:00Z"))
	e.Step(at("2026-10-05T11:00:00Z"))
	mustApply(t, e, event(escalation.Acknowledged, "A", "2026-10-05T10:50:00Z"))
	check(t, "actions of an event of the round before", mustApply(t, e, event(escalation.Resolved, "A", "2026-10-05T10:05:00Z")), nil)
	view, _ := e.Incident("A")
	if !view.Closed.IsZero() || view.Round != 2 || !view.Acknowledged.Equal(at("2026-10-05T10:50:00Z")) {
		t.Errorf("closed %v, round %d, acknowledged %v after an event of the round before, want round 2 as it was", view.Closed, view.Round, view.Acknowledged)
	}
	snooze := event(escalation.Snoozed, "A", "2026-10-05T10:05:00Z")
	snooze.Until = at("2026-10-05T14:00:00Z")
	if _, err := e.Apply(snooze); !errors.Is(err, escalation.ErrStale) {
		t.Errorf("a snooze of the round before: %v, want ErrStale", err)
	}
}

func TestMaintenanceHoldsPages(t *testing.T) {
	e := engineOf(t, escalation.Config{Maintenance: []escalation.Maintenance{
		{Interval: calendar.Interval{Start: at("2026-10-05T09:00:00Z"), End: at("2026-10-05T10:00:00Z")}, Services: []string{"shop"}},
		{Interval: calendar.Interval{Start: at("2026-10-05T10:00:00Z"), End: at("2026-10-05T10:30:00Z")}},
	}})
	open := func(id, service, when string) escalation.Event {
		ev := opened(id, incident.P1, "kubernetes", when)
		ev.Service = service
		return ev
	}
	// Opened before: level 1 would be due at 09:05.
	check(t, "before", told(mustApply(t, e, open("B", "shop", "2026-10-05T08:50:00Z"))), []string{"08:50 sarah"})
	// Opened within, and over within: nobody is told.
	check(t, "within", told(mustApply(t, e, open("C", "shop", "2026-10-05T09:10:00Z"))), nil)
	mustApply(t, e, event(escalation.Resolved, "C", "2026-10-05T09:20:00Z"))
	// Another service is not concerned until ten.
	check(t, "mail", told(mustApply(t, e, open("D", "mail", "2026-10-05T09:30:00Z"))), []string{"09:30 sarah"})
	mustApply(t, e, event(escalation.Resolved, "D", "2026-10-05T09:31:00Z"))
	// Opened within and open at the end of both: the first page goes out then.
	mustApply(t, e, open("E", "shop", "2026-10-05T09:40:00Z"))
	if view, _ := e.Incident("E"); view.Log[0].Event != "suppressed" || len(view.Routing.Candidates) > 0 {
		t.Errorf("E: log %v", view.Log)
	}
	// B's three levels were due at 09:05, 09:20 and 09:50: one page at 10:30.
	check(t, "at the end", stepsTo(e, "2026-10-05T10:44:00Z"), []string{"10:30 duty-manager", "10:30 sarah"})
	if view, _ := e.Incident("E"); !view.Next.Equal(at("2026-10-05T10:45:00Z")) {
		t.Errorf("E: next %v, want a quarter of an hour after the first page", view.Next)
	}
}

// Ten thousand alerts of one service make one page.
func TestStorm(t *testing.T) {
	e := engineOf(t, escalation.Config{Bundle: time.Hour})
	var got []string
	open := func(i int, s incident.Severity, when time.Time) {
		got = append(got, told(mustApply(t, e, escalation.Event{
			Kind: escalation.Opened, Incident: fmt.Sprintf("I%05d", i), Severity: s, Domain: "databases", Service: "shop", At: when,
		}))...)
	}
	start := at("2026-10-05T09:00:00Z")
	for i := range 10_000 {
		open(i, incident.P2, start.Add(time.Duration(i)*100*time.Millisecond)) // over 1,000 s
	}
	check(t, "paged", got, []string{"09:00 nina"})
	if view, _ := e.Incident("I00000"); len(view.Bundle) != 9_999 {
		t.Errorf("%d incidents under the first, want 9999", len(view.Bundle))
	}
	// A more severe one is a matter of its own, and leads from now on.
	got = nil
	open(10_000, incident.P1, at("2026-10-05T09:20:00Z"))
	open(10_001, incident.P1, at("2026-10-05T09:21:00Z"))
	check(t, "a P1", got, []string{"09:20 nina"})
	// When the first is over another takes its place, bundled under the P1 now.
	check(t, "resolved", told(mustApply(t, e, event(escalation.Resolved, "I00000", "2026-10-05T09:22:00Z"))), []string{"09:22 (nina)"})
}

func TestBundleIsInherited(t *testing.T) {
	e := engineOf(t, escalation.Config{Bundle: time.Hour})
	for i, when := range []string{"2026-10-05T09:00:00Z", "2026-10-05T09:01:00Z", "2026-10-05T09:02:00Z"} {
		ev := opened(fmt.Sprintf("I%d", i), incident.P2, "databases", when)
		ev.Service = "shop"
		mustApply(t, e, ev)
	}
	check(t, "heir", told(mustApply(t, e, event(escalation.Resolved, "I0", "2026-10-05T09:10:00Z"))), []string{"09:10 (nina)", "09:10 nina"})
	heir, _ := e.Incident("I1")
	if last, _ := e.Incident("I2"); last.Bundled != "I1" || heir.Bundled != "" || !heir.Next.Equal(at("2026-10-05T09:40:00Z")) {
		t.Errorf("I2 under %q, I1 under %q, next %v, want I1, none, 09:40", last.Bundled, heir.Bundled, heir.Next)
	}
	// Raised above its leader an incident goes its own way.
	raise := event(escalation.SeverityChanged, "I2", "2026-10-05T09:12:00Z")
	raise.Severity = incident.P1
	check(t, "raised", told(mustApply(t, e, raise)), []string{"09:12 nina"})
}

func TestPageLimit(t *testing.T) {
	e := engineOf(t, escalation.Config{PageLimit: escalation.PageLimit{Pages: 2, Per: time.Hour}})
	var got []string
	for i, c := range []struct {
		s    incident.Severity
		when string
	}{
		{incident.P2, "2026-10-07T13:00:00Z"},
		{incident.P2, "2026-10-07T13:30:00Z"},
		{incident.P3, "2026-10-07T13:59:59Z"},
		{incident.P1, "2026-10-07T13:59:59Z"},
		{incident.P2, "2026-10-07T14:00:00Z"},
	} {
		id := strconv.Itoa(i)
		got = append(got, told(mustApply(t, e, opened(id, c.s, "databases", c.when)))...) // Nina is absent
		mustApply(t, e, escalation.Event{Kind: escalation.Merged, Incident: id, Into: "X", By: "marcus", At: at(c.when).Add(time.Second)})
	}
	// The third within an hour is a notice; a P1 is not; an hour after the first
	// there is room again.
	check(t, "told", got, []string{"13:00 marcus", "13:30 marcus", "13:59 (marcus)", "13:59 marcus", "14:00 marcus"})
}

// Behind the last resort there is nobody, so he is paged without limit.
func TestLastResortIsNotLimited(t *testing.T) {
	e := engineOf(t, escalation.Config{PageLimit: escalation.PageLimit{Pages: 1, Per: time.Hour}})
	var got []string
	for i, when := range []string{"2026-10-05T03:00:00Z", "2026-10-05T03:01:00Z"} { // nobody works then
		got = append(got, told(mustApply(t, e, opened(strconv.Itoa(i), incident.P2, "kubernetes", when)))...)
	}
	check(t, "told", got, []string{"03:00 duty-manager", "03:01 duty-manager"})
}

func TestResponseTarget(t *testing.T) {
	r := staffed()
	r.Engineers = append(r.Engineers, escalation.Engineer{ID: "boss", Level: escalation.Management, Zone: "Europe/Amsterdam"})
	for _, tighten := range []bool{false, true} {
		e := engineOf(t, escalation.Config{Router: newRouter(t, r), TightenFirst: tighten})
		ev := opened("A", incident.P1, "kubernetes", "2026-10-05T09:00:00Z")
		ev.RespondBy = at("2026-10-05T09:02:00Z")
		mustApply(t, e, ev)
		// Level 1 must not go down from a principal to the senior.
		want := []string{"09:01 (sarah)", "09:02 (sarah)", "09:02 (boss)", "09:15 boss"}
		if tighten {
			want[3] = "09:02 boss"
		}
		check(t, fmt.Sprintf("tighten %v", tighten), stepsTo(e, "2026-10-05T09:20:00Z"), want)
	}
	e := engineOf(t, escalation.Config{Router: newRouter(t, r)})
	ev := opened("A", incident.P1, "kubernetes", "2026-10-05T09:00:00Z")
	ev.RespondBy = at("2026-10-05T09:02:00Z")
	mustApply(t, e, ev)
	mustApply(t, e, event(escalation.Acknowledged, "A", "2026-10-05T09:00:59Z"))
	check(t, "in time", stepsTo(e, "2026-10-05T09:20:00Z"), nil)
	ev.Incident, ev.RespondBy = "B", ev.At
	if _, err := e.Apply(ev); err == nil || !strings.Contains(err.Error(), "respond_by") {
		t.Errorf("Apply with respond_by at the opening = %v", err)
	}
}

// An incident keeps the policy with which it began, also over a restart with
// another one, unless the configuration says that it is to follow.
func TestPolicyIsKept(t *testing.T) {
	config := escalation.Config{Tenant: "acme", Router: newRouter(t, staffed())}
	e := engineOf(t, config)
	mustApply(t, e, opened("A", incident.P1, "kubernetes", "2026-10-05T09:00:00Z"))
	data, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	config.Matrix = same(escalation.Policy{Steps: []escalation.Step{step(40, escalation.Acknowledged, escalation.Target{Engineer: "omar"})}})
	for _, live := range []bool{false, true} {
		config.Live = live
		e, err := escalation.Restore(config, data)
		if err != nil {
			t.Fatal(err)
		}
		mustApply(t, e, event(escalation.Unacknowledged, "A", "2026-10-05T09:01:00Z")) // changes nothing
		lower := event(escalation.SeverityChanged, "A", "2026-10-05T09:02:00Z")
		lower.Severity = incident.P2
		mustApply(t, e, lower)
		want := []string{"09:30 duty-manager"} // P2, level 1; a principal was paged and there is no management
		if live {
			want = []string{"09:40 omar"}
		}
		check(t, fmt.Sprintf("live %v", live), stepsTo(e, "2026-10-05T10:00:00Z"), want)
	}
}

// A live incident has got timers of a policy with more levels than that of its
// beginning.
func TestLivePolicyIsRestored(t *testing.T) {
	short := escalation.Policy{Steps: []escalation.Step{step(10, escalation.Resolved, escalation.Target{Team: "db"})}}
	long := short
	long.Steps = append(slices.Clone(short.Steps), step(20, escalation.Resolved, escalation.Target{Team: "net"}))
	c := escalation.Config{Tenant: "acme", Router: newRouter(t, staffed()), Matrix: same(short), Live: true}
	e := engineOf(t, c)
	mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-05T09:00:00Z"))
	for i, m := range []escalation.Matrix{same(long), same(long), same(short)} {
		data, err := e.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		c.Matrix = m
		if e, err = escalation.Restore(c, data); err != nil {
			t.Fatalf("restore %d: %v", i+1, err)
		}
		if i == 0 {
			mustApply(t, e, event(escalation.Acknowledged, "A", "2026-10-05T09:02:00Z"))
		}
	}
	check(t, "told", stepsTo(e, "2026-10-05T10:00:00Z"), []string{"09:10 marcus", "09:10 nina"})
}

// Live is switched on, so the timers of a longer policy are set, and off again: the
// incident follows the short one with which it began, whatever comes next, an event
// or a timer.
func TestLiveIsSwitchedOff(t *testing.T) {
	short := escalation.Policy{Steps: []escalation.Step{step(10, escalation.Resolved, escalation.Target{Team: "db"})}}
	long := escalation.Policy{Steps: []escalation.Step{
		step(5, escalation.Resolved, escalation.Target{Engineer: "omar"}), step(20, escalation.Resolved, escalation.Target{Team: "net"}),
		step(30, escalation.Resolved, escalation.Target{Team: "net"}),
	}}
	for _, byEvent := range []bool{true, false} {
		c := escalation.Config{Tenant: "acme", Router: newRouter(t, staffed()), Matrix: same(short)}
		e := engineOf(t, c)
		mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-05T09:00:00Z"))
		restore := func(m escalation.Matrix, live bool) {
			data, err := e.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			c.Matrix, c.Live = m, live
			if e, err = escalation.Restore(c, data); err != nil {
				t.Fatalf("restore, live %v: %v", live, err)
			}
		}
		restore(same(long), true)
		mustApply(t, e, event(escalation.Acknowledged, "A", "2026-10-05T09:02:00Z"))
		if next, _ := e.NextWake(); next != at("2026-10-05T09:05:00Z") {
			t.Fatalf("next %s, want that of the live policy", next)
		}
		restore(same(long), false)
		if byEvent {
			mustApply(t, e, event(escalation.Unacknowledged, "A", "2026-10-05T09:03:00Z"))
		}
		check(t, fmt.Sprintf("by event %v, told", byEvent), stepsTo(e, "2026-10-05T10:00:00Z"), []string{"09:10 marcus", "09:10 nina"})
		check(t, "timers", e.Timers(), nil)
	}
}

// Targets are found when the step fires: an override made while a timer waits
// counts.
func TestTargetsAreFoundAtFireTime(t *testing.T) {
	matrix := same(escalation.Policy{Steps: []escalation.Step{step(30, escalation.Acknowledged, escalation.Target{Schedule: "night"})}})
	e := engineOf(t, escalation.Config{Matrix: matrix})
	mustApply(t, e, opened("A", incident.P4, "databases", "2026-10-05T21:00:00Z"))
	data, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	edited := staffed()
	plan := edited.Schedules["night"]
	plan.Overrides = []escalation.Override{{ID: "swap", Start: at("2026-10-05T21:15:00Z"), End: at("2026-10-05T22:00:00Z"), User: "omar", Replaces: "sarah"}}
	edited.Schedules["night"] = plan
	e, err = escalation.Restore(escalation.Config{Tenant: "acme", Router: newRouter(t, edited), Matrix: matrix}, data)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "paged", stepsTo(e, "2026-10-05T22:00:00Z"), []string{"21:30 omar"})
}

func TestPolicyProblems(t *testing.T) {
	bad := nightMatrix()
	p := bad[incident.P1]
	p.Steps = []escalation.Step{
		{Minutes: 5, StopOn: escalation.Acknowledged},
		{Minutes: 5, StopOn: escalation.Acknowledged, Targets: []escalation.Target{
			{Schedule: "day"}, {Team: "web"}, {Centre: "oslo"}, {Engineer: "bob"}, {Engineer: "sarah", Team: "db"}, {}, {Level: escalation.Junior},
		}, Only: &escalation.OnlyIn{Zone: "CST"}},
	}
	p.Repeat, p.Every, p.AckTimeout, p.Repage = 10, 1, -1, -2
	bad[incident.P1] = p
	q := bad[incident.P2]
	q.Every = 20
	bad[incident.P2] = q
	_, err := escalation.NewEngine(escalation.Config{
		Router: newRouter(t, staffed()), Matrix: bad, Policies: map[string]escalation.Matrix{"x": {}},
		Maintenance: []escalation.Maintenance{{}}, Bundle: -1, PageLimit: escalation.PageLimit{Pages: 3},
	})
	if err == nil {
		t.Fatal("NewEngine = nil, want errors")
	}
	for _, want := range []string{
		`matrix[P1].steps[0].targets ""`, `matrix[P1].steps[1].minutes "5": want 6 to`,
		`matrix[P1].steps[1].targets[0].schedule "day": want one of night`, `matrix[P1].steps[1].targets[1].team "web": want one of db, net`,
		`matrix[P1].steps[1].targets[2].centre "oslo": want none`, `matrix[P1].steps[1].targets[3].engineer "bob"`,
		`matrix[P1].steps[1].targets[4] "engineer sarah": want exactly one`, `matrix[P1].steps[1].targets[5] "nobody": want exactly one`,
		`matrix[P1].steps[1].targets[6].level "junior"`, `matrix[P1].steps[1].only_in.timezone "CST"`, `matrix[P1].steps[1].only_in.windows ""`,
		`matrix[P1].repeat "10": want 0 to 9`, `matrix[P1].ack_timeout_minutes "-1"`, `matrix[P1].repage_minutes "-2": want 0 to`, `matrix[P2].repeat_every_minutes "20": want 21 to`,
		`policies["x"][P1] ""`, `maintenance[0].end`, `bundle "-1ns"`, `page_limit "3 in 0s"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("NewEngine does not report %s:\n%v", want, err)
		}
	}
	e := engineOf(t, escalation.Config{})
	ev := opened("A", incident.P1, "databases", "2026-10-05T09:00:00Z")
	ev.Policy = "gone"
	if _, err := e.Apply(ev); err == nil || !strings.Contains(err.Error(), `policy "gone"`) {
		t.Errorf("Apply with an unknown policy = %v", err)
	}
}

// A policy has at most 1,000 levels, whether by steps or by repetition, and as many
// work.
func TestManyLevels(t *testing.T) {
	long := func(steps, repeat int) escalation.Policy {
		p := escalation.Policy{Repeat: repeat}
		for i := range steps {
			p.Steps = append(p.Steps, step(i+1, escalation.Resolved, escalation.Target{Webhook: "siren"}))
		}
		if repeat > 0 {
			p.Every = steps + 1
		}
		return p
	}
	for _, c := range []struct {
		steps, repeat int
		want          string
	}{
		{1000, 0, ""},
		{500, 1, ""},
		{100, 9, ""},
		{1001, 0, `matrix[P2].steps "1001": want at most 1000 levels`},
		{501, 1, `matrix[P2].steps "1002"`},
		{101, 9, `matrix[P2].steps "1010"`},
	} {
		m := escalation.DefaultMatrix()
		m[incident.P2] = long(c.steps, c.repeat)
		err := m.Validate()
		var bad *escalation.ConfigError
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &bad) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%d steps, %d repetitions: %v, want %q", c.steps, c.repeat, err, c.want)
		}
	}
	m := escalation.DefaultMatrix()
	m[incident.P2] = long(100, 9)
	e := engineOf(t, escalation.Config{Matrix: m})
	mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-05T09:00:00Z"))
	if told := stepsTo(e, "2026-10-07T00:00:00Z"); len(told) != 1000 {
		t.Errorf("%d pages, want one per level", len(told))
	}
}

func TestMatrixJSON(t *testing.T) {
	data, err := json.Marshal(everything(t).Matrix)
	if err != nil {
		t.Fatal(err)
	}
	var back escalation.Matrix
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, everything(t).Matrix) {
		t.Errorf("read back\n%s", data)
	}
}

// One day of the night schedule: from Monday 06:00 to Tuesday 06:00 in Amsterdam
// nobody is on call but between 22:00 and the end.
func TestUnreached(t *testing.T) {
	r := newRouter(t, staffed())
	only := step(0, escalation.Acknowledged, escalation.Target{Schedule: "night"})
	got, err := r.Unreached(same(escalation.Policy{Steps: []escalation.Step{only}}), "databases", at("2026-10-06T04:00:00Z"), at("2026-10-07T04:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	want := calendar.Interval{Start: at("2026-10-06T04:00:00Z"), End: at("2026-10-06T20:00:00Z")}
	var of []string
	for _, u := range got {
		if u.Interval != want {
			t.Errorf("%s step %d: %v, want %v", u.Severity, u.Step, u.Interval, want)
		}
		of = append(of, fmt.Sprintf("%s %d", u.Severity, u.Step))
	}
	check(t, "severities and steps", of, []string{"P1 0", "P1 1", "P2 0", "P2 1", "P3 0", "P3 1", "P4 0", "P4 1"})

	// A step that waits until ten in the evening tells somebody in the end, but it does
	// not in a time that ends before.
	only.Wait = true
	for to, wholes := range map[string]int{"2026-10-07T04:00:00Z": 0, "2026-10-06T20:00:00Z": 4} {
		got, err = r.Unreached(same(escalation.Policy{Steps: []escalation.Step{only}}), "databases", at("2026-10-06T04:00:00Z"), at(to))
		n := 0
		for _, u := range got {
			if u.Step == 0 {
				n++
			}
		}
		if err != nil || n != wholes || len(got) != n+4 {
			t.Errorf("waiting until %s: %v, %v, want %d policies and four steps", to, got, err, wholes)
		}
	}
	only.Wait = false

	// Without a skill a level is the ladder to the last resort.
	got, err = r.Unreached(escalation.DefaultMatrix(), "", at("2026-10-06T04:00:00Z"), at("2026-10-07T04:00:00Z"))
	if err != nil || len(got) != 0 {
		t.Errorf("levels alone: %v, %v, want nothing", got, err)
	}

	// With a level beside it the policy as a whole reaches somebody by day: Nina
	// from 08:00 to 18:00 in Amsterdam, Marcus from 07:00 to 19:00 in Austin
	// (12:00Z to 24:00Z), on the 6th; P1 wakes Marcus at any hour.
	both := same(escalation.Policy{Steps: []escalation.Step{only, step(5, escalation.Resolved, escalation.Target{Level: escalation.Senior})}})
	got, err = r.Unreached(both, "databases", at("2026-10-06T04:00:00Z"), at("2026-10-07T04:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	of = nil
	for _, u := range got {
		if u.Step == 0 {
			of = append(of, u.Severity.String()+" "+u.Start.Format("15:04-")+u.End.Format("15:04"))
		}
	}
	check(t, "nobody at all", of, []string{"P2 04:00-06:00", "P3 04:00-06:00", "P4 04:00-06:00"})
	// The line of TestLineAsTarget is a gap for all but P1 from 15:00Z, for P1 until 20:00Z.
	line := same(escalation.Policy{Steps: []escalation.Step{step(0, escalation.Acknowledged, escalation.Target{Line: "service desk"})}})
	got, err = desk(t).Unreached(line, "", at("2026-10-06T12:00:00Z"), at("2026-10-06T22:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	of = nil
	for _, u := range got {
		if u.Step == 0 {
			of = append(of, u.Severity.String()+" "+u.Start.Format("15:04-")+u.End.Format("15:04"))
		}
	}
	check(t, "the line", of, []string{"P1 15:00-20:00", "P2 15:00-22:00", "P3 15:00-22:00", "P4 15:00-22:00"})
	if _, err := r.Unreached(escalation.Matrix{}, "databases", at("2026-10-06T04:00:00Z"), at("2026-10-07T04:00:00Z")); err == nil {
		t.Error("Unreached of an empty matrix = nil, want an error")
	}
}
