package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// reference is the reference contract of a tier over a month of 30 days.
func reference(tier sla.Tier, fee int64) (sla.Contract, *sla.Agreement, sla.Period, error) {
	amount, err := money.New(fee*100, "EUR")
	if err != nil {
		return sla.Contract{}, nil, sla.Period{}, err
	}
	c := sla.Preset("reference", tier, "Europe/Amsterdam", amount)
	c.Customer = "acme"
	a, err := sla.Compile(c)
	if err != nil {
		return sla.Contract{}, nil, sla.Period{}, err
	}
	return c, a, a.PeriodAt(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)), nil
}

// referenceCredits prices the four terms of the reference contract that share
// its cap. It is the case st-02 of credit.json: 25 % of 45 000 for 60 000 seconds
// down, 800 for three late answers, 5 % each for two late restores and 1 % an hour
// for an hour and a half without monitoring.
func referenceCredits() (func(), error) {
	_, a, p, err := reference(sla.Professional, 45_000)
	if err != nil {
		return nil, err
	}
	pricer, err := a.Pricer(p, sla.Evidence{})
	if err != nil {
		return nil, err
	}
	figures := []sla.Figures{
		{Promised: 2_592_000 * time.Second, Down: 60_000 * time.Second},
		{Late: [4]int{1, 1, 1}},
		{Late: [4]int{2}},
		{Unmonitored: 90 * time.Minute},
	}
	credits, err := pricer.Price(figures)
	if err != nil {
		return nil, err
	}
	if got, want := credits.Payable.String(), "17225.00 EUR"; got != want {
		return nil, fmt.Errorf("the reference contract pays %s, want %s", got, want)
	}
	return func() { must(pricer.Price(figures)) }, nil
}

// statementHTML writes the page of a month with an outage a day and ten incidents,
// every figure explained: the whole service report, of which the statement is a
// part. With whole set the figure starts from the report and not from its document.
func statementHTML(whole bool) func() (func(), error) {
	return func() (func(), error) {
		c, a, p, err := reference(sla.Enterprise, 100_000)
		if err != nil {
			return nil, err
		}
		e := evidence(p, 30, 0)
		for i := range 10 {
			opened := p.Start.Add(time.Duration(3*24*i) * time.Hour)
			e.Incidents = append(e.Incidents, sla.Incident{
				ID: fmt.Sprintf("INC-%d", i), Severity: incident.Severities[i%4], Opened: opened,
				Responded: opened.Add(10 * time.Minute), Resolved: opened.Add(5 * time.Hour),
			})
		}
		r, err := a.Report(p, e, sla.ReportOptions{})
		if err != nil {
			return nil, err
		}
		page := report.ServiceReport{Report: r, Contract: c, Explained: true}
		document := page.Document()
		var out bytes.Buffer
		write := func() {
			if whole {
				document = page.Document()
			}
			out.Reset()
			if err := document.HTML(&out); err != nil {
				panic(err) // an unfinished page
			}
		}
		write() // and see that it says what is owed: P1 are late
		if want := r.Statement.Payable.Decimal(); r.Statement.Payable.Sign() <= 0 || !strings.Contains(out.String(), want) {
			return nil, fmt.Errorf("the page does not say that %s is owed", want)
		}
		return write, nil
	}
}

// evidence has n outages of a 500th of the month in all, and as many windows of
// maintenance of which each covers one of them by half.
func evidence(p sla.Period, n, windows int) sla.Evidence {
	e := sla.Evidence{Observed: p.Interval}
	step, length := p.Duration()/time.Duration(n), p.Duration()/500/time.Duration(n)
	for i := range n {
		start := p.Start.Add(time.Duration(i*7919%n) * step) // in another order than that of time
		e.Outages = append(e.Outages, sla.Outage{Ref: fmt.Sprintf("O-%d", i), Start: start, End: start.Add(length)})
	}
	for i := range windows {
		start := p.Start.Add(time.Duration(i) * (p.Duration() / time.Duration(windows))).Add(length / 2)
		e.Maintenance = append(e.Maintenance, sla.Maintenance{
			Ref: fmt.Sprintf("M-%d", i), Start: start, End: start.Add(length), Announced: start.AddDate(0, 0, -4),
		})
	}
	return e
}
