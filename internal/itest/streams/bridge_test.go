package streams

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// patience is how long a bridge may take for what is a matter of seconds on a machine that has nothing else to do.
const patience = 5 * time.Minute

// TestBridges runs two bridges over one PostgreSQL, with the log of alerts in it or on JetStream. One of them is killed with
// SIGKILL while alerts flow to both; whoever sends tries again at either what was not answered. Every alert is one message when
// it begins and one when it ends. The sink is a webhook, because PagerDuty takes two alerts a second.
func TestBridges(t *testing.T) {
	for _, log := range []string{"postgres", "jetstream"} {
		t.Run(log, func(t *testing.T) {
			stream := ""
			if log == "jetstream" {
				stream = fmt.Sprintf("stream: %q\n", natsURL(t))
			}
			storage := fmt.Sprintf("database: %q\n%s", systems["postgres"](t).URL, stream)
			b := newBridges(t, storage, storage)
			const all, killed = 200, 80
			begin := time.Now().Add(-time.Minute)
			for n := range all {
				if n == killed {
					go func(node *exec.Cmd) { _ = node.Process.Kill() }(b.nodes[0]) // while others are on their way
				}
				b.post(n, begin, time.Time{})
			}
			eventually(t, patience, func() error { return b.have(all) })
			_ = b.nodes[0].Wait()
			b.start(0)
			for n := range all {
				b.post(n, begin, time.Now())
			}
			b.toldAll(all)
		})
	}
}

// builtBridge builds the program once.
var builtBridge = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "evenkeel-streams")
	if err != nil {
		return "", err
	}
	servers.mu.Lock()
	servers.dirs = append(servers.dirs, dir)
	servers.mu.Unlock()
	program := filepath.Join(dir, "bridge")
	build := exec.Command("go", "build", "-o", program, "./examples/bridge")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
})

// bridges are the nodes, and what they told.
type bridges struct {
	t         *testing.T
	program   string
	config    []string
	addresses []string
	nodes     []*exec.Cmd
	logs      []*logged

	mu   sync.Mutex
	told map[string]int // by key, how often
}

// logged is what a program wrote to stderr.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newBridges starts a bridge on each storage, which tell one webhook, and ends them with the test.
func newBridges(t *testing.T, storages ...string) *bridges {
	t.Helper()
	program, err := builtBridge()
	if err != nil {
		t.Fatal(err)
	}
	b := &bridges{t: t, program: program, told: map[string]int{}, nodes: make([]*exec.Cmd, len(storages))}
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.told[r.Header.Get("X-Evenkeel-Id")]++
	}))
	t.Cleanup(hook.Close)
	for i, storage := range storages {
		port, err := rig.OddPort(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.addresses, b.config = append(b.addresses, fmt.Sprintf("127.0.0.1:%d", port)), append(b.config, filepath.Join(t.TempDir(), "bridge.yaml"))
		b.logs = append(b.logs, &logged{})
		text := fmt.Sprintf(`version: 1
tenant_label: tenant
%ssources: {alertmanager: {listen: %q}}
sinks:
  webhook: {url: %q, secret: {env: HOOK_SECRET}}
`, storage, b.addresses[i], hook.URL)
		if err := os.WriteFile(b.config[i], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if b.nodes[i] != nil {
				b.kill(i)
			}
			if t.Failed() {
				text := b.logs[i].String()
				t.Logf("node %d said ... %s", i, text[max(0, len(text)-4000):])
			}
		})
		b.start(i)
	}
	return b
}

// toldAll waits until the beginning and the end of all alerts are told and nothing else is under way, and reports what was told
// under two keys.
func (b *bridges) toldAll(all int) {
	b.t.Helper()
	eventually(b.t, patience, func() error { return b.have(2 * all) })
	eventually(b.t, patience, func() error { return b.idle() })
	if told := b.count(); told != 2*all {
		b.t.Errorf("%d messages, want %d: some were told twice", told, 2*all)
	}
	again := 0
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.told {
		again += n - 1
	}
	b.t.Logf("%d alerts: 0 lost, 0 told under two keys, %d messages came again under their key", all, again)
}

// start starts a node and waits until it answers.
func (b *bridges) start(node int) {
	b.t.Helper()
	cmd := exec.CommandContext(b.t.Context(), b.program, "-config", b.config[node])
	cmd.Env, cmd.Stderr = append(os.Environ(), "HOOK_SECRET=shh"), b.logs[node]
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.nodes[node] = cmd
	eventually(b.t, patience, func() error {
		status, err := b.ask(http.MethodGet, node, "/healthz", "")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
}

func (b *bridges) kill(node int) {
	_ = b.nodes[node].Process.Kill()
	_ = b.nodes[node].Wait()
}

// post sends a webhook about one alert to the nodes in turn until one has taken it.
func (b *bridges) post(n int, begin, end time.Time) {
	b.t.Helper()
	eventually(b.t, patience, func() error {
		var problems []error
		for i := range b.nodes {
			status, err := b.try((n+i)%len(b.nodes), n, begin, end)
			if err == nil && status == http.StatusAccepted {
				return nil
			}
			problems = append(problems, fmt.Errorf("alert %d: status %d, %w", n, status, err))
		}
		return errors.Join(problems...)
	})
}

// try sends a webhook about one alert to a node once.
func (b *bridges) try(node, n int, begin, end time.Time) (int, error) {
	b.t.Helper()
	status := "firing"
	if !end.IsZero() {
		status = "resolved"
	}
	text, err := json.Marshal(map[string]any{"version": "4", "groupKey": fmt.Sprint("{}:", n), "status": status, "alerts": []any{map[string]any{
		"status": status, "startsAt": begin, "endsAt": end, "fingerprint": fmt.Sprintf("%016x", n),
		"labels": map[string]string{"alertname": "DiskFull", "tenant": "tenant" + strconv.Itoa(n%8), "severity": "critical", "disk": strconv.Itoa(n)},
	}}})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.ask(http.MethodPost, node, "/alertmanager", string(text))
}

func (b *bridges) ask(method string, node int, path, text string) (int, error) {
	r, err := http.NewRequestWithContext(b.t.Context(), method, "http://"+b.addresses[node]+path, strings.NewReader(text))
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// have reports what is missing of n messages.
func (b *bridges) have(n int) error {
	if told := b.count(); told < n {
		return fmt.Errorf("%d told, want %d", told, n)
	}
	return nil
}

// idle reports a node that still has something to tell.
func (b *bridges) idle() error {
	for i := range b.nodes {
		r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, "http://"+b.addresses[i]+"/metrics", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err == nil && !strings.Contains(string(text), "evenkeel_bridge_requests_overdue_seconds 0\n") {
			err = fmt.Errorf("node %d has something to tell", i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// count returns how many messages were told.
func (b *bridges) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.told)
}
