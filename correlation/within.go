package correlation

import (
	"cmp"
	"slices"
	"time"
)

// insertOnset keeps the members of a condition in the order of their onsets.
// Most alerts come in that order, so most insertions append.
func insertOnset(list []*member, m *member) []*member {
	if n := len(list); n == 0 || compareOnsets(list[n-1], m) < 0 {
		return append(list, m)
	}
	at, _ := slices.BinarySearchFunc(list, m, compareOnsets)
	return slices.Insert(list, at, m)
}

func removeOnset(list []*member, m *member) []*member {
	at, _ := slices.BinarySearchFunc(list, m, compareOnsets)
	return slices.Delete(list, at, at+1)
}

func compareOnsets(a, b *member) int {
	return cmp.Or(cmp.Compare(a.a.since, b.a.since), cmp.Compare(a.a.seq, b.a.seq))
}

// sweep looks for windows [w, w+Within] with enough onsets for every condition
// and marks the onsets in all of them, or sets whole if one window holds all. It
// is enough to try windows that begin with an onset: any other holds no more
// than the next of them. It costs a look at the ends if whole, else time linear
// in the number of onsets.
func (i *instance) sweep() bool {
	i.epoch++
	first, last := int64(0), int64(0)
	some := false
	for _, list := range i.onsets {
		if len(list) == 0 {
			continue
		}
		lo, hi := list[0].a.since, list[len(list)-1].a.since
		if !some {
			first, last, some = lo, hi, true
		}
		first, last = min(first, lo), max(last, hi)
	}
	i.wasWhole = i.whole
	i.whole = last-first >= 0 && time.Duration(last-first) <= i.rule.Within
	if i.whole {
		return true
	}
	found := false
	n := len(i.onsets)
	begin, end, marked := make([]int, n), make([]int, n), make([]int, n)
	next := make([]int, n) // the candidates: a merge of all lists
	for {
		w, more := int64(0), false
		for c, list := range i.onsets {
			if next[c] < len(list) && (!more || list[next[c]].a.since < w) {
				w, more = list[next[c]].a.since, true
			}
		}
		if !more {
			return found
		}
		enough := true
		for c, list := range i.onsets {
			for next[c] < len(list) && list[next[c]].a.since <= w {
				next[c]++
			}
			for begin[c] < len(list) && list[begin[c]].a.since < w {
				begin[c]++
			}
			for end[c] < len(list) && time.Duration(list[end[c]].a.since-w) <= i.rule.Within {
				end[c]++
			}
			if i.rule.need&(1<<c) != 0 && end[c]-begin[c] < int(i.rule.conds[c].count) {
				enough = false
			}
		}
		if !enough {
			continue
		}
		found = true
		for c, list := range i.onsets {
			for k := max(begin[c], marked[c]); k < end[c]; k++ {
				list[k].mark = i.epoch
			}
			marked[c] = max(marked[c], end[c])
		}
	}
}
