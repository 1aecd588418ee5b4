package sla_test

import (
	"math/big"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
)

// The limits are those of the operations guide that the presets follow, in
// seconds, percent or points.
func TestReferenceMetrics(t *testing.T) {
	strict, inclusive := true, false
	want := []struct {
		group, name string
		severity    incident.Severity
		number      string
		unit        string
		strict      bool
		kept        string // a value that keeps the target
	}{
		{"infrastructure_monitoring", "metric_collection_interval", 0, "30", "s", inclusive, "30"},
		{"infrastructure_monitoring", "alert_processing_time", 0, "60", "s", strict, "59.999"},
		{"infrastructure_monitoring", "false_positive_rate", 0, "5", "percent", strict, "4.9"},
		{"infrastructure_monitoring", "monitoring_coverage", 0, "99", "percent", strict, "99.01"},
		{"incident_management", "mttr", incident.P1, "7200", "s", strict, "7199"},
		{"incident_management", "mttr", incident.P2, "28800", "s", strict, "28799"},
		{"incident_management", "mttr", incident.P3, "86400", "s", strict, "86399"},
		{"incident_management", "mttr", incident.P4, "259200", "s", strict, "259199"},
		{"incident_management", "first_call_resolution", 0, "60", "percent", strict, "61"},
		{"incident_management", "escalation_rate", 0, "20", "percent", strict, "19"},
		{"incident_management", "customer_satisfaction", 0, "4.5", "of 5", strict, "4.6"},
		{"service_delivery", "change_success_rate", 0, "95", "percent", strict, "96"},
		{"service_delivery", "emergency_change_approval", 0, "14400", "s", strict, "14399"},
		{"service_delivery", "planned_maintenance_notice", 0, "259200", "s", inclusive, "259200"},
		{"service_delivery", "backup_success_rate", 0, "99", "percent", strict, "99.5"},
		{"service_delivery", "disaster_recovery_rto", 0, "14400", "s", strict, "14399"},
		{"service_delivery", "disaster_recovery_rpo", 0, "3600", "s", strict, "3599"},
	}
	got := sla.ReferenceMetrics()
	if len(got) != len(want) {
		t.Fatalf("%d metrics, want %d", len(got), len(want))
	}
	rat := func(text string) *big.Rat {
		r, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("%q is no number", text)
		}
		return r
	}
	for i, w := range want {
		m := got[i]
		if m.Group != w.group || m.Name != w.name || m.Severity != w.severity || m.Title == "" {
			t.Errorf("metric %d = %+v, want %s %s %s", i, m, w.group, w.name, w.severity)
		}
		number, unit := m.Target.Limit()
		if number == nil || number.Cmp(rat(w.number)) != 0 || unit != w.unit || m.Target.Strict() != w.strict {
			t.Errorf("%s: target %v %s, strict %t, want %s %s, %t", m.Name, number, unit, m.Target.Strict(), w.number, w.unit, w.strict)
		}
		if m.Target.Judge(rat(w.kept)) != incident.Met {
			t.Errorf("%s: %s misses %s", m.Name, w.kept, m.Target)
		}
		if atLimit := m.Target.Judge(rat(w.number)); (atLimit == incident.Missed) != w.strict {
			t.Errorf("%s: the limit itself is %s", m.Name, atLimit)
		}
	}
}

// The metrics and the contract promise the same times.
func TestReferenceMetricsAgreeWithThePreset(t *testing.T) {
	c := sla.Preset("x", sla.Enterprise, "UTC", sla.Enterprise.Offer().FeeFrom)
	for _, term := range c.Terms {
		switch {
		case term.Resolution != nil:
			for _, target := range term.Resolution.Targets {
				for _, m := range sla.ReferenceMetrics() {
					if m.Name == sla.MetricMTTR && m.Severity == target.Severity && m.Target.JudgeDuration(target.Within) != incident.Missed {
						t.Errorf("%s: metric %s, contract < %s", target.Severity, m.Target, target.Within)
					}
				}
			}
		case term.Availability != nil:
			for _, m := range sla.ReferenceMetrics() {
				notice := term.Availability.MinNotice
				if m.Name == sla.MetricNotice && (m.Target.JudgeDuration(notice) != incident.Met || m.Target.JudgeDuration(notice-1) != incident.Missed) {
					t.Errorf("metric %s, contract >= %s", m.Target, notice)
				}
			}
		}
	}
}
