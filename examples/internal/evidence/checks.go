package evidence

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/table"
	"github.com/evenkeelops/evenkeel/sla"
)

// status is what a check found, the worse the greater: of two rows of a service
// at one instant the worse counts.
type status uint32

const (
	checkUp status = iota
	checkUnknown
	checkDegraded
	checkDown
)

var statuses = map[string]status{"up": checkUp, "unknown": checkUnknown, "degraded": checkDegraded, "down": checkDown}

// check is a row in few bytes.
type check struct {
	at      int64 // nanoseconds of Unix time
	service uint32
	status  status
}

// checks reads a table of checks. A status holds until the next row of the
// service, at most as long as the largest gap; the rest, and everything before the
// first row, is time that nobody monitored.
func (r *reader) checks(name string) error {
	var all []check
	before := map[uint32]check{} // by service, the last one before the window: it may hold into it
	start := r.frame.Window.Start.UnixNano()
	err := r.rows(name, []string{"time", "service", "status"}, []string{"http_code", "response_ms"}, func(t *table.Table) {
		at, service := r.needed(t, "time"), t.Required("service")
		found := t.Word("status", "up", "down", "degraded", "unknown")
		if service == allServices {
			t.Fail("service", "found %q, want one service a row", service)
		}
		if !r.known(service) || !at.Before(r.frame.Window.End) {
			return
		}
		c := check{at.UnixNano(), uint32(r.services[service]), statuses[found]}
		switch last, ok := before[c.service]; {
		case c.at >= start:
			all = append(all, c)
		case !ok || c.at > last.at || c.at == last.at && c.status > last.status:
			before[c.service] = c
		}
	})
	if err != nil {
		return err
	}
	for _, c := range before {
		all = append(all, c) // sorted below
	}
	slices.SortFunc(all, func(a, b check) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.at, b.at), cmp.Compare(b.status, a.status))
	})
	all = slices.CompactFunc(all, func(a, b check) bool { return a.service == b.service && a.at == b.at })
	for i := range max(len(r.frame.Services), 1) {
		from, _ := slices.BinarySearchFunc(all, uint32(i), func(c check, i uint32) int { return cmp.Compare(c.service, i) })
		to, _ := slices.BinarySearchFunc(all, uint32(i+1), func(c check, i uint32) int { return cmp.Compare(c.service, i) })
		r.hold(i, all[from:to])
	}
	return nil
}

// hold turns the checks of one service into outages and gaps.
func (r *reader) hold(service int, checks []check) {
	var id string
	if len(r.frame.Services) > 0 {
		id = r.frame.Services[service]
	}
	window := r.frame.Window
	first := window.End
	if len(checks) > 0 {
		first = time.Unix(0, checks[0].at).UTC()
	}
	if first.After(window.Start) {
		r.Evidence.Gaps = append(r.Evidence.Gaps, sla.Gap{Service: id, Start: window.Start, End: first, Before: true})
	}
	var l log
	for i := 0; i < len(checks); {
		// The run of equal rows, each of which holds to the next one.
		from, found := checks[i].at, checks[i].status
		var holds, next int64
		for {
			next = window.End.UnixNano()
			if i+1 < len(checks) {
				next = checks[i+1].at
			}
			holds = next
			if r.files.MaxGap > 0 && next-checks[i].at > int64(r.files.MaxGap) {
				holds = checks[i].at + int64(r.files.MaxGap)
			}
			i++
			if holds < next || i == len(checks) || checks[i].status != found {
				break
			}
		}
		stretch := func(from, to int64, c class) {
			start, end := time.Unix(0, from).UTC(), time.Unix(0, to).UTC()
			if end.After(window.Start) && end.After(start) {
				l.add(start, end, service, c, "")
			}
		}
		switch found {
		case checkDown:
			stretch(from, holds, downProvider)
		case checkDegraded:
			stretch(from, holds, degraded)
		case checkUnknown:
			stretch(from, holds, unmonitored)
		case checkUp:
		}
		stretch(holds, next, unmonitored)
	}
	r.take(r.files.Checks, &l)
}
