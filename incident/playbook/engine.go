package playbook

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
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
	// Limits bound what runs may change at once. Defaults to no limits.
	Limits Limits
	// Jitter, where set, spreads the waits between attempts: each is drawn evenly
	// from 0 to what the retry policy says. Defaults to the full wait.
	Jitter rand.Source
	// Record is told of everything that is decided or learnt, in order. Defaults
	// to nobody.
	Record func(Entry)
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
	actions    map[string]action
	services   map[string]*service
	guards     []guard
	retry      RetryPolicy
	runs       []*Run          // in the order of their beginning
	byID       map[string]*Run // the same
	halted     string          // why; empty: not halted
	elsewhere  Usage           // of the other engines of the tenant
}

// action is a checked [ActionSpec].
type action struct {
	spec       ActionSpec
	conditions []*Condition
}

type compiled struct {
	name        string
	serviceType string
	undo        bool // on failure
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
	undo       *call // takes it back; nil: nothing does
}

// service is a registered service with what is known of it.
type service struct {
	Service
	hours  *calendar.Calendar
	facts  *Facts
	memory map[string][][]threshold.Progress // by playbook, then condition
	runs   []*Run                            // in the order of their beginning
}

// New checks a configuration and returns an engine that knows nothing yet. All
// problems are joined in the error, most of them a [*ConfigError].
func New(c Config) (*Engine, error) {
	e := &Engine{config: c, actions: map[string]action{}, services: map[string]*service{}, byID: map[string]*Run{}}
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
	if c.ApprovalTime < 0 {
		bad("approval_time", c.ApprovalTime.String(), "more than 0")
	}
	if c.Quorum < 0 {
		bad("quorum", strconv.Itoa(c.Quorum), "at least 1")
	}
	if c.CoolDown < 0 {
		bad("cool_down", c.CoolDown.String(), "0 or more")
	}
	c.Limits.check("limits", bad)
	facts := c.Facts
	if facts == nil {
		facts = DefaultFacts()
	}
	// What is wrong with a fact does not keep the rest from being checked.
	var err error
	if e.vocabulary, err = NewVocabulary(facts...); err != nil {
		errs = append(errs, err)
	}
	e.compileActions(bad)
	e.compileResponse(bad)
	delays := c.Book.delays(bad)
	for _, name := range slices.Sorted(maps.Keys(c.Book.Playbooks)) {
		e.playbooks = append(e.playbooks, e.compile(name, c.Book.Playbooks[name], delays, bad))
	}
	usual := map[string]*calendar.Calendar{}
	for i, s := range c.Services {
		e.addService(s, usual, fmt.Sprintf("services[%d]", i), bad)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return e, nil
}

func (e *Engine) compileActions(bad func(path, value, want string)) {
	for _, name := range slices.Sorted(maps.Keys(e.config.Actions)) {
		spec, want := e.config.Actions[name].normalized(name)
		if want != "" {
			bad("actions."+name, name, want)
		}
		if other, known := e.config.Actions[spec.Compensation]; spec.Compensation != "" && (!known || other.Compensation != "") {
			bad("actions."+name+".compensation", spec.Compensation, "a registered action without a compensation of its own")
		}
		e.actions[name] = action{spec, compileAll(spec.Conditions, "actions."+name+".conditions", e.vocabulary, bad)}
	}
}

func (e *Engine) compileResponse(bad func(path, value, want string)) {
	r := e.config.Book.Response
	if r.Framework != "" && r.Framework != "event_driven" {
		bad("response_engine.execution_framework", r.Framework, "event_driven")
	}
	e.retry = r.Retry.normalized()
	e.retry.check("response_engine.retry_policy", bad)
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
	p := &compiled{name: name, serviceType: d.Trigger.ServiceType, undo: d.UndoOnFailure}
	if d.Trigger.ServiceType == "" {
		bad(path+".trigger.service_type", "", "a type of service")
	}
	trigger, err := Compile(d.Trigger.Condition, e.vocabulary)
	if err != nil {
		bad(path+".trigger.condition", d.Trigger.Condition, err.Error())
	} else {
		p.trigger = trigger
		p.conditions = append(p.conditions, trigger)
	}
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
	known, ok := e.actions[c.Action]
	if !ok {
		bad(path+".action", c.Action, "an action with registered properties")
	}
	spec := known.spec
	out := call{Call: c, spec: spec, timeout: spec.Timeout, hash: hashOf(c, spec)}
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
	out.conditions = slices.Concat(known.conditions, compileAll(c.Conditions, path+".conditions", e.vocabulary, bad))
	if spec.Compensation != "" {
		taken := Call{Action: spec.Compensation, Parameters: c.Parameters}
		undo := e.actions[spec.Compensation]
		out.undo = &call{Call: taken, spec: undo.spec, timeout: undo.spec.Timeout, conditions: undo.conditions, hash: hashOf(taken, undo.spec)}
	}
	return out
}

// addService registers a service. usual are the usual business hours by zone.
func (e *Engine) addService(s Service, usual map[string]*calendar.Calendar, path string, bad func(path, value, want string)) {
	if s.ID == "" {
		bad(path+".id", "", "an id")
		return
	}
	if e.services[s.ID] != nil {
		bad(path+".id", s.ID, "an id that no other service has")
	}
	out := &service{Service: s, facts: e.vocabulary.NewFacts(), memory: map[string][][]threshold.Progress{}}
	switch {
	case s.Hours != nil:
		out.hours = compileHours(*s.Hours, path, bad)
	case s.Zone == "":
	case usual[s.Zone] != nil:
		out.hours = usual[s.Zone]
	default:
		out.hours = compileHours(calendar.Hours{Zone: s.Zone, Week: calendar.MondayToFriday("09:00", "18:00")}, path, bad)
		usual[s.Zone] = out.hours
	}
	e.watch(out)
	e.services[s.ID] = out
}

func compileHours(h calendar.Hours, path string, bad func(path, value, want string)) *calendar.Calendar {
	c, err := calendar.New(h)
	if err != nil {
		bad(path+".business_hours", h.Zone, err.Error())
	}
	return c
}

// watch makes room for the history of the conditions on a service.
func (e *Engine) watch(s *service) {
	for _, p := range e.playbooks {
		if p.serviceType == s.Type && p.trigger != nil {
			s.memory[p.name] = p.newMemory()
		}
	}
}

// ForService returns an engine for one service that knows nothing yet, or nil
// for one that is not registered. It shares the checked configuration and costs
// little, so that a store can keep each service by itself. Record replaces that of
// the configuration. What the other services of the tenant do has to be told by
// [Engine.Elsewhere], where there are [Limits].
func (e *Engine) ForService(id string, record func(Entry)) *Engine {
	s := e.services[id]
	if s == nil {
		return nil
	}
	out := *e
	out.config.Record = record
	alone := &service{Service: s.Service, hours: s.hours, facts: e.vocabulary.NewFacts(), memory: map[string][][]threshold.Progress{}}
	out.watch(alone)
	out.services, out.runs, out.byID = map[string]*service{id: alone}, nil, map[string]*Run{}
	out.halted, out.elsewhere = "", Usage{}
	return &out
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
	Start   Kind = "start"   // Service, Playbook, By, Incident: a person begins a run by hand
	Stop    Kind = "stop"    // Run, By: a person ends it; later stages are skipped
	Undo    Kind = "undo"    // Run, By, Text: a person has taken back what succeeded or is yet to, the latest first
	Attach  Kind = "attach"  // Run, Incident: the incident that the run belongs to
	Approve Kind = "approve" // Step, Hash, By, Role, Text
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
	Incident string    `json:"incident,omitempty"`
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
	case Stop, Undo, Attach:
		return e.onRun(event)
	case Approve, Reject:
		return e.decide(event)
	case Report:
		return e.report(event)
	case Halt:
		why := "halted by " + event.By
		if event.Text != "" {
			why += ": " + event.Text
		}
		if e.halted != why {
			e.halted = why
			e.record(Entry{Kind: Halted, At: event.At, By: event.By, Text: why})
		}
		return nil
	case Release:
		if e.halted != "" {
			e.halted = ""
			e.record(Entry{Kind: Released, At: event.At, By: event.By, Text: "released by " + event.By})
		}
		return nil
	}
	return &EventError{
		Kind: event.Kind, Field: "kind", Value: string(event.Kind),
		Want: "observe, start, stop, undo, attach, approve, reject, report, halt or release",
	}
}

