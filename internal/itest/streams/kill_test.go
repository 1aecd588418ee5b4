package streams

import (
	"context"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
)

// onAll runs a test on every store.
func onAll(t *testing.T, run func(t *testing.T, where address)) {
	t.Helper()
	for name, place := range systems {
		t.Run(name, func(t *testing.T) { run(t, place(t)) })
	}
}

// full is the size of the storms, which soak makes twenty times as large.
func full(seed uint64) size {
	s := size{seed, 2_000, 200}
	if os.Getenv("EVENKEEL_SOAK") != "" {
		s.Batches *= 20
	}
	return s
}

// TestKill kills one of two nodes in the storm. The result is that of one engine, and the outbox has everything once. What is
// handed to it again was in doubt: the last of its partition that the victim handed over, before its key could be in the log.
func TestKill(t *testing.T) {
	onAll(t, func(t *testing.T, where address) {
		t.Helper()
		f := newFleet(t, where, full(1))
		f.TTL = 6 * time.Second // only the victim may lose its lease, on a busy machine too
		f.start(0)
		f.wantOwned(128, 128)
		wait := f.append(0, len(f.storm.Batches))
		f.wantSent(len(f.storm.Batches) / 4) // of about as many
		victim := f.workers[0]
		if err := victim.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		killed := time.Now()
		_ = victim.Wait()
		wait()
		double := f.finish()
		f.doubt(double, victim.Name, killed)
		if len(double) > 8 { // the default of Config.Parallel
			t.Errorf("%d notifications were in doubt, want at most 8", len(double))
		}
		t.Logf("killed in a storm on %s: %d notifications, 0 lost, %d in doubt and handed over again", where.System, len(f.journal()), len(double))
	})
}

// TestKillAfterPut has one of two nodes killed at the worst moment, between what it put into the outbox and the record of that
// in the log. It is handed over again, and the outbox has it once.
func TestKillAfterPut(t *testing.T) {
	onAll(t, func(t *testing.T, where address) {
		t.Helper()
		f := newFleet(t, where, full(5))
		f.Batch = 4
		f.start(len(f.storm.Batches) / 40)
		f.wantOwned(128, 128)
		wait := f.append(0, len(f.storm.Batches))
		victim := f.workers[0]
		if err := victim.Wait(); err == nil || victim.ProcessState.Exited() {
			t.Fatalf("the victim ended by itself (%v), want it killed", err)
		}
		wait()
		double := f.finish()
		doubt := 0
		for _, lines := range double { // others may have lost a lease on a busy machine
			if lines[0].node == victim.Name && lines[1].node != victim.Name {
				doubt++
			}
		}
		if doubt == 0 || doubt > 8*f.Batch {
			t.Errorf("%d notifications were in doubt, want 1 to %d", doubt, 8*f.Batch)
		}
		t.Logf("killed between outbox and log on %s: %d notifications, 0 lost, %d handed over again, 0 twice in the outbox", where.System, len(f.journal()), len(double))
	})
}

// TestOutboxRemembers ends the server after a key was put: it refuses the key afterwards, too.
func TestOutboxRemembers(t *testing.T) {
	onAll(t, func(t *testing.T, where address) {
		t.Helper()
		box := where.mustOpen(t).outbox
		put := func(tenant string, keys ...string) {
			t.Helper()
			all := make([]stream.Notification, len(keys))
			for i, key := range keys {
				all[i] = stream.Notification{Key: key, Transition: correlation.Transition{Kind: correlation.Notify, Alert: correlation.Alert{Tenant: tenant}}}
			}
			eventually(t, 20*time.Second, func() error { return box.Put(t.Context(), all) })
		}
		put("before", "a", "b")
		crash(t, where)
		put("after", "b", "a", "c")
		var got []string
		for after := int64(0); len(got) < 3; {
			entries, err := box.Read(t.Context(), after)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				got, after = append(got, e.Key+" "+e.Alert.Tenant), e.Place
			}
		}
		if want := []string{"a before", "b before", "c after"}; !slices.Equal(got, want) {
			t.Errorf("the outbox has %q after a crash of the server, want %q", got, want)
		}
	})
}

