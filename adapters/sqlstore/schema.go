package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// schema lists the statements of each version; a database is brought up one
// version after the other. Version 1 was for SQLite alone.
func schema(d Dialect) [][]string {
	if d == PostgreSQL {
		return [][]string{nil, slices.Concat(base, queueTable("outbox"), queueTable("timer")), slices.Concat(version3, playbookTables), adapterTables, slices.Concat(order, kindInIndex), lastTry}
	}
	return [][]string{
		version1,
		slices.Concat(outboxAside, queueTable("outbox"), outboxBack, queueTable("timer")),
		slices.Concat(unclustered, version3, playbookTables),
		adapterTables,
		slices.Concat(unclusteredTimeline, order, kindInIndex),
		lastTry,
	}
}

// base are the tables beside the queues, in all versions.
var base = []string{
	`CREATE TABLE incident (
		tenant {text} NOT NULL, id {text} NOT NULL, version {int} NOT NULL, data {text} NOT NULL,
		PRIMARY KEY (tenant, id)){clustered}`,
	`CREATE TABLE timeline (
		tenant {text} NOT NULL, incident {text} NOT NULL, seq {int} NOT NULL, data {text} NOT NULL,
		PRIMARY KEY (tenant, incident, seq)){clustered}`,
	`CREATE TABLE snapshot (
		tenant {text} NOT NULL, name {text} NOT NULL, at {int} NOT NULL, data {bytes} NOT NULL,
		PRIMARY KEY (tenant, name)){clustered}`,
}

var version1 = slices.Concat(base, []string{
	`CREATE TABLE outbox (
		id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
		due INTEGER NOT NULL, wake INTEGER, attempt INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'pending',
		done INTEGER, reason TEXT NOT NULL DEFAULT '', UNIQUE (tenant, key))`,
	`CREATE INDEX outbox_wake ON outbox (wake, id) WHERE wake IS NOT NULL`,
})

// The outbox of version 1 becomes that of version 2. Messages that were leased
// are due again when the lease ends.
var outboxAside = []string{`DROP INDEX outbox_wake`, `ALTER TABLE outbox RENAME TO outbox1`}

var outboxBack = []string{
	`INSERT INTO outbox (id, tenant, key, kind, payload, due, wake, state, token, attempt, ended, reason)
		SELECT id, tenant, key, kind, payload, due, wake, CASE state WHEN 'pending' THEN 1 WHEN 'sent' THEN 3 ELSE 5 END,
		attempt, attempt, done, reason FROM outbox1`,
	`DROP TABLE outbox1`,
}

// unclustered gives the tables with long rows, which a version before 3 has made
// WITHOUT ROWID, an index of their own: where a row is longer than a quarter of a
// page, SQLite searches such a table by reading the whole of every row that it
// passes.
var unclustered = []string{
	`ALTER TABLE incident RENAME TO incident2`,
	`CREATE TABLE incident (tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (tenant, id))`,
	`INSERT INTO incident SELECT tenant, id, version, data FROM incident2 ORDER BY tenant, id`,
	`DROP TABLE incident2`,
	`ALTER TABLE snapshot RENAME TO snapshot2`,
	`CREATE TABLE snapshot (tenant TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (tenant, name))`,
	`INSERT INTO snapshot SELECT tenant, name, at, data FROM snapshot2`,
	`DROP TABLE snapshot2`,
}

// unclusteredTimeline, of version 5, does the same for timelines. Of many incidents that begin at once each
// has a name of its own, so the rows of a transaction would be far apart, a page for each;
// in the order of their arrival they are side by side, and only the index is not.
var unclusteredTimeline = []string{
	`ALTER TABLE timeline RENAME TO timeline4`,
	`CREATE TABLE timeline (tenant TEXT NOT NULL, incident TEXT NOT NULL, seq INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (tenant, incident, seq))`,
	`INSERT INTO timeline SELECT tenant, incident, seq, data FROM timeline4 ORDER BY tenant, incident, seq`,
	`DROP TABLE timeline4`,
}

// kindInIndex, of version 5, lets those who claim tasks of one kind pass over others without reading them.
var kindInIndex = []string{
	`DROP INDEX outbox_wake`,
	`CREATE INDEX outbox_wake ON outbox (wake, id, kind) WHERE wake IS NOT NULL`,
	`DROP INDEX timer_wake`,
	`CREATE INDEX timer_wake ON timer (wake, id, kind) WHERE wake IS NOT NULL`,
}

