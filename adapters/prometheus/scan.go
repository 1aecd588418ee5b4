package prometheus

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decoder reads the JSON of an answer. It checks every byte that it uses and
// keeps no more than a buffer and the longest text.
type decoder struct {
	r      io.Reader
	buf    []byte
	pos    int
	end    int
	before int64 // bytes of the body before buf
	err    error // of r, io.EOF at the end
	text   []byte
	number []byte
}

func newDecoder(r io.Reader) *decoder {
	return &decoder{r: r, buf: make([]byte, bufferSize)}
}

func (d *decoder) fail(want string) error {
	e := &DecodeError{Offset: d.before + int64(d.pos), Want: want}
	if d.pos >= d.end && d.err != nil {
		if !errors.Is(d.err, io.EOF) {
			return d.err // the way there failed, not the answer
		}
		e.Err = io.ErrUnexpectedEOF
	}
	return e
}

// fill moves the rest to the front and reads until there are n bytes or no more.
func (d *decoder) fill(n int) {
	if d.end-d.pos >= n || d.err != nil {
		return
	}
	d.before += int64(d.pos)
	d.end = copy(d.buf, d.buf[d.pos:d.end])
	d.pos = 0
	for empty := 0; d.end < n && d.err == nil; {
		var m int
		m, d.err = d.r.Read(d.buf[d.end:])
		d.end += m
		if m == 0 {
			if empty++; empty > 100 && d.err == nil {
				d.err = io.ErrNoProgress
			}
		}
	}
}

// next returns the next byte that is no blank without taking it, 0 at the end.
func (d *decoder) next() byte {
	for {
		for d.pos < d.end {
			switch c := d.buf[d.pos]; c {
			case ' ', '\n', '\r', '\t':
				d.pos++
			default:
				return c
			}
		}
		d.fill(1)
		if d.pos >= d.end {
			return 0
		}
	}
}

func (d *decoder) take(c byte) error {
	if d.next() != c {
		return d.fail(strconv.Quote(string(c)))
	}
	d.pos++
	return nil
}

func (d *decoder) strings() ([]string, error) {
	if d.next() == 'n' {
		return nil, d.skip(0)
	}
	var out []string
	err := d.array(func() error {
		s, err := d.string()
		out = append(out, s)
		return err
	})
	return out, err
}

func (d *decoder) string() (string, error) {
	text, err := d.stringBytes()
	return string(text), err
}

// stringBytes reads a text, which is valid until the next one.
func (d *decoder) stringBytes() ([]byte, error) {
	if err := d.take('"'); err != nil {
		return nil, err
	}
	d.text = d.text[:0]
	for {
		from := d.pos
		for d.pos < d.end && d.buf[d.pos] != '"' && d.buf[d.pos] != '\\' && d.buf[d.pos] >= ' ' {
			d.pos++
		}
		d.text = append(d.text, d.buf[from:d.pos]...)
		if len(d.text) > maxText {
			return nil, d.fail("a text of up to 1 MiB")
		}
		if d.pos == d.end {
			if d.fill(1); d.pos == d.end {
				return nil, d.fail(`"\""`)
			}
			continue
		}
		switch d.buf[d.pos] {
		case '"':
			d.pos++
			if !utf8.Valid(d.text) {
				return nil, d.fail("UTF-8 before it")
			}
			return d.text, nil
		case '\\':
			if err := d.escape(); err != nil {
				return nil, err
			}
		default:
			return nil, d.fail("no control character in a text")
		}
	}
}

// escape reads one escape, or two that are one rune of UTF-16. A half of such a
// pair alone is U+FFFD.
func (d *decoder) escape() error {
	d.fill(12)
	if d.end-d.pos < 2 || d.buf[d.pos+1] == 'u' && d.end-d.pos < 6 {
		d.pos = d.end
		return d.fail("an escape")
	}
	c := d.buf[d.pos+1]
	if plain := slices.Index([]byte(`"\/bfnrt`), c); plain >= 0 {
		d.text = append(d.text, "\"\\/\b\f\n\r\t"[plain])
		d.pos += 2
		return nil
	}
	r, ok := hexRune(d.buf[d.pos:d.end])
	if !ok {
		return d.fail("an escape")
	}
	d.pos += 6
	if utf16.IsSurrogate(r) {
		low, ok := hexRune(d.buf[d.pos:d.end])
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			d.pos += 6
			r = pair
		} else {
			r = utf8.RuneError
		}
	}
	d.text = utf8.AppendRune(d.text, r)
	return nil
}

// hexRune reads `\u1234`.
func hexRune(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c-'a' < 6:
			c -= 'a' - 10
		case c-'A' < 6:
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// object reads the members of an object; each has to read its value.
func (d *decoder) object(member func(key string) error) error {
	if err := d.take('{'); err != nil {
		return err
	}
	if d.next() == '}' {
		d.pos++
		return nil
	}
	for {
		key, err := d.string()
		if err != nil {
			return err
		}
		if err := d.take(':'); err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
		switch d.next() {
		case ',':
			d.pos++
		case '}':
			d.pos++
			return nil
		default:
			return d.fail(`"," or "}"`)
		}
	}
}

// array reads the elements of an array; each has to read its value.
func (d *decoder) array(element func() error) error {
	if err := d.take('['); err != nil {
		return err
	}
	if d.next() == ']' {
		d.pos++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		switch d.next() {
		case ',':
			d.pos++
		case ']':
			d.pos++
			return nil
		default:
			return d.fail(`"," or "]"`)
		}
	}
}

// skip reads any value and drops it.
func (d *decoder) skip(depth int) error {
	if depth > maxDepth {
		return d.fail("values nested up to 64 deep")
	}
	switch c := d.next(); c {
	case '{':
		return d.object(func(string) error { return d.skip(depth + 1) })
	case '[':
		return d.array(func() error { return d.skip(depth + 1) })
	case '"':
		_, err := d.stringBytes()
		return err
	case 't', 'f', 'n':
		word := map[byte]string{'t': "true", 'f': "false", 'n': "null"}[c]
		d.fill(len(word))
		if there := d.buf[d.pos:min(d.end, d.pos+len(word))]; string(there) != word {
			if strings.HasPrefix(word, string(there)) {
				d.pos = d.end
			}
			return d.fail(word)
		}
		d.pos += len(word)
		return nil
	}
	_, err := d.numberText()
	return err
}
