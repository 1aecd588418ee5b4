package openslo

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/slo"
)

// Objective is one objective of an SLO, with everything it refers to.
type Objective struct {
	// Objective has the SLO's name as ID, or "name/1", "name/2" … where an SLO
	// has several objectives.
	slo.Objective

	SLO         string `json:"slo"`                    // name of the SLO
	Title       string `json:"title,omitempty"`        // its display name
	Description string `json:"description,omitempty"`  // its description
	DisplayName string `json:"display_name,omitempty"` // of the objective

	// Method is the budgeting method: slo.Occurrences, slo.Timeslices or
	// slo.RatioTimeslices.
	Method slo.Method `json:"method"`
	// SliceLength is the length of the slices of RatioTimeslices. Those of
	// Timeslices are in Slices.
	SliceLength time.Duration `json:"slice_length_ns,omitempty"`

	Indicator Indicator `json:"indicator"`
	// Op and Value say which values of a threshold metric are good: "lt",
	// "lte", "gt" or "gte" the value.
	Op    string    `json:"op,omitempty"`
	Value slo.Ratio `json:"value"`

	// Composite says that the objective is a part of a composite; Weight is its
	// weight, 1 where the file does not say.
	Composite bool      `json:"composite,omitempty"`
	Weight    slo.Ratio `json:"weight"`

	// Alerts are the alert policies as written. Those that can be rules are in
	// Policy too. A file that names none leaves Policy without rules, and
	// package promrules then writes no alert about the budget: set it, for instance
	// to that of [slo.DefaultPolicy].
	Alerts []AlertPolicy `json:"alerts,omitempty"`
}

var (
	sloFields       = []string{"description", "service", "indicator", "indicatorRef", "timeWindow", "budgetingMethod", "objectives", "alertPolicies"}
	objectiveFields = []string{
		"displayName", "op", "value", "target", "targetPercent", "timeSliceTarget", "timeSliceWindow", "indicator", "indicatorRef", "compositeWeight",
	}
	operators = []string{"gt", "gte", "lt", "lte"}
)

// slo reads an SLO.
func (r *reader) slo(f fields, known *objects) []Objective {
	before := len(r.errs)
	m := r.meta(f)
	base := Objective{SLO: m.name, Title: m.displayName, Weight: slo.NewRatio(1, 1)}
	base.Owner = r.label(m.labels, "owner")
	r.note(m.annotations, noteRunbook, func(text string) error { base.Runbook = text; return nil })
	v, ok := r.need(f, "spec", "a service, an indicator, a timeWindow and objectives")
	if !ok {
		return nil
	}
	spec := r.fields(v, sloFields...)
	base.Description, base.Service = r.text(spec, "description"), r.name(spec, "service", "the name of a service")
	if base.Service != "" && len(known.services) > 0 && !known.services[base.Service] {
		at, _ := r.get(spec, "service")
		r.findings = append(r.findings, r.finding(diagnostic.Warning, at, "unknown_service", spelling.Nearest(base.Service, slices.Sorted(maps.Keys(known.services))),
			fmt.Sprintf("no Service %q among those in the files", base.Service)))
	}
	if window, ok := r.window(spec); ok {
		base.Windows = []slo.Window{window}
	}
	if v, ok := r.need(spec, "budgetingMethod", "Occurrences, Timeslices or RatioTimeslices"); ok {
		if name := r.word(v, "Occurrences", "Timeslices", "RatioTimeslices"); name != "" {
			_ = base.Method.UnmarshalText([]byte(name)) // one of its names
		}
	}
	shared, has := r.indicatorOf(spec, known)
	base.Indicator = shared
	base.Alerts, base.Policy = r.alerts(spec, known)
	r.policyNotes(m.annotations, &base)

	v, ok = r.need(spec, "objectives", "a list of objectives")
	if !ok {
		return nil
	}
	items := r.items(v)
	if len(items) == 0 {
		r.fail(v, "missing_field", "", "found no objective, want one or more")
	}
	var objectives []Objective
	for i, item := range items {
		o := base
		o.ID = m.name
		if len(items) > 1 {
			o.ID = fmt.Sprintf("%s/%d", m.name, i+1)
		}
		r.objective(item, m, &o, has, len(items), known)
		if o.ID != "" && known.ids[o.ID] {
			r.fail(item, "duplicate_name", "", "a second objective %q", o.ID)
		}
		known.ids[o.ID] = true
		objectives = append(objectives, o)
	}
	r.overall(v, objectives)
	if len(r.errs) == before {
		for i := range objectives {
			r.check(items[i], spec, objectives[i])
		}
		r.countable(items, objectives)
	}
	return objectives
}

