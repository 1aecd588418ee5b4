package portal_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla"
)

// Every denial has the same bytes and headers.
func TestDenials(t *testing.T) {
	p := site(t, func(c *portal.Config) { c.Attempts = 1000 })
	want := ask(p, "GET", "/t/nobody/", "")
	if want.Code != http.StatusNotFound || want.Body.Len() == 0 {
		t.Fatalf("an unknown tenant is answered by %d", want.Code)
	}
	for _, c := range []struct {
		name, method, target string
		headers              []string
	}{
		{"no token", "GET", "/t/acme/", nil},
		{"wrong token", "GET", "/t/acme/", bearer("wrong")},
		{"token of another", "GET", "/t/acme/", bearer(betaToken)},
		{"token of the operations", "GET", "/t/acme/", bearer(opsToken)},
		{"empty token", "GET", "/t/acme/", bearer("")},
		{"token as Basic", "GET", "/t/acme/", []string{"Authorization", "Basic " + acmeToken}},
		{"token in the address", "GET", "/t/acme/?k=" + acmeToken, nil},
		{"token of the feeds on a page", "GET", "/t/acme/?k=" + acmeFeed, nil},
		{"token of the feeds as a header", "GET", "/t/acme/badge.svg", bearer(acmeFeed)},
		{"wrong token of the feeds", "GET", "/t/acme/badge.svg?k=wrong", nil},
		{"feeds without one", "GET", "/t/beta/feed.atom?k=" + acmeFeed, nil},
		{"badge", "GET", "/t/acme/badge.svg", nil},
		{"calendar", "GET", "/t/acme/maintenance.ics", nil},
		{"state", "GET", "/t/acme/status.json", nil},
		{"API", "GET", "/t/acme/api/v1/status", nil},
		{"report", "GET", "/t/acme/report/2026-09.pdf", nil},
		{"token of writes", "GET", "/t/acme/api/v1/status", bearer(acmeWrite)},
		{"disabled page", "GET", "/t/acme/help", bearer(acmeToken)},
		{"unknown page", "GET", "/t/acme/nothing", bearer(acmeToken)},
		{"unknown month", "GET", "/t/acme/report/2020-01.html", bearer(acmeToken)},
		{"unknown form", "GET", "/t/acme/report/2026-09.exe", bearer(acmeToken)},
		{"unknown badge", "GET", "/t/acme/badge.svg?metric=secret", bearer(acmeToken)},
		{"wrong method", "DELETE", "/t/acme/", bearer(acmeToken)},
		{"wrong method without a token", "PUT", "/t/acme/slo", nil},
		{"wrong method of a public one", "PUT", "/t/open/slo", nil},
		{"connect", "CONNECT", "/t/acme/", nil},
		{"options", "OPTIONS", "/t/acme/", nil},
		{"write without a desk", "POST", "/t/acme/api/v1/incidents", bearer(acmeWrite)},
		{"without data", "GET", "/t/empty/", bearer("empty-token")},
		{"upper case", "GET", "/t/ACME/", bearer(acmeToken)},
		{"escaped slash", "GET", "/t/acme%2F..%2Fbeta/", bearer(acmeToken)},
		{"dots", "GET", "/t/acme/../beta/", bearer(acmeToken)},
		{"escaped dots", "GET", "/t/acme/%2e%2e/beta/", bearer(acmeToken)},
		{"two slashes", "GET", "//t/acme/", bearer(acmeToken)},
		{"dashboard", "GET", "/ops/", nil},
		{"dashboard for a customer", "GET", "/ops/", bearer(acmeToken)},
		{"metrics", "GET", "/metrics", bearer(acmeToken)},
		{"long address", "GET", "/t/acme/?q=" + strings.Repeat("x", 5000), bearer(acmeToken)},
		{"from elsewhere", "POST", "/login", []string{"Sec-Fetch-Site", "cross-site"}},
		{"sign in with nothing", "POST", "/login", nil},
		{"any tag", "GET", "/t/acme/", []string{"If-None-Match", "*"}},
		{"a time", "GET", "/t/acme/status.json", []string{"If-Modified-Since", "Thu, 01 Oct 2026 12:00:00 GMT"}},
		{"a range", "GET", "/t/acme/badge.svg", []string{"Range", "bytes=0-0", "If-Range", `"x"`}},
		{"compressed", "GET", "/t/acme/", []string{"Accept-Encoding", "gzip, br", "Accept-Language", "de"}},
		{"another method by a header", "GET", "/t/acme/", []string{"X-HTTP-Method-Override", "POST", "X-Forwarded-For", "127.0.0.1"}},
		{"session that is none", "GET", "/t/acme/", []string{"Cookie", "evenkeel=" + strings.Repeat("A", 54)}},
		{"asset", "GET", "/assets/none.css", nil},
	} {
		if got := ask(p, c.method, c.target, "", c.headers...); !same(got, want) {
			t.Errorf("%s: %s %s is answered by %d %v, want the same as for nobody", c.name, c.method, c.target, got.Code, got.Header())
		}
	}
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for _, fields := range []string{"tenant=acme&token=wrong", "tenant=nobody&token=wrong", "tenant=&token=wrong", "tenant=open&token=x", "tenant=acme&token=", "%zz", "tenant=beta&token=" + acmeToken} {
		if got := ask(p, "POST", "/login", fields, form...); !same(got, want) {
			t.Errorf("login with %s: %d %v", fields, got.Code, got.Header())
		}
	}
	// What is private is never answered by "not modified", which would say what it is.
	if w := ask(p, "GET", "/t/acme/status.json", "", append(bearer(acmeToken), "If-None-Match", "*", "Range", "bytes=0-0")...); w.Code != http.StatusOK || w.Header().Get("ETag") != "" {
		t.Errorf("a private file with any tag: %d, ETag %q", w.Code, w.Header().Get("ETag"))
	}
	if w := ask(p, "HEAD", "/t/acme/", ""); w.Code != http.StatusNotFound || w.Body.Len() > 0 || w.Header().Get("Content-Length") != want.Header().Get("Content-Length") {
		t.Errorf("HEAD: %d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
}

// The hook is asked about a customer that does not exist as about one that does, so
// that the time it takes tells them apart no more than the answer.
func TestDenialsAsk(t *testing.T) {
	asked := 0
	p := site(t, func(c *portal.Config) {
		c.Authorize = func(*http.Request) (string, string, bool) { asked++; return "open", portal.RoleReader, true }
	})
	for _, target := range []string{"/t/acme/", "/t/nobody/", "/t/empty/", "/t/acme/badge.svg?k=wrong", "/t/nobody/badge.svg?k=wrong"} {
		if asked = 0; ask(p, "GET", target, "", bearer("wrong")...).Code != http.StatusNotFound || asked != 1 {
			t.Errorf("%s: asked %d times, want once", target, asked)
		}
	}
}

// What is wrong with files is told to the operations alone, and the dashboard links to
// no page that was switched off.
func TestDashboard(t *testing.T) {
	p := site(t, func(c *portal.Config) { c.Tenants[0].Disabled = []page.Name{page.Incidents} })
	ops := ask(p, "GET", "/ops/", "", bearer(opsToken)...).Body.String()
	for _, want := range []string{"Notice " + acmeMark, `href="../t/acme/slo"`, `href="../t/open/incidents#`} {
		if !strings.Contains(ops, want) {
			t.Errorf("the dashboard lacks %q", want)
		}
	}
	if strings.Contains(ops, "../t/acme/incidents") {
		t.Error("the dashboard links to a page that was switched off")
	}
	for _, target := range targets("acme") {
		if strings.Contains(target, "report") {
			continue // has notices of its own
		}
		if strings.Contains(ask(p, "GET", target, "", bearer(acmeToken)...).Body.String(), "Notice "+acmeMark) {
			t.Errorf("%s shows a notice of the operations", target)
		}
	}
}

func TestHeaders(t *testing.T) {
	p := site(t, nil)
	for _, c := range []struct {
		target, cache string
		headers       []string
	}{
		{"/t/open/status.json", "no-cache", nil},
		{"/t/acme/status.json", "private, no-store", bearer(acmeToken)},
		{"/t/acme/", "private, no-store", nil}, // denied
		{"/login", "private, no-store", nil},
		{"/openapi.json", "no-cache", nil},
	} {
		w := ask(p, "GET", c.target, "", c.headers...)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
			"X-Content-Type-Options":  "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": c.cache,
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", c.target, name, got, want)
			}
		}
		if tag := w.Header().Get("ETag"); (tag != "") != (c.cache == "no-cache") {
			t.Errorf("%s: ETag %q", c.target, tag)
		} else if tag != "" {
			if again := ask(p, "GET", c.target, "", "If-None-Match", `"other", W/`+tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
				t.Errorf("%s with its tag: %d and %d bytes", c.target, again.Code, again.Body.Len())
			}
		}
	}
}

