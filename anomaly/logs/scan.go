package logs

import (
	"unicode"
	"unicode/utf8"
)

// token is a piece of a line.
type token struct {
	text  string
	start int // where text begins in the line
	kind  Kind
	glued bool // nothing stands between it and the token before
}

// scanner cuts lines into tokens in one pass. It keeps substrings of the last line
// only.
type scanner struct {
	tokens []token
	limit  int
	input  string
	end    int // of the last token
	// first and last are the places of the first and the last word, -1 if there is
	// none. In JSON and logfmt only the message has words; without any, first is the
	// place of the first key.
	first, last int
	form        form
}

// form is how a line was read. Lines of different forms share no template.
type form uint8

const (
	textForm form = iota
	jsonForm
	logfmtForm
	forms
)

// Classes of bytes. What is not ASCII is a letter.
const (
	blank = 1 << iota
	sign  // a token of its own
	digit
	hexLetter
	letter
	slash
	dot
	other
)

var class = func() (c [256]uint8) {
	for i := range c {
		switch b := byte(i); {
		case b >= '0' && b <= '9':
			c[i] = digit
		case b >= 'a' && b <= 'f', b >= 'A' && b <= 'F':
			c[i] = hexLetter
		case b >= 'g' && b <= 'z', b >= 'G' && b <= 'Z', b >= 0x80:
			c[i] = letter
		case b >= '\t' && b <= '\r', b == ' ', b >= 0x1c && b <= 0x1f:
			c[i] = blank
		case b == '/':
			c[i] = slash
		case b == '.':
			c[i] = dot
		default:
			c[i] = other
		}
	}
	for _, b := range []byte(`=:,()[]"`) {
		c[b] = sign
	}
	return c
}()

func is(b byte, classes uint8) bool { return class[b]&classes != 0 }

// line scans a line: JSON and logfmt by key, all else as text.
func (s *scanner) line(line string, limit int) {
	s.reset(line, limit)
	if s.structured() {
		return
	}
	s.reset(line, limit)
	s.text(0, len(line))
}

// reset begins a line of at most limit tokens.
func (s *scanner) reset(line string, limit int) {
	s.tokens, s.limit, s.input = s.tokens[:0], limit, line
	s.end, s.first, s.last, s.form = -1, -1, -1, textForm
}

// add adds the token input[start:end].
func (s *scanner) add(kind Kind, start, end int) {
	before := s.end
	// The quotes of JSON are in no token and nothing to look at.
	glued := before == start || start-before <= 2 && before > 0 && s.input[before] == '"' && s.input[start-1] == '"'
	if kind == Word && is(s.input[start], letter|hexLetter) {
		if s.last = len(s.tokens); s.first < 0 {
			s.first = s.last
		}
	}
	s.tokens = append(s.tokens, token{text: s.input[start:end], start: start, kind: kind, glued: glued})
	s.end = end
}

// text scans input[i:end].
func (s *scanner) text(i, end int) {
	in := s.input[:end]
	// Behind a quote without an end no other has one: the search passed over all of them behind
	// a backslash. Without this a line of quotes and backslashes would cost its square.
	unclosed := false
	for i < len(in) && len(s.tokens) < s.limit {
		c := in[i]
		switch {
		case class[c]&blank != 0:
			i++
			continue
		case c == '"' && unclosed:
			s.add(Word, i, i+1)
			i++
			continue
		case class[c]&sign != 0:
			stop := s.sign(in, i)
			unclosed = c == '"' && stop == i+1
			i = stop
			continue
		}
		start, seen := i, uint8(0)
		for ; i < len(in); i++ {
			k := class[in[i]]
			if k&(blank|sign) != 0 {
				break
			}
			seen |= k
		}
		if seen&(digit|slash|dot) == 0 && (i+1 >= len(in) || in[i] != ':' || in[i+1] == ' ') {
			i = s.word(in, start, i, seen)
			continue
		}
		kind, stop := typed(in, start, i, seen)
		if kind == Word && stop == i && seen&(digit|slash|dot) == 0 {
			s.word(in, start, i, seen) // a word before a colon
			continue
		}
		s.add(kind, start, stop)
		i = stop
	}
}

// sign adds the token that begins with a sign and returns its end.
func (s *scanner) sign(in string, i int) int {
	kind, end := Word, 0
	switch in[i] {
	case '[':
		kind, end = List, list(in, i)
	case '"':
		kind, end = Text, quoted(in, i)
	case ':':
		if i+1 < len(in) && in[i+1] == ':' {
			kind, end = Address, address6(in, i)
		}
	}
	if end == 0 {
		kind, end = Word, i+1
	}
	s.add(kind, i, end)
	return end
}

