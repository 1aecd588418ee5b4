package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

var formats = []string{"text", "json", "html", "md", "csv"}

func TestGolden(t *testing.T) {
	for _, format := range formats {
		programtest.Golden(t, format, strings.Replace(format, "text", "txt", 1))
	}
}

// Two runs give the same bytes, whatever the zone of the machine.
func TestDeterministic(t *testing.T) {
	for _, format := range formats {
		args := []string{"-format", format, "-explain"}
		first := programtest.Run(t, []string{"TZ=UTC", "GOMAXPROCS=1"}, nil, args...)
		second := programtest.Run(t, []string{"TZ=Asia/Kathmandu", "GOMAXPROCS=2"}, nil, args...)
		if first != second || first.Exit != 0 {
			t.Errorf("%s: two runs differ", format)
		}
	}
}

// The figures of the sample, by hand: the shop is down 1h48m, 1h (of 1h30m, the
// first half hour lies in maintenance announced 4.6 days ahead) and 2h30m, which is
// 19 080 s of 30 days, 2 592 000 s: 2572920/2592000 = 7147/7200 = 99.263888… %.
func TestSample(t *testing.T) {
	r := programtest.Result(t, nil)
	programtest.Equal(t, r, "sample", true)
	programtest.Equal(t, r, "period.label", "2026-09")
	programtest.Equal(t, r, "period.seconds", 2592000)
	programtest.Equal(t, r, "availability.0.availability_fraction", "7147/7200")
	programtest.Equal(t, r, "availability.0.availability_percent", 99.263888)
	programtest.Equal(t, r, "availability.0.down_s", 19080)
	programtest.Equal(t, r, "availability.0.excluded_s", 1800)
	programtest.Equal(t, r, "availability.2.down_s", 0) // the customer's own firewall
	programtest.Equal(t, r, "availability.2.unmonitored_s", 1800)
	programtest.Equal(t, r, "credits.payable.amount", "2810.00") // 500 for BK-131, 5 % of 42 000 for BK-138, half an hour of 1 % of it
	programtest.Equal(t, r, "breaches.0.cause", "Lock in the order table; Rollback took too long; Upstream network")
}

// A number is the same in every format.
func TestFormatsAgree(t *testing.T) {
	texts := map[string]string{}
	for _, format := range formats {
		texts[format] = strings.ReplaceAll(programtest.Run(t, nil, nil, "-format", format).Stdout, "&#34;", `"`)
	}
	for _, c := range []struct {
		number string
		csv    bool // it is about a breach
	}{{"99.263888", true}, {"99.652777", false}, {"2810.00", false}, {"2100.00", true}, {"500.00", true}, {"210.00", true}, {"99.943996", false}, {"860.00", false}} {
		for _, format := range formats {
			if (format != "csv" || c.csv) && !strings.Contains(texts[format], c.number) {
				t.Errorf("%s lacks the number %s", format, c.number)
			}
		}
	}
	for _, section := range []string{
		"availability_summary", "incident_summary_by_severity", "response_time_performance", "change_management_statistics", "upcoming_maintenance_schedule",
		"performance_trends_and_analysis", "credits", "kpis", "data_quality",
	} {
		if !strings.Contains(texts["html"], `<section id="`+section+`"`) {
			t.Errorf("the page has no section %s", section)
		}
	}
	if n := strings.Count(texts["html"], "<svg"); n != 7 { // days and budget of three services, and the trend
		t.Errorf("%d drawings, want 7", n)
	}
	for _, never := range []string{"<script", "http:", "https:", "NaN", "style=\""} {
		if strings.Contains(texts["html"], never) {
			t.Errorf("the page contains %q", never)
		}
	}
}

const contract = `version: 1
id: c-1
customer: {id: cust, name: Customer}
timezone: Europe/Amsterdam
tier: enterprise
monthly_fee: "100000.00 EUR"
services: [{id: api, name: API}, {id: web}]
`

const header = "service,start,end,kind\n"

