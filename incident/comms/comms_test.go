package comms_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/internal/times"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// start is a Monday, 12:00 in Amsterdam.
var start = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

func after(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

// The two people of the operations guide, with reserved addresses.
func sarah() comms.Stakeholder {
	return comms.Stakeholder{
		Service: "user_api", Name: "Sarah Chen", Role: comms.TechnicalContact,
		Contact:                map[string]string{"email": "sarah@example.com", "phone": "+15550100"},
		Preferences:            comms.Preferences{Immediate: true, Updates: true},
		EscalationDelayMinutes: 30,
	}
}

func mike() comms.Stakeholder {
	return comms.Stakeholder{
		Service: "user_api", Name: "Mike Johnson", Role: comms.BusinessOwner,
		Contact:                map[string]string{"email": "mike@example.com"},
		Preferences:            comms.Preferences{Immediate: true},
		EscalationDelayMinutes: 60, BusinessHoursOnly: true,
	}
}

func newPlan(tb testing.TB, c comms.Config) *comms.Plan {
	tb.Helper()
	p, err := comms.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// state is an open incident on user_api.
func state(s incident.Severity) incident.State {
	return incident.State{
		Tenant: "acme", ID: "INC-2024-001", Status: incident.Open, Severity: s, Title: "user authentication is down",
		Services: []string{"user_api"}, Times: incident.Times{Started: start, Created: start},
		Roles: map[incident.Role][]string{incident.Lead: {"lea"}},
	}
}

func withNews(s incident.State, texts ...string) incident.State {
	for i, text := range texts {
		s.Updates = append(s.Updates, incident.Update{Key: fmt.Sprint("u", i), Text: text})
	}
	return s
}

func resolved(s incident.State) incident.State {
	s.Status, s.Resolution = incident.Resolved, "restarted"
	return s
}

func apply(tb testing.TB, thread *comms.Thread, s incident.State, at time.Time) []comms.Message {
	tb.Helper()
	if err := thread.Apply(s, at); err != nil {
		tb.Fatal(err)
	}
	return thread.Step(at)
}

// told lists messages as "type recipient channel".
func told(messages []comms.Message) []string {
	var out []string
	for _, m := range messages {
		out = append(out, fmt.Sprint(m.Type, " ", m.Recipient, " ", m.Channel))
	}
	return out
}

func want(tb testing.TB, what string, got []comms.Message, list ...string) {
	tb.Helper()
	if g := told(got); !slices.Equal(g, list) {
		tb.Errorf("%s: sent %q, want %q", what, g, list)
	}
}

// TestSampleRun is the worked example of the operations guide; who gets what on
// which channel is ours, because its program reports channels without addresses.
func TestSampleRun(t *testing.T) {
	for _, night := range []time.Duration{0, 14 * time.Hour} { // Mike's hours do not matter for a P1
		plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{sarah(), mike()}, Rooms: []comms.Room{{Channel: comms.Slack, Address: "#ops"}}})
		thread, at := plan.Open("acme", "INC-2024-001"), start.Add(night)
		got := apply(t, thread, state(incident.P1), at)
		want(t, "initial", got,
			"initial :slack:#ops slack", "initial Mike Johnson email", "initial Sarah Chen email", "initial Sarah Chen sms")
		if got[1].Subject != "[P1 CRITICAL] user_api - INC-2024-001" {
			t.Errorf("subject = %q", got[1].Subject)
		}
		if due, ok := thread.NextUpdateDue(); !ok || !due.Equal(at.Add(15*time.Minute)) {
			t.Errorf("NextUpdateDue = %v %v, want 15 minutes later", due, ok)
		}
		want(t, "update", apply(t, thread, withNews(state(incident.P1), "found it"), at.Add(10*time.Minute)),
			"update :slack:#ops slack", "update Sarah Chen email", "update Sarah Chen sms")
		want(t, "resolution", apply(t, thread, resolved(withNews(state(incident.P1), "found it")), at.Add(20*time.Minute)),
			"resolution :slack:#ops slack", "resolution Mike Johnson email", "resolution Sarah Chen email", "resolution Sarah Chen sms")
		if _, ok := thread.NextWake(); ok {
			t.Error("NextWake after the resolution: something is left")
		}
	}
}

