package main

import (
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

const step = 30 * time.Second

// origin is aligned to the stages of rules.
var origin = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// at returns the instant of a step, as a source of Unix timestamps gives it.
func at(i int) time.Time { return time.Unix(origin.Unix()+int64(i)*int64(step/time.Second), 0) }

// events are those of one step: one of fifty has an error, and there is a burst.
func events(i int) slo.Counts {
	good, bad := uint64(100+i%37), uint64(0)
	if i%50 == 0 {
		bad = 1
	}
	if i >= 3000 && i <= 3100 && i%2 == 1 {
		bad += 11
	}
	return slo.Counts{Good: good, Total: good + bad}
}

// objective is 99.9 % over 30 days with the four default rules: seven windows of
// burn rates and the period.
func objective() slo.Objective {
	w := slo.Rolling(30 * 24 * time.Hour)
	return slo.Objective{ID: "api", Service: "shop", Target: slo.MustPercent("99.9"), Windows: []slo.Window{w}, Policy: must(slo.DefaultPolicy(w))}
}

// windows are those of the rules.
var windows = [...]time.Duration{5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour, 72 * time.Hour}
