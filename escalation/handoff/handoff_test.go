package handoff_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/handoff"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
	"github.com/evenkeelops/evenkeel/incident"
)

// follow is the sample roster with its centres and two managers.
func follow() escalation.Roster {
	roster := escalation.SampleRoster()
	roster.Centres = escalation.SampleCentres()
	roster.Centres[0].Manager, roster.Centres[1].Manager = "mia", "max"
	roster.Engineers = append(roster.Engineers,
		escalation.Engineer{ID: "mia", Level: escalation.Management, Centre: "amsterdam"},
		escalation.Engineer{ID: "max", Level: escalation.Management, Centre: "austin"},
	)
	return roster
}

// evening opens the handoff from Amsterdam to Austin of 14 July 2026: 17:30 to
// 18:00 in Amsterdam, 15:30Z to 16:00Z.
func evening(t *testing.T, roster escalation.Roster) *handoff.Record {
	t.Helper()
	router := fixture.Router(t, roster)
	planned := router.Centres().Handoffs(fixture.At("2026-07-14T15:00:00Z"), fixture.At("2026-07-14T16:00:00Z"))
	if len(planned) != 1 {
		t.Fatalf("planned handoffs: %v, want one", planned)
	}
	h, err := handoff.Open(router, "acme", planned[0], handoff.Situation{At: fixture.At("2026-07-14T15:20:00Z")})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func clock(hhmmss string) time.Time { return fixture.At("2026-07-14T" + hhmmss + "Z") }

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) || (got == nil) != (want == nil) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
	if _, ok := errors.AsType[*handoff.StepError](got); want != nil && !ok {
		t.Errorf("%s = %T, want a *StepError", what, got)
	}
}

// goThrough ticks three items and notes why the fourth is left.
func goThrough(t *testing.T, h *handoff.Record) {
	t.Helper()
	for item := range 3 {
		wantErr(t, "Tick", h.Tick(item, "sarah", clock("15:31:00")), nil)
	}
	wantErr(t, "Note", h.Note(3, "sarah", "dashboards are down", clock("15:32:00")), nil)
}

func TestHandoffInTime(t *testing.T) {
	h := evening(t, follow())
	fixture.Check(t, "sides", []string{h.From, h.To, h.Manager, fmt.Sprint(h.Senders), fmt.Sprint(h.Receivers)}, []string{"amsterdam", "austin", "max", "[mia sarah]", "[marcus max]"})
	if wake, ok := h.NextWake(); !ok || !wake.Equal(clock("16:00:00")) {
		t.Errorf("NextWake() = %s, %t, want the end of the window", wake, ok)
	}
	wantErr(t, "SignOff before the agenda", h.SignOff("sarah", "", clock("15:31:00")), handoff.ErrAgendaOpen)
	if open := h.Open(); len(open) != 4 {
		t.Errorf("Open() = %v, want all four", open)
	}
	wantErr(t, "Accept before the sender", h.Accept("marcus", "", clock("15:31:00")), handoff.ErrNotSignedOff)
	goThrough(t, h)
	wantErr(t, "SignOff too early", h.SignOff("sarah", "", clock("15:29:59")), handoff.ErrEarly)
	wantErr(t, "SignOff of the receiver", h.SignOff("marcus", "", clock("15:35:00")), handoff.ErrWrongSide)
	wantErr(t, "SignOff", h.SignOff("sarah", "all quiet", clock("15:35:00")), nil)
	wantErr(t, "SignOff again", h.SignOff("sarah", "", clock("15:36:00")), nil)
	wantErr(t, "SignOff by another", h.SignOff("mia", "", clock("15:36:00")), handoff.ErrSignedOff)
	wantErr(t, "Tick after the signature", h.Tick(3, "sarah", clock("15:36:00")), handoff.ErrSignedOff)
	wantErr(t, "Refresh after the signature", h.Refresh(handoff.Situation{At: clock("15:36:00")}), handoff.ErrSignedOff)
	wantErr(t, "a question", h.Note(0, "marcus", "which ones?", clock("15:37:00")), nil)

	wantErr(t, "self-acceptance", h.Accept("sarah", "", clock("15:40:00")), handoff.ErrSelfAcceptance)
	wantErr(t, "acceptance by the own side", h.Accept("mia", "", clock("15:40:00")), handoff.ErrSelfAcceptance)
	wantErr(t, "acceptance by a stranger", h.Accept("omar", "", clock("15:40:00")), handoff.ErrWrongSide)
	wantErr(t, "acceptance by nobody", h.Accept("", "", clock("15:40:00")), handoff.ErrUnsigned)
	wantErr(t, "acceptance before the signature", h.Accept("marcus", "", clock("15:34:59")), escalation.ErrStale)
	for _, when := range []string{"15:29:00", "15:59:59"} {
		if got := h.Owner(clock(when)); got != "amsterdam" {
			t.Errorf("owner at %s = %s before acceptance, want amsterdam", when, got)
		}
	}
	wantErr(t, "Accept", h.Accept("marcus", "", clock("15:45:00")), nil)
	wantErr(t, "Accept again", h.Accept("marcus", "", clock("15:50:00")), nil)
	wantErr(t, "Accept by another", h.Accept("max", "", clock("15:50:00")), handoff.ErrAccepted)
	wantErr(t, "Note after the end", h.Note(0, "marcus", "x", clock("15:50:00")), handoff.ErrAccepted)
	for when, want := range map[string]string{"15:44:59": "amsterdam", "15:45:00": "austin", "16:00:00": "austin"} {
		if got := h.Owner(clock(when)); got != want {
			t.Errorf("owner at %s = %s, want %s", when, got, want)
		}
	}
	if actions := h.Step(clock("17:00:00")); actions != nil || h.Overdue(clock("17:00:00")) {
		t.Errorf("Step after acceptance = %v, overdue %t, want nothing", actions, h.Overdue(clock("17:00:00")))
	}
	if _, ok := h.NextWake(); ok {
		t.Error("NextWake() after acceptance, want none")
	}
}

