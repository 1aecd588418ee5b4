package portal_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// now is the present of the tests: 1 October 2026, 12:00 UTC.
var now = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// customer returns a customer with September 2026: its service was down for five hours
// on the third, which are 99.305555 % of 720 hours, and is down again since eleven
// o'clock. mark stands in every text.
func customer(tb testing.TB, id, mark string) *page.Tenant {
	tb.Helper()
	service := "api-" + mark
	c := sla.Preset("c-"+mark, sla.Professional, "Europe/Amsterdam", money.Must(money.Parse("40000.00 EUR")))
	c.Customer = "customer-" + mark
	c.Terms[0].Availability.Services = []sla.Service{{ID: service}}
	first := time.Date(2026, 8, 31, 22, 0, 0, 0, time.UTC)
	third := time.Date(2026, 9, 3, 0, 0, 0, 0, time.UTC)
	opened := now.Add(-time.Hour)
	e := sla.Evidence{
		Observed: calendar.Interval{Start: first, End: now},
		Outages: []sla.Outage{
			{Ref: "I-1-" + mark, Service: service, Start: third, End: third.Add(5 * time.Hour)},
			{Ref: "I-2-" + mark, Service: service, Start: opened},
		},
		Incidents: []sla.Incident{
			{ID: "I-1-" + mark, Service: service, Severity: incident.P1, Opened: third, Responded: third.Add(time.Minute), Resolved: third.Add(5 * time.Hour), Title: "First " + mark, Cause: "Cause " + mark, Action: "Action " + mark},
			{ID: "I-2-" + mark, Service: service, Severity: incident.P1, Opened: opened, Title: "Über <b>" + mark + "</b>"},
		},
		Maintenance: []sla.Maintenance{
			{Ref: "M-1-" + mark, Service: service, Start: now.Add(48 * time.Hour), End: now.Add(50 * time.Hour), Announced: now.Add(-100 * time.Hour), Title: "Upgrade, with; signs\\ " + mark},
			{Ref: "M-2-" + mark, Service: service, Start: now.Add(72 * time.Hour), End: now.Add(74 * time.Hour), Cancelled: true, Title: "Not " + mark},
		},
	}
	a, err := sla.Compile(c)
	if err != nil {
		tb.Fatal(err)
	}
	t := &page.Tenant{
		ID: id, Name: "Customer " + mark, Brand: page.Brand{Name: "Northwind"}, At: now, Zone: a.Location(), Evidence: e, Locale: "en",
		Services: []page.Service{{ID: service, Name: "API " + mark, Tier: "gold " + mark, Owner: "owner " + mark, Window: "window " + mark}},
		Sources:  []report.Source{{Name: mark + ".csv", SHA256: strings.Repeat("ab", 32)}}, Notices: []report.Notice{{Code: "note", Message: "Notice " + mark}},
		Incidents: []page.Incident{
			{Incident: e.Incidents[1], Domain: "domain " + mark, Updates: []page.Update{{At: opened.Add(time.Minute), Text: "We look into it & " + mark}}, NextUpdate: now.Add(-time.Minute)},
			{Incident: e.Incidents[0], Postmortem: "https://example.net/" + mark, Excluded: "reason " + mark},
		},
		Maintenance: []page.Maintenance{{Maintenance: e.Maintenance[0], NoticeOK: true, Reason: "reason " + mark}, {Maintenance: e.Maintenance[1]}},
		Articles:    []page.Article{{ID: "kb-" + mark, Service: service, Title: "Help " + mark, Text: "Text " + mark, Changed: third}},
	}
	catalogue, err := continuity.New(continuity.Catalogue{Services: []continuity.Service{{ID: service}}})
	if err != nil {
		tb.Fatal(err)
	}
	t.Catalogue = catalogue
	for _, month := range []sla.Period{a.PeriodAt(third), a.PeriodAt(now)} {
		r, err := a.Report(month, e, sla.ReportOptions{At: now})
		if err != nil {
			tb.Fatal(err)
		}
		t.Months = append(t.Months, report.ServiceReport{Report: r, Contract: c, Zone: a.Location(), Customer: "Customer " + mark, Services: map[string]string{service: "API " + mark}, Sources: t.Sources, Notices: t.Notices})
	}
	return t
}

// The tokens of the tests.
const (
	acmeToken, acmeFeed, acmeWrite = "acme-token", "acme-feed", "acme-write"
	betaToken                      = "beta-token"
	opsToken                       = "ops-token"
)

// The canaries, which no answer for another customer may hold.
const acmeMark, betaMark, openMark = "canary7f3a", "canary91bc", "canary55de"

func config() portal.Config {
	return portal.Config{
		BaseURL: "https://status.example.net", Brand: page.Brand{Name: "Northwind"}, Ops: portal.TokenHashOf(opsToken), Now: clock, Index: true,
		Tenants: []portal.Tenant{
			{ID: "acme", Token: portal.TokenHashOf(acmeToken), Feed: portal.TokenHashOf(acmeFeed), Write: portal.TokenHashOf(acmeWrite), Disabled: []page.Name{page.Help}},
			{ID: "beta", Token: portal.TokenHashOf(betaToken)},
			{ID: "open", Public: true},
			{ID: "empty", Token: portal.TokenHashOf("empty-token")}, // without data
		},
	}
}

// marked is a value of a customer for each of them but empty.
var marked = sync.OnceValue(func() map[string]*page.Tenant {
	return map[string]*page.Tenant{"acme": customer(panics{}, "acme", acmeMark), "beta": customer(panics{}, "beta", betaMark), "open": customer(panics{}, "open", openMark)}
})

// panics stands in for a test where values are made once for all of them.
type panics struct{ testing.TB }

func (panics) Helper()           {}
func (panics) Fatal(args ...any) { panic(args) }

// site returns a portal that shows the customers.
func site(tb testing.TB, change func(*portal.Config)) *portal.Portal {
	tb.Helper()
	c := config()
	if change != nil {
		change(&c)
	}
	p, err := portal.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	for _, t := range marked() {
		if err := p.Update(t); err != nil {
			tb.Fatal(err)
		}
	}
	return p
}

// ask sends a request; headers are in pairs.
func ask(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// same reports whether two answers have the same bytes: code, headers and body.
func same(a, b *httptest.ResponseRecorder) bool {
	return a.Code == b.Code && reflect.DeepEqual(a.Header(), b.Header()) && a.Body.String() == b.Body.String()
}

// router has one schedule, whose weeks alternate.
func router() *escalation.Router {
	roster := escalation.SampleRoster()
	roster.Schedules = map[string]escalation.Plan{"primary": {Layers: []escalation.Layer{{Name: "weeks", Rotation: escalation.Rotation{
		Zone: "UTC", Start: "2026-09-07T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"sarah", "marcus"},
	}}}}}
	r, err := escalation.NewRouter(roster)
	if err != nil {
		panic(err)
	}
	return r
}