// A session opens its own place, until it ends or the token is replaced.
func TestSession(t *testing.T) {
	at, key := now, []byte(strings.Repeat("k", 32))
	with := func(token string) *portal.Portal {
		return site(t, func(c *portal.Config) {
			c.Now, c.Key = func() time.Time { return at }, key
			c.Tenants[0].Token = portal.TokenHashOf(token)
		})
	}
	p := with(acmeToken)
	w := ask(p, "POST", "/login", "tenant=acme&token="+acmeToken, "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	cookies := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/t/acme/" || len(cookies) != 1 {
		t.Fatalf("login: %d %v", w.Code, w.Header())
	}
	c := cookies[0]
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/t/acme/" || strings.Contains(c.Value, acmeToken) {
		t.Errorf("cookie %+v", c)
	}
	code := func(p *portal.Portal, target, value string) int {
		return ask(p, "GET", target, "", "Cookie", c.Name+"="+value).Code
	}
	if got := code(p, "/t/acme/api/v1/status", c.Value); got != http.StatusOK {
		t.Errorf("with the session: %d", got)
	}
	flipped := []byte(c.Value)
	flipped[20] ^= 1
	for name, got := range map[string]int{
		"another customer":  code(p, "/t/beta/api/v1/status", c.Value),
		"the dashboard":     code(p, "/ops/", c.Value),
		"a changed session": code(p, "/t/acme/api/v1/status", string(flipped)),
		"a longer session":  code(p, "/t/acme/api/v1/status", c.Value+"AAAA"),
		"no session":        code(p, "/t/acme/api/v1/status", ""),
		"a new token":       code(with("new-token"), "/t/acme/api/v1/status", c.Value),
		"a write":           ask(p, "POST", "/t/acme/api/v1/incidents", "{}", "Cookie", c.Name+"="+c.Value).Code,
	} {
		if got != http.StatusNotFound {
			t.Errorf("%s: %d", name, got)
		}
	}
	at = now.Add(12*time.Hour - time.Second)
	if got := code(p, "/t/acme/api/v1/status", c.Value); got != http.StatusOK {
		t.Errorf("a second before its end: %d", got)
	}
	at = now.Add(12 * time.Hour)
	if got := code(p, "/t/acme/api/v1/status", c.Value); got != http.StatusNotFound {
		t.Errorf("at its end: %d", got)
	}
	w = ask(p, "POST", "/login", "tenant=&token="+opsToken, "Content-Type", "application/x-www-form-urlencoded")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/ops/" {
		t.Errorf("login of the operations: %d %v", w.Code, w.Header())
	}
}

