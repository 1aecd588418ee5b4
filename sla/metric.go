package sla

import (
	"fmt"

	"github.com/evenkeelops/evenkeel/incident"
)

// Metric is a key figure of a service and the limit that it is held to. What the
// figure is comes from the evidence; see package incident.
type Metric struct {
	Group string `json:"group"` // GroupMonitoring, GroupIncidents or GroupDelivery
	Name  string `json:"name"`

	// Severity is that of the incidents that the figure is taken over. Unset is
	// all of them.
	Severity incident.Severity `json:"severity,omitzero"`

	Title string `json:"title"` // for readers

	// Target holds the exact limit with its unit, and whether the limit itself
	// is a miss.
	Target incident.Target `json:"target"`
}

// The groups of metrics.
const (
	GroupMonitoring = "infrastructure_monitoring"
	GroupIncidents  = "incident_management"
	GroupDelivery   = "service_delivery"
)

// The metrics that a contract answers for in money or in time; the others are
// shown beside them.
const (
	MetricMTTR   = "mttr"                       // one for each severity
	MetricNotice = "planned_maintenance_notice" // see Availability.MinNotice
)

// ReferenceMetrics returns the metrics that the presets report on, in the order
// of the groups. The caller may change them.
func ReferenceMetrics() []Metric {
	metrics := []Metric{
		metric(GroupMonitoring, "metric_collection_interval", "Time between two readings", "<= 30s"),
		metric(GroupMonitoring, "alert_processing_time", "Time from a reading to its alert", "< 60s"),
		metric(GroupMonitoring, "false_positive_rate", "Alerts without a cause", "< 5%"),
		metric(GroupMonitoring, "monitoring_coverage", "Time under watch", "> 99%"),
	}
	restore := incident.DefaultTargets()
	for _, s := range incident.Severities {
		metrics = append(metrics, Metric{
			Group: GroupIncidents, Name: MetricMTTR, Severity: s, Title: fmt.Sprintf("Mean time to restore, %s", s), Target: restore[s],
		})
	}
	return append(metrics,
		metric(GroupIncidents, "first_call_resolution", "Resolved by the first contact", "> 60%"),
		metric(GroupIncidents, "escalation_rate", "Handed on to someone else", "< 20%"),
		metric(GroupIncidents, "customer_satisfaction", "Customer satisfaction", "> 4.5/5"),
		metric(GroupDelivery, "change_success_rate", "Changes that succeeded", "> 95%"),
		metric(GroupDelivery, "emergency_change_approval", "Time to approve an emergency change", "< 4h"),
		metric(GroupDelivery, MetricNotice, "Notice of planned maintenance", ">= 72h"),
		metric(GroupDelivery, "backup_success_rate", "Backups that succeeded", "> 99%"),
		metric(GroupDelivery, "disaster_recovery_rto", "Time to recover after a disaster", "< 4h"),
		metric(GroupDelivery, "disaster_recovery_rpo", "Data lost in a disaster, as time", "< 1h"),
	)
}

func metric(group, name, title, target string) Metric {
	limit, _ := incident.ParseTarget(target) // constants, held by a test
	return Metric{Group: group, Name: name, Title: title, Target: limit}
}
