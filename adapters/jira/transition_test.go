package jira

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
)

func TestStates(t *testing.T) {
	for name, o := range both {
		t.Run(name, func(t *testing.T) {
			c, fake := with(t, o, nil)
			ctx, ref := t.Context(), mustOpen(t, c, "k")
			check := func(status, resolution string, state adapters.State, comments ...string) {
				t.Helper()
				i := fake.Issues()[0]
				got, err := c.Read(ctx, ref)
				must(t, err)
				if i.Status != status || i.Resolution != resolution || got.State != state || !slices.Equal(i.Comments, comments) || got.Resolved.IsZero() != (resolution == "") {
					t.Errorf("status %q, resolution %q, state %q, comments %q; want %q, %q, %q, %q", i.Status, i.Resolution, got.State, i.Comments, status, resolution, state, comments)
				}
			}
			must(t, c.Hold(ctx, ref, adapters.Hold{Reason: "vendor"}))
			check("Pending", "", adapters.StateOnHold, "vendor")
			// Pending is of the same category as In Progress, and not the same state.
			must(t, c.Acknowledge(ctx, ref, "Sarah Chen"))
			check("In Progress", "", adapters.StateAcknowledged, "vendor", "Acknowledged by Sarah Chen")
			for range 2 { // the second one finds it done, comment and all
				must(t, c.Resolve(ctx, ref, adapters.Resolution{Text: "restarted"}))
				check("Done", "Done", adapters.StateResolved, "vendor", "Acknowledged by Sarah Chen", "restarted")
			}
			if err := c.Acknowledge(ctx, ref, ""); adapters.KindOf(err) != adapters.Conflict {
				t.Errorf("late acknowledgement: %v, want a conflict", err)
			}
			again, err := c.Reopen(ctx, ref, "it is back")
			if err != nil || !again.Same(ref) {
				t.Errorf("reopen: %v, %v; want the same issue", again, err)
			}
			check("To Do", "", adapters.StateNew, "vendor", "Acknowledged by Sarah Chen", "restarted", "it is back")
			must(t, c.Cancel(ctx, ref, adapters.Resolution{}))
			check("Done", "Won't Do", adapters.StateCancelled, "vendor", "Acknowledged by Sarah Chen", "restarted", "it is back")
		})
	}
}

// Without the field on the screen of the transition an issue is done and has no
// resolution: that is told and not left so in silence.
func TestResolveWithoutScreen(t *testing.T) {
	c, _ := with(t, adaptertest.JiraOptions{NoResolutionScreen: true}, nil)
	ref := mustOpen(t, c, "k")
	err := c.Resolve(t.Context(), ref, adapters.Resolution{})
	if e, ok := errors.AsType[*adapters.Error](err); !ok || e.Kind != adapters.Invalid || !strings.Contains(err.Error(), "screen of the transition") {
		t.Errorf("error %v, want invalid with a hint", err)
	}
}

func TestResolveCode(t *testing.T) {
	c, fake := with(t, adaptertest.JiraOptions{}, nil)
	ref := mustOpen(t, c, "k")
	if err := c.Resolve(t.Context(), ref, adapters.Resolution{Code: "Odd"}); adapters.KindOf(err) != adapters.Invalid {
		t.Errorf("unknown code: %v, want invalid", err)
	}
	must(t, c.Resolve(t.Context(), ref, adapters.Resolution{Code: "Won't Do"}))
	if i := fake.Issues()[0]; i.Resolution != "Won't Do" {
		t.Errorf("resolution %q", i.Resolution)
	}
}

func TestHoldUnsupported(t *testing.T) {
	c, fake := with(t, adaptertest.JiraOptions{}, func(c *Config) { c.States = nil })
	ref := mustOpen(t, c, "k")
	sent := len(fake.Requests())
	if err := c.Hold(t.Context(), ref, adapters.Hold{}); adapters.KindOf(err) != adapters.Unsupported || len(fake.Requests()) != sent {
		t.Errorf("hold: %v after %d requests, want unsupported and none", err, len(fake.Requests())-sent)
	}
	if c.Capabilities().Has(adapters.CanHold) {
		t.Error("holds without a status to hold in")
	}
}

// Where resolved and closed are two statuses, closing what is resolved is a step,
// and resolving what is closed is none.
func TestReached(t *testing.T) {
	c, _ := with(t, adaptertest.JiraOptions{}, func(c *Config) {
		c.States = adapters.Names[adapters.State, Status]{
			{Ours: adapters.StateResolved, Theirs: Status{Category: CategoryDone, Name: "Resolved"}},
			{Ours: adapters.StateClosed, Theirs: Status{Category: CategoryDone, Name: "Closed"}},
			{Ours: adapters.StateOnHold, Theirs: pending},
			{Ours: adapters.StateAcknowledged, Theirs: Status{Category: CategoryIndeterminate}},
		}
	})
	for _, tt := range []struct {
		is   Status
		to   adapters.State
		want bool
	}{
		{Status{CategoryDone, "Resolved"}, adapters.StateResolved, true},
		{Status{CategoryDone, "Resolved"}, adapters.StateClosed, false},
		{Status{CategoryDone, "Closed"}, adapters.StateResolved, true},
		{Status{CategoryDone, "Closed"}, adapters.StateClosed, true},
		{pending, adapters.StateAcknowledged, false},
		{Status{CategoryIndeterminate, "Any"}, adapters.StateAcknowledged, true},
		{Status{CategoryIndeterminate, "Any"}, adapters.StateOnHold, false},
		{Status{CategoryNew, "Open"}, adapters.StateAcknowledged, false},
	} {
		want, err := c.config.States.Theirs(tt.to)
		must(t, err)
		if got := c.reached(tt.is, want, target{state: tt.to}); got != tt.want {
			t.Errorf("%v is %s: %v, want %v", tt.is, tt.to, got, tt.want)
		}
	}
}

