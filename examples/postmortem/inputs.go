package main

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
	"github.com/evenkeelops/evenkeel/internal/strictjson"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// The embedded sample: a night in which an interface for users was down, made up for
// it.
//
//go:embed testdata/sample
var sample embed.FS

// sampleNow is some weeks after the incident of the sample.
var sampleNow = time.Date(2024, 4, 15, 8, 0, 0, 0, time.UTC)

// inputs are an incident and its timeline.
type inputs struct {
	program.Inputs

	now      time.Time
	zone     *time.Location // of the times shown and of business days
	file     incidentFile
	timeline *incident.Timeline // nil if there is none
}

// incidentFile is what people wrote down about an incident.
type incidentFile struct {
	ID       string            `json:"id"`
	Tenant   string            `json:"tenant"`
	Severity incident.Severity `json:"severity"`
	Title    string            `json:"title"`
	Services []string          `json:"services"`

	Started      time.Time `json:"started"`
	Detected     time.Time `json:"detected"`
	Opened       time.Time `json:"opened"`
	Acknowledged time.Time `json:"acknowledged"`
	Mitigated    time.Time `json:"mitigated"`
	Resolved     time.Time `json:"resolved"`
	Closed       time.Time `json:"closed"`

	Summary      string   `json:"summary"`
	Impact       string   `json:"impact"`
	RootCause    string   `json:"root_cause"`
	Contributing []string `json:"contributing"`
	Detection    string   `json:"detection"` // "monitor", "user" or a text
	Helped       []string `json:"helped"`

	Moderator    string   `json:"moderator"`
	Lead         string   `json:"lead"`
	Participants []string `json:"participants"`

	Measures []measureFile `json:"measures"`
}

type measureFile struct {
	ID         string                   `json:"id"`
	Text       string                   `json:"text"`
	Type       incident.MeasureType     `json:"type"`
	Owner      string                   `json:"owner"`
	Due        string                   `json:"due"`
	Status     postmortem.MeasureStatus `json:"status"` // open unless it says done
	AnchoredIn string                   `json:"anchored_in"`
	AnchoredAt time.Time                `json:"anchored_at"`
}

// load reads both files.
func (o *options) load(env *program.Env) (*inputs, error) {
	in := &inputs{Inputs: program.NewInputs(sample, o.incident == "" && o.timeline == ""), zone: env.Zone}
	in.now = in.Now(env, sampleNow)
	names := *o
	if in.Sample {
		names = options{incident: "incident.json", timeline: "timeline.jsonl"}
	}
	var problems []error
	for _, f := range []struct {
		flag, name string
		take       func(shown string, data []byte) error
	}{{"incident", names.incident, in.takeIncident}, {"timeline", names.timeline, in.takeTimeline}} {
		if f.name == "" {
			continue
		}
		shown, data, err := in.Read(f.flag, f.name)
		if err != nil {
			return nil, program.Exit(program.Usage, err)
		}
		problems = append(problems, f.take(shown, data))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, program.Exit(program.Input, err)
	}
	return in, program.Exit(program.Input, in.agree(names))
}

// wants says what is expected of the types of an incident file.
var wants = map[reflect.Type]string{reflect.TypeFor[incident.Severity](): "a severity: P1 to P4, critical, high, medium or low"}

func (in *inputs) takeIncident(shown string, data []byte) error {
	read := strictjson.Read(data, &in.file, strictjson.Options{Want: wants})
	if len(read.Problems()) == 0 {
		in.check(read)
	}
	var errs []error
	for _, p := range read.Problems() {
		errs = append(errs, problemIn(shown, p))
	}
	return errors.Join(errs...)
}

// problemIn says what is wrong in a file, and where.
func problemIn(shown string, p strictjson.Problem) error {
	where := fmt.Sprintf("%s:%d:%d: ", shown, p.Line, p.Column)
	if p.Path != "" {
		where += p.Path + ": "
	}
	return fmt.Errorf("%s%s, want %s", where, p.Value, p.Want)
}

// The years in which calendars have answers.
const firstYear, lastYear = 1800, 2150

