package itest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/prometheus"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// portalProgram builds the portal and copies its sample, of which it returns the
// folder.
func portalProgram(t *testing.T) (program, dir string) {
	t.Helper()
	dir = t.TempDir()
	program = filepath.Join(dir, "portal")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./examples/portal")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.CopyFS(filepath.Join(dir, "sample"), os.DirFS("../../examples/portal/testdata/sample")); err != nil {
		t.Fatal(err)
	}
	return program, filepath.Join(dir, "sample")
}

// A real Prometheus scrapes the figures of the portal, and promtool finds nothing
// to say about them.
func TestPortalScraped(t *testing.T) {
	t.Parallel()
	tools := tools(t)
	program, dir := portalProgram(t)
	public, admin, number := port(t), port(t), port(t)
	file := filepath.Join(dir, "portal.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, strings.Replace(string(text), "\nbase_url:", fmt.Sprintf("\nadmin_listen: 127.0.0.1:%d\nbase_url:", admin), 1))
	cmd := exec.CommandContext(t.Context(), program, "-config", file, "-listen", fmt.Sprintf("127.0.0.1:%d", public), "-now", "2026-10-14T09:30:00Z")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })

	metrics := fmt.Sprintf("http://127.0.0.1:%d/metrics", admin)
	var body []byte
	for deadline := time.Now().Add(2 * time.Minute); ; {
		if body, err = fetch(t, metrics); err == nil || time.Now().After(deadline) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), tools.Promtool, "check", "metrics")
	check.Stdin = bytes.NewReader(body)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}

	writeFile(t, filepath.Join(dir, "p.yml"), fmt.Sprintf("global: {scrape_interval: 1s}\nscrape_configs:\n- {job_name: portal, static_configs: [{targets: [\"127.0.0.1:%d\"]}]}\n", admin))
	address := fmt.Sprintf("http://127.0.0.1:%d", number)
	proc, err := tools.StartPrometheus(io.Discard, filepath.Join(dir, "p.yml"), filepath.Join(dir, "data"), number)
	started(t, proc, err, address+"/-/ready")
	client, err := prometheus.New(prometheus.Config{BaseURL: address})
	if err != nil {
		t.Fatal(err)
	}
	// In the sample the shop has been down for 25 minutes of the 13 days and 10.5 hours
	// since October began in Lisbon.
	const expr = `evenkeel_availability_ratio{tenant="harbour",service="shop"}`
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		r, err := client.Query(t.Context(), expr, time.Time{})
		if err == nil && len(r.Series) == 1 {
			if got, want := r.Series[0].Points[0].Value, 1-1500.0/1_161_000; got < want-1e-6 || got > want+1e-6 {
				t.Errorf("%s = %v, want %v", expr, got, want)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s = %+v, %v", expr, r, err)
		}
	}
}

func fetch(t *testing.T, address string) ([]byte, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", address, response.Status)
	}
	return io.ReadAll(response.Body)
}

// feedReader prints what two readers that are not ours make of a calendar and a feed.
const feedReader = `
import json, sys, feedparser
from icalendar import Calendar
events = [e for e in Calendar.from_ical(open(sys.argv[1], "rb").read()).walk("VEVENT")]
feed = feedparser.parse(sys.argv[2])
print(json.dumps({
    "events": [{"uid": str(e["UID"]), "start": e["DTSTART"].dt.isoformat(), "summary": str(e["SUMMARY"]), "status": str(e["STATUS"])} for e in events],
    "bozo": bool(feed.bozo),
    "entries": [{"id": e.id, "title": e.title, "updated": e.updated} for e in feed.entries],
}))
`

