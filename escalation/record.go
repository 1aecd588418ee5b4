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
	Opened   time.Time         `json:"opened"`
	Changed  time.Time         `json:"changed,omitzero"` // last change of severity
	Changes  int               `json:"changes,omitzero"`

	Round  int       `json:"round"`  // 1, and one more per reopening
	Anchor time.Time `json:"anchor"` // from which levels are counted

	Acknowledged   time.Time `json:"acknowledged,omitzero"`
	AcknowledgedBy string    `json:"acknowledged_by,omitempty"`
	Acks           int       `json:"acks,omitzero"`
	Rearmed        time.Time `json:"rearmed,omitzero"` // last time it was given up
	Closed         time.Time `json:"closed,omitzero"`  // resolved or merged
	MergedInto     string    `json:"merged_into,omitempty"`

	Routing Routing  `json:"routing"`
	Holder  string   `json:"holder,omitempty"` // who counts it as an open incident
	Paged   []string `json:"paged,omitempty"`  // in this round, each once
	Top     Level    `json:"top,omitzero"`     // most senior level paged in this round
	Fired   []firing `json:"fired,omitempty"`  // in this round
	Arms    []int    `json:"arms,omitempty"`   // how often each level was armed in this round
	Timers  []Timer  `json:"timers,omitempty"`
	Log     []Entry  `json:"log"`

	next time.Time // due instant of the first timer; zero: none
}

type firing struct {
	Level     int       `json:"level"`
	Due       time.Time `json:"due"`
	At        time.Time `json:"at"`
	Collapsed bool      `json:"collapsed,omitzero"` // a higher level paged instead
	Void      bool      `json:"void,omitzero"`      // armed again since
}

