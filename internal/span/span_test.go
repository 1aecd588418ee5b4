package span_test

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/span"
)

func TestSets(t *testing.T) {
	a := []span.Span{{0, 4}, {6, 9}, {20, 30}}
	b := []span.Span{{-5, 1}, {4, 6}, {22, 23}, {25, 40}}
	for _, c := range []struct {
		name      string
		got, want []span.Span
	}{
		{"Merge", span.Merge([]span.Span{{0, 2}, {2, 4}, {3, 3}, {5, 9}, {6, 7}, {8, 5}, {10, 10}}), []span.Span{{0, 4}, {5, 9}}},
		{"Merge of empty spans", span.Merge([]span.Span{{1, 1}, {2, 1}}), nil},
		{"Union", span.Union(nil, a, b), []span.Span{{-5, 9}, {20, 40}}},
		{"Union with none", span.Union(nil, nil, a), a},
		{"Intersect", span.Intersect(nil, a, b), []span.Span{{0, 1}, {22, 23}, {25, 30}}},
		{"Subtract", span.Subtract(nil, a, b), []span.Span{{1, 4}, {6, 9}, {20, 22}, {23, 25}}},
		{"Clip", span.Clip(nil, a, span.Span{3, 21}), []span.Span{{3, 4}, {6, 9}, {20, 21}}},
		{"Clip between two", span.Clip(nil, a, span.Span{10, 20}), nil},
		{"appended", span.Subtract([]span.Span{{0, 9}}, []span.Span{{8, 12}}, nil), []span.Span{{0, 9}, {8, 12}}},
		{"union appended", span.Union([]span.Span{{0, 9}}, []span.Span{{8, 12}}, []span.Span{{12, 13}}), []span.Span{{0, 9}, {8, 13}}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
}

// The arithmetic holds over the whole of int64.
func TestExtremes(t *testing.T) {
	all := []span.Span{{math.MinInt64, math.MaxInt64}}
	halves := []span.Span{{math.MinInt64, -1}, {1, math.MaxInt64}}
	if got, want := span.Subtract(nil, all, halves), []span.Span{{-1, 1}}; !slices.Equal(got, want) {
		t.Errorf("Subtract = %v, want %v", got, want)
	}
	if got := span.Total(all); got != math.MaxInt64 {
		t.Errorf("Total of everything = %d, want the largest int64", got)
	}
	if got := span.Total([]span.Span{{math.MinInt64, math.MinInt64 + 2}, {math.MaxInt64 - 3, math.MaxInt64}}); got != 5 {
		t.Errorf("Total = %d, want 5", got)
	}
}

// Every distribution of bounds sorts like a comparison does: dense, over the
// whole of int64, many equal starts, one outlier, powers of two, in order and
// the other way round.
func TestSort(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	wide := func() int64 { return int64(r.Uint64()) }
	for name, draw := range map[string]func(i int) span.Span{
		"dense":      func(int) span.Span { return span.Span{r.Int64N(1000), r.Int64N(1000)} },
		"wide":       func(int) span.Span { return span.Span{wide(), wide()} },
		"few starts": func(int) span.Span { return span.Span{r.Int64N(3), wide()} },
		"one start":  func(int) span.Span { return span.Span{7, r.Int64N(5)} },
		"all equal":  func(int) span.Span { return span.Span{7, 9} },
		"powers":     func(int) span.Span { return span.Span{int64(1) << r.IntN(63), 0} },
		"in order":   func(i int) span.Span { return span.Span{int64(i), int64(i) + 5} },
		"backwards":  func(i int) span.Span { return span.Span{int64(-i), 5} },
		"outlier":    func(i int) span.Span { return span.Span{r.Int64N(100) + math.MaxInt64/2*int64(i%1000/999), 5} },
	} {
		for _, n := range []int{0, 1, 2, 32, 33, 257, 5000} {
			got := make([]span.Span, n)
			for i := range got {
				got[i] = draw(i)
			}
			want := slices.Clone(got)
			slices.SortFunc(want, func(a, b span.Span) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
			if span.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%s: Sort of %d spans is out of order", name, n)
			}
		}
	}
}

// bits is the oracle: a set of the instants 0 to 63.
type bits uint64

func (b bits) spans() (out []span.Span) {
	for at := int64(0); at < 64; at++ {
		if b>>at&1 == 0 {
			continue
		}
		start := at
		for at < 64 && b>>at&1 == 1 {
			at++
		}
		out = append(out, span.Span{start, at})
	}
	return out
}

func window(s span.Span) (b bits) {
	for at := max(s.Start, 0); at < min(s.End, 64); at++ {
		b |= 1 << at
	}
	return b
}

func set(list []span.Span) []span.Span {
	list = slices.Clone(list)
	span.Sort(list)
	return span.Merge(list)
}

func TestAgainstBitSets(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	draw := func() (list []span.Span) {
		for range r.IntN(9) {
			list = append(list, span.Span{r.Int64N(64), r.Int64N(65)}) // half of them empty
		}
		return list
	}
	for range 20_000 {
		against(t, draw(), draw(), span.Span{r.Int64N(64), r.Int64N(65)})
	}
}

// against checks all operations on two lists, and that they keep what dst holds.
func against(t *testing.T, listA, listB []span.Span, bounds span.Span) {
	t.Helper()
	var bitsA, bitsB bits
	for _, s := range listA {
		bitsA |= window(s)
	}
	for _, s := range listB {
		bitsB |= window(s)
	}
	a, b := set(listA), set(listB)
	kept := []span.Span{{-9, 99}}
	for _, c := range []struct {
		name string
		got  []span.Span
		want bits
	}{
		{"Merge", append(slices.Clone(kept), a...), bitsA},
		{"Union", span.Union(slices.Clone(kept), a, b), bitsA | bitsB},
		{"Intersect", span.Intersect(slices.Clone(kept), a, b), bitsA & bitsB},
		{"Subtract", span.Subtract(slices.Clone(kept), a, b), bitsA &^ bitsB},
		{"Clip", span.Clip(slices.Clone(kept), a, bounds), bitsA & window(bounds)},
	} {
		if want := append(slices.Clone(kept), c.want.spans()...); !slices.Equal(c.got, want) {
			t.Fatalf("%s of %v and %v = %v, want %v", c.name, a, b, c.got, want)
		}
	}
	both, rest := span.Total(span.Intersect(nil, a, b)), span.Total(span.Subtract(nil, a, b))
	if both+rest != span.Total(a) {
		t.Fatalf("%v has %d in and %d out of %v, in all %d", a, both, rest, b, span.Total(a))
	}
}

func TestNoAllocation(t *testing.T) {
	a, b := span.Merge(outages(1000)), span.Merge(outages(500))
	work, list := make([]span.Span, 0, 2000), shuffled(outages(1000))
	if n := testing.AllocsPerRun(10, func() {
		span.Sort(list)
		work = span.Union(work[:0], a, b)
		work = span.Intersect(work[:0], a, b)
		work = span.Subtract(work[:0], a, b)
		work = span.Clip(work[:0], a, span.Span{Start: 0, End: math.MaxInt64})
	}); n != 0 {
		t.Errorf("%v allocations with buffers that are large enough, want 0", n)
	}
}

func FuzzSets(f *testing.F) {
	f.Add([]byte{0, 3, 1, 2}, []byte{2, 9}, byte(1), byte(60))
	f.Fuzz(func(t *testing.T, a, b []byte, from, to byte) {
		list := func(data []byte) (out []span.Span) {
			for ; len(data) >= 2; data = data[2:] {
				out = append(out, span.Span{int64(data[0] % 65), int64(data[1] % 65)})
			}
			return out
		}
		against(t, list(a), list(b), span.Span{int64(from), int64(to)})
	})
}

func FuzzSort(f *testing.F) {
	f.Add(make([]byte, 16*40))
	f.Fuzz(func(t *testing.T, data []byte) {
		var list []span.Span
		for ; len(data) >= 16; data = data[16:] {
			list = append(list, span.Span{int64(binary.LittleEndian.Uint64(data)), int64(binary.LittleEndian.Uint64(data[8:]))})
		}
		want := slices.Clone(list)
		slices.SortFunc(want, func(a, b span.Span) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
		if span.Sort(list); !slices.Equal(list, want) {
			t.Fatalf("Sort = %v, want %v", list, want)
		}
	})
}
