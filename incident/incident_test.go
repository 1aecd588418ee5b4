package incident_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// minute returns an instant n minutes after noon.
func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func newIncident(t *testing.T, o incident.Options) *incident.Incident {
	t.Helper()
	inc, err := incident.New("acme", "INC-1", o)
	if err != nil {
		t.Fatal(err)
	}
	return inc
}

// ev builds an event; its key is the kind and the minute.
func ev(kind incident.Kind, at int, d incident.Details) incident.Event {
	return incident.Event{Kind: kind, At: minute(at), Actor: "ann", Key: fmt.Sprint(kind, "-", at), Details: d}
}

func apply(t *testing.T, inc *incident.Incident, events ...incident.Event) {
	t.Helper()
	for _, e := range events {
		if _, err := inc.Apply(e); err != nil {
			t.Fatalf("Apply(%s at %s) = %v", e.Kind, e.At.Format(time.TimeOnly), err)
		}
	}
}

func measure() *incident.Measure {
	return &incident.Measure{ID: "m1", Text: "lock timeout", Owner: "dba", Due: "2026-03-20", Ref: "OPS-7"}
}

// major is the way of a P1 from signal to closing.
func major() []incident.Event {
	return []incident.Event{
		ev(incident.Detect, 0, incident.Details{Title: "checkout is down", Services: []string{"checkout"}, Started: minute(-2), DetectedBy: incident.ByMonitor}),
		ev(incident.Declare, 1, incident.Details{Severity: incident.P1}),
		ev(incident.AssignRole, 2, incident.Details{Role: incident.Lead, Person: "bob"}),
		ev(incident.Acknowledge, 3, incident.Details{}),
		ev(incident.Escalate, 18, incident.Details{Level: 1, Person: "cy"}),
		ev(incident.PostUpdate, 20, incident.Details{Text: "we know the cause"}),
		ev(incident.Mitigate, 30, incident.Details{}),
		ev(incident.Resolve, 40, incident.Details{Text: "index rebuilt"}),
		ev(incident.OpenReview, 100, incident.Details{Person: "eve"}),
		ev(incident.RecordMeasure, 110, incident.Details{Measure: measure()}),
		ev(incident.Close, 120, incident.Details{}),
	}
}

func TestMajorIncident(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	want := []struct {
		status incident.Status
		phase  incident.Phase
	}{
		{incident.Triage, incident.PhaseIncident},
		{incident.Open, incident.PhaseIncident},
		{incident.Open, incident.PhaseIncident},
		{incident.Acknowledged, incident.PhaseRemediation},
		{incident.Acknowledged, incident.PhaseRemediation},
		{incident.Acknowledged, incident.PhaseRemediation},
		{incident.Mitigated, incident.PhaseRemediation},
		{incident.Resolved, incident.PhasePostMortem},
		{incident.InReview, incident.PhasePostMortem},
		{incident.InReview, incident.PhasePostMortem},
		{incident.Closed, incident.NormalOperations},
	}
	for i, e := range major() {
		apply(t, inc, e)
		s := inc.State()
		if s.Status != want[i].status || s.Phase() != want[i].phase {
			t.Errorf("after %s: status %q, phase %q, want %q, %q", e.Kind, s.Status, s.Phase(), want[i].status, want[i].phase)
		}
		phase := incident.NormalOperations
		if !s.Status.Ended() {
			phase = s.Phase()
		}
		if got := incident.ServicePhase("checkout", []incident.State{s}); got != phase {
			t.Errorf("ServicePhase after %s = %q, want %q", e.Kind, got, phase)
		}
	}
	s := inc.State()
	if len(s.Findings) != 0 {
		t.Errorf("Findings = %v, want none", s.Findings)
	}
	wantTimes := incident.Times{
		Started: minute(-2), Detected: minute(0), Created: minute(1), Acknowledged: minute(3),
		Mitigated: minute(30), Resolved: minute(40), Closed: minute(120),
	}
	if s.Times != wantTimes {
		t.Errorf("Times = %+v, want %+v", s.Times, wantTimes)
	}
	if s.Escalations != 1 || len(s.Updates) != 1 || s.Roles[incident.Lead][0] != "bob" || s.Roles[incident.Responder][0] != "ann" {
		t.Errorf("state = %+v", s)
	}
	if len(s.Impact) != 1 || !s.Impact[0].Start.Equal(minute(-2)) || !s.Impact[0].End.Equal(minute(30)) {
		t.Errorf("Impact = %v, want it to end with the mitigation", s.Impact)
	}
}

