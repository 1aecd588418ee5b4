package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Text writes the document as plain text. Charts appear as their summary. The
// errors are those of [Document.Validate] and of w.
func (d Document) Text(w io.Writer) error {
	if err := d.Validate(); err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s\n%s\n", d.Title, strings.Repeat("=", utf8.RuneCountInString(d.Title)))
	if d.Subtitle != "" {
		fmt.Fprintln(b, d.Subtitle)
	}
	for _, s := range d.Sections {
		fmt.Fprintf(b, "\n%s\n%s\n", s.Title, strings.Repeat("-", utf8.RuneCountInString(s.Title)))
		for i, block := range s.Blocks {
			if _, text := block.(Text); i > 0 && !text {
				fmt.Fprintln(b)
			}
			writeText(b, block, d.zone())
		}
	}
	if !d.Generated.IsZero() {
		fmt.Fprintf(b, "\nAs of %s, from %d sources.\n", clock(d.Generated, d.zone()), len(d.Sources))
	}
	return b.Flush()
}

func writeText(w io.Writer, block Block, zone *time.Location) {
	switch block := block.(type) {
	case Text:
		fmt.Fprintln(w, string(block))
	case Tiles:
		rows := make([][]string, len(block))
		for i, t := range block {
			rows[i] = []string{t.Label, t.State.label(t.Value), t.Note}
		}
		writeColumns(w, rows, nil)
	case Table:
		if block.Caption != "" {
			fmt.Fprintf(w, "%s:\n", block.Caption)
		}
		numeric := make([]bool, len(block.Columns))
		rows := [][]string{make([]string, len(block.Columns))}
		for i, c := range block.Columns {
			rows[0][i], numeric[i] = c.Title, c.Numeric
		}
		for _, row := range block.Rows {
			cells := make([]string, len(row))
			for i, c := range row {
				cells[i] = c.State.label(c.Text)
			}
			rows = append(rows, cells)
		}
		writeColumns(w, rows, numeric)
	case Timeline:
		for _, e := range block {
			fmt.Fprintf(w, "%s  %-10s  %s", e.At.In(zone).Format("15:04:05 MST"), e.Stage, e.Text)
			if e.Why != "" {
				fmt.Fprintf(w, "  (%s)", e.Why)
			}
			fmt.Fprintln(w)
		}
	case Chart:
		fmt.Fprintf(w, "%s: %s\n", block.Title, block.Summary)
	case Bars:
		fmt.Fprintf(w, "%s: %s\n", block.Title, block.Summary)
	case Steps:
		fmt.Fprintf(w, "%s: %s\n", block.Title, block.Summary)
	}
}

// writeColumns pads cells by runes, numbers to the right.
func writeColumns(w io.Writer, rows [][]string, numeric []bool) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < len(numeric) && numeric[i] {
				line.WriteString(pad + cell)
			} else {
				line.WriteString(cell + pad)
			}
			line.WriteString("  ")
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// JSON writes the document as indented JSON; a block is an object with its kind
// and its data. The errors are those of [Document.Validate] and of w.
func (d Document) JSON(w io.Writer) error {
	if err := d.Validate(); err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(d)
}

// MarshalJSON writes the blocks with their kinds.
func (s Section) MarshalJSON() ([]byte, error) {
	type tagged struct {
		Kind string `json:"kind"`
		Data Block  `json:"data"`
	}
	blocks := make([]tagged, len(s.Blocks))
	for i, b := range s.Blocks {
		blocks[i] = tagged{b.kind(), b}
	}
	return json.Marshal(struct {
		ID     string   `json:"id"`
		Title  string   `json:"title"`
		Blocks []tagged `json:"blocks"`
	}{s.ID, s.Title, blocks})
}
