package evidence

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/table"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// Observer takes the counts of one service, in order of time. service is its
// index among those asked for.
type Observer func(service int, at time.Time, c slo.Counts) error

// Indicators reads a table of good and total events up to an instant, inclusive.
// Each row counts what happened since the row before it of its service.
//
// start is called for the observer that the rows are handed to. A file whose rows
// stand in order of time within each service is handed over as it is read. Of one
// that does not, what was handed over is read again, start is called anew and all
// rows are sorted; they are held in memory, some 10 to 14 bytes each.
//
// A row that repeats another one is left out with a notice; a second row of a
// service for the same instant with other counts is an error, and so are more
// good events than events. What an observer refuses ends the reading.
func Indicators(open func(name string) (io.ReadCloser, error), name string, services []string, until time.Time, start func() (Observer, error)) (Result, error) {
	r := &reader{
		open: open, frame: Frame{Services: services, Window: calendar.Interval{Start: until, End: until}}, services: map[string]int{},
	}
	for i, service := range services {
		r.services[service] = i
	}
	i := &indicators{reader: r, name: name, until: until}
	if err := i.stream(start); err != nil {
		return Result{}, err
	}
	if i.late > 0 {
		if err := i.sorted(start); err != nil {
			return Result{}, err
		}
	}
	if i.repeated > 0 {
		r.notice("repeated_row", name, "%s:%d: the row repeats another one; rows left out: %d", name, i.repeatedAt, i.repeated)
	}
	return r.Result, nil
}

type indicators struct {
	*reader
	name  string
	until time.Time

	observe Observer
	last    []counted // by service
	used    int       // rows for the observer, before the first that is late
	row     int       // number of the row that is read, from 1
	late    int       // that of the first late one, 0 while there is none
	waiting runs      // from that on, to be sorted

	repeated, repeatedAt int
}

// counted is a row in few bytes.
type counted struct {
	at          int64 // nanoseconds of Unix time
	good, total uint64
	service     uint32
	line        uint32
}

func (c counted) counts() slo.Counts { return slo.Counts{Good: c.good, Total: c.total} }

// stream hands the rows over as they come, until one is out of order; the rest is
// kept.
func (i *indicators) stream(start func() (Observer, error)) error {
	if err := i.restart(start); err != nil {
		return err
	}
	return i.read(func(c counted) error {
		if i.late == 0 && c.at < i.last[c.service].at {
			i.late = i.row
		}
		if i.late > 0 {
			i.waiting.add(c)
			return nil
		}
		i.used++
		return i.take(c)
	})
}

// sorted reads the rows before the first late one once more and hands all over in
// order.
func (i *indicators) sorted(start func() (Observer, error)) error {
	if err := i.restart(start); err != nil { // first, so that what was begun can be forgotten
		return err
	}
	again := indicators{reader: &reader{open: i.open, frame: i.frame, services: i.services, stop: i.late}, name: i.name, until: i.until}
	used := 0
	if err := again.read(func(c counted) error { i.waiting.add(c); used++; return nil }); err != nil {
		return err
	}
	if used != i.used {
		return fmt.Errorf("%s: %d rows on second reading, %d at first: want a file, or rows in order of time", i.name, used, i.used)
	}
	sorted := i.waiting.all()
	debug.FreeOSMemory() // what reading took, before observers take theirs
	var problems []error
	for c := range sorted {
		if err := i.take(c); err != nil {
			problems = append(problems, fmt.Errorf("%s:%d: time: %w", i.name, c.line, err))
		}
	}
	return errors.Join(problems...)
}

func (i *indicators) restart(start func() (Observer, error)) (err error) {
	i.last, i.repeated = make([]counted, max(len(i.frame.Services), 1)), 0
	for n := range i.last {
		i.last[n].at = -1 << 63
	}
	i.observe, err = start()
	return err
}

// read reads the file and hands over the rows that count.
func (i *indicators) read(take func(c counted) error) error {
	return i.rows(i.name, []string{"time", "service", "good", "total"}, nil, func(t *table.Table) {
		i.row = t.Rows()
		at, service := i.needed(t, "time"), t.Required("service")
		c := counted{good: t.Count("good"), total: t.Count("total"), line: uint32(t.Line())}
		switch {
		case service == allServices:
			t.Fail("service", "found %q, want one service a row", service)
			return
		case t.Failed():
			return
		case c.good > c.total:
			t.Fail("good", "found %d, want at most the total of %d", c.good, c.total)
			return
		case at.After(i.until) || !i.known(service):
			return
		}
		c.at, c.service = at.UnixNano(), uint32(i.services[service])
		if err := take(c); err != nil {
			t.Fail("time", "%v", err)
		}
	})
}

// take hands a row over, unless it repeats the one before it.
func (i *indicators) take(c counted) error {
	last := &i.last[c.service]
	if c.at == last.at {
		if c.counts() != last.counts() {
			return fmt.Errorf("%d good of %d, but line %d has %d of %d for the same instant", c.good, c.total, last.line, last.good, last.total)
		}
		if i.repeated++; i.repeated == 1 {
			i.repeatedAt = int(c.line)
		}
		return nil
	}
	*last = c
	return i.observe(int(c.service), time.Unix(0, c.at).UTC(), c.counts())
}
