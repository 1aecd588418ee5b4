package portal_test

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/sla"
)

type atom struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string   `xml:"id"`
	Updated string   `xml:"updated"`
	Links   []struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	} `xml:"link"`
	Entries []struct {
		ID      string `xml:"id"`
		Title   string `xml:"title"`
		Updated string `xml:"updated"`
		Content struct {
			Type string `xml:"type,attr"`
			Text string `xml:",chardata"`
		} `xml:"content"`
	} `xml:"entry"`
}

// An entry for each incident and update, the latest first; texts stay what they were.
func TestFeed(t *testing.T) {
	p := site(t, nil)
	w := ask(p, "GET", "/t/acme/feed.atom?k="+acmeFeed, "")
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/atom+xml") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	var feed atom
	if err := xml.Unmarshal(w.Body.Bytes(), &feed); err != nil {
		t.Fatal(err)
	}
	want := []struct{ id, title, updated, text string }{
		{"tag:status.example.net,2026-10-01:acme/I-2-" + acmeMark, "I-2-" + acmeMark + " Über <b>" + acmeMark + "</b>", "2026-10-01T11:01:00Z", "<p>Severity P1, open.</p>"},
		{"tag:status.example.net,2026-10-01:acme/I-2-" + acmeMark + "/20261001T110100Z", "I-2-" + acmeMark + " Über <b>" + acmeMark + "</b>", "2026-10-01T11:01:00Z", "<p>We look into it &amp; " + acmeMark + "</p>"},
		{"tag:status.example.net,2026-09-03:acme/I-1-" + acmeMark, "I-1-" + acmeMark + " First " + acmeMark, "2026-09-03T05:00:00Z", "resolved"},
	}
	if len(feed.Entries) != len(want) || feed.Updated != want[0].updated {
		t.Fatalf("%d entries, updated %s: %+v", len(feed.Entries), feed.Updated, feed)
	}
	for i, e := range feed.Entries {
		if e.ID != want[i].id || e.Title != want[i].title || e.Updated != want[i].updated || e.Content.Type != "html" || !strings.Contains(e.Content.Text, want[i].text) {
			t.Errorf("entry %d: %+v, want %+v", i, e, want[i])
		}
	}
	if feed.Links[0].Rel != "self" || feed.Links[0].Href != "https://status.example.net/t/acme/feed.atom" {
		t.Errorf("links %+v", feed.Links)
	}
	if strings.Contains(w.Body.String(), acmeFeed) {
		t.Error("the feed holds the token")
	}
}

// The calendar is one for a reader of others; what was cancelled stays.
func TestMaintenanceCalendar(t *testing.T) {
	w := ask(site(t, nil), "GET", "/t/acme/maintenance.ics?k="+acmeFeed, "")
	cal, err := ics.ParseCalendar(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	var uids, states []string
	for _, e := range cal.Events() {
		uids = append(uids, e.Id())
		if s := e.GetProperty(ics.ComponentPropertyStatus); s != nil {
			states = append(states, s.Value)
		}
	}
	if want := []string{"M-1-" + acmeMark + "@acme.status.example.net", "M-2-" + acmeMark + "@acme.status.example.net"}; !slices.Equal(uids, want) {
		t.Errorf("uids %q, want %q", uids, want)
	}
	if !slices.Equal(states, []string{"CONFIRMED", "CANCELLED"}) {
		t.Errorf("states %q", states)
	}
}

// September by hand: 5 h of 720 h down are 99.305555… %, cut to 99.305. The pages speak
// of October so far: 14 h since midnight in Amsterdam, of which one is down.
func TestBadge(t *testing.T) {
	p := site(t, nil)
	for metric, want := range map[string]string{"": "availability: 92.857 %", "availability": "availability: 92.857 %", "status": "status: outage", "budget": "error budget: no data"} {
		w := ask(p, "GET", "/t/acme/badge.svg?metric="+metric, "", bearer(acmeToken)...)
		body := w.Body.String()
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(body, "<title>"+want+"</title>") {
			t.Errorf("metric %q: %d %s, want %q", metric, w.Code, body, want)
		}
		if strings.Contains(body, "style=") || strings.Contains(body, "<script") {
			t.Errorf("metric %q: the policy would stop %s", metric, body)
		}
		if err := xml.Unmarshal([]byte(body), new(struct{})); err != nil {
			t.Errorf("metric %q: %v", metric, err)
		}
		for part := range strings.SplitSeq(body, `fill="`) {
			if c, err := report.ParseColor(part[:min(len(part), 7)]); err == nil && c != (report.Color{R: 0xff, G: 0xff, B: 0xff}) {
				if ratio := report.Contrast(c, report.Color{R: 0xff, G: 0xff, B: 0xff}); ratio < report.TextContrast {
					t.Errorf("metric %q: white on %v has a contrast of %.2f", metric, c, ratio)
				}
			}
		}
	}
}

func TestStatus(t *testing.T) {
	p := site(t, nil)
	var got struct {
		Schema, Tenant, State string
		Now                   time.Time
		Inputs                []struct{ Name, SHA256 string }
		Since                 time.Time
		Services              []struct {
			Service, State string
			Since          time.Time
			Incidents      []string
		}
		Incidents []struct {
			ID         string
			LastUpdate time.Time `json:"last_update"`
		}
		NextUpdate  time.Time `json:"next_update_due"`
		GeneratedAt time.Time `json:"generated_at"`
	}
	file := ask(p, "GET", "/t/acme/status.json", "", bearer(acmeToken)...)
	api := ask(p, "GET", "/t/acme/api/v1/status", "", bearer(acmeToken)...)
	if file.Body.String() != api.Body.String() {
		t.Error("file and API differ")
	}
	if err := json.Unmarshal(file.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	opened := now.Add(-time.Hour)
	if got.Schema != "status/v1" || got.Tenant != "acme" || got.State != "outage" || !got.Since.Equal(opened) || !got.Now.Equal(now) || !got.GeneratedAt.Equal(now) ||
		!got.NextUpdate.Equal(now.Add(-time.Minute)) || len(got.Services) != 1 || got.Services[0].State != "outage" || !slices.Equal(got.Services[0].Incidents, []string{"I-2-" + acmeMark}) ||
		len(got.Incidents) != 1 || !got.Incidents[0].LastUpdate.Equal(opened.Add(time.Minute)) || len(got.Inputs) != 1 {
		t.Errorf("%+v", got)
	}
}

// Every form of a report has the same numbers.
func TestReports(t *testing.T) {
	p := site(t, nil)
	for form, want := range map[string][]string{
		"json": {`"schema": "sla-report/v1"`, `"availability_percent": 99.305555`, `"label": "2026-09"`, `"now": "2026-10-01T12:00:00Z"`}, "csv": {"99.305555"}, "pdf": {"%PDF-"},
		"html": {"99.305555"},
	} {
		w := ask(p, "GET", "/t/acme/report/2026-09."+form, "", bearer(acmeToken)...)
		for _, text := range want {
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: %d, lacks %q", form, w.Code, text)
			}
		}
		if name := w.Header().Get("Content-Disposition"); form != "html" && name != `inline; filename="acme-2026-09.`+form+`"` {
			t.Errorf("%s: %q", form, name)
		}
	}
	if a, b := ask(p, "GET", "/t/acme/report/2026-09.json", "", bearer(acmeToken)...), ask(p, "GET", "/t/acme/api/v1/reports/2026-09", "", bearer(acmeToken)...); a.Body.String() != b.Body.String() {
		t.Error("file and API differ")
	}
}

func TestAPI(t *testing.T) {
	p := site(t, nil)
	for path, want := range map[string][]string{
		"incidents":   {`"portal-incidents/v1"`, `"state": "open"`, `"state": "resolved"`, `"text": "We look into it & ` + acmeMark + `"`, `"postmortem": "https://example.net/`},
		"maintenance": {`"portal-maintenance/v1"`, `"cancelled": true`, `"notice_ok": true`, `"announced": null`},
		"credits":     {`"portal-credits/v1"`, `"month": "2026-09"`, `"clause": "availability"`, `"currency": "EUR"`},
	} {
		w := ask(p, "GET", "/t/acme/api/v1/"+path, "", bearer(acmeToken)...)
		if !json.Valid(w.Body.Bytes()) || w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
		for _, text := range want {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s lacks %q: %s", path, text, w.Body)
			}
		}
	}
	if w := ask(p, "GET", "/t/acme/api/v1/slos", "", bearer(acmeToken)...); w.Code != http.StatusNotFound {
		t.Errorf("budgets of a customer without: %d", w.Code)
	}
}

