package slo

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/internal/fixed"
)

// Ratio is an exact rational number, or one of the two infinities that an
// objective of 100 % produces. The zero Ratio is not a number and means
// "absent": no data, not applicable. A Ratio is immutable and may be copied and
// read by several goroutines. Compare two with [Ratio.Compare], not with ==.
//
// Numbers whose numerator and denominator fit 64 bits cost no allocation,
// others are exact all the same.
//
// As text a Ratio is "539/143000" in lowest terms, "+Inf", "-Inf", or empty
// when absent; as JSON it is that text, or null when absent.
type Ratio struct {
	// In lowest terms with den > 0 and num above the smallest int64. While den
	// is 0 and large is nil, num is the sign of an infinity, or 0 for absent.
	num, den int64
	large    *big.Rat // a number that does not fit; never changed once stored here
}

// NewRatio returns num/den. A den of 0 gives the absent Ratio.
func NewRatio(num, den int64) Ratio {
	return signed((num < 0) != (den < 0), magnitude(num), magnitude(den))
}

// magnitude returns |n|, also of the smallest int64.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// signed returns num/den with a sign, in lowest terms; absent for den 0.
func signed(negative bool, num, den uint64) Ratio {
	return reduced(negative, fixed.NewRatio(num, den))
}

// reduced is signed for what is in lowest terms already.
func reduced(negative bool, f fixed.Ratio) Ratio {
	if f.Num > math.MaxInt64 || f.Den > math.MaxInt64 {
		r := new(big.Rat).SetFrac(new(big.Int).SetUint64(f.Num), new(big.Int).SetUint64(f.Den))
		if negative {
			r.Neg(r)
		}
		return Ratio{large: r}
	}
	r := Ratio{num: int64(f.Num), den: int64(f.Den)}
	if negative {
		r.num = -r.num
	}
	return r
}

// ratioOf returns the number of r, which it may keep.
func ratioOf(r *big.Rat) Ratio {
	if num, den := r.Num(), r.Denom(); num.IsInt64() && den.IsInt64() && num.Int64() != math.MinInt64 {
		return Ratio{num: num.Int64(), den: den.Int64()}
	}
	return Ratio{large: r}
}

// Inf returns the infinity of the sign: positive for sign >= 0.
func Inf(sign int) Ratio {
	if sign < 0 {
		return Ratio{num: -1}
	}
	return Ratio{num: 1}
}

// maxDigits bounds the digits of a parsed number; it is far beyond what a
// 64-bit counter, a 19-digit target or a quotient of both needs.
const maxDigits = 80

// ParseRatio reads a decimal number such as "14.4" or a fraction of whole
// numbers such as "14/15", either with a leading minus, or "+Inf" or "-Inf".
// Exponents, blanks and more than 80 digits of either number are refused with a
// [*ParseError], so what a decimal is printed as is read.
func ParseRatio(text string) (Ratio, error) {
	switch text {
	case "+Inf":
		return Inf(1), nil
	case "-Inf":
		return Inf(-1), nil
	}
	num, den, fraction := strings.Cut(strings.TrimPrefix(text, "-"), "/")
	ok := isDecimal(num)
	if fraction {
		ok = isDigits(num) && isDigits(den) && strings.Trim(den, "0") != ""
	}
	if !ok || len(num) > maxDigits || len(den) > maxDigits {
		return Ratio{}, &ParseError{What: "ratio", Text: text, Want: `a decimal number or a fraction, like "14.4" or "14/15"`}
	}
	if r, ok := parseSmall(text, num, den); ok {
		return r, nil
	}
	if !fraction {
		r, _ := new(big.Rat).SetString(text)
		return ratioOf(r), nil
	}
	// Not by Rat.SetString, to which a zero in front says that a number is octal.
	above, _ := new(big.Int).SetString(num, 10)
	below, _ := new(big.Int).SetString(den, 10)
	r := new(big.Rat).SetFrac(above, below)
	if text[0] == '-' {
		r.Neg(r)
	}
	return ratioOf(r), nil
}

// parseSmall reads what 18 digits before and behind the slash hold, and as many
// around a point.
func parseSmall(text, num, den string) (Ratio, bool) {
	const most = 18
	negative := text[0] == '-'
	if den != "" {
		if len(num) > most || len(den) > most {
			return Ratio{}, false
		}
		return signed(negative, digits(num), digits(den)), true
	}
	whole, decimals, _ := strings.Cut(num, ".")
	if len(whole)+len(decimals) > most {
		return Ratio{}, false
	}
	scale := powersOfTen[len(decimals)]
	return signed(negative, digits(whole)*scale+digits(decimals), scale), true
}

var powersOfTen = func() (p [19]uint64) {
	p[0] = 1
	for i := range p[1:] {
		p[i+1] = 10 * p[i]
	}
	return p
}()

