package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/slo"
)

var budgetStart = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// tracked feeds rows of ten events, one a minute, of which the last n are bad.
func tracked(t *testing.T, o slo.Objective, rows, bad int) (report.Budget, *report.BudgetHistory) {
	t.Helper()
	tracker, err := slo.NewTracker(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	var h report.BudgetHistory
	for i := range rows {
		c := slo.Counts{Good: 10, Total: 10}
		if i >= rows-bad {
			c.Good = 0
		}
		if err := errors.Join(tracker.Observe(budgetStart.Add(time.Duration(i)*time.Minute), c), h.Add(tracker)); err != nil {
			t.Fatal(err)
		}
	}
	if rows == 0 {
		if err := tracker.Advance(budgetStart); err != nil {
			t.Fatal(err)
		}
	}
	b, err := report.BudgetOf(o, tracker)
	if err != nil {
		t.Fatal(err)
	}
	b.History = h.Points()
	return b, &h
}

func budgetObjective(target string) slo.Objective {
	return slo.Objective{
		ID: "<a>", Service: "api & web", Target: slo.MustPercent(target), Windows: []slo.Window{slo.Rolling(24 * time.Hour)},
		Policy: slo.Policy{Rules: []slo.Rule{
			{Name: "fast", Severity: slo.Page, Long: time.Hour, Short: 5 * time.Minute, Factor: slo.NewRatio(5, 1)},
			{Name: "patient", Severity: slo.Ticket, Long: time.Hour, Factor: slo.NewRatio(5, 1), For: time.Hour},
		}},
	}
}

// 100 rows of 10, the last 6 bad: 60 of 1000 at 99 % is a burn of 6, and in the
// last hour 60 of 600 a burn of 10.
func TestBudgetData(t *testing.T) {
	b, _ := tracked(t, budgetObjective("99"), 100, 6)
	text, err := json.Marshal(report.BudgetReport{At: b.Status.At, Budgets: []report.Budget{b}}.Data())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"good":940,"bad":60,"total":1000,"sli_percent":94,"met":false,"state":"exhausted"`,
		`"budget":{"unit":"events","allowed":10,"left":-50,"burn_to_date":6,"consumed_percent":600,"left_percent":-500}`,
		`"burn":[{"window_s":300,"rate":100},{"window_s":3600,"rate":10}]`,
		// The third bad row makes 30 of 600, exactly 5 %, and does not hold; the fourth does.
		`{"rule":"fast","severity":"page","long_s":3600,"short_s":300,"factor":5,"threshold":0.05,"holds":true,"firing":true,"since":"2026-10-01T01:37:00Z","cold":false,"suppressed_by":null}`,
		`{"rule":"patient","severity":"ticket","long_s":3600,"short_s":null,"factor":5,"threshold":0.05,"holds":true,"firing":false,"since":"2026-10-01T01:37:00Z","cold":false,"suppressed_by":null}`,
		`"exclusions":[]`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("data lack %s:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), `"series"`) {
		t.Error("the history is in the data although nobody asked for it")
	}
	if !b.Fires(slo.Page) || b.Fires(slo.Ticket) {
		t.Errorf("Fires: page %t, ticket %t, want the page only: the ticket waits an hour", b.Fires(slo.Page), b.Fires(slo.Ticket))
	}
}

func TestBudgetStates(t *testing.T) {
	for _, c := range []struct {
		name      string
		target    string
		rows, bad int
		want      []string
		never     string
	}{
		{"exhausted", "99", 100, 6, []string{"-500 % left", "budget exhausted, objective missed, fast fires", "✕ firing", "▲ pending"}, "NaN"},
		{"left", "50", 100, 6, []string{"✓ 88 % left", "budget left, objective met", "gone at"}, "exhausted"},
		{"no data", "99", 0, 0, []string{"– no data", "nothing was measured", "there is nothing to judge"}, "100 %"},
		{"no budget", "100", 100, 0, []string{"✓ 100 % left", "objective met"}, "NaN"},
		{"no budget and errors", "100", 100, 1, []string{"✕ -Inf left", "objective missed"}, "NaN"},
	} {
		o := budgetObjective(c.target)
		if c.target == "100" {
			o.Policy = slo.Policy{}
		}
		b, _ := tracked(t, o, c.rows, c.bad)
		r := report.BudgetReport{At: b.Status.At, Budgets: []report.Budget{b}}
		var text, page bytes.Buffer
		if err := errors.Join(r.Document().Text(&text), r.Document().HTML(&page)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, want := range c.want {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: the text lacks %q:\n%s", c.name, want, text.String())
			}
			if !strings.Contains(page.String(), want) {
				t.Errorf("%s: the page lacks %q", c.name, want)
			}
		}
		if strings.Contains(text.String(), c.never) || strings.Contains(page.String(), "<a>") {
			t.Errorf("%s: %q or markup of the input in\n%s", c.name, c.never, text.String())
		}
	}
}

// The history keeps its bounds, its order and its first point, evenly spread.
func TestBudgetHistory(t *testing.T) {
	for _, c := range []struct{ rows, points, apart int }{{999, 999, 1}, {1000, 1000, 1}, {1001, 501, 2}, {5000, 625, 8}} {
		_, h := tracked(t, budgetObjective("99"), c.rows, 0)
		p := h.Points()
		if len(p) != c.points || !p[0].At.Equal(budgetStart) {
			t.Fatalf("%d rows: %d points from %v, want %d", c.rows, len(p), p[0].At, c.points)
		}
		for i := 1; i < len(p); i++ {
			if got := p[i].At.Sub(p[i-1].At); got != time.Duration(c.apart)*time.Minute {
				t.Fatalf("%d rows: points %d and %d are %v apart, want %d min", c.rows, i-1, i, got, c.apart)
			}
		}
	}
}

func TestSVG(t *testing.T) {
	b, _ := tracked(t, budgetObjective("99"), 100, 6)
	doc := report.BudgetReport{At: b.Status.At, Budgets: []report.Budget{b}}.Document()
	var image, again bytes.Buffer
	if err := errors.Join(doc.SVG(&image), doc.SVG(&again)); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(image.Bytes()))
	drawings := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("no XML: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "svg" {
			drawings++
			if e.Name.Space != "http://www.w3.org/2000/svg" {
				t.Errorf("<%s> in name space %q", e.Name.Local, e.Name.Space)
			}
		}
	}
	if drawings != 5 { // the image, and a place and a drawing for each of two charts
		t.Errorf("%d elements svg, want 5", drawings)
	}
	if !bytes.Equal(image.Bytes(), again.Bytes()) || bytes.Contains(image.Bytes(), []byte("<script")) {
		t.Error("two images differ, or have a script")
	}
	if err := (report.Document{Title: "x"}).SVG(io.Discard); !errors.Is(err, report.ErrNoChart) {
		t.Errorf("SVG of a document without charts: %v, want ErrNoChart", err)
	}
}
