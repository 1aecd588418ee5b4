package adaptertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

// Subject is an adapter whose abilities are tested, with what the suite has to know
// of it and of the vendor behind it.
type Subject struct {
	// Adapter is what is tested. Required.
	Adapter adapters.Capable
	// Ticket is what is opened, with what the vendor wants of a ticket. The suite makes
	// its Key, so that no two tests share one; what stands there goes into it. Defaults
	// to a P2 of tenant "acme" with a title and a text.
	Ticket adapters.Ticket
	// Ref names a ticket that is there, for adapters that open none. Defaults to one
	// that the suite opens.
	Ref adapters.Ref
	// Person is who acknowledges, Assignee whom a ticket is given to, in the vendor's
	// terms. Defaults to nobody; then nothing is assigned.
	Person, Assignee string
	// Target is whose duties are asked for.
	Target string
	// Now is the time at the vendor. Defaults to time.Now.
	Now func() time.Time

	// Sent counts the requests that have reached the vendor. Defaults to nothing that
	// could count; then it is not tested what is refused before anything is sent.
	Sent func() int
	// Tickets counts what was opened at the vendor. Defaults to nothing that could
	// count; then references alone tell whether one key is one ticket.
	Tickets func() int
	// Refused is the same adapter, before a vendor that does not accept its credential.
	// Defaults to none; then that is not tested.
	Refused adapters.Capable
	// Secrets are texts that no error may hold.
	Secrets []string
	// Repeats says that the vendor cannot tell a note by its key, so that one that is
	// written again is there twice.
	Repeats bool
}

// Tickets runs the conformance suite of adapters to systems of tickets: of the
// abilities of package adapters, of their capabilities, and of their errors. open
// makes an adapter before a vendor that has no tickets, or none of the keys that the
// suite makes; it is called for each test. Abilities that are not among the
// capabilities of the adapter are skipped by name.
//
//	func TestConformance(t *testing.T) {
//		adaptertest.Tickets(t, func(t *testing.T) adaptertest.Subject {
//			vendor := newFake(t)
//			return adaptertest.Subject{Adapter: desk.New(vendor.URL, token), Sent: vendor.Requests, Secrets: []string{token}}
//		})
//	}
func Tickets(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	for _, test := range []struct {
		name  string
		needs []adapters.Capability
		run   func(s *ticketSuite)
	}{
		{"capabilities are sorted and have their interfaces", nil, (*ticketSuite).capabilities},
		{"what is not listed is unsupported", nil, (*ticketSuite).unsupported},
		{"errors of contexts that have ended", nil, (*ticketSuite).contexts},
		{"errors of references to elsewhere", nil, (*ticketSuite).elsewhere},
		{"errors of a credential that is not accepted", nil, (*ticketSuite).refused},
		{"one key is one ticket", []adapters.Capability{adapters.CanOpen}, (*ticketSuite).once},
		{"a ticket without a key is not opened", []adapters.Capability{adapters.CanOpen}, (*ticketSuite).keyless},
		{"find", []adapters.Capability{adapters.CanOpen, adapters.CanFind}, (*ticketSuite).find},
		{"read", []adapters.Capability{adapters.CanOpen, adapters.CanRead}, (*ticketSuite).read},
		{"update", []adapters.Capability{adapters.CanOpen, adapters.CanUpdate}, (*ticketSuite).update},
		{"acknowledge", []adapters.Capability{adapters.CanOpen, adapters.CanAcknowledge}, (*ticketSuite).acknowledge},
		{"hold", []adapters.Capability{adapters.CanOpen, adapters.CanHold}, (*ticketSuite).hold},
		{"resolve twice", []adapters.Capability{adapters.CanOpen, adapters.CanResolve}, (*ticketSuite).resolve},
		{"reopen what is active", []adapters.Capability{adapters.CanOpen, adapters.CanReopen}, (*ticketSuite).reopenActive},
		{"reopen what has ended", []adapters.Capability{adapters.CanOpen, adapters.CanReopen, adapters.CanResolve}, (*ticketSuite).reopenEnded},
		{"note", []adapters.Capability{adapters.CanOpen, adapters.CanNote}, (*ticketSuite).note},
		{"attach", []adapters.Capability{adapters.CanOpen, adapters.CanAttach}, (*ticketSuite).attach},
		{"assign", []adapters.Capability{adapters.CanOpen, adapters.CanAssign}, (*ticketSuite).assign},
		{"link", []adapters.Capability{adapters.CanOpen, adapters.CanLink}, (*ticketSuite).link},
		{"merge", []adapters.Capability{adapters.CanOpen, adapters.CanMerge}, (*ticketSuite).merge},
		{"watch", []adapters.Capability{adapters.CanOpen, adapters.CanWatch}, (*ticketSuite).watch},
		{"export", []adapters.Capability{adapters.CanOpen, adapters.CanExport, adapters.CanRead}, (*ticketSuite).export},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &ticketSuite{T: t, Subject: open(t)}
			s.fill()
			for _, needed := range test.needs {
				if !s.can(needed) {
					t.Skipf("%s is not among the capabilities of %s", needed, s.Adapter.Provider())
				}
			}
			test.run(s)
		})
	}
}

