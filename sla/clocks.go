package sla

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// clock counts the clocks of a response, update or resolution term and records
// the misses of the period.
func (ev *evaluation) clock(t Term, clause Clause, c *Clock) error {
	counts := make([]clockCount, len(c.Targets))
	for i, target := range c.Targets {
		counts[i].tally = Tally{Term: t.ID, Clause: clause, Severity: target.Severity}
	}
	without := map[incident.Severity]int{}
	incidents := slices.Clone(ev.evidence.Incidents)
	slices.SortStableFunc(incidents, func(a, b Incident) int { return cmp.Compare(a.ID, b.ID) })
	var legs []leg
	for i := range incidents {
		in := &incidents[i]
		if !in.Opened.Before(ev.covered.End) {
			continue
		}
		h, err := newHistory(in, ev.known(c))
		if err != nil {
			return fmt.Errorf("incident %q: %w", in.ID, err)
		}
		legs = h.legs(legs[:0], clause, c)
		for n, l := range legs {
			at := c.targetOf(h.severity(c, l))
			if at < 0 {
				if n == len(legs)-1 && ev.covered.Contains(in.Opened) {
					without[h.severity(c, l)]++
				}
				continue
			}
			if err := ev.count(&counts[at], &h, clause, c, l); err != nil {
				return fmt.Errorf("incident %q: %w", in.ID, err)
			}
		}
	}
	for i, target := range c.Targets {
		ev.statement.Clocks = append(ev.statement.Clocks, counts[i].tally)
		if err := ev.late(t, clause, c, target, &counts[i]); err != nil {
			return err
		}
	}
	for _, s := range incident.Severities {
		if without[s] > 0 {
			ev.find(FindingNoTarget, t.ID, s.String(), fmt.Sprintf("%d incidents without a target", without[s]))
		}
	}
	return nil
}

// known returns the instant up to which events are looked at.
func (ev *evaluation) known(c *Clock) time.Time {
	now := ev.covered.End
	if !ev.now.IsZero() && ev.now.Before(now) {
		now = ev.now
	}
	if end := ev.evidence.Observed.End; c.CountIn == CountAtCreation && end.After(now) {
		return end
	}
	return now
}

// clockCount is what the clocks of one severity come to.
type clockCount struct {
	tally Tally
	mean  meanTime
	late  []lateClock
}

type lateClock struct {
	incident *Incident
	run      run
	at       time.Time
}

func (ev *evaluation) count(to *clockCount, h *history, clause Clause, c *Clock, l leg) error {
	r, err := ev.agreement.run(h, clause, c, l)
	if err != nil {
		return err
	}
	outcome, at, err := ev.outcome(h, &r)
	if err != nil {
		return err
	}
	switch outcome {
	case Met:
		to.tally.Met++
		to.mean.add(r.elapsed)
	case Missed:
		to.tally.Missed++
		to.mean.add(r.elapsed)
		to.late = append(to.late, lateClock{incident: h.incident, run: r, at: at})
	case Pending:
		to.tally.Pending++
	default: // of another period
	}
	return nil
}

// outcome says what a clock means for the period: Met, Missed or Pending, or ""
// if it belongs to another one or to none. at is the instant of a miss.
func (ev *evaluation) outcome(h *history, r *run) (outcome Outcome, at time.Time, err error) {
	outcome = r.outcome()
	switch outcome {
	case Paused:
		outcome = Pending
	case Cancelled:
		return "", time.Time{}, nil
	case Missed:
		if at, err = ev.agreement.missedAt(h, r); err != nil {
			return "", time.Time{}, err
		}
	default:
	}
	belongs := r.end
	switch r.clock.CountIn {
	case CountAtCreation:
		belongs = h.incident.Opened
	case CountAtBreach:
		if outcome == Missed {
			belongs = at
		}
	case CountAtResponse:
		if r.how == running {
			outcome = Pending
		}
	}
	switch {
	case belongs.IsZero(), !belongs.Before(ev.covered.End) && outcome == Missed:
		return Pending, time.Time{}, nil // not ended, or missed in the instant that begins the next period
	case !ev.covered.Contains(belongs):
		return "", time.Time{}, nil
	}
	return outcome, at, nil
}

func (ev *evaluation) late(t Term, clause Clause, c *Clock, target Target, of *clockCount) error {
	earns := target.Credit.IsSet() || target.CreditPercent > 0
	if c.MeanToo && target.NextDay == nil && !of.mean.misses(target.Within, c.Strict) {
		if len(of.late) > 0 && earns {
			ev.find(FindingMeanMet, t.ID, target.Severity.String(), fmt.Sprintf("%d late, but the mean of %d is within %s", len(of.late), of.mean.n, target.Within))
		}
		earns = false
	}
	fee := ev.statement.Fee
	if earns && !target.Credit.IsSet() && len(of.late) > 0 {
		fee = ev.feeBase(t)
	}
	for _, l := range of.late {
		b := Breach{
			Term: t.ID, Clause: clause, Ref: l.run.ref(clause, l.incident.ID), Service: l.incident.Service, Severity: target.Severity,
			At: l.at, Promised: target.Within, Actual: l.run.elapsed,
		}
		if !earns {
			ev.breach(b)
			continue
		}
		line := Line{Numerator: b.Actual, Denominator: b.Promised, Evidence: []string{l.incident.ID}}
		if target.Credit.IsSet() {
			line.Basis, line.Amount = PerIncident, target.Credit
		} else {
			line.Basis, line.Rate = PercentOfFee, target.CreditPercent
			if err := line.earn(fee, ratio(line.Rate), ev.agreement.contract.Rounding); err != nil {
				return err
			}
		}
		ev.breach(b, line)
	}
	return nil
}

// meanTime sums elapsed times in 128 bits.
type meanTime struct {
	hi, lo uint64
	n      int
}

func (m *meanTime) add(d time.Duration) {
	var carry uint64
	m.lo, carry = bits.Add64(m.lo, uint64(d), 0)
	m.hi += carry
	m.n++
}

// misses reports whether the mean exceeds the target, or reaches a strict one:
// sum > target·n.
func (m *meanTime) misses(target time.Duration, strict bool) bool {
	hi, lo := bits.Mul64(uint64(target), uint64(m.n))
	if m.hi != hi {
		return m.hi > hi
	}
	return m.lo > lo || strict && m.lo == lo
}
