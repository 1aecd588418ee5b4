package resilience

import (
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Observer is told what happens, for metrics and logs. Its methods are called from
// the goroutines of the calls and must not block. One that is a [WaitObserver] or a
// [BreakerObserver] as well is told of that, too.
type Observer interface {
	Attempt(a Attempt)
}

// WaitObserver is told of waits before they begin.
type WaitObserver interface {
	Wait(w Wait)
}

// BreakerObserver is told of changes of breakers, after the calls that caused them.
type BreakerObserver interface {
	Breaker(c BreakerChange)
}

// Attempt is one request and what came of it.
type Attempt struct {
	Provider, Op, Tenant string
	N                    int           // from 1
	Status               int           // 0 without an answer
	Kind                 adapters.Kind // 0 if all is well
	Took                 time.Duration // until the whole answer was read
}

// Wait is a pause before an attempt.
type Wait struct {
	Provider, Op, Tenant string
	Bucket               string // that makes it wait; "" for a backoff
	Why                  WaitReason
	For                  time.Duration
}

// WaitReason says why a call waits.
type WaitReason string

// Why a call waits.
const (
	WaitBackoff WaitReason = "backoff" // after an attempt that failed
	WaitHint    WaitReason = "hint"    // after one, for as long as the vendor asks
	WaitPause   WaitReason = "pause"   // a 429 of another call holds the bucket
	WaitLimit   WaitReason = "limit"   // our own limiter
)

// BreakerChange is a breaker that goes from one state to another: "closed",
// "half-open", "open".
type BreakerChange struct {
	Provider, Host string
	From, To       string
	At             time.Time
}
