package pricing_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
	"github.com/evenkeelops/evenkeel/sla/pricing"
)

func simulate(tb testing.TB, a *sla.Agreement, m pricing.Model, draws int, seed uint64) pricing.Forecast {
	tb.Helper()
	f, err := pricing.Simulate(a, a.PeriodAt(october), m, pricing.Options{Draws: draws, Seed: seed})
	return must(tb, f, err)
}

func busy() pricing.Model {
	return pricing.Model{
		Outages: []pricing.Process{
			{PerPeriod: 2, Length: pricing.Lengths{Kind: pricing.Lognormal, Mean: 3 * time.Hour, SD: 6 * time.Hour}},
			{PerPeriod: 1, Length: pricing.Lengths{Kind: pricing.Pareto, Scale: 10 * time.Minute, Shape: 1.1}},
		},
		Late: []pricing.Late{
			{Clause: sla.ClauseResponse, Severity: incident.P1, PerPeriod: 4, Probability: 0.1},
			{Clause: sla.ClauseResolution, Severity: incident.P2, PerPeriod: 8, Probability: 0.05},
		},
		Gaps: []pricing.Process{{PerPeriod: 0.7, Length: pricing.Lengths{Kind: pricing.Exponential, Mean: 40 * time.Minute}}},
	}
}

func asJSON(tb testing.TB, v any) string {
	tb.Helper()
	data, err := json.Marshal(v)
	return string(must(tb, data, err))
}

// One seed gives the same bytes again, and another seed others.
func TestSeedDecides(t *testing.T) {
	a := preset(t, sla.Enterprise, "100000.00")
	first := simulate(t, a, busy(), 5000, 11)
	if again := simulate(t, a, busy(), 5000, 11); asJSON(t, again) != asJSON(t, first) || again.Explain() != first.Explain() {
		t.Error("the same seed gave another forecast")
	}
	if other := simulate(t, a, busy(), 5000, 12); other.Total == first.Total {
		t.Error("another seed gave the same total")
	}
	var back pricing.Forecast
	if err := json.Unmarshal([]byte(asJSON(t, first)), &back); err != nil || asJSON(t, back) != asJSON(t, first) {
		t.Errorf("the forecast changes on the way through JSON: %v", err)
	}
}

// The streams of neighbouring draws and seeds are independent: the squared
// deviations of a frequency from its probability, in units of their variance,
// have mean 1 and variance 2/100 over a hundred seeds.
func TestStreamsAreFair(t *testing.T) {
	a := preset(t, sla.Essential, "20000.00")
	m := pricing.Model{Outages: []pricing.Process{{PerPeriod: 0.5, Length: pricing.Fixed(10 * time.Hour)}}}
	const draws = 2000
	p := 1 - math.Exp(-0.5)
	squares := 0.0
	for seed := range uint64(100) {
		squares += math.Pow(simulate(t, a, m, draws, seed).CreditProbability()-p, 2) / (p * (1 - p) / draws)
	}
	near(t, "mean square deviation", squares/100, 1, 3*math.Sqrt(0.02))
}

