package pricing_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
	"github.com/evenkeelops/evenkeel/sla/pricing"
)

var october = time.Date(2026, 10, 15, 0, 0, 0, 0, time.UTC)

// An outage of ten hours comes once a month on average. October 2026 has 745
// hours in Amsterdam, so one outage leaves 735/745 = 98.66 % (band 10 %), two
// 97.3 % and three 95.97 % (25 %), four or more less than 94.7 % (50 %). With
// e = exp(−1) these have the probabilities e, e, e/2 + e/6 and the rest.
func TestExactByHand(t *testing.T) {
	a := preset(t, sla.Essential, "20000.00")
	m := pricing.Model{Overlap: sla.OverlapSum, Outages: []pricing.Process{{PerPeriod: 1, Length: pricing.Fixed(10 * time.Hour)}}}
	d, err := pricing.Exact(a, a.PeriodAt(october), m)
	must(t, d, err)
	e := math.Exp(-1)
	want := []float64{e, 0, e, e/2 + e/6, 1 - e*(1+1+0.5+1.0/6), 0}
	for i, b := range d.Bands {
		near(t, fmt.Sprintf("probability of %s %v", b.Outcome, b.Band), b.Probability, want[i], d.ProbabilityError)
	}
	mean := 2000*want[2] + 5000*want[3] + 10_000*want[4]
	near(t, "expected payout", d.Mean, 100*mean, d.MeanError)
	near(t, "any credit", d.Credited, 1-e, d.ProbabilityError)
	// 736 + 736 + 490 + 190 of 2000: half of the months pay up to 2000.00, and 95
	// of 100 up to 5000.00 (e·(2 + 2/3) = 0.981), 99 up to 10000.00.
	for percent, want := range map[int]string{36: "0.00", 37: "2000.00", 50: "2000.00", 95: "5000.00", 98: "5000.00", 99: "10000.00"} {
		if got := d.Percentile(percent).Decimal(); got != want {
			t.Errorf("P%d = %s, want %s", percent, got, want)
		}
	}
	if d.Grid != 10*time.Hour || len(d.Downtime) != 76 { // 0 to 74 outages, and 745 h
		t.Errorf("grid %s with %d members, want 10h and 76", d.Grid, len(d.Downtime))
	}
	if d.ProbabilityError > 1e-12 {
		t.Errorf("probabilities are off by up to %v, want at most 1e-12", d.ProbabilityError)
	}
}

// Late responses are Poisson: 20 P1 incidents of which a tenth is late give two
// late ones of 500.00 on average. The cap of 1 % of 20000.00 pays none of them in
// full: 200.00 with probability 1 − exp(−2).
func TestExactLateAndCapped(t *testing.T) {
	c := sla.Preset("late", sla.Essential, "Europe/Amsterdam", euros(t, "20000.00"))
	late := []pricing.Late{
		{Clause: sla.ClauseResponse, Severity: incident.P1, PerPeriod: 20, Probability: 0.1},
		{Clause: sla.ClauseResponse, Severity: incident.P4, PerPeriod: 7, Probability: 1}, // earns nothing
	}
	for _, row := range []struct {
		name                   string
		cap                    int64
		mean, credited, capped float64
	}{
		{"full fee", 100, 2 * 50_000, 1 - math.Exp(-2), 0}, // forty of them would reach the cap
		{"one percent", 1, 20_000 * (1 - math.Exp(-2)), 1 - math.Exp(-2), 1 - math.Exp(-2)},
	} {
		t.Run(row.name, func(t *testing.T) {
			limit := money.WholePercent(row.cap)
			c.CapPercent = &limit
			a := compile(t, c)
			d, err := pricing.Exact(a, a.PeriodAt(october), pricing.Model{Late: late})
			must(t, d, err)
			near(t, "expected payout", d.Mean, row.mean, d.MeanError+1e-6)
			near(t, "any credit", d.Credited, row.credited, d.ProbabilityError)
			near(t, "capped", d.Capped, row.capped, 1e-12)
			if d.MeanError > 1e-3 {
				t.Errorf("mean is off by up to %v, want less than a thousandth of a cent", d.MeanError)
			}
			f := simulate(t, a, pricing.Model{Late: late}, 200_000, 4)
			near(t, "simulated mean", float64(f.Total.Minor())/200_000, d.Mean, 3*f.StandardError())
		})
	}
}

// Without monitoring for 30 minutes, three times a month: 1 % of 20000.00 for an
// hour is 100.00 for each.
func TestExactGaps(t *testing.T) {
	a := preset(t, sla.Essential, "20000.00")
	m := pricing.Model{Overlap: sla.OverlapSum, Gaps: []pricing.Process{{PerPeriod: 3, Length: pricing.Fixed(30 * time.Minute)}}}
	d, err := pricing.Exact(a, a.PeriodAt(october), m)
	must(t, d, err)
	near(t, "expected payout", d.Mean, 3*10_000, d.MeanError+1e-6)
	near(t, "any credit", d.Credited, 1-math.Exp(-3), d.ProbabilityError)
}

