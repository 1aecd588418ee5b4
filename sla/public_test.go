package sla_test

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// An outage over the turn of the day, in two reports, of which the first begins
// before the period and touches it not at all.
func TestWholeOutages(t *testing.T) {
	before := lasting(24 * time.Hour)
	before.Start, before.End = before.Start.Add(-24*time.Hour), before.End.Add(-24*time.Hour)
	log := []sla.Outage{outage("", -1, -0.5), outage("", -0.6, 0.25), outage("", 10, 11), outage("", 23.9, 24.1)}
	open := outage("", 22, 0)
	open.End = time.Time{}
	for _, c := range []struct {
		name     string
		period   sla.Period
		outages  []sla.Outage
		measure  sla.Uptime
		down     time.Duration
		evidence int
	}{
		// 15 min + 1 h + 6 min
		{"cut at the bounds", day, log, sla.Uptime{}, 81 * time.Minute, 3},
		// 75 min + 1 h; the last one ends in the next day
		{"whole", day, log, sla.Uptime{WholeOutages: true}, 135 * time.Minute, 3},
		{"whole, the day before", before, log, sla.Uptime{WholeOutages: true}, 0, 0},
		{"whole, longer than an hour", day, log, sla.Uptime{WholeOutages: true, MinOutage: time.Hour}, 75 * time.Minute, 2},
		{"cut, longer than an hour", day, log, sla.Uptime{MinOutage: time.Hour}, 0, 0},
		{"not over", day, []sla.Outage{open}, sla.Uptime{WholeOutages: true}, 0, 0},
		{"ends with the day", day, []sla.Outage{outage("", 23, 24)}, sla.Uptime{WholeOutages: true}, time.Hour, 1},
		{"ended with the day before", day, []sla.Outage{outage("", -1, 0)}, sla.Uptime{WholeOutages: true}, 0, 0},
		{"longer than the period", day, []sla.Outage{outage("", -30, 1)}, sla.Uptime{WholeOutages: true}, 24 * time.Hour, 1},
	} {
		contract := uptime(percent("99"), "1000.00", nil)
		contract.Terms[0].Availability.Measure = c.measure
		s, err := sla.Evaluate(contract, c.period, sla.Evidence{Observed: calendar.Interval{Start: before.Start, End: c.period.End}, Outages: c.outages})
		if err != nil {
			t.Fatal(err)
		}
		equalText(t, c.name, s.Availability[0].Down, c.down)
		equalText(t, c.name+": evidence", len(s.Availability[0].Evidence), c.evidence)
	}

	// Service hours bound whole outages too: of 20 h over night, 18:00 to 24:00
	// of the day before and 00:00 to 02:00 are none, 8 to 14 are.
	contract := uptime(percent("99"), "1000.00", nil)
	contract.Calendars = map[string]calendar.Hours{"office": {Zone: "UTC", Week: calendar.EveryDay("08:00", "18:00")}}
	term := contract.Terms[0].Availability
	term.ServiceHours, term.Measure = "office", sla.Uptime{WholeOutages: true}
	s, err := sla.Evaluate(contract, day, sla.Evidence{Observed: day.Interval, Outages: []sla.Outage{outage("", -6, 14)}})
	if err != nil {
		t.Fatal(err)
	}
	equalText(t, "down", s.Availability[0].Down, 6*time.Hour)
}

// refused wants a contract to have a problem at a path.
func refused(t *testing.T, c sla.Contract, path string) {
	t.Helper()
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Validate = %v, want a problem at %s", err, path)
	}
}

func TestOutageStarts(t *testing.T) {
	at := func(h float64) time.Time { start, _ := hoursOf(h, h); return start }
	o := outage("", 1, 3)
	o.Felt, o.Reported = at(1.5), at(2)
	early := outage("", 5, 6)
	early.Felt, early.Reported = at(4), at(7) // before it began, after it ended
	for _, c := range []struct {
		name    string
		measure sla.Uptime
		down    time.Duration
	}{
		{"failure", sla.Uptime{}, 3 * time.Hour},
		{"effect", sla.Uptime{FromEffect: true}, 150 * time.Minute},
		{"report", sla.Uptime{FromReport: true}, time.Hour},
		{"whole, from the effect", sla.Uptime{FromEffect: true, WholeOutages: true}, 150 * time.Minute},
	} {
		m := measured(t, func(a *sla.Availability, e *sla.Evidence) { a.Measure, e.Outages = c.measure, []sla.Outage{o, early} })
		equalText(t, c.name, m.Down, c.down)
	}
	both := uptime(percent("99"), "1000.00", nil)
	both.Terms[0].Availability.Measure = sla.Uptime{FromEffect: true, FromReport: true, WholeOutages: true, Overlap: sla.OverlapSum}
	refused(t, both, "measure.from_effect")
	refused(t, both, "measure.overlap")
}

