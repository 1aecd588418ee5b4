// Package programtest runs a program of this folder as a process, as its users do,
// and looks at what it leaves behind. It is for the tests of the programs alone.
//
// The program is that of the package under test, which calls [Main] from its
// TestMain; it is built once.
package programtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "program")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "program")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

// Main runs the tests, removes the program and ends the process.
func Main(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// Command returns the program with arguments, not started yet.
func Command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), path, args...)
}

// Outcome is what a run left behind.
type Outcome struct {
	Exit           int
	Stdout, Stderr string
}

// Run runs the program in a folder that holds nothing but the given files, with
// env added to the environment.
func Run(t *testing.T, env []string, files map[string]string, args ...string) Outcome {
	t.Helper()
	cmd := Command(t, args...)
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), env...)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(cmd.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return Outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// Result runs the program with -json and reads what it prints.
func Result(t *testing.T, files map[string]string, args ...string) map[string]any {
	t.Helper()
	o := Run(t, nil, files, append(args, "-json")...)
	if o.Exit != 0 {
		t.Fatalf("%q: exit %d, %s", args, o.Exit, o.Stderr)
	}
	var out map[string]any
	if err := json.Unmarshal([]byte(o.Stdout), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// At finds a value by its path, keys and indexes separated by points.
func At(t *testing.T, v any, path string) any {
	t.Helper()
	for key := range strings.SplitSeq(path, ".") {
		switch inner := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = inner[key]; !ok {
				t.Fatalf("%s: no key %q", path, key)
			}
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(inner) {
				t.Fatalf("%s: no element %q of %d", path, key, len(inner))
			}
			v = inner[i]
		default:
			t.Fatalf("%s: %v has no %q", path, v, key)
		}
	}
	return v
}

// Equal compares the value at a path; an int is wanted as a JSON number.
func Equal(t *testing.T, v any, path string, want any) {
	t.Helper()
	if n, ok := want.(int); ok {
		want = float64(n)
	}
	if got := At(t, v, path); got != want {
		t.Errorf("%s = %v, want %v", path, got, want)
	}
}

// Golden runs the program on its sample in a format and compares what it prints with
// testdata/golden/sample and the extension; -update rewrites that file.
func Golden(t *testing.T, format, extension string) {
	t.Helper()
	GoldenOf(t, "sample."+extension, nil, "-format", format)
}

// GoldenOf is Golden for a run on files, with a name in testdata/golden.
func GoldenOf(t *testing.T, name string, files map[string]string, args ...string) {
	t.Helper()
	o := Run(t, nil, files, args...)
	if o.Exit != 0 {
		t.Fatalf("%s: exit %d, %s", name, o.Exit, o.Stderr)
	}
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(o.Stdout), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if o.Stdout != string(want) {
		t.Errorf("%q prints something else than %s; run with -update if the change is wanted", args, path)
	}
}

// Readme checks that README.md shows lines that the program prints without
// arguments, and after them those of other runs, in that order, and at least so many of
// them.
func Readme(t *testing.T, least int, others ...Outcome) {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	printed := strings.Split(Run(t, nil, nil).Stdout, "\n")
	for _, o := range others {
		printed = append(printed, strings.Split(o.Stdout, "\n")...)
	}
	shown := 0
	for line := range strings.Lines(string(readme)) {
		line, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		if !indented || line == "…" || strings.HasPrefix(line, "go run ") {
			continue
		}
		shown++
		i := slices.Index(printed, line)
		if i < 0 {
			t.Errorf("the README shows a line that the program does not print, or not there: %q", line)
			continue
		}
		printed = printed[i+1:]
	}
	if shown < least {
		t.Errorf("the README shows %d lines, want an excerpt", shown)
	}
}
