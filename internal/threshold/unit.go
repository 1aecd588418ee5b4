package threshold

import (
	"fmt"
	"strings"
)

// Family is a group of units that convert into each other.
type Family uint8

// The families. Words outside the table, such as "messages", are labels for
// people: they convert to nothing and mean one.
const (
	Label Family = iota // no unit, or a word without meaning to the program
	Time                // ns, us, ms, s, m, h, d, w and their words
	Bytes               // B, kB, MB, GB, TB, KiB, MiB, GiB, TiB
	Share               // %, ratio
)

// String returns label, time, bytes or share.
func (f Family) String() string {
	switch f {
	case Label:
		return "label"
	case Time:
		return "time"
	case Bytes:
		return "bytes"
	case Share:
		return "share"
	}
	return fmt.Sprintf("Family(%d)", uint8(f))
}

// unit is one entry of the unit table; size counts the smallest member of the
// family (nanoseconds, bytes, hundredths).
type unit struct {
	family Family
	size   int64
	short  bool // a symbol rather than a word: printed against the number
}

const (
	nanosecond  = 1
	microsecond = 1000 * nanosecond
	millisecond = 1000 * microsecond
	second      = 1000 * millisecond
	minute      = 60 * second
	hour        = 60 * minute
	day         = 24 * hour
	week        = 7 * day
)

// symbols are case-sensitive: m is a minute, M is not.
var symbols = map[string]unit{
	"ns": {Time, nanosecond, true}, "us": {Time, microsecond, true}, "µs": {Time, microsecond, true}, "μs": {Time, microsecond, true},
	"ms": {Time, millisecond, true}, "s": {Time, second, true}, "m": {Time, minute, true}, "h": {Time, hour, true},
	"d": {Time, day, true}, "w": {Time, week, true},
	"B":  {Bytes, 1, true},
	"kB": {Bytes, 1e3, true}, "KB": {Bytes, 1e3, true}, "MB": {Bytes, 1e6, true}, "GB": {Bytes, 1e9, true}, "TB": {Bytes, 1e12, true},
	"KiB": {Bytes, 1 << 10, true}, "MiB": {Bytes, 1 << 20, true}, "GiB": {Bytes, 1 << 30, true}, "TiB": {Bytes, 1 << 40, true},
	"%": {Share, 1, true},
}

// words are matched in any case.
var words = map[string]unit{
	"nanosecond": {Time, nanosecond, false}, "nanoseconds": {Time, nanosecond, false},
	"microsecond": {Time, microsecond, false}, "microseconds": {Time, microsecond, false},
	"millisecond": {Time, millisecond, false}, "milliseconds": {Time, millisecond, false},
	"sec": {Time, second, false}, "secs": {Time, second, false}, "second": {Time, second, false}, "seconds": {Time, second, false},
	"min": {Time, minute, false}, "mins": {Time, minute, false}, "minute": {Time, minute, false}, "minutes": {Time, minute, false},
	"hr": {Time, hour, false}, "hrs": {Time, hour, false}, "hour": {Time, hour, false}, "hours": {Time, hour, false},
	"day": {Time, day, false}, "days": {Time, day, false}, "week": {Time, week, false}, "weeks": {Time, week, false},
	"byte": {Bytes, 1, false}, "bytes": {Bytes, 1, false},
	"percent": {Share, 1, false}, "ratio": {Share, 100, false},
}

func lookupUnit(text string) (unit, bool) {
	if u, ok := symbols[text]; ok {
		return u, true
	}
	u, ok := words[strings.ToLower(text)]
	return u, ok
}

// FamilyOf returns the family of a unit as written in a condition, [Label] for
// an empty or unknown one.
func FamilyOf(unit string) Family {
	u, _ := lookupUnit(unit)
	return u.family
}

// Scale returns the fraction num/den by which a number in unit from is
// multiplied to give the number in unit to. A label against a label, or
// nothing against anything, is 1/1; units of different families are an error.
func Scale(from, to string) (num, den int64, err error) {
	if from == to || from == "" || to == "" {
		return 1, 1, nil
	}
	a, b := unit{size: 1}, unit{size: 1}
	if u, ok := lookupUnit(from); ok {
		a = u
	}
	if u, ok := lookupUnit(to); ok {
		b = u
	}
	if a.family != b.family {
		return 0, 0, fmt.Errorf("unit %q is of family %s, want family %s like %q", from, a.family, b.family, to)
	}
	return a.size, b.size, nil
}

// Quantity is a number with the unit that was written beside it.
type Quantity struct {
	Value Decimal `json:"value"`
	Unit  string  `json:"unit,omitempty"` // as written: "%", "ms", "messages" or empty
}

// ParseQuantity reads a number and an optional unit, such as "80%", "2 hours"
// or "1000 messages". Errors are of type *Error.
func ParseQuantity(text string) (Quantity, error) {
	s := newScanner(text)
	s.space()
	q, err := s.quantity()
	if err != nil {
		return Quantity{}, err
	}
	if !s.done() {
		return Quantity{}, s.fail(s.pos, "the end of the text")
	}
	return q, nil
}

// Family returns the family of the unit.
func (q Quantity) Family() Family { return FamilyOf(q.Unit) }

// String returns the quantity in the form that [ParseQuantity] reads.
func (q Quantity) String() string {
	if q.Unit == "" {
		return q.Value.String()
	}
	if u, ok := lookupUnit(q.Unit); ok && u.short {
		return q.Value.String() + q.Unit
	}
	return q.Value.String() + " " + q.Unit
}

// quantity scans number [unit]. A qualifier of a condition is no unit.
func (s *scanner) quantity() (Quantity, *Error) {
	v, err := s.decimal(true)
	if err != nil {
		return Quantity{}, err
	}
	q := Quantity{Value: v}
	attached := s.pos
	s.space()
	if s.peek() == '%' {
		s.pos++
		q.Unit = "%"
		if s.pos < s.end && isWordPart(rune(s.text[s.pos])) {
			return Quantity{}, s.fail(s.pos, "a space after %")
		}
		return q, nil
	}
	start := s.pos
	word := s.take(func(r rune) bool { return isLetter(r) || r == '/' || r == '_' || r == '-' })
	switch {
	case word == "" && s.pos < s.end && attached == s.pos:
		return Quantity{}, s.fail(s.pos, "a unit or a space after the number")
	case word == "" || isQualifier(word):
		s.pos = start
		return q, nil
	case !isLetter(firstRune(word)):
		return Quantity{}, s.fail(start, "a unit such as %, ms, GiB or a word such as messages")
	case s.pos < s.end && isWordPart(rune(s.text[s.pos])):
		return Quantity{}, s.fail(start, "a unit of letters such as %, ms, GiB or messages (no exponents)")
	}
	q.Unit = word
	return q, nil
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}
