package threshold

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

const wantUnit = "a time unit: ms, s, m, h, d, w or a word such as seconds, minutes, hours, days, weeks"

// ParseDuration reads a duration as people write it: "30s", "1h30m",
// "1.5 hours", "1 hour 30 minutes", "28d", "2 weeks" or ISO 8601 with weeks,
// days and smaller ("P1DT12H", "PT0.5S"). Unit symbols are case-sensitive, unit
// words are not; several units must fall in size and none may come twice.
//
// A day is 24 hours and a week 7 days. Refused, as *Error with a hint: a bare
// number, a negative value, months and years (they have no fixed length),
// business days (see [ParseSpan]), fractions of a nanosecond and everything
// beyond the range of [time.Duration] (about 292 years).
func ParseDuration(text string) (time.Duration, error) {
	s := newScanner(text)
	d, err := s.duration()
	if err != nil {
		return 0, err
	}
	return d, nil
}

// Span is either a duration or a number of business days; exactly one of the
// fields is set, and a zero duration sets neither.
type Span struct {
	Duration     time.Duration `json:"duration,omitempty"`
	BusinessDays int           `json:"business_days,omitempty"`
}

// ParseSpan reads what [ParseDuration] reads and, besides, "next business
// day" and "3 business days" (at least 1).
func ParseSpan(text string) (Span, error) {
	words := strings.Fields(strings.ToLower(text))
	if n := len(words); n == 3 && words[1] == "business" && (words[2] == "day" || words[2] == "days") {
		start := strings.Index(text, strings.Fields(text)[0])
		if words[0] == "next" {
			if words[2] == "days" {
				return Span{}, errorAt(text, start, `"next business day" or a number of business days`)
			}
			return Span{BusinessDays: 1}, nil
		}
		days, err := strconv.ParseUint(words[0], 10, 16)
		if err != nil || days == 0 {
			return Span{}, errorAt(text, start, "a whole number of business days from 1 to 65535")
		}
		return Span{BusinessDays: int(days)}, nil
	}
	d, err := ParseDuration(text)
	return Span{Duration: d}, err
}

// String returns the canonical text, "1 business day" or [FormatDuration].
func (s Span) String() string {
	switch s.BusinessDays {
	case 0:
		return FormatDuration(s.Duration)
	case 1:
		return "1 business day"
	}
	return strconv.Itoa(s.BusinessDays) + " business days"
}

// FormatDuration returns the canonical text: days, hours, minutes, seconds,
// milliseconds, microseconds, nanoseconds, largest first, without zero parts;
// "0s" for zero and a leading minus for negative values.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	rest := uint64(d)
	if d < 0 {
		b.WriteByte('-')
		rest = -rest // two's complement: right for the smallest int64 too
	}
	for _, u := range []struct {
		name string
		size uint64
	}{{"d", day}, {"h", hour}, {"m", minute}, {"s", second}, {"ms", millisecond}, {"us", microsecond}, {"ns", nanosecond}} {
		if n := rest / u.size; n > 0 {
			b.WriteString(strconv.FormatUint(n, 10))
			b.WriteString(u.name)
			rest %= u.size
		}
	}
	return b.String()
}

// duration scans to the end of the text.
func (s *scanner) duration() (time.Duration, *Error) {
	if s.done() {
		return 0, s.fail(s.pos, `a duration such as "15m" or "2 hours"`)
	}
	if s.peek() == 'P' {
		return s.isoDuration()
	}
	total, last := int64(0), int64(math.MaxInt64)
	for first := true; first || !s.done(); first = false {
		s.space()
		start := s.pos
		v, err := s.component(first)
		if err != nil {
			return 0, err
		}
		s.space()
		at := s.pos
		size, err := s.timeUnit(at)
		if err != nil {
			return 0, err
		}
		if total, err = s.add(total, v, size, start); err != nil {
			return 0, err
		}
		if size >= last {
			return 0, s.fail(at, "a smaller unit than the one before, each at most once")
		}
		last = size
	}
	return time.Duration(total), nil
}

