package ingest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
)

const token = "letmein"

// lines takes each line of a body as a key.
func lines(_ *http.Request, body []byte) ([]string, error) {
	if strings.HasPrefix(string(body), "?") {
		return nil, errors.New("unreadable")
	}
	return strings.Fields(string(body)), nil
}

func handler(tb testing.TB, c ingest.Config) *ingest.Handler {
	tb.Helper()
	c.Name = "test"
	if c.Verify == nil && c.Verifier == nil {
		c.Verifier = ingest.Bearer(secrets(token))
	}
	if c.Keys == nil && c.Read == nil {
		c.Keys = lines
	}
	if c.Accept == nil {
		c.Accept = func(context.Context, ingest.Delivery) error { return nil }
	}
	h, err := ingest.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func post(h http.Handler, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(body, map[string]string{"Authorization": "Bearer " + token}))
	return w
}

// TestAnswers: senders decide by the status whether to send again.
func TestAnswers(t *testing.T) {
	h := handler(t, ingest.Config{
		MaxBody: 10,
		Accept: func(_ context.Context, d ingest.Delivery) error {
			if slices.Contains(d.Keys, "down") {
				return errors.New("no disk")
			}
			return nil
		},
	})
	tests := []struct {
		name, method, body, authorization string
		want                              int
	}{
		{"first", "POST", "a b", "Bearer " + token, 202},
		{"again", "POST", "a b", "Bearer " + token, 202},
		{"another method", "GET", "", "Bearer " + token, 405},
		{"not signed", "POST", "a", "", 401},
		{"signed wrongly", "POST", "a", "Bearer other", 401},
		{"at the cap", "POST", "0123456789", "Bearer " + token, 202},
		{"over the cap", "POST", "0123456789x", "Bearer " + token, 413},
		{"unreadable", "POST", "?", "Bearer " + token, 400},
		{"no store", "POST", "down", "Bearer " + token, 503},
		{"no store still", "POST", "down", "Bearer " + token, 503},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), tt.method, "/hook", strings.NewReader(tt.body))
		r.Header.Set("Authorization", tt.authorization)
		h.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, w.Code, tt.want)
		}
		if after := w.Header().Get("Retry-After"); (after == "5") != (tt.want == 503) {
			t.Errorf("%s: Retry-After %q, want 5 with a 503 alone", tt.name, after)
		}
		if strings.Contains(w.Body.String(), token) {
			t.Errorf("%s: the answer shows the token: %q", tt.name, w.Body)
		}
	}
	want := ingest.Stats{Accepted: 2, Repeated: 1, Unreadable: 1, Unverified: 2, TooLarge: 1, Refused: 2}
	if got := h.Stats(); got != want {
		t.Errorf("Stats = %+v, want %+v", got, want)
	}
}

// TestChunked caps a body whose length is not announced.
func TestChunked(t *testing.T) {
	h := handler(t, ingest.Config{MaxBody: 10})
	for body, want := range map[string]int{"0123456789": 202, "0123456789x": 413, strings.Repeat("x", 1<<20): 413} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hook", io.NopCloser(strings.NewReader(body)))
		r.Header.Set("Authorization", "Bearer "+token)
		if r.ContentLength != -1 {
			t.Fatal("the length is announced")
		}
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%d bytes: status %d, want %d", len(body), w.Code, want)
		}
	}
}

func TestForbidden(t *testing.T) {
	h := handler(t, ingest.Config{Verify: func(*http.Request, []byte, time.Time) error {
		return fmt.Errorf("tenant of another: %w", ingest.ErrForbidden)
	}})
	if w := post(h, "a"); w.Code != 403 {
		t.Errorf("status %d, want 403", w.Code)
	}
}