// Ten wrong tokens of an address for a customer are looked at in a minute, no matter
// which way they come; after them the right one is refused too, until the minute is over.
func TestAttempts(t *testing.T) {
	at := now
	p := site(t, func(c *portal.Config) { c.Now = func() time.Time { return at } })
	try := func(address, target, token string) int {
		r := httptest.NewRequestWithContext(t.Context(), "GET", target, nil)
		r.RemoteAddr = address
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w.Code
	}
	const here, there = "192.0.2.1:1000", "192.0.2.2:1000"
	for range 100 { // without a token, and with the right one, it is no attempt
		try(here, "/t/acme/status.json", "")
		if try(here, "/t/acme/status.json", acmeToken) != http.StatusOK {
			t.Fatal("the right token is refused")
		}
	}
	for range 5 {
		try(here, "/t/acme/status.json", "wrong")
		try("192.0.2.1:2000", "/t/acme/status.json?k=wrong", "")
	}
	for name, c := range map[string]struct{ got, want int }{
		"after ten":        {try(here, "/t/acme/status.json", acmeToken), 404},
		"by ?k=":           {try(here, "/t/acme/status.json?k="+acmeFeed, ""), 404},
		"another address":  {try(there, "/t/acme/status.json", acmeToken), 200},
		"another customer": {try(here, "/t/beta/status.json", betaToken), 200},
		"a public one":     {try(here, "/t/open/status.json", ""), 200},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", name, c.got, c.want)
		}
	}
	at = at.Add(time.Minute)
	if got := try(here, "/t/acme/status.json", acmeToken); got != http.StatusOK {
		t.Errorf("a minute later: %d", got)
	}
	for i := range 10 { // addresses of one connection by IPv6
		try(fmt.Sprintf("[2001:db8::%x]:1", i+1), "/t/acme/status.json", "wrong")
	}
	if got := try("[2001:db8::ffff]:1", "/t/acme/status.json", acmeToken); got != http.StatusNotFound {
		t.Errorf("another address of the same connection: %d", got)
	}
	if got := try("[2001:db8:0:1::1]:1", "/t/acme/status.json", acmeToken); got != http.StatusOK {
		t.Errorf("another connection: %d", got)
	}
}

