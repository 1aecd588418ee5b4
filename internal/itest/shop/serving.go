package main

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// Timeouts are long against the injected 700 ms, so that a slow database makes the shop slow and not broken.
const (
	poolWait  = 4 * time.Second
	relayWait = 8 * time.Second
)

// newDatabase answers after a short think time while it holds one of n connections. Without a free connection within poolWait
// it answers 503.
func newDatabase(n int, f *faults, m *metrics) func(*http.Request) int {
	slots := make(chan struct{}, n)
	m.gauge("pool_in_use", func() float64 { return float64(len(slots)) })
	m.gauge("pool_max", func() float64 { return float64(n) })
	return func(r *http.Request) int {
		ctx, cancel := context.WithTimeout(r.Context(), poolWait)
		defer cancel()
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return http.StatusServiceUnavailable
		}
		defer func() { <-slots }()
		think(12*time.Millisecond, 8*time.Millisecond)
		time.Sleep(f.delay())
		if f.fails(0) {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	}
}

// newRelay works a little, asks the next tier and passes a failure on as 502.
func newRelay(next string, own time.Duration, flaky float64, f *faults) func(*http.Request) int {
	client := &http.Client{
		Timeout:   relayWait,
		Transport: &http.Transport{MaxIdleConnsPerHost: 128, IdleConnTimeout: time.Minute},
	}
	return func(r *http.Request) int {
		think(own, own)
		time.Sleep(f.delay())
		if f.fails(flaky) {
			return http.StatusInternalServerError
		}
		code, err := fetch(r.Context(), client, next)
		if err != nil || code >= http.StatusInternalServerError {
			return http.StatusBadGateway
		}
		return code
	}
}

// think sleeps for least plus an exponentially distributed time with mean spread, cut at six times the mean.
func think(least, spread time.Duration) {
	extra := time.Duration(rand.ExpFloat64() * float64(spread))
	time.Sleep(least + min(extra, 6*spread))
}

func fetch(ctx context.Context, client *http.Client, address string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/work", nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Body.Close()
}
