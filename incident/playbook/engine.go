package playbook

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Service is something that playbooks run on.
type Service struct {
	ID   string `json:"id"`
	Type string `json:"type"` // "compute", "database", "application" or one of your own
	// Zone is the IANA zone of its business hours. Without zone and hours it is
	// unknown whether it is business time, and risky actions need an approval.
	Zone string `json:"timezone,omitempty"`
	// Hours are its business hours. Defaults to Monday to Friday 09:00-18:00 in
	// Zone.
	Hours *calendar.Hours `json:"business_hours,omitempty"`
}

// Config is what an engine is built from. Only Book and Services have no
// default.
type Config struct {
	Tenant   string
	Book     Book
	Services []Service
	// Actions are the properties of the actions. Defaults to DefaultActions.
	Actions map[string]ActionSpec
	// Facts are what conditions may use. Defaults to DefaultFacts.
	Facts []FactSpec
	// ApprovalTime is how long an approval is awaited. Defaults to 15 minutes.
	ApprovalTime time.Duration
	// Approvers restricts who may approve to these roles. Defaults to anybody but
	// the person who started the run.
	Approvers []string
	// Quorum is how many different persons have to approve. Defaults to 1.
	Quorum int
	// StopOnFailure skips what is left of a stage after a failed action, except
	// calls for help. Defaults to false.
	StopOnFailure bool
	// CoolDown is how long after the end of a run its playbook does not begin
	// again on the service. Defaults to 0.
	CoolDown time.Duration
	// DryRun decides everything and asks for nothing: Step returns no intent.
	DryRun bool
}

// ConfigError reports one value of a [Config] that cannot be used.
type ConfigError struct {
	Path  string // such as "incident_automation.high_cpu_utilization.trigger.condition"
	Value string
	Want  string
}

// Error names path, value and what was expected.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("playbooks: %s %q: want %s", e.Path, e.Value, e.Want)
}

// Engine runs the playbooks of one tenant. It is not safe for concurrent use.
type Engine struct {
	config     Config
	vocabulary *Vocabulary
	playbooks  []*compiled // sorted by name
	services   map[string]*service
	guards     []guard
	retry      RetryPolicy
	runs       []*Run // in the order of their beginning
	halted     string // why; empty: not halted
}

type compiled struct {
	name        string
	serviceType string
	trigger     *Condition
	stages      [3]stage
	conditions  []*Condition // all with "for": trigger first, then in the order of the actions
}

type stage struct {
	delay time.Duration
	calls []call
}

type call struct {
	Call
	spec       ActionSpec
	timeout    time.Duration
	conditions []*Condition
	hash       string
}

// service is a registered service with what is known of it.
type service struct {
	Service
	hours  *calendar.Calendar
	facts  *Facts
	memory map[string][][]threshold.Progress // by playbook, then condition
}

