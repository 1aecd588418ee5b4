package escalation

import (
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/times"
)

// Override changes who is on call from Start to End.
type Override struct {
	// ID appears as source "override:id".
	ID string `json:"id"`

	// Start and End are instants; the override counts in [Start, End).
	Start time.Time `json:"from"`
	End   time.Time `json:"to"`

	// Kind says what the override does. Defaults to Replace.
	Kind OverrideKind `json:"kind,omitzero"`

	// User is the person who is on call instead or besides; empty for Remove.
	User string `json:"user,omitempty"`

	// Replaces restricts Replace and Remove to the time in which the layers put
	// this person on call, or would if the person were not absent, see
	// [NextInRotation]. Defaults to anybody. For Cover it is required.
	Replaces string `json:"replaces,omitempty"`

	// NeedsApproval keeps the override out of force until somebody has approved it;
	// [Schedule.Pending] has those that wait. RequestedBy is who asks, and cannot
	// be who approves.
	NeedsApproval bool      `json:"needs_approval,omitzero"`
	RequestedBy   string    `json:"requested_by,omitempty"`
	Approval      *Approval `json:"approval,omitempty"`
}

// OverrideKind is what an override does. The zero value is Replace.
type OverrideKind uint8

// The kinds of override. Of those that replace or remove, the last in the plan
// that matches decides alone; those that add or cover all count, in the order of
// the plan. Where several people are on call together, an override that names
// nobody in Replaces is for the first of them.
const (
	Replace OverrideKind = iota // the user is on call instead of the layers' person
	Add                         // the user is on call as well
	Remove                      // the layers' person is not on call, and nobody instead
	Cover                       // the user is on call instead of a person whom a layer or an earlier override puts there
)

var overrideNames = names{"replace", "add", "remove", "cover"}

// String returns "replace", "add", "remove" or "cover".
func (k OverrideKind) String() string { return overrideNames.text(uint8(k), "OverrideKind") }

// MarshalText writes the name.
func (k OverrideKind) MarshalText() ([]byte, error) {
	return overrideNames.marshal(uint8(k), "kind")
}

// UnmarshalText reads a name in any case; empty text is Replace.
func (k *OverrideKind) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*k = Replace
		return nil
	}
	value, err := overrideNames.parse(string(text), "kind")
	if err != nil {
		return err
	}
	*k = OverrideKind(value)
	return nil
}

// overrides are those in force, laid out for look-up by instant.
type overrides struct {
	list    []override  // by start
	edges   []time.Time // starts and ends, sorted, each once
	pending []Override  // in the order of the plan
}

type override struct {
	Override
	source string
	made   int       // position in the plan
	reach  time.Time // latest end of those in the part of the list whose middle this is
}

func compileOverrides(list []Override, p problems) overrides {
	var out overrides
	seen := map[string]bool{}
	for i, o := range list {
		q := p.at("[%d]", i)
		if o.ID == "" || seen[o.ID] {
			q.at("id").add(o.ID, "an id of its own")
		}
		seen[o.ID] = true
		o.check(q)
		if o.Pending() {
			out.pending = append(out.pending, o)
		}
		if o = o.inForce(); !o.End.After(o.Start) {
			continue
		}
		out.list = append(out.list, override{Override: o, source: "override:" + o.ID, made: i})
		out.edges = append(out.edges, o.Start.UTC(), o.End.UTC())
	}
	slices.SortStableFunc(out.list, func(a, b override) int { return a.Start.Compare(b.Start) })
	setReach(out.list)
	slices.SortFunc(out.edges, time.Time.Compare)
	out.edges = slices.CompactFunc(out.edges, time.Time.Equal)
	return out
}

