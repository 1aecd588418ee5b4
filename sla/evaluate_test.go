package sla_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// day is a period of 24 h from 1 April 2026, so that a minute is 1/1440.
var day = lasting(24 * time.Hour)

// Sums and units that no int64 holds count as the whole of the promised time.
func TestMeasureLongTimes(t *testing.T) {
	hour := outage("", 1, 2)
	reports := make([]sla.Outage, 106_752) // 24 h each: more than 2⁶³ ns together
	for i := range reports {
		reports[i] = sla.Outage{Start: day.Start, End: day.End}
	}
	up := sla.Uptime{Unit: math.MaxInt64, Partial: sla.PartialUp}
	for _, c := range []struct {
		name    string
		measure sla.Measure
		outages []sla.Outage
		value   string
	}{
		{"many reports of the same time", sla.Uptime{Overlap: sla.OverlapSum}, reports, "0/1"},
		{"three units", up, []sla.Outage{hour, outage("", 3, 4), outage("", 5, 6)}, "0/1"},
		{"two units", up, []sla.Outage{hour, outage("", 3, 4)}, "0/1"},
		{"a report beside a unit", sla.Uptime{Overlap: sla.OverlapSum, Unit: math.MaxInt64, Partial: sla.PartialUp}, []sla.Outage{hour, hour}, "0/1"},
		{"a slot longer than the period, all failed", sla.MeanErrorRate{Slot: math.MaxInt64}, nil, "0/1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := measured(t, func(a *sla.Availability, e *sla.Evidence) {
				a.Measure, e.Outages = c.measure, c.outages
				e.Requests = []sla.Requests{{Start: hour.Start, Total: 3, Failed: 3}}
			})
			equalText(t, "value", m.Value, c.value)
		})
	}
}

