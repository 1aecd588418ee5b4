package sla_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Every remedy on a day of 24 h, fee 1000.00, target 99 %.
func TestRemedies(t *testing.T) {
	hours := func(list ...float64) (out []sla.Outage) {
		for i := 0; i < len(list); i += 2 {
			out = append(out, outage("", list[i], list[i+1]))
		}
		return out
	}
	for _, c := range []struct {
		name    string
		remedy  sla.Remedy
		outages []sla.Outage
		want    string
		explain string // in one of the lines
	}{
		// 3 h of 24 lost: 125.00, ten times.
		{"lost time", sla.LostTime{Times: 10}, hours(1, 2, 3, 5), "1250.00: 1250.00 of 1250.00", "up 21h0m0s of 24h0m0s: the lost time × 10 of 1000.00 EUR, rounded half_up = 1250.00 EUR"},
		// 99 − 87.5 = 11.5 %, twice.
		{"lost time beyond the target", sla.LostTime{Times: 2, BeyondTarget: true}, hours(1, 2, 3, 5), "230.00: 230.00 of 230.00", "87.500000 %, up 21h0m0s of 24h0m0s: the lost time beyond 99% × 2 of 1000.00 EUR, rounded half_up = 230.00 EUR"},
		// 1/24 = 41.666… and 2/24 = 83.33…, the second bounded by 5 %.
		{"lost time, bounded by the outage", sla.LostTime{Times: 1, OutageCapPercent: percentage("5")}, hours(1, 2, 3, 5), "41.67 + 50.00: 91.67 of 91.67", "down 2h0m0s from 2026-04-01T03:00:00Z: the lost time × 1 of 1000.00 EUR, at most 5% an outage, rounded half_up = 50.00 EUR"},
		// 1 h less 15 min is one half hour and a rest; 2 h less 15 min three and a rest.
		{"full intervals", sla.PerInterval{Percent: percent("3"), Interval: 30 * time.Minute, Deductible: 15 * time.Minute}, hours(1, 2, 3, 5), "30.00 + 90.00: 120.00 of 120.00", "down 1h0m0s from 2026-04-01T01:00:00Z: each full 30m0s after the first 15m0s, 1 × 3% of 1000.00 EUR, rounded half_up = 30.00 EUR"},
		{"started intervals", sla.PerInterval{Percent: percent("3"), Interval: 30 * time.Minute, Deductible: 15 * time.Minute, Started: true}, hours(1, 2, 3, 5), "60.00 + 120.00: 180.00 of 180.00", "each started 30m0s after the first 15m0s, 4 × 3% of 1000.00 EUR, rounded half_up = 120.00 EUR"},
		{"started intervals, bounded by the outage", sla.PerInterval{Percent: percent("3"), Interval: 30 * time.Minute, Started: true, OutageCapPercent: percentage("10")}, hours(1, 2, 3, 5), "60.00 + 100.00: 160.00 of 160.00", "each started 30m0s, 4 × 3% of 1000.00 EUR, at most 10% an outage, rounded half_up = 100.00 EUR"},
		{"nothing beyond the deductible", sla.PerInterval{Percent: percent("3"), Interval: time.Minute, Started: true, Deductible: time.Hour}, hours(1, 2), ": 0.00 of 0.00", ""},
		{"an amount per outage", sla.PerOutage{Amount: eur("12.34")}, hours(1, 2, 3, 5), "12.34 + 12.34: 24.68 of 24.68", "12.34 EUR per incident"},
		{"a percentage per outage", sla.PerOutage{Percent: percent("1.5")}, hours(1, 2, 3, 5), "15.00 + 15.00: 30.00 of 30.00", "1.5% of 1000.00 EUR"},
		{"outages that touch are one", sla.PerOutage{Amount: eur("12.34")}, hours(1, 2, 2, 5), "12.34: 12.34 of 12.34", ""},
		// No counts: 3 h of 24.
		{"usage without counts", sla.UsageShare{}, hours(1, 2, 3, 5), "125.00: 125.00 of 125.00", "the lost time × 1"},
		{"unknown", sla.UnknownRemedy{}, hours(1, 2), ": 0.00 of 0.00", ""},
		{"days of service", sla.Bands{Bands: []sla.Band{{Below: percent("99"), Days: 1}}}, hours(1, 2), "1000.00: 1000.00 of 1000.00", "1 of 1 days of 1000.00 EUR"},
		{"no band", sla.Bands{Bands: []sla.Band{{Below: percent("50"), Credit: percent("10")}}}, hours(1, 2), "0.00: 0.00 of 0.00", "in no band"},
	} {
		contract := uptime(percent("99"), "1000.00", nil)
		contract.Terms[0].Availability.Remedy = c.remedy
		s := statement(t, contract, sla.Evidence{Outages: c.outages})
		if got := amountsOf(s); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if !slices.ContainsFunc(s.Lines, func(l sla.Line) bool { return strings.Contains(l.Explain(), c.explain) }) && c.explain != "" {
			t.Errorf("%s: no line has %q, the first is %q", c.name, c.explain, s.Lines[0].Explain())
		}
		if _, ok := c.remedy.(sla.UnknownRemedy); ok != hasFinding(s, sla.FindingRemedy) {
			t.Errorf("%s: findings %+v", c.name, s.Findings)
		}
	}
}

