package sync

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

var acme = ID{"acme", "INC-1"}

// rig is two desks without faults and a syncer between them.
type rig struct {
	t      *testing.T
	world  *world
	ours   *desk
	theirs *desk
	store  *Memory
	syncer *Syncer
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	w := &world{rand: rand.New(rand.NewPCG(1, 2)), now: time.Date(2026, 11, 22, 5, 30, 0, 0, time.UTC)}
	r := &rig{t: t, world: w, ours: &desk{world: w, name: "ours"}, theirs: &desk{world: w, name: "theirs"}, store: &Memory{}}
	c := Config{
		Store: r.store, Now: func() time.Time { return w.now },
		Sides: []Side{{Name: "ours", System: r.ours, Notes: true}, {Name: "theirs", System: r.theirs, Opens: true, Notes: true}},
	}
	if change != nil {
		change(&c)
	}
	var err error
	if r.syncer, err = New(c); err != nil {
		t.Fatal(err)
	}
	ref, err := r.ours.Open(context.Background(), adapters.Ticket{Key: "k", Title: "checkout is down", Severity: incident.P2, State: adapters.StateNew})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.syncer.Track(context.Background(), acme, "ours", ref); err != nil {
		t.Fatal(err)
	}
	r.settle()
	w.writes = 0
	return r
}

