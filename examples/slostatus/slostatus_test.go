package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

// golden are the extensions of the golden files; those of rules and their tests are
// in package promrules.
var golden = map[string]string{"text": "txt", "json": "json", "svg": "svg", "html": "html", "grafana": "dashboard.json"}

var formats = []string{"text", "json", "svg", "html", "promrules", "promtests", "grafana"}

func TestGolden(t *testing.T) {
	for format, extension := range golden {
		programtest.Golden(t, format, extension)
	}
}

// Two runs give the same bytes, whatever the zone of the machine.
func TestDeterministic(t *testing.T) {
	for _, format := range formats {
		args := []string{"-format", format, "-explain"}
		first := programtest.Run(t, []string{"TZ=UTC", "GOMAXPROCS=1"}, nil, args...)
		second := programtest.Run(t, []string{"TZ=Asia/Kathmandu", "GOMAXPROCS=2"}, nil, args...)
		if first.Stdout != second.Stdout || first.Exit != 0 || second.Exit != 0 {
			t.Errorf("%s: two runs differ", format)
		}
	}
}

// The figures of the sample, by hand. Shop: 47 rows of 1200 events before noon, 66 of
// 1500 until six (six more lie in maintenance) and 49 of 1800 after it make 243 600;
// bad are 8 · 60 at noon, 13 · 45 at night and 20 single ones, 1085. 0.1 % of the
// events are 243.6. The hour up to 21:30 holds 7 rows of the night, 315 bad of
// 21 600 at least, 1.458 %, and is the first above 1.44 %. Search: 168 slices but
// one without a row; 9 of them, from 10:00 on, have 6 % errors.
func TestSample(t *testing.T) {
	r := programtest.Result(t, nil)
	programtest.Equal(t, r, "sample", true)
	programtest.Equal(t, r, "slos.0.id", "search-slices")
	programtest.Equal(t, r, "slos.0.sli_kind", "time_slices")
	programtest.Equal(t, r, "slos.0.good", 158)
	programtest.Equal(t, r, "slos.0.bad", 9)
	programtest.Equal(t, r, "slos.0.sli_percent", 94.610778) // 158/167
	programtest.Equal(t, r, "slos.0.budget.unit", "slices")
	programtest.Equal(t, r, "slos.0.budget.allowed", 8.35)

	programtest.Equal(t, r, "slos.1.id", "shop-30d")
	programtest.Equal(t, r, "slos.1.total", 243600)
	programtest.Equal(t, r, "slos.1.bad", 1085)
	programtest.Equal(t, r, "slos.1.sli_percent", 99.554597) // 99.55459770…, cut
	programtest.Equal(t, r, "slos.1.met", false)
	programtest.Equal(t, r, "slos.1.state", "exhausted")
	programtest.Equal(t, r, "slos.1.budget.allowed", 243.6)
	programtest.Equal(t, r, "slos.1.budget.left", -841.4)
	programtest.Equal(t, r, "slos.1.window.coverage_percent", 1.944444) // 14 h of 30 days
	programtest.Equal(t, r, "slos.1.window.excluded_s", 1800)
	programtest.Equal(t, r, "slos.1.exclusions.0.reason", "maintenance MW-31")
	programtest.Equal(t, r, "slos.1.burn.2.window_s", 3600)
	programtest.Equal(t, r, "slos.1.burn.2.rate", 25) // 12 · 45 of 12 · 1800 is 2.5 %
	programtest.Equal(t, r, "slos.1.alerts.0.firing", true)
	programtest.Equal(t, r, "slos.1.alerts.0.since", "2026-09-17T21:30:00Z")
	programtest.Equal(t, r, "slos.1.alerts.0.threshold", 0.0144)
	programtest.Equal(t, r, "slos.1.exhausts_at", "2026-09-17T22:00:00Z")

	programtest.Equal(t, r, "slos.2.window.start", "2026-08-31T23:00:00Z") // midnight in Lisbon
	programtest.Equal(t, r, "slos.2.met", true)
	programtest.Equal(t, r, "slos.3.state", "no_data")
	programtest.Equal(t, r, "slos.3.sli_percent", nil)
	programtest.Equal(t, r, "slos.3.met", nil)
	programtest.Equal(t, r, "slos.3.exhausts_at", nil)
	programtest.Equal(t, r, "slos.3.budget.left_percent", 100)
}

