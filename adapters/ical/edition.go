package ical

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
)

// maxEditionYears bounds a document.
const maxEditionYears = 10

// edition is a document that is written against the one before it.
type edition struct {
	name, domain string
	stamp        time.Time
	before       []byte
}

// check returns what is wrong with the edition and the stretch that it covers.
func (d edition) check(from, to time.Time) []error {
	var problems []error
	if err := checkDomain(d.domain); err != nil {
		problems = append(problems, err)
	}
	if d.stamp.IsZero() {
		problems = append(problems, &FeedError{Property: "stamp", Want: "when the document is made"})
	}
	if !from.Before(to) || to.After(from.AddDate(maxEditionYears, 0, 0)) {
		problems = append(problems, &FeedError{
			Property: "window", Value: from.UTC().Format(time.RFC3339) + "/" + to.UTC().Format(time.RFC3339), Want: "an end after the start, by ten years at most",
		})
	}
	return problems
}

// write gives the entries their stamps and sequences. Those published before that
// are not among them and that the query covers are cancelled.
func (d edition) write(w io.Writer, product string, entries []entry, covers func(entry) bool) error {
	before, err := d.published()
	if err != nil {
		return err
	}
	for i := range entries {
		x := &entries[i]
		x.stamp = d.stamp
		old, known := before[x.uid]
		delete(before, x.uid)
		switch {
		case !known:
		case old.same(*x):
			x.stamp, x.sequence = old.stamp, old.sequence
		default:
			x.sequence = old.sequence + 1
		}
	}
	for _, old := range before {
		if !covers(old) {
			continue
		}
		if !old.cancelled {
			old.cancelled, old.stamp = true, d.stamp
			old.sequence++
		}
		entries = append(entries, old)
	}
	return writeEntries(w, newDocument(product, d.name), d.domain, entries)
}

// same reports whether an event as published says what another one would.
func (x entry) same(y entry) bool {
	return !x.cancelled && x.start.Equal(y.start.Truncate(time.Second)) && x.end.Equal(y.end.Add(time.Second-1).Truncate(time.Second)) &&
		x.summary == plain(y.summary) && x.description == plain(y.description)
}

// published returns the events of the document before, by their identity without
// the domain. Those of another domain are left out.
func (d edition) published() (map[string]entry, error) {
	out := map[string]entry{}
	if len(d.before) == 0 {
		return out, nil
	}
	if len(d.before) > MaxBytes {
		return nil, &FeedError{Property: "before", Value: strconv.Itoa(len(d.before)) + " bytes", Want: "at most " + strconv.Itoa(MaxBytes) + " bytes"}
	}
	doc, err := ics.ParseCalendar(bytes.NewReader(d.before))
	if err != nil {
		return nil, &FeedError{Property: "before", Want: "the document that was published last", Err: err}
	}
	for _, e := range doc.Events() {
		uid, own := strings.CutSuffix(e.Id(), "@"+d.domain)
		if !own {
			continue
		}
		value := func(name ics.ComponentProperty) string {
			if p := e.GetProperty(name); p != nil {
				return p.Value
			}
			return ""
		}
		x := entry{
			uid: uid, summary: value(ics.ComponentPropertySummary), description: value(ics.ComponentPropertyDescription),
			cancelled: value(ics.ComponentPropertyStatus) == string(ics.ObjectStatusCancelled),
		}
		problems := make([]error, 4)
		x.start, problems[0] = e.GetStartAt()
		x.end, problems[1] = e.GetEndAt()
		x.stamp, problems[2] = e.GetDtStampTime()
		x.sequence, problems[3] = strconv.Atoi(value(ics.ComponentPropertySequence))
		if err := errors.Join(problems...); err != nil {
			return nil, &FeedError{Property: "before", Value: e.Id(), Want: "an event that was written here", Err: err}
		}
		out[uid] = x
	}
	return out, nil
}
