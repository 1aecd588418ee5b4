package slo

import (
	"fmt"
	"math/big"
	"math/bits"
	"time"
)

// ForecastRollOff is [Tracker.Forecast] that lets the events of the past leave a
// rolling window when their time has come, as the tracker still has them, while
// new ones come at the rate and error ratio of the recent past. Seconds and
// ExhaustsAt are those of the first instant at which
//
//	bad(τ) / total(τ) >= budget
//
// where both count what of the past is still in the window at now + τ, plus
// τ/recent of the recent events; +Inf and zero when that never comes. An incident
// about to leave gives more time than Forecast says, clean hours about to leave
// give less. Calendar windows lose nothing, so both forecasts are the same. It
// takes time in proportion to the samples kept. A compact tracker does not know
// when its events leave: [ErrNotRetained].
func (t *Tracker) ForecastRollOff(recent time.Duration) (Forecast, error) {
	f, err := t.Forecast(recent)
	if err != nil {
		return Forecast{}, err
	}
	w := t.objective.Windows[0]
	if !w.IsRolling() || !f.Seconds.IsSet() || t.objective.Target.Budget().Sign() == 0 {
		return f, nil
	}
	if t.buckets != nil {
		return Forecast{}, fmt.Errorf("forecast with roll-off in a compact tracker: %w", ErrNotRetained)
	}
	b, err := t.Burn(recent)
	if err != nil {
		return Forecast{}, err
	}
	f.Seconds = t.rollOff(t.slots[t.slot(int64(w.length))], sums{b.Counts.Bad(), b.Counts.Total}, recent)
	f.ExhaustsAt = after(t.instant(t.now), f.Seconds)
	return f, nil
}

// rollOff returns the seconds until the budget of a window is gone. While no
// event leaves,
//
//	excess(τ) = den·bad(τ) - num·total(τ) = kept + τ · rate/recent
//
// is linear, with the budget num/den, and the budget is gone where it is not
// negative.
func (t *Tracker) rollOff(s slot, recently sums, recent time.Duration) Ratio {
	budget := t.objective.Target.budget()
	excess := func(c sums) wide { return newWide(budget.Den, c.bad, budget.Num, c.total) }
	rate := excess(recently)
	inside := t.all.minus(s.left)
	for tau := int64(0); ; {
		kept := excess(inside)
		empty := inside.total == 0 && tau == 0 // nothing is gone of an empty window, unless what comes exceeds it
		if gone(kept, recent, rate, tau) && (!empty || rate.sign >= 0) {
			return seconds(time.Duration(tau))
		}
		if !s.next(&t.ring) {
			return Inf(1)
		}
		next := s.due - t.now
		if rate.sign > 0 && gone(kept, recent, rate, next) {
			// kept + τ · rate/recent = 0 between here and the next that leaves.
			ns := new(big.Rat).SetFrac(kept.abs(), rate.abs())
			return ratioOf(ns.Mul(ns, seconds(recent).rat()))
		}
		inside = inside.minus(s.pass(&t.ring))
		tau = next
	}
}

// gone reports whether kept + tau · rate/recent >= 0.
func gone(kept wide, recent time.Duration, rate wide, tau int64) bool {
	a, b := kept.times(uint64(recent)), rate.times(uint64(tau))
	switch {
	case a.sign >= 0 && b.sign >= 0:
		return true
	case a.sign <= 0 && b.sign <= 0:
		return false
	case a.sign > 0:
		return a.compare(b) >= 0
	}
	return b.compare(a) >= 0
}

// wide is a whole number of up to 192 bits with a sign.
type wide struct {
	sign        int
	hi, mid, lo uint64
}

// newWide returns a·b - c·d.
func newWide(a, b, c, d uint64) wide {
	h1, l1 := bits.Mul64(a, b)
	h2, l2 := bits.Mul64(c, d)
	w := wide{sign: 1}
	switch {
	case h1 == h2 && l1 == l2:
		return wide{}
	case h1 < h2 || h1 == h2 && l1 < l2:
		w.sign = -1
		h1, l1, h2, l2 = h2, l2, h1, l1
	}
	var borrow uint64
	w.lo, borrow = bits.Sub64(l1, l2, 0)
	w.mid, _ = bits.Sub64(h1, h2, borrow)
	return w
}

// times multiplies a number of up to 128 bits.
func (w wide) times(n uint64) wide {
	if n == 0 || w.sign == 0 {
		return wide{}
	}
	carry, lo := bits.Mul64(w.lo, n)
	hi, mid := bits.Mul64(w.mid, n)
	var c uint64
	mid, c = bits.Add64(mid, carry, 0)
	return wide{w.sign, hi + c, mid, lo}
}

// compare compares the magnitudes.
func (w wide) compare(v wide) int {
	for _, p := range [...][2]uint64{{w.hi, v.hi}, {w.mid, v.mid}, {w.lo, v.lo}} {
		switch {
		case p[0] < p[1]:
			return -1
		case p[0] > p[1]:
			return 1
		}
	}
	return 0
}

// abs returns the magnitude.
func (w wide) abs() *big.Int {
	n := new(big.Int).SetUint64(w.hi)
	n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(w.mid))
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(w.lo))
}