// overall finds what concerns the objectives of an SLO together.
func (r *reader) overall(v value, objectives []Objective) {
	if len(objectives) < 2 {
		return
	}
	first := objectives[0]
	own := 0
	for _, o := range objectives {
		if o.Composite {
			own++
		}
	}
	switch {
	case own > 0 && r.version == v1alpha:
		r.warn(v, "several_indicators", "objectives with metrics of their own: each stands alone, but written as v1 they are parts of a composite")
		for i := range objectives {
			objectives[i].Composite = false
		}
	case own > 0 && first.Method == slo.Occurrences:
		r.warn(v, "composite_burn", "OpenSLO does not say how burn rates of parts combine: slo.Composite gives the largest weighted one, and the sum")
	case own == 0 && first.Indicator.Threshold != nil && r.version != v2alpha:
		r.warn(v, "several_thresholds", "%d objectives for a thresholdMetric where OpenSLO allows one: each stands alone", len(objectives))
	}
}

// indicatorOf returns the indicator given at an SLO or at an objective.
func (r *reader) indicatorOf(f fields, known *objects) (in Indicator, given bool) {
	inline, isInline := r.get(f, "indicator")
	ref, isRef := r.get(f, "indicatorRef")
	switch {
	case isInline && isRef:
		r.fail(ref, "two_kinds", "", "indicator and indicatorRef are both given, want one of them")
	case isInline:
		inf := r.fields(inline, objectFields...)
		if inf.ok {
			in, _ = r.indicator(inf, known.sources)
		}
	case isRef:
		if name, ok := r.reference(ref, "SLI", known.indicators.names); ok {
			in = known.indicators.values[name]
		}
	}
	return in, isInline || isRef
}

func (r *reader) objective(v value, m meta, o *Objective, shared bool, count int, known *objects) {
	f := r.fields(v, objectiveFields...)
	if !f.ok {
		return
	}
	o.DisplayName = r.text(f, "displayName")
	in, own := r.indicatorOf(f, known)
	switch {
	case own && shared:
		r.fail(v, "two_kinds", "", "the objective and its SLO both have an indicator, want one of them")
	case own:
		o.Indicator, o.Composite = in, count > 1
	case !shared:
		r.fail(v, "missing_field", "", "neither the SLO nor the objective has an indicator or indicatorRef")
	}
	r.goal(f, m, o)
	r.slices(f, m, o)
	r.comparison(f, o)
	if weight, ok := r.get(f, "compositeWeight"); ok {
		if !o.Composite {
			r.warn(weight, "unused_field", "compositeWeight has no effect outside a composite")
		}
		if n, ok := r.number(weight, "a weight above 0"); ok {
			if o.Weight = n; n.Sign() <= 0 {
				r.fail(weight, "out_of_range", "", "found %s, want a weight above 0", weight.n.Value)
			}
		}
	}
}

