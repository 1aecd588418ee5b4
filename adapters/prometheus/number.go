package prometheus

import (
	"math"
	"math/bits"
	"strconv"
)

func (d *decoder) quotedFloat() (float64, error) {
	text, err := d.stringBytes()
	if err != nil {
		return 0, err
	}
	return d.parseFloat(text)
}

// parseFloat reads what Prometheus writes: a decimal, NaN, +Inf or -Inf.
func (d *decoder) parseFloat(text []byte) (float64, error) {
	switch string(text) {
	case "NaN":
		return math.NaN(), nil
	case "+Inf":
		return math.Inf(1), nil
	case "-Inf":
		return math.Inf(-1), nil
	}
	for _, c := range text {
		if c-'0' > 9 && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, d.fail("a number before it, not " + strconv.Quote(string(text)))
		}
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, d.fail("a number before it, not " + strconv.Quote(string(text)))
	}
	return v, nil
}

// plainFloat reads a decimal of up to 19 digits, which is a whole number over a
// power of ten, both below 2^64.
func plainFloat(text []byte) (float64, bool) {
	i, negative := 0, false
	if len(text) > 0 && text[0] == '-' {
		i, negative = 1, true
	}
	first, point := i, len(text)
	var n uint64
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' && point == len(text) {
			point = i
			continue
		}
		if c -= '0'; c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	if point == first || point == len(text)-1 || len(text)-first > 20 || len(text)-first == 20 && point == len(text) {
		return 0, false
	}
	v := float64(n)
	if point < len(text) {
		v = quotient(n, powers[len(text)-point-1])
	}
	if negative {
		v = -v
	}
	return v, true
}

// powers are those of ten below 2^64 that a decimal of 19 digits needs.
var powers = func() (p [20]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// quotient returns a/b rounded once, to nearest and even. With the top bits of both
// in place, a long division gives 64 bits; 53 are kept, and the remainder settles
// what would be a tie.
func quotient(a, b uint64) float64 {
	if a == 0 {
		return 0
	}
	zerosA, zerosB := bits.LeadingZeros64(a), bits.LeadingZeros64(b)
	a, b = a<<zerosA, b<<zerosB
	exponent := zerosB - zerosA - 64
	var low uint64
	if a >= b {
		a, low = a>>1, a<<63
		exponent++
	}
	q, rest := bits.Div64(a, low, b)
	m, cut := q>>11, q&0x7ff
	if cut > 0x400 || cut == 0x400 && (rest != 0 || m&1 == 1) {
		m++
	}
	return float64(m) * math.Float64frombits(uint64(1023+exponent+11)<<52) // a power of two: exact
}

// milli reads a time in seconds with up to nine decimals; beyond the third they
// are cut.
func (d *decoder) milli() (int64, error) {
	text, err := d.numberText()
	if err != nil {
		return 0, err
	}
	sign := int64(1)
	if text[0] == '-' {
		sign, text = -1, text[1:]
	}
	var n int64
	i := 0
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		n = n*10 + int64(text[i]-'0')
		if i > 11 {
			return 0, d.fail("a time in seconds before it")
		}
	}
	n *= 1000
	if i < len(text) && text[i] == '.' {
		i++
		for unit := int64(100); i < len(text) && text[i]-'0' <= 9; i++ {
			n += unit * int64(text[i]-'0')
			unit /= 10
		}
	}
	if i < len(text) {
		v, err := strconv.ParseFloat(string(text), 64) // an exponent
		if err != nil || v >= 1e12 {
			return 0, d.fail("a time in seconds before it")
		}
		n = int64(v * 1000)
	}
	return sign * n, nil
}

// numberText reads a JSON number; it is valid until the next text.
func (d *decoder) numberText() ([]byte, error) {
	d.next()
	d.fill(lookAhead)
	i := d.pos
	for i < d.end && isNumberByte(d.buf[i]) {
		i++
	}
	text := d.buf[d.pos:i]
	if len(text) >= lookAhead {
		return nil, d.fail("a number below 96 bytes")
	}
	if !isNumber(text) {
		if i == d.end {
			d.pos = i
		}
		return nil, d.fail("a number")
	}
	d.number = append(d.number[:0], text...)
	d.pos = i
	return d.number, nil
}

func isNumberByte(c byte) bool {
	return c-'0' <= 9 || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E'
}

// isNumber checks the grammar of RFC 8259, section 6.
func isNumber(b []byte) bool {
	digits := func() bool {
		n := 0
		for n < len(b) && b[n]-'0' <= 9 {
			n++
		}
		b = b[n:]
		return n > 0
	}
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) > 1 && b[0] == '0' && b[1]-'0' <= 9 || !digits() {
		return false
	}
	if len(b) > 0 && b[0] == '.' {
		if b = b[1:]; !digits() {
			return false
		}
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		if !digits() {
			return false
		}
	}
	return len(b) == 0
}
