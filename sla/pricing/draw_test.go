package pricing

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func planOf(tb testing.TB, tier sla.Tier, m Model) *plan {
	tb.Helper()
	a, err := sla.Compile(sla.Preset("ref", tier, "Europe/Amsterdam", tier.Offer().FeeFrom))
	noError(tb, err)
	pl, err := newPlan(a, a.PeriodAt(time.Date(2026, 10, 15, 0, 0, 0, 0, time.UTC)), m, sla.Evidence{})
	noError(tb, err)
	return pl
}

// rich has everything that a draw can be made of.
func rich() Model {
	return Model{
		Outages: []Process{
			{PerPeriod: 2, Length: Lengths{Kind: Lognormal, Mean: 3 * time.Hour, SD: 6 * time.Hour}},
			{PerPeriod: 5, Length: Lengths{Kind: Weibull, Scale: 10 * time.Minute, Shape: 0.7}},
		},
		Late: []Late{
			{Clause: sla.ClauseResponse, Severity: incident.P1, PerPeriod: 4, Probability: 0.1},
			{Clause: sla.ClauseResolution, Severity: incident.P2, PerPeriod: 8, Probability: 0.05},
		},
		Gaps: []Process{{PerPeriod: 1, Length: Lengths{Kind: Exponential, Mean: 40 * time.Minute}}},
	}
}

func TestDrawDoesNotAllocate(t *testing.T) {
	d := newDrawer(planOf(t, sla.Enterprise, rich()), 1)
	for i := range uint64(5000) { // until the buffers have grown
		noError(t, d.draw(i))
	}
	i := uint64(0)
	allocs := testing.AllocsPerRun(2000, func() {
		noError(t, d.draw(i%5000))
		i++
	})
	if allocs != 0 {
		t.Errorf("%v allocations a draw, want 0", allocs)
	}
}

// A sum counts every moment as often as it is down, a union once.
func TestUnionIsAtMostTheSum(t *testing.T) {
	m := rich()
	m.Outages[0].PerPeriod = 40
	union := newDrawer(planOf(t, sla.Essential, m), 7)
	m.Overlap = sla.OverlapSum
	sum := newDrawer(planOf(t, sla.Essential, m), 7)
	smaller := 0
	for i := range uint64(2000) {
		noError(t, union.draw(i))
		noError(t, sum.draw(i))
		if union.down[0] > sum.down[0] || union.down[0] > union.plan.length || union.result.payable > sum.result.payable {
			t.Fatalf("draw %d: union %d pays %d, sum %d pays %d of %d", i, union.down[0], union.result.payable, sum.down[0], sum.result.payable, union.plan.length)
		}
		if union.down[0] < sum.down[0] {
			smaller++
		}
	}
	if smaller == 0 {
		t.Error("no outages overlapped")
	}
}

// The parts of the payout add up, and the cap holds.
func TestDrawLaws(t *testing.T) {
	m := rich()
	m.Late[1].PerPeriod, m.Late[1].Probability = 200, 0.5
	d := newDrawer(planOf(t, sla.Professional, m), 3)
	capped := 0
	for i := range uint64(2000) {
		noError(t, d.draw(i))
		sum := int64(0)
		for _, part := range d.result.paid {
			sum += part
		}
		if r := d.result; r.payable != sum || r.payable > d.plan.fee.Minor() || r.capped && r.payable != d.plan.fee.Minor() {
			t.Fatalf("draw %d: payable %d, parts of %d, capped %t at %d", i, r.payable, sum, r.capped, d.plan.fee.Minor())
		}
		if d.result.capped {
			capped++
		}
	}
	if capped == 0 { // by 100 late resolutions at 5 % of the fee each
		t.Error("no draw reached the cap")
	}
}

// The cells say what the bands of package sla say, at every bound and between.
func TestCellsAgainstBands(t *testing.T) {
	percent := func(text string) money.Percent {
		p, err := money.ParsePercent(text)
		noError(t, err)
		return p
	}
	hole := sla.Bands{Bands: []sla.Band{
		{Below: percent("99.9"), From: percent("99"), Credit: percent("10"), NotAtFrom: true},
		{Below: percent("99"), From: percent("95"), Credit: percent("25")},
		{Below: percent("95"), Credit: percent("100")},
	}}
	extended := sla.Bands{Bands: sla.ReferenceBands(), ExtendTop: true}
	atBelow := sla.Bands{Bands: []sla.Band{{Below: percent("99.9"), From: percent("99"), Credit: percent("10"), AtBelow: true}, {Below: percent("99"), Credit: percent("30")}}}
	r := rand.New(rand.NewPCG(1, 2))
	for _, a := range []sla.Availability{
		{Target: percent("99.9"), Remedy: hole},
		{Target: percent("99.95"), Remedy: extended},
		{Target: percent("99.9"), Remedy: atBelow, Strict: true},
		{Target: percent("100"), Remedy: sla.LostTime{Times: 1}, Strict: true},
		{Target: percent("99.5")},
	} {
		bands, _ := a.Remedy.(sla.Bands)
		for _, promised := range []int64{1, 1000, 2_678_400_000_000_000, 2_419_200_000_000_000, 999_999_937} {
			w := watched{cells: cellsOf(a, promised)}
			check := func(down int64) {
				if down < 0 || down > promised {
					return
				}
				if got, want := w.outcome(down), outcomeAt(a, bands, promised, down); got != want {
					t.Fatalf("outcome of %d of %d = %d under %v, want %d", down, promised, got, a.Remedy, want)
				}
			}
			for _, c := range w.cells {
				for step := int64(-2); step <= 2; step++ {
					check(c.from + step)
				}
			}
			for range 2000 {
				check(r.Int64N(promised + 1))
				check(r.Int64N(promised/50 + 1))
			}
		}
	}
}

// Started hours are counted as package sla counts them: 1.5 h and 30 min.
func TestCounted(t *testing.T) {
	gaps := []int64{int64(90 * time.Minute), int64(30 * time.Minute)}
	for count, want := range map[sla.HourCount]time.Duration{
		sla.ProRata: 2 * time.Hour, sla.FullHours: 2 * time.Hour, sla.StartedHours: 2 * time.Hour, sla.StartedPerOutage: 3 * time.Hour,
	} {
		if got := counted(count, gaps, gaps[0]+gaps[1]); got != int64(want) {
			t.Errorf("%s counts %s, want %s", count, time.Duration(got), want)
		}
	}
	if got := counted(sla.FullHours, nil, int64(119*time.Minute)); got != int64(time.Hour) {
		t.Errorf("full hours of 119 minutes = %s, want 1h", time.Duration(got))
	}
	if got := counted(sla.StartedHours, nil, int64(61*time.Minute)); got != int64(2*time.Hour) {
		t.Errorf("started hours of 61 minutes = %s, want 2h", time.Duration(got))
	}
}
