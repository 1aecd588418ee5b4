package comms_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// TestRecipients: who is told, once each, why and from when, for an incident of
// two services.
func TestRecipients(t *testing.T) {
	boss := person("own", comms.BusinessOwner)
	boss.Service, boss.BusinessHoursOnly, boss.Zone = "shop", true, "Europe/Amsterdam"
	twice := person("tec", comms.TechnicalContact)
	twice.Service = "shop"
	again := twice
	again.Service = "user_api"
	plan := newPlan(t, comms.Config{
		Stakeholders: []comms.Stakeholder{boss, again, twice, person("all", comms.TechnicalContact), person("leg", comms.LegalCompliance), person("spo", comms.ExecutiveSponsor)},
		Rooms:        []comms.Room{{Channel: comms.Slack, Address: "#ops"}, {Channel: comms.Webhook, Address: "https://hook.example"}},
	})
	s := state(incident.P2)
	s.Services = []string{"user_api", "shop", "user_api"}
	saturday := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
	monday := time.Date(2026, 3, 30, 7, 0, 0, 0, time.UTC) // 09:00 in Amsterdam, where the clocks have changed
	list := func(s incident.State) (out []string) {
		for r := range plan.Recipients(s, saturday) {
			out = append(out, fmt.Sprint(r.ID, " ", r.Why.Rule))
			late := r.ID == "own" && s.Severity != incident.P1
			if want := map[bool]time.Time{false: saturday, true: monday}[late]; !r.From.Equal(want) {
				t.Errorf("%s of a %s is told from %v, want %v", r.ID, s.Severity, r.From, want)
			}
		}
		return out
	}
	if got, want := list(s), []string{":slack:#ops room", "all matrix", "own matrix", "tec matrix"}; !slices.Equal(got, want) {
		t.Errorf("Recipients of a P2 = %q, want %q", got, want)
	}
	s.Severity, s.Flags = incident.P1, []incident.Flag{incident.SecurityFlag}
	if got, want := list(s), []string{":slack:#ops room", "all matrix", "leg flag", "own matrix", "spo matrix", "tec matrix"}; !slices.Equal(got, want) {
		t.Errorf("Recipients of a P1 = %q, want %q", got, want)
	}
	s.Services = nil // unknown: those of every service
	if got, want := list(s), []string{":slack:#ops room", "all matrix", "leg flag", "spo matrix"}; !slices.Equal(got, want) {
		t.Errorf("Recipients without a service = %q, want %q", got, want)
	}
}

// TestQuietHours: a person who works at all hours and sleeps from 22:00 to 07:00.
func TestQuietHours(t *testing.T) {
	night := person("tec", comms.TechnicalContact)
	night.Zone, night.QuietHours = "Europe/Amsterdam", []calendar.Span{{From: "22:00", To: "07:00"}}
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{night}})
	// Clocks go forward in the night to Sunday 29 March: 07:00 is 05:00 UTC.
	evening, morning := time.Date(2026, 3, 28, 21, 0, 0, 0, time.UTC), time.Date(2026, 3, 29, 5, 0, 0, 0, time.UTC)

	thread := plan.Open("acme", "INC-2024-001")
	want(t, "at 22:00", apply(t, thread, state(incident.P3), evening))
	want(t, "before 07:00", only(thread.Step(morning.Add(-1)), "tec"))
	want(t, "at 07:00", only(thread.Step(morning), "tec"), "initial tec email")
	want(t, "news at noon", only(apply(t, thread, withNews(state(incident.P3), "a"), morning.Add(5*time.Hour)), "tec"), "update tec email")

	thread = plan.Open("acme", "INC-2024-001")
	want(t, "a P1", apply(t, thread, state(incident.P1), evening), "initial tec email")

	// Together with hours: what is outside both.
	both := night
	both.BusinessHoursOnly, both.Hours = true, &calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.EveryDay("06:00", "12:00")}
	thread = newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{both}}).Open("acme", "INC-2024-001")
	want(t, "at 06:30", apply(t, thread, state(incident.P3), morning.Add(-30*time.Minute)))
	want(t, "at 07:00", only(thread.Step(morning), "tec"), "initial tec email")

	both.Hours = &calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.EveryDay("01:00", "06:00")}
	if _, err := comms.New(comms.Config{Stakeholders: []comms.Stakeholder{both}}); err == nil || !strings.Contains(err.Error(), "stakeholders[0].hours") {
		t.Errorf("hours that lie in the quiet hours: %v, want an error", err)
	}
	both.QuietHours = []calendar.Span{{From: "25:00", To: "07:00"}}
	if _, err := comms.New(comms.Config{Stakeholders: []comms.Stakeholder{both}}); err == nil || !strings.Contains(err.Error(), "stakeholders[0].quiet_hours") {
		t.Errorf("quiet hours from 25:00: %v, want an error", err)
	}
}

// TestCadenceAcrossDST: updates are due after elapsed time in both nights in
// which clocks change, for each severity.
func TestCadenceAcrossDST(t *testing.T) {
	minutes := map[incident.Severity]int{incident.P1: 15, incident.P2: 30, incident.P3: 60, incident.P4: 240}
	for _, night := range []time.Time{
		time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC), // clocks go forward in Amsterdam at 01:00 UTC
		time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC),
	} {
		for _, s := range incident.Severities {
			p := person("tec", comms.TechnicalContact)
			p.Zone = "Europe/Amsterdam"
			thread := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{p}}).Open("acme", "INC-2024-001")
			at, now := night, state(s)
			apply(t, thread, now, at)
			for n := range 40 {
				due := night.Add(time.Duration((n+1)*minutes[s]) * time.Minute)
				if got, ok := thread.NextUpdateDue(); !ok || !got.Equal(due) {
					t.Fatalf("%s: update %d is due %v, want %v", s, n+1, got, due)
				}
				want(t, "just in time", thread.Step(due.Add(-1)))
				if n%2 == 1 { // every other one is missed
					want(t, "missed", thread.Step(due), "reminder lea page")
				}
				now.Updates = append(now.Updates, incident.Update{Key: strconv.Itoa(n), Text: "news"})
				want(t, "update", apply(t, thread, now, due), "update tec email")
			}
		}
	}
}

