package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/evenkeelops/evenkeel/adapters/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var start = time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)

func sample(tb testing.TB) report.Document {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		tb.Fatal(err)
	}
	points := []report.Point{{At: start, Value: 1}, {At: start.Add(time.Hour), Value: 4}, {At: start.Add(2 * time.Hour), Value: math.NaN()}, {At: start.Add(3 * time.Hour), Value: 2}}
	return report.Document{
		Title: "A night <of> October", Subtitle: "25 hours & a fold", Generated: start.Add(4 * time.Hour), Zone: zone,
		Sources: []report.Source{{Name: "a.csv", SHA256: "00ff"}},
		Sections: []report.Section{
			{ID: "summary", Title: "Summary", Blocks: []report.Block{
				report.Text(`Tom & "Jerry" <b>`),
				report.Tiles{{Label: "api", Value: "99.926174 %", Note: "target 99.9 %, met", State: report.Good}, {Label: "shop", State: report.NoData}},
			}},
			{ID: "details", Title: "Details", Blocks: []report.Block{
				report.Table{
					Caption: "Credits", Columns: []report.Column{{Title: "Clause"}, {Title: "Amount", Numeric: true}},
					Rows: [][]report.Cell{{{Text: "availability", State: report.Bad}, {Text: "10000.00 EUR"}}, {{Text: "response"}, {Text: "500.00 EUR"}}},
				},
				report.Timeline{{At: start.Add(30 * time.Minute), Stage: "page", Text: "sarah", Why: "on call"}, {At: start.Add(90 * time.Minute), Stage: "resolve", Text: "INC-1"}},
				report.Chart{
					ID: "burn", Title: "Burn", Summary: "Burn rose to 4.", Start: start, End: start.Add(4 * time.Hour), Unit: "×",
					Series: []report.Series{{Name: "1 h", Step: true, Points: points}},
					Limits: []report.Limit{{Name: "page", Value: 3}},
					Spans:  []report.Span{{Name: "db down", Start: start.Add(time.Hour), End: start.Add(2 * time.Hour), State: report.Bad}},
					Marks:  []report.Mark{{Name: "INC-1 opened", At: start.Add(65 * time.Minute)}, {Name: "INC-2 <opened>", At: start.Add(66 * time.Minute)}, {Name: "INC-3 opened", At: start.Add(67 * time.Minute)}},
				},
			}},
		},
	}
}

func TestGolden(t *testing.T) {
	for name, render := range map[string]func(report.Document, io.Writer) error{
		"sample.txt": report.Document.Text, "sample.json": report.Document.JSON, "sample.html": report.Document.HTML, "sample.md": report.Document.Markdown,
	} {
		var got, again bytes.Buffer
		if err := render(sample(t), &got); err != nil {
			t.Fatal(err)
		}
		if err := render(sample(t), &again); err != nil || !bytes.Equal(got.Bytes(), again.Bytes()) {
			t.Errorf("%s: two renderings differ, %v", name, err)
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s differs from %s; run with -update if the change is wanted:\n%s", name, path, got.String())
		}
	}
}

// The page escapes every text, has no script, loads nothing, and its SVG is
// well-formed.
func TestHTMLIsSafeAndSelfContained(t *testing.T) {
	var page bytes.Buffer
	if err := sample(t).HTML(&page); err != nil {
		t.Fatal(err)
	}
	html := page.String()
	for _, want := range []string{"<!doctype html>", "<title>A night &lt;of&gt; October</title>", "Tom &amp; &#34;Jerry&#34; &lt;b&gt;", "INC-1 opened", "✕ availability", "– no data", "CEST", "<desc"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<script", "<link", "http://", "https://", "<b>", "<opened>", "style=\""} {
		if strings.Contains(html, never) {
			t.Errorf("the page contains %q", never)
		}
	}
	svg := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindString(html)
	if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
		t.Errorf("the chart is not well-formed XML: %v", err)
	}
}

