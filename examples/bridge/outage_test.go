package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/jira"
	"github.com/evenkeelops/evenkeel/adapters/metrics"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/servicenow"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/examples/internal/patience"
	"github.com/evenkeelops/evenkeel/incident"
)

// away is a vendor that answers nothing but 503 until an instant.
type away struct {
	vendor http.Handler
	until  time.Time
	vain   atomic.Int64
}

func (a *away) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	defer r.Body.Close()
	w := httptest.NewRecorder()
	if time.Now().Before(a.until) {
		a.vain.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	} else {
		r = r.Clone(r.Context())
		r.RequestURI = r.URL.RequestURI()
		a.vendor.ServeHTTP(w, r)
	}
	return w.Result(), nil
}

// TestVendorsAway has PagerDuty, Jira and ServiceNow away for a day in which alerts begin and end. Few requests are made in
// vain, nothing is given up, the heap does not grow, and afterwards every alert is one ticket at each, open if it still fires. Under the race
// detector the day has six hours.
func TestVendorsAway(t *testing.T) {
	alerts, hours := 2, 24
	if raceEnabled {
		hours = 6
	}
	if os.Getenv("EVENKEEL_SOAK") != "" {
		alerts, hours = 40, 24
	}
	file := filepath.Join(t.TempDir(), "bridge.db")
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_txlock=immediate")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		store, err := sqlstore.Open(ctx, db, nil)
		if err != nil {
			t.Fatal(err)
		}
		day := time.Duration(hours) * time.Hour
		begin := time.Now()
		pagers := adaptertest.NewPagerDuty(adaptertest.PagerDutyOptions{RoutingKeys: map[string]string{"0123456789abcdef0123456789abcdef": "S1"}})
		issues, rows := adaptertest.NewJira(adaptertest.JiraOptions{}), adaptertest.NewServiceNow(adaptertest.ServiceNowOptions{})
		vendors := map[string]*away{"pagerduty": {vendor: pagers}, "jira": {vendor: issues}, "servicenow": {vendor: rows}}
		for _, v := range vendors {
			v.until = begin.Add(day)
		}
		secret := adapters.NewSecret("shh")
		events, err1 := pagerduty.NewEvents(pagerduty.EventsConfig{
			RoutingKeys: map[string]adapters.Secret{"": adapters.NewSecret("0123456789abcdef0123456789abcdef")}, Source: "evenkeel bridge", Transport: vendors["pagerduty"],
		})
		j, err2 := jira.New(jira.Config{
			BaseURL: "https://jira.example", Email: "bot@acme.example", Token: secret, Project: "OPS", IssueType: "Incident",
			Deployment: jira.Cloud, Ledger: store.Ledger(), Transport: vendors["jira"],
		})
		sn, err3 := servicenow.New(servicenow.Config{
			BaseURL: "https://acme.service-now.com", Credential: resilience.Basic("bot", secret), User: "bot", Ledger: store.Ledger(), Transport: vendors["servicenow"],
		})
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		bridge := config.Bridge{PagerDuty: &config.PagerDutySink{}, Jira: &config.JiraSink{}, ServiceNow: &config.ServiceNowSink{}, DefaultSeverity: incident.P2}
		s := &server{
			inputs: &inputs{bridge: bridge}, storage: &storage{store: store}, slog: slog.New(slog.DiscardHandler), lines: json.NewEncoder(io.Discard),
			sinks: map[string]sink{"pagerduty": alarms{events}, "jira": tickets{j, store.Ledger()}, "servicenow": tickets{sn, store.Ledger()}},
			told:  metrics.New().Histogram("told_seconds", "Until a sink had it.", []float64{1}, "sink"),
		}
		done := make(chan error)
		for name := range s.sinks {
			// As makeSenders has them, but for the look at what other processes write.
			r, err := runner.New(runner.Config{Timers: store.Outbox().Only(name), Handle: s.handle, OnDead: func(_ escalation.Lease, why string) {
				t.Errorf("%s: a request was given up: %s", name, why)
			}, Attempts: patience.Attempts, Backoff: patience.Backoff, Poll: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			go func() { done <- r.Run(ctx) }()
		}
		hear := func(n int, kind correlation.Kind) {
			t.Helper()
			note := stream.Notification{Key: fmt.Sprint(kind, n), Transition: correlation.Transition{At: time.Now(), Kind: kind, Alert: correlation.Alert{
				Tenant: "acme", Name: fmt.Sprint("platform.disk_", n), Since: begin, Annotations: map[string]string{fingerprint: fmt.Sprint("f", n)},
			}}}
			if err := s.hear(ctx, []stream.Notification{note}); err != nil {
				t.Fatal(err)
			}
		}
		heap := func() (m runtime.MemStats) {
			runtime.GC()
			runtime.ReadMemStats(&m)
			return m
		}
		var first runtime.MemStats
		for hour := range hours { // alerts begin in the first hours, and every other one ends in the later ones
			for n := range alerts {
				if n%8 == hour {
					hear(n, correlation.Notify)
				}
				if n%2 == 0 && n%8+3 == hour {
					hear(n, correlation.Resolve)
				}
			}
			time.Sleep(time.Hour - time.Second)
			if hour == hours/2 {
				first = heap()
			}
		}
		if last := heap(); last.HeapAlloc > first.HeapAlloc+16<<20 {
			t.Errorf("the heap grew from %d to %d bytes in half a day of outage", first.HeapAlloc, last.HeapAlloc)
		}
		for name, v := range vendors {
			// A breaker opens after ten failures in a row, and lets one request through every 30 s.
			if n := v.vain.Load(); n == 0 || n > int64(10+day/(30*time.Second)) {
				t.Errorf("%s: %d requests in vain, want 1 to %d", name, n, 10+day/(30*time.Second))
			}
		}
		time.Sleep(20 * time.Minute) // of which 24 s are that of the day
		requests := 3 * (alerts + (alerts+1)/2)
		if got, err := store.Outbox().Count(ctx, "acme"); err != nil || got != (escalation.TaskCounts{Done: requests}) {
			t.Errorf("outbox %+v, %v, want %d done and nothing else", got, err, requests)
		}
		want := fmt.Sprintf("%d tickets, %d of them open", alerts, alerts/2)
		check := func(vendor string, all, open int) {
			t.Helper()
			if got := fmt.Sprintf("%d tickets, %d of them open", all, open); got != want {
				t.Errorf("%s has %s, want %s", vendor, got, want)
			}
		}
		count := 0
		for _, a := range pagers.Alerts() {
			if a.Open {
				count++
			}
		}
		check("PagerDuty", len(pagers.Alerts()), count)
		t.Logf("a day without vendors: in vain %d, %d and %d requests", vendors["pagerduty"].vain.Load(), vendors["jira"].vain.Load(), vendors["servicenow"].vain.Load())
		count = 0
		for _, i := range issues.Issues() {
			if i.Resolution == "" {
				count++
			}
		}
		check("Jira", len(issues.Issues()), count)
		count = 0
		for _, row := range rows.Records("incident", "") {
			if row["state"] != "6" { // Resolved, which is active until it is closed
				count++
			}
		}
		check("ServiceNow", len(rows.Records("incident", "")), count)
		stop()
		for range s.sinks {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}
