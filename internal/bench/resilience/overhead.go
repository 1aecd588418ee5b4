package main

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

const overheadName = "resilience/overhead"

// mostAllocs is how many a call may make over the bare client.
const mostAllocs = 6

// overhead measures what each side adds to a bare client, with a limiter and a
// breaker that never refuse and an answer that is read, over a transport that
// answers at once. Figures are those of the bare client subtracted.
func overhead(emit func(measure.Result) error) error {
	over := func(who side) (ns, allocs float64, err error) {
		run := func(who side) func() {
			var do sender
			if do, err = who.sender(plan{base: stub{}, attempts: 3, wait: 1, perSec: 1e9, burst: 1e9, repeat: true}); err != nil {
				return nil
			}
			return func() { do(context.Background(), "https://vendor.example/v2/enqueue", "key") }
		}
		pair := measure.Pair{Setup: func() (func(), func(), error) { return run(who), run(raw), err }}
		r, err := pair.Measure()
		alone := measure.Pair{Setup: func() (func(), func(), error) { return run(raw), nil, err }}
		bareAllocs, err2 := alone.Measure()
		if err == nil {
			err = err2
		}
		return r.OursNS - r.PeerNS, r.OursAllocs - bareAllocs.OursAllocs, err
	}
	ns, allocs, err := over(ours)
	if err != nil {
		return err
	}
	for _, peer := range []struct {
		side side
		bar  float64
	}{{failsafe, 1 / 0.70}, {retryable, 0}} { // 0: for comparison, it has no limiter and no breaker
		theirs, _, err := over(peer.side)
		if err != nil {
			return err
		}
		r := measure.Result{
			Name: overheadName, Peer: string(peer.side), OursNS: ns, OursAllocs: allocs, PeerNS: theirs, Ratio: theirs / ns, Bar: peer.bar,
		}
		r.Judge(false)
		if allocs > mostAllocs {
			r.Verdict = "missed"
		}
		if err := emit(r); err != nil {
			return err
		}
	}
	return nil
}

// stub answers at once.
type stub struct{}

// RoundTrip reads the body of the request and answers.
func (stub) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return &http.Response{
		StatusCode: http.StatusAccepted, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: 20, Request: r,
		Body: io.NopCloser(bytes.NewReader([]byte(`{"status":"success"}`))),
	}, nil
}
