package support

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/incident"
)

// Line is one of the desks and teams through which a request goes up: what
// it knows, what it may do, and when.
type Line struct {
	// Number is 1 for the first contact. Requests go from one line to the one with
	// the next number.
	Number int    `json:"line"`
	Name   string `json:"name"`

	// Knowledge says in words what the line knows.
	Knowledge string `json:"knowledge,omitempty"`

	// Optional lines exist in some organisations only.
	Optional bool `json:"optional,omitempty"`

	// May is what the line does, such as Triage; any text.
	May []string `json:"may"`

	// OperationalDuty says that the line may touch running services. Without it
	// nothing below allows an action.
	OperationalDuty bool `json:"operational_duty,omitempty"`

	// Operates are the services and technologies on which the line may take any
	// action; Everything stands for all.
	Operates []string `json:"operates,omitempty"`

	// Agreed are the only actions it may take on others.
	Agreed []AgreedAction `json:"agreed,omitempty"`

	// Hours are when the line is staffed, in the zone, an IANA name. Defaults to
	// all hours.
	Zone  string              `json:"timezone,omitempty"`
	Hours []escalation.Window `json:"hours,omitempty"`

	// OffHours is what holds outside Hours. Defaults to nobody.
	OffHours OffHours `json:"off_hours,omitzero"`

	// Pages and OffHoursPages are whom a step of a policy that names the line pages
	// in its hours and outside them; optional. OffHoursPages default to Pages.
	Pages         []escalation.Target `json:"pages,omitempty"`
	OffHoursPages []escalation.Target `json:"off_hours_pages,omitempty"`

	// Vendor is set for the line of a supplier.
	Vendor *Vendor `json:"vendor,omitempty"`

	// Informed are the matters of which the line is to be told, such as migrations
	// and growth.
	Informed []string `json:"informed_of,omitempty"`

	Training []Training `json:"training,omitempty"`
}

// What lines do in most organisations.
const (
	ValidateRequest = "validate_request"
	RejectRequest   = "reject_request"
	HelpUser        = "help_user"
	Triage          = "triage"
	RunAgreed       = "run_agreed_action"
	Operate         = "operate_service"
	ComponentWork   = "component_work"
	FixProduct      = "fix_product"
	PassOn          = "escalate"
)

// Everything in [Line.Operates] stands for all services and technologies.
const Everything = "*"

// AgreedAction is an action that a line may take in a controlled way because the
// stakeholders agreed to it beforehand, such as a restart.
type AgreedAction struct {
	Action string `json:"action"`

	// Services are those for which it was agreed. Defaults to all.
	Services []string `json:"services,omitempty"`

	// With are the stakeholders who agreed; at least one.
	With []string `json:"agreed_with"`

	// Procedure is where it is written how it is done.
	Procedure string `json:"procedure"`

	// Until is when the agreement ends, exclusive. Defaults to never.
	Until time.Time `json:"until,omitzero"`
}

// OffHours is who takes what outside the hours of a line.
type OffHours struct {
	// Least is the least severity that is taken. The zero value takes nothing.
	Least incident.Severity `json:"least_severity,omitzero"`

	// By is who takes it, such as a call centre or the people on call.
	By string `json:"by,omitempty"`

	// LogOnly says that a request is taken down and passed on, and not worked on.
	LogOnly bool `json:"log_only,omitempty"`

	// CallClient says that the client is called while the fix goes on.
	CallClient bool `json:"call_client,omitempty"`
}

// Lines are lines after their checks. They are immutable and safe for
// concurrent use.
type Lines struct{ list []desk }

// desk is a line after its checks.
type desk struct {
	Line
	hours *escalation.Hours // nil: all hours
}

