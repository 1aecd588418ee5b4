package sla_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
)

func keys(items []sla.Item) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = item.Key
	}
	return out
}

func TestReporting(t *testing.T) {
	r, monthly, quarterly := sla.ReferenceReporting(), sla.MonthlyReview(), sla.QuarterlyReview()
	if r.Frequency != "monthly" || monthly.Name != "monthly_service_review" || quarterly.Name != "quarterly_business_review" {
		t.Errorf("frequency %q, reviews %q and %q", r.Frequency, monthly.Name, quarterly.Name)
	}
	for _, c := range []struct {
		name  string
		items []sla.Item
		want  string
	}{
		{"recipients", r.Recipients, "customer_stakeholders account_manager service_delivery_manager"},
		{"sections", r.Sections, "availability_summary incident_summary_by_severity response_time_performance change_management_statistics upcoming_maintenance_schedule performance_trends_and_analysis"},
		{"portal", r.Portal, "current_service_status recent_incident_history planned_maintenance_calendar performance_metrics_trending"},
		{"operations", r.Operations, "sla_compliance_tracking resource_utilization team_performance_metrics cost_per_incident_analysis"},
		{"monthly participants", monthly.Participants, "customer account_manager technical_lead operations_manager"},
		{"monthly agenda", monthly.Agenda, "sla_performance_review incident_trend_analysis process_improvement_opportunities capacity_planning_review service_optimization_recommendations"},
		{"quarterly participants", quarterly.Participants, "customer_executives service_provider_executives"},
		{"quarterly agenda", quarterly.Agenda, "strategic_service_alignment cost_optimization_opportunities technology_roadmap_review relationship_health_assessment contract_optimization_discussion"},
	} {
		if got := keys(c.items); !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s = %q, want %q", c.name, got, c.want)
		}
		for _, item := range c.items {
			if item.Title == "" || strings.Contains(item.Title, "_") {
				t.Errorf("%s: title %q of %s is nothing to read", c.name, item.Title, item.Key)
			}
		}
	}
	if got := sla.NewItem("patch_window"); got != (sla.Item{Key: "patch_window", Title: "patch window"}) {
		t.Errorf("NewItem of a key of its own = %+v", got)
	}
}

func TestReviewsOfTiers(t *testing.T) {
	for _, c := range []struct {
		tier sla.Tier
		want string
	}{
		{0, "monthly_service_review quarterly_business_review"},
		{sla.Essential, "monthly_service_review quarterly_business_review"},
		{sla.Professional, "weekly_service_review monthly_service_review quarterly_business_review"},
		{sla.Enterprise, "weekly_service_review monthly_service_review executive_report quarterly_business_review"},
	} {
		var got []string
		for _, r := range sla.Reviews(c.tier) {
			got = append(got, r.Name)
			if len(r.Participants) == 0 || len(r.Agenda) == 0 {
				t.Errorf("%s has nobody or nothing to talk about", r.Name)
			}
			for _, i := range slices.Concat(r.Participants, r.Agenda) {
				if strings.Contains(i.Title, "_") {
					t.Errorf("%s: title %q of %s is nothing to read", r.Name, i.Title, i.Key)
				}
			}
		}
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("Reviews(%v) = %q, want %s", c.tier, got, c.want)
		}
	}
}

// Weeks by the calendar of 2020, 2021 and 2026: 1 January 2021 was a Friday, and 25
// October and 29 March 2026 were the Sundays on which Amsterdam changes its clocks.
func TestWeekAt(t *testing.T) {
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	for _, c := range []struct {
		at, zone, label, start string
		hours                  int
	}{
		{"2026-10-14T09:30:00Z", "UTC", "2026-W42", "2026-10-12T00:00:00Z", 168},
		{"2026-10-12T00:00:00Z", "UTC", "2026-W42", "2026-10-12T00:00:00Z", 168},
		{"2026-10-11T23:59:59Z", "UTC", "2026-W41", "2026-10-05T00:00:00Z", 168},
		{"2021-01-01T12:00:00Z", "UTC", "2020-W53", "2020-12-28T00:00:00Z", 168},
		{"2024-02-29T12:00:00Z", "UTC", "2024-W09", "2024-02-26T00:00:00Z", 168},
		{"2026-10-25T12:00:00Z", "Europe/Amsterdam", "2026-W43", "2026-10-18T22:00:00Z", 169},
		{"2026-10-25T23:00:00Z", "Europe/Amsterdam", "2026-W44", "2026-10-25T23:00:00Z", 168},
		{"2026-03-29T12:00:00Z", "Europe/Amsterdam", "2026-W13", "2026-03-22T23:00:00Z", 167},
		{"2026-10-11T13:00:00Z", "Pacific/Auckland", "2026-W42", "2026-10-11T11:00:00Z", 168},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		p := sla.WeekAt(at, zone(c.zone))
		if p.Label != c.label || p.Start.UTC().Format(time.RFC3339) != c.start || p.Duration() != time.Duration(c.hours)*time.Hour {
			t.Errorf("WeekAt(%s, %s) = %s from %s, %s; want %s from %s, %dh", c.at, c.zone, p.Label, p.Start.UTC(), p.Duration(), c.label, c.start, c.hours)
		}
	}
	// Weeks follow each other without a gap, wherever clocks change.
	for _, name := range []string{"Europe/Amsterdam", "America/Sao_Paulo", "Asia/Manila", "Pacific/Apia"} {
		z := zone(name)
		p := sla.WeekAt(time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC), z)
		for range 600 {
			next := sla.WeekAt(p.End, z)
			if !next.Start.Equal(p.End) || sla.WeekAt(p.End.Add(-1), z) != p {
				t.Fatalf("%s: after %v comes %v", name, p, next)
			}
			p = next
		}
	}
}
