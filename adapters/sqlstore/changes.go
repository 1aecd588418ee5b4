package sqlstore

import (
	"context"
	"fmt"
)

// Cursor is a place in the order in which incidents were written. The zero value is
// before all of them.
type Cursor int64

// Changed names an incident that was written.
type Changed struct {
	Tenant string
	ID     string // of its row
}

// Changes lists the incidents of all tenants that were written since a cursor, each once,
// in the order of their last write, and the cursor from which to go on. What it costs
// depends on how many they are, however many there are in all.
//
// No write is ever missed. On PostgreSQL one may be listed again, until all transactions
// that were under way at the same time have ended; on SQLite none is. Writers have to be
// of a version that knows Changes: a process that opened the store before its tables were
// upgraded goes on writing without a place in the order.
func (s *Store) Changes(ctx context.Context, since Cursor) ([]Changed, Cursor, error) {
	type row struct {
		Changed

		place Cursor
	}
	found, err := s.db.QueryContext(ctx, s.changes, int64(since))
	if err != nil {
		return nil, since, fmt.Errorf("sqlstore: changes: %w", err)
	}
	rows, err := scan(found, func(r *row) []any { return []any{&r.Tenant, &r.ID, &r.place} })
	if err != nil {
		return nil, since, fmt.Errorf("sqlstore: changes: %w", err)
	}
	next := since
	var list []Changed
	for _, r := range rows {
		if r.Tenant == "" { // the first place that is not all seen; no tenant has no name
			next = max(next, r.place)
			continue
		}
		list = append(list, r.Changed)
	}
	return list, next, nil
}
