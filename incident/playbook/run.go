package playbook

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/key"
)

// Run is one playbook at work on one service.
type Run struct {
	ID          string    `json:"id"`
	Playbook    string    `json:"playbook"`
	Service     string    `json:"service"`
	TriggeredAt time.Time `json:"triggered_at"`
	By          string    `json:"by,omitempty"`       // who started it by hand
	Incident    string    `json:"incident,omitempty"` // that it belongs to, if somebody said so
	Why         string    `json:"why"`
	ClearedAt   time.Time `json:"cleared_at,omitzero"` // when the trigger ceased to hold
	ClearedWhy  string    `json:"cleared_why,omitempty"`
	EndedAt     time.Time `json:"ended_at,omitzero"`   // nothing is left to do
	Stopped     bool      `json:"stopped,omitempty"`   // by a person, while the trigger held; it still does
	Joined      bool      `json:"joined,omitempty"`    // of a run by hand: the trigger holds, too
	Undone      string    `json:"undone,omitempty"`    // why what succeeded is taken back, also what is yet to; empty: it is not
	UndoneBy    string    `json:"undone_by,omitempty"` // who asked for it; empty: nobody did, see Definition
	Stages      int       `json:"stages"`              // that have begun, or were skipped
	Steps       []*Step   `json:"steps"`               // of the stages that have begun, in order, and of the undo
	Recorded    int       `json:"recorded"`            // entries so far
}

// Ended reports whether nothing is left to do in the run. Its trigger may still
// hold; the playbook begins anew only after it has cleared.
func (r *Run) Ended() bool { return !r.EndedAt.IsZero() }

// held reports whether the trigger of the run may still hold.
func (r *Run) held() bool {
	return r.Stopped || r.ClearedAt.IsZero() && (r.By == "" || r.Joined || !r.Ended())
}

func (e *Engine) clear(r *Run, at time.Time, why string) {
	if r.ClearedAt.IsZero() {
		r.ClearedAt, r.ClearedWhy = at, why
		e.recordRun(RunCleared, r, at, "", why)
	}
}

func (e *Engine) end(r *Run, at time.Time) {
	r.EndedAt = at
	e.recordRun(RunEnded, r, at, "", "nothing is left to do")
}

func (e *Engine) begin(p *compiled, s *service, at time.Time, asked Event, why string) {
	r := &Run{
		ID:       fmt.Sprintf("%s@%s@%d", p.name, s.ID, at.UnixNano()),
		Playbook: p.name, Service: s.ID, TriggeredAt: at, By: asked.By, Incident: asked.Incident, Why: why,
	}
	e.keep(r)
	e.recordRun(RunBegan, r, at, asked.By, why)
}

// keep adds a run to those that the engine knows.
func (e *Engine) keep(r *Run) {
	e.runs = append(e.runs, r)
	e.byID[r.ID] = r
	if s := e.services[r.Service]; s != nil {
		s.runs = append(s.runs, r)
	}
}

// Step returns what is due at an instant, in a fixed order, and remembers that
// it went out. Commit the snapshot and the intents together. Call it after every
// Apply and at NextWake.
func (e *Engine) Step(at time.Time) []Intent {
	at = at.Round(0).UTC()
	var out []Intent
	for _, r := range e.runs {
		p, s := e.playbook(r.Playbook), e.services[r.Service]
		if p == nil || s == nil {
			if !r.Ended() {
				const why = "the playbook or the service is gone"
				e.clear(r, at, why)
				for _, step := range r.Steps {
					out = append(out, e.abandon(r, step, at, why)...)
				}
				e.end(r, at)
			}
			continue
		}
		e.lapse(r, p, s, at)
		if r.Ended() {
			continue
		}
		e.openStages(r, p, at)
		// An action that ends at once lets the next one of its stage begin.
		for moved := true; moved; {
			moved = false
			for _, step := range r.Steps {
				before := *step
				out = append(out, e.advance(r, p, s, step, at)...)
				moved = moved || step.Status != before.Status
			}
		}
		if r.Stages == len(stageNames) && !slices.ContainsFunc(r.Steps, func(s *Step) bool { return !s.Status.Done() }) {
			e.end(r, at)
		}
	}
	return out
}

