package playbook

import (
	"fmt"
	"iter"
	"time"
)

// Simulate answers when the playbooks of a configuration would have begun and what
// they would have decided: it plays recorded events in a dry run and jumps from
// one instant to the next at which something is recorded or due, up to and
// including until. Events of one instant count together. The error names an event
// that cannot be taken or is earlier than the one before it.
func Simulate(c Config, recorded iter.Seq[Event], until time.Time) ([]Run, error) {
	c.DryRun = true
	e, err := New(c)
	if err != nil {
		return nil, err
	}
	var now time.Time // of the events that Step has not seen yet
	for event := range recorded {
		switch {
		case event.At.Before(now):
			return nil, fmt.Errorf("simulate: event %q at %s is earlier than the one before it, at %s", event.Kind, event.At.Format(time.RFC3339Nano), now.Format(time.RFC3339Nano))
		case event.At.After(until):
			continue
		case event.At.After(now) && !now.IsZero():
			e.Step(now)
			e.catchUp(now, event.At)
		}
		if err := e.Apply(event); err != nil {
			return nil, fmt.Errorf("simulate: %w", err)
		}
		now = event.At
	}
	if !now.IsZero() {
		e.Step(now)
		e.catchUp(now, until.Add(1))
	}
	return e.Runs(), nil
}

// catchUp takes the steps that fall due after one instant and before another.
func (e *Engine) catchUp(after, before time.Time) {
	for {
		at, ok := e.NextWake()
		if !ok || !at.After(after) || !at.Before(before) {
			return
		}
		e.Step(at)
		after = at
	}
}