func TestMeasure(t *testing.T) {
	gap := func(e *sla.Evidence, from, to float64) {
		start, end := hoursOf(from, to)
		e.Gaps = append(e.Gaps, sla.Gap{Start: start, End: end})
	}
	for _, c := range []struct {
		name     string
		change   func(*sla.Availability, *sla.Evidence)
		promised float64
		down     float64
		unknown  float64
		outcome  sla.Outcome
	}{
		{"nothing happened", func(*sla.Availability, *sla.Evidence) {}, 24, 0, 0, sla.Met},
		{"no evidence at all", func(_ *sla.Availability, e *sla.Evidence) { e.Observed = calendar.Interval{} }, 0, 0, 0, sla.NoData},
		{"nothing monitored", func(_ *sla.Availability, e *sla.Evidence) { gap(e, -5, 30) }, 24, 0, 24, sla.NoData},
		{"down and unmonitored", func(_ *sla.Availability, e *sla.Evidence) {
			gap(e, -5, 30)
			e.Outages = []sla.Outage{outage("", 2, 3)}
		}, 24, 1, 23, sla.Missed},
		{"unknown counts as up", func(_ *sla.Availability, e *sla.Evidence) { gap(e, 2, 6) }, 24, 0, 4, sla.Met},
		{"unknown counts as down", func(a *sla.Availability, e *sla.Evidence) {
			a.Unknown = sla.UnknownDown
			gap(e, 2, 6)
			e.Outages = []sla.Outage{outage("", 5, 7)}
		}, 24, 5, 3, sla.Missed},
		{"unknown taken out", func(a *sla.Availability, e *sla.Evidence) {
			a.Unknown = sla.UnknownExcluded
			gap(e, 2, 6)
			e.Outages = []sla.Outage{outage("", 5, 7)}
		}, 21, 2, 3, sla.Missed},
		{"evidence begins late", func(_ *sla.Availability, e *sla.Evidence) { e.Observed.Start, _ = hoursOf(6, 6) }, 24, 0, 6, sla.Met},
		{"evidence ends early", func(_ *sla.Availability, e *sla.Evidence) {
			e.Observed.End, _ = hoursOf(6, 6)
			o := outage("", 5, 0)
			o.End = time.Time{}
			e.Outages = []sla.Outage{o}
		}, 6, 1, 0, sla.Missed},
		{"maintenance without announcement", func(a *sla.Availability, e *sla.Evidence) {
			a.MinNotice = time.Hour
			start, end := hoursOf(2, 3)
			e.Maintenance = []sla.Maintenance{{Start: start, End: end}}
			e.Outages = []sla.Outage{outage("", 2, 3)}
		}, 24, 1, 0, sla.Missed},
		{"emergency", func(_ *sla.Availability, e *sla.Evidence) {
			start, end := hoursOf(2, 3)
			e.Maintenance = []sla.Maintenance{{Start: start, End: end, Emergency: true}}
			e.Outages = []sla.Outage{outage("", 2, 3)}
		}, 24, 1, 0, sla.Missed},
		{"maintenance of another service", func(a *sla.Availability, e *sla.Evidence) {
			a.Services = []sla.Service{{ID: "api"}}
			start, end := hoursOf(2, 3)
			e.Maintenance = []sla.Maintenance{{Service: "web", Start: start, End: end}}
			e.Outages = []sla.Outage{outage("api", 2, 3)}
		}, 24, 1, 0, sla.Missed},
		{"force majeure, excluded", func(a *sla.Availability, e *sla.Evidence) {
			a.Exclude = []sla.Cause{sla.CauseForceMajeure}
			o := outage("", 2, 3)
			o.Cause = sla.CauseForceMajeure
			e.Outages = []sla.Outage{o, outage("", 2.5, 3.5)}
		}, 24, 0.5, 0, sla.Missed},
		{"force majeure, not excluded", func(_ *sla.Availability, e *sla.Evidence) {
			o := outage("", 2, 3)
			o.Cause = sla.CauseForceMajeure
			e.Outages = []sla.Outage{o}
		}, 24, 1, 0, sla.Missed},
		{"excluded from both sides, without an outage", func(a *sla.Availability, e *sla.Evidence) {
			a.ExcludeMode = sla.FromBoth
			start, end := hoursOf(2, 5)
			e.Maintenance = []sla.Maintenance{{Start: start, End: end}}
		}, 21, 0, 0, sla.Met},
		{"all excluded from both sides", func(a *sla.Availability, e *sla.Evidence) {
			a.ExcludeMode = sla.FromBoth
			start, end := hoursOf(-1, 25)
			e.Maintenance = []sla.Maintenance{{Start: start, End: end}}
		}, 0, 0, 0, sla.NoData},
		{"bad slots and an outage", func(a *sla.Availability, e *sla.Evidence) {
			a.Measure = sla.BadSlots{Slot: time.Hour, ErrorRate: percent("50")}
			for i, failed := range []uint64{0, 10, 5, 6, 0} { // more than half in slots 1 and 3
				start, _ := hoursOf(float64(i), 0)
				e.Requests = append(e.Requests, sla.Requests{Start: start, Total: 10, Failed: failed})
			}
			e.Outages = []sla.Outage{outage("", 3.5, 4.5)}
		}, 24, 2.5, 0, sla.Missed},
	} {
		m := measured(t, c.change)
		hours := func(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }
		if m.Promised != hours(c.promised) || m.Down != hours(c.down) || m.Unknown != hours(c.unknown) || m.Outcome != c.outcome {
			t.Errorf("%s: promised %v, down %v, unknown %v, %s, want %v, %v, %v h, %s", c.name, m.Promised, m.Down, m.Unknown, m.Outcome, c.promised, c.down, c.unknown, c.outcome)
		}
		if m.Value.IsSet() == (m.Outcome == sla.NoData) {
			t.Errorf("%s: value %s with outcome %s", c.name, m.Value, m.Outcome)
		}
	}
}

func TestServiceHours(t *testing.T) {
	c := uptime(percent("99"), "1000.00", nil)
	c.Calendars = map[string]calendar.Hours{"office": {Zone: "UTC", Week: calendar.EveryDay("08:00", "18:00")}}
	c.Terms[0].Availability.ServiceHours = "office"
	s, err := sla.Evaluate(c, day, sla.Evidence{Observed: day.Interval, Outages: []sla.Outage{outage("", 5, 9)}})
	if err != nil {
		t.Fatal(err)
	}
	if m := s.Availability[0]; m.Promised != 10*time.Hour || m.Down != time.Hour || m.Value.String() != "9/10" {
		t.Errorf("measured = %+v, want 1 h of 10 h", m)
	}
}

