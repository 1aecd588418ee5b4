package report_test

import (
	"encoding/xml"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/report"
)

func waterfall() report.Steps {
	return report.Steps{ID: "w", Title: "Sum", Summary: "It ends at 50.", Unit: "EUR", Steps: []report.Step{
		{Label: "a", To: -50, Text: "down", State: report.Bad},
		{Label: "b", From: -50, To: 50, Text: "up", State: report.Good},
		{Label: "c", From: math.NaN(), To: 1},
		{Label: "d", From: 50, To: 50, Text: "same"},
	}}
}

// The labels are one letter, 6.2, and twice 4 wide; the texts at most "– no data", 9 letters
// or 55.8, and as much: the plot runs from 14.2 (−50) to 904 − 63.8 = 840.2 (50), and 0 is at
// 427.2. A slot is 176 / 4 = 44 high with a gap of 6.
func TestStepsDrawing(t *testing.T) {
	svg := waterfall().SVG()
	if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile(`<rect class="([^"]*)" x="([^"]*)" y="([^"]*)" width="([^"]*)" height="([^"]*)"><title>([^<]*)`).FindAllStringSubmatch(svg, -1) {
		got = append(got, strings.Join(m[1:], " "))
	}
	want := []string{"bar breached 14.2 47 413 38 a: ✕ down", "bar healthy 14.2 91 826 38 b: ✓ up", "bar plain 840.2 179 1.5 38 d: same"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("steps\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, want := range []string{`<line class="mark" x1="427.2" x2="427.2"`, ">– no data</text>", ">EUR</text>"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the drawing lacks %s: %s", want, svg)
		}
	}
}

// Rows around a limit need no 0 on the axis, and large values are drawn in their thousands.
func TestStepsAround(t *testing.T) {
	c := report.Steps{ID: "t", Limits: []report.Limit{{Name: "now", Value: 12e6}}, Steps: []report.Step{{Label: "fee", From: 13e6, To: 11e6}}}
	svg := c.SVG()
	if strings.Contains(svg, ">0</text>") || !strings.Contains(svg, ">12.0M</text>") || !strings.Contains(svg, ">now</text>") || !strings.Contains(svg, ">-2000000</text>") {
		t.Errorf("want an axis around 12.0M without 0: %s", svg)
	}
}

func TestStepsAxisStaysFinite(t *testing.T) {
	values := []float64{0, -1, 5e-324, -5e-324, 1e-12, 0.5, 1e300, math.MaxFloat64, -math.MaxFloat64, math.NaN(), math.Inf(1)}
	for _, from := range values {
		for _, to := range values {
			svg := report.Steps{ID: "x", Steps: []report.Step{{Label: "a", From: from, To: to, Text: "a"}}}.SVG()
			if strings.Contains(svg, "Inf") || strings.Contains(svg, "NaN") || strings.Count(svg, `class="grid"`) > 12 {
				t.Errorf("from %g to %g: %s", from, to, svg)
			}
		}
	}
}

func TestStepsDocument(t *testing.T) {
	doc := report.Document{Sections: []report.Section{{ID: "s", Blocks: []report.Block{waterfall()}}}}
	var md, text, data strings.Builder
	for _, write := range []error{doc.Markdown(&md), doc.Text(&text), doc.JSON(&data)} {
		if write != nil {
			t.Fatal(write)
		}
	}
	if want := "| Step | From (EUR) | To (EUR) | Change |\n| --- | ---: | ---: | ---: |\n| a | 0 | -50 | ✕ down |"; !strings.Contains(md.String(), want) {
		t.Errorf("the Markdown lacks %q:\n%s", want, md.String())
	}
	if !strings.Contains(text.String(), "Sum: It ends at 50.") {
		t.Errorf("text: %q", text.String())
	}
	if !strings.Contains(data.String(), `"from": null`) {
		t.Errorf("no data is not null: %s", data.String())
	}
	for _, bad := range []report.Steps{{ID: "b", Steps: make([]report.Step, 401)}, {ID: "b", Limits: []report.Limit{{Value: math.NaN()}}}, {}} {
		if (report.Document{Sections: []report.Section{{ID: "s", Blocks: []report.Block{bad}}}}).Validate() == nil {
			t.Errorf("%d steps with limits %v and id %q are valid", len(bad.Steps), bad.Limits, bad.ID)
		}
	}
}
