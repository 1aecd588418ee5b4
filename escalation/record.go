package escalation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// record is the state of one incident. Its exported fields are the snapshot.
type record struct {
	ID       string            `json:"id"`
	Severity incident.Severity `json:"severity"`
	Domain   string            `json:"domain"`
	Service  string            `json:"service,omitempty"`
	Region   string            `json:"region,omitempty"`
	Policy   string            `json:"policy,omitempty"` // as named by the opening
	Book     string            `json:"book"`             // digest of the matrix of this round
	Opened   time.Time         `json:"opened"`
	Changed  time.Time         `json:"changed,omitzero"` // last change of severity
	Changes  int               `json:"changes,omitzero"`

	Round    int       `json:"round"`             // 1, and one more per reopening
	Reopened time.Time `json:"reopened,omitzero"` // when this round began, after the first
	Anchor   time.Time `json:"anchor"`            // from which levels are counted

	Acknowledged   time.Time `json:"acknowledged,omitzero"`
	AcknowledgedBy string    `json:"acknowledged_by,omitempty"`
	Acks           int       `json:"acks,omitzero"`
	Rearmed        time.Time `json:"rearmed,omitzero"`    // last time it was given up
	Snoozed        time.Time `json:"snoozed,omitzero"`    // until
	SnoozedAt      time.Time `json:"snoozed_at,omitzero"` // last time it was put off
	RespondBy      time.Time `json:"respond_by,omitzero"`
	Responded      time.Time `json:"responded,omitzero"` // first acknowledgement, given up since or not
	AtRisk         time.Time `json:"at_risk,omitzero"`   // when that was told
	Missed         time.Time `json:"missed,omitzero"`    // likewise
	Quiet          bool      `json:"quiet,omitzero"`     // the first page waits for the end of a maintenance
	Bundled        string    `json:"bundled,omitempty"`
	Bundle         []string  `json:"bundle,omitempty"`
	Closed         time.Time `json:"closed,omitzero"` // resolved or merged
	MergedInto     string    `json:"merged_into,omitempty"`

	Routing Routing        `json:"routing"`
	Holder  string         `json:"holder,omitempty"` // who counts it as an open incident
	Paged   []string       `json:"paged,omitempty"`  // in this round, each once
	Top     Level          `json:"top,omitzero"`     // most senior level paged in this round
	Fired   []firing       `json:"fired,omitempty"`  // in this round
	Held    []hold         `json:"held,omitempty"`   // levels that wait for somebody
	Arms    map[string]int `json:"arms,omitempty"`   // how often each timer was armed in this round
	Timers  []Timer        `json:"timers,omitempty"`
	Log     []Entry        `json:"log"`

	next time.Time // due instant of the first timer; zero: none
}

type firing struct {
	Level     int       `json:"level"`
	Due       time.Time `json:"due"`
	At        time.Time `json:"at"`
	Collapsed bool      `json:"collapsed,omitzero"` // a higher level paged instead
	Empty     bool      `json:"empty,omitzero"`     // it reached nobody, and the next was taken at once
	Void      bool      `json:"void,omitzero"`      // armed again since
}

// hold is a level that waits until an instant because its targets are nobody.
type hold struct {
	Level int       `json:"level"`
	Until time.Time `json:"until"`
}

// Entry is a line of the timeline of an incident.
type Entry struct {
	At time.Time `json:"at"`

	// Event is the name of an [EventKind], or of what the engine found: "assigned",
	// "escalation_required", "escalate", "waiting" for somebody, "suppressed" by a
	// maintenance, "bundled", "unbundled", "ack_lapses", "snooze_ends",
	// "response_at_risk", "response_missed".
	Event string   `json:"event"`
	Level int      `json:"level,omitzero"`
	To    []string `json:"to,omitempty"`
	Why   []string `json:"why,omitempty"`
}

func (r *record) isOpen() bool { return r.Closed.IsZero() }

func (r *record) note(at time.Time, event string, level int, to string, why ...string) {
	entry := Entry{At: at, Event: event, Level: level, Why: why}
	if to != "" {
		entry.To = []string{to}
	}
	r.Log = append(r.Log, entry)
}

