package report

import (
	"errors"
	"io"
	"strconv"
	"strings"
)

// CSVOptions says how a table is written as CSV.
type CSVOptions struct {
	BOM bool // begin with a byte order mark, for spreadsheets that need one
}

// CSV writes the header and the rows by RFC 4180, but with "\n" at line ends. A
// cell is its text, or the word of its state where it has none: a verdict beside a
// number needs a column of its own.
//
// Spreadsheets run a cell that begins with = + - @, a tab or a carriage return as a
// formula; it gets an apostrophe before it. In numeric columns signed numbers such
// as "-5.00 EUR" stay as they are.
//
// A row that is longer or shorter than the header is an error before anything is
// written. Bytes that are no UTF-8 become U+FFFD.
func (t Table) CSV(w io.Writer, options CSVOptions) error {
	if problems := t.problems(); len(problems) > 0 {
		return errors.New("report: table: " + strings.Join(problems, "; "))
	}
	var b []byte
	if options.BOM {
		b = append(b, "\ufeff"...)
	}
	line := func(cell func(i int) string) {
		for i := range t.Columns {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendCSV(b, cell(i), len(t.Columns) == 1)
		}
		b = append(b, '\n')
	}
	if len(t.Columns) > 0 {
		line(func(i int) string { return harmless(t.Columns[i].Title, false) })
		for row := range t.all() {
			line(func(i int) string {
				text := row[i].Text
				if text == "" {
					text = string(row[i].State)
				}
				return harmless(text, t.Columns[i].Numeric)
			})
		}
	}
	_, err := w.Write(b)
	return err
}

// CSV writes what the document says as one table with a line for each value, in the
// words and forms of numbers of its language. The columns are
//
//	section  id of the section
//	block    caption of the table, or title of the chart
//	row      number of the row from 1, empty for a text
//	column   title of the column, or label of the tile
//	value    the text
//	state    the word of the state, empty for none
//
// Charts are their summary and their values as tables. The form for programs is another:
// [ServiceReport.Data], and the table of breaches or of key figures.
//
// Formulas of spreadsheets are made harmless as by [Table.CSV]. The errors are those of
// [Document.Validate] and of w.
func (d Document) CSV(w io.Writer, options CSVOptions) error {
	if err := d.Validate(); err != nil {
		return err
	}
	l := d.language()
	var b []byte
	if options.BOM {
		b = append(b, "\ufeff"...)
	}
	b = append(b, "section,block,row,column,value,state\n"...)
	for _, s := range d.Sections {
		line := func(block string, row int, column, value string, state State, numeric bool) {
			number, word := "", ""
			if row > 0 {
				number = strconv.Itoa(row)
			}
			if state != "" {
				word = l.word(state)
			}
			if value == "" {
				value = word
			}
			for i, cell := range [...]string{s.ID, block, number, column, value, word} {
				if i > 0 {
					b = append(b, ',')
				}
				b = appendCSV(b, harmless(cell, numeric && i == 4), false)
			}
			b = append(b, '\n')
		}
		table := func(t Table) {
			for n, row := range t.held().Rows {
				for i, c := range row {
					line(t.Caption, n+1, t.Columns[i].Title, c.Text, c.State, t.Columns[i].Numeric)
				}
			}
		}
		figure := func(title, summary string, tables []Table) {
			line(title, 0, "", summary, "", false)
			for _, t := range tables {
				table(t)
			}
		}
		for _, block := range s.Blocks {
			switch block := block.(type) {
			case Text:
				line("", 0, "", string(block), "", false)
			case Tiles:
				for i, t := range block {
					line("", i+1, t.Label, t.Value, t.State, true)
					line("", i+1, l.t("note"), t.Note, "", false)
				}
			case Timeline:
				for i, e := range block {
					line("", i+1, l.t("when"), l.second(e.At), "", false)
					line("", i+1, l.t("stage"), e.Stage, "", false)
					line("", i+1, l.t("what"), e.Text, "", false)
					line("", i+1, l.t("why"), e.Why, "", false)
				}
			case Table:
				table(block)
			case Chart:
				figure(block.Title, block.Summary, block.tables(l))
			case Bars:
				figure(block.Title, block.Summary, block.tables(l))
			case Steps:
				figure(block.Title, block.Summary, block.tables(l))
			}
		}
	}
	_, err := w.Write(b)
	return err
}

// appendCSV quotes what a reader would take apart. An empty cell that is alone in
// its row is quoted too, because readers skip empty lines.
func appendCSV(b []byte, cell string, alone bool) []byte {
	cell = strings.ToValidUTF8(cell, "\ufffd")
	if !strings.ContainsAny(cell, ",\"\r\n") && strings.TrimSpace(cell) == cell && (!alone || cell != "") {
		return append(b, cell...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(cell, `"`, `""`)...)
	return append(b, '"')
}

// harmless puts an apostrophe before what a spreadsheet would run.
func harmless(cell string, numeric bool) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) || numeric && isSigned(cell) {
		return cell
	}
	return "'" + cell
}

// isSigned reports whether a text is a signed number, with a unit or without.
func isSigned(text string) bool {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return true
	}
	if text[0] != '+' && text[0] != '-' || len(text) < 2 || text[1] < '0' || text[1] > '9' {
		return false
	}
	for _, r := range text[1:] {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if digit := r >= '0' && r <= '9'; !letter && !digit && !strings.ContainsRune(" .,%€$£×\u00a0\u202f", r) {
			return false
		}
	}
	return true
}
