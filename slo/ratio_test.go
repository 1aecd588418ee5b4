package slo

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
)

// ratios are numbers at the edges of 64 bits, and random ones of every size.
func ratios(r *rand.Rand, n int) []*big.Rat {
	edges := []int64{1, 2, 3, 1e9, 1<<31 - 1, 1 << 32, 1<<53 - 1, 1 << 53, 1<<53 + 1, 1 << 61, 1 << 62, math.MaxInt64 - 1, math.MaxInt64}
	rats := []*big.Rat{new(big.Rat), new(big.Rat).SetFrac(big.NewInt(math.MinInt64), big.NewInt(1)), new(big.Rat).SetFrac(big.NewInt(1), big.NewInt(math.MinInt64))}
	for _, a := range edges {
		for _, b := range edges {
			rats = append(rats, big.NewRat(a, b), big.NewRat(-a, b))
		}
	}
	wide := func() *big.Int { // 1 to 100 bits
		x := new(big.Int).Lsh(new(big.Int).SetUint64(r.Uint64()), uint(r.IntN(37)))
		return x.Rsh(x, uint(r.IntN(64))).SetBit(x, 0, 1)
	}
	for len(rats) < n {
		rat := new(big.Rat).SetFrac(wide(), wide())
		if r.IntN(2) == 0 {
			rat.Neg(rat)
		}
		rats = append(rats, rat)
	}
	return rats
}

// mustBe fails when a Ratio is not the number, is not in lowest terms or keeps a
// number apart that fits.
func mustBe(t *testing.T, what string, got Ratio, want *big.Rat) {
	t.Helper()
	fits := want.Num().IsInt64() && want.Denom().IsInt64() && want.Num().Int64() != math.MinInt64
	if got.Rat().Cmp(want) != 0 || got.text() != want.String() || (got.large == nil) != fits {
		t.Fatalf("%s = %s (apart: %t), want %s", what, got, got.large != nil, want)
	}
}

func TestRatioAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	rats := ratios(r, 1500)
	for i, x := range rats {
		a := ratioOf(new(big.Rat).Set(x))
		mustBe(t, "ratioOf("+x.String()+")", a, x)
		parsed, err := ParseRatio(x.String())
		if err != nil {
			t.Fatal(err)
		}
		mustBe(t, "ParseRatio("+x.String()+")", parsed, x)
		if a.Sign() != x.Sign() || !a.IsSet() || a.IsInf(0) {
			t.Fatalf("%s: sign %d, set %t, infinite %t", x, a.Sign(), a.IsSet(), a.IsInf(0))
		}
		if want, _ := x.Float64(); a.Float64() != want || a.Decimal() != strconv.FormatFloat(want, 'f', -1, 64) {
			t.Fatalf("%s: Float64 = %v, Decimal = %s, want %v", x, a.Float64(), a.Decimal(), want)
		}
		mustBe(t, "1 - "+x.String(), oneMinus(a), new(big.Rat).Sub(big.NewRat(1, 1), x))
		num, den, ok := a.parts()
		if wantOK := x.Sign() >= 0 && x.Num().IsUint64() && x.Denom().IsUint64(); ok != wantOK || ok && (num != x.Num().Uint64() || den != x.Denom().Uint64()) {
			t.Fatalf("%s: parts = %d, %d, %t", x, num, den, ok)
		}
		for range 20 {
			j := r.IntN(len(rats))
			y := rats[j]
			b := ratioOf(new(big.Rat).Set(y))
			if got, want := a.Compare(b), x.Cmp(y); got != want {
				t.Fatalf("Compare(%s, %s) = %d, want %d", x, y, got, want)
			}
			text := "(" + x.String() + ", " + y.String() + ")"
			mustBe(t, "times"+text, a.times(b), new(big.Rat).Mul(x, y))
			mustBe(t, "plus"+text, a.plus(b), new(big.Rat).Add(x, y))
			mustBe(t, "minus"+text, a.minus(b), new(big.Rat).Sub(x, y))
			if y.Sign() != 0 {
				mustBe(t, "over"+text, a.over(b), new(big.Rat).Quo(x, y))
			}
		}
		if a.Compare(ratioOf(new(big.Rat).Set(x))) != 0 || a.Compare(Inf(1)) != -1 || a.Compare(Inf(-1)) != 1 || a.Compare(Ratio{}) != 1 || i > 0 && a.minus(a).Sign() != 0 {
			t.Fatalf("%s does not order among infinities and itself", x)
		}
	}
}

func TestNewRatioAgainstBig(t *testing.T) {
	edges := []int64{math.MinInt64, math.MinInt64 + 1, -1 << 62, -12, -1, 0, 1, 2, 18, 1 << 62, math.MaxInt64 - 1, math.MaxInt64}
	for _, num := range edges {
		for _, den := range edges {
			if den == 0 {
				if r := NewRatio(num, den); r.IsSet() {
					t.Errorf("NewRatio(%d, 0) = %s, want absent", num, r)
				}
				continue
			}
			mustBe(t, "NewRatio("+strconv.FormatInt(num, 10)+", "+strconv.FormatInt(den, 10)+")", NewRatio(num, den), big.NewRat(num, den))
		}
	}
	for _, n := range []uint64{0, 1, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
		mustBe(t, "whole", whole(n), new(big.Rat).SetInt(new(big.Int).SetUint64(n)))
		mustBe(t, "fraction", fraction(n, math.MaxUint64), new(big.Rat).SetFrac(new(big.Int).SetUint64(n), new(big.Int).SetUint64(math.MaxUint64)))
	}
}

// The decimals that ParseRatio reads without a detour are those that it reads
// with one.
func TestParseDecimalAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	for range 5000 {
		text := strconv.FormatUint(r.Uint64()>>r.IntN(64), 10)
		if at := r.IntN(len(text)); at > 0 {
			text = text[:at] + "." + text[at:]
		}
		if r.IntN(2) == 0 {
			text = "-" + text
		}
		want, _ := new(big.Rat).SetString(text)
		got, err := ParseRatio(text)
		if err != nil {
			t.Fatal(err)
		}
		mustBe(t, text, got, want)
	}
}
