package playbook

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// Snapshot is all that an engine remembers. It can be stored as JSON.
type Snapshot struct {
	Version  int                        `json:"version"` // 1
	Tenant   string                     `json:"tenant"`
	Halted   string                     `json:"halted,omitempty"`
	Services map[string]ServiceSnapshot `json:"services"`
	Runs     []Run                      `json:"runs"`
}

// ServiceSnapshot is what is known of a service.
type ServiceSnapshot struct {
	facts
}

// facts keeps the fields of a ServiceSnapshot out of its documentation.
type facts struct {
	Facts map[string]observed `json:"facts,omitempty"`
	// History holds, by playbook and text of the condition, how long the parts
	// with "for" have held.
	History map[string]map[string][]threshold.Progress `json:"history,omitempty"`
}

// Snapshot returns what the engine remembers.
func (e *Engine) Snapshot() Snapshot {
	out := Snapshot{Version: 1, Tenant: e.config.Tenant, Halted: e.halted, Services: map[string]ServiceSnapshot{}, Runs: e.Runs()}
	for id, s := range e.services {
		known := facts{Facts: map[string]observed{}, History: map[string]map[string][]threshold.Progress{}}
		for i, o := range s.facts.values {
			if !o.At.IsZero() {
				o.Value.Texts = slices.Clone(o.Value.Texts)
				known.Facts[e.vocabulary.specs[i].Name] = o
			}
		}
		for _, p := range e.playbooks {
			if s.memory[p.name] == nil {
				continue
			}
			history := map[string][]threshold.Progress{}
			for i, c := range p.conditions {
				if c.watches > 0 {
					history[c.text] = slices.Clone(s.memory[p.name][i])
				}
			}
			known.History[p.name] = history
		}
		out.Services[id] = ServiceSnapshot{known}
	}
	return out
}

// Restore puts a new engine where the one of the snapshot was. What the
// configuration no longer has (facts, services, conditions) is dropped; steps of
// actions that are gone are blocked by the next Step. Call [Engine.Recover] if
// the process that ran the actions has died.
func (e *Engine) Restore(s Snapshot) error {
	if s.Version != 1 || s.Tenant != e.config.Tenant {
		return fmt.Errorf("restore playbooks of tenant %q: version %d of tenant %q, want version 1 of the same", e.config.Tenant, s.Version, s.Tenant)
	}
	for _, id := range slices.Sorted(maps.Keys(s.Services)) {
		service, known := e.services[id], s.Services[id]
		if service == nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(known.Facts)) {
			i, ok := e.vocabulary.index[name]
			if o := known.Facts[name]; ok && (o.Value.Type == "" || o.Value.Type == e.vocabulary.specs[i].Type) {
				o.Value.Texts = slices.Clone(o.Value.Texts)
				service.facts.put(i, o)
			}
		}
		for _, p := range e.playbooks {
			for i, c := range p.conditions {
				history := known.History[p.name][c.text]
				if memory := service.memory[p.name]; memory != nil && len(history) == c.watches {
					copy(memory[i], history)
				}
			}
		}
	}
	e.halted, e.runs, e.byID = s.Halted, nil, map[string]*Run{}
	for _, service := range e.services {
		service.runs = nil
	}
	for i := range s.Runs {
		r := s.Runs[i].clone()
		r.Steps = slices.DeleteFunc(r.Steps, func(step *Step) bool {
			return step == nil || !slices.Contains(stageNames[:], step.Stage) && step.Stage != undoStage
		})
		e.keep(&r)
	}
	return nil
}

// Recover is for the first moment after a restart: no attempt that was under
// way can report any more. An idempotent action is tried again at once, if it
// has attempts left; any other has an unknown outcome, and the next Step calls a
// person. What had finished stays finished. It returns the keys of the steps
// concerned.
func (e *Engine) Recover(at time.Time) []string {
	at = at.Round(0).UTC()
	var out []string
	for _, r := range e.runs {
		for _, step := range r.Steps {
			c := e.call(r, step)
			if step.Status != Running || c == nil {
				continue
			}
			out = append(out, step.Key)
			e.finish(r, step, c, at, Uncertain, "the process ended during the attempt")
			if step.Status == Pausing {
				step.Until = at
			}
		}
	}
	return out
}

// Current reports whether an attempt is under way, that is, whether a stored Do
// intent may still be carried out. Ask it for every intent that is read from an
// outbox after a restart: what Recover gave up must not be done any more.
func (e *Engine) Current(step string, attempt int) bool {
	_, s := e.find(step)
	return s != nil && s.Status == Running && s.Attempt == attempt
}

// Explanation is what would become of an action now.
type Explanation struct {
	Stage    string  `json:"stage"`
	Action   string  `json:"action"`
	Decision Verdict `json:"decision"`
	Why      string  `json:"why"`
}

// Explain decides every action of a playbook on a service as if it were due at
// an instant, and changes nothing. The error is an [*EventError] for an unknown
// playbook or a service of another type.
func (e *Engine) Explain(playbook, serviceID string, at time.Time) ([]Explanation, error) {
	p, s := e.playbook(playbook), e.services[serviceID]
	if p == nil {
		return nil, &EventError{Kind: Start, Field: "playbook", Value: playbook, Want: "a playbook of the book"}
	}
	if s == nil || s.Type != p.serviceType {
		return nil, &EventError{Kind: Start, Field: "service", Value: serviceID, Want: "a service of type " + p.serviceType}
	}
	var out []Explanation
	for i := range p.stages {
		for n := range p.stages[i].calls {
			c := &p.stages[i].calls[n]
			verdict, why := e.judge(p, s, c, at)
			if verdict == RunIt && c.spec.Type.changes() {
				if limited, full := e.limit(&Run{Service: serviceID}, &Step{}, at); full {
					verdict, why = BlockIt, limited
				} else if limited != "" {
					verdict, why = QueueIt, limited
				}
			}
			out = append(out, Explanation{Stage: stageNames[i], Action: c.Action, Decision: verdict, Why: why})
		}
	}
	return out, nil
}
