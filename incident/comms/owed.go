package comms

import (
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/times"
)

// next returns the next message that a contact is owed and when it is due. ok
// is false if there is none.
func (t *Thread) next(r *recipient, c *contact) (kind Type, due time.Time, ok bool) {
	if c.Done || c.NoWay {
		return "", time.Time{}, false
	}
	first := c.Since
	if !r.prefs.Immediate {
		first = first.Add(r.delay)
	}
	switch {
	case !t.Ended.IsZero():
		base := t.Ended
		if c.Told.IsZero() {
			missed := !c.Since.After(t.Ended)
			if missed && (t.plan.dropMissed || first.After(t.Ended)) {
				return "", time.Time{}, false // it ended before they wanted to know
			}
			base = times.Later(base, c.Since)
		}
		kind, due = Resolution, base
	case !c.Left.IsZero():
		kind, due = Closing, c.Left
	case c.Told.IsZero():
		kind, due = Initial, first
	case c.Seen < t.News && r.prefs.Updates:
		kind, due = News, t.NewsAt
	default:
		if r.isRoom() || !r.prefs.Immediate || r.delay == 0 || c.Answered || len(t.untried(r, c)) == 0 {
			return "", time.Time{}, false
		}
		kind, due = Initial, c.LastTry.Add(r.delay)
	}
	due, ok = t.deferred(r, due)
	return kind, due, ok
}

// deferred moves a due instant into the hours of the recipient. A P1 ignores
// them: what was held back falls due when the severity is raised.
func (t *Thread) deferred(r *recipient, due time.Time) (time.Time, bool) {
	free, ok := r.free(due)
	if (!ok || free.After(due)) && effective(t.State.Severity) == incident.P1 {
		return times.Later(due, t.Raised), true
	}
	return free, ok
}

// untried returns the personal channels that the first message was not sent on.
func (t *Thread) untried(r *recipient, c *contact) []Channel {
	var out []Channel
	for _, p := range personal {
		if r.addresses[p.channel] != "" && !slices.Contains(c.Tried, p.channel) {
			out = append(out, p.channel)
		}
	}
	return out
}