// Texts that no format likes come through all of them.
func TestOddTexts(t *testing.T) {
	odd := "]]><script>\x00\x1b\u2028\U0001f525 \xff\r\nX: y;,\\ \" ' & ü" + strings.Repeat("é", 200)
	c := customer(t, "acme", "x")
	c.Name, c.Incidents[0].Title, c.Incidents[0].ID = odd, odd, odd
	c.Incidents[0].Updates[0].Text = odd
	c.Maintenance[0].Title, c.Maintenance[0].Ref = odd, "r;"+odd
	c.Notices[0].Message = odd
	p, err := portal.New(config())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Update(c); err != nil {
		t.Fatal(err)
	}
	w := ask(p, "GET", "/t/acme/feed.atom", "", bearer(acmeToken)...)
	var feed atom
	if err := xml.Unmarshal(w.Body.Bytes(), &feed); err != nil || len(feed.Entries) != 3 || !strings.Contains(feed.Entries[0].Title, "🔥") {
		t.Errorf("feed: %v, %d entries", err, len(feed.Entries))
	}
	w = ask(p, "GET", "/t/acme/maintenance.ics", "", bearer(acmeToken)...)
	if cal, err := ics.ParseCalendar(strings.NewReader(w.Body.String())); err != nil || len(cal.Events()) != 2 {
		t.Errorf("calendar: %v: %s", err, w.Body)
	}
	for line := range strings.SplitSeq(w.Body.String(), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("calendar: line of %d octets: %q", len(line), line)
		}
	}
	for _, path := range []string{"status.json", "api/v1/incidents", "api/v1/maintenance"} {
		if w := ask(p, "GET", "/t/acme/"+path, "", bearer(acmeToken)...); !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: no JSON", path)
		}
	}
	for _, path := range []string{"", "incidents", "maintenance"} {
		if w := ask(p, "GET", "/t/acme/"+path, "", bearer(acmeToken)...); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("page %q: %d", path, w.Code)
		}
	}
}

// Windows that a calendar cannot hold as they are do not stop the others.
func TestOddWindows(t *testing.T) {
	c := customer(t, "open", "x")
	c.Maintenance = append(c.Maintenance, page.Maintenance{Maintenance: sla.Maintenance{Ref: "M-9", Start: now, End: now}})
	p, err := portal.New(config())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Update(c); err != nil {
		t.Fatal(err)
	}
	w := ask(p, "GET", "/t/open/maintenance.ics", "")
	if n := strings.Count(w.Body.String(), "BEGIN:VEVENT"); w.Code != http.StatusOK || n != 2 {
		t.Errorf("%d with %s events, want 2", w.Code, strconv.Itoa(n))
	}
}