// A target that is missed without any credit is told as such in every format.
func TestMissedWithoutBand(t *testing.T) {
	files := map[string]string{"contract.yaml": contract, "outages.csv": header + "api,2026-10-12T10:00:00Z,2026-10-12T12:00:00Z,down\n"}
	args := []string{"-config", "contract.yaml", "-outages", "outages.csv", "-month", "2026-10", "-now", "2026-11-02T00:00:00Z"}
	for format, want := range map[string]string{
		"text": "✕ missed, no credit band reached", "md": "✕ missed, no credit band reached", "html": "✕ missed, no credit band reached",
		"json": `"state": "breached_no_band"`, "csv": "cust,2026-10,availability,api,api,,99.9,99.731543,percent,0.00,EUR",
	} {
		if o := programtest.Run(t, nil, files, append(args, "-format", format)...); !strings.Contains(o.Stdout, want) {
			t.Errorf("%s lacks %q: %s", format, want, o.Stderr)
		}
	}
	if o := programtest.Run(t, nil, files, append(args, "-fail-on", "credit,no-data")...); o.Exit != 0 {
		t.Errorf("-fail-on credit,no-data: exit %d, want 0: nothing is due", o.Exit)
	}
	if o := programtest.Run(t, nil, files, append(args, "-fail-on", "breach")...); o.Exit != 1 || o.Stdout == "" {
		t.Errorf("-fail-on breach: exit %d and %d bytes, want 1 and the result", o.Exit, len(o.Stdout))
	}
}

// Nothing measured is no data in every format, and never 100 %.
func TestNoData(t *testing.T) {
	files := map[string]string{"contract.yaml": contract + "evidence_from: 2026-11-01T00:00:00+01:00\n"}
	args := []string{"-config", "contract.yaml", "-month", "2026-10", "-now", "2026-11-02T00:00:00Z"}
	for _, format := range formats {
		o := programtest.Run(t, nil, files, append(args, "-format", format, "-fail-on", "no-data")...)
		if o.Exit != 1 {
			t.Errorf("%s: exit %d, want 1", format, o.Exit)
		}
		if strings.Contains(o.Stdout, "100.000000") || strings.Contains(o.Stdout, `"availability_percent": 100`) {
			t.Errorf("%s shows 100 %%", format)
		}
		want := "– no data"
		switch format {
		case "json":
			want = `"availability_percent": null`
		case "csv":
			want = "customer_id,"
		}
		if !strings.Contains(o.Stdout, want) {
			t.Errorf("%s lacks %q", format, want)
		}
	}
}

func TestPeriods(t *testing.T) {
	files := map[string]string{"contract.yaml": contract}
	for _, c := range []struct {
		args         string
		label, start string
		seconds      int
		fee          string // of which the cap is 100 %
		months       int
	}{
		{"", "2026-10", "2026-09-30T22:00:00Z", 745 * 3600, "100000.00", 3}, // the clock goes back on 25 October
		{"-month 2026-03 -trend 12", "2026-03", "2026-02-28T23:00:00Z", 743 * 3600, "100000.00", 12},
		{"-quarter 2026-Q3 -trend 0", "2026-Q3", "2026-06-30T22:00:00Z", 92 * 86400, "300000.00", 0},
		{"-from 2026-10-01T00:00:00+02:00 -to 2026-11-01T00:00:00+01:00", "2026-10", "2026-09-30T22:00:00Z", 745 * 3600, "100000.00", 3},
		{"-from 2026-09-16T00:00:00+02:00 -to 2026-10-01T00:00:00+02:00", "2026-09-16/2026-09-30", "2026-09-15T22:00:00Z", 15 * 86400, "50000.00", 3}, // half of September
		{"-from 2026-09-01T00:00:00Z -to 2026-09-01T12:00:00Z -trend 1", "2026-09-01T00:00:00Z/2026-09-01T12:00:00Z", "2026-09-01T00:00:00Z", 43200, "1666.67", 1},
	} {
		r := programtest.Result(t, files, append([]string{"-config", "contract.yaml", "-now", "2026-11-02T00:00:00Z"}, strings.Fields(c.args)...)...)
		programtest.Equal(t, r, "period.label", c.label)
		programtest.Equal(t, r, "period.start", c.start)
		programtest.Equal(t, r, "period.seconds", c.seconds)
		programtest.Equal(t, r, "contract.monthly_fee.amount", "100000.00")
		programtest.Equal(t, r, "credits.cap.amount", c.fee)
		if n := len(programtest.At(t, r, "trend").([]any)); n != c.months {
			t.Errorf("%s: %d months in the trend, want %d", c.args, n, c.months)
		}
	}
}

