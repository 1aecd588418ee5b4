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
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
)

// TestBridgeKilled has a real Alertmanager send to the bridge, which is killed again
// and again while alerts begin and end. Every alert is opened in PagerDuty and told
// to a webhook under one key, and every one of them ends.
func TestBridgeKilled(t *testing.T) {
	t.Parallel()
	tools := tools(t)
	const routingKey = "0123456789abcdef0123456789abcdef"
	pager := adaptertest.NewPagerDuty(adaptertest.PagerDutyOptions{RoutingKeys: map[string]string{routingKey: "S1"}})
	pagerServer := httptest.NewServer(pager)
	defer pagerServer.Close()
	var mu sync.Mutex
	told := map[string]int{} // by key
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		told[r.Header.Get("X-Evenkeel-Id")]++
	}))
	defer hook.Close()

	dir, bridgePort, amPort := t.TempDir(), port(t), port(t)
	program := filepath.Join(dir, "bridge")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./examples/bridge")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	writeFile(t, filepath.Join(dir, "bridge.yaml"), fmt.Sprintf(`version: 1
tenant_label: tenant
database: bridge.db
sources: {alertmanager: {listen: "127.0.0.1:%d"}}
sinks:
  pagerduty: {routing_key: {env: PD_KEY}, url: %q}
  webhook: {url: %q, secret: {env: HOOK_SECRET}}
`, bridgePort, pagerServer.URL, hook.URL))
	start := func() *exec.Cmd {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, "-config", filepath.Join(dir, "bridge.yaml"), "-db", filepath.Join(dir, "bridge.db"))
		cmd.Env = append(os.Environ(), "PD_KEY="+routingKey, "HOOK_SECRET=shh")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	bridge := start()
	defer func() { _ = bridge.Process.Kill(); _ = bridge.Wait() }()
	kill := func() {
		_ = bridge.Process.Kill()
		_ = bridge.Wait()
		bridge = start()
	}

	writeFile(t, filepath.Join(dir, "am.yml"), fmt.Sprintf(`route: {receiver: hook, group_by: [alertname, batch], group_wait: 100ms, group_interval: 1s, repeat_interval: 4h}
receivers: [{name: hook, webhook_configs: [{url: "http://127.0.0.1:%d/alertmanager", send_resolved: true}]}]
`, bridgePort))
	address := fmt.Sprintf("http://127.0.0.1:%d", amPort)
	proc, err := tools.StartAlertmanager(io.Discard, filepath.Join(dir, "am.yml"), filepath.Join(dir, "data"), amPort)
	started(t, proc, err, address+"/-/ready")
	client, err := alertmanager.NewClient(alertmanager.ClientConfig{URL: address})
	if err != nil {
		t.Fatal(err)
	}

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
		kill()
	}
	const all = batches * each
	within(t, time.Minute, "all alerts are open", func() bool { return len(pager.Alerts()) == all && len(keys(&mu, told)) == all })
	for batch := range batches {
		post(batch, time.Now())
	}
	time.Sleep(1200 * time.Millisecond)
	kill()
	within(t, time.Minute, "all alerts are over", func() bool {
		for _, a := range pager.Alerts() {
			if a.Open {
				return false
			}
		}
		return len(keys(&mu, told)) == 2*all
	})
	if n := len(pager.Alerts()); n != all {
		t.Errorf("%d alerts in PagerDuty, want %d: some were told twice", n, all)
	}
	repeated := 0
	for _, n := range keys(&mu, told) {
		repeated += n - 1
	}
	t.Logf("%d kills, %d alerts: 0 lost, 0 told under two keys, %d messages came again under their key", batches+1, all, repeated)
}

func keys(mu *sync.Mutex, told map[string]int) map[string]int {
	mu.Lock()
	defer mu.Unlock()
	return maps.Clone(told)
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
