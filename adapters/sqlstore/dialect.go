package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Dialect is the kind of database. The zero value lets [Open] ask.
type Dialect uint8

// The dialects.
const (
	SQLite     Dialect = iota + 1 // 3.38 or later
	PostgreSQL                    // 12 or later
)

// String returns "SQLite" or "PostgreSQL", and "unset" for the zero value.
func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "SQLite"
	case PostgreSQL:
		return "PostgreSQL"
	default:
		return "unset"
	}
}

// detect asks a database what it is.
func detect(ctx context.Context, db *sql.DB) (Dialect, error) {
	var version string
	notPostgres := db.QueryRowContext(ctx, `SELECT version()`).Scan(&version)
	if notPostgres == nil && strings.HasPrefix(version, "PostgreSQL ") {
		return PostgreSQL, nil
	}
	if db.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&version) == nil {
		return SQLite, nil
	}
	return 0, fmt.Errorf("neither PostgreSQL nor SQLite: version %q: %w", version, notPostgres)
}

// Statements are written once, for both: parameters as $1, and what differs in
// braces.
//
//	{now}         the instant of the statement, with $1 as [Store.clock] gives it
//	{lock}        a row that is read is locked until the end of the transaction
//	{skip}        rows that others have locked are left out, the others locked
//	{row}         where a row is, for the time of the statement
//	{turn}        the place of a write in the order of changes
//	{next}        the first place that no reader has seen all of
//	{among}       is one of the rows of the query that follows up to {/among}
//	{rows $2 ...} the rows of a JSON array of objects, with columns of the names
//	              and types that follow
func (d Dialect) text(query string) string {
	postgres := d == PostgreSQL
	choose := func(sqlite, pg string) string {
		if postgres {
			return pg
		}
		return sqlite
	}
	query = strings.NewReplacer(
		// One statement has one statement_timestamp, and the index on wake serves it.
		"{now}", choose(`$1`, `coalesce($1::bigint, (extract(epoch FROM statement_timestamp()) * 1000000000)::bigint)`),
		"{lock}", choose(``, `FOR UPDATE`),
		"{skip}", choose(``, `FOR UPDATE SKIP LOCKED`),
		"{id}", choose(`INTEGER PRIMARY KEY`, `BIGINT GENERATED ALWAYS AS IDENTITY`),
		// A transaction that began sooner may end later, so on PostgreSQL the place is that
		// of the transaction, and readers go on from the oldest one that has not ended.
		"{turn}", choose(`(SELECT coalesce(max(changed), 0) + 1 FROM incident)`, `txid_current()`),
		"{next}", choose(`(SELECT coalesce(max(changed), 0) + 1 FROM incident)`, `txid_snapshot_xmin(txid_current_snapshot())`),
		"{row}", choose(`id`, `ctid`),
		"{among}", choose(`IN `, `= ANY (ARRAY`),
		"{/among}", choose(``, `)`),
		"{int}", choose(`INTEGER`, `BIGINT`),
		"{bytes}", choose(`BLOB`, `BYTEA`),
		"{text}", choose(`TEXT`, `TEXT COLLATE "C"`), // compared by bytes
		"{clustered}", choose(` WITHOUT ROWID`, ``),
	).Replace(query)
	if before, rest, ok := strings.Cut(query, "{rows "); ok {
		spec, after, _ := strings.Cut(rest, "}")
		param, columns, _ := strings.Cut(spec, " ")
		query = before + choose(sqliteRows(param, columns), "json_to_recordset("+param+"::text::json) AS given("+columns+")") + after
	}
	if !postgres {
		query = strings.ReplaceAll(query, "$", "?") // ?1 has the same meaning for every driver, $1 has not
	}
	return query
}

func sqliteRows(param, columns string) string {
	var list []string
	for column := range strings.SplitSeq(columns, ", ") {
		name, _, _ := strings.Cut(column, " ")
		list = append(list, fmt.Sprintf("value ->> '%s' AS %[1]s", name))
	}
	return "(SELECT " + strings.Join(list, ", ") + " FROM json_each(" + param + ")) AS given"
}

// clock is the first parameter of statements with {now}: nothing on PostgreSQL,
// unless a clock was given.
func (s *Store) clock() any {
	switch {
	case s.now != nil:
		return s.now().UnixNano()
	case s.dialect == PostgreSQL:
		return nil
	default:
		return time.Now().UnixNano()
	}
}
