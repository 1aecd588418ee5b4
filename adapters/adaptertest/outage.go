package adaptertest

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Outage runs the conformance suite of a vendor that is down for ten minutes, which
// eight callers do not believe. client makes a client that sends through base, and
// returns a call of it that vendor answers well and that may be repeated. At most 50
// requests may be sent in vain, and the vendor is used again at most 31 s after it is
// back: the 30 s that a breaker is open by default, and a call. It runs in virtual time.
func Outage(t *testing.T, vendor http.Handler, client func(t *testing.T, base http.RoundTripper) func(context.Context) error) {
	t.Helper()
	const down, open = 10 * time.Minute, 30 * time.Second
	synctest.Test(t, func(t *testing.T) {
		var (
			start = time.Now()
			vain  atomic.Int64
			back  atomic.Int64 // how long after start a request was answered; 0 for never
		)
		call := client(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			since := time.Since(start)
			if since < down {
				vain.Add(1)
				return inMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }), r)
			}
			back.CompareAndSwap(0, int64(since))
			return inMemory(vendor, r)
		}))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for time.Since(start) < down+2*open {
					_ = call(t.Context())
					time.Sleep(250 * time.Millisecond)
				}
				if err := call(t.Context()); err != nil {
					t.Errorf("a call after the outage: %v", err)
				}
			})
		}
		all.Wait()
		late := time.Duration(back.Load()) - down
		if n := vain.Load(); n == 0 || n > 50 || late < 0 || late > open+time.Second {
			t.Errorf("%d requests in vain, used again after %v; want 1 to 50, and at most 31s", n, late)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
