package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

func TestGolden(t *testing.T) {
	for format, extension := range map[string]string{"text": "txt", "json": "json", "md": "md", "html": "html"} {
		programtest.Golden(t, format, extension)
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
	programtest.Readme(t, 7)
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
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
