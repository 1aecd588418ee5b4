package coverage

import (
	"cmp"
	"strconv"

	"github.com/evenkeelops/evenkeel/internal/fixed"
)

// Ratio is an exact quotient of two whole numbers in lowest terms, not negative.
// The zero value, and whatever has the denominator 0, is not set: the share of
// nothing.
type Ratio struct {
	Num int64 `json:"num"`
	Den int64 `json:"den"`
}

// ratio returns num/den in lowest terms. Neither is negative.
func ratio(num, den int64) Ratio {
	r := fixed.NewRatio(uint64(num), uint64(den))
	return Ratio{Num: int64(r.Num), Den: int64(r.Den)}
}

// IsSet reports whether the ratio is a number.
func (r Ratio) IsSet() bool { return r.Den > 0 }

// Compare returns -1, 0 or +1 as r is less than, equal to or greater than s,
// exactly. A ratio that is not set is less than any other.
func (r Ratio) Compare(s Ratio) int {
	if !r.IsSet() || !s.IsSet() {
		return cmp.Compare(oneIf(r.IsSet()), oneIf(s.IsSet()))
	}
	return fixed.CompareProducts(uint64(r.Num), uint64(s.Den), uint64(s.Num), uint64(r.Den))
}

// Decimal writes the ratio with a number of decimals from 0 to 6, half rounded
// up: 21/5 with one is "4.2". It is "n/a" where the ratio is not set or too
// large for that.
func (r Ratio) Decimal(places int) string {
	scale := uint64(1)
	for range min(max(places, 0), 6) {
		scale *= 10
	}
	return r.scaled(scale, min(max(places, 0), 6), "")
}

// Percent writes the ratio as a percentage with one decimal, half rounded up:
// 5/12 is "41.7 %". It is "n/a" as for [Ratio.Decimal].
func (r Ratio) Percent() string { return r.scaled(1000, 1, " %") }

// String writes the two numbers, "5/12".
func (r Ratio) String() string {
	return strconv.FormatInt(r.Num, 10) + "/" + strconv.FormatInt(r.Den, 10)
}

func (r Ratio) scaled(scale uint64, places int, unit string) string {
	const none = "n/a"
	if !r.IsSet() {
		return none
	}
	q, rest, ok := fixed.MulDiv(uint64(r.Num), scale, uint64(r.Den))
	if !ok || q >= 1<<62 {
		return none
	}
	if rest >= uint64(r.Den)-rest {
		q++
	}
	return fixed.FormatDecimal(int64(q), places) + unit
}
