package playbook

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// Run is one playbook at work on one service.
type Run struct {
	ID          string    `json:"id"`
	Playbook    string    `json:"playbook"`
	Service     string    `json:"service"`
	TriggeredAt time.Time `json:"triggered_at"`
	By          string    `json:"by,omitempty"`       // who started it by hand
	Incident    string    `json:"incident,omitempty"` // that it belongs to, if somebody said so
	Why         string    `json:"why"`
	ClearedAt   time.Time `json:"cleared_at,omitzero"` // when the trigger ceased to hold
	ClearedWhy  string    `json:"cleared_why,omitempty"`
	EndedAt     time.Time `json:"ended_at,omitzero"` // nothing is left to do
	Stopped     bool      `json:"stopped,omitempty"` // by a person, while the trigger held; it still does
	Joined      bool      `json:"joined,omitempty"`  // of a run by hand: the trigger holds, too
	UndoneBy    string    `json:"undone_by,omitempty"`
	Stages      int       `json:"stages"`   // that have begun, or were skipped
	Steps       []*Step   `json:"steps"`    // of the stages that have begun, in order, and of the undo
	Recorded    int       `json:"recorded"` // entries so far
}

// Ended reports whether nothing is left to do in the run. Its trigger may still
// hold; the playbook begins anew only after it has cleared.
func (r *Run) Ended() bool { return !r.EndedAt.IsZero() }

// held reports whether the trigger of the run may still hold.
func (r *Run) held() bool {
	return r.Stopped || r.ClearedAt.IsZero() && (r.By == "" || r.Joined || !r.Ended())
}

func (e *Engine) clear(r *Run, at time.Time, why string) {
	if r.ClearedAt.IsZero() {
		r.ClearedAt, r.ClearedWhy = at, why
		e.recordRun(RunCleared, r, at, "", why)
	}
}

func (e *Engine) end(r *Run, at time.Time) {
	r.EndedAt = at
	e.recordRun(RunEnded, r, at, "", "nothing is left to do")
}

// Step is one action of a run.
type Step struct {
	Key    string    `json:"key"` // tenant/run/stage/action: the idempotency key of all attempts
	Stage  string    `json:"stage"`
	Action string    `json:"action"`
	Due    time.Time `json:"due"` // of its stage
	Status Status    `json:"status"`

	Decision Verdict   `json:"decision,omitempty"` // the latest; empty before the first
	At       time.Time `json:"at,omitzero"`        // of the latest decision
	Why      string    `json:"why,omitempty"`

	Attempt  int        `json:"attempts"`           // so far
	Began    time.Time  `json:"began,omitzero"`     // the first attempt
	Until    time.Time  `json:"until,omitzero"`     // end of the attempt, the pause or the wait
	Result   string     `json:"result,omitempty"`   // what the latest attempt said
	Hash     string     `json:"hash,omitempty"`     // of what is asked for
	Approved []Approval `json:"approved,omitempty"` // by whom
	Agreed   bool       `json:"agreed,omitempty"`   // enough of them
	Asked    int        `json:"asked,omitempty"`    // so often
	Undoes   string     `json:"undoes,omitempty"`   // key of the step that this one takes back
	Call     string     `json:"call,omitempty"`     // why a person has to be called with the next step
	Told     int        `json:"told,omitempty"`     // persons were called so often
}

