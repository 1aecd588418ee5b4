package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/slo"
)

// Explain explains every figure of every budget and how every rule was decided. The
// field is the place in [BudgetReport.Data]; "shown" is what stands there, where that
// is a number, and "result" the exact ratio that it was made of. What a figure needs
// that has no place of its own, such as the error ratio, is explained before it, at
// the same place.
func (r BudgetReport) Explain() []Explanation {
	names := make([]string, len(r.Sources))
	for i, s := range r.Sources {
		names[i] = s.Name
	}
	x := budgetExplainer{source: strings.Join(names, ", ")}
	for i, b := range r.Budgets {
		x.path = fmt.Sprintf("slos[%d].", i)
		x.budget(b)
	}
	return x.all
}

// budgetExplainer collects explanations below a path.
type budgetExplainer struct {
	all    []Explanation
	path   string
	source string
}

func (x *budgetExplainer) add(field, formula, source string, values map[string]any) {
	x.all = append(x.all, Explanation{Field: x.path + field, Formula: formula, Values: values, Source: cmp.Or(source, x.source)})
}

// step adds what package slo explains. Where the field shows another number than the
// exact ratio, the formula says how it was made of it.
func (x *budgetExplainer) step(field, made string, shown any, s slo.Step) {
	values := make(map[string]any, len(s.Values)+2)
	for _, v := range s.Values {
		values[v.Name] = v.Value
	}
	values["result"] = s.Result
	if shown != nil {
		values["shown"] = shown
	}
	formula := s.Formula
	if made != "" {
		formula += ", " + made
	}
	x.add(field, formula, s.Source, values)
}

const (
	cut     = "times 100, cut at six decimals"
	scaled  = "times 100, the nearest float64"
	closest = "the nearest float64"
)

func (x *budgetExplainer) budget(b Budget) {
	d, s := budgetData(b), b.Status
	x.add("objective_percent", "as agreed", "objective "+b.Objective.ID, map[string]any{"target": s.Target.Ratio().String(), "shown": d.Objective})
	counted := s.Measure.String() + " with window.start < instant <= at, without excluded ones"
	x.add("total", "all "+counted, "", map[string]any{"shown": s.Total})
	x.add("good", "good "+counted, "", map[string]any{"shown": s.Good})
	x.add("bad", "total - good", "", map[string]any{"total": s.Total, "good": s.Good, "shown": s.Bad})
	x.step("sli_percent", cut, d.SLI, slo.Step{
		Formula: "good / total", Values: []slo.Term{{Name: "good", Value: strconv.FormatUint(s.Good, 10)}, {Name: "total", Value: strconv.FormatUint(s.Total, 10)}}, Result: s.SLI.String(),
	})
	excluded := 0
	for _, step := range s.Explain() {
		switch step.Field {
		case "budget", "error_ratio":
			place := map[string]string{"budget": "budget.allowed", "error_ratio": "budget.burn_to_date"}[step.Field]
			step.Formula = step.Field + " = " + step.Formula
			x.step(place, "", nil, step)
		case "coverage":
			x.step("window.coverage_percent", cut, d.Window.Coverage, step)
		case "allowed":
			x.step("budget.allowed", closest, d.Budget.Allowed, step)
		case "left":
			x.step("budget.left", closest, d.Budget.Left, step)
		case "burn":
			x.step("budget.burn_to_date", closest, d.Budget.Burn, step)
		case "consumed":
			x.step("budget.consumed_percent", scaled, d.Budget.Consumed, step)
		case "remaining":
			x.step("budget.left_percent", scaled, d.Budget.Rest, step)
		case "exclusions":
			x.step(fmt.Sprintf("exclusions[%d].removed_s", excluded), "in seconds", d.Excluded[excluded].Removed, step)
			excluded++
		case "slack":
			x.step("window", "", nil, step)
		case "state":
			if slices.Contains(s.Risks, "forecast") {
				step.Formula += ": projected > 1"
				step.Values = append(slices.Clone(step.Values), slo.Term{Name: "projected", Value: b.Forecast.Projected.String()})
			}
			x.step("state", "", nil, step)
		default:
			x.step(step.Field, "", nil, step)
		}
	}
	for i, w := range b.Burns {
		x.add(fmt.Sprintf("burn[%d].rate", i), "bad / total / budget, "+closest, "", map[string]any{
			"window": threshold.FormatDuration(w.Window), "bad": w.Counts.Bad(), "total": w.Counts.Total, "budget": s.Budget.String(),
			"result": w.Rate.String(), "shown": d.Burn[i].Rate,
		})
	}
	x.forecast(b, d)
	for i := range b.Decisions {
		x.decision(b, d, i)
	}
	if b.hasPolicy() {
		x.review(b)
	}
}

