package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// night is a copy of the recording that a test may spoil.
func night(t *testing.T) fstest.MapFS {
	t.Helper()
	spoiled := fstest.MapFS{}
	for _, name := range []string{"metrics.csv", "sli.csv", "checks.csv", "maintenance.csv", "webhooks.jsonl"} {
		name = "testdata/night/" + name
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		spoiled[name] = &fstest.MapFile{Data: data}
	}
	return spoiled
}

// edit changes the lines of a file of the copy; the first line has index 0.
func edit(t *testing.T, n fstest.MapFS, name string, change func(lines []string) []string) {
	t.Helper()
	file := n["testdata/night/"+name]
	if file == nil {
		t.Fatalf("no file %s", name)
	}
	lines := strings.Split(strings.TrimSuffix(string(file.Data), "\n"), "\n")
	file.Data = []byte(strings.Join(change(lines), "\n") + "\n")
}

// replace changes a text of one line, which must be there.
func replace(t *testing.T, line int, from, to string) func([]string) []string {
	t.Helper()
	return func(lines []string) []string {
		if !strings.Contains(lines[line-1], from) {
			t.Fatalf("line %d lacks %q: %s", line, from, lines[line-1])
		}
		lines[line-1] = strings.Replace(lines[line-1], from, to, 1)
		return lines
	}
}

// cell replaces a cell of a row.
func cell(line, column int, to string) func([]string) []string {
	return func(lines []string) []string {
		cells := strings.Split(lines[line-1], ",")
		cells[column] = to
		lines[line-1] = strings.Join(cells, ",")
		return lines
	}
}

// A spoiled recording is refused with the file, the line and what was found.
func TestSpoiledRecording(t *testing.T) {
	for _, c := range []struct {
		name, file string
		change     func([]string) []string
		want       []string
	}{
		{"body cut off", "webhooks.jsonl", func(l []string) []string { l[2] = l[2][:len(l[2])/2]; return l }, []string{"webhooks.jsonl:3: "}},
		{"no JSON", "webhooks.jsonl", func(l []string) []string { l[4] = "firing"; return l }, []string{"webhooks.jsonl:5: "}},
		{"empty line", "webhooks.jsonl", func(l []string) []string { return slices.Insert(l, 1, "") }, []string{"webhooks.jsonl:2: "}},
		{"two bodies on a line", "webhooks.jsonl", func(l []string) []string { l[0] += l[1]; return l }, []string{"webhooks.jsonl:1: "}},
		{"line too long", "webhooks.jsonl", func(l []string) []string {
			l[1] = strings.Replace(l[1], `"summary":"`, `"summary":"`+strings.Repeat("x", 2<<20), 1)
			return l
		}, []string{"webhooks.jsonl:2: "}},
		{"other version", "webhooks.jsonl", replace(t, 1, `"version":"4"`, `"version":"5"`), []string{"webhooks.jsonl:1: ", `"5"`}},
		{"arrival missing", "webhooks.jsonl", replace(t, 1, `"at":`, `"was":`), []string{"webhooks.jsonl:1: "}},
		{"unknown severity", "webhooks.jsonl", replace(t, 1, `"severity":"p2"`, `"severity":"urgent"`), []string{"webhooks.jsonl:1: alerts[0].labels.severity: ", `"urgent"`}},
		{"unknown status", "webhooks.jsonl", replace(t, 2, `"alerts":[{"status":"firing"`, `"alerts":[{"status":"pending"`), []string{"webhooks.jsonl:2: alerts[0].status: ", `"pending"`, "firing or resolved"}},
		{"no signal", "webhooks.jsonl", replace(t, 1, `"signal":"platform.db_slow"`, `"signal":"slow"`), []string{"webhooks.jsonl:1: alerts[0].labels.signal: ", `"slow"`}},
		{"no start", "webhooks.jsonl", replace(t, 1, `"startsAt":"2026`, `"startsAt":"0001-01-01T00:00:00Z","was":"2026`), []string{"webhooks.jsonl:1: alerts[0]."}},
		{"good is NaN", "sli.csv", cell(2, 2, "NaN"), []string{"sli.csv:2: good: ", `"NaN"`, "whole number"}},
		{"good is negative", "sli.csv", cell(3, 2, "-1"), []string{"sli.csv:3: good: ", `"-1"`}},
		{"good is empty", "sli.csv", cell(3, 2, ""), []string{"sli.csv:3: good: "}},
		{"more good than all", "sli.csv", cell(4, 2, "99999"), []string{"sli.csv:4: good: ", "99999"}},
		{"total does not fit", "sli.csv", cell(4, 3, "99999999999999999999"), []string{"sli.csv:4: total: "}},
		{"no zone", "sli.csv", cell(5, 0, "2026-11-24T17:31:15"), []string{"sli.csv:5: time: ", "zone"}},
		{"no service", "sli.csv", cell(5, 1, ""), []string{"sli.csv:5: service: "}},
		{"row too short", "sli.csv", func(l []string) []string { l[5] = "2026-11-24T17:31:15Z,shop-api"; return l }, []string{"sli.csv:6: "}},
		{"column missing", "sli.csv", replace(t, 1, "total", "all"), []string{"sli.csv:1: total: "}},
		{"metric is infinite", "metrics.csv", cell(2, 2, "+Inf"), []string{"metrics.csv:2: cpu_utilization: ", `"+Inf"`}},
		{"metric is a word", "metrics.csv", cell(2, 3, "high"), []string{"metrics.csv:2: memory_usage: ", `"high"`}},
		{"check is unclear", "checks.csv", cell(3, 2, "maybe"), []string{"checks.csv:3: status: ", `"maybe"`, "up, down, degraded, unknown"}},
		{"open quote", "checks.csv", cell(4, 1, `"shop`), []string{"checks.csv:"}},
		{"maintenance of no kind", "maintenance.csv", replace(t, 2, "planned", "secret"), []string{"maintenance.csv:2: type: ", `"secret"`}},
		{"maintenance never announced", "maintenance.csv", cell(2, 4, ""), []string{"maintenance.csv:2: announced: "}},
		{"empty file", "checks.csv", func([]string) []string { return []string{""} }, []string{"checks.csv:1: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := night(t)
			edit(t, n, c.file, c.change)
			rec, err := loadRecording(n)
			if err == nil {
				t.Fatalf("loadRecording of %d inputs succeeded, want an error with %q", len(rec.inputs), c.want)
			}
			if exit := (*program.ExitError)(nil); !errors.As(err, &exit) || exit.Code != program.Input {
				t.Errorf("error %v, want one with exit code %d", err, program.Input)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error lacks %q:\n%.300s", want, err)
				}
			}
		})
	}
}