type ticketSuite struct {
	*testing.T
	Subject
}

func (s *ticketSuite) fill() {
	if s.Ticket.Title == "" {
		s.Ticket.Title = "checkout is down"
	}
	if s.Ticket.Text == "" {
		s.Ticket.Text = "5xx above 20 % since 11:58"
	}
	if s.Ticket.Tenant == "" {
		s.Ticket.Tenant = "acme"
	}
	if !s.Ticket.Severity.IsSet() {
		s.Ticket.Severity = incident.P2
	}
	if s.Now == nil {
		s.Now = time.Now
	}
}

func (s *ticketSuite) can(c adapters.Capability) bool { return s.Adapter.Capabilities().Has(c) }

// ticket is one to open, of a key that only this test has.
func (s *ticketSuite) ticket(name string) adapters.Ticket {
	t := s.Ticket
	t.Key = adapters.Key{Tenant: t.Tenant, Incident: s.Ticket.Key, Step: s.Name(), Target: name}.String()
	return t
}

func (s *ticketSuite) open(t adapters.Ticket) adapters.Ref {
	s.Helper()
	ref, err := s.Adapter.(adapters.Opener).Open(s.Context(), t)
	s.must("Open", err)
	if ref.ID == "" || ref.Provider != s.Adapter.Provider() || ref.Tenant != t.Tenant {
		s.Fatalf("Open = %+v, want a reference of provider %q and tenant %q", ref, s.Adapter.Provider(), t.Tenant)
	}
	return ref
}

// ref names a ticket that is there, or that could be.
func (s *ticketSuite) ref() adapters.Ref {
	s.Helper()
	switch {
	case !s.Ref.IsZero():
		return s.Ref
	case s.can(adapters.CanOpen):
		return s.open(s.ticket("there"))
	default:
		return adapters.Ref{Provider: s.Adapter.Provider(), Tenant: s.Ticket.Tenant, Type: "incident", ID: "1"}
	}
}

func (s *ticketSuite) must(what string, err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

// now reads a ticket as it stands; false if the adapter does not read.
func (s *ticketSuite) now(ref adapters.Ref) (adapters.Ticket, bool) {
	s.Helper()
	if !s.can(adapters.CanRead) {
		return adapters.Ticket{}, false
	}
	t, err := s.Adapter.(adapters.Reader).Read(s.Context(), ref)
	s.must("Read", err)
	return t, true
}

// rank is what is known of the state of a ticket; an adapter that does not read
// always has the one that is wanted.
func (s *ticketSuite) rank(after string, ref adapters.Ref, want ...int) {
	s.Helper()
	if t, ok := s.now(ref); ok && !slices.Contains(want, t.State.Rank()) {
		s.Errorf("after %s the state is %q of rank %d, want rank %d", after, t.State, t.State.Rank(), want)
	}
}

// holds checks the form of an error: its type, what it has to say, and what it must
// not.
func (s *ticketSuite) holds(what string, err error) *adapters.Error {
	s.Helper()
	if err == nil {
		s.Errorf("%s: no error, want one", what)
		return nil
	}
	for _, secret := range s.Secrets {
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), secret) {
				s.Errorf("%s: the error shows a secret", what)
			}
		}
	}
	e, ok := err.(*adapters.Error) //nolint:errorlint // it is the outermost that callers see
	if !ok {
		s.Errorf("%s: error of type %T, want *adapters.Error: %v", what, err, err)
		return nil
	}
	if e.Provider != s.Adapter.Provider() || e.Op == "" || e.Kind == 0 {
		s.Errorf("%s: error of provider %q, op %q and kind %q, want %q and none empty", what, e.Provider, e.Op, e.Kind, s.Adapter.Provider())
	}
	return e
}

