package sla

import (
	"fmt"
	"math"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Clock promises that something happens to each incident within a time. In a
// response term the clock stops when the incident is answered, in a resolution
// term when it is resolved. In an update term it runs from one message to the
// customer, or the start, to the next one or the resolution; every late one is a
// miss of its own.
//
// A resolution clock goes on from a reopening with the time that it had used when
// the incident was resolved; a response stays given, and an update is owed from
// the reopening. A statement of the time before counted the resolution as it was
// known then.
//
// A reset starts the clocks anew that still run. The run that it ends counts only
// if it was missed before.
type Clock struct {
	Targets []Target `json:"targets"`

	// Start is the event from which the clock runs. Defaults to FromOpened.
	Start ClockStart `json:"start,omitzero"`

	// Strict makes an elapsed time equal to the target a miss ("< 2 hours").
	Strict bool `json:"strict,omitempty"`

	// Pausable stops the clock while the incident waits for the customer.
	Pausable bool `json:"pausable,omitempty"`

	// RestartOnSeverity starts the clock anew, like a reset, at every change of
	// the severity, under the target of the new one. By default the clock keeps
	// its start and its pauses, and the target of the highest severity reached
	// before it stopped holds from the start; a target that has passed already is
	// missed at the change.
	RestartOnSeverity bool `json:"restart_on_severity,omitempty"`

	// CountIn says to which period a clock belongs. Defaults to CountAtBreach.
	CountIn CountIn `json:"count_in,omitzero"`

	// Thresholds are the percentages of a target at which someone wants to know.
	// Defaults to 50, 75, 90 and 100; an empty list is none.
	Thresholds []int `json:"thresholds,omitzero"`

	// MeanToo pays for a miss only if the mean of all incidents of the severity
	// that ended in the period misses the target as well.
	MeanToo bool `json:"mean_too,omitempty"`
}

// Target is the promise of a [Clock] for one severity: either Within or NextDay
// is set. A miss earns a fixed Credit or a CreditPercent of the fee, or, with
// neither, nothing but the report.
type Target struct {
	Severity incident.Severity `json:"severity"`

	Within  time.Duration         `json:"within_ns,omitzero"`
	NextDay *calendar.NextDayRule `json:"next_business_day,omitempty"`

	// Calendar names the working time in which the clock runs. Defaults to
	// around the clock; required for NextDay.
	Calendar string `json:"calendar,omitempty"`

	Credit        money.Amount  `json:"credit,omitzero"`
	CreditPercent money.Percent `json:"credit_percent,omitzero"`
}

// defaultThresholds are those of a clock that names none, maxThreshold bounds
// what it may name.
var defaultThresholds = [...]int{50, 75, 90, 100}

const maxThreshold = 1000

// targetOf returns the index of the target for a severity, -1 if there is none.
func (c *Clock) targetOf(s incident.Severity) int {
	for i := range c.Targets {
		if c.Targets[i].Severity == s {
			return i
		}
	}
	return -1
}

// ClockState is a clock of one incident at an instant.
type ClockState struct {
	Term     string            `json:"term"`
	Clause   Clause            `json:"clause"`
	Incident string            `json:"incident"`
	Severity incident.Severity `json:"severity"` // the one whose target holds
	Outcome  Outcome           `json:"outcome"`

	// Number counts the updates that were owed, and the runs of a clock that was
	// restarted, from 1. The state is that of the last one.
	Number int `json:"number"`

	Start   time.Time `json:"start"`
	Stopped time.Time `json:"stopped,omitzero"`

	// Target is the promised working time; 0 for the next business day.
	Target time.Duration `json:"target_ns"`

	// Due is the earliest instant at which the target is used up, BreachAt the
	// last one before it is missed: under a strict target that is Due itself.
	// While a pause is open both are those of a pause that ends now. After a
	// change of the severity they are those of the new target as if it had always
	// been there, so they may lie before the change.
	Due      time.Time `json:"due"`
	BreachAt time.Time `json:"breach_at"`

	Elapsed   time.Duration `json:"elapsed_ns"`
	Remaining time.Duration `json:"remaining_ns"` // negative after a miss

	// Thresholds are those of the clock in its order; none for the next business
	// day.
	Thresholds []Threshold `json:"thresholds,omitempty"`

	// NextTransition is the first instant after now at which the clock changes
	// without any event: a threshold, Due, BreachAt, or the calendar opens or
	// closes. It is zero while nothing but an event can change the clock.
	NextTransition time.Time `json:"next_transition,omitzero"`
}

// Threshold is a percentage of a target, and the instant at which it was or will
// be used up. The instant is zero where the calendar never gets there, and where
// the clock stopped before. While a pause is open it is that of a pause that ends
// now, as with Due.
type Threshold struct {
	Percent int       `json:"percent"`
	At      time.Time `json:"at,omitzero"`
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
	h, err := newHistory(&in, at)
	if err != nil {
		return nil, clockError("", in.ID, err)
	}
	var out []ClockState
	for i := range a.contract.Terms {
		state, ok, err := a.clockState(&h, &a.contract.Terms[i])
		if err != nil {
			return nil, clockError(a.contract.Terms[i].ID, in.ID, err)
		}
		if ok {
			out = append(out, state)
		}
	}
	return out, nil
}

// clockState returns the state of the clock of a term; ok as for current.
func (a *Agreement) clockState(h *history, term *Term) (state ClockState, ok bool, err error) {
	r, ok, err := a.current(h, term)
	if err != nil || !ok {
		return ClockState{}, false, err
	}
	if state, err = r.state(); err != nil {
		return ClockState{}, false, err
	}
	_, state.Clause = term.clock()
	state.Term, state.Incident, state.Severity = term.ID, h.incident.ID, r.target.Severity
	return state, true, nil
}

// ClockTime is the time that a clock has used, without anything that is still to
// come.
type ClockTime struct {
	Term     string            `json:"term"`
	Clause   Clause            `json:"clause"`
	Severity incident.Severity `json:"severity"`
	Elapsed  time.Duration     `json:"elapsed_ns"`
	Outcome  Outcome           `json:"outcome"`
}

// AppendElapsed appends the time that every clock of a ticket has used at the
// given instant, in the order of the terms. It is the part of [Agreement.Clocks]
// that replaying many histories needs, and allocates nothing for a ticket whose
// pauses have ended and that was never reopened or reset. A ticket that has not
// been opened has no clocks.
func (a *Agreement) AppendElapsed(dst []ClockTime, t *Ticket, at time.Time) ([]ClockTime, error) {
	if t.status == TicketNew {
		return dst, nil
	}
	h, err := newHistory(&t.in, at)
	if err != nil {
		return dst, clockError("", t.in.ID, err)
	}
	for i := range a.contract.Terms {
		term := &a.contract.Terms[i]
		r, ok, err := a.current(&h, term)
		if err != nil {
			return dst, clockError(term.ID, t.in.ID, err)
		}
		if ok {
			_, clause := term.clock()
			dst = append(dst, ClockTime{Term: term.ID, Clause: clause, Severity: r.target.Severity, Elapsed: r.elapsed, Outcome: r.outcome()})
		}
	}
	return dst, nil
}

// current returns the last run of the clock of a term; ok is false for a term
// without a clock, or without a target for the severity.
func (a *Agreement) current(h *history, term *Term) (r run, ok bool, err error) {
	clock, clause := term.clock()
	if clock == nil {
		return run{}, false, nil
	}
	last := h.current(clause, clock)
	if clock.targetOf(h.severity(clock, last)) < 0 {
		return run{}, false, nil
	}
	r, err = a.run(h, clause, clock, last)
	return r, err == nil, err
}

func clockError(term, id string, err error) error {
	return fmt.Errorf("sla: term %q, incident %q: %w", term, id, err)
}

// clock returns the clock of a term, nil for other clauses.
func (t *Term) clock() (*Clock, Clause) {
	switch {
	case t.Response != nil:
		return t.Response, ClauseResponse
	case t.Update != nil:
		return t.Update, ClauseUpdate
	}
	return t.Resolution, ClauseResolution
}
