package pricing

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
)

// A draw of the reference contract with two processes of outages, two streams of
// late incidents and gaps in the monitoring.
func BenchmarkDraw(b *testing.B) {
	outages := Model{Outages: []Process{{PerPeriod: 2, Length: Lengths{Kind: Lognormal, Mean: 3 * time.Hour, SD: 6 * time.Hour}}}}
	hundred := Model{Outages: []Process{{PerPeriod: 100, Length: Lengths{Kind: Exponential, Mean: 10 * time.Minute}}}}
	for _, bb := range []struct {
		name  string
		model Model
	}{{"outages", outages}, {"everything", rich()}, {"100 outages", hundred}} {
		b.Run(bb.name, func(b *testing.B) {
			d := newDrawer(planOf(b, sla.Enterprise, bb.model), 1)
			b.ReportAllocs()
			i := uint64(0)
			for b.Loop() {
				if err := d.draw(i); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "draws/s")
		})
	}
}

func BenchmarkDrawStatement(b *testing.B) {
	c := sla.Preset("ref", sla.Enterprise, "Europe/Amsterdam", sla.Enterprise.Offer().FeeFrom)
	c.RoundOnce = true
	a, err := sla.Compile(c)
	noError(b, err)
	pl, err := newPlan(a, a.PeriodAt(time.Date(2026, 10, 15, 0, 0, 0, 0, time.UTC)), rich(), sla.Evidence{})
	noError(b, err)
	d := newDrawer(pl, 1)
	b.ReportAllocs()
	i := uint64(0)
	for b.Loop() {
		noError(b, d.draw(i))
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "draws/s")
}

func BenchmarkSimulate(b *testing.B) {
	a, err := sla.Compile(sla.Preset("ref", sla.Enterprise, "Europe/Amsterdam", sla.Enterprise.Offer().FeeFrom))
	noError(b, err)
	p := a.PeriodAt(time.Date(2026, 10, 15, 0, 0, 0, 0, time.UTC))
	b.ReportAllocs()
	for b.Loop() {
		_, err := Simulate(a, p, rich(), Options{})
		noError(b, err)
	}
	b.ReportMetric(float64(b.N)*DefaultDraws/b.Elapsed().Seconds(), "draws/s")
}

// A month of minutes with ten different lengths.
func BenchmarkExact(b *testing.B) {
	a, err := sla.Compile(sla.Preset("ref", sla.Enterprise, "Europe/Amsterdam", sla.Enterprise.Offer().FeeFrom))
	noError(b, err)
	p := a.PeriodAt(time.Date(2026, 10, 15, 0, 0, 0, 0, time.UTC))
	m := Model{Overlap: sla.OverlapSum, Outages: []Process{{PerPeriod: 5, Length: Lengths{Kind: Empirical}}}}
	for i := range 10 {
		m.Outages[0].Length.Values = append(m.Outages[0].Length.Values, time.Duration(1+7*i*i)*time.Minute)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, err := Exact(a, p, m)
		noError(b, err)
	}
}
