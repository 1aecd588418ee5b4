package sla_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
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

func BenchmarkEvaluateOutages(b *testing.B) {
	a := reference(b, sla.Enterprise)
	p := a.PeriodAt(vectorStart)
	for _, n := range []int{10, 1000, 100_000} {
		e := sla.Evidence{Observed: p.Interval}
		for i := range n {
			start := p.Start.Add(p.Duration() * time.Duration(i*7919%n) / time.Duration(n))
			e.Outages = append(e.Outages, sla.Outage{Start: start, End: start.Add(5 * time.Second)})
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Evaluate(p, e); err != nil {
					b.Fatal(err)
				}
			}
		})
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
