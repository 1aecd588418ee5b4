package calendar_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func BenchmarkDue(b *testing.B) {
	cal := office(b)
	start := at(b, "2026-04-07T17:30:00+02:00")
	for _, target := range []time.Duration{2 * time.Hour, 40 * time.Hour, 400 * time.Hour} {
		b.Run(target.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := cal.Due(start, target, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The target is used up at closing time, so the next opening is looked up too.
func BenchmarkBreachAt(b *testing.B) {
	cal := office(b)
	start := at(b, "2026-04-07T09:00:00+02:00")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cal.BreachAt(start, 45*time.Hour, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNextTransition(b *testing.B) {
	cal := office(b)
	now := at(b, "2026-04-07T17:30:00+02:00")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := cal.NextTransition(now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkElapsed(b *testing.B) {
	cal := office(b)
	from, to := at(b, "2026-04-07T17:30:00+02:00"), at(b, "2026-06-01T09:00:00Z")
	b.ReportAllocs()
	for b.Loop() {
		cal.Elapsed(from, to, nil)
	}
}

// One year at a time is expanded, by the local business hours of a zone that
// changes its clock.
func BenchmarkYearCold(b *testing.B) {
	h := calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.MondayToFriday("09:00", "18:00")}
	const years = 100
	var cal *calendar.Calendar
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%years == 0 {
			cal = compile(b, h)
		}
		cal.IsOpen(time.Date(1980+n%years, 6, 1, 0, 0, 0, 0, time.UTC))
	}
}

// Outages of three monitors: a third overlaps the one before, one in ten is
// empty.
func BenchmarkNormalize(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		sorted := make([]calendar.Interval, n)
		for i := range sorted {
			start := epoch.Add(time.Duration(i) * time.Minute)
			length := []time.Duration{20 * time.Second, 90 * time.Second, 40 * time.Second}[i%3]
			if i%10 == 0 {
				length = 0
			}
			sorted[i] = calendar.Interval{Start: start, End: start.Add(length)}
		}
		shuffled := slices.Clone(sorted)
		r := rand.New(rand.NewPCG(1, 1))
		r.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for name, in := range map[string][]calendar.Interval{"sorted": sorted, "shuffled": shuffled} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := calendar.Normalize(in); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mintervals/s")
			})
		}
	}
}