// fired returns the firing of a level in this round that still counts.
func (r *record) fired(level int) *firing {
	for i := range r.Fired {
		if r.Fired[i].Level == level && !r.Fired[i].Void {
			return &r.Fired[i]
		}
	}
	return nil
}

// policy returns the one that an incident follows.
func (e *Engine) policy(r *record) *policy {
	if e.live {
		if b := e.current[r.Policy]; b != nil {
			return b.policies[r.Severity]
		}
	}
	return e.books[r.Book].policies[r.Severity]
}

// pending returns the timers that the state asks for, levels last. Their keys are
// set by arm.
func (e *Engine) pending(r *record) []Timer {
	if !r.isOpen() || r.Bundled != "" {
		return nil
	}
	var out []Timer
	want := func(kind TimerKind, level int, due time.Time) {
		out = append(out, Timer{Incident: r.ID, Kind: kind, Level: level, Due: due})
	}
	if r.Quiet {
		want(QuietEnds, 0, e.awake(r.Service, r.Anchor))
		return out
	}
	acked, p := !r.Acknowledged.IsZero(), e.policy(r)
	if acked && p.ackTimeout > 0 {
		want(AckLapses, 0, r.Acknowledged.Add(p.ackTimeout))
	}
	if !r.Snoozed.IsZero() {
		want(SnoozeEnds, 0, r.Snoozed)
	}
	if !r.RespondBy.IsZero() && r.Responded.IsZero() {
		if r.AtRisk.IsZero() {
			want(ResponseAtRisk, 0, r.Opened.Add(r.RespondBy.Sub(r.Opened)/2))
		}
		if r.Missed.IsZero() {
			want(ResponseMissed, 0, r.RespondBy)
		}
	}
	for i := range p.rungs {
		g := &p.rungs[i]
		if !r.stopped(g) && r.fired(i+1) == nil {
			want(LevelDue, i+1, e.due(r, i+1, g))
		}
	}
	return out
}

func (r *record) stopped(g *rung) bool { return g.StopOn == Acknowledged && !r.Acknowledged.IsZero() }

// due returns when a level is due: so long after the anchor, and not before it was
// given up, the end of a snooze or a maintenance, or the instant it waits for.
func (e *Engine) due(r *record, level int, g *rung) time.Time {
	due := r.Anchor.Add(g.after)
	if g.StopOn == Acknowledged {
		if e.tighten && !r.RespondBy.IsZero() && r.Round == 1 && r.RespondBy.Before(due) {
			due = r.RespondBy
		}
		due = latest(due, r.Rearmed)
	}
	due = latest(due, r.Snoozed)
	for _, h := range r.Held {
		if h.Level == level {
			due = latest(due, h.Until)
		}
	}
	return e.awake(r.Service, due)
}

// earliest takes the zero time for none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// open creates the record of an incident, or takes the event as a repetition.
func (e *Engine) open(r *record, event Event) ([]Action, error) {
	if r != nil {
		if !r.isOpen() && !event.At.Equal(r.Opened) {
			return nil, ErrNotPossible
		}
		return nil, nil
	}
	severity := event.Severity
	if severity == 0 {
		severity = e.unset
	}
	if !severity.IsSet() {
		return nil, severityError(severity)
	}
	at := event.At.UTC()
	if e.current[event.Policy] == nil {
		return nil, &ConfigError{Path: "policy", Value: event.Policy, Want: "the name of a policy"}
	}
	if !event.RespondBy.IsZero() && !event.RespondBy.After(at) {
		return nil, &ConfigError{Path: "respond_by", Value: event.RespondBy.Format(time.RFC3339), Want: "an instant after the opening"}
	}
	r = &record{
		ID: event.Incident, Severity: severity, Domain: event.Domain, Service: event.Service, Region: event.Region, Policy: event.Policy,
		Opened: at, Round: 1, Anchor: at,
	}
	if !event.RespondBy.IsZero() {
		r.RespondBy = event.RespondBy.UTC()
	}
	e.records[r.ID] = r
	return e.start(r, at), nil
}

