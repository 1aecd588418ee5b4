package money_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/sla/money"
)

func eur(minor int64) money.Amount { return money.Must(money.New(minor, "EUR")) }

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"16666.67 EUR": "16666.67 EUR",
		"500 EUR":      "500.00 EUR",
		"-1.5 USD":     "-1.50 USD",
		"1200 JPY":     "1200 JPY",
		"1.234 KWD":    "1.234 KWD",
		"0.10 EUR":     "0.10 EUR",
	} {
		if a, err := money.Parse(text); err != nil || a.String() != want {
			t.Errorf("Parse(%q) = %v, %v, want %s", text, a, err, want)
		}
	}
	for _, text := range []string{"", "EUR", "5", "5 eur", "5 XXX", "1.5 JPY", "1.234 EUR", "1,5 EUR", "1e3 EUR", "5  EUR", "99999999999999999999 EUR", "5 D E"} {
		if a, err := money.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, a)
		}
	}
}

func TestPercent(t *testing.T) {
	// 50 % of 33 333.33 is 16 666.665: the half decides.
	for _, c := range []struct {
		amount  string
		percent string
		r       money.Rounding
		want    string
	}{
		{"33333.33 EUR", "50", money.HalfUp, "16666.67 EUR"},
		{"33333.33 EUR", "50%", money.HalfEven, "16666.66 EUR"},
		{"33333.33 EUR", "50", money.Down, "16666.66 EUR"},
		{"33333.33 EUR", "50", money.Up, "16666.67 EUR"},
		{"-33333.33 EUR", "50", money.HalfUp, "-16666.67 EUR"},
		{"0.01 EUR", "0.0000001", money.Up, "0.01 EUR"},
		{"999 JPY", "10", money.HalfUp, "100 JPY"},
		{"100000.00 EUR", "1020", money.HalfUp, "1020000.00 EUR"},
		{"92233720368547758.07 EUR", "100", money.HalfUp, "92233720368547758.07 EUR"},
	} {
		p, err := money.ParsePercent(c.percent)
		if err != nil {
			t.Fatal(err)
		}
		got, err := money.Must(money.Parse(c.amount)).Percent(p, c.r)
		if err != nil || got.String() != c.want {
			t.Errorf("%s %% of %s, %v = %v, %v, want %s", c.percent, c.amount, c.r, got, err, c.want)
		}
	}
	if _, err := eur(math.MaxInt64).Percent(money.WholePercent(101), money.Down); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("101 %% of the largest amount: %v, want ErrOverflow", err)
	}
}

func TestPercentText(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0%", "10": "10%", "100%": "100%", "12.50 %": "12.5%", "0.0000001": "0.0000001%", "99.9995%": "99.9995%", "922337203685": "922337203685%",
	} {
		p, err := money.ParsePercent(text)
		if err != nil || p.String() != want {
			t.Errorf("ParsePercent(%q) = %v, %v, want %s", text, p, err, want)
		}
		if again, err := money.ParsePercent(p.String()); err != nil || again != p {
			t.Errorf("ParsePercent(%q) = %v, %v, want %v", p.String(), again, err, p)
		}
	}
	for _, text := range []string{"", "%", " %", "-1", "-1%", "1%%", " 1", "1 ", "0.00000001", "1e2%", "922337203686"} {
		if p, err := money.ParsePercent(text); !errors.As(err, new(*money.ParseError)) {
			t.Errorf("ParsePercent(%q) = %v, %v, want a ParseError", text, p, err)
		}
	}
	for _, n := range []int64{-1, 922337203686, math.MaxInt64} {
		if p, panics := wholePercent(n); !panics {
			t.Errorf("WholePercent(%d) = %v, want a panic", n, p)
		}
	}
}

func wholePercent(n int64) (p money.Percent, panics bool) {
	defer func() { panics = recover() != nil }()
	return money.WholePercent(n), false
}

func TestRoundingText(t *testing.T) {
	for _, r := range []money.Rounding{money.HalfUp, money.HalfEven, money.Down, money.Up} {
		text, err := r.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back money.Rounding
		if err := back.UnmarshalText(text); err != nil || back != r {
			t.Errorf("UnmarshalText(%s) = %v, %v, want %v", text, back, err, r)
		}
	}
	unknown := money.Rounding(4)
	if text, err := unknown.MarshalText(); err == nil {
		t.Errorf("MarshalText of an unknown mode = %s, want an error", text)
	}
	if a, err := eur(1).Share(1, 2, unknown); err == nil {
		t.Errorf("Share with an unknown mode = %v, want an error", a)
	}
}

