package incident

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// SignedHead is a signature over the end of a timeline at some instant. Against
// it, entries that were cut off the end are missed. Sign one when an incident
// is closed, and whenever somebody asks.
type SignedHead struct {
	Tenant    string    `json:"tenant"`
	Incident  string    `json:"incident"`
	Head      Head      `json:"head"`
	At        time.Time `json:"at"`
	Signature []byte    `json:"signature"` // Ed25519
}

// ErrSignature means that a signed head was not signed by the given key or was
// changed since.
var ErrSignature = errors.New("signed head: signature does not match")

// Sign signs the head of the timeline as of an instant.
func (t *Timeline) Sign(key ed25519.PrivateKey, at time.Time) (SignedHead, error) {
	if len(key) != ed25519.PrivateKeySize {
		return SignedHead{}, fmt.Errorf("sign head: key of %d bytes, want %d", len(key), ed25519.PrivateKeySize)
	}
	h := SignedHead{Tenant: t.tenant, Incident: t.incident, Head: t.Head(), At: at.Round(0).UTC()}
	h.Signature = ed25519.Sign(key, h.message())
	return h, nil
}

// Check verifies the signature and that entries are the unaltered timeline up to
// the signed head or longer. The error is [ErrSignature] or a [*ChainError].
func (h SignedHead) Check(key ed25519.PublicKey, entries []Entry) error {
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("check head: key of %d bytes, want %d", len(key), ed25519.PublicKeySize)
	}
	if !ed25519.Verify(key, h.message(), h.Signature) {
		return ErrSignature
	}
	if err := Verify(h.Tenant, h.Incident, entries); err != nil {
		return err
	}
	n := uint64(len(entries))
	if n < h.Head.Seq {
		return &ChainError{Seq: n + 1, Fault: Removed, Detail: fmt.Sprintf("the signed head is number %d", h.Head.Seq)}
	}
	if h.Head.Seq > 0 && entries[h.Head.Seq-1].Hash != h.Head.Hash {
		return &ChainError{Seq: h.Head.Seq, Fault: Foreign, Detail: "not the entry that was signed"}
	}
	return nil
}

func (h SignedHead) message() []byte {
	b := appendText(nil, "evenkeel/incident/head/1")
	b = appendText(b, h.Tenant)
	b = appendText(b, h.Incident)
	b = binary.BigEndian.AppendUint64(b, h.Head.Seq)
	b = append(b, h.Head.Hash[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.At.Unix()))
	return binary.BigEndian.AppendUint32(b, uint32(h.At.Nanosecond()))
}
