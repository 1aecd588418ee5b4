// Command oncall compares look-ups of who is on call with other libraries, and
// holds schedules and routing of package escalation against fixed goals.
package main

import (
	"slices"
	_ "time/tzdata"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

func main() {
	measure.Main(slices.Concat(lookups, intervals, goals, growths))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
