package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/incident"
)

// binary builds the program once for all tests of the package.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "quickstart")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// run runs the program in an empty folder and returns its output.
func run(t *testing.T, env []string, args ...string) (stdout []byte, dir string) {
	t.Helper()
	cmd := command(t, args...)
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("quickstart %v: %v\n%s", args, err, stderr.String())
	}
	return stdout, cmd.Dir
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), path, args...)
}

func TestDeterministic(t *testing.T) {
	for _, args := range [][]string{{}, {"-json"}, {"-json", "-explain"}, {"-format", "html"}} {
		started := time.Now()
		first, _ := run(t, []string{"TZ=UTC", "GOMAXPROCS=1"}, args...)
		t.Logf("%v took %v", args, time.Since(started))
		second, _ := run(t, []string{"TZ=Asia/Kathmandu", "GOMAXPROCS=2"}, args...)
		if !bytes.Equal(first, second) {
			t.Errorf("quickstart %v: two runs differ", args)
		}
	}
}

func TestBareRunWritesNothing(t *testing.T) {
	out, dir := run(t, nil)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	if !bytes.HasPrefix(out, []byte("The embedded recording")) {
		t.Errorf("the first line must say what is shown: %.80q", out)
	}
}

// Every stage of the chain is in the story, in the order of time.
func TestStages(t *testing.T) {
	story := document{}
	out, _ := run(t, nil, "-json")
	if err := json.Unmarshal(out, &story); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i, line := range story.Story {
		seen[line.Stage]++
		if i > 0 && line.At.Before(story.Story[i-1].At) {
			t.Errorf("line %d is earlier than the one before it", i)
		}
	}
	for _, stage := range stages {
		if seen[stage] == 0 {
			t.Errorf("no line of stage %s", stage)
		}
		delete(seen, stage)
	}
	if len(seen) > 0 {
		t.Errorf("unknown stages %v", slices.Sorted(maps.Keys(seen)))
	}
	pages, _ := run(t, nil, "-json", "-only", "page")
	if err := json.Unmarshal(pages, &story); err != nil || len(story.Story) == 0 {
		t.Fatalf("-only page: %d lines, %v", len(story.Story), err)
	}
	for _, line := range story.Story {
		if line.Stage != "page" {
			t.Errorf("-only page shows a line of stage %s", line.Stage)
		}
	}
	cmd := command(t, "-only", "nonsense")
	if out, err := cmd.Output(); cmd.ProcessState.ExitCode() != 2 || len(out) > 0 {
		t.Errorf("-only nonsense: exit %d, %v, stdout %q; want 2 and nothing", cmd.ProcessState.ExitCode(), err, out)
	}
}

func TestHTML(t *testing.T) {
	_, dir := run(t, nil, "-html", "story.html")
	page, err := os.ReadFile(filepath.Join(dir, "story.html"))
	if err != nil {
		t.Fatal(err)
	}
	if len(page) > 150_000 {
		t.Errorf("the page has %d bytes, want at most 150 000", len(page))
	}
	for _, want := range []string{"<!doctype html>", "<svg", "<title>", "prefers-color-scheme"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<script", "src=", "http:", "https:"} {
		if bytes.Contains(page, []byte(never)) {
			t.Errorf("the page contains %q", never)
		}
	}
}

// A run that is killed again and again ends with the story of an undisturbed
// one, and tells nobody anything twice.
func TestKilledInTheMiddle(t *testing.T) {
	want, undisturbed := run(t, nil, "-json", "-db", "night.db")
	name := filepath.Join(t.TempDir(), "night.db")
	var got []byte
	middle := 0
	for attempt := 0; ; attempt++ {
		if attempt == 60 {
			t.Fatal("the night does not come to its end")
		}
		cmd := command(t, "-json", "-db", name, "-pace", "2ms")
		var stdout bytes.Buffer
		cmd.Stdout = &stdout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(100+37*attempt)*time.Millisecond, func() { cmd.Process.Kill() }) //nolint:errcheck // it may have ended
		err := cmd.Wait()
		kill.Stop()
		if err == nil {
			got = stdout.Bytes()
			break
		}
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
			t.Fatalf("attempt %d: %v", attempt, err)
		}
		if cursor := cursorOf(t, name); cursor > 0 {
			middle++
		}
	}
	if middle < 3 {
		t.Errorf("%d runs were killed after the first commit, want at least 3", middle)
	}
	if !bytes.Equal(got, want) {
		t.Error("the story differs from that of an undisturbed run")
	}
	killed, whole := mailbox(t, name), mailbox(t, filepath.Join(undisturbed, "night.db"))
	if len(whole) == 0 || !maps.Equal(killed, whole) {
		t.Errorf("%d messages arrived, want the %d of an undisturbed run", len(killed), len(whole))
	}
	checkStore(t, name, len(whole))
	t.Logf("killed %d times in the middle; %d messages, each once", middle, len(whole))
}

func openFile(t *testing.T, name string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+name)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

// cursorOf reads how far a killed run came; 0 when it committed nothing.
func cursorOf(t *testing.T, name string) int {
	t.Helper()
	var data []byte
	db := openFile(t, name)
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), `SELECT data FROM snapshot`).Scan(&data); err != nil {
		return 0
	}
	var s snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s.Memory.Cursor
}

// mailbox reads the bodies of the delivered messages by key; the key is unique
// in the table.
func mailbox(t *testing.T, name string) map[string]string {
	t.Helper()
	rows, err := openFile(t, name).QueryContext(t.Context(), `SELECT key, body FROM mailbox`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	messages := map[string]string{}
	for rows.Next() {
		var key, body string
		if err := rows.Scan(&key, &body); err != nil {
			t.Fatal(err)
		}
		messages[key] = body
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return messages
}

// checkStore verifies that nothing waits in the outbox and that the timeline of
// every incident is whole.
func checkStore(t *testing.T, name string, messages int) {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), openFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	if o, err := store.Outbox(t.Context(), "acme"); err != nil || o.Pending != 0 || o.Dead != 0 || o.Sent != messages {
		t.Errorf("outbox %+v, %v, want %d sent and nothing else", o, err, messages)
	}
	ids, err := store.Incidents(t.Context(), "acme")
	if err != nil || len(ids) == 0 {
		t.Fatalf("incidents %v, %v", ids, err)
	}
	for _, id := range ids {
		lines, err := store.Timeline(t.Context(), "acme", id)
		if err != nil {
			t.Fatal(err)
		}
		entries := make([]incident.Entry, len(lines))
		for i, line := range lines {
			if err := json.Unmarshal(line, &entries[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := incident.Verify("acme", id, entries); err != nil || len(entries) < 2 {
			t.Errorf("%s: %d entries, %v", id, len(entries), err)
		}
	}
}

// A database of another recording is refused.
func TestOtherRecording(t *testing.T) {
	_, dir := run(t, nil, "-db", "night.db")
	name := filepath.Join(dir, "night.db")
	db := openFile(t, name)
	if _, err := db.ExecContext(t.Context(), `UPDATE snapshot SET data = replace(data, '"recording":"', '"recording":"x')`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	cmd := command(t, "-db", name)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if out, _ := cmd.Output(); cmd.ProcessState.ExitCode() != 2 || len(out) > 0 || !strings.Contains(stderr.String(), "another recording") {
		t.Errorf("exit %d, %q, want 2 and the reason", cmd.ProcessState.ExitCode(), stderr.String())
	}
}
