// Package streamtest tests implementations of [stream.Store] and [stream.Outbox]: those of
// this module and those of others.
//
//	func TestStore(t *testing.T) {
//		streamtest.Test(t, func(*testing.T) streamtest.Store {
//			return streamtest.Store{Store: stream.NewMemory(), TTL: 100 * time.Millisecond}
//		})
//	}
package streamtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
)

// Store is an empty store under test.
type Store struct {
	stream.Store
	// TTL is a lease that is long beside a call. The tests wait for the end of some.
	TTL time.Duration
	// Late is how long after its end the store may notice. Defaults to 0.
	Late time.Duration
}

// Test runs the suite. Every test opens a store of its own.
func Test(t *testing.T, open func(*testing.T) Store) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*suite)
	}{
		{"records come back as they were", (*suite).whole},
		{"a long log is read in pieces", (*suite).pieces},
		{"partitions are apart", (*suite).apart},
		{"an ID is stored once", (*suite).once},
		{"bad batches are refused", (*suite).refused},
		{"reading waits for the next record", (*suite).waits},
		{"a log that ends too soon is told", (*suite).short},
		{"trimmed records are gone and offsets go on", (*suite).trim},
		{"many append and nobody misses a record", (*suite).many},
		{"nodes are alive until their time is over", (*suite).alive},
		{"a partition has one owner", (*suite).claim},
		{"of many who claim one wins", (*suite).race},
		{"the latest snapshot is kept", (*suite).snapshots},
		{"a stale owner saves nothing", (*suite).fenced},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(&suite{t, open(t)}) })
	}
}

// suite is one test with its store.
type suite struct {
	*testing.T
	Store
}

// noon is the instant around which everything happens.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// batch is one with an event of a tenant.
func batch(id string, n int) stream.Batch {
	return stream.Batch{ID: id, At: noon.Add(time.Duration(n) * time.Second), Events: []correlation.Event{{
		Tenant: "acme", Alert: "platform.db_slow", Status: correlation.Firing, Time: noon, Labels: map[string]string{"n": strconv.Itoa(n)},
	}}}
}

// append appends and returns the offset.
func (s *suite) append(partition int, batches ...stream.Batch) int64 {
	s.Helper()
	offset, err := s.Append(s.Context(), partition, batches...)
	if err != nil {
		s.Fatalf("Append(%d): %v", partition, err)
	}
	return offset
}

// all reads until it has so many records.
func (s *suite) all(partition int, after int64, count int) []stream.Record {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
	defer cancel()
	var all []stream.Record
	for len(all) < count {
		records, err := s.Read(ctx, partition, after)
		if err != nil {
			s.Fatalf("Read(%d, %d) after %d records of %d: %v", partition, after, len(all), count, err)
		}
		if len(records) > stream.ReadLimit {
			s.Errorf("Read returned %d records, want at most %d", len(records), stream.ReadLimit)
		}
		for _, r := range records {
			if r.Offset <= after || r.Err != nil {
				s.Fatalf("Read(%d): offset %d after %d, error %v", partition, r.Offset, after, r.Err)
			}
			after = r.Offset
		}
		all = append(all, records...)
	}
	return all
}

// empty checks that nothing follows for a while.
func (s *suite) empty(partition int, after int64) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 100*time.Millisecond)
	defer cancel()
	if records, err := s.Read(ctx, partition, after); len(records) > 0 || !errors.Is(err, context.DeadlineExceeded) {
		s.Errorf("Read(%d, %d) = %d records, %v, want none and the error of the context", partition, after, len(records), err)
	}
}

// same checks that a record is a batch, but for the ID.
func (s *suite) same(got stream.Record, want stream.Batch) {
	s.Helper()
	want.ID = ""
	g, err1 := json.Marshal(got.Batch)
	w, err2 := json.Marshal(want)
	if err := errors.Join(err1, err2); err != nil || !bytes.Equal(g, w) {
		s.Errorf("record %d is %s, want %s (%v)", got.Offset, g, w, err)
	}
}

