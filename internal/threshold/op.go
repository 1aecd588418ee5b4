package threshold

import "fmt"

// Op is a comparison. The zero value means "not set".
type Op uint8

// The comparisons.
const (
	Greater Op = iota + 1
	GreaterEqual
	Less
	LessEqual
	Equal
	NotEqual
)

var opTexts = [...]string{Greater: ">", GreaterEqual: ">=", Less: "<", LessEqual: "<=", Equal: "==", NotEqual: "!="}

// ParseOp reads one of > >= < <= == !=.
func ParseOp(text string) (Op, error) {
	for op, t := range opTexts {
		if t == text && op > 0 {
			return Op(op), nil
		}
	}
	return 0, errorAt(text, 0, wantOp)
}

const wantOp = "one of > >= < <= == !="

// String returns the operator as written, such as ">=".
func (o Op) String() string {
	if o == 0 || int(o) >= len(opTexts) {
		return fmt.Sprintf("Op(%d)", uint8(o))
	}
	return opTexts[o]
}

// MarshalText returns the operator; the zero value is an error.
func (o Op) MarshalText() ([]byte, error) {
	if o == 0 || int(o) >= len(opTexts) {
		return nil, fmt.Errorf("operator %d is not set, want %s", uint8(o), wantOp)
	}
	return []byte(opTexts[o]), nil
}

// UnmarshalText reads what [ParseOp] reads.
func (o *Op) UnmarshalText(b []byte) error {
	v, err := ParseOp(string(b))
	if err != nil {
		return err
	}
	*o = v
	return nil
}

// Holds reports whether the comparison is true of two numbers that compare as
// cmp: negative for left < right, zero for equal, positive for left > right.
func (o Op) Holds(cmp int) bool {
	switch o {
	case Greater:
		return cmp > 0
	case GreaterEqual:
		return cmp >= 0
	case Less:
		return cmp < 0
	case LessEqual:
		return cmp <= 0
	case Equal:
		return cmp == 0
	case NotEqual:
		return cmp != 0
	}
	return false
}

// op scans an operator; without one it is an error if required, else 0.
func (s *scanner) op(required bool) (Op, *Error) {
	s.space()
	start := s.pos
	text := s.take(func(r rune) bool {
		return r == '<' || r == '>' || r == '=' || r == '!' || r == '≥' || r == '≤' || r == '~'
	})
	if text == "" && !required {
		return 0, nil
	}
	op, err := ParseOp(text)
	if err != nil {
		return 0, s.fail(start, wantOp)
	}
	return op, nil
}
