package sla_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// flaw is a change to a contract without issues, and the issues that it has then
// as "code path", with "!" in front where the contract cannot be used.
type flaw struct {
	name   string
	change func(*sla.Contract)
	want   []string
}

func bandsOf(c *sla.Contract) []sla.Band {
	return c.Terms[0].Availability.Remedy.(sla.Bands).Bands //nolint:forcetypeassert // the preset's
}

// flaws that a contract can have all at once.
var flaws = []flaw{
	{"no zone", func(c *sla.Contract) { c.Zone = "" }, []string{"!missing_zone zone"}},
	{"fee below the tier", func(c *sla.Contract) { c.Fee = eur("14999.99") }, []string{"fee_out_of_range fee"}},
	{"gap between bands", func(c *sla.Contract) { bandsOf(c)[1].Below = percent("97.9") }, []string{"!band_gap terms[0].availability.remedy.bands[1].below"}},
	{"bands overlap", func(c *sla.Contract) { bandsOf(c)[2].Below = percent("95.1") }, []string{"!band_overlap terms[0].availability.remedy.bands[2].below"}},
	{"worst values in no band", func(c *sla.Contract) { bandsOf(c)[2].NotAtFrom = true }, []string{"!band_gap terms[0].availability.remedy.bands[2].from"}},
	{"worse band with a smaller credit", func(c *sla.Contract) { bandsOf(c)[1].Credit = percent("9") }, []string{"!band_order terms[0].availability.remedy.bands[1].credit"}},
	{"target above the top band", func(c *sla.Contract) { c.Terms[0].Availability.Target = percent("99.9") }, []string{"credit_gap terms[0].availability.remedy.bands[0].below"}},
	{"cap below the largest band", func(c *sla.Contract) { c.CapPercent = percentage("49.9") }, []string{"low_cap cap_percent"}},
	{"cap of the term below it", func(c *sla.Contract) { c.Terms[0].CapPercent = percentage("49.9") }, []string{"low_cap terms[0].cap_percent"}},
	{"maintenance without notice", func(c *sla.Contract) { c.Terms[0].Availability.MinNotice = 0 }, []string{"no_notice_rule terms[0].availability.min_notice_ns"}},
	{"notice on the wall clock without one", func(c *sla.Contract) { a := c.Terms[0].Availability; a.MinNotice, a.NoticeLocal = 0, true }, []string{
		"no_notice_rule terms[0].availability.min_notice_ns", "unused terms[0].availability.notice_local",
	}},
	{"calendar that never opens", func(c *sla.Contract) {
		c.Calendars[sla.OfficeHours] = calendar.Hours{Zone: "UTC", Week: calendar.Week{time.Monday: nil}, Special: map[string][]calendar.Span{"2026-12-24": {}}}
	}, []string{"!no_working_time calendars." + sla.OfficeHours}},
	{"fixed amount in another currency", func(c *sla.Contract) { c.Terms[1].Response.Targets[0].Credit = money.Must(money.Parse("500.00 USD")) }, []string{"!currency terms[1].response.targets[0].credit"}},
	{"minimum in another currency", func(c *sla.Contract) { c.Terms[2].MoreThan = money.Must(money.Parse("1.00 USD")) }, []string{"!currency terms[2].more_than"}},
	{"severity twice", func(c *sla.Contract) { c.Terms[1].Response.Targets[1].Severity = incident.P1 }, []string{"!duplicate terms[1].response.targets[1].severity"}},
	{"unknown calendar", func(c *sla.Contract) { c.Terms[2].Resolution.Targets[0].Calendar = "shop" }, []string{"!unknown_name terms[2].resolution.targets[0].calendar"}},
	{"term twice", func(c *sla.Contract) { c.Terms[3].ID = "response" }, []string{"!duplicate terms[3].id"}},
	{"fee base of a term without percentages", func(c *sla.Contract) { c.Terms[4].FeeBase = "storage" }, []string{"unused terms[4].fee_base"}},
	{"claims before the report", func(c *sla.Contract) { c.Claim = sla.ClaimRule{Kind: sla.DaysAfterPeriodEnd, Days: 14} }, []string{"late_claim claim.days"}},
	{"calendar that nothing names", func(c *sla.Contract) {
		c.Calendars["shop2"] = calendar.Hours{Zone: "UTC", Week: calendar.EveryDay("08:00", "18:00")}
	}, []string{"unused calendars.shop2"}},
}

