package openslo

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/slo"
)

// AlertPolicy says when somebody is told about a condition.
type AlertPolicy struct {
	Name        string `json:"name"`
	DisplayName string `json:"display_name,omitempty"`
	Description string `json:"description,omitempty"`

	WhenBreaching bool `json:"when_breaching"` // on when the file does not say
	WhenResolved  bool `json:"when_resolved"`
	WhenNoData    bool `json:"when_no_data"`

	Conditions []AlertCondition `json:"conditions"` // OpenSLO wants one
	Targets    []string         `json:"targets,omitempty"`
}

// AlertCondition is a burn rate over one window.
type AlertCondition struct {
	Name        string `json:"name"`
	DisplayName string `json:"display_name,omitempty"`
	Description string `json:"description,omitempty"`

	// Op is as written, empty where it is not: "gt", "gte", "lt" or "lte".
	Op string `json:"op,omitempty"`
	// Rule is the condition as package slo knows it, with the name that it has
	// in the policies of objectives. An Op that points downwards cannot be a
	// rule: then Rule has the figures, but no policy has the rule.
	Rule slo.Rule `json:"rule"`
}

// upwards reports whether the condition holds at high burn rates.
func (c AlertCondition) upwards() bool { return c.Op != "lt" && c.Op != "lte" }

// The annotations by which an export says what OpenSLO has no field for.
const (
	noteShort    = "evenkeel/short-window"
	noteFactor   = "evenkeel/factor"
	noteKeep     = "evenkeel/keep-firing-for"
	noteEvents   = "evenkeel/min-events"
	noteBad      = "evenkeel/min-bad"
	noteAlpha    = "evenkeel/alpha"
	noteTarget   = "evenkeel/target"
	noteRunbook  = "evenkeel/runbook"
	noteNoData   = "evenkeel/no-data"
	noteCoverage = "evenkeel/min-coverage"
	noteConsumed = "evenkeel/risk-consumed"
	noteOnRule   = "evenkeel/risk-on-rule"
	noteForecast = "evenkeel/risk-on-forecast"
	noteBudget   = "evenkeel/budget-policy" // JSON
)

var (
	policyFields      = []string{"description", "alertWhenNoData", "alertWhenResolved", "alertWhenBreaching", "conditions", "notificationTargets"}
	conditionFields   = []string{"description", "severity", "condition"}
	burnFields        = []string{"kind", "op", "threshold", "lookbackWindow", "alertAfter"}
	policyItemFields  = append([]string{"alertPolicyRef"}, objectFields...)
	conditionRefField = append([]string{"conditionRef"}, objectFields...)
	targetItemFields  = append([]string{"targetRef"}, objectFields...)
)

// meta are the fields that all objects share.
type meta struct {
	name, displayName string
	annotations       fields
	labels            fields
}

func (r *reader) meta(f fields) (m meta) {
	v, ok := r.need(f, "metadata", "a mapping with a name")
	if !ok {
		return m
	}
	mf := r.fields(v, metadataFields...)
	if !mf.ok {
		return m
	}
	m.name, m.displayName = r.name(mf, "name", "a name"), r.text(mf, "displayName")
	m.annotations, _ = r.child(mf, "annotations")
	m.labels, _ = r.child(mf, "labels")
	return m
}

// condition reads an AlertCondition.
func (r *reader) condition(f fields) (c AlertCondition, ok bool) {
	before := len(r.errs)
	m := r.meta(f)
	c.Name, c.DisplayName = m.name, m.displayName
	v, found := r.need(f, "spec", "a severity and a condition")
	if !found {
		return c, false
	}
	spec := r.fields(v, conditionFields...)
	c.Description = r.text(spec, "description")
	c.Rule.Severity = slo.Severity(r.name(spec, "severity", `a severity such as "page"`))
	v, found = r.need(spec, "condition", "a burn rate with threshold and lookbackWindow")
	if !found {
		return c, false
	}
	burn := r.fields(v, burnFields...)
	if !burn.ok {
		return c, false
	}
	if v, ok := r.get(burn, "kind"); ok {
		r.word(v, "burnrate")
	}
	if v, ok := r.get(burn, "op"); ok {
		c.Op = r.word(v, operators...)
		switch c.Op {
		case "lt", "lte":
			r.findings = append(r.findings, r.finding(diagnostic.Error, v, "op_downwards", "gt",
				fmt.Sprintf("op %s alerts while the burn rate is low; taken at its word, so it becomes no rule", c.Op)))
		case "gte":
			r.warn(v, "op_gte", "rules fire above the threshold and not at it: gte is read as gt")
		}
	}
	if v, ok := r.need(burn, "threshold", "a burn rate above 0"); ok {
		if c.Rule.Factor, ok = r.number(v, "a burn rate above 0"); ok && c.Rule.Factor.Sign() <= 0 {
			r.fail(v, "out_of_range", "", "found %s, want a burn rate above 0", v.n.Value)
		}
	}
	if v, ok := r.need(burn, "lookbackWindow", `a duration like "1h"`); ok {
		if d, ok := r.length(v); ok {
			c.Rule.Long, _ = d.Length()
		}
	}
	if v, ok := r.get(burn, "alertAfter"); ok && !isZero(v) { // its default is written 0m
		if d, ok := r.length(v); ok {
			c.Rule.For, _ = d.Length()
		}
	}
	r.ruleNotes(m.annotations, &c.Rule)
	if c.Rule.Short == 0 && c.upwards() && len(r.errs) == before {
		r.warn(burn.at, "no_short_window", "one window of %v: the alert goes on for that long after recovery", c.Rule.Long)
	}
	return c, len(r.errs) == before
}

