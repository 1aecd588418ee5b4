package adaptertest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
)

// The adapters of which each does one thing wrong.
type (
	doubling  struct{ *board } // a key opens as many tickets as it is asked to
	textual   struct{ *board } // errors are wrapped as texts
	boasting  struct{ *board } // lists what it cannot do
	reviving  struct{ *board } // an active ticket is reopened to new
	refusing  struct{ *board } // resolving twice is an error
	babbling  struct{ *board } // errors show the token
	guessing  struct{ *board } // finds what is not there
	leaving   struct{ *board } // a note is dropped without a word
	overdoing struct{ *board } // works although it does not list it
)

func (d doubling) Open(ctx context.Context, t adapters.Ticket) (adapters.Ref, error) {
	if t.Key != "" {
		t.Key += strconv.Itoa(len(d.cards))
	}
	return d.board.Open(ctx, t)
}

func (f textual) Read(ctx context.Context, ref adapters.Ref) (adapters.Ticket, error) {
	t, err := f.board.Read(ctx, ref)
	if err != nil {
		err = fmt.Errorf("read: %v", err) //nolint:errorlint // that is what is wrong with it
	}
	return t, err
}

func (b boasting) Capabilities() adapters.Capabilities {
	return append(b.board.Capabilities(), adapters.CanWebhook, adapters.CanAssign)
}

func (r reviving) Reopen(ctx context.Context, ref adapters.Ref, _ string) (adapters.Ref, error) {
	return ref, r.on(ctx, "reopen", ref, func(c *card) { c.State = adapters.StateAcknowledged })
}

func (r refusing) Resolve(ctx context.Context, ref adapters.Ref, x adapters.Resolution) error {
	if t, err := r.Read(ctx, ref); err == nil && t.State.Ended() {
		return &adapters.Error{Provider: "board", Op: "resolve", Kind: adapters.Conflict, Err: errors.New("has ended")}
	}
	return r.board.Resolve(ctx, ref, x)
}

func (b babbling) Find(ctx context.Context, tenant, key string) (adapters.Ref, error) {
	ref, err := b.board.Find(ctx, tenant, key)
	if e, ok := errors.AsType[*adapters.Error](err); ok {
		e.Err = errors.Join(e.Err, errors.New("asked with "+b.token.Reveal()))
	}
	return ref, err
}

func (guessing) Find(_ context.Context, tenant, _ string) (adapters.Ref, error) {
	return adapters.Ref{Provider: "board", Tenant: tenant, ID: "1"}, nil
}

func (leaving) Note(context.Context, adapters.Ref, adapters.Note) error { return nil }

func (o overdoing) Capabilities() adapters.Capabilities {
	return adapters.Capabilities{adapters.CanFind, adapters.CanOpen, adapters.CanRead}
}

// faulty are the tests that have to fail, by what is wrong.
var faulty = map[string]struct {
	adapter func(b *board) adapters.Capable
	fails   string
}{
	"doubling":  {func(b *board) adapters.Capable { return doubling{b} }, "one_key_is_one_ticket"},
	"textual":   {func(b *board) adapters.Capable { return textual{b} }, "errors_of_contexts_that_have_ended"},
	"boasting":  {func(b *board) adapters.Capable { return boasting{b} }, "capabilities_are_sorted_and_have_their_interfaces"},
	"reviving":  {func(b *board) adapters.Capable { return reviving{b} }, "reopen_what_is_active"},
	"refusing":  {func(b *board) adapters.Capable { return refusing{b} }, "resolve_twice"},
	"babbling":  {func(b *board) adapters.Capable { return babbling{b} }, "find"},
	"guessing":  {func(b *board) adapters.Capable { return guessing{b} }, "find"},
	"leaving":   {func(b *board) adapters.Capable { return leaving{b} }, "note"},
	"overdoing": {func(b *board) adapters.Capable { return overdoing{b} }, "what_is_not_listed_is_unsupported"},
}

const faultVariable = "EVENKEEL_TEST_FAULTY_ADAPTER"

// TestTicketsOfAFaultyAdapter is run by [TestTicketsNoticesFaults] in a process of its
// own, where it fails.
func TestTicketsOfAFaultyAdapter(t *testing.T) {
	fault, ok := faulty[os.Getenv(faultVariable)]
	if !ok {
		t.Skip("only runs in a process of its own")
	}
	adaptertest.Tickets(t, func(*testing.T) adaptertest.Subject {
		b := &board{token: adapters.NewSecret(boardToken)}
		return adaptertest.Subject{Adapter: fault.adapter(b), Secrets: []string{boardToken}, Sent: func() int { return b.calls }}
	})
}

func TestTicketsNoticesFaults(t *testing.T) {
	for name, fault := range faulty {
		t.Run(name, func(t *testing.T) {
			run := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTicketsOfAFaultyAdapter$") //nolint:gosec // it is this very program
			run.Env = append(os.Environ(), faultVariable+"="+name)
			out, err := run.CombinedOutput()
			if _, failed := errors.AsType[*exec.ExitError](err); !failed || !strings.Contains(string(out), "--- FAIL: TestTicketsOfAFaultyAdapter/"+fault.fails+" ") {
				t.Errorf("%v, want a failure of %q in:\n%s", err, fault.fails, out)
			}
		})
	}
}
