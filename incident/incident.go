package incident

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Options set the rules of an incident. The zero value is the default.
type Options struct {
	// Review reports whether an incident has to be reviewed before it is
	// closed. It gets the whole state as it is at that step, as a copy of its own, and
	// must give the same answer for the same state. Defaults to severity P1 or P2, now
	// or at the resolution: to lower it afterwards saves no review.
	Review func(State) bool
	// LeadRequired refuses the acknowledgement of an incident that has to be
	// reviewed until it has a lead. Defaults to false.
	LeadRequired bool
	// MeasureDone lets a review end only when an anchored measure is done.
	// Defaults to false: anchored is enough.
	MeasureDone bool
	// Salts gives 16 bytes per entry; crypto/rand.Reader in production.
	// Defaults to nil: entries have no salt, the same events give the same
	// hashes, and no entry can be redacted.
	Salts io.Reader
}

func (o Options) review(f *fold) bool {
	if o.Review != nil {
		return o.Review(f.finish())
	}
	return f.Severity.AtLeast(P2) || f.ResolvedAs.AtLeast(P2)
}

// Incident is one incident with its timeline. It is not safe for concurrent
// use.
type Incident struct {
	opts     Options
	timeline *Timeline
	events   []Event // in the order of the fold
	keys     map[string]Kind
	aliases  map[string]string // pseudonyms of persons, by the name that some entry still gives
	fold     fold
	rejected []Rejection
}

// New returns an incident of which nothing is known yet. Tenant may be empty,
// id may not. The error is an [*EntryError] for names that are not UTF-8 or longer
// than a kilobyte.
func New(tenant, id string, o Options) (*Incident, error) {
	if id == "" {
		return nil, errors.New("new incident: id is empty")
	}
	timeline := NewTimeline(tenant, id)
	if err := timeline.checkName(); err != nil {
		return nil, fmt.Errorf("new incident: %w", err)
	}
	return &Incident{
		opts: o, timeline: timeline, keys: map[string]Kind{}, fold: newFold(tenant, id, o),
	}, nil
}

// State returns what the incident amounts to.
func (i *Incident) State() State { return i.fold.finish() }

// Head returns the number and hash of the last entry.
func (i *Incident) Head() Head { return i.timeline.Head() }

// Timeline returns a copy of the record.
func (i *Incident) Timeline() *Timeline {
	t := *i.timeline
	t.entries, t.buf = t.Entries(), nil
	return &t
}

// ErrKeyReused is wrapped by the error for an event whose key belongs to an
// event of another kind.
var ErrKeyReused = errors.New("key belongs to an event of another kind")

// Apply records an event and returns the entries that a store has to add, in
// order. It is usually one; closing a minor incident first adds the automatic
// waiver of its review. An event whose key is known returns none and no error.
//
// A command is checked against the current state and refused with a
// [*TransitionError] if something is missing; a fact (Imported) is always
// recorded and, where the lifecycle does not allow it, flagged in the state.
// Other errors are [*EventError], joined, and [ErrKeyReused]. After an error
// the incident is unchanged but for [Incident.Rejected], where the event is kept.
func (i *Incident) Apply(e Event) ([]Entry, error) {
	entries, err := i.apply(e)
	if err != nil {
		i.reject(e, err)
		return nil, err
	}
	i.taken(e)
	return entries, nil
}

func (i *Incident) apply(e Event) ([]Entry, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	if i.known(e.Key) {
		return nil, i.sameKind(e.Key, e.Kind)
	}
	if last := i.timeline.Head().Seq; e.Corrects > last {
		return nil, &EventError{Key: e.Key, Kind: e.Kind, Field: "corrects", Want: fmt.Sprintf("the number of an entry, at most %d", last)}
	}
	e = e.canonical()
	events := []Event{e}
	if f := &i.fold; e.Kind == Close && !e.Imported && f.Waiver == nil && (f.Status == Resolved || f.Status == InReview) && !i.opts.review(f) {
		// Without an event of its own, where somebody took its key, the fold adds it.
		if w := waiver(e); !i.known(w.Key) {
			events = []Event{w, e}
		}
	}
	if e.Kind == RedactEntry {
		e.Imported = false // only Redact writes these
	}
	if !e.Imported {
		renamed := make([]Event, len(events))
		for n := range events {
			renamed[n] = i.renamed(events[n])
		}
		if err := i.check(renamed); err != nil {
			return nil, err
		}
	}
	sealed, err := i.seal(events...)
	if err != nil {
		return nil, err
	}
	// The state is that of the entries: a replay gives the same, whatever the caller
	// does with the event or wrote into it.
	for n := range sealed {
		if events[n], err = sealed[n].Event(); err != nil {
			return nil, err // not reached: the entry was written just now
		}
		events[n] = i.renamed(events[n])
	}
	i.extend(events)
	return sealed, nil
}

