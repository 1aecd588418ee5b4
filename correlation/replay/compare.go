package replay

import (
	"cmp"
	"slices"
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
	c := NewComparison()
	for _, side := range []struct {
		sink Sink
		of   *Record
	}{{c.Before(), before}, {c.After(), after}} {
		for n, t := range side.of.Told {
			side.sink.Told(n, t)
		}
		for n, e := range side.of.Episodes {
			side.sink.Episode(n, e)
		}
	}
	return c.Diff(before, after)
}

// Comparison is [Compare] of two replays that are fed with one log side by side. It holds
// the differences, and the episodes that only one of the two has brought so far. Make one
// with [NewComparison]. It is not safe for concurrent use.
type Comparison struct {
	before, after side
	changes       []difference
}

// side is what one of two replays has brought and the other has not.
type side struct {
	c     *Comparison
	begun int // what people were told, but for the ends
	alone map[episode]Episode
}

// difference is a change and where it is listed.
type difference struct {
	Change
	key     string // of the alert
	dropped bool   // only the replay of before has the episode
}

// NewComparison returns one that has seen nothing.
func NewComparison() *Comparison {
	c := &Comparison{}
	c.before, c.after = side{c: c, alone: map[episode]Episode{}}, side{c: c, alone: map[episode]Episode{}}
	return c
}

// Before returns what takes the results of the replay with the rules of before.
func (c *Comparison) Before() Sink { return &c.before }

// After returns what takes the results of the replay with the changed rules.
func (c *Comparison) After() Sink { return &c.after }

// Told counts what began.
func (s *side) Told(_ int, t Told) {
	if !t.Over {
		s.begun++
	}
}

// Episode compares it with that of the other side, if that is there.
func (s *side) Episode(_ int, e Episode) {
	id, other := e.id(), &s.c.before
	if s == other {
		other = &s.c.after
	}
	twin, ok := other.alone[id]
	switch {
	case !ok:
		if before, again := s.alone[id]; again {
			before.add(e)
			e = before
		}
		s.alone[id] = e
	case s == &s.c.after:
		s.c.add(twin, e, false)
	default:
		s.c.add(e, twin, false)
	}
	delete(other.alone, id)
}

// Diff ends the comparison: the composites are those of the two records.
func (c *Comparison) Diff(before, after *Record) Diff {
	for _, now := range c.after.alone {
		c.add(Episode{}, now, false)
	}
	for _, then := range c.before.alone {
		c.add(then, Episode{Tenant: then.Tenant, Alert: then.Alert, Since: then.Since, key: then.key}, true)
	}
	slices.SortFunc(c.changes, func(a, b difference) int {
		if a.dropped != b.dropped && a.Since.Equal(b.Since) && a.Alert == b.Alert {
			if b.dropped {
				return -1
			}
			return 1
		}
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Alert, b.Alert), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.key, b.key))
	})
	d := Diff{Before: c.before.begun, After: c.after.begun}
	for _, x := range c.changes {
		d.list(x.Change)
	}
	d.composites(before, after)
	return d
}

// add notes an episode of which people are told otherwise.
func (c *Comparison) add(then, now Episode, dropped bool) {
	if now.Told.Equal(then.Told) {
		return
	}
	x := Change{Tenant: now.Tenant, Alert: now.Alert, Since: now.Since, Before: then.Told, After: now.Told, Rules: now.HiddenBy}
	if then.Told.IsZero() {
		x.Rules = then.HiddenBy
	}
	c.changes = append(c.changes, difference{x, now.key, dropped})
}

// list puts a change where it belongs.
func (d *Diff) list(c Change) {
	switch {
	case c.After.IsZero():
		d.Muted = append(d.Muted, c)
	case c.Before.IsZero():
		d.Unmuted = append(d.Unmuted, c)
	default:
		d.Moved = append(d.Moved, c)
	}
}

// composites lists those that only one of two records has, or that have another title.
func (d *Diff) composites(before, after *Record) {
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
}