func TestSharedData(t *testing.T) {
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "incident", "communication.json"))
	if err != nil {
		t.Fatal(err)
	}
	var in struct {
		Matrix    map[incident.Severity][]comms.Role `json:"notification_matrix"`
		Intervals map[incident.Severity]int          `json:"update_interval_minutes"`
		Fields    map[comms.Type][]string            `json:"template_fields"`
		Templates []comms.Template                   `json:"default_templates"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		t.Fatal(err)
	}
	if got := comms.DefaultMatrix(); !reflect.DeepEqual(got, in.Matrix) {
		t.Errorf("DefaultMatrix = %v, want %v", got, in.Matrix)
	}
	for s, d := range comms.DefaultCadence() {
		if int(d/time.Minute) != in.Intervals[s] {
			t.Errorf("cadence of %v = %v, want %d minutes", s, d, in.Intervals[s])
		}
	}
	for kind, fields := range in.Fields {
		for _, f := range fields {
			if known := comms.Placeholders(kind); known != nil && !slices.Contains(known, f) {
				t.Errorf("placeholder %s of %s is not known", f, kind)
			}
		}
	}
	if len(in.Templates) != 12 || len(comms.DefaultTemplates()) != 12 {
		t.Errorf("%d and %d templates, want 12", len(in.Templates), len(comms.DefaultTemplates()))
	}
	for i, own := range comms.DefaultTemplates() {
		other := in.Templates[i]
		if own.Subject != other.Subject || own.Severity != other.Severity || own.Type != other.Type || !slices.Equal(own.Channels, other.Channels) {
			t.Errorf("template %d: %+v, want %+v", i, own, other)
		}
	}
	newPlan(t, comms.Config{Templates: in.Templates}) // they load, too
}

// TestSharedSample is the sample run of the shared data with its people and texts, at
// noon and at night.
func TestSharedSample(t *testing.T) {
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "incident", "communication.json"))
	if err != nil {
		t.Fatal(err)
	}
	var in struct {
		Stakeholders []struct {
			comms.Stakeholder
			Service string `json:"service"`
		} `json:"sample_stakeholders"`
		Templates []comms.Template `json:"default_templates"`
		Run       struct {
			ID      string                     `json:"incident_id"`
			Service string                     `json:"service_name"`
			P       incident.Severity          `json:"severity"`
			Title   string                     `json:"description"`
			Subject string                     `json:"subject"`
			Sent    map[string][]comms.Channel `json:"sent_per_stakeholder_ours"`
			Next    int                        `json:"next_update_due_minutes"`
			Updates []string                   `json:"update_goes_to"`
		} `json:"sample_run"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		t.Fatal(err)
	}
	c := comms.Config{Templates: in.Templates, OwnTemplates: true}
	for _, p := range in.Stakeholders {
		p.Stakeholder.Service = p.Service
		c.Stakeholders = append(c.Stakeholders, p.Stakeholder)
	}
	sent := func(messages []comms.Message) map[string][]comms.Channel {
		out := map[string][]comms.Channel{}
		for _, m := range messages {
			out[m.Recipient] = append(out[m.Recipient], m.Channel)
		}
		return out
	}
	for _, at := range []time.Time{start, start.Add(14 * time.Hour)} {
		thread := newPlan(t, c).Open("acme", in.Run.ID)
		s := incident.State{Tenant: "acme", ID: in.Run.ID, Status: incident.Open, Severity: in.Run.P, Title: in.Run.Title, Services: []string{in.Run.Service}, Times: incident.Times{Created: at}}
		got := apply(t, thread, s, at)
		if !reflect.DeepEqual(sent(got), in.Run.Sent) || got[0].Subject != in.Run.Subject {
			t.Errorf("initial: %q %q, want %q %q", got[0].Subject, told(got), in.Run.Subject, in.Run.Sent)
		}
		if due, ok := thread.NextUpdateDue(); !ok || due.Sub(at) != time.Duration(in.Run.Next)*time.Minute {
			t.Errorf("next update due %v, want after %d minutes", due, in.Run.Next)
		}
		got = apply(t, thread, withNews(s, "found"), at.Add(time.Minute))
		if who := slices.Sorted(maps.Keys(sent(got))); !slices.Equal(who, in.Run.Updates) {
			t.Errorf("update goes to %q, want %q", who, in.Run.Updates)
		}
		got = apply(t, thread, resolved(withNews(s, "found")), at.Add(2*time.Minute))
		if !reflect.DeepEqual(sent(got), in.Run.Sent) {
			t.Errorf("resolution: %q, want %q", told(got), in.Run.Sent)
		}
	}
}

func TestRoles(t *testing.T) {
	plan := newPlan(t, comms.Config{})
	for _, tt := range []struct {
		severity incident.Severity
		flags    []incident.Flag
		want     int
	}{
		{incident.P1, nil, 4},
		{incident.P1, []incident.Flag{incident.SecurityFlag}, 5},
		{incident.P1, []incident.Flag{"festive"}, 4},
		{incident.P2, []incident.Flag{incident.SecurityFlag}, 2},
		{incident.P3, nil, 1},
		{incident.P4, nil, 1},
		{0, nil, 1}, // unknown severity: the technical contact
	} {
		got := plan.Roles(tt.severity, tt.flags...)
		if len(got) != tt.want || got[0] != comms.TechnicalContact || slices.Contains(got, comms.LegalCompliance) != (tt.want == 5) {
			t.Errorf("Roles(%v, %v) = %v, want %d", tt.severity, tt.flags, got, tt.want)
		}
	}
	if got := plan.NextUpdate(0, start); !got.Equal(after(60)) {
		t.Errorf("NextUpdate of an unknown severity = %v, want an hour", got)
	}
}

// person makes a stakeholder who wants everything at once.
func person(name string, role comms.Role) comms.Stakeholder {
	return comms.Stakeholder{
		Name: name, Role: role, Contact: map[string]string{"email": name + "@example.com"},
		Preferences: comms.Preferences{Immediate: true, Updates: true},
	}
}

func TestSeverityMoves(t *testing.T) {
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{
		person("tec", comms.TechnicalContact), person("own", comms.BusinessOwner), person("spo", comms.ExecutiveSponsor), person("leg", comms.LegalCompliance),
	}})
	thread := plan.Open("acme", "INC-2024-001")
	want(t, "P3", apply(t, thread, state(incident.P3), after(0)), "initial tec email")
	got := apply(t, thread, state(incident.P1), after(5))
	want(t, "raised", got, "initial own email", "initial spo email")
	if got[0].Why.Role != comms.BusinessOwner || got[0].Why.Rule != comms.ByMatrix || !strings.Contains(got[0].Why.String(), "P1") {
		t.Errorf("why = %v", got[0].Why)
	}
	flagged := state(incident.P1)
	flagged.Flags = []incident.Flag{incident.DataFlag}
	got = apply(t, thread, flagged, after(6))
	want(t, "flagged", got, "initial leg email")
	if got[0].Why.Rule != comms.ByFlag || !strings.Contains(got[0].Why.Text, "data") {
		t.Errorf("why = %v", got[0].Why)
	}
	got = apply(t, thread, state(incident.P2), after(7))
	want(t, "lowered", got, "closing leg email", "closing spo email")
	if !strings.Contains(got[0].Body, "P2 now") || got[0].Why.Rule != comms.ByLowering || got[0].Severity != incident.P1 {
		t.Errorf("closing note = %+v", got[0])
	}
	want(t, "raised again", apply(t, thread, state(incident.P1), after(8)), "initial spo email")
	want(t, "again the same", apply(t, thread, state(incident.P1), after(8)))
	want(t, "resolved", apply(t, thread, resolved(state(incident.P1)), after(9)), "resolution own email", "resolution spo email", "resolution tec email")
	late := resolved(flagged)
	late.Severity = incident.P1
	want(t, "flag after the end", apply(t, thread, late, after(20)), "resolution leg email") // one summary

	reopened := state(incident.P1)
	reopened.Reopens, reopened.Status = 1, incident.Acknowledged
	got = apply(t, thread, reopened, after(30))
	want(t, "reopened", got, "initial own email", "initial spo email", "initial tec email")
	if got[0].Key != "acme/INC-2024-001/2/initial/1/own/email" {
		t.Errorf("key = %s", got[0].Key)
	}
}

