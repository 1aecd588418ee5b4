package pricing_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/pricing"
)

// paths collects those of all the model errors in a joined error.
func paths(err error) (out []string) {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			out = append(out, paths(e)...)
		}
		return out
	}
	if wrong, ok := errors.AsType[*pricing.ModelError](err); ok {
		return []string{wrong.Path}
	}
	return []string{"not a model error: " + err.Error()}
}

func TestValidate(t *testing.T) {
	hour := pricing.Fixed(time.Hour)
	outage := func(l pricing.Lengths) pricing.Model {
		return pricing.Model{Outages: []pricing.Process{{PerPeriod: 1, Length: l}}}
	}
	late := func(l pricing.Late) pricing.Model { return pricing.Model{Late: []pricing.Late{l}} }
	month := sla.Period{Label: "2026-10"}
	month.Start, month.End = october, october.Add(24*time.Hour)
	for _, c := range []struct {
		name  string
		model pricing.Model
		want  []string
	}{
		{"nothing", pricing.Model{}, []string{"outages"}},
		{"a rate of 0", pricing.Model{Outages: []pricing.Process{{Length: hour}}}, nil},
		{"negative rate", pricing.Model{Outages: []pricing.Process{{PerPeriod: -1, Length: hour}}}, []string{"outages[0].per_period"}},
		{"rate is no number", pricing.Model{Gaps: []pricing.Process{{PerPeriod: math.NaN(), Length: hour}}}, []string{"gaps[0].per_period"}},
		{"rate too high", pricing.Model{Outages: []pricing.Process{{PerPeriod: pricing.MaxRate + 1, Length: hour}}}, []string{"outages[0].per_period"}},
		{"gap of a service", pricing.Model{Gaps: []pricing.Process{{Service: "web", PerPeriod: 1, Length: hour}}}, []string{"gaps[0].service"}},
		{"no kind", outage(pricing.Lengths{Mean: time.Hour}), []string{"outages[0].length.kind"}},
		{"no values", outage(pricing.Lengths{Kind: pricing.Empirical}), []string{"outages[0].length.values_ns"}},
		{"value of 0", outage(pricing.Lengths{Kind: pricing.Discrete, Values: []time.Duration{time.Hour, 0}}), []string{"outages[0].length.values_ns[1]"}},
		{"a weight short", outage(pricing.Lengths{Kind: pricing.Discrete, Values: []time.Duration{1, 2}, Weights: []float64{1}}), []string{"outages[0].length.weights"}},
		{"weights of 0", outage(pricing.Lengths{Kind: pricing.Discrete, Values: []time.Duration{1}, Weights: []float64{0}}), []string{"outages[0].length.weights"}},
		{"weights of history", outage(pricing.Lengths{Kind: pricing.Empirical, Values: []time.Duration{1}, Weights: []float64{1}}), []string{"outages[0].length.weights"}},
		{"mean of 0", outage(pricing.Lengths{Kind: pricing.Exponential}), []string{"outages[0].length.mean_ns"}},
		{"negative deviation", outage(pricing.Lengths{Kind: pricing.Lognormal, Mean: 1, SD: -1}), []string{"outages[0].length.sd_ns"}},
		{"shape of 0", outage(pricing.Lengths{Kind: pricing.Weibull, Scale: 1}), []string{"outages[0].length.shape"}},
		{"scale of 0", outage(pricing.Lengths{Kind: pricing.Pareto, Shape: 1}), []string{"outages[0].length.scale_ns"}},
		{"field of another kind", outage(pricing.Lengths{Kind: pricing.Exponential, Mean: 1, Scale: 1, Shape: 2}), []string{"outages[0].length.scale_ns", "outages[0].length.shape"}},
		{"clause without a clock", late(pricing.Late{Clause: sla.ClauseAvailability, Severity: incident.P1}), []string{"late[0].clause"}},
		{"no severity", late(pricing.Late{Clause: sla.ClauseResponse}), []string{"late[0].severity"}},
		{"probability above 1", late(pricing.Late{Clause: sla.ClauseUpdate, Severity: incident.P1, Probability: 1.1}), []string{"late[0].probability"}},
		{"unknown overlap", pricing.Model{Overlap: 2, Outages: []pricing.Process{{Length: hour}}}, []string{"overlap"}},
		{"past beside rates", pricing.Model{Past: []pricing.Past{{Period: month}}, Outages: []pricing.Process{{Length: hour}}}, []string{"past"}},
		{"past without length", pricing.Model{Past: []pricing.Past{{}}}, []string{"past[0].period"}},
		{"past outage outside", pricing.Model{Past: []pricing.Past{{Period: month, Outages: []sla.Outage{{Start: october.Add(-1), End: october.Add(1)}}}}}, []string{"past[0].outages[0]"}},
		{"past clocks", pricing.Model{Past: []pricing.Past{{Period: month, Clocks: []sla.Tally{{Clause: sla.ClauseResponse, Missed: -1}}}}}, []string{"past[0].clocks[0].severity", "past[0].clocks[0].missed"}},
		{"all at once", pricing.Model{Outages: []pricing.Process{{PerPeriod: -1}, {Length: hour}}, Late: []pricing.Late{{}}}, []string{
			"outages[0].per_period", "outages[0].length.kind", "late[0].clause", "late[0].severity",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := paths(c.model.Validate()); !slices.Equal(got, c.want) {
				t.Errorf("problems at %q, want %q", got, c.want)
			}
			if len(c.want) == 0 {
				return
			}
			a := preset(t, sla.Essential, "20000.00")
			if _, err := pricing.Simulate(a, a.PeriodAt(october), c.model, pricing.Options{Draws: 1}); err == nil {
				t.Error("a simulation takes it")
			}
		})
	}
}