// change applies any other event to a known incident.
func (e *Engine) change(r *record, event Event) ([]Action, error) {
	at := event.At.UTC()
	if at.Before(r.Reopened) {
		return nil, ErrStale // it belongs to an earlier round
	}
	switch event.Kind {
	case SeverityChanged:
		return e.changeSeverity(r, event, at)
	case Acknowledged:
		return e.acknowledge(r, event, at)
	case Unacknowledged:
		return e.giveUp(r, event, at)
	case Snoozed:
		return e.snooze(r, event, at)
	case Resolved:
		return e.resolve(r, event, at), nil
	case Reopened:
		return e.reopen(r, event, at)
	default:
		return e.merge(r, event, at)
	}
}

// start begins a round with the policy of the day, unless the incident goes under
// another one.
func (e *Engine) start(r *record, at time.Time) []Action {
	if b := e.current[r.Policy]; b != nil { // else it is gone and the old one stays
		r.Book = b.name
	}
	if leader := e.leader(r, at); leader != nil {
		e.join(r, leader, at)
		return e.arm(r, at)
	}
	return e.begin(r, at)
}

// begin sends the first page, to who takes the incident, unless a maintenance
// holds it back.
func (e *Engine) begin(r *record, at time.Time) []Action {
	if e.bundle > 0 && r.Service != "" {
		e.leaders[r.Service] = r.ID
	}
	if end := e.awake(r.Service, at); end.After(at) {
		r.Quiet, r.Anchor = true, at
		r.note(at, "suppressed", 0, "", "maintenance until "+end.Format(time.RFC3339))
		return e.arm(r, at)
	}
	if !r.Acknowledged.IsZero() || r.Snoozed.After(at) { // while it was held back
		return e.arm(r, at)
	}
	if p := e.policy(r); len(p.rungs) > 0 && p.rungs[0].after == 0 {
		r.Routing = Routing{Status: Assigned, Candidates: []Candidate{}, Refused: []Refusal{}, Search: []string{"step 1 of the policy"}}
		actions := e.climb(r, Timer{Level: 1, Key: e.armKey(r, "L1")}, at, nil)
		if len(r.Paged) > 0 {
			r.Routing.Assigned = r.Paged[0]
			e.hold(r, r.Paged[0])
		}
		return append(actions, e.arm(r, at)...)
	}
	routing := e.router.route(e.request(r, at))
	r.Routing = routing
	target, why := routing.Assigned, []string{"last resort: " + string(routing.Reason)}
	if target != "" {
		first := routing.Candidates[0]
		r.Top, why = first.Level, first.Why
		if routing.Reason == CentreManager {
			r.Top = Management
		}
		e.hold(r, target)
	} else {
		target = e.router.lastResort.ID
	}
	r.note(at, string(routing.Status), 0, target, why...)
	page := e.page(r, at, 0, e.key(r, "assign"), target, why)
	return append([]Action{page}, e.arm(r, at)...)
}

func (e *Engine) request(r *record, at time.Time) Request {
	return Request{At: at, Severity: r.Severity, Domain: r.Domain, Region: r.Region, Load: e.loads}
}

func (e *Engine) changeSeverity(r *record, event Event, at time.Time) ([]Action, error) {
	switch {
	case !event.Severity.IsSet():
		return nil, severityError(event.Severity)
	case !r.isOpen():
		return nil, ErrNotPossible
	case at.Before(r.Changed):
		return nil, ErrStale
	case event.Severity == r.Severity:
		return nil, nil
	}
	text := fmt.Sprintf("%s to %s", r.Severity, event.Severity)
	r.Severity, r.Changed = event.Severity, at
	r.Changes++
	r.note(at, event.Kind.String(), 0, "", text)
	var actions []Action
	if r.Holder != "" {
		actions = append(actions, e.notice(r, at, fmt.Sprintf("severity%d", r.Changes), r.Holder, "severity "+text))
	}
	if leader := e.records[r.Bundled]; leader != nil && r.Severity < leader.Severity {
		return append(actions, e.leave(r, at)...), nil
	}
	actions = append(actions, e.arm(r, at)...)
	return append(actions, e.dissolve(r, at)...), nil
}

