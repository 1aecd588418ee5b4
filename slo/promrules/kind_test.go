package promrules_test

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

func TestRuleKinds(t *testing.T) {
	objective := promrules.SLO{
		Objective: slo.Objective{
			ID: "login", Target: slo.MustPercent("99.9"), Windows: []slo.Window{slo.Rolling(30 * 24 * time.Hour)},
			Policy: slo.Policy{Rules: []slo.Rule{
				{Name: "failing", Severity: slo.Page, Kind: slo.AbsoluteCount, Long: time.Hour, MinBad: 3, AtLeast: slo.NewRatio(1, 2)},
				{Name: "silent", Severity: slo.Ticket, Kind: slo.Silence, Long: 10 * time.Minute, For: 5 * time.Minute},
			}},
		},
		Events: promrules.Events{Bad: `login_failed_total`, Total: `login_total`},
	}
	file, err := promrules.Generate([]promrules.SLO{objective}, promrules.Options{AbsentFor: -1})
	if err != nil {
		t.Fatal(err)
	}
	// Without a scrape interval the ranges are the windows themselves.
	want := map[string]string{
		"failing": `round(slo:sli_error:ratio_rate1h{sloth_id="login-login"}, 1e-14) >= 0.5` + "\nand on ()\n" +
			`round(sum(increase(login_failed_total[1h])) or vector(0), 0.000001) >= 3`,
		"silent": `absent(slo:sli_error:ratio_rate10m{sloth_id="login-login"})`,
	}
	found, recorded := 0, []string{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			recorded = append(recorded, r.Record)
			for _, l := range r.Labels {
				if l.Name != "rule" {
					continue
				}
				found++
				if r.Expr != want[l.Value] {
					t.Errorf("%s: %s\nwant %s", l.Value, r.Expr, want[l.Value])
				}
				if l.Value == "silent" && r.For != 5*time.Minute {
					t.Errorf("silent: for %v, want 5m", r.For)
				}
			}
		}
	}
	if found != 2 || !slices.Contains(recorded, "slo:sli_error:ratio_rate10m") || !slices.Contains(recorded, "slo:sli_error:ratio_rate1h") {
		t.Errorf("%d alerts and records %q, want 2 alerts and the ratios they read", found, recorded)
	}
	objective.Events = promrules.Events{ErrorRatio: `errors:ratio$window`}
	if _, err := promrules.Generate([]promrules.SLO{objective}, promrules.Options{}); err == nil {
		t.Error("an absolute count of an error ratio: want an error")
	}
}
