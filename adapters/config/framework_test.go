package config_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Blocks of a provider that differs from the reference in every figure.
const (
	tiersBlock = `service_tiers:
  essential:
    description: "Eyes on the basics"
    coverage: "24/7/365"
    response_sla: {critical: "20 minutes", high: "2 hours", medium: "6 hours", low: "next business day"}
    included_services: [Watching machines, A phone line]
    pricing: "€12K-18.5K/month"
  enterprise:
    response_sla: {critical: "90 seconds", low: "1 hour 30 minutes"}
    pricing: "€80,000-160,000"
`
	frameworkBlock = `sla_framework:
  availability_targets:
    essential_tier:
      monthly_uptime: 98.5%
      response_times: {critical: "20 minutes"}
    professional_tier:
      monthly_uptime: 99.25
`
	financialBlock = `financial_commitments:
  availability_credits:
    downtime_below_90_percent: "60% monthly credit"
    downtime_98_5_to_97_0_percent: "5% monthly credit"
    downtime_97_0_to_90_percent: "15% monthly credit"
  response_time_credits:
    critical_response_breach: "€750 per incident"
    high_response_breach: "€0 per incident"
    low_response_breach: "25.50 EUR per incident"
  performance_guarantees:
    mttr_breach_penalty: "2.5% monthly credit per incident"
    monitoring_downtime_credit: "0.5% per hour of monitoring outage"
    data_loss_liability: "Up to 6 months of service fees"
`
	metricsBlock = `performance_metrics:
  infrastructure_monitoring:
    metric_collection_interval: "15 seconds"
    alert_processing_time: "< 45 seconds"
    false_positive_rate: "< 3%"
    monitoring_coverage: "> 99.5%"
  incident_management:
    mttr_targets: {p1_critical: "< 1 hour", p2_high: "< 6 hours", p3_medium: "< 20 hours", p4_low: "< 60 hours"}
    resolution_rates:
      first_call_resolution: "> 65%"
      escalation_rate: "< 15%"
      customer_satisfaction: "> 8/10"
  service_delivery:
    change_success_rate: "> 97%"
    emergency_change_approval: "< 3 hours"
    planned_maintenance_notice: "96 hours minimum"
    backup_success_rate: "> 99.9%"
    disaster_recovery_rto: "< 2 hours"
    disaster_recovery_rpo: "< 30 minutes"
`
	reportingBlock = `reporting_framework:
  automated_reports:
    frequency: "weekly"
    recipients: ["account_manager", "board"]
    content: [availability_summary, cost_of_waiting]
  real_time_dashboards:
    customer_portal: [current_service_status]
    internal_operations: [resource_utilization]
`
	improvementBlock = `improvement_process:
  monthly_service_review:
    participants: ["customer"]
    agenda: [incident_trend_analysis, what_hurt]
  quarterly_business_review:
    participants: ["customer_executives"]
    agenda: [technology_roadmap_review]
`
)

