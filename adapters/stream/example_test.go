package stream_test

import (
	"context"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
)

// A node puts what is the cause into the outbox and leaves out what follows from it.
func Example() {
	store, box := stream.NewMemory(), stream.NewMemoryOutbox() // on machines: jetstream.Open or postgres.Open
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	node, err := stream.New(stream.Config{
		Store: store,
		Name:  "correlator-1",
		Rules: []correlation.Rule{{
			Name:  "database",
			Logic: `IF platform.database_down AS d THEN suppress application.* WHERE depends_on = d.service CREATE composite_alert: "{{d.service}} is down"`,
		}},
		Notify: box.Put, Batch: 100,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Now()
	alert := func(name string, labels map[string]string) correlation.Event {
		return correlation.Event{Tenant: "acme", Alert: name, Labels: labels, Status: correlation.Firing, Time: now}
	}
	err = stream.Send(ctx, store, stream.Batch{ID: "request-4711", At: now, Events: []correlation.Event{
		alert("platform.database_down", map[string]string{"service": "orders-db"}),
		alert("application.slow_response", map[string]string{"service": "shop", "depends_on": "orders-db"}),
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = node.Run(ctx) }()
	for place := int64(0); place < 2; {
		entries, err := box.Read(ctx, place)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, e := range entries {
			fmt.Println(e.Place, e.Kind, e.Alert.Tenant, e.Alert.Name)
			place = e.Place
		}
	}
	// Output:
	// 1 notify acme composite.database
	// 2 notify acme platform.database_down
}

// What is put again, as by a node that took over, stands once.
func ExampleOutbox() {
	var box stream.Outbox = stream.NewMemoryOutbox() // on machines: of jetstream.Open or postgres.Open
	ctx := context.Background()
	down := stream.Notification{Key: "a", Transition: correlation.Transition{Kind: correlation.Notify, Alert: correlation.Alert{Name: "platform.db_down"}}}
	over := stream.Notification{Key: "b", Transition: correlation.Transition{Kind: correlation.Resolve, Alert: correlation.Alert{Name: "platform.db_down"}}}
	for _, all := range [][]stream.Notification{{down}, {down, over}} {
		if err := box.Put(ctx, all); err != nil {
			fmt.Println(err)
			return
		}
	}
	entries, err := box.Read(ctx, 0) // who tells people remembers the place of the last
	for _, e := range entries {
		fmt.Println(e.Place, e.Kind, e.Alert.Name, err)
	}
	// Output:
	// 1 notify platform.db_down <nil>
	// 2 resolve platform.db_down <nil>
}