func TestJSONKeepsNoDataAsNull(t *testing.T) {
	var out bytes.Buffer
	if err := sample(t).JSON(&out); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(out.Bytes()) || !strings.Contains(out.String(), "null") || strings.Contains(out.String(), "NaN") {
		t.Errorf("want valid JSON with null for the gap:\n%s", out.String())
	}
}

// Labels of marks never cover each other, and a gap interrupts the line.
func TestChartDrawing(t *testing.T) {
	doc := sample(t)
	chart := doc.Sections[1].Blocks[2].(report.Chart)
	svg := chart.SVG(doc.Zone)
	labels := regexp.MustCompile(`<text class="mark" x="([0-9.]+)" y="([0-9.]+)">([^<]*)`).FindAllStringSubmatch(svg, -1)
	if len(labels) != 2 {
		t.Fatalf("%d mark labels, want 2: three that close do not fit into two rows", len(labels))
	}
	if labels[0][2] == labels[1][2] {
		t.Errorf("the labels %q and %q share a row", labels[0][3], labels[1][3])
	}
	path := regexp.MustCompile(` d="([^"]*)"`).FindStringSubmatch(svg)[1]
	if strings.Count(path, "M") != 2 {
		t.Errorf("path %q: want two stretches around the gap", path)
	}
	// 04:00 of the zone's clock is five hours after midnight of the fold day.
	if !strings.Contains(svg, ">02:00<") || strings.Count(svg, ">02:00<") != 2 {
		t.Errorf("the time axis must show 02:00 twice on the day of the fold")
	}
}

func TestChartThinsLongSeries(t *testing.T) {
	points := make([]report.Point, 100_000)
	for i := range points {
		points[i] = report.Point{At: start.Add(time.Duration(i) * time.Second), Value: 1}
	}
	points[54_321].Value = 100 // one spike must survive
	c := report.Chart{ID: "x", Start: start, End: start.Add(100_000 * time.Second), Series: []report.Series{{Points: points}}}
	svg := c.SVG(time.UTC)
	if n := strings.Count(svg, "L"); n > 1000 {
		t.Errorf("path has %d points, want at most 1000", n)
	}
	if !strings.Contains(svg, " 44L") { // y of the top of the plot
		t.Error("the spike was thinned away")
	}
}

// Names of limits never cover each other or those of the marks.
func TestChartLimits(t *testing.T) {
	c := report.Chart{
		ID: "x", Start: start, End: start.Add(time.Hour), Max: 10,
		Limits: []report.Limit{{Name: "top", Value: 10}, {Name: "page", Value: 5}, {Name: "ticket", Value: 4.8}, {Name: "low", Value: 1}, {Name: "beyond", Value: 11}},
	}
	svg := c.SVG(time.UTC)
	labels := regexp.MustCompile(`<text class="limit" x="904" y="([0-9.]+)"[^>]*>([a-z]+)<`).FindAllStringSubmatch(svg, -1)
	var got []string
	for _, l := range labels {
		got = append(got, l[2]+" "+l[1])
	}
	if want := "top 58,page 128,low 198.4"; strings.Join(got, ",") != want { // plot from y 44 (10) to 220 (0)
		t.Errorf("labels %q, want %q: ticket would cover page", got, want)
	}
	if n := strings.Count(svg, `<line class="limit"`); n != 4 {
		t.Errorf("%d lines, want 4: the one above the top is not drawn", n)
	}
}

