package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/portal"
)

// dying is a fake of a vendor. While deadly is set, the program dies as soon as something
// was opened, before it hears of it: what it does is over, and nothing is noted any more.
type dying struct {
	vendor http.Handler
	opens  string // end of the path by which tickets are opened
	deadly atomic.Pointer[context.CancelFunc]
	asked  atomic.Int32
}

func (d *dying) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.asked.Add(1)
	death := d.deadly.Load()
	if death == nil || r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, d.opens) {
		d.vendor.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	d.vendor.ServeHTTP(httptest.NewRecorder(), r)
	(*death)()
	panic(http.ErrAbortHandler)
}

// A request is one ticket, with its reference, its customer and what was asked: also when
// the program died after the ticket was opened and before it was noted, and when it died
// after that and before the outbox knew. What people have ended is not opened again.
func TestRequestsBecomeTickets(t *testing.T) {
	t.Setenv("DESK_SECRET", "0123456789abcdef0123456789abcdef")
	pager := adaptertest.NewPagerDuty(adaptertest.PagerDutyOptions{RoutingKeys: map[string]string{"0123456789abcdef0123456789abcdef": "S1"}})
	issues := adaptertest.NewJira(adaptertest.JiraOptions{})
	rows := adaptertest.NewServiceNow(adaptertest.ServiceNowOptions{Users: map[string]string{"portal": "0123456789abcdef0123456789abcdef"}})
	for name, c := range map[string]struct {
		vendor      http.Handler
		opens, sink string // sink with a place for the URL
		tickets     func() []string
	}{
		"pagerduty": {pager, "/enqueue", "pagerduty: {routing_key: {env: DESK_SECRET}, url: %q}", func() (list []string) {
			for _, a := range pager.Alerts() {
				list = append(list, string(a.Events[0]))
			}
			return list
		}},
		"jira": {issues, "/issue", "jira: {url: %q, email: portal@msp.example, token: {env: DESK_SECRET}, project: OPS, deployment: cloud}", func() (list []string) {
			for _, i := range issues.Issues() {
				list = append(list, i.Summary+"\n"+i.Description)
			}
			return list
		}},
		"servicenow": {rows, "/table/incident", "servicenow: {url: %q, user: portal, password: {env: DESK_SECRET}}", func() (list []string) {
			for _, r := range rows.Records("incident", "") {
				list = append(list, r["short_description"]+"\n"+r["description"])
			}
			return list
		}},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &dying{vendor: c.vendor, opens: c.opens}
			server := httptest.NewServer(fake)
			defer server.Close()
			files := own("lemon")
			files["portal.yaml"] = strings.Replace(files["portal.yaml"], "tenants:\n", "requests: {"+fmt.Sprintf(c.sink, server.URL)+"}\ntenants:\n", 1)
			in, _ := loaded(t, files, slog.New(slog.DiscardHandler))
			file := filepath.Join(t.TempDir(), "requests.db")
			// life is a program that takes one request to the vendor and ends.
			life := func(ctx context.Context, ref string, r portal.Request) error {
				q, err := openRequests(context.WithoutCancel(ctx), file)
				if err != nil {
					t.Fatal(err)
				}
				defer q.close()
				take, err := q.taker(in.portal.Requests)
				if err != nil {
					t.Fatal(err)
				}
				return take(ctx, ref, r)
			}
			asked := portal.Request{Tenant: "first", Service: "api-first", Title: "More disks", Text: "please, by Friday", Contact: "nina", At: time.Date(2026, 10, 20, 8, 0, 0, 0, time.UTC)}
			const ref = "RQ-0123456789ab"

			ctx, die := context.WithCancel(t.Context())
			fake.deadly.Store(&die)
			if err := life(ctx, ref, asked); err == nil {
				t.Fatal("it did not die")
			}
			fake.deadly.Store(nil)
			if n := len(c.tickets()); n != 1 {
				t.Fatalf("%d tickets, want the one that was opened before it died", n)
			}
			if err := life(t.Context(), ref, asked); err != nil {
				t.Fatal(err)
			}
			before := fake.asked.Load()
			if err := life(t.Context(), ref, asked); err != nil || fake.asked.Load() != before {
				t.Errorf("%v, and the vendor was asked again of what is noted", err)
			}
			other := asked
			other.Tenant, other.Title = "second", "Fewer disks"
			if err := life(t.Context(), ref, other); err != nil { // of another customer, by chance under the same reference
				t.Fatal(err)
			}
			got := c.tickets()
			if len(got) != 2 {
				t.Fatalf("%d tickets, want one for each request: %q", len(got), got)
			}
			all := strings.Join(got, "\n")
			for _, text := range []string{"[" + ref + "] More disks", "[" + ref + "] Fewer disks"} {
				if strings.Count(all, text) != 1 {
					t.Errorf("no ticket, or more than one, with %q: %q", text, got)
				}
			}
			for _, text := range []string{"Customer: first", "please, by Friday", "Contact: nina"} {
				if !strings.Contains(all, text) {
					t.Errorf("no ticket with %q: %q", text, got)
				}
			}
		})
	}
}

// The whole way: by the form, the outbox and the worker of the program into a project.
func TestFormToTicket(t *testing.T) {
	issues := adaptertest.NewJira(adaptertest.JiraOptions{})
	server := httptest.NewServer(issues)
	defer server.Close()
	dir := t.TempDir()
	files := own("lemon")
	files["token.txt"] = "canary-of-a-token"
	files["portal.yaml"] = strings.Replace(files["portal.yaml"], "tenants:\n",
		fmt.Sprintf("requests: {jira: {url: %q, email: portal@msp.example, token: {file: token.txt}, project: OPS, deployment: cloud}}\ntenants:\n", server.URL), 1)
	put(t, dir, files)
	s := serve(t, "-config", filepath.Join(dir, "portal.yaml"), "-listen", "127.0.0.1:0", "-now", "2026-10-20T08:00:00Z", "-requests", filepath.Join(dir, "requests.db"))
	for range 2 { // sent twice is one request
		if code, text := s.ask("POST", "/t/first/request", "title=More+disks&text=please&contact=nina&service=api-first", "Authorization", "Bearer first", "Content-Type", "application/x-www-form-urlencoded"); code != http.StatusOK {
			t.Fatalf("%d %s", code, text)
		}
	}
	// the page is of before the request for a while, so the ticket is waited for first
	for deadline := time.Now().Add(time.Minute); len(issues.Issues()) == 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
	}
	if !s.until("/ops/", "No request waits.", "Authorization", "Bearer ops") {
		t.Error("the request still waits")
	}
	if got := issues.Issues(); len(got) != 1 || !strings.HasSuffix(got[0].Summary, "] More disks") {
		t.Errorf("issues %+v, want one", got)
	}
	if exit := s.stop(); exit != 0 || strings.Contains(s.log.String(), "canary") {
		t.Errorf("exit %d: %s", exit, s.log)
	}
}
