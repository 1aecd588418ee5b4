//go:build race

package incident_test

// underRace: the race detector slows hashing twentyfold, and has nothing to see
// in a test without goroutines.
const underRace = true
