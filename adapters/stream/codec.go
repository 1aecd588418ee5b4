package stream

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
)

// Encode returns the batch as JSON, the form in which stores keep it. It is what
// encoding/json makes of it, in a fraction of the time: coding is most of what a node
// does for an event that changes nothing.
func (b Batch) Encode() ([]byte, error) {
	if len(b.Events) > 0 && b.At.IsZero() {
		return nil, fmt.Errorf("stream: batch %q has %d events and no At, want the instant of their arrival", b.ID, len(b.Events))
	}
	w := writer{b: make([]byte, 0, 64+512*len(b.Events))}
	w.b = append(w.b, '{')
	if !b.At.IsZero() {
		w.name("at")
		w.time(b.At)
	}
	if len(b.Events) > 0 {
		w.name("events")
		w.b = append(w.b, '[')
		for i := range b.Events {
			w.comma = i > 0
			w.event(&b.Events[i])
		}
		w.b = append(w.b, ']')
		w.comma = true
	}
	if len(b.Sent) > 0 {
		w.name("sent")
		for i, key := range b.Sent {
			w.b = append(w.b, "[,"[min(i, 1)])
			w.string(key)
		}
		w.b = append(w.b, ']')
	}
	if b.Epoch != 0 {
		w.name("epoch")
		w.b = strconv.AppendInt(w.b, b.Epoch, 10)
	}
	return append(w.b, '}'), w.err
}

// writer appends JSON.
type writer struct {
	b     []byte
	comma bool // before the next name or element
	err   error
}

// name appends the name of a member, after a comma if one is due.
func (w *writer) name(name string) {
	if w.comma {
		w.b = append(w.b, ',')
	}
	w.comma = true
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

// text is what MarshalText made.
func (w *writer) text(text []byte, err error) {
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("stream: %w", err)
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, text...) // has nothing to escape
	w.b = append(w.b, '"')
}

// time appends an instant as RFC 3339 has it.
func (w *writer) time(t time.Time) {
	var room [40]byte
	text, err := t.AppendText(room[:0])
	w.text(text, err)
}

// string leaves what has to be escaped to encoding/json.
func (w *writer) string(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(s) // cannot fail
			w.b = append(w.b, text...)
			return
		}
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, s...)
	w.b = append(w.b, '"')
}

// texts appends a map in the order of its keys.
func (w *writer) texts(name string, m map[string]string) {
	if len(m) == 0 {
		return
	}
	w.name(name)
	var few [16]string
	keys := few[:0]
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for i, key := range keys {
		w.b = append(w.b, "{,"[min(i, 1)])
		w.string(key)
		w.b = append(w.b, ':')
		w.string(m[key])
	}
	w.b = append(w.b, '}')
}

// event appends an event as an element of a list.
func (w *writer) event(e *correlation.Event) {
	if w.comma {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '{')
	w.comma = false
	if e.Tenant != "" {
		w.name("tenant")
		w.string(e.Tenant)
	}
	w.name("alert")
	w.string(e.Alert)
	w.texts("labels", e.Labels)
	w.name("status")
	w.text(e.Status.MarshalText())
	w.name("time")
	w.time(e.Time)
	if !e.Ends.IsZero() {
		w.name("ends")
		w.time(e.Ends)
	}
	if e.Severity != 0 {
		w.name("severity")
		w.text(e.Severity.MarshalText())
	}
	w.texts("annotations", e.Annotations)
	if e.Again {
		w.name("again")
		w.b = append(w.b, "true"...)
	}
	w.b = append(w.b, '}')
}

// Decode makes a record of an encoded batch. It takes any JSON of a Batch; that of
// Encode without escapes it reads by itself, anything else by encoding/json.
func Decode(offset int64, data []byte) Record {
	r := Record{Offset: offset}
	p := parser{b: data}
	if p.batch(&r.Batch); !p.failed && p.at == len(data) {
		return r
	}
	r.Batch = Batch{}
	if err := json.Unmarshal(data, &r.Batch); err != nil {
		return Record{Offset: offset, Err: fmt.Errorf("record %d: %w", offset, err)}
	}
	return r
}