func (x *budgetExplainer) forecast(b Budget, d BudgetData) {
	for _, step := range b.Status.ExplainForecast(b.Forecast) {
		step.Source = "burn rate of the last hour"
		switch step.Field {
		case "exhausts_at":
			x.step("exhausts_at", "cut to seconds", d.Exhausts, step)
		case "projected", "seconds":
			step.Formula = step.Field + " = " + step.Formula
			x.step("exhausts_at", "", nil, step)
		}
	}
}

// decision explains one rule; what keeps it from holding although both windows are
// above its threshold stands beside the comparisons.
func (x *budgetExplainer) decision(b Budget, d BudgetData, i int) {
	decision, path := b.Decisions[i], fmt.Sprintf("alerts[%d].", i)
	for _, step := range decision.Explain() {
		switch step.Field {
		case "threshold":
			x.step(path+"threshold", closest, d.Alerts[i].Limit, step)
		case "long", "short":
			step.Formula = step.Field + ": " + step.Formula
			x.step(path+"holds", "", nil, step)
		case "holds":
			if i < len(b.Objective.Policy.Rules) {
				step = gated(step, decision, b.Objective.Policy.Rules[i])
			}
			x.step(path+"holds", "", d.Alerts[i].Holds, step)
		default:
			x.step(path+step.Field, "", nil, step)
		}
	}
}

// gated adds the gates of a rule for low traffic, and what they look at.
func gated(step slo.Step, d slo.Decision, r slo.Rule) slo.Step {
	step.Values = slices.Clone(step.Values)
	number := func(name string, n uint64) slo.Term { return slo.Term{Name: name, Value: strconv.FormatUint(n, 10)} }
	gate := func(condition string, values ...slo.Term) {
		step.Formula += " and " + condition
		step.Values = append(step.Values, values...)
	}
	bad, total := d.LongCounts.Bad(), d.LongCounts.Total
	if r.MinEvents > 0 {
		gate("total >= min_events", number("total", total), number("min_events", r.MinEvents))
	}
	if r.MinBad > 0 && r.Kind == slo.BurnRate {
		gate("bad >= min_bad", number("bad", bad), number("min_bad", r.MinBad))
	}
	if r.Alpha.IsSet() {
		gate("P(bad or more of total by chance) < alpha",
			slo.Term{Name: "alpha", Value: r.Alpha.String()},
			slo.Term{Name: "P", Value: fmt.Sprintf("about %.4g", slo.BinomialTail(total, bad, d.Threshold))})
	}
	return step
}

func (x *budgetExplainer) review(b Budget) {
	values := map[string]any{"consumed": b.Status.Consumed.String()}
	for _, a := range b.Objective.BudgetPolicy.Actions {
		values[a.Name+" from"] = a.Consumed.String()
	}
	names := []string{"none"}
	if due := b.Review().Due; len(due) > 0 {
		names = mapped(due, func(a slo.BudgetAction) string { return a.Name })
	}
	values["result"] = strings.Join(names, ", ")
	x.add("budget_policy.due", "consumed >= share of the action", "budget policy", values)
}