// A number is the same in every format, and no page loads anything.
func TestFormatsAgree(t *testing.T) {
	for _, format := range []string{"text", "json", "html"} {
		text := programtest.Run(t, nil, nil, "-format", format).Stdout
		for _, number := range []string{"94.610778", "99.554597", "841.4", "243.6", "1.944444"} {
			if !strings.Contains(text, number) {
				t.Errorf("%s lacks %s", format, number)
			}
		}
	}
	page := programtest.Run(t, nil, nil, "-format", "html").Stdout
	// Three objectives have data: a chart of the budget each, one of the burn rate for two.
	if n := strings.Count(page, "<svg"); n != 5 {
		t.Errorf("%d drawings in the page, want 5", n)
	}
	image := programtest.Run(t, nil, nil, "-format", "svg").Stdout
	if n := strings.Count(image, `<svg class="chart"`); n != 5 || !strings.HasPrefix(image, `<svg xmlns="http://www.w3.org/2000/svg"`) {
		t.Errorf("%d drawings in the image, want 5", n)
	}
	if err := xml.Unmarshal([]byte(image), new(struct{ XMLName xml.Name })); err != nil {
		t.Errorf("the image is no XML: %v", err)
	}
	for _, text := range []string{page, strings.Replace(image, "http://www.w3.org/2000/svg", "", 1)} {
		for _, never := range []string{"<script", "http:", "https:", "NaN"} {
			if strings.Contains(text, never) {
				t.Errorf("a page contains %q", never)
			}
		}
	}
}

const objectives = "version: 1\nslos:\n  - {id: a, service: api, objective_percent: 99, window: 1d, alerts: [{name: x, severity: page, long: 1h, short: 5m, burn: 2}]}\n"

const header = "time,service,good,total\n"

// The order of rows does not matter, nor does their form.
func TestSameRowsInOtherForms(t *testing.T) {
	const at = "2026-10-01T12:00:00Z"
	args := []string{"-config", "slo.yaml", "-at", at, "-now", at, "-series"}
	want := ""
	for _, c := range []struct{ name, text string }{
		{"sli.csv", header + "2026-10-01T11:50:00Z,api,9,10\n2026-10-01T11:55:00Z,api,10,10\n2026-10-01T12:00:00Z,api,5,10\n2026-10-01T12:05:00Z,api,0,10\n"},
		{"mixed.csv", header + "2026-10-01T12:05:00Z,api,0,10\n2026-10-01T12:00:00Z,api,5,10\n2026-10-01T11:50:00Z,api,9,10\n2026-10-01T13:55:00+02:00,api,10,10\n"},
		{"columns.csv", "total,good,time,service\n10,9,2026-10-01T11:50:00Z,api\n10,9,2026-10-01T11:50:00Z,api\n10,10,2026-10-01T11:55:00Z,api\n10,5,2026-10-01T12:00:00Z,api\n"},
		{"sli.jsonl", `{"time":"2026-10-01T11:50:00Z","service":"api","good":9,"total":10}` + "\n\n" + `{ "total" : 10, "good": "10", "service":"\u0061pi", "time":"2026-10-01T11:55:00Z" }` + "\n" + `{"time":"2026-10-01T12:00:00Z","service":"api","good":5,"total":10}`},
	} {
		r := programtest.Result(t, map[string]string{"slo.yaml": objectives, c.name: c.text}, append(args, "-sli", c.name)...)
		text, err := json.Marshal(r["slos"])
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(text)
			programtest.Equal(t, r, "slos.0.bad", 6) // of 30
			programtest.Equal(t, r, "slos.0.total", 30)
			programtest.Equal(t, r, "slos.0.alerts.0.since", at)
			programtest.Equal(t, r, "slos.0.series.2.at", at)
			programtest.Equal(t, r, "slos.0.series.0.consumed_percent", 1000) // 1 of 10 at 1 %
			programtest.Equal(t, r, "slos.0.series.0.rates.0", 10)
		}
		if string(text) != want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, text, want)
		}
	}
}

// Planned maintenance is left out; cancelled and emergency work is not.
func TestMaintenance(t *testing.T) {
	rows := header + "2026-10-01T11:00:00Z,api,90,100\n2026-10-01T11:30:00Z,api,0,50\n2026-10-01T12:00:00Z,api,98,100\n"
	for _, c := range []struct {
		row        string
		bad, total int
		excluded   int
	}{
		{"", 62, 250, 0}, // 10 + 50 + 2
		{"M,api,2026-10-01T11:00:00Z,2026-10-01T11:30:00Z,2026-09-01T00:00:00Z,planned,planned\n", 12, 200, 1800},
		{"M,*,2026-10-01T11:00:00Z,2026-10-01T11:30:00Z,2026-09-01T00:00:00Z,planned,done\n", 12, 200, 1800},
		{"M,api,2026-10-01T11:00:00Z,2026-10-01T11:30:00Z,2026-09-01T00:00:00Z,planned,cancelled\n", 62, 250, 0},
		{"M,api,2026-10-01T11:00:00Z,2026-10-01T11:30:00Z,2026-09-01T00:00:00Z,emergency,done\n", 62, 250, 0},
		{"M,web,2026-10-01T11:00:00Z,2026-10-01T11:30:00Z,2026-09-01T00:00:00Z,planned,done\n", 62, 250, 0},
	} {
		files := map[string]string{"slo.yaml": objectives, "sli.csv": rows, "m.csv": "id,service,start,end,announced,type,status\n" + c.row}
		r := programtest.Result(t, files, "-config", "slo.yaml", "-sli", "sli.csv", "-maintenance", "m.csv", "-at", "2026-10-01T12:00:00Z")
		programtest.Equal(t, r, "slos.0.bad", c.bad)
		programtest.Equal(t, r, "slos.0.total", c.total)
		programtest.Equal(t, r, "slos.0.window.excluded_s", c.excluded)
		if n := len(programtest.At(t, r, "warnings").([]any)); (n > 0) != (strings.Contains(c.row, "emergency") || strings.Contains(c.row, "web")) {
			t.Errorf("%s: %d warnings", c.row, n)
		}
	}
}

