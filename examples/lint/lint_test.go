package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

func TestGolden(t *testing.T) {
	programtest.Golden(t, "text", "txt")
	programtest.Golden(t, "json", "json")
}

func TestReadme(t *testing.T) { programtest.Readme(t, 6) }

const (
	good   = "services: [{id: a}]\n"
	doubts = "rules: [{name: a, logic: 'IF a.b THEN suppress c.d CREATE composite_alert: \"R\"'}]\n"
	bad    = "version: 1\nslos: [{id: a, service: b, objective_percent: 0, window: 30d}]\n"
)

// What is wrong is the result, and the exit code says that there is something.
func TestExit(t *testing.T) {
	files := map[string]string{"good.yaml": good, "doubts.yaml": doubts, "bad.yaml": bad, "odd.yaml": "hello: 1\n", "empty.yaml": ""}
	for _, c := range []struct {
		args           string
		exit           int
		stdout, stderr string // regular expressions; "" for nothing at all
	}{
		{"good.yaml", 0, `^✓ ok       good.yaml: topology\n\n0 errors, 0 warnings in 1 file\n$`, ""},
		{"doubts.yaml", 0, `(?m)^▲ warning  doubts.yaml:1:9: rules\[0\]: .* \[rule_without_join\]$`, ""},
		{"-fail-on warning doubts.yaml", 1, `1 warning in`, ""},
		{"-fail-on warning good.yaml", 0, `0 warnings`, ""},
		{"bad.yaml", 2, `(?m)^✕ error    bad.yaml:2:47: slos\[0\].objective_percent: .* \[out_of_range\]$`, ""},
		{"-fail-on warning bad.yaml doubts.yaml", 2, `1 error, 1 warning in 2 files`, ""},
		{"-json bad.yaml", 2, `"errors": 1,`, ""},
		{"odd.yaml", 2, `odd.yaml:1:1: no kind of file has these keys, want one of contract, .* \[unknown_kind\]`, ""},
		{"empty.yaml", 2, `empty.yaml:1:1: the file is empty \[empty_document\]`, ""},
		{"-kind topology bad.yaml", 2, `slos: unknown key "slos"`, ""},
		{"-kind topolgy good.yaml", 2, "", `^-kind "topolgy": want one of .* \(did you mean "topology"\?\)\n$`},
		{"none.yaml good.yaml nor.yaml", 2, "", `^open none.yaml: .*\nopen nor.yaml: .*\n$`},
		{"-config good.yaml", 2, "", `^-config: this program has none`},
		{"- -", 2, "", `stdin can be read once`},
		{"-schema -kind openslo", 0, `"title": "Objects of OpenSLO v1`, ""},
		{"-schema -kind public", 0, `"title": "Published service level terms`, ""},
		{"-schema -kind nonsense", 2, "", `want one of`},
		{"-schema -kind slo", 0, `"title": "Service level objectives`, ""},
	} {
		o := programtest.Run(t, nil, files, strings.Fields(c.args)...)
		matches := func(pattern, text string) bool {
			return pattern == "" && text == "" || pattern != "" && regexp.MustCompile(pattern).MatchString(text)
		}
		if o.Exit != c.exit || !matches(c.stdout, o.Stdout) || !matches(c.stderr, o.Stderr) {
			t.Errorf("%s: exit %d, want %d\nstdout %s\nwant   %s\nstderr %s\nwant   %s", c.args, o.Exit, c.exit, o.Stdout, c.stdout, o.Stderr, c.stderr)
		}
	}
}

func TestJSON(t *testing.T) {
	r := programtest.Result(t, map[string]string{"a.yaml": doubts, "b.yaml": good}, "-now", "2026-10-01T00:00:00Z", "a.yaml", "b.yaml")
	for path, want := range map[string]any{
		"schema": "lint/v1", "now": "2026-10-01T00:00:00Z", "inputs.1.name": "b.yaml", "inputs.0.rows": nil, "errors": 0, "warnings_count": 1,
		"files.0.name": "a.yaml", "files.0.kind": "rules", "files.0.diagnostics.0.line": 1, "files.0.diagnostics.0.col": 9, "files.0.diagnostics.0.severity": "warning",
		"files.0.diagnostics.0.path": "rules[0]", "files.0.diagnostics.0.code": "rule_without_join", "files.0.diagnostics.0.suggestion": nil, "files.1.kind": "topology",
	} {
		programtest.Equal(t, r, path, want)
	}
	if list := programtest.At(t, r, "files.1.diagnostics").([]any); len(list) != 0 {
		t.Errorf("diagnostics %v, want an empty list", list)
	}
}

