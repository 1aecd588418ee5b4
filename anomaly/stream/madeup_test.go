package stream

import (
	"testing"
	"time"
)

// A tail that says it has samples and has none has no rank to give; no evidence comes of it.
func TestTailWithoutSamples(t *testing.T) {
	b, err := NewBank(nil)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	b.Update(at, 1)
	for i := range b.tails[:2] {
		tail := &b.tails[i]
		tail.n, tail.scale, tail.half, tail.edge = 200, 1, -1, 1e9
	}
	for range 3 {
		at = at.Add(time.Minute)
		b.Update(at, 5)
	}
	data, err := b.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.UnmarshalBinary(data); err != nil {
		t.Errorf("its own state: %v", err)
	}
}
