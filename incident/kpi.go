package incident

import (
	"fmt"
	"math/big"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// KPI is the name of a key figure.
type KPI string

// The key figures, in the order of a [Scorecard].
const (
	KPIMTTR               KPI = "mttr"
	KPIMTTRP1             KPI = "mttr_p1"
	KPIMTTRP2             KPI = "mttr_p2"
	KPIMTTRP3             KPI = "mttr_p3"
	KPIMTTRP4             KPI = "mttr_p4"
	KPIMTBF               KPI = "mtbf"
	KPIUptime             KPI = "uptime"
	KPIVolume             KPI = "incident_volume"
	KPIChangeSuccess      KPI = "change_success_rate"
	KPICompliance         KPI = "sla_compliance_rate"
	KPIUtilisation        KPI = "resource_utilisation"
	KPIMTTD               KPI = "mttd"
	KPIProblems           KPI = "problem_resolution_rate"
	KPISatisfaction       KPI = "customer_satisfaction"
	KPIFirstContact       KPI = "first_contact_resolution"
	KPITicketCost         KPI = "cost_per_ticket"
	KPIMTTA               KPI = "mtta"
	KPIEscalation         KPI = "escalation_rate"
	KPIIncidentCost       KPI = "cost_per_incident"
	KPIApproval           KPI = "emergency_change_approval"
	KPINotice             KPI = "maintenance_notice"
	KPIBackup             KPI = "backup_success_rate"
	KPIRTO                KPI = "rto_measured"
	KPIRPO                KPI = "rpo_measured"
	KPICollectionInterval KPI = "metric_collection_interval"
	KPIAlertProcessing    KPI = "alert_processing_time"
	KPIFalsePositives     KPI = "false_positive_rate"
	KPICoverage           KPI = "monitoring_coverage"
	KPIReopened           KPI = "reopen_rate"
	KPISeenByUser         KPI = "detected_by_user_rate"
	KPICustomerWait       KPI = "customer_wait_rate"
	KPIApproved           KPI = "emergency_change_approved"
	KPIAnnounced          KPI = "maintenance_announced"
)

// KPITargets holds the limit of each key figure that has one.
type KPITargets map[KPI]Target

// DefaultKPITargets returns the targets of the operations guide that this library
// follows, as strict as they are written: exactly 95 % of changes miss "> 95%", and
// 72 hours keep "72 hours minimum". The caller may change them.
func DefaultKPITargets() KPITargets {
	targets := KPITargets{}
	for k, text := range map[KPI]string{
		KPIMTTRP1: "< 2 hours", KPIMTTRP2: "< 8 hours", KPIMTTRP3: "< 24 hours", KPIMTTRP4: "< 72 hours",
		KPIFirstContact: "> 60%", KPIEscalation: "< 20%", KPISatisfaction: "> 4.5/5",
		KPIChangeSuccess: "> 95%", KPIApproval: "< 4 hours", KPINotice: "72 hours minimum",
		KPIBackup: "> 99%", KPIRTO: "< 4 hours", KPIRPO: "< 1 hour",
		KPICollectionInterval: "30 seconds", KPIAlertProcessing: "< 60 seconds", KPIFalsePositives: "< 5%", KPICoverage: "> 99%",
	} {
		targets[k], _ = ParseTarget(text) // constants, held by a test
	}
	return targets
}

// Unit is the unit of a key figure.
type Unit string

// The units.
const (
	UnitSeconds Unit = "s"
	UnitPercent Unit = "percent" // 0 to 100
	UnitCount   Unit = "count"
	UnitScore   Unit = "score" // 1 to 5
	UnitMoney   Unit = "money" // whole units of the currency
)

// KeyFigure is a key figure with what it was taken from and what became of its
// target.
type KeyFigure struct {
	KPI        KPI            `json:"name"`
	Definition string         `json:"definition"`
	Value      *big.Rat       `json:"value"`              // exact, in Unit; nil, in JSON null, without data
	AtLeast    *big.Rat       `json:"at_least,omitempty"` // a lower bound where there is too little for a Value
	Unit       Unit           `json:"unit"`
	Currency   money.Currency `json:"currency,omitempty"` // of UnitMoney
	N          int            `json:"n"`                  // over how many it was taken
	Target     Target         `json:"target,omitzero"`
	Verdict    Verdict        `json:"verdict"` // undecided without a target or one of another unit, without data, or where AtLeast leaves it open
}

// judge holds the figure, or what is known of it, against its target.
func (k *KeyFigure) judge() {
	switch {
	case !k.Target.fits(k.Unit):
	case k.Value != nil:
		k.Verdict = k.Target.Judge(k.Value)
	default:
		k.Verdict = k.Target.judgeAtLeast(k.AtLeast)
	}
}

// Explain returns the figure as a sentence, the value rounded to two decimals.
func (k KeyFigure) Explain() string {
	text, unit := fmt.Sprintf("%s (%s): ", k.KPI, k.Definition), string(k.Unit)
	if k.Unit == UnitMoney {
		unit = string(k.Currency)
	}
	switch {
	case k.Value != nil:
		text += fmt.Sprintf("%s %s over %d", k.Value.FloatString(2), unit, k.N)
	case k.AtLeast != nil:
		text += fmt.Sprintf("at least %s %s over %d", k.AtLeast.FloatString(2), unit, k.N)
	default:
		text += "no data"
	}
	if k.Verdict != Undecided {
		text += fmt.Sprintf(", %s %q", k.Verdict, k.Target)
	}
	return text
}
