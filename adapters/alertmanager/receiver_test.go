package alertmanager_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/correlation"
)

// story is a receiver whose notifications are looked at.
type story struct {
	t    *testing.T
	r    *alertmanager.Receiver
	now  time.Time
	got  []alertmanager.Notification
	fail error
	code int // of the last answer
}

func newStory(t *testing.T, change ...func(*alertmanager.ReceiverConfig)) *story {
	t.Helper()
	s := &story{t: t}
	c := alertmanager.ReceiverConfig{
		Verifier: ingest.Basic{Name: "am", Passwords: []adapters.Secret{adapters.NewSecret("pw")}},
		Mapping:  alertmanager.Mapping{DefaultTenant: "default"},
		Accept: func(_ context.Context, n alertmanager.Notification) error {
			s.got = append(s.got, n)
			return s.fail
		},
		Now: func() time.Time { return s.now },
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if s.r, err = alertmanager.NewReceiver(c); err != nil {
		t.Fatal(err)
	}
	return s
}

// send delivers a body at an instant and returns what came of it.
func (s *story) send(body []byte, at time.Time) alertmanager.Notification {
	s.t.Helper()
	s.now = at
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, "/", strings.NewReader(string(body)))
	r.SetBasicAuth("am", "pw")
	w := httptest.NewRecorder()
	before := len(s.got)
	s.r.ServeHTTP(w, r)
	s.code = w.Code
	if len(s.got) == before {
		return alertmanager.Notification{}
	}
	return s.got[len(s.got)-1]
}

// body writes a webhook; an alert is its name, "-" before it if it is resolved.
func body(t *testing.T, truncated uint64, start, end time.Time, names ...string) []byte {
	t.Helper()
	w := alertmanager.Webhook{Version: "4", Status: "resolved", Receiver: "hook.1", GroupKey: "{}:{}", GroupLabels: map[string]string{"tenant": "acme"}, Truncated: truncated}
	for _, name := range names {
		a := alertmanager.Alert{Status: "firing", StartsAt: start, Labels: map[string]string{"tenant": "acme", "alertname": strings.TrimPrefix(name, "-")}}
		if name[0] == '-' {
			a.Status, a.EndsAt = "resolved", end
		} else {
			w.Status = "firing"
		}
		a.Fingerprint = alertmanager.Fingerprint(a.Labels)
		w.Alerts = append(w.Alerts, a)
	}
	data, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func names(events []correlation.Event) []string {
	var list []string
	for _, e := range events {
		name := strings.TrimPrefix(e.Alert, "application.")
		if e.Status == correlation.Resolved {
			name = "-" + name
		}
		list = append(list, name)
	}
	return list
}

var start = time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)

// TestRepetitions: a repetition is known, an alert more makes all of them new.
func TestRepetitions(t *testing.T) {
	s := newStory(t)
	at, end := start.Add(time.Minute), start.Add(30*time.Second)
	for i, tt := range []struct {
		names []string
		calls int
	}{
		{[]string{"a", "b"}, 1},
		{[]string{"a", "b"}, 1},
		{[]string{"b", "a"}, 1},
		{[]string{"a", "b", "c"}, 2},
		{[]string{"-a", "b"}, 3},
		{[]string{"-a", "b"}, 3},
		{[]string{"-b"}, 4},
	} {
		s.send(body(t, 0, start, end, tt.names...), at)
		if len(s.got) != tt.calls || s.code != 202 {
			t.Errorf("%d: %d calls and status %d, want %d and 202", i, len(s.got), s.code, tt.calls)
		}
	}
	if last := s.got[3]; !last.Resolved || !last.Complete {
		t.Errorf("all are over: %+v, want complete and resolved", last)
	}
	// The same alert begins again.
	if n := s.send(body(t, 0, at, at, "b"), at); len(s.got) != 5 || n.Resolved {
		t.Errorf("begins again: %d calls, %+v", len(s.got), n)
	}
}

