package testutil_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/testutil"
)

const sample = `{
  "meta": {"columns": ["id", "unit", "n"]},
  "calendars": {"a": 1},
  "engine": [{"id": "e1", "want": 1}, {"id": "e2", "want": 2}],
  "parsing": [{"id": "p1", "kind": "rule", "path": "fixture.txt"}, {"provider": "jira"}]
}`

const rows = `{"meta": {"columns": ["id", "unit", "n"]}, "rows": [["r1", "days", 3], ["r2", "weeks", 4]]}`

// The tests below run themselves as a process, because a miss must fail a test.
func TestRunLogsAndFails(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"area/sample.json": sample, "rows.json": rows, "area/fixture.txt": "x", "empty.json": `{"meta": {}, "list": []}`} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		scenario string
		fails    bool
		want     []string
	}{
		{"pass", false, []string{"kind engine: 2/2", "kind jira: 1/1", "kind rule: 1/1", "vectors area/sample.json: 4/4"}},
		{"miss", true, []string{"sample.json e2 (engine): wrong", "kind engine: 1/2"}},
		{"unknown", true, []string{`kind "jira" has no check`}},
		{"skip", false, []string{"skipped: no data", "kind engine: 0/0", "vectors area/sample.json: 2/2"}},
		{"empty", true, []string{"empty.json: no case"}},
		{"rows", false, []string{"kind days: 1/1", "kind weeks: 1/1", "vectors area/rows.json: 2/2"}},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestScenario$", "-test.v")
			cmd.Env = append(os.Environ(), "SCENARIO="+c.scenario, "EVENKEEL_VECTORS="+dir)
			out, err := cmd.CombinedOutput()
			if (err != nil) != c.fails {
				t.Errorf("failed = %v, want %v\n%s", err != nil, c.fails, out)
			}
			for _, want := range c.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("output lacks %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestScenario(t *testing.T) {
	scenario := os.Getenv("SCENARIO")
	if scenario == "" {
		t.Skip("run by TestRunLogsAndFails")
	}
	pass := func(testutil.Case) error { return nil }
	rule := func(c testutil.Case) error {
		if path, ok := c.Path("fixture.txt"); !ok || filepath.Base(path) != "fixture.txt" {
			return errors.New("the file beside the case is not found")
		}
		if c.List != "parsing" {
			return errors.New("list is " + c.List)
		}
		return nil
	}
	if scenario == "rows" {
		testutil.OpenVectors(t, "area", "rows.json").Run(t, testutil.Kinds{"days": pass, "weeks": pass})
		return
	}
	if scenario == "empty" {
		testutil.OpenVectors(t, "area", "empty.json").Run(t, testutil.Kinds{})
		return
	}
	f := testutil.OpenVectors(t, "area", "sample.json")
	var calendars map[string]int
	if f.Fixture("calendars", &calendars); calendars["a"] != 1 {
		t.Errorf("calendars = %v, want a: 1", calendars)
	}
	engine := func(c testutil.Case) error {
		var in struct{ Want int }
		if err := c.Decode(&in); err != nil {
			return err
		}
		switch {
		case scenario == "skip":
			return testutil.SkipCase("no data")
		case scenario == "miss" && in.Want == 2:
			return errors.New("wrong")
		}
		return nil
	}
	kinds := testutil.Kinds{"engine": engine, "rule": rule, "jira": pass}
	if scenario == "unknown" {
		delete(kinds, "jira")
	}
	f.Run(t, kinds)
}
