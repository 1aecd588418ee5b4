package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

func TestMain(m *testing.M) { programtest.Main(m) }

func TestGolden(t *testing.T) {
	for format, extension := range map[string]string{"text": "txt", "json": "json", "html": "html", "md": "md"} {
		programtest.Golden(t, format, extension)
	}
}

func TestReadme(t *testing.T) {
	programtest.Readme(t, 8)
	// The context that it shows loads.
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```json\n")
	files := shop("", 1)
	files["c.json"], _, _ = strings.Cut(block, "```")
	r := programtest.Result(t, files, "-config", "p.yaml", "-context", "c.json")
	programtest.Equal(t, r, "now", "2026-10-06T14:05:00Z")
}

// The sample: errors above 2 % from 13:42 on, so the trigger fires at 13:45 and the
// stages are due at 13:45, 13:47 and 13:55. The rollback asks a person and runs at
// 13:58:30, when nora agrees.
func TestSample(t *testing.T) {
	r := programtest.Result(t, nil)
	programtest.Equal(t, r, "schema", "playbook-run/v1")
	programtest.Equal(t, r, "sample", true)
	programtest.Equal(t, r, "dry_run", false)
	programtest.Equal(t, r, "runs.0.triggered_at", "2026-10-06T13:45:00Z")
	programtest.Equal(t, r, "runs.0.cleared_at", "2026-10-06T14:01:00Z")
	for i, want := range []struct{ stage, action, at, decision, status string }{
		{"immediate", "capture_error_samples", "2026-10-06T13:45:00Z", "run", "succeeded"},
		{"immediate", "check_dependency_health", "2026-10-06T13:45:00Z", "run", "succeeded"},
		{"level_1", "enable_circuit_breaker", "2026-10-06T13:47:00Z", "run", "succeeded"},
		{"level_1", "route_traffic_to_healthy_instances", "2026-10-06T13:47:00Z", "skip", "skipped"}, // one instance is not more than one
		{"level_1", "alert_development_team", "2026-10-06T13:47:00Z", "run", "succeeded"},
		{"level_2", "consider_rollback", "2026-10-06T13:58:30Z", "run", "succeeded"},
		{"level_2", "page_application_owner", "2026-10-06T13:55:00Z", "run", "succeeded"},
		{"level_2", "start_war_room_if_business_hours", "2026-10-06T13:55:00Z", "run", "succeeded"}, // 15:55 in Amsterdam
	} {
		step := programtest.At(t, r, fmt.Sprint("runs.0.steps.", i))
		programtest.Equal(t, step, "stage", want.stage)
		programtest.Equal(t, step, "action", want.action)
		programtest.Equal(t, step, "at", want.at)
		programtest.Equal(t, step, "decision", want.decision)
		programtest.Equal(t, step, "status", want.status)
		programtest.Equal(t, step, "attempts", map[string]int{"run": 1}[want.decision])
	}
	programtest.Equal(t, r, "runs.0.steps.5.approved_by.0", "nora")

	// A dry run gets no further than the question, at 13:55, and does nothing.
	r = programtest.Result(t, nil, "-dry-run")
	programtest.Equal(t, r, "dry_run", true)
	programtest.Equal(t, r, "runs.0.steps.5.at", "2026-10-06T13:55:00Z")
	programtest.Equal(t, r, "runs.0.steps.5.decision", "approval")
	programtest.Equal(t, r, "runs.0.steps.5.attempts", 0)

	r = programtest.Result(t, nil, "-explain", "-now", "2026-10-06T13:46:00Z")
	programtest.Equal(t, r, "explain.0.field", "$.runs[0].triggered_at")
	programtest.Equal(t, r, "explain.0.values.condition", "error_rate > 2% for 3 minutes")
	if steps := programtest.At(t, r, "runs.0.steps").([]any); len(steps) != 2 {
		t.Errorf("%d steps at 13:46, want the two of the first stage", len(steps))
	}
}

// shop is an input whose trigger fires at 10:02 and whose rollback is due ten
// minutes later.
func shop(more string, minutes int) map[string]string {
	var rows []string
	for m := range minutes {
		rows = append(rows, fmt.Sprintf(`["2026-10-06T10:%02d:00Z", 9]`, m))
	}
	return map[string]string{
		"p.yaml": `{version: 1, incident_automation: {errors: {trigger: {condition: error_rate > 5% for 2 minutes, service_type: application},
			automated_actions: {immediate: [{action: analyze_error_patterns}], level_2: [{action: consider_rollback}]}}}}`,
		"c.json": fmt.Sprintf(`{"now": "2026-10-06T10:%02d:00Z", "service": {"id": "shop", "type": "application", "timezone": "Europe/Amsterdam"},
			"samples": {"error_rate": [%s]}, "facts": {"all_dependencies.health_status": "healthy"}%s}`, minutes-1, strings.Join(rows, ","), more),
	}
}

