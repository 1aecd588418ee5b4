package testutil

// WeekRestart is the minute at which the process of [WeekCounters] restarts.
const WeekRestart = 7000

// WeekCounters returns the two counters of shared/data/slo/backtest_7d.json at each
// of its minutes, 0 to 10 080, by the formula that the file states.
func WeekCounters() (good, bad []uint64) {
	const end = 10080
	good, bad = make([]uint64, end+1), make([]uint64, end+1)
	for i := 1; i <= end; i++ {
		g, b := uint64(500+i*7919%101), uint64(0)
		if i%97 == 0 {
			b = 1
		}
		for _, burst := range [...]struct {
			from, until int
			bad         uint64
		}{{20, 50, 5}, {1200, 2700, 3}, {4000, 4045, 40}, {6000, 6400, 4}, {8600, 8603, 550}} {
			if i >= burst.from && i < burst.until {
				b += burst.bad
			}
		}
		if i >= 8600 && i < 8603 {
			g = 0
		}
		if i != WeekRestart {
			g += good[i-1]
			b += bad[i-1]
		}
		good[i], bad[i] = g, b
	}
	return good, bad
}