func TestCloseGate(t *testing.T) {
	resolved := major()[:8]
	tests := []struct {
		name    string
		options incident.Options
		events  []incident.Event
		missing string // part of what the error says is missing; "" for accepted
	}{
		{"nothing", incident.Options{}, nil, "a review with a moderator"},
		{"review without measure", incident.Options{}, []incident.Event{ev(incident.OpenReview, 50, incident.Details{Person: "eve"})}, "owner, due date and reference"},
		{"measure without review", incident.Options{}, []incident.Event{ev(incident.RecordMeasure, 50, incident.Details{Measure: measure()})}, "a review with a moderator"},
		{"measure not anchored", incident.Options{}, []incident.Event{
			ev(incident.OpenReview, 50, incident.Details{Person: "eve"}),
			ev(incident.RecordMeasure, 51, incident.Details{Measure: &incident.Measure{ID: "m1", Owner: "dba", Due: "2026-03-20"}}),
		}, "owner, due date and reference"},
		{"anchored but not done", incident.Options{MeasureDone: true}, []incident.Event{
			ev(incident.OpenReview, 50, incident.Details{Person: "eve"}),
			ev(incident.RecordMeasure, 51, incident.Details{Measure: measure()}),
		}, "a done measure"},
		{"waived", incident.Options{}, []incident.Event{ev(incident.WaiveReview, 50, incident.Details{Text: "same cause as INC-0"})}, ""},
		{"lowered after the resolution", incident.Options{}, []incident.Event{ev(incident.ChangeSeverity, 50, incident.Details{Severity: incident.P4})}, "a review with a moderator"},
		{"not major by option", incident.Options{Review: func(incident.State) bool { return false }}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inc := newIncident(t, tt.options)
			apply(t, inc, resolved...)
			apply(t, inc, tt.events...)
			_, err := inc.Apply(ev(incident.Close, 60, incident.Details{}))
			if tt.missing == "" {
				if err != nil || inc.State().Status != incident.Closed {
					t.Fatalf("Apply(close) = %v, status %q, want closed", err, inc.State().Status)
				}
				return
			}
			var refused *incident.TransitionError
			if !errors.As(err, &refused) {
				t.Fatalf("Apply(close) = %v, want a TransitionError", err)
			}
			if refused.To != incident.Closed || refused.From != inc.State().Status || !strings.Contains(strings.Join(refused.Missing, "; "), tt.missing) {
				t.Errorf("error = %v, want it to miss %q", err, tt.missing)
			}
		})
	}
}

// TestReviewPolicySeesAll: the policy gets the impact and the findings, and nothing
// that it does to its state changes the incident.
func TestReviewPolicySeesAll(t *testing.T) {
	var seen incident.State
	long := func(s incident.State) bool {
		seen = s
		impact, _ := s.Record().Downtime(minute(0))
		needed := impact > 40*time.Minute || slices.ContainsFunc(s.Findings, func(f incident.Finding) bool { return f.Code == incident.ModeratorIsLead })
		s.Services[0], s.Roles[incident.Lead][0], s.Impact[0].End, s.Gaps[0].End = "x", "x", minute(900), minute(900)
		s.Measures[0], s.Waits[0].Start, s.Holds[0].For, s.Updates[0].Text = incident.Measure{}, minute(900), "x", "x"
		s.Flags[0], s.Links[0].Target, s.Approvals[0].Granted = "x", "x", true
		delete(s.Roles, incident.Responder)
		if len(s.Findings) > 0 {
			s.Findings[0].Text = "x"
		}
		return needed
	}
	for name, tt := range map[string]struct {
		resolved  int // minute of the second resolution; the first stretch of impact takes 32 minutes
		moderator string
		missing   string // "" for a closing that needs no review
	}{
		"exactly 40 minutes":  {78, "eve", ""},
		"over 40 minutes":     {79, "eve", "a review with a moderator"},
		"moderator is lead":   {78, "bob", "a review with a moderator"},
		"both, and no review": {79, "bob", "a review with a moderator"},
	} {
		t.Run(name, func(t *testing.T) {
			inc := newIncident(t, incident.Options{Review: long})
			apply(t, inc, major()[:4]...)
			apply(t, inc,
				ev(incident.SetFlag, 4, incident.Details{Flag: incident.DataFlag}),
				ev(incident.AddLink, 4, incident.Details{Relation: incident.AlertRelation, Target: "a-1"}),
				ev(incident.AskApproval, 4, incident.Details{Ref: "r", Text: "restart"}),
				ev(incident.PostUpdate, 4, incident.Details{Text: "looking"}),
				ev(incident.StartWait, 5, incident.Details{}),
				ev(incident.EndWait, 6, incident.Details{}),
				ev(incident.StartWait, 7, incident.Details{Awaiting: incident.AwaitVendor}),
				ev(incident.EndWait, 8, incident.Details{}),
				ev(incident.RecordMeasure, 9, incident.Details{Measure: measure()}),
				ev(incident.AssignRole, 10, incident.Details{Role: incident.Moderator, Person: tt.moderator}),
				ev(incident.Mitigate, 30, incident.Details{}),
				ev(incident.Resolve, 40, incident.Details{Text: "restarted"}),
				ev(incident.Reopen, 70, incident.Details{Text: "down again"}),
				ev(incident.Resolve, tt.resolved, incident.Details{Text: "replaced"}))
			before, head := inc.State(), inc.Head()
			_, err := inc.Apply(ev(incident.Close, 90, incident.Details{}))
			if len(seen.Impact) != 2 || seen.ID != "INC-1" {
				t.Errorf("the policy saw %+v, want two stretches of impact", seen)
			}
			if tt.missing != "" {
				if err == nil || !strings.Contains(err.Error(), tt.missing) || inc.Head() != head || !reflect.DeepEqual(inc.State(), before) {
					t.Errorf("Apply(close) = %v, state %+v, want it to miss %q and nothing changed", err, inc.State(), tt.missing)
				}
				return
			}
			s := inc.State()
			if err != nil || s.Status != incident.Closed {
				t.Fatalf("Apply(close) = %v, status %q, want closed", err, s.Status)
			}
			s.Status, s.Times.Closed, s.Waiver = before.Status, before.Times.Closed, before.Waiver
			if !reflect.DeepEqual(s, before) {
				t.Errorf("state = %+v, want %+v but for the closing", s, before)
			}
		})
	}
}

