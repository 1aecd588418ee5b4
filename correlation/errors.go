package correlation

import (
	"fmt"
	"strings"
)

// RuleError reports a problem in the text or the settings of a rule.
type RuleError struct {
	Rule       string // name of the rule, or # and its position from 0 if it has none; empty from Parse
	Line       int    // position in the text, from 1; 0: not about the text
	Column     int    // in characters, from 1
	Value      string // what stands there; empty at the end of the text
	Want       string // what was expected
	Suggestion string // a likely correction, or empty
}

// Error returns rule, position, finding and expectation on one line.
func (e *RuleError) Error() string {
	var b strings.Builder
	if e.Rule != "" {
		fmt.Fprintf(&b, "rule %q: ", e.Rule)
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d: ", e.Line, e.Column)
	}
	if e.Value == "" && e.Line > 0 {
		b.WriteString("end of the text")
	} else {
		fmt.Fprintf(&b, "%q", e.Value)
	}
	b.WriteString(": want ")
	b.WriteString(e.Want)
	if e.Suggestion != "" {
		fmt.Fprintf(&b, "; did you mean %q?", e.Suggestion)
	}
	return b.String()
}

// OptionError reports an option outside its range, of this package or of one below it.
type OptionError struct {
	Option string // name of the field
	Value  any    // what it held
	Want   string // what is accepted
}

// Error says what was found and what is wanted.
func (e *OptionError) Error() string {
	if text, ok := e.Value.(string); ok {
		return fmt.Sprintf("option %s is %q, want %s", e.Option, text, e.Want)
	}
	return fmt.Sprintf("option %s is %+v, want %s", e.Option, e.Value, e.Want)
}

// closest returns the candidate within two edits of word, compared without
// case, or nothing. Of several the closest wins, then the first.
func closest(word string, candidates []string) string {
	best, distance := "", 3
	for _, c := range candidates {
		if d := editDistance(strings.ToLower(word), strings.ToLower(c), distance); d < distance && d < len(c) {
			best, distance = c, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance of two texts, or limit if it is not
// smaller.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return min(row[len(b)], limit)
}
