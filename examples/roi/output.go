package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

// result is the JSON result. Its warnings are those of the file and of the figures.
type result struct {
	program.Envelope
	Warnings []warning `json:"warnings"`

	Currency    *string          `json:"currency"`
	Assumptions []roi.Assumption `json:"assumptions"`
	AsPublished *roi.Published   `json:"as_published"`
	Sound       *roi.Valuation   `json:"sound"`
	CashFlows   []float64        `json:"cash_flows"`
	Bridge      []roi.BridgeStep `json:"bridge"`
	Sensitivity []roi.Swing      `json:"sensitivity"`

	MonteCarlo   *monteCarlo `json:"monte_carlo,omitempty"`
	Alternatives []risk.Row  `json:"alternatives,omitempty"`

	Explain []report.Explanation `json:"explain,omitempty"`
}

// monteCarlo is a forecast with what it was drawn from.
type monteCarlo struct {
	Distributions map[string]risk.Distribution `json:"distributions"`
	*risk.Forecast
}

type warning struct {
	program.Notice
	Figures []roi.Figure `json:"figures"`
}

func (in *inputs) write(env *program.Env) error {
	if env.Format == "json" {
		return env.JSON(in.json(env))
	}
	for _, n := range in.Notices {
		env.Log.Warn(n.Message, "code", n.Code)
	}
	bc := report.BusinessCase{
		Result: in.result, At: in.now, Zone: env.Zone, Explained: env.Explain,
		Forecast: in.forecast, Distributions: in.distributions, Comparison: in.comparison,
	}
	for _, s := range in.Sources {
		bc.Sources = append(bc.Sources, report.Source{Name: s.Name, SHA256: s.SHA256})
	}
	switch doc := bc.Document(); env.Format {
	case "html":
		return doc.HTML(env.Out)
	case "md":
		return doc.Markdown(env.Out)
	case "svg":
		return doc.SVG(env.Out)
	case "csv":
		return bc.Table().CSV(env.Out, report.CSVOptions{})
	default:
		if in.Sample {
			fmt.Fprint(env.Out, "The embedded sample; name your own file with -config.\n\n")
		}
		return doc.Text(env.Out)
	}
}

func (in *inputs) json(env *program.Env) result {
	r := result{
		Envelope: program.Envelope{Schema: "roi/v1", Now: in.now, Sample: in.Sample, Inputs: in.Sources},
		Warnings: []warning{}, Assumptions: in.result.Assumptions, AsPublished: in.result.AsPublished, Sound: in.result.Sound,
		CashFlows: in.result.CashFlows, Bridge: in.result.Bridge, Sensitivity: in.result.Sensitivity,
	}
	r.Alternatives = in.comparison
	if in.forecast != nil {
		r.MonteCarlo = &monteCarlo{in.distributions, in.forecast}
	}
	if in.result.Currency != "" {
		r.Currency = &in.result.Currency
	}
	if r.Sensitivity == nil {
		r.Sensitivity = []roi.Swing{}
	}
	for _, n := range in.Notices {
		r.Warnings = append(r.Warnings, warning{n, []roi.Figure{}})
	}
	for _, w := range in.result.Warnings {
		r.Warnings = append(r.Warnings, warning{program.Notice{Code: string(w.Code), Message: w.Message}, w.Figures})
	}
	if env.Explain {
		if p := r.AsPublished; p != nil {
			r.Explain = append(r.Explain, explain("as_published", p.Terms)...)
		}
		if v := r.Sound; v != nil {
			r.Explain = append(r.Explain, explain("sound", v.Terms)...)
		}
	}
	return r
}

// groups are the maps of the published result in which a figure stands.
var groups = map[string]string{
	"salary_and_benefits": "internal", "training_costs": "internal", "operational_costs": "internal", "recruitment_costs": "internal",
	"annual_service_fees": "managed", "annual_setup_costs": "managed",
	"current_downtime_cost": "impact", "improved_downtime_cost": "impact", "downtime_cost_savings": "impact", "mttr_improvement_value": "impact",
}

// explain names the place of every figure. One that is only used for others stands
// among the terms.
func explain(result string, terms []roi.Term) []report.Explanation {
	var all []report.Explanation
	for i, t := range terms {
		field := result + ".terms[" + strconv.Itoa(i) + "].value"
		switch group := groups[t.Name]; {
		case result == "as_published" && group != "":
			field = result + "." + group + "." + t.Name
		case result == "as_published", t.Name == "npv", t.Name == "pi", t.Name == "roi_percent", strings.HasPrefix(t.Name, "pv_"):
			field = result + "." + t.Name
		}
		all = append(all, report.Explanation{Field: field, Formula: t.Name + " = " + t.Formula, Values: map[string]any{"result": t.Value}, Source: "the inputs of the model"})
	}
	return all
}

// cutPath is the last part of a path.
func cutPath(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
