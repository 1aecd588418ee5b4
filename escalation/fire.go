package escalation

import (
	"fmt"
	"slices"
	"time"
)

// fire does what the timers that are due ask for: first those that are no levels,
// in the order of pending, then the highest level.
func (e *Engine) fire(r *record, at time.Time) []Action {
	at = at.UTC()
	if e.book(r).name != r.armedBy() { // with other levels, perhaps
		if actions := e.arm(r, at); len(actions) > 0 {
			return actions
		}
	}
	for i := range r.Timers {
		if t := r.Timers[i]; t.Kind != LevelDue && !t.Due.After(at) {
			r.Timers = slices.Delete(r.Timers, i, i+1) // it has run
			actions := e.lapse(r, t, at)
			return append(actions, e.arm(r, at)...)
		}
	}
	return append(e.fireLevels(r, at), e.arm(r, at)...)
}

// fireLevels pages for the highest level that is due and reaches somebody, or
// does not wait until it does.
func (e *Engine) fireLevels(r *record, at time.Time) []Action {
	var due []Timer
	for _, t := range r.Timers {
		if t.Kind == LevelDue && !t.Due.After(at) {
			due = append(due, t)
		}
	}
	for n, top := range slices.Backward(due) { // one that waits leaves it to those below
		below := due[:n]
		r.Timers = slices.DeleteFunc(r.Timers, func(t Timer) bool { return t.Key == top.Key }) // it has run
		actions := e.climb(r, top, at, below)
		if len(actions) == 0 {
			continue
		}
		for _, t := range below {
			r.Fired = append(r.Fired, firing{Level: t.Level, Due: t.Due, At: at, Collapsed: true})
			r.release(t.Level)
		}
		return actions
	}
	return nil
}

// lapse does what a timer that is no level asks for.
func (e *Engine) lapse(r *record, t Timer, at time.Time) []Action {
	var actions []Action
	switch t.Kind {
	case LevelDue: // see climb
	case QuietEnds:
		r.Quiet, r.Anchor = false, t.Due
		return e.begin(r, at)
	case AckLapses:
		e.lapses(r, Unacknowledged, t.Due)
		r.note(at, t.Kind.entry(), 0, "")
	case SnoozeEnds:
		r.Snoozed = time.Time{}
		e.lapses(r, Snoozed, t.Due) // what was taken on since stays so
		r.note(at, t.Kind.entry(), 0, "")
	case Repages:
		return e.repage(r, t, at)
	case ResponseAtRisk:
		r.AtRisk = at
		actions = e.remind(r, t, at, "half of the time to respond is gone", false)
	case ResponseMissed:
		r.Missed = at
		actions = e.remind(r, t, at, "not acknowledged by "+r.RespondBy.Format(time.RFC3339), true)
	}
	return actions
}

// repage pages whoever has the incident once more.
func (e *Engine) repage(r *record, t Timer, at time.Time) []Action {
	r.Repaged = at
	reachable := func(id string) bool { return e.router.reachable(id, at) }
	why := []string{"acknowledged at " + r.Acknowledged.Format(time.RFC3339) + " and not over"}
	var to []string
	for _, id := range []string{r.AcknowledgedBy, r.Holder} {
		if len(to) == 0 && reachable(id) {
			to = []string{id}
		}
	}
	if len(to) == 0 {
		why = append(why, "who has it is not to be had")
		to = slices.DeleteFunc(slices.Clone(r.Paged), func(id string) bool { return !reachable(id) })
	}
	if len(to) == 0 {
		to = []string{e.router.lastResort.ID}
	}
	r.Log = append(r.Log, Entry{At: at, Event: EntryRepage, To: to, Why: why})
	var actions []Action
	for _, target := range to {
		actions = append(actions, e.page(r, at, 0, Resolved, t.Key, target, why))
	}
	return actions
}

// remind tells everybody paged in this round, and the manager in charge if asked
// to.
func (e *Engine) remind(r *record, t Timer, at time.Time, text string, manager bool) []Action {
	to := slices.Clone(r.Paged)
	if managers := e.router.managers(e.request(r, at)); manager && len(managers) > 0 && !slices.Contains(to, managers[0].ID) {
		to = append(to, managers[0].ID)
	}
	r.Log = append(r.Log, Entry{At: at, Event: t.Kind.entry(), To: to, Why: []string{text}})
	var actions []Action
	for _, target := range to {
		actions = append(actions, e.notice(r, at, t.Kind.String(), target, text))
	}
	return actions
}

