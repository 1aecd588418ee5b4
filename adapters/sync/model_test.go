package sync

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

// world is a random run: a clock, faults, and what people did.
type world struct {
	rand    *rand.Rand
	now     time.Time
	faulty  bool
	changes int // by people
	writes  int // that a system carried out
	notes   []string
}

// errKilled is the panic of a process that dies.
var errKilled = errors.New("killed")

// fault returns what goes wrong with a call: nothing, before it is carried out, or
// after. It may kill the process at either place.
func (w *world) fault() (before, after func() error) {
	none := func() error { return nil }
	if !w.faulty {
		return none, none
	}
	fail := func(kind adapters.Kind) func() error {
		return func() error { return &adapters.Error{Provider: "desk", Kind: kind, Err: errors.New("fault")} }
	}
	die := func() error { panic(errKilled) }
	switch w.rand.IntN(24) {
	case 0:
		return fail(adapters.Unavailable), none
	case 1:
		return fail(adapters.RateLimited), none
	case 2:
		return none, fail(adapters.OutcomeUnknown)
	case 3:
		return none, fail(adapters.Deadline)
	case 4:
		return die, none
	case 5:
		return none, die
	default:
		return none, none
	}
}

// desk is a ticket system with a version for each change. Its tickets are found by
// the key under which they were opened, as an adapter makes it.
type desk struct {
	*world
	name    string
	tickets []*paper
	window  time.Duration // in which a ticket can be opened again; 0: always
	lags    bool
}

type paper struct {
	now, before adapters.Ticket
	changed     time.Time
	notes       []adapters.Note
}

func (d *desk) find(ref adapters.Ref) (*paper, error) {
	for _, p := range d.tickets {
		if p.now.Ref.ID == ref.ID {
			return p, nil
		}
	}
	return nil, &adapters.Error{Provider: d.name, Kind: adapters.NotFound}
}

// put changes a ticket, as its own people and the adapter do.
func (d *desk) put(p *paper, do func(*adapters.Ticket)) {
	p.before = p.now
	do(&p.now)
	p.now.Updated = d.now.Truncate(time.Second)
	p.now.Ref.Version = strconv.Itoa(len(p.now.Ref.Version)) + p.now.Ref.Version
	p.changed = d.now
}

func (d *desk) write(ref adapters.Ref, do func(*paper)) error {
	before, after := d.fault()
	if err := before(); err != nil {
		return err
	}
	p, err := d.find(ref)
	if err != nil {
		return err
	}
	d.writes++
	do(p)
	return after()
}

func (d *desk) Open(_ context.Context, t adapters.Ticket) (adapters.Ref, error) {
	before, after := d.fault()
	if err := before(); err != nil {
		return adapters.Ref{}, err
	}
	i := slices.IndexFunc(d.tickets, func(p *paper) bool { return p.now.Key == t.Key })
	if i < 0 {
		t.Ref = adapters.Ref{Provider: d.name, ID: fmt.Sprintf("%s-%d", d.name, len(d.tickets)+1)}
		d.tickets = append(d.tickets, &paper{})
		i = len(d.tickets) - 1
		d.put(d.tickets[i], func(n *adapters.Ticket) { *n = t })
		d.tickets[i].before = d.tickets[i].now
		d.writes++
	}
	return d.tickets[i].now.Ref, after()
}

func (d *desk) Read(_ context.Context, ref adapters.Ref) (adapters.Ticket, error) {
	before, _ := d.fault()
	if err := before(); err != nil {
		return adapters.Ticket{}, err
	}
	p, err := d.find(ref)
	if err != nil {
		return adapters.Ticket{}, err
	}
	if d.lags && d.faulty && d.now.Sub(p.changed) < 5*time.Second && d.rand.IntN(3) == 0 {
		return p.before, nil
	}
	return p.now, nil
}

func (d *desk) Update(_ context.Context, ref adapters.Ref, patch adapters.Patch) error {
	return d.write(ref, func(p *paper) {
		d.put(p, func(t *adapters.Ticket) {
			if patch.Title != nil {
				t.Title = *patch.Title
			}
			if patch.Severity != nil {
				t.Severity = *patch.Severity
			}
		})
	})
}