// TestRaisedTwiceWithinAMinute: joining, leaving and joining again before a
// step looks at it is one message.
func TestRaisedTwiceWithinAMinute(t *testing.T) {
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{person("own", comms.BusinessOwner), person("spo", comms.ExecutiveSponsor)}})
	thread := plan.Open("acme", "INC-2024-001")
	for i, s := range []incident.Severity{incident.P2, incident.P1, incident.P2, incident.P1} {
		if err := thread.Apply(state(s), start.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "after all", thread.Step(after(1)), "initial own email", "initial spo email")
}

// TestReturnThatIsTakenBack: who left, would be told of the return in the morning and
// left again before that, gets messages with keys of their own when they do return.
func TestReturnThatIsTakenBack(t *testing.T) {
	boss := person("own", comms.BusinessOwner)
	boss.BusinessHoursOnly = true // 09:00 to 18:00 UTC; it is 11:00 on a Monday
	thread := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{boss}}).Open("acme", "INC-2024-001")
	for _, step := range []struct {
		severity incident.Severity
		minutes  int
		key      string
	}{
		{incident.P2, 0, "acme/INC-2024-001/1/initial/1/own/email"},
		{incident.P3, 1, "acme/INC-2024-001/1/closing/1/own/email"},
		{incident.P2, 600, ""},
		{incident.P3, 601, ""},
		{incident.P2, 1440, "acme/INC-2024-001/1/initial/2/own/email"},
		{incident.P3, 1441, "acme/INC-2024-001/1/closing/2/own/email"},
	} {
		var keys []string
		for _, m := range only(apply(t, thread, state(step.severity), after(step.minutes)), "own") {
			keys = append(keys, m.Key)
		}
		if key := strings.Join(keys, " "); key != step.key {
			t.Errorf("%s after %d minutes: %q, want %q", step.severity, step.minutes, key, step.key)
		}
	}
}

func TestDeferral(t *testing.T) {
	boss := person("own", comms.BusinessOwner)
	boss.BusinessHoursOnly, boss.Zone = true, "Europe/Amsterdam"
	config := comms.Config{Stakeholders: []comms.Stakeholder{boss}}
	friday := time.Date(2026, 3, 27, 17, 30, 0, 0, time.UTC) // 18:30 in Amsterdam; summer time begins on the 29th
	monday := time.Date(2026, 3, 30, 7, 0, 0, 0, time.UTC)   // 09:00 there

	thread := newPlan(t, config).Open("acme", "INC-2024-001")
	want(t, "after hours", apply(t, thread, state(incident.P2), friday))
	planned := thread.Planned()
	i := slices.IndexFunc(planned, func(p comms.Planned) bool { return p.Recipient == "own" })
	if i < 0 || planned[i].Type != comms.Initial || !planned[i].Due.Equal(monday) {
		t.Fatalf("Planned = %+v, want the initial message on Monday", planned)
	}
	want(t, "news at night", apply(t, thread, withNews(state(incident.P2), "one"), friday.Add(time.Hour)))
	want(t, "more news", apply(t, thread, withNews(state(incident.P2), "one", "two"), friday.Add(2*time.Hour)))
	if got := only(thread.Step(monday.Add(-time.Second)), "own"); len(got) != 0 {
		t.Errorf("before the opening: %q", told(got))
	}
	got := only(thread.Step(monday), "own")
	want(t, "opening", got, "initial own email")
	if !strings.Contains(got[0].Body, "two") || strings.Contains(got[0].Body, "one") || !got[0].Due.Equal(monday) {
		t.Errorf("collapsed message = %+v, want the latest news only", got[0])
	}

	// A P1 reaches them at night, what was held back at once.
	thread = newPlan(t, config).Open("acme", "INC-2024-001")
	want(t, "P2 at night", apply(t, thread, state(incident.P2), friday))
	got = apply(t, thread, state(incident.P1), friday.Add(time.Minute))
	want(t, "raised to P1", got, "initial own email")
	if !got[0].Due.Equal(friday.Add(time.Minute)) {
		t.Errorf("due %v, want the instant of the raise", got[0].Due)
	}

	// Resolved meanwhile: one summary, or nothing on request.
	thread = newPlan(t, config).Open("acme", "INC-2024-001")
	apply(t, thread, state(incident.P2), friday)
	want(t, "resolved at night", apply(t, thread, resolved(state(incident.P2)), friday.Add(time.Hour)))
	want(t, "summary", thread.Step(monday), "resolution own email")
	want(t, "and no more", thread.Step(monday.Add(time.Hour)))

	config.DropMissed = true
	thread = newPlan(t, config).Open("acme", "INC-2024-001")
	apply(t, thread, state(incident.P2), friday)
	apply(t, thread, resolved(state(incident.P2)), friday.Add(time.Hour))
	want(t, "dropped", thread.Step(monday))
}

func only(messages []comms.Message, recipient string) []comms.Message {
	return slices.DeleteFunc(messages, func(m comms.Message) bool { return m.Recipient != recipient })
}

func TestDelays(t *testing.T) {
	patient := person("own", comms.BusinessOwner)
	patient.Preferences.Immediate, patient.EscalationDelayMinutes = false, 20
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{patient}})
	thread := plan.Open("acme", "INC-2024-001")
	want(t, "at once", apply(t, thread, state(incident.P2), after(0)))
	want(t, "early", thread.Step(after(19)))
	want(t, "after the delay", thread.Step(after(20)), "initial own email")

	thread = plan.Open("acme", "INC-2024-001")
	apply(t, thread, state(incident.P2), after(0))
	want(t, "resolved before the delay", apply(t, thread, resolved(state(incident.P2)), after(10)))
	want(t, "later", thread.Step(after(1000)))
}

