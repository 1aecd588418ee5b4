package examples_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// notYet are the programs that do not exist yet.
var notYet = []string{"slareport", "slostatus", "oncall", "correlate", "anomaly", "roi", "playbook", "postmortem", "portal", "bridge", "lint"}

func TestVectors(t *testing.T) {
	t.Run("contrast", func(t *testing.T) {
		testutil.OpenVectors(t, "examples", "contrast.json").Run(t, testutil.Kinds{"contrast": checkContrast})
	})
	t.Run("programs", func(t *testing.T) {
		f := testutil.OpenVectors(t, "examples", "programs.json")
		r := runner{t: t, bin: t.TempDir()}
		f.Fixture("sets", &r.sets)
		kinds := testutil.Kinds{}
		entries, err := os.ReadDir(".")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if _, err := os.Stat(filepath.Join(e.Name(), "main.go")); err == nil {
				r.build(e.Name())
				kinds[e.Name()] = r.check
			}
		}
		f.Run(t, kinds, notYet...)
	})
}

func checkContrast(c testutil.Case) error {
	var in struct {
		Color  string
		Light  float64 `json:"on_light"`
		Dark   float64 `json:"on_dark"`
		Expect struct {
			TextLight    bool   `json:"text_light"`
			TextDark     bool   `json:"text_dark"`
			GraphicLight bool   `json:"graphic_light"`
			GraphicDark  bool   `json:"graphic_dark"`
			ButtonText   string `json:"button_text"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	color, err := report.ParseColor(in.Color)
	if err != nil {
		return err
	}
	light, dark := report.Contrast(color, report.LightBackground), report.Contrast(color, report.DarkBackground)
	if math.Abs(light-in.Light) > 1e-3 || math.Abs(dark-in.Dark) > 1e-3 {
		return fmt.Errorf("contrast %v and %v, want %v and %v", light, dark, in.Light, in.Dark)
	}
	got := in.Expect
	got.TextLight, got.TextDark = light >= report.TextContrast, dark >= report.TextContrast
	got.GraphicLight, got.GraphicDark = light >= report.GraphicContrast, dark >= report.GraphicContrast
	got.ButtonText = color.On().String()
	if got != in.Expect {
		return fmt.Errorf("%+v, want %+v", got, in.Expect)
	}
	return nil
}

// runner runs the programs as black boxes: every case in an empty folder, with
// a time zone of the machine that no file names.
type runner struct {
	t    *testing.T
	bin  string
	sets map[string]map[string]string
}

func (r runner) build(program string) {
	cmd := exec.CommandContext(r.t.Context(), "go", "build", "-o", filepath.Join(r.bin, program), "./"+program)
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("build %s: %v\n%s", program, err, out)
	}
}

type programCase struct {
	Set    string
	Files  map[string]string
	Args   []string
	Env    map[string]string
	Stdin  string
	Expect expectation
}

type expectation struct {
	Exit         int
	JSON         any
	JSONL        []any
	Stdout       []string
	Stderr       []string
	StdoutNot    []string `json:"stdout_not"`
	StdoutEmpty  bool     `json:"stdout_empty"`
	Tree         []string
	TreeNot      []string            `json:"tree_not"`
	FileJSON     map[string]any      `json:"file_json"`
	FileContains map[string][]string `json:"file_contains"`
	FileNot      map[string][]string `json:"file_not"`
	DirNot       []string            `json:"dir_not"`
	GlobNot      map[string][]string `json:"glob_not"`
}

func (r runner) check(c testutil.Case) error {
	var in programCase
	if err := strict(c.Raw, &in); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(r.t.TempDir(), "case")
	if err != nil {
		return err
	}
	for _, files := range []map[string]string{r.sets[in.Set], in.Files} {
		for name, text := range files {
			path := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
				return err
			}
		}
	}
	cmd := exec.CommandContext(r.t.Context(), filepath.Join(r.bin, c.Kind), in.Args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(in.Stdin)
	cmd.Env = append(os.Environ(), "TZ=Asia/Kathmandu")
	for name, value := range in.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		return err
	}
	if i := slices.Index(in.Args, "-static"); i >= 0 {
		dir = filepath.Join(dir, in.Args[i+1])
	}
	err = in.Expect.check(cmd.ProcessState.ExitCode(), stdout.Bytes(), stderr.String(), os.DirFS(dir))
	if err != nil && stderr.Len() > 0 {
		err = fmt.Errorf("%w\nstderr: %s", err, stderr.String())
	}
	return err
}

// strict refuses keys that the runner would not look at.
func strict(raw []byte, v *programCase) error {
	var rest struct {
		ID, Kind, Note string
		*programCase
	}
	rest.programCase = v
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(&rest)
}

func (e expectation) check(exit int, stdout []byte, stderr string, dir fs.FS) error {
	var problems []error
	fail := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if exit != e.Exit {
		fail("exit %d, want %d", exit, e.Exit)
	}
	if e.JSON != nil {
		problems = append(problems, matchJSON(stdout, e.JSON))
	}
	if e.JSONL != nil {
		problems = append(problems, matchLines(stdout, e.JSONL))
	}
	if e.StdoutEmpty && len(stdout) > 0 {
		fail("stdout is not empty: %.200q", stdout)
	}
	find := func(where, text string, expressions []string, wanted bool) {
		for _, x := range expressions {
			if found := regexp.MustCompile(x).MatchString(text); found != wanted {
				fail("%s: %q found = %v, want %v", where, x, found, wanted)
			}
		}
	}
	find("stdout", string(stdout), e.Stdout, true)
	find("stdout", string(stdout), e.StdoutNot, false)
	find("stderr", stderr, e.Stderr, true)
	for _, name := range e.Tree {
		if _, err := fs.Stat(dir, name); err != nil {
			fail("%s: missing", name)
		}
	}
	for _, name := range e.TreeNot {
		if _, err := fs.Stat(dir, name); err == nil {
			fail("%s: must not be there", name)
		}
	}
	for name, want := range e.FileJSON {
		if data, err := fs.ReadFile(dir, name); err != nil {
			fail("%w", err)
		} else if err := matchJSON(data, want); err != nil {
			fail("%s: %w", name, err)
		}
	}
	for name, texts := range e.FileContains {
		data, err := fs.ReadFile(dir, name)
		for _, text := range texts {
			if err != nil || !bytes.Contains(data, []byte(text)) {
				fail("%s: lacks %q", name, text)
			}
		}
	}
	for name, expressions := range e.FileNot {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			fail("%w", err)
		}
		find(name, string(data), expressions, false)
	}
	for pattern, expressions := range e.GlobNot {
		names, err := fs.Glob(dir, pattern)
		if err != nil || len(names) == 0 {
			fail("%s: no file, %v", pattern, err)
		}
		for _, name := range names {
			data, err := fs.ReadFile(dir, name)
			if err != nil {
				fail("%w", err)
			}
			find(name, string(data), expressions, false)
		}
	}
	if len(e.DirNot) > 0 {
		problems = append(problems, absent(dir, e.DirNot))
	}
	return errors.Join(problems...)
}

func absent(dir fs.FS, texts []string) error {
	return fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(dir, name)
		for _, text := range texts {
			if bytes.Contains(data, []byte(text)) {
				err = errors.Join(err, fmt.Errorf("%s: contains %q", name, text))
			}
		}
		return err
	})
}

func matchJSON(data []byte, pattern any) error {
	var got any
	if err := json.Unmarshal(data, &got); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return match("", got, pattern)
}

// matchLines compares one object a line; the head line of the envelope is passed
// over.
func matchLines(data []byte, patterns []any) error {
	head := []string{"inputs", "now", "schema", "warnings"}
	var lines []any
	for line := range bytes.Lines(data) {
		var object map[string]any
		if err := json.Unmarshal(line, &object); err != nil {
			return fmt.Errorf("not JSON: %w", err)
		}
		if len(lines) == 0 && slices.Equal(slices.Sorted(maps.Keys(object)), head) {
			continue
		}
		lines = append(lines, object)
	}
	return match("", lines, patterns)
}

// match compares a value with a pattern: the keys of an object must be there and
// match, others are free; arrays have the same length and order; numbers are
// equal within 1e-9 of their size, percentages within 2e-6.
func match(path string, got, pattern any) error {
	switch want := pattern.(type) {
	case map[string]any:
		if items, ok := want["$contains"].([]any); ok && len(want) == 1 {
			return contains(path, got, items)
		}
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: found %v, want an object", path, got)
		}
		var problems []error
		for _, key := range slices.Sorted(maps.Keys(want)) {
			value, ok := object[key]
			if !ok {
				problems = append(problems, fmt.Errorf("%s.%s: missing", path, key))
				continue
			}
			problems = append(problems, match(path+"."+key, value, want[key]))
		}
		return errors.Join(problems...)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Errorf("%s: found %v, want %d items", path, got, len(want))
		}
		var problems []error
		for i := range want {
			problems = append(problems, match(fmt.Sprintf("%s[%d]", path, i), list[i], want[i]))
		}
		return errors.Join(problems...)
	case float64:
		number, ok := got.(float64)
		tolerance := 1e-9 * max(1, math.Abs(want))
		if strings.HasSuffix(path, "_percent") {
			tolerance = 2e-6
		}
		if !ok || math.Abs(number-want) > tolerance {
			return fmt.Errorf("%s: found %v, want %v", path, got, want)
		}
		return nil
	}
	if got != pattern {
		return fmt.Errorf("%s: found %#v, want %#v", path, got, pattern)
	}
	return nil
}

func contains(path string, got any, items []any) error {
	list, ok := got.([]any)
	if !ok {
		return fmt.Errorf("%s: found %v, want a list", path, got)
	}
	for _, want := range items {
		if !slices.ContainsFunc(list, func(item any) bool { return match(path, item, want) == nil }) {
			return fmt.Errorf("%s: no item matches %v", path, want)
		}
	}
	return nil
}

// The comparison must fail where it should.
func TestMatch(t *testing.T) {
	for _, c := range []struct {
		got, pattern string
		ok           bool
	}{
		{`{"a": 1, "b": 2}`, `{"a": 1}`, true},
		{`{"a": 1}`, `{"a": 1, "b": null}`, false},
		{`{"a": null}`, `{"a": null}`, true},
		{`[1, 2]`, `[1, 2]`, true},
		{`[1, 2, 3]`, `[1, 2]`, false},
		{`[2, 1]`, `[1, 2]`, false},
		{`[{"x": 1}, {"x": 2, "y": 0}]`, `{"$contains": [{"x": 2}]}`, true},
		{`[{"x": 1}]`, `{"$contains": [{"x": 2}]}`, false},
		{`{"v": 1.0000000001}`, `{"v": 1}`, true},
		{`{"v": 1.00001}`, `{"v": 1}`, false},
		{`{"v_percent": 99.000001}`, `{"v_percent": 99}`, true},
		{`{"v_percent": 99.00001}`, `{"v_percent": 99}`, false},
		{`{"v": "1"}`, `{"v": 1}`, false},
		{`{"v": true}`, `{"v": true}`, true},
	} {
		var pattern any
		if err := json.Unmarshal([]byte(c.pattern), &pattern); err != nil {
			t.Fatal(err)
		}
		if err := matchJSON([]byte(c.got), pattern); (err == nil) != c.ok {
			t.Errorf("match(%s, %s) = %v, want ok %v", c.got, c.pattern, err, c.ok)
		}
	}
	lines := []byte("{\"schema\":\"x\",\"now\":1,\"inputs\":[],\"warnings\":[]}\n{\"a\":1}\n")
	if err := matchLines(lines, []any{map[string]any{"a": 1.0}}); err != nil {
		t.Errorf("matchLines: %v", err)
	}
	e := expectation{Exit: 1, Stdout: []string{"^x"}, Tree: []string{"none"}, StdoutEmpty: true}
	if err := e.check(0, []byte("y"), "", os.DirFS(t.TempDir())); strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("check reports %v, want four problems", err)
	}
}