// ApplyAfter is Apply if the head of the timeline still has the number seq,
// and [ErrConflict] otherwise.
func (i *Incident) ApplyAfter(seq uint64, e Event) ([]Entry, error) {
	if seq != i.timeline.Head().Seq {
		return nil, ErrConflict
	}
	return i.Apply(e)
}

const noReview = "the severity asks for no review"

// waiver is the event by which a minor incident passes the review. A closing
// that another system reports needs none: the fold adds the waiver, so that the
// order of arrival does not matter.
func waiver(closing Event) Event {
	return Event{
		Key: closing.Key + "/waiver", Kind: WaiveReview, At: closing.At, RecordedAt: closing.RecordedAt, Actor: "policy",
		Details: Details{Text: noReview, Automatic: true},
	}
}

func (i *Incident) known(key string) bool {
	_, known := i.keys[key]
	return known
}

func (i *Incident) sameKind(key string, kind Kind) error {
	if have := i.keys[key]; have != kind {
		return fmt.Errorf("event %q of kind %q: %w, %q", key, kind, ErrKeyReused, have)
	}
	return nil
}

// check refuses commands that the current state does not allow. A command with
// an instant before that of a known event must also be allowed at its place in the
// fold, or it would be accepted and do nothing, and must leave the events after it
// legal, or what was accepted before would be undone.
func (i *Incident) check(events []Event) error {
	f, last := i.fold.clone(), true
	for _, e := range events {
		if missing := i.opts.missing(&f, e); len(missing) > 0 {
			return i.refuse(f.Status, e, missing)
		}
		f.add(e)
		last = last && i.isLast(e)
	}
	if last {
		return nil
	}
	again, legal := newFold(i.timeline.tenant, i.timeline.incident, i.opts), true
	for _, e := range i.sorted(events) {
		mine := slices.ContainsFunc(events, func(m Event) bool { return m.Key == e.Key })
		legal = legal && (!mine || len(i.opts.missing(&again, e)) == 0)
		again.add(e)
	}
	for _, finding := range again.flagged {
		legal = legal && slices.ContainsFunc(i.fold.flagged, func(known Finding) bool { return known.Key == finding.Key })
	}
	if !legal {
		latest := i.events[len(i.events)-1].At.Format(time.RFC3339Nano)
		return i.refuse(i.fold.Status, events[len(events)-1], []string{"an instant not before " + latest + ", that of the last event"})
	}
	return nil
}

func (i *Incident) refuse(from Status, e Event, missing []string) error {
	to := from
	if row, moves := stepOf(e.Kind); moves {
		to = row.to
	}
	return &TransitionError{Incident: i.timeline.incident, Kind: e.Kind, From: from, To: to, Missing: missing}
}

func (i *Incident) isLast(e Event) bool {
	return len(i.events) == 0 || compareEvents(i.events[len(i.events)-1], e) < 0
}

// sorted returns the known events and more in the order of the fold.
func (i *Incident) sorted(more []Event) []Event {
	all := slices.Concat(i.events, more)
	slices.SortStableFunc(all, compareEvents)
	return all
}

