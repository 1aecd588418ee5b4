package portal_test

import (
	"encoding/json"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/incident/continuity"
)

// whole is a portal with all that there may be.
func whole(c *portal.Config) {
	c.Desk, c.Requests, c.Roster = &desk{}, &outbox{}, router()
	c.Tenants[0].KeyDates = []continuity.KeyDate{{ID: "sale", Name: "Sale", Zone: "Europe/Amsterdam", Rule: continuity.Rule{Dates: []string{"2026-11-27"}}}}
}

// The document has every route, and every route is in the document: the list is that
// of the addresses that the portal promises.
func TestOpenAPI(t *testing.T) {
	promised := []string{
		"get /", "get /assets/{name}", "get /openapi.json", "get /login", "post /login", "get /ops/", "get /ops/shifts.ics", "get /metrics", "get /healthz",
		"get /t/{tenant}/", "get /t/{tenant}/slo", "get /t/{tenant}/incidents", "get /t/{tenant}/maintenance", "get /t/{tenant}/credits", "get /t/{tenant}/catalogue",
		"get /t/{tenant}/help", "get /t/{tenant}/search", "get /t/{tenant}/request", "post /t/{tenant}/request", "get /t/{tenant}/journeys", "get /t/{tenant}/review-monthly",
		"get /t/{tenant}/review-quarterly", "get /t/{tenant}/review-weekly", "get /t/{tenant}/executive-report", "get /t/{tenant}/report/{file}", "get /t/{tenant}/maintenance.ics", "get /t/{tenant}/key-dates.ics", "get /t/{tenant}/feed.atom",
		"get /t/{tenant}/badge.svg", "get /t/{tenant}/status.json", "get /t/{tenant}/api/v1/status", "get /t/{tenant}/api/v1/slos", "get /t/{tenant}/api/v1/incidents",
		"get /t/{tenant}/api/v1/maintenance", "get /t/{tenant}/api/v1/credits", "get /t/{tenant}/api/v1/reports/{month}", "post /t/{tenant}/api/v1/incidents",
		"post /t/{tenant}/api/v1/incidents/{incident}/updates",
	}
	p := site(t, whole)
	w := ask(p, "GET", "/openapi.json", "")
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("%v, %q", err, doc.OpenAPI)
	}
	var found, ids []string
	for at, methods := range doc.Paths {
		for method, o := range methods {
			found, ids = append(found, method+" "+at), append(ids, o.OperationID)
		}
	}
	slices.Sort(found)
	slices.Sort(promised)
	if !slices.Equal(found, promised) {
		t.Errorf("the document has\n%q, want\n%q", found, promised)
	}
	slices.Sort(ids)
	if n := len(ids); len(slices.Compact(ids)) != n || slices.Contains(ids, "") {
		t.Errorf("operation ids %q: want one for each, all different", ids)
	}
	for _, r := range regexp.MustCompile(`#/components/schemas/([^"]+)`).FindAllStringSubmatch(w.Body.String(), -1) {
		if doc.Components.Schemas[r[1]] == nil {
			t.Errorf("no schema %q", r[1])
		}
	}
	values := strings.NewReplacer("{tenant}", "acme", "{name}", "portal.css", "{file}", "2026-09.html", "{month}", "2026-09", "{incident}", "INC-1")
	none := ask(p, "GET", "/nothing", "")
	for _, r := range promised {
		method, at, _ := strings.Cut(r, " ")
		token := map[bool]string{true: opsToken, false: acmeToken}[strings.HasPrefix(at, "/ops") || at == "/metrics"]
		body, kind := "", ""
		switch {
		case method == "post" && strings.Contains(at, "/api/"):
			token, body, kind = acmeWrite, `{"title": "t", "severity": "p1"}`, "application/json"
			if strings.HasSuffix(at, "updates") {
				body = `{"text": "t"}`
			}
		case method == "post":
			body, kind = "title=t&token="+acmeToken+"&tenant=acme", "application/x-www-form-urlencoded"
		}
		got := ask(p, strings.ToUpper(method), values.Replace(at), body, append(bearer(token), "Content-Type", kind)...)
		absent := at == "/t/{tenant}/api/v1/slos" || at == "/t/{tenant}/journeys" || strings.Contains(at, "review-") || at == "/t/{tenant}/executive-report" || at == "/t/{tenant}/help" // the customer has none
		if same(got, none) != absent {
			t.Errorf("%s is answered by %d", r, got.Code)
		}
	}
}