// A line for one stretch names the outages in it, in the order of time.
func TestEvidenceOfStretches(t *testing.T) {
	c := uptime(percent("99"), "1000.00", nil)
	c.Terms[0].Availability.Remedy = sla.PerOutage{Percent: percent("1")}
	s := statement(t, c, sla.Evidence{Outages: []sla.Outage{outage("", 3, 3.5), outage("", 1, 2), outage("", 1.5, 2.5)}})
	var got []string
	for _, l := range s.Lines {
		got = append(got, fmt.Sprint(l.Stretch.Start.Format("15:04"), l.Evidence))
	}
	equalText(t, "lines", got, []string{"01:00[-1 -1.5]", "03:00[-3]"})
}

// 300 of 1000 requests were counted while the service was down, whatever became
// of them: 30 % of the usage fee of 200.00.
func TestUsageShare(t *testing.T) {
	c := uptime(percent("99"), "1000.00", nil)
	c.Terms[0].Availability.Remedy, c.Terms[0].FeeBase = sla.UsageShare{}, "requests"
	e := sla.Evidence{Outages: []sla.Outage{outage("", 1, 3)}, Fees: map[string]money.Amount{"requests": eur("200.00")}}
	for hour, n := range map[float64]uint64{0: 500, 1: 200, 2.5: 100, 3: 200, 30: 9999} {
		at, _ := hoursOf(hour, 0)
		e.Requests = append(e.Requests, sla.Requests{Start: at, Total: n})
	}
	s := statement(t, c, e)
	equalText(t, "amounts", amountsOf(s), "60.00: 60.00 of 60.00")
	if text := s.Lines[0].Explain(); !strings.Contains(text, "the usage in downtime of 200.00 EUR, rounded half_up = 60.00 EUR") {
		t.Errorf("Explain = %q", text)
	}
}

// A fee base that is not on file is the fee of the contract, and a finding.
func TestFeeBase(t *testing.T) {
	c := uptime(percent("99"), "1000.00", sla.ReferenceBands()) // 1 h of 24 down: 95.83 %, 25 %
	c.Terms[0].FeeBase = "compute"
	for _, f := range []struct {
		name string
		fees map[string]money.Amount
		want string
		miss bool
	}{
		{"on file", map[string]money.Amount{"compute": eur("80.00"), "": eur("1.00")}, "20.00: 20.00 of 20.00", false},
		{"of nothing", map[string]money.Amount{"compute": eur("0.00")}, "0.00: 0.00 of 0.00", false},
		{"missing", map[string]money.Amount{"storage": eur("80.00")}, "250.00: 250.00 of 250.00", true},
	} {
		s := statement(t, c, sla.Evidence{Outages: []sla.Outage{outage("", 1, 2)}, Fees: f.fees})
		if got := amountsOf(s); got != f.want || hasFinding(s, sla.FindingFeeBase) != f.miss {
			t.Errorf("%s: %s, findings %+v, want %s", f.name, got, s.Findings, f.want)
		}
	}
}

