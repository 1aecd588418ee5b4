package forecast

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrIrregular reports points that are not a fixed step apart; [Resample] makes
	// them so.
	ErrIrregular = errors.New("forecast: points are not a fixed step apart")
	// ErrNoSeason reports a series without the season that was asked for.
	ErrNoSeason = errors.New("forecast: no season")
	// ErrTooShort reports a series with fewer values than a model needs.
	ErrTooShort = errors.New("forecast: too few values")
	// ErrNotPositive reports values of 0 or less where they would be divided by.
	ErrNotPositive = errors.New("forecast: values must be positive")
)

// ValueError reports a value that cannot be used: an infinity, or one beyond
// ±1e150, whose square would be none.
type ValueError struct {
	// Index counts from 0.
	Index int
	At    time.Time
	Value float64
}

// Error says what was found and what is wanted.
func (e *ValueError) Error() string {
	return fmt.Sprintf("forecast: value %d at %s is %v, want a finite number of at most 1e150, or NaN for none", e.Index, e.At.Format(time.RFC3339), e.Value)
}

// OptionError reports an argument outside its range.
type OptionError struct {
	// Option names the field or argument.
	Option string
	// Value is what it held.
	Value any
	// Want describes what is accepted.
	Want string
}

// Error says what was found and what is wanted.
func (e *OptionError) Error() string {
	return fmt.Sprintf("forecast: %s is %v, want %s", e.Option, e.Value, e.Want)
}
