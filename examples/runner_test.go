package examples_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// runner runs the programs as black boxes: every case in an empty folder, with
// a time zone of the machine that no file names.
type runner struct {
	t    *testing.T
	bin  string
	sets map[string]map[string]string
}

// binaries is the folder of built, "" before.
var binaries string

// built holds all programs, by name.
var built = sync.OnceValues(func() (bin string, err error) {
	mains, err := filepath.Glob(filepath.Join("*", "main.go"))
	if err != nil {
		return "", err
	}
	if bin, err = os.MkdirTemp("", "programs"); err != nil {
		return "", err
	}
	binaries = bin
	args := []string{"build", "-o", bin + string(filepath.Separator)}
	for _, main := range mains {
		args = append(args, "./"+filepath.Dir(main))
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return bin, fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
})

// programs builds all programs, once, and returns their folder and names, sorted.
func programs(t *testing.T) (bin string, names []string) {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(bin)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(names) < 11 {
		t.Fatalf("programs %q, want all of them", names)
	}
	return bin, names
}

func TestMain(m *testing.M) {
	code := m.Run()
	if binaries != "" {
		os.RemoveAll(binaries)
	}
	os.Exit(code)
}

type programCase struct {
	Set    string
	Files  map[string]string
	Args   []string
	Env    map[string]string
	Stdin  string
	Expect expectation
}

// expectation is what a case wants of a run. The keys of the maps are files below
// the folder of the result.
type expectation struct {
	Exit         int
	JSON         any
	JSONL        []any
	Stdout       []string // regular expressions
	StdoutNot    []string `json:"stdout_not"`
	StdoutEmpty  bool     `json:"stdout_empty"`
	Stderr       []string
	Tree         []string
	TreeNot      []string            `json:"tree_not"`
	FileJSON     map[string]any      `json:"file_json"`
	FileContains map[string][]string `json:"file_contains"` // texts
	FileNot      map[string][]string `json:"file_not"`      // regular expressions
	DirNot       []string            `json:"dir_not"`       // texts
	GlobNot      map[string][]string `json:"glob_not"`      // regular expressions, by pattern of path.Match
}

// patience is how long a program may take; none of the cases should need it.
const patience = time.Minute

func (r runner) check(c testutil.Case) error {
	var in programCase
	if err := strict(c.Raw, &in); err != nil {
		return err
	}
	dir := r.t.TempDir()
	files := maps.Clone(r.sets[in.Set])
	if in.Set != "" && files == nil {
		return fmt.Errorf("no set %q", in.Set)
	}
	if files == nil {
		files = map[string]string{}
	}
	maps.Copy(files, in.Files)
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(r.bin, c.Kind), in.Args...)
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
	if ctx.Err() != nil {
		return fmt.Errorf("still running after %v", patience)
	}
	err := in.Expect.check(cmd.ProcessState.ExitCode(), stdout.Bytes(), stderr.String(), os.DirFS(resultDir(dir, in.Args)))
	if err != nil && stderr.Len() > 0 {
		err = fmt.Errorf("%w\nstderr: %s", err, stderr.String())
	}
	return err
}

// resultDir is the folder that -static names, else the working folder.
func resultDir(dir string, args []string) string {
	for i, arg := range args {
		if arg == "-static" && i+1 < len(args) {
			return filepath.Join(dir, args[i+1])
		}
		if name, ok := strings.CutPrefix(arg, "-static="); ok {
			return filepath.Join(dir, name)
		}
	}
	return dir
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
	problems = append(problems, search("stdout", stdout, e.Stdout, true), search("stdout", stdout, e.StdoutNot, false), search("stderr", []byte(stderr), e.Stderr, true))
	return errors.Join(append(problems, e.checkFiles(dir))...)
}