func (d *desk) state(ref adapters.Ref, to adapters.State) error {
	return d.write(ref, func(p *paper) { d.put(p, func(t *adapters.Ticket) { t.State = to }) })
}

func (d *desk) Acknowledge(_ context.Context, ref adapters.Ref, _ string) error {
	return d.state(ref, adapters.StateAcknowledged)
}

func (d *desk) Resolve(_ context.Context, ref adapters.Ref, _ adapters.Resolution) error {
	return d.state(ref, adapters.StateResolved)
}

func (d *desk) Reopen(ctx context.Context, ref adapters.Ref, _ string) (adapters.Ref, error) {
	p, err := d.find(ref)
	if err != nil {
		return ref, err
	}
	if !p.now.State.Ended() {
		return ref, nil
	}
	if d.window > 0 && d.now.Sub(p.changed) > d.window {
		t := p.now
		t.Key, t.State = "after "+ref.ID, adapters.StateNew
		return d.Open(ctx, t)
	}
	return ref, d.state(ref, adapters.StateNew)
}

func (d *desk) Note(_ context.Context, ref adapters.Ref, n adapters.Note) error {
	return d.write(ref, func(p *paper) {
		n.ID = fmt.Sprint(p.now.Ref.ID, ".", len(p.notes)+1)
		p.notes = append(p.notes, n)
	})
}

func (d *desk) Notes(_ context.Context, ref adapters.Ref) iter.Seq2[adapters.Note, error] {
	return func(yield func(adapters.Note, error) bool) {
		before, _ := d.fault()
		if err := before(); err != nil {
			yield(adapters.Note{}, err)
			return
		}
		p, err := d.find(ref)
		if err != nil {
			yield(adapters.Note{}, err)
			return
		}
		for _, n := range p.notes {
			if !yield(n, nil) {
				return
			}
		}
	}
}

// person changes something in a ticket, as that system lets people.
func (d *desk) person(n int) {
	if len(d.tickets) == 0 {
		return
	}
	p := d.tickets[len(d.tickets)-1]
	d.changes++
	switch d.rand.IntN(6) {
	case 0:
		d.put(p, func(t *adapters.Ticket) { t.Title = fmt.Sprintf("title %d of %s", n, d.name) })
	case 1:
		d.put(p, func(t *adapters.Ticket) { t.Severity = incident.Severity(1 + d.rand.IntN(4)) })
	case 2:
		text := fmt.Sprintf("note %d of %s", n, d.name)
		d.notes = append(d.notes, text)
		p.notes = append(p.notes, adapters.Note{ID: fmt.Sprint(p.now.Ref.ID, ".", len(p.notes)+1), Text: text})
	default:
		to := []adapters.State{adapters.StateAcknowledged, adapters.StateResolved}[d.rand.IntN(2)]
		if p.now.State.Ended() && !to.Ended() && d.rand.IntN(2) == 0 {
			d.changes--
			return // reopenings are rarer
		}
		d.put(p, func(t *adapters.Ticket) { t.State = to })
	}
}

// survive runs a step of a process, which may be killed in it.
func survive(step func()) {
	defer func() {
		if r := recover(); r != nil && r != errKilled { //nolint:errorlint // the panic of the test
			panic(r)
		}
	}()
	step()
}

