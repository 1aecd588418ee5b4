package portal

import (
	"net/http"
	"strings"
	"time"
)

// place is where a session of a customer is valid, and the path of its cookie.
func place(tenant string) string { return "/t/" + tenant + "/" }

// opsPlace is that of the dashboard.
const opsPlace = "/ops/"

// admit returns what is shown of a customer to a caller, or nil for nothing: the
// customer does not exist, has no data yet, or the caller may not see it. All of them
// take the same work, for someone who measures times.
func (p *snapshot) admit(to door, id string, r *http.Request) *view {
	t := p.tenants[id]
	if t == nil {
		t = &tenant{Tenant: Tenant{ID: id}} // which no token opens
	}
	if !p.admitted(to, t, r) {
		return nil
	}
	v := t.view.Load()
	if v != nil {
		v.asked.Store(true)
	}
	return v
}

func (p *snapshot) admitted(to door, t *tenant, r *http.Request) bool {
	if to != writes && (t.Public || p.sessions.opens(r, place(t.ID), t.Token, p.config.Now())) {
		return true
	}
	var ok bool
	switch to {
	case writes:
		ok = p.token(r, t.ID, t.Write, nil)
	case feeds:
		ok = p.token(r, t.ID, t.Token, &t.Feed)
	default:
		ok = p.token(r, t.ID, t.Token, nil)
	}
	if ok || p.config.Authorize == nil {
		return ok
	}
	tenant, role, ok := p.config.Authorize(r)
	return ok && tenant == t.ID && (role == RoleWriter || role == RoleReader && to != writes)
}

// operator reports whether a caller may see the dashboard.
func (p *snapshot) operator(r *http.Request) bool {
	if p.sessions.opens(r, opsPlace, p.config.Ops, p.config.Now()) || p.token(r, "", p.config.Ops, nil) {
		return true
	}
	if p.config.Authorize == nil {
		return false
	}
	tenant, role, ok := p.config.Authorize(r)
	return ok && tenant == "" && role == RoleOperator
}

// token reports whether the header of a request has the token of a hash, or its query
// that of the feeds, where those are asked for. Requests without any are not attempts.
func (p *snapshot) token(r *http.Request, tenant string, want TokenHash, feed *TokenHash) bool {
	token := bearerOf(r)
	if token == "" && feed != nil {
		token, want = r.URL.Query().Get("k"), *feed
	}
	return token != "" && p.try(p.config.Address(r), tenant, token, want, p.config.Now())
}

// try compares a token, unless there were too many wrong ones.
func (p *snapshot) try(address, tenant, token string, want TokenHash, now time.Time) bool {
	if !p.attempts.begin(address, tenant, now) || !want.matches(token) {
		return false
	}
	p.attempts.right(address, tenant, now)
	return true
}

// bearerOf returns the token of the header (RFC 6750, section 2.1), "" for none.
func bearerOf(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(token, " ")
}
