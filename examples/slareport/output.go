package main

import (
	"fmt"
	"os"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/sla"
)

// result is the report with its envelope, ready to be written.
type result struct {
	in     *inputs
	report report.ServiceReport
}

func newResult(in *inputs, r sla.Report) *result {
	return &result{in: in, report: in.contract.Document(r, in.Sources, in.Notices)}
}

// conditions tells which conditions of -fail-on hold.
func (r *result) conditions(env *program.Env) {
	s := r.report.Report.Statement
	if len(s.Breaches) > 0 {
		env.Holds("breach")
	}
	if s.Payable.Sign() > 0 {
		env.Holds("credit")
	}
	for _, m := range s.Availability {
		if m.Outcome == sla.NoData {
			env.Holds("no-data")
		}
	}
}

// document is the JSON result.
type document struct {
	program.Envelope
	report.ServiceData

	Explain []report.Explanation `json:"explain,omitempty"`
}

func (r *result) write(env *program.Env, o *options) error {
	r.report.Explained = env.Explain || env.Format != "text"
	switch env.Format {
	case "json":
		d := document{
			Envelope: program.Envelope{
				Schema: report.ServiceReportSchema, Now: r.in.now, Sample: r.in.Sample, Inputs: r.in.Sources, Warnings: r.in.Notices,
			},
			ServiceData: r.report.Data(),
		}
		if env.Explain {
			d.Explain = r.report.Explain()
		}
		return env.JSON(d)
	case "csv":
		return r.report.Breaches().CSV(env.Out, report.CSVOptions{BOM: o.csvMark})
	}
	doc := r.report.Document()
	switch env.Format {
	case "html":
		return doc.HTML(env.Out)
	case "md":
		return doc.Markdown(env.Out)
	case "pdf":
		return o.pdf(env, doc)
	}
	if r.in.Sample {
		fmt.Fprint(env.Out, "The embedded sample; name your own files with -config, -outages, -incidents and so on.\n\n")
	}
	return doc.Text(env.Out)
}

// pdf writes the document with the font of the user, if there is one.
func (o *options) pdf(env *program.Env, doc report.Document) error {
	options := report.PDFOptions{OnNotice: func(n report.Notice) { env.Log.Warn(n.Message, "code", n.Code) }}
	if o.font != "" {
		font, err := os.ReadFile(o.font) // those of all scripts have more than program.MaxFile
		if err != nil {
			return program.Exit(program.Usage, fmt.Errorf("-pdf-font: %w", err))
		}
		options.Font = font
	}
	err := doc.PDF(env.Out, options)
	if err != nil && o.font != "" {
		return program.Exit(program.Usage, fmt.Errorf("-pdf-font %q: %w", o.font, err))
	}
	return err
}
