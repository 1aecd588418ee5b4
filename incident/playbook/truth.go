package playbook

import (
	"fmt"
	"slices"
)

// Truth is the answer of a condition. The zero value is Unknown.
type Truth uint8

// The three answers (strong Kleene logic: AND is the least of them in the order
// false, unknown, true; OR the greatest; NOT swaps false and true).
const (
	Unknown Truth = iota
	False
	True
)

var truthNames = [...]string{Unknown: "unknown", False: "false", True: "true"}

// String returns "unknown", "false" or "true".
func (t Truth) String() string {
	if int(t) >= len(truthNames) {
		return fmt.Sprintf("Truth(%d)", uint8(t))
	}
	return truthNames[t]
}

// MarshalText writes what String returns.
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what String returns.
func (t *Truth) UnmarshalText(text []byte) error {
	i := slices.Index(truthNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("parse truth %q: want true, false or unknown", text)
	}
	*t = Truth(i)
	return nil
}

func (t Truth) and(u Truth) Truth {
	switch {
	case t == False || u == False:
		return False
	case t == Unknown || u == Unknown:
		return Unknown
	}
	return True
}

func (t Truth) or(u Truth) Truth {
	switch {
	case t == True || u == True:
		return True
	case t == Unknown || u == Unknown:
		return Unknown
	}
	return False
}

func (t Truth) not() Truth {
	switch t {
	case True:
		return False
	case False:
		return True
	default:
		return Unknown
	}
}

func truth(b bool) Truth {
	if b {
		return True
	}
	return False
}
