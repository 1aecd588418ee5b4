package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/incident"
)

// Incidents keeps the incidents of a tenant in a store, in any number of processes at
// once: the timeline entry by entry, and in the row of an incident its state, the head
// of the timeline and the events that were refused. What an incident gained and the
// messages and timers that follow from it are one transaction.
//
// [Incidents.Change] locks the incident, so that others wait; [Incidents.Load] and
// [Incidents.Save] let others go on, and who comes second gets [ErrConflict]. It is
// safe for concurrent use.
type Incidents struct {
	store          *Store
	tenant, prefix string
	options        incident.Options
}

// NewIncidents returns the incidents of a tenant. Prefix begins the ids of their rows;
// it keeps them apart from other uses of the incident table and may be empty.
func NewIncidents(s *Store, tenant, prefix string, o incident.Options) (*Incidents, error) {
	if tenant == "" {
		return nil, errors.New("sqlstore: incidents: tenant missing")
	}
	return &Incidents{store: s, tenant: tenant, prefix: prefix, options: o}, nil
}

// storedIncident is the state in the row of an incident.
type storedIncident struct {
	State    incident.State       `json:"state"`
	Head     incident.Head        `json:"head"`
	Rejected []incident.Rejection `json:"rejected,omitempty"`
}

// State returns what an incident amounts to, or ErrNotFound. It reads one row, however
// long the timeline is.
func (s *Incidents) State(ctx context.Context, id string) (incident.State, error) {
	row, err := s.store.Incident(ctx, s.tenant, s.prefix+id)
	if err != nil {
		return incident.State{}, err
	}
	stored, err := readStored(row)
	return stored.State, err
}

// Load reads an incident and its version, and verifies the timeline. One that is not
// there is new, of version 0. The error wraps [*incident.ChainError] for a timeline
// that is not what was recorded.
func (s *Incidents) Load(ctx context.Context, id string) (*incident.Incident, int64, error) {
	return s.load(ctx, s.store.db, id)
}

func (s *Incidents) load(ctx context.Context, from querier, id string) (*incident.Incident, int64, error) {
	found, err := from.QueryContext(ctx, s.store.readWhole, s.tenant, s.prefix+id)
	if err != nil {
		return nil, 0, fmt.Errorf("incident %q: %w", id, err)
	}
	lines, err := scan(found, func(l *line) []any { return []any{&l.seq, &l.version, &l.data} })
	if err != nil {
		return nil, 0, fmt.Errorf("incident %q: %w", id, err)
	}
	row := Incident{ID: s.prefix + id}
	if len(lines) > 0 && lines[0].seq == 0 {
		row.Version, row.State = lines[0].version, lines[0].data
		lines = lines[1:]
	}
	t, err := s.restore(id, row, lines)
	if err != nil {
		return nil, 0, err
	}
	return t.incident, row.Version, nil
}

// turn is an incident that is its turn to be changed.
type turn struct {
	row      Incident // as it is in the database
	stored   storedIncident
	incident *incident.Incident
}

// restore makes an incident of its row and timeline, and verifies it.
func (s *Incidents) restore(id string, row Incident, lines []line) (*turn, error) {
	t := &turn{row: row}
	var err error
	if row.Version == 0 {
		if t.incident, err = incident.New(s.tenant, id, s.options); err != nil {
			return nil, fmt.Errorf("incident %q: %w", id, err)
		}
		return t, nil
	}
	if t.stored, err = readStored(row); err != nil {
		return nil, err
	}
	snapshot := incident.Snapshot{Version: 1, Tenant: s.tenant, ID: id, Rejected: t.stored.Rejected}
	for _, l := range lines {
		var entry incident.Entry
		if err := json.Unmarshal(l.data, &entry); err != nil {
			return nil, fmt.Errorf("incident %q: timeline entry %d: %w", id, l.seq, err)
		}
		snapshot.Entries = append(snapshot.Entries, entry)
	}
	if t.incident, err = incident.Restore(snapshot, s.options); err != nil {
		return nil, fmt.Errorf("incident %q: %w", id, err)
	}
	// The row is a witness of the head: entries that were cut off the end are missed.
	if head := t.incident.Head(); head != t.stored.Head {
		return nil, fmt.Errorf("incident %q: %w", id, &incident.ChainError{
			Seq: min(head.Seq, t.stored.Head.Seq) + 1, Fault: incident.Removed, Detail: fmt.Sprintf("the last entry is number %d", t.stored.Head.Seq),
		})
	}
	return t, nil
}

// Save writes what an incident gained since it was loaded under a version, with the
// rest of a change, in one transaction: new entries, those that were redacted, events
// that were refused. The tenant of the change may be left out. The error is
// [ErrConflict] and [incident.ErrConflict] if somebody else has written the incident
// meanwhile; then nothing is written. Load it again and decide anew.
func (s *Incidents) Save(ctx context.Context, inc *incident.Incident, version int64, c Change) error {
	tenant, id := inc.Timeline().Of()
	if tenant != s.tenant {
		return fmt.Errorf("sqlstore: incident %q of tenant %q, want %q", id, tenant, s.tenant)
	}
	return conflict(s.store.Do(ctx, func(tx *Tx) error {
		row, err := s.lock(ctx, tx, id)
		if err == nil && row.Version != version {
			err = fmt.Errorf("incident %q: %w", id, ErrConflict)
		}
		if err != nil {
			return err
		}
		stored, err := readStored(row)
		if err != nil {
			return err
		}
		return s.write(ctx, tx, []*turn{{row: row, stored: stored, incident: inc}}, c)
	}))
}

