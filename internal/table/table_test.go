package table_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/table"
)

type record struct {
	hash uint64
	n    int
}

// Whatever is inserted and removed, the table has what a map has: with hashes that are all
// alike, that differ in few bits, and that are random.
func TestTable(t *testing.T) {
	for _, mask := range []uint64{0, 3, 1 << 63, 0xfff, 0xffff << 48, ^uint64(0)} {
		src := rand.New(rand.NewPCG(1, mask))
		var tab table.Table[record]
		model := map[uint64][]*record{}
		var all []*record
		check := func(step int) {
			t.Helper()
			if tab.Len() != len(all) {
				t.Fatalf("mask %x, step %d: %d records, want %d", mask, step, tab.Len(), len(all))
			}
			for hash, want := range model {
				for _, x := range want {
					if got := tab.Find(hash, func(y *record) bool { return y.n == x.n }); got != x {
						t.Fatalf("mask %x, step %d: record %d of hash %x is %v, want %v", mask, step, x.n, hash, got, x)
					}
				}
				n := 0
				if got := tab.Find(hash, func(y *record) bool {
					if y.hash == hash {
						n++
					}
					return false
				}); got != nil || n != len(want) {
					t.Fatalf("mask %x, step %d: hash %x asks about %d records and finds %v, want %d and none", mask, step, hash, n, got, len(want))
				}
			}
			seen := map[*record]bool{}
			for x := range tab.All() {
				if seen[x] {
					t.Fatalf("mask %x, step %d: All yields record %d twice", mask, step, x.n)
				}
				seen[x] = true
			}
			if len(seen) != len(all) {
				t.Fatalf("mask %x, step %d: All yields %d records, want %d", mask, step, len(seen), len(all))
			}
		}
		for step := range 6000 {
			if len(all) > 0 && (src.IntN(3) == 0 || mask == 0 && len(all) > 40) {
				k := src.IntN(len(all))
				x := all[k]
				all = slices.Delete(all, k, k+1)
				if model[x.hash] = slices.DeleteFunc(model[x.hash], func(y *record) bool { return y == x }); len(model[x.hash]) == 0 {
					delete(model, x.hash)
				}
				tab.Remove(x.hash, x)
				if got := tab.Find(x.hash, func(y *record) bool { return y == x }); got != nil {
					t.Fatalf("mask %x, step %d: record %d is still there", mask, step, x.n)
				}
			} else {
				x := &record{hash: src.Uint64() & mask, n: step}
				all = append(all, x)
				model[x.hash] = append(model[x.hash], x)
				tab.Insert(x.hash, x)
			}
			if step%100 == 0 {
				check(step)
			}
		}
		check(6000)
		for x := range tab.All() { // those that were yielded may be removed
			tab.Remove(x.hash, x)
		}
		if tab.Len() != 0 || tab.Find(0, func(*record) bool { return true }) != nil {
			t.Errorf("mask %x: %d records are left", mask, tab.Len())
		}
		for range tab.All() {
			t.Errorf("mask %x: an emptied table yields something", mask)
		}
	}
}

// More records of one hash than a segment has places for are found, and those of other hashes
// beside them.
func TestOneHash(t *testing.T) {
	var tab table.Table[record]
	for n := range 5000 {
		x := &record{n: n}
		if n%2 == 0 {
			x.hash = uint64(n)
		}
		tab.Insert(x.hash, x)
	}
	for n := range 5000 {
		hash := uint64(0)
		if n%2 == 0 {
			hash = uint64(n)
		}
		if got := tab.Find(hash, func(x *record) bool { return x.n == n }); got == nil {
			t.Fatalf("record %d is not there", n)
		}
	}
}

// An empty table can be asked.
func TestEmpty(t *testing.T) {
	var tab table.Table[record]
	if tab.Find(1, func(*record) bool { return true }) != nil || tab.Len() != 0 {
		t.Error("something is in an empty table")
	}
	for range tab.All() {
		t.Error("an empty table yields something")
	}
}

// A record costs the table 30 bytes at most, and as much of garbage, and nobody is asked about records
// of other hashes.
func TestCost(t *testing.T) {
	const records = 100_000
	list := make([]record, records)
	src := rand.New(rand.NewPCG(1, 2))
	for n := range list {
		list[n] = record{src.Uint64(), n}
	}
	got := testing.Benchmark(func(b *testing.B) {
		b.Helper()
		b.ReportAllocs()
		for b.Loop() {
			var tab table.Table[record]
			for n := range list {
				tab.Insert(list[n].hash, &list[n])
			}
		}
	})
	// A segment has 12 bytes for a place and is at least 13 thirty-seconds full, which is
	// the 30; each split leaves one of 1,024 places behind for the two that it makes.
	if bytes := got.AllocedBytesPerOp() / records; bytes > 2*30 {
		t.Errorf("%d bytes allocated for a record, want 60 at most", bytes)
	}
	var tab table.Table[record]
	asked := 0
	for n := range list {
		tab.Find(list[n].hash, func(*record) bool { asked++; return false })
		tab.Insert(list[n].hash, &list[n])
	}
	// Half of each hash is compared: of the pairs of 100,000 records, one in 2^32 is alike.
	if asked > 10 {
		t.Errorf("asked about %d records of other hashes, want about one", asked)
	}
}
