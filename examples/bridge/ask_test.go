package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/prometheus"
	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// vector is the answer of a Prometheus with the value of each instance.
// https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
func vector(warnings string, at time.Time, values ...string) string {
	var series []string
	for i, value := range values {
		series = append(series, fmt.Sprintf(`{"metric":{"__name__":"up","instance":"web-%d","tenant":"acme"},"value":[%d,%q]}`, i, at.Unix(), value))
	}
	return fmt.Sprintf(`{"status":"success"%s,"data":{"resultType":"vector","result":[%s]}}`, warnings, strings.Join(series, ","))
}

// What a query returns fires, and is over when a good answer has it no more: an error,
// a warning, a value that is no number and an old answer end nothing, nor does the end
// of the process.
func TestAsk(t *testing.T) {
	var answer atomic.Value // string
	var asked atomic.Int64
	answer.Store(vector("", time.Now(), "0"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		text := answer.Load().(string)
		if text == "" {
			http.Error(w, `{"status":"error","errorType":"execution","error":"no"}`, http.StatusUnprocessableEntity)
			return
		}
		if err := r.ParseForm(); err != nil || r.Form.Get("query") != "up == 0" {
			text = vector("", time.Now())
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, text)
	}))
	defer server.Close()
	v := newVendors(t)
	v.files["bridge.yaml"] = strings.Replace(v.files["bridge.yaml"], "sources: {", fmt.Sprintf(
		"sources: {prometheus: {url: %q, every: 50ms, queries: [{name: InstanceDown, expr: up == 0, severity: critical, labels: {service: shop}}]}, ", server.URL), 1)
	dir, address := t.TempDir(), freeAddress(t)
	b := v.start(t, dir, address)
	defer func() { _ = b.cmd.Process.Kill(); _ = b.cmd.Wait() }()
	b.until("all are told", func() bool {
		return len(v.pager.Alerts()) == 1 && len(v.jira.Issues()) == 1 && told(t, dir, "trigger") == 1
	})
	if issue := v.jira.Issues()[0]; issue.Summary != "InstanceDown shop web-0" {
		t.Errorf("the title is %q, want InstanceDown shop web-0", issue.Summary)
	}
	// several gives it several answers of a kind to read.
	several := func(text string) {
		answer.Store(text)
		n := asked.Load()
		b.until("it has asked", func() bool { return asked.Load() > n+3 })
	}
	for _, bad := range []string{
		"", vector(`,"warnings":["a store cannot be asked"]`, time.Now()), vector("", time.Now(), "NaN"), vector("", time.Now().Add(-time.Hour), "0", "0"),
		`{"status":"success","data":{"resultType":"scalar","result":[1,"0"]}}`,
	} {
		several(bad)
		if !v.pager.Alerts()[0].Open || len(v.pager.Alerts()) != 1 {
			t.Errorf("%d alerts, the first open %t, after %q", len(v.pager.Alerts()), v.pager.Alerts()[0].Open, bad)
		}
	}
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
	answer.Store("")
	b = v.start(t, dir, address)
	several("")
	several(vector("", time.Now(), "0", "0"))
	b.until("the second is told", func() bool { return len(v.pager.Alerts()) == 2 && told(t, dir, "trigger") == 2 })
	several(vector("", time.Now()))
	b.until("both are over", func() bool {
		return !v.pager.Alerts()[0].Open && !v.pager.Alerts()[1].Open && told(t, dir, "resolve") == 2
	})
	if a, i := len(v.pager.Alerts()), len(v.jira.Issues()); a != 2 || i != 2 {
		t.Errorf("%d alerts and %d issues, want 2 each", a, i)
	}
}

