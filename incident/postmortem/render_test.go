package postmortem_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// hostile is a text that would be markup, a link, a script, a table, a heading, a new
// line or a command of a terminal wherever it were written as it is.
const hostile = "<script>alert(1)</script>|\r\n# h\n- i\n[a](javascript:x)\"'&amp;`c`\x1b[31m\x00\u0085*b*"

// everywhere is a document with a text in every field.
func everywhere(text string) postmortem.Document {
	return postmortem.Document{
		Incident: text, Tenant: text, Title: text, Services: []string{text, text}, Moderator: text, Summary: text, Impact: text, RootCause: text,
		Contributing: []string{text, text}, Detection: text, Helped: []string{text},
		Timeline:   []postmortem.Line{{At: begin, Who: text, Text: text}},
		Recurrence: []incident.Suggestion{{By: text, Value: text, Why: text}},
		Measures:   []postmortem.Measure{{ID: text, Text: text, Type: incident.MeasureType(text), Owner: text, Due: text, Status: postmortem.MeasureStatus(text), Ref: text}},
	}
}

// outlines returns the forms of a document and of a report about it.
func outlines(d postmortem.Document) map[string][]string {
	l := postmortem.Learn([]postmortem.Document{d, {Incident: "b", RootCause: d.RootCause}}, calendar.Interval{}, begin)
	return map[string][]string{
		"md": {d.Markdown(), l.Markdown()}, "html": {d.HTML(), l.HTML()}, "text": {d.Text(), l.Text()},
	}
}

// TestInjection: a hostile text in every field leaves the structure of each form as it
// is with a harmless one.
func TestInjection(t *testing.T) {
	tags := regexp.MustCompile(`<[^>]*>`)
	structure := map[string]func(string) string{
		"html": func(s string) string { return strings.Join(tags.FindAllString(s, -1), "") },
		"md": func(s string) string {
			var out strings.Builder
			for line := range strings.Lines(s) {
				unescaped := regexp.MustCompile(`\\.|&lt;`).ReplaceAllString(line, "")
				marks := regexp.MustCompile("[#|`*\\[\\]<>_&]|^[-+] ").FindAllString(unescaped, -1)
				out.WriteString(strings.Join(marks, "") + "\n")
			}
			return out.String()
		},
		"text": func(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) },
	}
	harmless, attacked := outlines(everywhere("harmless")), outlines(everywhere(hostile))
	for form, of := range structure {
		for i := range harmless[form] {
			if got, want := of(attacked[form][i]), of(harmless[form][i]); got != want {
				t.Errorf("%s %d: structure\n%s\nwant\n%s", form, i, got, want)
			}
			if n := len(harmless[form][i]); n < 500 || !strings.Contains(harmless[form][i], "harmless") {
				t.Errorf("%s %d: %d bytes", form, i, n)
			}
			for _, never := range []string{"<script", "\x1b", "\x00", "\u0085", "\r"} {
				if form == "text" && never == "<script" {
					continue // a terminal shows it
				}
				if form == "md" && never == "\u0085" {
					continue // no mark of Markdown
				}
				if strings.Contains(attacked[form][i], never) {
					t.Errorf("%s %d contains %q", form, i, never)
				}
			}
		}
	}
	if html := attacked["html"][0]; !strings.Contains(html, "&lt;script&gt;alert(1)&lt;/script&gt;|") || !strings.Contains(html, "&#34;&#39;&amp;amp;") {
		t.Errorf("HTML has lost a text:\n%s", html)
	}
}

// TestForms: all forms have the nine headings in their order, figures, and what people
// still have to write.
func TestForms(t *testing.T) {
	d := draft(t, reviewed(t), postmortem.Options{At: begin})
	d.Zone = time.FixedZone("CEST", 2*3600)
	for form, texts := range outlines(d) {
		rest := texts[0]
		for _, heading := range []string{"Post-mortem INC-110", "Summary", "Impact", "Timeline", "Figures", "Root cause", "Contributing factors", "Detection", "What helped", "Measures"} {
			_, after, found := strings.Cut(rest, heading)
			if !found {
				t.Errorf("%s: no %s after the others", form, heading)
			}
			rest = after
		}
		for _, part := range []string{"9h56m", "Not written yet.", "2026-10-14 04:04:00 CEST", "before 2026-10-22 02:00:00 CEST"} {
			if !strings.Contains(strings.ReplaceAll(texts[0], `\`, ""), part) {
				t.Errorf("%s lacks %q:\n%s", form, part, texts[0])
			}
		}
	}
	d.Recurrence = []incident.Suggestion{{Why: "3 incidents"}, {Why: "4 incidents", Problem: "PRB-1"}}
	if text := d.Text(); !strings.Contains(text, "It recurs: 3 incidents. A problem record is suggested.\nIt recurs: 4 incidents.\n\nRoot cause\n----------\nNot written yet.\n") {
		t.Errorf("recurrence:\n%s", text)
	}
}

func TestTextColumns(t *testing.T) {
	d := postmortem.Document{Incident: "INC-1", Measures: []postmortem.Measure{{Text: "Warn früher", Owner: "sre"}, {Text: "x", Type: incident.Prevent}}}.AsOf(begin)
	want := `Measures
--------
measure      type     owner  due  anchored in  state
Warn früher           sre                      open
x            prevent                           open
`
	if text := d.Text(); !strings.HasSuffix(text, want) {
		t.Errorf("got\n%s\nwant at its end\n%s", text, want)
	}
}
