package failure

import (
	"errors"
	"fmt"
)

// ErrTooFew reports a history with too few failures, or without any difference
// between them, to learn from.
var ErrTooFew = errors.New("failure: too few different failures")

// ValueError reports a time that cannot be used.
type ValueError struct {
	// Field is the path of the value, such as times[3].
	Field string
	Value float64
	// Want describes what is accepted.
	Want string
}

// Error says what was found and what is wanted.
func (e *ValueError) Error() string {
	return fmt.Sprintf("failure: %s is %v, want %s", e.Field, e.Value, e.Want)
}
