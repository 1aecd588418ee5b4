package config_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/slo"
)

// watched is a file of one objective with further keys, from line 7 on.
func watched(keys string) []byte {
	return []byte("version: 1\nslos:\n  - id: a\n    service: api\n    objective_percent: 99.9\n    window: 30d\n" + keys)
}

func TestRuleKinds(t *testing.T) {
	all, d, err := config.ParseObjectives("f.yaml", watched(`    alerts:
      - {name: fast, severity: page, long: 1h, short: 5m, burn: 14.4, for: 2m, keep_firing_for: 10m, min_events: 100, min_bad: 5, alpha: 0.01}
      - {severity: ticket, kind: burn_rate, long: 3d, burn: 1}
      - {name: few, severity: page, kind: absolute_count, long: 1h, min_bad: 3, at_least_percent: 12.5%, min_events: 4}
      - {name: any, severity: page, kind: absolute_count, long: 1h, min_bad: 1, at_least_percent: 0}
      - {name: quiet, severity: ticket, kind: silence, long: 15m, for: 10m}
    min_coverage_percent: 50
    at_risk: {consumed_percent: 75, on_rule: true, on_forecast: true}
    budget_policy: {actions: [{name: freeze, consumed_percent: 100, text: Stop.}, {name: escalate, consumed_percent: 150.5%}], unused_percent: 40}
`))
	if err != nil || len(d.Problems()) != 0 {
		t.Fatal(err, d.Problems())
	}
	want := slo.Objective{
		ID: "a", Service: "api", Target: slo.MustPercent("99.9"), Windows: []slo.Window{slo.Rolling(30 * 24 * time.Hour)},
		Policy: slo.Policy{MinCoverage: slo.NewRatio(1, 2), Rules: []slo.Rule{
			{
				Name: "fast", Severity: slo.Page, Long: time.Hour, Short: 5 * time.Minute, Factor: slo.NewRatio(144, 10), For: 2 * time.Minute,
				KeepFiringFor: 10 * time.Minute, MinEvents: 100, MinBad: 5, Alpha: slo.NewRatio(1, 100),
			},
			{Name: "ticket-2", Severity: slo.Ticket, Long: 72 * time.Hour, Factor: slo.NewRatio(1, 1)},
			{Name: "few", Severity: slo.Page, Kind: slo.AbsoluteCount, Long: time.Hour, MinBad: 3, MinEvents: 4, AtLeast: slo.NewRatio(1, 8)},
			{Name: "any", Severity: slo.Page, Kind: slo.AbsoluteCount, Long: time.Hour, MinBad: 1, AtLeast: slo.NewRatio(0, 1)},
			{Name: "quiet", Severity: slo.Ticket, Kind: slo.Silence, Long: 15 * time.Minute, For: 10 * time.Minute},
		}},
		Risk: slo.Risk{Consumed: slo.NewRatio(3, 4), OnRule: true, OnForecast: true},
		BudgetPolicy: slo.BudgetPolicy{
			Actions: []slo.BudgetAction{{Name: "freeze", Consumed: slo.NewRatio(1, 1), Text: "Stop."}, {Name: "escalate", Consumed: slo.NewRatio(301, 200)}},
			Unused:  slo.NewRatio(2, 5),
		},
	}
	if !reflect.DeepEqual(all[0].Objective, want) {
		t.Errorf("got  %+v\nwant %+v", all[0].Objective, want)
	}

	for word, want := range map[string]slo.BudgetPolicy{"none": {}, "default": slo.DefaultBudgetPolicy()} {
		all, _, err := config.ParseObjectives("f.yaml", watched("    budget_policy: "+word+"\n"))
		if err != nil || !reflect.DeepEqual(all[0].BudgetPolicy, want) {
			t.Errorf("budget_policy: %s: %+v, %v", word, all, err)
		}
	}
}