// settle lets time pass until nothing is due.
func (r *rig) settle() {
	r.t.Helper()
	for range 10 {
		r.world.now = r.world.now.Add(15 * time.Second)
		if err := r.syncer.Reconcile(context.Background(), acme); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) record() Record {
	r.t.Helper()
	record, ok, err := r.store.Load(context.Background(), acme)
	if err != nil || !ok {
		r.t.Fatal(ok, err)
	}
	return record
}

// edit changes the latest ticket of a desk by hand.
func (r *rig) edit(d *desk, do func(*adapters.Ticket)) {
	r.world.now = r.world.now.Add(time.Second)
	d.put(d.tickets[len(d.tickets)-1], do)
}

func (r *rig) want(title string, severity incident.Severity, state adapters.State, writes int) {
	r.t.Helper()
	for _, d := range []*desk{r.ours, r.theirs} {
		got := d.tickets[len(d.tickets)-1].now
		if got.Title != title || got.Severity != severity || got.State != state {
			r.t.Errorf("%s has %q %v %s, want %q %v %s", d.name, got.Title, got.Severity, got.State, title, severity, state)
		}
	}
	if r.world.writes != writes {
		r.t.Errorf("%d writes, want %d", r.world.writes, writes)
	}
}

func title(text string) func(*adapters.Ticket) { return func(t *adapters.Ticket) { t.Title = text } }

func state(s adapters.State) func(*adapters.Ticket) {
	return func(t *adapters.Ticket) { t.State = s }
}

func severity(s incident.Severity) func(*adapters.Ticket) {
	return func(t *adapters.Ticket) { t.Severity = s }
}

func TestOneChangeOneWrite(t *testing.T) {
	r := newRig(t, nil)
	r.want("checkout is down", incident.P2, adapters.StateNew, 0)
	r.edit(r.theirs, title("checkout is slow"))
	r.settle()
	r.want("checkout is slow", incident.P2, adapters.StateNew, 1)
	r.edit(r.ours, severity(incident.P1))
	r.settle()
	r.want("checkout is slow", incident.P1, adapters.StateNew, 2)
	if c := r.record().Conflicts; len(c) > 0 {
		t.Errorf("conflicts %v, want none", c)
	}
}

func TestBothChange(t *testing.T) {
	r := newRig(t, nil)
	r.edit(r.theirs, title("theirs, first"))
	r.edit(r.ours, title("ours, later"))
	r.settle()
	r.want("ours, later", incident.P2, adapters.StateNew, 1)
	want := Conflict{Side: "theirs", Field: Title, Value: "theirs, first", Kept: "ours, later", Reason: Earlier}
	wantConflict(t, r, want)
}

func wantConflict(t *testing.T, r *rig, want Conflict) {
	t.Helper()
	got := r.record().Conflicts
	if len(got) != 1 {
		t.Fatalf("conflicts %+v, want one", got)
	}
	got[0].At, got[0].Text = time.Time{}, ""
	if got[0] != want {
		t.Errorf("conflict %+v, want %+v", got[0], want)
	}
}

func TestOwner(t *testing.T) {
	var told []Conflict
	r := newRig(t, func(c *Config) {
		c.Owners = map[Field]string{Severity: "ours"}
		c.OnConflict = func(_ ID, x Conflict) { told = append(told, x) }
	})
	r.edit(r.theirs, severity(incident.P4))
	r.settle()
	r.want("checkout is down", incident.P2, adapters.StateNew, 1) // it is written back
	wantConflict(t, r, Conflict{Side: "theirs", Field: Severity, Value: "P4", Kept: "P2", Reason: NotOwner})
	if len(told) != 1 || told[0].Reason != NotOwner {
		t.Errorf("told %v, want the same once", told)
	}
	r.edit(r.ours, severity(incident.P1))
	r.settle()
	r.want("checkout is down", incident.P1, adapters.StateNew, 2)
}

func TestStates(t *testing.T) {
	r := newRig(t, nil)
	r.edit(r.theirs, state(adapters.StateAcknowledged))
	r.settle()
	r.want("checkout is down", incident.P2, adapters.StateAcknowledged, 1)
	r.edit(r.ours, state(adapters.StateResolved))
	r.settle()
	r.want("checkout is down", incident.P2, adapters.StateResolved, 2)
	if got := r.record().Round; got != 0 {
		t.Errorf("round %d, want 0", got)
	}
	r.edit(r.theirs, state(adapters.StateAcknowledged))
	r.settle()
	// Reopened as new, and then acknowledged: two steps of one change.
	r.want("checkout is down", incident.P2, adapters.StateAcknowledged, 4)
	if got := r.record().Round; got != 1 {
		t.Errorf("round %d, want 1", got)
	}
}

// Somebody acknowledges what another has resolved meanwhile: it stays resolved.
func TestLateAcknowledgement(t *testing.T) {
	r := newRig(t, nil)
	r.edit(r.ours, state(adapters.StateResolved))
	r.edit(r.theirs, state(adapters.StateAcknowledged))
	r.settle()
	r.want("checkout is down", incident.P2, adapters.StateResolved, 1)
	wantConflict(t, r, Conflict{Side: "theirs", Field: State, Value: "acknowledged", Kept: "resolved", Reason: Late})
}

// The table of what becomes of changes of states, worked out by the rules of
// Record.decideState: agreed before, changes as side:from>to in order of time.
func TestDecideState(t *testing.T) {
	for _, c := range []struct {
		agreed  string
		changes string
		want    string
		round   int
		lost    string
	}{
		{"new", "", "new", 0, ""},
		{"new", "a:new>acknowledged", "acknowledged", 0, ""},
		{"new", "a:new>acknowledged b:new>on_hold", "on_hold", 0, "a=acknowledged"},
		{"acknowledged", "a:new>acknowledged", "acknowledged", 0, ""},
		{"resolved", "a:new>acknowledged", "resolved", 0, "a=acknowledged"},
		{"resolved", "a:resolved>acknowledged", "acknowledged", 1, ""},
		{"resolved", "a:resolved>new b:resolved>closed", "new", 1, "b=closed"},
		{"resolved", "a:resolved>acknowledged b:resolved>new", "acknowledged", 1, "b=new"},
		{"closed", "a:resolved>closed", "closed", 0, ""},
		{"acknowledged", "a:resolved>closed", "acknowledged", 0, "a=closed"},
		{"new", "a:new>canceled b:new>closed", "closed", 0, "a=canceled"},
		{"new", "a:new>bogus", "new", 0, "a=bogus"},
	} {
		r := Record{Values: map[Field]string{State: c.agreed}}
		var changes []change
		for i, text := range strings.Fields(c.changes) {
			side, move, _ := strings.Cut(text, ":")
			from, to, _ := strings.Cut(move, ">")
			changes = append(changes, change{side, from, to, time.Unix(int64(i), 0)})
		}
		var lost []string
		for _, x := range r.decideState(changes, "", time.Time{}) {
			lost = append(lost, x.Side+"="+x.Value)
		}
		if got := r.Values[State]; got != c.want || r.Round != c.round || strings.Join(lost, " ") != c.lost {
			t.Errorf("%s after %q: %s, round %d, lost %q; want %s, %d, %q", c.agreed, c.changes, got, r.Round, lost, c.want, c.round, c.lost)
		}
	}
}

// A system without a state has the nearest, and that is no change.
func TestNearestState(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Sides[0].States = adapters.States[:] })
	r.edit(r.ours, state(adapters.StateOnHold))
	r.settle()
	if got := r.theirs.tickets[0].now.State; got != adapters.StateAcknowledged || r.world.writes != 1 {
		t.Errorf("they have %s after %d writes, want acknowledged after 1", got, r.world.writes)
	}
	if got := r.ours.tickets[0].now.State; got != adapters.StateOnHold {
		t.Errorf("we have %s, want on_hold", got)
	}
	r.edit(r.ours, state(adapters.StateClosed))
	r.settle()
	if got := r.theirs.tickets[0].now.State; got != adapters.StateResolved || r.world.writes != 2 {
		t.Errorf("they have %s after %d writes, want resolved after 2", got, r.world.writes)
	}
}