// Runs of bad minutes, outages and both without a break, of 5 minutes or more.
func TestBadSlotRuns(t *testing.T) {
	down := func(from, to float64) []sla.Outage { // in minutes
		at := func(m float64) time.Time { return day.Start.Add(time.Duration(m * float64(time.Minute))) }
		return []sla.Outage{{Ref: "o", Start: at(from), End: at(to)}}
	}
	bad := func(minutes ...int) (counts []sla.Requests) {
		for _, m := range minutes {
			counts = append(counts, sla.Requests{Start: day.Start.Add(time.Duration(m) * time.Minute), Total: 10, Failed: 10})
		}
		return counts
	}
	for _, c := range []struct {
		name     string
		outages  []sla.Outage
		requests []sla.Requests
		partial  sla.Partial
		minRun   int
		down     time.Duration
	}{
		{"four bad minutes", nil, bad(10, 11, 12, 13), 0, 5, 0},
		{"five bad minutes, counted in any order", nil, bad(13, 10, 12, 14, 11), 0, 5, 5 * time.Minute},
		{"a good one between", nil, bad(10, 11, 12, 14, 15), 0, 5, 0},
		{"a short outage", down(60, 64.5), nil, 0, 5, 0},
		{"an outage of five minutes", down(60.5, 65.5), nil, 0, 5, 5 * time.Minute},
		{"an outage and bad minutes after it", down(60, 63), bad(63, 64), 0, 5, 5 * time.Minute},
		{"parts of a minute count", down(60, 66.5), nil, sla.PartialExact, 5, 390 * time.Second},
		{"parts of a minute do not", down(60, 66.5), nil, sla.PartialDown, 5, 6 * time.Minute},
		{"less than a minute", down(60, 60.5), nil, 0, 1, 0},
		{"without a least length", down(60, 60.5), nil, 0, 0, 30 * time.Second},
	} {
		m := measured(t, func(a *sla.Availability, e *sla.Evidence) {
			a.Measure = sla.BadSlots{Slot: time.Minute, ErrorRate: percent("5"), MinRun: c.minRun, Partial: c.partial}
			e.Outages, e.Requests = c.outages, c.requests
		})
		equalText(t, c.name, m.Down, c.down)
	}
	contract := uptime(percent("99"), "1000.00", nil)
	contract.Terms[0].Availability.Measure = sla.BadSlots{Slot: time.Minute, Partial: 9}
	refused(t, contract, "measure.partial")
}

// Outages in the place of counts, in 24 slots of an hour.
func TestMeanErrorRateOfOutages(t *testing.T) {
	counts := func(h float64, total, failed uint64) sla.Requests {
		start, _ := hoursOf(h, h)
		return sla.Requests{Start: start, Total: total, Failed: failed}
	}
	for _, c := range []struct {
		name   string
		change func(*sla.MeanErrorRate, *sla.Evidence)
		want   string
	}{
		{"outages do not matter", func(m *sla.MeanErrorRate, _ *sla.Evidence) { m.DownFails = false }, "1/1"},
		// 1.5 h of 24 h
		{"without counts", func(*sla.MeanErrorRate, *sla.Evidence) {}, "15/16"},
		// slot 3 has no failures although it was half down: 1 − (1/1)/24
		{"counts decide", func(_ *sla.MeanErrorRate, e *sla.Evidence) { e.Requests = []sla.Requests{counts(3, 7, 0)} }, "23/24"},
		// slots 2 and 3 down by 1 and ½, slot 9 by ½: 1 − 2/24
		{"with counts elsewhere", func(_ *sla.MeanErrorRate, e *sla.Evidence) { e.Requests = []sla.Requests{counts(9, 2, 1)} }, "11/12"},
		// three slots only: 2, 3 and 9
		{"empty slots dropped", func(m *sla.MeanErrorRate, e *sla.Evidence) {
			m.Empty, e.Requests = sla.EmptyDropped, []sla.Requests{counts(9, 2, 1)}
		}, "1/3"},
		// slot 5 down twice for a quarter: 1 − (1.5 + 0.5)/24
		{"two outages in a slot", func(_ *sla.MeanErrorRate, e *sla.Evidence) {
			e.Outages = append(e.Outages, outage("", 5, 5.25), outage("", 5.5, 5.75))
		}, "11/12"},
		// slot 2 announced: ½ of slot 3 remains
		{"excluded", func(_ *sla.MeanErrorRate, e *sla.Evidence) {
			start, end := hoursOf(2, 3)
			e.Maintenance = []sla.Maintenance{{Start: start, End: end}}
		}, "47/48"},
	} {
		m := measured(t, func(a *sla.Availability, e *sla.Evidence) {
			e.Outages = []sla.Outage{outage("", 2, 3.5)}
			mean := sla.MeanErrorRate{Slot: time.Hour, DownFails: true}
			c.change(&mean, e)
			a.Measure = mean
		})
		equalText(t, c.name, m.Value.String(), c.want)
	}
}

