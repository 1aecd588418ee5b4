package portal

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/metrics"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident/continuity"
)

// Config is what a portal is made of. Only Tenants is required.
type Config struct {
	// BaseURL is where the portal is reached, such as "https://status.example.net". It
	// stands in feeds and calendars. Cookies are sent over TLS only if it is one of
	// https. Defaults to "http://localhost".
	BaseURL string

	Brand page.Brand
	Logo  []byte // the picture of Brand.Logo: SVG, PNG, JPEG or WebP

	// Index lists the public customers by name at /. Private ones are never listed.
	Index bool

	// Ops opens the dashboard of the operations, metrics and the shifts. Defaults to
	// none: there is no dashboard.
	Ops TokenHash

	// Roster is who is on call, for the shifts as a calendar. Defaults to none.
	Roster *escalation.Router

	Tenants []Tenant

	// Authorize is asked about requests that no token of the portal opens, for OpenID
	// Connect or a proxy that signs people in. It names the customer and what the
	// caller may: [RoleReader] or [RoleWriter]; for the dashboard it is tenant "" and
	// [RoleOperator]. It must be safe for concurrent use. Defaults to nobody.
	Authorize func(*http.Request) (tenant, role string, ok bool)

	// Desk takes incidents and updates from the API. Defaults to none: the routes that
	// write do not exist.
	Desk Desk

	// Requests takes what customers ask for by the form. Defaults to none.
	Requests Outbox

	// AdminApart says that metrics and health are served by [Portal.Admin] alone, at
	// another address. Otherwise the portal has them too: /metrics for those who may
	// see the dashboard, and /healthz for everybody.
	AdminApart bool

	// Proxies are the networks of those who ask for others and say so in ProxyHeader,
	// which is [XForwardedFor] or [Forwarded]: wrong tokens are counted by the last address
	// in it that is in none of the networks. The proxies have to set the header, or add to
	// it; of a request from elsewhere it is not looked at. Defaults to none, and to
	// X-Forwarded-For.
	Proxies     []netip.Prefix
	ProxyHeader string

	// Address is that of the caller, by which wrong tokens are counted. Defaults to
	// RemoteAddr, or what Proxies tell, with the first 64 bits of IPv6.
	Address func(*http.Request) string

	// Attempts is how many wrong tokens an address may try for a customer in a minute;
	// after them right ones are refused too. Defaults to 10.
	Attempts int

	// Key signs the cookies of those who signed in; 32 random bytes or more. Defaults
	// to a key made now, so that sessions end with the process.
	Key []byte

	Now func() time.Time // Defaults to time.Now.
	Log *slog.Logger     // Defaults to none.
}

// What a caller may, see [Config].Authorize.
const (
	RoleReader   = "reader"   // the pages of a customer
	RoleWriter   = "writer"   // these, and open incidents for it
	RoleOperator = "operator" // the dashboard of the operations
)

// Tenant is a customer of the portal: who may see it.
type Tenant struct {
	ID string // [a-z0-9][a-z0-9-]{0,62}; part of all addresses

	// Public opens all pages and feeds to everybody; without it Token is required, and
	// with it there must be none.
	Public bool
	Token  TokenHash
	Feed   TokenHash // opens badge, feeds and calendars in ?k=. Defaults to none.
	Write  TokenHash // opens what writes. Defaults to none.

	// Disabled pages do not exist, of all but [page.Status], and neither does what says the same in another form:
	// the routes of the API, feeds, calendars and badges, the files of a static site.
	// Without [page.Incidents] there is nothing to write to, and the state of the services
	// names no incident. [page.SLO] holds the badges of availability and budget, and
	// [page.Catalogue] the calendar of key dates. Monthly reports and reviews are there
	// only where what they hold is, see [page.Options.Has].
	Disabled []page.Name

	KeyDates []continuity.KeyDate // of the calendar of key dates
}

var tenantID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Portal serves the pages. It is an [http.Handler]; all of its methods may be called
// concurrently.
type Portal struct {
	*lasting

	// now is what requests begin with and end with. Whoever replaces it, or a view in it,
	// holds mu.
	now atomic.Pointer[snapshot]
	mu  sync.Mutex
}

