package main

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

func TestGolden(t *testing.T) {
	for format, extension := range map[string]string{"text": "txt", "json": "json", "md": "md", "html": "html", "csv": "csv", "svg": "svg"} {
		programtest.Golden(t, format, extension)
	}
}

func TestReadme(t *testing.T) { programtest.Readme(t, 10) }

func model(t *testing.T, replace ...string) map[string]string {
	t.Helper()
	data, err := os.ReadFile("testdata/sample/model.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"m.yaml": strings.NewReplacer(replace...).Replace(string(data))}
}

// A fifth of the fee is 9000 a month, 108 000 a year, worth 108 000 × (1 − 1.08^-3) / 0.08 =
// 278 326.475 over three years; the range of the file for the revenue stands.
func TestSensitivity(t *testing.T) {
	files := model(t, "monthly_service_fee: [30000, 90000]", "setup_costs: [0, 100000]")
	r := programtest.Result(t, files, "-config", "m.yaml", "-sensitivity")
	npv := programtest.At(t, r, "sound.npv").(float64)
	found := map[string]bool{}
	for _, s := range programtest.At(t, r, "sensitivity").([]any) {
		field := programtest.At(t, s, "field").(string)
		if found[field] {
			t.Errorf("%s twice", field)
		}
		found[field] = true
		low, high := programtest.At(t, s, "npv_at_low").(float64), programtest.At(t, s, "npv_at_high").(float64)
		switch field {
		case "managed.monthly_service_fee":
			if d := low - npv - 278326.475; d < -0.01 || d > 0.01 {
				t.Errorf("a fifth off the fee adds %v, want 278326.475", low-npv)
			}
		case "managed.setup_costs":
			if d := low - high - 100000; d < -0.01 || d > 0.01 {
				t.Errorf("setup from 0 to 100000 costs %v, want as much", low-high)
			}
		case "impact.revenue_per_hour":
			programtest.Equal(t, s, "low", 10000)
		}
	}
	for _, field := range []string{"managed.monthly_service_fee", "managed.setup_costs", "impact.revenue_per_hour", "discount_rate"} {
		if !found[field] {
			t.Errorf("%s was not varied: %v", field, found)
		}
	}
}

// A service at 300 000 a month costs 3.62 million a year to save 2.325, whichever result
// the file asks for.
func TestConditions(t *testing.T) {
	for _, method := range []string{"both", "seed", "sound"} {
		dear := model(t, "monthly_service_fee: 45000", "monthly_service_fee: 300000", "revenue_per_hour: 25000", "revenue_per_hour: 0", "years: 3", "years: 3\nmethod: "+method)
		for fail, want := range map[string]int{"loss": 1, "payback": 1, "loss,payback": 1} {
			if o := programtest.Run(t, nil, dear, "-config", "m.yaml", "-fail-on", fail); o.Exit != want || o.Stdout == "" {
				t.Errorf("%s: -fail-on %s = %d, want %d and the result: %s", method, fail, o.Exit, want, o.Stderr)
			}
		}
		if o := programtest.Run(t, nil, model(t, "years: 3", "years: 3\nmethod: "+method), "-config", "m.yaml", "-fail-on", "loss,payback"); o.Exit != 0 {
			t.Errorf("%s: the sample exits with %d, want 0", method, o.Exit)
		}
	}
	r := programtest.Result(t, model(t, "years: 3", "years: 3\nmethod: seed"), "-config", "m.yaml")
	programtest.Equal(t, r, "sound", nil)
	if flows := programtest.At(t, r, "cash_flows").([]any); len(flows) != 0 {
		t.Errorf("flows %v of a result that was not asked for", flows)
	}
}

func TestExplain(t *testing.T) {
	r := programtest.Result(t, nil, "-explain")
	found := map[string]string{}
	for _, x := range programtest.At(t, r, "explain").([]any) {
		field := programtest.At(t, x, "field").(string)
		found[field] = programtest.At(t, x, "formula").(string)
		path := strings.NewReplacer("[", ".", "]", "").Replace(field)
		programtest.Equal(t, r, path, programtest.At(t, x, "values.result"))
	}
	for field, want := range map[string]string{
		"as_published.npv_3_years": "npv_3_years = Σ 27533333.33 / 1.08^t, t = 1..3",
		"sound.npv":                "npv = 14457514.1 − 1493174.31",
	} {
		if found[field] != want {
			t.Errorf("%s: %q, want %q", field, found[field], want)
		}
	}
	if text := programtest.Run(t, nil, nil, "-explain").Stdout; !strings.Contains(text, "Σ 27533333.33 / 1.08^t") {
		t.Error("the text explains nothing")
	}
}

// The flows of the table add up to the net of their period.
func TestTable(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(programtest.Run(t, nil, nil, "-format", "csv").Stdout)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"cash_flow,net,0,-50000,EUR", "cash_flow,net,1,5050000,EUR", "cash_flow,net,2,5050000,EUR", "cash_flow,net,3,5050000,EUR"}
	var got []string
	for _, r := range rows {
		if r[0] == "cash_flow" && r[1] == "net" {
			got = append(got, strings.Join(r, ","))
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("flows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		files map[string]string
		args  []string
		want  string
	}{
		{model(t, "overhead_multiplier: 1.5", "overhead_multiplier: -1"), nil, `m.yaml:7:24: internal.overhead_multiplier: -1, want a finite number >= 0`},
		{model(t, "setup_costs", "set_up_costs"), nil, `m.yaml:14:3: managed.set_up_costs:`},
		{model(t, "current_availability_percent: 99.0", "current_availability_percent: 101"), nil, `impact.current_availability_percent: 101, want a percentage from 0 to 100`},
		{map[string]string{"m.yaml": "version: 1\n"}, nil, "internal"},
		{nil, nil, "m.yaml"},
		{model(t), []string{"-fail-on", "profit"}, "profit"},
	} {
		o := programtest.Run(t, nil, c.files, append([]string{"-config", "m.yaml"}, c.args...)...)
		if o.Exit != 2 || o.Stdout != "" || !strings.Contains(o.Stderr, c.want) {
			t.Errorf("%d, %q, %q, want 2, nothing and %q", o.Exit, o.Stdout, o.Stderr, c.want)
		}
	}
}
