package openslo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// Duration is a duration of OpenSLO: a whole number of a unit. The zero Duration
// means "not set". Durations are comparable with ==.
type Duration struct {
	Count int // 1 or more
	// Unit is the letter as written, one of m h d w M Q Y: minutes, hours, days,
	// weeks, months, quarters, years.
	Unit byte
}

// maxLength is the longest window of package slo.
const maxLength = 3660 * 24 * time.Hour

// ParseDuration reads the duration shorthand of OpenSLO: a positive whole number
// and one of the letters m h d w M Q Y, without blanks, as in "12h", "4w", "1Q".
// Case matters: "1m" is a minute and "1M" a month. The longest duration is 3660
// days, with months of 30, quarters of 90 and years of 365 days. The error is a
// [*slo.ParseError].
func ParseDuration(text string) (Duration, error) {
	fail := func() (Duration, error) {
		return Duration{}, &slo.ParseError{What: "duration", Text: text, Want: `a whole number above 0 and one of m h d w M Q Y (up to 3660 days), like "30d"`}
	}
	digits := 0
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		digits++
	}
	if digits == 0 || digits != len(text)-1 {
		return fail()
	}
	n, err := strconv.Atoi(text[:digits])
	d := Duration{n, text[digits]}
	size := d.size()
	if err != nil || n == 0 || size == 0 || n > int(maxLength/size) {
		return fail()
	}
	return d, nil
}

// size returns the length of one unit, by convention that of a month, quarter
// and year; 0 for an unknown letter.
func (d Duration) size() time.Duration {
	const day = 24 * time.Hour
	switch d.Unit {
	case 'm':
		return time.Minute
	case 'h':
		return time.Hour
	case 'd':
		return day
	case 'w':
		return 7 * day
	case 'M':
		return 30 * day
	case 'Q':
		return 90 * day
	case 'Y':
		return 365 * day
	}
	return 0
}

// Calendar returns the unit of months, quarters and years; ok is false for all
// others. These have the length of the calendar and no other.
func (d Duration) Calendar() (unit slo.Unit, ok bool) {
	switch d.Unit {
	case 'M':
		return slo.Month, true
	case 'Q':
		return slo.Quarter, true
	case 'Y':
		return slo.Year, true
	}
	return 0, false
}

// Length returns the length of minutes, hours, days of 24 hours and weeks of
// seven such days; ok is false for months, quarters and years, which have none.
func (d Duration) Length() (length time.Duration, ok bool) {
	if _, calendar := d.Calendar(); calendar {
		return 0, false
	}
	return time.Duration(d.Count) * d.size(), true
}

// String returns the shorthand, "30d", and "unset" for the zero Duration.
func (d Duration) String() string {
	if d == (Duration{}) {
		return "unset"
	}
	return fmt.Sprintf("%d%c", d.Count, d.Unit)
}

// shorthand writes a length as OpenSLO can, in the largest unit up to days that
// divides it; ok is false for what is no whole number of minutes.
func shorthand(length time.Duration) (text string, ok bool) {
	for _, unit := range []byte("dhm") {
		if size := (Duration{1, unit}).size(); length > 0 && length%size == 0 {
			return Duration{int(length / size), unit}.String(), true
		}
	}
	return "", false
}