func (e *Engine) acknowledge(r *record, event Event, at time.Time) ([]Action, error) {
	known := r.Acknowledged
	switch {
	case at.Before(r.Rearmed):
		return nil, ErrStale // it was given up since
	case !r.isOpen() && at.After(r.Closed):
		return nil, ErrNotPossible
	case !known.IsZero() && !at.Before(known):
		return nil, nil
	}
	r.Acknowledged, r.AcknowledgedBy, r.Responded = at, event.By, earliest(r.Responded, at)
	r.note(at, event.Kind.String(), 0, event.By, r.inTime(at, e.policy(r), Acknowledged)...)
	if !r.isOpen() {
		return nil, nil
	}
	if event.By != "" {
		e.hold(r, event.By)
	}
	if !known.IsZero() { // it was the first, known late
		return e.arm(r, at), nil
	}
	r.Acks++
	return append(e.tell(r, at, fmt.Sprintf("ack%d", r.Acks), event.By, "acknowledged"), e.arm(r, at)...), nil
}

// inTime says of levels that have fired that the event which stops them had
// happened by then.
func (r *record) inTime(at time.Time, p *policy, kind EventKind) []string {
	var why []string
	for i := range p.rungs {
		f := r.fired(i + 1)
		if f == nil || f.Collapsed || f.Empty || at.After(f.Due) || p.rungs[i].StopOn != kind && kind != Resolved {
			continue
		}
		why = append(why, fmt.Sprintf("in time for level %d, which had fired before this was known", i+1))
	}
	return why
}

func (e *Engine) giveUp(r *record, event Event, at time.Time) ([]Action, error) {
	switch {
	case !r.isOpen():
		return nil, ErrNotPossible
	case r.Acknowledged.IsZero():
		return nil, nil
	case at.Before(r.Acknowledged):
		return nil, ErrStale
	}
	r.rearm(at, e.policy(r))
	r.note(at, event.Kind.String(), 0, event.By)
	return e.arm(r, at), nil
}

// rearm takes an acknowledgement back: the levels that it stopped are due again.
func (r *record) rearm(at time.Time, p *policy) {
	r.Acknowledged, r.AcknowledgedBy, r.Rearmed = time.Time{}, "", at
	for i := range p.rungs {
		if f := r.fired(i + 1); f != nil && p.rungs[i].StopOn == Acknowledged {
			f.Void = true
		}
	}
}

// snooze holds all levels until an instant, at which the incident is as if it had
// been given up. A later snooze replaces the one before.
func (e *Engine) snooze(r *record, event Event, at time.Time) ([]Action, error) {
	until := event.Until.UTC()
	switch {
	case !r.isOpen() || !until.After(at):
		return nil, ErrNotPossible
	case at.Before(r.SnoozedAt):
		return nil, ErrStale
	case at.Equal(r.SnoozedAt), until.Equal(r.Snoozed):
		return nil, nil
	}
	r.Snoozed, r.SnoozedAt = until, at
	r.note(at, event.Kind.String(), 0, event.By, "until "+until.Format(time.RFC3339))
	return e.arm(r, at), nil
}

func (e *Engine) resolve(r *record, event Event, at time.Time) []Action {
	if !r.isOpen() {
		return nil
	}
	r.note(at, event.Kind.String(), 0, event.By, r.inTime(at, e.policy(r), Resolved)...)
	return e.close(r, at, "resolve", event.By, "resolved")
}

func (e *Engine) reopen(r *record, event Event, at time.Time) ([]Action, error) {
	switch {
	case r.MergedInto != "":
		return nil, ErrNotPossible
	case r.isOpen():
		return nil, nil
	case at.Before(r.Closed):
		return nil, ErrStale
	}
	r.note(at, event.Kind.String(), 0, event.By)
	r.Round++
	r.Reopened, r.Anchor = at, at
	r.Acknowledged, r.AcknowledgedBy, r.Acks = time.Time{}, "", 0
	r.Closed, r.Rearmed, r.Snoozed, r.Changes = time.Time{}, time.Time{}, time.Time{}, 0
	r.RespondBy, r.Quiet, r.Bundled = time.Time{}, false, "" // a response is owed once
	r.Holder, r.Paged, r.Top, r.Fired, r.Held, r.Arms = "", nil, 0, nil, nil, nil
	return e.start(r, at), nil
}

