// Package synctest tests implementations of [sync.Store]: those of this module and
// those of others.
//
//	func TestStore(t *testing.T) {
//		synctest.Test(t, func(*testing.T) sync.Store { return &sync.Memory{} })
//	}
package synctest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/sync"
)

var (
	noon  = time.Date(2026, 11, 30, 12, 0, 0, 123456789, time.UTC)
	first = sync.ID{Tenant: "acme", Incident: "INC-1"}
)

// Test runs the suite. Every test opens an empty store of its own.
func Test(t *testing.T, open func(*testing.T) sync.Store) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*suite)
	}{
		{"a record comes back as it was", (*suite).whole},
		{"who saves an old record is told", (*suite).conflict},
		{"a touch meanwhile is kept", (*suite).touched},
		{"a touch does not put off", (*suite).sooner},
		{"due records come in order, leased ones not", (*suite).due},
		{"tickets lead to their record", (*suite).lookup},
		{"cursors are kept by side", (*suite).cursors},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(&suite{t, open(t)}) })
	}
}

type suite struct {
	*testing.T
	sync.Store
}

func (s *suite) save(r sync.Record) {
	s.Helper()
	if err := s.Save(s.Context(), r); err != nil {
		s.Fatal(err)
	}
}

func (s *suite) load(id sync.ID) sync.Record {
	s.Helper()
	r, ok, err := s.Load(s.Context(), id)
	if err != nil || !ok {
		s.Fatalf("%v: found %v, %v", id, ok, err)
	}
	return r
}

// record is one with all fields.
func record() sync.Record {
	return sync.Record{
		Tenant: "acme", ID: "INC-1", Round: 2, Values: map[sync.Field]string{sync.Title: "it's \"down\" ä", sync.State: "new"},
		Sides: map[string]*sync.Standing{"jira": {
			Ref: adapters.Ref{Provider: "jira", Tenant: "acme", ID: "10001", Version: "7"}, OpenKey: "k", Past: []adapters.Ref{{Provider: "jira", Tenant: "acme", ID: "9"}},
			Seen: map[sync.Field]string{sync.Title: "x"}, Pending: map[sync.Field]string{sync.State: "new"}, Updated: noon, Wrote: noon, Reopening: true,
		}},
		Notes:     []sync.Forwarded{{From: "jira", ID: "1", Text: "[jira 1] x", To: []string{"pager"}, Sum: "5d", Copies: map[string]string{"desk": "3"}}},
		Conflicts: []sync.Conflict{{At: noon, Side: "jira", Field: sync.Title, Value: "a", Kept: "b", Reason: sync.Earlier}},
		Due:       noon, Leased: noon.Add(time.Minute), Attempts: 3, Problem: "away",
	}
}

func (s *suite) whole() {
	if _, ok, err := s.Load(s.Context(), first); ok || err != nil {
		s.Fatalf("an empty store has it: %v", err)
	}
	want := record()
	s.save(want)
	got := s.load(first)
	if got.Revision != 1 {
		s.Errorf("revision %d, want 1", got.Revision)
	}
	st, wanted := got.Sides["jira"], want.Sides["jira"]
	if !got.Due.Equal(noon) || !got.Leased.Equal(want.Leased) || got.Values[sync.Title] != want.Values[sync.Title] || got.Round != 2 ||
		got.Attempts != 3 || got.Problem != "away" || st == nil || st.Ref != wanted.Ref || !slices.Equal(st.Past, wanted.Past) ||
		st.Pending[sync.State] != "new" || !st.Reopening || !st.Updated.Equal(noon) || len(got.Notes) != 1 || got.Notes[0].Text != want.Notes[0].Text ||
		len(got.Conflicts) != 1 || got.Conflicts[0] != want.Conflicts[0] {
		s.Errorf("%+v, want %+v", got, want)
	}
	got.Values[sync.Title] = "changed by the caller"
	if again := s.load(first); again.Values[sync.Title] != want.Values[sync.Title] {
		s.Error("a loaded record is not a copy")
	}
}

func (s *suite) conflict() {
	s.save(record())
	if err := s.Save(s.Context(), record()); !errors.Is(err, sync.ErrConflict) {
		s.Errorf("a second new record: %v, want ErrConflict", err)
	}
	one, two := s.load(first), s.load(first)
	s.save(one)
	two.Problem = "lost"
	if err := s.Save(s.Context(), two); !errors.Is(err, sync.ErrConflict) {
		s.Errorf("the second of two: %v, want ErrConflict", err)
	}
	if got := s.load(first); got.Revision != 2 || got.Problem != "away" {
		s.Errorf("revision %d, problem %q, want the first of two", got.Revision, got.Problem)
	}
}