// lapse clears a run whose trigger ceased to hold without a sample, because
// samples stopped.
func (e *Engine) lapse(r *Run, p *compiled, s *service, at time.Time) {
	if !r.held() || r.By != "" && !r.Ended() || e.triggered(p, s, at) == True {
		return
	}
	cleared, why := at, "the trigger is "+e.triggered(p, s, at).String()
	for _, i := range p.trigger.facts {
		limit := e.vocabulary.specs[i].Staleness
		if stale := s.facts.values[i].At.Add(limit); limit >= 0 && stale.Before(at) {
			env := s.env(at)
			why = p.trigger.seen(&env)
			if stale.Before(cleared) {
				cleared = stale
			}
		}
	}
	if cleared.Before(r.TriggeredAt) {
		cleared = r.TriggeredAt
	}
	r.Stopped = false
	e.clear(r, cleared, why)
}

// openStages adds the steps of the stages that are due. Those that come due
// after the trigger has cleared are skipped.
func (e *Engine) openStages(r *Run, p *compiled, at time.Time) {
	for r.Stages < len(p.stages) {
		st := p.stages[r.Stages]
		due := r.TriggeredAt.Add(st.delay)
		if !r.ClearedAt.IsZero() {
			r.Stages = len(p.stages)
			return
		}
		if due.After(at) {
			return
		}
		name := stageNames[r.Stages]
		for _, c := range st.calls {
			r.Steps = append(r.Steps, &Step{
				Key: key.Join(e.config.Tenant, r.ID, name, c.Action), Stage: name, Action: c.Action, Due: due, Status: Waiting,
			})
		}
		r.Stages++
	}
}

// NextWake returns the earliest instant at which Step has something to do if
// nothing else happens; ok is false if there is none.
func (e *Engine) NextWake() (at time.Time, ok bool) {
	earliest := func(t time.Time) {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	for _, r := range e.runs {
		p, s := e.playbook(r.Playbook), e.services[r.Service]
		if r.Ended() || p == nil || s == nil {
			continue
		}
		if r.Stages < len(p.stages) {
			earliest(r.TriggeredAt.Add(p.stages[r.Stages].delay)) // of a cleared run: to end it
		}
		for _, step := range r.Steps {
			switch {
			case step.Call != "":
				earliest(step.At)
			case step.Status == Running || step.Status == Pausing:
				earliest(step.Until)
			case step.Status.Done():
			case !r.ClearedAt.IsZero() && step.Undoes == "":
				earliest(r.ClearedAt)
			case step.Status == Asking && step.Agreed:
				earliest(step.At)
			case step.Status != Waiting:
				earliest(step.Until)
			}
		}
	}
	return at, ok
}

// Runs returns copies of all runs, in the order in which they began.
func (e *Engine) Runs() []Run {
	out := make([]Run, len(e.runs))
	for i, r := range e.runs {
		out[i] = r.clone()
	}
	return out
}

func (r *Run) clone() Run {
	out := *r
	out.Steps = make([]*Step, len(r.Steps))
	for i, s := range r.Steps {
		step := *s
		step.Approved = slices.Clone(s.Approved)
		out.Steps[i] = &step
	}
	return out
}

// Prune drops the runs that ended before an instant and whose trigger has
// cleared, and returns how many. Keep them at least as long as the cool-down.
func (e *Engine) Prune(before time.Time) int {
	old := func(r *Run) bool { return r.Ended() && !r.held() && r.EndedAt.Before(before) }
	n := len(e.runs)
	e.runs = slices.DeleteFunc(e.runs, old)
	for _, s := range e.services {
		s.runs = slices.DeleteFunc(s.runs, old)
	}
	maps.DeleteFunc(e.byID, func(_ string, r *Run) bool { return old(r) })
	return n - len(e.runs)
}