// version3 has what incidents share: which of them are bundled under another, and
// the ledger of what people have to do.
var version3 = []string{
	`ALTER TABLE incident ADD COLUMN leader {text}`,
	`CREATE INDEX incident_leader ON incident (tenant, leader, id) WHERE leader IS NOT NULL`,
	`CREATE TABLE load (id {id}, tenant {text} NOT NULL, person {text} NOT NULL, open {int} NOT NULL, paged {int})`,
	`CREATE INDEX load_person ON load (tenant, person)`,
}

// adapterTables, of version 4, have what was created at vendors under which key, which
// deliveries of theirs were taken, and the records of package sync.
var adapterTables = []string{
	`CREATE TABLE ledger (
		tenant {text} NOT NULL, key {text} NOT NULL, intended {int}, ref {text},
		PRIMARY KEY (tenant, key)){clustered}`,
	`CREATE TABLE seen (
		receiver {text} NOT NULL, key {text} NOT NULL, at {int} NOT NULL,
		PRIMARY KEY (receiver, key)){clustered}`,
	`CREATE INDEX seen_at ON seen (receiver, at)`,
	`CREATE TABLE sync_record (
		tenant {text} NOT NULL, id {text} NOT NULL, revision {int} NOT NULL, touches {int} NOT NULL, due {int}, leased {int}, data {text} NOT NULL,
		PRIMARY KEY (tenant, id))`,
	`CREATE INDEX sync_record_due ON sync_record (due, tenant, id) WHERE due IS NOT NULL`,
	`CREATE TABLE sync_ref (
		side {text} NOT NULL, provider {text} NOT NULL, owner {text} NOT NULL, ref {text} NOT NULL, tenant {text} NOT NULL, id {text} NOT NULL,
		PRIMARY KEY (side, provider, owner, ref)){clustered}`,
	`CREATE TABLE sync_cursor (side {text} PRIMARY KEY, cursor {text} NOT NULL)`,
}

// lastTry, of version 6, is when what is in the ledger was tried last.
var lastTry = []string{`ALTER TABLE ledger ADD COLUMN tried {int}`}

// order, of version 5, is the order in which incidents were written, see
// [Store.Changes].
var order = []string{
	`ALTER TABLE incident ADD COLUMN changed {int} NOT NULL DEFAULT 0`,
	`CREATE INDEX incident_changed ON incident (changed)`,
}

// queueTable is a table of tasks. wake is when a task can be claimed, NULL when
// it will not be: one index finds the due, the expired and the next. The id is
// the order of arrival; PostgreSQL has no index on it alone, since each would
// cost every claim and report.
func queueTable(name string) []string {
	statements := []string{
		`CREATE TABLE {queue} (
			id {id}, tenant {text} NOT NULL, key {text} NOT NULL, kind {text} NOT NULL, payload {text} NOT NULL,
			due {int} NOT NULL, wake {int}, state {int} NOT NULL, token {int} NOT NULL DEFAULT 0, attempt {int} NOT NULL DEFAULT 0,
			ended {int}, reason {text} NOT NULL DEFAULT '', UNIQUE (tenant, key))`,
		`CREATE INDEX {queue}_wake ON {queue} (wake, id) WHERE wake IS NOT NULL`,
		`CREATE INDEX {queue}_ended ON {queue} (ended) WHERE ended IS NOT NULL`,
	}
	for i, statement := range statements {
		statements[i] = strings.ReplaceAll(statement, "{queue}", name)
	}
	return statements
}

func (s *Store) migrate(ctx context.Context) error {
	versions := schema(s.dialect)
	return s.transact(ctx, func(tx *sql.Tx) error {
		if s.dialect == PostgreSQL {
			// Two processes that start at once create the tables one after the other.
			if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(7307193158)`); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS evenkeel_schema (version INTEGER NOT NULL)`); err != nil {
			return err
		}
		var have int
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM evenkeel_schema`).Scan(&have); err != nil {
			return err
		}
		if have > len(versions) {
			return fmt.Errorf("the tables are of version %d, this program knows %d", have, len(versions))
		}
		for version := have; version < len(versions); version++ {
			for _, statement := range versions[version] {
				if _, err := tx.ExecContext(ctx, s.dialect.text(statement)); err != nil {
					return err
				}
			}
			if _, err := tx.ExecContext(ctx, s.dialect.text(`INSERT INTO evenkeel_schema VALUES ($1)`), version+1); err != nil {
				return err
			}
		}
		return nil
	})
}
