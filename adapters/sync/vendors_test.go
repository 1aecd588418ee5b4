package sync_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	stdsync "sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/jira"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/adapters/servicenow"
	"github.com/evenkeelops/evenkeel/adapters/sync"
	"github.com/evenkeelops/evenkeel/incident"
)

// These tests run the Syncer over the real clients of two vendors and their fakes,
// through a line that loses requests and answers, with processes that die at any
// request and at any access to the store.

var (
	errDead  = errors.New("the process is dead")
	errReset = errors.New("connection reset by peer")
)

// fate is what happens to the requests and the process of a story.
type fate struct {
	rand   *rand.Rand
	faulty bool
	dead   bool // since then nothing of this process arrives anywhere
	writes int  // that a vendor carried out
	sent   []string
}

// dies kills the process once in n.
func (f *fate) dies(n int) bool {
	f.dead = f.dead || f.faulty && f.rand.IntN(n) == 0
	return f.dead
}

// line carries requests to a vendor.
type line struct {
	*fate
	vendor http.Handler
}

func (l line) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	defer r.Body.Close()
	if l.dies(150) {
		return nil, errDead
	}
	fault := -1
	if l.faulty {
		fault = l.rand.IntN(30)
	}
	switch fault {
	case 0:
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	case 1:
		return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"2"}}, Body: http.NoBody, Request: r}, nil
	}
	clone := r.Clone(r.Context())
	clone.RequestURI = r.URL.RequestURI()
	w := httptest.NewRecorder()
	l.vendor.ServeHTTP(w, clone)
	_, _ = io.Copy(io.Discard, r.Body)
	if r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/search") && w.Code < 300 {
		l.writes++
		l.sent = append(l.sent, r.Method+" "+r.URL.Path)
	}
	if l.dies(150) {
		return nil, errDead
	}
	if fault == 2 || fault == 3 {
		return nil, errReset // it was carried out, and nobody knows
	}
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

// disk is a store that a process can die over, before or after it has written.
type disk struct {
	*sync.Memory
	*fate
}

func (d disk) write(do func() error) error {
	if d.dies(200) {
		return errDead
	}
	err := do()
	if d.dies(200) {
		return errDead
	}
	return err
}

func (d disk) Save(ctx context.Context, r sync.Record) error {
	return d.write(func() error { return d.Memory.Save(ctx, r) })
}

func (d disk) Touch(ctx context.Context, id sync.ID, at time.Time) error {
	return d.write(func() error { return d.Memory.Touch(ctx, id, at) })
}

func (d disk) SaveCursor(ctx context.Context, side, cursor string) error {
	return d.write(func() error { return d.Memory.SaveCursor(ctx, side, cursor) })
}

// papers is a ledger that a process can die over.
type papers struct {
	*adapters.MemoryLedger
	*fate
}

func (p papers) Intend(ctx context.Context, tenant, key string, at time.Time) (adapters.Entry, bool, error) {
	if p.dies(200) {
		return adapters.Entry{}, false, errDead
	}
	return p.MemoryLedger.Intend(ctx, tenant, key, at)
}

func (p papers) Settle(ctx context.Context, tenant, key string, ref adapters.Ref) error {
	if p.dies(200) {
		return errDead
	}
	return p.MemoryLedger.Settle(ctx, tenant, key, ref)
}

// incidents is a journal in memory.
type incidents struct {
	mu  stdsync.Mutex
	all map[string]*incident.Incident
}

func (j *incidents) Load(_ context.Context, tenant, id string) (*incident.Incident, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if inc := j.all[id]; inc != nil {
		return inc, nil
	}
	return incident.New(tenant, id, incident.Options{})
}

func (j *incidents) Change(ctx context.Context, tenant, id string, do func(*incident.Incident) error) error {
	inc, err := j.Load(ctx, tenant, id)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.all[id] = inc
	return do(inc)
}

// system is all that the clients of this test can do.
type system interface {
	sync.System
	adapters.Updater
	adapters.Acknowledger
	adapters.Resolver
	adapters.Reopener
	adapters.Noter
	adapters.NoteReader
}

// place is a system and how to reach it: by the line, and as its own people do.
type place struct {
	name    string
	client  func(base func(http.Handler) http.RoundTripper, l adapters.Ledger) (system, error)
	tickets func() int
}