// What the configuration does not ask for is not there.
func TestWanted(t *testing.T) {
	p := site(t, func(c *portal.Config) { c.Index, c.AdminApart, c.Ops = false, true, portal.TokenHash{} })
	for _, target := range []string{"/", "/metrics", "/healthz", "/ops/", "/ops/shifts.ics", "/t/acme/request"} {
		if w := ask(p, "GET", target, "", bearer(acmeToken)...); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	if w := ask(p.Admin(), "GET", "/healthz", ""); w.Code != http.StatusOK {
		t.Errorf("health: %d", w.Code)
	}
}

func TestIndex(t *testing.T) {
	w := ask(site(t, nil), "GET", "/", "")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `href="t/open/"`) || strings.Contains(w.Body.String(), "acme") || strings.Contains(w.Body.String(), "beta") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

var link = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)

// Every link of every page leads to something that the caller may see, from page to
// page until there is no new one.
func TestLinks(t *testing.T) {
	p := site(t, func(c *portal.Config) { whole(c); c.Tenants[0].Disabled = nil })
	todo, seen := []string{"/t/acme/", "/login"}, map[string]bool{}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		w := ask(p, "GET", at, "", bearer(acmeToken)...)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", at, w.Code)
			continue
		}
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			continue
		}
		folder, _, _ := strings.Cut(at, "?")
		if !strings.HasSuffix(folder, "/") {
			folder = path.Dir(folder)
		}
		for _, m := range link.FindAllStringSubmatch(w.Body.String(), -1) {
			to, _, _ := strings.Cut(strings.ReplaceAll(m[1], "&amp;", "&"), "#")
			name, query, asked := strings.Cut(to, "?")
			switch {
			case to == "" || strings.Contains(to, ":"):
				continue
			case name == "":
				to, _, _ = strings.Cut(at, "?")
			case strings.HasPrefix(name, "/"):
				to = name
			default:
				to = path.Join(folder, name)
				if strings.HasSuffix(name, "/") || name == "." || name == "./" {
					to += "/"
				}
			}
			if asked {
				to += "?" + query
			}
			todo = append(todo, to)
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d addresses were seen", len(seen))
	}
}

// A language is asked for, or that of the customer, or that of the reader.
func TestLanguage(t *testing.T) {
	p := site(t, nil)
	open := customer(t, "open", "x")
	open.Locale = ""
	if err := p.Update(open); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ target, accept, want string }{
		{"/t/acme/", "de", "en"},
		{"/t/acme/?lang=fr", "de", "fr"},
		{"/t/acme/?lang=xx", "de", "en"},
		{"/t/open/", "de-AT,en;q=0.5", "de"},
		{"/t/open/", "xx", "en"},
		{"/t/open/?lang=nl", "de", "nl"},
		{"/login", "nl", "nl"},
		{"/login?lang=fr", "nl", "fr"},
	} {
		w := ask(p, "GET", c.target, "", append(bearer(acmeToken), "Accept-Language", c.accept)...)
		if !strings.Contains(w.Body.String(), `<html lang="`+c.want+`"`) {
			t.Errorf("%s for %s: want %s: %.200s", c.target, c.accept, c.want, w.Body)
		}
	}
	if w := ask(p, "GET", "/t/open/", "", "Accept-Language", "de"); w.Header().Get("Vary") != "Accept-Language" {
		t.Errorf("Vary %q", w.Header().Get("Vary"))
	}
}

// An update is seen at once, and by nobody else.
func TestUpdate(t *testing.T) {
	p := site(t, nil)
	before := ask(p, "GET", "/t/open/status.json", "").Header().Get("ETag")
	next := customer(t, "open", "second")
	if err := p.Update(next); err != nil {
		t.Fatal(err)
	}
	w := ask(p, "GET", "/t/open/status.json", "", "If-None-Match", before)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "second") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if err := p.Update(&page.Tenant{ID: "nobody"}); err == nil {
		t.Error("a customer of nobody is taken")
	}
}

