package itest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// night is the recording of examples/quickstart.
const night = "../../examples/quickstart/testdata/night"

// tools skips the test where the Debian packages are not installed, and fails it in CI, where they must be.
func tools(t *testing.T) rig.Tools {
	t.Helper()
	tools, err := rig.Look()
	if err == nil {
		return tools
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("monitoring servers: %v", err)
	}
	t.Skipf("monitoring servers are not installed: %v", err)
	return rig.Tools{}
}

func port(t *testing.T) int {
	t.Helper()
	p, err := rig.OddPort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p%2 != 1 {
		t.Fatalf("OddPort = %d, want an odd one", p)
	}
	return p
}

// started ends the process with the test and waits until it answers.
func started(t *testing.T, p *rig.Process, err error, ready string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := rig.WaitReady(ctx, p, ready); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestRecordedRules loads the rules of the night into promtool and into a running Prometheus.
func TestRecordedRules(t *testing.T) {
	tools := tools(t)
	rules, err := filepath.Abs(filepath.Join(night, "rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := tools.CheckRules(t.Context(), rules); err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	writeFile(t, config, fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%q]\n", rules))
	if err := tools.CheckPrometheusConfig(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	p := port(t)
	address := fmt.Sprintf("http://127.0.0.1:%d", p)
	proc, err := tools.StartPrometheus(io.Discard, config, filepath.Join(dir, "data"), p)
	started(t, proc, err, address+"/-/ready")

	resp := do(t, http.MethodGet, address+"/api/v1/rules?type=alert", "")
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct {
					Name   string
					Labels map[string]string
				}
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	var signals []string
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			signals = append(signals, r.Labels["signal"])
		}
	}
	slices.Sort(signals)
	want := []string{
		"application.down", "application.error_rate_high", "application.high_latency", "application.slow_response",
		"infrastructure.cpu_high", "infrastructure.memory_high",
		"platform.database_down", "platform.db_slow", "platform.queue_depth",
	}
	if !slices.Equal(signals, want) {
		t.Errorf("signals of the loaded rules = %q, want %q", signals, want)
	}
}

// TestWebhookShape posts an alert to a running Alertmanager and compares the webhook with the recorded ones.
func TestWebhookShape(t *testing.T) {
	tools := tools(t)
	bodies := make(chan []byte, 16)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			bodies <- body
		}
	}))
	defer sink.Close()

	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	writeFile(t, config, fmt.Sprintf(`route: {receiver: night, group_by: [alertname, service], group_wait: 1s, group_interval: 2s, repeat_interval: 4h}
receivers: [{name: night, webhook_configs: [{url: %q, send_resolved: true}]}]
`, sink.URL))
	if err := tools.CheckAlertmanagerConfig(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	p := port(t)
	address := fmt.Sprintf("http://127.0.0.1:%d", p)
	proc, err := tools.StartAlertmanager(io.Discard, config, filepath.Join(dir, "data"), p)
	started(t, proc, err, address+"/-/ready")

	labels := `{"alertname":"DatabaseDown","service":"shop-db","severity":"p1","signal":"platform.database_down","tenant":"acme"}`
	start := time.Now().UTC()
	post(t, address, fmt.Sprintf(`[{"labels":%s,"annotations":{"summary":"down"},"startsAt":%q}]`, labels, start.Format(time.RFC3339Nano)))
	firing := next(t, bodies)
	if firing.Status != "firing" || len(firing.Alerts) != 1 || firing.Version != "4" || firing.Receiver != "night" {
		t.Errorf("first webhook = %+v, want one firing alert, version 4, receiver night", firing)
	}
	post(t, address, fmt.Sprintf(`[{"labels":%s,"startsAt":%q,"endsAt":%q}]`, labels, start.Format(time.RFC3339Nano), time.Now().UTC().Format(time.RFC3339Nano)))
	resolved := next(t, bodies)
	if resolved.Status != "resolved" || len(resolved.Alerts) != 1 || resolved.GroupKey != firing.GroupKey {
		t.Errorf("second webhook = %+v, want one resolved alert of the same group", resolved)
	}

	recorded := recordedBodies(t)
	for _, status := range []string{"firing", "resolved"} {
		live := map[string]webhook{"firing": firing, "resolved": resolved}[status]
		i := slices.IndexFunc(recorded, func(w webhook) bool { return w.Status == status })
		if i < 0 {
			t.Fatalf("no recorded webhook is %s", status)
		}
		if !slices.Equal(live.keys, recorded[i].keys) {
			t.Errorf("%s webhook has keys %q, the recorded one %q", status, live.keys, recorded[i].keys)
		}
		got, want := slices.Sorted(maps.Keys(live.Alerts[0])), slices.Sorted(maps.Keys(recorded[i].Alerts[0]))
		if !slices.Equal(got, want) {
			t.Errorf("%s alert has keys %q, the recorded one %q", status, got, want)
		}
	}
}

// webhook is the part of a body that the tests read, and the names of all its keys.
type webhook struct {
	Status, Version, Receiver, GroupKey string
	Alerts                              []map[string]any
	keys                                []string
}

func decode(t *testing.T, body []byte) webhook {
	t.Helper()
	var w webhook
	var all map[string]any
	if err := json.Unmarshal(body, &w); err != nil {
		t.Fatalf("webhook %q: %v", body, err)
	}
	if err := json.Unmarshal(body, &all); err != nil {
		t.Fatalf("webhook %q: %v", body, err)
	}
	w.keys = slices.Sorted(maps.Keys(all))
	return w
}

func next(t *testing.T, bodies <-chan []byte) webhook {
	t.Helper()
	select {
	case body := <-bodies:
		return decode(t, body)
	case <-time.After(time.Minute):
		t.Fatal("no webhook within a minute")
		return webhook{}
	}
}

// do sends a request with a JSON body; the caller closes the body of the answer.
func do(t *testing.T, method, url, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func post(t *testing.T, address, alerts string) {
	t.Helper()
	resp := do(t, http.MethodPost, address+"/api/v2/alerts", alerts)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("POST /api/v2/alerts = %s %s, want 200", resp.Status, text)
	}
}

func recordedBodies(t *testing.T) []webhook {
	t.Helper()
	file, err := os.Open(filepath.Join(night, "webhooks.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []webhook
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct{ Body json.RawMessage }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		all = append(all, decode(t, line.Body))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
