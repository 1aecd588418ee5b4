package correlation

import (
	"math"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// hours are when a rule is active.
type hours struct {
	calendar *calendar.Calendar
	closed   bool  // now
	edge     int64 // the next instant at which that changes; 0 before the first step
}

// never is an edge that does not come.
const never = math.MaxInt64

// newHours compiles the hours of a rule, nil for none.
func newHours(h *calendar.Hours) (*hours, error) {
	if h == nil {
		return nil, nil //nolint:nilnil // no hours are no problem
	}
	c, err := calendar.New(*h)
	if err != nil {
		return nil, err
	}
	return &hours{calendar: c}, nil
}

// shift notes at which rules hours open or close at the instant now, and has their
// instances evaluated. It costs a look at all instances.
func (e *Engine) shift() {
	e.edge = never
	for _, p := range e.programs {
		h := p.hours
		if h == nil || p.Disabled {
			continue
		}
		if h.edge <= e.now {
			h.turn(e.now)
			for _, sp := range e.spaces {
				for i := range sp.instances.All() {
					if i.rule == p && !i.idle {
						e.mark(i, e.now)
					}
				}
			}
		}
		e.edge = min(e.edge, h.edge)
	}
}

// turn brings the hours up to date.
func (h *hours) turn(now int64) {
	at := instant.Time(now)
	h.closed, h.edge = !h.calendar.IsOpen(at), never
	if next, _, err := h.calendar.NextTransition(at); err == nil && instant.InRange(next) {
		h.edge = instant.Of(next)
	}
}
