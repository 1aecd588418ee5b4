package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
)

// Explanation says how a headline number came about.
type Explanation struct {
	Field   string         `json:"field"` // its path in the JSON form
	Formula string         `json:"formula"`
	Values  map[string]any `json:"values"`
	Source  string         `json:"source"`

	formula string // key of the text
}

// In returns the formula in a language, "en", "de", "nl" or "fr". One that is made of
// names of values alone is the same in all of them.
func (e Explanation) In(tag string) string {
	if e.formula == "" {
		return e.Formula
	}
	return languageOf(tag, nil).t(e.formula)
}

// Explain explains the headline numbers: the availability of every service and of
// all together, the mean times to restore, and what is payable.
func (r ServiceReport) Explain() []Explanation {
	s := r.Report.Statement
	var names []string
	for _, source := range r.Sources {
		names = append(names, source.Name)
	}
	source := strings.Join(names, ", ")
	var all []Explanation
	for i, m := range r.Report.Availability {
		values := map[string]any{
			"service_s": seconds(m.Promised), "raw_down_s": seconds(m.RawDown), "excluded_s": seconds(m.Excluded), "down_s": seconds(m.Down),
			"unmonitored_s": seconds(m.Unknown), "fraction": m.Value.String(), "target_percent": rate(m.Target),
		}
		if len(m.Evidence) > 0 {
			values["outages"] = languageOf("en", nil).listed(m.Evidence)
		}
		all = append(all, Explanation{
			Field: fmt.Sprintf("availability[%d].availability_percent", i), formula: "formula.availability",
			Values: values, Source: "term " + m.Term + "; " + source,
		})
	}
	for _, o := range s.Overall[:min(len(s.Overall), 1)] {
		values := map[string]any{"fraction": o.Value.String(), "target_percent": rate(o.Target)}
		if o.Service != "" {
			values["service"] = o.Service
		}
		formula := "formula.worst"
		if o.Method == sla.Mean || o.Method == sla.Weighted {
			formula = "formula." + o.Method.String()
		}
		all = append(all, Explanation{Field: "overall.availability_percent", formula: formula, Values: values, Source: "term " + o.Term + "; " + source})
	}
	for i, sev := range r.Report.Incidents.BySeverity {
		all = append(all, Explanation{
			Field: fmt.Sprintf("incidents.by_severity[%d].mttr_s", i), formula: "formula.mttr",
			Values: map[string]any{"n": sev.Restore.N, "mean_s": sev.Restore.Mean.String()}, Source: source,
		})
	}
	values := map[string]any{"gross": s.Gross.String(), "fee": s.Fee.String()}
	if s.Cap.IsSet() {
		values["cap"] = s.Cap.String()
	}
	for i, l := range s.Lines {
		values[fmt.Sprintf("line %d", i+1)] = l.Explain()
	}
	formula := "formula.payable"
	if len(s.Lines) > 0 && s.Lines[0].Together {
		formula = "formula.together"
	}
	for i, f := range s.Findings {
		switch f.Code {
		case sla.FindingTermCap, sla.FindingMinimum, sla.FindingStacked, sla.FindingCapped:
			values[fmt.Sprintf("finding %d", i+1)] = f.Text
		}
	}
	all = append(all, Explanation{Field: "credits.payable", formula: formula, Values: values, Source: "contract " + r.Contract.ID + "; " + source})
	english := languageOf("en", nil)
	for i := range all {
		all[i].Formula = english.t(all[i].formula)
	}
	return all
}

// explanation shows explanations. Names of fields and values are those of the
// JSON form in every language.
func (l language) explanation(all []Explanation) []Block {
	t := Table{Caption: l.t("headline_numbers"), Columns: []Column{{Title: l.t("number")}, {Title: l.t("formula")}, {Title: l.t("values")}, {Title: l.t("source")}}}
	shared := sharedSource(all)
	for i, e := range all {
		formula := e.Formula
		switch {
		case i > 0 && e.Formula == all[i-1].Formula:
			formula = l.t("as_above")
		case e.formula != "":
			formula = l.t(e.formula)
		}
		var values []string
		for _, key := range slices.Sorted(maps.Keys(e.Values)) {
			value := e.Values[key]
			switch v := value.(type) {
			case Number:
				value = cmp.Or(v, Number(l.t("none")))
			case *time.Time:
				if value = l.t("none"); v != nil {
					value = v.Format(time.RFC3339)
				}
			}
			values = append(values, fmt.Sprintf("%s = %v", key, value))
		}
		t.Rows = append(t.Rows, []Cell{{Text: e.Field}, {Text: formula}, {Text: strings.Join(values, "; ")}, {Text: strings.TrimSuffix(strings.TrimSuffix(e.Source, shared), "; ")}})
	}
	if shared == "" {
		return []Block{t}
	}
	return []Block{t, Text(l.t("all_comes_from", shared))}
}

// sharedSource is the end of the source that several explanations have in common, behind
// what each has of its own; "" for none.
func sharedSource(all []Explanation) string {
	shared := ""
	for i, e := range all {
		last := e.Source[strings.LastIndex(e.Source, "; ")+1:]
		if last = strings.TrimSpace(last); i > 0 && last != shared || len(all) == 1 {
			return ""
		}
		shared = last
	}
	return shared
}
