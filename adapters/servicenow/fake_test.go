package servicenow

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident"
)

// direct is a transport that calls a handler without a network, so that tests may
// run in virtual time. A handler that panics with http.ErrAbortHandler loses its
// answer.
type direct struct{ handler http.Handler }

var errLost = errors.New("connection reset by peer")

func (d direct) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if recover() != nil {
			resp, err = nil, errLost
		}
	}()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	if r.Body == nil {
		r.Body = http.NoBody
	}
	defer r.Body.Close()
	r.RequestURI = r.URL.RequestURI()
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	_, _ = io.Copy(io.Discard, r.Body)
	return w.Result(), nil
}

// fast are waits that tests in real time can bear.
var fast = resilience.Policy{Base: time.Millisecond, NoJitter: true, Breaker: resilience.Breaker{Consecutive: 1000, MinRequests: 100_000}}

func newClient(t *testing.T, handler http.Handler, change func(*Config)) *Client {
	t.Helper()
	config := Config{BaseURL: "https://acme.service-now.com", Transport: direct{handler}, Policy: fast, User: "evenkeel"}
	if change != nil {
		change(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// instance is a fake whose clock stands at noon of a day and is moved by hand.
type instance struct {
	*adaptertest.ServiceNow
	now time.Time
}

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func newInstance(o adaptertest.ServiceNowOptions) *instance {
	i := &instance{now: noon}
	o.Now = func() time.Time { return i.now }
	i.ServiceNow = adaptertest.NewServiceNow(o)
	return i
}

func (i *instance) client(t *testing.T, change func(*Config)) *Client {
	t.Helper()
	return newClient(t, i.ServiceNow, func(c *Config) {
		c.Now = func() time.Time { return i.now }
		if change != nil {
			change(c)
		}
	})
}

func ticket(key string) adapters.Ticket {
	return adapters.Ticket{Key: key, Tenant: "acme", Title: "checkout is down", Text: "5xx since 11:58", Severity: incident.P1}
}

func open(t *testing.T, c *Client, key string) adapters.Ref {
	t.Helper()
	ref, err := c.Open(t.Context(), ticket(key))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return ref
}

func wantKind(t *testing.T, err error, kind adapters.Kind) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("error %v, want of kind %v", err, kind)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func body(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
