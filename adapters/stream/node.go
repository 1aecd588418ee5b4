package stream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// Notification is a transition that somebody should hear of.
type Notification struct {
	// Key is that of the transition: the same whoever hands it over, and however
	// often. A receiver should drop keys that it knows.
	Key string `json:"key"`
	correlation.Transition
	Partition int   `json:"partition"`
	Offset    int64 `json:"offset"` // of the record that caused it
	Epoch     int64 `json:"epoch"`  // of the owner that hands it over
}

// Config is what a Node needs. Store, Name and Notify are required.
type Config struct {
	Store Store
	// Name is that of the node, to which something is added that no other has.
	Name string
	// Rules and Options are those of the engine of every partition. All nodes should
	// have the same; after a change [correlation.Restore] says what becomes of the
	// state.
	Rules   []correlation.Rule
	Options correlation.Options
	// Notify hands over notifications of one partition, in order: the Put of an
	// Outbox, or a receiver that drops keys that it knows. An error means that none
	// may count as handed over: all are handed over again, after a pause that grows to
	// a minute, and the partition waits meanwhile. It is called for Parallel
	// partitions at a time. The context is over when the lease is.
	Notify func(context.Context, []Notification) error
	// Batch is how many notifications Notify gets at most. They are one append to
	// the log, and in doubt together when a node dies; an Outbox drops what it has, so
	// 100 is right for it. Defaults to 1.
	Batch int
	// Parallel is how many partitions hand over at the same time, until the keys are in
	// the log. So many batches are in doubt at most when a node dies. Defaults to 8.
	Parallel int
	// Kinds are the transitions that are notifications. Defaults to Notify and
	// Resolve.
	Kinds []correlation.Kind
	// OnRefused is told of events that an engine refused, and of records that are no
	// batch. It is told again after a recovery. Defaults to nothing.
	OnRefused func(partition int, offset int64, err error)
	// TTL is how long a node may be silent before its partitions go to others. It
	// speaks three times in that time. Defaults to 10 seconds, at least 1.
	TTL time.Duration
	// SnapshotEvery is after how many records a snapshot is saved; so many have to
	// be read at most when a partition gets a new owner. Defaults to 2000.
	SnapshotEvery int
	// Trim drops the records that a snapshot covers. Defaults to false, the log is
	// kept.
	Trim bool
	// Tick is how far what falls due without events may be handled too late, so
	// that a tick of a partition serves many. Its instant is exact all the same.
	// Defaults to a second.
	Tick time.Duration
	// Now is the clock by which something falls due. It should be that of the
	// producers. Defaults to time.Now.
	Now func() time.Time
	// Log is told of errors that are tried again. Defaults to none.
	Log *slog.Logger
}

// Stats counts what a node has done since it was made, recoveries included, and says
// whether it is stuck now.
type Stats struct {
	Claims    int64 // partitions taken
	Records   int64 // read
	Events    int64 // applied
	Refused   int64 // events and records
	Notified  int64 // handed over
	Again     int64 // of the calls of Notify, failed and tried again
	Skipped   int64 // notifications that had been handed over before
	Snapshots int64
	Ticks     int64
	Errors    int64 // of the store, tried again

	// Stuck is for how long the partition that is worst off has not gone on, because its
	// snapshot cannot be used, the store does not answer or Notify fails; 0 if all go on.
	// Its alerts wait in the log.
	Stuck time.Duration
}

// Node owns a share of the partitions while Run runs. Make one with [New]. Its
// methods are safe for concurrent use.
type Node struct {
	c       Config
	made    time.Time
	handing chan struct{} // has an element for each partition that hands over
	stats   struct {
		claims, records, events, refused, notified, again, skipped, snapshots, ticks, errors atomic.Int64
	}

	mu     sync.Mutex // guards owners
	owners map[int]*owner
}

// New checks the configuration, compiling the rules, and returns a node that does
// nothing yet.
func New(c Config) (*Node, error) {
	var problems []error
	if c.Store == nil {
		problems = append(problems, errors.New("field Store is missing"))
	}
	if c.Name == "" {
		problems = append(problems, errors.New("field Name is missing"))
	}
	if c.Notify == nil {
		problems = append(problems, errors.New("field Notify is missing"))
	}
	if c.Batch < 0 || c.Parallel < 0 || c.SnapshotEvery < 0 {
		problems = append(problems, fmt.Errorf("field Batch is %d, Parallel %d and SnapshotEvery %d, want 0 or more", c.Batch, c.Parallel, c.SnapshotEvery))
	}
	if c.Tick < 0 || c.TTL != 0 && c.TTL < time.Second {
		problems = append(problems, fmt.Errorf("field Tick is %v and TTL %v, want 0 or more, and at least 1s", c.Tick, c.TTL))
	}
	if _, err := correlation.New(c.Rules, c.Options); err != nil {
		problems = append(problems, err)
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("stream: %w", errors.Join(problems...))
	}
	if c.Batch == 0 {
		c.Batch = 1
	}
	if c.Parallel == 0 {
		c.Parallel = 8
	}
	if c.Kinds == nil {
		c.Kinds = []correlation.Kind{correlation.Notify, correlation.Resolve}
	}
	if c.TTL == 0 {
		c.TTL = 10 * time.Second
	}
	if c.SnapshotEvery == 0 {
		c.SnapshotEvery = 2000
	}
	if c.Tick == 0 {
		c.Tick = time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Node{c: c, made: time.Now(), handing: make(chan struct{}, c.Parallel), owners: map[int]*owner{}}, nil
}

// Run owns partitions until ctx is over. Then it saves and releases them, for which
// it takes no longer than its lease lasts, and returns the error of ctx. It must not
// run twice at a time.
func (n *Node) Run(ctx context.Context) error {
	t := n.newTerm(ctx)
	for ctx.Err() == nil {
		if t.over() { // silent for too long: what it owned is gone
			t.end()
			n.wait()
			t = n.newTerm(ctx)
		}
		asked := time.Now()
		call, cancel := context.WithTimeout(ctx, n.c.TTL/3)
		nodes, err := n.c.Store.Join(call, t.node, n.c.TTL)
		cancel()
		complete := false
		if err != nil {
			n.trouble(ctx, "join", -1, err)
		} else {
			t.extend(asked.Add(n.c.TTL))
			complete = n.rebalance(t, nodes) //nolint:contextcheck // owners live by the term, which outlives ctx
		}
		beat := n.c.TTL / 3
		if !complete {
			beat = n.c.TTL / 10
		}
		pause(ctx, beat-time.Since(asked))
	}
	n.mu.Lock()
	for _, o := range n.owners {
		o.stop()
	}
	n.mu.Unlock()
	n.wait()
	t.end()
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.c.TTL/3)
	defer cancel()
	return errors.Join(ctx.Err(), n.c.Store.Leave(call, t.node))
}