func TestFailOn(t *testing.T) {
	files := map[string]string{"slo.yaml": objectives, "sli.csv": header + "2026-10-01T12:00:00Z,api,98,100\n"}
	for _, c := range []struct {
		failOn, at string
		exit       int
	}{
		{"page,ticket,no-data", "2026-10-01T12:00:00Z", 0}, // a burn of exactly 2 is not above 2
		{"exhausted", "2026-10-01T12:00:00Z", 1},
		{"no-data", "2026-10-01T11:00:00Z", 1},
		{"page,ticket,exhausted", "2026-10-01T11:00:00Z", 0},
	} {
		o := programtest.Run(t, nil, files, "-config", "slo.yaml", "-sli", "sli.csv", "-at", c.at, "-fail-on", c.failOn)
		if o.Exit != c.exit || o.Stdout == "" {
			t.Errorf("-fail-on %s at %s: exit %d, want %d and the result", c.failOn, c.at, o.Exit, c.exit)
		}
	}
	if o := programtest.Run(t, nil, nil, "-fail-on", "page"); o.Exit != 1 {
		t.Errorf("-fail-on page: exit %d, want 1: the sample pages", o.Exit)
	}
}

func TestUsage(t *testing.T) {
	files := map[string]string{
		"slo.yaml": objectives, "sli.csv": header, "empty.csv": "", "wrong.csv": "time,service,good\n",
		"two.csv":  header + "2026-10-01T12:00:00Z,api,1,2\n2026-10-01T12:00:00Z,api,2,2\n",
		"bad.csv":  header + "2026-10-01,api,1,2\n2026-10-01T12:00:00Z,,1,2\n2026-10-01T12:00:00Z,api,3,2\n2026-10-01T12:00:00Z,api,-1,x\n2026-10-01T12:00:00Z,*,1,2\n",
		"m.csv":    "id,service,start,end,announced,type,status\nM,api,2026-10-01T11:00:00Z,2026-10-01T10:30:00Z,,planned,done\n",
		"two.yaml": "version: 1\nslos:\n  - {id: a, service: s, objective_percent: 99, window: 30d, prometheus: {bad: b, total: t, scrape: 15s}}\n  - {id: b, service: s, objective_percent: 99, window: 30d, prometheus: {bad: b, total: t, scrape: 30s}}\n",
		"100.yaml": "version: 1\nslos:\n  - {id: a, service: s, objective_percent: 100, window: 30d, alerts: none, prometheus: {bad: b, total: t}}\n",
	}
	for _, c := range []struct {
		args   string
		exit   int
		stderr string
	}{
		{"-sli sli.csv", 2, "-sli: wants -config"},
		{"-maintenance m.csv", 2, "-maintenance: wants -config"},
		{"-config slo.yaml", 2, "-sli: missing"},
		{"-config none.yaml -sli sli.csv", 2, "none.yaml"},
		{"-config slo.yaml -sli none.csv", 3, "none.csv"},
		{"-config slo.yaml -sli sli.csv -at 2026-10-01", 2, `-at "2026-10-01": want a time with a zone`},
		{"-config slo.yaml -sli sli.csv -at 1700-10-01T00:00:00Z", 2, "between the years 1800 and 2150"},
		{"-config slo.yaml -sli sli.csv -series", 2, "-series: wants -format json"},
		{"-config slo.yaml -sli sli.csv -format md", 2, `-format "md"`},
		{"-config slo.yaml -sli sli.csv -fail-on breach", 2, `-fail-on "breach"`},
		{"-config sli.csv -sli sli.csv", 2, "sli.csv:1:"},
		{"-config slo.yaml -sli empty.csv", 3, "empty.csv:1: want a header line"},
		{"-config slo.yaml -sli wrong.csv", 3, "wrong.csv:1: total: the column is missing"},
		{"-config slo.yaml -sli two.csv", 3, "two.csv:3: time: 2 good of 2, but line 2 has 1 of 2 for the same instant"},
		{"-config slo.yaml -sli bad.csv", 3, "bad.csv:2: time: found \"2026-10-01\""},
		{"-config slo.yaml -sli bad.csv", 3, "bad.csv:3: service: the cell is empty\nbad.csv:4: good: found 3, want at most the total of 2\nbad.csv:5: good: found \"-1\""},
		{"-config slo.yaml -sli bad.csv", 3, "bad.csv:6: service: found \"*\", want one service a row"},
		{"-config slo.yaml -sli sli.csv -maintenance m.csv", 3, "m.csv:2: end: "},
		{"-config slo.yaml -sli sli.csv -format svg", 3, "nothing was measured"},
		{"-config slo.yaml -format promrules", 2, "no objective has a prometheus block"},
		{"-config slo.yaml -format promrules -scrape 1us", 2, "-scrape 1µs: want whole milliseconds"},
		{"-config two.yaml -format grafana", 2, "objective b: scrape 30s, but objective a has 15s"},
		{"-config 100.yaml -format promtests", 2, "a target below 100 %"},
	} {
		args := strings.Fields(c.args)
		if !strings.Contains(c.args, "-at") {
			args = append(args, "-now", "2026-11-02T00:00:00Z")
		}
		if o := programtest.Run(t, nil, files, args...); o.Exit != c.exit || !strings.Contains(o.Stderr, c.stderr) || o.Stdout != "" {
			t.Errorf("slostatus %s: exit %d, stdout of %d bytes, stderr %q, want %d, nothing and %q", c.args, o.Exit, len(o.Stdout), o.Stderr, c.exit, c.stderr)
		}
	}
}