// word adds a chunk of letters and signs without digit, slash and dot.
func (s *scanner) word(in string, start, end int, seen uint8) int {
	kind := Word
	switch c := in[start]; {
	case c == '\'':
		if stop := apostrophes(in, start); stop > 0 {
			kind, end = Text, stop
		}
	case seen == letter|hexLetter || seen == letter || seen == hexLetter:
		switch {
		case c <= 'Z' && in[end-1] <= 'Z':
			if level(in[start:end]) {
				kind = Level
			}
		case c <= 'Z' && end-start == 3:
			if stop := syslogTime(in, start); stop > 0 {
				kind, end = Time, stop
			}
		case start > 0 && in[start-1] == '[' && end < len(in) && in[end] == ']':
			if levelName(in[start:end]) {
				kind = Level
			}
		}
	}
	s.add(kind, start, end)
	return end
}

// typed decides on a chunk with digits, slashes, dots or a colon behind it, and
// returns where the token ends.
func typed(in string, start, end int, seen uint8) (kind Kind, stop int) {
	if seen == digit && !at(in, end, ':') { // most values are plain numbers
		return Number, number(in, start, end)
	}
	c := in[start]
	if c == '\'' {
		if stop := apostrophes(in, start); stop > 0 {
			return Text, stop
		}
	}
	whole := end
	for end-start > 1 && ending(in[end-1]) {
		end-- // the full stop of a sentence is not part of a value
	}
	if end-start == 1 && whole-start > longestEllipsis && ending(c) {
		return Word, whole // one by one they would cost the square of their number
	}
	n := end - start
	numeric := class[c]&digit != 0
	if numeric || c == '-' || c == '+' {
		if stop := timestamp(in, start); stop > 0 {
			return Time, stop
		}
	}
	if n == 36 && uuid(in[start:end]) {
		return UUID, end
	}
	if numeric && seen&dot != 0 {
		if stop := address4(in, start); stop > 0 {
			return Address, stop
		}
	}
	if end < len(in) && in[end] == ':' && n <= 4 || n == 17 {
		if stop := hardware(in, start); stop > 0 {
			return Hardware, stop
		}
		if stop := address6(in, start); stop > 0 {
			return Address, stop
		}
	}
	if n > 2 && c == '0' && in[start+1]|0x20 == 'x' && hexEnd(in, start+2) == end {
		return Hex, end
	}
	if n >= 8 && seen&(digit|hexLetter) == digit|hexLetter && hexEnd(in, start) == end {
		return Hex, end
	}
	if numeric || n > 1 && (c == '-' || c == '+' || c == '.') && class[in[start+1]]&digit != 0 {
		if stop := number(in, start, end); stop > 0 {
			return Number, stop
		}
	}
	if seen&slash != 0 || end+2 < len(in) && in[end:end+3] == "://" {
		if stop := path(in, start, end, seen); stop > 0 {
			return Path, stop
		}
	}
	if seen&dot != 0 && host(in[start:end]) {
		return Host, port(in, end)
	}
	for i := start; seen&digit != 0 && i < end; i++ {
		if class[in[i]]&digit != 0 {
			return Code, end
		}
	}
	return Word, end
}

// longestEllipsis is how many full stops in a row are tokens of their own; more are one.
const longestEllipsis = 64

// ending reports whether a byte at the end of a chunk belongs to the sentence.
func ending(c byte) bool { return c == '.' || c == ';' || c == '!' || c == '?' }

// boundary reports whether a token may end at i.
func boundary(in string, i int) bool {
	return i >= len(in) || is(in[i], blank|sign) || ending(in[i]) && (i+1 >= len(in) || is(in[i+1], blank|sign))
}

// hasDigit reports whether a character is a digit to Python's str.isdigit.
func hasDigit(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			for _, r := range s[i:] {
				if unicode.IsDigit(r) || unicode.Is(digitLike, r) {
					return true
				}
			}
			return false
		}
		if class[s[i]]&digit != 0 {
			return true
		}
	}
	return false
}

// digitLike are the characters with Numeric_Type=Digit of Unicode's
// DerivedNumericType.txt, which are no decimal digits.
var digitLike = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0xb2, 0xb3, 1},
		{0xb9, 0xb9, 1},
		{0x1369, 0x1371, 1},
		{0x19da, 0x19da, 1},
		{0x2070, 0x2070, 1},
		{0x2074, 0x2079, 1},
		{0x2080, 0x2089, 1},
		{0x2460, 0x2468, 1},
		{0x2474, 0x247c, 1},
		{0x2488, 0x2490, 1},
		{0x24ea, 0x24ea, 1},
		{0x24f5, 0x24fd, 1},
		{0x24ff, 0x24ff, 1},
		{0x2776, 0x277e, 1},
		{0x2780, 0x2788, 1},
		{0x278a, 0x2792, 1},
	},
	R32:         []unicode.Range32{{0x10a40, 0x10a43, 1}, {0x10e60, 0x10e68, 1}, {0x11052, 0x1105a, 1}, {0x1f100, 0x1f10a, 1}},
	LatinOffset: 2,
}

// isSpace reports white space as Python's str.isspace does.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func decode(s string) (rune, int) { return utf8.DecodeRuneInString(s) }
