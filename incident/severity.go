package incident

import (
	"cmp"
	"fmt"
	"strings"
)

// Severity ranks an incident from P1 (service down) to P4 (cosmetic). The
// zero value means "not set"; it is less severe than any other.
//
// The numbers are those of the names, so a smaller number is more severe: use
// [Severity.AtLeast] and [Severity.Compare] rather than < and >.
type Severity uint8

// The four severities, as ITIL service desks and PagerDuty priorities count
// them.
const (
	P1 Severity = iota + 1 // critical: the service is down
	P2                     // high: degraded, a major function is impaired
	P3                     // medium: a minor function is impaired
	P4                     // low: cosmetic or informational
)

// Severities lists P1 to P4, most severe first.
var Severities = [...]Severity{P1, P2, P3, P4}

var severityWords = [...]string{P1: "critical", P2: "high", P3: "medium", P4: "low"}

// ParseSeverity reads a severity in any usual spelling, in any case: "p1",
// "critical", "p1_critical" or "p1-critical", and so on for high, medium and
// low. Empty text and contradictions ("p1_low") are errors of type
// [*SeverityError].
func ParseSeverity(text string) (Severity, error) {
	if len(text) == 2 && text[0]|0x20 == 'p' && '1' <= text[1] && text[1] <= '4' { // as nearly all are
		return Severity(text[1] - '0'), nil
	}
	plain := strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(text))
	for _, s := range Severities {
		number, word := fmt.Sprintf("p%d", s), severityWords[s]
		if plain == number || plain == word || plain == number+"_"+word {
			return s, nil
		}
	}
	return 0, &SeverityError{Text: text}
}

// SeverityError reports text that names no severity.
type SeverityError struct {
	Text string
}

// Error says what was found and what is accepted.
func (e *SeverityError) Error() string {
	return fmt.Sprintf("parse severity %q: want P1 to P4, critical, high, medium or low", e.Text)
}

// IsSet reports whether s is one of P1 to P4.
func (s Severity) IsSet() bool { return s >= P1 && s <= P4 }

// Compare returns +1 if s is more severe than t, -1 if it is less severe, and 0
// if they are equal. An unset severity is less severe than P4.
func (s Severity) Compare(t Severity) int { return cmp.Compare(s.rank(), t.rank()) }

// AtLeast reports whether s is as severe as t or more: P1.AtLeast(P2) is true.
func (s Severity) AtLeast(t Severity) bool { return s.Compare(t) >= 0 }

// known returns s, or the zero value if s is none of P1 to P4.
func (s Severity) known() Severity {
	if !s.IsSet() {
		return 0
	}
	return s
}

func (s Severity) rank() int {
	if !s.IsSet() {
		return 0
	}
	return int(P4-s) + 1
}

// String returns "P1" to "P4", "unset" for the zero value, and
// "Severity(n)" for anything else.
func (s Severity) String() string {
	switch {
	case s.IsSet():
		return fmt.Sprintf("P%d", uint8(s))
	case s == 0:
		return "unset"
	}
	return fmt.Sprintf("Severity(%d)", uint8(s))
}

// Word returns "critical", "high", "medium" or "low", and "" when s is not set.
func (s Severity) Word() string {
	if !s.IsSet() {
		return ""
	}
	return severityWords[s]
}

// MarshalText writes "P1" to "P4", and empty text for the zero value.
func (s Severity) MarshalText() ([]byte, error) {
	switch {
	case s.IsSet():
		return []byte(s.String()), nil
	case s == 0:
		return nil, nil
	}
	return nil, &SeverityError{Text: s.String()}
}

// UnmarshalText reads what [ParseSeverity] reads; empty text is the zero value.
func (s *Severity) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = 0
		return nil
	}
	parsed, err := ParseSeverity(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}
