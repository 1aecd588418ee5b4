package jetstream_test

import (
	"context"
	"log"
	"os"

	"github.com/nats-io/nats.go"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/jetstream"
	"github.com/evenkeelops/evenkeel/correlation"
)

// A node of its own process; any number of them share the streams. It needs a server
// with JetStream.
func Example() {
	if err := correlate(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// correlate works until the context ends.
func correlate(ctx context.Context) error {
	nc, err := nats.Connect(os.Getenv("NATS_URL"))
	if err != nil {
		return err
	}
	defer nc.Close()
	store, err := jetstream.Open(ctx, nc, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	node, err := stream.New(stream.Config{Store: store, Name: "correlator-1", Rules: correlation.StarterRules(), Notify: tell})
	if err != nil {
		return err
	}
	return node.Run(ctx)
}

// tell tells people, once for each key.
func tell(_ context.Context, all []stream.Notification) error {
	for _, n := range all {
		log.Println(n.Key, n.Kind, n.Alert)
	}
	return nil
}
