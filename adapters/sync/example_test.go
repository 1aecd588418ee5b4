package sync_test

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/sync"
	"github.com/evenkeelops/evenkeel/incident"
)

// board is the least that a system has to be able to do, and states.
type board struct{ ticket adapters.Ticket }

func (b *board) Open(_ context.Context, t adapters.Ticket) (adapters.Ref, error) {
	t.Ref = adapters.Ref{Provider: "board", ID: "1"}
	b.ticket = t
	return t.Ref, nil
}

func (b *board) Read(context.Context, adapters.Ref) (adapters.Ticket, error) { return b.ticket, nil }

func (b *board) Acknowledge(context.Context, adapters.Ref, string) error {
	b.set(adapters.StateAcknowledged)
	return nil
}

func (b *board) set(s adapters.State) {
	b.ticket.State, b.ticket.Updated = s, b.ticket.Updated.Add(time.Second)
}

func (b *board) Changes(context.Context, string) iter.Seq2[adapters.Exported, error] {
	return func(yield func(adapters.Exported, error) bool) { yield(adapters.Exported{Ticket: b.ticket}, nil) }
}

// A ticket is opened at the other side, and an acknowledgement there comes back.
func Example() {
	ctx := context.Background()
	pager, desk := &board{}, &board{}
	syncer, err := sync.New(sync.Config{
		Store: &sync.Memory{}, // a durable one outside of examples
		Sides: []sync.Side{{Name: "pager", System: pager}, {Name: "desk", System: desk, Opens: true}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ref, _ := pager.Open(ctx, adapters.Ticket{Title: "checkout is down", Severity: incident.P1, State: adapters.StateNew})
	id := sync.ID{Tenant: "acme", Incident: "INC-1"}
	if err := syncer.Track(ctx, id, "pager", ref); err != nil {
		fmt.Println(err)
		return
	}
	if err := syncer.Reconcile(ctx, id); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("desk:", desk.ticket.Title, desk.ticket.Severity, desk.ticket.State)

	desk.set(adapters.StateAcknowledged) // by a person, there
	if err := syncer.Poll(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := syncer.Work(ctx, 10); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("pager:", pager.ticket.State)
	// Output:
	// desk: checkout is down P1 new
	// pager: acknowledged
}
