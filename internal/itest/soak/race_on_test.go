//go:build race

package soak

// raceEnabled: a node calculates for its own in a process of its own, and takes several
// times as long under the race detector, which has little to see in it.
const raceEnabled = true