// Contracts that a model cannot be priced under.
func TestModelUnderContract(t *testing.T) {
	requests := sla.Preset("requests", sla.Essential, "UTC", euros(t, "20000.00"))
	requests.Terms[0].Availability.Measure = sla.Events{}
	mean := sla.Preset("mean", sla.Essential, "UTC", euros(t, "20000.00"))
	mean.Terms[2].Resolution.MeanToo = true
	late := pricing.Late{Clause: sla.ClauseResolution, Severity: incident.P1, PerPeriod: 1, Probability: 1}
	for _, c := range []struct {
		name     string
		contract sla.Contract
		model    pricing.Model
		want     string
	}{
		{"counts of requests", requests, pricing.Model{Late: []pricing.Late{late}}, "terms[0].availability.measure"},
		{"mean of all incidents", mean, pricing.Model{Late: []pricing.Late{late}}, "late[0]"},
	} {
		a := compile(t, c.contract)
		_, err := pricing.Simulate(a, a.PeriodAt(october), c.model, pricing.Options{Draws: 1})
		if got := paths(err); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: problems at %q, want %q", c.name, got, c.want)
		}
	}
}

func TestModelJSON(t *testing.T) {
	m := busy()
	m.Name, m.Basis = "estimate", &pricing.Basis{Periods: 12, Outages: 36}
	data, err := json.Marshal(m)
	must(t, data, err)
	var back pricing.Model
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(m, back) {
		t.Errorf("%v\n%s\n%+v", err, data, back)
	}
	for _, want := range []string{"estimate", "outages: 2 a period, lognormal with mean 3h0m0s and standard deviation 6h0m0s", "response P1: 4 a period, late with probability 0.1", "counted from 12 periods: 36 outages"} {
		if !strings.Contains(m.String(), want) {
			t.Errorf("%q is not in\n%s", want, m)
		}
	}
}

// Whatever is read as a model is refused or drawn, and a draw never pays more than
// the cap.
func FuzzModel(f *testing.F) {
	data, err := json.Marshal(busy())
	must(f, data, err)
	f.Add(data)
	past, err := json.Marshal(history(f))
	must(f, past, err)
	f.Add(past)
	f.Add([]byte(`{"outages":[{"per_period":1e4,"length":{"kind":"pareto","scale_ns":1,"shape":0.01}}],"overlap":"sum"}`))
	a := preset(f, sla.Professional, "40000.00")
	f.Fuzz(func(t *testing.T, data []byte) {
		var m pricing.Model
		if json.Unmarshal(data, &m) != nil || len(m.Outages)+len(m.Gaps)+len(m.Late) > 20 {
			return
		}
		forecast, err := pricing.Simulate(a, a.PeriodAt(october), m, pricing.Options{Draws: 3})
		if err != nil {
			return
		}
		if largest := forecast.Percentile(100); largest.Sign() < 0 || largest.Minor() > forecast.Fee.Minor() {
			t.Errorf("payout %s under a cap of %s", largest, forecast.Fee)
		}
		_ = forecast.Explain()
	})
}