// goal reads target or targetPercent from their text.
func (r *reader) goal(f fields, m meta, o *Objective) {
	ratio, isRatio := r.get(f, "target")
	percent, isPercent := r.get(f, "targetPercent")
	v, want, scale := ratio, "a ratio above 0 and below 1", int64(1)
	switch {
	case isRatio && isPercent:
		r.fail(percent, "two_targets", "", "target and targetPercent are both given, want one of them")
		return
	case isPercent:
		v, want, scale = percent, "a percentage above 0 and below 100", 100
	case !isRatio:
		_, _ = r.need(f, "target", want)
		return
	}
	n, ok := r.number(v, want)
	if !ok {
		return
	}
	limit := slo.NewRatio(scale, 1)
	switch {
	case n.Sign() == 0:
		r.fail(v, "out_of_range", "", "found %s, want %s: OpenSLO allows 0, but an objective of nothing has no meaning", v.n.Value, want)
		return
	case n.Compare(limit) == 0:
		r.fail(v, "out_of_range", "", "found %s, want %s: an objective without error budget", v.n.Value, want)
		return
	case n.Sign() < 0 || n.Compare(limit) > 0:
		suggestion := ""
		if isRatio && n.Sign() > 0 && n.Compare(slo.NewRatio(100, 1)) < 0 {
			suggestion = "targetPercent: " + v.n.Value
		}
		r.fail(v, "out_of_range", suggestion, "found %s, want %s", v.n.Value, want)
		return
	}
	var err error
	if isPercent {
		o.Target, err = slo.ParsePercent(v.n.Value)
		if n.Compare(slo.NewRatio(1, 1)) < 0 {
			r.warn(v, "small_percent", "targetPercent %s is less than one percent; a ratio is called target", v.n.Value)
		}
	} else {
		o.Target, err = slo.NewTarget(n)
	}
	if err != nil {
		r.fail(v, "out_of_range", "", "found %s, want %s with at most 18 digits", v.n.Value, want)
	}
	r.note(m.annotations, noteTarget, func(text string) error { return o.Target.UnmarshalText([]byte(text)) })
}

// slices reads what the budgeting method needs.
func (r *reader) slices(f fields, m meta, o *Objective) {
	target, isTarget := r.get(f, "timeSliceTarget")
	window, isWindow := r.get(f, "timeSliceWindow")
	if o.Method == slo.Occurrences {
		if isTarget {
			r.warn(target, "unused_field", "timeSliceTarget has no effect with Occurrences")
		}
		if isWindow {
			r.warn(window, "unused_field", "timeSliceWindow has no effect with Occurrences")
		}
		return
	}
	if o.Method != slo.Timeslices && o.Method != slo.RatioTimeslices {
		return // reported
	}
	var length time.Duration
	if window, ok := r.need(f, "timeSliceWindow", `a duration like "1m"`); ok {
		length = r.sliceLength(window)
	}
	if o.Method == slo.RatioTimeslices {
		if isTarget {
			r.warn(target, "unused_field", "timeSliceTarget has no effect with RatioTimeslices")
		}
		r.warn(f.at, "ratio_slices", "the mean of slices is computed by slo.MeanOfSlices; trackers and rules count events")
		o.SliceLength = length
		return
	}
	const want = "a ratio above 0 and up to 1"
	s := slo.Slicing{Length: length}
	if target, ok := r.need(f, "timeSliceTarget", want); ok {
		if n, ok := r.number(target, want); ok {
			var err error
			if s.Target, err = slo.NewTarget(n); err != nil {
				r.fail(target, "out_of_range", "", "found %s, want %s", target.n.Value, want)
			}
		}
	}
	r.note(m.annotations, noteNoData, func(text string) error { return s.NoData.UnmarshalText([]byte(text)) })
	o.Slices = &s
}

// sliceLength reads a duration, or a bare number of minutes.
func (r *reader) sliceLength(v value) time.Duration {
	text := v.n.Value
	if text != "" && strings.Trim(text, "0123456789") == "" {
		d, err := ParseDuration(text + "m")
		if err != nil {
			r.fail(v, "bad_duration", "", "found %q, want a whole number of minutes above 0 or a duration like %q", text, "1m")
			return 0
		}
		length, _ := d.Length()
		return length
	}
	d, _ := r.length(v)
	length, _ := d.Length()
	return length
}

// comparison reads op and value, which a threshold metric needs.
func (r *reader) comparison(f fields, o *Objective) {
	op, isOp := r.get(f, "op")
	number, isValue := r.get(f, "value")
	if o.Indicator.Threshold == nil {
		if in := o.Indicator; in.Total == nil && in.Raw == nil {
			return // reported
		}
		if isOp {
			r.warn(op, "unused_field", "op has no effect without a thresholdMetric")
		}
		if isValue && r.version != v1alpha { // which wants a value everywhere
			r.warn(number, "unused_field", "value has no effect without a thresholdMetric")
		}
		return
	}
	if op, ok := r.need(f, "op", "one of gt, gte, lt, lte"); ok {
		o.Op = r.word(op, operators...)
	}
	if number, ok := r.need(f, "value", "a number"); ok {
		o.Value, _ = r.number(number, "a number")
	}
}

