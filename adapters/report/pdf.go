package report

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
)

// PDFOptions say how a document becomes a PDF. The zero value is the default.
type PDFOptions struct {
	// Font is a TrueType font that is embedded and used for all text, for scripts that
	// the built-in Helvetica does not have. Defaults to Helvetica, which has the
	// characters of Windows code page 1252.
	Font []byte

	// Master is where the HTML form is, which has the values of the charts as tables and
	// is made for screen readers; the last page says so. Defaults to not known.
	Master string

	// Notify is told about what could not be shown: one notice of the code
	// "pdf_glyph_missing" that names the characters. Defaults to nobody.
	Notify func(Notice)
}

// PDF writes the document on A4 pages with their numbers: tables with their header on
// every page, charts as vectors, states by sign, word and colour. Nothing is cut off: texts
// wrap, and words that are wider than their column are broken.
//
// The same document and options give the same bytes. The PDF is not tagged: for those
// who do not see it there is the HTML form. A character that the font does not have
// becomes a question mark. The errors are those of [Document.Validate], of a font that
// cannot be read, and of w.
func (d Document) PDF(w io.Writer, o PDFOptions) (err error) {
	if err := d.Validate(); err != nil {
		return err
	}
	if len(o.Font) > 0 && !bytes.HasPrefix(o.Font, []byte("\x00\x01\x00\x00")) && !bytes.HasPrefix(o.Font, []byte("true")) { // the reader would print what it dislikes
		return errors.New("report: pdf font: want a TrueType font")
	}
	defer func() { // of the reader of fonts
		if p := recover(); p != nil {
			if len(o.Font) == 0 {
				panic(p)
			}
			err = fmt.Errorf("report: pdf font: %v, want a TrueType font", p)
		}
	}()
	d = d.held()
	p := newPDF(d, o)
	p.document(d, o.Master)
	if err := p.Error(); err != nil {
		return fmt.Errorf("report: pdf: %w", err)
	}
	if len(p.missing) > 0 && o.Notify != nil {
		missing := string(slices.Sorted(maps.Keys(p.missing)))
		o.Notify(Notice{Code: "pdf_glyph_missing", Message: fmt.Sprintf("the font of the PDF does not have %q; a font of your own can be embedded", missing)})
	}
	var raw bytes.Buffer
	if err := p.Output(&raw); err != nil {
		return fmt.Errorf("report: pdf: %w", err)
	}
	return deflate(w, raw.Bytes())
}

// The page in millimetres, and sizes of letters in points.
const (
	pageWidth, pageHeight, pageMargin = 210.0, 297.0, 16.0
	bodyWidth, bodyBottom             = pageWidth - 2*pageMargin, pageHeight - pageMargin

	sizeTitle, sizeHeading, sizeValue = 17.0, 12.0, 11.5
	sizeBody, sizeCell, sizeChart     = 8.5, 7.2, 6.5

	lineShare = 0.40 // height of a line in millimetres by point of size
	cellPad   = 1.1  // beside the text of a cell
	cellAir   = 0.35 // above and below it
	blockGap  = 1.8
	besideGap = 8.0 // between blocks that stand beside each other
)

// pdf is the pen: y is the top of what comes next, which begins at left and is wide.
type pdf struct {
	*fpdf.Fpdf
	language
	family string
	core   bool // code page 1252
	size   float64
	y      float64

	left, wide float64
	missing    map[rune]bool
}

func newPDF(d Document, o PDFOptions) *pdf {
	p := &pdf{Fpdf: fpdf.New("P", "mm", "A4", ""), language: d.language(), family: "Helvetica", core: true, left: pageMargin, wide: bodyWidth, missing: map[rune]bool{}}
	if len(o.Font) > 0 {
		p.family, p.core = "embedded", false
		p.AddUTF8FontFromBytes(p.family, "", o.Font)
		p.AddUTF8FontFromBytes(p.family, "B", o.Font)
	}
	p.SetCompression(false) // deflate does it
	p.SetAutoPageBreak(false, 0)
	p.SetMargins(pageMargin, pageMargin, pageMargin)
	p.SetCatalogSort(true)
	at := d.Generated
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	p.SetCreationDate(at.UTC())
	p.SetModificationDate(at.UTC())
	p.SetTitle(d.Title, true)
	p.SetLang(d.lang())
	p.SetProducer("evenkeel", false)
	p.page()
	return p
}

