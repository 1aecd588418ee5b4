package config_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// contractOf is a file of a contract with the tier, and more lines.
func contractOf(tier string, more ...string) []byte {
	return []byte(`version: 1
id: c1
customer: {id: acme, name: Acme Retail}
timezone: Europe/Amsterdam
tier: ` + tier + `
monthly_fee: "100000.00 EUR"
services: [{id: api, name: API gateway}, {id: web}]
` + strings.Join(more, "\n") + "\n")
}

func readContract(t *testing.T, tier string, more ...string) config.Agreed {
	t.Helper()
	c, _, err := config.ParseContract("c.yaml", contractOf(tier, more...))
	if err != nil {
		t.Fatalf("Contract with %q: %v", more, err)
	}
	return c
}

// clock returns the response or resolution clock of a contract, nil if it has
// none.
func clock(c config.Agreed, clause sla.Clause) *sla.Clock {
	for _, term := range c.Terms {
		switch {
		case term.Clause() == clause && clause == sla.ClauseResponse:
			return term.Response
		case term.Clause() == clause && clause == sla.ClauseResolution:
			return term.Resolution
		}
	}
	return nil
}

func availability(t *testing.T, c config.Agreed) *sla.Availability {
	t.Helper()
	for _, term := range c.Terms {
		if term.Availability != nil {
			return term.Availability
		}
	}
	t.Fatalf("the contract promises no availability: %+v", c.Terms)
	return nil
}

func clausesOf(c config.Agreed) []sla.Clause {
	var all []sla.Clause
	for _, term := range c.Terms {
		all = append(all, term.Clause())
	}
	return all
}

func severities(c *sla.Clock) []incident.Severity {
	var all []incident.Severity
	for _, t := range c.Targets {
		all = append(all, t.Severity)
	}
	return all
}

func extended(a *sla.Availability) bool {
	b, _ := a.Remedy.(sla.Bands)
	return b.ExtendTop
}

func bandsOf(a *sla.Availability) []sla.Band {
	b, _ := a.Remedy.(sla.Bands)
	return b.Bands
}

func TestContractWeights(t *testing.T) {
	c := readContract(t, "enterprise", "availability: {aggregate: weighted}")
	for _, s := range availability(t, c).Services {
		if s.Weight != 1_000_000_000 {
			t.Errorf("weight of %s = %d, want that of 1 where the file states none", s.ID, s.Weight)
		}
	}
	if c := readContract(t, "enterprise", "availability: {aggregate: mean}"); availability(t, c).Aggregate != sla.Mean {
		t.Errorf("aggregate = %v, want mean", availability(t, c).Aggregate)
	}
}

// What the file leaves out is the reference contract of the tier.
func TestContractKeepsThePreset(t *testing.T) {
	c := readContract(t, "enterprise", "availability: {target_percent: 99.95}", `response: {low: 3h}`, "credits: {mttr_breach_percent: 4}")
	a := availability(t, c)
	if a.Target.String() != "99.95%" || a.MinNotice != 72*time.Hour || !slices.Equal(a.Exclude, []sla.Cause{sla.CauseMaintenance, sla.CauseCustomer, sla.CauseForceMajeure}) || len(bandsOf(a)) != 3 || a.ServiceHours != "" {
		t.Errorf("availability = %+v, want the preset with another target", a)
	}
	if targets := clock(c, sla.ClauseResponse).Targets; targets[0].Within != 2*time.Minute || targets[0].Credit.String() != "500.00 EUR" || targets[3].Within != 3*time.Hour {
		t.Errorf("response = %+v, want the preset with 3h for P4", targets)
	}
	if r := clock(c, sla.ClauseResolution); !r.Strict || r.Targets[3].Within != 72*time.Hour || r.Targets[3].CreditPercent != money.WholePercent(4) {
		t.Errorf("resolution = %+v, want the preset with 4 %%", r)
	}
	if c.CapPercent == nil || *c.CapPercent != money.WholePercent(100) || len(c.Calendars) != 0 {
		t.Errorf("cap %v, calendars %v, want 100%% and none", c.CapPercent, c.Calendars)
	}
	if c.CustomerName != "Acme Retail" || c.Locale != "en" || c.ServiceNames["api"] != "API gateway" || c.ServiceNames["web"] != "web" || !c.EvidenceFrom.IsZero() {
		t.Errorf("beside the contract: %+v", c)
	}
	if _, err := sla.Compile(c.Contract); err != nil {
		t.Error(err)
	}
}

