package threshold

import (
	"fmt"
	"unicode/utf8"
)

// Error reports where a text stopped making sense and what was expected
// there. Every parse function of this package returns its problems as *Error.
type Error struct {
	Text   string // the whole text as given
	Column int    // position of the problem in characters, from 1
	Want   string // what was expected there, with a hint where there is one
}

// Error returns the text, the column and the expectation on one line.
func (e *Error) Error() string {
	return fmt.Sprintf("%q, column %d: want %s", e.Text, e.Column, e.Want)
}

// errorAt builds an Error for the byte offset pos of text.
func errorAt(text string, pos int, want string) *Error {
	pos = min(pos, len(text))
	return &Error{Text: text, Column: utf8.RuneCountInString(text[:pos]) + 1, Want: want}
}
