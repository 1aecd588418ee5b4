package adaptertest_test

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
)

const boardToken = "canary-board-token"

// board is a system of tickets in memory, and its own adapter: what somebody else
// would write for a vendor of theirs.
type board struct {
	token adapters.Secret
	mute  bool // it takes no notes

	mu    sync.Mutex // guards all below
	calls int
	cards []*card
}

type card struct {
	adapters.Ticket
	notes []adapters.Note
}

var (
	_ adapters.Opener       = (*board)(nil)
	_ adapters.Finder       = (*board)(nil)
	_ adapters.Reader       = (*board)(nil)
	_ adapters.Updater      = (*board)(nil)
	_ adapters.Acknowledger = (*board)(nil)
	_ adapters.Resolver     = (*board)(nil)
	_ adapters.Reopener     = (*board)(nil)
	_ adapters.Noter        = (*board)(nil)
	_ adapters.NoteReader   = (*board)(nil)
	_ adapters.Merger       = (*board)(nil)
)

func (*board) Provider() string { return "board" }

func (b *board) Capabilities() adapters.Capabilities {
	all := adapters.Capabilities{
		adapters.CanAcknowledge, adapters.CanFind, adapters.CanMerge, adapters.CanOpen, adapters.CanRead, adapters.CanReadNotes,
		adapters.CanReopen, adapters.CanResolve, adapters.CanUpdate,
	}
	if !b.mute {
		all = append(all, adapters.CanNote)
	}
	slices.Sort(all)
	return all
}

