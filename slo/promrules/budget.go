package promrules

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// periodRules record what is known of the objective and its budget.
// The ratio of a period may be recorded already, as one of the windows.
func (g *generator) periodRules(recorded []time.Duration) {
	if g.period > 0 && !slices.Contains(recorded, g.period) {
		g.ratioRule(g.period)
	}
	for _, w := range g.further {
		if !slices.Contains(recorded, w) {
			g.ratioRule(w)
		}
	}
	if g.o.Names == Pyrra {
		g.pyrraRules()
		return
	}
	objective, budget := g.objectiveDecimal, g.budgetDecimal
	constant := func(name, value string) {
		g.str("vector(", value, ")")
		g.record(name, g.labels)
	}
	constant("slo:objective:ratio", objective)
	constant("slo:error_budget:ratio", budget)
	g.str("sum without (sloth_window) (", g.ratioName(g.current), g.selector, ") / ", budget)
	g.record("slo:current_burn_rate:ratio", g.labels)
	if g.period > 0 {
		constant("slo:time_period:days", days(g.period))
		g.str("sum without (sloth_window) (", g.ratioName(g.period), g.selector, ") / ", budget)
		g.record("slo:period_burn_rate:ratio", g.labels)
		g.str("1 - slo:period_burn_rate:ratio", g.selector, "\nor on ()\nvector(1)")
		g.record("slo:period_error_budget_remaining:ratio", g.labels)
	}
	g.str("vector(1)")
	g.record("sloth_slo_info", g.info())
}

// info are the labels of the series that describes an objective.
func (g *generator) info() []Label {
	labels := g.labels
	g.labels = g.with("sloth_mode", "evenkeel")
	out := g.with("sloth_objective", g.percent)
	g.labels = labels
	return out
}

func (g *generator) pyrraRules() {
	g.str("vector(", g.objectiveDecimal, ")")
	g.record("pyrra_objective", g.labels)
	if g.period > 0 {
		g.str("vector(")
		g.seconds(g.period)
		g.str(")")
		g.record("pyrra_window", g.labels)
		g.str("1 - sum without (window) (", g.ratioName(g.period), g.selector, ")\nor on ()\nvector(1)")
		g.record("pyrra_availability", g.labels)
	}
	if !g.slo.Events.staged() {
		return
	}
	if g.period > 0 && g.stage > 0 && g.slo.Slices == nil {
		g.sumOfStages(g.totalName(), g.period)
		g.record(g.metric+":increase"+g.windowText(g.period), g.labels)
	}
	g.str("(")
	g.total(current)
	g.str(") / ")
	g.seconds(current)
	g.record("pyrra_requests:rate5m", g.labels)
	g.str("(")
	g.bad(current)
	g.str(") / ")
	g.seconds(current)
	g.record("pyrra_errors:rate5m", g.labels)
}

// metric is the metric that Pyrra names its series after: that of the total, or of
// whatever else is counted, without _total and _count.
func (s *SLO) metric() string {
	for _, text := range [...]string{s.Events.Total, s.Events.Good, s.Events.Up} {
		if text == "" || isExpression(text) {
			continue
		}
		n, _ := scanSelector(text, nil) // checked before
		return strings.TrimSuffix(strings.TrimSuffix(text[:n], "_total"), "_count")
	}
	if l := s.Events.Latency; l != nil {
		n, _ := scanSelector(l.Histogram, nil) // checked before
		return l.Histogram[:n]
	}
	return "slo"
}

func days(d time.Duration) string {
	return strconv.FormatFloat(d.Hours()/24, 'f', -1, 64)
}