// Three outages of 4, 9 and 12 minutes earn 0.1 % of 3.00 a minute, which is 1.2,
// 2.7 and 3.6 cents: 7.5 together.
func TestRoundOnce(t *testing.T) {
	for _, c := range []struct {
		rounding money.Rounding
		once     bool
		want     string
	}{
		{money.HalfUp, false, "0.01 + 0.03 + 0.04: 0.08 of 0.08"},
		{money.Down, false, "0.01 + 0.02 + 0.03: 0.06 of 0.06"},
		{money.Up, false, "0.02 + 0.03 + 0.04: 0.09 of 0.09"},
		{money.HalfUp, true, "0.01 + 0.03 + 0.04: 0.08 of 0.08"},   // 8 less 1 + 2 + 3 is 2, for .7 and .6
		{money.HalfEven, true, "0.01 + 0.03 + 0.04: 0.08 of 0.08"}, // 7.5 to the even 8
		{money.Down, true, "0.01 + 0.03 + 0.03: 0.07 of 0.07"},     // 1, for .7
		{money.Up, true, "0.01 + 0.03 + 0.04: 0.08 of 0.08"},
	} {
		contract := uptime(percent("99"), "3.00", nil)
		contract.Terms[0].Availability.Remedy = sla.PerInterval{Percent: percent("0.1"), Interval: time.Minute}
		contract.Rounding, contract.RoundOnce = c.rounding, c.once
		s := statement(t, contract, sla.Evidence{Outages: []sla.Outage{outage("", 1, 1+4.0/60), outage("", 2, 2+9.0/60), outage("", 3, 3+12.0/60)}})
		if got := amountsOf(s); got != c.want {
			t.Errorf("%s, once %v: %s, want %s", c.rounding, c.once, got, c.want)
		}
	}
	// Half a cent three times is 1.5 cents: the two left over go to the first
	// lines, and fixed amounts stay what they are.
	contract := uptime(percent("99"), "1.00", nil)
	contract.Terms[0].Availability.Remedy = sla.PerOutage{Percent: percent("0.5")}
	contract.Terms = append(contract.Terms, sla.Term{ID: "fixed", Availability: &sla.Availability{Target: percent("99"), Remedy: sla.PerOutage{Amount: eur("0.10")}}})
	contract.RoundOnce = true
	s := statement(t, contract, sla.Evidence{Outages: []sla.Outage{outage("", 1, 2), outage("", 3, 4), outage("", 5, 6)}})
	equalText(t, "amounts", amountsOf(s), "0.01 + 0.01 + 0.00 + 0.10 + 0.10 + 0.10: 0.32 of 0.32")
	if text := s.Lines[2].Explain(); !strings.HasSuffix(text, "0.5% of 1.00 EUR, rounded half_up with all lines = 0.00 EUR") {
		t.Errorf("Explain = %q, want the rounding of all lines", text)
	}
}

// april is a contract by the month whose service is down all April: 50 % of
// 3000.00.
func april(tb testing.TB, change func(*sla.Contract, *sla.Evidence)) (sla.Statement, error) {
	tb.Helper()
	c := uptime(percent("99"), "3000.00", sla.ReferenceBands())
	p := sla.Billing{}.At(vectorStart, time.UTC)
	e := sla.Evidence{Observed: p.Interval, Outages: []sla.Outage{{Ref: "o", Start: p.Start, End: p.End}}}
	change(&c, &e)
	a, err := sla.Compile(c)
	if err != nil {
		tb.Fatal(err)
	}
	return a.Evaluate(a.PeriodAt(vectorStart), e)
}

