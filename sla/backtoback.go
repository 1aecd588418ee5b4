package sla

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Exposure is a promise to a customer that a supplier does not stand behind.
type Exposure struct {
	Kind     ExposureKind      `json:"kind"`
	Term     string            `json:"term,omitempty"`    // of the promise
	Service  string            `json:"service,omitempty"` // of ExposedAvailability, where the term names services
	Severity incident.Severity `json:"severity,omitzero"` // of clocks

	Promise  string `json:"promise"`            // what the customer is promised
	Supplier string `json:"supplier,omitempty"` // what the supplier promises; "" for nothing

	Text string `json:"text"` // what that means
}

// String returns a line such as "response P1: 5m promised, 15m from the
// supplier".
func (e Exposure) String() string {
	text := string(e.Kind)
	if e.Service != "" {
		text += " of " + e.Service
	}
	if e.Severity.IsSet() {
		text += " " + e.Severity.String()
	}
	return fmt.Sprintf("%s: %s promised, %s from the supplier", text, e.Promise, cmp.Or(e.Supplier, "nothing"))
}

// ExposureKind says what is exposed.
type ExposureKind string

// The kinds, in the order in which they are listed.
const (
	ExposedAvailability ExposureKind = "availability"  // a lower target
	ExposedHours        ExposureKind = "service_hours" // hours in which the supplier promises nothing
	ExposedExclusion    ExposureKind = "exclusion"     // a cause that only the supplier is excused for
	ExposedNotice       ExposureKind = "notice"        // less notice of maintenance than the customer has to get
	ExposedResponse     ExposureKind = "response"
	ExposedUpdate       ExposureKind = "update"
	ExposedResolution   ExposureKind = "resolution"
	ExposedCredit       ExposureKind = "credit" // less recovered than owed
)

// BackToBack lists where a promise to a customer is stricter than what a supplier
// promises in turn, so that a failure of the supplier is paid for by whoever
// stands between. Both contracts must be valid and have a fee.
//
// An availability of the promise is compared with the strictest of the supplier
// for the same service; where no service has that name, with the weakest for any.
// Targets of clocks are compared by severity, the strictest of each contract. A
// calendar must be open whenever the one it stands for is. A clock and its hours
// are judged apart: two hours around the clock behind two office hours are
// exposed by their hours.
//
// Credits are those for availability alone when everything is down for the whole
// of a period of the promise, after all caps; of the supplier, for all of its
// periods that this touches, each down as long as that. Measures do not matter,
// since nothing is up, and every fee base is the fee of the contract. The period
// is the first whole one in which both contracts hold, or the first of 2024 where
// they name no start.
func BackToBack(promise, supplier Contract) ([]Exposure, error) {
	ours, err := Compile(promise)
	if err != nil {
		return nil, err
	}
	theirs, err := Compile(supplier)
	if err != nil {
		return nil, fmt.Errorf("supplier: %w", err)
	}
	b := backToBack{ours: ours, theirs: theirs}
	b.availability()
	b.clocks(ExposedResponse, ClauseResponse)
	b.clocks(ExposedUpdate, ClauseUpdate)
	b.clocks(ExposedResolution, ClauseResolution)
	if err := b.credit(); err != nil {
		return nil, err
	}
	kinds := []ExposureKind{
		ExposedAvailability, ExposedHours, ExposedExclusion, ExposedNotice, ExposedResponse, ExposedUpdate, ExposedResolution, ExposedCredit,
	}
	slices.SortStableFunc(b.found, func(x, y Exposure) int { return cmp.Compare(slices.Index(kinds, x.Kind), slices.Index(kinds, y.Kind)) })
	return b.found, nil
}

type backToBack struct {
	ours, theirs *Agreement
	found        []Exposure
}

func (b *backToBack) add(e Exposure, text string, args ...any) {
	e.Text = fmt.Sprintf(text, args...)
	b.found = append(b.found, e)
}

// promised is the availability of one service.
type promised struct {
	term    string
	service string
	target  money.Percent
	clause  *Availability
}

// stricter orders by target, then by what its exact value means.
func (p promised) stricter(q promised) int {
	return cmp.Or(cmp.Compare(p.target, q.target), compareBool(p.clause.Strict, q.clause.Strict))
}

// String returns the target and how it is meant.
func (p promised) String() string {
	if p.clause.Strict {
		return "above " + p.target.String()
	}
	return p.target.String()
}

func (c Contract) promisedServices() (out []promised) {
	for i := range c.Terms {
		if c.Terms[i].Availability != nil {
			out = append(out, c.Terms[i].promisedServices()...)
		}
	}
	return out
}

// promisedServices returns those of an availability term.
func (t *Term) promisedServices() (out []promised) {
	for _, s := range t.Availability.measured() {
		out = append(out, promised{t.ID, s.ID, t.Availability.target(s), t.Availability})
	}
	return out
}

