package threshold

import (
	"strings"
	"time"
)

// Units of a [Target] besides "of N" for a score and "" for a plain number.
const (
	Seconds = "s"       // Value counts seconds
	Percent = "percent" // Value is 0..100
)

// Target is an operator with a limit, as contracts and KPI lists state it.
type Target struct {
	Op    Op      `json:"op"`
	Value Decimal `json:"value"` // seconds, percent 0..100, points of a score or a plain number
	Unit  string  `json:"unit"`  // Seconds, Percent, "of 5" or ""
}

// ParseTarget reads "< 4 hours", "> 99%", "> 4.5/5", "72 hours minimum" or a
// plain "> 2.0". The words minimum and maximum mean >= and <=. Without either, a
// duration is an upper limit (<=) and everything else a lower one (>=): "99.0%"
// is kept by 99.0. Errors are of type *Error.
func ParseTarget(text string) (Target, error) {
	s := newScanner(text)
	if s.done() {
		return Target{}, s.fail(0, `a target such as "< 4 hours" or "> 99%"`)
	}
	op, err := s.op(false)
	if err != nil {
		return Target{}, err
	}
	if at, bound := s.bound(); bound != 0 {
		if op != 0 {
			return Target{}, s.fail(at, "either an operator or minimum/maximum, not both")
		}
		op = bound
	}
	s.space()
	t, err := s.limit()
	if err != nil {
		return Target{}, err
	}
	switch {
	case op != 0:
		t.Op = op
	case t.Unit == Seconds:
		t.Op = LessEqual
	default:
		t.Op = GreaterEqual
	}
	return t, nil
}

// bound hides a trailing "minimum" or "maximum" and returns its operator.
func (s *scanner) bound() (at int, op Op) {
	body := strings.TrimRight(s.text[:s.end], " \t\r\n")
	for word, o := range map[string]Op{"minimum": GreaterEqual, "maximum": LessEqual} {
		cut := len(body) - len(word)
		if cut > s.pos && strings.EqualFold(body[cut:], word) && strings.ContainsRune(" \t\r\n%", rune(body[cut-1])) {
			s.end = cut
			return cut, o
		}
	}
	return 0, 0
}

func (s *scanner) limit() (Target, *Error) {
	start := s.pos
	if s.peek() != 'P' {
		v, err := s.decimal(true)
		if err != nil {
			return Target{}, err
		}
		s.space()
		t := Target{Value: v}
		switch {
		case s.pos >= s.end:
			return t, nil
		case s.peek() == '%':
			s.pos++
			t.Unit = Percent
		case s.peek() == '/':
			s.pos++
			s.space()
			of, err := s.decimal(false)
			if err != nil {
				return Target{}, err
			}
			if of.Sign() == 0 {
				return Target{}, s.fail(s.pos-1, "a best score above 0")
			}
			t.Unit = "of " + of.String()
		}
		if t.Unit != "" {
			if !s.done() {
				return Target{}, s.fail(s.pos, "the end of the target")
			}
			return t, nil
		}
		s.pos = start
	}
	d, err := s.duration()
	if err != nil {
		return Target{}, err
	}
	return Target{Value: decimalOf(int64(d), 9), Unit: Seconds}, nil
}

// Duration returns the limit of a duration target; false for the others, and
// for one that is no whole number of nanoseconds or too long for a duration, which
// [ParseTarget] never returns.
func (t Target) Duration() (time.Duration, bool) {
	if t.Unit != Seconds || t.Value.scale > 9 {
		return 0, false
	}
	unit := pow10(9 - t.Value.scale)
	if d := t.Value.coef * unit; d/unit == t.Value.coef {
		return time.Duration(d), true
	}
	return 0, false
}

// Met reports whether value, in the unit of the target, keeps it.
func (t Target) Met(value Decimal) bool { return t.Op.Holds(value.Compare(t.Value)) }

// String returns the target in the form that [ParseTarget] reads.
func (t Target) String() string {
	switch {
	case t.Unit == Percent:
		return t.Op.String() + " " + t.Value.String() + "%"
	case strings.HasPrefix(t.Unit, "of "):
		return t.Op.String() + " " + t.Value.String() + "/" + t.Unit[3:]
	}
	if d, ok := t.Duration(); ok {
		return t.Op.String() + " " + FormatDuration(d)
	}
	return t.Op.String() + " " + t.Value.String()
}