// An axis has a bounded number of ticks, whatever is drawn.
func TestChartAxes(t *testing.T) {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	count := func(top float64, from, to time.Time) (values, times int) {
		c := report.Chart{ID: "x", Start: from, End: to, Series: []report.Series{{Points: []report.Point{{At: from, Value: top}}}}}
		svg := c.SVG(amsterdam)
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("top %g from %v to %v: the drawing has a coordinate that is no number", top, from, to)
		}
		return strings.Count(svg, `class="axis" x="48"`), strings.Count(svg, `text-anchor="middle"`)
	}
	for _, top := range []float64{0, -1, 5e-324, 1e-8, 0.07, 1, 99, 12345, math.MaxFloat64, math.Inf(1), math.NaN()} {
		if n, _ := count(top, start, start.Add(time.Hour)); n < 2 || n > 8 {
			t.Errorf("top %g: %d values on the axis, want 2 to 8", top, n)
		}
	}
	for _, length := range []time.Duration{time.Second, time.Minute, 47 * time.Minute, 25 * time.Hour, 31 * 24 * time.Hour, 400 * 24 * time.Hour, 200 * 365 * 24 * time.Hour, math.MaxInt64} {
		if _, n := count(1, start, start.Add(length)); n > 10 || n < 3 && length > time.Hour {
			t.Errorf("%v: %d times on the axis, want 3 to 10", length, n)
		}
	}
	// Midnights of the zone, over the change of the clock on 29 March.
	c := report.Chart{ID: "x", Start: time.Date(2026, 3, 25, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC)}
	svg := c.SVG(amsterdam)
	for _, day := range []string{"26 Mar", "27 Mar", "28 Mar", "29 Mar", "30 Mar", "31 Mar", "1 Apr", "2 Apr"} {
		if strings.Count(svg, ">"+day+"<") != 1 {
			t.Errorf("%s is %d times on the axis, want once", day, strings.Count(svg, ">"+day+"<"))
		}
	}
}

func TestValidate(t *testing.T) {
	chart := report.Chart{ID: "c", Start: start, End: start.Add(time.Hour)}
	with := func(change func(*report.Chart)) report.Chart {
		c := chart
		change(&c)
		return c
	}
	section := func(blocks ...report.Block) []report.Section {
		return []report.Section{{ID: "s", Title: "S", Blocks: blocks}}
	}
	for name, c := range map[string]struct {
		sections []report.Section
		want     string
	}{
		"no id":          {[]report.Section{{}}, `sections[0]: id ""`},
		"id of words":    {[]report.Section{{ID: "a b"}}, `sections[0]: id "a b"`},
		"id twice":       {[]report.Section{{ID: "a"}, {ID: "a"}}, `sections[1]: id "a"`},
		"chart id taken": {section(with(func(c *report.Chart) { c.ID = "s" })), `sections[0].blocks[0]: id "s"`},
		"nil block":      {section(nil), `found <nil>, want Text`},
		"pointer":        {section(&chart), `found *report.Chart, want Text`},
		"short row":      {section(report.Table{Columns: make([]report.Column, 2), Rows: [][]report.Cell{{{}}}}), `row 0 has 1 cells, want 2`},
		"title's id":     {[]report.Section{{ID: "c-t", Blocks: []report.Block{chart}}}, `sections[0].blocks[0]: id "c-t"`},
		"foot":           {section(report.Bars{ID: "b", Min: -1}), `min -1: want a number, 0 or more`},
		"top below foot": {section(report.Bars{ID: "b", Min: 99, Max: 98}), `max 98: want a number above the min 99`},
		"bars' limit":    {section(report.Bars{ID: "b", Limits: []report.Limit{{Name: "x", Value: math.Inf(1)}}}), `limit "x" at +Inf`},
		"many bars":      {section(report.Bars{ID: "b", Bars: make([]report.Bar, 401)}), `401 bars, want at most 400`},
		"no time":        {section(with(func(c *report.Chart) { c.End = c.Start })), `want an instant before the end`},
		"endless axis":   {section(with(func(c *report.Chart) { c.Max = math.Inf(1) })), `max +Inf`},
		"limit":          {section(with(func(c *report.Chart) { c.Limits = []report.Limit{{Name: "x", Value: math.NaN()}} })), `limit "x" at NaN`},
	} {
		doc := report.Document{Sections: c.sections}
		for format, render := range map[string]func(io.Writer) error{"text": doc.Text, "json": doc.JSON, "html": doc.HTML, "markdown": doc.Markdown} {
			var out bytes.Buffer
			if err := render(&out); err == nil || !strings.Contains(err.Error(), c.want) || out.Len() != 0 {
				t.Errorf("%s as %s: %v with %d bytes, want %s and none", name, format, err, out.Len(), c.want)
			}
		}
	}
	for _, lang := range []string{"e", "en_GB", "1", "en--x", "en\"", "englishlanguage"} {
		if err := (report.Document{Locale: lang}).Validate(); err == nil || !strings.Contains(err.Error(), "lang") {
			t.Errorf("lang %q: %v, want an error", lang, err)
		}
	}
	for _, lang := range []string{"", "en", "pt-BR", "zh-Hant-TW", "de-1996"} {
		if err := (report.Document{Locale: lang}).Validate(); err != nil {
			t.Errorf("lang %q: %v", lang, err)
		}
	}
	if err := sample(t).Validate(); err != nil {
		t.Error(err)
	}
}

