package sla_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func promised(tb testing.TB, k sla.KPI, target string) sla.Indicator {
	tb.Helper()
	limit, err := incident.ParseTarget(target)
	if err != nil {
		tb.Fatal(err)
	}
	return sla.Indicator{KPI: k, Target: limit}
}

// Promises on the figures of the acme sample, of which October has 3 successful
// changes of 5 and mean times to restore of 7526 s.
func TestIndicator(t *testing.T) {
	a, e := acme(t)
	end := when(t, "2026-10-20T00:00:00Z")
	for i := range 5 {
		c := sla.Change{Ref: "c", End: end, Outcome: sla.ChangeSuccess}
		if i > 2 {
			c.Outcome = sla.ChangeFailed
		}
		e.Changes = append(e.Changes, c)
	}
	fixed := money.Must(money.Parse("750.00 EUR"))
	for _, c := range []struct {
		name    string
		kpi     sla.KPI
		target  string
		credit  money.Amount
		percent int64
		line    string // "" for none
		state   sla.State
		finding string
	}{
		{
			name: "missed, a percentage", kpi: sla.KPIChanges, target: "> 95%", percent: 2, state: sla.StateDue,
			line: "promise (change_success_rate): 60 % over 5, target > 95%: 2% of 100000.00 EUR, rounded half_up = 2000.00 EUR",
		},
		{
			name: "missed, an amount", kpi: sla.KPIChanges, target: "> 95%", credit: fixed, state: sla.StateDue,
			line: "promise (change_success_rate): 60 % over 5, target > 95%: 750.00 EUR",
		},
		{name: "missed, report only", kpi: sla.KPIChanges, target: "> 95%", state: sla.StateBreachNoBand},
		{
			name: "on a strict limit", kpi: sla.KPIChanges, target: "> 60%", credit: fixed, state: sla.StateDue,
			line: "promise (change_success_rate): 60 % over 5, target > 60%: 750.00 EUR",
		},
		{name: "on an inclusive limit", kpi: sla.KPIChanges, target: ">= 60%", credit: fixed, state: sla.StateNone},
		{name: "a time below", kpi: sla.KPIMTTRP1, target: "<= 7526s", credit: fixed, state: sla.StateNone},
		{
			name: "a time above", kpi: sla.KPIMTTRP1, target: "< 7526s", credit: fixed, state: sla.StateDue,
			line: "promise (mttr_p1): 7526 s over 5, target < 2h5m26s: 750.00 EUR",
		},
		{name: "no data is no breach", kpi: sla.KPISatisfaction, target: "> 4.5/5", credit: fixed, state: sla.StateNone, finding: sla.FindingNoData},
		{
			name: "a figure of other terms", kpi: sla.KPICompliance, target: ">= 99%", credit: fixed, state: sla.StateDue,
			line: "promise (sla_compliance_rate): 85.714285 % over 7, target >= 99%: 750.00 EUR",
		}, // 6 of 7 answers
	} {
		t.Run(c.name, func(t *testing.T) {
			contract := a.Contract()
			promise := promised(t, c.kpi, c.target)
			promise.Credit, promise.CreditPercent = c.credit, money.WholePercent(c.percent)
			contract.Terms = []sla.Term{{ID: "promise", Indicator: &promise}}
			if c.kpi == sla.KPICompliance { // the promise stands before what it is about
				response := *a.Contract().Terms[1].Response
				response.Targets = nil
				for _, target := range a.Contract().Terms[1].Response.Targets {
					target.Credit = money.Amount{}
					response.Targets = append(response.Targets, target)
				}
				contract.Terms = append(contract.Terms, sla.Term{ID: "response", Response: &response})
			}
			agreement, err := sla.Compile(contract)
			if err != nil {
				t.Fatal(err)
			}
			s := evaluate(t, agreement, month(t, agreement, "2026-10"), e)
			var lines []string
			for _, l := range s.Lines {
				lines = append(lines, l.Explain())
			}
			line := strings.Join(lines, "\n")
			if line != c.line || s.State != c.state || hasFinding(s, sla.FindingNoData) != (c.finding != "") {
				t.Errorf("line %q, state %s, findings %v, want %q, %s, %q", line, s.State, s.Findings, c.line, c.state, c.finding)
			}
			for _, b := range s.Breaches {
				if b.Clause != sla.ClauseIndicator {
					continue
				}
				if b.KeyFigure == nil || b.KeyFigure.Outcome != sla.Missed || b.Ref != string(c.kpi) || !b.At.Equal(s.Period.End) {
					t.Errorf("breach = %+v, want the figure, missed at the end of the period", b)
				}
			}
		})
	}
}