// Everything that is wrong is reported at once.
func TestSpoiledInManyPlaces(t *testing.T) {
	n := night(t)
	edit(t, n, "sli.csv", cell(2, 2, "NaN"))
	edit(t, n, "sli.csv", cell(9, 3, "0"))
	edit(t, n, "checks.csv", cell(3, 2, "maybe"))
	edit(t, n, "webhooks.jsonl", replace(t, 1, `"p2"`, `"urgent"`))
	edit(t, n, "webhooks.jsonl", func(l []string) []string { l[2] = "{"; return l })
	_, err := loadRecording(n)
	if err == nil {
		t.Fatal("want an error")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 5 {
		t.Errorf("%d lines of errors, want 5:\n%v", len(lines), err)
	}
	for _, want := range []string{"sli.csv:2: good", "sli.csv:9: good", "checks.csv:3: status", "webhooks.jsonl:1: ", "webhooks.jsonl:3: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("errors lack %q:\n%v", want, err)
		}
	}
}

// A recording without a single measurement or webhook is refused.
func TestEmptyRecording(t *testing.T) {
	n := night(t)
	header := func(lines []string) []string { return lines[:1] }
	for _, name := range []string{"metrics.csv", "sli.csv", "checks.csv", "maintenance.csv"} {
		edit(t, n, name, header)
	}
	n["testdata/night/webhooks.jsonl"].Data = nil
	if _, err := loadRecording(n); err == nil {
		t.Error("loadRecording of an empty recording succeeded, want an error")
	}
	delete(n, "testdata/night/sli.csv")
	if _, err := loadRecording(n); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "sli.csv") {
		t.Errorf("error %v, want that sli.csv is missing", err)
	}
}

// An unknown column is reported and not used; NaN and an empty cell are absent.
func TestUnknownColumnAndAbsentValues(t *testing.T) {
	n := night(t)
	edit(t, n, "metrics.csv", func(lines []string) []string {
		lines[0] += ",colour"
		for i := range lines[1:] {
			lines[i+1] += ",red"
		}
		return cell(3, 3, "")(cell(2, 2, "NaN")(lines))
	})
	rec, err := loadRecording(n)
	if err != nil {
		t.Fatal(err)
	}
	if len(rec.warnings) != 1 || rec.warnings[0].Code != "unknown_column" || !strings.Contains(rec.warnings[0].Message, "colour") {
		t.Errorf("warnings %+v, want one of the column", rec.warnings)
	}
	if _, ok := rec.metrics[0].values["cpu_utilization"]; ok {
		t.Error("NaN became a value")
	}
	if _, ok := rec.metrics[1].values["memory_usage"]; ok {
		t.Error("an empty cell became a value")
	}
	_, plain := replayNight(t)
	_, wide := replayOf(t, rec)
	if len(wide.story) != len(plain.story) {
		t.Errorf("the story has %d lines, want the %d of the recording as it is", len(wide.story), len(plain.story))
	}
}

