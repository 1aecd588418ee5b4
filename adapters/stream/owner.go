package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// owner is the goroutine that owns a partition.
type owner struct {
	*Node
	partition int
	term      *term
	ctx       context.Context // over when it should stop, at the end of the term at the latest
	stop      context.CancelFunc
	done      chan struct{} // closed when it has ended
	epoch     atomic.Int64  // 0 until the partition is claimed
	failing   atomic.Int64  // ns after Node.made, since when the store or Notify fails; 0 if neither does

	mu       sync.Mutex // guards engine and caughtUp, which View reads
	engine   *correlation.Engine
	caughtUp bool // has applied all that stood in the log when it began

	offset  int64 // of the last record that was applied
	saved   int64 // offset of a snapshot that is made anew from the log; 0: of none, or it is past
	room    int   // of pending, up to there
	begin   int64 // offset of its own record, at which it has caught up
	unsaved int   // records since the last snapshot
	ticked  time.Time
	pending []Notification  // not handed over yet, in order
	open    map[string]bool // keys of those of pending that nobody else has handed over
}

// start lets an owner claim the partition and, if it gets it, own it.
func (n *Node) start(t *term, partition int) *owner {
	o := &owner{Node: n, partition: partition, term: t, done: make(chan struct{}), open: map[string]bool{}}
	o.ctx, o.stop = context.WithCancel(t.ctx)
	go func() {
		defer close(o.done)
		defer o.stop()
		o.run()
	}()
	return o
}

// ended reports whether it has ended.
func (o *owner) ended() bool {
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

// run owns the partition until it should stop or another node has it.
func (o *owner) run() {
	release := func(ctx context.Context) error { return o.c.Store.Release(ctx, o.partition, o.term.node) }
	call, cancel := context.WithTimeout(o.term.ctx, o.c.TTL)
	epoch, err := o.c.Store.Claim(call, o.partition, o.term.node)
	cancel()
	switch {
	case err != nil:
		// It may have been done all the same, or still be on its way. A claim of which
		// its owner does not know would keep the partition from everybody.
		o.trouble(o.ctx, "claim", o.partition, err)
		_ = o.insist("release", release)
		pause(o.term.ctx, o.c.TTL)
	case epoch == 0:
		return
	default:
		o.epoch.Store(epoch)
		o.stats.claims.Add(1)
		if err := o.own(); err == nil && o.unsaved > 0 && o.caughtUp {
			_ = o.save()
		}
	}
	_ = o.insist("release", release)
}

// own restores the state and follows the log. It returns nil when it should stop and
// has nothing under way.
func (o *owner) own() error {
	if err := o.insist("restore", o.restore); err != nil {
		return err
	}
	err := o.insist("begin", func(ctx context.Context) (err error) {
		o.begin, err = o.c.Store.Append(ctx, o.partition, Batch{At: o.c.Now(), Epoch: o.epoch.Load()})
		return err
	})
	if err != nil {
		return err
	}
	for wait := time.Duration(0); o.ctx.Err() == nil; {
		records, err := o.read()
		if err != nil {
			o.fails()
			o.trouble(o.ctx, "read", o.partition, err)
			wait = longer(wait)
			pause(o.ctx, wait)
			continue
		}
		wait = 0
		o.failing.Store(0)
		if err := o.apply(records); err != nil {
			return err
		}
		if !o.caughtUp {
			continue
		}
		if err := o.deliver(); err != nil {
			return err
		}
		if o.unsaved >= o.c.SnapshotEvery {
			if err := o.save(); err != nil {
				return err
			}
		}
		if err := o.tick(); err != nil {
			return err
		}
	}
	return nil
}

// restore takes the state from the last snapshot, or if that is damaged from the whole log.
func (o *owner) restore(ctx context.Context) error {
	s, err := o.c.Store.Load(ctx, o.partition)
	if err != nil {
		return err
	}
	var engine *correlation.Engine
	if s.Offset > 0 || len(s.State) > 0 { // it may have been lost
		engine, err = correlation.Restore(o.c.Rules, o.c.Options, s.State)
	}
	if err != nil {
		if lost := o.whole(ctx); lost != nil {
			return fmt.Errorf("the snapshot at offset %d: %w; the log cannot replace it: %w", s.Offset, err, lost)
		}
		o.c.Log.WarnContext(ctx, "stream: a snapshot is not used, the log is read from its beginning", "partition", o.partition, "error", err)
		o.saved = s.Offset
		s = Snapshot{}
	}
	if s.Offset == 0 && len(s.State) == 0 {
		if engine, err = correlation.New(o.c.Rules, o.c.Options); err != nil {
			return err
		}
	}
	o.mu.Lock()
	o.engine = engine
	o.mu.Unlock()
	o.offset = s.Offset
	return nil
}

// whole returns an error unless the log has all of its records. The first owner writes epoch
// 1 into it, and every snapshot, up to which a log is trimmed, covers the epoch of its owner.
func (o *owner) whole(ctx context.Context) error {
	for after := int64(0); ; {
		records, err := o.c.Store.Read(ctx, o.partition, after)
		if err != nil {
			return fmt.Errorf("its first owner was trimmed: %w", err)
		}
		for _, r := range records {
			if r.Epoch == 1 {
				return nil
			}
			if r.Epoch > 1 {
				return fmt.Errorf("its first owner has epoch %d, want 1: what came before was trimmed", r.Epoch)
			}
			after = r.Offset
		}
	}
}

// read waits for records, until the next tick at the latest.
func (o *owner) read() ([]Record, error) {
	ctx := o.ctx
	if in, ok := o.untilTick(); ok {
		// Long enough for a log that has some.
		timed, cancel := context.WithTimeout(ctx, max(in, 20*time.Millisecond))
		defer cancel()
		ctx = timed
	}
	records, err := o.c.Store.Read(ctx, o.partition, o.offset)
	if ctx.Err() != nil {
		err = nil
	}
	return records, err
}

// apply brings the engine up to date and collects notifications.
func (o *owner) apply(records []Record) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range records {
		r := &records[i]
		if r.Epoch > o.epoch.Load() {
			return ErrFenced
		}
		if past := r.Offset > o.saved; o.saved > 0 && (past || len(o.pending) > o.room) {
			o.settle()
			if past {
				o.saved = 0
			}
		}
		switch {
		case r.Err != nil:
			o.refuse(r.Offset, r.Err)
		case len(r.Events) > 0 || len(r.Sent) == 0 && r.Epoch == 0:
			o.step(r)
		}
		for _, key := range r.Sent {
			if o.open[key] {
				delete(o.open, key)
				o.stats.skipped.Add(1)
			}
		}
		o.offset = r.Offset
	}
	o.caughtUp = o.caughtUp || o.offset >= o.begin
	o.unsaved += len(records)
	o.stats.records.Add(int64(len(records)))
	return nil
}

