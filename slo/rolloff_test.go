package slo_test

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// Ten hourly samples of 10 events each, at a budget of 1/10. While nothing
// leaves, bad - total/10 is what is there plus what the last hour adds.
func TestForecastRollOff(t *testing.T) {
	for _, tt := range []struct {
		name         string
		first, last  uint64 // bad events in hours 1 and 10
		window       slo.Window
		plain, leave slo.Ratio // seconds
	}{
		// 7 of 100 now. At 1 h the first 5 are gone: 2+2 of 90+10 and so on; at 4 h
		// 2 + 4·2 = 10 of 60 + 40. Without roll-off (1 - 0.7) · 10 h / 2.
		{"an incident leaves", 5, 2, slo.Rolling(10 * time.Hour), slo.NewRatio(5400, 1), slo.NewRatio(14400, 1)},
		// 6 + 6τ of 100 + 10τ is a tenth at τ = 0.8 h, before anything leaves.
		{"before anything leaves", 0, 6, slo.Rolling(10 * time.Hour), slo.NewRatio(2400, 1), slo.NewRatio(2880, 1)},
		// 5 + 5τ of 100 + 10τ would be at 1.25 h, but at 1 h ten good ones leave:
		// 10 of 90 + 10.
		{"good hours leave", 0, 5, slo.Rolling(10 * time.Hour), slo.NewRatio(3600, 1), slo.NewRatio(3600, 1)},
		{"never", 7, 0, slo.Rolling(10 * time.Hour), slo.Inf(1), slo.Inf(1)},
		{"gone already", 10, 2, slo.Rolling(10 * time.Hour), slo.NewRatio(0, 1), slo.NewRatio(0, 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tracker := mustTracker(t, slo.Objective{Target: slo.MustPercent("90"), Windows: []slo.Window{tt.window}}, &slo.TrackerOptions{Interval: time.Hour})
			for i := 1; i <= 10; i++ {
				bad := map[int]uint64{1: tt.first, 10: tt.last}[i]
				if err := tracker.ObserveBad(origin.Add(time.Duration(i)*time.Hour), bad, 10); err != nil {
					t.Fatal(err)
				}
			}
			plain, err := tracker.Forecast(time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			f, err := tracker.ForecastRollOff(time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if plain.Seconds.Compare(tt.plain) != 0 || f.Seconds.Compare(tt.leave) != 0 {
				t.Errorf("seconds %s, with roll-off %s, want %s, %s", plain.Seconds, f.Seconds, tt.plain, tt.leave)
			}
			if f.Seconds.IsInf(1) != f.ExhaustsAt.IsZero() || f.Burn.Compare(plain.Burn) != 0 {
				t.Errorf("exhausts at %v at burn %s, want as the seconds and %s", f.ExhaustsAt, f.Burn, plain.Burn)
			}
		})
	}
}

// The budget is gone at the instant found, and at none before it that is tried:
// just before and after each event leaves, and in between.
func TestForecastRollOffAgainstBruteForce(t *testing.T) {
	const window, recent = 6 * time.Hour, time.Hour
	r := rand.New(rand.NewPCG(3, 3))
	found := 0
	for range 150 {
		o := slo.Objective{Target: slo.MustPercent([]string{"99", "90", "60"}[r.IntN(3)]), Windows: []slo.Window{slo.Rolling(window)}}
		tracker := mustTracker(t, o, nil)
		rows := randomRows(r, 60+r.IntN(120))
		for _, row := range rows {
			if err := tracker.Observe(row.at, slo.Counts{Good: row.good, Total: row.total}); err != nil {
				t.Fatal(err)
			}
		}
		now := tracker.Now()
		f, err := tracker.ForecastRollOff(recent)
		if err != nil {
			t.Fatal(err)
		}
		burn, err := tracker.Burn(recent)
		if err != nil {
			t.Fatal(err)
		}
		if !burn.Rate.IsSet() {
			if f.Seconds.IsSet() {
				t.Fatalf("no recent events: %s, want absent", f.Seconds)
			}
			continue
		}
		// excess is bad - budget · total in the window that ends s seconds later.
		excess := func(s *big.Rat) *big.Rat {
			ns := new(big.Rat).Mul(s, big.NewRat(1e9, 1))
			share := new(big.Rat).Quo(s, big.NewRat(int64(recent/time.Second), 1))
			bad := new(big.Rat).Mul(share, new(big.Rat).SetInt64(int64(burn.Counts.Bad())))
			total := new(big.Rat).Mul(share, new(big.Rat).SetInt64(int64(burn.Counts.Total)))
			for _, row := range rows {
				left := new(big.Rat).SetInt64(int64(row.at.Add(window).Sub(now)))
				if left.Sign() > 0 && left.Cmp(ns) > 0 {
					bad.Add(bad, new(big.Rat).SetInt64(int64(row.total-row.good)))
					total.Add(total, new(big.Rat).SetInt64(int64(row.total)))
				}
			}
			return bad.Sub(bad, total.Mul(total, o.Target.Budget().Rat()))
		}
		until := big.NewRat(int64(window/time.Second), 1)
		if !f.Seconds.IsInf(1) {
			found++
			if until = f.Seconds.Rat(); excess(until).Sign() < 0 {
				t.Fatalf("not gone at %s", f.Seconds)
			}
		}
		half := big.NewRat(1, 2)
		for _, row := range rows {
			left := big.NewRat(int64(row.at.Add(window).Sub(now)), 1e9)
			for range 4 {
				if left.Sign() > 0 && left.Cmp(until) < 0 && excess(left).Sign() >= 0 {
					t.Fatalf("gone at %s already, forecast says %s", left, f.Seconds)
				}
				left = new(big.Rat).Sub(left, half)
			}
		}
	}
	if found < 20 {
		t.Errorf("%d forecasts with an end, want more of the 150", found)
	}
}

func TestForecastRollOffElsewhere(t *testing.T) {
	month := slo.Objective{Target: slo.MustPercent("90"), Windows: []slo.Window{slo.Calendar(slo.Month, nil)}}
	calendar := mustTracker(t, month, nil)
	month.Windows = []slo.Window{slo.Rolling(time.Hour)}
	compact := mustTracker(t, month, &slo.TrackerOptions{Compact: true})
	for _, tracker := range []*slo.Tracker{calendar, compact} {
		if _, err := tracker.ForecastRollOff(time.Hour); !errors.Is(err, slo.ErrNoInstant) {
			t.Errorf("before the first sample: %v, want ErrNoInstant", err)
		}
		if err := tracker.ObserveBad(origin, 1, 100); err != nil {
			t.Fatal(err)
		}
	}
	want, err := calendar.Forecast(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := calendar.ForecastRollOff(time.Hour); err != nil || got != want {
		t.Errorf("calendar month: %+v, %v, want %+v", got, err, want)
	}
	if _, err := compact.ForecastRollOff(time.Hour); !errors.Is(err, slo.ErrNotRetained) {
		t.Errorf("compact: %v, want ErrNotRetained", err)
	}
}
