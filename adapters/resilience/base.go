package resilience

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"
)

// BaseOptions are what a [Base] may be told. All have defaults.
type BaseOptions struct {
	// RootCAs are who may sign the certificates of servers. Defaults to those of the system.
	RootCAs *x509.CertPool
	// Certificates are shown to servers that ask for one. Defaults to none.
	Certificates []tls.Certificate
	// Proxy chooses the proxy of a request. Defaults to the environment (HTTPS_PROXY,
	// HTTP_PROXY, NO_PROXY), with a Guard to none, because a proxy resolves names
	// where the guard does not see it.
	Proxy func(*http.Request) (*url.URL, error)
	// Guard is for URLs of tenants. Defaults to none: URLs of the operator may be private.
	Guard *Guard
	// DialTimeout is for a connection, and again for its TLS handshake. Defaults to 5 s.
	DialTimeout time.Duration
	// MaxConnsPerHost bounds the connections to a host. Defaults to no bound.
	MaxConnsPerHost int
	// IdleConnsPerHost are kept for reuse. Defaults to 16.
	IdleConnsPerHost int
	// MaxHeader bounds the header of an answer in bytes. Defaults to 256 KiB.
	MaxHeader int64
}

// Base makes single requests: TLS 1.2 or later, HTTP/2 with pings that find dead
// connections, connections reused, nothing followed and nothing repeated but what
// never went out. It is safe for concurrent use.
type Base struct {
	transport *http.Transport
	guard     *Guard
}

// When a silent HTTP/2 connection is asked whether it lives, and for how long: one
// that is stuck would hold up all requests on it.
const (
	pingAfter   = 15 * time.Second
	pingTimeout = 5 * time.Second
)

// ErrInsecure is the cause of a request by http through a base with a Guard that
// does not allow it.
var ErrInsecure = errors.New("resilience: http is not allowed, want https")

// NewBase returns a base; nil means the defaults.
func NewBase(o *BaseOptions) *Base {
	if o == nil {
		o = &BaseOptions{}
	}
	timeout := or(o.DialTimeout, 5*time.Second)
	dialer := &net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}
	proxy := o.Proxy
	if o.Guard != nil {
		dialer.ControlContext = o.Guard.control
	} else if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	secure := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs, Certificates: o.Certificates}
	return &Base{guard: o.Guard, transport: &http.Transport{
		Proxy:                  proxy,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        secure,
		TLSHandshakeTimeout:    timeout,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		MaxConnsPerHost:        o.MaxConnsPerHost,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    or(o.IdleConnsPerHost, 16),
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: or(o.MaxHeader, 256<<10),
	}}
}

// RoundTrip makes one request. Errors of those that never got a connection are told
// from others, so that even a write without a key may be made again.
func (b *Base) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.guard != nil && !b.guard.AllowHTTP && r.URL.Scheme != "https" {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, fmt.Errorf("%w: %w", errUnsent, ErrInsecure)
	}
	within, ok := r.Context().(*deadlineContext)
	if !ok || !within.trail.wanted { // else it is a request of an exchange
		within = &deadlineContext{}
		within.trail.hooks.GotConn = func(httptrace.GotConnInfo) { within.trail.connected.Store(true) }
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &within.trail.hooks))
	}
	response, err := b.transport.RoundTrip(r)
	if err != nil && !within.trail.connected.Load() {
		return nil, fmt.Errorf("%w: %w", errUnsent, err)
	}
	return response, err
}

// CloseIdleConnections closes connections that no request uses.
func (b *Base) CloseIdleConnections() { b.transport.CloseIdleConnections() }

func or[T int | int64 | time.Duration](x, fallback T) T {
	if x > 0 {
		return x
	}
	return fallback
}
