package adapters

import (
	"context"
	"iter"
	"time"
)

// The abilities. An adapter implements those that its vendor has; a caller asks
// for what it needs by a type assertion or, where an instance may lack what its
// vendor has, by [Capable]. All methods are safe for concurrent use and return an
// [*Error].
type (
	// Opener creates tickets. Opening a key again returns what is there, and opens
	// nothing.
	Opener interface {
		Open(ctx context.Context, t Ticket) (Ref, error)
	}
	// Finder looks a ticket up by the key under which it was opened. The error is
	// [NotFound] if there is none.
	Finder interface {
		Find(ctx context.Context, tenant, key string) (Ref, error)
	}
	// Reader reads a ticket as it stands.
	Reader interface {
		Read(ctx context.Context, ref Ref) (Ticket, error)
	}
	// Updater changes fields of a ticket.
	Updater interface {
		Update(ctx context.Context, ref Ref, p Patch) error
	}
	// Acknowledger marks a ticket as being worked on.
	Acknowledger interface {
		Acknowledge(ctx context.Context, ref Ref, by string) error
	}
	// Resolver ends a ticket. Resolving what is resolved is no error.
	Resolver interface {
		Resolve(ctx context.Context, ref Ref, r Resolution) error
	}
	// Reopener opens a ticket again, or one that follows it where the vendor or the
	// adapter's window does not allow that: then the reference is another, and the
	// same one for every try. A ticket that has not ended is left as it is.
	Reopener interface {
		Reopen(ctx context.Context, ref Ref, reason string) (Ref, error)
	}
	// Holder lets a ticket rest.
	Holder interface {
		Hold(ctx context.Context, ref Ref, h Hold) error
	}
	// Noter adds remarks to a ticket.
	Noter interface {
		Note(ctx context.Context, ref Ref, n Note) error
	}
	// NoteReader reads the remarks of a ticket, oldest first.
	NoteReader interface {
		Notes(ctx context.Context, ref Ref) iter.Seq2[Note, error]
	}
	// Attacher adds a file to a ticket.
	Attacher interface {
		Attach(ctx context.Context, ref Ref, a Attachment) error
	}
	// Assigner gives a ticket to somebody, in the vendor's terms.
	Assigner interface {
		Assign(ctx context.Context, ref Ref, assignee string) error
	}
	// Escalator raises a ticket to a level of its escalation, from 1.
	Escalator interface {
		Escalate(ctx context.Context, ref Ref, level int) error
	}
	// Merger ends tickets in favour of one.
	Merger interface {
		Merge(ctx context.Context, into Ref, from ...Ref) error
	}
	// Linker relates two tickets by a relation of the vendor, "" for its plainest.
	Linker interface {
		Link(ctx context.Context, from, to Ref, relation string) error
	}
	// Publisher tells those who follow a ticket how it stands.
	Publisher interface {
		Publish(ctx context.Context, ref Ref, subject, message string) error
	}
	// OnCaller says who is on call for a target at an instant, first level first.
	OnCaller interface {
		OnCall(ctx context.Context, target string, at time.Time) ([]Duty, error)
	}
	// ClockReader reads the vendor's own clocks of a ticket, running and stopped.
	ClockReader interface {
		Clocks(ctx context.Context, ref Ref) ([]Clock, error)
	}
	// Topologist lists what depends on what.
	Topologist interface {
		Edges(ctx context.Context) iter.Seq2[Edge, error]
	}
	// Exporter lists tickets that were created in [from, until), each once. A cursor
	// of "" begins; the one that comes with a ticket goes on behind it.
	Exporter interface {
		Export(ctx context.Context, from, until time.Time, cursor string) iter.Seq2[Exported, error]
	}
	// Watcher lists tickets that changed since a cursor, oldest change first. A
	// ticket may be listed again; none is missed. A cursor of "" begins now: if nothing
	// is listed then, a cursor to go on from is, without a ticket.
	Watcher interface {
		Changes(ctx context.Context, cursor string) iter.Seq2[Exported, error]
	}
	// Verifier compares the adapter's configuration with the live instance: names of
	// states, severities, fields and rights. It changes nothing.
	Verifier interface {
		Verify(ctx context.Context) error
	}
)

// Exported is a ticket of a list, and the cursor from which the list goes on
// behind it.
type Exported struct {
	Ticket Ticket
	Cursor string
}