func pagerDuty() place {
	fake := adaptertest.NewPagerDuty(adaptertest.PagerDutyOptions{
		Users:      []adaptertest.PagerDutyUser{{ID: "PBOT", Name: "Bot", Email: "bot@example.com"}, {ID: "PANN", Name: "Ann", Email: "ann@example.com"}},
		Services:   []adaptertest.PagerDutyThing{{ID: "PSHOP", Name: "checkout"}},
		Priorities: []adaptertest.PagerDutyThing{{ID: "PRIO1", Name: "P1"}, {ID: "PRIO2", Name: "P2"}, {ID: "PRIO3", Name: "P3"}, {ID: "PRIO4", Name: "P4"}},
	})
	return place{"pagerduty", func(base func(http.Handler) http.RoundTripper, _ adapters.Ledger) (system, error) {
		return pagerduty.New(pagerduty.Config{
			Token: adapters.NewSecret("token"), From: "bot@example.com", Service: "PSHOP", Tenant: "acme", ReopenWindow: 10 * time.Minute, Transport: base(fake),
		})
	}, func() int { return len(fake.Incidents()) }}
}

func jiraCloud() place {
	fake := adaptertest.NewJira(adaptertest.JiraOptions{Lag: 3 * time.Second})
	return place{"jira", func(base func(http.Handler) http.RoundTripper, l adapters.Ledger) (system, error) {
		return jira.New(jira.Config{
			BaseURL: "https://acme.atlassian.net", Deployment: jira.Cloud, Email: "bot@example.com", Token: adapters.NewSecret("token"),
			Tenant: "acme", Project: "OPS", IssueType: "Incident", Ledger: l, ReopenWindow: 10 * time.Minute, Transport: base(fake),
		})
	}, func() int { return len(fake.Issues()) }}
}

func serviceNow() place {
	fake := adaptertest.NewServiceNow(adaptertest.ServiceNowOptions{})
	return place{"servicenow", func(base func(http.Handler) http.RoundTripper, _ adapters.Ledger) (system, error) {
		return servicenow.New(servicenow.Config{
			BaseURL: "https://acme.service-now.com", User: "evenkeel", ReopenWindow: 10 * time.Minute, Transport: base(fake),
		})
	}, func() int { return len(fake.Records("incident", "")) }}
}

var story = sync.ID{Tenant: "acme", Incident: "INC-1"}

// told is one random story and how it ended.
type told struct {
	*fate
	changes int
	kills   int
	notes   []string
	record  sync.Record
	tickets map[string]int
	last    map[string]adapters.Ticket
	texts   map[string][]string // of notes, by place
}