// Parts that goroutines draw, in any split, come to the whole.
func TestMergeIsTheWhole(t *testing.T) {
	a := preset(t, sla.Enterprise, "100000.00")
	whole := simulate(t, a, busy(), 10_000, 5)
	for _, cuts := range [][]int{{0, 1, 10_000}, {0, 2500, 5000, 7500, 10_000}, {0, 9999, 10_000}} {
		parts := make([]pricing.Forecast, len(cuts)-1)
		var wait sync.WaitGroup
		for i := range parts {
			wait.Go(func() {
				var err error
				parts[i], err = pricing.Simulate(a, a.PeriodAt(october), busy(), pricing.Options{Seed: 5, First: uint64(cuts[i]), Draws: cuts[i+1] - cuts[i]})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		merged := parts[0]
		for _, part := range parts[1:] {
			var err error
			merged, err = merged.Merge(part)
			must(t, merged, err)
		}
		if asJSON(t, merged) != asJSON(t, whole) {
			t.Errorf("parts %v differ from the whole:\n%s\n%s", cuts, merged, whole)
		}
	}
}

func TestMergeRefuses(t *testing.T) {
	a := preset(t, sla.Enterprise, "100000.00")
	first := simulate(t, a, busy(), 100, 5)
	quiet := busy()
	quiet.Outages[0].PerPeriod = 1
	next := func(m pricing.Model, o pricing.Options) pricing.Forecast {
		f, err := pricing.Simulate(a, a.PeriodAt(october), m, o)
		return must(t, f, err)
	}
	for name, other := range map[string]pricing.Forecast{
		"the same draws":  first,
		"a gap":           next(busy(), pricing.Options{Seed: 5, First: 101, Draws: 10}),
		"another seed":    next(busy(), pricing.Options{Seed: 6, First: 100, Draws: 10}),
		"another model":   next(quiet, pricing.Options{Seed: 5, First: 100, Draws: 10}),
		"another service": simulate(t, preset(t, sla.Essential, "20000.00"), busy(), 100, 5),
	} {
		if _, err := first.Merge(other); !errors.Is(err, pricing.ErrMerge) {
			t.Errorf("%s: error %v, want ErrMerge", name, err)
		}
	}
}

// lostTime pays the share of the time that is down, so that its mean shows the
// mean downtime.
func lostTime(tb testing.TB, hours string, overlap sla.Overlap) *sla.Agreement {
	tb.Helper()
	c := sla.Preset("lost", sla.Essential, "Europe/Amsterdam", euros(tb, "1000000.00"))
	c.Terms = c.Terms[:1]
	c.Terms[0].Availability.Target = money.WholePercent(100)
	c.Terms[0].Availability.Remedy = sla.LostTime{Times: 1}
	c.Terms[0].Availability.ServiceHours = hours
	c.Terms[0].Availability.Measure = sla.Uptime{Overlap: overlap}
	return compile(tb, c)
}

// A point of the period is up if no outage covers it. Each covers it with
// probability X/T, wherever it begins, so that the points up are a share of
// exp(−λ·E[X]/T), in service hours as around the clock. Summed, the mean is
// λ·E[X]/T of the promised time.
func TestMeanDowntime(t *testing.T) {
	const fee, hours = 100_000_000.0, 745
	length := pricing.Lengths{Kind: pricing.Exponential, Mean: 5 * time.Hour}
	for _, c := range []struct {
		name      string
		agreement *sla.Agreement
		rate      float64
		overlap   sla.Overlap
		want      float64
	}{
		{"union", lostTime(t, "", sla.OverlapUnion), 100, sla.OverlapUnion, 1 - math.Exp(-100*5.0/hours)},
		{"union in office hours", lostTime(t, sla.OfficeHours, sla.OverlapUnion), 100, sla.OverlapUnion, 1 - math.Exp(-100*5.0/hours)},
		{"sum", lostTime(t, "", sla.OverlapUnion), 20, sla.OverlapSum, 20 * 5.0 / hours},
		{"sum by the contract", lostTime(t, "", sla.OverlapSum), 20, sla.OverlapUnion, 20 * 5.0 / hours},
		{"sum in office hours", lostTime(t, sla.OfficeHours, sla.OverlapUnion), 20, sla.OverlapSum, 20 * 5.0 / hours},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := simulate(t, c.agreement, pricing.Model{Overlap: c.overlap, Outages: []pricing.Process{{PerPeriod: c.rate, Length: length}}}, 20_000, 8)
			mean, _ := f.Mean().Float64()
			near(t, "mean payout", mean, fee*c.want, 3*f.StandardError())
		})
	}
}

// The mean payout under a share of the lost time shows the mean of each
// distribution, here with few outages of a month: fee · λ·E[X]/T.
func TestLengths(t *testing.T) {
	a := lostTime(t, "", sla.OverlapUnion)
	for _, c := range []struct {
		name   string
		length pricing.Lengths
		mean   float64 // hours
	}{
		{"fixed", pricing.Fixed(2 * time.Hour), 2},
		{"discrete", pricing.Lengths{Kind: pricing.Discrete, Values: []time.Duration{time.Hour, 4 * time.Hour}, Weights: []float64{3, 1}}, 1.75},
		{"empirical", pricing.Lengths{Kind: pricing.Empirical, Values: []time.Duration{time.Hour, time.Hour, 7 * time.Hour}}, 3},
		{"exponential", pricing.Lengths{Kind: pricing.Exponential, Mean: 2 * time.Hour}, 2},
		{"lognormal", pricing.Lengths{Kind: pricing.Lognormal, Mean: 2 * time.Hour, SD: time.Hour}, 2},
		{"weibull", pricing.Lengths{Kind: pricing.Weibull, Scale: time.Hour, Shape: 0.5}, 2}, // Γ(3)
		{"pareto", pricing.Lengths{Kind: pricing.Pareto, Scale: time.Hour, Shape: 3}, 1.5},   // 3/2
		// Longer than the period: cut to it.
		{"cut", pricing.Fixed(10_000 * time.Hour), 745},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := simulate(t, a, pricing.Model{Overlap: sla.OverlapSum, Outages: []pricing.Process{{PerPeriod: 0.1, Length: c.length}}}, 200_000, 3)
			mean, _ := f.Mean().Float64()
			want := 0.1 * c.mean / 745
			if c.name == "cut" {
				want = 1 - math.Exp(-0.1) // one is all, and two are no more
			}
			near(t, "mean payout", mean, 100_000_000*want, 3*f.StandardError())
		})
	}
}