// parser reads what writer has written and fails on anything else.
type parser struct {
	b      []byte
	at     int // of b, where it goes on; a number, as to move a slice is work for the garbage collector
	failed bool
}

// skip reports whether the rest begins with a text, and skips it.
func (p *parser) skip(text string) bool {
	end := p.at + len(text)
	if len(p.b) < end || string(p.b[p.at:end]) != text {
		return false
	}
	p.at = end
	return true
}

// want skips a text that has to be next.
func (p *parser) want(text string) {
	p.failed = p.failed || !p.skip(text)
}

// bytes reads a string without escapes.
func (p *parser) bytes() []byte {
	p.want(`"`)
	ascii := true
	for i := p.at; i < len(p.b); i++ {
		switch c := p.b[i]; {
		case c == '"':
			text := p.b[p.at:i]
			p.at = i + 1
			p.failed = p.failed || !ascii && !utf8.Valid(text)
			return text
		case c < ' ' || c == '\\':
			p.failed = true
			return nil
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	p.failed = true
	return nil
}

// time reads an instant.
func (p *parser) time() (t time.Time) {
	p.failed = t.UnmarshalText(p.bytes()) != nil || p.failed
	return t
}

// texts reads a map that is not empty. Its texts share one string, as they mostly live and
// die together.
func (p *parser) texts() map[string]string {
	begin := p.at
	var few [64]int
	ends := few[:0] // of every key and value, where it begins and ends after begin
	p.want("{")
	for !p.failed {
		for _, after := range [...]string{":", ""} {
			length := len(p.bytes())
			end := p.at - 1 - begin // before the quote
			ends = append(ends, end-length, end)
			p.want(after)
		}
		if p.skip("}") {
			break
		}
		p.want(",")
	}
	if p.failed {
		return nil
	}
	all := string(p.b[begin:p.at])
	m := make(map[string]string, len(ends)/4)
	for ; len(ends) > 0; ends = ends[4:] {
		m[all[ends[0]:ends[1]]] = all[ends[2]:ends[3]]
	}
	return m
}

// batch reads the members in the order in which Encode writes them.
func (p *parser) batch(b *Batch) {
	p.want("{")
	comma := 1 // in the names: the first has none
	next := func(name string) bool {
		found := p.skip(name[comma:])
		if found {
			comma = 0
		}
		return found
	}
	if next(`,"at":`) {
		b.At = p.time()
	}
	if next(`,"events":`) {
		p.want("[")
		for !p.failed {
			b.Events = append(b.Events, correlation.Event{})
			p.event(&b.Events[len(b.Events)-1])
			if p.skip("]") {
				break
			}
			p.want(",")
		}
	}
	if next(`,"sent":`) {
		p.want("[")
		for !p.failed {
			b.Sent = append(b.Sent, string(p.bytes()))
			if p.skip("]") {
				break
			}
			p.want(",")
		}
	}
	if next(`,"epoch":`) {
		begin := p.at
		for p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '9' {
			p.at++
		}
		var err error
		b.Epoch, err = strconv.ParseInt(string(p.b[begin:p.at]), 10, 64)
		// JSON has no numbers that begin with 0, and an epoch is never 0.
		p.failed = p.failed || err != nil || p.b[begin] == '0'
	}
	p.want("}")
}

// event reads the members in the order in which writer.event writes them.
func (p *parser) event(e *correlation.Event) {
	p.want("{")
	if p.skip(`"tenant":`) {
		e.Tenant = string(p.bytes())
		p.want(",")
	}
	p.want(`"alert":`)
	e.Alert = string(p.bytes())
	if p.skip(`,"labels":`) {
		e.Labels = p.texts()
	}
	p.want(`,"status":`)
	p.failed = e.Status.UnmarshalText(p.bytes()) != nil || p.failed
	p.want(`,"time":`)
	e.Time = p.time()
	if p.skip(`,"ends":`) {
		e.Ends = p.time()
	}
	if p.skip(`,"severity":`) {
		var s incident.Severity
		p.failed = s.UnmarshalText(p.bytes()) != nil || p.failed
		e.Severity = s
	}
	if p.skip(`,"annotations":`) {
		e.Annotations = p.texts()
	}
	e.Again = p.skip(`,"again":true`)
	p.want("}")
}
