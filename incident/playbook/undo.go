package playbook

import (
	"fmt"
	"slices"
	"time"
)

// undoStage is the stage of the steps that take others back.
const undoStage = "undo"

// undo adds a step for every action of the run that succeeded and can be taken
// back, the latest first. They go through conditions, safety checks, approvals and
// attempts as all others do. What has no compensation, or an unknown outcome, is
// for a person.
func (e *Engine) undo(r *Run, event Event) {
	undone := map[string]bool{}
	for _, s := range r.Steps {
		undone[s.Undoes] = true
	}
	var steps []*Step
	for _, s := range slices.Backward(r.Steps) {
		c := e.call(r, s)
		if s.Status != Succeeded || c == nil || c.undo == nil || undone[s.Key] {
			continue
		}
		steps = append(steps, &Step{
			Key: key(e.config.Tenant, r.ID, undoStage, s.Stage, s.Action), Stage: undoStage, Action: c.undo.Action,
			Due: event.At, Status: Waiting, Hash: c.undo.hash, Undoes: s.Key,
		})
	}
	if len(steps) == 0 {
		return
	}
	r.Steps, r.UndoneBy = append(r.Steps, steps...), event.By
	r.EndedAt = time.Time{}
	why := fmt.Sprintf("%d actions are taken back for %s", len(steps), event.By)
	if event.Text != "" {
		why += ": " + event.Text
	}
	e.recordRun(UndoBegan, r, event.At, event.By, why)
}
