package escalation

import "slices"

// seat is a person on call, and what puts him there.
type seat struct {
	user, source string
	standsFor    string // the absent person whose turn it is
	made         int    // position in the plan of the override that decides, or layered
}

// layered is the position of what no override has touched.
const layered = -1

// isOf reports whether it is the seat of a person, who may be absent.
func (s *seat) isOf(user string) bool { return s.user == user || user != "" && s.standsFor == user }

// take takes the answer of an active layer and reports whether that has a person.
// Of several without the first is named.
func (s *seat) take(layer seat) bool {
	if layer.user != "" || s.source == "" {
		*s = layer
	}
	return layer.user != ""
}

// crew is who is on call together. The first seat is always there, empty where
// nobody is on call; nobody has two.
type crew []seat

func (c crew) has(user string) bool {
	return slices.ContainsFunc(c, func(s seat) bool { return s.user == user })
}

// join adds a person who is not on call yet; the first seat is filled first.
func (c crew) join(s seat) crew {
	switch {
	case s.user == "":
	case c[0].user == "":
		c[0] = s
	case !c.has(s.user):
		c = append(c, s)
	}
	return c
}

// give puts a person in the place of another; whoever is on call already has no
// second seat.
func (c crew) give(i int, s seat) crew {
	if c[i].user != s.user && c.has(s.user) {
		return slices.Delete(c, i, i+1)
	}
	c[i] = s
	return c
}

// once leaves everybody the first of their seats, and the first seat alone empty.
func (c crew) once() crew {
	kept := c[:1]
	for _, s := range c[1:] {
		if s.user != "" && !kept.has(s.user) {
			kept = append(kept, s)
		}
	}
	return kept
}

func (c crew) onCall() OnCall {
	o := OnCall{User: c[0].user, Source: c[0].source, StandsFor: c[0].standsFor}
	if len(c) > 1 {
		o.Also = make([]string, 0, len(c)-1)
	}
	for _, s := range c[1:] {
		o.Also = append(o.Also, s.user)
	}
	return o
}