// A contract that rounds once is priced by whole statements. With amounts that
// need no rounding every draw pays the same as under totals.
func TestStatementsAgreeWithTotals(t *testing.T) {
	c := sla.Preset("totals", sla.Enterprise, "Europe/Amsterdam", euros(t, "100000.00"))
	c.Terms[3].Monitoring.Count = sla.StartedHours
	c.Terms = append(c.Terms, sla.Term{ID: "updates", Update: &sla.Clock{Targets: []sla.Target{{Severity: incident.P1, Within: time.Hour, Credit: euros(t, "50.00")}}}})
	condensed := compile(t, c)
	c.RoundOnce = true
	full := compile(t, c)
	m := busy()
	m.Outages[0].PerPeriod = 6
	m.Late = append(m.Late,
		pricing.Late{Clause: sla.ClauseResolution, Severity: incident.P4, PerPeriod: 1, Probability: 0.5},
		pricing.Late{Clause: sla.ClauseUpdate, Severity: incident.P1, PerPeriod: 0.5, Probability: 0.9})
	got, want := simulate(t, full, m, 2000, 9), simulate(t, condensed, m, 2000, 9)
	if !got.Statements || want.Statements {
		t.Fatalf("whole statements: %t and %t, want them for the contract that rounds once alone", got.Statements, want.Statements)
	}
	if !reflect.DeepEqual(got.Payouts, want.Payouts) || !reflect.DeepEqual(got.Bands, want.Bands) || !reflect.DeepEqual(got.Clauses, want.Clauses) || got.Capped != want.Capped {
		t.Errorf("whole statements and totals differ:\n%s\n%s", got.Explain(), want.Explain())
	}
	if want.Credited < 500 || len(want.Payouts) < 10 {
		t.Errorf("%d draws with a credit, %d amounts: too few to compare", want.Credited, len(want.Payouts))
	}
}

// Two services, the worse of which pays, and each of which pays.
func TestServices(t *testing.T) {
	c := sla.Preset("two", sla.Essential, "Europe/Amsterdam", euros(t, "20000.00"))
	c.Terms = c.Terms[:1]
	c.Terms[0].Availability.Services = []sla.Service{{ID: "web"}, {ID: "db"}}
	// Ten hours down of 745 is the band of 10 %: a service pays 2000.00 if it has
	// an outage; more than one would be another band, and is rare.
	day := pricing.Fixed(10 * time.Hour)
	m := pricing.Model{Outages: []pricing.Process{{Service: "web", PerPeriod: 0.01, Length: day}, {Service: "db", PerPeriod: 0.02, Length: day}}}
	all := pricing.Model{Outages: []pricing.Process{{Service: "*", PerPeriod: 0.03, Length: day}}}
	each := c
	each.Terms = []sla.Term{c.Terms[0]}
	perService := *c.Terms[0].Availability
	perService.Aggregate = sla.PerService
	each.Terms[0].Availability = &perService
	for _, row := range []struct {
		name       string
		contract   sla.Contract
		model      pricing.Model
		statements bool
		largest    string
		want       float64
		second     string
	}{
		{"worst", c, m, false, "5000.00", 1 - math.Exp(-0.03), "2000.00"},
		{"all at once", c, all, false, "5000.00", 1 - math.Exp(-0.03), "2000.00"},
		{"each", each, m, true, "5000.00", 1 - math.Exp(-0.03), "2000.00"},
		{"each at once", each, all, true, "10000.00", 1 - math.Exp(-0.03), "4000.00"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := simulate(t, compile(t, row.contract), row.model, 20_000, 2)
			if f.Statements != row.statements {
				t.Errorf("whole statements: %t, want %t", f.Statements, row.statements)
			}
			near(t, "any credit", f.CreditProbability(), row.want, 3*math.Sqrt(row.want*(1-row.want)/20_000))
			if f.Payouts[1].Amount.Decimal() != row.second {
				t.Errorf("the smallest credit is %s, want %s", f.Payouts[1].Amount, row.second)
			}
			if largest := f.Payouts[len(f.Payouts)-1].Amount; largest.Minor() > euros(t, row.largest).Minor() {
				t.Errorf("the largest credit is %s, want at most %s", largest, row.largest)
			}
		})
	}
	f := simulate(t, compile(t, c), pricing.Model{Outages: []pricing.Process{{Service: "mail", PerPeriod: 5, Length: day}}}, 100, 2)
	if f.Credited > 0 || len(f.Notes) != 1 {
		t.Errorf("outages of a service that no term measures: %d credits, notes %q", f.Credited, f.Notes)
	}
}

