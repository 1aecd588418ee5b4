package money

import (
	"cmp"
	"fmt"
)

// Rounding names how a result is brought to whole minor units. It works on the
// absolute value, so −1.5 rounds half up to −2. The zero value is HalfUp.
type Rounding uint8

// The rounding modes of contracts and accounting rules.
const (
	HalfUp   Rounding = iota // to the nearest, halves away from zero
	HalfEven                 // to the nearest, halves to the even neighbour
	Down                     // towards zero
	Up                       // away from zero
)

var roundingNames = [...]string{HalfUp: "half_up", HalfEven: "half_even", Down: "down", Up: "up"}

// String returns "half_up", "half_even", "down" or "up".
func (r Rounding) String() string {
	if int(r) < len(roundingNames) {
		return roundingNames[r]
	}
	return fmt.Sprintf("Rounding(%d)", uint8(r))
}

// MarshalText writes what String returns; an unknown mode is an error.
func (r Rounding) MarshalText() ([]byte, error) {
	if r > Up {
		return nil, r.unknown()
	}
	return []byte(r.String()), nil
}

func (r Rounding) unknown() error {
	return fmt.Errorf("rounding %q: want half_up, half_even, down or up", r.String())
}

// UnmarshalText reads what String returns for a mode.
func (r *Rounding) UnmarshalText(text []byte) error {
	for mode, name := range roundingNames {
		if string(text) == name {
			*r = Rounding(mode)
			return nil
		}
	}
	return fmt.Errorf("rounding %q: want half_up, half_even, down or up", text)
}

// apply rounds quotient + remainder/divisor; ok is false on overflow.
func (r Rounding) apply(quotient, remainder, divisor uint64) (rounded uint64, ok bool) {
	if r.away(quotient%2 == 1, remainder > 0, cmp.Compare(remainder, divisor-remainder)) {
		quotient++
		return quotient, quotient != 0
	}
	return quotient, true
}

// away reports whether a quotient that is odd or even grows by one. half is -1,
// 0 or +1 as the rest lies below, at or above a half.
func (r Rounding) away(odd, rest bool, half int) bool {
	switch r {
	case HalfUp:
		return half >= 0
	case HalfEven:
		return half > 0 || half == 0 && odd
	case Down:
	case Up:
		return rest
	}
	return false
}