// tell plays a story over places, the first of which has the ticket that begins it.
// With ours, our own incident is a side too and begins it.
func tell(t *testing.T, seed uint64, ours bool, places []place) told {
	t.Helper()
	var (
		f       = &fate{rand: rand.New(rand.NewPCG(seed, 7))}
		out     = told{fate: f, tickets: map[string]int{}, last: map[string]adapters.Ticket{}, texts: map[string][]string{}}
		memory  = &sync.Memory{}
		ledger  = &adapters.MemoryLedger{}
		journal = &incidents{all: map[string]*incident.Incident{}}
		people  = map[string]system{}
		names   []string
		syncer  *sync.Syncer
		live    *fate
	)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	begin := func() { // a process
		live = &fate{rand: f.rand, faulty: f.faulty}
		config := sync.Config{Store: disk{memory, live}, Lease: time.Minute}
		if ours {
			config.Sides = append(config.Sides, sync.Side{Name: "incident", System: sync.NewIncidents(journal, "", nil), Notes: true})
			config.Owners = map[sync.Field]string{sync.Title: "incident"}
		}
		for _, p := range places {
			client, err := p.client(func(h http.Handler) http.RoundTripper { return line{live, h} }, papers{ledger, live})
			must(err)
			config.Sides = append(config.Sides, sync.Side{Name: p.name, System: client, Opens: true, Notes: true})
		}
		s, err := sync.New(config)
		must(err)
		syncer = s
	}
	revive := func() {
		f.writes += live.writes
		f.sent = append(f.sent, live.sent...)
		live.writes, live.sent = 0, nil
		if live.dead || live.faulty != f.faulty {
			if live.dead {
				out.kills++
			}
			begin()
		}
	}
	for _, p := range places {
		client, err := p.client(func(h http.Handler) http.RoundTripper { return line{&fate{}, h} }, &adapters.MemoryLedger{})
		must(err)
		people[p.name] = client
		names = append(names, p.name)
	}
	begin()
	must(syncer.Poll(t.Context())) // which begins the cursors
	first, begun := places[0].name, people[places[0].name].Open
	if ours {
		first = "incident"
		side := sync.NewIncidents(journal, "ann", nil)
		people[first], begun = side, side.Open
		names = append(names, first)
	}
	ref, err := begun(t.Context(), adapters.Ticket{
		Ref: adapters.Ref{ID: story.Incident}, Tenant: "acme", Key: "first", Title: "checkout is down", Severity: incident.P2,
	})
	must(err)
	out.changes++
	must(syncer.Track(t.Context(), story, first, ref))
	f.faulty = true
	revive()

	refs := func() map[string]adapters.Ref {
		r, _, err := memory.Load(t.Context(), story)
		must(err)
		all := map[string]adapters.Ref{}
		for name, st := range r.Sides {
			if !st.Ref.IsZero() {
				all[name] = st.Ref
			}
		}
		return all
	}
	touch := func(name string) {
		if ref, ok := refs()[name]; ok {
			_ = syncer.Touch(t.Context(), name, adapters.Ticket{Ref: ref}) // a process that dies over it has not answered: it comes again, or Poll finds it
			revive()
		}
	}
	for n := range 30 {
		time.Sleep(time.Duration(f.rand.IntN(4000)) * time.Millisecond)
		name := names[f.rand.IntN(len(names))]
		switch f.rand.IntN(10) {
		case 0, 1, 2:
			if ref, ok := refs()[name]; ok && edit(t, f.rand, people[name], name, ref, n, &out.notes) {
				out.changes++
			}
			if f.rand.IntN(4) > 0 || name == "incident" { // else the webhook is lost
				touch(name)
			}
		case 3:
			touch(name) // late or twice
		case 4:
			time.Sleep(time.Duration(f.rand.IntN(100)) * time.Second)
		case 5, 6:
			_ = syncer.Poll(t.Context())
		default:
			_, _ = syncer.Work(t.Context(), 10)
		}
		revive()
	}
	// Everything heals. What no webhook told is found by polling, but for our own side.
	f.faulty = false
	revive()
	time.Sleep(10 * time.Minute)
	touch("incident")
	for range 40 {
		must(syncer.Poll(t.Context()))
		time.Sleep(11 * time.Second)
		_, err := syncer.Work(t.Context(), 10)
		must(err)
	}
	revive()
	out.record, _, err = memory.Load(t.Context(), story)
	must(err)
	for _, p := range places {
		out.tickets[p.name] = p.tickets()
	}
	for name, ref := range refs() {
		out.last[name], err = people[name].Read(t.Context(), ref)
		must(err)
		for _, ref := range append(out.record.Sides[name].Past, ref) {
			for note, err := range people[name].Notes(t.Context(), ref) {
				must(err)
				out.texts[name] = append(out.texts[name], note.Text)
			}
		}
	}
	return out
}

