package pricing

import (
	"math/bits"
	"slices"
	"sort"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Outcome is what an availability term comes to in a period.
type Outcome string

// The outcomes.
const (
	Met       Outcome = "met"
	CreditGap Outcome = "credit_gap" // missed, and in no band
	InBand    Outcome = "band"
	Missed    Outcome = "missed"  // under a remedy that has no bands
	NoData    Outcome = "no_data" // nobody watched at all
)

// outcomesOf lists what a term can come to, the best first. Where several
// services are measured it is the worst that is looked at.
func outcomesOf(t sla.Term) []BandShare {
	out := []BandShare{{Term: t.ID, Outcome: Met}}
	bands, ok := t.Availability.Remedy.(sla.Bands)
	if !ok {
		out = append(out, BandShare{Term: t.ID, Outcome: Missed})
	} else {
		out = append(out, BandShare{Term: t.ID, Outcome: CreditGap})
		for _, b := range bands.Bands {
			out = append(out, BandShare{Term: t.ID, Outcome: InBand, Band: &b})
		}
	}
	return append(out, BandShare{Term: t.ID, Outcome: NoData})
}

// The places of the outcomes that all terms have; those of the bands follow.
const (
	atMet = iota
	atMissed
	atBand
)

// cell is a range of downtime with one outcome, up to the next cell.
type cell struct {
	from    int64
	outcome int
}

// cellsOf cuts the downtime of a promised time where the outcome changes. The
// outcome is that of package sla at the first nanosecond of each cell: it can
// change only where the value passes the target or a bound of a band.
func cellsOf(a sla.Availability, promised int64) []cell {
	bounds := []money.Percent{a.Target}
	bands, _ := a.Remedy.(sla.Bands)
	for _, b := range bands.Bands {
		bounds = append(bounds, b.Below, b.From)
	}
	froms := []int64{0}
	for _, b := range bounds {
		// (promised − down)/promised ≥ b up to this downtime, and < b after it.
		hi, lo := bits.Mul64(uint64(promised), uint64(max(whole-b, 0)))
		last, _ := bits.Div64(hi, lo, uint64(whole))
		froms = append(froms, int64(last), min(int64(last)+1, promised))
	}
	slices.Sort(froms)
	var cells []cell
	for _, from := range slices.Compact(froms) {
		outcome := outcomeAt(a, bands, promised, from)
		if n := len(cells); n == 0 || cells[n-1].outcome != outcome {
			cells = append(cells, cell{from, outcome})
		}
	}
	return cells
}

// whole is 100 % in units of [money.Percent].
const whole = money.Percent(1_000_000_000)

// outcomeAt is the outcome of a downtime that is no longer than the promised time.
func outcomeAt(a sla.Availability, bands sla.Bands, promised, down int64) int {
	value, err := sla.NewFraction(uint64(promised-down), uint64(promised))
	if err != nil || !value.IsSet() {
		return atMet // nothing promised, which the caller looks at
	}
	if c := value.ComparePercent(a.Target); c > 0 || c == 0 && !a.Strict {
		return atMet
	}
	if band, ok := bands.Find(value); ok {
		return atBand + slices.Index(bands.Bands, band)
	}
	return atMissed
}

// outcome finds the cell of a downtime.
func (w *watched) outcome(down int64) int {
	i := sort.Search(len(w.cells), func(i int) bool { return w.cells[i].from > down })
	return w.cells[i-1].outcome
}

// noData is the place of that outcome.
func (w *watched) noData() int { return len(w.bands) - 1 }

// counted returns the time without monitoring that is paid for, as the contract
// counts hours. gaps is a set, or under a sum a list of its own.
func counted(count sla.HourCount, gaps []int64, total int64) int64 {
	hour := int64(time.Hour)
	switch count {
	case sla.FullHours:
		return total - total%hour
	case sla.StartedHours:
		return started(total)
	case sla.StartedPerOutage:
		total = 0
		for _, gap := range gaps {
			total += started(gap)
		}
	default:
	}
	return total
}

func started(d int64) int64 {
	hour := int64(time.Hour)
	return (d + hour - 1) / hour * hour
}
