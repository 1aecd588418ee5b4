package resilience

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// place is what breakers go by.
type place struct{ host, credential string }

// breaker is the circuit breaker of a place. It tells observers of its changes
// outside of the lock that it changes under.
type breaker struct {
	*gobreaker.CircuitBreaker[struct{}]
	bucket *bucket     // of operations that declare none
	open   atomic.Bool // since the last change; it may be time for a probe nevertheless

	mu      sync.Mutex // guards changes
	changes []BreakerChange
}

// What attempts return to the breaker; nil is a success.
var (
	errFailing = errors.New("resilience: failure")
	errUnknown = errors.New("resilience: says nothing of the vendor")
)

func newBreaker(policy *Policy, at place, provider string, told bool) *breaker {
	b, p := &breaker{bucket: newBucket(Bucket{}, policy.RetryTokens)}, &policy.Breaker
	b.CircuitBreaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:  uint32(p.Probes), //nolint:gosec // small and positive
		Interval:     p.Window,
		BucketPeriod: p.Period,
		Timeout:      p.Open,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			counted := c.TotalSuccesses + c.TotalFailures
			return int(c.ConsecutiveFailures) >= p.Consecutive ||
				int(counted) >= p.MinRequests && float64(c.TotalFailures) >= p.FailureRatio*float64(counted)
		},
		IsSuccessful: func(err error) bool { return err == nil },
		IsExcluded:   func(err error) bool { return err == errUnknown }, //nolint:errorlint // our own
		OnStateChange: func(_ string, from, to gobreaker.State) { // under the lock of the breaker
			b.open.Store(to == gobreaker.StateOpen)
			if !told {
				return
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.changes = append(b.changes, BreakerChange{
				Provider: provider, Host: at.host, From: from.String(), To: to.String(), At: time.Now(),
			})
		},
	})
	return b
}

// refuses reports whether the breaker is open, without taking the slot of a probe.
func (b *breaker) refuses() bool { return b.open.Load() && b.State() == gobreaker.StateOpen }

// tell hands the changes since the last time to the observer.
func (b *breaker) tell(o Observer) {
	if o == nil {
		return
	}
	b.mu.Lock()
	changes := b.changes
	b.changes = nil
	b.mu.Unlock()
	if told, ok := o.(BreakerObserver); ok {
		for _, c := range changes {
			told.Breaker(c)
		}
	}
}
