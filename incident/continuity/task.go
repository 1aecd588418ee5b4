package continuity

import (
	"time"
)

// TaskKind is what a maintenance task is about. Any text will do; these are the
// usual ones.
type TaskKind string

// The kinds of task.
const (
	PatchLevel     TaskKind = "patch_level"
	CapacityReview TaskKind = "capacity_review"
	Certificate    TaskKind = "certificate"
	SupportEnd     TaskKind = "end_of_support" // replace what its maker will not support any more
)

// Task is maintenance that has to be done by a date, with evidence that it was.
type Task struct {
	ID      string   `json:"id"`
	Service string   `json:"service"`
	Kind    TaskKind `json:"kind"`
	Owner   string   `json:"owner,omitempty"`
	// Due is the last date like "2026-10-21" on which it is in time, in UTC.
	Due string `json:"due"`
	// DoneAt is when it was done; zero if it was not.
	DoneAt time.Time `json:"done_at,omitzero"`
	// Evidence is a reference to what proves it: a scan, a report, a serial number.
	// Without any the task is not done.
	Evidence string `json:"evidence,omitempty"`
}

func (t Task) check(services map[string]bool, p problems) {
	p.known("service", t.Service, services)
	p.required("kind", string(t.Kind), `what it is about, like "patch_level"`)
	p.required("due", t.Due, `a date like "2026-10-21"`)
	p.date("due", t.Due)
}

// finding returns what is wrong with the task at an instant, if anything is.
func (t Task) finding(at time.Time) (f Finding, overdue bool) {
	since := dayAfter(t.Due)
	done := !t.DoneAt.IsZero() && !t.DoneAt.After(at)
	if done && t.Evidence != "" || at.Before(since) {
		return Finding{}, false
	}
	said := []Clause{clause("task_due", t.Kind, Date(t.Due))}
	switch {
	case done:
		said = append(said, clause("task_done", t.DoneAt))
	case t.Owner != "":
		said = append(said, clause("task_owner", t.Owner))
	}
	return Finding{Code: TaskOverdue, Service: t.Service, Subject: t.ID, Since: since}.saying(said...), true
}

// dayAfter returns the end of a date in UTC, the instant from which on it has
// passed. The date must be one.
func dayAfter(date string) time.Time {
	d, _ := time.Parse(time.DateOnly, date) // checked before
	return d.AddDate(0, 0, 1)
}
