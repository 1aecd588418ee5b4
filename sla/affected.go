package sla

import (
	"cmp"
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
	weighed := new(big.Int) // nanoseconds · 10⁹
	left := r.Downtime
	take := func(set []calendar.Interval, share int64) {
		part := calendar.Intersect(left, set)
		left = calendar.Subtract(left, set)
		weighed.Add(weighed, new(big.Int).Mul(big.NewInt(int64(calendar.Total(part))), big.NewInt(share)))
	}
	take(calendar.Subtract(s.Lost, s.Down), whole)
	outages := slices.Clone(s.Outages)
	slices.SortStableFunc(outages, func(a, b Outage) int { return cmp.Compare(b.affected(), a.affected()) })
	for _, o := range outages {
		set, err := calendar.Normalize([]calendar.Interval{o.interval(s.Covered.End)})
		if err != nil {
			return Reading{}, err
		}
		take(set, o.affected())
	}
	of := new(big.Int).Mul(big.NewInt(int64(r.Promised)), big.NewInt(whole))
	r.Value = fractionOf(new(big.Rat).SetFrac(new(big.Int).Sub(of, weighed), of))
	// Cut to the nanosecond, for show: the value is exact.
	r.Down = time.Duration(weighed.Quo(weighed, big.NewInt(whole)).Int64())
	return r, nil
}

// affected returns the share of the customers in parts per billion.
func (o Outage) affected() int64 {
	if o.Affected == nil {
		return whole
	}
	return int64(*o.Affected)
}