// The mean of error rates against a sum in big.Rat, with hundreds of different
// denominators: beyond 64 bits and still exact.
func TestMeanErrorRate(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	var counts []sla.Requests
	sum := new(big.Rat)
	for i := range 288 {
		total := 1000 + r.Uint64N(100000)
		failed := r.Uint64N(total / 10)
		counts = append(counts, sla.Requests{Start: day.Start.Add(time.Duration(i) * 5 * time.Minute), Total: total, Failed: failed})
		sum.Add(sum, new(big.Rat).SetFrac(new(big.Int).SetUint64(failed), new(big.Int).SetUint64(total)))
	}
	want := sum.Mul(sum, big.NewRat(1, 288))
	want.Sub(big.NewRat(1, 1), want)
	m := measured(t, func(a *sla.Availability, e *sla.Evidence) {
		a.Measure = sla.MeanErrorRate{Slot: 5 * time.Minute}
		e.Requests = counts
	})
	if m.Value.Rat().Cmp(want) != 0 || m.Outcome != sla.Missed {
		t.Errorf("value = %s, %s, want %s", m.Value, m.Outcome, want.FloatString(9))
	}

	// Slots in excluded windows have no errors, unknown ones fail where the
	// contract says so.
	m = measured(t, func(a *sla.Availability, e *sla.Evidence) {
		a.Measure, a.Unknown = sla.MeanErrorRate{Slot: time.Hour}, sla.UnknownDown
		for i := range 4 {
			start, end := hoursOf(float64(i), float64(i+1))
			e.Requests = append(e.Requests, sla.Requests{Start: start, Total: 2, Failed: 1})
			if i == 0 {
				e.Maintenance = []sla.Maintenance{{Start: start, End: end}}
			}
		}
		start, end := hoursOf(22, 24)
		e.Gaps = []sla.Gap{{Start: start, End: end}}
	})
	if got, want := m.Value.String(), "41/48"; got != want { // 1 − (3·½ + 2)/24
		t.Errorf("value = %s, want %s", got, want)
	}
}