// check finds what no single value shows.
func (in *inputs) check(read *strictjson.Document) {
	f := &in.file
	if f.ID == "" {
		read.Fail("id", "missing", "the id of the incident")
	}
	for _, t := range f.instants() {
		if year := t.said.Year(); !t.said.IsZero() && (year < firstYear || year > lastYear) {
			read.Fail(t.name, "found "+t.said.Format(time.RFC3339), fmt.Sprintf("a time between the years %d and %d", firstYear, lastYear))
		}
	}
	for i, s := range f.Services {
		if s == "" {
			read.Fail(fmt.Sprintf("services[%d]", i), `found ""`, "the id of a service")
		}
	}
	err := postmortem.Document{Incident: f.ID, Measures: f.measures()}.Validate()
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			if p, ok := errors.AsType[*postmortem.ParseError](err); ok && p.Path != "incident_id" {
				read.Fail(p.Path, p.Value, p.Want)
			}
		}
	}
}

func (in *inputs) takeTimeline(shown string, data []byte) error {
	t, err := incident.ReadTimeline(bytes.NewReader(data))
	if line, ok := errors.AsType[*incident.LineError](err); ok {
		joined, ok := line.Err.(interface{ Unwrap() []error })
		if !ok {
			return fmt.Errorf("%s:%d: %w", shown, line.Line, line.Err)
		}
		var errs []error
		for _, err := range joined.Unwrap() {
			if f, ok := errors.AsType[*incident.FieldError](err); ok {
				err = problemIn(shown, strictjson.Problem{Path: f.Path, Line: line.Line, Column: f.Column, Value: f.Value, Want: f.Want})
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}
	if broken, ok := errors.AsType[*incident.ChainError](err); ok {
		return fmt.Errorf("%s:%d: %w", shown, broken.Seq+1, err) // after the header
	}
	in.timeline = t
	return err
}

// agree wants both files to be about one incident.
func (in *inputs) agree(names options) error {
	if in.timeline == nil {
		return nil
	}
	tenant, id := in.timeline.Of()
	if names.incident != "" && (in.file.ID != id || in.file.Tenant != "" && in.file.Tenant != tenant) {
		return fmt.Errorf("%s: the timeline of %q of tenant %q, want that of %q of tenant %q", names.timeline, id, tenant, in.file.ID, cmp.Or(in.file.Tenant, tenant))
	}
	in.file.ID, in.file.Tenant = id, tenant
	return nil
}

// named is an instant of the file and the place of the same one in a state.
type named struct {
	name string
	said time.Time
	have func(*incident.Times) *time.Time
	kind incident.Kind // that says so; "" if none does
}

func (f *incidentFile) instants() []named {
	type times = incident.Times
	return []named{
		{"started", f.Started, func(t *times) *time.Time { return &t.Started }, ""},
		{"detected", f.Detected, func(t *times) *time.Time { return &t.Detected }, incident.Detect},
		{"opened", f.Opened, func(t *times) *time.Time { return &t.Created }, incident.Declare},
		{"acknowledged", f.Acknowledged, func(t *times) *time.Time { return &t.Acknowledged }, incident.Acknowledge},
		{"mitigated", f.Mitigated, func(t *times) *time.Time { return &t.Mitigated }, incident.Mitigate},
		{"resolved", f.Resolved, func(t *times) *time.Time { return &t.Resolved }, incident.Resolve},
		{"closed", f.Closed, func(t *times) *time.Time { return &t.Closed }, ""},
	}
}

func (f *incidentFile) measures() []postmortem.Measure {
	out := make([]postmortem.Measure, len(f.Measures))
	for i, m := range f.Measures {
		out[i] = postmortem.Measure{
			ID: m.ID, Text: m.Text, Type: m.Type, Owner: m.Owner, Due: m.Due, Status: m.Status, Ref: m.AnchoredIn, AnchoredAt: m.AnchoredAt,
		}
	}
	return out
}

// incident returns the incident of the timeline, or one made of the times of the
// file.
func (in *inputs) incident() (*incident.Incident, error) {
	f := &in.file
	if in.timeline != nil {
		return incident.Replay(f.Tenant, f.ID, in.timeline.Entries(), incident.Options{})
	}
	inc, err := incident.New(f.Tenant, f.ID, incident.Options{})
	if err != nil {
		return nil, err
	}
	for _, t := range f.instants() {
		if t.kind == "" || t.said.IsZero() {
			continue
		}
		e := incident.Event{Key: t.name, Kind: t.kind, At: t.said, Actor: "somebody", Imported: true}
		if t.kind == incident.Declare {
			e.Severity = f.Severity
		}
		if t.kind == incident.Detect {
			e.DetectedBy = f.detectedBy()
		}
		if _, err := inc.Apply(e); err != nil {
			return nil, err
		}
	}
	return inc, nil
}

// detectedBy is who noticed the incident, where the file says it in one word.
func (f *incidentFile) detectedBy() incident.Detector {
	switch d := incident.Detector(strings.ToLower(f.Detection)); d {
	case incident.ByMonitor, incident.ByUser:
		return d
	}
	return ""
}

// draft makes the document of what the timeline says, and beside it the file.
func (in *inputs) draft() (postmortem.Document, error) {
	f := &in.file
	inc, err := in.incident()
	if err != nil {
		return postmortem.Document{}, program.Exit(program.Input, err)
	}
	s := inc.State()
	in.merge(&s)
	cal, err := calendar.New(calendar.Hours{Zone: in.zone.String(), Week: calendar.MondayToFriday("00:00", "24:00")})
	if err != nil {
		return postmortem.Document{}, program.Exit(program.Usage, err)
	}
	doc, err := postmortem.Draft(s, inc.Timeline().Entries(), postmortem.Options{At: in.now, Calendar: cal})
	if err != nil {
		return doc, program.Exit(program.Input, err)
	}
	if in.timeline == nil {
		doc.Head = incident.Head{}
	}
	doc.Zone = in.zone
	doc.Summary, doc.Impact, doc.RootCause = cmp.Or(f.Summary, doc.Summary), f.Impact, f.RootCause
	doc.Detection = cmp.Or(string(f.detectedBy()), f.Detection, doc.Detection)
	doc.Contributing, doc.Helped = f.Contributing, f.Helped
	if len(f.Measures) > 0 {
		doc.Measures = f.measures()
	}
	people, err := postmortem.Participants(s, inc.Timeline().Entries())
	if err != nil {
		return doc, program.Exit(program.Input, err)
	}
	doc, mentions := doc.AsOf(in.now).Blameless(people)
	for _, m := range mentions {
		in.notice("name_in_causes", m.Path, "%s names a participant; the document says the %s instead", m.Path, m.Role)
	}
	switch {
	case doc.Moderator == "":
		in.notice("no_moderator", "moderator", "the review has no moderator")
	case slices.Contains(s.Roles[incident.Lead], doc.Moderator):
		in.notice(string(incident.ModeratorIsLead), "moderator", "the moderator led the incident, so the review is not independent")
	}
	return doc, nil
}

func (in *inputs) notice(code, ref, format string, args ...any) {
	n := program.Notice{Code: code, Message: fmt.Sprintf(format, args...)}
	if ref != "" {
		n.Ref = &ref
	}
	in.Notices = append(in.Notices, n)
}

// merge completes a state by the file. What a timeline says of severity and times
// stays, because it can be verified.
func (in *inputs) merge(s *incident.State) {
	f := &in.file
	var said incident.Times
	for _, t := range f.instants() {
		*t.have(&said) = t.said.UTC()
		if have := t.have(&s.Times); in.timeline == nil || have.IsZero() && !t.said.IsZero() {
			*have = *t.have(&said)
		} else if !t.said.IsZero() && !have.Equal(t.said) {
			in.notice("differs_from_timeline", t.name, "%s is %s in the file and %s in the timeline, which counts", t.name, t.said.UTC().Format(time.RFC3339), have.UTC().Format(time.RFC3339))
		}
	}
	if f.Severity.IsSet() && s.Severity.IsSet() && f.Severity != s.Severity {
		in.notice("differs_from_timeline", "severity", "severity is %s in the file and %s in the timeline, which counts", f.Severity, s.Severity)
	}
	s.Severity, s.Title = cmp.Or(s.Severity, f.Severity), cmp.Or(f.Title, s.Title)
	if len(f.Services) > 0 {
		s.Services = f.Services
	}
	if in.timeline == nil {
		s.Roles = map[incident.Role][]string{}
	}
	for role, persons := range map[incident.Role][]string{incident.Moderator: {f.Moderator}, incident.Lead: {f.Lead}, incident.Responder: f.Participants} {
		for _, p := range persons {
			if p != "" && !slices.Contains(s.Roles[role], p) {
				s.Roles[role] = append([]string{p}, s.Roles[role]...)
			}
		}
	}
	for _, finding := range s.Findings {
		if finding.Code == incident.OutOfOrder {
			in.notice(string(finding.Code), "", "%s", finding.Text)
		}
	}
}
