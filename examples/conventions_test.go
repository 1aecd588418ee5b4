package examples_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// noInput are programs without an input file of which there could be a schema.
var noInput = []string{"quickstart"}

// wrongFile are the arguments with which a program reads bad.yaml.
var wrongFile = map[string][]string{
	"bridge": {"-config", "bad.yaml", "-once", "-in", "in.json"}, "correlate": {"-config", "bad.yaml", "-alerts", "in.json"}, "oncall": {"-config", "bad.yaml", "-at", "2026-10-01T00:00:00Z"},
	"playbook": {"-config", "bad.yaml", "-context", "in.json"}, "portal": {"-config", "bad.yaml", "-static", "site"}, "roi": {"-config", "bad.yaml"},
	"slareport": {"-config", "bad.yaml", "-outages", "in.csv", "-month", "2026-10"}, "slostatus": {"-config", "bad.yaml", "-sli", "in.csv"},
}

// What all programs have in common: what they say of themselves, their exit codes, and
// where results and errors go.
func TestConventions(t *testing.T) {
	bin, names := programs(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			p := started{t, filepath.Join(bin, name), t.TempDir()}
			p.flags(name)
			p.schema(name)
			p.wrongConfig(name)
			if name != "portal" { // which serves its sample
				p.sample()
			}
		})
	}
}

// started is a program and the folder in which it runs.
type started struct {
	t        *testing.T
	bin, dir string
}

func (p started) run(env []string, args ...string) (exit int, stdout, stderr string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.bin, args...)
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		p.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func (p started) flags(name string) {
	for _, c := range []struct {
		args           string
		exit           int
		stdout, stderr string // regular expressions; "" for nothing at all
	}{
		{"-no-such-flag", 2, "", `^flag provided but not defined: -no-such-flag\n$`},
		{"-fail-on nonsense", 2, "", `^-fail-on "nonsense": want some of .*\n$`},
		{"-now 2026-10-01T00:00:00", 2, "", `^-now "2026-10-01T00:00:00": want a time with a zone.*\n$`},
		{"-tz Europe/Amsterdm", 2, "", `^-tz "Europe/Amsterdm": want an IANA zone.*\n$`},
		{"-format nonsense", 2, "", `^-format "nonsense": want one of text, json.*\n$`},
		{"-fail-on nonsense -now soon", 2, "", `^-fail-on .*\n-now .*\n$`},
		{"-version", 0, `^evenkeel \S+ ` + name + `\n$`, ""},
		{"-h", 0, `^` + name + `: .*\n\nExample:\n  ` + name + ` .*\n\nFlags:\n`, ""},
	} {
		exit, stdout, stderr := p.run(nil, strings.Fields(c.args)...)
		if exit != c.exit || !matches(c.stdout, stdout) || !matches(c.stderr, stderr) {
			p.t.Errorf("%s: exit %d, want %d\nstdout %s\nwant   %s\nstderr %s\nwant   %s", c.args, exit, c.exit, stdout, c.stdout, stderr, c.stderr)
		}
	}
}

// matches reports whether a text is what a regular expression wants; "" wants nothing.
func matches(pattern, text string) bool {
	return pattern == "" && text == "" || pattern != "" && regexp.MustCompile(pattern).MatchString(text)
}

func (p started) schema(name string) {
	exit, stdout, stderr := p.run(nil, "-schema")
	var s struct {
		Schema string `json:"$schema"`
		Title  string
	}
	switch err := json.Unmarshal([]byte(stdout), &s); {
	case slices.Contains(noInput, name):
		if exit != 2 || stdout != "" || stderr == "" {
			p.t.Errorf("-schema: exit %d, %q, want none", exit, stdout)
		}
	case exit != 0 || err != nil || s.Schema != "https://json-schema.org/draft/2020-12/schema" || s.Title == "" || stderr != "":
		p.t.Errorf("-schema: exit %d, %v, %+v, stderr %q", exit, err, s, stderr)
	}
}