// TestDelivery: what is handed on has no credentials, and what Read decoded.
func TestDelivery(t *testing.T) {
	now := time.Date(2026, 11, 22, 5, 30, 0, 0, time.UTC)
	var got ingest.Delivery
	h := handler(t, ingest.Config{
		Read:   func(_ *http.Request, body []byte) ([]string, any, error) { return []string{"k"}, len(body), nil },
		Accept: func(_ context.Context, d ingest.Delivery) error { got = d; return nil },
		Now:    func() time.Time { return now },
	})
	post(h, "four")
	if got.Name != "test" || string(got.Body) != "four" || got.Value != 4 || !slices.Equal(got.Keys, []string{"k"}) || !got.Received.Equal(now) || got.Header.Get("Authorization") != "" {
		t.Errorf("got %+v", got)
	}
}

// TestRepeats hands on what has a key that is not known.
func TestRepeats(t *testing.T) {
	var accepted []string
	fail := true
	h := handler(t, ingest.Config{Accept: func(_ context.Context, d ingest.Delivery) error {
		if fail {
			fail = false
			return errors.New("no disk")
		}
		accepted = append(accepted, string(d.Body))
		return nil
	}})
	// The first is refused, so its keys are not known. What has no key is never known.
	for _, body := range []string{"a b", "a b", "b a", "a a", "b c", "c", "", ""} {
		post(h, body)
	}
	if want := []string{"a b", "b c", "", ""}; !slices.Equal(accepted, want) {
		t.Errorf("accepted %q, want %q", accepted, want)
	}
}

// TestAtTheSameTime: attempts at one key at the same time are one delivery, and
// where that fails the next attempt is made in its place.
func TestAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const attempts = 50
		var calls, at atomic.Int32
		h := handler(t, ingest.Config{Accept: func(context.Context, ingest.Delivery) error {
			if at.Add(1) > 1 {
				t.Error("two attempts in Accept at a time")
			}
			defer at.Add(-1)
			time.Sleep(time.Second)
			if calls.Add(1) == 1 {
				return errors.New("no disk")
			}
			return nil
		}})
		var codes [600]atomic.Int32
		var all sync.WaitGroup
		for range attempts {
			all.Go(func() { codes[post(h, "a b").Code].Add(1) })
		}
		all.Wait()
		if calls.Load() != 2 || codes[503].Load() != 1 || codes[202].Load() != attempts-1 {
			t.Errorf("%d calls, %d refused, %d well, want 2, 1 and %d", calls.Load(), codes[503].Load(), codes[202].Load(), attempts-1)
		}
		if s := h.Stats(); s.Accepted != 1 || s.Repeated != attempts-2 {
			t.Errorf("Stats = %+v, want 1 accepted and %d repeated", s, attempts-2)
		}
	})
}

// TestOverlap: a body with a key of its own does not wait, one without does, and
// none waits for itself.
func TestOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		took := map[string]time.Duration{}
		h := handler(t, ingest.Config{Accept: func(_ context.Context, d ingest.Delivery) error {
			took[string(d.Body)] = time.Since(began)
			time.Sleep(time.Second)
			return nil
		}})
		var all sync.WaitGroup
		for _, body := range []string{"a b", "b c", "a c", "d d"} {
			all.Go(func() { post(h, body) })
			synctest.Wait()
		}
		all.Wait()
		if len(took) != 3 || took["a b"] != 0 || took["b c"] != 0 || took["d d"] != 0 {
			t.Errorf("accepted after %v, want a b, b c and d d at once", took)
		}
	})
}

// TestGone: a sender that goes away while it waits for another attempt is told
// nothing that is not so.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := handler(t, ingest.Config{Accept: func(context.Context, ingest.Delivery) error { <-release; return nil }})
		go post(h, "a")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request("a", map[string]string{"Authorization": "Bearer " + token}).WithContext(ctx))
		if w.Code != 503 {
			t.Errorf("status %d, want 503", w.Code)
		}
		close(release)
		synctest.Wait()
		if w := post(h, "a"); w.Code != 202 || h.Stats().Repeated != 1 {
			t.Errorf("afterwards: status %d, %+v, want 202 as known", w.Code, h.Stats())
		}
	})
}

