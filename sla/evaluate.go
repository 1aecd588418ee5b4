package sla

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Evaluate checks the contract and returns the statement of one period. It is
// [Compile] and [Agreement.Evaluate]; to evaluate a contract more than once,
// compile it.
func Evaluate(c Contract, p Period, e Evidence) (Statement, error) {
	a, err := Compile(c)
	if err != nil {
		return Statement{}, err
	}
	return a.Evaluate(p, e)
}

// Evaluate returns the statement of one period. The order of the evidence does
// not matter. Errors are [ErrPeriod], [ErrNotInForce], [*EvidenceError] (joined)
// and those of package money for an amount out of range or in another currency.
func (a *Agreement) Evaluate(p Period, e Evidence) (Statement, error) {
	asked := Period{Label: p.Label, Interval: calendar.Interval{Start: p.Start.UTC(), End: p.End.UTC()}}
	p, fee, err := a.clip(p)
	if err != nil {
		return Statement{}, err
	}
	if err := errors.Join(e.Validate(), a.suits(e)); err != nil {
		return Statement{}, err
	}
	ev := evaluation{agreement: a, evidence: e, covered: cover(p.Interval, e.Observed), asked: asked.Duration()}
	s, err := ev.run(p, fee)
	if err != nil {
		return Statement{}, err
	}
	s.Inputs = Inputs{Contract: a.digest(), Period: asked}
	if s.Inputs.Evidence, err = e.Digest(); err != nil {
		return Statement{}, err
	}
	return s, nil
}

// run builds the statement of a period that the contract covers in whole.
func (ev *evaluation) run(p Period, fee money.Amount) (Statement, error) {
	c := ev.agreement.contract
	ev.statement = Statement{
		Contract: c.ID, Customer: c.Customer, Period: p, Fee: fee, Through: ev.covered.End, Complete: ev.covered.End.Equal(p.End),
	}
	if active := p.Duration(); active < ev.asked {
		ev.find(FindingPartial, "", "", fmt.Sprintf("the contract holds in %s of %s, for %s of the fee of %s", active, ev.asked, fee, c.Fee))
	}
	if !ev.statement.Complete {
		ev.find(FindingEstimate, "", "", "evidence ends at "+ev.covered.End.Format(time.RFC3339))
	}
	for _, indicators := range [...]bool{false, true} { // which look at what the other terms came to
		for _, t := range c.Terms {
			if (t.Indicator != nil) != indicators {
				continue
			}
			if err := ev.term(t); err != nil {
				return Statement{}, fmt.Errorf("sla: term %q: %w", t.ID, err)
			}
		}
	}
	ev.unjudged()
	ev.sort()
	if err := ev.settle(); err != nil {
		return Statement{}, fmt.Errorf("sla: %w", err)
	}
	return ev.statement, nil
}

// cover returns the part of the period that the evidence reaches the end of.
func cover(p, observed calendar.Interval) calendar.Interval {
	end := p.Start
	if !observed.IsEmpty() && observed.End.After(p.Start) {
		end = observed.End.UTC()
	}
	if end.After(p.End) {
		end = p.End
	}
	return calendar.Interval{Start: p.Start, End: end}
}

// evaluation builds one statement.
type evaluation struct {
	agreement *Agreement
	evidence  Evidence
	covered   calendar.Interval
	now       time.Time     // up to which clocks run, if before the end of the covered time; zero for its end
	asked     time.Duration // the period, of which the contract may cover a part; 0 where nobody is to be told
	statement Statement
}

func (ev *evaluation) term(t Term) error {
	switch t.Clause() {
	case ClauseAvailability:
		return ev.availability(t)
	case ClauseResponse:
		return ev.clock(t, ClauseResponse, t.Response)
	case ClauseUpdate:
		return ev.clock(t, ClauseUpdate, t.Update)
	case ClauseResolution:
		return ev.clock(t, ClauseResolution, t.Resolution)
	case ClauseIndicator:
		return ev.indicator(t)
	case ClauseMonitoring:
		return ev.monitoring(t)
	case ClauseDataLoss:
		return ev.losses(t)
	}
	return nil
}