// unsent checks that what is done in between does not reach the vendor.
func (s *ticketSuite) unsent(what string, do func()) {
	s.Helper()
	if s.Sent == nil {
		do()
		return
	}
	before := s.Sent()
	do()
	if n := s.Sent() - before; n != 0 {
		s.Errorf("%s: %d requests were sent, want none", what, n)
	}
}

func (s *ticketSuite) capabilities() {
	if s.Adapter.Provider() == "" {
		s.Error("Provider is empty")
	}
	all := s.Adapter.Capabilities()
	if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		s.Errorf("Capabilities = %q, want them sorted and each once", all)
	}
	for _, a := range abilities {
		if all.Has(a.can) && !a.implemented(s.Adapter) {
			s.Errorf("%s is among the capabilities of %T, which has no such method", a.can, s.Adapter)
		}
	}
}

func (s *ticketSuite) unsupported() {
	tested := false
	for _, a := range abilities {
		if s.can(a.can) || !a.implemented(s.Adapter) {
			continue
		}
		tested = true
		ref := s.ref()
		s.unsent(string(a.can), func() {
			if e := s.holds(string(a.can), a.call(s.Context(), s, s.Adapter, ref)); e != nil && e.Kind != adapters.Unsupported {
				s.Errorf("%s, which is not among the capabilities: %v, want kind %s", a.can, e, adapters.Unsupported)
			}
		})
	}
	if !tested {
		s.Skipf("%s lists all that it has methods for", s.Adapter.Provider())
	}
}

func (s *ticketSuite) contexts() {
	ref := s.ref()
	canceled, cancel := context.WithCancel(s.Context())
	cancel()
	late, cancel := context.WithDeadline(s.Context(), time.Unix(1, 0))
	defer cancel()
	for _, ended := range []struct {
		ctx   context.Context //nolint:containedctx // they are what is tested
		cause error
		kind  adapters.Kind
	}{{canceled, context.Canceled, adapters.Canceled}, {late, context.DeadlineExceeded, adapters.Deadline}} {
		s.each(s.Adapter, func(what string, a ability) {
			s.unsent(what, func() {
				e := s.holds(what, a.call(ended.ctx, s, s.Adapter, ref))
				if e != nil && (!errors.Is(e, ended.cause) || e.Kind != ended.kind) {
					s.Errorf("%s: error %v of kind %s, want %v in its chain and kind %s", what, e, e.Kind, ended.cause, ended.kind)
				}
			})
		})
	}
}

func (s *ticketSuite) elsewhere() {
	s.each(s.Adapter, func(what string, a ability) {
		if !a.referred {
			return
		}
		for _, ref := range []adapters.Ref{{}, {Provider: "elsewhere", Tenant: s.Ticket.Tenant, Type: "incident", ID: "1"}} {
			s.unsent(what, func() {
				if e := s.holds(what, a.call(s.Context(), s, s.Adapter, ref)); e != nil && e.Kind.Retryable() {
					s.Errorf("%s of a reference to %q: %v, want a kind that is not tried again", what, ref.Provider, e)
				}
			})
		}
	})
}

