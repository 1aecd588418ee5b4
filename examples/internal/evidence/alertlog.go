package evidence

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/internal/table"
)

// Take takes the arrivals of a log in their order: by instant, and else as they stand in the
// file. An error ends what is handed over, and not the look for problems in the file.
//
// Readers of logs are given begin, which returns a Take. A log that is in order is handed
// over while it is read, and no row is held. In one that is not, what was handed over does
// not count: begin is called again, the places of the rows are sorted, some 10 to 20 bytes
// for each, and the rows are read at their places. What is no ordinary file, such as a pipe,
// can be read once; one of more than [program.MaxFile] bytes must be in order. When the
// error is nil, all rows were handed over to the last Take.
type Take func(a replay.Arrival, id ID) error

// ID names the tenant and the identity of an alert.
type ID [16]byte

// IDOf returns that of an alert.
func IDOf(a correlation.Alert) (id ID) {
	_, _ = hex.Decode(id[:], []byte(a.Key())) // 32 digits
	return id
}

// Arrived is what a [Take] is given of an event.
func Arrived(at time.Time, e correlation.Event) (replay.Arrival, ID) {
	return replay.Arrival{At: at, Event: e}, IDOf(correlation.Alert{Tenant: e.Tenant, Name: e.Alert, Labels: correlation.LabelsOf(e.Labels)})
}

// alertLog is a log in a file of lines.
type alertLog struct {
	reader
	name    string
	longest int // line, in bytes
	begin   func() (Take, error)

	// parse reads a line and hands over its rows, unless there are problems.
	parse func(text []byte, line int, row func(replay.Arrival, ID)) []error

	file io.ReaderAt // nil: it can be read once
	size int64
	late int // line of the first row that is earlier than the one before it; 0: none
}

// read hands over the log.
func (l *alertLog) read() (err error) {
	f, err := l.open(l.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	stream, err := l.again(f)
	if err != nil {
		return err
	}
	if err := l.stream(stream); err != nil || l.late == 0 {
		return err
	}
	if l.file == nil {
		return fmt.Errorf("%s:%d: time: earlier than the row before it: want rows in order of arrival, or a file and not a pipe, of more than %d bytes", l.name, l.late, program.MaxFile)
	}
	return l.sorted()
}

// again finds out whether the log can be read again, and returns it from its beginning.
func (l *alertLog) again(f io.Reader) (io.Reader, error) {
	if file, ok := f.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			l.file, l.size = file, info.Size()
			return io.NewSectionReader(file, 0, l.size), nil
		}
	}
	head, err := io.ReadAll(io.LimitReader(f, program.MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.name, err)
	}
	if len(head) > program.MaxFile {
		return io.MultiReader(bytes.NewReader(head), f), nil
	}
	r := bytes.NewReader(head)
	l.file, l.size = r, r.Size()
	return r, nil
}

// stream hands the rows over as they come, until one is out of order.
func (l *alertLog) stream(f io.Reader) error {
	take, stopped := l.begin()
	digest := sha256.New()
	var problems table.Problems
	var last time.Time
	rows, number := 0, 0
	row := func(a replay.Arrival, id ID) {
		if l.late == 0 && a.At.Before(last) {
			l.late, take = number, nil
		}
		if last = a.At; stopped == nil && take != nil {
			stopped = take(a, id)
		}
	}
	err := l.lines(io.TeeReader(f, digest), func(text []byte, line int, _ int64) {
		rows, number = rows+1, line
		for _, problem := range l.parse(text, line, row) {
			problems.Add(problem)
			take = nil
		}
	})
	switch long := (*lineError)(nil); {
	case errors.As(err, &long):
		problems.Add(err)
	case err != nil:
		return err
	}
	l.Sources = append(l.Sources, program.Source{Name: filepath.Base(l.name), SHA256: hex.EncodeToString(digest.Sum(nil)), Rows: &rows})
	if err := problems.Err(l.name); err != nil {
		return err
	}
	if l.late > 0 {
		return nil
	}
	return stopped
}

