package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
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

	store, err := sqlstore.Open(ctx, db, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	due := time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC)
	err = store.Commit(ctx, sqlstore.Change{
		Tenant: "acme",
		Incidents: []sqlstore.Incident{{
			ID:      "INC-1",
			State:   json.RawMessage(`{"status":"open"}`),
			Entries: []json.RawMessage{json.RawMessage(`{"kind":"declared"}`)},
		}},
		Outbox: []escalation.Task{{Key: "INC-1/page/sarah", Kind: "page", Due: due, Payload: json.RawMessage(`{"to":"sarah"}`)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	leases, err := store.Outbox().Claim(ctx, 10, 10*time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range leases {
		fmt.Println("send", l.Key, string(l.Payload))
	}
	lost, err := store.Outbox().Complete(ctx, leases...)
	fmt.Println(len(leases)-len(lost), "sent", err)
	// Output:
	// send INC-1/page/sarah {"to":"sarah"}
	// 1 sent <nil>
}