// lasting is what outlives a configuration.
type lasting struct {
	key      []byte // of sessions, where the configuration has none
	attempts *attempts
	replays  *replays
	origin   *http.CrossOriginProtection
	ops      atomic.Pointer[page.Ops]
	unread   atomic.Pointer[string] // why the newest configuration is not served, nil when it is

	registry *metrics.Registry
	requests metrics.Counter
	reloads  metrics.Counter
}

// snapshot is one configuration with all that follows from it. But for the views of its
// customers it is never changed.
type snapshot struct {
	*lasting

	config   Config
	since    time.Time // it has been served
	base     site
	tenants  map[string]*tenant
	sorted   []*tenant // by id
	sessions sessions
	mux      *http.ServeMux
	routes   []route
	assets   map[string]asset
	openAPI  []byte
}

// tenant is a customer with what is shown of it now.
type tenant struct {
	Tenant
	view atomic.Pointer[view] // nil until the first Update
}

// New returns a portal. Until [Portal.Update] is called for a customer it has no
// pages, which looks the same as if there was no such customer. The error joins
// everything that is wrong with the configuration, as *ConfigError.
func New(c Config) (*Portal, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	p := &Portal{lasting: &lasting{
		key: key, attempts: newAttempts(cmp.Or(c.Attempts, 10)), replays: newReplays(), origin: http.NewCrossOriginProtection(), registry: metrics.New(),
	}}
	p.requests = p.registry.Counter("evenkeel_http_requests_total", "Requests by route and code of the answer.", "route", "code")
	p.reloads = p.registry.Counter("evenkeel_config_reload_errors_total", "Changes of files that could not be read.")
	s, err := p.snapshot(c)
	if err != nil {
		return nil, err
	}
	p.now.Store(s)
	return p, nil
}

// Reload replaces the configuration, and what is shown of the customers of the pages, in
// one step. A request that comes after it is answered by the new one alone: who lost a
// token, or a customer that is no more, is nobody from then on, sessions included. One
// under way ends with what it began with. Customers without a page among the given ones
// keep theirs. The number of Attempts stays that of [New], and so do sessions unless Key
// changes. With an error, which is that of New, nothing changes.
func (p *Portal) Reload(c Config, pages ...*page.Tenant) error {
	next, err := p.snapshot(c)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := p.now.Load()
	for _, t := range next.sorted {
		before := last.tenants[t.ID]
		if before == nil {
			continue
		}
		v := before.view.Load()
		if v != nil && (last.base != next.base || !reflect.DeepEqual(before.Tenant, t.Tenant)) {
			v = &view{tenant: &t.Tenant, page: v.page, base: next.base}
		}
		t.view.Store(v)
	}
	for _, shown := range pages {
		if err := next.update(shown); err != nil {
			return err
		}
	}
	p.now.Store(next)
	p.unread.Store(nil)
	return nil
}

// ReloadRefused says that there is a newer configuration, which cannot be served: it is
// counted, /healthz tells that it is so, and the dashboard tells the reason as well,
// until a [Portal.Reload] goes well.
func (p *Portal) ReloadRefused(reason error) {
	text := reason.Error()
	p.unread.Store(&text)
	p.reloads.Add(1)
}

