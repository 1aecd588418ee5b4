package sla_test

import (
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// The figures are those of the tier table that the library was built for.
func TestOffers(t *testing.T) {
	for _, c := range []struct {
		tier     sla.Tier
		uptime   string
		response [4]time.Duration // 0 is the next business day
		from, to string
		services int
	}{
		{sla.Essential, "99", [4]time.Duration{15 * time.Minute, time.Hour, 4 * time.Hour, 0}, "15000.00 EUR", "25000.00 EUR", 4},
		{sla.Professional, "99.5", [4]time.Duration{5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 4 * time.Hour}, "35000.00 EUR", "50000.00 EUR", 6},
		{sla.Enterprise, "99.9", [4]time.Duration{2 * time.Minute, 15 * time.Minute, time.Hour, 2 * time.Hour}, "75000.00 EUR", "150000.00 EUR", 6},
	} {
		o := c.tier.Offer()
		if o.Uptime != percent(c.uptime) || o.FeeFrom.String() != c.from || o.FeeTo.String() != c.to || len(o.Services) != c.services {
			t.Errorf("%s: offer = %+v", c.tier, o)
		}
		for i, want := range c.response {
			target := o.Response[i]
			if target.Severity != incident.Severities[i] || target.Within != want || (target.NextDay != nil) != (want == 0) {
				t.Errorf("%s: response %d = %+v, want %v", c.tier, i, target, want)
			}
		}
	}
	if o := sla.Tier(0).Offer(); !reflect.DeepEqual(o, sla.Offer{}) {
		t.Errorf("offer of no tier = %+v, want none", o)
	}
}

func TestPresetIssues(t *testing.T) {
	for _, c := range []struct {
		tier  sla.Tier
		fee   string
		codes []string
	}{
		{sla.Essential, "20000.00 EUR", nil},
		{sla.Professional, "45000.00 EUR", []string{sla.CodeCreditGap, sla.CodeUnused}},
		{sla.Enterprise, "60000.00 EUR", []string{sla.CodeFeeRange, sla.CodeCreditGap, sla.CodeUnused}},
	} {
		contract := sla.Preset("x", c.tier, "Europe/Amsterdam", money.Must(money.Parse(c.fee)))
		if err := contract.Validate(); err != nil {
			t.Errorf("%s: %v", c.tier, err)
		}
		var codes []string
		for _, i := range contract.Issues() {
			codes = append(codes, i.Code)
		}
		if !slices.Equal(codes, c.codes) {
			t.Errorf("%s: warnings %q, want %q", c.tier, codes, c.codes)
		}
	}
}

// Fixed amounts are not converted.
func TestPresetInAnotherCurrency(t *testing.T) {
	c := sla.Preset("x", sla.Professional, "Asia/Tokyo", money.Must(money.Parse("4500000 JPY")))
	_, err := sla.Compile(c)
	var problem *sla.ContractError
	if !errors.Is(err, money.ErrCurrency) || !errors.As(err, &problem) || problem.Issue.Path != "terms[1].response.targets[0].credit" {
		t.Errorf("Compile = %v, want ErrCurrency at the first credit", err)
	}
}

func TestValidateJoinsAllProblems(t *testing.T) {
	minus := percent("0") - 1
	full := money.WholePercent(100)
	c := sla.Contract{
		Zone: "Local", Period: sla.Billing{Months: 5, AnchorDay: 32}, Stack: 9, CapPercent: &minus, Tier: 9, Rounding: 9,
		From: vectorStart, Until: vectorStart, Claim: sla.ClaimRule{Kind: sla.DaysAfterPeriodEnd},
		Calendars: map[string]calendar.Hours{"office": {Zone: "Nowhere"}},
		Terms: []sla.Term{
			{ID: "a", Availability: &sla.Availability{
				Target: 0, Exclude: []sla.Cause{"provider"}, ServiceHours: "none", Aggregate: 9, ExcludeMode: 9, Unknown: 9, MinNotice: -1,
				Services: []sla.Service{{ID: "s"}, {ID: "s", Target: &minus}},
				Measure:  sla.BadSlots{MinRun: -1, ErrorRate: full + 1},
				Remedy: sla.Bands{Bands: []sla.Band{
					{Below: percent("99"), From: percent("98"), Credit: percent("10")},
					{Below: percent("98.5"), From: percent("95"), Credit: percent("5")},
					{Below: percent("94"), From: percent("94"), Credit: minus},
					{Below: percent("94"), From: percent("1"), AtBelow: true, Days: 3, Credit: percent("1")},
				}},
			}},
			{ID: "a", Response: &sla.Clock{Start: 9, Targets: []sla.Target{
				{},
				{Severity: incident.P1, Within: time.Hour, NextDay: &calendar.NextDayRule{}},
				{Severity: incident.P1, Within: time.Hour, Credit: money.Must(money.Parse("-1.00 USD")), CreditPercent: 1},
			}}},
			{ID: "c", Resolution: &sla.Clock{}, CapPercent: &minus},
			{ID: "d", Monitoring: &sla.Monitoring{PercentPerHour: minus, Count: 9}},
			{ID: "e", DataLoss: &sla.Liability{}},
			{ID: "f"},
			{ID: "g", Monitoring: &sla.Monitoring{}, DataLoss: &sla.Liability{Fees: 1}},
		},
	}
	err := c.Validate()
	if err == nil {
		t.Fatal("Validate = nil")
	}
	for _, want := range []string{
		`contract id "": want an id`, `fee "": want`, `zone "Local": want`, `period.months "5"`, `period.anchor_day "32"`, `stack "`, `cap_percent "`,
		`tier "Tier(9)"`, `rounding "`, `until "`, `claim.days "0"`, `calendars.office "office"`,
		`terms[0].availability.target "0%"`, `terms[0].availability.exclude "provider"`, `terms[0].availability.service_hours "none"`,
		`terms[0].availability.aggregate`, `terms[0].availability.exclude_mode`, `terms[0].availability.unknown`, `terms[0].availability.min_notice_ns`,
		`terms[0].availability.services[1].id "s"`, `terms[0].availability.services[1].target`,
		`terms[0].availability.measure.slot_ns`, `terms[0].availability.measure.error_rate`, `terms[0].availability.measure.min_run`,
		`terms[0].availability.remedy.bands[1].below "98.5%": want at most 98%, or the bands overlap`,
		`terms[0].availability.remedy.bands[1].credit "5%"`, `terms[0].availability.remedy.bands[2].below "94%": want 95%, or there is a gap between the bands`,
		`terms[0].availability.remedy.bands[2] "94% to 94%"`, `terms[0].availability.remedy.bands[3].at_below "94%"`, `terms[0].availability.remedy.bands[3].from "1%"`,
		`terms[0].availability.remedy.bands[3].days "3"`,
		`terms[1].id "a"`, `terms[1].response.start`, `terms[1].response.targets[0].severity "unset"`, `terms[1].response.targets[0].within_ns "0s"`,
		`terms[1].response.targets[1].within_ns "1h0m0s"`, `terms[1].response.targets[1].calendar ""`, `terms[1].response.targets[2].severity "P1"`,
		`terms[1].response.targets[2].credit "-1.00 USD"`, `terms[2].resolution.targets ""`, `terms[2].cap_percent`,
		`terms[3].monitoring.percent_per_hour`, `terms[3].monitoring.count`, `terms[4].data_loss.fees "0"`, `terms[5] "f"`, `terms[6] "g"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Validate does not report %s", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestContractJSON(t *testing.T) {
	c := sla.Preset("x", sla.Essential, "Europe/Amsterdam", money.Must(money.Parse("20000.00 EUR")))
	c.Stack, c.Claim = sla.StackMax, sla.ClaimRule{Kind: sla.PeriodsAfter, Periods: 2}
	c.Terms[0].Availability.Measure = sla.MeanErrorRate{Slot: time.Minute}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back sla.Contract
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(c, back) {
		t.Errorf("contract changes on the way through JSON: %v\n%s", err, data)
	}
	for _, bad := range []string{`{"stack":"most"}`, `{"tier":"gold"}`, `{"claim":{"kind":"never"}}`, `{"terms":[{"availability":{"unknown":"perhaps"}}]}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("Unmarshal(%s) = nil, want an error", bad)
		}
	}
}