// The credit of an indicator stands last before the cap.
func TestIndicatorUnderCap(t *testing.T) {
	a, e := acme(t)
	contract := a.Contract()
	promise := promised(t, sla.KPIEscalation, "< 1%")
	promise.CreditPercent = money.WholePercent(10)
	limit := money.WholePercent(25)
	contract.CapPercent = &limit
	contract.Terms = append([]sla.Term{{ID: "escalations", Indicator: &promise}}, contract.Terms...)
	one := 1
	e.Incidents[1].Escalations = &one
	agreement, err := sla.Compile(contract)
	if err != nil {
		t.Fatal(err)
	}
	s := evaluate(t, agreement, month(t, agreement, "2026-10"), e)
	last := s.Waterfall[len(s.Waterfall)-1]
	equalText(t, "last paid", []any{last.Clause, last.Gross, last.Payable}, "[indicator 10000.00 EUR 3000.00 EUR]") // 25 000 − 22 000
	equalText(t, "payable", s.Payable, "25000.00 EUR")
}

func TestIndicatorIssues(t *testing.T) {
	fixed := money.Must(money.Parse("750.00 EUR"))
	yen := money.Must(money.Parse("750 JPY"))
	for _, c := range []struct {
		name    string
		promise sla.Indicator
		path    string // "" for none
	}{
		{"fine", promised(t, sla.KPIChanges, "> 95%"), ""},
		{"score without its best mark", promised(t, sla.KPISatisfaction, "> 4.5"), ""},
		{"score of ten", promised(t, sla.KPISatisfaction, "> 9/10"), "terms[0].indicator.target"},
		{"unknown figure", promised(t, "happiness", "> 95%"), "terms[0].indicator.kpi"},
		{"no target", sla.Indicator{KPI: sla.KPIChanges}, "terms[0].indicator.target"},
		{"time for a share", promised(t, sla.KPIChanges, "< 2h"), "terms[0].indicator.target"},
		{"share for a time", promised(t, sla.KPIMTTRP1, "> 95%"), "terms[0].indicator.target"},
		{"share for a count", promised(t, sla.KPIVolume, "< 10%"), "terms[0].indicator.target"},
		{"count", promised(t, sla.KPIVolume, "< 10"), ""},
		{"two credits", sla.Indicator{Credit: fixed, CreditPercent: money.WholePercent(1)}, "terms[0].indicator.credit"},
		{"another currency", sla.Indicator{Credit: yen}, "terms[0].indicator.credit"},
		{"negative", sla.Indicator{CreditPercent: -1}, "terms[0].indicator.credit_percent"},
	} {
		if c.promise.KPI == "" {
			good := promised(t, sla.KPIChanges, "> 95%")
			c.promise.KPI, c.promise.Target = good.KPI, good.Target
		}
		contract := sla.Contract{ID: "x", Zone: "UTC", Fee: money.Must(money.Parse("100.00 EUR")), Terms: []sla.Term{{ID: "promise", Indicator: &c.promise}}}
		err := contract.Validate()
		var problem *sla.ContractError
		switch {
		case c.path == "" && err != nil:
			t.Errorf("%s: %v, want none", c.name, err)
		case c.path != "" && (!errors.As(err, &problem) || problem.Issue.Path != c.path):
			t.Errorf("%s: %v, want one at %s", c.name, err, c.path)
		}
	}
}

func TestIndicatorJSON(t *testing.T) {
	promise := promised(t, sla.KPISatisfaction, "> 4.5/5")
	promise.Credit = money.Must(money.Parse("750.00 EUR"))
	data, err := json.Marshal(promise)
	if want := `{"kpi":"customer_satisfaction","target":"\u003e 4.5/5","credit":{"amount":"750.00","currency":"EUR"}}`; err != nil || string(data) != want {
		t.Fatalf("written %s, %v, want %s", data, err, want)
	}
	var back sla.Indicator
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, promise) {
		t.Errorf("read back %+v, %v, want %+v", back, err, promise)
	}
}

// A running month has no verdict on its figures yet but what they are so far.
func TestIndicatorSoFar(t *testing.T) {
	a, e := acme(t)
	contract := a.Contract()
	promise := promised(t, sla.KPIMTTRP1, "< 2h")
	contract.Terms = []sla.Term{{ID: "restore", Indicator: &promise}}
	agreement, err := sla.Compile(contract)
	if err != nil {
		t.Fatal(err)
	}
	e.Observed = calendar.Interval{Start: e.Observed.Start, End: when(t, "2026-10-12T00:00:00Z")}
	s := evaluate(t, agreement, month(t, agreement, "2026-10"), e)
	if s.Complete || len(s.Breaches) > 0 { // 330 s and 680 s so far
		t.Errorf("complete %v, breaches %v, want none before the long one", s.Complete, s.Breaches)
	}
	e.Observed.End = e.Observed.End.Add(72 * time.Hour)
	s = evaluate(t, agreement, month(t, agreement, "2026-10"), e)
	if len(s.Breaches) != 1 || !strings.Contains(s.Breaches[0].KeyFigure.Explain(), "12256.666666 s over 3") {
		t.Errorf("breaches %v, want a mean of 36 770 s by 3", s.Breaches)
	}
}
