package portal_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/portal"
)

var proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:ff::/48")}

// spent reports whether the attempts of a caller are used up once another one has used up
// its own: whether the portal takes them for the same.
func spent(t *testing.T, header string, one, other sender) bool {
	t.Helper()
	p := site(t, func(c *portal.Config) { c.Proxies, c.ProxyHeader, c.Attempts = proxies, header, 1 })
	try := func(s sender, token string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/t/acme/status.json", nil)
		r.RemoteAddr = s.remote
		for _, h := range s.headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Add(name, value)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w.Code
	}
	try(one, "wrong")
	return try(other, acmeToken) != http.StatusOK
}

// sender is where a request comes from, as the portal sees it.
type sender struct {
	remote  string
	headers []string
}

// Attempts are counted by the client behind proxies that are trusted, and whoever else
// sends a header is nobody but itself.
func TestProxies(t *testing.T) {
	from := func(remote string, headers ...string) sender { return sender{remote, headers} }
	client := from("198.51.100.7:1000")
	for _, c := range []struct {
		name, header string
		r            sender
		same         bool // as client
	}{
		{"itself", "", from("198.51.100.7:2000"), true},
		{"another", "", from("198.51.100.8:1000"), false},
		{"behind a proxy", "", from("10.0.0.1:1", "X-Forwarded-For: 198.51.100.7"), true},
		{"another behind it", "", from("10.0.0.1:1", "X-Forwarded-For: 198.51.100.8"), false},
		{"behind two", "", from("10.0.0.1:1", "X-Forwarded-For: 198.51.100.7, 10.2.0.1"), true},
		{"in two lines", "", from("10.0.0.1:1", "X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: 10.2.0.1"), true},
		{"with a port", "", from("10.0.0.1:1", "X-Forwarded-For: 198.51.100.7:80"), true},
		{"a mapped address", "", from("[::ffff:10.0.0.1]:1", "X-Forwarded-For: ::ffff:198.51.100.7"), true},
		{"by IPv6", "", from("[2001:db8:ff::1]:1", "X-Forwarded-For: 198.51.100.7"), true},
		{"it sends a header itself", "", from("198.51.100.7:1", "X-Forwarded-For: 192.0.2.99"), true},
		{"and so through a proxy", "", from("10.0.0.1:1", "X-Forwarded-For: 192.0.2.99, 198.51.100.7"), true},
		{"it says that it is a proxy", "", from("10.0.0.1:1", "X-Forwarded-For: 192.0.2.99, 10.9.9.9, 198.51.100.7"), true},
		{"somebody pretends to be it", "", from("192.0.2.1:1", "X-Forwarded-For: 198.51.100.7"), false},
		{"and so through a proxy, pretending", "", from("10.0.0.1:1", "X-Forwarded-For: 198.51.100.7, 192.0.2.1"), false},
		{"by the other header", "", from("192.0.2.1:1", "Forwarded: for=198.51.100.7"), false},
		{"by the other header through a proxy", "", from("10.0.0.1:1", "Forwarded: for=198.51.100.7"), false},
		{"behind what is no address", "", from("10.0.0.1:1", "X-Forwarded-For: 198.51.100.7, nonsense"), false},
		{"Forwarded", "Forwarded", from("10.0.0.1:1", `Forwarded: For="198.51.100.7:80";proto=https;by=10.0.0.1`), true},
		{"Forwarded by two", "Forwarded", from("10.0.0.1:1", `Forwarded: for=192.0.2.9, for=198.51.100.7, proto=http;for="10.1.1.1"`), true},
		{"Forwarded with signs in quotes", "Forwarded", from("10.0.0.1:1", `Forwarded: for=198.51.100.7;host="a,b;for=192.0.2.1\""`), true},
		{"Forwarded by nobody", "Forwarded", from("10.0.0.1:1", `Forwarded: for=198.51.100.7, for=unknown`), false},
		{"Forwarded under a name", "Forwarded", from("10.0.0.1:1", `Forwarded: for=198.51.100.7, for=_hidden`), false},
		{"Forwarded to somewhere else", "Forwarded", from("10.0.0.1:1", `Forwarded: for=198.51.100.7, proto=https`), false},
		{"X-Forwarded-For beside Forwarded", "Forwarded", from("10.0.0.1:1", "X-Forwarded-For: 198.51.100.7"), false},
	} {
		if got := spent(t, c.header, client, c.r); got != c.same {
			t.Errorf("%s: the same caller is %t, want %t", c.name, got, c.same)
		}
	}
	six := from("10.0.0.1:1", `Forwarded: for="[2001:db8:1:2::3]:4711"`)
	if !spent(t, "Forwarded", six, from("[2001:db8:1:2::99]:1")) || spent(t, "Forwarded", six, from("[2001:db8:1:3::3]:1")) {
		t.Error("an address of IPv6 behind a proxy is not that of its connection")
	}
	c := config()
	c.Proxies, c.ProxyHeader = proxies, "X-Real-IP"
	var wrong *portal.ConfigError
	if _, err := portal.New(c); !errors.As(err, &wrong) || wrong.Path != "proxy_header" {
		t.Errorf("another header: %v", err)
	}
}

// FuzzProxies sends any header: the portal answers, and what an untrusted caller sends
// never makes it another one.
func FuzzProxies(f *testing.F) {
	f.Add("198.51.100.7, 10.0.0.1", `for="[2001:db8::1]:80";by=x`)
	f.Add(",,:", `for="\`)
	f.Add("[::1", `;;=,for=`)
	f.Fuzz(func(t *testing.T, xff, forwarded string) {
		for _, header := range []string{"", portal.Forwarded} {
			p := site(t, func(c *portal.Config) { c.Proxies, c.ProxyHeader, c.Attempts = proxies, header, 1 })
			for n, remote := range []string{"192.0.2.1:1", "192.0.2.1:1", "10.0.0.1:1"} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/t/acme/status.json", nil)
				r.RemoteAddr = remote
				r.Header["X-Forwarded-For"], r.Header["Forwarded"] = []string{xff}, []string{forwarded}
				r.Header.Set("Authorization", "Bearer "+[]string{"wrong", acmeToken, acmeToken}[n])
				w := httptest.NewRecorder()
				p.ServeHTTP(w, r)
				if n == 1 && w.Code == http.StatusOK {
					t.Fatalf("a header makes an untrusted caller another one: %q, %q", xff, forwarded)
				}
			}
		}
	})
}
