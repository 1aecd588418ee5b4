package itest_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

const routingKey = "0123456789abcdef0123456789abcdef"

// bridgeRig is a bridge that tells a PagerDuty and a webhook.
type bridgeRig struct {
	t       *testing.T
	dir     string
	port    int
	program string
	cmd     *exec.Cmd
	pager   *adaptertest.PagerDuty

	mu   sync.Mutex
	told map[string]int // by key; what the webhook got
}

// startBridge builds and starts one.
func startBridge(t *testing.T) *bridgeRig {
	t.Helper()
	r := &bridgeRig{
		t: t, dir: t.TempDir(), port: port(t), told: map[string]int{},
		pager: adaptertest.NewPagerDuty(adaptertest.PagerDutyOptions{RoutingKeys: map[string]string{routingKey: "S1"}}),
	}
	pager := httptest.NewServer(r.pager)
	t.Cleanup(pager.Close)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told[q.Header.Get("X-Evenkeel-Id")]++
	}))
	t.Cleanup(hook.Close)
	r.program = filepath.Join(r.dir, "bridge")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", r.program, "./examples/bridge")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	writeFile(t, filepath.Join(r.dir, "bridge.yaml"), fmt.Sprintf(`version: 1
tenant_label: tenant
database: bridge.db
sources: {alertmanager: {listen: "127.0.0.1:%d"}}
sinks:
  pagerduty: {routing_key: {env: PD_KEY}, url: %q}
  webhook: {url: %q, secret: {env: HOOK_SECRET}}
`, r.port, pager.URL, hook.URL))
	r.start()
	t.Cleanup(func() { _ = r.cmd.Process.Kill(); _ = r.cmd.Wait() })
	return r
}

func (r *bridgeRig) start() {
	r.t.Helper()
	r.cmd = exec.Command(r.program, "-config", filepath.Join(r.dir, "bridge.yaml"), "-db", filepath.Join(r.dir, "bridge.db")) //nolint:noctx // ended by the test
	r.cmd.Env = append(os.Environ(), "PD_KEY="+routingKey, "HOOK_SECRET=shh")
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
}

// kill kills the bridge and starts it again.
func (r *bridgeRig) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	r.start()
}

// keys returns how often the webhook got each key.
func (r *bridgeRig) keys() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.told)
}

// alertmanager starts an Alertmanager that sends to the bridge.
func (r *bridgeRig) alertmanager(tools rig.Tools) *alertmanager.Client {
	r.t.Helper()
	dir, amPort := r.t.TempDir(), port(r.t)
	writeFile(r.t, filepath.Join(dir, "am.yml"), fmt.Sprintf(`route: {receiver: hook, group_by: [alertname, batch], group_wait: 100ms, group_interval: 1s, repeat_interval: 4h}
