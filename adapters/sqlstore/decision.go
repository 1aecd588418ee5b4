package sqlstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// decision is one step of an escalator in a transaction: it reads the incident
// that the step is about and those that it may touch, the engine decides, and what
// has changed is written.
type decision struct {
	*Escalator
	tx *Tx
	at time.Time

	common *common
	engine *escalation.Engine
	known  map[string]*known // by incident
	change Change
}

// known is an incident that takes part in a decision.
type known struct {
	row   Incident
	state escalated
	lines int // of its timeline, before
}

// escalated is the state in the row of an incident.
type escalated struct {
	Engine json.RawMessage `json:"engine"`

	Holder  string `json:"holder,omitempty"` // in whose load it is counted
	Service string `json:"service,omitempty"`
	Leader  string `json:"leader,omitempty"` // that it is bundled under
}

// read locks the incident of a decision and brings its engine to the present
// state. The event is nil where only time has passed.
func (d *decision) read(ctx context.Context, id string, event *escalation.Event) error {
	var err error
	if d.common, err = d.Escalator.common(ctx, d.tx); err != nil {
		return err
	}
	d.known, d.change = map[string]*known{}, Change{Tenant: d.tenant, At: d.at}
	var parts [][]byte
	add := func(row Incident) error {
		k := &known{row: row}
		if row.Version > 0 {
			if err := json.Unmarshal(row.State, &k.state); err != nil {
				return err
			}
			parts = append(parts, k.state.Engine)
		}
		d.known[row.ID[len(d.prefix):]] = k
		return nil
	}
	row, err := d.tx.Incident(ctx, d.tenant, d.prefix+id)
	if errors.Is(err, ErrNotFound) {
		row, err = Incident{ID: d.prefix + id}, nil
	}
	if err == nil {
		err = add(row)
	}
	if err != nil {
		return err
	}
	if event != nil {
		others, err := d.others(ctx, *d.known[id], event)
		if err != nil {
			return err
		}
		for _, row := range others {
			if err := add(row); err != nil {
				return err
			}
		}
	}
	if d.engine, err = d.Escalator.engine.Fork(d.common.Shared, parts...); err != nil {
		return err
	}
	for id, k := range d.known {
		view, _ := d.engine.Incident(id)
		k.lines = len(view.Log)
	}
	return nil
}

// others reads the incidents which an event may touch beside its own, as
// [escalation.Engine.Fork] says.
func (d *decision) others(ctx context.Context, own known, event *escalation.Event) (rows []Incident, err error) {
	switch event.Kind {
	case escalation.SeverityChanged, escalation.Resolved, escalation.Merged:
		rows, err = d.tx.bundle(ctx, d.tenant, own.row.ID)
	case escalation.Opened, escalation.Reopened:
	default:
		return nil, nil
	}
	service := own.state.Service
	if own.row.Version == 0 {
		service = event.Service
	}
	leaders := []string{own.state.Leader, d.common.Leaders[service]}
	slices.Sort(leaders)
	for _, id := range slices.Compact(leaders) {
		if id == "" || d.prefix+id == own.row.ID || err != nil {
			continue
		}
		var leader Incident
		switch leader, err = d.tx.peek(ctx, d.tenant, d.prefix+id); {
		case err == nil:
			rows = append(rows, leader)
		case errors.Is(err, ErrNotFound):
			err = nil
		}
	}
	return rows, err
}

// write writes what has changed.
func (d *decision) write(ctx context.Context, actions []escalation.Action) error {
	acted := map[string]bool{}
	for _, a := range actions {
		acted[a.Incident] = true
		if err := d.add(a); err != nil {
			return err
		}
	}
	open := map[string]int{} // what is added to loads
	for _, id := range slices.Sorted(maps.Keys(d.known)) {
		k := d.known[id]
		view, ok := d.engine.Incident(id)
		if !ok {
			continue
		}
		part, err := d.engine.Part(id)
		if err != nil {
			return err
		}
		if !acted[id] && bytes.Equal(part, k.state.Engine) {
			continue
		}
		k.state.Engine = part
		holder := view.Holder
		k.state.Service, k.state.Leader = view.Service, view.Bundled
		if !view.Closed.IsZero() {
			holder, k.state.Leader = "", ""
		}
		if holder != k.state.Holder {
			open[k.state.Holder]--
			open[holder]++
			k.state.Holder = holder
		}
		if err := d.row(k, view); err != nil {
			return err
		}
	}
	if len(d.change.Incidents) == 0 {
		return nil // nothing has happened
	}
	delete(open, "")
	return d.conclude(ctx, open)
}

// add puts an action to where it belongs.
func (d *decision) add(a escalation.Action) error {
	c := &d.change
	task, err := a.Task(c.Tenant)
	if err != nil {
		return err
	}
	switch a.Kind {
	case escalation.SetTimer:
		c.Timers = append(c.Timers, task)
	case escalation.CancelTimer:
		c.Cancel = append(c.Cancel, a.Key)
	case escalation.Withdraw:
		c.Withdraw = append(c.Withdraw, a.Key)
	default:
		c.Outbox = append(c.Outbox, task)
	}
	return nil
}

// row adds the new state of an incident to the change, and what its timeline has
// gained.
func (d *decision) row(k *known, view escalation.View) (err error) {
	for _, entry := range view.Log[k.lines:] {
		line, err := json.Marshal(entry)
		if err != nil {
			return err
		}
		k.row.Entries = append(k.row.Entries, line)
	}
	if k.row.State, err = json.Marshal(k.state); err != nil {
		return err
	}
	if k.row.leader = ""; k.state.Leader != "" {
		k.row.leader = d.prefix + k.state.Leader
	}
	d.change.Incidents = append(d.change.Incidents, k.row)
	return nil
}

// conclude writes the change and what incidents share; the next decision of the
// transaction goes on from there.
func (d *decision) conclude(ctx context.Context, open map[string]int) error {
	before, after := d.common.Shared, d.engine.Shared()
	text, err := json.Marshal(after)
	if err != nil {
		return err
	}
	if d.locks && !bytes.Equal(text, d.common.text) {
		d.change.Snapshots = map[string][]byte{d.shelf(): text}
	}
	if err := d.tx.Write(ctx, d.change); err != nil {
		return err
	}
	paged := map[string]time.Time{}
	for who, load := range after.Loads {
		if !load.Paged.Equal(before.Loads[who].Paged) {
			paged[who] = load.Paged
		}
	}
	d.common.Shared, d.common.text = after, text
	return d.tx.addLoads(ctx, d.tenant, open, paged)
}

// common is what incidents share, as a transaction knows it.
type common struct {
	escalation.Shared
	text []byte // as it is stored
}

// shelf is the name of the snapshot that keeps what incidents share.
func (e *Escalator) shelf() string { return e.prefix + "escalation" }

// common reads what incidents share, once in a transaction, and locks it where
// their changes have to come one after the other.
func (e *Escalator) common(ctx context.Context, tx *Tx) (*common, error) {
	if c := tx.commons[e]; c != nil {
		return c, nil
	}
	c := &common{}
	var err error
	if e.locks {
		if c.text, err = tx.lockSnapshot(ctx, e.tenant, e.shelf()); err == nil {
			err = json.Unmarshal(c.text, &c.Shared)
		}
	}
	if err == nil {
		c.Loads, err = tx.loads(ctx, e.tenant)
	}
	if err != nil {
		return nil, err
	}
	if tx.commons == nil {
		tx.commons = map[*Escalator]*common{}
	}
	tx.commons[e] = c
	return c, nil
}
