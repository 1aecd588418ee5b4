package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
)

// document is the JSON result.
type document struct {
	program.Envelope
	postmortem.Data

	Explain []report.Explanation `json:"explain,omitempty"`
}

func (in *inputs) write(env *program.Env, doc postmortem.Document) error {
	for condition, holds := range map[string]bool{"open-measures": doc.Open > 0, "overdue": doc.Overdue > 0, "not-anchored": !doc.Anchored} {
		if holds {
			env.Holds(condition)
		}
	}
	if env.Format == "json" {
		d := document{
			Envelope: program.Envelope{Schema: "postmortem/v1", Now: in.now, Sample: in.Sample, Inputs: in.Sources, Warnings: in.Notices},
			Data:     doc.Data(),
		}
		if env.Explain {
			d.Explain = in.explain(doc)
		}
		return env.JSON(d)
	}
	for _, n := range in.Notices {
		env.Log.Warn(n.Message, "code", n.Code)
	}
	switch env.Format {
	case "md":
		env.Out.WriteString(doc.Markdown())
	case "html":
		env.Out.WriteString(doc.HTML())
	default:
		if in.Sample {
			env.Out.WriteString("The embedded sample; name your own files with -incident and -timeline.\n\n")
		}
		env.Out.WriteString(doc.Text())
		if env.Explain {
			env.Out.WriteString("\nExplained\n---------\n")
			for _, x := range in.explain(doc) {
				fmt.Fprintf(env.Out, "%s: %s %v\n", x.Field, x.Formula, x.Values)
			}
		}
	}
	return nil
}

// explain says how the headline figures came about.
func (in *inputs) explain(doc postmortem.Document) []report.Explanation {
	names := make([]string, len(in.Sources))
	for i, s := range in.Sources {
		names[i] = s.Name
	}
	source := strings.Join(names, ", ")
	var all []report.Explanation
	add := func(field, formula string, values map[string]any) {
		all = append(all, report.Explanation{Field: field, Formula: formula, Values: values, Source: source})
	}
	t := doc.Times
	at := map[incident.Milestone]time.Time{
		incident.StartTime: t.Started, incident.DetectedTime: t.Detected, incident.CreatedTime: t.Created, incident.AcknowledgedTime: t.Acknowledged, incident.ResolvedTime: t.Resolved,
	}
	for _, f := range doc.Figures() {
		values := map[string]any{}
		for _, m := range []incident.Milestone{f.From, f.To} {
			if values[m.String()] = nil; !at[m].IsZero() {
				values[m.String()] = at[m].UTC().Format(time.RFC3339Nano)
			}
		}
		add("$.durations."+f.Name+"_s", f.To.String()+" - "+f.From.String()+", without the time in which the customer had to answer or it was resolved", values)
	}
	add("$.open_measures", "measures that are not done", map[string]any{"measures": len(doc.Measures)})
	add("$.overdue_measures", "open measures due before the date of now, UTC", map[string]any{"date": in.now.Format(time.DateOnly)})
	add("$.anchored", "a measure has owner, due date and reference", map[string]any{"anchored": anchored(doc)})
	return all
}

// anchored counts the measures that are.
func anchored(doc postmortem.Document) int {
	n := 0
	for _, m := range doc.Measures {
		if m.Anchored {
			n++
		}
	}
	return n
}
