package incident

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// ErrConflict means that an entry was to be appended after a head that is no
// longer the head: somebody else was faster. Read the incident again and decide
// anew.
var ErrConflict = errors.New("timeline: head has moved")

// Digest is a SHA-256 hash. As text it is 64 lower-case hexadecimal digits.
type Digest [sha256.Size]byte

// String returns the hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero reports whether the digest is not set.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes the hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads exactly what MarshalText writes.
func (d *Digest) UnmarshalText(text []byte) error { return unhex(d[:], text) }

// Salt makes the payload of one entry unguessable from its hash.
type Salt [16]byte

// IsZero reports whether there is no salt.
func (s Salt) IsZero() bool { return s == Salt{} }

// MarshalText writes 32 lower-case hexadecimal digits.
func (s Salt) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(s[:])), nil }

// UnmarshalText reads exactly what MarshalText writes.
func (s *Salt) UnmarshalText(text []byte) error { return unhex(s[:], text) }

// unhex refuses what hex.Decode lets pass, so that one value has one text.
func unhex(dst, text []byte) error {
	for _, c := range text {
		if c >= 'A' && c <= 'F' {
			return fmt.Errorf("parse hex %q: want lower-case digits", text)
		}
	}
	if len(text) != hex.EncodedLen(len(dst)) {
		return fmt.Errorf("parse hex of %d digits: want %d", len(text), hex.EncodedLen(len(dst)))
	}
	if _, err := hex.Decode(dst, text); err != nil {
		return fmt.Errorf("parse hex %q: %w", text, err)
	}
	return nil
}

// Entry is one line of a timeline. Its hash covers everything but Redacted:
//
//	Hash       = SHA-256(version ‖ Prev ‖ length ‖ header ‖ commitment)
//	commitment = SHA-256(Salt ‖ Payload)
//
// where the header holds the other fields in binary form, texts with their
// length in front. Nothing is encoded anew to check it, so a store may keep the
// fields in columns as long as it keeps them to the byte, instants to the
// nanosecond.
type Entry struct {
	Seq        uint64    `json:"seq"` // from 1, without gaps
	At         time.Time `json:"at"`
	RecordedAt time.Time `json:"recorded_at"`
	Actor      string    `json:"actor"`
	Kind       Kind      `json:"kind"`
	Key        string    `json:"key"` // idempotency key, unique in the incident
	Imported   bool      `json:"imported,omitempty"`

	Payload string `json:"payload,omitempty"` // the details as JSON; empty when redacted
	Salt    Salt   `json:"salt,omitzero"`     // zero when unsalted or redacted

	Redacted   bool   `json:"redacted,omitempty"`  // payload and salt were erased
	Commitment Digest `json:"commitment,omitzero"` // set when redacted: what the erased text hashed to

	Prev Digest `json:"prev"` // hash of the entry before, of the genesis for the first
	Hash Digest `json:"hash"`
}

// Head names the last entry of a timeline; Seq 0 is an empty one.
type Head struct {
	Seq  uint64 `json:"seq"`
	Hash Digest `json:"hash"`
}

// Timeline is the append-only, hash-chained record of one incident. It is not
// safe for concurrent use.
type Timeline struct {
	tenant, incident string
	entries          []Entry
	head             Digest
	buf              []byte // that hashing reuses
}

// NewTimeline returns an empty timeline. Its genesis is bound to tenant and
// incident, so entries cannot be moved to another one.
func NewTimeline(tenant, incident string) *Timeline {
	return &Timeline{tenant: tenant, incident: incident, head: genesis(tenant, incident), buf: make([]byte, 0, usual)}
}

// Of returns the incident whose record it is.
func (t *Timeline) Of() (tenant, id string) { return t.tenant, t.incident }

// Head returns the last entry's number and hash.
func (t *Timeline) Head() Head { return Head{Seq: uint64(len(t.entries)), Hash: t.head} }

// Grow makes room for n more entries, so that appending them allocates nothing.
func (t *Timeline) Grow(n int) { t.entries = slices.Grow(t.entries, n) }

// Len returns the number of entries.
func (t *Timeline) Len() int { return len(t.entries) }

// Entries returns a copy of all entries.
func (t *Timeline) Entries() []Entry { return slices.Clone(t.entries) }