// Withdrawn, new and special codes as of ISO 4217 list one in 2026.
func TestCurrency(t *testing.T) {
	for code, digits := range map[money.Currency]int{
		"EUR": 2, "USD": 2, "SGD": 2, "XCG": 2, "ZWG": 2, "SLE": 2, "VED": 2, "STN": 2, "MRU": 2, "UYU": 2, "MGA": 2,
		"JPY": 0, "ISK": 0, "UYI": 0, "KWD": 3, "TND": 3, "CLF": 4, "UYW": 4,
	} {
		if !code.Known() || code.Digits() != digits {
			t.Errorf("%s: known %v with %d digits, want %d digits", code, code.Known(), code.Digits(), digits)
		}
	}
	for _, code := range []money.Currency{"", "eur", "EU", "EURO", "R U", "UR ", "HRK", "BGN", "ANG", "CUC", "SLL", "ZWL", "VEF", "DEM", "XAU", "XDR", "XTS", "XXX"} {
		if code.Known() {
			t.Errorf("%q is known, want unknown", code)
		}
	}
}

// Rounded shares must agree with big-number arithmetic for any mode.
func TestShareAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 20000 {
		a, num, den := r.Int64()>>(r.Uint64()%63), r.Int64N(1000), 1+r.Int64N(1000)
		switch {
		case n%100 == 0: // about the ends of the range, shares of nearly 1
			a, num = math.MaxInt64-r.Int64N(3), den+r.Int64N(2)
			if r.Uint64()%2 == 0 {
				a = math.MinInt64 + r.Int64N(3)
			}
		case r.Uint64()%2 == 0:
			a = -a
		}
		mode := money.Rounding(r.Uint64() % 4)
		want := roundBig(new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(a), big.NewInt(num)), big.NewInt(den)), mode)
		got, err := eur(a).Share(num, den, mode)
		if !want.IsInt64() {
			if !errors.Is(err, money.ErrOverflow) {
				t.Fatalf("%d × %d/%d: %v, want ErrOverflow", a, num, den, err)
			}
			continue
		}
		if err != nil || got.Minor() != want.Int64() {
			t.Fatalf("%d × %d/%d %v = %v, %v, want %v", a, num, den, mode, got.Minor(), err, want)
		}
	}
}

// Numerators and denominators of up to 200 bits against big-number arithmetic.
func TestShareRatAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	wide := func(bits int) *big.Int {
		n := new(big.Int)
		for range 4 {
			n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(r.Uint64()))
		}
		return n.Rsh(n, uint(256-bits))
	}
	overflows := 0
	for range 20000 {
		a := int64(r.Uint64()) >> (r.Uint64() % 64) // of both signs
		den := wide(1 + r.IntN(200))
		den.Add(den, big.NewInt(1))
		num := wide(1 + den.BitLen() + r.IntN(2))
		share, mode := new(big.Rat).SetFrac(num, den), money.Rounding(r.Uint64()%4)
		before := new(big.Rat).Set(share)
		want := roundBig(new(big.Rat).Mul(new(big.Rat).SetInt64(a), share), mode)
		got, err := eur(a).ShareRat(share, mode)
		if share.Cmp(before) != 0 {
			t.Fatalf("ShareRat changed its argument from %v to %v", before, share)
		}
		if !want.IsInt64() {
			if overflows++; !errors.Is(err, money.ErrOverflow) {
				t.Fatalf("%d × %v: %v, want ErrOverflow", a, share, err)
			}
			continue
		}
		if err != nil || got.Minor() != want.Int64() {
			t.Fatalf("%d × %v %v = %v, %v, want %v", a, share, mode, got.Minor(), err, want)
		}
	}
	if overflows == 0 {
		t.Error("no share overflowed")
	}
}

