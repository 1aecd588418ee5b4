package slo_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// snapshotV1 was written by version 1.
const snapshotV1 = "ZXZlbmtlZWwgc2xvIDEKHHJvbGxpbmcgMmgKY2FsZW5kYXJfZGF5IFVUQwoBgIDIoaa/kKExAYCAhM/R7YyhMYCAyKGmv5ChMQYHgLCdwt8B////////////AQoAAAAAAAAAAAEBcgGAgMihpr+QoTEBgIDIoaa/kKExgIDIoaa/kKExgICg6NeO7KAxgICY/emzk6ExlICAgCDWgoCAgGCAgIqXjKMDgMD518/0jKExBYDAtr7yMAWAgICAgCCA2I7hb4CAgIAggICAgIBAgNiO4W8BAoDQ1rSxWwIJgOC876dXAQeuCW1o"

// A snapshot of an earlier version is read, and written in the present one.
func TestSnapshotOfEarlierVersion(t *testing.T) {
	o := slo.Objective{
		Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(2 * time.Hour), slo.Calendar(slo.Day, nil)},
		Policy: slo.Policy{Rules: []slo.Rule{{Name: "r", Long: time.Hour, Short: 5 * time.Minute, Factor: slo.NewRatio(2, 1)}}},
	}
	tracker := mustTracker(t, o, nil)
	for _, row := range []struct {
		seconds    int
		bad, total uint64
	}{{0, 1, 5}, {30, 0, 100}, {60, 3, 120}, {90, 0, 0}, {120, 7, 99}, {1800, 5, 1 << 40}, {1830, 1 << 33, 1 << 41}, {1860, 1, 2}, {5000, 2, 9}, {8000, 1, 7}} {
		if err := tracker.ObserveBad(origin.Add(time.Duration(row.seconds)*time.Second), row.bad, row.total); err != nil {
			t.Fatal(err)
		}
	}
	written, err := base64.StdEncoding.DecodeString(snapshotV1)
	if err != nil {
		t.Fatal(err)
	}
	restored := mustTracker(t, o, nil)
	if err := restored.Restore(written); err != nil {
		t.Fatal(err)
	}
	if got, want := view(t, restored), view(t, tracker); got != want {
		t.Errorf("restored:\n%swant\n%s", got, want)
	}
	for _, again := range []*slo.Tracker{tracker, restored} {
		next := mustTracker(t, o, nil)
		if err := next.Restore(again.Snapshot()); err != nil {
			t.Fatal(err)
		}
		if got, want := view(t, next), view(t, tracker); got != want {
			t.Errorf("restored once more:\n%swant\n%s", got, want)
		}
	}
}

// A snapshot with more events than 64 bits hold is refused: their sum would be below
// the bad ones.
func TestSnapshotOfTooManyEvents(t *testing.T) {
	o := slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(2 * time.Hour)}}
	tracker := mustTracker(t, o, nil)
	for i, total := range []uint64{5, math.MaxUint64 - 5} {
		if err := tracker.ObserveBad(origin.Add(time.Duration(i)*30*time.Second), 0, total); err != nil {
			t.Fatal(err)
		}
	}
	snapshot := tracker.Snapshot()
	if err := mustTracker(t, o, nil).Restore(snapshot); err != nil {
		t.Fatalf("2^64-1 events: %v", err)
	}
	apart := binary.AppendUvarint(nil, 30e9) // of the second sample, behind bad and total of the first
	first := bytes.LastIndex(snapshot, append([]byte{0, 5}, apart...))
	if first < 0 {
		t.Fatalf("no 0 bad of 5 in %x", snapshot)
	}
	snapshot[first+1] = 6
	body := snapshot[:len(snapshot)-crc32.Size]
	snapshot = binary.LittleEndian.AppendUint32(body, crc32.ChecksumIEEE(body))
	if err := mustTracker(t, o, nil).Restore(snapshot); !errors.Is(err, slo.ErrSnapshot) {
		t.Errorf("Restore of 2^64 events: %v, want ErrSnapshot", err)
	}
}
