// Package sqlstore keeps what must survive a crash in a SQL database: incidents
// with their timelines, the timers of their escalation, the outbox of messages
// still to be sent, and snapshots of the engines that decide.
//
// [Store.Commit] writes one [Change] in one transaction, so state, timeline,
// timers and the promise to tell somebody appear together or not at all.
// [Store.Timers] and [Store.Outbox] are two queues of the same make: tasks are
// claimed under a lease, by any number of processes, and a process that dies
// holds its tasks only until the lease ends. [Store.Fire] handles claimed timers:
// it locks the incident, lets the caller decide, writes what follows and
// completes the timer, all in one transaction, so that an escalation level fires
// once. The messages which it puts into the outbox are sent at least once, each
// with a key derived from what it is for; a receiver that drops repeated keys
// gets each message once however often a sender crashed. Package
// adapters/runner claims and hands out.
//
// [Incidents] keeps the incidents of package incident that way, entry by entry, with
// the events that they refused. [Escalator] runs the escalation of incidents that way, and [Handoffs] the handoffs
// of centres: who is responsible moves in the store at the acceptance, and at the end
// of the window at the latest.
//
// [Store.Ledger] remembers for adapters what they created under which key, and
// [Store.Seen] which webhooks were taken.
//
// # Databases
//
// The package imports no driver: the caller opens the *sql.DB. [Open] finds out
// by a query whether it is SQLite (3.38 or later) or PostgreSQL (12 or later).
//
// With modernc.org/sqlite a durable database is opened by
//
//	sql.Open("sqlite", "file:x.db?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"+
//		"&_pragma=busy_timeout(10000)&_txlock=immediate")
//
// and db.SetMaxOpenConns(1), because SQLite has one writer. Several processes on
// one machine may share the file; processes on several machines may not.
//
// With PostgreSQL any number of machines share the work, at its default level of
// isolation. A transaction that it aborts because of a deadlock is run again.
//
// # Time
//
// The clock of a PostgreSQL server decides what is due, that of the process in
// SQLite; [Options] may say otherwise. Instants are stored as integer nanoseconds
// since 1970 in UTC, so nothing is rounded and no task can be early; the clock of
// PostgreSQL has microseconds and is read rounded down.
//
// A clock that is put forward makes due what the new time says; one that is put
// back delays what is still to come. Neither lets anything happen again, because
// the state decides and not the time. A lease that a dead process holds lasts by
// so much longer as the clock is put back.
package sqlstore
