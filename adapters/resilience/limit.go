package resilience

import (
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bucket is an allowance of the vendor. All calls of a transport that name it
// share a limiter, a pause after a 429, and a budget of retries.
type Bucket struct {
	Name      string  // shown in errors, so without secrets
	PerSecond float64 // 0 for no limit of ours
	Burst     int     // at least 1 where there is a limit
}

// Allowances are buckets that several transports share: those of one provider and
// one credential that have one name are one, with its limiter, pause and budget. A
// vendor counts by credential, however many clients use it. It is safe for concurrent
// use.
type Allowances struct{ buckets *recent[allowance, *bucket] }

// allowance is what buckets go by.
type allowance struct{ provider, credential, name string }

// NewAllowances returns allowances without a bucket. At most most of them are
// remembered, the least used are forgotten; 0 is 10,000.
func NewAllowances(most int) *Allowances {
	if most <= 0 {
		most = maxBuckets
	}
	return &Allowances{newRecent[allowance, *bucket](most, idle)}
}

// maxBuckets is the default of how many buckets are remembered.
const maxBuckets = 10_000

// floor is the part of its declared rate that a bucket never falls below by what
// it learns: it has to find out that things are better.
const floor = 1.0 / 64

// maxHold is for how long a bucket is held because nothing is left. Only a 429 holds
// it for longer, for what is left may be that of another allowance.
const maxHold = time.Minute

// bucket is the state of an allowance.
type bucket struct {
	name   string
	budget budget

	mu       sync.Mutex // guards all below
	limiter  *rate.Limiter
	declared Bucket
	paused   time.Time // until; never goes back
	learned  float64   // part of the declared rate, 0 < learned ≤ 1
	cut      time.Time // when learned was last lowered
	raised   time.Time // when learned was last raised
	tight    time.Time // until then, what the vendor says is left has to do
}

func newBucket(b Bucket, tokens int) *bucket {
	return &bucket{
		name: b.Name, declared: b, learned: 1, limiter: rate.NewLimiter(limitOf(b), max(b.Burst, 1)),
		budget: budget{tokens: tokens, most: tokens},
	}
}

func limitOf(b Bucket) rate.Limit {
	if b.PerSecond <= 0 {
		return rate.Inf
	}
	return rate.Limit(b.PerSecond)
}

// declare takes over a limit that the caller has changed.
func (b *bucket) declare(d Bucket, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d.PerSecond == b.declared.PerSecond && d.Burst == b.declared.Burst {
		return
	}
	b.declared = d
	b.limiter.SetBurstAt(now, max(d.Burst, 1))
	b.limiter.SetLimitAt(now, limitOf(d)*rate.Limit(b.learned))
}

// pausedUntil returns the end of the pause; zero or past if there is none.
func (b *bucket) pausedUntil() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.paused
}

// reserve takes the next free place, which is due after wait. Without one, because
// it would be after the deadline or in a better time, wait says when to ask again.
func (b *bucket) reserve(now, deadline time.Time) (wait time.Duration, got bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.declared.PerSecond <= 0 {
		return 0, true
	}
	b.relax(now)
	if b.limiter.AllowN(now, 1) {
		return 0, true
	}
	place := b.limiter.ReserveN(now, 1)
	wait = place.DelayFrom(now)
	at := now.Add(wait)
	switch {
	case !b.tight.IsZero() && at.After(b.tight):
		wait = b.tight.Sub(now)
	case !at.After(deadline):
		return wait, true
	}
	place.CancelAt(now)
	return wait, false
}

// due says how long it is until the next free place, or until a better time, without
// taking one.
func (b *bucket) due(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.declared.PerSecond <= 0 {
		return 0
	}
	b.relax(now)
	missing := 1 - b.limiter.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	wait := time.Duration(missing / float64(b.limiter.Limit()) * float64(time.Second))
	if left := b.tight.Sub(now); !b.tight.IsZero() && left < wait {
		return left
	}
	return wait
}

// relax raises what was learned by a hundredth of the declared rate for each
// second that has passed, and forgets what counted until now.
func (b *bucket) relax(now time.Time) {
	if !b.tight.IsZero() && !now.Before(b.tight) {
		b.tight = time.Time{}
		b.limiter.SetLimitAt(now, limitOf(b.declared)*rate.Limit(b.learned))
	}
	if b.learned == 1 || now.Sub(b.raised) < time.Second {
		return
	}
	b.learned = min(1, b.learned+0.01*math.Floor(now.Sub(b.raised).Seconds()))
	b.raised = now
	if b.tight.IsZero() {
		b.limiter.SetLimitAt(now, limitOf(b.declared)*rate.Limit(b.learned))
	}
}

// pause holds the bucket and gives it half of its rate afterwards. Answers to
// requests of before the cut do not count twice.
func (b *bucket) pause(now, until, sent time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until.After(b.paused) {
		b.paused = until
	}
	if b.declared.PerSecond <= 0 {
		return
	}
	b.lower(now, sent)
	// No places are saved up in the pause but one.
	if saved := int(b.limiter.TokensAt(b.paused)) - 1; saved > 0 {
		b.limiter.AllowN(b.paused, saved)
	}
}

// lower halves what was learned, once for all requests that were sent before.
func (b *bucket) lower(now, sent time.Time) {
	if sent.Before(b.cut) {
		return
	}
	b.cut, b.raised = now, now
	b.learned = max(b.learned/2, floor)
	b.limiter.SetLimitAt(now, min(b.limiter.Limit(), limitOf(b.declared)*rate.Limit(b.learned)))
}

// heed slows down by what an answer says of the allowance: the last tenth is spread
// over the time until it begins anew, and a vendor that says that the limit is near
// (X-RateLimit-NearLimit, Jira) gets half. Before the last tenth nothing follows
// from what is left, because some allowances begin anew at once and some flow.
func (b *bucket) heed(h http.Header, now, sent time.Time) {
	left, limit, known := remaining(h)
	near := len(h["X-Ratelimit-Nearlimit"]) > 0 && h.Get("X-RateLimit-NearLimit") == "true"
	if !known && !near {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.declared.PerSecond <= 0 {
		return
	}
	if near {
		b.lower(now, sent)
	}
	wait, ok := reset(h, dateOr(h, now))
	if !known || !ok || wait <= 0 {
		return
	}
	if left == 0 {
		if until := now.Add(min(wait, maxHold)); until.After(b.paused) {
			b.paused = until
		}
		return
	}
	usual := limitOf(b.declared) * rate.Limit(b.learned)
	scarce := left <= max(limit/10, 1)
	if pace := rate.Limit(float64(left) / wait.Seconds()); scarce && pace < usual {
		b.tight = now.Add(wait)
		b.limiter.SetLimitAt(now, max(pace, limitOf(b.declared)*floor))
	} else if !b.tight.IsZero() {
		b.tight = time.Time{}
		b.limiter.SetLimitAt(now, usual)
	}
}