func (e *Engine) merge(r *record, event Event, at time.Time) ([]Action, error) {
	switch {
	case event.Into == "":
		return nil, ErrIncomplete
	case event.Into == r.ID:
		return nil, ErrNotPossible
	case r.MergedInto == event.Into:
		return nil, nil
	case !r.isOpen():
		return nil, ErrNotPossible
	}
	r.MergedInto = event.Into
	r.note(at, event.Kind.String(), 0, event.By, "into "+event.Into)
	return e.close(r, at, "merge", event.By, "merged into "+event.Into), nil
}

// close ends the round and tells everybody paged in it.
func (e *Engine) close(r *record, at time.Time, step, by, text string) []Action {
	r.Closed = at
	e.unload(r)
	actions := append(e.tell(r, at, step, by, text), e.arm(r, at)...)
	return append(actions, e.dissolve(r, at)...)
}

// hold makes a person the one who counts the incident as open.
func (e *Engine) hold(r *record, who string) {
	e.unload(r)
	r.Holder = who
	load := e.loads[who]
	load.Open++
	e.loads[who] = load
}

func (e *Engine) unload(r *record) {
	if load, ok := e.loads[r.Holder]; ok && r.Holder != "" {
		load.Open--
		e.loads[r.Holder] = load
	}
}

// fire does what the timers that are due ask for: first those that are no levels,
// in the order of pending, then the highest level.
func (e *Engine) fire(r *record, at time.Time) []Action {
	at = at.UTC()
	if e.live { // the policy may have other levels by now
		if actions := e.arm(r, at); len(actions) > 0 {
			return actions
		}
	}
	for i := range r.Timers {
		if t := r.Timers[i]; t.Kind != LevelDue && !t.Due.After(at) {
			r.Timers = slices.Delete(r.Timers, i, i+1) // it has run
			actions := e.lapse(r, t, at)
			return append(actions, e.arm(r, at)...)
		}
	}
	var due []Timer
	for _, t := range r.Timers {
		if t.Kind == LevelDue && !t.Due.After(at) {
			due = append(due, t)
		}
	}
	if len(due) == 0 {
		return e.arm(r, at)
	}
	var actions []Action
	for n := len(due) - 1; n >= 0 && len(actions) == 0; n-- { // one that waits leaves it to those below
		top, below := due[n], due[:n]
		var why []string
		for _, t := range below {
			why = append(why, fmt.Sprintf("level %d was overdue as well, one page for both", t.Level))
		}
		r.Timers = slices.DeleteFunc(r.Timers, func(t Timer) bool { return t.Key == top.Key }) // it has run
		if actions = e.climb(r, top, at, why); len(actions) == 0 {
			continue
		}
		for _, t := range below {
			r.Fired = append(r.Fired, firing{Level: t.Level, Due: t.Due, At: at, Collapsed: true})
		}
	}
	return append(actions, e.arm(r, at)...)
}

// lapse does what a timer that is no level asks for.
func (e *Engine) lapse(r *record, t Timer, at time.Time) []Action {
	var actions []Action
	switch t.Kind {
	case LevelDue: // see climb
	case QuietEnds:
		r.Quiet, r.Anchor = false, t.Due
		return e.begin(r, at)
	case AckLapses:
		r.rearm(t.Due, e.policy(r))
		r.note(at, t.Kind.String(), 0, "")
	case SnoozeEnds:
		r.Snoozed = time.Time{}
		if !r.Acknowledged.After(t.Due) { // else somebody took it on before this was looked at
			r.rearm(t.Due, e.policy(r))
		}
		r.note(at, t.Kind.String(), 0, "")
	case ResponseAtRisk:
		r.AtRisk = at
		actions = e.remind(r, t, at, "half of the time to respond is gone", false)
	case ResponseMissed:
		r.Missed = at
		actions = e.remind(r, t, at, "not acknowledged by "+r.RespondBy.Format(time.RFC3339), true)
	}
	return actions
}