// A promise that is set to 0 or null is off.
func TestContractTurnsOff(t *testing.T) {
	all := []sla.Clause{sla.ClauseAvailability, sla.ClauseResponse, sla.ClauseResolution, sla.ClauseMonitoring, sla.ClauseDataLoss}
	for _, c := range []struct {
		line string
		off  sla.Clause
	}{
		{"availability: null", sla.ClauseAvailability},
		{"availability: {target_percent: 0}", sla.ClauseAvailability},
		{"availability: {target_percent: ~}", sla.ClauseAvailability},
		{"response: null", sla.ClauseResponse},
		{"response: {critical: null, P2: 0, medium: 0, low: ~}", sla.ClauseResponse},
		{"resolution: ~", sla.ClauseResolution},
		{"resolution: {p1: 0, p2: null, p3: 0, p4: null}", sla.ClauseResolution},
		{"credits: {monitoring_outage_percent_per_hour: 0}", sla.ClauseMonitoring},
		{"credits: {monitoring_outage_percent_per_hour: null}", sla.ClauseMonitoring},
	} {
		want := slices.DeleteFunc(slices.Clone(all), func(x sla.Clause) bool { return x == c.off })
		if got := clausesOf(readContract(t, "enterprise", c.line)); !slices.Equal(got, want) {
			t.Errorf("%s: clauses %v, want %v", c.line, got, want)
		}
	}
	c := readContract(t, "enterprise", "response: {medium: 0, low: null}", "resolution: {p4: 0}")
	if got := severities(clock(c, sla.ClauseResponse)); !slices.Equal(got, []incident.Severity{incident.P1, incident.P2}) {
		t.Errorf("response for %v, want P1 and P2", got)
	}
	if got := severities(clock(c, sla.ClauseResolution)); !slices.Equal(got, []incident.Severity{incident.P1, incident.P2, incident.P3}) {
		t.Errorf("resolution for %v, want P1 to P3", got)
	}
}

// Credits that are set to 0 or null are off; the promise stays, and so does what
// is not named.
func TestContractTurnsCreditsOff(t *testing.T) {
	creditsOf := func(c config.Agreed) (amounts []string) {
		for _, target := range clock(c, sla.ClauseResponse).Targets {
			amounts = append(amounts, target.Credit.String())
		}
		return amounts
	}
	unset := money.Amount{}.String()
	for _, c := range []struct {
		line string
		want []string
	}{
		{"credits: {rounding: down}", []string{"500.00 EUR", "200.00 EUR", "100.00 EUR", unset}},
		{"credits: {response: {high: null, p3: 0 EUR, low: 50 EUR}}", []string{"500.00 EUR", unset, unset, "50.00 EUR"}},
		{"credits: {response: null}", []string{unset, unset, unset, unset}},
		{"credits: null", []string{unset, unset, unset, unset}},
	} {
		if got := creditsOf(readContract(t, "enterprise", c.line)); !slices.Equal(got, c.want) {
			t.Errorf("%s: response credits %q, want %q", c.line, got, c.want)
		}
	}
	for _, line := range []string{"credits: {availability: null}", "credits: {availability: []}", "credits: null"} {
		if a := availability(t, readContract(t, "enterprise", line)); a.Remedy != nil {
			t.Errorf("%s: bands %v, want none", line, a.Remedy)
		}
	}
	for _, line := range []string{"credits: {mttr_breach_percent: 0}", "credits: {mttr_breach_percent: null}", "credits: null"} {
		for _, target := range clock(readContract(t, "enterprise", line), sla.ClauseResolution).Targets {
			if target.CreditPercent != 0 {
				t.Errorf("%s: %v earns %v, want nothing", line, target.Severity, target.CreditPercent)
			}
		}
	}
	if c := readContract(t, "enterprise", "credits: {cap_percent: null, rounding: half_even}"); c.CapPercent != nil || c.Rounding != money.HalfEven {
		t.Errorf("cap %v, rounding %v, want none and half_even", c.CapPercent, c.Rounding)
	}
}

