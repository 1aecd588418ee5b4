package adaptertest

import (
	"context"
	"iter"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// ability is one of package adapters: how to tell that an adapter has it, and a call
// of it that is in order.
type ability struct {
	can         adapters.Capability
	referred    bool // it takes a reference
	implemented func(of adapters.Capable) bool
	call        func(ctx context.Context, s *ticketSuite, of adapters.Capable, ref adapters.Ref) error
}

// about is an ability by its interface.
func about[A any](can adapters.Capability, referred bool, call func(ctx context.Context, a A, s *ticketSuite, ref adapters.Ref) error) ability {
	return ability{
		can: can, referred: referred,
		implemented: func(of adapters.Capable) bool { _, ok := of.(A); return ok },
		call: func(ctx context.Context, s *ticketSuite, of adapters.Capable, ref adapters.Ref) error {
			return call(ctx, of.(A), s, ref)
		},
	}
}

// abilities has one for each capability that has an interface. Reading comes before
// writing, so that a call that should have been refused does the least harm.
var abilities = []ability{
	about(adapters.CanFind, false, func(ctx context.Context, a adapters.Finder, s *ticketSuite, _ adapters.Ref) error {
		_, err := a.Find(ctx, s.Ticket.Tenant, s.ticket("unknown").Key)
		return err
	}),
	about(adapters.CanRead, true, func(ctx context.Context, a adapters.Reader, _ *ticketSuite, ref adapters.Ref) error {
		_, err := a.Read(ctx, ref)
		return err
	}),
	about(adapters.CanReadNotes, true, func(ctx context.Context, a adapters.NoteReader, _ *ticketSuite, ref adapters.Ref) error {
		return drained(a.Notes(ctx, ref))
	}),
	about(adapters.CanReadClocks, true, func(ctx context.Context, a adapters.ClockReader, _ *ticketSuite, ref adapters.Ref) error {
		_, err := a.Clocks(ctx, ref)
		return err
	}),
	about(adapters.CanOnCall, false, func(ctx context.Context, a adapters.OnCaller, s *ticketSuite, _ adapters.Ref) error {
		_, err := a.OnCall(ctx, s.Target, s.Now())
		return err
	}),
	about(adapters.CanTopology, false, func(ctx context.Context, a adapters.Topologist, _ *ticketSuite, _ adapters.Ref) error {
		return drained(a.Edges(ctx))
	}),
	about(adapters.CanExport, false, func(ctx context.Context, a adapters.Exporter, s *ticketSuite, _ adapters.Ref) error {
		return drained(a.Export(ctx, s.Now().Add(-time.Hour), s.Now(), ""))
	}),
	about(adapters.CanWatch, false, func(ctx context.Context, a adapters.Watcher, _ *ticketSuite, _ adapters.Ref) error {
		cursor := ""
		for e, err := range a.Changes(ctx, "") { // some send nothing yet
			if err != nil {
				return err
			}
			cursor = e.Cursor
		}
		return drained(a.Changes(ctx, cursor))
	}),
	about(adapters.CanOpen, false, func(ctx context.Context, a adapters.Opener, s *ticketSuite, _ adapters.Ref) error {
		_, err := a.Open(ctx, s.ticket("another"))
		return err
	}),
	about(adapters.CanUpdate, true, func(ctx context.Context, a adapters.Updater, _ *ticketSuite, ref adapters.Ref) error {
		title := "checkout is slow"
		return a.Update(ctx, ref, adapters.Patch{Title: &title})
	}),
	about(adapters.CanAcknowledge, true, func(ctx context.Context, a adapters.Acknowledger, s *ticketSuite, ref adapters.Ref) error {
		return a.Acknowledge(ctx, ref, s.Person)
	}),
	about(adapters.CanHold, true, func(ctx context.Context, a adapters.Holder, s *ticketSuite, ref adapters.Ref) error {
		return a.Hold(ctx, ref, s.rest())
	}),
	about(adapters.CanNote, true, func(ctx context.Context, a adapters.Noter, _ *ticketSuite, ref adapters.Ref) error {
		return a.Note(ctx, ref, adapters.Note{Text: "restarted the node", Key: "n1"})
	}),
	about(adapters.CanAttach, true, func(ctx context.Context, a adapters.Attacher, _ *ticketSuite, ref adapters.Ref) error {
		return a.Attach(ctx, ref, graph)
	}),
	about(adapters.CanAssign, true, func(ctx context.Context, a adapters.Assigner, s *ticketSuite, ref adapters.Ref) error {
		assignee := s.Assignee
		if assignee == "" {
			assignee = "somebody"
		}
		return a.Assign(ctx, ref, assignee)
	}),
	about(adapters.CanEscalate, true, func(ctx context.Context, a adapters.Escalator, _ *ticketSuite, ref adapters.Ref) error {
		return a.Escalate(ctx, ref, 1)
	}),
	about(adapters.CanLink, true, func(ctx context.Context, a adapters.Linker, _ *ticketSuite, ref adapters.Ref) error {
		return a.Link(ctx, ref, beside(ref), "")
	}),
	about(adapters.CanPublish, true, func(ctx context.Context, a adapters.Publisher, _ *ticketSuite, ref adapters.Ref) error {
		return a.Publish(ctx, ref, "checkout", "We are working on it.")
	}),
	about(adapters.CanReopen, true, func(ctx context.Context, a adapters.Reopener, _ *ticketSuite, ref adapters.Ref) error {
		_, err := a.Reopen(ctx, ref, "it is back")
		return err
	}),
	about(adapters.CanResolve, true, func(ctx context.Context, a adapters.Resolver, _ *ticketSuite, ref adapters.Ref) error {
		return a.Resolve(ctx, ref, adapters.Resolution{Text: "rolled back"})
	}),
	about(adapters.CanMerge, true, func(ctx context.Context, a adapters.Merger, _ *ticketSuite, ref adapters.Ref) error {
		return a.Merge(ctx, ref, beside(ref))
	}),
}

// beside is another reference of the same form.
func beside(ref adapters.Ref) adapters.Ref {
	if ref.ID != "" {
		ref.ID += "0"
	}
	return ref
}

// drained runs through a list for its error.
func drained[T any](all iter.Seq2[T, error]) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
