package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/openslo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

// isOpenSLO reports whether the first document of a file, or the first item of a
// list, has one of the keys by which objects of OpenSLO say what they are.
func isOpenSLO(data []byte) bool {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	for err == nil {
		var document yaml.Node
		if err = loader.Load(&document); err != nil || len(document.Content) == 0 || isNull(document.Content[0]) {
			continue
		}
		root := document.Content[0]
		if root.Kind == yaml.SequenceNode && len(root.Content) > 0 {
			root = root.Content[0]
		}
		for i := 0; root.Kind == yaml.MappingNode && i < len(root.Content); i += 2 {
			if key := root.Content[i].Value; strings.EqualFold(key, "apiVersion") || key == "kind" {
				return true
			}
		}
		return false
	}
	return false
}

// openSLO reads objectives from a file of OpenSLO.
func openSLO(name string, data []byte) ([]Objective, *Document, error) {
	d := newDocument(name)
	file, err := openslo.Parse(name, data)
	for _, f := range file.Findings {
		if f.Code == "ratio_slices" {
			f.Message = "budgeting method RatioTimeslices: a mean of slices is not followed, want Occurrences or Timeslices"
			f.Severity = Error
		} else {
			f.Severity = Warning // also of rules that can be followed but are no good
		}
		d.add(f)
	}
	if all := openslo.Errors(nil); errors.As(err, &all) {
		for _, f := range all {
			d.add(f)
		}
	}
	var objectives []Objective
	for _, o := range file.Objectives {
		at := Diagnostic{Line: 1, Column: 1, Severity: Warning}
		if i := slices.IndexFunc(file.Objects, func(b openslo.Object) bool { return b.Kind == "SLO" && b.Name == o.SLO }); i >= 0 {
			at.Line = file.Objects[i].Line
		}
		objectives = append(objectives, d.imported(o, at, file.Findings))
	}
	if len(file.Objectives) == 0 && d.Err() == nil {
		d.add(Diagnostic{Line: 1, Column: 1, Severity: Error, Code: "missing_field", Message: "no object of kind SLO in the file, so there is no objective"})
	}
	return objectives, d, d.Err()
}

// imported adds what the file does not say: the default rules where it has no
// alert policies, and how Prometheus counts the events. at is where its object
// stands.
func (d *Document) imported(o openslo.Objective, at Diagnostic, findings []Diagnostic) Objective {
	warn := func(code, text string) {
		at.Code, at.Message = code, text
		d.add(at)
	}
	if len(o.Alerts) == 0 && len(o.Policy.Rules) == 0 {
		policy, err := slo.DefaultPolicy(o.Windows[0])
		if err != nil {
			warn("no_rules", fmt.Sprintf("objective %q: %v", o.ID, err))
		} else {
			o.Policy.Rules = policy.Rules
			warn("default_alerts", fmt.Sprintf("objective %q: no alert policies: the default rules are taken", o.ID))
		}
	}
	read := Objective{Objective: o.Objective}
	events, err := o.Events()
	if err != nil {
		if !slices.ContainsFunc(findings, func(f Diagnostic) bool { return f.Message == err.Error() }) {
			warn("not_counted", err.Error())
		}
		return read
	}
	read.Rules = &promrules.SLO{Objective: o.Objective, Events: events}
	for _, err := range split(read.Rules.Validate()) {
		warn("no_rules", err.Error())
		if errors.As(err, new(*promrules.EventsError)) {
			read.Rules = nil
			break
		}
	}
	return read
}
