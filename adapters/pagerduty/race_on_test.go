//go:build race

package pagerduty_test

const raceEnabled = true