func TestMinorIncidentIsWaivedAutomatically(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc,
		ev(incident.Declare, 1, incident.Details{Severity: incident.P3, Title: "slow search"}),
		ev(incident.Resolve, 9, incident.Details{Text: "cache warmed", FirstContact: true}))
	if _, err := inc.Apply(ev(incident.OpenReview, 10, incident.Details{Person: "eve"})); err == nil {
		t.Error("Apply(open_review) of a P3 = nil, want an error")
	}
	entries, err := inc.Apply(ev(incident.Close, 10, incident.Details{}))
	if err != nil || len(entries) != 2 || entries[0].Kind != incident.WaiveReview || entries[1].Kind != incident.Close {
		t.Fatalf("Apply(close) = %v, %v, want a waiver and the closing", entries, err)
	}
	s := inc.State()
	if s.Status != incident.Closed || s.Waiver == nil || !s.Waiver.Automatic || !s.FirstContact {
		t.Errorf("state = %+v, want closed with an automatic waiver", s)
	}
	// The event of the waiver is part of the record, so the same comes back.
	again, err := incident.Replay("acme", "INC-1", inc.Timeline().Entries(), incident.Options{})
	if err != nil || !reflect.DeepEqual(again.State(), s) {
		t.Errorf("Replay = %+v, %v, want %+v", again.State(), err, s)
	}
}

// TestEveryTransition tries every kind that moves in every status, against a
// table written from the status list of the lifecycle.
// TestKeyOfTheWaiverIsTaken: no key stands in the timeline twice, and the waiver is
// there all the same.
func TestKeyOfTheWaiverIsTaken(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	closing := ev(incident.Close, 9, incident.Details{})
	note := ev(incident.Note, 1, incident.Details{Text: "x"})
	note.Key = closing.Key + "/waiver"
	apply(t, inc, ev(incident.Declare, 0, incident.Details{Severity: incident.P4, Title: "t"}), note, ev(incident.Resolve, 8, incident.Details{Text: "x"}), closing)
	keys := map[string]bool{}
	for _, e := range inc.Timeline().Entries() {
		if keys[e.Key] {
			t.Errorf("key %q is there twice", e.Key)
		}
		keys[e.Key] = true
	}
	if s := inc.State(); s.Status != incident.Closed || s.Waiver == nil || !s.Waiver.Automatic {
		t.Errorf("status %q, waiver %+v, want it closed by an automatic one", s.Status, s.Waiver)
	}
}

func TestEveryTransition(t *testing.T) {
	waived := ev(incident.WaiveReview, 45, incident.Details{Text: "known cause"})
	reach := map[incident.Status][]incident.Event{
		"":                    nil,
		incident.Triage:       major()[:1],
		incident.Open:         major()[:2],
		incident.Acknowledged: major()[:4],
		incident.Mitigated:    major()[:7],
		incident.Resolved:     append(major()[:8:8], waived),
		incident.InReview:     append(major()[:8:8], waived, major()[8]),
		incident.Closed:       major(),
		incident.Cancelled:    append(major()[:4:4], ev(incident.Cancel, 5, incident.Details{Text: "false alarm"})),
		incident.Merged:       append(major()[:4:4], ev(incident.Merge, 5, incident.Details{Target: "INC-0"})),
	}
	legal := map[incident.Status]map[incident.Kind]incident.Status{
		"":                    {incident.Detect: incident.Triage, incident.Declare: incident.Open},
		incident.Triage:       {incident.Declare: incident.Open, incident.Cancel: incident.Cancelled, incident.Merge: incident.Merged},
		incident.Open:         {incident.Acknowledge: incident.Acknowledged, incident.Resolve: incident.Resolved, incident.Cancel: incident.Cancelled, incident.Merge: incident.Merged},
		incident.Acknowledged: {incident.Mitigate: incident.Mitigated, incident.Resolve: incident.Resolved, incident.Cancel: incident.Cancelled, incident.Merge: incident.Merged},
		incident.Mitigated:    {incident.Relapse: incident.Acknowledged, incident.Resolve: incident.Resolved, incident.Cancel: incident.Cancelled, incident.Merge: incident.Merged},
		incident.Resolved:     {incident.Reopen: incident.Acknowledged, incident.OpenReview: incident.InReview, incident.Close: incident.Closed},
		incident.InReview:     {incident.Reopen: incident.Acknowledged, incident.Close: incident.Closed},
		incident.Closed:       {},
		incident.Cancelled:    {},
		incident.Merged:       {},
	}
	full := incident.Details{Severity: incident.P1, Title: "t", Text: "because", Person: "eve", Target: "INC-9"}
	kinds := []incident.Kind{
		incident.Detect, incident.Declare, incident.Acknowledge, incident.Mitigate, incident.Relapse, incident.Resolve,
		incident.Reopen, incident.OpenReview, incident.Close, incident.Cancel, incident.Merge,
	}
	for from, way := range reach {
		for _, kind := range kinds {
			inc := newIncident(t, incident.Options{})
			apply(t, inc, way...)
			if got := inc.State().Status; got != from {
				t.Fatalf("way to %q ends at %q", from, got)
			}
			before := inc.Head()
			_, err := inc.Apply(ev(kind, 200, full))
			want, ok := legal[from][kind]
			switch {
			case ok && (err != nil || inc.State().Status != want):
				t.Errorf("%s from %q = %q, %v, want %q", kind, from, inc.State().Status, err, want)
			case !ok:
				var refused *incident.TransitionError
				if !errors.As(err, &refused) || refused.From != from || len(refused.Missing) == 0 {
					t.Errorf("%s from %q = %v, want a TransitionError from there", kind, from, err)
				}
				if inc.Head() != before || inc.State().Status != from {
					t.Errorf("%s from %q: refused, but the incident changed", kind, from)
				}
			}

			fact := ev(kind, 200, full)
			fact.Imported = true
			if _, err := inc.Apply(fact); !ok && err != nil {
				t.Errorf("fact %s from %q = %v, want it flagged", kind, from, err)
			}
		}
	}
}

