// Package spelling finds what was probably meant by a misspelt word.
package spelling

import "strings"

// Nearest returns the candidate within two edits of the text, or the first one that
// differs in case only; "" if there is none, or if either has no more letters than
// edits. Of equally near ones it is the first.
func Nearest(text string, candidates []string) string {
	best, distance := "", limit
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

// limit is the number of edits that make another word.
const limit = 3

// edits is the Levenshtein distance of a and b in bytes, or limit if it is not less.
func edits(a, b string) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
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
	return min(row[len(b)], limit)
}
