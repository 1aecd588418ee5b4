package escalation

import (
	"fmt"
	"time"
)

// open creates the record of an incident, or takes the event as a repetition.
func (e *Engine) open(r *record, event Event) ([]Action, error) {
	if r != nil {
		if !r.isOpen() && !event.At.Equal(r.Opened) {
			return nil, ErrNotPossible
		}
		return nil, nil
	}
	severity := event.Severity
	if severity == 0 {
		severity = e.unset
	}
	if !severity.IsSet() {
		return nil, severityError(severity)
	}
	at := event.At.UTC()
	if e.current[event.Policy] == nil {
		return nil, &ConfigError{Path: "policy", Value: event.Policy, Want: "the name of a policy"}
	}
	if !event.RespondBy.IsZero() && !event.RespondBy.After(at) {
		return nil, &ConfigError{Path: "respond_by", Value: event.RespondBy.Format(time.RFC3339), Want: "an instant after the opening"}
	}
	r = &record{
		ID: event.Incident, Severity: severity, Domain: event.Domain, Service: event.Service, Region: event.Region, Policy: event.Policy,
		Opened: at, Anchor: at, standing: standing{Round: 1},
	}
	if !event.RespondBy.IsZero() {
		r.RespondBy = event.RespondBy.UTC()
	}
	e.records[r.ID] = r
	return e.start(r, at), nil
}

// change applies any other event to a known incident.
func (e *Engine) change(r *record, event Event) ([]Action, error) {
	at := event.At.UTC()
	if event.Kind == Reopened && r.MergedInto != "" {
		return nil, ErrNotPossible
	}
	if event.Kind.isStanding() {
		return e.settle(r, event, at), nil
	}
	if at.Before(r.Reopened) {
		return nil, ErrStale // it belongs to an earlier round
	}
	switch event.Kind {
	case SeverityChanged:
		return e.changeSeverity(r, event, at)
	case Snoozed:
		return e.snooze(r, event, at)
	default:
		return e.merge(r, event, at)
	}
}

func (e *Engine) changeSeverity(r *record, event Event, at time.Time) ([]Action, error) {
	switch {
	case !event.Severity.IsSet():
		return nil, severityError(event.Severity)
	case !r.isOpen():
		return nil, ErrNotPossible
	case at.Before(r.Changed):
		return nil, ErrStale
	case event.Severity == r.Severity:
		return nil, nil
	}
	text := fmt.Sprintf("%s to %s", r.Severity, event.Severity)
	r.Severity, r.Changed = event.Severity, at
	r.Changes++
	r.Held = nil // levels of another policy
	r.note(at, event.Kind.entry(), 0, "", text)
	var actions []Action
	if r.Holder != "" {
		actions = append(actions, e.notice(r, at, fmt.Sprintf("severity%d", r.Changes), r.Holder, "severity "+text))
	}
	if leader := e.records[r.Bundled]; leader != nil && r.Severity < leader.Severity {
		return append(actions, e.leave(r, at)...), nil
	}
	actions = append(actions, e.arm(r, at)...)
	return append(actions, e.dissolve(r, at)...), nil
}

// snooze holds all levels until an instant, at which the incident is as if it had
// been given up. A later snooze replaces the one before.
func (e *Engine) snooze(r *record, event Event, at time.Time) ([]Action, error) {
	until := event.Until.UTC()
	switch {
	case !r.isOpen() || !until.After(at):
		return nil, ErrNotPossible
	case at.Before(r.SnoozedAt):
		return nil, ErrStale
	case at.Equal(r.SnoozedAt), until.Equal(r.Snoozed):
		return nil, nil
	}
	r.Snoozed, r.SnoozedAt = until, at
	r.note(at, event.Kind.entry(), 0, event.By, "until "+until.Format(time.RFC3339))
	return e.arm(r, at), nil
}

func (e *Engine) merge(r *record, event Event, at time.Time) ([]Action, error) {
	switch {
	case event.Into == "":
		return nil, ErrIncomplete
	case event.Into == r.ID:
		return nil, ErrNotPossible
	case r.MergedInto == event.Into:
		return nil, nil
	case !r.isOpen():
		return nil, ErrNotPossible
	}
	f := fact{Merged, at, event.By}
	r.MergedInto = event.Into
	r.learn(f)
	r.standing = standingOf(r.Facts)
	r.note(at, event.Kind.entry(), 0, event.By, "into "+event.Into)
	return e.close(r, f, "merge", "merged into "+event.Into), nil
}

// close ends the round by a fact and tells everybody paged in it.
func (e *Engine) close(r *record, f fact, step, text string) []Action {
	e.unload(r)
	actions := append(e.withdraw(r, f.At, f.Kind), e.tell(r, f.At, step, f.By, text)...)
	actions = append(actions, e.arm(r, f.At)...)
	return append(actions, e.dissolve(r, f.At)...)
}