func euros(t *testing.T, text string) money.Amount {
	t.Helper()
	a, err := money.Parse(text + " EUR")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func percentOf(t *testing.T, text string) money.Percent {
	t.Helper()
	p, err := money.ParsePercent(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func readFramework(t *testing.T, blocks ...string) config.Provider {
	t.Helper()
	p, d, err := config.ParseFramework("f.yaml", []byte(strings.Join(blocks, "")))
	if err != nil || len(d.Problems()) > 0 {
		t.Fatalf("Framework: %v, %v", err, d.Problems())
	}
	return p
}

// Every block says what its text says, and nothing else is set.
func TestFramework(t *testing.T) {
	percents := func(text string) *money.Percent { p := percentOf(t, text); return &p }
	nextDay := sla.Target{Severity: incident.P4, NextDay: &calendar.NextDayRule{}, Calendar: sla.OfficeHours}
	for _, c := range []struct {
		name, block string
		want        config.Provider
	}{
		{"tiers", tiersBlock, config.Provider{Offers: []sla.Offer{
			{
				Tier: sla.Essential, Summary: "Eyes on the basics", Coverage: "24/7/365", Services: []string{"Watching machines", "A phone line"},
				Response: []sla.Target{
					{Severity: incident.P1, Within: 20 * time.Minute}, {Severity: incident.P2, Within: 2 * time.Hour}, {Severity: incident.P3, Within: 6 * time.Hour}, nextDay,
				},
				FeeFrom: euros(t, "12000"), FeeTo: euros(t, "18500"),
			},
			{
				Tier: sla.Enterprise, Response: []sla.Target{{Severity: incident.P1, Within: 90 * time.Second}, {Severity: incident.P4, Within: 90 * time.Minute}},
				FeeFrom: euros(t, "80000"), FeeTo: euros(t, "160000"),
			},
		}}},
		{"targets", frameworkBlock, config.Provider{Offers: []sla.Offer{
			{Tier: sla.Essential, Uptime: percentOf(t, "98.5"), Response: []sla.Target{{Severity: incident.P1, Within: 20 * time.Minute}}},
			{Tier: sla.Professional, Uptime: percentOf(t, "99.25")},
		}}},
		{"financial", financialBlock, config.Provider{
			// The keys speak of downtime and hold availability, in any order.
			Bands: sla.Bands{Bands: []sla.Band{
				{Below: percentOf(t, "98.5"), From: percentOf(t, "97"), Credit: percentOf(t, "5")},
				{Below: percentOf(t, "97"), From: percentOf(t, "90"), Credit: percentOf(t, "15")},
				{Below: percentOf(t, "90"), Credit: percentOf(t, "60")},
			}},
			ResponseCredits: map[incident.Severity]money.Amount{incident.P1: euros(t, "750"), incident.P2: euros(t, "0"), incident.P4: euros(t, "25.50")},
			MTTRPercent:     percents("2.5"),
			Monitoring:      &sla.Monitoring{PercentPerHour: percentOf(t, "0.5")},
			DataLoss:        &sla.Liability{Fees: 6},
		}},
		{"no bands", "financial_commitments: {availability_credits: {}}", config.Provider{Bands: sla.Bands{Bands: []sla.Band{}}}},
		{"reporting", reportingBlock, config.Provider{Reporting: sla.Reporting{
			Frequency: "weekly", Recipients: []sla.Item{{Key: "account_manager", Title: "Account manager"}, {Key: "board", Title: "board"}},
			Sections:   []sla.Item{{Key: "availability_summary", Title: "Availability"}, {Key: "cost_of_waiting", Title: "cost of waiting"}},
			Portal:     []sla.Item{{Key: "current_service_status", Title: "Status now"}},
			Operations: []sla.Item{{Key: "resource_utilization", Title: "Use of capacity"}},
		}}},
		{"improvement", improvementBlock, config.Provider{Reviews: []sla.Review{
			{
				Name: "monthly_service_review", Participants: []sla.Item{{Key: "customer", Title: "Customer"}},
				Agenda: []sla.Item{{Key: "incident_trend_analysis", Title: "Incidents: what changes over time"}, {Key: "what_hurt", Title: "what hurt"}},
			},
			{
				Name: "quarterly_business_review", Participants: []sla.Item{{Key: "customer_executives", Title: "Management of the customer"}},
				Agenda: []sla.Item{{Key: "technology_roadmap_review", Title: "Technology: what comes and what goes"}},
			},
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := readFramework(t, c.block); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// The limits are compared as strictly as they are written; a time without a sign
// is the most that it may take.
func TestFrameworkMetrics(t *testing.T) {
	var got []string
	for _, m := range readFramework(t, metricsBlock).Metrics {
		name := m.Name
		if m.Severity.IsSet() {
			name += " " + m.Severity.String()
		}
		if m.Title == "" {
			t.Errorf("%s has no title", name)
		}
		got = append(got, m.Group+" "+name+" "+m.Target.String())
	}
	want := []string{
		"infrastructure_monitoring metric_collection_interval <= 15s",
		"infrastructure_monitoring alert_processing_time < 45s",
		"infrastructure_monitoring false_positive_rate < 3%",
		"infrastructure_monitoring monitoring_coverage > 99.5%",
		"incident_management mttr P1 < 1h",
		"incident_management mttr P2 < 6h",
		"incident_management mttr P3 < 20h",
		"incident_management mttr P4 < 2d12h",
		"incident_management first_call_resolution > 65%",
		"incident_management escalation_rate < 15%",
		"incident_management customer_satisfaction > 8/10",
		"service_delivery change_success_rate > 97%",
		"service_delivery emergency_change_approval < 3h",
		"service_delivery planned_maintenance_notice >= 4d",
		"service_delivery backup_success_rate > 99.9%",
		"service_delivery disaster_recovery_rto < 2h",
		"service_delivery disaster_recovery_rpo < 30m",
	}
	if !slices.Equal(got, want) {
		t.Errorf("metrics:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The figures may stand under sla_framework as well, with the same result.
func TestFrameworkNested(t *testing.T) {
	indented := func(block string) string {
		return "  " + strings.ReplaceAll(strings.TrimSuffix(block, "\n"), "\n", "\n  ") + "\n"
	}
	nested := readFramework(t, frameworkBlock, indented(financialBlock), indented(metricsBlock))
	if beside := readFramework(t, frameworkBlock, financialBlock, metricsBlock); !reflect.DeepEqual(nested, beside) {
		t.Errorf("nested %+v\nbeside %+v", nested, beside)
	}
	_, _, err := config.ParseFramework("f.yaml", []byte(frameworkBlock+indented(metricsBlock)+metricsBlock))
	if want := "f.yaml:9:5: sla_framework.performance_metrics: performance_metrics beside sla_framework, want one of the two"; err == nil || err.Error() != want {
		t.Errorf("twice: %v, want %s", err, want)
	}
}

// The phrases with which a provider's credits and prices may be written.
func TestFrameworkWordings(t *testing.T) {
	for _, c := range []struct{ key, text, want string }{
		{"band", "10% monthly credit", "10%"},
		{"band", "12.5 %  Monthly Credit", "12.5%"},
		{"band", "10% of the monthly fee", "10%"},
		{"band", "100%", "100%"},
		{"mttr", "5% monthly credit per incident", "5%"},
		{"mttr", "0% per incident", "0%"},
		{"hourly", "1% per hour of monitoring outage", "1%"},
		{"hourly", "0.25% per hour", "0.25%"},
		{"late", "€500 per incident", "500.00 EUR"},
		{"late", "€ 1,250.50 PER INCIDENT", "1250.50 EUR"},
		{"late", "£1.5K per incident", "1500.00 GBP"},
		{"late", "500 usd per incident", "500.00 USD"},
		{"late", "JPY 50000 per incident", "50000 JPY"},
		{"late", "500MXN per incident", "500.00 MXN"},
		{"liability", "Up to 12 months of service fees", "12"},
		{"liability", "Up to 12 months service fees", "12"},
		{"liability", "up to 1 month of service fees", "1"},
		{"price", "€15K-25K/month", "15000.00 EUR to 25000.00 EUR"},
		{"price", "€15,000-25,000", "15000.00 EUR to 25000.00 EUR"},
		{"price", "€15k – €25k per month", "15000.00 EUR to 25000.00 EUR"},
		{"price", "15K to 1.25M CHF/month", "15000.00 CHF to 1250000.00 CHF"},
		{"price", "USD 9,999.95/month", "9999.95 USD to 9999.95 USD"},
	} {
		t.Run(c.text, func(t *testing.T) {
			p := readFramework(t, wordingFile(c.key, c.text))
			got := ""
			switch c.key {
			case "band":
				got = p.Bands.Bands[0].Credit.String()
			case "mttr":
				got = p.MTTRPercent.String()
			case "hourly":
				got = p.Monitoring.PercentPerHour.String()
			case "late":
				got = p.ResponseCredits[incident.P1].String()
			case "liability":
				got = map[int]string{1: "1", 12: "12"}[p.DataLoss.Fees]
			case "price":
				got = p.Offers[0].FeeFrom.String() + " to " + p.Offers[0].FeeTo.String()
			}
			if got != c.want {
				t.Errorf("%q is %s, want %s", c.text, got, c.want)
			}
		})
	}
}

// wordingFile is a file with one phrase, in single quotes, at column 5 of line 3.
func wordingFile(key, text string) string {
	return strings.ReplaceAll(map[string]string{
		"band":      "financial_commitments:\n  availability_credits: {downtime_below_95_percent:\n    '@'}",
		"mttr":      "financial_commitments:\n  performance_guarantees: {mttr_breach_penalty:\n    '@'}",
		"hourly":    "financial_commitments:\n  performance_guarantees: {monitoring_downtime_credit:\n    '@'}",
		"late":      "financial_commitments:\n  response_time_credits: {critical_response_breach:\n    '@'}",
		"liability": "financial_commitments:\n  performance_guarantees: {data_loss_liability:\n    '@'}",
		"price":     "service_tiers:\n  essential: {pricing:\n    '@'}",
	}[key], "@", text)
}

// A phrase that could be read in two ways, or not at all, is refused with its
// place, what stands there and what is wanted.
func TestFrameworkRefusesWordings(t *testing.T) {
	const (
		wantBand = `want a credit like "5% monthly credit"`
		wantLate = `want an amount like "€500 per incident"`
		wantCost = `want a monthly price or range like "€15K-25K/month"`
		wantFees = `want a limit like "Up to 12 months of service fees", with 1 month or more`
		wantSign = `, with a code such as USD instead of a sign that several currencies share`
	)
	for _, c := range []struct{ key, text, code, want string }{
		{"band", "10 monthly credit", "bad_percent", wantBand},
		{"band", "10% montly credit", "bad_percent", wantBand + ` (did you mean "10% monthly credit"?)`},
		{"band", "10% of the annual fee", "bad_percent", wantBand},
		{"band", "10,5% monthly credit", "bad_percent", wantBand},
		{"band", "-10% monthly credit", "bad_percent", wantBand},
		{"band", "101% monthly credit", "out_of_range", "want at most 100%"},
		{"band", "", "bad_percent", wantBand},
		{"mttr", "5% monthly credit", "bad_percent", `want a credit like "5% monthly credit per incident"`},
		{"hourly", "1% per day", "bad_percent", `want a credit like "5% per hour of monitoring outage"`},
		{"late", "€500", "bad_money", wantLate},
		{"late", "€500 per incidnt", "bad_money", wantLate + ` (did you mean "€500 per incident"?)`},
		{"late", "€500 per day", "bad_money", wantLate},
		{"late", "500 per incident", "bad_money", wantLate + `: currency "": want an ISO 4217 code like "EUR"`},
		{"late", "500 EUX per incident", "bad_money", wantLate + `: currency "EUX": want an ISO 4217 code like "EUR"`},
		{"late", "$500 per incident", "bad_money", wantLate + wantSign},
		{"late", "€500 EUR per incident", "bad_money", wantLate},
		{"late", "€1,50 per incident", "bad_money", wantLate},
		{"late", "€-5 per incident", "bad_money", wantLate},
		{"liability", "Up to 0 months of service fees", "out_of_range", wantFees},
		{"liability", "Up to twelve months of service fees", "out_of_range", wantFees},
		{"liability", "Up to 12 months of service fee", "out_of_range", wantFees + ` (did you mean "Up to 12 months of service fees"?)`},
		{"liability", "Unlimited", "out_of_range", wantFees},
		{"price", "€15-25K/month", "bad_money", "want K behind both numbers or none"},
		{"price", "€15K-25K/year", "bad_money", wantCost},
		{"price", "€25K-15K/month", "out_of_range", "want a lower end above 0 and an upper one that is no less"},
		{"price", "€0-15K/month", "bad_money", "want K behind both numbers or none"},
		{"price", "€15K-£25K/month", "currency_mismatch", "want one currency"},
		{"price", "€15K-20K-25K/month", "bad_money", wantCost},
		{"price", "¥15K/month", "bad_money", wantCost + wantSign},
		{"price", "€9999999999999999M/month", "bad_money", wantCost + ": 9999999999999999.00 EUR × 1000000/1: amount out of range"},
		{"price", "15K-25K/month", "bad_money", wantCost + `: currency "": want an ISO 4217 code like "EUR"`},
		{"price", "on request", "bad_money", wantCost},
	} {
		t.Run(c.text, func(t *testing.T) {
			_, _, err := config.ParseFramework("f.yaml", []byte(wordingFile(c.key, c.text)))
			var all config.Errors
			if !errors.As(err, &all) || len(all) != 1 || all[0].Line != 3 || all[0].Column != 5 || all[0].Code != c.code ||
				!strings.HasSuffix(err.Error(), ": \""+c.text+"\", "+c.want) {
				t.Errorf("got  %+v\nwant %s at 3:5: %q, %s", err, c.code, c.text, c.want)
			}
		})
	}
}

// Every other problem of a block has its place too.
func TestFrameworkRefuses(t *testing.T) {
	const bands = "financial_commitments:\n  availability_credits:\n"
	for _, c := range []struct{ name, text, code, want string }{
		{"no block", "version: 1", "missing_field", "f.yaml:1:1: no block of a framework, want at least one of financial_commitments, improvement_process, "},
		{"unknown block", "service_teirs: {}", "unknown_field", `f.yaml:1:1: service_teirs: unknown key "service_teirs", want one of `},
		{"version", "version: 2\nservice_tiers: {}", "out_of_range", "f.yaml:1:10: version: version 2, want 1"},
		{"unknown tier", "service_tiers:\n  gold: {}", "unknown_field", `f.yaml:2:3: service_tiers.gold: unknown key "gold", want one of enterprise, essential, professional`},
		{"unknown target tier", "sla_framework:\n  availability_targets:\n    basic_tier: {monthly_uptime: 99%}", "unknown_field", "f.yaml:3:5: sla_framework.availability_targets.basic_tier: "},
		{"uptime over 100", "sla_framework: {availability_targets: {essential_tier: {monthly_uptime: 100.1%}}}", "out_of_range", `f.yaml:1:73: sla_framework.availability_targets.essential_tier.monthly_uptime: percentage "100.1%", want at most 100`},
		{"uptime of 0", "sla_framework: {availability_targets: {essential_tier: {monthly_uptime: 0}}}", "out_of_range", `f.yaml:1:73: sla_framework.availability_targets.essential_tier.monthly_uptime: "0", want more than 0`},
		{"uptime missing", "sla_framework: {availability_targets: {essential_tier: {response_times: {high: 1h}}}}", "missing_field", "f.yaml:1:57: sla_framework.availability_targets.essential_tier.monthly_uptime: missing"},
		{"response", "service_tiers: {essential: {response_sla: {high: 15 minuten}}}", "bad_duration", `f.yaml:1:50: service_tiers.essential.response_sla.high: "15 minuten", `},
		{"response of 0", "service_tiers: {essential: {response_sla: {high: 0}}}", "out_of_range", "f.yaml:1:50: service_tiers.essential.response_sla.high: found 0, want a time above 0, or no key where there is no promise"},
		{"business days", "service_tiers: {essential: {response_sla: {high: 2 business days}}}", "out_of_range", "f.yaml:1:50: service_tiers.essential.response_sla.high: 2 business days, want the next business day or a duration"},
		{"severity", "service_tiers: {essential: {response_sla: {urgent: 1h}}}", "bad_enum", "f.yaml:1:44: service_tiers.essential.response_sla.urgent: "},
		{
			"two response times", "service_tiers: {essential: {response_sla: {high: 1h}}}\nsla_framework: {availability_targets: {essential_tier: {monthly_uptime: 99%, response_times: {P2: 2h}}}}", "contradiction",
			"f.yaml:2:99: sla_framework.availability_targets.essential_tier.response_times.P2: 2h, but 1h at service_tiers.essential.response_sla.high; want the same in both",
		},
		{"empty service", "service_tiers: {essential: {included_services: [a, ' ']}}", "out_of_range", "f.yaml:1:52: service_tiers.essential.included_services[1]: found an empty text, want words"},
		{"service twice", "service_tiers: {essential: {included_services: [a, a]}}", "duplicate_id", "f.yaml:1:52: service_tiers.essential.included_services[1]: "},
		{"null", "financial_commitments:\n  performance_guarantees:\n    mttr_breach_penalty: ~", "wrong_type", "f.yaml:3:5: financial_commitments.performance_guarantees.mttr_breach_penalty: found nothing, want a value or no key"},
		{"null block", "improvement_process:", "wrong_type", "f.yaml:1:1: improvement_process: found nothing, want a value or no key"},
		{"null band", bands + "    downtime_below_95_0_percent: ~", "wrong_type", "f.yaml:3:5: financial_commitments.availability_credits.downtime_below_95_0_percent: found nothing, want a value or no key"},
		{"band key", bands + "    downtime_95_percent: 10%", "unknown_field", `f.yaml:3:5: financial_commitments.availability_credits.downtime_95_percent: unknown key "downtime_95_percent", want one like downtime_99_0_to_98_0_percent`},
		{"band upside down", bands + "    downtime_98_0_to_99_0_percent: 10%", "unknown_field", "f.yaml:3:5: financial_commitments.availability_credits.downtime_98_0_to_99_0_percent: "},
		{"band over 100", bands + "    downtime_below_100_5_percent: 10%", "unknown_field", "f.yaml:3:5: "},
		{"band gap", bands + "    downtime_99_to_98_percent: 10%\n    downtime_below_95_percent: 20%", "bands_not_monotone", "f.yaml:4:5: financial_commitments.availability_credits.downtime_below_95_percent: a band below 95% after one down to 98%, want it to begin there"},
		{"band overlap", bands + "    downtime_99_to_95_percent: 10%\n    downtime_below_98_percent: 20%", "bands_not_monotone", "f.yaml:4:5: financial_commitments.availability_credits.downtime_below_98_percent: a band below 98% after one down to 95%, want it to begin there"},
		{"bands end early", bands + "    downtime_99_to_95_percent: 10%", "bands_not_monotone", "f.yaml:3:5: financial_commitments.availability_credits.downtime_99_to_95_percent: nothing below 95%, want a last band like"},
		{"worse earns less", bands + "    downtime_99_to_95_percent: 10%\n    downtime_below_95_percent: 5%", "bands_not_monotone", "f.yaml:4:32: financial_commitments.availability_credits.downtime_below_95_percent: 5% after 10%: a worse value must not earn less"},
		{
			"two currencies", "financial_commitments: {response_time_credits: {critical_response_breach: €5 per incident, low_response_breach: 1 USD per incident}}", "currency_mismatch",
			"f.yaml:1:113: financial_commitments.response_time_credits.low_response_breach: the credit is in USD, those above in EUR",
		},
		{"metric", "performance_metrics: {service_delivery: {change_succes_rate: '> 95%'}}", "unknown_field", `(did you mean "change_success_rate"?)`},
		{"metric text", "performance_metrics: {service_delivery: {change_success_rate: high}}", "bad_threshold", "f.yaml:1:63: performance_metrics.service_delivery.change_success_rate: "},
		{"metric unit", "performance_metrics: {service_delivery: {change_success_rate: '> 4 hours'}}", "bad_threshold", `f.yaml:1:63: performance_metrics.service_delivery.change_success_rate: read as "> 4h", want a limit like "> 95%"`},
		{"metric side", "performance_metrics: {infrastructure_monitoring: {false_positive_rate: '5%'}}", "bad_threshold", `f.yaml:1:72: performance_metrics.infrastructure_monitoring.false_positive_rate: read as ">= 5%", want a limit like "< 5%"`},
		{"notice without minimum", "performance_metrics: {service_delivery: {planned_maintenance_notice: 72 hours}}", "bad_threshold", `read as "<= 3d", want a limit like ">= 3d"`},
		{"strict notice", "performance_metrics: {service_delivery: {planned_maintenance_notice: '> 72 hours'}}", "bad_threshold", `read as "> 3d", want a limit like ">= 3d"`},
		{"over 100 percent", "performance_metrics: {service_delivery: {backup_success_rate: '> 101%'}}", "out_of_range", `f.yaml:1:63: performance_metrics.service_delivery.backup_success_rate: read as "> 101%", want at most 100`},
		{"over the best score", "performance_metrics: {incident_management: {resolution_rates: {customer_satisfaction: '> 6/5'}}}", "out_of_range", `read as "> 6/5", want at most 5`},
		{"below 0", "performance_metrics: {service_delivery: {backup_success_rate: '> -1%'}}", "out_of_range", `read as "> -1%", want a number above 0`},
		{"no time", "performance_metrics: {incident_management: {mttr_targets: {p1: '< 0 hours'}}}", "out_of_range", `f.yaml:1:64: performance_metrics.incident_management.mttr_targets.p1: read as "< 0s", want a number above 0`},
		{"one clock", "performance_metrics: {incident_management: {mttr_targets: {p1: '<= 2 hours', p2: '< 8 hours'}}}", "out_of_range", `f.yaml:1:64: performance_metrics.incident_management.mttr_targets.p1: read as "<= 2h", want "<" or the same for all severities`},
		{"frequency", "reporting_framework: {automated_reports: {frequency: montly}}", "bad_enum", `f.yaml:1:54: reporting_framework.automated_reports.frequency: found "montly", want daily, weekly, monthly, quarterly, yearly (did you mean "monthly"?)`},
		{"recipient twice", "reporting_framework: {automated_reports: {recipients: [a, a]}}", "duplicate_id", "f.yaml:1:59: reporting_framework.automated_reports.recipients[1]: "},
		{"review", "improvement_process: {yearly_review: {agenda: [a]}}", "unknown_field", `f.yaml:1:23: improvement_process.yearly_review: unknown key "yearly_review", want one of monthly_service_review, quarterly_business_review`},
		{"agenda", "improvement_process: {monthly_service_review: {agenda: all}}", "wrong_type", `f.yaml:1:56: improvement_process.monthly_service_review.agenda: found the text "all", want a list`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, d, err := config.ParseFramework("f.yaml", []byte(c.text))
			var all config.Errors
			if !errors.As(err, &all) || len(d.Problems()) != 1 || all[0].Code != c.code || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %+v\nwant %s %s", err, c.code, c.want)
			}
		})
	}
}

// What a provider does not say is the reference; the result is the caller's own.
func TestProviderPreset(t *testing.T) {
	fee := euros(t, "20000")
	tiers := append([]sla.Tier{0}, sla.Tiers[:]...)
	for _, tier := range tiers {
		var none config.Provider
		if got, want := none.Preset("c", tier, "UTC", fee), sla.Preset("c", tier, "UTC", fee); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: a provider that says nothing gives\n%+v, want\n%+v", tier, got, want)
		}
		if got := none.Offer(tier); !reflect.DeepEqual(got, tier.Offer()) {
			t.Errorf("%s: a provider that says nothing sells %+v", tier, got)
		}
	}
	p := readFramework(t, tiersBlock, frameworkBlock, financialBlock, metricsBlock)
	for _, tier := range tiers {
		first := p.Preset("c", tier, "UTC", fee)
		for _, term := range first.Terms {
			switch {
			case term.Availability != nil:
				if b, ok := term.Availability.Remedy.(sla.Bands); ok {
					b.Bands[0].Credit = 1
				}
			case term.Response != nil:
				term.Response.Targets[0].Within = 1
			case term.Monitoring != nil:
				term.Monitoring.PercentPerHour = 1
			case term.DataLoss != nil:
				term.DataLoss.Fees = 1
			}
		}
		if o := p.Offer(tier); len(o.Services) > 0 {
			o.Services[0] = "changed"
		}
		if !reflect.DeepEqual(p, readFramework(t, tiersBlock, frameworkBlock, financialBlock, metricsBlock)) {
			t.Fatalf("%s: a change of the contract reached the provider", tier)
		}
	}
}

// Bounds and prices come back as they were written, whatever they are.
func TestFrameworkReadsWhatIsWritten(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		low, high := 1+rng.IntN(900), 0 // tenths of a percent
		high = low + 1 + rng.IntN(1000-low)
		from, to := 1+rng.IntN(999), 0 // thousands of euros
		to = from + rng.IntN(1000)
		text := fmt.Sprintf("service_tiers: {essential: {pricing: €%dK-%dK/month}}\n", from, to) +
			fmt.Sprintf("financial_commitments:\n  availability_credits:\n    downtime_%d_%d_to_%d_%d_percent: 10%%\n    downtime_below_%d_%d_percent: 20%%\n",
				high/10, high%10, low/10, low%10, low/10, low%10)
		p := readFramework(t, text)
		tenth := money.WholePercent(1) / 10
		if b := p.Bands.Bands; len(b) != 2 || b[0].Below != money.Percent(high)*tenth || b[0].From != money.Percent(low)*tenth || b[1].Below != b[0].From || b[1].From != 0 {
			t.Errorf("%s%+v", text, b)
		}
		if o := p.Offers[0]; o.FeeFrom.Minor() != int64(from)*100_000 || o.FeeTo.Minor() != int64(to)*100_000 {
			t.Errorf("%s%v to %v", text, o.FeeFrom, o.FeeTo)
		}
	}
}

// The files of the published framework load as they are, each alone and all in
// one, and say what the presets of package sla say.
func TestFrameworkArticles(t *testing.T) {
	names := []string{"sla_framework", "service_tiers", "financial_commitments", "improvement_process", "performance_metrics", "reporting_framework"}
	var all []byte
	for _, name := range names {
		data, err := os.ReadFile(testutil.SharedFile(t, "data/articles/"+name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if p := readFramework(t, string(data)); reflect.ValueOf(p).IsZero() {
			t.Errorf("%s says nothing", name)
		}
		all = append(all, data...)
	}
	p := readFramework(t, string(all))
	if !slices.EqualFunc(p.Metrics, sla.ReferenceMetrics(), func(a, b sla.Metric) bool { return a == b }) {
		t.Errorf("metrics = %+v", p.Metrics)
	}
	if !reflect.DeepEqual(p.Reporting, sla.ReferenceReporting()) {
		t.Errorf("reporting = %+v", p.Reporting)
	}
	if !reflect.DeepEqual(p.Reviews, []sla.Review{sla.MonthlyReview(), sla.QuarterlyReview()}) {
		t.Errorf("reviews = %+v", p.Reviews)
	}
	if !reflect.DeepEqual(p.Bands, sla.Bands{Bands: sla.ReferenceBands()}) {
		t.Errorf("bands = %+v", p.Bands)
	}
	if len(p.Offers) != len(sla.Tiers) {
		t.Fatalf("%d offers, want %d", len(p.Offers), len(sla.Tiers))
	}
	for i, tier := range sla.Tiers {
		got, want := p.Offers[i], tier.Offer()
		if got.Summary == "" || len(got.Services) != len(want.Services) {
			t.Errorf("%s: %q with %q, want a summary and %d services", tier, got.Summary, got.Services, len(want.Services))
		}
		got.Summary, got.Services = want.Summary, want.Services // other words for the same
		if !reflect.DeepEqual(got, want) {
			t.Errorf("offer = %+v, want %+v", got, want)
		}
		fee := want.FeeFrom
		if got, want := p.Preset("c", tier, "Europe/Amsterdam", fee), sla.Preset("c", tier, "Europe/Amsterdam", fee); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: contract = %+v, want %+v", tier, got, want)
		}
		with, _, err := config.ParseContract("c.yaml", contractOf(tier.String(), string(all)))
		if err != nil {
			t.Fatal(err)
		}
		if without := readContract(t, tier.String()); !reflect.DeepEqual(with.Contract, without.Contract) || !reflect.DeepEqual(with.Metrics, without.Metrics) {
			t.Errorf("%s: with the blocks %+v, without %+v", tier, with, without)
		}
	}
}
