package slo

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
)

// Target is the share of good events that an objective promises, an exact ratio
// with 0 < target <= 1. The zero Target means "not set". Targets are comparable
// with ==.
//
// A Target is read from decimal text, never from a float64: 100 - 99.9 in
// floating point is 0.0999…9432, enough to fire an alert that should be silent.
type Target struct {
	ratio fixed.Ratio
}

var wantPercent = `a percentage above 0 and up to 100, like "99.9"`

// ParsePercent reads a target from a percentage in decimal text: "99.9" or
// "99.9%". Anything that is not a decimal number above 0 and up to 100 is a
// [*ParseError], as is one with more digits than fit 64 bits.
func ParsePercent(text string) (Target, error) {
	percent, err := fixed.ParseRatio(strings.TrimSuffix(text, "%"))
	if err != nil {
		if isDecimal(strings.TrimSuffix(text, "%")) {
			return Target{}, &ParseError{What: "target", Text: text, Want: "up to 18 decimals, and no more digits than 64 bits hold"}
		}
		return Target{}, &ParseError{What: "target", Text: text, Want: wantPercent}
	}
	ratio, ok := percent.Mul(fixed.Ratio{Num: 1, Den: 100})
	if !ok || ratio.Num == 0 || ratio.Num > ratio.Den {
		return Target{}, &ParseError{What: "target", Text: text, Want: wantPercent}
	}
	return Target{ratio}, nil
}

// MustPercent is [ParsePercent] for constants of a program; it panics on an
// error.
func MustPercent(text string) Target {
	t, err := ParsePercent(text)
	if err != nil {
		panic("slo: " + err.Error())
	}
	return t
}

// NewTarget returns the target of a ratio with 0 < r <= 1, such as the one that
// [ParseRatio] reads from "0.999".
func NewTarget(r Ratio) (Target, error) {
	num, den, ok := r.parts()
	if !ok || num == 0 || num > den {
		return Target{}, fmt.Errorf("target %s: want a ratio above 0 and up to 1", r)
	}
	return Target{fixed.NewRatio(num, den)}, nil
}

// IsSet reports whether t holds a target.
func (t Target) IsSet() bool { return t.ratio.IsSet() }

// Ratio returns the target, 0 < ratio <= 1; absent when t is not set.
func (t Target) Ratio() Ratio { return reduced(false, t.ratio) }

// Budget returns 1 - target, the share of events that may be bad; absent when t
// is not set.
func (t Target) Budget() Ratio {
	return reduced(false, t.budget())
}

func (t Target) budget() fixed.Ratio {
	return fixed.Ratio{Num: t.ratio.Den - t.ratio.Num, Den: t.ratio.Den} // in lowest terms, as the target is
}

// Burn returns how many times faster than allowed a budget goes at an error
// ratio:
//
//	burn = error ratio / (1 - target)
//
// At a target of 100 % no error gives 0 and any error +Inf. It is absent when t
// or the ratio is. (Beyer et al., The Site Reliability Workbook, 2018, chapter 5
// "Alerting on SLOs".)
func (t Target) Burn(errorRatio Ratio) Ratio {
	budget := t.Budget()
	switch {
	case !budget.IsSet() || !errorRatio.isFinite():
		return Ratio{}
	case budget.Sign() == 0 && errorRatio.Sign() == 0:
		return NewRatio(0, 1)
	case budget.Sign() == 0:
		return Inf(errorRatio.Sign())
	}
	return errorRatio.over(budget)
}

// AllowedDowntime returns the seconds of complete failure that a window of the
// length allows: (1 - target) · length. 99.9 % of 30 days allow 2592 s, of the
// 31 days of a January 2678.4 s. It is absent for a negative length.
func (t Target) AllowedDowntime(length time.Duration) Ratio {
	if !t.IsSet() || length < 0 {
		return Ratio{}
	}
	return t.Budget().times(seconds(length))
}

func seconds(d time.Duration) Ratio { return NewRatio(int64(d), int64(time.Second)) }

// met reports whether good/total >= target, exactly; total must not be 0.
func (t Target) met(c Counts) bool {
	return fixed.CompareProducts(c.Good, t.ratio.Den, t.ratio.Num, c.Total) >= 0
}

// Percent returns the target as a percentage in decimal text without trailing
// zeros, "99.9"; a target that is no finite decimal is rounded to nearest at 18
// decimals. It is empty when t is not set.
func (t Target) Percent() string {
	if !t.IsSet() {
		return ""
	}
	percent := t.Ratio().times(NewRatio(100, 1))
	for decimals, scale := range powersOfTen[:17] {
		if percent.large == nil && scale%uint64(percent.den) == 0 {
			return fixed.FormatDecimal(percent.num*int64(scale/uint64(percent.den)), decimals)
		}
	}
	digits, exact := percent.rat().FloatPrec()
	if !exact {
		digits = 18
	}
	return percent.rat().FloatString(digits)
}

// String returns the percentage with its sign, "99.9%", and "unset" for the zero
// Target.
func (t Target) String() string {
	if !t.IsSet() {
		return "unset"
	}
	return t.Percent() + "%"
}

// MarshalText writes the percentage "99.9", the fraction "67/72" for a target
// that is no finite decimal, and nothing for the zero Target.
func (t Target) MarshalText() ([]byte, error) {
	if t.IsSet() {
		if _, exact := t.Ratio().rat().FloatPrec(); !exact {
			return []byte(t.ratio.String()), nil
		}
	}
	return []byte(t.Percent()), nil
}

// UnmarshalText reads a percentage as [ParsePercent] does, or a fraction with a
// slash; empty text is the zero Target.
func (t *Target) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*t = Target{}
		return nil
	}
	parsed, err := parseTarget(string(text))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

func parseTarget(text string) (Target, error) {
	if !strings.Contains(text, "/") {
		return ParsePercent(text)
	}
	r, err := ParseRatio(text)
	if err != nil {
		return Target{}, err
	}
	return NewTarget(r)
}
