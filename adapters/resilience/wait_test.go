package resilience_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

func TestHints(t *testing.T) {
	now := time.Date(2026, 11, 22, 5, 30, 0, 0, time.UTC)
	const none = time.Duration(-1)
	for _, c := range []struct {
		name   string
		header http.Header
		want   time.Duration
	}{
		{"decimal", header("Retry-After", "1.5"), 1500 * time.Millisecond},
		{"spaces", header("Retry-After", " 7 "), 7 * time.Second},
		{"exponent", header("Retry-After", "1e3"), none},
		{"hexadecimal", header("Retry-After", "0x10"), none},
		{"plus", header("Retry-After", "+5"), none},
		{"NaN", header("Retry-After", "NaN"), none},
		{"no digits behind the point", header("Retry-After", "5."), none},
		{"over 24 h", header("Retry-After", "86401"), 24 * time.Hour},
		{"far over 24 h", header("Retry-After", "99999999999999999999999"), 24 * time.Hour},
		{"date over 24 h", header("Retry-After", "Wed, 25 Nov 2026 05:30:00 GMT"), 24 * time.Hour},
		// The clock of the server is an hour ahead of ours.
		{"relative to Date", header("Retry-After", "Sun, 22 Nov 2026 06:30:40 GMT", "Date", "Sun, 22 Nov 2026 06:30:00 GMT"), 40 * time.Second},
		{"reset relative to Date", header("X-RateLimit-Reset", "2026-11-22T06:31Z", "Date", "Sun, 22 Nov 2026 06:30:00 GMT"), time.Minute},
		{"an unreadable Date does not count", header("Retry-After", "Sun, 22 Nov 2026 05:30:40 GMT", "Date", "today"), 40 * time.Second},
		{"negative is no hint, the next counts", header("Retry-After", "-3", "RateLimit-Reset", "20"), 20 * time.Second},
		{"ratelimit-reset before X-RateLimit-Reset", header("RateLimit-Reset", "20", "X-RateLimit-Reset", "45"), 20 * time.Second},
		{"negative reset", header("X-RateLimit-Reset", "-1"), none},
		{"just below an instant", header("X-RateLimit-Reset", "999999999"), 24 * time.Hour},
		{"an instant in the past", header("X-RateLimit-Reset", "1000000000"), 0},
		{"RFC 3339", header("X-RateLimit-Reset", "2026-11-22T06:30:30+01:00"), 30 * time.Second},
		{"decimal distance", header("X-RateLimit-Reset", "0.25"), 250 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := resilience.Hint(c.header, now)
			if !ok {
				got = none
			}
			if got != c.want {
				t.Errorf("Hint = %v, want %v", got, c.want)
			}
		})
	}
}

func FuzzHint(f *testing.F) {
	for _, text := range []string{"7", "1.5", "-3", "Sun, 22 Nov 2026 05:30:40 GMT", "2026-11-22T05:31Z", "1795325430000", "soon", ""} {
		f.Add(text, text, text, text)
	}
	now := time.Date(2026, 11, 22, 5, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, after, reset, xreset, date string) {
		wait, ok := resilience.Hint(header("Retry-After", after, "RateLimit-Reset", reset, "X-RateLimit-Reset", xreset, "Date", date), now)
		if wait < 0 || wait > 24*time.Hour || !ok && wait != 0 {
			t.Errorf("Hint = %v, %v, want 0 to 24 h", wait, ok)
		}
	})
}

func TestBackoff(t *testing.T) {
	// Article policy: multiplier 2, cap 300 s; the base of 1 s is ours.
	want := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}
	for i, seconds := range want {
		if got := (resilience.Policy{}).Backoff(i + 1); got != seconds*time.Second {
			t.Errorf("Backoff(%d) = %v, want %v", i+1, got, seconds*time.Second)
		}
	}
	if got := (resilience.Policy{}).Backoff(1 << 40); got != 300*time.Second {
		t.Errorf("Backoff of a huge number = %v, want the cap", got)
	}
}

// waits keeps what is told.
type waits struct {
	mu      sync.Mutex
	waits   []resilience.Wait
	changes []resilience.BreakerChange
}

func (*waits) Attempt(resilience.Attempt) {}
func (w *waits) Wait(x resilience.Wait) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waits = append(w.waits, x)
}

func (w *waits) Breaker(c resilience.BreakerChange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes = append(w.changes, c)
}

func TestFullJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &waits{}
		policy := resilience.Policy{Attempts: 2, Breaker: resilience.Breaker{Consecutive: 1e6, MinRequests: 1e6}, RetryTokens: 1e6}
		steps := make([]adaptertest.Step, 800)
		for i := range steps {
			steps[i].Status = 503
		}
		transport := newTransport(t, resilience.Config{Base: adaptertest.NewScript(steps...), Policy: policy, Observer: seen})
		for range 400 {
			_, _ = request(t.Context(), transport, http.MethodGet, resilience.Op{Name: "read"})
		}
		var below [4]int
		for _, w := range seen.waits {
			if w.For < 0 || w.For > time.Second || w.Why != resilience.WaitBackoff {
				t.Fatalf("wait %+v, want 0 to 1 s of backoff", w)
			}
			below[min(int(w.For/(250*time.Millisecond)), 3)]++
		}
		// Uniform: 100 in each quarter; 60 are more than four standard deviations away.
		for quarter, n := range below {
			if n < 60 || n > 140 {
				t.Errorf("%d of 400 waits in quarter %d, want about 100", n, quarter+1)
			}
		}
	})
}

func TestHintOfAnotherStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// PagerDuty sends what is left of the window with every answer: it says nothing of a 500.
		s := adaptertest.NewScript(adaptertest.Step{Status: 500, Header: header("ratelimit-remaining", "900", "ratelimit-reset", "50")},
			adaptertest.Step{Status: 500, Header: header("Retry-After", "9")}, adaptertest.Step{})
		start := time.Now()
		_, err := request(t.Context(), newTransport(t, resilience.Config{Base: s, Policy: quick}), http.MethodGet, resilience.Op{Name: "read"})
		if took := time.Since(start); err != nil || took != 10*time.Second {
			t.Errorf("%v after %v, want no error after 1 s and 9 s", err, took)
		}
	})
}

func TestLastHintIsHandedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := quick
		policy.Attempts = 2
		s := adaptertest.NewScript(adaptertest.Step{Status: 429, Header: header("Retry-After", "5")},
			adaptertest.Step{Status: 429, Header: header("Retry-After", "30")})
		start := time.Now()
		_, err := request(t.Context(), newTransport(t, resilience.Config{Base: s, Policy: policy}), http.MethodGet, resilience.Op{Name: "read"})
		if at := adapters.RetryAt(err).Sub(start); at != 35*time.Second {
			t.Errorf("RetryAt %v after the start, want 35 s: %v", at, err)
		}
	})
}

func TestBackoffIntoTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		s := adaptertest.NewScript(adaptertest.Step{Status: 503}, adaptertest.Step{Status: 503}, adaptertest.Step{})
		start := time.Now()
		call, err := request(ctx, newTransport(t, resilience.Config{Base: s, Policy: quick}), http.MethodGet, resilience.Op{Name: "read"})
		if took := time.Since(start); !errors.Is(err, adapters.Unavailable) || call.Attempts != 2 || took != time.Second {
			t.Errorf("%v after %d attempts and %v, want unavailable after 2 and 1 s: the third would be too late", err, call.Attempts, took)
		}
	})
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := quick
		policy.Attempts, policy.RetryTokens = 2, 20
		policy.Breaker = resilience.Breaker{Consecutive: 1e6, MinRequests: 1e6}
		down, up := adaptertest.Step{Status: 500}, adaptertest.Step{}
		slow := adaptertest.Step{Fault: adaptertest.Hang}
		var steps []adaptertest.Step
		want := []int{}
		add := func(attempts int, more ...adaptertest.Step) {
			steps, want = append(steps, more...), append(want, attempts)
		}
		add(2, down, down) // 20 − 5
		add(2, down, up)   // 15 − 5 + 5: what succeeds costs nothing
		add(2, slow, slow) // 15 − 10
		add(2, down, down) // 5 − 5
		add(1, down)       // none left
		for range 5 {
			add(1, up) // + 1 each
		}
		add(2, down, down) // 5 − 5
		add(1, down)
		transport := newTransport(t, resilience.Config{Base: adaptertest.NewScript(steps...), Policy: policy})
		for i, n := range want {
			if call, err := request(t.Context(), transport, http.MethodGet, resilience.Op{Name: "read"}); call.Attempts != n {
				t.Errorf("call %d: %d attempts (%v), want %d", i, call.Attempts, err, n)
			}
		}
		// Another bucket has tokens of its own.
		op := resilience.Op{Name: "read", Buckets: []resilience.Bucket{{Name: "other"}}}
		transport = newTransport(t, resilience.Config{Base: adaptertest.NewScript(down, down, down, up), Policy: resilience.Policy{Attempts: 2, RetryTokens: 5}})
		_, _ = request(t.Context(), transport, http.MethodGet, resilience.Op{Name: "read"})
		if _, err := request(t.Context(), transport, http.MethodGet, op); err != nil {
			t.Errorf("another bucket: %v, want a repeat", err)
		}
	})
}

func TestPauseTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := adaptertest.NewScript(adaptertest.Step{Status: 429, Header: header("Retry-After", "600")}, adaptertest.Step{})
		transport := newTransport(t, resilience.Config{Base: s, Policy: quick})
		start := time.Now()
		for range 2 {
			_, err := request(t.Context(), transport, http.MethodGet, resilience.Op{Name: "read"})
			if at := adapters.RetryAt(err).Sub(start); !errors.Is(err, adapters.RateLimited) || at != 10*time.Minute || time.Since(start) != 0 {
				t.Errorf("%v, RetryAt %v, after %v; want rate_limited at once until 10 min", err, at, time.Since(start))
			}
		}
		if s.Attempts() != 1 {
			t.Errorf("%d requests, want the second call held back", s.Attempts())
		}
		time.Sleep(10 * time.Minute)
		if _, err := request(t.Context(), transport, http.MethodGet, resilience.Op{Name: "read"}); err != nil {
			t.Error(err)
		}
	})
}

func TestNamedBucketIsPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := adaptertest.NewScript(adaptertest.Step{Status: 429, Header: header("Retry-After", "60", "RateLimit-Reason", "jira-per-issue-on-write")},
			adaptertest.Step{}, adaptertest.Step{})
		policy := quick
		policy.Attempts = 1
		transport := newTransport(t, resilience.Config{Base: s, Policy: policy, Decode: func(e *adapters.Error, _ int, h http.Header, _ []byte) {
			if h.Get("RateLimit-Reason") == "jira-per-issue-on-write" {
				e.Bucket = "issue EX-1"
			}
		}})
		op := func(issue string) resilience.Op {
			return resilience.Op{Name: "edit", Buckets: []resilience.Bucket{{Name: "PUT /issue"}, {Name: issue}, {Name: "tenant"}}}
		}
		start := time.Now()
		_, err := request(t.Context(), transport, http.MethodPut, op("issue EX-1"))
		var e *adapters.Error
		if !errors.As(err, &e) || e.Bucket != "issue EX-1" {
			t.Errorf("%#v, want the bucket that the vendor names", e)
		}
		if _, err := request(t.Context(), transport, http.MethodPut, op("issue EX-2")); err != nil || time.Since(start) != 0 {
			t.Errorf("another issue: %v after %v, want it at once", err, time.Since(start))
		}
		if _, err := request(t.Context(), transport, http.MethodPut, op("issue EX-1")); err != nil || time.Since(start) != time.Minute {
			t.Errorf("the issue: %v after %v, want it after a minute", err, time.Since(start))
		}
	})
}

func TestLimiterBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := adaptertest.NewScript(adaptertest.Step{}, adaptertest.Step{})
		transport := newTransport(t, resilience.Config{Base: s, Policy: quick})
		op := resilience.Op{Name: "op", Buckets: []resilience.Bucket{{Name: "hourly", PerSecond: 200.0 / 3600, Burst: 1}}}
		start := time.Now()
		_, _ = request(t.Context(), transport, http.MethodGet, op)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := request(ctx, transport, http.MethodGet, op)
		if at := adapters.RetryAt(err).Sub(start); !errors.Is(err, adapters.RateLimited) || at != 18*time.Second || time.Since(start) != 0 {
			t.Errorf("%v, RetryAt %v, after %v; want rate_limited at once until 18 s", err, at, time.Since(start))
		}
		// The place that was not taken is there for the next.
		if _, err := request(t.Context(), transport, http.MethodGet, op); err != nil || time.Since(start) != 18*time.Second {
			t.Errorf("%v after %v, want no error after 18 s", err, time.Since(start))
		}
	})
}

func TestObserverIsToldOfWaitsAndBreakers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &waits{}
		policy := quick
		policy.Breaker.Consecutive = 2
		s := adaptertest.NewScript(adaptertest.Step{Status: 429, Header: header("Retry-After", "7")}, adaptertest.Step{},
			adaptertest.Step{Status: 500}, adaptertest.Step{Status: 500})
		transport := newTransport(t, resilience.Config{Base: s, Policy: policy, Observer: seen})
		op := resilience.Op{Name: "op", Tenant: "acme", Buckets: []resilience.Bucket{{Name: "b", PerSecond: 1, Burst: 1}}}
		_, _ = request(t.Context(), transport, http.MethodGet, op)
		_, _ = request(t.Context(), transport, http.MethodGet, op)
		var got []resilience.WaitReason
		for _, w := range seen.waits {
			if w.Provider != "vendor" || w.Op != "op" || w.Tenant != "acme" || w.For <= 0 {
				t.Errorf("wait %+v, want provider, op, tenant and how long", w)
			}
			got = append(got, w.Why)
		}
		if len(got) < 3 || got[0] != resilience.WaitHint || got[len(got)-1] != resilience.WaitLimit && got[len(got)-1] != resilience.WaitBackoff {
			t.Errorf("waits %v, want the hint first, then limits and a backoff", got)
		}
		if len(seen.changes) != 1 || seen.changes[0].From != "closed" || seen.changes[0].To != "open" || seen.changes[0].Host != "vendor.example" {
			t.Errorf("changes %+v, want closed to open", seen.changes)
		}
	})
}
