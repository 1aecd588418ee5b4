package escalation

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/internal/key"
	"github.com/evenkeelops/evenkeel/internal/times"
)

// pageAll pages everybody whom a level reaches.
func (e *Engine) pageAll(r *record, at time.Time, level int, stop EventKind, stepKey string, who reached, why []string) []Action {
	r.Top = max(r.Top, who.level)
	r.Log = append(r.Log, Entry{At: at, Event: EntryEscalate, Level: level, To: who.people, Why: why})
	var actions []Action
	for _, target := range who.people {
		actions = append(actions, e.page(r, at, level, stop, stepKey, target, why))
	}
	return actions
}

// key tells a step from all others, also from those of an earlier incident of the
// same id that was forgotten since.
func (e *Engine) key(r *record, step string) string {
	return key.Join(e.tenant, r.ID, r.Opened.Format(time.RFC3339Nano), strconv.Itoa(r.Round)) + "/" + step
}

func (e *Engine) page(r *record, at time.Time, level int, stop EventKind, stepKey, target string, why []string) Action {
	pageKey := stepKey + "/" + key.Join(target)
	if !slices.Contains(r.Paged, target) {
		r.Paged = append(r.Paged, target)
	}
	load := e.loads[target]
	load.Paged = times.Later(load.Paged, at) // an event may be late
	e.loads[target] = load
	kind := Page
	if e.isLimited(r, target) && e.limited(target, at) {
		kind, why = Notice, append(slices.Clone(why), fmt.Sprintf("a notice: more than %d pages in %s", e.limit.Pages, e.limit.Per))
	}
	if kind == Page {
		r.Pages = append(r.Pages, sent{pageKey, stop})
	}
	return Action{
		Kind: kind, Key: pageKey, At: at,
		Incident: r.ID, Round: r.Round, Level: level, Target: target, Why: why,
	}
}

func (e *Engine) notice(r *record, at time.Time, step, target string, why ...string) Action {
	return Action{
		Kind: Notice, Key: e.key(r, step) + "/" + key.Join(target), At: at,
		Incident: r.ID, Round: r.Round, Target: target, Why: why,
	}
}

// withdraw takes back the pages of the steps that an event stops. Resolving and
// merging stop all of them.
func (e *Engine) withdraw(r *record, at time.Time, kind EventKind) []Action {
	var out []Action
	r.Pages = slices.DeleteFunc(r.Pages, func(p sent) bool {
		stopped := kind != Acknowledged || p.StopOn == Acknowledged
		if stopped {
			out = append(out, Action{Kind: Withdraw, Key: p.Key, At: at, Incident: r.ID, Round: r.Round, Why: []string{kind.String()}})
		}
		return stopped
	})
	return out
}

// tell sends a notice to everybody paged in this round but one.
func (e *Engine) tell(r *record, at time.Time, step, by, text string) []Action {
	var out []Action
	if by != "" {
		text += " by " + by
	}
	for _, target := range r.Paged {
		if target != by {
			out = append(out, e.notice(r, at, step, target, text))
		}
	}
	return out
}
