package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

func TestGolden(t *testing.T) {
	for format, extension := range map[string]string{"text": "txt", "json": "jsonl"} {
		programtest.Golden(t, format, extension)
	}
}

// What the README shows is what the sample prints.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	printed := programtest.Run(t, nil, nil).Stdout
	shown := 0
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); strings.HasPrefix(line, "    ") && len(fields) > 5 && slices.Contains([]string{"Sink", "jira", "pagerduty", "slack"}, fields[0]) {
			if shown++; !strings.Contains(printed, strings.TrimSpace(line)) {
				t.Errorf("the sample does not print %q", line)
			}
		}
	}
	if shown != 4 {
		t.Errorf("%d lines compared, want 4", shown)
	}
}

const (
	routingKey = "0123456789abcdef0123456789abcdef"
	canary     = "canary-of-a-secret"
)

// vendors are the systems that a bridge under test tells.
type vendors struct {
	pager *adaptertest.PagerDuty
	jira  *adaptertest.Jira
	files map[string]string // of the bridge
	env   []string

	mu    sync.Mutex
	hooks map[string]int // X-Evenkeel-Id of what the webhook got, with how often
}

// newVendors starts them and writes the configuration of a bridge to them.
func newVendors(t *testing.T) *vendors {
	t.Helper()
	v := &vendors{
		pager: adaptertest.NewPagerDuty(adaptertest.PagerDutyOptions{RoutingKeys: map[string]string{routingKey: "S1"}}),
		jira:  adaptertest.NewJira(adaptertest.JiraOptions{}),
		hooks: map[string]int{},
		env:   []string{"PD_KEY=" + routingKey, "JIRA_TOKEN=" + canary, "HOOK_SECRET=" + canary},
	}
	serve := func(h http.Handler) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	hook := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.hooks[r.Header.Get("X-Evenkeel-Id")]++
	})
	v.files = map[string]string{"bridge.yaml": fmt.Sprintf(`version: 1
tenant_label: tenant
sources: {alertmanager: {listen: LISTEN}}
sinks:
  pagerduty: {routing_key: {env: PD_KEY}, url: %q}
  jira: {url: %q, email: ops@acme.example, token: {env: JIRA_TOKEN}, project: OPS, deployment: cloud}
  webhook: {url: %q, secret: {env: HOOK_SECRET}}
map: {severity: {critical: p1, warning: p3}}
`, serve(v.pager), serve(v.jira), serve(hook))}
	return v
}

