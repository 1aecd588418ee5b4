// Command slo compares package slo and its parts with Prometheus's query engine
// and with Sloth. Both peers run in the process; the data is made up by history.
//
// The head of the database is mapped after the last sample and never compacted:
// otherwise four fifths of the engine's time would be a search through unmapped
// chunks, and compaction in the background would count as querying. Both would
// flatter us.
package main

import (
	"slices"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

func main() {
	measure.Main(slices.Concat(streams, goals, growths, texts, costs))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
