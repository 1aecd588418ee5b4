// Package prefixed puts texts one after the other, each behind its length, so that no list
// of texts looks like another one. The length is a uvarint of encoding/binary.
package prefixed

import "encoding/binary"

// Append appends a text.
func Append(b []byte, s string) []byte {
	if len(s) < 0x80 {
		b = append(b, byte(len(s)))
	} else {
		b = binary.AppendUvarint(b, uint64(len(s)))
	}
	return append(b, s...)
}

// Cut takes the first text of those that Append wrote, of which there must be one.
func Cut(s string) (first, rest string) {
	n, width := Len(s)
	return s[width:][:n], s[width+n:]
}

// Len reads the length with which s begins, which must be there, and how many bytes it takes.
func Len(s string) (n, width int) {
	if b := s[0]; b < 0x80 {
		return int(b), 1
	}
	return long(s)
}

// long is Len of any length. It is apart so that Len is inlined.
func long(s string) (n, width int) {
	for shift := 0; ; shift += 7 {
		b := s[width]
		width++
		n |= int(b&0x7f) << shift
		if b < 0x80 {
			return n, width
		}
	}
}
