package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

// Journal keeps our own incidents. Change lets do change an incident, which may be
// new, and writes what it gained; sqlstore.Incidents is one after its additional
// argument is left out. Implementations are safe for concurrent use.
type Journal interface {
	Load(ctx context.Context, tenant, id string) (*incident.Incident, error)
	Change(ctx context.Context, tenant, id string, do func(*incident.Incident) error) error
}

// Incidents is the side of our own incidents. What others change becomes an event
// of the timeline that is marked as imported, so an incident flags what it would
// have refused and loses nothing. The title of an incident is part of its
// declaration and does not change. It is safe for concurrent use if its [Journal] is.
type Incidents struct {
	journal Journal
	actor   string
	now     func() time.Time
}

var (
	_ System                = (*Incidents)(nil)
	_ adapters.Updater      = (*Incidents)(nil)
	_ adapters.Acknowledger = (*Incidents)(nil)
	_ adapters.Holder       = (*Incidents)(nil)
	_ adapters.Resolver     = (*Incidents)(nil)
	_ adapters.Reopener     = (*Incidents)(nil)
	_ adapters.Noter        = (*Incidents)(nil)
	_ adapters.NoteReader   = (*Incidents)(nil)
)

// NewIncidents returns the side of a journal. Actor is who the events are by; nil
// for now means time.Now.
func NewIncidents(journal Journal, actor string, now func() time.Time) *Incidents {
	if now == nil {
		now = time.Now
	}
	return &Incidents{journal: journal, actor: cmp.Or(actor, "sync"), now: now}
}

// RefOf names an incident of ours.
func RefOf(tenant, id string) adapters.Ref {
	return adapters.Ref{Provider: "evenkeel", Tenant: tenant, Type: "incident", ID: id}
}

// StateOf returns the state of a ticket that an incident amounts to.
func StateOf(s incident.State) adapters.State {
	switch s.Status {
	case incident.Acknowledged, incident.Mitigated:
		if !s.WaitingSince.IsZero() {
			return adapters.StateOnHold
		}
		return adapters.StateAcknowledged
	case incident.Resolved, incident.InReview:
		return adapters.StateResolved
	case incident.Closed:
		return adapters.StateClosed
	case incident.Cancelled, incident.Merged:
		return adapters.StateCancelled
	default:
		return adapters.StateNew
	}
}

// Open declares the incident that t.Ref names; one that is there is left as it is.
func (s *Incidents) Open(ctx context.Context, t adapters.Ticket) (adapters.Ref, error) {
	if t.Ref.ID == "" {
		return adapters.Ref{}, s.failed("open", adapters.Invalid, errors.New("Ref.ID is empty, want the id of the incident"))
	}
	ref := RefOf(t.Tenant, t.Ref.ID)
	severity := t.Severity
	if !severity.IsSet() {
		severity = incident.P3
	}
	err := s.change(ctx, "open", ref, func(state incident.State) []incident.Event {
		if state.Status != "" {
			return nil
		}
		return []incident.Event{{Kind: incident.Declare, Details: incident.Details{Title: t.Title, Severity: severity}}}
	})
	return ref, err
}

// Read returns the incident as a ticket. Its version counts the entries of the
// timeline.
func (s *Incidents) Read(ctx context.Context, ref adapters.Ref) (adapters.Ticket, error) {
	inc, err := s.load(ctx, "read", ref)
	if err != nil {
		return adapters.Ticket{}, err
	}
	state := inc.State()
	ref.Version = strconv.FormatUint(inc.Head().Seq, 10)
	t := adapters.Ticket{
		Ref: ref, Tenant: ref.Tenant, Title: state.Title, Severity: state.Severity, State: StateOf(state),
		Created: state.Times.Created, Resolved: state.Times.Resolved,
	}
	// The clocks of those who write differ, and a ticket never gets older.
	for _, entry := range inc.Timeline().Entries() {
		if entry.RecordedAt.After(t.Updated) {
			t.Updated = entry.RecordedAt
		}
	}
	return t, nil
}

// Update changes the severity. A new title or text is refused.
func (s *Incidents) Update(ctx context.Context, ref adapters.Ref, p adapters.Patch) error {
	if p.Title != nil || p.Text != nil || p.Labels != nil || len(p.Fields) > 0 {
		return s.failed("update", adapters.Unsupported, errors.New("an incident changes its severity alone"))
	}
	return s.change(ctx, "update", ref, func(state incident.State) []incident.Event {
		if p.Severity == nil || state.Severity == *p.Severity {
			return nil
		}
		return []incident.Event{{Kind: incident.ChangeSeverity, Details: incident.Details{Severity: *p.Severity}}}
	})
}

