package incident

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// newRejection keeps an event that was refused. What makes it unfit to be recorded may
// make it unfit for JSON too, or come back as something else: then all of it is in Text.
func newRejection(e Event, err error) Rejection {
	r := Rejection{Event: e, Reason: err.Error()}
	if e.survives() {
		return r
	}
	r.Text = e.print()
	valid := func(text string) string { return strings.ToValidUTF8(text, "\ufffd") }
	r.Reason = valid(r.Reason)
	r.Event = Event{Key: valid(e.Key), Kind: Kind(valid(string(e.Kind))), Actor: valid(e.Actor), Imported: e.Imported}
	if recordable(e.At) {
		r.Event.At = e.At
	}
	return r
}

// print writes the whole event, quoted.
func (e Event) print() string {
	measure, redaction, data := e.Measure, e.Redaction, e.Data
	e.Measure, e.Redaction, e.Data = nil, nil, nil
	return strconv.Quote(fmt.Sprintf("%+v measure:%+v redaction:%+v data:%s", e, measure, redaction, data))
}

// survives reports whether the event is the same after JSON. What is not UTF-8 is
// written as an escape, which nothing else is.
func (e Event) survives() bool {
	text, err := json.Marshal(e)
	if err != nil || bytes.Contains(text, []byte(`\ufffd`)) || !json.Valid(text) {
		return false
	}
	var back Event
	if err := json.Unmarshal(text, &back); err != nil {
		return false
	}
	again, err := json.Marshal(back)
	return err == nil && bytes.Equal(text, again)
}