type picky struct{ *desk }

func (p picky) Update(context.Context, adapters.Ref, adapters.Patch) error {
	return &adapters.Error{Kind: adapters.Invalid, Message: "title: contains a bad word"}
}

// What a vendor does not take is told once and not tried for ever.
func TestRefused(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Sides[1].System = picky{c.Sides[1].System.(*desk)} })
	r.edit(r.ours, title("damn"))
	r.settle()
	wantConflict(t, r, Conflict{Side: "theirs", Field: Title, Value: "damn", Kept: "checkout is down", Reason: Refused})
	if got := r.record(); !got.Due.IsZero() {
		t.Errorf("due at %v, want never", got.Due)
	}
}

// So is no value at all.
func TestRefusedEmpty(t *testing.T) {
	told := 0
	r := newRig(t, func(c *Config) {
		c.Sides[1].System = picky{c.Sides[1].System.(*desk)}
		c.OnConflict = func(ID, Conflict) { told++ }
	})
	r.edit(r.ours, title(""))
	r.settle()
	if told != 1 {
		t.Errorf("told %d times, want once", told)
	}
}

// A colleague's clock that is behind does not make an incident older than it was
// read, which would keep its record due for ever.
func TestIncidentsClocks(t *testing.T) {
	ctx := context.Background()
	now := time.Date(2026, 11, 22, 5, 30, 0, 0, time.UTC)
	side := NewIncidents(journal{}, "", func() time.Time { return now })
	ref, err := side.Open(ctx, adapters.Ticket{Ref: RefOf("acme", "INC-1"), Tenant: "acme", Title: "down"})
	if err != nil {
		t.Fatal(err)
	}
	opened := now
	now = now.Add(-time.Second)
	if err := side.Note(ctx, ref, adapters.Note{Text: "looking", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	got, err := side.Read(ctx, ref)
	if err != nil || got.Updated.Before(opened) || got.Ref.Version != "2" {
		t.Errorf("%v: updated %v, version %s, want %v and 2", err, got.Updated, got.Ref.Version, opened)
	}
}

// closed is a desk that opens nothing with a bad word in its title.
type closed struct {
	*desk
	asked *int
}

func (c closed) Open(ctx context.Context, t adapters.Ticket) (adapters.Ref, error) {
	*c.asked++
	if strings.Contains(t.Title, "down") {
		return adapters.Ref{}, &adapters.Error{Kind: adapters.Forbidden, Message: "not here"}
	}
	return c.desk.Open(ctx, t)
}

// A ticket that a vendor does not open is told once and tried again when something
// has changed.
func TestRefusedOpening(t *testing.T) {
	asked := 0
	r := newRig(t, func(c *Config) { c.Sides[1].System = closed{c.Sides[1].System.(*desk), &asked} })
	wantConflict(t, r, Conflict{Side: "theirs", Value: "checkout is down", Reason: Refused})
	if asked != 1 || !r.record().Due.IsZero() {
		t.Errorf("asked %d times, due %v, want once and never", asked, r.record().Due)
	}
	r.edit(r.ours, title("checkout is slow"))
	r.settle()
	if asked != 2 || len(r.theirs.tickets) != 1 {
		t.Errorf("asked %d times, %d tickets, want a second time and one", asked, len(r.theirs.tickets))
	}
}

func TestGone(t *testing.T) {
	r := newRig(t, nil)
	r.theirs.tickets = nil
	r.edit(r.ours, title("still down"))
	r.settle()
	wantConflict(t, r, Conflict{Side: "theirs", Value: "theirs-1", Reason: Gone})
	if len(r.theirs.tickets) != 0 {
		t.Error("a ticket that somebody deleted was opened again")
	}
}

func TestNotes(t *testing.T) {
	r := newRig(t, nil)
	p := r.theirs.tickets[0]
	p.notes = append(p.notes, adapters.Note{ID: "77", Author: "alice", Text: "disk is full"})
	r.settle()
	got := r.ours.tickets[0].notes
	copied := regexp.MustCompile(`^\[theirs 77 [0-9a-f]{12}\] alice: disk is full$`)
	if len(got) != 1 || !copied.MatchString(got[0].Text) || got[0].Key == "" {
		t.Fatalf("notes %+v, want one by alice with a key", got)
	}
	if len(p.notes) != 1 {
		t.Errorf("they have %d notes, want 1", len(p.notes))
	}
}

// What people write is forwarded, even if it begins like a copy: with the name of the
// other side, with all of a tag but its check, or with a whole copy that is quoted.
// Copies are not, though the vendor has cut them or the record of them was lost.
func TestNotesLikeCopies(t *testing.T) {
	r := newRig(t, nil)
	o, p := r.ours.tickets[0], r.theirs.tickets[0]
	p.notes = append(p.notes, adapters.Note{ID: "77", Text: "disk is full"})
	r.settle()
	copied := o.notes[0].Text
	o.notes[0].Text = strings.TrimSuffix(copied, " full") // as a vendor cuts it
	r.settle()
	for i, text := range []string{"[theirs 77] what do you mean?", "[theirs is slow] since noon", "[theirs 77 000000000000] no check", copied + "\n\nThat was us."} {
		o.notes = append(o.notes, adapters.Note{ID: "by hand " + strconv.Itoa(i), Text: text})
		r.settle()
		if got := p.notes[len(p.notes)-1].Text; !strings.HasSuffix(got, "] "+text) || len(p.notes) != i+2 {
			t.Fatalf("they have %d notes, the last %q, want %d, the last a copy of %q", len(p.notes), got, i+2, text)
		}
	}
	if len(o.notes) != 5 {
		t.Errorf("we have %d notes, want one copy and four by hand", len(o.notes))
	}
	record := r.record()
	record.Notes = nil
	if err := r.store.Save(context.Background(), record); err != nil {
		t.Fatal(err)
	}
	o.notes, p.notes = o.notes[:1], p.notes[1:2]
	r.settle()
	if len(o.notes) != 1 || len(p.notes) != 1 {
		t.Errorf("copies whose records were lost were copied: %+v, %+v", o.notes, p.notes)
	}
}

// Another process keeps off a record that one works on, until the lease is over.
func TestLease(t *testing.T) {
	r := newRig(t, nil)
	record := r.record()
	record.Leased = r.world.now.Add(time.Minute)
	record.Due = r.world.now
	if err := r.store.Save(context.Background(), record); err != nil {
		t.Fatal(err)
	}
	r.edit(r.ours, title("x"))
	if n, err := r.syncer.Work(context.Background(), 10); n != 0 || err != nil {
		t.Errorf("worked on %d, %v, want none", n, err)
	}
	if err := r.syncer.Reconcile(context.Background(), acme); err != nil || r.world.writes != 0 {
		t.Errorf("%d writes, %v, want none", r.world.writes, err)
	}
	r.settle()
	r.want("x", incident.P2, adapters.StateNew, 1)
}

// A touch that comes while a record is worked on is not lost.
func TestTouchMeanwhile(t *testing.T) {
	store := &Memory{}
	ctx := context.Background()
	if err := store.Save(ctx, Record{Tenant: "acme", ID: "INC-1"}); err != nil {
		t.Fatal(err)
	}
	r, _, _ := store.Load(ctx, acme)
	at := time.Unix(100, 0)
	if err := store.Touch(ctx, acme, at); err != nil {
		t.Fatal(err)
	}
	if err := store.Save(ctx, r); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := store.Load(ctx, acme); !got.Due.Equal(at) {
		t.Errorf("due at %v, want %v", got.Due, at)
	}
	if err := store.Save(ctx, r); !errors.Is(err, ErrConflict) {
		t.Errorf("second save: %v, want ErrConflict", err)
	}
}

// watched is a desk that lists what changed.
type watched struct{ *desk }

func (w watched) Changes(_ context.Context, cursor string) iter.Seq2[adapters.Exported, error] {
	return func(yield func(adapters.Exported, error) bool) {
		for _, p := range w.tickets {
			if at := p.now.Updated.Format(time.RFC3339); at >= cursor && !yield(adapters.Exported{Ticket: p.now, Cursor: at}, nil) {
				return
			}
		}
	}
}

// A ticket that people open is found by polling and followed; our side gets one.
func TestAdopt(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Sides[0].Opens = true
		c.Sides[1].System = watched{c.Sides[1].System.(*desk)}
		c.Sides[1].Adopt = func(t adapters.Ticket) (ID, bool) { return ID{"acme", "from-" + t.Ref.ID}, t.Title != "spam" }
	})
	ctx := context.Background()
	for _, text := range []string{"mail is down", "spam"} {
		if _, err := r.theirs.Open(ctx, adapters.Ticket{Key: text, Title: text, Severity: incident.P3, State: adapters.StateNew}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		r.world.now = r.world.now.Add(15 * time.Second)
		if err := r.syncer.Poll(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := r.syncer.Work(ctx, 10); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.ours.tickets) != 2 || r.ours.tickets[1].now.Title != "mail is down" {
		t.Errorf("we have %d tickets, want the one from before and the adopted one", len(r.ours.tickets))
	}
	if cursor, _ := r.store.Cursor(ctx, "theirs"); cursor == "" {
		t.Error("no cursor was kept")
	}
}

func TestRunStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Now = nil })
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- r.syncer.Run(ctx) }()
		r.edit(r.theirs, title("checkout is slow"))
		if err := r.syncer.Touch(ctx, "theirs", r.theirs.tickets[0].now); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := r.ours.tickets[0].now.Title; got != "checkout is slow" {
			t.Errorf("we have %q, want what they changed", got)
		}
	})
}

