package sla

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Digest returns the SHA-256 hash of the evidence in canonical form. That is its
// JSON as [json.Marshal] writes it, without spaces, where
//
//   - instants are in UTC,
//   - outages, maintenance, gaps, requests and changes are sorted by their start,
//     incidents by opened, restores by started, losses and issued credits by at;
//     those of the same instant by their own canonical form, byte by byte,
//   - the lists within an incident are sorted by time; changes of the severity at
//     the same instant keep their order, of which the last counts.
//
// So the order of the evidence does not matter, only that of Invoiced. Anything
// else does, be it outside the period or of no consequence. The only error is a
// severity that is none.
//
// The form is hashed as it is written, in a buffer of a few kilobytes; the cost
// is some hundred nanoseconds for each piece of evidence, more if they have to be
// sorted.
func (e Evidence) Digest() (Digest, error) {
	c := canonical{sum: sha256.New(), buf: make([]byte, 0, flushAt+flushAt/4)}
	c.evidence(&e)
	if c.err != nil {
		return Digest{}, fmt.Errorf("sla: digest of evidence: %w", c.err)
	}
	c.sum.Write(c.buf)
	var d Digest
	c.sum.Sum(d[:0])
	return d, nil
}

// flushAt is how many bytes are kept before they are hashed.
const flushAt = 4096

// canonical writes the canonical form of evidence into a hash. The methods that
// take a name write a field of an object; those that end in Set leave it out
// when it is not set.
type canonical struct {
	sum    hash.Hash
	buf    []byte
	inside bool // an object has a field already
	err    error
}

func (c *canonical) evidence(e *Evidence) {
	c.open()
	c.name("observed")
	c.span(e.Observed)
	listed(c, "outages", e.Outages, func(o *Outage) time.Time { return o.Start }, (*canonical).outage)
	listed(c, "maintenance", e.Maintenance, func(m *Maintenance) time.Time { return m.Start }, (*canonical).maintenance)
	listed(c, "gaps", e.Gaps, func(g *Gap) time.Time { return g.Start }, (*canonical).gap)
	listed(c, "requests", e.Requests, func(r *Requests) time.Time { return r.Start }, (*canonical).requests)
	listed(c, "incidents", e.Incidents, func(in *Incident) time.Time { return in.Opened }, (*canonical).incident)
	listed(c, "losses", e.Losses, func(l *Loss) time.Time { return l.At }, (*canonical).loss)
	listed(c, "changes", e.Changes, func(x *Change) time.Time { return x.Start }, (*canonical).change)
	listed(c, "restores", e.Restores, func(r *Restore) time.Time { return r.Started }, (*canonical).restore)
	listed(c, "problems", e.Problems, func(p *Problem) time.Time { return p.Opened }, (*canonical).problem)
	listed(c, "capacity", e.Capacity, func(x *Capacity) time.Time { return x.Start }, (*canonical).capacity)
	if len(e.Fees) > 0 {
		c.name("fees")
		c.open()
		for _, base := range slices.Sorted(maps.Keys(e.Fees)) {
			c.separate()
			c.quote(base)
			c.buf = append(c.buf, ':')
			c.money(e.Fees[base])
		}
		c.shut()
	}
	if len(e.Invoiced) > 0 {
		c.name("invoiced")
		c.buf = append(c.buf, '[')
		for i := range e.Invoiced {
			if i > 0 {
				c.buf = append(c.buf, ',')
			}
			c.money(e.Invoiced[i])
		}
		c.buf = append(c.buf, ']')
	}
	c.amountSet("invoice", e.Invoice)
	listed(c, "issued", e.Issued, func(i *IssuedCredit) time.Time { return i.At }, (*canonical).issued)
	c.shut()
}

func (c *canonical) outage(o *Outage) {
	c.textSet("ref", o.Ref)
	c.textSet("service", o.Service)
	c.time("start", o.Start)
	c.timeSet("end", o.End)
	c.textSet("cause", string(o.Cause))
	c.flagSet("degraded", o.Degraded)
	c.timeSet("reported", o.Reported)
	c.timeSet("felt", o.Felt)
	if o.Affected != nil {
		c.text("affected", o.Affected.String())
	}
}

func (c *canonical) maintenance(m *Maintenance) {
	c.text("ref", m.Ref)
	c.textSet("service", m.Service)
	c.time("start", m.Start)
	c.time("end", m.End)
	c.timeSet("announced", m.Announced)
	c.flagSet("emergency", m.Emergency)
	c.flagSet("cancelled", m.Cancelled)
	c.textSet("kind", m.Kind)
	c.textSet("title", m.Title)
}

func (c *canonical) gap(g *Gap) {
	c.textSet("service", g.Service)
	c.time("start", g.Start)
	c.timeSet("end", g.End)
	c.flagSet("before", g.Before)
}