// behind returns what the supplier promises for a service.
func (b *backToBack) behind(p promised) (promised, bool) {
	all := b.theirs.contract.promisedServices()
	if len(all) == 0 {
		return promised{}, false
	}
	named := slices.DeleteFunc(slices.Clone(all), func(q promised) bool { return q.service != "" && q.service != p.service })
	if len(named) > 0 {
		return slices.MaxFunc(named, promised.stricter), true
	}
	return slices.MinFunc(all, promised.stricter), true
}

func (b *backToBack) availability() {
	for _, p := range b.ours.contract.promisedServices() {
		e := Exposure{Kind: ExposedAvailability, Term: p.term, Service: p.service, Promise: p.String()}
		q, ok := b.behind(p)
		if !ok {
			b.add(e, "the supplier promises no availability at all")
			continue
		}
		e.Supplier = q.String()
		if p.stricter(q) > 0 {
			b.add(e, "the supplier keeps its word at %s, where the promise to the customer is broken", q.target)
		}
		b.hours(Exposure{Term: p.term, Service: p.service}, p.clause.ServiceHours, q.clause.ServiceHours)
		b.excused(p, q)
	}
}

// hours reports working time in which only the promise holds.
func (b *backToBack) hours(e Exposure, ours, theirs string) {
	mine, _ := b.ours.contract.hoursOf(ours) // both contracts are valid
	other, _ := b.theirs.contract.hoursOf(theirs)
	only, _, ok := compareHours(mine, other)
	if !ok || only == 0 {
		return
	}
	e.Kind, e.Promise, e.Supplier = ExposedHours, hoursText(ours, mine), hoursText(theirs, other)
	b.add(e, "in %s of the hours compared the supplier promises nothing", only)
}

func hoursText(name string, h calendar.Hours) string {
	if name == "" {
		return "around the clock"
	}
	return name + " in " + h.Zone
}

// excused reports what the supplier does not answer for, and maintenance of
// which the customer cannot be told in time.
func (b *backToBack) excused(p, q promised) {
	for _, cause := range q.clause.Exclude {
		if !slices.Contains(p.clause.Exclude, cause) {
			e := Exposure{Kind: ExposedExclusion, Term: p.term, Service: p.service, Promise: "not excluded", Supplier: string(cause) + " excluded"}
			b.add(e, "downtime by %s counts for the customer, but the supplier is excused for it", cause)
		}
	}
	excludes := func(a *Availability) bool { return slices.Contains(a.Exclude, CauseMaintenance) }
	if excludes(p.clause) && excludes(q.clause) && p.clause.MinNotice > q.clause.MinNotice {
		e := Exposure{
			Kind: ExposedNotice, Term: p.term, Service: p.service,
			Promise: threshold.FormatDuration(p.clause.MinNotice), Supplier: threshold.FormatDuration(q.clause.MinNotice),
		}
		b.add(e, "maintenance that the supplier announces in time may be too late to announce to the customer, and then counts as downtime")
	}
}

// promisedTime is the target of a clock for one severity.
type promisedTime struct {
	term   string
	target Target
	strict bool
}

func (p promisedTime) stricter(q promisedTime) int {
	switch {
	case p.target.sooner(q.target):
		return 1
	case q.target.sooner(p.target):
		return -1
	}
	return compareBool(p.strict, q.strict)
}

// String returns the time and how it is meant.
func (p promisedTime) String() string {
	switch {
	case !p.strict:
		return p.target.promise()
	case p.target.NextDay != nil:
		return "strictly by the next business day"
	}
	return "less than " + p.target.promise()
}

// strictest returns the target that is the hardest to keep; ok is false if there
// is none.
func (c Contract) strictest(clause Clause, s incident.Severity) (found promisedTime, ok bool) {
	for i := range c.Terms {
		clock, of := c.Terms[i].clock()
		if clock == nil || of != clause || clock.targetOf(s) < 0 {
			continue
		}
		p := promisedTime{c.Terms[i].ID, clock.Targets[clock.targetOf(s)], clock.Strict}
		if !ok || p.stricter(found) > 0 {
			found, ok = p, true
		}
	}
	return found, ok
}

func (b *backToBack) clocks(kind ExposureKind, clause Clause) {
	for _, s := range incident.Severities {
		p, ok := b.ours.contract.strictest(clause, s)
		if !ok {
			continue
		}
		e := Exposure{Kind: kind, Term: p.term, Severity: s, Promise: p.String()}
		q, ok := b.theirs.contract.strictest(clause, s)
		if !ok {
			b.add(e, "the supplier promises no %s for %s", clause, s)
			continue
		}
		e.Supplier = q.String()
		if p.stricter(q) > 0 {
			b.add(e, "a %s of the supplier within its time can be too late for the customer", clause)
		}
		b.hours(Exposure{Term: p.term, Severity: s}, p.target.Calendar, q.target.Calendar)
	}
}

