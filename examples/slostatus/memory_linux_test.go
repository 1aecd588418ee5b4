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

// A million rows of a month take at most 64 MB, in order and not. It runs with
// EVENKEEL_SOAK=1; time is shown and not judged, as others may use the machine.
func TestMillionRows(t *testing.T) {
	if os.Getenv("EVENKEEL_SOAK") == "" {
		t.Skip("a million rows: set EVENKEEL_SOAK=1")
	}
	const n, most = 1_000_000, 64 << 10 // KiB
	end := time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	config := filepath.Join(dir, "slo.yaml")
	if err := os.WriteFile(config, []byte("version: 1\nslos: [{id: a, service: api, objective_percent: 99.9, window: 30d}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sli := filepath.Join(dir, "sli.csv")
	first := ""
	for _, order := range []string{"in order", "shuffled"} {
		numbers := make([]int, n)
		if order == "shuffled" {
			numbers = rand.New(rand.NewPCG(1, 2)).Perm(n)
		} else {
			for i := range numbers {
				numbers[i] = i
			}
		}
		f, err := os.Create(sli)
		if err != nil {
			t.Fatal(err)
		}
		// Row by row: a child counts as large as the process that starts it is.
		w := bufio.NewWriter(f)
		fmt.Fprint(w, header)
		for _, i := range numbers {
			at := end.Add(-time.Duration(n-1-i) * 2592 * time.Millisecond)
			fmt.Fprintf(w, "%s,api,%d,1000\n", at.Format("2006-01-02T15:04:05.000Z"), 1000-min(i%50, 1))
		}
		if err := errors.Join(w.Flush(), f.Close()); err != nil {
			t.Fatal(err)
		}
		cmd := programtest.Command(t, "-config", config, "-sli", sli, "-at", end.Format(time.RFC3339), "-format", "text")
		var out strings.Builder
		cmd.Stdout = &out
		peak, err := programtest.RunMeasured(t, cmd)
		if err != nil {
			t.Fatal(err)
		}
		if peak > most {
			t.Errorf("%s: %d KiB, want at most %d", order, peak, most)
		}
		t.Logf("%s: %d KiB, %v of CPU time", order, peak, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		if first == "" {
			first = out.String()
		}
		if out.String() != first || !strings.Contains(first, "of 1000000000 events") {
			t.Errorf("%s: another result:\n%s", order, out.String())
		}
	}
}
