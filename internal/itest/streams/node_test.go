package streams

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/streamtest"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// nodeEnv holds the orders of a node process.
const nodeEnv = "EVENKEEL_STREAM_NODE"

// orders is what a node process is to do: handle the storm until it is ended.
type orders struct {
	Store   address
	Name    string
	Storm   size
	TTL     time.Duration
	Journal string // a file; each notification is a line in it
	Status  string // a file with the number of partitions that the node owns, and its counters when it ends
	Batch   int    // of Config
	Die     int    // if not 0: when the outbox has taken something so often, the process kills itself before its log is told
}

// size says which storm it is.
type size struct {
	Seed             uint64
	Batches, Tenants int
}

// storm makes the storm.
func (s size) storm() streamtest.Storm { return streamtest.NewStorm(s.Seed, s.Batches, s.Tenants) }

// node is the program of a node process.
func node() error {
	var o orders
	if err := json.Unmarshal([]byte(os.Getenv(nodeEnv)), &o); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	store, end, err := o.Store.open(ctx)
	if err != nil {
		return err
	}
	defer end()
	journal, err := os.OpenFile(o.Journal, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer journal.Close()
	var puts atomic.Int64
	c := o.Storm.storm().Node(store, o.Name, func(ctx context.Context, all []stream.Notification) error {
		for _, n := range all {
			// One write is one line, whoever else writes.
			if _, err := fmt.Fprintf(journal, "%s %d %d %s\n", o.Name, time.Now().UnixNano(), n.Partition, n.Key); err != nil {
				return err
			}
		}
		if err := store.outbox.Put(ctx, all); err != nil {
			return err
		}
		if o.Die > 0 && puts.Add(1) == int64(o.Die) {
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return nil
	})
	c.TTL, c.SnapshotEvery, c.Batch = o.TTL, 50, o.Batch
	n, err := stream.New(c)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				return err
			}
			text, err := json.Marshal(n.Stats())
			return errors.Join(err, os.WriteFile(o.Status+".end", text, 0o600))
		case <-tick.C:
			if err := os.WriteFile(o.Status, fmt.Append(nil, len(n.Owned())), 0o600); err != nil {
				return err
			}
		}
	}
}

// worker is a node process as its test sees it.
type worker struct {
	orders
	*exec.Cmd
}

// fleet is a storm, its store and those who handle it.
type fleet struct {
	*testing.T
	orders
	store   opened
	storm   streamtest.Storm
	workers []worker
}

func newFleet(t *testing.T, where address, s size) *fleet {
	t.Helper()
	return &fleet{
		T: t, store: where.mustOpen(t), storm: s.storm(),
		orders: orders{Store: where, Storm: s, TTL: 2 * time.Second, Journal: filepath.Join(t.TempDir(), "journal")},
	}
}

// start adds two nodes; the first has die among its orders.
func (f *fleet) start(die int) {
	f.Helper()
	for n := range 2 {
		o := f.orders
		if n == 0 {
			o.Die = die
		}
		o.Name = fmt.Sprint("node-", len(f.workers))
		o.Status = filepath.Join(f.TempDir(), "status")
		f.workers = append(f.workers, worker{o, rig.Again(f.T, nodeEnv, o)})
	}
}

// wantOwned waits until the nodes own so many partitions.
func (f *fleet) wantOwned(want ...int) {
	f.Helper()
	eventually(f.T, time.Minute, func() error {
		var got []string
		for _, w := range f.workers {
			text, err := os.ReadFile(w.Status)
			if err != nil {
				return err
			}
			got = append(got, string(text))
		}
		if g, w := strings.Join(got, " "), strings.Trim(fmt.Sprint(want), "[]"); g != w {
			return fmt.Errorf("nodes own %s partitions, want %s", g, w)
		}
		return nil
	})
}

// append writes a part of the storm in pieces, as it would come, and what failed again. wait waits until that is done.
func (f *fleet) append(first, end int) (wait func()) {
	f.Helper()
	done := make(chan error, 1)
	go func() {
		var err error
		for ; first < end && err == nil; first += 100 {
			for tries := 0; tries == 0 || err != nil && tries < 100; tries++ {
				if tries > 0 {
					time.Sleep(100 * time.Millisecond)
				}
				err = f.storm.Append(f.Context(), f.store, first, min(first+100, end))
			}
		}
		done <- err
	}()
	return func() {
		if err := <-done; err != nil {
			f.Fatal(err)
		}
	}
}

// line is one of the journal.
type line struct {
	node      string
	at        time.Time
	partition int
}

// journal returns the lines by key.
func (f *fleet) journal() map[string][]line {
	f.Helper()
	file, err := os.Open(f.Journal)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	all := map[string][]line{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var l line
		var nanos int64
		var key string
		if _, err := fmt.Sscan(lines.Text(), &l.node, &nanos, &l.partition, &key); err != nil {
			f.Fatalf("journal line %q: %v", lines.Text(), err)
		}
		l.at = time.Unix(0, nanos)
		all[key] = append(all[key], l)
	}
	return all
}

// wantSent waits for so many notifications.
func (f *fleet) wantSent(count int) {
	f.Helper()
	eventually(f.T, 6*time.Minute, func() error {
		if got := len(f.journal()); got < count {
			return fmt.Errorf("%d notifications, want %d", got, count)
		}
		return nil
	})
}

// finish ends the storm and the nodes that still run, and compares with one engine: the states, what was handed over, and the
// outbox, in which everything stands once. It returns the lines of what was handed over more than once.
func (f *fleet) finish() map[string][]line {
	f.Helper()
	if err := f.storm.Finish(f.Context(), f.store); err != nil {
		f.Fatal(err)
	}
	want, err := f.storm.Keys()
	if err != nil {
		f.Fatal(err)
	}
	f.wantSent(len(want))
	states, err := f.storm.States()
	if err != nil {
		f.Fatal(err)
	}
	for _, w := range f.workers {
		if w.ProcessState == nil {
			if err := w.Process.Signal(syscall.SIGTERM); err != nil {
				f.Fatal(err)
			}
			if err := w.Wait(); err != nil {
				f.Errorf("%s: %v", w.Name, err)
			}
		}
	}
	for p, want := range states {
		got, err := f.store.Load(f.Context(), p)
		if err != nil || string(got.State) != string(want) {
			f.Errorf("partition %d ends with %.300s (%v), want %.300s", p, got.State, err, want)
		}
	}
	sent := f.journal()
	for _, key := range want {
		if sent[key] == nil {
			f.Errorf("notification %s was lost", key)
		}
	}
	if len(sent) != len(want) {
		f.Errorf("%d notifications were sent, want %d", len(sent), len(want))
	}
	if err := f.storm.Once(f.Context(), f.store.outbox); err != nil {
		f.Error(err)
	}
	double := map[string][]line{}
	for key, lines := range sent {
		if len(lines) > 1 {
			double[key] = lines
		}
	}
	return double
}