func (ev *evaluation) find(code, term, ref, text string) {
	ev.statement.Findings = append(ev.statement.Findings, Finding{Code: code, Term: term, Ref: ref, Text: text})
}

// breach records a miss and the lines that it earned.
func (ev *evaluation) breach(b Breach, lines ...Line) {
	for _, line := range lines {
		line.Term, line.Clause, line.Ref, line.Service, line.Severity = b.Term, b.Clause, b.Ref, b.Service, b.Severity
		line.Rounding = ev.agreement.contract.Rounding
		ev.statement.Lines = append(ev.statement.Lines, line)
	}
	ev.statement.Breaches = append(ev.statement.Breaches, b) // its credit follows from the lines
}

func (ev *evaluation) availability(t Term) error {
	evidence := ev.evidence.byService(t.Availability.Services)
	first := len(ev.statement.Availability)
	for _, service := range t.Availability.measured() {
		m, err := ev.agreement.measure(t, service, ev.covered, evidence(service.ID))
		if err != nil {
			return err
		}
		ev.statement.Availability = append(ev.statement.Availability, m)
		if m.Outcome == NoData {
			ev.find(FindingNoData, t.ID, m.Service, "nothing was measured")
		}
		if m.Unknown > 0 && m.Outcome != NoData {
			ev.find(FindingUnknown, t.ID, m.Service, fmt.Sprintf("%s not monitored, counted as %q", m.Unknown, t.Availability.Unknown))
		}
	}
	measured := slices.Clone(ev.statement.Availability[first:])
	if a := t.Availability.Aggregate; a == Mean || a == Weighted {
		return ev.together(t, measured)
	}
	slices.SortStableFunc(measured, func(a, b Measured) int { return cmp.Compare(a.Service, b.Service) })
	slices.SortStableFunc(measured, compareMeasured)
	worst := measured[0]
	overall := Overall{Term: t.ID, Method: t.Availability.Aggregate, Service: worst.Service, Target: worst.Target, Value: worst.Value, Outcome: worst.Outcome}
	paid := false
	for _, m := range measured {
		if m.Outcome != Missed {
			continue
		}
		overall.Outcome = Missed
		if err := ev.missedAvailability(t, m, evidence(m.Service), !paid || t.Availability.Aggregate == PerService); err != nil {
			return err
		}
		paid = true
	}
	if overall.Outcome == NoData {
		overall.Service = ""
	}
	ev.statement.Overall = append(ev.statement.Overall, overall)
	return nil
}

// compareMeasured orders by value, the lowest first and no data last.
func compareMeasured(a, b Measured) int {
	if !a.Value.IsSet() || !b.Value.IsSet() {
		return compareBool(!a.Value.IsSet(), !b.Value.IsSet())
	}
	return a.Value.Compare(b.Value)
}

// together judges the mean of the services that were measured.
func (ev *evaluation) together(t Term, measured []Measured) error {
	m := Measured{Term: t.ID, Target: t.Availability.Target, Outcome: NoData, Total: ev.covered.Duration()}
	sum, weights := new(big.Rat), new(big.Rat)
	for i, service := range measured {
		if !service.Value.IsSet() {
			continue
		}
		weight := big.NewRat(1, 1)
		if t.Availability.Aggregate == Weighted {
			weight.SetInt64(t.Availability.Services[i].Weight)
		}
		sum.Add(sum, new(big.Rat).Mul(service.Value.Rat(), weight))
		weights.Add(weights, weight)
		m.Evidence = append(m.Evidence, service.Evidence...)
	}
	if weights.Sign() > 0 {
		m.Value = fractionOf(sum.Quo(sum, weights))
		m.judge(t.Availability.Strict)
	}
	slices.Sort(m.Evidence)
	m.Evidence = slices.Compact(m.Evidence)
	ev.statement.Overall = append(ev.statement.Overall, Overall{Term: t.ID, Method: t.Availability.Aggregate, Target: m.Target, Value: m.Value, Outcome: m.Outcome})
	if m.Outcome != Missed {
		return nil
	}
	return ev.missedAvailability(t, m, ev.evidence, true)
}

