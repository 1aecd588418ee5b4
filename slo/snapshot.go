package slo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
)

// ErrSnapshot is wrapped by the errors of [Tracker.Restore].
var ErrSnapshot = errors.New("snapshot")

// snapshotMagic names the format and its version.
const snapshotMagic = "evenkeel slo 1\n"

// Snapshot returns the whole state of the tracker as bytes, about 5 to 10 for a
// sample kept. Equal trackers give equal bytes.
func (t *Tracker) Snapshot() []byte {
	w := writer{buf: []byte(snapshotMagic)}
	w.text(t.shape())
	w.bool(t.placed)
	w.int(t.now)
	w.bool(t.seen)
	w.int(t.first)
	w.int(t.last)
	w.uint(t.held.Good)
	w.uint(t.held.Total)
	w.int(t.step)
	w.int(t.kept)
	s := t.stats
	for _, n := range []uint64{s.Samples, s.Excluded, s.Missing, s.Duplicates, s.OutOfOrder, s.Conflicts, s.Late, s.Invalid} {
		w.uint(n)
	}
	w.stretches(t.gaps)
	w.uint(uint64(len(t.rules)))
	for _, r := range t.rules {
		w.text(r.named.Rule)
		w.bool(r.holds)
		w.int(r.since)
		w.bool(r.firing)
		w.int(r.firingSince)
		w.int(r.lastHeld)
	}
	for _, c := range t.calendars {
		w.int(c.start)
		w.int(c.end)
		w.uint(c.sums.bad)
		w.uint(c.sums.total)
	}
	if t.slicer != nil {
		w.bool(t.slicer.started)
		w.int(t.slicer.open)
		w.uint(t.slicer.events.bad)
		w.uint(t.slicer.events.total)
	}
	if t.buckets != nil {
		w.buckets(t)
	} else {
		w.tallies(t)
	}
	return binary.LittleEndian.AppendUint32(w.buf, crc32.ChecksumIEEE(w.buf))
}

func (w *writer) tallies(t *Tracker) {
	w.int(t.retention())
	base := t.oldest()
	before := *t.ring.get(base)
	w.int(before.at)
	w.uint(t.ring.head - base)
	for n := base + 1; n <= t.ring.head; n++ {
		e := *t.ring.get(n)
		w.uint(uint64(e.at - before.at)) // wraps after the first, and back
		w.uint(e.bad - before.bad)
		w.uint(e.total - before.total)
		before = e
	}
}

// shape is what must be the same for a snapshot to be of use: the windows and
// the slices. Rules may change, in a compact tracker but for their windows; target, risk and texts do not matter.
func (t *Tracker) shape() string {
	var shape strings.Builder
	for _, w := range t.objective.Windows {
		shape.WriteString(w.String() + "\n")
	}
	if s := t.objective.Slices; s != nil {
		fmt.Fprintf(&shape, "slices %v %s %s\n", s.Length, s.Target, s.NoData)
	}
	if t.buckets != nil {
		fmt.Fprintf(&shape, "compact %v\n", t.lengths())
	}
	return shape.String()
}

// Restore replaces the state of the tracker by that of a snapshot. The objective
// must have the windows and slices of the one that made it, and a compact tracker
// all the windows of its rules; otherwise rules may differ: those known by name keep their runs, others start anew at the instant
// of the snapshot. The exclusions are those of this tracker, as the events kept
// are what earlier exclusions left. Bytes that are no whole, fitting snapshot are
// an error that wraps [ErrSnapshot], and leave the tracker as it was.
func (t *Tracker) Restore(snapshot []byte) error {
	body := len(snapshot) - crc32.Size
	if body < len(snapshotMagic) || string(snapshot[:len(snapshotMagic)]) != snapshotMagic {
		return fmt.Errorf("%w: not one of this version", ErrSnapshot)
	}
	if crc32.ChecksumIEEE(snapshot[:body]) != binary.LittleEndian.Uint32(snapshot[body:]) {
		return fmt.Errorf("%w: checksum differs", ErrSnapshot)
	}
	options := t.options
	options.Exclusions = t.exclusions
	restored, err := NewTracker(t.objective, &options)
	if err != nil {
		return err
	}
	r := reader{buf: snapshot[len(snapshotMagic):body]}
	if shape := r.text(); r.ok() && shape != restored.shape() {
		return fmt.Errorf("%w: of windows and slices %q, want %q", ErrSnapshot, shape, restored.shape())
	}
	restored.read(&r)
	if !r.ok() || len(r.buf) != 0 {
		return fmt.Errorf("%w: truncated or malformed", ErrSnapshot)
	}
	if restored.placed {
		restored.evaluate(restored.now)
	}
	*t = *restored
	return nil
}