func isZero(v value) bool {
	text := v.n.Value
	return len(text) == 2 && text[0] == '0' && (Duration{Unit: text[1]}).size() > 0
}

// ruleNotes reads what an export put into annotations.
func (r *reader) ruleNotes(notes fields, rule *slo.Rule) {
	duration := func(into *time.Duration) func(string) error {
		return func(text string) (err error) {
			*into, err = threshold.ParseDuration(text)
			return err
		}
	}
	count := func(into *uint64) func(string) error {
		return func(text string) (err error) {
			*into, err = strconv.ParseUint(text, 10, 64)
			return err
		}
	}
	ratio := func(into *slo.Ratio) func(string) error {
		return func(text string) error { return into.UnmarshalText([]byte(text)) }
	}
	r.note(notes, noteShort, duration(&rule.Short))
	r.note(notes, noteKeep, duration(&rule.KeepFiringFor))
	r.note(notes, noteEvents, count(&rule.MinEvents))
	r.note(notes, noteBad, count(&rule.MinBad))
	r.note(notes, noteAlpha, ratio(&rule.Alpha))
	r.note(notes, noteFactor, ratio(&rule.Factor))
}

func (r *reader) note(notes fields, name string, read func(string) error) {
	v, ok := r.get(notes, name)
	if !ok {
		return
	}
	text, ok := r.scalar(v, "text")
	if !ok {
		return
	}
	if err := read(text); err != nil {
		r.fail(v, "bad_annotation", "", "%v", err)
	}
}

// policy reads an AlertPolicy; conditions are those that are objects of their own.
func (r *reader) policy(f fields, objects *objects) (p AlertPolicy, ok bool) {
	before := len(r.errs)
	m := r.meta(f)
	p.Name, p.DisplayName = m.name, m.displayName
	v, found := r.need(f, "spec", "alert conditions")
	if !found {
		return p, false
	}
	spec := r.fields(v, policyFields...)
	p.Description = r.text(spec, "description")
	breaching, set := r.flag(spec, "alertWhenBreaching")
	p.WhenBreaching = breaching || !set
	p.WhenResolved, _ = r.flag(spec, "alertWhenResolved")
	p.WhenNoData, _ = r.flag(spec, "alertWhenNoData")
	switch {
	case !set && spec.ok:
		r.warn(spec.at, "breaching_assumed", "alertWhenBreaching is not given: read as true")
	case set && !breaching:
		at, _ := r.get(spec, "alertWhenBreaching")
		r.warn(at, "not_breaching", "alertWhenBreaching is false: the conditions become no rules")
	}
	if v, ok := r.need(spec, "conditions", "a list of one condition"); ok {
		items := r.items(v)
		switch {
		case len(items) > 1:
			r.warn(v, "several_conditions", "found %d conditions where OpenSLO allows one: each becomes a rule", len(items))
		case len(items) == 0 && v.n.Kind == yaml.SequenceNode:
			r.fail(v, "missing_field", "", "found no condition, want one")
		}
		for _, item := range items {
			if c, ok := r.conditionItem(item, objects); ok {
				p.Conditions = append(p.Conditions, c)
			}
		}
	}
	for i := range p.Conditions {
		p.Conditions[i].Rule.Name = p.Name
		if len(p.Conditions) > 1 {
			p.Conditions[i].Rule.Name += "/" + strconv.Itoa(i+1)
		}
	}
	for _, item := range r.list(spec, "notificationTargets") {
		if name := r.target(item, objects); name != "" {
			p.Targets = append(p.Targets, name)
		}
	}
	return p, len(r.errs) == before
}

func (r *reader) conditionItem(v value, objects *objects) (AlertCondition, bool) {
	f := r.fields(v, conditionRefField...)
	ref, ok := r.get(f, "conditionRef")
	if !ok {
		if !f.ok {
			return AlertCondition{}, false
		}
		return r.condition(f)
	}
	name, ok := r.reference(ref, "AlertCondition", objects.conditions.names)
	if !ok {
		return AlertCondition{}, false
	}
	c := objects.conditions.values[name]
	return c, c.Name != ""
}

// target reads where notifications go. They are not sent here, so an unknown name
// is no error.
func (r *reader) target(v value, objects *objects) string {
	f := r.fields(v, targetItemFields...)
	if !f.ok {
		return ""
	}
	ref, ok := r.get(f, "targetRef")
	if !ok {
		return r.meta(f).name
	}
	name, ok := r.scalar(ref, "the name of an AlertNotificationTarget")
	if ok && !objects.targets[name] {
		r.findings = append(r.findings, r.finding(diagnostic.Warning, ref, "unresolved_reference", spelling.Nearest(name, slices.Sorted(maps.Keys(objects.targets))),
			fmt.Sprintf("no AlertNotificationTarget %q in the files", name)))
	}
	return name
}

// reference reads the name of an object that must be there.
func (r *reader) reference(v value, kind string, names map[string]bool) (string, bool) {
	name, ok := r.scalar(v, "the name of an object of kind "+kind)
	if !ok {
		return "", false
	}
	if !names[name] {
		r.fail(v, "unresolved_reference", spelling.Nearest(name, slices.Sorted(maps.Keys(names))), "no %s %q in the files", kind, name)
		return "", false
	}
	return name, true
}