func TestRefusedDetails(t *testing.T) {
	tests := []struct {
		name    string
		after   int // events of major applied before
		event   incident.Event
		missing string
	}{
		{"note before anything", 0, ev(incident.Note, 1, incident.Details{Text: "hm"}), "a detection or declaration"},
		{"declare without severity", 1, ev(incident.Declare, 1, incident.Details{}), "a severity"},
		{"declare without title", 0, ev(incident.Declare, 1, incident.Details{Severity: incident.P2}), "a title"},
		{"resolve without text", 4, ev(incident.Resolve, 9, incident.Details{}), "a resolution text"},
		{"cancel without reason", 4, ev(incident.Cancel, 9, incident.Details{}), "a reason"},
		{"merge into itself", 4, ev(incident.Merge, 9, incident.Details{Target: "INC-1"}), "another incident"},
		{"review without moderator", 8, ev(incident.OpenReview, 50, incident.Details{}), "a moderator"},
		{"waiver before resolution", 4, ev(incident.WaiveReview, 9, incident.Details{Text: "no"}), "status resolved or in_review"},
		{"relapse without a reason", 7, ev(incident.Relapse, 35, incident.Details{}), "a reason"},
		{"unknown role", 4, ev(incident.AssignRole, 9, incident.Details{Role: "king", Person: "ann"}), "a known role"},
		{"release of nobody", 4, ev(incident.ReleaseRole, 9, incident.Details{Role: incident.Scribe, Person: "ann"}), `"ann" in the role "scribe"`},
		{"clear of no flag", 4, ev(incident.ClearFlag, 9, incident.Details{Flag: incident.DataFlag}), `the flag "data"`},
		{"end of no wait", 4, ev(incident.EndWait, 9, incident.Details{}), "an incident that is waiting"},
		{"severity after the end", 11, ev(incident.ChangeSeverity, 200, incident.Details{Severity: incident.P4}), "has not ended"},
		{"reopen of a closed one", 11, ev(incident.Reopen, 200, incident.Details{Text: "again"}), "a new incident with a follow_up link"},
		{"redaction by hand", 4, ev(incident.RedactEntry, 9, incident.Details{}), "a call of Redact"},
		{"command before the last one", 8, ev(incident.Reopen, 35, incident.Details{Text: "again"}), "an instant not before 2026-03-02T12:40:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inc := newIncident(t, incident.Options{})
			apply(t, inc, major()[:tt.after]...)
			_, err := inc.Apply(tt.event)
			var refused *incident.TransitionError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.missing) {
				t.Errorf("Apply = %v, want it to miss %q", err, tt.missing)
			}
		})
	}
}

func TestLeadRequired(t *testing.T) {
	inc := newIncident(t, incident.Options{LeadRequired: true})
	apply(t, inc, major()[:2]...)
	if _, err := inc.Apply(ev(incident.Acknowledge, 3, incident.Details{})); err == nil || !strings.Contains(err.Error(), "a lead") {
		t.Errorf("Apply(acknowledge) = %v, want it to miss a lead", err)
	}
	apply(t, inc, ev(incident.Acknowledge, 3, incident.Details{Role: incident.Lead}))
	if got := inc.State().Roles[incident.Lead]; len(got) != 1 || got[0] != "ann" {
		t.Errorf("lead = %v, want ann", got)
	}
}

