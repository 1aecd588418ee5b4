package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/handoff"
)

// HandoffDue is the kind of the timers of [Handoffs]: an [Escalator] has timers of
// other kinds in the same queue.
const HandoffDue = "handoff_due"

// Handoffs keeps the handoffs of a tenant in a store, and who is responsible, in any
// number of processes at once. Responsibility moves in the transaction in which the
// receiver accepts, and at the end of the window at the latest: then a timer of
// [Store.Timers], which comes back through [Handoffs.Fire], moves it, flags the
// handoff as overdue and puts the notice to the manager of the receiver into
// [Store.Outbox], all in one transaction, so once.
//
// A handoff is a row of the incident table under its [handoff.Record.ID]; the row
// "handoff/owner" is the [Ownership], and its timeline has all that were before.
// Whoever changes either locks the latter first. It is safe for concurrent use.
type Handoffs struct {
	store          *Store
	tenant, prefix string
}

// Ownership is who is responsible since a handoff has moved it.
type Ownership struct {
	Owner string `json:"owner"`

	// Since is the instant of the acceptance, or the end of the window. It is zero
	// before the first handoff.
	Since time.Time `json:"since,omitzero"`

	// Handoff is the id of the one that has moved it, and Started the start of its
	// window.
	Handoff string    `json:"handoff,omitempty"`
	Started time.Time `json:"begun,omitzero"`

	// Overdue says that nobody had accepted by the end of the window.
	Overdue bool `json:"overdue,omitempty"`
}

// NewHandoffs returns the handoffs of a tenant. Prefix begins the ids of their rows;
// it keeps them apart from other uses of the incident table and may be empty.
func NewHandoffs(s *Store, tenant, prefix string) (*Handoffs, error) {
	if tenant == "" {
		return nil, errors.New("sqlstore: handoffs: tenant missing")
	}
	return &Handoffs{store: s, tenant: tenant, prefix: prefix}, nil
}

// Open stores the record of a handoff and sets its timer. A handoff that is there
// already is left as it is, so every process may open all that are planned. The first
// one makes its sender responsible.
func (h *Handoffs) Open(ctx context.Context, r *handoff.Record) error {
	if r.Tenant != h.tenant {
		return fmt.Errorf("sqlstore: handoff of tenant %q, want %q", r.Tenant, h.tenant)
	}
	if err := r.Validate(); err != nil {
		return err
	}
	return h.attempt(ctx, func(tx *Tx) error {
		owner, err := h.lockOwner(ctx, tx)
		if err != nil {
			return err
		}
		row, err := tx.Incident(ctx, h.tenant, h.prefix+r.ID())
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		row.ID = h.prefix + r.ID()
		change := Change{Tenant: h.tenant}
		if due, ok := r.NextWake(); ok {
			payload, err := json.Marshal(r.ID())
			if err != nil {
				return err
			}
			change.Timers = []escalation.Task{{Key: h.timer(r), Kind: HandoffDue, Due: due, Payload: payload}}
		}
		if owner.row.Version == 0 {
			owner.Ownership = Ownership{Owner: r.From}
		}
		return h.write(ctx, tx, change, owner, row, r)
	})
}

