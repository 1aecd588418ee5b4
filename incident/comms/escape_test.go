package comms_test

import (
	"errors"
	"html"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// oneText is a plan that sends a text as subject and body, on every channel, by
// channel.
func oneText(tb testing.TB, subject, body string, asHTML bool, syntax comms.Syntax) func(testing.TB, incident.State) map[comms.Channel]comms.Message {
	tb.Helper()
	p := person("tec", comms.TechnicalContact)
	p.Contact["phone"] = "+15550104"
	plan := newPlan(tb, comms.Config{
		Stakeholders: []comms.Stakeholder{p},
		Rooms:        []comms.Room{{Channel: comms.Slack, Address: "#ops"}, {Channel: comms.Webhook, Address: "https://hook.example"}},
		Templates: []comms.Template{{
			Severity: incident.P1, Type: comms.Initial, Subject: subject, Body: body, HTML: asHTML, Syntax: syntax,
			Channels: []comms.Channel{comms.Email, comms.SMS, comms.Slack, comms.Webhook},
		}},
	})
	return func(tb testing.TB, s incident.State) map[comms.Channel]comms.Message {
		tb.Helper()
		out := map[comms.Channel]comms.Message{}
		for _, m := range apply(tb, plan.Open("acme", "INC-2024-001"), s, start) {
			out[m.Channel] = m
		}
		if len(out) != 4 {
			tb.Fatalf("messages on %d channels, want 4", len(out))
		}
		return out
	}
}

// TestMentions: a title that somebody else wrote calls nobody in a room, a template
// may.
func TestMentions(t *testing.T) {
	s := state(incident.P1)
	s.Title = "@here <!channel> <@U1> bob@example.com (@everyone) _@all é@here 7@x @"
	// A space without width behind the @ that begin a word.
	const muted = "@\u200bhere <!channel> <@\u200bU1> bob@example.com (@\u200beveryone) _@\u200ball é@here 7@x @\u200b"
	const slack = "@\u200bhere &lt;!channel&gt; &lt;@\u200bU1&gt; bob@example.com (@\u200beveryone) _@\u200ball é@here 7@x @\u200b"
	got := oneText(t, "<!here> @ops {description}", "<!here> @ops {description}", false, comms.Braces)(t, s)
	for channel, title := range map[comms.Channel]string{comms.Slack: slack, comms.Webhook: muted, comms.Email: s.Title, comms.SMS: s.Title} {
		if m := got[channel]; m.Body != "<!here> @ops "+title || m.Subject != m.Body {
			t.Errorf("%s: %q %q, want %q", channel, m.Subject, m.Body, title)
		}
	}
}

// TestValuesAreNoTemplates: braces in what others wrote stay what they are.
func TestValuesAreNoTemplates(t *testing.T) {
	const text = "{incident_id} {unknown} {{severity}} {{.severity}} {0} }{ %s"
	for syntax, template := range map[comms.Syntax]string{comms.Braces: "{description}", comms.GoTemplate: "{{.description}}"} {
		s := state(incident.P1)
		s.Title = text
		for channel, m := range oneText(t, template, template, true, syntax)(t, s) {
			if m.Subject != text || m.Body != text {
				t.Errorf("%s %s: %q %q, want %q", syntax, channel, m.Subject, m.Body, text)
			}
		}
	}
	thread := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{person("tec", comms.TechnicalContact)}}).Open("acme", "INC-2024-001")
	apply(t, thread, state(incident.P3), after(0))
	over := withNews(state(incident.P3), text)
	news := apply(t, thread, over, after(1))
	over = resolved(over)
	over.Resolution = text
	for _, m := range append(news, apply(t, thread, over, after(2))...) {
		if !strings.Contains(m.Body, "\n"+text) {
			t.Errorf("%s: body %q, want %q in it", m.Type, m.Body, text)
		}
	}
}