// TestLastWord: what says the opposite of the last is news, also if it was said before:
// Alertmanager ends an alert when it hears no more of it, and tells it with the same
// startsAt when it hears of it again. An engine behind the receiver follows, with and
// without what the receiver remembers.
func TestLastWord(t *testing.T) {
	second := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	type step struct {
		says   string // f fires, r is over
		end    int    // of r
		taken  bool   // by Accept
		active bool   // in the engine, afterwards
	}
	tests := []struct {
		name     string
		steps    []step // ten seconds apart, the first after ten
		notified int
	}{
		{"a pair tells the same", []step{{"f", 0, true, true}, {"f", 0, false, true}, {"r", 15, true, false}, {"r", 15, false, false}}, 1},
		{"fires again with the same start", []step{{"f", 0, true, true}, {"r", 15, true, false}, {"f", 0, true, true}, {"f", 0, false, true}, {"r", 45, true, false}}, 2},
		{"and again", []step{{"f", 0, true, true}, {"r", 15, true, false}, {"f", 0, true, true}, {"r", 35, true, false}, {"f", 0, true, true}}, 3},
		// These cannot be told from an alert that fires again: the end of the second of a
		// pair ends it, too.
		{"the second of a pair is late with both", []step{{"f", 0, true, true}, {"r", 15, true, false}, {"f", 0, true, true}, {"r", 15, true, false}, {"r", 15, false, false}}, 2},
	}
	for _, tt := range tests {
		for _, forgets := range []bool{false, true} { // the process is another one at each step, or knows that it is one of several
			if forgets && strings.HasPrefix(tt.name, "the second") {
				continue // it would take the old end for known, and the next one ends the alert
			}
			engine, err := correlation.New(nil, correlation.Options{})
			if err != nil {
				t.Fatal(err)
			}
			notified, s := 0, newStory(t)
			for i, step := range tt.steps {
				if forgets {
					s = newStory(t, func(c *alertmanager.ReceiverConfig) { c.Repeats = i%2 == 0 })
				}
				name := map[string]string{"f": "x", "r": "-x"}[step.says]
				at := second(10 * (i + 1))
				before := len(s.got)
				n := s.send(body(t, 0, start, second(step.end), name), at)
				if taken := len(s.got) > before; taken != (step.taken || forgets) {
					t.Errorf("%s, %d: taken %t, want %t", tt.name, i, taken, step.taken)
				}
				list, err := engine.Apply(at, n.Events...)
				if err != nil {
					t.Fatal(err)
				}
				for _, tr := range list {
					if tr.Kind == correlation.Notify {
						notified++
					}
				}
				if a, _ := engine.Alert("acme", "application.x", nil); a.Active != step.active {
					t.Errorf("%s, forgets %t, %d: active %t, want %t", tt.name, forgets, i, a.Active, step.active)
				}
			}
			if notified != tt.notified {
				t.Errorf("%s, forgets %t: notified %d times, want %d", tt.name, forgets, notified, tt.notified)
			}
		}
	}
}

// slow is a body whose reading takes a while.
type slow struct {
	io.Reader
	meanwhile func()
}

func (s *slow) Read(b []byte) (int, error) {
	if s.meanwhile != nil {
		s.meanwhile()
		s.meanwhile = nil
	}
	return s.Reader.Read(b)
}