// Append seals e as the entry after number expected and returns it. Seq, Prev
// and Hash are set here, the other fields are the caller's. The error is
// [ErrConflict] if expected is not the number of the head, and an [*EntryError]
// for a field that could not be exported and imported again unchanged, or of which
// the line of the export would be longer than the 16 MiB that are read.
func (t *Timeline) Append(expected uint64, e Entry) (Entry, error) {
	if expected != uint64(len(t.entries)) {
		return Entry{}, ErrConflict
	}
	if e.Redacted || !e.Commitment.IsZero() {
		return Entry{}, &EntryError{Field: "redacted", Want: "an entry that is not redacted"}
	}
	if expected == 0 {
		if err := t.checkName(); err != nil {
			return Entry{}, err
		}
	}
	e.Seq, e.Prev = expected+1, t.head
	e.At, e.RecordedAt = e.At.Round(0).UTC(), e.RecordedAt.Round(0).UTC()
	if err := cmp.Or(e.check(), e.checkLength(maxEntry)); err != nil {
		return Entry{}, err
	}
	e.Hash, t.buf = e.hash(t.buf)
	t.entries = append(t.entries, e)
	t.head = e.Hash
	return e, nil
}

// Verify checks the whole timeline; see the function [Verify].
func (t *Timeline) Verify() error { return Verify(t.tenant, t.incident, t.entries) }

// EntryError reports a field of an entry that cannot be recorded.
type EntryError struct {
	Field string
	Want  string
}

// Error names the field and what was expected.
func (e *EntryError) Error() string {
	return fmt.Sprintf("timeline entry: %s: want %s", e.Field, e.Want)
}

// checkName refuses a tenant and an id that the header of an export cannot hold.
func (t *Timeline) checkName() error {
	for _, f := range [...]struct{ name, text string }{{"tenant", t.tenant}, {"incident", t.incident}} {
		switch {
		case !utf8.ValidString(f.text):
			return &EntryError{Field: f.name, Want: "UTF-8 text"}
		case len(f.text) > maxName:
			return &EntryError{Field: f.name, Want: fmt.Sprintf("at most %d bytes", maxName)}
		}
	}
	return nil
}

// check refuses fields that an export cannot hold.
func (e *Entry) check() error {
	for _, f := range [...]struct{ name, text string }{
		{"actor", e.Actor}, {"kind", string(e.Kind)}, {"key", e.Key}, {"payload", e.Payload},
	} {
		if !utf8.ValidString(f.text) {
			return &EntryError{Field: f.name, Want: "UTF-8 text"}
		}
	}
	if !recordable(e.At) {
		return &EntryError{Field: "at", Want: "an instant of the years 1 to 9999"}
	}
	if !recordable(e.RecordedAt) {
		return &EntryError{Field: "recorded_at", Want: "an instant of the years 1 to 9999"}
	}
	return nil
}

// Fault says what is wrong with a timeline.
type Fault string

// The faults.
const (
	Edited    Fault = "edited"    // the entry is not what was hashed
	Removed   Fault = "removed"   // an entry is not there
	Reordered Fault = "reordered" // an entry stands elsewhere
	Foreign   Fault = "foreign"   // an entry that does not belong to this chain
)

// ChainError reports the first place at which a timeline is not what was
// recorded.
type ChainError struct {
	Seq    uint64 // the number of the entry that should stand there, from 1
	Fault  Fault
	Detail string
}

// Error names the place, the fault and what gave it away.
func (e *ChainError) Error() string {
	return fmt.Sprintf("timeline entry %d: %s: %s", e.Seq, e.Fault, e.Detail)
}

// Verify checks that entries are the unaltered timeline of an incident from its
// beginning, and returns a [*ChainError] that names the first bad number and
// what is wrong there. It cannot see that entries are missing at the end; a
// [SignedHead] can. A redacted entry is accepted if a later entry says who
// redacted it.
func Verify(tenant, incident string, entries []Entry) error {
	var space [usual]byte
	buf, prev := space[:], genesis(tenant, incident)
	var redacted []uint64
	for i := range entries {
		e, want := &entries[i], uint64(i)+1
		var hash Digest
		switch hash, buf = e.hash(buf); {
		case hash != e.Hash:
			return &ChainError{Seq: want, Fault: Edited, Detail: "content and hash differ"}
		case e.Seq != want:
			return misplaced(entries, i)
		case e.Prev != prev:
			return &ChainError{Seq: want, Fault: Foreign, Detail: "does not follow the entry before it"}
		case e.Redacted && (e.Payload != "" || !e.Salt.IsZero()), !e.Redacted && !e.Commitment.IsZero():
			return &ChainError{Seq: want, Fault: Edited, Detail: "half redacted"}
		case e.Redacted:
			redacted = append(redacted, e.Seq)
		}
		prev = e.Hash
	}
	for _, seq := range redacted {
		if !redactionOf(entries, seq) {
			return &ChainError{Seq: seq, Fault: Edited, Detail: "erased without an entry that says who and why"}
		}
	}
	return nil
}

