// Package stream runs package correlation on several machines: an alert log
// partitioned by tenant, nodes that share the partitions, and recovery when one
// of them dies.
//
// A producer writes batches of events to the [Log] of a [Store]. A [Node] claims
// its share of the 256 partitions, runs a [correlation.Engine] for each, and hands
// over notifications with the key under which each is sent once:
//
//	node, err := stream.New(stream.Config{
//		Store:  store, // stream.NewMemory(), or that of package jetstream or postgres
//		Name:   "correlator-1",
//		Rules:  correlation.StarterRules(),
//		Notify: func(ctx context.Context, all []stream.Notification) error { ... },
//	})
//	go node.Run(ctx)
//	err = stream.Send(ctx, store, stream.Batch{ID: "req-4711", At: time.Now(), Events: events})
//
// # What a partition is
//
// [Partition] maps a tenant to one of [Partitions]. Rules never leave a tenant, so
// the result is that of one engine for all, and it does not depend on the number of
// nodes. One goroutine owns a partition.
//
// # Recovery
//
// The state of a partition is a function of its log and of nothing else. The log
// records the instant at which events are applied; if no events come, the owner
// writes the instants at which something falls due into the log, too, and so it
// does with the keys of the notifications that it has handed over. Whoever takes a
// partition over restores the last snapshot and applies the records that follow;
// notifications whose keys stand in the log are not handed over again.
//
// Nothing is lost. A notification is handed over again, under the same key, only
// if a node dies after [Config.Notify] and before the key is in the log, which is
// one append; at most [Config.Parallel] times [Config.Batch] of a node are in doubt. A
// receiver that drops repeated keys, as the outbox of adapters/sqlstore does, sees each
// once.
//
// # Leases
//
// A node is alive until [Config.TTL] after it last said so. Its partitions then
// belong to others, under a higher epoch: a snapshot of a lower epoch is refused,
// and an owner that reads a higher one in the log stops. A node that was stopped
// for longer than its lease hands nothing over after it wakes. Only the store and
// the lengths of time are trusted, not the clocks of the nodes.
//
// When a node joins or leaves, every node works out the same even distribution
// and gives up what is no longer its own, after a snapshot.
package stream
