package resilience

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Policy says how often, how long and how fast. Zero fields take their defaults.
type Policy struct {
	Attempts       int           // of a request, the first included; defaults to 3
	Base           time.Duration // of the first wait, defaults to 1 s
	Multiplier     float64       // at least 1, defaults to 2
	Cap            time.Duration // of a wait, defaults to 300 s
	NoJitter       bool          // waits are as long as they may be, for tests
	AttemptTimeout time.Duration // defaults to 10 s
	Deadline       time.Duration // of a request with all its attempts and waits, defaults to 2 min
	MaxServerWait  time.Duration // the longest hint that is waited for, defaults to 2 min
	MaxBody        int64         // of an answer, in bytes after decompression; defaults to 16 MiB
	RepeatBare503  bool          // whether a 503 without Retry-After repeats any operation
	RetryTokens    int           // of each bucket, see [Bucket]; defaults to 500
	MaxBuckets     int           // that are remembered, the least used are forgotten; defaults to 10,000
	Breaker        Breaker
	// Allowances are for several transports of one credential, such as two clients of one
	// token. Defaults to the transport's own.
	Allowances *Allowances
}

// Breaker says when a vendor is no longer asked. Zero fields take their defaults.
//
// It opens after Consecutive failures in a row, or when at least MinRequests of
// the last Window were counted and FailureRatio of them failed. A ratio alone
// opens late: over a window of 5 s it lets hundreds of calls into an outage.
type Breaker struct {
	Consecutive  int           // defaults to 10
	Window       time.Duration // defaults to 60 s
	Period       time.Duration // by which the window rolls, defaults to 5 s
	MinRequests  int           // defaults to 20
	FailureRatio float64       // above 0, at most 1; defaults to 0.5
	Open         time.Duration // until the next probe, defaults to 30 s
	Probes       int           // that have to succeed at once to close it, defaults to 1
	ByHost       bool          // whether the credentials of a host share a breaker
}

// withDefaults fills what is zero and names what is out of range.
func (p Policy) withDefaults() (Policy, error) {
	b := &p.Breaker
	err := errors.Join(
		number("Attempts", &p.Attempts, 3),
		number("Base", &p.Base, time.Second),
		number("Cap", &p.Cap, 300*time.Second),
		number("AttemptTimeout", &p.AttemptTimeout, 10*time.Second),
		number("Deadline", &p.Deadline, 2*time.Minute),
		number("MaxServerWait", &p.MaxServerWait, 2*time.Minute),
		number("MaxBody", &p.MaxBody, 16<<20),
		number("RetryTokens", &p.RetryTokens, retryTokens),
		number("MaxBuckets", &p.MaxBuckets, maxBuckets),
		number("Breaker.Consecutive", &b.Consecutive, 10),
		number("Breaker.Window", &b.Window, time.Minute),
		number("Breaker.Period", &b.Period, 5*time.Second),
		number("Breaker.MinRequests", &b.MinRequests, 20),
		number("Breaker.Open", &b.Open, 30*time.Second),
		number("Breaker.Probes", &b.Probes, 1),
		fraction("Multiplier", &p.Multiplier, 2, 1, math.MaxFloat64),
		fraction("Breaker.FailureRatio", &b.FailureRatio, 0.5, math.SmallestNonzeroFloat64, 1),
	)
	return p, err
}

func number[N int | int64 | time.Duration](field string, n *N, fallback N) error {
	if *n < 0 {
		return fmt.Errorf("resilience: Policy.%s: %v, want more than 0, or 0 for %v", field, *n, fallback)
	}
	if *n == 0 {
		*n = fallback
	}
	return nil
}

func fraction(field string, x *float64, fallback, low, high float64) error {
	if *x == 0 {
		*x = fallback
	}
	if math.IsNaN(*x) || *x < low || *x > high {
		return fmt.Errorf("resilience: Policy.%s: %v, want %g to %g", field, *x, low, high)
	}
	return nil
}

// Backoff returns the longest wait after attempt n, counted from 1, without a
// word of the vendor:
//
//	min(Cap, Base · Multiplier^(n−1))
//
// The waits of calls are drawn from 0 to that ("full jitter", AWS Architecture
// Blog, Exponential Backoff and Jitter, 2015). A queue that tries again by the
// same curve asks for it here.
func (p Policy) Backoff(n int) time.Duration {
	p, err := p.withDefaults()
	if err != nil {
		return 0
	}
	return p.backoff(n)
}

func (p *Policy) backoff(n int) time.Duration {
	wait := float64(p.Base) * math.Pow(p.Multiplier, float64(max(n, 1)-1))
	if wait >= float64(p.Cap) { // infinite, too
		return p.Cap
	}
	return time.Duration(wait)
}

func (p *Policy) jittered(n int) time.Duration {
	wait := p.backoff(n)
	if p.NoJitter {
		return wait
	}
	return time.Duration(rand.Int64N(int64(wait) + 1)) //nolint:gosec // no secret, only spread
}
