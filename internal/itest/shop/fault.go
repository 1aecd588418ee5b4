package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// faults is what is broken in this process right now. The zero value is healthy. Safe for concurrent use.
type faults struct {
	mu      sync.Mutex // guards all below
	slow    time.Duration
	errors  float64
	backlog float64
	hold    int // MB
	burners []chan struct{}
}

// ServeHTTP sets the faults that the query names: slow (duration added to each request), errors (share of requests that fail,
// 0..1), backlog (jobs per second on top of the normal ones), hold (memory to keep, MB), burn (busy loops).
func (f *faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := f.set(r.URL.Query()); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (f *faults) set(q url.Values) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, values := range q {
		text := values[len(values)-1]
		var err error
		switch key {
		case "slow":
			f.slow, err = time.ParseDuration(text)
		case "errors":
			f.errors, err = strconv.ParseFloat(text, 64)
		case "backlog":
			f.backlog, err = strconv.ParseFloat(text, 64)
		case "hold":
			f.hold, err = strconv.Atoi(text)
		case "burn":
			var n int
			if n, err = strconv.Atoi(text); err == nil {
				f.burn(n)
			}
		default:
			err = errors.New("unknown, want slow, errors, backlog, hold or burn")
		}
		if err != nil {
			return fmt.Errorf("fault %s=%q: %w", key, text, err)
		}
	}
	return nil
}

// burn runs n busy loops instead of those running now. Each gets a thread beside those that serve, so that the kernel and not
// Go's scheduler, which lets a loop run for 10 ms at a time, shares out the processors.
func (f *faults) burn(n int) {
	for _, stop := range f.burners {
		close(stop)
	}
	f.burners = nil
	runtime.GOMAXPROCS(runtime.NumCPU() + max(n, 0))
	for range n {
		stop := make(chan struct{})
		f.burners = append(f.burners, stop)
		go func() {
			x := uint64(1)
			for {
				for range 1 << 20 {
					x ^= x << 13
					x ^= x >> 7
					x ^= x << 17
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
	}
}

func (f *faults) delay() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.slow
}

func (f *faults) heldMB() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hold
}

func (f *faults) extraJobs() float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.backlog
}

// fails decides for one request, on top of the share base that fails on a good day.
func (f *faults) fails(base float64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return rand.Float64() < base+f.errors
}
