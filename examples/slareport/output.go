package main

import (
	"fmt"

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
	out := &result{in: in, report: report.ServiceReport{
		Report: r, Contract: in.agreed.Contract, Zone: in.agreement.Location(), Customer: in.agreed.CustomerName, Services: in.agreed.ServiceNames, Locale: in.agreed.Locale,
	}}
	for _, s := range in.Sources {
		out.report.Sources = append(out.report.Sources, report.Source{Name: s.Name, SHA256: s.SHA256})
	}
	for _, n := range in.Notices {
		out.report.Notices = append(out.report.Notices, report.Notice{Code: n.Code, Message: n.Message})
	}
	return out
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
	}
	if r.in.Sample {
		fmt.Fprint(env.Out, "The embedded sample; name your own files with -config, -outages, -incidents and so on.\n\n")
	}
	return doc.Text(env.Out)
}