func months(tb testing.TB, n int) (out []sla.Period) {
	tb.Helper()
	for i := range n {
		out = append(out, sla.Billing{}.At(time.Date(2026, time.Month(1+i), 15, 0, 0, 0, 0, time.UTC), time.UTC))
	}
	return out
}

// Four reports in January and February: two that overlap are one outage of 3 h,
// one goes over the turn of the month, one is the customer's own doing.
func history(tb testing.TB) pricing.Model {
	tb.Helper()
	at := func(day, hour int) time.Time { return time.Date(2026, 1, day, hour, 0, 0, 0, time.UTC) }
	m, err := pricing.FromHistory([]sla.Outage{
		{Service: "web", Start: at(10, 2), End: at(10, 4)},
		{Service: "web", Start: at(10, 3), End: at(10, 5)},
		{Service: "web", Start: at(31, 20), End: at(32, 6)},
		{Service: "web", Start: at(5, 0), End: at(6, 0), Cause: sla.CauseCustomer},
		{Service: "web", Start: at(5, 0), End: at(6, 0), Degraded: true},
		{Service: "db", Start: at(-300, 0), End: at(-299, 0)}, // before all of the periods
	}, months(tb, 3))
	return must(tb, m, err)
}

func TestFromHistory(t *testing.T) {
	m := history(t)
	var got []string
	for _, p := range m.Past {
		for _, o := range p.Outages {
			got = append(got, p.Period.Label+" "+o.Service+" "+o.End.Sub(o.Start).String())
		}
	}
	if want := []string{"2026-01 web 3h0m0s", "2026-01 web 4h0m0s", "2026-02 web 6h0m0s"}; !slices.Equal(got, want) {
		t.Errorf("outages %q, want %q", got, want)
	}
	if doubts := m.Doubts(); len(doubts) != 1 || !strings.Contains(doubts[0], "3 periods") {
		t.Errorf("doubts %q, want that three periods are little", doubts)
	}
	// Two outages of 3 h and 10 h in three months.
	rates, err := m.Rates()
	must(t, rates, err)
	want := []pricing.Process{{Service: "web", PerPeriod: 2.0 / 3, Length: pricing.Lengths{Kind: pricing.Empirical, Values: []time.Duration{3 * time.Hour, 10 * time.Hour}}}}
	if !reflect.DeepEqual(rates.Outages, want) || *rates.Basis != (pricing.Basis{Periods: 3, Outages: 2}) {
		t.Errorf("rates %+v from %+v, want %+v from 2 outages in 3 periods", rates.Outages, rates.Basis, want)
	}
	if doubts := rates.Doubts(); len(doubts) != 1 || !strings.Contains(doubts[0], "longest of 2") {
		t.Errorf("doubts %q, want that two outages are little", doubts)
	}
}

// An outage without an end lasts to the end of the last period. Without any the
// rate is 0, which does not say that there will be none: at most 3/n.
func TestFromHistoryEdges(t *testing.T) {
	periods := months(t, 2)
	open, err := pricing.FromHistory([]sla.Outage{{Start: periods[1].End.Add(-time.Hour)}, {Start: periods[1].End.Add(time.Hour)}}, periods)
	must(t, open, err)
	if o := open.Past[1].Outages; len(o) != 1 || !o[0].End.Equal(periods[1].End) || len(open.Past[0].Outages) != 0 {
		t.Errorf("open outage became %+v", open.Past)
	}
	quiet, err := pricing.FromHistory(nil, months(t, 6))
	must(t, quiet, err)
	rates, err := quiet.Rates()
	must(t, rates, err)
	if d := rates.Doubts(); len(d) != 1 || !strings.Contains(d[0], "up to 0.5 a period") {
		t.Errorf("doubts %q, want a bound of 3/6", d)
	}
	if f := simulate(t, preset(t, sla.Essential, "20000.00"), rates, 100, 1); f.Credited != 0 {
		t.Errorf("%d credits of nothing", f.Credited)
	}
	for name, c := range map[string]struct {
		outages []sla.Outage
		periods []sla.Period
		want    []string
	}{
		"no periods":          {nil, nil, []string{"periods"}},
		"empty period":        {nil, []sla.Period{{}}, []string{"periods[0]"}},
		"overlapping periods": {nil, []sla.Period{periods[0], periods[1], periods[0]}, []string{"periods[2]"}},
		"outage backwards":    {[]sla.Outage{{Start: periods[0].End, End: periods[0].Start}}, periods, []string{"outages[0]"}},
	} {
		if _, err := pricing.FromHistory(c.outages, c.periods); !slices.Equal(paths(err), c.want) {
			t.Errorf("%s: problems at %q, want %q", name, paths(err), c.want)
		}
	}
}

