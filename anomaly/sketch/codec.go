package sketch

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"
	"time"
)

// version is that of the binary form which is written.
const version = 1

const (
	magic         = "eksk"
	magicDecaying = "ekds"
	// header is magic, version, whether it is upper, compression, buffer, clusters and
	// buffered values.
	header = 4 + 1 + 1 + 2 + 2 + 2 + 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// FormatError reports bytes that are no sketch, or one of an unknown version.
type FormatError struct {
	// Offset is where, in bytes, Version what the bytes say they are, 0 if nothing.
	Offset, Version int
	// Value and Want describe what is there and what was expected.
	Value, Want string
}

// Error says what was found, where, and what is wanted.
func (e *FormatError) Error() string {
	return fmt.Sprintf("sketch: byte %d of version %d: %s, want %s", e.Offset, e.Version, e.Value, e.Want)
}

// AppendBinary appends the binary form: magic, version, options, sizes, extremes, clusters,
// buffered values as they came, CRC-32C; all little-endian. It does not change the
// sketch, and one restored from it behaves in every respect the same. It never fails.
func (s *Sketch) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	b = append(b, magic...)
	b = s.appendBody(b)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

// MarshalBinary returns the form of [Sketch.AppendBinary]. It never fails.
func (s *Sketch) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary reads the binary form and replaces the sketch. The error is a
// [*FormatError]; then the sketch stays as it was. It takes no more memory than the
// bytes and the sizes that they state account for.
func (s *Sketch) UnmarshalBinary(data []byte) error {
	r, err := open(data, magic)
	if err != nil {
		return err
	}
	restored, err := r.sketch()
	if err != nil {
		return err
	}
	if len(r.rest) > 0 {
		return r.errorf("%d bytes too many", "the end", len(r.rest))
	}
	*s = *restored
	return nil
}

// AppendBinary appends the binary form, as [Sketch.AppendBinary].
func (d *Decaying) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	b = append(b, magicDecaying...)
	b = d.sketch.appendBody(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(d.halfLife))
	set := byte(0)
	var sec, nsec int64
	if !d.at.IsZero() {
		set, sec, nsec = 1, d.at.Unix(), int64(d.at.Nanosecond())
	}
	b = append(b, set)
	b = binary.LittleEndian.AppendUint64(b, uint64(sec))
	b = binary.LittleEndian.AppendUint32(b, uint32(nsec))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

// MarshalBinary returns the form of [Decaying.AppendBinary]. It never fails.
func (d *Decaying) MarshalBinary() ([]byte, error) { return d.AppendBinary(nil) }

// UnmarshalBinary reads the binary form, as [Sketch.UnmarshalBinary]. Instants come
// back in UTC.
func (d *Decaying) UnmarshalBinary(data []byte) error {
	r, err := open(data, magicDecaying)
	if err != nil {
		return err
	}
	restored, err := r.sketch()
	if err != nil {
		return err
	}
	if len(r.rest) != 21 {
		return r.errorf("%d bytes", "21 of half-life and instant", len(r.rest))
	}
	halfLife := time.Duration(binary.LittleEndian.Uint64(r.rest))
	set := r.rest[8]
	sec, nsec := int64(binary.LittleEndian.Uint64(r.rest[9:])), binary.LittleEndian.Uint32(r.rest[17:])
	var at time.Time
	if set == 1 {
		at = time.Unix(sec, int64(nsec)).UTC()
	}
	if halfLife <= 0 || set > 1 || nsec >= 1e9 || set == 0 && (sec != 0 || nsec != 0) || set == 1 && at.IsZero() {
		return r.errorf("a half-life of %d at %d.%09d", "a positive one and an instant", halfLife, sec, nsec)
	}
	*d = Decaying{sketch: *restored, halfLife: halfLife, at: at}
	return nil
}

// appendBody appends everything between magic and checksum.
func (s *Sketch) appendBody(b []byte) []byte {
	shape := s.shape
	if shape.compression == 0 {
		shape = newShape(0, 0, false)
	}
	upper := byte(0)
	if shape.upper {
		upper = 1
	}
	b = append(b, version, upper)
	for _, n := range []int{int(shape.compression), int(shape.buffer), len(s.clusters), len(s.buffer)} {
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
	}
	if len(s.clusters) > 0 {
		b = appendFloat(appendFloat(b, s.min), s.max)
	}
	for _, c := range s.clusters {
		b = appendFloat(appendFloat(b, c.mean), c.upTo)
	}
	for _, v := range s.buffer {
		b = appendFloat(b, v)
	}
	return b
}

// appendFloat appends the eight bytes of a number.
func appendFloat(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

// reader walks over checked bytes.
type reader struct {
	rest            []byte
	offset, version int
}

// open checks magic, version and checksum.
func open(data []byte, magic string) (*reader, error) {
	r := &reader{}
	if len(data) < header+4 || string(data[:4]) != magic {
		return nil, r.errorf("%d bytes that begin %q", "a header of "+magic, len(data), data[:min(4, len(data))])
	}
	r.version = int(data[4])
	if r.version != version {
		r.offset = 4
		return nil, r.errorf("version %d", "1", r.version)
	}
	body := data[:len(data)-4]
	if got, want := binary.LittleEndian.Uint32(data[len(body):]), crc32.Checksum(body, castagnoli); got != want {
		r.offset = len(body)
		return nil, r.errorf("checksum %08x", fmt.Sprintf("%08x", want), got)
	}
	r.rest, r.offset = body[5:], 5
	return r, nil
}

// errorf reports what was found at the present place; want comes before the values of
// the format.
func (r *reader) errorf(format, want string, found ...any) error {
	return &FormatError{Offset: r.offset, Version: r.version, Value: fmt.Sprintf(format, found...), Want: want}
}

// sketch reads the body of a sketch.
func (r *reader) sketch() (*Sketch, error) {
	var sizes [4]int
	upper := r.rest[0]
	for i := range sizes {
		sizes[i] = int(binary.LittleEndian.Uint16(r.rest[1+2*i:]))
	}
	compression, buffer, clusters, values := sizes[0], sizes[1], sizes[2], sizes[3]
	need := 16*clusters + 8*values
	if clusters > 0 {
		need += 16
	}
	switch {
	case upper > 1:
		return nil, r.errorf("%d for upper", "0 or 1", upper)
	case compression < minCompression || compression > maxCompression || buffer < 1 || buffer > maxBuffer:
		return nil, r.errorf("compression %d and buffer %d", "10 to 2000 and 1 to 16384", compression, buffer)
	case clusters > compression+2 || values > buffer:
		return nil, r.errorf("%d clusters and %d values", "at most compression + 2 and a buffer full", clusters, values)
	case len(r.rest) < 9+need:
		return nil, r.errorf("%d bytes", strconv.Itoa(9+need), len(r.rest))
	}
	r.skip(9)
	s := &Sketch{shape: newShape(compression, buffer, upper == 1)}
	if clusters > 0 {
		s.min, s.max = r.float(), r.float()
		s.clusters = make([]cluster, clusters)
	}
	last := cluster{mean: s.min}
	for i := range s.clusters {
		c := cluster{r.float(), r.float()}
		if !(c.mean >= last.mean && c.mean <= s.max && c.upTo > last.upTo && c.upTo <= math.MaxFloat64/4) ||
			i == 0 && s.min-s.min != 0 || s.max-s.max != 0 {
			return nil, r.errorf("a cluster at %v up to %v after one at %v up to %v", "rising finite ones", c.mean, c.upTo, last.mean, last.upTo)
		}
		s.clusters[i], last = c, c
	}
	if clusters > 0 && !(s.merged() > minWeight) {
		return nil, r.errorf("a weight of %v", "more than a billionth", s.merged())
	}
	s.buffer = make([]float64, 0, values)
	for range values {
		v := r.float()
		if v-v != 0 {
			return nil, r.errorf("the value %v", "a finite one", v)
		}
		s.buffer = append(s.buffer, v)
	}
	return s, nil
}

// skip passes over bytes that are there.
func (r *reader) skip(n int) {
	r.rest = r.rest[n:]
	r.offset += n
}

// float takes the next eight bytes.
func (r *reader) float() float64 {
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.rest))
	r.skip(8)
	return v
}
