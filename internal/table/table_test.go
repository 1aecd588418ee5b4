package table_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/table"
)

type record struct {
	table.Link[record]
	hash uint64
	n    int
}

// Whatever is inserted and removed, the table has what a map has: with hashes that are all
// alike, that differ in few bits, and that are random.
func TestTable(t *testing.T) {
	for _, mask := range []uint64{0, 3, 1 << 63, 0xfff, ^uint64(0)} {
		src := rand.New(rand.NewPCG(1, mask))
		var tab table.Table[record, *record]
		model := map[uint64][]*record{} // the latest last
		var all []*record
		for step := range 6000 {
			if len(all) > 0 && (src.IntN(3) == 0 || mask == 0 && len(all) > 40) {
				k := src.IntN(len(all))
				x := all[k]
				all = slices.Delete(all, k, k+1)
				model[x.hash] = slices.DeleteFunc(model[x.hash], func(y *record) bool { return y == x })
				tab.Remove(x)
			} else {
				x := &record{hash: src.Uint64() & mask, n: step}
				all = append(all, x)
				model[x.hash] = append(model[x.hash], x)
				tab.Insert(x.hash, x)
			}
			if tab.Len() != len(all) {
				t.Fatalf("mask %x, step %d: %d records, want %d", mask, step, tab.Len(), len(all))
			}
			if step%50 != 0 {
				continue
			}
			for hash, want := range model {
				var got []*record
				for x := tab.First(hash); x != nil; x = tab.Next(x) {
					got = append(got, x)
				}
				slices.Reverse(got)
				if !slices.Equal(got, want) {
					t.Fatalf("mask %x, step %d: hash %x has %d records, want %d in their order", mask, step, hash, len(got), len(want))
				}
			}
			if x := tab.First(mask + 1); x != nil && mask != ^uint64(0) {
				t.Fatalf("mask %x: found %v, want nothing", mask, x)
			}
			seen := map[*record]bool{}
			for x := range tab.All() {
				seen[x] = true
			}
			if len(seen) != len(all) {
				t.Fatalf("mask %x, step %d: All yields %d records, want %d", mask, step, len(seen), len(all))
			}
		}
		for x := range tab.All() { // the last one may be removed
			tab.Remove(x)
		}
		if tab.Len() != 0 || tab.First(0) != nil {
			t.Errorf("mask %x: %d records are left", mask, tab.Len())
		}
	}
}

// An empty table can be asked, and records cost the table eight bytes each, whatever their
// number: 4,096 of them the parts alone.
func TestAllocations(t *testing.T) {
	var tab table.Table[record, *record]
	if tab.First(1) != nil {
		t.Error("something is in an empty table")
	}
	for range tab.All() {
		t.Error("an empty table yields something")
	}
	list := make([]record, 4096)
	n := testing.AllocsPerRun(1, func() {
		tab = table.Table[record, *record]{}
		for i := range list {
			tab.Insert(uint64(i)*0x9e3779b97f4a7c15, &list[i])
		}
	})
	if n > 16 { // ten parts, and the list of them
		t.Errorf("%v allocations, want 16 at most", n)
	}
}
