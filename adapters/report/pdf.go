package report

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

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

	// OnNotice is told about what could not be shown: one notice of the code
	// "pdf_glyph_missing" that names the characters. Defaults to nobody.
	OnNotice func(Notice)
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
	if len(p.missing) > 0 && o.OnNotice != nil {
		missing := string(slices.Sorted(maps.Keys(p.missing)))
		o.OnNotice(Notice{Code: "pdf_glyph_missing", Message: fmt.Sprintf("the font of the PDF does not have %q; a font of your own can be embedded", missing)})
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

func (p *pdf) caption(text string) {
	if text != "" {
		p.paragraph(text, sizeCell, false, inkMute)
		p.y += cellPad / 2
	}
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
