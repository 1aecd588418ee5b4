package sync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// System is what a side has to be able to do. Whatever else of package adapters it
// can do is used too: Updater for title, text and severity, Acknowledger, Holder,
// Resolver and Reopener for states, Noter and NoteReader for notes, Watcher to hear
// of changes without webhooks.
type System interface {
	adapters.Opener
	adapters.Reader
}

// Side is one of the systems that are kept the same.
type Side struct {
	Name   string // in records and owners; never reused for another system
	System System
	// Fields that are kept the same there. Defaults to title, severity and state.
	Fields []Field
	// States that its tickets can be in. Others are written as the nearest before: on
	// hold as acknowledged, closed and canceled as resolved. Defaults to new,
	// acknowledged and resolved.
	States []adapters.State
	// Shape says what a value looks like there once it is stored, for systems that cut
	// or rewrite. Defaults to the nearest state, and texts without blanks around them.
	Shape func(f Field, value string) string
	// Opens has a ticket opened there for every incident that has none and is not over.
	Opens bool
	// Target is where tickets are opened; "" for the adapter's default.
	Target string
	// Notes has notes that are written there forwarded to all sides with notes.
	Notes bool
	// Adopt is asked about changed tickets that belong to no record, such as those
	// that people open there: it returns the record's name and true to follow it.
	// Defaults to leaving them alone.
	Adopt func(adapters.Ticket) (ID, bool)
	// Lag is how long a reading may show what was there before our latest writing, if
	// its version or instant is still the old one. Defaults to 10 s.
	Lag time.Duration
}

// Config is what a Syncer needs.
type Config struct {
	Store Store  // required
	Sides []Side // two at least; where two changes are of one instant, the first side counts
	// Owners names the side that a field belongs to. Fields without one take the
	// latest change. Defaults to none.
	Owners map[Field]string
	// Lease is for how long a record is kept from other processes while one works on
	// it; longer than all calls together may take. Defaults to 5 minutes.
	Lease time.Duration
	// Poll is how often Run reads the changes of sides that can list them. Defaults to
	// 30 s.
	Poll time.Duration
	// Now returns the time. Defaults to time.Now.
	Now func() time.Time
	// OnConflict is told of each change that was not kept. Defaults to nobody.
	OnConflict func(ID, Conflict)
	// Log is told what goes wrong. Defaults to nothing.
	Log *slog.Logger
}

// Syncer reconciles records. It is safe for concurrent use, and any number of
// processes may share a store.
type Syncer struct {
	config Config
	wake   chan struct{}
}