func TestContractOptions(t *testing.T) {
	c := readContract(t, "none",
		"locale: nl", "evidence_from: 2026-08-01T00:00:00+02:00", "holidays: [2026-12-25]",
		`service_hours: [{days: [Mon, tuesday], from: "08:00", to: "20:00"}, {days: [Sat], from: "10:00", to: "12:00"}]`,
		"availability: {target_percent: 99.9, aggregate: per_service, exclude: [customer], exclude_mode: both, min_notice: 24h, unmonitored: exclude}",
		`resolution: {p1: "<= 2h", p2: "8h maximum"}`,
		"credits: {availability: [{below: 99.9, percent: 10}, {below: 95, percent: 30}], extend_top_band: true}",
	)
	if got := clausesOf(c); !slices.Equal(got, []sla.Clause{sla.ClauseAvailability, sla.ClauseResolution}) {
		t.Fatalf("clauses %v, want availability and resolution: a contract of its own promises what it says", got)
	}
	a := availability(t, c)
	if a.Aggregate != sla.PerService || a.ExcludeMode != sla.FromBoth || a.MinNotice != 24*time.Hour || a.Unknown != sla.UnknownExcluded || !extended(a) ||
		!slices.Equal(a.Exclude, []sla.Cause{sla.CauseCustomer}) {
		t.Errorf("availability = %+v", a)
	}
	hours := c.Calendars[a.ServiceHours]
	if hours.Zone != "Europe/Amsterdam" || !slices.Equal(hours.Holidays, []string{"2026-12-25"}) || len(hours.Week) != 3 ||
		!slices.Equal(hours.Week[time.Tuesday], []calendar.Span{{From: "08:00", To: "20:00"}}) {
		t.Errorf("service hours %q = %+v", a.ServiceHours, hours)
	}
	if clock(c, sla.ClauseResolution).Strict {
		t.Error(`"<=" for every severity: want a clock that is not strict`)
	}
	if want := time.Date(2026, 7, 31, 22, 0, 0, 0, time.UTC); !c.EvidenceFrom.Equal(want) || c.Locale != "nl" {
		t.Errorf("evidence from %v in %q, want %v in nl", c.EvidenceFrom, c.Locale, want)
	}
	if _, err := sla.Compile(c.Contract); err != nil {
		t.Error(err)
	}
}

// The framework of all tiers gives the targets of the contract's own.
func TestContractTakesTheFramework(t *testing.T) {
	const framework = `sla_framework: {availability_targets: {essential_tier: {monthly_uptime: 98.5%, response_times: {critical: 20 minutes, low: next business day}}}}`
	c := readContract(t, "essential", framework, "response: {high: 90m}")
	response := clock(c, sla.ClauseResponse).Targets
	if availability(t, c).Target.String() != "98.5%" || response[0].Within != 20*time.Minute || response[1].Within != 90*time.Minute || response[3].NextDay == nil {
		t.Errorf("target %v, response %+v", availability(t, c).Target, response)
	}
	if len(c.Calendars) != 1 {
		t.Errorf("calendars %v, want the office hours of the next business day", c.Calendars)
	}
}

