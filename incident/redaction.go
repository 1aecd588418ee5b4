package incident

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Redaction says which text was erased, why, and what is left of it.
type Redaction struct {
	Seq    uint64   `json:"seq"` // number of the erased entry
	Reason string   `json:"reason"`
	Kept   *Details `json:"kept,omitempty"` // severity, times, roles: all that decides the state

	// Same are the numbers of the entries that named the same person then, so that an
	// assignment and its release stay a pair when one of them is erased.
	Same []uint64 `json:"same,omitempty"`
}

// ErrNotRedactable is wrapped by an error that says why an entry keeps its
// payload.
var ErrNotRedactable = errors.New("entry cannot be redacted")

// Redacted stands for a text after a redaction. A person becomes "redacted person 3",
// the third of whom the timeline speaks; see [IsRedacted].
const Redacted = "redacted"

const pseudonym = Redacted + " person "

// IsRedacted reports whether a name is one that [Incident.Redact] gives to a person.
func IsRedacted(person string) bool {
	number, ok := strings.CutPrefix(person, pseudonym)
	_, err := strconv.ParseUint(number, 10, 64)
	return ok && err == nil
}

// named reports whether a person is there who can be called.
func named(person string) bool { return person != "" && !IsRedacted(person) }

// Redact erases payload and salt of entry seq and appends an entry that says
// who did it and why. It returns both entries: a store replaces the first and
// inserts the second in one transaction. The chain still verifies, because the
// erased entry leaves its commitment, and the state keeps all that decides it:
// free texts and attached data are gone, and the person whom the event is about has
// a pseudonym that is the same in the whole incident, also in the state where other
// entries still give the name. Those give the pseudonym away, so redact every entry
// that names a person. Once none is left, what is reported about the name is about
// somebody new; commands about the person use the pseudonym. Somebody who is only known
// by a pseudonym cannot be called, and is no lead or moderator that a step asks for.
//
// The error wraps [ErrNotRedactable] for an entry that is not there, is
// redacted already, is itself a redaction, or was recorded without a salt (its
// text could be guessed from the hash). A key that is known changes nothing.
func (i *Incident) Redact(seq uint64, actor, key, reason string, at time.Time) (erased, record Entry, err error) {
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
	events, err := i.recorded()
	if err != nil {
		return Entry{}, Entry{}, err
	}
	kept, same := i.withoutPerson(events, seq)
	e := Event{
		Key: key, Kind: RedactEntry, At: at, Actor: actor,
		Details: Details{Redaction: &Redaction{Seq: seq, Reason: reason, Kept: &kept, Same: same}},
	}
	if err := e.Validate(); err != nil {
		return Entry{}, Entry{}, err
	}
	sealed, err := i.seal(e.canonical())
	if err != nil {
		return Entry{}, Entry{}, err
	}
	erased = old
	erased.Commitment, i.timeline.buf = old.commit(i.timeline.buf)
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

// withoutPerson returns what is left of an entry after a redaction, the person under
// a pseudonym, and the other entries that name the person. events are those of the
// timeline.
func (i *Incident) withoutPerson(events []Event, seq uint64) (kept Details, same []uint64) {
	e := events[seq-1]
	name, alias := e.person(), i.alias(events, e)
	e.Details = e.withoutTexts()
	if alias == "" {
		return e.Details, nil
	}
	for n, other := range events {
		if uint64(n)+1 != seq && other.person() == name {
			same = append(same, uint64(n)+1)
		}
	}
	return e.withPerson(alias).Details, same
}

// alias returns the pseudonym of the person whom e is about: the one that the person
// has, or the number in the order in which persons first appear in events. It is ""
// for nobody, and for an actor, whose name is not in what is erased.
func (i *Incident) alias(events []Event, e Event) string {
	name := i.renamed(e).person()
	if name == "" || IsRedacted(name) {
		return name
	}
	if e.Kind == Acknowledge && e.Person == "" {
		return ""
	}
	var persons []string
	for _, other := range events {
		if p := i.renamed(other).person(); p != "" && !slices.Contains(persons, p) {
			persons = append(persons, p)
		}
	}
	for n := slices.Index(persons, name) + 1; ; n++ {
		if alias := pseudonym + strconv.Itoa(n); !slices.Contains(persons, alias) {
			return alias
		}
	}
}

// renamed returns e under the pseudonym of its person, if the person has one.
func (i *Incident) renamed(e Event) Event {
	if alias := i.aliases[e.person()]; alias != "" {
		return e.withPerson(alias)
	}
	return e
}

// aliasesOf returns the pseudonyms that redactions gave to persons whose names other
// events still give, by those names.
func aliasesOf(events []Event) map[string]string {
	aliases := map[string]string{}
	known := func(seq uint64) bool { return seq > 0 && seq <= uint64(len(events)) }
	for _, e := range events {
		r := e.Redaction
		if e.Kind != RedactEntry || r == nil || !known(r.Seq) {
			continue
		}
		alias := events[r.Seq-1].person()
		for _, seq := range r.Same {
			if known(seq) && IsRedacted(alias) && named(events[seq-1].person()) {
				aliases[events[seq-1].person()] = alias
			}
		}
	}
	return aliases
}

// person returns whom the event is about, "" for nobody.
func (e Event) person() string {
	switch e.Kind {
	case RecordMeasure:
		if e.Measure == nil {
			return ""
		}
		return e.Measure.Owner
	case Acknowledge:
		return cmp.Or(e.Person, e.Actor)
	default:
		return e.Person
	}
}

// withPerson returns e with another name in the place of the one that person returns.
func (e Event) withPerson(name string) Event {
	if e.Kind != RecordMeasure {
		e.Person = name
		return e
	}
	m := *e.Measure
	m.Owner = name
	e.Measure = &m
	return e
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