// wrongConfig wants every problem of a file on a line of its own, with its place, and
// neither a result nor a part of one.
func (p started) wrongConfig(name string) {
	args, ok := wrongFile[name]
	if !ok {
		return
	}
	for _, file := range []string{"bad.yaml", "in.json", "in.csv"} {
		if err := os.WriteFile(filepath.Join(p.dir, file), []byte("nonsense: 1\nnonsense: 2\n"), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	exit, stdout, stderr := p.run(nil, append(args, "-o", "result")...)
	if exit != 2 || stdout != "" || strings.Count(stderr, "\n") < 2 {
		p.t.Errorf("%q: exit %d, stdout %q, stderr %q, want 2, nothing, and all problems", args, exit, stdout, stderr)
	}
	for line := range strings.Lines(stderr) {
		if !regexp.MustCompile(`^bad\.yaml:[0-9]+:[0-9]+: [^ ].*\n$`).MatchString(line) {
			p.t.Errorf("%q: stderr line %q, want bad.yaml:line:col: path: text", args, line)
		}
	}
	p.onlyFiles("bad.yaml", "in.csv", "in.json")
}

// onlyFiles wants the folder to hold these files alone, and empties it.
func (p started) onlyFiles(want ...string) {
	var found []string
	err := filepath.WalkDir(p.dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, filepath.Base(path))
			err = os.Remove(path)
		}
		return err
	})
	slices.Sort(found)
	if err != nil || !slices.Equal(found, want) {
		p.t.Errorf("the folder holds %q, %v, want %q", found, err, want)
	}
}

// sample runs the program without files of ours: the same bytes in any zone of the
// machine, on stdout or in a file, and an envelope that says what it is made from.
func (p started) sample() {
	for _, format := range []string{"text", "json"} {
		exit, want, stderr := p.run([]string{"TZ=Asia/Kathmandu"}, "-format", format)
		if exit != 0 || !strings.HasSuffix(want, "\n") || strings.Contains(stderr, "level=ERROR") {
			p.t.Errorf("-format %s: exit %d, stdout ends %q, stderr %q", format, exit, want[max(0, len(want)-20):], stderr)
		}
		p.onlyFiles()
		if _, again, _ := p.run([]string{"TZ=America/St_Johns", "GOMAXPROCS=1"}, "-format", format); again != want {
			p.t.Errorf("-format %s: other bytes in another zone", format)
		}
		exit, stdout, _ := p.run(nil, "-format", format, "-o", "result")
		if got, err := os.ReadFile(filepath.Join(p.dir, "result")); exit != 0 || stdout != "" || err != nil || string(got) != want {
			p.t.Errorf("-format %s -o: exit %d, stdout %q, %v, equal %v", format, exit, stdout, err, string(got) == want)
		}
		p.onlyFiles("result")
		if exit, stdout, stderr := p.run(nil, "-format", format, "-o", "no/such/folder"); exit != 2 || stdout != "" || stderr == "" {
			p.t.Errorf("-format %s -o into no folder: exit %d, stdout %q, stderr %q", format, exit, stdout, stderr)
		}
		p.onlyFiles()
		switch first, _, _ := strings.Cut(want, "\n"); {
		case format == "json":
			p.envelope(want)
		case !strings.Contains(first, "embedded"):
			p.t.Errorf("the first line is %q, want one that says it is an embedded sample", first)
		}
	}
}

// envelope wants a result, or the first line of one in lines, to begin with where it is from.
func (p started) envelope(text string) {
	dec := json.NewDecoder(strings.NewReader(text))
	if brace, err := dec.Token(); err != nil || brace != json.Delim('{') {
		p.t.Fatalf("begins with %v, %v", brace, err)
	}
	var keys []string
	values := map[string]any{}
	for len(keys) < 5 && dec.More() {
		key, err := dec.Token()
		if err != nil {
			p.t.Fatal(err)
		}
		var value any
		if err := dec.Decode(&value); err != nil {
			p.t.Fatal(err)
		}
		keys = append(keys, key.(string))
		values[key.(string)] = value
	}
	if want := []string{"schema", "now", "sample", "inputs", "warnings"}; !slices.Equal(keys, want) || values["sample"] != true {
		p.t.Errorf("begins with %q, sample %v, want %q", keys, values["sample"], want)
	}
	if schema, ok := values["schema"].(string); !ok || !regexp.MustCompile(`^[a-z-]+/v1$`).MatchString(schema) {
		p.t.Errorf("schema %v", values["schema"])
	}
}