// targets are all kinds of addresses of a portal, for a customer.
func targets(tenant string) []string {
	var list []string
	for _, name := range []string{
		"", "slo", "incidents", "maintenance", "credits", "catalogue", "help", "search?q=canary", "request", "journeys", "review-weekly", "review-monthly", "review-quarterly", "executive-report", "report/2026-09.html",
		"report/2026-09.pdf", "report/2026-09.csv", "report/2026-09.json", "report/2026-10.json", "maintenance.ics", "key-dates.ics", "feed.atom", "badge.svg", "badge.svg?metric=budget",
		"badge.svg?metric=status", "status.json", "api/v1/status", "api/v1/slos", "api/v1/incidents", "api/v1/maintenance", "api/v1/credits", "api/v1/reports/2026-09", "?lang=de", "?wall=30",
	} {
		list = append(list, "/t/"+tenant+"/"+name)
	}
	return append(list, "/", "/login", "/openapi.json", "/assets/portal.css", "/ops/", "/metrics", "/healthz")
}

// leaks returns the canaries that an answer to a caller with the token of acme holds
// and may not hold.
func leaks(w *httptest.ResponseRecorder, public bool) string {
	text := w.Body.String() + fmt.Sprint(w.Header())
	if strings.Contains(text, betaMark) {
		return betaMark
	}
	if !public && strings.Contains(text, openMark) {
		return openMark
	}
	return ""
}

