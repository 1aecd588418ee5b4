package main

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

var scenarios = []scenario{
	{name: "resilience/throttle", run: throttle, met: func(o outcome) bool { return o.OK == o.Calls && *o.Refused == 0 && o.Share >= 0.95 }},
	{name: "resilience/quota_halved", run: halved, met: func(o outcome) bool { return o.OK == o.Calls && float64(*o.Refused) <= 0.01*float64(o.Requests) }},
	{name: "resilience/delivery", run: delivery, met: func(o outcome) bool {
		return o.OK == o.Calls && *o.Twice == 0 && float64(o.Requests) <= 1.4*float64(o.Calls)
	}},
	{name: "resilience/delivery_vendors", only: true, run: deliverVendors, met: func(o outcome) bool {
		return o.OK == o.Calls && *o.Twice == 0 && float64(o.Requests) <= 1.4*float64(o.Least)
	}},
	{name: "resilience/outage", run: outage, met: func(o outcome) bool {
		return o.Requests <= 50 && o.RecoveryMS <= float64((openFor+probe).Milliseconds())
	}},
	{name: "resilience/connections", run: connections, met: func(o outcome) bool { return o.OK == o.Calls && o.Conns == 1 }},
}

// openFor is the open time of breakers, probe the time of one probe and of the
// worker that makes it to notice.
const (
	openFor = 150 * time.Millisecond
	probe   = 20 * time.Millisecond
)

// work makes n calls by a number of workers and counts those that went well.
func work(n, workers int, call func(i int) bool) int {
	var next, ok atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1))
				if i > n {
					return
				}
				if call(i) {
					ok.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return int(ok.Load())
}

// base returns connections of its own, and how to close them.
func base() (*resilience.Base, func()) {
	b := resilience.NewBase(nil)
	return b, b.CloseIdleConnections
}

// throttle makes 600 calls of 16 workers at a server that takes 100 at once and 100
// a second: 5 seconds at least.
func throttle(who side) (outcome, error) {
	return limited(who, 600, func(*server, int) {}, func(took time.Duration) float64 { return 5 / took.Seconds() })
}

// halved gives the server half of its allowance after 300 of 700 calls. What is
// counted are the requests after that.
func halved(who side) (outcome, error) {
	var before atomic.Int64
	o, err := limited(who, 700, func(s *server, i int) {
		if i == 300 {
			s.quota(50, 50)
			s.mu.Lock()
			before.Store(int64(s.requests))
			s.refused = 0
			s.mu.Unlock()
		}
	}, func(time.Duration) float64 { return 0 })
	o.Requests -= int(before.Load())
	return o, err
}

func limited(who side, calls int, at func(*server, int), share func(time.Duration) float64) (outcome, error) {
	b, done := base()
	defer done()
	s := newServer()
	defer s.Close()
	s.quota(100, 100)
	do, err := who.sender(plan{base: b, attempts: 8, wait: time.Second, perSec: 99, burst: 80, repeat: true})
	if err != nil {
		return outcome{}, err
	}
	start := time.Now()
	ok := work(calls, 16, func(i int) bool {
		at(s, i)
		return do(context.Background(), s.URL, strconv.Itoa(i))
	})
	took := time.Since(start)
	return outcome{Calls: calls, OK: ok, Requests: s.requests, Refused: &s.refused, Share: share(took), Seconds: took.Seconds()}, nil
}

// delivery makes 1,000 keyed writes at a server that answers a fifth with 503 and
// resets a twentieth after it has carried them out. Twice is what a server without
// keys would have done twice, and with keys, as ours has, nothing.
func delivery(who side) (outcome, error) {
	b, done := base()
	defer done()
	s := newServer()
	defer s.Close()
	s.faults = rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same faults in each run
	do, err := who.sender(plan{base: b, attempts: 8, wait: 5 * time.Millisecond, repeat: true})
	if err != nil {
		return outcome{}, err
	}
	start := time.Now()
	ok := work(1000, 8, func(i int) bool { return do(context.Background(), s.URL, strconv.Itoa(i)) })
	twice := 1000 - len(s.seen) // tickets that are missing, or there once more than they should
	if twice < 0 {
		twice = -twice
	}
	return outcome{Calls: 1000, OK: ok, Requests: s.requests, Twice: &twice, Seconds: time.Since(start).Seconds()}, nil
}

// outage has 8 workers call a server that is down for 3 seconds, over and over.
func outage(who side) (outcome, error) {
	b, done := base()
	defer done()
	s := newServer()
	defer s.Close()
	s.down = true
	do, err := who.sender(plan{base: b, attempts: 3, wait: 50 * time.Millisecond, open: openFor, repeat: true})
	if err != nil {
		return outcome{}, err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if !do(ctx, s.URL, "key") {
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
	}
	time.Sleep(3 * time.Second)
	s.mu.Lock()
	s.down = false
	hits, end := s.requests, time.Now()
	s.mu.Unlock()
	for {
		time.Sleep(time.Millisecond)
		s.mu.Lock()
		first := s.first
		s.mu.Unlock()
		if !first.IsZero() {
			stop()
			wg.Wait()
			return outcome{Requests: hits, RecoveryMS: float64(first.Sub(end).Microseconds()) / 1000}, nil
		}
	}
}

// connections makes 1,000 writes one after the other.
func connections(who side) (outcome, error) {
	b, done := base()
	defer done()
	s := newServer()
	defer s.Close()
	do, err := who.sender(plan{base: b, attempts: 1, wait: time.Second})
	if err != nil {
		return outcome{}, err
	}
	ok := work(1000, 1, func(i int) bool { return do(context.Background(), s.URL, strconv.Itoa(i)) })
	return outcome{Calls: 1000, OK: ok, Requests: s.requests, Conns: int(s.conns.Load())}, nil
}
