package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
)

// Many incidents are read and written by one statement each.

// stateRow names the row of an incident, has its new text, or is an entry of its
// timeline.
type stateRow struct {
	Tenant  string `json:"of_tenant"`
	ID      string `json:"of_id"`
	Version int64  `json:"of_version,omitempty"`
	N       int    `json:"of_n,omitempty"` // of the entry among those of the row, from 1
	Text    string `json:"of_text,omitempty"`
}

// lockIncidents is [Tx.Incident] for many, without those that are not there. All are
// locked in the order of their ids, so that two who want the same do not wait for
// each other.
func (t *Tx) lockIncidents(ctx context.Context, tenant string, ids []string) ([]Incident, error) {
	found, err := t.query(ctx, t.store.lockAll, named(tenant, ids))
	if err != nil {
		return nil, err
	}
	return scan(found, func(i *Incident) []any { return []any{&i.ID, &i.Version, (*[]byte)(&i.State)} })
}

// entries reads the timelines of incidents, by id.
func (t *Tx) entries(ctx context.Context, tenant string, ids []string) (map[string][]line, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := t.query(ctx, t.store.entriesOfAll, named(tenant, ids))
	if err != nil {
		return nil, err
	}
	type entry struct {
		id string
		line
	}
	all, err := scan(found, func(e *entry) []any { return []any{&e.id, &e.seq, &e.data} })
	lines := make(map[string][]line, len(ids))
	for _, e := range all {
		lines[e.id] = append(lines[e.id], e.line)
	}
	return lines, err
}

// line is an entry as it is stored.
type line struct {
	seq, version int64
	data         []byte
}

func named(tenant string, ids []string) []stateRow {
	list := make([]stateRow, len(ids))
	for i, id := range ids {
		list[i] = stateRow{Tenant: tenant, ID: id}
	}
	return list
}

// query runs a statement on {rows}.
func (t *Tx) query(ctx context.Context, statement string, rows []stateRow) (*sql.Rows, error) {
	list, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	return t.tx.QueryContext(ctx, statement, string(list))
}

// writeIncidents writes new states and what timelines gained.
func (t *Tx) writeIncidents(ctx context.Context, tenant string, all []Incident) error {
	bundled := func(i Incident) bool { return i.leader != "" }
	// SQLite, to which a call costs nothing, would take longer to read the rows.
	if len(all) == 1 || t.store.dialect == SQLite || slices.ContainsFunc(all, bundled) {
		for _, i := range all {
			if err := t.writeIncident(ctx, tenant, i); err != nil {
				return fmt.Errorf("incident %q: %w", i.ID, err)
			}
		}
		return nil
	}
	var created, changed, lines []stateRow
	for _, i := range all {
		if i.ID == "" || !i.valid && !json.Valid(i.State) {
			return fmt.Errorf("incident %q: want an id and a state of valid JSON", i.ID)
		}
		row := stateRow{Tenant: tenant, ID: i.ID, Version: i.Version, Text: string(i.State)}
		if i.Version == 0 {
			created = append(created, row)
		} else {
			changed = append(changed, row)
		}
		for n, entry := range i.Entries {
			if !i.valid && !json.Valid(entry) {
				return fmt.Errorf("incident %q: a timeline entry is not valid JSON", i.ID)
			}
			lines = append(lines, stateRow{Tenant: tenant, ID: i.ID, N: n + 1, Text: string(entry)})
		}
	}
	if err := t.replace(ctx, t.store.insertAll, created); err != nil {
		return err
	}
	if err := t.replace(ctx, t.store.updateAll, changed); err != nil {
		return err
	}
	return t.append(ctx, lines)
}

// replace writes states; the error is ErrConflict if one of them was changed by
// somebody else.
func (t *Tx) replace(ctx context.Context, statement string, rows []stateRow) error {
	if len(rows) == 0 {
		return nil
	}
	written, err := texts(t.query(ctx, statement, rows))
	if err != nil {
		return err
	}
	if len(written) == len(rows) {
		return nil
	}
	slices.Sort(written)
	for _, row := range rows {
		if _, ok := slices.BinarySearch(written, row.ID); !ok {
			return fmt.Errorf("incident %q: %w", row.ID, ErrConflict)
		}
	}
	return ErrConflict // one stands there twice
}

func (t *Tx) append(ctx context.Context, lines []stateRow) error {
	if len(lines) == 0 {
		return nil
	}
	list, err := json.Marshal(lines)
	if err == nil {
		_, err = t.tx.ExecContext(ctx, t.store.appendAll, string(list))
	}
	return err
}
