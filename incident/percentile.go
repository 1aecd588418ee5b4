package incident

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Method says how a percentile is read off a sample.
type Method uint8

// The methods. For a sorted sample x1 ... xn and 0 <= p <= 1 the continuous ones
// interpolate between the neighbours of position h, kept within 1 ... n
// (Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996; HF is their
// number).
const (
	Linear         Method = iota // HF 7, h = (n-1)p + 1: Excel PERCENTILE.INC, numpy; the default
	NearestRank                  // element ceil(np), the first for p = 0
	Exclusive                    // HF 6, h = (n+1)p: Excel PERCENTILE.EXC
	Hazen                        // HF 5, h = np + 1/2
	MedianUnbiased               // HF 8, h = (n+1/3)p + 1/3
	Lower                        // element floor((n-1)p) + 1
	Higher                       // element ceil((n-1)p) + 1
)

var methodNames = [...]string{
	Linear: "linear", NearestRank: "nearest_rank", Exclusive: "exclusive", Hazen: "hazen",
	MedianUnbiased: "median_unbiased", Lower: "lower", Higher: "higher",
}

// String returns the name, such as "nearest_rank".
func (m Method) String() string {
	if int(m) >= len(methodNames) {
		return fmt.Sprintf("Method(%d)", uint8(m))
	}
	return methodNames[m]
}

// MarshalText writes the name.
func (m Method) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a name as String returns it.
func (m *Method) UnmarshalText(text []byte) error {
	i := slices.Index(methodNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("parse percentile method %q: want one of %s", text, strings.Join(methodNames[:], ", "))
	}
	*m = Method(i)
	return nil
}

// Percentile returns the p-quantile of a sorted sample in seconds, exactly.
// It is nil for an empty sample. p lies in 0 ... 1; anything else, and an
// unknown method, is an error.
func Percentile(sorted []time.Duration, p *big.Rat, m Method) (*big.Rat, error) {
	if p == nil || p.Sign() < 0 || p.Cmp(one) > 0 {
		return nil, fmt.Errorf("percentile %v: want a fraction from 0 to 1", p)
	}
	if int(m) >= len(methodNames) {
		return nil, errors.New("percentile: unknown " + m.String())
	}
	if len(sorted) == 0 {
		return nil, nil
	}
	n := int64(len(sorted))
	h := position(n, p, m)
	whole := floor(h)
	if whole < 1 {
		return seconds(sorted[0]), nil
	}
	if whole >= n {
		return seconds(sorted[n-1]), nil
	}
	// x[whole] + (h - whole)(x[whole+1] - x[whole])
	low, high := seconds(sorted[whole-1]), seconds(sorted[whole])
	part := h.Sub(h, big.NewRat(whole, 1))
	return low.Add(low, part.Mul(part, high.Sub(high, low))), nil
}

var one = big.NewRat(1, 1)

// position returns h of the method, counted from 1; a whole number for the
// methods that return an element.
func position(n int64, p *big.Rat, m Method) *big.Rat {
	linear := func(count, add *big.Rat) *big.Rat {
		h := new(big.Rat).Mul(count, p)
		return h.Add(h, add)
	}
	count := big.NewRat(n, 1)
	switch m {
	case NearestRank:
		return ceil(linear(count, new(big.Rat)))
	case Exclusive:
		return linear(big.NewRat(n+1, 1), new(big.Rat))
	case Hazen:
		return linear(count, big.NewRat(1, 2))
	case MedianUnbiased:
		return linear(big.NewRat(3*n+1, 3), big.NewRat(1, 3))
	case Lower:
		return big.NewRat(floor(linear(big.NewRat(n-1, 1), one)), 1)
	case Higher:
		return ceil(linear(big.NewRat(n-1, 1), one))
	default:
		return linear(big.NewRat(n-1, 1), one)
	}
}

// floor returns the whole part of a rational that is not negative.
func floor(r *big.Rat) int64 { return new(big.Int).Div(r.Num(), r.Denom()).Int64() }

func ceil(r *big.Rat) *big.Rat {
	whole := floor(r)
	if !r.IsInt() {
		whole++
	}
	return big.NewRat(whole, 1)
}

// seconds returns d in seconds, exactly.
func seconds(d time.Duration) *big.Rat { return big.NewRat(int64(d), int64(time.Second)) }
