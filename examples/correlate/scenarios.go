package main

import (
	"fmt"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// tested is the JSON result of -test.
type tested struct {
	program.Envelope
	Scenarios int      `json:"scenarios"`
	Failures  []failed `json:"failures"`
	Untested  []string `json:"untested_rules"` // that no scenario brought to do anything
}

type failed struct {
	Scenario string  `json:"scenario"`
	At       float64 `json:"at_s"` // after the start
	What     string  `json:"what"`
	Got      string  `json:"got"`
	Want     string  `json:"want"`
}

// test holds the rules against the scenarios.
func (in *inputs) test(env *program.Env) error {
	r, err := replay.Test(in.rules.Rules, in.engine, in.tests...)
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	out := tested{
		Envelope:  program.Envelope{Schema: "correlation-test/v1", Now: in.now, Sample: in.Sample, Inputs: in.Sources, Warnings: in.Notices},
		Scenarios: len(in.tests), Failures: []failed{}, Untested: append([]string{}, r.Untested...),
	}
	for _, f := range r.Failures {
		out.Failures = append(out.Failures, failed{f.Scenario, f.At.Seconds(), f.What, f.Got, f.Want})
		env.Fails()
	}
	if env.Format == "json" {
		return env.JSON(out)
	}
	doc := in.titled("Test of the rules", in.now)
	text := fmt.Sprintf("All expectations of %d scenarios hold.", out.Scenarios)
	blocks := []report.Block{}
	if len(r.Failures) > 0 {
		text = fmt.Sprintf("%d expectations of %d scenarios do not hold.", len(r.Failures), out.Scenarios)
		table := report.Table{Caption: "Failures", Columns: report.Columns("Scenario", "At", "What", "Got", "Want")}
		for _, f := range r.Failures {
			table.Rows = append(table.Rows, report.Cells(f.Scenario, f.At.String(), f.What, f.Got, f.Want))
		}
		blocks = append(blocks, table)
	}
	if len(r.Untested) > 0 {
		text += " No scenario tests " + strings.Join(r.Untested, ", ") + "."
	}
	doc.Sections = []report.Section{{ID: "test", Title: "Result", Blocks: append([]report.Block{report.Text(text)}, blocks...)}}
	return in.print(env, doc)
}
