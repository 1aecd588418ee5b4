package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

func TestGolden(t *testing.T) {
	for format, extension := range map[string]string{"text": "txt", "md": "md", "html": "html", "svg": "svg"} {
		programtest.Golden(t, format, extension)
	}
}

func TestReadme(t *testing.T) { programtest.Readme(t, 6) }

// judged runs the program with -json and reads its lines, the head first.
func judged(t *testing.T, files map[string]string, args ...string) []map[string]any {
	t.Helper()
	o := programtest.Run(t, nil, files, append(args, "-json")...)
	if o.Exit != 0 {
		t.Fatalf("%q: exit %d, %s", args, o.Exit, o.Stderr)
	}
	var lines []map[string]any
	for text := range strings.Lines(o.Stdout) {
		var l map[string]any
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

// The faults of the recorded night, as they were written down when they were made: the
// database slow with a busy processor 17:44 to 17:48, then killed until 17:54; a restart
// of one of the servers at 17:59; the backlog 18:05 to 18:11. A reading every 15 seconds.
func TestNight(t *testing.T) {
	found := map[string][]time.Time{}
	silent := 0
	for _, l := range judged(t, nil)[1:] {
		at, err := time.Parse(time.RFC3339, l["time"].(string))
		if err != nil {
			t.Fatal(err)
		}
		service := l["service"].(string)
		switch l["is_anomaly"] {
		case true:
			found[service] = append(found[service], at)
		case nil:
			if silent++; service != "shop-db" || l["score"] != nil || l["state"] != "no_data" {
				t.Errorf("%v: nothing judged; only the database was away", l)
			}
		}
	}
	within := func(service, from, to string) (n int) {
		for _, at := range found[service] {
			if clock := at.Format("15:04:05"); from <= clock && clock <= to {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		service, from, to string
		least             int
	}{
		{"shop-db", "17:44:00", "17:48:30", 12},
		{"shop-web", "17:49:00", "17:54:30", 18},
		{"shop-web", "17:59:00", "18:00:15", 1},
		{"shop-batch", "18:05:00", "18:11:15", 20},
	} {
		if n := within(c.service, c.from, c.to); n < c.least {
			t.Errorf("%s from %s to %s: %d abnormal readings, want at least %d", c.service, c.from, c.to, n, c.least)
		}
	}
	// Down from 17:49:00 to 17:54:00.1: twenty readings.
	if silent != 20 {
		t.Errorf("%d readings without a value, want 20", silent)
	}
	// Before the first fault nothing was wrong, and between the kill and the restart nothing else.
	for _, quiet := range [][2]string{{"17:42:15", "17:43:00"}, {"17:55:00", "17:58:45"}} {
		for service := range found {
			if n := within(service, quiet[0], quiet[1]); n > 0 {
				t.Errorf("%s from %s to %s: %d false alarms", service, quiet[0], quiet[1], n)
			}
		}
	}
}

// history is a table of healthy readings: two services, one without the last metric.
func history(rows int) string {
	r := rand.New(rand.NewPCG(7, 7))
	var b strings.Builder
	b.WriteString("time,service,cpu,latency_ms,queue\n")
	for i := range rows {
		at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Minute).Format(time.RFC3339)
		fmt.Fprintf(&b, "%s,shop,%.2f,%.1f,%d\n%s,db,%.2f,%.1f,\n", at, 40+5*r.NormFloat64(), 100+9*r.NormFloat64(), 10+r.IntN(5), at, 20+3*r.NormFloat64(), 5+r.NormFloat64())
	}
	return b.String()
}

func TestJudgements(t *testing.T) {
	files := map[string]string{
		"h.csv": history(200),
		"s.csv": "latency_ms,extra,service,time,cpu,queue\n100,1,shop,2026-10-02T00:00:00Z,40,12\n100,1,shop,2026-10-02T00:01:00Z,95,12\n" +
			",1,shop,2026-10-02T00:02:00Z,40,12\n5,1,db,2026-10-02T00:00:00Z,20,\n5,,db,2026-10-02T00:01:00Z,20,4000\n,,db,2026-10-02T00:02:00Z,,\n1,1,mail,2026-10-02T00:00:00Z,1,1\n",
	}
	lines := judged(t, files, "-train", "h.csv", "-score", "s.csv")
	programtest.Equal(t, lines[0], "schema", "anomaly-scores/v1")
	programtest.Equal(t, lines[0], "warnings.0.code", "unknown_column")
	programtest.Equal(t, lines[0], "warnings.0.ref", "extra")
	want := []any{false, true, false, false, false, nil, nil} // queue is no metric of db, and mail was never seen
	for i, is := range want {
		programtest.Equal(t, lines[i+1], "is_anomaly", is)
	}
	programtest.Equal(t, lines[2], "contributions.0.feature", "cpu")
	programtest.Equal(t, lines[2], "contributions.0.direction", "high")
	programtest.Equal(t, lines[2], "contributions.0.suffices", true)
	programtest.Equal(t, lines[2], "features.cpu.percentile_band", "extreme_high")
	programtest.Equal(t, lines[3], "missing.0", "latency_ms")
	programtest.Equal(t, lines[6], "state", "no_data")
	programtest.Equal(t, lines[6], "score", nil)
	programtest.Equal(t, lines[7], "error", "No model trained for this service")

	if o := programtest.Run(t, nil, files, "-train", "h.csv", "-score", "s.csv", "-fail-on", "anomaly"); o.Exit != 1 || !strings.Contains(o.Stdout, "cpu 95") {
		t.Errorf("-fail-on anomaly = %d\n%s%s, want 1 and the result", o.Exit, o.Stdout, o.Stderr)
	}
	// Three standard deviations: one reading in 370 is as far off, on either side.
	files["s.csv"] = "time,service,cpu,latency_ms,queue\n2026-10-02T00:00:00Z,shop,55,100,12\n"
	for alpha, want := range map[string]bool{"0.3": true, "0.00001": false} {
		programtest.Equal(t, judged(t, files, "-train", "h.csv", "-score", "s.csv", "-alpha", alpha)[1], "is_anomaly", want)
	}
}

// What -model saved judges as what was learnt anew, of services with other metrics too.
func TestModel(t *testing.T) {
	for _, preset := range []string{"default", "article"} {
		files := map[string]string{"s.csv": "time,service,cpu,latency_ms,queue\n2026-10-02T00:00:00Z,shop,95,100,12\n2026-10-02T00:00:00Z,mail,1,1,1\n"}
		files["h.csv"] = strings.ReplaceAll(history(100), ",db,", ",shop,")
		if preset == "article" { // wants every value
			files["h.csv"] = strings.ReplaceAll(files["h.csv"], ",\n", ",11\n")
		}
		model := filepath.Join(t.TempDir(), "model")
		learnt := judged(t, files, "-train", "h.csv", "-score", "s.csv", "-preset", preset, "-model", model)
		loaded := judged(t, files, "-load", model, "-score", "s.csv", "-preset", preset)
		if !reflect.DeepEqual(learnt[1:], loaded[1:]) || len(loaded) != 3 {
			t.Errorf("%s: loaded\n%v\nlearnt\n%v", preset, loaded[1:], learnt[1:])
		}
		other := map[string]string{"default": "article", "article": "default"}[preset]
		o := programtest.Run(t, nil, files, "-load", model, "-score", "s.csv", "-preset", other)
		if o.Exit != 3 || !strings.Contains(o.Stderr, "shop was learnt with another preset; want a model of -preset "+other) {
			t.Errorf("a model of %s with -preset %s = %d, %s%s, want 3", preset, other, o.Exit, o.Stdout, o.Stderr)
		}
	}
}

// A line of 2 an hour, at 100 at midnight, reaches 200 after fifty hours; one that falls by
// as much reaches 20 after forty.
func TestForecast(t *testing.T) {
	var train, score strings.Builder
	for i := range 72 {
		at := time.Date(2026, 10, 1, i, 0, 0, 0, time.UTC).Format(time.RFC3339)
		into := &train
		if i >= 60 {
			into = &score
		}
		fmt.Fprintf(into, "%s,disk,%d\n%s,quota,%d\n", at, 100-2*71+2*i, at, 100+2*71-2*i)
	}
	head := "time,service,used\n"
	files := map[string]string{"h.csv": head + train.String(), "s.csv": head + score.String()}
	for limit, c := range map[string]struct {
		service int
		state   string
		want    time.Time
	}{
		"200": {0, "ok", time.Date(2026, 10, 6, 1, 0, 0, 0, time.UTC)}, "20": {1, "ok", time.Date(2026, 10, 5, 15, 0, 0, 0, time.UTC)},
		"50": {0, "already", time.Time{}},
	} {
		lines := judged(t, files, "-train", "h.csv", "-score", "s.csv", "-forecast", "used", "-horizon", "24h", "-limit", limit)
		l := lines[len(lines)-2+c.service]
		programtest.Equal(t, l, "exhaustion.state", c.state)
		if c.state != "ok" {
			continue
		}
		got, err := time.Parse(time.RFC3339, programtest.At(t, l, "exhaustion.median").(string))
		if err != nil || got.Sub(c.want).Abs() > time.Hour {
			t.Errorf("-limit %s: %v, %v, want %v within an hour", limit, got, err, c.want)
		}
		if steps := programtest.At(t, l, "steps").([]any); len(steps) != 24 {
			t.Errorf("%d steps, want 24", len(steps))
		}
		end := programtest.At(t, l, "steps.23.value").(float64)
		if want := 100 + 48*float64(1-2*c.service); math.Abs(end-want) > 1 {
			t.Errorf("-limit %s: %v after a day, want %v", limit, end, want)
		}
	}
	text := programtest.Run(t, nil, files, "-train", "h.csv", "-score", "s.csv", "-forecast", "used", "-limit", "200").Stdout
	if !strings.Contains(text, "reaches the limit about 2026-10-06 0") {
		t.Errorf("the text says nothing of the limit:\n%s", text)
	}
}

func TestErrors(t *testing.T) {
	files := map[string]string{
		"h.csv": history(50), "short.csv": history(3),
		"s.csv": "time,service,cpu,latency_ms\n2026-10-02T00:00:00Z,shop,40,\n",
	}
	for _, c := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{"-train", "h.csv"}, 2, "want both -train (or -load) and -score"},
		{[]string{"-config", "h.csv"}, 2, "-config: this program has none"},
		{[]string{"-train", "h.csv", "-load", "h.csv", "-score", "s.csv"}, 2, "want one of -train and -load"},
		{[]string{"-load", "h.csv"}, 2, "want both -train (or -load) and -score"},
		{[]string{"-load", "h.csv", "-score", "s.csv"}, 3, "h.csv: want a file that -model wrote"},
		{[]string{"-limit", "NaN", "-horizon", "-1h"}, 2, "-limit \"NaN\": want a number\n-limit: wants the metric in -forecast\n-horizon -1h0m0s: want a positive duration"},
		{[]string{"-forecast", "speed"}, 3, `-forecast "speed": no reading has a value of this metric`},
		{[]string{"-preset", "best"}, 2, `-preset "best": want default or article`},
		{[]string{"-alpha", "0.6"}, 2, "-alpha 0.6: want a probability above 0 and at most 0.5"},
		{[]string{"-alpha", "NaN"}, 2, "-alpha NaN: want a probability"},
		{[]string{"-train", "none.csv", "-score", "s.csv"}, 3, "none.csv"},
		{[]string{"-train", "short.csv", "-score", "s.csv"}, 3, "short.csv: shop: anomaly: too few rows"},
		{[]string{"-train", "h.csv", "-score", "s.csv", "-preset", "article"}, 3, "s.csv:1: queue: the column is missing"},
	} {
		o := programtest.Run(t, nil, files, c.args...)
		if o.Exit != c.exit || o.Stdout != "" || !strings.Contains(o.Stderr, c.want) {
			t.Errorf("%q = %d, %q, %q, want %d, nothing and %q", c.args, o.Exit, o.Stdout, o.Stderr, c.exit, c.want)
		}
	}
}

// The image is well-formed XML with the line, the band and the findings.
func TestImage(t *testing.T) {
	image := programtest.Run(t, nil, nil, "-format", "svg").Stdout
	for d := xml.NewDecoder(strings.NewReader(image)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range []string{`class="series s0"`, `class="band b0"`, `class="span breached"`, "shop-batch: queue_depth"} {
		if !strings.Contains(image, part) {
			t.Errorf("the image has no %s", part)
		}
	}
}