// alerts reads the alert policies of an SLO and makes rules of them.
func (r *reader) alerts(spec fields, known *objects) (alerts []AlertPolicy, policy slo.Policy) {
	seen := map[string]bool{}
	for _, item := range r.list(spec, "alertPolicies") {
		p, ok := r.policyItem(item, known)
		switch {
		case !ok:
			continue
		case seen[p.Name]:
			r.warn(item, "duplicate_policy", "a second policy %q: read once", p.Name)
			continue
		}
		seen[p.Name] = true
		alerts = append(alerts, p)
		for _, c := range p.Conditions {
			if p.WhenBreaching && c.upwards() {
				policy.Rules = append(policy.Rules, c.Rule)
			}
		}
	}
	return alerts, policy
}

// policyItem reads one item of alertPolicies: a name, a reference, or a policy.
func (r *reader) policyItem(v value, known *objects) (AlertPolicy, bool) {
	ref := v
	if v.n.Kind != yaml.ScalarNode {
		f := r.fields(v, policyItemFields...)
		if !f.ok {
			return AlertPolicy{}, false
		}
		var isRef bool
		if ref, isRef = r.get(f, "alertPolicyRef"); !isRef {
			return r.policy(f, known)
		}
	}
	name, ok := r.reference(ref, "AlertPolicy", known.policies.names)
	if !ok {
		return AlertPolicy{}, false
	}
	p := known.policies.values[name]
	return p, p.Name != ""
}

// policyNotes reads what an export put into the annotations of the SLO.
func (r *reader) policyNotes(notes fields, o *Objective) {
	r.note(notes, noteCoverage, func(text string) error { return o.Policy.MinCoverage.UnmarshalText([]byte(text)) })
	r.note(notes, noteConsumed, func(text string) error { return o.Risk.Consumed.UnmarshalText([]byte(text)) })
	flag := func(into *bool) func(string) error {
		return func(text string) error {
			if *into = text == "true"; !*into && text != "false" {
				return &slo.ParseError{What: "annotation", Text: text, Want: "true or false"}
			}
			return nil
		}
	}
	r.note(notes, noteOnRule, flag(&o.Risk.OnRule))
	r.note(notes, noteForecast, flag(&o.Risk.OnForecast))
	r.note(notes, noteBudget, func(text string) error {
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&o.BudgetPolicy); err != nil {
			return fmt.Errorf("found %q, want a budget policy as JSON: %w", text, err)
		}
		return nil
	})
}

// check validates an objective that could be read, and lints its rules.
func (r *reader) check(v value, spec fields, o Objective) {
	before := len(r.errs)
	at, ok := r.get(spec, "alertPolicies")
	if !ok {
		at = v
	}
	for _, err := range split(o.Policy.Validate()) {
		r.fail(at, "bad_rule", "", "%v", err)
	}
	if len(r.errs) > before {
		return
	}
	for _, err := range split(o.Validate()) {
		r.fail(v, "bad_objective", "", "%v", err)
	}
	if len(r.errs) > before {
		return
	}
	found, err := o.Policy.Lint(o.Target, slo.Surroundings{Period: o.Windows[0].Nominal()})
	if err != nil {
		r.fail(at, "bad_rule", "", "%v", err)
	}
	for _, f := range found {
		text := f.Text
		if f.Rule != "" {
			text = fmt.Sprintf("rule %q: %s", f.Rule, text)
		}
		r.findings = append(r.findings, r.finding(f.Level.String(), at, f.Code, "", fmt.Sprintf("objective %q: %s", o.ID, text)))
	}
}

// split takes joined errors apart.
func split(err error) []error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, split(e)...)
		}
		return all
	}
	return []error{err}
}
