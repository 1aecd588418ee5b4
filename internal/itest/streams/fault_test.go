package streams

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// TestBridgesDatabaseRestarted ends PostgreSQL at once, twice, while alerts come in to two bridges.
func TestBridgesDatabaseRestarted(t *testing.T) {
	where := systems["postgres"](t)
	storage := fmt.Sprintf("database: %q\n", where.URL)
	b := newBridges(t, storage, storage)
	const all = 90
	begin := time.Now().Add(-time.Minute)
	crashed := make(chan struct{})
	close(crashed)
	for n := range all {
		if n == all/3 || n == 2*all/3 {
			<-crashed
			crashed = make(chan struct{})
			go func() {
				defer close(crashed)
				if err := servers.postgres.Restart(t.Context()); err != nil {
					t.Error(err)
				}
			}()
		}
		b.post(n, begin, time.Time{})
	}
	<-crashed
	eventually(t, patience, func() error { return b.have(all) })
	for n := range all {
		b.post(n, begin, time.Now())
	}
	b.toldAll(all)
}

// TestBridgesCut cuts one of two bridges off from PostgreSQL, or from JetStream, and then lets what it sends go nowhere. The
// other takes its partitions over and tells all, the one that is cut off takes nothing that it cannot keep, and both go on when
// the network is there again.
func TestBridgesCut(t *testing.T) {
	for _, log := range []string{"postgres", "jetstream"} {
		t.Run(log, func(t *testing.T) {
			if log == "jetstream" && os.Getenv("EVENKEEL_SOAK") == "" {
				t.Skip("the same on JetStream, for EVENKEEL_SOAK=1")
			}
			where := systems["postgres"](t).URL
			address, err := url.Parse(where)
			if err != nil {
				t.Fatal(err)
			}
			wires := []*wire{newWire(t, address.Host)}
			address.Host = wires[0].Addr
			near, far := fmt.Sprintf("database: %q\n", where), fmt.Sprintf("database: %q\n", address)
			if log == "jetstream" {
				nats := natsURL(t)
				server := strings.TrimPrefix(nats, "nats://")
				wires = append(wires, newWire(t, server))
				near += fmt.Sprintf("stream: %q\n", nats)
				far += fmt.Sprintf("stream: %q\n", "nats://"+wires[1].Addr)
			}
			b := newBridges(t, far, near)
			begin := time.Now().Add(-time.Minute)
			all := 0
			some := func() {
				t.Helper()
				for range 24 { // of each tenant some
					b.post(all, begin, time.Time{})
					all++
				}
			}
			set := func(s wireState) {
				for _, w := range wires {
					w.set(s)
				}
			}
			some()
			eventually(t, patience, func() error { return b.have(all) })
			for _, state := range []wireState{cut, stalled} {
				set(state)
				// What it refuses is sent again, to the other.
				if status, err := b.try(0, all, begin, time.Time{}); err != nil || status != http.StatusServiceUnavailable {
					t.Errorf("the node that is cut off answers %d, %v, want 503", status, err)
				}
				for range 24 {
					eventually(t, patience, func() error {
						status, err := b.try(1, all, begin, time.Time{})
						if err == nil && status != http.StatusAccepted {
							err = fmt.Errorf("status %d", status)
						}
						return err
					})
					all++
				}
				eventually(t, patience, func() error { return b.have(all) }) // by the other, while the network is not there
				set(whole)
				eventually(t, patience, func() error {
					status, err := b.try(0, all, begin, time.Time{})
					if err == nil && status != http.StatusAccepted {
						err = fmt.Errorf("the network is there again, and the answer is %d", status)
					}
					return err
				})
				all++
				some()
				eventually(t, patience, func() error { return b.have(all) })
			}
			for n := range all {
				b.post(n, begin, time.Now())
			}
			b.toldAll(all)
		})
	}
}