// Change lets do change an incident, which may be new, and writes what follows from
// it, in one transaction; do may add messages and timers to the change. It returns the
// incident as it is now. If do returns an error, Change returns it and nothing is
// written but the events that the incident refused meanwhile, so that none is lost. do
// may be called several times, each time with an incident read anew.
func (s *Incidents) Change(ctx context.Context, id string, do func(*incident.Incident, *Change) error) (*incident.Incident, error) {
	var inc *incident.Incident
	var refused error
	attempt := func(tx *Tx) (err error) {
		inc, refused, err = s.change(ctx, tx, id, do)
		return err
	}
	var err error
	for range tries {
		if err = s.store.Do(ctx, attempt); !errors.Is(err, ErrConflict) { // another process was first to write a new one
			break
		}
	}
	if err = errors.Join(refused, conflict(err)); err != nil {
		return nil, err
	}
	return inc, nil
}

// ChangeIn is [Incidents.Change] as a part of a transaction, so that what follows
// for many incidents is written at once. After an error of do, which is returned,
// the transaction is as good as before. The error is [ErrConflict] if another
// process wrote a new incident of that name first: try the whole transaction again.
func (s *Incidents) ChangeIn(ctx context.Context, tx *Tx, id string, do func(*incident.Incident, *Change) error) (*incident.Incident, error) {
	inc, refused, err := s.change(ctx, tx, id, do)
	if err = errors.Join(refused, conflict(err)); err != nil {
		return nil, err
	}
	return inc, nil
}

// ChangeAllIn is [Incidents.ChangeIn] for many incidents, by a handful of statements
// however many they are. do is called for each id in the given order, with its place;
// an id that comes again is the same incident, as it has become, and all add to one
// change. After an error of do, which is returned at once, nothing is written but the
// events that incidents refused.
func (s *Incidents) ChangeAllIn(ctx context.Context, tx *Tx, ids []string, do func(n int, inc *incident.Incident, c *Change) error) error {
	turns, refused, err := s.changeAll(ctx, tx, ids, do)
	if refused != nil {
		for _, t := range turns {
			err = errors.Join(err, s.keep(ctx, tx, t))
		}
	}
	return errors.Join(refused, conflict(err))
}

// change returns the incident, what do said against the change, and what the
// database did.
func (s *Incidents) change(ctx context.Context, tx *Tx, id string, do func(*incident.Incident, *Change) error) (inc *incident.Incident, refused, err error) {
	turns, refused, err := s.changeAll(ctx, tx, []string{id}, func(_ int, inc *incident.Incident, c *Change) error { return do(inc, c) })
	if err != nil || refused != nil && len(turns) == 0 {
		return nil, refused, err
	}
	if refused != nil {
		return nil, refused, s.keep(ctx, tx, turns[0])
	}
	return turns[0].incident, nil, nil
}

// changeAll returns the incidents in the order of their ids, what do said against the
// change, which is not written then, and what the database did.
func (s *Incidents) changeAll(ctx context.Context, tx *Tx, ids []string, do func(int, *incident.Incident, *Change) error) (turns []*turn, refused, err error) {
	if turns, err = s.lockAll(ctx, tx, ids); err != nil {
		return nil, nil, err
	}
	c := Change{Tenant: s.tenant}
	for n, id := range ids {
		at, _ := slices.BinarySearchFunc(turns, s.prefix+id, func(t *turn, id string) int { return strings.Compare(t.row.ID, id) })
		if refused = do(n, turns[at].incident, &c); refused != nil {
			return turns, refused, nil
		}
	}
	return turns, nil, s.write(ctx, tx, turns, c)
}

// lockAll locks and reads incidents, each once and in the order of their ids.
func (s *Incidents) lockAll(ctx context.Context, tx *Tx, ids []string) ([]*turn, error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = s.prefix + id
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	rows, err := tx.lockIncidents(ctx, s.tenant, keys)
	if err != nil {
		return nil, err
	}
	known := make([]string, len(rows))
	for i, row := range rows {
		known[i] = row.ID
	}
	lines, err := tx.entries(ctx, s.tenant, known)
	if err != nil {
		return nil, err
	}
	turns := make([]*turn, len(keys))
	for i, key := range keys {
		row := Incident{ID: key}
		if len(rows) > 0 && rows[0].ID == key {
			row, rows = rows[0], rows[1:]
		}
		if turns[i], err = s.restore(strings.TrimPrefix(key, s.prefix), row, lines[key]); err != nil {
			return nil, err
		}
	}
	return turns, nil
}

// conflict tells a conflict as the core does, too.
func conflict(err error) error {
	if errors.Is(err, ErrConflict) {
		return fmt.Errorf("%w: %w", err, incident.ErrConflict)
	}
	return err
}

