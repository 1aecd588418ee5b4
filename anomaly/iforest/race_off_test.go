//go:build !race

package iforest_test

const raceEnabled = false
