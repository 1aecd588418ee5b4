package comms

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// Type says what a message is for.
type Type string

// The types. The first three have templates; a closing note uses that of an
// update, reminders and undeliverable messages are for the lead of the incident,
// and digests are about many.
const (
	Initial       Type = "initial"       // it begins, or somebody joins
	News          Type = "update"        // there is news
	Resolution    Type = "resolution"    // it is over
	Closing       Type = "closing"       // the severity is lower now, no further messages
	Reminder      Type = "reminder"      // an update is overdue
	Undeliverable Type = "undeliverable" // somebody cannot be reached
	Digest        Type = "digest"        // a summary of all incidents; see Plan.Digests
)

// Template is the text of one type of message about one severity.
type Template struct {
	Severity incident.Severity `json:"severity"`
	Type     Type              `json:"template_type"`
	Subject  string            `json:"subject_template"`
	Body     string            `json:"body_template"`
	Channels []Channel         `json:"channels"`
	// HTML says that the body is HTML when sent by e-mail, so that values are
	// escaped there. Defaults to plain text.
	HTML bool `json:"html,omitempty"`
	// Syntax is that of subject and body. Defaults to Braces.
	Syntax Syntax `json:"syntax,omitempty"`
}

// Syntax is how a template names a value.
type Syntax string

// The syntaxes. Both refuse names that the type of message does not have.
const (
	Braces     Syntax = ""              // {service_name}; a brace itself is written twice
	GoTemplate Syntax = "text/template" // {{.service_name}}, {{if eq .severity "P1"}}…{{else}}…{{end}}; see package text/template
)

// Placeholders returns the names that a template of a type may use.
func Placeholders(t Type) []string {
	common := []string{"incident_id", "service_name", "severity", "timestamp", "update_interval", "next_update_due"}
	switch t {
	case Initial:
		return append(common, "description")
	case News:
		return append(common, "update_message", "duration")
	case Resolution:
		return append(common, "resolution_message", "total_duration")
	default: // no template of their own
		return nil
	}
}

// TemplateError reports a template that cannot be used.
type TemplateError struct {
	Severity incident.Severity
	Type     Type
	Part     string // "subject", "body", "channels", "syntax", or "template" for one that is missing
	Column   int    // in characters, from 1; 0 for the whole part
	Found    string
	Want     string
}

// Error names the template, the place and what was expected.
func (e *TemplateError) Error() string {
	at := e.Part
	if e.Column > 0 {
		at += fmt.Sprintf(" column %d", e.Column)
	}
	return fmt.Sprintf("comms: template %s %s: %s: %q: want %s", e.Severity, e.Type, at, e.Found, e.Want)
}

// text is a compiled template text. It returns an error only if it is a
// GoTemplate that failed in a way which its check could not foresee.
type text interface {
	render(values map[string]string) (string, error)
}

// compiled is a template ready for use.
type compiled struct {
	Template
	subject, body text
}

// render fills in the values for a channel.
func (c *compiled) render(values map[string]string, channel Channel) (subject, body string, err error) {
	if subject, err = c.subject.render(values); err != nil {
		return "", "", err
	}
	escape := escaperOf(channel, c.HTML)
	escaped := make(map[string]string, len(values))
	for name, value := range values {
		escaped[name] = escape(value)
	}
	body, err = c.body.render(escaped)
	return oneLine.Replace(subject), body, err
}

// compileTemplate checks a template; cadence is the promised time between
// updates of its severity.
func compileTemplate(t Template, cadence time.Duration) (*compiled, error) {
	fail := func(part string, column int, found, want string) error {
		return &TemplateError{Severity: t.Severity, Type: t.Type, Part: part, Column: column, Found: found, Want: want}
	}
	known := Placeholders(t.Type)
	t.Channels = slices.Clone(t.Channels)
	var parse func(from string, known []string) (out text, column int, want string)
	switch t.Syntax {
	case Braces:
		parse = parseBraces
	case GoTemplate:
		parse = parseGo
	default:
		return nil, fail("syntax", 0, string(t.Syntax), fmt.Sprintf("nothing or %q", GoTemplate))
	}
	c := &compiled{Template: t}
	for _, part := range []struct {
		name string
		from string
		to   *text
	}{{"subject", t.Subject, &c.subject}, {"body", t.Body, &c.body}} {
		compiledText, column, want := parse(part.from, known)
		if want != "" {
			return nil, fail(part.name, column, part.from, want)
		}
		if literal, column := otherInterval(part.from, cadence); literal != "" {
			return nil, fail(part.name, column, literal, "{update_interval}, or the interval of the severity, "+spoken(cadence))
		}
		*part.to = compiledText
	}
	switch {
	case t.Subject == "":
		return nil, fail("subject", 0, "", "a text")
	case strings.ContainsAny(t.Subject, "\r\n"):
		return nil, fail("subject", 0, t.Subject, "one line")
	case t.Body == "":
		return nil, fail("body", 0, "", "a text")
	case len(t.Channels) == 0:
		return nil, fail("channels", 0, "", "at least one of email, sms, slack, webhook")
	}
	for _, ch := range t.Channels {
		switch ch {
		case Email, SMS, Slack, Webhook:
		default:
			return nil, fail("channels", 0, string(ch), "email, sms, slack or webhook")
		}
	}
	return c, nil
}

// pieces is a text with placeholders in braces: literals and placeholders in turn.
type pieces []piece

type piece struct {
	literal string
	name    string // of the placeholder behind the literal; empty at the end
}

func (t pieces) render(values map[string]string) (string, error) {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.literal)
		b.WriteString(values[p.name])
	}
	return b.String(), nil
}

