package sla

import (
	"fmt"
	"math/big"

	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// whole is 100 % in the unit of [money.Percent], which is also one part per
// billion of the whole.
const whole = 1_000_000_000

// Fraction is an exact availability between 0 and 1, in lowest terms. The zero
// Fraction is not a number and means "no data".
type Fraction struct {
	ratio fixed.Ratio
	wide  *big.Rat // instead of ratio, where that does not hold the number
}

// NewFraction returns part/of. part must not exceed of; of 0 gives "no data".
func NewFraction(part, of uint64) (Fraction, error) {
	if part > of {
		return Fraction{}, fmt.Errorf("sla: fraction %d/%d: want at most 1", part, of)
	}
	return Fraction{ratio: fixed.NewRatio(part, of)}, nil
}

// fractionOfCounts returns part/of, where part is a part of of.
func fractionOfCounts(part, of uint64) Fraction { return Fraction{ratio: fixed.NewRatio(part, of)} }

// fractionOf keeps r, which lies between 0 and 1.
func fractionOf(r *big.Rat) Fraction {
	if r.Num().IsUint64() && r.Denom().IsUint64() {
		return Fraction{ratio: fixed.NewRatio(r.Num().Uint64(), r.Denom().Uint64())}
	}
	return Fraction{wide: r}
}

// IsSet reports whether f is a number.
func (f Fraction) IsSet() bool { return f.wide != nil || f.ratio.IsSet() }

// Rat returns the number, and nil without data.
func (f Fraction) Rat() *big.Rat {
	switch {
	case !f.IsSet():
		return nil
	case f.wide != nil:
		return new(big.Rat).Set(f.wide)
	}
	return new(big.Rat).SetFrac(new(big.Int).SetUint64(f.ratio.Num), new(big.Int).SetUint64(f.ratio.Den))
}

// ComparePercent returns -1, 0 or +1 as f is below, at or above a percentage,
// without any rounding:
//
//	num/den < p/10⁹  ⇔  num·10⁹ < p·den      (128-bit products)
//
// f must be set and p must not be negative.
func (f Fraction) ComparePercent(p money.Percent) int {
	if f.wide != nil {
		return f.wide.Cmp(big.NewRat(int64(p), whole))
	}
	return fixed.CompareProducts(f.ratio.Num, whole, uint64(p), f.ratio.Den)
}

// Compare returns -1, 0 or +1 as f is less than, equal to or greater than g.
// Both must be set.
func (f Fraction) Compare(g Fraction) int {
	if f.wide != nil || g.wide != nil {
		return f.Rat().Cmp(g.Rat())
	}
	return f.ratio.Compare(g.ratio)
}

// Percent returns f as a percentage with that many decimals (0 to 9), cut
// off and never rounded, so that a missed 99.9 % does not show as 99.9. Without
// data it is "".
func (f Fraction) Percent(decimals int) string {
	if !f.IsSet() {
		return ""
	}
	decimals = min(max(decimals, 0), 9)
	scale := uint64(100)
	for range decimals {
		scale *= 10
	}
	if f.wide != nil {
		scaled := new(big.Int).Mul(f.wide.Num(), new(big.Int).SetUint64(scale))
		return fixed.FormatDecimal(scaled.Quo(scaled, f.wide.Denom()).Int64(), decimals)
	}
	cut, _, _ := fixed.MulDiv(f.ratio.Num, scale, f.ratio.Den)
	return fixed.FormatDecimal(int64(cut), decimals)
}

// RoundedPercent returns f as a percentage with that many decimals (0 to 9),
// rounded half up. It is for shares that nobody promised anything about; where a
// target stands beside, show [Fraction.Percent]. Without data it is "".
func (f Fraction) RoundedPercent(decimals int) string {
	if !f.IsSet() {
		return ""
	}
	percent := f.Rat()
	return percent.Mul(percent, big.NewRat(100, 1)).FloatString(min(max(decimals, 0), 9))
}

// String returns "num/den", "no data" for the zero Fraction, and a decimal cut
// off after nine digits such as "~0.998958333" where numerator or denominator
// exceed 64 bits.
func (f Fraction) String() string {
	switch {
	case !f.IsSet():
		return "no data"
	case f.wide != nil:
		scaled := new(big.Int).Mul(f.wide.Num(), big.NewInt(whole))
		return "~" + fixed.FormatDecimal(scaled.Quo(scaled, f.wide.Denom()).Int64(), 9)
	}
	return f.ratio.String()
}

// MarshalText writes "num/den" with all digits, and nothing without data.
func (f Fraction) MarshalText() ([]byte, error) {
	if !f.IsSet() {
		return nil, nil
	}
	return []byte(f.Rat().String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (f *Fraction) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*f = Fraction{}
		return nil
	}
	r, ok := parseRat(string(text))
	if !ok || r.Sign() < 0 || r.Cmp(big.NewRat(1, 1)) > 0 || r.String() != string(text) {
		return fmt.Errorf("sla: fraction %q: want a quotient in lowest terms from 0/1 to 1/1, like \"14889/14900\"", text)
	}
	*f = fractionOf(r)
	return nil
}
