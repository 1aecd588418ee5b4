package escalation

import (
	"time"
)

// start begins a round with the policy of the day, unless the incident goes under
// another one.
func (e *Engine) start(r *record, at time.Time) []Action {
	if b := e.current[r.Policy]; b != nil { // else it is gone and the old one stays
		r.Book = b.name
	}
	if leader := e.leader(r, at); leader != nil {
		e.join(r, leader, at)
		return e.arm(r, at)
	}
	return e.begin(r, at)
}

// begin sends the first page, to who takes the incident, unless a maintenance
// holds it back.
func (e *Engine) begin(r *record, at time.Time) []Action {
	if e.bundle > 0 && r.Service != "" {
		e.leaders[r.Service] = r.ID
	}
	if end := e.awake(r.Service, at); end.After(at) {
		r.Quiet, r.Anchor = true, at
		r.note(at, EntrySuppressed, 0, "", "maintenance until "+end.Format(time.RFC3339))
		return e.arm(r, at)
	}
	if !r.Acknowledged.IsZero() || r.Snoozed.After(at) { // while it was held back
		return e.arm(r, at)
	}
	var actions []Action
	if p := e.policy(r); len(p.rungs) > 0 && p.rungs[0].after == 0 {
		actions = e.firstByStep(r, at)
	} else {
		actions = []Action{e.firstBySkill(r, at)}
	}
	return append(actions, e.arm(r, at)...)
}

// firstByStep pages for a first step that is due at once.
func (e *Engine) firstByStep(r *record, at time.Time) []Action {
	r.Routing = Routing{Status: Assigned, Candidates: []Candidate{}, Refused: []Refusal{}, Search: []string{"step 1 of the policy"}}
	actions := e.climb(r, Timer{Level: 1, Key: e.armKey(r, "L1")}, at, nil)
	if len(r.Paged) > 0 {
		r.Routing.Assigned = r.Paged[0]
		e.hold(r, r.Paged[0])
	}
	return actions
}

// firstBySkill pages who takes the incident, or the last resort.
func (e *Engine) firstBySkill(r *record, at time.Time) Action {
	r.Routing = e.router.route(e.request(r, at))
	target, why := r.Routing.Assigned, []string{"last resort: " + string(r.Routing.Reason)}
	if target != "" {
		first := r.Routing.Candidates[0]
		r.Top, why = first.Level, first.Why
		if r.Routing.Reason == CentreManager {
			r.Top = Management
		}
		e.hold(r, target)
	} else {
		target = e.router.lastResort.ID
	}
	r.note(at, EntryEvent(r.Routing.Status), 0, target, why...)
	return e.page(r, at, 0, Acknowledged, e.key(r, "assign"), target, why)
}

func (e *Engine) request(r *record, at time.Time) Request {
	return Request{At: at, Severity: r.Severity, Domain: r.Domain, Region: r.Region, Load: e.loads}
}

// hold makes a person, or nobody, the one who counts the incident as open.
func (e *Engine) hold(r *record, who string) {
	e.unload(r)
	if r.Holder = who; who == "" {
		return
	}
	load := e.loads[who]
	load.Open++
	e.loads[who] = load
}

func (e *Engine) unload(r *record) {
	if load, ok := e.loads[r.Holder]; ok && r.Holder != "" {
		load.Open--
		e.loads[r.Holder] = load
	}
}
