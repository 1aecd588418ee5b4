package report_test

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// captioned returns the texts of the table with a caption.
func captioned(t *testing.T, d report.Document, caption string) [][]string {
	t.Helper()
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			table, ok := b.(report.Table)
			if !ok || table.Caption != caption {
				continue
			}
			var rows [][]string
			for _, cells := range table.Rows {
				var row []string
				for _, c := range cells {
					row = append(row, c.Text)
				}
				rows = append(rows, row)
			}
			return rows
		}
	}
	t.Fatalf("no table %q", caption)
	return nil
}

func TestIncidentReview(t *testing.T) {
	at := time.Date(2026, 10, 14, 0, 0, 0, 0, time.UTC)
	var basis incident.Basis
	for i, hours := range []int{1, 3, 5} {
		end := at.Add(time.Duration(hours) * time.Hour)
		basis.Records = append(basis.Records, incident.Record{
			ID: "INC-" + string(rune('1'+i)), Severity: incident.P1, Services: []string{"<b>checkout</b>"}, Team: "blue", Component: "db", Score: 4,
			Cost:   money.Must(money.New(int64(hours)*10_000, "EUR")),
			Times:  incident.Times{Detected: at, Created: at, Acknowledged: at.Add(90 * time.Second), Resolved: end},
			Impact: []calendar.Interval{{Start: at, End: end}},
		})
	}
	basis.Changes = []incident.Change{{ID: "CHG-1", Title: "new index", Window: calendar.Interval{Start: at.AddDate(0, 1, 0), End: at.AddDate(0, 1, 1)}}}
	basis.Utilisation = big.NewRat(2, 3)
	var o incident.ReviewOptions
	o.Figures = incident.FiguresOptions{Period: incident.Month(2026, time.October, time.UTC), Targets: incident.DefaultTargets(), At: at.AddDate(0, 0, 20)}
	o.Targets = incident.DefaultKPITargets()
	o.Measures = []incident.TrackedMeasure{{Incident: "INC-1", Measure: incident.Measure{ID: "m1", Text: "raise the limit", Owner: "dba", Due: "2026-10-20"}}}
	review, err := basis.Review(o)
	if err != nil {
		t.Fatal(err)
	}
	d := report.IncidentReview{Review: review}.Document()
	// By hand: 9 hours of 744 down, all at once from midnight to five; three hours on average.
	for caption, want := range map[string][][]string{
		"Severity":                              {{"P1", "3", "1m30s", "3h", "1/3", "0/3", "0/3", "0/3", "4.00", "900.00 EUR"}},
		"Team":                                  {{"blue", "3", "1m30s", "3h", "1/3", "0/3", "0/3", "0/3", "4.00", "900.00 EUR"}},
		"Centre":                                {{"not known", "3", "1m30s", "3h", "1/3", "0/3", "0/3", "0/3", "4.00", "900.00 EUR"}},
		"Availability as the incidents have it": {{"<b>checkout</b>", "99.3280 %", "5h", "1"}},
		"The dearest":                           {{"INC-3", "1", "500.00 EUR", "500.00"}, {"INC-2", "1", "300.00 EUR", "300.00"}, {"INC-1", "1", "100.00 EUR", "100.00"}},
		"All; the cost of 0 more is not recorded": {{"all incidents", "3", "900.00 EUR", "300.00"}},
		"Incidents that took too long":            {{"INC-3", "5h", "< 2h"}, {"INC-2", "3h", "< 2h"}},
		"Planned":                                 {{"14 Nov 2026 00:00:00 UTC", "15 Nov 2026 00:00:00 UTC", "CHG-1 new index", ""}},
		"Measures that are not done":              {{"2026-10-20", "INC-1", "m1 raise the limit", "dba", ""}},
		"Incidents that come again":               {{"INC-1, INC-2, INC-3", "none yet", review.Improvements.Recurring[0].Why}},
	} {
		if got := captioned(t, d, caption); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s = %q, want %q", caption, got, want)
		}
	}
	kpis := map[string][]string{}
	for _, row := range captioned(t, d, "Key figures and targets") {
		kpis[row[0]] = row[2:]
	}
	for name, want := range map[string][]string{
		"mttr p1":               {"3h", "3", "< 2h", "missed"},
		"mttd":                  {"no data", "0", "", ""},
		"resource utilisation":  {"66.67 %", "1", "", ""},
		"cost per incident":     {"300.00 EUR", "3", "", ""},
		"incident volume":       {"3", "3", "", ""},
		"customer satisfaction": {"4.00", "3", "> 4.5/5", "missed"},
		"backup success rate":   {"no data", "0", "> 99%", ""},
	} {
		if !slices.Equal(kpis[name], want) {
			t.Errorf("%s = %q, want %q", name, kpis[name], want)
		}
	}
	var page, markdown bytes.Buffer
	if err := d.HTML(&page); err != nil {
		t.Fatal(err)
	}
	if err := d.Markdown(&markdown); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page.String()+markdown.String(), "<b>checkout") {
		t.Error("the name of a service became markup")
	}
}

// TestIncidentReviewOfNothing: a review without data is a document that says so.
func TestIncidentReviewOfNothing(t *testing.T) {
	var o incident.ReviewOptions
	o.Figures.Period = incident.Month(2026, time.October, time.UTC)
	review, err := incident.Basis{}.Review(o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (report.IncidentReview{Title: "October", Review: review}).Document().Text(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"October", "There were no incidents.", "No cost is recorded.", "no data", "No target was missed."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the text does not say %q", want)
		}
	}
}

// The incident part of a review as Markdown; the same document is a page or text.
func ExampleIncidentReview() {
	var o incident.ReviewOptions
	o.Figures.Period = incident.Month(2026, time.October, time.UTC)
	review, err := incident.Basis{Backups: incident.Share{Hits: 199, Of: 200}}.Review(o)
	if err != nil {
		fmt.Println(err)
		return
	}
	var out strings.Builder
	if err := (report.IncidentReview{Review: review}).Document().Markdown(&out); err != nil {
		fmt.Println(err)
	}
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, "backup") {
			fmt.Print(line)
		}
	}
	// Output:
	// | backup success rate | restores proven of those tried | 99.50 % | 200 |  |  |
}