// otherFlaws exclude one of those, or each other.
var otherFlaws = []flaw{
	{"none", func(*sla.Contract) {}, nil},
	{"the reader's own zone", func(c *sla.Contract) { c.Zone = "Local" }, []string{"!invalid zone"}},
	{"unknown zone", func(c *sla.Contract) { c.Zone = "Europe/Atlantis" }, []string{"!invalid zone"}},
	{"fee between two tiers", func(c *sla.Contract) { c.Fee = eur("30000.00") }, []string{"fee_out_of_range fee"}},
	{"percentages of no fee", func(c *sla.Contract) {
		c.Fee = money.Amount{}
		c.Terms[2].FeeBase = "compute"
	}, []string{"!invalid fee", "!no_fee_base terms[0].fee_base", "!no_fee_base terms[3].fee_base"}},
	{"a bound that both bands hold", func(c *sla.Contract) { bandsOf(c)[1].AtBelow = true }, []string{"!band_overlap terms[0].availability.remedy.bands[1].at_below"}},
	{"a bound that no band holds", func(c *sla.Contract) { bandsOf(c)[0].NotAtFrom = true }, []string{"band_hole terms[0].availability.remedy.bands[1].below"}},
	{"worst values in no band, by the bound", func(c *sla.Contract) { bandsOf(c)[2].From = percent("1") }, []string{"!band_gap terms[0].availability.remedy.bands[2].from"}},
	{"a strict target on the edge of the top band", func(c *sla.Contract) { c.Terms[0].Availability.Strict = true }, []string{"credit_gap terms[0].availability.remedy.bands[0].at_below"}},
	{"a strict target that the top band holds", func(c *sla.Contract) {
		c.Terms[0].Availability.Strict, bandsOf(c)[0].AtBelow = true, true
	}, nil},
	{"the gap given to the top band", func(c *sla.Contract) {
		c.Terms[0].Availability.Target = percent("99.9")
		c.Terms[0].Availability.Remedy = sla.Bands{Bands: sla.ReferenceBands(), ExtendTop: true}
	}, nil},
	{"a service with a target above the top band", func(c *sla.Contract) {
		c.Terms[0].Availability.Services = []sla.Service{{ID: "a"}, {ID: "b", Target: percentage("99.5")}}
	}, []string{"credit_gap terms[0].availability.remedy.bands[0].below"}},
	{"all services below the term", func(c *sla.Contract) {
		c.Terms[0].Availability.Services = []sla.Service{{ID: "a", Target: percentage("98")}, {ID: "b", Target: percentage("97")}}
	}, []string{"unreachable_band terms[0].availability.remedy.bands[0]"}},
	{"the target inside the top band", func(c *sla.Contract) { c.Terms[0].Availability.Target = percent("98.5") }, []string{"unreachable_band terms[0].availability.remedy.bands[0].below"}},
	{"a band at the target", func(c *sla.Contract) { c.Terms[0].Availability.Target = percent("98") }, []string{"unreachable_band terms[0].availability.remedy.bands[0]"}},
	{"a band at a strict target", func(c *sla.Contract) {
		c.Terms[0].Availability.Target, c.Terms[0].Availability.Strict = percent("98"), true
	}, []string{"unreachable_band terms[0].availability.remedy.bands[0].below"}},
	{"a bound that is met", func(c *sla.Contract) { bandsOf(c)[0].AtBelow = true }, []string{"unreachable_band terms[0].availability.remedy.bands[0].at_below"}},
	{"no bands", func(c *sla.Contract) { c.Terms[0].Availability.Remedy = sla.Bands{} }, []string{"no_remedy terms[0].availability.remedy.bands"}},
	{"no remedy", func(c *sla.Contract) { c.Terms[0].Availability.Remedy = nil }, []string{"no_remedy terms[0].availability.remedy"}},
	{"cap in days below the largest band", func(c *sla.Contract) {
		c.CapDays = 9
		c.Terms[0].Availability.Remedy = sla.Bands{Bands: []sla.Band{{Below: percent("99"), Days: 10}}}
	}, []string{"low_cap cap_days"}},
	{"a notice for nothing", func(c *sla.Contract) {
		a := c.Terms[0].Availability
		a.Exclude, a.MaintenancePerYear = nil, time.Hour
	}, []string{"unused terms[0].availability.min_notice_ns", "unused terms[0].availability.maintenance_per_year_ns"}},
	{"claims after the incident, before the report", func(c *sla.Contract) { // on the first of a month of 31 days: the report is there after 46
		c.Claim = sla.ClaimRule{Kind: sla.DaysAfterIncident, Days: 45}
	}, []string{"late_claim claim.days"}},
	{"claims after the incident and the report", func(c *sla.Contract) { c.Claim = sla.ClaimRule{Kind: sla.DaysAfterIncident, Days: 46} }, nil},
	{"claims within one short period", func(c *sla.Contract) { // of a week, the third one ends after 21 days
		c.Period, c.Claim = sla.Billing{Days: 7}, sla.ClaimRule{Kind: sla.PeriodsAfter, Periods: 2}
	}, []string{"late_claim claim.periods"}},
	{"claims within three short periods", func(c *sla.Contract) {
		c.Period, c.Claim = sla.Billing{Days: 7}, sla.ClaimRule{Kind: sla.PeriodsAfter, Periods: 3}
	}, nil},
	{"claims within a month", func(c *sla.Contract) { c.Claim = sla.ClaimRule{Kind: sla.MonthsAfterPeriodEnd, Months: 1} }, nil},
	{"claim with figures of other kinds", func(c *sla.Contract) {
		c.Claim = sla.ClaimRule{Kind: sla.DaysAfterPeriodEnd, Days: 30, Months: 1, Periods: 1, NotifyBusinessDays: -1}
	}, []string{"!invalid claim.months", "!invalid claim.periods", "!invalid claim.notify_business_days"}},
	{"unknown kind of claim", func(c *sla.Contract) { c.Claim.Kind = 9 }, []string{"!invalid claim.kind"}},

	{"days and months", func(c *sla.Contract) { c.Period = sla.Billing{Days: 30, Months: 1} }, []string{"!invalid period.days"}},
	{"a first day without days", func(c *sla.Contract) { c.Period = sla.Billing{First: vectorStart} }, []string{"!invalid period.first"}},
	{"rolling without days", func(c *sla.Contract) { c.Period = sla.Billing{Rolling: true} }, []string{"!invalid period.rolling"}},
	{"rolling from a first day", func(c *sla.Contract) { c.Period = sla.Billing{Rolling: true, Days: 30, First: vectorStart} }, []string{"!invalid period.first"}},
	{"anchor month of no year", func(c *sla.Contract) { c.Period = sla.Billing{AnchorMonth: 13} }, []string{"!invalid period.anchor_month"}},
	{"negative caps", func(c *sla.Contract) {
		minus := percent("0") - 1
		c.CapDays, c.CapYearPercent, c.CapInvoicePercent = -1, &minus, &minus
	}, []string{"!invalid cap_year_percent", "!invalid cap_invoice_percent", "!invalid cap_days"}},

	{"pointers to a measure and a remedy", func(c *sla.Contract) {
		c.Terms[0].Availability.Measure, c.Terms[0].Availability.Remedy = &sla.Events{}, (*sla.Bands)(nil)
	}, []string{"!invalid terms[0].availability.measure", "!invalid terms[0].availability.remedy"}},
	{"uptime", func(c *sla.Contract) {
		c.Terms[0].Availability.Measure = sla.Uptime{MinOutage: -1, Unit: -1, Partial: 9, Overlap: 9}
	}, []string{
		"!invalid terms[0].availability.measure.min_outage_ns", "!invalid terms[0].availability.measure.unit_ns",
		"!invalid terms[0].availability.measure.partial", "!invalid terms[0].availability.measure.overlap",
	}},
	{"parts of no unit", func(c *sla.Contract) { c.Terms[0].Availability.Measure = sla.Uptime{Partial: sla.PartialUp} }, []string{"!invalid terms[0].availability.measure.unit_ns"}},
	{"mean error rate", func(c *sla.Contract) { c.Terms[0].Availability.Measure = sla.MeanErrorRate{Empty: 9} }, []string{
		"!invalid terms[0].availability.measure.slot_ns", "!invalid terms[0].availability.measure.empty",
	}},
	{"events", func(c *sla.Contract) {
		c.Terms[0].Availability.Measure = sla.Events{SlowCredit: money.WholePercent(101)}
	}, []string{"!invalid terms[0].availability.measure.slow_credit"}},
	{"lost time", func(c *sla.Contract) {
		minus := percent("0") - 1
		c.Terms[0].Availability.Remedy = sla.LostTime{BeyondTarget: true, OutageCapPercent: &minus}
		c.Terms[0].Availability.Measure = sla.Events{}
	}, []string{
		"!invalid terms[0].availability.remedy.times", "!invalid terms[0].availability.remedy.outage_cap_percent",
		"!invalid terms[0].availability.remedy.outage_cap_percent", "!invalid terms[0].availability.remedy.beyond_target",
	}},
	{"per interval", func(c *sla.Contract) {
		minus := percent("0") - 1
		c.Terms[0].Availability.Remedy = sla.PerInterval{Percent: minus, Deductible: -1, OutageCapPercent: &minus}
	}, []string{
		"!invalid terms[0].availability.remedy.percent", "!invalid terms[0].availability.remedy.interval_ns",
		"!invalid terms[0].availability.remedy.deductible_ns", "!invalid terms[0].availability.remedy.outage_cap_percent",
	}},
	{"per outage, nothing", func(c *sla.Contract) { c.Terms[0].Availability.Remedy = sla.PerOutage{} }, []string{"!invalid terms[0].availability.remedy.amount"}},
	{"per outage, both and in dollars", func(c *sla.Contract) {
		c.Terms[0].Availability.Remedy = sla.PerOutage{Amount: money.Must(money.Parse("1.00 USD")), Percent: 1}
	}, []string{"!currency terms[0].availability.remedy.amount", "!invalid terms[0].availability.remedy.amount"}},
	{"weights of no services", func(c *sla.Contract) { c.Terms[0].Availability.Aggregate = sla.Weighted }, []string{"!invalid terms[0].availability.services"}},
	{"per outage of a mean", func(c *sla.Contract) {
		c.Terms[0].Availability.Remedy = sla.PerOutage{Percent: 1}
		c.Terms[0].Availability.Aggregate, c.Terms[0].Availability.Services = sla.Mean, []sla.Service{{ID: "a"}}
	}, []string{"!invalid terms[0].availability.remedy"}},
	{"usage in downtime of a mean", func(c *sla.Contract) {
		c.Terms[0].Availability.Remedy, c.Terms[0].Availability.Aggregate = sla.UsageShare{}, sla.Mean
		c.Terms[0].Availability.Services = []sla.Service{{ID: "a"}}
	}, []string{"!invalid terms[0].availability.remedy"}},
	{"weights and targets of services", func(c *sla.Contract) {
		a := c.Terms[0].Availability
		a.Aggregate, a.Services = sla.Weighted, []sla.Service{{ID: "a", Weight: 1, Target: percentage("99")}, {ID: "b"}, {ID: ""}, {ID: "a", Weight: 1}}
	}, []string{
		"!invalid terms[0].availability.services[2].id", "!duplicate terms[0].availability.services[3].id",
		"!invalid terms[0].availability.services[0].target", "!invalid terms[0].availability.services[1].weight", "!invalid terms[0].availability.services[2].weight",
	}},
	{"yearly maintenance below 0", func(c *sla.Contract) { c.Terms[0].Availability.MaintenancePerYear = -1 }, []string{"!invalid terms[0].availability.maintenance_per_year_ns"}},
	{"clock", func(c *sla.Contract) {
		c.Terms[1].Response.CountIn, c.Terms[1].Response.Targets[0].CreditPercent = 9, -1
	}, []string{
		"!invalid terms[1].response.count_in", "!invalid terms[1].response.targets[0].credit_percent", "!invalid terms[1].response.targets[0].credit",
	}},
	{"no terms", func(c *sla.Contract) { c.Terms = nil }, []string{"!invalid terms", "unused calendars." + sla.OfficeHours}},
}

