package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Diagnostic is one problem of a file.
type Diagnostic struct {
	File       string `json:"-"`
	Line       int    `json:"line"` // from 1
	Col        int    `json:"col"`  // from 1, in characters
	Severity   string `json:"severity"`
	Path       string `json:"path"` // keys joined by a point, list items as [n] from 0
	Code       string `json:"code"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"`
}

// The severities of a Diagnostic.
const (
	Error   = "error"
	Warning = "warning"
)

// String returns the line that people see.
func (d Diagnostic) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", d.File, d.Line, d.Col)
	if d.Path != "" {
		b.WriteString(d.Path + ": ")
	}
	b.WriteString(d.Message)
	if d.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", d.Suggestion)
	}
	return b.String()
}

// Errors are all problems of a file, sorted by line, column and code.
type Errors []Diagnostic

// Error joins the problems, one line each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, d := range e {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

func (e Errors) sort() {
	slices.SortStableFunc(e, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Path, b.Path))
	})
}
