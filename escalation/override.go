package escalation

import (
	"slices"
	"time"
)

// Override changes who is on call from From to To.
type Override struct {
	// ID appears as source "override:id".
	ID string `json:"id"`

	// From and To are instants; the override counts in [From, To).
	From time.Time `json:"from"`
	To   time.Time `json:"to"`

	// Kind says what the override does. Defaults to Replace.
	Kind OverrideKind `json:"kind,omitzero"`

	// User is the person who is on call instead or besides; empty for Remove.
	User string `json:"user,omitempty"`

	// Replaces restricts Replace and Remove to the time in which the layers put
	// this person on call. Defaults to anybody.
	Replaces string `json:"replaces,omitempty"`
}

// OverrideKind is what an override does. The zero value is Replace.
type OverrideKind uint8

// The kinds of override. Of those that replace or remove, the last in the plan
// that matches decides alone; those that add all count.
const (
	Replace OverrideKind = iota // the user is on call instead of the layers' person
	Add                         // the user is on call as well
	Remove                      // the layers' person is not on call, and nobody instead
)

var overrideNames = names{"replace", "add", "remove"}

// String returns "replace", "add" or "remove".
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

// overrides are laid out for look-up by instant.
type overrides struct {
	list  []override  // by start
	edges []time.Time // starts and ends, sorted, each once
}

type override struct {
	Override
	source string
	made   int       // position in the plan
	reach  time.Time // latest end of this and all before it in the list
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
		out.list = append(out.list, override{Override: o, source: "override:" + o.ID, made: i})
		out.edges = append(out.edges, o.From.UTC(), o.To.UTC())
	}
	slices.SortStableFunc(out.list, func(a, b override) int { return a.From.Compare(b.From) })
	for i := range out.list {
		o := &out.list[i]
		o.reach = o.To
		if i > 0 && out.list[i-1].reach.After(o.To) {
			o.reach = out.list[i-1].reach
		}
	}
	slices.SortFunc(out.edges, time.Time.Compare)
	out.edges = slices.CompactFunc(out.edges, time.Time.Equal)
	return out
}

func (o Override) check(p problems) {
	if !o.To.After(o.From) {
		p.at("to").add(o.To.Format(time.RFC3339), "an instant after from")
	}
	switch {
	case int(o.Kind) >= len(overrideNames):
		p.at("kind").add(o.Kind.String(), "replace, add or remove")
	case o.Kind == Remove && o.User != "":
		p.at("user").add(o.User, "no user in an override that removes; replaces names whom")
	case o.Kind != Remove && o.User == "":
		p.at("user").add("", "the id of a person")
	case o.Kind == Add && o.Replaces != "":
		p.at("replaces").add(o.Replaces, "nobody in an override that adds")
	}
}

// at calls yield with every override whose time holds the instant, in no order
// of meaning.
func (o *overrides) at(at time.Time, yield func(*override)) {
	lo, hi := 0, len(o.list)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); o.list[mid].From.After(at) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	for i := lo - 1; i >= 0 && o.list[i].reach.After(at); i-- {
		if o.list[i].To.After(at) {
			yield(&o.list[i])
		}
	}
}

// active returns the override that decides instead of the layers, or nil.
func (o *overrides) active(at time.Time, layerUser string) *override {
	if len(o.list) == 0 {
		return nil
	}
	var last *override
	o.at(at, func(c *override) {
		matches := c.Kind != Add && (c.Replaces == "" || c.Replaces == layerUser)
		if matches && (last == nil || c.made > last.made) {
			last = c
		}
	})
	return last
}

// added returns the overrides that add a person, in the order of the plan.
func (o *overrides) added(at time.Time) []*override {
	if len(o.list) == 0 {
		return nil
	}
	var list []*override
	o.at(at, func(c *override) {
		if c.Kind == Add {
			list = append(list, c)
		}
	})
	slices.SortFunc(list, func(a, b *override) int { return a.made - b.made })
	return list
}

func (o *overrides) apply(base OnCall, at time.Time) OnCall {
	if c := o.active(at, base.User); c != nil {
		base.User, base.Source = c.User, c.source
		base.Also = slices.DeleteFunc(base.Also, func(id string) bool { return id == c.User })
	}
	for i := len(base.Also) - 1; i >= 0; i-- {
		c := o.active(at, base.Also[i])
		switch {
		case c == nil || c.Replaces == "":
		case c.Kind == Remove || c.User == base.User || slices.Contains(base.Also, c.User):
			base.Also = slices.Delete(base.Also, i, i+1)
		default:
			base.Also[i] = c.User
		}
	}
	if base.User == "" && len(base.Also) > 0 { // the others stay on call
		base.User, base.Also = base.Also[0], base.Also[1:]
	}
	for _, c := range o.added(at) {
		switch {
		case base.User == "":
			base.User, base.Source = c.User, c.source
		case base.User != c.User && !slices.Contains(base.Also, c.User):
			base.Also = append(base.Also, c.User)
		}
	}
	return base
}

// sourceOf names the override that adds the user.
func (o *overrides) sourceOf(user string, at time.Time) string {
	for _, c := range o.added(at) {
		if c.User == user {
			return c.source
		}
	}
	return ""
}

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
