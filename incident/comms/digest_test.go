package comms_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

// executive reads a digest in Amsterdam, where Easter Monday 2026 is 6 April.
func executive(period comms.Frequency) comms.Stakeholder {
	p := person("spo", comms.ExecutiveSponsor)
	p.Preferences.Digest = period
	p.Hours = &calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.MondayToFriday("08:30", "17:00"), Holidays: []string{"2026-04-06"}}
	return p
}

func TestNextDigest(t *testing.T) {
	for _, tt := range []struct {
		period      comms.Frequency
		after, want string // UTC
	}{
		{comms.Daily, "2026-03-27 07:29", "2026-03-27 07:30"}, // 08:30 in winter
		{comms.Daily, "2026-03-27 07:30", "2026-03-30 06:30"}, // over the weekend, summer time
		{comms.Daily, "2026-04-03 12:00", "2026-04-07 06:30"}, // over Easter Monday
		{comms.Weekly, "2026-03-25 12:00", "2026-03-30 06:30"},
		{comms.Weekly, "2026-03-30 06:30", "2026-04-07 06:30"}, // Tuesday opens the week
		{comms.Weekly, "2026-04-07 06:30", "2026-04-13 06:30"},
	} {
		plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{executive(tt.period), person("tec", comms.TechnicalContact)}})
		if got, ok := plan.NextDigest(at(tt.after)); !ok || !got.Equal(at(tt.want)) {
			t.Errorf("NextDigest(%s, %s) = %v %v, want %s", tt.period, tt.after, got, ok, tt.want)
		}
	}
	if due, ok := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{sarah()}}).NextDigest(start); ok {
		t.Errorf("NextDigest for nobody = %v", due)
	}
}

func TestDigests(t *testing.T) {
	other := executive(comms.Daily)
	other.Service = "shop" // the same person, once for each service
	mine := executive(comms.Daily)
	mine.Service = "user_api"
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{mine, other}})
	incidentOf := func(id string, s incident.Severity, service, from, to, text string) incident.State {
		x := incident.State{Tenant: "acme", ID: id, Severity: s, Status: incident.Acknowledged, Services: []string{service}, Times: incident.Times{Created: at(from)}}
		if to != "" {
			x.Status, x.Times.Resolved, x.Resolution = incident.Resolved, at(to), text
		} else {
			x.Updates = []incident.Update{{Text: "older"}, {Text: text}}
		}
		return x
	}
	signal := incidentOf("INC-6", incident.P1, "shop", "2026-03-30 01:00", "", "")
	signal.Status = incident.Triage
	states := []incident.State{
		incidentOf("INC-1", incident.P3, "shop", "2026-03-27 06:00", "2026-03-27 07:30", "over when the last digest was due"),
		incidentOf("INC-2", incident.P3, "shop", "2026-03-27 07:00", "2026-03-27 09:05", "restarted\nagain"),
		incidentOf("INC-3", incident.P1, "user_api", "2026-03-29 00:30", "2026-03-29 02:00", "failed over"),
		incidentOf("INC-4", incident.P3, "user_api", "2026-03-30 04:00", "", "we know why"),
		incidentOf("INC-5", incident.P2, "mail", "2026-03-30 04:00", "", "of a service of others"),
		incidentOf("INC-7", incident.P2, "shop", "2026-03-30 06:31", "", "begins later"),
		signal,
	}
	from, until := at("2026-03-27 07:30"), at("2026-03-30 06:30")
	got := plan.Digests("acme", states, from, until)
	want(t, "digest", got, "digest spo email")
	if got[0].Key != "acme/digest/2026-03-30T06:30:00Z/spo/email" || got[0].Subject != "[daily digest] 3 incidents, 1 still open" || !got[0].Due.Equal(until) {
		t.Errorf("digest = %+v", got[0])
	}
	const body = `Incidents from 2026-03-27 07:30:00 UTC (08:30 on 27 March Europe/Amsterdam) to 2026-03-30 06:30:00 UTC (08:30 on 30 March Europe/Amsterdam):

INC-3 P1 on user_api: over after 1 hour 30 minutes. failed over
INC-2 P3 on shop: over after 2 hours 5 minutes. restarted again
INC-4 P3 on user_api: open for 2 hours 30 minutes. we know why`
	if got[0].Body != body {
		t.Errorf("body = %s\nwant %s", got[0].Body, body)
	}
	want(t, "another tenant", plan.Digests("shop", states, from, until))
	want(t, "nothing is due", plan.Digests("acme", states, until, until.Add(23*time.Hour)))
	want(t, "two days", plan.Digests("acme", states, from, until.AddDate(0, 0, 1)), "digest spo email", "digest spo email")
	want(t, "nothing to tell", plan.Digests("acme", states[:2], until, until.AddDate(0, 0, 2)))
}

func TestDigestConfig(t *testing.T) {
	for name, spoil := range map[string]func(*comms.Stakeholder){
		"period":  func(s *comms.Stakeholder) { s.Preferences.Digest = "hourly" },
		"address": func(s *comms.Stakeholder) { delete(s.Contact, "email") },
	} {
		p := executive(comms.Weekly)
		spoil(&p)
		if _, err := comms.New(comms.Config{Stakeholders: []comms.Stakeholder{p}}); err == nil || !strings.Contains(err.Error(), "stakeholders[0].notification_preferences.digest") {
			t.Errorf("%s: New = %v, want an error", name, err)
		}
	}
}
