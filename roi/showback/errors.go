package showback

import (
	"errors"
	"fmt"
	"strings"
)

// Conditions that a caller may branch on with errors.Is.
var (
	// ErrNegativeUsage means that a usage row has fewer than zero units.
	ErrNegativeUsage = errors.New("negative usage")
	// ErrNoUsage means that a key finds nothing to divide by: its usage or its
	// weights add up to zero, and it has no fallback.
	ErrNoUsage = errors.New("nothing to divide by")
	// ErrNoRate means that no exchange rate is given for a pair of currencies in
	// a month.
	ErrNoRate = errors.New("no exchange rate")
	// ErrUnchanged means that a revision would differ in nothing.
	ErrUnchanged = errors.New("nothing has changed")
	// ErrDisputed means that an invoice is in dispute and cannot go on.
	ErrDisputed = errors.New("in dispute")
)

// FieldError reports one field that cannot be used.
type FieldError struct {
	Path  string // such as "items[2].price"
	Value string // what is there
	Want  string // what would be accepted
	Err   error  // the condition, where there is one of this package or of money; else nil
}

// Error names the field, the value and what is accepted.
func (e *FieldError) Error() string {
	text := fmt.Sprintf("%s %q: want %s", e.Path, e.Value, e.Want)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the condition.
func (e *FieldError) Unwrap() error { return e.Err }

// CycleError reports items that depend on each other, or pools that pass their cost
// on to each other; with Options.Reciprocal, pools that pass all of it to each other.
type CycleError struct {
	Path []string // from the first name back to it: a, b, a
}

// Error shows the way round.
func (e *CycleError) Error() string { return "cycle: " + strings.Join(e.Path, " -> ") }

// problems collects what is wrong with an input.
type problems []error

// add notes that the value of a field cannot be used; cause may be nil.
func (p *problems) add(path string, value any, want string, cause error) {
	*p = append(*p, &FieldError{Path: path, Value: fmt.Sprint(value), Want: want, Err: cause})
}

// join returns all problems as one error, nil without any.
func (p problems) join() error { return errors.Join(p...) }
