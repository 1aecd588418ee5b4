package portal

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
)

// door says what opens a route.
type door uint8

const (
	open    door = iota // everybody
	reads               // the pages of a customer
	feeds               // badge, feeds and calendars of a customer
	writes              // what changes something for a customer
	operate             // the dashboard of the operations
)

// route is an address with what is there. The same list makes the multiplexer and the
// OpenAPI document.
type route struct {
	method, path string
	door         door
	page         page.Name // that has to be there for the customer; "" for none
	about        operation

	tenant func(*visit)                                        // of reads, feeds and writes
	other  func(*snapshot, http.ResponseWriter, *http.Request) // of open and operate
}

// routes lists all that a portal may have; mount leaves out what the configuration
// does not ask for.
func routes() []route {
	list := []route{
		{method: "GET", path: "/{$}", about: operation{ID: "index", Summary: "Public customers by name", Type: htmlType}, other: (*snapshot).index},
		{method: "GET", path: "/assets/{name}", about: operation{ID: "asset", Summary: "Style sheet and logo", Type: "*/*"}, other: (*snapshot).asset},
		{method: "GET", path: "/openapi.json", about: operation{ID: "openapi", Summary: "This document", Type: jsonType}, other: (*snapshot).describe},
		{method: "GET", path: "/login", about: operation{ID: "loginForm", Summary: "Form to sign in", Type: htmlType}, other: (*snapshot).loginForm},
		{method: "POST", path: "/login", about: operation{ID: "login", Summary: "Sign in with a token, for a session as a cookie", Form: loginFields, Code: 303}, other: (*snapshot).login},
		{method: "GET", path: "/ops/{$}", door: operate, about: operation{ID: "operations", Summary: "Dashboard of the operations, of all customers", Type: htmlType}, other: (*snapshot).operations},
		{method: "GET", path: "/ops/shifts.ics", door: operate, about: operation{ID: "shifts", Summary: "Who is on call, as a calendar", Type: calendarType}, other: (*snapshot).shifts},
		{method: "GET", path: "/metrics", door: operate, about: operation{ID: "metrics", Summary: "Metrics for Prometheus", Type: "text/plain"}, other: (*snapshot).scrape},
		{method: "GET", path: "/healthz", about: operation{ID: "health", Summary: "Whether the process lives", Type: "text/plain"}, other: (*snapshot).health},
		{method: "GET", path: "/t/{tenant}/report/{file}", door: reads, page: page.Reports, about: operation{ID: "report", Summary: "Monthly report, such as 2026-10.html, .pdf, .csv or .json", Type: "*/*"}, tenant: (*visit).reportFile},
		{method: "GET", path: "/t/{tenant}/maintenance.ics", door: feeds, page: page.Maintain, about: operation{ID: "maintenanceCalendar", Summary: "Maintenance as a calendar", Type: calendarType}, tenant: (*visit).maintenanceCalendar},
		{method: "GET", path: "/t/{tenant}/key-dates.ics", door: feeds, page: page.Catalogue, about: operation{ID: "keyDateCalendar", Summary: "Key dates as a calendar", Type: calendarType}, tenant: (*visit).keyDateCalendar},
		{method: "GET", path: "/t/{tenant}/feed.atom", door: feeds, page: page.Incidents, about: operation{ID: "feed", Summary: "Incidents and updates", Type: atomType}, tenant: (*visit).feed},
		{method: "GET", path: "/t/{tenant}/badge.svg", door: feeds, about: operation{ID: "badge", Summary: "State as a picture", Type: svgType, Query: []parameter{{"metric", "What it shows", []string{"availability", "budget", "status"}}}}, tenant: (*visit).badge},
		{method: "GET", path: "/t/{tenant}/status.json", door: feeds, about: operation{ID: "statusFile", Summary: "State of the services", Type: jsonType, Schema: "status/v1"}, tenant: (*visit).apiStatus},
		{method: "GET", path: "/t/{tenant}/api/v1/status", door: reads, about: operation{ID: "status", Summary: "State of the services", Type: jsonType, Schema: "status/v1"}, tenant: (*visit).apiStatus},
		{method: "GET", path: "/t/{tenant}/api/v1/slos", door: reads, page: page.SLO, about: operation{ID: "slos", Summary: "Error budgets", Type: jsonType, Schema: "slo-status/v1"}, tenant: (*visit).apiBudgets},
		{method: "GET", path: "/t/{tenant}/api/v1/incidents", door: reads, page: page.Incidents, about: operation{ID: "incidents", Summary: "Incidents and what was told about them", Type: jsonType, Schema: "portal-incidents/v1"}, tenant: (*visit).apiIncidents},
		{method: "GET", path: "/t/{tenant}/api/v1/maintenance", door: reads, page: page.Maintain, about: operation{ID: "maintenance", Summary: "Maintenance windows", Type: jsonType, Schema: "portal-maintenance/v1"}, tenant: (*visit).apiMaintenance},
		{method: "GET", path: "/t/{tenant}/api/v1/credits", door: reads, page: page.Credits, about: operation{ID: "credits", Summary: "Credits and missed promises by month", Type: jsonType, Schema: "portal-credits/v1"}, tenant: (*visit).apiCredits},
		{method: "GET", path: "/t/{tenant}/api/v1/reports/{month}", door: reads, page: page.Reports, about: operation{ID: "reportData", Summary: "Monthly report", Type: jsonType, Schema: "sla-report/v1"}, tenant: (*visit).apiReport},
		{method: "POST", path: "/t/{tenant}/api/v1/incidents", door: writes, page: page.Incidents, about: operation{ID: "openIncident", Summary: "Open an incident", Type: jsonType, Code: 201, Body: "new-incident"}, tenant: (*visit).openIncident},
		{method: "POST", path: "/t/{tenant}/api/v1/incidents/{incident}/updates", door: writes, page: page.Incidents, about: operation{ID: "addUpdate", Summary: "Tell the customer about an incident", Type: jsonType, Code: 201, Body: "new-update"}, tenant: (*visit).addUpdate},
		{method: "POST", path: "/t/{tenant}/request", door: reads, page: page.Request, about: operation{ID: "sendRequest", Summary: "Ask for something", Form: requestFields, Code: 200}, tenant: (*visit).sendRequest},
		{method: "GET", path: "/t/{tenant}/{$}", door: reads, about: operation{ID: "statusPage", Summary: "Page: status", Type: htmlType, Query: pageQuery}, tenant: show(page.Status)},
	}
	for _, n := range []page.Name{
		page.SLO, page.Incidents, page.Maintain, page.Credits, page.Catalogue, page.Help, page.Search, page.Request, page.Journeys, page.ReviewWeek, page.ReviewMonth, page.ReviewQuart, page.Executive,
	} {
		query := pageQuery
		if n == page.Search {
			query = append(slices.Clip(query), parameter{"q", "What to look for", nil})
		}
		list = append(list, route{
			method: "GET", path: "/t/{tenant}/" + string(n), door: reads, page: n,
			about: operation{ID: "page-" + string(n), Summary: "Page: " + string(n), Type: htmlType, Query: query}, tenant: show(n),
		})
	}
	return list
}

