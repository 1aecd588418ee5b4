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

	// Approval is the time that emergency changes waited for their approval, Unapproved
	// how long those without one have waited, up to their end or the instant. Approved
	// says how many were approved, of them and those that ended without.
	Approval     Durations `json:"emergency_change_approval"`
	Unapproved   Durations `json:"emergency_change_unapproved"`
	Approved     Share     `json:"emergency_change_approved"`
	ApprovalKept Share     `json:"emergency_change_approval_kept"`

	// Notice is how long before their windows planned changes were announced, none
	// where the window began without. Announced says how many were announced before,
	// of them and those that began without. Windows that are still to be announced
	// are in Notice.Missing.
	Notice     Durations `json:"maintenance_notice"`
	Announced  Share     `json:"maintenance_announced"`
	NoticeKept Share     `json:"maintenance_notice_kept"`
}

// ChangeFiguresOf returns the key figures of the changes of a period: results
// count where the change ended, notices where the window begins, approvals where they
// were given, and those that were not where the change ended or else was requested.
// An empty period is all of them.
//
// Approval and notice are judged by [KPIApproval] and [KPINotice] of the targets. What
// was neither approved nor announced has missed its target when the change ended or the
// window began, and as soon as the target cannot be kept any more at the instant at; it
// is undecided before. A zero at is before everything: then only what has ended is
// decided. A cancelled change needs neither.
func ChangeFiguresOf(changes []Change, period calendar.Interval, targets KPITargets, at time.Time) ChangeFigures {
	f := ChangeFigures{
		Approval:   Durations{Of: "emergency change requested to approved"},
		Unapproved: Durations{Of: "emergency change requested and not approved"},
		Notice:     Durations{Of: "change announced to start of window"},
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
		switch {
		case emergency && within(c.approvalCounts()):
			f.approval(c, targets[KPIApproval], at)
		case !emergency && within(c.Window.Start) && c.Result != ChangeCancelled:
			f.notice(c, targets[KPINotice], at)
		}
	}
	f.Approval.finish()
	f.Unapproved.finish()
	f.Notice.finish()
	f.Success = f.Planned.SuccessRate()
	return f
}

// approvalCounts returns the instant at which the approval of a change, or its want of
// one, counts.
func (c Change) approvalCounts() time.Time {
	t := c.Approved
	if t.IsZero() && c.Result == ChangeCancelled {
		return time.Time{}
	}
	setOnce(&t, c.Ended)
	setOnce(&t, c.Requested)
	setOnce(&t, c.Window.Start)
	return t
}

// approval counts the approval of an emergency change.
func (f *ChangeFigures) approval(c Change, target Target, at time.Time) {
	if !c.Approved.IsZero() {
		l, ok := c.ApprovalTime()
		f.Approval.addLapse(l, ok)
		tally(&f.Approved, true, true)
		judgeInto(&f.ApprovalKept, target, l, ok)
		return
	}
	ended := !c.Ended.IsZero()
	if !ended && !at.IsZero() && at.Before(c.Requested) {
		return // nobody has asked yet
	}
	until := c.Ended
	setOnce(&until, at)
	l, ok := lapse(c.Requested, until)
	f.Unapproved.addLapse(l, ok)
	tally(&f.Approved, ended, false)
	tally(&f.ApprovalKept, target.IsSet() && (ended || ok && target.soFar(l.Duration) == Missed), false)
}

// notice counts the notice of a planned change.
func (f *ChangeFigures) notice(c Change, target Target, at time.Time) {
	start := c.Window.Start
	l, ok := c.Notice()
	began := !c.Ended.IsZero() || !at.IsZero() && !at.Before(start)
	switch {
	case ok:
		tally(&f.Announced, true, !l.Clamped)
	case began:
		ok = true // and l is none
		tally(&f.Announced, true, false)
	case !at.IsZero():
		tally(&f.NoticeKept, target.atMost(start.Sub(at)) == Missed, false)
	}
	f.Notice.addLapse(l, ok)
	judgeInto(&f.NoticeKept, target, l, ok)
}

func judgeInto(s *Share, t Target, l Lapse, ok bool) {
	if verdict := t.JudgeDuration(l.Duration); ok && verdict != Undecided {
		tally(s, true, verdict == Met)
	}
}