func TestCaps(t *testing.T) {
	issued := func(amounts ...string) (out []sla.IssuedCredit) {
		for i := 0; i < len(amounts); i += 2 {
			out = append(out, sla.IssuedCredit{At: instant(t, amounts[i]+"T00:00:00Z"), Amount: eur(amounts[i+1])})
		}
		return out
	}
	for _, c := range []struct {
		name    string
		change  func(*sla.Contract, *sla.Evidence)
		limit   string
		payable string
	}{
		{"none", func(*sla.Contract, *sla.Evidence) {}, "", "1500.00"},
		{"days of 30", func(c *sla.Contract, _ *sla.Evidence) { c.CapDays = 3 }, "300.00", "300.00"},
		{"more days than the month", func(c *sla.Contract, _ *sla.Evidence) { c.CapDays = 45 }, "3000.00", "1500.00"},
		// From the 16th on: a fee of 1500.00 for 15 days, of which 50 % are due.
		{"days of half a month", func(c *sla.Contract, _ *sla.Evidence) { c.CapDays, c.From = 3, vectorStart.AddDate(0, 0, 15) }, "300.00", "300.00"},
		{"half a month in full", func(c *sla.Contract, _ *sla.Evidence) { c.FullFee, c.From = true, vectorStart.AddDate(0, 0, 15) }, "", "1500.00"},
		{"half a month in proportion", func(c *sla.Contract, _ *sla.Evidence) { c.From = vectorStart.AddDate(0, 0, 15) }, "", "750.00"},
		// 12 · 3000.00 · 20 % = 7200.00. The credit for the April before (it ended
		// on 1 May 2025) lies before the twelve months, that for this one is it.
		{"year", func(c *sla.Contract, e *sla.Evidence) {
			c.CapYearPercent = percentage("20")
			e.Issued = issued("2025-05-01", "9000.00", "2025-06-01", "5000.00", "2026-04-01", "1999.99", "2026-05-01", "9000.00")
		}, "200.01", "200.01"},
		{"year used up", func(c *sla.Contract, e *sla.Evidence) {
			c.CapYearPercent, e.Issued = percentage("20"), issued("2026-01-01", "7200.01")
		}, "0.00", "0.00"},
		// 4 · 3000.00 · 5 %
		{"year of quarters", func(c *sla.Contract, _ *sla.Evidence) {
			c.CapYearPercent, c.Period = percentage("5"), sla.Billing{Months: 3}
		}, "600.00", "600.00"},
		// 365/28 · 3000.00 = 39107.142… → 39107.14; 2 % = 782.1428 → 782.14
		{"year of fixed days", func(c *sla.Contract, _ *sla.Evidence) {
			c.CapYearPercent, c.Period = percentage("2"), sla.Billing{Days: 28, First: vectorStart}
		}, "782.14", "782.14"},
		{"invoice", func(c *sla.Contract, e *sla.Evidence) {
			c.CapInvoicePercent, e.Invoice = percentage("30"), eur("812.50")
		}, "243.75", "243.75"},
		{"the lowest of all", func(c *sla.Contract, e *sla.Evidence) {
			c.CapPercent, c.CapInvoicePercent, c.CapDays = percentage("40"), percentage("100"), 10
			e.Invoice = eur("1100.00")
		}, "1000.00", "1000.00"},
	} {
		s, err := april(t, c.change)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		limit := ""
		if s.Cap.IsSet() {
			limit = s.Cap.Decimal()
		}
		if limit != c.limit || s.Payable.Decimal() != c.payable {
			t.Errorf("%s: %s under a cap of %q, want %s under %q", c.name, s.Payable, limit, c.payable, c.limit)
		}
	}
}

// Amounts that credits come from are in the currency of the fee and not negative.
func TestAmountsOfEvidence(t *testing.T) {
	usd, minus := money.Must(money.Parse("1.00 USD")), eur("-1.00")
	for _, c := range []struct {
		name   string
		change func(*sla.Contract, *sla.Evidence)
		path   string // "" is no error
	}{
		{"no invoice for its cap", func(c *sla.Contract, _ *sla.Evidence) { c.CapInvoicePercent = percentage("10") }, "invoice"},
		{"invoice in dollars", func(c *sla.Contract, e *sla.Evidence) { c.CapInvoicePercent, e.Invoice = percentage("10"), usd }, "invoice"},
		{"invoice in dollars that nothing needs", func(_ *sla.Contract, e *sla.Evidence) { e.Invoice = usd }, ""},
		{"negative invoice", func(_ *sla.Contract, e *sla.Evidence) { e.Invoice = minus }, "invoice"},
		{"credit in dollars", func(c *sla.Contract, e *sla.Evidence) {
			c.CapYearPercent, e.Issued = percentage("10"), []sla.IssuedCredit{{At: vectorStart, Amount: usd}}
		}, "issued[0]"},
		{"negative credit", func(_ *sla.Contract, e *sla.Evidence) {
			e.Issued = []sla.IssuedCredit{{Amount: eur("1.00")}, {Amount: minus}}
		}, "issued[1]"},
		{"credit without an amount", func(_ *sla.Contract, e *sla.Evidence) { e.Issued = []sla.IssuedCredit{{}} }, "issued[0]"},
		{"fee base in dollars", func(c *sla.Contract, e *sla.Evidence) {
			c.Terms[0].FeeBase, e.Fees = "compute", map[string]money.Amount{"compute": usd}
		}, "fees.compute"},
		{"fee in dollars that nothing names", func(_ *sla.Contract, e *sla.Evidence) { e.Fees = map[string]money.Amount{"compute": usd} }, ""},
		{"negative fee", func(_ *sla.Contract, e *sla.Evidence) { e.Fees = map[string]money.Amount{"compute": minus} }, "fees.compute"},
		{"negative invoiced fee", func(_ *sla.Contract, e *sla.Evidence) { e.Invoiced = []money.Amount{minus} }, "invoiced[0]"},
		{"more than all customers", func(_ *sla.Contract, e *sla.Evidence) { e.Outages[0].Affected = percentage("100.0000001") }, "outages[0]"},
		{"an outage without a start", func(_ *sla.Contract, e *sla.Evidence) { e.Outages[0].Start = time.Time{} }, "outages[0]"},
		{"a change that ends before it starts", func(_ *sla.Contract, e *sla.Evidence) {
			e.Changes = []sla.Change{{Start: vectorStart, End: vectorStart.Add(-1)}}
		}, "changes[0]"},
	} {
		var contract sla.Contract
		var evidence sla.Evidence
		_, err := april(t, func(co *sla.Contract, e *sla.Evidence) {
			c.change(co, e)
			contract, evidence = *co, *e
		})
		e, ok := errors.AsType[*sla.EvidenceError](err)
		if ok != (c.path != "") || ok && e.Path != c.path || !ok && err != nil {
			t.Errorf("%s: %v, want an error at %q", c.name, err, c.path)
		}
		if strings.HasPrefix(c.path, "outages") || strings.HasPrefix(c.path, "changes") {
			continue // which a pricer does not look at
		}
		a, err := sla.Compile(contract)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = a.Pricer(a.PeriodAt(vectorStart), evidence); (err != nil) != (c.path != "" && c.path != "invoiced[0]") && c.path != "invoiced[0]" {
			t.Errorf("%s: Pricer = %v, want an error at %q", c.name, err, c.path)
		}
	}
}