// step applies the events of a record, or moves the time.
func (o *owner) step(r *Record) {
	at := r.At
	if now := o.engine.Now(); at.Before(now) {
		at = now
	}
	transitions, err := o.engine.Apply(at, r.Events...)
	if err != nil {
		o.refuse(r.Offset, err)
	}
	o.stats.events.Add(int64(len(r.Events)))
	for _, t := range transitions {
		if slices.Contains(o.c.Kinds, t.Kind) || o.saved > 0 { // settle looks at all
			key := t.Key()
			o.pending = append(o.pending, Notification{Key: key, Transition: t, Partition: o.partition, Offset: r.Offset, Epoch: o.epoch.Load()})
			o.open[key] = true
		}
	}
}

// settle leaves of what is pending what is about alerts that go on. It stood before a
// snapshot, when everything had been handed over: under the keys of today if the rules are
// still those of then, and else under others, which would tell people again of all that is
// over.
func (o *owner) settle() {
	type episode struct {
		alert string
		since int64
	}
	of := func(n *Notification) episode {
		return episode{n.Alert.Key(), n.Alert.Since.UnixNano()}
	}
	ended := map[episode]int{} // by place
	for i := range o.pending {
		if n := &o.pending[i]; n.Kind == correlation.Resolve || n.Kind == correlation.Close {
			ended[of(n)] = i
		}
	}
	kept := o.pending[:0]
	for i, n := range o.pending {
		if end, ok := ended[of(&n)]; o.open[n.Key] && slices.Contains(o.c.Kinds, n.Kind) && (!ok || i > end) {
			kept = append(kept, n)
		} else {
			delete(o.open, n.Key)
		}
	}
	clear(o.pending[len(kept):])
	o.pending, o.room = kept, 2*len(kept)+1000
}

// refuse tells of what was not applied.
func (o *owner) refuse(offset int64, err error) {
	n := 1
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		n = len(joined.Unwrap())
	}
	o.stats.refused.Add(int64(n))
	if o.c.OnRefused != nil {
		o.c.OnRefused(o.partition, offset, err)
	}
}

