package resilience_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// window is a vendor with a fixed number of requests in each window of time, as
// PagerDuty documents its REST API: limit, remaining and reset in seconds.
type window struct {
	every time.Duration
	start time.Time

	mu      sync.Mutex // guards all below
	limit   int
	nth     int64
	used    int
	ok      int
	refused int
	times   []time.Time // of requests that were let in
}

func (w *window) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	nth := int64(now.Sub(w.start) / w.every)
	if nth != w.nth {
		w.nth, w.used = nth, 0
	}
	status := http.StatusOK
	if w.used >= w.limit {
		status = http.StatusTooManyRequests
		w.refused++
	} else {
		w.used++
		w.ok++
		w.times = append(w.times, now)
	}
	reset := w.start.Add(time.Duration(nth+1) * w.every).Sub(now)
	return &http.Response{
		StatusCode: status, Request: r, ContentLength: 2, Body: io.NopCloser(strings.NewReader("{}")),
		Header: header("ratelimit-limit", strconv.Itoa(w.limit), "ratelimit-remaining", strconv.Itoa(w.limit-w.used),
			"ratelimit-reset", strconv.FormatFloat(reset.Seconds(), 'f', -1, 64)),
	}, nil
}

// load makes n calls by 16 workers.
func load(t *testing.T, transport *resilience.Transport, op resilience.Op, n int) {
	t.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for next.Add(1) <= int64(n) {
				if _, err := request(t.Context(), transport, http.MethodPost, op); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// A declared rate over that of the vendor is found out by what the vendor says of
// its window, without a refusal.
func TestAdaptsToTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{every: time.Minute, limit: 120, start: time.Now()}
		policy := resilience.Policy{Attempts: 5, Deadline: time.Hour, NoJitter: true}
		transport := newTransport(t, resilience.Config{Base: w, Policy: policy})
		op := resilience.Op{Name: "send", Repeatable: true, Buckets: []resilience.Bucket{{Name: "key", PerSecond: 1.98, Burst: 100}}}
		load(t, transport, op, 1200)
		took := time.Since(w.start)
		// 1,200 calls fill ten windows of 120; the last one may end as soon as it is used.
		if share := 1200.0 / (120 * (took.Minutes() + 1)); w.refused != 0 || share < 0.85 {
			t.Errorf("%d refused in %v, %.0f %% of the allowance; want none and at least 85 %%", w.refused, took, 100*share)
		}
		// Half of the quota from now on.
		w.mu.Lock()
		w.limit = 60
		w.mu.Unlock()
		load(t, transport, op, 600)
		if w.refused > 6 {
			t.Errorf("%d of 600 refused after the quota was halved, want at most 1 %%", w.refused)
		}
	})
}

// Rates come back after a refusal, little by little.
func TestRecoversAfterRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := &atomic.Bool{}
		busy.Store(true)
		var mu sync.Mutex
		var times []time.Time
		base := roundTrip(func(r *http.Request) (*http.Response, error) {
			_ = r.Body.Close()
			status := http.StatusOK
			if busy.Swap(false) {
				status = http.StatusTooManyRequests
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Now())
			return &http.Response{StatusCode: status, Request: r, Header: http.Header{}, Body: http.NoBody}, nil
		})
		transport := newTransport(t, resilience.Config{Base: base, Policy: resilience.Policy{Deadline: time.Hour, NoJitter: true}})
		op := resilience.Op{Name: "send", Repeatable: true, Buckets: []resilience.Bucket{{Name: "key", PerSecond: 10, Burst: 10}}}
		start := time.Now()
		load(t, transport, op, 1200)
		in := func(from, to time.Duration) (n int) {
			for _, at := range times {
				if d := at.Sub(start); d >= from && d < to {
					n++
				}
			}
			return n
		}
		// After the pause 5 a second; an additive hundredth of 10 each second makes 10 again in 50 s.
		if slow, fast := in(5*time.Second, 10*time.Second), in(70*time.Second, 80*time.Second); slow < 20 || slow > 35 || fast < 95 || fast > 101 {
			t.Errorf("%d requests from 5 to 10 s, %d from 70 to 80 s; want about 28 and 100", slow, fast)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Jira says that a limit is near before it refuses.
func TestNearLimitSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near := true
		base := roundTrip(func(r *http.Request) (*http.Response, error) {
			_ = r.Body.Close()
			h := http.Header{}
			if near {
				h.Set("X-RateLimit-NearLimit", "true")
			}
			near = false
			return &http.Response{StatusCode: http.StatusOK, Request: r, Header: h, Body: http.NoBody}, nil
		})
		transport := newTransport(t, resilience.Config{Base: base})
		op := resilience.Op{Name: "send", Repeatable: true, Buckets: []resilience.Bucket{{Name: "key", PerSecond: 1, Burst: 1}}}
		start := time.Now()
		for range 2 {
			if _, err := request(t.Context(), transport, http.MethodPost, op); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("the second call after %v, want 2 s at half of the rate", took)
		}
	})
}