// snapshot makes all that follows from a configuration.
func (s *lasting) snapshot(c Config) (*snapshot, error) {
	base, err := newSite(c.BaseURL)
	problems := []error{err}
	p := &snapshot{lasting: s, config: c, base: base, tenants: map[string]*tenant{}}
	if p.config.Now == nil {
		p.config.Now = time.Now
	}
	if p.config.Log == nil {
		p.config.Log = slog.New(slog.DiscardHandler)
	}
	if p.config.Address == nil {
		p.config.Address = func(r *http.Request) string { return origin(r.RemoteAddr) }
		if len(c.Proxies) > 0 {
			header := cmp.Or(c.ProxyHeader, XForwardedFor)
			p.config.Address = func(r *http.Request) string { return origin(client(r, c.Proxies, header)) }
		}
	}
	if c.ProxyHeader != "" && c.ProxyHeader != XForwardedFor && c.ProxyHeader != Forwarded {
		problems = append(problems, &ConfigError{"proxy_header", fmt.Sprintf("%q, want %s or %s", c.ProxyHeader, XForwardedFor, Forwarded)})
	}
	p.since = p.config.Now()
	for i, t := range c.Tenants {
		at := "tenants[" + strconv.Itoa(i) + "]"
		problems = append(problems, t.check(at))
		if p.tenants[t.ID] != nil {
			problems = append(problems, &ConfigError{at + ".id", fmt.Sprintf("%q stands twice", t.ID)})
		}
		p.tenants[t.ID] = &tenant{Tenant: t}
		p.sorted = append(p.sorted, p.tenants[t.ID])
	}
	slices.SortFunc(p.sorted, func(a, b *tenant) int { return cmp.Compare(a.ID, b.ID) })
	if p.sessions, err = newSessions(c.Key, s.key, base.secure); err != nil {
		problems = append(problems, err)
	}
	if p.assets, err = assets(c.Brand, c.Logo); err != nil {
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	p.mount()
	return p, nil
}

// ConfigError is something in a configuration that cannot be served.
type ConfigError struct {
	Path string // such as "tenants[0].id"
	Want string // what is wrong, and what was expected
}

// Error names the place and what was expected.
func (e *ConfigError) Error() string { return "portal: " + e.Path + ": " + e.Want }

func (t Tenant) check(at string) error {
	var problems []error
	if !tenantID.MatchString(t.ID) {
		problems = append(problems, &ConfigError{at + ".id", fmt.Sprintf("%q, want lower-case letters, digits and hyphens, a letter or digit first, at most 63", t.ID)})
	}
	none := TokenHash{}
	switch {
	case t.Public && t.Token != none:
		problems = append(problems, &ConfigError{at + ".token", "a public customer has none"})
	case !t.Public && t.Token == none:
		problems = append(problems, &ConfigError{at + ".token", "missing; a customer is public or has one"})
	}
	for i, n := range t.Disabled {
		if n == page.Status || !slices.Contains(page.Names(), n) {
			problems = append(problems, &ConfigError{at + ".disabled[" + strconv.Itoa(i) + "]", fmt.Sprintf("%q, want a page other than the first", n)})
		}
	}
	if t.Feed != none && (t.Feed == t.Token || t.Feed == t.Write) {
		problems = append(problems, &ConfigError{at + ".feed", "the token of the feeds stands in addresses, want one of its own"})
	}
	return errors.Join(problems...)
}

func newSessions(key, otherwise []byte, secure bool) (sessions, error) {
	if key == nil {
		key = otherwise
	}
	if len(key) < 32 {
		return sessions{}, &ConfigError{"key", "too short, want 32 bytes or more"}
	}
	return sessions{key: key, secure: secure}, nil
}

// site is where the portal is reached.
type site struct {
	url    string // without a slash at the end
	host   string // without the port
	secure bool
}

func newSite(base string) (site, error) {
	base = strings.TrimRight(cmp.Or(base, "http://localhost"), "/")
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return site{}, &ConfigError{"base_url", "want an address like https://status.example.net, without a path"}
	}
	return site{url: base, host: u.Hostname(), secure: u.Scheme == "https"}, nil
}

// address is that of a file of a customer.
func (s site) address(tenant, name string) string { return s.url + "/t/" + tenant + "/" + name }

// domain makes identities of a customer unique in the world.
func (s site) domain(tenant string) string { return tenant + "." + s.host }

// Update replaces what is shown of a customer by the value, which must not be changed
// afterwards. Requests under way end with the value they began with. A customer that
// the configuration does not name is an error.
func (p *Portal) Update(t *page.Tenant) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now.Load().update(t)
}

