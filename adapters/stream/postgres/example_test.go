package postgres_test

import (
	"context"
	"database/sql"
	"log"
	"os"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/postgres"
	"github.com/evenkeelops/evenkeel/correlation"
)

// A node of its own process; any number of them share the database. It needs a server,
// and a driver for database/sql among the imports of the program.
func Example() {
	if err := correlate(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// correlate works until the context ends.
func correlate(ctx context.Context) error {
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := postgres.Open(ctx, db, nil)
	if err != nil {
		return err
	}
	node, err := stream.New(stream.Config{Store: store, Name: "correlator-1", Rules: correlation.StarterRules(), Notify: store.Outbox().Put, Batch: 100})
	if err != nil {
		return err
	}
	go tell(ctx, store.Outbox())
	return node.Run(ctx)
}

// tell reads what people are to hear, each once. A program would store the place with what
// came of the entry.
func tell(ctx context.Context, box stream.Outbox) {
	place := int64(0)
	for ctx.Err() == nil {
		entries, err := box.Read(ctx, place)
		if err != nil {
			log.Println(err)
			time.Sleep(time.Second)
		}
		for _, e := range entries {
			log.Println(e.Key, e.Kind, e.Alert)
			place = e.Place
		}
	}
}