// What package sla cannot honour is refused where it stands.
func TestContractRefuses(t *testing.T) {
	for _, c := range []struct{ tier, line, want string }{
		{"enterprise", "availability: {aggregate: median}", `c.yaml:8:27: availability.aggregate: `},
		{"enterprise", "availability: {exclude: [maintenances]}", `c.yaml:8:26: availability.exclude[0]: found "maintenances", want maintenance, customer, force_majeure (did you mean "maintenance"?)`},
		{"enterprise", "holidays: [2026-12-25]", `c.yaml:8:11: holidays: holidays say nothing about a service around the clock`},
		{"enterprise", `service_hours: [{days: [Monday, Funday], from: "08:00", to: "20:00"}]`, `c.yaml:8:33: service_hours[0].days[1]: found "Funday", want Mon to Sun`},
		{"enterprise", `service_hours: [{days: [Monday], from: "8", to: "20:00"}]`, `c.yaml:8:16: service_hours: `},
		{"enterprise", "service_hours: 9x5", `c.yaml:8:16: service_hours: found the text "9x5", want 24x7 or a list`},
		{"enterprise", "service_hours: [{days: [Mon], from: \"08:00\", to: \"20:00\"}]\nholidays: [2026-12-35]", `c.yaml:9:12: holidays[0]: `},
		{"enterprise", "locale: dutch", `c.yaml:8:9: locale: found "dutch", want en, de, nl, fr`},
		{"enterprise", "period: month", `c.yaml:8:9: period: found "month", want calendar_month`},
		{"enterprises", "locale: en", `c.yaml:5:7: tier: found "enterprises", want essential, professional, enterprise, none (did you mean "enterprise"?)`},
		{"enterprise", "credits: {cap_percent: 0}", `c.yaml:8:24: credits.cap_percent: a cap of 0, want null for none or more than 0`},
		{"enterprise", "response: {critical: 2m, P1: 3m}", `c.yaml:8:26: response.P1: key "P1" is another spelling of one that stands above`},
		{"enterprise", "response: {low: 3 business days}", `c.yaml:8:17: response.low: 3 business days, want the next business day or a duration`},
		{"none", "response: {p4: next business day}", `c.yaml:8:16: response.p4: business days need the working hours of a tier`},
		{"none", "response: {p1: 2m}\ncredits: {response: {p2: 5 EUR}}", `c.yaml:9:26: credits.response.p2: the contract promises no response for this severity`},
		{"enterprise", `resolution: {p1: "<= 2h"}`, `c.yaml:8:18: resolution.p1: "<=" beside targets with "<", want the same for all severities`},
		{"enterprise", `resolution: {p1: "> 2h"}`, `c.yaml:8:18: resolution.p1: "> 2h", want an upper limit like "< 2h"`},
		{"none", "sla_framework: {availability_targets: {essential_tier: {monthly_uptime: 99%}}}", `c.yaml:8:39: sla_framework.availability_targets: no "none_tier" for the tier of the contract`},
		{"enterprise", "credits: {nothing: ~}", `c.yaml:8:11: credits.nothing: unknown key "nothing"`},
		{"enterprise", "availability: {exclude: [~]}", `c.yaml:8:26: availability.exclude[0]: found nothing, want a value`},
		{"none", "locale: en", `terms: "", want at least one term`},
	} {
		_, d, err := config.ParseContract("c.yaml", contractOf(c.tier, c.line))
		var all config.Errors
		if !errors.As(err, &all) || len(all) != 1 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", c.line, err, c.want)
		}
		if d == nil {
			t.Errorf("%s: no document", c.line)
		}
	}
	for line, want := range map[string]string{
		"services: [{id: api, weight: 2}]":                                       "services[0].weight",
		"services: [{id: api, target_percent: 99}]\navailability: null":          "services[0].target_percent",
		"services: [{id: \"\"}]":                                                 "services[0]",
		"version: 2\nservices: [{id: api}]":                                      "version",
		"services: [{id: api}]\nservice_hours: [{days: [Mon], from: \"08:00\"}]": "service_hours[0].to",
	} {
		text := "id: c1\ncustomer: {id: acme}\ntimezone: UTC\ntier: enterprise\nmonthly_fee: 100000 EUR\n" + line + "\n"
		if !strings.Contains(line, "version") {
			text = "version: 1\n" + text
		}
		_, _, err := config.ParseContract("c.yaml", []byte(text))
		var all config.Errors
		if !errors.As(err, &all) || len(all) != 1 || all[0].Path != want {
			t.Errorf("%s: %v, want one problem at %s", line, err, want)
		}
	}
}

