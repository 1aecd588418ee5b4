package sla

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// Digest is a SHA-256 hash. As text it is "sha256:" and 64 lower-case
// hexadecimal digits; the zero Digest is not set and has no text.
type Digest [sha256.Size]byte

const digestPrefix = "sha256:"

// String returns the text, "" for the zero Digest.
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return digestPrefix + hex.EncodeToString(d[:])
}

// IsZero reports whether the digest is not set.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes what String returns.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads exactly what String returns.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Digest{}
		return nil
	}
	var out Digest
	digits, ok := strings.CutPrefix(string(text), digestPrefix)
	if ok && len(digits) == hex.EncodedLen(len(out)) {
		_, err := hex.Decode(out[:], []byte(digits))
		ok = err == nil
	}
	if !ok || out.String() != string(text) { // one value has one text
		return fmt.Errorf("sla: digest %q: want \"sha256:\" and 64 lower-case hexadecimal digits, not all of them 0", text)
	}
	*d = out
	return nil
}

// Inputs names what a statement was computed from, so that it can be checked
// with [Statement.Verify].
type Inputs struct {
	// Contract is [Contract.Digest]. It is zero for a contract whose digest is an
	// error, that is one with a measure or remedy of your own.
	Contract Digest `json:"contract,omitzero"`

	// Evidence is [Evidence.Digest], of all the evidence that was given.
	Evidence Digest `json:"evidence"`

	// Period is the one asked for; the statement's own may be shorter.
	Period Period `json:"period"`
}

// Digest returns the SHA-256 hash of the contract's JSON as [json.Marshal]
// writes it, with its instants in UTC. Contracts that say the same in other
// words, such as by a default that is written out, have different digests. A
// measure or remedy that neither is one of this package nor names its Kind is an
// error, because its JSON need not hold all that it does. It costs about as much
// as writing the JSON; an [Agreement] computes it once.
func (c Contract) Digest() (Digest, error) {
	for i, t := range c.Terms {
		if t.Availability == nil {
			continue
		}
		if m := t.Availability.Measure; m != nil && !isNamed(measures, m) {
			return Digest{}, fmt.Errorf("sla: digest of contract %q: terms[%d].availability.measure: %T has no name in files", c.ID, i, m)
		}
		if r := t.Availability.Remedy; r != nil && !isNamed(remedies, r) {
			return Digest{}, fmt.Errorf("sla: digest of contract %q: terms[%d].availability.remedy: %T has no name in files", c.ID, i, r)
		}
	}
	c.From, c.Until, c.Period.First = c.From.UTC(), c.Until.UTC(), c.Period.First.UTC()
	data, err := json.Marshal(c)
	if err != nil {
		return Digest{}, fmt.Errorf("sla: digest of contract %q: %w", c.ID, err)
	}
	return sha256.Sum256(data), nil
}

// Digest returns the SHA-256 hash of the statement's JSON as [json.Marshal]
// writes it. A statement has the same digest after it went through JSON.
func (s Statement) Digest() (Digest, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return Digest{}, fmt.Errorf("sla: digest of statement %q %q: %w", s.Contract, s.Period.Label, err)
	}
	return sha256.Sum256(data), nil
}
