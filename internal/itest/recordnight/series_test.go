package main

import (
	"math"
	"testing"
	"time"
)

var zero = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// counter makes a series with one sample every five seconds; NaN is a scrape that failed.
func counter(values ...float64) series {
	var s series
	for i, v := range values {
		if !math.IsNaN(v) {
			s.points = append(s.points, point{zero.Add(time.Duration(i) * 5 * time.Second), v})
		}
	}
	return s
}

func TestGrown(t *testing.T) {
	gone := math.NaN()
	tests := []struct {
		name   string
		s      series
		want   float64
		over   time.Duration
		wantOK bool
	}{
		{"steady", counter(10, 12, 14, 16, 18, 20, 22), 6, 15 * time.Second, true},
		{"restart counts from zero", counter(10, 12, 14, 16, 3, 5, 7), 7, 15 * time.Second, true},
		{"two restarts", counter(10, 12, 14, 16, 3, 1, 2), 5, 15 * time.Second, true},
		{"base from before a gap", counter(10, 12, gone, gone, gone, gone, 4), 4, 25 * time.Second, true},
		{"nothing in the interval", counter(10, 12, 14, 16), 0, 0, false},
		{"one sample and no base", counter(gone, gone, gone, gone, gone, gone, 4), 0, 0, false},
		{"first seen in the interval", counter(gone, gone, gone, gone, gone, 3, 4), 1, 5 * time.Second, true},
		{"no samples", series{}, 0, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, ok := tt.s.grown(zero.Add(15*time.Second), zero.Add(30*time.Second))
			if g.by != tt.want || g.over != tt.over || ok != tt.wantOK {
				t.Errorf("grown(15 s, 30 s) = %g over %s, %t; want %g over %s, %t", g.by, g.over, ok, tt.want, tt.over, tt.wantOK)
			}
		})
	}
}

// Neighbouring intervals share no growth and lose none, whatever restarts happen.
func TestGrownAdds(t *testing.T) {
	s := counter(5, 9, 13, 2, 4, 1, 8, 8, 20, 3, 9, 11, 12)
	var sum float64
	for i := range 4 {
		from := zero.Add(time.Duration(i) * 15 * time.Second)
		g, _ := s.grown(from, from.Add(15*time.Second))
		sum += g.by
	}
	whole, ok := s.grown(zero, zero.Add(time.Minute))
	if !ok || sum != whole.by {
		t.Errorf("sum over four intervals = %g, over the whole %g, %t", sum, whole.by, ok)
	}
}

func TestPercentile(t *testing.T) {
	bucket := func(le string, n float64) series {
		s := counter(0, n)
		s.labels = map[string]string{"le": le}
		return s
	}
	// 100 requests: 50 up to 0.1 s, 40 more up to 0.2 s, 10 above all.
	all := []series{bucket("0.1", 50), bucket("0.2", 90), bucket("+Inf", 100)}
	for _, tt := range []struct{ q, want float64 }{
		{0.25, 0.05}, // half of the first bucket
		{0.5, 0.1},
		{0.7, 0.15}, // 20 of the 40 in the second
		{0.95, 0.2}, // above the last finite end
	} {
		if got := percentile(all, zero, zero.Add(10*time.Second), tt.q); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("percentile(%g) = %g, want %g", tt.q, got, tt.want)
		}
	}
	if got := percentile(all, zero.Add(10*time.Second), zero.Add(20*time.Second), 0.5); !math.IsNaN(got) {
		t.Errorf("percentile without requests = %g, want NaN", got)
	}
}
