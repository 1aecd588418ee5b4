package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	failsafego "github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"github.com/hashicorp/go-retryablehttp"

	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// plan is what a side is to do.
type plan struct {
	base     http.RoundTripper
	attempts int
	wait     time.Duration // of the first backoff
	perSec   float64       // limit; 0 for none
	burst    int
	open     time.Duration // of the breaker; 0 for one that stays closed
	repeat   bool          // whether writes have keys
}

// sender posts a body with a key and reports whether it went well.
type sender func(ctx context.Context, url, key string) bool

// sender returns the side with a plan.
func (s side) sender(p plan) (sender, error) {
	var client *http.Client
	switch s {
	case ours:
		return p.ours()
	case failsafe:
		client = &http.Client{Transport: p.failsafe()}
	case retryable:
		client = &http.Client{Transport: p.retryable()}
	default:
		client = &http.Client{Transport: p.base}
	}
	return func(ctx context.Context, url, key string) bool {
		response, err := send(ctx, client, url, key)
		return err == nil && response < 300
	}, nil
}

// send posts once and reads the answer.
func send(ctx context.Context, client *http.Client, url, key string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(key))
	if err != nil {
		return 0, err
	}
	response, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.ReadAll(response.Body)
	return response.StatusCode, err
}

func (p plan) ours() (sender, error) {
	policy := resilience.Policy{Attempts: p.attempts, Base: p.wait, Breaker: resilience.Breaker{Open: p.open}}
	if p.open == 0 {
		policy.Breaker = resilience.Breaker{Consecutive: 1 << 30, MinRequests: 1 << 30}
	}
	transport, err := resilience.New(resilience.Config{Provider: "fake", Base: p.base, Policy: policy})
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: transport}
	op := resilience.Op{Name: "open", Repeatable: p.repeat, Buckets: []resilience.Bucket{{Name: "all", PerSecond: p.perSec, Burst: p.burst}}}
	return func(ctx context.Context, url, key string) bool {
		ctx, call := transport.Begin(ctx, op)
		_, err := send(ctx, client, url, key)
		return call.Err(err) == nil
	}, nil
}

// failsafe has retries with full range of backoff, a breaker and a limiter; it has
// no pause that is shared and no idempotency gate.
//
//nolint:bodyclose // policies of answers are no answers
func (p plan) failsafe() http.RoundTripper {
	retry := failsafehttp.NewRetryPolicyBuilder().WithMaxAttempts(p.attempts)
	if p.attempts > 1 {
		retry = retry.WithBackoff(p.wait, 300*time.Second).WithJitterFactor(0.5)
	}
	policies := []failsafego.Policy[*http.Response]{retry.Build()}
	if p.perSec > 0 {
		policies = append(policies, ratelimiter.NewSmoothBuilderWithMaxRate[*http.Response](time.Duration(float64(time.Second)/p.perSec)).
			WithMaxWaitTime(time.Minute).Build())
	}
	breaker := circuitbreaker.NewBuilder[*http.Response]().WithFailureThreshold(1 << 20)
	if p.open > 0 {
		breaker = circuitbreaker.NewBuilder[*http.Response]().WithFailureThreshold(10).WithDelay(p.open).
			HandleIf(func(r *http.Response, err error) bool { return err != nil || r.StatusCode >= 500 })
	}
	policies = append(policies, breaker.Build())
	return failsafehttp.NewRoundTripper(p.base, policies...)
}

// retryable has retries alone.
func (p plan) retryable() http.RoundTripper {
	client := retryablehttp.NewClient()
	client.HTTPClient = &http.Client{Transport: p.base}
	client.RetryMax, client.RetryWaitMin, client.RetryWaitMax, client.Logger = p.attempts-1, p.wait, 300*time.Second, nil
	return &retryablehttp.RoundTripper{Client: client}
}
