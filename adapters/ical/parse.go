package ical

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
)

// event is a VEVENT as it stands in the feed.
type event struct {
	line       int
	uid        string
	summary    string
	recurrence *moment // of the occurrence that it replaces
	sequence   int
	stamp      string
	start      moment
	length     length
	rule       *rule
	added      []period
	removed    []moment

	cancelled, transparent bool
}

func (e *event) skip(date time.Time, reason string) Skipped {
	s := Skipped{Line: e.line, Summary: e.summary, UID: e.uid, Reason: reason}
	if !date.IsZero() {
		s.Date = date.Format(time.DateOnly)
	}
	return s
}

// property is a line of an event that matters here.
type property struct {
	line   int
	name   string // in capitals, as the names of the parameters
	params map[string]string
	value  string // text without its escapes
}

func (p property) fault(want string) *FeedError {
	return &FeedError{Line: p.line, Property: p.name, Value: p.value, Want: want}
}

// repeated are the properties that may occur more than once in an event.
var repeated = []string{"RDATE", "EXDATE"}

// known are the properties that are read. The others need only look like
// properties.
var known = []string{
	"UID", "SUMMARY", "STATUS", "TRANSP", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID",
}

type parser struct {
	loc      *time.Location
	options  Options
	zones    map[string]*time.Location
	problems problems
	events   []*event
	skipped  []Skipped

	// where the line being read is
	path  []string // the components around it
	began []int    // their lines
	now   []property
	skip  bool // the event has a line that cannot be read
}

// read parses the whole feed and joins the problems.
func (p *parser) read(r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return err
	}
	if len(data) > MaxBytes {
		return &FeedError{Property: "feed", Value: strconv.Itoa(len(data)) + " bytes and more", Want: "at most " + strconv.Itoa(MaxBytes) + " bytes"}
	}
	empty := true
	for number, line := range contentLines(data) {
		empty = false
		p.content(number, line)
		if p.problems.full() {
			break
		}
	}
	if len(p.path) > 0 && !p.problems.full() {
		last := len(p.path) - 1
		p.problems.add(&FeedError{Line: p.began[last], Property: "BEGIN", Value: p.path[last], Want: "an END:" + p.path[last] + " before the end of the feed"})
	}
	if empty {
		p.problems.add(&FeedError{Property: "feed", Want: "BEGIN:VCALENDAR"})
	}
	return p.problems.joined()
}

// contentLines yields the unfolded lines with the number of the physical line at
// which they begin. Empty lines are left out.
func contentLines(data []byte) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		data = bytes.TrimPrefix(data, []byte("\ufeff"))
		var open []byte
		start, number := 0, 0
		for physical := range bytes.Lines(data) {
			number++
			physical = bytes.TrimSuffix(bytes.TrimSuffix(physical, []byte("\n")), []byte("\r"))
			if start > 0 && len(physical) > 0 && (physical[0] == ' ' || physical[0] == '\t') {
				open = append(open, physical[1:]...)
				continue
			}
			if len(open) > 0 && !yield(start, string(open)) {
				return
			}
			open, start = append(open[:0], physical...), number
		}
		if len(open) > 0 {
			yield(start, string(open))
		}
	}
}

// content takes one line.
func (p *parser) content(number int, line string) {
	fault := func(want string) {
		p.skip = true
		p.problems.add(&FeedError{Line: number, Property: "line", Value: line, Want: want})
	}
	if !utf8.ValidString(line) {
		fault("UTF-8")
		return
	}
	end := strings.IndexAny(line, ":;")
	if end <= 0 || !isName(line[:end]) {
		fault("NAME:value or NAME;PARAMETER=value:value")
		return
	}
	name := strings.ToUpper(line[:end])
	switch value := strings.ToUpper(strings.TrimSpace(line[end+1:])); {
	case name == "BEGIN":
		p.begin(number, value)
		return
	case name == "END":
		p.end(number, value)
		return
	case len(p.path) == 0:
		fault("BEGIN:VCALENDAR")
		return
	case name == "CALSCALE" && len(p.path) == 1 && value != "GREGORIAN":
		p.problems.add(&FeedError{Line: number, Property: name, Value: value, Want: "GREGORIAN"})
		return
	}
	if len(p.path) != 2 || p.path[1] != "VEVENT" || !slices.Contains(known, name) {
		return
	}
	parsed, err := ics.ParseProperty(ics.ContentLine(name + line[end:]))
	if err != nil || parsed == nil {
		p.skip = true
		p.problems.add(&FeedError{Line: number, Property: name, Value: line, Want: "NAME;PARAMETER=value:value", Err: err})
		return
	}
	prop := property{line: number, name: name, params: map[string]string{}, value: parsed.Value}
	for key, values := range parsed.ICalParameters {
		prop.params[strings.ToUpper(key)] = strings.Join(values, ",")
	}
	if has := func(q property) bool { return q.name == name }; slices.ContainsFunc(p.now, has) && !slices.Contains(repeated, name) {
		p.skip = true
		p.problems.add(prop.fault("one " + name + " in an event"))
		return
	}
	p.now = append(p.now, prop)
}