func (s *scanner) component(first bool) (Decimal, *Error) {
	switch b := s.peek(); {
	case isDigit(b):
		return s.decimal(false)
	case b == '-':
		return Decimal{}, s.fail(s.pos, "a duration that is not negative")
	case first:
		return Decimal{}, s.fail(s.pos, `a number with a unit, such as "15m" or "2 hours"`)
	}
	return Decimal{}, s.fail(s.pos, "a number or the end of the duration")
}

func (s *scanner) timeUnit(at int) (int64, *Error) {
	word := s.take(isLetter)
	if word == "" {
		if s.pos < s.end && !isDigit(s.text[s.pos]) {
			return 0, s.fail(at, wantUnit)
		}
		return 0, s.fail(at, `a unit after the number, such as "15m" or "15 minutes"`)
	}
	if u, ok := lookupUnit(word); ok && u.family == Time {
		return u.size, nil
	}
	switch lower := strings.ToLower(word); lower {
	case "month", "months", "mo", "mos":
		return 0, s.fail(at, "a unit of fixed length; a month has none, use calendar_month or 30d")
	case "y", "yr", "yrs", "year", "years":
		return 0, s.fail(at, "a unit of fixed length; a year has none, use 365d")
	case "business", "working":
		return 0, s.fail(at, "elapsed time; business days are not a fixed duration")
	default:
		if _, ok := symbols[lower]; ok {
			return 0, s.fail(at, "a unit symbol in lower case; "+lower+" is accepted, "+word+" is not")
		}
	}
	return 0, s.fail(at, wantUnit)
}

// add returns total + v*size, exact or an error.
func (s *scanner) add(total int64, v Decimal, size int64, start int) (int64, *Error) {
	hi, lo := bits.Mul64(uint64(v.coef), uint64(size))
	div := uint64(pow10(v.scale))
	const tooLong = "a duration of at most 106751 days"
	if hi >= div {
		return 0, s.fail(start, tooLong)
	}
	q, rest := bits.Div64(hi, lo, div)
	switch {
	case rest != 0:
		return 0, s.fail(start, "a whole number of nanoseconds")
	case q > math.MaxInt64 || int64(q) > math.MaxInt64-total:
		return 0, s.fail(start, tooLong)
	}
	return total + int64(q), nil
}

// isoDuration scans P[nW][nD][T[nH][nM][nS]].
func (s *scanner) isoDuration() (time.Duration, *Error) {
	s.pos++ // P
	total, last := int64(0), int64(math.MaxInt64)
	clock, empty := false, true
	for s.pos < s.end && strings.TrimSpace(s.text[s.pos:s.end]) != "" {
		if s.peek() == 'T' && !clock {
			s.pos++
			clock, empty = true, true
			continue
		}
		start := s.pos
		v, err := s.component(false)
		if err != nil {
			return 0, err
		}
		at := s.pos
		size, err := s.isoUnit(clock)
		if err != nil {
			return 0, err
		}
		if total, err = s.add(total, v, size, start); err != nil {
			return 0, err
		}
		if size >= last {
			return 0, s.fail(at, "a smaller unit than the one before, each at most once")
		}
		last, empty = size, false
	}
	if empty {
		return 0, s.fail(s.pos, `an ISO 8601 part such as "PT15M" or "P1D"`)
	}
	return time.Duration(total), nil
}

func (s *scanner) isoUnit(clock bool) (int64, *Error) {
	at, b := s.pos, s.peek()
	if b != 0 {
		s.pos++
	}
	switch {
	case b == 0:
		return 0, s.fail(at, `a unit after the number, such as "PT15M"`)
	case b == 'W' && !clock:
		return week, nil
	case b == 'D' && !clock:
		return day, nil
	case b == 'H' && clock:
		return hour, nil
	case b == 'M' && clock:
		return minute, nil
	case b == 'S' && clock:
		return second, nil
	case b == 'M':
		return 0, s.fail(at, "a unit of fixed length; a month has none, use P30D (minutes stand behind T)")
	case b == 'Y':
		return 0, s.fail(at, "a unit of fixed length; a year has none, use P365D")
	case clock:
		return 0, s.fail(at, "H, M or S behind T")
	}
	return 0, s.fail(at, "W or D, or T before hours, minutes and seconds")
}