// crash ends the server without warning and starts it again.
func crash(t *testing.T, where address) {
	t.Helper()
	var err error
	if where.System == "jetstream" {
		err = servers.nats.Restart(context.WithoutCancel(t.Context()))
	} else {
		err = servers.postgres.Restart(context.WithoutCancel(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// doubt checks that what was handed over twice was the last of its partition by the node that was hurt.
func (f *fleet) doubt(double map[string][]line, hurt string, at time.Time) {
	f.Helper()
	last := map[int]time.Time{}
	for _, lines := range f.journal() {
		for _, l := range lines {
			if l.node == hurt && l.at.After(last[l.partition]) {
				last[l.partition] = l.at
			}
		}
	}
	for key, lines := range double {
		first, second := lines[0], lines[1]
		if len(lines) > 2 || first.node != hurt || second.node == hurt || !first.at.Equal(last[first.partition]) || second.at.Before(at) {
			f.Errorf("%s was handed over by %v, want a second time only what %s handed over last in a partition", key, lines, hurt)
		}
	}
}

// TestRebalance doubles the nodes in the storm and then ends two: nothing is lost and nothing handed over twice.
func TestRebalance(t *testing.T) {
	onAll(t, func(t *testing.T, where address) {
		t.Helper()
		f := newFleet(t, where, full(2))
		f.TTL = 6 * time.Second // nobody dies, so no lease may run out, on a busy machine either
		f.start(0)
		f.wantOwned(128, 128)
		third := len(f.storm.Batches) / 3
		f.append(0, third)()
		f.start(0)
		f.append(third, 2*third)()
		f.wantOwned(64, 64, 64, 64)
		for _, w := range f.workers[:2] {
			if err := w.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
		f.append(2*third, len(f.storm.Batches))()
		double := f.finish()
		if len(double) > 0 {
			t.Errorf("%d notifications were handed over twice: %v", len(double), double)
		}
		t.Logf("2 to 4 to 2 nodes on %s: %d notifications, 0 lost, 0 twice", where.System, len(f.journal()))
	})
}

// TestSleep stops one of two nodes for longer than its lease. When it wakes it hands nothing over that the other has, and
// gets its share back.
func TestSleep(t *testing.T) {
	onAll(t, func(t *testing.T, where address) {
		t.Helper()
		f := newFleet(t, where, full(3))
		f.TTL = 6 * time.Second // only the sleeper may lose its lease, on a busy machine too
		f.start(0)
		f.wantOwned(128, 128)
		third := len(f.storm.Batches) / 3
		f.append(0, third)()
		sleeper := f.workers[0]
		if err := sleeper.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		f.append(third, 2*third)()
		time.Sleep(2*f.TTL + 3*time.Second)
		woken := time.Now()
		if err := sleeper.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		f.wantOwned(128, 128)
		f.append(2*third, len(f.storm.Batches))()
		double := f.finish()
		f.slept(double, sleeper.Name, woken)
		if len(double) > 8 {
			t.Errorf("%d notifications were in doubt, want at most 8", len(double))
		}
		t.Logf("stopped for longer than the lease on %s: %d notifications, 0 lost, %d in doubt and handed over again", where.System, len(f.journal()), len(double))
	})
}

// slept checks that what was handed over twice was first handed over by the node that was stopped, before it woke.
func (f *fleet) slept(double map[string][]line, hurt string, at time.Time) {
	f.Helper()
	for key, lines := range double {
		if len(lines) > 2 || lines[0].node != hurt || lines[0].at.After(at) || lines[1].node == hurt {
			f.Errorf("%s was handed over by %v, want a second time only what %s handed over before it woke at %v", key, lines, hurt, at)
		}
	}
}

// TestServerCrash ends the server in the storm and starts it again. Nodes and producer go on, and the outbox has everything
// once.
func TestServerCrash(t *testing.T) {
	onAll(t, func(t *testing.T, where address) {
		t.Helper()
		f := newFleet(t, where, full(4))
		f.start(0)
		f.wantOwned(128, 128)
		wait := f.append(0, len(f.storm.Batches))
		f.wantSent(len(f.storm.Batches) / 4)
		crash(t, where)
		wait()
		again := f.finish() // among them what the receiver could not take
		t.Logf("server crash on %s: %d notifications, 0 lost, %d tried again", where.System, len(f.journal()), len(again))
	})
}
