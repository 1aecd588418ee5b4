package iforest

import (
	"slices"
	"testing"
)

// Outputs of the reference implementation mt19937ar with init_genrand(5489):
// the first word and the 10000th, the latter also demanded by the C++ standard
// for std::mt19937 ([rand.predef]).
func TestTwisterReference(t *testing.T) {
	var g twister
	g.seed(5489)
	if got := g.word(); got != 3499211612 {
		t.Errorf("first word = %d, want 3499211612", got)
	}
	for range 9998 {
		g.word()
	}
	if got := g.word(); got != 4123659995 {
		t.Errorf("10000th word = %d, want 4123659995", got)
	}
}

func TestDescendingEqualsBounded(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 5, 8, 9, 100, 257, 1025, 5000} {
		var a, b twister
		a.seed(uint32(n))
		b.seed(uint32(n))
		got, want := make([]uint32, n), make([]uint32, n)
		a.descending(got)
		for i := n - 1; i > 0; i-- {
			want[i] = b.bounded(uint32(i))
		}
		got[0] = 0 // unused
		if !slices.Equal(got, want) {
			t.Errorf("descending(%d) differs from single draws", n)
		}
		if x, y := a.word(), b.word(); x != y {
			t.Errorf("after descending(%d) the next word is %d, want %d", n, x, y)
		}
	}
}

func TestBoundedZeroDrawsNothing(t *testing.T) {
	var a, b twister
	a.seed(1)
	b.seed(1)
	if got := a.bounded(0); got != 0 || a.word() != b.word() {
		t.Errorf("bounded(0) = %d or consumed a word", got)
	}
}

func TestPickIsASample(t *testing.T) {
	for name, s := range map[string]sampler{"legacy": &legacySampler{seeds: legacySeeds(&Options{Seed: 3}, 50)}, "fast": newFastSampler(3)} {
		for _, n := range []int{1, 2, 10, 1000} {
			for _, k := range []int{1, 2, 7, 10, 500, 995, 1000} {
				if k > n {
					continue
				}
				s.tree(1)
				got := s.pick(nil, n, k)
				slices.Sort(got)
				if len(slices.Compact(got)) != k || int(got[len(got)-1]) >= n {
					t.Errorf("%s: pick(%d, %d) = %v, want %d different numbers below %d", name, n, k, got, k, n)
				}
			}
		}
		// Every number is drawn equally often: 10 of 50, 4000 times, is 800 each
		// with a standard deviation of 25.
		counts := make([]int, 50)
		for range 4000 {
			for _, j := range s.pick(nil, 50, 10) {
				counts[j]++
			}
		}
		if low, high := slices.Min(counts), slices.Max(counts); low < 675 || high > 925 {
			t.Errorf("%s: 4000 picks of 10 of 50 hit the numbers %d to %d times, want about 800", name, low, high)
		}
	}
}

func TestKeyKeepsOrder(t *testing.T) {
	ordered := []float32{-3.4e38, -1, -1e-40, 0, 1e-40, 1e-20, 1, 1.0000001, 3.4e38}
	for i, x := range ordered {
		for j, y := range ordered {
			if (key(x) < key(y)) != (i < j) || key(x) <= smallest {
				t.Errorf("key(%v) = %d, key(%v) = %d", x, key(x), y, key(y))
			}
		}
	}
	negative := float32(0)
	negative *= -1
	if key(negative) != key(0) {
		t.Error("the zeros have different keys")
	}
}