func TestRuleKindErrors(t *testing.T) {
	const count = "kind: absolute_count, severity: page, long: 1h, "
	for _, c := range []struct{ keys, want string }{
		{"    alerts: [{severity: page, long: 1h}]", "f.yaml:7:15: slos[0].alerts[0].burn: missing"},
		{"    alerts: [{severity: page, long: 1h, burn: 0}]", "f.yaml:7:14: slos[0].alerts[0]: "},
		{"    alerts: [{severity: page, long: 1h, burn: 6, at_least_percent: 5}]", "f.yaml:7:68: slos[0].alerts[0].at_least_percent: at_least_percent has no effect on a rule of kind burn_rate"},
		{"    alerts: [{kind: silense, severity: page, long: 1h}]", `f.yaml:7:21: slos[0].alerts[0].kind: found "silense", want burn_rate, absolute_count, silence (did you mean "silence"?)`},
		{"    alerts: [{kind: [silence], severity: page, long: 1h}]", "f.yaml:7:21: slos[0].alerts[0].kind: found a list, want text"},
		{"    alerts: [{kind: silence, severity: page, long: 1h, burn: 6}]", "f.yaml:7:62: slos[0].alerts[0].burn: burn has no effect on a rule of kind silence"},
		{"    alerts: [{kind: silence, severity: page, long: 1h, min_bad: 0}]", "f.yaml:7:65: slos[0].alerts[0].min_bad: min_bad has no effect on a rule of kind silence"},
		{"    alerts: [{kind: silence, severity: page}]", "f.yaml:7:15: slos[0].alerts[0].long: missing"},
		{"    alerts: [{" + count + "min_bad: 3}]", "f.yaml:7:15: slos[0].alerts[0].at_least_percent: missing"},
		{"    alerts: [{" + count + "at_least_percent: 50}]", "f.yaml:7:15: slos[0].alerts[0].min_bad: missing"},
		{"    alerts: [{" + count + "min_bad: -1, at_least_percent: 50}]", "f.yaml:7:72: slos[0].alerts[0].min_bad: found -1, want a number of events from 0 on"},
		{"    alerts: [{" + count + "min_bad: 1.5, at_least_percent: 50}]", "f.yaml:7:72: slos[0].alerts[0].min_bad: found 1.5, want a whole number"},
		{"    alerts: [{" + count + "min_bad: 0, at_least_percent: 50}]", "f.yaml:7:14: slos[0].alerts[0]: "},
		{"    alerts: [{" + count + "min_bad: 3, at_least_percent: 101}]", `f.yaml:7:93: slos[0].alerts[0].at_least_percent: percentage "101", want at most 100`},
		{"    alerts: [{" + count + "min_bad: 3, at_least_percent: 50, short: 5m}]", "slos[0].alerts[0].short: short has no effect on a rule of kind absolute_count"},
		{"    alerts: [{severity: page, long: 1h, burn: 6, alpha: 1}]", "f.yaml:7:14: slos[0].alerts[0]: "},
		{"    min_coverage_percent: 101", "f.yaml:7:27: slos[0].min_coverage_percent: "},
		{"    at_risk: {consumed: 75}", `f.yaml:7:15: slos[0].at_risk.consumed: unknown key "consumed"`},
		{"    at_risk: {on_rule: 1}", "f.yaml:7:24: slos[0].at_risk.on_rule: found 1, want true or false"},
		{"    budget_policy: nothing", `f.yaml:7:20: slos[0].budget_policy: found the text "nothing", want "none", "default" or a mapping with actions`},
		{"    budget_policy: {actions: [{name: a}]}", "f.yaml:7:32: slos[0].budget_policy.actions[0].consumed_percent: missing"},
		{"    budget_policy: {actions: [{name: a, consumed_percent: half}]}", `f.yaml:7:59: slos[0].budget_policy.actions[0].consumed_percent: percentage "half", want a number above 0 like 75`},
		{"    budget_policy: {actions: [{name: a, consumed_percent: 0}]}", `f.yaml:7:59: slos[0].budget_policy.actions[0].consumed_percent: percentage "0", want more than 0`},
		{"    budget_policy: {actions: [{name: '', consumed_percent: 5}]}", "f.yaml:7:38: slos[0].budget_policy.actions[0].name: the name is empty"},
		{"    budget_policy: {actions: [{name: a, consumed_percent: 5}, {name: a, consumed_percent: 6}]}", `f.yaml:7:70: slos[0].budget_policy.actions[1].name: id "a" stands twice`},
		{"    budget_policy: {unused_percent: 101}", "f.yaml:7:37: slos[0].budget_policy.unused_percent: "},
	} {
		_, _, err := config.ParseObjectives("f.yaml", watched(c.keys+"\n"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.keys, err, c.want)
		}
	}
}

