package continuity

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// Register holds a catalogue and the records that prove that it can be relied
// upon. Make one with [New].
type Register struct {
	catalogue Catalogue
	policy    Policy // complete
	services  map[string]bool
	dates     []*plannedDate
	runbooks  map[string][]Runbook // by service, as those below
	restores  map[string]map[Restore]bool
	tests     map[string][]DRTest
	known     map[string]DRTest // tests by id
}

// New returns a register of a catalogue without records. The error is that of
// [Catalogue.Validate]. The catalogue is kept; do not change it afterwards.
func New(c Catalogue) (*Register, error) {
	p := newProblems()
	dates := c.check(p)
	if err := p.err(); err != nil {
		return nil, err
	}
	r := &Register{
		catalogue: c, policy: c.Policy.complete(), services: map[string]bool{}, dates: dates,
		runbooks: map[string][]Runbook{}, restores: map[string]map[Restore]bool{}, tests: map[string][]DRTest{}, known: map[string]DRTest{},
	}
	for _, s := range c.Services {
		r.services[s.ID], r.restores[s.ID] = true, map[Restore]bool{}
	}
	for _, b := range c.Runbooks {
		for _, s := range b.Services {
			r.runbooks[s] = append(r.runbooks[s], b)
		}
	}
	return r, nil
}

// AddRestore records a restore at an instant. It is refused with [*RecordError]
// values, joined, if the service is not in the catalogue, if one of its instants
// lies after that of the record or before one that must come first, or if something
// is missing. A record that is known already changes nothing. To report how a
// restore ended that was recorded while it ran, add it again, complete.
func (r *Register) AddRestore(e Restore, at time.Time) error {
	p := newProblems()
	p.known("service", e.Service, r.services)
	e.check(at, p)
	if err := p.err(); err != nil {
		return fmt.Errorf("restore of %q from %q: %w", e.Service, e.Backup, err)
	}
	r.restores[e.Service][e.canonical()] = true
	return nil
}

// AddTest records a disaster test at an instant; the errors are like those of
// [Register.AddRestore]. One that is known already changes nothing, and another one
// with the same id is refused with [ErrDuplicate].
func (r *Register) AddTest(d DRTest, at time.Time) error {
	p := newProblems()
	d.check(at, r.services, p)
	if err := p.err(); err != nil {
		return fmt.Errorf("disaster test %q: %w", d.ID, err)
	}
	d = d.clone()
	if known, there := r.known[d.ID]; there {
		if !reflect.DeepEqual(known, d) {
			return fmt.Errorf("disaster test %q: %w", d.ID, ErrDuplicate)
		}
		return nil
	}
	r.known[d.ID] = d
	for _, s := range d.Services {
		r.tests[s] = append(r.tests[s], d)
	}
	return nil
}

// Findings returns what is missing, failed or too old at an instant, by service,
// code, subject and instant. What depends on plans is left to [Register.CheckDates].
// The cost is that of sorting all records.
func (r *Register) Findings(at time.Time) []Finding {
	var out []Finding
	for _, s := range r.catalogue.Services {
		out = append(out, s.findings(at)...)
		if !s.Stateless {
			out = append(out, r.policy.restoreFindings(s.ID, r.restoresOf(s.ID, at), at)...)
		}
		out = append(out, r.policy.drFindings(s.ID, r.testsOf(s.ID, at), at)...)
		out = append(out, r.runbooksMissing(s.ID)...)
	}
	for _, b := range r.catalogue.Runbooks {
		out = append(out, r.policy.runbookFindings(b, at)...)
	}
	for _, d := range r.dates {
		out = append(out, r.dateFindings(d, at)...)
	}
	for _, t := range r.catalogue.Tasks {
		if f, overdue := t.finding(at); overdue {
			out = append(out, f)
		}
	}
	return sortFindings(out)
}

// restoresOf returns the restores of a service that are known at an instant, in
// their order.
func (r *Register) restoresOf(service string, at time.Time) (out []Restore) {
	for e := range r.restores[service] {
		if !e.ended().After(at) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, compareRestores)
	return out
}

func (r *Register) testsOf(service string, at time.Time) []DRTest {
	out := slices.DeleteFunc(slices.Clone(r.tests[service]), func(d DRTest) bool { return d.Ended.After(at) })
	slices.SortFunc(out, compareTests)
	return out
}

func (r *Register) runbooksMissing(service string) []Finding {
	books := r.runbooks[service]
	switch {
	case len(books) == 0:
		return []Finding{Finding{Code: RunbookMissing, Service: service}.saying(clause("no_runbook"))}
	case !slices.ContainsFunc(books, func(b Runbook) bool { return b.Purpose == ForDR }):
		return []Finding{Finding{Code: RunbookMissing, Service: service, Subject: string(ForDR)}.saying(clause("no_runbook_dr"))}
	}
	return nil
}

// concerned returns a list of services, and all if it is empty.
func (r *Register) concerned(list []string) []string {
	if len(list) == 0 {
		return slices.Sorted(maps.Keys(r.services))
	}
	return list
}
