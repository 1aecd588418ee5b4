package main

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

// most is how much memory a run takes, in KiB.
const most = 64 << 10

// large writes a file row by row: a child counts as large as the process that starts it is.
func large(t *testing.T, path string, write func(w *bufio.Writer)) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	write(w)
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// lines counts the lines of a file that hold a text, without holding the file.
func lines(t *testing.T, path, text string) (n int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		if strings.Contains(s.Text(), text) {
			n++
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// incidents writes a log of incidents one after the other, in regions taken in turn: a
// database goes down, eight callers fail and recover, and it is back. 200 regions have 1,800
// alerts. Every place of the log is that of a row in a permutation.
func incidents(w *bufio.Writer, rows int, order []int) {
	const of = 18 // rows of an incident
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		if order != nil {
			i = order[i]
		}
		incident, step := i/of, i%of
		alert, caller, status := "application.errors", (step-1)%8, "firing"
		if step == 0 || step == of-1 {
			alert, caller = "platform.database_down", 9
		}
		if step > 8 {
			status = "resolved"
		}
		fmt.Fprintf(w, `{"time":%q,"alert":%q,"status":%q,"tenant":"acme","labels":{"region":"r%d","instance":"i%d","team":"shop"},"severity":"P2"}`+"\n",
			start.Add(time.Duration(i)*time.Second).Format(time.RFC3339), alert, status, incident%200, caller)
	}
}

// A log takes at most 64 MB whatever its length, in order and not, as JSON and as text, of
// one set of rules and of two; what is told is right by the way the log is made. Ten and a
// hundred thousand rows, and with EVENKEEL_SOAK=1 a million. Time is shown and not judged,
// as others may use the machine.
func TestManyAlerts(t *testing.T) {
	sizes := []int{9_000, 90_000}
	if os.Getenv("EVENKEEL_SOAK") == "" {
		t.Log("a million rows: set EVENKEEL_SOAK=1")
	} else {
		sizes = append(sizes, 999_000)
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	const rule = "version: 1\nrules: [{name: down, by: [region], logic: \"IF platform.database_down THEN suppress application.errors\"}]\n"
	large(t, file("rules.yaml"), func(w *bufio.Writer) { fmt.Fprint(w, rule) })
	large(t, file("none.yaml"), func(w *bufio.Writer) { fmt.Fprint(w, "version: 1\nrules: []\n") })
	for _, rows := range sizes {
		of := rows / 18 // incidents
		written := ""
		for _, c := range []struct {
			order, format string
			args          []string
			config        string
			told          int // rows of the result
		}{
			{"in order", "json", nil, "rules.yaml", 2 * of},
			{"in order", "text", nil, "rules.yaml", 2 * of},
			{"in order", "json", []string{"-against", "rules.yaml"}, "rules.yaml", 2 * of},
			{"in order", "json", nil, "none.yaml", rows},
			{"in order", "md", nil, "none.yaml", rows},
			{"shuffled", "json", nil, "rules.yaml", 2 * of},
		} {
			if written != c.order {
				var order []int
				if c.order == "shuffled" {
					order = rand.New(rand.NewPCG(1, 2)).Perm(rows)
				}
				large(t, file("alerts.jsonl"), func(w *bufio.Writer) { incidents(w, rows, order) })
				written = c.order
			}
			cmd := programtest.Command(t, append([]string{"-config", c.config, "-alerts", "alerts.jsonl", "-format", c.format, "-o", "out", "-now", "2026-12-01T00:00:00Z"}, c.args...)...)
			cmd.Dir = dir
			var stderr strings.Builder
			cmd.Stderr = &stderr
			peak, err := programtest.RunMeasured(t, cmd)
			if err != nil {
				t.Fatalf("%d rows %+v: %v\n%.500s", rows, c, err, stderr.String())
			}
			if peak > most {
				t.Errorf("%d rows %+v: %d KiB, want at most %d", rows, c, peak, most)
			}
			t.Logf("%d rows %s, %s %s: %d KiB, %v of CPU time", rows, c.order, c.config, c.format, peak, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
			told := 0
			for _, text := range map[string][]string{"json": {`"action": "`}, "text": {"  began  ", "  is over  "}, "md": {"| began |", "| is over |"}}[c.format] {
				told += lines(t, file("out"), text)
			}
			if told != c.told {
				t.Errorf("%d rows %+v: told %d times, want %d", rows, c, told, c.told)
			}
			if c.format == "json" && lines(t, file("out"), fmt.Sprintf(`"events": %d,`, rows)) != 1 {
				t.Errorf("%d rows %+v: not all of them are events", rows, c)
			}
		}
	}
}

// A hundred megabytes that are no log end with one line that says what is wanted, in the
// memory of a small run.
func TestLargeFilesThatAreNoLogs(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	filler := strings.Repeat("x", 1<<20)
	large(t, file("r.yaml"), func(w *bufio.Writer) { fmt.Fprint(w, "version: 1\nrules: []\n") })
	for name, end := range map[string]string{"line": "", "lines": "\n"} {
		large(t, file(name), func(w *bufio.Writer) {
			for range 100 {
				fmt.Fprint(w, filler[len(end):], end)
			}
		})
	}
	large(t, file("quote.csv"), func(w *bufio.Writer) {
		fmt.Fprint(w, "time,service,status\n2026-10-01T00:00:00Z,\"")
		for range 100 {
			fmt.Fprintln(w, filler)
		}
	})
	for _, c := range []struct {
		args, want string
		most       int64 // KiB
	}{
		{"-alerts line", "line:1: want lines of at most 1048576 bytes\n", most},
		{"-webhooks line", "line:1: want lines of at most 16777216 bytes\n", 2 * most}, // whose lines are 16 times as long
		{"-alerts lines", "lines:100: line: want an object in JSON: invalid character 'x' looking for beginning of value\n", most},
		{"-checks quote.csv", "quote.csv:2: want rows of at most 1048576 bytes; a quote that is not closed?\n", most},
		{"-alerts /dev/zero", "/dev/zero:1: want lines of at most 1048576 bytes\n", most},
	} {
		cmd := programtest.Command(t, append([]string{"-config", "r.yaml"}, strings.Fields(c.args)...)...)
		var stdout, stderr strings.Builder
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
		peak, _ := programtest.RunMeasured(t, cmd) // the exit code is looked at
		if cmd.ProcessState.ExitCode() != 3 || !strings.HasSuffix(stderr.String(), c.want) || stdout.Len() > 0 {
			t.Errorf("%s: exit %d, %d bytes, %.300q, want 3, none, %q", c.args, cmd.ProcessState.ExitCode(), stdout.Len(), stderr.String(), c.want)
		}
		if peak > c.most {
			t.Errorf("%s: %d KiB, want at most %d", c.args, peak, c.most)
		}
		t.Logf("%s: %d KiB", c.args, peak)
	}
}
