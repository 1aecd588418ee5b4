package comms

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Apply takes the state of the incident as it is at an instant. Applying the
// same state again changes nothing. Before the incident is declared (triage)
// nobody is told. The thread keeps a copy. The error says that the state is of
// another incident, or that at is not set; nothing is changed then.
func (t *Thread) Apply(s incident.State, at time.Time) error {
	if s.ID != t.State.ID || s.Tenant != t.State.Tenant {
		return fmt.Errorf("thread of incident %q of %q: state of %q of %q", t.State.ID, t.State.Tenant, s.ID, s.Tenant)
	}
	if at.IsZero() {
		return fmt.Errorf("thread of incident %q of %q: the instant is not set", t.State.ID, t.State.Tenant)
	}
	before := effective(t.State.Severity)
	t.State = s.Clone()
	if s.Status == "" || s.Status == incident.Triage || t.Round == 0 && s.Status.Ended() {
		return nil
	}
	if t.Round == 0 || s.Reopens+1 > t.Round {
		t.begin(s.Reopens + 1)
		before = effective(s.Severity)
	}
	if effective(s.Severity).Compare(before) > 0 {
		t.Raised = at
	}
	t.countNews(at)
	if t.Ended.IsZero() && !s.Status.Active() {
		t.Ended = at
	}
	t.seat(at, before)
	return nil
}

// begin opens a round with nobody in it.
func (t *Thread) begin(round int) {
	t.Round, t.Ended, t.Raised = round, time.Time{}, time.Time{}
	t.Contacts = map[string]*contact{}
	t.LastSent, t.Reminded, t.Announced, t.NewsText = time.Time{}, time.Time{}, t.News, ""
	t.Alarmed = time.Time{}
}

// countNews numbers the updates that are new. Several at once are one message
// with the latest text; older ones that come late are no news.
func (t *Thread) countNews(at time.Time) {
	fresh, latest := 0, false
	for _, u := range t.State.Updates {
		latest = !t.Seen[u.Key]
		if latest {
			t.Seen[u.Key] = true
			fresh++
		}
	}
	switch last := len(t.State.Updates) - 1; {
	case latest:
		t.News += fresh
		t.NewsAt, t.NewsText = at, t.State.Updates[last].Text
	case t.NewsText != "" && last >= 0:
		t.NewsText = t.State.Updates[last].Text // it may have been redacted
	}
}

// seat lets recipients join and leave by the severity and flags of now.
func (t *Thread) seat(at time.Time, before incident.Severity) {
	invited := t.plan.invite(t.State)
	for r := range t.plan.audience(t.State.Services) {
		why, wanted := invited.why(r)
		c := t.Contacts[r.id]
		switch {
		case c == nil && wanted:
			t.Contacts[r.id] = &contact{Since: at, Why: why}
		case c == nil:
		case c.Over: // nothing is left to say in this round
		case wanted && c.NoWay && invited.reaches(r):
			t.Contacts[r.id] = &contact{Since: at, Why: why, Firsts: c.Firsts, Leaves: c.Leaves, Failures: c.Failures, Reported: c.Reported}
		case wanted && c.Left.IsZero():
			c.Why = why
		case wanted && !c.Done: // back before the closing note was written
			c.Left, c.Why = time.Time{}, why
		case wanted:
			t.Contacts[r.id] = &contact{Since: at, Why: why, Firsts: c.Firsts, Leaves: c.Leaves, Failures: c.Failures, Reported: c.Reported}
		case c.Left.IsZero() && c.Told.IsZero() && c.Firsts == 0:
			delete(t.Contacts, r.id) // never knew of it
		case c.Left.IsZero() && c.Told.IsZero():
			c.Left, c.LeftFrom, c.Done = at, before, true // was told that it had left, and not yet of the return
		case c.Left.IsZero():
			c.Left, c.LeftFrom = at, before
		}
	}
}
