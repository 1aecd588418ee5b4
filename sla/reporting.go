package sla

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Item is a part of a report, a dashboard or a review, or someone who takes part
// in it.
type Item struct {
	Key   string `json:"key"`   // for files and programs
	Title string `json:"title"` // for readers
}

// NewItem returns the item with that key. Its title is the one of the reference
// reporting and reviews where the key stands there, else the key in words.
func NewItem(key string) Item {
	title, ok := itemTitles[key]
	if !ok {
		title = strings.ReplaceAll(key, "_", " ")
	}
	return Item{Key: key, Title: title}
}

// Reporting is what a provider tells without being asked: a report at intervals,
// and two views that are always up to date.
type Reporting struct {
	Frequency  string `json:"frequency"`  // "monthly"
	Recipients []Item `json:"recipients"` // of the report
	Sections   []Item `json:"sections"`   // of the report
	Portal     []Item `json:"portal"`     // what the customer sees at any time
	Operations []Item `json:"operations"` // what the provider's own people see besides
}

// ReferenceReporting returns the reporting of all tiers. The caller may change
// it.
func ReferenceReporting() Reporting {
	return Reporting{
		Frequency:  "monthly",
		Recipients: items(ReportRecipients[:]...),
		Sections:   items(ReportSections[:]...),
		Portal:     items("current_service_status", "recent_incident_history", "planned_maintenance_calendar", "performance_metrics_trending"),
		Operations: items("sla_compliance_tracking", "resource_utilization", "team_performance_metrics", "cost_per_incident_analysis"),
	}
}

// Review is a meeting of customer and provider.
type Review struct {
	Name         string `json:"name"`
	Participants []Item `json:"participants"`
	Agenda       []Item `json:"agenda"`

	// Length is how long it takes. The reference reviews leave it at 0, which is not
	// agreed.
	Length time.Duration `json:"length_ns,omitzero"`
}

// MonthlyReview returns the reference review of a month. The caller may change
// it.
func MonthlyReview() Review {
	return Review{
		Name:         "monthly_service_review",
		Participants: items("customer", "account_manager", "technical_lead", "operations_manager"),
		Agenda: items(
			"sla_performance_review", "incident_trend_analysis", "process_improvement_opportunities", "capacity_planning_review",
			"service_optimization_recommendations",
		),
	}
}

// QuarterlyReview returns the reference review of a quarter. The caller may
// change it.
func QuarterlyReview() Review {
	return Review{
		Name:         "quarterly_business_review",
		Participants: items("customer_executives", "service_provider_executives"),
		Agenda: items(
			"strategic_service_alignment", "cost_optimization_opportunities", "technology_roadmap_review", "relationship_health_assessment",
			"contract_optimization_discussion",
		),
	}
}

// WeeklyReview returns the review of a week, which the professional and the enterprise
// tier have. The reference names the meeting alone: those who take part are those of
// the monthly review who do the daily work, and the agenda is what a week can tell. The
// caller may change it.
func WeeklyReview() Review {
	return Review{
		Name:         "weekly_service_review",
		Participants: items("customer", "technical_lead", "operations_manager"),
		Agenda: items(
			"sla_performance_review", "incident_trend_analysis", "process_improvement_opportunities", SectionChanges, SectionMaintenance,
		),
	}
}

// ExecutiveReport returns what the management of the customer is shown of a month,
// which the enterprise tier has. The reference names the report alone: those who take
// part are those of the quarterly review, and the agenda is what it decides on. The
// caller may change it.
func ExecutiveReport() Review {
	return Review{
		Name:         "executive_report",
		Participants: items("customer_executives", "service_provider_executives"),
		Agenda: items(
			"strategic_service_alignment", "cost_optimization_opportunities", "capacity_planning_review", "technology_roadmap_review",
			"relationship_health_assessment",
		),
	}
}

// Reviews returns the reviews that a tier has, the most frequent first: those of a
// month and of a quarter in all, that of a week from professional on, and the report
// to executives in enterprise.
func Reviews(t Tier) []Review {
	var list []Review
	if t >= Professional {
		list = append(list, WeeklyReview())
	}
	list = append(list, MonthlyReview())
	if t >= Enterprise {
		list = append(list, ExecutiveReport())
	}
	return append(list, QuarterlyReview())
}

// WeekAt returns the week of ISO 8601 that contains at: from Monday 00:00 to Monday
// 00:00 on the wall clock of a zone, so that a week with a change of the clock has 167
// or 169 hours. Its label is like "2026-W42".
func WeekAt(at time.Time, zone *time.Location) Period {
	// A day that was put back may be told to be the one before: the week is the first
	// of three that ends after t.
	monday := wallclock.Midnight(wallclock.At(at, zone))
	monday = monday.AddDate(0, 0, -(int(monday.Weekday())+6)%7-7)
	begins := func(n int) time.Time { return wallclock.Resolve(monday.AddDate(0, 0, 7*n), zone, wallclock.First) }
	n := 0
	for !begins(n + 1).After(at) {
		n++
	}
	year, week := monday.AddDate(0, 0, 7*n).ISOWeek()
	return Period{Label: fmt.Sprintf("%d-W%02d", year, week), Interval: calendar.Interval{Start: begins(n), End: begins(n + 1)}}
}

// ReportDue returns the first instant that is too late to deliver the report of a
// period: the end of the 15th of the month after it, on the wall clock of a zone.
func ReportDue(p Period, zone *time.Location) time.Time {
	last := wallclock.At(p.End.Add(-1), zone)
	next := wallclock.AddMonths(last.AddDate(0, 0, 1-last.Day()), 1)
	return wallclock.Resolve(wallclock.Midnight(next).AddDate(0, 0, 15), zone, wallclock.First)
}

func items(keys ...string) []Item {
	list := make([]Item, len(keys))
	for i, key := range keys {
		list[i] = NewItem(key)
	}
	return list
}

var itemTitles = map[string]string{
	"customer_stakeholders": "Customer", "account_manager": "Account manager", "service_delivery_manager": "Service delivery manager",

	"availability_summary": "Availability", "incident_summary_by_severity": "Incidents by severity", "response_time_performance": "Response times",
	"change_management_statistics": "Changes", "upcoming_maintenance_schedule": "Maintenance ahead", "performance_trends_and_analysis": "Trends",

	"current_service_status": "Status now", "recent_incident_history": "Latest incidents", "planned_maintenance_calendar": "Maintenance calendar",
	"performance_metrics_trending": "Key figures over time",

	"sla_compliance_tracking": "Promises kept", "resource_utilization": "Use of capacity", "team_performance_metrics": "Load and pace of the team",
	"cost_per_incident_analysis": "Cost per incident",

	"customer": "Customer", "technical_lead": "Technical lead", "operations_manager": "Operations manager",
	"sla_performance_review": "What was promised and what was kept", "incident_trend_analysis": "Incidents: what changes over time",
	"process_improvement_opportunities": "What to do better", "capacity_planning_review": "Capacity for the months ahead",
	"service_optimization_recommendations": "What we suggest to change in the service",

	"customer_executives": "Management of the customer", "service_provider_executives": "Management of the provider",
	"strategic_service_alignment": "Does the service fit where the business goes", "cost_optimization_opportunities": "Where to spend less",
	"technology_roadmap_review": "Technology: what comes and what goes", "relationship_health_assessment": "How we work together",
	"contract_optimization_discussion": "What the contract should say differently",
}