func TestNoTransition(t *testing.T) {
	c, _ := with(t, adaptertest.JiraOptions{}, func(c *Config) {
		c.States = adapters.Names[adapters.State, Status]{
			{Ours: adapters.StateNew, Theirs: Status{Category: CategoryNew}},
			{Ours: adapters.StateAcknowledged, Theirs: Status{Category: CategoryIndeterminate, Name: "Triage"}},
		}
	})
	ref := mustOpen(t, c, "k")
	err := c.Acknowledge(t.Context(), ref, "")
	if e, ok := errors.AsType[*adapters.Error](err); !ok || e.Kind != adapters.Conflict || len(e.Details) != 3 || e.Details[0] != "Start leads to In Progress (indeterminate)" {
		t.Errorf("error %v, want a conflict that lists the transitions", err)
	}
	if err := c.Resolve(t.Context(), ref, adapters.Resolution{}); adapters.KindOf(err) != adapters.Unsupported {
		t.Errorf("resolve without a status: %v, want unsupported", err)
	}
}

// The answer to a transition is lost, and somebody else is faster with one: the
// issue is read before anything is done again.
func TestTransitionRaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posts := 0
		lose := true
		c, fake := with(t, adaptertest.JiraOptions{Fault: func(_ int, r *http.Request) adaptertest.JiraFault {
			if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/transitions") {
				return adaptertest.JiraFault{}
			}
			posts++
			return adaptertest.JiraFault{Lose: lose}
		}}, nil)
		ref := mustOpen(t, c, "k")
		must(t, c.Resolve(t.Context(), ref, adapters.Resolution{Text: "done"}))
		if i := fake.Issues()[0]; posts != 1 || i.Status != "Done" || len(i.Comments) != 1 {
			t.Errorf("%d transitions, issue %+v; want one, done, one comment", posts, i)
		}
		lose = false
		var both [2]error
		other := mustOpen(t, c, "k2")
		done := make(chan bool)
		for n := range both {
			go func() {
				both[n] = c.Acknowledge(t.Context(), other, "")
				done <- true
			}()
		}
		<-done
		<-done
		if both[0] != nil || both[1] != nil {
			t.Errorf("two at once: %v", both)
		}
	})
}

// Outside the window a new issue follows the old one, the same one each time.
func TestReopenLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := with(t, adaptertest.JiraOptions{}, nil)
		ref := mustOpen(t, c, "k")
		if same, err := c.Reopen(t.Context(), ref, ""); err != nil || same != ref {
			t.Errorf("reopen what is open: %v, %v; want it unchanged", same, err)
		}
		must(t, c.Resolve(t.Context(), ref, adapters.Resolution{}))
		time.Sleep(24*time.Hour + time.Second)
		next, err := c.Reopen(t.Context(), ref, "it is back")
		must(t, err)
		again, err := c.Reopen(t.Context(), ref, "it is back")
		must(t, err)
		issues := fake.Issues()
		if len(issues) != 2 || next.Same(ref) || !again.Same(next) {
			t.Fatalf("%d issues, %v then %v; want one that follows %v", len(issues), next, again, ref)
		}
		want := adaptertest.JiraLink{Type: "Relates", From: issues[1].ID, To: issues[0].ID}
		if i := issues[1]; i.Summary != issues[0].Summary || !strings.HasPrefix(i.Description, "it is back\n\n") || i.Priority != "Highest" || !slices.Contains(i.Links, want) {
			t.Errorf("follower %+v, want the same ticket, linked", i)
		}
	})
}

func TestMerge(t *testing.T) {
	c, fake := with(t, adaptertest.JiraOptions{}, nil)
	a, b, d := mustOpen(t, c, "a"), mustOpen(t, c, "b"), mustOpen(t, c, "d")
	for range 2 { // again changes nothing
		must(t, c.Merge(t.Context(), a, b, d))
	}
	for _, i := range fake.Issues()[1:] {
		if i.Status != "Done" || i.Resolution != "Duplicate" || len(i.Links) != 1 || i.Links[0].To != a.ID {
			t.Errorf("issue %+v, want a duplicate of %s", i, a.ID)
		}
	}
	theirs, sent := b, len(fake.Requests())
	theirs.Tenant = "other"
	if err := c.Merge(t.Context(), a, d, theirs); adapters.KindOf(err) != adapters.Invalid || len(fake.Requests()) != sent {
		t.Errorf("of another tenant: %v after %d requests, want invalid and none", err, len(fake.Requests())-sent)
	}
	if err := c.Merge(t.Context(), a, a); adapters.KindOf(err) != adapters.Invalid {
		t.Errorf("into itself: %v, want invalid", err)
	}
}