var pageQuery = []parameter{{"lang", "Language", languages}, {"wall", "Load again every so many seconds", []string{"30"}}}

// The media types of the answers.
const (
	htmlType     = "text/html; charset=utf-8"
	jsonType     = "application/json"
	csvType      = "text/csv; charset=utf-8"
	pdfType      = "application/pdf"
	svgType      = "image/svg+xml"
	atomType     = "application/atom+xml; charset=utf-8"
	calendarType = "text/calendar; charset=utf-8"
)

// mount makes the multiplexer of the routes that the configuration asks for.
func (p *snapshot) mount() {
	p.mux = http.NewServeMux()
	for _, r := range routes() {
		if !p.wanted(r) {
			continue
		}
		p.routes = append(p.routes, r)
		p.mux.HandleFunc(r.method+" "+r.path, func(w http.ResponseWriter, req *http.Request) { p.serve(r, w, req) })
	}
	p.openAPI = openAPI(p.base.url, p.config.Brand.Name, p.routes)
}

func (p *snapshot) wanted(r route) bool {
	switch r.about.ID {
	case "index":
		return p.config.Index
	case "health":
		return !p.config.AdminApart
	case "metrics":
		return !p.config.AdminApart && p.operated()
	case "operations":
		return p.operated()
	case "shifts":
		return p.operated() && p.config.Roster != nil
	case "openIncident", "addUpdate":
		return p.config.Desk != nil
	case "sendRequest", "page-" + string(page.Request):
		return p.config.Requests != nil
	}
	return true
}

// operated reports whether anybody may see the dashboard.
func (p *snapshot) operated() bool { return p.config.Ops != (TokenHash{}) || p.config.Authorize != nil }

// serve lets a request in, or does as if there was nothing.
func (p *snapshot) serve(to route, w http.ResponseWriter, r *http.Request) {
	switch to.door {
	case open:
		to.other(p, w, r)
	case operate:
		if !p.operator(r) {
			deny(w, r)
			return
		}
		to.other(p, w, r)
	default:
		v := p.admit(to.door, r.PathValue("tenant"), r)
		if v == nil {
			deny(w, r)
			return
		}
		if to.page != "" && !(page.Options{Without: v.tenant.Disabled}).Has(to.page) {
			deny(w, r)
			return
		}
		to.tenant(&visit{
			view: v, w: w, r: r, now: p.config.Now(), origin: p.config.Address(r), desk: p.config.Desk, requests: p.config.Requests, replays: p.replays, attempts: p.attempts, log: p.config.Log,
		})
	}
}

// show serves a page.
func show(n page.Name) func(*visit) {
	return func(v *visit) {
		o, query := v.options(), v.r.URL.Query()
		key := "page " + string(n) + " " + o.Locale
		if query.Get("wall") == fmt.Sprint(wall.Seconds()) {
			o.Wall = wall
			key += " wall"
		}
		if n == page.Search { // any number of questions: made for each
			o.Query = cut(query.Get("q"), maxQuery)
			body, err := render(func(b *bytes.Buffer) error { return v.page.Write(b, n, o) })
			v.answer(htmlType, body, "", err)
			return
		}
		v.show(htmlType, key, func() ([]byte, error) {
			return render(func(b *bytes.Buffer) error { return v.page.Write(b, n, o) })
		})
	}
}

// maxQuery bounds what is looked for.
const maxQuery = 200

// cut returns the first bytes of a text, without a part of a rune.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}

// render collects what is written. A buffer of its own for each keeps a failure from
// leaving half a page.
func render(write func(*bytes.Buffer) error) ([]byte, error) {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
