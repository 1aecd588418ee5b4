package sla

import (
	"math/big"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// monitoring pays for the time in which nobody watched. Time before the evidence
// begins is unknown, but no gap.
func (ev *evaluation) monitoring(t Term) error {
	raw := make([]calendar.Interval, 0, len(ev.evidence.Gaps))
	for _, g := range ev.evidence.Gaps {
		if !g.Before {
			raw = append(raw, stretch(g.Start, g.End, ev.covered.End))
		}
	}
	gaps, err := calendar.Normalize(raw)
	if err != nil {
		return err
	}
	watched, ok := ev.covered.Clip(ev.evidence.Observed)
	if !ok {
		return nil
	}
	gaps = calendar.Clip(gaps, watched)
	if len(gaps) == 0 {
		return nil
	}
	line := Line{
		Basis: PercentOfFeePerHour, Numerator: calendar.Total(gaps), Denominator: time.Hour, Rate: t.Monitoring.PercentPerHour,
	}
	for _, g := range gaps {
		line.Evidence = append(line.Evidence, g.String())
	}
	line.Counted = t.Monitoring.Count.counted(gaps)
	if err := line.earn(ev.feeBase(t), hourly(line.Rate, line.Counted), ev.agreement.contract.Rounding); err != nil {
		return err
	}
	ev.breach(Breach{Term: t.ID, Clause: ClauseMonitoring, Ref: string(ClauseMonitoring), At: gaps[0].Start, Actual: line.Numerator}, line)
	return nil
}

// counted returns the time that is paid for.
func (h HourCount) counted(gaps []calendar.Interval) time.Duration {
	total := calendar.Total(gaps)
	switch h {
	case ProRata:
	case FullHours:
		return total - total%time.Hour
	case StartedHours:
		return started(total)
	case StartedPerOutage:
		total = 0
		for _, g := range gaps {
			total += started(g.Duration())
		}
	}
	return total
}

func started(d time.Duration) time.Duration {
	if rest := d % time.Hour; rest > 0 {
		return d - rest + time.Hour
	}
	return d
}

// hourly returns rate/100 % · counted/1 h.
func hourly(rate money.Percent, counted time.Duration) *big.Rat {
	share := ratio(rate)
	return share.Mul(share, big.NewRat(int64(counted), int64(time.Hour)))
}
