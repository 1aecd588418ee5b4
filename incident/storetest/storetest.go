// Package storetest tests stores of incidents: those of this module and those of
// others. A store keeps the state of an incident, its timeline entry by entry, the
// events that were refused and the messages that follow, each step in one transaction.
//
//	func TestStore(t *testing.T) {
//		storetest.Test(t, func(t *testing.T) storetest.Opener {
//			file := filepath.Join(t.TempDir(), "x.db")
//			return func(t *testing.T) storetest.Store { return open(t, file) }
//		})
//	}
package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Store is what the suite asks of a store. It is used by several goroutines at once.
type Store interface {
	// Load reads an incident and its version; one that is not there is new, of version
	// 0. Its options have salts and are otherwise the default.
	Load(ctx context.Context, tenant, id string) (*incident.Incident, int64, error)

	// Save writes a step, all of it or nothing. The error is incident.ErrConflict if the
	// incident does not have the version of the step any more.
	Save(ctx context.Context, s Step) error

	// State reads what an incident amounts to, as it was stored.
	State(ctx context.Context, tenant, id string) (incident.State, error)

	// Messages lists the messages of a tenant that are to be sent, by key.
	Messages(ctx context.Context, tenant string) ([]Message, error)

	// Snapshot reads the latest snapshot of a name; ok is false where there is none.
	Snapshot(ctx context.Context, tenant, name string) (data []byte, ok bool, err error)
}

// Step is what one step changed.
type Step struct {
	Incident *incident.Incident // with what it gained since it was loaded
	Version  int64              // under which it was loaded

	Messages  []Message         // of its tenant; those whose key is known are left as they are
	Snapshots map[string][]byte // of its tenant, by name; each replaces the one before
	At        time.Time         // of the snapshots
}

// Message is something to be told, once.
type Message struct {
	Key     string
	Payload string // JSON
}

// Opener opens the store under test. All that one Opener opens have the same content,
// as the nodes of a cluster do, or one process after a restart.
type Opener func(*testing.T) Store

// Test runs the suite. Every test makes an empty store of its own.
func Test(t *testing.T, empty func(*testing.T) Opener) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*suite)
	}{
		{"an incident that is not there is new", (*suite).unknown},
		{"what was recorded comes back", (*suite).roundTrip},
		{"texts and instants come back as they were", (*suite).whole},
		{"of two writers one wins and nothing is lost", (*suite).conflict},
		{"of two first writers one wins", (*suite).first},
		{"a step that grew out of another version is refused", (*suite).stale},
		{"many writers", (*suite).many},
		{"a step that fails leaves nothing", (*suite).nothing},
		{"tenants are apart", (*suite).tenants},
		{"the timeline has the order of recording", (*suite).order},
		{"a redaction erases", (*suite).redaction},
		{"refused events are kept", (*suite).rejected},
		{"refused events that JSON cannot hold are kept", (*suite).unfit},
		{"snapshots are replaced", (*suite).snapshots},
		{"messages are stored once", (*suite).messages},
		{"nodes whose clocks differ", (*suite).skew},
	} {
		t.Run(c.name, func(t *testing.T) {
			open := empty(t)
			c.run(&suite{T: t, Store: open(t), open: open})
		})
	}
}

func (s *suite) unknown() {
	i, version := s.load(tenant, id)
	if version != 0 || i.Head().Seq != 0 {
		s.Errorf("version %d with %d entries, want a new incident", version, i.Head().Seq)
	}
	if t, n := i.Timeline().Of(); t != tenant || n != id {
		s.Errorf("it is incident %q of %q", n, t)
	}
	if state, err := s.State(s.Context(), tenant, id); err == nil {
		s.Errorf("State = %+v, want an error", state)
	}
	s.wantMessages(tenant)
}

