//go:build !race

package escalation_test

// raceEnabled says that the tests run many times slower.
const raceEnabled = false
