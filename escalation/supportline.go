package escalation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// SupportLine is one of the desks and teams through which a request goes up: what
// it knows, what it may do, and when.
type SupportLine struct {
	// Line is its number: 1 is the first contact. Requests go from one line to the
	// one with the next number.
	Line int    `json:"line"`
	Name string `json:"name"`

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
	Zone  string   `json:"timezone,omitempty"`
	Hours []Window `json:"hours,omitempty"`

	// OffHours is what holds outside Hours. Defaults to nobody.
	OffHours OffHours `json:"off_hours,omitzero"`

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

// Everything in [SupportLine.Operates] stands for all services and technologies.
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

// SupportLines are lines after their checks. They are immutable and safe for
// concurrent use.
type SupportLines struct{ list []supportLine }

type supportLine struct {
	SupportLine
	hours *hours // nil: all hours
}

// NewSupportLines checks the lines, which are in order of their numbers. The
// problems are joined [*ConfigError]s. Some line must take a P1 at every hour.
func NewSupportLines(list []SupportLine) (*SupportLines, error) {
	p := newProblems()
	s := compileLines(list, zones{}, p.at("support_lines"))
	if err := p.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// compileLines returns a usable value only where it adds no problem.
func compileLines(list []SupportLine, zs zones, p problems) *SupportLines {
	s := &SupportLines{list: make([]supportLine, len(list))}
	always := false
	for i, l := range list {
		q := p.at("[%d]", i)
		if l.Line < 1 || i > 0 && l.Line <= list[i-1].Line {
			q.at("line").add(strconv.Itoa(l.Line), "a number from 1 on, above that of the line before")
		}
		s.list[i] = supportLine{SupportLine: l}
		if len(l.Hours) > 0 {
			s.list[i].hours = compileWindows(l.Hours, zs.require(l.Zone, q.at("timezone")), q.at("hours"))
		}
		always = always || len(l.Hours) == 0 || l.OffHours.Least.IsSet()
		l.check(q)
	}
	if !always {
		p.add("", "a line that takes a P1 at every hour")
	}
	return s
}

func (l SupportLine) check(p problems) {
	if l.Name == "" {
		p.at("name").add("", "a name")
	}
	if len(l.May) == 0 {
		p.at("may").add("", "at least one thing that the line does")
	}
	if !l.OperationalDuty && len(l.Operates)+len(l.Agreed) > 0 {
		p.at("operational_duty").add("false", "true, for a line that operates something or has agreed actions")
	}
	for i, a := range l.Agreed {
		a.check(p.at("agreed[%d]", i))
	}
	if o := l.OffHours; o.Least != 0 && !o.Least.IsSet() {
		p.at("off_hours.least_severity").add(o.Least.String(), "P1 to P4")
	} else if len(l.Hours) == 0 && o != (OffHours{}) {
		p.at("off_hours").add("", "nothing for a line without hours")
	} else if o.Least.IsSet() && o.By == "" {
		p.at("off_hours.by").add("", "who takes it")
	}
	if l.Vendor != nil {
		l.Vendor.check(p.at("vendor"))
	}
	for i, t := range l.Training {
		t.check(p.at("training[%d]", i))
	}
}

func (a AgreedAction) check(p problems) {
	if a.Action == "" {
		p.at("action").add("", "an action like \"restart\"")
	}
	if len(a.With) == 0 {
		p.at("agreed_with").add("", "the stakeholders who agreed")
	}
	if a.Procedure == "" {
		p.at("procedure").add("", "where it is written how it is done")
	}
}

// Lines returns the lines in order.
func (s *SupportLines) Lines() []SupportLine {
	out := make([]SupportLine, len(s.list))
	for i := range s.list {
		out[i] = s.list[i].SupportLine
	}
	return out
}

func (s *SupportLines) find(line int) *supportLine {
	i := slices.IndexFunc(s.list, func(l supportLine) bool { return l.Line == line })
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
func (s *SupportLines) MayDo(line int, work string) Verdict {
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
func (s *SupportLines) MayRun(line int, action, target string, at time.Time) Verdict {
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
// a [*ConfigError] for a severity that is not set.
func (s *SupportLines) Receptions(severity incident.Severity, at time.Time) ([]Reception, error) {
	if !severity.IsSet() {
		return nil, severityError(severity)
	}
	out := make([]Reception, len(s.list))
	for i := range s.list {
		out[i] = s.list[i].receive(severity, at)
	}
	return out, nil
}

// Next returns the first line above the given one that takes a request of a
// severity at an instant, with 0 the first contact; ok is false where none does.
func (s *SupportLines) Next(line int, severity incident.Severity, at time.Time) (next Reception, ok bool, err error) {
	all, err := s.Receptions(severity, at)
	for _, r := range all {
		if r.Line > line && r.Takes {
			return r, true, nil
		}
	}
	return Reception{}, false, err
}

func (l *supportLine) receive(severity incident.Severity, at time.Time) Reception {
	o := l.OffHours
	switch {
	case l.hours == nil:
		return Reception{Line: l.Line, Takes: true, By: l.Name, Why: "at all hours"}
	case l.hours.open(seconds(at)):
		return Reception{Line: l.Line, Takes: true, By: l.Name, Why: "within hours"}
	case !o.Least.IsSet():
		return Reception{Line: l.Line, Why: "off hours"}
	case !severity.AtLeast(o.Least):
		return Reception{Line: l.Line, Why: fmt.Sprintf("off hours, from %s up only", o.Least)}
	}
	return Reception{
		Line: l.Line, Takes: true, By: o.By, LogOnly: o.LogOnly, CallClient: o.CallClient,
		Why: fmt.Sprintf("off hours, %s is severe enough", severity),
	}
}