// run plays one random story and returns the world and its desks.
func run(t *testing.T, seed uint64) (*world, []*desk, *Memory) {
	t.Helper()
	ctx := context.Background()
	w := &world{rand: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC), faulty: true}
	desks := []*desk{
		{world: w, name: "ours"},
		{world: w, name: "pager", window: time.Minute},
		{world: w, name: "issues", lags: true},
	}
	store := &Memory{}
	config := Config{Store: store, Now: func() time.Time { return w.now }, Lease: time.Minute}
	for i, d := range desks {
		config.Sides = append(config.Sides, Side{Name: d.name, System: d, Opens: i > 0, Notes: true})
	}
	if seed%3 == 0 {
		config.Owners = map[Field]string{Severity: "ours"}
	}
	syncer, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	// The incident is opened at the first desk; whoever follows it may die over it.
	w.faulty = false
	ref, err := desks[0].Open(ctx, adapters.Ticket{Key: "first", Title: "checkout is down", Severity: incident.P2, State: adapters.StateNew})
	if err != nil {
		t.Fatal(err)
	}
	w.faulty, w.writes, w.changes = true, 0, 1
	id := ID{"acme", "INC-1"}
	track := func() {
		if err := syncer.Track(ctx, id, "ours", ref); err != nil {
			t.Fatal(err)
		}
	}
	track()
	touch := func(d *desk) {
		if len(d.tickets) > 0 {
			if err := syncer.Touch(ctx, d.name, d.tickets[w.rand.IntN(len(d.tickets))].now); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range 30 {
		w.now = w.now.Add(time.Duration(w.rand.IntN(4000)) * time.Millisecond)
		d := desks[w.rand.IntN(len(desks))]
		switch w.rand.IntN(10) {
		case 0, 1, 2:
			d.person(n)
			if w.rand.IntN(4) > 0 { // else the webhook is late or lost
				touch(d)
			}
		case 3:
			touch(d) // late or twice
		case 4:
			w.now = w.now.Add(time.Duration(w.rand.IntN(100)) * time.Second)
		default:
			survive(func() { _, _ = syncer.Work(ctx, 10) })
		}
	}
	// Everything heals, and every webhook comes at last.
	w.faulty = false
	w.now = w.now.Add(10 * time.Minute)
	for _, d := range desks {
		touch(d)
	}
	track()
	for range 40 {
		w.now = w.now.Add(11 * time.Second)
		if _, err := syncer.Work(ctx, 10); err != nil {
			t.Fatal(err)
		}
	}
	return w, desks, store
}

// Whatever happens on the way, all systems say the same in the end, no ticket is
// there twice, no note is lost or twice, and a change costs two writes at most.
func TestModel(t *testing.T) {
	stories := 4000
	if os.Getenv("EVENKEEL_SOAK") != "" {
		stories = 100_000
	}
	if testing.Short() {
		stories = 400
	}
	var changes, writes, rounds, conflicts int
	for seed := range uint64(stories) { //nolint:gosec // positive
		w, desks, store := run(t, seed)
		r, _, err := store.Load(context.Background(), ID{"acme", "INC-1"})
		if err != nil {
			t.Fatal(err)
		}
		fail := func(format string, args ...any) {
			t.Errorf("story %d: "+format, append([]any{seed}, args...)...)
		}
		if !r.Due.IsZero() {
			fail("still due at %v: %s", r.Due, r.Problem)
		}
		for _, d := range desks {
			if len(d.tickets) == 0 && adapters.State(r.Values[State]).Ended() {
				continue // it was over before a ticket could be opened
			}
			if n := 1 + len(r.Sides[d.name].Past); len(d.tickets) != n {
				fail("%s has %d tickets, the record knows %d", d.name, len(d.tickets), n)
				continue
			}
			last := d.tickets[len(d.tickets)-1].now
			for _, f := range []Field{Title, Severity, State} {
				if got := valueOf(last, f); got != r.Values[f] {
					fail("%s: %s is %q, agreed is %q", d.name, f, got, r.Values[f])
				}
			}
			for _, text := range w.notes {
				n := 0
				for _, p := range d.tickets {
					for _, note := range p.notes {
						if strings.HasSuffix(note.Text, text) {
							n++
						}
					}
				}
				if n > 1 || n == 0 && len(d.tickets) == 1 {
					fail("%s has %q %d times", d.name, text, n)
				}
			}
		}
		if t.Failed() {
			t.FailNow()
		}
		changes, writes = changes+w.changes, writes+w.writes
		rounds, conflicts = rounds+r.Round, conflicts+len(r.Conflicts)
	}
	t.Logf("%d stories: %d changes by people, %d writes (%.2f a change), %d reopenings, %d changes not kept",
		stories, changes, writes, float64(writes)/float64(changes), rounds, conflicts)
	if writes > 2*changes {
		t.Errorf("%d writes for %d changes, want two each at most", writes, changes)
	}
	if rounds == 0 || conflicts == 0 {
		t.Error("the stories have no reopening or no conflict")
	}
}
