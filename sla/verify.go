package sla

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// ErrOtherContract means that a statement was made under another contract, or
// another version of it.
var ErrOtherContract = errors.New("sla: statement of another contract")

// ErrOtherEvidence means that a statement was made from other evidence.
var ErrOtherEvidence = errors.New("sla: statement from other evidence")

// Difference is a value of a statement that does not follow from its inputs.
type Difference struct {
	Path    string `json:"path"`    // in the JSON of the statement, such as "lines[2].amount"
	Stated  string `json:"stated"`  // "" if the statement lacks it
	Derived string `json:"derived"` // "" if it should not be there
}

// String names the path and both values.
func (d Difference) String() string {
	return fmt.Sprintf("%s: stated %q, derived %q", d.Path, d.Stated, d.Derived)
}

// DifferenceError reports a statement that says something else than [Evaluate]
// does for its inputs.
type DifferenceError struct {
	Contract    string
	Period      string // its label
	Differences []Difference
}

// Error lists the first differences and says how many more there are.
func (e *DifferenceError) Error() string {
	const most = 5
	var b strings.Builder
	fmt.Fprintf(&b, "sla: statement %q %q does not follow from its inputs: ", e.Contract, e.Period)
	for i, d := range e.Differences {
		if i == most {
			fmt.Fprintf(&b, ", and %d more", len(e.Differences)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(d.String())
	}
	return b.String()
}

// Verify evaluates the contract anew and returns nil if the statement is what
// comes out, to the last figure. A statement that was stored as JSON verifies as
// well as a fresh one.
//
// Other inputs than those that the statement names are [ErrOtherContract] and
// [ErrOtherEvidence], and then nothing is evaluated; figures that do not follow
// from the right ones are a [*DifferenceError]. Other errors are those of
// [Contract.Digest], [Evidence.Digest] and [Evaluate]. The comparison costs about
// as much as Evaluate.
func (s Statement) Verify(c Contract, e Evidence) error {
	contract, err := c.Digest()
	if err != nil {
		return err
	}
	evidence, err := e.Digest()
	if err != nil {
		return err
	}
	var other []error
	if contract != s.Inputs.Contract {
		other = append(other, fmt.Errorf("%w: it names %q, %q has %q", ErrOtherContract, s.Inputs.Contract, c.ID, contract))
	}
	if evidence != s.Inputs.Evidence {
		other = append(other, fmt.Errorf("%w: it names %q, this has %q", ErrOtherEvidence, s.Inputs.Evidence, evidence))
	}
	if len(other) > 0 {
		return errors.Join(other...)
	}
	derived, err := Evaluate(c, s.Inputs.Period, e)
	if err != nil {
		return err
	}
	differences := s.differences(derived)
	if len(differences) == 0 {
		return nil
	}
	return &DifferenceError{Contract: s.Contract, Period: s.Period.Label, Differences: differences}
}

// differences lists what a statement says differently, in the order of its JSON.
func (s Statement) differences(derived Statement) (out []Difference) {
	c := comparison{report: func(at place, stated, derived reflect.Value) {
		out = append(out, Difference{Path: at.path, Stated: textOfValue(stated), Derived: textOfValue(derived)})
	}}
	c.walk(place{}, reflect.ValueOf(s), reflect.ValueOf(derived))
	return out
}
