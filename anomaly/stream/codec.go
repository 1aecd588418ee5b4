package stream

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/evenkeelops/evenkeel/anomaly/sketch"
)

// version is that of the binary form which is written.
const version = 1

const (
	magic = "ekst"
	// frame is magic, version and kind before the state and the checksum after it.
	frame = 4 + 1 + 1 + 4
)

// The kinds of state.
const (
	kindBank = iota + 1
	kindEWMA
	kindRobust
	kindShift
	kindSpread
	kindFlatline
	kindGap
	kindRate
	kindAlarm
	kindSeries
	kindConsensus
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// FormatError reports bytes that are not the state of such a detector.
type FormatError struct {
	// Offset is where, in bytes, Version what the bytes say they are, 0 if nothing.
	Offset, Version int
	// Value and Want describe what is there and what was expected.
	Value, Want string
}

// Error says what was found, where, and what is wanted.
func (e *FormatError) Error() string {
	return fmt.Sprintf("stream: byte %d of version %d: %s, want %s", e.Offset, e.Version, e.Value, e.Want)
}

// coder writes a state or reads one: each detector lists its fields once, in one method for
// both.
type coder struct {
	b       []byte // written so far, or left to read
	reading bool
	size    int // of all that is read
	err     error
}

// encode appends the framed state that fields lists.
func encode(b []byte, kind byte, fields func(*coder)) ([]byte, error) {
	start := len(b)
	c := &coder{b: append(append(b, magic...), version, kind)}
	fields(c)
	return binary.LittleEndian.AppendUint32(c.b, crc32.Checksum(c.b[start:], castagnoli)), c.err
}

// decode reads a framed state into what fields lists.
func decode(data []byte, kind byte, fields func(*coder)) error {
	if len(data) < frame || string(data[:4]) != magic {
		return &FormatError{Value: fmt.Sprintf("%d bytes that begin %q", len(data), data[:min(4, len(data))]), Want: "a header of " + magic}
	}
	if data[4] != version || data[5] != kind {
		return &FormatError{
			Offset: 4, Version: int(data[4]),
			Value: fmt.Sprintf("version %d of kind %d", data[4], data[5]), Want: fmt.Sprintf("%d of %d", version, kind),
		}
	}
	body := data[:len(data)-4]
	if got, want := binary.LittleEndian.Uint32(data[len(body):]), crc32.Checksum(body, castagnoli); got != want {
		return &FormatError{Offset: len(body), Version: version, Value: fmt.Sprintf("checksum %08x", got), Want: fmt.Sprintf("%08x", want)}
	}
	c := &coder{b: body[6:], reading: true, size: len(data)}
	fields(c)
	if len(c.b) > 0 {
		c.require(false, "the end", "%d bytes more", len(c.b))
	}
	return c.err
}

// require makes an error of what is not so, while reading; found is for fmt.Sprintf.
func (c *coder) require(ok bool, want, found string, args ...any) {
	if !ok && c.reading && c.err == nil {
		c.err = &FormatError{Offset: c.size - 4 - len(c.b), Version: version, Value: fmt.Sprintf(found, args...), Want: want}
	}
}

// take returns the next n bytes, nil if there are not as many.
func (c *coder) take(n uint64) []byte {
	if c.err != nil {
		return nil
	}
	if n > uint64(len(c.b)) {
		c.require(false, "as many", "%d of %d bytes", len(c.b), n)
		return nil
	}
	piece := c.b[:n]
	c.b = c.b[n:]
	return piece
}

// uint64 codes eight bytes.
func (c *coder) uint64(v *uint64) {
	if !c.reading {
		c.b = binary.LittleEndian.AppendUint64(c.b, *v)
	} else if piece := c.take(8); piece != nil {
		*v = binary.LittleEndian.Uint64(piece)
	}
}

// int64 codes a number.
func (c *coder) int64(v *int64) {
	u := uint64(*v)
	c.uint64(&u)
	*v = int64(u)
}

// byte codes a number from 0 to most.
func (c *coder) byte(v *uint8, most uint8) {
	if !c.reading {
		c.b = append(c.b, *v)
	} else if piece := c.take(1); piece != nil {
		*v = piece[0]
		if *v > most {
			c.require(false, "a smaller number", "the byte %d", *v)
		}
	}
}

// flag codes yes or no.
func (c *coder) flag(v *bool) {
	var u uint8
	if *v {
		u = 1
	}
	c.byte(&u, 1)
	*v = u == 1
}

// float codes a finite number.
func (c *coder) float(v *float64) {
	u := math.Float64bits(*v)
	c.uint64(&u)
	if *v = math.Float64frombits(u); *v-*v != 0 {
		c.require(false, "a finite number", "%v", *v)
	}
}

// floats codes as many numbers as there are.
func (c *coder) floats(v []float64) {
	for i := range v {
		c.float(&v[i])
	}
}

// sketch codes a sketch that has the options of the one that is there.
func (c *coder) sketch(s **sketch.Sketch) {
	var data []byte
	if !c.reading {
		data, c.err = (*s).MarshalBinary()
	}
	c.bytes(&data)
	if !c.reading || c.err != nil {
		return
	}
	restored := new(sketch.Sketch)
	if err := restored.UnmarshalBinary(data); err != nil {
		c.require(false, "a sketch", "%v", err)
		return
	}
	c.require(restored.Options() == (*s).Options(), "another one", "a sketch of %+v", restored.Options())
	*s = restored
}

// bytes codes a piece with its length; what is read is not copied.
func (c *coder) bytes(v *[]byte) {
	n := uint64(len(*v))
	c.uint64(&n)
	if !c.reading {
		c.b = append(c.b, *v...)
		return
	}
	if piece := c.take(n); piece != nil {
		*v = piece
	}
}

// fields lists the state of a clock.
func (c *clock) fields(k *coder) {
	k.int64(&c.last)
	k.flag(&c.started)
	k.uint64(&c.late)
	k.uint64(&c.repeated)
	k.uint64(&c.missing)
}
