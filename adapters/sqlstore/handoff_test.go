package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/handoff"
)

// On 14 July 2026 Singapore hands over at 09:30Z, Amsterdam at 15:30Z and Austin at
// 22:30Z, for half an hour each. Austin has a manager.
func dayOfHandoffs(t *testing.T) []*handoff.Record {
	t.Helper()
	roster := escalation.SampleRoster()
	roster.Centres = escalation.SampleCentres()
	roster.Centres[1].Manager = "max"
	roster.Engineers = append(roster.Engineers,
		escalation.Engineer{ID: "max", Level: escalation.Management, Centre: "austin"},
		escalation.Engineer{ID: "omar", Level: escalation.Senior, Centre: "singapore"},
	)
	router, err := escalation.NewRouter(roster)
	if err != nil {
		t.Fatal(err)
	}
	var out []*handoff.Record
	for _, planned := range router.Centres().Handoffs(july("00:00"), july("00:00").AddDate(0, 0, 1)) {
		r, err := handoff.Open(router, "acme", planned, handoff.Situation{At: planned.Start})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func july(hhmm string) time.Time {
	t, err := time.Parse("2006-01-02T15:04", "2026-07-14T"+hhmm)
	if err != nil {
		panic(err)
	}
	return t
}

const evening = "handoff/amsterdam/austin/2026-07-14T15:30:00Z"

func handoffs(t *testing.T, s *sqlstore.Store) *sqlstore.Handoffs {
	t.Helper()
	h, err := sqlstore.NewHandoffs(s, "acme", "")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// opened opens the handoff from Amsterdam to Austin.
func opened(t *testing.T, s *sqlstore.Store) *sqlstore.Handoffs {
	t.Helper()
	h := handoffs(t, s)
	if err := h.Open(t.Context(), dayOfHandoffs(t)[1]); err != nil {
		t.Fatal(err)
	}
	return h
}

func change(t *testing.T, h *sqlstore.Handoffs, id string, do func(*handoff.Record) error) {
	t.Helper()
	if _, err := h.Change(t.Context(), id, do); err != nil {
		t.Fatal(err)
	}
}

// signOff goes through the agenda and signs for the sender.
func signOff(who string, when time.Time) func(*handoff.Record) error {
	return func(r *handoff.Record) error {
		for i := range r.Agenda {
			if err := r.Tick(i, who, when); err != nil {
				return err
			}
		}
		return r.SignOff(who, "", when)
	}
}

func accept(who string, when time.Time) func(*handoff.Record) error {
	return func(r *handoff.Record) error { return r.Accept(who, "", when) }
}

// end fires what is due at an instant and returns the errors of the timers.
func end(t *testing.T, s *sqlstore.Store, h *sqlstore.Handoffs) []error {
	t.Helper()
	leases, err := s.Timers().Claim(t.Context(), 100, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return s.Fire(t.Context(), leases, h.Fire)
}

func wantOwner(t *testing.T, what string, h *sqlstore.Handoffs, want sqlstore.Ownership) {
	t.Helper()
	if got, err := h.Owner(t.Context()); err != nil || got != want {
		t.Errorf("%s: owner %+v, %v, want %+v", what, got, err, want)
	}
}

const told = "notice acme/" + evening + "/overdue/max pending"

// after is the ownership of Austin since an instant.
func after(when string, overdue bool) sqlstore.Ownership {
	return sqlstore.Ownership{Owner: "austin", Since: july(when), Handoff: evening, Started: july("15:30"), Overdue: overdue}
}

// Responsibility moves with the acceptance; the end of the window changes nothing
// any more.
func TestHandoffAccepted(t *testing.T) {
	s, c := open(t)
	c.set(july("15:00"))
	h := opened(t, s)
	wantOwner(t, "before the window", h, sqlstore.Ownership{Owner: "amsterdam"})
	change(t, h, evening, signOff("sarah", july("15:40")))
	wantOwner(t, "signed off", h, sqlstore.Ownership{Owner: "amsterdam"})
	change(t, h, evening, accept("marcus", july("15:45")))
	wantOwner(t, "accepted", h, after("15:45", false))
	change(t, h, evening, accept("marcus", july("15:50"))) // again
	if n, err := s.Timers().Count(t.Context(), "acme"); err != nil || n.Cancelled != 1 || n.Pending != 0 {
		t.Errorf("timers %+v, %v, want the one cancelled", n, err)
	}
	c.set(july("16:00"))
	if errs := end(t, s, h); len(errs) != 0 || outbox(t, s) != "" {
		t.Errorf("at the end %d timers, outbox %q, want nothing", len(errs), outbox(t, s))
	}
	// Whoever opens what is planned once more, or opens an earlier one late, changes nothing.
	for _, r := range dayOfHandoffs(t)[:2] {
		if err := h.Open(t.Context(), r); err != nil {
			t.Error(err)
		}
	}
	wantOwner(t, "at the end", h, after("15:45", false))
	if r, err := h.Handoff(t.Context(), evening); err != nil || r.Sent.By != "sarah" || r.Accepted.By != "marcus" || len(r.Open()) != 0 {
		t.Errorf("record %+v, %v, want both signatures and the agenda done", r, err)
	}
	lines, err := s.Timeline(t.Context(), "acme", "handoff/owner")
	if got := fmt.Sprintf("%s", lines); err != nil ||
		got != `[{"owner":"amsterdam"} {"owner":"austin","since":"2026-07-14T15:45:00Z","handoff":"`+evening+`","begun":"2026-07-14T15:30:00Z"}]` {
		t.Errorf("owners so far: %s, %v, want Amsterdam, then Austin", got, err)
	}
}

// Nobody accepts: at the end of the window, not before, Austin is responsible, the
// handoff is overdue and the manager is told, once. A late acceptance is on record and
// changes neither.
func TestHandoffOverdue(t *testing.T) {
	s, c := open(t)
	c.set(july("15:00"))
	h := opened(t, s)
	c.set(july("16:00").Add(-1))
	if errs := end(t, s, h); len(errs) != 0 {
		t.Errorf("a nanosecond before the end: %v, want no timer", errs)
	}
	wantOwner(t, "before the end", h, sqlstore.Ownership{Owner: "amsterdam"})
	c.set(july("16:00"))
	if errs := end(t, s, h); len(errs) != 1 || errs[0] != nil {
		t.Fatalf("at the end: %v, want one timer fired", errs)
	}
	wantOwner(t, "at the end", h, after("16:00", true))
	same(t, "outbox", outbox(t, s), told)
	c.set(july("16:10"))
	if errs := end(t, s, h); len(errs) != 0 {
		t.Errorf("later: %v, want no timer", errs)
	}
	change(t, h, evening, accept("marcus", july("16:10")))
	wantOwner(t, "accepted late", h, after("16:00", true))
	same(t, "outbox after it", outbox(t, s), told)
	if r, err := h.Handoff(t.Context(), evening); err != nil || !r.Overdue(july("16:10")) || r.Accepted.By != "marcus" || !r.Told.Equal(july("16:00")) {
		t.Errorf("record %+v, %v, want it overdue, told at 16:00 and accepted by marcus", r, err)
	}
}

// An acceptance counts from its instant, also where it is known only after the
// timer has fired: the flag goes.
func TestAcceptanceKnownAfterTheEnd(t *testing.T) {
	s, c := open(t)
	c.set(july("15:00"))
	h := opened(t, s)
	change(t, h, evening, signOff("sarah", july("15:40")))
	c.set(july("16:01"))
	end(t, s, h)
	wantOwner(t, "at the end", h, after("16:00", true))
	change(t, h, evening, accept("marcus", july("15:59")))
	wantOwner(t, "accepted in time", h, after("15:59", false))
}

// Two processes open the same handoff and see the same timer. The first stops for
// longer than its lease, the second fires; then an acceptance meets a timer that is
// held, in both orders. In the end one notice at the most is there.
func TestHandoffOfTwoNodes(t *testing.T) {
	for _, c := range []struct {
		name   string
		steps  func(t *testing.T, second *sqlstore.Handoffs, fire func() error)
		want   sqlstore.Ownership
		outbox string
	}{
		{"no acceptance", func(t *testing.T, _ *sqlstore.Handoffs, fire func() error) {
			t.Helper()
			if err := fire(); err != nil {
				t.Error(err)
			}
		}, after("16:00", true), told},
		{"the acceptance first", func(t *testing.T, second *sqlstore.Handoffs, fire func() error) {
			t.Helper()
			change(t, second, evening, accept("marcus", july("16:00")))
			if err := fire(); err != nil {
				t.Error(err)
			}
		}, after("16:00", false), ""},
		{"the timer first", func(t *testing.T, second *sqlstore.Handoffs, fire func() error) {
			t.Helper()
			if err := fire(); err != nil {
				t.Error(err)
			}
			change(t, second, evening, accept("marcus", july("16:00")))
		}, after("16:00", false), told},
	} {
		clock := &clock{}
		clock.set(july("15:00"))
		file := filepath.Join(t.TempDir(), "x.db")
		a, b := node(t, file, clock), node(t, file, clock)
		first, second := opened(t, a), opened(t, b)
		if n, err := a.Timers().Count(t.Context(), "acme"); err != nil || n.Pending != 1 {
			t.Fatalf("%s: timers %+v, %v, want one for both", c.name, n, err)
		}
		change(t, first, evening, signOff("sarah", july("15:40")))
		clock.set(july("16:00"))
		stopped, err := a.Timers().Claim(t.Context(), 1, time.Second)
		if err != nil || len(stopped) != 1 {
			t.Fatal(stopped, err)
		}
		clock.advance(time.Second)
		held, err := b.Timers().Claim(t.Context(), 1, time.Second)
		if err != nil || len(held) != 1 {
			t.Fatal(held, err)
		}
		c.steps(t, second, func() error { return b.Fire(t.Context(), held, second.Fire)[0] })
		if errs := a.Fire(t.Context(), stopped, first.Fire); !errors.Is(errs[0], escalation.ErrLeaseLost) {
			t.Errorf("%s: the first process: %v, want ErrLeaseLost", c.name, errs[0])
		}
		wantOwner(t, c.name, first, c.want)
		same(t, c.name, outbox(t, a), c.outbox)
	}
}

// node is a process of its own on a database.
func node(t *testing.T, file string, c *clock) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), databaseAt(t, file), &sqlstore.Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each step is taken by a process that has just started and knows nothing.
func TestHandoffAfterRestart(t *testing.T) {
	clock := &clock{}
	clock.set(july("15:00"))
	file := filepath.Join(t.TempDir(), "x.db")
	opened(t, node(t, file, clock))
	change(t, handoffs(t, node(t, file, clock)), evening, signOff("sarah", july("15:40")))
	clock.set(july("17:00")) // nobody runs at the end of the window
	s := node(t, file, clock)
	opened(t, s) // the plan still has it
	h := handoffs(t, s)
	wantOwner(t, "before the timer", h, sqlstore.Ownership{Owner: "amsterdam"})
	end(t, s, h)
	s = node(t, file, clock)
	wantOwner(t, "after it", handoffs(t, s), after("16:00", true))
	same(t, "outbox", outbox(t, s), told)
}

// What the record refuses is refused, and nothing is written.
func TestHandoffRefuses(t *testing.T) {
	s, c := open(t)
	c.set(july("15:00"))
	h := opened(t, s)
	change(t, h, evening, signOff("sarah", july("15:40")))
	for _, refused := range []struct {
		what string
		do   func(*handoff.Record) error
		want error
	}{
		{"self-acceptance", accept("sarah", july("15:45")), handoff.ErrSelfAcceptance},
		{"acceptance by a stranger", accept("omar", july("15:45")), handoff.ErrWrongSide},
		{"a tick after the signature", func(r *handoff.Record) error { return r.Tick(0, "sarah", july("15:45")) }, handoff.ErrSignedOff},
		{"an acceptance and then a mistake", func(r *handoff.Record) error {
			return errors.Join(accept("marcus", july("15:45"))(r), errors.ErrUnsupported)
		}, errors.ErrUnsupported},
	} {
		if _, err := h.Change(t.Context(), evening, refused.do); !errors.Is(err, refused.want) {
			t.Errorf("%s: %v, want %v", refused.what, err, refused.want)
		}
	}
	wantOwner(t, "after all that", h, sqlstore.Ownership{Owner: "amsterdam"})
	if r, err := h.Handoff(t.Context(), evening); err != nil || r.Accepted.IsSet() {
		t.Errorf("record %+v, %v, want it not accepted", r, err)
	}
	if n, err := s.Timers().Count(t.Context(), "acme"); err != nil || n.Pending != 1 {
		t.Errorf("timers %+v, %v, want the one waiting", n, err)
	}

	if _, err := h.Change(t.Context(), "handoff/x/y/z", accept("marcus", july("15:45"))); !errors.Is(err, sqlstore.ErrNotFound) {
		t.Errorf("an unknown handoff: %v, want ErrNotFound", err)
	}
	stranger := dayOfHandoffs(t)[1]
	stranger.Tenant = "globex"
	if err := h.Open(t.Context(), stranger); err == nil {
		t.Error("a handoff of another tenant: nil, want an error")
	}
	var bad *escalation.ConfigError
	if err := h.Open(t.Context(), &handoff.Record{Tenant: "acme"}); !errors.As(err, &bad) {
		t.Errorf("an empty handoff: %v, want a *ConfigError", err)
	}
	if _, err := sqlstore.NewHandoffs(s, "", ""); err == nil {
		t.Error("handoffs without a tenant: nil, want an error")
	}
	other, err := sqlstore.NewHandoffs(s, "globex", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Owner(t.Context()); !errors.Is(err, sqlstore.ErrNotFound) {
		t.Errorf("the owner of another tenant: %v, want ErrNotFound", err)
	}
}

// A whole day in virtual time, all handoffs opened at its beginning and none
// accepted but the last: each moves responsibility at its instant. An acceptance of
// the morning that becomes known in the evening moves nothing back.
func TestHandoffsOfADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := database(t)
		base := time.Now()
		ahead := july("09:00").Sub(base)
		now := func() time.Time { return time.Now().Add(ahead) }
		s, err := sqlstore.Open(t.Context(), db, &sqlstore.Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		h, day := handoffs(t, s), dayOfHandoffs(t)
		for _, r := range day {
			if err := h.Open(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		r, err := runner.New(runner.Config{Timers: s.Timers(), Poll: time.Minute, Lease: time.Minute, Batch: func(ctx context.Context, leases []escalation.Lease) []error {
			return s.Fire(ctx, leases, h.Fire)
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		until := func(when time.Time) {
			time.Sleep(when.Sub(now()))
			synctest.Wait()
		}
		for _, want := range []struct{ at, owner string }{
			{"09:59", "singapore"}, {"10:00", "amsterdam"}, {"15:59", "amsterdam"}, {"16:00", "austin"}, {"22:44", "austin"},
		} {
			until(july(want.at))
			if got, err := h.Owner(t.Context()); err != nil || got.Owner != want.owner {
				t.Errorf("owner at %s = %+v, %v, want %s", want.at, got, err, want.owner)
			}
		}
		change(t, h, day[2].ID(), signOff("marcus", july("22:40")))
		until(july("22:45"))
		change(t, h, day[2].ID(), accept("omar", now()))
		until(july("23:50"))
		change(t, h, day[0].ID(), accept("sarah", july("10:30")))
		if got, err := h.Owner(t.Context()); err != nil || got.Owner != "singapore" || !got.Since.Equal(july("22:45")) || got.Overdue {
			t.Errorf("owner at night = %+v, %v, want Singapore since 22:45", got, err)
		}
		same(t, "outbox", outbox(t, s), told+"\nnotice acme/handoff/singapore/amsterdam/2026-07-14T09:30:00Z/overdue/on-call-manager pending")
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}