receivers: [{name: hook, webhook_configs: [{url: "http://127.0.0.1:%d/alertmanager", send_resolved: true}]}]
`, r.port))
	address := fmt.Sprintf("http://127.0.0.1:%d", amPort)
	proc, err := tools.StartAlertmanager(io.Discard, filepath.Join(dir, "am.yml"), filepath.Join(dir, "data"), amPort)
	started(r.t, proc, err, address+"/-/ready")
	client, err := alertmanager.NewClient(alertmanager.ClientConfig{BaseURL: address})
	if err != nil {
		r.t.Fatal(err)
	}
	return client
}

// TestBridgeFiresAgain cuts two real Alertmanagers off from who sends alerts to them, as
// a Prometheus does, so that they end the alert, and posts it again with the same start.
// Each time it is told once, whoever of the two is first, and whether the bridge was
// killed meanwhile or not.
func TestBridgeFiresAgain(t *testing.T) {
	t.Parallel()
	tools := tools(t)
	bridge := startBridge(t)
	pair := []*alertmanager.Client{bridge.alertmanager(tools), bridge.alertmanager(tools)}
	begin := time.Now().Add(-time.Minute)
	post := func(end time.Time) {
		t.Helper()
		for _, client := range pair {
			err := client.Post(t.Context(), alertmanager.Alert{
				Labels: map[string]string{"alertname": "DiskFull", "tenant": "acme", "severity": "critical"}, StartsAt: begin, EndsAt: end,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	webhooks := func() int { // of this process, repeated ones among them
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", bridge.port)) //nolint:noctx // bounded by the test
		if err != nil {
			return 0
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		n := 0
		for line := range strings.Lines(string(text)) {
			for _, what := range []string{"accepted", "repeated"} {
				var v int
				if _, err := fmt.Sscanf(line, "evenkeel_bridge_webhooks_"+what+"_total %d", &v); err == nil {
					n += v
				}
			}
		}
		return n
	}
	heard, messages := 0, 0
	step := func(what string, open int) {
		t.Helper()
		heard, messages = heard+2, messages+1
		within(t, time.Minute, what, func() bool {
			opened := 0
			for _, a := range bridge.pager.Alerts() {
				if a.Open {
					opened++
				}
			}
			return webhooks() >= heard && len(bridge.keys()) >= messages && opened == open
		})
	}
	const rounds = 3
	for round := range rounds {
		// As long as Prometheus promises; then it is cut off.
		post(time.Now().Add(3 * time.Second))
		step(fmt.Sprintf("round %d: both tell that it fires", round), 1)
		step(fmt.Sprintf("round %d: both tell that it is over", round), 0)
		if round == 1 {
			bridge.kill()
			heard = 0
		}
	}
	if n := len(bridge.pager.Alerts()); n != rounds {
		t.Errorf("%d alerts in PagerDuty, want one for each of %d rounds", n, rounds)
	}
	if n := len(bridge.keys()); n != 2*rounds {
		t.Errorf("%d messages, want %d", n, 2*rounds)
	}
}

// TestBridgeKilled has a real Alertmanager send to the bridge, which is killed again
// and again while alerts begin and end. Every alert is opened in PagerDuty and told
// to a webhook under one key, and every one of them ends.
func TestBridgeKilled(t *testing.T) {
	t.Parallel()
	tools := tools(t)
	bridge := startBridge(t)
	client := bridge.alertmanager(tools)

	const batches, each = 5, 8
	begin := time.Now().Add(-time.Minute)
	post := func(batch int, end time.Time) {
		t.Helper()
		var alerts []alertmanager.Alert
		for i := range each {
			alerts = append(alerts, alertmanager.Alert{
				Labels:   map[string]string{"alertname": "DiskFull", "tenant": "acme", "severity": "critical", "batch": strconv.Itoa(batch), "disk": strconv.Itoa(i)},
				StartsAt: begin, EndsAt: end,
			})
		}
		if err := client.Post(t.Context(), alerts...); err != nil {
			t.Fatal(err)
		}
	}
	for batch := range batches {
		post(batch, time.Now().Add(time.Hour))
		time.Sleep(time.Duration(100+70*batch) * time.Millisecond) // about when the webhook is sent
		bridge.kill()
	}
	const all = batches * each
	within(t, time.Minute, "all alerts are open", func() bool { return len(bridge.pager.Alerts()) == all && len(bridge.keys()) == all })
	for batch := range batches {
		post(batch, time.Now())
	}
	time.Sleep(1200 * time.Millisecond)
	bridge.kill()
	within(t, time.Minute, "all alerts are over", func() bool {
		for _, a := range bridge.pager.Alerts() {
			if a.Open {
				return false
			}
		}
		return len(bridge.keys()) == 2*all
	})
	if n := len(bridge.pager.Alerts()); n != all {
		t.Errorf("%d alerts in PagerDuty, want %d: some were told twice", n, all)
	}
	repeated := 0
	for _, n := range bridge.keys() {
		repeated += n - 1
	}
	t.Logf("%d kills, %d alerts: 0 lost, 0 told under two keys, %d messages came again under their key", batches+1, all, repeated)
}

// within waits for something that takes longer than eventually does.
func within(t *testing.T, patience time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