func TestBadEvents(t *testing.T) {
	good := ev(incident.Declare, 1, incident.Details{Severity: incident.P1, Title: "t"})
	tests := map[string]func(*incident.Event){
		"key":          func(e *incident.Event) { e.Key = "" },
		"actor":        func(e *incident.Event) { e.Actor = "" },
		"kind":         func(e *incident.Event) { e.Kind = "explode" },
		"at":           func(e *incident.Event) { e.At = time.Time{} },
		"recorded_at":  func(e *incident.Event) { e.RecordedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"started":      func(e *incident.Event) { e.Started = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"detected":     func(e *incident.Event) { e.Detected = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"severity":     func(e *incident.Event) { e.Severity = 9 },
		"measure.id":   func(e *incident.Event) { e.Measure = &incident.Measure{} },
		"measure.due":  func(e *incident.Event) { e.Measure = &incident.Measure{ID: "m", Due: "soon"} },
		"measure.type": func(e *incident.Event) { e.Measure = &incident.Measure{ID: "m", Type: "hope"} },
		"data":         func(e *incident.Event) { e.Data = json.RawMessage("{") },
	}
	for field, spoil := range tests {
		e := good
		spoil(&e)
		_, err := newIncident(t, incident.Options{}).Apply(e)
		var bad *incident.EventError
		if !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: Apply = %v, want an EventError for the field", field, err)
		}
	}
}

// TestStateIsThatOfTheEntries: what the caller does with an event after Apply, or what
// JSON cannot hold, does not make the state differ from that of a replay.
func TestStateIsThatOfTheEntries(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	declared := ev(incident.Declare, 0, incident.Details{Title: "caf\xe9 down", Severity: incident.P3, Services: []string{"checkout"}})
	measured := ev(incident.RecordMeasure, 5, incident.Details{Measure: measure()})
	apply(t, inc, declared, measured)
	declared.Services[0], measured.Measure.Text = "search", "nothing"
	apply(t, inc, ev(incident.Note, 3, incident.Details{Text: "comes late, so all events are folded again"}))
	s := inc.State()
	if s.Title != "caf\ufffd down" || !slices.Equal(s.Services, []string{"checkout"}) || s.Measures[0] != *measure() {
		t.Errorf("state = %q, %v, %+v, want what was reported", s.Title, s.Services, s.Measures)
	}
	tenant, id := inc.Timeline().Of()
	again, err := incident.Replay(tenant, id, inc.Timeline().Entries(), incident.Options{})
	if err != nil || !reflect.DeepEqual(again.State(), s) {
		t.Errorf("Replay = %+v, %v, want %+v", again.State(), err, s)
	}
}

func TestRepeatedEvents(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc, major()[:4]...)
	head := inc.Head()
	for _, e := range major()[:4] {
		e.At = e.At.Add(time.Second) // a retry with a new clock reading
		if entries, err := inc.Apply(e); err != nil || entries != nil {
			t.Errorf("Apply(%s again) = %v, %v, want nothing", e.Kind, entries, err)
		}
	}
	if inc.Head() != head {
		t.Error("repeated events changed the timeline")
	}
	e := ev(incident.Resolve, 9, incident.Details{Text: "x"})
	e.Key = major()[0].Key
	if _, err := inc.Apply(e); !errors.Is(err, incident.ErrKeyReused) {
		t.Errorf("Apply with the key of another kind = %v, want ErrKeyReused", err)
	}
}

func TestConcurrentAcknowledgement(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc, major()[:2]...)
	seen := inc.Head().Seq
	first, second := ev(incident.Acknowledge, 3, incident.Details{}), ev(incident.Acknowledge, 3, incident.Details{})
	second.Key, second.Actor = "other", "bob"
	if _, err := inc.ApplyAfter(seen, first); err != nil {
		t.Fatal(err)
	}
	if _, err := inc.ApplyAfter(seen, second); !errors.Is(err, incident.ErrConflict) {
		t.Errorf("second ApplyAfter = %v, want ErrConflict", err)
	}
}

// TestReopen drives one incident through two rounds, the second from within the
// review.
func TestReopen(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc, major()[:8]...)
	apply(t, inc,
		ev(incident.WaiveReview, 50, incident.Details{Text: "known"}),
		ev(incident.Reopen, 60, incident.Details{Text: "down again"}),
		ev(incident.Resolve, 70, incident.Details{Text: "restarted"}),
		ev(incident.OpenReview, 80, incident.Details{Person: "eve"}),
		ev(incident.Reopen, 90, incident.Details{Text: "and again"}))
	s := inc.State()
	if s.Status != incident.Acknowledged || s.Reopens != 2 || !s.Times.Resolved.IsZero() || s.Waiver != nil {
		t.Errorf("state = %+v, want acknowledged, reopened twice, neither resolved nor waived", s)
	}
	if got := s.Times.Acknowledged; !got.Equal(minute(3)) {
		t.Errorf("Acknowledged = %v, want the first one", got)
	}
	apply(t, inc, ev(incident.Resolve, 100, incident.Details{Text: "replaced"}))
	impact, elapsed := inc.State().Record().Downtime(minute(200))
	if want := (32 + 10 + 10) * time.Minute; impact != want || elapsed != 102*time.Minute {
		t.Errorf("Downtime = %v, %v, want %v, 1h42m: the first stretch ended with the mitigation", impact, elapsed, want)
	}
	// Time to restore leaves out the stretches between resolution and reopening.
	if l, ok := inc.State().Record().Lapse(incident.TimeToRestore); !ok || l.Duration != 62*time.Minute || l.Raw != 102*time.Minute {
		t.Errorf("Lapse = %+v, %v, want 1h2m of 1h42m", l, ok)
	}
}

