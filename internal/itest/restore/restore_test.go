// Package restore makes the evidence of real restores, of SQLite and of PostgreSQL, and shows that the register of
// incident/continuity takes it for a proof.
package restore

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// How many accounts pgbench makes at scale 2, and how many we make in SQLite, which is Go and slow under the race detector.
const (
	rows       = 200_000
	rowsSQLite = 20_000
)

// database is one that can be lost and restored.
type database interface {
	// live opens what the service uses.
	live(t *testing.T) *sql.DB
	// backup writes it to a file.
	backup(t *testing.T) (file string)
	// lose destroys it.
	lose(t *testing.T)
	// restore brings a backup back, where it was or beside, and opens that.
	restore(t *testing.T, file string, kind continuity.RestoreKind) *sql.DB
	// content is what has to be the same afterwards, and the instant of the newest data.
	content(t *testing.T, db *sql.DB) (content, time.Time)
}

type content struct {
	rows   int
	digest string // MD5 of aid:abalance of all accounts
}

func TestSQLite(t *testing.T) { testRestores(t, newSQLite(t), rowsSQLite) }

func TestPostgres(t *testing.T) { testRestores(t, newPostgres(t), rows) }

// testRestores restores a backup beside the service and then, after it was lost, in place. Both prove the recovery; a restore
// with one row less does not.
func testRestores(t *testing.T, d database, rows int) {
	t.Helper()
	before, _ := d.content(t, d.live(t))
	if before.rows != rows {
		t.Fatalf("%d accounts, want %d", before.rows, rows)
	}
	source := time.Now()
	file := d.backup(t)
	artefact := digest(t, file)
	register := newRegister(t)
	for _, kind := range []continuity.RestoreKind{continuity.Side, continuity.InPlace} {
		e := continuity.Restore{
			Service: "bank", Backup: filepath.Base(file), Kind: kind, Source: source, Artefact: artefact,
			RTOTarget: 4 * time.Hour, RPOTarget: time.Hour,
		}
		e.FailedAt = time.Now()
		if kind == continuity.InPlace {
			d.lose(t)
		}
		e.Lost = time.Now()
		e.Started = time.Now()
		restored := d.restore(t, file, kind)
		e.Restored = time.Now()
		verify(t, &e, d, restored, before)
		if e.Outcome() != continuity.Passed {
			t.Fatalf("%s: %+v, want a proof", kind, e)
		}
		if rto, rpo := e.RTO(), e.RPO(); rto.Verdict != incident.Met || rpo.Verdict != incident.Met || *rto.Measured <= 0 || *rpo.Measured <= 0 {
			t.Errorf("%s: recovery time %v, loss of data %v, want both met and more than nothing", kind, rto, rpo)
		} else {
			t.Logf("%s: recovery time %v, loss of data %v, artefact %s", kind, *rto.Measured, *rpo.Measured, artefact)
		}
		record(t, register, e)
	}
	if digest(t, file) != artefact {
		t.Error("the backup is another one than before the restores")
	}

	// One row less is noticed by the check, and by everybody who asks the register.
	broken := continuity.Restore{
		Service: "bank", Backup: filepath.Base(file), Kind: continuity.Side, Artefact: artefact, RTOTarget: 4 * time.Hour, RPOTarget: time.Hour,
		Started: time.Now(),
	}
	db := d.restore(t, file, continuity.Side)
	if _, err := db.ExecContext(t.Context(), `DELETE FROM pgbench_accounts WHERE aid = 4711`); err != nil {
		t.Fatal(err)
	}
	broken.Restored = time.Now()
	verify(t, &broken, d, db, before)
	if err := register.AddRestore(broken, time.Now()); err != nil {
		t.Fatal(err)
	}
	findings := register.Findings(time.Now())
	if len(findings) != 2 || findings[0].Code != continuity.RestoreFailed || !strings.Contains(findings[0].Text, fmt.Sprintf("%d rows", rows-1)) || findings[1].Code != continuity.SuccessRateLow {
		t.Errorf("findings after a restore that lost a row: %v", findings)
	}
}

