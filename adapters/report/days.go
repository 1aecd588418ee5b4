package report

import (
	_ "embed"
	"strconv"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

//go:embed days.css
var daysCSS string

// DrawingStylesheet returns the style of the drawings that no document has: [DayMap],
// [DayStrip], [Spark] and [Stack]. It needs [Stylesheet] before it.
func DrawingStylesheet() []byte { return []byte(daysCSS) }

// DayClass is how a day did, on a scale that needs no colour: each class has a glyph
// of its own or, on a [DayStrip], a height.
type DayClass uint8

// The classes of a day, the better first. A day of a class is below the bound of the
// one before.
const (
	DayNoData  DayClass = iota // nobody measured: hatched
	DayBefore                  // the evidence had not begun, or the day is to come: blank
	DayFull                    // no downtime
	DayGood                    // 99.9 % or more
	DayFair                    // 99.5 % or more
	DayPoor                    // 99 % or more
	DayBad                     // less
	dayClasses = int(DayBad) + 1
)

// bounds are the least shares of the classes from DayGood on.
var bounds = [...]money.Percent{mustPercent("99.9"), mustPercent("99.5"), mustPercent("99")}

func mustPercent(text string) money.Percent {
	p, err := money.ParsePercent(text)
	if err != nil {
		panic("report: " + err.Error())
	}
	return p
}

// ClassOf returns the class of an availability, by its exact value.
func ClassOf(f sla.Fraction) DayClass {
	if !f.IsSet() {
		return DayNoData
	}
	if f.ComparePercent(money.WholePercent(100)) == 0 {
		return DayFull
	}
	for i, bound := range bounds {
		if f.ComparePercent(bound) >= 0 {
			return DayGood + DayClass(i) //nolint:gosec // three bounds
		}
	}
	return DayBad
}

// Glyph returns the sign of a class on a map; "" for days that need none.
func (c DayClass) Glyph() string {
	switch c {
	case DayFair:
		return "·"
	case DayPoor:
		return "–"
	case DayBad:
		return "×"
	case DayNoData, DayBefore, DayFull, DayGood:
	}
	return ""
}

// name is the class in the style sheet.
func (c DayClass) name() string { return "d" + strconv.Itoa(int(c)) }

// CalendarDay is a day of the zone of a contract, however many hours it has.
type CalendarDay struct {
	Class    DayClass
	Excluded bool // some time was taken out: a light band at its foot
}

// DayMap shows up to twelve months day by day: a row for each month, a column for
// each day of the month.
type DayMap struct {
	ID      string // unique on the page
	Title   string
	Summary string // the message in words, for those who do not see it
	Months  []DayRow
}

// DayRow is a month. Days are those from the first on, at most 31.
type DayRow struct {
	Label string
	Days  []CalendarDay
}

// The drawing of days, in user units.
const (
	mapLeft, mapCell, mapRow, mapHeight = 96.0, 26.0, 20.0, 18.0
	mapTop                              = 18.0
	bandHeight                          = 3.0
	hatchStep                           = 6.0
	daysAMonth                          = 31
)

// SVG draws the map as an inline SVG element.
func (d DayMap) SVG() string {
	var m markup
	width, height := mapLeft+daysAMonth*mapCell, mapTop+mapRow*float64(len(d.Months))+4
	beginDrawing(&m, "chart days", d.ID, d.Title, d.Summary, width, height)
	var fills [dayClasses]shape
	var bands, hatch shape
	for i, month := range d.Months {
		y := mapTop + mapRow*float64(i)
		days := month.Days[:min(len(month.Days), daysAMonth)]
		for first := 0; first < len(days); {
			last := first
			for last+1 < len(days) && days[last+1].Class == days[first].Class {
				last++
			}
			x, w := mapLeft+float64(first)*mapCell, float64(last-first+1)*mapCell
			fills[days[first].Class].box(x, y, w, mapHeight)
			if days[first].Class == DayNoData {
				hatch.hatch(x, y, w, mapHeight)
			}
			first = last + 1
		}
		for k, day := range days {
			if day.Excluded {
				bands.box(mapLeft+float64(k)*mapCell, y+mapHeight-bandHeight, mapCell, bandHeight)
			}
		}
	}
	drawShapes(&m, fills[:], bands, hatch)
	var grid shape
	for k := 1; k < daysAMonth; k++ {
		grid.line(mapLeft+float64(k)*mapCell, mapTop, 0, height-mapTop)
	}
	m.empty("path", "class", "cut", "d", grid.String())
	for k := 0; k < daysAMonth; k += 5 {
		m.element("text", strconv.Itoa(k+1), "class", "axis", "x", mapLeft+(float64(k)+0.5)*mapCell, "y", mapTop-labelOffset, "text-anchor", "middle")
	}
	for i, month := range d.Months {
		y := mapTop + mapRow*float64(i) + mapHeight - labelOffset
		m.element("text", month.Label, "class", "axis", "x", mapLeft-2*labelOffset, "y", y, "text-anchor", "end")
		for k, day := range month.Days[:min(len(month.Days), daysAMonth)] {
			if glyph := day.Class.Glyph(); glyph != "" {
				m.element("text", glyph, "class", "on "+day.Class.name(), "x", mapLeft+(float64(k)+0.5)*mapCell, "y", y, "text-anchor", "middle")
			}
		}
	}
	m.end()
	return m.String()
}

// DayStrip shows days beside each other, the last one at the right. The worse a day,
// the shorter its bar.
type DayStrip struct {
	ID      string // unique on the page
	Title   string
	Summary string // the message in words, for those who do not see it
	Days    []CalendarDay
}

// The drawing of a strip, in user units.
const (
	stripSlot, stripBar, stripHeight = 6.0, 4.5, 28.0
)

// height is that of the bar of a class.
func (c DayClass) height() float64 {
	switch c {
	case DayFair:
		return stripHeight * 0.7
	case DayPoor:
		return stripHeight * 0.5
	case DayBad:
		return stripHeight * 0.3
	case DayNoData, DayBefore, DayFull, DayGood:
	}
	return stripHeight
}

// SVG draws the strip as an inline SVG element.
func (d DayStrip) SVG() string {
	var m markup
	width := stripSlot * float64(max(len(d.Days), 1))
	beginDrawing(&m, "strip days", d.ID, d.Title, d.Summary, width, stripHeight)
	var fills [dayClasses]shape
	var bands, hatch shape
	for i, day := range d.Days {
		x, h := float64(i)*stripSlot, day.Class.height()
		fills[day.Class].box(x, stripHeight-h, stripBar, h)
		if day.Class == DayNoData {
			hatch.hatch(x, 0, stripBar, stripHeight)
		}
		if day.Excluded {
			bands.box(x, stripHeight-bandHeight, stripBar, bandHeight)
		}
	}
	drawShapes(&m, fills[:], bands, hatch)
	m.end()
	return m.String()
}

func drawShapes(m *markup, fills []shape, bands, hatch shape) {
	for class, fill := range fills {
		if len(fill) > 0 && DayClass(class) != DayBefore { //nolint:gosec // there are seven
			m.empty("path", "class", DayClass(class).name(), "d", fill.String()) //nolint:gosec // there are seven
		}
	}
	if len(hatch) > 0 {
		m.empty("path", "class", "hatch", "d", hatch.String())
	}
	if len(bands) > 0 {
		m.empty("path", "class", "out", "d", bands.String())
	}
}

// beginDrawing opens an SVG element of any size with its title and description.
func beginDrawing(m *markup, class, id, title, description string, width, height float64) {
	ratio := ""
	if class == "strip days" {
		ratio = "none" // bars may be as wide as there is room
	}
	m.begin("svg", "class", class, "role", "img", "viewBox", "0 0 "+coordinate(width)+" "+coordinate(height), "preserveAspectRatio", ratio, "aria-labelledby", id+"-t "+id+"-d")
	m.element("title", title, "id", id+"-t")
	m.element("desc", description, "id", id+"-d")
}

// shape collects the data of one path.
type shape []byte

func (s *shape) move(command byte, x, y float64) {
	*s = appendCoordinate(append(appendCoordinate(append(*s, command), x), ' '), y)
}

// box adds a closed rectangle.
func (s *shape) box(x, y, w, h float64) {
	s.move('M', x, y)
	*s = appendCoordinate(append(*s, 'h'), w)
	*s = appendCoordinate(append(*s, 'v'), h)
	*s = append(appendCoordinate(append(*s, 'h'), -w), 'z')
}

func (s *shape) line(x, y, dx, dy float64) {
	s.move('M', x, y)
	s.move('l', dx, dy)
}

// hatch adds rising lines across a rectangle.
func (s *shape) hatch(x, y, w, h float64) {
	for at := hatchStep - h; at < w; at += hatchStep {
		// The line begins at the foot, or at the left edge where that is before it.
		left := max(at, 0)
		run := min(h-(left-at), w-left)
		s.line(x+left, y+h-(left-at), run, -run)
	}
}

// String returns the data of the path.
func (s shape) String() string { return string(s) }
