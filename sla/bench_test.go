package sla_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func BenchmarkBandHolds(b *testing.B) {
	bands := sla.ReferenceBands()
	value, err := sla.NewFraction(4421, 4470)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range bands {
			if bands[i].Holds(value) {
				break
			}
		}
	}
}

// The worked sample: two services, five terms, ten outages and ten incidents.
func BenchmarkEvaluate(b *testing.B) {
	a, e := acme(b)
	p := month(b, a, "2026-10")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Evaluate(p, e); err != nil {
			b.Fatal(err)
		}
	}
}

// One month of the reference contract with n of everything that a statement names:
// outages of three shares of the customers, windows of which each covers half of an
// outage, gaps in the monitoring and incidents, of which every other one is late.
func monthOf(p sla.Period, n int) sla.Evidence {
	e := sla.Evidence{Observed: p.Interval}
	step, length := p.Duration()/time.Duration(n), p.Duration()/time.Duration(500*n)
	affected := []*money.Percent{nil, new(money.WholePercent(50)), new(money.WholePercent(25))}
	for i := range n {
		at := p.Start.Add(step * time.Duration(i*7919%n)) // in another order than that of time
		e.Outages = append(e.Outages, sla.Outage{Ref: fmt.Sprintf("O-%d", i), Start: at, End: at.Add(length), Affected: affected[i%len(affected)]})
		e.Maintenance = append(e.Maintenance, sla.Maintenance{
			Ref: fmt.Sprintf("M-%d", i), Start: at.Add(length / 2), End: at.Add(2 * length), Announced: at.AddDate(0, 0, -4),
		})
		e.Gaps = append(e.Gaps, sla.Gap{Start: at.Add(3 * length), End: at.Add(4 * length)})
		e.Incidents = append(e.Incidents, sla.Incident{
			ID: fmt.Sprintf("INC-%d", i), Severity: incident.Severities[i%4], Opened: at,
			Responded: at.Add(time.Minute), Resolved: at.Add(time.Duration(i%2)*200*time.Hour + 10*time.Minute),
		})
	}
	return e
}

func BenchmarkEvaluateMonth(b *testing.B) {
	weighed := sla.Preset("ref", sla.Enterprise, "Europe/Amsterdam", sla.Enterprise.Offer().FeeFrom)
	weighed.Terms[0].Availability.Measure = sla.AffectedRatio{}
	byShare, err := sla.Compile(weighed)
	if err != nil {
		b.Fatal(err)
	}
	for name, a := range map[string]*sla.Agreement{"uptime": reference(b, sla.Enterprise), "affected": byShare} {
		p := a.PeriodAt(vectorStart)
		for _, n := range []int{10, 100, 1000, 10_000} {
			e := monthOf(p, n)
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := a.Evaluate(p, e); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/outage")
			})
		}
	}
}

func BenchmarkClocks(b *testing.B) {
	a, e := acme(b)
	at := month(b, a, "2026-10").End
	b.ReportAllocs()
	for b.Loop() {
		for _, in := range e.Incidents {
			if _, err := a.Clocks(in, at); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// The evidence of the worked sample, and outages of which every third is out of
// order. The statement is the same work and a digest of the contract.
func BenchmarkDigest(b *testing.B) {
	a, e := acme(b)
	b.Run("contract", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Contract().Digest(); err != nil {
				b.Fatal(err)
			}
		}
	})
	run := func(name string, e sla.Evidence) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Digest(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("acme", e)
	p := a.PeriodAt(vectorStart)
	for _, n := range []int{10, 1000, 100_000} {
		e := sla.Evidence{Observed: p.Interval}
		for i := range n {
			start := p.Start.Add(p.Duration() * time.Duration(i*7919%n) / time.Duration(n))
			e.Outages = append(e.Outages, sla.Outage{Start: start, End: start.Add(5 * time.Second)})
		}
		run("outages="+strconv.Itoa(n), e)
	}
}

// Verify evaluates anew and compares; see BenchmarkEvaluate for the first part.
func BenchmarkVerify(b *testing.B) {
	a, e := acme(b)
	s := evaluate(b, a, month(b, a, "2026-10"), e)
	c := a.Contract()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Verify(c, e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	a, _ := acme(b)
	c := a.Contract()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sla.Compile(c); err != nil {
			b.Fatal(err)
		}
	}
}

// The worked sample in the middle of the month: two evaluations and the bounds.
func BenchmarkOutlook(b *testing.B) {
	a, e := acme(b)
	p := month(b, a, "2026-10")
	at := p.Start.Add(p.Duration() / 2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Outlook(p, e, at); err != nil {
			b.Fatal(err)
		}
	}
}

// batchRows are ten outages of up to ten minutes for each customer, in any order.
func batchRows(p sla.Period, customers int) []sla.Downtime {
	r := rand.New(rand.NewPCG(1, uint64(customers)))
	rows := make([]sla.Downtime, 10*customers)
	for i := range rows {
		start := p.Start.UnixNano() + r.Int64N(int64(p.Duration()))
		rows[i] = sla.Downtime{Customer: uint32(r.IntN(customers)), Start: start, End: start + r.Int64N(int64(10*time.Minute))}
	}
	return rows
}

// The monthly run from unsorted rows to the credits of every customer, under the
// reference contract.
func BenchmarkBatch(b *testing.B) {
	a := reference(b, sla.Enterprise)
	p := a.PeriodAt(vectorStart)
	plan, err := a.RatePlan(p, sla.Evidence{Observed: p.Interval})
	if err != nil {
		b.Fatal(err)
	}
	for _, customers := range []int{1000, 10_000, 100_000} {
		rows, plans := batchRows(p, customers), slices.Repeat([]*sla.RatePlan{plan}, customers)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%d/workers=%d", customers, workers), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					batch := sla.NewBatch(plans, rows)
					var group sync.WaitGroup
					for w := range workers {
						group.Go(func() {
							for _, err := range batch.Credits(uint32(customers*w/workers), uint32(customers*(w+1)/workers)) {
								if err != nil {
									b.Error(err)
								}
							}
						})
					}
					group.Wait()
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N*customers), "ns/customer")
			})
		}
	}
}

// An event and a look at the gauges after histories of different length.
func BenchmarkMeter(b *testing.B) {
	a := reference(b, sla.Enterprise)
	p := a.PeriodAt(vectorStart)
	for _, events := range []int{100, 10_000, 1_000_000} {
		m, err := sla.NewMeter(a, p)
		if err != nil {
			b.Fatal(err)
		}
		at, step := p.Start, p.Duration()/time.Duration(2*events)
		apply := func(kind sla.MeterEventKind) {
			if err := m.Apply(sla.MeterEvent{Kind: kind, At: at, Ref: "INC-1"}); err != nil {
				b.Fatal(err)
			}
		}
		for range events / 2 {
			apply(sla.OutageOpened)
			at = at.Add(step)
			apply(sla.OutageClosed)
			at = at.Add(step)
		}
		b.Run(fmt.Sprintf("apply/%d", events), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				apply(sla.OutageOpened)
				at = at.Add(1)
				apply(sla.OutageClosed)
				at = at.Add(1)
			}
		})
		b.Run(fmt.Sprintf("at/%d", events), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.At(at); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
