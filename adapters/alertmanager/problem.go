package alertmanager

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is something about a file that is wrong.
type Problem struct {
	File string `json:"file"`
	Line int    `json:"line"` // from 1
	Col  int    `json:"col"`  // from 1, in characters
	// Path leads to the value: keys joined by a point, list items as [n] from 0.
	Path       string `json:"path"`
	Code       string `json:"code"` // stable, see [ParseConfig]
	Text       string `json:"text"` // what was found and what is wanted
	Suggestion string `json:"suggestion,omitempty"`
}

// String returns the line that people see: "file:line:col: path: text".
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", p.File, p.Line, p.Col)
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Text)
	if p.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", p.Suggestion)
	}
	return b.String()
}

// Errors are all problems of a file, sorted by line and column.
type Errors []Problem

// Error joins the problems, one line each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// sort orders problems as they stand in the file.
func (e Errors) sort() {
	slices.SortStableFunc(e, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Text, b.Text))
	})
}
