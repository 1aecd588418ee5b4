package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/correlation/silence"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/internal/threshold"
)

type rulesFile struct {
	Version    int                          `yaml:"version"`
	Rules      []ruleFile                   `yaml:"rules"`
	Named      map[string]ruleFile          `yaml:"correlation_rules"`
	Thresholds map[string]map[string]string `yaml:"thresholds"`
	Layers     map[string]layerFile         `yaml:"monitoring_layers"`
	Signals    map[string][]string          `yaml:"signals"`
	Options    ruleOptionsFile              `yaml:"options"`
	Inhibit    []inhibit.Rule               `yaml:"inhibit_rules"`
	Silences   []silenceFile                `yaml:"silences"`
}

type ruleFile struct {
	Name        string            `yaml:"name"`
	Description string            `yaml:"description"`
	Logic       string            `yaml:"logic,required"`
	By          []string          `yaml:"by"`
	Within      time.Duration     `yaml:"within"`
	Linger      time.Duration     `yaml:"linger"`
	Severity    incident.Severity `yaml:"severity"`
	Labels      map[string]string `yaml:"labels"`
	Active      *activeHoursFile  `yaml:"active"`
	Disabled    bool              `yaml:"disabled"`
}

type layerFile struct {
	Level      string            `yaml:"level"`
	Scope      string            `yaml:"scope"`
	Tools      map[string]string `yaml:"tools"`
	Metrics    []string          `yaml:"metrics"`
	Thresholds map[string]string `yaml:"alert_thresholds"`
}

type ruleOptionsFile struct {
	Settle      time.Duration `yaml:"settle"`
	EntityLabel string        `yaml:"entity_label"`
	Strict      bool          `yaml:"strict_silence"`
}

// RuleSet is what a file of alert rules holds.
type RuleSet struct {
	Rules       []correlation.Rule
	Thresholds  []Threshold // by layer, then metric
	Settle      time.Duration
	EntityLabel string // "" when the file names none

	// Silences are for package correlation/silence; those with Hours are maintenance that
	// comes back. StrictSilence is the option of the engine.
	Silences      []silence.Silence
	StrictSilence bool

	// Inhibit are rules as those of an Alertmanager, for package
	// correlation/inhibit.
	Inhibit []inhibit.Rule
}

// Threshold is a condition on a metric, and the alerts that it raises.
type Threshold struct {
	Layer, Metric string
	Condition     threshold.Condition
	Alerts        []string // layer.name
}

// ParseRules reads a file of correlation rules and thresholds. What monitoring_layers
// says in words (level, scope, tools and metrics of a layer) is checked and not
// kept. Rules are checked one by one and together, as correlation.New does, and
// what correlation.Lint doubts is a warning.
func ParseRules(name string, data []byte) (RuleSet, *Document, error) {
	var file rulesFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	set := RuleSet{
		Inhibit: file.Inhibit, Settle: file.Options.Settle, EntityLabel: file.Options.EntityLabel,
		Silences: d.silences(file.Silences), StrictSilence: file.Options.Strict,
	}
	names := map[string]bool{}
	for i, r := range file.Rules {
		path := fmt.Sprintf("rules[%d]", i)
		if r.Name == "" {
			d.missing(path + ".name")
		}
		d.unique(names, path+".name", r.Name)
		set.Rules = append(set.Rules, r.rule(d, path))
	}
	for _, key := range slices.Sorted(maps.Keys(file.Named)) {
		path := diagnostic.Join("correlation_rules", key)
		r := file.Named[key]
		if r.Name != "" && r.Name != key {
			d.Fail(path+".name", "out_of_range", "name %q beside the key %q, want one of the two", r.Name, key)
		}
		r.Name = key
		d.unique(names, path, key)
		set.Rules = append(set.Rules, r.rule(d, path))
	}
	for _, layer := range slices.Sorted(maps.Keys(file.Thresholds)) {
		set.addThresholds(d, diagnostic.Join("thresholds", layer), layer, file.Thresholds[layer], file.Signals)
	}
	for _, layer := range slices.Sorted(maps.Keys(file.Layers)) {
		set.addThresholds(d, diagnostic.Join(diagnostic.Join("monitoring_layers", layer), "alert_thresholds"), layer, file.Layers[layer].Thresholds, file.Signals)
	}
	for _, metric := range slices.Sorted(maps.Keys(file.Signals)) {
		if !slices.ContainsFunc(set.Thresholds, func(t Threshold) bool { return t.Metric == metric }) && !d.failed("thresholds") && !d.failed("monitoring_layers") {
			d.report(diagnostic.Join("signals", metric), "bad_reference", spelling.Nearest(metric, set.metrics()), fmt.Sprintf("no threshold for metric %q", metric))
		}
	}
	for i, r := range file.Inhibit {
		_, err := inhibit.New([]inhibit.Rule{r})
		for _, e := range split(err) {
			d.Fail(fmt.Sprintf("inhibit_rules[%d]", i), "bad_matcher", "%v", errors.Unwrap(e))
		}
	}
	if d.Err() == nil {
		_, err := correlation.New(set.Rules, correlation.Options{Settle: set.Settle})
		for _, e := range split(err) {
			d.Fail(file.pathOf(e), "out_of_range", "%v", e)
		}
	}
	for _, w := range correlation.Lint(set.Rules) {
		d.Warn(file.path(w.Rule), w.Code, "%s", w.Text)
	}
	return set, d, d.Err()
}

// pathOf finds the rule that an error is about.
func (f *rulesFile) pathOf(err error) string {
	bad := (*correlation.RuleError)(nil)
	if !errors.As(err, &bad) {
		return ""
	}
	return f.path(bad.Rule)
}

// path finds a rule by its name.
func (f *rulesFile) path(name string) string {
	for i, r := range f.Rules {
		if r.Name == name {
			return fmt.Sprintf("rules[%d]", i)
		}
	}
	return diagnostic.Join("correlation_rules", name)
}

func (s *RuleSet) metrics() []string {
	var metrics []string
	for _, t := range s.Thresholds {
		metrics = append(metrics, t.Metric)
	}
	return metrics
}

// rule checks the text of a rule by itself.
func (f ruleFile) rule(d *Document, path string) correlation.Rule {
	r := correlation.Rule{
		Name: f.Name, Description: f.Description, Logic: f.Logic, By: f.By, Within: f.Within, Linger: f.Linger,
		Severity: f.Severity, Labels: f.Labels, Disabled: f.Disabled, Active: f.Active.hours(d, path+".active"),
	}
	if f.Logic == "" {
		return r
	}
	_, err := correlation.Parse(f.Logic)
	for _, e := range split(err) {
		suggestion := ""
		if bad := (*correlation.RuleError)(nil); errors.As(e, &bad) {
			suggestion = bad.Suggestion
		}
		d.report(path+".logic", "rule_syntax", suggestion, e.Error())
	}
	return r
}

func (s *RuleSet) addThresholds(d *Document, path, layer string, texts map[string]string, signals map[string][]string) {
	for _, metric := range slices.Sorted(maps.Keys(texts)) {
		condition, err := threshold.ParseCondition(texts[metric])
		if err != nil {
			d.Fail(diagnostic.Join(path, metric), "bad_threshold", "%v", err)
			continue
		}
		t := Threshold{Layer: layer, Metric: metric, Condition: condition}
		names := signals[metric]
		if names == nil {
			names = []string{metric}
		}
		for _, name := range names {
			t.Alerts = append(t.Alerts, layer+"."+name)
		}
		s.Thresholds = append(s.Thresholds, t)
	}
}
