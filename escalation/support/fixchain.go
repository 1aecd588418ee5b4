package support

import (
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/incident"
)

// FixChain is the way of a fix from the people who find the fault to production.
type FixChain struct {
	// Stages are in order; at least two.
	Stages []FixStage `json:"stages"`

	// Severe is the least severity whose fix has a limit, WithinMinutes of elapsed
	// time from the report to the end of the last stage.
	Severe        incident.Severity `json:"severe"`
	WithinMinutes int               `json:"within_minutes"`
}

// FixStage is one station of a fix.
type FixStage struct {
	ID   string `json:"id"`
	Team string `json:"team,omitempty"`

	// Does says in words what has to have happened for the fix to go on.
	Does string `json:"does"`
}

const maxMinutes = 365 * 24 * 60

// Validate returns all problems as joined [*escalation.ConfigError]s.
func (c FixChain) Validate() error {
	p := problem.New()
	c.check(p)
	return p.Err()
}

func (c FixChain) check(p problem.List) {
	if len(c.Stages) < 2 {
		p.At("stages").Add(strconv.Itoa(len(c.Stages)), "at least two")
	}
	for i, s := range c.Stages {
		if s.ID == "" || c.index(s.ID) < i {
			p.At("stages[%d].id", i).Add(s.ID, "an id of its own")
		}
		if s.Does == "" {
			p.At("stages[%d].does", i).Add("", "what has to have happened")
		}
	}
	if !c.Severe.IsSet() {
		p.At("severe").Add(c.Severe.String(), "P1 to P4")
	}
	if c.WithinMinutes < 1 || c.WithinMinutes > maxMinutes {
		p.At("within_minutes").Add(strconv.Itoa(c.WithinMinutes), "1 to 525600")
	}
}

func (c FixChain) index(id string) int {
	return slices.IndexFunc(c.Stages, func(s FixStage) bool { return s.ID == id })
}

// FixStep is what happened to a fix at a stage.
type FixStep struct {
	At    time.Time `json:"at"`
	Stage string    `json:"stage"`
	By    string    `json:"by,omitempty"`

	// BackTo is the earlier stage to which the fix was sent back. Defaults to
	// none: it passed.
	BackTo string `json:"back_to,omitempty"`
}

// FixState is where a fix is.
type FixState struct {
	// Stage is where it is now, since Since; empty when it has passed the last one
	// at Since.
	Stage string    `json:"stage"`
	Team  string    `json:"team,omitempty"`
	Since time.Time `json:"since"`

	// Returns counts how often it was sent back.
	Returns int `json:"returns"`

	// Due is the limit; zero for a fix without one.
	Due time.Time `json:"due,omitzero"`
}

// Done reports whether the fix has passed the last stage.
func (s FixState) Done() bool { return s.Stage == "" }

// Late reports whether the limit has passed at an instant, or had when the fix was
// done. What is done at exactly the limit is in time.
func (s FixState) Late(at time.Time) bool {
	if s.Done() {
		at = s.Since
	}
	return !s.Due.IsZero() && at.After(s.Due)
}

// Track returns where a fix is after its steps, which are in order. The error joins
// [*escalation.ConfigError]s of the chain, or is that of the first step that does not fit: at
// another stage than the one at which the fix is, back to one that is not before
// it, or earlier than the step before.
func (c FixChain) Track(severity incident.Severity, reported time.Time, steps []FixStep) (FixState, error) {
	p := problem.New()
	c.check(p)
	if !severity.IsSet() {
		p.At("severity").Add(severity.String(), "P1 to P4")
	}
	if err := p.Err(); err != nil {
		return FixState{}, err
	}
	state := FixState{Since: reported.UTC()}
	if severity.AtLeast(c.Severe) {
		state.Due = state.Since.Add(time.Duration(c.WithinMinutes) * time.Minute)
	}
	now := 0
	for i, step := range steps {
		next, err := c.take(step, now, state.Since, p.At("steps[%d]", i))
		if err != nil {
			return FixState{}, err
		}
		if next <= now {
			state.Returns++
		}
		now, state.Since = next, step.At.UTC()
	}
	if now < len(c.Stages) {
		state.Stage, state.Team = c.Stages[now].ID, c.Stages[now].Team
	}
	return state, nil
}

// take returns the stage at which a fix is after a step.
func (c FixChain) take(step FixStep, now int, since time.Time, p problem.List) (int, error) {
	want, next := "no step: the fix is done", now+1
	if now < len(c.Stages) {
		want = c.Stages[now].ID + ", where the fix is"
	}
	if at := c.index(step.Stage); at < 0 || at != now {
		p.At("stage").Add(step.Stage, want)
	}
	if step.At.Before(since) {
		p.At("at").Add(step.At.Format(time.RFC3339), "not before "+since.Format(time.RFC3339))
	}
	if step.BackTo != "" {
		if next = c.index(step.BackTo); next < 0 || next >= now {
			p.At("back_to").Add(step.BackTo, "a stage before "+step.Stage)
		}
	}
	return next, p.Err()
}
