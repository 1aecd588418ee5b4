package program

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func sample() Program {
	var fails string
	return Program{
		Name: "sample", Summary: "a sample", Example: "sample -json", Formats: []string{"text", "json"}, FailOn: []string{"breach"}, Schema: []byte("{}\n"),
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
		{"-fail-on breach", Condition, "text 2026-10-01T00:00:00Z UTC\n", ""},
		{"-fail-on nothing", Usage, "", `-fail-on "nothing"`},
		{"-now 2026-11-01", Usage, "", `-now "2026-11-01": want a time with a zone`},
		{"-format pdf", Usage, "", `-format "pdf": want one of text, json`},
		{"-tz CEST", Usage, "", `-tz "CEST"`},
		{"-nonsense", Usage, "", "-nonsense"},
		{"stray", Usage, "", `unexpected argument "stray"`},
		{"-now x -format pdf", Usage, "", `-format "pdf"`},
		{"-fails input", Input, "", "a.csv:2: time: wrong"},
		{"-fails usage", Usage, "", "a.yaml:1:1: wrong"},
		{"-fails remote", Remote, "", "no answer"},
		{"-schema", OK, "{}\n", ""},
		{"-version", OK, "evenkeel …", ""},
		{"-h", OK, "sample: a sample…", ""},
	} {
		p := sample()
		var stdout, stderr bytes.Buffer
		exit := p.run(strings.Fields(c.args), &stdout, &stderr)
		prefix, partly := strings.CutSuffix(c.stdout, "…")
		if exit != c.exit || !partly && stdout.String() != c.stdout || partly && !strings.HasPrefix(stdout.String(), prefix) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: exit %d, stdout %q, stderr %q; want %d, %q, %q", c.args, exit, stdout.String(), stderr.String(), c.exit, c.stdout, c.stderr)
		}
		if exit > Condition && strings.Count(stderr.String(), "\n") == 0 {
			t.Errorf("%q: no message", c.args)
		}
	}
}

// The result file appears whole, or not at all.
func TestOutputFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "out.txt")
	p := sample()
	var stdout, stderr bytes.Buffer
	if exit := p.run([]string{"-o", file, "-fails", "input"}, &stdout, &stderr); exit != Input {
		t.Fatalf("exit %d", exit)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("a failed run left %v, %v", entries, err)
	}
	p = sample()
	if exit := p.run([]string{"-o", file}, &stdout, &stderr); exit != OK || stdout.Len() > 0 {
		t.Errorf("exit %d, stdout %q", exit, stdout.String())
	}
	if data, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(data), "text ") {
		t.Errorf("file %q, %v", data, err)
	}
	p = sample()
	if exit := p.run([]string{"-o", filepath.Join(dir, "none", "out.txt")}, &stdout, &stderr); exit != Usage {
		t.Errorf("a folder that is not there: exit %d, want %d", exit, Usage)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := sample()
	p.context = ctx
	p.Run = func(env *Env) error { return env.Context.Err() }
	var stdout, stderr bytes.Buffer
	if exit := p.run(nil, &stdout, &stderr); exit != Interrupted || stdout.Len() > 0 {
		t.Errorf("exit %d, want %d", exit, Interrupted)
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
}