// Nothing left: the bucket is held until it begins anew, without a refusal first.
func TestNothingLeftHoldsTheBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{every: 30 * time.Second, limit: 1, start: time.Now()}
		transport := newTransport(t, resilience.Config{Base: w})
		op := resilience.Op{Name: "send", Repeatable: true, Buckets: []resilience.Bucket{{Name: "key", PerSecond: 10, Burst: 10}}}
		for i := range 3 {
			if _, err := request(t.Context(), transport, http.MethodPost, op); err != nil {
				t.Fatal(err)
			}
			if at := w.times[i].Sub(w.start); at != time.Duration(i)*30*time.Second {
				t.Errorf("request %d after %v, want with window %d", i, at, i)
			}
		}
	})
}

// A changed declaration counts at once.
func TestDeclarationMayChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newTransport(t, resilience.Config{Base: stub{}})
		op := func(rate float64) resilience.Op {
			return resilience.Op{Name: "send", Buckets: []resilience.Bucket{{Name: "key", PerSecond: rate, Burst: 1}}}
		}
		start := time.Now()
		for _, c := range []struct {
			rate float64
			at   time.Duration
		}{{1, 0}, {1, time.Second}, {0.5, 3 * time.Second}, {0, 3 * time.Second}} {
			if _, err := request(t.Context(), transport, http.MethodPost, op(c.rate)); err != nil || time.Since(start) != c.at {
				t.Errorf("at %g a second: %v after %v, want %v", c.rate, err, time.Since(start), c.at)
			}
		}
	})
}

// Ten minutes of outage and eight workers: the vendor is asked once for each open
// time, and the first call after it is the probe.
func TestLongOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const outage = 10 * time.Minute
		start := time.Now()
		var hits atomic.Int64
		var mu sync.Mutex
		var first time.Time
		base := roundTrip(func(r *http.Request) (*http.Response, error) {
			_ = r.Body.Close()
			status := http.StatusOK
			if time.Since(start) < outage {
				hits.Add(1)
				status = http.StatusServiceUnavailable
			} else {
				mu.Lock()
				if first.IsZero() {
					first = time.Now()
				}
				mu.Unlock()
			}
			return &http.Response{StatusCode: status, Request: r, Header: http.Header{}, Body: http.NoBody}, nil
		})
		transport := newTransport(t, resilience.Config{Base: base})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for time.Since(start) < outage+time.Minute {
					_, _ = request(t.Context(), transport, http.MethodPost, resilience.Op{Name: "open", Repeatable: true})
					time.Sleep(time.Second)
				}
			})
		}
		wg.Wait()
		// 10 failures to open, at most 7 beside the tenth, and 20 probes.
		if n := hits.Load(); n > 37 {
			t.Errorf("%d requests in an outage of %v, want at most 37", n, outage)
		}
		if late := first.Sub(start) - outage; late > 31*time.Second {
			t.Errorf("recovery after %v, want the open time of 30 s at most, and a probe", late)
		}
	})
}