func TestConfigErrors(t *testing.T) {
	d := &desk{}
	good := []Side{{Name: "a", System: d}, {Name: "b", System: d}}
	for name, c := range map[string]Config{
		"Store missing":    {Sides: good},
		"1 sides":          {Store: &Memory{}, Sides: good[:1]},
		"Sides[1].Name":    {Store: &Memory{}, Sides: []Side{good[0], good[0]}},
		"Sides[1].System":  {Store: &Memory{}, Sides: []Side{good[0], {Name: "b"}}},
		"unknown field":    {Store: &Memory{}, Sides: []Side{good[0], {Name: "b", System: d, Fields: []Field{"colour"}}}},
		"Owners[severity]": {Store: &Memory{}, Sides: good, Owners: map[Field]string{Severity: "c"}},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %s", err, name)
		}
	}
}

// A record that goes to a store as JSON and one that Memory copies are the same.
func TestRecordRoundTrip(t *testing.T) {
	_, _, store := run(t, 7)
	r, _, err := store.Load(context.Background(), acme)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Record
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(text) {
		t.Errorf("%v: %s, want %s", err, again, text)
	}
}

// journal keeps incidents in memory.
type journal map[string]*incident.Incident

func (j journal) Load(_ context.Context, tenant, id string) (*incident.Incident, error) {
	if inc := j[id]; inc != nil {
		return inc, nil
	}
	return incident.New(tenant, id, incident.Options{})
}

