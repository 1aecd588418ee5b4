package iforest

import (
	"errors"
	"fmt"
)

// ErrNoRows reports a table without a row or without a column.
var ErrNoRows = errors.New("iforest: table is empty, want at least one row and one column")

// OptionError reports an option outside its range.
type OptionError struct {
	// Option is the name of the field in [Options].
	Option string
	// Value is what the field held.
	Value any
	// Want describes the accepted range.
	Want string
}

// Error says what was found and what is wanted.
func (e *OptionError) Error() string {
	return fmt.Sprintf("iforest: option %s is %v, want %s", e.Option, e.Value, e.Want)
}

// RowError reports a row with the wrong number of cells.
type RowError struct {
	// Row counts from 0; it is 0 when a single row was scored.
	Row int
	// Value and Want are numbers of cells.
	Value, Want int
}

// Error says what was found and what is wanted.
func (e *RowError) Error() string {
	return fmt.Sprintf("iforest: row %d has %d cells, want %d", e.Row, e.Value, e.Want)
}

// ValueError reports a cell that is NaN, infinite or too large for a float32.
type ValueError struct {
	// Row and Column count from 0; Row is 0 when a single row was scored.
	Row, Column int
	// Value is the offending cell.
	Value float64
}

// Error says what was found and what is wanted.
func (e *ValueError) Error() string {
	return fmt.Sprintf("iforest: row %d column %d is %v, want a finite number within float32", e.Row, e.Column, e.Value)
}

// FormatError reports a [Model] that is not a forest.
type FormatError struct {
	// Path names the place, such as "trees[3].left[7]".
	Path string
	// Problem says what is wrong there and what was expected.
	Problem string
	// Err is the underlying error, nil unless the JSON itself is broken.
	Err error
}

// Error says what was found and what is wanted.
func (e *FormatError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("iforest: model: %s: %s: %v", e.Path, e.Problem, e.Err)
	}
	return fmt.Sprintf("iforest: model: %s: %s", e.Path, e.Problem)
}

// Unwrap returns the underlying error, if any.
func (e *FormatError) Unwrap() error { return e.Err }