func (c *canonical) requests(r *Requests) {
	c.textSet("service", r.Service)
	c.time("start", r.Start)
	c.count("total", r.Total)
	c.count("failed", r.Failed)
	if r.Slow > 0 {
		c.count("slow", r.Slow)
	}
}

func (c *canonical) incident(in *Incident) {
	c.text("id", in.ID)
	c.textSet("service", in.Service)
	c.severity("severity", in.Severity)
	c.severities(in.Severities)
	c.timeSet("detected", in.Detected)
	c.time("opened", in.Opened)
	c.timeSet("responded", in.Responded)
	c.timeSet("resolved", in.Resolved)
	c.instants("updates", in.Updates)
	c.intervals("pauses", in.Pauses)
	c.intervals("closed", in.Closed)
	c.instants("resets", in.Resets)
	c.timeSet("cancelled", in.Cancelled)
	c.timeSet("started", in.Started)
	c.timeSet("acknowledged", in.Acknowledged)
	c.textSet("title", in.Title)
	c.textSet("cause", in.Cause)
	c.textSet("action", in.Action)
	if in.FirstContact != nil {
		c.flag("first_contact", *in.FirstContact)
	}
	if in.Escalations != nil {
		c.number("escalations", int64(*in.Escalations))
	}
	c.flagSet("reopened", in.Reopened)
	c.numberSet("satisfaction", int64(in.Satisfaction))
	c.amountSet("cost", in.Cost)
}

func (c *canonical) loss(l *Loss) {
	c.text("ref", l.Ref)
	c.time("at", l.At)
	c.amount("claimed", l.Claimed)
}

func (c *canonical) change(x *Change) {
	c.text("ref", x.Ref)
	c.textSet("service", x.Service)
	c.time("start", x.Start)
	c.timeSet("end", x.End)
	c.text("kind", string(x.Kind))
	c.textSet("outcome", string(x.Outcome))
	c.timeSet("requested", x.Requested)
	c.timeSet("approved", x.Approved)
	c.textSet("caused_incident", x.CausedIncident)
}

func (c *canonical) restore(r *Restore) {
	c.text("service", r.Service)
	c.text("kind", string(r.Kind))
	c.time("started", r.Started)
	c.timeSet("restored", r.Restored)
	c.timeSet("verified", r.Verified)
	c.numberSet("rto_target_ns", int64(r.RTOTarget))
	c.numberSet("rpo_target_ns", int64(r.RPOTarget))
	c.timeSet("failed_at", r.FailedAt)
	c.timeSet("newest", r.Newest)
	c.textSet("by", r.By)
	c.textSet("artefact_sha256", r.SHA256)
}

func (c *canonical) problem(p *Problem) {
	c.text("ref", p.Ref)
	c.time("opened", p.Opened)
	c.timeSet("closed", p.Closed)
	c.textSet("cause", p.Cause)
}

func (c *canonical) capacity(x *Capacity) {
	c.text("resource", x.Resource)
	c.time("start", x.Start)
	c.number("used_ns", int64(x.Used))
	c.number("available_ns", int64(x.Available))
}

func (c *canonical) issued(i *IssuedCredit) {
	c.time("at", i.At)
	c.amount("amount", i.Amount)
}

// listed writes a list of objects in canonical order. What is in order already is
// hashed as it comes.
func listed[T any](c *canonical, name string, list []T, at func(*T) time.Time, write func(*canonical, *T)) {
	if len(list) == 0 {
		return
	}
	c.name(name)
	c.buf = append(c.buf, '[')
	order := byInstant(list, at)
	item := func(i int) *T {
		if order != nil {
			i = order[i]
		}
		return &list[i]
	}
	var texts [][]byte
	for i, n := 0, 0; i < len(list); i += n {
		c.flush(flushAt)
		for n = 1; i+n < len(list) && at(item(i+n)).Equal(at(item(i))); n++ {
		}
		if i > 0 {
			c.buf = append(c.buf, ',')
		}
		if n == 1 {
			c.open()
			write(c, item(i))
			c.shut()
			continue
		}
		// Of the same instant: written first, then hashed in the order of the texts.
		c.flush(0)
		ends := make([]int, 0, n)
		for k := range n {
			c.open()
			write(c, item(i+k))
			c.shut()
			ends = append(ends, len(c.buf))
		}
		texts = texts[:0]
		from := 0
		for _, end := range ends {
			texts = append(texts, c.buf[from:end])
			from = end
		}
		slices.SortFunc(texts, bytes.Compare)
		for k, text := range texts {
			if k > 0 {
				c.sum.Write(comma)
			}
			c.sum.Write(text)
		}
		c.buf = c.buf[:0]
	}
	c.buf = append(c.buf, ']')
}

var comma = []byte{','}

// byInstant returns the indices of the list in the order of time, nil if it is
// in order.
func byInstant[T any](list []T, at func(*T) time.Time) []int {
	sorted := true
	for i := 1; i < len(list) && sorted; i++ {
		sorted = !at(&list[i]).Before(at(&list[i-1]))
	}
	if sorted {
		return nil
	}
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return at(&list[i]).Compare(at(&list[j])) })
	return order
}

