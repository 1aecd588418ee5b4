package postgres_test

import (
	"context"
	"database/sql"
	"log"
	"os"

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
