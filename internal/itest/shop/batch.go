package main

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// The batch worker gets four jobs a second and can do about ten, so its queue is short until a backlog is injected.
const (
	jobsPerSecond = 4.0
	jobWorkers    = 2
	jobLeast      = 150 * time.Millisecond
	jobSpread     = 50 * time.Millisecond
)

type batch struct {
	faults  *faults
	metrics *metrics
	depth   atomic.Int64
	ready   chan struct{}
}

func newBatch(f *faults, m *metrics) *batch {
	b := &batch{faults: f, metrics: m, ready: make(chan struct{}, 1<<16)}
	m.gauge("queue_depth", func() float64 { return float64(b.depth.Load()) })
	return b
}

// run feeds and works the queue until ctx is over.
func (b *batch) run(ctx context.Context) {
	for range jobWorkers {
		go b.work(ctx)
	}
	for {
		mean := float64(time.Second) / (jobsPerSecond + b.faults.extraJobs())
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(mean * (0.5 + rand.Float64()))):
		}
		b.depth.Add(1)
		b.ready <- struct{}{}
	}
}

func (b *batch) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.ready:
		}
		start := time.Now()
		think(jobLeast, jobSpread)
		code := 200
		if b.faults.fails(0) {
			code = 500
		}
		b.depth.Add(-1)
		b.metrics.observe(code, time.Since(start))
	}
}
