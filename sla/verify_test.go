package sla_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// throughJSON is what a store gives back.
func throughJSON(tb testing.TB, s sla.Statement) sla.Statement {
	tb.Helper()
	data, err := json.Marshal(s)
	noError(tb, err)
	var back sla.Statement
	noError(tb, json.Unmarshal(data, &back))
	return back
}

func TestVerify(t *testing.T) {
	a, e := acme(t)
	p := month(t, a, "2026-10")
	for _, c := range []struct {
		name   string
		tamper func(*sla.Statement)
		want   []sla.Difference
	}{
		{"nothing", func(*sla.Statement) {}, nil},
		{
			"a credit", func(s *sla.Statement) { s.Lines[2].Amount = money.Must(money.Parse("50.00 EUR")) },
			[]sla.Difference{{Path: "lines[2].amount", Stated: "50.00 EUR", Derived: "5000.00 EUR"}},
		},
		{"the sum and its split", func(s *sla.Statement) {
			s.Payable = money.Must(money.Parse("12000.00 EUR"))
			s.Waterfall[0].Payable = money.Must(money.Parse("0.00 EUR"))
		}, []sla.Difference{
			{Path: "payable", Stated: "12000.00 EUR", Derived: "22000.00 EUR"},
			{Path: "waterfall[0].payable", Stated: "0.00 EUR", Derived: "10000.00 EUR"},
		}},
		{"a value that shows alike", func(s *sla.Statement) {
			noError(t, s.Availability[1].Value.UnmarshalText([]byte("8843/8941"))) // 98.903925 %, not 98.903803
		}, []sla.Difference{{Path: "availability[1].value", Stated: "8843/8941", Derived: "4421/4470"}}},
		{"an instant, a duration and a band", func(s *sla.Statement) {
			s.Breaches[1].At = s.Breaches[1].At.Add(time.Nanosecond)
			s.Breaches[1].Actual = 2 * time.Minute
			s.Lines[0].Band = nil
		}, []sla.Difference{
			{Path: "breaches[1].at", Stated: "2026-10-10T00:03:00.000000001Z", Derived: "2026-10-10T00:03:00Z"},
			{Path: "breaches[1].actual_ns", Stated: "2m0s", Derived: "3m0s"},
			{Path: "lines[0].band", Derived: `{"below":"99%","from":"98%","credit":"10%"}`},
		}},
		{"a finding that is not there", func(s *sla.Statement) {
			s.Findings = append(s.Findings, sla.Finding{Code: "x", Text: "y"})
		}, []sla.Difference{{Path: "findings[1]", Stated: `{"code":"x","text":"y"}`}}},
		{"a missing tally and a flag", func(s *sla.Statement) {
			s.Clocks = s.Clocks[:7]
			s.Complete = false
		}, []sla.Difference{
			{Path: "complete", Stated: "false", Derived: "true"},
			{Path: "clocks[7]", Derived: `{"term":"resolution","clause":"resolution","severity":"P4","met":0,"missed":0,"pending":1}`},
		}},
		{
			"the label of the period", func(s *sla.Statement) { s.Period.Label = "2026-09" },
			[]sla.Difference{{Path: "period.label", Stated: "2026-09", Derived: "2026-10"}},
		},
		{"another zone is no difference", func(s *sla.Statement) {
			s.Through = s.Through.In(time.FixedZone("", 7200))
			s.Availability = slices.Clone(s.Availability)
		}, nil},
	} {
		s := throughJSON(t, evaluate(t, a, p, e))
		c.tamper(&s)
		err := s.Verify(a.Contract(), e)
		if c.want == nil {
			if err != nil {
				t.Errorf("%s: Verify = %v, want nil", c.name, err)
			}
			continue
		}
		var difference *sla.DifferenceError
		if !errors.As(err, &difference) {
			t.Errorf("%s: Verify = %v, want a DifferenceError", c.name, err)
			continue
		}
		equalText(t, c.name, difference.Differences, c.want)
	}
}

