package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/report"
)

// A table that yields its rows is written as one that has them, in every form.
func TestTableMore(t *testing.T) {
	var rows [][]report.Cell
	for n := range 40 {
		rows = append(rows, []report.Cell{{Text: fmt.Sprint("a<b ", strings.Repeat("x", n)), State: report.Good}, {Text: strconv.Itoa(n)}})
	}
	columns := []report.Column{{Title: "What"}, {Title: "N", Numeric: true}}
	held := report.Table{Caption: "All", Columns: columns, Rows: rows}
	yielded := report.Table{Caption: "All", Columns: columns, Rows: rows[:7], More: func(yield func([]report.Cell) bool) {
		row := make([]report.Cell, 2) // the same for all
		for _, x := range rows[7:] {
			copy(row, x)
			if !yield(row) {
				return
			}
		}
	}}
	doc := func(t report.Table) report.Document {
		return report.Document{Title: "T", Sections: []report.Section{{ID: "s", Title: "S", Blocks: []report.Block{report.Text("before"), t, report.Text("behind")}}}}
	}
	for name, write := range map[string]func(report.Document, io.Writer) error{
		"text": report.Document.Text, "md": report.Document.Markdown, "html": report.Document.HTML, "json": report.Document.JSON,
		"csv": func(d report.Document, w io.Writer) error { return d.CSV(w, report.CSVOptions{}) },
		"pdf": func(d report.Document, w io.Writer) error { return d.PDF(w, report.PDFOptions{}) },
		"table": func(d report.Document, w io.Writer) error {
			return d.Sections[0].Blocks[1].(report.Table).CSV(w, report.CSVOptions{})
		},
	} {
		var got, want bytes.Buffer
		if err := errors.Join(write(doc(yielded), &got), write(doc(held), &want)); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() || want.Len() < 800 {
			t.Errorf("%s: %d bytes\n%s\nwant %d\n%s", name, got.Len(), &got, want.Len(), &want)
		}
	}
}

// Rows with too many or too few cells are cut or filled up.
func TestTableMoreCells(t *testing.T) {
	table := report.Table{Columns: report.Columns("A", "B"), More: slices.Values([][]report.Cell{report.Cells("1"), report.Cells("2", "3", "4")})}
	doc := report.Document{Title: "T", Sections: []report.Section{{ID: "s", Title: "S", Blocks: []report.Block{table}}}}
	var text, html bytes.Buffer
	if err := errors.Join(doc.Text(&text), doc.HTML(&html)); err != nil {
		t.Fatal(err)
	}
	if want := "A  B\n1\n2  3\n"; !strings.Contains(text.String(), want) || strings.Count(html.String(), "<td>") != 4 {
		t.Errorf("found\n%s%s\nwant %s", &text, &html, want)
	}
}

// full is a writer that ends with an error.
type full struct{ left int }

var errFull = errors.New("no room")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// Two hundred thousand rows are written in the memory of a few, and no more are asked for
// when the writer has ended.
func TestTableMoreIsNotHeld(t *testing.T) {
	const n = 200_000
	asked := 0
	row := report.Cells(strings.Repeat("x", 100), "y")
	doc := report.Document{Title: "T", Sections: []report.Section{{ID: "s", Title: "S", Blocks: []report.Block{report.Table{Columns: report.Columns("A", "B"), More: func(yield func([]report.Cell) bool) {
		for range n {
			if asked++; !yield(row) {
				return
			}
		}
	}}}}}}
	for name, write := range map[string]func(report.Document, io.Writer) error{"text": report.Document.Text, "md": report.Document.Markdown, "html": report.Document.HTML} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		counted := &full{left: 1 << 30}
		if err := write(doc, counted); err != nil || 1<<30-counted.left < 100*n {
			t.Errorf("%s: %d bytes, %v", name, 1<<30-counted.left, err)
		}
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 16<<20 {
			t.Errorf("%s: the heap grew by %d bytes, want less than the %d that were written", name, grown, 1<<30-counted.left)
		}
		asked = 0
		if err := write(doc, &full{left: 1 << 20}); !errors.Is(err, errFull) || name != "text" && asked > n/2 {
			t.Errorf("%s: %v after %d rows, want the error of the writer soon", name, err, asked)
		}
	}
}