// lock reads the row of an incident; one that is not there has version 0.
func (s *Incidents) lock(ctx context.Context, tx *Tx, id string) (Incident, error) {
	row, err := tx.Incident(ctx, s.tenant, s.prefix+id)
	if errors.Is(err, ErrNotFound) {
		return Incident{ID: s.prefix + id}, nil
	}
	return row, err
}

func readStored(row Incident) (storedIncident, error) {
	var stored storedIncident
	if row.State == nil {
		return stored, nil
	}
	if err := json.Unmarshal(row.State, &stored); err != nil {
		return storedIncident{}, fmt.Errorf("incident %q: %w", row.ID, err)
	}
	return stored, nil
}

// write writes incidents over their locked rows, those that have changed, and the
// change.
func (s *Incidents) write(ctx context.Context, tx *Tx, turns []*turn, c Change) error {
	c.Tenant = s.tenant
	c.Incidents = slices.Clone(c.Incidents)
	for _, t := range turns {
		row, changed, err := s.gained(ctx, tx, t)
		if err != nil {
			return err
		}
		if changed {
			c.Incidents = append(c.Incidents, row)
		}
	}
	return tx.Write(ctx, c)
}

// gained returns the row of an incident as it is to be, with what the timeline gained,
// and whether it has changed.
func (s *Incidents) gained(ctx context.Context, tx *Tx, t *turn) (row Incident, changed bool, err error) {
	row = t.row
	known := t.stored.Head.Seq
	if head := t.incident.Head(); head != t.stored.Head {
		entries := t.incident.Timeline().Entries()
		if known > uint64(len(entries)) || known > 0 && entries[known-1].Hash != t.stored.Head.Hash {
			return row, false, fmt.Errorf("incident %q: %w", row.ID, ErrConflict) // grown out of another version
		}
		for _, e := range entries[known:] {
			text, err := json.Marshal(e)
			if err != nil {
				return row, false, fmt.Errorf("incident %q: timeline entry %d: %w", row.ID, e.Seq, err)
			}
			row.Entries = append(row.Entries, text)
			if err := s.redact(ctx, tx, row.ID, e, entries, known); err != nil {
				return row, false, err
			}
		}
	}
	state, err := json.Marshal(storedIncident{State: t.incident.State(), Head: t.incident.Head(), Rejected: t.incident.Rejected()})
	if err != nil {
		return row, false, fmt.Errorf("incident %q: %w", row.ID, err)
	}
	changed = !bytes.Equal(state, row.State)
	row.State, row.valid = state, true
	return row, changed, nil
}

// redact replaces the stored entry whose redaction an entry records.
func (s *Incidents) redact(ctx context.Context, tx *Tx, row string, record incident.Entry, entries []incident.Entry, known uint64) error {
	if record.Kind != incident.RedactEntry {
		return nil
	}
	e, err := record.Event()
	if err != nil || e.Redaction == nil || e.Redaction.Seq == 0 || e.Redaction.Seq > known {
		return err
	}
	erased, err := json.Marshal(entries[e.Redaction.Seq-1])
	if err != nil {
		return fmt.Errorf("incident %q: timeline entry %d: %w", row, e.Redaction.Seq, err)
	}
	n, err := affected(tx.tx.ExecContext(ctx, s.store.eraseEntry, s.tenant, row, int64(e.Redaction.Seq), string(erased)))
	if err == nil && n != 1 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return fmt.Errorf("incident %q: redact timeline entry %d: %w", row, e.Redaction.Seq, err)
	}
	return nil
}

// keep writes the events that an incident refused, and nothing else of it.
func (s *Incidents) keep(ctx context.Context, tx *Tx, t *turn) error {
	row, stored, inc := t.row, t.stored, t.incident
	stored.Rejected = slices.Clone(stored.Rejected)
	_, id := inc.Timeline().Of()
	if row.Version == 0 {
		stored.State, stored.Head = incident.State{Tenant: s.tenant, ID: id}, incident.NewTimeline(s.tenant, id).Head()
	}
	// Those without a key are never the same, so the first ones are those stored.
	keyless := 0
	for _, r := range stored.Rejected {
		if r.Event.Key == "" {
			keyless++
		}
	}
	for _, r := range inc.Rejected() {
		at := slices.IndexFunc(stored.Rejected, func(have incident.Rejection) bool {
			return r.Event.Key != "" && have.Event.Key == r.Event.Key && have.Event.Kind == r.Event.Kind
		})
		switch {
		case at >= 0:
			stored.Rejected[at] = r
		case r.Event.Key == "" && keyless > 0:
			keyless--
		default:
			stored.Rejected = append(stored.Rejected, r)
		}
	}
	state, err := json.Marshal(stored)
	if err != nil {
		return fmt.Errorf("incident %q: %w", row.ID, err)
	}
	if len(stored.Rejected) == 0 || bytes.Equal(state, row.State) {
		return nil
	}
	row.State = state
	return tx.Write(ctx, Change{Tenant: s.tenant, Incidents: []Incident{row}})
}