func (j journal) Change(ctx context.Context, tenant, id string, do func(*incident.Incident) error) error {
	inc, err := j.Load(ctx, tenant, id)
	if err != nil {
		return err
	}
	j[id] = inc
	return do(inc)
}

// An incident of ours and a ticket of theirs, all the way.
func TestIncidents(t *testing.T) {
	ctx := context.Background()
	log := journal{}
	ours := NewIncidents(log, "", func() time.Time { return time.Time{} })
	r := newRig(t, func(c *Config) {
		ours.now = c.Now
		c.Sides[0] = Side{Name: "ours", System: ours, States: adapters.States[:], Fields: []Field{Title, Severity, State}, Notes: true}
		c.Owners = map[Field]string{Title: "ours"}
		if _, err := ours.Open(ctx, adapters.Ticket{Ref: RefOf("acme", "ours-1"), Tenant: "acme", Title: "checkout is down", Severity: incident.P2}); err != nil {
			t.Fatal(err)
		}
	})
	inc := log["ours-1"]
	if inc == nil {
		t.Fatal("no incident")
	}
	steps := []struct {
		do   adapters.State
		want incident.Status
	}{
		{adapters.StateAcknowledged, incident.Acknowledged},
		{adapters.StateResolved, incident.Resolved},
		{adapters.StateNew, incident.Open},
	}
	for _, step := range steps {
		r.edit(r.theirs, state(step.do))
		r.settle()
		if got := inc.State().Status; got != step.want && (step.want != incident.Open || !got.Active()) {
			t.Errorf("after %s: %s, want %s", step.do, got, step.want)
		}
	}
	r.edit(r.theirs, severity(incident.P1))
	r.theirs.tickets[0].notes = append(r.theirs.tickets[0].notes, adapters.Note{ID: "9", Text: "vendor called"})
	r.edit(r.theirs, title("mine now"))
	r.settle()
	if got := inc.State().Severity; got != incident.P1 {
		t.Errorf("severity %v, want P1", got)
	}
	if got := r.theirs.tickets[0].now.Title; got != "checkout is down" {
		t.Errorf("their title is %q, want ours again", got)
	}
	notes := 0
	for n, err := range ours.Notes(ctx, RefOf("acme", "ours-1")) {
		if err != nil {
			t.Fatal(err)
		}
		copied := regexp.MustCompile(`^\[theirs 9 [0-9a-f]{12}\] vendor called$`)
		if notes++; !copied.MatchString(n.Text) {
			t.Errorf("note %q", n.Text)
		}
	}
	if notes != 1 {
		t.Errorf("%d notes, want 1", notes)
	}
	if n := inc.Timeline().Len(); n > 12 {
		t.Errorf("%d entries, want one for each change", n)
	}
	if err := inc.Timeline().Verify(); err != nil {
		t.Error(err)
	}
	// What cannot be done is said.
	for _, err := range []error{
		ours.Update(ctx, RefOf("acme", "ours-1"), adapters.Patch{Title: new("x")}),
	} {
		if !errors.Is(err, adapters.Unsupported) {
			t.Errorf("%v, want unsupported", err)
		}
	}
	if _, err := ours.Read(ctx, RefOf("acme", "none")); !errors.Is(err, adapters.NotFound) {
		t.Errorf("%v, want not found", err)
	}
	if _, err := ours.Open(ctx, adapters.Ticket{}); !errors.Is(err, adapters.Invalid) {
		t.Errorf("%v, want invalid", err)
	}
}

