package sla_test

import (
	"slices"
	"strings"
	"testing"

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
