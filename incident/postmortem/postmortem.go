// Package postmortem drafts the review document of an incident from its record:
// figures, an extract of the timeline and the measures with their state. People
// write the rest; [Document.Missing] says what is still open.
//
//	doc, err := postmortem.Draft(inc.State(), inc.Timeline().Entries(), postmortem.Options{At: at})
//	doc.RootCause = "..."
//	fmt.Print(doc.Markdown())
//
// The document is blameless: where a person acted it names the role. A value
// without data is nil, never zero. All functions are pure.
package postmortem

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Options say how a draft is made.
type Options struct {
	// At is the instant against which due dates are held. Required.
	At time.Time
	// Calendar counts the business days until the review is due. Defaults to
	// Monday to Friday in UTC.
	Calendar *calendar.Calendar
	// BusinessDays is how many of them follow the day of the resolution. Defaults
	// to 5; negative is an error.
	BusinessDays int
}

// Document is the review of one incident.
type Document struct {
	Incident  string            `json:"incident_id"`
	Tenant    string            `json:"tenant,omitempty"`
	Title     string            `json:"title"`
	Severity  incident.Severity `json:"severity,omitzero"`
	Services  []string          `json:"services,omitempty"`
	Moderator string            `json:"moderator,omitempty"`
	// Due is when the review should be closed; zero if the incident is not
	// resolved.
	Due time.Time `json:"due,omitzero"`

	// What people write. Draft leaves them empty, except for what the record
	// says about the detection and, as a start of the summary, the resolution.
	Summary      string   `json:"summary"`
	Impact       string   `json:"impact"`
	RootCause    string   `json:"root_cause"`
	Contributing []string `json:"contributing"`
	Detection    string   `json:"detection"` // "monitor", "user" or a text
	Helped       []string `json:"helped"`

	Durations Durations     `json:"durations"`
	Timeline  []Line        `json:"timeline"`
	Measures  []Measure     `json:"measures"`
	Anchored  bool          `json:"anchored"` // at least one measure has owner, due date and reference
	Open      int           `json:"open_measures"`
	Overdue   int           `json:"overdue_measures"`
	Head      incident.Head `json:"timeline_head"` // what the draft was made from
}

// Durations are the figures of the incident in whole seconds, rounded down.
type Durations struct {
	Detect      *int64 `json:"detect_s"`      // start of the impact to detection
	Acknowledge *int64 `json:"acknowledge_s"` // declaration to acknowledgement
	Restore     *int64 `json:"restore_s"`     // start of the impact to resolution
	Resolve     *int64 `json:"resolve_s"`     // detection to resolution
}

// Line is one entry of the extract of the timeline.
type Line struct {
	Seq  uint64    `json:"seq"` // of the entry
	At   time.Time `json:"at"`
	Who  string    `json:"who"` // a role, "monitor" or "participant"
	Text string    `json:"text"`
}

// Measure is a measure with its state at the time of the draft.
type Measure struct {
	incident.Measure
	IsAnchored bool `json:"anchored"`
	IsOverdue  bool `json:"overdue"`
}

// Draft makes a document from the state and the entries of an incident. The
// error says which entry cannot be read, or that a calendar has no business
// days.
func Draft(s incident.State, entries []incident.Entry, o Options) (Document, error) {
	d := Document{
		Incident: s.ID, Tenant: s.Tenant, Title: s.Title, Severity: s.Severity, Services: slices.Clone(s.Services),
		Summary: s.Resolution, Detection: string(s.DetectedBy), Durations: durations(s.Record()),
	}
	if m := s.Roles[incident.Moderator]; len(m) > 0 {
		d.Moderator = m[0]
	}
	for _, m := range s.Measures {
		measure := Measure{Measure: m, IsAnchored: m.Anchored(), IsOverdue: m.Overdue(o.At)}
		d.Measures = append(d.Measures, measure)
		d.Anchored = d.Anchored || measure.IsAnchored
		if !m.Done {
			d.Open++
		}
		if measure.IsOverdue {
			d.Overdue++
		}
	}
	if n := len(entries); n > 0 {
		d.Head = incident.Head{Seq: entries[n-1].Seq, Hash: entries[n-1].Hash}
	}
	var err error
	if d.Timeline, err = extract(s, entries); err != nil {
		return Document{}, err
	}
	if !s.Times.Resolved.IsZero() {
		if d.Due, err = due(s.Times.Resolved, o); err != nil {
			return Document{}, fmt.Errorf("post-mortem of %q: due date: %w", s.ID, err)
		}
	}
	return d, nil
}