func TestUsage(t *testing.T) {
	files := map[string]string{"contract.yaml": contract, "outages.csv": header}
	for _, c := range []struct {
		args   string
		exit   int
		stderr string
	}{
		{"-month 2026-1", 2, `-month "2026-1"`},
		{"-config contract.yaml -month 2026-10 -quarter 2026-Q4", 2, "want one of them"},
		{"-config contract.yaml -from 2026-10-01T00:00:00Z", 2, "want both"},
		{"-config contract.yaml -from 2026-10-01 -to 2026-10-02", 2, `-to "2026-10-02": want a time with a zone`},
		{"-config contract.yaml -from 2026-10-02T00:00:00Z -to 2026-10-02T00:00:00Z", 2, "runs forward"},
		{"-config contract.yaml -quarter 2026-Q5", 2, `-quarter "2026-Q5"`},
		{"-config contract.yaml -month 2026-12", 2, "not before now"},
		{"-config contract.yaml -trend -1", 2, "-trend"},
		{"-config contract.yaml -max-gap 5m", 2, "-max-gap: wants -checks"},
		{"-config contract.yaml -checks outages.csv -max-gap 5", 2, "max-gap"},
		{"-config contract.yaml -checks outages.csv -max-gap 0m", 2, "max-gap"},
		{"-outages outages.csv", 2, "-outages: wants -config"},
		{"-config none.yaml", 2, "none.yaml"},
		{"-config contract.yaml -outages none.csv", 3, "none.csv"},
		{"-config outages.csv", 2, "outages.csv:1:"},
		{"-config contract.yaml -csv-bom", 2, "-csv-bom: wants -format csv"},
		{"-config contract.yaml -format xlsx", 2, `-format "xlsx"`},
		{"-config contract.yaml -pdf-font none.ttf", 2, "-pdf-font: wants -format pdf"},
		{"-config contract.yaml -format pdf -pdf-font none.ttf", 2, "none.ttf"},
		{"-config contract.yaml -format pdf -pdf-font contract.yaml", 2, "-pdf-font"},
		{"-config contract.yaml -fail-on breach,late", 2, `-fail-on "late"`},
		{"-config contract.yaml -now 9999-01-01T00:00:00Z", 2, "-now: want a time between"},
	} {
		args := strings.Fields(c.args)
		if !strings.Contains(c.args, "-now") {
			args = append(args, "-now", "2026-11-02T00:00:00Z")
		}
		if o := programtest.Run(t, nil, files, args...); o.Exit != c.exit || !strings.Contains(o.Stderr, c.stderr) || o.Stdout != "" {
			t.Errorf("slareport %s: exit %d, stdout of %d bytes, stderr %q, want %d, nothing and %q", c.args, o.Exit, len(o.Stdout), o.Stderr, c.exit, c.stderr)
		}
	}
}

