package timers

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
)

// workerEnv holds the orders of a worker; see orders.
const workerEnv = "EVENKEEL_WORKER"

// orders is what a worker process is to do: fire timers and send messages, until it is ended.
type orders struct {
	System, DSN string
	Journal     string        // a file; each send is a line before and one after
	Send        time.Duration // how long one takes
	Lease       time.Duration
	Die         boundary // of the firing of level 1; the zero value is for those who live
}

// boundary is a place between two steps of a firing.
type boundary string

// The boundaries, in order.
const (
	beforeClaim     boundary = "before the claim"
	afterClaim      boundary = "after the claim"
	inTransaction   boundary = "in the transaction"
	beforeSend      boundary = "after the commit, before the send"
	claimedMessage  boundary = "after the claim of the message"
	afterSend       boundary = "after the send, before its completion"
	afterCompletion boundary = "after the completion"
)

// reach ends the process, as kill -9 does, where its orders are to die there.
func (o orders) reach(b boundary) {
	if b != "" && o.Die == b {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it arrives
	}
}

// mortal is a queue whose worker may die at its boundaries.
type mortal struct {
	*sqlstore.Queue
	orders
	before, claimed, handled, done boundary
}

// Claim may end the process before it and after it.
func (m mortal) Claim(ctx context.Context, n int, lease time.Duration) ([]escalation.Lease, error) {
	m.reach(m.before)
	leases, err := m.Queue.Claim(ctx, n, lease)
	if slices.ContainsFunc(leases, ofLevel1) {
		m.reach(m.claimed)
	}
	return leases, err
}

// Complete may end the process before it and after it.
func (m mortal) Complete(ctx context.Context, held ...escalation.Lease) ([]escalation.Lease, error) {
	if slices.ContainsFunc(held, ofLevel1) {
		m.reach(m.handled)
	}
	lost, err := m.Queue.Complete(ctx, held...)
	if slices.ContainsFunc(held, ofLevel1) {
		m.reach(m.done)
	}
	return lost, err
}

func ofLevel1(l escalation.Lease) bool { return strings.Contains(l.Key, "/L1") }

// worker is the program of a worker process.
func worker() error {
	var o orders
	if err := json.Unmarshal([]byte(os.Getenv(workerEnv)), &o); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	db, err := dial(o.System, o.DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := sqlstore.Open(ctx, db, nil)
	if err != nil {
		return err
	}
	desk, err := newDesk(store)
	if err != nil {
		return err
	}
	journal, err := os.OpenFile(o.Journal, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer journal.Close()
	timers := mortal{Queue: store.Timers(), orders: o, before: beforeClaim, claimed: afterClaim}
	fire, err := runner.New(runner.Config{Timers: timers, Lease: o.Lease, Size: 20, Batch: func(ctx context.Context, l []escalation.Lease) []error {
		errs := store.Fire(ctx, l, func(ctx context.Context, tx *sqlstore.Tx, l escalation.Lease) error {
			err := desk.Fire(ctx, tx, l)
			o.reach(inTransaction)
			return err
		})
		o.reach(beforeSend)
		return errs
	}})
	if err != nil {
		return err
	}
	outbox := mortal{Queue: store.Outbox(), orders: o, claimed: claimedMessage, handled: afterSend, done: afterCompletion}
	send, err := runner.New(runner.Config{Timers: outbox, Lease: o.Lease, Size: 40, Handle: func(_ context.Context, l escalation.Lease) error {
		if err := note(journal, "start", l); err != nil {
			return err
		}
		time.Sleep(o.Send)
		return note(journal, "sent", l)
	}})
	if err != nil {
		return err
	}
	runners := []*runner.Runner{fire, send}
	if slices.Contains([]boundary{beforeClaim, afterClaim, inTransaction, beforeSend}, o.Die) {
		runners = runners[:1] // nothing is sent while it dies
	}
	failed := make(chan error, len(runners))
	for _, r := range runners {
		go func() { failed <- r.Run(ctx) }()
	}
	var problems []error
	for range runners {
		problems = append(problems, <-failed)
	}
	return errors.Join(problems...)
}

// newDesk returns an escalator of the sample roster.
func newDesk(store *sqlstore.Store) (*sqlstore.Escalator, error) {
	router, err := escalation.NewRouter(escalation.SampleRoster())
	if err != nil {
		return nil, err
	}
	return sqlstore.NewEscalator(store, escalation.Config{Tenant: "acme", Router: router}, "")
}

// note appends a line; one write is one line, whoever else writes.
func note(journal *os.File, what string, l escalation.Lease) error {
	_, err := fmt.Fprintf(journal, "%s %d %d %d %d %s\n", what, os.Getpid(), time.Now().UnixNano(), l.At.UnixNano(), l.Attempt, l.Key)
	return err
}

// line is one of a journal.
type line struct {
	sent    bool
	pid     int
	at      time.Time
	claimed time.Time // by the clock of the store
	key     string
}

func readJournal(t *testing.T, name string) []line {
	t.Helper()
	file, err := os.Open(name)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []line
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var l line
		var what string
		var nanos, claimed int64
		var attempt int
		if _, err := fmt.Sscan(lines.Text(), &what, &l.pid, &nanos, &claimed, &attempt, &l.key); err != nil {
			if strings.HasSuffix(lines.Text(), l.key) {
				continue // the last line of a process that was killed may be cut short
			}
			t.Fatalf("journal line %q: %v", lines.Text(), err)
		}
		l.sent, l.at, l.claimed = what == "sent", time.Unix(0, nanos), time.Unix(0, claimed)
		all = append(all, l)
	}
	return all
}