// The line and a caret follow in the text, never a line with a secret; a finding of the
// column 47 has 46 characters before it.
func TestSource(t *testing.T) {
	o := programtest.Run(t, nil, map[string]string{"bad.yaml": bad}, "bad.yaml")
	want := "[out_of_range]\n  slos: [{id: a, service: b, objective_percent: 0, window: 30d}]\n  " + strings.Repeat(" ", 46) + "^\n"
	if !strings.Contains(o.Stdout, want) {
		t.Errorf("no source line in\n%s", o.Stdout)
	}
	const bridge = "version: 1\nsinks: {slack: {url: 'https://hooks.example/T0/hush', odd: 1}}\n"
	if o := programtest.Run(t, nil, map[string]string{"bridge.yaml": bridge}, "bridge.yaml"); strings.Contains(o.Stdout, "hush") || !strings.Contains(o.Stdout, "inline_secret") {
		t.Errorf("the secret, or no word of it:\n%s", o.Stdout)
	}
	// Nor does a wrong -kind show it, or a wrong file.
	const other = "version: 1\nsinks: {slack: {address: hush, odd: 1}}\n"
	for _, kind := range []string{"slo", "team", "topology", "bridge"} {
		if o := programtest.Run(t, nil, map[string]string{"a.yaml": other}, "-kind", kind, "a.yaml"); strings.Contains(o.Stdout, "hush") || o.Exit == 0 {
			t.Errorf("-kind %s: exit %d, or the secret:\n%s", kind, o.Exit, o.Stdout)
		}
	}
}

// Counts are explained file by file.
func TestExplain(t *testing.T) {
	r := programtest.Result(t, map[string]string{"a.yaml": doubts, "b.yaml": good, "c.yaml": doubts}, "-explain", "a.yaml", "b.yaml", "c.yaml")
	programtest.Equal(t, r, "explain.0.field", "errors")
	programtest.Equal(t, r, "explain.1.field", "warnings_count")
	values := programtest.At(t, r, "explain.1.values").(map[string]any)
	if len(values) != 2 || values["a.yaml"] != 1.0 || values["c.yaml"] != 1.0 || programtest.At(t, r, "warnings_count") != 2.0 {
		t.Errorf("values %v, want 1 of a.yaml and of c.yaml", values)
	}
}

// Published terms and objects of OpenSLO are checked with line and caret as all files are.
func TestTermsAndObjects(t *testing.T) {
	for _, c := range []struct{ file, old, text, line, caret string }{
		{"public.yaml", "kind: uptime", "kind: upness", "public.yaml:9:19: ", "  " + strings.Repeat(" ", 18) + "^\n"},
		{"public.yaml", "service: object", "servce: object", "public.yaml:6:3: ", "    ^\n"},
		{"openslo.yaml", "target: 0.999", "target: 1.5", "openslo.yaml:16:25: ", "  " + strings.Repeat(" ", 24) + "^\n"},
	} {
		text, err := os.ReadFile("testdata/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		if o := programtest.Run(t, nil, map[string]string{c.file: string(text)}, c.file); o.Exit != 0 || strings.Contains(o.Stdout, "error    ") {
			t.Errorf("%s: exit %d: %s", c.file, o.Exit, o.Stdout)
		}
		o := programtest.Run(t, nil, map[string]string{c.file: strings.Replace(string(text), c.old, c.text, 1)}, c.file)
		if o.Exit != 2 || !strings.Contains(o.Stdout, "✕ error    "+c.line) || !strings.Contains(o.Stdout, c.caret) {
			t.Errorf("%s: exit %d, want a finding at %s and a caret in\n%s", c.text, o.Exit, c.line, o.Stdout)
		}
	}
}

func TestStdin(t *testing.T) {
	cmd := programtest.Command(t, "-json", "-")
	cmd.Stdin = strings.NewReader("services: [{id: orders, depends_on: [orders, ordres]}]")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if e, ok := err.(*exec.ExitError); ok { //nolint:errorlint // as os/exec returns it
		exit = e
	}
	var r map[string]any
	if exit == nil || exit.ExitCode() != 2 || json.Unmarshal(out, &r) != nil {
		t.Fatalf("%v, %s", err, out)
	}
	programtest.Equal(t, r, "files.0.name", "stdin")
	programtest.Equal(t, r, "files.0.diagnostics.0.code", "bad_reference")
	programtest.Equal(t, r, "files.0.diagnostics.0.path", "services[0].depends_on[1]")
	programtest.Equal(t, r, "files.0.diagnostics.0.suggestion", "orders")
}

// One schema holds those of all kinds, and each is found by the id that it is named by.
func TestSchemaOfAll(t *testing.T) {
	o := programtest.Run(t, nil, nil, "-schema")
	var all struct {
		Schema string                    `json:"$schema"`
		Any    []map[string]string       `json:"anyOf"`
		Defs   map[string]map[string]any `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(o.Stdout), &all); err != nil || o.Exit != 0 || all.Schema != "https://json-schema.org/draft/2020-12/schema" || len(all.Any) < 13 {
		t.Fatalf("exit %d, %v, %d schemas", o.Exit, err, len(all.Any))
	}
	ids := map[any]bool{}
	for _, s := range all.Defs {
		ids[s["$id"]] = true
	}
	for _, ref := range all.Any {
		if !ids[ref["$ref"]] {
			t.Errorf("no schema %s", ref["$ref"])
		}
	}
}