// Two availability terms of 250.00 and 100.00 and a response of 200.00.
func TestStack(t *testing.T) {
	for _, c := range []struct {
		stack     sla.Stack
		response  string
		waterfall string
		payable   string
		best      string
	}{
		{sla.StackSum, "200.00", "availability 350.00, response 200.00", "550.00", ""},
		{sla.StackMax, "200.00", "availability 350.00, response 0.00", "350.00", "availability"},
		{sla.StackMax, "400.00", "availability 0.00, response 400.00", "400.00", "response"},
		{sla.StackEither, "200.00", "availability 250.00, response 0.00", "250.00", "first"},
		{sla.StackEither, "250.00", "availability 250.00, response 0.00", "250.00", "first"}, // in a tie the first
		{sla.StackEither, "250.01", "availability 0.00, response 250.01", "250.01", "response"},
	} {
		contract := uptime(percent("99"), "1000.00", []sla.Band{{Below: percent("99"), Credit: percent("25")}})
		contract.Terms[0].ID = "first"
		second := *contract.Terms[0].Availability
		second.Remedy = sla.PerOutage{Amount: eur("100.00")}
		contract.Terms = append(contract.Terms, sla.Term{ID: "second", Availability: &second}, sla.Term{ID: "response", Response: &sla.Clock{
			Targets: []sla.Target{{Severity: incident.P1, Within: time.Hour, Credit: eur(c.response)}},
		}})
		contract.Stack = c.stack
		s := statement(t, contract, sla.Evidence{
			Outages: []sla.Outage{outage("", 1, 2)}, Incidents: []sla.Incident{{ID: "i", Severity: incident.P1, Opened: day.Start}},
		})
		var paid []string
		for _, w := range s.Waterfall {
			paid = append(paid, fmt.Sprintf("%s %s", w.Clause, w.Payable.Decimal()))
		}
		best := ""
		for _, f := range s.Findings {
			if f.Code == sla.FindingStacked {
				best = f.Ref
			}
		}
		if got := strings.Join(paid, ", "); got != c.waterfall || s.Payable.Decimal() != c.payable || best != c.best {
			t.Errorf("%s with %s: %s, payable %s, best %q, want %s, %s, %q", c.stack, c.response, got, s.Payable, best, c.waterfall, c.payable, c.best)
		}
	}
}