// The hook lets in whom it names, to what its role says.
func TestAuthorize(t *testing.T) {
	p := site(t, func(c *portal.Config) {
		c.Desk = &desk{}
		c.Authorize = func(r *http.Request) (string, string, bool) {
			tenant, role, ok := strings.Cut(r.Header.Get("X-User"), " ")
			return tenant, role, ok
		}
	})
	for _, c := range []struct {
		user, method, target string
		want                 int
	}{
		{"acme reader", "GET", "/t/acme/", 200},
		{"acme reader", "GET", "/t/beta/", 404},
		{"acme writer", "GET", "/t/acme/", 200},
		{"acme guest", "GET", "/t/acme/", 404},
		{"acme reader", "POST", "/t/acme/api/v1/incidents", 404},
		{"acme writer", "POST", "/t/acme/api/v1/incidents", 415},
		{"acme operator", "GET", "/ops/", 404},
		{" operator", "GET", "/ops/", 200},
		{" operator", "GET", "/t/acme/", 404},
		{" reader", "GET", "/ops/", 404},
		{"", "GET", "/t/acme/", 404},
	} {
		if w := ask(p, c.method, c.target, "", "X-User", c.user); w.Code != c.want {
			t.Errorf("%q %s %s: %d, want %d", c.user, c.method, c.target, w.Code, c.want)
		}
	}
}

func TestRequestForm(t *testing.T) {
	o := &outbox{}
	p := site(t, func(c *portal.Config) { c.Requests = o })
	send := func(fields string) (int, string) {
		w := ask(p, "POST", "/t/acme/request", fields, append(bearer(acmeToken), "Content-Type", "application/x-www-form-urlencoded")...)
		return w.Code, w.Body.String()
	}
	if code, body := send("title=More+disks&text=please&contact=nina&service=api-" + acmeMark); code != http.StatusOK || !strings.Contains(body, "REQ-1") {
		t.Errorf("%d %.300s", code, body)
	}
	if len(o.sent) != 1 || o.sent[0].Tenant != "acme" || o.sent[0].Title != "More disks" || o.sent[0].At != now {
		t.Errorf("sent %+v", o.sent)
	}
	for _, fields := range []string{"title=", "title=x&service=api-" + betaMark, "title=a%0d%0ab", "title=" + strings.Repeat("x", 301), "title=x&contact=a%0ab"} {
		if code, body := send(fields); code != http.StatusOK || strings.Contains(body, "REQ-") {
			t.Errorf("%s: %d", fields, code)
		}
	}
	if code, _ := send("title=" + strings.Repeat("x", 20<<10)); code != http.StatusNotFound {
		t.Errorf("a body that is too large: %d", code)
	}
	for range 20 { // as many as an address may send in a minute
		send("title=x")
	}
	if len(o.sent) > 10 {
		t.Errorf("%d requests were taken in a minute, want at most 10", len(o.sent))
	}
}

func TestNewRefuses(t *testing.T) {
	h := portal.TokenHashOf
	for _, c := range []struct {
		change func(*portal.Config)
		path   string
	}{
		{func(c *portal.Config) { c.Tenants[0].ID = "Acme" }, "tenants[0].id"},
		{func(c *portal.Config) { c.Tenants[0].ID = "" }, "tenants[0].id"},
		{func(c *portal.Config) { c.Tenants[1].ID = "acme" }, "tenants[1].id"},
		{func(c *portal.Config) { c.Tenants[0].Public = true }, "tenants[0].token"},
		{func(c *portal.Config) { c.Tenants[0].Token = portal.TokenHash{} }, "tenants[0].token"},
		{func(c *portal.Config) { c.Tenants[0].Feed = h(acmeToken) }, "tenants[0].feed"},
		{func(c *portal.Config) { c.BaseURL = "ftp://x" }, "base_url"},
		{func(c *portal.Config) { c.BaseURL = "https://x/status" }, "base_url"},
		{func(c *portal.Config) { c.Key = []byte("short") }, "key"},
		{func(c *portal.Config) { c.Brand.Logo = "../x.svg" }, "brand.logo"},
		{func(c *portal.Config) { c.Brand.Logo = "x.html" }, "brand.logo"},
		{func(c *portal.Config) { c.Brand.Logo = "x.svg" }, "logo"},
	} {
		conf := config()
		c.change(&conf)
		if _, err := portal.New(conf); err == nil || !strings.Contains(err.Error(), "portal: "+c.path+": ") {
			t.Errorf("%s: %v", c.path, err)
		}
	}
}

// A page that is turned off, and the form without anybody who takes it, are not linked.
func TestWithout(t *testing.T) {
	p := site(t, func(c *portal.Config) { c.Tenants[0].Disabled = []page.Name{page.Credits} })
	for _, at := range []string{"/t/acme/", "/t/acme/help"} {
		w := ask(p, "GET", at, "", bearer(acmeToken)...)
		if body := w.Body.String(); w.Code != http.StatusOK || strings.Contains(body, `href="credits"`) || strings.Contains(body, `href="request"`) || !strings.Contains(body, `href="incidents"`) {
			t.Errorf("%s: %d links to what is not there", at, w.Code)
		}
	}
}
