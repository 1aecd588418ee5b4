package postmortem

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/strictjson"
)

// ParseError is one problem of a document in JSON.
type ParseError struct {
	Path         string // such as "measures[1].due"; "" for the whole
	Line, Column int    // from 1, column in bytes; 0 for a document that was not read from text
	Value, Want  string
}

// Error names the place, what stands there and what was expected.
func (e *ParseError) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d: ", e.Line, e.Column)
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	return b.String() + e.Value + ", want " + e.Want
}

// strictness skips keys of a document that say nothing new: what is derived from the
// others, and the head that programs put before it.
var strictness = strictjson.Options{
	Skip: []string{"missing", "schema", "now", "sample", "inputs", "warnings", "explain"},
	Want: map[reflect.Type]string{
		reflect.TypeFor[incident.Severity](): `a severity from "P1" to "P4"`,
		reflect.TypeFor[incident.Digest]():   "64 hexadecimal digits",
	},
}

// Parse reads a document from its JSON. It is strict: unknown and repeated keys,
// wrong types and further text are errors, and so is what [Document.Validate] finds.
// All problems come at once, each a [*ParseError], joined. null is the zero value.
//
// What is derived, such as the overdue measures, is as of the instant at which the
// document was written; [Document.AsOf] brings it up to date.
func Parse(data []byte) (Document, error) {
	var d Document
	read := strictjson.Read(data, &d, strictness)
	if len(read.Problems()) == 0 {
		for _, p := range d.problems() {
			read.Fail(p.Path, p.Value, p.Want)
		}
	}
	var errs []error
	for _, p := range read.Problems() {
		e := ParseError(p)
		errs = append(errs, &e)
	}
	if len(errs) > 0 {
		return Document{}, errors.Join(errs...)
	}
	return d, nil
}

// Validate returns every problem of the document, each a [*ParseError], joined: an
// incident without an id, measures without a text, of an unknown type or status, due
// on no date, or with the id of another one.
func (d Document) Validate() error {
	var errs []error
	for _, p := range d.problems() {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

const longest = time.Duration(1<<63 - 1)

func (d Document) problems() []*ParseError {
	var out []*ParseError
	bad := func(path, found, want string) { out = append(out, &ParseError{Path: path, Value: found, Want: want}) }
	if d.Incident == "" {
		bad("incident_id", "missing", "the id of the incident")
	}
	for _, f := range d.Figures() {
		if f.Seconds != nil && (*f.Seconds < 0 || *f.Seconds > int64(longest/time.Second)) {
			bad("durations."+f.Name+"_s", fmt.Sprintf("found %d", *f.Seconds), "seconds from 0 to 292 years")
		}
	}
	ids := map[string]bool{}
	for i, m := range d.Measures {
		for _, p := range m.problems() {
			p.Path = fmt.Sprintf("measures[%d].%s", i, p.Path)
			out = append(out, p)
		}
		if m.ID != "" && ids[m.ID] {
			bad(fmt.Sprintf("measures[%d].id", i), fmt.Sprintf("%q is there twice", m.ID), "an id of its own")
		}
		ids[m.ID] = true
	}
	return out
}

func (m Measure) problems() []*ParseError {
	var out []*ParseError
	bad := func(path, found, want string) { out = append(out, &ParseError{Path: path, Value: found, Want: want}) }
	if m.Text == "" {
		bad("text", "missing", "what is to be done")
	}
	switch m.Type {
	case "", incident.Prevent, incident.DetectFast, incident.Soften, incident.Process:
	default:
		bad("type", fmt.Sprintf("found %q", m.Type), "prevent, detect, mitigate or process")
	}
	switch m.Status {
	case "", MeasureOpen, MeasureDone:
	default:
		bad("status", fmt.Sprintf("found %q", m.Status), "open or done")
	}
	if _, err := time.Parse(time.DateOnly, m.Due); m.Due != "" && err != nil {
		bad("due", fmt.Sprintf("found %q", m.Due), `a date like "2026-10-21"`)
	}
	return out
}