// whole: records come back with all that they say, and reading goes on after an offset.
func (s *suite) whole() {
	full := stream.Batch{ID: "x", At: noon.Add(123456789), Events: []correlation.Event{
		{
			Tenant: "größe \"1\"", Alert: "infrastructure.cpu_high", Labels: map[string]string{"host": "a\nb", "ζ": `\`}, Status: correlation.Firing,
			Time: noon.Add(1), Ends: noon.Add(time.Hour), Severity: incident.P2, Annotations: map[string]string{"summary": "<&>"},
		},
		{Alert: "application.slow", Status: correlation.Resolved, Time: noon},
	}}
	sent := stream.Batch{Sent: []string{"k1", "k2"}}
	begin := stream.Batch{At: noon, Epoch: 7}
	last := s.append(3, full, sent, begin)
	records := s.all(3, 0, 3)
	for i, want := range []stream.Batch{full, sent, begin} {
		s.same(records[i], want)
	}
	if records[2].Offset != last {
		s.Errorf("Append returned %d, the last record has %d", last, records[2].Offset)
	}
	if again := s.all(3, records[0].Offset, 2); again[0].Offset != records[1].Offset {
		s.Errorf("Read after %d begins at %d, want %d", records[0].Offset, again[0].Offset, records[1].Offset)
	}
	s.empty(3, last)
}

// pieces: more than ReadLimit records need several reads.
func (s *suite) pieces() {
	const count = 2*stream.ReadLimit + 1
	var batches []stream.Batch
	for n := range count {
		batches = append(batches, batch(strconv.Itoa(n), n))
	}
	s.append(200, batches...)
	for i, r := range s.all(200, 0, count) {
		s.same(r, batches[i])
	}
}

// apart: no partition shows records or knows IDs of another one.
func (s *suite) apart() {
	for p := range stream.Partitions {
		s.append(p, batch("same", p))
	}
	for p := range stream.Partitions {
		s.same(s.all(p, 0, 1)[0], batch("", p))
	}
}

// once: the first batch of an ID stays, and those without one are all stored.
func (s *suite) once() {
	first := s.append(5, batch("a", 1), batch("b", 2))
	if again := s.append(5, batch("b", 3)); again != first {
		s.Errorf("Append under a known ID returned %d, want the offset %d of the first", again, first)
	}
	s.append(5, batch("a", 4), batch("c", 5), batch("", 6), batch("", 6))
	for i, r := range s.all(5, 0, 5) {
		s.same(r, batch("", []int{1, 2, 5, 6, 6}[i]))
	}
	s.append(6, batch("a", 1))
	s.same(s.all(6, 0, 1)[0], batch("", 1))
}

// refused: one batch that cannot be stored keeps the whole Append from being stored.
func (s *suite) refused() {
	b := batch("a", 1)
	b.At = time.Time{}
	if _, err := s.Append(s.Context(), 1, b); err == nil {
		s.Error("Append of events without At: want an error")
	}
	b.At, b.Events[0].Status = noon, 9
	if _, err := s.Append(s.Context(), 1, batch("b", 2), b); err == nil {
		s.Error("Append of an event without a status: want an error")
	}
	s.empty(1, 0)
}

// waits: Read of a log without news returns when there are some.
func (s *suite) waits() {
	s.empty(9, 0)
	var wg sync.WaitGroup
	wg.Go(func() {
		time.Sleep(50 * time.Millisecond)
		s.append(9, batch("", 1))
	})
	s.same(s.all(9, 0, 1)[0], batch("", 1))
	wg.Wait()
}

// short: an offset after the end is an error, for the log is not the one that it was.
func (s *suite) short() {
	last := s.append(2, batch("", 1))
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
	defer cancel()
	if records, err := s.Read(ctx, 2, last+1000); !errors.Is(err, stream.ErrOffset) {
		s.Errorf("Read after an offset that the log does not have = %d records, %v, want ErrOffset", len(records), err)
	}
}

// trim: what was trimmed is gone, in one partition, and offsets go on.
func (s *suite) trim() {
	var offsets []int64
	for n := range 4 {
		offsets = append(offsets, s.append(17, batch("", n)))
	}
	s.append(33, batch("", 9))
	if err := s.Trim(s.Context(), 17, offsets[1]); err != nil {
		s.Fatalf("Trim: %v", err)
	}
	if left := s.all(17, 0, 2); left[0].Offset != offsets[2] {
		s.Errorf("the first record after Trim has offset %d, want %d", left[0].Offset, offsets[2])
	}
	if err := s.Trim(s.Context(), 17, offsets[3]); err != nil {
		s.Fatalf("Trim of all: %v", err)
	}
	if next := s.append(17, batch("", 5)); next <= offsets[3] {
		s.Errorf("the offset after Trim of all is %d, want more than %d", next, offsets[3])
	}
	s.same(s.all(17, offsets[3], 1)[0], batch("", 5))
	s.same(s.all(33, 0, 1)[0], batch("", 9))
}

// many lets several append to one partition while others read it as it grows.
func (s *suite) many() {
	const writers, each = 4, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				if _, err := s.Append(s.Context(), 11, batch(fmt.Sprint(w, "/", n), w*each+n)); err != nil {
					s.Errorf("Append: %v", err)
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			next := make([]int, writers)
			ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
			defer cancel()
			after := int64(0)
			for read := 0; read < writers*each; {
				records, err := s.Read(ctx, 11, after)
				if err != nil {
					s.Errorf("Read after %d records: %v", read, err)
					return
				}
				for _, r := range records {
					n := int(r.At.Sub(noon) / time.Second)
					if w := n / each; n%each != next[w] {
						s.Errorf("record %d is number %d of writer %d, want %d", r.Offset, n%each, w, next[w])
					}
					next[n/each]++
					after = r.Offset
				}
				read += len(records)
			}
		})
	}
	wg.Wait()
}

// join says that nodes are alive for longer than a test lasts, and returns the last
// answer.
func (s *suite) join(nodes ...string) []string {
	s.Helper()
	return s.joinFor(time.Minute, nodes...)
}

// joinFor says that nodes are alive for a time, and returns the last answer.
func (s *suite) joinFor(ttl time.Duration, nodes ...string) []string {
	s.Helper()
	var alive []string
	for _, node := range nodes {
		var err error
		if alive, err = s.Join(s.Context(), node, ttl); err != nil {
			s.Fatalf("Join(%s): %v", node, err)
		}
	}
	return alive
}

// wantNodes checks who is alive.
func (s *suite) wantNodes(got []string, want ...string) {
	s.Helper()
	if !slices.Equal(got, want) {
		s.Errorf("alive are %q, want %q", got, want)
	}
}

// alive: nodes are listed from Join to Leave, or to the end of their time.
func (s *suite) alive() {
	s.wantNodes(s.join("b.2 *", "a>1"), "a>1", "b.2 *")
	if err := s.Leave(s.Context(), "b.2 *"); err != nil {
		s.Fatalf("Leave: %v", err)
	}
	s.wantNodes(s.join("c"), "a>1", "c")
	s.joinFor(s.TTL, "e")
	time.Sleep(s.TTL + s.TTL/2 + s.Late)
	s.wantNodes(s.join("d"), "a>1", "c", "d")
	if err := s.Leave(s.Context(), "nobody"); err != nil {
		s.Errorf("Leave of one that never joined: %v", err)
	}
}

// wantClaim claims and returns the epoch, 0 if it should not succeed and does not.
func (s *suite) wantClaim(partition int, node string, want bool) int64 {
	s.Helper()
	epoch, err := s.Claim(s.Context(), partition, node)
	if err != nil || epoch > 0 != want {
		s.Fatalf("Claim(%d, %s) = %d, %v, want success %v", partition, node, epoch, err, want)
	}
	return epoch
}

// release releases a partition.
func (s *suite) release(partition int, node string) {
	s.Helper()
	if err := s.Release(s.Context(), partition, node); err != nil {
		s.Fatalf("Release(%d, %s): %v", partition, node, err)
	}
}

// claim: a partition has one owner who is alive, under epochs that grow.
func (s *suite) claim() {
	s.wantClaim(40, "a", false) // it has not joined
	s.join("a", "b")
	first := s.wantClaim(40, "a", true)
	s.wantClaim(40, "b", false)
	s.wantClaim(41, "b", true)
	again := s.wantClaim(40, "a", true)
	s.release(40, "b") // not the owner
	s.wantClaim(40, "b", false)
	s.release(40, "a")
	third := s.wantClaim(40, "b", true)
	if err := s.Leave(s.Context(), "b"); err != nil {
		s.Fatal(err)
	}
	s.join("a")
	fourth := s.wantClaim(40, "a", true)
	s.release(40, "a")
	s.joinFor(s.TTL, "e")
	fifth := s.wantClaim(40, "e", true)
	// Nobody says that e is alive, so its claim ends.
	time.Sleep(s.TTL + s.TTL/2 + s.Late)
	sixth := s.wantClaim(40, "a", true)
	if epochs := []int64{0, first, again, third, fourth, fifth, sixth}; !slices.IsSorted(epochs) || len(slices.Compact(epochs)) != 7 {
		s.Errorf("epochs %d of one claim after the other, want them to grow", epochs)
	}
}

// race: of many who claim at once one succeeds.
func (s *suite) race() {
	const nodes = 8
	name := func(n int) string { return fmt.Sprint("node-", n) }
	for n := range nodes {
		s.join(name(n))
	}
	for partition := range 8 {
		var wg sync.WaitGroup
		epochs := make([]int64, nodes)
		for n := range nodes {
			wg.Go(func() {
				var err error
				if epochs[n], err = s.Claim(s.Context(), partition, name(n)); err != nil {
					s.Errorf("Claim: %v", err)
				}
			})
		}
		wg.Wait()
		winners := slices.DeleteFunc(epochs, func(e int64) bool { return e == 0 })
		if len(winners) != 1 {
			s.Errorf("%d of %d nodes own partition %d, want 1", len(winners), nodes, partition)
		}
	}
}

// wantSnapshot checks the snapshot of a partition.
func (s *suite) wantSnapshot(partition int, want stream.Snapshot) {
	s.Helper()
	got, err := s.Load(s.Context(), partition)
	if err != nil || got.Offset != want.Offset || !bytes.Equal(got.State, want.State) {
		s.Fatalf("Load(%d) = offset %d, %d bytes, %v, want offset %d and the %d bytes that were saved", partition, got.Offset, len(got.State), err, want.Offset, len(want.State))
	}
}

// save saves a snapshot.
func (s *suite) save(partition int, epoch int64, snapshot stream.Snapshot) {
	s.Helper()
	if err := s.Save(s.Context(), partition, epoch, snapshot); err != nil {
		s.Fatalf("Save(%d, %d): %v", partition, epoch, err)
	}
}

// snapshots: the latest comes back, large ones too, and outlives its owner.
func (s *suite) snapshots() {
	s.join("a")
	s.wantSnapshot(60, stream.Snapshot{})
	epoch := s.wantClaim(60, "a", true)
	s.wantSnapshot(60, stream.Snapshot{})
	// More than one message of NATS may hold.
	large := bytes.Repeat([]byte("0123456789abcdef"), 3<<20/16)
	large[len(large)-1] = 'X'
	for i, state := range [][]byte{[]byte("small"), large, []byte("small again")} {
		snapshot := stream.Snapshot{Offset: int64(i + 1), State: state}
		s.save(60, epoch, snapshot)
		s.wantSnapshot(60, snapshot)
	}
	s.wantSnapshot(61, stream.Snapshot{})
	s.release(60, "a")
	s.wantSnapshot(60, stream.Snapshot{Offset: 3, State: []byte("small again")})
	s.wantClaim(60, "a", true)
	s.wantSnapshot(60, stream.Snapshot{Offset: 3, State: []byte("small again")})
}

// fenced: only the epoch of the last claim may save.
func (s *suite) fenced() {
	s.join("a", "b")
	stale := s.wantClaim(70, "a", true)
	s.save(70, stale, stream.Snapshot{Offset: 1, State: []byte("a")})
	if err := s.Leave(s.Context(), "a"); err != nil {
		s.Fatal(err)
	}
	epoch := s.wantClaim(70, "b", true)
	for _, refused := range []int64{stale, epoch + 1} {
		if err := s.Save(s.Context(), 70, refused, stream.Snapshot{Offset: 9, State: []byte("no")}); !errors.Is(err, stream.ErrFenced) {
			s.Errorf("Save under epoch %d while %d owns: %v, want ErrFenced", refused, epoch, err)
		}
	}
	s.wantSnapshot(70, stream.Snapshot{Offset: 1, State: []byte("a")})
	s.save(70, epoch, stream.Snapshot{Offset: 2, State: []byte("b")})
	s.wantSnapshot(70, stream.Snapshot{Offset: 2, State: []byte("b")})
}