func TestNextContactMethod(t *testing.T) {
	for _, confirm := range []bool{false, true} {
		plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{sarah()}})
		thread := plan.Open("acme", "INC-2024-001")
		got := apply(t, thread, state(incident.P3), after(0)) // P3 goes to e-mail
		want(t, "first", got, "initial Sarah Chen email")
		if confirm && !thread.Report(got[0].Key, comms.Confirmed) {
			t.Fatalf("Report(%s) is not known", got[0].Key)
		}
		want(t, "early", thread.Step(after(29)))
		got = thread.Step(after(30))
		if confirm {
			want(t, "confirmed", got)
			continue
		}
		want(t, "no answer", got, "initial Sarah Chen sms")
		if got[0].Why.Rule != comms.ByNoAnswer || got[0].N != 2 || got[0].Segments == 0 {
			t.Errorf("second try = %+v", got[0])
		}
		want(t, "nothing left to try", only(thread.Step(after(200)), "Sarah Chen"))
	}
}

func TestReminders(t *testing.T) {
	s := state(incident.P2)
	s.Roles[incident.Communicator] = []string{"cleo", "lea"}
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{person("own", comms.BusinessOwner)}})
	thread := plan.Open("acme", "INC-2024-001")
	apply(t, thread, s, after(0))
	want(t, "in time", thread.Step(after(29)))
	want(t, "overdue", thread.Step(after(30)), "reminder cleo page", "reminder lea page")
	want(t, "told already", thread.Step(after(45)))
	got := thread.Step(after(135)) // three more intervals: one reminder, for the last
	want(t, "much later", got, "reminder cleo page", "reminder lea page")
	if !got[0].Due.Equal(after(120)) || got[0].N != 2 {
		t.Errorf("reminder = %+v, want the one of 120 minutes", got[0])
	}
	s = withNews(s, "we know")
	apply(t, thread, s, after(136))
	if due, _ := thread.NextUpdateDue(); !due.Equal(after(166)) {
		t.Errorf("NextUpdateDue after an update = %v, want 30 minutes later", due)
	}
	s.Severity = incident.P1 // from the last send, by the new interval
	apply(t, thread, s, after(140))
	if due, _ := thread.NextUpdateDue(); !due.Equal(after(151)) {
		t.Errorf("NextUpdateDue after a raise = %v, want 15 minutes after the last send", due)
	}

	// Nobody waits for news, so nobody is reminded; without a lead the role is.
	thread = newPlan(t, comms.Config{}).Open("acme", "INC-2024-001")
	apply(t, thread, s, after(0))
	want(t, "no audience", thread.Step(after(500)))
	s.Roles = nil
	thread = plan.Open("acme", "INC-2024-001")
	apply(t, thread, s, after(0))
	want(t, "no lead", thread.Step(after(20)), "reminder lead page")
}

func TestUndeliverable(t *testing.T) {
	nowhere := person("own", comms.BusinessOwner)
	nowhere.Contact = map[string]string{"phone": "+15550101"} // P2 goes to e-mail and Slack
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{nowhere, person("tec", comms.TechnicalContact)}})
	thread := plan.Open("acme", "INC-2024-001")
	got := apply(t, thread, state(incident.P2), after(0))
	want(t, "no address", got, "initial tec email", "undeliverable lea page")
	want(t, "news", apply(t, thread, withNews(state(incident.P2), "a"), after(1)), "update tec email")
	want(t, "with SMS", apply(t, thread, withNews(state(incident.P1), "a"), after(2)), "initial own sms")

	got = apply(t, thread, withNews(state(incident.P1), "a", "b"), after(3))
	want(t, "next news", got, "update own sms", "update tec email")
	if thread.Report("acme/other", comms.Failed) {
		t.Error("Report of an unknown key is known")
	}
	for range 2 { // a repeated report is one failure
		if !thread.Report(got[0].Key, comms.Failed) || !thread.Report(got[1].Key, comms.Delivered) {
			t.Error("Report is not known")
		}
	}
	want(t, "failed", thread.Step(after(4))) // the lead was told of somebody at 0 minutes
	if wake, ok := thread.NextWake(); !ok || !wake.Equal(after(15)) {
		t.Errorf("NextWake = %v %v, want an interval after the last alarm", wake, ok)
	}
	got = thread.Step(after(15))
	want(t, "an interval later", got, "undeliverable lea page")
	if got[0].Key != "acme/INC-2024-001/1/undeliverable/2/lea/page" || got[0].Why.Rule != comms.ByFailure || got[0].Body != `cannot be reached: "own" (every channel failed)` {
		t.Errorf("message = %+v", got[0])
	}
	want(t, "told once", thread.Step(after(16)))
}

// TestRedaction: what was erased from the record is in no message that comes later,
// and nobody pages a pseudonym.
func TestRedaction(t *testing.T) {
	nowhere := person("own", comms.BusinessOwner)
	nowhere.Contact = nil
	thread := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{nowhere, person("tec", comms.TechnicalContact)}}).Open("acme", "INC-2024-001")
	apply(t, thread, withNews(state(incident.P3), "Jane Roe lost her order"), after(0))
	s := withNews(state(incident.P2), incident.Redacted)
	s.Roles[incident.Lead] = []string{"redacted person 1"}
	got := apply(t, thread, s, after(1))
	want(t, "raised, the lead redacted", got, "undeliverable lead page")
	own := nowhere
	own.Contact = map[string]string{"email": "own@example.com"}
	later, err := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{own, person("tec", comms.TechnicalContact)}}).Restore(thread.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	got = apply(t, later, s, after(2))
	want(t, "somebody joins", got, "initial own email")
	if body := got[0].Body; strings.Contains(body, "Jane Roe") || !strings.Contains(body, incident.Redacted) {
		t.Errorf("body = %q, want the update as redacted", body)
	}
}

