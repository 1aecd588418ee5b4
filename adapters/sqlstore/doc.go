// Package sqlstore keeps what must survive a crash in a SQL database: incidents
// with their timelines, the outbox of messages still to be sent, and snapshots of
// the engines that decide.
//
// [Store.Commit] writes one [Change] in one transaction, so state, timeline and
// the promise to tell somebody appear together or not at all. Messages leave
// through the outbox: [Store.Claim] leases due ones to a sender, which reports
// back with [Store.Sent], [Store.Retry] or [Store.Dead]. A sender that dies holds
// its messages only until the lease ends. Every message has a key derived from
// what it is for; the same key is stored once, and a receiver that drops repeated
// keys gets each message once however often a sender crashed.
//
// The package imports no driver: the caller opens the *sql.DB. The dialect is
// SQLite's; with modernc.org/sqlite a durable database is opened by
//
//	sql.Open("sqlite", "file:x.db?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"+
//		"&_pragma=busy_timeout(10000)&_txlock=immediate")
//
// and db.SetMaxOpenConns(1), because SQLite has one writer. Times are stored as
// integer nanoseconds since 1970 in UTC.
package sqlstore