// short writes a list within an object, sorted stably by compare.
func short[T any](c *canonical, name string, list []T, compare func(a, b T) int, write func(T)) {
	if len(list) == 0 {
		return
	}
	if !slices.IsSortedFunc(list, compare) {
		list = slices.Clone(list)
		slices.SortStableFunc(list, compare)
	}
	c.name(name)
	c.buf = append(c.buf, '[')
	for i := range list {
		if i > 0 {
			c.buf = append(c.buf, ',')
		}
		write(list[i])
	}
	c.buf = append(c.buf, ']')
}

func (c *canonical) instants(name string, list []time.Time) {
	short(c, name, list, time.Time.Compare, c.instant)
}

func (c *canonical) intervals(name string, list []calendar.Interval) {
	short(c, name, list, func(a, b calendar.Interval) int { return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End)) }, c.span)
}

func (c *canonical) severities(list []SeverityChange) {
	short(c, "severities", list, func(a, b SeverityChange) int { return a.At.Compare(b.At) }, func(s SeverityChange) {
		c.open()
		c.time("at", s.At)
		c.severity("severity", s.Severity)
		c.shut()
	})
}

// flush hashes what was written once it is more than a number of bytes.
func (c *canonical) flush(over int) {
	if len(c.buf) > over {
		c.sum.Write(c.buf)
		c.buf = c.buf[:0]
	}
}

func (c *canonical) open() { c.buf, c.inside = append(c.buf, '{'), false }
func (c *canonical) shut() { c.buf, c.inside = append(c.buf, '}'), true }

// name begins a field.
func (c *canonical) name(name string) {
	c.separate()
	c.buf = append(c.buf, '"')
	c.buf = append(c.buf, name...) // one of ours: nothing to escape
	c.buf = append(c.buf, '"', ':')
}

// separate writes a comma before all but the first field of an object.
func (c *canonical) separate() {
	if c.inside {
		c.buf = append(c.buf, ',')
	}
	c.inside = true
}

// quote writes text as encoding/json does.
func (c *canonical) quote(text string) {
	for i := range len(text) {
		if b := text[i]; b < ' ' || b > '~' || b == '"' || b == '\\' || b == '<' || b == '>' || b == '&' {
			quoted, _ := json.Marshal(text) // any text can be written
			c.buf = append(c.buf, quoted...)
			return
		}
	}
	c.buf = append(c.buf, '"')
	c.buf = append(c.buf, text...)
	c.buf = append(c.buf, '"')
}

func (c *canonical) text(name, text string) {
	c.name(name)
	c.quote(text)
}

func (c *canonical) textSet(name, text string) {
	if text != "" {
		c.text(name, text)
	}
}

func (c *canonical) instant(t time.Time) {
	c.buf = append(c.buf, '"')
	c.buf = t.UTC().AppendFormat(c.buf, time.RFC3339Nano)
	c.buf = append(c.buf, '"')
}

func (c *canonical) time(name string, t time.Time) {
	c.name(name)
	c.instant(t)
}

func (c *canonical) timeSet(name string, t time.Time) {
	if !t.IsZero() {
		c.time(name, t)
	}
}

func (c *canonical) span(i calendar.Interval) {
	c.open()
	c.time("start", i.Start)
	c.time("end", i.End)
	c.shut()
}

func (c *canonical) flag(name string, set bool) {
	c.name(name)
	c.buf = strconv.AppendBool(c.buf, set)
}

func (c *canonical) flagSet(name string, set bool) {
	if set {
		c.flag(name, set)
	}
}

func (c *canonical) number(name string, n int64) {
	c.name(name)
	c.buf = strconv.AppendInt(c.buf, n, 10)
}

func (c *canonical) numberSet(name string, n int64) {
	if n != 0 {
		c.number(name, n)
	}
}

func (c *canonical) count(name string, n uint64) {
	c.name(name)
	c.buf = strconv.AppendUint(c.buf, n, 10)
}

func (c *canonical) money(a money.Amount) {
	if !a.IsSet() {
		c.buf = append(c.buf, "null"...)
		return
	}
	c.open()
	c.text("amount", a.Decimal())
	c.text("currency", string(a.Currency()))
	c.shut()
}

func (c *canonical) amount(name string, a money.Amount) {
	c.name(name)
	c.money(a)
}

func (c *canonical) amountSet(name string, a money.Amount) {
	if a != (money.Amount{}) {
		c.amount(name, a)
	}
}

func (c *canonical) severity(name string, s incident.Severity) {
	if s.IsSet() {
		c.name(name)
		c.buf = append(c.buf, '"', 'P', '0'+byte(s), '"')
		return
	}
	text, err := s.MarshalText()
	if err != nil && c.err == nil {
		c.err = err
	}
	c.text(name, string(text))
}
