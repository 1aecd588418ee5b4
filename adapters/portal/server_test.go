package portal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal"
)

// listen serves a portal until the test ends.
func listen(tb testing.TB, p *portal.Portal) string {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s, done := portal.Server(p), make(chan error)
	go func() { done <- s.Serve(l) }()
	tb.Cleanup(func() {
		if err := errors.Join(s.Close(), <-done); !errors.Is(err, http.ErrServerClosed) {
			tb.Error(err)
		}
	})
	return l.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// The limits of a server: a head within five seconds, and of 16 KiB.
func TestServer(t *testing.T) {
	s := portal.Server(site(t, nil))
	if s.ReadHeaderTimeout != 5*time.Second || s.ReadTimeout == 0 || s.WriteTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes > 64<<10 {
		t.Errorf("%+v", s)
	}
	address := listen(t, site(t, nil))
	for name, c := range map[string]struct{ send, want string }{
		"split header":   {"GET /t/acme%0d%0aSet-Cookie:%20x=1/ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404"},
		"split query":    {"GET /t/acme?x=%0d%0aX-Evil:1 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 307"},
		"split login":    {"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 33\r\n\r\ntenant=acme%0d%0aX-Evil:1&token=x", "HTTP/1.1 404"},
		"huge head":      {"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "HTTP/1.1 431"},
		"no host":        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"},
		"two lengths":    {"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "HTTP/1.1 400"},
		"unknown method": {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404"},
		"asterisk":       {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404"},
	} {
		conn := dial(t, address)
		if _, err := io.WriteString(conn, c.send); err != nil && name != "huge head" {
			t.Fatal(err)
		}
		r := bufio.NewReader(conn)
		first, err := r.ReadString('\n')
		if err != nil || !strings.HasPrefix(first, c.want) {
			t.Errorf("%s: %q, %v, want %q", name, first, err, c.want)
		}
		for {
			line, err := r.ReadString('\n')
			if strings.HasPrefix(strings.ToLower(line), "x-evil") || strings.HasPrefix(strings.ToLower(line), "set-cookie") {
				t.Errorf("%s: the answer has a header of the caller's: %q", name, line)
			}
			if err != nil || line == "\r\n" {
				break
			}
		}
		conn.Close()
	}
}

// Readers that go away in the middle of an answer leave nothing behind.
func TestGoneReaders(t *testing.T) {
	address := listen(t, site(t, nil))
	before := runtime.NumGoroutine()
	for range 50 {
		conn := dial(t, address)
		if _, err := io.WriteString(conn, "GET /t/open/ HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		one := make([]byte, 1)
		if _, err := conn.Read(one); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before+2; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// Two hundred readers at once, while customers are updated. With EVENKEEL_SOAK it lasts
// a minute, and the slowest hundredth of the answers stays below 50 ms.
func TestReaders(t *testing.T) {
	const readers = 200
	long := time.Second
	soak := os.Getenv("EVENKEEL_SOAK") != ""
	if soak {
		long = time.Minute
	}
	p := site(t, nil)
	address := listen(t, p)
	transport := &http.Transport{MaxIdleConnsPerHost: readers}
	client := &http.Client{Transport: transport}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	all := targets("open")
	get := func(i int) error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+all[i%len(all)], nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err == nil && strings.Contains(string(body), betaMark) {
			err = fmt.Errorf("%s shows %s", r.URL, betaMark)
		}
		return err
	}
	for i := range all { // what is made once is made
		if err := get(i); err != nil {
			t.Fatal(err)
		}
	}
	before := runtime.NumGoroutine()
	var mu sync.Mutex // guards times
	var times []time.Duration
	var wg sync.WaitGroup
	for n := range readers {
		wg.Go(func() {
			tick := time.NewTicker(200 * time.Millisecond) // a thousand requests a second by all
			defer tick.Stop()
			stagger := time.NewTimer(time.Duration(n) * time.Millisecond)
			defer stagger.Stop()
			<-stagger.C
			for i := n; ctx.Err() == nil; i++ {
				began := time.Now()
				if err := get(i); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				times = append(times, time.Since(began))
				mu.Unlock()
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	wg.Go(func() {
		tick := time.NewTicker(5 * time.Second) // as often as files are looked at
		defer tick.Stop()
		for ctx.Err() == nil {
			if err := p.Update(marked()["open"]); err != nil {
				t.Error(err)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	wg.Wait()
	slices.Sort(times)
	p99 := times[len(times)*99/100]
	t.Logf("%d answers, p50 %v, p99 %v, the slowest %v", len(times), times[len(times)/2], p99, times[len(times)-1])
	if soak && p99 > 50*time.Millisecond {
		t.Errorf("p99 %v, want at most 50 ms", p99)
	}
	transport.CloseIdleConnections()
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before+10; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
