package inhibit

import (
	"slices"

	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

// index finds the rules of which one side can match, by the equality matcher
// that the fewest rules share.
type index struct {
	labels []string // that by has entries for
	by     []map[string][]int
	rest   []int // rules without an equality matcher
}

func newIndex(rules []rule, side func(*rule) []matcher.Matcher) index {
	type pair struct{ name, value string }
	shared := map[pair]int{}
	for n := range rules {
		for _, m := range side(&rules[n]) {
			if m.Op() == matcher.Equal {
				shared[pair{m.Name(), m.Value()}]++
			}
		}
	}
	var ix index
	for n := range rules {
		best, found := pair{}, false
		for _, m := range side(&rules[n]) {
			if p := (pair{m.Name(), m.Value()}); m.Op() == matcher.Equal && (!found || shared[p] < shared[best]) {
				best, found = p, true
			}
		}
		if !found {
			ix.rest = append(ix.rest, n)
			continue
		}
		at := slices.Index(ix.labels, best.name)
		if at < 0 {
			at = len(ix.labels)
			ix.labels = append(ix.labels, best.name)
			ix.by = append(ix.by, map[string][]int{})
		}
		ix.by[at][best.value] = append(ix.by[at][best.value], n)
	}
	return ix
}

// each calls yield with the rules that can match, until it returns false.
func (ix *index) each(get func(name string) string, yield func(n int) bool) {
	for _, n := range ix.rest {
		if !yield(n) {
			return
		}
	}
	for at, name := range ix.labels {
		for _, n := range ix.by[at][get(name)] {
			if !yield(n) {
				return
			}
		}
	}
}