// Text and graphics of the page's own palette pass WCAG AA in both schemes.
func TestPaletteContrast(t *testing.T) {
	css, err := os.ReadFile("page.css")
	if err != nil {
		t.Fatal(err)
	}
	schemes := regexp.MustCompile(`:root\{[^}]*\}`).FindAllString(string(css), 2)
	for i, scheme := range schemes {
		background := []report.Color{report.LightBackground, report.DarkBackground}[i]
		checked := 0
		for _, m := range regexp.MustCompile(`--(fg|mute|good|warn|bad|plan|none|s[0-3]):(#[0-9a-f]{6})`).FindAllStringSubmatch(scheme, -1) {
			c, err := report.ParseColor(m[2])
			if err != nil {
				t.Fatal(err)
			}
			need := report.TextContrast
			if strings.HasPrefix(m[1], "s") {
				need = report.GraphicContrast
			}
			if ratio := report.Contrast(c, background); ratio < need {
				t.Errorf("--%s %s on %v: contrast %.2f, want %.1f", m[1], m[2], background, ratio, need)
			}
			checked++
		}
		if checked != 11 {
			t.Errorf("scheme %d: %d colours checked, want 11", i, checked)
		}
	}
}

func TestParseColor(t *testing.T) {
	if c, err := report.ParseColor("#1d4ed8"); err != nil || c.String() != "#1d4ed8" || c.On().String() != "#ffffff" {
		t.Errorf("ParseColor(#1d4ed8) = %v, %v", c, err)
	}
	if c, err := report.ParseColor("#09c"); err != nil || c.String() != "#0099cc" {
		t.Errorf("ParseColor(#09c) = %v, %v, want #0099cc", c, err)
	}
	for _, text := range []string{"", "#", "#ff", "#ffff", "fff", "1d4ed8", "#1d4edg", "#1d4ed80", "#+d4ed8"} {
		if c, err := report.ParseColor(text); err == nil {
			t.Errorf("ParseColor(%q) = %v, want an error", text, c)
		}
	}
}

