package escalation

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// fact is an event by which an incident is open or over, taken on or not. It is
// kept also where it changes nothing, since one that happened before it and
// arrives later may give it a meaning.
type fact struct {
	Kind EventKind `json:"kind"` // Snoozed stands for the end of a snooze
	At   time.Time `json:"at"`
	By   string    `json:"by,omitempty"`
}

// isStanding reports whether an event counts by its instant, whenever it arrives.
func (k EventKind) isStanding() bool {
	return k == Acknowledged || k == Unacknowledged || k == Resolved || k == Reopened
}

func (k EventKind) isFact() bool { return k >= Acknowledged && k <= Merged }

func (f fact) compare(g fact) int { return cmp.Or(f.At.Compare(g.At), cmp.Compare(f.Kind, g.Kind)) }

// standing is how an incident stands by its facts in order of their instants. It
// is comparable.
type standing struct {
	Round    int       // 1, and one more per reopening
	Reopened time.Time // when this round began, after the first

	Acknowledged   time.Time
	AcknowledgedBy string
	Rearmed        time.Time // last time it was given up
	Responded      time.Time // first acknowledgement of the first round, given up since or not
	Taker          string    // last person in this round who took it on
	Closed         time.Time // resolved or merged
	merged         bool
}

// standingOf folds facts that are in order.
func standingOf(facts []fact) standing {
	s := standing{Round: 1}
	for _, f := range facts {
		s.take(f)
	}
	return s
}

func (s *standing) take(f fact) {
	s.merged = s.merged || f.Kind == Merged
	if f.Kind == Reopened {
		if !s.isOpen() && !s.merged {
			*s = standing{Round: s.Round + 1, Reopened: f.At, Responded: s.Responded}
		}
		return
	}
	if !s.isOpen() {
		return
	}
	switch f.Kind {
	case Acknowledged:
		if s.isTaken() {
			return
		}
		s.Acknowledged, s.AcknowledgedBy, s.Taker = f.At, f.By, cmp.Or(f.By, s.Taker)
		if s.Round == 1 && s.Responded.IsZero() {
			s.Responded = f.At
		}
	case Unacknowledged:
		if s.isTaken() {
			s.giveUp(f.At)
		}
	case Snoozed:
		s.giveUp(f.At)
	default: // Resolved, Merged
		s.Closed = f.At
	}
}

func (s *standing) giveUp(at time.Time) {
	s.Acknowledged, s.AcknowledgedBy, s.Rearmed = time.Time{}, "", at
}

func (s *standing) isOpen() bool { return s.Closed.IsZero() }

func (s *standing) isTaken() bool { return !s.Acknowledged.IsZero() }

// idle says why a fact changes nothing; empty for a repetition.
func (s *standing) idle(f fact) string {
	switch {
	case f.Kind == Resolved, f.Kind == Acknowledged && s.isOpen():
		return ""
	case f.Kind == Reopened:
		return "it was open"
	case !s.isOpen():
		return "it was over"
	}
	return "nobody had taken it on"
}

// maxRun bounds how many facts of one kind are kept in a row. Only the first of
// them has a meaning, the others may get one by what arrives late.
const maxRun = 16

// learn puts a fact in its place among the others and returns it; ok is false where
// it is known.
func (r *record) learn(f fact) (place int, ok bool) {
	place, known := slices.BinarySearchFunc(r.Facts, f, fact.compare)
	if known {
		return place, false
	}
	r.Facts = slices.Insert(r.Facts, place, f)
	first, end := place, place+1
	for first > 0 && r.Facts[first-1].Kind == f.Kind {
		first--
	}
	for end < len(r.Facts) && r.Facts[end].Kind == f.Kind {
		end++
	}
	if end-first > maxRun {
		r.Facts = slices.Delete(r.Facts, end-2, end-1)
	}
	return place, true
}

// settle applies an event that becomes a fact. What was done while it was not known
// stays done; from now on the incident is as if everything had arrived in order.
func (e *Engine) settle(r *record, event Event, at time.Time) []Action {
	f := fact{event.Kind, at, event.By}
	place, ok := r.learn(f)
	if !ok {
		return nil
	}
	before, after := r.standing, standingOf(r.Facts)
	switch {
	case after == before:
		r.noteIdle(f, place)
		return nil
	case after.Round > before.Round && !after.Reopened.Equal(before.Reopened):
		return e.turn(r, f, after)
	}
	return e.move(r, f, after)
}

