package adaptertest

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/evenkeelops/evenkeel/adapters"
)

// The secrets of two tenants, of 32 characters as routing keys of PagerDuty have to be.
const (
	secretA = "tenantAcanary0123456789abcdefghi"
	secretB = "tenantBcanary0123456789abcdefghi"
)

// tenantKey is what a context says whose call it is by.
type tenantKey struct{}

// Tenants runs the conformance suite of walls between tenants who are at the same
// host. vendor answers both of them and must take any credential. client makes a
// client that signs with a secret and sends through base, and returns a call of it
// that vendor answers well and that may be repeated.
//
// It checks, with calls of both at the same time, that each request carries the
// secret of the tenant whose call it is and not that of the other one, and that what
// the vendor refuses to one of them, by rate limit or breakdown, holds up nothing of
// the other.
func Tenants(t *testing.T, vendor http.Handler, client func(t *testing.T, secret adapters.Secret, base http.RoundTripper) func(context.Context) error) {
	t.Helper()
	both := func(t *testing.T, w *wall) (a, b func() error) {
		t.Helper()
		of := func(secret string) func() error {
			call := client(t, adapters.NewSecret(secret), w)
			return func() error { return call(context.WithValue(t.Context(), tenantKey{}, secret)) }
		}
		return of(secretA), of(secretB)
	}
	t.Run("credentials", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &wall{t: t, vendor: vendor}
			a, b := both(t, w)
			const workers, calls = 4, 10
			var all sync.WaitGroup
			for _, call := range []func() error{a, b} {
				for range workers {
					all.Go(func() {
						for range calls {
							if err := call(); err != nil {
								t.Errorf("a call: %v", err)
							}
						}
					})
				}
			}
			all.Wait()
			for _, n := range []*atomic.Int64{&w.ofA, &w.ofB} {
				if got := n.Load(); got < workers*calls {
					t.Errorf("%d requests of a tenant, want at least %d", got, workers*calls)
				}
			}
		})
	})
	for _, tt := range []struct {
		name   string
		status int
		kind   adapters.Kind // what the tenant gets in the end, of whom nothing is sent any more
	}{
		{"rate limits", http.StatusTooManyRequests, adapters.RateLimited},
		{"breakers", http.StatusInternalServerError, adapters.BreakerOpen},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wall{t: t, vendor: vendor}
				a, b := both(t, w)
				if err := a(); err != nil {
					t.Fatalf("a call before anything is refused: %v", err)
				}
				w.status.Store(int64(tt.status))
				var err error
				held := false
				for range 20 { // breakers open after 10 failures, of a few attempts each
					before := w.ofA.Load()
					err = a()
					if held = w.ofA.Load() == before; held {
						break
					}
				}
				if !held || adapters.KindOf(err) != tt.kind {
					t.Errorf("the tenant who is refused gets %v, and requests are sent: %v; want %v and none", err, !held, tt.kind)
				}
				before := w.ofB.Load()
				if err := b(); err != nil || w.ofB.Load() == before {
					t.Errorf("the other tenant gets %v after %d requests, want none and 1", err, w.ofB.Load()-before)
				}
			})
		})
	}
}

// wall is a base that knows whose request it carries.
type wall struct {
	t        *testing.T
	vendor   http.Handler
	status   atomic.Int64 // that tenant A is answered with; 0 for what vendor says
	ofA, ofB atomic.Int64 // requests
}

// RoundTrip checks whose secret a request carries.
func (w *wall) RoundTrip(r *http.Request) (*http.Response, error) {
	whose, ok := r.Context().Value(tenantKey{}).(string)
	if !ok {
		w.t.Error("a request without the context of its call")
	}
	seen := signs(r)
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		seen += string(body)
	}
	n, other := &w.ofA, secretB
	if whose == secretB {
		n, other = &w.ofB, secretA
	}
	n.Add(1)
	if !strings.Contains(seen, whose) || strings.Contains(seen, other) {
		w.t.Errorf("%s %s carries the secret of its tenant: %v, and of the other: %v; want true and false",
			r.Method, r.URL.Path, strings.Contains(seen, whose), strings.Contains(seen, other))
	}
	if status := int(w.status.Load()); status != 0 && whose == secretA {
		return inMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if status == http.StatusTooManyRequests {
				w.Header().Set("Retry-After", strconv.Itoa(3600)) // longer than any call waits
			}
			w.WriteHeader(status)
		}), r)
	}
	return inMemory(w.vendor, r)
}

// signs returns the address and the headers of a request, user and password readable.
func signs(r *http.Request) string {
	var b strings.Builder
	b.WriteString(r.URL.String())
	for _, values := range r.Header {
		for _, value := range values {
			b.WriteString("\n" + value)
			if encoded, basic := strings.CutPrefix(value, "Basic "); basic {
				plain, _ := base64.StdEncoding.DecodeString(encoded)
				b.Write(append([]byte("\n"), plain...))
			}
		}
	}
	return b.String()
}
