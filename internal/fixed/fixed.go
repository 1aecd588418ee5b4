// Package fixed holds the exact integer arithmetic on which money, budgets and
// pages are decided: 128-bit comparison of products, multiply-then-divide
// without an overflowing intermediate, and decimal text read into integers.
// Nothing here touches a float.
package fixed

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// CompareProducts compares a·b with c·d exactly and returns -1, 0 or +1.
func CompareProducts(a, b, c, d uint64) int {
	h1, l1 := bits.Mul64(a, b)
	h2, l2 := bits.Mul64(c, d)
	switch {
	case h1 != h2:
		return sign(h1 > h2)
	case l1 != l2:
		return sign(l1 > l2)
	}
	return 0
}

func sign(positive bool) int {
	if positive {
		return 1
	}
	return -1
}

// MulDiv returns the quotient and remainder of a·b / c with a 128-bit
// intermediate. ok is false when c is zero or the quotient needs more than
// 64 bits; quotient and remainder are then zero.
func MulDiv(a, b, c uint64) (quotient, remainder uint64, ok bool) {
	hi, lo := bits.Mul64(a, b)
	if c == 0 || hi >= c {
		return 0, 0, false
	}
	quotient, remainder = bits.Div64(hi, lo, c)
	return quotient, remainder, true
}

// Ratio is a non-negative rational in lowest terms. The zero value is not a
// number (Den is 0) and means "not set".
type Ratio struct {
	Num, Den uint64
}

// NewRatio returns num/den in lowest terms; den 0 gives the zero Ratio.
func NewRatio(num, den uint64) Ratio {
	if den == 0 {
		return Ratio{}
	}
	if num == 0 {
		return Ratio{0, 1}
	}
	g := gcd(num, den)
	return Ratio{num / g, den / g}
}

// IsSet reports whether r holds a number.
func (r Ratio) IsSet() bool { return r.Den != 0 }

// Compare returns -1, 0 or +1 as r is less than, equal to or greater than s.
// Both must be set.
func (r Ratio) Compare(s Ratio) int { return CompareProducts(r.Num, s.Den, s.Num, r.Den) }

// Mul returns r·s in lowest terms; ok is false when the result needs more than
// 64 bits in numerator or denominator.
func (r Ratio) Mul(s Ratio) (product Ratio, ok bool) {
	a, b := NewRatio(r.Num, s.Den), NewRatio(s.Num, r.Den)
	nh, n := bits.Mul64(a.Num, b.Num)
	dh, d := bits.Mul64(a.Den, b.Den)
	if nh != 0 || dh != 0 || d == 0 {
		return Ratio{}, false
	}
	return Ratio{n, d}, true
}

// Float64 returns the float64 nearest to r up to one rounding of each part;
// for display and statistics only. r must be set.
func (r Ratio) Float64() float64 { return float64(r.Num) / float64(r.Den) }

// String returns "num/den".
func (r Ratio) String() string { return fmt.Sprintf("%d/%d", r.Num, r.Den) }

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// ParseDecimal reads plain decimal text such as "-12.50" as an integer scaled
// by 10^scale: ParseDecimal("12.5", 2) is 1250. Digits beyond the scale, which
// must not be negative, are accepted only if they are zeros. Exponents, blanks,
// thousands separators and a missing integer part are refused.
func ParseDecimal(text string, scale int) (int64, error) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	if whole == "" || (dotted && fraction == "") || !allDigits(whole) || !allDigits(fraction) {
		return 0, fmt.Errorf("parse decimal %q: want digits with an optional decimal point, like \"12.50\"", text)
	}
	if len(fraction) > scale {
		if strings.Trim(fraction[scale:], "0") != "" {
			return 0, fmt.Errorf("parse decimal %q: more than %d decimals", text, scale)
		}
		fraction = fraction[:scale]
	}
	largest := uint64(math.MaxInt64)
	if negative {
		largest++
	}
	var n uint64
	for _, c := range whole + fraction + strings.Repeat("0", scale-len(fraction)) {
		hi, lo := bits.Mul64(n, 10)
		sum, carry := bits.Add64(lo, uint64(c-'0'), 0)
		if hi != 0 || carry != 0 || sum > largest {
			return 0, fmt.Errorf("parse decimal %q: too large, want at most %d at %d decimals", text, largest, scale)
		}
		n = sum
	}
	if negative {
		return int64(-n), nil // in two's complement, right for the smallest int64 too
	}
	return int64(n), nil
}

// FormatDecimal is the inverse of ParseDecimal: FormatDecimal(1250, 2) is
// "12.50". All scale decimals are printed; scale must not be negative.
func FormatDecimal(n int64, scale int) string {
	negative, u := n < 0, uint64(n)
	if negative {
		u = -u
	}
	s := fmt.Sprintf("%0*d", scale+1, u)
	if scale > 0 {
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if negative {
		s = "-" + s
	}
	return s
}

// ParseRatio reads non-negative decimal text, without exponent, as an exact
// reduced ratio: "99.9" is 999/10. At most 18 decimals, and no more than an
// int64 holds without the point.
func ParseRatio(text string) (Ratio, error) {
	_, fraction, _ := strings.Cut(text, ".")
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > 18 {
		return Ratio{}, fmt.Errorf("parse decimal %q: more than 18 decimals", text)
	}
	n, err := ParseDecimal(text, len(fraction))
	if err != nil {
		return Ratio{}, err
	}
	if strings.HasPrefix(text, "-") {
		return Ratio{}, fmt.Errorf("parse decimal %q: negative", text)
	}
	den := uint64(1)
	for range fraction {
		den *= 10
	}
	return NewRatio(uint64(n), den), nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
