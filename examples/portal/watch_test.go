package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident"
)

// The file of the portal is read again when it changes: tokens and customers that are no
// more are nobody's, new ones are there, and a broken file leaves everything as it was,
// and says so.
func TestReconfigure(t *testing.T) {
	dir := t.TempDir()
	files := own("second")
	put(t, dir, files)
	s := serve(t, "-config", filepath.Join(dir, "portal.yaml"), "-listen", "127.0.0.1:0", "-now", "2026-10-20T08:00:00Z")
	first, operations := []string{"Authorization", "Bearer first"}, []string{"Authorization", "Bearer ops"}
	code := func(path string, headers ...string) int {
		t.Helper()
		code, _ := s.ask("GET", path, "", headers...)
		return code
	}
	if code("/t/first/", first...) != http.StatusOK || code("/t/third/") != http.StatusNotFound {
		t.Fatal("it does not begin with its file")
	}
	changed := strings.Replace(files["portal.yaml"], hash("first"), hash("renewed"), 1) +
		"  - {id: third, name: Third party, public: true, contract: second.yaml, outages: second.csv, disabled: [credits]}\n"
	put(t, dir, map[string]string{"portal.yaml": changed})
	if !s.until("/t/third/", "Third party") {
		t.Error("a new customer is not there")
	}
	for name, c := range map[string]struct{ got, want int }{
		"the old token":         {code("/t/first/", first...), http.StatusNotFound},
		"the new token":         {code("/t/first/", "Authorization", "Bearer renewed"), http.StatusOK},
		"a page switched off":   {code("/t/third/credits"), http.StatusNotFound},
		"the API of it":         {code("/t/third/api/v1/credits"), http.StatusNotFound},
		"a customer that stays": {code("/t/second/credits"), http.StatusOK},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", name, c.got, c.want)
		}
	}
	put(t, dir, map[string]string{"portal.yaml": strings.Replace(changed, "public: true", "pubic: true", 1)})
	if !s.until("/healthz", "a newer one cannot be read") {
		t.Error("health does not say that the file is broken")
	}
	if code("/t/third/") != http.StatusOK || code("/t/first/", "Authorization", "Bearer renewed") != http.StatusOK {
		t.Error("a broken file changes what is shown")
	}
	if _, text := s.ask("GET", "/ops/", "", operations...); !strings.Contains(text, "portal.yaml:8:") {
		t.Error("the dashboard does not say what is wrong")
	}
	put(t, dir, files)
	s.hangup()
	if !s.until("/t/first/", "First", first...) || code("/t/third/") != http.StatusNotFound {
		t.Error("the mended file is not served")
	}
	if _, text := s.ask("GET", "/healthz", ""); text != "ok\n" {
		t.Errorf("health %q", text)
	}
	// A hangup reads all customers, also those whose files look as before.
	info, err := os.Stat(filepath.Join(dir, "incidents.csv"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, map[string]string{"incidents.csv": strings.Replace(files["incidents.csv"], "First of all", "Other of all", 1)})
	if err := os.Chtimes(filepath.Join(dir, "incidents.csv"), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	s.hangup()
	if !s.until("/t/first/incidents", "Other of all", first...) {
		t.Error("a hangup does not read the customers")
	}
	if exit := s.stop(); exit != 0 || !strings.Contains(s.log.String(), "portal.yaml:8:") {
		t.Errorf("exit %d: %s", exit, s.log)
	}
}

// followed is a portal of n customers over the store of a bridge, with a clock.
func followed(tb testing.TB, n int) (w *watch, l *live, at *time.Time) {
	tb.Helper()
	dir := tb.TempDir()
	files := own("second")
	var text strings.Builder
	text.WriteString("version: 1\nlisten: 127.0.0.1:0\nbrand: {name: Us}\nops: {token_sha256: " + hash("ops") + "}\ntenants:\n")
	for i := range n {
		fmt.Fprintf(&text, "  - {id: c%d, name: C%d, public: true, contract: first.yaml, outages: first.csv, incidents: incidents.csv}\n", i, i)
	}
	files["portal.yaml"] = text.String()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	env := &program.Env{Context: context.Background(), Config: filepath.Join(dir, "portal.yaml"), Now: time.Date(2026, 10, 20, 8, 0, 0, 0, time.UTC), Stated: true, Log: slog.New(slog.DiscardHandler)}
	in, err := (&options{db: filepath.Join(dir, "bridge.db")}).load(env)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(in.close)
	now := env.Now
	in.now = func() time.Time { return now }
	return watched(tb, in, env), in.live, &now
}

// watched is a portal that shows what was read, without a server.
func watched(tb testing.TB, in *inputs, env *program.Env) *watch {
	tb.Helper()
	before, err := in.glance(env.Context)
	if err != nil {
		tb.Fatal(err)
	}
	customers, err := in.customers(env.Context)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := portal.New(in.configuration(env, customers))
	if err != nil {
		tb.Fatal(err)
	}
	w := newWatch(in, env, p, customers, before)
	if err := w.dashboard(env.Context); err != nil {
		tb.Fatal(err)
	}
	return w
}

// Only customers of whom something changed are read: in the store, in a file, by time.
func TestFollow(t *testing.T) {
	w, l, now := followed(t, 10)
	reads := func(why string, want int) {
		t.Helper()
		before := w.reads
		w.again(t.Context())
		if got := w.reads - before; got != want {
			t.Errorf("%s: %d customers were read, want %d", why, got, want)
		}
	}
	reads("nothing", 0)
	id, err := l.Open(t.Context(), "c3", "k", portal.NewIncident{Title: "An alert", Service: "api-first", Severity: incident.P1, At: *now})
	if err != nil {
		t.Fatal(err)
	}
	reads("an incident", 1)
	if list := w.customers[3].page.Incidents; list[0].Title != "An alert" || len(w.customers[4].page.Incidents) != 1 {
		t.Errorf("incidents %+v", list)
	}
	reads("nothing more", 0)
	*now = now.Add(2 * time.Minute)
	reads("the one with an open incident, a minute later", 1)
	if err := l.Update(t.Context(), "c3", "u", id, portal.NewUpdate{Text: "over", State: "resolved", At: *now}); err != nil {
		t.Fatal(err)
	}
	reads("its end", 1)
	*now = now.Add(2 * time.Minute)
	reads("nobody looks", 0)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/t/c7/status.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	w.portal.ServeHTTP(discard{}, r)
	reads("somebody looks at one", 1)
	file := w.in.beside("first.csv")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	reads("a file of all of them", 10)
	*now = now.Add(24 * time.Hour)
	reads("a new day", 10)
}

// discard is nobody who reads an answer.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

// BenchmarkFollow is a look at the store in which one customer of n had an incident, and
// one in which nobody had.
func BenchmarkFollow(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		w, l, now := followed(b, n)
		b.Run(fmt.Sprintf("customers=%d/changed=1", n), func(b *testing.B) {
			k := 0
			for b.Loop() {
				k++
				b.StopTimer()
				id, err := l.Open(b.Context(), "c1", fmt.Sprint("k", k), portal.NewIncident{Title: "An alert", Service: "api-first", Severity: incident.P1, At: *now})
				if err == nil {
					err = l.Update(b.Context(), "c1", fmt.Sprint("u", k), id, portal.NewUpdate{Text: "over", State: "resolved", At: *now})
				}
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				w.again(b.Context())
			}
		})
		b.Run(fmt.Sprintf("customers=%d/changed=0", n), func(b *testing.B) {
			for b.Loop() {
				w.again(b.Context())
			}
		})
	}
}