// Nobody accepts: at the end of the window Austin is responsible and its manager is
// told, once.
func TestHandoffOverdue(t *testing.T) {
	h := evening(t, follow())
	if actions := h.Step(clock("15:59:59")); actions != nil || h.Overdue(clock("15:59:59")) {
		t.Errorf("a second before the end: %v, want nothing", actions)
	}
	actions := h.Step(clock("16:00:00"))
	if len(actions) != 1 || actions[0].Kind != escalation.Notice || actions[0].Target != "max" || actions[0].Key != "acme/handoff/amsterdam/austin/2026-07-14T15:30:00Z/overdue/max" {
		t.Errorf("at the end: %+v, want a notice to max", actions)
	}
	fixture.Check(t, "why", actions[0].Why, []string{
		"austin is responsible since 2026-07-14T16:00:00Z, and nobody there has accepted from amsterdam", "amsterdam has not signed off",
	})
	if h.Owner(clock("15:59:59")) != "amsterdam" || h.Owner(clock("16:00:00")) != "austin" || !h.Overdue(clock("16:00:00")) {
		t.Error("want Austin responsible and the handoff overdue from the end of the window on")
	}
	if again := h.Step(clock("16:01:00")); again != nil {
		t.Errorf("Step again = %v, want nothing", again)
	}
	// The sender has gone home: from now on the receiver may accept without him.
	wantErr(t, "late self-acceptance", h.Accept("sarah", "", clock("16:10:00")), handoff.ErrSelfAcceptance)
	wantErr(t, "late acceptance", h.Accept("marcus", "", clock("16:10:00")), nil)
	wantErr(t, "SignOff after it", h.SignOff("sarah", "", clock("16:11:00")), handoff.ErrAccepted)
	if !h.Moves().Equal(clock("16:00:00")) || !h.Overdue(clock("16:20:00")) {
		t.Errorf("moved %s, overdue %t, want the end of the window, overdue still", h.Moves(), h.Overdue(clock("16:20:00")))
	}
}

// An acceptance counts from its instant: at the very end it is in time, and one that
// becomes known after the manager was told is in time as well.
func TestAcceptanceKnownLate(t *testing.T) {
	for _, when := range []string{"16:00:00", "15:50:00"} {
		h := evening(t, follow())
		goThrough(t, h)
		wantErr(t, "SignOff", h.SignOff("sarah", "", clock("15:40:00")), nil)
		if actions := h.Step(clock("16:00:00")); len(actions) != 1 || len(actions[0].Why) != 1 {
			t.Errorf("at the end: %v, want a notice for one reason", actions)
		}
		wantErr(t, "Accept", h.Accept("marcus", "", clock(when)), nil)
		if !h.Moves().Equal(clock(when)) || h.Overdue(clock("17:00:00")) || !h.Told.Equal(clock("16:00:00")) {
			t.Errorf("accepted at %s: moved %s, overdue %t, told %s, want in time, and the notice on record", when, h.Moves(), h.Overdue(clock("17:00:00")), h.Told)
		}
	}
}

