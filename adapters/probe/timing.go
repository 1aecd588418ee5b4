package probe

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"
)

// stopwatch measures the parts of a request. Connections may be made side by side, and
// one may be made although another is used in the end; the time that counts is that
// until the first of a kind is done.
type stopwatch struct {
	mu                        sync.Mutex // guards all below
	sum                       Timing
	dns, connect, tls, writes time.Time // when the one under way began; zero for none
}

// trace returns a context that lets the stopwatch know.
func (w *stopwatch) trace(ctx context.Context) context.Context {
	begin := func(t *time.Time) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if t.IsZero() {
			*t = time.Now()
		}
	}
	end := func(t *time.Time, sum *time.Duration) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !t.IsZero() {
			*sum += time.Since(*t)
			*t = time.Time{}
		}
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { begin(&w.dns) },
		DNSDone:      func(httptrace.DNSDoneInfo) { end(&w.dns, &w.sum.DNS) },
		ConnectStart: func(string, string) { begin(&w.connect) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				end(&w.connect, &w.sum.Connect)
			}
		},
		TLSHandshakeStart: func() { begin(&w.tls) },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { end(&w.tls, &w.sum.TLS) },
		GotConn: func(i httptrace.GotConnInfo) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.sum.Reused = i.Reused
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { begin(&w.writes) },
		GotFirstResponseByte: func() { end(&w.writes, &w.sum.FirstByte) },
	})
}

func (w *stopwatch) timing(total time.Duration) Timing {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sum.Total = total
	return w.sum
}