// a is down for half of the day, b not at all: a mean of 75 %. With weights of 1
// and 3 it is (50 + 3·100)/4 = 87.5 %. What nobody measured has no weight.
func TestMeans(t *testing.T) {
	bands := []sla.Band{{Below: percent("99"), From: percent("80"), Credit: percent("10")}, {Below: percent("80"), Credit: percent("25")}}
	blind := sla.Gap{Service: "c", Start: day.Start, End: day.End}
	for _, c := range []struct {
		name      string
		aggregate sla.Aggregate
		services  []sla.Service
		gaps      []sla.Gap
		value     string
		outcome   sla.Outcome
		want      string
	}{
		{"mean", sla.Mean, []sla.Service{{ID: "a"}, {ID: "b"}}, nil, "3/4", sla.Missed, "250.00: 250.00 of 250.00"},
		{"weighted", sla.Weighted, []sla.Service{{ID: "a", Weight: 1}, {ID: "b", Weight: 3}}, nil, "7/8", sla.Missed, "100.00: 100.00 of 100.00"},
		{"mean without what nobody measured", sla.Mean, []sla.Service{{ID: "a"}, {ID: "c"}, {ID: "b"}}, []sla.Gap{blind}, "3/4", sla.Missed, "250.00: 250.00 of 250.00"},
		{"weighted without it", sla.Weighted, []sla.Service{{ID: "c", Weight: 100}, {ID: "a", Weight: 1}, {ID: "b", Weight: 3}}, []sla.Gap{blind}, "7/8", sla.Missed, "100.00: 100.00 of 100.00"},
		{"met", sla.Mean, []sla.Service{{ID: "b"}}, nil, "1/1", sla.Met, ": 0.00 of 0.00"},
		{"nothing measured", sla.Mean, []sla.Service{{ID: "c"}}, []sla.Gap{blind}, "no data", sla.NoData, ": 0.00 of 0.00"},
	} {
		contract := uptime(percent("99"), "1000.00", bands)
		contract.Terms[0].Availability.Aggregate, contract.Terms[0].Availability.Services = c.aggregate, c.services
		s := statement(t, contract, sla.Evidence{Outages: []sla.Outage{outage("a", 0, 12)}, Gaps: c.gaps})
		o := s.Overall[0]
		if o.Value.String() != c.value || o.Outcome != c.outcome || o.Method != c.aggregate || o.Service != "" || amountsOf(s) != c.want {
			t.Errorf("%s: %+v, %s, want %s, %s, %s", c.name, o, amountsOf(s), c.value, c.outcome, c.want)
		}
	}
}

// unpaid is a remedy of a program's own whose lines are wrong.
type unpaid struct{ amount money.Amount }

func (u unpaid) Credits(m sla.Miss) ([]sla.Line, error) {
	l, err := m.Line(sla.PercentOfFee, big.NewRat(1, 8))
	l.Amount = u.amount
	return []sla.Line{l}, err
}

// refuses is a remedy and a measure that fail.
type refuses struct{}

var errRefused = errors.New("refused")

func (refuses) Credits(sla.Miss) ([]sla.Line, error)           { return nil, errRefused }
func (refuses) Measure(sla.Sample) (sla.Reading, error)        { return sla.Reading{}, errRefused }
func (refuses) Detect(sla.Sample) ([]calendar.Interval, error) { return nil, errRefused }
func (r refuses) contract(change func(*sla.Availability)) sla.Contract {
	c := uptime(percent("99"), "1000.00", nil)
	change(c.Terms[0].Availability)
	return c
}

func TestOwnRemedy(t *testing.T) {
	e := sla.Evidence{Observed: day.Interval, Outages: []sla.Outage{outage("", 1, 2)}}
	c := uptime(percent("99"), "0.10", nil)
	// 1/8 of 10 cents is 1.25; the remedy makes 7 of it, which stands also where
	// the sum is rounded.
	for _, once := range []bool{false, true} {
		c.Terms[0].Availability.Remedy, c.RoundOnce = unpaid{eur("0.07")}, once
		equalText(t, "amounts", amountsOf(statement(t, c, e)), "0.07: 0.07 of 0.07")
	}
	for _, bad := range []money.Amount{{}, eur("-0.01"), money.Must(money.Parse("0.07 USD"))} {
		c.Terms[0].Availability.Remedy = unpaid{bad}
		if _, err := sla.Evaluate(c, day, e); err == nil || !strings.Contains(err.Error(), "sla_test.unpaid") {
			t.Errorf("Evaluate with a line of %q = %v, want an error that names the remedy", bad, err)
		}
	}
	for name, change := range map[string]func(*sla.Availability){
		"remedy":  func(a *sla.Availability) { a.Remedy = refuses{} },
		"measure": func(a *sla.Availability) { a.Measure = refuses{} },
	} {
		_, err := sla.Evaluate(refuses{}.contract(change), day, e)
		if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), `term "uptime"`) {
			t.Errorf("Evaluate with a %s that fails = %v, want its error and the term", name, err)
		}
	}
}

