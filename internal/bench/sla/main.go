// Command sla compares deadlines in working time and percentages of money with
// other libraries, and holds the other speeds of package sla against fixed
// goals. Its test compares answers: TestScoreboard.
package main

import (
	"slices"
	_ "time/tzdata"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

func main() {
	measure.Main(slices.Concat(deadlines, percentages, goals, growths))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
