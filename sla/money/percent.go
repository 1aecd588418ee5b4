package money

import (
	"strings"

	"github.com/evenkeelops/evenkeel/internal/fixed"
)

// Percent is a non-negative percentage as a count of 10^-7 percent, so 12.5 %
// is 125 000 000 and a service target such as 99.9995 % is exact. It holds up
// to 922 337 203 685 %.
type Percent int64

const (
	percentDigits = 7
	percentUnit   = 10_000_000
)

// WholePercent returns n percent.
func WholePercent(n int64) Percent { return Percent(n * percentUnit) }

// ParsePercent reads decimal text with an optional percent sign: "12.5" or
// "12.5%", with at most seven decimals.
func ParsePercent(text string) (Percent, error) {
	n, err := fixed.ParseDecimal(strings.TrimSpace(strings.TrimSuffix(text, "%")), percentDigits)
	if err != nil {
		return 0, &ParseError{Text: text, err: err}
	}
	if n < 0 {
		return 0, &ParseError{Text: text}
	}
	return Percent(n), nil
}

// String returns the shortest decimal text with a percent sign: "12.5%".
func (p Percent) String() string {
	return strings.TrimRight(strings.TrimRight(fixed.FormatDecimal(int64(p), percentDigits), "0"), ".") + "%"
}

// MarshalText writes what String returns.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what ParsePercent reads.
func (p *Percent) UnmarshalText(text []byte) error {
	parsed, err := ParsePercent(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
