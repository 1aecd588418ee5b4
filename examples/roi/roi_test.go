package main

import (
	"encoding/csv"
	"encoding/json"
	"math"
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

// A fee from 30 000 to 60 000 has the mean of the model's 45 000 and an sd of 360 000 / √12 a
// year, worth 2.5771 years: 12 964 339.79 and 267 822.
func TestMonteCarlo(t *testing.T) {
	files := model(t, "distributions:", "distributions: {managed.monthly_service_fee: {kind: uniform, min: 30000, max: 60000}}\nx:")
	files["m.yaml"], _, _ = strings.Cut(files["m.yaml"], "\nx:")
	r := programtest.Result(t, files, "-config", "m.yaml", "-montecarlo", "20000", "-seed", "3")
	figure := func(key string) float64 { return programtest.At(t, r, "monte_carlo."+key).(float64) }
	if d := figure("npv.mean") - 12_964_339.79; math.Abs(d) > 4*figure("npv.standard_error") {
		t.Errorf("mean %v, want 12964339.79", figure("npv.mean"))
	}
	if sd := figure("npv.sd"); math.Abs(sd-267_822) > 3000 {
		t.Errorf("sd %v, want 267822", sd)
	}
	drawnFrom(t, r, `{"managed.monthly_service_fee":{"kind":"uniform","max":60000,"min":30000}}`)
	programtest.Equal(t, r, "monte_carlo.seed", 3)
	programtest.Equal(t, r, "monte_carlo.loss", 0)
	count := 0.0
	for _, bin := range programtest.At(t, r, "monte_carlo.histogram").([]any) {
		count += programtest.At(t, bin, "count").(float64)
	}
	if count != 20000 {
		t.Errorf("the histogram holds %v scenarios, want 20000", count)
	}
	args := []string{"-config", "m.yaml", "-now", "2026-10-01T00:00:00Z", "-montecarlo", "5000"}
	text := programtest.Run(t, nil, files, args...).Stdout
	if !strings.Contains(text, "█") || text != programtest.Run(t, nil, files, append(args, "-seed", "1")...).Stdout {
		t.Error("no histogram in the text, or another one with the default seed of 1")
	}
	if text == programtest.Run(t, nil, files, append(args, "-seed", "2")...).Stdout {
		t.Error("the same scenarios with another seed")
	}
}

// drawnFrom compares the distributions of a result as JSON, keys sorted.
func drawnFrom(t *testing.T, r map[string]any, want string) {
	t.Helper()
	got, err := json.Marshal(programtest.At(t, r, "monte_carlo.distributions"))
	if err != nil || string(got) != want {
		t.Errorf("distributions %s, %v, want %s", got, err, want)
	}
}

// Without distributions the ranges of the file are drawn from, and without those the main
// inputs.
func TestMonteCarloOfRanges(t *testing.T) {
	text, _, _ := strings.Cut(model(t)["m.yaml"], "\ndistributions:")
	r := programtest.Result(t, map[string]string{"m.yaml": text}, "-config", "m.yaml", "-montecarlo", "100")
	drawnFrom(t, r, `{"impact.revenue_per_hour":{"kind":"triangular","max":40000,"min":10000,"mode":25000},`+
		`"impact.target_availability_percent":{"kind":"triangular","max":99.9,"min":99,"mode":99.5},`+
		`"managed.monthly_service_fee":{"kind":"triangular","max":90000,"min":30000,"mode":45000}}`)
	text, _, _ = strings.Cut(text, "\nsensitivity:")
	r = programtest.Result(t, map[string]string{"m.yaml": text}, "-config", "m.yaml", "-montecarlo", "100")
	setup := programtest.At(t, r, "monte_carlo.distributions").(map[string]any)["managed.setup_costs"]
	programtest.Equal(t, setup, "max", 60000)
}

// Staying internal costs 2 325 000 a year and is worth nothing beside itself; the bad year
// has revenue of 10 000 and a tenth of the gain in availability.
func TestAlternatives(t *testing.T) {
	rows := programtest.At(t, programtest.Result(t, nil), "alternatives").([]any)
	want := []struct {
		scenario, alternative string
		npv                   float64
	}{
		{"as planned", "stay internal", 0},
		{"as planned", "managed", 12_964_339.79},
		{"as planned", "hybrid", 12_964_339.79 + (180_000-581_250)*2.5770969872},
		{"a bad year", "stay internal", 0},
		{"a bad year", "managed", 4_498_576.18 + 8.76*10_000*3*2.5770969872},
		{"a bad year", "hybrid", 4_498_576.18 + (8.76*10_000*3+180_000-581_250)*2.5770969872},
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	for i, w := range want {
		programtest.Equal(t, rows[i], "scenario", w.scenario)
		programtest.Equal(t, rows[i], "alternative", w.alternative)
		if npv := programtest.At(t, rows[i], "npv").(float64); math.Abs(npv-w.npv) > 0.02 {
			t.Errorf("%s, %s: %v, want %v", w.scenario, w.alternative, npv, w.npv)
		}
	}
}
