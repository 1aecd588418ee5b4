package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// buckets are the upper ends of the latency histogram in seconds, fine around the normal 20..100 ms and around the 500 ms of
// the alert rules.
var buckets = []float64{
	0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5,
	0.6, 0.7, 0.8, 0.9, 1, 1.5, 2.5, 5,
}

// codes are reported from the start, at zero: a counter that is born with its first error has no rate for that error.
var codes = []int{200, 500, 502, 503}

// clockTick is the unit of the processor times in /proc/self/stat, 1/100 s on every Linux that Go runs on.
const clockTick = 100.0

// metrics counts the work of one process and writes it in the Prometheus text format. Safe for concurrent use.
type metrics struct {
	memoryLimit int
	cores       float64

	mu     sync.Mutex // guards all below
	byCode map[int]uint64
	counts []uint64 // per bucket, not cumulative; the last is +Inf
	sum    float64
	gauges map[string]func() float64
	order  []string
}

func newMetrics(memoryLimit int, cores float64) *metrics {
	m := &metrics{
		memoryLimit: memoryLimit,
		cores:       cores,
		byCode:      make(map[int]uint64),
		counts:      make([]uint64, len(buckets)+1),
		gauges:      make(map[string]func() float64),
	}
	return m
}

// gauge adds a value that is read at every scrape.
func (m *metrics) gauge(name string, read func() float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gauges[name] = read
	m.order = append(m.order, name)
}

func (m *metrics) observe(code int, took time.Duration) {
	s := took.Seconds()
	i := 0
	for i < len(buckets) && s > buckets[i] {
		i++
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byCode[code]++
	m.counts[i]++
	m.sum += s
}

// measured wraps a handler that returns its status code.
func (m *metrics) measured(h func(r *http.Request) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		code := h(r)
		w.WriteHeader(code)
		m.observe(code, time.Since(start))
	})
}

// ServeHTTP writes the metrics page.
func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	m.mu.Lock()
	fmt.Fprintln(&b, "# TYPE requests_total counter")
	for _, c := range codes {
		fmt.Fprintf(&b, "requests_total{code=\"%d\"} %d\n", c, m.byCode[c])
	}
	fmt.Fprintln(&b, "# TYPE request_duration_seconds histogram")
	var n uint64
	for i, le := range buckets {
		n += m.counts[i]
		fmt.Fprintf(&b, "request_duration_seconds_bucket{le=%q} %d\n", strconv.FormatFloat(le, 'g', -1, 64), n)
	}
	n += m.counts[len(buckets)]
	fmt.Fprintf(&b, "request_duration_seconds_bucket{le=\"+Inf\"} %d\n", n)
	fmt.Fprintf(&b, "request_duration_seconds_sum %g\nrequest_duration_seconds_count %d\n", m.sum, n)
	for _, name := range m.order {
		fmt.Fprintf(&b, "# TYPE %s gauge\n%s %g\n", name, name, m.gauges[name]())
	}
	m.mu.Unlock()
	if cpu, ok := processorSeconds(); ok {
		fmt.Fprintf(&b, "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %g\n", cpu)
	}
	if rss, ok := residentBytes(); ok {
		fmt.Fprintf(&b, "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %d\n", rss)
	}
	fmt.Fprintf(&b, "# TYPE process_memory_limit_bytes gauge\nprocess_memory_limit_bytes %d\n", m.memoryLimit)
	fmt.Fprintf(&b, "# TYPE process_cpu_limit_cores gauge\nprocess_cpu_limit_cores %g\n", m.cores)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// processorSeconds reads user plus system time, fields 14 and 15 of /proc/self/stat (proc(5)).
func processorSeconds() (float64, bool) {
	raw, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, false
	}
	_, rest, ok := strings.Cut(string(raw), ") ") // the name before it may hold blanks
	f := strings.Fields(rest)
	if !ok || len(f) < 13 {
		return 0, false
	}
	user, err1 := strconv.ParseFloat(f[11], 64)
	sys, err2 := strconv.ParseFloat(f[12], 64)
	return (user + sys) / clockTick, err1 == nil && err2 == nil
}

// residentBytes reads the second field of /proc/self/statm, in pages.
func residentBytes() (int, bool) {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	f := strings.Fields(string(raw))
	if len(f) < 2 {
		return 0, false
	}
	pages, err := strconv.Atoi(f[1])
	return pages * os.Getpagesize(), err == nil
}