// Of two bridges on one database one asks, which may change, as the load of the machine has
// it. When the one that asks dies, the other goes on, ends what began before, and tells
// nobody twice.
func TestAskTwo(t *testing.T) {
	v, dir := newVendors(t), t.TempDir()
	single := v.files["bridge.yaml"]
	var fires atomic.Bool
	fires.Store(true)
	var mu sync.Mutex
	var asked []int // which of them, in order
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(asked)
	}
	var nodes [2]*bridge
	for i := range nodes {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			asked = append(asked, i)
			mu.Unlock()
			values := []string{}
			if fires.Load() {
				values = append(values, "0")
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, vector("", time.Now(), values...))
		}))
		defer server.Close()
		v.files["bridge.yaml"] = strings.Replace(single, "sources: {", fmt.Sprintf(
			"sources: {prometheus: {url: %q, every: 50ms, queries: [{name: InstanceDown, expr: up == 0, severity: critical}]}, ", server.URL), 1)
		b := v.start(t, dir, freeAddress(t))
		defer func() { _ = b.cmd.Process.Kill(); _ = b.cmd.Wait() }()
		nodes[i] = b
	}
	nodes[0].until("all are told", func() bool {
		return len(v.pager.Alerts()) == 1 && len(v.jira.Issues()) == 1 && told(t, dir, "trigger") == 1
	})
	begin := count()
	nodes[0].until("they have asked", func() bool { return count() > begin+40 })
	mu.Lock()
	last, turns := asked[len(asked)-1], 0
	for k := begin + 1; k < len(asked); k++ {
		if asked[k] != asked[k-1] {
			turns++
		}
	}
	mu.Unlock()
	if turns > 5 { // of two that ask 20 times a second each, every other would be one
		t.Errorf("both ask: they took turns %d times", turns)
	}
	_ = nodes[last].cmd.Process.Kill()
	_ = nodes[last].cmd.Wait()
	other := nodes[1-last]
	fires.Store(false)
	other.until("the other goes on", func() bool { return !v.pager.Alerts()[0].Open && told(t, dir, "resolve") == 1 })
	fires.Store(true)
	other.until("it fires again", func() bool { return told(t, dir, "trigger") == 2 && len(v.pager.Alerts()) == 2 })
	if i, over := len(v.jira.Issues()), told(t, dir, "resolve"); i != 1 || over != 1 {
		t.Errorf("%d issues, told %d times that it is over; want 1 each", i, over)
	}
}

// sizes is a log that knows how many events its largest batch has, and how many all have.
type sizes struct {
	stream.Store
	largest, all int
}

func (s *sizes) Append(_ context.Context, _ int, batches ...stream.Batch) (int64, error) {
	for _, b := range batches {
		s.largest, s.all = max(s.largest, len(b.Events)), s.all+len(b.Events)
	}
	return 1, nil
}

// A query that returns very many series makes no batch that a log refuses for its size.
func TestAskMany(t *testing.T) {
	const n = 1200
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, vector("", time.Now(), slices.Repeat([]string{"0"}, n)...))
	}))
	defer web.Close()
	bridge := config.Bridge{TenantLabel: "tenant", Prometheus: &config.PrometheusSource{
		URL: web.URL, Every: time.Second, Queries: []config.BridgeQuery{{Name: "InstanceDown", Expr: "up == 0"}},
	}}
	files, err := openStorage(t.Context(), bridge)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	log := &sizes{Store: files.log}
	files.log = log
	client, err := prometheus.New(prometheus.Config{BaseURL: web.URL})
	if err != nil {
		t.Fatal(err)
	}
	owns := false
	a := &asker{server: &server{inputs: &inputs{bridge: bridge}, storage: files, slog: slog.New(slog.DiscardHandler)}, client: client, owner: func() bool { return owns }}
	if err := a.turn(t.Context()); err != nil || log.all != 0 {
		t.Errorf("%d events, %v; want none while another bridge asks", log.all, err)
	}
	owns = true
	for range 2 { // what has not changed is not told again
		if err := a.turn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if log.all != n || log.largest > maxEvents {
		t.Errorf("%d events, %d in one batch; want %d, and no more than %d", log.all, log.largest, n, maxEvents)
	}
}
