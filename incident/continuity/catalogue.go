package continuity

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Catalogue is what there is to keep running, and how.
type Catalogue struct {
	Services []Service `json:"services"`
	Runbooks []Runbook `json:"runbooks,omitempty"`
	KeyDates []KeyDate `json:"key_dates,omitempty"`
	Tasks    []Task    `json:"tasks,omitempty"`
	Policy   Policy    `json:"policy,omitzero"`
}

// Service is an entry of the catalogue. What is left out is a finding, not an error.
type Service struct {
	ID    string `json:"service"`
	Owner string `json:"owner,omitempty"`
	Tier  string `json:"tier,omitempty"`
	// Support are the hours in which people answer.
	Support *calendar.Hours `json:"support_window,omitempty"`
	// Lines are the support lines, the first one first.
	Lines []string `json:"lines,omitempty"`
	// DependsOn are the services without which it does not run.
	DependsOn []string `json:"depends_on,omitempty"`
	// Stateless services keep no data: nobody asks for restores of them.
	Stateless bool `json:"stateless,omitempty"`
	// Vendors are those on whose help it relies.
	Vendors []Vendor `json:"vendors,omitempty"`

	// The last dates like "2027-06-30" on which what it is built of is sold,
	// supported and runs, in this order, in UTC.
	EndOfSale    string `json:"end_of_sale,omitempty"`
	EndOfSupport string `json:"end_of_support,omitempty"`
	EndOfLife    string `json:"end_of_life,omitempty"`
}

// Vendor is a supplier with what it promises.
type Vendor struct {
	Name string `json:"name"`
	// SLA is a reference to the agreement.
	SLA string `json:"sla,omitempty"`
	// PriorityQueue is how a request gets into the queue of urgent ones.
	PriorityQueue string `json:"priority_queue,omitempty"`
}

// Policy says how long a proof lasts. The success rate is that of the operations
// guide, the lengths of time are ours.
type Policy struct {
	RestoreEvery  time.Duration `json:"restore_every_ns,omitzero"`  // defaults to 90 days
	DREvery       time.Duration `json:"dr_every_ns,omitzero"`       // defaults to 365 days
	ReviewEvery   time.Duration `json:"review_every_ns,omitzero"`   // of runbooks; defaults to 365 days
	RehearseEvery time.Duration `json:"rehearse_every_ns,omitzero"` // of key dates, and of runbooks for disasters; defaults to 365 days

	// SuccessRate is the share of restores that have to pass, in percent. Defaults to
	// "> 99%", which 99 of 100 miss.
	SuccessRate incident.Target `json:"restore_success_rate,omitzero"`
	// RateOver is the stretch of time over which they are counted: one counts from
	// its end until just before RateOver later. Defaults to 365 days.
	RateOver time.Duration `json:"rate_over_ns,omitzero"`

	// Scenarios have to be tested for every service. Empty means that a test of any
	// scenario will do.
	Scenarios []Scenario `json:"scenarios,omitempty"`
}

const days = 24 * time.Hour

// complete returns the policy with its defaults.
func (p Policy) complete() Policy {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&p.RestoreEvery, 90 * days},
		{&p.DREvery, 365 * days},
		{&p.ReviewEvery, 365 * days},
		{&p.RehearseEvery, 365 * days},
		{&p.RateOver, 365 * days},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	if !p.SuccessRate.IsSet() {
		p.SuccessRate, _ = incident.ParseTarget("> 99%") // it can be read
	}
	p.Scenarios = slices.Clone(p.Scenarios)
	return p
}

func (p Policy) check(bad problems) {
	bad.interval("restore_every_ns", p.RestoreEvery)
	bad.interval("dr_every_ns", p.DREvery)
	bad.interval("review_every_ns", p.ReviewEvery)
	bad.interval("rehearse_every_ns", p.RehearseEvery)
	bad.interval("rate_over_ns", p.RateOver)
	if _, unit := p.SuccessRate.Limit(); p.SuccessRate.IsSet() && unit != "percent" {
		bad.add("restore_success_rate", p.SuccessRate.String(), `a percentage like "> 99%"`)
	}
	for i, s := range p.Scenarios {
		bad.required(fmt.Sprintf("scenarios[%d]", i), string(s), `a disaster like "ransomware"`)
	}
}

// Validate returns all that is wrong with the catalogue, joined, each of type
// [*RecordError]: ids that are empty or come twice, services that are not there or
// depend on each other, dates and intervals that are none, rules of key dates. What
// is only missing is left to the findings.
func (c Catalogue) Validate() error {
	p := newProblems()
	c.check(p)
	return p.err()
}

