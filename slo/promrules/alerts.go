package promrules

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// alertRules writes an alert for every rule of the policy, so that it says which
// one fired, and one for counters that are not there.
func (g *generator) alertRules() {
	for i := range g.slo.Policy.Rules {
		g.alert(&g.slo.Policy.Rules[i])
	}
	if selector, ok := g.slo.Events.presence(); ok && g.o.AbsentFor > 0 {
		g.str("absent(", selector, ")")
		expr := g.cut()
		g.str(escapeTemplate(g.slo.ID), ": nothing is counted")
		summary := g.cut()
		g.str("No series matches ", escapeTemplate(selector), ". The objective cannot be judged.")
		g.rules = append(g.rules, Rule{
			Alert: g.o.Alert + "MetricAbsent", Expr: expr, For: g.o.AbsentFor, Labels: escapeLabels(g.withAll(g.owned(Label{"severity", string(slo.Ticket)}))),
			Annotations: g.annotations(summary, g.cut()),
		})
	}
}

// alert fires while both windows burn strictly faster than the factor, or as the
// kind of the rule says. The two ratios differ in the label of their window.
func (g *generator) alert(r *slo.Rule) {
	g.decimal(r.Threshold(g.slo.Target))
	limit := g.cut()
	switch r.Kind {
	case slo.BurnRate:
		g.rounded(r.Long)
		g.str(" > ", limit)
	case slo.AbsoluteCount:
		g.rounded(r.Long)
		g.str(" >= ", limit)
	case slo.Silence: // there is no ratio without events
		g.str("absent(", g.ratioName(r.Long), g.selector, ")")
	}
	if r.Short > 0 {
		g.str("\nand ignoring (", g.windowLabel(), ")\n")
		g.rounded(r.Short)
		g.str(" > ", limit)
	}
	g.atLeast(r.MinEvents, r, g.totalName, g.total)
	g.atLeast(r.MinBad, r, g.badName, g.bad)
	g.covered(r)
	expr := g.cut()

	long, short := g.windowText(r.Long), ""
	more := append(make([]Label, 0, 6), Label{"long_window", long}) // sorted
	more = append(more, g.owned(Label{"rule", r.Name}, Label{"severity", string(r.Severity)})...)
	if r.Short > 0 {
		short = g.windowText(r.Short)
		more = append(more, Label{"short_window", short})
	}
	if g.o.Names == Sloth {
		more = append(more, Label{"sloth_severity", string(r.Severity)})
	}
	labels := escapeLabels(g.withAll(more))
	summary, description := g.tell(r, limit, long, short)
	g.rules = append(g.rules, Rule{
		Alert: g.o.Alert, Expr: expr, For: r.For, KeepFiringFor: r.KeepFiringFor, Labels: labels,
		Annotations: g.annotations(summary, description),
	})
}

// rounded writes the recorded ratio of a window as it is compared.
func (g *generator) rounded(w time.Duration) {
	g.openRatio()
	g.str(g.ratioName(w), g.selector)
	g.closeRatio()
}

// owned puts the owner before labels with names behind it, unless the objective has
// a label of that name: alerts are routed by it, and series do not need it.
func (g *generator) owned(more ...Label) []Label {
	if _, ok := g.slo.Labels["owner"]; ok || g.slo.Owner == "" || slices.Contains(g.slo.Events.By, "owner") {
		return more
	}
	return append([]Label{{"owner", g.slo.Owner}}, more...)
}

// tell writes what an alert says.
func (g *generator) tell(r *slo.Rule, limit, long, short string) (summary, description string) {
	g.str(escapeTemplate(g.slo.ID))
	switch r.Kind {
	case slo.BurnRate:
		g.str(": the error budget burns more than ")
		g.decimal(r.Factor)
		g.str(" times too fast")
		summary = g.cut()
		g.str("Over ", long)
		if r.Short > 0 {
			g.str(" and ", short)
		}
		g.str(" the error ratio is above ", limit)
	case slo.AbsoluteCount:
		bad := strconv.FormatUint(r.MinBad, 10)
		g.str(": ", bad, " or more bad events")
		summary = g.cut()
		g.str("Over ", long, " there are ", bad, " bad events or more, and the error ratio is ", limit, " or more")
	case slo.Silence:
		g.str(": no events")
		summary = g.cut()
		g.str("Over ", long, " there are no events. The objective cannot be judged.")
		return summary, g.cut()
	}
	g.str(" (objective ", g.percent, " %). Now: {{ $value | humanizePercentage }} over ", long, ".")
	return summary, g.cut()
}

// atLeast asks for a number of events in the long window.
func (g *generator) atLeast(n uint64, r *slo.Rule, name func() string, count func(w time.Duration)) {
	if n == 0 {
		return
	}
	g.str("\nand on (", g.by, ")\nround(")
	if g.isStaged(r.Long) {
		g.sumOfStages(name(), r.Long)
	} else {
		count(r.Long)
	}
	// What is scaled may be a hair below 20 where 20 were counted.
	g.str(", 0.000001) >= ", strconv.FormatUint(n, 10))
}

// covered asks for the part of the long window that must have been measured: so
// many of its stages. The short one lies within it.
func (g *generator) covered(r *slo.Rule) {
	n := g.stagesWanted(r)
	if n == 0 {
		return
	}
	g.str("\nand on (", g.by, ")\ncount_over_time(", g.totalName(), g.selector)
	g.subquery(r.Long)
	g.str(") >= ", strconv.FormatInt(n, 10))
}

// stagesWanted is how many stages of its long window a rule needs.
func (g *generator) stagesWanted(r *slo.Rule) int64 {
	share := g.slo.Policy.MinCoverage
	if share.Sign() <= 0 || r.Kind == slo.Silence {
		return 0
	}
	exact := share.Rat()
	n := exact.Num() // of a copy; n = ceil(share * stages)
	n.Mul(n, big.NewInt(int64(r.Long/g.stage)))
	n.Add(n, exact.Denom()).Sub(n, big.NewInt(1))
	return n.Quo(n, exact.Denom()).Int64()
}

func (g *generator) annotations(summary, description string) []Label {
	from := len(g.ruleLabels)
	g.ruleLabels = append(g.ruleLabels, Label{"description", description})
	if g.slo.Runbook != "" {
		g.ruleLabels = append(g.ruleLabels, Label{"runbook_url", escapeTemplate(g.slo.Runbook)})
	}
	g.ruleLabels = append(g.ruleLabels, Label{"summary", summary})
	for name, value := range g.slo.Annotations {
		g.ruleLabels = append(g.ruleLabels, Label{name, value})
	}
	out := g.labelsFrom(from)
	if len(g.slo.Annotations) > 0 {
		slices.SortFunc(out, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	}
	return out
}

// escapeLabels keeps the labels of an alert from being read as templates.
func escapeLabels(labels []Label) []Label {
	for i := range labels {
		labels[i].Value = escapeTemplate(labels[i].Value)
	}
	return labels
}

// escapeTemplate keeps a text from being read as a template of Prometheus.
func escapeTemplate(text string) string { return strings.ReplaceAll(text, "{{", `{{"{{"}}`) }