func digits(s string) (n uint64) {
	for i := range len(s) {
		n = 10*n + uint64(s[i]-'0')
	}
	return n
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func isDecimal(s string) bool {
	whole, fraction, dotted := strings.Cut(s, ".")
	return isDigits(whole) && (!dotted || isDigits(fraction))
}

// IsSet reports whether r is a number or an infinity.
func (r Ratio) IsSet() bool { return r != Ratio{} }

// isFinite reports whether r is a number.
func (r Ratio) isFinite() bool { return r.den != 0 || r.large != nil }

// IsInf reports whether r is +Inf (sign > 0), -Inf (sign < 0) or either of them
// (sign 0).
func (r Ratio) IsInf(sign int) bool {
	return !r.isFinite() && (r.num > 0 && sign >= 0 || r.num < 0 && sign <= 0)
}

// Sign returns -1, 0 or +1; 0 also for an absent Ratio.
func (r Ratio) Sign() int {
	if r.large != nil {
		return r.large.Sign()
	}
	return cmp.Compare(r.num, 0)
}

// Compare returns -1, 0 or +1 as r is less than, equal to or greater than s.
// An absent Ratio is less than every number and equal to another absent one.
func (r Ratio) Compare(s Ratio) int {
	switch {
	case !r.isFinite() || !s.isFinite():
		return cmp.Compare(r.rank(), s.rank())
	case r.large != nil || s.large != nil:
		return r.rat().Cmp(s.rat())
	case r.num < 0 && s.num < 0:
		return fixed.CompareProducts(magnitude(s.num), uint64(r.den), magnitude(r.num), uint64(s.den))
	case r.num < 0 || s.num < 0:
		return cmp.Compare(r.num, s.num)
	}
	return fixed.CompareProducts(uint64(r.num), uint64(s.den), uint64(s.num), uint64(r.den))
}

// rank orders what is not a pair of finite numbers.
func (r Ratio) rank() int {
	switch {
	case r.isFinite():
		return 0
	case r.num != 0:
		return int(r.num)
	}
	return -2
}

// Rat returns a copy of a finite r, and nil for an absent or infinite one.
func (r Ratio) Rat() *big.Rat {
	switch {
	case r.large != nil:
		return new(big.Rat).Set(r.large)
	case r.den != 0:
		return big.NewRat(r.num, r.den)
	}
	return nil
}

// rat is Rat without the copy: for reading a finite r.
func (r Ratio) rat() *big.Rat {
	if r.large != nil {
		return r.large
	}
	return big.NewRat(r.num, r.den)
}

// Float64 returns the float64 nearest to r, an infinity, or NaN when r is
// absent. It is for display and statistics; no decision of this package uses it.
func (r Ratio) Float64() float64 {
	const exact = 1 << 53 // whole numbers up to here are float64, and IEEE 754 rounds their quotient once
	switch {
	case r.den != 0 && magnitude(r.num) <= exact && r.den <= exact:
		return float64(r.num) / float64(r.den)
	case r.isFinite():
		f, _ := r.rat().Float64()
		return f
	case r.num != 0:
		return math.Inf(int(r.num))
	}
	return math.NaN()
}

// Decimal returns the shortest decimal text, without exponent, of the float64
// nearest to r: "0.0144", "0.00001", "0.0009333333333333333". It rounds once, so
// it is the form for thresholds in rule files. Infinities and an absent Ratio
// print as String does.
func (r Ratio) Decimal() string {
	var b [32]byte
	return string(r.AppendDecimal(b[:0]))
}

// AppendDecimal appends what Decimal returns.
func (r Ratio) AppendDecimal(dst []byte) []byte {
	switch {
	case !r.isFinite():
		return append(dst, r.String()...)
	case r.den == 1 && magnitude(r.num) < 1e15:
		return strconv.AppendInt(dst, r.num, 10)
	}
	// A float64 tells all decimals of 15 digits apart, so that the shortest text
	// of the nearest one is the number itself if it has no more.
	for decimals, scale := range powersOfTen[:16] {
		if r.num <= 0 || r.num >= r.den {
			break
		}
		if scale%uint64(r.den) == 0 {
			return appendFraction(dst, uint64(r.num)*(scale/uint64(r.den)), decimals)
		}
	}
	return strconv.AppendFloat(dst, r.Float64(), 'f', -1, 64)
}

// appendFraction appends 0.n with so many decimals.
func appendFraction(dst []byte, n uint64, decimals int) []byte {
	dst = append(dst, "0.000000000000000"[:2+decimals]...)
	for i := len(dst) - 1; n > 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}

// String returns "num/den" in lowest terms, "+Inf", "-Inf", or "absent".
func (r Ratio) String() string {
	if text := r.text(); text != "" {
		return text
	}
	return "absent"
}

func (r Ratio) text() string {
	switch {
	case r.large != nil:
		return r.large.String()
	case r.den != 0:
		var b [40]byte
		return string(strconv.AppendInt(append(strconv.AppendInt(b[:0], r.num, 10), '/'), r.den, 10))
	case r.num > 0:
		return "+Inf"
	case r.num < 0:
		return "-Inf"
	}
	return ""
}

// MarshalText writes "num/den", "+Inf", "-Inf", or nothing when r is absent.
func (r Ratio) MarshalText() ([]byte, error) { return []byte(r.text()), nil }

// UnmarshalText reads what [ParseRatio] reads; empty text is the absent Ratio.
func (r *Ratio) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*r = Ratio{}
		return nil
	}
	parsed, err := ParseRatio(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

// MarshalJSON writes the text of r in quotes, or null when r is absent.
func (r Ratio) MarshalJSON() ([]byte, error) {
	text := r.text()
	if text == "" {
		return []byte("null"), nil
	}
	return []byte(`"` + text + `"`), nil
}

// UnmarshalJSON reads a text as [ParseRatio] does, a plain decimal number from
// its digits (never through a float), or null.
func (r *Ratio) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		text = ""
	}
	if len(text) >= 2 && text[0] == '"' {
		text = text[1 : len(text)-1]
	}
	return r.UnmarshalText([]byte(text))
}

