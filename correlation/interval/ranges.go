package interval

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// RangeError says why a text is no range, clock or zone.
type RangeError struct {
	Text string
	Want string
	Err  error // of the zone data; nil for all others
}

// Error names the text and what was expected.
func (e *RangeError) Error() string {
	text := fmt.Sprintf("%q: want %s", e.Text, e.Want)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the error of the zone data.
func (e *RangeError) Unwrap() error { return e.Err }

// Clock is a reading of a wall clock in minutes from midnight, 0 to 1440. Its text is
// "HH:MM" with two digits each, from "00:00" to "24:00".
type Clock int

// String returns the text.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// MarshalText writes the text.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the text; the error is a [*RangeError].
func (c *Clock) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "24:00" {
		*c = 24 * 60
		return nil
	}
	isDigit := func(i int) bool { return '0' <= s[i] && s[i] <= '9' }
	if len(s) != 5 || s[2] != ':' || !isDigit(0) || !isDigit(1) || !isDigit(3) || !isDigit(4) || s[:2] > "23" || s[3:] > "59" {
		return &RangeError{Text: s, Want: `a time like "09:30", from "00:00" to "24:00"`}
	}
	*c = Clock(s[0]-'0')*600 + Clock(s[1]-'0')*60 + Clock(s[3]-'0')*10 + Clock(s[4]-'0')
	return nil
}

// Times is a stretch of the wall clock from the start of minute Start to the start
// of minute End. It never passes midnight: two ranges do that.
type Times struct {
	Start Clock `json:"start_time"`
	End   Clock `json:"end_time"`
}

// String returns the two times, "09:00-17:00".
func (r Times) String() string { return r.Start.String() + "-" + r.End.String() }

// check returns an error if the range ends before it starts.
func (r Times) check() error {
	if r.Start < 0 || r.End > 24*60 || r.Start >= r.End {
		return &RangeError{Text: r.String(), Want: "a start before the end, within one day"}
	}
	return nil
}

// Weekdays are those from First to Last, both included; Sunday is the first of a
// week. The text is "monday" or "monday:friday", in any case.
type Weekdays struct{ First, Last time.Weekday }

// DaysOfMonth are those from First to Last, both included, counted from 1, or from
// the end of the month as -1 and down. Ends outside of a month are its ends, and a
// First after its last day is in none. The text is "1", "1:7" or "-3:-1".
type DaysOfMonth struct{ First, Last int }

// Months are those from First to Last, both included. The text is "january" or
// "january:march", in any case, or numbers. As in Alertmanager, numbers that are no
// month are taken and hold none.
type Months struct{ First, Last time.Month }

// Years are those from First to Last, both included. The text is "2026" or
// "2026:2028".
type Years struct{ First, Last int }

// String returns the text.
func (r Weekdays) String() string { return between(r.First, r.Last, weekdayName) }

// String returns the text.
func (r DaysOfMonth) String() string { return between(r.First, r.Last, strconv.Itoa) }

// String returns the text, with numbers for what is no month.
func (r Months) String() string { return between(r.First, r.Last, monthName) }

// String returns the text.
func (r Years) String() string { return between(r.First, r.Last, strconv.Itoa) }

// MarshalText writes the text.
func (r Weekdays) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// MarshalText writes the text.
func (r DaysOfMonth) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// MarshalText writes the text.
func (r Months) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// MarshalText writes the text.
func (r Years) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the text; the error is a [*RangeError].
func (r *Weekdays) UnmarshalText(text []byte) (err error) {
	const want = `weekdays like "monday:friday", sunday first`
	r.First, r.Last, err = parse(string(text), want, func(s string) (time.Weekday, bool) {
		for d := time.Sunday; d <= time.Saturday; d++ {
			if s == weekdayName(d) {
				return d, true
			}
		}
		return 0, false
	})
	return withCheck(err, r.check)
}

// UnmarshalText reads the text; the error is a [*RangeError].
func (r *DaysOfMonth) UnmarshalText(text []byte) (err error) {
	r.First, r.Last, err = parse(string(text), `days like "1:7" or "-3:-1"`, number)
	return withCheck(err, r.check)
}