// A remedy by the outage, and a strict one by the unknown time: whole statements
// too.
func TestPerOutage(t *testing.T) {
	c := sla.Preset("outage", sla.Essential, "Europe/Amsterdam", euros(t, "20000.00"))
	c.Terms = c.Terms[:1]
	c.Terms[0].Availability.Target = money.WholePercent(100)
	c.Terms[0].Availability.Remedy = sla.PerOutage{Amount: euros(t, "100.00")}
	a := compile(t, c)
	// Four outages of a second a month hardly ever meet.
	m := pricing.Model{Outages: []pricing.Process{{PerPeriod: 4, Length: pricing.Fixed(time.Second)}}}
	f := simulate(t, a, m, 5000, 6)
	mean, _ := f.Mean().Float64()
	near(t, "mean payout", mean, 4*10_000, 3*f.StandardError())
	near(t, "missed", f.Bands[1].Probability, 1-math.Exp(-4), 3*math.Sqrt(math.Exp(-4)/5000))
	m.Overlap = sla.OverlapSum
	_, err := pricing.Simulate(a, a.PeriodAt(october), m, pricing.Options{})
	var wrong *pricing.ModelError
	if !errors.As(err, &wrong) || wrong.Path != "overlap" || !errors.Is(err, sla.ErrNotCondensed) {
		t.Errorf("sum of outages under a remedy by the outage: error %v, want overlap", err)
	}
}

// Nobody watched for the whole month: no data, which earns no credit for
// availability. Twenty hours at 1 % are a fifth of the fee.
func TestNoDataAllMonth(t *testing.T) {
	m := pricing.Model{Gaps: []pricing.Process{{PerPeriod: 3, Length: pricing.Fixed(2000 * time.Hour)}}}
	f := simulate(t, preset(t, sla.Essential, "20000.00"), m, 10_000, 2)
	last := f.Bands[len(f.Bands)-1]
	p := 1 - math.Exp(-3)
	if last.Outcome != pricing.NoData {
		t.Fatalf("the last outcome is %s", last.Outcome)
	}
	near(t, "no data", last.Probability, p, 3*math.Sqrt(p*(1-p)/10_000))
	if largest := f.Payouts[len(f.Payouts)-1].Amount; largest.Decimal() != "20000.00" || f.Capped != last.Draws {
		t.Errorf("745 hours at 1 %% pay %s in %d capped draws, want the fee in %d", largest, f.Capped, last.Draws)
	}
}