func ExampleDocument_Text() {
	doc := report.Document{Title: "October", Sections: []report.Section{{
		ID: "availability", Title: "Availability",
		Blocks: []report.Block{report.Tiles{
			{Label: "api", Value: "99.926174 %", Note: "target 99.9 %, met", State: report.Good},
			{Label: "checkout", Value: "98.903803 %", Note: "target 99.9 %, missed", State: report.Bad},
		}},
	}}}
	if err := doc.Text(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// October
	// =======
	//
	// Availability
	// ------------
	// api       ✓ 99.926174 %  target 99.9 %, met
	// checkout  ✕ 98.903803 %  target 99.9 %, missed
}

// A band is one closed shape for each stretch without gaps, above the spans and below
// the lines, and its changes are listed.
func TestChartBand(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 10, 5, 0, minute, 0, 0, time.UTC) }
	chart := report.Chart{
		ID: "c", Title: "Load", Start: at(0), End: at(10), Max: 100,
		Series: []report.Series{{Name: "load", Points: []report.Point{{At: at(0), Value: 1}, {At: at(10), Value: 2}}}},
		Bands: []report.Band{{Name: "usual", Points: []report.Range{
			{At: at(0), Low: 0, High: 50}, {At: at(2), Low: 0, High: 50}, {At: at(4), Low: math.NaN(), High: 50}, {At: at(6), Low: 50, High: 100}, {At: at(10), Low: 50, High: 100},
		}}},
	}
	svg := chart.SVG(time.UTC)
	paths := regexp.MustCompile(`class="(band b0|series s0)" d="([^"]*)"`).FindAllStringSubmatch(svg, -1)
	if len(paths) != 3 || paths[2][1] != "series s0" {
		t.Fatalf("paths %q, want two of the band and then the line", paths)
	}
	// The plot is 848 wide from 56 on, and 176 high down to 220.
	for i, want := range []string{"M56 132L225.6 132L225.6 220L56 220Z", "M564.8 44L904 44L904 132L564.8 132Z"} {
		if paths[i][2] != want {
			t.Errorf("band %d is %q, want %q", i, paths[i][2], want)
		}
	}
	doc := report.Document{Title: "Load", Sections: []report.Section{{ID: "s", Title: "S", Blocks: []report.Block{chart}}}}
	var md strings.Builder
	if err := doc.Markdown(&md); err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| 5 Oct 2026 00:(..):00 UTC \| ([^|]*) \| ([^|]*) \|$`).FindAllStringSubmatch(md.String(), -1)
	if len(rows) != 3 || rows[0][3] != "50" || rows[2][1] != "06" || rows[2][2] != "50" || rows[2][3] != "100" {
		t.Errorf("changes %q of\n%s\nwant 0 to 50, a gap, 50 to 100", rows, md.String())
	}
	out, err := json.Marshal(chart.Bands[0].Points[1:3])
	if want := `[["2026-10-05T00:02:00Z",0,50],["2026-10-05T00:04:00Z",null,null]]`; err != nil || string(out) != want {
		t.Errorf("JSON %s, %v, want %s", out, err, want)
	}
}

// A correction names what it replaces: the report, or the correction before it.
func TestCorrectedNamesWhatItReplaces(t *testing.T) {
	d := report.Document{Title: "Report"}
	for n, want := range []string{"", "“Report”", "“Report, correction 1”", "“Report, correction 2”"} {
		c := d.Corrected(n)
		if n == 0 {
			if c.Title != "Report" || len(c.Sections) != 0 {
				t.Errorf("Corrected(0) = %+v", c)
			}
			continue
		}
		if text, ok := c.Sections[0].Blocks[0].(report.Text); !ok || !strings.Contains(string(text), want) || c.Title != fmt.Sprint("Report, correction ", n) {
			t.Errorf("Corrected(%d) is %q and says %q, want %s", n, c.Title, text, want)
		}
	}
}

// Names of the axis take the place of round times; one that would cover the one before is
// left out and keeps its line. Names of 8 letters are 49.6 wide. The axis has 848 units for
// 100 hours: those at 10, 15, 16 and 90 hours are at 140.8, 183.2, 191.68 and 819.2.
func TestChartTicks(t *testing.T) {
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	c := report.Chart{ID: "c", Title: "T", Start: start, End: start.Add(100 * time.Hour), Max: 1}
	for _, hours := range []time.Duration{10, 15, 16, 90} {
		c.Ticks = append(c.Ticks, report.Mark{Name: fmt.Sprintf("month %02d", hours), At: start.Add(hours * time.Hour)})
	}
	svg := c.SVG(time.UTC)
	var got []string
	for _, m := range regexp.MustCompile(`<line class="grid" x1="([^"]*)" x2="[^"]*" y1="220" y2="224"/>(?:<text [^>]*>([^<]*))?`).FindAllStringSubmatch(svg, -1) {
		got = append(got, strings.TrimSpace(m[1]+" "+m[2]))
	}
	if want := []string{"140.8 month 10", "183.2", "191.68 month 16", "819.2 month 90"}; !slices.Equal(got, want) {
		t.Errorf("ticks %q, want %q", got, want)
	}
}
