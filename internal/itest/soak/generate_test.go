// Package soak runs a month of a whole service desk through the product, with a node killed every day, and has what is
// left in the database read by somebody who does not know the product.
package soak

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// The month, which has no change of the clock. The virtual clock goes by slots of an hour.
const (
	tenants  = 500
	services = 20   // of a tenant
	month    = 30   // days
	hour     = 3600 // in seconds, as all instants of a world since its begin
	grain    = 20   // all instants are multiples of it
)

var begin = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func instant(second int) time.Time { return begin.Add(time.Duration(second) * time.Second) }

func tenantName(n int) string  { return fmt.Sprintf("tenant%03d", n) }
func serviceName(n int) string { return fmt.Sprintf("svc%02d", n) }

// world is all that happens, and a function of seed and size alone.
type world struct {
	seed    uint64
	days    int // of the month in which something happens, the first
	outages []outage
	slots   [24 * month][]int // outages that have something to say in a slot
}

// outage is a stretch in which a service is down and everything on it complains, or one in which a disk fills up and says
// so again and again. There is one of a service in a day at most, and it is over before the day is.
type outage struct {
	tenant, service int
	down            bool
	severity        incident.Severity
	begin, end      int
	linger          int // how long one of the complaints goes on after the end, in seconds
	alerts          int // complaints, or half of the repetitions
}

// signal is an alert that is sent.
type signal struct {
	at          int
	name, part  string // part is what complains, and empty otherwise
	firing      bool
	severity    incident.Severity
	outageBegin int
}

const (
	downAlert  = "platform.down"
	slowAlert  = "application.slow"
	diskAlert  = "infrastructure.disk_space"
	perOutage  = 20 // signals, in the mean
	stormEvery = 20 // every so many an outage is a storm, of 248 signals; the others have 8
)

// newWorld makes one of so many signals, which must be a multiple of 400.
//
// Outages begin, and end, some hours apart, so that there are fewer slots with more in them.
// An alert begins in the second third of a slot and ends in the first quarter of another, so that what falls due an
// hour or more after its beginning does so before the clock comes to a slot in which it ends or clearly after.
func newWorld(seed uint64, signals, days int) *world {
	w := &world{seed: seed, days: days}
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a seed is the point
	taken := map[[2]int]bool{}
	for n := range signals / perOutage {
		o := outage{tenant: r.IntN(tenants), service: r.IntN(services), down: r.IntN(5) < 3, alerts: 3}
		day, slot := r.IntN(days), 4*r.IntN(3)
		if n%stormEvery == 0 {
			o.alerts = 3 + 6*stormEvery
			slot = 4 * (day % 3) // storms of a day come together
		}
		for taken[[2]int{o.tenant*services + o.service, day}] {
			o.tenant = (o.tenant + 1) % tenants
		}
		taken[[2]int{o.tenant*services + o.service, day}] = true
		slot += 24 * day
		o.begin = slot*hour + 20*60 + grain*(2+r.IntN(55))
		last, y := slot+[]int{1, 4, 8}[r.IntN(3)], grain*(15+r.IntN(30))
		o.end = last*hour + y
		o.severity = incident.P3
		if o.down {
			o.severity = incident.P1 + incident.Severity(r.IntN(2))
			if r.IntN(10) == 0 {
				o.linger = 4*hour - 2*60
			}
		}
		w.outages = append(w.outages, o)
		in := map[int]bool{}
		for s := range o.signals() {
			in[s.at/hour] = true
		}
		for _, slot := range slices.Sorted(maps.Keys(in)) {
			w.slots[slot] = append(w.slots[slot], n)
		}
	}
	return w
}

// signals yields what an outage has sent, in no order.
func (o *outage) signals() iter.Seq[signal] {
	return func(yield func(signal) bool) {
		say := func(at int, name, part string, firing bool, severity incident.Severity) bool {
			return yield(signal{at, name, part, firing, severity, o.begin})
		}
		if !o.down {
			n := 2*o.alerts + 1
			for i := range n {
				at := o.begin + (o.end-o.begin)*i/n
				if !say(at-at%grain, diskAlert, "", true, o.severity) {
					return
				}
			}
			say(o.end, diskAlert, "", false, o.severity)
			return
		}
		if !say(o.begin, downAlert, "", true, o.severity) || !say(o.end, downAlert, "", false, o.severity) {
			return
		}
		for i := range o.alerts {
			part := fmt.Sprintf("pod%03d", i)
			from, until := o.begin+grain*(i%8-2), o.end-grain*(1+i%3) // some complain before the cause is known
			if i == 0 && o.linger > 0 {
				until = o.end + o.linger
			}
			if !say(from, slowAlert, part, true, incident.P3) || !say(until, slowAlert, part, false, incident.P3) {
				return
			}
		}
	}
}

// arrival is what arrives at an instant.
type arrival struct {
	at      int
	signals []sent
}

type sent struct {
	*outage
	signal
}

// slot returns what arrives in a slot, by instant.
func (w *world) slot(slot int) []arrival {
	at := map[int][]sent{}
	for _, n := range w.slots[slot] {
		o := &w.outages[n]
		for s := range o.signals() {
			if s.at/hour == slot {
				at[s.at] = append(at[s.at], sent{o, s})
			}
		}
	}
	var all []arrival
	for _, second := range slices.Sorted(maps.Keys(at)) {
		all = append(all, arrival{second, at[second]})
	}
	return all
}

// incidentID names the incident of an alert since an instant.
func incidentID(name, service, part string, since time.Time) string {
	return fmt.Sprintf("%s.%s.%s.%s", name, service, cmp.Or(part, "all"), since.UTC().Format("20060102T150405Z"))
}

// takes reports whether whoever is asked to take an incident for the second time does so.
func takes(tenant, id string) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(tenant + id))
	return h.Sum32()%3 == 0
}

// ladder is after how many minutes somebody is asked, by severity.
var ladder = map[incident.Severity][]int{
	incident.P1: {0, 60, 120, 240}, incident.P2: {0, 120, 240}, incident.P3: {0, 180}, incident.P4: {0},
}

// people are who can be asked. Which of them is a matter of tenant and step.
const people = 10

func personOf(tenant, step int) string { return fmt.Sprintf("person%d", (tenant+3*step)%people) }

// fee is that of a month, in cents.
func fee(tenant int) int64 { return 100_000 + 3_713*int64(tenant) }
