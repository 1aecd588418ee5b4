package incident

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Redaction says which text was erased, why, and what is left of it.
type Redaction struct {
	Seq    uint64   `json:"seq"` // number of the erased entry
	Reason string   `json:"reason"`
	Kept   *Details `json:"kept,omitempty"` // severity, times, roles: all that decides the state
}

// ErrNotRedactable is wrapped by an error that says why an entry keeps its
// payload.
var ErrNotRedactable = errors.New("entry cannot be redacted")

// Redacted stands for the name of a person after a redaction.
const Redacted = "redacted"

// Redact erases payload and salt of entry seq and appends an entry that says
// who did it and why. It returns both entries: a store replaces the first and
// inserts the second in one transaction. The chain still verifies, because the
// erased entry leaves its commitment, and the state keeps all that decides it:
// free texts and attached data are gone, persons become [Redacted].
//
// The error wraps [ErrNotRedactable] for an entry that is not there, is
// redacted already, is itself a redaction, or was recorded without a salt (its
// text could be guessed from the hash). A key that is known changes nothing.
func (i *Incident) Redact(seq uint64, at time.Time, actor, key, reason string) (erased, record Entry, err error) {
	if i.known(key) {
		return Entry{}, Entry{}, i.sameKind(key, RedactEntry)
	}
	if seq == 0 || seq > uint64(i.timeline.Len()) {
		return Entry{}, Entry{}, fmt.Errorf("redact entry %d: %w: the last one is %d", seq, ErrNotRedactable, i.timeline.Len())
	}
	old := i.timeline.entries[seq-1]
	switch {
	case old.Redacted:
		return Entry{}, Entry{}, fmt.Errorf("redact entry %d: %w: redacted already", seq, ErrNotRedactable)
	case old.Kind == RedactEntry:
		return Entry{}, Entry{}, fmt.Errorf("redact entry %d: %w: it is the record of a redaction", seq, ErrNotRedactable)
	case old.Salt.IsZero():
		return Entry{}, Entry{}, fmt.Errorf("redact entry %d: %w: recorded without a salt", seq, ErrNotRedactable)
	case reason == "":
		return Entry{}, Entry{}, &EventError{Key: key, Kind: RedactEntry, Field: "reason", Want: "a non-empty text"}
	}
	event, err := old.Event()
	if err != nil {
		return Entry{}, Entry{}, err
	}
	kept := event.withoutTexts()
	e := Event{
		Key: key, Kind: RedactEntry, At: at, Actor: actor,
		Details: Details{Redaction: &Redaction{Seq: seq, Reason: reason, Kept: &kept}},
	}
	if err := e.Validate(); err != nil {
		return Entry{}, Entry{}, err
	}
	sealed, err := i.seal(e.canonical())
	if err != nil {
		return Entry{}, Entry{}, err
	}
	erased = old
	erased.Commitment = i.timeline.chain.commit(&old)
	erased.Payload, erased.Salt, erased.Redacted = "", Salt{}, true
	i.timeline.entries[seq-1] = erased
	return erased, sealed[0], i.refold()
}

// withoutTexts returns what is left of details after a redaction.
func (d Details) withoutTexts() Details {
	for _, text := range []*string{&d.Title, &d.Text, &d.Person} {
		if *text != "" {
			*text = Redacted
		}
	}
	d.Data = nil
	d.Services = slices.Clone(d.Services)
	if d.Measure != nil {
		m := *d.Measure
		for _, text := range []*string{&m.Text, &m.Owner} {
			if *text != "" {
				*text = Redacted
			}
		}
		d.Measure = &m
	}
	return d
}

// redactionOf reports whether some later entry records the redaction of seq.
func redactionOf(entries []Entry, seq uint64) bool {
	return slices.ContainsFunc(entries[seq:], func(e Entry) bool {
		if e.Kind != RedactEntry {
			return false
		}
		event, err := e.Event()
		return err == nil && event.Redaction != nil && event.Redaction.Seq == seq
	})
}
