package slo

import (
	"fmt"
	"strings"
)

// State says how much is left of an error budget. The zero value means "not
// evaluated".
type State uint8

// The states of a budget, in the order of alarm. NoData is none of the others:
// a window without events has neither kept nor missed its objective.
const (
	NoData    State = iota + 1 // no event in the window
	OK                         // budget left
	AtRisk                     // budget left, but a condition of Risk holds
	Exhausted                  // consumed >= 1, also exactly 1
)

var stateNames = [...]string{"", "no_data", "ok", "at_risk", "exhausted"}

// String returns "no_data", "ok", "at_risk", "exhausted" or "unset".
func (s State) String() string {
	switch {
	case s == 0:
		return "unset"
	case int(s) < len(stateNames):
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// MarshalText writes the name, and nothing for the zero value.
func (s State) MarshalText() ([]byte, error) { return marshalName("state", stateNames[:], uint8(s)) }

// UnmarshalText reads a name as String writes it; empty text is the zero value.
func (s *State) UnmarshalText(text []byte) error {
	return unmarshalName("state", stateNames[:], text, (*uint8)(s))
}

// Verdict says whether an objective is met. Its zero value is Undecided, which
// is the answer where there is no data.
type Verdict uint8

// The verdicts. As JSON they are null, true and false.
const (
	Undecided Verdict = iota
	Met               // good/total >= target, also exactly
	Missed
)

var (
	verdictNames = [...]string{"undecided", "met", "missed"}
	verdictJSON  = [...]string{"null", "true", "false"}
)

// String returns "undecided", "met" or "missed".
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return fmt.Sprintf("Verdict(%d)", uint8(v))
}

// MarshalJSON writes null, true or false.
func (v Verdict) MarshalJSON() ([]byte, error) {
	if int(v) >= len(verdictJSON) {
		return nil, fmt.Errorf("verdict %d: want 0 to 2", uint8(v))
	}
	return []byte(verdictJSON[v]), nil
}

// UnmarshalJSON reads null, true or false.
func (v *Verdict) UnmarshalJSON(data []byte) error {
	for i, text := range verdictJSON {
		if string(data) == text {
			*v = Verdict(i)
			return nil
		}
	}
	return &ParseError{What: "verdict", Text: string(data), Want: "null, true or false"}
}

// marshalName and unmarshalName are the text forms of enumerations whose zero
// value is empty text.
func marshalName(what string, names []string, value uint8) ([]byte, error) {
	if int(value) >= len(names) {
		return nil, fmt.Errorf("%s %d: want 0 to %d", what, value, len(names)-1)
	}
	return []byte(names[value]), nil
}

func unmarshalName(what string, names []string, text []byte, value *uint8) error {
	for i, name := range names {
		if string(text) == name {
			*value = uint8(i)
			return nil
		}
	}
	return &ParseError{What: what, Text: string(text), Want: "one of " + strings.TrimLeft(strings.Join(names, ", "), ", ")}
}
