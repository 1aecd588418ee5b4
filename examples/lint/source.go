package main

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// withSecrets are the kinds of files that may hold secrets, a line of which is not shown.
var withSecrets = []string{"", "bridge", "journeys", "portal"}

// secretive finds lines of other files that may hold one.
var secretive = regexp.MustCompile(`(?i)secret|pass|token|bearer|authorization|credential|_key|apikey|hook|sinks|://`)

// widest is how many characters of a line are shown, longest how many bytes one has that
// is looked at.
const (
	widest  = 100
	longest = 1 << 14
)

// source is a file of which lines are shown; none if it has no lines.
type source struct {
	lines  []string
	hidden []bool // of each line whether it may hold a secret, or be part of one
}

// newSource splits a file of a kind into lines.
func newSource(kind string, data []byte) *source {
	if slices.Contains(withSecrets, kind) {
		return &source{}
	}
	s := &source{lines: strings.Split(string(data), "\n")}
	type level struct {
		depth  int
		hidden bool
	}
	var above []level // the lines that the next one is a part of
	for _, line := range s.lines {
		text := strings.TrimLeft(line, " \t")
		depth := 2 * (len(line) - len(text))
		switch {
		case strings.TrimSpace(text) == "":
			depth = math.MaxInt // a part of whatever is above
		case text[0] == '-':
			depth++ // may stand as far left as the key above
		}
		for len(above) > 0 && above[len(above)-1].depth >= depth {
			above = above[:len(above)-1]
		}
		hidden := len(above) > 0 && above[len(above)-1].hidden || secretive.MatchString(text)
		above = append(above, level{depth, hidden})
		s.hidden = append(s.hidden, hidden)
	}
	return s
}

// excerpt returns a line and a caret below one of its columns, each indented by two
// blanks; "" where the line cannot be shown.
func (s *source) excerpt(line, col int) string {
	if line < 1 || line > len(s.lines) || col < 1 || s.hidden[line-1] || len(s.lines[line-1]) > longest {
		return ""
	}
	text := []rune(strings.TrimRight(strings.TrimPrefix(s.lines[line-1], "\ufeff"), " \t\r"))
	if col > len(text)+1 || len(text) == 0 {
		return ""
	}
	at := col - 1
	var before, after string
	if at > widest/2 {
		from := at - widest/2
		text, at, before = text[from:], at-from, "…"
	}
	if len(text) > widest {
		text, after = text[:widest], "…"
	}
	var shown, below strings.Builder
	for i, r := range text {
		blank := " "
		switch {
		case r == '\t':
			blank = "\t"
		case unicode.In(r, unicode.Mn, unicode.Me):
			blank = ""
		case !unicode.IsPrint(r):
			r = '�' // nothing of a file reaches the terminal as a command
		case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana):
			blank = "  "
		}
		shown.WriteRune(r)
		if i < at {
			below.WriteString(blank)
		}
	}
	return "  " + before + shown.String() + after + "\n  " + strings.Repeat(" ", len([]rune(before))) + below.String() + "^\n"
}
