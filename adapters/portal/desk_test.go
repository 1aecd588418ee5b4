package portal_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/incident"
)

// desk remembers what it is told.
type desk struct {
	mu      sync.Mutex // guards all below
	opened  []portal.NewIncident
	updates []portal.NewUpdate
	tenants []string
	err     error
	panics  bool
	hold    chan struct{} // Open waits for it, if there is one
	inside  chan struct{}
}

func (d *desk) Open(_ context.Context, tenant, _ string, in portal.NewIncident) (string, error) {
	if d.hold != nil {
		d.inside <- struct{}{}
		<-d.hold
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.panics {
		panic("desk")
	}
	if d.err != nil {
		return "", d.err
	}
	d.opened, d.tenants = append(d.opened, in), append(d.tenants, tenant)
	return "INC-" + strconv.Itoa(len(d.opened)), nil
}

func (d *desk) Update(_ context.Context, tenant, _, id string, u portal.NewUpdate) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !strings.HasPrefix(id, "INC-") {
		return portal.ErrNoIncident
	}
	d.updates, d.tenants = append(d.updates, u), append(d.tenants, tenant)
	return nil
}

// outbox remembers what it is given.
type outbox struct {
	mu   sync.Mutex // guards all below
	sent []portal.Request
}

func (o *outbox) Put(_ context.Context, r portal.Request) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = append(o.sent, r)
	return "REQ-" + strconv.Itoa(len(o.sent)), nil
}

func TestWrites(t *testing.T) {
	d := &desk{}
	p := site(t, func(c *portal.Config) { c.Desk = d })
	const path = "/t/acme/api/v1/incidents"
	post := func(target, body string, headers ...string) (int, string) {
		w := ask(p, "POST", target, body, append([]string{"Content-Type", "application/json"}, headers...)...)
		return w.Code, w.Body.String()
	}
	write := bearer(acmeWrite)
	key := func(k string) []string { return append([]string{"Idempotency-Key", k}, write...) }
	const first = `{"title": "Shop is slow", "severity": "high", "service": "api-` + acmeMark + `", "text": "since nine"}`
	for _, c := range []struct {
		name, target, body string
		headers            []string
		code               int
		want               string
	}{
		{"a reader", path, first, bearer(acmeToken), 404, ""},
		{"a writer of another", "/t/beta/api/v1/incidents", first, write, 404, ""},
		{"a public customer", "/t/open/api/v1/incidents", first, write, 404, ""},
		{"first", path, first, key("k1"), 201, `"INC-1"`},
		{"again", path, first, key("k1"), 201, `"INC-1"`},
		{"another body", path, `{"title": "x", "severity": "p1"}`, key("k1"), 422, "key"},
		{"another key", path, first, key("k2"), 201, `"INC-2"`},
		{"no key", path, first, write, 201, `"INC-3"`},
		{"no key again", path, first, write, 201, `"INC-4"`},
		{"long key", path, first, key(strings.Repeat("k", 256)), 400, "255"},
		{"no JSON", path, "title=x", write, 400, "JSON"},
		{"unknown key", path, `{"title": "x", "severity": "p1", "tenant": "beta"}`, write, 400, "tenant"},
		{"two objects", path, first + first, write, 400, "one JSON object"},
		{"severity", path, `{"title": "x", "severity": "loud"}`, write, 400, "severity"},
		{"title", path, `{"title": " ", "severity": "p1"}`, write, 400, "title"},
		{"service of another", path, `{"title": "x", "severity": "p1", "service": "api-` + betaMark + `"}`, write, 400, "service"},
		{"too large", path, `{"title": "` + strings.Repeat("x", 70<<10) + `"}`, write, 413, "64 KiB"},
		{"update", path + "/INC-1/updates", `{"text": "Found it", "state": "identified", "next_update": "2026-10-01T13:00:00Z"}`, key("k3"), 201, `"INC-1"`},
		{"update again", path + "/INC-1/updates", `{"text": "Found it", "state": "identified", "next_update": "2026-10-01T13:00:00Z"}`, key("k3"), 201, `"INC-1"`},
		{"the key elsewhere", path + "/INC-2/updates", `{"text": "Found it", "state": "identified", "next_update": "2026-10-01T13:00:00Z"}`, key("k3"), 422, "key"},
		{"no incident", path + "/X-1/updates", `{"text": "x"}`, write, 404, "no such incident"},
		{"state", path + "/INC-1/updates", `{"text": "x", "state": "fine"}`, write, 400, "state"},
	} {
		if code, body := post(c.target, c.body, c.headers...); code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s, want %d with %q", c.name, code, body, c.code, c.want)
		}
	}
	if len(d.opened) != 4 || len(d.updates) != 1 || d.opened[0].Severity != incident.P2 || d.opened[0].At != now || d.updates[0].State != "identified" {
		t.Errorf("opened %+v, updates %+v", d.opened, d.updates)
	}
	for _, tenant := range d.tenants {
		if tenant != "acme" {
			t.Errorf("the desk heard of tenant %q", tenant)
		}
	}
	d.err = errors.New("no space with password hunter2")
	if code, body := post(path, first, key("k9")...); code != http.StatusServiceUnavailable || strings.Contains(body, "hunter2") {
		t.Errorf("a desk that fails: %d %s", code, body)
	}
	d.err = nil
	if code, _ := post(path, first, key("k9")...); code != http.StatusCreated {
		t.Errorf("the same key after a failure: %d", code)
	}
}

// A desk that panics leaves the key free, as it does when it fails.
func TestWriteAfterPanic(t *testing.T) {
	d := &desk{panics: true}
	p := site(t, func(c *portal.Config) { c.Desk = d })
	headers := append(bearer(acmeWrite), "Content-Type", "application/json", "Idempotency-Key", "k")
	send := func() (code int) {
		defer func() { _ = recover() }() // as net/http does
		return ask(p, "POST", "/t/acme/api/v1/incidents", `{"title": "x", "severity": "p1"}`, headers...).Code
	}
	if got := send(); got != 0 {
		t.Fatalf("the desk did not panic: %d", got)
	}
	if d.panics = false; send() != http.StatusCreated || len(d.opened) != 1 {
		t.Errorf("the same key again: %d incidents, want 1", len(d.opened))
	}
}

// A key that somebody is at is not carried out a second time.
func TestWritesAtOnce(t *testing.T) {
	d := &desk{hold: make(chan struct{}), inside: make(chan struct{})}
	p := site(t, func(c *portal.Config) { c.Desk = d })
	headers := append(bearer(acmeWrite), "Content-Type", "application/json", "Idempotency-Key", "k")
	send := func() int {
		return ask(p, "POST", "/t/acme/api/v1/incidents", `{"title": "x", "severity": "p1"}`, headers...).Code
	}
	first := make(chan int)
	go func() { first <- send() }()
	<-d.inside
	if got := send(); got != http.StatusConflict {
		t.Errorf("while the first runs: %d, want 409", got)
	}
	close(d.hold)
	if got := <-first; got != http.StatusCreated {
		t.Errorf("the first: %d", got)
	}
	if got := send(); got != http.StatusCreated || len(d.opened) != 1 {
		t.Errorf("after it: %d, %d incidents", got, len(d.opened))
	}
}
