package playbook

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// RetryPolicy says how often an action is tried and how long is waited in
// between: the initial delay, multiplied after every attempt, never more than
// the cap.
type RetryPolicy struct {
	MaxAttempts       int `json:"max_attempts"`
	BackoffMultiplier int `json:"backoff_multiplier"`
	MaxBackoffSeconds int `json:"max_backoff_seconds"`
	// InitialBackoffSeconds defaults to 1; the operations guide gives none.
	InitialBackoffSeconds int `json:"initial_backoff_seconds,omitempty"`
	// DeadlineSeconds after the beginning of the first attempt no other one
	// begins. Defaults to no such end.
	DeadlineSeconds int `json:"deadline_seconds,omitempty"`
}

// DefaultRetry returns 3 attempts, waiting 1 and 2 seconds, at most 300.
func DefaultRetry() RetryPolicy {
	return RetryPolicy{MaxAttempts: 3, BackoffMultiplier: 2, MaxBackoffSeconds: 300, InitialBackoffSeconds: 1}
}

// normalized fills in the defaults.
func (r RetryPolicy) normalized() RetryPolicy {
	if r == (RetryPolicy{}) {
		return DefaultRetry()
	}
	if r.InitialBackoffSeconds == 0 {
		r.InitialBackoffSeconds = 1
	}
	return r
}

// Delay returns how long to wait after a number of failed attempts, from 1. ok
// is false if there is no further attempt.
func (r RetryPolicy) Delay(failed int) (wait time.Duration, ok bool) {
	r = r.normalized()
	if failed < 1 || failed >= r.MaxAttempts {
		return 0, false
	}
	seconds := min(r.InitialBackoffSeconds, r.MaxBackoffSeconds)
	for range failed - 1 {
		if seconds >= r.MaxBackoffSeconds || r.BackoffMultiplier <= 1 {
			break
		}
		if seconds > r.MaxBackoffSeconds/r.BackoffMultiplier {
			seconds = r.MaxBackoffSeconds
			break
		}
		seconds *= r.BackoffMultiplier
	}
	return time.Duration(seconds) * time.Second, true
}

// check reports the values that cannot be used.
func (r RetryPolicy) check(path string, bad func(path, value, want string)) {
	for _, f := range []struct {
		field       string
		value       int
		least, most int
	}{
		{"max_attempts", r.MaxAttempts, 1, math.MaxInt},
		{"backoff_multiplier", r.BackoffMultiplier, 1, math.MaxInt},
		{"max_backoff_seconds", r.MaxBackoffSeconds, 0, 1e9},
		{"initial_backoff_seconds", r.InitialBackoffSeconds, 0, math.MaxInt},
		{"deadline_seconds", r.DeadlineSeconds, 0, 1e9},
	} {
		switch {
		case f.value < f.least:
			bad(path+"."+f.field, strconv.Itoa(f.value), fmt.Sprintf("%d or more", f.least))
		case f.value > f.most:
			bad(path+"."+f.field, strconv.Itoa(f.value), fmt.Sprintf("at most %d", f.most))
		}
	}
}
