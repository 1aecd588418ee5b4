package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// What stands in the tables of the service report stands on its printed pages too:
// nothing is cut off.
func TestPrint(t *testing.T) {
	server, _ := site(t)
	ctx := tab(t)
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("no pdftotext: apt-get install -y --no-install-recommends poppler-utils")
	}
	look(ctx, t, views[0], at(server, "slareport.html"))
	cells := value[[]string](ctx, t, "[...document.querySelectorAll('.scroll td, .tile dd')].map(e=>e.textContent)")
	pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-raw", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(out), "-\n", "-") // an id that goes on in the next line
	var missing []string
	words := regexp.MustCompile(`[0-9][0-9.,:]+|[A-Z]+-[0-9]+`)
	seen := 0
	for _, cell := range cells {
		for _, word := range words.FindAllString(cell, -1) {
			seen++
			if !strings.Contains(text, word) {
				missing = append(missing, word)
			}
		}
	}
	if slices.Sort(missing); seen < 100 || len(missing) > 0 {
		t.Errorf("of %d figures and ids not on paper: %q", seen, slices.Compact(missing))
	}
}