func found(issues []sla.Issue) (out []string) {
	for _, i := range issues {
		text := i.Code + " " + i.Path
		if !i.Warning {
			text = "!" + text
		}
		out = append(out, text)
	}
	return out
}

func soundContract() sla.Contract {
	return sla.Preset("sound", sla.Essential, "Europe/Amsterdam", eur("20000.00"))
}

// Each flaw has its own issues and no other, with a value and a text.
func TestIssues(t *testing.T) {
	for _, f := range append(flaws, otherFlaws...) {
		c := soundContract()
		f.change(&c)
		issues := c.Issues()
		equalText(t, f.name, found(issues), f.want)
		problems := 0
		for _, i := range issues {
			if i.Want == "" || !strings.Contains(i.String(), i.Want) || !strings.HasPrefix(i.String(), i.Path) {
				t.Errorf("%s: issue %q says too little", f.name, i)
			}
			if !i.Warning {
				problems++
			}
		}
		_, err := sla.Compile(c)
		if (err != nil) != (problems > 0) {
			t.Errorf("%s: Compile = %v with %d problems", f.name, err, problems)
		}
	}
}

// All flaws at once have all their issues.
func TestAllIssuesAtOnce(t *testing.T) {
	c := soundContract()
	missing := map[string]bool{}
	for _, f := range flaws {
		f.change(&c)
		for _, want := range f.want {
			missing[want] = true
		}
	}
	for _, got := range found(c.Issues()) {
		if !missing[got] {
			t.Errorf("issue %q that no flaw has", got)
		}
		delete(missing, got)
	}
	if len(missing) > 0 {
		t.Errorf("not reported: %v", missing)
	}
	err := c.Validate()
	if e, ok := errors.AsType[*sla.ContractError](err); !ok || !errors.Is(err, money.ErrCurrency) || !strings.Contains(fmt.Sprint(err), e.Issue.Want) {
		t.Errorf("Validate = %v, want ContractErrors and ErrCurrency", err)
	}
}