// The calendar and the feed of the static site are read by readers of others, with a
// title that is long and not ASCII.
func TestPortalFeeds(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // Debian's, which has Debian's modules
	if err := exec.CommandContext(t.Context(), python, "-c", "import feedparser, icalendar").Run(); err != nil {
		t.Skip("no readers: apt-get install -y --no-install-recommends python3-icalendar python3-feedparser")
	}
	program, dir := portalProgram(t)
	title := "Grüße aus der Wartung; " + strings.Repeat("Prüfung der Überspannung, ", 6) + "Ende"
	file := filepath.Join(dir, "maintenance.csv")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// Columns as in the sample's first line.
	head, _, _ := strings.Cut(string(text), "\n")
	var row []string
	for column := range strings.SplitSeq(head, ",") {
		row = append(row, map[string]string{
			"id": "MW-99", "service": "*", "start": "2026-10-20T20:00:00Z", "end": "2026-10-20T21:00:00Z",
			"announced": "2026-10-10T08:00:00Z", "type": "planned", "status": "planned", "title": `"` + title + `"`,
		}[column])
	}
	writeFile(t, file, string(text)+strings.Join(row, ",")+"\n")
	site := filepath.Join(dir, "site")
	if out, err := exec.CommandContext(t.Context(), program, "-config", filepath.Join(dir, "portal.yaml"), "-static", site, "-now", "2026-10-14T09:30:00Z").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	tenant := filepath.Join(site, "t", "harbour")
	out, err := exec.CommandContext(t.Context(), python, "-c", feedReader, filepath.Join(tenant, "maintenance.ics"), filepath.Join(tenant, "feed.atom")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Events  []struct{ UID, Start, Summary, Status string }
		Bozo    bool
		Entries []struct{ ID, Title, Updated string }
	}
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range read.Events {
		found[e.UID] = e.Status + " " + e.Start + " " + e.Summary
	}
	if got := found["MW-99@harbour.status.northwind.example"]; !strings.HasPrefix(got, "CONFIRMED 2026-10-20T20:00:00") || !strings.HasSuffix(got, title) {
		t.Errorf("the calendar has %q, want the window with its whole title", got)
	}
	if got := found["MW-33@harbour.status.northwind.example"]; !strings.HasPrefix(got, "CANCELLED 2026-10-20T05:00:00") {
		t.Errorf("the calendar has %q, want a window that is cancelled", got)
	}
	if read.Bozo || len(read.Entries) == 0 || read.Entries[0].Title != "HB-231 Payments fail" || read.Entries[0].Updated == "" {
		t.Errorf("the feed reads as %+v", read)
	}
}

// Two portals follow one PostgreSQL: what one of them is told is on the pages of the
// other, and of that customer alone.
func TestPortalsOnOneServer(t *testing.T) {
	t.Parallel()
	ctx := context.WithoutCancel(t.Context()) // the server outlives what is cancelled at the end
	number, err := rig.OddPort(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := os.MkdirTemp("", "evenkeel-postgres") //nolint:usetesting // below that of the test only root may be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(cluster) })
	server, err := rig.StartPostgres(ctx, cluster, number)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	program, dir := portalProgram(t)
	file := filepath.Join(dir, "portal.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte("writer"))
	writeFile(t, file, regexp.MustCompile(`write_token_sha256: \w+`).ReplaceAllString(string(text), "write_token_sha256: "+hex.EncodeToString(hash[:])))
	var portals [2]string
	for i := range portals {
		at := port(t)
		cmd := exec.CommandContext(t.Context(), program, "-config", file, "-listen", fmt.Sprintf("127.0.0.1:%d", at), "-now", "2026-10-14T09:30:00Z", "-db", server.DSN("postgres"))
		cmd.Stderr = t.Output()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		portals[i] = fmt.Sprintf("http://127.0.0.1:%d", at)
		eventually(t, "a portal", func() bool { _, err := fetch(t, portals[i]+"/healthz"); return err == nil })
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, portals[0]+"/t/harbour/api/v1/incidents", strings.NewReader(`{"title": "The cable was cut", "severity": "p1"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer writer")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", "k")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s", response.Status, body)
	}
	eventually(t, "the incident at the other portal", func() bool {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, portals[1]+"/t/harbour/incidents", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer harbour-demo")
		shown, err := http.DefaultClient.Do(r)
		if err != nil {
			return false
		}
		defer shown.Body.Close()
		body, err := io.ReadAll(shown.Body)
		return err == nil && strings.Contains(string(body), "The cable was cut")
	})
	if body, err := fetch(t, portals[1]+"/t/orchard/incidents"); err != nil || strings.Contains(string(body), "The cable was cut") {
		t.Errorf("the page of another customer: %v", err)
	}
}