// noteIdle writes down that a fact changes nothing, for the first of its kind in a
// row and not for repetitions.
func (r *record) noteIdle(f fact, place int) {
	earlier := standingOf(r.Facts[:place])
	why := earlier.idle(f)
	if f.At.Before(r.Reopened) {
		why = "it belongs to an earlier round"
	}
	if why != "" && (place == 0 || r.Facts[place-1].Kind != f.Kind) {
		r.note(f.At, f.Kind.entry(), 0, f.By, "no effect: "+why)
	}
}

// move brings the round that is under way to another standing.
func (e *Engine) move(r *record, f fact, after standing) []Action {
	before, p := r.standing, e.policy(r)
	why := r.inTime(f.At, p, f.Kind)
	if f.Kind == Acknowledged && !after.Acknowledged.Equal(f.At) {
		why = append(why, "given up since, as was known before")
	}
	r.note(f.At, f.Kind.entry(), 0, f.By, why...)
	if !after.Reopened.Equal(before.Reopened) && r.Anchor.Equal(before.Reopened) {
		r.Anchor = after.Reopened
	}
	r.standing = after
	if after.Rearmed.After(before.Rearmed) {
		r.rearm(p)
	}
	if holder := cmp.Or(after.Taker, r.Routing.Assigned); after.Taker != before.Taker && before.isOpen() {
		e.hold(r, holder)
	} else if after.Taker != before.Taker {
		r.Holder = holder
	}
	if !after.isOpen() {
		if before.isOpen() {
			return e.close(r, f, "resolve", "resolved")
		}
		return nil
	}
	var actions []Action
	if after.isTaken() && !before.isTaken() {
		r.Acks++
		actions = append(e.withdraw(r, f.At, Acknowledged), e.tell(r, f.At, fmt.Sprintf("ack%d", r.Acks), f.By, "acknowledged")...)
	}
	return append(actions, e.arm(r, f.At)...)
}

// turn ends the round that is under way, if any, and begins the next. The two come
// together where the reopening was known first.
func (e *Engine) turn(r *record, f fact, after standing) []Action {
	var actions []Action
	if r.isOpen() {
		r.note(f.At, f.Kind.entry(), 0, f.By, r.inTime(f.At, e.policy(r), f.Kind)...)
		r.Closed = f.At
		actions = e.close(r, f, "resolve", "resolved")
	}
	reopening := r.Facts[slices.IndexFunc(r.Facts, func(g fact) bool { return g.Kind == Reopened && g.At.Equal(after.Reopened) })]
	r.note(reopening.At, EntryReopened, 0, reopening.By)
	r.renew(after)
	if r.isTaken() {
		r.note(r.Acknowledged, EntryAcknowledged, 0, r.AcknowledgedBy, "known before the reopening")
	}
	if !r.isOpen() {
		r.note(r.Closed, EntryResolved, 0, "", "known before the reopening")
		r.Holder = r.Taker
		return actions
	}
	actions = append(actions, e.start(r, r.Reopened)...)
	if r.Taker != "" {
		e.hold(r, r.Taker)
	}
	return actions
}

// renew forgets what belonged to the round before.
func (r *record) renew(s standing) {
	r.standing, r.Anchor = s, s.Reopened
	r.Acks, r.Changes, r.Snoozed, r.Repaged = 0, 0, time.Time{}, time.Time{}
	r.RespondBy, r.Quiet, r.Bundled = time.Time{}, false, "" // a response is owed once
	r.Holder, r.Paged, r.Pages, r.Top, r.Fired, r.Held, r.Arms = "", nil, nil, 0, nil, nil, nil
}

// lapses gives an incident up at an instant, without anybody's event.
func (e *Engine) lapses(r *record, kind EventKind, at time.Time) {
	r.learn(fact{Kind: kind, At: at})
	r.standing = standingOf(r.Facts)
	r.rearm(e.policy(r))
}

// rearm makes the levels due again that an acknowledgement stops and that fired, or
// waited, before it was given up.
func (r *record) rearm(p *policy) {
	for i, f := range r.firings(len(p.rungs)) {
		if p.rungs[i].StopOn != Acknowledged {
			continue
		}
		r.release(i + 1)
		if f != nil && f.At.Before(r.Rearmed) {
			f.Void = true
		}
	}
}

// inTime says of levels that have fired that the event which stops them had
// happened by then.
func (r *record) inTime(at time.Time, p *policy, kind EventKind) []string {
	var why []string
	if kind != Acknowledged && kind != Resolved {
		return nil
	}
	for i, f := range r.firings(len(p.rungs)) {
		if f == nil || f.Collapsed || f.Empty || at.After(f.Due) || p.rungs[i].StopOn != kind && kind != Resolved {
			continue
		}
		why = append(why, fmt.Sprintf("in time for level %d, which had fired before this was known", i+1))
	}
	return why
}
