package program

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func sample() Program {
	var fails string
	return Program{
		Name: "sample", Summary: "a sample", Example: "sample -json", Formats: []string{"text", "json"}, FailOn: []string{"breach", "calm"}, Schema: []byte("{}\n"),
		Now:   func() time.Time { return time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC) },
		Flags: func(fs *flag.FlagSet) { fs.StringVar(&fails, "fails", "", "how to fail") },
		Run: func(env *Env) error {
			fmt.Fprintf(env.Out, "%s %s %s\n", env.Format, env.Now.Format(time.RFC3339), env.Zone)
			env.Holds("breach")
			switch fails {
			case "input":
				return Exit(Input, errors.New("a.csv:2: time: wrong"))
			case "usage":
				return Exit(Usage, errors.New("a.yaml:1:1: wrong"))
			case "remote":
				return Exit(Remote, errors.New("no answer"))
			case "plain":
				return errors.New("something is wrong")
			}
			return nil
		},
	}
}

func TestRun(t *testing.T) {
	for _, c := range []struct {
		args   string
		exit   int
		stdout string // exact, unless it ends with …
		stderr string // contained
	}{
		{"", OK, "text 2026-10-01T00:00:00Z UTC\n", ""},
		{"-json -now 2026-11-01T02:00:00+02:00 -tz Europe/Amsterdam", OK, "json 2026-11-01T00:00:00Z Europe/Amsterdam\n", ""},
		{"-now 2026-11-01T00:00:00.25Z", OK, "text 2026-11-01T00:00:00Z UTC\n", ""},
		{"-format json", OK, "json 2026-10-01T00:00:00Z UTC\n", ""},
		{"-format text -json", OK, "json 2026-10-01T00:00:00Z UTC\n", ""},
		{"-o -", OK, "text 2026-10-01T00:00:00Z UTC\n", ""},
		{"-fail-on breach", Condition, "text 2026-10-01T00:00:00Z UTC\n", ""},
		{"-fail-on calm", OK, "text 2026-10-01T00:00:00Z UTC\n", ""},
		{"-fail-on calm,breach", Condition, "text 2026-10-01T00:00:00Z UTC\n", ""},
		{"-fail-on nothing", Usage, "", `-fail-on "nothing"`},
		{"-fail-on breach,nothing", Usage, "", `-fail-on "nothing": want some of breach, calm`},
		{"-fail-on Breach", Usage, "", `-fail-on "Breach"`},
		{"-fail-on breach -fails input", Input, "", "a.csv:2: time: wrong"},
		{"-now 2026-11-01", Usage, "", `-now "2026-11-01": want a time with a zone`},
		{"-now 2026-11-01T00:00:00", Usage, "", `-now "2026-11-01T00:00:00": want a time with a zone`},
		{"-now now", Usage, "", `-now "now"`},
		{"-format pdf", Usage, "", `-format "pdf": want one of text, json`},
		{"-format", Usage, "", "-format"},
		{"-tz CEST", Usage, "", `-tz "CEST"`},
		{"-tz Local", Usage, "", `-tz "Local"`},
		{"-tz Europe/Amsterdm", Usage, "", `-tz "Europe/Amsterdm": want an IANA zone`},
		{"-tz ../../etc/passwd", Usage, "", "-tz"},
		{"-nonsense", Usage, "", "-nonsense"},
		{"-json=perhaps", Usage, "", `"perhaps"`},
		{"stray", Usage, "", `unexpected argument "stray"`},
		{"-json stray more", Usage, "", `unexpected argument "stray"`},
		{"-now x -format pdf", Usage, "", `-format "pdf"`},
		{"-fails input", Input, "", "a.csv:2: time: wrong"},
		{"-fails usage", Usage, "", "a.yaml:1:1: wrong"},
		{"-fails remote", Remote, "", "no answer"},
		{"-fails plain", Input, "", "something is wrong"},
		{"-schema", OK, "{}\n", ""},
		{"-version", OK, "evenkeel …", ""},
		{"-version -format pdf", OK, "evenkeel …", ""},
		{"-h", OK, "sample: a sample…", ""},
		{"-help", OK, "sample: a sample…", ""},
		{"-fails input -h", OK, "sample: a sample…", ""},
	} {
		p := sample()
		var stdout, stderr bytes.Buffer
		exit := p.run(strings.Fields(c.args), &stdout, &stderr)
		prefix, partly := strings.CutSuffix(c.stdout, "…")
		if exit != c.exit || !partly && stdout.String() != c.stdout || partly && !strings.HasPrefix(stdout.String(), prefix) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: exit %d, stdout %q, stderr %q; want %d, %q, %q", c.args, exit, stdout.String(), stderr.String(), c.exit, c.stdout, c.stderr)
		}
		if failed := exit > Condition; failed != (stderr.Len() > 0) || failed && !strings.HasSuffix(stderr.String(), "\n") {
			t.Errorf("%q: exit %d with stderr %q", c.args, exit, stderr.String())
		}
		if strings.Contains(stderr.String(), "\n\n") || strings.Contains(stderr.String(), "Usage") {
			t.Errorf("%q: stderr %q, want one line for each problem", c.args, stderr.String())
		}
	}
}