// models that Exact can compute, from quiet to terrible.
func models() map[string]pricing.Model {
	minutes := func(n ...int) (out []time.Duration) {
		for _, m := range n {
			out = append(out, time.Duration(m)*time.Minute)
		}
		return out
	}
	short := pricing.Lengths{Kind: pricing.Discrete, Values: minutes(5, 20, 60), Weights: []float64{6, 3, 1}}
	long := pricing.Lengths{Kind: pricing.Discrete, Values: minutes(30, 240, 1200), Weights: []float64{0.5, 0.4, 0.1}}
	seen := pricing.Lengths{Kind: pricing.Empirical, Values: minutes(10, 10, 35, 50, 300, 725)}
	return map[string]pricing.Model{
		"short outages": {Outages: []pricing.Process{{PerPeriod: 20, Length: short}}},
		"long outages":  {Outages: []pricing.Process{{PerPeriod: 2.5, Length: long}}},
		"both, and late responses": {
			Outages: []pricing.Process{{PerPeriod: 6, Length: short}, {PerPeriod: 0.8, Length: seen}},
			Late: []pricing.Late{
				{Clause: sla.ClauseResponse, Severity: incident.P1, PerPeriod: 3, Probability: 0.1},
				{Clause: sla.ClauseResponse, Severity: incident.P2, PerPeriod: 10, Probability: 0.05},
				{Clause: sla.ClauseResolution, Severity: incident.P3, PerPeriod: 20, Probability: 0.02},
			},
			Gaps: []pricing.Process{{PerPeriod: 0.5, Length: pricing.Lengths{Kind: pricing.Discrete, Values: minutes(360, 720)}}},
		},
		"down for days": {Outages: []pricing.Process{{PerPeriod: 12, Length: seen}}},
		// exp(−λ) is 0 as a float64.
		"all the time": {Outages: []pricing.Process{{PerPeriod: 1100, Length: pricing.Lengths{Kind: pricing.Discrete, Values: minutes(1, 3)}}}},
	}
}

// 200 000 drawn periods agree with the exact distribution within three standard
// errors: expected payout, every band, any credit, and the cap.
func TestSimulationAgreesWithExact(t *testing.T) {
	for _, contract := range []struct {
		tier sla.Tier
		fee  string
	}{{sla.Essential, "20000.00"}, {sla.Professional, "45000.00"}, {sla.Enterprise, "100000.00"}} {
		for name, m := range models() {
			t.Run(contract.tier.String()+"/"+name, func(t *testing.T) {
				m.Overlap = sla.OverlapSum
				draws := 200_000
				if name == "all the time" {
					draws = 10_000 // of a thousand outages each
				}
				a := preset(t, contract.tier, contract.fee)
				d, err := pricing.Exact(a, a.PeriodAt(october), m)
				must(t, d, err)
				f := simulate(t, a, m, draws, 2026)
				mean, _ := f.Mean().Float64()
				near(t, "expected payout", mean, d.Mean, 3*deviation(d)/math.Sqrt(float64(draws))+d.MeanError)
				proportion := func(what string, got, p float64) {
					near(t, what, got, p, 3*math.Sqrt(max(0, p*(1-p))/float64(draws))+d.ProbabilityError)
				}
				for i, b := range d.Bands {
					if got := f.Bands[i]; got.Term != b.Term || got.Outcome != b.Outcome {
						t.Fatalf("outcome %d is %s %s, want %s %s", i, got.Term, got.Outcome, b.Term, b.Outcome)
					}
					proportion(fmt.Sprintf("probability of %s %v", b.Outcome, b.Band), f.Bands[i].Probability, b.Probability)
				}
				proportion("any credit", f.CreditProbability(), d.Credited)
				proportion("capped", f.CapProbability(), d.Capped)
				var sum float64
				for _, p := range d.Payouts {
					sum += p.Probability
				}
				near(t, "sum of the payouts' probabilities", sum, 1, d.ProbabilityError)
			})
		}
	}
}

// deviation is the standard deviation of the payout, in minor units.
func deviation(d pricing.Distribution) float64 {
	square := 0.0
	for _, p := range d.Payouts {
		square += p.Probability * math.Pow(float64(p.Amount.Minor())-d.Mean, 2)
	}
	return math.Sqrt(square)
}