// The blocks of a framework stand in for the reference of the tier.
func TestContractTakesTheBlocks(t *testing.T) {
	_, d, err := config.ParseContract("c.yaml", contractOf("enterprise", tiersBlock, financialBlock, metricsBlock, reportingBlock, improvementBlock))
	if err != nil {
		t.Fatal(err)
	}
	// The only warning: the bands begin at 98.5 %, the uptime of the tier is the
	// reference's 99.9 %.
	if p := d.Problems(); len(p) != 1 || p[0].Code != sla.CodeCreditGap || p[0].Path != "financial_commitments.availability_credits" || p[0].Line != 20 || p[0].Column != 3 {
		t.Errorf("problems %v, want the credit gap at the bands", p)
	}
	c := readContract(t, "enterprise", tiersBlock, financialBlock, metricsBlock, reportingBlock, improvementBlock)
	a := availability(t, c)
	if a.Target.String() != "99.9%" || a.MinNotice != 96*time.Hour || len(bandsOf(a)) != 3 || bandsOf(a)[2].Credit != money.WholePercent(60) {
		t.Errorf("availability = %+v", a)
	}
	response := clock(c, sla.ClauseResponse).Targets
	for i, want := range []struct {
		within time.Duration
		credit string
	}{
		{90 * time.Second, "750.00 EUR"}, // both of the blocks
		{15 * time.Minute, ""},           // the tier's time, and €0
		{time.Hour, "100.00 EUR"},        // neither is in the blocks
		{90 * time.Minute, "25.50 EUR"},
	} {
		if response[i].Within != want.within || response[i].Credit.String() != want.credit {
			t.Errorf("response %d = %+v, want %v", i, response[i], want)
		}
	}
	resolution := clock(c, sla.ClauseResolution)
	if !resolution.Strict || resolution.Targets[0].Within != time.Hour || resolution.Targets[3].Within != 60*time.Hour || resolution.Targets[3].CreditPercent.String() != "2.5%" {
		t.Errorf("resolution = %+v", resolution)
	}
	if m := c.Terms[3].Monitoring; m == nil || m.PercentPerHour.String() != "0.5%" {
		t.Errorf("monitoring = %+v", c.Terms[3])
	}
	if l := c.Terms[4].DataLoss; l == nil || l.Fees != 6 {
		t.Errorf("data loss = %+v", c.Terms[4])
	}
	if o := c.Offer; o.Tier != sla.Enterprise || o.FeeFrom.String() != "80000.00 EUR" || o.Uptime.String() != "99.9%" || o.Summary != sla.Enterprise.Offer().Summary || o.Response[0].Within != 90*time.Second {
		t.Errorf("offer = %+v", o)
	}
	if len(c.Metrics) != 17 || c.Reporting.Frequency != "weekly" || len(c.Reviews) != 2 || c.Reviews[0].Agenda[1].Key != "what_hurt" {
		t.Errorf("%d metrics, reporting %+v, reviews %+v", len(c.Metrics), c.Reporting, c.Reviews)
	}
	if _, err := sla.Compile(c.Contract); err != nil {
		t.Error(err)
	}
}

// Without blocks reports get the reference, and nothing under no tier.
func TestContractKeepsTheReferenceOfReports(t *testing.T) {
	c := readContract(t, "professional", "service_hours: 24x7")
	if !slices.Equal(c.Metrics, sla.ReferenceMetrics()) || c.Reporting.Frequency != "monthly" || len(c.Reviews) != 2 || c.Offer.Tier != sla.Professional {
		t.Errorf("metrics %v, reporting %v, reviews %v, offer %v", c.Metrics, c.Reporting, c.Reviews, c.Offer)
	}
	c = readContract(t, "none", "availability: {target_percent: 99}")
	if c.Metrics != nil || c.Reporting.Frequency != "" || c.Reviews != nil || c.Offer.Tier != 0 {
		t.Errorf("a contract of its own has metrics %v, reporting %v, reviews %v, offer %v", c.Metrics, c.Reporting, c.Reviews, c.Offer)
	}
	c = readContract(t, "none", "availability: {target_percent: 99}", metricsBlock, improvementBlock)
	if got := clausesOf(c); len(c.Metrics) != 17 || len(c.Reviews) != 2 || !slices.Equal(got, []sla.Clause{sla.ClauseAvailability}) {
		t.Errorf("a contract of its own with blocks: %d metrics, %d reviews, clauses %v; want them shown, and no promise", len(c.Metrics), len(c.Reviews), got)
	}
}

