package logs

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"time"
)

// FormatError reports a snapshot that cannot be read.
type FormatError struct {
	// Offset is the byte at which reading stopped, and Version that of the format the
	// snapshot claims, 0 if it has none.
	Offset  int
	Version int
	Problem string
}

// Error says what was found and what is wanted.
func (e *FormatError) Error() string {
	return fmt.Sprintf("logs: snapshot of version %d, byte %d: %s", e.Version, e.Offset, e.Problem)
}

// A snapshot is a magic text of four bytes, the version in one, the length of
// what follows as a varint, that, and the CRC-32C of all before it in four.
const (
	minerMagic = "EKLM"
	watchMagic = "EKLW"
	version    = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal wraps a payload.
func seal(magic string, payload []byte) []byte {
	data := append([]byte(magic), version)
	data = binary.AppendUvarint(data, uint64(len(payload)))
	data = append(data, payload...)
	return binary.BigEndian.AppendUint32(data, crc32.Checksum(data, castagnoli))
}

// open unwraps a payload for reading.
func open(magic string, data []byte) (*reader, error) {
	if len(data) < len(magic)+1 || string(data[:len(magic)]) != magic {
		return nil, &FormatError{Problem: fmt.Sprintf("does not begin with %q and a version", magic)}
	}
	v := int(data[len(magic)])
	if v != version {
		return nil, &FormatError{Offset: len(magic), Version: v, Problem: fmt.Sprintf("unknown version, want %d", version)}
	}
	at := len(magic) + 1
	n, width := binary.Uvarint(data[at:])
	at += max(width, 0)
	if width <= 0 || n != uint64(len(data)-at-4) || len(data)-at < 4 {
		return nil, &FormatError{Offset: at, Version: v, Problem: "length does not fit"}
	}
	end := len(data) - 4
	if got, want := crc32.Checksum(data[:end], castagnoli), binary.BigEndian.Uint32(data[end:]); got != want {
		return nil, &FormatError{Offset: end, Version: v, Problem: fmt.Sprintf("checksum is %08x, want %08x", got, want)}
	}
	return &reader{data: data[:end], at: at}, nil
}

// writer appends values.
type writer struct{ data []byte }

// uint appends an unsigned varint.
func (w *writer) uint(n uint64) { w.data = binary.AppendUvarint(w.data, n) }

// int appends a signed varint.
func (w *writer) int(n int64) { w.data = binary.AppendVarint(w.data, n) }

// float appends eight bytes.
func (w *writer) float(x float64) {
	w.data = binary.LittleEndian.AppendUint64(w.data, math.Float64bits(x))
}

// text appends a text behind its length.
func (w *writer) text(s string) { w.uint(uint64(len(s))); w.data = append(w.data, s...) }

// bool appends 0 or 1.
func (w *writer) bool(b bool) {
	if b {
		w.uint(1)
	} else {
		w.uint(0)
	}
}

// time appends seconds since 1970 and nanoseconds; the zone is lost.
func (w *writer) time(t time.Time) {
	w.int(t.Unix())
	w.uint(uint64(t.Nanosecond()))
}

// reader reads them again. After the first error all values are 0.
type reader struct {
	data []byte
	at   int
	err  error
}

// fail keeps the first problem, with its place, and lets nothing be read any more.
func (r *reader) fail(problem string) {
	if r.err == nil {
		r.err = &FormatError{Offset: r.at, Version: version, Problem: problem}
		r.data = r.data[:0]
		r.at = 0
	}
}

// check fails with the problem unless ok.
func (r *reader) check(ok bool, problem string) {
	if !ok {
		r.fail(problem)
	}
}

// uint reads an unsigned varint.
func (r *reader) uint() uint64 {
	n, width := binary.Uvarint(r.data[r.at:])
	if width <= 0 {
		r.fail("want an unsigned varint")
		return 0
	}
	r.at += width
	return n
}

// int reads a signed varint.
func (r *reader) int() int64 {
	n, width := binary.Varint(r.data[r.at:])
	if width <= 0 {
		r.fail("want a varint")
		return 0
	}
	r.at += width
	return n
}

// most reads a number of at most limit.
func (r *reader) most(limit uint64) uint64 {
	n := r.uint()
	if n > limit {
		r.fail(fmt.Sprintf("is %d, want at most %d", n, limit))
		return 0
	}
	return n
}

// count reads a number of things of at least one byte each.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.data)-r.at) {
		r.fail(fmt.Sprintf("%d things in %d bytes", n, len(r.data)-r.at))
		return 0
	}
	return int(n)
}

// positive reads a number that an int64 holds and that is at least 0.
func (r *reader) positive() int64 { return int64(r.most(math.MaxInt64)) }

// bool reads 0 or 1.
func (r *reader) bool() bool { return r.most(1) == 1 }

// float reads eight bytes of a finite number.
func (r *reader) float() float64 {
	if len(r.data)-r.at < 8 {
		r.fail("want a number of eight bytes")
		return 0
	}
	x := math.Float64frombits(binary.LittleEndian.Uint64(r.data[r.at:]))
	r.at += 8
	r.check(x-x == 0, "number is not finite")
	return x
}

// text reads a copy of a text behind its length.
func (r *reader) text() string {
	n := r.count()
	s := string(r.data[r.at : r.at+n])
	r.at += n
	return s
}

// time reads an instant in UTC.
func (r *reader) time() time.Time {
	sec := r.int()
	nsec := r.most(1e9 - 1)
	return time.Unix(sec, int64(nsec)).UTC()
}

// done returns the error, also if something is left.
func (r *reader) done() error {
	r.check(r.at == len(r.data), "bytes are left over")
	return r.err
}
