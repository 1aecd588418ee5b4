package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// What is packed afterwards is byte for byte what fpdf packs itself.
func TestDeflate(t *testing.T) {
	write := func(pages int, compress bool) []byte {
		f := fpdf.New("P", "mm", "A4", "")
		f.SetCompression(compress)
		f.SetCatalogSort(true)
		f.SetCreationDate(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC))
		f.SetModificationDate(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC))
		for n := range pages {
			f.AddPage()
			f.SetFont([]string{"Helvetica", "Courier"}[n%2], "B", 12)
			for y := range 40 * n {
				f.Text(10, 10+float64(y), fmt.Sprintf("line %d of page %d stream\nendstream xref %s", y, n, strings.Repeat("x", y)))
			}
		}
		var b bytes.Buffer
		if err := f.Output(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for pages := 1; pages < 6; pages++ {
		var got bytes.Buffer
		if err := deflate(&got, write(pages, false)); err != nil {
			t.Fatal(err)
		}
		if want := write(pages, true); !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%d pages: %d bytes, want the %d of fpdf", pages, got.Len(), len(want))
		}
	}
	if err := deflate(&bytes.Buffer{}, []byte("%PDF-1.3\n<</Length 9>>\nstream\nx\nendstream\n")); err == nil {
		t.Error("a stream of another length is taken")
	}
}
