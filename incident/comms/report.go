package comms

import (
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/internal/key"
)

// Outcome is what became of a message.
type Outcome string

// The outcomes.
const (
	Deferred  Outcome = "deferred"  // an attempt failed, another will follow
	Failed    Outcome = "failed"    // for good: no more attempts
	Delivered Outcome = "delivered" // the channel took it
	Confirmed Outcome = "confirmed" // the person answered
)

// Report tells the thread what became of a message. known is false for a
// message that is not of this round, and for a delivery or failure of one that is
// not the latest to its recipient; it then changes nothing. A confirmation counts
// whichever message it answers. As in a [Ledger] a delivery counts more than a
// failure, whichever comes first.
func (t *Thread) Report(message string, outcome Outcome) (known bool) {
	c := t.addressee(message)
	if c == nil {
		return false
	}
	if outcome == Confirmed {
		c.Answered = true
		return true
	}
	i := slices.IndexFunc(c.Pending, func(s send) bool { return s.Key == message })
	if i < 0 {
		return false
	}
	p := &c.Pending[i]
	switch before := c.unreached(); {
	case outcome == Failed && !p.Failed && !p.Delivered:
		p.Failed = true
		if c.unreached() {
			c.Failures++
		}
	case outcome == Delivered:
		p.Delivered, p.Failed = true, false
		if before && c.Reported < c.Failures {
			c.Failures-- // the lead need not hear of it
		}
	}
	return true
}

// unreached reports whether the latest message failed on every channel.
func (c *contact) unreached() bool {
	return len(c.Pending) > 0 && !slices.ContainsFunc(c.Pending, func(s send) bool { return !s.Failed })
}

// addressee returns the contact to whom a message of this round went, by its key.
func (t *Thread) addressee(message string) *contact {
	about := []string{t.State.Tenant, t.State.ID, strconv.Itoa(t.Round)}
	parts := key.Split(message) // about, then type, number, recipient and channel
	if len(parts) != 7 || !slices.Equal(parts[:3], about) || parts[6] == string(Page) {
		return nil
	}
	return t.Contacts[parts[5]]
}