// Deciding is a function of what was read: the order of the sides does not matter
// unless two changes are of one instant.
func TestDecideLaw(t *testing.T) {
	gen := rand.New(rand.NewPCG(3, 4))
	states := []string{"new", "acknowledged", "on_hold", "resolved", "closed", "canceled"}
	for range 20_000 {
		agreed := states[gen.IntN(len(states))]
		changes := make([]change, gen.IntN(4))
		for i := range changes {
			changes[i] = change{string(rune('a' + i)), states[gen.IntN(len(states))], states[gen.IntN(len(states))], time.Unix(int64(i), 0)}
		}
		decide := func(changes []change) (string, int) {
			r := Record{Values: map[Field]string{State: agreed}}
			r.decideState(slices.Clone(changes), "", time.Time{})
			return r.Values[State], r.Round
		}
		value, round := decide(changes)
		shuffled := slices.Clone(changes)
		gen.Shuffle(len(shuffled), reflect.Swapper(shuffled))
		if v, n := decide(shuffled); v != value || n != round {
			t.Fatalf("%s with %v: %s round %d, in another order %s round %d", agreed, changes, value, round, v, n)
		}
		if round == 0 && adapters.State(value).Rank() < adapters.State(agreed).Rank() {
			t.Fatalf("%s with %v went back to %s", agreed, changes, value)
		}
	}
}