// ParseError reports text that could not be read.
type ParseError struct {
	What string // what was to be read: "ratio", "target", "window", ...
	Text string
	Want string // what is accepted, with an example
}

// Error says what was found and what is accepted.
func (e *ParseError) Error() string {
	return fmt.Sprintf("parse %s %q: want %s", e.What, e.Text, e.Want)
}

// The arithmetic below works on finite numbers; its results share nothing with
// the operands.

func whole(n uint64) Ratio { return signed(false, n, 1) }

func fraction(num, den uint64) Ratio { return signed(false, num, den) }

// parts returns r as two 64-bit numbers; ok is false when r is absent, infinite,
// negative or too large for them.
func (r Ratio) parts() (num, den uint64, ok bool) {
	switch {
	case r.Sign() < 0 || !r.isFinite():
		return 0, 0, false
	case r.large == nil:
		return uint64(r.num), uint64(r.den), true
	case !r.large.Num().IsUint64() || !r.large.Denom().IsUint64():
		return 0, 0, false
	}
	return r.large.Num().Uint64(), r.large.Denom().Uint64(), true
}

func (r Ratio) times(s Ratio) Ratio {
	if r.large == nil && s.large == nil {
		a, b := fixed.Ratio{Num: magnitude(r.num), Den: uint64(r.den)}, fixed.Ratio{Num: magnitude(s.num), Den: uint64(s.den)}
		if p, ok := a.Mul(b); ok {
			return reduced((r.num < 0) != (s.num < 0), p)
		}
	}
	return ratioOf(new(big.Rat).Mul(r.rat(), s.rat()))
}

// over divides by an s that is not 0.
func (r Ratio) over(s Ratio) Ratio {
	switch {
	case s.large != nil:
		return ratioOf(new(big.Rat).Quo(r.rat(), s.large))
	case s.num < 0:
		return r.times(Ratio{num: -s.den, den: -s.num})
	}
	return r.times(Ratio{num: s.den, den: s.num})
}

func (r Ratio) plus(s Ratio) Ratio {
	if r.large == nil && s.large == nil {
		// a/b + c/d = (a·d' + c·b') / (b·d') with b' and d' relatively prime.
		dens := fixed.NewRatio(uint64(r.den), uint64(s.den))
		a, ok1 := product(r.num, int64(dens.Den))
		c, ok2 := product(s.num, int64(dens.Num))
		den, ok3 := product(r.den, int64(dens.Den))
		if ok1 && ok2 && ok3 {
			return NewRatio(a+c, den)
		}
	}
	return ratioOf(new(big.Rat).Add(r.rat(), s.rat()))
}

// product returns a·b for b >= 0; ok is false from 2^62 on, so that two products
// can be added.
func product(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(a), uint64(b))
	if hi != 0 || lo >= 1<<62 {
		return 0, false
	}
	return a * b, true
}

func (r Ratio) minus(s Ratio) Ratio { return r.plus(s.negated()) }

func (r Ratio) negated() Ratio {
	if r.large != nil {
		return ratioOf(new(big.Rat).Neg(r.large))
	}
	r.num = -r.num
	return r
}

// oneMinus returns 1 - r, also for infinities.
func oneMinus(r Ratio) Ratio {
	if !r.isFinite() {
		return r.negated()
	}
	return NewRatio(1, 1).minus(r)
}