// Change changes a handoff by the methods of its record, in one transaction, and
// returns it as it is now; if do returns an error, such as a [*handoff.StepError],
// nothing is written and Change returns it. do may be called several times. The error
// is ErrNotFound for a handoff that was never opened.
func (h *Handoffs) Change(ctx context.Context, id string, do func(*handoff.Record) error) (r *handoff.Record, err error) {
	err = h.attempt(ctx, func(tx *Tx) error {
		r, err = h.change(ctx, tx, id, Change{Tenant: h.tenant}, func(r *handoff.Record, c *Change) error {
			if err := do(r); err != nil {
				return err
			}
			if r.Accepted.IsSet() {
				c.Cancel = []string{h.timer(r)}
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Fire ends the handoff of a timer that is due; it is for [Store.Fire], and for
// timers of the kind [HandoffDue].
func (h *Handoffs) Fire(ctx context.Context, tx *Tx, l escalation.Lease) error {
	var id string
	if err := json.Unmarshal(l.Payload, &id); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	_, err := h.change(ctx, tx, id, Change{Tenant: h.tenant}, func(r *handoff.Record, c *Change) error {
		for _, a := range r.Step(l.At) {
			task, err := a.Task(h.tenant)
			if err != nil {
				return err
			}
			c.Outbox = append(c.Outbox, task)
		}
		return nil
	})
	return err
}

// change locks a handoff, lets do decide, and writes the outcome.
func (h *Handoffs) change(ctx context.Context, tx *Tx, id string, c Change, do func(*handoff.Record, *Change) error) (*handoff.Record, error) {
	owner, err := h.lockOwner(ctx, tx)
	if err != nil {
		return nil, err
	}
	row, err := tx.Incident(ctx, h.tenant, h.prefix+id)
	if err != nil {
		return nil, err
	}
	r, err := handoff.Parse(row.State)
	if err != nil {
		return nil, fmt.Errorf("handoff %q: %w", id, err)
	}
	if err := do(r, &c); err != nil {
		return nil, err
	}
	return r, h.write(ctx, tx, c, owner, row, r)
}

// write writes a handoff where it has changed, and who is responsible.
func (h *Handoffs) write(ctx context.Context, tx *Tx, c Change, owner ownerRow, row Incident, r *handoff.Record) error {
	state, err := json.Marshal(r)
	if err != nil || string(state) == string(row.State) {
		return err
	}
	row.State = state
	c.Incidents = []Incident{row}
	before := owner.Ownership
	owner.follow(r)
	if owner.row.Version == 0 || owner.Ownership != before {
		text, err := json.Marshal(owner.Ownership)
		if err != nil {
			return err
		}
		owner.row.State, owner.row.Entries = text, []json.RawMessage{text}
		c.Incidents = append(c.Incidents, owner.row)
	}
	return tx.Write(ctx, c)
}

// follow takes over what a handoff says, unless a later one has moved responsibility
// already.
func (o *Ownership) follow(r *handoff.Record) {
	if moved := r.Accepted.IsSet() || !r.Told.IsZero(); !moved || r.Window.Start.Before(o.Started) {
		return
	}
	*o = Ownership{Owner: r.To, Since: r.Moves(), Handoff: r.ID(), Started: r.Window.Start.UTC(), Overdue: r.Overdue(r.Window.End)}
}

// ownerRow is the ownership with its row, of version 0 before the first handoff.
type ownerRow struct {
	Ownership
	row Incident
}

func (h *Handoffs) ownerID() string { return h.prefix + "handoff/owner" }

func (h *Handoffs) lockOwner(ctx context.Context, tx *Tx) (ownerRow, error) {
	row, err := tx.Incident(ctx, h.tenant, h.ownerID())
	if errors.Is(err, ErrNotFound) {
		return ownerRow{row: Incident{ID: h.ownerID()}}, nil
	}
	return readOwner(row, err)
}

func readOwner(row Incident, err error) (ownerRow, error) {
	o := ownerRow{row: row}
	if err == nil {
		err = json.Unmarshal(row.State, &o.Ownership)
	}
	return o, err
}

// timer is the key of the timer of a handoff.
func (h *Handoffs) timer(r *handoff.Record) string { return h.prefix + r.ID() + "/end" }

// attempt runs a transaction, and again where another process wrote a row first.
func (h *Handoffs) attempt(ctx context.Context, do func(*Tx) error) (err error) {
	for range tries {
		if err = h.store.Do(ctx, do); !errors.Is(err, ErrConflict) {
			break
		}
	}
	return err
}

// Owner returns who is responsible, or ErrNotFound before the first handoff was
// opened.
func (h *Handoffs) Owner(ctx context.Context) (Ownership, error) {
	o, err := readOwner(h.store.Incident(ctx, h.tenant, h.ownerID()))
	return o.Ownership, err
}

// Handoff returns the record of a handoff, or ErrNotFound.
func (h *Handoffs) Handoff(ctx context.Context, id string) (*handoff.Record, error) {
	row, err := h.store.Incident(ctx, h.tenant, h.prefix+id)
	if err != nil {
		return nil, err
	}
	return handoff.Parse(row.State)
}
