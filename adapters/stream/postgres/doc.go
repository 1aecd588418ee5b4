// Package postgres is a [stream.Store] on PostgreSQL, 12 or later. It imports no driver:
// the caller opens the *sql.DB.
//
//	db, err := sql.Open("pgx", dsn)
//	store, err := postgres.Open(ctx, db, nil)
//
// A record is a row, numbered within its partition. Who appends holds an advisory lock
// of the partition until its transaction ends, so numbers become visible in their order
// and no reader skips one; a sequence of the database would not give that. A transaction
// has at most a hundred rows. IDs are known as long as their rows stand in the log.
//
// The outbox is the table stream_outbox, in which a key is unique. Reading gives places to
// the rows that came since: SELECT stream_number(500), and in a transaction after that
// one SELECT ... WHERE place > $1 ORDER BY place, for those who read with SQL. Rows are
// deleted when they are older than [Options.OutboxAge].
//
// The clock of the server decides who is alive. What is appended is durable, unless the
// server runs without synchronous_commit.
package postgres