// TestReports: somebody is out of reach when the message failed on every channel that
// was tried, and not when it arrived on one, in whatever order that is reported.
func TestReports(t *testing.T) {
	const email, sms = 0, 1
	type report struct {
		message int
		outcome comms.Outcome
	}
	for name, tt := range map[string]struct {
		reports []report
		pages   int
	}{
		"nothing known":              {nil, 0},
		"one failed":                 {[]report{{sms, comms.Failed}}, 0},
		"both failed":                {[]report{{sms, comms.Failed}, {email, comms.Failed}}, 1},
		"one arrived":                {[]report{{sms, comms.Failed}, {email, comms.Delivered}}, 0},
		"failed after it arrived":    {[]report{{sms, comms.Failed}, {email, comms.Delivered}, {email, comms.Failed}}, 0},
		"arrived after it failed":    {[]report{{email, comms.Failed}, {sms, comms.Failed}, {email, comms.Delivered}}, 0},
		"put off":                    {[]report{{email, comms.Deferred}, {sms, comms.Failed}}, 0},
		"arrived, then both failed":  {[]report{{email, comms.Delivered}, {email, comms.Failed}, {sms, comms.Failed}}, 0},
		"failed, arrived and failed": {[]report{{email, comms.Failed}, {sms, comms.Failed}, {sms, comms.Delivered}, {sms, comms.Failed}, {email, comms.Failed}}, 0},
	} {
		thread := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{sarah()}}).Open("acme", "INC-2024-001")
		sent := apply(t, thread, state(incident.P3), after(0)) // by mail
		sent = append(sent, thread.Step(after(30))...)         // and, as nobody answers, by SMS
		want(t, name, sent, "initial Sarah Chen email", "initial Sarah Chen sms")
		for _, r := range tt.reports {
			if !thread.Report(sent[r.message].Key, r.outcome) {
				t.Errorf("%s: Report of %s is not known", name, sent[r.message].Key)
			}
		}
		if got := thread.Step(after(31)); len(got) != tt.pages {
			t.Errorf("%s: %q, want %d pages", name, told(got), tt.pages)
		}
	}
}

// A channel that is down is one page, not one for each who is on it.
func TestUndeliverableStorm(t *testing.T) {
	var people []comms.Stakeholder
	for i := range 100 {
		people = append(people, person(fmt.Sprintf("p%03d", i), comms.TechnicalContact))
	}
	thread := newPlan(t, comms.Config{Stakeholders: people}).Open("acme", "INC-2024-001")
	sent := apply(t, thread, state(incident.P1), after(0))
	var pages []comms.Message
	for i, m := range sent {
		thread.Report(m.Key, comms.Failed)
		pages = append(pages, thread.Step(after(0).Add(time.Duration(i)*time.Second))...)
	}
	pages = append(pages, thread.Step(after(14))...)
	pages = append(pages, only(thread.Step(after(15)), "lea")...)
	want(t, "pages", pages, "undeliverable lea page", "undeliverable lea page", "reminder lea page")
	if first, second := pages[0].Body, pages[1].Body; first != `cannot be reached: "p000" (every channel failed)` ||
		!strings.HasPrefix(second, `cannot be reached: "p001" (every channel failed), "p002"`) || !strings.HasSuffix(second, `"p020" (every channel failed) and 79 more`) {
		t.Errorf("pages %q and %q", first, second)
	}
}

func TestEndings(t *testing.T) {
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{person("tec", comms.TechnicalContact)}})
	for status, text := range map[incident.Status]string{incident.Cancelled: "false alarm: test", incident.Merged: "INC-9", incident.Resolved: "restarted"} {
		thread := plan.Open("acme", "INC-2024-001")
		s := state(incident.P3)
		apply(t, thread, s, after(0))
		s.Status, s.Reason, s.MergedInto, s.Resolution = status, "test", "INC-9", "restarted"
		s.Times.Closed = after(85)
		got := apply(t, thread, s, after(90))
		want(t, string(status), got, "resolution tec email")
		if !strings.Contains(got[0].Body, text) || !strings.Contains(got[0].Body, "1 hour 25 minutes") {
			t.Errorf("%s: body %q, want %q and the time it took", status, got[0].Body, text)
		}
	}
	// A signal that is not declared, or was over before anybody heard of it, is no news.
	thread := plan.Open("acme", "INC-2024-001")
	s := state(0)
	s.Status = incident.Triage
	want(t, "triage", apply(t, thread, s, after(0)))
	s.Status = incident.Cancelled
	want(t, "cancelled in triage", apply(t, thread, s, after(1)))
	if err := thread.Apply(incident.State{ID: "INC-7"}, after(2)); err == nil {
		t.Error("Apply of another incident = nil, want an error")
	}
}

func TestEscaping(t *testing.T) {
	p := person("tec", comms.TechnicalContact)
	p.Contact["phone"] = "+15550102"
	html := comms.Template{Severity: incident.P1, Type: comms.Initial, Subject: "{description}", Body: "<b>{description}</b> {{{severity}}}", Channels: []comms.Channel{comms.Email, comms.SMS, comms.Slack}, HTML: true}
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{p}, Rooms: []comms.Room{{Channel: comms.Slack, Address: "#ops"}}, Templates: []comms.Template{html}})
	s := state(incident.P1)
	s.Title = "a <b> & \"c\"\r\nBcc: x@example.com"
	for _, m := range apply(t, plan.Open("acme", "INC-2024-001"), s, start) {
		if strings.ContainsAny(m.Subject, "\r\n") {
			t.Errorf("%s: subject %q has more than one line", m.Channel, m.Subject)
		}
		title := map[comms.Channel]string{
			comms.Email: "a &lt;b&gt; &amp; &#34;c&#34;\r\nBcc: x@example.com",
			comms.Slack: "a &lt;b&gt; &amp; \"c\"\r\nBcc: x@example.com",
			comms.SMS:   s.Title,
		}[m.Channel]
		if want := "<b>" + title + "</b> {P1}"; m.Body != want {
			t.Errorf("%s: body %q, want %q", m.Channel, m.Body, want)
		}
	}
}