// An objective of 100 % has no number for its burn once something failed.
func TestWithoutBudget(t *testing.T) {
	files := map[string]string{
		"slo.yaml": "version: 1\nslos:\n  - {id: a, service: api, objective_percent: 100, window: 1d, alerts: none}\n", "sli.csv": header + "2026-10-01T12:00:00Z,api,99,100\n",
	}
	args := []string{"-config", "slo.yaml", "-sli", "sli.csv", "-at", "2026-10-01T12:00:00Z"}
	r := programtest.Result(t, files, args...)
	programtest.Equal(t, r, "slos.0.state", "exhausted")
	programtest.Equal(t, r, "slos.0.sli_percent", 99)
	programtest.Equal(t, r, "slos.0.budget.burn_to_date", nil)
	programtest.Equal(t, r, "slos.0.budget.left_percent", nil)
	if o := programtest.Run(t, nil, files, append(args, "-format", "html")...); o.Exit != 0 || strings.Contains(o.Stdout, "NaN") || !strings.Contains(o.Stdout, "-Inf") {
		t.Errorf("html: exit %d, %s", o.Exit, o.Stderr)
	}
}

func TestExplain(t *testing.T) {
	r := programtest.Result(t, nil, "-explain")
	fields := map[string]bool{}
	for _, e := range programtest.At(t, r, "explain").([]any) {
		e := e.(map[string]any)
		for _, key := range []string{"field", "formula", "values", "source"} {
			if e[key] == nil || e[key] == "" {
				t.Errorf("%v has no %s", e["field"], key)
			}
		}
		field := strings.NewReplacer("[", ".", "]", "").Replace(e["field"].(string))
		programtest.At(t, r, field) // it is there
		fields[field] = true
	}
	for _, want := range []string{"slos.1.budget.consumed_percent", "slos.1.budget.allowed", "slos.1.sli_percent", "slos.1.alerts.0.threshold", "slos.1.state", "slos.1.window.coverage_percent"} {
		if !fields[want] {
			t.Errorf("%s is not explained", want)
		}
	}
	if text := programtest.Run(t, nil, nil, "-explain").Stdout; !strings.Contains(text, "31/6960") || strings.Contains(programtest.Run(t, nil, nil).Stdout, "31/6960") { // 1085/243600
		t.Error("the text explains the numbers with -explain, and only then")
	}
}

// The objectives may come from stdin.
func TestStdin(t *testing.T) {
	cmd := programtest.Command(t, "-config", "-", "-sli", os.DevNull, "-format", "promrules")
	cmd.Stdin = strings.NewReader("version: 1\nslos:\n  - {id: a, service: s, objective_percent: 99, window: 30d, prometheus: {bad: b, total: t, scrape: 15s}}\n")
	out, err := cmd.Output()
	if err != nil || !bytes.Contains(out, []byte("slo:sli_error:ratio_rate5m")) {
		t.Errorf("%v, %.200s", err, out)
	}
}
