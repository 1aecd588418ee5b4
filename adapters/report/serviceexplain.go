package report

import (
	"fmt"
	"strings"

	"github.com/evenkeelops/evenkeel/sla"
)

// Explanation says how a headline number came about.
type Explanation struct {
	Field   string         `json:"field"` // its path in the JSON form
	Formula string         `json:"formula"`
	Values  map[string]any `json:"values"`
	Source  string         `json:"source"`
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
			values["outages"] = listed(m.Evidence)
		}
		all = append(all, Explanation{
			Field: fmt.Sprintf("availability[%d].availability_percent", i), Formula: "(service_s − down_s) / service_s × 100, cut at 6 decimals; no data if all of service_s is unmonitored",
			Values: values, Source: "term " + m.Term + "; " + source,
		})
	}
	for _, o := range s.Overall[:min(len(s.Overall), 1)] {
		values := map[string]any{"fraction": o.Value.String(), "target_percent": rate(o.Target)}
		if o.Service != "" {
			values["service"] = o.Service
		}
		formula := "the lowest exact availability of the services, then the smaller id"
		if o.Method == sla.Mean || o.Method == sla.Weighted {
			formula = "the " + o.Method.String() + " of the availabilities of the services that were measured"
			if o.Method == sla.Mean {
				formula = "the mean of the availabilities of the services that were measured"
			}
		}
		all = append(all, Explanation{Field: "overall.availability_percent", Formula: formula, Values: values, Source: "term " + o.Term + "; " + source})
	}
	for i, sev := range r.Report.Incidents.BySeverity {
		all = append(all, Explanation{
			Field: fmt.Sprintf("incidents.by_severity[%d].mttr_s", i), Formula: "mean of resolved − detected (or opened), less the waits for the customer, of what was resolved in the period",
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
	formula := "sum of the lines, each rounded, at most the cap"
	if len(s.Lines) > 0 && s.Lines[0].Together {
		formula = "sum of the lines, rounded once, at most the cap"
	}
	for i, f := range s.Findings {
		switch f.Code {
		case sla.FindingTermCap, sla.FindingMinimum, sla.FindingStacked, sla.FindingCapped:
			values[fmt.Sprintf("finding %d", i+1)] = f.Text
		}
	}
	return append(all, Explanation{Field: "credits.payable", Formula: formula, Values: values, Source: "contract " + r.Contract.ID + "; " + source})
}
