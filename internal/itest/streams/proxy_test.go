package streams

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// wire is a TCP proxy in front of a server. It can be cut, as by a plug that is pulled and a router that says so, and stalled,
// as by a router that drops everything and says nothing.
type wire struct {
	Addr string
	to   string

	mu      sync.Mutex
	flows   *sync.Cond // is told of every change of what follows
	state   wireState
	conns   map[net.Conn]bool
	stopped bool
}

type wireState int

const (
	whole   wireState = iota
	stalled           // nothing passes, and connections stay
	cut               // connections end, and new ones are refused
)

// newWire listens in front of an address until the test ends.
func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Addr: l.Addr().String(), to: to, conns: map[net.Conn]bool{}}
	w.flows = sync.NewCond(&w.mu)
	t.Cleanup(func() {
		_ = l.Close()
		w.mu.Lock()
		w.stopped = true
		w.mu.Unlock()
		w.set(cut)
	})
	go func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				go w.carry(c)
			}
		}
	}()
	return w
}

// set changes the state. A wire that was stalled or cut and is whole again has forgotten its connections, as routers do.
func (w *wire) set(s wireState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s != stalled {
		for c := range w.conns {
			_ = c.Close()
		}
		clear(w.conns)
	}
	w.state = s
	w.flows.Broadcast()
}

// passes waits while the wire is stalled and reports whether a connection goes on.
func (w *wire) passes(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.state == stalled && w.conns[c] && !w.stopped {
		w.flows.Wait()
	}
	return w.conns[c]
}

// carry carries a connection both ways.
func (w *wire) carry(client net.Conn) {
	w.mu.Lock()
	refused := w.state == cut || w.stopped
	w.conns[client] = !refused
	w.mu.Unlock()
	defer client.Close()
	if refused || !w.passes(client) {
		return
	}
	server, err := net.Dial("tcp", w.to) //nolint:noctx // loopback
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{}, 2)
	pump := func(to, from net.Conn) {
		defer func() { done <- struct{}{} }()
		room := make([]byte, 32<<10)
		for {
			n, err := from.Read(room)
			if n > 0 && w.passes(client) {
				_, err = to.Write(room[:n])
			} else if n > 0 {
				err = io.EOF
			}
			if err != nil {
				return
			}
		}
	}
	go pump(server, client)
	go pump(client, server)
	<-done
	_, _ = client.Close(), server.Close()
	<-done
	w.mu.Lock()
	delete(w.conns, client)
	w.mu.Unlock()
}