// Approval is the yes of one person to one action with its parameters.
type Approval struct {
	By     string    `json:"by"`
	Role   string    `json:"role,omitempty"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// approvedBy reports whether the person has said yes.
func (s *Step) approvedBy(person string) bool {
	return slices.ContainsFunc(s.Approved, func(a Approval) bool { return a.By == person })
}

// Status is where a step stands.
type Status string

// The statuses. A step that waits, is queued, runs, pauses or asks is not done.
const (
	Waiting   Status = "waiting"         // for its turn in the stage
	Queued    Status = "queued"          // until fewer actions are under way; see Limits
	Running   Status = "running"         // an attempt is under way
	Pausing   Status = "pausing"         // until the next attempt
	Asking    Status = "asking"          // for an approval
	Succeeded Status = "succeeded"       //
	Failure   Status = "failed"          // every attempt, or one that may not be repeated
	Skipped   Status = "skipped"         // a condition was false
	Blocked   Status = "blocked"         // by a safety check, an unknown or the kill switch
	Expired   Status = "expired"         // nobody approved in time
	Rejected  Status = "rejected"        // by a person
	Unsure    Status = "outcome_unknown" // it may have happened; a person has to look
	DryRun    Status = "dry_run"         // decided, not done
)

// Done reports whether the step has come to its end.
func (s Status) Done() bool {
	switch s {
	case Waiting, Queued, Running, Pausing, Asking:
		return false
	default:
		return true
	}
}

// Outcome is what an attempt came to.
type Outcome string

// The outcomes of an attempt.
const (
	OK        Outcome = "ok"
	Failed    Outcome = "failed"    // an error; whether it had an effect is not known
	NotDone   Outcome = "not_done"  // an error, and certainly no effect: may always be repeated
	Uncertain Outcome = "uncertain" // no answer
)

// Intent is something that has to be done outside.
type Intent struct {
	Kind IntentKind `json:"kind"`
	// Key is the idempotency key of the effect: the same for all attempts of an
	// action.
	Key      string `json:"key"`
	Tenant   string `json:"tenant,omitempty"`
	Run      string `json:"run"`
	Playbook string `json:"playbook"`
	Service  string `json:"service"`
	Step     string `json:"step"` // to be named in the events about it
	Stage    string `json:"stage"`
	Action   string `json:"action"`

	Operation  string          `json:"operation,omitempty"` // Do: what to run
	Parameters json.RawMessage `json:"parameters,omitempty"`
	Severity   string          `json:"severity,omitempty"`
	Undoes     string          `json:"undoes,omitempty"`  // key of the step that it takes back
	Result     string          `json:"result,omitempty"`  // what that step reported
	Attempt    int             `json:"attempt,omitempty"` // Do
	Changes    bool            `json:"changes,omitempty"` // Do: it counts for the [Limits]
	Hash       string          `json:"hash,omitempty"`    // Ask: what is approved
	At         time.Time       `json:"at"`
	Deadline   time.Time       `json:"deadline,omitzero"` // of the attempt or the approval
	Why        string          `json:"why"`
}

// IntentKind says what has to be done.
type IntentKind string

// The kinds of intents.
const (
	Do   IntentKind = "do"   // carry the operation out and report
	Ask  IntentKind = "ask"  // ask for an approval
	Tell IntentKind = "tell" // page a person: it needs a look
)

// hashOf identifies what an approval is about.
func hashOf(c Call, spec ActionSpec) string {
	data, err := json.Marshal(struct {
		Call
		Operation string `json:"operation"`
	}{c, spec.Operation})
	if err != nil {
		return "" // a bad parameter, which is reported by its path
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

var (
	keyEscaper   = strings.NewReplacer("%", "%25", "/", "%2F")
	keyUnescaper = strings.NewReplacer("%25", "%", "%2F", "/")
)

func key(parts ...string) string {
	for i, p := range parts {
		parts[i] = keyEscaper.Replace(p)
	}
	return strings.Join(parts, "/")
}

func (e *Engine) begin(p *compiled, s *service, at time.Time, asked Event, why string) {
	r := &Run{
		ID:       fmt.Sprintf("%s@%s@%d", p.name, s.ID, at.UnixNano()),
		Playbook: p.name, Service: s.ID, TriggeredAt: at, By: asked.By, Incident: asked.Incident, Why: why,
	}
	e.keep(r)
	e.recordRun(RunBegan, r, at, asked.By, why)
}

// keep adds a run to those that the engine knows.
func (e *Engine) keep(r *Run) {
	e.runs = append(e.runs, r)
	e.byID[r.ID] = r
	if s := e.services[r.Service]; s != nil {
		s.runs = append(s.runs, r)
	}
}

// Step returns what is due at an instant, in a fixed order, and remembers that
// it went out. Commit the snapshot and the intents together. Call it after every
// Apply and at NextWake.
func (e *Engine) Step(at time.Time) []Intent {
	at = at.Round(0).UTC()
	var out []Intent
	for _, r := range e.runs {
		p, s := e.playbook(r.Playbook), e.services[r.Service]
		if p == nil || s == nil {
			if !r.Ended() {
				e.clear(r, at, "the playbook or the service is gone")
				e.end(r, at)
			}
			continue
		}
		e.lapse(r, p, s, at)
		if r.Ended() {
			continue
		}
		e.openStages(r, p, at)
		// An action that ends at once lets the next one of its stage begin.
		for moved := true; moved; {
			moved = false
			for _, step := range r.Steps {
				before := *step
				out = append(out, e.advance(r, p, s, step, at)...)
				moved = moved || step.Status != before.Status
			}
		}
		if r.Stages == len(stageNames) && !slices.ContainsFunc(r.Steps, func(s *Step) bool { return !s.Status.Done() }) {
			e.end(r, at)
		}
	}
	return out
}

// lapse clears a run whose trigger ceased to hold without a sample, because
// samples stopped.
func (e *Engine) lapse(r *Run, p *compiled, s *service, at time.Time) {
	if !r.held() || r.By != "" && !r.Ended() || e.triggered(p, s, at) == True {
		return
	}
	cleared, why := at, "the trigger is "+e.triggered(p, s, at).String()
	for _, i := range p.trigger.facts {
		limit := e.vocabulary.specs[i].Staleness
		if stale := s.facts.values[i].At.Add(limit); limit >= 0 && stale.Before(at) {
			env := s.env(at)
			why = p.trigger.seen(&env)
			if stale.Before(cleared) {
				cleared = stale
			}
		}
	}
	if cleared.Before(r.TriggeredAt) {
		cleared = r.TriggeredAt
	}
	r.Stopped = false
	e.clear(r, cleared, why)
}

// openStages adds the steps of the stages that are due. Those that come due
// after the trigger has cleared are skipped.
func (e *Engine) openStages(r *Run, p *compiled, at time.Time) {
	for r.Stages < len(p.stages) {
		st := p.stages[r.Stages]
		due := r.TriggeredAt.Add(st.delay)
		if !r.ClearedAt.IsZero() {
			r.Stages = len(p.stages)
			return
		}
		if due.After(at) {
			return
		}
		name := stageNames[r.Stages]
		for _, c := range st.calls {
			r.Steps = append(r.Steps, &Step{
				Key: key(e.config.Tenant, r.ID, name, c.Action), Stage: name, Action: c.Action, Due: due, Status: Waiting, Hash: c.hash,
			})
		}
		r.Stages++
	}
}

// call returns what a step is to do, or nil if the playbook has it no more.
func (e *Engine) call(r *Run, step *Step) *call {
	p := e.playbook(r.Playbook)
	if p == nil {
		return nil
	}
	if step.Undoes != "" {
		if i := slices.IndexFunc(r.Steps, func(s *Step) bool { return s.Key == step.Undoes && s.Undoes == "" }); i >= 0 {
			if c := e.call(r, r.Steps[i]); c != nil && c.undo != nil && c.undo.Action == step.Action {
				return c.undo
			}
		}
		return nil
	}
	i := slices.Index(stageNames[:], step.Stage)
	if i < 0 {
		return nil
	}
	st := &p.stages[i]
	if i = slices.IndexFunc(st.calls, func(c call) bool { return c.Action == step.Action }); i < 0 {
		return nil
	}
	return &st.calls[i]
}

// advance moves one step as far as it goes at an instant.
func (e *Engine) advance(r *Run, p *compiled, s *service, step *Step, at time.Time) []Intent {
	if step.Status.Done() && step.Call == "" {
		return nil
	}
	c := e.call(r, step)
	if c == nil {
		const why = "the action is gone from the playbook"
		if step.Status == Running {
			e.recordResult(r, step, step.Attempt, at, Uncertain, why)
		}
		step.Status, step.Why, step.Call = Blocked, why, ""
		e.recordStep(Decided, r, step, at, "", why)
		return nil
	}
	var out []Intent
	skip := func(why string) {
		step.Status, step.Decision, step.At, step.Why = Skipped, SkipIt, at, why
		e.recordStep(Decided, r, step, at, "", why)
	}
	switch {
	case !r.ClearedAt.IsZero() && step.Undoes == "" && (step.Status == Waiting || step.Status == Queued || step.Status == Asking):
		skip("the trigger has cleared: " + r.ClearedWhy)
	case step.Status == Waiting:
		before := e.inTheWay(r, step, c)
		if before == "" {
			out = e.attempt(r, p, s, step, c, at)
		} else if before != waitFor {
			skip(before)
		}
	case step.Status == Asking && step.Agreed, step.Status == Queued, step.Status == Pausing && !step.Until.After(at):
		out = e.attempt(r, p, s, step, c, at)
	case step.Status == Asking && !step.Until.After(at):
		step.Status, step.Call = Expired, "nobody approved within "+threshold.FormatDuration(e.config.ApprovalTime)
		e.recordStep(Lapsed, r, step, step.Until, "", step.Call)
	case step.Status == Running && !step.Until.After(at):
		e.finish(r, step, c, step.Until, Uncertain, "no answer within "+threshold.FormatDuration(c.timeout))
	}
	if step.Call != "" {
		step.Told++
		i := e.intent(Tell, r, step, c, at, step.Call)
		i.Key = fmt.Sprintf("%s/human/%d", step.Key, step.Told)
		step.Call, out = "", append(out, i)
	}
	return out
}

const waitFor = "wait"

// inTheWay returns "" if the step may begin, waitFor if an earlier one of its
// stage is under way, and why it is skipped if an earlier one failed and the
// stage stops there. Calls for help begin in any case.
func (e *Engine) inTheWay(r *Run, step *Step, c *call) string {
	if c.spec.Type.reachesPeople() {
		return ""
	}
	for _, other := range r.Steps {
		switch {
		case other == step:
			return ""
		case other.Stage != step.Stage:
		case other.Status == Running || other.Status == Pausing || other.Status == Waiting || other.Status == Queued:
			return waitFor
		case e.config.StopOnFailure && (other.Status == Failure || other.Status == Unsure):
			return fmt.Sprintf("%s before it came to %s", other.Action, other.Status)
		}
	}
	return ""
}

// attempt decides anew and, if it may, begins an attempt.
func (e *Engine) attempt(r *Run, p *compiled, s *service, step *Step, c *call, at time.Time) []Intent {
	if n := len(step.Approved); step.Hash != c.hash || n > 0 && step.Agreed && at.Sub(step.Approved[n-1].At) > e.config.ApprovalTime {
		// The book has changed since, or the action was queued for too long.
		step.Hash, step.Agreed, step.Approved = c.hash, false, nil
	}
	verdict, why := e.judge(p, s, c, at)
	if verdict == AskIt && step.Agreed {
		verdict, why = RunIt, "approved by "+names(step.Approved)
	}
	if verdict == RunIt && c.spec.Type.changes() && !e.config.DryRun {
		limited, full := e.limit(r, step, at)
		if limited != "" {
			why = limited
		}
		if full {
			verdict = BlockIt
		} else if limited != "" {
			e.queue(r, step, at, why)
			return nil
		}
	}
	step.Decision, step.At, step.Why = verdict, at, why
	defer e.recordStep(Decided, r, step, at, "", why)
	if e.config.DryRun && (verdict == RunIt || verdict == AskIt) {
		step.Status = DryRun
		return nil
	}
	switch verdict {
	case RunIt:
		step.Status, step.Until = Running, at.Add(c.timeout)
		if step.Attempt++; step.Attempt == 1 {
			step.Began = at
		}
		i := e.intent(Do, r, step, c, at, why)
		i.Attempt, i.Deadline, i.Operation, i.Changes = step.Attempt, step.Until, c.spec.Operation, c.spec.Type.changes()
		return []Intent{i}
	case AskIt:
		step.Status, step.Until = Asking, at.Add(e.config.ApprovalTime)
		i := e.intent(Ask, r, step, c, at, why)
		i.Key = step.Key + "/approval"
		if step.Asked++; step.Asked > 1 {
			i.Key += "/" + strconv.Itoa(step.Asked)
		}
		i.Hash, i.Deadline, i.Operation = step.Hash, step.Until, c.spec.Operation
		return []Intent{i}
	case SkipIt:
		step.Status = Skipped
	default:
		step.Status = Blocked
		if !e.config.DryRun {
			step.Call = why
		}
	}
	return nil
}

// names lists who approved, with their reasons.
func names(list []Approval) string {
	texts := make([]string, len(list))
	for i, a := range list {
		if texts[i] = a.By; a.Reason != "" {
			texts[i] += " (" + a.Reason + ")"
		}
	}
	return strings.Join(texts, ", ")
}

func (e *Engine) intent(kind IntentKind, r *Run, step *Step, c *call, at time.Time, why string) Intent {
	return Intent{
		Kind: kind, Key: step.Key, Tenant: e.config.Tenant, Run: r.ID, Playbook: r.Playbook, Service: r.Service,
		Step: step.Key, Stage: step.Stage, Action: step.Action, Parameters: c.Parameters, Severity: c.Severity, At: at, Why: why,
		Undoes: step.Undoes, Result: resultOf(r, step.Undoes),
	}
}

// resultOf returns what a step reported.
func resultOf(r *Run, key string) string {
	for _, s := range r.Steps {
		if key != "" && s.Key == key {
			return s.Result
		}
	}
	return ""
}

// judge evaluates the conditions of an action and all safety checks.
func (e *Engine) judge(p *compiled, s *service, c *call, at time.Time) (Verdict, string) {
	if e.halted != "" {
		return BlockIt, e.halted
	}
	holds, whys := True, []string(nil)
	for _, condition := range c.conditions {
		env := s.env(at)
		env.memory = s.memoryOf(p, condition)
		t := condition.root.eval(&env)
		holds = holds.and(t)
		if t != True {
			whys = append(whys, fmt.Sprintf("%s is %s (%s)", condition.text, t, condition.seen(&env)))
		}
	}
	switch holds {
	case False:
		return SkipIt, strings.Join(whys, "; ")
	case Unknown:
		return BlockIt, strings.Join(whys, "; ")
	default:
	}
	verdict := RunIt
	if c.spec.Approval == ApproveAlways {
		verdict, whys = AskIt, append(whys, "the action always needs an approval")
	}
	env := s.env(at)
	env.action = &c.spec
	for _, g := range e.guards {
		v, why := g.judge(&env)
		verdict = worse(verdict, v)
		if why != "" {
			whys = append(whys, why)
		}
	}
	if len(whys) == 0 {
		return verdict, "conditions and safety checks hold"
	}
	return verdict, strings.Join(whys, "; ")
}

// finish takes the end of an attempt and decides whether there is another one.
func (e *Engine) finish(r *Run, step *Step, c *call, at time.Time, outcome Outcome, text string) {
	step.Result = text
	mayRepeat := c.spec.Idempotent || outcome == NotDone
	wait, left := e.wait(step, at)
	switch {
	case outcome == OK:
		step.Status, step.Until = Succeeded, time.Time{}
	case mayRepeat && left:
		step.Status, step.Until = Pausing, at.Add(wait)
	case outcome == Uncertain && !c.spec.Idempotent:
		step.Status, step.Until = Unsure, time.Time{}
		step.Call = text + "; it may have happened"
	default:
		step.Status, step.Until = Failure, time.Time{}
		step.Call = fmt.Sprintf("attempt %d of %d: %s", step.Attempt, e.retry.MaxAttempts, text)
	}
	e.recordResult(r, step, step.Attempt, at, outcome, text)
}

// wait returns how long to wait for the next attempt, if there is one.
func (e *Engine) wait(step *Step, at time.Time) (time.Duration, bool) {
	wait, left := e.retry.Delay(step.Attempt)
	if left && wait > 0 && e.config.Jitter != nil {
		wait = time.Duration(rand.New(e.config.Jitter).Int64N(int64(wait) + 1)) //nolint:gosec // the caller's source
	}
	deadline := time.Duration(e.retry.DeadlineSeconds) * time.Second
	return wait, left && (deadline == 0 || !at.Add(wait).After(step.Began.Add(deadline)))
}

// NextWake returns the earliest instant at which Step has something to do if
// nothing else happens; ok is false if there is none.
func (e *Engine) NextWake() (at time.Time, ok bool) {
	earliest := func(t time.Time) {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	for _, r := range e.runs {
		p, s := e.playbook(r.Playbook), e.services[r.Service]
		if r.Ended() || p == nil || s == nil {
			continue
		}
		if r.Stages < len(p.stages) {
			earliest(r.TriggeredAt.Add(p.stages[r.Stages].delay)) // of a cleared run: to end it
		}
		for _, step := range r.Steps {
			switch {
			case step.Call != "":
				earliest(step.At)
			case step.Status == Running || step.Status == Pausing:
				earliest(step.Until)
			case step.Status.Done():
			case !r.ClearedAt.IsZero() && step.Undoes == "":
				earliest(r.ClearedAt)
			case step.Status == Asking && step.Agreed:
				earliest(step.At)
			case step.Status != Waiting:
				earliest(step.Until)
			}
		}
	}
	return at, ok
}

// Runs returns copies of all runs, in the order in which they began.
func (e *Engine) Runs() []Run {
	out := make([]Run, len(e.runs))
	for i, r := range e.runs {
		out[i] = r.clone()
	}
	return out
}

func (r *Run) clone() Run {
	out := *r
	out.Steps = make([]*Step, len(r.Steps))
	for i, s := range r.Steps {
		step := *s
		step.Approved = slices.Clone(s.Approved)
		out.Steps[i] = &step
	}
	return out
}

// Forget drops the runs that ended before an instant and whose trigger has
// cleared, and returns how many. Keep them at least as long as the cool-down.
func (e *Engine) Forget(before time.Time) int {
	old := func(r *Run) bool { return r.Ended() && !r.held() && r.EndedAt.Before(before) }
	n := len(e.runs)
	e.runs = slices.DeleteFunc(e.runs, old)
	for _, s := range e.services {
		s.runs = slices.DeleteFunc(s.runs, old)
	}
	maps.DeleteFunc(e.byID, func(_ string, r *Run) bool { return old(r) })
	return n - len(e.runs)
}
