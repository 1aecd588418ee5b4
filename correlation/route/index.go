package route

import "github.com/evenkeelops/evenkeel/correlation/matcher"

// index finds those of the routes below a route that can match, by the one label that
// most of them want to equal a value, such as the team or the customer.
type index struct {
	label string
	by    map[string][]int // positions, in order, by the value that is wanted
	rest  []int            // positions of the routes that do not ask for the label
}

// minIndexed is the number of routes from which a look into a map is cheaper than
// trying all.
const minIndexed = 8

// newIndex returns nil for few routes.
func newIndex(routes []*Route) *index {
	if len(routes) < minIndexed {
		return nil
	}
	asked := map[string]int{}
	ix := &index{by: map[string][]int{}}
	for _, r := range routes {
		for _, m := range r.matchers {
			if m.Op() != matcher.Equal {
				continue
			}
			asked[m.Name()]++
			if n := asked[m.Name()]; n > asked[ix.label] || n == asked[ix.label] && m.Name() < ix.label {
				ix.label = m.Name()
			}
		}
	}
	if asked[ix.label] < minIndexed {
		return nil
	}
	for i, r := range routes {
		if value, ok := r.wants(ix.label); ok {
			ix.by[value] = append(ix.by[value], i)
		} else {
			ix.rest = append(ix.rest, i)
		}
	}
	return ix
}

// wants returns the first value that a label has to equal for the route to match.
func (r *Route) wants(label string) (value string, ok bool) {
	for _, m := range r.matchers {
		if m.Name() == label && m.Op() == matcher.Equal {
			return m.Value(), true
		}
	}
	return "", false
}

// candidates returns the positions of the routes that can match, as two lists to
// merge.
func (ix *index) candidates(get func(name string) string) (a, b []int) {
	return ix.by[get(ix.label)], ix.rest
}
