package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/slo"
)

// alertsFile is the word "none", the word "default" or a list of rules.
type alertsFile struct {
	word  string
	rules []alertFile
}

// alertFile is a rule of any kind. Which keys it needs and which have no effect
// depends on the kind.
type alertFile struct {
	Name     string        `yaml:"name"`
	Severity string        `yaml:"severity,required"`
	Kind     string        `yaml:"kind"`
	Long     time.Duration `yaml:"long,required"`
	Short    time.Duration `yaml:"short"`
	Burn     Decimal       `yaml:"burn"`
	AtLeast  Percent       `yaml:"at_least_percent"`
	Events   int64         `yaml:"min_events"`
	Bad      int64         `yaml:"min_bad"`
	Alpha    Decimal       `yaml:"alpha"`
	For      time.Duration `yaml:"for"`
	Keep     time.Duration `yaml:"keep_firing_for"`
}

// alertKeys are the keys that a rule of a kind must have, and those that say
// nothing about it.
var alertKeys = map[slo.RuleKind]struct{ needed, idle []string }{
	slo.BurnRate:      {[]string{"burn"}, []string{"at_least_percent"}},
	slo.AbsoluteCount: {[]string{"min_bad", "at_least_percent"}, []string{"short", "burn", "alpha"}},
	slo.Silence:       {nil, []string{"short", "burn", "alpha", "min_events", "min_bad", "at_least_percent"}},
}

func (f *alertsFile) readNode(r *decoder, n *yaml.Node, path string) {
	if n.Kind == yaml.ScalarNode && (n.Value == "none" || n.Value == "default") {
		f.word = n.Value
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.wrongType(n, path, `"none", "default" or a list of rules`)
		return
	}
	r.list(n, reflect.ValueOf(&f.rules).Elem(), path)
}

func (f objectiveFile) policy(d *Document, path string, window slo.Window) (policy slo.Policy) {
	switch {
	case f.Alerts != nil && f.Alerts.word == "none":
	case f.Alerts == nil || f.Alerts.word == "default":
		var err error
		if policy, err = slo.DefaultPolicy(window); err != nil {
			d.Fail(path+".window", "out_of_range", "%v", err)
		}
	default:
		for i, a := range f.Alerts.rules {
			policy.Rules = append(policy.Rules, a.rule(d, fmt.Sprintf("%s.alerts[%d]", path, i), i))
		}
	}
	if f.Coverage != "" {
		policy.MinCoverage = d.share(path+".min_coverage_percent", string(f.Coverage))
	}
	if d.Err() == nil {
		if err := policy.Validate(); err != nil {
			d.ruleErrors(path, err)
		}
	}
	return policy
}

func (f alertFile) rule(d *Document, path string, index int) slo.Rule {
	r := slo.Rule{Name: f.Name, Severity: slo.Severity(f.Severity), Long: f.Long, Short: f.Short, For: f.For, KeepFiringFor: f.Keep}
	if r.Name == "" {
		r.Name = fmt.Sprintf("%s-%d", f.Severity, index+1)
	}
	if r.Kind.UnmarshalText([]byte(f.Kind)) != nil {
		d.word(path+".kind", f.Kind, []string{"burn_rate", "absolute_count", "silence"})
		return r
	}
	for _, key := range alertKeys[r.Kind].needed {
		d.missing(diagnostic.Join(path, key))
	}
	for _, key := range alertKeys[r.Kind].idle {
		if d.has(diagnostic.Join(path, key)) {
			d.Fail(diagnostic.Join(path, key), "out_of_range", "%s has no effect on a rule of kind %s", key, r.Kind)
		}
	}
	if f.Short > 0 && f.Long > 0 && f.Short >= f.Long {
		d.Fail(path+".short", "short_not_shorter", "the short window is %v, want less than the long one of %v", f.Short, f.Long)
	}
	r.Factor, r.Alpha = d.number(path+".burn", f.Burn), d.number(path+".alpha", f.Alpha)
	if f.AtLeast != "" {
		r.AtLeast = d.share(path+".at_least_percent", string(f.AtLeast))
	}
	r.MinEvents, r.MinBad = d.count(path+".min_events", f.Events), d.count(path+".min_bad", f.Bad)
	return r
}

// number returns an exact number; absent where there is none or it is no number.
func (d *Document) number(path string, text Decimal) slo.Ratio {
	if text == "" {
		return slo.Ratio{}
	}
	r, err := slo.ParseRatio(string(text))
	if err != nil {
		d.Fail(path, "out_of_range", "%v", err)
	}
	return r
}

func (d *Document) count(path string, n int64) uint64 {
	if n < 0 || n > math.MaxInt64/2 {
		d.Fail(path, "out_of_range", "found %d, want a number of events from 0 on", n)
		return 0
	}
	return uint64(n)
}

func (d *Document) ruleErrors(path string, err error) {
	for _, e := range split(err) {
		at := path + ".alerts"
		if rule := (*slo.RuleError)(nil); errors.As(e, &rule) {
			at = fmt.Sprintf("%s[%d]", at, rule.Index)
		}
		d.Fail(at, "out_of_range", "%v", e)
	}
}
