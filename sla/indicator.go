package sla

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Indicator promises a key figure, such as a share of changes that succeed. A
// miss earns a fixed Credit or a CreditPercent of the fee once in the period, or,
// with neither, nothing but the report. Without data nothing is missed, and the
// statement says so.
type Indicator struct {
	KPI KPI `json:"kpi"`

	// Target is the promise as the contract words it: "> 95%", "< 4h", "> 4.5/5",
	// ">= 72h". It says by itself whether the limit is a miss.
	Target incident.Target `json:"target"`

	Credit        money.Amount  `json:"credit,omitzero"`
	CreditPercent money.Percent `json:"credit_percent,omitzero"`
}

// indicator compares a key figure with its promise. It comes after the terms that
// the figure may be about.
func (ev *evaluation) indicator(t Term) error {
	promise := *t.Indicator
	r := reckoning{agreement: ev.agreement, evidence: ev.evidence, covered: ev.covered, statement: &ev.statement}
	f, err := r.figure(promise.KPI, promise.Target)
	if err != nil {
		return err
	}
	switch f.Outcome {
	case Missed:
	case NoData:
		ev.find(FindingNoData, t.ID, string(f.KPI), fmt.Sprintf("nothing to compare with %s", f.Target))
		return nil
	default:
		return nil
	}
	b := Breach{Term: t.ID, Clause: ClauseIndicator, Ref: string(f.KPI), At: ev.covered.End, KeyFigure: &f}
	line := Line{KeyFigure: &f}
	switch {
	case promise.Credit.IsSet():
		line.Basis, line.Amount = FixedAmount, promise.Credit
	case promise.CreditPercent > 0:
		line.Basis, line.Rate = PercentOfFee, promise.CreditPercent
		if err := line.earn(ev.feeBase(t), ratio(line.Rate), ev.agreement.contract.Rounding); err != nil {
			return err
		}
	default:
		ev.breach(b)
		return nil
	}
	ev.breach(b, line)
	return nil
}

func (v *validation) indicator(path string, i Indicator) {
	if !slices.Contains(KPIs[:], i.KPI) {
		names := make([]string, len(KPIs))
		for j, k := range KPIs {
			names[j] = string(k)
		}
		v.add(problem(path+".kpi", string(i.KPI), strings.Join(names, ", ")))
	} else if !i.KPI.accepts(i.Target) {
		v.add(problem(path+".target", i.Target.String(), "a target such as "+i.KPI.example()))
	}
	if i.CreditPercent < 0 {
		v.add(problem(path+".credit_percent", i.CreditPercent.String(), "0 or more"))
	}
	if i.Credit.IsSet() && i.CreditPercent != 0 {
		v.add(problem(path+".credit", i.Credit.String(), "an amount or a percentage, not both"))
	}
	if !i.Credit.IsSet() && i.CreditPercent == 0 {
		v.add(warning(CodeNoRemedy, path, string(i.KPI), "a credit, or the report is all that a miss earns"))
	}
	v.amount(path+".credit", i.Credit)
}

// accepts reports whether a target is set and of the unit of the figure. Scores
// may name their best mark or not.
func (k KPI) accepts(t incident.Target) bool {
	comparison, _, unit := t.Parts()
	switch k.Unit() {
	case UnitPercent, UnitSeconds:
		return unit == string(k.Unit())
	case UnitScore:
		return comparison != "" && (unit == "" || unit == "of 5")
	default:
		return comparison != "" && unit == ""
	}
}

func (k KPI) example() string {
	switch k.Unit() {
	case UnitPercent:
		return `"> 95%"`
	case UnitSeconds:
		return `"< 4h"`
	case UnitScore:
		return `"> 4.5/5"`
	default:
		return `"< 10"`
	}
}
