package alertmanager_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// payload is a line of the index of captured webhooks.
type payload struct {
	File, Version, Kind, Seq, Status string
	Step, Alerts, Firing, Resolved   int
	Truncated                        uint64
	GroupKey                         string `json:"group_key"`
	Complete                         bool
	GroupResolved                    bool `json:"group_resolved"`
	Open, Close                      []string
	body                             []byte
}

// captured returns the webhooks of real Alertmanagers, by story and step.
func captured(tb testing.TB) []payload {
	tb.Helper()
	index := testutil.SharedFile(tb, "data", "adapters", "alertmanager", "index.json")
	data, err := os.ReadFile(index)
	if err != nil {
		tb.Fatal(err)
	}
	var in struct{ Payloads []payload }
	if err := json.Unmarshal(data, &in); err != nil {
		tb.Fatal(err)
	}
	for i := range in.Payloads {
		if in.Payloads[i].body, err = os.ReadFile(filepath.Join(filepath.Dir(index), in.Payloads[i].File)); err != nil {
			tb.Fatal(err)
		}
	}
	slices.SortStableFunc(in.Payloads, func(a, b payload) int {
		if a.Seq != b.Seq {
			return strings.Compare(a.Seq, b.Seq)
		}
		return a.Step - b.Step
	})
	if len(in.Payloads) != 34 {
		tb.Fatalf("%d webhooks, want 34", len(in.Payloads))
	}
	return in.Payloads
}

// TestCaptured reads what Alertmanager 0.25.0, 0.31.1 and 0.34.2 sent.
func TestCaptured(t *testing.T) {
	alerts := 0
	for _, p := range captured(t) {
		w, err := alertmanager.ParseWebhook(p.body)
		if err != nil {
			t.Errorf("%s: %v", p.File, err)
			continue
		}
		var open, closed []string
		for _, a := range w.Alerts {
			alerts++
			if want := alertmanager.Fingerprint(a.Labels); a.Fingerprint != want {
				t.Errorf("%s: fingerprint %s, ours of the labels is %s", p.File, a.Fingerprint, want)
			}
			if a.Resolved() {
				closed = append(closed, a.Fingerprint)
			} else {
				open = append(open, a.Fingerprint)
				if !a.EndsAt.IsZero() {
					t.Errorf("%s: alert %s fires and ends at %v", p.File, a.Fingerprint, a.EndsAt)
				}
			}
		}
		if !slices.Equal(open, p.Open) && len(open)+len(p.Open) > 0 || !slices.Equal(closed, p.Close) && len(closed)+len(p.Close) > 0 {
			t.Errorf("%s: open %q and close %q, want %q and %q", p.File, open, closed, p.Open, p.Close)
		}
		if w.Complete() != p.Complete || w.GroupResolved() != p.GroupResolved || w.Truncated != p.Truncated || w.Status != p.Status || w.GroupKey != p.GroupKey {
			t.Errorf("%s: complete %v, resolved %v, %d cut, %s, %s; want %+v", p.File, w.Complete(), w.GroupResolved(), w.Truncated, w.Status, w.GroupKey, p)
		}
		if p.Version == "0.34.2" != (w.Reason != "") || p.Version != "0.34.2" && w.RouteLabels != nil {
			t.Errorf("%s: reason %q, route labels %v", p.File, w.Reason, w.RouteLabels)
		}
		keys := w.Keys()
		if want := len(w.Alerts); !p.Complete && keys != nil || p.Complete && (len(keys) != want || len(slices.Compact(slices.Sorted(slices.Values(keys)))) != want) {
			t.Errorf("%s: keys %q, want one for each of %d alerts, none if some were cut", p.File, keys, want)
		}
	}
	if alerts != 90 {
		t.Errorf("%d alerts, want 90", alerts)
	}
}