// Entry is a line of the timeline of an incident.
type Entry struct {
	At time.Time `json:"at"`

	// Event is the name of an [EventKind], or "assigned", "escalation_required"
	// or "escalate".
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

// pending returns the timers of the levels that are neither stopped nor fired.
// Their keys are set by arm.
func (r *record) pending(row []Rung) []Timer {
	var out []Timer
	for i, rung := range row {
		stopped := !r.isOpen() || rung.StopOn == Acknowledged && !r.Acknowledged.IsZero()
		if stopped || r.fired(i+1) != nil {
			continue
		}
		out = append(out, Timer{Incident: r.ID, Level: i + 1, Due: r.due(rung)})
	}
	return out
}

func (r *record) due(rung Rung) time.Time {
	due := r.Anchor.Add(rung.After())
	if rung.StopOn == Acknowledged && r.Rearmed.After(due) {
		return r.Rearmed
	}
	return due
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
	r = &record{ID: event.Incident, Severity: severity, Domain: event.Domain, Opened: at, Round: 1, Anchor: at}
	e.records[r.ID] = r
	return e.begin(r, at), nil
}

// change applies any other event to a known incident.
func (e *Engine) change(r *record, event Event) ([]Action, error) {
	at := event.At.UTC()
	if r.Round > 1 && at.Before(r.Anchor) {
		return nil, ErrStale // it belongs to an earlier round
	}
	switch event.Kind {
	case SeverityChanged:
		return e.changeSeverity(r, event, at)
	case Acknowledged:
		return e.acknowledge(r, event, at)
	case Unacknowledged:
		return e.giveUp(r, event, at)
	case Resolved:
		return e.resolve(r, event, at), nil
	case Reopened:
		return e.reopen(r, event, at)
	default:
		return e.merge(r, event, at)
	}
}

// begin starts a round: it finds who takes the incident.
func (e *Engine) begin(r *record, at time.Time) []Action {
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
	return Request{At: at, Severity: r.Severity, Domain: r.Domain, Load: e.loads}
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
	return append(actions, e.arm(r, at)...), nil
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
	r.Acknowledged, r.AcknowledgedBy = at, event.By
	r.note(at, event.Kind.String(), 0, event.By, r.inTime(at, e.matrix[r.Severity], Acknowledged)...)
	if !r.isOpen() || !known.IsZero() {
		return nil, nil
	}
	r.Acks++
	if event.By != "" {
		e.hold(r, event.By)
	}
	return append(e.tell(r, at, fmt.Sprintf("ack%d", r.Acks), event.By, "acknowledged"), e.arm(r, at)...), nil
}

// inTime says of levels that have fired that the event which stops them had
// happened by then.
func (r *record) inTime(at time.Time, row []Rung, kind EventKind) []string {
	var why []string
	for i, rung := range row {
		f := r.fired(i + 1)
		if f == nil || f.Collapsed || at.After(f.Due) || rung.StopOn != kind && kind != Resolved {
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
	r.Acknowledged, r.AcknowledgedBy, r.Rearmed = time.Time{}, "", at
	for i, rung := range e.matrix[r.Severity] {
		if f := r.fired(i + 1); f != nil && rung.StopOn == Acknowledged {
			f.Void = true
		}
	}
	r.note(at, event.Kind.String(), 0, event.By)
	return e.arm(r, at), nil
}

func (e *Engine) resolve(r *record, event Event, at time.Time) []Action {
	if !r.isOpen() {
		return nil
	}
	r.note(at, event.Kind.String(), 0, event.By, r.inTime(at, e.matrix[r.Severity], Resolved)...)
	e.close(r, at)
	return append(e.tell(r, at, "resolve", event.By, "resolved"), e.arm(r, at)...)
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
	r.Anchor = at
	r.Acknowledged, r.AcknowledgedBy, r.Acks = time.Time{}, "", 0
	r.Closed, r.Rearmed, r.Changes = time.Time{}, time.Time{}, 0
	r.Holder, r.Paged, r.Top, r.Fired, r.Arms = "", nil, 0, nil, nil
	return e.begin(r, at), nil
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
	e.close(r, at)
	return append(e.tell(r, at, "merge", event.By, "merged into "+event.Into), e.arm(r, at)...), nil
}

func (e *Engine) close(r *record, at time.Time) {
	r.Closed = at
	e.unload(r)
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

// fire pages for the highest level that is due.
func (e *Engine) fire(r *record, at time.Time) []Action {
	at = at.UTC()
	row := e.matrix[r.Severity]
	var due []Timer
	for _, timer := range r.Timers {
		if !timer.Due.After(at) {
			due = append(due, timer)
		}
	}
	top := due[len(due)-1]
	var why []string
	for _, timer := range due {
		r.Fired = append(r.Fired, firing{Level: timer.Level, Due: timer.Due, At: at, Collapsed: timer.Level != top.Level})
		if timer.Level != top.Level {
			why = append(why, fmt.Sprintf("level %d was overdue as well, one page for both", timer.Level))
		}
	}
	rung := row[top.Level-1]
	next := e.router.up(e.request(r, at), max(rung.To, r.Top), r.Paged)
	r.Top = max(r.Top, next.level)
	why = append([]string{fmt.Sprintf("level %d: not %s within %d min", top.Level, rung.StopOn, rung.Minutes)}, append(next.why, why...)...)
	r.note(at, "escalate", top.Level, next.target, why...)
	page := e.page(r, at, top.Level, top.Key, next.target, why)
	return append([]Action{page}, e.arm(r, at)...)
}

// arm brings the timers in line with the state: it cancels those that no longer
// count, sets new ones, and leaves those that have fired to whoever ran them.
func (e *Engine) arm(r *record, at time.Time) []Action {
	var cancel, set []Action
	want := r.pending(e.matrix[r.Severity])
	for _, old := range r.Timers {
		kept := slices.IndexFunc(want, func(t Timer) bool { return t.Level == old.Level && t.Due.Equal(old.Due) })
		f := r.fired(old.Level)
		switch {
		case kept >= 0:
			want[kept].Key = old.Key
		case f == nil || f.Collapsed:
			cancel = append(cancel, Action{Kind: CancelTimer, Key: old.Key, At: at, Incident: r.ID, Round: r.Round, Level: old.Level})
		}
	}
	for i := range want {
		t := &want[i]
		if t.Key != "" {
			continue
		}
		for len(r.Arms) < t.Level {
			r.Arms = append(r.Arms, 0)
		}
		r.Arms[t.Level-1]++
		step := fmt.Sprintf("L%d", t.Level)
		if n := r.Arms[t.Level-1]; n > 1 {
			step = fmt.Sprintf("%s.%d", step, n)
		}
		t.Key = e.key(r, step)
		set = append(set, Action{Kind: SetTimer, Key: t.Key, At: at, Incident: r.ID, Round: r.Round, Level: t.Level, Due: t.Due})
	}
	r.Timers = want
	e.queue(r)
	return append(cancel, set...)
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
	return Action{
		Kind: Page, Key: key + "/" + escape.Replace(target), At: at,
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
