package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// envelope is the head of a JSON result.
func (in *inputs) envelope(schema string) program.Envelope {
	return program.Envelope{Schema: schema, Now: in.present, Sample: in.Sample, Inputs: in.Sources, Warnings: in.Notices}
}

// write writes a document in the format asked for, anything but JSON.
func (in *inputs) write(env *program.Env, doc report.Document) error {
	doc.Generated, doc.Zone = in.present, in.zone
	for _, s := range in.Sources {
		doc.Sources = append(doc.Sources, report.Source{Name: s.Name, SHA256: s.SHA256})
	}
	for _, n := range in.Notices {
		env.Log.Warn(n.Message, "code", n.Code)
	}
	switch env.Format {
	case "html":
		return doc.HTML(env.Out)
	case "md":
		return doc.Markdown(env.Out)
	}
	if in.Sample {
		fmt.Fprint(env.Out, "The embedded sample; name your own files with -config and -incidents.\n\n")
	}
	return doc.Text(env.Out)
}

// explanation is one entry of explain.
func (in *inputs) explanation(field, formula string, values map[string]any) report.Explanation {
	names := make([]string, len(in.Sources))
	for i, s := range in.Sources {
		names[i] = s.Name
	}
	return report.Explanation{Field: field, Formula: formula, Values: values, Source: strings.Join(names, ", ")}
}

// explainSection shows explanations to people.
func explainSection(list []report.Explanation) report.Section {
	table := report.Table{Caption: "How the figures came about", Columns: []report.Column{{Title: "Figure"}, {Title: "Formula"}, {Title: "Values"}}}
	for _, x := range list {
		values, err := json.Marshal(x.Values)
		if err != nil {
			values = []byte(err.Error())
		}
		table.Rows = append(table.Rows, report.Cells(x.Field, x.Formula, string(values)))
	}
	return report.Section{ID: "explain", Title: "Explained", Blocks: []report.Block{table}}
}

// clock shows an instant to people.
func (in *inputs) clock(at time.Time) string {
	return at.In(in.zone).Format("Mon 2 Jan 2006 15:04:05 MST")
}

func (in *inputs) clockOr(at *time.Time, none string) string {
	if at == nil {
		return none
	}
	return in.clock(*at)
}

// orNull is nil for the zero value.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// cutPercent is part of whole as a percentage, cut at six decimals; null for no
// whole.
func cutPercent(part, whole uint64) *float64 {
	q, _, ok := fixed.MulDiv(part, 100_000_000, whole)
	if whole == 0 || !ok {
		return nil
	}
	percent := float64(q) / 1e6
	return &percent
}

func percentText(p *float64) string {
	if p == nil {
		return "n/a"
	}
	return fmt.Sprintf("%.6f %%", *p)
}

// seconds is a duration in JSON.
func seconds(d time.Duration) float64 { return d.Seconds() }

// stretch is a stretch of time in JSON.
type stretch struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	S     float64   `json:"s"`
}

func stretchOf(i calendar.Interval) stretch {
	return stretch{Start: i.Start, End: i.End, S: seconds(i.End.Sub(i.Start))}
}

func stretches(list []calendar.Interval) []stretch {
	out := make([]stretch, len(list))
	for i := range list {
		out[i] = stretchOf(list[i])
	}
	return out
}
