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
// Tenants are no label, for there may be any number of them, and of breakers the
// latest thousand are written.
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

// maxHosts is how many breakers are remembered, of which tenants may bring any number.
const maxHosts = 1000

// forget drops the breaker whose state is the oldest, of those that are closed if
// there is one: what is not written is closed.
func (o *Observer) forget() {
	var oldest [2]string
	found := false
	for key, c := range o.last {
		was := o.last[oldest]
		if closed := c.To == "closed"; !found || closed && was.To != "closed" || closed == (was.To == "closed") && c.At.Before(was.At) {
			oldest, found = key, true
		}
	}
	delete(o.last, oldest)
	o.open.Delete(oldest[0], oldest[1])
}

// Breaker notes the state of a breaker.
func (o *Observer) Breaker(c resilience.BreakerChange) {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := [2]string{c.Provider, c.Host}
	if c.At.Before(o.last[key].At) {
		return
	}
	if _, known := o.last[key]; !known && len(o.last) >= maxHosts {
		o.forget()
	}
	o.last[key] = c
	o.open.Set(map[string]float64{"open": 1, "half-open": 0.5}[c.To], c.Provider, c.Host)
}
