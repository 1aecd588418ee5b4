package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	_ "modernc.org/sqlite" // the driver of the database

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// database is where the night is kept: the store of incidents, timelines and
// messages, and a mailbox that stands for the outside world.
type database struct {
	db     *sql.DB
	store  *sqlstore.Store
	tenant string
	now    time.Time // of the replay; the clock of the store
}

// openDatabase opens a file, or a database in memory when name is empty.
func openDatabase(ctx context.Context, name, tenant string) (*database, error) {
	dsn := ":memory:"
	if name != "" {
		dsn = "file:" + url.PathEscape(name) + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate"
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	d := &database{db: db, tenant: tenant}
	d.store, err = sqlstore.Open(ctx, db, &sqlstore.Options{Now: func() time.Time { return d.now }})
	if err == nil {
		_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS mailbox (key TEXT PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL)`)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("-db %s: %w", name, err), db.Close())
	}
	return d, nil
}

func (d *database) close() error { return d.db.Close() }

// snapshotName is the one snapshot of the replay.
const snapshotName = "replay"

// snapshot is all that the machine needs to go on, beside the timelines.
type snapshot struct {
	Memory      memory                    `json:"memory"`
	Correlation []byte                    `json:"correlation"`
	Escalation  json.RawMessage           `json:"escalation"`
	Trackers    map[string][]byte         `json:"trackers"`
	Threads     map[string]comms.Snapshot `json:"threads"`
	Playbooks   json.RawMessage           `json:"playbooks"`
}

// commit writes what a step changed in one transaction: the incidents with their
// new timeline entries, the messages to send, and the state of every engine.
func (d *database) commit(ctx context.Context, m *machine) error {
	change := sqlstore.Change{Tenant: d.tenant, Outbox: m.outbox, At: m.mem.Now}
	for _, c := range m.mem.Cases {
		entries := m.entries[c.ID]
		if len(entries) == 0 {
			continue
		}
		state, err := json.Marshal(m.incidents[c.ID].State())
		if err != nil {
			return err
		}
		row := sqlstore.Incident{ID: c.ID, Version: m.mem.Versions[c.ID], State: state}
		for _, e := range entries {
			line, err := json.Marshal(e)
			if err != nil {
				return err
			}
			row.Entries = append(row.Entries, line)
		}
		change.Incidents = append(change.Incidents, row)
		m.mem.Versions[c.ID]++
	}
	data, err := m.snapshot()
	if err != nil {
		return err
	}
	change.Snapshots = map[string][]byte{snapshotName: data}
	return d.store.Commit(ctx, change)
}

func (m *machine) snapshot() ([]byte, error) {
	s := snapshot{Memory: m.mem, Trackers: map[string][]byte{}, Threads: map[string]comms.Snapshot{}}
	var errs [3]error
	s.Correlation, errs[0] = m.correlator.Snapshot()
	s.Escalation, errs[1] = m.escalator.Snapshot()
	s.Playbooks, errs[2] = m.playbooks.snapshot()
	for id, t := range m.trackers {
		s.Trackers[id] = t.Snapshot()
	}
	for id, t := range m.threads {
		s.Threads[id] = t.Snapshot()
	}
	data, err := json.Marshal(s)
	return data, errors.Join(append(errs[:], err)...)
}

// errOtherNight means that the database holds another recording.
var errOtherNight = errors.New("the database holds another recording")

// restore brings the machine to where an earlier run of the same recording
// stopped. A database without one changes nothing.
func (d *database) restore(ctx context.Context, m *machine) error {
	data, _, err := d.store.Snapshot(ctx, d.tenant, snapshotName)
	if errors.Is(err, sqlstore.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var s snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if s.Memory.Recording != m.mem.Recording {
		return errOtherNight
	}
	m.mem = s.Memory
	if m.correlator, err = correlation.Restore(m.in.rules.Rules, m.correlationOptions(), s.Correlation); err != nil {
		return err
	}
	if m.escalator, err = escalation.Restore(m.escalationConfig(), s.Escalation); err != nil {
		return err
	}
	for id, t := range m.trackers {
		if err := t.Restore(s.Trackers[id]); err != nil {
			return err
		}
	}
	if err := m.playbooks.restore(s.Playbooks); err != nil {
		return err
	}
	for _, c := range m.mem.Cases {
		if m.threads[c.ID], err = m.plan.Restore(s.Threads[c.ID]); err != nil {
			return err
		}
		if m.incidents[c.ID], err = d.incident(ctx, c.ID); err != nil {
			return err
		}
	}
	m.clear()
	return nil
}

// incident rebuilds an incident from its stored timeline, which is verified on
// the way.
func (d *database) incident(ctx context.Context, id string) (*incident.Incident, error) {
	lines, err := d.store.Timeline(ctx, d.tenant, id)
	if err != nil {
		return nil, err
	}
	entries := make([]incident.Entry, len(lines))
	for i, line := range lines {
		if err := json.Unmarshal(line, &entries[i]); err != nil {
			return nil, fmt.Errorf("%s: entry %d: %w", id, i+1, err)
		}
	}
	return incident.Replay(d.tenant, id, entries, incident.Options{})
}

// lease is how long a sender may take for its messages.
const lease = 10 * time.Second

// send delivers the messages that are due. A crash between the delivery and the
// report makes the next run deliver again; the mailbox, like any receiver that
// honours idempotency keys, keeps the first.
func (d *database) send(ctx context.Context, now time.Time) error {
	d.now = now
	outbox := d.store.Outbox()
	for {
		leases, err := outbox.Claim(ctx, 20, lease)
		if err != nil || len(leases) == 0 {
			return err
		}
		for _, l := range leases {
			_, err := d.db.ExecContext(ctx, `INSERT INTO mailbox (key, kind, at, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				l.Key, l.Kind, now.UnixNano(), string(l.Payload))
			if err != nil {
				return err
			}
		}
		if _, err := outbox.Complete(ctx, leases...); err != nil {
			return err
		}
	}
}
