package itest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/metrics"
	"github.com/evenkeelops/evenkeel/adapters/prometheus"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/silence"
)

// TestAlertmanager sends alerts to a real Alertmanager by our client, takes its
// webhooks with our receiver, and silences by it. At most two alerts of a group are
// listed, so most groups are cut.
func TestAlertmanager(t *testing.T) {
	t.Parallel()
	tools := tools(t)
	received := make(chan alertmanager.Notification, 64)
	var amClient *alertmanager.Client // its server starts after the receiver
	refuse := false
	receiver, err := alertmanager.NewReceiver(alertmanager.ReceiverConfig{
		Verifier: ingest.Basic{Name: "am", Passwords: []adapters.Secret{adapters.NewSecret("pw")}},
		Reader:   late(func() *alertmanager.Client { return amClient }),
		Accept: func(_ context.Context, n alertmanager.Notification) error {
			if !refuse { // the first is answered with 503, and comes again
				refuse = true
				return errors.New("not yet")
			}
			received <- n
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	sink := httptest.NewServer(receiver)
	defer sink.Close()
	dir, number := t.TempDir(), port(t)
	config := filepath.Join(dir, "alertmanager.yml")
	writeFile(t, config, fmt.Sprintf(`global: {resolve_timeout: 6s}
route: {receiver: hook, group_by: [alertname, tenant], group_wait: 3s, group_interval: 2s, repeat_interval: 4h}
receivers: [{name: hook, webhook_configs: [{url: %q, send_resolved: true, max_alerts: 2, http_config: {basic_auth: {username: am, password: pw}}}]}]
`, sink.URL))
	address := fmt.Sprintf("http://127.0.0.1:%d", number)
	if amClient, err = alertmanager.NewClient(alertmanager.ClientConfig{BaseURL: address}); err != nil {
		t.Fatal(err)
	}
	proc, err := tools.StartAlertmanager(io.Discard, config, filepath.Join(dir, "data"), number)
	started(t, proc, err, address+"/-/ready")

	// One that began longer than group_wait ago would be told at once, before the others are there.
	begun := time.Now()
	alert := func(i int) alertmanager.Alert {
		return alertmanager.Alert{
			Labels:   map[string]string{"alertname": "DiskFull", "tenant": "acme", "severity": "critical", "disk": fmt.Sprint("d", i)},
			StartsAt: begun, EndsAt: time.Now().Add(time.Hour),
		}
	}
	if err := amClient.Post(t.Context(), alert(1), alert(2), alert(3), alert(4), alert(5)); err != nil {
		t.Fatal(err)
	}
	n := nextOf(t, received)
	if n.Webhook.Truncated != 3 || !n.Complete || n.Resolved || len(n.Events) != 5 || n.ReadErr != nil || len(n.Refused) > 0 {
		t.Fatalf("first webhook: %+v, want 3 of 5 cut and read", n)
	}
	engine, err := correlation.New(nil, correlation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	apply := func(n alertmanager.Notification) int {
		t.Helper()
		if _, err := engine.Apply(n.Received, n.Events...); err != nil {
			t.Fatal(err)
		}
		active := 0
		for _, a := range engine.Alerts() {
			if a.Active {
				active++
			}
		}
		return active
	}
	if active := apply(n); active != 5 {
		t.Errorf("%d active alerts, want 5", active)
	}

	// Two end. The body lists these two and says that the group is resolved.
	first, second := alert(1), alert(2)
	first.EndsAt, second.EndsAt = time.Now(), time.Now()
	if err := amClient.Post(t.Context(), first, second); err != nil {
		t.Fatal(err)
	}
	n = nextOf(t, received)
	if n.Webhook.Status != "resolved" || n.Webhook.GroupResolved() || n.Resolved || !n.Complete {
		t.Errorf("two of five are over: %+v, want a group that is not", n)
	}
	if active := apply(n); active != 3 {
		t.Errorf("%d active alerts, want 3", active)
	}
	if s := receiver.Stats(); s.Refused != 1 || s.Accepted != 2 {
		t.Errorf("%+v, want one refused and two accepted", s)
	}

	// Silences, there and back.
	now := time.Now()
	window := silence.Silence{ID: "MW-7", Tenant: "acme", Matchers: []string{`disk=~"d[34]"`}, Start: now, End: now.Add(time.Hour), CreatedBy: "calendar", Comment: "new disks"}
	done, err := amClient.KeepSilences(t.Context(), "acme", []silence.Silence{window})
	if err != nil || !slices.Equal(done.Created, []string{"MW-7"}) {
		t.Fatalf("KeepSilences = %+v, %v, want MW-7 created", done, err)
	}
	if done, err = amClient.KeepSilences(t.Context(), "acme", []silence.Silence{window}); err != nil || !slices.Equal(done.Kept, []string{"MW-7"}) {
		t.Errorf("again: %+v, %v, want MW-7 kept", done, err)
	}
	eventually(t, "silenced alerts", func() bool {
		alerts, err := amClient.Alerts(t.Context(), alertmanager.AlertFilter{NoActive: true})
		return err == nil && len(alerts) == 2 && len(alerts[0].SilencedBy) == 1
	})
	window.End = window.End.Add(time.Hour)
	if done, err = amClient.KeepSilences(t.Context(), "acme", []silence.Silence{window}); err != nil || !slices.Equal(done.Changed, []string{"MW-7"}) {
		t.Errorf("moved: %+v, %v, want MW-7 changed", done, err)
	}
	if done, err = amClient.KeepSilences(t.Context(), "acme", nil); err != nil || !slices.Equal(done.Expired, []string{"MW-7"}) {
		t.Errorf("none: %+v, %v, want MW-7 expired", done, err)
	}
	id, err := amClient.SetSilence(t.Context(), window)
	if !errors.Is(err, adapters.NotFound) { // the ID is the caller's, which Alertmanager does not know
		t.Errorf("SetSilence with an ID of ours: %q, %v", id, err)
	}
	window.ID = ""
	if id, err = amClient.SetSilence(t.Context(), window); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := amClient.ExpireSilence(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if s, err := amClient.Silence(t.Context(), id); err != nil || s.State != silence.Expired || s.Tenant != "acme" || !slices.Equal(s.Matchers, window.Matchers) {
		t.Errorf("Silence = %+v, %v, want an expired one of acme", s, err)
	}
	if s, err := amClient.Status(t.Context()); err != nil || s.Version == "" || s.Cluster != "disabled" || !strings.Contains(s.Config, "resolve_timeout") {
		t.Errorf("Status = %+v, %v", s, err)
	}
}

// late reads by a client that is made later.
type late func() *alertmanager.Client

// Alerts lists those of the client.
func (l late) Alerts(ctx context.Context, f alertmanager.AlertFilter) ([]alertmanager.Alert, error) {
	return l().Alerts(ctx, f)
}

func nextOf[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(60 * time.Second):
		t.Fatal("nothing came within a minute")
		panic("unreachable")
	}
}

// TestScraped lets a real Prometheus scrape our own metrics, a rule of it fire, and
// its Alertmanager tell us of it. The target that is not there is no data and down, and
// never up.
func TestScraped(t *testing.T) {
	t.Parallel()
	tools := tools(t)
	registry := metrics.New()
	observer := registry.Observer()
	odd := registry.Gauge("odd", "Labels with\nall that is \\ odd.", "text")
	const text = "a \"b\"\\c\nd 日本"
	odd.Set(2.5, text)
	took := registry.Histogram("took_seconds", "How long.", []float64{0.1, 1})
	took.Observe(0.5)
	source := httptest.NewServer(registry)
	defer source.Close()
	received := make(chan alertmanager.Notification, 64)
	receiver, err := alertmanager.NewReceiver(alertmanager.ReceiverConfig{
		Verifier: ingest.Bearer{adapters.NewSecret("letmein")},
		Mapping:  alertmanager.Mapping{DefaultTenant: "acme"},
		Accept:   func(_ context.Context, n alertmanager.Notification) error { received <- n; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	sink := httptest.NewServer(receiver)
	defer sink.Close()
	dir, number, amNumber := t.TempDir(), port(t), port(t)
	writeFile(t, filepath.Join(dir, "am.yml"), fmt.Sprintf(`route: {receiver: hook, group_wait: 1s, group_interval: 2s}
receivers: [{name: hook, webhook_configs: [{url: %q, http_config: {authorization: {credentials: letmein}}}]}]
`, sink.URL))
	proc, err := tools.StartAlertmanager(io.Discard, filepath.Join(dir, "am.yml"), filepath.Join(dir, "am"), amNumber)
	started(t, proc, err, fmt.Sprintf("http://127.0.0.1:%d/-/ready", amNumber))
	writeFile(t, filepath.Join(dir, "rules.yml"), `groups: [{name: up, rules: [{alert: TargetDown, expr: 'up == 0', for: 2s, labels: {severity: critical}}]}]`)
	writeFile(t, filepath.Join(dir, "p.yml"), fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:%d"]}]}]}
scrape_configs:
- {job_name: ours, metrics_path: /, static_configs: [{targets: [%q]}]}
- {job_name: dead, static_configs: [{targets: ["127.0.0.1:1"]}]}
`, amNumber, strings.TrimPrefix(source.URL, "http://")))
	address := fmt.Sprintf("http://127.0.0.1:%d", number)
	began := time.Now().Truncate(time.Second)
	proc, err = tools.StartPrometheus(io.Discard, filepath.Join(dir, "p.yml"), filepath.Join(dir, "data"), number)
	started(t, proc, err, address+"/-/ready")

	check := exec.CommandContext(t.Context(), tools.Promtool, "check", "metrics")
	check.Stdin = bytes.NewReader(registry.Append(nil))
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
	n := nextOf(t, received)
	if len(n.Events) != 1 || n.Events[0].Alert != "application.TargetDown" || n.Events[0].Labels["job"] != "dead" || n.Events[0].Tenant != "acme" || n.Events[0].Severity == 0 {
		t.Errorf("notified of %+v, %v, want TargetDown of the dead target", n.Events, n.Refused)
	}
	if n.Webhook.Alerts[0].StartsAt.Before(began) {
		t.Errorf("alert since %v, before %v", n.Webhook.Alerts[0].StartsAt, began)
	}

	client, err := prometheus.New(prometheus.Config{BaseURL: address, Observer: observer})
	if err != nil {
		t.Fatal(err)
	}
	for expr, want := range map[string]float64{"odd": 2.5, "took_seconds_count": 1, `took_seconds_bucket{le="0.1"}`: 0, `took_seconds_bucket{le="1"}`: 1} {
		r, err := client.Query(t.Context(), expr, time.Time{})
		if err != nil || len(r.Series) != 1 || r.Series[0].Points[0].Value != want {
			t.Errorf("%s = %+v, %v, want %v", expr, r, err, want)
			continue
		}
		if expr == "odd" && r.Series[0].Labels["text"] != text {
			t.Errorf("label %q, want %q", r.Series[0].Labels["text"], text)
		}
	}
	if groups, err := client.Rules(t.Context()); err != nil || len(groups) != 1 || groups[0].Rules[0].State != "firing" || groups[0].Rules[0].For != 2*time.Second {
		t.Errorf("Rules = %+v, %v", groups, err)
	}
	if alerts, err := client.Alerts(t.Context()); err != nil || len(alerts) != 1 || alerts[0].State != "firing" {
		t.Errorf("Alerts = %+v, %v", alerts, err)
	}
	targets, err := client.Targets(t.Context())
	if err != nil || len(targets) != 2 || targets[0].Health != "down" || targets[1].Health != "up" {
		t.Errorf("Targets = %+v, %v", targets, err)
	}
	if jobs, err := client.LabelValues(t.Context(), "job", time.Time{}, time.Time{}, "up"); err != nil || !slices.Equal(jobs, []string{"dead", "ours"}) {
		t.Errorf("LabelValues = %q, %v", jobs, err)
	}
	if _, err := client.LabelValues(t.Context(), "bad-name", time.Time{}, time.Time{}); !errors.Is(err, adapters.Invalid) {
		t.Errorf("a bad name of a label: %v, want invalid", err)
	}

	// Since before the server was there.
	from, until := began.Add(-30*time.Second), time.Now().Truncate(time.Second)
	for expr, up := range map[string]bool{`up{job="ours"}`: true, `up{job="dead"}`: false} {
		a, err := client.Availability(t.Context(), expr, from, until, time.Second)
		if err != nil || a.Total == 0 || (a.Good > 0) != up || len(a.NoData) == 0 || !a.NoData[0].Start.Equal(from) || a.NoData[0].End.Before(began) {
			t.Errorf("Availability of %s = %+v, %v, want up %v and no data before %v", expr, a, err, up, began)
		}
	}

	// The server stops for six seconds. Its last values go on for five minutes there, and
	// are no data here.
	proc.Stop()
	stopped := time.Now()
	time.Sleep(6 * time.Second)
	proc, err = tools.StartPrometheus(io.Discard, filepath.Join(dir, "p.yml"), filepath.Join(dir, "data"), number)
	started(t, proc, err, address+"/-/ready")
	eventually(t, "scrape after the restart", func() bool {
		a, err := client.Availability(t.Context(), `up{job="ours"}`, stopped.Add(8*time.Second).Truncate(time.Second), time.Now(), time.Second)
		return err == nil && a.Good > 0
	})
	// A scrape in the last tenth of the second in which it stopped is still recent at
	// the second full second after it; from there on nothing is known. What was before the
	// stop is not asked for, since a busy machine misses scrapes too.
	silent, end := stopped.Truncate(time.Second).Add(2*time.Second), stopped.Truncate(time.Second).Add(6*time.Second)
	a, err := client.Availability(t.Context(), `up{job="ours"}`, silent.Add(-4*time.Second), end, time.Second)
	if err != nil || a.Total > 5 || len(a.NoData) == 0 {
		t.Fatalf("around the stop at %v: %+v, %v, want a stretch without data", stopped, a, err)
	}
	if last := a.NoData[len(a.NoData)-1]; last.Start.After(silent) || last.End.Before(end) {
		t.Errorf("around the stop at %v: %+v, want no data from %v to %v", stopped, a, silent, end)
	}

	// What was asked shows in our own metrics.
	w := httptest.NewRecorder()
	registry.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if !strings.Contains(w.Body.String(), `evenkeel_adapter_attempts_total{provider="prometheus",op="rules",status="200",kind=""} 1`) {
		t.Errorf("metrics of the client:\n%s", w.Body)
	}
}