// Time before the first check of a service is not monitored, but nobody pays for
// it; a gap beyond -max-gap is paid for.
func TestChecksAndMonitoringCredits(t *testing.T) {
	files := map[string]string{
		"contract.yaml": strings.Replace(contract, ", {id: web}", "", 1),
		"checks.csv":    "time,service,status\n2026-10-02T00:00:00Z,api,up\n2026-10-31T20:00:00Z,api,up\n",
	}
	args := []string{"-config", "contract.yaml", "-checks", "checks.csv", "-month", "2026-10", "-now", "2026-11-02T00:00:00Z"}
	r := programtest.Result(t, files, args...)
	programtest.Equal(t, r, "availability.0.unmonitored_s", 26*3600) // from 22:00 on 30 September
	programtest.Equal(t, r, "credits.payable.amount", "0.00")
	r = programtest.Result(t, files, append(args, "-max-gap", "715h")...) // the rows are 716 hours apart
	programtest.Equal(t, r, "availability.0.unmonitored_s", 27*3600)
	programtest.Equal(t, r, "credits.payable.amount", "1000.00") // one hour at 1 % of 100 000
	programtest.Equal(t, r, "breaches.0.at", "2026-10-31T19:00:00Z")
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
	for _, want := range []string{"availability.0.availability_percent", "overall.availability_percent", "incidents.by_severity.0.mttr_s", "credits.payable"} {
		if !fields[want] {
			t.Errorf("%s is not explained", want)
		}
	}
	if _, ok := programtest.Result(t, nil)["explain"]; ok {
		t.Error("explain is there without -explain")
	}
	if text := programtest.Run(t, nil, nil, "-explain").Stdout; !strings.Contains(text, "7147/7200") || strings.Contains(programtest.Run(t, nil, nil).Stdout, "7147/7200") {
		t.Error("the text explains the numbers with -explain, and only then")
	}
}

// A cell of the input never becomes a formula, and the mark is only there when
// asked for.
func TestCSV(t *testing.T) {
	files := map[string]string{
		"contract.yaml": contract,
		"incidents.csv": "id,service,severity,opened,responded\n@SUM(A1),api,p1,2026-10-12T10:00:00Z,2026-10-12T11:00:00Z\n",
	}
	args := []string{"-config", "contract.yaml", "-incidents", "incidents.csv", "-month", "2026-10", "-now", "2026-10-12T11:30:00Z", "-format", "csv"}
	o := programtest.Run(t, nil, files, args...)
	want := "customer_id,period,clause,ref,service,severity,promised,actual,unit,amount,currency\ncust,2026-10,response,'@SUM(A1),api,p1,120,3600,s,500.00,EUR\n"
	if o.Stdout != want {
		t.Errorf("CSV\n%q\nwant\n%q", o.Stdout, want)
	}
	if marked := programtest.Run(t, nil, files, append(args, "-csv-bom")...); marked.Stdout != "\ufeff"+want {
		t.Errorf("-csv-bom: %q", marked.Stdout)
	}
}

// A contract may come from stdin.
func TestStdin(t *testing.T) {
	cmd := programtest.Command(t, "-config", "-", "-month", "2026-10", "-now", "2026-11-02T00:00:00Z", "-json")
	cmd.Stdin = strings.NewReader(contract)
	out, err := cmd.Output()
	if err != nil || !bytes.Contains(out, []byte(`"name": "stdin"`)) {
		t.Errorf("%v, %.200s", err, out)
	}
}

// The report of a typical month has at most three pages of A4, with all it explains, in
// every language.
func TestThreePages(t *testing.T) {
	page := regexp.MustCompile(`/Type /Page\n`)
	contract, err := sample.ReadFile("testdata/sample/contract.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"en", "de", "nl", "fr"} {
		files := map[string]string{"contract.yaml": strings.Replace(string(contract), "\ncustomer:", "\nlocale: "+tag+"\ncustomer:", 1)}
		args := []string{"-config", "contract.yaml", "-month", "2026-09", "-now", "2026-10-01T06:00:00Z", "-format", "pdf", "-explain"}
		for _, name := range []string{"outages", "incidents", "maintenance", "changes", "restores"} {
			data, err := sample.ReadFile("testdata/sample/" + name + ".csv")
			if err != nil {
				t.Fatal(err)
			}
			files[name+".csv"] = string(data)
			args = append(args, "-"+name, name+".csv")
		}
		r := programtest.Run(t, nil, files, args...)
		if n := len(page.FindAllString(r.Stdout, -1)); r.Exit != 0 || n < 1 || n > 3 {
			t.Errorf("%s: exit %d, %d pages, want 1 to 3: %s", tag, r.Exit, n, r.Stderr)
		}
	}
}
