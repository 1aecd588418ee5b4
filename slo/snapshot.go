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

// snapshotMagic names the format and its version. Version 2 keeps of each rule when
// it ceased to hold instead of when it held last, and has of each calendar window
// the period that ended, and what came in marked time. Version 1 is read: an alert
// kept firing may end one evaluation early, and [Tracker.Ended] knows nothing of the
// period that had ended by then.
const (
	snapshotMagic   = "evenkeel slo 2\n"
	snapshotMagicV1 = "evenkeel slo 1\n"
)

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
	w.stretches(t.keptGaps())
	w.uint(uint64(len(t.rules)))
	for _, r := range t.rules {
		w.text(r.named.Rule)
		w.bool(r.holds)
		w.int(r.since)
		w.bool(r.firing)
		w.int(r.firingSince)
		w.int(r.ceased)
	}
	for _, c := range t.calendars {
		for _, p := range [...]period{c.period, c.ended} {
			w.int(p.start)
			w.int(p.end)
			w.uint(p.sums.bad)
			w.uint(p.sums.total)
		}
	}
	w.weights(t)
	if t.slicer != nil {
		w.bool(t.slicer.started)
		w.int(t.slicer.open)
		w.uint(t.slicer.events.bad)
		w.uint(t.slicer.events.total)
	}
	if t.buckets != nil {
		w.buckets(t)
	} else {
		w.samples(t)
	}
	return binary.LittleEndian.AppendUint32(w.buf, crc32.ChecksumIEEE(w.buf))
}

// samples writes the history kept. Each instant is the distance from the one
// before; the first wraps, and back.
func (w *writer) samples(t *Tracker) {
	w.int(t.retention())
	w.int(t.longest().last())
	n := uint64(0)
	for s := *t.longest(); s.next(&t.ring); n++ {
		s.pass(&t.ring)
	}
	w.uint(n)
	for s := *t.longest(); s.next(&t.ring); {
		w.uint(uint64(s.step))
		events := s.pass(&t.ring)
		w.uint(events.bad)
		w.uint(events.total)
	}
}

// shape is what must be the same for a snapshot to be of use: the windows and
// the slices. Rules may change, in a compact tracker but for their windows; target,
// risk and texts do not matter.
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
// all the windows of its rules; otherwise rules may differ: those known by name
// keep their runs, others start anew at the instant of the snapshot. The exclusions
// and marks are those of this tracker, as the events kept are what earlier
// exclusions left, with the weights of earlier marks. Bytes that are no whole,
// fitting snapshot are an error that wraps [ErrSnapshot], and leave the tracker as
// it was.
func (t *Tracker) Restore(snapshot []byte) error {
	body := len(snapshot) - crc32.Size
	if body < len(snapshotMagic) || string(snapshot[:len(snapshotMagic)]) != snapshotMagic && string(snapshot[:len(snapshotMagic)]) != snapshotMagicV1 {
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
	r := reader{buf: snapshot[len(snapshotMagic):body], isV1: string(snapshot[:len(snapshotMagic)]) == snapshotMagicV1}
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
	restored.counted = restored.largest()
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
	r.gaps(t)
	t.readRules(r)
	for i := range t.calendars {
		c := &t.calendars[i]
		r.period(&c.period)
		if c.ended = unknown; !r.isV1 {
			r.period(&c.ended)
		}
	}
	if !r.isV1 {
		r.weights(t)
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
		was := ruleState{holds: r.bool(), since: r.instant(), firing: r.bool(), firingSince: r.instant(), ceased: r.instant()}
		for i := range t.rules {
			if now := &t.rules[i]; now.named.Rule == name {
				now.holds, now.since, now.firing, now.firingSince, now.ceased = was.holds, was.since, was.firing, was.firingSince, was.ceased
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
	t.ring.at = at
	for i := range t.slots {
		t.slots[i] = newSlot(t.slots[i].length, at)
	}
	for range r.count() {
		next := t.ring.at + int64(r.uint())
		events := r.sums()
		t.all.add(events)
		if next <= t.ring.at || next > t.now || t.all.total < events.total { // no window holds more than 64 bits
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

func (w *writer) stretches(list timeline) {
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
	isV1   bool
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

func (r *reader) period(p *period) {
	p.start, p.end = r.int(), r.int()
	p.sums = r.sums()
}

func (r *reader) gaps(t *Tracker) {
	for range r.count() {
		g := stretch{r.instant(), r.instant()}
		if n := len(t.gaps); g.end < g.start || n > 0 && g.start < t.gaps[n-1].end {
			r.fail()
		}
		if !r.ok() {
			return
		}
		t.addGap(g)
	}
}
