package openslo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/slo"
)

// Finding is something about a file that is wrong (slo.Error) or can be read in
// more than one way (slo.Warning).
type Finding struct {
	Level slo.Level `json:"level"`
	File  string    `json:"file"`
	Line  int       `json:"line"` // from 1
	Col   int       `json:"col"`  // from 1, in characters
	// Path leads to the value within its document: keys joined by a point, list
	// items as [n] from 0, as the file spells them.
	Path       string `json:"path"`
	Code       string `json:"code"` // stable, see [Parse]
	Text       string `json:"text"` // what was found and what is wanted, or how it was read
	Suggestion string `json:"suggestion,omitempty"`
}

// String returns the line that people see: "file:line:col: path: text".
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", f.File, f.Line, f.Col)
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Text)
	if f.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", f.Suggestion)
	}
	return b.String()
}

// Errors are all errors of one or more files, sorted by file, line and column.
type Errors []Finding

// Error joins the findings, one line each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, f := range e {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// sortFindings orders findings as they stand in the files, which come in the
// order of their numbers.
func sortFindings(list []Finding, files map[string]int) {
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(files[a.File], files[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Path, b.Path))
	})
}
