package sync

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

// Reconcile reads all sides of a record and makes them the same. It returns the
// first error that keeps it from that; the record is then due again, by what the
// vendor allows and at growing distances up to five minutes. A record that
// another process works on is left to it.
func (s *Syncer) Reconcile(ctx context.Context, id ID) error {
	r, ok, err := s.config.Store.Load(ctx, id)
	if err != nil || !ok {
		return err
	}
	now := s.config.Now()
	if r.Leased.After(now) {
		return nil
	}
	r.Leased = now.Add(s.config.Lease)
	job := &job{Syncer: s, r: r, unread: map[string]bool{}}
	if err := job.save(ctx); err != nil {
		return job.lost(err)
	}
	if err := job.readAll(ctx, now); err != nil {
		return job.lost(err)
	}
	for i := range s.config.Sides {
		if err := job.settle(ctx, &s.config.Sides[i]); err != nil {
			return job.lost(err)
		}
	}
	if err := job.forward(ctx); err != nil {
		return job.lost(err)
	}
	job.r.Leased = time.Time{}
	job.r.Due = time.Time{}
	switch {
	case job.failed != nil:
		job.r.Attempts++
		job.r.Problem = job.failed.Error()
		job.r.Due = earlier(adapters.RetryAt(job.failed), time.Time{})
		if wait := now.Add(backoff(job.r.Attempts)); job.r.Due.Before(wait) {
			job.r.Due = wait
		}
	default:
		job.r.Attempts, job.r.Problem = 0, ""
		if job.again {
			job.r.Due = now
		}
	}
	if err := job.save(ctx); err != nil {
		return job.lost(err)
	}
	return job.failed
}

// backoff is 1 s, doubled by each further attempt, at most five minutes.
func backoff(attempt int) time.Duration {
	return min(time.Second<<min(attempt-1, 16), 5*time.Minute)
}

// job is one reconciliation. Errors of the store and of a context end it; those of
// vendors are kept in failed, and the other sides go on.
type job struct {
	*Syncer
	r      Record
	failed error
	again  bool            // there is more to do at once
	unread map[string]bool // sides that could not be read, to which nothing is written
}

// save writes the record and goes on with the stored one.
func (j *job) save(ctx context.Context) error {
	if err := j.config.Store.Save(ctx, j.r); err != nil {
		return err
	}
	j.r.Revision++
	return nil
}

// lost says why a job ended early. What somebody else has saved is theirs.
func (j *job) lost(err error) error {
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}

// fail keeps an error of a vendor. It returns an error that ends the job.
func (j *job) fail(ctx context.Context, side string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	j.failed = errors.Join(j.failed, fmt.Errorf("sync: %s: %w", side, err))
	return nil
}

func (j *job) tell(c Conflict) {
	j.r.conflict(c)
	if j.config.OnConflict != nil {
		j.config.OnConflict(ID{j.r.Tenant, j.r.ID}, c)
	}
}

// readAll reads every ticket and takes in what changed.
func (j *job) readAll(ctx context.Context, now time.Time) error {
	reads := map[string]adapters.Ticket{}
	for i := range j.config.Sides {
		side := &j.config.Sides[i]
		st := j.r.Sides[side.Name]
		if st == nil || st.Ref.IsZero() || st.Gone {
			continue
		}
		t, err := side.System.Read(ctx, st.Ref)
		switch {
		case errors.Is(err, adapters.NotFound):
			st.Gone = true
			j.tell(Conflict{At: now, Side: side.Name, Reason: Gone, Value: st.Ref.ID})
		case err != nil:
			j.unread[side.Name] = true
			if err := j.fail(ctx, side.Name, err); err != nil {
				return err
			}
		case st.outdated(t, side, now):
			j.unread[side.Name] = true
			j.failed = errors.Join(j.failed, fmt.Errorf("sync: %s still shows what was before our writing", side.Name))
		default:
			reads[side.Name] = t
		}
	}
	for _, c := range j.r.absorb(j.config.Sides, j.config.Owners, reads, now) {
		j.tell(c)
	}
	return nil
}