// TestFull: with all places taken the answer is a 503, at once.
func TestFull(t *testing.T) {
	release := make(chan struct{})
	var entered sync.WaitGroup
	entered.Add(2)
	h := handler(t, ingest.Config{Pending: 2, RetryAfter: 1500 * time.Millisecond, Accept: func(context.Context, ingest.Delivery) error {
		entered.Done()
		<-release
		return nil
	}})
	var all sync.WaitGroup
	for i := range 2 {
		all.Go(func() { post(h, strconv.Itoa(i)) })
	}
	entered.Wait()
	began := time.Now()
	w := post(h, "one more")
	if took := time.Since(began); w.Code != 503 || w.Header().Get("Retry-After") != "2" || took > 5*time.Second { // on a busy machine
		t.Errorf("status %d, Retry-After %q after %v, want 503 and 2 at once", w.Code, w.Header().Get("Retry-After"), took)
	}
	// Nor does it wait for a body that is still to come.
	server := httptest.NewServer(h)
	defer server.Close()
	conn := begin(t, server)
	began = time.Now()
	code := answer(t, conn)
	if took := time.Since(began); code != 503 || took > 5*time.Second {
		t.Errorf("body to come: status %d after %v, want 503 at once", code, took)
	}
	close(release)
	all.Wait()
	entered.Add(1)
	if w := post(h, "one more"); w.Code != 202 {
		t.Errorf("afterwards: status %d, want 202", w.Code)
	}
}

// TestSlowBody: senders that never finish a body take no place from the others,
// and are sent away.
func TestSlowBody(t *testing.T) {
	h := handler(t, ingest.Config{Pending: 1, BodyTimeout: 300 * time.Millisecond})
	server := httptest.NewServer(h)
	defer server.Close()
	var slow []net.Conn
	for range 5 {
		slow = append(slow, begin(t, server))
	}
	if w := post(h, "a"); w.Code != 202 {
		t.Errorf("beside slow senders: status %d, want 202", w.Code)
	}
	for _, conn := range slow {
		if code := answer(t, conn); code != 503 {
			t.Errorf("slow sender: status %d, want 503", code)
		}
	}
}

// begin sends a request of which most of the body is missing.
func begin(t *testing.T, server *httptest.Server) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly so much"); err != nil {
		t.Fatal(err)
	}
	return conn
}

// answer waits for the status.
func answer(t *testing.T, conn net.Conn) int {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	conn.Close()
	return resp.StatusCode
}

// TestSlowAccept: the time allowed for the body is not that of Accept, and a
// connection is used again.
func TestSlowAccept(t *testing.T) {
	h := handler(t, ingest.Config{BodyTimeout: 50 * time.Millisecond, Accept: func(ctx context.Context, _ ingest.Delivery) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(150 * time.Millisecond):
			return nil
		}
	}})
	connections := atomic.Int32{}
	server := httptest.NewUnstartedServer(h)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	for _, key := range []string{"a", "b"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(key))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 202 {
			t.Errorf("%s: status %d, want 202", key, resp.StatusCode)
		}
	}
	if connections.Load() != 1 {
		t.Errorf("%d connections, want 1", connections.Load())
	}
}

// store fails as told.
type store struct{ has, add error }

func (s store) Has(context.Context, string) (bool, error) { return false, s.has }
func (s store) Add(context.Context, []string) error       { return s.add }

