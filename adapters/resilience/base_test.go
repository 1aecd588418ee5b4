package resilience_test

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// host starts a server with TLS, changed before, and returns who trusts it.
func host(t *testing.T, handler http.HandlerFunc, change func(*httptest.Server)) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if change != nil {
		change(s)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s, pool
}

// once makes one call of one attempt.
func once(t *testing.T, o *resilience.BaseOptions, url string) (*resilience.Call, error) {
	t.Helper()
	base := resilience.NewBase(o)
	defer base.CloseIdleConnections()
	policy := resilience.Policy{Attempts: 1, MaxBody: 1 << 20, AttemptTimeout: 2 * time.Second}
	return requestTo(t.Context(), newTransport(t, resilience.Config{Base: base, Policy: policy}), http.MethodGet, url, resilience.Op{Name: "read"})
}

func TestBaseSpeaksHTTP2(t *testing.T) {
	var proto atomic.Value
	s, pool := host(t, func(_ http.ResponseWriter, r *http.Request) { proto.Store(r.Proto) }, func(s *httptest.Server) { s.EnableHTTP2 = true })
	if _, err := once(t, &resilience.BaseOptions{RootCAs: pool}, s.URL); err != nil || proto.Load() != "HTTP/2.0" {
		t.Errorf("%v by %v, want HTTP/2.0", err, proto.Load())
	}
}

func TestBaseRefusesOldTLS(t *testing.T) {
	s, pool := host(t, func(http.ResponseWriter, *http.Request) {}, func(s *httptest.Server) {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // it is to be refused
	})
	call, err := once(t, &resilience.BaseOptions{RootCAs: pool}, s.URL)
	var e *adapters.Error
	if !errors.As(err, &e) || e.Kind != adapters.Unavailable || e.MayHaveApplied || call.Status != 0 {
		t.Errorf("%#v, want unavailable, nothing sent", e)
	}
}

func TestBaseShowsItsCertificate(t *testing.T) {
	var seen atomic.Int64
	s, pool := host(t, func(_ http.ResponseWriter, r *http.Request) { seen.Add(int64(len(r.TLS.PeerCertificates))) }, func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	})
	if _, err := once(t, &resilience.BaseOptions{RootCAs: pool, Certificates: s.TLS.Certificates}, s.URL); err != nil || seen.Load() != 1 {
		t.Errorf("%v with %d certificates, want one", err, seen.Load())
	}
	if _, err := once(t, &resilience.BaseOptions{RootCAs: pool}, s.URL); !errors.Is(err, adapters.Unavailable) {
		t.Errorf("without one: %v, want unavailable", err)
	}
}

// A handshake that ends without a word is known to be one: nothing was sent.
func TestBrokenHandshakeIsUnsent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed below
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	base := resilience.NewBase(nil)
	transport := newTransport(t, resilience.Config{Base: base, Policy: resilience.Policy{Attempts: 2, Base: time.Millisecond}})
	call, err := requestTo(t.Context(), transport, http.MethodPost, "https://"+l.Addr().String(), resilience.Op{Name: "note"})
	if !errors.Is(err, adapters.Unavailable) || call.Attempts != 2 {
		t.Errorf("%v after %d attempts, want unavailable after 2", err, call.Attempts)
	}
}

func TestBaseUsesItsProxy(t *testing.T) {
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked.Store(r.URL.String()) }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("NO_PROXY", "")
	// net/http reads the environment once in a process, so the address may be that of before: the function counts.
	u, err := http.NewRequest(http.MethodGet, proxy.URL, http.NoBody) //nolint:noctx // never sent
	if err != nil {
		t.Fatal(err)
	}
	if _, err := once(t, &resilience.BaseOptions{Proxy: http.ProxyURL(u.URL)}, "http://vendor.example/x"); err != nil || asked.Load() != "http://vendor.example/x" {
		t.Errorf("%v, the proxy was asked for %v", err, asked.Load())
	}
}

// Net/http gives a connection up if its own writer has not reported within 50 ms of the
// answer (maxWriteWaitBeforeConnReuse). So the answers come a moment late, and a machine
// that is busy all the same may try again: one thousand writes on one connection show
// that nothing of ours takes another.
func TestConnectionsAreReused(t *testing.T) {
	var conns []int
	for range 5 {
		conns = append(conns, connectionsOfWrites(t))
		if conns[len(conns)-1] == 1 {
			return
		}
	}
	t.Errorf("%d connections for 1,000 writes each, want 1 at least once", conns)
}

// connectionsOfWrites counts the connections of a thousand writes, one after the other.
func connectionsOfWrites(t *testing.T) int {
	t.Helper()
	s := adaptertest.NewScript(func() (steps []adaptertest.Step) {
		for i := range 1000 {
			steps = append(steps, adaptertest.Step{Status: []int{201, 204, 400, 404, 429}[i%5], Body: strings.Repeat(" ", i*10), Delay: time.Millisecond})
		}
		return steps
	}()...)
	base := resilience.NewBase(nil)
	server := s.Serve(t, base)
	policy := resilience.Policy{Attempts: 1, MaxServerWait: time.Nanosecond, Base: time.Nanosecond, Cap: time.Nanosecond}
	transport := newTransport(t, resilience.Config{Base: server, Policy: policy})
	for i := range 1000 {
		op := resilience.Op{Name: "write", Buckets: []resilience.Bucket{{Name: string(rune('a' + i%26))}}}
		if call, err := requestTo(t.Context(), transport, http.MethodPut, server.URL, op); call.Attempts != 1 {
			t.Fatal(err)
		}
	}
	return server.Conns()
}

