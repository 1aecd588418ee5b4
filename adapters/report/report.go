// Package report turns figures into documents: one [Document] model, rendered as
// plain text, Markdown, JSON, CSV, PDF or a self-contained HTML page with SVG charts; a
// [Table] alone is written as CSV too.
//
// A document is data: sections of blocks ([Text], [Tiles], [Table], [Timeline],
// [Chart], [Bars], [Steps]). All renderers work from the same values, so a number is the
// same in every format, and the same document gives the same bytes every time. The HTML
// has no script and loads nothing; it follows the reader's light or dark scheme,
// prints on paper, and says every state with a glyph and a word beside the colour.
//
//	doc := report.Document{Title: "October", Sections: []report.Section{{
//		ID: "availability", Title: "Availability",
//		Blocks: []report.Block{report.Tiles{{Label: "api", Value: "99.926174 %", State: report.Good}}},
//	}}}
//	err := doc.HTML(os.Stdout)
//
// Texts are escaped for each format; nothing in a document is trusted as markup.
// A document that cannot be drawn is refused by every renderer before anything is
// written; [Document.Validate] says why. All functions are safe for concurrent use
// as long as the document is not changed meanwhile.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Document is what is rendered. Sections come in their order.
type Document struct {
	Title     string         `json:"title"`
	Locale    string         `json:"lang,omitempty"` // of the texts, a tag like "nl" or "pt-BR". Defaults to "en".
	Subtitle  string         `json:"subtitle,omitempty"`
	Generated time.Time      `json:"generated"` // the instant for which the document speaks
	Zone      *time.Location `json:"-"`         // of the times shown. Defaults to UTC.
	Sources   []Source       `json:"sources,omitempty"`
	Sections  []Section      `json:"sections"`
}