// misplaced explains why entry i has another number than its place.
func misplaced(entries []Entry, i int) *ChainError {
	want, got := uint64(i)+1, entries[i].Seq
	numbered := func(seq uint64, from int) bool {
		return slices.ContainsFunc(entries[from:], func(e Entry) bool { return e.Seq == seq })
	}
	twice := got < want || numbered(got, i+1)
	switch {
	case twice:
		return &ChainError{Seq: want, Fault: Foreign, Detail: fmt.Sprintf("number %d stands here and elsewhere", got)}
	case numbered(want, i+1):
		return &ChainError{Seq: want, Fault: Reordered, Detail: fmt.Sprintf("number %d stands here", got)}
	}
	return &ChainError{Seq: want, Fault: Removed, Detail: fmt.Sprintf("number %d stands here", got)}
}

const (
	chainVersion = 1
	genesisLabel = "evenkeel/incident/timeline/1"
)

// genesis is what the first entry follows.
func genesis(tenant, incident string) Digest {
	b := make([]byte, 0, 256)
	for _, part := range []string{genesisLabel, tenant, incident} {
		b = appendText(b, part)
	}
	return sha256.Sum256(b)
}

// usual is the room that most entries need to be hashed; longer payloads are rare.
const usual = 1 << 10

// hash computes the hash of an entry from all its other fields. It works in buf,
// which it returns, longer if it was too short.
func (e *Entry) hash(buf []byte) (Digest, []byte) {
	commitment := e.Commitment
	if !e.Redacted {
		commitment, buf = e.commit(buf)
	}
	b := buf[:0]
	b = append(b, chainVersion)
	b = append(b, e.Prev[:]...)
	lengthAt := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	for _, t := range [...]time.Time{e.At, e.RecordedAt} {
		b = binary.BigEndian.AppendUint64(b, uint64(t.Unix()))
		b = binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
	}
	var marks byte
	if e.Imported {
		marks |= 1
	}
	if e.Redacted || !e.Salt.IsZero() {
		marks |= 2 // salted: without this, a salt could pose as the begin of the payload
	}
	b = append(b, marks)
	b = appendText(b, e.Actor)
	b = appendText(b, string(e.Kind))
	b = appendText(b, e.Key)
	binary.BigEndian.PutUint32(b[lengthAt:], uint32(len(b)-lengthAt-4))
	b = append(b, commitment[:]...)
	return sha256.Sum256(b), b
}

// commit computes the commitment of an entry that is not redacted, in buf as hash
// does.
func (e *Entry) commit(buf []byte) (Digest, []byte) {
	b := buf[:0]
	if !e.Salt.IsZero() {
		b = append(b, e.Salt[:]...)
	}
	b = append(b, e.Payload...)
	return sha256.Sum256(b), b
}

func appendText(b []byte, text string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	return append(b, text...)
}

// newEntry turns an event into an entry that is not sealed yet.
func newEntry(e Event, salt Salt) (Entry, error) {
	payload, err := json.Marshal(e.Details)
	if err != nil {
		return Entry{}, fmt.Errorf("event %q: %w", e.Key, err)
	}
	return Entry{
		At: e.At, RecordedAt: e.RecordedAt, Actor: e.Actor, Kind: e.Kind, Key: e.Key, Imported: e.Imported,
		Payload: string(payload), Salt: salt,
	}, nil
}

// Event returns the event that the entry records. Of a redacted entry the
// details are empty. Fields of the payload that this version does not know are
// ignored; they stay in the entry.
func (e Entry) Event() (Event, error) {
	event := Event{Key: e.Key, Kind: e.Kind, At: e.At, RecordedAt: e.RecordedAt, Actor: e.Actor, Imported: e.Imported}
	if e.Redacted || e.Payload == "" {
		return event, nil
	}
	if err := json.Unmarshal([]byte(e.Payload), &event.Details); err != nil {
		return event, fmt.Errorf("timeline entry %d: payload: %w", e.Seq, err)
	}
	return event, nil
}