// check reports what is wrong and returns the key dates, compiled.
func (c Catalogue) check(p problems) (dates []*plannedDate) {
	services := map[string]bool{}
	for i, s := range c.Services {
		once("service", s.ID, services, p.at("services[%d]", i))
	}
	for i, s := range c.Services {
		s.check(services, p.at("services[%d]", i))
	}
	c.checkCircles(p)
	seen := map[string]bool{}
	for i, b := range c.Runbooks {
		once("id", b.ID, seen, p.at("runbooks[%d]", i))
		b.check(services, p.at("runbooks[%d]", i))
	}
	clear(seen)
	for i, k := range c.KeyDates {
		once("id", k.ID, seen, p.at("key_dates[%d]", i))
		dates = append(dates, k.check(services, p.at("key_dates[%d]", i)))
	}
	clear(seen)
	for i, t := range c.Tasks {
		once("id", t.ID, seen, p.at("tasks[%d]", i))
		t.check(services, p.at("tasks[%d]", i))
	}
	c.Policy.check(p.at("policy"))
	return dates
}

// once reports an id that is empty or known.
func once(key, id string, seen map[string]bool, p problems) {
	p.required(key, id, "an id")
	if seen[id] && id != "" {
		p.add(key, id, "each id once")
	}
	seen[id] = true
}

func (s Service) check(services map[string]bool, p problems) {
	if s.Support != nil {
		if _, err := calendar.New(*s.Support); err != nil {
			p.add("support_window", s.Support.Zone, err.Error())
		}
	}
	for i, d := range s.DependsOn {
		p.known(fmt.Sprintf("depends_on[%d]", i), d, services)
	}
	for i, v := range s.Vendors {
		p.required(fmt.Sprintf("vendors[%d].name", i), v.Name, "a name")
	}
	before := lastDate{}
	for _, d := range s.lastDates() {
		p.date(d.key, d.date)
		if d.date != "" && d.date < before.date {
			p.add(d.key, d.date, fmt.Sprintf("not before %s, %s", before.key, before.date))
		}
		if d.date != "" {
			before = d
		}
	}
}

// checkCircles reports services that depend on each other, each circle once.
func (c Catalogue) checkCircles(p problems) {
	number := map[string]int{}
	for i, s := range c.Services {
		number[s.ID] = i
	}
	const open, done = 1, 2
	state := make([]int, len(c.Services))
	var way []string
	var visit func(i int)
	visit = func(i int) {
		s := c.Services[i]
		state[i], way = open, append(way, s.ID)
		for n, id := range s.DependsOn {
			on, known := number[id]
			switch {
			case !known || state[on] == done:
			case state[on] == open:
				circle := append(slices.Clone(way[slices.Index(way, id):]), id)
				p.add(fmt.Sprintf("services[%d].depends_on[%d]", i, n), id, "no circle, not "+strings.Join(circle, " on "))
			default:
				visit(on)
			}
		}
		state[i], way = done, way[:len(way)-1]
	}
	for i := range c.Services {
		if state[i] == 0 {
			visit(i)
		}
	}
}

// lastDate is one of the ends of a service.
type lastDate struct {
	code      Code
	key, date string
}

func (s Service) lastDates() []lastDate {
	return []lastDate{
		{EndOfSale, "end_of_sale", s.EndOfSale},
		{EndOfSupport, "end_of_support", s.EndOfSupport},
		{EndOfLife, "end_of_life", s.EndOfLife},
	}
}

// findings returns what the entry itself leaves open, and which ends have passed.
func (s Service) findings(at time.Time) (out []Finding) {
	for _, key := range []struct {
		name  string
		there bool
	}{
		{"owner", s.Owner != ""},
		{"tier", s.Tier != ""},
		{"support_window", s.Support != nil},
		{"lines", len(s.Lines) > 0},
	} {
		if !key.there {
			out = append(out, Finding{Code: Incomplete, Service: s.ID, Subject: key.name}.saying(clause("no_"+key.name)))
		}
	}
	for _, v := range s.Vendors {
		if v.SLA == "" {
			out = append(out, Finding{Code: Incomplete, Service: s.ID, Subject: "vendors"}.saying(clause("no_agreement", v.Name)))
		}
	}
	for _, d := range s.lastDates() {
		if d.date == "" || at.Before(dayAfter(d.date)) {
			continue
		}
		out = append(out, Finding{Code: d.code, Service: s.ID, Subject: d.key, Since: dayAfter(d.date)}.saying(clause(d.key, Date(d.date))))
	}
	return out
}
