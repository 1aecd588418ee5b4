// Package table reads the data files of the programs: CSV with a header, any order
// of rows, empty cells for what is absent; or the same rows as JSON objects, where
// the name ends in .jsonl or .json. Every problem of a file is reported, as
// `file:line: column: text`, the header being line 1.
package table

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Table is a file that is read row by row.
type Table struct {
	name     string
	reader   *csv.Reader
	objects  *objects // instead of it
	columns  []string
	row      []string
	line     int
	rows     int
	failed   int // line of the last problem of a cell
	problems Problems
	limit    *limit // of rows of CSV
}

// Any stands for all columns that a file has, see [Table.Columns].
const Any = "*"

// byteOrderMark may stand before the header, as spreadsheets write it.
const byteOrderMark = "\ufeff"

// Open reads the header. Columns that are required must be there; those that are
// neither required nor optional are returned as unknown. A file of objects has no
// header: what it does not have is absent in its rows, and what is unknown is told
// by [Table.Unknown]. With [Any] among the optional ones no column is unknown.
func Open(name string, r io.Reader, required, optional []string) (t *Table, unknown []string, err error) {
	rows := &limit{r: r, left: MaxLine}
	text := bufio.NewReader(rows)
	if _, err := Plain(name, text); err != nil {
		return nil, nil, err
	}
	if isObjects(name) {
		columns := slices.DeleteFunc(slices.Concat(required, optional), func(column string) bool { return column == Any })
		o := newObjects(name, text, rows, columns)
		o.any = slices.Contains(optional, Any)
		return &Table{name: name, columns: columns, objects: o}, nil, nil
	}
	t = &Table{name: name, reader: csv.NewReader(text), limit: rows}
	t.reader.ReuseRecord = true
	header, err := t.reader.Read()
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s:1: want a header line: %w", name, err)
	case len(header) > maxKeys:
		return nil, nil, fmt.Errorf("%s:1: found %d columns, want at most %d", name, len(header), maxKeys)
	}
	for _, column := range required {
		if !slices.Contains(header, column) {
			err = errors.Join(err, fmt.Errorf("%s:1: %s: the column is missing", name, column))
		}
	}
	for i, column := range header {
		if slices.Contains(header[:i], column) {
			err = errors.Join(err, fmt.Errorf("%s:1: %s: the column stands twice", name, column))
		}
		if !slices.Contains(required, column) && !slices.Contains(optional, column) && !slices.Contains(optional, Any) {
			unknown = append(unknown, column)
		}
	}
	t.columns = slices.Clone(header) // the reader uses it again
	t.line = 1
	return t, unknown, err
}

// Next goes to the next row that can be read; false at the end, or where the
// file cannot be read any further.
func (t *Table) Next() bool {
	if t.objects != nil {
		return t.nextObject()
	}
	for {
		t.limit.left = MaxLine
		row, err := t.reader.Read()
		at := (*csv.ParseError)(nil)
		switch {
		case err == nil:
			t.line, _ = t.reader.FieldPos(0)
			t.rows++
			t.row = row
			return true
		case errors.Is(err, io.EOF):
			return false
		case errors.As(err, new(*RowError)):
			t.problems.Add(fmt.Errorf("%s:%d: %w", t.name, t.line+1, err)) // where it begins
			return false
		case !errors.As(err, &at):
			t.problems.Add(fmt.Errorf("%s: %w", t.name, err))
			return false
		}
		t.problems.Add(fmt.Errorf("%s:%d: %w", t.name, at.Line, at.Err))
	}
}

func (t *Table) nextObject() bool {
	for {
		row, line, err := t.objects.next()
		switch {
		case err == nil:
			t.row, t.line, t.columns = row, line, t.objects.columns
			t.rows++
			return true
		case errors.Is(err, io.EOF) && line == 0:
			return false
		case line == 0:
			t.problems.Add(fmt.Errorf("%s: %w", t.name, err))
			return false
		}
		t.problems.Add(fmt.Errorf("%s:%d: %w", t.name, line, err))
		if !errors.As(err, new(fault)) {
			return false
		}
	}
}