// credit compares what a full outage costs with what the supplier pays for it.
func (b *backToBack) credit() error {
	period, ok := b.period()
	if !ok {
		b.add(Exposure{Kind: ExposedCredit, Promise: b.ours.contract.ID}, "there is no period of the promise in which the contract of the supplier holds as well")
		return nil
	}
	owed, err := b.ours.fullOutage(period, period.Interval)
	if err != nil {
		return err
	}
	recovered := b.theirs.contract.Fee.Zero()
	billing, step := b.theirs.contract.Period, 0
	if billing.Rolling {
		step = 1 // the one that begins at an instant, not the one that ends there
	}
	for p := billing.Following(period.Start, step, b.theirs.loc); p.Start.Before(period.End); p = billing.Following(p.End, step, b.theirs.loc) {
		part, err := b.theirs.fullOutage(p, period.Interval)
		if errors.Is(err, ErrNotInForce) {
			continue
		}
		if err == nil {
			recovered, err = recovered.Add(part)
		}
		if err != nil {
			return fmt.Errorf("supplier: %w", err)
		}
	}
	e := Exposure{Kind: ExposedCredit, Promise: owed.String(), Supplier: recovered.String()}
	missing, err := owed.Sub(recovered)
	switch {
	case err != nil:
		b.add(e, "the two are not in one currency and cannot be compared")
	case missing.Sign() > 0:
		b.add(e, "a full outage in %s costs %s more than the supplier pays back", period.Label, missing)
	}
	return nil
}

// period returns the first whole period of the promise that lies in both
// contracts, or one that they share in part.
func (b *backToBack) period() (Period, bool) {
	ours, theirs := b.ours.contract, b.theirs.contract
	var end time.Time
	for _, until := range []time.Time{ours.Until, theirs.Until} {
		if !until.IsZero() && (end.IsZero() || until.Before(end)) {
			end = until
		}
	}
	start := slices.MaxFunc([]time.Time{ours.From, theirs.From}, time.Time.Compare)
	if start.IsZero() {
		start = wallclock.Resolve(time.Date(usualYear, 1, 1, 0, 0, 0, 0, time.UTC), b.ours.loc, wallclock.First)
		if !end.IsZero() && !start.Before(end) {
			start = ours.Period.Following(end, -1, b.ours.loc).Start
		}
	}
	p := b.ours.PeriodAt(start)
	if next := ours.Period.Following(start, 1, b.ours.loc); p.Start.Before(start) && (end.IsZero() || !next.End.After(end)) {
		p = next
	}
	return p, end.IsZero() || start.Before(end)
}

// fullOutage returns the credit for availability in a period when all is down in
// a stretch.
func (a *Agreement) fullOutage(p Period, down calendar.Interval) (money.Amount, error) {
	p, fee, err := a.clip(p)
	if err != nil {
		return money.Amount{}, err
	}
	l, err := a.ledger(p, fee, Evidence{Invoice: fee})
	if err != nil {
		return money.Amount{}, fmt.Errorf("sla: %w", err)
	}
	sums := make([]int64, len(l.terms))
	for i, term := range l.terms {
		t := a.contract.Terms[slices.IndexFunc(a.contract.Terms, func(t Term) bool { return t.ID == term.id })]
		if t.Availability == nil || t.Availability.Remedy == nil {
			continue
		}
		credit, err := a.outageCredit(t, p, fee, down)
		if err != nil {
			return money.Amount{}, fmt.Errorf("sla: term %q: %w", t.ID, err)
		}
		sums[i] = credit.Minor()
	}
	paid, err := l.settle(sums)
	if err != nil {
		return money.Amount{}, fmt.Errorf("sla: %w", err)
	}
	return l.amount(paid.payable), nil
}

// outageCredit adds up the lines of a term when all of its services are down in
// a stretch.
func (a *Agreement) outageCredit(t Term, p Period, fee money.Amount, down calendar.Interval) (money.Amount, error) {
	total := fee.Zero()
	hours := a.calendars[t.Availability.ServiceHours].Expand(p.Start, p.End)
	m := Measured{Term: t.ID, Total: p.Duration(), Promised: calendar.Total(hours), Downtime: calendar.Clip(hours, down)}
	m.Down = calendar.Total(m.Downtime)
	var err error
	if m.Value, err = NewFraction(uint64(m.Promised-m.Down), uint64(m.Promised)); err != nil {
		return money.Amount{}, err
	}
	for _, service := range t.promisedServices() {
		m.Service, m.Target, m.Outcome = service.service, service.target, NoData
		m.judge(t.Availability.Strict)
		if m.Outcome != Missed {
			continue
		}
		lines, err := t.Availability.Remedy.Credits(Miss{Measured: m, Fee: fee, Days: a.localDays(p), Length: p.Duration(), Rounding: a.contract.Rounding})
		if err != nil {
			return money.Amount{}, err
		}
		for _, l := range lines {
			if total, err = total.Add(l.Amount); err != nil {
				return money.Amount{}, err
			}
		}
		if t.Availability.Aggregate != PerService {
			break // one value for all of them
		}
	}
	return total, nil
}
