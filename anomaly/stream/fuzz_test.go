package stream_test

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"
	"time"
)

// reseal replaces the checksum by the right one.
func reseal(data []byte) []byte {
	body := slices.Clone(data[:max(0, len(data)-4)])
	return binary.LittleEndian.AppendUint32(body, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

// A state that is accepted is one that a detector can go on with, whatever it says, and
// whose successors are accepted, too.
func FuzzUnmarshal(f *testing.F) {
	for kind, d := range detectors {
		one := d.make()
		f.Add(uint8(kind), must(one.MarshalBinary()), int64(0), 1.0)
		for _, s := range troubled(120) {
			one.Update(s.at, s.value)
		}
		f.Add(uint8(kind), must(one.MarshalBinary()), int64(time.Minute), 50.0)
	}
	f.Fuzz(func(t *testing.T, kind uint8, state []byte, step int64, x float64) {
		d := detectors[int(kind)%len(detectors)]
		one := d.make()
		if one.UnmarshalBinary(reseal(state)) != nil {
			return
		}
		at := start
		for i := range 40 {
			one.Update(at, x*float64(i%7))
			at = at.Add(time.Duration(step))
			if i == 20 {
				one.Pause()
			}
		}
		again := d.make()
		if err := again.UnmarshalBinary(must(one.MarshalBinary())); err != nil {
			t.Fatalf("%s: the state of one that was restored: %v", d.name, err)
		}
	})
}