func (s *ticketSuite) refused() {
	if s.Refused == nil {
		s.Skip("Subject.Refused is not set")
	}
	ref := s.ref()
	s.each(s.Refused, func(what string, a ability) {
		if e := s.holds(what, a.call(s.Context(), s, s.Refused, ref)); e != nil && e.Kind != adapters.Unauthorized {
			s.Errorf("%s: %v, want kind %s", what, e, adapters.Unauthorized)
		}
	})
}

// each goes through the abilities that an adapter lists.
func (s *ticketSuite) each(of adapters.Capable, do func(what string, a ability)) {
	for _, a := range abilities {
		if of.Capabilities().Has(a.can) && a.implemented(of) {
			do(string(a.can), a)
		}
	}
}

func (s *ticketSuite) once() {
	t := s.ticket("a")
	first := s.open(t)
	for range 2 {
		if again := s.open(t); !again.Same(first) {
			s.Errorf("Open of the same key = %+v, want %+v", again, first)
		}
	}
	if other := s.open(s.ticket("b")); other.Same(first) {
		s.Errorf("Open of another key = %+v, which is the first", other)
	}
	if s.Tickets == nil {
		return
	}
	if n := s.Tickets(); n != 2 {
		s.Errorf("%d tickets at the vendor, want 2", n)
	}
}

func (s *ticketSuite) keyless() {
	t := s.Ticket
	t.Key = ""
	s.unsent("open", func() {
		_, err := s.Adapter.(adapters.Opener).Open(s.Context(), t)
		if e := s.holds("open", err); e != nil && e.Kind != adapters.Invalid {
			s.Errorf("Open without a key: %v, want kind %s", e, adapters.Invalid)
		}
	})
}

func (s *ticketSuite) find() {
	t := s.ticket("a")
	finder := s.Adapter.(adapters.Finder)
	_, err := finder.Find(s.Context(), t.Tenant, t.Key)
	if e := s.holds("find", err); e != nil && e.Kind != adapters.NotFound {
		s.Errorf("Find of a key that is not there: %v, want kind %s", e, adapters.NotFound)
	}
	opened := s.open(t)
	found, err := finder.Find(s.Context(), t.Tenant, t.Key)
	s.must("Find", err)
	if !found.Same(opened) {
		s.Errorf("Find = %+v, want %+v", found, opened)
	}
}

func (s *ticketSuite) read() {
	t := s.ticket("a")
	ref := s.open(t)
	got, _ := s.now(ref)
	if got.Key != t.Key || got.Tenant != t.Tenant || got.Title != t.Title || got.Severity != t.Severity || !strings.Contains(got.Text, t.Text) {
		s.Errorf("Read = %+v, want key, tenant, title, text and severity of %+v", got, t)
	}
	for _, label := range t.Labels {
		if !slices.Contains(got.Labels, label) && !strings.Contains(got.Text, label) {
			s.Errorf("Read: label %q is lost", label)
		}
	}
	if got.State.Rank() != adapters.StateNew.Rank() || !got.Ref.Same(ref) || got.Created.IsZero() || !got.Resolved.IsZero() {
		s.Errorf("Read: state %q, reference %+v, created %v and resolved %v, want a new one of %+v", got.State, got.Ref, got.Created, got.Resolved, ref)
	}
}

func (s *ticketSuite) update() {
	ref := s.open(s.ticket("a"))
	updater := s.Adapter.(adapters.Updater)
	s.must("Update by nothing", updater.Update(s.Context(), ref, adapters.Patch{}))
	before, _ := s.now(ref)
	title, severity := "checkout is slow", incident.P3
	s.must("Update", updater.Update(s.Context(), ref, adapters.Patch{Title: &title}))
	if got, ok := s.now(ref); ok && (got.Title != title || got.Severity != before.Severity || got.Text != before.Text || got.State != before.State) {
		s.Errorf("after a new title: %+v, want the rest as in %+v", got, before)
	}
	s.must("Update", updater.Update(s.Context(), ref, adapters.Patch{Severity: &severity}))
	if got, ok := s.now(ref); ok && (got.Title != title || got.Severity != severity || got.Text != before.Text || got.State != before.State) {
		s.Errorf("after a new severity: %+v, want %v and the rest as it was", got, severity)
	}
}

