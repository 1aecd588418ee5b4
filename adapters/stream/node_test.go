package stream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/streamtest"
	"github.com/evenkeelops/evenkeel/correlation"
)

// journal notes what was handed over.
type journal struct {
	mu   sync.Mutex // guards keys
	keys []string
}

func (j *journal) notify(_ context.Context, all []stream.Notification) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, n := range all {
		j.keys = append(j.keys, n.Key)
	}
	return nil
}

// sorted returns all keys, one as often as it was handed over.
func (j *journal) sorted() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Sorted(slices.Values(j.keys))
}

// running is a node and the way to end it.
type running struct {
	*stream.Node
	stop func() // returns when Run has
}

func run(t *testing.T, c stream.Config) running {
	t.Helper()
	n, err := stream.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	return running{n, func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v, want the error of the context", err)
		}
	}}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantStates compares what stands in the store with the engines of the storm.
func wantStates(t *testing.T, store stream.Store, s streamtest.Storm) {
	t.Helper()
	states, err := s.States()
	check(t, err)
	for p, want := range states {
		got, err := store.Load(t.Context(), p)
		if err != nil || !bytes.Equal(got.State, want) {
			t.Errorf("partition %d ends with %.300s (%v), want %.300s", p, got.State, err, want)
		}
	}
}

func wantKeys(t *testing.T, what string, got []string, s streamtest.Storm) {
	t.Helper()
	want, err := s.Keys()
	check(t, err)
	if len(want) < 100 || len(slices.Compact(slices.Clone(want))) != len(want) {
		t.Fatalf("the storm has %d notifications, want many and each key once", len(want))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d notifications, %d keys, want the %d keys of one engine, each once", what, len(got), len(slices.Compact(slices.Clone(got))), len(want))
	}
}

// Any number of nodes does what one engine does.
func TestNodesAreOneEngine(t *testing.T) {
	for _, nodes := range []int{1, 2, 5} {
		t.Run(strconv.Itoa(nodes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := streamtest.NewStorm(uint64(nodes), 3000, 90)
				store, j := stream.NewMemory(), &journal{}
				var all []running
				for n := range nodes {
					c := s.Node(store, fmt.Sprint("node-", n), j.notify)
					c.SnapshotEvery, c.Batch, c.Trim = 20, 1+n, n%2 == 1
					all = append(all, run(t, c))
				}
				check(t, s.Append(t.Context(), store, 0, len(s.Batches)))
				check(t, s.Finish(t.Context(), store))
				time.Sleep(time.Minute)
				events := int64(0)
				for _, n := range all {
					if owned := len(n.Owned()); owned < stream.Partitions/nodes-nodes || owned > stream.Partitions/nodes+1 {
						t.Errorf("one of %d nodes owns %d partitions", nodes, owned)
					}
					n.stop()
					stats := n.Stats()
					events += stats.Events
					if stats.Errors+stats.Refused+stats.Again > 0 || stats.Snapshots == 0 {
						t.Errorf("Stats() = %+v, want no errors and some snapshots", stats)
					}
				}
				sent := 0
				for _, b := range s.Batches {
					sent += len(b.Events)
				}
				if events < int64(sent) {
					t.Errorf("%d events were applied, want the %d that were sent", events, sent)
				}
				wantKeys(t, "at the end", j.sorted(), s)
				wantStates(t, store, s)
			})
		})
	}
}

// mortal is a store for a node that dies: from then on nothing of it arrives.
type mortal struct {
	stream.Store
	dead  atomic.Bool
	mu    sync.Mutex      // guards doubt
	doubt map[string]bool // keys of what was handed over and could not be recorded
}

var errDead = errors.New("dead")

func (m *mortal) Append(ctx context.Context, p int, b ...stream.Batch) (int64, error) {
	if m.dead.Load() {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, batch := range b {
			for _, key := range batch.Sent {
				m.doubt[key] = true
			}
		}
		return 0, errDead
	}
	return m.Store.Append(ctx, p, b...)
}

func (m *mortal) Save(ctx context.Context, p int, epoch int64, s stream.Snapshot) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Store.Save(ctx, p, epoch, s)
}

func (m *mortal) Join(ctx context.Context, node string, ttl time.Duration) ([]string, error) {
	if m.dead.Load() {
		return nil, errDead
	}
	return m.Store.Join(ctx, node, ttl)
}

func (m *mortal) Leave(ctx context.Context, node string) error {
	if m.dead.Load() {
		return nil
	}
	return m.Store.Leave(ctx, node)
}

