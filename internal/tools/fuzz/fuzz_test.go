package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// all are the targets of the root module.
func all(t *testing.T) []target {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	found, err := targets(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Every line of outside.txt is a target that is there, and stands once and in order.
func TestOutside(t *testing.T) {
	found := all(t)
	listed := outside()
	if !slices.IsSorted(listed) || len(slices.Compact(slices.Clone(listed))) != len(listed) {
		t.Error("outside.txt is not sorted, or has a line twice")
	}
	for _, line := range listed {
		if !slices.ContainsFunc(found, func(t target) bool { return t.outside && t.String() == line }) {
			t.Errorf("outside.txt lists %q, which is no fuzz test", line)
		}
	}
	if len(found) <= len(listed) {
		t.Errorf("%d targets found, %d listed", len(found), len(listed))
	}
}

// Every line of runs.jsonl is of a target that is there, and ran something.
func TestRuns(t *testing.T) {
	found := all(t)
	text, err := os.ReadFile("runs.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if e.Time <= 0 || e.Processor <= 0 || e.Inputs <= 0 || !slices.ContainsFunc(found, func(t target) bool { return t.String() == e.Target }) {
			t.Errorf("%s: want a fuzz test that is there, and how long it ran", line)
		}
	}
}

// The outputs have the form of those of Go 1.26.8.
func TestJudge(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, c := range []struct {
		name, output string
		err          error
		execs        int64
		want         string
	}{
		{"passed", "fuzz: elapsed: 0s, gathering baseline coverage: 0/2 completed\nfuzz: elapsed: 3s, execs: 1200 (400/sec), new interesting: 1 (total: 3)\nfuzz: elapsed: 6s, execs: 2500 (433/sec), new interesting: 2 (total: 4)\nPASS\n", nil, 2500, ""},
		{"ran nothing", "fuzz: elapsed: 0s, gathering baseline coverage: 0/2 completed\nPASS\n", nil, 0, "ran no input"},
		{"failed", "fuzz: elapsed: 3s, execs: 7 (2/sec), new interesting: 0 (total: 2)\n--- FAIL: FuzzX (3.01s)\n    --- FAIL: FuzzX (0.00s)\n        x_test.go:9: no\n    \n    Failing input written to testdata/fuzz/FuzzX/ab12\n", failed, 7, "exit status 1; its input is testdata/fuzz/FuzzX/ab12"},
		{"time over while shrinking", "fuzz: elapsed: 3s, execs: 7 (2/sec), new interesting: 0 (total: 2)\n--- FAIL: FuzzX (3.01s)\n    context deadline exceeded\nFAIL\n", failed, 7, ""},
		{"a seed fails", "--- FAIL: FuzzX (0.00s)\n    --- FAIL: FuzzX/seed#0 (0.00s)\n        x_test.go:9: no\nFAIL\n", failed, 0, "exit status 1"},
	} {
		r := judge([]byte(c.output), c.err)
		got := ""
		if r.err != nil {
			got = r.err.Error()
		}
		if r.execs != c.execs || got != c.want {
			t.Errorf("%s: judge = %d inputs, %q, want %d, %q", c.name, r.execs, got, c.execs, c.want)
		}
	}
}

// A journal that is gone on with knows the longest time of each target; one that is
// begun knows none.
func TestJournal(t *testing.T) {
	name := filepath.Join(t.TempDir(), "cache", "fuzz.jsonl")
	j, err := openJournal(name, true)
	if err != nil || len(j.times) != 0 {
		t.Fatalf("openJournal = %v, %v, want an empty one", j, err)
	}
	for target, long := range map[string]time.Duration{"a FuzzX": time.Minute, "a FuzzY": time.Second} {
		if err := j.add(entry{Target: target, Time: long}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(j.add(entry{Target: "a FuzzX", Time: time.Second}), j.file.Close()); err != nil {
		t.Fatal(err)
	}
	if j, err = openJournal(name, true); err != nil || len(j.times) != 2 || j.times["a FuzzX"] != time.Minute {
		t.Fatalf("openJournal = %v, %v, want both targets and a minute for FuzzX", j, err)
	}
	if _, err := j.file.WriteString(`{"target":"a FuzzZ","ti`); err != nil { // cut
		t.Fatal(err)
	}
	if err := errors.Join(j.add(entry{Target: "a FuzzW", Time: time.Second}), j.add(entry{Target: "a FuzzV", Time: time.Second}), j.file.Close()); err != nil {
		t.Fatal(err)
	}
	if j, err = openJournal(name, true); err != nil || len(j.times) != 3 || j.times["a FuzzV"] != time.Second {
		t.Fatalf("openJournal = %v, %v, want what stands behind the line that was cut too", j, err)
	}
	j.file.Close()
	if j, err = openJournal(name, false); err != nil || len(j.times) != 0 {
		t.Errorf("openJournal = %v, %v, want an empty one", j, err)
	}
	j.file.Close()
}

func TestPlan(t *testing.T) {
	var out bytes.Buffer
	s := session{each: time.Minute, outside: 10 * time.Minute, log: &out}
	s.plan([]target{{outside: true}, {}, {outside: true}})
	if want := "3 targets, 2 of them take apart bytes of others: 2 x 10m0s + 1 x 1m0s = 21m0s"; !strings.Contains(out.String(), want) {
		t.Errorf("plan = %q, want %q in it", out.String(), want)
	}
}
