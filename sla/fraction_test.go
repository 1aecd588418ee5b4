package sla

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/sla/money"
)

func fraction(tb testing.TB, part, of uint64) Fraction {
	tb.Helper()
	f, err := NewFraction(part, of)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func TestFraction(t *testing.T) {
	for _, c := range []struct {
		part, of        uint64
		text, six, zero string
	}{
		{29400, 29400, "1/1", "100.000000", "100"},
		{0, 7, "0/1", "0.000000", "0"},
		{2, 3, "2/3", "66.666666", "66"},
		{999999999, 1000000000, "999999999/1000000000", "99.999999", "99"}, // never rounded up
		{0, 0, "no data", "", ""},
	} {
		f := fraction(t, c.part, c.of)
		if f.String() != c.text || f.Percent(6) != c.six || f.Percent(0) != c.zero || f.Percent(-1) != c.zero {
			t.Errorf("%d/%d = %s, %s, %s, want %s, %s, %s", c.part, c.of, f, f.Percent(6), f.Percent(0), c.text, c.six, c.zero)
		}
	}
	if _, err := NewFraction(2, 1); err == nil {
		t.Error("NewFraction(2, 1) = nil, want an error")
	}
	if r := (Fraction{}).Rat(); r != nil {
		t.Errorf("Rat without data = %v, want nil", r)
	}
}

// Rounded half up, unlike Percent: 66.666… is 66.7, and 1/16 = 6.25 % is 6.3.
func TestFractionRoundedPercent(t *testing.T) {
	for _, c := range []struct {
		part, of uint64
		decimals int
		want     string
	}{
		{2, 3, 1, "66.7"}, {1, 3, 1, "33.3"}, {1, 16, 1, "6.3"}, {0, 1, 1, "0.0"}, {3, 3, 1, "100.0"}, {2, 3, 0, "67"}, {1, 3, 20, "33.333333333"}, {0, 0, 1, ""},
	} {
		if got := fraction(t, c.part, c.of).RoundedPercent(c.decimals); got != c.want {
			t.Errorf("%d/%d with %d decimals = %q, want %q", c.part, c.of, c.decimals, got, c.want)
		}
	}
}

// Narrow and wide fractions must answer like big.Rat.
func TestFractionAgainstRat(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	random := func() *big.Rat {
		of := new(big.Int).SetUint64(1 + r.Uint64N(1<<r.IntN(63)))
		if r.IntN(2) == 0 {
			of.Mul(of, new(big.Int).SetUint64(1<<62+r.Uint64N(1<<62)))
		}
		part := new(big.Int).Mod(new(big.Int).Mul(of, big.NewInt(r.Int64N(1000))), of)
		if r.IntN(10) == 0 {
			part.Set(of)
		}
		return new(big.Rat).SetFrac(part, of)
	}
	for range 2000 {
		a, b := random(), random()
		fa, fb := fractionOf(a), fractionOf(b)
		if got, want := fa.Compare(fb), a.Cmp(b); got != want {
			t.Fatalf("%v.Compare(%v) = %d, want %d", a, b, got, want)
		}
		p := money.Percent(r.Int64N(whole + 1))
		if got, want := fa.ComparePercent(p), a.Cmp(big.NewRat(int64(p), whole)); got != want {
			t.Fatalf("%v.ComparePercent(%v) = %d, want %d", a, p, got, want)
		}
		if fa.Rat().Cmp(a) != 0 {
			t.Fatalf("Rat of %v = %v", a, fa.Rat())
		}
		text, err := fa.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back Fraction
		if err := back.UnmarshalText(text); err != nil || back.Compare(fa) != 0 {
			t.Fatalf("UnmarshalText(%s) = %v, %v", text, back, err)
		}
		if cut := fa.Percent(9); cut != a.Mul(a, big.NewRat(100, 1)).FloatString(9) && !strings.HasPrefix(a.FloatString(30), cut) {
			t.Fatalf("Percent(9) = %s of %s", cut, a.FloatString(30))
		}
	}
	wide := fractionOf(new(big.Rat).SetFrac(new(big.Int).Lsh(big.NewInt(1), 99), new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 100), big.NewInt(1))))
	if wide.String() != "~0.499999999" {
		t.Errorf("String of a wide fraction = %s, want ~0.499999999", wide)
	}
}

func FuzzFractionUnmarshalText(f *testing.F) {
	for _, seed := range []string{"", "14889/14900", "2/4", "3/2", "-1/2", "1e9/1e9", "0x1/2", "1/0", "1", "/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var v Fraction
		if v.UnmarshalText([]byte(text)) != nil {
			return
		}
		if back, err := v.MarshalText(); err != nil || string(back) != text {
			t.Fatalf("%q comes back as %q, %v", text, back, err)
		}
	})
}