func (m *mortal) Release(ctx context.Context, p int, node string) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Store.Release(ctx, p, node)
}

// One of two nodes dies in the middle and others join; it dies between handing over and
// recording, so that what it handed over last is in doubt. The outbox has it once.
func TestKillAndJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := streamtest.NewStorm(7, 4000, 120)
		store, j, box := stream.NewMemory(), &journal{}, stream.NewMemoryOutbox()
		put := func(ctx context.Context, all []stream.Notification) error {
			return errors.Join(box.Put(ctx, all), j.notify(ctx, all))
		}
		victim := &mortal{Store: store, doubt: map[string]bool{}}
		calls := 0
		var mu sync.Mutex
		dying := s.Node(victim, "victim", func(ctx context.Context, all []stream.Notification) error {
			mu.Lock()
			defer mu.Unlock()
			if victim.dead.Load() {
				return errDead
			}
			if calls++; calls == 200 {
				victim.dead.Store(true)
			}
			return put(ctx, all)
		})
		dying.SnapshotEvery, dying.Trim = 30, true
		dead := run(t, dying)
		config := func(name string) stream.Config {
			c := s.Node(store, name, put)
			c.SnapshotEvery, c.Trim = 30, true
			return c
		}
		all := []running{run(t, config("survivor"))}
		time.Sleep(30 * time.Second)
		check(t, s.Append(t.Context(), store, 0, 2000))
		time.Sleep(time.Minute)
		if !victim.dead.Load() {
			t.Fatal("the victim lives")
		}
		if got := len(all[0].Owned()); got != stream.Partitions {
			t.Errorf("the survivor owns %d partitions a minute after the other died, want all", got)
		}
		for _, name := range []string{"b", "c", "d"} {
			all = append(all, run(t, config(name)))
		}
		check(t, s.Append(t.Context(), store, 2000, 3000))
		time.Sleep(30 * time.Second)
		for _, n := range all {
			if got := len(n.Owned()); got != stream.Partitions/4 {
				t.Errorf("one of four nodes owns %d partitions, want a quarter", got)
			}
		}
		check(t, s.Append(t.Context(), store, 3000, 4000))
		check(t, s.Finish(t.Context(), store))
		time.Sleep(30 * time.Second)
		dead.stop()
		for _, n := range all {
			n.stop()
		}
		got := j.sorted()
		if len(victim.doubt) == 0 {
			t.Error("nothing was in doubt")
		}
		for key := range victim.doubt {
			i, _ := slices.BinarySearch(got, key)
			if i+1 >= len(got) || got[i+1] != key {
				t.Errorf("%s, which was in doubt, was not handed over again", key)
				continue
			}
			got = slices.Delete(got, i, i+1)
		}
		wantKeys(t, "after a death", got, s)
		check(t, s.Once(t.Context(), box))
		wantStates(t, store, s)
	})
}

// A node whose store is gone for longer than its lease hands nothing over afterwards
// that others have, and owns its share again when the store is back.
func TestLostLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := streamtest.NewStorm(3, 2000, 50)
		store, j := stream.NewMemory(), &journal{}
		cut := &mortal{Store: store, doubt: map[string]bool{}}
		a, b := run(t, s.Node(cut, "a", j.notify)), run(t, s.Node(store, "b", j.notify))
		time.Sleep(20 * time.Second)
		check(t, s.Append(t.Context(), store, 0, 500))
		time.Sleep(time.Second)
		cut.dead.Store(true)
		time.Sleep(30 * time.Second)
		if got := len(a.Owned()) + 1000*len(b.Owned()); got != 256000 {
			t.Errorf("after the cut a owns %d partitions and b %d, want none and all", len(a.Owned()), len(b.Owned()))
		}
		check(t, s.Append(t.Context(), store, 500, 1500))
		time.Sleep(10 * time.Second)
		cut.dead.Store(false)
		time.Sleep(30 * time.Second)
		if got := len(a.Owned()) + 1000*len(b.Owned()); got != 128128 {
			t.Errorf("after the return a owns %d partitions and b %d, want half each", len(a.Owned()), len(b.Owned()))
		}
		check(t, s.Append(t.Context(), store, 1500, 2000))
		check(t, s.Finish(t.Context(), store))
		time.Sleep(10 * time.Second)
		a.stop()
		b.stop()
		wantKeys(t, "after the cut", j.sorted(), s)
		wantStates(t, store, s)
	})
}

