package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

func (s *suite) conflict() {
	s.step(tenant, declare("d"))
	one, version := s.load(tenant, id)
	two, same := s.load(tenant, id)
	if version != same || version == 0 {
		s.Fatalf("versions %d and %d, want one", version, same)
	}
	s.apply(one, note("one", 1, "by one"))
	s.apply(two, note("two", 2, "by two"))
	s.save(one, version, Message{Key: "m-one", Payload: `{}`})
	err := s.Save(s.Context(), Step{
		Incident: two, Version: same, Messages: []Message{{Key: "m-two", Payload: `{}`}}, Snapshots: map[string][]byte{"x": []byte("two")}, At: at,
	})
	if !errors.Is(err, incident.ErrConflict) {
		s.Fatalf("Save of the second: %v, want ErrConflict", err)
	}
	s.wantMessages(tenant, "d", "m-one")
	if data, ok, err := s.Snapshot(s.Context(), tenant, "x"); ok || err != nil {
		s.Errorf("the snapshot of the second: %q, %v", data, err)
	}
	s.wantKeys(s.sound(tenant, id), "d", "one")
	s.step(tenant, note("two", 2, "by two")) // decided anew
	s.wantKeys(s.sound(tenant, id), "d", "one", "two")
}

func (s *suite) first() {
	one, zero := s.load(tenant, id)
	two, none := s.load(tenant, id)
	s.apply(one, declare("one"))
	s.apply(two, declare("two"))
	s.save(one, zero)
	if err := s.Save(s.Context(), Step{Incident: two, Version: none}); !errors.Is(err, incident.ErrConflict) {
		s.Errorf("Save of the second: %v, want ErrConflict", err)
	}
	s.wantKeys(s.sound(tenant, id), "one")
}

// stale gives the right version to an incident that is another one.
func (s *suite) stale() {
	s.step(tenant, declare("d"))
	_, version := s.load(tenant, id)
	other, err := incident.New(tenant, id, incident.Options{})
	if err != nil {
		s.Fatal(err)
	}
	s.apply(other, declare("forged"), note("n", 1, "x"))
	if err := s.Save(s.Context(), Step{Incident: other, Version: version}); !errors.Is(err, incident.ErrConflict) {
		s.Errorf("Save: %v, want ErrConflict", err)
	}
	s.wantKeys(s.sound(tenant, id), "d")
}

func (s *suite) many() {
	const writers, each = 4, 5
	s.step(tenant, declare("d"))
	stores := [2]Store{s.Store, s.open(s.T)}
	keys := []string{"d"}
	var group sync.WaitGroup
	for w := range writers {
		store := stores[w%2]
		for n := range each {
			keys = append(keys, fmt.Sprintf("w%d-%d", w, n))
		}
		group.Go(func() {
			for n := range each {
				if err := insist(s.Context(), store, note(fmt.Sprintf("w%d-%d", w, n), n, "x")); err != nil {
					s.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
	}
	group.Wait()
	var got []string
	for _, e := range s.sound(tenant, id).Timeline().Entries() {
		got = append(got, e.Key)
	}
	slices.Sort(got)
	slices.Sort(keys)
	if !slices.Equal(got, keys) {
		s.Errorf("the timeline has %q, want %q", got, keys)
	}
	s.wantMessages(tenant, keys...)
}

// insist adds an event, and again until nobody is faster.
func insist(ctx context.Context, s Store, e incident.Event) error {
	for {
		i, version, err := s.Load(ctx, tenant, id)
		if err != nil {
			return err
		}
		if _, err := i.Apply(e); err != nil {
			return err
		}
		err = s.Save(ctx, Step{Incident: i, Version: version, Messages: []Message{{Key: e.Key, Payload: `{}`}}})
		if !errors.Is(err, incident.ErrConflict) {
			return err
		}
	}
}

// skew lets two nodes write one incident, whose clocks are up to five minutes fast or
// slow. Events count by the instants that they carry; a duration is the difference of
// two of them, and 0 where that is negative.
func (s *suite) skew() {
	for _, fast := range []time.Duration{-5 * time.Minute, 0, 5 * time.Minute} {
		for _, imported := range []bool{true, false} {
			id := fmt.Sprintf("INC-%v-%v", fast, imported)
			nodes := [2]Store{s.Store, s.open(s.T)}
			clocks := [2]time.Duration{fast, -fast}
			told := map[incident.Kind]time.Time{}
			events := []incident.Event{
				{Key: "signal", Kind: incident.Detect, Details: incident.Details{Title: "checkout is down"}},
				{Key: "declare", Kind: incident.Declare, Details: incident.Details{Severity: incident.P1, Title: "checkout is down"}},
				{Key: "ann", Kind: incident.Acknowledge, Details: incident.Details{Person: "ann"}},
				{Key: "better", Kind: incident.Mitigate},
				{Key: "fixed", Kind: incident.Resolve, Details: incident.Details{Text: "failed over"}},
			}
			refused := 0
			for n, e := range events {
				node := n % 2
				e.At, e.Actor, e.Imported = after(2*n).Add(clocks[node]), fmt.Sprintf("node-%d", node), imported
				told[e.Kind] = e.At
				i, version, err := nodes[node].Load(s.Context(), tenant, id)
				if err != nil {
					s.Fatalf("Load: %v", err)
				}
				if _, err := i.Apply(e); err != nil {
					refused++
				}
				if err := nodes[node].Save(s.Context(), Step{Incident: i, Version: version}); err != nil {
					s.Fatalf("Save: %v", err)
				}
			}
			i := s.sound(tenant, id)
			if imported && refused > 0 || len(i.Rejected()) != refused || i.Timeline().Len()+refused != len(events) {
				s.Errorf("%s: %d refused, %d kept of them, %d recorded, want all %d", id, refused, len(i.Rejected()), i.Timeline().Len(), len(events))
			}
			s.judge(id, i.State(), told, imported)
		}
	}
}

// judge compares the key figures of an incident with the instants that were told.
func (s *suite) judge(id string, state incident.State, told map[incident.Kind]time.Time, all bool) {
	s.Helper()
	record := state.Record()
	figures, err := incident.FiguresOf([]incident.Record{record}, incident.FiguresOptions{})
	if err != nil {
		s.Fatalf("%s: %v", id, err)
	}
	for _, c := range []struct {
		of       incident.Durations
		from, to incident.Kind
	}{{figures.MTTA, incident.Declare, incident.Acknowledge}, {figures.MTTR, incident.Detect, incident.Resolve}} {
		got, want := c.of.Mean(), big.NewRat(int64(max(told[c.to].Sub(told[c.from]), 0)), int64(time.Second))
		// A signal that says to be later than the declaration has not detected anything.
		null := c.from == incident.Detect && told[incident.Detect].After(told[incident.Declare])
		switch {
		case !all && got == nil, null && got == nil:
		case got == nil || got.Cmp(want) != 0 || null:
			s.Errorf("%s: %s is %v s, want %v, null %v", id, c.of.Definition(), got, want, null)
		}
	}
	if impact, elapsed := record.Downtime(after(60)); impact < 0 || elapsed < 0 {
		s.Errorf("%s: impact %v, elapsed %v", id, impact, elapsed)
	}
	for _, stretch := range state.Impact {
		if !stretch.End.IsZero() && stretch.End.Before(stretch.Start) {
			s.Errorf("%s: impact from %v to %v", id, stretch.Start, stretch.End)
		}
	}
}
