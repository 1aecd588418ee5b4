package sla

import (
	"cmp"
	"fmt"
	"math/big"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// BadSlots is [Uptime] by counted requests: a slot of time with too many failed
// requests is down, beside the outages. Slots have equal length from the start of
// the period. A slot without requests is not down: nobody was turned away; a slot
// that nobody counted belongs to the gaps.
type BadSlots struct {
	Slot time.Duration `json:"slot_ns"`

	// ErrorRate is the share of failed requests above which a slot is down;
	// AtLeast takes the rate itself as down too.
	ErrorRate money.Percent `json:"error_rate,omitzero"`
	AtLeast   bool          `json:"at_least,omitempty"`

	// MinRun lets only stretches that are as long as that many slots count, be
	// they bad slots, outages or both without a break. 0 lets all count.
	MinRun int `json:"min_run,omitzero"`

	// Partial says what becomes of the part of a slot that an outage takes at the
	// end of a stretch. Defaults to PartialExact.
	Partial Partial `json:"partial,omitzero"`

	// MinRequests lets only slots with that many requests or more be down.
	MinRequests uint64 `json:"min_requests,omitzero"`
}

// Detect returns the outages and the runs of bad slots.
func (b BadSlots) Detect(s Sample) ([]calendar.Interval, error) {
	if b.Slot <= 0 {
		return nil, slotError(b.Slot)
	}
	down := slices.DeleteFunc(calendar.Union(s.Down, b.down(s)), func(i calendar.Interval) bool {
		return int64(i.Duration()/b.Slot) < int64(b.MinRun)
	})
	return calendar.Intersect(down, s.Hours), nil
}

// Measure returns the share of the promised time that was not down.
func (b BadSlots) Measure(s Sample) (Reading, error) {
	return Uptime{Unit: b.Slot, Partial: b.Partial}.Measure(s)
}

// MeanErrorRate is 1 less the mean of the error rates of all slots, in which an
// hour with three requests weighs as much as one with a million. Slots have equal
// length from the start of the period. Slots in excluded time count without
// errors, those in lost time as failed. Outages are listed but do not matter,
// unless DownFails says so.
type MeanErrorRate struct {
	Slot time.Duration `json:"slot_ns"`

	// Empty says what a slot without requests comes to. Defaults to EmptyGood.
	Empty EmptySlot `json:"empty,omitzero"`

	// DownFails lets outages stand in for counts: a slot without requests that
	// was down fails by the part of it that was, whatever Empty says. Without any
	// counts the value is then the share of the time that was up.
	DownFails bool `json:"down_fails,omitempty"`
}

func slotError(slot time.Duration) error {
	return fmt.Errorf("sla: slot %s: want a time above 0", slot)
}

// EmptySlot says what a slot without requests comes to.
type EmptySlot uint8

// EmptyGood counts it without errors, EmptyDropped not at all.
const (
	EmptyGood EmptySlot = iota
	EmptyDropped
)

var emptyNames = []string{"zero_errors", "dropped"}

// String returns "zero_errors" or "dropped".
func (e EmptySlot) String() string { return nameOf(emptyNames, e) }

// MarshalText writes what String returns; an unknown value is an error.
func (e EmptySlot) MarshalText() ([]byte, error) { return textOf("empty", emptyNames, e) }

// UnmarshalText reads what String returns.
func (e *EmptySlot) UnmarshalText(text []byte) error { return parseName("empty", emptyNames, text, e) }

// Measure returns 1 less the mean error rate.
func (m MeanErrorRate) Measure(s Sample) (Reading, error) {
	if m.Slot <= 0 {
		return Reading{}, slotError(m.Slot)
	}
	return Reading{Value: m.mean(s), Downtime: counted(s)}, nil
}

// Events is the share of requests that were good:
//
//	(total − failed − slow·(1 − SlowCredit)) / total
//
// Requests in excluded time do not count. Without any there is no data. Outages
// are listed but do not matter.
type Events struct {
	// SlowCredit is what a slow request is worth. Defaults to nothing.
	SlowCredit money.Percent `json:"slow_credit,omitzero"`
}

// Measure returns the share of good requests.
func (v Events) Measure(s Sample) (Reading, error) {
	total, bad := new(big.Int), new(big.Int)
	for _, r := range s.Requests {
		if contains(s.Excluded, r.Start) || !contains(s.Hours, r.Start) {
			continue
		}
		total.Add(total, new(big.Int).SetUint64(r.Total))
		bad.Add(bad, new(big.Int).Mul(new(big.Int).SetUint64(r.Failed), big.NewInt(whole)))
		bad.Add(bad, new(big.Int).Mul(new(big.Int).SetUint64(r.Slow), big.NewInt(whole-int64(v.SlowCredit))))
	}
	r := Reading{Downtime: counted(s)}
	if total.Sign() > 0 {
		total.Mul(total, big.NewInt(whole))
		r.Value = fractionOf(new(big.Rat).SetFrac(new(big.Int).Sub(total, bad), total))
	}
	return r, nil
}

// Requests counts the requests of a service from an instant on, for one slot of
// the measure. Several counts of a slot add up.
type Requests struct {
	Service string    `json:"service,omitempty"`
	Start   time.Time `json:"start"`
	Total   uint64    `json:"total"`
	Failed  uint64    `json:"failed"`

	// Slow counts those that were answered too late, for [Events]. They are not
	// among the failed.
	Slow uint64 `json:"slow,omitzero"`
}

func (r Requests) validate() error {
	if sum, carry := bits.Add64(r.Failed, r.Slow, 0); carry > 0 || sum > r.Total {
		return fmt.Errorf("%d failed and %d slow of %d requests: want at most all", r.Failed, r.Slow, r.Total)
	}
	return nil
}

// slot is the sum of the counts of one slot.
type slot struct {
	index         int64
	total, failed uint64
}

// slots sums up the counts by slot, in order.
func slots(counts []Requests, length time.Duration, start time.Time) []slot {
	byIndex := map[int64]slot{}
	for _, r := range counts {
		i := int64(r.Start.Sub(start) / length)
		s := byIndex[i]
		byIndex[i] = slot{index: i, total: s.total + r.Total, failed: s.failed + r.Failed}
	}
	out := make([]slot, 0, len(byIndex))
	for _, s := range byIndex {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b slot) int { return cmp.Compare(a.index, b.index) })
	return out
}