func (t *Tracker) read(r *reader) {
	t.placed = r.bool()
	t.now = r.instant()
	t.seen = r.bool()
	t.first, t.last = r.instant(), r.instant()
	t.held = Counts{Good: r.uint(), Total: r.uint()}
	t.step = r.length()
	t.kept = r.int()
	if t.seen && (!t.placed || t.first > t.last || t.last > t.now || t.step > t.last-t.first) {
		r.fail()
	}
	s := &t.stats
	for _, n := range []*uint64{&s.Samples, &s.Excluded, &s.Missing, &s.Duplicates, &s.OutOfOrder, &s.Conflicts, &s.Late, &s.Invalid} {
		*n = r.uint()
	}
	t.gaps = r.stretches()
	t.readRules(r)
	for i := range t.calendars {
		c := &t.calendars[i]
		c.start, c.end = r.int(), r.int()
		c.sums = r.sums()
	}
	if t.slicer != nil {
		t.slicer.started = r.bool()
		t.slicer.open = r.int()
		t.slicer.events = r.sums()
		if limit := int64(math.MaxInt64) / int64(t.slicer.Length); t.slicer.open > limit || t.slicer.open < -limit {
			r.fail()
		}
	}
	if t.buckets != nil {
		t.readBuckets(r)
	} else {
		t.readRing(r)
	}
}

func (t *Tracker) readRules(r *reader) {
	for range r.count() {
		name := r.text()
		was := ruleState{holds: r.bool(), since: r.instant(), firing: r.bool(), firingSince: r.instant(), lastHeld: r.instant()}
		for i := range t.rules {
			if now := &t.rules[i]; now.named.Rule == name {
				now.holds, now.since, now.firing, now.firingSince, now.lastHeld = was.holds, was.since, was.firing, was.firingSince, was.lastHeld
			}
		}
	}
}

func (t *Tracker) readRing(r *reader) {
	retained := r.length()
	at := r.int()
	if retained < t.retention() && at != math.MinInt64 {
		t.kept = max(t.kept, at)
	}
	t.ring.buf[0] = tally{at: at}
	for range r.count() {
		before := t.ring.get(t.ring.head).at
		next := before + int64(r.uint())
		events := r.sums()
		if next <= before || next > t.now {
			r.fail()
		}
		if !r.ok() {
			return
		}
		t.ring.push(next, events, 0)
	}
}

// writer appends the parts of a snapshot.
type writer struct{ buf []byte }

func (w *writer) uint(n uint64) { w.buf = binary.AppendUvarint(w.buf, n) }
func (w *writer) int(n int64)   { w.buf = binary.AppendVarint(w.buf, n) }

func (w *writer) bool(b bool) {
	n := uint64(0)
	if b {
		n = 1
	}
	w.uint(n)
}

func (w *writer) text(s string) {
	w.uint(uint64(len(s)))
	w.buf = append(w.buf, s...)
}

func (w *writer) stretches(list []stretch) {
	w.uint(uint64(len(list)))
	for _, s := range list {
		w.int(s.start)
		w.int(s.end)
	}
}

// reader takes the parts of a snapshot. After the first malformed part
// everything is zero.
type reader struct {
	buf    []byte
	failed bool
}

func (r *reader) ok() bool { return !r.failed }

func (r *reader) fail() { r.failed, r.buf = true, nil }

func (r *reader) uint() uint64 {
	n, size := binary.Uvarint(r.buf)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.buf = r.buf[size:]
	return n
}

func (r *reader) int() int64 {
	n, size := binary.Varint(r.buf)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.buf = r.buf[size:]
	return n
}

// instant reads nanoseconds within the years that a tracker takes.
func (r *reader) instant() int64 {
	ns := r.int()
	const limit = 8_836_000_000 * 1_000_000_000
	if ns < -limit || ns > limit {
		r.fail()
	}
	return ns
}

func (r *reader) length() int64 {
	n := r.int()
	if n < 0 {
		r.fail()
	}
	return n
}

func (r *reader) bool() bool {
	n := r.uint()
	if n > 1 {
		r.fail()
	}
	return n == 1
}

// count reads the length of a list whose items take at least a byte each.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.buf)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count()
	s := string(r.buf[:n])
	r.buf = r.buf[n:]
	return s
}

func (r *reader) sums() sums {
	s := sums{bad: r.uint(), total: r.uint()}
	if s.bad > s.total {
		r.fail()
	}
	return s
}

func (r *reader) stretches() []stretch {
	var list []stretch
	for range r.count() {
		s := stretch{r.instant(), r.instant()}
		if s.end < s.start || len(list) > 0 && s.start < list[len(list)-1].end {
			r.fail()
		}
		if !r.ok() {
			return nil
		}
		list = append(list, s)
	}
	return list
}