// Acknowledge notes that somebody works on it, and ends a wait.
func (s *Incidents) Acknowledge(ctx context.Context, ref adapters.Ref, by string) error {
	return s.change(ctx, "acknowledge", ref, func(state incident.State) []incident.Event {
		var events []incident.Event
		if !state.WaitingSince.IsZero() {
			events = append(events, incident.Event{Kind: incident.EndWait})
		}
		if StateOf(state) == adapters.StateNew {
			events = append(events, incident.Event{Kind: incident.Acknowledge, Details: incident.Details{Person: by}})
		}
		return events
	})
}

// Hold notes that it waits for its vendor.
func (s *Incidents) Hold(ctx context.Context, ref adapters.Ref, h adapters.Hold) error {
	return s.change(ctx, "hold", ref, func(state incident.State) []incident.Event {
		var events []incident.Event
		if StateOf(state) == adapters.StateNew {
			events = append(events, incident.Event{Kind: incident.Acknowledge})
		}
		if state.WaitingSince.IsZero() {
			events = append(events, incident.Event{Kind: incident.StartWait, Details: incident.Details{Awaiting: incident.AwaitVendor, Text: h.Reason}})
		}
		return events
	})
}

// Resolve notes that the service is restored.
func (s *Incidents) Resolve(ctx context.Context, ref adapters.Ref, r adapters.Resolution) error {
	return s.change(ctx, "resolve", ref, func(state incident.State) []incident.Event {
		if StateOf(state).Ended() {
			return nil
		}
		return []incident.Event{{Kind: incident.Resolve, Details: incident.Details{Text: cmp.Or(r.Text, "resolved elsewhere")}}}
	})
}

// Reopen notes that the resolution did not hold.
func (s *Incidents) Reopen(ctx context.Context, ref adapters.Ref, reason string) (adapters.Ref, error) {
	return ref, s.change(ctx, "reopen", ref, func(state incident.State) []incident.Event {
		if !StateOf(state).Ended() {
			return nil
		}
		return []incident.Event{{Kind: incident.Reopen, Details: incident.Details{Text: reason}}}
	})
}

// Note adds a remark, once for each key.
func (s *Incidents) Note(ctx context.Context, ref adapters.Ref, n adapters.Note) error {
	return s.change(ctx, "note", ref, func(incident.State) []incident.Event {
		return []incident.Event{{Kind: incident.Note, Key: n.Key, Details: incident.Details{Text: n.Text}}}
	})
}

// Notes returns the remarks of the timeline.
func (s *Incidents) Notes(ctx context.Context, ref adapters.Ref) iter.Seq2[adapters.Note, error] {
	return func(yield func(adapters.Note, error) bool) {
		inc, err := s.load(ctx, "notes", ref)
		if err != nil {
			yield(adapters.Note{}, err)
			return
		}
		for _, entry := range inc.Timeline().Entries() {
			if entry.Kind != incident.Note || entry.Redacted {
				continue
			}
			e, err := entry.Event()
			if err != nil {
				err = s.failed("notes", adapters.BadResponse, err)
			}
			note := adapters.Note{ID: strconv.FormatUint(entry.Seq, 10), Text: e.Text, Author: entry.Actor, At: entry.At, Key: entry.Key}
			if !yield(note, err) || err != nil {
				return
			}
		}
	}
}

func (s *Incidents) load(ctx context.Context, op string, ref adapters.Ref) (*incident.Incident, error) {
	inc, err := s.journal.Load(ctx, ref.Tenant, ref.ID)
	if err != nil {
		return nil, s.failed(op, adapters.Unavailable, err)
	}
	if inc.State().Status == "" {
		return nil, s.failed(op, adapters.NotFound, fmt.Errorf("no incident %q", ref.ID))
	}
	return inc, nil
}

// change appends the events that follow from the state. The key of an event has
// the number of the entry before it, so what is done again after it was done is
// seen in the state, and what was not done is not taken for done.
func (s *Incidents) change(ctx context.Context, op string, ref adapters.Ref, do func(incident.State) []incident.Event) error {
	var refused error
	err := s.journal.Change(ctx, ref.Tenant, ref.ID, func(inc *incident.Incident) error {
		now := s.now()
		for _, e := range do(inc.State()) {
			e.At, e.RecordedAt, e.Actor, e.Imported = now, now, s.actor, true
			if e.Key == "" {
				e.Key = fmt.Sprintf("sync-%s-%d", e.Kind, inc.Head().Seq)
			}
			if _, refused = inc.Apply(e); refused != nil {
				return refused
			}
		}
		return nil
	})
	switch {
	case refused != nil:
		return s.failed(op, adapters.Invalid, refused)
	case err != nil && ctx.Err() != nil:
		return s.failed(op, adapters.Canceled, err)
	case err != nil:
		return s.failed(op, adapters.Unavailable, err)
	}
	return nil
}

func (s *Incidents) failed(op string, kind adapters.Kind, err error) error {
	return &adapters.Error{Provider: "evenkeel", Op: op, Kind: kind, Err: err}
}