// do is one call of the vendor, who knows callers by a token.
func (b *board) do(ctx context.Context, op string, call func() (adapters.Kind, string)) error {
	fail := func(kind adapters.Kind, cause error) error {
		return &adapters.Error{Provider: "board", Op: op, Kind: kind, Err: cause}
	}
	switch err := ctx.Err(); {
	case errors.Is(err, context.DeadlineExceeded):
		return fail(adapters.Deadline, err)
	case err != nil:
		return fail(adapters.Canceled, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	if b.token.Reveal() != boardToken {
		return fail(adapters.Unauthorized, errors.New("token not known"))
	}
	if kind, why := call(); kind != 0 {
		return fail(kind, errors.New(why))
	}
	return nil
}

func invalid(op, why string) error {
	return &adapters.Error{Provider: "board", Op: op, Kind: adapters.Invalid, Err: errors.New(why)}
}

// on is a call about the card of a reference.
func (b *board) on(ctx context.Context, op string, ref adapters.Ref, call func(c *card)) error {
	if ref.Provider != "board" || ref.ID == "" {
		return invalid(op, "reference to elsewhere")
	}
	return b.do(ctx, op, func() (adapters.Kind, string) {
		i := slices.IndexFunc(b.cards, func(c *card) bool { return c.Ref.Same(ref) })
		if i < 0 {
			return adapters.NotFound, "no such card"
		}
		call(b.cards[i])
		return 0, ""
	})
}

func (b *board) byKey(tenant, key string) int {
	return slices.IndexFunc(b.cards, func(c *card) bool { return c.Tenant == tenant && c.Key == key })
}

func (b *board) Open(ctx context.Context, t adapters.Ticket) (ref adapters.Ref, err error) {
	if t.Key == "" {
		return ref, invalid("open", "key missing")
	}
	err = b.do(ctx, "open", func() (adapters.Kind, string) {
		i := b.byKey(t.Tenant, t.Key)
		if i < 0 {
			i = len(b.cards)
			t.State, t.Created = cmp.Or(t.State, adapters.StateNew), time.Now()
			t.Ref = adapters.Ref{Provider: "board", Tenant: t.Tenant, ID: strconv.Itoa(i + 1)}
			b.cards = append(b.cards, &card{Ticket: t})
		}
		ref = b.cards[i].Ref
		return 0, ""
	})
	return ref, err
}

func (b *board) Find(ctx context.Context, tenant, key string) (ref adapters.Ref, err error) {
	err = b.do(ctx, "find", func() (adapters.Kind, string) {
		i := b.byKey(tenant, key)
		if i < 0 {
			return adapters.NotFound, "no card of this key"
		}
		ref = b.cards[i].Ref
		return 0, ""
	})
	return ref, err
}

func (b *board) Read(ctx context.Context, ref adapters.Ref) (t adapters.Ticket, err error) {
	err = b.on(ctx, "read", ref, func(c *card) { t = c.Ticket })
	return t, err
}

func (b *board) Update(ctx context.Context, ref adapters.Ref, p adapters.Patch) error {
	return b.on(ctx, "update", ref, func(c *card) {
		if p.Title != nil {
			c.Title = *p.Title
		}
		if p.Text != nil {
			c.Text = *p.Text
		}
		if p.Severity != nil {
			c.Severity = *p.Severity
		}
	})
}

func (b *board) Acknowledge(ctx context.Context, ref adapters.Ref, _ string) error {
	return b.on(ctx, "acknowledge", ref, func(c *card) {
		if !c.State.Ended() {
			c.State = adapters.StateAcknowledged
		}
	})
}

func (b *board) Resolve(ctx context.Context, ref adapters.Ref, _ adapters.Resolution) error {
	return b.on(ctx, "resolve", ref, (*card).end)
}

func (c *card) end() {
	if !c.State.Ended() {
		c.State, c.Resolved = adapters.StateResolved, time.Now()
	}
}

func (b *board) Reopen(ctx context.Context, ref adapters.Ref, _ string) (adapters.Ref, error) {
	return ref, b.on(ctx, "reopen", ref, func(c *card) {
		if c.State.Ended() {
			c.State, c.Resolved = adapters.StateNew, time.Time{}
		}
	})
}

func (b *board) Note(ctx context.Context, ref adapters.Ref, n adapters.Note) error {
	if b.mute {
		return &adapters.Error{Provider: "board", Op: "note", Kind: adapters.Unsupported, Err: errors.New("the board takes no notes")}
	}
	return b.on(ctx, "note", ref, func(c *card) {
		if !slices.ContainsFunc(c.notes, func(o adapters.Note) bool { return n.Key != "" && o.Key == n.Key }) {
			n.ID, n.At = strconv.Itoa(len(c.notes)+1), time.Now()
			c.notes = append(c.notes, n)
		}
	})
}

func (b *board) Notes(ctx context.Context, ref adapters.Ref) iter.Seq2[adapters.Note, error] {
	return func(yield func(adapters.Note, error) bool) {
		var notes []adapters.Note
		if err := b.on(ctx, "notes", ref, func(c *card) { notes = slices.Clone(c.notes) }); err != nil {
			yield(adapters.Note{}, err)
			return
		}
		for _, n := range notes {
			if !yield(n, nil) {
				return
			}
		}
	}
}

func (b *board) Merge(ctx context.Context, into adapters.Ref, from ...adapters.Ref) error {
	if slices.ContainsFunc(from, into.Same) {
		return invalid("merge", "a card cannot be merged into itself")
	}
	for _, ref := range append([]adapters.Ref{into}, from...) {
		if err := b.on(ctx, "merge", ref, func(c *card) {
			if !c.Ref.Same(into) {
				c.end()
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// An adapter of somebody else runs the suite with what it has: of this one, files,
// links, assignees, holds, exports and watches are skipped by name.
func TestTicketsOfAnAdapterInMemory(t *testing.T) {
	for name, mute := range map[string]bool{"with notes": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Tickets(t, func(*testing.T) adaptertest.Subject {
				b := &board{token: adapters.NewSecret(boardToken), mute: mute}
				locked := func(n func() int) func() int {
					return func() int { b.mu.Lock(); defer b.mu.Unlock(); return n() }
				}
				return adaptertest.Subject{
					Adapter: b, Refused: &board{token: adapters.NewSecret("another"), mute: mute}, Secrets: []string{boardToken},
					Sent: locked(func() int { return b.calls }), Tickets: locked(func() int { return len(b.cards) }),
				}
			})
		})
	}
}