// Periods that are drawn whole give the credits that they had, each as often as
// the others.
func TestPastIsDrawnWhole(t *testing.T) {
	a := compile(t, sla.Preset("past", sla.Essential, "UTC", euros(t, "20000.00")))
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC)
	}
	// January: 10 h of 744 h down, 98.66 %, and a late response: 2000.00 + 500.00.
	// March: 30 min without monitoring, half a percent: 100.00.
	evidence := []sla.Evidence{
		{
			Outages: []sla.Outage{{Start: at(1, 10, 0), End: at(1, 10, 10)}},
			Incidents: []sla.Incident{
				{ID: "INC-1", Severity: incident.P1, Opened: at(1, 10, 0), Responded: at(1, 10, 1), Resolved: at(1, 10, 1)},
				{ID: "INC-2", Severity: incident.P1, Opened: at(1, 11, 0), Responded: at(1, 11, 0), Resolved: at(1, 11, 1)},
			},
		},
		{},
		{Gaps: []sla.Gap{{Start: at(3, 3, 0), End: at(3, 3, 0).Add(30 * time.Minute)}}},
		{},
	}
	var statements []sla.Statement
	for i, p := range months(t, 4) {
		evidence[i].Observed = p.Interval
		s, err := a.Evaluate(p, evidence[i])
		statements = append(statements, must(t, s, err))
	}
	m, err := pricing.FromStatements(statements)
	must(t, m, err)
	const draws = 40_000
	f := simulate(t, a, m, draws, 4)
	want := map[string]float64{"0.00": 0.5, "100.00": 0.25, "2500.00": 0.25}
	for _, p := range f.Payouts {
		share, ok := want[p.Amount.Decimal()]
		if !ok {
			t.Fatalf("payout %s in %d draws, want the ones of the past", p.Amount, p.Draws)
		}
		near(t, "share of "+p.Amount.Decimal(), float64(p.Draws)/draws, share, 3*math.Sqrt(share*(1-share)/draws))
	}
	if len(f.Payouts) != 3 {
		t.Errorf("%d payouts, want 3", len(f.Payouts))
	}

	rates, err := m.Rates()
	must(t, rates, err)
	// One of two P1 responses was late, in four months; neither resolution was.
	wantLate := []pricing.Late{
		{Clause: sla.ClauseResponse, Severity: incident.P1, PerPeriod: 0.5, Probability: 0.5},
		{Clause: sla.ClauseResolution, Severity: incident.P1, PerPeriod: 0.5, Probability: 0},
	}
	if !reflect.DeepEqual(rates.Late, wantLate) {
		t.Errorf("late %+v, want %+v", rates.Late, wantLate)
	}
	if g := rates.Gaps; len(g) != 1 || g[0].PerPeriod != 0.25 || !slices.Equal(g[0].Length.Values, []time.Duration{30 * time.Minute}) {
		t.Errorf("gaps %+v, want one of 30 minutes in four months", g)
	}

	statements[1].Complete = false
	blind, err := a.Evaluate(months(t, 1)[0], sla.Evidence{})
	must(t, blind, err)
	blind.Complete = true
	if _, err := pricing.FromStatements(append(statements, blind)); !slices.Equal(paths(err), []string{"statements[1].through", "statements[4].quality"}) {
		t.Errorf("problems at %q, want the estimate and the one without data", paths(err))
	}
}

