package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// Text writes the document as plain text. Charts appear as their summary. The
// errors are those of [Document.Validate] and of w.
func (d Document) Text(w io.Writer) error {
	if err := d.Validate(); err != nil {
		return err
	}
	b, l := bufio.NewWriter(w), d.language()
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
			writeText(b, block, l)
		}
	}
	if !d.Generated.IsZero() {
		fmt.Fprintf(b, "\n%s\n", l.asOf(d))
	}
	return b.Flush()
}

func writeText(w io.Writer, block Block, l language) {
	switch block := block.(type) {
	case Text:
		fmt.Fprintln(w, string(block))
	case Tiles:
		rows := make([][]string, len(block))
		for i, t := range block {
			rows[i] = []string{t.Label, l.label(t.State, t.Value), t.Note}
		}
		writeColumns(w, slices.Values(rows), nil)
	case Table:
		if block.Caption != "" {
			fmt.Fprintf(w, "%s:\n", block.Caption)
		}
		numeric := make([]bool, len(block.Columns))
		head := make([]string, len(block.Columns))
		for i, c := range block.Columns {
			head[i], numeric[i] = c.Title, c.Numeric
		}
		cells := make([]string, len(head))
		writeColumns(w, func(yield func([]string) bool) {
			if !yield(head) {
				return
			}
			for row := range block.all() {
				for i, c := range row {
					cells[i] = l.label(c.State, c.Text)
				}
				if !yield(cells) {
					return
				}
			}
		}, numeric)
	case Timeline:
		for _, e := range block {
			fmt.Fprintf(w, "%s  %-10s  %s", e.At.In(l.zone).Format("15:04:05 MST"), e.Stage, e.Text)
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

// writeColumns pads cells by runes, numbers to the right. It goes through the rows twice.
func writeColumns(w io.Writer, rows iter.Seq[[]string], numeric []bool) {
	var widths []int
	for row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var line []byte
	pad := func(n int) {
		for range n {
			line = append(line, ' ')
		}
	}
	for row := range rows {
		line = line[:0]
		for i, cell := range row {
			left := widths[i] - utf8.RuneCountInString(cell)
			if i < len(numeric) && numeric[i] {
				pad(left)
				left = 0
			}
			line = append(line, cell...)
			pad(left + 2)
		}
		line = append(bytes.TrimRight(line, " "), '\n')
		_, _ = w.Write(line) // a bufio.Writer, which keeps its error
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