// TestUnknownKeys: a name that a type of message does not have is an error with its
// place, in subject and body, for each type and in both syntaxes.
func TestUnknownKeys(t *testing.T) {
	for _, kind := range []comms.Type{comms.Initial, comms.News, comms.Resolution} {
		for _, name := range []string{"a key that is not known", "Severity", " severity", "severity ", "severity!r", "severity:>9", "severity.word", "0", "", "=severity", "description", "update_message", "resolution_message"} {
			if slices.Contains(comms.Placeholders(kind), name) {
				continue
			}
			for part, tpl := range map[string]comms.Template{
				"subject": {Subject: "é {" + name + "}", Body: "b"},
				"body":    {Subject: "s", Body: "é {" + name + "}"},
			} {
				tpl.Severity, tpl.Type, tpl.Channels = incident.P1, kind, []comms.Channel{comms.Email}
				_, err := comms.New(comms.Config{Templates: []comms.Template{tpl}})
				bad, ok := errors.AsType[*comms.TemplateError](err)
				if !ok || bad.Part != part || bad.Column != 3 || bad.Type != kind || !strings.Contains(bad.Want, "{"+name+"}") || !strings.Contains(bad.Want, "service_name") {
					t.Errorf("{%s} in the %s of %s: %v, want an error at column 3", name, part, kind, err)
				}
			}
		}
		for part, tpl := range map[string]comms.Template{
			"subject": {Subject: "é {{.unknown}}", Body: "b"},
			"body":    {Subject: "s", Body: "é {{.unknown}}"},
		} {
			tpl.Severity, tpl.Type, tpl.Channels, tpl.Syntax = incident.P1, kind, []comms.Channel{comms.Email}, comms.GoTemplate
			_, err := comms.New(comms.Config{Templates: []comms.Template{tpl}})
			if bad, ok := errors.AsType[*comms.TemplateError](err); !ok || bad.Part != part || bad.Column != 5 || !strings.Contains(bad.Want, ".service_name") {
				t.Errorf("{{.unknown}} in the %s of %s: %v, want an error at column 5", part, kind, err)
			}
		}
	}
}

// TestComparisonsSeeValues: a branch is the same on every channel, whatever has to be
// escaped there.
func TestComparisonsSeeValues(t *testing.T) {
	s := state(incident.P1)
	s.Services = []string{"R&D <1>"}
	written := map[comms.Channel]string{
		comms.Email: "R&amp;D &lt;1&gt;", comms.Slack: "R&amp;D &lt;1&gt;", comms.SMS: "R&D <1>", comms.Webhook: "R&D <1>",
	}
	for _, condition := range []string{
		`eq .service_name "R&D <1>"`, `.service_name | eq "R&D <1>"`, `not (ne .service_name "R&D <1>")`,
		`and .severity (eq "x" .incident_id (print .service_name) | not | eq true)`, `eq (print .service_name) "R&D <1>" | eq (eq .service_name "R&D <1>")`,
	} {
		for channel, m := range oneText(t, "s", `{{if `+condition+`}}yes {{print .service_name}}{{else}}no{{end}}`, true, comms.GoTemplate)(t, s) {
			if m.Body != "yes "+written[channel] {
				t.Errorf("%s on %s: %q, want yes and %q", condition, channel, m.Body, written[channel])
			}
		}
	}
}

// TestOneLine: what others wrote puts no second line into a subject or a digest.
func TestOneLine(t *testing.T) {
	evil := "shop\r\nBcc: x@example.com\n\rz"
	s := state(incident.P2)
	s.Services, s.Title = []string{evil}, evil
	boss := person("own", comms.BusinessOwner)
	boss.Preferences.Digest = comms.Daily
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{boss}})
	thread := plan.Open("acme", "INC-2024-001")
	all := append(apply(t, thread, s, after(0)), thread.Step(after(30))...)
	digests := plan.Digests("acme", []incident.State{s}, start, start.AddDate(0, 0, 1))
	want(t, "messages", append(all, digests...), "initial own email", "reminder lea page", "digest own email")
	for _, m := range append(all, digests...) {
		if strings.ContainsAny(m.Subject, "\r\n") {
			t.Errorf("%s: subject %q has more than one line", m.Type, m.Subject)
		}
	}
	if n := strings.Count(digests[0].Body, "\n"); n != 2 || strings.Contains(digests[0].Body, "\r") { // a head, an empty line and one about the incident
		t.Errorf("digest %q has %d line ends, want 2", digests[0].Body, n)
	}
}