func durations(r incident.Record) Durations {
	in := func(s incident.Span) *int64 {
		l, ok := r.Lapse(s)
		if !ok {
			return nil
		}
		seconds := int64(l.Duration / time.Second)
		return &seconds
	}
	return Durations{
		Detect: in(incident.MTTD), Acknowledge: in(incident.MTTA), Restore: in(incident.TimeToRestore), Resolve: in(incident.MTTR),
	}
}

// due returns the close of the last business day that is allowed.
func due(resolved time.Time, o Options) (time.Time, error) {
	if o.BusinessDays < 0 {
		return time.Time{}, fmt.Errorf("%d business days, want 0 or more", o.BusinessDays)
	}
	cal := o.Calendar
	if cal == nil {
		var err error
		if cal, err = calendar.New(calendar.Hours{Zone: "UTC", Week: calendar.MondayToFriday("00:00", "24:00")}); err != nil {
			return time.Time{}, err
		}
	}
	day := calendar.BusinessDay{Opens: resolved}
	for range cmp.Or(o.BusinessDays, 5) {
		var err error
		if day, err = cal.NextBusinessDay(day.Opens, calendar.NextDayRule{}); err != nil {
			return time.Time{}, err
		}
	}
	return day.Due, nil
}

// extract turns the entries into lines, in the order in which things happened.
// Messages, automated actions and links are left out.
func extract(s incident.State, entries []incident.Entry) ([]Line, error) {
	var out []Line
	for _, entry := range entries {
		e, err := entry.Event()
		if err != nil {
			return nil, fmt.Errorf("post-mortem of %q: %w", s.ID, err)
		}
		if text := describe(e); text != "" {
			if entry.Redacted {
				text = string(e.Kind) + ", redacted"
			}
			out = append(out, Line{Seq: entry.Seq, At: e.At, Who: who(s, e), Text: text})
		}
	}
	slices.SortStableFunc(out, func(a, b Line) int { return a.At.Compare(b.At) })
	return out, nil
}

// who names the role of the actor.
func who(s incident.State, e incident.Event) string {
	for _, role := range []incident.Role{
		incident.Lead, incident.Communicator, incident.Responder, incident.Moderator, incident.Approver, incident.Scribe,
	} {
		if slices.Contains(s.Roles[role], e.Actor) {
			return string(role)
		}
	}
	if e.Kind == incident.Detect {
		return cmp.Or(string(e.DetectedBy), string(incident.ByMonitor))
	}
	return "participant"
}

func describe(e incident.Event) string {
	with := func(what string) string {
		if e.Text == "" {
			return what
		}
		return what + ": " + e.Text
	}
	switch e.Kind {
	case incident.Detect:
		return "detected"
	case incident.Declare:
		return "declared " + e.Severity.String()
	case incident.ChangeSeverity:
		return with("severity is " + e.Severity.String())
	case incident.Acknowledge:
		return "acknowledged"
	case incident.Escalate:
		return fmt.Sprintf("escalated to level %d", e.Level)
	case incident.Mitigate:
		return with("mitigated")
	case incident.Resolve:
		return with("resolved")
	case incident.Reopen:
		return with("reopened")
	case incident.Cancel:
		return with("cancelled")
	case incident.Merge:
		return "merged into " + e.Target
	case incident.SetFlag:
		return "flag " + string(e.Flag)
	case incident.PostUpdate:
		return with("update")
	case incident.Note:
		return with("note")
	default:
		return ""
	}
}

// Missing lists what keeps the review from being finished: a moderator, the
// texts and an anchored measure. Nil means that nothing does.
func (d Document) Missing() []string {
	var out []string
	for _, part := range []struct {
		what  string
		there bool
	}{
		{"moderator", d.Moderator != ""},
		{"summary", d.Summary != ""},
		{"impact", d.Impact != ""},
		{"root cause", d.RootCause != ""},
		{"contributing factors", len(d.Contributing) > 0},
		{"detection", d.Detection != ""},
		{"anchored measure", d.Anchored},
	} {
		if !part.there {
			out = append(out, part.what)
		}
	}
	return out
}