// New checks a configuration and returns an engine that knows nothing yet. All
// problems are joined in the error, most of them a [*ConfigError].
func New(c Config) (*Engine, error) {
	e := &Engine{config: c, services: map[string]*service{}}
	var errs []error
	bad := func(path, value, want string) {
		errs = append(errs, &ConfigError{Path: path, Value: value, Want: want})
	}
	if e.config.Actions == nil {
		e.config.Actions = DefaultActions()
	}
	if e.config.ApprovalTime == 0 {
		e.config.ApprovalTime = 15 * time.Minute
	}
	if e.config.Quorum == 0 {
		e.config.Quorum = 1
	}
	switch {
	case c.ApprovalTime < 0:
		bad("approval_time", c.ApprovalTime.String(), "more than 0")
	case c.Quorum < 0:
		bad("quorum", strconv.Itoa(c.Quorum), "at least 1")
	case c.CoolDown < 0:
		bad("cool_down", c.CoolDown.String(), "0 or more")
	}
	facts := c.Facts
	if facts == nil {
		facts = DefaultFacts()
	}
	var err error
	if e.vocabulary, err = NewVocabulary(facts...); err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	e.compileResponse(bad)
	delays := c.Book.delays(bad)
	for _, name := range slices.Sorted(maps.Keys(c.Book.Playbooks)) {
		e.playbooks = append(e.playbooks, e.compile(name, c.Book.Playbooks[name], delays, bad))
	}
	for i, s := range c.Services {
		e.addService(s, fmt.Sprintf("services[%d]", i), bad)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return e, nil
}

func (e *Engine) compileResponse(bad func(path, value, want string)) {
	r := e.config.Book.Response
	if r.Framework != "" && r.Framework != "event_driven" {
		bad("response_engine.execution_framework", r.Framework, "event_driven")
	}
	e.retry = r.Retry.normalized()
	if field, want := e.retry.problem(); field != "" {
		bad("response_engine.retry_policy."+field, fmt.Sprintf("%+v", e.retry), want)
	}
	checks := r.Safety
	if checks == nil {
		checks = DefaultSafety()
	}
	for i, s := range checks {
		e.guards = append(e.guards, compileGuard(s, fmt.Sprintf("response_engine.safety_checks[%d]", i), e.vocabulary, bad))
	}
}

func (e *Engine) compile(name string, d Definition, delays [3]time.Duration, bad func(path, value, want string)) *compiled {
	path := "incident_automation." + name
	p := &compiled{name: name, serviceType: d.Trigger.ServiceType}
	if d.Trigger.ServiceType == "" {
		bad(path+".trigger.service_type", "", "a type of service")
	}
	trigger, err := Compile(d.Trigger.Condition, e.vocabulary)
	if err != nil {
		bad(path+".trigger.condition", d.Trigger.Condition, err.Error())
		return p
	}
	p.trigger = trigger
	p.conditions = append(p.conditions, trigger)
	seen := map[string]bool{}
	for i, calls := range [...][]Call{d.Actions.Immediate, d.Actions.Level1, d.Actions.Level2} {
		p.stages[i].delay = delays[i]
		for n, c := range calls {
			at := fmt.Sprintf("%s.automated_actions.%s[%d]", path, stageNames[i], n)
			if seen[stageNames[i]+"/"+c.Action] {
				bad(at, c.Action, "an action that the stage has once")
			}
			seen[stageNames[i]+"/"+c.Action] = true
			compiledCall := e.compileCall(c, at, bad)
			p.conditions = append(p.conditions, compiledCall.conditions...)
			p.stages[i].calls = append(p.stages[i].calls, compiledCall)
		}
	}
	if len(seen) == 0 {
		bad(path+".automated_actions", "", "at least one action")
	}
	return p
}

func (e *Engine) compileCall(c Call, path string, bad func(path, value, want string)) call {
	out := call{Call: c}
	spec, known := e.config.Actions[c.Action]
	if !known {
		bad(path+".action", c.Action, "an action with registered properties")
		return out
	}
	spec, want := spec.normalized(c.Action)
	if want != "" {
		bad("actions."+c.Action, c.Action, want)
	}
	out.spec, out.timeout = spec, spec.Timeout
	if c.Timeout != "" {
		d, err := threshold.ParseDuration(c.Timeout)
		switch {
		case err != nil:
			bad(path+".timeout", c.Timeout, err.Error())
		case d == 0:
			bad(path+".timeout", c.Timeout, "more than 0")
		}
		out.timeout = d
	}
	if len(c.Parameters) > 0 {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(c.Parameters, &object); err != nil {
			bad(path+".parameters", string(c.Parameters), "a JSON object")
		}
	}
	out.conditions = compileAll(spec.Conditions, "actions."+c.Action+".conditions", e.vocabulary, bad)
	out.conditions = append(out.conditions, compileAll(c.Conditions, path+".conditions", e.vocabulary, bad)...)
	out.hash = hashOf(c, spec)
	return out
}

func (e *Engine) addService(s Service, path string, bad func(path, value, want string)) {
	if s.ID == "" {
		bad(path+".id", "", "an id")
		return
	}
	if e.services[s.ID] != nil {
		bad(path+".id", s.ID, "an id that no other service has")
	}
	out := &service{Service: s, facts: e.vocabulary.NewFacts(), memory: map[string][][]threshold.Progress{}}
	hours := s.Hours
	if hours == nil && s.Zone != "" {
		hours = &calendar.Hours{Zone: s.Zone, Week: calendar.MondayToFriday("09:00", "18:00")}
	}
	if hours != nil {
		compiledHours, err := calendar.New(*hours)
		if err != nil {
			bad(path+".business_hours", s.Zone, err.Error())
		}
		out.hours = compiledHours
	}
	for _, p := range e.playbooks {
		if p.serviceType == s.Type && p.trigger != nil {
			out.memory[p.name] = p.newMemory()
		}
	}
	e.services[s.ID] = out
}

func (p *compiled) newMemory() [][]threshold.Progress {
	memory := make([][]threshold.Progress, len(p.conditions))
	for i, c := range p.conditions {
		memory[i] = make([]threshold.Progress, c.watches)
	}
	return memory
}

// memoryOf returns the history of a condition of a playbook on a service.
func (s *service) memoryOf(p *compiled, c *Condition) []threshold.Progress {
	for i, other := range p.conditions {
		if other == c {
			return s.memory[p.name][i]
		}
	}
	return nil
}

// playbook returns the compiled playbook of a name, or nil.
func (e *Engine) playbook(name string) *compiled {
	i := slices.IndexFunc(e.playbooks, func(p *compiled) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return e.playbooks[i]
}

// Kind names what an event says.
type Kind string

// The kinds of events.
const (
	Observe Kind = "observe" // Service, Fact, Value
	Start   Kind = "start"   // Service, Playbook, By: a person begins a run by hand
	Stop    Kind = "stop"    // Run, By: a person ends it; later stages are skipped
	Approve Kind = "approve" // Step, Hash, By, Role
	Reject  Kind = "reject"  // Step, By, Text
	Report  Kind = "report"  // Step, Attempt, Outcome, Text: result of an attempt
	Halt    Kind = "halt"    // By, Text: kill switch, nothing begins any more
	Release Kind = "release" // By: the kill switch is off
)

// Event is something that the engine has to know.
type Event struct {
	Kind     Kind      `json:"kind"`
	At       time.Time `json:"at"`
	Service  string    `json:"service,omitempty"`
	Fact     string    `json:"fact,omitempty"`
	Value    Value     `json:"value,omitzero"`
	Playbook string    `json:"playbook,omitempty"`
	Run      string    `json:"run,omitempty"`
	Step     string    `json:"step,omitempty"` // key of the step, as its intents carry it
	Hash     string    `json:"hash,omitempty"` // of what is approved, as the intent carries it
	By       string    `json:"by,omitempty"`
	Role     string    `json:"role,omitempty"`
	Attempt  int       `json:"attempt,omitempty"`
	Outcome  Outcome   `json:"outcome,omitempty"`
	Text     string    `json:"text,omitempty"`
}

// EventError reports an event that cannot be taken. The engine is unchanged.
type EventError struct {
	Kind  Kind
	Field string
	Value string
	Want  string
	Err   error // the cause, where a caller may branch on it
}

// Error names the kind, the field and what was expected.
func (e *EventError) Error() string {
	return fmt.Sprintf("playbook event %q: %s %q: want %s", e.Kind, e.Field, e.Value, e.Want)
}

// Unwrap returns the cause, or nil.
func (e *EventError) Unwrap() error { return e.Err }

// Apply takes an event. A repeated one changes nothing. The error is an
// [*EventError]. Call Step before an event with a later instant if stages may
// have fallen due in between.
func (e *Engine) Apply(event Event) error {
	if event.At.IsZero() {
		return &EventError{Kind: event.Kind, Field: "at", Want: "an instant"}
	}
	event.At = event.At.Round(0).UTC()
	switch event.Kind {
	case Observe:
		return e.observe(event)
	case Start:
		return e.start(event)
	case Stop:
		run := e.run(event.Run)
		if run == nil {
			return &EventError{Kind: Stop, Field: "run", Value: event.Run, Want: "a run of this engine"}
		}
		if run.ClearedAt.IsZero() {
			run.Stopped = run.By == "" || run.Joined
		}
		run.clear(event.At, "stopped by "+event.By)
		return nil
	case Approve, Reject:
		return e.decide(event)
	case Report:
		return e.report(event)
	case Halt:
		e.halted = "halted by " + event.By
		if event.Text != "" {
			e.halted += ": " + event.Text
		}
		return nil
	case Release:
		e.halted = ""
		return nil
	}
	return &EventError{Kind: event.Kind, Field: "kind", Value: string(event.Kind), Want: "observe, start, stop, approve, reject, report, halt or release"}
}

// observe records a fact and looks at the triggers that use it.
func (e *Engine) observe(event Event) error {
	s := e.services[event.Service]
	if s == nil {
		return &EventError{Kind: Observe, Field: "service", Value: event.Service, Want: "a registered service"}
	}
	fact, ok := e.vocabulary.index[event.Fact]
	if !ok {
		return &EventError{Kind: Observe, Field: "fact", Value: event.Fact, Want: "a registered fact", Err: ErrUnknownFact}
	}
	if known := s.facts.values[fact].At; !known.IsZero() && !event.At.After(known) && event.Value.equal(s.facts.values[fact].Value) || event.At.Before(known) {
		return nil // repeated, or older than what is known
	}
	if err := s.facts.Set(event.Fact, event.Value, event.At); err != nil {
		return &EventError{Kind: Observe, Field: "value", Value: event.Value.String(), Want: err.Error(), Err: err}
	}
	for _, p := range e.playbooks {
		if p.serviceType != s.Type {
			continue
		}
		for i, c := range p.conditions {
			env := s.env(event.At)
			env.memory = s.memory[p.name][i]
			if err := c.observe(&env, fact); err != nil {
				return &EventError{Kind: Observe, Field: "at", Value: event.At.Format(time.RFC3339Nano), Want: err.Error(), Err: err}
			}
		}
		e.pull(p, s, event.At)
	}
	return nil
}

func (v Value) equal(w Value) bool {
	return v.Type == w.Type && v.Bool == w.Bool && v.Number == w.Number && v.Text == w.Text && v.Since.Equal(w.Since) && slices.Equal(v.Texts, w.Texts)
}

// triggered evaluates the trigger of a playbook on a service.
func (e *Engine) triggered(p *compiled, s *service, at time.Time) Truth {
	env := s.env(at)
	env.memory = s.memory[p.name][0]
	return p.trigger.root.eval(&env)
}

// env is what the conditions of the service are evaluated against.
func (s *service) env(at time.Time) env {
	e := newEnv(s.facts, at)
	e.hours = s.hours
	return e
}

// pull begins or clears the run of a playbook after an observation.
func (e *Engine) pull(p *compiled, s *service, at time.Time) {
	run, now := e.latest(p.name, s.ID), e.triggered(p, s, at)
	why := func() string {
		env := s.env(at)
		return fmt.Sprintf("%s is %s (%s)", p.trigger.text, now, p.trigger.seen(&env))
	}
	if run != nil && run.held() {
		if now == True {
			run.Joined = true
			return
		}
		run.Stopped, run.Joined = false, false
		if run.By == "" || run.Ended() {
			run.clear(at, why())
		}
		return
	}
	if now != True || run != nil && (!run.Ended() || !at.After(run.TriggeredAt) || at.Sub(run.EndedAt) < e.config.CoolDown) {
		return
	}
	e.begin(p, s, at, "", why())
}

// start begins a run by hand. It joins one that is under way.
func (e *Engine) start(event Event) error {
	p, s := e.playbook(event.Playbook), e.services[event.Service]
	switch {
	case p == nil:
		return &EventError{Kind: Start, Field: "playbook", Value: event.Playbook, Want: "a playbook of the book"}
	case s == nil || s.Type != p.serviceType:
		return &EventError{Kind: Start, Field: "service", Value: event.Service, Want: "a service of type " + p.serviceType}
	case event.By == "":
		return &EventError{Kind: Start, Field: "by", Want: "a person"}
	}
	if run := e.latest(p.name, s.ID); run == nil || run.Ended() && run.TriggeredAt.Before(event.At) {
		e.begin(p, s, event.At, event.By, "started by "+event.By)
	}
	return nil
}

// latest returns the last run of a playbook on a service, or nil.
func (e *Engine) latest(playbook, service string) *Run {
	for _, r := range slices.Backward(e.runs) {
		if r.Playbook == playbook && r.Service == service {
			return r
		}
	}
	return nil
}

func (e *Engine) run(id string) *Run {
	i := slices.IndexFunc(e.runs, func(r *Run) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return e.runs[i]
}
