package table

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/examples/internal/flat"
)

// Key is a key of a JSON object that the table does not use.
type Key struct {
	Name string
	Line int // where it first occurs
}

// What a file may hold, so that one that is no table of ours takes no more memory than
// one that is: bytes of a row, keys of an object and columns, and keys that nobody knows
// which are listed.
const (
	MaxLine    = 1 << 20 // also for those who read lines by themselves
	maxKeys    = 1000
	maxUnknown = 100
)

// objects reads the rows of a table from JSON: one object a line in .jsonl, an
// array of objects in .json. Keys are the columns; null and a key that is absent
// are an empty cell. Texts, numbers, true and false are cells as they stand.
type objects struct {
	columns []string
	row     []string
	unknown []Key
	any     bool     // what is unknown becomes a column
	seen    []string // keys of the object that is read

	lines *bufio.Scanner // of .jsonl
	line  int

	array    *json.Decoder // of .json
	limit    *limit        // of its elements
	newlines *newlines
	begun    bool
}

// isObjects reports whether a file holds objects, by its name.
func isObjects(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".jsonl" || ext == ".json"
}

func newObjects(name string, r io.Reader, rows *limit, columns []string) *objects {
	o := &objects{columns: columns, row: make([]string, len(columns))}
	if strings.EqualFold(filepath.Ext(name), ".json") {
		o.newlines = &newlines{r: r, line: 1}
		o.array, o.limit = json.NewDecoder(o.newlines), rows
		return o
	}
	rows.left = -1 // lines have their own
	o.lines = bufio.NewScanner(r)
	o.lines.Buffer(nil, MaxLine)
	return o
}

// fault is a row that cannot be read, where the next one may.
type fault struct{ error }

// next reads the next row; io.EOF is the end.
func (o *objects) next() (row []string, line int, err error) {
	if o.array != nil {
		return o.element()
	}
	for o.lines.Scan() {
		o.line++
		if text := bytes.TrimSpace(o.lines.Bytes()); len(text) > 0 {
			row, err := o.object(text)
			return row, o.line, err
		}
	}
	if err := o.lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, o.line + 1, fmt.Errorf("want lines of at most %d bytes", MaxLine)
	} else if err != nil {
		return nil, 0, err
	}
	return nil, 0, io.EOF
}

// element reads an element of the array.
func (o *objects) element() (row []string, line int, err error) {
	o.limit.left = MaxLine
	if !o.begun {
		if token, err := o.array.Token(); err != nil || token != json.Delim('[') {
			return nil, 1, errors.New("want an array of objects: " + orNothing(err))
		}
		o.begun = true
	}
	if !o.array.More() {
		if _, err := o.array.Token(); err != nil {
			return nil, o.failed(err), errors.New("want an array of objects: " + orNothing(err))
		}
		if _, err := o.array.Token(); !errors.Is(err, io.EOF) {
			return nil, o.newlines.at(o.array.InputOffset()), errors.New("want nothing after the array")
		}
		return nil, 0, io.EOF
	}
	var text json.RawMessage
	if err := o.array.Decode(&text); err != nil {
		return nil, o.failed(err), err
	}
	if len(text) > MaxLine { // the limit leaves out what was read ahead
		return nil, o.newlines.at(o.array.InputOffset() - int64(len(text))), &RowError{MaxLine}
	}
	line = o.newlines.at(o.array.InputOffset() - int64(len(text)))
	o.line = line
	row, err = o.object(text)
	return row, line, err
}

// failed returns the line at which the array cannot be read any further.
func (o *objects) failed(err error) int {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return o.newlines.at(o.newlines.read)
	}
	if errors.As(err, new(*RowError)) { // where the row begins, after blanks
		rest, _ := io.ReadAll(o.array.Buffered()) // of memory
		return o.newlines.at(o.array.InputOffset() + int64(len(rest)-len(bytes.TrimLeft(rest, " \t\r\n"))))
	}
	return o.newlines.at(o.array.InputOffset())
}

func orNothing(err error) string {
	if err == nil {
		return "found something else"
	}
	return err.Error()
}

// object reads one object into the row.
func (o *objects) object(text []byte) ([]string, error) {
	clear(o.row)
	o.seen = o.seen[:0]
	if flat.Read(string(text), func(key string, v flat.Value) bool {
		if v.Kind == flat.Null {
			v.Text = ""
		}
		return v.Kind != flat.Object && o.take(key, v.Text) == nil
	}) {
		return o.row, nil
	}
	clear(o.row)
	o.seen = o.seen[:0]
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, fault{errors.New("want an object like {\"id\": \"INC-1\"}")}
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, fault{err}
		}
		key, _ := token.(string)
		if token, err = d.Token(); err != nil {
			return nil, fault{err}
		}
		cell := ""
		switch value := token.(type) {
		case string:
			cell = value
		case json.Number:
			cell = value.String()
		case bool:
			cell = strconv.FormatBool(value)
		case json.Delim:
			return nil, fault{fmt.Errorf("%s: want a text, a number, true, false or null", key)}
		}
		if err := o.take(key, cell); err != nil {
			return nil, fault{err}
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, fault{err}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fault{errors.New("want one object a line")}
	}
	return o.row, nil
}

// take puts a cell into the row.
func (o *objects) take(key, cell string) error {
	if len(o.seen) == maxKeys {
		return fmt.Errorf("want objects of at most %d keys", maxKeys)
	}
	if slices.Contains(o.seen, key) {
		return fmt.Errorf("%s: the key stands twice", key)
	}
	o.seen = append(o.seen, key)
	if i := slices.Index(o.columns, key); i >= 0 {
		o.row[i] = cell
		return nil
	}
	key = strings.Clone(key) // which is a part of the row
	if o.any {
		if len(o.columns) >= maxKeys {
			return fmt.Errorf("%s: want at most %d columns", key, maxKeys)
		}
		o.columns, o.row = append(o.columns, key), append(o.row, cell)
	} else if len(o.unknown) < maxUnknown && !slices.ContainsFunc(o.unknown, func(k Key) bool { return k.Name == key }) {
		o.unknown = append(o.unknown, Key{key, o.line})
	}
	return nil
}

// newlines remembers where the lines of what was read end, as far as they are
// still to come.
type newlines struct {
	r    io.Reader
	read int64
	ends []int64 // offsets behind the line ends
	line int     // of the last offset asked for
}

// Read reads on and notes where lines end.
func (n *newlines) Read(p []byte) (int, error) {
	size, err := n.r.Read(p)
	for i, b := range p[:size] {
		if b == '\n' {
			n.ends = append(n.ends, n.read+int64(i)+1)
		}
	}
	n.read += int64(size)
	return size, err
}

// at returns the line of an offset. Offsets must not fall.
func (n *newlines) at(offset int64) int {
	for len(n.ends) > 0 && n.ends[0] <= offset {
		n.ends = n.ends[1:]
		n.line++
	}
	return n.line
}
