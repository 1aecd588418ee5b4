package correlation

import (
	"cmp"
	"slices"
	"time"
)

// onsets are the members of the conditions without NOT of a rule with WITHIN.
type onsets struct {
	lists    [][]*member // per condition, by onset
	epoch    uint32      // number of the last sweep
	whole    bool        // one window holds all
	wasWhole bool        // it did so before
}

// insert keeps the members of a condition in the order of their onsets. Most
// alerts come in that order, so most insertions append.
func (o *onsets) insert(cond int, m *member) {
	list := o.lists[cond]
	at := len(list)
	if at > 0 && compareOnsets(list[at-1], m) >= 0 {
		at, _ = slices.BinarySearchFunc(list, m, compareOnsets)
	}
	o.lists[cond] = slices.Insert(list, at, m)
}

// remove takes a member of a condition out.
func (o *onsets) remove(cond int, m *member) {
	at, _ := slices.BinarySearchFunc(o.lists[cond], m, compareOnsets)
	o.lists[cond] = slices.Delete(o.lists[cond], at, at+1)
}

// compareOnsets orders by onset, then by the creation of the alert, so that no two are equal.
func compareOnsets(a, b *member) int {
	return cmp.Or(cmp.Compare(a.a.since, b.a.since), cmp.Compare(a.a.seq, b.a.seq))
}

// sweep looks for windows [w, w+Within] with enough onsets for every condition
// and marks the onsets in all of them, or sets whole if one window holds all. It
// is enough to try windows that begin with an onset: any other holds no more
// than the next of them. It costs a look at the ends if whole, else time linear
// in the number of onsets.
func (o *onsets) sweep(p *program) bool {
	o.epoch++
	first, last := int64(0), int64(0)
	some := false
	for _, list := range o.lists {
		if len(list) == 0 {
			continue
		}
		lo, hi := list[0].a.since, list[len(list)-1].a.since
		if !some {
			first, last, some = lo, hi, true
		}
		first, last = min(first, lo), max(last, hi)
	}
	o.wasWhole = o.whole
	o.whole = last-first >= 0 && time.Duration(last-first) <= p.Within
	if o.whole {
		return true
	}
	found := false
	n := len(o.lists)
	begin, end, marked := make([]int, n), make([]int, n), make([]int, n)
	next := make([]int, n) // the candidates: a merge of all lists
	for {
		w, more := int64(0), false
		for c, list := range o.lists {
			if next[c] < len(list) && (!more || list[next[c]].a.since < w) {
				w, more = list[next[c]].a.since, true
			}
		}
		if !more {
			return found
		}
		enough := true
		for c, list := range o.lists {
			for next[c] < len(list) && list[next[c]].a.since <= w {
				next[c]++
			}
			for begin[c] < len(list) && list[begin[c]].a.since < w {
				begin[c]++
			}
			for end[c] < len(list) && time.Duration(list[end[c]].a.since-w) <= p.Within {
				end[c]++
			}
			if p.need&(1<<c) != 0 && end[c]-begin[c] < int(p.conds[c].count) {
				enough = false
			}
		}
		if !enough {
			continue
		}
		found = true
		for c, list := range o.lists {
			for k := max(begin[c], marked[c]); k < end[c]; k++ {
				list[k].joined.mark = o.epoch
			}
			marked[c] = max(marked[c], end[c])
		}
	}
}
