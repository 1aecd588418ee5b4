package main

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"time"
)

const (
	megabyte = 1 << 20
	fillRate = 12 // MB a second: filling at once would stop the process for a second
	pull     = 0.05
)

// memory is what a process keeps: a cache whose size wanders around a mean, cold after a start, and what the fault "hold" asks for.
type memory struct {
	mean, spread float64 // MB
	faults       *faults
	chunks       [][]byte // 1 MB each
}

// run adjusts the memory once a second until ctx is over.
func (m *memory) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	want := m.mean
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// A mean-reverting walk; its standard deviation is spread.
		want += pull*(m.mean-want) + m.spread*0.31*rand.NormFloat64()
		m.resize(int(max(want, 0)) + m.faults.heldMB())
	}
}

// resize grows by fillRate at most and shrinks at once, giving the pages back to the kernel.
func (m *memory) resize(mb int) {
	for range min(mb-len(m.chunks), fillRate) {
		chunk := make([]byte, megabyte)
		for i := 0; i < megabyte; i += os.Getpagesize() {
			chunk[i] = 1 // a page never written does not count as used
		}
		m.chunks = append(m.chunks, chunk)
	}
	if mb < len(m.chunks) {
		clear(m.chunks[mb:])
		m.chunks = m.chunks[:mb]
		debug.FreeOSMemory()
	}
}
