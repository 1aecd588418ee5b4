package report_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/sla"
)

// pdfText returns the text of a PDF by a reader that is not ours, with all blanks as
// one.
func pdfText(t *testing.T, d report.Document, o report.PDFOptions) string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("no pdftotext: apt-get install -y --no-install-recommends poppler-utils")
	}
	file := filepath.Join(t.TempDir(), "document.pdf")
	if err := os.WriteFile(file, pdfOf(t, d, o), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-raw", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	// An id may go on in the next line.
	return strings.Join(strings.Fields(strings.ReplaceAll(string(out), "-\n", "-")), " ")
}

func pdfOf(tb testing.TB, d report.Document, o report.PDFOptions) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := d.PDF(&b, o); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// Every amount, figure, id and heading of the Markdown form is in the PDF, in each
// language.
func TestPDFHasEveryFigure(t *testing.T) {
	figure := regexp.MustCompile(`[0-9]+[.,][0-9]+|[A-Z]{2,}-[0-9]+`)
	for _, tag := range []string{"en", "de", "nl", "fr"} {
		t.Run(tag, func(t *testing.T) {
			r := september(t, func(*sla.Contract, *sla.Evidence) {})
			r.Locale = tag
			d := r.Document()
			text := pdfText(t, d, report.PDFOptions{})
			var markdown bytes.Buffer
			if err := d.Markdown(&markdown); err != nil {
				t.Fatal(err)
			}
			figures := figure.FindAllString(markdown.String(), -1)
			if len(figures) < 20 {
				t.Fatalf("%d figures in the Markdown form", len(figures))
			}
			for _, want := range figures {
				if want == "SHA-256" { // heads the sources there
					continue
				}
				if !strings.Contains(text, want) {
					t.Errorf("the PDF does not have %s", want)
				}
			}
			for _, s := range d.Sections {
				if !strings.Contains(text, s.Title) {
					t.Errorf("the PDF does not have the section %q", s.Title)
				}
			}
		})
	}
}

// The same document gives the same bytes, and the PDF says where its master is.
func TestPDFIsAFunction(t *testing.T) {
	d := sample(t)
	first := pdfOf(t, d, report.PDFOptions{})
	if !bytes.Equal(first, pdfOf(t, d, report.PDFOptions{})) {
		t.Error("twice the same document, and not the same bytes")
	}
	if !bytes.HasPrefix(first, []byte("%PDF-")) {
		t.Errorf("begins with %.8q", first)
	}
	const master = "https://status.example.net/t/acme/report-2026-09.html"
	if text := pdfText(t, d, report.PDFOptions{Master: master}); !strings.Contains(strings.ReplaceAll(text, " ", ""), master) {
		t.Error("the PDF does not say where its master is")
	}
}

// What the built-in font does not have is told by name; the euro it has. With a font
// of the user that has the characters nothing is missing.
func TestPDFGlyphs(t *testing.T) {
	d := report.Document{Title: "Größe 5 €", Generated: start, Sections: []report.Section{{ID: "s", Title: "Ελλάδα", Blocks: []report.Block{report.Text("naïve")}}}}
	var notices []report.Notice
	options := report.PDFOptions{OnNotice: func(n report.Notice) { notices = append(notices, n) }}
	pdfOf(t, d, options)
	if len(notices) != 1 || notices[0].Code != "pdf_glyph_missing" || !strings.Contains(notices[0].Message, "Ε") || strings.Contains(notices[0].Message, "€") {
		t.Fatalf("notices %+v, want one that names the Greek letters", notices)
	}
	font, err := os.ReadFile("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
	if err != nil {
		t.Skip("no font to embed: apt-get install -y --no-install-recommends fonts-dejavu-core")
	}
	notices, options.Font = nil, font
	if text := pdfText(t, d, options); len(notices) != 0 || !strings.Contains(text, "Ελλάδα") {
		t.Errorf("with the font: notices %+v, text %q", notices, text)
	}
	if err := d.PDF(io.Discard, report.PDFOptions{Font: []byte("no font")}); err == nil {
		t.Error("a font that is none is taken")
	}
}

// A word that is wider than the page is broken and not cut off.
func TestPDFBreaksWords(t *testing.T) {
	word := strings.Repeat("abcdefghij", 40)
	d := report.Document{Title: "x", Generated: start, Sections: []report.Section{{ID: "s", Title: "s", Blocks: []report.Block{
		report.Text(word), report.Table{Columns: report.Columns("a", "b"), Rows: [][]report.Cell{report.Cells(word, "1")}},
	}}}}
	if text := strings.ReplaceAll(pdfText(t, d, report.PDFOptions{}), " ", ""); strings.Count(text, word) != 2 {
		t.Errorf("the PDF has the word %d times, want 2", strings.Count(text, word))
	}
}

func BenchmarkPDF(b *testing.B) {
	d := month(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := d.PDF(io.Discard, report.PDFOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
