package report_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/report"
)

// hostile are texts that would become something else where they are not escaped.
var hostile = []string{
	"a|b", "`code`", "<script>alert(1)</script>", "a\nb", "a\r\n\r\n# b", "**bold**", "_it_", "[x](https://example.com)", "![x](y)", "\\", "\\|", "~~gone~~", "# head", "- item", "1. item",
	"+ item", "---", "===", "> quote", "&lt;b&gt;", "https://example.com", "www.example.com", "WWW.example.com", "ann@example.com", "@ann", "#12", "$x$", "    code", "\x00", "\xff", "| --- |", ":--", "<!-- x -->", "'", "\"",
	"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "a,b", " a ", "",
}

// plain takes our own escapes out of a piece of Markdown, as a renderer would.
func plain(markdown string) string {
	text := strings.ReplaceAll(markdown, "<!---->", "")
	return html.UnescapeString(regexp.MustCompile("\\\\([!-/:-@[-`{-~])").ReplaceAllString(text, "$1"))
}

// wanted is what a reader must see of a text.
func wanted(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r >= '\t' && r <= '\r':
			return ' '
		case r < ' ' || r == 0x7f:
			return '\ufffd'
		case r == 0x85 || r == 0x2028 || r == 0x2029:
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }), " ")
}

func checkMarkdown(t *testing.T, text string) {
	t.Helper()
	table := report.Table{Caption: text, Columns: []report.Column{{Title: text}, {Title: "n", Numeric: true}}, Rows: [][]report.Cell{{{Text: text}, {Text: text, State: report.Bad}}}}
	doc := report.Document{Title: text, Sections: []report.Section{{ID: "s", Title: text, Blocks: []report.Block{report.Text(text), table}}}}
	var out bytes.Buffer
	if err := doc.Markdown(&out); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		bare := strings.ReplaceAll(line, "<!---->", "")
		if strings.ContainsAny(bare, "<>\r\x00") {
			t.Errorf("%q: line %q holds HTML or a control character", text, line)
		}
		if regexp.MustCompile(`(?i)://|www\.|\S@\w`).MatchString(line) {
			t.Errorf("%q: line %q holds a link", text, line)
		}
		if !strings.HasPrefix(line, "|") {
			if strings.Contains(line, "|") {
				t.Errorf("%q: line %q would be a row", text, line)
			}
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			t.Fatalf("%q: row %q has %d cells, want 2", text, line, len(cells)-2)
		}
		if rows++; rows == 3 {
			if got, want := plain(strings.Trim(cells[1], " ")), wanted(text); got != want {
				t.Errorf("%q: cell reads %q, want %q", text, got, want)
			}
		}
	}
	if rows != 3 {
		t.Errorf("%q: %d rows, want 3:\n%s", text, rows, out.String())
	}
}

func checkCSV(t *testing.T, text string) {
	t.Helper()
	for _, numeric := range []bool{false, true} {
		table := report.Table{Columns: []report.Column{{Title: "x", Numeric: numeric}}, Rows: [][]report.Cell{{{Text: text}}, {{Text: text}}}}
		var out bytes.Buffer
		if err := table.CSV(&out, report.CSVOptions{}); err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(records) != 3 {
			t.Fatalf("%q: read back %q, %v", text, records, err)
		}
		// The reader of the standard library turns CR LF within a cell into LF.
		want := strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\r\n", "\n")
		got := records[2][0]
		risky := text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0]))
		if guarded := strings.ReplaceAll("'"+strings.ToValidUTF8(text, "\ufffd"), "\r\n", "\n"); risky && (!numeric || got != want) {
			want = guarded
		}
		if got != want {
			t.Errorf("%q, numeric %v: read back %q, want %q", text, numeric, got, want)
		}
	}
}

func TestHostileTexts(t *testing.T) {
	for _, text := range hostile {
		checkMarkdown(t, text)
		checkCSV(t, text)
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(checkMarkdown)
}

func FuzzCSV(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(checkCSV)
}

func TestMarkdownBlockStarts(t *testing.T) {
	for text, want := range map[string]string{
		"1. item": `1\. item`, "12) item": `12\) item`, "- item": `\- item`, "+ item": `\+ item`, "---": `\---`, "===": `\===`, "# head": `\# head`, "    code": "code",
		"99.9 %": "99.9 %", "2026-10-25": "2026-10-25", "~~~": `\~\~\~`, "ann@example.com": "ann@<!---->example.com", "https://a.b": "https:<!---->//a.b", "#12": `\#<!---->12`,
	} {
		doc := report.Document{Sections: []report.Section{{ID: "s", Blocks: []report.Block{report.Text(text)}}}}
		var out strings.Builder
		if err := doc.Markdown(&out); err != nil || out.String() != want+"\n" {
			t.Errorf("%q: %q, %v, want %q", text, out.String(), err, want)
		}
	}
}

func TestCSV(t *testing.T) {
	table := report.Table{
		Columns: []report.Column{{Title: "Clause"}, {Title: "=Amount", Numeric: true}, {Title: "Verdict"}},
		Rows: [][]report.Cell{
			{{Text: "-a, \"b\""}, {Text: "-5.00 EUR"}, {State: report.Bad}},
			{{Text: "@x"}, {Text: "-1+cmd|' /C calc'!A0"}, {Text: "late", State: report.Bad}},
			{{Text: "x"}, {Text: "=1"}, {}},
		},
	}
	want := "\ufeffClause,'=Amount,Verdict\n" +
		"\"'-a, \"\"b\"\"\",-5.00 EUR,breached\n'@x,'-1+cmd|' /C calc'!A0,late\nx,'=1,\n"
	var out strings.Builder
	if err := table.CSV(&out, report.CSVOptions{BOM: true}); err != nil || out.String() != want {
		t.Errorf("CSV = %v\n%q, want\n%q", err, out.String(), want)
	}
	table.Rows = [][]report.Cell{{{}}}
	out.Reset()
	if err := table.CSV(&out, report.CSVOptions{}); err == nil || out.Len() != 0 || !strings.Contains(err.Error(), "row 0 has 1 cells, want 3") {
		t.Errorf("a short row: %v with %q, want an error and nothing written", err, out.String())
	}
}

func ExampleTable_CSV() {
	t := report.Table{Columns: []report.Column{{Title: "cause"}, {Title: "credit", Numeric: true}}, Rows: [][]report.Cell{{{Text: "=HYPERLINK(\"evil\")"}, {Text: "-5.00"}}}}
	if err := t.CSV(os.Stdout, report.CSVOptions{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// cause,credit
	// "'=HYPERLINK(""evil"")",-5.00
}
