package table

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// RowError says that a row of a file is longer than rows may be: most often a quote that
// is not closed.
type RowError struct {
	Limit int // bytes
}

// Error says how long a row may be.
func (e *RowError) Error() string {
	return fmt.Sprintf("want rows of at most %d bytes; a quote that is not closed?", e.Limit)
}

// FormatError says that a file is no text.
type FormatError struct {
	Name   string
	Format string // such as "gzip"
}

// Error says what was found and what is wanted.
func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: found a file in the format of %s, want text: unpack it first", e.Name, e.Format)
}

// packed are the first bytes of files that somebody may take for the text in them.
var packed = []struct{ magic, format string }{
	{"\x1f\x8b", "gzip"}, {"PK\x03\x04", "zip"}, {"BZh", "bzip2"}, {"\x28\xb5\x2f\xfd", "zstd"}, {"\xfd7zXZ\x00", "xz"},
}

// Plain goes past a byte order mark and says how many bytes that were. A file that is packed
// is a [FormatError]; it is never unpacked, whatever is in it.
func Plain(name string, text *bufio.Reader) (past int64, err error) {
	head, _ := text.Peek(mostMagic) // a file may be shorter
	if strings.HasPrefix(string(head), byteOrderMark) {
		past = int64(len(byteOrderMark))
		_, _ = text.Discard(len(byteOrderMark)) // it was peeked at
	}
	return past, Packed(name, head)
}

// mostMagic is the length of the longest of packed.
const mostMagic = 6

// Packed returns a [FormatError] for a file that begins as packed ones do.
func Packed(name string, head []byte) error {
	for _, p := range packed {
		if bytes.HasPrefix(head, []byte(p.magic)) {
			return &FormatError{name, p.format}
		}
	}
	return nil
}

// limit ends a row that is too long.
type limit struct {
	r    io.Reader
	left int  // bytes of the row, and of what is read ahead; below 0: any number
	last byte // that was read
}

// Read reads on.
func (l *limit) Read(p []byte) (int, error) {
	switch {
	case l.left == 0:
		return 0, &RowError{MaxLine}
	case l.left > 0:
		p = p[:min(len(p), l.left)]
	}
	n, err := l.r.Read(p)
	if n > 0 {
		l.last = p[n-1]
	}
	if l.left > 0 {
		l.left -= n
	}
	return n, err
}

// Problems are what is wrong with a file.
type Problems struct {
	first []error
	more  int
}

// mostProblems is how many are told: a file of the wrong kind has one in every line.
const mostProblems = 1000

// Add adds a problem.
func (p *Problems) Add(err error) {
	if len(p.first) < mostProblems {
		p.first = append(p.first, err)
		return
	}
	p.more++
}

// Err joins the problems of a file; of very many, the first and how many more there are.
func (p *Problems) Err(name string) error {
	if p.more > 0 {
		return errors.Join(append(slices.Clip(p.first), fmt.Errorf("%s: %d further problems", name, p.more))...)
	}
	return errors.Join(p.first...)
}