// All that is wrong with the flags is said at once.
// Flags may stand on both sides of the arguments of a program that takes some.
func TestArguments(t *testing.T) {
	for _, c := range []struct {
		args string
		want []string
		exit int
	}{
		{"", nil, OK},
		{"a.yaml", []string{"a.yaml"}, OK},
		{"-json a.yaml - b.yaml -v", []string{"a.yaml", "-", "b.yaml"}, OK},
		{"-json -- -a.yaml b.yaml -c.yaml", []string{"-a.yaml", "b.yaml", "-c.yaml"}, OK},
		{"a.yaml -- -b.yaml -v", []string{"a.yaml", "-b.yaml", "-v"}, OK},
		{"a.yaml -now x", nil, Usage},
		{"a.yaml -nonsense", nil, Usage},
	} {
		var got []string
		p := sample()
		p.Files, p.Run = "FILE...", func(env *Env) error {
			got = env.Args
			return nil
		}
		var stdout, stderr bytes.Buffer
		if exit := p.run(strings.Fields(c.args), &stdout, &stderr); exit != c.exit || !slices.Equal(got, c.want) {
			t.Errorf("%q: exit %d, arguments %q, want %d, %q", c.args, exit, got, c.exit, c.want)
		}
	}
}

// A result that is itself about what is wrong is written, with the exit code of that.
func TestRefuses(t *testing.T) {
	p := sample()
	p.Run = func(env *Env) error {
		env.Out.WriteString("wrong\n")
		env.Refuses()
		return nil
	}
	var stdout, stderr bytes.Buffer
	if exit := p.run([]string{"-fail-on", "breach"}, &stdout, &stderr); exit != Usage || stdout.String() != "wrong\n" || stderr.Len() > 0 {
		t.Errorf("exit %d, stdout %q, stderr %q", exit, stdout.String(), stderr.String())
	}
}

func TestSchemaOfAKind(t *testing.T) {
	p := sample()
	for _, err := range []error{nil, errors.New("no such kind")} {
		p.Schemas = func() ([]byte, error) { return []byte("[]\n"), err }
		var stdout, stderr bytes.Buffer
		if exit := p.run([]string{"-schema"}, &stdout, &stderr); (exit == OK) != (err == nil) || err == nil && stdout.String() != "[]\n" || err != nil && (exit != Usage || stdout.Len() > 0) {
			t.Errorf("%v: exit %d, stdout %q, stderr %q", err, exit, stdout.String(), stderr.String())
		}
	}
}

func TestEveryWrongFlagIsNamed(t *testing.T) {
	p := sample()
	var stdout, stderr bytes.Buffer
	exit := p.run(strings.Fields("-now x -format pdf -fail-on a,b -tz Mars/Base"), &stdout, &stderr)
	if exit != Usage || stdout.Len() > 0 || strings.Count(stderr.String(), "\n") != 5 {
		t.Errorf("exit %d, stdout %q, stderr\n%swant %d and five lines", exit, stdout.String(), stderr.String(), Usage)
	}
	for _, want := range []string{"-now \"x\"", "-format \"pdf\"", "-fail-on \"a\"", "-fail-on \"b\"", "-tz \"Mars/Base\""} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr lacks %s:\n%s", want, stderr.String())
		}
	}
}