// A report must not show a limit that the contract has changed.
func TestContractAlignsTheMetrics(t *testing.T) {
	limits := func(c config.Agreed) (all []string) {
		for _, m := range c.Metrics {
			if m.Name == sla.MetricMTTR || m.Name == sla.MetricNotice {
				all = append(all, m.Target.String())
			}
		}
		return all
	}
	for _, c := range []struct {
		lines []string
		want  []string
	}{
		{[]string{metricsBlock}, []string{"< 1h", "< 6h", "< 20h", "< 2d12h", ">= 4d"}},
		{[]string{metricsBlock, `resolution: {p1: 30m, p4: 0}`, "availability: {min_notice: 24h}"}, []string{"< 30m", "< 6h", "< 20h", ">= 1d"}},
		{[]string{"resolution: ~"}, []string{">= 3d"}},
		{[]string{"resolution: ~", "availability: {min_notice: ~}"}, nil},
		{[]string{"resolution: ~", "availability: ~"}, []string{">= 3d"}},
		{[]string{`resolution: {p1: "<= 2h", p2: "<= 4h", p3: "<= 8h", p4: "<= 16h"}`}, []string{"<= 2h", "<= 4h", "<= 8h", "<= 16h", ">= 3d"}},
	} {
		if got := limits(readContract(t, "enterprise", c.lines...)); !slices.Equal(got, c.want) {
			t.Errorf("%q: limits %q, want %q", c.lines, got, c.want)
		}
	}
}

// A clock that the blocks make inclusive can be made strict again, for all
// severities at once.
func TestContractStrictnessOverTheBlocks(t *testing.T) {
	const inclusive = `performance_metrics: {incident_management: {mttr_targets: {p1: "<= 2h", p2: "<= 8h", p3: "1 day maximum", p4: "3 days"}}}`
	for _, c := range []struct {
		line   string
		strict bool
	}{
		{"locale: en", false},
		{"resolution: {p1: 1h}", false},
		{`resolution: {p1: "<= 1h"}`, false},
		{`resolution: {p1: "< 1h", p2: "< 2h", p3: "< 3h", p4: "< 4h"}`, true},
	} {
		if got := clock(readContract(t, "enterprise", inclusive, c.line), sla.ClauseResolution); got.Strict != c.strict {
			t.Errorf("%s: strict %t, want %t", c.line, got.Strict, c.strict)
		}
	}
	_, _, err := config.ParseContract("c.yaml", contractOf("enterprise", inclusive, `resolution: {p1: "< 1h"}`))
	if want := `c.yaml:9:18: resolution.p1: "<" beside targets with "<=", want the same for all severities`; err == nil || err.Error() != want {
		t.Errorf("one strict target: %v, want %s", err, want)
	}
}