func (p *pdf) page() {
	p.AddPage()
	p.y = pageMargin
}

// room begins a new page if there is less than a height left on this one.
func (p *pdf) room(height float64) {
	if p.y+height > bodyBottom && p.y > pageMargin {
		p.page()
	}
}

func (p *pdf) document(d Document, master string) {
	p.paragraph(d.Title, sizeTitle, true, ink)
	if d.Subtitle != "" {
		p.paragraph(d.Subtitle, sizeBody, false, inkMute)
	}
	for _, s := range d.Sections {
		p.section(s)
	}
	p.y += blockGap
	if !d.Generated.IsZero() {
		p.paragraph(p.asOf(d), sizeCell, false, inkMute)
	}
	for pair := range slices.Chunk(d.Sources, 2) {
		write := func(sources []Source) {
			for _, s := range sources {
				p.paragraph(s.Name+" "+s.SHA256, sizeChart, false, inkMute)
			}
		}
		p.room(3 * lineShare * sizeChart) // a long name takes more than a line
		p.halves(func() { write(pair[:1]) }, func() { write(pair[1:]) })
	}
	if master != "" {
		p.paragraph(p.t("master", master), sizeCell, false, inkMute)
	}
	for n := range p.PageCount() {
		p.SetPage(n + 1)
		p.pen(sizeCell, false, inkMute)
		text := p.count(n+1) + " / " + p.count(p.PageCount())
		p.write(pageWidth-pageMargin-p.width(text), pageHeight-pageMargin/2, text)
	}
}

func (p *pdf) section(s Section) {
	p.y += 1.25 * blockGap
	p.room(lineShare * (sizeHeading + 5*sizeCell))
	if len(s.Blocks) > 0 {
		if t, ok := s.Blocks[0].(Table); ok { // a heading goes with the first rows
			p.room(lineShare*(sizeHeading+float64(3+min(len(t.Rows), 2))*sizeCell) + blockGap)
		}
		switch s.Blocks[0].(type) {
		case Chart, Bars, Steps:
			p.room(lineShare*sizeHeading + p.figureHeight(" ", p.wide))
		}
	}
	p.paragraph(s.Title, sizeHeading, true, ink)
	p.SetDrawColor(rgb(inkLine))
	p.SetLineWidth(0.2)
	p.Line(pageMargin, p.y, pageWidth-pageMargin, p.y)
	p.y += blockGap / 2
	for i := 0; i < len(s.Blocks); i++ {
		if i+1 < len(s.Blocks) && p.beside(s.Blocks[i], s.Blocks[i+1]) {
			i++
			continue
		}
		p.block(s.Blocks[i])
	}
}

// half is the width of a block beside another one.
const half = (bodyWidth - besideGap) / 2

// beside writes two blocks beside each other and reports true, if both are charts that
// can be read at half of the width, or both short tables that need no more.
func (p *pdf) beside(a, b Block) bool {
	first, ok := p.halfFigure(a)
	second, also := p.halfFigure(b)
	if !ok || !also {
		if first, ok = p.halfTable(a); !ok {
			return false
		}
		if second, ok = p.halfTable(b); !ok {
			return false
		}
	}
	p.room(max(first, second))
	p.halves(func() { p.block(a) }, func() { p.block(b) })
	return true
}

// halves writes beside each other what has room on the page.
func (p *pdf) halves(first, second func()) {
	top := p.y
	p.wide = half
	first()
	bottom := p.y
	p.y, p.left = top, pageMargin+half+besideGap
	second()
	p.y, p.left, p.wide = max(p.y, bottom), pageMargin, bodyWidth
}

// halfFigure is the height of a chart at half of the width. One with many lines, or with
// bars that have their value above them, is not drawn so.
func (p *pdf) halfFigure(block Block) (height float64, ok bool) {
	const many = 12 // bars without values
	switch block := block.(type) {
	case Chart:
		return p.figureHeight(block.Summary, half), len(block.Series) < 2 && !block.flat()
	case Bars:
		return p.figureHeight(block.Summary, half), len(block.Bars) > many && !block.flat()
	}
	return 0, false
}

