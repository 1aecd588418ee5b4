package streamtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
)

// TestOutbox runs the suite of outboxes. Every test opens an empty one of its own.
func TestOutbox(t *testing.T, open func(*testing.T) stream.Outbox) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*outboxSuite)
	}{
		{"notifications come back as they were", (*outboxSuite).whole},
		{"a long outbox is read in pieces", (*outboxSuite).pieces},
		{"a key is stored once", (*outboxSuite).once},
		{"a notification without a key is refused", (*outboxSuite).refused},
		{"reading waits for the next entry", (*outboxSuite).waits},
		{"an outbox that ends too soon is told", (*outboxSuite).short},
		{"many put the same and nobody misses an entry", (*outboxSuite).many},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(&outboxSuite{t, open(t)}) })
	}
}

// outboxSuite is one test with its outbox.
type outboxSuite struct {
	*testing.T
	box stream.Outbox
}

// note is a notification with the key of number n.
func note(n int, text string) stream.Notification {
	return stream.Notification{
		Key: fmt.Sprintf("%032x", n), Partition: n % stream.Partitions, Offset: int64(n), Epoch: 1,
		Transition: correlation.Transition{At: noon, Kind: correlation.Notify, Alert: correlation.Alert{
			Tenant: "acme", Name: "platform.db_slow", Labels: correlation.Labels{{Name: "text", Value: text}}, Active: true, Since: noon,
		}},
	}
}

// notes are those of the numbers from first up to but not including end.
func notes(first, end int, text string) []stream.Notification {
	var all []stream.Notification
	for n := first; n < end; n++ {
		all = append(all, note(n, text))
	}
	return all
}

// put puts notifications.
func (s *outboxSuite) put(all ...stream.Notification) {
	s.Helper()
	if err := s.box.Put(s.Context(), all); err != nil {
		s.Fatalf("Put of %d: %v", len(all), err)
	}
}

// all reads until it has so many entries.
func (s *outboxSuite) all(after int64, count int) []stream.Entry {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	defer cancel()
	var all []stream.Entry
	for len(all) < count {
		entries, err := s.box.Read(ctx, after)
		if err != nil {
			s.Errorf("Read(%d) after %d entries of %d: %v", after, len(all), count, err)
			return all
		}
		if len(entries) > stream.ReadLimit {
			s.Errorf("Read returned %d entries, want at most %d", len(entries), stream.ReadLimit)
		}
		for _, e := range entries {
			if e.Place <= after || e.Err != nil {
				s.Errorf("Read: place %d after %d, error %v", e.Place, after, e.Err)
			}
			after = e.Place
		}
		all = append(all, entries...)
	}
	return all
}

// want checks that the outbox has these and no others.
func (s *outboxSuite) want(want ...stream.Notification) {
	s.Helper()
	got := s.all(0, len(want))
	last := int64(0)
	for i := range min(len(got), len(want)) {
		g, err1 := json.Marshal(got[i].Notification)
		w, err2 := json.Marshal(want[i])
		if err := errors.Join(err1, err2); err != nil || !bytes.Equal(g, w) {
			s.Errorf("entry %d is %s, want %s (%v)", got[i].Place, g, w, err)
		}
		last = got[i].Place
	}
	if len(got) > len(want) {
		s.Errorf("%d entries, want %d", len(got), len(want))
	}
	s.empty(last)
}

// empty checks that nothing follows for a while.
func (s *outboxSuite) empty(after int64) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 100*time.Millisecond)
	defer cancel()
	if entries, err := s.box.Read(ctx, after); len(entries) > 0 || !errors.Is(err, context.DeadlineExceeded) {
		s.Errorf("Read(%d) = %d entries, %v, want none and the error of the context", after, len(entries), err)
	}
}

// whole: a notification comes back with all that it says, and reading goes on after a place.
func (s *outboxSuite) whole() {
	full := note(1, "größe \"1\" <&>\n")
	full.Kind, full.Alert.Severity, full.Alert.Ends = correlation.Resolve, incident.P2, noon.Add(time.Hour)
	full.Alert.Annotations = map[string]string{"ζ": `\`}
	full.Composite = &correlation.Composite{
		ID: "c", Rule: "r", Title: "a\u2028b", Tenant: "acme", By: correlation.Labels{{Name: "host", Value: "h"}}, Since: noon.Add(123456789),
		Evidence: []string{"platform.db_slow"}, Suppressed: []string{"application.slow"},
	}
	s.put(full, note(2, "text"))
	s.want(full, note(2, "text"))
	first := s.all(0, 2)[0].Place
	if rest := s.all(first, 1); len(rest) != 1 || rest[0].Key != note(2, "text").Key {
		s.Errorf("Read after the first of two entries = %d entries, want the second", len(rest))
	}
}

// pieces: more than ReadLimit entries need several reads.
func (s *outboxSuite) pieces() {
	all := notes(1, 2*stream.ReadLimit+2, "text")
	s.put(all...)
	s.want(all...)
}

// once: the first of a key stays, within one Put and among several.
func (s *outboxSuite) once() {
	s.put()
	s.put(note(1, "first"), note(2, "first"), note(1, "twice"))
	s.put(note(3, "first"))
	s.put(note(1, "again"))
	s.put(notes(2, 6, "again")...)
	s.put(notes(1, 6, "all known")...)
	s.want(note(1, "first"), note(2, "first"), note(3, "first"), note(4, "again"), note(5, "again"))
}

// refused: one without a key keeps the whole Put from being stored.
func (s *outboxSuite) refused() {
	if err := s.box.Put(s.Context(), []stream.Notification{note(1, "text"), {}}); err == nil {
		s.Error("Put of a notification without a key: want an error")
	}
	s.empty(0)
}

// waits: Read of an outbox without news returns when there are some.
func (s *outboxSuite) waits() {
	s.empty(0)
	var wg sync.WaitGroup
	wg.Go(func() {
		time.Sleep(50 * time.Millisecond)
		s.put(note(1, "text"))
	})
	s.want(note(1, "text"))
	wg.Wait()
}

// short: a place after the end is an error, for the outbox is not the one that it was.
func (s *outboxSuite) short() {
	s.put(note(1, "text"))
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
	defer cancel()
	if entries, err := s.box.Read(ctx, 1000); !errors.Is(err, stream.ErrOffset) {
		s.Errorf("Read after a place that the outbox does not have = %d entries, %v, want ErrOffset", len(entries), err)
	}
}

// many lets several put the same keys, in pieces of different sizes, while others read
// the outbox as it grows.
func (s *outboxSuite) many() {
	const writers, count = 4, 300
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := 0; n < count; n += w + 2 {
				if err := s.box.Put(s.Context(), notes(n, min(n+w+2, count), "text")); err != nil {
					s.Errorf("Put: %v", err)
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			seen := map[string]bool{}
			for _, e := range s.all(0, count) {
				if seen[e.Key] {
					s.Errorf("key %s stands at %d once more", e.Key, e.Place)
				}
				seen[e.Key] = true
			}
			if len(seen) != count {
				s.Errorf("a reader saw %d keys, want %d", len(seen), count)
			}
		})
	}
	wg.Wait()
	all := s.all(0, count)
	s.empty(all[len(all)-1].Place)
}