// roundTrip writes an incident step by step, each out of what was read, with a restart
// in between, beside one in memory that gets the same events.
func (s *suite) roundTrip() {
	events := []incident.Event{
		{Key: "signal", Kind: incident.Detect, At: after(-1), Actor: "monitor", Details: incident.Details{Fingerprint: "checkout/5xx", DetectedBy: incident.ByMonitor}},
		declare("declare"),
		{Key: "ann", Kind: incident.Acknowledge, At: after(2), Actor: "ann", Details: incident.Details{Role: incident.Lead, Team: "payments"}},
		{Key: "raise", Kind: incident.PostUpdate, At: after(5), Actor: "ann", Details: incident.Details{Text: "we fail over"}},
		{Key: "db", Kind: incident.AddLink, At: after(6), Actor: "ann", Details: incident.Details{Relation: incident.AlertRelation, Target: "alert-17"}},
		{Key: "mail", Kind: incident.Notify, At: after(7), Actor: "mailer", Imported: true, Details: incident.Details{Ref: "INC-1/1/initial", Data: json.RawMessage(`{"b":1,"a":[2.50]}`)}},
		{Key: "fixed", Kind: incident.Resolve, At: after(30), Actor: "ann", Details: incident.Details{Text: "failed over"}},
		{Key: "review", Kind: incident.OpenReview, At: after(60), Actor: "max", Details: incident.Details{Person: "max"}},
		{Key: "m1", Kind: incident.RecordMeasure, At: after(61), Actor: "max", Details: incident.Details{
			Measure: &incident.Measure{ID: "M1", Text: "test the failover", Owner: "dba", Due: "2026-12-15", Ref: "OPS-7"},
		}},
		{Key: "end", Kind: incident.Close, At: after(62), Actor: "max"},
	}
	want, err := incident.New(tenant, id, incident.Options{})
	if err != nil {
		s.Fatal(err)
	}
	var keys []string
	for n, e := range events {
		s.step(tenant, e)
		s.apply(want, e)
		keys = append(keys, e.Key)
		if n == len(events)/2 {
			s.restart()
		}
		s.equal("after "+e.Key+" the state", s.sound(tenant, id).State(), want.State())
	}
	i := s.sound(tenant, id)
	s.wantKeys(i, keys...)
	if i.State().Status != incident.Closed {
		s.Errorf("status %q, want closed", i.State().Status)
	}
	slices.Sort(keys)
	s.wantMessages(tenant, keys...)

	// The export of what was read is read again, to the byte.
	var out bytes.Buffer
	if err := i.Timeline().Write(&out); err != nil {
		s.Fatal(err)
	}
	back, err := incident.ReadTimeline(&out)
	if err != nil || back.Head() != i.Head() {
		s.Errorf("the exported timeline: %v", err)
	}
}

func (s *suite) whole() {
	e := note("k/\u00fc \u2028\u0000\"\\", 0, "tab\t, NUL \u0000, <b>&amp;</b>, \u00e9 e\u0301, \U0001f525, quote ' \" \\ %s $1 ?1\r\n")
	e.At, e.RecordedAt = time.Date(2026, 10, 25, 2, 30, 0, 123456789, time.FixedZone("", 7200)), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)
	e.Actor, e.Imported, e.Data = "d'ann \u4e2d", true, json.RawMessage(`{"z":1e400,"a":"\u00fc","a":0.10}`)
	first := declare("d")
	first.At = time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)
	i, version := s.load(tenant, id)
	s.apply(i, first, e)
	want := i.Timeline().Entries()
	s.save(i, version)
	s.restart()
	got := s.sound(tenant, id).Timeline().Entries()
	if !slices.Equal(got, want) {
		s.Errorf("entries are\n%+v\nwant\n%+v", got, want)
	}
}

func (s *suite) nothing() {
	s.step(tenant, declare("d"))
	i, version := s.load(tenant, id)
	s.apply(i, note("n", 1, "x"))
	if err := s.Save(s.Context(), Step{Incident: i, Version: version, Messages: []Message{{Key: "good", Payload: `{}`}, {Key: "bad", Payload: `{`}}}); err == nil {
		s.Error("Save with a message that is not JSON: want an error")
	}
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	if err := s.Save(ctx, Step{Incident: i, Version: version, Messages: []Message{{Key: "late", Payload: `{}`}}}); !errors.Is(err, context.Canceled) {
		s.Errorf("Save by a cancelled context: %v, want context.Canceled", err)
	}
	s.wantKeys(s.sound(tenant, id), "d")
	s.wantMessages(tenant, "d")
	s.save(i, version) // what failed can be tried again
	s.wantKeys(s.sound(tenant, id), "d", "n")
}

func (s *suite) tenants() {
	s.step("acme", declare("d"), note("of acme", 1, "x"))
	s.step("globex", declare("d"))
	if err := s.Save(s.Context(), Step{
		Incident: s.sound("acme", id), Version: s.version("acme", id), Snapshots: map[string][]byte{"engine": []byte("acme")}, At: at,
	}); err != nil {
		s.Fatalf("Save: %v", err)
	}
	s.restart()
	s.wantKeys(s.sound("acme", id), "d", "of acme")
	s.wantKeys(s.sound("globex", id), "d")
	s.wantMessages("acme", "d", "of acme")
	s.wantMessages("globex", "d")
	if data, ok, err := s.Snapshot(s.Context(), "globex", "engine"); ok || err != nil {
		s.Errorf("globex reads the snapshot of acme: %q, %v", data, err)
	}
	if _, version := s.load("initech", id); version != 0 {
		s.Errorf("initech reads version %d", version)
	}
}

// order records events in another order than that in which they happened.
func (s *suite) order() {
	want := []string{"d"}
	s.step(tenant, declare("d"))
	for n := 11; n >= 0; n-- { // 11 and 10 sort before 2 as texts
		key := fmt.Sprintf("n%d", n)
		s.step(tenant, note(key, n, "x"))
		want = append(want, key)
	}
	s.wantKeys(s.sound(tenant, id), want...)
}

