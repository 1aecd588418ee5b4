package incident

import (
	"fmt"
	"slices"
	"strings"
)

// Level is how far an impact reaches, or how soon it has to end. The zero value
// means "not set".
type Level uint8

// The levels.
const (
	LowLevel Level = iota + 1
	MediumLevel
	HighLevel
)

var levelNames = [...]string{LowLevel: "low", MediumLevel: "medium", HighLevel: "high"}

// String returns "low", "medium", "high", "unset" for the zero value, and
// "Level(n)" for anything else.
func (l Level) String() string {
	switch {
	case l == 0:
		return "unset"
	case int(l) >= len(levelNames):
		return fmt.Sprintf("Level(%d)", uint8(l))
	}
	return levelNames[l]
}

// MarshalText writes "low", "medium" or "high", and empty text for the zero value.
func (l Level) MarshalText() ([]byte, error) {
	if l == 0 {
		return nil, nil
	}
	return []byte(l.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (l *Level) UnmarshalText(text []byte) error {
	i := slices.Index(levelNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("parse level %q: want one of %s", text, strings.Join(levelNames[LowLevel:], ", "))
	}
	*l = Level(i)
	return nil
}

// PriorityMatrix says which severity an impact and an urgency make together.
type PriorityMatrix map[Level]map[Level]Severity // by impact, then by urgency

// DefaultPriorityMatrix returns the matrix of ITIL service desks, in which both
// count alike (ITIL Service Operation 2011, section 4.2.5.4; there the corner of low
// and low is a fifth priority, here it is P4). The caller may change it.
func DefaultPriorityMatrix() PriorityMatrix {
	return PriorityMatrix{
		HighLevel:   {HighLevel: P1, MediumLevel: P2, LowLevel: P3},
		MediumLevel: {HighLevel: P2, MediumLevel: P3, LowLevel: P4},
		LowLevel:    {HighLevel: P3, MediumLevel: P4, LowLevel: P4},
	}
}

// Severity returns the severity of an impact and an urgency; ok is false if the
// matrix has none for them.
func (m PriorityMatrix) Severity(impact, urgency Level) (s Severity, ok bool) {
	s = m[impact][urgency]
	return s, s.IsSet()
}