// outdated reports whether a reading shows what was there before something that is
// known already.
func (st *Standing) outdated(t adapters.Ticket, side *Side, now time.Time) bool {
	if t.Updated.Before(st.Updated) {
		if st.Behind.IsZero() {
			st.Behind = now
		}
		return now.Sub(st.Behind) < side.Lag // after that its clock has gone back for good
	}
	st.Behind = time.Time{}
	same := t.Updated.Equal(st.Updated) && t.Ref.Version == st.Version
	if !same || now.Sub(st.Wrote) >= side.Lag {
		return false
	}
	return slices.ContainsFunc(side.Fields, func(f Field) bool {
		got := side.Shape(f, valueOf(t, f))
		return got != st.Seen[f] && got != st.Pending[f]
	})
}

// settle makes one side what was agreed.
func (j *job) settle(ctx context.Context, side *Side) error {
	st := j.r.Sides[side.Name]
	if st == nil {
		st = &Standing{}
	}
	if st.Gone || j.unread[side.Name] || len(j.r.Values) == 0 {
		return nil
	}
	if st.Ref.IsZero() {
		return j.open(ctx, side, st)
	}
	ended := adapters.State(st.Seen[State]).Ended()
	st.Reopening = st.Reopening && ended
	wanted := j.r.missing(side)
	if len(wanted) == 0 && !st.Reopening {
		return nil
	}
	if st.Pending == nil {
		st.Pending = map[Field]string{}
	}
	maps.Copy(st.Pending, wanted)
	state, move := wanted[State]
	st.Reopening = st.Reopening || move && ended && !adapters.State(state).Ended()
	if err := j.save(ctx); err != nil {
		return err
	}
	switch {
	case st.Reopening:
		ref, err := j.reopen(ctx, side, st)
		if err == nil {
			st.follow(ref)
			state = string(adapters.StateNew) // which of the active states it is will be read
			j.again = true
		}
		return j.written(ctx, side, st, map[Field]string{State: state}, err)
	case move:
		err := j.move(ctx, side, st, adapters.State(state))
		if err := j.written(ctx, side, st, map[Field]string{State: state}, err); err != nil {
			return err
		}
		delete(wanted, State)
	}
	if len(wanted) == 0 {
		return nil
	}
	err := j.update(ctx, side, st, wanted)
	return j.written(ctx, side, st, wanted, err)
}

// open opens a ticket. Its key is in the record before it is sent, so another try
// has the same.
func (j *job) open(ctx context.Context, side *Side, st *Standing) error {
	if !side.Opens || st.OpenKey == "" && adapters.State(j.r.Values[State]).Ended() {
		return nil
	}
	values := j.r.shaped(side)
	if maps.Equal(st.Refused, values) {
		return nil // as it is, the vendor does not take it
	}
	if st.OpenKey == "" {
		st.OpenKey = adapters.Key{Tenant: j.r.Tenant, Incident: j.r.ID, Round: j.r.Round, Step: "open", Target: side.Name}.String()
		j.r.Sides[side.Name] = st
		if err := j.save(ctx); err != nil {
			return err
		}
	}
	t := ticketOf(values)
	t.Key, t.Tenant, t.Target = st.OpenKey, j.r.Tenant, side.Target
	t.Ref = RefOf(j.r.Tenant, j.r.ID) // what it is about
	t.State = adapters.StateNew
	ref, err := side.System.Open(ctx, t)
	switch {
	case refused(err):
		st.Refused, st.OpenKey = values, ""
		j.tell(Conflict{At: j.config.Now(), Side: side.Name, Value: t.Title, Reason: Refused, Text: err.Error()})
		return j.save(ctx)
	case err != nil:
		return j.fail(ctx, side.Name, err)
	}
	st.Refused = nil
	// What is there is what was sent; the next reading says if the vendor, or
	// somebody who was faster, has it otherwise.
	st.Ref, st.Wrote = ref, j.config.Now()
	st.Seen = values
	st.Seen[State] = string(adapters.StateNew)
	j.again = true
	return j.save(ctx)
}

