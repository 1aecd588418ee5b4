package incident

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// LogEvent is one line of a log of events.
type LogEvent struct {
	Tenant   string `json:"tenant,omitempty"`
	Incident string `json:"incident"`
	Event
}

// Log is what a log of events amounts to.
type Log struct {
	Incidents []*Incident // in the order of their first accepted event
	Rejected  []RejectedLine
}

// RejectedLine is a line that could not be taken. Err is a [*LineError]; it wraps
// what was wrong, such as an [*EventError] or a [*TransitionError].
type RejectedLine struct {
	Line int    `json:"line"` // from 1
	Text string `json:"text"` // the line, or its begin if it is longer than 16 MiB
	Err  error  `json:"-"`
}

// ReadLog builds incidents from a log: one event of JSON per line, for any number
// of incidents, facts in any order and repeated. A line that cannot be read, or whose
// event is refused, is kept in Rejected and does not keep the others from being
// taken; blank lines are skipped. The error is that of r, beside what was read.
func ReadLog(r io.Reader, o Options) (*Log, error) {
	log, known := &Log{}, map[name]*Incident{}
	err := eachLine(r, func(number int, line []byte, err error) {
		if err == nil && len(strings.TrimSpace(string(line))) == 0 {
			return
		}
		if err == nil {
			err = log.take(known, line, o)
		}
		if err != nil {
			log.Rejected = append(log.Rejected, RejectedLine{Line: number, Text: string(line), Err: &LineError{Line: number, Err: err}})
		}
	})
	if err != nil {
		return log, fmt.Errorf("read log: %w", err)
	}
	return log, nil
}

// name is what an incident is known by.
type name struct{ tenant, id string }

func (l *Log) take(known map[name]*Incident, line []byte, o Options) error {
	var e LogEvent
	if err := strict(line, &e); err != nil {
		return err
	}
	key := name{e.Tenant, e.Incident}
	inc := known[key]
	if inc == nil {
		var err error
		if inc, err = New(e.Tenant, e.Incident, o); err != nil {
			return err
		}
	}
	if _, err := inc.Apply(e.Event); err != nil {
		return err
	}
	if known[key] == nil {
		known[key] = inc
		l.Incidents = append(l.Incidents, inc)
	}
	return nil
}

var errLongLine = fmt.Errorf("longer than %d bytes", maxLine)

// eachLine calls f with every line, without its end; err says that a line is too
// long, of which f gets the begin. The line is only valid until f returns.
func eachLine(r io.Reader, f func(number int, line []byte, err error)) error {
	in := bufio.NewReader(r)
	var line []byte
	long := false
	for number := 1; ; {
		part, err := in.ReadSlice('\n')
		if room := maxLine - len(line); len(part) > room+1 {
			part, long = part[:room], true
		}
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		ended := len(line) > 0 && line[len(line)-1] == '\n'
		if ended {
			line = line[:len(line)-1]
		}
		if ended || long || len(line) > 0 {
			var bad error
			if long {
				bad = errLongLine
			}
			f(number, line, bad)
		}
		line, long = line[:0], false
		number++
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
