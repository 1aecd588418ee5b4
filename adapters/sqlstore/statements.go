package sqlstore

import (
	"context"
	"database/sql"
)

// statements runs the statements of a transaction. On SQLite, where to parse one
// takes longer than to run it, those that come again are prepared; the drivers of
// PostgreSQL keep theirs by themselves. Prepared ones end with the transaction.
type statements struct {
	*sql.Tx
	sqlite bool
	seen   map[string]*sql.Stmt // nil after the first time
}

// ExecContext is that of [sql.Tx].
func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, prepared, err := s.prepared(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case prepared != nil:
		return prepared.ExecContext(ctx, args...)
	}
	return s.Tx.ExecContext(ctx, query, args...)
}

// QueryContext is that of [sql.Tx].
func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx, prepared, err := s.prepared(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case prepared != nil:
		return prepared.QueryContext(ctx, args...)
	}
	return s.Tx.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of [sql.Tx].
func (s *statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx, prepared, err := s.prepared(ctx, query)
	if err == nil && prepared != nil {
		return prepared.QueryRowContext(ctx, args...)
	}
	return s.Tx.QueryRowContext(ctx, query, args...) // which has the error as well
}

// prepared returns the statement of a query that comes again, else nil, and the
// context to run it with: SQLite's would watch theirs with a goroutine each, and
// the transaction watches it already.
func (s *statements) prepared(ctx context.Context, query string) (context.Context, *sql.Stmt, error) {
	if !s.sqlite {
		return ctx, nil, nil
	}
	if err := ctx.Err(); err != nil {
		return ctx, nil, err
	}
	ctx = context.WithoutCancel(ctx)
	prepared, again := s.seen[query]
	if again && prepared == nil {
		var err error
		if prepared, err = s.PrepareContext(ctx, query); err != nil {
			return ctx, nil, err
		}
	}
	if s.seen == nil {
		s.seen = map[string]*sql.Stmt{}
	}
	s.seen[query] = prepared
	return ctx, prepared, nil
}