// What falls due without events is notified within a tick, at its exact instant, and
// by the recovery not again.
func TestTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := stream.NewMemory()
		type seen struct {
			kind   correlation.Kind
			at, by time.Duration
		}
		start := time.Now()
		var got []seen
		config := func(name string) stream.Config {
			return stream.Config{Store: store, Name: name, Options: correlation.Options{Settle: 30 * time.Second}, Notify: func(_ context.Context, all []stream.Notification) error {
				for _, n := range all {
					got = append(got, seen{n.Kind, n.At.Sub(start), time.Since(start)})
				}
				return nil
			}}
		}
		first := run(t, config("first"))
		check(t, stream.Send(t.Context(), store, stream.Batch{At: start, Events: []correlation.Event{{
			Tenant: "acme", Alert: "platform.db_slow", Status: correlation.Firing, Time: start.Add(-500 * time.Millisecond), Ends: start.Add(90*time.Second + 250*time.Millisecond),
		}}}))
		time.Sleep(time.Minute)
		first.stop()
		second := run(t, config("second"))
		time.Sleep(time.Minute)
		active := -1
		if ok := second.View("acme", func(e *correlation.Engine) { active = len(e.Alerts()) }); !ok || active != 1 {
			t.Errorf("View = %v with %d alerts, want the one that is remembered", ok, active)
		}
		second.stop()
		if second.View("acme", func(*correlation.Engine) {}) {
			t.Error("View of a node that has ended: want false")
		}
		// Onset -0.5 s and 30 s of settling; the end as stated.
		want := []seen{{correlation.Notify, 29500 * time.Millisecond, 30 * time.Second}, {correlation.Resolve, 90250 * time.Millisecond, 91 * time.Second}}
		for i := range got {
			if i < len(want) && (got[i].kind != want[i].kind || got[i].at != want[i].at || got[i].by < want[i].at || got[i].by > want[i].by+time.Second) {
				t.Errorf("notification %d is %v of %v by %v, want %v of %v within a tick", i, got[i].kind, got[i].at, got[i].by, want[i].kind, want[i].at)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d notifications %v, want %d", len(got), got, len(want))
		}
	})
}

// A receiver that fails is asked again, in order, and nothing is lost.
func TestNotifyFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := streamtest.NewStorm(11, 600, 20)
		store, j := stream.NewMemory(), &journal{}
		calls := 0
		var mu sync.Mutex
		n := run(t, s.Node(store, "a", func(ctx context.Context, all []stream.Notification) error {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls%3 == 0 {
				return errors.New("busy")
			}
			return j.notify(ctx, all)
		}))
		check(t, s.Append(t.Context(), store, 0, 600))
		check(t, s.Finish(t.Context(), store))
		time.Sleep(time.Minute)
		n.stop()
		if n.Stats().Again == 0 {
			t.Error("nothing was tried again")
		}
		wantKeys(t, "with failures", j.sorted(), s)
		wantStates(t, store, s)
	})
}

// Events that are refused are told, and those around them are applied.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, j := stream.NewMemory(), &journal{}
		now := time.Now()
		var refused []string
		n := run(t, stream.Config{Store: store, Name: "a", Notify: j.notify, OnRefused: func(p int, offset int64, err error) {
			refused = append(refused, fmt.Sprint(p, " ", offset, " ", err))
		}})
		event := func(alert string) correlation.Event {
			return correlation.Event{Tenant: "acme", Alert: alert, Status: correlation.Firing, Time: now}
		}
		check(t, stream.Send(t.Context(), store, stream.Batch{At: now, Events: []correlation.Event{event("platform.a"), event("nolayer"), event("platform.b")}}))
		time.Sleep(10 * time.Second)
		n.stop()
		if len(refused) != 1 || !strings.Contains(refused[0], `event 1 ("nolayer")`) || n.Stats().Refused != 1 || n.Stats().Events != 3 {
			t.Errorf("refused %q, Stats() = %+v, want one of three events", refused, n.Stats())
		}
		if len(j.sorted()) != 2 {
			t.Errorf("%d notifications, want those of the other two events", len(j.sorted()))
		}
	})
}

