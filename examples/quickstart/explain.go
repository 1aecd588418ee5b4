package main

import "fmt"

// explanation says how a headline number of the JSON result came about.
type explanation struct {
	Field   string         `json:"field"` // path in the result
	Formula string         `json:"formula"`
	Values  map[string]any `json:"values"`
	Source  string         `json:"source"`
}

// explain lists the headline numbers: availability, outage time and credit.
func (r *result) explain() []explanation {
	var all []explanation
	downs := map[string]any{}
	for i, m := range r.statement.Availability {
		all = append(all, explanation{
			Field: fmt.Sprintf("services[%d].availability_percent", i), Formula: "(promised_s − down_s) / promised_s × 100, cut at 6 decimals",
			Values: map[string]any{"promised_s": m.Promised.Seconds(), "down_s": m.Down.Seconds(), "unknown_s": m.Unknown.Seconds(), "fraction": m.Value.String()},
			Source: "contract.yaml, term " + m.Term + "; checks.csv, sli.csv",
		})
		downs[m.Service] = m.Down.Seconds()
	}
	all = append(all, explanation{Field: "totals.outage_s", Formula: "sum of the time down of every service", Values: downs, Source: "checks.csv, sli.csv"})
	lines := map[string]any{}
	for _, l := range r.statement.Lines {
		lines[l.Term+" "+l.Ref] = l.Explain()
	}
	all = append(all, explanation{Field: "totals.credit", Formula: "sum of the lines, at most the cap", Values: lines, Source: "contract.yaml; the incidents of the story"})
	return all
}
