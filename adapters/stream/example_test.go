package stream_test

import (
	"context"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
)

// A node tells what is the cause and leaves out what follows from it.
func Example() {
	store := stream.NewMemory() // on machines: jetstream.Open or postgres.Open
	ctx, stop := context.WithCancel(context.Background())
	node, err := stream.New(stream.Config{
		Store: store,
		Name:  "correlator-1",
		Rules: []correlation.Rule{{
			Name:  "database",
			Logic: `IF platform.database_down AS d THEN suppress application.* WHERE depends_on = d.service CREATE composite_alert: "{{d.service}} is down"`,
		}},
		Notify: func(_ context.Context, all []stream.Notification) error {
			for _, n := range all {
				fmt.Println(n.Kind, n.Alert.Tenant, n.Alert.Name)
				if n.Alert.Name == "platform.database_down" {
					stop()
				}
			}
			return nil
		},
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
	fmt.Println(node.Run(ctx))
	// Output:
	// notify acme composite.database
	// notify acme platform.database_down
	// context canceled
}