// halfTable is the height of a table at half of the width, where every text has one line.
func (p *pdf) halfTable(block Block) (height float64, ok bool) {
	const most = 12 // rows
	t, ok := block.(Table)
	if !ok || len(t.Columns) == 0 || len(t.Rows) > most {
		return 0, false
	}
	_, wanted := p.needs(t)
	line := lineShare * sizeCell
	return float64(len(t.Rows)+1)*(line+2*cellAir) + 2*line + cellPad/2 + blockGap, sum(wanted) <= half
}

// splits reports whether a table is set in two halves beside each other: a longer one
// that would leave most of the page empty.
func (p *pdf) splits(t Table) bool {
	const few = 6
	if p.wide < bodyWidth || len(t.Rows) < few {
		return false
	}
	least, wanted := p.needs(t)
	rows := float64(len(t.Rows)/2 + 2)
	return sum(least) <= half && sum(wanted) <= 1.3*half && rows*2*lineShare*sizeCell < bodyBottom-pageMargin
}

func (p *pdf) block(block Block) {
	switch block := block.(type) {
	case Text:
		p.paragraph(string(block), sizeBody, false, ink)
		p.y += blockGap / 2
	case Tiles:
		p.tiles(block)
	case Table:
		p.table(block)
	case Timeline:
		p.timeline(block)
	case Chart:
		if block.flat() {
			p.told(block.Title, block.Summary)
			return
		}
		p.figure(block.Title, block.Summary, block.Series, block.draw)
	case Bars:
		if block.flat() {
			p.told(block.Title, block.Summary)
			return
		}
		p.figure(block.Title, block.Summary, nil, block.draw)
	case Steps:
		p.figure(block.Title, block.Summary, nil, block.draw)
	}
}

// told stands for a chart that would show a straight line.
func (p *pdf) told(title, summary string) {
	p.paragraph(title+": "+summary, sizeCell, false, inkMute)
	p.y += blockGap / 2
}

// flat reports whether all bars are measured, alike and well, so that there is nothing
// to see.
func (c Bars) flat() bool {
	for _, b := range c.Bars {
		if b.Value != c.Bars[0].Value || b.State != Good || !finite(b.Value) {
			return false
		}
	}
	return true
}

// flat reports whether the chart is one line that never changes, and nothing else.
func (c Chart) flat() bool {
	if len(c.Series) != 1 || len(c.Bands)+len(c.Spans)+len(c.Marks)+len(c.Limits) > 0 {
		return false
	}
	points := c.Series[0].Points
	for _, p := range points {
		if p.Value != points[0].Value || !finite(p.Value) {
			return false
		}
	}
	return true
}

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

func (p *pdf) tiles(tiles Tiles) {
	const gap, pad, most = 3.0, 2.0, 4
	for row := range slices.Chunk(tiles, most) {
		width := (bodyWidth - gap*float64(most-1)) / most
		inner := width - 2*pad
		type content struct{ label, value, note []string }
		all := make([]content, len(row))
		height := 0.0
		for i, t := range row {
			p.pen(sizeCell, false, inkMute)
			all[i].label, all[i].note = p.wrap(t.Label, inner), p.wrap(t.Note, inner)
			p.pen(sizeValue, true, ink)
			all[i].value = p.wrap(p.label(t.State, t.Value), inner)
			lines := len(all[i].label) + len(all[i].note)
			height = max(height, 2*pad+lineShare*(sizeCell*float64(lines)+sizeValue*float64(len(all[i].value))))
		}
		p.room(height)
		for i, t := range row {
			x := pageMargin + float64(i)*(width+gap)
			p.SetFillColor(rgb(inkCard))
			p.SetDrawColor(rgb(inkLine))
			p.SetLineWidth(0.2)
			p.Rect(x, p.y, width, height, "FD")
			y := p.y + pad
			lines := func(lines []string, size float64, bold bool, c Color) {
				p.pen(size, bold, c)
				for _, line := range lines {
					p.write(x+pad, y+lineShare*size*0.78, line)
					y += lineShare * size
				}
			}
			lines(all[i].label, sizeCell, false, inkMute)
			lines(all[i].value, sizeValue, true, stateInk(t.State))
			lines(all[i].note, sizeCell, false, inkMute)
		}
		p.y += height + blockGap
	}
}

