package metrics

import (
	"strconv"
	"sync"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// Observer counts what the adapters do at the network. It is a resilience.Observer,
// WaitObserver and BreakerObserver, and may be that of any number of adapters.
//
//	evenkeel_adapter_attempts_total{provider,op,status,kind}
//	evenkeel_adapter_attempt_seconds{provider,op}
//	evenkeel_adapter_wait_seconds_total{provider,op,why}
//	evenkeel_adapter_breaker_open{provider,host}
//
// Tenants are no label, for there may be any number of them.
type Observer struct {
	attempts Counter
	took     Histogram
	waits    Counter
	open     Gauge

	mu sync.Mutex // guards last
	// last orders the changes of a breaker, which are told after the calls that caused
	// them.
	last map[[2]string]resilience.BreakerChange
}

var (
	_ resilience.Observer        = (*Observer)(nil)
	_ resilience.WaitObserver    = (*Observer)(nil)
	_ resilience.BreakerObserver = (*Observer)(nil)
)

// Observer adds the metrics of an observer, once in a registry.
func (r *Registry) Observer() *Observer {
	return &Observer{
		attempts: r.Counter("evenkeel_adapter_attempts_total", "Requests to a vendor, by status (0: none) and kind of error (empty: all is well).", "provider", "op", "status", "kind"),
		took: r.Histogram("evenkeel_adapter_attempt_seconds", "How long requests to a vendor took, the whole answer included.",
			[]float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}, "provider", "op"),
		waits: r.Counter("evenkeel_adapter_wait_seconds_total", "How long calls were to wait before a request, by why.", "provider", "op", "why"),
		open:  r.Gauge("evenkeel_adapter_breaker_open", "1 while a vendor is not asked, 0.5 while it is tried, 0 otherwise.", "provider", "host"),
		last:  map[[2]string]resilience.BreakerChange{},
	}
}

// Attempt counts a request.
func (o *Observer) Attempt(a resilience.Attempt) {
	kind := ""
	if a.Kind != adapters.Kind(0) {
		kind = a.Kind.String()
	}
	o.attempts.Add(1, a.Provider, a.Op, strconv.Itoa(a.Status), kind)
	o.took.Observe(a.Took.Seconds(), a.Provider, a.Op)
}

// Wait counts a wait.
func (o *Observer) Wait(w resilience.Wait) {
	o.waits.Add(w.For.Seconds(), w.Provider, w.Op, string(w.Why))
}

// Breaker notes the state of a breaker.
func (o *Observer) Breaker(c resilience.BreakerChange) {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := [2]string{c.Provider, c.Host}
	if c.At.Before(o.last[key].At) {
		return
	}
	o.last[key] = c
	o.open.Set(map[string]float64{"open": 1, "half-open": 0.5}[c.To], c.Provider, c.Host)
}