func (o Override) check(p problems) {
	if !o.End.After(o.Start) {
		p.at("to").add(o.End.Format(time.RFC3339), "an instant after from")
	}
	switch {
	case int(o.Kind) >= len(overrideNames):
		p.at("kind").add(o.Kind.String(), "replace, add, remove or cover")
	case o.Kind == Remove && o.User != "":
		p.at("user").add(o.User, "no user in an override that removes; replaces names whom")
	case o.Kind != Remove && o.User == "":
		p.at("user").add("", "the id of a person")
	case o.Kind == Add && o.Replaces != "":
		p.at("replaces").add(o.Replaces, "nobody in an override that adds")
	case o.Kind == Cover && (o.Replaces == "" || o.Replaces == o.User):
		p.at("replaces").add(o.Replaces, "the id of the other person")
	}
	o.checkApproval(p)
}

// setReach makes a list by start a search tree: the middle is its root, and the parts
// before and after are trees again.
func setReach(list []override) (reach time.Time) {
	if len(list) == 0 {
		return time.Time{}
	}
	mid := len(list) / 2
	root := &list[mid]
	root.reach = times.Later(root.End, times.Later(setReach(list[:mid]), setReach(list[mid+1:])))
	return root.reach
}

// inForce are the overrides whose time holds an instant, in the order of the plan.
type inForce []*override

// at appends to room. Its cost is the logarithm of the number of overrides for each
// that is in force.
func (o *overrides) at(at time.Time, room inForce) inForce {
	room = stab(o.list, at, room)
	slices.SortFunc(room, func(a, b *override) int { return a.made - b.made })
	return room
}

func stab(list []override, at time.Time, found inForce) inForce {
	for len(list) > 0 {
		mid := len(list) / 2
		root := &list[mid]
		if !root.reach.After(at) {
			break
		}
		found = stab(list[:mid], at, found)
		if root.Start.After(at) {
			break
		}
		if root.End.After(at) {
			found = append(found, root)
		}
		list = list[mid+1:]
	}
	return found
}

// instead returns the override that decides instead of the layers who sits in a seat
// of theirs, or nil. Those that name nobody are for the first seat.
func (f inForce) instead(s seat, first bool) *override {
	for _, c := range slices.Backward(f) {
		if (c.Kind == Replace || c.Kind == Remove) && (c.Replaces == "" && first || c.Replaces != "" && s.isOf(c.Replaces)) {
			return c
		}
	}
	return nil
}

// covers reports whether somebody covers for a person.
func (f inForce) covers(user string) bool {
	return slices.ContainsFunc(f, func(c *override) bool { return c.Kind == Cover && c.Replaces == user })
}

// apply changes the crew of the layers, in place as far as there is room.
func (o *overrides) apply(c crew, at time.Time) crew {
	if len(o.list) == 0 {
		return c
	}
	var room [8]*override
	return o.at(at, room[:0]).apply(c)
}

func (f inForce) apply(c crew) crew {
	for i := range c { // by the layers alone, so that two may take each other's place
		if d := f.instead(c[i], i == 0); d != nil {
			c[i] = d.seat()
		}
	}
	c = c.once()
	if c[0].user == "" && len(c) > 1 {
		c = c[1:] // the others stay on call
	}
	for _, d := range f {
		switch d.Kind {
		case Add:
			c = c.join(d.seat())
		case Cover:
			c = c.cover(d)
		default: // decided above
		}
	}
	return c
}

// cover gives the seats of a person to another, unless a later override has put the
// person there.
func (c crew) cover(d *override) crew {
	for i := len(c) - 1; i >= 0; i-- {
		if c[i].made < d.made && c[i].isOf(d.Replaces) {
			c = c.give(i, d.seat())
		}
	}
	return c
}

func (o *override) seat() seat { return seat{user: o.User, source: o.source, made: o.made} }

// next returns the first start or end after the instant.
func (o *overrides) next(at time.Time) (time.Time, bool) {
	i, found := slices.BinarySearchFunc(o.edges, at, time.Time.Compare)
	if found {
		i++
	}
	if i == len(o.edges) {
		return time.Time{}, false
	}
	return o.edges[i], true
}
