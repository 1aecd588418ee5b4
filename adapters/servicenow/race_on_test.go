//go:build race

package servicenow

const raceEnabled = true
