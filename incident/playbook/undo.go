package playbook

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/key"
)

// undoStage is the stage of the steps that take others back.
const undoStage = "undo"

// undo has the actions of a run that succeeded and can be taken back taken back,
// the latest first, and those that succeed from now on, too. It is a step for each,
// which goes through conditions, safety checks, approvals and attempts as all
// others do. What has no compensation, or an unknown outcome, is for a person.
func (e *Engine) undo(r *Run, at time.Time, by, why string) {
	again := r.Undone != ""
	var steps []*Step
	var actions []string
	for _, s := range slices.Backward(r.Steps) {
		if u := e.undoOf(r, s, at); u != nil {
			steps, actions = append(steps, u), append(actions, s.Action)
		}
	}
	if again && len(steps) == 0 {
		return
	}
	r.Undone, r.UndoneBy = why, by
	e.takeBack(r, at, why+"; "+cmp.Or(strings.Join(actions, ", "), "nothing yet"), steps...)
}

// undoOf returns the step that takes another one back, or nil.
func (e *Engine) undoOf(r *Run, s *Step, at time.Time) *Step {
	c := e.call(r, s)
	if s.Status != Succeeded || c == nil || c.undo == nil || slices.ContainsFunc(r.Steps, func(u *Step) bool { return u.Undoes == s.Key }) {
		return nil
	}
	return &Step{
		Key: key.Join(e.config.Tenant, r.ID, undoStage, s.Stage, s.Action), Stage: undoStage, Action: c.undo.Action,
		Due: at, Status: Waiting, Undoes: s.Key,
	}
}

// takeBack adds steps that take others back, before those that wait: what they
// take back came later. A run that has ended goes on.
func (e *Engine) takeBack(r *Run, at time.Time, why string, steps ...*Step) {
	if len(steps) > 0 {
		i := slices.IndexFunc(r.Steps, func(s *Step) bool { return s.Undoes != "" && s.Status == Waiting })
		if i < 0 {
			i = len(r.Steps)
		}
		r.Steps = slices.Concat(r.Steps[:i], steps, r.Steps[i:]) // a copy: who goes through them is not disturbed
		r.EndedAt = time.Time{}
	} else if r.Ended() {
		return
	}
	e.recordRun(UndoBegan, r, at, r.UndoneBy, why)
}

// settled sees to a step whose attempt has ended, in time or late.
func (e *Engine) settled(r *Run, s *Step, c *call, at time.Time) {
	switch {
	case s.Undoes != "":
	case s.Status == Succeeded && r.Undone != "":
		if u := e.undoOf(r, s, at); u != nil {
			e.takeBack(r, at, r.Undone+"; "+s.Action+", which has succeeded only now", u)
		}
	case s.Status == Failure && c.spec.Type.changes() && r.Undone == "" && e.playbook(r.Playbook).undo:
		e.undo(r, at, "", "because "+s.Action+" failed: "+s.Result)
	}
}