// TestImpactEndsWithMitigation works out what customers felt and how long the work
// took, from the same three hours: it began at 0, was detected at 2 and taken at 5.
func TestImpactEndsWithMitigation(t *testing.T) {
	mitigate := func(at int) incident.Event { return ev(incident.Mitigate, at, incident.Details{}) }
	relapse := func(at int) incident.Event { return ev(incident.Relapse, at, incident.Details{Text: "errors again"}) }
	resolve := func(at int) incident.Event { return ev(incident.Resolve, at, incident.Details{Text: "disk replaced"}) }
	reopen := func(at int) incident.Event { return ev(incident.Reopen, at, incident.Details{Text: "down again"}) }
	hold := func(from, to int, whom incident.Awaited) []incident.Event {
		return []incident.Event{ev(incident.StartWait, from, incident.Details{Awaiting: whom}), ev(incident.EndWait, to, incident.Details{})}
	}
	const none = -1
	for _, tt := range []struct {
		name            string
		events          []incident.Event
		impact, elapsed int // minutes
		mttr            int // minutes from 2, none if it is not resolved
		failures        int
		reopens         int
	}{
		{"resolved at once", []incident.Event{resolve(100)}, 100, 100, 98, 1, 0},
		{"mitigated, resolved", []incident.Event{mitigate(30), resolve(100)}, 30, 30, 98, 1, 0},
		{"mitigated, worse, resolved", []incident.Event{mitigate(30), relapse(50), resolve(100)}, 30 + 50, 100, 98, 2, 0},
		{"mitigated twice, resolved", []incident.Event{mitigate(30), relapse(50), mitigate(70), resolve(100)}, 30 + 20, 70, 98, 2, 0},
		{"resolved, reopened, resolved", []incident.Event{resolve(60), reopen(80), resolve(100)}, 60 + 20, 100, 98 - 20, 2, 1},
		{"mitigated, resolved, reopened, resolved", []incident.Event{mitigate(30), resolve(60), reopen(80), resolve(100)}, 30 + 20, 100, 98 - 20, 2, 1},
		{"mitigated in both rounds", []incident.Event{mitigate(30), resolve(60), reopen(80), mitigate(90), resolve(100)}, 30 + 10, 90, 98 - 20, 2, 1},
		{"on hold for a vendor", append(hold(40, 90, incident.AwaitVendor), resolve(100)), 100, 100, 98, 1, 0},
		{"mitigated, on hold for a vendor", slices.Concat([]incident.Event{mitigate(30)}, hold(40, 90, incident.AwaitVendor), []incident.Event{resolve(100)}), 30, 30, 98, 1, 0},
		{"on hold for the customer", append(hold(40, 90, incident.AwaitCustomer), resolve(100)), 100, 100, 98 - 50, 1, 0},
		{"mitigated, on hold for the customer", slices.Concat([]incident.Event{mitigate(30)}, hold(40, 90, incident.AwaitCustomer), []incident.Event{resolve(100)}), 30, 30, 98 - 50, 1, 0},
		{
			"all of it", slices.Concat([]incident.Event{mitigate(30)}, hold(35, 45, incident.AwaitCustomer), []incident.Event{relapse(50), resolve(60), reopen(80)},
				hold(82, 92, incident.AwaitChange), []incident.Event{resolve(100)}), 30 + 10 + 20, 100, 98 - 10 - 20, 3, 1,
		},
		{"still mitigated", []incident.Event{mitigate(30)}, 30, 30, none, 1, 0},
		{"still worse", []incident.Event{mitigate(30), relapse(50)}, 30 + 130, 180, none, 2, 0},
		{"mitigated, merged", []incident.Event{mitigate(30), ev(incident.Merge, 100, incident.Details{Target: "INC-0"})}, 30, 30, none, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inc := newIncident(t, incident.Options{})
			apply(t, inc,
				ev(incident.Detect, 2, incident.Details{Title: "down", Services: []string{"checkout"}, Started: minute(0)}),
				ev(incident.Declare, 3, incident.Details{Severity: incident.P2}),
				ev(incident.Acknowledge, 5, incident.Details{}))
			apply(t, inc, tt.events...)
			r := inc.State().Record()
			impact, elapsed := r.Downtime(minute(180))
			if impact != time.Duration(tt.impact)*time.Minute || elapsed != time.Duration(tt.elapsed)*time.Minute {
				t.Errorf("Downtime = %v, %v, want %d, %d minutes", impact, elapsed, tt.impact, tt.elapsed)
			}
			l, ok := r.Lapse(incident.MTTR)
			if ok != (tt.mttr != none) || ok && l.Duration != time.Duration(tt.mttr)*time.Minute {
				t.Errorf("MTTR = %v, %v, want %d minutes", l.Duration, ok, tt.mttr)
			}
			up, err := incident.Uptimes([]incident.Record{r}, []string{"checkout"}, calendar.Interval{Start: noon, End: minute(180)}, minute(180), nil, incident.MaintenanceIsUp)
			if err != nil || up[0].Down != impact || up[0].Failures != tt.failures || r.Reopens != tt.reopens || len(r.Gaps) != tt.reopens {
				t.Errorf("down %v, %d failures, %d reopens, gaps %v, %v, want %d minutes, %d, %d and as many gaps", up[0].Down, up[0].Failures, r.Reopens, r.Gaps, err, tt.impact, tt.failures, tt.reopens)
			}
			if f := inc.State().Findings; len(f) != 0 {
				t.Errorf("Findings = %v, want none", f)
			}
		})
	}
}

