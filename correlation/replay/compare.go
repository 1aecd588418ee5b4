package replay

import (
	"slices"
	"strings"
	"time"
)

// Diff says what a change of the rules makes of a log.
type Diff struct {
	// Before and After count the alerts of which somebody was told, composites among
	// them, each once for every time that it began.
	Before, After int

	Muted    []Change    // told before and not any more
	Unmuted  []Change    // told now and not before
	Moved    []Change    // told at another instant
	Opened   []Composite // only the changed rules open them
	Dropped  []Composite // only the rules of before opened them
	Retitled []Composite // as they are now
}

// Change is an alert of which people are told otherwise than before.
type Change struct {
	Tenant string    `json:"tenant,omitempty"`
	Alert  string    `json:"alert"`
	Since  time.Time `json:"since"`
	Before time.Time `json:"before,omitzero"` // when they were told; zero for never
	After  time.Time `json:"after,omitzero"`

	// Rules hide it: those of after where it is muted, else those of before.
	Rules []string `json:"rules,omitempty"`
}

// Compare says what differs between two records of one log. Composites are the same
// if their ids are: the rule, the BY values and the event that opened them.
func Compare(before, after *Record) Diff {
	d := Diff{Before: before.begun(), After: after.begun()}
	was := map[episode]*Episode{}
	for i := range before.Episodes {
		was[before.Episodes[i].id] = &before.Episodes[i]
	}
	for i := range after.Episodes {
		now := &after.Episodes[i]
		then := was[now.id]
		delete(was, now.id)
		if then == nil {
			then = &Episode{}
		}
		d.add(then, now)
	}
	for _, then := range before.Episodes { // in their order
		if was[then.id] != nil {
			d.add(&then, &Episode{Tenant: then.Tenant, Alert: then.Alert, Since: then.Since})
		}
	}
	for _, list := range [][]Change{d.Muted, d.Unmuted, d.Moved} {
		slices.SortStableFunc(list, func(a, b Change) int {
			if c := a.Since.Compare(b.Since); c != 0 {
				return c
			}
			return strings.Compare(a.Alert, b.Alert)
		})
	}
	titles := map[string]string{}
	for _, c := range before.Composites {
		titles[c.ID] = c.Title
	}
	for _, c := range after.Composites {
		title, known := titles[c.ID]
		delete(titles, c.ID)
		switch {
		case !known:
			d.Opened = append(d.Opened, c)
		case title != c.Title:
			d.Retitled = append(d.Retitled, c)
		}
	}
	for _, c := range before.Composites {
		if _, dropped := titles[c.ID]; dropped {
			d.Dropped = append(d.Dropped, c)
		}
	}
	return d
}

func (d *Diff) add(then, now *Episode) {
	c := Change{Tenant: now.Tenant, Alert: now.Alert, Since: now.Since, Before: then.Told, After: now.Told}
	switch {
	case now.Told.Equal(then.Told):
	case now.Told.IsZero():
		c.Rules = now.HiddenBy
		d.Muted = append(d.Muted, c)
	case then.Told.IsZero():
		c.Rules = then.HiddenBy
		d.Unmuted = append(d.Unmuted, c)
	default:
		c.Rules = now.HiddenBy
		d.Moved = append(d.Moved, c)
	}
}

// begun counts what people were told, but for the ends.
func (r *Record) begun() int {
	n := 0
	for _, t := range r.Told {
		if !t.Over {
			n++
		}
	}
	return n
}