// Source is an input that the figures come from.
type Source struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Section is a headed part. ID becomes the anchor in HTML and the key in JSON; it
// is unique in the document.
type Section struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`
	Blocks []Block `json:"blocks"`
}

// Block is one of Text, Tiles, Table, Timeline, Chart, Bars and Steps.
type Block interface {
	kind() string
}

// Text is a paragraph.
type Text string

// Tiles are headline numbers beside each other.
type Tiles []Tile

// Tile is one headline number.
type Tile struct {
	Label string `json:"label"`
	Value string `json:"value"`
	Note  string `json:"note,omitempty"` // target and verdict in words
	State State  `json:"state,omitempty"`
}

// Table has one header row; every row has as many cells as there are columns.
type Table struct {
	Caption string   `json:"caption"`
	Columns []Column `json:"columns"`
	Rows    [][]Cell `json:"rows"`

	// More yields the rows that follow Rows, the same each time it is asked, for a table
	// that is too long to be held. A row is not looked at after the next one; one with too
	// few or too many cells is filled up or cut. Text, Markdown and HTML are written while
	// it is read, the other forms hold all rows. Defaults to none.
	More iter.Seq[[]Cell] `json:"-"`
}

// all yields all rows.
func (t Table) all() iter.Seq[[]Cell] {
	return func(yield func([]Cell) bool) {
		for _, row := range t.Rows {
			if !yield(row) {
				return
			}
		}
		if t.More == nil {
			return
		}
		for row := range t.More {
			if n := len(t.Columns); len(row) != n {
				row = append(slices.Clone(row), make([]Cell, n)...)[:n]
			}
			if !yield(row) {
				return
			}
		}
	}
}

// held returns the table with all rows in Rows.
func (t Table) held() Table {
	if t.More == nil {
		return t
	}
	var rows [][]Cell
	for row := range t.all() {
		rows = append(rows, slices.Clone(row))
	}
	t.Rows, t.More = rows, nil
	return t
}

// held returns the document with all rows of its tables in Rows.
func (d Document) held() Document {
	d.Sections = slices.Clone(d.Sections)
	for i, s := range d.Sections {
		blocks := slices.Clone(s.Blocks)
		for j, block := range blocks {
			if t, ok := block.(Table); ok {
				blocks[j] = t.held()
			}
		}
		d.Sections[i].Blocks = blocks
	}
	return d
}

// MarshalJSON writes all rows.
func (t Table) MarshalJSON() ([]byte, error) {
	type plain Table
	return json.Marshal(plain(t.held()))
}

// Column is a column of a table.
type Column struct {
	Title   string `json:"title"`
	Numeric bool   `json:"numeric,omitempty"` // set flush right
}

// Cell is a cell of a table. With a state, the state's glyph stands before the
// text, and its word instead of an empty text.
type Cell struct {
	Text  string `json:"text"`
	State State  `json:"state,omitempty"`
}

// Corrected returns the document as the n-th correction of one that was sent before: its
// title and a first paragraph say so in its language. 0 is the document as it is.
func (d Document) Corrected(n int) Document {
	if n == 0 {
		return d
	}
	l := d.language()
	before := d.Title
	if n > 1 {
		before = l.t("corrected", d.Title, n-1)
	}
	note := Section{"correction", l.t("correction"), []Block{Text(l.t("replaces", before))}}
	d.Title = l.t("corrected", d.Title, n)
	d.Sections = append([]Section{note}, d.Sections...)
	return d
}

// Columns returns columns of text.
func Columns(titles ...string) []Column {
	list := make([]Column, len(titles))
	for i, title := range titles {
		list[i].Title = title
	}
	return list
}

// Cells returns cells of text.
func Cells(texts ...string) []Cell {
	row := make([]Cell, len(texts))
	for i, text := range texts {
		row[i].Text = text
	}
	return row
}

// Timeline is what happened, in order.
type Timeline []Event

// Event is one entry of a timeline.
type Event struct {
	At    time.Time `json:"at"`
	Stage string    `json:"stage"` // what kind of thing happened, one word
	Text  string    `json:"text"`
	Why   string    `json:"why,omitempty"`
}

func (Text) kind() string     { return "text" }
func (Tiles) kind() string    { return "tiles" }
func (Table) kind() string    { return "table" }
func (Timeline) kind() string { return "timeline" }
func (Chart) kind() string    { return "chart" }
func (Bars) kind() string     { return "bars" }
func (Steps) kind() string    { return "steps" }

// State is the verdict on a figure. It is always shown as a glyph and a word;
// colour only repeats it.
type State string

// The states of services, targets and budgets.
const (
	Good        State = "healthy"
	Warning     State = "degraded"
	Bad         State = "breached"
	Maintenance State = "maintenance"
	NoData      State = "no data"
)

// Glyph returns the sign of a state that reads without colour.
func (s State) Glyph() string {
	switch s {
	case Good:
		return "✓"
	case Warning:
		return "▲"
	case Bad:
		return "✕"
	case Maintenance:
		return "◷"
	case NoData:
		return "–"
	}
	return ""
}

// class is the name of a state in the style sheet.
func (s State) class() string {
	if s == NoData {
		return "no-data"
	}
	return string(s)
}

// Validate returns all that is wrong with the document, joined: a language that
// is no tag, ids that are missing, used twice or no single word, blocks of another
// type than those of this package, rows of a table that are longer or shorter than
// its header, charts whose time does not run forward or whose axis is not finite,
// and too many bars. A drawing also takes the ids that begin with its own and end
// in "-t", "-d" and "-h".
func (d Document) Validate() error {
	var problems []error
	bad := func(path, text string) { problems = append(problems, errors.New("report: "+path+": "+text)) }
	if !isTag(d.lang()) {
		bad("lang", fmt.Sprintf("%q: want a language tag like \"en\"", d.Locale))
	}
	ids := map[string]bool{}
	id := func(path, id string) {
		if len(strings.Fields(id)) != 1 || ids[id] {
			bad(path, fmt.Sprintf("id %q: want a word of its own", id))
		}
		ids[id] = true
	}
	drawing := func(path, name string, found []string) {
		for _, suffix := range []string{"", "-t", "-d", "-h"} {
			id(path, name+suffix)
		}
		for _, problem := range found {
			bad(path, problem)
		}
	}
	for i, s := range d.Sections {
		id("sections["+strconv.Itoa(i)+"]", s.ID)
		for j, block := range s.Blocks {
			path := "sections[" + strconv.Itoa(i) + "].blocks[" + strconv.Itoa(j) + "]"
			switch block := block.(type) {
			case Text, Tiles, Timeline:
			case Table:
				for _, problem := range block.problems() {
					bad(path, problem)
				}
			case Chart:
				drawing(path, block.ID, block.problems())
			case Bars:
				drawing(path, block.ID, block.problems())
			case Steps:
				drawing(path, block.ID, block.problems())
			default:
				bad(path, fmt.Sprintf("found %T, want Text, Tiles, Table, Timeline, Chart, Bars or Steps", block))
			}
		}
	}
	return errors.Join(problems...)
}

func (t Table) problems() []string {
	var all []string
	for i, row := range t.Rows {
		if len(row) != len(t.Columns) {
			all = append(all, fmt.Sprintf("row %d has %d cells, want %d", i, len(row), len(t.Columns)))
		}
	}
	return all
}

func (c Chart) problems() []string {
	var all []string
	if !c.Start.Before(c.End) {
		all = append(all, fmt.Sprintf("start %v: want an instant before the end %v", c.Start, c.End))
	}
	if !finite(c.Max) || c.Max < 0 {
		all = append(all, fmt.Sprintf("max %v: want a number, 0 or more", c.Max))
	}
	return append(all, limitProblems(c.Limits)...)
}

func limitProblems(limits []Limit) []string {
	var all []string
	for _, l := range limits {
		if !finite(l.Value) {
			all = append(all, fmt.Sprintf("limit %q at %v: want a number", l.Name, l.Value))
		}
	}
	return all
}

// finite reports whether x is neither NaN nor infinite.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func (d Document) lang() string {
	if d.Locale == "" {
		return "en"
	}
	return d.Locale
}

// isTag reports whether a text has the shape of a language tag of RFC 5646:
// letters first, then parts of one to eight letters and digits behind hyphens.
func isTag(text string) bool {
	for i, part := range strings.Split(text, "-") {
		if len(part) == 0 || len(part) > 8 || i == 0 && len(part) < 2 {
			return false
		}
		for _, r := range part {
			letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
			if !letter && (i == 0 || r < '0' || r > '9') {
				return false
			}
		}
	}
	return true
}

// clockLayout shows an instant to a reader, with its zone.
const clockLayout = "2 Jan 2006 15:04:05 MST"

func clock(t time.Time, zone *time.Location) string { return t.In(zone).Format(clockLayout) }
