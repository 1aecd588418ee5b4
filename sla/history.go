package sla

import (
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/times"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// history is an incident as it was known at an instant, with its lists in order.
type history struct {
	incident   *Incident
	at         time.Time
	severities []SeverityChange    // up to at
	waits      []calendar.Interval // pauses as a set; one that is open ends at at
	waiting    bool                // a pause is open
	closed     []calendar.Interval // as a set; the last one may end after at
	closures   []calendar.Interval // what closed is the union of, see there
}

func newHistory(in *Incident, at time.Time) (history, error) {
	h := history{incident: in, at: at, severities: in.Severities}
	byTime := func(a, b SeverityChange) int { return a.At.Compare(b.At) }
	if !slices.IsSortedFunc(h.severities, byTime) {
		h.severities = slices.Clone(h.severities)
		slices.SortStableFunc(h.severities, byTime)
	}
	for len(h.severities) > 0 && h.severities[len(h.severities)-1].At.After(at) {
		h.severities = h.severities[:len(h.severities)-1]
	}
	var err error
	if h.waits, err = h.pauses(); err != nil {
		return history{}, err
	}
	if len(in.Closed) > 0 {
		h.closed, err = calendar.Normalize(in.Closed)
		h.closures = closures(in.Closed)
		for len(h.closed) > 0 && h.closed[len(h.closed)-1].Start.After(at) {
			h.closed = h.closed[:len(h.closed)-1]
		}
	}
	return h, err
}

// pauses returns the waits for the customer up to now. A list that is a set
// already is taken as it stands.
func (h *history) pauses() ([]calendar.Interval, error) {
	set := true
	for i, p := range h.incident.Pauses {
		if !p.Start.After(h.at) && (p.End.IsZero() || p.End.After(h.at)) {
			h.waiting = true
		}
		if p.End.After(h.at) || !p.Start.Before(p.End) || i > 0 && !p.Start.After(h.incident.Pauses[i-1].End) {
			set = false
		}
	}
	if set {
		return h.incident.Pauses, nil
	}
	known := make([]calendar.Interval, 0, len(h.incident.Pauses))
	for _, p := range h.incident.Pauses {
		if !p.Start.Before(h.at) {
			continue
		}
		if p.End.IsZero() || p.End.After(h.at) {
			p.End = h.at
		}
		known = append(known, p)
	}
	return calendar.Normalize(known)
}

// closures returns the times from a resolution to the reopening, in order. Those that
// overlap are one. Two that touch stay two: what is resolved in the instant of its
// reopening was stopped in that instant, whatever comes later.
func closures(list []calendar.Interval) []calendar.Interval {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b calendar.Interval) int { return a.Start.Compare(b.Start) })
	out := make([]calendar.Interval, 0, len(list))
	for _, c := range sorted {
		switch last := len(out) - 1; {
		case !c.Start.Before(c.End):
		case last >= 0 && c.Start.Before(out[last].End):
			out[last].End = times.Later(out[last].End, c.End.UTC())
		default:
			out = append(out, calendar.Interval{Start: c.Start.UTC(), End: c.End.UTC()})
		}
	}
	return out
}

// leg is one run of a clock, from its start to what ended it. A response or
// resolution clock has one unless it was restarted, an update clock one for every
// update that was owed.
type leg struct {
	start  time.Time
	end    time.Time // zero while it runs
	how    legEnd
	number int // from 1
}

type legEnd uint8

const (
	running   legEnd = iota
	stopped          // by what was promised
	restarted        // counts only if it was missed before
	withdrawn        // likewise, and nothing follows
)

// legs appends the runs of a clock in the order of time. There is at least one.
func (h *history) legs(dst []leg, clause Clause, c *Clock) []leg {
	if l, ok := h.single(clause, c); ok {
		return append(dst, l)
	}
	f := legFolder{legs: dst, first: len(dst), start: h.start(c), runs: true, clause: clause}
	for _, m := range h.marks(clause, c.RestartOnSeverity) {
		if m.at.After(h.at) || !f.apply(m) {
			break
		}
	}
	return f.finish()
}

// current returns the last of the legs.
func (h *history) current(clause Clause, c *Clock) leg {
	if l, ok := h.single(clause, c); ok {
		return l
	}
	legs := h.legs(nil, clause, c)
	return legs[len(legs)-1]
}

func (h *history) start(c *Clock) time.Time {
	if c.Start == FromDetected && !h.incident.Detected.IsZero() {
		return h.incident.Detected
	}
	return h.incident.Opened
}

