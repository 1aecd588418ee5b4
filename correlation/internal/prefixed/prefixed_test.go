package prefixed_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
)

// What was appended is cut off again, of any length, behind the uvarint of encoding/binary.
func TestCut(t *testing.T) {
	var list []string
	for _, n := range []int{0, 1, 127, 128, 129, 16383, 16384, 1 << 21} {
		list = append(list, strings.Repeat("\xff", n))
	}
	var b []byte
	for _, s := range list {
		before := len(b)
		b = prefixed.Append(b, s)
		n, width := prefixed.Len(string(b[before:]))
		if want, size := binary.Uvarint(b[before:]); n != int(want) || width != size || n != len(s) {
			t.Errorf("length %d in %d bytes, want %d in %d", n, width, want, size)
		}
	}
	var got []string
	for rest := string(b); rest != ""; {
		var first string
		first, rest = prefixed.Cut(rest)
		got = append(got, first)
	}
	if !slices.Equal(got, list) {
		t.Errorf("%d texts came back, want the %d that were appended", len(got), len(list))
	}
}