// edit changes something as people there do; false if there was nothing to change.
func edit(t *testing.T, draw *rand.Rand, s system, name string, ref adapters.Ref, n int, notes *[]string) bool {
	t.Helper()
	ticket, err := s.Read(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	switch draw.IntN(6) {
	case 0:
		if name == "incident" {
			return false // its title does not change
		}
		title := fmt.Sprintf("title %d of %s", n, name)
		err = s.Update(t.Context(), ref, adapters.Patch{Title: &title})
	case 1:
		severity := incident.Severity(1 + draw.IntN(4))
		err = s.Update(t.Context(), ref, adapters.Patch{Severity: &severity})
	case 2:
		text := fmt.Sprintf("note %d of %s.", n, name)
		*notes = append(*notes, text)
		err = s.Note(t.Context(), ref, adapters.Note{Text: text})
	case 3, 4:
		if ticket.State.Ended() {
			return false
		}
		err = s.Acknowledge(t.Context(), ref, "")
	default:
		if ticket.State.Ended() {
			_, err = s.Reopen(t.Context(), ref, "")
		} else {
			err = s.Resolve(t.Context(), ref, adapters.Resolution{Text: "a note about the end"})
		}
	}
	if err != nil {
		t.Fatalf("%s: people: %v", name, err)
	}
	return true
}

func TestVendors(t *testing.T) {
	for _, c := range []struct {
		name   string
		ours   bool
		places func() []place
	}{
		{"pagerduty and jira", false, func() []place { return []place{pagerDuty(), jiraCloud()} }},
		{"pagerduty and servicenow", false, func() []place { return []place{pagerDuty(), serviceNow()} }},
		{"incident, pagerduty and jira", true, func() []place { return []place{pagerDuty(), jiraCloud()} }},
		{"incident, pagerduty and servicenow", true, func() []place { return []place{pagerDuty(), serviceNow()} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			stories := 30
			switch {
			case os.Getenv("EVENKEEL_SOAK") != "":
				stories = 400
			case testing.Short():
				stories = 5
			}
			var changes, writes, kills, rounds, conflicts int
			for seed := range uint64(stories) { //nolint:gosec // positive
				var s told
				synctest.Test(t, func(t *testing.T) { s = tell(t, seed, c.ours, c.places()) })
				s.check(t, seed)
				if t.Failed() {
					t.FailNow()
				}
				changes, writes, kills = changes+s.changes, writes+s.writes, kills+s.kills
				rounds, conflicts = rounds+s.record.Round, conflicts+len(s.record.Conflicts)
			}
			t.Logf("%d stories: %d changes by people, %d writes (%.2f a change), %d kills, %d reopenings, %d changes not kept",
				stories, changes, writes, float64(writes)/float64(changes), kills, rounds, conflicts)
			if writes > 2*changes {
				t.Errorf("%d writes for %d changes, want two each at most", writes, changes)
			}
			if !testing.Short() && (kills == 0 || rounds == 0 || conflicts == 0) {
				t.Errorf("%d kills, %d reopenings, %d conflicts: want some of each", kills, rounds, conflicts)
			}
		})
	}
}

// check compares the end of a story with what has to be: all systems say the same,
// no ticket is there twice, no note is lost or twice.
func (s told) check(t *testing.T, seed uint64) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("story %d: "+format, append([]any{seed}, args...)...)
	}
	if !s.record.Due.IsZero() {
		fail("still due at %v: %s", s.record.Due, s.record.Problem)
	}
	for name, n := range s.tickets {
		st := s.record.Sides[name]
		if st == nil || st.Ref.IsZero() {
			if n != 0 || !adapters.State(s.record.Values[sync.State]).Ended() {
				fail("%s has %d tickets, the record knows none", name, n)
			}
			continue
		}
		if n != 1+len(st.Past) {
			fail("%s has %d tickets, the record knows %d", name, n, 1+len(st.Past))
		}
	}
	for name, ticket := range s.last {
		if got := ticket.Title; got != s.record.Values[sync.Title] {
			fail("%s: title is %q, agreed is %q", name, got, s.record.Values[sync.Title])
		}
		if got := ticket.Severity.String(); got != s.record.Values[sync.Severity] {
			fail("%s: severity is %s, agreed is %s", name, got, s.record.Values[sync.Severity])
		}
		if got := string(ticket.State); got != s.record.Values[sync.State] {
			fail("%s: state is %s, agreed is %s", name, got, s.record.Values[sync.State])
		}
		for _, note := range s.notes {
			n := 0
			for _, text := range s.texts[name] {
				n += strings.Count(text, note)
			}
			if n != 1 {
				fail("%s has %q %d times:\n%s", name, note, n, strings.Join(s.texts[name], "\n"))
			}
		}
		for _, text := range s.texts[name] {
			for other := range s.last {
				// That another incident follows is what the adapter of PagerDuty says for people.
				if strings.HasPrefix(text, "["+other+" ") && !strings.Contains(text, "note ") && !strings.Contains(text, "Followed by") {
					fail("%s was told what nobody wrote: %q", name, text)
				}
			}
		}
	}
}