// body is a webhook with alerts of the given instances.
func body(status string, instances ...string) string {
	var alerts []map[string]any
	for _, instance := range instances {
		a := map[string]any{
			"status": status, "startsAt": "2026-10-05T04:42:05Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": fmt.Sprintf("%016x", []byte(instance)),
			"labels":      map[string]string{"alertname": "HighLatency", "instance": instance, "service": "user_api", "severity": "critical", "tenant": "acme"},
			"annotations": map[string]string{"summary": "p95 820ms"},
		}
		if status == "resolved" {
			a["endsAt"] = "2026-10-05T04:52:05Z"
		}
		alerts = append(alerts, a)
	}
	text, err := json.Marshal(map[string]any{"version": "4", "groupKey": "{}:{}", "status": status, "alerts": alerts})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Once takes the alerts of a file to all sinks, and the secrets stay where they are.
func TestOnce(t *testing.T) {
	v := newVendors(t)
	v.files["bridge.yaml"] = strings.Replace(v.files["bridge.yaml"], "LISTEN", "127.0.0.1:0", 1)
	v.files["payload.json"] = body("firing", "a1", "a2")
	o := programtest.Run(t, v.env, v.files, "-config", "bridge.yaml", "-once", "-in", "payload.json", "-json", "-fail-on", "unsent")
	if o.Exit != 0 {
		t.Fatalf("exit %d: %s\n%s", o.Exit, o.Stderr, o.Stdout)
	}
	if n := strings.Count(o.Stdout, `"sent":true`); n != 6 {
		t.Errorf("%d sent, want two to each of three sinks:\n%s", n, o.Stdout)
	}
	if len(v.pager.Alerts()) != 2 || len(v.jira.Issues()) != 2 || len(v.hooks) != 2 {
		t.Errorf("%d alerts, %d issues, %d webhooks, want 2 each", len(v.pager.Alerts()), len(v.jira.Issues()), len(v.hooks))
	}
	if text := o.Stdout + o.Stderr; strings.Contains(text, canary) || strings.Contains(text, routingKey) {
		t.Errorf("a secret is shown: %s", text)
	}
}

// A dry run opens no socket: the sinks hear nothing.
func TestDryRun(t *testing.T) {
	v := newVendors(t)
	v.files["bridge.yaml"] = strings.Replace(v.files["bridge.yaml"], "LISTEN", "127.0.0.1:0", 1)
	v.files["payload.json"] = body("resolved", "a1")
	o := programtest.Run(t, v.env, v.files, "-config", "bridge.yaml", "-once", "-dry-run", "-in", "payload.json", "-json", "-now", "2026-10-05T05:00:00Z")
	if o.Exit != 0 || strings.Count(o.Stdout, `"action":"resolve"`) != 3 || strings.Contains(o.Stdout, `"sent":true`) {
		t.Errorf("exit %d, %s\n%s", o.Exit, o.Stderr, o.Stdout)
	}
	if len(v.jira.Requests()) != 0 || len(v.pager.Alerts()) != 0 {
		t.Error("something was sent")
	}
}

func TestBadInput(t *testing.T) {
	v := newVendors(t)
	v.files["bridge.yaml"] = strings.Replace(v.files["bridge.yaml"], "LISTEN", "127.0.0.1:0", 1)
	for _, c := range []struct {
		payload string
		exit    int
		want    string
	}{
		{`{`, 3, "payload.json: "},
		{`{"version": "4"}`, 3, "alerts"},
		{`{"version": "4", "alerts": [{"status": "sleeping", "labels": {}}]}`, 3, "alerts[0].status"},
		{`{"version": "4", "alerts": [{"status": "firing", "startsAt": "2026-10-05T04:42:05Z", "labels": {"alertname": "A"}}]}`, 3, "alerts[0].labels.tenant: missing"},
	} {
		v.files["payload.json"] = c.payload
		o := programtest.Run(t, v.env, v.files, "-config", "bridge.yaml", "-once", "-dry-run", "-in", "payload.json")
		if o.Exit != c.exit || !strings.Contains(o.Stderr, c.want) || o.Stdout != "" {
			t.Errorf("%s: exit %d, %q, stdout %q, want %d and %q", c.payload, o.Exit, o.Stderr, o.Stdout, c.exit, c.want)
		}
	}
}

func TestUsage(t *testing.T) {
	v := newVendors(t)
	v.files["bridge.yaml"] = strings.Replace(v.files["bridge.yaml"], "LISTEN", "127.0.0.1:0", 1)
	v.files["taken.yaml"] = strings.Replace(v.files["bridge.yaml"], "127.0.0.1:0", "192.0.2.1:1", 1)
	v.files["payload.json"] = body("firing", "a1")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-once", "-in", "payload.json"}, "-config: missing"}, // the sample is never sent
		{[]string{"-config", "bridge.yaml", "-once"}, "-in: missing"},
		{[]string{"-config", "bridge.yaml", "-in", "payload.json"}, "-in: wants -once"},
		{[]string{"-config", "-", "-once", "-in", "-"}, "stdin"},
		{[]string{"-config", "taken.yaml"}, "sources.alertmanager.listen: "},
		{[]string{"-config", "bridge.yaml", "-db", "no/such/folder/x.db"}, "storage: "},
	} {
		o := programtest.Run(t, v.env, v.files, c.args...)
		if o.Exit != 2 || !strings.Contains(o.Stderr, c.want) || o.Stdout != "" {
			t.Errorf("%q: exit %d, %q, stdout %q, want 2 and %q", c.args, o.Exit, o.Stderr, o.Stdout, c.want)
		}
	}
}

// A database that the configuration names is beside it, wherever the program was
// started.
func TestDatabaseBesideConfig(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "conf", "bridge.yaml")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	v := newVendors(t)
	text := "database: bridge.db\n" + strings.Replace(v.files["bridge.yaml"], "LISTEN", "127.0.0.1:0", 1)
	payload := filepath.Join(dir, "payload.json")
	for name, data := range map[string]string{file: text, payload: body("firing", "a1")} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := programtest.Run(t, v.env, nil, "-config", file, "-once", "-in", payload, "-json")
	if _, err := os.Stat(filepath.Join(dir, "conf", "bridge.db")); err != nil || o.Exit != 0 {
		t.Errorf("exit %d, %v: %s", o.Exit, err, o.Stderr)
	}
}

// bridge is a bridge that runs as a process.
type bridge struct {
	t       *testing.T
	cmd     *exec.Cmd
	address string
	stderr  *bytes.Buffer
	out     *os.File
}

// start starts a bridge in a folder, where its configuration, database and log are, and
// waits until it answers.
func (v *vendors) start(t *testing.T, dir, address string) *bridge {
	t.Helper()
	b := v.launch(t, dir, address)
	b.until("it answers", func() bool { return b.ask(http.MethodGet, "/healthz", "") == http.StatusOK })
	return b
}

