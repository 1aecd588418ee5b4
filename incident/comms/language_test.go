package comms_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// german is a plan with texts about a P2 in German, but none about its resolution.
func german() comms.Config {
	anna, fred := person("anna", comms.BusinessOwner), person("fred", comms.TechnicalContact)
	anna.Language, anna.Zone, fred.Language = "de-AT", "Europe/Vienna", "fr"
	return comms.Config{
		Stakeholders: []comms.Stakeholder{anna, fred, person("tec", comms.TechnicalContact)},
		Rooms:        []comms.Room{{Channel: comms.Slack, Address: "#betrieb", Language: "DE"}},
		Phrases: map[string]comms.Phrases{"de": {
			UnknownService: "unbekannter Dienst", UnknownTime: "unbekannte Zeit", LastMessage: "Weitere Meldungen folgen nicht.",
			SeverityNow: "Jetzt {severity}.", FalseAlarm: "Fehlalarm: {reason}", Merged: "Weiter in {incident_id}.",
		}},
		Templates: []comms.Template{
			{Severity: incident.P2, Type: comms.Initial, Language: "de", Subject: "[{severity}] Störung {service_name}", Body: "{description}, alle {update_interval}, bis {next_update_due}"},
			{Severity: incident.P2, Type: comms.News, Language: "de", Subject: "[{severity}] Neues", Body: "nach {duration}: {update_message}"},
		},
	}
}

// TestLanguages: each reads the texts of their language, as a whole, or those of the
// default one.
func TestLanguages(t *testing.T) {
	config := german()
	plan := newPlan(t, config)
	thread := plan.Open("acme", "INC-2024-001")
	s := state(incident.P2)
	s.Services = nil
	got := apply(t, thread, s, after(0))
	want(t, "initial", got, "initial :slack:#betrieb slack", "initial anna email", "initial fred email", "initial tec email")
	const room = "user authentication is down, alle 30 min, bis 2026-03-02 11:30:00 UTC"
	for i, w := range []struct{ subject, body, language string }{
		{"[P2] Störung unbekannter Dienst", room, "de"},
		{"[P2] Störung unbekannter Dienst", room + " (2026-03-02 12:30 Europe/Vienna)", "de"},
		{"[P2 HIGH] unknown service - INC-2024-001", "", ""},
		{"[P2 HIGH] unknown service - INC-2024-001", "", ""},
	} {
		if m := got[i]; m.Subject != w.subject || m.Language != w.language || w.body != "" && m.Body != w.body {
			t.Errorf("%s reads %q %q in %q, want %q %q", m.Recipient, m.Subject, m.Body, m.Language, w.subject, w.body)
		}
	}
	if got[2].Body != got[3].Body {
		t.Errorf("without French texts: %q, want %q", got[2].Body, got[3].Body)
	}
	got = only(apply(t, thread, withNews(s, "gefunden"), after(85)), "anna")
	if want(t, "news", got, "update anna email"); got[0].Body != "nach 1 h 25 min: gefunden" {
		t.Errorf("body %q", got[0].Body)
	}
	lower := withNews(s, "gefunden")
	lower.Severity = incident.P3
	got = only(apply(t, thread, lower, after(120)), "anna")
	if want(t, "lowered", got, "closing anna email"); got[0].Body != "nach 2 h: Jetzt P3. Weitere Meldungen folgen nicht." {
		t.Errorf("body %q", got[0].Body)
	}

	// The rest of the phrases, once there is a text for the end.
	config.Templates = append(config.Templates, comms.Template{Severity: incident.P2, Type: comms.Resolution, Language: "de", Subject: "Ende", Body: "{resolution_message} ({total_duration})"})
	for status, body := range map[incident.Status]string{
		incident.Cancelled: "Fehlalarm: {severity} (unbekannte Zeit)", incident.Merged: "Weiter in INC-9. (unbekannte Zeit)", incident.Resolved: "restarted (unbekannte Zeit)",
	} {
		thread := newPlan(t, config).Open("acme", "INC-2024-001")
		apply(t, thread, s, after(0))
		over := s
		over.Status, over.Reason, over.MergedInto, over.Resolution, over.Times = status, "{severity}", "INC-9", "restarted", incident.Times{}
		if got := only(apply(t, thread, over, after(5)), "anna"); len(got) != 1 || got[0].Body != body {
			t.Errorf("%s: %+v, want %q", status, got, body)
		}
	}
}

