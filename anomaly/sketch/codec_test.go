package sketch_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/sketch"
)

// A sketch that was kept and restored goes on byte for byte like one that was not.
func TestRestoredGoesOn(t *testing.T) {
	for name, values := range series(3000) {
		whole := build(nil, &sketch.Options{Compression: 30, Buffer: 50, Upper: name == "sine"})
		part := whole.Clone()
		for i, v := range values {
			whole.Add(v)
			part.Add(v)
			if i%37 == 0 {
				data, _ := part.MarshalBinary()
				part = new(sketch.Sketch)
				if err := part.UnmarshalBinary(data); err != nil {
					t.Fatal(err)
				}
			}
		}
		a, _ := whole.MarshalBinary()
		if b, _ := part.MarshalBinary(); !bytes.Equal(a, b) {
			t.Errorf("%s: restored and whole differ", name)
		}
	}
}

// The form by hand: magic, version 1, not upper, compression 300, buffer 600, one cluster, one
// value; extremes 1 and 1, the cluster 1 up to 1, the value 2.
func TestBinaryForm(t *testing.T) {
	s := build([]float64{1}, nil)
	s.Quantile(0.5)
	s.Add(2)
	want, _ := hex.DecodeString("656b736b" + "01" + "00" + "2c01" + "5802" + "0100" + "0100" +
		"000000000000f03f" + "000000000000f03f" + "000000000000f03f" + "000000000000f03f" + "0000000000000040")
	want = binary.LittleEndian.AppendUint32(want, crc32.Checksum(want, crc32.MakeTable(crc32.Castagnoli)))
	got, _ := s.MarshalBinary()
	if !bytes.Equal(got, want) {
		t.Fatalf("binary form = %x, want %x", got, want)
	}
	var back sketch.Sketch
	if err := back.UnmarshalBinary(want); err != nil || back.Quantile(0.5) != 1.5 {
		t.Errorf("restored: median %v, %v, want 1.5", back.Quantile(0.5), err)
	}
}

// seal replaces the checksum by the right one.
func seal(b []byte) []byte {
	body := bytes.Clone(b[:len(b)-4])
	return binary.LittleEndian.AppendUint32(body, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

func TestUnmarshalRefuses(t *testing.T) {
	s := build([]float64{1, 2, 3}, nil)
	s.Quantile(0.5)
	s.Add(4)
	good, _ := s.MarshalBinary()
	change := func(at int, to ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], to)
		return seal(b)
	}
	inf := []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x7f}
	for name, b := range map[string][]byte{
		"nothing":                 nil,
		"another magic":           change(0, 'x'),
		"version 2":               change(4, 2),
		"a wrong checksum":        append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1),
		"cut short":               seal(good[:len(good)-8]),
		"too long":                seal(append(bytes.Clone(good), 0)),
		"upper neither 0 nor 1":   change(5, 2),
		"compression 0":           change(6, 0, 0),
		"too many clusters":       change(10, 0xff, 0xff),
		"too many values":         change(12, 0xff, 0xff),
		"an infinite minimum":     change(14, inf...),
		"an infinite maximum":     change(22, inf...),
		"means that fall":         change(30, inf...),
		"an infinite weight":      change(38, inf...),
		"an infinite value":       change(len(good)-12, inf...),
		"a weight of less than 0": change(45, 0xbf),
	} {
		var e *sketch.FormatError
		var into sketch.Sketch
		if err := into.UnmarshalBinary(b); !errors.As(err, &e) {
			t.Errorf("%s: error = %v, want a FormatError", name, err)
		}
		if into.Weight() != 0 {
			t.Errorf("%s: the sketch holds %v, want it as it was", name, into.Weight())
		}
	}
}

func TestDecayingBinary(t *testing.T) {
	d, err := sketch.NewDecaying(time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		data, _ := d.MarshalBinary()
		var back sketch.Decaying
		if err := back.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		at := start.Add(time.Duration(i) * 20 * time.Second)
		d.Add(at, float64(i%17))
		back.Add(at, float64(i%17))
		a, _ := d.MarshalBinary()
		if b, _ := back.MarshalBinary(); !bytes.Equal(a, b) || back.HalfLife() != time.Hour {
			t.Fatalf("after %d values restored and whole differ", i)
		}
	}
	data, _ := d.MarshalBinary()
	for _, at := range []int{len(data) - 25 + 7, len(data) - 17, len(data) - 5} {
		b := bytes.Clone(data)
		b[at] = 0xff
		var e *sketch.FormatError
		if err := new(sketch.Decaying).UnmarshalBinary(seal(b)); !errors.As(err, &e) {
			t.Errorf("byte %d of %d changed: %v, want a FormatError", at, len(data), err)
		}
	}
}

// What is accepted keeps the laws of order and comes back as it was.
func FuzzUnmarshal(f *testing.F) {
	for _, values := range [][]float64{nil, {1}, {1, 2, 3, 1e300, -5}} {
		s := build(values, &sketch.Options{Compression: 10, Buffer: 2})
		data, _ := s.MarshalBinary()
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4 {
			data = seal(data) // or nothing would get past the checksum
		}
		var s sketch.Sketch
		if s.UnmarshalBinary(data) != nil {
			return
		}
		if again, _ := s.MarshalBinary(); !bytes.Equal(again, data) {
			t.Fatalf("%x comes back as %x", data, again)
		}
		if s.Weight() > 0 {
			last := s.Min()
			for _, q := range shares {
				v := s.Quantile(q)
				if !(v >= last && v <= s.Max()) {
					t.Fatalf("Quantile(%v) = %v after %v, want it to rise", q, v, last)
				}
				last = v
			}
		}
		other := s.Clone()
		other.Merge(&s)
		other.Decay(0.3)
		if data, _ := other.MarshalBinary(); new(sketch.Sketch).UnmarshalBinary(data) != nil {
			t.Fatalf("merged with itself and decayed, %x is refused", data)
		}
	})
}
