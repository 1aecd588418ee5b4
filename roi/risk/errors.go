package risk

import (
	"errors"
	"fmt"
	"strconv"
)

// Conditions a caller may branch on with errors.Is.
var (
	// ErrNotPositiveDefinite means that no variables have the stated
	// correlations, or only some that depend on each other entirely.
	ErrNotPositiveDefinite = errors.New("correlations are not positive definite")
	// ErrAllRefused means that no scenario could be valued.
	ErrAllRefused = errors.New("no scenario has a value")
)

// InputError is something unusable in what a function is given.
type InputError struct {
	Path  string // such as "impact.revenue_per_hour" or "options.bins"
	Value string
	Want  string
	Err   error // the cause beneath, or nil
}

// Error names the path, the value and what was expected.
func (e *InputError) Error() string {
	text := fmt.Sprintf("%s: %q, want %s", e.Path, e.Value, e.Want)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// NoCrossingError says why no value of an input gives what is wanted.
type NoCrossingError struct {
	Path string // of the input
	Want string // such as "net present value 0"
	Why  string
	// Outside is the value that would, if the input could have it; nil if none
	// would.
	Outside *float64
}

// Error names the input, what was wanted and why it cannot be.
func (e *NoCrossingError) Error() string {
	return e.Path + ": no value gives " + e.Want + ": " + e.Why
}

// number writes a number with all its digits.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