// NewLines checks the lines, which are in order of their numbers. The
// problems are joined [*escalation.ConfigError]s. Some line must take a P1 at every hour.
func NewLines(list []Line) (*Lines, error) {
	p := problem.New()
	s := compile(list, p.At("support_lines"))
	if err := p.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// compile returns a usable value only where it adds no problem.
func compile(list []Line, p problem.List) *Lines {
	s := &Lines{list: make([]desk, len(list))}
	always := false
	for i, l := range list {
		q := p.At("[%d]", i)
		if l.Number < 1 || i > 0 && l.Number <= list[i-1].Number {
			q.At("line").Add(strconv.Itoa(l.Number), "a number from 1 on, above that of the line before")
		}
		s.list[i] = desk{Line: l}
		if len(l.Hours) > 0 {
			hours, err := escalation.NewHours(l.Zone, l.Hours)
			q.Join(err)
			s.list[i].hours = hours
		}
		always = always || len(l.Hours) == 0 || l.OffHours.Least.IsSet()
		l.check(q)
	}
	if !always {
		p.Add("", "a line that takes a P1 at every hour")
	}
	return s
}

func (l Line) check(p problem.List) {
	if l.Name == "" {
		p.At("name").Add("", "a name")
	}
	if len(l.May) == 0 {
		p.At("may").Add("", "at least one thing that the line does")
	}
	if !l.OperationalDuty && len(l.Operates)+len(l.Agreed) > 0 {
		p.At("operational_duty").Add("false", "true, for a line that operates something or has agreed actions")
	}
	for i, a := range l.Agreed {
		a.check(p.At("agreed[%d]", i))
	}
	if o := l.OffHours; o.Least != 0 && !o.Least.IsSet() {
		p.At("off_hours.least_severity").Add(o.Least.String(), "P1 to P4")
	} else if len(l.Hours) == 0 && o != (OffHours{}) {
		p.At("off_hours").Add("", "nothing for a line without hours")
	} else if o.Least.IsSet() && o.By == "" {
		p.At("off_hours.by").Add("", "who takes it")
	}
	if l.Vendor != nil {
		l.Vendor.check(p.At("vendor"))
	}
	for i, t := range l.Training {
		t.check(p.At("training[%d]", i))
	}
}

func (a AgreedAction) check(p problem.List) {
	if a.Action == "" {
		p.At("action").Add("", "an action like \"restart\"")
	}
	if len(a.With) == 0 {
		p.At("agreed_with").Add("", "the stakeholders who agreed")
	}
	if a.Procedure == "" {
		p.At("procedure").Add("", "where it is written how it is done")
	}
}

// Lines returns the lines in order.
func (s *Lines) Lines() []Line {
	out := make([]Line, len(s.list))
	for i := range s.list {
		out[i] = s.list[i].Line
	}
	return out
}

// Paging returns whom each line pages, for [escalation.Router.WithLines].
func (s *Lines) Paging() []escalation.Line {
	out := make([]escalation.Line, len(s.list))
	for i := range s.list {
		l := &s.list[i]
		out[i] = escalation.Line{Name: l.Name, Pages: l.Pages, Least: l.OffHours.Least, OffHours: l.OffHoursPages}
		if len(l.Hours) > 0 {
			out[i].Hours = &escalation.OnlyIn{Zone: l.Zone, Windows: l.Hours}
		}
	}
	return out
}

func (s *Lines) find(line int) *desk {
	i := slices.IndexFunc(s.list, func(d desk) bool { return d.Number == line })
	if i < 0 {
		return nil
	}
	return &s.list[i]
}

// Verdict is whether something is allowed, and why.
type Verdict struct {
	Allowed bool   `json:"allowed"`
	Why     string `json:"why"`
}

// MayDo reports whether a kind of work is that of a line.
func (s *Lines) MayDo(line int, work string) Verdict {
	l := s.find(line)
	switch {
	case l == nil:
		return Verdict{Why: fmt.Sprintf("no line %d", line)}
	case slices.Contains(l.May, work):
		return Verdict{true, l.Name + " does that"}
	}
	return Verdict{Why: l.Name + " does not do that"}
}

// MayRun reports whether a line may take an action on a service or technology at
// an instant.
func (s *Lines) MayRun(line int, action, target string, at time.Time) Verdict {
	l := s.find(line)
	switch {
	case l == nil:
		return Verdict{Why: fmt.Sprintf("no line %d", line)}
	case !l.OperationalDuty:
		return Verdict{Why: l.Name + " has no operational duty"}
	case slices.Contains(l.Operates, Everything) || slices.Contains(l.Operates, target):
		return Verdict{true, l.Name + " operates " + target}
	}
	why := action + " on " + target + " was not agreed beforehand"
	for _, a := range l.Agreed {
		if a.Action != action || len(a.Services) > 0 && !slices.Contains(a.Services, target) {
			continue
		}
		if a.Until.IsZero() || at.Before(a.Until) {
			return Verdict{true, fmt.Sprintf("agreed with %s, by %s", andList(a.With), a.Procedure)}
		}
		why = "the agreement on " + action + " ended at " + a.Until.UTC().Format(time.RFC3339)
	}
	return Verdict{Why: why}
}

// andList writes names as people do; there is at least one.
func andList(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// Reception is whether and how a line takes a request.
type Reception struct {
	Line  int  `json:"line"`
	Takes bool `json:"takes"`

	// By is who takes it: the line itself, or its substitute off hours.
	By         string `json:"by,omitempty"`
	LogOnly    bool   `json:"log_only,omitempty"`
	CallClient bool   `json:"call_client,omitempty"`
	Why        string `json:"why"`
}

// Receptions returns how each line, in order, takes a request of a severity at an
// instant: everything in its hours, off hours what is severe enough. The error is
// a [*escalation.ConfigError] for a severity that is not set.
func (s *Lines) Receptions(severity incident.Severity, at time.Time) ([]Reception, error) {
	if !severity.IsSet() {
		return nil, &escalation.ConfigError{Path: "severity", Value: severity.String(), Want: "P1 to P4"}
	}
	out := make([]Reception, len(s.list))
	for i := range s.list {
		out[i] = s.list[i].receive(severity, at)
	}
	return out, nil
}

// Next returns the first line above the given one that takes a request of a
// severity at an instant, with 0 the first contact; ok is false where none does.
func (s *Lines) Next(line int, severity incident.Severity, at time.Time) (next Reception, ok bool, err error) {
	all, err := s.Receptions(severity, at)
	for _, r := range all {
		if r.Line > line && r.Takes {
			return r, true, nil
		}
	}
	return Reception{}, false, err
}

func (l *desk) receive(severity incident.Severity, at time.Time) Reception {
	o := l.OffHours
	switch {
	case l.hours == nil:
		return Reception{Line: l.Number, Takes: true, By: l.Name, Why: "at all hours"}
	case l.hours.IsOpen(at):
		return Reception{Line: l.Number, Takes: true, By: l.Name, Why: "within hours"}
	case !o.Least.IsSet():
		return Reception{Line: l.Number, Why: "off hours"}
	case !severity.AtLeast(o.Least):
		return Reception{Line: l.Number, Why: fmt.Sprintf("off hours, from %s up only", o.Least)}
	}
	return Reception{
		Line: l.Number, Takes: true, By: o.By, LogOnly: o.LogOnly, CallClient: o.CallClient,
		Why: fmt.Sprintf("off hours, %s is severe enough", severity),
	}
}