func (p *pdf) timeline(events Timeline) {
	t := Table{Columns: []Column{{Title: p.t("when")}, {Title: p.t("stage")}, {Title: p.t("what")}, {Title: p.t("why")}}}
	for _, e := range events {
		t.Rows = append(t.Rows, []Cell{{Text: p.second(e.At)}, {Text: e.Stage}, {Text: e.Text}, {Text: e.Why}})
	}
	p.table(t)
}

func (p *pdf) table(t Table) {
	if len(t.Columns) == 0 {
		return
	}
	height := lineShare * sizeCell
	p.room(4 * height)
	if p.splits(t) {
		// Both halves have to stand on this page. Texts that do not fit take two lines.
		lines := 1.0
		if _, wanted := p.needs(t); sum(wanted) > half {
			lines = 2
		}
		p.room(float64((len(t.Rows)+1)/2+1)*(lines*height+2*cellAir) + height + cellPad)
		p.caption(t.Caption)
		n := (len(t.Rows) + 1) / 2
		p.halves(func() { p.rows(Table{Columns: t.Columns, Rows: t.Rows[:n]}) }, func() { p.rows(Table{Columns: t.Columns, Rows: t.Rows[n:]}) })
		return
	}
	p.caption(t.Caption)
	p.rows(t)
}

func (p *pdf) caption(text string) {
	if text != "" {
		p.paragraph(text, sizeCell, false, inkMute)
		p.y += cellPad / 2
	}
}

// rows writes a table without its caption.
func (p *pdf) rows(t Table) {
	height := lineShare * sizeCell
	widths := p.widths(t)
	header := make([][]string, len(t.Columns))
	p.pen(sizeCell, true, ink)
	for i, c := range t.Columns {
		header[i] = p.wrap(c.Title, widths[i]-2*cellPad)
	}
	head := func() {
		p.SetFillColor(rgb(inkCard))
		p.Rect(p.left, p.y, p.wide, height*float64(longest(header))+2*cellAir, "F")
		p.row(t, widths, header, nil, true)
	}
	head()
	for _, row := range t.Rows {
		cells := make([][]string, len(row))
		p.pen(sizeCell, false, ink)
		for i, c := range row {
			cells[i] = p.wrap(p.label(c.State, c.Text), widths[i]-2*cellPad)
		}
		if form := row[min(1, len(row)):]; len(form) > 0 && !slices.ContainsFunc(form, func(c Cell) bool { return c != Cell{} }) {
			cells[0] = append(cells[0], "") // room to write by hand
		}
		for first := true; first || longest(cells) > 0; first = false {
			// A row stays on one page, unless it is longer than a page.
			fit := int((bodyBottom - p.y - 2*cellAir) / height)
			if fit < min(longest(cells), 12) {
				p.page()
				head()
				fit = int((bodyBottom - p.y - 2*cellAir) / height)
			}
			part, rest := make([][]string, len(cells)), make([][]string, len(cells))
			for i, lines := range cells {
				n := min(len(lines), max(fit, 1))
				part[i], rest[i] = lines[:n], lines[n:]
			}
			p.row(t, widths, part, row, false)
			cells = rest
		}
	}
	p.y += blockGap
}

func longest(cells [][]string) int {
	n := 0
	for _, lines := range cells {
		n = max(n, len(lines))
	}
	return n
}

// row writes lines of cells and a rule below them.
func (p *pdf) row(t Table, widths []float64, cells [][]string, states []Cell, bold bool) {
	height := lineShare * sizeCell
	x := p.left
	for i, lines := range cells {
		c := ink
		if states != nil {
			c = stateInk(states[i].State)
		}
		p.pen(sizeCell, bold, c)
		for n, line := range lines {
			at := x + cellPad
			if t.Columns[i].Numeric {
				at = x + widths[i] - cellPad - p.width(line)
			}
			p.write(at, p.y+cellAir+height*(float64(n)+0.78), line)
		}
		x += widths[i]
	}
	p.y += height*float64(longest(cells)) + 2*cellAir
	p.SetDrawColor(rgb(inkLine))
	p.SetLineWidth(0.1)
	p.Line(p.left, p.y, p.left+p.wide, p.y)
}

