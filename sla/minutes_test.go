package sla_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Outages and windows in whole minutes are counted once more minute by minute:
// each minute of downtime goes to the first window over it, the accepted ones
// before the others and then by their start, and what no accepted window takes
// weighs as much as the largest share of the customers concerned.
func TestExclusionsMinuteByMinute(t *testing.T) {
	const minutes = 240
	c := a0(t)
	c.Terms[0].Availability.Measure = sla.AffectedRatio{}
	c.Terms[0].Availability.Exclude = []sla.Cause{sla.CauseMaintenance, sla.CauseCustomer}
	a, err := sla.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	p := a.PeriodAt(vectorStart)
	type window struct {
		ref      string
		from, to int
		rejected bool
	}
	r := rand.New(rand.NewPCG(11, 12))
	for range 300 {
		at := func(minute int) time.Time { return p.Start.Add(time.Duration(minute) * time.Minute) }
		e := sla.Evidence{Observed: p.Interval}
		var windows []window
		var share [minutes]int64
		for i := range r.IntN(12) {
			from := r.IntN(minutes)
			to := from + r.IntN(minutes-from)
			affected := money.Percent(r.Int64N(4)) * money.WholePercent(25)
			o := sla.Outage{
				Ref: fmt.Sprintf("O-%d", i), Start: at(from), End: at(to), Affected: &affected,
				Cause: []sla.Cause{"", "", sla.CauseCustomer, sla.CauseForceMajeure}[r.IntN(4)],
			}
			e.Outages = append(e.Outages, o)
			if o.Cause != "" {
				windows = append(windows, window{o.Ref, from, to, o.Cause == sla.CauseForceMajeure})
			}
			for m := from; m < to; m++ {
				share[m] = max(share[m], int64(affected)+1) // above 0 is down
			}
		}
		for i := range r.IntN(12) {
			from := r.IntN(minutes)
			w := window{fmt.Sprintf("M-%d", i), from, from + r.IntN(minutes-from), r.IntN(3) == 0}
			notice := map[bool]time.Duration{true: 71 * time.Hour, false: 72 * time.Hour}[w.rejected]
			e.Maintenance = append(e.Maintenance, sla.Maintenance{Ref: w.ref, Start: at(from), End: at(w.to), Announced: at(from).Add(-notice)})
			windows = append(windows, w)
		}
		slices.SortFunc(windows, func(x, y window) int {
			if x.rejected != y.rejected {
				return map[bool]int{true: 1, false: -1}[x.rejected]
			}
			return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.ref, y.ref))
		})
		want := map[string]time.Duration{}
		var weighed int64
		for m, s := range share {
			if s == 0 {
				continue
			}
			i := slices.IndexFunc(windows, func(w window) bool { return w.from <= m && m < w.to })
			if i >= 0 {
				want[windows[i].ref] += time.Minute
			}
			if i < 0 || windows[i].rejected {
				weighed += s - 1
			}
		}

		m := evaluate(t, a, p, e).Availability[0]
		got := map[string]time.Duration{}
		for _, x := range slices.Concat(m.Exclusions, m.Rejected) {
			got[x.Ref] += x.Down
		}
		if !maps.Equal(got, want) {
			t.Fatalf("taken out %v, want %v", got, want)
		}
		whole := int64(money.WholePercent(100))
		lost := new(big.Rat).Mul(big.NewRat(weighed, whole), big.NewRat(int64(time.Minute), int64(calendar.Total([]calendar.Interval{p.Interval}))))
		if value := new(big.Rat).Sub(big.NewRat(1, 1), lost); m.Value.Rat().Cmp(value) != 0 {
			t.Fatalf("value %v, want %v", m.Value, value)
		}
	}
}