// What an objective says comes back from its file, whatever the rules.
func TestRulesRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	some := func(n int64) int64 { return 1 + random.Int64N(n) }
	for range 500 {
		var want slo.Policy
		for i := range random.IntN(5) {
			r := slo.Rule{
				Name: fmt.Sprint("r", i), Severity: slo.Ticket, Kind: slo.RuleKind(random.IntN(3)), Long: time.Duration(some(100_000)) * time.Second,
				For: time.Duration(some(100)-1) * time.Minute, KeepFiringFor: time.Duration(some(3)-1) * time.Hour,
			}
			switch r.Kind {
			case slo.BurnRate:
				r.Factor = slo.NewRatio(some(10_000), 100)
				r.Short = r.Long / 12 / time.Second * time.Second
				r.MinBad, r.MinEvents = uint64(some(3)-1), uint64(some(9)-1)
				if random.IntN(2) == 0 {
					r.Alpha = slo.NewRatio(some(99), 100)
				}
			case slo.AbsoluteCount:
				r.MinBad, r.AtLeast = uint64(some(100)), slo.NewRatio(some(1001)-1, 1000)
			case slo.Silence:
			}
			want.Rules = append(want.Rules, r)
		}
		if random.IntN(2) == 0 {
			want.MinCoverage = slo.NewRatio(some(1000), 1000)
		}
		risk := slo.Risk{Consumed: slo.NewRatio(some(1000), 1000), OnRule: random.IntN(2) == 0}
		policy := slo.BudgetPolicy{Unused: slo.NewRatio(some(1000), 1000)}
		for i := range random.IntN(4) {
			policy.Actions = append(policy.Actions, slo.BudgetAction{Name: fmt.Sprint("a", i), Consumed: slo.NewRatio(some(100_000), 1000), Text: "a: \"b\""})
		}
		text := written(want, risk, policy)
		all, _, err := config.ParseObjectives("f.yaml", watched(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if got := all[0].Objective; !reflect.DeepEqual(got.Policy, want) || !reflect.DeepEqual(got.Risk, risk) || !reflect.DeepEqual(got.BudgetPolicy, policy) {
			t.Fatalf("%s\ngot  %+v\n     %+v %+v\nwant %+v\n     %+v %+v", text, got.Policy, got.Risk, got.BudgetPolicy, want, risk, policy)
		}
	}
}

// written writes the keys of an objective, those that are at their default left out
// where that may be.
func written(p slo.Policy, risk slo.Risk, budget slo.BudgetPolicy) string {
	percent := func(r slo.Ratio) string {
		x := r.Rat()
		if x == nil {
			return ""
		}
		return x.Mul(x, slo.NewRatio(100, 1).Rat()).FloatString(4)
	}
	var b strings.Builder
	key := func(present bool, name, value string) {
		if present {
			fmt.Fprintf(&b, ", %s: %s", name, value)
		}
	}
	b.WriteString("    alerts:" + []string{" none", ""}[min(len(p.Rules), 1)] + "\n")
	for _, r := range p.Rules {
		fmt.Fprintf(&b, "      - {name: %s, severity: %s, long: %s", r.Name, r.Severity, threshold.FormatDuration(r.Long))
		key(r.Kind != slo.BurnRate, "kind", r.Kind.String())
		key(r.Short > 0, "short", threshold.FormatDuration(r.Short))
		key(r.Factor.IsSet(), "burn", r.Factor.Decimal())
		key(r.AtLeast.IsSet(), "at_least_percent", percent(r.AtLeast))
		key(r.MinEvents > 0, "min_events", strconv.FormatUint(r.MinEvents, 10))
		key(r.MinBad > 0, "min_bad", strconv.FormatUint(r.MinBad, 10))
		key(r.Alpha.IsSet(), "alpha", r.Alpha.Decimal())
		key(r.For > 0, "for", threshold.FormatDuration(r.For))
		key(r.KeepFiringFor > 0, "keep_firing_for", threshold.FormatDuration(r.KeepFiringFor))
		b.WriteString("}\n")
	}
	if p.MinCoverage.IsSet() {
		b.WriteString("    min_coverage_percent: " + percent(p.MinCoverage) + "\n")
	}
	fmt.Fprintf(&b, "    at_risk: {consumed_percent: %s, on_rule: %t}\n", percent(risk.Consumed), risk.OnRule)
	fmt.Fprintf(&b, "    budget_policy:\n      unused_percent: %s\n      actions: [", percent(budget.Unused))
	for _, a := range budget.Actions {
		fmt.Fprintf(&b, "{name: %s, consumed_percent: %s, text: %q}, ", a.Name, percent(a.Consumed), a.Text)
	}
	b.WriteString("]\n")
	return b.String()
}
