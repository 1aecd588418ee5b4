package sla

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// KPI is the name of a key figure.
type KPI string

// The key figures of a report. What is counted in a period: an incident where it
// was opened, a duration and what it says of the customer where it ended, a
// change where it ended.
const (
	KPIUptime       KPI = "uptime"  // of the contract's services together
	KPIMTTRP1       KPI = "mttr_p1" // mean time from detection to restoration, less the waits for the customer
	KPIMTTRP2       KPI = "mttr_p2"
	KPIMTTRP3       KPI = "mttr_p3"
	KPIMTTRP4       KPI = "mttr_p4"
	KPIMTTD         KPI = "mttd"                      // mean time from fault to detection
	KPIMTTA         KPI = "mtta"                      // mean time from opened to acknowledged
	KPIMTBF         KPI = "mtbf"                      // time up of all services by stretch of downtime
	KPIVolume       KPI = "incident_volume"           // incidents opened
	KPIFirstContact KPI = "first_contact_resolution"  // of the resolved ones for which it is recorded
	KPIEscalation   KPI = "escalation_rate"           // of the opened ones; without a record it was not
	KPISatisfaction KPI = "customer_satisfaction"     // mean answer, 1 to 5
	KPIChanges      KPI = "change_success_rate"       // of the finished ones, without those that led to an incident
	KPIApproval     KPI = "emergency_change_approval" // the longest time from request to approval
	KPINotice       KPI = "maintenance_notice"        // the shortest time from announcement to start
	KPICompliance   KPI = "sla_compliance_rate"       // services and clocks that met their target
	KPICoverage     KPI = "monitoring_coverage"       // of the service hours
	KPIBackup       KPI = "backup_success_rate"       // restores that were proven to be right
	KPIRTO          KPI = "rto_measured"              // the longest time from the loss to the proof of the restore
	KPIRPO          KPI = "rpo_measured"              // the longest stretch of data lost
	KPICost         KPI = "cost_per_incident"         // of the opened ones for which it is recorded
	KPIProblems     KPI = "problem_resolution_rate"   // closed with a cause, of those closed or open at the end
	KPIUtilisation  KPI = "resource_utilisation"      // time used of the time available
)

// KPIs lists the key figures in the order of a report. The last six are left
// out of one without such data.
var KPIs = [...]KPI{
	KPIUptime, KPIMTTRP1, KPIMTTRP2, KPIMTTRP3, KPIMTTRP4, KPIMTTD, KPIMTTA, KPIMTBF, KPIVolume, KPIFirstContact, KPIEscalation,
	KPISatisfaction, KPIChanges, KPIApproval, KPINotice, KPICompliance, KPICoverage, KPIBackup, KPIRTO, KPIRPO, KPICost,
	KPIProblems, KPIUtilisation,
}

// restoreKPIs are the mean times to restore, P1 first.
var restoreKPIs = [...]KPI{KPIMTTRP1, KPIMTTRP2, KPIMTTRP3, KPIMTTRP4}

// Unit is the unit of a key figure.
type Unit string

// The units.
const (
	UnitPercent Unit = "percent" // 0 to 100
	UnitSeconds Unit = "s"
	UnitCount   Unit = "count"
	UnitScore   Unit = "score"
	UnitMoney   Unit = "money" // whole units of the currency
)

// Unit returns the unit of a key figure, "" for an unknown one.
func (k KPI) Unit() Unit {
	switch k {
	case KPIUptime, KPIFirstContact, KPIEscalation, KPIChanges, KPICompliance, KPICoverage, KPIBackup, KPIProblems, KPIUtilisation:
		return UnitPercent
	case KPIMTTRP1, KPIMTTRP2, KPIMTTRP3, KPIMTTRP4, KPIMTTD, KPIMTTA, KPIMTBF, KPIApproval, KPINotice, KPIRTO, KPIRPO:
		return UnitSeconds
	case KPIVolume:
		return UnitCount
	case KPISatisfaction:
		return UnitScore
	case KPICost:
		return UnitMoney
	}
	return ""
}

