package main

import (
	"errors"
	"fmt"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/slo"
)

// result is the report with its inputs, ready to be written.
type result struct {
	in     *inputs
	report report.BudgetReport
}

// conditions tells which conditions of -fail-on hold.
func (r *result) conditions(env *program.Env) {
	for _, b := range r.report.Budgets {
		if b.Fires(slo.Page) {
			env.Holds("page")
		}
		if b.Fires(slo.Ticket) {
			env.Holds("ticket")
		}
		switch b.Status.State {
		case slo.Exhausted:
			env.Holds("exhausted")
		case slo.NoData:
			env.Holds("no-data")
		default:
		}
	}
}

// document is the JSON result.
type document struct {
	program.Envelope
	report.BudgetsData

	Explain []report.Explanation `json:"explain,omitempty"`
}

// warn logs what a reader of the inputs should know; JSON has it in the result.
func (in *inputs) warn(env *program.Env) {
	for _, n := range in.Notices {
		env.Log.Warn(n.Message, "code", n.Code)
	}
}

func (r *result) write(env *program.Env, _ *options) error {
	r.report.Explained = env.Explain
	if env.Format == "json" {
		d := document{
			Envelope: program.Envelope{
				Schema: report.BudgetReportSchema, Now: r.in.now, Sample: r.in.Sample, Inputs: r.in.Sources, Warnings: r.in.Notices,
			},
			BudgetsData: r.report.Data(),
		}
		if env.Explain {
			d.Explain = r.report.Explain()
		}
		return env.JSON(d)
	}
	doc := r.report.Document()
	r.in.warn(env)
	switch env.Format {
	case "html":
		return doc.HTML(env.Out)
	case "svg":
		err := doc.SVG(env.Out)
		if errors.Is(err, report.ErrNoChart) {
			err = program.Exit(program.Input, fmt.Errorf("nothing was measured in any window: %w", err))
		}
		return err
	}
	if r.in.Sample {
		fmt.Fprint(env.Out, "The embedded sample; name your own files with -config, -sli and -maintenance.\n\n")
	}
	return doc.Text(env.Out)
}
