package report

import (
	"slices"
	"strings"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
)

// pen sets what the next texts look like.
func (p *pdf) pen(size float64, bold bool, c Color) {
	style := ""
	if bold {
		style = "B"
	}
	p.size = size
	p.SetFont(p.family, style, size)
	p.SetTextColor(rgb(c))
}

func rgb(c Color) (r, g, b int) { return int(c.R), int(c.G), int(c.B) }

// paragraph writes a text over the width of the page.
func (p *pdf) paragraph(text string, size float64, bold bool, c Color) {
	p.pen(size, bold, c)
	height := lineShare * size
	for _, line := range p.wrap(text, p.wide) {
		p.room(height)
		p.pen(size, bold, c) // a new page forgets it
		p.write(p.left, p.y+height*0.78, line)
		p.y += height
	}
}

// breakable reports where a line may end: at white space that does not forbid it.
func breakable(r rune) bool { return unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f' }

// wrap breaks a text into lines of a width; white space counts as one blank, and a
// word that is wider is broken.
func (p *pdf) wrap(text string, width float64) []string {
	var lines []string
	line, used := "", 0.0
	blank := p.width(" ")
	for word := range strings.FieldsFuncSeq(text, breakable) {
		need := p.width(word)
		if line != "" && used+blank+need <= width {
			line, used = line+" "+word, used+blank+need
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for need > width {
			runes := []rune(word)
			n := len(runes)
			for n > 1 && p.width(string(runes[:n])) > width {
				n = min(n-1, max(1, int(float64(n)*width/p.width(string(runes[:n])))))
			}
			if n == len(runes) {
				break // a single letter
			}
			lines, word = append(lines, string(runes[:n])), string(runes[n:])
			need = p.width(word)
		}
		line, used = word, need
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// width is that of a text in the size of the pen.
func (p *pdf) width(text string) float64 {
	all := 0.0
	p.pieces(text, func(text string, sign rune) {
		if all += p.GetStringWidth(text); sign != 0 {
			all += p.signWidth()
		}
	})
	return all
}

// write writes a text on a base line, in the colour of the pen. Signs of states are
// drawn, as fonts often lack them.
func (p *pdf) write(x, y float64, text string) {
	p.pieces(text, func(text string, sign rune) {
		if text != "" {
			p.Text(x, y, text)
			x += p.GetStringWidth(text)
		}
		if sign != 0 {
			p.sign(x, y, sign)
			x += p.signWidth()
		}
	})
}

// pieces parts a text into what the font has and the signs that are drawn.
func (p *pdf) pieces(text string, f func(text string, sign rune)) {
	for {
		i := strings.IndexAny(text, "✓▲✕◷")
		if i < 0 {
			f(p.encode(text), 0)
			return
		}
		sign := []rune(text[i:min(i+4, len(text))])[0]
		f(p.encode(text[:i]), sign)
		text = text[i+len(string(sign)):]
	}
}

func (p *pdf) signWidth() float64 { return p.size * 0.3 }

// sign draws the sign of a state above the base line.
func (p *pdf) sign(x, y float64, sign rune) {
	e := p.size * 0.24 // the sign is as wide as it is high
	p.SetDrawColor(p.GetTextColor())
	p.SetFillColor(p.GetTextColor())
	p.SetLineWidth(p.size * 0.035)
	switch sign {
	case '✓':
		p.MoveTo(x, y-e*0.45)
		p.LineTo(x+e*0.35, y-e*0.05)
		p.LineTo(x+e, y-e*0.95)
		p.DrawPath("D")
	case '✕':
		p.Line(x+e*0.1, y-e*0.9, x+e*0.9, y-e*0.1)
		p.Line(x+e*0.1, y-e*0.1, x+e*0.9, y-e*0.9)
	case '▲':
		p.Polygon([]fpdf.PointType{{X: x, Y: y}, {X: x + e, Y: y}, {X: x + e/2, Y: y - e}}, "F")
	case '◷':
		p.Circle(x+e/2, y-e/2, e*0.45, "D")
		p.Line(x+e/2, y-e/2, x+e/2, y-e*0.85)
		p.Line(x+e/2, y-e/2, x+e*0.8, y-e/2)
	}
}

// encode returns a text in the encoding of the font, without control characters.
func (p *pdf) encode(text string) string {
	plain := true
	for i := range len(text) {
		plain = plain && text[i] >= ' ' && text[i] < 0x7f
	}
	if plain {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f':
			r = ' '
		case unicode.IsControl(r):
			continue
		}
		if !p.core {
			b.WriteRune(r)
			continue
		}
		if similar, ok := similar[r]; ok {
			b.WriteString(similar)
			continue
		}
		code, ok := codePage(r)
		if !ok {
			p.missing[r] = true
		}
		b.WriteByte(code)
	}
	return b.String()
}

// similar are characters outside the code page that read the same in those of it.
var similar = map[rune]string{'\u202f': "\xa0", '−': "\x96", '≥': ">=", '≤': "<=", '→': "->", '\ufffd': "?"}

// upperCodes are 0x80 to 0x9f of Windows code page 1252; 0 is not in use.
// https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT
var upperCodes = [...]rune{
	'€', 0, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0, 'Ž', 0,
	0, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0, 'ž', 'Ÿ',
}

// codePage returns the code of a character, and "?" and false without one.
func codePage(r rune) (byte, bool) {
	if r >= ' ' && r < 0x7f || r >= 0xa0 && r <= 0xff {
		return byte(r), true
	}
	if i := slices.Index(upperCodes[:], r); i >= 0 && r != 0 {
		return byte(0x80 + i), true
	}
	return '?', false
}