// Shares that miss a half by 2⁻⁷¹, and ties with a denominator beyond int64:
// num/(2·max) of the largest amount is num/2.
func TestShareRatRounding(t *testing.T) {
	wide := new(big.Int).Lsh(big.NewInt(1), 70)
	nearly := func(above int64) *big.Rat { // 1/2 + above/2⁷¹
		return new(big.Rat).SetFrac(new(big.Int).Add(wide, big.NewInt(above)), new(big.Int).Lsh(wide, 1))
	}
	halves := func(num int64) *big.Rat {
		return new(big.Rat).SetFrac(big.NewInt(num), new(big.Int).SetUint64(2*math.MaxInt64))
	}
	odd := new(big.Rat).SetFrac(new(big.Int).Add(wide, big.NewInt(1)), big.NewInt(2)) // 2⁶⁹ + 1/2
	for _, c := range []struct {
		minor int64
		share *big.Rat
		want  [4]int64 // half_up, half_even, down, up
	}{
		{math.MaxInt64, halves(1), [4]int64{1, 0, 0, 1}},
		{math.MaxInt64, halves(3), [4]int64{2, 2, 1, 2}},
		{-math.MaxInt64, halves(5), [4]int64{-3, -2, -2, -3}},
		{3, nearly(1), [4]int64{2, 2, 1, 2}},
		{3, nearly(-1), [4]int64{1, 1, 1, 2}},
		{1, nearly(1), [4]int64{1, 1, 0, 1}},
		{-1, nearly(-1), [4]int64{0, 0, 0, -1}},
		{0, odd, [4]int64{0, 0, 0, 0}},
	} {
		for mode, want := range c.want {
			if got, err := eur(c.minor).ShareRat(c.share, money.Rounding(mode)); err != nil || got.Minor() != want {
				t.Errorf("%d × %v, %v = %v, %v, want %d", c.minor, c.share, money.Rounding(mode), got.Minor(), err, want)
			}
		}
	}
	for name, c := range map[string]struct {
		a     money.Amount
		share *big.Rat
		r     money.Rounding
		want  error
	}{
		"not set":      {money.Amount{}, odd, money.HalfUp, money.ErrCurrency},
		"too large":    {eur(1), odd, money.HalfUp, money.ErrOverflow},
		"negative":     {eur(1), new(big.Rat).Neg(odd), money.HalfUp, nil},
		"unknown mode": {eur(1), nearly(1), money.Rounding(4), nil},
	} {
		if got, err := c.a.ShareRat(c.share, c.r); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: ShareRat = %v, %v, want an error %v", name, got, err, c.want)
		}
	}
}

// A rate of 7.123457 % an hour for 1 h 30 min and 1 ns is a fraction that does
// not fit two int64, in lowest terms. Of 45 000.00 EUR it is
// 4 500 000 × 0.07123457 × 1.50000000000027… = 480 833.35 cents.
func TestShareRatOfOddRates(t *testing.T) {
	rate := big.NewRat(71_234_570, 1_000_000_000)
	hours := big.NewRat(5_400_000_000_001, 3_600_000_000_000)
	got, err := eur(4_500_000).ShareRat(rate.Mul(rate, hours), money.HalfUp)
	if want := eur(480_833); err != nil || got != want {
		t.Errorf("ShareRat = %v, %v, want %v", got, err, want)
	}
}

func roundBig(x *big.Rat, mode money.Rounding) *big.Int {
	negative := x.Sign() < 0
	x = new(big.Rat).Abs(x)
	whole := new(big.Int).Quo(x.Num(), x.Denom())
	rest := new(big.Rat).Sub(x, new(big.Rat).SetInt(whole))
	half := rest.Cmp(big.NewRat(1, 2))
	if mode == money.Up && rest.Sign() > 0 || mode == money.HalfUp && half >= 0 || mode == money.HalfEven && (half > 0 || half == 0 && whole.Bit(0) == 1) {
		whole.Add(whole, big.NewInt(1))
	}
	if negative {
		whole.Neg(whole)
	}
	return whole
}