// Remedies and measures that were not checked say so when they are used.
func TestUncheckedKinds(t *testing.T) {
	missed := sla.Miss{Fee: eur("1.00"), Days: 30, Measured: sla.Measured{Downtime: []calendar.Interval{day.Interval}}}
	missed.Value, _ = sla.NewFraction(1, 2)
	for _, r := range []sla.Remedy{sla.PerInterval{}, sla.LostTime{Times: 1, OutageCapPercent: percentage("1")}} {
		if lines, err := r.Credits(missed); err == nil {
			t.Errorf("%T: lines %+v, want an error", r, lines)
		}
	}
	missed.Days = 0
	if lines, err := (sla.Bands{Bands: []sla.Band{{Below: percent("99"), Days: 1}}}).Credits(missed); err == nil {
		t.Errorf("days of no period: %+v, want an error", lines)
	}
	if _, err := (sla.BadSlots{}).Detect(sla.Sample{}); err == nil {
		t.Error("BadSlots of no length: want an error")
	}
	if _, err := (sla.MeanErrorRate{}).Measure(sla.Sample{}); err == nil {
		t.Error("MeanErrorRate of slots of no length: want an error")
	}
}

// What does not fit an amount is an error, never a wrapped number.
func TestOverflow(t *testing.T) {
	huge := money.Must(money.New(math.MaxInt64, "EUR"))
	e := sla.Evidence{Observed: day.Interval, Outages: []sla.Outage{outage("", 1, 2), outage("", 3, 4)}}
	for name, change := range map[string]func(*sla.Contract){
		"sum of lines":    func(c *sla.Contract) { c.Terms[0].Availability.Remedy = sla.PerOutage{Amount: huge} },
		"line":            func(c *sla.Contract) { c.Terms[0].Availability.Remedy = sla.LostTime{Times: 1000} },
		"cap":             func(c *sla.Contract) { c.CapPercent = percentage("101") },
		"cap of the term": func(c *sla.Contract) { c.Terms[0].CapPercent = percentage("101") },
		"cap of the year": func(c *sla.Contract) { c.CapYearPercent = percentage("1") },
		"rounded sum": func(c *sla.Contract) {
			c.Terms[0].Availability.Remedy, c.RoundOnce = sla.PerOutage{Amount: huge}, true
		},
		"sum of terms": func(c *sla.Contract) {
			c.Terms[0].Availability.Remedy = sla.Bands{Bands: []sla.Band{{Below: percent("99"), Credit: percent("100")}}}
			c.Terms = append(c.Terms, sla.Term{ID: "other", Availability: c.Terms[0].Availability})
		},
	} {
		c := uptime(percent("99"), "1.00", nil)
		c.Fee = huge
		change(&c)
		if s, err := sla.Evaluate(c, day, e); !errors.Is(err, money.ErrOverflow) {
			t.Errorf("%s: payable %s, %v, want ErrOverflow", name, s.Payable, err)
		}
	}
}

// The pricer says what is wrong with its figures.
func TestPricerErrors(t *testing.T) {
	c := a0(t)
	a, err := sla.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	p := a.PeriodAt(vectorStart)
	pricer, err := a.Pricer(p, sla.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string][]sla.Figures{
		"too few":               make([]sla.Figures, 3),
		"more down than time":   {{Promised: 1, Down: 2}, {}, {}, {}},
		"negative down":         {{Promised: 1, Down: -1}, {}, {}, {}},
		"negative count":        {{}, {Late: [4]int{-1}}, {}, {}},
		"negative time":         {{}, {}, {}, {Unmonitored: -1}},
		"more than the amounts": {{}, {Late: [4]int{math.MaxInt}}, {}, {}},
	} {
		if credits, err := pricer.Price(f); err == nil {
			t.Errorf("%s: %+v, want an error", name, credits)
		}
	}
	if _, err := a.Pricer(sla.Period{}, sla.Evidence{}); !errors.Is(err, sla.ErrPeriod) {
		t.Errorf("Pricer of no period = %v, want ErrPeriod", err)
	}
	c.Terms = append(c.Terms, sla.Term{ID: "kpi", Indicator: &sla.Indicator{KPI: sla.KPIChanges, Target: mustTarget(t, "> 95%"), Credit: eur("1.00")}})
	if a, err = sla.Compile(c); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Pricer(p, sla.Evidence{}); !errors.Is(err, sla.ErrNotCondensed) || !strings.Contains(err.Error(), `"kpi"`) {
		t.Errorf("Pricer with an indicator = %v, want ErrNotCondensed of the term", err)
	}
}