// Unknown returns the keys of the objects read so far that are no columns, in the
// order in which they were found.
func (t *Table) Unknown() []Key {
	if t.objects == nil {
		return nil
	}
	return t.objects.unknown
}

// Columns returns the columns in the order of the header; of objects, those that were
// asked for and then those found so far, with [Any].
func (t *Table) Columns() []string { return t.columns }

// Rows returns how many rows were read.
func (t *Table) Rows() int { return t.rows }

// Line returns the line of the row in the file.
func (t *Table) Line() int { return t.line }

// Unfinished returns the line of the last row if nothing ends it, as in a file that was
// not written to its end, and else 0. Ask when Next has returned false. What is cut off an
// object is a problem of its own.
func (t *Table) Unfinished() int {
	if t.objects != nil || t.rows == 0 || t.limit.last == '\n' || t.limit.last == '\r' {
		return 0
	}
	return t.line
}

// Err returns all problems, joined; of very many, the first.
func (t *Table) Err() error { return t.problems.Err(t.name) }

// Fail records a problem of the row.
func (t *Table) Fail(column, format string, args ...any) {
	t.failed = t.line
	t.problems.Add(fmt.Errorf("%s:%d: %s: %s", t.name, t.line, column, fmt.Sprintf(format, args...)))
}

// Failed reports whether a problem of the row was recorded.
func (t *Table) Failed() bool { return t.failed == t.line }

// Text returns the cell of a column, "" when absent. It shares its memory with
// the whole row; clone it to keep it.
func (t *Table) Text(column string) string {
	if i := slices.Index(t.columns, column); i >= 0 {
		return t.row[i]
	}
	return ""
}

// Required returns the cell of a column that must not be empty.
func (t *Table) Required(column string) string {
	text := t.Text(column)
	if text == "" {
		t.Fail(column, "the cell is empty")
	}
	return text
}

// Time returns the instant in a column, zero when absent.
func (t *Table) Time(column string) time.Time {
	text := t.Text(column)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fail(column, "found %q, want a time with a zone, like 2026-10-01T00:00:00Z", text)
	}
	return at.UTC()
}

// RequiredTime returns the instant in a column that must not be empty.
func (t *Table) RequiredTime(column string) time.Time {
	t.Required(column)
	return t.Time(column)
}

// Count returns the whole number in a column that must not be empty.
func (t *Table) Count(column string) uint64 {
	text := t.Text(column)
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fail(column, "found %q, want a whole number", text)
	}
	return n
}

// Number returns the number in a column; ok is false when the cell is empty or
// NaN. Infinities are refused.
func (t *Table) Number(column string) (x float64, ok bool) {
	text := t.Text(column)
	if text == "" || strings.EqualFold(text, "nan") {
		return 0, false
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || x-x != 0 {
		t.Fail(column, "found %q, want a number, NaN or nothing", text)
		return 0, false
	}
	return x, true
}

// Flag returns true or false in a column; ok is false when the cell is empty.
func (t *Table) Flag(column string) (is, ok bool) {
	switch text := t.Text(column); strings.ToLower(text) {
	case "":
		return false, false
	case "true":
		return true, true
	case "false":
		return false, true
	default:
		t.Fail(column, "found %q, want true, false or nothing", text)
		return false, false
	}
}

// Severity returns the severity in a column, unset when absent.
func (t *Table) Severity(column string) incident.Severity {
	text := t.Text(column)
	if text == "" {
		return 0
	}
	s, err := incident.ParseSeverity(text)
	if err != nil {
		t.Fail(column, "%v", err)
	}
	return s
}

// Word returns the cell of a column that must be one of the words.
func (t *Table) Word(column string, words ...string) string {
	text := t.Text(column)
	if !slices.Contains(words, text) {
		t.Fail(column, "found %q, want one of %s", text, strings.Join(words, ", "))
	}
	return text
}
