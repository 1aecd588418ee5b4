package report_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/sla"
)

// wellDrawn checks that a drawing is XML with a title and a description, without
// style of its own or a colour.
func wellDrawn(t *testing.T, svg string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("drawing is not well-formed: %v\n%s", err, svg)
		}
	}
	for _, want := range []string{"<title id=", "<desc id=", `role="img"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("drawing lacks %s:\n%s", want, svg)
		}
	}
	if found := regexp.MustCompile(`style=|fill="#|stroke="#|NaN|Inf|rgb\(`).FindString(svg); found != "" {
		t.Errorf("drawing holds %q:\n%s", found, svg)
	}
}

func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		part, of uint64
		want     report.DayClass
		glyph    string
	}{
		{86400, 86400, report.DayFull, ""},
		{999_999_999, 1_000_000_000, report.DayGood, ""},
		{999, 1000, report.DayGood, ""},
		{998_999_999, 1_000_000_000, report.DayFair, "·"},
		{995, 1000, report.DayFair, "·"},
		{994_999_999, 1_000_000_000, report.DayPoor, "–"},
		{99, 100, report.DayPoor, "–"},
		{989_999_999, 1_000_000_000, report.DayBad, "×"},
		{0, 1, report.DayBad, "×"},
	} {
		f, err := sla.NewFraction(c.part, c.of)
		if err != nil {
			t.Fatal(err)
		}
		if got := report.ClassOf(f); got != c.want || got.Glyph() != c.glyph {
			t.Errorf("ClassOf(%d/%d) = %d %q, want %d %q", c.part, c.of, got, got.Glyph(), c.want, c.glyph)
		}
	}
	if got := report.ClassOf(sla.Fraction{}); got != report.DayNoData {
		t.Errorf("ClassOf of nothing = %d, want no data", got)
	}
}

func TestDayMap(t *testing.T) {
	m := report.DayMap{ID: "m", Title: "a < b", Summary: "two months", Months: []report.DayRow{
		{Label: "Feb", Days: []report.CalendarDay{{Class: report.DayBefore}, {Class: report.DayFull}, {Class: report.DayFull}, {Class: report.DayBad}, {Class: report.DayNoData}}},
		{Label: "Mar", Days: []report.CalendarDay{{Class: report.DayFair, Excluded: true}}},
	}}
	svg := m.SVG()
	wellDrawn(t, svg)
	// The first day is at 96, each is 26 wide: two full ones are one box from 122 on, 52 wide.
	for _, want := range []string{`class="d2" d="M122 18h52v18h-52z"`, `class="d6" d="M174 18h26v18h-26z"`, `class="hatch"`, `class="out" d="M96 53h26v3h-26z"`, ">×</text>", ">·</text>", ">Feb</text>", "a &lt; b"} {
		if !strings.Contains(svg, want) {
			t.Errorf("map lacks %s:\n%s", want, svg)
		}
	}
	if strings.Contains(svg, `class="d1"`) {
		t.Error("time before the evidence is drawn, want it blank")
	}
}