// launch starts one and does not wait.
func (v *vendors) launch(t *testing.T, dir, address string) *bridge {
	t.Helper()
	file := strings.Replace(v.files["bridge.yaml"], "LISTEN", address, 1)
	if err := os.WriteFile(filepath.Join(dir, "bridge.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(filepath.Join(dir, "log.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	b := &bridge{t: t, cmd: programtest.Command(t, "-config", "bridge.yaml", "-db", "bridge.db"), address: address, stderr: &bytes.Buffer{}, out: out}
	b.cmd.Dir, b.cmd.Env, b.cmd.Stdout, b.cmd.Stderr = dir, append(append(os.Environ(), "TZ=Asia/Singapore"), v.env...), out, b.stderr
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return b
}

// at is the bridge at another of its addresses.
func (b *bridge) at(address string) *bridge {
	return &bridge{t: b.t, address: address, stderr: b.stderr}
}

// until waits for something that the processes bring about.
func (b *bridge) until(what string, done func() bool) {
	b.t.Helper()
	for end := time.Now().Add(60 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("not within a minute: %s\n%s", what, b.stderr)
		}
	}
}

// post sends a webhook and returns the status of the answer, 0 without one.
func (b *bridge) post(text string) int { return b.ask(http.MethodPost, "/alertmanager", text) }

// get returns what stands at a path.
func (b *bridge) get(path string) string {
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, "http://"+b.address+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

func (b *bridge) ask(method, path, text string) int {
	r, err := http.NewRequestWithContext(b.t.Context(), method, "http://"+b.address+path, strings.NewReader(text))
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return answer.StatusCode
}

// freeAddress returns an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// An alert is opened everywhere and resolved everywhere, and a webhook that comes
// again does nothing more.
func TestServe(t *testing.T) {
	v := newVendors(t)
	b := v.start(t, t.TempDir(), freeAddress(t))
	for range 2 {
		if status := b.post(body("firing", "a1")); status != http.StatusAccepted {
			t.Fatalf("status %d, want 202: %s", status, b.stderr)
		}
	}
	b.until("all are told", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return len(v.pager.Alerts()) == 1 && len(v.jira.Issues()) == 1 && len(v.hooks) == 1
	})
	b.post(body("resolved", "a1"))
	b.until("all are told of the end", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return !v.pager.Alerts()[0].Open && v.jira.Issues()[0].Resolution != "" && len(v.hooks) == 2
	})
	figures := b.get("/metrics")
	for _, want := range []string{"evenkeel_bridge_webhooks_accepted_total 2", "evenkeel_bridge_webhooks_repeated_total 1", "evenkeel_bridge_requests_dead_total 0"} {
		if !strings.Contains(figures, want) {
			t.Errorf("no %q in %s", want, figures)
		}
	}
	for status, text := range map[int]string{http.StatusBadRequest: `{"alerts": 5}`, http.StatusRequestEntityTooLarge: strings.Repeat(" ", 2<<20)} {
		if got := b.post(text); got != status {
			t.Errorf("status %d, want %d", got, status)
		}
	}
	log, err := os.ReadFile(b.out.Name())
	if n := strings.Count(string(log), `Z","sink"`); err != nil || n != 6 {
		t.Errorf("%v: %d times in UTC, want 6: %s", err, n, log)
	}
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil { // as service managers do
		t.Fatal(err)
	}
	_ = b.cmd.Wait()
	if code := b.cmd.ProcessState.ExitCode(); code != 0 && code != 130 {
		t.Errorf("exit %d: %s", code, b.stderr)
	}
	if len(v.pager.Alerts()) != 1 || len(v.jira.Issues()) != 1 {
		t.Error("a ticket was opened twice")
	}
}

// With a team, whoever is on call is paged, and the end of the alert ends it.
func TestTeam(t *testing.T) {
	v := newVendors(t)
	dir := t.TempDir()
	team, err := os.ReadFile(filepath.Join("..", "quickstart", "testdata", "inputs", "team.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "team.yaml"), team, 0o600); err != nil {
		t.Fatal(err)
	}
	v.files["bridge.yaml"] += "team: team.yaml\n"
	b := v.start(t, dir, freeAddress(t))
	b.post(body("firing", "a1"))
	var log string
	b.until("somebody is paged", func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "log.jsonl"))
		log = string(text)
		return err == nil && strings.Contains(log, `"action":"note"`)
	})
	line := ""
	for l := range strings.Lines(log) {
		if strings.Contains(l, `"action":"note"`) {
			line = l
		}
	}
	if !strings.Contains(line, `"sink":"webhook"`) || !strings.Contains(line, `"person":"`) || !strings.Contains(line, `"sent":true`) {
		t.Errorf("the page is %s", line)
	}
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
}