// single returns the leg of a clock that nothing but its end interrupts; ok is
// false for another one.
func (h *history) single(clause Clause, c *Clock) (l leg, ok bool) {
	in := h.incident
	restarts := c.RestartOnSeverity && len(h.severities) > 0
	if clause == ClauseUpdate || len(h.closed) > 0 || len(in.Resets) > 0 || !in.Cancelled.IsZero() || restarts {
		return leg{}, false
	}
	stop := in.Resolved
	if answer := in.Responded; clause == ClauseResponse && !answer.IsZero() && (stop.IsZero() || answer.Before(stop)) {
		stop = answer // else, what is resolved has been answered
	}
	l = leg{start: h.start(c), number: 1}
	if !stop.IsZero() && !stop.After(h.at) {
		l.end, l.how = stop, stopped
	}
	return l, true
}

// mark is an event that a clock reacts to.
type mark struct {
	at   time.Time
	kind markKind
}

type markKind uint8

// The kinds in the order in which they apply at the same instant. A restart in
// the instant in which a clock stops comes too late for it.
const (
	markReopened markKind = iota
	markUpdated
	markResolved
	markRestarted
	markCancelled
)

func (h *history) marks(clause Clause, severities bool) []mark {
	in := h.incident
	marks := make([]mark, 0, len(in.Updates)+2*len(h.closures)+len(in.Resets)+len(h.severities)+3)
	add := func(kind markKind, at time.Time) {
		if !at.IsZero() {
			marks = append(marks, mark{at: at, kind: kind})
		}
	}
	if clause == ClauseUpdate {
		for _, at := range in.Updates {
			add(markUpdated, at)
		}
	}
	if clause != ClauseResolution {
		add(markUpdated, in.Responded)
	}
	for _, c := range h.closures {
		add(markResolved, c.Start)
		add(markReopened, c.End)
	}
	add(markResolved, in.Resolved)
	for _, at := range in.Resets {
		add(markRestarted, at)
	}
	if severities {
		current := in.Severity
		for _, c := range h.severities {
			if c.Severity != current {
				add(markRestarted, c.At)
			}
			current = c.Severity
		}
	}
	add(markCancelled, in.Cancelled)
	slices.SortStableFunc(marks, func(a, b mark) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return int(a.kind) - int(b.kind)
	})
	return marks
}

// legFolder cuts a clock into legs, mark by mark.
type legFolder struct {
	legs    []leg
	first   int
	clause  Clause
	start   time.Time
	runs    bool
	stopped time.Time // of a resolution clock, which a reopening sets going again
	anew    bool      // what interrupted it while it stood still
}

// apply reports whether more can follow.
func (f *legFolder) apply(m mark) bool {
	switch m.kind {
	case markUpdated:
		if !f.runs {
			return true
		}
		if f.clause == ClauseResponse {
			f.end(m.at, stopped)
			return false
		}
		if m.at.After(f.start) {
			f.end(m.at, stopped)
			f.begin(m.at)
		}
	case markResolved:
		return f.resolve(m.at)
	case markReopened:
		f.reopen(m.at)
	case markRestarted:
		switch {
		case !f.runs:
			f.anew = true
		case m.at.After(f.start):
			f.end(m.at, restarted)
			f.begin(m.at)
		}
	case markCancelled:
		if f.runs {
			f.end(m.at, withdrawn)
		}
		return false
	}
	return true
}

func (f *legFolder) resolve(at time.Time) bool {
	switch {
	case !f.runs:
	case f.clause == ClauseResolution:
		f.runs, f.stopped = false, at
	case f.clause == ClauseResponse, at.After(f.start), len(f.legs) == f.first:
		f.end(at, stopped)
	default:
		f.runs = false // resolved in the instant of an update
	}
	return f.clause != ClauseResponse
}

func (f *legFolder) reopen(at time.Time) {
	switch {
	case f.runs:
	case f.clause != ClauseResolution:
		f.begin(at)
	case f.anew:
		f.end(f.stopped, stopped)
		f.begin(at)
	default:
		f.runs, f.stopped = true, time.Time{}
	}
}

func (f *legFolder) begin(at time.Time) {
	f.start, f.runs, f.anew, f.stopped = at, true, false, time.Time{}
}

func (f *legFolder) end(at time.Time, how legEnd) {
	f.legs = append(f.legs, leg{start: f.start, end: at, how: how, number: len(f.legs) - f.first + 1})
	f.runs, f.stopped = false, time.Time{}
}

func (f *legFolder) finish() []leg {
	switch {
	case f.runs:
		f.end(time.Time{}, running)
	case !f.stopped.IsZero():
		f.end(f.stopped, stopped)
	}
	return f.legs
}

// severity returns the one whose target a leg has: the highest reached before its
// end, or under RestartOnSeverity the one at its start.
func (h *history) severity(c *Clock, l leg) incident.Severity {
	s := h.incident.Severity
	for _, change := range h.severities {
		switch {
		case !change.At.After(l.start):
		case c.RestartOnSeverity || l.how != running && !change.At.Before(l.end):
			return s
		}
		if c.RestartOnSeverity || !s.AtLeast(change.Severity) {
			s = change.Severity
		}
	}
	return s
}
