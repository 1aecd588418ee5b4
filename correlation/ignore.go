package correlation

import (
	"maps"
	"slices"
	"unicode/utf8"
)

// ignore returns an event as the engine takes it: without the labels that do not count,
// whose values stand among its annotations. The event itself is left alone.
func (o *Options) ignore(ev *Event) (*Event, *EventError) {
	if len(o.IgnoreLabels) == 0 {
		return ev, nil
	}
	var notes map[string]string
	for _, name := range o.IgnoreLabels {
		value := ev.Labels[name]
		if value == "" {
			continue
		}
		if !utf8.ValidString(value) {
			return nil, ev.fail("Labels", name+"="+value, "text in UTF-8")
		}
		if notes == nil {
			notes = make(map[string]string, len(ev.Annotations)+len(o.IgnoreLabels))
		}
		notes[name] = value
	}
	if notes == nil { // labels with empty values count as missing anyhow
		return ev, nil
	}
	maps.Copy(notes, ev.Annotations)
	copied := *ev
	copied.Labels, copied.Annotations = o.counting(ev.Labels), notes
	return &copied, nil
}

// counting returns the labels that count for the identity of an alert.
func (o *Options) counting(l map[string]string) map[string]string {
	if !slices.ContainsFunc(o.IgnoreLabels, func(name string) bool { return l[name] != "" }) {
		return l
	}
	l = maps.Clone(l)
	for _, name := range o.IgnoreLabels {
		delete(l, name)
	}
	return l
}

// asksForAny reports the ignored labels that a rule asks for.
func (p *program) asksForAny(ignored []string) (problems []error) {
	if len(ignored) == 0 {
		return nil
	}
	set := p.asksFor()
	for _, name := range ignored {
		if set[name] {
			problems = append(problems, &RuleError{Rule: p.Name, Value: name, Want: "labels that count: Options.IgnoreLabels has this one"})
		}
	}
	return problems
}

// asksFor is the set of labels that a rule reads or gives to its composite.
func (p *program) asksFor() map[string]bool {
	set := map[string]bool{}
	of := func(m *matcher) {
		for n := range m.preds {
			set[m.preds[n].label] = true
		}
	}
	for _, name := range p.By {
		set[name] = true
	}
	for name := range p.Labels {
		set[name] = true
	}
	for n := range p.conds {
		of(&p.conds[n].matcher)
	}
	for n := range p.targets {
		of(&p.targets[n].matcher)
		for _, j := range p.targets[n].joins {
			for _, q := range j.preds {
				set[q.label] = true
			}
		}
	}
	for _, v := range p.vars {
		for _, name := range v.labels {
			set[name] = true
		}
	}
	return set
}