// Slot by slot, with outages, counts and maintenance at random.
func TestMeanErrorRateOfOutagesLaw(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for range 300 {
		at := func() time.Time { return day.Start.Add(time.Duration(r.Int64N(int64(24 * time.Hour)))) }
		var log []sla.Outage
		var announced []sla.Maintenance
		var counts []sla.Requests
		for range r.IntN(6) {
			start := at()
			log = append(log, sla.Outage{Start: start, End: start.Add(time.Duration(r.Int64N(int64(4 * time.Hour))))})
		}
		for range r.IntN(3) {
			start := at()
			announced = append(announced, sla.Maintenance{Start: start, End: start.Add(time.Duration(r.Int64N(int64(3 * time.Hour))))})
		}
		for range r.IntN(10) {
			total := 1 + r.Uint64N(20)
			counts = append(counts, sla.Requests{Start: at(), Total: total, Failed: r.Uint64N(total + 1)})
		}
		m := measured(t, func(a *sla.Availability, e *sla.Evidence) {
			a.Measure = sla.MeanErrorRate{Slot: time.Hour, DownFails: true}
			e.Outages, e.Maintenance, e.Requests = log, announced, counts
		})
		covers := func(moment time.Time, from, to time.Time) bool { return !moment.Before(from) && moment.Before(to) }
		var edges []time.Time
		for _, o := range log {
			edges = append(edges, o.Start, o.End)
		}
		for _, w := range announced {
			edges = append(edges, w.Start, w.End)
		}
		sum := new(big.Rat)
		for i := range 24 {
			start := day.Start.Add(time.Duration(i) * time.Hour)
			end := start.Add(time.Hour)
			var total, failed uint64
			for _, c := range counts {
				if covers(c.Start, start, end) {
					total, failed = total+c.Total, failed+c.Failed
				}
			}
			excluded := func(moment time.Time) bool {
				return slices.ContainsFunc(announced, func(w sla.Maintenance) bool { return covers(moment, w.Start, w.End) })
			}
			switch {
			case excluded(start):
			case total > 0:
				sum.Add(sum, new(big.Rat).SetFrac(new(big.Int).SetUint64(failed), new(big.Int).SetUint64(total)))
			default: // between two edges next to each other all is alike
				cuts := []time.Time{start, end}
				for _, edge := range edges {
					if covers(edge, start, end) {
						cuts = append(cuts, edge)
					}
				}
				slices.SortFunc(cuts, time.Time.Compare)
				for j, cut := range cuts[1:] {
					from := cuts[j]
					if !excluded(from) && slices.ContainsFunc(log, func(o sla.Outage) bool { return covers(from, o.Start, o.End) }) {
						sum.Add(sum, big.NewRat(int64(cut.Sub(from)), int64(time.Hour)))
					}
				}
			}
		}
		want := sum.Sub(big.NewRat(1, 1), sum.Quo(sum, big.NewRat(24, 1)))
		if m.Value.Rat().Cmp(want) != 0 {
			t.Fatalf("value = %s, want %s of %v, %v, %v", m.Value, want, log, announced, counts)
		}
	}
}

