package threshold

import (
	"math/big"
	"strconv"
	"strings"
)

// maxDigits is the number of decimal digits that always fits an int64.
const maxDigits = 18

// Decimal is an exact decimal number with at most 18 digits. Equal numbers are
// equal under ==: "99.0" and "99" give the same value. The zero value is 0.
type Decimal struct {
	coef  int64
	scale uint8 // number of digits behind the point
}

// ParseDecimal reads digits with an optional sign and an optional point, such
// as "80", "-0.5" or "99.95". Exponents, separators and a missing digit on
// either side of the point are errors of type *Error.
func ParseDecimal(text string) (Decimal, error) {
	s := newScanner(text)
	d, err := s.decimal(true)
	if err != nil {
		return Decimal{}, err
	}
	if s.pos < s.end {
		return Decimal{}, s.fail(s.pos, "the end of the number")
	}
	return d, nil
}

// decimal scans a number at the current position.
func (s *scanner) decimal(sign bool) (Decimal, *Error) {
	start := s.pos
	neg := false
	if sign && (s.peek() == '-' || s.peek() == '+') {
		neg = s.peek() == '-'
		s.pos++
	}
	whole := s.digits()
	if whole == "" {
		return Decimal{}, s.fail(start, "a number")
	}
	fraction := ""
	switch s.peek() {
	case '.':
		s.pos++
		if fraction = s.digits(); fraction == "" {
			return Decimal{}, s.fail(s.pos, "a digit behind the decimal point")
		}
	case ',':
		return Decimal{}, s.fail(s.pos, "a decimal point that is a point, without separators")
	}
	whole = strings.TrimLeft(whole, "0")
	fraction = strings.TrimRight(fraction, "0")
	if len(whole)+len(fraction) > maxDigits {
		return Decimal{}, s.fail(start, "a number of at most 18 digits")
	}
	coef, _ := strconv.ParseInt("0"+whole+fraction, 10, 64) // 18 digits always fit
	if neg {
		coef = -coef
	}
	return Decimal{coef: coef, scale: uint8(len(fraction))}, nil
}

func (s *scanner) digits() string {
	start := s.pos
	for s.pos < s.end && isDigit(s.text[s.pos]) {
		s.pos++
	}
	return s.text[start:s.pos]
}

// String returns the number without exponent and without trailing zeros.
func (d Decimal) String() string {
	if d.scale == 0 {
		return strconv.FormatInt(d.coef, 10)
	}
	sign, digits := "", strconv.FormatInt(d.coef, 10)
	if d.coef < 0 {
		sign, digits = "-", digits[1:]
	}
	if pad := int(d.scale) + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	cut := len(digits) - int(d.scale)
	return sign + digits[:cut] + "." + digits[cut:]
}

// MarshalText returns [Decimal.String] as bytes.
func (d Decimal) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseDecimal] reads.
func (d *Decimal) UnmarshalText(b []byte) error {
	v, err := ParseDecimal(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// Sign returns -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.coef < 0:
		return -1
	case d.coef > 0:
		return 1
	}
	return 0
}

// Rat returns the number as a new exact fraction.
func (d Decimal) Rat() *big.Rat { return big.NewRat(d.coef, pow10(d.scale)) }

// Float64 returns the float64 nearest to d.
func (d Decimal) Float64() float64 {
	f, _ := strconv.ParseFloat(d.String(), 64) // cannot fail on our own text
	return f
}

// Compare compares two numbers: -1 if d < e, 0 if equal, 1 if d > e.
func (d Decimal) Compare(e Decimal) int {
	if d.scale == e.scale {
		return compareInts(d.coef, e.coef)
	}
	return d.Rat().Cmp(e.Rat())
}

func compareInts(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func pow10(n uint8) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// decimalOf reduces num/10^scale to a Decimal in normal form.
func decimalOf(num int64, scale uint8) Decimal {
	for scale > 0 && num%10 == 0 {
		num /= 10
		scale--
	}
	return Decimal{coef: num, scale: scale}
}
