package forecast_test

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/forecast"
)

// BenchmarkOf forecasts a day after four weeks of hours, in turn of every series.
func BenchmarkOf(b *testing.B) {
	series := barData(b)
	o := &forecast.Options{Season: 24 * time.Hour}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		y := series[i%len(series)].Values
		i++
		if _, err := forecast.Of(forecast.Series{Step: time.Hour, Values: y[max(0, len(y)-672):]}, 24, o); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFit fits each model to four weeks of hours.
func BenchmarkFit(b *testing.B) {
	y := barData(b)[3].Values[:672] // machine temperature, positive
	for _, m := range forecast.Models() {
		b.Run(m.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Fit(y, forecast.Cycle{Period: 24, Week: 168}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkExhaustion is the date of a disk with 30 days of hours.
func BenchmarkExhaustion(b *testing.B) {
	s := newDisk(b, 2, 0).series
	b.ReportAllocs()
	for b.Loop() {
		if _, err := forecast.Exhaustion(s, 100, nil); err != nil {
			b.Fatal(err)
		}
	}
}