// A line by a mean error rate compares no time.
func TestMeanErrorRateLine(t *testing.T) {
	c := uptime(percent("99"), "1000.00", sla.ReferenceBands())
	c.Terms[0].Availability.Measure = sla.MeanErrorRate{Slot: time.Hour}
	s, err := sla.Evaluate(c, day, sla.Evidence{Observed: day.Interval, Requests: []sla.Requests{{Start: day.Start, Total: 2, Failed: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	// 1 − ½/24 = 97.916…: 25 %.
	if len(s.Lines) != 1 || s.Lines[0].Denominator != 0 || s.Payable.String() != "250.00 EUR" {
		t.Fatalf("lines %+v, payable %s, want one of 250.00 EUR without time", s.Lines, s.Payable)
	}
	if text := s.Lines[0].Explain(); !strings.Contains(text, "97.916666 % (47/48)") {
		t.Errorf("Explain = %q, want the value in it", text)
	}
}

func TestRequestsOutOfRange(t *testing.T) {
	c := uptime(percent("99"), "1000.00", sla.ReferenceBands())
	_, err := sla.Evaluate(c, day, sla.Evidence{Observed: day.Interval, Requests: []sla.Requests{
		{Start: day.Start, Total: math.MaxUint64}, {Start: day.Start, Total: 1},
	}})
	if e, ok := errors.AsType[*sla.EvidenceError](err); !ok || e.Path != "requests[1]" {
		t.Errorf("2^64 requests: %v, want an EvidenceError of requests[1]", err)
	}
}

func TestAggregate(t *testing.T) {
	bands := sla.ReferenceBands()
	c := uptime(percent("99"), "1000.00", bands)
	strict, loose := percent("99.9"), percent("50")
	term := c.Terms[0].Availability
	term.Services = []sla.Service{{ID: "a"}, {ID: "b", Target: &strict}, {ID: "c", Target: &loose}, {ID: "d"}}
	e := sla.Evidence{Observed: day.Interval, Outages: []sla.Outage{
		outage("a", 0, 1), outage("b", 0, 0.4), outage("c", 0, 10), outage("d", 3, 4), outage("elsewhere", 0, 1),
	}, Gaps: []sla.Gap{
		{Service: "e", Start: day.Start, End: day.Start.Add(time.Hour)}, {Service: "f", Start: day.End, End: day.End.Add(time.Hour)},
	}, Maintenance: []sla.Maintenance{
		{Service: "g", Start: day.Start, End: day.Start.Add(time.Hour)}, {Service: "h", Start: day.Start, End: day.Start.Add(time.Hour), Cancelled: true},
	}, Requests: []sla.Requests{{Service: "i", Start: day.Start, Total: 1}}}
	s, err := sla.Evaluate(c, day, e)
	if err != nil {
		t.Fatal(err)
	}
	// c meets its own target; a and d tie at 23/24, and the id decides.
	if len(s.Breaches) != 3 || len(s.Lines) != 1 || s.Lines[0].Ref != "a" || s.Payable.String() != "250.00 EUR" {
		t.Errorf("worst: breaches %+v, lines %+v", s.Breaches, s.Lines)
	}
	var unassigned []string
	for _, f := range s.Findings {
		if f.Code == sla.FindingUnassigned {
			unassigned = append(unassigned, f.Ref)
		}
	}
	if want := []string{"e", "elsewhere", "g", "i"}; !slices.Equal(unassigned, want) {
		t.Errorf("evidence about unknown services: reported %q, want %q", unassigned, want)
	}
	term.Aggregate = sla.PerService
	if s, err = sla.Evaluate(c, day, e); err != nil {
		t.Fatal(err)
	}
	// b lies at 98.33: 10 %.
	if len(s.Lines) != 3 || s.Payable.String() != "600.00 EUR" {
		t.Errorf("per service: lines %+v, payable %s, want 250 + 100 + 250", s.Lines, s.Payable)
	}
}

func TestSettlement(t *testing.T) {
	base := func() (sla.Contract, sla.Evidence) {
		c := uptime(percent("99"), "1000.00", sla.ReferenceBands())
		c.Terms = append(c.Terms,
			sla.Term{ID: "response", Response: &sla.Clock{Targets: []sla.Target{{Severity: incident.P1, Within: time.Minute, Credit: money.Must(money.Parse("200.00 EUR"))}}}},
			sla.Term{ID: "monitoring", Monitoring: &sla.Monitoring{PercentPerHour: percent("30")}},
		)
		e := sla.Evidence{Observed: day.Interval, Outages: []sla.Outage{outage("", 0, 1)}} // 95.83: 25 %
		start, end := hoursOf(10, 11)
		e.Gaps = []sla.Gap{{Start: start, End: end}}
		e.Incidents = []sla.Incident{{ID: "i", Severity: incident.P1, Opened: start, Responded: end}, {ID: "j", Severity: incident.P2, Opened: start}}
		return c, e
	}
	limit := func(text string) *money.Percent { p := percent(text); return &p }
	for _, c := range []struct {
		name      string
		change    func(*sla.Contract)
		gross     string
		waterfall string
		state     sla.State
		finding   string
	}{
		{"sum", func(*sla.Contract) {}, "750.00", "250.00 200.00 300.00", sla.StateDue, sla.FindingNoTarget},
		{"cap", func(c *sla.Contract) { c.CapPercent = limit("50") }, "750.00", "250.00 200.00 50.00", sla.StateCapped, sla.FindingCapped},
		{"cap of 0", func(c *sla.Contract) { c.CapPercent = limit("0") }, "750.00", "0.00 0.00 0.00", sla.StateBreachNoBand, sla.FindingCapped},
		{"the largest", func(c *sla.Contract) { c.Stack = sla.StackMax }, "750.00", "0.00 0.00 300.00", sla.StateCapped, sla.FindingStacked},
		{"the largest, in a tie the first", func(c *sla.Contract) {
			c.Stack = sla.StackMax
			c.Terms[2].Monitoring.PercentPerHour = percent("25")
		}, "700.00", "250.00 0.00 0.00", sla.StateCapped, sla.FindingStacked},
		{"cap of a term", func(c *sla.Contract) { c.Terms[0].CapPercent = limit("20") }, "700.00", "200.00 200.00 300.00", sla.StateDue, sla.FindingTermCap},
		{"minimum of a term", func(c *sla.Contract) { c.Terms[1].MoreThan = money.Must(money.Parse("200.00 EUR")) }, "550.00", "250.00 0.00 300.00", sla.StateDue, sla.FindingMinimum},
		{"half of the period", func(c *sla.Contract) { _, c.Until = hoursOf(0, 12) }, "600.00", "250.00 200.00 150.00", sla.StateDue, sla.FindingNoTarget},
	} {
		contract, e := base()
		c.change(&contract)
		s, err := sla.Evaluate(contract, day, e)
		if err != nil {
			t.Fatal(err)
		}
		var paid []string
		for _, w := range s.Waterfall {
			paid = append(paid, w.Payable.Decimal())
		}
		text := strings.Join(paid, " ")
		if s.Gross.Decimal() != c.gross || text != c.waterfall || s.State != c.state || !hasFinding(s, c.finding) {
			t.Errorf("%s: gross %s, waterfall %s, %s, findings %+v, want %s, %s, %s, %s", c.name, s.Gross, text, s.State, s.Findings, c.gross, c.waterfall, c.state, c.finding)
		}
	}
	contract, e := base()
	contract.Until = day.Start
	if _, err := sla.Evaluate(contract, day, e); !errors.Is(err, sla.ErrNotInForce) {
		t.Errorf("Evaluate after the end = %v, want ErrNotInForce", err)
	}
	contract, e = base()
	contract.Claim = sla.ClaimRule{Kind: sla.DaysAfterPeriodEnd, Days: 30}
	s, err := sla.Evaluate(contract, day, e)
	if err != nil || !s.ClaimBefore.Equal(instant(t, "2026-05-31T00:00:00Z")) {
		t.Errorf("ClaimBefore = %v, %v, want the end of 30 May", s.ClaimBefore, err)
	}
	e = sla.Evidence{Observed: day.Interval}
	if s, err = sla.Evaluate(contract, day, e); err != nil || !s.ClaimBefore.IsZero() {
		t.Errorf("ClaimBefore with nothing payable = %v, %v, want none", s.ClaimBefore, err)
	}
}

func TestLosses(t *testing.T) {
	eur := func(text string) money.Amount { return money.Must(amount(text, "EUR")) }
	c := uptime(percent("99"), "1000.00", nil)
	c.Terms = []sla.Term{{ID: "loss", DataLoss: &sla.Liability{Fees: 2}}}
	start, end := hoursOf(1, 2)
	outside, _ := hoursOf(25, 0)
	e := sla.Evidence{Observed: day.Interval, Losses: []sla.Loss{
		{Ref: "second", At: end, Claimed: eur("900.00")}, {Ref: "first", At: start, Claimed: eur("1500.00")}, {Ref: "outside", At: outside, Claimed: eur("1.00")},
	}}
	s, err := sla.Evaluate(c, day, e) // nothing invoiced: twice the current fee
	if err != nil {
		t.Fatal(err)
	}
	equalText(t, "liability", s.Liability, "[{loss first 1500.00 EUR 2000.00 EUR 1500.00 EUR} {loss second 900.00 EUR 500.00 EUR 500.00 EUR}]")
	equalText(t, "payable credits", s.Payable, "0.00 EUR")
	e.Losses[0].Claimed = money.Must(amount("1.00", "USD"))
	if _, err := sla.Evaluate(c, day, e); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("Evaluate of a claim in dollars = %v, want ErrCurrency", err)
	}
}

func TestExplain(t *testing.T) {
	a, e := acme(t)
	s := evaluate(t, a, month(t, a, "2026-10"), e)
	for i, want := range []string{
		"availability (checkout): 98.903803 %, up 736h50m0s of 745h0m0s, band 98% to 99%: 10% of 100000.00 EUR, rounded half_up = 10000.00 EUR",
		"response (INC-104, P1): took 3m0s, promised 2m0s: 500.00 EUR per incident",
		"resolution (INC-110, P1): took 9h55m0s, promised 2h0m0s: 5% of 100000.00 EUR, rounded half_up = 5000.00 EUR",
		"resolution (INC-121, P3): took 37h0m0s, promised 24h0m0s: 5% of 100000.00 EUR, rounded half_up = 5000.00 EUR",
		"monitoring (monitoring): unmonitored 1h30m0s: 1% of 100000.00 EUR per hour, rounded half_up = 1500.00 EUR",
	} {
		equalText(t, fmt.Sprintf("line %d", i), s.Lines[i].Explain(), want)
	}
}

// Time before the first measurement is unknown, but no outage of the monitoring.
func TestTimeBeforeTheFirstMeasurement(t *testing.T) {
	a, e := acme(t)
	october := month(t, a, "2026-10")
	e.Gaps = []sla.Gap{{Service: "checkout", Start: october.Start, End: october.Start.Add(2 * time.Hour), Before: true}}
	s := evaluate(t, a, october, e)
	equalText(t, "unknown", s.Availability[1].Unknown, 2*time.Hour)
	for _, b := range s.Breaches {
		if b.Clause == sla.ClauseMonitoring {
			t.Errorf("breach %+v, want none of the monitoring", b)
		}
	}
}