// A handoff without a roster: anybody signs, but nobody for both sides.
func TestHandoffOfTwoPeople(t *testing.T) {
	h := &handoff.Record{From: "day", To: "night", Window: fixture.Span("2026-07-14T15:30:00Z", "2026-07-14T16:00:00Z"), Manager: "boss"}
	if err := h.Validate(); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "Tick of no item", h.Tick(0, "ann", clock("15:31:00")), handoff.ErrNoItem)
	wantErr(t, "Refresh", h.Refresh(handoff.Situation{At: clock("15:31:00")}), nil)
	wantErr(t, "SignOff without an instant", h.SignOff("ann", "", time.Time{}), handoff.ErrUnsigned)
	wantErr(t, "SignOff", h.SignOff("ann", "", clock("15:31:00")), nil)
	wantErr(t, "self-acceptance", h.Accept("ann", "", clock("15:32:00")), handoff.ErrSelfAcceptance)
	wantErr(t, "Accept", h.Accept("bob", "", clock("15:32:00")), nil)
	if actions := (&handoff.Record{From: "a/b", To: "c", Window: h.Window, Manager: "m"}).Step(clock("16:00:00")); actions[0].Key != "default/handoff/a%2Fb/c/2026-07-14T15:30:00Z/overdue/m" {
		t.Errorf("key = %s, want its parts escaped", actions[0].Key)
	}
}

func TestWhoIsToldOfAHandoff(t *testing.T) {
	roster := follow()
	roster.Absences = []escalation.Absence{{Engineer: "max", Start: clock("15:59:00"), End: clock("17:00:00")}}
	if h := evening(t, roster); h.Manager != "on-call-manager" {
		t.Errorf("while the manager is absent: %s, want the last resort", h.Manager)
	}
	roster.Centres[0].Handoff.Minutes = 0
	router := fixture.Router(t, roster)
	planned := router.Centres().Handoffs(clock("15:00:00"), clock("16:00:00"))[0]
	_, err := handoff.Open(router, "", planned, handoff.Situation{})
	fixture.Problems(t, "Open", err, []string{`window.end "2026-07-14T15:30:00Z"`})
}

func TestHandoffAsJSON(t *testing.T) {
	h := evening(t, follow())
	e := newEngine(t, follow())
	mustApply(t, e, opened("INC-1", incident.P2, escalation.Kubernetes, "2026-07-14T15:00:00Z"))
	wantErr(t, "Refresh", h.Refresh(handoff.SituationOf(e, clock("15:25:00"), nil)), nil)
	goThrough(t, h)
	wantErr(t, "SignOff", h.SignOff("sarah", "bye", clock("15:40:00")), nil)
	for range 3 {
		text := fixture.JSON(t, h)
		again, err := handoff.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := fixture.JSON(t, again); got != text {
			t.Errorf("round trip:\n%s\nwant:\n%s", got, text)
		}
		h = again
		h.Step(clock("16:00:00"))
		wantErr(t, "Accept", h.Accept("marcus", "", clock("16:05:00")), nil)
	}

	text := fixture.JSON(t, h)
	for _, c := range []struct {
		name   string
		change func(map[string]any)
		want   []string
	}{
		{"no sides", func(m map[string]any) { m["from"], m["to"], m["manager"] = "", "", "" }, []string{`from ""`, `to ""`, `manager ""`}},
		{"same side", func(m map[string]any) { m["to"] = m["from"] }, []string{`to "amsterdam"`}},
		{"self-acceptance", func(m map[string]any) { m["accepted"] = m["sent"] }, []string{`accepted "sarah": want a valid signature: a sender cannot accept`}},
		{"accepted by nobody", func(m map[string]any) { m["accepted"] = map[string]any{"at": "2026-07-14T15:50:00Z", "by": ""} }, []string{`accepted "": want a valid signature: want a person and an instant`}},
		{"signed too early", func(m map[string]any) {
			m["window"] = map[string]any{"start": "2026-07-14T15:55:00Z", "end": "2026-07-14T16:00:00Z"}
		}, []string{`sent "sarah"`}},
		{"told too early", func(m map[string]any) { m["told"] = "2026-07-14T15:59:59Z" }, []string{`told "2026-07-14T15:59:59Z"`}},
		{"agenda", func(m map[string]any) { m["agenda"] = []any{map[string]any{"topic": ""}} }, []string{`agenda[0].topic ""`, `sent "sarah"`}},
	} {
		var m map[string]any
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		c.change(m)
		_, err := handoff.Parse([]byte(fixture.JSON(t, m)))
		fixture.Problems(t, c.name, err, c.want)
	}
	for _, bad := range []string{``, `[]`, `{"form":"a"}`, text + "x"} {
		if _, err := handoff.Parse([]byte(bad)); err == nil {
			t.Errorf("Parse(%.20s) = nil, want an error", bad)
		}
	}
}

