// Package jetstream is a [stream.Store] on NATS JetStream.
//
//	nc, err := nats.Connect(url)
//	store, err := jetstream.Open(ctx, nc, nil)
//	defer store.Close()
//
// The log is 16 streams with 16 partitions each, one subject a partition; a reader has
// a consumer with one filter, because several filters on one consumer are slow on file
// storage. A record is a message, and its offset the sequence in its stream. IDs become
// Msg-Ids, which the server remembers for [Options.Duplicates].
//
// Claims and nodes are messages of another stream, the last of its subject: a claim is
// written with the sequence that was expected, and the message of a node expires. The
// claim also says which messages of a further stream are the snapshot, so a snapshot of a
// stale owner is never seen. The clock of the server decides.
//
// The outbox is a stream with a subject for each key, <prefix>.outbox.<key>, on which the
// server takes one message: not because of a Msg-Id, which it forgets after a while, but for
// as long as it keeps the message, [Options.OutboxAge]. It is read without a filter. Any
// program may read it with a consumer of its own; the messages are notifications as JSON.
//
// The server needs version 2.11 or later. An append returns when the server has the
// messages; it writes them to its files at once and has the disk sync them every two
// minutes, unless its sync_interval says otherwise. So they survive the end of the server
// process, and the end of the machine with [Options.Replicas] of 3.
//
// A server that has as much as it may have, max_file_store, by default three quarters of what
// is free on its disk when it starts, refuses writes at once ("insufficient resources"), and
// takes them again when there is less. One whose disk others have filled (nats-server 2.15.2)
// answers no write, and takes none before it is started again, with room. What it has
// acknowledged it has in both cases.
package jetstream
