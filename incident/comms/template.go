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
	// Language is that of the texts. A template in another one than the default is a
	// translation: it names no channels, which are those of the default.
	Language string `json:"language,omitempty"`
	// HTML says that the body is HTML when sent by e-mail, so that values are
	// escaped there. They may stand in text and in attributes in quotes, and at the end
	// of a link to a host that the template names. Defaults to plain text.
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
	Language string // empty for the default one
	Part     string // "subject", "body", "channels", "language", "syntax", or "template" for one that is missing
	Column   int    // in characters, from 1; 0 for the whole part
	Value    string
	Want     string
}

// Error names the template, the place and what was expected.
func (e *TemplateError) Error() string {
	at := e.Part
	if e.Column > 0 {
		at += fmt.Sprintf(" column %d", e.Column)
	}
	name := strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Severity, e.Type, e.Language))
	return fmt.Sprintf("comms: template %s: %s: %q: want %s", name, at, e.Value, e.Want)
}

// text is a compiled template text. It returns an error only if it is a
// GoTemplate that failed in a way which its check could not foresee.
type text interface {
	render(values map[string]string) (string, error)
	// checkHTML says what was expected at the column of the first value that stands
	// where escaping it is not enough, or nothing.
	checkHTML(from string) (column int, want string)
}

// compiled is a template ready for use.
type compiled struct {
	Template
	subject, body text
}

// render fills in the values for a channel.
func (c *compiled) render(values map[string]string, channel Channel) (subject, body string, err error) {
	inBody := escaped(values, escaperOf(channel, c.HTML))
	inSubject := inBody
	if c.HTML {
		inSubject = escaped(values, escaperOf(channel, false))
	}
	if subject, err = c.subject.render(inSubject); err != nil {
		return "", "", err
	}
	body, err = c.body.render(inBody)
	return oneLine.Replace(subject), body, err
}

// escaped returns the values as they are written, and under unescaped names as they
// are.
func escaped(values map[string]string, escape func(string) string) map[string]string {
	out := make(map[string]string, 2*len(values))
	for name, value := range values {
		out[name], out[unescaped(name)] = escape(value), value
	}
	return out
}

// unescaped is the name of a value that is compared, not written. No template can
// spell it.
func unescaped(name string) string { return "=" + name }

// compileTemplate checks a template; cadence is the promised time between
// updates of its severity, translation whether it is in another language than the
// default.
func compileTemplate(t Template, cadence time.Duration, translation bool) (*compiled, error) {
	fail := func(part string, column int, found, want string) error {
		return &TemplateError{Severity: t.Severity, Type: t.Type, Language: t.Language, Part: part, Column: column, Value: found, Want: want}
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
			return nil, fail(part.name, column, literal, "{update_interval}, or the interval of the severity, "+english.spoken(cadence))
		}
		if t.HTML && part.name == "body" {
			if column, want := compiledText.checkHTML(part.from); want != "" {
				return nil, fail(part.name, column, part.from, want)
			}
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
	case !isTag(t.Language):
		return nil, fail("language", 0, t.Language, wantTag)
	case translation && len(t.Channels) > 0:
		return nil, fail("channels", 0, string(t.Channels[0]), "none: a translation goes where the template of the default language goes")
	case !translation && len(t.Channels) == 0:
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
	column  int    // of the placeholder
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
			out = append(out, piece{literal: literal.String(), name: name, column: at(i)})
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

var (
	slackEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	htmlEscaper  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")
	oneLine      = strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ")
)

// escaperOf returns how values are written into a text for a channel. Slack's
// three characters: https://docs.slack.dev/messaging/formatting-message-text
func escaperOf(c Channel, html bool) func(string) string {
	switch {
	case c == Slack:
		return func(s string) string { return mute(slackEscaper.Replace(s)) }
	case c == Webhook:
		return mute
	case c == Email && html:
		return htmlEscaper.Replace
	}
	return func(s string) string { return s }
}

// mute puts a space without width behind every @ that does not follow a letter or
// digit, as that of an e-mail address does: a room reads the same text, and nobody
// in it is called by a title like "@here". Mattermost and Discord look for names in
// plain text, Slack where the sender asks for it.
func mute(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	var b strings.Builder
	from, before := 0, ' '
	for i, r := range text {
		if r == '@' && !unicode.IsLetter(before) && !unicode.IsDigit(before) {
			b.WriteString(text[from:i+1] + "\u200b")
			from = i + 1
		}
		before = r
	}
	return b.String() + text[from:]
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
