package comms

import (
	"time"
)

// markRound moves the begin of the cadence when a first message or an update
// goes out.
func (t *Thread) markRound(at time.Time) {
	if t.Ended.IsZero() && (t.LastSent.IsZero() || t.Announced < t.News) {
		t.LastSent, t.Announced, t.Reminded = at, t.News, time.Time{}
	}
}

// NextUpdateDue returns when the next update is owed: the last one plus the
// interval of the severity. ok is false while nobody is waiting for one.
func (t *Thread) NextUpdateDue() (due time.Time, ok bool) {
	if t.LastSent.IsZero() || !t.Ended.IsZero() {
		return time.Time{}, false
	}
	for _, c := range t.Contacts {
		if c.Left.IsZero() && !c.Done {
			return t.plan.NextUpdate(t.State.Severity, t.LastSent), true
		}
	}
	return time.Time{}, false
}

// reminderDue returns when the lead is reminded next.
func (t *Thread) reminderDue() (due time.Time, ok bool) {
	if due, ok = t.NextUpdateDue(); !ok || t.Reminded.IsZero() {
		return due, ok
	}
	return t.plan.NextUpdate(t.State.Severity, t.Reminded), true
}

// remind tells lead and communicator that an update is overdue, again after
// every interval. Intervals that nobody looked at are one reminder.
func (t *Thread) remind(at time.Time) []Message {
	due, ok := t.reminderDue()
	if !ok || due.After(at) {
		return nil
	}
	due = t.latestTick(due, at)
	t.Reminded = due
	t.Reminders++
	why := Reason{Rule: ByCadence, Text: "no update since " + english.stamp(t.LastSent, time.UTC)}
	return t.toLead(Reminder, t.Reminders, why, due, at)
}

// latestTick returns the last of the instants first, first + interval, ... that
// is not after at.
func (t *Thread) latestTick(first, at time.Time) time.Time {
	interval := t.plan.cadence[effective(t.State.Severity)]
	return first.Add(at.Sub(first) / interval * interval)
}
