package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
)

// State, timeline and message are written together; the sender then takes the
// message under a lease and reports it as sent.
func Example() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	db.SetMaxOpenConns(1)

	store, err := sqlstore.Open(ctx, db)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC)
	err = store.Commit(ctx, sqlstore.Change{
		Tenant: "acme",
		Incidents: []sqlstore.Incident{{
			ID:      "INC-1",
			State:   json.RawMessage(`{"status":"open"}`),
			Entries: []json.RawMessage{json.RawMessage(`{"kind":"declared"}`)},
		}},
		Outbox: []sqlstore.Message{{Key: "INC-1/page/sarah", Kind: "page", Due: now, Payload: json.RawMessage(`{"to":"sarah"}`)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	leased, err := store.Claim(ctx, now, 10, 10*time.Second)
	for _, l := range leased {
		fmt.Println("send", l.Key, string(l.Payload))
		err = store.Sent(ctx, l, now)
	}
	outbox, _ := store.Outbox(ctx, "acme")
	fmt.Println(outbox.Sent, "sent,", outbox.Pending, "pending", err)
	// Output:
	// send INC-1/page/sarah {"to":"sarah"}
	// 1 sent, 0 pending <nil>
}
