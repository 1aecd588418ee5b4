package sync

import (
	"strings"
	"testing"
)

// A tag is found by its form before it is worked out, so that no text, which anybody may
// write into a ticket, takes long; each candidate takes several allocations.
func TestTagged(t *testing.T) {
	r := &Record{Tenant: "acme", ID: "1"}
	for id, want := range map[string]bool{
		"77": true, "a b": true, "a] b [c": true, "": true, strings.Repeat("x", 900): true,
		strings.Repeat("x", 2000): false, // of no vendor
	} {
		for _, text := range []string{r.tag("theirs", id), r.tag("theirs", id) + " [a] b]"} {
			if got := r.tagged(text, "theirs"); got != want {
				t.Errorf("%q: %v, want %v", text, got, want)
			}
		}
		if text := r.tag("theirs", id); r.tagged(text, "their") || r.tagged(text[1:], "theirs") || r.tagged(text[:len(text)-1], "theirs") || (&Record{Tenant: "acme", ID: "2"}).tagged(text, "theirs") {
			t.Errorf("%q is taken for another", text)
		}
	}
	for _, part := range []string{"x ]", "x 0123456789ab]"} {
		text := "[theirs " + strings.Repeat(part, 1<<14)
		if n := testing.AllocsPerRun(1, func() { r.tagged(text, "theirs") }); n > 2000 {
			t.Errorf("%d times %q: %v allocations, want at most 2000", 1<<14, part, n)
		}
	}
}