// seal appends entries for the events, all or none.
func (i *Incident) seal(events ...Event) ([]Entry, error) {
	drafts := make([]Entry, len(events))
	for n, e := range events {
		var salt Salt
		if i.opts.Salts != nil {
			if _, err := io.ReadFull(i.opts.Salts, salt[:]); err != nil {
				return nil, fmt.Errorf("event %q: salt: %w", e.Key, err)
			}
		}
		draft, err := newEntry(e, salt)
		draft.Seq = i.timeline.Head().Seq + uint64(n) + 1 // its digits count
		if err == nil {
			err = cmp.Or(draft.check(), draft.checkLength(maxEntry))
		}
		if err != nil {
			return nil, err
		}
		drafts[n] = draft
	}
	for n, draft := range drafts {
		var err error
		if drafts[n], err = i.timeline.Append(i.timeline.Head().Seq, draft); err != nil {
			return nil, err // not reached: the drafts were checked
		}
		i.keys[draft.Key] = draft.Kind
	}
	return drafts, nil
}

// extend folds recorded events in, from the start if one comes late.
func (i *Incident) extend(events []Event) {
	for _, e := range events {
		if i.isLast(e) {
			i.events = append(i.events, e)
			i.fold.add(e)
			continue
		}
		i.events = i.sorted([]Event{e})
		i.foldAll()
	}
}

func (i *Incident) foldAll() {
	i.fold = newFold(i.timeline.tenant, i.timeline.incident, i.opts)
	for _, e := range i.events {
		i.fold.add(e)
	}
}

// recorded reads the events from the timeline, in its order and with what is left of
// those that were erased.
func (i *Incident) recorded() ([]Event, error) {
	events := make([]Event, 0, len(i.timeline.entries))
	kept := map[uint64]*Details{}
	for n := range i.timeline.entries {
		event, err := i.timeline.entries[n].Event()
		if err != nil {
			return nil, err
		}
		if r := event.Redaction; event.Kind == RedactEntry && r != nil && r.Kept != nil {
			kept[r.Seq] = r.Kept
		}
		events = append(events, event)
	}
	for n := range events {
		if details := kept[uint64(n)+1]; details != nil && i.timeline.entries[n].Redacted {
			events[n].Details = *details
		}
	}
	return events, nil
}

// refold reads the events from the timeline again.
func (i *Incident) refold() error {
	events, err := i.recorded()
	if err != nil {
		return err
	}
	i.aliases = aliasesOf(events)
	for n := range events {
		events[n] = i.renamed(events[n])
	}
	clear(i.keys)
	i.events = slices.DeleteFunc(events, func(e Event) bool {
		_, repeated := i.keys[e.Key]
		i.keys[e.Key] = e.Kind
		return repeated
	})
	slices.SortStableFunc(i.events, compareEvents)
	i.foldAll()
	return nil
}

// Replay builds an incident from its stored entries. They must be the whole
// timeline in order; the error is a [*ChainError] if they are not what was
// recorded.
func Replay(tenant, id string, entries []Entry, o Options) (*Incident, error) {
	i, err := New(tenant, id, o)
	if err != nil {
		return nil, err
	}
	if err := Verify(tenant, id, entries); err != nil {
		return nil, err
	}
	i.timeline.entries = slices.Clone(entries)
	if n := len(entries); n > 0 {
		i.timeline.head = entries[n-1].Hash
	}
	if err := i.refold(); err != nil {
		return nil, err
	}
	return i, nil
}

// Snapshot is an incident as data. It can be stored as JSON.
type Snapshot struct {
	Version int     `json:"version"` // 1
	Tenant  string  `json:"tenant"`
	ID      string  `json:"id"`
	Entries []Entry `json:"entries"`

	Rejected []Rejection `json:"rejected,omitempty"`
}

// Snapshot returns all that [Restore] needs. An incident is its entries, so it
// grows with them.
func (i *Incident) Snapshot() Snapshot {
	return Snapshot{
		Version: 1, Tenant: i.timeline.tenant, ID: i.timeline.incident, Entries: i.timeline.Entries(), Rejected: i.Rejected(),
	}
}

// Restore builds an incident from a snapshot, checking the chain as [Replay]
// does.
func Restore(s Snapshot, o Options) (*Incident, error) {
	if s.Version != 1 {
		return nil, fmt.Errorf("restore incident %q: version %d, want 1", s.ID, s.Version)
	}
	i, err := Replay(s.Tenant, s.ID, s.Entries, o)
	if err != nil {
		return nil, err
	}
	i.rejected = cloneRejections(s.Rejected)
	return i, nil
}
