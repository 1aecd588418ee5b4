package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

func TestGolden(t *testing.T) {
	for format, extension := range map[string]string{"text": "txt", "json": "json", "md": "md", "html": "html"} {
		programtest.Golden(t, format, extension)
	}
}

// night returns the night that quickstart replays, its rules, and the arguments that put
// one through the other.
func night(t *testing.T) (files map[string]string, args []string) {
	t.Helper()
	files = map[string]string{}
	for _, name := range []string{"inputs/rules.yaml", "night/webhooks.jsonl"} {
		data, err := os.ReadFile(filepath.Join("..", "quickstart", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = string(data)
	}
	return files, []string{"-config", "rules.yaml", "-webhooks", "webhooks.jsonl", "-tz", "Asia/Singapore", "-now", "2026-11-24T18:20:00Z"}
}

// The recorded night. What was done to the servers stands in faults.csv beside it: the
// database slow from 17:43, its machine loaded from 17:44, killed at 17:49, an instance of
// the API failing and the batch jobs behind from 18:09. So nobody need be told of an
// application.
func TestNight(t *testing.T) {
	files, args := night(t)
	programtest.GoldenOf(t, "night.txt", files, args...)
	r := programtest.Result(t, files, args...)
	programtest.Equal(t, r, "stats.composites", 5)
	programtest.Equal(t, r, "composites.0.title", "Slow database")
	programtest.Equal(t, r, "composites.2.title", "Database Service Impact")
	programtest.Equal(t, r, "composites.2.since", "2026-11-24T17:49:23.237Z") // when the webhook came, two seconds after the onset
	programtest.Equal(t, r, "composites.2.evidence.0", "platform.database_down{cluster=sgp-1,instance=db-1,job=shop,region=ap-southeast,service=shop-db,severity=p1}")
	told := map[string]bool{}
	for _, n := range programtest.At(t, r, "notifications").([]any) {
		told[programtest.At(t, n, "alert").(string)] = true
	}
	for alert := range told {
		if strings.HasPrefix(alert, "application.") {
			t.Errorf("people were told of %s, which comes of the database", alert)
		}
	}
	for _, a := range programtest.At(t, r, "alerts").([]any) {
		if name := programtest.At(t, a, "alert").(string); !told[name] && !strings.HasPrefix(name, "application.") {
			t.Errorf("nobody was told of %s", name)
		}
	}
}

func sampleFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "sample", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The scenario that the README shows holds for the rules of the sample.
func TestReadme(t *testing.T) {
	files, args := night(t)
	programtest.Readme(t, 16, programtest.Run(t, nil, files, args...))
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	quiet, rest, _ := strings.Cut(rest, "```")
	_, block, _ := strings.Cut(rest, "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	programtest.Result(t, map[string]string{"r.yaml": quiet, "a.jsonl": sampleFile(t, "alerts.jsonl")}, "-config", "r.yaml", "-alerts", "a.jsonl")
	r := programtest.Result(t, map[string]string{"r.yaml": sampleFile(t, "rules.yaml"), "s.yaml": block}, "-config", "r.yaml", "-test", "s.yaml")
	programtest.Equal(t, r, "scenarios", 1)
	programtest.Equal(t, r, "untested_rules.0", "exhausted")
}

// The alerts of the sample: the third makes one of them, and two are hidden.
func TestSample(t *testing.T) {
	r := programtest.Result(t, nil)
	programtest.Equal(t, r, "schema", "correlation/v1")
	programtest.Equal(t, r, "at", "2026-10-05T02:00:30Z")
	programtest.Equal(t, r, "composites.0.since", "2026-10-05T02:00:20Z")
	programtest.Equal(t, r, "composites.0.severity", "P2") // the highest of its alerts
	programtest.Equal(t, r, "composites.0.by.region", "eu-west")
	programtest.Equal(t, r, "stats.noise_reduction_percent", 50)
	programtest.Equal(t, r, "notifications.2.title", "Machines of eu-west are exhausted")

	r = programtest.Result(t, nil, "-at", "2026-10-05T02:00:15Z", "-explain")
	programtest.Equal(t, r, "stats.events", 2)
	programtest.Equal(t, r, "stats.noise_reduction_percent", 0)
	programtest.Equal(t, r, "explain.0.field", "$.stats.noise_reduction_percent")

	r = programtest.Result(t, nil, "-explain")
	programtest.Equal(t, r, "explain.0.field", "$.alerts[0].suppressed_by")
	programtest.Equal(t, r, "explain.0.values.stands_for_it.0", "composite.exhausted{region=eu-west}")
}

func TestScenarios(t *testing.T) {
	files := map[string]string{"r.yaml": sampleFile(t, "rules.yaml"), "s.yaml": sampleFile(t, "scenarios.yaml")}
	r := programtest.Result(t, files, "-config", "r.yaml", "-test", "s.yaml")
	programtest.Equal(t, r, "scenarios", 2)
	if left := programtest.At(t, r, "untested_rules"); len(left.([]any)) > 0 {
		t.Errorf("untested rules %v, want none", left)
	}
	files["r.yaml"] = strings.Replace(files["r.yaml"], "platform.db_slow AND", "platform.x AND", 1)
	if out := programtest.Run(t, nil, files, "-config", "r.yaml", "-test", "s.yaml", "-json"); out.Exit != 1 || !strings.Contains(out.Stdout, `"what": "suppressed"`) {
		t.Errorf("test of rules that fail = %d\n%s%s, want 1 and the failures", out.Exit, out.Stdout, out.Stderr)
	}
}

// With the rule away, its composite is not told of and two alerts are.
func TestAgainst(t *testing.T) {
	files := map[string]string{"r.yaml": sampleFile(t, "rules.yaml"), "a.jsonl": sampleFile(t, "alerts.jsonl"), "none.yaml": "version: 1\nrules: []\n"}
	r := programtest.Result(t, files, "-config", "r.yaml", "-alerts", "a.jsonl", "-against", "none.yaml")
	programtest.Equal(t, r, "against.notified_before", 3)
	programtest.Equal(t, r, "against.notified_after", 4)
	programtest.Equal(t, r, "against.unmuted.0.alert", "platform.db_slow{region=eu-west,service=orders-db}")
	programtest.Equal(t, r, "against.unmuted.1.rules.0", "exhausted")
	programtest.Equal(t, r, "against.dropped.0.rule", "exhausted")
}

// Two runs over the halves of a log leave the state of one run over all.
func TestState(t *testing.T) {
	lines := strings.SplitAfter(sampleFile(t, "alerts.jsonl"), "\n")
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	for i, part := range []string{strings.Join(lines[:2], ""), strings.Join(lines[2:], "")} {
		files := map[string]string{"r.yaml": sampleFile(t, "rules.yaml"), "a.jsonl": part}
		r := programtest.Result(t, files, "-config", "r.yaml", "-alerts", "a.jsonl", "-state", state)
		programtest.Equal(t, r, "stats.alerts", 2+2*i)
		programtest.Equal(t, r, "stats.suppressed", 2*i)
		programtest.Equal(t, r, "stats.notified", 2)
	}
}

// A state is as large as what it says, and whatever a run leaves the next one reads.
func TestLargeState(t *testing.T) {
	var log strings.Builder
	for n := range 1100 {
		fmt.Fprintf(&log, `{"time":"2026-10-05T02:00:00Z","alert":"app.down","status":"firing","labels":{"n":"%d","text":"%s"}}`+"\n", n, strings.Repeat("x", 16_000))
	}
	state := filepath.Join(t.TempDir(), "state")
	files := map[string]string{"r.yaml": sampleFile(t, "rules.yaml"), "a.jsonl": log.String()}
	for run := range 2 {
		if o := programtest.Run(t, nil, files, "-config", "r.yaml", "-alerts", "a.jsonl", "-state", state, "-o", filepath.Join(t.TempDir(), "out")); o.Exit != 0 {
			t.Fatalf("run %d: exit %d: %.300s", run, o.Exit, o.Stderr)
		}
		if info, err := os.Stat(state); err != nil || info.Size() <= program.MaxFile {
			t.Fatalf("run %d: a state of %v, %v, want more than a file that is read as a whole may have", run, info.Size(), err)
		}
	}
}

func TestOtherLogs(t *testing.T) {
	rules := `
version: 1
rules: [{name: down, by: [service], logic: "IF application.down THEN suppress application.errors"}]
thresholds: {platform: {queue: "> 100 for 2 minutes"}}
signals: {queue: [queue_long]}
inhibit_rules: [{name: quiet, source_matchers: ['alertname="NodeDown"'], target_matchers: ['severity="warning"'], equal: [cluster]}]
`
	files := map[string]string{
		"r.yaml":    rules,
		"c.csv":     "time,service,status\n2026-10-05T02:00:00Z,shop,up\n2026-10-05T02:01:00Z,shop,down\n2026-10-05T02:02:00Z,shop,degraded\n2026-10-05T02:03:00Z,shop,up\n",
		"m.csv":     "time,service,queue\n2026-10-05T02:00:00Z,shop,101\n2026-10-05T02:01:00Z,shop,150\n2026-10-05T02:02:00Z,shop,150\n",
		"bodies":    `{"at":"2026-10-05T02:00:05Z","body":{"alerts":[{"status":"firing","labels":{"alertname":"Slow","signal":"platform.db_slow","tenant":"acme"},"startsAt":"2026-10-05T02:00:00Z"}]}}`,
		"hooks.txt": `{"alerts":[{"status":"firing","labels":{"alertname":"NodeDown","layer":"infrastructure","cluster":"a"},"startsAt":"2026-10-05T02:00:00Z"},{"status":"firing","labels":{"alertname":"Slow","severity":"warning","cluster":"a"},"startsAt":"2026-10-05T02:00:00Z"}]}`,
	}
	r := programtest.Result(t, files, "-config", "r.yaml", "-checks", "c.csv")
	programtest.Equal(t, r, "notifications.0.alert", "application.down{service=shop}")
	programtest.Equal(t, r, "notifications.1.at", "2026-10-05T02:03:00Z")
	programtest.Equal(t, r, "notifications.1.action", "resolve")
	r = programtest.Result(t, files, "-config", "r.yaml", "-metrics", "m.csv")
	programtest.Equal(t, r, "alerts.0.alert", "platform.queue_long{service=shop}")
	programtest.Equal(t, r, "stats.events", 1) // once its two minutes are over
	r = programtest.Result(t, files, "-config", "r.yaml", "-webhooks", "hooks.txt")
	programtest.Equal(t, r, "alerts.0.alert", "application.Slow{cluster=a,severity=warning}")
	programtest.Equal(t, r, "alerts.0.suppressed_by.0", "quiet")
	programtest.Equal(t, r, "alerts.1.visible", true)
	programtest.Equal(t, r, "stats.suppressed", 1)
	// The muted one of two is not told of.
	programtest.Equal(t, r, "stats.notified", 1)
	programtest.Equal(t, r, "stats.noise_reduction_percent", 50)
	programtest.Equal(t, r, "notifications.0.alert", "infrastructure.NodeDown{cluster=a}")
	if n := len(programtest.At(t, r, "notifications").([]any)); n != 1 {
		t.Errorf("%d notifications, want one", n)
	}
	r = programtest.Result(t, files, "-config", "r.yaml", "-webhooks", "bodies")
	programtest.Equal(t, r, "at", "2026-10-05T02:00:05Z")
	programtest.Equal(t, r, "alerts.0.alert", "platform.db_slow")
	programtest.Equal(t, r, "alerts.0.since", "2026-10-05T02:00:00Z")
	programtest.Equal(t, r, "alerts.0.tenant", "acme")
	if out := programtest.Run(t, nil, files, "-config", "r.yaml", "-webhooks", "r.yaml"); out.Exit != 3 {
		t.Errorf("webhooks that are none = %d\n%s, want 3", out.Exit, out.Stderr)
	}
	if out := programtest.Run(t, nil, map[string]string{"r.yaml": rules, "x": "{\"version\":\"4\"}\n"}, "-config", "r.yaml", "-webhooks", "x"); out.Exit != 3 || !strings.Contains(out.Stderr, "x:1: alerts: missing") {
		t.Errorf("a webhook without alerts = %d\n%s, want 3 and its place", out.Exit, out.Stderr)
	}
}

// Inhibition counts in what people are told: of four alerts the second is held back until
// its source ends at :20, the third is over by then, and the fourth is of another cluster.
func TestInhibition(t *testing.T) {
	const rules = `
version: 1
inhibit_rules: [{name: quiet, source_matchers: ['alertname="node_down"'], target_matchers: ['layer="platform"'], equal: [cluster]}]
`
	line := func(second int, alert, cluster, status string) string {
		return fmt.Sprintf(`{"time":"2026-10-05T02:00:%02dZ","alert":%q,"labels":{"cluster":%q},"status":%q}`+"\n", second, alert, cluster, status)
	}
	log := line(0, "infrastructure.node_down", "a", "firing") + line(5, "platform.pod_down", "a", "firing") + line(6, "platform.db_slow", "a", "firing") +
		line(7, "platform.pod_down", "b", "firing") + line(10, "platform.db_slow", "a", "resolved") + line(20, "infrastructure.node_down", "a", "resolved")
	files := map[string]string{"r.yaml": rules, "a.jsonl": log, "none.yaml": "version: 1\nrules: []\n"}
	r := programtest.Result(t, files, "-config", "r.yaml", "-alerts", "a.jsonl", "-at", "2026-10-05T02:00:15Z")
	programtest.Equal(t, r, "stats.notified", 2)
	programtest.Equal(t, r, "stats.noise_reduction_percent", 50)
	r = programtest.Result(t, files, "-config", "r.yaml", "-alerts", "a.jsonl", "-against", "none.yaml")
	programtest.Equal(t, r, "stats.notified", 3)
	programtest.Equal(t, r, "stats.noise_reduction_percent", 25)
	want := []string{
		"00 fire infrastructure.node_down{cluster=a}", "07 fire platform.pod_down{cluster=b}",
		"20 resolve infrastructure.node_down{cluster=a}", "20 fire platform.pod_down{cluster=a}",
	}
	var got []string
	for _, x := range programtest.At(t, r, "notifications").([]any) {
		n := x.(map[string]any)
		got = append(got, fmt.Sprintf("%s %s %s", n["at"].(string)[17:19], n["action"], n["alert"]))
	}
	if !slices.Equal(got, want) {
		t.Errorf("notifications %q, want %q", got, want)
	}
	// Without the rules all four are told, each when it began.
	programtest.Equal(t, r, "against.notified_before", 3)
	programtest.Equal(t, r, "against.notified_after", 4)
	programtest.Equal(t, r, "against.unmuted.0.alert", "platform.db_slow{cluster=a}")
	programtest.Equal(t, r, "against.unmuted.0.rules.0", "quiet")
	programtest.Equal(t, r, "against.moved.0.alert", "platform.pod_down{cluster=a}")
}

// The silence of the sample's region ends at 02:00:25: the first two alerts are told then,
// unless they are hidden; strict, what they explain is told while they are not.
func TestSilences(t *testing.T) {
	rules := sampleFile(t, "rules.yaml") + `
silences: [{id: s, tenant: acme, matchers: ['alertname=~"infrastructure.*|composite.*"'], end: 2026-10-05T02:00:25Z, created_by: ann, comment: upkeep}]
`
	files := map[string]string{"r.yaml": rules, "a.jsonl": sampleFile(t, "alerts.jsonl"), "s.yaml": rules + "options: {strict_silence: true}\n"}
	r := programtest.Result(t, files, "-config", "r.yaml", "-alerts", "a.jsonl", "-at", "2026-10-05T02:00:20Z")
	programtest.Equal(t, r, "stats.notified", 0) // the third is hidden by a composite of which nobody is told
	programtest.Equal(t, r, "alerts.0.silenced_by.0", "s")
	programtest.Equal(t, r, "alerts.0.visible", true)
	text := programtest.Run(t, nil, files, "-config", "r.yaml", "-alerts", "a.jsonl", "-at", "2026-10-05T02:00:20Z").Stdout
	if _, untold, _ := strings.Cut(text, "Not told"); strings.Count(untold, "silenced by s") != 2 || strings.Contains(untold, "not due") {
		t.Errorf("not told at :20\n%s\nwant the two alerts of infrastructure as silenced by s", untold)
	}
	r = programtest.Result(t, files, "-config", "r.yaml", "-alerts", "a.jsonl")
	programtest.Equal(t, r, "notifications.0.at", "2026-10-05T02:00:25Z")
	programtest.Equal(t, r, "notifications.2.alert", "infrastructure.memory_high{region=eu-west}")
	programtest.Equal(t, r, "stats.notified", 2)
	r = programtest.Result(t, files, "-config", "s.yaml", "-alerts", "a.jsonl")
	// The db_slow that is evidence itself is not silenced, so the group of it alone is let
	// go at :20 and stands for what the rule hides.
	programtest.Equal(t, r, "notifications.0.alert", "platform.db_slow{region=eu-west,service=orders-db}")
	programtest.Equal(t, r, "notifications.0.at", "2026-10-05T02:00:20Z")
}

func TestErrors(t *testing.T) {
	good := map[string]string{"r.yaml": "version: 1\nrules: []\n", "a.jsonl": sampleFile(t, "alerts.jsonl")}
	for _, c := range []struct {
		name, text string // of a file that is another one
		args       []string
		exit       int
		want       string
	}{
		{"a.jsonl", "\n{\"alert\":\"a.b\",\"status\":\"up\"}\n{\"time\":\"2026-10-05T02:00:00Z\",\"alert\":\"a\",\"status\":\"firing\"}\n", nil, 3, "a.jsonl:2: time: missing\na.jsonl:2: status: status \"up\", want firing or resolved\na.jsonl:3: alert: found \"a\""},
		{"a.jsonl", "{\"time\":\"2026-10-05 02:00\",\"alert\":\"a.b\",\"status\":\"firing\"}", nil, 3, "a.jsonl:1: time: want times with a zone"},
		{"a.jsonl", "[1]", nil, 3, "a.jsonl:1: "},
		{"a.jsonl", "{\"time\":\"2026-10-05T02:00:00Z\",\"alert\":\"a.b\",\"status\":\"firing\",\"labels\":{\"a\":1}}", nil, 3, "a.jsonl:1: labels"},
		{"r.yaml", "version: 1\nrules: [{name: x, logic: IF}]\n", nil, 2, "r.yaml:2:"},
		{"r.yaml", "version: 1\ninhibit_rules: [{source_matchers: ['=']}]\n", nil, 2, "inhibit_rules[0]"},
		{"", "", []string{"-at", "now"}, 2, "-at"},
		{"", "", []string{"-test", "s.yaml"}, 2, "-test"},
		{"", "", []string{"-checks", "c.csv"}, 2, "one of"},
		{"", "", []string{"-topology", "none.yaml"}, 2, "none.yaml"},
	} {
		files := maps.Clone(good)
		if c.name != "" {
			files[c.name] = c.text
		}
		out := programtest.Run(t, nil, files, append([]string{"-config", "r.yaml", "-alerts", "a.jsonl"}, c.args...)...)
		if out.Exit != c.exit || !strings.Contains(out.Stderr, c.want) || out.Stdout != "" {
			t.Errorf("%s %v: exit %d\n%s%s\nwant %d and %s", c.name, c.args, out.Exit, out.Stdout, out.Stderr, c.exit, c.want)
		}
	}
	if out := programtest.Run(t, nil, good, "-config", "r.yaml", "-alerts", "a.jsonl", "-fail-on", "visible"); out.Exit != 1 {
		t.Errorf("-fail-on visible = %d, want 1", out.Exit)
	}
	if out := programtest.Run(t, nil, good, "-config", "r.yaml", "-alerts", "a.jsonl", "-fail-on", "composite"); out.Exit != 0 {
		t.Errorf("-fail-on composite = %d, want 0", out.Exit)
	}
}
