// Package flat reads objects of JSON as rows of data files have them, ten times as fast
// as the standard library: texts without escapes, numbers, true, false, null, and objects
// of those. What is anything else, right or wrong, is left to the standard library, so
// there is one way to tell what is wrong.
package flat

import (
	"strings"
	"unicode/utf8"
)

// Kind is what a value is.
type Kind uint8

// The kinds.
const (
	Null Kind = iota
	Text
	Number
	Bool
	Object
)

// Value is the value of a key. Its text is that of a text without the quotes, else that
// which stands in the file, and shares the memory of the row.
type Value struct {
	Kind Kind
	Text string
}

// Read reads an object and hands over its keys and values in their order; of an object as
// a value only the extent is known, until Read reads it as well. It reports whether all of
// the text was read: else, or where take does not want a value, the standard library
// should read it from the start.
func Read(text string, take func(key string, v Value) bool) bool {
	s := scanner{text: text}
	if !utf8.ValidString(text) || !s.skip('{') {
		return false
	}
	if s.skip('}') {
		return s.end()
	}
	for {
		key, ok := s.quoted()
		if !ok || !s.skip(':') {
			return false
		}
		v, ok := s.value()
		if !ok || !take(key, v) {
			return false
		}
		if !s.skip(',') {
			return s.skip('}') && s.end()
		}
	}
}

// scanner goes through a text of JSON.
type scanner struct {
	text string
	at   int
}

// blanks leaves out white space.
func (s *scanner) blanks() {
	for s.at < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.at]) >= 0 {
		s.at++
	}
}

// skip goes past a character, if that is what comes next.
func (s *scanner) skip(c byte) bool {
	s.blanks()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) end() bool {
	s.blanks()
	return s.at == len(s.text)
}

// quoted reads a text without escapes.
func (s *scanner) quoted() (string, bool) {
	if !s.skip('"') {
		return "", false
	}
	for i := s.at; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			text := s.text[s.at:i]
			s.at = i + 1
			return text, true
		case c == '\\' || c < ' ':
			return "", false
		}
	}
	return "", false
}

var words = []struct {
	text string
	kind Kind
}{{"true", Bool}, {"false", Bool}, {"null", Null}}

func (s *scanner) value() (Value, bool) {
	s.blanks()
	rest := s.text[s.at:]
	switch {
	case strings.HasPrefix(rest, `"`):
		text, ok := s.quoted()
		return Value{Text, text}, ok
	case strings.HasPrefix(rest, "{"):
		n := objectLen(rest)
		s.at += n
		return Value{Object, rest[:n]}, n > 0
	}
	for _, word := range words {
		if strings.HasPrefix(rest, word.text) {
			s.at += len(word.text)
			return Value{word.kind, word.text}, true
		}
	}
	n := numberLen(rest)
	s.at += n
	return Value{Number, rest[:n]}, n > 0
}

// objectLen is the length of an object that holds no escapes and no objects; 0 if it is
// another one.
func objectLen(text string) int {
	inside := false // of a text
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			return 0
		case c == '"':
			inside = !inside
		case inside:
		case c == '{':
			return 0
		case c == '}':
			return i + 1
		}
	}
	return 0
}

// numberLen is the length of the number with which a text begins, as the grammar of
// JSON has it; 0 if there is none.
func numberLen(text string) int {
	n := 0
	digits := func() bool {
		from := n
		for n < len(text) && '0' <= text[n] && text[n] <= '9' {
			n++
		}
		return n > from
	}
	if strings.HasPrefix(text, "-") {
		n++
	}
	if strings.HasPrefix(text[n:], "0") {
		n++
	} else if !digits() {
		return 0
	}
	if strings.HasPrefix(text[n:], ".") {
		if n++; !digits() {
			return 0
		}
	}
	if n < len(text) && text[n]|0x20 == 'e' {
		if n++; n < len(text) && (text[n] == '+' || text[n] == '-') {
			n++
		}
		if !digits() {
			return 0
		}
	}
	return n
}
