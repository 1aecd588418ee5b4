package escalation

import (
	"cmp"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/internal/times"
)

// book returns the matrix that an incident follows.
func (e *Engine) book(r *record) *book {
	if b := e.current[r.Policy]; e.live && b != nil {
		return b
	}
	return e.books[r.Book]
}

// policy returns that of the incident's severity.
func (e *Engine) policy(r *record) *policy { return e.book(r).policies[r.Severity] }

// armedBy is the name of the matrix that the timers are from.
func (r *record) armedBy() string { return cmp.Or(r.Armed, r.Book) }

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
	if acked && p.repage > 0 {
		due := times.Later(r.Acknowledged, r.Repaged).Add(p.repage)
		want(Repages, 0, e.awake(r.Service, times.Later(due, r.Snoozed)))
	}
	for i, f := range r.firings(len(p.rungs)) {
		if g := &p.rungs[i]; f == nil && !r.stopped(g) {
			want(LevelDue, i+1, e.due(r, i+1, g))
		}
	}
	return out
}

// due returns when a level is due: so long after the anchor, and not before it was
// given up, the end of a snooze or a maintenance, or the instant it waits for.
func (e *Engine) due(r *record, level int, g *rung) time.Time {
	due := r.Anchor.Add(g.after)
	if g.StopOn == Acknowledged {
		if e.tighten && !r.RespondBy.IsZero() && r.Round == 1 && r.RespondBy.Before(due) {
			due = r.RespondBy
		}
		due = times.Later(due, r.Rearmed)
	}
	due = times.Later(due, r.Snoozed)
	for _, h := range r.Held {
		if h.Level == level {
			due = times.Later(due, h.Until)
		}
	}
	return e.awake(r.Service, due)
}

// arm brings the timers in line with the state: it cancels those that no longer
// count and sets new ones.
func (e *Engine) arm(r *record, at time.Time) []Action {
	var cancel, set []Action
	want := e.pending(r)
	next := 0 // of want, which is in the order of the timers
	for _, old := range r.Timers {
		for next < len(want) && want[next].before(old) {
			next++
		}
		if next < len(want) && !old.before(want[next]) && want[next].Due.Equal(old.Due) {
			want[next].Key = old.Key
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
	r.Timers, r.Armed = want, ""
	if name := e.book(r).name; name != r.Book {
		r.Armed = name
	}
	e.queue(r)
	return append(cancel, set...)
}

// before orders the timers of an incident: levels last.
func (t Timer) before(u Timer) bool {
	if t.Kind == u.Kind {
		return t.Level < u.Level
	}
	return u.Kind == LevelDue || t.Kind != LevelDue && t.Kind < u.Kind
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
