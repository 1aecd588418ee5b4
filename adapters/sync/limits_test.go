package sync

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

// A record does not grow with the notes of its tickets, and no note is forwarded
// twice for that.
func TestNotesAreForgotten(t *testing.T) {
	r := newRig(t, nil)
	p := r.theirs.tickets[0]
	const n = 1000
	for i := range n {
		r.world.now = r.world.now.Add(time.Minute)
		p.notes = append(p.notes, adapters.Note{ID: strconv.Itoa(i), Text: fmt.Sprintf("note %d.", i), At: r.world.now})
		if i%50 == 0 {
			r.settle()
		}
	}
	r.settle()
	r.world.now = r.world.now.Add(2 * time.Hour)
	r.settle()
	r.settle()
	if got := len(r.ours.tickets[0].notes); got != n {
		t.Errorf("we have %d notes, want %d", got, n)
	}
	if got := len(r.record().Notes); got != maxNotes {
		t.Errorf("the record has %d notes, want %d", got, maxNotes)
	}
	p.notes = append(p.notes, adapters.Note{ID: "new", Text: "a new one", At: r.world.now})
	r.settle()
	if got := r.ours.tickets[0].notes; len(got) != n+1 || !strings.HasSuffix(got[n].Text, "a new one") {
		t.Errorf("we have %d notes, want the new one as well", len(got))
	}
}

// A ticket that had ended when it was linked to an open incident is left as it is,
// and somebody knows. Once it is opened there, it is a side like others.
func TestLinkedAfterTheEnd(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Sides[1].Opens = false })
	ref, err := r.theirs.Open(context.Background(), adapters.Ticket{Key: "other", Title: "an old ticket", Severity: incident.P2, State: adapters.StateResolved})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.syncer.Track(context.Background(), acme, "theirs", ref); err != nil {
		t.Fatal(err)
	}
	r.settle()
	r.edit(r.ours, state(adapters.StateAcknowledged))
	r.settle()
	if got := r.theirs.tickets[0].now; got.State != adapters.StateResolved || got.Title != "checkout is down" {
		t.Errorf("they have %q, %s; want it resolved, with our title", got.Title, got.State)
	}
	if got := r.ours.tickets[0].now.State; got != adapters.StateAcknowledged {
		t.Errorf("ours is %s, want acknowledged", got)
	}
	wantConflict(t, r, Conflict{Side: "theirs", Field: State, Value: "resolved", Kept: "new", Reason: Ended})
	r.edit(r.theirs, state(adapters.StateAcknowledged))
	r.settle()
	r.edit(r.ours, state(adapters.StateResolved))
	r.settle()
	if got := r.theirs.tickets[0].now.State; got != adapters.StateResolved {
		t.Errorf("they are %s, want resolved with ours", got)
	}
	r.edit(r.ours, state(adapters.StateAcknowledged))
	r.settle()
	if got := r.theirs.tickets[0].now.State; got.Ended() {
		t.Errorf("they are %s, want opened again with ours", got)
	}
}

// A vendor whose clock was wrong and goes back for good is read again after the lag
// of a stale reading.
func TestClockGoesBack(t *testing.T) {
	r := newRig(t, nil)
	r.world.now = r.world.now.Add(24 * time.Hour)
	r.edit(r.theirs, title("of tomorrow"))
	r.settle()
	r.want("of tomorrow", incident.P2, adapters.StateNew, 1)
	p := r.theirs.tickets[0]
	r.edit(r.theirs, title("of today"))
	p.now.Updated = p.now.Updated.Add(-24 * time.Hour)
	for range 10 { // the first readings are taken for stale ones
		r.world.now = r.world.now.Add(15 * time.Second)
		_ = r.syncer.Reconcile(context.Background(), acme)
	}
	r.want("of today", incident.P2, adapters.StateNew, 2)
	if due := r.record().Due; !due.IsZero() {
		t.Errorf("still due at %v", due)
	}
}

// stuck is a store that does not take its records, of which all are due.
type stuck struct {
	*Memory
	ids    []ID
	asked  atomic.Int64
	served atomic.Int64 // the largest number of records asked for
}

func (s *stuck) Due(_ context.Context, _ time.Time, limit int) ([]ID, error) {
	s.asked.Add(1)
	s.served.Store(max(s.served.Load(), int64(limit)))
	return s.ids[:min(limit, len(s.ids))], nil
}

func (s *stuck) Load(context.Context, ID) (Record, bool, error) {
	return Record{}, false, errors.New("cannot be read")
}

// Records that the store does not give keep Run from nothing: it asks once a tick,
// and for more, so that those behind them have their turn.
func TestRunDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &stuck{Memory: &Memory{}}
		for i := range 250 {
			store.ids = append(store.ids, ID{"acme", strconv.Itoa(i)})
		}
		w := &world{}
		syncer, err := New(Config{Store: store, Sides: []Side{{Name: "a", System: &desk{world: w, name: "a"}}, {Name: "b", System: &desk{world: w, name: "b"}}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		if err := syncer.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if n := store.asked.Load(); n > 13 {
			t.Errorf("asked %d times in 10 s, want about once a second", n)
		}
		if n := store.served.Load(); n < 250 {
			t.Errorf("asked for %d records at most, want all of 250 to have their turn", n)
		}
	})
}

// newestFirst lists notes as some vendors do, and is cut off once behind some of them.
type newestFirst struct {
	*desk
	cut int
}

func (n *newestFirst) Notes(ctx context.Context, ref adapters.Ref) iter.Seq2[adapters.Note, error] {
	return func(yield func(adapters.Note, error) bool) {
		var all []adapters.Note
		for note, err := range n.desk.Notes(ctx, ref) {
			if err != nil {
				yield(note, err)
				return
			}
			all = append(all, note)
		}
		slices.Reverse(all)
		for i, note := range all {
			if n.cut > 0 && i == n.cut {
				n.cut = 0
				yield(adapters.Note{}, &adapters.Error{Provider: "theirs", Op: "notes", Kind: adapters.Unavailable})
				return
			}
			if !yield(note, nil) {
				return
			}
		}
	}
}

// Notes behind the place where a list was cut off are older than those before it, and
// are forwarded all the same.
func TestNotesBehindABrokenList(t *testing.T) {
	var theirs *newestFirst
	r := newRig(t, func(c *Config) {
		theirs = &newestFirst{desk: c.Sides[1].System.(*desk)}
		c.Sides[1].System = theirs
	})
	const n = 400
	p := r.theirs.tickets[0]
	for i := range n {
		r.world.now = r.world.now.Add(time.Minute)
		p.notes = append(p.notes, adapters.Note{ID: strconv.Itoa(i), Text: fmt.Sprintf("note %d.", i), At: r.world.now})
	}
	r.world.now = r.world.now.Add(2 * time.Hour)
	theirs.cut = 300
	if err := r.syncer.Reconcile(context.Background(), acme); err == nil {
		t.Error("the list was not cut off, so this shows nothing")
	}
	r.settle()
	if got := len(r.ours.tickets[0].notes); got != n {
		t.Errorf("we have %d notes, want %d", got, n)
	}
}