// update writes what is no state.
func (j *job) update(ctx context.Context, side *Side, st *Standing, wanted map[Field]string) error {
	updater, ok := side.System.(adapters.Updater)
	if !ok {
		return &adapters.Error{Provider: side.Name, Op: "update", Kind: adapters.Unsupported}
	}
	var p adapters.Patch
	for f, value := range wanted {
		switch f {
		case Title:
			p.Title = &value
		case Text:
			p.Text = &value
		case Severity:
			severity, err := incident.ParseSeverity(value)
			if err != nil {
				return &adapters.Error{Provider: side.Name, Op: "update", Kind: adapters.Invalid, Err: err}
			}
			p.Severity = &severity
		case State:
		}
	}
	return updater.Update(ctx, st.Ref, p)
}

// reopen opens a ticket again. The vendor may open one that follows it.
func (j *job) reopen(ctx context.Context, side *Side, st *Standing) (adapters.Ref, error) {
	reopener, ok := side.System.(adapters.Reopener)
	if !ok {
		return adapters.Ref{}, &adapters.Error{Provider: side.Name, Op: "reopen", Kind: adapters.Unsupported}
	}
	return reopener.Reopen(ctx, st.Ref, j.reopened())
}

// reopened and ended are the reasons that vendors are given, which some keep as
// notes.
func (j *job) reopened() string { return j.r.ID + " was opened again" }

func (j *job) ended(to adapters.State) string { return fmt.Sprintf("%s is %s", j.r.ID, to) }

// follow goes on with the ticket that was opened again, or that follows it.
func (st *Standing) follow(ref adapters.Ref) {
	st.Reopening = false
	if !ref.Same(st.Ref) {
		st.Past = append(st.Past, st.Ref)
		st.Ref, st.Updated, st.Version, st.Behind = ref, time.Time{}, "", time.Time{}
		st.Seen = map[Field]string{} // what a vendor puts into it is no change by anybody
	}
}

// move takes a ticket to a state.
func (j *job) move(ctx context.Context, side *Side, st *Standing, to adapters.State) error {
	unsupported := &adapters.Error{Provider: side.Name, Op: string(to), Kind: adapters.Unsupported}
	switch to {
	case adapters.StateNew:
		return unsupported
	case adapters.StateAcknowledged:
		if system, ok := side.System.(adapters.Acknowledger); ok {
			return system.Acknowledge(ctx, st.Ref, "")
		}
	case adapters.StateOnHold:
		if system, ok := side.System.(adapters.Holder); ok {
			return system.Hold(ctx, st.Ref, adapters.Hold{})
		}
	default:
		if system, ok := side.System.(adapters.Resolver); ok {
			return system.Resolve(ctx, st.Ref, adapters.Resolution{Text: j.ended(to)})
		}
	}
	return unsupported
}

// written notes what became of a writing.
func (j *job) written(ctx context.Context, side *Side, st *Standing, wanted map[Field]string, err error) error {
	now := j.config.Now()
	st.Wrote = now
	switch {
	case err == nil:
		for f, value := range wanted {
			st.Seen[f] = value
			delete(st.Pending, f)
			delete(st.Refused, f)
		}
	case refused(err):
		if st.Refused == nil {
			st.Refused = map[Field]string{}
		}
		for _, f := range fields {
			if value, ok := wanted[f]; ok {
				st.Refused[f] = value
				delete(st.Pending, f)
				st.Reopening = false
				j.tell(Conflict{At: now, Side: side.Name, Field: f, Value: value, Kept: st.Seen[f], Reason: Refused, Text: err.Error()})
			}
		}
	default: // it stays pending: the next reading tells
		if err := j.fail(ctx, side.Name, err); err != nil {
			return err
		}
	}
	return j.save(ctx)
}

// refused reports whether a vendor has decided, so that the same is of no use again.
func refused(err error) bool {
	switch adapters.KindOf(err) {
	case adapters.Invalid, adapters.Forbidden, adapters.Unsupported, adapters.TooLarge:
		return true
	default:
		return false
	}
}
