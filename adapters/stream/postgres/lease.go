package postgres

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// alive is the condition of a node that is, by the clock of the server. One that spoke
// later than it is now by more than its time did so before the clock was put back, and would
// else count as alive until the clock is there again. A smaller step takes nothing from a
// node that may live, so a lease lasts at most twice as long. After a greater one, somebody
// may claim the partitions of a node that lives and has not spoken since: it is fenced by the
// epoch, and what both tell has the same keys.
const alive = `until > clock_timestamp() AND said - (until - said) <= clock_timestamp()`

// Join implements [stream.Leases]. It also forgets those who spoke before the clock was put
// back, who would count as alive once more when it is there again.
func (s *Store) Join(ctx context.Context, node string, ttl time.Duration) ([]string, error) {
	_, err := s.db.ExecContext(ctx, `DELETE FROM stream_node WHERE said - (until - said) > clock_timestamp()`)
	if err != nil {
		return nil, err
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO stream_node (name, until, said)
		SELECT $1, now + $2::bigint * interval '1 microsecond', now FROM clock_timestamp() now
		ON CONFLICT (name) DO UPDATE SET until = excluded.until, said = excluded.said`, node, ttl.Microseconds()+1)
	if err != nil {
		return nil, err
	}
	found, err := s.db.QueryContext(ctx, `SELECT name FROM stream_node WHERE `+alive+` ORDER BY name`)
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
	_, err := s.db.ExecContext(ctx, `DELETE FROM stream_node WHERE name = $1 OR until < clock_timestamp() - interval '1 day'`, node)
	return err
}

// Claim implements [stream.Leases]. If two claim at once, one waits for the row and
// then finds the other there.
func (s *Store) Claim(ctx context.Context, partition int, node string) (int64, error) {
	var epoch int64
	err := s.db.QueryRowContext(ctx, `UPDATE stream_partition SET owner = $2, epoch = epoch + 1
		WHERE partition = $1
		AND EXISTS (SELECT FROM stream_node WHERE name = $2 AND `+alive+`)
		AND (owner = $2 OR NOT EXISTS (SELECT FROM stream_node WHERE name = owner AND `+alive+`))
		RETURNING epoch`, partition, node).Scan(&epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return epoch, err
}

// Release implements [stream.Leases].
func (s *Store) Release(ctx context.Context, partition int, node string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE stream_partition SET owner = '' WHERE partition = $1 AND owner = $2`, partition, node)
	return err
}

// Save implements [stream.Snapshots].
func (s *Store) Save(ctx context.Context, partition int, epoch int64, snapshot stream.Snapshot) error {
	done, err := s.db.ExecContext(ctx, `UPDATE stream_partition SET seq = $3, state = $4 WHERE partition = $1 AND epoch = $2`,
		partition, epoch, snapshot.Offset, snapshot.State)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return stream.ErrFenced
}

// Load implements [stream.Snapshots].
func (s *Store) Load(ctx context.Context, partition int) (stream.Snapshot, error) {
	var snapshot stream.Snapshot
	err := s.db.QueryRowContext(ctx, `SELECT seq, state FROM stream_partition WHERE partition = $1`, partition).Scan(&snapshot.Offset, &snapshot.State)
	return snapshot, err
}