// record adds a proof and expects that nothing is wrong with the service.
func record(t *testing.T, register *continuity.Register, e continuity.Restore) {
	t.Helper()
	if err := register.AddRestore(e, time.Now()); err != nil {
		t.Fatal(err)
	}
	if findings := register.Findings(time.Now()); len(findings) > 0 {
		t.Errorf("%s: findings %v, want none", e.Kind, findings)
	}
}

// verify compares what was restored with what was lost.
func verify(t *testing.T, e *continuity.Restore, d database, restored *sql.DB, before content) {
	t.Helper()
	got, newest := d.content(t, restored)
	e.Newest, e.By, e.Method, e.Check = newest, "the drill", "row count and MD5 of all accounts", continuity.Passed
	if got != before {
		e.Check, e.Failure = continuity.Failed, fmt.Sprintf("%d rows with digest %s, want %d with %s", got.rows, got.digest, before.rows, before.digest)
	}
	e.Verified = time.Now()
}

// newRegister returns one for a service that lacks nothing but the proof of a restore.
func newRegister(t *testing.T) *continuity.Register {
	t.Helper()
	now := time.Now()
	books := make([]continuity.Runbook, 2)
	for i, purpose := range []continuity.Purpose{continuity.ForRestore, continuity.ForDR} {
		books[i] = continuity.Runbook{
			ID: string(purpose), Services: []string{"bank"}, Purpose: purpose, Owner: "ops", Steps: []string{"restore", "count", "compare"},
			ReviewedAt: now, RehearsedAt: now,
		}
	}
	r, err := continuity.New(continuity.Catalogue{
		Services: []continuity.Service{{
			ID: "bank", Owner: "ops", Tier: "enterprise", Lines: []string{"L1"},
			Support: &calendar.Hours{Zone: "UTC", Week: calendar.EveryDay("00:00", "24:00")},
		}},
		Runbooks: books,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.AddTest(continuity.DRTest{
		ID: "drill", Scenario: continuity.DataCentre, Services: []string{"bank"}, Started: now, Ended: now, Result: continuity.Passed,
		Participants: []string{"the drill"}, Steps: []continuity.Step{{Text: "walk through the runbook at a table", Result: continuity.Passed}},
	}, now); err != nil {
		t.Fatal(err)
	}
	if findings := r.Findings(now); len(findings) != 1 || findings[0].Code != continuity.RestoreNeverTested {
		t.Fatalf("findings before the first restore: %v, want that there was none", findings)
	}
	return r
}

// digest is the SHA-256 of a file.
func digest(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// sqlite is a file.
type sqlite struct {
	dir string
	db  *sql.DB
}

// newSQLite makes the tables that pgbench makes, with balances in the accounts and one transfer in the history.
func newSQLite(t *testing.T) *sqlite {
	t.Helper()
	d := &sqlite{dir: t.TempDir()}
	d.db = open(t, "sqlite", d.path("live.db"))
	execute(t, d.db, `CREATE TABLE pgbench_accounts (aid INTEGER PRIMARY KEY, abalance INTEGER NOT NULL)`)
	execute(t, d.db, `CREATE TABLE pgbench_history (aid INTEGER NOT NULL, delta INTEGER NOT NULL, mtime INTEGER NOT NULL)`)
	execute(t, d.db, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO pgbench_accounts SELECT i, i * 7919 % 10007 - 5000 FROM n`, rowsSQLite)
	execute(t, d.db, `INSERT INTO pgbench_history VALUES (1, 5, ?)`, time.Now().UnixNano())
	return d
}

func (d *sqlite) path(name string) string { return filepath.Join(d.dir, name) }

func (d *sqlite) live(*testing.T) *sql.DB { return d.db }

func (d *sqlite) backup(t *testing.T) string {
	t.Helper()
	execute(t, d.db, `VACUUM INTO ?`, d.path("backup.db"))
	return d.path("backup.db")
}

func (d *sqlite) lose(t *testing.T) {
	t.Helper()
	if err := d.db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.path("live.db"), []byte("encrypted"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (d *sqlite) restore(t *testing.T, file string, kind continuity.RestoreKind) *sql.DB {
	t.Helper()
	to := d.path("live.db")
	if kind == continuity.Side {
		to = filepath.Join(t.TempDir(), "side.db")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, "sqlite", to)
	if kind == continuity.InPlace {
		d.db = db
	}
	var answer string
	if err := db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&answer); err != nil || answer != "ok" {
		t.Fatalf("integrity of %s: %s, %v", to, answer, err)
	}
	return db
}

// content puts the accounts together as PostgreSQL does below; SQLite has no MD5.
func (d *sqlite) content(t *testing.T, db *sql.DB) (c content, newest time.Time) {
	t.Helper()
	var accounts string
	var nanos int64
	err := db.QueryRowContext(t.Context(), `SELECT count(*), group_concat(aid || ':' || abalance, ',' ORDER BY aid),
		(SELECT max(mtime) FROM pgbench_history) FROM pgbench_accounts`).Scan(&c.rows, &accounts, &nanos)
	if err != nil {
		t.Fatal(err)
	}
	digest := md5.Sum([]byte(accounts))
	c.digest = hex.EncodeToString(digest[:])
	return c, time.Unix(0, nanos)
}

// server is a database of a PostgreSQL of its own.
type server struct {
	*rig.Postgres
	sides int
}

// newPostgres starts a server and has pgbench fill it and make some transfers. It skips the test where PostgreSQL is not
// installed, and fails it in CI, where it must be.
func newPostgres(t *testing.T) *server {
	t.Helper()
	if err := rig.LookPostgres(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("PostgreSQL 15: %v", err)
		}
		t.Skipf("PostgreSQL 15 is not installed: %v", err)
	}
	lasting := context.WithoutCancel(t.Context()) // that of a test is cancelled before its clean-up
	p, dir, err := start(lasting)
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(lasting); err != nil {
			t.Error(err)
		}
	})
	s := &server{Postgres: p}
	s.run(t, "createdb", "src")
	s.run(t, "pgbench", "-i", "-q", "-s", "2", "src")
	s.run(t, "pgbench", "-n", "-c", "2", "-t", "200", "src")
	return s
}

// start starts a server in a folder of its own; one of the test would be closed to the user postgres.
func start(ctx context.Context) (p *rig.Postgres, dir string, err error) {
	port, err := rig.OddPort(ctx)
	if err != nil {
		return nil, "", err
	}
	if dir, err = os.MkdirTemp("", "evenkeel-restore"); err != nil {
		return nil, "", err
	}
	p, err = rig.StartPostgres(ctx, dir, port)
	return p, dir, err
}

func (s *server) run(t *testing.T, name string, args ...string) {
	t.Helper()
	if err := s.Client(t.Context(), name, args...); err != nil {
		t.Fatal(err)
	}
}

func (s *server) live(t *testing.T) *sql.DB {
	t.Helper()
	return open(t, "pgx", s.DSN("src"))
}

func (s *server) backup(t *testing.T) string {
	t.Helper()
	s.run(t, "pg_dump", "-Fc", "-f", s.Path("src.dump"), "src")
	return s.Path("src.dump")
}

func (s *server) lose(t *testing.T) {
	t.Helper()
	s.run(t, "dropdb", "--force", "src")
}

func (s *server) restore(t *testing.T, file string, kind continuity.RestoreKind) *sql.DB {
	t.Helper()
	name := "src"
	if kind == continuity.Side {
		s.sides++
		name = fmt.Sprintf("side%d", s.sides)
	}
	s.run(t, "createdb", name)
	s.run(t, "pg_restore", "-d", name, file)
	return open(t, "pgx", s.DSN(name))
}

func (s *server) content(t *testing.T, db *sql.DB) (c content, newest time.Time) {
	t.Helper()
	err := db.QueryRowContext(t.Context(), `SELECT count(*), md5(string_agg(aid || ':' || abalance, ',' ORDER BY aid)),
		(SELECT max(mtime) AT TIME ZONE current_setting('TimeZone') FROM pgbench_history) FROM pgbench_accounts`).
		Scan(&c.rows, &c.digest, &newest)
	if err != nil {
		t.Fatal(err)
	}
	return c, newest
}