func TestGuard(t *testing.T) {
	g := &resilience.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}}
	for _, c := range []struct {
		addr string
		ok   bool
	}{
		{"93.184.216.34", true},
		{"2606:2800:220:1::1", true},
		{"10.20.30.40", true},
		{"::ffff:10.20.30.40", true},
		{"127.0.0.1", false},
		{"127.8.8.8", false},
		{"0.0.0.0", false},
		{"10.0.0.1", false},
		{"172.16.5.5", false},
		{"172.32.5.5", true},
		{"192.168.1.1", false},
		{"169.254.169.254", false},
		{"168.63.129.16", false},
		{"100.100.100.200", false},
		{"198.18.0.1", false},
		{"224.0.0.1", false},
		{"255.255.255.255", false},
		{"::1", false},
		{"::", false},
		{"::ffff:127.0.0.1", false},
		{"::ffff:169.254.169.254", false},
		{"::127.0.0.1", false},
		{"64:ff9b::7f00:1", false},
		{"64:ff9b::5db8:d822", true},
		{"2002:7f00:1::", false},
		{"2001::1", false},
		{"fe80::1%eth0", false},
		{"fec0::1", false},
		{"fc00::1", false},
		{"fd00:ec2::254", false},
		{"ff02::1", false},
	} {
		err := g.Check(netip.MustParseAddr(c.addr))
		var refused *resilience.RefusedAddressError
		if (err == nil) != c.ok || err != nil && !errors.As(err, &refused) {
			t.Errorf("Check(%s) = %v, want allowed %v", c.addr, err, c.ok)
		}
	}
}

// The guard sees what a name resolves to, whatever it was when somebody looked.
func TestGuardedBase(t *testing.T) {
	s, pool := host(t, func(http.ResponseWriter, *http.Request) {}, nil)
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	var refused *resilience.RefusedAddressError
	for _, url := range []string{s.URL, "https://localhost:" + port} {
		call, err := once(t, &resilience.BaseOptions{RootCAs: pool, Guard: &resilience.Guard{}}, url)
		if !errors.Is(err, adapters.Invalid) || !errors.As(err, &refused) || call.Attempts != 1 {
			t.Errorf("%s: %v, want invalid by a refused address", url, err)
		}
	}
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if _, err := once(t, &resilience.BaseOptions{RootCAs: pool, Guard: &resilience.Guard{Allow: local}}, s.URL); err != nil {
		t.Errorf("allowed: %v", err)
	}
	if _, err := once(t, &resilience.BaseOptions{Guard: &resilience.Guard{Allow: local}}, plain.URL); !errors.Is(err, resilience.ErrInsecure) {
		t.Errorf("http: %v, want ErrInsecure", err)
	}
	if _, err := once(t, &resilience.BaseOptions{Guard: &resilience.Guard{Allow: local, AllowHTTP: true}}, plain.URL); !errors.Is(err, adapters.NotFound) {
		t.Errorf("http allowed: %v, want the answer", err)
	}
}

// TestHostileServers meets servers that mean no good: each is seen through within
// the attempt timeout, with bounded memory, and leaves no goroutine behind.
func TestHostileServers(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect to another host was followed") }))
	defer elsewhere.Close()
	var bomb bytes.Buffer // 2 MiB in 2 KB
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 2<<20))
	_ = z.Close()
	before := runtime.NumGoroutine()
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		want    adapters.Kind
	}{
		{"endless body", func(w http.ResponseWriter, _ *http.Request) {
			piece := bytes.Repeat([]byte{' '}, 1<<16)
			for {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
		}, adapters.BadResponse},
		{"announced as too long", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9000000000000000000")
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write(bytes.Repeat([]byte{' '}, 2<<20))
		}, adapters.BadResponse},
		{"gzip bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, adapters.BadResponse},
		{"header bomb", func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				w.Header().Add("X-Bomb", strings.Repeat("a", 1000))
			}
		}, adapters.Unavailable},
		{"slow loris", func(w http.ResponseWriter, r *http.Request) {
			flush := http.NewResponseController(w)
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte{' '})
				_ = flush.Flush()
				select {
				case <-time.After(10 * time.Millisecond):
				case <-r.Context().Done():
				}
			}
		}, adapters.Timeout},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, adapters.Timeout},
		{"redirect to another host", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		}, adapters.BadResponse},
		{"redirects without end", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/again", http.StatusFound)
		}, adapters.BadResponse},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // only then does the server see the client go
				c.handler(w, r)
			}))
			defer s.Close()
			base := resilience.NewBase(nil)
			defer base.CloseIdleConnections()
			policy := resilience.Policy{Attempts: 1, MaxBody: 1 << 20, AttemptTimeout: 5 * time.Second}
			if c.want == adapters.Timeout {
				policy.AttemptTimeout = 100 * time.Millisecond
			}
			var from, to runtime.MemStats
			runtime.ReadMemStats(&from)
			call, err := requestTo(t.Context(), newTransport(t, resilience.Config{Base: base, Policy: policy}), http.MethodGet, s.URL, resilience.Op{Name: "read"})
			runtime.ReadMemStats(&to)
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if strings.Contains(err.Error(), "127.0.0.1") && strings.Contains(err.Error(), "/again") {
				t.Errorf("the URL is in %v", err)
			}
			if grown := to.TotalAlloc - from.TotalAlloc; len(call.Body) > 1<<20 || grown > 32<<20 {
				t.Errorf("%d bytes of body, %d allocated; want at most 1 and 32 MiB", len(call.Body), grown)
			}
		})
	}
	for wait := time.Millisecond; runtime.NumGoroutine() > before; wait *= 2 { // connections end on their own time
		if wait > 4*time.Second {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		time.Sleep(wait)
	}
}
