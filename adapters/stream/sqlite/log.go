package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// Append implements [stream.Log]. All batches are one transaction.
func (s *Store) Append(ctx context.Context, partition int, batches ...stream.Batch) (int64, error) {
	texts := make([][]byte, len(batches))
	for i, b := range batches {
		var err error
		if texts[i], err = b.Encode(); err != nil {
			return 0, fmt.Errorf("batch %d: %w", i, err)
		}
	}
	batches = slices.Clone(batches) // of the caller, who may be gone when they are written
	var offset, head int64
	j := &job{then: func() {
		s.heads[partition] = max(s.heads[partition], head)
		if s.grown[partition] != nil {
			close(s.grown[partition])
			s.grown[partition] = nil
		}
	}}
	j.do = func(ctx context.Context, tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT head FROM stream_partition WHERE partition = ?`, partition).Scan(&head); err != nil {
			return err
		}
		offset = head
		for i, b := range batches {
			id := sql.NullString{String: b.ID, Valid: b.ID != ""}
			if id.Valid {
				err := tx.QueryRowContext(ctx, `SELECT seq FROM stream_record WHERE partition = ? AND id = ?`, partition, b.ID).Scan(&offset)
				if err == nil {
					continue
				}
				if !errors.Is(err, sql.ErrNoRows) {
					return err
				}
			}
			head++
			offset = head
			if _, err := tx.ExecContext(ctx, `INSERT INTO stream_record VALUES (?, ?, ?, ?)`, partition, head, id, texts[i]); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE stream_partition SET head = ? WHERE partition = ?`, head, partition)
		return err
	}
	if err := s.run(ctx, j); err != nil {
		return 0, fmt.Errorf("sqlite: append to partition %d: %w", partition, err)
	}
	return offset, nil
}

// Read implements [stream.Log].
func (s *Store) Read(ctx context.Context, partition int, after int64) ([]stream.Record, error) {
	for {
		changed := s.appended(partition)
		head, err := s.head(ctx, partition, after)
		if err != nil {
			return nil, err
		}
		if head < after {
			return nil, fmt.Errorf("%w: partition %d ends at %d, read after %d", stream.ErrOffset, partition, head, after)
		}
		if head > after {
			// Trimmed rows may be all there were.
			if records, err := s.read(ctx, partition, after); err != nil || len(records) > 0 {
				return records, err
			}
		}
		if err := s.wait(ctx, changed); err != nil {
			return nil, err
		}
	}
}

// head returns the number of the last record, which is known if it is after the given
// one and as old as a poll otherwise: one query for all partitions that wait.
func (s *Store) head(ctx context.Context, partition int, after int64) (int64, error) {
	if head, known := s.known(partition, after); known {
		return head, nil
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	if head, known := s.known(partition, after); known {
		return head, nil
	}
	asked := s.now()
	found, err := s.db.QueryContext(ctx, `SELECT partition, head FROM stream_partition WHERE head > 0`)
	if err != nil {
		return 0, err
	}
	defer found.Close()
	heads := map[int]int64{}
	for found.Next() {
		var p int
		var seq int64
		if err := found.Scan(&p, &seq); err != nil {
			return 0, err
		}
		heads[p] = seq
	}
	if err := found.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, seq := range heads {
		s.heads[p] = max(s.heads[p], seq)
	}
	s.asked = asked
	return s.heads[partition], nil
}

// known returns the number of the last record if it is after the given one, or was
// asked for less than a poll ago.
func (s *Store) known(partition int, after int64) (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	head := s.heads[partition]
	return head, head > after || head == after && s.now().Sub(s.asked) < s.poll
}

// read returns what stands after an offset, without waiting.
func (s *Store) read(ctx context.Context, partition int, after int64) ([]stream.Record, error) {
	found, err := s.db.QueryContext(ctx, `SELECT seq, data FROM stream_record WHERE partition = ? AND seq > ? ORDER BY seq LIMIT ?`,
		partition, after, stream.ReadLimit)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var records []stream.Record
	for found.Next() {
		var seq int64
		var data sql.RawBytes
		if err := found.Scan(&seq, &data); err != nil {
			return nil, err
		}
		records = append(records, stream.Decode(seq, data))
	}
	return records, found.Err()
}

// Trim implements [stream.Log].
func (s *Store) Trim(ctx context.Context, partition int, upTo int64) error {
	return s.exec(ctx, `DELETE FROM stream_record WHERE partition = ? AND seq <= ?`, partition, upTo)
}

// exec writes by one statement.
func (s *Store) exec(ctx context.Context, statement string, args ...any) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
}
