package openslo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/slo"
)

// AppendYAML appends the documents of the file to b, as OpenSLO v1: those of
// v1alpha and v2alpha are rewritten, fields that OpenSLO does not know and
// comments are kept. What was changed in Objectives is not in it; for that there
// is [Append].
func (f *File) AppendYAML(b []byte) ([]byte, error) { return appendDocuments(b, f.documents) }

func appendDocuments(b []byte, documents []*yaml.Node) ([]byte, error) {
	if len(documents) == 0 {
		return b, nil
	}
	var out bytes.Buffer
	dumper, err := yaml.NewDumper(&out, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	for _, d := range documents {
		if err == nil {
			err = dumper.Dump(d)
		}
	}
	if err == nil {
		err = dumper.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("write yaml: %w", err)
	}
	return append(b, out.Bytes()...), nil
}

// ExportError says what OpenSLO v1 cannot express.
type ExportError struct {
	Objective string
	Rule      string // of the policy, or empty
	Field     string
	Want      string
}

// Error names the objective, the rule and the field.
func (e *ExportError) Error() string {
	if e.Rule == "" {
		return fmt.Sprintf("export objective %q: %s: want %s", e.Objective, e.Field, e.Want)
	}
	return fmt.Sprintf("export objective %q: rule %q: %s: want %s", e.Objective, e.Rule, e.Field, e.Want)
}

// Append appends one OpenSLO v1 document per objective to b, the indicator and
// the alert policies inline. The same objectives give the same bytes, and [Parse]
// gives the objectives back.
//
// A policy of OpenSLO has one condition and a condition has one window. A rule
// becomes a policy with a condition of the rule's name; the short window and all
// else that OpenSLO has no field for become annotations that start with
// "evenkeel/" and that Parse reads. A calendar window says its start; one that
// starts where the calendar does comes back as the calendar's.
//
// All that cannot be written is reported, joined, each an [*ExportError]: a
// target of 100 %, several windows, windows of other than whole minutes, rules
// that are no burn rates, and parts of a composite, which [File.AppendYAML] writes.
func Append(b []byte, objectives []Objective) ([]byte, error) {
	var errs []error
	var documents []*yaml.Node
	for _, o := range objectives {
		w := &writer{objective: o.ID}
		if err := o.Validate(); err != nil {
			errs = append(errs, err)
			continue
		}
		documents = append(documents, w.slo(o))
		errs = append(errs, w.errs...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return appendDocuments(b, documents)
}

type writer struct {
	objective string
	rule      string
	errs      []error
}

func (w *writer) fail(field, want string) {
	w.errs = append(w.errs, &ExportError{Objective: w.objective, Rule: w.rule, Field: field, Want: want})
}

// tree is a mapping being built: keys and values in turn. Values are text,
// number, bool, tree, []tree and []string; empty ones are left out.
type tree []any

// number is text that stands without quotes, verbatim text that is written even
// when it is empty.
type (
	number   string
	verbatim string
)

func (w *writer) node(v any) *yaml.Node {
	switch v := v.(type) {
	case string:
		return w.text(v)
	case verbatim:
		return w.text(string(v))
	case number:
		tag := "!!int"
		if strings.Contains(string(v), ".") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: string(v)}
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}
	case tree:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for i := 0; i+1 < len(v); i += 2 {
			if !isEmpty(v[i+1]) {
				n.Content = append(n.Content, w.node(v[i]), w.node(v[i+1]))
			}
		}
		return n
	case []tree:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range v {
			n.Content = append(n.Content, w.node(item))
		}
		return n
	default:
		panic(fmt.Sprintf("openslo: no way to write a %T", v))
	}
}

func (w *writer) text(v string) *yaml.Node {
	if !utf8.ValidString(v) {
		w.fail(strconv.Quote(v), "text in UTF-8")
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: v}
}

// isEmpty reports whether a value is left out. Lists and flags never are.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case number:
		return v == ""
	case tree:
		return len(v) == 0
	}
	return false
}