// Of three records the one that began last decides; where two begin together, the
// later in the list.
func TestOwner(t *testing.T) {
	record := func(from, to, start, end string) *handoff.Record {
		return &handoff.Record{From: from, To: to, Manager: "m", Window: fixture.Span("2026-07-14T"+start+":00Z", "2026-07-14T"+end+":00Z")}
	}
	list := []*handoff.Record{record("austin", "singapore", "22:30", "23:00"), record("amsterdam", "austin", "15:30", "16:00"), record("singapore", "amsterdam", "09:30", "10:00")}
	wantErr(t, "SignOff", list[1].SignOff("x", "", clock("15:40:00")), nil)
	wantErr(t, "Accept", list[1].Accept("y", "", clock("15:45:00")), nil)
	for when, want := range map[string]string{
		"09:29:59": "", "09:30:00": "singapore", "10:00:00": "amsterdam", "15:44:59": "amsterdam", "15:45:00": "austin", "22:59:59": "austin", "23:00:00": "singapore",
	} {
		if got, ok := handoff.Owner(list, clock(when)); got != want || ok != (want != "") {
			t.Errorf("Owner at %s = %q, %t, want %q", when, got, ok, want)
		}
	}
	list = append(list, record("x", "y", "22:30", "23:30"))
	if got, _ := handoff.Owner(list, clock("23:29:59")); got != "x" {
		t.Errorf("of two that begin together: %s, want x", got)
	}
}

func newEngine(tb testing.TB, roster escalation.Roster) *escalation.Engine {
	tb.Helper()
	engine, err := escalation.NewEngine(escalation.Config{Tenant: "acme", Router: fixture.Router(tb, roster)})
	if err != nil {
		tb.Fatal(err)
	}
	return engine
}

func opened(id string, s incident.Severity, domain, when string) escalation.Event {
	return escalation.Event{Kind: escalation.Opened, Incident: id, Severity: s, Domain: domain, At: fixture.At(when)}
}

func event(kind escalation.EventKind, id, when string) escalation.Event {
	return escalation.Event{Kind: kind, Incident: id, At: fixture.At(when)}
}

func mustApply(t *testing.T, e *escalation.Engine, ev escalation.Event) []escalation.Action {
	t.Helper()
	actions, err := e.Apply(ev)
	if err != nil {
		t.Fatalf("Apply(%s of %s): %v", ev.Kind, ev.Incident, err)
	}
	return actions
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
		Absences: []escalation.Absence{{Engineer: "nina", Start: fixture.At("2026-10-07T00:00:00Z"), End: fixture.At("2026-10-08T00:00:00Z")}},
	}
}

// What is open when the shift ends: the P1 before the P2, both without an answer, and the
// maintenance that is still to come. A resolved incident is not part of it.
func TestSituation(t *testing.T) {
	e := newEngine(t, team())
	mustApply(t, e, opened("B", incident.P2, "databases", "2026-07-14T14:00:00Z"))
	mustApply(t, e, opened("A", incident.P1, "kubernetes", "2026-07-14T15:00:00Z"))
	mustApply(t, e, opened("C", incident.P2, "kubernetes", "2026-07-14T15:00:00Z"))
	mustApply(t, e, opened("D", incident.P3, "networking", "2026-07-14T05:00:00Z"))
	mustApply(t, e, event(escalation.Resolved, "C", "2026-07-14T15:01:00Z"))
	ack := event(escalation.Acknowledged, "D", "2026-07-14T05:10:00Z")
	ack.By = "omar"
	mustApply(t, e, ack)
	e.Step(fixture.At("2026-07-14T14:30:00Z"))
	e.Step(fixture.At("2026-07-14T15:15:00Z"))
	s := handoff.SituationOf(e, fixture.At("2026-07-14T15:20:00Z"), []handoff.PlannedWork{
		{ID: "M2", Start: fixture.At("2026-07-15T00:00:00Z"), End: fixture.At("2026-07-15T01:00:00Z")},
		{ID: "M1", Start: fixture.At("2026-07-14T15:00:00Z"), End: fixture.At("2026-07-14T15:20:01Z")},
		{ID: "M0", Start: fixture.At("2026-07-14T14:00:00Z"), End: fixture.At("2026-07-14T15:20:00Z")},
	})
	var incidents, pages, work []string
	for _, i := range s.Incidents {
		incidents = append(incidents, fmt.Sprint(i.ID, " ", i.Severity, " ", i.By, " ", i.Next.Format("15:04")))
	}
	for _, p := range s.Unanswered {
		pages = append(pages, fmt.Sprint(p.Incident, " L", p.Level, " ", p.To, " ", p.At.Format("15:04")))
	}
	for _, w := range s.Maintenance {
		work = append(work, w.ID)
	}
	// Level 2 of D, at 13:00, has fired; level 3 is due 24 hours after the opening. Level 1 of A must not go below the
	// principal who was paged first, and there is no other.
	fixture.Check(t, "incidents", incidents, []string{"A P1  15:30", "B P2  16:00", "D P3 omar 05:00"})
	fixture.Check(t, "pages", pages, []string{"B L0 marcus 14:00", "B L1 nina 14:30", "A L0 sarah 15:00", "A L1 duty-manager 15:15"})
	fixture.Check(t, "maintenance", work, []string{"M1", "M2"})
}
