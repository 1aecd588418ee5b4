// Package sealed puts a state in JSON into an envelope with the version of its form and a
// checksum, so that a digit that changed where it was kept is found:
//
//	{"version":2,"crc32c":"e3069283","state":{…}}
//
// The checksum is the CRC-32C of the bytes of the state (Castagnoli; RFC 3720, appendix
// B.4), in eight hexadecimal digits. It finds every change of up to 32 bits in a row.
package sealed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type envelope struct {
	Version int             `json:"version"`
	CRC32C  string          `json:"crc32c"`
	State   json.RawMessage `json:"state"`
}

// Seal returns an envelope. Its bytes are those that encoding/json makes of them again, with
// its defaults, so that it may be a part of another document. Equal states give equal bytes.
func Seal(version int, state any) ([]byte, error) {
	data, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	out := fmt.Appendf(make([]byte, 0, len(data)+64), `{"version":%d,"crc32c":"%s","state":`, version, sum(data))
	return append(append(out, data...), '}'), nil
}

// Open returns the state of an envelope of a version. White space around what is in it does not
// count, so it may have been indented. Null is no state. An error says what was found and what
// was expected.
func Open(data []byte, version int) (json.RawMessage, error) {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("its %d bytes are no JSON of an envelope: %w", len(data), err)
	}
	if e.Version != version {
		return nil, fmt.Errorf("it has version %d, want %d", e.Version, version)
	}
	if len(e.State) == 0 || string(e.State) == "null" {
		return nil, errors.New("it has no state")
	}
	got := sum(e.State)
	if got != e.CRC32C {
		var b bytes.Buffer
		if err := json.Compact(&b, e.State); err == nil {
			got, e.State = sum(b.Bytes()), b.Bytes()
		}
	}
	if got != e.CRC32C {
		return nil, fmt.Errorf("the checksum of its state is %s, want %q: it was changed", got, e.CRC32C)
	}
	return e.State, nil
}

func sum(data []byte) string { return fmt.Sprintf("%08x", crc32.Checksum(data, castagnoli)) }
