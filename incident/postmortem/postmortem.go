// Package postmortem drafts the review document of an incident from its record:
// figures, an extract of the timeline, recurrence and the measures with their state.
// People write the rest; [Document.Missing] says what is still open.
//
//	doc, err := postmortem.Draft(inc.State(), inc.Timeline().Entries(), postmortem.Options{At: at})
//	doc.RootCause = "..."
//	doc, named := doc.Blameless(people) // of Participants
//	fmt.Print(doc.Markdown())
//
// A [Document] is Markdown, HTML, plain text or JSON, and [Parse] reads the JSON back.
// [Backlog] and [Overdue] follow the measures of many documents, [Learn] says what a
// period taught.
//
// The document is blameless: where a person acted it names the role. A value
// without data is nil, null in JSON, never zero. All functions are pure and may be
// used concurrently.
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
	// Past are earlier incidents, among which those like this one are looked for.
	// Those of other tenants and later ones do not count. Defaults to none.
	Past []incident.Record
	// Recurrence says how many of them suggest a problem. Defaults to 3 within 30
	// days.
	Recurrence incident.RecurrenceOptions
}

// Document is the review of one incident. Its JSON is that of [Data].
type Document struct {
	Incident  string            `json:"incident_id"`
	Tenant    string            `json:"tenant"`
	Title     string            `json:"title"`
	Severity  incident.Severity `json:"severity"`
	Services  []string          `json:"services"`
	Moderator string            `json:"moderator"`
	Times     incident.Times    `json:"times"`
	// Due is when the review should be closed; zero if the incident is not
	// resolved.
	Due time.Time `json:"due"`

	// What people write. Draft leaves them empty, except for what the record
	// says about the detection and, as a start of the summary, the resolution.
	Summary      string   `json:"summary"`
	Impact       string   `json:"impact"`
	RootCause    string   `json:"root_cause"`
	Contributing []string `json:"contributing"`
	Detection    string   `json:"detection"` // "monitor", "user" or a text
	Helped       []string `json:"helped"`

	Durations  Durations             `json:"durations"`
	Timeline   []Line                `json:"timeline"`
	Recurrence []incident.Suggestion `json:"recurrence"` // problems that it and earlier incidents suggest
	Measures   []Measure             `json:"measures"`
	Anchored   bool                  `json:"anchored"` // at least one measure has owner, due date and reference
	Open       int                   `json:"open_measures"`
	Overdue    int                   `json:"overdue_measures"`
	Head       incident.Head         `json:"timeline_head"` // what the draft was made from

	// Zone is that of the times in Markdown, HTML and text. Defaults to UTC.
	Zone *time.Location `json:"-"`
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

// Draft makes a document from the state and the entries of an incident. The
// error says which entry cannot be read, that a calendar has no business days, or
// which option is out of range.
func Draft(s incident.State, entries []incident.Entry, o Options) (Document, error) {
	d := Document{
		Incident: s.ID, Tenant: s.Tenant, Title: s.Title, Severity: s.Severity, Services: slices.Clone(s.Services), Times: s.Times,
		Summary: s.Resolution, Detection: string(s.DetectedBy), Durations: durations(s.Record()),
	}
	if m := s.Roles[incident.Moderator]; len(m) > 0 {
		d.Moderator = m[0]
	}
	events := make([]incident.Event, len(entries))
	for i := range entries {
		var err error
		if events[i], err = entries[i].Event(); err != nil {
			return Document{}, fmt.Errorf("post-mortem of %q: %w", s.ID, err)
		}
	}
	since := anchorings(events)
	for _, m := range s.Measures {
		measure := Measure{ID: m.ID, Text: m.Text, Type: m.Type, Owner: m.Owner, Due: m.Due, Ref: m.Ref, Status: MeasureOpen, AnchoredAt: since[m.ID]}
		if m.Done {
			measure.Status = MeasureDone
		}
		d.Measures = append(d.Measures, measure)
	}
	if n := len(entries); n > 0 {
		d.Head = incident.Head{Seq: entries[n-1].Seq, Hash: entries[n-1].Hash}
	}
	d.Timeline = extract(s, entries, events)
	var err error
	if !s.Times.Resolved.IsZero() {
		if d.Due, err = Due(s.Times.Resolved, o); err != nil {
			return Document{}, fmt.Errorf("post-mortem of %q: due date: %w", s.ID, err)
		}
	}
	if d.Recurrence, err = recurrence(s.Record(), o); err != nil {
		return Document{}, fmt.Errorf("post-mortem of %q: %w", s.ID, err)
	}
	return d.AsOf(o.At), nil
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

// Due returns when the review of an incident that was resolved at an instant should be
// closed: at the close of the last business day that Calendar and BusinessDays of the
// options allow; the others do not matter. The error says that they allow none.
func Due(resolved time.Time, o Options) (time.Time, error) {
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

// recurrence returns the problems that an incident suggests together with those
// before it.
func recurrence(r incident.Record, o Options) ([]incident.Suggestion, error) {
	all := []incident.Record{r}
	for i := range o.Past {
		p := &o.Past[i]
		if p.Tenant == r.Tenant && p.ID != r.ID && !noticed(p.Times).After(noticed(r.Times)) {
			all = append(all, *p)
		}
	}
	found, err := incident.Recurring(all, o.Recurrence)
	return slices.DeleteFunc(found, func(s incident.Suggestion) bool { return !slices.Contains(s.IDs, r.ID) }), err
}

func noticed(t incident.Times) time.Time {
	for _, at := range []time.Time{t.Detected, t.Created, t.Started} {
		if !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

// extract turns the entries into lines, in the order in which things happened.
// Messages, automated actions and links are left out.
func extract(s incident.State, entries []incident.Entry, events []incident.Event) []Line {
	var out []Line
	for i, e := range events {
		if text := describe(s, e); text != "" {
			if entries[i].Redacted {
				text = string(e.Kind) + ", redacted"
			}
			out = append(out, Line{Seq: entries[i].Seq, At: e.At, Who: who(s, e), Text: text})
		}
	}
	slices.SortStableFunc(out, func(a, b Line) int { return a.At.Compare(b.At) })
	return out
}

// roles are those of an incident, in the order in which one of several is named.
var roles = [...]incident.Role{
	incident.Lead, incident.Communicator, incident.Responder, incident.Moderator, incident.Approver, incident.Scribe,
}

// who names the role of the actor.
func who(s incident.State, e incident.Event) string {
	for _, role := range roles {
		if slices.Contains(s.Roles[role], e.Actor) {
			return string(role)
		}
	}
	switch e.Kind {
	case incident.Detect:
		return cmp.Or(string(e.DetectedBy), string(s.DetectedBy), string(incident.ByMonitor)) // a redacted one says nothing
	case incident.Approve, incident.Refuse:
		return string(incident.Approver)
	default:
		return "participant"
	}
}

// describe says what an event was; "" for one that is left out.
func describe(s incident.State, e incident.Event) string {
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
		if !e.Severity.IsSet() {
			return "declared"
		}
		return "declared " + e.Severity.String()
	case incident.ChangeSeverity:
		return with("severity is " + e.Severity.String())
	case incident.Acknowledge:
		return "acknowledged"
	case incident.Escalate:
		return fmt.Sprintf("escalated to level %d", e.Level)
	case incident.Mitigate:
		return with("mitigated")
	case incident.Relapse:
		return with("the impact is back")
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
	case incident.AskApproval, incident.Approve, incident.Refuse:
		return approval(s, e)
	case incident.StartWait:
		return with("on hold, waits for the " + string(cmp.Or(e.Awaiting, incident.AwaitCustomer)))
	case incident.EndWait:
		return with(resumed(s, e.At))
	default:
		return ""
	}
}

// AsOf returns the document with the state of its measures at an instant. A document
// that was stored is brought up to date by it.
func (d Document) AsOf(at time.Time) Document {
	d.Measures = slices.Clone(d.Measures)
	d.Anchored, d.Open, d.Overdue = false, 0, 0
	for i := range d.Measures {
		m := &d.Measures[i]
		m.judge(at)
		d.Anchored = d.Anchored || m.Anchored
		if m.Status != MeasureDone {
			d.Open++
		}
		if m.Overdue {
			d.Overdue++
		}
	}
	return d
}

// Late reports whether the review is not closed at an instant although it is due.
func (d Document) Late(at time.Time) bool {
	return !d.Due.IsZero() && !at.Before(d.Due) && (d.Times.Closed.IsZero() || d.Times.Closed.After(at))
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