func (e expectation) checkFiles(dir fs.FS) error {
	var problems []error
	fail := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	for _, name := range e.Tree {
		if info, err := fs.Stat(dir, name); err != nil || info.IsDir() {
			fail("%s: no such file", name)
		}
	}
	for _, name := range e.TreeNot {
		if _, err := fs.Stat(dir, name); err == nil {
			fail("%s: must not be there", name)
		}
	}
	read := func(name string) ([]byte, bool) {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			fail("%s: no such file", name)
		}
		return data, err == nil
	}
	for _, name := range slices.Sorted(maps.Keys(e.FileJSON)) {
		if data, ok := read(name); ok {
			if err := matchJSON(data, e.FileJSON[name]); err != nil {
				fail("%s: %w", name, err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.FileContains)) {
		data, ok := read(name)
		for _, text := range e.FileContains[name] {
			if ok && !bytes.Contains(data, []byte(text)) {
				fail("%s: %q not found", name, text)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.FileNot)) {
		if data, ok := read(name); ok {
			problems = append(problems, search(name, data, e.FileNot[name], false))
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(e.GlobNot)) {
		names, err := fs.Glob(dir, pattern)
		if err != nil || len(names) == 0 {
			fail("%s: no such file", pattern) // nothing found in nothing proves nothing
		}
		for _, name := range names {
			if data, ok := read(name); ok {
				problems = append(problems, search(name, data, e.GlobNot[pattern], false))
			}
		}
	}
	return errors.Join(append(problems, absent(dir, e.DirNot))...)
}

// search reports expressions that are not found in a text but wanted, or found
// but not wanted.
func search(where string, text []byte, expressions []string, wanted bool) error {
	var problems []error
	for _, x := range expressions {
		re, err := regexp.Compile(x)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		switch at := re.Find(text); {
		case at == nil && wanted:
			problems = append(problems, fmt.Errorf("%s: %q not found", where, x))
		case at != nil && !wanted:
			problems = append(problems, fmt.Errorf("%s: %q found: %.100q", where, x, at))
		}
	}
	return errors.Join(problems...)
}

// absent reports texts that occur in any file of a folder; in a PDF also in its
// compressed streams.
func absent(dir fs.FS, texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	var problems []error
	files := 0
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		files++
		if bytes.HasPrefix(data, []byte("%PDF-")) {
			data = append(slices.Clone(data), inflate(data)...)
		}
		for _, text := range texts {
			if bytes.Contains(data, []byte(text)) {
				problems = append(problems, fmt.Errorf("%s: contains %q", name, text))
			}
		}
		return nil
	})
	if files == 0 && err == nil {
		err = errors.New("no file in the folder")
	}
	return errors.Join(append(problems, err)...)
}

// inflate returns the decompressed streams of a PDF, each as it is and once more
// without NUL bytes, because texts in other fonts than the standard ones are
// UTF-16.
func inflate(pdf []byte) []byte {
	var all []byte
	for {
		_, rest, found := bytes.Cut(pdf, []byte("stream"))
		if !found {
			return all
		}
		pdf = rest
		r, err := zlib.NewReader(bytes.NewReader(bytes.TrimLeft(rest, "\r\n")))
		if err != nil {
			continue // the end of a stream, or one that is not compressed
		}
		data, _ := io.ReadAll(r) // what comes before an error counts
		all = append(append(all, data...), '\n')
		all = append(append(all, bytes.ReplaceAll(data, []byte{0}, nil)...), '\n')
	}
}

// The checks must fail where they should.
func TestExpectation(t *testing.T) {
	var pdf bytes.Buffer
	pdf.WriteString("%PDF-1.4\n1 0 obj << /Filter /FlateDecode >>\nstream\n")
	w := zlib.NewWriter(&pdf)
	io.WriteString(w, "BT (globex) Tj (\x00a\x00c\x00m\x00e) Tj ET") //nolint:errcheck // into memory
	w.Close()
	pdf.WriteString("\nendstream endobj\n")
	dir := fstest.MapFS{
		"a.json":          {Data: []byte(`{"a": 1, "b": [1, 2]}`)},
		"t/x/index.html":  {Data: []byte("<title>x</title>\n<p>")},
		"t/y/index.html":  {Data: []byte("<script>")},
		"t/x/figures.pdf": {Data: pdf.Bytes()},
	}
	const stdout = "{\"a\": 1, \"v_percent\": 99.9}\n"
	for _, c := range []struct {
		name string
		e    string
		want []string // parts of the lines of the error; nil for a pass
	}{
		{"nothing", `{"exit": 3}`, nil},
		{"exit", `{"exit": 0}`, []string{"exit 3, want 0"}},
		{"json", `{"exit": 3, "json": {"a": 1}}`, nil},
		{"json misses", `{"exit": 3, "json": {"a": 2, "b": 1}}`, []string{"a: found 1, want 2", "b: missing"}},
		{"jsonl", `{"exit": 3, "jsonl": [{"v_percent": 99.900001}]}`, nil},
		{"jsonl misses", `{"exit": 3, "jsonl": []}`, []string{"want an array of 0"}},
		{"stdout", `{"exit": 3, "stdout": ["^{", "99\\.9", "}\n$"]}`, nil},
		{"stdout misses", `{"exit": 3, "stdout": ["^99", "a.*}$", "A"]}`, []string{`"^99" not found`, `"a.*}$" not found`, `"A" not found`}},
		{"stdout not", `{"exit": 3, "stdout_not": ["NaN"]}`, nil},
		{"stdout not misses", `{"exit": 3, "stdout_not": ["9+"]}`, []string{`"9+" found: "99"`}},
		{"stdout empty", `{"exit": 3, "stdout_empty": true}`, []string{"stdout is not empty"}},
		{"stderr", `{"exit": 3, "stderr": ["a\\.csv:3: .*end"]}`, nil},
		{"stderr misses", `{"exit": 3, "stderr": ["b\\.csv"]}`, []string{`stderr: "b\\.csv" not found`}},
		{"bad expression", `{"exit": 3, "stderr": ["("]}`, []string{"missing closing )"}},
		{"tree", `{"exit": 3, "tree": ["a.json", "t/x/index.html"], "tree_not": ["index.html"]}`, nil},
		{"tree misses", `{"exit": 3, "tree": ["b.json", "t/x"], "tree_not": ["a.json", "t"]}`, []string{"b.json: no such file", "t/x: no such file", "a.json: must not", "t: must not"}},
		{"file json", `{"exit": 3, "file_json": {"a.json": {"b": [1, 2]}}}`, nil},
		{"file json misses", `{"exit": 3, "file_json": {"a.json": {"b": [1]}, "b.json": {}}}`, []string{"a.json: b: found [1,2]", "b.json: no such file"}},
		{"file contains", `{"exit": 3, "file_contains": {"t/x/index.html": ["<title>", "<p>"]}}`, nil},
		{"file contains misses", `{"exit": 3, "file_contains": {"t/x/index.html": ["<t.tle>"], "z": ["a", "b"]}}`, []string{`index.html: "<t.tle>" not found`, "z: no such file"}},
		{"file not", `{"exit": 3, "file_not": {"t/x/index.html": ["<script", "src=\"https?://"]}}`, nil},
		{"file not misses", `{"exit": 3, "file_not": {"t/y/index.html": ["<s.*t"], "z": []}}`, []string{`index.html: "<s.*t" found`, "z: no such file"}},
		{"glob not", `{"exit": 3, "glob_not": {"t/*/*.html": ["<style"]}}`, nil},
		{"glob not misses", `{"exit": 3, "glob_not": {"t/*/*.html": ["<script"], "*.html": ["x"], "[": []}}`, []string{"*.html: no such file", "[: no such file", `t/y/index.html: "<script" found`}},
		{"dir not", `{"exit": 3, "dir_not": ["initech"]}`, nil},
		{"dir not misses", `{"exit": 3, "dir_not": ["globex", "acme", "<script"]}`, []string{`figures.pdf: contains "globex"`, `figures.pdf: contains "acme"`, `t/y/index.html: contains "<script"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var in programCase
			if err := strict([]byte(`{"id": "x", "kind": "k", "note": "", "expect": `+c.e+`}`), &in); err != nil {
				t.Fatal(err)
			}
			err := in.Expect.check(3, []byte(stdout), "a.csv:3: column end\n", dir)
			if len(c.want) == 0 {
				if err != nil {
					t.Errorf("%s: %v", c.e, err)
				}
				return
			}
			if err == nil {
				t.Fatalf("%s passes, want %q", c.e, c.want)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(c.want) {
				t.Fatalf("%s reports\n%v\nwant %q", c.e, err, c.want)
			}
			for i := range lines {
				if !strings.Contains(lines[i], c.want[i]) {
					t.Errorf("%s reports %q, want %q", c.e, lines[i], c.want[i])
				}
			}
		})
	}
	if err := (expectation{DirNot: []string{"x"}}).checkFiles(fstest.MapFS{}); err == nil {
		t.Error("an empty folder passes dir_not, want an error: nothing found in nothing proves nothing")
	}
}

func TestUnknownExpectationIsRefused(t *testing.T) {
	for _, raw := range []string{`{"id": "x", "expects": {}}`, `{"id": "x", "expect": {"exit": 0, "stdoutnot": []}}`} {
		if err := strict([]byte(raw), new(programCase)); err == nil {
			t.Errorf("%s: want an error", raw)
		}
	}
}

func TestResultDir(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "w"},
		{[]string{"-config", "static"}, "w"},
		{[]string{"-static", "site", "-month", "2026-10"}, filepath.Join("w", "site")},
		{[]string{"-static=site"}, filepath.Join("w", "site")},
	} {
		if got := resultDir("w", c.args); got != c.want {
			t.Errorf("resultDir(%q) = %q, want %q", c.args, got, c.want)
		}
	}
}
