// Package frame puts stored models between a head and a checksum.
//
//	4 bytes   magic
//	2 bytes   version
//	2 bytes   0
//	8 bytes   length of the payload
//	payload
//	4 bytes   CRC-32C of all before (Castagnoli; RFC 3720, appendix B.4)
//
// Numbers are little-endian. A reader knows from the head whether it can read the rest, and
// from the length how much there is, before it allocates anything.
package frame

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

const (
	headSize = 16
	tailSize = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Error says what is wrong with a frame and where.
type Error struct {
	// Offset counts bytes from the start of the frame.
	Offset int
	// Version is that of the frame, 0 if it was not read.
	Version int
	Problem string
}

// Error gives the place and the problem.
func (e *Error) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Problem) }

// Append adds a frame around a payload. magic has 4 bytes.
func Append(dst []byte, magic string, version uint16, payload []byte) []byte {
	start := len(dst)
	dst = append(dst, magic[:4]...)
	dst = binary.LittleEndian.AppendUint16(dst, version)
	dst = binary.LittleEndian.AppendUint16(dst, 0)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(payload)))
	dst = append(dst, payload...)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// Open checks a frame that takes up all of data and returns its version, from 1 to
// newest, and its payload, which is a part of data.
func Open(data []byte, magic string, newest uint16) (version uint16, payload []byte, err error) {
	fail := func(offset int, format string, args ...any) (uint16, []byte, error) {
		return 0, nil, &Error{Offset: offset, Version: int(version), Problem: fmt.Sprintf(format, args...)}
	}
	if len(data) < headSize+tailSize {
		return fail(len(data), "ends after %d bytes, want at least %d", len(data), headSize+tailSize)
	}
	if string(data[:4]) != magic {
		return fail(0, "starts with %q, want %q", data[:4], magic)
	}
	version = binary.LittleEndian.Uint16(data[4:])
	if version < 1 || version > newest {
		return fail(4, "version is %d, want 1 to %d", version, newest)
	}
	if data[6] != 0 || data[7] != 0 {
		return fail(6, "is not 0")
	}
	length := binary.LittleEndian.Uint64(data[8:])
	if want := uint64(len(data) - headSize - tailSize); length != want {
		return fail(8, "length of the payload is %d, but there are %d bytes of it", length, want)
	}
	end := len(data) - tailSize
	if got, want := crc32.Checksum(data[:end], castagnoli), binary.LittleEndian.Uint32(data[end:]); got != want {
		return fail(end, "checksum is %08x, that of the bytes is %08x", want, got)
	}
	return version, data[headSize:end], nil
}
