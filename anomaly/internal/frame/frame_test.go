package frame

import (
	"bytes"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"testing"
)

func TestLayout(t *testing.T) {
	// The check value of CRC-32C for "123456789" (RFC 3720 and the CRC catalogues).
	if got := crc32.Checksum([]byte("123456789"), castagnoli); got != 0xe3069283 {
		t.Fatalf("CRC-32C of 123456789 = %08x, want e3069283", got)
	}
	got := Append([]byte("x"), "ABCD", 3, []byte{9})
	if want := "78" + "41424344" + "0300" + "0000" + "0100000000000000" + "09"; hex.EncodeToString(got[:len(got)-4]) != want {
		t.Errorf("frame = %x, want %s and a checksum", got, want)
	}
	version, payload, err := Open(got[1:], "ABCD", 3)
	if version != 3 || !bytes.Equal(payload, []byte{9}) || err != nil {
		t.Errorf("Open = %d, %v, %v", version, payload, err)
	}
}

// One changed bit anywhere, one byte more or less is found, and no length is believed.
func TestDamage(t *testing.T) {
	whole := Append(nil, "ABCD", 1, []byte("payload"))
	for i := range 8 * len(whole) {
		bad := bytes.Clone(whole)
		bad[i/8] ^= 1 << (i % 8)
		if _, _, err := Open(bad, "ABCD", 1); !errors.As(err, new(*Error)) {
			t.Errorf("bit %d changed: %v, want an *Error", i, err)
		}
	}
	for n := range whole {
		if _, _, err := Open(whole[:n], "ABCD", 1); err == nil {
			t.Errorf("cut to %d bytes: no error", n)
		}
	}
	if _, _, err := Open(append(bytes.Clone(whole), 0), "ABCD", 1); err == nil {
		t.Error("a byte more: no error")
	}
	var e *Error
	if _, _, err := Open(Append(nil, "ABCD", 2, nil), "ABCD", 1); !errors.As(err, &e) || e.Offset != 4 || e.Version != 2 || err.Error() != "byte 4: version is 2, want 1 to 1" {
		t.Errorf("version 2 = %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(Append(nil, "ABCD", 1, []byte("payload")))
	f.Add([]byte("ABCD"))
	f.Fuzz(func(t *testing.T, data []byte) {
		version, payload, err := Open(data, "ABCD", 2)
		if err == nil && !bytes.Equal(Append(nil, "ABCD", version, payload), data) {
			t.Errorf("%x is read as version %d, %x", data, version, payload)
		}
	})
}