// The order of rows and lines in the files does not matter.
func TestUnsortedRecording(t *testing.T) {
	_, want := replayNight(t)
	n := night(t)
	backwards := func(skip int) func([]string) []string {
		return func(lines []string) []string { slices.Reverse(lines[skip:]); return lines }
	}
	for _, name := range []string{"metrics.csv", "sli.csv", "checks.csv", "maintenance.csv"} {
		edit(t, n, name, backwards(1))
	}
	edit(t, n, "webhooks.jsonl", backwards(0))
	rec, err := loadRecording(n)
	if err != nil {
		t.Fatal(err)
	}
	in, err := loadInputs()
	if err != nil {
		t.Fatal(err)
	}
	m, err := new(options).replay(t.Context(), rec, in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := conclude(m)
	if err != nil {
		t.Fatal(err)
	}
	for i := range min(len(got.story), len(want.story)) {
		if !reflect.DeepEqual(got.story[i], want.story[i]) {
			t.Errorf("line %d is\n%+v\nwant\n%+v", i, got.story[i], want.story[i])
			break
		}
	}
	if len(got.story) != len(want.story) || got.totals != want.totals || got.outage() != want.outage() || got.statement.Payable != want.statement.Payable {
		t.Errorf("%d lines, %+v, %v down, %v; want %d, %+v, %v, %v", len(got.story), got.totals, got.outage(), got.statement.Payable,
			len(want.story), want.totals, want.outage(), want.statement.Payable)
	}
}

// Webhooks and rows that come twice change nothing but the count of webhooks and
// samples.
func TestRepeatedInput(t *testing.T) {
	_, want := replayNight(t)
	n := night(t)
	twice := func(skip int) func([]string) []string {
		return func(lines []string) []string {
			repeated := slices.Clone(lines[:skip])
			for _, line := range lines[skip:] {
				repeated = append(repeated, line, line)
			}
			return repeated
		}
	}
	edit(t, n, "webhooks.jsonl", twice(0))
	edit(t, n, "checks.csv", twice(1))
	edit(t, n, "sli.csv", twice(1))
	rec, err := loadRecording(n)
	if err != nil {
		t.Fatal(err)
	}
	if rec.webhooks != 2*want.rec.webhooks {
		t.Errorf("%d webhooks, want %d", rec.webhooks, 2*want.rec.webhooks)
	}
	_, got := replayOf(t, rec)
	if !reflect.DeepEqual(got.story, want.story) {
		t.Errorf("the story has %d lines, want the same %d", len(got.story), len(want.story))
	}
	if got.totals.Alerts != want.totals.Alerts || got.totals.Pages != want.totals.Pages || got.totals.Messages != want.totals.Messages || got.totals.Incidents != want.totals.Incidents || got.outage() != want.outage() {
		t.Errorf("totals %+v, %v down, want %+v, %v", got.totals, got.outage(), want.totals, want.outage())
	}
}

// Two different counts for one instant are refused, with the place.
func TestContradictingCounts(t *testing.T) {
	n := night(t)
	var at int
	edit(t, n, "sli.csv", func(lines []string) []string {
		i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "shop-web") })
		at = i + 2
		return slices.Insert(lines, i+1, strings.Join(append(strings.Split(lines[i], ",")[:2], "1", "2"), ","))
	})
	rec, err := loadRecording(n)
	if err == nil {
		var in *inputs
		if in, err = loadInputs(); err != nil {
			t.Fatal(err)
		}
		_, err = new(options).replay(t.Context(), rec, in)
	}
	if err == nil || !strings.Contains(err.Error(), "sli.csv") {
		t.Fatalf("error %v, want one about sli.csv:%d", err, at)
	}
	if exit := (*program.ExitError)(nil); errors.As(err, &exit) && exit.Code != program.Input {
		t.Errorf("exit code %d, want %d", exit.Code, program.Input)
	}
}