// TestLongSMS: ten parts are the most, of 153 GSM characters or 67 others.
func TestLongSMS(t *testing.T) {
	s := state(incident.P1)
	for _, tt := range []struct {
		title, body string
	}{
		{strings.Repeat("a", 1530), strings.Repeat("a", 1530)},
		{strings.Repeat("a", 1531), strings.Repeat("a", 1526) + " ..."},
		{strings.Repeat("я", 670), strings.Repeat("я", 670)},
		{strings.Repeat("я", 100_000), strings.Repeat("я", 666) + " ..."},
		{strings.Repeat("😀", 336), strings.Repeat("😀", 328) + " ..."}, // 33 in each of nine parts, 31 and the mark in the last
	} {
		s.Title = tt.title
		got := oneText(t, "s", "{description}", false, comms.Braces)(t, s)
		if m := got[comms.SMS]; m.Body != tt.body || m.Segments != 10 {
			t.Errorf("%d characters of %.1q: %d segments, %d characters, want 10 and %d", len([]rune(tt.title)), tt.title, m.Segments, len([]rune(m.Body)), len([]rune(tt.body)))
		}
		if got[comms.Email].Body != tt.title {
			t.Error("the mail is cut, too")
		}
	}
}

// FuzzValues: nothing that others write is markup, calls anybody in a room or begins
// another line of a subject, and people still read what was written.
func FuzzValues(f *testing.F) {
	f.Add("a <b> & \"c\" 'd'\r\nBcc: x@example.com")
	f.Add("@here <!channel|@x> &lt;!here&gt; \u200b@\u200beveryone \xff@all")
	f.Add("{severity} {{.severity}} }}{{")
	texts := map[comms.Syntax]func(testing.TB, incident.State) map[comms.Channel]comms.Message{
		comms.Braces:     oneText(f, "{description}", "{description}", true, comms.Braces),
		comms.GoTemplate: oneText(f, "{{.description}}", `{{printf "%s" .description}}`, true, comms.GoTemplate),
	}
	visible := func(text string) string { return strings.ReplaceAll(text, "\u200b", "") }
	f.Fuzz(func(t *testing.T, title string) {
		s := state(incident.P1)
		s.Title = title
		for syntax, send := range texts {
			got := send(t, s)
			for channel, m := range got {
				if strings.ContainsAny(m.Subject, "\r\n") {
					t.Errorf("%s: subject %q has more than one line", channel, m.Subject)
				}
				if channel.Shared() {
					before := ' '
					for i, r := range m.Body {
						if r == '@' && !unicode.IsLetter(before) && !unicode.IsDigit(before) && !strings.HasPrefix(m.Body[i+1:], "\u200b") {
							t.Errorf("%s: body %q calls somebody", channel, m.Body)
						}
						before = r
					}
				}
				read := m.Body
				if channel == comms.Slack || channel == comms.Email {
					if strings.ContainsAny(read, "<>") {
						t.Errorf("%s: body %q has markup", channel, read)
					}
					read = html.UnescapeString(read)
				}
				if channel != comms.SMS && visible(read) != visible(title) {
					t.Errorf("%s %s: body %q reads %q, want %q", syntax, channel, m.Body, read, title)
				}
			}
			if n := got[comms.SMS].Segments; n < 1 || n > 10 {
				t.Errorf("%d segments", n)
			}
		}
	})
}
