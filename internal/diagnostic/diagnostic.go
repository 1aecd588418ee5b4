// Package diagnostic is how readers of files say what is wrong and where, all of it
// at once: "file:line:col: path: text (did you mean ...)".
package diagnostic

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Diagnostic is one thing about a file that is wrong or can be read in more than one
// way.
type Diagnostic struct {
	File       string `json:"-"`    // JSON groups by file instead
	Line       int    `json:"line"` // from 1
	Column     int    `json:"col"`  // from 1, in characters
	Severity   string `json:"severity"`
	Path       string `json:"path"`    // keys joined by a point, list items as [n] from 0; "" for the whole
	Code       string `json:"code"`    // stable, listed by the reader
	Message    string `json:"message"` // what was found and what is wanted, or how it was read
	Suggestion string `json:"suggestion,omitempty"`
}

// Join returns the path of a key below another path, which is "" for the whole.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// The severities of a [Diagnostic].
const (
	Error   = "error"
	Warning = "warning"
)

// String returns the line that people see: "file:line:col: path: message".
func (d Diagnostic) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", d.File, d.Line, d.Column)
	if d.Path != "" {
		b.WriteString(d.Path + ": ")
	}
	b.WriteString(d.Message)
	if d.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", d.Suggestion)
	}
	return b.String()
}

// Errors are diagnostics as one error.
type Errors []Diagnostic

// Error joins the diagnostics, one line each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, d := range e {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// Sort orders the diagnostics of a file as they stand in it: by line, column, code and
// path. Those that have all of them in common stay in their order.
func (e Errors) Sort() {
	slices.SortStableFunc(e, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Path, b.Path))
	})
}