func TestApprovals(t *testing.T) {
	base := []string{"-config", "p.yaml", "-context", "c.json"}
	for _, tt := range []struct {
		name, more string
		minutes    int
		args       []string
		decision   string
		status     string
		at         string // minutes and seconds
	}{
		{"nobody yet", "", 20, nil, "approval", "asking", "12:00"},
		{"nobody in time", "", 28, nil, "approval", "expired", "12:00"},
		{"by the flag", "", 20, []string{"-approve", "consider_rollback"}, "run", "succeeded", "12:00"},
		{"by the flag, stage and action", "", 20, []string{"-approve", "x,level_2/consider_rollback"}, "run", "succeeded", "12:00"},
		{"another step by the flag", "", 20, []string{"-approve", "rollback"}, "approval", "asking", "12:00"},
		{"in time", `, "approvals": [{"step": "consider_rollback", "by": "bo", "at": "2026-10-06T10:26:30Z"}]`, 28, nil, "run", "succeeded", "26:30"},
		{"before the question", `, "approvals": [{"step": "consider_rollback", "by": "bo", "at": "2026-10-06T10:11:00Z"}]`, 20, nil, "approval", "asking", "12:00"},
		{"after the end", `, "approvals": [{"step": "consider_rollback", "by": "bo", "at": "2026-10-06T10:27:01Z"}]`, 29, nil, "approval", "expired", "12:00"},
		{"a no", `, "approvals": [{"step": "consider_rollback", "by": "bo", "at": "2026-10-06T10:13:00Z", "reject": true}]`, 20, nil, "approval", "rejected", "12:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := programtest.Result(t, shop(tt.more, tt.minutes), append(base, tt.args...)...)
			programtest.Equal(t, r, "runs.0.steps.1.decision", tt.decision)
			programtest.Equal(t, r, "runs.0.steps.1.status", tt.status)
			programtest.Equal(t, r, "runs.0.steps.1.at", "2026-10-06T10:"+tt.at+"Z")
		})
	}
}

// A database keeps the run: what a first process has done, a second does not do
// again, and it ends as one that saw everything.
func TestDatabase(t *testing.T) {
	db := filepath.Join(t.TempDir(), "runs.db")
	args := []string{"-config", "p.yaml", "-context", "c.json", "-json"}
	var outs []string
	for _, minutes := range []int{5, 9, 9, 20} {
		o := programtest.Run(t, nil, shop("", minutes), append(args, "-db", db)...)
		if o.Exit != 0 {
			t.Fatalf("exit %d, %s", o.Exit, o.Stderr)
		}
		outs = append(outs, o.Stdout)
	}
	if outs[1] != outs[2] {
		t.Error("the same question again has another answer")
	}
	if whole := programtest.Run(t, nil, shop("", 20), args...); whole.Stdout != outs[3] {
		t.Errorf("in pieces:\n%s\nat once:\n%s", outs[3], whole.Stdout)
	}
	var r struct {
		Runs []struct {
			Steps []struct{ Attempts int }
		}
	}
	if err := json.Unmarshal([]byte(outs[3]), &r); err != nil || len(r.Runs) != 1 || r.Runs[0].Steps[0].Attempts != 1 {
		t.Errorf("%+v, %v, want one run whose first action was tried once", r, err)
	}
}

