package threshold

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// scanner walks over one text. end lets a caller hide a tail of the text and
// still report columns of the whole.
type scanner struct {
	text string
	pos  int
	end  int
}

func newScanner(text string) *scanner { return &scanner{text: text, end: len(text)} }

func (s *scanner) fail(pos int, want string) *Error { return errorAt(s.text, pos, want) }

func (s *scanner) space() {
	for s.pos < s.end {
		r, n := utf8.DecodeRuneInString(s.text[s.pos:s.end])
		if !unicode.IsSpace(r) {
			return
		}
		s.pos += n
	}
}

func (s *scanner) done() bool {
	s.space()
	return s.pos >= s.end
}

func (s *scanner) peek() byte {
	if s.pos >= s.end {
		return 0
	}
	return s.text[s.pos]
}

// take returns the longest run of characters that ok accepts.
func (s *scanner) take(ok func(r rune) bool) string {
	start := s.pos
	for s.pos < s.end {
		r, n := utf8.DecodeRuneInString(s.text[s.pos:s.end])
		if !ok(r) {
			break
		}
		s.pos += n
	}
	return s.text[start:s.pos]
}

// keyword consumes word, in any case, if it is the next whole word.
func (s *scanner) keyword(word string) bool {
	s.space()
	save := s.pos
	if strings.EqualFold(s.take(isLetter), word) && (s.pos == s.end || !isWordPart(rune(s.text[s.pos]))) {
		return true
	}
	s.pos = save
	return false
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == 'µ' || r == 'μ'
}

// isWordPart reports whether r may stand inside a name.
func isWordPart(r rune) bool {
	return isLetter(r) || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '-' || r == ':' || r == '/'
}