// remind tells everybody paged in this round, and the manager in charge if asked
// to.
func (e *Engine) remind(r *record, t Timer, at time.Time, text string, manager bool) []Action {
	to := slices.Clone(r.Paged)
	if managers := e.router.managers(e.request(r, at)); manager && len(managers) > 0 && !slices.Contains(to, managers[0].ID) {
		to = append(to, managers[0].ID)
	}
	r.Log = append(r.Log, Entry{At: at, Event: t.Kind.String(), To: to, Why: []string{text}})
	var actions []Action
	for _, target := range to {
		actions = append(actions, e.notice(r, at, t.Kind.String(), target, text))
	}
	return actions
}

// climb pages for a level that is due. Where it reaches nobody the next level is
// taken at once, and after the last the last resort.
func (e *Engine) climb(r *record, t Timer, at time.Time, collapsed []string) []Action {
	rungs := e.policy(r).rungs
	why := []string{fmt.Sprintf("level %d: not %s within %d min", t.Level, rungs[t.Level-1].StopOn, rungs[t.Level-1].after/time.Minute)}
	if rungs[t.Level-1].after == 0 {
		why = []string{"step 1 of the policy"}
	}
	for level := t.Level; level <= len(rungs); level++ {
		g := &rungs[level-1]
		if level > t.Level {
			if r.stopped(g) || r.fired(level) != nil {
				continue
			}
			why = append(why, fmt.Sprintf("so level %d at once", level))
		}
		who := e.reach(r, g, at)
		key := e.levelKey(r, level, t)
		if len(who.people) == 0 && g.Wait {
			if until, ok := e.router.nextChance(g, at); ok {
				r.Held = append(slices.DeleteFunc(r.Held, func(h hold) bool { return h.Level == level }), hold{level, until})
				r.note(at, "waiting", level, "", append(why, who.why...)...)
				return nil
			}
		}
		r.Fired = append(r.Fired, firing{Level: level, Due: e.due(r, level, g), At: at, Empty: len(who.people) == 0})
		why = append(why, who.why...)
		if len(who.people) > 0 {
			return e.pageAll(r, at, level, key, who, append(why, collapsed...))
		}
	}
	why = append(why, "last resort: no step of the policy has anybody")
	key := e.levelKey(r, t.Level, t)
	return e.pageAll(r, at, t.Level, key, reached{people: []string{e.router.lastResort.ID}}, append(why, collapsed...))
}

// reach finds whom a level tells at an instant.
func (e *Engine) reach(r *record, g *rung, at time.Time) reached {
	if !g.open(at) {
		return reached{why: []string{"outside the hours of the step"}}
	}
	q := e.request(r, at)
	if g.RoundRobin {
		return e.takeTurn(r, g, q)
	}
	var all reached
	for _, t := range g.Targets {
		who := e.router.reach(t, q, r.Top, append(slices.Clone(r.Paged), all.people...))
		for _, id := range who.people {
			if !slices.Contains(all.people, id) {
				all.people = append(all.people, id)
			}
		}
		all.level, all.why = max(all.level, who.level), append(all.why, who.why...)
	}
	return all
}

// takeTurn finds the target whose turn it is; one that reaches nobody is passed
// over.
func (e *Engine) takeTurn(r *record, g *rung, q Request) reached {
	name := r.Book + "/" + g.turn
	var why []string
	for i := range g.Targets {
		n := (e.turns[name]%len(g.Targets) + i) % len(g.Targets)
		who := e.router.reach(g.Targets[n], q, r.Top, r.Paged)
		if len(who.people) > 0 {
			e.turns[name] = n + 1
			who.why = append(append(why, who.why...), fmt.Sprintf("turn %d of %d", n+1, len(g.Targets)))
			return who
		}
		why = append(why, who.why...)
	}
	return reached{why: why}
}

// levelKey is the key of a level: that of its timer, or the one it would get.
func (e *Engine) levelKey(r *record, level int, ran Timer) string {
	if level == ran.Level {
		return ran.Key
	}
	for _, t := range r.Timers {
		if t.Kind == LevelDue && t.Level == level {
			return t.Key
		}
	}
	return e.armKey(r, fmt.Sprintf("L%d", level))
}

