package main

import (
	"bytes"
	"cmp"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/table"
	"github.com/evenkeelops/evenkeel/incident"
)

// fault is a line of faults.csv: what was really broken, and when.
type fault struct {
	kind    string
	targets []string
	at, end time.Time
}

// readFaults reads the truth of the recording.
func readFaults(t *testing.T) []fault {
	t.Helper()
	data, err := os.ReadFile("testdata/night/faults.csv")
	if err != nil {
		t.Fatal(err)
	}
	tab, unknown, err := table.Open("faults.csv", bytes.NewReader(data), []string{"at", "end", "kind", "target", "detail"}, nil)
	if err != nil || len(unknown) > 0 {
		t.Fatalf("faults.csv: %v, unknown columns %v", err, unknown)
	}
	var faults []fault
	for tab.Next() {
		faults = append(faults, fault{tab.Required("kind"), strings.Split(tab.Required("target"), "|"), tab.RequiredTime("at"), tab.RequiredTime("end")})
	}
	if err := tab.Err(); err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(faults, func(a, b fault) int { return a.at.Compare(b.at) })
	return faults
}

// find returns the only fault of a kind on a target.
func find(t *testing.T, faults []fault, kind, target string) fault {
	t.Helper()
	var found []fault
	for _, f := range faults {
		if f.kind == kind && slices.Contains(f.targets, target) {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Fatalf("faults.csv has %d lines of kind %s on %s, want 1", len(found), kind, target)
	}
	return found[0]
}

// replayNight replays the embedded recording in memory.
func replayNight(t *testing.T) (*machine, *result) {
	t.Helper()
	rec, err := loadRecording(files)
	if err != nil {
		t.Fatal(err)
	}
	return replayOf(t, rec)
}

func replayOf(t *testing.T, rec *recording) (*machine, *result) {
	t.Helper()
	in, err := loadInputs()
	if err != nil {
		t.Fatal(err)
	}
	m, err := new(options).replay(t.Context(), rec, in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := conclude(m)
	if err != nil {
		t.Fatal(err)
	}
	return m, r
}

// scrape is the interval at which the servers of the recording measured, noticed
// how long an alert may take to be seen: its rule waits up to 90 s.
const (
	scrape  = 5 * time.Second
	noticed = 2 * time.Minute
)

// The replay says what really happened.
func TestNightFacts(t *testing.T) {
	faults := readFaults(t)
	m, r := replayNight(t)
	during := func(stage string, from, to time.Time) (items []item) {
		for _, i := range r.story {
			if i.Stage == stage && !i.At.Before(from) && i.At.Before(to) {
				items = append(items, i)
			}
		}
		return items
	}

	t.Run("outage", func(t *testing.T) {
		kill := find(t, faults, "kill", "db-1")
		for _, a := range r.statement.Availability {
			if a.Service != "shop-db" {
				continue
			}
			if len(a.Downtime) != 1 {
				t.Fatalf("shop-db was down %d times, want once: %v", len(a.Downtime), a.Downtime)
			}
			start, end := a.Downtime[0].Start.Sub(kill.at), a.Downtime[0].End.Sub(kill.end)
			if start.Abs() > scrape || end.Abs() > scrape {
				t.Errorf("shop-db was down from %v after the kill to %v after the restart, want both within %v", start, end, scrape)
			}
		}
	})

	t.Run("storms", func(t *testing.T) {
		for _, f := range faults {
			var title string
			switch f.kind {
			case "kill":
				title = "Database Service Impact"
			case "errors":
				title = "Errors of the shop API"
			case "cpu": // the third of the three that exhaust the machine
				title = "Infrastructure Resource Exhaustion"
			case "slow":
				if title = "Slow database"; f.targets[0] != "db-1" {
					continue
				}
			default:
				continue
			}
			opened := during("correlate", f.at, f.end)
			if !slices.ContainsFunc(opened, func(i item) bool { return strings.Contains(i.Text, title) && strings.HasSuffix(i.Text, "opened") }) {
				t.Errorf("no composite %q opened while %s on %v lasted from %v to %v", title, f.kind, f.targets, f.at, f.end)
			}
		}
	})

	t.Run("harmless", func(t *testing.T) {
		slow := find(t, faults, "slow", "web-3")
		next := faults[slices.IndexFunc(faults, func(f fault) bool { return f.at.After(slow.at) })]
		for _, stage := range []string{"page", "incident"} {
			if items := during(stage, slow.at, next.at); len(items) > 0 {
				t.Errorf("one slow instance of four led to %+v", items)
			}
		}
	})

	t.Run("every page has a cause", func(t *testing.T) {
		pages := during("page", r.rec.start, r.rec.end)
		if len(pages) == 0 {
			t.Error("nobody was paged")
		}
		for _, page := range pages {
			if !slices.ContainsFunc(faults, func(f fault) bool {
				return slices.Contains([]string{"slow", "memory", "cpu", "kill", "errors"}, f.kind) && !page.At.Before(f.at) && page.At.Before(f.end.Add(noticed))
			}) {
				t.Errorf("a page without a fault: %+v", page)
			}
		}
	})

	t.Run("maintenance", func(t *testing.T) {
		silence := find(t, faults, "silence", "api-2")
		restart := find(t, faults, "restart", "api-2")
		if restart.at.Before(silence.at) || restart.end.After(silence.end) {
			t.Fatalf("the restart %v to %v is not under the silence %v to %v", restart.at, restart.end, silence.at, silence.end)
		}
		for _, i := range during("alert", silence.at, silence.end) {
			if slices.ContainsFunc(silence.targets, func(target string) bool { return strings.Contains(i.Text, target) }) {
				t.Errorf("an alert of a silenced target: %+v", i)
			}
		}
		for _, i := range r.rec.inputs {
			if i.webhook == nil {
				continue
			}
			for _, e := range i.webhook.events {
				if e.Status.String() == "firing" && slices.Contains(silence.targets, e.Labels["instance"]) && !i.at.Before(silence.at) && i.at.Before(silence.end) {
					t.Errorf("webhook %d tells of %s of %s under the silence", i.webhook.seq, e.Alert, e.Labels["instance"])
				}
			}
		}
		for _, w := range r.rec.maintenance {
			if w.start.After(restart.at) || w.end.Before(restart.end) || restart.at.Sub(w.announced) < 72*time.Hour {
				t.Errorf("%s: window %v to %v, announced %v, want the restart inside and 72 h of notice", w.id, w.start, w.end, w.announced)
			}
			for _, a := range r.statement.Availability {
				for _, down := range a.Downtime {
					if down.Start.Before(w.end) && w.start.Before(down.End) {
						t.Errorf("%s: counted as down from %v to %v, in the window %s", a.Service, down.Start, down.End, w.id)
					}
				}
			}
		}
		if items := during("page", silence.at, silence.end.Add(noticed)); len(items) > 0 {
			t.Errorf("paged for the announced restart: %+v", items)
		}
	})

	t.Run("incidents", func(t *testing.T) {
		if len(r.incidents) < 2 || len(r.incidents) != r.totals.Incidents {
			t.Errorf("%d incidents, %d in the totals, want the same and at least two", len(r.incidents), r.totals.Incidents)
		}
		for _, s := range r.incidents {
			if s.Times.Resolved.IsZero() || !s.Times.Resolved.After(s.Times.Detected) {
				t.Errorf("%s was detected %v and resolved %v, want it resolved", s.ID, s.Times.Detected, s.Times.Resolved)
			}
			if !slices.ContainsFunc(faults, func(f fault) bool {
				return !s.Times.Detected.Before(f.at) && s.Times.Detected.Before(f.end) && s.Times.Resolved.Before(f.end.Add(noticed))
			}) {
				t.Errorf("%s from %v to %v fits no fault", s.ID, s.Times.Detected, s.Times.Resolved)
			}
			entries := m.incidents[s.ID].Timeline().Entries()
			if _, err := incident.Replay(m.in.night.Tenant, s.ID, entries, incident.Options{}); err != nil {
				t.Errorf("%s: timeline: %v", s.ID, err)
			}
		}
	})
}

// Every start of an alert is told and counted once, however often Alertmanager
// repeats it, and a second start of the same alert is a second one.
func TestEveryAlertIsTold(t *testing.T) {
	_, r := replayNight(t)
	type start struct {
		name string
		at   time.Time
	}
	starts := map[start]time.Time{}
	for _, i := range r.rec.inputs {
		if i.webhook == nil {
			continue
		}
		for _, e := range i.webhook.events {
			s := start{e.Alert + " of " + subject(e.Labels), e.Time}
			if _, ok := starts[s]; !ok && e.Status.String() == "firing" {
				starts[s] = i.at
			}
		}
	}
	if r.totals.Alerts != len(starts) {
		t.Errorf("%d alerts in the totals, want the %d that began", r.totals.Alerts, len(starts))
	}
	for s, at := range starts {
		name, who, _ := strings.Cut(s.name, " of ")
		if !slices.ContainsFunc(r.story, func(i item) bool {
			return i.Stage == "alert" && i.At.Equal(at) && strings.Contains(i.Text, name) && strings.Contains(i.Text, who)
		}) {
			t.Errorf("%s began %v and reached us %v: no line tells it", s.name, s.at, at)
		}
	}
}

// The totals count what the story tells.
func TestTotalsAgreeWithTheStory(t *testing.T) {
	_, r := replayNight(t)
	told := map[string]int{}
	for _, i := range r.story {
		switch {
		case i.Stage == "page" && !strings.HasPrefix(i.Text, "notice to "):
			told["page"]++
		case i.Stage == "incident" && strings.Contains(i.Text, " opened: "):
			told["incident"]++
		case i.Stage == "correlate" && strings.HasSuffix(i.Text, " opened"):
			told["composite"]++
		case i.Stage == "anomaly" && !strings.HasSuffix(i.Text, "back to normal"):
			told["anomaly"]++
		}
	}
	for _, c := range []struct {
		what  string
		total int
	}{{"page", r.totals.Pages}, {"incident", r.totals.Incidents}, {"composite", r.totals.Composites}, {"anomaly", r.totals.Anomalies}} {
		if told[c.what] != c.total {
			t.Errorf("%d lines of %s, %d in the totals", told[c.what], c.what, c.total)
		}
	}
	if r.totals.Samples != r.rec.samples || r.totals.Webhooks != r.rec.webhooks || r.rec.samples == 0 || r.rec.webhooks == 0 {
		t.Errorf("totals %+v, the recording has %d samples and %d webhooks", r.totals, r.rec.samples, r.rec.webhooks)
	}
}

// The recording may be published: it is small and says nothing of the machine
// that made it.
func TestRecordingIsSmallAndClean(t *testing.T) {
	entries, err := os.ReadDir("testdata/night")
	if err != nil {
		t.Fatal(err)
	}
	private := []*regexp.Regexp{regexp.MustCompile(`/(work|root|home|tmp)\b`)}
	for _, name := range machineNames() {
		private = append(private, regexp.MustCompile(`(?i)\b`+regexp.QuoteMeta(name)+`\b`))
	}
	total := 0
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join("testdata/night", entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		total += len(data)
		if len(data) > 150_000 {
			t.Errorf("%s has %d bytes, want at most 150 000", entry.Name(), len(data))
		}
		for _, re := range private {
			if at := re.FindIndex(data); at != nil {
				t.Errorf("%s:%d contains %q", entry.Name(), 1+bytes.Count(data[:at[0]], []byte("\n")), data[at[0]:at[1]])
			}
		}
	}
	if total == 0 || total > 300_000 {
		t.Errorf("the recording has %d bytes, want at most 300 000", total)
	}
}

// machineNames are the names of this machine and its user, apart from those that
// are ordinary words.
func machineNames() []string {
	host, _ := os.Hostname()
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = cmp.Or(u.Username, name)
	}
	var names []string
	for _, n := range []string{host, name} {
		if !slices.Contains([]string{"", "localhost", "root", "user", "admin", "runner", "build", "night", "shop", "recorder"}, n) {
			names = append(names, n)
		}
	}
	return names
}