// UnmarshalText reads the text; the error is a [*RangeError].
func (r *Months) UnmarshalText(text []byte) (err error) {
	r.First, r.Last, err = parse(string(text), `months like "january:march" or "1:3"`, func(s string) (time.Month, bool) {
		for m := time.January; m <= time.December; m++ {
			if s == monthName(m) {
				return m, true
			}
		}
		n, ok := number(s)
		return time.Month(n), ok
	})
	return withCheck(err, r.check)
}

// UnmarshalText reads the text; the error is a [*RangeError].
func (r *Years) UnmarshalText(text []byte) (err error) {
	r.First, r.Last, err = parse(string(text), `years like "2026:2028"`, number)
	return withCheck(err, r.check)
}

// check returns an error for what is no weekday or ends before it begins.
func (r Weekdays) check() error {
	if r.First < time.Sunday || r.Last > time.Saturday || r.First > r.Last {
		return &RangeError{Text: r.String(), Want: "a first weekday that is not after the last one; a week begins on sunday"}
	}
	return nil
}

// check returns an error for days that no month has and for what is empty in every
// month, by the shortest one where it is counted from an end.
func (r DaysOfMonth) check() error {
	switch {
	case r.First == 0 || r.Last == 0 || max(r.First, r.Last) > 31 || min(r.First, r.Last) < -31:
		return &RangeError{Text: r.String(), Want: "days from 1 to 31 or from -31 to -1"}
	case r.First < 0 && r.Last > 0:
		return &RangeError{Text: r.String(), Want: "a last day that is counted from the end, as the first one is"}
	}
	first, last := r.First, r.Last
	if first < 0 {
		first += 28
	}
	if last < 0 {
		last += 28
	}
	if first > last {
		return &RangeError{Text: r.String(), Want: "a first day that is not always after the last one"}
	}
	return nil
}

// check returns an error if the range ends before it begins.
func (r Months) check() error { return order(int(r.First), int(r.Last), r.String) }

// check returns an error if the range ends before it begins.
func (r Years) check() error { return order(r.First, r.Last, r.String) }

func order(first, last int, text func() string) error {
	if first > last {
		return &RangeError{Text: text(), Want: "a first that is not after the last"}
	}
	return nil
}

// withCheck returns the error of reading, or else that of checking what was read.
func withCheck(err error, check func() error) error {
	if err != nil {
		return err
	}
	return check()
}

// parse reads one member or two with a colon between them.
func parse[T ~int](text, want string, member func(string) (T, bool)) (first, last T, err error) {
	a, b, two := strings.Cut(strings.ToLower(text), ":")
	if !two {
		b = a
	}
	first, ok1 := member(a)
	last, ok2 := member(b)
	if !ok1 || !ok2 {
		return 0, 0, &RangeError{Text: text, Want: want}
	}
	return first, last, nil
}

func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil
}

func between[T ~int](first, last T, name func(T) string) string {
	if first == last {
		return name(first)
	}
	return name(first) + ":" + name(last)
}

func weekdayName(d time.Weekday) string {
	if d < time.Sunday || d > time.Saturday {
		return strconv.Itoa(int(d))
	}
	return strings.ToLower(d.String())
}

func monthName(m time.Month) string {
	if m < time.January || m > time.December {
		return strconv.Itoa(int(m))
	}
	return strings.ToLower(m.String())
}

// Zone is a time zone by its name in the IANA database. "" and "UTC" are UTC, and
// "Local" is that of the machine, so that answers depend on it. The zero Zone is not
// set.
type Zone struct{ *time.Location }

// MarshalText writes the name, which is empty for the zero Zone.
func (z Zone) MarshalText() ([]byte, error) {
	if z.Location == nil {
		return nil, nil
	}
	return []byte(z.String()), nil
}

// UnmarshalText loads the zone; the error is a [*RangeError].
func (z *Zone) UnmarshalText(text []byte) error {
	location, err := time.LoadLocation(string(text))
	if err != nil {
		return &RangeError{Text: string(text), Want: "the name of a time zone, such as Europe/Amsterdam", Err: err}
	}
	z.Location = location
	return nil
}