// TestLanguagesInPreview: whoever does not get their language is told of.
func TestLanguagesInPreview(t *testing.T) {
	config := german()
	config.Stakeholders[2].Language = "en-GB" // a region of the default language
	notes := func() (out []string) {
		for _, p := range newPlan(t, config).Preview(state(incident.P2), start) {
			for _, n := range p.Notes {
				out = append(out, p.ID+" "+string(n.Type)+": "+n.Text)
			}
		}
		return out
	}
	wanted := []string{
		`:slack:#betrieb resolution: no text in "de": it is in the default language, "en"`,
		`anna resolution: no text in "de-at": it is in the default language, "en"`,
		`fred initial: no text in "fr": it is in the default language, "en"`,
		`fred update: no text in "fr": it is in the default language, "en"`,
		`fred resolution: no text in "fr": it is in the default language, "en"`,
	}
	if got := notes(); !slices.Equal(got, wanted) {
		t.Errorf("notes %q, want %q", got, wanted)
	}
	config.Language = "fr" // the texts that name none are French
	if got := notes(); slices.ContainsFunc(got, func(n string) bool { return n[:4] == "fred" }) || len(got) != 5 {
		t.Errorf("notes %q, want none about fred and three about tec", got)
	}
}

func TestLanguageErrors(t *testing.T) {
	for path, spoil := range map[string]func(*comms.Config){
		"language":                 func(c *comms.Config) { c.Language = "de_AT" },
		"stakeholders[0].language": func(c *comms.Config) { c.Stakeholders[0].Language = "deutsch-und-österreichisch" },
		"stakeholders[1].language": func(c *comms.Config) { c.Stakeholders[1].Language = "fr-" },
		"rooms[0].language":        func(c *comms.Config) { c.Rooms[0].Language = "a\r\nb" },
		"phrases.de":               func(c *comms.Config) { c.Phrases = nil },
		"phrases.pt":               func(c *comms.Config) { c.Templates[0].Language = "PT" },
		"phrases.-":                func(c *comms.Config) { c.Phrases["-"] = c.Phrases["de"] },
		"phrases.de.last_message": func(c *comms.Config) {
			c.Phrases["de"] = comms.Phrases{UnknownService: "s", UnknownTime: "t", SeverityNow: "s", FalseAlarm: "f", Merged: "m"}
		},
		"phrases.de.false_alarm":  func(c *comms.Config) { p := c.Phrases["de"]; p.FalseAlarm = "{severity}"; c.Phrases["de"] = p },
		"phrases.de.unknown_time": func(c *comms.Config) { p := c.Phrases["de"]; p.UnknownTime = "{}"; c.Phrases["de"] = p },
	} {
		c := german()
		spoil(&c)
		_, err := comms.New(c)
		bad, ok := errors.AsType[*comms.ConfigError](err)
		if !ok || bad.Path != path {
			t.Errorf("%s: New = %v, want an error there", path, err)
		}
	}
	for part, spoil := range map[string]func(*comms.Template){
		"language": func(t *comms.Template) { t.Language = "x y" },
		"channels": func(t *comms.Template) { t.Channels = []comms.Channel{comms.SMS} },
		"body":     func(t *comms.Template) { t.Body = "{update_message}" },
	} {
		c := german()
		spoil(&c.Templates[0])
		_, err := comms.New(c)
		bad, ok := errors.AsType[*comms.TemplateError](err)
		if !ok || bad.Part != part || bad.Language != c.Templates[0].Language {
			t.Errorf("%s: New = %v, want a TemplateError there", part, err)
		}
	}
	once := german()
	once.Phrases["DE"] = once.Phrases["de"]
	_, err := comms.New(once)
	if bad, ok := errors.AsType[*comms.ConfigError](err); !ok || bad.Path != "phrases.de" {
		t.Errorf("New with phrases in de and DE = %v, want an error", err)
	}
	// A translation is no text of the default language.
	c := german()
	c.OwnTemplates = true
	_, err = comms.New(c)
	if bad, ok := errors.AsType[*comms.TemplateError](err); !ok || bad.Part != "template" {
		t.Errorf("New with nothing but translations = %v, want the missing templates", err)
	}
}