func TestFacts(t *testing.T) {
	fact := func(kind incident.Kind, at int, d incident.Details) incident.Event {
		e := ev(kind, at, d)
		e.Imported = true
		return e
	}
	declared := fact(incident.Declare, 5, incident.Details{Severity: incident.P2, Title: "t"})
	tests := []struct {
		name   string
		events []incident.Event
		status incident.Status
		code   incident.FindingCode // "" for none
	}{
		{"acknowledged before it was created", []incident.Event{fact(incident.Acknowledge, 4, incident.Details{}), declared}, incident.Acknowledged, incident.OutOfOrder},
		{"never created", []incident.Event{fact(incident.Acknowledge, 4, incident.Details{})}, incident.Acknowledged, incident.NotDeclared},
		{"resolved without acknowledgement", []incident.Event{declared, fact(incident.Resolve, 9, incident.Details{})}, incident.Resolved, ""},
		{"closed without review", []incident.Event{declared, fact(incident.Resolve, 9, incident.Details{}), fact(incident.Close, 10, incident.Details{})}, incident.Resolved, incident.IllegalFact},
		{"mitigated before anybody took it", []incident.Event{declared, fact(incident.Mitigate, 9, incident.Details{})}, incident.Open, incident.IllegalFact},
		{"late acknowledgement", []incident.Event{declared, fact(incident.Resolve, 9, incident.Details{}), fact(incident.Acknowledge, 10, incident.Details{})}, incident.Resolved, incident.OutOfOrder},
		{"review without a moderator", []incident.Event{declared, fact(incident.Resolve, 9, incident.Details{}), fact(incident.OpenReview, 10, incident.Details{})}, incident.Resolved, incident.IllegalFact},
		{"waived without a reason", []incident.Event{declared, fact(incident.Resolve, 9, incident.Details{}), fact(incident.WaiveReview, 10, incident.Details{})}, incident.Resolved, incident.IllegalFact},
		{"resolved twice", []incident.Event{declared, fact(incident.Resolve, 9, incident.Details{}), fact(incident.Resolve, 11, incident.Details{})}, incident.Resolved, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inc := newIncident(t, incident.Options{})
			apply(t, inc, tt.events...)
			s := inc.State()
			var codes []incident.FindingCode
			for _, f := range s.Findings {
				codes = append(codes, f.Code)
			}
			if s.Status != tt.status || tt.code == "" && len(codes) > 0 || tt.code != "" && (len(codes) != 1 || codes[0] != tt.code) {
				t.Errorf("status %q, findings %v, want %q, %q", s.Status, s.Findings, tt.status, tt.code)
			}
			if got := s.Times.Acknowledged; tt.name == "resolved without acknowledgement" && !got.IsZero() {
				t.Errorf("Acknowledged = %v, want it to stay missing", got)
			}
		})
	}
}

func TestModeratorIsLead(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc, major()[:8]...)
	apply(t, inc, ev(incident.OpenReview, 50, incident.Details{Person: "bob"}))
	f := inc.State().Findings
	if len(f) != 1 || f[0].Code != incident.ModeratorIsLead {
		t.Errorf("Findings = %v, want a warning about the moderator", f)
	}
}

func TestCorrectTimes(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc, major()...)
	var bad *incident.EventError
	if _, err := inc.Apply(ev(incident.CorrectTimes, 499, incident.Details{Started: minute(-30), Corrects: 12})); !errors.As(err, &bad) || bad.Field != "corrects" {
		t.Errorf("Apply of a correction of entry 12 of 11 = %v, want an EventError for it", err)
	}
	apply(t, inc, ev(incident.CorrectTimes, 500, incident.Details{Started: minute(-30), Corrects: 1}))
	s := inc.State()
	if !s.Times.Started.Equal(minute(-30)) || !s.Impact[0].Start.Equal(minute(-30)) || len(s.Findings) != 0 {
		t.Errorf("Times %+v, Impact %v, Findings %v, want the start at 11:30", s.Times, s.Impact, s.Findings)
	}
}

// TestOrderOfArrival is the law that the state does not depend on the order in
// which facts arrive, nor on repetitions.
func TestOrderOfArrival(t *testing.T) {
	closed := append(major(),
		ev(incident.SetFlag, 25, incident.Details{Flag: incident.DataFlag}),
		ev(incident.StartWait, 31, incident.Details{}),
		ev(incident.EndWait, 35, incident.Details{}),
		ev(incident.ChangeSeverity, 15, incident.Details{Severity: incident.P2}),
		ev(incident.CorrectTimes, 130, incident.Details{Started: minute(-7)}),
		ev(incident.Acknowledge, 12, incident.Details{Person: "dee"}),
		ev(incident.Resolve, 39, incident.Details{Text: "same thing, from the ticket"}))
	minor := []incident.Event{
		ev(incident.Declare, 1, incident.Details{Severity: incident.P4, Title: "typo"}),
		ev(incident.Acknowledge, 0, incident.Details{}), // clock skew
		ev(incident.Resolve, 9, incident.Details{Text: "fixed"}),
		ev(incident.Close, 9, incident.Details{}),
	}
	for name, facts := range map[string][]incident.Event{"major": closed, "minor": minor} {
		t.Run(name, func(t *testing.T) {
			for i := range facts {
				facts[i].Imported = true
			}
			var want incident.State
			r := rand.New(rand.NewPCG(1, 2))
			for round := range 200 {
				inc := newIncident(t, incident.Options{})
				apply(t, inc, facts...)
				apply(t, inc, facts[r.IntN(len(facts))])
				got := inc.State()
				if round == 0 {
					want = got
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("round %d: state = %+v, want %+v", round, got, want)
				}
				again, err := incident.Replay("acme", "INC-1", inc.Timeline().Entries(), incident.Options{})
				if err != nil || !reflect.DeepEqual(again.State(), want) {
					t.Fatalf("round %d: Replay = %+v, %v", round, again.State(), err)
				}
				r.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
			}
			if want.Status != incident.Closed {
				t.Errorf("status = %q, want closed", want.Status)
			}
			if name == "major" && (want.Times.Resolved != minute(39) || len(want.Roles[incident.Responder]) != 2) {
				t.Errorf("state = %+v", want)
			}
		})
	}
}

