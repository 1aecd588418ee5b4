package testutil

import (
	"bytes"
	"fmt"
	"iter"
)

// Damaged yields what may become of a file, each with what it is: every bit of it changed alone, every end of it lost, a
// byte more.
func Damaged(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for bit := range 8 * len(data) {
			bad := bytes.Clone(data)
			bad[bit/8] ^= 1 << (bit % 8)
			if !yield(fmt.Sprintf("bit %d changed", bit), bad) {
				return
			}
		}
		for n := range data {
			if !yield(fmt.Sprintf("cut to %d bytes", n), data[:n:n]) {
				return
			}
		}
		yield("a byte more", append(bytes.Clone(data), 0))
	}
}
