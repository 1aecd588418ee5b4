//go:build !race

package servicenow

const raceEnabled = false