func TestDayStrip(t *testing.T) {
	svg := report.DayStrip{ID: "s", Title: "t", Summary: "s", Days: []report.CalendarDay{{Class: report.DayFull}, {Class: report.DayBad}, {Class: report.DayNoData}, {Class: report.DayBefore}}}.SVG()
	wellDrawn(t, svg)
	// A bad day is a third as high as a good one, so nobody needs the colour: 28 and 8.4.
	for _, want := range []string{`class="d2" d="M0 0h4.5v28h-4.5z"`, `class="d6" d="M6 19.6h4.5v8.4h-4.5z"`, `class="hatch"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("strip lacks %s:\n%s", want, svg)
		}
	}
	wellDrawn(t, report.DayStrip{ID: "s"}.SVG())
}

func TestSpark(t *testing.T) {
	svg := report.Spark{ID: "s", Title: "t", Summary: "s", Values: []float64{0, 1, math.NaN(), 1}, Limit: 0.5}.SVG()
	wellDrawn(t, svg)
	// From 3 to 117 in four points, 25 is the foot and 3 the top; the gap parts the line.
	for _, want := range []string{`d="M3 25L41 3M117 3"`, `class="limit" d="M0 14H120"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("spark lacks %s:\n%s", want, svg)
		}
	}
	for _, values := range [][]float64{nil, {math.NaN()}, {5}, {5, 5}, {math.Inf(1), 1}} {
		wellDrawn(t, report.Spark{ID: "s", Values: values, Limit: math.NaN()}.SVG())
	}
	many := make([]float64, 5000)
	for i := range many {
		many[i] = float64(i % 7)
	}
	if n := strings.Count(report.Spark{ID: "s", Values: many, Limit: math.NaN()}.SVG(), "L"); n > 1000 {
		t.Errorf("a path of 5000 values has %d points, want at most 1000", n)
	}
	// What is thinned stays in its place: from the middle on, 60, there are ones too.
	for i := range many {
		many[i] = 0
		if i >= len(many)/2 {
			many[i] = float64(i % 2)
		}
	}
	ones := regexp.MustCompile(`L([0-9.]+) 3[^0-9.]`).FindStringSubmatch(report.Spark{ID: "s", Values: many, Limit: math.NaN()}.SVG())
	if ones == nil || !strings.HasPrefix(ones[1], "60") {
		t.Errorf("the first one stands at %q, want at 60", ones)
	}
}

func TestStack(t *testing.T) {
	svg := report.Stack{ID: "s", Title: "t", Summary: "s", Names: []string{"P1", "P2"}, Columns: []report.StackColumn{{Label: "Sep", Values: []int{2, 2}}, {Label: "Oct"}}}.SVG()
	wellDrawn(t, svg)
	// The plot is 176 high for four: each part has 88, the second stands on the first.
	for _, want := range []string{`class="p0"`, `y="132"`, `y="44"`, `height="88"`, ">P2</text>", `class="hatch"`, ">Oct</text>"} {
		if !strings.Contains(svg, want) {
			t.Errorf("stack lacks %s:\n%s", want, svg)
		}
	}
	wellDrawn(t, report.Stack{ID: "s"}.SVG())
}

// A chart of a day with 25 hours is hatched where nobody measured, and its days have
// the names of the language.
func TestChartIn(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, zone)
	c := report.Chart{
		ID: "c", Title: "t", Summary: "s", Start: start, End: start.AddDate(0, 1, 0),
		Series: []report.Series{{Name: "x", Points: []report.Point{{At: start, Value: 1}}}},
		Limits: []report.Limit{{Name: "exhausted", Start: true}},
		Spans:  []report.Span{{Name: "gap", Start: start.AddDate(0, 0, 24), End: start.AddDate(0, 0, 25), State: report.NoData}},
	}
	svg := c.SVGIn("de", zone)
	wellDrawn(t, svg)
	// 848 units for 745 hours: the day with 25 hours is 28.46 wide.
	for _, want := range []string{"5. Okt.", `width="28.46"`, `class="hatch"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("chart lacks %s:\n%s", want, svg)
		}
	}
	if !strings.Contains(svg, `class="limit" x="60"`) {
		t.Errorf("the name of the limit does not stand at its start:\n%s", svg)
	}
	if bars := (report.Bars{ID: "b", Bars: []report.Bar{{Label: "a", Value: 1234.5}}}).SVGIn("de"); !strings.Contains(bars, "1.234,5") {
		t.Errorf("bars are not in German:\n%s", bars)
	}
}

func ExampleDayStrip() {
	strip := report.DayStrip{ID: "api", Title: "api, two days", Summary: "One of two days without downtime.", Days: []report.CalendarDay{{Class: report.DayFull}, {Class: report.DayBad}}}
	fmt.Println(strings.Count(strip.SVG(), "<path"))
	// Output: 2
}
