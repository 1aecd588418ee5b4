package postmortem

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// Markdown returns the document as CommonMark with tables. All texts are escaped:
// they cannot become markup, links or HTML.
func (d Document) Markdown() string { return d.page().markdown() }

// HTML returns the document as one self-contained page without scripts. All texts
// are escaped.
func (d Document) HTML() string { return d.page().html() }

// Text returns the document for a terminal, without control characters.
func (d Document) Text() string { return d.page().text() }

func (d Document) page() page {
	return page{title: fmt.Sprintf("Post-mortem %s: %s", d.Incident, d.Title), sections: []section{
		{table: d.facts()},
		{heading: "Summary", texts: written(d.Summary)},
		{heading: "Impact", texts: written(d.Impact)},
		{heading: "Timeline", table: d.extract(), empty: "No entries."},
		{heading: "Figures", table: d.figures(), texts: d.recurs()},
		{heading: "Root cause", texts: written(d.RootCause)},
		{heading: "Contributing factors", list: d.Contributing},
		{heading: "Detection", texts: written(d.Detection)},
		{heading: "What helped", list: d.Helped},
		{heading: "Measures", table: d.measures()},
	}}
}

// written is a text that people write; none if they have not.
func written(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

func (d Document) facts() [][]string {
	due := "not resolved yet"
	if !d.Due.IsZero() {
		due = "before " + d.clock(d.Due)
	}
	return [][]string{
		{"severity", "services", "moderator", "review due"},
		{d.Severity.String(), cmp.Or(strings.Join(d.Services, ", "), "none named"), cmp.Or(d.Moderator, "missing"), due},
	}
}

func (d Document) clock(at time.Time) string {
	return at.In(cmp.Or(d.Zone, time.UTC)).Format(time.DateTime + " MST")
}

func (d Document) extract() [][]string {
	if len(d.Timeline) == 0 {
		return nil
	}
	rows := [][]string{{"time", "who", "what"}}
	for _, l := range d.Timeline {
		rows = append(rows, []string{d.clock(l.At), l.Who, l.Text})
	}
	return rows
}

// Figure is one of the durations with its definition.
type Figure struct {
	Name     string
	From, To incident.Milestone
	Seconds  *int64 // nil without data
}

// Figures returns the durations in their order, with what they were taken between.
func (d Document) Figures() []Figure {
	f := func(name string, s incident.Span, seconds *int64) Figure {
		return Figure{name, s.From(), s.To(), seconds}
	}
	return []Figure{
		f("detect", incident.MTTD, d.Durations.Detect),
		f("acknowledge", incident.MTTA, d.Durations.Acknowledge),
		f("restore", incident.TimeToRestore, d.Durations.Restore),
		f("resolve", incident.MTTR, d.Durations.Resolve),
	}
}

func (d Document) figures() [][]string {
	rows := [][]string{{"figure", "from", "to", "duration"}}
	for _, f := range d.Figures() {
		text := "no data"
		if f.Seconds != nil {
			text = threshold.FormatDuration(time.Duration(*f.Seconds) * time.Second)
		}
		rows = append(rows, []string{"time to " + f.Name, f.From.String(), f.To.String(), text})
	}
	return rows
}

func (d Document) recurs() []string {
	var out []string
	for _, s := range d.Recurrence {
		text := "It recurs: " + s.Why + "."
		if s.Problem == "" {
			text += " A problem record is suggested."
		}
		out = append(out, text)
	}
	return out
}

func (d Document) measures() [][]string {
	if len(d.Measures) == 0 {
		return nil
	}
	rows := [][]string{{"measure", "type", "owner", "due", "anchored in", "state"}}
	for _, m := range d.Measures {
		state := string(m.Status)
		if m.Overdue {
			state = "overdue"
		}
		rows = append(rows, []string{m.Text, string(m.Type), m.Owner, m.Due, m.Ref, state})
	}
	return rows
}
