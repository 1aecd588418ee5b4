// Command incident holds timelines, key figures, recipients and the engine of
// playbooks against fixed goals, and compares conditions with expression engines.
package main

import (
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

func main() {
	measure.Main(slices.Concat(timelines, figures, meters, recipients, conditions, observations))
}

var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

func goal(name string, figure time.Duration, ops int, setup func() (func(), error)) measure.Pair {
	return measure.Pair{
		Name: name, Peer: "goal", Bar: 1, Ops: ops, Goal: figure,
		Setup: func() (func(), func(), error) {
			ours, err := setup()
			return ours, nil, err
		},
	}
}

func noAllocs(p measure.Pair) measure.Pair {
	p.NoAllocs = true
	return p
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
