package sla

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// RequestMeasure measures availability by counted requests, in slots of equal
// length from the start of the period. A slot without requests has an error rate
// of 0: an empty slot is no outage, a slot that nobody counted belongs to the
// gaps.
type RequestMeasure struct {
	Slot time.Duration `json:"slot_ns"`

	// Method says how slots become a value. Defaults to BadSlots.
	Method RequestMethod `json:"method,omitzero"`

	// ErrorRate is the share of failed requests above which BadSlots takes a
	// slot as down; AtLeast takes the rate itself as down too.
	ErrorRate money.Percent `json:"error_rate,omitzero"`
	AtLeast   bool          `json:"at_least,omitempty"`

	// MinRun lets BadSlots count only runs of that many slots or more. Defaults
	// to 1.
	MinRun int `json:"min_run,omitzero"`
}

// RequestMethod is a way to turn counted requests into availability.
type RequestMethod uint8

// The methods. BadSlots adds the time of bad slots to the outages.
// MeanErrorRate takes 1 less the mean of the error rates of all slots, in which
// an hour with three requests weighs as much as one with a million; outages are
// then listed but do not matter.
const (
	BadSlots RequestMethod = iota
	MeanErrorRate
)

var methodNames = []string{"bad_slots", "mean_error_rate"}

// String returns "bad_slots" or "mean_error_rate".
func (m RequestMethod) String() string { return nameOf(methodNames, m) }

// MarshalText writes what String returns; an unknown value is an error.
func (m RequestMethod) MarshalText() ([]byte, error) { return textOf("method", methodNames, m) }

// UnmarshalText reads what String returns.
func (m *RequestMethod) UnmarshalText(text []byte) error {
	return parseName("method", methodNames, text, m)
}

// Requests counts the requests of a service from an instant on, for one slot of
// the measure. Several counts of a slot add up.
type Requests struct {
	Service string    `json:"service,omitempty"`
	Start   time.Time `json:"start"`
	Total   uint64    `json:"total"`
	Failed  uint64    `json:"failed"`
}

func (r Requests) validate() error {
	if r.Failed > r.Total {
		return fmt.Errorf("%d failed of %d requests: want at most all", r.Failed, r.Total)
	}
	return nil
}

// slot is the sum of the counts of one slot.
type slot struct {
	index         int64
	total, failed uint64
}

// slots sums up the counts by slot, in order.
func (q RequestMeasure) slots(all []Requests, service string, covered calendar.Interval) []slot {
	byIndex := map[int64]slot{}
	for _, r := range all {
		if !concerns(r.Service, service) || !covered.Contains(r.Start) {
			continue
		}
		s := byIndex[int64(r.Start.Sub(covered.Start)/q.Slot)]
		s.index = int64(r.Start.Sub(covered.Start) / q.Slot)
		s.total, s.failed = s.total+r.Total, s.failed+r.Failed
		byIndex[s.index] = s
	}
	out := make([]slot, 0, len(byIndex))
	for _, s := range byIndex {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b slot) int { return cmp.Compare(a.index, b.index) })
	return out
}

// down returns the stretches of bad slots that are long enough.
func (q RequestMeasure) down(all []Requests, service string, covered calendar.Interval) []calendar.Interval {
	var out []calendar.Interval
	var run int
	var previous int64
	flush := func() {
		if run > 0 && run >= q.MinRun {
			end := covered.Start.Add(time.Duration(previous+1) * q.Slot)
			out = append(out, calendar.Interval{Start: end.Add(-time.Duration(run) * q.Slot), End: end})
		}
		run = 0
	}
	for _, s := range q.slots(all, service, covered) {
		if !q.bad(s) {
			continue
		}
		if run > 0 && s.index != previous+1 {
			flush()
		}
		run, previous = run+1, s.index
	}
	flush()
	return out
}

// bad compares failed/total with the rate, exactly.
func (q RequestMeasure) bad(s slot) bool {
	if s.total == 0 {
		return false
	}
	c := fixed.CompareProducts(s.failed, whole, uint64(q.ErrorRate), s.total)
	return c > 0 || c == 0 && q.AtLeast
}

// mean returns 1 less the mean error rate of the slots that begin in the hours.
// Slots in excluded time count without errors, those in down time as failed.
func (q RequestMeasure) mean(all []Requests, service string, covered calendar.Interval, hours, excluded, down []calendar.Interval) Fraction {
	n := q.count(hours, covered)
	if n == 0 {
		return Fraction{}
	}
	failed := map[uint64]*big.Int{} // by the number of requests
	for _, s := range q.slots(all, service, covered) {
		at := covered.Start.Add(time.Duration(s.index) * q.Slot)
		if s.total == 0 || !contains(hours, at) || contains(excluded, at) || contains(down, at) {
			continue
		}
		if failed[s.total] == nil {
			failed[s.total] = new(big.Int)
		}
		failed[s.total].Add(failed[s.total], new(big.Int).SetUint64(s.failed))
	}
	parts := make([]quotient, 0, len(failed)+1)
	for total, sum := range failed {
		parts = append(parts, quotient{sum, new(big.Int).SetUint64(total)})
	}
	lost := q.count(calendar.Subtract(calendar.Intersect(down, hours), excluded), covered)
	parts = append(parts, quotient{big.NewInt(lost), big.NewInt(1)})
	sum := addUp(parts)
	rate := new(big.Rat).SetFrac(sum.num, sum.den.Mul(sum.den, big.NewInt(n)))
	return fractionOf(rate.Sub(big.NewRat(1, 1), rate))
}

// count returns how many slots begin in a set.
func (q RequestMeasure) count(set []calendar.Interval, covered calendar.Interval) (n int64) {
	before := func(t time.Time) int64 { return int64((t.Sub(covered.Start) + q.Slot - 1) / q.Slot) }
	for _, i := range set {
		n += before(i.End) - before(i.Start)
	}
	return n
}

func contains(set []calendar.Interval, at time.Time) bool {
	return len(calendar.Clip(set, calendar.Interval{Start: at, End: at.Add(1)})) > 0
}

type quotient struct{ num, den *big.Int }

// addUp adds quotients in pairs and reduces nothing on the way: with thousands of
// different denominators that is what keeps it fast. The result does not depend
// on the order.
func addUp(parts []quotient) quotient {
	if len(parts) == 1 {
		return parts[0]
	}
	a, b := addUp(parts[:len(parts)/2]), addUp(parts[len(parts)/2:])
	left, right := new(big.Int).Mul(a.num, b.den), new(big.Int).Mul(b.num, a.den)
	return quotient{left.Add(left, right), new(big.Int).Mul(a.den, b.den)}
}

func (q RequestMeasure) issues(path string) (out []Issue) {
	if q.Slot <= 0 {
		out = append(out, problem(path+".slot_ns", q.Slot.String(), "a time above 0"))
	}
	if q.Method > MeanErrorRate {
		out = append(out, problem(path+".method", q.Method.String(), "bad_slots or mean_error_rate"))
	}
	if q.ErrorRate < 0 || q.ErrorRate > whole {
		out = append(out, problem(path+".error_rate", q.ErrorRate.String(), "0% to 100%"))
	}
	if q.MinRun < 0 {
		out = append(out, problem(path+".min_run", strconv.Itoa(q.MinRun), "1 or more"))
	}
	return out
}
