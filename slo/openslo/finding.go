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

// nearest returns the candidate within two edits of the text, or one that differs
// in case only; "" if there is none. Of equally near ones it is the first.
func nearest(text string, candidates []string) string {
	best, distance := "", 3
	for _, c := range candidates {
		if c != text && strings.EqualFold(c, text) {
			return c
		}
		if d := edits(text, c); d < distance && d < len(text) && d < len(c) {
			best, distance = c, d
		}
	}
	return best
}

// edits is the Levenshtein distance of a and b, or 3 if it is not less.
func edits(a, b string) int {
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return min(row[len(b)], 3)
}
