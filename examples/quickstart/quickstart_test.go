package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestMain(m *testing.M) { programtest.Main(m) }

// run runs the program in an empty folder and returns its output.
func run(t *testing.T, env []string, args ...string) (stdout []byte, dir string) {
	t.Helper()
	cmd := programtest.Command(t, args...)
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("quickstart %v: %v\n%s", args, err, stderr.String())
	}
	return stdout, cmd.Dir
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

// The page is the same whichever way it is written, and a result file holds what
// stdout would.
func TestOutputFiles(t *testing.T) {
	page, dir := run(t, []string{"TZ=America/St_Johns"}, "-format", "html", "-html", "story.html")
	_, other := run(t, []string{"TZ=UTC"}, "-html", "story.html", "-json", "-o", "night.json")
	plain, _ := run(t, nil, "-json")
	for _, c := range []struct {
		file string
		want []byte
	}{{filepath.Join(dir, "story.html"), page}, {filepath.Join(other, "story.html"), page}, {filepath.Join(other, "night.json"), plain}} {
		if data, err := os.ReadFile(c.file); err != nil || !bytes.Equal(data, c.want) {
			t.Errorf("%s has %d bytes, %v, want the same %d as on stdout", filepath.Base(c.file), len(data), err, len(c.want))
		}
	}
	if entries, err := os.ReadDir(other); err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v, want the two files", entries, err)
	}
}

// -now dates the result and changes nothing else.
func TestNowDatesTheResult(t *testing.T) {
	var usual, dated document
	out, _ := run(t, nil, "-json")
	later, _ := run(t, nil, "-json", "-now", "2027-01-01T08:00:00+08:00")
	if err := errors.Join(json.Unmarshal(out, &usual), json.Unmarshal(later, &dated)); err != nil {
		t.Fatal(err)
	}
	if !usual.Now.Equal(usual.Recording.End) || !bytes.Contains(later, []byte(`"now": "2027-01-01T00:00:00Z"`)) {
		t.Errorf("dated %v and %v, want the end of the recording and the instant given", usual.Now, dated.Now)
	}
	if !bytes.Equal(bytes.Replace(later, []byte(`"now": "2027-01-01T00:00:00Z"`), []byte(`"now": "`+usual.Now.Format(time.RFC3339)+`"`), 1), out) {
		t.Error("-now changes more than the date")
	}
}

// What goes wrong leaves stdout empty, no file behind, and says why.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-only", "nonsense"}, `-only "nonsense": want one of anomaly, slo,`},
		{[]string{"-only", "nonsense", "-html", "story.html", "-o", "out.txt"}, `-only "nonsense"`},
		{[]string{"-config", "night.yaml"}, "-config"},
		{[]string{"-format", "pdf", "-html", "story.html"}, `-format "pdf": want one of text, json, html`},
		{[]string{"-schema"}, "no input file"},
		{[]string{"-pace", "fast"}, `"fast"`},
		{[]string{"-db", filepath.Join("none", "night.db")}, "-db"},
		{[]string{"-html", filepath.Join("none", "story.html")}, "none"},
		{[]string{"-o", filepath.Join("none", "out.txt")}, "none"},
		{[]string{"night"}, `unexpected argument "night"`},
	} {
		cmd := programtest.Command(t, c.args...)
		cmd.Dir = t.TempDir()
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, _ := cmd.Output()
		if cmd.ProcessState.ExitCode() != 2 || len(out) > 0 || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("quickstart %q: exit %d, stdout of %d bytes, stderr %q; want 2, nothing and %q", c.args, cmd.ProcessState.ExitCode(), len(out), stderr.String(), c.want)
		}
		if entries, err := os.ReadDir(cmd.Dir); err != nil || len(entries) > 0 {
			t.Errorf("quickstart %q left %v, %v", c.args, entries, err)
		}
	}
}

// A file that is no database is refused and not changed.
func TestNoDatabase(t *testing.T) {
	name := filepath.Join(t.TempDir(), "night.db")
	text := strings.Repeat("no database ", 1000)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := programtest.Command(t, "-db", name)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if out, _ := cmd.Output(); cmd.ProcessState.ExitCode() != 2 || len(out) > 0 || !strings.Contains(stderr.String(), "-db") {
		t.Errorf("exit %d, stdout of %d bytes, %q, want 2 and the reason", cmd.ProcessState.ExitCode(), len(out), stderr.String())
	}
	if data, err := os.ReadFile(name); err != nil || string(data) != text {
		t.Errorf("the file was changed: %v", err)
	}
}

