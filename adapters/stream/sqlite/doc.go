// Package sqlite is a [stream.Store] in a file of SQLite, 3.38 or later, for one
// machine: any number of processes on it may share the file. It imports no driver:
// the caller opens the *sql.DB, with modernc.org/sqlite as
//
//	db, err := sql.Open("sqlite", "file:alerts.db?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"+
//		"&_pragma=busy_timeout(10000)&_txlock=immediate")
//	store, err := sqlite.Open(ctx, db, nil)
//
// SQLite has one writer. What is to be written at one time is written in one
// transaction, so many that append at once share the wait for the disk. Records are
// numbered within their partition, notifications of the outbox in one order; as
// there is one writer, numbers become visible in their order.
//
// IDs are known as long as their rows stand in the log, keys as long as theirs
// stand in the outbox, which is [Options.OutboxAge]. The clock of the process
// decides who is alive, so processes that share a file need one machine.
package sqlite