// TestStories replays the webhooks of each story into an engine, at instants in the
// order of their steps, and looks at what is active.
func TestStories(t *testing.T) {
	var seq string
	var engine *correlation.Engine
	var receiver *story
	ends := map[string]time.Time{} // the last end of each story
	for _, p := range captured(t) {
		w, err := alertmanager.ParseWebhook(p.body)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range w.Alerts {
			if a.EndsAt.After(ends[p.Seq]) {
				ends[p.Seq] = a.EndsAt
			}
		}
	}
	for _, p := range captured(t) {
		if p.Seq != seq {
			seq = p.Seq
			var err error
			if engine, err = correlation.New(nil, correlation.Options{}); err != nil {
				t.Fatal(err)
			}
			receiver = newStory(t)
		}
		at := receivedAt(t, p, ends[p.Seq])
		if now := engine.Now(); at.Before(now) {
			at = now
		}
		n := receiver.send(p.body, at)
		if len(n.Refused) > 0 {
			t.Errorf("%s: refused %v", p.File, n.Refused)
		}
		if _, err := engine.Apply(at, n.Events...); err != nil {
			t.Errorf("%s: %v", p.File, err)
		}
		active := map[string]bool{}
		for _, a := range engine.Alerts() {
			if a.Active {
				active[a.Key()] = true
			}
		}
		for _, e := range n.Events {
			a, ok := engine.Alert(e.Tenant, e.Alert, e.Labels)
			if want := e.Status == correlation.Firing; !ok || a.Active != want || active[a.Key()] != want {
				t.Errorf("%s: %v is active %v, want %v", p.File, a, a.Active, want)
			}
		}
		if n.Resolved && len(active) > 0 {
			t.Errorf("%s: the group is over with %d active alerts", p.File, len(active))
		}
	}
}

// receivedAt is about when a webhook was received: when the last of its alerts began
// or ended. Alerts that begin after their story was over were posted without startsAt
// and with endsAt five minutes ahead, which Alertmanager takes for it.
func receivedAt(t *testing.T, p payload, end time.Time) time.Time {
	t.Helper()
	w, err := alertmanager.ParseWebhook(p.body)
	if err != nil {
		t.Fatal(err)
	}
	var at time.Time
	for _, a := range w.Alerts {
		instant := a.EndsAt
		if !a.Resolved() {
			if instant = a.StartsAt; !end.IsZero() && instant.After(end) {
				instant = instant.Add(-5 * time.Minute)
			}
		}
		if instant.After(at) {
			at = instant
		}
	}
	return at
}

// TestFingerprint: the first is that of the FNV offset basis, the others were taken
// from an Alertmanager 0.25.0.
func TestFingerprint(t *testing.T) {
	for _, tt := range []struct {
		labels map[string]string
		want   string
	}{
		{nil, "cbf29ce484222325"},
		{map[string]string{"alertname": "Bare"}, "adc400b8c371a698"},
		{map[string]string{"alertname": "DBDown", "tenant": "acme", "severity": "critical", "service": "ledger"}, "3469af11530f23f2"},
		{map[string]string{"bad-name": "x"}, "7651cc0d595a7cf4"},
	} {
		if got := alertmanager.Fingerprint(tt.labels); got != tt.want {
			t.Errorf("Fingerprint(%v) = %s, want %s", tt.labels, got, tt.want)
		}
	}
}

const bare = `{"version":"4","status":"firing","groupKey":"{}","alerts":[{"status":"firing","labels":{"alertname":"Bare"},"startsAt":"2026-11-22T05:36:30Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"adc400b8c371a698"}]}`

func TestParseWebhookRefuses(t *testing.T) {
	if _, err := alertmanager.ParseWebhook([]byte(strings.Replace(bare, `"status"`, `"new_field":{"a":[1]},"status"`, 1))); err != nil {
		t.Errorf("an unknown field: %v", err)
	}
	for _, tt := range []struct{ old, with, field string }{
		{bare, "", ""},
		{bare, "[]", ""},
		{bare, "null", "version"},
		{`"4"`, `"3"`, "version"},
		{`"alerts"`, `"alarms"`, "alerts"},
		{`[{"status":"firing"`, `[{"status":"pending"`, "alerts[0].status"},
		{`{"alertname":"Bare"}`, `{}`, "alerts[0].labels"},
		{`"startsAt":"2026-11-22T05:36:30Z",`, ``, "alerts[0].startsAt"},
		{`[{"status":"firing"`, `[{"status":"resolved"`, "alerts[0].endsAt"},
		{`2026-11-22T`, `22.11.2026 `, ""},
	} {
		_, err := alertmanager.ParseWebhook([]byte(strings.Replace(bare, tt.old, tt.with, 1)))
		if e, ok := errors.AsType[*alertmanager.WebhookError](err); !ok || e.Field != tt.field || e.Error() == "" {
			t.Errorf("with %q for %q: %v, want a WebhookError about %q", tt.with, tt.old, err, tt.field)
		}
	}
}

