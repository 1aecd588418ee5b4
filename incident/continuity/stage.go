package continuity

import "fmt"

// Stage is one of the four environments that an update passes (DTAP). The zero
// value means "not set"; the numbers are in the order of the way.
type Stage uint8

// The stages.
const (
	Development Stage = iota + 1
	Testing
	Acceptance
	Production
)

var stageNames = [...]string{Development: "development", Testing: "testing", Acceptance: "acceptance", Production: "production"}

// IsSet reports whether s is one of the four stages.
func (s Stage) IsSet() bool { return s >= Development && s <= Production }

// String returns "development", "testing", "acceptance" or "production", "unset" for
// the zero value and "Stage(n)" for anything else.
func (s Stage) String() string {
	switch {
	case s.IsSet():
		return stageNames[s]
	case s == 0:
		return "unset"
	}
	return fmt.Sprintf("Stage(%d)", uint8(s))
}

const wantStage = "development, testing, acceptance or production"

// MarshalText writes the name, and empty text for the zero value.
func (s Stage) MarshalText() ([]byte, error) {
	switch {
	case s.IsSet():
		return []byte(s.String()), nil
	case s == 0:
		return nil, nil
	}
	return nil, &RecordError{Path: "stage", Value: s.String(), Want: wantStage}
}

// UnmarshalText reads a name; empty text is the zero value.
func (s *Stage) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = 0
		return nil
	}
	for stage := Development; stage <= Production; stage++ {
		if stageNames[stage] == string(text) {
			*s = stage
			return nil
		}
	}
	return &RecordError{Path: "stage", Value: string(text), Want: wantStage}
}