// climb pages for a level that is due. Where it reaches nobody the next level is
// taken at once, and after the last the last resort.
func (e *Engine) climb(r *record, t Timer, at time.Time, collapsed []Timer) []Action {
	rungs := e.policy(r).rungs
	fired := r.firings(len(rungs))
	why := dueText(t.Level, &rungs[t.Level-1])
	page := func(level int, stop EventKind, who reached) []Action {
		for _, t := range collapsed {
			why = append(why, fmt.Sprintf("level %d was overdue as well, one page for both", t.Level))
		}
		return e.pageAll(r, at, level, stop, e.levelKey(r, level, t), who, why)
	}
	for level := t.Level; level <= len(rungs); level++ {
		g := &rungs[level-1]
		if level > t.Level {
			if r.stopped(g) || fired[level-1] != nil {
				continue
			}
			why = append(why, fmt.Sprintf("so level %d at once", level))
		}
		who := e.reach(r, g, at)
		why = append(why, who.why...)
		if len(who.people) == 0 && g.Wait && e.wait(r, level, g, at, why) {
			return nil
		}
		r.Fired = append(r.Fired, firing{Level: level, Due: e.due(r, level, g), At: at, Empty: len(who.people) == 0})
		r.release(level)
		if len(who.people) > 0 {
			return page(level, g.StopOn, who)
		}
	}
	why = append(why, "last resort: no step of the policy has anybody")
	return page(t.Level, rungs[t.Level-1].StopOn, reached{people: []string{e.router.lastResort.ID}})
}

func dueText(level int, g *rung) []string {
	if g.after == 0 {
		return []string{"step 1 of the policy"}
	}
	return []string{fmt.Sprintf("level %d: not %s within %d min", level, g.StopOn, g.after/time.Minute)}
}

// wait holds a level that reaches nobody until it may reach somebody; ok is false
// where it never will. The timeline says so when the level begins to wait, not at
// every instant at which there is still nobody.
func (e *Engine) wait(r *record, level int, g *rung, at time.Time, why []string) (ok bool) {
	until, ok := e.router.nextChance(g, at)
	if !ok {
		return false
	}
	for i := range r.Held {
		if r.Held[i].Level == level {
			r.Held[i].Until = until
			return true
		}
	}
	r.Held = append(r.Held, hold{level, until})
	r.note(at, EntryWaiting, level, "", why...)
	return true
}

// release ends the wait of a level, if it waits.
func (r *record) release(level int) {
	r.Held = slices.DeleteFunc(r.Held, func(h hold) bool { return h.Level == level })
}

// reach finds whom a level tells at an instant.
func (e *Engine) reach(r *record, g *rung, at time.Time) reached {
	if !g.open(at) {
		return reached{why: []string{"outside the hours of the step"}}
	}
	q := e.request(r, at)
	if g.RoundRobin {
		return e.takeTurn(r, g, q)
	}
	var all reached
	for _, t := range g.Targets {
		who := e.router.reach(t, q, r.Top, append(slices.Clone(r.Paged), all.people...))
		for _, id := range who.people {
			if !slices.Contains(all.people, id) {
				all.people = append(all.people, id)
			}
		}
		all.level, all.why = max(all.level, who.level), append(all.why, who.why...)
	}
	return all
}

// takeTurn finds the target whose turn it is; one that reaches nobody is passed
// over.
func (e *Engine) takeTurn(r *record, g *rung, q Request) reached {
	name := e.book(r).name + "/" + g.turn
	var why []string
	for i := range g.Targets {
		n := (e.turns[name]%len(g.Targets) + i) % len(g.Targets)
		who := e.router.reach(g.Targets[n], q, r.Top, r.Paged)
		if len(who.people) > 0 {
			e.turns[name] = n + 1
			who.why = append(append(why, who.why...), fmt.Sprintf("turn %d of %d", n+1, len(g.Targets)))
			return who
		}
		why = append(why, who.why...)
	}
	return reached{why: why}
}

// levelKey is the key of a level: that of its timer, or the one it would get.
func (e *Engine) levelKey(r *record, level int, ran Timer) string {
	if level == ran.Level {
		return ran.Key
	}
	for _, t := range r.Timers {
		if t.Kind == LevelDue && t.Level == level {
			return t.Key
		}
	}
	return e.armKey(r, fmt.Sprintf("L%d", level))
}
