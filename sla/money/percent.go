package money

import (
	"fmt"
	"math"
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

// WholePercent returns n percent, for constants of the program; it panics
// outside 0 to 922 337 203 685.
func WholePercent(n int64) Percent {
	if n < 0 || n > math.MaxInt64/percentUnit {
		panic(fmt.Sprintf("money: %d percent out of range", n))
	}
	return Percent(n * percentUnit)
}

// ParsePercent reads decimal text with an optional percent sign: "12.5", "12.5%"
// or "12.5 %", with at most seven decimals. The error is a [*ParseError].
func ParsePercent(text string) (Percent, error) {
	number, signed := strings.CutSuffix(text, "%")
	if signed {
		number = strings.TrimRight(number, " ")
	}
	n, err := fixed.ParseDecimal(number, percentDigits)
	if err == nil && n < 0 {
		err = fmt.Errorf("percentage %q: negative", text)
	}
	if err != nil {
		return 0, &ParseError{Text: text, err: err}
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