// widths gives every column what its longest text needs, if there is room for all, and
// else at least its longest word. What is left then goes, step by step, to the column
// that makes the most rows higher than they would be without it.
func (p *pdf) widths(t Table) []float64 {
	least, wanted := p.needs(t)
	switch {
	case sum(wanted) <= p.wide:
		spare := (p.wide - sum(wanted)) / float64(len(wanted))
		for i := range wanted {
			wanted[i] += spare
		}
		return wanted
	case sum(least) >= p.wide:
		share := p.wide / sum(least)
		for i := range least {
			least[i] *= share
		}
		return least
	}
	const steps, sampled = 60, 100 // rows beyond these are taken to be like them
	rows := t.Rows[:min(len(t.Rows), sampled)]
	need := make([][]float64, len(rows))
	p.pen(sizeCell, false, ink)
	for n, row := range rows {
		for _, c := range row {
			need[n] = append(need[n], p.width(p.label(c.State, c.Text)))
		}
	}
	step := (p.wide - sum(least)) / steps
	for range steps {
		best, most := 0, 0.0
		gain := make([]float64, len(least))
		for _, row := range need {
			highest := 1.0
			for i, width := range row {
				highest = max(highest, math.Ceil(width/(least[i]-2*cellPad)))
			}
			for i, width := range row {
				if lines := width / (least[i] - 2*cellPad); highest > 1 && math.Ceil(lines) == highest {
					gain[i] += lines
				}
			}
		}
		for i := range gain {
			if gain[i] > most && least[i] < wanted[i] {
				best, most = i, gain[i]
			}
		}
		least[best] += step
	}
	return least
}

// needs returns how wide each column has to be, for its longest word and for its
// longest text.
func (p *pdf) needs(t Table) (least, wanted []float64) {
	const narrowest, widestWord = 8.0, 46.0
	least, wanted = make([]float64, len(t.Columns)), make([]float64, len(t.Columns))
	measure := func(i int, text string) {
		wanted[i] = max(wanted[i], p.width(text)+2*cellPad+0.1)
		for word := range strings.FieldsFuncSeq(text, breakable) {
			least[i] = max(least[i], min(p.width(word)+2*cellPad+0.1, widestWord), narrowest)
		}
		if t.Columns[i].Numeric { // an amount stays with its currency
			least[i] = max(least[i], min(wanted[i], widestWord))
		}
	}
	p.pen(sizeCell, true, ink)
	for i, c := range t.Columns {
		wanted[i] = p.width(c.Title) + 2*cellPad + 0.1
		for word := range strings.FieldsFuncSeq(c.Title, breakable) {
			least[i] = max(least[i], min(p.width(word)+2*cellPad+0.1, widestWord), narrowest)
		}
	}
	p.pen(sizeCell, false, ink)
	for _, row := range t.Rows {
		for i, c := range row {
			measure(i, p.label(c.State, c.Text))
		}
	}
	return least, wanted
}

func sum(widths []float64) (all float64) {
	for _, w := range widths {
		all += w
	}
	return all
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

// The colours are those of the light scheme of the style sheet.
var (
	ink, inkMute     = Color{R: 0x0f, G: 0x17, B: 0x2a}, Color{R: 0x47, G: 0x55, B: 0x69}
	inkLine, inkCard = Color{R: 0xcb, G: 0xd5, B: 0xe1}, Color{R: 0xf8, G: 0xfa, B: 0xfc}
	inkGood, inkWarn = Color{R: 0x16, G: 0x65, B: 0x34}, Color{R: 0x92, G: 0x40, B: 0x0e}
	inkBad, inkPlan  = Color{R: 0xb9, G: 0x1c, B: 0x1c}, Color{R: 0x1d, G: 0x4e, B: 0xd8}
	inkSeries        = [...]Color{{R: 0x1d, G: 0x4e, B: 0xd8}, {R: 0xb4, G: 0x53, B: 0x09}, {R: 0x0f, G: 0x76, B: 0x6e}, {R: 0x7e, G: 0x22, B: 0xce}}
	inkSpan          = map[State]Color{Bad: {R: 0xfe, G: 0xca, B: 0xca}, Maintenance: {R: 0xdb, G: 0xea, B: 0xfe}, Warning: {R: 0xfd, G: 0xe6, B: 0x8a}, NoData: {R: 0xe2, G: 0xe8, B: 0xf0}}
)

func stateInk(s State) Color {
	return cmp.Or(map[State]Color{Good: inkGood, Warning: inkWarn, Bad: inkBad, Maintenance: inkPlan, NoData: inkMute}[s], ink)
}
