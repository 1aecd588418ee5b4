package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/sqlite"
	"github.com/evenkeelops/evenkeel/correlation"
)

func ExampleOpen() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", "file:example?mode=memory&cache=shared&_txlock=immediate")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	store, err := sqlite.Open(ctx, db, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	event := correlation.Event{Tenant: "acme", Alert: "platform.db_slow", Status: correlation.Firing, Time: at}
	for range 2 { // the answer to the first was lost
		if err := stream.Send(ctx, store, stream.Batch{ID: "req-4711", At: at, Events: []correlation.Event{event}}); err != nil {
			fmt.Println(err)
			return
		}
	}
	records, err := store.Read(ctx, stream.Partition("acme"), 0)
	fmt.Println(len(records), records[0].Events[0].Alert, err)
	// Output: 1 platform.db_slow <nil>
}
