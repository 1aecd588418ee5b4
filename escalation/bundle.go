package escalation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/times"
)

// leader returns the open incident that another one of its service is bundled
// under, or nil.
func (e *Engine) leader(r *record, at time.Time) *record {
	if e.bundle == 0 || r.Service == "" {
		return nil
	}
	l := e.records[e.leaders[r.Service]]
	if l == nil || l == r || !l.isOpen() || r.Severity < l.Severity || at.Sub(l.Anchor) > e.bundle {
		return nil
	}
	return l
}

// join puts an incident under another.
func (e *Engine) join(r, leader *record, at time.Time) {
	r.Bundled = leader.ID
	if r.Round == 1 || !slices.Contains(leader.Bundle, r.ID) { // it may be there from before it was reopened
		leader.Bundle = append(leader.Bundle, r.ID)
	}
	r.note(at, EntryBundled, 0, "", fmt.Sprintf("under %s: %s, at most %s later and no more severe", leader.ID, r.Service, e.bundle))
}

// dissolve ends the bundle of an incident that is over, or of one that was lowered
// for those that are more severe now. Of these, if open, the most severe, and of
// them the oldest, takes its place and pages; the others go under it.
func (e *Engine) dissolve(r *record, at time.Time) []Action {
	var open []*record
	r.Bundle = slices.DeleteFunc(r.Bundle, func(id string) bool {
		child := e.records[id]
		leaves := !r.isOpen() || child != nil && child.Severity < r.Severity
		if leaves && child != nil && child.isOpen() && child.Bundled == r.ID {
			open = append(open, child)
		}
		return leaves
	})
	if len(open) == 0 {
		return nil
	}
	slices.SortFunc(open, func(a, b *record) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), a.Opened.Compare(b.Opened), strings.Compare(a.ID, b.ID))
	})
	var actions []Action
	for _, child := range open {
		child.Bundled = ""
		if leader := e.leader(child, at); leader != nil {
			e.join(child, leader, at)
		} else {
			actions = append(actions, e.leave(child, at)...)
		}
	}
	return actions
}

// leave begins an incident that was bundled. Its levels are counted from now, or
// from its opening if what ends the bundle became known later than that.
func (e *Engine) leave(r *record, at time.Time) []Action {
	at = times.Later(at, r.Anchor)
	r.Bundled, r.Anchor = "", at
	r.note(at, EntryUnbundled, 0, "")
	return e.begin(r, at)
}