// The name of the database is a name, whatever stands in it.
func TestDatabaseOfAnyName(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: Windows has no such file names")
	}
	for _, name := range []string{"a night.db", "night?mode=memory", "night#1.db", "100%25.db", "ночь.db"} {
		t.Run(name, func(t *testing.T) {
			_, dir := run(t, nil, "-db", name)
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 1 || entries[0].Name() != name {
				t.Errorf("-db %q: the folder holds %v, %v", name, entries, err)
			}
		})
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
	text, _ := run(t, nil, "-only", "page")
	lines := regexp.MustCompile(`(?m)^[0-9]{2}:[0-9]{2}:[0-9]{2} ([a-z]+)`).FindAllSubmatch(text, -1)
	if len(lines) != len(story.Story) {
		t.Errorf("-only page shows %d lines as text, want %d", len(lines), len(story.Story))
	}
	for _, line := range lines {
		if string(line[1]) != "page" {
			t.Errorf("-only page shows %q", line[0])
		}
	}
}

// A page of one stage is nothing but a part of the whole.
func TestOnlyIsAPart(t *testing.T) {
	whole, parts := document{}, 0
	out, _ := run(t, nil, "-json")
	if err := json.Unmarshal(out, &whole); err != nil {
		t.Fatal(err)
	}
	for _, stage := range stages {
		part := document{}
		out, _ := run(t, nil, "-json", "-only", stage)
		if err := json.Unmarshal(out, &part); err != nil {
			t.Fatal(err)
		}
		kept := slices.DeleteFunc(slices.Clone(whole.Story), func(i item) bool { return i.Stage != stage })
		if !slices.Equal(part.Story, kept) || part.Totals != whole.Totals {
			t.Errorf("-only %s shows %d lines, want %d, and the same totals", stage, len(part.Story), len(kept))
		}
		parts += len(part.Story)
	}
	if parts != len(whole.Story) {
		t.Errorf("the stages have %d lines together, want %d", parts, len(whole.Story))
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

// kills is how often the night is interrupted at least.
const kills = 6

// A run that is killed again and again ends with the story of an undisturbed
// one, and tells nobody anything twice.
func TestKilledInTheMiddle(t *testing.T) {
	want, undisturbed := run(t, nil, "-json", "-db", "night.db")
	end := cursorOf(t, filepath.Join(undisturbed, "night.db"))
	name := filepath.Join(t.TempDir(), "night.db")
	var got []byte
	cursors, stuck := []int{0}, 0
	for attempt := 0; ; attempt++ {
		// Each life lasts a little longer than until its first write, and longer than
		// the one before if that got nowhere. The odd numbers let the kill hit every
		// part of a step. In the end a run is left alone.
		more := time.Duration(attempt*37%149+60*stuck) * time.Millisecond
		if attempt > 5*kills {
			more = time.Hour
		}
		var killed bool
		if got, killed = killedRun(t, name, more); !killed {
			break
		}
		cursors = append(cursors, cursorOf(t, name))
		if stuck++; cursors[len(cursors)-1] > cursors[len(cursors)-2] {
			stuck = 0
		}
	}
	cursors = cursors[1:]
	middle := map[int]bool{}
	for i, cursor := range cursors {
		if i > 0 && cursor < cursors[i-1] {
			t.Errorf("the runs were killed at %v, want that none falls behind the one before", cursors)
		}
		if 0 < cursor && cursor < end {
			middle[cursor] = true
		}
	}
	if len(cursors) < kills || len(middle) < 3 {
		t.Errorf("killed at the inputs %v of %d, want at least %d times, and 3 places in the middle", cursors, end, kills)
	}
	if !bytes.Equal(got, want) {
		t.Error("the story differs from that of an undisturbed run")
	}
	after, whole := mailbox(t, name), mailbox(t, filepath.Join(undisturbed, "night.db"))
	if len(whole) == 0 || !maps.Equal(after, whole) {
		t.Errorf("%d messages arrived, want the %d of an undisturbed run, and the same", len(after), len(whole))
	}
	checkStore(t, name, len(whole))
	t.Logf("killed at the inputs %v of %d; %d messages, each once", cursors, end, len(whole))

	again, _ := run(t, nil, "-json", "-db", name)
	if !bytes.Equal(again, want) || !maps.Equal(mailbox(t, name), whole) {
		t.Error("a run after the end tells another story, or tells somebody again")
	}
}

// killedRun runs the program on a database and kills it some time after it first
// wrote there. It returns the output if the run came to its end before. A run that
// was killed while it wrote its output, or just after, counts as killed.
func killedRun(t *testing.T, name string, more time.Duration) (stdout []byte, killed bool) {
	t.Helper()
	before := modified(name)
	cmd := programtest.Command(t, "-json", "-db", name, "-pace", "5ms")
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	wait := func(d time.Duration) (over bool) {
		select {
		case err := <-ended:
			ended <- err
			return true
		case <-time.After(d):
			return false
		}
	}
	for modified(name) == before && !wait(time.Millisecond) {
	}
	if !wait(more) {
		cmd.Process.Kill() //nolint:errcheck // it may just have ended
	}
	err := <-ended
	if err == nil {
		return out.Bytes(), false
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Fatalf("%v, stdout of %d bytes, stderr %s", err, out.Len(), stderr.String())
	}
	return nil, true
}

// modified tells when the database was written last; its write-ahead log grows
// with every commit.
func modified(name string) (last [2]time.Time) {
	for i, file := range []string{name, name + "-wal"} {
		if info, err := os.Stat(file); err == nil {
			last[i] = info.ModTime()
		}
	}
	return last
}

// An interrupted run says nothing and can be gone on with.
func TestInterruptedInTheMiddle(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: Windows has no interrupt for a single process")
	}
	want, _ := run(t, nil, "-json")
	dir := t.TempDir()
	cmd := programtest.Command(t, "-json", "-db", "night.db", "-pace", "20ms", "-o", "night.json", "-html", "story.html")
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "night.db")
	for i := 0; modified(name) == [2]time.Time{}; i++ {
		if i == 30_000 {
			t.Fatal("the run does not create its database")
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 || stdout.Len() > 0 {
		t.Errorf("%v, stdout of %d bytes, stderr %q, want exit 130 and nothing", err, stdout.Len(), stderr.String())
	}
	for _, file := range []string{"night.json", "story.html"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			t.Errorf("the interrupted run left %s", file)
		}
	}
	if got, _ := run(t, nil, "-json", "-db", name); !bytes.Equal(got, want) {
		t.Error("going on after the interruption leads to another story")
	}
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

// mailbox reads the kinds and bodies of the delivered messages by key; no key may
// come twice.
func mailbox(t *testing.T, name string) map[string]string {
	t.Helper()
	rows, err := openFile(t, name).QueryContext(t.Context(), `SELECT key, kind, body FROM mailbox`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	messages := map[string]string{}
	for rows.Next() {
		var key, kind, body string
		if err := rows.Scan(&key, &kind, &body); err != nil {
			t.Fatal(err)
		}
		if _, twice := messages[key]; twice {
			t.Errorf("message %s arrived twice", key)
		}
		messages[key] = kind + " " + body
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
	store, err := sqlstore.Open(t.Context(), openFile(t, name), nil)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := store.Outbox().Count(t.Context(), "acme"); err != nil || o.Pending+o.Leased != 0 || o.Dead != 0 || o.Done != messages {
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
		inc, err := incident.Replay("acme", id, entries, incident.Options{})
		if err != nil || len(entries) < 2 {
			t.Errorf("%s: %d entries, %v", id, len(entries), err)
			continue
		}
		stored, err := store.Incident(t.Context(), "acme", id)
		if err != nil {
			t.Fatal(err)
		}
		state, err := json.Marshal(inc.State())
		if err != nil || !bytes.Equal(state, stored.State) {
			t.Errorf("%s: the timeline leads to\n%s, %v\nbut stored is\n%s", id, state, err, stored.State)
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
	cmd := programtest.Command(t, "-db", name)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if out, _ := cmd.Output(); cmd.ProcessState.ExitCode() != 2 || len(out) > 0 || !strings.Contains(stderr.String(), "another recording") {
		t.Errorf("exit %d, %q, want 2 and the reason", cmd.ProcessState.ExitCode(), stderr.String())
	}
}