func (w *writer) slo(o Objective) *yaml.Node {
	if o.Composite {
		w.fail("composite", "an objective that stands alone")
	}
	goal, notes := w.goal(o)
	notes = append(notes, noteRunbook, o.Runbook, noteCoverage, text(o.Policy.MinCoverage), noteConsumed, text(o.Risk.Consumed),
		noteOnRule, on(o.Risk.OnRule), noteForecast, on(o.Risk.OnForecast), noteBudget, budgetPolicy(o.BudgetPolicy))
	method := o.Method
	if method == 0 {
		method = slo.Occurrences
		if o.Slices != nil {
			method = slo.Timeslices
		}
	}
	switch {
	case method > slo.RatioTimeslices || (o.Slices != nil) != (method == slo.Timeslices):
		w.fail("budgeting method", "Occurrences, RatioTimeslices, or Timeslices with slices")
	case method == slo.Timeslices:
		goal = append(goal, "timeSliceTarget", w.decimal("timeSliceTarget", o.Slices.Target.Ratio()), "timeSliceWindow", w.minutes("timeSliceWindow", o.Slices.Length))
		if o.Slices.NoData != slo.ExcludeNoData {
			notes = append(notes, noteNoData, o.Slices.NoData.String())
		}
	case method == slo.RatioTimeslices:
		goal = append(goal, "timeSliceWindow", w.minutes("timeSliceWindow", o.SliceLength))
	}
	if o.Service == "" {
		w.fail("service", "the name of a service")
	}
	spec := tree{
		"description", o.Description, "service", o.Service, "indicator", w.indicator(o), "timeWindow",
		[]tree{w.window(o)},
		"budgetingMethod", method.String(), "objectives",
		[]tree{goal},
	}
	if policies := w.policies(o); len(policies) > 0 {
		spec = append(spec, "alertPolicies", policies)
	}
	return w.node(tree{
		"apiVersion", v1, "kind", "SLO",
		"metadata",
		tree{"name", o.ID, "displayName", o.Title, "labels", present("owner", o.Owner), "annotations", present(notes...)},
		"spec", spec,
	})
}

// present drops the empty values, and so an empty mapping altogether.
func present(pairs ...any) (kept tree) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if !isEmpty(pairs[i+1]) {
			kept = append(kept, pairs[i], pairs[i+1])
		}
	}
	return kept
}

func on(is bool) string {
	if is {
		return "true"
	}
	return ""
}

func budgetPolicy(p slo.BudgetPolicy) string {
	if len(p.Actions) == 0 && !p.Unused.IsSet() {
		return ""
	}
	b, _ := json.Marshal(p) // texts and ratios, which never fail
	return string(b)
}

func text(r slo.Ratio) string {
	b, _ := r.MarshalText() // never fails
	return string(b)
}

// decimal returns the digits of a ratio; exact is false for what has no end.
func decimal(r slo.Ratio) (digits string, exact bool) {
	rat, ok := new(big.Rat).SetString(text(r))
	if !ok {
		return "", false
	}
	n, exact := rat.FloatPrec()
	return rat.FloatString(n), exact
}

// cut returns the first 18 decimals of a ratio from 0 to 1: as many as a target may
// have, and never rounded up to 1.
func cut(r slo.Ratio) string {
	rat, scale := r.Rat(), new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)
	n := new(big.Int).Mul(rat.Num(), scale)
	return strings.TrimRight(new(big.Rat).SetFrac(n.Quo(n, rat.Denom()), scale).FloatString(18), "0")
}

func (w *writer) decimal(field string, r slo.Ratio) number {
	digits, exact := decimal(r)
	if !exact {
		w.fail(field, "a finite decimal, not "+text(r))
	}
	return number(digits)
}

// minutes writes a duration of whole minutes.
func (w *writer) minutes(field string, d time.Duration) string {
	short, ok := shorthand(d)
	if !ok {
		w.fail(field, fmt.Sprintf("a whole number of minutes, not %v", d))
	}
	return short
}

// goal writes the target and what belongs to it.
func (w *writer) goal(o Objective) (goal, notes tree) {
	goal = tree{"displayName", o.DisplayName}
	if o.Indicator.Threshold != nil {
		goal = append(goal, "op", o.Op, "value", w.decimal("value", o.Value))
		if comparisons[o.Op] == "" {
			w.fail("op", "gt, gte, lt or lte for a threshold metric")
		}
	}
	ratio := o.Target.Ratio()
	digits, exact := decimal(ratio)
	if o.Target.Budget().Sign() == 0 {
		w.fail("target", "less than 100 %: OpenSLO has no objective without budget")
	}
	if !exact {
		if digits = cut(ratio); digits == "0." {
			w.fail("target", "at least one part in 10^18, not "+text(ratio))
		}
		notes = append(notes, noteTarget, text(ratio))
	}
	return append(goal, "target", number(digits)), notes
}

func (w *writer) window(o Objective) tree {
	if len(o.Windows) != 1 {
		w.fail("windows", fmt.Sprintf("one window, not %d", len(o.Windows)))
	}
	window := o.Windows[0]
	if window.IsRolling() {
		return tree{"duration", w.minutes("window", window.Nominal()), "isRolling", true}
	}
	anchor, count, unit, zone := window.Cycle()
	letter := map[slo.Unit]byte{slo.Day: 'd', slo.Week: 'w', slo.Month: 'M', slo.Quarter: 'Q', slo.Year: 'Y'}[unit]
	if anchor.Nanosecond() != 0 || anchor.Year() < 0 || anchor.Year() > 9999 {
		w.fail("window", "a start of whole seconds in the years 0 to 9999")
	}
	if zone == time.Local {
		w.fail("window", "a zone with an IANA name")
	}
	return tree{
		"duration", Duration{count, letter}.String(), "isRolling", false,
		"calendar",
		tree{"startTime", anchor.Format(startLayout), "timeZone", zone.String()},
	}
}

