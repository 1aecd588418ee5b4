package incident

import (
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Change is one change of a service, from the request to its result. Instants
// that are zero did not happen or are not known.
type Change struct {
	Tenant   string     `json:"tenant,omitempty"`
	ID       string     `json:"id"`
	Title    string     `json:"title,omitempty"`
	Kind     ChangeKind `json:"kind"`
	Services []string   `json:"services,omitempty"`
	Team     string     `json:"team,omitempty"` // that carries it out

	RequestedBy string    `json:"requested_by,omitempty"`
	Requested   time.Time `json:"requested,omitzero"`
	ApprovedBy  string    `json:"approved_by,omitempty"`
	Approved    time.Time `json:"approved,omitzero"`
	Announced   time.Time `json:"announced,omitzero"` // to those whom it may hurt

	// Window is the stretch in which the change is planned to take place.
	Window calendar.Interval `json:"window,omitzero"`

	// Ended is when the result was known.
	Ended  time.Time    `json:"ended,omitzero"`
	Result ChangeResult `json:"result,omitempty"` // empty while it is not finished

	// Caused lists the incidents that the change led to. Such a change did not
	// succeed, whatever its result.
	Caused []string `json:"caused,omitempty"`
}

// ChangeKind is the kind of a change as ITIL 4 tells them apart.
type ChangeKind string

// The kinds of change.
const (
	StandardChange  ChangeKind = "standard"  // approved once and for all
	NormalChange    ChangeKind = "normal"    // assessed and approved each time
	EmergencyChange ChangeKind = "emergency" // cannot wait
)

// ChangeResult says how a change ended.
type ChangeResult string

// The results of a change.
const (
	ChangeOK         ChangeResult = "success"
	ChangeFailed     ChangeResult = "failed"
	ChangeRolledBack ChangeResult = "rolled_back"
	ChangeCancelled  ChangeResult = "cancelled" // never carried out
)

// ChangeError reports a field of a change that cannot be used.
type ChangeError struct {
	ID    string
	Field string // JSON name of the offending field
	Want  string
}

// Error names the change, the field and what was expected.
func (e *ChangeError) Error() string {
	return fmt.Sprintf("change %q: %s: want %s", e.ID, e.Field, e.Want)
}

// Validate returns every problem, each a [*ChangeError], joined. Whoever
// requested a change cannot approve it, and a change with a result has ended.
// Instants may be in any order; see [Change.Notice].
func (c Change) Validate() error {
	var errs []error
	need := func(ok bool, field, want string) {
		if !ok {
			errs = append(errs, &ChangeError{ID: c.ID, Field: field, Want: want})
		}
	}
	need(c.ID != "", "id", "a non-empty text")
	switch c.Kind {
	case StandardChange, NormalChange, EmergencyChange:
	default:
		need(false, "kind", fmt.Sprintf("standard, normal or emergency, not %q", c.Kind))
	}
	switch c.Result {
	case "":
	case ChangeOK, ChangeFailed, ChangeRolledBack, ChangeCancelled:
		need(!c.Ended.IsZero(), "ended", "an instant, because there is a result")
	default:
		need(false, "result", fmt.Sprintf("success, failed, rolled_back or cancelled, not %q", c.Result))
	}
	need(c.ApprovedBy == "" || c.ApprovedBy != c.RequestedBy, "approved_by", "another person than the one who requested it")
	need(c.Window.Validate() == nil, "window", "an end that is not before the start")
	return errors.Join(errs...)
}

// Notice is the elapsed time from the announcement to the begin of the window,
// daylight saving or not; ok is false if one of them is missing. It is negative,
// and counts as none, for a change that was announced when it had begun.
func (c Change) Notice() (l Lapse, ok bool) { return lapse(c.Announced, c.Window.Start) }

// ApprovalTime is the time from request to approval; ok is false if one of them
// is missing.
func (c Change) ApprovalTime() (l Lapse, ok bool) { return lapse(c.Requested, c.Approved) }

// Succeeded reports whether the change was carried out and led to no incident.
func (c Change) Succeeded() bool { return c.Result == ChangeOK && len(c.Caused) == 0 }

// In returns the stretches of the window that lie in any of the intervals, such
// as a freeze. The error is a [*calendar.IntervalError].
func (c Change) In(intervals []calendar.Interval) ([]calendar.Interval, error) {
	set, err := calendar.Normalize(intervals)
	if err != nil {
		return nil, fmt.Errorf("change %q: %w", c.ID, err)
	}
	return calendar.Clip(set, c.Window), nil
}

// Changes counts changes by outcome.
type Changes struct {
	Succeeded      int `json:"succeeded"` // and caused no incident
	CausedIncident int `json:"caused_incident"`
	Failed         int `json:"failed"`
	RolledBack     int `json:"rolled_back"`
	Cancelled      int `json:"cancelled"` // do not count
	Emergency      int `json:"emergency"` // reported apart, in none of the counts above
}

// SuccessRate returns succeeded changes out of those that were carried out. A
// change that caused an incident did not succeed.
func (c Changes) SuccessRate() Share {
	return Share{Hits: c.Succeeded, Of: c.Succeeded + c.CausedIncident + c.Failed + c.RolledBack}
}

func (c *Changes) count(change Change) {
	switch {
	case change.Result == ChangeCancelled:
		c.Cancelled++
	case change.Succeeded():
		c.Succeeded++
	case change.Result == ChangeOK:
		c.CausedIncident++
	case change.Result == ChangeFailed:
		c.Failed++
	case change.Result == ChangeRolledBack:
		c.RolledBack++
	}
}

// ChangeFigures are the key figures of a set of changes.
type ChangeFigures struct {
	Planned     Changes `json:"planned"`             // standard and normal ones; Emergency says how many others ended
	Emergencies Changes `json:"emergencies"`         // the others
	Success     Share   `json:"change_success_rate"` // of the planned ones

	// Approval is the time that emergency changes waited for their approval.
	Approval     Durations `json:"emergency_change_approval"`
	ApprovalKept Share     `json:"emergency_change_approval_kept"`

	// Notice is how long before their windows planned changes were announced;
	// those that never were are in Notice.Missing and in no share.
	Notice     Durations `json:"maintenance_notice"`
	NoticeKept Share     `json:"maintenance_notice_kept"`
}

// FiguresOfChanges returns the key figures of the changes of a period: results
// count where the change ended, approvals where they were given, notices where
// the window begins. An empty period is all of them. Approval and notice are
// judged by [KPIApproval] and [KPINotice] of the targets.
func FiguresOfChanges(changes []Change, period calendar.Interval, targets KPITargets) ChangeFigures {
	f := ChangeFigures{
		Approval: Durations{Of: "emergency change requested to approved"},
		Notice:   Durations{Of: "change announced to start of window"},
	}
	within := func(t time.Time) bool { return !t.IsZero() && (period.IsEmpty() || period.Contains(t)) }
	for _, c := range changes {
		emergency := c.Kind == EmergencyChange
		if within(c.Ended) {
			if emergency {
				f.Emergencies.count(c)
				f.Planned.Emergency++
			} else {
				f.Planned.count(c)
			}
		}
		if l, ok := c.ApprovalTime(); emergency && within(c.Approved) {
			f.Approval.addLapse(l, ok)
			judgeInto(&f.ApprovalKept, targets[KPIApproval], l, ok)
		}
		if l, ok := c.Notice(); !emergency && within(c.Window.Start) && c.Result != ChangeCancelled {
			f.Notice.addLapse(l, ok)
			judgeInto(&f.NoticeKept, targets[KPINotice], l, ok)
		}
	}
	f.Approval.finish()
	f.Notice.finish()
	f.Success = f.Planned.SuccessRate()
	return f
}

func judgeInto(s *Share, t Target, l Lapse, ok bool) {
	if verdict := t.JudgeDuration(l.Duration); ok && verdict != Undecided {
		tally(s, true, verdict == Met)
	}
}