// TestSnapshot cuts the way of an incident at every event: the snapshot, through
// JSON, and the rest give the same state and the same head.
func TestSnapshot(t *testing.T) {
	whole := newIncident(t, incident.Options{})
	apply(t, whole, major()...)
	for cut := range len(major()) + 1 {
		inc := newIncident(t, incident.Options{})
		apply(t, inc, major()[:cut]...)
		data, err := json.Marshal(inc.Snapshot())
		if err != nil {
			t.Fatal(err)
		}
		var snapshot incident.Snapshot
		if err := json.Unmarshal(data, &snapshot); err != nil {
			t.Fatal(err)
		}
		again, err := incident.Restore(snapshot, incident.Options{})
		if err != nil {
			t.Fatalf("cut %d: Restore = %v", cut, err)
		}
		apply(t, again, major()...) // what is known already changes nothing
		if again.Head() != whole.Head() || !reflect.DeepEqual(again.State(), whole.State()) {
			t.Errorf("cut %d: another state or head", cut)
		}
		data2, err := json.Marshal(again.State())
		if err != nil {
			t.Fatal(err)
		}
		var state incident.State
		if err := json.Unmarshal(data2, &state); err != nil || !reflect.DeepEqual(state, whole.State()) {
			t.Errorf("cut %d: state through JSON = %+v, %v", cut, state, err)
		}
	}
}

func TestUnknownKindIsKept(t *testing.T) {
	timeline := incident.NewTimeline("acme", "INC-1")
	for i, kind := range []incident.Kind{incident.Detect, "levitate"} {
		_, err := timeline.Append(uint64(i), incident.Entry{Kind: kind, Key: string(kind), Actor: "x", At: noon, RecordedAt: noon, Payload: `{"height":3}`})
		if err != nil {
			t.Fatal(err)
		}
	}
	inc, err := incident.Replay("acme", "INC-1", timeline.Entries(), incident.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if f := inc.State().Findings; len(f) != 1 || f[0].Code != incident.UnknownKind {
		t.Errorf("Findings = %v, want the unknown kind", f)
	}
	if got := inc.Timeline().Entries()[1].Payload; got != `{"height":3}` {
		t.Errorf("payload = %s, want it kept", got)
	}
}

func TestStateIsACopy(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc, major()...)
	before, err := json.Marshal(inc.State())
	if err != nil {
		t.Fatal(err)
	}
	s := inc.State()
	s.Services[0], s.Roles[incident.Lead][0], s.Measures[0].Ref = "x", "x", ""
	s.Impact[0].End = noon
	after, err := json.Marshal(inc.State())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Errorf("state changed through a copy:\n%s\n%s", before, after)
	}
}

func TestLinksAddServices(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc, major()[:2]...)
	link := incident.Details{Relation: incident.AlertRelation, Target: "a-1", Services: []string{"billing", "checkout"}}
	again := ev(incident.AddLink, 3, link)
	again.Key = "twice"
	apply(t, inc, ev(incident.AddLink, 2, link), again)
	if s := inc.State(); len(s.Links) != 1 || len(s.Services) != 2 || s.Services[0] != "billing" {
		t.Errorf("links %v, services %v, want one link and both services", s.Links, s.Services)
	}
}

func TestCheckMerge(t *testing.T) {
	into := map[string]string{"b": "c", "c": "d", "x": "y", "y": "x"}
	target := func(id string) string { return into[id] }
	for _, tt := range []struct {
		child, parent string
		cycle         bool
	}{{"a", "b", false}, {"d", "b", true}, {"c", "b", true}, {"a", "a", true}, {"a", "x", false}} {
		err := incident.CheckMerge(tt.child, tt.parent, target)
		var cycle *incident.MergeError
		if errors.As(err, &cycle) != tt.cycle {
			t.Errorf("CheckMerge(%q, %q) = %v, want a cycle: %v", tt.child, tt.parent, err, tt.cycle)
		}
	}
}

func TestDiagrams(t *testing.T) {
	for name, text := range map[string]string{"phases": incident.Diagram(), "statuses": incident.DetailedDiagram()} {
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if lines[0] != "stateDiagram-v2" {
			t.Errorf("%s: first line %q", name, lines[0])
		}
		reached, left := map[string]bool{}, map[string]bool{}
		for _, line := range lines[1:] {
			arrow, _, _ := strings.Cut(line, ": ")
			from, to, ok := strings.Cut(strings.TrimPrefix(arrow, "  "), " --> ")
			if !ok || !strings.HasPrefix(line, "  ") || strings.ContainsAny(from+to, " :") {
				t.Errorf("%s: line %q is no transition", name, line)
			}
			reached[to], left[from] = true, true
		}
		for state := range left {
			if !reached[state] && state != "[*]" {
				t.Errorf("%s: %s is never reached", name, state)
			}
		}
		for state := range reached {
			if !left[state] && state != "[*]" {
				t.Errorf("%s: %s is never left", name, state)
			}
		}
	}
	var guide struct {
		Lifecycle struct{ Transitions [][3]string }
	}
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "incident", "targets.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &guide); err != nil {
		t.Fatal(err)
	}
	for _, row := range guide.Lifecycle.Transitions {
		if line := fmt.Sprintf("\n  %s --> %s: %s\n", row[0], row[1], row[2]); !strings.Contains(incident.Diagram(), line) {
			t.Errorf("Diagram has no line %q", line)
		}
	}
	if got := strings.Count(incident.Diagram(), "\n"); got != 2+len(guide.Lifecycle.Transitions) || got == 2 {
		t.Errorf("Diagram has %d lines, want one for each of %d transitions, and two", got, len(guide.Lifecycle.Transitions))
	}
}

func TestDetailedDiagramHasEveryStep(t *testing.T) {
	if got := strings.Count(incident.DetailedDiagram(), "\n"); got != 1+22+3 {
		t.Errorf("DetailedDiagram has %d lines, want 26", got)
	}
}