func TestAllocate(t *testing.T) {
	for _, c := range []struct {
		amount  string
		weights []int64
		want    []string
	}{
		{"100.00 EUR", []int64{1, 1, 1}, []string{"33.34", "33.33", "33.33"}},
		{"1000.00 EUR", []int64{7, 11, 13}, []string{"225.81", "354.84", "419.35"}},
		{"-100.00 EUR", []int64{1, 1, 1}, []string{"-33.34", "-33.33", "-33.33"}},
		{"0.05 EUR", []int64{0, 3, 7}, []string{"0.00", "0.02", "0.03"}},
		{"0.00 EUR", []int64{1, 2}, []string{"0.00", "0.00"}},
		{"-92233720368547758.08 EUR", []int64{0, 5}, []string{"0.00", "-92233720368547758.08"}},
		{"-92233720368547758.08 EUR", []int64{1, 1, 1}, []string{"-30744573456182586.03", "-30744573456182586.03", "-30744573456182586.02"}},
		{"92233720368547758.07 EUR", []int64{math.MaxInt64, math.MaxInt64}, []string{"46116860184273879.04", "46116860184273879.03"}},
	} {
		parts, err := money.Must(money.Parse(c.amount)).Allocate(c.weights...)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range parts {
			if p.Decimal() != c.want[i] {
				t.Errorf("%s by %v: part %d = %s, want %s", c.amount, c.weights, i, p.Decimal(), c.want[i])
			}
		}
	}
	for _, weights := range [][]int64{nil, {0, 0}, {1, -1}, {math.MaxInt64, math.MaxInt64, math.MaxInt64}} {
		if _, err := eur(100).Allocate(weights...); err == nil {
			t.Errorf("Allocate(%v): want an error", weights)
		}
	}
}

func TestAllocateKeepsTheTotal(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 5000 {
		a := eur(int64(r.Uint64()) >> (r.Uint64() % 64)) // of both signs
		weights := make([]int64, 1+r.IntN(8))
		for i := range weights {
			weights[i] = 1 + r.Int64N(1<<40)
		}
		parts, err := a.Allocate(weights...)
		if err != nil {
			t.Fatal(err)
		}
		if sum, err := money.Sum(parts...); err != nil || sum != a {
			t.Fatalf("%v by %v adds up to %v, %v", a, weights, sum, err)
		}
	}
}

func TestArithmeticErrors(t *testing.T) {
	if _, err := eur(1).Add(money.Must(money.New(1, "USD"))); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("EUR + USD: %v, want ErrCurrency", err)
	}
	if _, err := (money.Amount{}).Add(money.Amount{}); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("unset + unset: %v, want ErrCurrency", err)
	}
	if _, err := eur(math.MaxInt64).Add(eur(1)); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("max + 1: %v, want ErrOverflow", err)
	}
	if _, err := eur(math.MinInt64).Neg(); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("−min: %v, want ErrOverflow", err)
	}
	if d, err := eur(5).Sub(eur(0)); err != nil || d != eur(5) {
		t.Errorf("0.05 − 0 = %v, %v, want 0.05 EUR", d, err)
	}
	if d, err := eur(5).Sub(eur(7)); err != nil || d != eur(-2) {
		t.Errorf("0.05 − 0.07 = %v, %v, want -0.02 EUR", d, err)
	}
	if _, err := money.New(1, "EURO"); !errors.As(err, new(*money.CurrencyError)) {
		t.Errorf("New(1, EURO): %v, want a CurrencyError", err)
	}
}

func TestJSON(t *testing.T) {
	a := money.Must(money.Parse("16666.67 EUR"))
	text, err := json.Marshal(a)
	if err != nil || string(text) != `{"amount":"16666.67","currency":"EUR"}` {
		t.Fatalf("Marshal = %s, %v", text, err)
	}
	var back money.Amount
	if err := json.Unmarshal(text, &back); err != nil || back != a {
		t.Errorf("Unmarshal = %v, %v, want %v", back, err, a)
	}
	if err := json.Unmarshal([]byte(`{"amount":16666.67,"currency":"EUR"}`), &back); err == nil {
		t.Error("a number as amount: want an error")
	}
	if text, err := json.Marshal(money.Amount{}); err != nil || string(text) != "null" {
		t.Errorf("Marshal of the unset amount = %s, %v, want null", text, err)
	}
}