func TestVerifyOfOtherInputs(t *testing.T) {
	a, e := acme(t)
	s := evaluate(t, a, month(t, a, "2026-10"), e)
	contract := a.Contract()
	contract.Fee = money.Must(money.Parse("90000.00 EUR"))
	evidence := e
	evidence.Outages = e.Outages[1:]
	for _, c := range []struct {
		name               string
		contract           sla.Contract
		evidence           sla.Evidence
		otherContract, not bool
	}{
		{"another fee", contract, e, true, false},
		{"an outage less", a.Contract(), evidence, false, true},
		{"both", contract, evidence, true, true},
	} {
		err := s.Verify(c.contract, c.evidence)
		if errors.Is(err, sla.ErrOtherContract) != c.otherContract || errors.Is(err, sla.ErrOtherEvidence) != c.not {
			t.Errorf("%s: Verify = %v", c.name, err)
		}
	}
	s.Inputs = sla.Inputs{}
	if err := s.Verify(a.Contract(), e); !errors.Is(err, sla.ErrOtherContract) || !errors.Is(err, sla.ErrOtherEvidence) {
		t.Errorf("Verify of a statement that names no inputs = %v", err)
	}
	contract.Terms = []sla.Term{{ID: "a", Availability: &sla.Availability{Target: 1, Measure: half{}}}}
	if err := s.Verify(contract, e); err == nil || errors.Is(err, sla.ErrOtherContract) {
		t.Errorf("Verify under a measure without a name = %v, want the error of the digest", err)
	}
}

func TestDifferenceErrorIsShort(t *testing.T) {
	e := &sla.DifferenceError{Contract: "acme", Period: "2026-10"}
	for i := range 7 {
		e.Differences = append(e.Differences, sla.Difference{Path: fmt.Sprintf("p%d", i), Stated: "a", Derived: "b"})
	}
	equalText(t, "error", e, `sla: statement "acme" "2026-10" does not follow from its inputs: p0: stated "a", derived "b", p1: stated "a", derived "b", `+
		`p2: stated "a", derived "b", p3: stated "a", derived "b", p4: stated "a", derived "b", and 2 more`)
}

// variedContract is a reference contract with other measures, remedies, ways to
// add up and indicators.
func variedContract(r *rand.Rand, id string) sla.Contract {
	tier := sla.Tiers[r.IntN(3)]
	c := sla.Preset(id, tier, "Europe/Amsterdam", tier.Offer().FeeFrom)
	a := c.Terms[0].Availability
	a.Measure = []sla.Measure{
		nil,
		sla.Uptime{Unit: time.Minute, Partial: sla.PartialUp},
		sla.Uptime{Overlap: sla.OverlapSum},
		sla.BadSlots{Slot: time.Hour, ErrorRate: 1},
		sla.MeanErrorRate{Slot: time.Hour},
		sla.Events{},
		sla.AffectedRatio{},
	}[r.IntN(7)]
	a.Remedy = []sla.Remedy{
		nil,
		sla.Bands{Bands: sla.ReferenceBands(), ExtendTop: true},
		sla.Bands{Bands: []sla.Band{{Below: money.WholePercent(100), Days: 3}}},
		sla.LostTime{Times: 10},
		sla.UsageShare{},
		sla.UnknownRemedy{},
	}[r.IntN(6)]
	a.Unknown = sla.Unknown(r.IntN(3))
	a.ExcludeMode = sla.ExcludeMode(r.IntN(2))
	c.RoundOnce = r.IntN(2) == 0
	c.Stack = sla.Stack(r.IntN(3))
	c.Claim = sla.ClaimRule{Kind: sla.PeriodsAfter, Periods: 2}
	target, _ := incident.ParseTarget("< 3h")
	c.Terms = append(c.Terms, sla.Term{ID: "mttr", Indicator: &sla.Indicator{KPI: sla.KPIMTTRP1, Target: target, CreditPercent: money.WholePercent(3)}})
	if r.IntN(2) == 0 {
		a.Services = []sla.Service{{ID: "a"}, {ID: "b"}}
		a.Aggregate = sla.Aggregate(r.IntN(3))
		if _, usage := a.Remedy.(sla.UsageShare); usage && a.Aggregate == sla.Mean {
			a.Aggregate = sla.PerService // a mean has no usage of its own
		}
	}
	if r.IntN(4) == 0 {
		c.From = time.Date(2026, time.Month(1+r.IntN(12)), 10, 3, 4, 5, 6, time.UTC)
	}
	return c
}

