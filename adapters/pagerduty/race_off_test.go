//go:build !race

package pagerduty_test

// raceEnabled says that the tests run many times slower.
const raceEnabled = false