func TestTimesInTheReadersZone(t *testing.T) {
	p := person("tec", comms.TechnicalContact)
	p.Zone = "Asia/Singapore"
	m := apply(t, newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{p}}).Open("acme", "INC-2024-001"), state(incident.P1), start)[0]
	for _, text := range []string{"2026-03-02 11:00:00 UTC (19:00 on 2 March Asia/Singapore)", "15 minutes", "2026-03-02 11:15:00 UTC"} {
		if !strings.Contains(m.Body, text) {
			t.Errorf("body %q, want %q in it", m.Body, text)
		}
	}
}

// Limits of 3GPP TS 23.038: 160 and 153 GSM characters, 70 and 67 of UCS-2. What
// takes two places is not split: 76 euro signs go into a part, 33 of a pair.
func TestSegments(t *testing.T) {
	p := person("tec", comms.TechnicalContact)
	p.Contact = map[string]string{"phone": "+15550103"}
	for text, segments := range map[string]int{
		strings.Repeat("a", 160): 1, strings.Repeat("a", 161): 2, strings.Repeat("a", 306): 2, strings.Repeat("a", 307): 3,
		strings.Repeat("€", 80): 1, strings.Repeat("€", 81): 2,
		strings.Repeat("я", 70): 1, strings.Repeat("я", 71): 2, strings.Repeat("😀", 36): 2,
		strings.Repeat("€", 153): 3, strings.Repeat("😀", 66): 2, strings.Repeat("😀", 67): 3, strings.Repeat("\f", 80): 1, strings.Repeat("\f", 81): 2,
		strings.Repeat("a", 152) + "€" + strings.Repeat("a", 151): 2, strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152): 3,
		strings.Repeat("a", 158) + "€": 1, strings.Repeat("ç", 70): 1, strings.Repeat("ç", 71): 2, strings.Repeat("Ç", 160): 1,
	} {
		tpl := comms.Template{Severity: incident.P1, Type: comms.Initial, Subject: "s", Body: text, Channels: []comms.Channel{comms.SMS}}
		thread := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{p}, Templates: []comms.Template{tpl}}).Open("acme", "INC-2024-001")
		if m := apply(t, thread, state(incident.P1), start)[0]; m.Segments != segments {
			t.Errorf("%d characters of %.3q: %d segments, want %d", len([]rune(text)), text, m.Segments, segments)
		}
	}
}

func TestTemplateErrors(t *testing.T) {
	good := comms.Template{Severity: incident.P1, Type: comms.Initial, Subject: "s", Body: "b", Channels: []comms.Channel{comms.Email}}
	for name, tt := range map[string]struct {
		spoil  func(*comms.Template)
		part   string
		column int
	}{
		"unknown name":         {func(t *comms.Template) { t.Body = "é {incident}" }, "body", 3},
		"name of another type": {func(t *comms.Template) { t.Body = "{update_message}" }, "body", 1},
		"not closed":           {func(t *comms.Template) { t.Subject = "x {severity" }, "subject", 3},
		"not opened":           {func(t *comms.Template) { t.Subject = "severity}" }, "subject", 9},
		"nested":               {func(t *comms.Template) { t.Body = "{a{b}}" }, "body", 1},
		"empty name":           {func(t *comms.Template) { t.Body = "{}" }, "body", 1},
		"other interval":       {func(t *comms.Template) { t.Body = "We write every 20 minutes." }, "body", 16},
		"other interval, word": {func(t *comms.Template) { t.Body = "news Every 1h!" }, "body", 12},
		"every hour":           {func(t *comms.Template) { t.Body = "We write every hour." }, "body", 16},
		"each":                 {func(t *comms.Template) { t.Body = "An update each 20 minutes" }, "body", 16},
		"hourly":               {func(t *comms.Template) { t.Body = "We write (hourly), here." }, "body", 11},
		"two lines":            {func(t *comms.Template) { t.Subject = "a\nBcc: b" }, "subject", 0},
		"no subject":           {func(t *comms.Template) { t.Subject = "" }, "subject", 0},
		"no body":              {func(t *comms.Template) { t.Body = "" }, "body", 0},
		"no channel":           {func(t *comms.Template) { t.Channels = nil }, "channels", 0},
		"unknown channel":      {func(t *comms.Template) { t.Channels = []comms.Channel{"pigeon"} }, "channels", 0},
		"not UTF-8":            {func(t *comms.Template) { t.Body = "\xff" }, "body", 0},
	} {
		tpl := good
		tt.spoil(&tpl)
		_, err := comms.New(comms.Config{Templates: []comms.Template{tpl}})
		var bad *comms.TemplateError
		if !errors.As(err, &bad) || bad.Part != tt.part || bad.Column != tt.column {
			t.Errorf("%s: New = %v, want an error in %s column %d", name, err, tt.part, tt.column)
		}
	}
	var twice *comms.TemplateError
	if _, err := comms.New(comms.Config{Templates: []comms.Template{good, good}}); !errors.As(err, &twice) || twice.Part != "template" {
		t.Errorf("New with a template twice = %v, want an error", err)
	}
	good.Body = "We write every 15 minutes, and {{every}} 15m."
	newPlan(t, comms.Config{Templates: []comms.Template{good}})
}