func TestUsageNamesEveryFlag(t *testing.T) {
	p := sample()
	var stdout, stderr bytes.Buffer
	p.run([]string{"-h"}, &stdout, &stderr)
	for _, want := range []string{"Example:\n  sample -json\n", "-config file", "-format string", "-json", "-o file", "-now time", "-tz zone", "-fail-on conditions", "-explain", "-schema", "-version", "-v", "-fails string", "text, json", "breach, calm"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("usage lacks %q:\n%s", want, stdout.String())
		}
	}
}

func TestProgramWithoutInputFileHasNoSchema(t *testing.T) {
	p := sample()
	p.Schema = nil
	var stdout, stderr bytes.Buffer
	if exit := p.run([]string{"-schema"}, &stdout, &stderr); exit != Usage || stdout.Len() > 0 || stderr.Len() == 0 {
		t.Errorf("exit %d, stdout %q, stderr %q", exit, stdout.String(), stderr.String())
	}
}

// What the run gets: the log at the level asked for, and whether -now was given.
func TestEnv(t *testing.T) {
	for _, c := range []struct {
		args   string
		stated bool
		want   string
	}{
		{"", false, "level=WARN"},
		{"-v -now 2026-11-01T00:00:00Z -config c.yaml -explain", true, "level=DEBUG"},
	} {
		p := sample()
		var env *Env
		p.Run = func(e *Env) error {
			env = e
			e.Log.Debug("small")
			e.Log.Warn("large")
			return nil
		}
		var stdout, stderr bytes.Buffer
		if exit := p.run(strings.Fields(c.args), &stdout, &stderr); exit != OK || stdout.Len() > 0 || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%q: exit %d, stdout %q, stderr %q, want %s there", c.args, exit, stdout.String(), stderr.String(), c.want)
		}
		if strings.Contains(stderr.String(), "DEBUG") != c.stated {
			t.Errorf("%q: stderr %q", c.args, stderr.String())
		}
		if env.Stated != c.stated || env.Explain != c.stated || (env.Config == "c.yaml") != c.stated || env.Context == nil || env.Now.Location() != time.UTC {
			t.Errorf("%q: env %+v", c.args, env)
		}
	}
	p := sample()
	p.Now = nil
	before := time.Now()
	p.Run = func(e *Env) error {
		if e.Now.Before(before) || e.Now.After(time.Now()) {
			t.Errorf("now %v, want that of the clock", e.Now)
		}
		return nil
	}
	p.run(nil, io.Discard, io.Discard)
}

// The result file appears whole, or not at all.
func TestOutputFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "out.txt")
	names := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return strings.Join(all, " ")
	}
	try := func(args ...string) (int, string) {
		p := sample()
		var stdout, stderr bytes.Buffer
		exit := p.run(args, &stdout, &stderr)
		if stdout.Len() > 0 {
			t.Errorf("%q writes %q to stdout", args, stdout.String())
		}
		return exit, stderr.String()
	}
	for kind, want := range map[string]int{"input": Input, "usage": Usage, "remote": Remote} {
		if exit, _ := try("-o", file, "-fails", kind); exit != want || names() != "" {
			t.Errorf("-fails %s: exit %d, left %q, want %d and nothing", kind, exit, names(), want)
		}
	}
	if exit, _ := try("-o", file, "-format", "pdf"); exit != Usage || names() != "" {
		t.Errorf("a wrong flag: exit %d, left %q", exit, names())
	}
	read := func(want string) {
		t.Helper()
		data, err := os.ReadFile(file)
		if err != nil || string(data) != want || names() != "out.txt" {
			t.Errorf("file %q, %v, beside %q, want %q", data, err, names(), want)
		}
	}
	if exit, _ := try("-o", file); exit != OK {
		t.Errorf("exit %d", exit)
	}
	read("text 2026-10-01T00:00:00Z UTC\n")
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if exit, _ := try("-o", file, "-fails", "input"); exit != Input {
		t.Errorf("exit %d", exit)
	}
	read("text 2026-10-01T00:00:00Z UTC\n") // a failure keeps what was there
	if exit, _ := try("-o", file, "-json", "-fail-on", "breach"); exit != Condition {
		t.Errorf("exit %d", exit)
	}
	read("json 2026-10-01T00:00:00Z UTC\n") // a condition writes all the same
	for _, bad := range []string{filepath.Join(dir, "none", "out.txt"), filepath.Join(file, "out.txt"), dir, ""} {
		if exit, message := try("-o", bad); exit != Usage || message == "" {
			t.Errorf("-o %q: exit %d, %q, want %d and the reason", bad, exit, message, Usage)
		}
	}
	read("json 2026-10-01T00:00:00Z UTC\n")
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("closed pipe") }

