// Package evidence reads what was seen of the services of a contract from the
// tables of the programs: outages, checks, incidents, maintenance, changes and
// restores. Files are read row by row; all problems of all files come at once.
package evidence

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/internal/table"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Files names the tables; one without a name is not read.
type Files struct {
	Outages, Checks, Incidents, Maintenance, Changes, Restores string

	// MaxGap is how long a row of Checks speaks for what comes after it. 0 is
	// until the next row.
	MaxGap time.Duration
}

// Frame is what the rows are read for.
type Frame struct {
	// Services are those of the contract or the objectives. Rows of others are not
	// used and lead to a notice. Without any, all rows are taken as of one service.
	Services []string

	// Window is the time in which outages and gaps matter; those outside of it are
	// left out. It ends with the present.
	Window calendar.Interval

	// From is when the measurements began; zero is no bound.
	From time.Time

	// Currency is that of costs without one.
	Currency money.Currency
}

// Read reads the files through open. The error joins every problem, sorted by
// file and line, as `file:line: column: text`.
func Read(open func(name string) (io.ReadCloser, error), files Files, frame Frame) (Result, error) {
	r := &reader{open: open, files: files, frame: frame, services: map[string]int{}}
	for i, service := range frame.Services {
		r.services[service] = i
	}
	r.Evidence.Observed = frame.Window
	if frame.From.After(frame.Window.Start) {
		r.Evidence.Observed.Start = frame.From
	}
	type problem struct {
		file string
		err  error
	}
	var problems []problem
	for _, f := range []struct {
		name string
		read func(name string) error
	}{
		{files.Outages, r.outages},
		{files.Checks, r.checks},
		{files.Incidents, r.incidents},
		{files.Maintenance, r.maintenance},
		{files.Changes, r.changes},
		{files.Restores, r.restores},
	} {
		if f.name == "" {
			continue
		}
		if err := f.read(f.name); err != nil {
			problems = append(problems, problem{f.name, err})
		}
	}
	slices.SortStableFunc(problems, func(a, b problem) int { return cmp.Compare(a.file, b.file) })
	var all []error
	for _, p := range problems {
		all = append(all, p.err)
	}
	return r.Result, errors.Join(all...)
}

// Result is what the files say.
type Result struct {
	Evidence sla.Evidence
	Details  map[string]Detail // of incidents by id, where there are any
	Sources  []program.Source  // in the order of Files
	Notices  []program.Notice
}

type reader struct {
	Result

	open     func(name string) (io.ReadCloser, error)
	files    Files
	frame    Frame
	services map[string]int
	stop     int // number of the row at which reading ends, from 1. Defaults to the end of the file.
}

// rows reads a table and hands over each row.
func (r *reader) rows(name string, required, optional []string, row func(t *table.Table)) (err error) {
	f, err := r.open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	digest := sha256.New()
	input := io.TeeReader(f, digest)
	t, unknown, err := table.Open(name, input, required, optional)
	if err != nil {
		return err
	}
	for _, column := range unknown {
		r.notice("unknown_column", column, "%s:1: column %q is not used", name, column)
	}
	others := strangers{}
	for t.Next() {
		if r.stop > 0 && t.Rows() >= r.stop {
			return t.Err()
		}
		if service := t.Text("service"); !r.known(service) {
			others.add(service, t.Line())
		}
		row(t)
	}
	for _, k := range t.Unknown() {
		r.notice("unknown_column", k.Name, "%s:%d: key %q is not used", name, k.Line, k.Name)
	}
	for _, s := range others {
		r.notice("unknown_service", s.service, "%s:%d: service %q is not in the configuration; rows of it that are not used: %d", name, s.line, s.service, s.rows)
	}
	if err := t.Err(); err != nil {
		return err
	}
	if line := t.Unfinished(); line > 0 {
		r.notice("unfinished_line", filepath.Base(name), "%s:%d: nothing ends the last line: was the file written to its end?", name, line)
	}
	if _, err := io.Copy(io.Discard, input); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	n := t.Rows()
	r.Sources = append(r.Sources, program.Source{Name: filepath.Base(name), SHA256: hex.EncodeToString(digest.Sum(nil)), Rows: &n})
	return nil
}

func (r *reader) notice(code, ref, format string, args ...any) {
	r.Notices = append(r.Notices, program.Notice{Code: code, Message: fmt.Sprintf(format, args...), Ref: &ref})
}

// known reports whether a service is one of the contract; an empty cell is a
// problem of its own.
func (r *reader) known(service string) bool {
	if service == "" || service == allServices || len(r.services) == 0 {
		return true
	}
	_, ok := r.services[service]
	return ok
}

// allServices stands for every service of the contract.
const allServices = "*"

// strangers are the services of a file that the contract does not name, in the
// order in which they appear.
type strangers []stranger

type stranger struct {
	service    string
	line, rows int
}

func (s *strangers) add(service string, line int) {
	i := slices.IndexFunc(*s, func(o stranger) bool { return o.service == service })
	if i < 0 {
		i = len(*s)
		*s = append(*s, stranger{service: string([]byte(service)), line: line})
	}
	(*s)[i].rows++
}

// span reads start and end of a row, the end of which may be open where that is
// allowed. ok is false after a problem.
func (r *reader) span(t *table.Table, open bool) (i calendar.Interval, ok bool) {
	i.Start = r.needed(t, "start")
	if open {
		i.End = r.time(t, "end")
	} else {
		i.End = r.needed(t, "end")
	}
	if !i.Start.IsZero() && !i.End.IsZero() && i.End.Before(i.Start) {
		t.Fail("end", "%s is before the start %s", i.End.Format(time.RFC3339), i.Start.Format(time.RFC3339))
		return i, false
	}
	return i, !i.Start.IsZero() && (open || !i.End.IsZero())
}

// reach is how far from the report an instant may be: what is farther is a typing
// error, and its distance may not fit into a time.Duration.
const reach = 100 * 365 * 24 * time.Hour

// time returns the instant in a column, zero when absent.
func (r *reader) time(t *table.Table, column string) time.Time {
	at := t.Time(column)
	year1 := at.IsZero() && strings.HasPrefix(t.Text(column), "0001-01-01T")
	if year1 || !at.IsZero() && (at.Before(r.frame.Window.Start.Add(-reach)) || at.After(r.frame.Window.End.Add(reach))) {
		t.Fail(column, "found %q, want a time within a hundred years of the report", t.Text(column))
		return time.Time{}
	}
	return at
}

// needed returns the instant in a column that must not be empty.
func (r *reader) needed(t *table.Table, column string) time.Time {
	t.Required(column)
	return r.time(t, column)
}

// ids finds ids that stand twice.
type ids map[string]int

func (seen ids) check(t *table.Table) string {
	id := t.Required("id")
	if line, twice := seen[id]; twice && id != "" {
		t.Fail("id", "%q stands already in line %d", id, line)
	}
	seen[id] = t.Line()
	return id
}

// Table reads one table through open and hands over each row. Its sources and
// notices are those of the result.
func Table(open func(name string) (io.ReadCloser, error), name string, required, optional []string, row func(t *table.Table)) (Result, error) {
	r := &reader{open: open}
	err := r.rows(name, required, optional, row)
	return r.Result, err
}
