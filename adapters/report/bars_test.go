package report_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/report"
)

func days() report.Bars {
	return report.Bars{
		ID: "days", Title: "Availability", Summary: "One day was below the target.", Unit: "%", Per: "Day", Min: 99, Max: 100,
		Limits: []report.Limit{{Name: "target 99.9", Value: 99.9}, {Name: "hidden", Value: 98}},
		Bars: []report.Bar{
			{Label: "1 Oct", Value: 100, State: report.Good},
			{Label: "2 Oct", Value: 99.5, State: report.Bad},
			{Label: "3 Oct", Value: math.NaN()},
			{Label: "4 Oct", Value: 12, State: report.Bad},
			{Label: "5 Oct", Value: 99.25, Text: "99.250000"},
		},
	}
}

// The plot runs from y 44 (100) to 220 (99): half a per cent is 88 units.
func TestBarsDrawing(t *testing.T) {
	svg := days().SVG()
	if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile(`<rect class="([^"]*)" x="[^"]*" y="([^"]*)" width="[^"]*" height="([^"]*)"( fill="url\(#days-h\)")?><title>([^<]*)`).FindAllStringSubmatch(svg, -1) {
		got = append(got, m[1]+" "+m[2]+" "+m[3]+m[4]+" "+m[5])
	}
	want := []string{
		"bar healthy 44 176 1 Oct: ✓ 100", "bar breached 132 88 2 Oct: ✕ 99.5", `bar no-data 44 176 fill="url(#days-h)" 3 Oct: – no data`,
		"bar breached 217 3 4 Oct: ✕ 12", "bar plain 176 44 5 Oct: 99.250000",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("bars\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, want := range []string{
		`<desc id="days-d">One day was below the target. Bars begin at 99 %, not at 0.</desc>`, `>Bars begin at 99 %, not at 0.</text>`, `<pattern id="days-h"`,
		`y1="61.6" y2="61.6"`, ">target 99.9</text>", ">99.0</text>", ">✕ 99.5</text>",
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("the drawing lacks %s", want)
		}
	}
	for _, never := range []string{"hidden", "style=", "#0", "NaN"} {
		if strings.Contains(svg, never) {
			t.Errorf("the drawing contains %s", never)
		}
	}
}

// Names of days never cover each other, and narrow bars carry no text.
func TestBarsOfAYear(t *testing.T) {
	c := days()
	c.Bars = nil
	for i := range report.MaxBars {
		c.Bars = append(c.Bars, report.Bar{Label: fmt.Sprintf("day %d", i), Value: 99.5, State: report.Bad})
	}
	svg := c.SVG()
	last := math.Inf(-1)
	names := regexp.MustCompile(`<text class="axis" x="([0-9.]+)" y="238" text-anchor="middle">([^<]*)`).FindAllStringSubmatch(svg, -1)
	for _, m := range names {
		var x float64
		if _, err := fmt.Sscan(m[1], &x); err != nil {
			t.Fatal(err)
		}
		width := 6.2 * float64(len(m[2])) // as the drawing estimates it
		if x-width/2 < last {
			t.Errorf("%s covers the name before it", m[2])
		}
		last = x + width/2
	}
	if len(names) < 5 || strings.Contains(svg, `class="value`) {
		t.Errorf("%d names, want 5 or more, and no text on narrow bars", len(names))
	}
}

func TestBarsAxisStaysFinite(t *testing.T) {
	for _, value := range []float64{0, -1, 5e-324, 1e-12, 0.5, 1e300, math.MaxFloat64, math.NaN(), math.Inf(1)} {
		for _, low := range []float64{0, 1e-9, 99, 1e300} {
			c := report.Bars{ID: "x", Min: low, Bars: []report.Bar{{Label: "a", Value: value}}}
			svg := c.SVG()
			if strings.Contains(svg, "Inf") || strings.Contains(svg, "NaN") || strings.Count(svg, `class="grid"`) > 8 {
				t.Errorf("value %g over %g: %s", value, low, svg)
			}
		}
	}
}

func TestBarsDocument(t *testing.T) {
	doc := report.Document{Locale: "nl", Sections: []report.Section{{ID: "s", Blocks: []report.Block{days()}}}}
	var html, md, text strings.Builder
	if err := doc.HTML(&html); err != nil {
		t.Fatal(err)
	}
	if err := doc.Markdown(&md); err != nil {
		t.Fatal(err)
	}
	if err := doc.Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="nl">`, `<caption>Waarden: Availability</caption>`, `<th scope="col">Day</th>`, `<td class="num">99.250000</td>`, `<td class="num no-data">– geen gegevens</td>`} {
		if !strings.Contains(html.String(), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, want := range []string{"**Availability**\n\nOne day was below the target.\n", "| Day | Waarde (%) |\n| --- | ---: |\n| 1 Oct | ✓ 100 |", "| 3 Oct | – geen gegevens |"} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("the Markdown lacks %q:\n%s", want, md.String())
		}
	}
	if !strings.Contains(text.String(), "Availability: One day was below the target.") {
		t.Errorf("text: %q", text.String())
	}
	bar, err := json.Marshal(days().Bars[2])
	if err != nil || string(bar) != `{"label":"3 Oct","value":null}` {
		t.Errorf("no data is %s, %v", bar, err)
	}
}