// A key of the contract counts; where the blocks say something else, a warning
// names both.
func TestContractOverrulesTheBlocks(t *testing.T) {
	const nested = "sla_framework:\n  availability_targets: {essential_tier: {monthly_uptime: 98.5%, response_times: {critical: 20m, P4: next business day}}}\n"
	for _, c := range []struct{ name, block, line, want string }{
		{"same", nested, "availability: {target_percent: 98.5}\nresponse: {p1: 20m}", ""},
		{"other figure", nested, "response: {high: 5m}", ""},
		{"uptime", nested, "availability: {target_percent: 97}", "c.yaml:10:16: availability.target_percent: 97%, but 98.5% at sla_framework.availability_targets.essential_tier.monthly_uptime; the key of the contract counts"},
		{"no uptime", nested, "availability: ~", "c.yaml:10:1: availability: none, but 98.5% at sla_framework.availability_targets.essential_tier.monthly_uptime; the key of the contract counts"},
		{"response", nested, "response: {critical: 10m}", "c.yaml:10:12: response.critical: 10m, but 20m at sla_framework.availability_targets.essential_tier.response_times.critical; the key of the contract counts"},
		{"no response", nested, "response: {low: ~}", "c.yaml:10:12: response.low: none, but next business day at sla_framework.availability_targets.essential_tier.response_times.P4; the key of the contract counts"},
		{"resolution", "performance_metrics: {incident_management: {mttr_targets: {p1: < 1h}}}\n", "resolution: {p1: 2h}", "c.yaml:9:14: resolution.p1: < 2h, but < 1h at performance_metrics.incident_management.mttr_targets.p1; the key of the contract counts"},
		{"notice", "performance_metrics: {service_delivery: {planned_maintenance_notice: 24 hours minimum}}\n", "availability: {min_notice: 48h}", "c.yaml:9:16: availability.min_notice: 2d, but 1d at performance_metrics.service_delivery.planned_maintenance_notice; the key of the contract counts"},
		{"bands", "financial_commitments: {availability_credits: {downtime_below_99_percent: 10%}}\n", "credits: {availability: [{below: 99, percent: 20}]}", "c.yaml:9:11: credits.availability: 20% below 99%, but 10% below 99% at financial_commitments.availability_credits; the key of the contract counts"},
		{"late answer", "financial_commitments: {response_time_credits: {high_response_breach: €5 per incident}}\n", "credits: {response: {P2: 6 EUR}}", "c.yaml:9:22: credits.response.P2: 6.00 EUR, but 5.00 EUR at financial_commitments.response_time_credits.high_response_breach; the key of the contract counts"},
		{"no credits", "financial_commitments: {performance_guarantees: {mttr_breach_penalty: 3% per incident, monitoring_downtime_credit: 2% per hour}}\n", "credits: ~", "c.yaml:9:1: credits: none, but 2% at financial_commitments.performance_guarantees.monitoring_downtime_credit; the key of the contract counts\n" +
			"c.yaml:9:1: credits: 0%, but 3% at financial_commitments.performance_guarantees.mttr_breach_penalty; the key of the contract counts"},
		{"other credits", "financial_commitments: {performance_guarantees: {mttr_breach_penalty: 3% per incident}}\n", "resolution: ~\ncredits: {rounding: down}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, d, err := config.ParseContract("c.yaml", contractOf("essential", c.block+c.line))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range d.Problems() {
				if p.Code == "contradiction" {
					got = append(got, p.String())
				}
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// What the blocks cannot give to this contract is refused where it stands.
func TestContractRefusesTheBlocks(t *testing.T) {
	const usd = "version: 1\nid: c1\ncustomer: {id: acme}\ntimezone: UTC\ntier: essential\nmonthly_fee: 20000 USD\nservices: [{id: api}]\ncredits: {response: {critical: 5 USD, high: 2 USD, medium: 1 USD}}\n"
	with := func(tier string, lines ...string) string { return string(contractOf(tier, lines...)) }
	for _, c := range []struct{ name, text, want string }{
		{"tier not sold", with("professional", "service_tiers: {essential: {coverage: 24/7}}"), `c.yaml:8:16: service_tiers: no "professional" for the tier of the contract`},
		{"no tier for the offers", with("none", "availability: {target_percent: 99}", "service_tiers: {essential: {coverage: 24/7}}"), `c.yaml:9:16: service_tiers: no "none" for the tier of the contract`},
		{"no tier for the credits", with("none", "availability: {target_percent: 99}", "financial_commitments: {performance_guarantees: {mttr_breach_penalty: 5% per incident}}"), `c.yaml:9:24: financial_commitments: the credits of a framework need a tier of it`},
		{"unknown tier alone", with("gold", "service_tiers: {essential: {coverage: 24/7}}"), `c.yaml:5:7: tier: found "gold", want `},
		{"other currency", usd + "financial_commitments: {response_time_credits: {low_response_breach: €5 per incident}}", "c.yaml:9:70: financial_commitments.response_time_credits.low_response_breach: the credit is in EUR, the fee in USD"},
		{"phrase", with("essential", financialBlock+"locale: de", "service_tiers: {essential: {pricing: cheap}}"), `service_tiers.essential.pricing: "cheap", want a monthly price`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := config.ParseContract("c.yaml", []byte(c.text))
			var all config.Errors
			if !errors.As(err, &all) || len(all) != 1 || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	if _, _, err := config.ParseContract("c.yaml", []byte(strings.Replace(usd, "medium", "low: ~, medium", 1)+"financial_commitments: {response_time_credits: {low_response_breach: €5 per incident}}")); err != nil {
		t.Errorf("a credit that the contract takes away: %v", err)
	}
}

// The fee is compared with the prices of the provider, if there are any.
func TestContractFeeRange(t *testing.T) {
	for _, c := range []struct {
		pricing string
		want    string
	}{
		{"€20K-30K/month", `c.yaml:6:1: monthly_fee: "100000.00 EUR", want 20000.00 EUR to 30000.00 EUR for tier essential`},
		{"€20K-100K/month", ""},
		{"CHF 20K-30K/month", ""},
	} {
		_, d, err := config.ParseContract("c.yaml", contractOf("essential", "service_tiers: {essential: {pricing: "+c.pricing+"}}"))
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Problems().Error(); got != c.want {
			t.Errorf("%s: %q, want %q", c.pricing, got, c.want)
		}
	}
}