// Halted returns who has switched the runs off and why, "" if nobody has.
func (e *Engine) Halted() string { return e.halted }

// onRun takes the word of a person on a whole run.
func (e *Engine) onRun(event Event) error {
	run := e.byID[event.Run]
	switch {
	case run == nil:
		return &EventError{Kind: event.Kind, Field: "run", Value: event.Run, Want: "a run of this engine"}
	case event.Kind == Attach:
		run.Incident = event.Incident
		return nil
	case event.Kind == Undo && event.By == "":
		return &EventError{Kind: Undo, Field: "by", Want: "a person"}
	}
	if run.ClearedAt.IsZero() {
		run.Stopped = run.By == "" || run.Joined
	}
	e.clear(run, event.At, "stopped by "+event.By)
	if event.Kind == Undo {
		why := "for " + event.By
		if event.Text != "" {
			why += ": " + event.Text
		}
		e.undo(run, event.At, event.By, why)
	}
	return nil
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
			e.clear(run, at, why())
		}
		return
	}
	if now != True || run != nil && (!run.Ended() || !at.After(run.TriggeredAt) || at.Sub(run.EndedAt) < e.config.CoolDown) {
		return
	}
	e.begin(p, s, at, Event{}, why())
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
		e.begin(p, s, event.At, event, "started by "+event.By)
	}
	return nil
}

// latest returns the last run of a playbook on a service, or nil.
func (e *Engine) latest(playbook, service string) *Run {
	for _, r := range slices.Backward(e.services[service].runs) {
		if r.Playbook == playbook {
			return r
		}
	}
	return nil
}
