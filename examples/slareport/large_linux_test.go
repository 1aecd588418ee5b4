package main

import (
	"bufio"
	"compress/gzip"
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

// A hundred megabytes that are no table, and a table that unpacks to them, end with one
// line that says what is wanted, in the memory of a small run.
func TestLargeFilesThatAreNoTables(t *testing.T) {
	const most = 64 << 10 // KiB
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	large(t, file("contract.yaml"), func(w *bufio.Writer) { fmt.Fprint(w, contract) })
	filler := strings.Repeat("x", 1<<20)
	large(t, file("quote.csv"), func(w *bufio.Writer) {
		fmt.Fprint(w, header, "api,\"")
		for range 100 {
			fmt.Fprintln(w, filler)
		}
	})
	large(t, file("line.jsonl"), func(w *bufio.Writer) {
		for range 100 {
			fmt.Fprint(w, filler)
		}
	})
	large(t, file("bomb.csv"), func(w *bufio.Writer) {
		z := gzip.NewWriter(w)
		fmt.Fprint(z, header)
		for range 100 {
			fmt.Fprintln(z, filler)
		}
		z.Close()
	})
	for _, c := range []struct {
		args string
		exit int
		want string
	}{
		{"-config contract.yaml -outages quote.csv", 3, "quote.csv:2: want rows of at most 1048576 bytes; a quote that is not closed?\n"},
		{"-config contract.yaml -outages line.jsonl", 3, "line.jsonl:1: want lines of at most 1048576 bytes\n"},
		{"-config contract.yaml -outages bomb.csv", 3, "bomb.csv: found a file in the format of gzip, want text: unpack it first\n"},
		{"-config quote.csv", 2, "-config: quote.csv: want at most 16777216 bytes\n"},
		{"-config bomb.csv", 2, "-config: bomb.csv: found a file in the format of gzip, want text: unpack it first\n"},
	} {
		cmd := programtest.Command(t, append(strings.Fields(c.args), "-month", "2026-10", "-now", "2026-11-02T00:00:00Z")...)
		var stdout, stderr strings.Builder
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
		peak, _ := programtest.RunMeasured(t, cmd) // the exit code is looked at
		if cmd.ProcessState.ExitCode() != c.exit || stderr.String() != c.want || stdout.Len() > 0 {
			t.Errorf("%s: exit %d, %d bytes, %q, want %d, none, %q", c.args, cmd.ProcessState.ExitCode(), stdout.Len(), stderr.String(), c.exit, c.want)
		}
		if peak > most {
			t.Errorf("%s: %d KiB, want at most %d", c.args, peak, most)
		}
	}
}

// A million outages that overlap, in CSV and as objects, take at most 64 MB. It runs with
// EVENKEEL_SOAK=1; time is shown and not judged, as others may use the machine.
func TestMillionOutages(t *testing.T) {
	if os.Getenv("EVENKEEL_SOAK") == "" {
		t.Skip("a million rows: set EVENKEEL_SOAK=1")
	}
	const n, most = 1_000_000, 64 << 10 // KiB
	dir := t.TempDir()
	large(t, filepath.Join(dir, "contract.yaml"), func(w *bufio.Writer) { fmt.Fprint(w, contract) })
	for name, row := range map[string]string{
		"outages.csv":   "%s,%s,%s,down,provider,INC-%d\n",
		"outages.jsonl": `{"service":%q,"start":%q,"end":%q,"kind":"down","cause":"provider","incident_id":"INC-%d"}` + "\n",
	} {
		large(t, filepath.Join(dir, name), func(w *bufio.Writer) {
			if filepath.Ext(name) == ".csv" {
				fmt.Fprint(w, "service,start,end,kind,cause,incident_id\n")
			}
			random := rand.New(rand.NewPCG(1, 2))
			first := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
			for i := range n {
				start := first.Add(time.Duration(random.IntN(30*86400)) * time.Second)
				end := start.Add(time.Duration(random.IntN(300)) * time.Second)
				fmt.Fprintf(w, row, []string{"api", "web"}[i%2], start.Format(time.RFC3339), end.Format(time.RFC3339), i)
			}
		})
		cmd := programtest.Command(t, "-config", "contract.yaml", "-outages", name, "-month", "2026-10", "-now", "2026-11-02T00:00:00Z", "-json")
		cmd.Dir = dir
		var out strings.Builder
		cmd.Stdout = &out
		peak, err := programtest.RunMeasured(t, cmd)
		if err != nil || !strings.Contains(out.String(), `"rows": 1000000`) {
			t.Fatalf("%s: %v", name, err)
		}
		if peak > most {
			t.Errorf("%s: %d KiB, want at most %d", name, peak, most)
		}
		t.Logf("%s: %d KiB, %v of CPU time", name, peak, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
}
