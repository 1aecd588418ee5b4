package report

import (
	"math"
	"slices"
	"strings"
)

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