// TestStoreDown: without an answer nothing is handed on; what was handed on is
// never asked for again.
func TestStoreDown(t *testing.T) {
	for name, tt := range map[string]struct {
		store store
		want  int
	}{
		"cannot look": {store{has: errors.New("down")}, 503},
		"cannot note": {store{add: errors.New("down")}, 202},
	} {
		if w := post(handler(t, ingest.Config{Seen: tt.store}), "a"); w.Code != tt.want {
			t.Errorf("%s: status %d, want %d", name, w.Code, tt.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	good := ingest.Config{Name: "x", Verifier: ingest.Bearer(secrets(token)), Keys: lines, Accept: func(context.Context, ingest.Delivery) error { return nil }}
	if _, err := ingest.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*ingest.Config){
		"no name":       func(c *ingest.Config) { c.Name = "" },
		"no verifier":   func(c *ingest.Config) { c.Verifier = nil },
		"two verifiers": func(c *ingest.Config) { c.Verify = c.Verifier.Verify },
		"no keys":       func(c *ingest.Config) { c.Keys = nil },
		"two keys": func(c *ingest.Config) {
			c.Read = func(*http.Request, []byte) ([]string, any, error) { return nil, nil, nil }
		},
		"no accept":         func(c *ingest.Config) { c.Accept = nil },
		"negative":          func(c *ingest.Config) { c.Pending = -1 },
		"no token":          func(c *ingest.Config) { c.Verifier = ingest.Bearer{} },
		"empty token":       func(c *ingest.Config) { c.Verifier = ingest.Bearer(secrets("")) },
		"empty HMAC secret": func(c *ingest.Config) { c.Verifier = ingest.Generic(secrets("a", "")...) },
		"no header":         func(c *ingest.Config) { c.Verifier = ingest.HMAC{Version: "v1", Secrets: secrets("a")} },
		"empty password":    func(c *ingest.Config) { c.Verifier = ingest.Basic{Passwords: []adapters.Secret{{}}} },
		"no certificate":    func(c *ingest.Config) { c.Verifier = ingest.Certificate{} },
		"no Slack secret":   func(c *ingest.Config) { c.Verifier = ingest.Slack{} },
	} {
		c := good
		change(&c)
		if _, err := ingest.New(c); err == nil {
			t.Errorf("New with %s: no error", name)
		}
	}
}

// TestWindow: of 10 places the latest 5 are always there, and never more than 10.
func TestWindow(t *testing.T) {
	w := ingest.NewWindow(10)
	for i := range 1000 {
		if err := w.Add(t.Context(), []string{strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
		there := 0
		for j := range i + 1 {
			has, err := w.Has(t.Context(), strconv.Itoa(j))
			if err != nil {
				t.Fatal(err)
			}
			if has {
				there++
			} else if i-j < 5 {
				t.Fatalf("after %d, key %d is forgotten", i, j)
			}
		}
		if there > 10 {
			t.Fatalf("after %d, %d keys are remembered, want 10 at most", i, there)
		}
	}
}

func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := ingest.NewQueue(2)
		h := handler(t, ingest.Config{Accept: q.Put})
		for body, want := range map[string]int{"a": 202, "b": 202} {
			if w := post(h, body); w.Code != want {
				t.Errorf("%s: status %d, want %d", body, w.Code, want)
			}
		}
		if w := post(h, "c"); w.Code != 503 || q.Len() != 2 {
			t.Errorf("full: status %d, %d waiting, want 503 and 2", w.Code, q.Len())
		}
		if err := q.Put(t.Context(), ingest.Delivery{}); !errors.Is(err, ingest.ErrFull) {
			t.Errorf("Put = %v, want ErrFull", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range 2 {
			if _, err := q.Take(ctx); err != nil {
				t.Error(err)
			}
		}
		if _, err := q.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Take of an empty queue = %v, want the end of the context", err)
		}
		if w := post(h, "c"); w.Code != 202 {
			t.Errorf("afterwards: status %d, want 202", w.Code)
		}
		if d, err := q.Take(ctx); err != nil || string(d.Body) != "c" {
			t.Errorf("Take after the end = %q, %v, want c", d.Body, err)
		}
	})
}

// remembering is a window that, as a database does, refuses a context that has ended.
type remembering struct{ *ingest.Window }

func (r remembering) Add(ctx context.Context, keys []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.Window.Add(ctx, keys)
}

// A sender that has gone before it was answered sends again: what was accepted is
// known then.
func TestSenderThatHasGone(t *testing.T) {
	ctx, gone := context.WithCancel(t.Context())
	accepted := 0
	h := handler(t, ingest.Config{
		Seen:   remembering{ingest.NewWindow(0)},
		Accept: func(context.Context, ingest.Delivery) error { accepted++; gone(); return nil },
	})
	r := request("a", map[string]string{"Authorization": "Bearer " + token})
	h.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
	if post(h, "a"); accepted != 1 {
		t.Errorf("accepted %d times, want once", accepted)
	}
}
