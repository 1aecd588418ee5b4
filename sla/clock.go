package sla

import (
	"fmt"
	"math"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// ClockState is a response or resolution clock of one incident at an instant.
type ClockState struct {
	Term     string            `json:"term"`
	Clause   Clause            `json:"clause"`
	Incident string            `json:"incident"`
	Severity incident.Severity `json:"severity"`
	Outcome  Outcome           `json:"outcome"`

	Start   time.Time `json:"start"`
	Stopped time.Time `json:"stopped,omitzero"`

	// Target is the promised working time; 0 for the next business day.
	Target time.Duration `json:"target_ns"`

	// Due is the earliest instant at which the target is used up, BreachAt the
	// last one before it is missed: under a strict target that is Due itself.
	// While a pause is open both are those of a pause that ends now.
	Due      time.Time `json:"due"`
	BreachAt time.Time `json:"breach_at"`

	Elapsed   time.Duration `json:"elapsed_ns"`
	Remaining time.Duration `json:"remaining_ns"` // negative after a miss
}

// PercentUsed returns the elapsed share of the target in whole percent, cut off;
// 100 and more after the target is used up, and no more than an int holds. It is
// 0 for the next business day.
func (s ClockState) PercentUsed() int {
	if s.Target <= 0 {
		return 0
	}
	percent, _, ok := fixed.MulDiv(uint64(s.Elapsed), 100, uint64(s.Target))
	if !ok || percent > math.MaxInt {
		return math.MaxInt
	}
	return int(percent)
}

// Clocks returns the state of every clock that the agreement has for the
// incident at the given instant, in the order of the terms. Events after that
// instant are not known yet. A severity without a target has no clock.
func (a *Agreement) Clocks(in Incident, at time.Time) ([]ClockState, error) {
	if err := in.validate(); err != nil {
		return nil, &EvidenceError{Path: "incident", Ref: in.ID, Err: err}
	}
	var out []ClockState
	for _, term := range a.contract.Terms {
		clock, clause := term.clock()
		if clock == nil {
			continue
		}
		for _, target := range clock.Targets {
			if target.Severity != in.Severity {
				continue
			}
			r, err := a.run(clause, clock, target, in, at)
			if err != nil {
				return nil, fmt.Errorf("sla: term %q, incident %q: %w", term.ID, in.ID, err)
			}
			state, err := r.state()
			if err != nil {
				return nil, fmt.Errorf("sla: term %q, incident %q: %w", term.ID, in.ID, err)
			}
			state.Term, state.Clause, state.Incident, state.Severity = term.ID, clause, in.ID, in.Severity
			out = append(out, state)
		}
	}
	return out, nil
}

func (t Term) clock() (*Clock, Clause) {
	if t.Response != nil {
		return t.Response, ClauseResponse
	}
	return t.Resolution, ClauseResolution
}

// run is one clock, run up to an instant.
type run struct {
	calendar *calendar.Calendar
	clock    *Clock
	target   Target
	start    time.Time
	stopped  time.Time // zero while it runs
	at       time.Time // stopped, or the instant asked for
	pauses   []calendar.Interval
	paused   bool
	elapsed  time.Duration
	nextDay  time.Time // due, for the next business day
	missed   bool
}

func (a *Agreement) run(clause Clause, clock *Clock, target Target, in Incident, at time.Time) (run, error) {
	r := run{calendar: a.calendars[target.Calendar], clock: clock, target: target, start: in.Opened, at: at}
	if clock.Start == FromDetected && !in.Detected.IsZero() {
		r.start = in.Detected
	}
	stop := in.Resolved
	if clause == ClauseResponse {
		stop = in.Responded
		if stop.IsZero() {
			stop = in.Resolved // what is resolved has been answered
		}
	}
	if !stop.IsZero() && !stop.After(at) {
		r.stopped, r.at = stop, stop
	}
	if clock.Pausable {
		if err := r.pause(in.Pauses); err != nil {
			return run{}, err
		}
	}
	r.elapsed = r.calendar.Elapsed(r.start, r.at, r.pauses)
	if target.NextDay != nil {
		day, err := r.calendar.NextBusinessDay(r.start, *target.NextDay)
		if err != nil {
			return run{}, err
		}
		r.nextDay = day.Due
		r.missed = r.at.After(day.Due) || clock.Strict && r.at.Equal(day.Due)
		return r, nil
	}
	r.missed = r.elapsed > target.Within || clock.Strict && r.elapsed == target.Within
	return r, nil
}

// pause keeps the pauses that began before the clock stopped; open ones end
// there.
func (r *run) pause(pauses []calendar.Interval) error {
	var kept []calendar.Interval
	for _, p := range pauses {
		if !p.Start.Before(r.at) {
			continue
		}
		if p.End.IsZero() || p.End.After(r.at) {
			r.paused = r.stopped.IsZero()
			p.End = r.at
		}
		kept = append(kept, p)
	}
	var err error
	r.pauses, err = calendar.Normalize(kept)
	return err
}

// breach returns the instant from which the target counts as missed.
func (r *run) breach() (time.Time, error) {
	switch {
	case r.target.NextDay != nil:
		return r.nextDay, nil
	case r.clock.Strict:
		return r.calendar.Due(r.start, r.target.Within, r.pauses)
	}
	return r.calendar.BreachAt(r.start, r.target.Within, r.pauses)
}

func (r *run) state() (ClockState, error) {
	s := ClockState{
		Outcome: Pending, Start: r.start, Stopped: r.stopped, Target: r.target.Within, Elapsed: r.elapsed, Remaining: r.target.Within - r.elapsed,
	}
	var err error
	if s.BreachAt, err = r.breach(); err != nil {
		return ClockState{}, err
	}
	s.Due = s.BreachAt
	if r.target.NextDay == nil {
		if s.Due, err = r.calendar.Due(r.start, r.target.Within, r.pauses); err != nil {
			return ClockState{}, err
		}
	} else {
		s.Remaining = r.calendar.Elapsed(r.at, r.nextDay, nil) - r.calendar.Elapsed(r.nextDay, r.at, nil)
	}
	switch {
	case r.missed:
		s.Outcome = Missed
	case !r.stopped.IsZero():
		s.Outcome = Met
	case r.paused:
		s.Outcome = Paused
	}
	return s, nil
}
