package sqlstore

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// The load of people is a ledger: each change of it is a row of its own, so that
// no two transactions wait for each other because of one person. Now and then
// one that reads takes many rows together.

// crowded is how many rows a person may have before they are taken together.
const crowded = 64

// loads sums up what the people of a tenant have to do.
func (t *Tx) loads(ctx context.Context, tenant string) (map[string]escalation.Load, error) {
	found, err := t.tx.QueryContext(ctx, t.store.sumLoads, tenant)
	if err != nil {
		return nil, err
	}
	sums, err := scan(found, func(l *ledger) []any { return []any{&l.person, &l.open, &l.paged, &l.rows} })
	if err != nil {
		return nil, err
	}
	loads := map[string]escalation.Load{}
	for _, l := range sums {
		loads[l.person] = l.load()
		if l.rows > crowded {
			err = t.foldLoads(ctx, tenant, l.person)
		}
		if err != nil {
			return nil, err
		}
	}
	return loads, nil
}

// ledger is a row of the table, or the sum of some.
type ledger struct {
	person string
	open   int
	paged  sql.NullInt64
	rows   int
}

func (l ledger) load() escalation.Load {
	load := escalation.Load{Open: max(0, l.open)}
	if l.paged.Valid {
		load.Paged = instant(l.paged.Int64)
	}
	return load
}

// foldLoads makes one row of those of a person. It leaves out what another
// transaction has taken.
func (t *Tx) foldLoads(ctx context.Context, tenant, person string) error {
	found, err := t.tx.QueryContext(ctx, t.store.takeLoads, tenant, person)
	if err != nil {
		return err
	}
	taken, err := scan(found, func(l *ledger) []any { return []any{&l.open, &l.paged} })
	if err != nil {
		return err
	}
	sum := ledger{person: person}
	for _, l := range taken {
		sum.open += l.open
		if l.paged.Valid && (!sum.paged.Valid || l.paged.Int64 > sum.paged.Int64) {
			sum.paged = l.paged
		}
	}
	return t.addLoad(ctx, tenant, sum)
}

func (t *Tx) addLoad(ctx context.Context, tenant string, l ledger) error {
	_, err := t.tx.ExecContext(ctx, t.store.addLoad, tenant, l.person, l.open, l.paged)
	return err
}

// addLoads writes what a decision has changed: how many more incidents people
// have open, and when they were paged.
func (t *Tx) addLoads(ctx context.Context, tenant string, open map[string]int, paged map[string]time.Time) error {
	people := slices.AppendSeq(slices.Collect(maps.Keys(open)), maps.Keys(paged))
	slices.SortFunc(people, strings.Compare)
	for _, who := range slices.Compact(people) {
		l := ledger{person: who, open: open[who]}
		if at, ok := paged[who]; ok {
			nanos, err := nanos(at)
			if err != nil {
				return err
			}
			l.paged = sql.NullInt64{Int64: nanos, Valid: true}
		}
		if l.open == 0 && !l.paged.Valid {
			continue
		}
		if err := t.addLoad(ctx, tenant, l); err != nil {
			return err
		}
	}
	return nil
}
