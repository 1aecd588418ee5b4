package showback

import (
	"cmp"
	"fmt"
	"time"
)

// Month is a calendar month, the period of accounts. The zero Month is not set.
type Month struct {
	Year  int
	Month time.Month
}

// ParseMonth reads "2026-03". Years go from 0001 to 9999.
func ParseMonth(text string) (Month, error) {
	t, err := time.Parse("2006-01", text)
	if err != nil || t.Year() < 1 {
		return Month{}, &FieldError{Path: "month", Value: text, Want: `a month like "2026-03"`}
	}
	return Month{t.Year(), t.Month()}, nil
}

// IsSet reports whether m is a month.
func (m Month) IsSet() bool { return m != Month{} }

// valid reports whether m is a month that has a text.
func (m Month) valid() bool {
	return m.Year >= 1 && m.Year <= 9999 && m.Month >= time.January && m.Month <= time.December
}

// Compare returns -1, 0 or +1 as m is before, the same as or after o.
func (m Month) Compare(o Month) int {
	return cmp.Or(cmp.Compare(m.Year, o.Year), cmp.Compare(m.Month, o.Month))
}

// since returns the months from o to m.
func (m Month) since(o Month) int { return (m.Year-o.Year)*12 + int(m.Month) - int(o.Month) }

// String returns "2026-03", and "" when not set.
func (m Month) String() string {
	if !m.IsSet() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", m.Year, int(m.Month))
}

// MarshalText writes what String returns.
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what [ParseMonth] reads, and the empty text as not set.
func (m *Month) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*m = Month{}
		return nil
	}
	parsed, err := ParseMonth(string(text))
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}