// TestLate: an attempt that began before the end was taken is a repeat, whenever its body
// arrives, and does not hide that the alert fires again.
func TestLate(t *testing.T) {
	engine, err := correlation.New(nil, correlation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newStory(t)
	active := func(at time.Time, n alertmanager.Notification) bool {
		t.Helper()
		if _, err := engine.Apply(at, n.Events...); err != nil {
			t.Fatal(err)
		}
		a, _ := engine.Alert("acme", "application.x", nil)
		return a.Active
	}
	fires, at := body(t, 0, start, start, "x"), start.Add(time.Minute)
	if !active(at, s.send(fires, at)) {
		t.Fatal("it does not fire")
	}
	late := &slow{bytes.NewReader(fires), func() {
		end := at.Add(time.Minute)
		if active(end, s.send(body(t, 0, start, end, "-x"), end)) {
			t.Error("it is not over")
		}
	}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", late)
	r.SetBasicAuth("am", "pw")
	s.r.ServeHTTP(httptest.NewRecorder(), r)
	if len(s.got) != 3 || active(at.Add(2*time.Minute), s.got[2]) {
		t.Errorf("%d calls: the late attempt makes it fire", len(s.got))
	}
	if at = at.Add(3 * time.Minute); !active(at, s.send(fires, at)) {
		t.Error("it does not fire again")
	}
}

// TestRefusals: what should come again is a 503, whatever the reason.
func TestRefusals(t *testing.T) {
	s := newStory(t)
	s.fail = errors.New("no disk")
	for range 2 {
		if s.send(body(t, 0, start, start, "a"), start); s.code != 503 {
			t.Errorf("status %d, want 503", s.code)
		}
	}
	s.fail = nil
	if s.send(body(t, 0, start, start, "a"), start); s.code != 202 || len(s.got) != 3 {
		t.Errorf("status %d after %d calls, want 202 after 3", s.code, len(s.got))
	}
	if s.send([]byte(`{"version":"3"}`), start); s.code != 400 {
		t.Errorf("another version: status %d, want 400", s.code)
	}
	if s.send([]byte(`{"version":"4","alerts":[],"x":"`+strings.Repeat("x", 1<<20)+`"}`), start); s.code != 413 {
		t.Errorf("over 1 MiB: status %d, want 413", s.code)
	}
	w := httptest.NewRecorder()
	s.r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(bare)))
	if w.Code != 401 {
		t.Errorf("no password: status %d, want 401", w.Code)
	}
}

// TestTenants: an alert without a tenant is refused by itself.
func TestTenants(t *testing.T) {
	s := newStory(t, func(c *alertmanager.ReceiverConfig) { c.Mapping = alertmanager.Mapping{} })
	n := s.send([]byte(bare), start)
	if s.code != 202 || len(n.Events) != 0 || len(n.Refused) != 1 || n.Refused[0].Field != "labels.tenant" || n.Refused[0].Fingerprint != "adc400b8c371a698" {
		t.Errorf("status %d, %+v, want one refused for its tenant", s.code, n)
	}
}