func (s *ticketSuite) acknowledge() {
	ref := s.open(s.ticket("a"))
	for _, after := range []string{"Acknowledge", "another Acknowledge"} {
		s.must(after, s.Adapter.(adapters.Acknowledger).Acknowledge(s.Context(), ref, s.Person))
		s.rank(after, ref, adapters.StateAcknowledged.Rank())
	}
}

func (s *ticketSuite) hold() {
	ref := s.open(s.ticket("a"))
	s.must("Hold", s.Adapter.(adapters.Holder).Hold(s.Context(), ref, s.rest()))
	s.rank("Hold", ref, adapters.StateOnHold.Rank())
}

func (s *ticketSuite) rest() adapters.Hold {
	return adapters.Hold{Until: s.Now().Add(2 * time.Hour).Truncate(time.Second), Reason: "waits for a part"}
}

func (s *ticketSuite) resolve() {
	ref := s.open(s.ticket("a"))
	for _, after := range []string{"Resolve", "another Resolve"} {
		s.must(after, s.Adapter.(adapters.Resolver).Resolve(s.Context(), ref, adapters.Resolution{Text: "rolled back"}))
		s.rank(after, ref, adapters.StateResolved.Rank(), adapters.StateClosed.Rank())
	}
	if t, ok := s.now(ref); ok && t.Resolved.IsZero() {
		s.Error("Read: a resolved ticket has no time at which it was")
	}
}

// reopenActive: an adapter that does not read cannot know how a ticket stands, and
// is held to the rule that every try has the same reference alone.
func (s *ticketSuite) reopenActive() {
	ref := s.open(s.ticket("a"))
	again := s.reopen(ref)
	if before, ok := s.now(ref); ok && (!again.Same(ref) || before.State.Rank() != adapters.StateNew.Rank()) {
		s.Errorf("Reopen of a ticket that is new = %+v in state %q, want it left as it is", again, before.State)
	}
}

func (s *ticketSuite) reopenEnded() {
	ref := s.open(s.ticket("a"))
	s.must("Resolve", s.Adapter.(adapters.Resolver).Resolve(s.Context(), ref, adapters.Resolution{Text: "rolled back"}))
	s.rank("Reopen", s.reopen(ref), adapters.StateNew.Rank(), adapters.StateAcknowledged.Rank())
}

// reopen tries twice, which has to come to the same.
func (s *ticketSuite) reopen(ref adapters.Ref) adapters.Ref {
	s.Helper()
	var refs [2]adapters.Ref
	for i := range refs {
		var err error
		refs[i], err = s.Adapter.(adapters.Reopener).Reopen(s.Context(), ref, "it is back")
		s.must("Reopen", err)
	}
	if !refs[0].Same(refs[1]) || refs[0].ID == "" {
		s.Errorf("Reopen = %+v, then %+v, want the same for every try", refs[0], refs[1])
	}
	return refs[0]
}

func (s *ticketSuite) note() {
	ref := s.open(s.ticket("a"))
	noter := s.Adapter.(adapters.Noter)
	restarted := adapters.Note{Text: "restarted the node", Key: "n1"}
	s.must("Note", noter.Note(s.Context(), ref, restarted))
	s.must("Note", noter.Note(s.Context(), ref, restarted))
	s.must("Note", noter.Note(s.Context(), ref, adapters.Note{Text: "rolled back", Key: "n2"}))
	s.rank("Note", ref, adapters.StateNew.Rank())
	if !s.can(adapters.CanReadNotes) {
		return
	}
	var got []string
	var last time.Time // of one instant the order is the vendor's
	for n, err := range s.Adapter.(adapters.NoteReader).Notes(s.Context(), ref) {
		s.must("Notes", err)
		if n.ID == "" || n.At.IsZero() || n.At.Before(last) {
			s.Errorf("Notes: %+v behind one of %v, want ids, and the oldest first", n, last)
		}
		last = n.At
		for _, text := range []string{"restarted the node", "rolled back"} {
			if strings.HasPrefix(n.Text, text) { // a mark of its key may stand behind
				got = append(got, text)
			}
		}
	}
	slices.Sort(got)
	want := []string{"restarted the node", "rolled back"}
	if s.Repeats {
		got = slices.Compact(got)
	}
	if !slices.Equal(got, want) {
		s.Errorf("Notes = %q, want %q", got, want)
	}
}

