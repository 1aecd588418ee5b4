package main

import (
	"testing"
	"time"
)

// Whatever a probe is said to have found, it is refused or shown.
func FuzzJourneys(f *testing.F) {
	f.Add(`{"journey": "buy", "at": "2026-10-01T00:00:00Z", "state": "up", "took_ns": 1, "steps": [{"name": "a", "state": "skipped"}]}`)
	f.Add(`{"journey": "buy", "at": "2026-10-01T00:00:00Z", "state": "no_data"}`)
	f.Add(`{"journey": "buy", "at": "0000-01-01T00:00:00Z", "state": "down", "took_ns": 9223372036854775807, "reason": "x", "service": "shop"}`)
	f.Fuzz(func(t *testing.T, line string) {
		x, err := parseRun([]byte(line))
		if err != nil {
			return
		}
		j := journey([]run{x, x}, x.At, time.UTC)
		if j.ID != x.Journey || len(j.History) != 2 || len(j.Steps) != len(x.Steps) || j.Since.After(j.At) {
			t.Errorf("%q: %+v", line, j)
		}
	})
}