func TestMaintenanceKinds(t *testing.T) {
	window := func(ref, kind string, from, to, notice float64) sla.Maintenance {
		start, end := hoursOf(from, to)
		return sla.Maintenance{Ref: ref, Kind: kind, Start: start, End: end, Announced: start.Add(-time.Duration(notice * float64(time.Hour)))}
	}
	c := uptime(percent("99"), "1000.00", nil)
	term := c.Terms[0].Availability
	term.MinNotice = 24 * time.Hour
	term.MaintenanceKinds = map[string]sla.MaintenanceRule{"migration": {MinNotice: 168 * time.Hour, MaxLength: 6 * time.Hour}}
	s, err := sla.Evaluate(c, day, sla.Evidence{Observed: day.Interval, Outages: []sla.Outage{outage("", 0, 12)}, Maintenance: []sla.Maintenance{
		window("patch", "", 0, 1, 24),
		window("late-move", "migration", 1, 2, 167),
		window("move", "migration", 3, 10, 168),
		window("other", "upgrade", 11, 12, 24),
	}})
	if err != nil {
		t.Fatal(err)
	}
	m := s.Availability[0]
	// 12 h less patch 1 h, other 1 h, and 6 of the 7 h of the move.
	equalText(t, "down", m.Down, 4*time.Hour)
	equalText(t, "rejected", m.Rejected, "[{late-move short_notice 1h0m0s} {move too_long 1h0m0s}]")

	term.MaintenanceKinds = map[string]sla.MaintenanceRule{"migration": {MinNotice: -1}}
	refused(t, c, "maintenance_kinds.migration")
}

// A day of 24 h under a target of 99 % may be down for 14 min 24 s. A credit is
// owed from 02:04:24 of 1 April on, after 10 min of the first outage.
func TestClaimsFromEligibility(t *testing.T) {
	c := uptime(percent("99"), "1000.00", sla.ReferenceBands())
	c.Period = sla.Billing{Days: 1, First: day.Start}
	c.Zone = "Asia/Kolkata" // 5:30 ahead
	e := sla.Evidence{Observed: day.Interval, Outages: []sla.Outage{outage("", 1, 1+10.0/60), outage("", 18.5, 19)}}
	judged := func(rule sla.ClaimRule) sla.Statement {
		c.Claim = rule
		s, err := sla.Evaluate(c, day, e)
		if err != nil {
			t.Fatal(err)
		}
		equalText(t, "state", s.State, sla.StateDue)
		return s
	}
	// 18:34:24 UTC is 2 April in India, the 30th day after it is 2 May.
	s := judged(sla.ClaimRule{Kind: sla.DaysAfterEligible, Days: 30})
	equalText(t, "claim before", s.ClaimBefore.UTC().Format(time.RFC3339), "2026-05-02T18:30:00Z")
	// The first outage ended on 1 April.
	s = judged(sla.ClaimRule{Kind: sla.DaysAfterIncident, Days: 30})
	equalText(t, "claim before", s.ClaimBefore.UTC().Format(time.RFC3339), "2026-05-01T18:30:00Z")

	// Counted requests have no instant; the period ends on 2 April 05:30 in India.
	c.Terms[0].Availability.Measure = sla.MeanErrorRate{Slot: time.Hour, DownFails: true}
	s = judged(sla.ClaimRule{Kind: sla.DaysAfterEligible, Days: 30})
	equalText(t, "claim before", s.ClaimBefore.UTC().Format(time.RFC3339), "2026-05-02T18:30:00Z")

	// Whole minutes: 2 · 8 min down of 7 min each by the clock.
	c.Terms[0].Availability.Measure = sla.Uptime{Unit: 8 * time.Minute, Partial: sla.PartialUp}
	e.Outages = []sla.Outage{outage("", 1, 1+7.0/60), outage("", 2, 2+7.0/60)}
	s = judged(sla.ClaimRule{Kind: sla.DaysAfterEligible, Days: 30})
	equalText(t, "claim before", s.ClaimBefore.UTC().Format(time.RFC3339), "2026-05-01T18:30:00Z")
}

func TestClaimUnknown(t *testing.T) {
	c := uptime(percent("99"), "1000.00", sla.ReferenceBands())
	c.Claim = sla.ClaimRule{Kind: sla.ClaimUnknown}
	found := func(hours float64) bool {
		s, err := sla.Evaluate(c, day, sla.Evidence{Observed: day.Interval, Outages: []sla.Outage{outage("", 0, hours)}})
		if err != nil {
			t.Fatal(err)
		}
		equalText(t, "no claim before", s.ClaimBefore.IsZero(), true)
		return slices.ContainsFunc(s.Findings, func(f sla.Finding) bool { return f.Code == sla.FindingClaim })
	}
	equalText(t, "finding where a credit is due", found(12), true)
	equalText(t, "finding where nothing is due", found(0.1), false)

	c.Claim.Days = 3
	refused(t, c, "claim.days")
}
