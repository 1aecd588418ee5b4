package streams

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/evenkeelops/evenkeel/adapters/stream/jetstream"
)

// TestOlderServer appends to a server that does not know batches, which from 2.12 on refuses a stream that is to take them.
// Its API is played by a subscriber: this module has one version of the server.
func TestOlderServer(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	defer func() { s.Shutdown(); s.WaitForShutdown() }()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("not ready within 20s")
	}
	connect := func() *nats.Conn {
		nc, err := nats.Connect(s.ClientURL())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	api := connect()
	asked, stored := 0, 0 // each subscription has a goroutine of its own, and is asked before it stores
	subscribe := func(subject string, answer func(m *nats.Msg) string) {
		if _, err := api.Subscribe(subject, func(m *nats.Msg) { _ = m.Respond([]byte(answer(m))) }); err != nil {
			t.Fatal(err)
		}
	}
	subscribe("$JS.API.STREAM.*.*", func(m *nats.Msg) string {
		var config map[string]any
		if err := json.Unmarshal(m.Data, &config); err != nil {
			return fmt.Sprintf(`{"error": {"code": 400, "err_code": 10025, "description": %q}}`, err)
		}
		if config["allow_batched"] != nil {
			asked++
			return `{"error": {"code": 400, "err_code": 10025, "description": "invalid JSON: json: unknown field \"allow_batched\""}}`
		}
		return fmt.Sprintf(`{"config": %s}`, m.Data)
	})
	subscribe("old.log.>", func(m *nats.Msg) string {
		if strings.HasSuffix(m.Reply, "$FI") {
			return `{"error": {"code": 400, "err_code": 10003, "description": "a batch"}}`
		}
		stored++
		return fmt.Sprintf(`{"stream": "old-log-3", "seq": %d}`, stored)
	})
	if err := api.Flush(); err != nil {
		t.Fatal(err)
	}
	store, err := jetstream.Open(t.Context(), connect(), &jetstream.Options{Prefix: "old"})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if offset, err := store.Append(t.Context(), 3, numbered(0, 50)...); err != nil || offset != 50 {
		t.Errorf("50 batches end at %d (%v), want 50", offset, err)
	}
	if asked != 1 {
		t.Errorf("batches are asked for %d times, want once", asked)
	}
}