// KPITargets holds the limit of each key figure that has one.
type KPITargets map[KPI]incident.Target

// ReferenceKPITargets returns the targets that reports use by default. They are
// as strict as they are written: 95 % of changes miss "> 95%", 72 hours of
// notice are enough. The caller may change them.
func ReferenceKPITargets() KPITargets {
	texts := map[KPI]string{
		KPIFirstContact: "> 60%", KPIEscalation: "< 20%", KPISatisfaction: "> 4.5/5",
		KPIChanges: "> 95%", KPIApproval: "< 4h", KPINotice: ">= 72h",
		KPIBackup: "> 99%", KPIRTO: "< 4h", KPIRPO: "< 1h", KPICoverage: "> 99%",
	}
	targets := make(KPITargets, len(texts)+len(restoreKPIs))
	restore := incident.DefaultTargets()
	for i, k := range restoreKPIs {
		targets[k] = restore[incident.Severities[i]]
	}
	for k, text := range texts {
		targets[k], _ = incident.ParseTarget(text) // constants, held by a test
	}
	return targets
}

// KeyFigure is a key figure of a period and what became of its target.
type KeyFigure struct {
	KPI   KPI    `json:"name"`
	Value Figure `json:"value"` // in Unit; no data where there was nothing to count
	Unit  Unit   `json:"unit"`

	// Currency is that of UnitMoney.
	Currency money.Currency `json:"currency,omitempty"`

	// N is how many services, incidents, changes or windows the value is taken
	// over.
	N int `json:"n"`

	// Target is the limit; unset for none.
	Target incident.Target `json:"target,omitzero"`

	// Outcome is Met, Missed or NoData, and "" without a target.
	Outcome Outcome `json:"outcome,omitempty"`
}

// Limit returns the target without its unit, a time in seconds, such as
// "< 7200"; "" without a target.
func (k KeyFigure) Limit() string {
	comparison, number, _ := k.Target.Parts()
	if comparison == "" {
		return ""
	}
	return comparison + " " + number
}

// Amount returns a figure of money rounded to minor units; unset without data.
func (k KeyFigure) Amount(r money.Rounding) (money.Amount, error) {
	if k.Unit != UnitMoney || !k.Value.IsSet() {
		return money.Amount{}, nil
	}
	minor := k.Value.Rat()
	for range k.Currency.Digits() {
		minor.Mul(minor, big.NewRat(10, 1))
	}
	one, err := money.New(1, k.Currency)
	if err != nil {
		return money.Amount{}, err
	}
	return one.ShareRat(minor, r)
}

// Explain returns the figure as a sentence.
func (k KeyFigure) Explain() string {
	text := string(k.KPI) + ": " + k.measured()
	if k.Outcome == Met || k.Outcome == Missed {
		text += " " + string(k.Outcome)
	}
	return text
}

// measured returns value, n and target.
func (k KeyFigure) measured() string {
	text := k.shown()
	if k.N > 0 {
		text += fmt.Sprintf(" over %d", k.N)
	}
	if k.Target.IsSet() {
		text += fmt.Sprintf(", target %s", k.Target)
	}
	return text
}

// shown writes the value with its unit, cut off where it has too many digits.
func (k KeyFigure) shown() string {
	if !k.Value.IsSet() {
		return "no data"
	}
	number := k.Value.Decimal(6)
	if r := k.Value.Rat(); r.IsInt() {
		number = r.RatString()
	}
	switch k.Unit {
	case UnitPercent:
		return number + " %"
	case UnitSeconds:
		return number + " s"
	case UnitMoney:
		return number + " " + string(k.Currency)
	default:
		return number
	}
}

// KeyFigure returns a key figure of the report; ok is false if it has none of
// that name.
func (r Report) KeyFigure(k KPI) (f KeyFigure, ok bool) {
	at := slices.IndexFunc(r.KPIs, func(f KeyFigure) bool { return f.KPI == k })
	if at < 0 {
		return KeyFigure{}, false
	}
	return r.KPIs[at], true
}