// down returns the runs of bad slots.
func (b BadSlots) down(s Sample) []calendar.Interval {
	var out []calendar.Interval
	for _, slot := range slots(s.Requests, b.Slot, s.Covered.Start) {
		if !b.bad(slot) {
			continue
		}
		start := s.Covered.Start.Add(time.Duration(slot.index) * b.Slot)
		out = follow(out, calendar.Interval{Start: start, End: start.Add(b.Slot)})
	}
	return out
}

// follow adds to a set an interval that does not begin before the set ends.
func follow(set []calendar.Interval, next calendar.Interval) []calendar.Interval {
	last := len(set) - 1
	switch {
	case next.IsEmpty():
		return set
	case last >= 0 && set[last].End.Equal(next.Start):
		set[last].End = next.End
		return set
	}
	return append(set, next)
}

// bad compares failed/total with the rate, exactly.
func (b BadSlots) bad(s slot) bool {
	if s.total == 0 || s.total < b.MinRequests {
		return false
	}
	c := fixed.CompareProducts(s.failed, whole, uint64(b.ErrorRate), s.total)
	return c > 0 || c == 0 && b.AtLeast
}

// mean returns 1 less the mean error rate of the slots that begin in the hours.
func (m MeanErrorRate) mean(s Sample) Fraction {
	n := m.count(s.Hours, s.Covered)
	failed := map[uint64]*big.Int{} // by the number of requests
	busy := int64(0)
	var counted []calendar.Interval
	for _, slot := range slots(s.Requests, m.Slot, s.Covered.Start) {
		at := s.Covered.Start.Add(time.Duration(slot.index) * m.Slot)
		if slot.total == 0 || !contains(s.Hours, at) {
			continue
		}
		if contains(s.Lost, at) && !contains(s.Excluded, at) {
			continue // counted below
		}
		busy++
		counted = follow(counted, calendar.Interval{Start: at, End: at.Add(m.Slot)})
		if contains(s.Excluded, at) {
			continue
		}
		if failed[slot.total] == nil {
			failed[slot.total] = new(big.Int)
		}
		failed[slot.total].Add(failed[slot.total], new(big.Int).SetUint64(slot.failed))
	}
	lost := m.count(calendar.Subtract(calendar.Intersect(s.Lost, s.Hours), s.Excluded), s.Covered)
	down, long := int64(0), time.Duration(0)
	if m.DownFails {
		down, long = m.down(s, counted)
	}
	if m.Empty == EmptyDropped {
		n = busy + lost + down
	}
	if n == 0 {
		return Fraction{}
	}
	parts := make([]quotient, 0, len(failed)+2)
	parts = append(parts, quotient{big.NewInt(int64(long)), big.NewInt(int64(m.Slot))})
	for total, sum := range failed {
		parts = append(parts, quotient{sum, new(big.Int).SetUint64(total)})
	}
	parts = append(parts, quotient{big.NewInt(lost), big.NewInt(1)})
	sum := addUp(parts)
	rate := new(big.Rat).SetFrac(sum.num, sum.den.Mul(sum.den, big.NewInt(n)))
	return fractionOf(rate.Sub(big.NewRat(1, 1), rate))
}

