package fixed_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/fixed"
)

func TestCompareProductsAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		a, b, c, d := r.Uint64()>>(r.Uint64()%64), r.Uint64()>>(r.Uint64()%64), r.Uint64()>>(r.Uint64()%64), r.Uint64()>>(r.Uint64()%64)
		if r.Uint64()%4 == 0 {
			c, d = b, a
		}
		want := new(big.Int).Mul(u(a), u(b)).Cmp(new(big.Int).Mul(u(c), u(d)))
		if got := fixed.CompareProducts(a, b, c, d); got != want {
			t.Fatalf("CompareProducts(%d, %d, %d, %d) = %d, want %d", a, b, c, d, got, want)
		}
	}
}

func TestMulDivAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		a, b, c := r.Uint64()>>(r.Uint64()%64), r.Uint64()>>(r.Uint64()%64), r.Uint64()>>(r.Uint64()%64)
		q, m, ok := fixed.MulDiv(a, b, c)
		if c == 0 {
			if ok {
				t.Fatalf("MulDiv(%d, %d, 0) ok", a, b)
			}
			continue
		}
		wantQ, wantM := new(big.Int).DivMod(new(big.Int).Mul(u(a), u(b)), u(c), new(big.Int))
		if ok != wantQ.IsUint64() || ok && (q != wantQ.Uint64() || m != wantM.Uint64()) {
			t.Fatalf("MulDiv(%d, %d, %d) = %d, %d, %v, want %v, %v", a, b, c, q, m, ok, wantQ, wantM)
		}
	}
}

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		text  string
		scale int
		want  int64
		ok    bool
	}{
		{"12.5", 2, 1250, true},
		{"12.50", 1, 125, true},
		{"-0.01", 2, -1, true},
		{"99.9995", 7, 999995000, true},
		{"9223372036854775807", 0, 9223372036854775807, true},
		{"9223372036854775808", 0, 0, false},
		{"-92233720368547758.08", 2, math.MinInt64, true},
		{"-92233720368547758.09", 2, 0, false},
		{"18446744073709551616", 0, 0, false},
		{"-0", 2, 0, true},
		{"12.345", 2, 0, false},
		{"", 2, 0, false},
		{".5", 2, 0, false},
		{"5.", 2, 0, false},
		{"1e3", 2, 0, false},
		{"+1", 2, 0, false},
		{"--1", 2, 0, false},
		{"1,000", 2, 0, false},
		{"٣", 0, 0, false},
	} {
		got, err := fixed.ParseDecimal(c.text, c.scale)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("ParseDecimal(%q, %d) = %d, %v, want %d, ok %v", c.text, c.scale, got, err, c.want, c.ok)
		}
	}
}

func TestRatio(t *testing.T) {
	r, err := fixed.ParseRatio("99.900")
	if err != nil || r != (fixed.Ratio{Num: 999, Den: 10}) {
		t.Fatalf("ParseRatio(99.900) = %v, %v, want 999/10", r, err)
	}
	if p, ok := r.Mul(fixed.NewRatio(10, 999)); !ok || p != fixed.NewRatio(1, 1) {
		t.Errorf("999/10 × 10/999 = %v, %v, want 1/1", p, ok)
	}
	if _, err := fixed.ParseRatio("-0"); err == nil {
		t.Error("ParseRatio(-0): want an error")
	}
	if (fixed.Ratio{}).IsSet() || !fixed.NewRatio(0, 5).IsSet() {
		t.Error("only the zero Ratio is not set")
	}
}

func TestRatioAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	draw := func() fixed.Ratio {
		return fixed.NewRatio(r.Uint64()>>(r.Uint64()%64), 1+r.Uint64()>>(1+r.Uint64()%63))
	}
	rat := func(x fixed.Ratio) *big.Rat { return new(big.Rat).SetFrac(u(x.Num), u(x.Den)) }
	for range 20000 {
		x, y := draw(), draw()
		if got, want := x.Compare(y), rat(x).Cmp(rat(y)); got != want {
			t.Fatalf("%v.Compare(%v) = %d, want %d", x, y, got, want)
		}
		want := new(big.Rat).Mul(rat(x), rat(y))
		p, ok := x.Mul(y)
		if fits := want.Num().IsUint64() && want.Denom().IsUint64(); ok != fits || ok && (rat(p).Cmp(want) != 0 || p.Den != want.Denom().Uint64()) {
			t.Fatalf("%v.Mul(%v) = %v, %v, want %v", x, y, p, ok, want)
		}
	}
	if p, ok := fixed.NewRatio(1, 2).Mul(fixed.Ratio{}); ok {
		t.Errorf("1/2 × unset = %v, want not ok", p)
	}
}

func TestParseRatio(t *testing.T) {
	for _, text := range []string{"", "5.", ".5", "-1", "1e3", "0.0000000000000000001", "9223372036854775808"} {
		if r, err := fixed.ParseRatio(text); err == nil {
			t.Errorf("ParseRatio(%q) = %v, want an error", text, r)
		}
	}
	if r, err := fixed.ParseRatio("0.000000000000000001"); err != nil || r != (fixed.Ratio{Num: 1, Den: 1e18}) {
		t.Errorf("ParseRatio(10^-18) = %v, %v, want 1/10^18", r, err)
	}
}

func FuzzDecimal(f *testing.F) {
	f.Add("12.50", uint8(2))
	f.Fuzz(func(t *testing.T, text string, scale uint8) {
		s := int(scale % 19)
		n, err := fixed.ParseDecimal(text, s)
		if err != nil {
			return
		}
		if back, err := fixed.ParseDecimal(fixed.FormatDecimal(n, s), s); err != nil || back != n {
			t.Fatalf("%q at scale %d: %d does not survive printing: %d, %v", text, s, n, back, err)
		}
	})
}

func u(n uint64) *big.Int { return new(big.Int).SetUint64(n) }