func (s *ticketSuite) attach() {
	ref := s.open(s.ticket("a"))
	s.must("Attach", s.Adapter.(adapters.Attacher).Attach(s.Context(), ref, graph))
	s.rank("Attach", ref, adapters.StateNew.Rank())
}

var graph = adapters.Attachment{Name: "graph.txt", ContentType: "text/plain", Content: []byte("up and to the right")}

func (s *ticketSuite) assign() {
	if s.Assignee == "" {
		s.Skip("Subject.Assignee is not set")
	}
	ref := s.open(s.ticket("a"))
	s.must("Assign", s.Adapter.(adapters.Assigner).Assign(s.Context(), ref, s.Assignee))
	if t, ok := s.now(ref); ok && t.Assignee == "" {
		s.Errorf("Read: a ticket that was assigned to %q has no assignee", s.Assignee)
	}
}

func (s *ticketSuite) link() {
	from, to := s.open(s.ticket("a")), s.open(s.ticket("b"))
	s.must("Link", s.Adapter.(adapters.Linker).Link(s.Context(), from, to, ""))
	s.rank("Link", from, adapters.StateNew.Rank())
	s.rank("Link", to, adapters.StateNew.Rank())
}

func (s *ticketSuite) merge() {
	into, from := s.open(s.ticket("a")), s.open(s.ticket("b"))
	s.must("Merge", s.Adapter.(adapters.Merger).Merge(s.Context(), into, from))
	s.rank("Merge", from, adapters.StateResolved.Rank(), adapters.StateClosed.Rank())
	s.rank("Merge", into, adapters.StateNew.Rank(), adapters.StateAcknowledged.Rank())
	if e := s.holds("merge into itself", s.Adapter.(adapters.Merger).Merge(s.Context(), into, into)); e != nil && e.Kind.Retryable() {
		s.Errorf("Merge of a ticket into itself: %v, want a kind that is not tried again", e)
	}
}

// watch goes on from a beginning at which nothing had happened: whoever keeps the
// cursor misses nothing.
func (s *ticketSuite) watch() {
	watcher := s.Adapter.(adapters.Watcher)
	cursor := ""
	for e, err := range watcher.Changes(s.Context(), "") {
		s.must("Changes from now", err)
		cursor = e.Cursor
	}
	if cursor == "" {
		s.Fatal("Changes from now come without a cursor to go on from")
	}
	ref := s.open(s.ticket("a"))
	if s.can(adapters.CanAcknowledge) {
		s.must("Acknowledge", s.Adapter.(adapters.Acknowledger).Acknowledge(s.Context(), ref, s.Person))
	}
	for e, err := range watcher.Changes(s.Context(), cursor) {
		s.must("Changes", err)
		if e.Cursor == "" {
			s.Errorf("Changes: %+v without a cursor", e.Ticket.Ref)
		}
		if e.Ticket.Ref.Same(ref) {
			return
		}
	}
	s.Errorf("Changes since %q do not have %+v", cursor, ref)
}

func (s *ticketSuite) export() {
	ref := s.open(s.ticket("a"))
	t, _ := s.now(ref)
	from := t.Created.Truncate(time.Minute) // queries of some vendors know minutes alone
	n := 0
	for e, err := range s.Adapter.(adapters.Exporter).Export(s.Context(), from, from.Add(time.Minute), "") {
		s.must("Export", err)
		if e.Cursor == "" {
			s.Errorf("Export: %+v without a cursor", e.Ticket.Ref)
		}
		if e.Ticket.Ref.Same(ref) {
			n++
		}
	}
	if n != 1 {
		s.Errorf("Export lists the ticket %d times, want once", n)
	}
}