// A fingerprint that is missing is that of the labels, and one of somebody else's
// making is kept: the alert must not be lost for it.
func TestFingerprintOfOthers(t *testing.T) {
	for with, want := range map[string]string{"": "adc400b8c371a698", `,"fingerprint":"abc"`: "abc"} {
		w, err := alertmanager.ParseWebhook([]byte(strings.Replace(bare, `,"fingerprint":"adc400b8c371a698"`, with, 1)))
		if err != nil || w.Alerts[0].Fingerprint != want {
			t.Errorf("with %q: %+v, %v, want %s", with, w, err, want)
		}
	}
}

func TestMapping(t *testing.T) {
	start := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	alert := func(labels ...string) alertmanager.Alert {
		a := alertmanager.Alert{Status: "firing", Labels: map[string]string{}, StartsAt: start}
		for i := 0; i < len(labels); i += 2 {
			a.Labels[labels[i]] = labels[i+1]
		}
		return a
	}
	other := alertmanager.Mapping{
		TenantLabel: "customer", DefaultTenant: "ours", SignalLabel: "what", LayerLabel: "tier", DefaultLayer: "platform", SeverityLabel: "prio",
		Severities: alertmanager.DefaultSeverities()[:1], DefaultSeverity: incident.P4,
	}
	tests := []struct {
		name    string
		mapping alertmanager.Mapping
		alert   alertmanager.Alert
		want    correlation.Event
		refused string
	}{
		{
			"all labels",
			alertmanager.Mapping{},
			alert("tenant", "acme", "alertname", "Down", "layer", "platform", "severity", "page", "pod", "p"),
			correlation.Event{Tenant: "acme", Alert: "platform.Down", Labels: map[string]string{"severity": "page", "pod": "p"}, Severity: incident.P1},
			"",
		},
		{
			"signal",
			alertmanager.Mapping{},
			alert("tenant", "acme", "alertname", "Down", "signal", "platform.database_down", "severity", "P2-high"),
			correlation.Event{Tenant: "acme", Alert: "platform.database_down", Labels: map[string]string{"severity": "P2-high"}, Severity: incident.P2},
			"",
		},
		{
			"no severity",
			alertmanager.Mapping{},
			alert("tenant", "acme", "alertname", "Down"),
			correlation.Event{Tenant: "acme", Alert: "application.Down", Labels: map[string]string{}},
			"",
		},
		{
			"unknown severity",
			alertmanager.Mapping{},
			alert("tenant", "acme", "alertname", "Down", "severity", "purple"),
			correlation.Event{Tenant: "acme", Alert: "application.Down", Labels: map[string]string{"severity": "purple"}},
			"",
		},
		{"no tenant", alertmanager.Mapping{}, alert("alertname", "Down"), correlation.Event{}, "labels.tenant"},
		{"any tenant", alertmanager.Mapping{AnyTenant: true}, alert("alertname", "Down"), correlation.Event{Alert: "application.Down", Labels: map[string]string{}}, ""},
		{
			"a name with quotes",
			alertmanager.Mapping{},
			alert("tenant", "acme", "alertname", `queue "x"`, "layer", "a b"),
			correlation.Event{Tenant: "acme", Alert: "a_b.queue__x_", Labels: map[string]string{"alertname": `queue "x"`}},
			"",
		},
		{"no name", alertmanager.Mapping{}, alert("tenant", "acme"), correlation.Event{}, "labels.alertname"},
		{
			"other labels", other, alert("alertname", "Down", "tenant", "acme", "prio", "critical"),
			correlation.Event{Tenant: "ours", Alert: "platform.Down", Labels: map[string]string{"tenant": "acme", "prio": "critical"}, Severity: incident.P1},
			"",
		},
		{
			"other labels, other severity", other, alert("alertname", "Down", "customer", "acme", "prio", "page", "tier", "web"),
			correlation.Event{Tenant: "acme", Alert: "web.Down", Labels: map[string]string{"prio": "page"}, Severity: incident.P4},
			"",
		},
	}
	for _, tt := range tests {
		got, err := tt.mapping.Event(tt.alert, start)
		if tt.refused != "" {
			if e, ok := errors.AsType[*alertmanager.AlertError](err); !ok || e.Field != tt.refused {
				t.Errorf("%s: %v, want an AlertError about %s", tt.name, err, tt.refused)
			}
			continue
		}
		tt.want.Status, tt.want.Time = correlation.Firing, start
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
	// The table of severities, word by word.
	want := map[incident.Severity][]string{
		incident.P1: {"critical", "page"}, incident.P2: {"error", "high", "major"},
		incident.P3: {"medium", "minor", "warning"}, incident.P4: {"info", "low", "none"},
	}
	got := map[incident.Severity][]string{}
	for _, n := range alertmanager.DefaultSeverities() {
		got[n.Ours] = append(got[n.Ours], n.Theirs)
	}
	for _, list := range got {
		slices.Sort(list)
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("Severities = %v, want %v", got, want)
	}
}

func TestMappingTimes(t *testing.T) {
	at := func(second int) time.Time { return time.Date(2026, 11, 22, 5, 0, second, 0, time.UTC) }
	labels := map[string]string{"alertname": "x", "tenant": "acme"}
	tests := []struct {
		name     string
		alert    alertmanager.Alert
		received time.Time
		time     time.Time
		ends     time.Time
		refused  string
	}{
		{"fires", alertmanager.Alert{Status: "firing", StartsAt: at(1)}, at(5), at(1), time.Time{}, ""},
		{"begins later", alertmanager.Alert{Status: "firing", StartsAt: at(9)}, at(5), at(5), time.Time{}, ""},
		{"begins later, received at no instant", alertmanager.Alert{Status: "firing", StartsAt: at(9)}, time.Time{}, at(9), time.Time{}, ""},
		{"resolved", alertmanager.Alert{Status: "resolved", StartsAt: at(1), EndsAt: at(3)}, at(5), at(3), time.Time{}, ""},
		{"ends later", alertmanager.Alert{Status: "resolved", StartsAt: at(1), EndsAt: at(9)}, at(5), at(5), time.Time{}, ""},
		{"listed", alertmanager.Alert{Status: "active", StartsAt: at(1), EndsAt: at(9)}, at(5), at(1), at(9), ""},
		{"listed and silenced", alertmanager.Alert{Status: "suppressed", StartsAt: at(1), EndsAt: at(9)}, at(5), at(1), at(9), ""},
		{"no start", alertmanager.Alert{Status: "firing"}, at(5), time.Time{}, time.Time{}, "startsAt"},
		{"no end", alertmanager.Alert{Status: "resolved", StartsAt: at(1)}, at(5), time.Time{}, time.Time{}, "endsAt"},
		{"no status", alertmanager.Alert{StartsAt: at(1)}, at(5), time.Time{}, time.Time{}, "status"},
	}
	for _, tt := range tests {
		tt.alert.Labels = labels
		e, err := alertmanager.Mapping{}.Event(tt.alert, tt.received)
		if refused, ok := errors.AsType[*alertmanager.AlertError](err); ok != (tt.refused != "") || ok && refused.Field != tt.refused {
			t.Errorf("%s: %v, want refused %q", tt.name, err, tt.refused)
		}
		if !e.Time.Equal(tt.time) || !e.Ends.Equal(tt.ends) {
			t.Errorf("%s: time %v, ends %v, want %v and %v", tt.name, e.Time, e.Ends, tt.time, tt.ends)
		}
	}
}

// FuzzParseWebhook: what is read has what everything behind it relies on.
func FuzzParseWebhook(f *testing.F) {
	f.Add([]byte(bare))
	f.Add([]byte(`{"version":"4","alerts":[],"truncatedAlerts":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		w, err := alertmanager.ParseWebhook(body)
		if err != nil {
			return
		}
		if keys := w.Keys(); w.Complete() && len(keys) != len(w.Alerts) || !w.Complete() && keys != nil {
			t.Fatalf("%d keys for %d alerts, %d cut", len(keys), len(w.Alerts), w.Truncated)
		}
		for _, a := range w.Alerts {
			if a.Fingerprint == "" || len(a.Labels) == 0 {
				t.Fatalf("alert %+v", a)
			}
			now := time.Unix(1795325400, 0)
			if e, err := (alertmanager.Mapping{AnyTenant: true}).Event(a, now); err == nil && (e.Time.After(now) || e.Time.IsZero() || e.Status == 0) {
				t.Fatalf("event %+v", e)
			}
		}
	})
}