// late returns the lines of webhooks.jsonl with one more, which reports an alert
// at an instant with a start that does not fit.
func late(t *testing.T, arrival, starts time.Time, status string) func([]string) []string {
	t.Helper()
	return func(lines []string) []string {
		var hook map[string]any
		if err := json.Unmarshal([]byte(lines[0]), &hook); err != nil {
			t.Fatal(err)
		}
		hook["at"] = arrival
		alert := hook["body"].(map[string]any)["alerts"].([]any)[0].(map[string]any)
		alert["status"], alert["startsAt"], alert["endsAt"] = status, starts, starts
		line, err := json.Marshal(hook)
		if err != nil {
			t.Fatal(err)
		}
		return append(lines, string(line))
	}
}

// Alerts that arrive late, or of a start that lies in the future or long ago, stop
// nothing: the night ends, and its other incidents are the same.
func TestLateAlerts(t *testing.T) {
	_, want := replayNight(t)
	kill := find(t, readFaults(t), "kill", "db-1")
	for _, c := range []struct {
		name            string
		arrival, starts time.Time
		status          string
	}{
		{"firing, older than the end that was told", kill.at.Add(-20 * time.Second), kill.at.Add(-4 * time.Minute), "firing"},
		{"end of what never began", want.rec.start.Add(time.Minute), want.rec.start.Add(time.Minute), "resolved"},
		{"end before the start", kill.at.Add(-20 * time.Second), want.rec.start, "resolved"},
		{"start a year ago", want.rec.end.Add(-time.Minute), want.rec.end.AddDate(-1, 0, 0), "firing"},
		{"start in a year", want.rec.end.Add(-time.Minute), want.rec.end.AddDate(1, 0, 0), "firing"},
		{"arrival before the recording", want.rec.start.Add(-time.Hour), want.rec.start.Add(-time.Hour), "resolved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := night(t)
			edit(t, n, "webhooks.jsonl", late(t, c.arrival, c.starts, c.status))
			rec, err := loadRecording(n)
			if err != nil {
				t.Fatal(err)
			}
			if rec.webhooks != want.rec.webhooks+1 {
				t.Errorf("%d webhooks, want %d", rec.webhooks, want.rec.webhooks+1)
			}
			_, got := replayOf(t, rec)
			if got.outage() != want.outage() || got.statement.Payable != want.statement.Payable {
				t.Errorf("%v down, %v payable, want %v, %v", got.outage(), got.statement.Payable, want.outage(), want.statement.Payable)
			}
			if got.totals.Incidents < want.totals.Incidents || got.totals.Incidents > want.totals.Incidents+1 {
				t.Errorf("%d incidents, want %d or one more", got.totals.Incidents, want.totals.Incidents)
			}
			var page bytes.Buffer
			got.text(&page, "")
			if page.Len() == 0 {
				t.Error("no text")
			}
		})
	}
}

// Values at the edge of the floating point do not stop the replay.
func TestExtremeMetrics(t *testing.T) {
	n := night(t)
	edit(t, n, "metrics.csv", func(lines []string) []string {
		for i, text := range []string{"1e308", "-1e308", "4.9e-324", "-0", "1e300"} {
			lines = cell(i*40+300, 2, text)(cell(i*40+302, 4, text)(lines))
		}
		return lines
	})
	rec, err := loadRecording(n)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rec.metrics {
		for name, x := range row.values {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Fatalf("%s at %v: %s is %v", row.service, row.at, name, x)
			}
		}
	}
	_, r := replayOf(t, rec)
	if _, err := r.html(); err != nil {
		t.Errorf("html: %v", err)
	}
}

// The recording is read to the same inputs however its files are cut: no text
// makes the reader panic.
func FuzzLoadRecording(f *testing.F) {
	names := []string{"metrics.csv", "sli.csv", "checks.csv", "maintenance.csv", "webhooks.jsonl"}
	for i, name := range names {
		data, err := fs.ReadFile(files, "testdata/night/"+name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), data[:min(len(data), 2000)])
	}
	base := fstest.MapFS{}
	for _, name := range names {
		data, err := fs.ReadFile(files, "testdata/night/"+name)
		if err != nil {
			f.Fatal(err)
		}
		head, _, _ := bytes.Cut(data, []byte("\n"))
		base["testdata/night/"+name] = &fstest.MapFile{Data: append(head, '\n')}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		n := maps.Clone(base)
		n["testdata/night/"+names[int(which)%len(names)]] = &fstest.MapFile{Data: data}
		rec, err := loadRecording(n)
		if err == nil && (rec.start.After(rec.end) || len(rec.sources) != len(names)) {
			t.Errorf("a recording from %v to %v of %d files", rec.start, rec.end, len(rec.sources))
		}
	})
}