func TestStdoutThatCannotBeWritten(t *testing.T) {
	p := sample()
	var stderr bytes.Buffer
	if exit := p.run(nil, closed{}, &stderr); exit == OK || !strings.Contains(stderr.String(), "closed pipe") {
		t.Errorf("exit %d, stderr %q, want an error", exit, stderr.String())
	}
}

func TestEnvelope(t *testing.T) {
	rows := NewSource("a.csv", []byte("abc"), 0)
	plain := NewSource("a.yaml", nil, -1)
	// SHA-256 of "abc" and of nothing: FIPS 180-2, appendix B.1, and NIST's example for the empty message.
	if rows.Rows == nil || *rows.Rows != 0 || rows.SHA256 != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("source %+v", rows)
	}
	if plain.Rows != nil || plain.SHA256 != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("source %+v", plain)
	}
	env := &Env{Out: &bytes.Buffer{}}
	err := env.JSON(Envelope{Schema: "x/v1", Now: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), Inputs: []Source{plain}, Warnings: []Notice{{Code: "c", Message: "a < b & c"}}})
	want := `{
  "schema": "x/v1",
  "now": "2026-10-01T00:00:00Z",
  "inputs": [
    {
      "name": "a.yaml",
      "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "rows": null
    }
  ],
  "warnings": [
    {
      "code": "c",
      "message": "a < b & c",
      "ref": null
    }
  ]
}
`
	if err != nil || env.Out.String() != want {
		t.Errorf("JSON wrote %v\n%s\nwant\n%s", err, env.Out.String(), want)
	}
	env.Out.Reset()
	if err := env.JSON(math.NaN()); err == nil || env.Out.Len() > 0 {
		t.Errorf("JSON of NaN wrote %q, %v, want nothing and an error", env.Out.String(), err)
	}
}

// A further file is written with the result, and not left behind without it.
func TestFurtherFiles(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "page.html")
	p := sample()
	p.Run = func(env *Env) error {
		env.File(page, []byte("page"))
		return nil
	}
	var stdout, stderr bytes.Buffer
	if exit := p.run([]string{"-o", filepath.Join(dir, "none", "out.txt")}, &stdout, &stderr); exit != Usage {
		t.Errorf("exit %d, want %d", exit, Usage)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("a failed run left %v, %v", entries, err)
	}
	if exit := p.run(nil, &stdout, &stderr); exit != OK {
		t.Errorf("exit %d: %s", exit, stderr.String())
	}
	if data, err := os.ReadFile(page); err != nil || string(data) != "page" {
		t.Errorf("page %q, %v", data, err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	file := filepath.Join(t.TempDir(), "out.txt")
	p := sample()
	p.context = ctx
	p.Run = func(env *Env) error {
		fmt.Fprintln(env.Out, "a part")
		cancel()
		return fmt.Errorf("reading: %w", env.Context.Err())
	}
	for _, args := range [][]string{nil, {"-o", file}} {
		var stdout, stderr bytes.Buffer
		if exit := p.run(args, &stdout, &stderr); exit != Interrupted || stdout.Len() > 0 {
			t.Errorf("%q: exit %d, stdout %q, want %d and nothing", args, exit, stdout.String(), Interrupted)
		}
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an interrupted run left its file: %v", err)
	}
}

func TestExit(t *testing.T) {
	if Exit(Usage, nil) != nil {
		t.Error("Exit of nil must be nil")
	}
	cause := errors.New("x")
	if err := Exit(Remote, cause); !errors.Is(err, cause) || err.Error() != "x" {
		t.Errorf("Exit keeps its cause: %v", err)
	}
	var stderr bytes.Buffer
	joined := errors.Join(cause, fmt.Errorf("read: %w", Exit(Remote, errors.New("y"))))
	if exit := complain(&stderr, joined); exit != Remote || stderr.String() != "x\nread: y\n" {
		t.Errorf("complain: exit %d, %q, want %d and both lines", exit, stderr.String(), Remote)
	}
}
