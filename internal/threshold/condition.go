package threshold

import (
	"fmt"
	"strings"
	"time"
)

// Mode says what is compared with the limit: the sample itself or its
// relation to a reference R.
type Mode uint8

// The modes; all but Value compare percentages.
const (
	Value     Mode = iota // x
	RatioOf               // 100 x/R
	Deviation             // 100 |x-R|/|R|, two-sided
	Drop                  // 100 (R-x)/|R|
	Rise                  // 100 (x-R)/|R|
)

var modeTexts = [...]string{Value: "value", RatioOf: "ratio_of", Deviation: "deviation", Drop: "drop", Rise: "rise"}

// String returns value, ratio_of, deviation, drop or rise.
func (m Mode) String() string {
	if int(m) >= len(modeTexts) {
		return fmt.Sprintf("Mode(%d)", uint8(m))
	}
	return modeTexts[m]
}

// MarshalText returns [Mode.String]; an unknown mode is an error.
func (m Mode) MarshalText() ([]byte, error) {
	if int(m) >= len(modeTexts) {
		return nil, fmt.Errorf("mode %d, want one of %s", uint8(m), strings.Join(modeTexts[:], ", "))
	}
	return []byte(modeTexts[m]), nil
}

// UnmarshalText reads the texts of [Mode.String].
func (m *Mode) UnmarshalText(b []byte) error {
	for i, t := range modeTexts {
		if t == string(b) {
			*m = Mode(i)
			return nil
		}
	}
	return errorAt(string(b), 0, "one of "+strings.Join(modeTexts[:], ", "))
}

// Condition is a parsed condition text. Conditions with equal text are equal
// under ==.
type Condition struct {
	Metric string        `json:"metric,omitempty"` // name before the operator, empty if none was written
	Op     Op            `json:"op"`
	Value  Decimal       `json:"value"`
	Unit   string        `json:"unit,omitempty"` // as written; see FamilyOf
	Mode   Mode          `json:"mode"`
	Ref    string        `json:"ref,omitempty"`    // name of the reference in lower case, such as "max pool"
	For    time.Duration `json:"for_ns,omitempty"` // how long it must hold; zero: the first sample is enough
}

// ParseCondition reads
//
//	[metric] op number [unit] [used | of R | deviation from R | drop from R | rise from R | increase from R] [for D]
//
// with op one of > >= < <= == != and D as in [ParseDuration]. Words are read in
// any case. With a reference the number must carry %. "used" is for people and
// is not kept. Errors are of type *Error.
func ParseCondition(text string) (Condition, error) {
	s := newScanner(text)
	c, err := s.condition()
	if err != nil {
		return Condition{}, err
	}
	return c, nil
}

func (s *scanner) condition() (c Condition, err *Error) {
	if s.done() {
		return c, s.fail(s.pos, `a condition such as "> 80% for 5 minutes"`)
	}
	if c.Metric, err = s.metric(); err != nil {
		return c, err
	}
	if c.Op, err = s.op(true); err != nil {
		return c, err
	}
	s.space()
	q, err := s.quantity()
	if err != nil {
		return c, err
	}
	c.Value, c.Unit = q.Value, q.Unit
	if err = s.qualifier(&c); err != nil {
		return c, err
	}
	if s.done() {
		return c, nil
	}
	at := s.pos
	if !s.keyword("for") {
		return c, s.fail(at, `one of "used", "of", "deviation from", "drop from", "rise from", "for" or the end`)
	}
	c.For, err = s.duration()
	return c, err
}

func (s *scanner) metric() (string, *Error) {
	start := s.pos
	if !isLetter(firstRune(s.text[start:s.end])) && s.peek() != '_' {
		return "", nil
	}
	name := s.take(isWordPart)
	s.space()
	if s.pos >= s.end || !strings.ContainsRune("<>=!≥≤~", firstRune(s.text[s.pos:s.end])) {
		return "", s.fail(s.pos, "an operator after the metric, "+wantOp)
	}
	return name, nil
}

// isQualifier reports whether word begins something other than a unit.
func isQualifier(word string) bool {
	switch strings.ToLower(word) {
	case "used", "of", "deviation", "drop", "rise", "increase", "for":
		return true
	}
	return false
}

func (s *scanner) qualifier(c *Condition) *Error {
	s.space()
	start := s.pos
	switch {
	case s.keyword("used"):
		return nil
	case s.keyword("of"):
		c.Mode = RatioOf
	case s.keyword("deviation"):
		c.Mode = Deviation
	case s.keyword("drop"):
		c.Mode = Drop
	case s.keyword("rise"), s.keyword("increase"):
		c.Mode = Rise
	default:
		return nil
	}
	if c.Mode != RatioOf && !s.keyword("from") {
		return s.fail(s.pos, `"from" and a reference such as baseline`)
	}
	if u, ok := lookupUnit(c.Unit); !ok || u.family != Share || u.size != 1 {
		return s.fail(start, "a percentage before a reference, such as 80% of max pool")
	}
	var ref []string
	for !s.done() {
		save := s.pos
		if s.keyword("for") {
			s.pos = save
			break
		}
		word := s.take(isWordPart)
		if word == "" {
			return s.fail(s.pos, "a reference of letters, digits and _.-:/")
		}
		ref = append(ref, strings.ToLower(word))
	}
	if len(ref) == 0 {
		return s.fail(s.pos, "a reference such as max pool or baseline")
	}
	c.Ref = strings.Join(ref, " ")
	return nil
}

// String returns the canonical text; [ParseCondition] of it gives c again.
func (c Condition) String() string {
	var b strings.Builder
	if c.Metric != "" {
		b.WriteString(c.Metric)
		b.WriteByte(' ')
	}
	b.WriteString(c.Op.String())
	b.WriteByte(' ')
	b.WriteString(Quantity{c.Value, c.Unit}.String())
	switch c.Mode {
	case Value:
	case RatioOf:
		b.WriteString(" of ")
	case Deviation:
		b.WriteString(" deviation from ")
	case Drop:
		b.WriteString(" drop from ")
	case Rise:
		b.WriteString(" rise from ")
	}
	b.WriteString(c.Ref)
	if c.For > 0 {
		b.WriteString(" for ")
		b.WriteString(FormatDuration(c.For))
	}
	return b.String()
}
