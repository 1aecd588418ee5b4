package anomaly

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrUnknownService reports a service without a detector in a [Registry].
	ErrUnknownService = errors.New("anomaly: no model trained for this service")
	// ErrTooFewRows reports a history too short to learn from.
	ErrTooFewRows = errors.New("anomaly: too few rows")
	// ErrNoSeason reports a series that no cycle explains well enough.
	ErrNoSeason = errors.New("anomaly: no season")
)

// SchemaError reports names that do not fit the schema, all of them at once.
type SchemaError struct {
	// Missing names are in the schema and were not given, Unknown ones were given
	// and are not in it, Duplicate ones were given twice. Each list is sorted.
	Missing, Unknown, Duplicate []string
}

// Error says what was found and what is wanted.
func (e *SchemaError) Error() string {
	var parts []string
	for _, list := range []struct {
		what  string
		names []string
	}{{"missing", e.Missing}, {"unknown", e.Unknown}, {"duplicate", e.Duplicate}} {
		if len(list.names) > 0 {
			parts = append(parts, fmt.Sprintf("%s %q", list.what, list.names))
		}
	}
	return "anomaly: features do not fit the schema: " + strings.Join(parts, ", ")
}

// ValueError reports a value that cannot be used: an infinity, NaN where a
// missing value is not allowed, a value above 1e150 in a history, or one too
// large for the forest of Compat.
type ValueError struct {
	Feature string
	// Row is the row of the history counted from 0, or -1 in a reading.
	Row   int
	Value float64
}

// Error says what was found and what is wanted.
func (e *ValueError) Error() string {
	if e.Row < 0 {
		return fmt.Sprintf("anomaly: feature %q is %v, want a finite number", e.Feature, e.Value)
	}
	return fmt.Sprintf("anomaly: feature %q in row %d is %v, want a finite number of at most 1e150", e.Feature, e.Row, e.Value)
}

// RowError reports a row of a history with the wrong number of values.
type RowError struct {
	// Row counts from 0; Value and Want are numbers of values.
	Row, Value, Want int
}

// Error says what was found and what is wanted.
func (e *RowError) Error() string {
	return fmt.Sprintf("anomaly: row %d of the history has %d values, want %d", e.Row, e.Value, e.Want)
}

// FormatError reports bytes that are neither a detector nor a collector.
type FormatError struct {
	// Offset counts bytes from the start; the problem is there or a little after.
	Offset int
	// Version is that of the bytes, 0 if it was not read.
	Version int
	// Problem says what is wrong and what was expected.
	Problem string
	// Err is the underlying error, nil if there is none.
	Err error
}

// Error says what was found and what is wanted.
func (e *FormatError) Error() string {
	return fmt.Sprintf("anomaly: binary form of version %d: byte %d: %s", e.Version, e.Offset, e.Problem)
}

// Unwrap returns the underlying error, if any.
func (e *FormatError) Unwrap() error { return e.Err }

// OptionError reports an option or a part of a schema outside its range.
type OptionError struct {
	// Option names the field.
	Option string
	// Value is what it held.
	Value any
	// Want describes what is accepted.
	Want string
}

// Error says what was found and what is wanted.
func (e *OptionError) Error() string {
	return fmt.Sprintf("anomaly: option %s is %v, want %s", e.Option, e.Value, e.Want)
}
