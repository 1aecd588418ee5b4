package slo

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Ratio is an exact rational number, or one of the two infinities that an
// objective of 100 % produces. The zero Ratio is not a number and means
// "absent": no data, not applicable. A Ratio is immutable and may be copied and
// read by several goroutines.
//
// As text a Ratio is "539/143000" in lowest terms, "+Inf", "-Inf", or empty
// when absent; as JSON it is that text, or null when absent.
type Ratio struct {
	rat *big.Rat // never changed once stored here
	inf int8
}

// NewRatio returns num/den. A den of 0 gives the absent Ratio.
func NewRatio(num, den int64) Ratio {
	if den == 0 {
		return Ratio{}
	}
	return Ratio{rat: big.NewRat(num, den)}
}

// Inf returns the infinity of the sign: positive for sign >= 0.
func Inf(sign int) Ratio {
	if sign < 0 {
		return Ratio{inf: -1}
	}
	return Ratio{inf: 1}
}

// maxDigits bounds the digits of a parsed number; it is far beyond what a
// 64-bit counter, a 19-digit target or a quotient of both needs.
const maxDigits = 80

// ParseRatio reads a decimal number such as "14.4" or a fraction of whole
// numbers such as "14/15", either with a leading minus, or "+Inf" or "-Inf".
// Exponents, blanks and more than 80 digits are refused with a [*ParseError].
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
	if !ok || len(text) > maxDigits {
		return Ratio{}, &ParseError{What: "ratio", Text: text, Want: `a decimal number or a fraction, like "14.4" or "14/15"`}
	}
	r, _ := new(big.Rat).SetString(text)
	return Ratio{rat: r}, nil
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func isDecimal(s string) bool {
	whole, fraction, dotted := strings.Cut(s, ".")
	return isDigits(whole) && (!dotted || isDigits(fraction))
}

// IsSet reports whether r is a number or an infinity.
func (r Ratio) IsSet() bool { return r.rat != nil || r.inf != 0 }

// IsInf reports whether r is +Inf (sign > 0), -Inf (sign < 0) or either of them
// (sign 0).
func (r Ratio) IsInf(sign int) bool {
	return r.inf > 0 && sign >= 0 || r.inf < 0 && sign <= 0
}

// Sign returns -1, 0 or +1; 0 also for an absent Ratio.
func (r Ratio) Sign() int {
	if r.rat == nil {
		return int(r.inf)
	}
	return r.rat.Sign()
}

// Compare returns -1, 0 or +1 as r is less than, equal to or greater than s.
// An absent Ratio is less than every number and equal to another absent one.
func (r Ratio) Compare(s Ratio) int {
	if r.rat != nil && s.rat != nil {
		return r.rat.Cmp(s.rat)
	}
	return cmp.Compare(r.rank(), s.rank())
}

// rank orders what is not a pair of finite numbers.
func (r Ratio) rank() int {
	switch {
	case r.inf < 0:
		return -1
	case r.inf > 0:
		return 1
	case r.rat != nil:
		return 0
	}
	return -2
}

// Rat returns a copy of a finite r, and nil for an absent or infinite one.
func (r Ratio) Rat() *big.Rat {
	if r.rat == nil {
		return nil
	}
	return new(big.Rat).Set(r.rat)
}

// Float64 returns the float64 nearest to r, an infinity, or NaN when r is
// absent. It is for display and statistics; no decision of this package uses it.
func (r Ratio) Float64() float64 {
	switch {
	case r.inf != 0:
		return math.Inf(int(r.inf))
	case r.rat == nil:
		return math.NaN()
	}
	f, _ := r.rat.Float64()
	return f
}

// Decimal returns the shortest decimal text, without exponent, of the float64
// nearest to r: "0.0144", "0.00001", "0.0009333333333333333". It rounds once, so
// it is the form for thresholds in rule files. Infinities and an absent Ratio
// print as String does.
func (r Ratio) Decimal() string {
	if r.rat == nil {
		return r.String()
	}
	return strconv.FormatFloat(r.Float64(), 'f', -1, 64)
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
	case r.inf > 0:
		return "+Inf"
	case r.inf < 0:
		return "-Inf"
	case r.rat == nil:
		return ""
	}
	return r.rat.String()
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
	What string // what was to be read: "ratio", "percent", "window", ...
	Text string
	Want string // what is accepted, with an example
}

// Error says what was found and what is accepted.
func (e *ParseError) Error() string {
	return fmt.Sprintf("parse %s %q: want %s", e.What, e.Text, e.Want)
}

// The arithmetic below works on finite numbers; its results share nothing with
// the operands.

func ratOf(n uint64) *big.Rat { return new(big.Rat).SetInt(new(big.Int).SetUint64(n)) }

func finite(r *big.Rat) Ratio { return Ratio{rat: r} }

func fraction(num, den uint64) Ratio {
	if den == 0 {
		return Ratio{}
	}
	return finite(new(big.Rat).SetFrac(new(big.Int).SetUint64(num), new(big.Int).SetUint64(den)))
}

// parts returns r as two 64-bit numbers; ok is false when r is absent, infinite,
// negative or too large for them.
func (r Ratio) parts() (num, den uint64, ok bool) {
	if r.rat == nil || r.rat.Sign() < 0 || !r.rat.Num().IsUint64() || !r.rat.Denom().IsUint64() {
		return 0, 0, false
	}
	return r.rat.Num().Uint64(), r.rat.Denom().Uint64(), true
}

func (r Ratio) times(s Ratio) Ratio { return finite(new(big.Rat).Mul(r.rat, s.rat)) }

func (r Ratio) over(s Ratio) Ratio { return finite(new(big.Rat).Quo(r.rat, s.rat)) }

func (r Ratio) plus(s Ratio) Ratio { return finite(new(big.Rat).Add(r.rat, s.rat)) }

func (r Ratio) minus(s Ratio) Ratio { return finite(new(big.Rat).Sub(r.rat, s.rat)) }

// oneMinus returns 1 - r, also for infinities.
func oneMinus(r Ratio) Ratio {
	if r.inf != 0 {
		return Inf(-int(r.inf))
	}
	return NewRatio(1, 1).minus(r)
}
