package incident

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Problem is the cause behind incidents, known or not (ITIL 4, problem
// management).
type Problem struct {
	Tenant string       `json:"tenant,omitempty"`
	ID     string       `json:"id"`
	Title  string       `json:"title,omitempty"`
	State  ProblemState `json:"state"`
	Owner  string       `json:"owner,omitempty"`
	Team   string       `json:"team,omitempty"`

	// Fingerprint and Component say which incidents belong to it.
	Fingerprint string `json:"fingerprint,omitempty"`
	Component   string `json:"component,omitempty"`

	Cause      string `json:"cause,omitempty"`
	Workaround string `json:"workaround,omitempty"`

	Opened time.Time `json:"opened"`
	Known  time.Time `json:"known,omitzero"`  // when the cause was found
	Closed time.Time `json:"closed,omitzero"` // when it was removed for good, or accepted
	Reason string    `json:"reason,omitempty"`

	Incidents []string `json:"incidents,omitempty"`
	Changes   []string `json:"changes,omitempty"` // that remove the cause
}

// ProblemState is how far a problem has come.
type ProblemState string

// The states of a problem.
const (
	ProblemOpen   ProblemState = "open"        // the cause is being looked for
	KnownError    ProblemState = "known_error" // the cause is found and not removed yet
	ProblemSolved ProblemState = "solved"      // the cause is removed
	ProblemClosed ProblemState = "closed"      // it is lived with; Reason says why
)

// Ended reports whether nothing more will be done.
func (s ProblemState) Ended() bool { return s == ProblemSolved || s == ProblemClosed }

// ProblemError reports a field of a problem that cannot be used.
type ProblemError struct {
	ID    string
	Field string // JSON name of the offending field
	Want  string
}

// Error names the problem, the field and what was expected.
func (e *ProblemError) Error() string {
	return fmt.Sprintf("problem %q: %s: want %s", e.ID, e.Field, e.Want)
}

// Validate returns every problem of the record, each a [*ProblemError], joined.
// A known error and a solved problem have a cause, a closed one a reason, and an
// ended one the instant at which it ended.
func (p Problem) Validate() error {
	var errs []error
	need := func(ok bool, field, want string) {
		if !ok {
			errs = append(errs, &ProblemError{ID: p.ID, Field: field, Want: want})
		}
	}
	need(p.ID != "", "id", "a non-empty text")
	need(!p.Opened.IsZero(), "opened", "an instant")
	switch p.State {
	case ProblemOpen:
	case KnownError, ProblemSolved:
		need(p.Cause != "", "cause", fmt.Sprintf("a text, because the state is %q", p.State))
	case ProblemClosed:
		need(p.Reason != "", "reason", "a text, because the cause was not removed")
	default:
		need(false, "state", fmt.Sprintf("open, known_error, solved or closed, not %q", p.State))
	}
	need(p.Closed.IsZero() != p.State.Ended(), "closed", "an instant if the state is solved or closed, and none otherwise")
	return errors.Join(errs...)
}

// covers reports whether an incident belongs to the problem.
func (p Problem) covers(r *Record) bool {
	return p.Tenant == r.Tenant && (slices.Contains(p.Incidents, r.ID) ||
		p.Fingerprint != "" && p.Fingerprint == r.Fingerprint || p.Component != "" && p.Component == r.Component)
}

// ProblemFigures are the key figures of a set of problems.
type ProblemFigures struct {
	Resolution Share     `json:"problem_resolution_rate"` // solved or closed, of those identified by the end of the period
	Known      int       `json:"known_errors"`            // at the end of the period
	Find       Durations `json:"opened_to_known"`         // causes found in the period
	Solve      Durations `json:"opened_to_closed"`        // ended in the period
}

// ProblemFiguresOf returns the key figures of the problems of a period. The
// resolution rate is over the problems that were open at some time in it; an
// empty period is all time.
func ProblemFiguresOf(problems []Problem, period calendar.Interval) ProblemFigures {
	f := ProblemFigures{Find: Durations{Of: "problem opened to cause known"}, Solve: Durations{Of: "problem opened to closed"}}
	all := period.IsEmpty()
	for _, p := range problems {
		before := func(t time.Time) bool { return !t.IsZero() && (all || t.Before(period.End)) }
		within := func(t time.Time) bool { return before(t) && (all || !t.Before(period.Start)) }
		ended := before(p.Closed)
		if !before(p.Opened) || ended && !within(p.Closed) {
			continue
		}
		tally(&f.Resolution, true, ended)
		if before(p.Known) && !ended {
			f.Known++
		}
		if within(p.Known) {
			f.Find.addLapse(lapse(p.Opened, p.Known))
		}
		if ended {
			f.Solve.addLapse(lapse(p.Opened, p.Closed))
		}
	}
	f.Find.finish()
	f.Solve.finish()
	return f
}