// A type that is forgotten for a severity in use is found when only own texts are
// wanted.
func TestOwnTemplates(t *testing.T) {
	c := comms.Config{
		OwnTemplates: true,
		Matrix:       map[incident.Severity][]comms.Role{incident.P1: {comms.TechnicalContact}, incident.P2: {comms.TechnicalContact}},
	}
	for _, s := range []incident.Severity{incident.P1, incident.P2} {
		for _, kind := range []comms.Type{comms.Initial, comms.News, comms.Resolution} {
			c.Templates = append(c.Templates, comms.Template{Severity: s, Type: kind, Subject: "s", Body: "b", Channels: []comms.Channel{comms.Email}})
		}
	}
	newPlan(t, c)
	c.Templates = slices.Delete(c.Templates, 4, 5)
	_, err := comms.New(c)
	var bad *comms.TemplateError
	if !errors.As(err, &bad) || bad.Severity != incident.P2 || bad.Type != comms.News || bad.Part != "template" {
		t.Errorf("New without the update of a P2 = %v", err)
	}
	c.OwnTemplates = false
	newPlan(t, c)
}

func TestConfigErrors(t *testing.T) {
	for path, spoil := range map[string]func(*comms.Config){
		"stakeholders[0].id":                       func(c *comms.Config) { c.Stakeholders[0].Name = "" },
		"stakeholders[0].name":                     func(c *comms.Config) { c.Stakeholders[0].Name = "a\r\nBcc: b" },
		"stakeholders[0].role":                     func(c *comms.Config) { c.Stakeholders[0].Role = "neighbour" },
		"stakeholders[0].hours":                    func(c *comms.Config) { c.Stakeholders[0].Zone = "Mars/Base" },
		"stakeholders[0].contact_methods":          func(c *comms.Config) { c.Stakeholders[0].Contact["fax"] = "1" },
		"stakeholders[0].contact_methods.email":    func(c *comms.Config) { c.Stakeholders[0].Contact["email"] = "a@b\r\nc" },
		"stakeholders[0].escalation_delay_minutes": func(c *comms.Config) { c.Stakeholders[0].EscalationDelayMinutes = -1 },
		"stakeholders[1]":                          func(c *comms.Config) { c.Stakeholders = append(c.Stakeholders, c.Stakeholders[0]) },
		"rooms[0].channel":                         func(c *comms.Config) { c.Rooms = []comms.Room{{Channel: comms.Email, Address: "x"}} },
		"rooms[0].address":                         func(c *comms.Config) { c.Rooms = []comms.Room{{Channel: comms.Slack}} },
		"notification_matrix.P2": func(c *comms.Config) {
			c.Matrix = map[incident.Severity][]comms.Role{incident.P2: {"neighbour"}}
		},
		"notification_matrix": func(c *comms.Config) {
			c.Matrix = map[incident.Severity][]comms.Role{0: {comms.TechnicalContact}}
		},
		"cadence":    func(c *comms.Config) { c.Cadence = map[incident.Severity]time.Duration{9: time.Hour} },
		"cadence.P1": func(c *comms.Config) { c.Cadence = map[incident.Severity]time.Duration{incident.P1: -1} },
		"templates":  func(c *comms.Config) { c.Templates = []comms.Template{{Type: comms.Closing}} },
	} {
		c := comms.Config{Stakeholders: []comms.Stakeholder{person("tec", comms.TechnicalContact)}}
		spoil(&c)
		_, err := comms.New(c)
		var bad *comms.ConfigError
		if !errors.As(err, &bad) || bad.Path != path {
			t.Errorf("%s: New = %v, want an error there", path, err)
		}
	}
	never := person("tec", comms.TechnicalContact)
	never.BusinessHoursOnly, never.Hours = true, &calendar.Hours{Zone: "UTC"}
	if _, err := comms.New(comms.Config{Stakeholders: []comms.Stakeholder{never}}); err == nil {
		t.Error("hours that never open: no error")
	}
}

// A plan does not change when the values it was made from do.
func TestPlanKeepsItsOwn(t *testing.T) {
	c := comms.Config{
		Matrix:     map[incident.Severity][]comms.Role{incident.P1: {comms.TechnicalContact}},
		LegalFlags: []incident.Flag{incident.DataFlag},
	}
	plan, err := comms.New(c)
	if err != nil {
		t.Fatal(err)
	}
	c.Matrix[incident.P1][0], c.LegalFlags[0] = comms.BusinessOwner, incident.SecurityFlag
	c.Matrix[incident.P2] = []comms.Role{comms.BusinessOwner}
	want := []comms.Role{comms.TechnicalContact, comms.LegalCompliance}
	if got := plan.Roles(incident.P1, incident.DataFlag); !slices.Equal(got, want) {
		t.Errorf("Roles(P1, data) = %v, want %v", got, want)
	}
	if got := plan.Roles(incident.P2); len(got) != 0 {
		t.Errorf("Roles(P2) = %v, want nobody", got)
	}
}

