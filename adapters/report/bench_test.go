package report_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
)

// month is a page of the usual size: six sections, eight tables of ten rows, two
// charts.
func month(tb testing.TB) report.Document {
	tb.Helper()
	doc := sample(tb)
	chart := doc.Sections[1].Blocks[2].(report.Chart)
	doc.Sections = nil
	for s := range 6 {
		section := report.Section{ID: fmt.Sprintf("s%d", s), Title: fmt.Sprintf("Section %d", s), Blocks: []report.Block{
			report.Text("What was promised, what was delivered, and what is owed."),
			report.Tiles{{Label: "api", Value: "99.926174 %", Note: "target 99.9 %, met", State: report.Good}, {Label: "shop", State: report.NoData}},
			table(),
		}}
		if s < 2 {
			chart.ID = fmt.Sprintf("c%d", s)
			section.Blocks = append(section.Blocks, table(), chart)
		}
		doc.Sections = append(doc.Sections, section)
	}
	return doc
}

func table() report.Table {
	t := report.Table{Caption: "Incidents", Columns: []report.Column{{Title: "Incident"}, {Title: "Severity"}, {Title: "Opened"}, {Title: "Verdict"}, {Title: "Minutes", Numeric: true}}}
	for i := range 10 {
		t.Rows = append(t.Rows, []report.Cell{
			{Text: fmt.Sprintf("INC-%d", 100+i)},
			{Text: "P1"},
			{Text: start.Add(time.Duration(i) * time.Hour).Format(time.RFC3339)},
			{State: report.Bad},
			{Text: fmt.Sprintf("%d.5", i)},
		})
	}
	return t
}

func BenchmarkHTML(b *testing.B) {
	doc := month(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := doc.HTML(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
