package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/handoff"
	"github.com/evenkeelops/evenkeel/sla/calendar"
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

// A handoff that nobody accepts: at the end of its window the receiver is responsible
// all the same, and its manager is told.
func ExampleHandoffs() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	now := time.Date(2026, 7, 14, 15, 30, 0, 0, time.UTC)
	store, err := sqlstore.Open(ctx, db, &sqlstore.Options{Now: func() time.Time { return now }})
	if err != nil {
		fmt.Println(err)
		return
	}
	handoffs, err := sqlstore.NewHandoffs(store, "acme", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	r := &handoff.Record{
		Tenant: "acme", From: "amsterdam", To: "austin", Manager: "max",
		Window: calendar.Interval{Start: now, End: now.Add(30 * time.Minute)},
	}
	if err := handoffs.Open(ctx, r); err != nil {
		fmt.Println(err)
		return
	}
	_, err = handoffs.Change(ctx, r.ID(), func(r *handoff.Record) error { return r.SignOff("sarah", "all quiet", now) })
	fmt.Println("signed off:", err)
	_, err = handoffs.Change(ctx, r.ID(), func(r *handoff.Record) error { return r.Accept("sarah", "", now) })
	fmt.Println("accepted:", err)

	now = now.Add(30 * time.Minute) // what a runner does at the end of the window
	due, err := store.Timers().Claim(ctx, 10, 10*time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("fired:", store.Fire(ctx, due, func(ctx context.Context, tx *sqlstore.Tx, l escalation.Lease) error {
		if l.Kind == sqlstore.HandoffDue {
			return handoffs.Fire(ctx, tx, l)
		}
		return nil // here an Escalator has its turn
	}))
	owner, err := handoffs.Owner(ctx)
	fmt.Println(owner.Owner, "since", owner.Since.Format("15:04"), "overdue", owner.Overdue, err)
	messages, err := store.Outbox().Claim(ctx, 10, 10*time.Second)
	for _, m := range messages {
		fmt.Println(m.Kind, m.Key, err)
	}
	// Output:
	// signed off: <nil>
	// accepted: escalation: handoff: accept by "sarah" at 2026-07-14T15:30:00Z: a sender cannot accept
	// fired: [<nil>]
	// austin since 16:00 overdue true <nil>
	// notice acme/handoff/amsterdam/austin/2026-07-14T15:30:00Z/overdue/max <nil>
}
