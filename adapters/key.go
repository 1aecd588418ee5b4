package adapters

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Key is what one effect is for: the same key, the same effect. Two tries of one
// effect have equal keys, however often a process died between them.
type Key struct {
	Tenant   string
	Incident string
	Round    int    // how often the incident was opened again
	Step     string // "open", "escalate-2", …
	Target   string // where it goes: a sink, a channel, a person
}

// String returns 64 characters that fit the keys of all vendors: the SHA-256 of
// the fields, each behind its length, in hexadecimal. No two keys that differ in a
// field are written alike, so no tenant can guess its way into another's.
func (k Key) String() string {
	h := sha256.New()
	var n [8]byte
	field := func(text string) {
		binary.BigEndian.PutUint64(n[:], uint64(len(text)))
		h.Write(n[:])
		h.Write([]byte(text))
	}
	field(k.Tenant)
	field(k.Incident)
	binary.BigEndian.PutUint64(n[:], uint64(k.Round)) //nolint:gosec // any value has its eight bytes
	h.Write(n[:])
	field(k.Step)
	field(k.Target)
	return hex.EncodeToString(h.Sum(nil))
}
