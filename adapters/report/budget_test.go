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
	"github.com/evenkeelops/evenkeel/sla/calendar"
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
		`{"rule":"fast","severity":"page","kind":"burn_rate","long_s":3600,"short_s":300,"factor":5,"threshold":0.05,"min_bad":null,"holds":true,"firing":true,"since":"2026-10-01T01:37:00Z","cold":false,"suppressed_by":null}`,
		`{"rule":"patient","severity":"ticket","kind":"burn_rate","long_s":3600,"short_s":null,"factor":5,"threshold":0.05,"min_bad":null,"holds":true,"firing":false,"since":"2026-10-01T01:37:00Z","cold":false,"suppressed_by":null}`,
		`"budget_policy":null,"exclusions":[]`,
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

// Rules of every kind, in data and text. 6 of 100 rows of ten are bad: 60 of 600 in
// the last hour, 60 of 1000 in all.
func TestRuleKinds(t *testing.T) {
	o := budgetObjective("99")
	o.Policy.Rules = []slo.Rule{
		{Name: "fast", Severity: slo.Page, Long: time.Hour, Short: 5 * time.Minute, Factor: slo.NewRatio(5, 1)},
		{Name: "many", Severity: slo.Ticket, Kind: slo.AbsoluteCount, Long: time.Hour, MinBad: 60, AtLeast: slo.NewRatio(1, 10)},
		{Name: "more", Severity: slo.Ticket, Kind: slo.AbsoluteCount, Long: time.Hour, MinBad: 61, AtLeast: slo.NewRatio(1, 10)},
		{Name: "quiet", Severity: slo.Page, Kind: slo.Silence, Long: 10 * time.Minute},
	}
	b, _ := tracked(t, o, 100, 6)
	r := report.BudgetReport{At: b.Status.At, Budgets: []report.Budget{b}, Explained: true}
	data, err := json.Marshal(r.Data())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"rule":"many","severity":"ticket","kind":"absolute_count","long_s":3600,"short_s":null,"factor":null,"threshold":0.1,"min_bad":60,"holds":true,"firing":true`,
		`"rule":"more","severity":"ticket","kind":"absolute_count","long_s":3600,"short_s":null,"factor":null,"threshold":0.1,"min_bad":61,"holds":false,"firing":false`,
		`"rule":"quiet","severity":"page","kind":"silence","long_s":600,"short_s":null,"factor":null,"threshold":null,"min_bad":null,"holds":false,"firing":false`,
	} {
		if !strings.Contains(string(data), want) {
			t.Errorf("data lack %s:\n%s", want, data)
		}
	}
	var text, page bytes.Buffer
	if err := errors.Join(r.Document().Text(&text), r.Document().HTML(&page)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"burn above 5", "60 bad or more, and 10 % or more", "no event", "objective missed, fast fires, many fires"} {
		if !strings.Contains(text.String(), want) || !strings.Contains(page.String(), want) {
			t.Errorf("text or page lack %q:\n%s", want, text.String())
		}
	}

	silent, _ := tracked(t, o, 0, 0)
	r = report.BudgetReport{At: silent.Status.At, Budgets: []report.Budget{silent}}
	text.Reset()
	if err := r.Document().Text(&text); err != nil {
		t.Fatal(err)
	}
	if !silent.Fires(slo.Page) || !strings.Contains(text.String(), "nothing was measured, quiet fires") || !strings.Contains(text.String(), "no event") {
		t.Errorf("without any event the rule for silence fires, and says so:\n%s", text.String())
	}
}

// An objective over a day and over a month shows both. The 101 rows begin at the
// last instant of September, which the month has no part in: in the day 1010 events,
// of which 20 are bad, in October 1000.
func TestBudgetWindows(t *testing.T) {
	o := budgetObjective("98")
	o.Windows = append(o.Windows, slo.Calendar(slo.Month, nil))
	b, _ := tracked(t, o, 101, 2)
	if len(b.Statuses) != 2 || b.Statuses[0].Total != 1010 || b.Statuses[1].Total != 1000 || b.Status.Total != 1010 {
		t.Fatalf("statuses %+v", b.Statuses)
	}
	r := report.BudgetReport{At: b.Status.At, Budgets: []report.Budget{b}}
	var text, page bytes.Buffer
	if err := errors.Join(r.Document().Text(&text), r.Document().HTML(&page)); err != nil {
		t.Fatal(err)
	}
	// 20 of 1010 at 98 % leave 1 - 2000/2020 = 0.99 %; in October 20 of 1000 are all
	// that is allowed so far, so 100/44640 = 0.22 % of the month is gone.
	for _, want := range []string{"in 1d and in a calendar month", "0.99 %", "99.78 %", "1 Nov 2026 00:00 UTC"} {
		if !strings.Contains(text.String(), want) || !strings.Contains(page.String(), want) {
			t.Errorf("text or page lack %q:\n%s", want, text.String())
		}
	}
}

// A window that is excluded altogether has no figures. What was excluded, and a page
// that fires all the same, are shown.
// An objective without a window has nothing to show, and nothing panics.
func TestBudgetWithoutWindow(t *testing.T) {
	r := report.BudgetReport{At: start, Budgets: []report.Budget{{Objective: slo.Objective{ID: "bare", Service: "shop"}}}}
	if d := r.Data(); len(d.SLOs) != 1 || d.SLOs[0].ID != "bare" || d.SLOs[0].Window.Kind != "" {
		t.Errorf("data %+v", d)
	}
	if err := r.Document().Validate(); err != nil {
		t.Error(err)
	}
}

func TestBudgetExcluded(t *testing.T) {
	o := budgetObjective("99")
	o.Policy.Rules = []slo.Rule{{Name: "quiet", Severity: slo.Page, Kind: slo.Silence, Long: 10 * time.Minute}}
	out := slo.Exclusion{Interval: calendar.Interval{Start: budgetStart.Add(-48 * time.Hour), End: budgetStart.Add(-time.Hour)}, Reason: "move of the database"}
	tracker, err := slo.NewTracker(o, &slo.TrackerOptions{Exclusions: []slo.Exclusion{out}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tracker.Observe(out.End.Add(-time.Hour), slo.Counts{Good: 1, Total: 1}), tracker.Advance(budgetStart)); err != nil {
		t.Fatal(err)
	}
	b, err := report.BudgetOf(o, tracker)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := (report.BudgetReport{At: b.Status.At, Budgets: []report.Budget{b}}).Document().Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"▲ no data", "quiet fires", "Nothing was measured", "move of the database", "✕ firing"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, text.String())
		}
	}
}

// 12 of 1000 at 97 % are 40 % of the budget, 24 are 80 %, 30 are all of it.
func TestBudgetPolicy(t *testing.T) {
	for _, c := range []struct {
		name, data string
		unused     slo.Ratio
		bad        []int // of ten events, in the last rows
		text       []string
	}{
		{
			"nothing due", `"budget_policy":{"due":[],"next":{"name":"review","consumed_percent":50,"text":"Look for the main causes of lost budget and plan their repair."},"until_percent":10,"unused_percent":null}`,
			slo.Ratio{},
			[]int{10, 2},
			[]string{"next, 10 % of the budget away"},
		},
		{
			"two due", `"next":{"name":"freeze","consumed_percent":100,"text":"Release nothing but repairs and security fixes."},"until_percent":20,"unused_percent":null}`,
			slo.Ratio{},
			[]int{10, 10, 4},
			[]string{"objective met, caution is due", "▲ due", "next, 20 % of the budget away"},
		},
		{"exactly all", `"next":null,"until_percent":null,"unused_percent":null}`, slo.Ratio{}, []int{10, 10, 10}, []string{"budget exhausted, objective met, freeze is due"}},
		{"too good", `"until_percent":10,"unused_percent":60}`, slo.NewRatio(1, 2), []int{10, 2}, []string{"60 % of the budget is left at the end of the window, and 50 % may be"}},
		{"good enough", `"until_percent":10,"unused_percent":null}`, slo.NewRatio(3, 5), []int{10, 2}, nil},
	} {
		o := budgetObjective("97")
		o.Policy, o.BudgetPolicy = slo.Policy{}, slo.DefaultBudgetPolicy()
		o.BudgetPolicy.Unused = c.unused
		tracker, err := slo.NewTracker(o, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			counts := slo.Counts{Good: 10, Total: 10}
			if i < len(c.bad) {
				counts.Good -= uint64(c.bad[i])
			}
			if err := tracker.Observe(budgetStart.Add(time.Duration(i)*time.Minute), counts); err != nil {
				t.Fatal(err)
			}
		}
		b, err := report.BudgetOf(o, tracker)
		if err != nil {
			t.Fatal(err)
		}
		r := report.BudgetReport{At: b.Status.At, Budgets: []report.Budget{b}}
		data, err := json.Marshal(r.Data())
		if err != nil || !strings.Contains(string(data), c.data) {
			t.Errorf("%s: data lack %s: %v\n%s", c.name, c.data, err, data)
		}
		var text, page bytes.Buffer
		if err := errors.Join(r.Document().Text(&text), r.Document().HTML(&page)); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.text {
			if !strings.Contains(text.String(), want) || !strings.Contains(page.String(), want) {
				t.Errorf("%s: text or page lack %q:\n%s", c.name, want, text.String())
			}
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