func TestPercentilesAndHistogram(t *testing.T) {
	payout := func(text string, draws int64) pricing.Payout {
		return pricing.Payout{Amount: euros(t, text), Draws: draws}
	}
	// Twenty draws: rank ⌈20·p/100⌉ is 1 for P5, 10 for P50, 11 for P51, 19 for
	// P95 and 20 for P96.
	f := pricing.Forecast{Fee: euros(t, "100.00"), Draws: 20, Total: euros(t, "27.00"), Payouts: []pricing.Payout{payout("0.00", 10), payout("1.00", 7), payout("5.00", 2), payout("10.00", 1)}}
	for percent, want := range map[int]string{-3: "0.00", 1: "0.00", 50: "0.00", 51: "1.00", 85: "1.00", 86: "5.00", 95: "5.00", 96: "10.00", 100: "10.00", 900: "10.00"} {
		if got := f.Percentile(percent).Decimal(); got != want {
			t.Errorf("P%d = %s, want %s", percent, got, want)
		}
	}
	// 7·1 + 2·5 + 10 = 27; Σx² = 7 + 50 + 100 = 157; s² = (157 − 27²/20)/19 =
	// 6.34474; s/√20 = 0.563238 euros.
	near(t, "standard error", f.StandardError(), 56.3238, 0.0001)
	if f.Expected().Decimal() != "1.35" || f.Mean().RatString() != "135" {
		t.Errorf("mean %s and %s, want 1.35 and 135", f.Expected(), f.Mean())
	}
	// Three bins of 3.34: ten and seven below 3.34, two below 6.68, one above.
	want := []int64{17, 2, 1}
	for i, bin := range f.Histogram(3) {
		if bin.Draws != want[i] || bin.Below.Minor()-bin.From.Minor() != 334 {
			t.Errorf("bin %d holds %d from %s to %s, want %d in a width of 3.34", i, bin.Draws, bin.From, bin.Below, want[i])
		}
	}
	if f.Histogram(0) != nil || (pricing.Forecast{}).Histogram(3) != nil || (pricing.Forecast{}).Percentile(50).IsSet() {
		t.Error("a histogram without bins, or a figure without draws")
	}
}

func TestForecastLaws(t *testing.T) {
	for _, tier := range sla.Tiers {
		f := simulate(t, preset(t, tier, "50000.00"), busy(), 20_000, uint64(tier))
		last := int64(0)
		for percent := 1; percent <= 100; percent++ {
			p := f.Percentile(percent).Minor()
			if p < last || p > f.Fee.Minor() {
				t.Fatalf("P%d is %d after %d under a cap of %s", percent, p, last, f.Fee)
			}
			last = p
		}
		draws, histogram, bands, clauses := int64(0), int64(0), int64(0), f.Fee.Zero()
		for _, p := range f.Payouts {
			draws += p.Draws
		}
		for _, b := range f.Histogram(7) {
			histogram += b.Draws
		}
		for _, b := range f.Bands {
			bands += b.Draws
		}
		for _, c := range f.Clauses {
			sum, err := clauses.Add(c.Total)
			clauses = must(t, sum, err)
		}
		if draws != f.Draws || histogram != f.Draws || bands != f.Draws || clauses != f.Total {
			t.Errorf("%d payouts, %d in bins, %d in bands of %d draws; clauses of %s in %s", draws, histogram, bands, f.Draws, clauses, f.Total)
		}
	}
}

func TestOptions(t *testing.T) {
	a := preset(t, sla.Essential, "20000.00")
	m := pricing.Model{Outages: []pricing.Process{{PerPeriod: 0.1, Length: pricing.Fixed(time.Hour)}}}
	if f := simulate(t, a, m, 0, 1); f.Draws != pricing.DefaultDraws {
		t.Errorf("%d draws by default, want %d", f.Draws, pricing.DefaultDraws)
	}
	for path, o := range map[string]pricing.Options{
		"options.draws": {Draws: pricing.MaxDraws + 1},
		"options.first": {First: 1 << 63},
	} {
		_, err := pricing.Simulate(a, a.PeriodAt(october), m, o)
		var wrong *pricing.ModelError
		if !errors.As(err, &wrong) || wrong.Path != path {
			t.Errorf("error %v, want one at %q", err, path)
		}
	}
	if _, err := pricing.Simulate(a, sla.Period{}, m, pricing.Options{}); !errors.Is(err, sla.ErrPeriod) {
		t.Errorf("empty period: error %v, want ErrPeriod", err)
	}
}

// What comes beside an error can be asked like anything else.
func TestZeroValues(t *testing.T) {
	var f pricing.Forecast
	var d pricing.Distribution
	for name, a := range map[string]money.Amount{
		"Forecast.Expected": f.Expected(), "Forecast.Percentile": f.Percentile(99),
		"Distribution.Expected": d.Expected(), "Distribution.Percentile": d.Percentile(99),
	} {
		if a.IsSet() {
			t.Errorf("%s = %s, want no amount", name, a)
		}
	}
	if f.StandardError() != 0 || f.Histogram(3) != nil {
		t.Errorf("standard error %v, histogram %v, want 0 and none", f.StandardError(), f.Histogram(3))
	}
	for name, text := range map[string]string{"Forecast": f.Explain(), "Distribution": d.Explain()} {
		if !strings.Contains(text, "any credit: 0.00") {
			t.Errorf("%s: %q, want no credit", name, text)
		}
	}
}