// A confirmation counts although news went out meanwhile.
func TestLateConfirmation(t *testing.T) {
	p := sarah()
	p.Name = "a/b 100%" // has to be escaped in keys
	thread := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{p}}).Open("acme", "INC-2024-001")
	first := apply(t, thread, state(incident.P3), after(0))
	want(t, "news", apply(t, thread, withNews(state(incident.P3), "a"), after(10)), "update a/b 100% email")
	if thread.Report(first[0].Key, comms.Failed) {
		t.Error("Report of a failure of an older message is known")
	}
	if !thread.Report(first[0].Key, comms.Confirmed) {
		t.Error("Report of a confirmation of an older message is not known")
	}
	want(t, "after the delay", only(thread.Step(after(30)), "a/b 100%"))
}

func TestClearedFlag(t *testing.T) {
	thread := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{person("leg", comms.LegalCompliance)}}).Open("acme", "INC-2024-001")
	s := state(incident.P1)
	s.Flags = []incident.Flag{incident.DataFlag}
	want(t, "flagged", apply(t, thread, s, after(0)), "initial leg email")
	got := apply(t, thread, state(incident.P1), after(1))
	want(t, "cleared", got, "closing leg email")
	if got[0].Why.Rule != comms.ByClearing || strings.Contains(got[0].Body, "severity is") || !strings.Contains(got[0].Body, "no further messages") {
		t.Errorf("closing note = %+v", got[0])
	}
}

// TestRaisedStepByStep: raised from P3 to P2 and to P1 within a minute, with a step
// after each and a restart in between, everybody hears of it once.
func TestRaisedStepByStep(t *testing.T) {
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{
		person("tec", comms.TechnicalContact), person("own", comms.BusinessOwner), person("spo", comms.ExecutiveSponsor), person("suc", comms.CustomerSuccess),
	}})
	thread := plan.Open("acme", "INC-2024-001")
	for _, tt := range []struct {
		severity incident.Severity
		seconds  int
		due      time.Duration // of the update after the first message, by the cadence
		told     []string
	}{
		{incident.P3, 0, time.Hour, []string{"initial tec email"}},
		{incident.P2, 20, 30 * time.Minute, []string{"initial own email"}},
		{incident.P1, 40, 15 * time.Minute, []string{"initial spo email", "initial suc email"}},
	} {
		at := start.Add(time.Duration(tt.seconds) * time.Second)
		want(t, tt.severity.String(), apply(t, thread, state(tt.severity), at), tt.told...)
		want(t, "the same again", apply(t, thread, state(tt.severity), at))
		if due, ok := thread.NextUpdateDue(); !ok || !due.Equal(start.Add(tt.due)) {
			t.Errorf("%s: the next update is due %v, want %v after the first message", tt.severity, due, tt.due)
		}
		var err error
		if thread, err = plan.Restore(thread.Snapshot()); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "a minute later", thread.Step(after(1)))
	want(t, "update", apply(t, thread, withNews(state(incident.P1), "found"), after(2)), "update own email", "update spo email", "update suc email", "update tec email")
}

// TestLegalFlagAfterResolution: the flag is set when all is over, in the incident
// itself. Legal is told once, and nobody else again; of a P2 it is not.
func TestLegalFlagAfterResolution(t *testing.T) {
	for severity, told := range map[incident.Severity][]string{incident.P1: {"resolution leg email"}, incident.P2: nil} {
		inc, err := incident.New("acme", "INC-2024-001", incident.Options{})
		if err != nil {
			t.Fatal(err)
		}
		thread := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{person("tec", comms.TechnicalContact), person("leg", comms.LegalCompliance)}}).Open("acme", "INC-2024-001")
		happens := func(kind incident.Kind, minutes int, d incident.Details) []comms.Message {
			if _, err := inc.Apply(incident.Event{Key: string(kind), Kind: kind, At: after(minutes), Actor: "lea", Details: d}); err != nil {
				t.Fatal(err)
			}
			return apply(t, thread, inc.State(), after(minutes))
		}
		want(t, "declared", happens(incident.Declare, 0, incident.Details{Severity: severity, Title: "down", Services: []string{"user_api"}}), "initial tec email")
		want(t, "resolved", happens(incident.Resolve, 10, incident.Details{Text: "keys replaced"}), "resolution tec email")
		got := happens(incident.SetFlag, 60, incident.Details{Flag: incident.SecurityFlag})
		want(t, "flagged "+severity.String(), got, told...)
		if len(got) == 1 && (got[0].Why.Rule != comms.ByFlag || !strings.Contains(got[0].Body, "keys replaced")) {
			t.Errorf("message = %+v, want it to say by what it was resolved, and that the flag is why", got[0])
		}
		want(t, "told once", apply(t, thread, inc.State(), after(61)))
		if wake, ok := thread.NextWake(); ok {
			t.Errorf("%s: still something due at %v", severity, wake)
		}
	}
}
