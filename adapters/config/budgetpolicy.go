package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/slo"
)

// riskFile says what makes a budget at risk.
type riskFile struct {
	Consumed   Percent `yaml:"consumed_percent"`
	OnRule     bool    `yaml:"on_rule"`
	OnForecast bool    `yaml:"on_forecast"`
}

// budgetPolicyFile is the word "none", the word "default" or what was agreed.
type budgetPolicyFile struct {
	word   string
	agreed agreedFile
}

type agreedFile struct {
	Actions []actionFile `yaml:"actions"`
	Unused  Percent      `yaml:"unused_percent"`
}

type actionFile struct {
	Name     string `yaml:"name,required"`
	Consumed share  `yaml:"consumed_percent,required"`
	Text     string `yaml:"text"`
}

// share is a percentage that may be above 100, kept as its decimal text.
type share string

func parseShare(n *yaml.Node) (any, *Diagnostic) {
	text := strings.TrimSpace(strings.TrimSuffix(n.Value, "%"))
	if _, err := percentRatio(text); err != nil {
		return nil, &Diagnostic{Code: "bad_percent", Message: fmt.Sprintf("percentage %q, want a number above 0 like 75", n.Value)}
	}
	return text, nil
}

func (f *budgetPolicyFile) readNode(r *decoder, n *yaml.Node, path string) {
	if n.Kind == yaml.ScalarNode && (n.Value == "none" || n.Value == "default") {
		f.word = n.Value
		return
	}
	if n.Kind != yaml.MappingNode {
		r.wrongType(n, path, `"none", "default" or a mapping with actions`)
		return
	}
	r.value(n, reflect.ValueOf(&f.agreed).Elem(), path)
}

func (f *budgetPolicyFile) policy(d *Document, path string) (p slo.BudgetPolicy) {
	switch {
	case f == nil || f.word == "none":
		return p
	case f.word == "default":
		return slo.DefaultBudgetPolicy()
	}
	names := map[string]bool{}
	for i, a := range f.agreed.Actions {
		at := fmt.Sprintf("%s.actions[%d]", path, i)
		d.unique(names, at+".name", a.Name)
		if a.Name == "" && d.has(at+".name") {
			d.Fail(at+".name", "out_of_range", "the name is empty")
		}
		consumed := slo.Ratio{}
		if a.Consumed != "" {
			consumed = d.share(at+".consumed_percent", string(a.Consumed))
			if consumed.Sign() <= 0 {
				d.Fail(at+".consumed_percent", "out_of_range", "percentage %q, want more than 0", a.Consumed)
			}
		}
		p.Actions = append(p.Actions, slo.BudgetAction{Name: a.Name, Consumed: consumed, Text: a.Text})
	}
	if f.agreed.Unused != "" {
		p.Unused = d.share(path+".unused_percent", string(f.agreed.Unused))
	}
	return p
}

func (f *riskFile) risk(d *Document, path string) (r slo.Risk) {
	if f == nil {
		return r
	}
	if f.Consumed != "" {
		r.Consumed = d.share(path+".consumed_percent", string(f.Consumed))
	}
	r.OnRule, r.OnForecast = f.OnRule, f.OnForecast
	return r
}

// share returns a percentage as an exact ratio.
func (d *Document) share(path, percent string) slo.Ratio {
	r, err := percentRatio(percent)
	if err != nil {
		d.Fail(path, "out_of_range", "%v", err)
	}
	return r
}

// percentRatio reads a percentage in decimal text: "12.5" is 125/1000.
func percentRatio(text string) (slo.Ratio, error) {
	whole, decimals, _ := strings.Cut(text, ".")
	return slo.ParseRatio(whole + decimals + "/100" + strings.Repeat("0", len(decimals)))
}