func (s *suite) touched() {
	s.save(record())
	r := s.load(first)
	if err := s.Touch(s.Context(), first, noon.Add(time.Second)); err != nil {
		s.Fatal(err)
	}
	r.Due = time.Time{}
	s.save(r)
	got := s.load(first)
	if !got.Due.Equal(noon) || got.Touches != r.Touches+1 {
		s.Errorf("due %v after %d touches, want %v, because it was touched meanwhile", got.Due, got.Touches, noon)
	}
	got.Due = time.Time{}
	s.save(got)
	if got = s.load(first); !got.Due.IsZero() {
		s.Errorf("due %v, want never", got.Due)
	}
	if err := s.Touch(s.Context(), sync.ID{Tenant: "acme", Incident: "none"}, noon); err != nil {
		s.Errorf("a touch of nothing: %v", err)
	}
}

func (s *suite) sooner() {
	s.save(record())
	for _, c := range []struct{ at, want time.Time }{{noon.Add(time.Hour), noon}, {noon.Add(-time.Hour), noon.Add(-time.Hour)}} {
		if err := s.Touch(s.Context(), first, c.at); err != nil {
			s.Fatal(err)
		}
		if got := s.load(first).Due; !got.Equal(c.want) {
			s.Errorf("touched at %v it is due %v, want %v", c.at, got, c.want)
		}
	}
}

func (s *suite) due() {
	for i, c := range []struct {
		id          string
		due, leased time.Time
	}{
		{"late", noon.Add(time.Second), time.Time{}},
		{"b", noon, time.Time{}},
		{"a", noon, noon}, // its lease is over
		{"leased", noon, noon.Add(time.Second)},
		{"never", time.Time{}, time.Time{}},
		{"later", noon.Add(time.Minute), time.Time{}},
	} {
		s.save(sync.Record{Tenant: "acme", ID: c.id, Due: c.due, Leased: c.leased, Attempts: i})
	}
	s.save(sync.Record{Tenant: "Globex", ID: "a", Due: noon.Add(time.Second)})
	at := noon.Add(time.Second - 1)
	for limit, want := range map[int][]string{10: {"a", "b"}, 1: {"a"}} {
		ids, err := s.Due(s.Context(), at, limit)
		if err != nil {
			s.Fatal(err)
		}
		var got []string
		for _, id := range ids {
			got = append(got, id.Incident)
		}
		if !slices.Equal(got, want) {
			s.Errorf("at most %d due: %q, want %q", limit, got, want)
		}
	}
}

func (s *suite) lookup() {
	s.save(record())
	for _, c := range []struct {
		side string
		ref  adapters.Ref
		want bool
	}{
		{"jira", adapters.Ref{Provider: "jira", Tenant: "acme", ID: "10001", Version: "8"}, true},
		{"jira", adapters.Ref{Provider: "jira", Tenant: "acme", ID: "9"}, true}, // one that it follows
		{"pager", adapters.Ref{Provider: "jira", Tenant: "acme", ID: "10001"}, false},
		{"jira", adapters.Ref{Provider: "jira", Tenant: "globex", ID: "10001"}, false},
		{"jira", adapters.Ref{Provider: "jira", Tenant: "acme", ID: "10002"}, false},
	} {
		id, ok, err := s.Lookup(s.Context(), c.side, c.ref)
		if err != nil || ok != c.want || ok && id != first {
			s.Errorf("%s %+v: %v, found %v, %v, want %v", c.side, c.ref, id, ok, err, c.want)
		}
	}
}

func (s *suite) cursors() {
	for _, c := range [][2]string{{"jira", "1"}, {"pager", "a"}, {"jira", "2"}} {
		if err := s.SaveCursor(s.Context(), c[0], c[1]); err != nil {
			s.Fatal(err)
		}
	}
	for side, want := range map[string]string{"jira": "2", "pager": "a", "none": ""} {
		if got, err := s.Cursor(s.Context(), side); err != nil || got != want {
			s.Errorf("cursor of %s is %q, %v, want %q", side, got, err, want)
		}
	}
}