// TestClockJumps puts the clock of a node a day ahead, and back. What begins and ends meanwhile is told at once, by the clock
// of whoever saw it, and nothing twice: time in the log never goes back, it waits until the clock has caught up.
func TestClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var offset atomic.Int64
		now := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
		store, j := stream.NewMemory(), &journal{}
		n := run(t, stream.Config{Store: store, Name: "n", Notify: j.notify, Now: now})
		told := 0
		send := func(alert string, status correlation.Status) {
			t.Helper()
			event := correlation.Event{Tenant: "acme", Alert: alert, Status: status, Time: time.Now()}
			check(t, stream.Send(t.Context(), store, stream.Batch{At: now(), Events: []correlation.Event{event}}))
			told++
			time.Sleep(10 * time.Second)
			if keys := j.sorted(); len(keys) != told || len(slices.Compact(keys)) != told {
				t.Errorf("%s %v: %d notifications are told, want %d, each once", alert, status, len(keys), told)
			}
		}
		send("a.before", correlation.Firing)
		offset.Store(int64(24 * time.Hour))
		send("a.ahead", correlation.Firing)
		offset.Store(0)
		send("a.back", correlation.Firing)
		for _, alert := range []string{"a.before", "a.ahead", "a.back"} {
			send(alert, correlation.Resolved)
		}
		offset.Store(int64(-24 * time.Hour))
		send("a.behind", correlation.Firing)
		if stuck := n.Stats().Stuck; stuck != 0 {
			t.Errorf("stuck for %v", stuck)
		}
		n.stop()
	})
}

// damaging is a store whose snapshots have a bit that is wrong, or are lost, while it is told so.
type damaging struct {
	stream.Store
	damage atomic.Bool
	lost   bool
}

func (d *damaging) Load(ctx context.Context, partition int) (stream.Snapshot, error) {
	s, err := d.Store.Load(ctx, partition)
	if d.damage.Load() && len(s.State) > 0 {
		s.State = bytes.Clone(s.State)
		s.State[len(s.State)/2] ^= 0x10
		if d.lost {
			s.State = nil
		}
	}
	return s, err
}

// lockedBuffer is a buffer that is read while others write to it.
type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestDamagedSnapshot gives a node snapshots that are damaged. With the whole log it makes the state anew and says what one
// engine says, nothing twice; from a log that was trimmed it makes nothing, says that it is stuck, and goes on when the
// snapshot is sound again.
func TestDamagedSnapshot(t *testing.T) {
	for _, trim := range []bool{false, true} {
		t.Run(fmt.Sprint("trimmed ", trim), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := streamtest.NewStorm(7, 2000, 40)
				store, j := &damaging{Store: stream.NewMemory()}, &journal{}
				var log lockedBuffer
				c := s.Node(store, "first", j.notify)
				c.SnapshotEvery, c.Batch, c.Trim, c.Log = 20, 10, trim, slog.New(slog.NewTextHandler(&log, nil))
				first := run(t, c)
				half := len(s.Batches) / 2
				check(t, s.Append(t.Context(), store, 0, half))
				time.Sleep(time.Minute)
				first.stop()
				before := len(j.sorted())

				store.damage.Store(true)
				c.Name = "second"
				second := run(t, c)
				check(t, s.Append(t.Context(), store, half, len(s.Batches)))
				check(t, s.Finish(t.Context(), store))
				time.Sleep(5 * time.Minute)
				stuck := second.Stats().Stuck
				if trim {
					if told := len(j.sorted()); told != before {
						t.Errorf("%d told of partitions whose state is not known", told-before)
					}
					if stuck < 4*time.Minute || !strings.Contains(log.String(), "checksum") || !strings.Contains(log.String(), "trimmed") {
						t.Errorf("stuck for %v and the log says %.2000s; want 4 minutes and more, the checksum and that the log was trimmed", stuck, log.String())
					}
					store.damage.Store(false)
					time.Sleep(2 * time.Minute) // pauses between attempts grow to a minute
				}
				if stuck := second.Stats().Stuck; stuck != 0 {
					t.Errorf("stuck for %v, want not at all", stuck)
				}
				second.stop()
				wantKeys(t, "two nodes", j.sorted(), s)
				wantStates(t, store.Store, s)
			})
		})
	}
}

// TestDamagedSnapshotOtherRules makes the state anew with another Settle than the log was written under. Of the alert that is
// over nobody is told again, under whatever key; of those that go on they are.
func TestDamagedSnapshotOtherRules(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprint("lost ", lost), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { damagedOtherRules(t, lost) }) })
	}
}