// Asked reports whether anything of a customer was shown to anybody since the last
// [Portal.Update], for those who keep fresh what is looked at.
func (p *Portal) Asked(tenant string) bool {
	t := p.now.Load().tenants[tenant]
	if t == nil {
		return false
	}
	v := t.view.Load()
	return v != nil && v.asked.Load()
}

func (p *snapshot) update(t *page.Tenant) error {
	c, ok := p.tenants[t.ID]
	if !ok {
		return fmt.Errorf("portal: no tenant %q", t.ID)
	}
	c.view.Store(&view{tenant: &c.Tenant, page: t, base: p.base})
	return nil
}

// ReloadFailed counts a change of files that could not be read, for the metrics. What
// the pages say of it is in [page.Tenant].Stale.
func (p *Portal) ReloadFailed() { p.reloads.Add(1) }

// ServeHTTP answers a request.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.now.Load().answer(w, r) }

func (p *snapshot) answer(w http.ResponseWriter, r *http.Request) {
	a := &answer{ResponseWriter: w}
	secure(a.Header())
	_, route := p.mux.Handler(r)
	if route == "" || !plain(r) || p.origin.Check(r) != nil {
		route = "none"
		deny(a, r)
	} else {
		p.mux.ServeHTTP(a, r) // once more, as this is what sets the values of the path
	}
	p.requests.Add(1, route, strconv.Itoa(cmp.Or(a.code, http.StatusOK)))
}

// maxAddress bounds path and query; what a form or a token needs is far below.
const maxAddress = 4 << 10

// plain reports whether a request is one that the routes are for. A path that is not
// clean is no route: the multiplexer would answer it with the clean one, and so
// otherwise than what does not exist.
func plain(r *http.Request) bool {
	clean := path.Clean(r.URL.Path)
	return r.Method != http.MethodConnect && len(r.RequestURI) <= maxAddress && len(r.URL.Path)+len(r.URL.RawQuery) <= maxAddress &&
		strings.HasPrefix(r.URL.Path, "/") && (r.URL.Path == clean || r.URL.Path == clean+"/")
}

// answer remembers the code of an answer.
type answer struct {
	http.ResponseWriter
	code int
}

// WriteHeader notes the code.
func (a *answer) WriteHeader(code int) {
	a.code = code
	a.ResponseWriter.WriteHeader(code)
}

// Unwrap gives http.ResponseController the writer beneath.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// secure sets the headers of every answer, whatever it is.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, no-store")
}

// deny is the one answer to everything that is not there or not for the caller.
func deny(w http.ResponseWriter, r *http.Request) {
	clear(w.Header()) // whatever a handler began to say
	secure(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	send(w, r, http.StatusNotFound, notFound)
}

// send writes an answer in one piece.
func send(w http.ResponseWriter, r *http.Request, code int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a reader that has gone is no error of ours
	}
}

// Server returns a server for the portal with limits for slow and large requests: five
// seconds for the head, ten for all of a request, thirty for the answer.
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, DisableGeneralOptionsHandler: true, // OPTIONS * has the one answer to what is not there
	}
}

var _ http.Handler = (*Portal)(nil)

// health answers that the process lives, and whether it serves the newest configuration:
// why not is the operations' business. It is healthy either way, as one that is begun
// anew would have none.
func (p *snapshot) health(w http.ResponseWriter, r *http.Request) {
	body := "ok\n"
	if p.unread.Load() != nil {
		body = "ok, with the configuration of " + p.since.UTC().Format(time.RFC3339) + ": a newer one cannot be read\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	send(w, r, http.StatusOK, []byte(body))
}

// pages returns the values of all customers that have one, by id: for the dashboard
// and the metrics alone.
func (p *snapshot) pages() []*page.Tenant {
	var all []*page.Tenant
	for _, t := range p.sorted {
		if v := t.view.Load(); v != nil {
			all = append(all, v.page)
		}
	}
	return all
}

// logged logs an answer that could not be made; the caller sees nothing of it.
func (p *snapshot) logged(ctx context.Context, what string, err error) {
	p.config.Log.ErrorContext(ctx, what, "error", err)
}
