package sla

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Figure is an exact number such as a mean of durations or a percentage. Its unit
// stands beside it. The zero Figure means "no data".
type Figure struct{ rat *big.Rat }

// figureOf keeps r; nil is no data.
func figureOf(r *big.Rat) Figure { return Figure{rat: r} }

// FigureOf returns num/den; a den of 0 gives "no data".
func FigureOf(num, den int64) Figure {
	if den == 0 {
		return Figure{}
	}
	return Figure{rat: big.NewRat(num, den)}
}

// secondsOf returns a duration in seconds.
func secondsOf(d time.Duration) Figure { return FigureOf(int64(d), int64(time.Second)) }

// percentOf returns a share as a percentage.
func percentOf(f Fraction) Figure {
	r := f.Rat()
	if r == nil {
		return Figure{}
	}
	return Figure{rat: r.Mul(r, big.NewRat(100, 1))}
}

// IsSet reports whether f is a number.
func (f Figure) IsSet() bool { return f.rat != nil }

// Rat returns the number, and nil without data.
func (f Figure) Rat() *big.Rat {
	if f.rat == nil {
		return nil
	}
	return new(big.Rat).Set(f.rat)
}

// Decimal returns f with that many decimals, cut off and never rounded, so that a
// figure just short of its target does not show as the target. Without data it
// is "".
func (f Figure) Decimal(decimals int) string {
	if f.rat == nil {
		return ""
	}
	decimals = max(decimals, 0)
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	cut := new(big.Int).Mul(scale, f.rat.Num())
	cut.Quo(cut, f.rat.Denom())
	return new(big.Rat).SetFrac(cut, scale).FloatString(decimals)
}

// String returns a whole number as it is and others as "num/den"; "no data" for
// the zero Figure.
func (f Figure) String() string {
	if f.rat == nil {
		return "no data"
	}
	return f.rat.RatString()
}

// MarshalText writes what String returns, and nothing without data.
func (f Figure) MarshalText() ([]byte, error) {
	if f.rat == nil {
		return nil, nil
	}
	return []byte(f.rat.RatString()), nil
}

// UnmarshalText reads what MarshalText writes.
func (f *Figure) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*f = Figure{}
		return nil
	}
	r, ok := parseRat(string(text))
	if !ok || r.RatString() != string(text) {
		return fmt.Errorf("sla: figure %q: want a whole number or a quotient in lowest terms, like \"205/3\"", text)
	}
	f.rat = r
	return nil
}

// parseRat reads a whole number or a quotient; ok is false for other text, such as
// one with an exponent, which could be huge.
func parseRat(text string) (r *big.Rat, ok bool) {
	if strings.Trim(strings.TrimPrefix(text, "-"), "0123456789/") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}