func (w *writer) indicator(o Objective) tree {
	in := o.Indicator
	var spec tree
	switch {
	case in.Threshold != nil:
		spec = tree{"thresholdMetric", w.metric(in.Threshold)}
	case in.Raw != nil:
		spec = tree{"ratioMetric", tree{"rawType", in.RawType, "raw", w.metric(in.Raw)}}
	case in.Total != nil && (in.Good == nil) != (in.Bad == nil):
		spec = tree{"ratioMetric", present("counter", in.Counter, "good", w.metric(in.Good), "bad", w.metric(in.Bad), "total", w.metric(in.Total))}
	default:
		w.fail("indicator", "a threshold, a raw ratio, or total with good or bad")
	}
	meta := present("name", in.Name, "displayName", in.DisplayName)
	return append(present("metadata", meta), "spec", append(tree{"description", in.Description}, spec...))
}

func (w *writer) metric(m *Metric) tree {
	if m == nil {
		return nil
	}
	if m.Type == "" && m.DataSource == "" {
		w.fail("metric", "a type or a data source")
	}
	var spec tree
	for _, key := range slices.Sorted(maps.Keys(m.Spec)) {
		spec = append(spec, key, verbatim(m.Spec[key]))
	}
	return tree{"metricSource", tree{"metricSourceRef", m.DataSource, "type", m.Type, "spec", spec}}
}

// policies writes the alert policies of the file, with the rules as they are now,
// and one for every other rule.
func (w *writer) policies(o Objective) (list []tree) {
	rules := map[string]slo.Rule{}
	for _, r := range o.Policy.Rules {
		rules[r.Name] = r
	}
	written := map[string]bool{}
	for _, p := range o.Alerts {
		var conditions []tree
		for _, c := range p.Conditions {
			if rule, ok := rules[c.Rule.Name]; ok {
				c.Rule = rule
			}
			written[c.Rule.Name] = true
			conditions = append(conditions, w.condition(c))
		}
		list = append(list, policyTree(p, conditions))
	}
	for _, r := range o.Policy.Rules {
		if !written[r.Name] {
			c := AlertCondition{Name: r.Name, Rule: r}
			list = append(list, policyTree(AlertPolicy{Name: r.Name, WhenBreaching: true}, []tree{w.condition(c)}))
		}
	}
	return list
}

func policyTree(p AlertPolicy, conditions []tree) tree {
	targets := []tree{}
	for _, name := range p.Targets {
		targets = append(targets, tree{"targetRef", name})
	}
	return tree{
		"kind", "AlertPolicy", "metadata",
		tree{"name", p.Name, "displayName", p.DisplayName},
		"spec",
		tree{
			"description", p.Description, "alertWhenNoData", p.WhenNoData, "alertWhenResolved", p.WhenResolved, "alertWhenBreaching", p.WhenBreaching,
			"conditions", conditions, "notificationTargets", targets,
		},
	}
}

func (w *writer) condition(c AlertCondition) tree {
	w.rule = c.Rule.Name
	defer func() { w.rule = "" }()
	r := c.Rule
	if r.Severity == "" {
		w.fail("severity", "a severity")
	}
	if r.Kind != slo.BurnRate {
		w.fail("kind", "a rule of kind burn_rate, not "+r.Kind.String())
		return nil
	}
	factor, exact := decimal(r.Factor)
	var notes []any
	if !exact {
		factor = r.Factor.Decimal()
		notes = append(notes, noteFactor, text(r.Factor))
	}
	notes = append(notes, noteShort, length(r.Short), noteKeep, length(r.KeepFiringFor),
		noteEvents, positive(r.MinEvents), noteBad, positive(r.MinBad), noteAlpha, text(r.Alpha))
	after := "0m"
	if r.For > 0 {
		after = w.minutes("for", r.For)
	}
	return tree{
		"kind", "AlertCondition", "metadata",
		tree{"name", c.Name, "displayName", c.DisplayName, "annotations", present(notes...)},
		"spec",
		tree{
			"description", c.Description, "severity", string(r.Severity),
			"condition",
			tree{
				"kind", "burnrate", "op", c.Op, "threshold", number(factor), "lookbackWindow", w.minutes("long window", r.Long), "alertAfter", after,
			},
		},
	}
}

func length(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return threshold.FormatDuration(d)
}

func positive(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}