// sorted reads the log again, first for the instants of its rows and then in their order.
func (l *alertLog) sorted() error {
	var order runs
	n, within, place := uint32(0), uint32(0), uint64(0)
	row := func(a replay.Arrival, _ ID) {
		order.add(counted{at: unixNano(a.At), line: n, service: within, good: place, total: place}) // what sorts counts sorts places
		n, within = n+1, within+1
	}
	if err := l.lines(io.NewSectionReader(l.file, 0, l.size), func(text []byte, line int, at int64) {
		within, place = 0, uint64(at)
		l.parse(text, line, row) // its problems would be known
	}); err != nil {
		return err
	}
	take, err := l.begin()
	if err != nil {
		return err
	}
	w := window{file: l.file, longest: l.longest}
	for c := range order.all() {
		text, err := w.line(int64(c.total))
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		within, stopped := uint32(0), error(nil)
		l.parse(text, 0, func(a replay.Arrival, id ID) {
			if within == c.service {
				stopped = take(a, id)
			}
			within++
		})
		if stopped != nil {
			return stopped
		}
	}
	return nil
}

// unixNano is the instant in nanoseconds, or the nearest one that there is.
func unixNano(t time.Time) int64 {
	switch s := t.Unix(); {
	case s <= math.MinInt64/int64(time.Second):
		return math.MinInt64
	case s >= math.MaxInt64/int64(time.Second):
		return math.MaxInt64
	}
	return t.UnixNano()
}

// lineError says that a line is longer than lines may be.
type lineError struct {
	name    string
	line    int
	longest int
}

// Error names the file and the line, and gives the bound.
func (e *lineError) Error() string {
	return fmt.Sprintf("%s:%d: want lines of at most %d bytes", e.name, e.line, e.longest)
}

// lines reads a file line by line, leaves out empty ones, and says at which byte each
// begins. The text holds until the next line.
func (l *alertLog) lines(f io.Reader, take func(text []byte, line int, at int64)) error {
	r := bufio.NewReaderSize(f, 64<<10)
	at, err := table.Plain(l.name, r)
	if err != nil {
		return err
	}
	var long []byte // a line that is longer than the buffer of r
	for line := 1; ; line++ {
		text, err := r.ReadSlice('\n')
		for long = long[:0]; errors.Is(err, bufio.ErrBufferFull) && len(long)+len(text) <= l.longest; {
			long = append(long, text...)
			text, err = r.ReadSlice('\n')
		}
		if len(long)+len(text) > l.longest {
			return &lineError{l.name, line, l.longest}
		}
		if len(long) > 0 {
			long = append(long, text...)
			text = long
		}
		if row := bytes.TrimSpace(text); len(row) > 0 && (err == nil || errors.Is(err, io.EOF)) {
			take(row, line, at)
		}
		at += int64(len(text))
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
}

// window reads lines at any places of a file. Those that follow each other are most often
// in what was read before.
type window struct {
	file    io.ReaderAt
	longest int
	text    []byte // of the file
	from    int64  // where it begins
}

// windowSize is how much is read at a time.
const windowSize = 4 << 10

// line returns the line that begins at a place.
func (w *window) line(at int64) ([]byte, error) {
	if at >= w.from && at < w.from+int64(len(w.text)) {
		if rest := w.text[at-w.from:]; bytes.IndexByte(rest, '\n') >= 0 {
			return rest[:bytes.IndexByte(rest, '\n')], nil
		}
	}
	for size := windowSize; ; size *= 2 {
		if cap(w.text) < size {
			w.text = make([]byte, size)
		}
		n, err := w.file.ReadAt(w.text[:size], at)
		w.text, w.from = w.text[:n], at
		if end := bytes.IndexByte(w.text, '\n'); end >= 0 {
			return w.text[:end], nil
		}
		switch {
		case errors.Is(err, io.EOF):
			return w.text, nil
		case err != nil:
			return nil, err
		case size > 2*w.longest:
			return nil, errors.New("changed while it was read")
		}
	}
}