// Of the reference contract: 10 % below 99 and 2 · 500.00 and 3 · 5 % and 90 min
// at 1 % an hour, of 25 000.00. More than 16 terms are priced as well.
func TestPricer(t *testing.T) {
	c := a0(t)
	month := 720 * time.Hour
	figures := []sla.Figures{{Promised: month, Down: 10 * time.Hour}, {Late: [4]int{2}}, {Late: [4]int{1, 0, 2}}, {Unmonitored: 90 * time.Minute}}
	want := "2500.00 1000.00 3750.00 375.00: 7625.00"
	for range 2 {
		a, err := sla.Compile(c)
		if err != nil {
			t.Fatal(err)
		}
		pricer, err := a.Pricer(a.PeriodAt(vectorStart), sla.Evidence{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := pricer.Price(figures)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%s %s %s %s: %s", got.Due[0].Decimal(), got.Due[1].Decimal(), got.Due[3].Decimal(), got.Due[4].Decimal(), got.Payable.Decimal())
		equalText(t, fmt.Sprintf("%d terms", len(c.Terms)), text, want)
		for i := range 20 {
			c.Terms = append(c.Terms, sla.Term{ID: strconv.Itoa(i), Monitoring: &sla.Monitoring{}})
			figures = append(figures, sla.Figures{Unmonitored: time.Hour})
		}
	}
}

// A line about monitoring says which time is paid for where that is not the time
// that was lost.
func TestExplainCountedHours(t *testing.T) {
	for _, c := range []struct {
		count sla.HourCount
		want  string
	}{
		{sla.ProRata, "unmonitored 1h30m0s: 1% of 1000.00 EUR per hour, rounded half_up = 15.00 EUR"},
		{sla.FullHours, "unmonitored 1h30m0s, counted as 1h0m0s: 1% of 1000.00 EUR per hour, rounded half_up = 10.00 EUR"},
		{sla.StartedHours, "unmonitored 1h30m0s, counted as 2h0m0s: 1% of 1000.00 EUR per hour, rounded half_up = 20.00 EUR"},
	} {
		contract := uptime(*percentage("99"), "1000.00", nil)
		contract.Terms = []sla.Term{{ID: "monitoring", Monitoring: &sla.Monitoring{PercentPerHour: *percentage("1"), Count: c.count}}}
		from, to := hoursOf(2, 3.5)
		s := statement(t, contract, sla.Evidence{Gaps: []sla.Gap{{Start: from, End: to}}})
		if got := s.Lines[0].Explain(); !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: %q, want %q at its end", c.count, got, c.want)
		}
	}
}

// From 10 October on are 22 days with 529 of the 745 hours of the month, in which
// Amsterdam puts its clocks back: 100 000.00 · 529/745 = 71 006.7114….
func TestPartialPeriodIsExplained(t *testing.T) {
	c := uptime(*percentage("99"), "100000.00", nil)
	c.Zone = "Europe/Amsterdam"
	c.From = time.Date(2026, 10, 9, 22, 0, 0, 0, time.UTC)
	for _, full := range []bool{false, true} {
		c.FullFee = full
		a, err := sla.Compile(c)
		noError(t, err)
		p := month(t, a, "2026-10")
		s := evaluate(t, a, p, sla.Evidence{Observed: p.Interval})
		want := "the contract holds in 529h0m0s of 745h0m0s, for 71006.71 EUR of the fee of 100000.00 EUR"
		if full {
			want = "the contract holds in 529h0m0s of 745h0m0s, for 100000.00 EUR of the fee of 100000.00 EUR"
		}
		if len(s.Findings) != 1 || s.Findings[0].Code != sla.FindingPartial || s.Findings[0].Text != want {
			t.Errorf("full fee %v: findings %+v, want %q", full, s.Findings, want)
		}
		p = month(t, a, "2026-11")
		if s = evaluate(t, a, p, sla.Evidence{Observed: p.Interval}); len(s.Findings) != 0 {
			t.Errorf("full fee %v: findings of a whole month %+v, want none", full, s.Findings)
		}
	}
}
