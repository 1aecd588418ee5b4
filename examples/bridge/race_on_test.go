//go:build race

package main

// raceEnabled: SQLite, which is translated C, takes ten times as long under the race
// detector.
const raceEnabled = true