func damagedOtherRules(t *testing.T, lost bool) {
	t.Helper()
	store := &damaging{Store: stream.NewMemory(), lost: lost}
	var told []string
	c := stream.Config{Store: store, Name: "first", Notify: func(_ context.Context, all []stream.Notification) error {
		for _, n := range all {
			told = append(told, fmt.Sprint(n.Kind, " ", n.Alert))
		}
		return nil
	}}
	send := func(alert string, status correlation.Status) {
		t.Helper()
		event := correlation.Event{Tenant: "acme", Alert: alert, Status: status, Time: time.Now()}
		check(t, stream.Send(t.Context(), store, stream.Batch{At: time.Now(), Events: []correlation.Event{event}}))
		time.Sleep(time.Minute)
	}
	first := run(t, c)
	send("a.over", correlation.Firing)
	send("a.on", correlation.Firing)
	send("a.over", correlation.Resolved)
	first.stop() // which saves
	if want := []string{"notify a.over", "notify a.on", "resolve a.over"}; !slices.Equal(told, want) {
		t.Fatalf("told %q, want %q", told, want)
	}
	told = nil
	store.damage.Store(true)
	c.Name, c.Options.Settle = "second", 5*time.Second
	second := run(t, c)
	time.Sleep(time.Minute)
	send("a.on", correlation.Resolved)
	send("a.new", correlation.Firing)
	second.stop()
	if want := []string{"notify a.on", "resolve a.on", "notify a.new"}; !slices.Equal(told, want) {
		t.Errorf("told %q after the rules were changed, want %q", told, want)
	}
}

// readless is a store whose log cannot be read.
type readless struct{ stream.Store }

func (readless) Read(context.Context, int, int64) ([]stream.Record, error) {
	return nil, errors.New("no log")
}

// A node whose log cannot be read is stuck, and says so.
func TestStuckRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := run(t, stream.Config{Store: readless{stream.NewMemory()}, Name: "n", Notify: (&journal{}).notify})
		time.Sleep(5 * time.Minute)
		if stuck := n.Stats().Stuck; stuck < 4*time.Minute || stuck > 5*time.Minute {
			t.Errorf("stuck for %v after 5 minutes without a log", stuck)
		}
		n.stop()
	})
}

// An event that is sent twice under one ID counts once.
func TestSend(t *testing.T) {
	store := stream.NewMemory()
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	b := stream.Batch{ID: "x", At: at}
	for n := range 20 {
		b.Events = append(b.Events, correlation.Event{Tenant: strconv.Itoa(n), Alert: "a.b", Status: correlation.Firing, Time: at})
	}
	check(t, stream.Send(t.Context(), store, b))
	check(t, stream.Send(t.Context(), store, b))
	events := 0
	for p := range stream.Partitions {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		records, _ := store.Read(ctx, p, 0)
		cancel()
		for _, r := range records {
			for _, e := range r.Events {
				if stream.Partition(e.Tenant) != p || !r.At.Equal(at) {
					t.Errorf("an event of tenant %q stands in partition %d at %v", e.Tenant, p, r.At)
				}
				events++
			}
		}
	}
	if events != 20 {
		t.Errorf("%d events are stored, want 20", events)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := stream.Send(over, store, b); !errors.Is(err, context.Canceled) {
		t.Errorf("Send with a context that is over: %v", err)
	}
}

// Sums of FNV-1a with 32 bits as its authors publish them (draft-eastlake-fnv, test
// vectors): "" 811c9dc5, "a" e40c292c, "foobar" bf9cf968; folded by hand.
func TestPartition(t *testing.T) {
	for tenant, want := range map[string]int{"": 0x9d ^ 0xc5, "a": 0x29 ^ 0x2c, "foobar": 0xf9 ^ 0x68} {
		if got := stream.Partition(tenant); got != want {
			t.Errorf("Partition(%q) = %d, want %d", tenant, got, want)
		}
	}
	var load [stream.Partitions]int
	for n := range 100 * stream.Partitions {
		load[stream.Partition(fmt.Sprint("customer-", 2*n))]++
	}
	// Of 100 expected, eight standard deviations of 10.
	if least, most := slices.Min(load[:]), slices.Max(load[:]); least < 20 || most > 180 {
		t.Errorf("partitions have %d to %d of %d names, want about 100 each", least, most, 100*stream.Partitions)
	}
}

func TestNewRefuses(t *testing.T) {
	_, err := stream.New(stream.Config{Batch: -1, Tick: -1, TTL: 1, Rules: []correlation.Rule{{Name: "r", Logic: "IF"}}})
	for _, want := range []string{"Store", "Name", "Notify", "Batch is -1", "Parallel 0", "Tick is -1ns", "TTL 1ns", `rule "r"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New: %v, want %q in it", err, want)
		}
	}
}