// What changes together with the file of the portal is read, also for customers of whom
// that file says the same as before; and so is what changes while others are read.
func TestNothingIsMissed(t *testing.T) {
	w, l, now := followed(t, 2)
	change := func(name, text string) {
		t.Helper()
		old, err := os.ReadFile(w.in.beside(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(w.in.beside(name), append(old, text...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	change("portal.yaml", "  - {id: new, name: New, public: true, contract: second.yaml, outages: second.csv}\n")
	change("first.csv", "api-first,2026-10-03T00:00:00Z,2026-10-03T01:00:00Z,down\n")
	w.again(t.Context())
	w.again(t.Context())
	for i, c := range w.customers[:2] {
		if n := len(c.page.Evidence.Outages); n != 2 {
			t.Errorf("customer %d has %d outages, want 2", i, n)
		}
	}
	if len(w.customers) != 3 {
		t.Errorf("%d customers, want 3", len(w.customers))
	}
	before := w.reads
	if w.again(t.Context()); w.reads != before {
		t.Errorf("%d customers were read for nothing", w.reads-before)
	}

	// A portal that begins: an incident and a row that come after the customers were read.
	seen, err := w.in.glance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	customers, err := w.in.customers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Open(t.Context(), "c1", "k", portal.NewIncident{Title: "An alert", Service: "api-first", Severity: incident.P1, At: *now}); err != nil {
		t.Fatal(err)
	}
	change("second.csv", "api-second,2026-10-03T00:00:00Z,2026-10-03T01:00:00Z,down\n")
	w = newWatch(w.in, w.env, w.portal, customers, seen)
	if err := w.dashboard(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.again(t.Context())
	if list := w.customers[1].page.Incidents; list[0].Title != "An alert" {
		t.Errorf("incidents %+v", list)
	}
	if n := len(w.customers[2].page.Evidence.Outages); n != 2 {
		t.Errorf("%d outages, want 2", n)
	}
}

// New key dates of a customer do not make a broken file of the portal well.
func TestRefusedStaysRefused(t *testing.T) {
	w, _, _ := followed(t, 1)
	if err := os.WriteFile(w.in.file, []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.again(t.Context())
	health := func() string {
		r := httptest.NewRecorder()
		w.portal.Admin().ServeHTTP(r, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", nil))
		return r.Body.String()
	}
	if !strings.Contains(health(), "a newer one cannot be read") {
		t.Fatal(health())
	}
	w.rules(w.in, "c0", w.customers[0])
	if !strings.Contains(health(), "a newer one cannot be read") {
		t.Errorf("after new key dates health says %q", health())
	}
}

// What cannot be read is tried again as seldom as what can, not at every look.
func TestBrokenIsNotTriedAllTheTime(t *testing.T) {
	w, _, now := followed(t, 3)
	if err := os.WriteFile(w.in.beside("first.csv"), []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		why   string
		later time.Duration
		want  int
	}{{"a broken file", 0, 3}, {"at once", 0, 0}, {"a new day", 24 * time.Hour, 3}, {"at once", 0, 0}, {"in a while", 30 * time.Second, 0}} {
		*now = now.Add(c.later)
		before := w.reads
		w.again(t.Context())
		if got := w.reads - before; got != c.want {
			t.Errorf("%s: %d customers were read, want %d", c.why, got, c.want)
		}
	}
	if p := w.customers[0].page; p == nil || p.Stale == "" {
		t.Error("the last good state is not shown as such")
	}
}
