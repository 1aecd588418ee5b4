package adaptertest

import (
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/ingest"
)

// Seen runs the conformance suite of memories for deliveries. open makes an empty one
// and returns a function that opens it, as one process after the other would; one in
// memory may return itself each time. It has to remember the latest ten keys.
func Seen(t *testing.T, open func(t *testing.T) func() ingest.Seen) {
	t.Helper()
	again := open(t)
	seen := again()
	has := func(key string, want bool) {
		t.Helper()
		if got, err := seen.Has(t.Context(), key); err != nil || got != want {
			t.Errorf("Has(%q) = %v, %v, want %v", key, got, err, want)
		}
	}
	add := func(keys ...string) {
		t.Helper()
		if err := seen.Add(t.Context(), keys); err != nil {
			t.Errorf("Add(%q): %v", keys, err)
		}
	}
	has("a", false)
	add()
	add("a", "b", "a")
	has("a", true)
	has("b", true)
	has("A", false)
	has("", false)
	add("b", "c", "") // one that is known among those that are not
	has("", true)
	seen = again()
	has("a", true)
	has("c", true)
	has("d", false)
}