// A share of the lost time has a credit for each point of the grid. All three
// sides of the mean: fee · λ·E[X]/T as long as nothing is capped.
func TestExactLostTime(t *testing.T) {
	c := sla.Preset("lost", sla.Essential, "Europe/Amsterdam", euros(t, "74500.00"))
	c.Terms = c.Terms[:1]
	c.Terms[0].Availability.Target = money.WholePercent(100)
	c.Terms[0].Availability.Remedy = sla.LostTime{Times: 1}
	c.Calendars = nil
	a := compile(t, c)
	// Two outages of an hour and a half in 745 h: 3/745 of 74500.00 = 300.00.
	m := pricing.Model{Overlap: sla.OverlapSum, Outages: []pricing.Process{{PerPeriod: 2, Length: pricing.Lengths{
		Kind: pricing.Discrete, Values: []time.Duration{time.Hour, 2 * time.Hour},
	}}}}
	d, err := pricing.Exact(a, a.PeriodAt(october), m)
	must(t, d, err)
	near(t, "expected payout", d.Mean, 30_000, d.MeanError+1e-6)
	f := simulate(t, a, m, 100_000, 1)
	mean, _ := f.Mean().Float64()
	near(t, "simulated", mean, 30_000, 3*f.StandardError())
}

// A contract that begins in the middle of the month has half of the outages, of
// the fee and of the time.
func TestExactPartialPeriod(t *testing.T) {
	c := sla.Preset("half", sla.Essential, "UTC", euros(t, "20000.00"))
	c.From = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	a := compile(t, c)
	m := pricing.Model{Overlap: sla.OverlapSum, Outages: []pricing.Process{{PerPeriod: 2, Length: pricing.Fixed(4 * time.Hour)}}}
	d, err := pricing.Exact(a, a.PeriodAt(c.From), m)
	must(t, d, err)
	near(t, "no outage", d.Downtime[0], math.Exp(-1), 1e-14)
	near(t, "met", d.Bands[0].Probability, math.Exp(-1), 1e-14) // 4 of 360 h is 98.9 %
	if d.Fee.Decimal() != "10000.00" {
		t.Errorf("fee %s, want half of 20000.00", d.Fee)
	}
}

func TestNotExact(t *testing.T) {
	outage := []pricing.Process{{PerPeriod: 1, Length: pricing.Fixed(time.Hour)}}
	services := sla.Preset("two", sla.Essential, "UTC", euros(t, "20000.00"))
	services.Terms[0].Availability.Services = []sla.Service{{ID: "web"}, {ID: "db"}}
	hours := sla.Preset("hours", sla.Essential, "UTC", euros(t, "20000.00"))
	hours.Terms[0].Availability.ServiceHours = sla.OfficeHours
	once := sla.Preset("once", sla.Essential, "UTC", euros(t, "20000.00"))
	once.RoundOnce = true
	plain := sla.Preset("plain", sla.Essential, "UTC", euros(t, "20000.00"))
	sum := func(p ...pricing.Process) pricing.Model { return pricing.Model{Overlap: sla.OverlapSum, Outages: p} }
	month := sla.Period{Label: "2026-10"}
	month.Start, month.End = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name     string
		contract sla.Contract
		model    pricing.Model
		path     string
	}{
		{"union", plain, pricing.Model{Outages: outage}, "overlap"},
		{"continuous", plain, sum(pricing.Process{PerPeriod: 1, Length: pricing.Lengths{Kind: pricing.Exponential, Mean: time.Hour}}), "outages[0].length.kind"},
		{"fine grid", plain, sum(pricing.Process{PerPeriod: 1, Length: pricing.Lengths{Kind: pricing.Discrete, Values: []time.Duration{time.Hour, time.Hour + 1}}}), "outages"},
		{"past", plain, pricing.Model{Past: []pricing.Past{{Period: month}}}, "past"},
		{"two services", services, sum(outage...), "terms"},
		{"service hours", hours, sum(outage...), "terms"},
		{"too many combinations", plain, pricing.Model{
			Overlap: sla.OverlapSum, Gaps: []pricing.Process{{PerPeriod: 1, Length: pricing.Fixed(10 * time.Second)}},
			Late: []pricing.Late{{Clause: sla.ClauseResponse, Severity: incident.P1, PerPeriod: 500, Probability: 1}},
		}, "model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := compile(t, c.contract)
			_, err := pricing.Exact(a, a.PeriodAt(october), c.model)
			var wrong *pricing.ModelError
			if !errors.Is(err, pricing.ErrNotExact) || !errors.As(err, &wrong) || wrong.Path != c.path {
				t.Errorf("error %v, want ErrNotExact at %q", err, c.path)
			}
		})
	}
	a := compile(t, once)
	if _, err := pricing.Exact(a, a.PeriodAt(october), sum(outage...)); !errors.Is(err, sla.ErrNotCondensed) {
		t.Errorf("error %v, want ErrNotCondensed", err)
	}
}
