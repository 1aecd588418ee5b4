// Package report turns figures into documents: one [Document] model, rendered as
// plain text, JSON or a self-contained HTML page with SVG charts.
//
// A document is data: sections of blocks ([Text], [Tiles], [Table], [Timeline],
// [Chart]). All renderers work from the same values, so a number is the same in
// every format, and the same document gives the same bytes every time. The HTML
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
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Document is what is rendered. Sections come in their order.
type Document struct {
	Title     string         `json:"title"`
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

// Block is one of Text, Tiles, Table, Timeline and Chart.
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

// label joins the glyph of a state with a text; an empty text becomes the word
// of the state.
func (s State) label(text string) string {
	switch {
	case s == "":
		return text
	case text == "":
		return s.Glyph() + " " + string(s)
	}
	return s.Glyph() + " " + text
}

// Validate returns all that is wrong with the document, joined: ids that are
// missing, used twice or no single word, blocks of another type than those of
// this package, rows of a table that are longer or shorter than its header, and
// charts whose time does not run forward or whose axis is not finite.
func (d Document) Validate() error {
	var problems []error
	bad := func(path, format string, args ...any) {
		problems = append(problems, fmt.Errorf("report: "+path+": "+format, args...))
	}
	ids := map[string]bool{}
	id := func(path, id string) {
		if len(strings.Fields(id)) != 1 || ids[id] {
			bad(path, "id %q: want a word of its own", id)
		}
		ids[id] = true
	}
	for i, s := range d.Sections {
		id(fmt.Sprintf("sections[%d]", i), s.ID)
		for j, block := range s.Blocks {
			path := fmt.Sprintf("sections[%d].blocks[%d]", i, j)
			switch block := block.(type) {
			case Text, Tiles, Timeline:
			case Table:
				for k, row := range block.Rows {
					if len(row) != len(block.Columns) {
						bad(path, "row %d has %d cells, want %d", k, len(row), len(block.Columns))
					}
				}
			case Chart:
				id(path, block.ID)
				for _, problem := range block.problems() {
					bad(path, "%s", problem)
				}
			default:
				bad(path, "found %T, want Text, Tiles, Table, Timeline or Chart", block)
			}
		}
	}
	return errors.Join(problems...)
}

func (c Chart) problems() []string {
	var all []string
	if !c.Start.Before(c.End) {
		all = append(all, fmt.Sprintf("start %v: want an instant before the end %v", c.Start, c.End))
	}
	if !finite(c.Max) || c.Max < 0 {
		all = append(all, fmt.Sprintf("max %v: want a number, 0 or more", c.Max))
	}
	for _, l := range c.Limits {
		if !finite(l.Value) {
			all = append(all, fmt.Sprintf("limit %q at %v: want a number", l.Name, l.Value))
		}
	}
	return all
}

// finite reports whether x is neither NaN nor infinite.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func (d Document) zone() *time.Location {
	if d.Zone == nil {
		return time.UTC
	}
	return d.Zone
}

// clock formats an instant for a reader, with its zone.
func clock(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2 Jan 2006 15:04:05 MST")
}