// down returns how many slots without counts were down, and how long together.
// It works on sets, not slot by slot.
func (m MeanErrorRate) down(s Sample, counted []calendar.Interval) (n int64, sum time.Duration) {
	open := m.whole(s.Hours, s.Covered)
	for _, closed := range [][]calendar.Interval{m.whole(s.Excluded, s.Covered), m.whole(s.Lost, s.Covered), counted} {
		open = calendar.Subtract(open, closed)
	}
	last := int64(-1)
	for _, i := range calendar.Intersect(calendar.Subtract(s.Down, s.Excluded), open) {
		sum += i.Duration()
		from, to := max(int64(i.Start.Sub(s.Covered.Start)/m.Slot), last+1), m.before(i.End, s.Covered)
		n, last = n+to-from, to-1
	}
	return n, sum
}

// whole returns the slots that begin in a set.
func (m MeanErrorRate) whole(set []calendar.Interval, covered calendar.Interval) (out []calendar.Interval) {
	at := func(n int64) time.Time { return covered.Start.Add(time.Duration(n) * m.Slot) }
	for _, i := range calendar.Clip(set, covered) {
		out = follow(out, calendar.Interval{Start: at(m.before(i.Start, covered)), End: at(m.before(i.End, covered))})
	}
	return out
}

// count returns how many slots begin in a set.
func (m MeanErrorRate) count(set []calendar.Interval, covered calendar.Interval) (n int64) {
	for _, i := range set {
		n += m.before(i.End, covered) - m.before(i.Start, covered)
	}
	return n
}

// before returns how many slots begin before an instant.
func (m MeanErrorRate) before(t time.Time, covered calendar.Interval) int64 {
	d := t.Sub(covered.Start)
	n := int64(d / m.Slot)
	if d%m.Slot > 0 {
		n++
	}
	return n
}

func contains(set []calendar.Interval, at time.Time) bool {
	next := firstAfter(set, at)
	return next < len(set) && set[next].Contains(at)
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

func (b BadSlots) issues(path string) (out []Issue) {
	if b.Slot <= 0 {
		out = append(out, problem(path+".slot_ns", b.Slot.String(), "a time above 0"))
	}
	if b.ErrorRate < 0 || b.ErrorRate > whole {
		out = append(out, problem(path+".error_rate", b.ErrorRate.String(), "0% to 100%"))
	}
	if b.MinRun < 0 {
		out = append(out, problem(path+".min_run", strconv.Itoa(b.MinRun), "0 or more"))
	}
	if b.Partial > PartialDown {
		out = append(out, problem(path+".partial", b.Partial.String(), strings.Join(partialNames, ", ")))
	}
	return out
}

func (m MeanErrorRate) issues(path string) (out []Issue) {
	if m.Slot <= 0 {
		out = append(out, problem(path+".slot_ns", m.Slot.String(), "a time above 0"))
	}
	if m.Empty > EmptyDropped {
		out = append(out, problem(path+".empty", m.Empty.String(), "zero_errors or dropped"))
	}
	return out
}

func (v Events) issues(path string) []Issue {
	if v.SlowCredit < 0 || v.SlowCredit > whole {
		return []Issue{problem(path+".slow_credit", v.SlowCredit.String(), "0% to 100%")}
	}
	return nil
}