// Nobody sees a byte of another customer, whatever is asked for with whatever token
// of one's own. A seeded loop over methods, paths, encodings, headers and tokens.
func TestCanary(t *testing.T) {
	p := site(t, func(c *portal.Config) { c.Attempts = 1 << 30; c.Desk = &desk{}; c.Requests = &outbox{} })
	all := slices.Concat(targets("acme"), targets("beta"), targets("open"), targets("empty"), targets("nobody"))
	seen := 0
	rounds := 20000
	if testing.Short() {
		rounds = 2000
	}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	for range rounds {
		target := pick(all...)
		switch random.IntN(8) {
		case 0:
			target = mutate(random, target)
		case 1:
			target = strings.Replace(target, "beta", pick("acme/../beta", "acme%2f..%2fbeta", "%62eta", "beta%00", "beta;x", "./beta", "Beta", "beta "), 1)
			target = strings.ReplaceAll(target, " ", "%20")
		case 2:
			target = pick("http://beta", "http://status.example.net") + target
		}
		u, err := url.Parse(target)
		if err != nil || strings.ContainsAny(target, " \x00\n\r\t") || u.Path == "" {
			continue
		}
		var headers []string
		token := pick(acmeToken, acmeToken, acmeToken, acmeFeed, acmeWrite, "", "BETA-TOKEN", "beta-toke", "null")
		switch random.IntN(5) {
		case 0, 1:
			headers = bearer(token)
		case 2:
			headers = []string{"Authorization", pick("Basic ", "bearer\t", "Token ", "") + token}
		case 3:
			headers = []string{"Cookie", "evenkeel=" + token, "X-Forwarded-For", pick("127.0.0.1", "beta"), "X-Original-Url", "/t/beta/", "X-Tenant", "beta", "Host", "beta"}
		default:
			if u.RawQuery != "" {
				target += "&"
			} else {
				target += "?"
			}
			target += "k=" + url.QueryEscape(token)
		}
		method := pick("GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get")
		body := pick("", "tenant=beta&token="+token, `{"title":"x","severity":"p1"}`, "{")
		r, ok := request(method, target, body, headers)
		if !ok {
			continue
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		public := strings.HasPrefix(r.URL.Path, "/t/open/") || r.URL.Path == "/"
		if leak := leaks(w, public); leak != "" {
			t.Fatalf("%s %s %q: %d shows %s", method, target, headers, w.Code, leak)
		}
		if strings.Contains(w.Body.String(), acmeMark) {
			seen++
		}
	}
	if seen < rounds/500 {
		t.Errorf("only %d of %d answers showed the customer's own: the loop looks at nothing", seen, rounds)
	}
	for _, target := range all { // and those of beta are there, for beta
		if w := ask(p, "GET", target, "", bearer(betaToken)...); strings.HasPrefix(target, "/t/beta/api/v1/incidents") && !strings.Contains(w.Body.String(), betaMark) {
			t.Errorf("%s does not show its own canary: the test proves nothing", target)
		}
	}
}

// mutate changes a byte or two of an address.
func mutate(random *rand.Rand, s string) string {
	b := []byte(s)
	for range 1 + random.IntN(3) {
		i := random.IntN(len(b))
		switch random.IntN(4) {
		case 0:
			b[i] = "/.%;?#&=~abct-2\\"[random.IntN(16)]
		case 1:
			b = append(b[:i], b[i+1:]...)
		case 2:
			b = slices.Insert(b, i, []byte(fmt.Sprintf("%%%02x", b[i]))...)
		default:
			b = slices.Insert(b, i, b[i:min(len(b), i+4)]...)
		}
		if len(b) == 0 {
			return "/"
		}
	}
	return string(b)
}

// request makes a request as a server reads it from the wire; what it would not read
// is not ok.
func request(method, target, body string, headers []string) (r *http.Request, ok bool) {
	defer func() {
		if recover() != nil { // httptest panics on a request line that it cannot read
			r, ok = nil, false
		}
	}()
	r = httptest.NewRequest(method, target, strings.NewReader(body)) //nolint:noctx // lives as long as the call
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if method == "POST" && strings.HasPrefix(body, "tenant") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else if method == "POST" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, true
}

func FuzzWalls(f *testing.F) {
	for _, target := range slices.Concat(targets("acme"), targets("beta")) {
		f.Add("GET", target, acmeToken, "", "")
	}
	f.Add("POST", "/login", "", "tenant=beta&token=acme-token", "evenkeel=AAAA")
	f.Add("POST", "/t/beta/api/v1/incidents", acmeWrite, `{"title":"t","severity":"p1"}`, "")
	p := site(f, func(c *portal.Config) { c.Attempts = 1 << 30; c.Desk = &desk{}; c.Requests = &outbox{} })
	f.Fuzz(func(t *testing.T, method, target, token, body, cookie string) {
		if strings.Contains(token+body, betaToken) {
			t.Skip("that is how beta gets in")
		}
		if !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
		r, ok := request(method, target, body, []string{"Authorization", "Bearer " + token, "Cookie", cookie})
		if !ok {
			t.Skip("no request")
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if strings.Contains(target+cookie+body, betaMark) {
			t.Skip("the caller knows it already")
		}
		if leak := leaks(w, strings.HasPrefix(r.URL.Path, "/t/open/") || r.URL.Path == "/"); leak != "" {
			t.Fatalf("%s %q shows %s", method, target, leak)
		}
		if w.Code == http.StatusInternalServerError {
			t.Fatalf("%s %q: %s", method, target, w.Body)
		}
		if w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Fatalf("%s %q: headers %v", method, target, w.Header())
		}
	})
}

// governed names the pages of which each address of a customer needs all, by hand.
var governed = map[string][]page.Name{
	"": nil, "status.json": nil, "api/v1/status": nil, "badge.svg?metric=status": nil,
	"slo": {page.SLO}, "badge.svg": {page.SLO}, "badge.svg?metric=availability": {page.SLO}, "badge.svg?metric=budget": {page.SLO},
	"incidents": {page.Incidents}, "api/v1/incidents": {page.Incidents}, "feed.atom": {page.Incidents},
	"maintenance": {page.Maintain}, "api/v1/maintenance": {page.Maintain}, "maintenance.ics": {page.Maintain},
	"credits": {page.Credits}, "api/v1/credits": {page.Credits},
	"catalogue": {page.Catalogue}, "key-dates.ics": {page.Catalogue},
	"help": {page.Help}, "search?q=canary": {page.Search}, "request": {page.Request},
	"report/2026-09.html": monthly, "report/2026-09.pdf": monthly, "report/2026-09.csv": monthly, "report/2026-09.json": monthly, "api/v1/reports/2026-09": monthly,
	"review-weekly": {page.ReviewWeek, page.SLO, page.Incidents, page.Maintain}, "review-monthly": reviewed(page.ReviewMonth), "review-quarterly": reviewed(page.ReviewQuart),
	"executive-report": reviewed(page.Executive),
}

func reviewed(own page.Name) []page.Name { return append([]page.Name{own}, monthly[1:]...) }

// withPacks is a customer with all reviews.
func withPacks(of *page.Tenant) *page.Tenant {
	t := *of
	for _, r := range []struct {
		pack   **report.ReviewPack
		review sla.Review
	}{{&t.Weekly, sla.WeeklyReview()}, {&t.Monthly, sla.MonthlyReview()}, {&t.Quarterly, sla.QuarterlyReview()}, {&t.Executive, sla.ExecutiveReport()}} {
		*r.pack = &report.ReviewPack{Review: r.review, Reports: t.Months}
	}
	return &t
}

var monthly = []page.Name{page.Reports, page.SLO, page.Incidents, page.Maintain, page.Credits}

// A page that is switched off is gone in all of its forms: the API, feeds, calendars,
// badges, reports, what writes, and the files of a static site. The answer is the one
// to everything that is not there, and no other page links to it.
func TestDisabled(t *testing.T) {
	dates := []continuity.KeyDate{{ID: "sale", Name: "Sale", Zone: "Europe/Amsterdam", Rule: continuity.Rule{Dates: []string{"2026-11-27"}}}}
	link := regexp.MustCompile(`(?:href|action)="([^"#?]*)`)
	for _, off := range page.Names()[1:] { // the first is the state, which everybody has
		p := site(t, func(c *portal.Config) {
			c.Attempts, c.Desk, c.Requests = 1<<30, &desk{}, &outbox{}
			c.Tenants[0].Disabled, c.Tenants[0].KeyDates = []page.Name{off}, dates
		})
		for _, id := range []string{"acme", "open"} {
			if err := p.Update(withPacks(marked()[id])); err != nil {
				t.Fatal(err)
			}
		}
		none := ask(p, "GET", "/t/nobody/", "")
		for path, needs := range governed {
			got := ask(p, "GET", "/t/acme/"+path, "", bearer(acmeToken)...)
			if gone := slices.Contains(needs, off); gone != same(got, none) || !gone && got.Code != http.StatusOK {
				t.Errorf("without %s: /t/acme/%s is answered by %d", off, path, got.Code)
			}
			if strings.Contains(path, ".") && !strings.Contains(path, "/") { // what a token of the feeds opens
				separator := "?"
				if strings.Contains(path, "?") {
					separator = "&"
				}
				if got := ask(p, "GET", "/t/acme/"+path+separator+"k="+acmeFeed, ""); slices.Contains(needs, off) != same(got, none) {
					t.Errorf("without %s: /t/acme/%s with the token of the feeds is answered by %d", off, path, got.Code)
				}
			}
			if other := ask(p, "GET", "/t/open/"+path, ""); other.Code != http.StatusOK && path != "key-dates.ics" {
				t.Errorf("without %s for acme: /t/open/%s is answered by %d", off, path, other.Code)
			}
			if got.Code != http.StatusOK || !strings.HasPrefix(got.Header().Get("Content-Type"), "text/html") {
				continue
			}
			base, _ := url.Parse("/t/acme/" + path)
			for _, m := range link.FindAllStringSubmatch(got.Body.String(), -1) {
				ref, err := base.Parse(m[1])
				if err != nil || !strings.HasPrefix(ref.Path, "/t/") || m[1] == "" || ref.Host != "" {
					continue
				}
				if to := ask(p, "GET", ref.Path, "", bearer(acmeToken)...); to.Code != http.StatusOK {
					t.Errorf("without %s: /t/acme/%s links to %s, which is answered by %d", off, path, m[1], to.Code)
				}
			}
		}
		for path, body := range map[string]string{"incidents": `{"title":"x","severity":"p1"}`, "incidents/INC-1/updates": `{"text":"x"}`} {
			got := ask(p, "POST", "/t/acme/api/v1/"+path, body, append(bearer(acmeWrite), "Content-Type", "application/json")...)
			if gone := off == page.Incidents; gone != same(got, none) || !gone && got.Code != http.StatusCreated {
				t.Errorf("without %s: POST %s is answered by %d", off, path, got.Code)
			}
		}
		form := append(bearer(acmeToken), "Content-Type", "application/x-www-form-urlencoded")
		if got := ask(p, "POST", "/t/acme/request", "title=x&text=y", form...); (off == page.Request) != same(got, none) {
			t.Errorf("without %s: the form is answered by %d", off, got.Code)
		}
		files := map[string]bool{}
		for f, err := range p.Files(func(yield func(*page.Tenant, error) bool) { yield(withPacks(marked()["acme"]), nil) }) {
			if err != nil {
				t.Fatal(err)
			}
			files[f.Name] = true
		}
		for path, needs := range governed {
			if strings.ContainsRune(path, '?') || strings.HasPrefix(path, "api/") || path == "request" {
				continue
			}
			name := strings.ReplaceAll(path, "/", "-")
			if !strings.Contains(path, ".") {
				name = cmp.Or(path, "index") + ".html"
			}
			if gone := slices.Contains(needs, off); files["t/acme/"+name] == gone {
				t.Errorf("without %s: file %s is there: %t", off, name, gone)
			}
		}
	}
}

// Where incidents are switched off, the state of the services names none of them.
func TestDisabledIncidents(t *testing.T) {
	p := site(t, func(c *portal.Config) { c.Tenants[0].Disabled = []page.Name{page.Incidents} })
	for _, path := range []string{"", "status.json", "api/v1/status", "search?q=canary"} {
		body := ask(p, "GET", "/t/acme/"+path, "", bearer(acmeToken)...).Body.String()
		if !strings.Contains(body, "API "+acmeMark) && path != "search?q=canary" {
			t.Errorf("/t/acme/%s does not show the services", path)
		}
		for _, secret := range []string{"I-2-" + acmeMark, "We look into it"} {
			if strings.Contains(body, secret) {
				t.Errorf("/t/acme/%s shows %q", path, secret)
			}
		}
	}
}
