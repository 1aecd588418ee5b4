package evidence

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/table"
	"github.com/evenkeelops/evenkeel/sla"
)

// class is what a row of an outage table says: how bad it is, and whose fault.
type class uint32

const (
	downProvider class = iota
	downCustomer
	downForceMajeure
	downMaintenance
	degraded
	unmonitored
	classes
)

var causes = map[string]class{
	"": downProvider, string(sla.CauseProvider): downProvider, string(sla.CauseCustomer): downCustomer,
	string(sla.CauseForceMajeure): downForceMajeure, string(sla.CauseMaintenance): downMaintenance,
}

func (c class) cause() sla.Cause {
	switch c {
	case downCustomer:
		return sla.CauseCustomer
	case downForceMajeure:
		return sla.CauseForceMajeure
	case downMaintenance:
		return sla.CauseMaintenance
	default:
		return sla.CauseProvider
	}
}

// stretch is a row in few bytes: a table of a million rows fits into memory.
type stretch struct {
	start, end int64  // nanoseconds of Unix time; end is stillOpen for an open one
	ref        uint32 // in log.refs
	group      uint32 // service and class
}

const stillOpen = math.MaxInt64

// log collects stretches.
type log struct {
	rows   []stretch
	refs   strings.Builder // the length of each, and the ref
	last   string
	offset uint32
	full   int  // compact when there are that many rows
	joined bool // rows with different refs were joined
}

// compactAt is how many rows are kept as they are. Beyond it those of one service
// and class that overlap are joined, as only the time that they cover together
// counts.
const compactAt = 1 << 16

func (l *log) add(start, end time.Time, service int, c class, ref string) {
	if l.full == 0 {
		l.full = compactAt
	}
	if len(l.rows) >= l.full {
		l.compact()
		l.full = max(compactAt, 2*len(l.rows))
		l.rows = slices.Grow(l.rows, l.full-len(l.rows))
	}
	s := stretch{start: start.UnixNano(), end: stillOpen, group: uint32(service)*uint32(classes) + uint32(c)}
	if !end.IsZero() {
		s.end = end.UnixNano()
	}
	if l.refs.Len() == 0 || ref != l.last {
		l.offset = uint32(l.refs.Len())
		l.last = strings.Clone(ref)
		l.refs.Write(binary.AppendUvarint(nil, uint64(len(ref))))
		l.refs.WriteString(ref)
	}
	s.ref = l.offset
	l.rows = append(l.rows, s)
}

// refAt returns the part of the refs that begins at an offset.
func refAt(refs string, offset uint32) string {
	n, size := uint64(refs[offset]), 1
	if n >= 0x80 {
		n, size = binary.Uvarint([]byte(refs[offset:min(int(offset)+binary.MaxVarintLen64, len(refs))]))
	}
	at := int(offset) + size
	return refs[at : at+int(n)]
}

// compact sorts the rows and joins what may be joined. Those of a cause that may
// be excluded keep their refs, as exclusions are listed by ref.
func (l *log) compact() {
	slices.SortFunc(l.rows, func(a, b stretch) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end), cmp.Compare(a.ref, b.ref))
	})
	kept := l.rows[:0]
	for _, s := range l.rows {
		if n := len(kept); n > 0 && kept[n-1].group == s.group && s.start <= kept[n-1].end {
			same := kept[n-1].ref == s.ref
			switch class(s.group % uint32(classes)) {
			case downProvider, degraded, unmonitored:
				l.joined = l.joined || !same
				same = true
			default:
			}
			if same {
				kept[n-1].end = max(kept[n-1].end, s.end)
				continue
			}
		}
		kept = append(kept, s)
	}
	l.rows = kept
}

// outages reads the table of outages, degradations and gaps.
func (r *reader) outages(name string) error {
	var l log
	err := r.rows(name, []string{"service", "start", "end", "kind"}, []string{"cause", "incident_id"}, func(t *table.Table) {
		service := t.Required("service")
		i, ok := r.span(t, true)
		cause, known := causes[t.Text("cause")]
		if !known {
			t.Word("cause", string(sla.CauseProvider), string(sla.CauseCustomer), string(sla.CauseForceMajeure), string(sla.CauseMaintenance))
		}
		switch t.Word("kind", "down", "degraded", "unmonitored") {
		case "degraded":
			cause = degraded
		case "unmonitored":
			cause = unmonitored
		}
		if service == allServices {
			t.Fail("service", "found %q, want one service a row", service)
		}
		if ok && known && r.known(service) && i.Start.Before(r.frame.Window.End) && (i.End.IsZero() || i.End.After(r.frame.Window.Start)) {
			l.add(i.Start, i.End, r.services[service], cause, t.Text("incident_id"))
		}
	})
	if err == nil {
		r.take(name, &l)
	}
	return err
}

// take turns stretches into evidence.
func (r *reader) take(name string, l *log) {
	if len(l.rows) >= compactAt {
		l.compact()
	}
	if l.joined {
		r.notice("outages_joined", name, "%s: more than %d rows in the time of the report; those that overlap are joined under the id of the first", name, compactAt)
	}
	n := 0
	for _, s := range l.rows {
		if class(s.group%uint32(classes)) != unmonitored {
			n++
		}
	}
	r.Evidence.Outages = slices.Grow(r.Evidence.Outages, n)
	refs := l.refs.String() // of which the outages have parts
	for _, s := range l.rows {
		var service string
		if len(r.frame.Services) > 0 {
			service = r.frame.Services[s.group/uint32(classes)]
		}
		start, end := time.Unix(0, s.start).UTC(), time.Time{}
		if s.end != stillOpen {
			end = time.Unix(0, s.end).UTC()
		}
		switch c := class(s.group % uint32(classes)); c {
		case unmonitored:
			r.Evidence.Gaps = append(r.Evidence.Gaps, sla.Gap{Service: service, Start: start, End: end})
		default:
			r.Evidence.Outages = append(r.Evidence.Outages, sla.Outage{
				Ref: refAt(refs, s.ref), Service: service, Start: start, End: end, Cause: c.cause(), Degraded: c == degraded,
			})
		}
	}
}
