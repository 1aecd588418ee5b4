package escalation

import (
	"errors"
	"fmt"
)

// ConfigError reports one value of a roster, schedule, centre, matrix or query that
// cannot be used. Constructors report all of them at once, joined.
type ConfigError struct {
	Path  string // such as "engineers[2].availability_hours[0].from"
	Value string
	Want  string
	Err   error // the cause beneath, where there is one
}

// Error names path, value and what was expected.
func (e *ConfigError) Error() string {
	text := fmt.Sprintf("escalation: %s %q: want %s", e.Path, e.Value, e.Want)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause beneath, or nil.
func (e *ConfigError) Unwrap() error { return e.Err }

// problems collects what is wrong below one place of a configuration. The zero
// value collects nothing at the root; at derives collectors for places below.
type problems struct {
	path string
	list *[]error
}

func newProblems() problems { return problems{list: new([]error)} }

func (p problems) at(format string, args ...any) problems {
	step := fmt.Sprintf(format, args...)
	if p.path != "" && step[0] != '[' {
		step = "." + step
	}
	return problems{path: p.path + step, list: p.list}
}

func (p problems) add(value, want string) { p.wrap(value, want, nil) }

func (p problems) wrap(value, want string, cause error) {
	*p.list = append(*p.list, &ConfigError{Path: p.path, Value: value, Want: want, Err: cause})
}

func (p problems) err() error { return errors.Join(*p.list...) }