func TestEvidenceErrors(t *testing.T) {
	a := reference(t, sla.Enterprise)
	p := a.PeriodAt(vectorStart)
	early := p.Start.Add(-time.Hour)
	_, err := a.Evaluate(p, sla.Evidence{
		Observed:    calendar.Interval{Start: p.End, End: p.Start},
		Outages:     []sla.Outage{{Ref: "o", Start: p.Start, End: early}, {Ref: "old", Start: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)}},
		Maintenance: []sla.Maintenance{{Ref: "m", Start: p.Start}},
		Gaps:        []sla.Gap{{Service: "g", Start: p.Start, End: early}},
		Requests:    []sla.Requests{{Service: "r", Start: p.Start, Total: 1, Failed: 2}, {Service: "s", Total: 1}},
		Incidents: []sla.Incident{
			{ID: "i"},
			{ID: "j", Severity: incident.P1, Opened: p.Start, Responded: early, Resolved: early, Pauses: []calendar.Interval{{Start: p.Start, End: early}}},
		},
		Losses: []sla.Loss{{Ref: "l"}},
	})
	for _, want := range []string{
		`observed ""`, `outages[0] "o"`, `outages[1] "old": start in the year 1: want 1678 to 2261`, `maintenance[0] "m"`, `gaps[0] "g"`, `requests[0] "r": 2 failed and 0 slow of 1`, `requests[1] "s": start is not set`, `incidents[0] "i": severity unset`, `opened is not set`,
		`incidents[1] "j": responded`, `resolved 2026`, `losses[0] "l"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Evaluate does not report %s:\n%v", want, err)
		}
	}
	var e *sla.EvidenceError
	if !errors.As(err, &e) || !errors.Is(err, calendar.ErrInverted) {
		t.Errorf("Evaluate = %T, want an EvidenceError around ErrInverted", err)
	}
	if _, err := a.Evaluate(sla.Period{Label: "x"}, sla.Evidence{}); !errors.Is(err, sla.ErrPeriod) {
		t.Errorf("Evaluate of an empty period = %v, want ErrPeriod", err)
	}
	if _, err := a.Evaluate(sla.Period{Interval: calendar.Interval{Start: p.End, End: p.Start}}, sla.Evidence{}); !errors.Is(err, sla.ErrPeriod) || !errors.Is(err, calendar.ErrInverted) {
		t.Errorf("Evaluate of an inverted period = %v, want ErrPeriod and ErrInverted", err)
	}
}

// Every enumeration reads what it writes and does not write what it cannot read.
func TestEnumerations(t *testing.T) {
	enumeration[sla.Tier](t, 4)
	enumeration[sla.Stack](t, 3)
	enumeration[sla.Aggregate](t, 4)
	enumeration[sla.ExcludeMode](t, 2)
	enumeration[sla.Unknown](t, 3)
	enumeration[sla.ClockStart](t, 2)
	enumeration[sla.CountIn](t, 3)
	enumeration[sla.TicketStatus](t, 5)
	enumeration[sla.HourCount](t, 4)
	enumeration[sla.ClaimKind](t, 7)
	enumeration[sla.Partial](t, 3)
	enumeration[sla.Overlap](t, 2)
	enumeration[sla.RowFault](t, 5)
	enumeration[sla.EmptySlot](t, 2)
	enumeration[sla.Component](t, 7)
	enumeration[sla.MonitoringLevel](t, 4)
}

func enumeration[T interface {
	~uint8
	encoding.TextMarshaler
}](t *testing.T, n int) {
	t.Helper()
	for v := range n {
		text, err := T(v).MarshalText()
		if err != nil {
			t.Errorf("%T(%d).MarshalText: %v", T(v), v, err)
		}
		var back T
		if err := any(&back).(encoding.TextUnmarshaler).UnmarshalText(text); err != nil || back != T(v) {
			t.Errorf("%T: UnmarshalText(%s) = %v, %v, want %v", back, text, back, err, T(v))
		}
	}
	if text, err := T(n).MarshalText(); err == nil {
		t.Errorf("%T(%d).MarshalText = %s, want an error", T(n), n, text)
	}
	if err := any(new(T)).(encoding.TextUnmarshaler).UnmarshalText([]byte("nonsense")); err == nil {
		t.Errorf("%T: UnmarshalText(nonsense): want an error", T(n))
	}
}

// A contract that caps credits by an invoice wants one, wherever it is asked for
// amounts.
func TestMissingInvoice(t *testing.T) {
	c := a0(t)
	limit := money.WholePercent(30)
	c.CapInvoicePercent = &limit
	a, err := sla.Compile(c)
	noError(t, err)
	p := a.PeriodAt(vectorStart)
	e := sla.Evidence{Observed: p.Interval}
	_, evaluate := a.Evaluate(p, e)
	_, outlook := a.Outlook(p, e, p.Start)
	_, plan := a.RatePlan(p, e)
	for name, err := range map[string]error{"Evaluate": evaluate, "Outlook": outlook, "RatePlan": plan} {
		var wrong *sla.EvidenceError
		if !errors.As(err, &wrong) || wrong.Path != "invoice" || strings.Count(err.Error(), "sla: ") != 1 {
			t.Errorf("%s: error %v, want one about the invoice", name, err)
		}
	}
}
