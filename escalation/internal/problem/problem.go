// Package problem collects what is wrong with a value of a configuration, by path,
// for the packages beside escalation that report it as [escalation.ConfigError].
package problem

import (
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// List collects problems below one place; At derives the lists of places below.
type List struct {
	path string
	all  *[]error
}

// New returns an empty list at the root.
func New() List { return List{all: new([]error)} }

// At returns the list of a place below, such as "training[2]" or "[2]".
func (l List) At(format string, args ...any) List {
	return List{path: l.below(fmt.Sprintf(format, args...)), all: l.all}
}

func (l List) below(step string) string {
	if l.path != "" && step != "" && step[0] != '[' {
		step = "." + step
	}
	return l.path + step
}

// Add notes a value here that cannot be used, and what was expected.
func (l List) Add(value, want string) { l.Wrap(value, want, nil) }

// Wrap is Add with the cause beneath.
func (l List) Wrap(value, want string, cause error) {
	*l.all = append(*l.all, &escalation.ConfigError{Path: l.path, Value: value, Want: want, Err: cause})
}

// Date reads a date as in 2026-04-27, as its midnight in UTC, and notes a text that is
// none.
func (l List) Date(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		l.Add(text, `a date like "2026-04-27"`)
	}
	return at
}

// Join takes over the problems of a value that was checked by itself; nil is none.
func (l List) Join(err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			l.Join(e)
		}
		return
	}
	if bad, ok := errors.AsType[*escalation.ConfigError](err); ok {
		moved := *bad
		moved.Path = l.below(bad.Path)
		*l.all = append(*l.all, &moved)
	}
}

// Err returns all problems of the root and below, joined.
func (l List) Err() error { return errors.Join(*l.all...) }