// Figures and health have an address of their own where the file names one, and the
// one of the webhooks has neither.
func TestMetricsAddress(t *testing.T) {
	v := newVendors(t)
	address, ops := freeAddress(t), freeAddress(t)
	v.files["bridge.yaml"] += "metrics: " + ops + "\n"
	dir := t.TempDir()
	b := v.launch(t, dir, address)
	b.until("figures are served", func() bool { return b.at(ops).ask(http.MethodGet, "/metrics", "") == http.StatusOK })
	if status := b.ask(http.MethodGet, "/metrics", ""); status != http.StatusNotFound {
		t.Errorf("figures beside the webhooks: status %d, want 404", status)
	}
	if status := b.post(body("firing", "a1")); status != http.StatusAccepted {
		t.Errorf("status %d, want 202", status)
	}
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
}

// The bridge is killed again and again in a storm, and whoever sends tries again what
// was not answered. Nothing is lost and nobody is told twice.
func TestKill(t *testing.T) {
	v := newVendors(t)
	dir, address := t.TempDir(), freeAddress(t)
	const kills, each = 2, 50
	b := v.start(t, dir, address)
	var want []string
	for n := range kills {
		var unanswered []string
		for i := range each {
			instance := fmt.Sprintf("%c%02d", 'a'+n, i)
			want = append(want, instance)
			if i == each/2 {
				go func() {
					time.Sleep(time.Duration(n*30) * time.Millisecond)
					_ = b.cmd.Process.Kill()
				}()
			}
			if b.post(body("firing", instance)) != http.StatusAccepted {
				unanswered = append(unanswered, instance)
			}
		}
		_ = b.cmd.Wait()
		b = v.start(t, dir, address)
		for _, instance := range unanswered {
			b.until("a webhook is taken", func() bool { return b.post(body("firing", instance)) == http.StatusAccepted })
		}
	}
	b.until("all are told", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return len(v.pager.Alerts()) >= len(want) && len(v.jira.Issues()) >= len(want) && len(v.hooks) >= len(want)
	})
	if a, i, h := len(v.pager.Alerts()), len(v.jira.Issues()), len(v.hooks); a != len(want) || i != len(want) || h != len(want) {
		t.Errorf("%d alerts, %d issues, %d webhooks, want %d each", a, i, h, len(want))
	}
	titles := map[string]int{}
	for _, issue := range v.jira.Issues() {
		titles[issue.Summary]++
	}
	if len(titles) != len(want) || slices.Max(slices.Collect(maps.Values(titles))) != 1 {
		t.Errorf("%d titles, want %d, each once", len(titles), len(want))
	}
	t.Logf("%d kills, %d alerts: %d lost, %d tickets twice", kills, len(want), 0, len(v.jira.Issues())-len(titles))
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
}

// TestStorm is a storm of alerts, a hundred a webhook. EVENKEEL_SOAK makes it one of
// 10,000 and prints how fast they were taken and told. The write-ahead logs of its databases stay small.
func TestStorm(t *testing.T) {
	v := newVendors(t)
	lines := strings.Split(v.files["bridge.yaml"], "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "  pagerduty") || strings.HasPrefix(l, "  jira") })
	v.files["bridge.yaml"] = strings.Join(lines, "\n")
	n := 4000
	if os.Getenv("EVENKEEL_SOAK") != "" {
		n = 10_000
	}
	dir := t.TempDir()
	b := v.start(t, dir, freeAddress(t))
	begin := time.Now()
	for i := 0; i < n; i += 100 {
		var names []string
		for k := range 100 {
			names = append(names, fmt.Sprintf("%06d", i+k))
		}
		if status := b.post(body("firing", names...)); status != http.StatusAccepted {
			t.Fatalf("status %d: %s", status, b.stderr)
		}
	}
	taken := time.Since(begin)
	b.until("all are told", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return len(v.hooks) == n
	})
	told := time.Since(begin)
	logs, err := filepath.Glob(filepath.Join(dir, "*-wal"))
	if err != nil || len(logs) != 2 {
		t.Errorf("write-ahead logs %q, %v, want two", logs, err)
	}
	// A thousand pages of 4 KB, and what one transaction adds. A reader on a busy machine may hold
	// a log longer until the next transaction after it.
	b.until("write-ahead logs of at most 8 MB", func() bool {
		for _, name := range logs {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() > 8<<20 {
				b.post(body("firing", "one more"))
				return false
			}
		}
		return true
	})
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
	used := b.cmd.ProcessState.UserTime() + b.cmd.ProcessState.SystemTime()
	t.Logf("%d alerts: taken in %v, told in %v, %.0f/s, %v of processor time an alert", n, taken.Round(time.Millisecond), told.Round(time.Millisecond),
		float64(n)/told.Seconds(), (used / time.Duration(n)).Round(time.Microsecond))
}