// rebalance starts and stops owners. It reports whether all that should be owned is.
func (n *Node) rebalance(t *term, nodes []string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	complete := true
	for p, node := range assign(nodes) {
		o := n.owners[p]
		if o != nil && o.ended() {
			delete(n.owners, p)
			o = nil
		}
		switch mine := node == t.node; {
		case mine && o == nil:
			n.owners[p] = n.start(t, p)
			complete = false
		case mine:
			complete = complete && o.epoch.Load() > 0
		case o != nil:
			o.stop()
		}
	}
	return complete
}

// wait returns when all owners have ended, which something must have asked of them.
func (n *Node) wait() {
	n.mu.Lock()
	owners := n.owners
	n.owners = map[int]*owner{}
	n.mu.Unlock()
	for _, o := range owners {
		<-o.done
	}
}

// Owned returns the partitions that the node owns now, in order.
func (n *Node) Owned() []int {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []int
	for p, o := range n.owners {
		if o.epoch.Load() > 0 && !o.ended() {
			all = append(all, p)
		}
	}
	slices.Sort(all)
	return all
}

// View calls f with the engine that holds the alerts of a tenant, and reports whether
// this node has it. The engine serves other tenants too; f must neither change nor
// keep it, and the partition waits until f returns.
func (n *Node) View(tenant string, f func(*correlation.Engine)) bool {
	n.mu.Lock()
	o := n.owners[Partition(tenant)]
	n.mu.Unlock()
	if o == nil || o.ended() {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.engine == nil || !o.caughtUp {
		return false
	}
	f(o.engine)
	return true
}

// Stats returns the counters.
func (n *Node) Stats() Stats {
	s := &n.stats
	stuck := time.Duration(0)
	n.mu.Lock()
	for _, o := range n.owners {
		if since := o.failing.Load(); since > 0 && !o.ended() {
			stuck = max(stuck, time.Since(n.made)-time.Duration(since))
		}
	}
	n.mu.Unlock()
	return Stats{
		Stuck:  stuck,
		Claims: s.claims.Load(), Records: s.records.Load(), Events: s.events.Load(), Refused: s.refused.Load(), Notified: s.notified.Load(),
		Again: s.again.Load(), Skipped: s.skipped.Load(), Snapshots: s.snapshots.Load(), Ticks: s.ticks.Load(), Errors: s.errors.Load(),
	}
}

// trouble counts and logs an error of the store. partition is -1 if none is concerned.
func (n *Node) trouble(ctx context.Context, what string, partition int, err error) {
	if ctx.Err() != nil {
		return
	}
	n.stats.errors.Add(1)
	n.c.Log.WarnContext(ctx, "stream: "+what, "partition", partition, "error", err)
}

// term is a stretch of time without a gap in which the node is alive for others. Each
// has a name of its own, so that claims of an earlier one are never taken for its own.
type term struct {
	node  string
	ctx   context.Context // over when it ends
	end   context.CancelFunc
	timer *time.Timer
	begun time.Time
	lasts atomic.Int64 // ns after begun
}

// newTerm begins one that outlives ctx, so that partitions can be handed over.
func (n *Node) newTerm(ctx context.Context) *term {
	t := &term{node: n.c.Name + "/" + rand.Text(), begun: time.Now()}
	t.ctx, t.end = context.WithCancel(context.WithoutCancel(ctx))
	t.lasts.Store(int64(n.c.TTL))
	t.timer = time.AfterFunc(n.c.TTL, t.end)
	return t
}

// extend moves the end.
func (t *term) extend(until time.Time) {
	t.lasts.Store(int64(until.Sub(t.begun)))
	t.timer.Reset(time.Until(until))
}

// over reports whether the end has come. The timer may be late, in a process that was
// stopped and wakes.
func (t *term) over() bool {
	return t.ctx.Err() != nil || int64(time.Since(t.begun)) >= t.lasts.Load()
}

// pause waits, or less if ctx is over.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
