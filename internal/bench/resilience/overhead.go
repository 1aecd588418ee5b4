package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

const overheadName = "resilience/overhead"

// mostAllocs is how many a call may make over the bare client.
const mostAllocs = 6

// turns are how often each side is measured.
const turns = 7

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
	// What is left of two medians after one is taken from the other is small beside
	// what a busy machine adds, so the least of several turns counts, for each side.
	least := map[side]float64{}
	var allocs float64
	for range turns {
		for _, who := range []side{ours, failsafe, retryable} {
			ns, more, err := over(who)
			if err != nil {
				return err
			}
			if before, ok := least[who]; !ok || ns < before {
				least[who] = ns
			}
			if who == ours {
				allocs = max(allocs, more)
			}
		}
	}
	for _, peer := range []struct {
		side side
		bar  float64
	}{{failsafe, 1 / 0.70}, {retryable, 0}} { // 0: for comparison, it has no limiter and no breaker
		r := measure.Result{
			Name: overheadName, Peer: string(peer.side), OursNS: least[ours], OursAllocs: allocs, PeerNS: least[peer.side],
			Ratio: least[peer.side] / least[ours], Bar: peer.bar,
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

const loopbackName = "resilience/loopback"

// How loopback measures: rounds of calls one after the other, enough of them for each
// side to pay for the collection of its garbage.
const (
	loopbackRounds = 41
	loopbackCalls  = 1000
)

// loopback measures calls one after the other over a connection of the loopback, to a
// server in this process, beside net/http as nobody should use it, without a timeout,
// and as everybody has to, with one. Both have transports with the settings of
// [http.DefaultTransport], which is what clients use that name none: like our base they
// look for a proxy and close connections that nobody uses, which one with no settings
// at all does not do. The sides take turns in each round and begin with the garbage of
// the others gone; figures are the medians of the rounds, ratios those of the rounds'
// ratios, by elapsed and by processor time, server included. The bar is 3 % more.
// Elapsed time swings by more than that on a busy machine.
func loopback(emit func(measure.Result) error) error {
	s := newServer()
	defer s.Close()
	b, done := base()
	defer done()
	plain, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return fmt.Errorf("http.DefaultTransport is a %T, want an *http.Transport", http.DefaultTransport)
	}
	sides := []struct {
		name side
		base http.RoundTripper // with connections of its own
		wait time.Duration     // of the client
		call func() error

		elapsed, used []float64 // ns of a call, by round
	}{{name: ours, base: b}, {name: "net/http with Client.Timeout", wait: 10 * time.Second}, {name: "net/http without a timeout"}}
	for i := range sides {
		at := &sides[i]
		var do sender
		if at.base != nil {
			var err error
			if do, err = at.name.sender(plan{base: at.base, attempts: 3, wait: 1, perSec: 1e9, burst: 1e9, repeat: true}); err != nil {
				return err
			}
		} else {
			client := &http.Client{Transport: plain.Clone(), Timeout: at.wait}
			defer client.CloseIdleConnections()
			do = func(ctx context.Context, url, key string) bool {
				status, err := send(ctx, client, url, key)
				return err == nil && status < 300
			}
		}
		at.call = func() error {
			for n := range loopbackCalls {
				if !do(context.Background(), s.URL, strconv.Itoa(n)) {
					return fmt.Errorf("%s: call failed", at.name)
				}
			}
			return nil
		}
		if err := at.call(); err != nil { // to warm up
			return err
		}
	}
	for round := range loopbackRounds {
		for i := range sides {
			at := &sides[(round+i)%len(sides)]
			runtime.GC()
			start, used := time.Now(), measure.ProcessorTime()
			if err := at.call(); err != nil {
				return err
			}
			at.elapsed = append(at.elapsed, float64(time.Since(start).Nanoseconds())/loopbackCalls)
			at.used = append(at.used, float64((measure.ProcessorTime()-used).Nanoseconds())/loopbackCalls)
		}
	}
	for _, peer := range sides[1:] {
		for _, by := range []struct {
			clock        string
			ours, theirs []float64
		}{{"elapsed", sides[0].elapsed, peer.elapsed}, {"processor", sides[0].used, peer.used}} {
			r := measure.Result{
				Name: loopbackName + "/" + by.clock, Peer: string(peer.name), Bar: 1 / 1.03,
				OursNS: measure.Median(by.ours), PeerNS: measure.Median(by.theirs),
			}
			ratios := slices.Clone(by.theirs)
			for i := range ratios {
				ratios[i] /= by.ours[i]
			}
			r.Ratio = measure.Median(ratios)
			r.Judge(false)
			if err := emit(r); err != nil {
				return err
			}
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
