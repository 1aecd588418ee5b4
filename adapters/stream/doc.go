// Package stream runs package correlation on several machines: an alert log
// partitioned by tenant, nodes that share the partitions, and recovery when one
// of them dies.
//
// A producer writes batches of events to the [Log] of a [Store]. A [Node] claims
// its share of the 256 partitions, runs a [correlation.Engine] for each, and puts
// notifications into an [Outbox], from which other programs tell people:
//
//	store, err := jetstream.Open(ctx, nc, nil) // or postgres.Open; in memory NewMemory and NewMemoryOutbox
//	node, err := stream.New(stream.Config{
//		Store:  store,
//		Name:   "correlator-1",
//		Rules:  correlation.StarterRules(),
//		Notify: store.Outbox().Put,
//		Batch:  100,
//	})
//	go node.Run(ctx)
//	err = stream.Send(ctx, store, stream.Batch{ID: "req-4711", At: time.Now(), Events: events})
//	entries, err := store.Outbox().Read(ctx, place) // after the place that was read last
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
// A snapshot that is damaged or lost, or that another version wrote, is not used. If the log was
// never trimmed, the state is made of all of it, by the rules of today, and of what was over
// before the snapshot nobody is told again. Otherwise the partition waits, and
// [Stats.Stuck] and [Config.Log] say so, until the store gives a snapshot that is sound, as
// from a backup: with a state that is not what it was, people would be told of what is
// over, and not of the end of what they know. The other partitions go on.
//
// # What is exactly once, and what is not
//
// In the outbox every notification stands once, whenever nodes and servers are killed:
// none is lost, and none stands there twice. A node that dies after it has put some and
// before their keys are in the log leaves them to the next owner, who puts them again, and
// the outbox drops keys that it has. It remembers a key for as long as it keeps the
// notification, which has to be longer than a partition is ever without an owner.
//
// Reading is as exact as the reader: one that stores what came of an entry and the place
// of it in one transaction has each once. Beyond a transaction nobody can promise that.
// Whoever reads the outbox and sends to a third party, a mail server or a chat, may die
// between the two, and then either sends again or leaves out; send again, with
// [Notification.Key] as the idempotency key if the third party takes one.
//
// The same holds for a [Config.Notify] of your own, that hands over to something else than
// an outbox: nothing is lost, and what a node handed over and did not record is handed
// over again under the same key, at most [Config.Parallel] times [Config.Batch]
// notifications of a node.
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
