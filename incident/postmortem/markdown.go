package postmortem

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// unwritten stands where people have to write.
const unwritten = "_Not written yet._"

// Markdown returns the document as CommonMark. All texts are escaped: they
// cannot become markup, links or HTML.
func (d Document) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Post-mortem %s: %s\n", escape(d.Incident), escape(d.Title))
	section(&b, "Summary", paragraph(d.Summary))
	section(&b, "Impact", paragraph(d.Impact))
	section(&b, "Timeline", d.timeline())
	section(&b, "Figures", d.figures())
	section(&b, "Root cause", paragraph(d.RootCause))
	section(&b, "Contributing factors", bullets(d.Contributing))
	section(&b, "Detection", paragraph(d.Detection))
	section(&b, "What helped", bullets(d.Helped))
	section(&b, "Measures", d.measures())
	return b.String()
}

func section(b *strings.Builder, heading, body string) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n", heading, body)
}

func paragraph(text string) string {
	if text == "" {
		return unwritten
	}
	return escape(text)
}

func bullets(texts []string) string {
	if len(texts) == 0 {
		return unwritten
	}
	lines := make([]string, len(texts))
	for i, t := range texts {
		lines[i] = "- " + escape(t)
	}
	return strings.Join(lines, "\n")
}

func (d Document) timeline() string {
	if len(d.Timeline) == 0 {
		return "No entries."
	}
	lines := []string{"| time (UTC) | who | what |", "|---|---|---|"}
	for _, l := range d.Timeline {
		lines = append(lines, fmt.Sprintf("| %s | %s | %s |", l.At.UTC().Format(time.DateTime), escape(l.Who), escape(l.Text)))
	}
	return strings.Join(lines, "\n")
}

func (d Document) figures() string {
	lines := []string{"| figure | from | to | duration |", "|---|---|---|---|"}
	for _, f := range []struct {
		name, from, to string
		seconds        *int64
	}{
		{"time to detect", "start", "detected", d.Durations.Detect},
		{"time to acknowledge", "created", "acknowledged", d.Durations.Acknowledge},
		{"time to restore", "start", "resolved", d.Durations.Restore},
		{"time to resolve", "detected", "resolved", d.Durations.Resolve},
	} {
		text := "no data"
		if f.seconds != nil {
			text = threshold.FormatDuration(time.Duration(*f.seconds) * time.Second)
		}
		lines = append(lines, fmt.Sprintf("| %s | %s | %s | %s |", f.name, f.from, f.to, text))
	}
	return strings.Join(lines, "\n")
}

func (d Document) measures() string {
	if len(d.Measures) == 0 {
		return unwritten
	}
	lines := []string{"| measure | type | owner | due | reference | state |", "|---|---|---|---|---|---|"}
	for _, m := range d.Measures {
		state := "open"
		switch {
		case m.Done:
			state = "done"
		case m.IsOverdue:
			state = "overdue"
		}
		lines = append(lines, fmt.Sprintf("| %s | %s | %s | %s | %s | %s |",
			escape(m.Text), escape(string(m.Type)), escape(m.Owner), escape(m.Due), escape(m.Ref), state))
	}
	return strings.Join(lines, "\n")
}

// escape makes a text plain in CommonMark: every ASCII punctuation mark that
// could begin markup gets a backslash, line ends become spaces.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
			continue
		case r < ' ':
			continue
		case strings.ContainsRune("\\`*_{}[]<>()#+-.!|~&:/@=\"'$", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
