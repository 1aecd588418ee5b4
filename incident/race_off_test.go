//go:build !race

package incident_test

const underRace = false