func variedEvidence(r *rand.Rand, p sla.Period) sla.Evidence {
	e := randomEvidence(r, p)
	for i := range e.Outages {
		e.Outages[i].Service = []string{"", "a", "b", "c"}[r.IntN(4)]
		share := money.WholePercent(r.Int64N(101))
		e.Outages[i].Affected = []*money.Percent{nil, &share}[r.IntN(2)]
	}
	for i := range e.Incidents {
		in := &e.Incidents[i]
		in.Detected = in.Opened
		in.Severities = []sla.SeverityChange{{At: in.Opened.Add(time.Hour), Severity: incident.P1}}
		in.Pauses = []calendar.Interval{{Start: in.Opened.Add(time.Hour), End: in.Opened.Add(2 * time.Hour)}}
	}
	for at := p.Start; at.Before(p.End) && r.IntN(3) > 0; at = at.Add(time.Hour * time.Duration(1+r.IntN(20))) {
		total := 1 + r.Uint64N(1000)
		e.Requests = append(e.Requests, sla.Requests{Service: []string{"a", "b"}[r.IntN(2)], Start: at, Total: total, Failed: r.Uint64N(total)})
	}
	for range r.IntN(3) {
		at := p.Start.Add(time.Duration(r.IntN(700)) * time.Hour)
		e.Losses = append(e.Losses, sla.Loss{Ref: "l", At: at, Claimed: money.Must(money.New(r.Int64N(1_000_000), "EUR"))})
	}
	return e
}

// Whatever is evaluated verifies, at once, after JSON, with its evidence in
// another order and in another zone. The JSON loses nothing.
func TestVerifyOfWhatWasEvaluated(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	noError(t, err)
	r := rand.New(rand.NewPCG(15, 16))
	evaluated := 0
	for range 200 {
		c := variedContract(r, "x")
		a, err := sla.Compile(c)
		noError(t, err)
		p := a.PeriodAt(time.Date(2026, time.Month(1+r.IntN(12)), 15, 0, 0, 0, 0, time.UTC))
		e := variedEvidence(r, p)
		s, err := a.Evaluate(p, e)
		if errors.Is(err, sla.ErrNotInForce) {
			continue
		}
		noError(t, err)
		evaluated++
		noError(t, s.Verify(c, e))
		back := throughJSON(t, s)
		if !reflect.DeepEqual(digest(t, s), digest(t, back)) {
			t.Fatalf("statement changes on the way through JSON:\n%+v\n%+v", s, back)
		}
		noError(t, back.Verify(c, e))

		shuffle(r, e.Outages)
		shuffle(r, e.Incidents)
		shuffle(r, e.Requests)
		shuffle(r, e.Losses)
		shuffle(r, e.Gaps)
		shuffle(r, e.Maintenance)
		leaves(reflect.ValueOf(&e).Elem(), "", func(_ string, v reflect.Value) {
			if at, ok := reflect.TypeAssert[*time.Time](v.Addr()); ok && !at.IsZero() {
				*at = at.In(tokyo)
			}
		})
		noError(t, back.Verify(c, e))
	}
	if evaluated < 150 {
		t.Errorf("only %d statements were evaluated", evaluated)
	}
}

// Evidence whose ids and starts are all the same is not told apart by its order.
func TestOrderOfTies(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	c := sla.Preset("x", sla.Professional, "Europe/Amsterdam", sla.Professional.Offer().FeeFrom)
	c.Terms[0].Availability.Exclude = append(c.Terms[0].Availability.Exclude, sla.CauseCustomer)
	a, err := sla.Compile(c)
	noError(t, err)
	p := month(t, a, "2026-10")
	hours := func(n int) time.Time { return p.Start.Add(time.Duration(n) * time.Hour) }
	e := sla.Evidence{Observed: p.Interval}
	for n := 1; n <= 4; n++ {
		cause := []sla.Cause{"", sla.CauseCustomer, sla.CauseForceMajeure, "weather"}[n-1]
		e.Outages = append(e.Outages, sla.Outage{Ref: "x", Start: hours(10), End: hours(10 + n), Cause: cause})
		e.Maintenance = append(e.Maintenance, sla.Maintenance{Ref: "x", Start: hours(10), End: hours(10 + n), Announced: hours(10 - 24*n)})
		e.Incidents = append(e.Incidents, sla.Incident{ID: "x", Service: strconv.Itoa(n), Severity: incident.Severities[n-1], Opened: hours(20), Resolved: hours(20 + 30*n)})
		e.Losses = append(e.Losses, sla.Loss{Ref: "x", At: hours(10), Claimed: money.Must(money.New(int64(n)*20_000_000, "EUR"))})
	}
	want := evaluate(t, a, p, e)
	for range 50 {
		shuffle(r, e.Outages)
		shuffle(r, e.Maintenance)
		shuffle(r, e.Incidents)
		shuffle(r, e.Losses)
		noError(t, want.Verify(c, e))
	}
}