func isName(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

func (p *parser) begin(number int, name string) {
	const deepest = 8
	switch fault := (&FeedError{Line: number, Property: "BEGIN", Value: name}); {
	case (len(p.path) == 0) != (name == "VCALENDAR"):
		fault.Want = "a VCALENDAR around everything, and none within another"
		p.problems.add(fault)
	case name == "VEVENT" && len(p.path) != 1:
		fault.Want = "an event directly in the calendar"
		p.problems.add(fault)
	case len(p.path) == deepest:
		fault.Want = "at most 8 components within each other"
		p.problems.add(fault)
	case len(p.path) == 1:
		p.now, p.skip = nil, false
	}
	p.path, p.began = append(p.path, name), append(p.began, number)
}

func (p *parser) end(number int, name string) {
	last := len(p.path) - 1
	if last < 0 || p.path[last] != name {
		want := "no END here"
		if last >= 0 {
			want = "END:" + p.path[last] + ", which begins in line " + strconv.Itoa(p.began[last])
		}
		p.problems.add(&FeedError{Line: number, Property: "END", Value: name, Want: want})
		if at := slices.Index(p.path, name); at >= 0 { // what is not ended within it ends with it
			p.path, p.began = p.path[:at], p.began[:at]
		}
		return
	}
	line := p.began[last]
	p.path, p.began = p.path[:last], p.began[:last]
	if len(p.path) != 1 {
		return
	}
	switch name {
	case "VEVENT":
		if !p.skip {
			p.event(line)
		}
	case "VTODO", "VJOURNAL", "VFREEBUSY":
		p.skipped = append(p.skipped, Skipped{Line: line, Reason: "a " + name + " is no event"})
	}
}

// event builds an event from the properties collected. One that has a problem is
// not kept.
func (p *parser) event(line int) {
	e := &event{line: line}
	before := len(p.problems)
	keep := func(err *FeedError) {
		if err != nil {
			p.problems.add(err)
		}
	}
	var end, duration, recurs *property
	for i := range p.now {
		var err *FeedError
		switch prop := &p.now[i]; prop.name {
		case "UID":
			e.uid = prop.value
		case "SUMMARY":
			e.summary = strings.Join(strings.Fields(prop.value), " ")
		case "STATUS":
			e.cancelled = strings.EqualFold(prop.value, "CANCELLED")
		case "TRANSP":
			e.transparent = strings.EqualFold(prop.value, "TRANSPARENT")
		case "SEQUENCE":
			n, bad := strconv.Atoi(prop.value)
			if e.sequence = n; bad != nil || n < 0 {
				err = prop.fault("a whole number, not negative")
			}
		case "DTSTAMP":
			e.stamp = prop.value // sorts as text, being in UTC
		case "DTSTART":
			e.start, err = p.moment(*prop, prop.value)
		case "DTEND":
			end = prop
		case "DURATION":
			duration = prop
		case "RRULE":
			recurs = prop
		case "RECURRENCE-ID":
			if prop.params["RANGE"] != "" {
				err = prop.fault("no RANGE, which is not supported")
				break
			}
			var at moment
			at, err = p.moment(*prop, prop.value)
			e.recurrence = &at
		case "EXRULE":
			err = prop.fault("EXDATE; rules of exceptions are not supported")
		case "EXDATE":
			for value := range strings.SplitSeq(prop.value, ",") {
				at, bad := p.moment(*prop, value)
				keep(bad)
				e.removed = append(e.removed, at)
			}
		case "RDATE":
			for value := range strings.SplitSeq(prop.value, ",") {
				more, bad := p.period(*prop, value)
				keep(bad)
				e.added = append(e.added, more)
			}
		}
		keep(err)
	}
	switch {
	case e.start.zone == nil:
		if len(p.problems) == before {
			keep(&FeedError{Line: line, Property: "DTSTART", Want: "a start in every event"})
		}
	case end != nil && duration != nil:
		keep(duration.fault("either DTEND or DURATION"))
	case end != nil:
		to, err := p.moment(*end, end.value)
		if err == nil {
			e.length, err = between(e.start, to, *end)
		}
		keep(err)
	case duration != nil:
		var err *FeedError
		e.length, err = parseDuration(*duration, duration.value, e.start.date)
		keep(err)
	case e.start.date:
		e.length.days = 1
	}
	if e.recurrence != nil && e.uid == "" {
		keep(&FeedError{Line: line, Property: "UID", Want: "the UID of the event of which RECURRENCE-ID is an occurrence"})
	}
	if recurs != nil && e.start.zone != nil {
		var err *FeedError
		e.rule, err = p.rule(*recurs, e.start)
		keep(err)
		if e.recurrence != nil {
			keep(recurs.fault("no rule beside RECURRENCE-ID"))
		}
	}
	for _, more := range e.added {
		if more.start.date != e.start.date && len(p.problems) == before {
			keep(&FeedError{Line: line, Property: "RDATE", Value: more.start.String(), Want: "dates where DTSTART is a date, times where it is a time"})
		}
	}
	if len(p.problems) == before {
		p.events = append(p.events, e)
	}
}