// What nobody asks for any more is forgotten.
func TestBucketsAreBounded(t *testing.T) {
	policy := quick
	policy.MaxBuckets = 100
	transport := newTransport(t, resilience.Config{Base: stub{}, Policy: policy})
	for i := range 1000 {
		op := resilience.Op{Name: "edit", Buckets: []resilience.Bucket{{Name: fmt.Sprintf("issue EX-%d", i)}}}
		if _, err := request(t.Context(), transport, http.MethodPost, op); err != nil {
			t.Fatal(err)
		}
	}
	if n := transport.BucketCount(); n > 100 {
		t.Errorf("%d buckets, want at most 100", n)
	}
}

// A call that one allowance has no place for leaves the others alone.
func TestRefusedCallsTakeNoPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{every: time.Hour, start: time.Now(), limit: 1000}
		transport, err := resilience.New(resilience.Config{Provider: "vendor", Base: w})
		if err != nil {
			t.Fatal(err)
		}
		wide := resilience.Bucket{Name: "all", PerSecond: 0.001, Burst: 10}
		narrow := resilience.Bucket{Name: "create", PerSecond: 0.001, Burst: 1}
		call := func(buckets ...resilience.Bucket) error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			ctx, call := transport.Begin(ctx, resilience.Op{Name: "create", Buckets: buckets})
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://vendor.example/", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := transport.RoundTrip(r)
			if err == nil {
				_ = response.Body.Close()
			}
			return call.Err(err)
		}
		if err := call(wide, narrow); err != nil {
			t.Fatal(err)
		}
		for range 9 {
			if err := call(wide, narrow); !errors.Is(err, adapters.RateLimited) {
				t.Errorf("call over the narrow allowance: %v, want kind %s", err, adapters.RateLimited)
			}
		}
		for n := range 9 { // 10 at once, of which one was taken
			if err := call(wide); err != nil {
				t.Errorf("call %d of the wide allowance: %v", n, err)
			}
		}
	})
}

// Who has a place of one allowance and waits for that of another takes both anew after
// a pause that began meanwhile: all who wait would come at once else.
func TestPauseTakesPlacesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex // guards late
		var late []time.Duration
		base := roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				_ = r.Body.Close()
			}
			answer := &http.Response{StatusCode: http.StatusOK, Request: r, Header: http.Header{}, Body: http.NoBody}
			switch r.Header.Get("X-Part") {
			case "scarce": // one is left for ten seconds
				answer.Header = http.Header{"Ratelimit-Remaining": {"1"}, "Ratelimit-Reset": {"10"}}
			case "refused": // at the fifth second, until the 25th
				time.Sleep(5*time.Second - time.Since(start))
				answer.StatusCode, answer.Header = http.StatusTooManyRequests, http.Header{"Retry-After": {"20"}}
			default:
				mu.Lock()
				late = append(late, time.Since(start))
				mu.Unlock()
			}
			return answer, nil
		})
		transport := newTransport(t, resilience.Config{Base: base, Policy: resilience.Policy{Attempts: 1}})
		ample, scarce := resilience.Bucket{Name: "ample", PerSecond: 2, Burst: 10}, resilience.Bucket{Name: "scarce", PerSecond: 6.4, Burst: 1}
		send := func(part string, buckets ...resilience.Bucket) {
			ctx, call := transport.Begin(t.Context(), resilience.Op{Name: "send", Buckets: buckets})
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://vendor.example/", http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("X-Part", part)
			response, err := transport.RoundTrip(r)
			if err == nil {
				_ = response.Body.Close()
			}
			if err := call.Err(err); err != nil && part != "refused" {
				t.Errorf("%q: %v", part, err)
			}
		}
		send("scarce", scarce)
		var all sync.WaitGroup
		all.Go(func() { send("refused", ample) })
		synctest.Wait()
		for range 8 {
			all.Go(func() { send("", ample, scarce) })
		}
		all.Wait()
		// At half of two a second and a fiftieth more for each of 25 s, with one saved, eight
		// take more than 7/1.5 s; the scarce one alone would let them through in 7/6.4 s.
		slices.Sort(late)
		if first, last := late[0], late[7]; first < 25*time.Second || last < 25*time.Second+4600*time.Millisecond {
			t.Errorf("sent at %v, want from 25s on, in 4.6 s at least", late)
		}
	})
}