// TestAhead: an alert that is posted without startsAt begins in the future, and may
// end before that.
func TestAhead(t *testing.T) {
	engine, err := correlation.New(nil, correlation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newStory(t)
	second := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	steps := []struct {
		at, starts, ends int
		name             string
		want             int // the instant of the event
		active           bool
	}{
		{10, 300, 0, "x", 10, true},
		{20, 310, 0, "x", 10, true}, // repeated: it began when it first came
		{30, 5, 5, "-x", 10, false}, // over before it was told
		{40, 340, 0, "x", 40, true}, // another episode
		{50, 40, 45, "-x", 45, false},
		{60, 55, 0, "x", 55, true}, // as most alerts are
	}
	for i, tt := range steps {
		n := s.send(body(t, 0, second(tt.starts), second(tt.ends), tt.name), second(tt.at))
		if len(n.Events) != 1 || !n.Events[0].Time.Equal(second(tt.want)) {
			t.Fatalf("%d: %+v, want one at %v", i, n.Events, second(tt.want))
		}
		if _, err := engine.Apply(second(tt.at), n.Events...); err != nil {
			t.Fatal(err)
		}
		if a, _ := engine.Alert("acme", "application.x", nil); a.Active != tt.active {
			t.Errorf("%d: active %v, want %v", i, a.Active, tt.active)
		}
	}
}

// group lists alerts, or fails.
type group struct {
	alerts []alertmanager.Alert
	err    error
	asked  []alertmanager.AlertFilter
}

func (g *group) Alerts(_ context.Context, f alertmanager.AlertFilter) ([]alertmanager.Alert, error) {
	g.asked = append(g.asked, f)
	return g.alerts, g.err
}

func listed(name string) alertmanager.Alert {
	labels := map[string]string{"tenant": "acme", "alertname": name}
	return alertmanager.Alert{Status: "active", Labels: labels, StartsAt: start, EndsAt: start.Add(time.Hour), Fingerprint: alertmanager.Fingerprint(labels)}
}

// TestCut: two of five alerts are listed, both resolved, and the body says that the
// group is. The others still fire.
func TestCut(t *testing.T) {
	at, end := start.Add(time.Minute), start.Add(30*time.Second)
	tests := []struct {
		name               string
		reader             *group
		sent, want         []string
		complete, resolved bool
	}{
		{"nobody to ask", nil, []string{"-a", "-b"}, []string{"-a", "-b"}, false, false},
		{"the others fire", &group{alerts: []alertmanager.Alert{listed("c"), listed("d"), listed("e")}}, []string{"-a", "-b"}, []string{"-a", "-b", "c", "d", "e"}, true, false},
		{"no other fires", &group{}, []string{"-a", "-b"}, []string{"-a", "-b"}, true, true},
		{"listed ones once", &group{alerts: []alertmanager.Alert{listed("a"), listed("c")}}, []string{"a", "-b"}, []string{"a", "-b", "c"}, true, false},
		{"fires again", &group{alerts: []alertmanager.Alert{listed("a")}}, []string{"-a"}, []string{"-a", "a"}, true, false},
		{"cannot be asked", &group{err: errors.New("down")}, []string{"-a"}, []string{"-a"}, false, false},
	}
	for _, tt := range tests {
		s := newStory(t, func(c *alertmanager.ReceiverConfig) {
			if tt.reader != nil {
				c.Reader = tt.reader
			}
		})
		for range 2 { // what was cut may be other than before
			n := s.send(body(t, 3, start, end, tt.sent...), at)
			if got := names(n.Events); !slices.Equal(got, tt.want) || n.Complete != tt.complete || n.Resolved != tt.resolved || (n.ReadErr != nil) != (tt.name == "cannot be asked") {
				t.Errorf("%s: %q, complete %v, resolved %v, %v; want %q, %v, %v", tt.name, got, n.Complete, n.Resolved, n.ReadErr, tt.want, tt.complete, tt.resolved)
			}
		}
		if tt.reader != nil && (len(tt.reader.asked) != 2 || !slices.Equal(tt.reader.asked[0].Matchers, []string{`tenant="acme"`}) || tt.reader.asked[0].Receiver != "hook.1") {
			t.Errorf("%s: asked %+v", tt.name, tt.reader.asked)
		}
	}
}

// TestLastWordOfCut: what was read from the API because it was cut is a last word, too: the
// end that comes after it is no repeat of the end before it.
func TestLastWordOfCut(t *testing.T) {
	engine, err := correlation.New(nil, correlation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newStory(t, func(c *alertmanager.ReceiverConfig) { c.Reader = &group{alerts: []alertmanager.Alert{listed("x")}} })
	second := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	for i, step := range []struct {
		name   string
		cut    uint64
		end    int
		active bool // x, afterwards
	}{
		{"x", 0, 0, true},
		{"-x", 0, 15, false},
		{"y", 1, 0, true}, // x fires again
		{"-x", 0, 45, false},
	} {
		at := second(10 * (i + 1))
		n := s.send(body(t, step.cut, start, second(step.end), step.name), at)
		if _, err := engine.Apply(at, n.Events...); err != nil {
			t.Fatal(err)
		}
		if a, _ := engine.Alert("acme", "application.x", nil); a.Active != step.active {
			t.Errorf("%d: active %t, want %t", i, a.Active, step.active)
		}
	}
}

func TestNewReceiverRefuses(t *testing.T) {
	accept := func(context.Context, alertmanager.Notification) error { return nil }
	for name, c := range map[string]alertmanager.ReceiverConfig{
		"no verifier": {Accept: accept},
		"no password": {Accept: accept, Verifier: ingest.Basic{Name: "am"}},
		"no accept":   {Verifier: ingest.Certificate{Names: []string{"am"}}},
	} {
		if _, err := alertmanager.NewReceiver(c); err == nil {
			t.Errorf("NewReceiver with %s: no error", name)
		}
	}
}
