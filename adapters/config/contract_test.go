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
	c, _, err := config.Contract("c.yaml", contractOf(tier, more...))
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
		_, d, err := config.Contract("c.yaml", contractOf(c.tier, c.line))
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
		_, _, err := config.Contract("c.yaml", []byte(text))
		var all config.Errors
		if !errors.As(err, &all) || len(all) != 1 || all[0].Path != want {
			t.Errorf("%s: %v, want one problem at %s", line, err, want)
		}
	}
}
