package stream

import "fmt"

// OptionError reports an option outside its range.
type OptionError struct {
	// Option names the field, Value is what it held, Want what is accepted.
	Option string
	Value  any
	Want   string
}

// Error says what was found and what is wanted.
func (e *OptionError) Error() string {
	return fmt.Sprintf("stream: option %s is %v, want %s", e.Option, e.Value, e.Want)
}