// deliver hands over what is pending and writes the keys into the log.
func (o *owner) deliver() error {
	pending := o.pending
	for len(pending) > 0 {
		var now []Notification
		for len(pending) > 0 && len(now) < o.c.Batch {
			if o.open[pending[0].Key] {
				now = append(now, pending[0])
			}
			pending = pending[1:]
		}
		if len(now) == 0 {
			break
		}
		if err := o.handOver(now); err != nil {
			return err
		}
	}
	clear(o.open)
	o.pending = o.pending[:0]
	return nil
}

// handOver calls Notify until it succeeds or the owner should stop, and then writes the
// keys into the log.
func (o *owner) handOver(now []Notification) error {
	keys := make([]string, len(now))
	for i := range now {
		keys[i] = now[i].Key
	}
	for wait := time.Duration(0); ; pause(o.ctx, wait) {
		err := o.notify(now, keys)
		if err == nil || o.term.over() || o.ctx.Err() != nil {
			o.failing.Store(0)
			return err
		}
		o.fails()
		o.stats.again.Add(1)
		o.c.Log.WarnContext(o.ctx, "stream: notify", "partition", o.partition, "error", err)
		wait = longer(wait)
	}
}

// notify tries once, when it is its turn.
func (o *owner) notify(now []Notification, keys []string) error {
	select {
	case o.handing <- struct{}{}:
		defer func() { <-o.handing }()
	case <-o.term.ctx.Done():
	}
	if o.term.over() {
		return context.DeadlineExceeded
	}
	if err := o.c.Notify(o.term.ctx, now); err != nil {
		return err
	}
	o.stats.notified.Add(int64(len(now)))
	for _, key := range keys {
		delete(o.open, key)
	}
	return o.insist("record what was sent", func(ctx context.Context) error {
		_, err := o.c.Store.Append(ctx, o.partition, Batch{At: o.c.Now(), Sent: keys})
		return err
	})
}

// save stores a snapshot. Nothing may be pending, since the next owner does not
// see what caused it.
func (o *owner) save() error {
	o.mu.Lock()
	state, err := o.engine.Snapshot()
	o.mu.Unlock()
	if err != nil {
		return err
	}
	err = o.insist("save", func(ctx context.Context) error {
		return o.c.Store.Save(ctx, o.partition, o.epoch.Load(), Snapshot{o.offset, state})
	})
	if err != nil {
		return err
	}
	o.unsaved = 0
	o.stats.snapshots.Add(1)
	if o.c.Trim {
		return o.insist("trim", func(ctx context.Context) error { return o.c.Store.Trim(ctx, o.partition, o.offset) })
	}
	return nil
}

// untilTick returns how long it takes until a tick is to be written; false if there
// is no need for one as things stand.
func (o *owner) untilTick() (time.Duration, bool) {
	due, ok := o.engine.NextWake()
	if !ok || !o.caughtUp {
		return 0, false
	}
	at := due.Truncate(o.c.Tick)
	if at.Before(due) {
		at = at.Add(o.c.Tick)
	}
	if next := o.ticked.Add(o.c.Tick); at.Before(next) { // one is on its way
		at = next
	}
	return at.Sub(o.c.Now()), true
}

// tick writes the instant into the log if something is due by it. It has its effect
// when it is read.
func (o *owner) tick() error {
	if in, ok := o.untilTick(); !ok || in > 0 {
		return nil
	}
	o.ticked = o.c.Now()
	o.stats.ticks.Add(1)
	return o.insist("tick", func(ctx context.Context) error {
		_, err := o.c.Store.Append(ctx, o.partition, Batch{At: o.ticked})
		return err
	})
}

// insist tries until there is no error, the partition has another owner, or the term
// is over.
func (o *owner) insist(what string, try func(context.Context) error) error {
	for wait := time.Duration(0); ; {
		call, cancel := context.WithTimeout(o.term.ctx, o.c.TTL)
		err := try(call)
		cancel()
		if err == nil || errors.Is(err, ErrFenced) || o.term.ctx.Err() != nil {
			o.failing.Store(0)
			return err
		}
		o.fails()
		o.trouble(o.ctx, what, o.partition, err)
		wait = longer(wait)
		pause(o.term.ctx, wait)
	}
}

// fails notes when it began to fail.
func (o *owner) fails() {
	o.failing.CompareAndSwap(0, int64(max(1, time.Since(o.made))))
}

// longer returns the pause after the one before: 10 ms, doubled up to a minute.
func longer(wait time.Duration) time.Duration {
	return min(max(2*wait, 10*time.Millisecond), time.Minute)
}