// A process that was ended in the middle of an action leaves it in doubt; the next
// one repeats it, because it is idempotent, and goes on.
func TestDatabaseAfterACrash(t *testing.T) {
	db := filepath.Join(t.TempDir(), "runs.db")
	files := shop("", 20)
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := options{context: filepath.Join(dir, "c.json"), db: db}
	in, err := o.load(&program.Env{Config: filepath.Join(dir, "p.yaml"), Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	in.carry = func(context.Context, playbook.Intent) (string, error) { runtime.Goexit(); return "", nil }
	var dies sync.WaitGroup
	dies.Go(func() {
		_, err := in.rehearse(t.Context())
		t.Error("it lives on: ", err)
	})
	dies.Wait()
	r := programtest.Result(t, files, "-config", "p.yaml", "-context", "c.json", "-db", db)
	programtest.Equal(t, r, "runs.0.steps.0.action", "analyze_error_patterns")
	programtest.Equal(t, r, "runs.0.steps.0.status", "succeeded")
	programtest.Equal(t, r, "runs.0.steps.0.attempts", 2)
	programtest.Equal(t, r, "runs.0.steps.1.status", "asking")
}

func TestDeterminism(t *testing.T) {
	for _, format := range []string{"json", "text", "html", "md"} {
		first := programtest.Run(t, []string{"TZ=Asia/Kathmandu", "GOMAXPROCS=1"}, nil, "-format", format)
		second := programtest.Run(t, []string{"TZ=America/Lima"}, nil, "-format", format)
		if first.Exit != 0 || first.Stdout != second.Stdout {
			t.Errorf("%s: exit %d, other bytes in another zone", format, first.Exit)
		}
	}
}

func TestExits(t *testing.T) {
	files := shop("", 20)
	bad := shop("", 20)
	bad["p.yaml"] = strings.ReplaceAll(bad["p.yaml"], "error_rate > 5%", "error_rat > 5%")
	bad["p.yaml"] = strings.ReplaceAll(bad["p.yaml"], "consider_rollback", "consider_rolback")
	wrong := func(old, now string) map[string]string {
		f := shop("", 20)
		f["c.json"] = strings.Replace(f["c.json"], old, now, 1)
		return f
	}
	for _, tt := range []struct {
		name   string
		files  map[string]string
		args   string
		exit   int
		stderr []string
	}{
		{"approval", files, "-config p.yaml -context c.json -fail-on blocked,approval", 1, nil},
		{"not blocked", files, "-config p.yaml -context c.json -fail-on blocked", 0, nil},
		{"blocked", wrong(`"healthy"`, `"down"`), "-config p.yaml -context c.json -fail-on blocked", 1, nil},
		{"both problems", bad, "-config p.yaml -context c.json", 2, []string{`p\.yaml:1:\d+: .*condition`, `consider_rollback`}},
		{"no context", files, "-config p.yaml", 2, []string{"-context: missing"}},
		{"no config", files, "-context c.json", 2, []string{"-context: wants -config"}},
		{"dry and approved", files, "-dry-run -approve x", 2, []string{"-approve"}},
		{"dry and kept", files, "-dry-run -db x", 2, []string{"-db"}},
		{"no such file", files, "-config p.yaml -context d.json", 2, []string{"d.json"}},
		{"no zone", wrong(`10:00:00Z`, `10:00:00`), "-config p.yaml -context c.json", 3, []string{`c.json:\d+:\d+: samples.error_rate\[0\]: .*zone`}},
		{"no number", wrong(`, 9]`, `, "nine"]`), "-config p.yaml -context c.json", 3, []string{`want a number`}},
		{"no pair", wrong(`, 9]`, `]`), "-config p.yaml -context c.json", 3, []string{`want a time and a number`}},
		{"unknown zone", wrong(`Europe/Amsterdam`, `Europe/Amsterdm`), "-config p.yaml -context c.json", 3, []string{`Europe/Amsterdm`}},
		{"unknown key", wrong(`"facts"`, `"fact"`), "-config p.yaml -context c.json", 3, []string{`unknown key "fact"`}},
		{"wrong fact", wrong(`"healthy"`, `7`), "-config p.yaml -context c.json", 3, []string{`facts.all_dependencies.health_status: .*text`}},
		{"another type", wrong(`"application"`, `"database"`), "-config p.yaml -context c.json -json", 0, nil},
		{"unknown condition", files, "-fail-on fire", 2, []string{"-fail-on"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := programtest.Run(t, nil, tt.files, strings.Fields(tt.args)...)
			if o.Exit != tt.exit || o.Exit > 1 && o.Stdout != "" {
				t.Errorf("exit %d, want %d; stdout %.80q, stderr %s", o.Exit, tt.exit, o.Stdout, o.Stderr)
			}
			for _, pattern := range tt.stderr {
				if !matches(t, pattern, o.Stderr) {
					t.Errorf("stderr %q, want %q", o.Stderr, pattern)
				}
			}
			if tt.name == "another type" && !strings.Contains(o.Stdout, `"runs": []`) {
				t.Errorf("a service of another type has runs:\n%s", o.Stdout)
			}
		})
	}
	// A fact that nobody knows is left out, and said so.
	o := programtest.Run(t, nil, wrong(`"facts": {`, `"facts": {"helthy_instances": 3, `), "-config", "p.yaml", "-context", "c.json", "-json")
	if o.Exit != 0 || !strings.Contains(o.Stdout, `"code": "unknown_fact"`) || !strings.Contains(o.Stdout, `healthy_instances`) {
		t.Errorf("exit %d, %s\n%s", o.Exit, o.Stderr, o.Stdout)
	}
}

func matches(t *testing.T, pattern, text string) bool {
	t.Helper()
	ok, err := regexp.MatchString(pattern, text)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}