// parseBraces splits a template text. want is empty, or says what was expected
// at the column.
func parseBraces(from string, known []string) (_ text, column int, want string) {
	var out pieces
	var literal strings.Builder
	at := func(i int) int { return utf8.RuneCountInString(from[:i]) + 1 }
	if !utf8.ValidString(from) {
		return nil, 0, "UTF-8 text"
	}
	for i := 0; i < len(from); i++ {
		switch c := from[i]; {
		case (c == '{' || c == '}') && i+1 < len(from) && from[i+1] == c:
			literal.WriteByte(c)
			i++
		case c == '}':
			return nil, at(i), "a placeholder before the closing brace, or two of them"
		case c == '{':
			end := strings.IndexAny(from[i+1:], "{}")
			if end < 0 || from[i+1+end] != '}' {
				return nil, at(i), "a closing brace, or two opening ones"
			}
			name := from[i+1 : i+1+end]
			if !slices.Contains(known, name) {
				return nil, at(i), fmt.Sprintf("instead of {%s} one of %s", name, strings.Join(known, ", "))
			}
			out = append(out, piece{literal: literal.String(), name: name})
			literal.Reset()
			i += end + 1
		default:
			literal.WriteByte(c)
		}
	}
	if literal.Len() > 0 {
		out = append(out, piece{literal: literal.String()})
	}
	return out, 0, ""
}

// otherInterval finds a promise like "every 15 minutes" or "hourly" that is not the
// cadence.
func otherInterval(from string, cadence time.Duration) (literal string, column int) {
	const marks = ".,;:()!"
	for word, rest := nextWord(from); word != ""; word, rest = nextWord(rest) {
		promised, at := time.Duration(-1), 0
		switch literal = strings.Trim(word, marks); strings.ToLower(literal) {
		case "hourly":
			promised, at = time.Hour, len(from)-len(rest)-len(strings.TrimLeft(word, marks))
		case "every", "each":
			first, after := nextWord(rest)
			second, _ := nextWord(after)
			at = len(from) - len(after) - len(first)
			for _, text := range []string{first + " " + second, first, "1 " + first} {
				text = strings.TrimRight(text, marks)
				if d, err := threshold.ParseDuration(text); err == nil {
					promised, literal = d, strings.TrimPrefix(text, "1 ")
					break
				}
			}
		}
		if promised >= 0 && promised != cadence {
			return literal, utf8.RuneCountInString(from[:at]) + 1
		}
	}
	return "", 0
}

// nextWord splits the first word off.
func nextWord(text string) (word, rest string) {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

// spoken writes a duration of whole minutes for people.
func spoken(d time.Duration) string {
	if d%time.Minute != 0 {
		return threshold.FormatDuration(d)
	}
	if d == time.Minute {
		return "1 minute"
	}
	return fmt.Sprintf("%d minutes", d/time.Minute)
}

var (
	slackEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	htmlEscaper  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")
	oneLine      = strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ")
)

// escaperOf returns how values are written into a body of a channel. Slack's
// three characters: https://docs.slack.dev/messaging/formatting-message-text
func escaperOf(c Channel, html bool) func(string) string {
	switch {
	case c == Slack:
		return slackEscaper.Replace
	case c == Email && html:
		return htmlEscaper.Replace
	}
	return func(s string) string { return s }
}

// DefaultTemplates returns twelve texts, one for each severity and type. P1
// goes to e-mail, SMS and Slack, P2 to e-mail and Slack, the others to e-mail.
func DefaultTemplates() []Template {
	channels := map[incident.Severity][]Channel{
		incident.P1: {Email, SMS, Slack}, incident.P2: {Email, Slack}, incident.P3: {Email}, incident.P4: {Email},
	}
	var out []Template
	for _, s := range incident.Severities {
		label := fmt.Sprintf("%s %s", s, strings.ToUpper(s.Word()))
		out = append(out,
			Template{
				Severity: s, Type: Initial, Channels: channels[s],
				Subject: "[" + label + "] {service_name} - {incident_id}",
				Body: "{service_name} has a {severity} incident, {incident_id}, as of {timestamp}.\n" +
					"{description}\n" +
					"We report every {update_interval}; expect the next news by {next_update_due}.",
			},
			Template{
				Severity: s, Type: News, Channels: channels[s],
				Subject: "[" + s.String() + " update] {service_name} - {incident_id}",
				Body: "{incident_id} on {service_name} ({severity}) after {duration}, {timestamp}:\n" +
					"{update_message}\n" +
					"Expect the next news by {next_update_due}.",
			},
			Template{
				Severity: s, Type: Resolution, Channels: channels[s],
				Subject: "[" + s.String() + " resolved] {service_name} - {incident_id}",
				Body: "{incident_id} on {service_name} ({severity}) is over since {timestamp}. It took {total_duration}.\n" +
					"{resolution_message}",
			})
	}
	return out
}

// segments counts the SMS messages that a text needs: 160 characters of the
// GSM alphabet or 70 of UCS-2 in one, 153 or 67 in each of several (3GPP TS
// 23.038 and 23.040).
func segments(text string) int {
	const basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	const extended = "^{}\\[~]|€" // two septets each
	septets, units, gsm := 0, 0, true
	for _, r := range text {
		units++
		if r > 0xffff {
			units++
		}
		switch {
		case strings.ContainsRune(basic, r):
			septets++
		case strings.ContainsRune(extended, r):
			septets += 2
		default:
			gsm = false
		}
	}
	size, single, part := septets, 160, 153
	if !gsm {
		size, single, part = units, 70, 67
	}
	if size <= single {
		return 1
	}
	return (size + part - 1) / part
}