func (s *suite) redaction() {
	s.step(tenant, declare("d"), note("n", 1, "call 555-0100"))
	i, version := s.load(tenant, id)
	if _, _, err := i.Redact(2, "dpo", "r", "a phone number", after(9)); err != nil {
		s.Fatalf("Redact: %v", err)
	}
	s.save(i, version)
	s.restart()
	entries := s.sound(tenant, id).Timeline().Entries()
	if len(entries) != 3 || !entries[1].Redacted || entries[1].Payload != "" || !entries[1].Salt.IsZero() || entries[2].Kind != incident.RedactEntry {
		s.Errorf("entries are %+v, want the second erased and a third that says so", entries)
	}
	if text := fmt.Sprint(entries); strings.Contains(text, "555-0100") {
		s.Errorf("the number is still there: %s", text)
	}
}

// rejected: what an incident refuses survives a restart, until it is taken.
func (s *suite) rejected() {
	i, version := s.load(tenant, id)
	early := incident.Event{Key: "fixed", Kind: incident.Resolve, At: after(30), Actor: "ann", Details: incident.Details{Text: "done", Data: json.RawMessage(`{"a":1}`)}}
	unkeyed := note("", 1, "x")
	for _, e := range []incident.Event{early, unkeyed} {
		if _, err := i.Apply(e); err == nil {
			s.Fatalf("Apply(%q): want an error", e.Key)
		}
	}
	want := i.Rejected()
	s.save(i, version)
	s.restart()
	i, version = s.load(tenant, id)
	if version == 0 || i.Head().Seq != 0 {
		s.Errorf("version %d with %d entries, want one without entries", version, i.Head().Seq)
	}
	s.equal("the list of refused events", i.Rejected(), want)

	s.apply(i, declare("d"), incident.Event{Key: "ann", Kind: incident.Acknowledge, At: after(2), Actor: "ann"}, early)
	s.save(i, version)
	s.restart()
	s.equal("the list after one was taken", s.sound(tenant, id).Rejected(), want[1:])
}

// unfit: events that could not be recorded by anybody.
func (s *suite) unfit() {
	i, version := s.load(tenant, id)
	s.apply(i, declare("d"))
	far, broken, strange, severe := note("far", 1, "x"), note("broken", 1, "x"), note("strange", 1, "caf\xe9"), note("severe", 1, "x")
	far.At, broken.Data, strange.Actor, severe.Severity = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), json.RawMessage(`{"a":`), "\xff", 9
	for _, e := range []incident.Event{far, broken, strange, severe} {
		if _, err := i.Apply(e); err == nil {
			s.Fatalf("Apply(%q): want an error", e.Key)
		}
	}
	s.save(i, version)
	s.restart()
	kept := s.sound(tenant, id).Rejected()
	if len(kept) != 4 {
		s.Fatalf("%d events are kept, want 4: %+v", len(kept), kept)
	}
	for n, want := range []struct{ key, text string }{{"far", "10000"}, {"broken", `{\"a\":`}, {"strange", `caf\xe9`}, {"severe", "Severity(9)"}} {
		if r := kept[n]; r.Event.Key != want.key || r.Reason == "" || !strings.Contains(r.Text, want.text) {
			s.Errorf("kept %+v, want key %q, a reason, and %s in the text", r, want.key, want.text)
		}
	}
}

func (s *suite) snapshots() {
	i, version := s.load(tenant, id)
	s.apply(i, declare("d"))
	put := func(all map[string][]byte) {
		s.Helper()
		if err := s.Save(s.Context(), Step{Incident: i, Version: version, Snapshots: all, At: at}); err != nil {
			s.Fatalf("Save: %v", err)
		}
		i, version = s.load(tenant, id)
	}
	binary := []byte{0, 255, '\'', '\\', '\n', 0}
	put(map[string][]byte{"engine": []byte("one"), "binary": binary})
	put(map[string][]byte{"engine": []byte("two")})
	s.restart()
	for name, want := range map[string][]byte{"engine": []byte("two"), "binary": binary} {
		if data, ok, err := s.Snapshot(s.Context(), tenant, name); err != nil || !ok || !bytes.Equal(data, want) {
			s.Errorf("Snapshot(%s) = %q, %v, %v, want %q", name, data, ok, err, want)
		}
	}
	if _, ok, err := s.Snapshot(s.Context(), tenant, "none"); ok || err != nil {
		s.Errorf("Snapshot of an unknown name: %v, %v", ok, err)
	}
}

func (s *suite) messages() {
	i, version := s.load(tenant, id)
	s.apply(i, declare("d"))
	s.save(i, version, Message{Key: "page", Payload: `{"n":1}`})
	i, version = s.load(tenant, id)
	s.apply(i, note("n", 1, "x"))
	s.save(i, version, Message{Key: "page", Payload: `{"n":2}`}, Message{Key: "mail", Payload: `{"text":"<\u00fc>"}`})
	s.restart()
	got, err := s.Messages(s.Context(), tenant)
	want := []Message{{Key: "mail", Payload: `{"text":"<\u00fc>"}`}, {Key: "page", Payload: `{"n":1}`}}
	if err != nil || !slices.Equal(got, want) {
		s.Errorf("Messages = %+v, %v, want %+v", got, err, want)
	}
}