// TestMonth simulates 30 days of incidents for people of three zones, five
// roles and four severities, steps wherever the thread asks for it, and loses
// the process at random: nobody hears off hours except of a P1, no overdue
// update goes without a reminder, no key comes twice, and whoever was told hears
// that it is over, for them or at all.
func TestMonth(t *testing.T) {
	var people []comms.Stakeholder
	hours := map[string]*calendar.Calendar{}
	for _, zone := range []string{"Europe/Amsterdam", "America/Chicago", "Asia/Singapore"} {
		for _, role := range []comms.Role{comms.TechnicalContact, comms.BusinessOwner, comms.ExecutiveSponsor, comms.CustomerSuccess, comms.LegalCompliance} {
			p := person(zone[:2]+string(role), role)
			p.Zone, p.BusinessHoursOnly = zone, true
			p.Preferences.Updates = role != comms.ExecutiveSponsor
			week := calendar.MondayToFriday("09:00", "18:00")
			if role == comms.TechnicalContact { // at any hour but those of sleep
				p.BusinessHoursOnly, p.QuietHours = false, []calendar.Span{{From: "22:00", To: "07:00"}}
				week = calendar.EveryDay("07:00", "22:00")
			}
			people = append(people, p)
			cal, err := calendar.New(calendar.Hours{Zone: zone, Week: week})
			if err != nil {
				t.Fatal(err)
			}
			hours[p.Name] = cal
		}
	}
	plan := newPlan(t, comms.Config{Stakeholders: people, Rooms: []comms.Room{{Channel: comms.Slack, Address: "#ops"}}})
	r := rand.New(rand.NewPCG(8, 9))
	begin := time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC) // with the change to summer time
	counts := map[comms.Type]int{}
	seen := map[string]bool{}
	joined := map[incident.Severity]map[string]int{} // by the first messages that were sent for a severity
	for _, s := range incident.Severities {
		joined[s] = map[string]int{}
	}
	deferred, atNight := 0, 0
	for n := range 120 {
		at := begin.Add(time.Duration(r.Int64N(int64(30 * 24 * time.Hour)))).Truncate(time.Minute)
		s := state(incident.Severities[r.IntN(4)])
		s.ID, s.Times = fmt.Sprint("INC-", n), incident.Times{Started: at, Created: at}
		thread := plan.Open("acme", s.ID)
		lastNews, since := at, at
		last := map[string]comms.Type{} // by recipient
		var next func(until time.Time)
		take := func(messages []comms.Message, at time.Time) {
			for _, m := range messages {
				counts[m.Type]++
				if seen[m.Key] {
					t.Fatalf("%s sent twice", m.Key)
				}
				seen[m.Key] = true
				if m.Channel != comms.Page {
					last[m.Recipient] = m.Type
				}
				if cal := hours[m.Recipient]; cal != nil && m.Type == comms.Initial {
					joined[m.Severity][m.Recipient]++
					if s.Severity == incident.P1 && !cal.IsOpen(at) {
						atNight++
					} else if m.Due.After(since) {
						deferred++
					}
				}
				if cal := hours[m.Recipient]; cal != nil && !cal.IsOpen(at) && s.Severity != incident.P1 {
					t.Fatalf("%s at %v, off hours of %s", m.Key, at, cal.Location())
				}
				if m.Due.After(at) {
					t.Fatalf("%s at %v, due %v", m.Key, at, m.Due)
				}
				if m.Type == comms.Reminder {
					lastNews = m.Due
				}
			}
		}
		step := func(at time.Time) {
			before := thread.Snapshot()
			messages := thread.Step(at)
			restart := func(from comms.Snapshot) []comms.Message {
				data, err := json.Marshal(from)
				if err != nil {
					t.Fatal(err)
				}
				var stored comms.Snapshot
				if err := json.Unmarshal(data, &stored); err != nil {
					t.Fatal(err)
				}
				if thread, err = plan.Restore(stored); err != nil {
					t.Fatal(err)
				}
				return thread.Step(at)
			}
			switch r.IntN(3) {
			case 0: // the process dies before the commit: again from the snapshot
				if again := restart(before); !reflect.DeepEqual(again, messages) {
					t.Fatalf("after a restart %q, before %q", told(again), told(messages))
				}
			case 1: // and after it
				if again := restart(thread.Snapshot()); len(again) > 0 {
					t.Fatalf("committed, and after a restart sent again: %q", told(again))
				}
			}
			take(messages, at)
			if s.Status.Active() && at.Sub(lastNews) > comms.DefaultCadence()[s.Severity] {
				t.Fatalf("%s: %v without news or reminder at %v", s.ID, at.Sub(lastNews), s.Severity)
			}
		}
		next = func(until time.Time) {
			for {
				wake, ok := thread.NextWake()
				if !ok || wake.After(until) {
					return
				}
				step(times.Later(wake, at))
			}
		}
		for range 1 + r.IntN(6) {
			if err := thread.Apply(s, at); err != nil {
				t.Fatal(err)
			}
			since = at
			step(at)
			pause := at.Add(time.Duration(1+r.IntN(600)) * time.Minute)
			next(pause)
			at = pause
			switch r.IntN(4) {
			case 0:
				s.Severity = incident.Severities[r.IntN(4)]
			case 1:
				s.Flags = []incident.Flag{incident.SecurityFlag}
			default:
				s.Updates = append(slices.Clone(s.Updates), incident.Update{Key: fmt.Sprint("u", len(s.Updates)), Text: "news"})
				lastNews = at
			}
			if now := plan.NextUpdate(s.Severity, lastNews); now.Before(at) {
				lastNews = at // a raise makes the update overdue at once
			}
		}
		s.Status, s.Resolution, s.Times.Resolved = incident.Resolved, "done", at
		if err := thread.Apply(s, at); err != nil {
			t.Fatal(err)
		}
		step(at)
		next(at.AddDate(0, 0, 7))
		if wake, ok := thread.NextWake(); ok {
			t.Fatalf("%s: still something due at %v", s.ID, wake)
		}
		for who, kind := range last {
			if kind != comms.Resolution && kind != comms.Closing {
				t.Fatalf("%s: the last that %s heard is the %s", s.ID, who, kind)
			}
		}
	}
	t.Logf("messages: %v", counts)
	for _, kind := range []comms.Type{comms.Initial, comms.News, comms.Resolution, comms.Closing, comms.Reminder} {
		if counts[kind] == 0 {
			t.Errorf("no message of type %s in the whole month", kind)
		}
	}
	// The matrix of the guide: who is told at all.
	for severity, roles := range map[incident.Severity][]comms.Role{
		incident.P1: {comms.TechnicalContact, comms.BusinessOwner, comms.ExecutiveSponsor, comms.CustomerSuccess, comms.LegalCompliance},
		incident.P2: {comms.TechnicalContact, comms.BusinessOwner}, incident.P3: {comms.TechnicalContact}, incident.P4: {comms.TechnicalContact},
	} {
		for _, p := range people {
			if n := joined[severity][p.Name]; (n > 0) != slices.Contains(roles, p.Role) {
				t.Errorf("%s was told of a %s %d times in the month", p.Name, severity, n)
			}
		}
	}
	if deferred == 0 || atNight == 0 {
		t.Errorf("%d messages waited for an opening, %d of a P1 did not, want some of each", deferred, atNight)
	}
	if n := counts[comms.Undeliverable]; n != 0 {
		t.Errorf("%d messages could not be delivered, everybody has an address", n)
	}
}
