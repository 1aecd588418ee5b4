package slo

import (
	"fmt"
	"math"

	"github.com/evenkeelops/evenkeel/internal/fixed"
)

// ruleState is a rule and the run of evaluations in which it holds.
type ruleState struct {
	compiledRule
	named       *Decision // what does not change, apart as it is seldom needed
	long, short int       // slots
	cause       Cause
	holds       bool
	since       int64
	firing      bool
	firingSince int64
	ceased      int64 // the first evaluation after the run, while holds is false
}

// watch is what is looked at of a burn rate rule that does not fire, because one of
// its windows is below the limit. That it still is shows without a product while
// the window has no more bad events than the limit allows for fewer events than it
// has.
type watch struct {
	bad   uint64 // limit · total, rounded down
	total uint64 // there must be more; MaxUint64: the rule is to be judged
	below uint32 // slot of the window that is below
	other uint32 // that of the other one, which must have events
}

// watchOf returns the watch of a rule that is quiet in the sums of its windows.
func watchOf(r *ruleState, long, short sums) watch {
	w, s := watch{below: uint32(r.long), other: uint32(r.short)}, long
	if !r.isBelow(long) {
		w, s = watch{below: uint32(r.short), other: uint32(r.long)}, short
	}
	w.total = s.total - s.total/8 - 1 // room for a window that loses events
	bad, _, fits := fixed.MulDiv(r.num, w.total, r.den)
	if !fits {
		bad = math.MaxUint64
	}
	w.bad = bad
	return w
}

// missing are counts that no sample can hold; they stand for a missed one.
var missing = Counts{Good: 1}

func (t *Tracker) compileRules() error {
	rules, err := compile(t.objective.Policy, t.objective.Target)
	if err != nil {
		return err
	}
	for i, c := range rules {
		named := t.objective.Policy.Rules[i].decision(t.objective.Target)
		r := ruleState{compiledRule: c, named: &named, long: t.slot(c.long)}
		r.short = r.long
		if c.hasShort {
			r.short = t.slot(c.short)
		}
		t.rules = append(t.rules, r)
		t.watches = append(t.watches, watch{total: math.MaxUint64})
	}
	if least := t.objective.Policy.MinCoverage; least.IsSet() {
		num, den, ok := least.parts()
		if !ok {
			return fmt.Errorf("min coverage %s: want a ratio of 64-bit numbers", least)
		}
		t.minCoverage = fixed.NewRatio(num, den)
	}
	return nil
}

// evaluate slides the windows and decides the rules. It is the whole work of a
// sample besides storing it, and free of allocations.
func (t *Tracker) evaluate(ns int64) {
	if !t.placed || ns > t.now {
		t.placed, t.now = true, ns
	}
	if t.buckets != nil {
		for i := range t.slots {
			if b := &t.buckets[i]; t.now > b.end {
				b.turn(&t.slots[i], t.all, t.now)
			}
		}
	} else {
		t.ring.slide(t.slots, t.now)
	}
	for i := t.quiet(); i < len(t.rules); i++ {
		t.decide(i)
	}
}

// quiet returns how many rules, from the first on, are below their limits as
// before, which judge would find too. Most of the time these are all of them, and
// no call in the loop keeps everything in registers.
func (t *Tracker) quiet() int {
	slots, all := t.slots, t.all
	for i := range t.watches {
		w := &t.watches[i]
		s := all.minus(slots[w.below].left)
		if s.bad > w.bad || s.total <= w.total || slots[w.other].left.total == all.total {
			return i
		}
	}
	return len(t.watches)
}

// decide judges rule i at the present instant.
func (t *Tracker) decide(i int) {
	r := &t.rules[i]
	long, short := t.in(r.long), t.in(r.short)
	r.cause = r.judge(long, short, t.areCovered(r))
	r.follow(t.now)
	t.watches[i] = watch{total: math.MaxUint64}
	if r.kind == BurnRate && r.cause == Below && t.minCoverage.Num == 0 && !r.firing {
		t.watches[i] = watchOf(r, long, short)
	}
}

// areCovered reports whether the windows of a rule are covered as the policy
// asks; for a silence, whether any of it is not excluded.
func (t *Tracker) areCovered(r *ruleState) bool {
	if r.kind == Silence {
		long := r.compiledRule.long
		return t.excluded.within(stretch{t.now - long, t.now}) < long
	}
	if t.minCoverage.Num == 0 {
		return true
	}
	return t.isCovered(r.compiledRule.long) && (!r.hasShort || t.isCovered(r.compiledRule.short))
}

// isCovered does not count the time since the last sample as long as no other is
// due, so that a rule does not come and go between samples.
func (t *Tracker) isCovered(length int64) bool {
	observed, excluded := t.coverage(t.now-length, t.now, t.last+t.patience())
	return fixed.CompareProducts(uint64(observed+excluded), t.minCoverage.Den, t.minCoverage.Num, uint64(length)) >= 0
}

// follow keeps the run of evaluations in which the rule holds, and what follows
// from it.
func (r *ruleState) follow(now int64) {
	if !r.compiledRule.holds(r.cause) {
		if r.holds {
			r.holds, r.ceased = false, now
		}
		r.firing = r.firing && now-r.ceased < r.keepFiring
		return
	}
	if !r.holds {
		r.holds, r.since = true, now
	}
	if !r.firing && now-r.since >= r.forNanos {
		r.firing, r.firingSince = true, now
	}
}
