package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// alive is the condition of a node that is, with the present instant as ?1. One that spoke
// later than that by more than its time did so before the clock was put back, and would
// else count as alive until the clock is there again.
const alive = `until > ?1 AND 2 * said - until <= ?1`

// Join implements [stream.Leases]. It also forgets those who spoke before the clock was put
// back, who would count as alive once more when it is there again.
func (s *Store) Join(ctx context.Context, node string, ttl time.Duration) ([]string, error) {
	now := s.now()
	err := s.exec(ctx, `DELETE FROM stream_node WHERE 2 * said - until > ?`, now.UnixNano())
	if err != nil {
		return nil, err
	}
	err = s.exec(ctx, `INSERT INTO stream_node (name, until, said) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET until = excluded.until, said = excluded.said`, node, now.Add(ttl).UnixNano()+1, now.UnixNano())
	if err != nil {
		return nil, err
	}
	found, err := s.db.QueryContext(ctx, `SELECT name FROM stream_node WHERE `+alive+` ORDER BY name`, now.UnixNano())
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var nodes []string
	for found.Next() {
		var name string
		if err := found.Scan(&name); err != nil {
			return nil, err
		}
		nodes = append(nodes, name)
	}
	return nodes, found.Err()
}

// Leave implements [stream.Leases]. It also forgets those whose time is long over.
func (s *Store) Leave(ctx context.Context, node string) error {
	return s.exec(ctx, `DELETE FROM stream_node WHERE name = ? OR until < ?`, node, s.now().Add(-24*time.Hour).UnixNano())
}

// Claim implements [stream.Leases].
func (s *Store) Claim(ctx context.Context, partition int, node string) (int64, error) {
	var epoch int64
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		epoch = 0 // of a transaction that was given up
		now := s.now().UnixNano()
		err := tx.QueryRowContext(ctx, `UPDATE stream_partition SET owner = ?3, epoch = epoch + 1
			WHERE partition = ?2
			AND EXISTS (SELECT 1 FROM stream_node WHERE name = ?3 AND `+alive+`)
			AND (owner = ?3 OR NOT EXISTS (SELECT 1 FROM stream_node WHERE name = owner AND `+alive+`))
			RETURNING epoch`, now, partition, node).Scan(&epoch)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return epoch, nil
}

// Release implements [stream.Leases].
func (s *Store) Release(ctx context.Context, partition int, node string) error {
	return s.exec(ctx, `UPDATE stream_partition SET owner = '' WHERE partition = ? AND owner = ?`, partition, node)
}

// Save implements [stream.Snapshots]. When ctx is over, the state may still be read and
// written for a while, so it must not change.
func (s *Store) Save(ctx context.Context, partition int, epoch int64, snapshot stream.Snapshot) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE stream_partition SET seq = ? WHERE partition = ? AND epoch = ? AND epoch > 0`, snapshot.Offset, partition, epoch)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return refusal{stream.ErrFenced}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO stream_snapshot VALUES (?, ?) ON CONFLICT (partition) DO UPDATE SET state = excluded.state`, partition, snapshot.State)
		return err
	})
}

// Load implements [stream.Snapshots].
func (s *Store) Load(ctx context.Context, partition int) (stream.Snapshot, error) {
	var snapshot stream.Snapshot
	err := s.db.QueryRowContext(ctx, `SELECT seq, state FROM stream_partition LEFT JOIN stream_snapshot USING (partition) WHERE partition = ?`, partition).
		Scan(&snapshot.Offset, &snapshot.State)
	return snapshot, err
}
