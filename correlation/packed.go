package correlation

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
	"github.com/evenkeelops/evenkeel/incident"
)

// The alerts of a snapshot are packed, because there may be a million of them. Per
// alert, with numbers and the lengths of texts as varints:
//
//	name        text, or its number from 1 after a 0 if it came before
//	label names the same, as names.key
//	values      text, as labels.text
//	since, last, ends, ended
//	flags, severity    a byte each
//	annotations text in JSON, if the flag says so
//
// A name that comes for the first time has a length of more than 0.

// The flags.
const (
	packedFiring = 1 << iota
	packedActive
	packedSuppressed
	packedNotified
	packedPaged
	packedAnnotated
)

// packer writes alerts.
type packer struct {
	out   []byte
	known map[string]uint64 // number of a text that has come
}

// text writes a text with its length.
func (p *packer) text(s string) {
	p.out = prefixed.Append(p.out, s)
}

// shared writes a text that comes often. The empty one is no name.
func (p *packer) shared(s string) {
	if n := p.known[s]; n > 0 {
		p.out = binary.AppendUvarint(append(p.out, 0), n)
		return
	}
	p.known[s] = uint64(len(p.known) + 1)
	p.text(s)
}

// alert writes an alert, in the order in which unpacker.alert reads.
func (p *packer) alert(a *alert) {
	p.shared(a.name.full)
	if a.labels.names == nil {
		p.shared(noLabels)
	} else {
		p.shared(a.labels.names.key)
	}
	p.text(a.labels.text)
	for _, n := range [...]int64{a.since, a.last, a.ends, a.ended} {
		p.out = binary.AppendUvarint(p.out, uint64(n))
	}
	flags := byte(0)
	for n, set := range [...]bool{a.lastFiring, a.active, a.suppressed, a.notified, a.paged, a.more != nil && a.more.annotations != nil} {
		if set {
			flags |= 1 << n
		}
	}
	p.out = append(p.out, flags, byte(a.severity))
	if flags&packedAnnotated != 0 {
		p.text(string(appendObject(nil, a.more.annotations)))
	}
}

// noLabels stands for the names of an alert without labels: a name of no bytes,
// which is none.
const noLabels = "\x00"

// unpacker reads what packer wrote. After an error all it returns is empty.
type unpacker struct {
	rest  string
	known []string
	err   error
}

var errPacked = errors.New("the alerts are damaged")

// number reads a uvarint.
func (u *unpacker) number() uint64 {
	n, shift := uint64(0), 0
	for k := range min(len(u.rest), binary.MaxVarintLen64) {
		b := u.rest[k]
		n |= uint64(b&0x7f) << shift
		if shift += 7; b < 0x80 {
			u.rest = u.rest[k+1:]
			return n
		}
	}
	u.fail()
	return 0
}

// fail gives up: all that is read from now on is empty.
func (u *unpacker) fail() {
	if u.err == nil {
		u.err = errPacked
	}
	u.rest = ""
}

// text reads what packer.text wrote.
func (u *unpacker) text() string {
	n := u.number()
	if n > uint64(len(u.rest)) {
		u.fail()
		return ""
	}
	s := u.rest[:n]
	u.rest = u.rest[n:]
	return s
}

// shared reads what packer.shared wrote.
func (u *unpacker) shared() string {
	s := u.text()
	if s != "" || u.err != nil {
		u.known = append(u.known, s)
		return s
	}
	n := u.number()
	if n == 0 || n > uint64(len(u.known)) {
		u.fail()
		return ""
	}
	return u.known[n-1]
}

// octet reads a byte.
func (u *unpacker) octet() byte {
	if u.rest == "" {
		u.fail()
		return 0
	}
	b := u.rest[0]
	u.rest = u.rest[1:]
	return b
}

// alert reads an alert into the engine.
func (u *unpacker) alert(e *Engine, sp *space) error {
	name, key, values := u.shared(), u.shared(), u.text()
	since, last, ends, ended := u.instant(), u.instant(), u.instant(), u.instant()
	flags, severity := u.octet(), incident.Severity(u.octet())
	var annotations map[string]string
	if flags&packedAnnotated != 0 {
		if err := json.Unmarshal([]byte(u.text()), &annotations); err != nil {
			u.fail()
		}
	}
	if u.err != nil {
		return u.err
	}
	if err := e.atlas.check(name, key, values); err != nil {
		return err
	}
	a := e.newAlert(sp, e.atlas.name(name), e.atlas.unpack(key, values))
	hash := a.hash()
	if twin := sp.alerts.Find(hash, func(b *alert) bool { return b.name == a.name && b.labels == a.labels }); twin != nil {
		return fmt.Errorf("alert %s of tenant %q stands twice", a.text(), sp.tenant)
	}
	if last == 0 || severity != 0 && !severity.IsSet() {
		return fmt.Errorf("alert %s of tenant %q: want the time of an event and a severity", a.text(), sp.tenant)
	}
	for _, name := range e.opts.IgnoreLabels {
		if a.labels.Get(name) != "" {
			return fmt.Errorf("alert %s of tenant %q: want no label %q, as Options.IgnoreLabels has it", a.text(), sp.tenant, name)
		}
	}
	sp.alerts.Insert(hash, a)
	a.since, a.last, a.ends, a.ended, a.severity = since, last, ends, ended, severity
	a.lastFiring, a.suppressed = flags&packedFiring != 0, flags&packedSuppressed != 0
	a.notified, a.paged = flags&packedNotified != 0, flags&packedPaged != 0
	a.annotate(annotations)
	e.resurrect(a, flags&packedActive != 0)
	return nil
}

// instant reads an instant of the engine, which is never negative.
func (u *unpacker) instant() int64 {
	n := int64(u.number())
	if n < 0 {
		u.fail()
	}
	return n
}

// check reports a name of an alert, names of labels or values that no event has.
func (t *atlas) check(name, key, values string) error {
	if t.alerts[name] == nil {
		ev := Event{Alert: name}
		if err := ev.checkName(); err != nil {
			return err
		}
	}
	n := 0
	if shared := t.labels[key]; shared != nil {
		n = len(shared.list)
	} else if key != noLabels {
		list, ok := parts(key)
		if !ok || !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) < len(list) || list[0] == "" || !utf8.ValidString(strings.Join(list, "")) {
			return fmt.Errorf("%w: names of labels %q", errPacked, key)
		}
		n = len(list)
	}
	sum, u := uint64(0), unpacker{rest: values}
	for range n {
		length := u.number()
		sum += length
		if length == 0 || sum > uint64(len(values)) {
			u.fail()
		}
	}
	if u.err != nil || sum != uint64(len(u.rest)) || !utf8.ValidString(u.rest) {
		return fmt.Errorf("%w: values of labels %q", errPacked, values)
	}
	return nil
}

// parts splits what prefixed.Append has put together.
func parts(s string) (list []string, ok bool) {
	u := unpacker{rest: s}
	for u.rest != "" {
		list = append(list, u.text())
	}
	return list, u.err == nil && len(list) > 0
}

// unpack returns labels that were checked, and counts a use of their names.
func (t *atlas) unpack(key, values string) labels {
	if key == noLabels {
		return labels{}
	}
	n := t.labels[key]
	if n == nil {
		list, _ := parts(key)
		n = t.share(strings.Clone(key), len(list))
	}
	n.refs++
	return labels{n, strings.Clone(values)}
}