// A contract that begins in the middle of the month has the outages of that part.
func TestPastInPart(t *testing.T) {
	c := sla.Preset("part", sla.Essential, "UTC", euros(t, "20000.00"))
	january := months(t, 1)[0]
	c.From = january.Start.Add(372 * time.Hour)
	a := compile(t, c)
	for _, row := range []struct {
		name  string
		start time.Duration
		want  string
	}{
		{"before", 100 * time.Hour, "0.00"},
		{"after", 500 * time.Hour, "1000.00"},        // 6 of 372 h is 98.4 %: 10 % of half the fee
		{"over the turn", 369 * time.Hour, "0.00"},   // 3 of 372 h is 99.2 %
		{"over the end", 740 * time.Hour, "1000.00"}, // 4 of 372 h is 98.9 %
	} {
		start := january.Start.Add(row.start)
		m, err := pricing.FromHistory([]sla.Outage{{Start: start, End: start.Add(6 * time.Hour)}}, []sla.Period{january})
		must(t, m, err)
		f, err := pricing.Simulate(a, january, m, pricing.Options{Draws: 5})
		must(t, f, err)
		if got := f.Percentile(100).Decimal(); got != row.want || f.Percentile(1).Decimal() != row.want {
			t.Errorf("%s: payout %s, want %s", row.name, got, row.want)
		}
	}
}

// Office hours without monitoring are without data, whatever is known of the
// nights. The week of the period has 45 of them.
func TestNoDataInHours(t *testing.T) {
	c := sla.Preset("hours", sla.Essential, "UTC", euros(t, "20000.00"))
	c.Terms = c.Terms[:1]
	c.Terms[0].Availability.ServiceHours = sla.OfficeHours
	a := compile(t, c)
	monday := time.Date(2026, 10, 12, 0, 0, 0, 0, time.UTC)
	week := sla.Period{Label: "week"}
	week.Start, week.End = monday, monday.Add(7*24*time.Hour)
	past := pricing.Past{Period: week, Gaps: []sla.Gap{{Start: monday.Add(9 * time.Hour), End: monday.Add((4*24 + 18) * time.Hour)}}}
	for _, row := range []struct {
		cut  time.Duration
		want pricing.Outcome
	}{{0, pricing.NoData}, {time.Nanosecond, pricing.Met}} {
		past.Gaps[0].End = past.Gaps[0].End.Add(-row.cut)
		f, err := pricing.Simulate(a, week, pricing.Model{Past: []pricing.Past{past}}, pricing.Options{Draws: 3})
		must(t, f, err)
		s, err := a.Evaluate(week, sla.Evidence{Observed: week.Interval, Gaps: past.Gaps})
		must(t, s, err)
		for _, b := range f.Bands {
			if (b.Draws > 0) != (b.Outcome == row.want) || string(s.Overall[0].Outcome) != string(row.want) {
				t.Errorf("%s less watched: %s in %d draws, %s in a statement, want %s", row.cut, b.Outcome, b.Draws, s.Overall[0].Outcome, row.want)
			}
		}
	}
}

// A day of a long month is drawn into a short one at the same share of it, and in
// service hours counts as far as it lies in them.
func TestPastInAnotherPeriod(t *testing.T) {
	c := sla.Preset("hours", sla.Essential, "UTC", euros(t, "20000.00"))
	c.Terms[0].Availability.ServiceHours = sla.OfficeHours
	a := compile(t, c)
	january := months(t, 1)[0]
	// The last day of January is the last one of February: Saturday, 28 February
	// 2026, outside of the office hours.
	m, err := pricing.FromHistory([]sla.Outage{{Start: january.End.Add(-24 * time.Hour), End: january.End}}, []sla.Period{january})
	must(t, m, err)
	f, err := pricing.Simulate(a, sla.Billing{}.At(january.End, time.UTC), m, pricing.Options{Draws: 10})
	must(t, f, err)
	if f.Credited != 0 {
		t.Errorf("a Saturday earned credits in %d of 10 draws", f.Credited)
	}
	// 16 January, 12:00 is the middle of the month: Sunday, 15 February, 00:00. A
	// day and a half reach to Monday 12:00, three of 180 hours of 20 days: 98.3 %.
	m, err = pricing.FromHistory([]sla.Outage{{Start: january.Start.Add(372 * time.Hour), End: january.Start.Add(408 * time.Hour)}}, []sla.Period{january})
	must(t, m, err)
	f, err = pricing.Simulate(a, sla.Billing{}.At(january.End, time.UTC), m, pricing.Options{Draws: 10})
	must(t, f, err)
	if got := f.Percentile(50).Decimal(); got != "2000.00" || f.Credited != 10 {
		t.Errorf("payout %s in %d draws, want 2000.00 in all 10", got, f.Credited)
	}
}
