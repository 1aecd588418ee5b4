package promrules_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

// What an Alertmanager mutes is what has a faster rule in the same objective. Its
// answers are those of package inhibit.
func TestInhibitions(t *testing.T) {
	window := slo.Rolling(30 * 24 * time.Hour)
	usual, err := slo.DefaultPolicy(window)
	if err != nil {
		t.Fatal(err)
	}
	named := func(id string, rules ...slo.Rule) promrules.SLO {
		return promrules.SLO{
			Objective: slo.Objective{ID: id, Service: "s", Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: slo.Policy{Rules: rules}},
			Events:    promrules.Events{Bad: "b", Total: "t", By: []string{"region"}},
		}
	}
	burn := func(name string, factor int64) slo.Rule {
		return slo.Rule{Name: name, Severity: slo.Page, Long: time.Hour, Factor: slo.NewRatio(factor, 1)}
	}
	slos := []promrules.SLO{
		named("a", usual.Rules...),
		named("b", usual.Rules...),
		named(`odd."id`, burn("x", 1), burn("y", 2), burn("x.y", 3), slo.Rule{Name: "silent", Severity: slo.Ticket, Kind: slo.Silence, Long: time.Hour}),
		named("turned", burn("x", 5), burn("y", 2)),
		named("same", burn("x", 2), burn("z", 2)),
	}
	for _, names := range []promrules.Names{promrules.Sloth, promrules.Pyrra} {
		var file struct {
			Rules []struct {
				Source []string `yaml:"source_matchers"`
				Target []string `yaml:"target_matchers"`
				Equal  []string `yaml:"equal"`
			} `yaml:"inhibit_rules"`
		}
		if err := yaml.Load(promrules.AppendInhibitions(nil, slos, promrules.Options{Names: names}), &file); err != nil {
			t.Fatal(err)
		}
		var rules []inhibit.Rule
		for _, r := range file.Rules {
			rules = append(rules, inhibit.Rule{SourceMatchers: r.Source, TargetMatchers: r.Target, Equal: r.Equal})
		}
		// The default policy has three rules with slower ones, whatever the number of
		// objectives; x.y has two, and x and y disagree.
		if len(rules) != 3+1+2 {
			t.Errorf("%d inhibit rules, want 6: %v", len(rules), rules)
		}
		alert := func(s promrules.SLO, rule, region string) map[string]string {
			id := map[promrules.Names]map[string]string{
				promrules.Sloth: {"sloth_id": "s-" + s.ID}, promrules.Pyrra: {"slo": s.ID},
			}[names]
			labels := map[string]string{"alertname": "ErrorBudgetBurn", "rule": rule, "region": region}
			maps.Copy(labels, id)
			return labels
		}
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, s := range slos {
			for _, fast := range s.Policy.Rules {
				in, err := inhibit.New(rules)
				if err != nil {
					t.Fatal(err)
				}
				if err := in.Apply(at, inhibit.Alert{Labels: alert(s, fast.Name, "eu"), Ends: at.Add(time.Hour)}); err != nil {
					t.Fatal(err)
				}
				for _, other := range slos {
					for _, slow := range other.Policy.Rules {
						faster := fast.Kind == slo.BurnRate && slow.Kind == slo.BurnRate && fast.Factor.Compare(slow.Factor) > 0
						if _, muted := in.Mutes(alert(other, slow.Name, "eu")); muted != (other.ID == s.ID && faster) {
							t.Errorf("%s of %s while %s of %s fires: muted %t", slow.Name, other.ID, fast.Name, s.ID, muted)
						}
						if _, muted := in.Mutes(alert(other, slow.Name, "us")); muted {
							t.Errorf("%s of %s is muted by another region", slow.Name, other.ID)
						}
					}
				}
			}
		}
	}
}

func TestOwner(t *testing.T) {
	s := promrules.SLO{
		Objective: slo.Objective{
			ID: "o", Owner: "team {{a}}", Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(24 * time.Hour)},
			Policy: slo.Policy{Rules: []slo.Rule{{Name: "r", Severity: slo.Page, Long: time.Hour, Factor: slo.NewRatio(2, 1)}}},
		},
		Events: promrules.Events{Bad: "b", Total: "t"},
	}
	owners := func(want string, alone bool) {
		t.Helper()
		file, err := promrules.Generate([]promrules.SLO{s}, promrules.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				got := ""
				if i := slices.IndexFunc(r.Labels, func(l promrules.Label) bool { return l.Name == "owner" }); i >= 0 {
					got = r.Labels[i].Value
				}
				if r.Alert != "" && got != want || alone && r.Record != "" && got != "" {
					t.Errorf("%s%s has the owner %q, want %q for alerts alone", r.Alert, r.Record, got, want)
				}
			}
		}
	}
	owners(`team {{"{{"}}a}}`, true)
	s.Labels = map[string]string{"owner": "label"}
	owners("label", false)
	s.Labels, s.Owner = nil, ""
	owners("", true)
}