// missedAvailability records a miss; e is the evidence about the service.
func (ev *evaluation) missedAvailability(t Term, m Measured, e Evidence, pays bool) error {
	b := Breach{
		Term: t.ID, Clause: ClauseAvailability, Ref: cmp.Or(m.Service, t.ID), Service: m.Service, At: ev.covered.End, Target: m.Target, Value: m.Value,
	}
	remedy := t.Availability.Remedy
	if !pays || remedy == nil {
		ev.breach(b)
		return nil
	}
	lines, err := remedy.Credits(Miss{
		Measured: m, Fee: ev.feeBase(t), Days: ev.agreement.localDays(ev.statement.Period), Length: ev.statement.Period.Duration(),
		Requests: requestsOf(e.Requests, m.Service, ev.covered), Rounding: ev.agreement.contract.Rounding,
		outages: e.Outages, now: ev.covered.End,
	})
	if err != nil {
		return err
	}
	for _, l := range lines {
		if order, err := l.Amount.Compare(ev.statement.Fee.Zero()); err != nil || order < 0 {
			return fmt.Errorf("remedy %T gives a line of %q: want an amount of 0 or more in %s", remedy, l.Amount, ev.statement.Fee.Currency())
		}
	}
	ev.breach(b, lines...)
	switch remedy.(type) {
	case Bands:
		if len(lines) > 0 && lines[0].Band == nil {
			ev.find(CodeCreditGap, t.ID, b.Ref, fmt.Sprintf("%s %% misses the target %s but lies in no credit band", m.Value.Percent(6), m.Target))
		}
	case UnknownRemedy:
		ev.find(FindingRemedy, t.ID, b.Ref, fmt.Sprintf("%s %% misses the target %s; what that earns is not on file", m.Value.Percent(6), m.Target))
	default:
	}
	return nil
}

// feeBase returns what the percentages of a term refer to. A base that the
// evidence does not have is the fee of the contract, and a finding.
func (ev *evaluation) feeBase(t Term) money.Amount {
	fee, ok := ev.evidence.feeBase(t, ev.statement.Fee)
	if !ok {
		ev.find(FindingFeeBase, t.ID, t.FeeBase, "no fee of that name, the fee of the contract is taken")
	}
	return fee
}

// feeBase returns what the percentages of a term refer to; ok is false where that
// is the fee of the contract for want of the one that the term names.
func (e Evidence) feeBase(t Term, fee money.Amount) (base money.Amount, ok bool) {
	if t.FeeBase == "" {
		return fee, true
	}
	if base, ok = e.Fees[t.FeeBase]; ok {
		return base, true
	}
	return fee, false
}

// sort brings breaches and lines into the order of clause, term, ref and time,
// and further where ids are not unique, so that the order of the evidence does
// not show.
func (ev *evaluation) sort() {
	terms := map[string]int{}
	for i, t := range ev.agreement.contract.Terms {
		terms[t.ID] = i
	}
	slices.SortStableFunc(ev.statement.Breaches, func(a, b Breach) int {
		return cmp.Or(cmp.Compare(rank(a.Clause), rank(b.Clause)), cmp.Compare(terms[a.Term], terms[b.Term]), cmp.Compare(a.Ref, b.Ref), a.At.Compare(b.At),
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Actual, b.Actual))
	})
	slices.SortStableFunc(ev.statement.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(rank(a.Clause), rank(b.Clause)), cmp.Compare(terms[a.Term], terms[b.Term]), cmp.Compare(a.Ref, b.Ref), a.Stretch.Start.Compare(b.Stretch.Start),
			cmp.Compare(a.Numerator, b.Numerator), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Service, b.Service))
	})
}

func rank(c Clause) int { return slices.Index(Clauses[:], c) }
