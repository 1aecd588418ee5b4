package sla

import (
	"container/heap"
	"math/big"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// AffectedRatio is [Uptime] that weighs downtime by the share of the customers
// concerned:
//
//	(promised − Σ stretch·affected) / promised
//
// Where outages overlap, the largest share counts. Time that is lost because
// nobody measured counts in full.
type AffectedRatio struct{}

// Measure returns the weighed share of the promised time.
func (AffectedRatio) Measure(s Sample) (Reading, error) {
	r := Reading{Promised: calendar.Total(s.Hours), Downtime: counted(s)}
	if r.Promised == 0 {
		return r, nil
	}
	weighed, term, share := new(big.Int), new(big.Int), new(big.Int) // nanoseconds · 10⁹
	weigh := func(set []calendar.Interval, affected int64) {
		weighed.Add(weighed, term.Mul(term.SetInt64(int64(calendar.Total(set))), share.SetInt64(affected)))
	}
	lost := calendar.Subtract(s.Lost, s.Down)
	weigh(calendar.Intersect(r.Downtime, lost), whole)
	left := calendar.Subtract(r.Downtime, lost)
	for _, part := range largestShares(s.Outages, s.Covered.End) {
		weigh(calendar.Clip(left, part.Interval), part.affected)
	}
	of := new(big.Int).Mul(big.NewInt(int64(r.Promised)), big.NewInt(whole))
	r.Value = fractionOf(new(big.Rat).SetFrac(new(big.Int).Sub(of, weighed), of))
	// Cut to the nanosecond, for show: the value is exact.
	r.Down = time.Duration(weighed.Quo(weighed, big.NewInt(whole)).Int64())
	return r, nil
}

// concerned is a stretch in which a share of the customers, in parts per billion,
// was concerned.
type concerned struct {
	calendar.Interval
	affected int64
}

// largestShares cuts the time up to an end into stretches without overlap, each
// with the largest share of the outages that cover it. One that is open ends there.
func largestShares(outages []Outage, end time.Time) []concerned {
	all := make([]concerned, len(outages))
	for i, o := range outages {
		all[i] = concerned{o.interval(end), o.affected()}
	}
	slices.SortFunc(all, func(a, b concerned) int { return a.Start.Compare(b.Start) })
	var out []concerned
	var covering byShare
	var at time.Time
	until := func(next time.Time) {
		for len(covering) > 0 && at.Before(next) {
			largest := covering[0]
			if !largest.End.After(at) {
				heap.Pop(&covering)
				continue
			}
			largest.Start, at = at, largest.End
			if at.After(next) {
				largest.End, at = next, next
			}
			out = append(out, largest)
		}
		at = next
	}
	for _, c := range all {
		until(c.Start)
		heap.Push(&covering, c)
	}
	until(end)
	return out
}

// byShare is a heap, the largest share first.
type byShare []concerned

// Len returns how many there are.
func (h byShare) Len() int { return len(h) }

// Less puts the larger share first.
func (h byShare) Less(i, j int) bool { return h[i].affected > h[j].affected }

// Swap exchanges two.
func (h byShare) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push appends one.
func (h *byShare) Push(x any) { *h = append(*h, x.(concerned)) }

// Pop takes the last.
func (h *byShare) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

// affected returns the share of the customers in parts per billion.
func (o Outage) affected() int64 {
	if o.Affected == nil {
		return whole
	}
	return int64(*o.Affected)
}