// pageAll pages everybody whom a level reaches.
func (e *Engine) pageAll(r *record, at time.Time, level int, key string, who reached, why []string) []Action {
	r.Top = max(r.Top, who.level)
	r.Log = append(r.Log, Entry{At: at, Event: "escalate", Level: level, To: who.people, Why: why})
	var actions []Action
	for _, target := range who.people {
		actions = append(actions, e.page(r, at, level, key, target, why))
	}
	return actions
}

// arm brings the timers in line with the state: it cancels those that no longer
// count and sets new ones.
func (e *Engine) arm(r *record, at time.Time) []Action {
	var cancel, set []Action
	want := e.pending(r)
	for _, old := range r.Timers {
		kept := slices.IndexFunc(want, func(t Timer) bool { return t.Kind == old.Kind && t.Level == old.Level && t.Due.Equal(old.Due) })
		if kept >= 0 {
			want[kept].Key = old.Key
			continue
		}
		cancel = append(cancel, Action{Kind: CancelTimer, Key: old.Key, At: at, Incident: r.ID, Round: r.Round, Level: old.Level})
	}
	for i := range want {
		t := &want[i]
		if t.Key != "" {
			continue
		}
		step := t.Kind.String()
		if t.Kind == LevelDue {
			step = fmt.Sprintf("L%d", t.Level)
		}
		t.Key = e.armKey(r, step)
		set = append(set, Action{Kind: SetTimer, Key: t.Key, At: at, Incident: r.ID, Round: r.Round, Level: t.Level, Due: t.Due})
	}
	r.Timers = want
	e.queue(r)
	return append(cancel, set...)
}

// armKey returns the key of a step, another one each time.
func (e *Engine) armKey(r *record, step string) string {
	if r.Arms == nil {
		r.Arms = map[string]int{}
	}
	r.Arms[step]++
	if n := r.Arms[step]; n > 1 {
		step = fmt.Sprintf("%s.%d", step, n)
	}
	return e.key(r, step)
}

// queue puts the record in the queue of wakes.
func (e *Engine) queue(r *record) {
	r.next = time.Time{}
	for _, t := range r.Timers {
		if r.next.IsZero() || t.Due.Before(r.next) {
			r.next = t.Due
		}
	}
	if !r.next.IsZero() {
		e.wakes.add(wake{due: r.next, record: r})
	}
}

var escape = strings.NewReplacer("%", "%25", "/", "%2F")

func (e *Engine) key(r *record, step string) string {
	return fmt.Sprintf("%s/%s/%d/%s", escape.Replace(e.tenant), escape.Replace(r.ID), r.Round, step)
}

func (e *Engine) page(r *record, at time.Time, level int, key, target string, why []string) Action {
	if !slices.Contains(r.Paged, target) {
		r.Paged = append(r.Paged, target)
	}
	load := e.loads[target]
	load.Paged = at
	e.loads[target] = load
	kind := Page
	if e.isLimited(r, target) && e.limited(target, at) {
		kind, why = Notice, append(slices.Clone(why), fmt.Sprintf("a notice: more than %d pages in %s", e.limit.Pages, e.limit.Per))
	}
	return Action{
		Kind: kind, Key: key + "/" + escape.Replace(target), At: at,
		Incident: r.ID, Round: r.Round, Level: level, Target: target, Why: why,
	}
}

func (e *Engine) notice(r *record, at time.Time, step, target string, why ...string) Action {
	return Action{
		Kind: Notice, Key: e.key(r, step) + "/" + escape.Replace(target), At: at,
		Incident: r.ID, Round: r.Round, Target: target, Why: why,
	}
}

// tell sends a notice to everybody paged in this round but one.
func (e *Engine) tell(r *record, at time.Time, step, by, text string) []Action {
	var out []Action
	if by != "" {
		text += " by " + by
	}
	for _, target := range r.Paged {
		if target != by {
			out = append(out, e.notice(r, at, step, target, text))
		}
	}
	return out
}