// New checks the configuration.
func New(c Config) (*Syncer, error) {
	if c.Store == nil {
		return nil, errors.New("sync: Store missing")
	}
	if len(c.Sides) < 2 {
		return nil, fmt.Errorf("sync: %d sides, want two at least", len(c.Sides))
	}
	c.Sides = slices.Clone(c.Sides)
	names := map[string]bool{}
	for i := range c.Sides {
		side := &c.Sides[i]
		switch {
		case side.Name == "" || names[side.Name]:
			return nil, fmt.Errorf("sync: Sides[%d].Name: %q is empty or taken", i, side.Name)
		case side.System == nil:
			return nil, fmt.Errorf("sync: Sides[%d].System missing", i)
		}
		names[side.Name] = true
		if side.Fields == nil {
			side.Fields = []Field{Title, Severity, State}
		}
		for _, f := range side.Fields {
			if !slices.Contains(fields[:], f) {
				return nil, fmt.Errorf("sync: Sides[%d].Fields: unknown field %q, want one of %q", i, f, fields)
			}
		}
		if side.States == nil {
			side.States = []adapters.State{adapters.StateNew, adapters.StateAcknowledged, adapters.StateResolved}
		}
		if side.Shape == nil {
			side.Shape = side.nearest
		}
		if side.Lag == 0 {
			side.Lag = 10 * time.Second
		}
	}
	for f, owner := range c.Owners {
		if !names[owner] || !slices.Contains(fields[:], f) {
			return nil, fmt.Errorf("sync: Owners[%s]: no side or field of that name (%q)", f, owner)
		}
	}
	if c.Lease == 0 {
		c.Lease = 5 * time.Minute
	}
	if c.Poll == 0 {
		c.Poll = 30 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Syncer{config: c, wake: make(chan struct{}, 1)}, nil
}

// nearest is the default of Shape.
func (s *Side) nearest(f Field, value string) string {
	if f != State {
		return plain(value)
	}
	state := adapters.State(value)
	switch {
	case slices.Contains(s.States, state):
		return value
	case state == adapters.StateOnHold:
		return string(adapters.StateAcknowledged)
	case state == adapters.StateClosed, state == adapters.StateCancelled:
		return string(adapters.StateResolved)
	default:
		return value
	}
}

// Track begins a record with the ticket of one side, or does nothing if there is
// one that has it. The record is due at once.
func (s *Syncer) Track(ctx context.Context, id ID, side string, ref adapters.Ref) error {
	if i := slices.IndexFunc(s.config.Sides, func(x Side) bool { return x.Name == side }); i < 0 {
		return fmt.Errorf("sync: no side %q", side)
	}
	for {
		r, ok, err := s.config.Store.Load(ctx, id)
		if err != nil {
			return err
		}
		if !ok {
			r = Record{Tenant: id.Tenant, ID: id.Incident, Values: map[Field]string{}, Sides: map[string]*Standing{}}
		}
		if st := r.Sides[side]; st != nil && !st.Ref.IsZero() {
			return s.touch(ctx, id)
		}
		r.Sides[side] = &Standing{Ref: ref}
		r.Due = s.config.Now()
		if err := s.config.Store.Save(ctx, r); !errors.Is(err, ErrConflict) {
			s.signal()
			return err
		}
	}
}

// Touch makes the record of a ticket due, for webhooks: whatever they say, the
// tickets are read. A ticket that belongs to no record is offered to Adopt.
func (s *Syncer) Touch(ctx context.Context, side string, t adapters.Ticket) error {
	id, ok, err := s.config.Store.Lookup(ctx, side, t.Ref)
	if err != nil {
		return err
	}
	if ok {
		return s.touch(ctx, id)
	}
	i := slices.IndexFunc(s.config.Sides, func(x Side) bool { return x.Name == side })
	if i < 0 {
		return fmt.Errorf("sync: no side %q", side)
	}
	if adopt := s.config.Sides[i].Adopt; adopt != nil {
		if id, ok := adopt(t); ok {
			return s.Track(ctx, id, side, t.Ref)
		}
	}
	return nil
}

func (s *Syncer) touch(ctx context.Context, id ID) error {
	err := s.config.Store.Touch(ctx, id, s.config.Now())
	s.signal()
	return err
}

func (s *Syncer) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Poll reads what changed at the sides that can list it, and makes those records
// due. It returns the errors of all sides.
func (s *Syncer) Poll(ctx context.Context) error {
	var failed []error
	for i := range s.config.Sides {
		side := &s.config.Sides[i]
		watcher, ok := side.System.(adapters.Watcher)
		if !ok {
			continue
		}
		if err := s.poll(ctx, side.Name, watcher); err != nil {
			failed = append(failed, fmt.Errorf("sync: changes of %s: %w", side.Name, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Syncer) poll(ctx context.Context, side string, watcher adapters.Watcher) error {
	cursor, err := s.config.Store.Cursor(ctx, side)
	if err != nil {
		return err
	}
	last := cursor
	for e, err := range watcher.Changes(ctx, cursor) {
		if err != nil {
			return err
		}
		// The record is touched before the cursor moves, so a crash in between only
		// touches it again.
		if !e.Ticket.Ref.IsZero() {
			if err := s.Touch(ctx, side, e.Ticket); err != nil {
				return err
			}
		}
		if e.Cursor != last {
			if err := s.config.Store.SaveCursor(ctx, side, e.Cursor); err != nil {
				return err
			}
			last = e.Cursor
		}
	}
	return nil
}

// Work reconciles what is due, at most limit records, and returns how many it
// took up. A record that fails is due again later; its error is in the record
// and in the log.
func (s *Syncer) Work(ctx context.Context, limit int) (int, error) {
	taken, _, err := s.work(ctx, limit)
	return taken, err
}

// work is Work, and says how many of those it took up have failed.
func (s *Syncer) work(ctx context.Context, limit int) (taken, failed int, err error) {
	due, err := s.config.Store.Due(ctx, s.config.Now(), limit)
	if err != nil {
		return 0, 0, err
	}
	for n, id := range due {
		if err := s.Reconcile(ctx, id); err != nil {
			if ctx.Err() != nil {
				return n, failed, ctx.Err()
			}
			failed++
			s.config.Log.WarnContext(ctx, "reconcile", "tenant", id.Tenant, "incident", id.Incident, "error", err)
		}
	}
	return len(due), failed, nil
}

// Run polls and works until ctx is over, and then returns nil.
func (s *Syncer) Run(ctx context.Context) error {
	const batch, most = 100, 100_000
	limit := batch
	poll := time.NewTimer(0)
	defer poll.Stop()
	work := time.NewTicker(time.Second)
	defer work.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
			if err := s.Poll(ctx); err != nil && ctx.Err() == nil {
				s.config.Log.WarnContext(ctx, "poll", "error", err)
			}
			poll.Reset(s.config.Poll)
		case <-work.C:
		case <-s.wake:
		}
		for more := true; more && ctx.Err() == nil; {
			taken, failed, err := s.work(ctx, limit)
			if err != nil && ctx.Err() == nil {
				s.config.Log.WarnContext(ctx, "work", "error", err)
			}
			full := taken == limit
			more = full && failed < taken
			// Records that the store does not take stay due, and before others: those behind
			// them are reached the next time.
			if limit = batch; full && !more {
				limit = min(2*taken, most)
			}
		}
	}
}