func TestText(t *testing.T) {
	for _, a := range []money.Amount{{}, eur(0), eur(-150), money.Must(money.New(5, "JPY")), eur(math.MinInt64)} {
		text, err := a.MarshalText()
		back := eur(1)
		if err != nil || back.UnmarshalText(text) != nil || back != a || string(text) != a.String() {
			t.Errorf("MarshalText of %v = %s, %v, read back as %v", a, text, err, back)
		}
	}
	kept := eur(1)
	if err := kept.UnmarshalText([]byte("1,50 EUR")); !errors.As(err, new(*money.ParseError)) || kept != eur(1) {
		t.Errorf("UnmarshalText of a comma = %v, %v, want a ParseError and no change", kept, err)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"amount":"16666.67","currency":"EUR"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var a, back money.Amount
		if json.Unmarshal(data, &a) != nil {
			return
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &back); err != nil || back != a {
			t.Fatalf("%s → %v → %s → %v, %v", data, a, text, back, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("16666.67 EUR")
	f.Add("-1 JPY")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := money.Parse(text)
		if err != nil {
			return
		}
		if back, err := money.Parse(a.String()); err != nil || back != a {
			t.Fatalf("%q → %v → %v, %v", text, a, back, err)
		}
	})
}

func BenchmarkPercent(b *testing.B) {
	fee, p := eur(3333333), money.WholePercent(50)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fee.Percent(p, money.HalfUp); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		a, b money.Amount
		want int
	}{{eur(1), eur(2), -1}, {eur(2), eur(2), 0}, {eur(2), eur(-2), 1}} {
		if got, err := c.a.Compare(c.b); err != nil || got != c.want {
			t.Errorf("%v.Compare(%v) = %d, %v, want %d", c.a, c.b, got, err, c.want)
		}
	}
	usd := money.Must(money.New(1, "USD"))
	if usd.Currency() != "USD" || eur(1).Currency() != "EUR" || (money.Amount{}).Currency() != "" {
		t.Errorf("currencies %q and %q", usd.Currency(), eur(1).Currency())
	}
	for _, b := range []money.Amount{usd, {}} {
		if _, err := eur(1).Compare(b); !errors.Is(err, money.ErrCurrency) {
			t.Errorf("Compare with %q = %v, want ErrCurrency", b, err)
		}
		if _, err := eur(1).Sub(b); !errors.Is(err, money.ErrCurrency) {
			t.Errorf("Sub of %q = %v, want ErrCurrency", b, err)
		}
		if _, err := money.Sum(eur(1), b); !errors.Is(err, money.ErrCurrency) {
			t.Errorf("Sum with %q = %v, want ErrCurrency", b, err)
		}
	}
	if sum, err := money.Sum(); err != nil || sum.IsSet() {
		t.Errorf("Sum of nothing = %v, %v, want an amount that is not set", sum, err)
	}
}

// Errors name what was found, and carry the cause.
func TestErrorTexts(t *testing.T) {
	_, err := money.Parse("5 EUROS")
	if e, ok := errors.AsType[*money.CurrencyError](err); !ok || e.Code != "EUROS" || !strings.Contains(err.Error(), "EUROS") {
		t.Errorf("Parse of an unknown currency = %v, want a CurrencyError", err)
	}
	_, err = money.Parse("five EUR")
	if e, ok := errors.AsType[*money.ParseError](err); !ok || e.Text != "five" || errors.Unwrap(err) == nil || !strings.Contains(err.Error(), "five") {
		t.Errorf("Parse of a word = %v, want a ParseError of it with its cause", err)
	}
	_, err = money.Parse("5")
	if e, ok := errors.AsType[*money.ParseError](err); !ok || e.Text != "5" || !strings.Contains(err.Error(), `"500.00 EUR"`) {
		t.Errorf("Parse without a currency = %v, want a ParseError with an example", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("Must of an error does not panic")
		}
	}()
	money.Must(money.Parse("5"))
}

func TestPercentMarshalText(t *testing.T) {
	text, err := money.WholePercent(99).MarshalText()
	var back money.Percent
	if err != nil || string(text) != "99%" || back.UnmarshalText(text) != nil || back != money.WholePercent(99) {
		t.Errorf("99 %% is written as %s, %v, and read as %v", text, err, back)
	}
	if err := back.UnmarshalText([]byte("-1%")); err == nil || back != money.WholePercent(99) {
		t.Errorf("UnmarshalText of -1%% = %v, %v, want an error and no change", back, err)
	}
}

// A key that an amount does not have may be a misspelt one.
func TestJSONKeys(t *testing.T) {
	for _, text := range []string{`{"amount":"1.00","currency":"EUR","unit":"EUR"}`, `{"amount":"1.00","curency":"EUR"}`, `"1.00 EUR"`, `{"amount":1,"currency":"EUR"}`, `[]`} {
		var a money.Amount
		if err := json.Unmarshal([]byte(text), &a); err == nil || a.IsSet() {
			t.Errorf("Unmarshal(%s) = %v, %v, want an error", text, a, err)
		}
	}
}
